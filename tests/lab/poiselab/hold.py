# SPDX-License-Identifier: GPL-2.0-or-later
"""A role that is held up, by preloading. "rules": whenever it asks nftables, as by another program's change, which holds the
kernel's lock for everybody's (nobody can hold that one for as long as a test likes). "birth": before it does anything. "exec PROGRAM": a new process of it, before it becomes
that program (the role is "poised" then). "join": before it joins a group of receivers, as while somebody holds the kernel's
lock for interfaces. Or it goes on, but generic netlink's answers do not come as they should: "lost", "overrun", "interrupted",
"large", "slow" (tamper.c)."""

import os
import subprocess

from .daemons import TOP


class Hold:
    """Held from the start (but see `hold`); release() lets go."""

    def __init__(self, machine, role, where, hold=True):
        self.path = machine.path("hold")
        shim = machine.path("hold.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, *(os.path.join(TOP, "tests/lab", name) for name in ("hold.c", "tamper.c"))],
                       check=True)
        self.env = {"LD_PRELOAD": shim, "LAB_HOLD": self.path, "LAB_HOLD_ROLE": role, "LAB_HOLD_WHERE": where}
        if hold:
            self.hold()

    def hold(self):
        with open(self.path, "w", encoding="ascii"):
            pass

    def release(self):
        os.unlink(self.path)
