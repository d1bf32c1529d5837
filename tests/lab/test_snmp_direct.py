# SPDX-License-Identifier: GPL-2.0-or-later
"""Notifications without an snmpd: each provoked by its real cause, decoded by the names of POISE-MIB; informs that are
sent again; users of version 3 whose secrets are nowhere; a dead rack in one notification."""

import json
import os
import re
import signal

import pytest

from poiselab import wait_until
from poiselab.clock import Clock
from poiselab.configs import HTTP_CHECK, TCP_CHECK, instance, nat_site, service
from poiselab.longlived import Connections, serve_on
from poiselab.net import run
from poiselab.site import BACK4, FRONT4, VIP

CLIENT = FRONT4 + "50"
TO_CLIENT = "snmp_trap_to " + CLIENT
KA = "SNMPv2-SMI::enterprises.9586.100.5."
TRAP_PASS, INFORM_PASS, PRIV_PASS, COMMUNITY = "authentic-trap", "authentic-inform", "private-parts", "not-so-public"


def wait_trap(receiver, notification, *parts, within=10):
    """The newest such notification; what arrived instead is told when none comes."""
    wait_until("%s with %s" % (notification, parts), lambda: receiver.traps()[-3:],
               lambda _: receiver.traps(notification, *parts), within)
    return receiver.traps(notification, *parts)[-1]


def name(text):
    return "POISE-MIB::poiseNotifyName.0 = STRING: %s\t" % text


def cause(trap):
    return re.search(r"poiseNotifyCause\.0 = STRING: ([^\t]*)", trap).group(1)


def ready(receiver):
    wait_until("snmptrapd to listen", receiver.log, lambda text: "NET-SNMP version" in text)
    return receiver


def settle(daemon, servers=3):
    wait_until("mastership", lambda: daemon.state("back"), lambda s: s == "MASTER")
    wait_until("all servers to be up", lambda: [daemon.server(BACK4 + "1%d" % (i + 1)).get("health")
                                                for i in range(servers)], lambda seen: seen == ["up"] * servers, 20)


def test_every_cause_arrives_with_its_name(site):
    """No snmpd anywhere. Quorum and drains are in the next test: they need the kernel's table."""
    receiver = ready(site.client.trap_receiver())
    for server in site.servers:
        server.nginx()
    panic = service([BACK4 + "11", BACK4 + "12"], port=8080, more="panic_threshold 50", check=HTTP_CHECK.replace(
        "connect_timeout 1", "connect_port 80\n\t\t\tconnect_timeout 1"))
    text = nat_site(150, advert="0.2", more="version 3", globals_=TO_CLIENT, check=HTTP_CHECK) + panic
    daemon = site.r1.poised(text)
    wait_trap(receiver, "POISE-MIB::poiseInstanceTransition", name("front"),
              "poiseNotifyVrrpFrom.0 = INTEGER: backup(2)", "poiseNotifyVrrpTo.0 = INTEGER: master(3)")
    trap = wait_trap(receiver, "POISE-MIB::poiseGroupTransition", name("site"), "VrrpTo.0 = INTEGER: master(3)")
    assert "POISE-MIB::poiseDaemonNode.0 = STRING: node150" in trap and len(cause(trap)) > 5
    settle(daemon)
    # a server, its cause, and back
    site.s3.web.sick()
    trap = wait_trap(receiver, "POISE-MIB::poiseServerTransition", BACK4 + "13:80", "HealthTo.0 = INTEGER: down(3)")
    assert "404" in cause(trap) and "poiseNotifyServersUp.0 = Gauge32: 2\t" in trap
    site.s3.web.well()
    wait_trap(receiver, "POISE-MIB::poiseServerTransition", BACK4 + "13:80", "HealthTo.0 = INTEGER: up(2)")
    # panic
    site.s1.web.sick()
    site.s2.web.sick()
    trap = wait_trap(receiver, "POISE-MIB::poisePanic", name(VIP + ":8080/tcp"), "poiseNotifyActive.0 = INTEGER: true(1)")
    assert "panic_threshold" in cause(trap)
    site.s1.web.well()
    wait_trap(receiver, "POISE-MIB::poisePanic", "poiseNotifyActive.0 = INTEGER: false(2)")
    # an operator
    daemon.poisectl("drain", BACK4 + "13:80")
    wait_trap(receiver, "POISE-MIB::poiseServerAdminChange", BACK4 + "13:80", "AdminTo.0 = INTEGER: drain(2)")
    # a configuration that is refused
    with open(daemon.conf_path, "a", encoding="ascii") as f:
        f.write("vrrp_instance broken {\n}\n")
    daemon.signal(signal.SIGHUP)
    wait_trap(receiver, "POISE-MIB::poiseConfigRefused")
    # a role that dies
    os.kill(daemon.role_pids("healthcheck")[0], signal.SIGKILL)
    trap = wait_trap(receiver, "POISE-MIB::poiseRoleRestart", name("healthcheck"))
    assert "9" in cause(trap) or "KILL" in cause(trap)
    # the last words
    daemon.stop()
    wait_trap(receiver, "POISE-MIB::poiseInstanceTransition", name("front"), "VrrpTo.0 = INTEGER: init(1)")


