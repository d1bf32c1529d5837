# SPDX-License-Identifier: GPL-2.0-or-later
"""Notifications and tables through a real snmpd at a real snmptrapd, and what an snmpd in trouble does to the rest: nothing."""

import json
import os
import re
import signal
import statistics

import pytest

from poiselab import wait_until
from poiselab.configs import HTTP_CHECK, TCP_CHECK, nat_site
from poiselab.site import BACK4

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
KA = ".1.3.6.1.4.1.9586.100.5"
V2, V3 = ".1.3.6.1.2.1.68", ".1.3.6.1.2.1.207"
POISE = ".1.3.6.1.4.1.8072.9999.9999.7673"
TRAP = ".1.3.6.1.6.3.1.1.4.1.0 = OID: "
KEYWORDS = "enable_snmp_vrrp\nenable_snmp_checker\nenable_snmp_rfc\nenable_traps\nsnmp_socket unix:%s"
MASTER, BACKUP, FAULT, SHUTDOWN = 2, 1, 3, 5


@pytest.fixture(autouse=True)
def no_mib_texts(monkeypatch):
    """The programs of Net-SNMP complain about the texts that Debian does not ship."""
    monkeypatch.setenv("MIBS", "")
    monkeypatch.setenv("MIBDIRS", "/nonexistent")


class Watched:
    """A router with snmpd and snmptrapd, and poised that tells them."""

    def __init__(self, site, *, check=TCP_CHECK, started=True, priority=150, **more):
        self.router = site.r1
        self.snmp = site.r1.snmp()
        self.text = nat_site(priority, globals_=KEYWORDS % self.snmp.socket, check=check, **more)
        if started:
            wait_until("snmpd to listen", lambda: os.path.exists(self.snmp.socket))
            self.start()

    def start(self):
        self.daemon = self.router.poised(self.text)
        self.daemon.wait_log("snmp: connected to the AgentX master")

    def start_snmpd(self):
        """Another snmpd in the place of the one that was killed."""
        folder = os.path.dirname(self.snmp.socket)
        self.snmp.snmpd = self.router.start(
            "snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", folder + "/snmpd.conf", "-p", folder + "/snmpd.pid",
                      "udp:127.0.0.1:161"],
            env={"SNMP_PERSISTENT_DIR": folder + "/snmp", "SNMPCONFPATH": folder + "/snmp"})

    def traps(self, oid, *parts):
        """The traps of that kind that carry all these variables."""
        return [t for t in self.snmp.traps() if TRAP + oid + "\t" in t and all(p in t for p in parts)]

    def wait_trap(self, oid, *parts, within=10):
        """The newest such trap; what arrived instead is told when none comes."""
        wait_until("the trap %s with %s" % (oid, parts), lambda: self.snmp.traps()[-3:],
                   lambda _: self.traps(oid, *parts), within)
        return self.traps(oid, *parts)[-1]

    def walk(self, oid, *options, program="snmpwalk"):
        """{OID below `oid`: value as printed without its type}"""
        out = self.router.run(program, "-v2c", "-c", "public", "-On", "-Oe", *options, "127.0.0.1", oid)
        cells = (line.split(" = ", 1) for line in out.splitlines() if " = " in line)
        return {name[len(oid) + 1:]: value.split(": ", 1)[-1].strip('" ') for name, value in cells}

    def get(self, oid):
        return self.walk(oid, program="snmpget").get("")

    def agent_pid(self):
        pids = self.daemon.role_pids("snmp")
        assert len(pids) == 1
        return pids[0]


def instance_state(name, state):
    return KA + '.2.3.1.2 = STRING: "%s"' % name, KA + ".2.3.1.4 = INTEGER: %d" % state


