# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of UNH-IOL's VRRP operations suite (rev. 2.5), by its numbers, against a router made of packets: version 2 as
the suite has it, and the same for version 3 over IPv4 and IPv6 by RFC 9568. Times have the protocol's bound below and a
machine's slack above."""

import socket
import struct
import time

import pytest

from poiselab import Site, wait_until
from poiselab.configs import instance
from poiselab.forge import Speaker, advert
from poiselab.site import FRONT4

PRIORITY = 100
SLACK = 0.6
EARLY = 0.02  # our own measuring


class Form:
    """One version over one family, and what it looks like."""

    def __init__(self, name, version, family, interval):
        self.name, self.version, self.family, self.interval = name, version, family, interval
        self.vip = "fe80::51" if family == 6 else FRONT4 + "10"
        # The tester speaks with a lower and a higher address than the router under test has.
        self.low, self.high = ("fe80::1", "fe80::ffff:ffff:ffff:ffff") if family == 6 else (FRONT4 + "1", FRONT4 + "60")

    def configuration(self, priority=PRIORITY, vrid=51, vip=None, more=""):
        return instance("one", "front", vrid, vip or self.vip, priority=priority, advert=self.interval,
                        more="version %d\ngarp_master_delay 0\n%s" % (self.version, more))

    def skew(self, priority=PRIORITY):
        return (256 - priority) / 256 * (1 if self.version == 2 else self.interval)

    def down(self, priority=PRIORITY):
        return 3 * self.interval + self.skew(priority)

    def advert(self, **what):
        return {"version": self.version, "family": self.family, "interval": self.interval, "addresses": [self.vip],
                "source": self.high, **what}


FORMS = [Form("v2", 2, 4, 1), Form("v3", 3, 4, 0.2), Form("v3-ipv6", 3, 6, 0.2)]


class Rig:
    """A router under test, the tester, and the wire between them."""

    def __init__(self, form):
        self.form = form
        self.site = Site(servers=1)
        try:
            self.frames = self.site.client.capture("eth0")
            self.daemon = self.site.r1.poised(form.configuration())
            self.speaker = Speaker(self.site.client)
            self.own = None
            self.be_master()
            self.own = self.daemon.vrrp("one")["source"]
        except BaseException:
            self.site.close()
            raise

    def close(self):
        self.speaker.close()
        self.site.close()

    def holds(self, machine=None, vip=None):
        """Whether the router has the virtual address."""
        shown = (machine or self.site.r1).run("ip", "-o", "addr", "show", "dev", "front")
        return " %s/" % (vip or self.form.vip) in shown

    def state(self):
        return self.daemon.state("one")

    def wait_state(self, state, within=10):
        wait_until("the router to be " + state, self.state, lambda seen: seen == state, within)

    def be_master(self):
        """Soon: the tester says that it leaves."""
        self.speaker.silence()
        if self.state() != "MASTER":
            self.say(priority=0)
        self.wait_state("MASTER")

    def be_backup(self, priority=200):
        self.say_again(priority=priority)
        self.wait_state("BACKUP")

    def say(self, **what):
        frame = advert(mac=self.speaker.mac, **self.form.advert(**what))
        moment = time.monotonic()
        self.speaker.send(frame)
        return moment

    def say_again(self, **what):
        self.speaker.repeat(self.form.interval, **self.form.advert(**what))

    def adverts(self, since=0.0, priority=None):
        """What the router itself has sent: times."""
        return [when for when, source, message in self.frames.vrrp()
                if source == self.own and when >= since and priority in (None, message[2])]

    def next_advert(self, since, priority=None, within=10):
        return wait_until("an advertisement of the router", lambda: self.adverts(since, priority), within=within)[0]

    def dropped(self, reason):
        return self.daemon.vrrp("one").get("dropped", {}).get(reason, 0)

    def none_before(self, since, until):
        """No advertisement of the router between these moments; `until` may still come."""
        wait_until("that time to be over", time.monotonic, lambda now: now > until, until - time.monotonic() + 5)
        assert [when for when in self.adverts(since) if when < until] == []


@pytest.fixture(scope="module", params=FORMS, ids=[form.name for form in FORMS])
def rig(request):
    made = Rig(request.param)
    yield made
    made.close()


def announcements(rig, since=0.0, vip=None):
    """When the router told the neighbours: gratuitous ARP, or unsolicited neighbour advertisements."""
    address = socket.inet_pton(socket.AF_INET6 if rig.form.family == 6 else socket.AF_INET, vip or rig.form.vip)
    found = []
    for when, frame in list(rig.frames.frames):
        if frame[12:14] == b"\x08\x06":
            told = frame[28:32] == frame[38:42] == address
        else:
            told = frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136 and frame[62:78] == address and \
                not frame[58] & 0x40
        if told and when >= since:
            found.append(when)
    return found


