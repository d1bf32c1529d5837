# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens on real segments and is in no standard's test suite: nodes that start together, frames that get lost one
way, twice or late, two owners, strangers, processes that are stopped."""

import fcntl
import os
import signal
import time

import pytest

from poiselab import wait_until
from poiselab.configs import EVERY_ROLE, instance
from poiselab.forge import Speaker, advert
from poiselab.site import BACK4, FRONT4, VIP

R1, R2, CLIENT = FRONT4 + "2", FRONT4 + "3", FRONT4 + "50"
INTERVAL = 0.2
DOWN = 3 * INTERVAL + (256 - 100) / 256 * INTERVAL


def one(priority, *, more=""):
    return instance("one", "front", 51, VIP, priority=priority, advert=INTERVAL, more="version 3\n" + more)


def wait_state(daemon, state, within=10):
    wait_until("%s to be %s" % (daemon.name, state), lambda: daemon.state("one"), lambda seen: seen == state, within)


def pause(seconds):
    end = time.monotonic() + seconds
    wait_until("that time to be over", time.monotonic, lambda now: now >= end, seconds + 5)


def test_a_cold_start_together(site):
    """Two nodes come up with the power: the better one is master in the end. The other one may have been a moment earlier
    (their patience differs by a few hundredths of a second), and gives in at once."""
    frames = site.client.capture("eth0")
    daemons = [site.r2.poised(one(100)), site.r1.poised(one(150))]
    wait_state(daemons[1], "MASTER")
    pause(2 * DOWN)
    assert site.holders(VIP) == ["r1"] and daemons[0].state("one") == "BACKUP"
    sources = [source for _, source, _ in frames.vrrp()]
    assert sources[sources.index(R1):].count(R2) <= 1 and daemons[0].vrrp("one")["became_master"] <= 1


def test_a_cold_start_of_equals(site):
    """Equal priorities, equal moments: the higher address is left, within an advertisement."""
    frames = site.client.capture("eth0")
    first, second = site.r1.poised(one(100)), site.r2.poised(one(100))
    wait_until("one master", lambda: (first.state("one"), second.state("one")),
               lambda seen: sorted(map(str, seen)) == ["BACKUP", "MASTER"])
    pause(2 * DOWN)
    assert len(site.holders(VIP)) == 1
    sources = [source for when, source, _ in frames.vrrp() if when > time.monotonic() - DOWN]
    assert len(set(sources)) == 1


@pytest.mark.nftables
def test_loss_in_one_direction(site):
    """The backup does not hear the master, the master hears it: nobody can mend that, but both say it, the better one
    stays master, and when it is over the winner tells the neighbours where the address is."""
    mark = site.r1.path("lower")
    script = "global_defs {\n\tscript_user root\n}\n"
    first = site.r1.poised(script + one(150, more="notify_master_rx_lower_pri \"/usr/bin/touch %s\"" % mark))
    second = site.r2.poised(one(100))
    wait_until("r1 alone", lambda: site.holders(VIP), lambda seen: seen == ["r1"])
    assert not os.path.exists(mark)
    site.r2.run("nft", "add", "table", "ip", "loss")
    site.r2.run("nft", "add", "chain", "ip", "loss", "in", "{ type filter hook prerouting priority -300 ; }")
    site.r2.run("nft", "add", "rule", "ip", "loss", "in", "ip protocol 112 ip saddr %s drop" % R1)
    wait_state(second, "MASTER")
    pause(6 * INTERVAL)
    assert first.state("one") == "MASTER" and first.vrrp("one")["became_master"] == 1
    # Who keeps a record of where the address is hears from the winner, whose state never changed.
    wait_until("the script to be told of a lower master", lambda: os.path.exists(mark))
    frames = site.client.capture("eth0")
    site.r2.run("nft", "delete", "table", "ip", "loss")
    wait_state(second, "BACKUP")
    assert "%s has priority 150 over our 100" % R1 in second.vrrp("one")["why"]
    healed = [when for when, source, _ in frames.vrrp() if source == R2][-1:]
    mac = bytes.fromhex("020000000102")

    def told():
        return [when for when, frame in list(frames.frames) if frame[12:14] == b"\x08\x06" and frame[6:12] == mac and
                frame[28:32] == frame[38:42] == bytes([192, 0, 2, 10])]

    wait_until("the winner to tell the neighbours", told)
    assert not healed or told()[-1] > healed[0] - INTERVAL


def test_frames_twice_and_late(site):
    """The same advertisement again, and an old one after a newer one: a backup stays what it is and learns nothing."""
    daemon = site.r1.poised(one(100))
    wait_state(daemon, "MASTER")
    speaker = Speaker(site.client)
    what = {"interval": INTERVAL, "source": CLIENT}
    frames = [advert(mac=speaker.mac, priority=priority, **what) for priority in (200, 210, 220)]
    became = daemon.vrrp("one")["became_master"]
    for _ in range(4):
        for number in (0, 1, 1, 0, 2, 1):
            speaker.send(frames[number])
        pause(INTERVAL)
    assert daemon.state("one") == "BACKUP" and daemon.vrrp("one")["became_master"] == became
    assert daemon.vrrp("one")["adverts_received"] >= 20
    speaker.close()
    wait_state(daemon, "MASTER")


def test_two_owners(site):
    """A mistake in a configuration: both say 255. One of them gives in (RFC 9568, erratum 8298)."""
    first, second = site.r1.poised(one(255)), site.r2.poised(one(255))
    wait_until("one owner", lambda: (first.state("one"), second.state("one")), lambda seen: seen == ("BACKUP", "MASTER"))
    pause(2 * DOWN)
    assert site.holders(VIP) == ["r2"] and first.state("one") == "BACKUP"
    assert "the higher address" in first.vrrp("one")["why"]
    site.r2.cut()
    wait_state(first, "MASTER")


UNICAST = "unicast_src_ip %s\nunicast_peer {\n\t%s\n}"


def test_unicast_takes_peers_only_and_within_their_ttl(site):
    daemon = site.r1.poised(one(100, more=UNICAST % (R1, CLIENT + " min_ttl 100 max_ttl 200")))
    wait_state(daemon, "MASTER")
    speaker = Speaker(site.client)
    frames = site.client.capture("eth0")
    to = {"destination": R1, "to_mac": "02:00:00:00:01:02", "interval": INTERVAL}

    def refused(reason, **what):
        before = daemon.vrrp("one")["dropped"].get(reason, 0)
        speaker.send(**{**to, **what})
        wait_until("%s to be counted" % reason, lambda: daemon.vrrp("one")["dropped"].get(reason, 0),
                   lambda n: n == before + 1)
        assert daemon.state("one") == "MASTER"

    refused("ttl", source=CLIENT, ttl=99)
    refused("ttl", source=CLIENT, ttl=201)
    refused("peer", source=FRONT4 + "51", ttl=150)
    refused("address_list", source=CLIENT, ttl=150, count=0, addresses=[])
    refused("interval", source=CLIENT, ttl=150, **{"interval": 0})
    # Its own go to the peer alone, from the address that it was told.
    own = wait_until("its own advertisement", lambda: [
        frame for _, frame in list(frames.frames) if frame[12:14] == b"\x08\x00" and frame[23] == 112 and
        frame[26:30] == bytes([192, 0, 2, 2])])
    assert {frame[30:34] for frame in own} == {bytes([192, 0, 2, 50])}
    speaker.send(source=CLIENT, ttl=150, **to)
    wait_state(daemon, "BACKUP")
    speaker.close()


@pytest.mark.nftables
def test_advertisements_on_two_paths(site):
    """A peer that is named by two of its addresses is spoken to on two ways: one of them may be lost."""
    def text(priority, own, front, back):
        return one(priority, more=UNICAST % (own, "%s\n\t%s" % (front, back)))

    first = site.r1.poised(text(150, R1, R2, BACK4 + "3"))
    wait_state(first, "MASTER")
    second = site.r2.poised(text(100, R2, R1, BACK4 + "2"))
    wait_state(second, "BACKUP")
    wait_until("both copies to be heard", lambda: second.vrrp("one")["adverts_received"], lambda n: n >= 4)
    site.r2.run("nft", "add", "table", "ip", "loss")
    site.r2.run("nft", "add", "chain", "ip", "loss", "in", "{ type filter hook prerouting priority -300 ; }")
    site.r2.run("nft", "add", "rule", "ip", "loss", "in", "iifname front ip protocol 112 drop")
    heard = second.vrrp("one")["adverts_received"]
    wait_until("those of the other way", lambda: second.vrrp("one")["adverts_received"], lambda n: n >= heard + 10)
    assert second.state("one") == "BACKUP" and second.vrrp("one")["became_master"] == 0
    site.r2.run("nft", "add", "rule", "ip", "loss", "in", "iifname back ip protocol 112 drop")
    wait_state(second, "MASTER")
    site.r2.run("nft", "delete", "table", "ip", "loss")
    wait_state(second, "BACKUP")


@pytest.mark.parametrize("peers", ["", "2001:db8:1::3"])
def test_unicast_without_a_usable_peer_is_no_multicast(site, peers):
    frames = site.client.capture("eth0")
    daemon = site.r1.poised(one(100, more="unicast_peer {\n\t%s\n}" % peers))
    assert wait_until("a refusal", daemon.popen.poll, lambda code: code is not None) != 0
    assert "unicast_peer names no usable peer" in daemon.log() and frames.vrrp() == []


def test_roles_that_are_stopped_move_nothing(site):
    """SIGSTOP of anything but the heartbeat: the heartbeat goes on, and the role is replaced."""
    first, second = site.r1.poised(one(150) + EVERY_ROLE), site.r2.poised(one(100))
    wait_until("r1 alone", lambda: site.holders(VIP), lambda seen: seen == ["r1"])
    before = wait_until("r2 to stand by", lambda: second.vrrp("one"), lambda seen: seen.get("state") == "BACKUP")
    frames = site.client.capture("eth0")
    moment = time.monotonic()
    halted = {role: first.role_pids(role) for role in ("ipvs", "healthcheck", "control", "snmp", "script")}
    for pids in halted.values():
        assert len(pids) == 1
        os.kill(pids[0], signal.SIGSTOP)
    for role, pids in halted.items():
        wait_until("another process of " + role, lambda: first.role_pids(role), lambda now: now and now != pids,
                   within=30)
    assert second.vrrp("one")["became_master"] == before["became_master"]
    own = [when for when, source, _ in frames.vrrp() if source == R1]
    assert {source for _, source, _ in frames.vrrp()} == {R1}
    assert max(b - a for a, b in zip([moment] + own, own)) < 3 * INTERVAL


def test_a_parent_that_is_stopped_moves_nothing(site):
    """Who looks after the roles may hang: the heartbeat asks nobody, and afterwards no role is blamed for it."""
    first, second = site.r1.poised(one(150) + EVERY_ROLE), site.r2.poised(one(100))
    wait_until("r1 alone", lambda: site.holders(VIP), lambda seen: seen == ["r1"])
    before = wait_until("r2 to stand by", lambda: second.vrrp("one"), lambda seen: seen.get("state") == "BACKUP")
    frames = site.client.capture("eth0")
    roles = {role: first.role_pids(role) for role in ("vrrp", "ipvs", "healthcheck", "control", "snmp", "script")}
    parent = first.role_pids("poised")[0]
    os.kill(parent, signal.SIGSTOP)
    try:
        pause(4 * DOWN)
        sent = first.vrrp("one")["adverts_sent"]  # control still answers
        wait_until("more advertisements", lambda: first.vrrp("one")["adverts_sent"], lambda n: n > sent)
    finally:
        os.kill(parent, signal.SIGCONT)
    pause(2 * DOWN)
    assert {source for _, source, _ in frames.vrrp()} == {R1}
    assert second.vrrp("one")["became_master"] == before["became_master"]
    assert {role: first.role_pids(role) for role in roles} == roles


def test_a_log_that_nobody_takes_moves_nothing(site):
    """The terminal, the journal, syslog: whoever is to take the log lines may hang. The parent goes on, and so do its roles;
    afterwards the lines come, and how many were lost is one of them."""
    path = site.r1.log("poised")
    os.mkfifo(path)
    tap = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(tap, fcntl.F_SETPIPE_SZ, 4096)
    os.write(tap, 4095 * b"." + b"\n")
    lines = b""
    try:
        daemon = site.r1.poised(one(150), "-D")
        wait_state(daemon, "MASTER")
        for _ in range(5):
            daemon.poisectl("reload")
        assert site.holders(VIP) == ["r1"] and daemon.vrrp("one")["became_master"] == 1

        def read():
            nonlocal lines
            try:
                lines += os.read(tap, 65536)
            except BlockingIOError:
                pass
            return lines

        wait_until("the lines", read, lambda seen: b"generation 6: 1 instance, " in seen)
        assert lines.count(b": 1 instance, ") == 6
        daemon.stop()
    finally:
        os.unlink(path)
        with open(path, "wb") as log:
            log.write(lines)
        os.close(tap)


def test_lists_that_differ_are_said_and_split_nothing(site):
    """An address was added on one node and not yet on the other: both go on as before, and say so."""
    first, second = site.r1.poised(one(150)), site.r2.poised(one(100).replace(VIP, VIP + "\n\t\t" + FRONT4 + "11"))
    wait_until("r1 alone", lambda: site.holders(VIP), lambda seen: seen == ["r1"])
    wait_until("r2 to hear it", lambda: second.vrrp("one")["adverts_received"], lambda n: n > 10)
    second.wait_log("%s advertises other virtual addresses than ours" % R1)
    assert second.state("one") == "BACKUP" and second.vrrp("one")["became_master"] <= 1
    assert first.vrrp("one")["became_master"] == 1


def test_notifications_that_were_lost(site):
    """The kernel drops what does not fit (ENOBUFS): everything is read anew, and no instance misses that its link went
    or its address was taken. The owner of an interval of 40 s has the patience to be stopped meanwhile, and the parent,
    which would not have it, is stopped as well."""
    count = 60
    text = "".join(instance("v%d" % n, "front", n, "10.9.%d.1/32" % n, priority=255, advert=40, more="version 3")
                   for n in range(1, count + 1))
    daemon = site.r1.poised(text)

    def states():
        return {entry["state"] for entry in daemon.status().get("vrrp", [])}

    def held():
        return len([address for address in site.r1.addresses("front") if address.startswith("10.9.")])

    wait_until("all to be master", states, lambda seen: seen == {"MASTER"}, within=20)
    wait_until("all addresses", held, lambda n: n == count)
    noise = ["link set lo alias %s%d" % ("x" * 200, n % 2) for n in range(9000)]
    for change, state in (("down", "FAULT"), ("up", "MASTER")):
        losses = daemon.log().count("notifications about interfaces were lost")
        vrrp = daemon.role_pids("vrrp")[0]
        for pid in (daemon.pid, vrrp):
            os.kill(pid, signal.SIGSTOP)
        try:
            site.r1.namespace.ip(*noise)
            site.r1.run("ip", "addr", "del", "10.9.7.1/32", "dev", "front", check=change == "down")
            (site.r1.cut if change == "down" else site.r1.restore)("front")
            wait_until("the kernel to know", lambda: site.r1.run("ip", "link", "show", "front"),
                       lambda shown: ("NO-CARRIER" in shown) == (change == "down"))
        finally:
            for pid in (vrrp, daemon.pid):
                os.kill(pid, signal.SIGCONT)
        wait_until("the loss to be noticed", lambda: daemon.log().count("notifications about interfaces were lost"),
                   lambda n: n > losses)
        assert daemon.role_pids("vrrp") == [vrrp]
        wait_until("all to be " + state, states, lambda seen: seen == {state}, within=20)
        wait_until("their addresses", held, lambda n: n == (count if state == "MASTER" else 0))