def test_a_transition_arrives_in_every_language(site):
    w = Watched(site)
    ifindex = json.loads(w.router.run("ip", "-j", "link", "show", "front"))[0]["ifindex"]
    trap = w.wait_trap(KA + ".2.10.0.2", *instance_state("front", MASTER))
    assert KA + '.1.2.0 = STRING: "node150"' in trap
    w.wait_trap(KA + ".2.10.0.1", KA + '.2.1.1.2 = STRING: "site"', KA + ".2.1.1.3 = INTEGER: 2")
    w.wait_trap(V2 + ".0.1", "%s.1.3.1.7.%s.51 = IpAddress: 192.0.2.2" % (V2, ifindex))
    w.wait_trap(V3 + ".0.1", "%s.1.2.5.1.2.%s.51.1 = INTEGER: 3" % (V3, ifindex))
    trap = w.wait_trap(POISE + ".0.1", POISE + '.1.7.1.0 = STRING: "front"', POISE + ".1.7.3.0 = INTEGER: 3")
    assert re.search(re.escape(POISE) + r'\.1\.7\.11\.0 = STRING: "[^"]{5,}"', trap), "no cause in words"


def test_a_fault_arrives(site):
    w = Watched(site)
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", MASTER))
    site.r1.cut("front")
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", FAULT))
    w.wait_trap(KA + ".2.10.0.1", KA + ".2.1.1.3 = INTEGER: 3")


def test_the_end_of_the_daemon_arrives(site):
    w = Watched(site)
    w.wait_trap(KA + ".2.10.0.2", *instance_state("back", MASTER))
    w.daemon.stop()
    for name in ("front", "back"):
        w.wait_trap(KA + ".2.10.0.2", *instance_state(name, SHUTDOWN))


def test_a_server_falls_and_returns(site):
    for server in site.servers:
        server.nginx()
    w = Watched(site, check=HTTP_CHECK)
    address = BACK4 + "12"
    wait_until("all servers to be up", lambda: [w.daemon.server(BACK4 + "1%d" % i).get("health") for i in (1, 2, 3)],
               lambda seen: seen == ["up"] * 3, within=20)
    site.s2.web.sick()
    trap = w.wait_trap(KA + ".3.5.0.1", KA + ".3.4.1.6 = INTEGER: 2")
    assert KA + ".3.4.1.4 = Hex-STRING: C6 33 64 0C" in trap
    assert KA + ".3.3.1.21 = Gauge32: 2" in trap and KA + ".3.3.1.20 = Gauge32: 3" in trap
    trap = w.wait_trap(POISE + ".0.3", POISE + ".1.7.5.0 = INTEGER: 3")
    assert address in trap and "404" in trap
    site.s2.web.well()
    w.wait_trap(KA + ".3.5.0.1", KA + ".3.4.1.6 = INTEGER: 1")


def test_walks_agree_with_the_status(site):
    for server in site.servers:
        server.nginx()
    w = Watched(site, check=HTTP_CHECK)
    wait_until("the servers to be up", lambda: w.walk(KA + ".3.4.1.6"), lambda c: list(c.values()) == ["1"] * 3, 20)
    wait_until("mastership", lambda: w.daemon.state("back"), lambda s: s == "MASTER")
    status = w.daemon.status()
    assert list(w.walk(KA + ".2.3.1.2").values()) == [vr["name"] for vr in status["vrrp"]] == ["front", "back"]
    assert list(w.walk(KA + ".2.3.1.4").values()) == ["2", "2"] == list(w.walk(KA + ".2.3.1.6").values())
    assert list(w.walk(KA + ".2.3.1.8").values()) == [str(vr["effective_priority"]) for vr in status["vrrp"]]
    assert list(w.walk(KA + ".2.6.1.3").values()) == ["C0 00 02 0A", "C6 33 64 01"]
    assert w.get(KA + ".3.3.1.21.1") == "3" and w.get(KA + ".3.3.1.7.1") == "80"
    causes = list(w.walk(POISE + ".1.3.1.9").values())
    assert causes == [vr["why"] for vr in status["vrrp"]]
    # Tables by the names of the MIB text, and a walk of everything.
    mibs = "%s/tests/mibs:%s/snmp" % (TOP, TOP)
    shown = w.router.run("snmpwalk", "-v2c", "-c", "public", "-M", mibs, "-m", "POISE-MIB", "127.0.0.1",
                         "POISE-MIB::poiseInstanceState")
    assert shown.splitlines() == ["POISE-MIB::poiseInstanceState.%d = INTEGER: master(3)" % i for i in (1, 2)]
    assert len(w.walk(KA, program="snmpbulkwalk")) == len(w.walk(KA)) > 150
    check_poise_tables(w, mibs)


