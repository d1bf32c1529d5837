# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole table of connections on its way to the other node: every kind of entry, over a line that loses, that is cut,
to a kernel whose receiver somebody has stopped. The connections are told to the kernel of r1 (poiselab/syncfeed.py);
those that clients really have are in test_no_connection_lost.py."""

import time

import pytest

from poiselab import wait_until
from poiselab.clock import Clock
from poiselab.configs import nat_site, service
from poiselab.site import BACK4, BACK6, VIP, VIP6
from poiselab.syncfeed import TEMPLATE, entry, feed, table

ADVERT = 0.5
PRIORITY = {"r1": 150, "r2": 100}
UDP, SCTP = 17, 132


def text(site, router, more=""):
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    conf = nat_site(PRIORITY[router.short], advert=ADVERT, port=8000, check="", globals_="""vrrp_version 3
connection_sync full
lvs_sync_daemon back id 51
pair_address %s
pair_peer %s
pair_key "only for this test"
%s""" % (own, other, more))
    servers = [server.address for server in site.servers]
    for protocol in ("UDP", "SCTP"):
        conf += service(servers, port=8000, check="").replace("protocol TCP", "protocol " + protocol)
    conf += service([server.address6 for server in site.servers], address=VIP6, port=8000, check="")
    conf += service(servers, port=8001, kind="DR", check="") + service(servers, port=8002, kind="TUN", check="")
    conf += service(servers, port=8003, check="", more="persistence_timeout 300")
    return conf + service(servers, port=0, kind="DR", check="").replace("virtual_server %s 0" % VIP,
                                                                          "virtual_server fwmark 7")


def pair(daemon):
    return daemon.status().get("pair", {})


def sync(daemon):
    return daemon.status().get("connection_sync", {})


def start_first(site, more="", replace=("", ""), **options):
    first = site.r1.poised(text(site, site.r1, more).replace(*replace), **options)
    wait_until("r1 to be master", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=30)
    wait_until("the receiver of r1", lambda: sync(first).get("ready"), within=20)
    return first


def fill(site, entries, **way):
    feed(site.s1.namespace.name, "eth0", entries, **way)
    return wait_until("r1 to have them", lambda: table(site.r1), lambda seen: len(seen) >= len(entries), within=20)


def bound(router):
    """Connections that the kernel counts for each server."""
    return {service: {server: entry["active"] + entry["inactive"] for server, entry in servers.items()}
            for service, servers in router.ipvs().items()}


def many(count):
    return [entry("10.9.%d.%d" % divmod(n, 250), VIP, BACK4 + str(11 + n % 3)) for n in range(count)]


def covered(daemon, count, within=60):
    return wait_until("the other node's connections to be held", lambda: pair(daemon), lambda seen: seen.get(
        "coverage_percent") == 100 and seen["coverage_of"] >= count, within=within)


def kinds(site):
    """One of each, of one size."""
    client, server = "192.0.2.77", site.s1.address
    return [entry(client, VIP, server), entry(client, VIP, server, protocol=UDP, state=0),
            entry(client, VIP, server, protocol=SCTP, state=8), entry(client, VIP, server, ports=(40001, 8000, 8000), state=4),
            entry(client, VIP, server, ports=(40000, 8001, 8001)), entry(client, VIP, server, ports=(40000, 8002, 8002)),
            # of a persistent service, with its template
            entry(client, VIP, server, ports=(40000, 8003, 8003)),
            entry(client, VIP, server, ports=(0, 8003, 8003), flags=TEMPLATE, state=1),
            # of a service by mark: any address, any port
            entry(client, "203.0.113.9", server, ports=(40000, 8080, 8080), mark=7)]


@pytest.mark.ipvs
def test_every_kind_of_connection_arrives(site):
    first = start_first(site)
    # one word in the file, and both daemons run and the kernel tells of every connection
    daemons = site.r1.run("ipvsadm", "-Ln", "--daemon")
    assert "master" in daemons and "backup" in daemons
    settings = ["net.ipv4.vs." + name for name in ("sync_threshold", "sync_refresh_period", "sync_retries")]
    assert site.r1.run("sysctl", "-n", *settings).split() == ["0", "0", "10", "1"]
    feed(site.s1.namespace.name, "eth0", [entry("2001:db8::77", VIP6, site.s1.address6)])
    wait_until("r1 to have the one of IPv6", lambda: table(site.r1), lambda seen: len(seen) == 1)
    have = fill(site, kinds(site))
    assert len(have) == 10
    second = site.r2.poised(text(site, site.r2))
    covered(second, 9)  # what is closing is sent, and does not count
    assert table(site.r2) == have
    # every one of them has found its server in its service, from which comes how it is forwarded
    assert bound(site.r2) == bound(site.r1)
    assert sum(sum(service.values()) for service in bound(site.r2).values()) == 9  # a template is no load
    state = wait_until("a receipt for all", lambda: sync(first), lambda seen: seen["last_taken_percent"] == 100)
    assert state["unsendable"] == 0


@pytest.mark.ipvs
def test_a_line_that_loses(site):
    """A tenth of all datagrams is lost either way: the table arrives all the same, because what has no receipt goes out again. In
    another group than the usual one, of IPv6."""
    daemon, other = "lvs_sync_daemon back id 51", "lvs_sync_daemon back id 51 port 8850 group ff02::51"
    first = start_first(site, "connection_sync_sweep 0", replace=(daemon, other))
    fill(site, many(3000), group="ff02::51", port=8850)
    site.r2.run("tc", "qdisc", "add", "dev", "back", "root", "netem", "loss", "10%")  # receipts
    site.r1.run("tc", "qdisc", "add", "dev", "back", "root", "netem", "loss", "10%")
    second = site.r2.poised(text(site, site.r2).replace(daemon, other))  # the table goes out as soon as it is there
    covered(second, 3000)
    state = sync(first)
    assert state["datagrams_repeated"] > 0 and state["last_taken_percent"] == 100
    assert len(table(site.r2)) == 3000


@pytest.mark.ipvs
def test_a_line_that_is_cut_meanwhile(site):
    first = start_first(site, "connection_sync_sweep 0\nconnection_sync_bandwidth 100")
    fill(site, many(3000))
    second = site.r2.poised(text(site, site.r2, "preempt_coverage_timeout 3600"))
    wait_until("the table to be on its way", lambda: (sync(first).get("running"), len(table(site.r2)) > 100),
               lambda seen: seen == ("sending", True), within=20)
    site.r2.cut("back")
    assert len(table(site.r2)) < 3000
    wait_until("r1 to miss the other node", lambda: pair(first).get("state"), lambda seen: seen == "silent", within=20)
    assert pair(second).get("coverage_percent") != 100
    site.r2.restore("back")
    covered(second, 3000)
    assert len(table(site.r2)) == 3000


@pytest.mark.ipvs
def test_the_receiver_is_stopped_by_somebody_else(site):
    first = start_first(site, "connection_sync_sweep 5")
    fill(site, many(500))
    second = site.r2.poised(text(site, site.r2))
    covered(second, 500)
    site.r2.run("ipvsadm", "--stop-daemon", "backup")
    wait_until("it to run again", lambda: site.r2.run("ipvsadm", "-Ln", "--daemon"), lambda seen: "backup" in seen,
               within=60)
    wait_until("r2 to say why", lambda: "somebody else has stopped it" in second.log(), within=20)
    wait_until("r1 to send on", lambda: sync(first), lambda seen: seen["last_taken_percent"] == 100, within=30)
    covered(second, 500)


@pytest.mark.ipvs
def test_the_master_dies_meanwhile(site):
    """What has arrived by then goes on; and the dead node, when it is back, is given it before it takes over."""
    start_first(site, "connection_sync_sweep 0\nconnection_sync_bandwidth 200")
    fill(site, many(3000))
    second = site.r2.poised(text(site, site.r2))
    wait_until("the table to be on its way", lambda: len(table(site.r2)), lambda seen: seen > 100, within=20)
    site.r1.reboot()
    wait_until("r2 to be master", lambda: second.vrrp("front"), lambda seen: seen["state"] == "MASTER" and
               "no advertisement" in seen["why"], within=20)
    first = site.r1.poised(text(site, site.r1))
    front = wait_until("r1 to be master again", lambda: first.vrrp("front"), lambda seen: seen and seen["state"] ==
                       "MASTER", within=60)
    assert "holding 100.0 % of its" in front["why"]
    assert set(table(site.r1)) == set(table(site.r2))


@pytest.mark.ipvs
def test_a_clock_that_is_put_back(site):
    """The master began an hour ahead and was put right: what it tells of its connections is believed all the same."""
    clock = Clock(site.r1)
    clock.set(3600)
    start_first(site, env=clock.env)
    clock.set(0)
    fill(site, many(300))
    second = site.r2.poised(text(site, site.r2))
    covered(second, 300)
    wait_until("r2 to have counted", lambda: sync(second), lambda seen: seen["held_for_others"] == 300, within=20)


@pytest.mark.ipvs
def test_what_was_read_before_goes_first(site):
    """A node that asks is sent what the last walk has read, and then what that lacks."""
    first = start_first(site)
    master = time.monotonic()
    fill(site, many(2000))
    # By then nobody else tells of connections any more, and the kernel's counters were read with all of them.
    wait_until("mastership to be settled", lambda: time.monotonic() - master, lambda seen: seen > 6)
    wait_until("the counters", lambda: sum(server["active"] for one in first.status()["services"]
                                           for server in one["servers"]), lambda seen: seen == 2000, within=60)
    sent = sync(first)["tables_sent"]
    wait_until("two more walks", lambda: sync(first), lambda seen: seen["tables_sent"] >= sent + 2 and
               seen["remembered_connections"] == 2000, within=30)
    first.write(text(site, site.r1, "connection_sync_sweep 0"))
    first.poisectl("reload")
    wait_until("the last sweep to be over", lambda: sync(first)["running"], lambda seen: seen == "nothing")
    second = site.r2.poised(text(site, site.r2))
    covered(second, 2000)
    said = "what the last walk has read: 2000 connections sent in"
    assert said in first.log() and "at least 100.0 % of the table" in first.log()
    # it is all there was: no walk had to be waited for, but one came afterwards
    wait_until("the walk", lambda: sync(first), lambda seen: seen["why"].startswith("sweep: 2000 of 2000"), within=20)
    assert "asked by the other node: whole table" not in first.log()
    # some more came since: the walk brings them
    fill(site, many(2100)[2000:])
    wait_until("r1 to have them", lambda: len(table(site.r1)), lambda seen: seen == 2100)
    site.r2.reboot()
    wait_until("r1 to miss it", lambda: pair(first).get("state"), lambda seen: seen == "silent", within=20)
    second = site.r2.poised(text(site, site.r2))
    covered(second, 2100)
    assert first.log().count(said) == 2 and "asked by the other node: whole table: 2100 of 2100" in first.log()
    assert table(site.r2) == table(site.r1)