def ask(rig):
    """Asks the link who has the virtual address; returns the moment."""
    from scapy.all import ARP, Ether, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6

    ether = Ether(src=rig.speaker.mac, dst="ff:ff:ff:ff:ff:ff" if rig.form.family == 4 else "33:33:ff:00:00:51")
    if rig.form.family == 4:
        question = ether / ARP(op=1, hwsrc=rig.speaker.mac, psrc=FRONT4 + "50", pdst=rig.form.vip)
    else:
        question = ether / IPv6(src="fe80::50", dst="ff02::1:ff00:51", hlim=255) / ICMPv6ND_NS(tgt=rig.form.vip) / \
            ICMPv6NDOptSrcLLAddr(lladdr=rig.speaker.mac)
    moment = time.monotonic()
    rig.speaker.send(bytes(question))
    return moment


def answers(rig, since):
    """MAC addresses that the link named for the virtual address."""
    address = socket.inet_pton(socket.AF_INET6 if rig.form.family == 6 else socket.AF_INET, rig.form.vip)
    found = []
    for when, frame in list(rig.frames.frames):
        if when < since:
            continue
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" and frame[28:32] == address:
            found.append(frame[22:28])
        if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136 and frame[58] & 0x40 and \
                frame[62:78] == address:
            found.append(frame[6:12])
    return found


# ---- group 1: interoperability (keepalived and FRR as peers in every role: test_vrrp_interop.py) ----

def test_1_1_basic(rig):
    """One router is master, and it is the better one."""
    rig.be_backup(priority=101)
    moment = rig.say(priority=101)
    rig.none_before(moment, moment + 2 * rig.form.interval)
    assert rig.daemon.vrrp("one")["master"] == rig.form.high
    rig.be_master()


def test_1_2_advanced(rig):
    """The master fails and returns: each time one router, and the better one."""
    rig.be_backup(priority=254)
    rig.be_master()
    wait_until("the address", rig.holds)
    rig.be_backup(priority=254)
    wait_until("the address to be gone", lambda: not rig.holds())
    rig.be_master()


# ---- group 2: states ----

def test_2_1_initialize(rig):
    """Below 255 it listens first; the owner is master at once and tells the neighbours."""
    vip, form = "fe80::52" if rig.form.family == 6 else FRONT4 + "52", rig.form

    def first_advert():
        return next((when for when, _, message in rig.frames.vrrp() if when > moment and message[1] == 52 and
                     message[2] > 0), None)

    for priority in (255, 200):
        moment = time.monotonic()
        daemon = rig.site.r2.poised(form.configuration(priority=priority, vrid=52, vip=vip))
        started = daemon.wait_log("init -> backup") and time.monotonic()
        spoke = wait_until("its first advertisement", first_advert)
        if priority == 255:
            assert spoke - started < SLACK
        else:
            assert spoke - moment > form.down(200) - EARLY
        wait_until("announcements", lambda: announcements(rig, spoke, vip))
        assert daemon.stop() == 0


def test_2_2_packets_in_backup(rig):
    """A backup does not answer for the virtual address, nor take packets for it."""
    rig.be_backup()
    wait_until("the address to be gone", lambda: not rig.holds())
    moment = ask(rig)
    wait_until("an answer that must not come", lambda: time.monotonic() > moment + 0.3)
    assert answers(rig, moment) == []
    assert not rig.holds()


def test_2_3_master_down(rig):
    """The timer expires: an advertisement, then the neighbours are told."""
    rig.be_backup()
    rig.speaker.silence()
    moment = rig.say(priority=200)
    spoke = rig.next_advert(moment)
    assert rig.form.down() - EARLY < spoke - moment < rig.form.down() + SLACK
    told = wait_until("announcements", lambda: announcements(rig, moment))
    assert told[0] >= spoke
    rig.be_master()


def test_2_4_advertisements_in_backup(rig):
    """Priority 0: only the skew is waited for; at least ours: the timer begins anew; lower: discarded."""
    rig.be_backup()
    rig.speaker.silence()
    moment = rig.say(priority=0)
    assert rig.form.skew() - EARLY < rig.next_advert(moment) - moment < rig.form.skew() + SLACK
    rig.be_backup(priority=PRIORITY + 1)
    rig.speaker.silence()
    rig.say(priority=200)
    wait_until("half of the time", lambda: time.monotonic() > rig.frames.vrrp()[-1][0] + rig.form.down() / 2)
    moment = rig.say(priority=PRIORITY)
    rig.none_before(moment, moment + rig.form.down() - EARLY)
    rig.be_master()
    rig.be_backup()
    rig.speaker.silence()
    moment = rig.say(priority=200)
    rig.say_again(priority=PRIORITY - 1)
    assert rig.next_advert(moment) - moment < rig.form.down() + SLACK
    rig.be_master()


