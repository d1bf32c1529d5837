# SPDX-License-Identifier: GPL-2.0-or-later
"""What SNMP costs and how late it is: traps after an event, a walk of 10,000 servers, 1,000 servers that die at once.

Traps: a tracked link goes down, and the time to the datagram about the fault is taken at a receiver in another
namespace: through snmpd and directly, Poise beside Debian's keepalived (through snmpd, which is all it has). Walk: the
tables of real servers, by snmpbulkwalk through snmpd. Dying: what a receiver gets, by its own clock."""

import os
import re
import select
import socket
import struct
import threading
import time

from poiselab import Site, net, wait_until
from poiselab.configs import TCP_CHECK, instance, service
from poiselab.site import BACK4, FRONT4, VIP

CLIENT = FRONT4 + "50"
DIRECT, MASTER = 1001, 1002
# KEEPALIVED-MIB vrrpInstanceState.* fault(3); POISE-MIB poiseNotifyVrrpTo.0 fault(4), as they stand in a datagram
KA_FAULT = bytes.fromhex("ca7264050203010402" "0103")
POISE_FAULT = bytes.fromhex("bb790107030002" "0104")
# poiseNotifyHealthTo.0, and how servers are named in bench_dying(); what follows a name in a datagram may be a digit
POISE_HEALTH_TO, SERVER = re.compile(rb"\xbb\x79\x01\x07\x05\x00\x02\x01(.)", re.S), re.compile(rb"10\.66\.\d+\.\d+:80")
HEALTH = ("unknown", "up", "down")
SNMP = "enable_snmp_vrrp\nenable_snmp_checker\nenable_traps\nsnmp_socket unix:%s"
FAST_CHECK = TCP_CHECK.replace("retry 0", "retry 0\n\t\t\twarmup 0")


SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35  # which the socket module does not name


class Sink:
    """What arrives at UDP ports of a namespace: (monotonic time, port, datagram). The time is the kernel's at arrival:
    when this process has its turn says nothing about the sender."""

    def __init__(self, namespace, ports):
        self.got, self.stopping = [], False
        with net.inside(namespace):
            self.sockets = {socket.socket(socket.AF_INET, socket.SOCK_DGRAM): port for port in ports}
        for sock, port in self.sockets.items():
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.bind(("0.0.0.0", port))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            for sock in select.select(list(self.sockets), [], [], 0.1)[0]:
                data, more, _, _ = sock.recvmsg(1 << 16, 256)
                seconds, nanoseconds = struct.unpack("qq", more[0][2])
                since = time.clock_gettime(time.CLOCK_REALTIME) - seconds - nanoseconds / 1e9
                self.got.append((time.monotonic() - since, self.sockets[sock], data))

    def first(self, port, pattern, since):
        return next((when - since for when, at, data in list(self.got) if at == port and when >= since and pattern in data),
                    None)

    def close(self):
        self.stopping = True
        self.thread.join()
        for sock in self.sockets:
            sock.close()


def snmpd(router):
    """snmpd of the router, which sends to the receiver; returns the AgentX socket."""
    master = router.path("agentx")
    with open(router.path("bench-snmpd.conf"), "w", encoding="ascii") as f:
        f.write("rocommunity public 127.0.0.1\nmaster agentx\nagentXSocket %s\nagentXPerms 0777 0755\n"
                "trap2sink %s:%d public\n" % (master, CLIENT, MASTER))
    router.start("snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", router.path("bench-snmpd.conf"), "-p",
                           router.path("bench-snmpd.pid"), "udp:127.0.0.1:161"],
                 env={"SNMP_PERSISTENT_DIR": router.path("snmp"), "SNMPCONFPATH": router.path("snmp"), "MIBS": ""})
    wait_until("snmpd to listen", lambda: os.path.exists(master))
    return master


def globals_of(*lines):
    return "global_defs {\n\t%s\n}\n" % "\n".join(lines).replace("\n", "\n\t")


# ---- traps ----
def faults(site, sink, kind, rounds):
    """{what: [seconds from the link's end to the datagram]}"""
    master = snmpd(site.r1)
    more = [] if kind == "keepalived" else ["snmp_trap_to %s %d" % (CLIENT, DIRECT)]
    text = globals_of("vrrp_version 3", SNMP % master, *more) + instance(
        "one", "front", 51, VIP, priority=150, advert="0.1", more="track_interface {\n\tback\n}")
    getattr(site.r1, kind)(text)
    ways = [("through snmpd", MASTER, KA_FAULT)]
    if kind == "poised":
        ways += [("through snmpd, in words", MASTER, POISE_FAULT), ("directly", DIRECT, KA_FAULT),
                 ("directly, in words", DIRECT, POISE_FAULT)]
    found = {name: [] for name, *_ in ways}
    for _ in range(rounds):
        wait_until("r1 to be master", lambda: site.holders(VIP) == ["r1"], within=30)
        time.sleep(1.5)  # the notifications about that are over, and no gathering is left
        since = time.monotonic()
        site.r1.cut("back")
        wait_until("the traps", lambda: [sink.first(port, pattern, since) for _, port, pattern in ways],
                   lambda seen: None not in seen, within=20)
        for name, port, pattern in ways:
            found[name].append(sink.first(port, pattern, since))
        site.r1.restore("back")
    site.r1.kill_all()
    return found