def test_the_uptime_does_not_follow_the_wall_clock(site):
    """Else who watches takes a clock that is set for a restart."""
    receiver, clock = ready(site.client.trap_receiver()), Clock(site.r1)
    daemon = site.r1.poised("global_defs {\n\t%s\n}\n" % TO_CLIENT + instance(
        "one", "front", 51, VIP, priority=150, advert="0.2", more="version 3"), env=clock.env)
    wait_trap(receiver, "POISE-MIB::poiseInstanceTransition", "VrrpTo.0 = INTEGER: master(3)")
    for step in (86400, -86400):
        clock.set(step)
        heard = len(receiver.traps("POISE-MIB::poiseRoleRestart"))
        os.kill(daemon.role_pids("control")[0], signal.SIGKILL)
        wait_until("the restart to be told", lambda: len(receiver.traps("POISE-MIB::poiseRoleRestart")), lambda n: n > heard)
        trap = receiver.traps("POISE-MIB::poiseRoleRestart")[-1]
        assert int(re.search(r"Timeticks: \((\d+)\)", trap).group(1)) < 60 * 100, trap


@pytest.mark.ipvs
def test_refusals_quorum_and_drains_arrive(site):
    receiver = ready(site.client.trap_receiver())
    for server in site.servers:
        server.nginx()
    # a server that the kernel refuses: the address is the broadcast address of its network
    refused = service([BACK4 + "255"], port=8081, check="")
    daemon = site.r1.poised(nat_site(150, globals_=TO_CLIENT, check=HTTP_CHECK) + refused)
    trap = wait_trap(receiver, "POISE-MIB::poiseProgramError", name(VIP + ":8081/tcp"))
    assert BACK4 + "255" in cause(trap)
    settle(daemon)
    daemon.poisectl("drain", BACK4 + "13:80")
    wait_trap(receiver, "POISE-MIB::poiseServerDrainEnd", BACK4 + "13:80")
    for server in site.servers:
        server.web.sick()
    wait_trap(receiver, "POISE-MIB::poiseQuorumTransition", name(VIP + ":80/tcp"), "QuorumMet.0 = INTEGER: false(2)")
    for server in site.servers:
        server.web.well()
    wait_trap(receiver, "POISE-MIB::poiseQuorumTransition", name(VIP + ":80/tcp"), "QuorumMet.0 = INTEGER: true(1)")


