# SPDX-License-Identifier: GPL-2.0-or-later
"""The other node of a pair, made of datagrams: another version than ours, an attacker, a recorder. It shares no code with
the product (the format stands in pair/pair_message.h)."""

import hashlib
import hmac
import os
import socket
import struct

from . import net
from .process import wait_until

STATE, ADMIN, UNKNOWN = 1, 4, 200
NODE, SOFTWARE, FLAGS, CONFIG, CLOCK, LAYOUT = 1, 2, 3, 9, 11, 12
SERVICE, SERVER, ADMIN_FIELD, WHY, ASKED = 32, 33, 34, 35, 36
DRAIN = 1


def field(kind, data):
    return struct.pack("!HH", kind, len(data)) + data


def u32(kind, value):
    return field(kind, struct.pack("!I", value))


def state(software, *more):
    """What every version says; more: whole fields."""
    return field(NODE, b"stranger") + field(SOFTWARE, software.encode()) + u32(FLAGS, 0) + b"".join(more)


def drain(service, server, when, *more):
    """Somebody drained the server at that time (microseconds of the wall clock)."""
    return (field(SERVICE, service.encode()) + field(SERVER, server.encode()) +
            field(ADMIN_FIELD, struct.pack("!IiIIQQ", DRAIN, -1, 0, 0, when, 0)) + field(WHY, b"by a stranger") +
            field(ASKED, struct.pack("!Q", when)) + b"".join(more))


class PairPeer:
    def __init__(self, router, own, other, key, port=8849):
        self.key = key.encode()
        self.session, self.challenge = (struct.unpack("!Q", os.urandom(8))[0] | 1 for _ in range(2))
        self.number = self.echo = 0
        with net.inside(router.namespace.name):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((own, port))
        self.socket.connect((other, port))
        self.socket.settimeout(3)

    def build(self, kind, fields, version=1, key=None):
        self.number += 1
        head = b"Pois" + struct.pack("!BBHQQQQ", version, kind, 40 + len(fields) + 32, self.session, self.number,
                                     self.challenge, self.echo)
        return head + fields + hmac.new(key or self.key, head + fields, hashlib.sha256).digest()

    def send(self, *message, **more):
        """Returns the datagram, to play it again."""
        datagram = self.build(*message, **more)
        self.say(datagram)
        return datagram

    def say(self, datagram):
        try:
            self.socket.send(datagram)
        except ConnectionRefusedError:
            pass  # it does not listen yet

    def listen(self):
        """Takes in what has come: the other one's challenge is echoed from now on."""
        self.socket.setblocking(False)
        while True:
            try:
                datagram = self.socket.recv(2000)
            except (BlockingIOError, ConnectionRefusedError):
                return
            assert hmac.compare_digest(datagram[-32:], hmac.new(self.key, datagram[:-32], hashlib.sha256).digest())
            self.echo = struct.unpack("!Q", datagram[24:32])[0]

    def meet(self, daemon, fields, seen):
        """Says its state until the daemon's record of the other node is as wanted; returns that."""
        def speak():
            self.listen()
            self.send(STATE, fields)
            return daemon.status().get("pair", {})
        return wait_until("the daemon to hear the stranger", speak, seen, within=20, every=0.2)

    def close(self):
        self.socket.close()
