# SPDX-License-Identifier: GPL-2.0-or-later
"""What two poised say to each other, and what they do with it."""

import time

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.hold import Hold
from poiselab.site import BACK4, FRONT4, VIP, VIP6

R1, R2 = FRONT4 + "2", FRONT4 + "3"


def one(priority, *, advert=0.2, more="version 3", **rest):
    return instance("one", "front", 51, VIP, priority=priority, advert=advert, more=more, **rest)


def wait_state(daemon, state, within=10, name="one"):
    wait_until("%s to be %s" % (daemon.name, state), lambda: daemon.state(name), lambda seen: seen == state, within)


def wait_holders(site, *routers, address=VIP, within=10):
    wait_until("%s on %s" % (address, routers), lambda: site.holders(address), lambda seen: seen == list(routers),
               within)


@pytest.mark.parametrize("version, advert", [(2, 1), (3, 0.2)])
def test_advertisements_look_like_the_standard_says(site, version, advert):
    frames = site.client.capture("eth0")
    site.r1.poised(one(150, advert=advert, more="version %d" % version))
    wait_holders(site, "r1")
    wait_until("three advertisements", lambda: len(frames.vrrp()), lambda n: n >= 3)
    times = [when for when, _, _ in frames.vrrp()]
    assert all(abs(b - a - advert) < 0.1 for a, b in zip(times, times[1:]))
    _, source, message = frames.vrrp()[0]
    assert source == R1
    assert message[:4] == bytes([version << 4 | 1, 51, 150, 1])
    assert message[4:6] == (bytes([0, 1]) if version == 2 else bytes([0, 20]))
    assert message[8:12] == bytes([192, 0, 2, 10])
    assert len(message) == (20 if version == 2 else 12)
    raw = next(frame for _, frame in frames.frames if frame[12:14] == b"\x08\x00" and frame[23] == 112)
    assert raw[:6] == b"\x01\x00\x5e\x00\x00\x12" and raw[15] == 0xc0 and raw[22] == 255


def test_the_address_is_announced(site):
    frames = site.client.capture("eth0")
    site.r1.poised(one(150, more="version 3\ngarp_master_delay 1\ngarp_master_repeat 3"))
    wait_holders(site, "r1")

    def announcements():
        return [when for when, frame in list(frames.frames)
                if frame[12:14] == b"\x08\x06" and frame[28:32] == frame[38:42] == bytes([192, 0, 2, 10])]

    seen = wait_until("two bursts of three", announcements, lambda found: len(found) >= 6)
    assert 0.8 < seen[3] - seen[2] < 1.5


def test_a_better_router_takes_over_unless_nopreempt(site):
    second = site.r2.poised(one(100))
    wait_holders(site, "r2")
    first = site.r1.poised(one(150))
    wait_holders(site, "r1")
    wait_state(second, "BACKUP")
    assert "priority 150 over our 100" in second.vrrp("one")["why"]
    assert "our priority 150 is over the 100 of %s" % R2 in first.vrrp("one")["why"]


def test_nopreempt_lets_a_lower_one_be(site):
    second = site.r2.poised(one(100))
    wait_holders(site, "r2")
    first = site.r1.poised(one(150, more="version 3\nnopreempt"))
    wait_state(first, "BACKUP")
    received = first.vrrp("one")["adverts_received"]
    wait_until("ten more advertisements", lambda: first.vrrp("one")["adverts_received"],
               lambda n: n > received + 10)
    assert first.state("one") == "BACKUP" and site.holders(VIP) == ["r2"]
    assert second.stop() == 0
    wait_holders(site, "r1")


def test_preempt_delay_waits(site):
    site.r2.poised(one(100))
    wait_holders(site, "r2")
    moment = time.monotonic()
    first = site.r1.poised(one(150, more="version 3\npreempt_delay 2"))
    wait_holders(site, "r1")
    assert time.monotonic() - moment > 2
    assert first.vrrp("one")["became_master"] == 1
    # It is for a lower master; where there is none nothing is waited for.
    for router in (site.r1, site.r2):
        router.kill_all()
    site.r1.namespace.ip("addr flush dev front to %s" % VIP)
    wait_state(site.r1.poised(one(150, more="version 3\npreempt_delay 600")), "MASTER", within=20)