@pytest.mark.ipvs
def test_coverage_that_is_lost_arrives(site):
    """The standby drops what the kernel of the master tells of its connections, while the nodes hear each
    other: it holds all of them, too few of them, and all of them again."""
    receiver = ready(site.client.trap_receiver())
    for server in site.servers:
        serve_on(server, 8000)
    daemons = {}
    for router, own, other, priority in ((site.r1, "2", "3", 150), (site.r2, "3", "2", 100)):
        more = ("vrrp_version 3\nconnection_sync full\nlvs_sync_daemon back id 51\npair_address %s\npair_peer %s\n"
                "pair_key \"only for this test\"\n%s" % (BACK4 + own, BACK4 + other, TO_CLIENT))
        daemons[router.short] = router.poised(nat_site(priority, globals_=more, port=8000, check=TCP_CHECK))
        wait_until("r1 to be master", lambda: site.holders(VIP), lambda seen: seen == ["r1"], 20)
    Connections(site, "tcp", VIP, 8000)
    covered = lambda: daemons["r2"].status().get("pair", {})
    wait_until("all to be held", covered, lambda p: p.get("coverage_percent") == 100 and p["coverage_of"] >= 40, 40)

    def told(is_lost):
        return receiver.traps("POISE-MIB::poiseCoverageLost", name("node150"),
                              "Active.0 = INTEGER: " + ("true(1)" if is_lost else "false(2)"))

    wait_until("that to be told", lambda: told(False))
    before = len(told(True))  # the connections may have come faster than they were told
    site.r2.run("tc", "qdisc", "add", "dev", "back", "ingress")
    site.r2.run(*"tc filter add dev back parent ffff: protocol ip u32 match ip dport 8848 0xffff action drop".split())
    Connections(site, "tcp", VIP, 8000)
    trap = wait_until("the loss to be told", lambda: told(True), lambda seen: len(seen) > before, 60)[-1]
    before = len(told(False))
    assert "of its" in cause(trap) and "less than" in cause(trap) and "node100" in trap
    site.r2.run("tc", "qdisc", "del", "dev", "back", "ingress")
    wait_until("the return to be told", lambda: told(False), lambda seen: len(seen) > before, 60)


def test_a_split_brain_is_suspected(site):
    """r2 does not hear r1, which hears it: the bridge keeps multicast from r2's port."""
    receiver = ready(site.client.trap_receiver())
    one = "global_defs {\n%s\n}\n" % TO_CLIENT
    first = site.r1.poised(one + instance("one", "front", 51, VIP, priority=150, advert="0.2", more="version 3"))
    wait_until("mastership", lambda: first.state("one"), lambda s: s == "MASTER")
    run("ip", "netns", "exec", site.switch.name, "bridge", "link", "set", "dev", "r2-front", "mcast_flood", "off")
    second = site.r2.poised(instance("one", "front", 51, VIP, priority=100, advert="0.2", more="version 3"))
    wait_until("two masters", lambda: second.state("one"), lambda s: s == "MASTER")
    trap = wait_trap(receiver, "POISE-MIB::poiseSplitBrain", name("one"), "poiseNotifyActive.0 = INTEGER: true(1)")
    assert FRONT4 + "3" in cause(trap)
    assert first.state("one") == "MASTER"
    run("ip", "netns", "exec", site.switch.name, "bridge", "link", "set", "dev", "r2-front", "mcast_flood", "on")
    wait_until("one master", lambda: second.state("one"), lambda s: s == "BACKUP")
    wait_trap(receiver, "POISE-MIB::poiseSplitBrain", name("one"), "poiseNotifyActive.0 = INTEGER: false(2)")


SEND = """
import socket
from scapy.all import IP, Ether, Raw
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
for ttl, payload in {packets}:
    out.send(bytes(Ether(src="02:00:00:00:01:50", dst="01:00:5e:00:00:12") /
                   IP(src="192.0.2.50", dst="224.0.0.18", proto=112, ttl=ttl) / Raw(bytes.fromhex(payload))))
"""


