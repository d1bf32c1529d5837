# SPDX-License-Identifier: GPL-2.0-or-later
"""auth_hmac on the wire: signed pairs, keys that change, nodes that migrate, replays, and clocks that somebody sets."""

import os
import signal
import struct
import time

import pytest

from poiselab import wait_until
from poiselab.clock import Clock
from poiselab.configs import EVERY_ROLE, instance
from poiselab.forge import Speaker, advert, hmac_trailer, now_sequence
from poiselab.site import FRONT4, VIP

R1, R2, CLIENT = FRONT4 + "2", FRONT4 + "3", FRONT4 + "50"
KEYS = {1: bytes(range(32)), 2: b"another secret of thirty-six bytes!!"}
ADVERT = 0.2


def block(keys=(1,), active=1, *, mode="enforce", more=""):
    lines = ["key %d hex:%s" % (number, KEYS[number].hex()) for number in keys]
    return "auth_hmac {\n\t%s\n\tactive_key %d\n\tmode %s\n\t%s\n}" % ("\n\t".join(lines), active, mode, more)


def one(priority, auth=None, *, version=3, address=VIP, advert_int=ADVERT, more=""):
    auth = block() if auth is None else auth
    return instance("one", "front", 51, address, priority=priority, advert=advert_int,
                    more="version %d\n%s\n%s" % (version, auth, more))


def wait_state(daemon, state, within=10):
    wait_until("%s to be %s" % (daemon.name, state), lambda: daemon.state("one"), lambda seen: seen == state, within)


def counted(daemon, what, least=1, within=10):
    return wait_until("%s to be counted" % what, lambda: daemon.vrrp("one").get("dropped", {}).get(what, 0),
                      lambda n: n >= least, within)


def signed_pair(site, **more):
    first, second = site.r1.poised(one(150, **more)), site.r2.poised(one(100, **more))
    wait_state(first, "MASTER")
    heard = second.vrrp("one").get("adverts_received", 0)
    wait_until("advertisements", lambda: second.vrrp("one").get("adverts_received", 0), lambda n: n >= heard + 3)
    return first, second


@pytest.mark.parametrize("version, address", [(2, VIP), (3, VIP), (3, "fe80::51")])
def test_a_signed_pair(site, version, address):
    frames = site.client.capture("eth0")
    interval = 1 if version == 2 else ADVERT
    first, second = signed_pair(site, version=version, address=address, advert_int=interval)
    assert second.state("one") == "BACKUP" and second.vrrp("one")["auth_hmac"]["signed_received"] >= 3
    family = 6 if ":" in address else 4
    size = 8 + (16 if family == 6 else 4) + (8 if version == 2 else 0)
    seen = frames.vrrp()
    sequences = [struct.unpack(">Q", message[size + 4:size + 12])[0] for _, _, message in seen]
    assert sequences == sorted(set(sequences)) and abs((sequences[-1] >> 32) - time.time()) < 5
    for (_, source, message), sequence in zip(seen, sequences):
        assert message[size:] == hmac_trailer(KEYS[1], 1, family, source, message[:size], sequence)
    assert first.stop() == 0
    wait_state(second, "MASTER")
    assert "handed over" in second.vrrp("one")["why"]


@pytest.mark.parametrize("version, family", [(2, 4), (3, 4), (3, 6)])
def test_a_foreign_router_that_signs_is_understood(site, version, family):
    interval = 1 if version == 2 else ADVERT
    address = "fe80::51" if family == 6 else VIP
    daemon = site.r1.poised(one(150, version=version, address=address, advert_int=interval))
    wait_state(daemon, "MASTER")
    speaker = Speaker(site.client)
    what = {"version": version, "family": family, "interval": interval, "addresses": [address],
            "source": "fe80::50" if family == 6 else CLIENT}
    # not signed, signed with a wrong key, with an unknown one, long ago, damaged
    speaker.send(**what)
    speaker.send(key=KEYS[2], **what)
    speaker.send(key=KEYS[1], key_id=7, **what)
    speaker.send(key=KEYS[1], sequence=now_sequence(-60), **what)
    frame = bytearray(advert(mac=speaker.mac, key=KEYS[1], checksum="wrong", **what))
    speaker.send(bytes(frame))
    reasons = ["hmac_missing", "hmac_invalid", "hmac_unknown_key", "hmac_stale", "checksum"]
    for reason in reasons:
        counted(daemon, reason)
    assert daemon.state("one") == "MASTER" and daemon.vrrp("one")["became_master"] == 1
    # One whose checksum was wrong has left no mark: the same signature is still good.
    sequence = now_sequence()
    speaker.send(key=KEYS[1], sequence=sequence, checksum="wrong", **what)
    counted(daemon, "checksum", 2)
    speaker.send(key=KEYS[1], sequence=sequence, **what)
    wait_state(daemon, "BACKUP")
    speaker.send(key=KEYS[1], sequence=sequence, **what)
    counted(daemon, "hmac_replay")
    speaker.repeat(interval, key=KEYS[1], **what)
    heard = daemon.vrrp("one")["adverts_received"]
    wait_until("advertisements", lambda: daemon.vrrp("one")["adverts_received"], lambda n: n > heard + 4, within=15)
    assert daemon.state("one") == "BACKUP"
    speaker.close()
    wait_state(daemon, "MASTER")


