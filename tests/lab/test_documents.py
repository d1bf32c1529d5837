# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents say, typed. (doc/servers.md: test_ipvs_table.py; README and README.Debian: tests/machines.)"""

import re

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, service
from poiselab.documents import block
from poiselab.example import example, with_everything
from poiselab.site import BACK4, BACK6, FRONT4, GATEWAY, VIP, VIP6


@pytest.mark.ipvs
def test_direct_routing_of_ipv6(site):
    """doc/servers.md: the address on lo is all that a server needs."""
    site.r1.run("ip", "addr", "add", VIP6 + "/64", "dev", "front", "nodad")
    for server in site.servers:
        server.run("ip", "address", "add", VIP6 + "/128", "dev", "lo")
        server.run("ip", "-6", "route", "replace", "default", "via", BACK6 + "3")
        server.nginx()
    site.r1.poised(service([BACK6 + "11", BACK6 + "12", BACK6 + "13"], address=VIP6, kind="DR", check=TCP_CHECK))
    seen = set()
    wait_until("answers of all three", lambda: seen.add((site.fetch(address=VIP6) or "").strip()) or seen,
               lambda answers: {"s1", "s2", "s3"} <= answers, within=30)


def ruleset(peer_host):
    """doc/firewall.md's, for the site; the other router is `peer_host`."""
    text = block("doc/firewall.md", "nft")
    text = re.sub(r"203\.0\.113\.3\b", FRONT4 + peer_host, text).replace("203.0.113.10", VIP)
    return re.sub(r"10\.0\.0\.3\b", BACK4 + peer_host, text).replace("10.0.0.", BACK4)


@pytest.mark.ipvs
@pytest.mark.nftables
def test_the_example_behind_the_firewall(site):
    for server in site.servers:
        server.nginx()
    text = with_everything(example("r1", client_side="front", server_side="back"))
    text = re.sub(r"^\tenable_.*\n", "", text, flags=re.M)  # no snmpd here
    for router, peer in ((site.r1, "3"), (site.r2, "2")):
        router.run("nft", "-f", "-", stdin=ruleset(peer))
    first, second = (router.poised(text, "-i", router.short, "-d", "poise") for router in site.routers)
    # One master, so the advertisements of both networks came through
    wait_until("r1 to hold both addresses", lambda: (site.holders(VIP), site.holders(GATEWAY), second.state("front"),
                                                     second.state("back")),
               lambda seen: seen == (["r1"], ["r1"], "BACKUP", "BACKUP"), within=60)
    wait_until("a served request", site.fetch, lambda body: body in ("s1\n", "s2\n", "s3\n"), within=60)
    # The daemons talk, and the kernel's connections arrive
    wait_until("r2 to hold what r1 has", lambda: second.status().get("pair", {}),
               lambda pair: pair.get("coverage_of") and pair["coverage_percent"] == 100, within=60)
    assert first.state("front") == "MASTER"
    # The firewall is one: what it does not name stays outside
    site.r1.start("listener", ["/usr/bin/python3", "-m", "http.server", "--bind", "0.0.0.0", "9000"])
    wait_until("the listener", lambda: ":9000 " in site.r1.run("ss", "-Hltn"), within=20)
    assert site.client.run("curl", "-s", "--max-time", "2", "http://%s2:9000/" % FRONT4, check=False) == ""