def test_dropped_advertisements_arrive_in_every_language(site):
    receiver = ready(site.client.trap_receiver())
    ifindex = json.loads(site.r1.run("ip", "-j", "link", "show", "front"))[0]["ifindex"]
    more = "authentication {\n auth_type PASS\n auth_pass right\n}"
    daemon = site.r1.poised("global_defs {\n%s\nenable_snmp_rfc\nsnmp_socket unix:/nonexistent\n}\n" % TO_CLIENT +
                            instance("old", "front", 51, VIP, priority=150, more=more) +
                            instance("new", "front", 52, FRONT4 + "11", priority=150, more="version 3"))
    wait_until("mastership", lambda: [daemon.state("old"), daemon.state("new")], lambda s: s == ["MASTER"] * 2)
    v2, v3 = "SNMPv2-SMI::mib-2.68", "SNMPv2-SMI::mib-2.207"
    wait_trap(receiver, v2 + ".0.1", "%s.1.3.1.7.%s.51 = IpAddress: %s" % (v2, ifindex, FRONT4 + "2"))
    wait_trap(receiver, v3 + ".0.1", "%s.1.2.5.1.2.%s.52.1 = INTEGER: 3" % (v3, ifindex))
    wrong = bytes([0x21, 51, 100, 1, 1, 1, 0, 0, 192, 0, 2, 10]) + b"wrong\0\0\0"
    total = sum(int.from_bytes(wrong[i:i + 2], "big") for i in range(0, len(wrong), 2))
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    wrong = wrong[:6] + total.to_bytes(2, "big") + wrong[8:]
    good = bytes([0x31, 52, 100, 1, 0, 100, 0, 0, 192, 0, 2, 11])
    packets = [(255, wrong.hex()), (255, good.hex()), (64, good.hex()), (255, (b"\x21" + good[1:]).hex())]
    site.client.run("/usr/bin/python3", "-c", SEND.format(packets=packets))
    trap = wait_trap(receiver, v2 + ".0.2", v2 + ".1.6.0 = INTEGER: 3")
    assert "%s.1.5.0 = IpAddress: %s" % (v2, CLIENT) in trap
    for reason in (1, 2, 3):  # TTL, version, checksum
        wait_trap(receiver, v3 + ".0.2", "%s.1.2.5.1.6.%s.52.1 = INTEGER: %d" % (v3, ifindex, reason))
    trap = wait_trap(receiver, "POISE-MIB::poiseProtocolError", name("new"))
    assert CLIENT in cause(trap)


def users_site(site, extra=""):
    """A trap and an inform of version 3, an inform of version 2c, each to a port of its own."""
    return "\n".join((
        "router_id lb1\nenable_snmp_vrrp\nsnmp_socket unix:/nonexistent",
        "%s 1001 {\n user trapper\n auth SHA-256 %s\n priv AES %s\n}" % (TO_CLIENT, TRAP_PASS, PRIV_PASS),
        "%s 1002 {\n user informer\n auth SHA %s\n priv AES %s\n inform\n timeout 0.5\n retries 4\n}" % (
            TO_CLIENT, INFORM_PASS, PRIV_PASS),
        "%s 1003 {\n community %s\n inform\n timeout 0.5\n retries 4\n}" % (TO_CLIENT, COMMUNITY), extra))


def test_users_and_informs(site):
    engine = "0x80001f8804" + b"lb1".hex()
    trapper = ready(site.client.trap_receiver(port=1001, name="trapper", users=[
        (engine, "trapper", "SHA-256", TRAP_PASS, "AES", PRIV_PASS)]))
    informer = ready(site.client.trap_receiver(port=1002, name="informer", users=[
        ("", "informer", "SHA", INFORM_PASS, "AES", PRIV_PASS)]))
    daemon = site.r1.poised("global_defs {\n%s\n}\n" % users_site(site) +
                            instance("one", "front", 51, VIP, priority=150, advert="0.2",
                                     more="version 3\ntrack_interface {\n\tback\n}"))
    for receiver in (trapper, informer):
        wait_trap(receiver, "POISE-MIB::poiseInstanceTransition", name("one"), "VrrpTo.0 = INTEGER: master(3)")
        # keepalived's keyword asks for its notifications, too
        wait_trap(receiver, KA + "2.10.0.2", KA + '2.3.1.2 = STRING: "one"', KA + "2.3.1.4 = INTEGER: 2")
    # Nobody listens on the third port: it is given up and said, and others wait for nothing.
    daemon.wait_log("snmp: %s:1003: given up: " % CLIENT)
    # The receiver that comes back gets what is sent then; the one that restarts is known again.
    late = ready(site.client.trap_receiver(port=1003, name="late"))
    informer.kill()
    informer = ready(site.client.trap_receiver(port=1002, name="informer2", users=[
        ("", "informer", "SHA", INFORM_PASS, "AES", PRIV_PASS)]))
    site.r1.cut("back")
    for receiver in (trapper, informer, late):
        wait_trap(receiver, "POISE-MIB::poiseInstanceTransition", name("one"), "VrrpTo.0 = INTEGER: fault(4)", within=20)
        wait_trap(receiver, KA + "2.10.0.2", KA + '2.3.1.2 = STRING: "one"', KA + "2.3.1.4 = INTEGER: 3")
    assert "%s:1002: given up" % CLIENT not in daemon.log()
    daemon.wait_log("snmp: %s:1003: acknowledges informs again" % CLIENT)
    said = daemon.log() + json.dumps(daemon.status()) + daemon.poisectl("events", check=False).stdout
    for secret in (TRAP_PASS, INFORM_PASS, PRIV_PASS, COMMUNITY):
        assert secret not in said
    for pid in daemon.family():
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            assert TRAP_PASS.encode() not in f.read()


