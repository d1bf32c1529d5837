# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes, rules and addresses with every attribute: there with mastership, gone without it, put back when somebody else
removes them, found again after a crash, and nobody else's touched."""

import json
import os
import re
import signal

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.site import BACK4, FRONT4, FRONT6, VIP

ROUTES = """virtual_routes {
	10.10.0.0/16 via %(front)s254 dev front src %(vip)s
	10.11.0.0/16 via %(back)s11 or %(back)s12 dev back table 77
	10.12.0.0/16 dev back table 77 metric 5 mtu lock 1400 advmss 1300 initcwnd 20 tos 4
	blackhole 10.13.0.0/16
	default via %(front6)s254 dev front table 78 pref high
	2001:db8:9::/48 via %(front6)s253 dev front metric 7
}
virtual_rules {
	from 10.20.0.0/16 table 77 preference 7001
	iif back fwmark 0x10/0xff ipproto tcp dport 80-90 table 77 preference 7002
	not to 2001:db8:9::/48 table 78 preference 7003 inet6
}""" % {"front": FRONT4, "back": BACK4, "front6": FRONT6, "vip": VIP}
STATIC = """static_ipaddress {
	%s77/32 dev back scope host label back:st
	2001:db8:7::7/64 dev back home noprefixroute preferred_lft 0
}
static_routes {
	10.30.0.0/16 via %s11 dev back
}
static_rules {
	from 10.31.0.0/16 table 77 preference 7100
}
""" % (BACK4, BACK4)
OURS = "proto keepalived"


def routes(machine, family="-4"):
    """The routes of the protocol keepalived in all tables, one a line."""
    return machine.run("ip", "-N", family, "route", "show", "table", "all", "proto", "18")


def rules(machine, family="-4"):
    return [line for line in machine.run("ip", "-N", family, "rule", "show").splitlines() if re.match(r"7[01]\d\d:", line)]


def everything(machine):
    return (len((routes(machine) + routes(machine, "-6")).replace("\n\t", " ").strip().splitlines()),
            len(rules(machine) + rules(machine, "-6")))


def present(machine, n_routes, n_rules, within=10):
    wait_until("%d routes and %d rules on %s" % (n_routes, n_rules, machine.short), lambda: everything(machine),
               lambda seen: seen == (n_routes, n_rules), within=within)


def config(priority, more=ROUTES, static=""):
    return static + instance("one", "front", 51, VIP + "/24 dev front noprefixroute", priority=priority, advert=0.2,
                             more="version 3\n" + more)


def test_routes_and_rules_follow_the_master(site):
    site.r2.run("ip", "route", "add", "10.40.0.0/16", "dev", "back", "proto", "18")  # somebody else's
    ours = site.r1.poised(config(150))
    site.r2.poised(config(100))
    present(site.r1, 6, 3)
    present(site.r2, 1, 0)
    text = routes(site.r1) + routes(site.r1, "-6")
    assert re.search(r"10\.10\.0\.0/16 via %s254 dev front .*src %s" % (FRONT4, VIP), text)
    assert re.search(r"10\.12\.0\.0/16 tos 0x04 dev back table 77 .*metric 5 mtu lock 1400 advmss 1300 initcwnd 20", text)
    assert re.search(r"nexthop via %s11 dev back weight 1" % BACK4, text), text
    assert re.search(r"(blackhole|6) 10\.13\.0\.0/16", text) and "pref high" in text
    assert "7002:\tfrom all fwmark 0x10/0xff iif back ipproto ipproto-6 dport 80-90 lookup 77 proto 18" in "\n".join(
        rules(site.r1)), rules(site.r1)
    address = json.loads(site.r1.run("ip", "-j", "addr", "show", "dev", "front"))[0]["addr_info"]
    assert any(a["local"] == VIP and a.get("noprefixroute") for a in address)
    assert ours.vrrp("one")["routes_held"] == 6 and ours.vrrp("one")["rules_held"] == 3
    ours.stop()
    present(site.r1, 0, 0)
    present(site.r2, 7, 3)