def test_a_clock_that_drifts_is_told_in_time(site):
    """Within the window everything works, and half of it is a reason to say so."""
    daemon = site.r1.poised(one(150, block(more="time_window 120")))
    wait_state(daemon, "MASTER")
    speaker = Speaker(site.client)
    speaker.send(key=KEYS[1], interval=ADVERT, sequence=now_sequence(-80))
    wait_state(daemon, "BACKUP")
    daemon.wait_log("the clock of %s is 8" % CLIENT)
    speaker.send(key=KEYS[1], interval=ADVERT, sequence=now_sequence(-130))
    counted(daemon, "hmac_stale")
    speaker.close()


def test_what_was_seen_survives_reload_crash_and_death(site):
    auth = block(more="anti_replay monotonic")
    daemon = site.r1.poised(one(150, auth))
    wait_state(daemon, "MASTER")
    speaker = Speaker(site.client)
    frame = speaker.send(key=KEYS[1], interval=ADVERT)
    wait_state(daemon, "BACKUP")
    speaker.send(frame)
    counted(daemon, "hmac_replay", 1)
    daemon.write(one(140, auth))
    daemon.signal(signal.SIGHUP)
    wait_until("the reload", lambda: daemon.vrrp("one").get("priority"), lambda p: p == 140)
    speaker.send(frame)
    counted(daemon, "hmac_replay", 2)
    os.kill(daemon.role_pids("vrrp")[0], signal.SIGKILL)
    wait_until("another process", lambda: daemon.role_pids("vrrp"))
    wait_until("its state", lambda: daemon.state("one"), lambda state: state in ("BACKUP", "MASTER"))
    speaker.send(frame)
    counted(daemon, "hmac_replay", 3)
    site.r1.kill_all()
    daemon = site.r1.poised(one(140, auth))
    wait_state(daemon, "MASTER")
    speaker.send(frame)
    counted(daemon, "hmac_replay", 1)
    assert daemon.state("one") == "MASTER"
    speaker.close()


def reload(daemon, text, **seen):
    before = daemon.status().get("generation")
    daemon.write(text)
    daemon.signal(signal.SIGHUP)
    wait_until("the new generation", daemon.status, lambda status: status.get("generation") != before)


def test_keys_change_and_nodes_migrate_without_a_gap(site):
    frames = site.client.capture("eth0")
    first, second = site.r1.poised(one(150, "")), site.r2.poised(one(100, ""))
    wait_state(first, "MASTER")
    wait_until("advertisements", lambda: second.vrrp("one").get("adverts_received", 0), lambda n: n >= 3)
    since, elected = first.vrrp("one")["since"], second.vrrp("one")["became_master"]
    steps = [block(mode="receive-only"), block(mode="permissive"), block(mode="enforce"),  # introduced
             block((1, 2), 1), block((1, 2), 2), block((2,), 2)]  # and changed
    for auth in steps:
        for daemon, priority in ((second, 100), (first, 150)):
            reload(daemon, one(priority, auth))
            heard = second.vrrp("one")["adverts_received"]
            wait_until("more advertisements", lambda: second.vrrp("one")["adverts_received"], lambda n: n > heard + 2)
    assert first.vrrp("one")["since"] == since and second.vrrp("one")["became_master"] == elected
    assert second.vrrp("one").get("dropped", {}) == {}
    assert second.vrrp("one")["auth_hmac"]["unsigned_received"] > 0
    sizes = [len(message) for _, source, message in frames.vrrp() if source == R1]
    assert sizes == sorted(sizes) and set(sizes) == {12, 40} and frames.vrrp()[-1][2][13] == 2
    assert {source for _, source, _ in frames.vrrp()} == {R1}


def test_an_instance_that_cannot_sign_is_refused(site):
    daemon = site.r1.poised(one(150))
    wait_state(daemon, "MASTER")
    daemon.write(one(150, block(active=3)))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("active_key 3 names no usable key")
    assert daemon.state("one") == "MASTER"
    missing = "auth_hmac {\n\tkey 1 file:%s\n\tactive_key 1\n}" % site.r1.path("nothing")
    daemon.write(one(150, missing))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("the file of key 1 cannot be read")
    assert site.holders(VIP) == ["r1"]
    fresh = site.r2.poised(one(100, missing))
    assert wait_until("it to end", lambda: fresh.popen.poll(), lambda code: code is not None) != 0


