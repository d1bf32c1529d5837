# SPDX-License-Identifier: GPL-2.0-or-later
"""Two poised share addresses by VRRP, and the addresses move for every reason there is; needs no IPVS."""

import os
import signal
import time

import pytest

from poiselab import wait_until
from poiselab.configs import EVERY_ROLE, instance, pair
from poiselab.process import kill
from poiselab.site import FRONT6, GATEWAY, VIP, VIP6

ADVERT = {2: 1, 3: 0.2}
BOTH_ON = {"r1": (["r1"], ["r1"]), "r2": (["r2"], ["r2"])}


def text(version, priority, more="", globals_="", besides=""):
    return "global_defs {\n\tvrrp_version %d\n\t%s\n}\n" % (version, globals_) + pair(
        priority, advert=ADVERT[version], more=more) + besides


def text6(priority):
    return "global_defs {\n\tvrrp_version 3\n}\n" + instance(
        "six", "front", 61, "fe80::10", priority=priority, advert=ADVERT[3], more="native_ipv6").replace(
            "fe80::10\n", "fe80::10\n\t\t%s/64\n" % VIP6)


def holders(site):
    return site.holders(VIP), site.holders(GATEWAY)


def wait_master(site, router, within=15):
    wait_until("%s alone to hold both addresses" % router.short, lambda: holders(site),
               lambda seen: seen == BOTH_ON[router.short], within)


def start(site, version=3, **more):
    """Both routers, r1 master. Returns the two daemons."""
    first = site.r1.poised(text(version, 150, **more))
    wait_until("r1 to take part", lambda: first.state("front"))
    second = site.r2.poised(text(version, 100, **more))
    wait_master(site, site.r1)
    wait_until("r2 to be backup", lambda: (second.state("front"), second.state("back")),
               lambda seen: seen == ("BACKUP", "BACKUP"))
    return first, second


@pytest.mark.parametrize("version", (2, 3))
def test_link_cut_and_back(site, version):
    first, second = start(site, version)
    site.r1.cut()
    wait_until("r2 to hold both addresses", lambda: holders(site), lambda seen: "r2" in seen[0] and "r2" in seen[1])
    assert second.state("front") == "MASTER"
    wait_until("r1 to see the fault", lambda: first.vrrp("front"), lambda seen: seen.get("state") == "FAULT")
    assert first.vrrp("front")["why"]
    assert VIP not in site.r1.addresses()
    site.r1.restore()
    wait_master(site, site.r1)


def test_one_link_cut_moves_both_addresses(site):
    start(site)
    site.r1.cut("back")
    wait_master(site, site.r2)


def test_daemon_stopped(site):
    first, second = start(site, version=2)
    moment = time.monotonic()
    assert first.stop() == 0
    wait_master(site, site.r2)
    # the goodbye (priority 0) leaves only the skew to wait: far less than three intervals
    assert time.monotonic() - moment < 2.5
    assert site.r1.addresses("front") == ["192.0.2.2", "2001:db8:1::2"]


def test_everything_killed(site):
    first, second = start(site)
    site.r1.kill_all()
    wait_until("r2 to take over", lambda: holders(site), lambda seen: "r2" in seen[0] and "r2" in seen[1], within=5)
    # nobody refreshes the addresses of r1: they end with their lifetime (address_lifetime, 10 s)
    wait_until("the addresses of r1 to vanish", lambda: holders(site), lambda seen: seen == BOTH_ON["r2"], within=13)


def test_role_stopped_for_good(site):
    """The vrrp role dies again and again, as one that cannot run: its addresses go to the neighbour."""
    first, second = start(site)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and holders(site) != BOTH_ON["r2"]:
        kill(first.role_pids("vrrp"))
        time.sleep(0.02)
    assert holders(site) == BOTH_ON["r2"]
    assert first.running()
    wait_master(site, site.r1, within=60)  # left alone, the role comes back and preempts


@pytest.mark.parametrize("role", ("vrrp", "ipvs", "healthcheck", "control", "snmp", "script"))
def test_a_role_that_dies_is_back_and_no_address_moves(site, role):
    first, second = start(site, version=2, besides=EVERY_ROLE)
    old = wait_until("a process of the role", lambda: first.role_pids(role))
    frames = site.client.capture("eth0")
    kill(old)
    wait_until("another process of the role", lambda: first.role_pids(role), lambda new: new and new != old, within=5)
    wait_until("r1 to be seen as master", lambda: first.state("front"), lambda seen: seen == "MASTER", within=5)
    wait_until("advertisements after that", lambda: len(frames.vrrp()), lambda n: n >= 6, within=10)
    assert {source for _, source, _ in frames.vrrp()} == {"192.0.2.2"}
    assert holders(site) == BOTH_ON["r1"]


def test_a_vrrp_role_that_hangs_is_replaced_before_the_neighbour_moves(site):
    first, second = start(site, version=2)
    old, elected = first.role_pids("vrrp"), second.vrrp("front")["became_master"]
    moment = time.monotonic()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    wait_until("another process of the role", lambda: first.role_pids("vrrp"), lambda new: new and new != old, within=5)
    patience = 3 * ADVERT[2] + (256 - 100) / 256
    assert time.monotonic() - moment < patience / 2
    time.sleep(patience)  # long enough for r2 to move, if it had reason to
    assert holders(site) == BOTH_ON["r1"]
    assert second.vrrp("front")["became_master"] == elected