def test_of_equal_routers_the_higher_address_wins(site):
    first = site.r1.poised(one(100))
    second = site.r2.poised(one(100))
    wait_until("one master", lambda: [first.state("one"), second.state("one")],
               lambda seen: sorted(map(str, seen)) == ["BACKUP", "MASTER"])
    site.r1.cut(carrier=True)
    wait_until("two masters", lambda: [first.state("one"), second.state("one")],
               lambda seen: seen == ["MASTER", "MASTER"])
    site.r1.restore()
    wait_holders(site, "r2")
    wait_state(first, "BACKUP")
    assert "the higher address" in first.vrrp("one")["why"]


AUTH = "version 2\nauthentication {\n\tauth_type PASS\n\tauth_pass %s\n}"


def test_the_right_password_is_heard(site):
    first = site.r1.poised(one(150, advert=1, more=AUTH % "secret"))
    second = site.r2.poised(one(100, advert=1, more=AUTH % "secret"))
    wait_holders(site, "r1")
    wait_until("advertisements", lambda: second.vrrp("one")["adverts_received"], lambda n: n >= 3)
    assert second.state("one") == "BACKUP" and first.state("one") == "MASTER"


def test_a_wrong_password_is_not_heard_and_said(site):
    site.r1.poised(one(150, advert=1, more=AUTH % "sesame22"))
    second = site.r2.poised(one(100, advert=1, more=AUTH % "barley11"))
    wait_state(second, "MASTER")
    second.wait_log("vrrp one: advertisement from %s dropped" % R1)
    assert "sesame" not in second.log() and "barley" not in second.log()
    assert second.log().count(" dropped: ") < 3
    # Each is master and the other one does not count: that lasts, so it is named with its cause.
    named = "split brain suspected: %s advertises beside us: its authentication is wrong; compare the configurations" % R1
    second.wait_log("vrrp one: " + named)
    wait_until("it to be among the problems", lambda: [problem["text"] for problem in second.status()["problems"]],
               lambda texts: any("%s goes on advertising as master" % R1 in text and "does not count here" in text
                                 for text in texts))


UNICAST = "version %d\nunicast_src_ip %s\nunicast_peer {\n\t%s\n}"


@pytest.mark.parametrize("version", [2, 3])
def test_unicast_peers(site, version):
    frames = site.client.capture("eth0")
    advert = 1 if version == 2 else 0.2
    first = site.r1.poised(one(150, advert=advert, more=UNICAST % (version, R1, R2)))
    second = site.r2.poised(one(100, advert=advert, more=UNICAST % (version, R2, R1)))
    wait_holders(site, "r1")
    wait_until("advertisements", lambda: second.vrrp("one").get("adverts_received", 0), lambda n: n >= 3)
    assert second.state("one") == "BACKUP" and second.vrrp("one")["master"] == R1
    assert not [frame for _, frame in frames.frames if frame[:6] == b"\x01\x00\x5e\x00\x00\x12"]
    site.r1.cut()
    wait_holders(site, "r2")
    site.r1.restore()
    wait_holders(site, "r1")
    assert first.stop() == 0
    wait_holders(site, "r2")


def test_an_interface_that_comes_later(site):
    daemon = site.r1.poised(instance("one", "late", 51, "203.0.113.10", priority=150, advert=0.2, more="version 3") +
                            instance("two", "front", 52, VIP, priority=150, advert=0.2, more="version 3"))
    wait_state(daemon, "FAULT")
    assert daemon.vrrp("one")["why"] == "interface late does not exist"
    wait_state(daemon, "MASTER", name="two")
    site.r1.run("ip", "link", "add", "late", "type", "veth", "peer", "name", "late-peer")
    wait_until("the cause to be another", lambda: daemon.vrrp("one")["why"], lambda why: "is down" in why)
    site.r1.run("ip", "link", "set", "late", "up")
    wait_until("the cause to be another", lambda: daemon.vrrp("one")["why"], lambda why: "no carrier" in why)
    site.r1.run("ip", "link", "set", "late-peer", "up")
    wait_until("the cause to be another", lambda: daemon.vrrp("one")["why"], lambda why: "no address" in why)
    site.r1.run("ip", "addr", "add", "203.0.113.2/24", "dev", "late")
    wait_state(daemon, "MASTER")
    wait_holders(site, "r1", address="203.0.113.10")
    site.r1.run("ip", "link", "del", "late")
    wait_state(daemon, "FAULT")
    assert daemon.vrrp("one")["why"] == "interface late does not exist"
    assert daemon.state("two") == "MASTER"
    # Another one of that name is as good.
    site.r1.run("ip", "link", "add", "late", "type", "veth", "peer", "name", "late-peer")
    site.r1.run("ip", "link", "set", "late-peer", "up")
    site.r1.run("ip", "link", "set", "late", "up")
    site.r1.run("ip", "addr", "add", "203.0.113.2/24", "dev", "late")
    wait_state(daemon, "MASTER")
    wait_holders(site, "r1", address="203.0.113.10")