def test_keys_are_nowhere_to_be_seen(site):
    first = os.urandom(32)  # the bytes in a row that other tests use stand in tables of libraries
    path = site.r1.path("key")
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as f:
        f.write("hex:%s\n" % first.hex())
    text = "auth_hmac {\n\tkey 1 file:%s\n\tkey 2 \"%s\"\n\tactive_key 1\n\tkey x\n}" % (path, KEYS[2].decode())
    daemon = site.r1.poised(one(150, text.replace("\tkey x\n", "")) + EVERY_ROLE)
    wait_state(daemon, "MASTER")
    daemon.write(one(150, text.replace("key x", "keyword \"%s\"\n\tkey 2 \"%s\"" % ((KEYS[2].decode(),) * 2))))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("key 2 is given twice")
    needles = [first, KEYS[2], first.hex().encode()]
    shown = [daemon.log().encode(), daemon.poisectl("status", "--json").stdout.encode()]
    for pid in daemon.family():
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            shown.append(f.read())
    assert not [needle for needle in needles for text in shown if needle in text]
    others = [pid for pid in daemon.family() if pid not in daemon.role_pids("vrrp") + daemon.role_pids("poised")]
    assert len(others) >= 4
    assert not [pid for pid in others for needle in needles if needle in memory(pid)]
    # That a key can be found like this shows where it has to be.
    assert first in memory(daemon.role_pids("vrrp")[0])


def memory(pid):
    """All that a core of the process would have in it."""
    parts = []
    with open("/proc/%d/maps" % pid, encoding="ascii") as maps, open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
        for line in maps:
            span, access = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if "r" in access and end < 1 << 47:
                try:
                    mem.seek(begin)
                    parts.append(mem.read(end - begin))
                except OSError:
                    pass
    return b"".join(parts)


# ---- clocks ----


def overlap(frames, moment):
    """For how long two sources advertised side by side since then: from the first advertisement of a second one to the
    last of the one that gave in."""
    seen = [(when, source) for when, source, message in frames.vrrp() if when >= moment and message[2] > 0]
    began, longest = None, 0.0
    for (_, before), (when, source) in zip(seen, seen[1:]):
        if source != before:
            began = began if began is not None and when - began < 1 else when
            longest = max(longest, when - began)
    return longest


def more_of(frames, count):
    have = len(frames.vrrp())
    wait_until("more advertisements", lambda: len(frames.vrrp()), lambda n: n >= have + count, within=15)


@pytest.mark.parametrize("which, step", [("master", 3600), ("master", -3600), ("backup", 3600)])
def test_a_clock_that_is_set_by_an_hour(site, step, which):
    clocks = {router.short: Clock(router) for router in site.routers}
    first = site.r1.poised(one(150), env=clocks["r1"].env)
    wait_state(first, "MASTER")
    second = site.r2.poised(one(100), env=clocks["r2"].env)
    wait_until("advertisements", lambda: second.vrrp("one").get("adverts_received", 0), lambda n: n >= 3)
    frames = site.client.capture("eth0")
    moment = time.monotonic()
    clocks["r1" if which == "master" else "r2"].set(step)
    more_of(frames, 10)
    assert second.vrrp("one")["became_master"] == 0 and second.vrrp("one").get("dropped", {}) == {}
    # Whoever crashes goes on by the time that the pair has.
    os.kill(first.role_pids("vrrp")[0], signal.SIGKILL)
    more_of(frames, 6)
    assert overlap(frames, moment) <= 3 * ADVERT + 0.1
    # It is corrected.
    clocks["r1" if which == "master" else "r2"].set(0)
    more_of(frames, 6)
    assert first.state("one") == "MASTER" and second.state("one") == "BACKUP"
    (first if which == "master" else second).wait_log("the wall clock was set by")


@pytest.mark.parametrize("step", [3600, -3600])
def test_all_clocks_are_set_and_one_node_starts_anew(site, step):
    clocks = {router.short: Clock(router) for router in site.routers}
    first = site.r1.poised(one(150), env=clocks["r1"].env)
    second = site.r2.poised(one(100), env=clocks["r2"].env)
    wait_state(first, "MASTER")
    frames = site.client.capture("eth0")
    moment = time.monotonic()
    for clock in clocks.values():
        clock.set(step)
    more_of(frames, 10)
    assert second.stop() == 0
    second = site.r2.poised(one(100), env=clocks["r2"].env)
    wait_until("it to have heard the other", lambda: second.vrrp("one").get("auth_hmac", {}).get("signed_received", 0),
               lambda n: n >= 10, within=15)
    assert first.state("one") == "MASTER" and second.state("one") == "BACKUP"
    assert overlap(frames, moment) <= 3 * ADVERT + 0.1
    first.wait_log("goes by the wall clock")
