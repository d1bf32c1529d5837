# SPDX-License-Identifier: GPL-2.0-or-later
"""Two routers with front and back address in a sync group: whatever happens to the master, both addresses are held by
exactly one router, and soon."""

import os
import signal
import socket
import threading
import time

import pytest

from poiselab import wait_until
from poiselab.configs import instance, pair
from poiselab.process import process_table
from poiselab.site import FRONT4, FRONT6, GATEWAY, VIP, VIP6

FAST = "version 3"
INTERVAL = 0.2
DOWN = 3 * INTERVAL + (256 - 100) / 256 * INTERVAL  # of the backup, priority 100
SLACK = 0.3  # a shared machine may be late


def fast_pair(priority, more=""):
    return pair(priority, advert=INTERVAL, more=FAST + "\n" + more)


def held_by(site, *routers):
    """Waits until both addresses are on these routers and nowhere else."""
    wanted = [list(routers)] * 2
    wait_until("both addresses on %s" % (routers,), lambda: [site.holders(VIP), site.holders(GATEWAY)],
               lambda seen: seen == wanted, within=15)


def two_routers(site, more=""):
    daemons = site.r1.poised(fast_pair(150, more)), site.r2.poised(fast_pair(100, more))
    held_by(site, "r1")
    return daemons


def answering_probe(site):
    probe = site.probe("icmp")
    wait_until("answers to the client", lambda: probe.answered_since(0), lambda n: n > 5)
    return probe


def outage(probe, moment):
    """How long the client got no answer around the moment."""
    wait_until("answers again", lambda: probe.answered_since(moment + DOWN), lambda n: n > 5, within=20)
    return probe.silence(moment - 0.1)[0]


def test_the_better_router_holds_both_addresses(site):
    first, second = two_routers(site)
    assert first.state("front") == first.state("back") == "MASTER"
    assert second.state("front") == second.state("back") == "BACKUP"
    entry = second.vrrp("front")
    assert entry["interface"] == "front" and entry["vrid"] == 51 and entry["addresses"] == [VIP]
    assert entry["priority"] == entry["effective_priority"] == 100
    assert entry["why"] and entry["since"].endswith("Z")


@pytest.mark.parametrize("interface", ["front", "back"])
def test_a_cut_cable_moves_both_addresses(site, interface):
    two_routers(site)
    probe = answering_probe(site)
    moment = time.monotonic()
    site.r1.cut(interface)
    held_by(site, "r2")
    assert outage(probe, moment) < DOWN + SLACK
    site.r1.restore(interface)
    held_by(site, "r1")


def test_a_dead_switch_moves_both_addresses(site):
    """The light stays on, nothing arrives: both are master until the segment is whole again, then one steps down."""
    _, second = two_routers(site)
    site.r1.cut(carrier=True)
    wait_until("r2 to take over", lambda: second.state("front"), lambda state: state == "MASTER", within=10)
    site.r1.restore()
    held_by(site, "r1")
    wait_until("r2 to step down", lambda: second.state("back"), lambda state: state == "BACKUP")


def test_a_stopped_daemon_hands_over_at_once(site):
    first, _ = two_routers(site)
    probe = answering_probe(site)
    moment = time.monotonic()
    assert first.stop() == 0
    held_by(site, "r2")
    # No patience is needed after priority 0, only the skew.
    assert outage(probe, moment) < DOWN - 3 * INTERVAL + SLACK
    assert [a for a in site.r1.addresses() if a in (VIP, GATEWAY)] == []


def test_a_dead_role_goes_on_and_nothing_moves(site):
    first, second = [router.poised(pair(priority)) for router, priority in ((site.r1, 150), (site.r2, 100))]
    held_by(site, "r1")
    frames = site.client.capture("eth0")
    took_over = second.vrrp("front")["became_master"]
    for _ in range(3):
        pids = wait_until("a vrrp role", lambda: first.role_pids("vrrp"))
        os.kill(pids[0], signal.SIGKILL)
        wait_until("another vrrp role that is master", lambda: (first.role_pids("vrrp"), first.state("front")),
                   lambda seen: seen[0] and seen[0] != pids and seen[1] == "MASTER")
    assert second.vrrp("front")["became_master"] == took_over
    assert {source for _, source, _ in frames.vrrp()} == {"192.0.2.2"}
    held_by(site, "r1")


def test_a_hung_role_goes_on_and_nothing_moves(site):
    daemons = [router.poised(pair(priority)) for router, priority in ((site.r1, 150), (site.r2, 100))]
    held_by(site, "r1")
    elected = daemons[1].vrrp("front")["became_master"]
    hung = daemons[0].role_pids("vrrp")
    os.kill(hung[0], signal.SIGSTOP)
    wait_until("another vrrp role", lambda: daemons[0].role_pids("vrrp"), lambda pids: pids and pids != hung)
    wait_until("it to be master", lambda: daemons[0].state("front"), lambda state: state == "MASTER")
    assert daemons[1].vrrp("front")["became_master"] == elected
    held_by(site, "r1")


