# SPDX-License-Identifier: GPL-2.0-or-later
"""Random pairs of configurations: from any A to any B by a reload. Each router goes through the same configurations in an
order of its own, so each of them is reached from two others, and what the kernel holds then must be the same on both.
What a reload may send is counted in the kernel's table from outside: one command for each entry that differs."""

import json
import os
import random
import re
import subprocess

import pytest

from poiselab import has_nftables, wait_until
from poiselab.configs import instance
from poiselab.site import FRONT4

CONFIGURATIONS = 26 if os.environ.get("POISE_LONG") else 7  # one pair less on each router
RAILS = 24 if os.environ.get("POISE_LONG") else 6
GUARDS = ["deny_clients {\n\t\t192.0.2.7\n\t\t203.0.113.0/24\n\t}", "deny_clients {\n\t\t192.0.2.8-9\n\t}", "client_rate_limit 5 burst 9",
          "allow_clients {\n\t\t198.51.100.0/24\n\t\t2001:db8:9::/48\n\t}", "service_rate_limit 100", "client_rate_limit 6"]
KINDS = ["NAT", "DR", "TUN", "TUN type gre csum", "TUN type gue port 6080"]
SCHEDULERS = ["rr", "wrr", "wlc", "lc", "sed", "fo", "dh", "sh\n\tsh-port", "sh\n\tsh-fallback", "mh\n\tmh-port", "lblcr"]
# What a virtual_server line says, the family of its servers, and its protocol.
SERVICES = [("192.0.2.10 80", 4, "TCP"), ("192.0.2.10 53", 4, "UDP"), ("192.0.2.10 5060", 4, "SCTP"), ("2001:db8:1::10 80", 6, "TCP"),
            ("fwmark 5", 4, None), ("fwmark 5", 6, None), ("group many", 4, "TCP"), ("group many", 4, "UDP"), ("192.0.2.11 80", 4, "TCP")]
# One that changes its place stands for the moment until the instance is heard of: these always have it.
PLACES = {"192.0.2.11 80": "master_only own", "192.0.2.10 5060": "backup_only own"}


def address(family, number):
    return ("198.51.100.%d" if family == 4 else "2001:db8:2::%d") % number


def random_server(rng, family, number):
    lines = ["weight %d" % rng.randrange(5)]
    if rng.randrange(4) == 0:
        lines += ["uthreshold %d" % rng.choice((100, 200)), "lthreshold %d" % rng.choice((0, 50))]
    if rng.randrange(6) == 0:
        lines.append("lvs_method " + rng.choice(KINDS))
    return "\treal_server %s 80 {\n\t\t%s\n\t}\n" % (address(family, number), "\n\t\t".join(lines))


def random_service(rng, line, family, protocol):
    """Persistence, quorum and sorry server, placement, rails where the kernel can have them."""
    kind = rng.choice(KINDS)
    lines = ["lb_algo " + rng.choice(SCHEDULERS), "lb_kind " + kind, "protocol %s" % protocol if protocol else "ip_family inet%s" % (
        "6" if family == 6 else "")]
    if rng.randrange(2):
        lines.append("persistence_timeout %d" % rng.choice((60, 120)))
        lines.append("persistence_granularity %s" % ("64" if family == 6 else "255.255.255.0"))
    if protocol == "UDP" and rng.randrange(2):
        lines.append("ops")
    if rng.randrange(3) == 0:
        lines += ["quorum %d" % rng.randrange(1, 9), "hysteresis 0", "sorry_server %s 80" % address(family, rng.choice((12, 99)))]
        lines += ["sorry_server_inhibit"] * rng.randrange(2)
    lines += [PLACES[line]] if line in PLACES else []
    if has_nftables() and rng.randrange(2):
        lines += [rng.choice(GUARDS)]
    servers = "".join(random_server(rng, family, 11 + i) for i in range(5) if rng.randrange(3))
    return "virtual_server %s {\n\t%s\n%s}\n" % (line, "\n\t".join(lines), servers or random_server(rng, family, 11))


def own_instance(vrid):
    return instance("own", "front", vrid, FRONT4 + "%d/32" % vrid, priority=100)


def configuration(number, vrid):
    """The same text for both routers, but for the instance that each has for itself. A mark of its own tells that it is in use."""
    rng = random.Random(number)
    folds = has_nftables() and rng.randrange(3) == 0
    group = "virtual_server_group many {\n%s}\n" % "".join(
        "\t%s\n" % line for line in ("192.0.2.20-22 8080", "192.0.2.30 8081", "192.0.2.32-35 8082", "192.0.2.40 8080") if rng.randrange(3))
    if "192" not in group:
        group = group.replace("}", "\t192.0.2.50 80\n}")
    text = "global_defs {\n\tipvs_audit_interval 60\n\t%s\n}\n" % ("nftables_ipvs" if folds else "")
    text += own_instance(vrid) + group
    text += "".join(random_service(rng, *one) for one in SERVICES if rng.randrange(4))
    return text + "virtual_server fwmark %d {\n\tlb_algo rr\n\tlb_kind DR\n%s}\n" % (1000 + number, random_server(rng, 4, 11))