def rack(site, n):
    """Addresses of n servers on s1, and how r1 gets there."""
    site.r1.run("ip", "route", "add", "10.66.0.0/24", "via", BACK4 + "11")
    return ["10.66.0.%d" % i for i in range(1, n + 1)]


def count_of(trap):
    return int(re.search(r"poiseNotifyCount\.0 = Gauge32: (\d+)", trap).group(1))


def test_a_dead_rack_is_one_notification(site):
    """Forty servers on one machine, which goes. The older MIB has no lists: its forty notifications wait their turn,
    and that they had to is told."""
    receiver = ready(site.client.trap_receiver())
    servers = rack(site, 40)
    site.s1.run("ip", "route", "add", "local", "10.66.0.0/24", "dev", "lo")
    web = site.s1.nginx()
    text = nat_site(150, globals_=TO_CLIENT + "\nenable_snmp_checker\nsnmp_trap_rate 10", servers=0, check=TCP_CHECK)
    text = text[:text.index("virtual_server")] + service(servers, check=TCP_CHECK.replace(
        "connect_timeout 1", "connect_timeout 1\n\t\t\twarmup 0"))
    daemon = site.r1.poised(text)
    wait_until("the servers to be up", lambda: [daemon.server(a).get("health") for a in servers],
               lambda seen: seen == ["up"] * 40, 20)
    web.kill()
    down = lambda: receiver.traps("POISE-MIB::poiseServersTransition", "HealthTo.0 = INTEGER: down(3)")
    alone = lambda: receiver.traps("POISE-MIB::poiseServerTransition", "HealthTo.0 = INTEGER: down(3)")
    wait_until("all of them", lambda: sum(map(count_of, down())) + len(alone()), lambda n: n == 40, 20)
    lists = " ".join(down() + alone())
    assert all(a + ":80" in lists for a in servers)
    assert len(down()) + len(alone()) <= 8, "that is no roll-up"
    assert "refused" in lists
    # one by one, as keepalived tells it: realServerStatus dead(2)
    told = lambda: len(receiver.traps(KA + "3.5.0.1", KA + "3.4.1.6 = INTEGER: 2"))
    wait_until("each of them in the language of keepalived", told, lambda n: n == 40, 30)
    trap = wait_trap(receiver, "POISE-MIB::poiseTrapsHeldBack", "poiseNotifyLeftOut.0 = Gauge32: 0", within=20)
    assert count_of(trap) >= 10 and "snmp_trap_rate" in cause(trap)


def test_servers_of_several_checkers_are_told(site):
    """Each checker has a ring of its own for what happens; nobody who is told of it sees that."""
    receiver = ready(site.client.trap_receiver())
    servers = rack(site, 12)
    site.s1.run("ip", "route", "add", "local", "10.66.0.0/24", "dev", "lo")
    web = site.s1.nginx()
    daemon = site.r1.poised("global_defs {\n%s\ncheck_processes 3\n}\n" % TO_CLIENT + service(servers, check=TCP_CHECK.replace(
        "connect_timeout 1", "connect_timeout 1\n\t\t\twarmup 0")))
    wait_until("the servers to be up", lambda: [daemon.server(a).get("health") for a in servers],
               lambda seen: seen == ["up"] * 12, 20)
    assert len(daemon.role_pids("healthcheck")) == 3
    web.kill()
    told = lambda: " ".join(receiver.traps("POISE-MIB::poiseServersTransition", "HealthTo.0 = INTEGER: down(3)") +
                            receiver.traps("POISE-MIB::poiseServerTransition", "HealthTo.0 = INTEGER: down(3)"))
    wait_until("all of them", told, lambda text: all(a + ":80" in text for a in servers), 20)