def check_poise_tables(w, mibs):
    """POISE-MIB says what the status says: roles, servers, checks, and a drain that begins."""
    w.daemon.poisectl("drain", BACK4 + "13:80")
    wait_until("the drain to be listed", lambda: w.walk(POISE + ".1.9.1.1"), lambda rows: rows == {"1.3": "2"})
    status = w.daemon.status()
    servers = status["services"][0]["servers"]
    assert list(w.walk(POISE + ".1.2.1.2").values()) == [role["name"] for role in status["roles"]]
    assert list(w.walk(POISE + ".1.6.1.6").values()) == ["2"] * 3 and {s["health"] for s in servers} == {"up"}
    assert list(w.walk(POISE + ".1.6.1.7").values()) == ["1", "1", "2"]
    assert [s["admin"] for s in servers] == ["normal", "normal", "drain"]
    assert list(w.walk(POISE + ".1.8.1.4")) == ["1.1.1", "1.2.1", "1.3.1"]
    assert w.get(POISE + ".1.12.1.0") == "3"
    assert "drain" in w.get(POISE + ".1.9.1.9.1.3")
    assert w.daemon.status()["snmp"]["connected"]
    table = w.router.run("snmptable", "-v2c", "-c", "public", "-Ci", "-Cf", "|", "-M", mibs, "-m", "POISE-MIB", "127.0.0.1",
                         "POISE-MIB::poiseServerTable").splitlines()
    names, rows = table[2].split("|"), [line.split("|") for line in table[3:]]
    assert [dict(zip(names, row))["poiseServerHealth"] for row in rows] == ["up"] * 3
    assert [dict(zip(names, row))["poiseServerPort"] for row in rows] == ["80"] * 3
    # Every cell has a name in the MIB.
    everything = w.router.run("snmpwalk", "-v2c", "-c", "public", "-M", mibs, "-m", "POISE-MIB", "127.0.0.1",
                              "POISE-MIB::poiseObjects")
    assert not re.search(r"^POISE-MIB::poise\w+Entry\.|^POISE-MIB::poise(Daemon|Sync|Kernel|Checking|Traps)\.\d", everything, re.M)


def test_a_write_is_refused(site):
    w = Watched(site)
    wait_until("mastership", lambda: w.daemon.state("back"), lambda s: s == "MASTER")
    with open(os.path.dirname(w.snmp.socket) + "/snmpd.conf", "a", encoding="ascii") as f:
        f.write("rwcommunity secret 127.0.0.1\n")
    w.snmp.snmpd.signal(signal.SIGHUP)
    wait_until("snmpd to know the community", lambda: w.router.run("snmpget", "-v2c", "-c", "secret", "-On", "127.0.0.1",
                                                                  KA + ".2.3.1.7.1", check=False),
               lambda out: "INTEGER: 150" in out)
    w.router.run("snmpset", "-v2c", "-c", "secret", "127.0.0.1", KA + ".2.3.1.7.1", "i", "1", check=False)
    assert w.get(KA + ".2.3.1.7.1") == "150"


def test_without_keywords_there_is_no_snmp(site):
    snmp = site.r1.snmp()
    wait_until("snmpd to listen", lambda: os.path.exists(snmp.socket))
    daemon = site.r1.poised(nat_site(150, globals_="snmp_socket unix:" + snmp.socket))
    wait_until("mastership", lambda: daemon.state("back"), lambda s: s == "MASTER")
    out = site.r1.run("snmpwalk", "-v2c", "-c", "public", "-On", "127.0.0.1", KA)
    assert "No Such Object" in out or "No more variables" in out
    assert not any("9586" in trap for trap in snmp.traps())