def bench_faults(options, report):
    for kind, name in (("poised", "Poise"), ("keepalived", "keepalived")):
        site = Site(servers=0)
        sink = Sink(site.client.namespace.name, (DIRECT, MASTER))
        try:
            for way, values in faults(site, sink, kind, max(options.rounds, 3)).items():
                report.text("  %-44s %s ms" % ("%s, %s" % (name, way), report.spread(values)))
                if kind == "poised" and sorted(values)[len(values) // 2] > 0.1:
                    report.failed("%s: later than 100 ms" % way)
        except AssertionError as error:
            report.failed("%s: %s\n%s" % (name, error, site.tails()))
        finally:
            sink.close()
            site.close()


# ---- a walk ----
def rss_mb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def walk(router, oid, limit=100):
    """Seconds, and cells; what is not through after `limit` seconds is cut off."""
    began = time.monotonic()
    out = router.run("timeout", str(limit), "snmpbulkwalk", "-v2c", "-c", "public", "-On", "-Oq", "-Cr100", "-t", "30",
                     "127.0.0.1", oid, check=False)
    return time.monotonic() - began, out.count("\n")


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


KA_STATE, KA_SERVERS = ".1.3.6.1.4.1.9586.100.5.3.4.1.6", ".1.3.6.1.4.1.9586.100.5.3.4"
POISE_HEALTH, POISE_SERVERS = ".1.3.6.1.4.1.8072.9999.9999.7673.1.6.1.6", ".1.3.6.1.4.1.8072.9999.9999.7673.1.6"


def ten_thousand(master):
    text = globals_of(SNMP % master)
    for n in range(10):
        text += service(["10.%d.%d.%d" % (66 + n, k // 250, k % 250 + 1) for k in range(1000)], port=80,
                        address="192.0.2.%d" % (100 + n), check="")
    return text


def walks(report, router, pids, name, tables, rounds=2):
    """Walks tables; tells times, and the time of the processor that the role and snmpd took for a cell."""
    for what, oid in tables:
        for _ in range(rounds):
            before = [cpu(pid) for pid in pids]
            seconds, cells = walk(router, oid)
            spent = [1e6 * (cpu(pid) - was) / max(cells, 1) for pid, was in zip(pids, before)]
            report.text("  %-12s %-34s %6.2f s, %d cells; processor: role %.0f us a cell, snmpd %.0f us" % (
                name, what, seconds, cells, *spent))
            yield what, seconds, cells


def bench_walk(options, report):
    site = Site(servers=0)
    try:
        master = snmpd(site.r1)
        daemon = site.r1.poised(ten_thousand(master))
        daemon.wait_log("snmp: connected to the AgentX master", within=60)
        pid = daemon.role_pids("snmp")[0]
        with open(site.r1.path("bench-snmpd.pid"), encoding="ascii") as f:
            snmpd_pid = int(f.read())
        before, seen = rss_mb(pid), {}
        # Two processes take turns for every cell, and User Mode Linux needs a millisecond for a turn.
        is_slow = options.kernel == "uml"
        tables = (("state of 10,000 servers, keepalived's", KA_STATE), ("health of 10,000 servers, Poise's", POISE_HEALTH),
                  ("whole table, Poise's", POISE_SERVERS), ("whole table, keepalived's", KA_SERVERS))[:2 if is_slow else 4]
        for what, seconds, cells in walks(report, site.r1, (pid, snmpd_pid), "Poise", tables):
            if cells != seen.setdefault(what, cells):
                report.failed("%s: %d cells, then %d" % (what, seen[what], cells))
            if seconds > 5 and cells == 10000 and not is_slow:
                report.failed("%s: %.1f s" % (what, seconds))
        report.text("  %-44s %.1f MB, %.1f MB before" % ("memory of the snmp role after that", rss_mb(pid), before))
    except AssertionError as error:
        report.failed("walk: %s\n%s" % (error, site.tails()))
    finally:
        site.close()


def bench_walk_keepalived(options, report):
    if not options.ipvs:
        report.text("  keepalived   not without IPVS: its checker does not run then")
        return
    site = Site(servers=0)
    try:
        master = snmpd(site.r1)
        daemon = site.r1.keepalived(ten_thousand(master))
        wait_until("keepalived's agent", lambda: walk(site.r1, ".1.3.6.1.4.1.9586.100.5.3.3.1.7")[1], lambda n: n == 10, 60)
        with open(site.r1.path("bench-snmpd.pid"), encoding="ascii") as f:
            snmpd_pid = int(f.read())
        pid = max(daemon.family(), key=cpu)  # the checker: it has the servers
        for _ in walks(report, site.r1, (pid, snmpd_pid), "keepalived", (
                ("state of 10,000 servers", KA_STATE),), rounds=1):
            pass
    except AssertionError as error:
        report.failed("walk of keepalived: %s\n%s" % (error, site.tails()))
    finally:
        site.close()


# ---- a thousand at once ----
LISTEN = """
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", 80))
s.listen(4096)
print("listening", flush=True)
while True:
    s.accept()[0].close()
"""


def most_in_a_second(times):
    """The most in any second, and the moments of those."""
    return max(([t for t in times if begin <= t < begin + 1] for begin in times), key=len, default=[])


def told(sink, since=0):
    """{server: [the ways that POISE-MIB said it went]}, alone or in lists."""
    ways = {}
    for when, _, data in sorted(sink.got):
        to = POISE_HEALTH_TO.search(data)
        if when >= since and to:
            for name in SERVER.findall(data):
                ways.setdefault(name.decode(), []).append(HEALTH[to.group(1)[0] - 1])
    return ways


def logged(daemon):
    """{server: [the ways that the log says it went]}; the first success of a server is no news."""
    ways = {}
    for name, before, after in re.findall(r"check \S+ (\S+:80): (\S+) -> (\S+): ", daemon.log()):
        if (before, after) != ("unknown", "up"):
            ways.setdefault(name, []).append(after)
    return ways


def bench_dying(report):
    site = Site(servers=1)
    sink = Sink(site.client.namespace.name, (DIRECT,))
    try:
        site.s1.run("ip", "route", "add", "local", "10.66.0.0/16", "dev", "lo")
        site.r1.run("ip", "route", "add", "10.66.0.0/16", "via", BACK4 + "11")
        listener = site.s1.start("listen", ["/usr/bin/python3", "-c", LISTEN])
        listener.wait_log("listening")
        servers = ["10.66.%d.%d:80" % (k // 250, k % 250 + 1) for k in range(1000)]
        text = globals_of("enable_snmp_checker\nsnmp_socket unix:/nonexistent\nsnmp_trap_to %s %d" % (CLIENT, DIRECT))
        for n in range(4):
            text += service([s[:-3] for s in servers[n * 250:n * 250 + 250]], address="192.0.2.%d" % (100 + n),
                            check=FAST_CHECK)
        daemon = site.r1.poised(text)
        wait_until("all servers to be up", lambda: sum(s["health"] == "up" for v in daemon.status().get("services", [])
                                                       for s in v["servers"]), lambda n: n == 1000, within=60)
        time.sleep(3)
        since = time.monotonic()
        listener.kill()

        def wrong():
            # A loaded machine may have taken some for dead before: what counts is the last word.
            ways = told(sink)
            return [s for s in servers if ways.get(s, ["nothing"])[-1] != "down"]

        wait_until("all servers to be told dead", wrong, lambda left: not left, within=20)
        time.sleep(5)
        report_dying(report, sink, since, told(sink), logged(daemon))
    except AssertionError as error:
        report.failed("dying: %s\n%s" % (error, site.tails()))
    finally:
        sink.close()
        site.close()


def report_dying(report, sink, since, ways, happened):
    lists = [when for when, _, data in sink.got if when >= since and b"\xbb\x79\x00\x11" in data]
    busiest = most_in_a_second(sorted(when for when, _, _ in sink.got if when >= since))
    report.text("  %-44s %.1f s, in %d lists" % ("all 1,000 servers told by name after", max(lists, default=0) - since,
                                                 len(lists)))
    report.text("  %-44s %d" % ("most notifications in any second", len(busiest)))
    facts = sum(map(len, happened.values()))
    lost = {s: (w, ways.get(s, [])) for s, w in happened.items() if sorted(w) != sorted(ways.get(s, []))}
    report.text("  %-44s %d, of which %d were not told just once" % ("changes of servers in the log", facts, len(lost)))
    if lost:
        report.failed("logged, told: %s" % dict(list(lost.items())[:10]))
    if len(busiest) > 20:
        report.failed("%d notifications in a second: %s" % (len(busiest), " ".join("%.3f" % (t - since) for t in busiest)))


def run(options, report):
    report.text("  link down to datagram, min / median / max")
    bench_faults(options, report)
    bench_walk(options, report)
    bench_walk_keepalived(options, report)
    bench_dying(report)
