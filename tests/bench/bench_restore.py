# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a virtual address that somebody else removes is gone: from the kernel's notice of its end to that of its return.

One master with eight addresses of both families, each removed once, a while apart. Poise beside Debian's keepalived,
which lets go of mastership instead of putting the address back: its time is that to the address on any router again."""

import os
import select
import socket
import threading
import time

from poiselab import Site, net, wait_until
from poiselab.configs import instance
from poiselab.site import FRONT4

RTM_NEWADDR, RTM_DELADDR = 20, 21
GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
ADDRESSES = [FRONT4 + str(n) for n in range(100, 108)]
GAP_S = 0.5
PATIENCE_S = 8


class Watch:
    """(monotonic time, there or gone, address) of every IPv4 address that comes or goes in a namespace."""

    def __init__(self, namespace):
        self.events, self.stopping = [], False
        with net.inside(namespace):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, GROUPS))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        # Before the daemons: what is measured must not wait for its turn to be noted.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(60))
        while not self.stopping:
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            data, now = self.socket.recv(1 << 16), time.monotonic()
            while len(data) >= 16:
                length, kind = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:6], "little")
                if kind in (RTM_NEWADDR, RTM_DELADDR):
                    self.take(now, kind, data[16:length])
                data = data[(length + 3) & ~3:]

    def take(self, now, kind, body):
        attributes = body[8:]
        while len(attributes) >= 4:
            size, number = int.from_bytes(attributes[:2], "little"), int.from_bytes(attributes[2:4], "little")
            if size < 4:
                return
            if number == 2 and size == 8:  # IFA_LOCAL
                self.events.append((now, kind == RTM_NEWADDR, socket.inet_ntoa(attributes[4:8])))
            attributes = attributes[(size + 3) & ~3:]

    def close(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()


def gone_for(watches, address):
    """Seconds from its first end to its first return on any router, None while it is away."""
    events = sorted(e for w in watches for e in w.events if e[2] == address)
    ends = [at for at, there, _ in events if not there]
    back = [at for at, there, _ in events if there and ends and at >= ends[0]]
    return back[0] - ends[0] if back else None


def held(site, router):
    return sum(1 for a in ADDRESSES if site.holders(a) == [router])


def measure(kind, report):
    site = Site(servers=1)
    try:
        for router, priority in ((site.r1, 150), (site.r2, 100)):
            text = instance("one", "front", 51, "\n\t\t".join(a + "/32" for a in ADDRESSES), priority=priority, advert=1,
                            more="version 3")
            getattr(router, kind)(text)
        wait_until("r1 to hold everything", lambda: held(site, "r1"), lambda n: n == len(ADDRESSES), 30)
        spans = []
        for address in ADDRESSES:
            wait_until("r1 to hold everything", lambda: held(site, "r1"), lambda n: n == len(ADDRESSES), 30)
            watches = [Watch(router.namespace.name) for router in (site.r1, site.r2)]
            try:
                site.r1.run("ip", "addr", "del", address + "/32", "dev", "front")
                spans.append(wait_until("the address to be back", lambda: gone_for(watches, address),
                                        lambda span: span is not None, PATIENCE_S))
            except AssertionError:
                report.failed("%s: %s did not come back within %d s" % (kind, address, PATIENCE_S))
                spans.append(PATIENCE_S)
            finally:
                for watch in watches:
                    watch.close()
            end = time.monotonic() + GAP_S
            wait_until("a while", time.monotonic, lambda now: now >= end, GAP_S + 5, every=0.1)
        return spans
    finally:
        site.close()


def run(options, report):
    del options
    spans = {name: measure(kind, report) for name, kind in (("Poise", "poised"), ("keepalived", "keepalived"))}
    report.clear()
    report.text("An address removed by somebody else is gone for, ms: min / median / max of %d." % len(ADDRESSES))
    report.text()
    for name, values in spans.items():
        report.text("%-12s %s" % (name, report.spread(values, form="%.1f")))
