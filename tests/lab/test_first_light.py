# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole way of a connection: addresses, virtual services, health checks, drains, traps, with real IPVS."""

import os
import signal
import subprocess
import threading
import time

import pytest

from poiselab import has_ipvs, wait_until
from poiselab.configs import HTTP_CHECK, TCP_CHECK, instance, nat_site, service
from poiselab.customer import Customer, Download
from poiselab.daemons import program
from poiselab.process import kill
from poiselab.site import BACK4, FRONT6, GATEWAY, GATEWAY6, VIP, VIP6, Machine

ADVERT = 0.2
WEB = "TCP", VIP + ":80"
ALL = {"s1\n", "s2\n", "s3\n"}
SSL_CHECK = HTTP_CHECK.replace("HTTP_GET", "SSL_GET")


def weights(router, key=WEB):
    """The servers in the kernel's table with the weights that are not zero."""
    return {name: entry["weight"] for name, entry in router.ipvs().get(key, {}).items() if entry["weight"]}


def fetches(site, n=6, **more):
    return {site.fetch(**more) for _ in range(n)}


def start(site, routers=2, nginx=True, **more):
    """The site with its web servers and as many routers; r1 is master and serves. Returns the daemons."""
    for server in site.servers if nginx else ():
        server.nginx()
    more.setdefault("advert", ADVERT)
    more["globals_"] = "vrrp_version 3\n" + more.get("globals_", "")
    daemons = []
    for router, priority in list(zip(site.routers, (150, 100)))[:routers]:
        daemons.append(router.poised(nat_site(priority, **more)))
        wait_until("%s to take part" % router.short, lambda: daemons[-1].state("front"))
    wait_until("r1 to hold both addresses", lambda: (site.holders(VIP), site.holders(GATEWAY)),
               lambda seen: seen == (["r1"], ["r1"]), within=15)
    for router in site.routers[:routers]:
        wait_until("all servers in the kernel of " + router.short, lambda r=router: weights(r),
                   lambda seen: len(seen) == 3, within=15)
    return daemons


@pytest.mark.ipvs
def test_the_whole_way(site):
    first, second = start(site)
    assert fetches(site) == ALL
    assert second.state("front") == "BACKUP"
    site.r1.cut()
    wait_until("r2 to serve", lambda: fetches(site, 3), lambda seen: seen == ALL, within=10)
    assert VIP in site.r2.addresses() and GATEWAY in site.r2.addresses()
    site.r1.restore()
    wait_until("r1 to serve again", lambda: (site.holders(VIP), len(weights(site.r1))),
               lambda seen: seen == (["r1"], 3), within=20)
    assert fetches(site) == ALL


@pytest.mark.ipvs
def test_status_has_what_others_rely_on(site):
    first, _ = start(site)
    status = wait_until("three healthy servers", first.status,
                        lambda seen: [s["health"] for s in seen["services"][0]["servers"]] == ["up"] * 3)
    assert {"node", "version", "generation", "vrrp", "services"} <= set(status)
    front = next(vr for vr in status["vrrp"] if vr["name"] == "front")
    assert {k: front[k] for k in ("state", "interface", "vrid", "priority", "effective_priority", "addresses")} == {
        "state": "MASTER", "interface": "front", "vrid": 51, "priority": 150, "effective_priority": 150,
        "addresses": [VIP]}
    assert front["why"] and front["since"].endswith("Z") and "T" in front["since"]
    web = status["services"][0]
    assert {k: web[k] for k in ("address", "port", "protocol", "scheduler", "forwarding", "quorum")} == {
        "address": VIP, "port": 80, "protocol": "tcp", "scheduler": "rr", "forwarding": "nat", "quorum": True}
    for server in web["servers"]:
        assert {k: server[k] for k in ("port", "weight", "effective_weight", "health", "admin")} == {
            "port": 80, "weight": 1, "effective_weight": 1, "health": "up", "admin": "normal"}
        assert server["why"] and server["active"] >= 0 and server["inactive"] >= 0
    table = first.poisectl("status").stdout
    assert "front" in table and "MASTER" in table and site.s1.address in table


@pytest.mark.ipvs
@pytest.mark.parametrize("check,sicken,heal", (
    (TCP_CHECK, lambda server: server.web.kill(), lambda server: server.nginx()),
    (HTTP_CHECK, lambda server: server.web.sick(), lambda server: server.web.well()),
    (SSL_CHECK, lambda server: server.web.sick(), lambda server: server.web.well())), ids=("tcp", "http", "ssl"))
