# SPDX-License-Identifier: GPL-2.0-or-later
"""Guard rails and marks in nftables: what they let through, what a reload touches, what others' rules see. They stand
before the service, so most of it is shown with a web server on the router itself, on any kernel with nftables."""

import json
import subprocess

import pytest

from poiselab import has_nftables, wait_until
from poiselab.configs import instance, service
from poiselab.daemons import Nginx
from poiselab.hold import Hold
from poiselab.process import kill
from poiselab.site import BACK4, FRONT4, VIP

CLIENT = FRONT4 + "50"
TABLE = ("inet", "poise_ipvs")
GLOBALS = "global_defs {\n\tipvs_audit_interval 1\n\t%s\n}\n"


def nft(router, *words):
    return router.run("nft", *words)


def table(router):
    """Our table as nft's JSON: {kind: [objects]}; empty when it is not there."""
    done = subprocess.run(["nsenter", "--net=/run/netns/" + router.namespace.name, "nft", "-j", "list", "table", *TABLE],
                          capture_output=True, text=True, check=False)
    found = {}
    for entry in json.loads(done.stdout)["nftables"] if done.returncode == 0 else []:
        for kind, value in entry.items():
            found.setdefault(kind, []).append(value)
    return found


def handle(router):
    tables = table(router).get("table", [])
    return tables[0]["handle"] if tables else None


def dropped(poised, what):
    guards = json.loads(poised.poisectl("show", "guard", "--json").stdout)
    return guards[0][what] if guards else None


def wait_applied(poised):
    wait_until("the rails", lambda: json.loads(poised.poisectl("show", "guard", "--json", check=False).stdout or "[]"),
               lambda guards: guards and all(guard["applied"] for guard in guards))


def web_router(router):
    router.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    router.web = router.keep(Nginx(router))
    wait_until("nginx on " + router.short, lambda: router.run("ss", "-Hltn"), lambda text: ":80 " in text)


def guarded(rails, globals_=""):
    return GLOBALS % globals_ + service([BACK4 + "11"], check="", more=rails)


def lists(deny, allow=""):
    text = "deny_clients {\n\t%s\n}\n" % deny
    return text + ("allow_clients {\n\t%s\n}\n" % allow if allow else "")


@pytest.mark.nftables
def test_lists_are_changed_by_element(site):
    web_router(site.r1)
    nft(site.r1, "add table inet others")
    nft(site.r1, "add chain inet others c { type filter hook prerouting priority 0 ; }")
    nft(site.r1, "add rule inet others c counter")
    poised = site.r1.poised(guarded(lists("198.51.100.0/24 " + CLIENT)))
    wait_applied(poised)
    first = handle(site.r1)
    assert site.fetch(seconds=1) is None
    wait_until("the counter", lambda: dropped(poised, "denied"), lambda seen: seen)
    counted = dropped(poised, "denied")
    # Another list: the client may come, and nothing has been made anew.
    poised.write(guarded(lists("198.51.100.0/24 203.0.113.7-9 2001:db8:9::/48")))
    poised.poisectl("reload")
    wait_until("an answer", lambda: site.fetch(seconds=1), lambda body: body == "r1\n")
    assert handle(site.r1) == first
    assert dropped(poised, "denied") >= counted
    # Only some are allowed.
    poised.write(guarded(lists("198.51.100.0/24", "203.0.113.0/24")))
    poised.poisectl("reload")
    wait_until("no answer", lambda: site.fetch(seconds=1), lambda body: body is None)
    wait_until("the counter", lambda: dropped(poised, "not_allowed"), lambda seen: seen)
    poised.write(guarded(lists("198.51.100.0/24", "203.0.113.0/24 " + CLIENT)))
    poised.poisectl("reload")
    wait_until("an answer", lambda: site.fetch(seconds=1), lambda body: body == "r1\n")
    assert handle(site.r1) == first
    # No rails any more: no table; and the others' was never touched.
    poised.write(guarded(""))
    poised.poisectl("reload")
    wait_until("no table", lambda: handle(site.r1), lambda seen: seen is None)
    assert "counter packets" in nft(site.r1, "list", "table", "inet", "others")


