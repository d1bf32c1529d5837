# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself: what the other tests rely on is true of Debian's keepalived, a daemon that is known to work."""

import os
import time

import pytest

from poiselab import Site, wait_until
from poiselab.configs import nat_site, pair
from poiselab.process import process_table
from poiselab.site import GATEWAY, VIP


def test_the_address_moves_when_the_cable_is_cut(site):
    site.r1.keepalived(pair(150))
    site.r2.keepalived(pair(100))
    wait_until("r1 to hold both addresses", lambda: site.holders(VIP) + site.holders(GATEWAY),
               lambda seen: seen == ["r1", "r1"], within=15)
    frames = site.client.capture("eth0")
    wait_until("an advertisement of r1", lambda: [source for _, source, _ in frames.vrrp()], within=5)
    probe = site.probe("icmp")
    wait_until("answers to the client", lambda: probe.answered_since(0), lambda n: n > 5)
    moment = time.monotonic()
    site.r1.cut()
    wait_until("answers from r2", lambda: site.holders(VIP), lambda seen: "r2" in seen)
    wait_until("answers to the client", lambda: probe.answered_since(moment + 1), lambda n: n > 5)
    length, _ = probe.silence(moment - 0.1)
    assert 2.0 < length < 4.0  # between two and three intervals, and the skew of priority 100
    assert {source for _, source, _ in frames.vrrp()} == {"192.0.2.2", "192.0.2.3"}
    site.r1.restore()
    wait_until("r1 to be master again", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=15)


def test_a_reboot_forgets_everything(site):
    peer = site.r1.keepalived(pair(150))
    wait_until("r1 to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=15)
    family = peer.family()
    assert len(family) >= 2
    site.r1.reboot()
    assert not [pid for pid in family if pid in process_table()]
    assert site.r1.addresses("front") == ["192.0.2.2", "2001:db8:1::2"]


def test_closing_removes_every_trace():
    made = Site()
    names = [machine.namespace.name for machine in made.machines]
    sleeper = made.client.start("sleep", ["sleep", "1000"])
    made.close()
    assert not sleeper.running()
    assert not set(names) & set(os.listdir("/run/netns"))
    assert not os.path.exists(made.folder)


def test_waiting_says_what_was_seen_last():
    with pytest.raises(AssertionError, match=r"waited [\d.]+ s for the moon; last seen: 'cheese'"):
        wait_until("the moon", lambda: "cheese", lambda seen: seen == "moon", within=0.1)


@pytest.mark.ipvs
def test_requests_reach_every_server_and_leave_a_sick_one(site):
    for server in site.servers:
        server.nginx()
    site.r1.keepalived(nat_site(150))
    wait_until("r1 to spread requests", lambda: {site.fetch() for _ in range(6)},
               lambda seen: seen == {"s1\n", "s2\n", "s3\n"}, within=20)
    assert len(site.r1.ipvs()["TCP", "192.0.2.10:80"]) == 3
    site.s2.web.sick()
    wait_until("s2 to be taken out", lambda: {site.fetch() for _ in range(6)},
               lambda seen: seen == {"s1\n", "s3\n"}, within=20)
