# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of masters that somebody wanted: a stop, a handover, and back. No client notices."""

import time

import pytest

from poiselab import wait_until
from poiselab.configs import pair
from poiselab.site import GATEWAY, VIP

INTERVAL = 0.2


def text(priority, more=""):
    return "global_defs {\n\tvrrp_version 3\n}\n" + pair(priority, advert=INTERVAL, more=more)


def held_by(site, router):
    wait_until("both addresses on " + router, lambda: [site.holders(VIP), site.holders(GATEWAY)],
               lambda seen: seen == [[router], [router]], within=15)


def two_routers(site, backup="poised"):
    daemons = site.r1.poised(text(150)), getattr(site.r2, backup)(text(100))
    held_by(site, "r1")
    return daemons


def answering_probe(site):
    probe = site.probe("icmp", interval_ms=5)
    wait_until("answers to the client", lambda: probe.answered_since(0), lambda n: n > 20)
    return probe


def lost(probe, since):
    """Knocks without an answer; those of the last moments may still be under way."""
    end = time.monotonic()
    wait_until("answers after the change", lambda: probe.answered_since(end), lambda n: n > 20, within=20)
    return [began for began, answered in probe.knocks() if since <= began <= end and not answered]


@pytest.mark.parametrize("backup", ["poised", "keepalived"])
def test_a_stop_loses_nothing(site, backup):
    first, _ = two_routers(site, backup)
    probe = answering_probe(site)
    moment = time.monotonic()
    assert first.stop() == 0
    held_by(site, "r2")
    assert lost(probe, moment) == []
    assert "stopped, 192.0.2.3 took over after" in first.log()


def test_a_stop_without_a_successor_ends_all_the_same(site):
    first = site.r1.poised(text(150))
    held_by(site, "r1")
    moment = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - moment < 3
    assert site.holders(VIP) == site.holders(GATEWAY) == []
    assert "nobody took over within" in first.log()


def test_a_handover_and_back_loses_nothing(site):
    first, second = two_routers(site)
    probe = answering_probe(site)
    moment = time.monotonic()
    answer = first.poisectl("handover", "front").stdout
    assert "front: handed over on request to 192.0.2.3" in answer and "back: handed over" in answer
    held_by(site, "r2")
    assert first.vrrp("front")["why"].startswith("handed over on request to 192.0.2.3")
    # It is let be, although we have the higher priority.
    heard = first.vrrp("front")["adverts_received"]
    wait_until("more of its advertisements", lambda: first.vrrp("front")["adverts_received"],
               lambda n: n > heard + 8, within=10)
    assert first.state("front") == "BACKUP" and second.state("back") == "MASTER"
    answer = first.poisectl("handover", "--all", "--back").stdout
    assert "front: our priority 150 is over the 100 of 192.0.2.3" in answer
    held_by(site, "r1")
    assert lost(probe, moment) == []


def test_a_handover_that_nobody_wants_changes_nothing(site):
    first = site.r1.poised(text(150))
    held_by(site, "r1")
    probe = answering_probe(site)
    moment = time.monotonic()
    answer = first.poisectl("handover", "--all", check=False)
    assert answer.returncode == 1 and "nobody took over, still served here" in answer.stderr
    assert first.state("front") == "MASTER" and first.vrrp("front")["became_master"] == 1
    assert lost(probe, moment) == []


def test_a_successor_that_dies_is_replaced(site):
    first, second = two_routers(site)
    first.poisectl("handover", "--all")
    held_by(site, "r2")
    site.r2.kill_all()
    site.r2.cut()
    wait_until("r1 to take over", lambda: first.state("front"), lambda state: state == "MASTER", within=10)
    assert second.popen.wait(10) is not None


def test_a_backup_has_nothing_to_give(site):
    _, second = two_routers(site)
    assert "no vrrp_instance nosuch" in second.poisectl("handover", "nosuch", check=False).stderr
    assert "nothing to do, 192.0.2.2 is master" in second.poisectl("handover", "front", check=False).stderr
    assert second.poisectl("handover", check=False).returncode == 2
    assert second.state("front") == "BACKUP"
    held_by(site, "r1")
