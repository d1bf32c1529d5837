# SPDX-License-Identifier: GPL-2.0-or-later
"""Wall clocks that differ: a kernel has one for all namespaces, so a daemon gets another by preloading."""

import os
import struct
import subprocess

from .daemons import TOP


class Clock:
    """The wall clock of one daemon."""

    def __init__(self, machine):
        self.path = machine.path("clock")
        self.set(0)
        shim = machine.path("clock_shim.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, os.path.join(TOP, "tests/lab/clock_shim.c")],
                       check=True)
        self.env = {"LD_PRELOAD": shim, "LAB_CLOCK": self.path}

    def set(self, seconds):
        with open(self.path, "r+b" if os.path.exists(self.path) else "w+b") as f:
            f.write(struct.pack("<q", seconds))
