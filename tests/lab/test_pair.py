# SPDX-License-Identifier: GPL-2.0-or-later
"""What the two daemons tell each other: drains, differences of their configurations, and nothing without a key."""

import datetime
import time

from poiselab import pairpeer, wait_until
from poiselab.clock import Clock
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.site import BACK4, VIP

PRIORITY = {"r1": 150, "r2": 100}


def text(router, key='pair_key "only for this test"', **more):
    own, other = (BACK4 + "2", BACK4 + "3") if router.short == "r1" else (BACK4 + "3", BACK4 + "2")
    return nat_site(PRIORITY[router.short], advert=0.2, check=TCP_CHECK, globals_="vrrp_version 3\npair_address %s\n"
                    "pair_peer %s\n%s" % (own, other, key), **more)


def pair(daemon):
    return daemon.status().get("pair", {})


def up(*daemons):
    for daemon in daemons:
        wait_until("%s to hear the other node" % daemon.name, lambda d=daemon: pair(d).get("state"),
                   lambda seen: seen == "up", within=20)


def admin(daemon, server):
    return daemon.server(server.address).get("admin")


def test_a_drain_is_taken_over_by_the_other_node(site):
    first, second = site.r1.poised(text(site.r1)), site.r2.poised(text(site.r2))
    up(first, second)
    first.poisectl("drain", site.s1.address)
    wait_until("r2 to know of the drain", lambda: admin(second, site.s1), lambda seen: seen == "drain", within=20)
    # a node that comes later learns it, too; and what is newer wins, wherever it was said
    second.stop()
    first.poisectl("maint", site.s2.address)
    second = site.r2.poised(text(site.r2))
    up(first, second)
    wait_until("r2 to know of the maintenance", lambda: admin(second, site.s2), lambda seen: seen == "maint", within=30)
    second.poisectl("undrain", site.s1.address)
    wait_until("r1 to know that the drain is over", lambda: admin(first, site.s1), lambda seen: seen == "normal",
               within=20)
    assert admin(second, site.s1) == "normal" and admin(first, site.s2) == "maint"


def names(daemon):
    return {server["address"] for service in daemon.status()["services"] for server in service["servers"]}


def test_servers_added_and_removed_are_taken_over_by_the_other_node(site):
    service, new = VIP + ":80/tcp", BACK4 + "99"
    first, second = site.r1.poised(text(site.r1)), site.r2.poised(text(site.r2))
    up(first, second)

    def has(daemon, address, wanted=True):
        wait_until("%s to %s %s" % (daemon.name, "have" if wanted else "have no", address), lambda: address in
                   names(daemon), lambda seen: seen == wanted, within=30)

    first.poisectl("server", "add", service, new + ":80", "weight", "7")
    has(second, new)
    assert second.server(new)["weight"] == 7
    first.poisectl("server", "remove", service, site.s3.address + ":80")
    has(second, site.s3.address, False)
    for daemon in (first, second):
        wait_until("equal configurations", lambda d=daemon: pair(d), lambda seen: seen["configuration_compared"] and
                   seen["configuration_differences"] == 0, within=20)
    # while the other one is away its word gets old: what is undone meanwhile is not brought back
    second.stop()
    first.poisectl("server", "remove", service, new + ":80")
    first.poisectl("reload")
    second = site.r2.poised(text(site.r2))
    up(first, second)
    has(second, new, False)
    second.poisectl("server", "add", service, site.s3.address + ":80")
    has(first, site.s3.address)
    assert new not in names(first) and new not in names(second)
    assert first.status()["pool"] == second.status()["pool"] == []


def test_differences_of_the_configurations_are_named(site):
    sync = "pair_key a-key-of-the-test\nlvs_sync_daemon back id %d"
    first, second = site.r1.poised(text(site.r1, sync % 51)), site.r2.poised(text(site.r2, sync % 51))
    up(first, second)
    # priorities and addresses of the nodes differ, and that is no difference
    for daemon in (first, second):
        wait_until("equal configurations", lambda d=daemon: pair(d), lambda seen: seen["configuration_compared"] and
                   seen["configuration_differences"] == 0, within=20)
    second.write(text(site.r2, sync % 52, servers=2).replace("weight 1", "weight 3", 1))
    second.poisectl("reload")
    service = VIP + ":80/tcp"
    for daemon, missing in ((first, "only here"), (second, "only there")):
        seen = wait_until("the differences", lambda d=daemon: pair(d), lambda seen: seen["configuration_differences"],
                          within=20)
        found = {d["object"]: d["what"] for d in seen["differences"]}
        assert found == {"connection synchronisation (global_defs)": "not the same",
                         "real_server %s:80 of %s" % (site.s1.address, service): "not the same",
                         "real_server %s:80 of %s" % (site.s3.address, service): missing}
        assert "not the same" in daemon.poisectl("status").stdout


def test_no_key_no_channel(site):
    first, second = site.r1.poised(text(site.r1, key="")), site.r2.poised(text(site.r2))
    wait_until("r1 to say that it has no key", lambda: pair(first).get("state"), lambda seen: seen == "no key")
    wait_until("r2 to hear nobody", lambda: pair(second).get("state"), lambda seen: seen == "silent")
    assert "pair_key is missing" in first.poisectl("status").stdout
    # another key is as good as none
    first.write(text(site.r1, key='pair_key "of another test"'))
    first.poisectl("reload")
    seen = wait_until("r2 to count what is not signed with its key", lambda: pair(second),
                      lambda seen: seen["messages_forged"] > 0, within=20)
    assert seen["state"] == "silent" and seen["messages_received"] == 0
    # both nodes say it, because either may be the one with the wrong key; and that it is right again
    for daemon in (first, second):
        wait_until("%s to say what is wrong" % daemon.name, lambda d=daemon: pair(d)["why"], lambda seen: seen ==
                   "the other node's messages are not signed with our pair_key", within=20)
    first.write(text(site.r1))
    first.poisectl("reload")
    up(first, second)


