# SPDX-License-Identifier: GPL-2.0-or-later
"""Records the packets of an interface while a test goes on."""

import select
import socket
import threading
import time

from . import net

ETH_P_ALL = 3


class Capture:
    """Every frame that an interface sends or receives, as (monotonic seconds, bytes). Ends with close()."""

    def __init__(self, namespace, interface):
        self.frames = []
        self.stopping = False
        with net.inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((interface, ETH_P_ALL))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            if select.select([self.socket], [], [], 0.1)[0]:
                try:
                    frame = self.socket.recv(65535)
                except OSError:
                    return  # the interface went away
                self.frames.append((time.monotonic(), frame))

    def packets(self, layer=None):
        """The frames decoded by scapy, those with the layer only: [(monotonic seconds, packet)]."""
        from scapy.all import Ether  # slow to load, and few tests need it

        decoded = [(when, Ether(frame)) for when, frame in list(self.frames)]
        return [(when, packet) for when, packet in decoded if layer is None or layer in packet]

    def vrrp(self):
        """The VRRP messages as (monotonic seconds, source address, bytes of the message), IPv4 and IPv6."""
        found = []
        for when, frame in list(self.frames):
            if frame[12:14] == b"\x08\x00" and frame[23] == 112:
                header = (frame[14] & 15) * 4
                total = int.from_bytes(frame[16:18], "big")
                found.append((when, socket.inet_ntop(socket.AF_INET, frame[26:30]), frame[14 + header:14 + total]))
            elif frame[12:14] == b"\x86\xdd" and frame[20] == 112:
                length = int.from_bytes(frame[18:20], "big")
                found.append((when, socket.inet_ntop(socket.AF_INET6, frame[22:38]), frame[54:54 + length]))
        return found

    def close(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()
