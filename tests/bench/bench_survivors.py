# SPDX-License-Identifier: GPL-2.0-or-later
"""How many long-lived connections survive what happens to the nodes: Poise beside Debian's keepalived.

Half of them talk, half are idle. NAT over TCP in the short form; with POISE_LONG=1 also UDP, IPv6, DR and TUN, and every
case. Each case begins with fresh connections to r1 and is counted twice: when r2 has taken over, and when r1 is back.
POISE_SURVIVORS=N sets the number of connections of a kind (40), POISE_CASE=WORD takes the cases with this word alone,
POISE_KIND=WORD the kinds. POISE_OLD=BUILD is a build folder of another version: the case of the upgrade begins with that one
on both nodes."""

import os
import signal

from poiselab import Site, wait_until
from poiselab.configs import TCP_CHECK, instance, service
from poiselab.longlived import Connections, serve_on, survivors_of
from poiselab.site import BACK4, BACK6, GATEWAY, GATEWAY6, VIP, VIP6, Machine

LONG = bool(os.environ.get("POISE_LONG"))
NUMBER = int(os.environ.get("POISE_SURVIVORS", "40"))
ADVERT = 0.2
INNER, INNER6 = BACK4 + "100", BACK6 + "100"  # of the services whose servers answer the client themselves
PRIORITY = {"r1": 150, "r2": 100}
SYNC = """connection_sync full
	lvs_sync_daemon back id 51
	pair_address %s
	pair_peer %s
	pair_key "only for this bench"
"""
# what is measured: name, protocol, address, port, client, needs the long form
KINDS = [("NAT tcp", "tcp", VIP, 8000, "client"), ("NAT udp", "udp", VIP, 8000, "client")]
LONG_KINDS = [("NAT tcp v6", "tcp", VIP6, 8000, "client"), ("NAT udp v6", "udp", VIP6, 8000, "client"),
              ("DR tcp", "tcp", INNER, 8001, "inner"), ("DR udp", "udp", INNER, 8001, "inner"),
              ("TUN tcp", "tcp", INNER, 8002, "inner"), ("TUN udp", "udp", INNER, 8002, "inner"),
              ("DR tcp v6", "tcp", INNER6, 8001, "inner"), ("DR udp v6", "udp", INNER6, 8001, "inner"),
              ("TUN tcp v6", "tcp", INNER6, 8002, "inner"), ("TUN udp v6", "udp", INNER6, 8002, "inner")]


def cases():
    return [(name, case) for name, case in CASES + (LONG_CASES if LONG else []) if os.environ.get("POISE_CASE", "") in name]


def kinds():
    every, wanted = KINDS + LONG_KINDS if LONG else KINDS[:1], os.environ.get("POISE_KIND", "")
    return [kind for kind in every if kind[0] == wanted] or [kind for kind in every if wanted in kind[0]]


def text(site, router, daemon, priority=None):
    """The same file for both daemons, but for what only Poise has."""
    priority = priority or PRIORITY[router.short]
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    sync = SYNC % (own, other) if daemon == "poised" else "lvs_sync_daemon back front id 51\n"
    names = ["front", "back"] + (["front6", "back6"] if LONG else [])
    out = "global_defs {\n\trouter_id %s\n\tvrrp_version 3\n\t%s}\n" % (router.short, sync)
    out += "vrrp_sync_group site {\n\tgroup {\n\t\t%s\n\t}\n}\n" % "\n\t\t".join(names)
    out += instance("front", "front", 51, VIP + "/24", priority=priority, advert=ADVERT)
    out += instance("back", "back", 52, "%s/24\n\t\t%s/24" % (GATEWAY, INNER), priority=priority, advert=ADVERT)
    if LONG:
        out += instance("front6", "front", 61, "fe80::10\n\t\t%s/128" % VIP6, priority=priority, advert=ADVERT)
        out += instance("back6", "back", 62, "fe80::20\n\t\t%s/128\n\t\t%s/128" % (GATEWAY6, INNER6), priority=priority,
                        advert=ADVERT)
    for name, protocol, address, port, _ in kinds():
        servers = [server.address6 if ":" in address else server.address for server in site.servers]
        out += service(servers, address=address, port=port, kind=name.split()[0], check=TCP_CHECK).replace(
            "protocol TCP", "protocol " + protocol.upper())
    return out