def test_2_5_packets_in_master(rig):
    """A master answers for the virtual address, with the MAC address that it announces."""
    rig.be_master()
    wait_until("the address", rig.holds)
    moment = ask(rig)
    named = wait_until("an answer", lambda: answers(rig, moment))
    assert set(named) == {bytes.fromhex("020000000102")}


def test_2_6_shutdown(rig):
    """A master that is stopped sends priority 0; a backup that is stopped is silent."""
    vip = "fe80::53" if rig.form.family == 6 else FRONT4 + "53"

    def heard(priority):
        return [message for when, _, message in rig.frames.vrrp() if when > moment and message[1] == 53 and
                message[2] == priority]

    moment = time.monotonic()
    daemon = rig.site.r2.poised(rig.form.configuration(priority=255, vrid=53, vip=vip))
    wait_until("it to be master", lambda: daemon.state("one"), lambda state: state == "MASTER")
    assert daemon.stop() == 0
    wait_until("priority 0", lambda: heard(0))
    assert not rig.holds(rig.site.r2, vip)
    moment = time.monotonic()
    daemon = rig.site.r2.poised(rig.form.configuration(priority=200, vrid=53, vip=vip))
    wait_until("it to be backup", lambda: daemon.state("one"), lambda state: state == "BACKUP")
    assert daemon.stop() == 0
    assert heard(0) == [] and heard(200) == []


def test_2_7_advertisements_in_master(rig):
    """Priority 0: advertise at once; higher, or equal with a higher address: backup; else stay, and say so at once."""
    rig.be_master()
    for what in ({"priority": 0}, {"priority": PRIORITY - 1}, {"priority": PRIORITY, "source": rig.form.low}):
        last = rig.next_advert(time.monotonic())
        # A reaction is bounded to one in a quarter of an interval; the next turn is an interval away.
        wait_until("a third of an interval", lambda: time.monotonic() > last + rig.form.interval * 0.35)
        moment = rig.say(**what)
        assert rig.next_advert(moment) - moment < rig.form.interval * 0.5
        assert rig.state() == "MASTER"
    for what in ({"priority": PRIORITY + 1}, {"priority": PRIORITY, "source": rig.form.high}):
        moment = rig.say(**what)
        rig.wait_state("BACKUP", within=2)
        rig.none_before(moment + 0.05, moment + 2 * rig.form.interval)
        rig.be_master()


# ---- group 3: timers ----

def test_3_1_advertisement_interval(rig):
    rig.be_master()
    moment = time.monotonic()
    seen = wait_until("four advertisements", lambda: rig.adverts(moment), lambda found: len(found) >= 4)
    gaps = [b - a for a, b in zip(seen, seen[1:])]
    assert all(abs(gap - rig.form.interval) < 0.15 for gap in gaps)
    message = next(m for when, source, m in rig.frames.vrrp() if source == rig.own and when >= moment)
    assert message[4:6] == (b"\0\1" if rig.form.version == 2 else b"\0\x14")


def test_3_2_skew_time(rig):
    """The higher the priority, the sooner: of two backups the better one is first, by the difference of their skews."""
    if rig.form.version == 2:
        assert rig.form.skew(100) == 156 / 256
    rig.be_backup()
    rig.speaker.silence()
    moment = rig.say(priority=0)
    spoke = rig.next_advert(moment)
    assert rig.form.skew() - EARLY < spoke - moment < rig.form.skew() + SLACK
    rig.be_master()


def test_3_3_master_down_interval(rig):
    """Version 3 waits for the interval that the master told, version 2 for its own."""
    rig.be_backup()
    rig.speaker.silence()
    interval = rig.form.interval if rig.form.version == 2 else 0.4
    moment = rig.say(priority=200, interval=interval)
    down = 3 * interval + (rig.form.skew() if rig.form.version == 2 else 156 / 256 * interval)
    spoke = rig.next_advert(moment)
    assert down - EARLY < spoke - moment < down + SLACK
    rig.be_master()


def test_3_4_preempt_mode(rig):
    """With nopreempt a lower master is let be."""
    rig.be_backup()
    rig.daemon.write(rig.form.configuration(more="nopreempt"))
    rig.daemon.signal(1)
    rig.daemon.wait_log("generation 2")
    rig.say_again(priority=PRIORITY - 1)
    moment = time.monotonic()
    rig.none_before(moment, moment + rig.form.down() + 0.3)
    assert rig.state() == "BACKUP"
    rig.daemon.write(rig.form.configuration())
    rig.daemon.signal(1)
    rig.daemon.wait_log("generation 3")
    rig.wait_state("MASTER")
    rig.be_master()


# ---- group 4: advertisements that must be dropped, and our own ----

