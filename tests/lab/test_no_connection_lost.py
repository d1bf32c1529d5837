# SPDX-License-Identifier: GPL-2.0-or-later
"""No connection is lost: failover, fail-back to a rebooted node, kill -9, handover and restart, with connections that
live through all of it. tests/bench has the comparison with keepalived and the larger numbers."""

import signal
import subprocess
import time

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.longlived import Connections, serve_on
from poiselab.site import BACK4, GATEWAY, VIP

ADVERT = 0.5  # a guest kernel stands still for longer than the patience of shorter ones
PORT = 8000
PRIORITY = {"r1": 150, "r2": 100}
ALL = (20, 20)


def sync(router, more=""):
    """What a node says of the other one."""
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    return """vrrp_version 3
connection_sync full
lvs_sync_daemon back id 51
pair_address %s
pair_peer %s
pair_key "only for this test"
%s""" % (own, other, more)


def go(router, more="", advert=ADVERT):
    return router.poised(nat_site(PRIORITY[router.short], advert=advert, globals_=sync(router, more), port=PORT,
                                  check=TCP_CHECK))


def holds(site, router, within=30):
    """Waits until the router holds both addresses and nobody else does."""
    wait_until("%s to hold both addresses" % router, lambda: [site.holders(VIP), site.holders(GATEWAY)],
               lambda seen: seen == [[router], [router]], within=within)


def pair(daemon):
    return daemon.status().get("pair", {})


def covered(daemon, n):
    """Waits until the daemon's node holds everything of the other one's, which is at least n connections."""
    return wait_until("full coverage of %d connections" % n, lambda: pair(daemon),
                      lambda seen: seen.get("coverage_percent") == 100 and seen["coverage_of"] >= n, within=30)


def both(site, **more):
    """Both routers run, r1 is master; servers answer on PORT."""
    for server in site.servers:
        serve_on(server, PORT)
    first = go(site.r1, **more)
    holds(site, "r1")
    second = go(site.r2, **more)
    wait_until("the nodes to hear each other", lambda: (pair(first).get("state"), pair(second).get("state")),
               lambda seen: seen == ("up", "up"), within=20)
    return first, second


@pytest.mark.ipvs
def test_failover_and_fail_back(site):
    first, second = both(site)
    connections = Connections(site, "tcp", VIP, PORT)
    covered(second, sum(ALL))
    for _ in range(2):  # the second time all that r1 had was told to it
        site.r1.reboot()
        holds(site, "r2")
        assert connections.survivors() == ALL
        first = go(site.r1)
        holds(site, "r1")
        why = first.vrrp("front")["why"]
        assert "our priority 150 is over the 100" in why and "holding 100.0 % of its" in why
        assert connections.survivors() == ALL
        covered(second, sum(ALL))
    # kill -9 of everything on the master, the other way round
    site.r1.kill_all()
    holds_only(site, "r2")
    assert connections.survivors() == ALL
    # started again it gives way to the one that took over, until it holds what that one has
    first = go(site.r1)
    holds(site, "r1")
    assert "holding 100.0 % of its" in first.vrrp("front")["why"]
    assert connections.survivors() == ALL
    connections.close()


def holds_only(site, router):
    """The dead node's addresses are still there until their lifetime is over; the living one has them."""
    wait_until("%s to serve" % router, lambda: router in site.holders(VIP), within=20)
    wait_until("the dead node's addresses to be gone", lambda: site.holders(VIP), lambda seen: seen == [router],
               within=20)


@pytest.mark.ipvs
def test_handover_and_restart(site):
    first, second = both(site)
    connections = Connections(site, "tcp", VIP, PORT)
    covered(second, sum(ALL))
    done = first.poisectl("handover", "--all").stdout
    assert done.startswith("node100 holds 100.0 % of the connections; ")
    holds(site, "r2")
    assert connections.survivors() == ALL
    done = first.poisectl("handover", "--all", "--back").stdout
    assert done.startswith("this node holds 100.0 % of the connections; ")
    holds(site, "r1")
    assert connections.survivors() == ALL
    # a successor that has just come up holds nothing: it is given everything first, and then mastership
    site.r2.reboot()
    wait_until("r1 to miss it", lambda: pair(first).get("state"), lambda seen: seen != "up", within=20)
    second = go(site.r2)
    wait_until("r2 to take part", lambda: (pair(first).get("state"), second.status().get("connection_sync", {}).get(
        "ready")), lambda seen: seen == ("up", True), within=20)
    done = first.poisectl("handover", "--all", timeout=90).stdout
    assert done.startswith("node100 holds 100.0 % of the connections; ")
    holds(site, "r2")
    assert connections.survivors() == ALL
    first.poisectl("handover", "--all", "--back")
    holds(site, "r1")
    # a restart of the master: it hands over, comes back, waits for its connections and takes over again
    first.stop(within=20)
    holds(site, "r2")
    first = go(site.r1)
    holds(site, "r1")
    assert connections.survivors() == ALL
    connections.close()