@pytest.mark.nftables
def test_a_crash_and_a_stranger(site):
    """A successor takes over what it finds; what a stranger removed is back within an audit; a stop takes all away."""
    web_router(site.r1)
    poised = site.r1.poised(guarded("client_rate_limit 5 burst 5\n" + lists("203.0.113.0/24")))
    wait_applied(poised)
    assert site.fetch() == "r1\n"
    remembered = {s["name"]: s.get("elem") for s in table(site.r1)["set"]}["s_192_0_2_10_80_tcp_rate4"]
    assert remembered
    first = handle(site.r1)
    old = poised.role_pids("ipvs")
    kill(old)
    wait_until("a new ipvs role", lambda: poised.role_pids("ipvs"), lambda pids: pids and pids != old)
    wait_applied(poised)
    assert handle(site.r1) == first
    nft(site.r1, "delete", "chain", *TABLE, "guard")
    wait_until("the repair", lambda: any(c["name"] == "guard" for c in table(site.r1).get("chain", [])), bool)
    poised.wait_log("someone else changed our nftables table poise_ipvs: repaired")
    nft(site.r1, "delete", "table", *TABLE)
    wait_until("the repair", lambda: handle(site.r1), bool)
    poised.stop()
    assert handle(site.r1) is None


def guard(poised):
    guards = json.loads(poised.poisectl("show", "guard", "--json").stdout)
    return guards[0] if guards else {}


@pytest.mark.nftables
def test_rails_wait_for_others_alone(site):
    """Another program's large ruleset holds the kernel's lock: at the start, at reloads, at a stop. The role neither hangs
    nor refuses, and says what it waits for; the rails come when the lock is free."""
    web_router(site.r1)
    busy = Hold(site.r1, "poise-ipvs", "rules")
    poised = site.r1.poised(guarded(lists(CLIENT)), env=busy.env)
    poised.wait_log("guard rails and marks wait, and new services that have them; all others do not", within=20)
    pid = poised.role_pids("ipvs")
    assert not guard(poised)["applied"] and "lock" in guard(poised)["why"]
    assert any("guard rails are not in the kernel" in problem["text"] for problem in poised.status()["problems"])
    poised.write(guarded(lists("203.0.113.7")))
    poised.poisectl("reload")
    assert site.fetch() == "r1\n"
    busy.release()
    poised.wait_log("nftables answers again", within=20)
    wait_applied(poised)
    assert "203.0.113.7" in nft(site.r1, "list", "table", *TABLE) and CLIENT not in nft(site.r1, "list", "table", *TABLE)
    # Rails that are the first ones: the vote does not wait for the lock either.
    poised.write(guarded(""))
    poised.poisectl("reload")
    wait_until("no table", lambda: handle(site.r1), lambda seen: seen is None)
    busy.hold()
    poised.write(guarded(lists(CLIENT)))
    poised.poisectl("reload")
    wait_until("the rails to wait", lambda: guard(poised), lambda seen: seen and not seen["applied"])
    busy.release()
    wait_applied(poised)
    assert site.fetch(seconds=1) is None
    assert poised.role_pids("ipvs") == pid
    assert poised.stop() == 0
    assert handle(site.r1) is None


@pytest.mark.ipvs
def test_only_new_services_wait_for_their_rails(site):
    """While nothing of nftables is answered: one without rails is programmed, a new one with rails is not, and says why; one
    that stands goes on with the rails that it has, its servers coming and going."""
    busy = Hold(site.r1, "poise-ipvs", "rules")
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    site.r1.run("ip", "addr", "add", BACK4 + "1/24", "dev", "back")
    for server in site.servers[:2]:
        server.nginx()
    plain = service([BACK4 + "13"], check="", port=8080)
    two = GLOBALS % "" + service([BACK4 + "11", BACK4 + "12"], more=lists("203.0.113.7"))
    poised = site.r1.poised(two + plain, env=busy.env)

    def weights(port=80):
        table = site.r1.ipvs().get(("TCP", "%s:%d" % (VIP, port)))
        return table and {name.split(":")[0]: server["weight"] for name, server in table.items()}

    wait_until("the service without rails", lambda: weights(8080), lambda seen: seen == {BACK4 + "13": 1}, within=20)
    poised.wait_log("guard rails and marks wait, and new services that have them; all others do not", within=20)
    assert weights() is None
    entry = wait_until("the reason", lambda: poised.status()["services"][0], lambda seen: "lock" in seen["why"])
    assert entry["why"].startswith("waits for its guard rails: ") and not entry["programmed"] and not entry["absent"]
    busy.release()
    wait_until("the servers", weights, lambda seen: seen == {BACK4 + "11": 1, BACK4 + "12": 1}, within=20)
    busy.hold()
    pid = poised.role_pids("ipvs")
    site.servers[0].web.sick()
    wait_until("a server to leave", weights, lambda seen: seen == {BACK4 + "12": 1}, within=20)
    more = service([BACK4 + "11"], check="", port=8081, more=lists("203.0.113.9"))
    poised.write(two.replace("203.0.113.7", "203.0.113.8").replace("weight 1", "weight 5") + plain + more)
    poised.poisectl("reload")
    wait_until("another weight", weights, lambda seen: seen == {BACK4 + "12": 5}, within=20)
    if has_nftables():
        assert "203.0.113.7" in nft(site.r1, "list", "table", *TABLE)
        assert weights(8081) is None
        busy.release()
        wait_until("the other service", lambda: weights(8081), lambda seen: seen == {BACK4 + "11": 1}, within=20)
    assert poised.role_pids("ipvs") == pid
    assert poised.stop() == 0
    assert not site.r1.ipvs()


