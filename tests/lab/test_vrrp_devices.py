# SPDX-License-Identifier: GPL-2.0-or-later
"""VRFs, ipvlans, labels: what not every kernel has. Of the kernels at hand those with IPVS have them as modules."""

import json
import subprocess

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.site import BACK4, FRONT4, VIP
from test_vrrp_paths import compare_wrapped, routes
from test_vrrp_protocol import pings

pytestmark = pytest.mark.ipvs


@pytest.fixture(autouse=True)
def modules():
    for name in ("vrf", "ipvlan", "mpls_iptunnel", "ila"):
        subprocess.run(["modprobe", "-q", name], check=False)


def test_labels_and_locators(site):
    """encap mpls and ila, which the machine's own kernel may not have."""
    able = compare_wrapped(site)
    assert {"ip", "ip6", "mpls", "ila"} <= set(able), able


def into_vrf(router):
    router.namespace.ip("link add blue type vrf table 100", "link set blue up", "link set back master blue")


def one(priority, more, address=VIP + " dev front"):
    return instance("one", "front", 51, address, priority=priority, advert=0.3, more="version 3\n" + more)


def test_a_route_in_a_vrf(site):
    """vrf NAME: into its table, whichever that is; and when the VRF comes later, then."""
    more = "virtual_routes {\n\t10.70.0.0/16 via %s11 dev back vrf blue\n}" % BACK4
    ours = site.r1.poised(one(150, more))
    wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    assert "10.70" not in routes(site.r1)
    into_vrf(site.r1)
    wait_until("the route", lambda: routes(site.r1), lambda seen: "10.70.0.0/16 via %s11 dev back table 100" % BACK4 in seen)
    into_vrf(site.r2)
    site.r2.keepalived(one(200, more))
    wait_until("keepalived's", lambda: routes(site.r2), lambda seen: "10.70.0.0/16 via %s11 dev back table 100" % BACK4 in seen,
               within=20)
    wait_until("ours to go", lambda: routes(site.r1), lambda seen: "10.70" not in seen, within=20)


@pytest.mark.parametrize("peer", ["poised", "keepalived"])
def test_unicast_in_a_vrf_without_an_interface(site, peer):
    """keepalived's manual has it, its 2.2.7 says "Unknown interface": it is the peer that has an interface and no VRF."""
    def text(priority, own, other, way="vrf blue"):
        return one(priority, "unicast_src_ip %s%s\nunicast_peer {\n\t%s%s\n}" % (BACK4, own, BACK4, other)).replace(
            "interface front", way)

    for router in (site.r1, site.r2)[:2 if peer == "poised" else 1]:
        into_vrf(router)
        # Only who is bound to the VRF hears what comes there.
        router.run("sysctl", "-qw", "net.ipv4.raw_l3mdev_accept=0")
    ours = site.r1.poised(text(150, 2, 3))
    wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    getattr(site.r2, peer)(text(100, 3, 2, "vrf blue" if peer == "poised" else "interface back"))
    sent = ours.vrrp("one")["adverts_sent"]
    wait_until("ten advertisements", lambda: ours.vrrp("one")["adverts_sent"], lambda n: n >= sent + 10, within=20)
    assert site.holders(VIP) == ["r1"]
    site.r1.kill_all()
    wait_until("r2 to take over", lambda: site.holders(VIP), lambda seen: "r2" in seen, within=20)
    ours = site.r1.poised(text(50, 2, 3))
    wait_until("r2 to be heard", lambda: ours.vrrp("one").get("adverts_received", 0), lambda n: n >= 5, within=20)
    assert ours.state("one") == "BACKUP" and site.holders(VIP) == ["r2"]


def on(machine, name):
    """An interface and its IPv4 addresses; {} and [] when there is none."""
    found = [link for link in json.loads(machine.run("ip", "-d", "-j", "addr")) if link["ifname"] == name]
    return (found[0], sorted(a["local"] for a in found[0]["addr_info"] if a["family"] == "inet")) if found else ({}, [])


def test_an_ipvlan_speaks_for_the_router(site):
    """use_ipvlan: an interface that shares the MAC address, with an address of its own that advertisements come from;
    beside keepalived, in both roles, with the addresses in the same places."""
    def text(priority, own):
        return one(priority, "use_ipvlan shared %s%s/24" % (FRONT4, own), VIP + "/24")

    frames = site.client.capture("eth0")
    ours = site.r1.poised(text(150, 32))
    wait_until("the address", lambda: on(site.r1, "front")[1], lambda seen: VIP in seen, within=20)
    link, held = on(site.r1, "shared")
    assert link["linkinfo"]["info_kind"] == "ipvlan" and link["linkinfo"]["info_data"]["mode"] == "l2"
    assert link["address"] == "02:00:00:00:01:02" and "UP" in link["flags"] and held == [FRONT4 + "32"]
    wait_until("advertisements from its address", lambda: [source for _, source, _ in frames.vrrp()],
               lambda seen: seen.count(FRONT4 + "32") >= 3)
    wait_until("an answer", lambda: pings(site, VIP), within=20)
    site.r2.keepalived(text(100, 33))
    wait_until("keepalived's interface", lambda: on(site.r2, "shared")[1], lambda seen: seen == [FRONT4 + "33"], within=20)
    assert ours.state("one") == "MASTER"
    ours.stop()
    assert not on(site.r1, "shared")[0]
    wait_until("keepalived to hold it", lambda: on(site.r2, "front")[1], lambda seen: VIP in seen, within=20)
    ours = site.r1.poised(text(50, 32))
    wait_until("keepalived to be heard", lambda: ours.vrrp("one").get("adverts_received", 0), lambda n: n >= 3, within=20)
    assert on(site.r1, "shared")[1] == [FRONT4 + "32"] and ours.state("one") == "BACKUP"
