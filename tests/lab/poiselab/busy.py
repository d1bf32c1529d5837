# SPDX-License-Identifier: GPL-2.0-or-later
"""Another program's change to its rules, which holds the kernel's lock for everybody's: nobody can hold that one for as
long as a test likes, so a role that asks nftables is made to wait by preloading."""

import os
import subprocess

from .daemons import TOP


class BusyRules:
    """Held from the start; release() lets go."""

    def __init__(self, machine, role):
        self.path = machine.path("busy")
        shim = machine.path("busy_rules.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, os.path.join(TOP, "tests/lab/busy_rules.c")],
                       check=True)
        self.env = {"LD_PRELOAD": shim, "LAB_BUSY": self.path, "LAB_BUSY_ROLE": role}
        self.hold()

    def hold(self):
        with open(self.path, "w", encoding="ascii"):
            pass

    def release(self):
        os.unlink(self.path)