@pytest.mark.nftables
def test_services_that_nftables_could_take_for_one(site):
    """A mark's services of both families, groups whose names differ in a dash: each has its own rails."""
    named = "virtual_server_group %s {\n\t192.0.2.%d 80\n}\n"
    text = GLOBALS % ""
    for family, real, denied in (("inet", BACK4 + "11", "203.0.113.1"), ("inet6", "2001:db8:2::11", "2001:db8:9::1")):
        text += service([real], check="", kind="DR", more="ip_family %s\n%s" % (family, lists(denied))).replace(
            "virtual_server %s 80" % VIP, "virtual_server fwmark 5").replace("protocol TCP", "")
    for name, denied in (("a-b", 2), ("a_b", 3)):
        text += named % (name, 20 + denied) + service([BACK4 + "11"], check="", more=lists("203.0.113.%d" % denied)).replace(
            "virtual_server %s 80" % VIP, "virtual_server group " + name)
    poised = site.r1.poised(text)
    wait_applied(poised)
    sets = {s["name"]: s["elem"] for s in table(site.r1)["set"] if "_deny" in s["name"] and s.get("elem")}
    assert sorted(sum(sets.values(), [])) == ["2001:db8:9::1", "203.0.113.1", "203.0.113.2", "203.0.113.3"] and len(sets) == 4, sets


@pytest.mark.ipvs
@pytest.mark.skipif(has_nftables(), reason="this kernel has nftables")
def test_rails_that_the_kernel_cannot_have_are_refused(site):
    """A reload that asks for them is, with the reason; without them nobody misses nftables."""
    plain = GLOBALS % "" + service([BACK4 + "11"], check="")
    poised = site.r1.poised(plain)
    wait_until("the service", site.r1.ipvs, bool)
    assert "nftables" not in poised.log() and "nf_tables" not in poised.log()
    poised.write(guarded(lists(CLIENT)))
    refused = poised.poisectl("reload", check=False)
    assert refused.returncode != 0 and "nf_tables lacks something" in refused.stdout + refused.stderr, refused
    poised.write(plain.replace("weight 1", "weight 6"))
    poised.poisectl("reload")
    wait_until("the weight", lambda: [one["weight"] for servers in site.r1.ipvs().values() for one in servers.values()],
               lambda seen: seen == [6])


@pytest.mark.nftables
def test_rates_of_a_client_and_of_a_service(site):
    web_router(site.r1)
    poised = site.r1.poised(guarded("client_rate_limit 1 burst 4"))
    wait_applied(poised)
    served = [site.fetch(seconds=1) for _ in range(8)]
    assert "r1\n" in served and None in served
    wait_until("the counter", lambda: dropped(poised, "client_rate"), lambda seen: seen)
    first = handle(site.r1)
    poised.write(guarded("service_rate_limit 1 burst 3"))
    poised.poisectl("reload")
    wait_until("the other rails", lambda: nft(site.r1, "list", "table", *TABLE),
               lambda text: "service_rate_limit" in text and "client_rate_limit" not in text)
    assert handle(site.r1) == first
    served = [site.fetch(seconds=1) for _ in range(8)]
    assert "r1\n" in served and None in served
    wait_until("the counter", lambda: dropped(poised, "service_rate"), lambda seen: seen)