def test_checks_that_do_not_run_are_told(site):
    """Servers that swallow every packet hold on to all descriptors that the process may have, and the checks behind
    them wait for more than three intervals; when they are released, it is over."""
    receiver = ready(site.client.trap_receiver())
    servers = rack(site, 120)
    site.s1.run("ip", "route", "add", "blackhole", "10.66.0.0/24")
    daemon = site.r1.poised("global_defs {\n%s\n}\n" % TO_CLIENT + service(
        servers, check=TCP_CHECK.replace("connect_timeout 1", "connect_timeout 60\n\t\t\twarmup 0")))
    pid = wait_until("the checker", lambda: daemon.role_pids("healthcheck"))[0]
    # a small limit of the parent's is a small limit of the successor's
    run("prlimit", "--pid", str(daemon.pid), "--nofile=100:100")
    os.kill(pid, signal.SIGKILL)
    trap = wait_trap(receiver, "POISE-MIB::poiseChecksLate", "poiseNotifyActive.0 = INTEGER: true(1)", within=40)
    assert re.match(r"\d+ of 120 checks have not run for 3 intervals", cause(trap)) and "descriptors" in cause(trap)
    assert daemon.status()["health_checks"]["late"] > 0
    site.s1.run("ip", "route", "del", "blackhole", "10.66.0.0/24")
    site.s1.run("ip", "route", "add", "local", "10.66.0.0/24", "dev", "lo")
    wait_trap(receiver, "POISE-MIB::poiseChecksLate", "poiseNotifyActive.0 = INTEGER: false(2)", within=60)


@pytest.mark.ipvs
def test_what_happens_together_is_told_together(site):
    """Instances that become master, services that lose their quorum, servers that an operator drains and that are empty
    then: many at once are lists, which hold every one of them."""
    receiver = ready(site.client.trap_receiver())
    web = site.s1.nginx()
    instances = ["many%d" % i for i in range(16)]
    ports = range(8000, 8016)
    text = "global_defs {\n%s\n}\n" % TO_CLIENT
    for i, each in enumerate(instances):
        text += instance(each, "front", 60 + i, FRONT4 + "%d" % (100 + i), priority=100, advert=0.2, more="version 3")
    for port in ports:
        text += service([BACK4 + "11"], port=port, check=TCP_CHECK.replace(
            "connect_timeout 1", "connect_port 80\n\t\t\tconnect_timeout 1\n\t\t\twarmup 0"))
    daemon = site.r1.poised(text)

    def told(many, one, names, *parts):
        """All of them, at least some of them in lists."""
        def missing():
            lists = receiver.traps("POISE-MIB::" + many, *parts)
            traps = " ".join(lists + receiver.traps("POISE-MIB::" + one, *parts))
            return ([] if lists else ["a list"]) + [n for n in names if not re.search(re.escape(n) + r"\b", traps)]
        wait_until("%s to hold all" % many, missing, lambda left: not left, 30)

    told("poiseInstancesTransition", "poiseInstanceTransition", instances, "VrrpTo.0 = INTEGER: master(3)")
    services = ["%s:%d/tcp" % (VIP, port) for port in ports]
    wait_until("the servers to be up", lambda: [s["health"] for v in daemon.status()["services"] for s in v["servers"]],
               lambda seen: seen == ["up"] * len(ports), 20)
    web.kill()
    told("poiseQuorumsTransition", "poiseQuorumTransition", services, "QuorumMet.0 = INTEGER: false(2)")
    told("poiseServersTransition", "poiseServerTransition", services, "HealthTo.0 = INTEGER: down(3)")
    daemon.poisectl("drain", BACK4 + "11")
    told("poiseServersAdminChange", "poiseServerAdminChange", services, "AdminTo.0 = INTEGER: drain(2)")
    told("poiseServersDrainEnd", "poiseServerDrainEnd", services)