def test_an_address_that_someone_removes_is_back(site):
    daemon = site.r1.poised(one(150))
    wait_holders(site, "r1")
    for _ in range(2):
        site.r1.run("ip", "addr", "del", VIP + "/32", "dev", "front")
        wait_until("the log to say so", lambda: daemon.log().count("%s/32 was removed by somebody else" % VIP))
        wait_holders(site, "r1")
    # A program that stays is named: the operator has to tell it to let the address be.
    remover = site.r1.start("remover", ["/bin/sh", "-c", "(echo addr del %s/32 dev front; sleep 60) | exec ip -b -" % VIP])
    daemon.wait_log("%s/32 was removed by somebody else (it seems ip, process " % VIP)
    remover.kill()
    wait_holders(site, "r1")
    assert daemon.vrrp("one")["became_master"] == 1
    site.r1.run("ip", "addr", "change", VIP + "/32", "dev", "front", "valid_lft", "1", "preferred_lft", "1")
    wait_until("the address to have been away or refreshed", lambda: site.r1.run("ip", "addr", "show", "to", VIP),
               lambda text: "valid_lft 1sec" not in text)
    wait_holders(site, "r1", within=12)


def test_a_strangers_address_is_left_alone(site):
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    daemon = site.r1.poised(one(150))
    wait_state(daemon, "MASTER")
    daemon.wait_log("somebody else had put it there")
    assert daemon.stop() == 0
    assert site.holders(VIP) == ["r1"]


def test_addresses_on_two_interfaces_move_together(site):
    text = one(150).replace(VIP, "%s\n\t\t%s1/24 dev back" % (VIP, BACK4))
    first = site.r1.poised(text)
    site.r2.poised(text.replace("150", "100"))
    wait_holders(site, "r1")
    wait_holders(site, "r1", address=BACK4 + "1")
    site.r1.cut("back")
    wait_holders(site, "r2")
    wait_holders(site, "r2", address=BACK4 + "1")
    assert first.vrrp("one")["why"] == "interface back has no carrier"
    site.r1.restore("back")
    wait_holders(site, "r1")
    wait_holders(site, "r1", address=BACK4 + "1")


def test_a_reload_applies_the_difference(site):
    first = site.r1.poised(one(150).replace(VIP, VIP + "\n\t\t" + FRONT4 + "77"))
    second = site.r2.poised(one(100))
    wait_holders(site, "r1")
    frames = site.client.capture("eth0")
    watch = site.r1.start("monitor", ["ip", "-o", "monitor", "address"])
    since, elected = first.vrrp("one")["since"], second.vrrp("one")["became_master"]
    first.write(one(160).replace(VIP, VIP + "\n\t\t" + FRONT4 + "78") +
                instance("new", "back", 60, BACK4 + "60", priority=90, advert=0.2, more="version 3"))
    first.signal(1)
    wait_holders(site, "r1", address=FRONT4 + "78")
    wait_holders(site, address=FRONT4 + "77")
    wait_holders(site, "r1", address=BACK4 + "60")
    entry = first.vrrp("one")
    assert entry["state"] == "MASTER" and entry["since"] == since and entry["priority"] == 160
    assert "Deleted" not in "".join(line for line in watch.log().splitlines() if VIP + "/" in line)
    first.write("vrrp_instance one {\n\tinterface front\n}\n")
    first.signal(1)
    first.wait_log("refused")
    wait_until("ten more advertisements", lambda: len(frames.vrrp()), lambda n: n > 15)
    own = [when for when, source, _ in frames.vrrp() if source == R1]
    # The intervals are seen by a program that is scheduled like any other; no successor's patience may have ended.
    assert max(b - a for a, b in zip(own, own[1:])) < 0.6
    assert second.vrrp("one")["became_master"] == elected
    # An instance that is another one now is handed over, not just dropped.
    first.write(one(160).replace("virtual_router_id 51", "virtual_router_id 55"))
    first.signal(1)
    wait_until("a farewell", lambda: [m for _, source, m in frames.vrrp() if source == R1 and m[1] == 51 and
                                      m[2] == 0])


