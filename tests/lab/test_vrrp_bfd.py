# SPDX-License-Identifier: GPL-2.0-or-later
"""BFD sessions with Debian's keepalived, with FRR's bfdd and with another poised, and what follows from them."""

import json
import os
import signal
import socket
import struct

import pytest

from poiselab import net, wait_until
from poiselab.configs import instance, service
from poiselab.site import BACK4, FRONT4, FRONT6, VIP

OWN, OTHER = {4: FRONT4 + "2", 6: FRONT6 + "2"}, {4: FRONT4 + "3", 6: FRONT6 + "3"}
# A session is lost after a second or three of silence: machines that stall for less keep it.
PACE = "\tmin_rx 100\n\tmin_tx 100\n\tmultiplier %d\n"


def session(name, own, other, multiplier=20, more=""):
    return "bfd_instance %s {\n\tneighbor_ip %s\n\tsource_ip %s\n" % (name, other, own) + PACE % multiplier + more + "}\n"


def tracked(name, priority=150, more=""):
    return instance("one", "front", 51, VIP, priority=priority, advert=0.2, more="version 3\ntrack_bfd {\n\t%s%s\n}" % (name, more))


def bfd(daemon, name="peer"):
    return next((s for s in daemon.status().get("bfd", []) if s["name"] == name), {})


def reach(daemon, state, name="peer", within=20):
    wait_until("session %s to be %s" % (name, state), lambda: bfd(daemon, name).get("state"),
               lambda seen: seen == state, within=within)


def is_fault(daemon):
    wait_until("a fault", lambda: daemon.state("one"), lambda state: state == "FAULT")
    assert daemon.vrrp("one")["why"].startswith("tracked bfd peer"), daemon.vrrp("one")["why"]