def test_a_failing_server_is_taken_out_and_comes_back(site, check, sicken, heal):
    tls = check is SSL_CHECK
    for server in site.servers:
        server.nginx(tls_pem=site.certificate())
    port = "connect_port 443\n\t\t\t" if tls else ""
    first, _ = start(site, nginx=False, check=check.replace("connect_timeout", port + "connect_timeout"))
    sicken(site.s2)
    wait_until("s2 to be taken out", lambda: weights(site.r1), lambda seen: len(seen) == 2, within=10)
    assert site.s2.address + ":80" not in weights(site.r1)
    entry = first.server(site.s2.address)
    assert entry["health"] == "down" and entry["why"]
    assert fetches(site) == ALL - {"s2\n"}
    heal(site.s2)
    wait_until("s2 to come back", lambda: weights(site.r1), lambda seen: len(seen) == 3, within=10)
    assert first.server(site.s2.address)["health"] == "up"
    assert fetches(site) == ALL


@pytest.mark.ipvs
def test_drain_lets_the_last_connection_end(site):
    first, _ = start(site)
    download = Download(site.client.namespace.name, VIP)
    wait_until("the download to run", lambda: download.received, lambda n: n > 100000)
    download.hold()
    busy = [name for name, entry in site.r1.ipvs()[WEB].items() if entry["active"]]
    assert len(busy) == 1
    address = busy[0].split(":")[0]
    waiting = subprocess.Popen([program("ctl/poisectl"), "-r", first.rundir, "drain", address, "--wait"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until("no weight", lambda: weights(site.r1), lambda seen: busy[0] not in seen, within=3)
    assert first.server(address)["admin"] == "drain"
    short = next(server.short for server in site.servers if server.address == address)
    assert fetches(site, 9) == ALL - {short + "\n"}
    assert waiting.poll() is None and download.is_alive()
    download.go_on()
    download.join(60)
    assert download.complete(), (download.received, download.length, download.error)
    assert waiting.wait(15) == 0, waiting.stdout.read()
    first.poisectl("undrain", address)
    wait_until("its weight again", lambda: weights(site.r1), lambda seen: busy[0] in seen, within=3)
    assert fetches(site) == ALL


@pytest.mark.ipvs
def test_drain_interrupted_and_of_one_service(site):
    two = service(["%s%d" % (BACK4, i) for i in (11, 12, 13)], port=8080, check=TCP_CHECK.replace(
        "connect_timeout", "connect_port 80\n\t\t\tconnect_timeout")).replace(" 8080 {\n\t\tweight", " 80 {\n\t\tweight")
    for server in site.servers:
        server.nginx()
    first = site.r1.poised(nat_site(150, advert=ADVERT, globals_="vrrp_version 3") + two)
    other = "TCP", VIP + ":8080"
    wait_until("both services", lambda: (len(weights(site.r1)), len(weights(site.r1, other))),
               lambda seen: seen == (3, 3), within=15)
    wait_until("r1 to serve", lambda: fetches(site, 3), lambda seen: seen == ALL, within=10)
    gone = site.s1.address + ":80"
    first.poisectl("drain", site.s1.address, "--service", VIP + ":8080")
    wait_until("no weight in one", lambda: gone in weights(site.r1, other), lambda seen: not seen, within=3)
    assert gone in weights(site.r1)
    first.poisectl("drain", gone)
    wait_until("no weight in both", lambda: gone in weights(site.r1), lambda seen: not seen, within=3)
    download = Download(site.client.namespace.name, VIP)
    wait_until("the download to run", lambda: download.received, lambda n: n > 0)
    busy = next(name for name, entry in site.r1.ipvs()[WEB].items() if entry["active"])
    waiting = subprocess.Popen([program("ctl/poisectl"), "-r", first.rundir, "drain", busy, "--wait"])
    wait_until("no weight", lambda: busy in weights(site.r1), lambda seen: not seen, within=3)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(5) == 3
    assert busy not in weights(site.r1)
    first.poisectl("undrain", gone)
    wait_until("its weight in both", lambda: (gone in weights(site.r1), gone in weights(site.r1, other)),
               lambda seen: seen == (True, True), within=3)
    kill(first.role_pids("ipvs"))
    wait_until("the ipvs role again", lambda: first.role_pids("ipvs"), within=5)
    wait_until("the drain still asked for", lambda: first.server(busy.split(":")[0], service=VIP).get("admin"),
               lambda seen: seen == "drain")
    assert busy not in weights(site.r1)


@pytest.mark.ipvs
def test_requests_never_fail_while_roles_die(site):
    first, _ = start(site, advert=1, globals_="snmp_trap_to 127.0.0.1", more="notify /bin/true")
    customer = Customer(site.client.namespace.name, VIP, pause_s=0.02)
    wait_until("requests", lambda: len(customer.visits), lambda n: n > 20)
    for role in ("ipvs", "healthcheck", "control", "snmp", "script", "vrrp"):
        old = wait_until("the %s role" % role, lambda r=role: first.role_pids(r), within=5)
        kill(old)
        wait_until("another %s role" % role, lambda r=role, o=old: first.role_pids(r),
                   lambda new, o=old: new and new != o, within=5)
    seen = len(customer.visits)
    wait_until("requests after that", lambda: len(customer.visits), lambda n: n > seen + 30)
    customer.stop()
    assert [visit for visit in customer.visits if visit[1] is None] == []
    assert len(weights(site.r1)) == 3 and site.holders(VIP) == ["r1"]


@pytest.mark.ipvs
def test_killed_and_started_again_it_adopts_what_it_finds(site):
    first, = start(site, routers=1, advert=1)
    first.poisectl("drain", site.s3.address)
    wait_until("the drain", lambda: weights(site.r1), lambda seen: len(seen) == 2, within=3)
    download = Download(site.client.namespace.name, VIP)
    wait_until("the download to run", lambda: download.received, lambda n: n > 100000)
    site.r1.kill_all()
    assert VIP in site.r1.addresses()
    again = site.r1.poised(nat_site(150, advert=1, globals_="vrrp_version 3"))
    wait_until("r1 to be master", lambda: again.state("front"), lambda seen: seen == "MASTER")
    download.join(40)
    assert download.complete(), (download.received, download.length, download.error)
    wait_until("the same table", lambda: sorted(weights(site.r1)), lambda seen:
               seen == [site.s1.address + ":80", site.s2.address + ":80"], within=10)
    assert again.server(site.s3.address)["admin"] == "drain"


@pytest.mark.ipvs
def test_someone_else_clears_the_table(site):
    start(site, routers=1)
    site.r1.run("ipvsadm", "-C")
    wait_until("the table to be as configured", lambda: weights(site.r1), lambda seen: len(seen) == 3, within=60)
    assert fetches(site) == ALL


@pytest.mark.ipvs
@pytest.mark.parametrize("kind", ("DR", "TUN"))
def test_direct_answers(site, kind):
    """The servers answer the client themselves: all are on the back network and hold the address quietly."""
    vip = BACK4 + "100"
    inner = site.add(Machine, "inner", [("eth0", "back", "02:00:00:00:02:50", [BACK4 + "50/24"])])
    for server in site.servers:
        server.nginx()
        if kind == "TUN":
            server.namespace.ip("link add ipip0 type ipip local %s" % server.address, "link set ipip0 up")
        server.namespace.sysctl({"ipv4/conf/all/arp_ignore": 1, "ipv4/conf/all/arp_announce": 2,
                                 "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0})
        if kind == "TUN":
            server.namespace.sysctl({"ipv4/conf/ipip0/rp_filter": 0})
        server.namespace.ip("addr add %s/32 dev lo" % vip)
    conf = ("global_defs {\n\tvrrp_version 3\n}\n" +
            instance("inside", "back", 53, vip + "/24", priority=150, advert=ADVERT) +
            service([s.address for s in site.servers], address=vip, kind=kind, check=TCP_CHECK))
    daemon = site.r1.poised(conf)
    wait_until("r1 to be master with three servers", lambda: (daemon.state("inside"), len(weights(site.r1, (
        "TCP", vip + ":80")))), lambda seen: seen == ("MASTER", 3), within=15)
    forward = {entry["forward"] for entry in site.r1.ipvs()["TCP", vip + ":80"].values()}
    assert forward == {"Route" if kind == "DR" else "Tunnel"}
    customer = Customer(inner.namespace.name, vip)
    wait_until("answers of all three", lambda: {visit[1] for visit in customer.visits},
               lambda seen: {"s1", "s2", "s3"} <= seen)
    customer.stop()


@pytest.mark.ipvs
def test_ipv6_service(site):
    for server in site.servers:
        server.nginx()
    six = instance("front6", "front", 61, "fe80::10", priority=150, advert=ADVERT).replace(
        "fe80::10\n", "fe80::10\n\t\t%s/64\n" % VIP6)
    back = instance("back6", "back", 62, "fe80::20", priority=150, advert=ADVERT).replace(
        "fe80::20\n", "fe80::20\n\t\t%s/64\n" % GATEWAY6)
    conf = ("global_defs {\n\tvrrp_version 3\n}\n" + six + back +
            service([s.address6 for s in site.servers], address=VIP6, check=HTTP_CHECK))
    site.r1.poised(conf)
    wait_until("r1 to serve over IPv6", lambda: fetches(site, 3, address=VIP6), lambda seen: seen == ALL, within=20)
    assert FRONT6 + "2" in site.r1.addresses()


@pytest.mark.ipvs
def test_every_scheduler_by_name_marks_and_groups(site):
    names = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "fo", "ovf", "mh"]
    conf = "".join(service([site.s1.address], port=8000 + i, scheduler=name, check="")
                   for i, name in enumerate(names))
    conf += service([site.s1.address], port=9000, check="").replace("\tlb_algo rr\n", "")
    conf += service([site.s1.address], port=9001, check="").replace("protocol TCP", "protocol UDP")
    conf += service([site.s1.address], check="").replace("virtual_server %s 80" % VIP, "virtual_server fwmark 7")
    conf += "virtual_server_group web {\n\t%s 9100\n\t%s 9101\n\tfwmark 8\n}\n" % (VIP, VIP)
    conf += service([site.s1.address], check="").replace("virtual_server %s 80" % VIP, "virtual_server group web")
    daemon = site.r1.poised(conf)
    wait_until("all services", lambda: len(site.r1.ipvs()), lambda n: n == len(names) + 6, within=15)
    table = site.r1.run("ipvsadm", "-Ln")
    for i, name in enumerate(names):
        assert "TCP  %s:%d %s" % (VIP, 8000 + i, name) in table
    assert "TCP  %s:9000 wlc" % VIP in table
    assert set(site.r1.ipvs()) >= {("UDP", VIP + ":9001"), ("FWM", "7"), ("FWM", "8"), ("TCP", VIP + ":9101")}
    services = daemon.status()["services"]
    assert [s for s in services if s.get("fwmark") == 7] and [s for s in services if s.get("group") == "web"]


@pytest.mark.ipvs
def test_traps_of_a_transition_and_of_a_fall(site):
    pair = site.r2.snmp()
    for server in site.servers:
        server.nginx()
    options = {"advert": ADVERT, "check": TCP_CHECK}
    snmp = "vrrp_version 3\nsnmp_socket unix:%s\nenable_snmp_vrrp\nenable_snmp_checker\nenable_traps" % pair.socket
    site.r1.poised(nat_site(150, globals_="vrrp_version 3", **options))
    wait_until("r1 to be master", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=15)
    second = site.r2.poised(nat_site(100, globals_=snmp, **options))
    wait_until("r2 to know its servers", lambda: len(weights(site.r2)), lambda n: n == 3, within=15)
    second.wait_log("connected to the AgentX master")
    site.s1.web.kill()
    wait_until("the trap of the server's fall", lambda: [t for t in pair.traps() if site.s1.address in t or
               " ".join("%02X" % int(n) for n in site.s1.address.split(".")) in t], within=15)
    site.r1.kill_all()
    # KEEPALIVED-MIB: vrrpInstanceName and vrrpInstanceState, 2 is master
    wait_until("the trap of the transition", lambda: [t for t in pair.traps() if '"front"' in t and
               ".9586.100.5.2.3.1.4 = INTEGER: 2" in t], within=15)
    assert second.state("front") == "MASTER"


def test_a_kernel_without_ipvs_still_gets_its_addresses(site):
    if has_ipvs():
        pytest.skip("this kernel has IPVS")
    daemon = site.r1.poised(nat_site(150, advert=ADVERT, globals_="vrrp_version 3"))
    wait_until("r1 to hold both addresses", lambda: site.holders(VIP) + site.holders(GATEWAY),
               lambda seen: seen == ["r1", "r1"])
    said = [line for line in daemon.log().splitlines() if "ip_vs" in line]
    assert len(said) == 1, daemon.log()


def test_several_at_once_on_one_machine(site):
    """Three daemons with their own run directories in one namespace each; nothing of one is seen by another."""
    daemons = [router.poised(nat_site(priority, globals_="vrrp_version 3", advert=ADVERT)) for router, priority in
               zip(site.routers, (150, 100))]
    names = wait_until("both to answer", lambda: [d.status().get("node") for d in daemons], all)
    assert names == ["node150", "node100"]
    threads = [threading.Thread(target=daemon.stop) for daemon in daemons]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 10
    assert [daemon.popen.returncode for daemon in daemons] == [0, 0]
    assert not any(os.path.exists(os.path.join(daemon.rundir, "control.sock")) for daemon in daemons)