def test_two_instances_change_their_numbers_in_one_reload(site):
    """Each is another router for the others then, and nothing of the former ones is left or lost."""
    def both(first, second):
        return (instance("one", "front", first, VIP, priority=150, advert=0.2, more="version 3") +
                instance("two", "front", second, OTHER, priority=150, advert=0.2, more="version 3"))

    OTHER = FRONT4 + "11"
    daemon = site.r1.poised(both(51, 52))
    wait_holders(site, "r1")
    wait_holders(site, "r1", address=OTHER)
    daemon.write(both(52, 51))
    daemon.poisectl("reload", "--allow")
    for name in ("one", "two"):
        wait_state(daemon, "MASTER", name=name)
    wait_holders(site, "r1")
    wait_holders(site, "r1", address=OTHER)
    frames = site.client.capture("eth0")
    seen = wait_until("advertisements of both", lambda: {(bytes(data)[1], bytes(data)[8:12]) for _, _, data in frames.vrrp()},
                      lambda seen: len(seen) == 2)
    assert seen == {(52, bytes([192, 0, 2, 10])), (51, bytes([192, 0, 2, 11]))}


def test_a_reload_changes_what_an_address_looks_like(site):
    daemon = site.r1.poised(one(150))
    wait_holders(site, "r1")
    daemon.write(one(150).replace(VIP, VIP + " label front:1 scope link"))
    daemon.signal(1)
    wait_until("the scope and the label", lambda: site.r1.run("ip", "-4", "addr", "show", "dev", "front"),
               lambda text: VIP + "/32 scope link" in text and "front:1" in text)
    daemon.write(one(150).replace(VIP, VIP + "/24 label front:2"))
    daemon.signal(1)
    wait_until("another prefix and label", lambda: site.r1.run("ip", "-4", "addr", "show", "dev", "front"),
               lambda text: VIP + "/24 scope global" in text and "front:2" in text and "front:1" not in text)
    assert daemon.vrrp("one")["became_master"] == 1
    assert daemon.stop() == 0
    assert site.holders(VIP) == []


def test_a_link_local_address_is_checked_first(site):
    """Duplicate address detection takes a second or two: no fault, no notification, just a late start."""
    site.r1.namespace.sysctl({"ipv6/conf/front/accept_dad": 1})
    site.r1.run("ip", "link", "set", "front", "down")
    site.r1.run("ip", "link", "set", "front", "up")
    daemon = site.r1.poised(instance("one", "front", 51, "fe80::51", priority=150, advert=0.2, more="version 3"))
    wait_until("the instance to wait", lambda: daemon.vrrp("one").get("why", ""), lambda why: "checked for duplicates"
               in why)
    assert daemon.state("one") == "INIT"
    wait_state(daemon, "MASTER")
    assert "fault" not in daemon.log()


def test_tracked_things_change_the_priority(site):
    flag = site.r1.path("flag")
    tracks = "version 3\ntrack_interface {\n\tback weight -60\n}\ntrack_script {\n\tcheck\n}"
    script = "vrrp_script check {\n\tscript \"/usr/bin/test ! -e %s\"\n\tinterval 1\n\tweight -70\n\tuser root\n}\n" % flag
    first = site.r1.poised(script + one(150, more=tracks))
    site.r2.poised(one(100))
    wait_holders(site, "r1")
    site.r1.cut("back")
    wait_holders(site, "r2")
    assert first.vrrp("one")["effective_priority"] == 90 and first.vrrp("one")["priority"] == 150
    site.r1.restore("back")
    wait_holders(site, "r1")
    with open(flag, "w", encoding="ascii"):
        pass
    wait_holders(site, "r2")
    assert first.vrrp("one")["effective_priority"] == 80


def test_notification_scripts_are_told(site):
    story = site.r1.path("story")
    teller = site.r1.path("tell")
    with open(teller, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho \"$@\" >>%s\n" % story)
    site.r1.run("chmod", "755", teller)
    more = "version 3\nnotify_master \"%s special master\"\nnotify %s" % (teller, teller)
    first = site.r1.poised("global_defs {\n\tscript_user root\n}\n" + one(150, more=more))

    def told():
        try:
            with open(story, encoding="ascii") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    wait_until("the whole story", told, lambda lines: lines == [
        "INSTANCE one BACKUP 150", "special master", "INSTANCE one MASTER 150"])
    site.r1.cut()
    wait_until("the fault", told, lambda lines: lines[-1:] == ["INSTANCE one FAULT 150"])
    assert first.state("one") == "FAULT"