@pytest.mark.parametrize("family", [4, 6])
def test_a_session_with_keepalived(site, family):
    """Without a weight an instance is in fault until the session is up, and again when the neighbour dies."""
    ours = site.r1.poised(session("peer", OWN[family], OTHER[family]) + tracked("peer"))
    is_fault(ours)
    theirs = session("peer", OTHER[family], OWN[family]) + tracked("peer", 100)
    peer = site.r2.keepalived(theirs)
    wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    assert bfd(ours)["state"] == "up" and bfd(ours)["remote"]["state"] == "up"
    wait_until("keepalived to be backup", peer.log, lambda log: "(one) Entering BACKUP STATE" in log)
    # The intervals of both sides are in force when the poll sequences are over.
    wait_until("the intervals", lambda: (bfd(ours)["interval_us"], bfd(ours)["detection_us"]),
               lambda seen: seen == (100000, 2000000))
    site.r2.kill_all()
    is_fault(ours)
    assert bfd(ours)["why"] == "%s was not heard in time" % OTHER[family]
    site.r2.keepalived(theirs)
    wait_until("mastership again", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    assert bfd(ours)["ups"] == 2


FRR = """bfd
 peer %s local-address %s
  detect-multiplier 20
  receive-interval 100
  transmit-interval 100
 !
 peer %s local-address %s
  detect-multiplier 20
  receive-interval 100
  transmit-interval 100
 !
!
"""


def test_sessions_with_frr(site):
    """Two families at once; a weight moves the priority; each side sees the other one end."""
    ours = site.r1.poised(session("peer", OWN[4], OTHER[4], more="\tweight -60\n") + session("six", OWN[6], OTHER[6]) +
                          tracked("peer"))
    wait_until("the lower priority", lambda: ours.vrrp("one").get("effective_priority"), lambda seen: seen == 90)
    frr = site.r2.frr(FRR % (OWN[4], OTHER[4], OWN[6], OTHER[6]), "bfdd")

    def states():
        try:
            return sorted(p["status"] for p in json.loads(frr.ask("show bfd peers json") or "[]"))
        except ValueError:
            return []

    wait_until("FRR to see both sessions up", states, lambda seen: seen == ["up", "up"], within=30)
    reach(ours, "up")
    reach(ours, "up", "six")
    wait_until("the full priority", lambda: ours.vrrp("one")["effective_priority"], lambda seen: seen == 150)
    assert "is heard" in ours.vrrp("one")["tracks"][0]["why"]
    for program in frr.programs:
        program.kill()
    wait_until("the lower priority again", lambda: ours.vrrp("one")["effective_priority"], lambda seen: seen == 90)
    reach(ours, "down", "six")
    frr = site.r2.frr(FRR % (OWN[4], OTHER[4], OWN[6], OTHER[6]), "bfdd")
    wait_until("FRR to see both sessions up", states, lambda seen: seen == ["up", "up"], within=30)
    assert ours.stop() == 0
    # Told, not found out: FRR knows that the session was shut down by us.
    wait_until("FRR to hear the end", lambda: frr.ask("show bfd peers"),
               lambda text: text.count("Status: down") == 2 and "administratively down" in text)


def test_a_session_lives_through_reloads_and_crashes(site):
    """The neighbour notices neither a reload with new intervals nor a kill of the process that speaks."""
    mine = session("peer", OWN[4], OTHER[4], multiplier=100)
    ours = site.r1.poised(mine + tracked("peer"))
    other = site.r2.poised(session("peer", OTHER[4], OWN[4], multiplier=100, more="\tpassive\n") + tracked("peer", 100))
    for daemon in (ours, other):
        reach(daemon, "up")
    ours.write(mine.replace("min_tx 100", "min_tx 150").replace("min_rx 100", "min_rx 120") + tracked("peer"))
    ours.poisectl("reload")
    wait_until("the new intervals on the other side", lambda: bfd(other).get("remote") or {},
               lambda seen: (seen.get("min_tx_us"), seen.get("min_rx_us")) == (150000, 120000))
    wait_until("the end of the poll sequence", lambda: bfd(ours).get("interval_us"), lambda seen: seen == 150000)
    discriminator = bfd(ours)["discriminator"]
    os.kill(ours.role_pids("vrrp")[0], signal.SIGKILL)
    wait_until("the session to go on", lambda: bfd(ours), lambda seen: seen.get("state") == "up" and seen["received"] > 0)
    assert bfd(ours)["discriminator"] == discriminator
    for daemon in (ours, other):
        assert bfd(daemon)["ups"] == 1, bfd(daemon)
    sent = bfd(ours)["sent"]
    wait_until("more packets", lambda: bfd(ours)["sent"], lambda seen: seen > sent + 3)
    assert bfd(other)["ups"] == 1
    assert ours.stop() == 0
    reach(other, "down")
    assert bfd(other)["why"] == "%s closed the session" % OWN[4]
    is_fault(other)


def send(machine, source, ttl, data):
    with net.inside(machine.namespace.name):
        forged = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    forged.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    forged.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
    forged.bind((source, 0))
    forged.sendto(data, (OWN[4], 3784))
    forged.close()


def packet(state, mine, yours, version=1, multiplier=3, flags=0, length=24):
    return struct.pack(">BBBBIIIII", version << 5, state << 6 | flags, multiplier, length, mine, yours, 100000, 100000, 0)


def test_strangers_do_not_move_a_session(site):
    """What comes through a router, from somebody else or without knowing the session is counted and changes nothing."""
    ours = site.r1.poised(session("peer", OWN[4], OTHER[4]) + tracked("peer"))
    other = site.r2.poised(session("peer", OTHER[4], OWN[4]))
    for daemon in (ours, other):
        reach(daemon, "up")
    mine = bfd(ours)["discriminator"]
    down = packet(1, 77, mine)
    send(site.r2, OTHER[4], 254, down)  # behind a router
    send(site.client, FRONT4 + "50", 255, down)  # from somebody else
    for wrong in (packet(1, 77, mine ^ 1), packet(1, 77, mine, version=0), packet(1, 77, mine, multiplier=0),
                  packet(1, 0, mine), packet(3, 77, 0), packet(1, 77, mine, flags=1), packet(1, 77, mine, flags=4, length=26),
                  down[:20], b""):
        send(site.r2, OTHER[4], 255, wrong)
    # Each of the neighbour's is counted; that of the stranger belongs to no session.
    wait_until("all to be counted", lambda: bfd(ours)["dropped"], lambda seen: seen == 10)
    assert (bfd(ours)["state"], bfd(ours)["ups"], bfd(ours)["remote"]["state"]) == ("up", 1, "up")
    send(site.r2, OTHER[4], 255, down)  # the seal of truth: such a one would have done it
    wait_until("the session to begin anew", lambda: bfd(ours)["ups"], lambda seen: seen == 2, within=20)


def test_a_server_is_checked_by_its_session(site):
    """BFD_CHECK: out of the table when the session falls, in again when it is up."""
    server = site.s1.address
    mine = "bfd_instance web {\n\tneighbor_ip %s\n" % server + PACE % 20 + "}\n"
    check = "BFD_CHECK {\n\t\t\tname web\n\t\t}"
    ours = site.r1.poised(mine + service([server], check=check))
    wait_until("the server to be down", lambda: ours.server(server).get("health"), lambda seen: seen == "down")
    peer = site.s1.frr("bfd\n peer %s local-address %s\n  detect-multiplier 20\n !\n!\n" % (BACK4 + "2", server), "bfdd")
    wait_until("the server to be up", lambda: ours.server(server).get("health"), lambda seen: seen == "up", within=30)
    assert "is heard" in ours.server(server)["why"] or "is heard" in ours.server(server)["checks"][0]["why"]
    for program in peer.programs:
        program.kill()
    wait_until("the server to be down again", lambda: ours.server(server).get("health"), lambda seen: seen == "down", within=20)
    assert ours.server(server)["checks"][0]["reason"] == "BFD session"