def rules(router):
    """{the key of a service or of a server in it: the whole line, with the thresholds, which ipvsadm lists apart}"""
    found = {}
    thresholds = [line.split()[1:4] for line in router.run("ipvsadm", "-Ln", "--thresholds").splitlines()[3:] if "->" in line]
    for line in router.run("ipvsadm", "-Sn").splitlines():
        if line.startswith("-A"):
            found[line.split(" -s ")[0][3:]] = line
            continue
        key = re.match("-a (.* -r ([^ ]+))", line)
        server, upper, lower = thresholds.pop(0)
        assert server == key.group(2)
        found[key.group(1)] = "%s -x %s -y %s" % (line, upper, lower)
    return found


def count_needed(old, new):
    """A service that goes takes its servers with it, in one command."""
    gone = {key for key in set(old) - set(new) if key.split(" -r ")[0] not in set(old) - set(new) or " -r " not in key}
    return len(gone) + sum(1 for key in new if old.get(key) != new[key])


class Journey:
    """One router that goes from configuration to configuration."""

    def __init__(self, router, vrid):
        self.router, self.vrid = router, vrid
        self.table, self.tables = {}, {}
        self.poised = router.poised(own_instance(vrid))
        wait_until("the instance", lambda: self.poised.state("own"), lambda seen: seen == "MASTER", within=20)

    def state(self, number, before):
        """What stands there once the configuration is in use, or None."""
        status = self.poised.status()
        absent = sum("and here it is" in s["why"] for s in status["services"] if s["absent"])
        if (not all(s["programmed"] or s["absent"] for s in status["services"]) or
                absent != configuration(number, 0).count("backup_only")):
            return None
        try:
            table = rules(self.router)
        except (AssertionError, IndexError):
            return None  # between the two looks it has changed
        if "-f %d" % (1000 + number) not in table:
            return None
        return (table, status["kernel"]["operations"] - before, count_needed(self.table, table))

    def go_to(self, number):
        before = self.poised.status()["kernel"]["operations"]
        self.poised.write(configuration(number, self.vrid))
        self.poised.poisectl("reload")
        table, _, _ = wait_until("configuration %d on %s" % (number, self.router.short), lambda: self.state(number, before),
                                 lambda seen: seen and seen[1] == seen[2], within=20, every=0.1)
        self.table = self.tables[number] = table


@pytest.mark.ipvs
def test_from_any_configuration_to_any_other(site):
    journeys = [Journey(site.r1, 61), Journey(site.r2, 62)]
    for number, journey in enumerate(journeys):
        order = list(range(CONFIGURATIONS))
        random.Random(number).shuffle(order)
        for step in order:
            journey.go_to(step)
        # The same once more changes nothing.
        before = journey.poised.status()
        journey.poised.write("# again\n" + configuration(order[-1], journey.vrid))
        journey.poised.poisectl("reload")
        after = wait_until("the new generation", journey.poised.status, lambda seen, b=before: seen["generation"] > b["generation"])
        assert after["kernel"]["operations"] == before["kernel"]["operations"]
        assert after["kernel"]["errors"] == after["kernel"]["drift"] == 0
        assert rules(journey.router) == journey.table
    # While a sorry server works, servers that stood before keep their connections, with weight 0; others are not entered.
    first, second = ({number: {key: line for key, line in table.items() if " -w 0 " not in line}
                      for number, table in journey.tables.items()} for journey in journeys)
    for number in range(CONFIGURATIONS):
        assert first[number] == second[number], configuration(number, 0)


def canonical(thing):
    """nft's JSON without what depends on the way: handles, counts, and the order of elements."""
    if isinstance(thing, dict):
        return {key: canonical(value) for key, value in thing.items() if key not in ("handle", "packets", "bytes")}
    if isinstance(thing, list):
        return sorted((canonical(value) for value in thing), key=json.dumps)
    return thing


def ruleset(router):
    """What there is for services, and which packets are sent to it; the frame stays when nothing is in it any more."""
    done = subprocess.run(["nsenter", "--net=/run/netns/" + router.namespace.name, "nft", "-j", "list", "table", "inet", "poise_ipvs"],
                          capture_output=True, text=True, check=False)
    objects = json.loads(done.stdout)["nftables"] if done.returncode == 0 else []
    found = [value for entry in objects for value in entry.values() if value.get("chain", value.get("name", "")).startswith("s_")]
    found += [{"name": value["name"], "elem": value["elem"]} for entry in objects for kind, value in entry.items()
              if kind == "map" and value.get("elem")]
    return canonical(found)


def count_guards(text):
    """Services that have something in nftables: rails, or addresses that become a mark."""
    folds = "nftables_ipvs" in text
    return sum(any(guard in block for guard in GUARDS) or (folds and block.startswith("group"))
               for block in text.split("virtual_server ")[1:])


@pytest.mark.nftables
def test_rails_from_any_configuration_to_any_other(site):
    """Likewise for the rules before the services."""
    seen = []
    for router, vrid in ((site.r1, 61), (site.r2, 62)):
        order = list(range(100, 100 + RAILS))
        random.Random(vrid).shuffle(order)
        poised, found = None, {}
        for number in order:
            text = configuration(number, vrid)
            if poised:
                poised.write(text)
                poised.poisectl("reload")
            else:
                poised = router.poised(text)
            wait_until("the rails of %d" % number, lambda p=poised: json.loads(
                p.poisectl("show", "guard", "--json", check=False).stdout or "[]"),
                       lambda guards, n=count_guards(text): len(guards) == n and all(guard["applied"] for guard in guards), within=20)
            found[number] = ruleset(router)
        seen.append(found)
        assert "guard rails or marks of services are not in the kernel" not in poised.log()
    for number, found in seen[0].items():
        assert found == seen[1][number], configuration(number, 0)
