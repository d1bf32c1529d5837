# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that knocks all the time, and how long it got no answer.

As a program (probe.py KIND ADDRESS PORT INTERVAL_MS) it writes a line when a knock begins (the time), and one when it is
over: when it began and when the answer came, 0 when none came in time; monotonic microseconds. It never waits for one
knock before the next.
KIND is tcp (a connection is made and dropped), udp (a datagram comes back) or icmp (an echo request)."""

import itertools
import os
import select
import socket
import struct
import sys
import time

PATIENCE_US = 900000  # below the first retransmission of a SYN
ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


def now_us():
    return time.monotonic_ns() // 1000


class TcpKnock:
    """Each knock is a connection of its own, ended by a reset so that nothing lingers."""

    def __init__(self, family, target):
        self.family, self.target = family, target
        self.open = {}
        self.poll = select.epoll()

    def send(self, began):
        s = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if s.connect_ex(self.target) in (0, 115):  # EINPROGRESS
            self.open[s.fileno()] = (s, began)
            self.poll.register(s, select.EPOLLOUT)
            return True
        s.close()
        return False

    def answers(self, timeout_s):
        for number, _ in self.poll.poll(max(0, timeout_s)):
            s, began = self.open.pop(number)
            yield began, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            s.close()

    def forget(self, before):
        for number, (s, began) in list(self.open.items()):
            if began < before:
                del self.open[number]
                s.close()
                yield began


class DatagramKnock:
    """All knocks go through one socket; an answer carries the time at which its knock began."""

    def __init__(self, family, target, echo=None):
        self.target, self.echo = target, echo
        self.open = set()
        if echo:
            protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
            self.socket = socket.socket(family, socket.SOCK_RAW, protocol)
        else:
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.skip = 28 if family == socket.AF_INET else 8
        self.socket.setblocking(False)

    def packet(self, began):
        body = struct.pack("!Q", began)
        if not self.echo:
            return body
        plain = struct.pack("!BBHHH", self.echo[0], 0, 0, os.getpid() & 0xffff, 0) + body
        total = sum(struct.unpack("!%dH" % (len(plain) // 2), plain))
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        return plain[:2] + struct.pack("!H", 0xffff - total) + plain[4:]

    def send(self, began):
        try:
            self.socket.sendto(self.packet(began), self.target)
        except OSError:
            return False
        self.open.add(began)
        return True

    def answers(self, timeout_s):
        if not select.select([self.socket], [], [], max(0, timeout_s))[0]:
            return
        while True:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error: the knock will count as lost
            if self.echo and data[self.skip - 8] not in (0, 129):
                continue
            # the servers of longlived.py put their name before what was said
            began = struct.unpack("!Q", data[-8:])[0] if len(data) >= self.skip * bool(self.echo) + 8 else 0
            if began in self.open:
                self.open.remove(began)
                yield began, True

    def forget(self, before):
        for began in sorted(self.open):
            if began < before:
                self.open.remove(began)
                yield began


def knock(kind, address, port, interval_us):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    target = (address, 0 if kind == "icmp" else port)
    knocker = TcpKnock(family, target) if kind == "tcp" else DatagramKnock(family, target,
                                                                        ECHO[family] if kind == "icmp" else None)
    following = now_us()
    while True:
        now = now_us()
        if now >= following:
            print(now)
            if not knocker.send(now):
                print(now, 0)
            following = max(following + interval_us, now)
        for began in knocker.forget(now - PATIENCE_US):
            print(began, 0)
        for began, good in knocker.answers((following - now_us()) / 1e6):
            print(began, now_us() if good else 0)


class Probe:
    """A knocking client in a namespace; its knocks can be read while it goes on."""

    numbers = itertools.count(1)

    def __init__(self, start, kind, address, port=0, interval_ms=10):
        """start(name, argv) starts a program at the client and returns a Process."""
        self.interval_s = interval_ms / 1000
        self.process = start("probe%d-%s" % (next(Probe.numbers), kind), [
            "/usr/bin/python3", "-u", os.path.realpath(__file__), kind, address, str(port), str(interval_ms)])

    def knocks(self):
        """All knocks that are over, as (began, answered or None), monotonic seconds, in the order they began."""
        found = []
        for line in self.process.log().splitlines():
            words = line.split()
            if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
                found.append((int(words[0]) / 1e6, int(words[1]) / 1e6 or None))
        return sorted(found)

    def silence(self, since=0.0, until=None):
        """The longest time without any answer between the two moments, in seconds: (length, its beginning)."""
        answers = sorted(answered for _, answered in self.knocks()
                         if answered and answered >= since - 1 and (until is None or answered <= until))
        gaps = [(b - a, a) for a, b in zip(answers, answers[1:]) if b >= since]
        return max(gaps) if gaps else (float("inf"), since)

    def stall(self, since, until=None):
        """The longest time in which the client itself did not get to knock: a machine too busy to measure."""
        begun = [int(line) / 1e6 for line in self.process.log().splitlines() if line.isdigit()]
        begun = [began for began in begun if began >= since - 1 and (until is None or began <= until)]
        return max((b - a for a, b in zip(begun, begun[1:]) if b >= since), default=0.0) - self.interval_s

    def answered_since(self, moment):
        return sum(1 for _, answered in self.knocks() if answered and answered > moment)

    def stop(self):
        self.process.discard()


if __name__ == "__main__":
    try:
        knock(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(float(sys.argv[4]) * 1000))
    except KeyboardInterrupt:
        pass
