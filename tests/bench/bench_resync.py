# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a returning node waits for a large table of connections, and whether a heartbeat is late meanwhile.

The table is filled by the kernel's own protocol (as if another node had told of the connections), so that no client has
to hold them. POISE_RESYNC=N sets how many (20000; the figure that counts is for 100000). There is no peer to compare
with: nothing else sends a table. Both nodes share a kernel here, and it has one table for all namespaces: reading costs
four times as much as on two machines. tests/bench/resync_two has a kernel for each node."""

import os
import re
import time

from poiselab import Site, wait_until
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.longlived import serve_on
from poiselab.site import BACK4, VIP
from poiselab.syncfeed import entry, feed

NUMBER = int(os.environ.get("POISE_RESYNC", "20000"))
ADVERT = 1


def text(router):
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    return nat_site(150 if router.short == "r1" else 100, advert=ADVERT, port=8000, check=TCP_CHECK, globals_="""
vrrp_version 3
connection_sync full
lvs_sync_daemon back id 51
pair_address %s
pair_peer %s
pair_key "only for this bench"
""" % (own, other))


def fill(site, router, count):
    """Tells the router's kernel of connections from a server's machine."""
    feed(site.s1.namespace.name, "eth0", [
        entry("10.%d.%d.%d" % (n >> 16 & 255, n >> 8 & 255, n & 255), VIP, site.servers[n % 3].address)
        for n in range(count)])
    return wait_until("the table to be full", lambda: held(router), lambda seen: seen >= count * 0.98, within=60)


def held(router):
    """What the kernel of the router counts for the servers."""
    return sum(entry["active"] + entry["inactive"] for entry in router.ipvs().get(("TCP", VIP + ":8000"), {}).values())


def resident(daemon, role):
    """Peak resident memory of a role in MiB."""
    with open("/proc/%d/status" % daemon.role_pids(role)[0], encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) / 1024


def run(options, report):
    if not options.ipvs:
        report.text("needs a kernel with IPVS")
        return
    site = Site()
    try:
        for server in site.servers:
            serve_on(server, 8000)
        first = site.r1.poised(text(site.r1))
        wait_until("r1 to be master", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=40)
        wait_until("the receiver of r1", lambda: site.r1.run("ipvsadm", "-Ln", "--daemon"), lambda seen: "backup" in
                   seen, within=20)
        empty = resident(first, "ipvs")
        count = fill(site, site.r1, NUMBER)
        report.note("%d connections stand in the table of r1" % count)
        sent_before = first.vrrp("front")["adverts_sent"]
        began = time.monotonic()
        second = site.r2.poised(text(site.r2))
        covered = wait_until("r2 to hold the table", lambda: second.status().get("pair", {}), lambda seen: (seen.get(
            "coverage_percent") or 0) >= 99 and seen["coverage_of"] >= count * 0.98, within=180, every=0.1)
        took = time.monotonic() - began
        sync = first.status()["connection_sync"]
        sent = first.vrrp("front")["adverts_sent"] - sent_before
        state = first.vrrp("front")["state"]
        report.text("%d connections: %d %% of %d on the other node %.1f s after its start" % (
            count, covered["coverage_percent"], covered["coverage_of"], took))
        report.text("one walk through the table with sending: %.2f s, CPU %.2f s; %d kB sent so far in %d datagrams, %d of "
                    "them again" % (sync["last_duration_ms"] / 1000, sync["last_cpu_ms"] / 1000, sync["bytes_sent"] / 1024,
                                    sync["datagrams_sent"], sync["datagrams_repeated"]))
        report.text("advertisements sent meanwhile: %d in %.1f s, one each %.0f ms is due; memory of poise-ipvs %.1f MiB "
                    "(%.1f MiB before)" % (sent, took, ADVERT * 1000, resident(first, "ipvs"), empty))
        if state != "MASTER" or second.state("front") != "BACKUP":
            report.failed("a heartbeat was missed: r1 is %s, r2 %s" % (state, second.state("front")))
        if sent < took / ADVERT * 0.95 - 2:
            report.failed("advertisements were late: %d in %.1f s" % (sent, took))
    except AssertionError as error:
        report.failed("%s\n%s" % (error, site.tails()))
    finally:
        site.close()
