# SPDX-License-Identifier: GPL-2.0-or-later
"""Real connections through every scheduler, and how they are distributed. One process of the client opens them all, from
ports that it chooses, so that what a hash makes of them is the same in every run."""

import pytest

from poiselab import wait_until
from poiselab.configs import service
from poiselab.site import BACK4, GATEWAY, VIP

pytestmark = pytest.mark.ipvs

SERVERS = [BACK4 + "11", BACK4 + "12", BACK4 + "13"]
WEIGHTS = dict(zip(SERVERS, (1, 2, 3)))

def nat_router(site):
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    site.r1.run("ip", "addr", "add", GATEWAY + "/24", "dev", "back")
    for server in site.servers:
        server.nginx()


def weighted(scheduler, port=80, more=""):
    """A service whose servers have the weights 1, 2, 3 and answer on port 80."""
    text = service(SERVERS, check="", scheduler=scheduler, more=more)
    for server, weight in WEIGHTS.items():
        head, tail = text.split("real_server " + server, 1)
        text = head + "real_server " + server + tail.replace("weight 1", "weight %d" % weight, 1)
    return text.replace("virtual_server %s 80" % VIP, "virtual_server %s %d" % (VIP, port))


def weights(router, port=80):
    return {name.split(":")[0]: entry["weight"] for name, entry in router.ipvs().get(("TCP", "%s:%d" % (VIP, port)),
                                                                                   {}).items()}


BY_WEIGHT = {"wlc": "", "wrr": "", "mh": "mh-port"}


def test_two_thousand_connections_by_weight(site):
    """Each server gets its share within 10 %, and no connection fails."""
    nat_router(site)
    site.r1.poised("".join(weighted(name, port=8000 + i, more=more) for i, (name, more) in enumerate(BY_WEIGHT.items())))
    wait_until("the weights", lambda: [weights(site.r1, 8000 + i) for i in range(3)], lambda seen: seen == [WEIGHTS] * 3)
    for i, name in enumerate(BY_WEIGHT):
        seen = site.fetch_many(2000, port=8000 + i, first=20000 + 3000 * i)
        assert sum(seen.values()) == 2000 and set(seen) == {"s1", "s2", "s3"}, (name, seen)
        for number, weight in ((1, 1), (2, 2), (3, 3)):
            share = 2000 * weight / 6
            assert abs(seen["s%d" % number] - share) <= share / 10, (name, seen)


# What 60 connections of one client, one after the other, look like with weights 1, 2, 3.
EXPECTED = {
    "rr": lambda seen: seen == {"s1": 20, "s2": 20, "s3": 20},
    "wrr": lambda seen: seen == {"s1": 10, "s2": 20, "s3": 30},
    "lc": lambda seen: len(seen) == 3 and max(seen.values()) - min(seen.values()) <= 2,
    "wlc": lambda seen: abs(seen["s1"] - 10) <= 2 and abs(seen["s3"] - 30) <= 2,
    "sed": lambda seen: seen["s3"] >= 30,
    "nq": lambda seen: sum(seen.values()) == 60,
    "lblc": lambda seen: len(seen) == 1,
    "lblcr": lambda seen: len(seen) == 1,
    "dh": lambda seen: len(seen) == 1,
    "sh": lambda seen: len(seen) == 1,
    "mh": lambda seen: len(seen) == 1,
    "fo": lambda seen: seen == {"s3": 60},
    "ovf": lambda seen: seen.get("s3", 0) > 0,
}


def test_every_scheduler_carries_traffic(site):
    nat_router(site)
    site.r1.poised("".join(weighted(name, port=8000 + i) for i, name in enumerate(EXPECTED)))
    wait_until("the services", lambda: site.r1.ipvs(), lambda seen: len(seen) == len(EXPECTED))
    for i, (name, fits) in enumerate(EXPECTED.items()):
        seen = site.fetch_many(60, port=8000 + i, first=20000 + 100 * i)
        assert sum(seen.values()) == 60 and set(seen) <= {"s1", "s2", "s3"}, (name, seen)
        assert fits(seen), (name, seen)