def test_what_somebody_removes_is_put_back(site):
    text = ROUTES.replace("metric 7", "metric 7 no_track")
    ours = site.r1.poised(config(150, text))
    present(site.r1, 6, 3)
    site.r1.run("ip", "route", "del", "10.11.0.0/16", "table", "77")
    site.r1.run("ip", "rule", "del", "preference", "7001")
    present(site.r1, 6, 3)
    site.r1.run("ip", "route", "del", "10.13.0.0/16")
    present(site.r1, 6, 3)
    site.r1.run("ip", "-6", "route", "del", "2001:db8:9::/48")
    wait_until("the log to say so", lambda: open(site.r1.log("poised"), encoding="utf-8").read(),
               lambda log: "left out until the next takeover (no_track)" in log)
    present(site.r1, 5, 3)
    # A neighbour that takes the link away takes routes with it, silently.
    site.r1.run("ip", "link", "set", "back", "down")
    wait_until("a fault", lambda: ours.state("one"), lambda state: state == "FAULT")
    present(site.r1, 0, 0)
    site.r1.run("ip", "link", "set", "back", "up")
    present(site.r1, 6, 3)


# What a route wraps its packets in: the words that keepalived knows, too, then those of ip-route(8) alone.
WRAPPED = {
    "ip": "10.50.0.0/16 encap ip id 7 dst %s11 src %s2 tos 8 ttl 64 dev back" % (BACK4, BACK4),
    "ip6": "10.51.0.0/16 encap ip6 id 8 dst 2001:db8:2::11 hoplimit 9 dev back",
    "mpls": "10.52.0.0/16 encap mpls 16/17 via %s11 dev back" % BACK4,
    "ila": "2001:db8:20:0:2000::/96 encap ila 2001:db8:1:2 via fe80::11 dev back",
}
OF_IP_ROUTE = {
    "seg6": "2001:db8:21::/48 encap seg6 mode encap segs 2001:db8:2::11,2001:db8:2::12 dev back",
    "two": "10.53.0.0/16 nexthop encap ip id 1 via %s11 dev back nexthop via %s12 dev back" % (BACK4, BACK4),
}


def wrapped_by_kernel(machine):
    """The wrappings that this kernel has."""
    able = []
    for name, words in list(WRAPPED.items()) + list(OF_IP_ROUTE.items()):
        family = "-6" if words.startswith("2001") else "-4"
        add = machine.run("sh", "-c", "ip %s route add %s && ip %s route del %s && echo able || true" % (
            family, words, family, words.split(" ")[0]))
        able += [name] if "able" in add else []
    return able


def compare_wrapped(site):
    """Returns the wrappings that this kernel has; keepalived's and ours of those are the same."""
    able = wrapped_by_kernel(site.r2)
    assert "ip" in able
    both = [words for name, words in WRAPPED.items() if name in able]
    more = [words for name, words in OF_IP_ROUTE.items() if name in able]
    block = "virtual_routes {\n\t%s\n}"
    peer = site.r2.keepalived(config(150, block % "\n\t".join(both)))
    wait_until("keepalived's routes", lambda: everything(site.r2), lambda seen: seen == (len(both), 0), within=20)
    theirs = routes(site.r2) + routes(site.r2, "-6")
    assert theirs.count(" encap ") == len(both), theirs
    peer.stop()
    ours = site.r1.poised(config(150, block % "\n\t".join(both)))
    present(site.r1, len(both), 0)
    assert routes(site.r1) + routes(site.r1, "-6") == theirs
    ours.write(config(150, block % "\n\t".join(both + more)))
    ours.poisectl("reload")
    present(site.r1, len(both + more), 0)
    seen = routes(site.r1) + routes(site.r1, "-6")
    assert "seg6" not in able or "encap seg6 mode encap segs 2 [ 2001:db8:2::11 2001:db8:2::12 ]" in seen, seen
    assert "two" not in able or re.search(r"nexthop +encap ip id 1 .*via %s11 dev back" % BACK4, seen), seen
    # Another one to the same place is not taken for ours.
    site.r1.run("ip", "route", "replace", *WRAPPED["ip"].replace("id 7", "id 70").split(), "proto", "18")
    wait_until("the right one again", lambda: routes(site.r1), lambda seen: " id 7 " in seen)
    ours.stop()
    left = routes(site.r1) + routes(site.r1, "-6")
    assert left.count("encap") == 1 and " id 70 " in left, left
    return able


def test_wrapped_routes(site):
    """encap: in the kernel as keepalived puts it there, put back when removed, gone with mastership."""
    assert "ip6" in compare_wrapped(site)


