# SPDX-License-Identifier: GPL-2.0-or-later
"""Keywords that change what a router says or believes: groups of its own, a source that is not there, links that
flutter, a last word before yielding."""

import os
import signal
import time

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.net import Namespace
from poiselab.site import FRONT4, VIP, VIP6

R1, R2 = FRONT4 + "2", FRONT4 + "3"


def one(priority=150, advert=0.2, more=""):
    return instance("one", "front", 51, VIP, priority=priority, advert=advert, more="version 3\n" + more)


def reach(daemon, state, within=15):
    wait_until("state " + state, lambda: daemon.state("one"), lambda seen: seen == state, within=within)


def test_a_multicast_group_of_its_own(site):
    """Beside keepalived with the same group there is one master; whoever uses the usual group is not heard."""
    group = "mcast_dst_ip 224.0.0.77"
    ours = site.r1.poised(one(150, more=group))
    reach(ours, "MASTER")
    peer = site.r2.keepalived(one(100, more=group))
    wait_until("keepalived to be backup", peer.log, lambda log: "(one) Entering BACKUP STATE" in log)
    heard = ours.vrrp("one")["adverts_sent"]
    wait_until("ten more advertisements", lambda: ours.vrrp("one")["adverts_sent"], lambda n: n >= heard + 10)
    assert site.holders(VIP) == ["r1"]
    assert "224.0.0.77" in site.r1.run("ip", "maddr", "show", "dev", "front")
    peer.stop()
    other = site.r2.poised(one(100))
    reach(other, "MASTER")
    assert ours.state("one") == "MASTER"
    assert other.stop() == 0
    # Over IPv6, too.
    text = instance("one", "front", 51, "fe80::51\n\t\t" + VIP6, priority=100, advert=0.2,
                    more="version 3\nmcast_dst_ip ff02::77")
    ours.write(text)
    ours.poisectl("reload")
    reach(ours, "MASTER")
    site.r2.poised(text.replace("priority 100", "priority 150"))
    reach(ours, "BACKUP")


@pytest.mark.parametrize("peer", ["poised", "keepalived"])
def test_one_number_in_two_groups(site, peer):
    """Two instances with the same VRID on one interface: their multicast groups tell them apart, on both routers."""
    other = FRONT4 + "11"

    def both(first, second):
        return one(first) + one(second, more="mcast_dst_ip 224.0.0.77").replace(
            "vrrp_instance one", "vrrp_instance two").replace(VIP, other)

    ours = site.r1.poised(both(150, 100))
    wait_until("r1 to hold both", lambda: [ours.state("one"), ours.state("two")], lambda seen: seen == ["MASTER"] * 2)
    getattr(site.r2, peer)(both(100, 150))
    wait_until("each to hold one", lambda: [site.holders(VIP), site.holders(other)], lambda seen: seen == [["r1"], ["r2"]],
               within=20)
    heard = ours.vrrp("two")["adverts_received"]
    wait_until("ten more advertisements", lambda: ours.vrrp("two")["adverts_received"], lambda n: n >= heard + 10)
    assert [ours.state("one"), ours.state("two")] == ["MASTER", "BACKUP"]
    assert not ours.vrrp("one").get("dropped") and not ours.vrrp("two").get("dropped")
    site.r2.kill_all()
    wait_until("r1 to be master of both", lambda: [ours.state("one"), ours.state("two")],
               lambda seen: seen == ["MASTER"] * 2)


def test_a_source_that_is_nowhere(site):
    """Unicast from an address that this machine does not have is a fault, as in keepalived; on whatever interface it
    comes, that is over."""
    peers = "unicast_src_ip %s77\nunicast_peer {\n\t%s\n}" % (FRONT4, R2)
    ours = site.r1.poised(one(more=peers))
    reach(ours, "FAULT")
    assert ours.vrrp("one")["why"] == FRONT4 + "77, the source of advertisements, is on no interface"
    site.r1.run("ip", "addr", "add", FRONT4 + "77/32", "dev", "back")
    reach(ours, "MASTER")
    site.r1.run("ip", "addr", "del", FRONT4 + "77/32", "dev", "back")
    reach(ours, "FAULT")
    # By multicast it may be anything, unless it is tracked.
    ours.write(one(more="mcast_src_ip %s78" % FRONT4))
    ours.poisectl("reload")
    reach(ours, "MASTER")
    ours.write(one(more="mcast_src_ip %s78\ntrack_src_ip" % FRONT4))
    ours.poisectl("reload")
    reach(ours, "FAULT")