def prepare_servers(site):
    for server in site.servers:
        serve_on(server, 8000, 8001, 8002)
        if not LONG:
            continue
        server.namespace.ip("link add ipip0 type ipip local %s" % server.address, "link set ipip0 up")
        server.namespace.sysctl({"ipv4/conf/all/arp_ignore": 1, "ipv4/conf/all/arp_announce": 2,
                                 "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0,
                                 "ipv4/conf/ipip0/rp_filter": 0})
        server.namespace.ip("link add ip6tun type ip6tnl local %s mode any" % server.address6, "link set ip6tun up")
        server.namespace.ip("addr add %s/32 dev lo" % INNER, "addr add %s/128 dev lo" % INNER6)


class Pair:
    """Two routers of one kind."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.site = Site()
        prepare_servers(self.site)
        self.inner = self.site.add(Machine, "inner", [("eth0", "back", "02:00:00:00:02:50", [BACK4 + "50/24",
                                                                                                  BACK6 + "50/64"])])
        self.running = {}
        self.start("r1")
        self.wait_master("r1")
        self.start("r2")
        self.settle("r2")

    def start(self, short, build=None):
        """Starts the daemon of a router, from another build folder if one is named."""
        router, usual = getattr(self.site, short), os.environ.get("POISE_BUILD")
        if build:
            os.environ["POISE_BUILD"] = build
        try:
            self.running[short] = getattr(router, self.daemon)(text(self.site, router, self.daemon))
        finally:
            if build:
                os.environ.pop("POISE_BUILD") if usual is None else os.environ.update(POISE_BUILD=usual)

    def reload(self, short, priority):
        """Another priority for all instances of a router that runs keepalived."""
        with open(self.running[short].conf_path, "w", encoding="utf-8") as f:
            f.write(text(self.site, getattr(self.site, short), self.daemon, priority))
        self.running[short].signal(signal.SIGHUP)

    def take_part(self, short):
        """The router has come back as standby; with Poise it says when it holds the connections."""
        self.settle(short)
        if self.daemon == "poised":
            wait_until("the connections on " + short, lambda: self.running[short].status().get("pair", {}),
                       lambda seen: (seen.get("coverage_percent") or 0) >= 99, within=60)

    def wait_master(self, short, within=40):
        wait_until("%s to hold the addresses" % short, lambda: [self.site.holders(a) for a in (VIP, GATEWAY)],
                   lambda seen: seen == [[short], [short]], within=within)

    def settle(self, short):
        """The standby takes part, and its kernel's receiver runs."""
        router = getattr(self.site, short)
        wait_until("the receiver of %s" % short, lambda: router.run("ipvsadm", "-Ln", "--daemon"),
                   lambda seen: "backup" in seen, within=20)
        wait_until("the servers in the kernel of %s" % short, lambda: [len(s) for s in router.ipvs().values()],
                   lambda seen: seen == [3] * len(kinds()), within=20)

    def connect(self):
        made = [Connections(self.site, protocol, address, port, NUMBER // 2, NUMBER - NUMBER // 2,
                            client=getattr(self, "inner") if where == "inner" else self.site.client)
                for _, protocol, address, port, where in kinds()]
        # Longer than the kernel's sender keeps anything back: what is measured is not the last two seconds.
        wait_until("three seconds of talk", lambda: made[-1].age(), lambda seen: seen > 3, within=10)
        return made


def cut(pair):
    pair.site.r1.cut()
    wait_until("r2 to serve", lambda: "r2" in pair.site.holders(VIP), within=40)
    yield
    pair.site.r1.restore()


def kill(pair):
    pair.site.r1.kill_all()
    wait_until("r2 to serve", lambda: "r2" in pair.site.holders(VIP), within=40)
    if pair.daemon != "poised":  # what keepalived leaves behind stays and answers: somebody has to clear it
        for interface, addresses in (("front", (VIP, VIP6)), ("back", (GATEWAY, INNER, GATEWAY6, INNER6))):
            for address in addresses:
                pair.site.r1.run("ip", "addr", "del", address + ("/128" if ":" in address else "/24"), "dev", interface,
                                 check=False)
    pair.wait_master("r2")
    yield
    pair.start("r1")


