# SPDX-License-Identifier: GPL-2.0-or-later
"""What a planned stop of the master costs: datagrams of a 1 kHz stream that get no answer.

Advertisements each second, one echo request a millisecond to the virtual IP; SIGTERM to the master. Poise beside
Debian's keepalived, and Poise with a keepalived backup."""

import time

from poiselab import Site, wait_until
from poiselab.configs import pair
from poiselab.site import GATEWAY, VIP

PRIORITY = {"r1": 150, "r2": 100}
ADVERT = 1
PAIRS = (("Poise", "poised", "poised"), ("Poise, keepalived as backup", "poised", "keepalived"),
         ("keepalived", "keepalived", "keepalived"))


def held(site, router):
    return [site.holders(VIP), site.holders(GATEWAY)] == [[router], [router]]


def measure(site, kinds):
    """Datagrams lost, longest silence in seconds, how long the client itself did not get to send."""
    for router in site.routers:
        router.reboot()
    text = "global_defs {\n\tvrrp_version 3\n}\n"
    daemons = [getattr(router, kind)(text + pair(PRIORITY[router.short], advert=ADVERT))
               for router, kind in zip(site.routers, kinds)]
    wait_until("r1 to hold both addresses", lambda: held(site, "r1"), within=30)
    # The second burst of announcements is over, so that nothing but the stop is seen.
    probe = site.probe("icmp", interval_ms=1)
    try:
        wait_until("answers", lambda: probe.answered_since(0), lambda n: n > 2000, within=30)
        moment = time.monotonic()
        daemons[0].popen.terminate()
        wait_until("r2 to hold both addresses", lambda: held(site, "r2"), within=20)
        taken = time.monotonic()
        wait_until("answers from r2", lambda: probe.answered_since(taken), lambda n: n > 1000, within=20)
        end = time.monotonic() - 0.2
        knocks = [answered for began, answered in probe.knocks() if moment - 0.1 <= began <= end]
        return knocks.count(None), probe.silence(moment - 0.05, end)[0], probe.stall(moment - 0.05, end)
    finally:
        probe.stop()


def run(options, report):
    results = {name: [] for name, *_ in PAIRS}
    for number in range(options.rounds):
        site = Site()
        try:
            for name, *kinds in PAIRS:
                report.note("round %d of %d: %s" % (number + 1, options.rounds, name))
                try:
                    results[name].append(measure(site, kinds))
                except AssertionError as error:
                    report.failed("%s, round %d: %s\n%s" % (name, number + 1, error, site.tails()))
        finally:
            site.close()
    report.clear()
    report.text("Advertisement interval %d s, %d rounds, a datagram every millisecond; min / median / max." %
                (ADVERT, options.rounds))
    report.text()
    form = "%-30s %-20s %-22s %s"
    report.text(form % ("", "datagrams lost", "longest silence, ms", "client stalled, ms"))
    for name, *_ in PAIRS:
        lost, silence, stall = zip(*results[name]) if results[name] else ((), (), ())
        report.text((form % (name, report.spread(lost, 1), report.spread(silence), report.spread(stall))).rstrip())
    for name, *_ in PAIRS[:2]:
        if any(lost for lost, *_ in results[name]):
            report.failed("%s: a planned stop lost datagrams" % name)