def test_a_link_that_flutters(site):
    """With a delay only a change that lasts counts: shorter ones move neither a master nor the priority."""
    delays = "interface_up_down_delays {\n\tfront 30 0\n\tback 0.5 2\n}\n"
    # The clocks: down counts after 30 s (never here), up of `back` after 2 s.
    ours = site.r1.poised(delays + one(more="track_interface {\n\tback weight -40\n}"))
    reach(ours, "MASTER")
    for _ in range(3):
        site.r1.cut("front")
        wait_until("the link to be down", lambda: site.r1.run("ip", "link", "show", "front"), lambda text: "NO-CARRIER" in text)
        site.r1.restore("front")
    site.r1.cut("front")
    site.r1.cut("back")
    wait_until("the lower priority", lambda: ours.vrrp("one")["effective_priority"], lambda seen: seen == 110)
    assert ours.state("one") == "MASTER" and ours.vrrp("one")["became_master"] == 1
    restored = time.monotonic()
    site.r1.restore("back")
    wait_until("the full priority", lambda: ours.vrrp("one")["effective_priority"], lambda seen: seen == 150)
    assert time.monotonic() - restored >= 1.9
    # Without the delay it counts at once.
    ours.write(one())
    ours.poisectl("reload")
    reach(ours, "FAULT")


def sources(frames):
    return [source for _, source, _ in frames.vrrp()]


def test_a_last_word_before_yielding(site):
    """higher_prio_send_advert: the other master hears one of a lower priority."""
    for word, expected in (("higher_prio_send_advert", True), ("", False)):
        ours = site.r1.poised(one(100, more=word))
        reach(ours, "MASTER")
        frames = site.client.capture("eth0")
        site.r2.poised(one(200))
        reach(ours, "BACKUP")
        wait_until("advertisements of the better one", lambda: sources(frames).count(R2), lambda n: n >= 3)
        assert (R1 in sources(frames)[sources(frames).index(R2):]) == expected, sources(frames)
        for router in (site.r1, site.r2):
            router.kill_all()


def test_a_namespace_is_entered(site):
    """net_namespace: everything happens there, whatever namespace poised was started in, and a role that is started
    again is born there."""
    poised = site.r1.poised("net_namespace %s\n" % site.r2.namespace.name +
                            instance("one", "front", 51, VIP, priority=150, advert="0.5", more="version 3"))
    wait_until("mastership", lambda: poised.state("one"), lambda state: state == "MASTER")
    wait_until("the address in r2", lambda: site.holders(VIP), lambda seen: seen == ["r2"])
    old = poised.role_pids("vrrp")[0]
    os.kill(old, signal.SIGKILL)
    wait_until("another vrrp process", lambda: poised.role_pids("vrrp"), lambda pids: pids and pids != [old])
    frames = site.client.capture("eth0")
    wait_until("its advertisements", lambda: [frame for frame in frames.vrrp() if frame[1] == FRONT4 + "3"],
               lambda seen: len(seen) >= 3, within=20)
    assert site.holders(VIP) == ["r2"]


def test_a_namespace_that_comes_later_is_waited_for(site):
    """Whoever makes it may be started after us; meanwhile another file may be read, and a stop is heard."""
    late = Namespace(site.prefix + "late")
    text = "net_namespace %s\n" + instance("one", "front", 51, VIP, priority=255, advert="0.5", more="version 3")
    poised = site.r1.poised(text % (site.prefix + "never"))
    poised.wait_log("net_namespace %snever: No such file or directory: make it (ip netns add): waiting for it" % site.prefix)
    poised.write(text % late.name)
    poised.signal(signal.SIGHUP)
    poised.wait_log("net_namespace %s: No such file" % late.name)
    try:
        late.make(more=["link add front type veth peer name other", "link set front up", "link set other up",
                        "addr add %s9/24 dev front" % FRONT4])
        wait_until("mastership", lambda: poised.running() and poised.state("one"), lambda state: state == "MASTER", within=20)
        assert VIP in late.addresses("front")
        assert poised.stop() == 0
    finally:
        late.remove()
    poised = site.r1.poised(text % late.name)
    wait_until("it to be waited for once more", lambda: poised.log().count("waiting for it"), lambda n: n == 3)
    assert poised.stop() == 0


def test_no_igmp_reports(site):
    """disable_local_igmp sets the kernel's switch, also without IPVS, and what was there before comes back."""
    def setting():
        return site.r1.run("cat", "/proc/sys/net/ipv4/igmp_link_local_mcast_reports").strip()

    assert setting() == "1"
    ours = site.r1.poised("global_defs {\n\tdisable_local_igmp\n}\n" + one())
    wait_until("the setting", setting, lambda seen: seen == "0", within=15)
    reach(ours, "MASTER")
    ours.stop()
    assert setting() == "1"