def test_a_role_that_never_lives_long_gives_the_addresses_up(site):
    first, _ = two_routers(site)
    done = threading.Event()

    def keep_killing():
        while not done.is_set():
            for pid in first.role_pids("vrrp"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            done.wait(0.01)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        held_by(site, "r2")
    finally:
        done.set()
        killer.join()
    held_by(site, "r1")


def test_after_the_death_of_everything_the_addresses_vanish(site):
    lifetime = 3
    text = "global_defs {\n\taddress_lifetime %d\n}\n" % lifetime
    site.r1.poised(text + fast_pair(150), "--dialect", "poise")
    site.r2.poised(text + fast_pair(100, "garp_master_delay 1"), "--dialect", "poise")
    held_by(site, "r1")
    probe = answering_probe(site)
    capture = site.client.capture("eth0")
    moment = time.monotonic()
    site.r1.kill_all()
    wait_until("r2 to hold the address", lambda: site.holders(VIP), lambda seen: "r2" in seen)
    assert outage(probe, moment) < DOWN + SLACK
    held_by(site, "r2")
    # The kernel looks at lifetimes once a second.
    assert time.monotonic() - moment < lifetime + 3
    # Who asked the dead node's kernel meanwhile hears once more where the address is.
    own = bytes.fromhex(site.r2.cables[0][2].replace(":", ""))
    wait_until("an announcement when the dead node's addresses are gone", lambda: [
        when for when, frame in list(capture.frames) if frame[6:14] == own + b"\x08\x06" and
        frame[28:32] == socket.inet_aton(VIP)], lambda seen: seen and seen[-1] - seen[0] >= lifetime, within=10)


def test_a_new_daemon_finds_what_a_dead_one_left(site):
    """Killed and started again within the lifetime of the addresses, but later than a successor would have waited: those
    that it does not hold are removed."""
    first = site.r1.poised(fast_pair(150))
    held_by(site, "r1")
    site.r1.kill_all()
    end = time.monotonic() + 2 * DOWN
    wait_until("the patience of any successor to be over", time.monotonic, lambda now: now > end)
    assert site.holders(VIP) == ["r1"]
    first = site.r1.poised(pair(150, more="nopreempt"))
    wait_until("the leftovers to be gone", lambda: site.holders(VIP), lambda seen: seen == [], within=5)
    assert first.state("front") == "BACKUP"
    held_by(site, "r1")


def test_a_dead_parent_hands_over(site):
    first, _ = two_routers(site)
    probe = answering_probe(site)
    roles = first.family()[1:]
    moment = time.monotonic()
    os.kill(first.role_pids("poised")[0], signal.SIGKILL)
    held_by(site, "r2")
    assert outage(probe, moment) < DOWN + SLACK
    wait_until("all roles to have ended", lambda: [pid for pid in roles if pid in process_table()],
               lambda left: not left)


def test_a_sleeper_listens_before_it_speaks(site):
    first, second = two_routers(site)
    family = first.family()
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    wait_until("r2 to be master", lambda: second.state("front"), lambda state: state == "MASTER")
    frames = site.client.capture("eth0")
    for pid in reversed(family):
        os.kill(pid, signal.SIGCONT)
    moment = time.monotonic()
    held_by(site, "r1")
    first.wait_log("this process was held up")
    spoke = [when for when, source, _ in frames.vrrp() if source == "192.0.2.2" and when > moment]
    assert spoke[0] - moment > 3 * INTERVAL


def test_a_sleeper_whom_nobody_replaced_goes_on(site):
    """A machine that stood still must not make an outage of it: the addresses stay, the advertisements go on."""
    first = site.r1.poised(fast_pair(150))
    held_by(site, "r1")
    family = first.family()
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    moment = time.monotonic()
    wait_until("the sleep to be over", time.monotonic, lambda now: now - moment > 8 * INTERVAL)
    frames = site.client.capture("eth0")
    for pid in reversed(family):
        os.kill(pid, signal.SIGCONT)
    first.wait_log("nobody took over meanwhile: still master")
    wait_until("advertisements to go on", lambda: len([1 for _, source, _ in frames.vrrp() if source == "192.0.2.2"]),
               lambda n: n > 5)
    assert "master ->" not in first.log()
    assert '"kind":"stall"' in first.poisectl("events", "--json").stdout.replace(" ", "")
    held_by(site, "r1")


def test_an_ipv6_address_moves(site):
    text = instance("six", "front", 51, VIP6, priority=150, advert=INTERVAL,
                    more="version 3\nvirtual_ipaddress_excluded {\n\t%s66\n}" % FRONT4)
    # RFC 9568: the first address of an IPv6 router is a link-local one.
    text = text.replace(VIP6, "fe80::51\n\t\t" + VIP6)
    first = site.r1.poised(text)
    site.r2.poised(text.replace("priority 150", "priority 100"))
    wait_until("r1 to hold the addresses", lambda: [site.holders(VIP6), site.holders(FRONT4 + "66")],
               lambda seen: seen == [["r1"], ["r1"]], within=15)
    assert "deprecated" in site.r1.run("ip", "-6", "addr", "show", "to", VIP6)
    probe = site.probe("icmp", VIP6)
    wait_until("answers to the client", lambda: probe.answered_since(0), lambda n: n > 5)
    moment = time.monotonic()
    site.r1.cut("front")
    wait_until("r2 to hold the address", lambda: site.holders(VIP6), lambda seen: seen == ["r2"])
    wait_until("answers again", lambda: probe.answered_since(moment + DOWN), lambda n: n > 5, within=20)
    assert probe.silence(moment - 0.1)[0] < DOWN + SLACK
    wait_until("r1 to see why", lambda: first.vrrp("six").get("why"), lambda why: "no carrier" in why)
    assert FRONT6 + "2" in site.r1.addresses("front")


def test_a_port_that_is_deaf_at_first_makes_no_master(site):
    """A switch port that came up learns before it forwards: with nopreempt the better router must not take that silence
    for the death of the master."""
    first = site.r1.poised(fast_pair(150, "nopreempt"))
    held_by(site, "r1")
    second = site.r2.poised(fast_pair(100, "nopreempt"))
    wait_until("r2 to hear r1", lambda: second.vrrp("front").get("master"), lambda master: master == "192.0.2.2")
    site.r1.cut()
    held_by(site, "r2")
    # A light and nothing else: the ports belong to no bridge, and say nothing themselves.
    for port in ("r1-front", "r1-back"):
        site.switch.sysctl({"ipv6/conf/%s/disable_ipv6" % port: 1})
        site.switch.ip("link set %s nomaster" % port)  # on its own: some kernels do what follows first
        site.switch.ip("link set %s up" % port)
    wait_until("r1 to have its links", lambda: first.state("front"), lambda state: state == "BACKUP")
    first.wait_log("front came up")
    end = time.monotonic() + 4 * DOWN
    wait_until("some elections to be over", time.monotonic, lambda now: now > end)
    assert first.state("front") == first.state("back") == "BACKUP"
    site.r1.restore()
    wait_until("r1 to hear r2", lambda: first.vrrp("front").get("master"), lambda master: master == "192.0.2.3")
    assert first.state("front") == "BACKUP" and second.vrrp("front")["became_master"] == 1
    # A link that was heard is believed.
    site.r2.kill_all()
    wait_until("r1 to take over", lambda: first.state("front"), lambda state: state == "MASTER", within=3)


def test_an_interface_that_takes_nothing_stops_no_other_heartbeat(site):
    """A link that is paused keeps what it was given; what goes out elsewhere is not what it has no room for."""
    shape = ["tc", "qdisc", "add", "dev", "back", "root", "tbf", "rate", "8bit", "burst", "1600", "limit", "100000"]
    if not site.r1.run("sh", "-c", " ".join(shape) + " && echo done || true"):
        pytest.skip("this kernel cannot hold a queue back")
    seen = site.client.capture("eth0")
    daemon = site.r1.poised(instance("stuck", "back", 52, GATEWAY, priority=150, advert=0.01, more=FAST) +
                            instance("well", "front", 51, VIP, priority=150, advert=INTERVAL, more=FAST))
    # More than a socket of the usual size has room for.
    wait_until("many advertisements", lambda: daemon.vrrp("stuck").get("adverts_sent", 0), lambda n: n > 800, within=60)
    before = len(seen.vrrp())
    wait_until("the heartbeat of the other", lambda: len(seen.vrrp()), lambda n: n > before + 10, within=20)
    assert "not sent" not in daemon.log()


def test_a_delay_at_the_start_counts_after_a_stop_as_well(site):
    """What a daemon that was stopped in order has left is no reason to be master at once."""
    text = "global_defs {\n\tvrrp_startup_delay 3\n}\n" + instance("one", "front", 51, VIP, priority=255, advert=INTERVAL, more=FAST)
    for _ in range(2):
        began = time.monotonic()
        daemon = site.r1.poised(text)
        wait_until("mastership", lambda: daemon.state("one"), lambda state: state == "MASTER", within=20)
        assert time.monotonic() - began >= 3
        assert daemon.stop() == 0


def test_a_sequence_goes_on_after_the_death_of_everything(site):
    """With AH the others take only numbers that they have not seen: the next daemon goes on counting."""
    auth = "authentication {\n\tauth_type AH\n\tauth_pass secret\n}"
    text = instance("one", "front", 51, VIP, priority=255, advert=3, more=auth)
    site.r1.poised(text)
    second = site.r2.poised(text.replace("priority 255", "priority 100"))

    def heard():
        return second.vrrp("one").get("adverts_received", 0)

    wait_until("some advertisements", heard, lambda n: n >= 2, within=20)
    site.r1.kill_all()
    before = heard()
    site.r1.poised(text)
    wait_until("an advertisement of the next daemon", heard, lambda n: n > before, within=20)
    seen = second.vrrp("one")
    assert seen["state"] == "BACKUP" and seen["became_master"] == 0 and not seen["dropped"].get("auth_failure"), seen
