# SPDX-License-Identifier: GPL-2.0-or-later
"""Operating a large configuration: status of 10,000 servers, and advertisements meanwhile and during reloads.

Advertisements every 10 ms are stamped by the kernel of the machine that hears them; what counts is how late they are.
A figure that is missed is said; a machine that is busy or has one slow processor misses some."""

import socket
import statistics
import struct
import threading
import time

from poiselab import Site, net, wait_until
from poiselab.configs import instance
from poiselab.site import VIP

SERVICES, SERVERS = 1000, 10
ADVERT = 0.01
SO_TIMESTAMPNS = 35
STATUS_LIMIT_S = 0.2


class Heartbeats:
    """When the advertisements of a router arrived, by the kernel's clock."""

    def __init__(self, machine, interface):
        self.times, self.stopping = [], False
        with net.inside(machine.namespace.name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.socket.bind((interface, 0x0800))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            try:
                packet, ancillary, _, _ = self.socket.recvmsg(64, 128)
            except TimeoutError:
                continue
            if packet[9] == 112:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                self.times.append(seconds + nanoseconds / 1e9)

    def lateness(self, since):
        """How much later than the interval each one came, sorted; `since` by the wall clock."""
        times = [t for t in list(self.times) if t >= since]
        return sorted(max(0.0, b - a - ADVERT) for a, b in zip(times, times[1:]))

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()


def table(changed_weight=1):
    """1,000 services with 10 servers each; the last server of the last service has another weight."""
    blocks = []
    for s in range(SERVICES):
        servers = []
        for r in range(SERVERS):
            last = (s, r) == (SERVICES - 1, SERVERS - 1)
            servers.append("\treal_server 198.18.%d.%d 80 {\n\t\tweight %d\n\t}\n" %
                           (s % 250, r + 1 + 10 * (s // 250), changed_weight if last else 1))
        blocks.append("virtual_server %s %d {\n\tlb_algo wlc\n\tlb_kind NAT\n\tprotocol TCP\n%s}\n" %
                      (VIP, 1000 + s, "".join(servers)))
    return "".join(blocks)


def configuration(changed_weight=1, advert=ADVERT):
    return ("global_defs {\n\tvrrp_version 3\n}\n" +
            instance("front", "front", 51, VIP + "/24", priority=150, advert=advert) + table(changed_weight))


def row(report, name, late, more=""):
    if not late:
        report.failed("%s: no advertisement was heard" % name)
        return
    report.text("%-38s %8d %9.2f %9.2f %9.2f  %s" % (name, len(late) + 1, 1000 * statistics.median(late),
                                                     1000 * late[int(len(late) * 0.99)], 1000 * late[-1], more))


def measure_status(options, report):
    site = Site()
    try:
        poised = site.r1.poised(configuration())
        wait_until("poised", lambda: poised.status().get("generation"), within=60)
        wait_until("r1 to be master", lambda: poised.state("front"), lambda s: s == "MASTER", within=60)
        beats = Heartbeats(site.client, "eth0")
        report.text("%-38s %8s %9s %9s %9s" % ("", "adverts", "median ms", "p99 ms", "worst ms late"))
        since = time.time()
        time.sleep(3)
        row(report, "at rest", beats.lateness(since))
        since, took = time.time(), []
        for _ in range(max(5, options.rounds * 4)):
            began = time.monotonic()
            poised.poisectl("status", "--json")
            took.append(time.monotonic() - began)
        row(report, "while status --json runs", beats.lateness(since),
            "%d KiB" % (len(poised.poisectl("status", "--json").stdout) // 1024))
        since, loads = time.time(), []
        for number in range(max(3, options.rounds * 2)):
            poised.write(configuration(2 + number))
            began = time.monotonic()
            poised.poisectl("reload", "--allow", timeout=120)
            loads.append(time.monotonic() - began)
        late = beats.lateness(since)
        row(report, "while 10,000 servers are reloaded", late)
        beats.stop()
        report.text()
        report.text("poisectl status --json: %s ms (min / median / max)" % report.spread(took))
        report.text("poisectl reload --allow: %s ms (min / median / max)" % report.spread(loads))
        if statistics.median(took) > STATUS_LIMIT_S:
            report.text("MISSED: status --json of 10,000 servers in %d ms" % (1000 * STATUS_LIMIT_S))
        if late and late[-1] > ADVERT:
            report.text("an advertisement came more than an interval late (on this machine, shared as it is)")
    finally:
        site.close()


def run(options, report):
    measure_status(options, report)
