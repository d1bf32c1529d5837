# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a client gets no answer when the master goes, with Poise and with keepalived.

The same site, the same configuration text and the same timers for both, one after the other in each round. The client
opens a connection through the virtual service every 5 ms (an echo request to the virtual IP where the kernel has no
IPVS); the outage is the longest time between two answers around the event."""

import time

from poiselab import Site, wait_until
from poiselab.configs import TCP_CHECK, nat_site, pair
from poiselab.site import GATEWAY, VIP

PRIORITY = {"r1": 150, "r2": 100}
PROBE_MS = 5


def cut(site, daemon):
    site.r1.cut()


def terminate(site, daemon):
    daemon.popen.terminate()


def kill(site, daemon):
    site.r1.kill_all()


def configuration(router, options):
    if options.ipvs:
        return nat_site(PRIORITY[router.short], advert=options.advert, globals_="vrrp_version 3", check=TCP_CHECK)
    return "global_defs {\n\tvrrp_version 3\n}\n" + pair(PRIORITY[router.short], advert=options.advert)


def in_service(site, options):
    holders = site.holders(VIP), site.holders(GATEWAY)
    if holders != (["r1"], ["r1"]):
        return holders
    if options.ipvs:
        for router in site.routers:
            service = router.ipvs().get(("TCP", VIP + ":80"), {})
            if sum(1 for entry in service.values() if entry["weight"] > 0) != len(site.servers):
                return router.short, service
    return True


def measure(site, start, event, options):
    """One outage, in seconds, and how long the client itself was held up meanwhile. The routers are rebooted before."""
    for router in site.routers:
        router.reboot()
    daemons = [start(router, configuration(router, options)) for router in site.routers]
    wait_until("r1 to serve", lambda: in_service(site, options), lambda seen: seen is True, within=30)
    probe = site.probe("tcp" if options.ipvs else "icmp", interval_ms=PROBE_MS)
    try:
        wait_until("answers", lambda: probe.answered_since(0), lambda n: n > 100, within=15)
        moment = time.monotonic()
        event(site, daemons[0])
        wait_until("r2 to hold both addresses", lambda: VIP in site.r2.addresses() and GATEWAY in site.r2.addresses(),
                   within=20)
        taken = time.monotonic()
        wait_until("answers from r2", lambda: probe.answered_since(taken), lambda n: n > 60, within=20)
        length, began = probe.silence(moment - 0.05)
        return length, probe.stall(began, began + length)
    finally:
        probe.stop()


def run(options, report):
    skew = (256 - PRIORITY["r2"]) / 256 * options.advert
    patience = 3 * options.advert + skew
    events = (("link cut", cut, patience), ("SIGTERM", terminate, skew), ("kill -9 of all", kill, patience))
    daemons = {"Poise": lambda router, text: router.poised(text), "keepalived": lambda router, text:
               router.keepalived(text)}
    outages = {(event, name): [] for event, *_ in events for name in daemons}
    stalls = {key: [] for key in outages}
    for number in range(options.rounds):
        site = Site()
        try:
            for server in site.servers if options.ipvs else ():
                server.nginx()
            for event, happen, _ in events:
                for name, start in daemons.items():
                    report.note("round %d of %d: %s, %s" % (number + 1, options.rounds, event, name))
                    try:
                        length, stall = measure(site, start, happen, options)
                        outages[event, name].append(length)
                        stalls[event, name].append(stall)
                    except AssertionError as error:
                        report.failed("%s, %s, round %d: %s\n%s" % (event, name, number + 1, error, site.tails()))
        finally:
            site.close()
    report.clear()
    show(report, events, outages, stalls, options)


def show(report, events, outages, stalls, options):
    report.text("Advertisement interval %.0f ms, %d rounds, a knock every %d ms; outage in ms as min / median / max, and "
                "how long the client itself was held up in it." % (options.advert * 1000, options.rounds, PROBE_MS))
    report.text()
    form = "%-16s %6s   %-20s %-18s %-20s %-18s"
    report.text((form % ("event", "bound", "Poise", "client held", "keepalived", "client held")).rstrip())
    for event, _, bound in events:
        columns = [report.spread(kind[event, name]) for name in ("Poise", "keepalived") for kind in (outages, stalls)]
        report.text((form % (event, "%.0f" % (bound * 1000), *columns)).rstrip())
