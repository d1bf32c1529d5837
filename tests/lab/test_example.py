# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration that the package offers: one file for both routers, and five values make it work."""

import pytest

from poiselab import wait_until
from poiselab.example import example
from poiselab.site import BACK4, GATEWAY, VIP

PATIENCE_S = 3.61  # of priority 100 and 1 s adverts


@pytest.mark.ipvs
def test_five_values_make_the_example_work(site):
    for server in site.servers:
        server.nginx()
    for router in site.routers:
        # The example sees to that itself.
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    text = example("r1", client_side="front", server_side="back")
    # Strictly, as /etc/poise/poise.conf is read
    first, second = (router.poised(text, "-i", router.short, "-d", "poise") for router in site.routers)
    wait_until("r1 to hold both addresses", lambda: (site.holders(VIP), site.holders(GATEWAY)),
               lambda held: held == (["r1"], ["r1"]), within=40)
    wait_until("its servers", lambda: len(site.r1.ipvs().get(("TCP", VIP + ":80"), {})), lambda n: n == 3, within=20)
    wait_until("a served request", site.fetch, lambda body: body in ("s1\n", "s2\n", "s3\n"), within=20)
    assert [first.vrrp(name)["priority"] for name in ("front", "back")] == [150, 150]
    assert [second.vrrp(name)["priority"] for name in ("front", "back")] == [100, 100]

    site.r1.cut()
    wait_until("r2 to serve", lambda: (VIP in site.r2.addresses(), GATEWAY in site.r2.addresses(), site.fetch(seconds=1)),
               lambda seen: seen[:2] == (True, True) and seen[2], within=10 * PATIENCE_S)
    assert (BACK4 + "11", 80) in [(s["address"], s["port"]) for s in second.status()["services"][0]["servers"]]
    site.r1.restore()
    wait_until("r1 to be master again", lambda: (site.holders(VIP), site.holders(GATEWAY)),
               lambda held: held == (["r1"], ["r1"]), within=40)

    # What it changed in the kernel comes back
    assert site.r2.run("sysctl", "-n", "net.ipv4.ip_forward").strip() == "1"
    for daemon in (second, first):
        assert daemon.stop() == 0
    for router in site.routers:
        assert router.run("sysctl", "-n", "net.ipv4.ip_forward").strip() == "0"
        assert router.ipvs() == {}