def test_clocks_that_differ(site):
    """The later command counts, also when the node that it is given to is an hour behind the other one."""
    clock = Clock(site.r1)
    first, second = site.r1.poised(text(site.r1), env=clock.env), site.r2.poised(text(site.r2))
    up(first, second)
    for daemon in (first, second):
        assert pair(daemon)["clock_ahead_seconds"] == 0
    clock.set(3600)
    for daemon, ahead in ((second, 3600), (first, -3600)):
        wait_until("the difference", lambda d=daemon: pair(d)["clock_ahead_seconds"], lambda seen: seen is not None and
                   abs(seen - ahead) <= 3, within=20)
    assert "s ahead of ours" in second.poisectl("status").stdout
    first.poisectl("drain", site.s1.address, "--timeout", "10m")
    wait_until("r2 to know of the drain", lambda: admin(second, site.s1), lambda seen: seen == "drain", within=20)
    until = datetime.datetime.fromisoformat(second.server(site.s1.address)["drain"]["until"].replace("Z", "+00:00"))
    left = until - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=8) < left < datetime.timedelta(minutes=11)
    second.poisectl("undrain", site.s1.address)
    wait_until("r1 to know that it is over", lambda: admin(first, site.s1), lambda seen: seen == "normal", within=20)
    first.poisectl("maint", site.s1.address)
    wait_until("r2 to know of it", lambda: admin(second, site.s1), lambda seen: seen == "maint", within=20)
    second.poisectl("ready", site.s1.address)
    wait_until("r1 to know that it is over", lambda: admin(first, site.s1), lambda seen: seen == "normal", within=20)
    assert admin(second, site.s1) == "normal"


def test_other_versions_and_old_messages(site):
    """A node of another version is understood as far as both know the words; what was recorded is not believed again."""
    first = site.r1.poised(text(site.r1))
    peer = pairpeer.PairPeer(site.r2, BACK4 + "3", BACK4 + "2", "only for this test")
    service, server = VIP + ":80/tcp", site.s1.address + ":80"
    unknown = pairpeer.field(9999, b"what nobody has thought of yet") + pairpeer.u32(pairpeer.LAYOUT, 1 << 30)
    # a newer one: fields and messages that this version does not know
    seen = peer.meet(first, pairpeer.state("99.0", unknown), lambda seen: seen.get("state") == "up")
    assert seen["node"] == "stranger" and seen["version"] == "99.0" and not seen["configuration_compared"]
    assert seen["why"] == "stranger (poise 99.0) is heard; its version differs, so the configurations are not compared"
    peer.send(pairpeer.UNKNOWN, unknown)
    began = int(time.time() * 1e6)
    drain = peer.send(pairpeer.ADMIN, pairpeer.drain(service, server, began, unknown))
    wait_until("the drain to be taken over", lambda: admin(first, site.s1), lambda seen: seen == "drain")
    # an older one that has just replaced it says little
    peer.session, peer.number, peer.echo = peer.session + 2, 0, 0
    peer.meet(first, pairpeer.state("0.1"), lambda seen: seen.get("version") == "0.1")
    # the drain ends here; its message, played again, of the session before, changes nothing
    first.poisectl("undrain", site.s1.address)
    before = pair(first)
    for _ in range(3):
        peer.say(drain)
    recorded = peer.send(pairpeer.STATE, pairpeer.state("0.2"))
    wait_until("the next message", lambda: pair(first), lambda seen: seen["version"] == "0.2")
    peer.send(pairpeer.STATE, pairpeer.state("0.3"))
    for _ in range(3):
        peer.say(recorded)
    after = wait_until("old messages to be counted", lambda: pair(first), lambda seen: seen["messages_stale"] >=
                       before["messages_stale"] + 6)
    assert after["version"] == "0.3" and after["messages_forged"] == before["messages_forged"]
    assert admin(first, site.s1) == "normal"
    # without the key nothing counts, whatever it says
    peer.send(pairpeer.ADMIN, pairpeer.drain(service, server, began + 3600 * 10**6), key=b"another key")
    wait_until("it to be counted", lambda: pair(first)["messages_forged"], lambda seen: seen > after["messages_forged"])
    assert admin(first, site.s1) == "normal"
    # a version with another format: said so, when nothing else is heard any more
    wait_until("silence to be told", lambda: (peer.send(pairpeer.STATE, pairpeer.state("3"), version=2), pair(first)["why"])[1],
               lambda seen: seen == "the other node speaks another version: install the same release on both", within=20,
               every=0.3)
    peer.close()


def test_differences_of_large_configurations(site):
    """More objects than fit the messages of one beat."""
    def large(router, weight):
        more = "".join("\treal_server 10.7.%d.%d 80 {\n\t\tweight %d\n\t}\n" % (
            n // 250, n % 250 + 1, weight if n == 1400 else 1) for n in range(1500))
        return text(router) + "virtual_server %s 81 {\n\tlb_algo rr\n\tlb_kind NAT\n\tprotocol TCP\n%s}\n" % (VIP, more)

    first, second = site.r1.poised(large(site.r1, 1)), site.r2.poised(large(site.r2, 2))
    up(first, second)
    for daemon in (first, second):
        seen = wait_until("the difference", lambda d=daemon: pair(d), lambda seen: seen["configuration_differences"],
                          within=30)
        assert [d["object"] for d in seen["differences"]] == ["real_server 10.7.5.151:80 of %s:81/tcp" % VIP]