# ---- an snmpd in trouble ----
def test_no_snmpd_at_the_start(site):
    w = Watched(site, started=False)
    wait_until("snmpd to listen", lambda: os.path.exists(w.snmp.socket))
    w.snmp.snmpd.kill()
    os.unlink(w.snmp.socket)
    w.daemon = w.router.poised(w.text)
    w.daemon.wait_log("snmp: no AgentX master at unix:%s: No such file or directory" % w.snmp.socket)
    wait_until("mastership", lambda: w.daemon.state("front"), lambda s: s == "MASTER")
    w.start_snmpd()
    # What happened before there was anybody to tell it to was kept.
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", MASTER), within=20)
    assert w.get(KA + ".2.3.1.4.1") == "2"


def test_snmpd_killed_and_started_again(site):
    w = Watched(site)
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", MASTER))
    pid = w.agent_pid()
    w.snmp.snmpd.kill()
    w.daemon.wait_log("it closed the session")
    site.r1.cut("front")
    wait_until("a fault", lambda: w.daemon.state("front"), lambda s: s == "FAULT")
    w.start_snmpd()
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", FAULT), within=20)
    assert w.get(KA + ".2.3.1.4.1") == "3"
    assert w.agent_pid() == pid, "the role was started again"


def gaps(capture, since):
    """The pauses between the advertisements of the front instance since then, in seconds."""
    times = [when for when, _, message in capture.vrrp() if message[1] == 51 and when >= since]
    return [b - a for a, b in zip(times, times[1:])]


def test_a_stopped_snmpd_delays_nothing(site):
    """SIGSTOP: it accepts connections and answers nothing. Long enough for its backlog to fill with a role that is
    started again meanwhile."""
    w = Watched(site, advert="0.2", more="version 3")
    w.wait_trap(KA + ".2.10.0.2", *instance_state("front", MASTER))
    capture = site.client.capture("eth0")
    wait_until("advertisements", lambda: len(capture.vrrp()), lambda n: n > 5)
    since = capture.vrrp()[-1][0]
    w.snmp.snmpd.signal(signal.SIGSTOP)
    try:
        old = w.agent_pid()
        os.kill(old, signal.SIGKILL)
        new = wait_until("another snmp role", lambda: w.daemon.role_pids("snmp"), lambda p: p and p != [old])[0]
        w.daemon.wait_log("it accepts connections, but does not answer")
        site.r1.cut("back")
        wait_until("a fault", lambda: w.daemon.state("back"), lambda s: s == "FAULT")
        site.r1.restore("back")
        wait_until("mastership again", lambda: w.daemon.state("front"), lambda s: s == "MASTER")
        wait_until("some time under this", lambda: capture.frames[-1][0] - since, lambda t: t > 12, within=30)
        assert w.agent_pid() == new, "the role was killed because it hung"
    finally:
        w.snmp.snmpd.signal(signal.SIGCONT)
    w.wait_trap(KA + ".2.10.0.2", *instance_state("back", FAULT), within=30)
    assert w.agent_pid() == new
    # The group was in fault for a moment, which is one long pause; no other is so long that a backup would lose its
    # patience (three intervals; this machine may be busy), and in the middle they are as long as before.
    late = sorted(gaps(capture, since))[:-1]
    assert len(late) > 20 and late[-1] < 0.6
    assert abs(statistics.median(late) - 0.2) < 0.02


def test_a_burst_is_told_completely(site):
    """More notifications than the socket to a stopped snmpd takes: none is lost, and the role does not block."""
    w = Watched(site)
    w.wait_trap(KA + ".2.10.0.2", *instance_state("back", MASTER))
    pid = w.agent_pid()
    refusal = "configuration: refused: "
    w.snmp.snmpd.signal(signal.SIGSTOP)
    try:
        with open(w.daemon.conf_path, "a", encoding="ascii") as f:
            f.write("vrrp_instance broken {\n}\n")  # an event each time that it is refused
        for _ in range(150):
            before = w.daemon.log().count(refusal)
            w.daemon.signal(signal.SIGHUP)
            wait_until("a refusal", lambda: w.daemon.log().count(refusal), lambda n: n > before, 10)
    finally:
        w.snmp.snmpd.signal(signal.SIGCONT)
    wait_until("all of them", lambda: len(w.traps(POISE + ".0.8")), lambda n: n >= 150, within=30)
    assert w.agent_pid() == pid
