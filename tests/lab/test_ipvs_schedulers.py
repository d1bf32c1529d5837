# SPDX-License-Identifier: GPL-2.0-or-later
"""Real connections through every scheduler, and how they are distributed. One process of the client opens them all, from
ports that it chooses, so that what a hash makes of them is the same in every run."""

import pytest

from poiselab import wait_until
from poiselab.configs import service
from poiselab.site import BACK4, FRONT4, GATEWAY, VIP

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


def failed(seen):
    return sum(count for body, count in seen.items() if body.startswith("failed"))


def served(seen):
    return {body for body in seen if not body.startswith("failed")}


def equal(scheduler, port, more="", limit=""):
    """A service whose servers have the weight 1; `limit` stands in the first of them."""
    text = service(SERVERS, check="", scheduler=scheduler, more=more)
    text = text.replace("weight 1", "weight 1\n\t\t" + limit, 1)
    return text.replace("virtual_server %s 80" % VIP, "virtual_server %s %d" % (VIP, port))


def test_flags_of_the_hashing_schedulers(site):
    """By port, the connections of one client spread; with fallback, those of a server that is full go to the others, and
    without they fail."""
    nat_router(site)
    full = "uthreshold 1"
    cases = {8000: ("sh", "", ""), 8001: ("sh", "sh-port", ""), 8002: ("sh", "sh-port", full),
             8003: ("sh", "sh-port\nsh-fallback", full), 8004: ("mh", "mh-port", ""), 8005: ("mh", "mh-port", full),
             8006: ("mh", "mh-port\nmh-fallback", full)}
    site.r1.poised("".join(equal(name, port, more, limit) for port, (name, more, limit) in cases.items()))
    wait_until("the services", lambda: [len(weights(site.r1, port)) for port in cases], lambda seen: seen == [3] * len(cases))
    seen = {port: site.fetch_many(60, port=port, first=30000 + 100 * (port - 8000), seconds=0.3) for port in cases}
    for port in (8000, 8001, 8003, 8004, 8006):
        assert failed(seen[port]) == 0, seen
    assert len(served(seen[8000])) == 1, seen
    for port in (8001, 8003, 8004, 8006):
        assert served(seen[port]) == {"s1", "s2", "s3"}, seen
    for port, without_limit in ((8003, 8001), (8006, 8004)):
        assert seen[port]["s1"] < seen[without_limit]["s1"], seen
    for port in (8002, 8005):
        assert failed(seen[port]) > 0 and {"s2", "s3"} <= served(seen[port]), seen


def connections(router, protocol, port):
    for line in router.run("ipvsadm", "-Ln", "--stats", "--exact").splitlines():
        if line.split()[:2] == [protocol, "%s:%d" % (VIP, port)]:
            return int(line.split()[2])
    return None


def test_persistence_and_one_packet_scheduling(site):
    """With persistence one client stays with its server, for as long as its template lives; with `ops` every datagram of a
    flow is scheduled anew."""
    nat_router(site)
    udp = "".join(equal("rr", port, more).replace("protocol TCP", "protocol UDP") for port, more in ((7000, ""), (7001, "ops")))
    site.r1.poised(equal("rr", 8000) + equal("rr", 8001, "persistence_timeout 600\npersistence_granularity 255.255.255.0") + udp)
    wait_until("the services", lambda: len(site.r1.ipvs()), lambda seen: seen == 4)
    assert site.fetch_many(12, port=8000) == {"s1": 4, "s2": 4, "s3": 4}
    seen = site.fetch_many(12, port=8001)
    assert len(seen) == 1 and served(seen), seen
    # Another client of the same /24 goes where the first one went.
    other = FRONT4 + "51"
    site.client.namespace.ip("addr add %s/24 dev eth0" % other)
    body = site.client.run("curl", "-sf", "--interface", other, "http://%s:8001/" % VIP).strip()
    assert {body} == set(seen), (body, seen)
    for port in (7000, 7001):
        site.ask_many("udp", 6, port=port, first=31000, seconds=0.1, step=0)
    wait_until("both to be counted", lambda: [connections(site.r1, "UDP", port) for port in (7000, 7001)],
               lambda counts: counts == [1, 6], within=20)
