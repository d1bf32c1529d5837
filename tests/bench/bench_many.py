# SPDX-License-Identifier: GPL-2.0-or-later
"""What 250 instances cost: taking over 1000 addresses, and a hundred advertisements a second of each.

Takeover: 250 instances with 4 addresses each, advertisements each second; the master's cable is cut, and on the backup
the time from the first to the last address is taken. Load: the same instances with advertisements every 10 ms, processor time of
all processes of the master as a share of one core, and how many instances of a listening backup believed it gone
meanwhile ($POISE_LONG: for ten minutes). Poise beside Debian's keepalived."""

import os
import select
import socket
import threading
import time

from poiselab import Site, net, wait_until
from poiselab.process import descendants

INSTANCES, ADDRESSES = 250, 4
QUIET_S = 600 if os.environ.get("POISE_LONG") else 8
RTM_NEWADDR = 20
RTMGRP_IPV4_IFADDR = 0x10


def configuration(priority, advert, addresses):
    """VRIDs 1 to 250 on one interface."""
    parts = ["global_defs {\n\tvrrp_version 3\n\tvrrp_garp_master_delay 0\n\tvrrp_garp_master_repeat 1\n}\n"]
    for vrid in range(1, INSTANCES + 1):
        held = "".join("\t\t10.%d.%d.1/32\n" % (n, vrid) for n in range(addresses))
        parts.append("vrrp_instance v%d {\n\tinterface front\n\tstate BACKUP\n\tvirtual_router_id %d\n\tpriority %d\n"
                     "\tadvert_int %s\n\tvirtual_ipaddress {\n%s\t}\n}\n" % (vrid, vrid, priority, advert, held))
    return "".join(parts)


class AddressWatch:
    """When addresses appear in a namespace: one monotonic time for each."""

    def __init__(self, namespace):
        self.times, self.stopping = [], False
        with net.inside(namespace):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.socket.bind((0, RTMGRP_IPV4_IFADDR))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            data, now = self.socket.recv(1 << 16), time.monotonic()
            while len(data) >= 16:
                length, kind = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:6], "little")
                if kind == RTM_NEWADDR:
                    self.times.append(now)
                data = data[(length + 3) & ~3:]

    def close(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()


def held(router):
    return sum(1 for address in router.addresses() if address.startswith("10."))


def pause(what, seconds):
    """A measurement that takes its time."""
    end = time.monotonic() + seconds
    wait_until(what, time.monotonic, lambda now: now >= end, seconds + 5, every=0.2)


def takeover(kind):
    """Seconds from the first to the last address."""
    site = Site(servers=1)
    try:
        for router, priority in ((site.r1, 150), (site.r2, 100)):
            getattr(router, kind)(configuration(priority, 1, ADDRESSES))
            if router is site.r1:
                wait_until("r1 to hold everything", lambda: held(site.r1), lambda n: n == INSTANCES * ADDRESSES, 60)
        pause("the backup to have listened for a whole election", 5)
        assert held(site.r2) == 0, "r2 holds addresses beside r1"
        watch = AddressWatch(site.r2.namespace.name)
        try:
            site.r1.cut()
            wait_until("r2 to hold everything", lambda: len(watch.times), lambda n: n >= INSTANCES * ADDRESSES, 60)
            return watch.times[INSTANCES * ADDRESSES - 1] - watch.times[0]
        finally:
            watch.close()
    finally:
        site.close()


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid, encoding="ascii") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def claims(daemon, kind):
    """How often an instance of it became master so far."""
    if kind == "keepalived":
        return daemon.log().count("Entering MASTER STATE")
    return sum(entry["became_master"] for entry in daemon.status().get("vrrp", []))


def load(kind):
    """Share of one core, advertisements a second as they leave, and claims of the backup."""
    site = Site(servers=1)
    try:
        daemon = getattr(site.r1, kind)(configuration(150, 0.01, 1))
        wait_until("r1 to hold everything", lambda: held(site.r1), lambda n: n == INSTANCES, 60)
        # Alone: on one machine the work of a listener in the kernel would be the sender's time.
        pids = descendants(daemon.pid)
        began, used, sent = time.monotonic(), cpu_seconds(pids), packets(site.r1)
        pause("the measurement", 8)
        span = time.monotonic() - began
        share, rate = (cpu_seconds(pids) - used) / span, (packets(site.r1) - sent) / span
        backup = getattr(site.r2, kind)(configuration(100, 0.01, 1))
        pause("the backup to have listened", 3)
        before = claims(backup, kind)
        pause("the backup to go on listening", QUIET_S)
        return share, rate, claims(backup, kind) - before
    finally:
        site.close()


def packets(router):
    return int(router.run("cat", "/proc/net/dev").split("front:")[1].split()[9])


def run(options, report):
    spans, shares, rates, lost = {}, {}, {}, {}
    for name, kind in (("Poise", "poised"), ("keepalived", "keepalived")):
        spans[name], shares[name], rates[name], lost[name] = [], [], [], []
        for number in range(options.rounds):
            report.note("round %d of %d: takeover, %s" % (number + 1, options.rounds, name))
            spans[name].append(takeover(kind))
        # A guest kernel has one slow processor: 25,000 packets a second tell nothing there.
        for number in range(min(options.rounds, 3) if options.kernel in ("own", "host") else 0):
            report.note("round %d: load, %s" % (number + 1, name))
            share, rate, claimed = load(kind)
            shares[name].append(share)
            rates[name].append(rate)
            lost[name].append(claimed)
    report.clear()
    report.text("%d instances, min / median / max." % INSTANCES)
    report.text()
    form = "%-12s %-34s %-30s %-24s %s"
    report.text(form % ("", "first to last of %d addresses, ms" % (INSTANCES * ADDRESSES), "10 ms adverts, % of a core",
                        "adverts a second", "claims of the backup in %d s" % QUIET_S))
    for name in spans:
        report.text((form % (name, report.spread(spans[name]), report.spread(shares[name], 100, "%.1f"),
                             report.spread(rates[name], 1), report.spread(lost[name], 1))).rstrip())
