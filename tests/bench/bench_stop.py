# SPDX-License-Identifier: GPL-2.0-or-later
"""What a planned change of masters costs: datagrams of a 1 kHz stream that get no answer.

Advertisements each second, one datagram a millisecond: echo requests to the virtual IP, and where the kernel has IPVS
datagrams through a virtual service to a server behind it. SIGTERM to the master, and a handover by poisectl, for which
keepalived's operators lower the priority in the file and reload. Poise beside Debian's keepalived, and Poise with a
keepalived backup."""

import signal
import time

from poiselab import Site, wait_until
from poiselab.configs import nat_site, pair
from poiselab.longlived import serve_on
from poiselab.site import BACK4, GATEWAY, VIP

PRIORITY = {"r1": 150, "r2": 100}
ADVERT = 1
PORT = 8000
ROWS = (("Poise, stopped", "poised", "poised", "stop"), ("Poise, handed over", "poised", "poised", "handover"),
        ("Poise stopped, keepalived as backup", "poised", "keepalived", "stop"),
        ("keepalived, stopped", "keepalived", "keepalived", "stop"),
        ("keepalived, priority lowered", "keepalived", "keepalived", "handover"))
SYNC = {"poised": """connection_sync full
	lvs_sync_daemon back id 51
	pair_address %s
	pair_peer %s
	pair_key "only for this bench"
""", "keepalived": "lvs_sync_daemon back front id 51\n"}


def held(site, router):
    return [site.holders(VIP), site.holders(GATEWAY)] == [[router], [router]]


def text(router, kind, through_ipvs, priority=None):
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    priority = priority or PRIORITY[router.short]
    if not through_ipvs:
        return "global_defs {\n\tvrrp_version 3\n}\n" + pair(priority, advert=ADVERT)
    sync = SYNC[kind] % (own, other) if "%s" in SYNC[kind] else SYNC[kind]
    return nat_site(priority, advert=ADVERT, port=PORT, check="", globals_="vrrp_version 3\n" + sync).replace(
        "protocol TCP", "protocol UDP")


def standby_is_ready(site, kind, daemon):
    if kind == "poised":
        return (daemon.status().get("pair", {}).get("coverage_percent") or 0) >= 99
    return "backup" in site.r2.run("ipvsadm", "-Ln", "--daemon")


def leave(site, daemon, kind, event, through_ipvs):
    if event == "stop":
        daemon.popen.terminate()
    elif kind == "poised":
        daemon.poisectl("handover", "--all", timeout=90)
    else:
        with open(daemon.conf_path, "w", encoding="utf-8") as f:
            f.write(text(site.r1, kind, through_ipvs, priority=50))
        daemon.signal(signal.SIGHUP)


def measure(site, kinds, event, through_ipvs):
    """Datagrams lost, longest silence in seconds, how long the client itself did not get to send."""
    for router in site.routers:
        router.reboot()
    daemons = []
    for router, kind in zip(site.routers, kinds):
        daemons.append(getattr(router, kind)(text(router, kind, through_ipvs)))
        # A master that is there already would first be asked for its connections.
        wait_until("r1 to hold both addresses", lambda: held(site, "r1"), within=30)
    # The second burst of announcements is over, so that nothing but the stop is seen.
    probe = site.probe("udp", port=PORT, interval_ms=1) if through_ipvs else site.probe("icmp", interval_ms=1)
    try:
        wait_until("answers", lambda: probe.answered_since(0), lambda n: n > 2000, within=30)
        if through_ipvs:
            wait_until("the standby", lambda: standby_is_ready(site, kinds[1], daemons[1]), within=60)
        moment = time.monotonic()
        leave(site, daemons[0], kinds[0], event, through_ipvs)
        wait_until("r2 to hold both addresses", lambda: held(site, "r2"), within=20)
        taken = time.monotonic()
        wait_until("answers from r2", lambda: probe.answered_since(taken), lambda n: n > 1000, within=20)
        end = time.monotonic() - 0.2
        knocks = [answered for began, answered in probe.knocks() if moment - 0.1 <= began <= end]
        return knocks.count(None), probe.silence(moment - 0.05, end)[0], probe.stall(moment - 0.05, end)
    finally:
        probe.stop()


def show(report, results):
    form = "%-38s %-20s %-22s %s"
    report.text(form % ("", "datagrams lost", "longest silence, ms", "client stalled, ms"))
    for name, *_ in ROWS:
        lost, silence, stall = zip(*results[name]) if results[name] else ((), (), ())
        report.text((form % (name, report.spread(lost, 1), report.spread(silence), report.spread(stall))).rstrip())
    for name, *_ in ROWS[:3]:
        # A client that stood still for long takes its own late look for a loss.
        if any(lost and stall < 0.3 for lost, _, stall in results[name]):
            report.failed("%s: a planned change lost datagrams" % name)


def run(options, report):
    for through_ipvs in (False, True)[:1 + options.ipvs]:
        results = {name: [] for name, *_ in ROWS}
        for number in range(options.rounds):
            site = Site()
            try:
                for server in site.servers if through_ipvs else ():
                    serve_on(server, PORT)
                for name, *kinds, event in ROWS:
                    report.note("round %d of %d: %s" % (number + 1, options.rounds, name))
                    try:
                        results[name].append(measure(site, kinds, event, through_ipvs))
                    except AssertionError as error:
                        report.failed("%s, round %d: %s\n%s" % (name, number + 1, error, site.tails()))
            finally:
                site.close()
        report.clear()
        report.text("%s; advertisements each %d s, %d rounds, a datagram every millisecond; min / median / max." % (
            "UDP through the virtual service (NAT)" if through_ipvs else "Echo requests to the virtual IP", ADVERT,
            options.rounds))
        report.text()
        show(report, results)
        report.text()
