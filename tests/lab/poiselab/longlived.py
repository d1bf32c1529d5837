# SPDX-License-Identifier: GPL-2.0-or-later
"""Long-lived connections through the site, and how many of them are still alive.

As a program: `longlived.py serve NAME PORT...` answers every line of TCP and every datagram of UDP on both families with itself;
`longlived.py hold KIND ADDRESS PORT TALKING IDLE` makes TALKING + IDLE connections; the talking ones say something five
times a second. A line on its standard input makes all of them speak, the idle ones too, and the answer is a line with
the numbers of talking and idle connections that answered: a TCP connection lives when an answer comes on it; a UDP one
when the answer comes from the server that it has had from the beginning."""

import itertools
import os
import resource
import selectors
import socket
import struct
import sys
import time

from .process import wait_until

PATIENCE_S = 8  # a retransmission may be backed off when a failover has just ended
PAUSE_S = 0.2
CALM = 100  # more that talk do so less often: the machine is to carry connections, not Python's chatter
PKTINFO = 8  # IP_PKTINFO of <netinet/in.h>


def answer_datagram(s, name):
    """From the address that was asked, which may be a virtual one."""
    data, about, _, sender = s.recvmsg(200, 256)
    source = []
    for level, kind, info in about:
        if (level, kind) == (socket.IPPROTO_IP, PKTINFO):
            source.append((level, kind, struct.pack("i4s4s", 0, info[8:12], bytes(4))))
        elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            source.append((level, kind, struct.pack("16si", info[:16], 0)))
    s.sendmsg([name + b" " + data], source, 0, sender)


def serve(name, ports):
    poll = selectors.DefaultSelector()
    for port, (family, any_address), kind in itertools.product(
            ports, ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")), (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif kind == socket.SOCK_DGRAM:
            s.setsockopt(socket.IPPROTO_IP, PKTINFO, 1)
        s.bind((any_address, port))
        if kind == socket.SOCK_STREAM:
            s.listen(4096)
        s.setblocking(False)
        poll.register(s, selectors.EVENT_READ, "listener" if kind == socket.SOCK_STREAM else "datagram")
    while True:
        for key, _ in poll.select():
            try:
                if key.data == "listener":
                    s, _ = key.fileobj.accept()
                    s.setblocking(False)
                    poll.register(s, selectors.EVENT_READ, "stream")
                elif key.data == "datagram":
                    answer_datagram(key.fileobj, name)
                else:
                    data = key.fileobj.recv(4096)
                    if data:
                        key.fileobj.send(name + b" " + data)
                    else:
                        raise OSError
            except BlockingIOError:
                pass
            except OSError:
                if key.data == "stream":
                    poll.unregister(key.fileobj)
                    key.fileobj.close()


class Held:
    """One connection; `server` is who answered first, `round` the last round that was answered by the same."""

    def __init__(self, kind, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.connect((address, port))
        self.socket.setblocking(False)
        self.server, self.round, self.dead, self.buffer = None, -1, False, b""
        self.is_stream = kind == "tcp"

    def say(self, number):
        try:
            self.socket.send(b"%d\n" % number)
        except BlockingIOError:
            pass
        except OSError:
            self.dead = self.dead or self.is_stream

    def hear(self):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self.dead = self.dead or self.is_stream
            return
        if not data:
            self.dead = True
            return
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            server, _, number = line.rpartition(b" ")
            server = server.split()[0] if server else b""
            self.server = self.server or server
            if server == self.server and number.isdigit():
                self.round = max(self.round, int(number))


def hold(kind, address, port, talking, idle):
    poll = selectors.DefaultSelector()
    held = []
    for _ in range(talking + idle):
        held.append(Held(kind, address, port))
        held[-1].say(0)
        poll.register(held[-1].socket, selectors.EVENT_READ, held[-1])
    poll.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
    number, deadline, following = 0, time.monotonic() + PATIENCE_S, 0
    while True:
        now = time.monotonic()
        # Round 0 is over when everybody has a server; later ones when everybody has answered, or patience is over.
        if deadline and (now > deadline or all(h.dead or h.round >= number for h in held)):
            alive = [not h.dead and h.round >= number for h in held]
            sys.stdout.write("alive %d %d %d\n" % (number, sum(alive[:talking]), sum(alive[talking:])))
            deadline = None
        if now >= following:
            following = now + PAUSE_S * max(1, talking / CALM)
            for h in held if deadline and kind == "udp" else held[:talking]:
                if not h.dead:
                    h.say(number)
        for key, _ in poll.select(max(0.0, min(following, deadline or following) - time.monotonic())):
            if key.data:
                key.data.hear()
                if key.data.dead:
                    poll.unregister(key.fileobj)
                continue
            if not os.read(0, 4096):
                return
            number, deadline = number + 1, time.monotonic() + PATIENCE_S
            for h in held:
                if not h.dead:
                    h.say(number)


class Connections:
    """Connections of the client; survivors() makes all of them speak."""

    numbers = itertools.count(1)

    def __init__(self, site, kind, address, port, talking=20, idle=20, client=None):
        self.talking, self.idle, self.rounds = talking, idle, 0
        read, self.command = os.pipe()
        # a log of its own: a former one's answers are not this one's
        self.process = (client or site.client).start("longlived%d-%s-%s-%d" % (next(
            Connections.numbers), kind, address.replace(":", "_"), port), [
            sys.executable, "-u", "-m", "poiselab.longlived", "hold", kind, address, str(port), str(talking), str(idle)],
            stdin=read, env={"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.realpath(__file__)))})
        os.close(read)
        wait_until("all connections to be made", self.answers, lambda seen: seen == (talking, idle), within=60)
        self.made = time.monotonic()

    def age(self):
        """Seconds since all of them stood."""
        return time.monotonic() - self.made

    def answers(self):
        """Of the present round, (talking, idle), or None while it is not over."""
        for line in self.process.log().split("\n")[:-1]:  # what is behind the last one is being written
            words = line.split()
            if words[:2] == ["alive", str(self.rounds)]:
                return int(words[2]), int(words[3])
        if not self.process.running():
            raise AssertionError("the client of long-lived connections has ended: " + self.process.log()[-500:])
        return None

    def speak(self):
        """Makes all of them speak."""
        self.rounds += 1
        os.write(self.command, b"\n")

    def survivors(self):
        """How many of (talking, idle) still work."""
        self.speak()
        return self.heard()

    def heard(self):
        """The answer to speak()."""
        return wait_until("the connections to have spoken", self.answers, within=PATIENCE_S + 30)

    def close(self):
        os.close(self.command)
        self.process.discard()


def survivors_of(several):
    """How many of each Connections work, both kinds together; they are asked at the same time."""
    for connections in several:
        connections.speak()
    return [sum(connections.heard()) for connections in several]


def serve_on(machine, *ports):
    """A server of long-lived connections on this machine."""
    server = machine.start("longlived-serve", [
        sys.executable, "-u", "-m", "poiselab.longlived", "serve", machine.short, *map(str, ports)],
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.realpath(__file__)))})
    wait_until("port %d on %s" % (ports[-1], machine.short), lambda: ":%d " % ports[-1] in machine.run(
        "ss", "-Hltn") + " ", within=20)
    return server


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
    if sys.argv[1] == "serve":
        serve(sys.argv[2].encode(), [int(port) for port in sys.argv[3:]])
    else:
        hold(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
