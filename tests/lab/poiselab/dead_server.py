# SPDX-License-Identifier: GPL-2.0-or-later
"""A file system that hangs, as one of a file server that is away."""

import ctypes
import os

import pytest

from .net import libc


class DeadServer:
    """A file system whose server says nothing: whoever looks into the folder waits until close(). Not for_all: those who are
    not root are refused at once."""

    def __init__(self, folder, for_all=True):
        self.folder = folder.encode()
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0%s" % (self.fd, b",allow_other" if for_all else b"")
        if libc.mount(b"dead", self.folder, b"fuse", 0, options):
            os.close(self.fd)
            pytest.skip("no FUSE in this kernel: errno %d" % ctypes.get_errno())

    def close(self):
        os.close(self.fd)  # who waits gets an error
        libc.umount2(self.folder, 2)