@pytest.mark.nftables
def test_rails_of_a_udp_service(site):
    """A datagram from another port is another connection: the list, the rate and its counter work as for TCP."""
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    site.r1.echo("udp", VIP, port=80)

    def ask(count, first):
        return site.ask_many("udp", count, port=80, first=first, seconds=0.5)

    def rails(text):
        return guarded(text).replace("protocol TCP", "protocol UDP")

    poised = site.r1.poised(rails(lists(CLIENT)))
    wait_applied(poised)
    assert ask(1, 20000).get("r1", 0) == 0
    wait_until("the counter", lambda: dropped(poised, "denied"), lambda seen: seen)
    poised.write(rails("client_rate_limit 1 burst 4"))
    poised.poisectl("reload")
    wait_until("the other rails", lambda: nft(site.r1, "list", "table", *TABLE), lambda text: "client_rate_limit" in text)
    seen = ask(12, 21000)
    assert 4 <= seen.get("r1", 0) < 12, seen
    wait_until("the counter", lambda: dropped(poised, "client_rate"), lambda n: n)


HOLD = """
import socket, sys, time
held = []
for _ in range(int(sys.argv[2])):
    try:
        held.append(socket.create_connection((sys.argv[1], 80), timeout=1))
    except OSError:
        pass
print(len(held), flush=True)
time.sleep(60)
"""


@pytest.mark.nftables
def test_connections_of_a_client_at_the_same_time(site):
    web_router(site.r1)
    poised = site.r1.poised(guarded("client_connection_limit 3", "lvs_sysctl {\n\t\tconntrack 1\n\t}"))
    wait_applied(poised)
    holder = site.client.start("hold", ["/usr/bin/python3", "-c", HOLD, VIP, "6"])
    wait_until("the connections", lambda: open(site.client.log("hold"), encoding="utf-8").read().strip(),
               lambda text: text == "3", within=20)
    wait_until("the counter", lambda: dropped(poised, "client_connections"), lambda seen: seen)
    holder.stop()
    wait_until("an answer", lambda: site.fetch(seconds=1), lambda body: body == "r1\n", within=20)


GROUP = """
virtual_server_group pool {
	192.0.2.0/25 80
	192.0.2.200 8080
	2001:db8:1::/64 80
}
virtual_server group pool {
	lb_algo rr
	lb_kind NAT
	protocol TCP
	real_server %s 80 {
	}
}
""" % (BACK4 + "11")



@pytest.mark.nftables
def test_groups_become_one_mark(site):
    """The mark that packets get is the one of the service, for each address of the group and for no other."""
    web_router(site.r1)
    poised = site.r1.poised(GLOBALS % "nftables_ipvs\n\tnftables_ipvs_start_fwmark 7000" + GROUP)
    elements = wait_until("the map", lambda: {m["name"]: m.get("elem") for m in table(site.r1).get("map", [])}.get("marks4"),
                          bool)
    mark = {element[1] for element in elements}
    assert len(elements) == 2 and len(mark) == 1, elements
    mark = mark.pop()
    assert 7000 <= mark < 1007000
    nft(site.r1, "add table inet watch")
    nft(site.r1, "add chain inet watch c { type filter hook prerouting priority 0 ; }")
    nft(site.r1, "add rule inet watch c meta mark %d tcp flags syn / syn,ack counter" % mark)
    assert site.fetch() == "r1\n"
    assert "counter packets 1 " in nft(site.r1, "list", "table", "inet", "watch")
    site.client.run("curl", "-s", "--max-time", "1", "http://%s:81/" % VIP, check=False)
    assert "counter packets 1 " in nft(site.r1, "list", "table", "inet", "watch")
    poised.stop()
    assert handle(site.r1) is None


@pytest.mark.ipvs
@pytest.mark.nftables
def test_a_folded_group_carries_traffic(site):
    """One service in the kernel for thousands of addresses, limited connections and all."""
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    site.r1.run("ip", "addr", "add", BACK4 + "1/24", "dev", "back")
    for server in site.servers:
        server.nginx()
    # Emulated machines are slow: heartbeats of five seconds give every role time.
    slow = instance("slow", "front", 77, FRONT4 + "77/24", priority=100, advert=5)
    poised = site.r1.poised(GLOBALS % "nftables_ipvs\n\tlvs_sysctl {\n\t\tconntrack 1\n\t}" + slow + GROUP.replace(
        "\treal_server", "\tclient_connection_limit 3\n\treal_server"))
    wait_until("the server", lambda: site.r1.ipvs(), lambda seen: any(seen.values()), within=60)
    assert {kind for kind, _ in site.r1.ipvs()} == {"FWM"}
    wait_until("an answer", site.fetch, lambda body: body == "s1\n", within=60)
    wait_applied(poised)
    site.client.start("hold", ["/usr/bin/python3", "-c", HOLD, VIP, "6"])
    wait_until("the connections", lambda: open(site.client.log("hold"), encoding="utf-8").read().strip(),
               lambda text: text == "3", within=20)
