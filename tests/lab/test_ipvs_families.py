# SPDX-License-Identifier: GPL-2.0-or-later
"""Real traffic of the other protocols and families: UDP and SCTP, IPv6, and services of one family with servers of the other."""

import pytest

from poiselab import wait_until
from poiselab.configs import service
from poiselab.site import BACK4, BACK6, GATEWAY, GATEWAY6, VIP, VIP6

pytestmark = pytest.mark.ipvs

EQUAL = {"s1": 4, "s2": 4, "s3": 4}


def nat_router(router):
    for address, device in ((VIP + "/32", "front"), (GATEWAY + "/24", "back"), (VIP6 + "/128", "front"),
                            (GATEWAY6 + "/64", "back")):
        router.run("ip", "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))


def programmed(router, protocol, key):
    return len(router.ipvs().get((protocol, key), {}))


@pytest.mark.parametrize("kind", ("udp", "sctp"))
def test_datagrams_and_sctp_of_both_families(site, kind):
    """NAT with rr: twelve clients' ports, four for each server, over IPv4 and over IPv6."""
    nat_router(site.r1)
    if kind == "sctp":
        site.r1.run("modprobe", "sctp")
    text = ""
    for vip, addresses in ((VIP, [s.address for s in site.servers]), (VIP6, [s.address6 for s in site.servers])):
        text += service(addresses, address=vip, port=7000, check="").replace("protocol TCP", "protocol " + kind.upper())
        for server, address in zip(site.servers, addresses):
            server.echo(kind, address)
    site.r1.poised(text)
    for vip in (VIP, "[%s]" % VIP6):
        wait_until("the servers of " + vip, lambda v=vip: programmed(site.r1, kind.upper(), v + ":7000"), lambda n: n == 3)
    assert site.ask_many(kind, 12) == EQUAL
    assert site.ask_many(kind, 12, address=VIP6) == EQUAL


def decapsulate(server, number, six_in_four):
    """A tunnel device from r1 of the family of the server's address, with the virtual address of the other family; answers go
    past the director, through r2."""
    server.run("modprobe", "sit" if six_in_four else "ip6_tunnel")
    server.namespace.sysctl({"ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0})
    if six_in_four:
        server.namespace.ip("link add unwrap type sit local %s%d remote %s2" % (BACK4, number, BACK4), "link set unwrap up",
                            "addr add %s/128 dev unwrap nodad" % VIP6, "route replace default via %s3" % BACK6)
    else:
        server.namespace.ip("link add unwrap type ip6tnl mode ipip6 local %s%d remote %s2" % (BACK6, number, BACK6),
                            "link set unwrap up", "addr add %s/32 dev unwrap" % VIP, "route replace default via %s3" % BACK4)
        server.namespace.sysctl({"ipv4/conf/unwrap/rp_filter": 0})


@pytest.mark.parametrize("six_in_four", (False, True))
def test_a_service_of_one_family_with_servers_of_the_other(site, six_in_four):
    """By TUN, which is the one way that the kernel has for it."""
    vip = VIP6 if six_in_four else VIP
    site.r1.run("ip", "addr", "add", vip + ("/128" if six_in_four else "/32"), "dev", "front",
                *(["nodad"] if six_in_four else []))
    for number, server in enumerate(site.servers, 11):
        decapsulate(server, number, six_in_four)
        server.echo("udp", vip)
    site.r1.poised(service([s.address if six_in_four else s.address6 for s in site.servers], address=vip, port=7000,
                           kind="TUN", check="").replace("protocol TCP", "protocol UDP"))
    wait_until("the servers", lambda: programmed(site.r1, "UDP", ("[%s]" % vip if six_in_four else vip) + ":7000"),
               lambda n: n == 3)
    wait_until("the first answer", lambda: site.ask_many("udp", 1, address=vip, first=30000, seconds=1),
               lambda seen: not any("failed" in body for body in seen), within=20)
    seen = site.ask_many("udp", 12, address=vip)
    assert seen == EQUAL