def test_static_objects_stay_whoever_is_master(site):
    ours = site.r1.poised(config(100, static=STATIC))
    site.r2.poised(config(150))
    present(site.r1, 1, 1)
    present(site.r2, 6, 3)
    address = site.r1.run("ip", "addr", "show", "dev", "back")
    assert re.search(r"inet %s77/32 scope host back:st\s+valid_lft forever" % BACK4, address), address
    assert re.search(r"inet6 2001:db8:7::7/64 scope global (deprecated|home|nodad|noprefixroute| )+", address), address
    assert "home" in address and "noprefixroute" in address and "deprecated" in address
    ours.write(config(100, static=STATIC.replace("10.30", "10.32").replace("preference 7100", "preference 7101")))
    ours.poisectl("reload")
    wait_until("the new route", lambda: routes(site.r1), lambda text: "10.32.0.0/16" in text and "10.30" not in text)
    present(site.r1, 1, 1)
    assert "7101:" in rules(site.r1)[0]
    ours.stop()
    present(site.r1, 0, 0)
    assert BACK4 + "77" not in site.r1.run("ip", "addr", "show", "dev", "back")


def test_a_crash_leaves_nothing_behind(site):
    """kill -9 of vrrp: the next one finds its routes by the ledger; kill -9 of everything: the next daemon does."""
    first = site.r1.poised(config(150))
    present(site.r1, 6, 3)
    os.kill(first.role_pids("vrrp")[0], signal.SIGKILL)
    wait_until("mastership again", lambda: first.vrrp("one").get("why", ""), lambda why: why != "", within=10)
    present(site.r1, 6, 3)
    site.r1.kill_all()
    present(site.r1, 6, 3)
    second = site.r1.poised(config(150, ROUTES.replace("blackhole 10.13.0.0/16", "blackhole 10.14.0.0/16")))
    wait_until("the new route", lambda: routes(site.r1), lambda text: "10.14.0.0/16" in text and "10.13" not in text)
    present(site.r1, 6, 3)
    assert "not added" not in open(site.r1.log("poised"), encoding="utf-8").read()
    second.stop()
    present(site.r1, 0, 0)


TRACKED = """track_group served {
	group {
		one
	}
}
static_ipaddress {
	%s77/32 dev late track_group served
}
static_routes {
	10.60.0.0/16 via %s254 dev back track_group served
}
static_rules {
	from 10.61.0.0/16 table 77 preference 7200 track_group served
}
""" % (BACK4, BACK4)


def test_an_instance_depends_on_static_objects(site):
    """track_group: what cannot be had is a fault of the instances of the group, with its name; what somebody removes is not,
    it is put back."""
    ours = site.r1.poised(config(150, "", TRACKED))
    wait_until("the fault", lambda: ours.vrrp("one").get("why", ""),
               lambda why: "static group served" in why, within=20)
    track = [track for track in ours.vrrp("one")["tracks"] if track["kind"] == "static_group"][0]
    assert track["why"] == BACK4 + "77 is not there: there is no interface late" and track["up"] is False
    site.r1.namespace.ip("link add late type veth peer name late-peer", "link set late up")
    wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    before = ours.vrrp("one")["became_master"]
    site.r1.run("ip", "addr", "del", BACK4 + "77/32", "dev", "late")
    site.r1.run("ip", "route", "del", "10.60.0.0/16")
    wait_until("both to be back", lambda: (BACK4 + "77/32" in site.r1.run("ip", "addr"), "10.60" in routes(site.r1)),
               lambda seen: seen == (True, True))
    assert ours.vrrp("one")["became_master"] == before and ours.state("one") == "MASTER"
    site.r1.run("ip", "link", "del", "late")
    wait_until("the fault again", lambda: ours.state("one"), lambda state: state == "FAULT")


def test_announcements_go_on_beside_looks_at_many_routes(site):
    """A look takes its time where there are many routes, and something changes meanwhile, over and over: every announcement
    of the burst leaves all the same."""
    rounds, more = 15, "garp_master_delay 0\ngarp_master_repeat %d\n" % 15
    site.r1.namespace.ip(*["route add 10.%d.%d.0/24 dev back table 77 proto 18" % (64 + i // 256, i % 256) for i in range(20000)],
                         "link add flap type veth peer name flapped")
    seen = site.client.capture("eth0")
    flapper = site.r1.start("flapper", ["sh", "-c", "for i in $(seq 20000); do ip link set flap up; ip link set flap down; done"])
    site.r1.poised("global_defs {\n\tvrrp_garp_interval 0.05\n\taddress_lifetime 0\n}\n" + config(
        150, more + "virtual_routes {\n10.13.0.0/16 dev back table 77\n}"))
    wait_until("the burst", lambda: [p for _, p in seen.packets("ARP") if p["ARP"].psrc == VIP == p["ARP"].pdst],
               lambda found: len(found) >= rounds, within=30)
    flapper.stop()