def test_nopreempt(site):
    first, second = start(site, more="nopreempt")
    site.r1.cut()
    wait_until("r2 to take over", lambda: holders(site), lambda seen: "r2" in seen[0] and "r2" in seen[1])
    site.r1.restore()
    wait_until("r1 to be backup", lambda: (first.state("front"), first.state("back")),
               lambda seen: seen == ("BACKUP", "BACKUP"))
    time.sleep(3 * ADVERT[3] + 1)  # longer than it would take r1 to preempt
    assert holders(site) == BOTH_ON["r2"]


def test_password(site):
    """PASS authentication: a neighbour with the password is heard, one with another is not, and both say so."""
    password = "authentication {\n\tauth_type PASS\n\tauth_pass %s\n}"
    first, second = start(site, version=2, more=password % "secret12")
    second.write(text(2, 100, more=password % "another1"))
    second.signal(signal.SIGHUP)
    wait_until("r2 to be deaf to r1", lambda: second.state("front"), lambda seen: seen == "MASTER")
    assert first.state("front") == "MASTER"
    assert "secret12" not in first.log() + first.poisectl("status", "--json").stdout
    second.write(text(2, 100, more=password % "secret12"))
    second.signal(signal.SIGHUP)
    wait_until("r2 to be backup", lambda: second.state("front"), lambda seen: seen == "BACKUP")
    assert holders(site) == BOTH_ON["r1"]


def test_ipv6(site):
    first = site.r1.poised(text6(150))
    wait_until("r1 to take part", lambda: first.state("six"))
    second = site.r2.poised(text6(100))
    wait_until("r1 to hold the address", lambda: site.holders(VIP6), lambda seen: seen == ["r1"])
    wait_until("r2 to be backup", lambda: second.state("six"), lambda seen: seen == "BACKUP")
    probe = site.probe("icmp", VIP6)
    wait_until("answers", lambda: probe.answered_since(0), lambda n: n > 10)
    site.r1.cut()
    moment = time.monotonic()
    wait_until("r2 to hold the address", lambda: site.holders(VIP6), lambda seen: "r2" in seen, within=5)
    wait_until("answers from r2", lambda: probe.answered_since(moment + 0.5), lambda n: n > 10)
    assert FRONT6 + "3" in site.r2.addresses()


def test_reload_and_a_bad_file(site):
    first, second = start(site)
    old = first.status()["generation"]
    first.write(text(3, 50))
    first.signal(signal.SIGHUP)
    wait_until("the new priority", lambda: first.vrrp("front").get("priority"), lambda seen: seen == 50)
    assert first.status()["generation"] > old
    wait_master(site, site.r2)
    pids = first.family()
    first.write(text(3, 150).replace("virtual_router_id 51", "virtual_router_id 5100"))
    first.signal(signal.SIGHUP)
    first.wait_log("keepalived.conf:")
    wait_until("why it is refused", lambda: first.poisectl("status", "--json").stdout, lambda seen: "refused" in seen or
               "5100" in seen or "virtual_router_id" in seen)
    assert first.vrrp("front")["priority"] == 50
    assert set(pids) <= set(first.family())
    wait_master(site, site.r2)


def test_an_interface_that_comes_later(site):
    conf = "global_defs {\n\tvrrp_version 3\n}\n" + instance("late", "later", 71, "203.0.113.1/24", priority=150,
                                                           advert=0.2)
    daemon = site.r1.poised(conf)
    wait_until("the fault", lambda: daemon.vrrp("late"), lambda seen: seen.get("state") == "FAULT")
    assert "later" in daemon.vrrp("late")["why"]
    site.r1.namespace.ip("link add later type veth peer name other", "addr add 203.0.113.2/24 dev later",
                         "link set later up", "link set other up")
    wait_until("the address", lambda: site.r1.addresses("later"), lambda seen: "203.0.113.1" in seen)


@pytest.mark.parametrize("version,more", ((2, "authentication {\n\tauth_type PASS\n\tauth_pass secret12\n}"), (3, "")))
@pytest.mark.parametrize("best", ("poised", "keepalived"))
def test_beside_keepalived(site, version, more, best):
    """One of the routers runs keepalived: it is the master and goes, or the backup and takes over."""
    strong, weak = text(version, 150, more), text(version, 100, more)
    if best == "poised":
        master, _ = site.r1.poised(strong), site.r2.keepalived(weak)
    else:
        master, _ = site.r1.keepalived(strong), site.r2.poised(weak)
    wait_master(site, site.r1, within=20)
    time.sleep(3 * ADVERT[version])  # a quiet segment stays quiet
    assert holders(site) == BOTH_ON["r1"]
    master.stop()
    wait_master(site, site.r2)
    master = site.r1.poised(strong) if best == "poised" else site.r1.keepalived(strong)
    wait_master(site, site.r1, within=20)