@pytest.mark.ipvs
def test_both_nodes_restarted_at_once(site):
    """An operator who does both together: the kernels keep the connections, and nobody is lost."""
    first, second = both(site)
    connections = Connections(site, "tcp", VIP, PORT)
    covered(second, sum(ALL))
    for daemon in (second, first):
        daemon.signal(signal.SIGTERM)
    for daemon in (second, first):
        daemon.stop(within=20)
    first, second = go(site.r1), go(site.r2)
    holds(site, "r1")
    covered(second, sum(ALL))
    assert connections.survivors() == ALL
    # and both killed
    site.r1.kill_all()
    site.r2.kill_all()
    first, second = go(site.r1), go(site.r2)
    holds(site, "r1")
    covered(second, sum(ALL))
    assert connections.survivors() == ALL
    connections.close()


@pytest.mark.ipvs
def test_killed_and_started_again_in_time(site):
    """Everything is killed at once and the service manager starts it again: within the successor's patience the node
    goes on as master, and no connection notices."""
    advert = 3  # so that the start fits into the patience on a slow machine
    first, second = both(site, advert=advert)
    connections = Connections(site, "tcp", VIP, PORT)
    site.r1.kill_all()
    first = go(site.r1, advert=advert)
    why = wait_until("r1 to be master again", lambda: first.vrrp("front"), lambda seen: seen.get("state") == "MASTER",
                     within=30)["why"]
    assert "in time to go on" in why
    assert connections.survivors() == ALL
    assert second.vrrp("front")["state"] == "BACKUP" and "listening first" in second.vrrp("front")["why"]
    assert site.holders(VIP) == ["r1"]
    connections.close()


@pytest.mark.ipvs
def test_without_coverage_it_waits_for_its_time_and_says_so(site):
    first, second = both(site)
    first.stop(within=20)
    holds(site, "r2")
    # r2 does not know this key: r1 hears nothing and gets nothing
    begun = time.monotonic()
    first = site.r1.poised(nat_site(150, advert=ADVERT, port=PORT, check=TCP_CHECK, globals_=sync(
        site.r1, "preempt_coverage_timeout 12").replace("only for", "not for")))
    wait_until("r1 to be held back", lambda: first.vrrp("front"), lambda seen: seen and seen["state"] == "BACKUP")
    wait_until("r1 to hear nobody", lambda: pair(first).get("state"), lambda seen: seen == "silent", within=10)
    wait_until("r1 to say why it waits", lambda: first.vrrp("front")["why"], lambda seen: seen == (
        "held back from taking over: the other node's daemon is not heard"), within=10)
    holds(site, "r1")
    assert time.monotonic() - begun >= 12
    assert "waited 12 s, the other node's daemon is not heard" in first.vrrp("front")["why"]
    # a dead master is not waited for, coverage or not
    first.stop(within=20)
    holds(site, "r2")
    first = site.r1.poised(nat_site(150, advert=ADVERT, port=PORT, check=TCP_CHECK, globals_=sync(
        site.r1, "preempt_coverage_timeout 3600").replace("only for", "not for")))
    wait_until("r1 to be backup", lambda: first.state("front"), lambda seen: seen == "BACKUP")
    site.r2.cut()
    wait_until("r1 to serve", lambda: "r1" in site.holders(VIP), within=15)
    assert "no advertisement" in first.vrrp("front")["why"]


def call(site, address, number):
    """A message of SIP with this Call-ID from a source port of its own; the server that answers."""
    said = site.client.run("/usr/bin/python3", "-c", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
for _ in range(5):
    s.sendto(b"OPTIONS sip:x SIP/2.0\\r\\nCall-ID: call-%s@site\\r\\n\\r\\n", ("%s", 5060))
    try:
        print(s.recv(500).split()[0].decode())
        break
    except OSError:
        pass
""" % (number, address))
    return said.strip()


def has_sip():
    subprocess.run(["modprobe", "-q", "ip_vs_pe_sip"], check=False)
    with open("/proc/modules", encoding="ascii") as f:
        return "ip_vs_pe_sip " in f.read()


@pytest.mark.ipvs
def test_calls_stay_with_their_server(site):
    """Persistence by the Call-ID of SIP: its templates live through a failover and the fail-back."""
    if not has_sip():
        pytest.skip("this kernel has no ip_vs_pe_sip")

    def start(router):
        return router.poised(nat_site(PRIORITY[router.short], advert=ADVERT, globals_=sync(router), port=5060,
                                      check=TCP_CHECK).replace(
            "protocol TCP", "protocol UDP\n\tpersistence_timeout 600\n\tpersistence_engine sip"))

    for server in site.servers:
        serve_on(server, 5060)
    start(site.r1)
    holds(site, "r1")
    second = start(site.r2)
    wait_until("the servers", lambda: len(site.r1.ipvs().get(("UDP", VIP + ":5060"), {})), lambda seen: seen == 3)
    calls = {number: call(site, VIP, number) for number in range(6)}
    assert set(calls.values()) == {"s1", "s2", "s3"}
    covered(second, 12)  # each call and its template
    site.r1.reboot()
    holds(site, "r2")
    assert {number: call(site, VIP, number) for number in calls} == calls
    first = start(site.r1)
    holds(site, "r1")
    assert "holding 100.0 % of its" in first.vrrp("front")["why"]
    assert {number: call(site, VIP, number) for number in calls} == calls
