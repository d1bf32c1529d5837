# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections in the kernel's synchronisation protocol, version 1: a test tells a router's kernel of them as another node
would, so that no client has to hold them."""

import ipaddress
import socket
import struct
import time

from . import net

GROUP, PORT, SYNC_ID = "224.0.0.81", 8848, 51
TEMPLATE = 0x1000  # flag of an entry of persistence
PER_DATAGRAM = 1392


def entry(client, virtual, server, *, protocol=6, ports=(40000, 8000, 8000), state=1, flags=0, mark=0, timeout=3600):
    """One connection, by default an established one of TCP. ports: client's, virtual, server's."""
    addresses = [ipaddress.ip_address(a) for a in (client, virtual, server)]
    six = addresses[0].version == 6
    return struct.pack("!BBHIHHHHII", six, protocol, 24 + (48 if six else 12), flags, state, *ports, mark,
                       timeout) + b"".join(a.packed for a in addresses)


def datagrams(entries):
    """The entries, all of one size, in as few datagrams as it takes."""
    n = PER_DATAGRAM // len(entries[0])
    for first in range(0, len(entries), n):
        some = entries[first:first + n]
        yield struct.pack("!BBHBBH", 0, SYNC_ID, 8 + len(some) * len(some[0]), len(some), 1, 0) + b"".join(some)


def feed(namespace, interface, entries, group=GROUP, port=PORT, burst=20):
    """Sends entries of one size from an interface in a namespace, slowly enough for any receiver."""
    with net.inside(namespace):
        s = socket.socket(socket.AF_INET6 if ":" in group else socket.AF_INET, socket.SOCK_DGRAM)
        index = socket.if_nametoindex(interface)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), index))
    for i, datagram in enumerate(datagrams(entries)):
        s.sendto(datagram, (group, port))
        if i % burst == 0:
            time.sleep(0.01)
    s.close()


def table(router):
    """What stands in a router's table: {(protocol, client, port, virtual, port, server, port): state}."""
    lines = [line.split() for line in router.run("cat", "/proc/net/ip_vs_conn").splitlines()[1:]]
    return {tuple(words[:7]): words[7] for words in lines}