def refuse(rig, reason, **what):
    """A better router's advertisement that is wrong in one point: counted, and nothing follows from it."""
    rig.be_master()
    before, became = rig.dropped(reason), rig.daemon.vrrp("one")["became_master"]
    rig.say(**what)
    wait_until("%s to be counted" % reason, lambda: rig.dropped(reason), lambda n: n == before + 1)
    assert rig.state() == "MASTER" and rig.daemon.vrrp("one")["became_master"] == became


def test_4_1_wrong_ttl(rig):
    refuse(rig, "ttl", ttl=254)
    refuse(rig, "ttl", ttl=1)


def test_4_2_wrong_version(rig):
    refuse(rig, "version", version=5 - rig.form.version)


def test_4_3_wrong_length(rig):
    refuse(rig, "length", count=2)
    if rig.form.version == 3:
        refuse(rig, "address_list", count=0)
    frame = advert(mac=rig.speaker.mac, **rig.form.advert())
    before = rig.dropped("length")
    if rig.form.family == 4:
        short = bytearray(frame[:-4])
        short[16:18] = struct.pack(">H", len(short) - 14)
        short[24:26] = b"\0\0"
        total = sum(struct.unpack(">10H", short[14:34]))
        short[24:26] = struct.pack(">H", ~((total & 0xffff) + (total >> 16)) & 0xffff)
        rig.speaker.send(bytes(short))
        wait_until("the length to be counted", lambda: rig.dropped("length"), lambda n: n == before + 1)
    assert rig.state() == "MASTER"


def test_4_4_wrong_checksum(rig):
    refuse(rig, "checksum", checksum="wrong")
    if (rig.form.version, rig.form.family) == (3, 4):
        # Both forms of the sum are right, and counted.
        for form, name in (("message", "message_only"), ("pseudo", "pseudo_header")):
            before = rig.daemon.vrrp("one")["checksums_received"].get(name, 0)
            rig.say(priority=PRIORITY - 1, checksum=form)
            wait_until(name + " to be counted", lambda: rig.daemon.vrrp("one")["checksums_received"].get(name, 0),
                       lambda n: n == before + 1)


def ignore(rig, **what):
    """A better router's advertisement that is not for this instance: an election later nothing has followed from it."""
    rig.be_master()
    became = rig.daemon.vrrp("one")["became_master"]
    moment = rig.say(**what)
    rig.next_advert(moment + rig.form.interval / 2)
    # Had it stepped down, this first advertisement would be one of a new election.
    assert rig.state() == "MASTER" and rig.daemon.vrrp("one")["became_master"] == became


def test_4_5_wrong_vrid(rig):
    ignore(rig, vrid=99)


def test_4_6_wrong_authentication_type(rig):
    if rig.form.version == 3:
        # There is none; reserved bits in its place are no reason to drop (RFC 9568, 5.2.6).
        rig.be_master()
        rig.say(reserved=15)
        rig.wait_state("BACKUP", within=2)
        rig.be_master()
        return
    refuse(rig, "auth_mismatch", auth=(1, b"secret"))
    refuse(rig, "auth_type", auth=(7, b""))


def test_4_7_wrong_interval(rig):
    if rig.form.version == 2:
        refuse(rig, "interval", interval=2)
        return
    # Another interval is learned; none at all is dropped (erratum 8301).
    refuse(rig, "interval", interval=0)


def test_4_8_unknown_type(rig):
    refuse(rig, "type", kind=2)


def test_4_9_correct_transmission(rig):
    """Every field of what we send."""
    from scapy.all import Ether, IP, IPv6
    from scapy.layers.vrrp import VRRP, VRRPv3

    rig.be_master()
    moment = time.monotonic()
    rig.next_advert(moment)
    raw = next(frame for when, frame in list(rig.frames.frames) if when >= moment and frame[6:12] ==
               bytes.fromhex("020000000102") and frame[23 if rig.form.family == 4 else 20] == 112)
    ether = Ether(raw)
    kind = VRRP if rig.form.version == 2 else VRRPv3
    message = kind(bytes(ether[kind])) if kind in ether else None
    assert message is not None
    ip = ether[IP] if rig.form.family == 4 else ether[IPv6]
    if rig.form.family == 4:
        assert ether.dst == "01:00:5e:00:00:12" and ip.dst == "224.0.0.18" and ip.ttl == 255 and ip.tos == 0xc0
    else:
        assert ether.dst == "33:33:00:00:00:12" and ip.dst == "ff02::12" and ip.hlim == 255 and ip.tc == 0xc0
    parsed = ether[kind]
    assert (parsed.version, parsed.type, parsed.vrid, parsed.priority, parsed.ipcount) == \
        (rig.form.version, 1, 51, PRIORITY, 1)
    assert parsed.addrlist == [rig.form.vip]
    # scapy's own sum over the same packet
    sent, parsed.chksum = parsed.chksum, None
    rebuilt = Ether(bytes(ether))
    assert rebuilt[kind].chksum == sent