def reboot(pair):
    pair.site.r1.reboot()
    pair.wait_master("r2")
    yield
    pair.start("r1")


def restart(pair):
    pair.running["r1"].stop(within=20)
    pair.wait_master("r2")
    yield
    pair.start("r1")


def handover(pair):
    """keepalived has no word for it: its operators lower the priority in the file, reload, and put it back."""
    if pair.daemon != "poised":
        pair.reload("r1", 50)
        pair.wait_master("r2")
        yield
        pair.reload("r1", PRIORITY["r1"])
        return
    pair.running["r1"].poisectl("handover", "--all", timeout=90)
    pair.wait_master("r2")
    yield
    pair.running["r1"].poisectl("handover", "--all", "--back", timeout=90)


def restart_both(pair, build=None):
    """The standby first, then the master, each as `systemctl restart` does it: stopped, and started when it has stopped."""
    for short in ("r2", "r1"):
        pair.running[short].stop(within=30)
        pair.start(short, build)
        if short == "r2":
            pair.take_part("r2")
            yield
    pair.wait_master("r1", within=90)


def upgrade(pair):
    """From an older version on both nodes (POISE_OLD) to this one, a node at a time."""
    yield from restart_both(pair)


def revive(pair):
    """kill -9 of everything, and the service manager starts it again at once."""
    pair.site.r1.kill_all()
    pair.start("r1")
    wait_until("an answer of r1", lambda: pair.running["r1"].running() and pair.site.holders(VIP), within=40)
    yield


CASES = [("reboot", reboot), ("stop and start", restart)]
LONG_CASES = [("network cut", cut), ("kill -9 of everything", kill), ("kill -9, restarted", revive),
              ("restart of each", restart_both), ("upgrade of each", upgrade), ("handover and back", handover)]
OLD = os.environ.get("POISE_OLD")


def measure(daemon, report):
    """{case: [(of each kind: (after the failover, after the fail-back))]}"""
    results = {}
    pair = Pair(daemon)
    try:
        for name, case in cases():
            report.note("%s: %s" % (daemon, name))
            if case is upgrade and OLD and daemon == "poised":
                for short in ("r2", "r1"):
                    pair.running[short].stop(within=30)
                    pair.start(short, OLD)
                pair.wait_master("r1", within=90)
            pair.settle("r2")
            made = pair.connect()
            steps = case(pair)
            next(steps)
            first = survivors_of(made)
            next(steps, None)
            pair.wait_master("r1", within=90)
            second = survivors_of(made)
            results[name] = list(zip(first, second))
            for connections in made:
                connections.close()
    except AssertionError as error:
        report.failed("%s: %s\n%s" % (daemon, error, pair.site.tails()))
    finally:
        pair.site.close()
    return results


def run(options, report):
    if not options.ipvs:
        report.text("needs a kernel with IPVS")
        return
    results = {daemon: measure(daemon, report) for daemon in ("poised", "keepalived")}
    report.clear()
    report.text("%d connections of each kind, half of them idle; alive after the failover (restart, upgrade: after that of "
                "the standby), then after the fail-back (that of the master)" % NUMBER)
    report.text("the upgrade begins with " + (OLD or "the same version (POISE_OLD is not set)"))
    report.text()
    form = "%-24s %-12s %-22s %s"
    report.text(form % ("", "", "Poise", "keepalived"))
    for name, _ in cases():
        for i, (kind, *_) in enumerate(kinds()):
            cells = []
            for daemon in ("poised", "keepalived"):
                counts = results[daemon].get(name)
                cells.append("%d -> %d" % counts[i] if counts else "-")
            report.text((form % (name if i == 0 else "", kind, *cells)).rstrip())
    lost = [name for name, counts in results["poised"].items() if any(pair != (NUMBER, NUMBER) for pair in counts)]
    if lost:
        report.failed("Poise lost connections: " + ", ".join(lost))