def pings(site, address):
    """Whether a few echo requests are answered."""
    probe = site.probe("icmp", address)
    knocks = wait_until("echo requests to be over", probe.knocks, lambda seen: len(seen) > 5)
    probe.stop()
    return all(answered for _, answered in knocks[:5])


@pytest.mark.nftables
def test_no_accept_drops_what_is_not_forwarded(site):
    site.r1.poised(one(150, more="version 3\nno_accept") +
                   instance("six", "front", 52, "fe80::52", priority=150, advert=0.2,
                            more="version 3\nno_accept\nvirtual_ipaddress_excluded {\n\t%s\n}" % VIP6) +
                   instance("open", "front", 53, FRONT4 + "53", priority=150, advert=0.2, more="version 3"))
    for address in (VIP, VIP6, FRONT4 + "53"):
        wait_holders(site, "r1", address=address)
    assert not pings(site, VIP) and not pings(site, VIP6)
    assert pings(site, FRONT4 + "53") and pings(site, R1)
    # It is found all the same: by ARP, and by neighbour discovery.
    for address in (VIP, VIP6):
        assert "02:00:00:00:01:02" in site.client.run("ip", "neigh", "show", address)


@pytest.mark.nftables
def test_no_accept_comes_when_it_can(site):
    """Somebody's table of that name is in the way; when it goes, ours comes. There are more addresses than one message of
    the kernel's protocol has room for."""
    count = 5000
    more = "".join("\t\t10.9.%d.%d/32\n" % (n // 250, 1 + n % 250) for n in range(count))
    site.r1.run("nft", "add", "table", "inet", "poise_vrrp")
    daemon = site.r1.poised(one(150, more="version 3\nno_accept\nvirtual_ipaddress_excluded {\n%s\t}" % more))
    daemon.wait_log("no_accept is not in force")
    site.r1.run("nft", "delete", "table", "inet", "poise_vrrp")
    daemon.wait_log("no_accept is in force now", within=20)
    assert site.r1.run("nft", "list", "table", "inet", "poise_vrrp").count("10.9.") == count


def test_no_accept_waits_for_others_without_the_heartbeat(site):
    """Another program's large ruleset holds the kernel's lock, at the start and at a reload."""
    busy = Hold(site.r1, "poise-vrrp", "rules")
    daemon = site.r1.poised(one(150, more="version 3\nno_accept"), env=busy.env)
    wait_holders(site, "r1")
    pid = daemon.role_pids("vrrp")
    daemon.write(one(150, more="version 3\nno_accept").replace(VIP, FRONT4 + "77"))
    daemon.signal(1)
    wait_holders(site, "r1", address=FRONT4 + "77")
    sent = daemon.vrrp("one")["adverts_sent"]
    wait_until("heartbeats", lambda: daemon.vrrp("one")["adverts_sent"], lambda now: now > sent + 10, within=20)
    assert daemon.role_pids("vrrp") == pid and daemon.vrrp("one")["became_master"] == 1
    busy.release()
    assert daemon.stop() == 0


@pytest.mark.nftables
def test_no_accept_follows_a_reload_and_goes_with_the_daemon(site):
    daemon = site.r1.poised(one(150, more="version 3\nno_accept"))
    wait_holders(site, "r1")
    assert VIP in site.r1.run("nft", "list", "table", "inet", "poise_vrrp")
    daemon.write(one(150, more="version 3\nno_accept").replace(VIP, FRONT4 + "77"))
    daemon.signal(1)
    wait_holders(site, "r1", address=FRONT4 + "77")
    shown = site.r1.run("nft", "list", "table", "inet", "poise_vrrp")
    assert FRONT4 + "77" in shown and VIP not in shown
    daemon.write(one(150))
    daemon.signal(1)
    wait_until("the address to answer", lambda: pings(site, VIP))
    daemon.write(one(150, more="version 3\nno_accept"))
    daemon.signal(1)
    wait_until("the address to be silent", lambda: pings(site, VIP), lambda answered: not answered)
    site.r1.kill_all()
    assert "poise_vrrp" not in site.r1.run("nft", "list", "tables")
