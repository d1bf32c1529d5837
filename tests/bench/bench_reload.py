# SPDX-License-Identifier: GPL-2.0-or-later
"""A reload with one change in 1,000 services x 10 servers: from the signal until the kernel's table shows it.

A changed weight, and a server that is added, in a file that is otherwise the same; Poise and Debian's keepalived, one
after the other, each reloaded several times. LAB_USE=qemu takes Debian's kernel instead of User Mode Linux, where a page
of memory that is touched for the first time costs a hundred times as much as elsewhere."""

import os
import signal
import statistics
import time

from bench_operate import SERVERS, SERVICES, configuration
from kernel_weights import kernel_weights
from poiselab import Site, wait_until
from poiselab.site import VIP

CHANGES = ("one weight", "a server more")
WANTED_S, WANTED_RATIO = 0.1, 0.5


def weights(router, servers=SERVERS):
    """Of the last service, whose last server is the one that changes."""
    return sorted(kernel_weights(router, VIP, 1000 + SERVICES - 1, servers))


def with_server(text):
    """The same with one more server in the last service."""
    end = text.rstrip().rindex("}")
    return text[:end] + "\treal_server 198.19.0.1 80 {\n\t\tweight 77\n\t}\n}\n"


def reload(daemon, text, shows):
    """Seconds until the kernel shows it."""
    with open(daemon.conf_path, "w", encoding="ascii") as file:
        file.write(text)
    began = time.monotonic()
    os.kill(daemon.pid, signal.SIGHUP)
    wait_until("the change in the kernel", shows, within=240, every=0.005)
    took = time.monotonic() - began
    time.sleep(1.5)
    return took


def measure(router, name, rounds):
    daemon = (router.poised if name == "Poise" else router.keepalived)(configuration(1, advert=1))
    wait_until("the table", lambda: weights(router) == [1] * SERVERS, within=240)
    time.sleep(2)
    took = {change: [] for change in CHANGES}
    for number in range(rounds):
        text = configuration(2 + number, advert=1)
        took["one weight"].append(reload(daemon, text, lambda: 2 + number in weights(router)))
        took["a server more"].append(reload(daemon, with_server(text), lambda: 77 in weights(router, SERVERS + 1)))
        reload(daemon, text, lambda: len(weights(router)) == SERVERS)
    return took


def run(options, report):
    if not options.ipvs:
        report.text("skipped: this kernel has no IPVS")
        return
    results = {}
    for name in ("Poise", "keepalived"):
        site = Site(servers=0, routers=1)
        try:
            results[name] = measure(site.r1, name, options.rounds)
        finally:
            site.close()
    form = "%-16s %-22s %-22s %s"
    report.text(form % ("ms, min/med/max", "Poise", "keepalived", "ratio of the medians"))
    for change in CHANGES:
        ours, theirs = results["Poise"][change], results["keepalived"][change]
        ratio = statistics.median(ours) / statistics.median(theirs)
        report.text(form % (change, report.spread(ours), report.spread(theirs), "%.2f" % ratio))
        if ratio > WANTED_RATIO:
            report.text("MISSED: %s: %.2f of keepalived's time (wanted: at most %.1f)" % (change, ratio, WANTED_RATIO))
        if statistics.median(ours) > WANTED_S:
            report.text("MISSED: %s: in the kernel after %.0f ms (wanted: %.0f)" % (
                change, 1000 * statistics.median(ours), 1000 * WANTED_S))
