# SPDX-License-Identifier: GPL-2.0-or-later
"""poised beside Debian's keepalived and FRR, each as the better and as the lower router: one master at a time, taking
over when it dies, giving back when the better one returns."""

import pytest

from poiselab import wait_until
from poiselab.configs import instance, pair
from poiselab.site import FRONT4, FRONT6, GATEWAY, VIP, VIP6

R1, R2 = FRONT4 + "2", FRONT4 + "3"
AUTH = "\nauthentication {\n\tauth_type %s\n\tauth_pass sesame\n}"
UNICAST = "\nunicast_src_ip %s\nunicast_peer {\n\t%s\n}"


def text(form, priority, own, other):
    """The same configuration for both daemons."""
    more = {"v2": "version 2", "v3": "version 3", "pass": "version 2" + AUTH % "PASS", "ah": "version 2" + AUTH % "AH",
            "six": "version 3", "unicast": "version 2" + UNICAST % (own, other),
            "unicast3": "version 3" + UNICAST % (own, other)}[form]
    advert = 0.3 if "version 3" in more else 1
    made = instance("one", "front", 51, VIP6 if form == "six" else VIP, priority=priority, advert=advert, more=more)
    return made.replace(VIP6, "fe80::51\n\t\t" + VIP6) if form == "six" else made


def on_wire(frames, source, count):
    """Waits until the source alone has sent that many advertisements in a row."""
    wait_until("%d advertisements of %s" % (count, source), lambda: [s for _, s, _ in frames.vrrp()[-count:]],
               lambda seen: len(seen) == count and set(seen) == {source}, within=25)


def holder(site, address, *routers):
    wait_until("%s on %s" % (address, routers), lambda: site.holders(address), lambda seen: seen == list(routers),
               within=20)


@pytest.mark.parametrize("form", ["v2", "v3", "pass", "ah", "six", "unicast", "unicast3"])
def test_keepalived_as_the_lower_router(site, form):
    address = VIP6 if form == "six" else VIP
    site.r2.keepalived(text(form, 100, R2, R1))
    holder(site, address, "r2")
    ours = site.r1.poised(text(form, 150, R1, R2))
    holder(site, address, "r1")
    assert ours.vrrp("one")["became_master"] == 1
    assert "our priority 150 is over the 100" in ours.vrrp("one")["why"]
    assert ours.stop() == 0
    holder(site, address, "r2")


@pytest.mark.parametrize("form", ["v2", "v3", "pass", "ah", "six", "unicast", "unicast3"])
def test_keepalived_as_the_better_router(site, form):
    address = VIP6 if form == "six" else VIP
    ours = site.r1.poised(text(form, 100, R1, R2))
    holder(site, address, "r1")
    peer = site.r2.keepalived(text(form, 150, R2, R1))
    holder(site, address, "r2")
    wait_until("the backup to say why", lambda: ours.vrrp("one").get("why", ""), lambda why: "priority 150 over our 100"
               in why)
    heard = ours.vrrp("one")["adverts_received"]
    wait_until("five more advertisements", lambda: ours.vrrp("one")["adverts_received"], lambda n: n >= heard + 5)
    assert ours.state("one") == "BACKUP"
    peer.stop()
    holder(site, address, "r1")
    assert "handed over (priority 0)" in ours.vrrp("one")["why"]


def test_keepalived_and_a_cut_cable(site):
    ours = site.r1.poised(text("v3", 100, R1, R2))
    site.r2.keepalived(text("v3", 150, R2, R1))
    holder(site, VIP, "r2")
    site.r2.cut()
    wait_until("our router to take over", lambda: ours.state("one"), lambda state: state == "MASTER")
    assert "no advertisement from %s" % R2 in ours.vrrp("one")["why"]
    site.r2.restore()
    holder(site, VIP, "r2")


def test_keepalived_and_a_sync_group(site):
    """Both addresses move as one whichever daemon has them, also when only one of its interfaces is lost."""
    version = "global_defs {\n\tvrrp_version 3\n}\n"
    ours = site.r1.poised(version + pair(150, advert=0.3))
    site.r2.keepalived(version + pair(100, advert=0.3))
    for lost in ("front", "back"):
        for address in (VIP, GATEWAY):
            holder(site, address, "r1")
        site.r1.cut(lost)
        for address in (VIP, GATEWAY):
            holder(site, address, "r2")
        site.r1.restore(lost)
    for address in (VIP, GATEWAY):
        holder(site, address, "r1")
    assert ours.stop() == 0
    for address in (VIP, GATEWAY):
        holder(site, address, "r2")


def frr_router(machine, version, priority, family=4, address=None):
    """vrrpd wants its interface with the virtual MAC made by the administrator."""
    address = address or ((VIP6 + "/64") if family == 6 else (VIP + "/24"))
    mac = "00:00:5e:00:0%d:33" % (2 if family == 6 else 1)
    machine.run("ip", "link", "add", "vrrp%d-1" % family, "link", "front", "type", "macvlan", "mode", "bridge")
    machine.run("ip", "link", "set", "vrrp%d-1" % family, "address", mac)
    machine.run("ip", "addr", "add", address, "dev", "vrrp%d-1" % family, *(["nodad"] if family == 6 else []))
    machine.run("ip", "link", "set", "vrrp%d-1" % family, "up")
    return machine.frr("interface front\n vrrp 51 version %d\n vrrp 51 priority %d\n"
                       " vrrp 51 advertisement-interval 1000\n vrrp 51 %s %s\n" %
                       (version, priority, "ipv6" if family == 6 else "ip", address.split("/")[0]))


def ours_beside_frr(version, priority, family=4):
    made = instance("one", "front", 51, VIP6 if family == 6 else VIP + "/24", priority=priority, advert=1,
                    more="version %d" % version)
    return made.replace(VIP6, "fe80::51\n\t\t" + VIP6) if family == 6 else made


@pytest.mark.parametrize("version", [2, 3])
def test_frr_as_the_lower_router(site, version):
    frr_router(site.r2, version, 100)
    frames = site.client.capture("eth0")
    on_wire(frames, R2, 2)
    ours = site.r1.poised(ours_beside_frr(version, 150))
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    on_wire(frames, R1, 4)
    assert "our priority 150 is over the 100 of %s" % R2 in ours.vrrp("one")["why"]
    assert ours.stop() == 0
    on_wire(frames, R2, 2)


@pytest.mark.parametrize("version", [2, 3])
def test_frr_as_the_better_router(site, version):
    ours = site.r1.poised(ours_beside_frr(version, 100))
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    peer = frr_router(site.r2, version, 200)
    wait_until("our router to step down", lambda: ours.state("one"), lambda state: state == "BACKUP", within=25)
    assert "%s has priority 200 over our 100" % R2 in ours.vrrp("one")["why"]
    frames = site.client.capture("eth0")
    on_wire(frames, R2, 4)
    assert ours.state("one") == "BACKUP"
    for program in peer.programs:
        program.kill()
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)


def test_frr_over_ipv6(site):
    """FRR's first address is not a link-local one, which RFC 9568 (erratum 8300) tells to drop: said, not hidden."""
    ours = site.r1.poised(ours_beside_frr(3, 150, family=6))
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    frr_router(site.r2, 3, 100, family=6)
    frames = site.client.capture("eth0")
    on_wire(frames, link_local(site.r1), 5)
    assert FRONT6 + "2" in site.r1.addresses("front")


def test_frr_over_ipv6_with_a_link_local_address(site):
    """As RFC 9568 wants it, both understand each other, whoever is the better one."""
    ours = site.r1.poised(ours_beside_frr(3, 100, family=6).replace(VIP6, ""))
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)
    peer = frr_router(site.r2, 3, 200, family=6, address="fe80::51/64")
    wait_until("our router to step down", lambda: ours.state("one"), lambda state: state == "BACKUP", within=25)
    assert "has priority 200 over our 100" in ours.vrrp("one")["why"]
    for program in peer.programs:
        program.kill()
    wait_until("our router to be master", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)


def link_local(machine):
    shown = machine.run("ip", "-o", "-6", "addr", "show", "dev", "front", "scope", "link")
    return next(word.split("/")[0] for word in shown.split() if word.startswith("fe80") and not
                word.startswith("fe80::51/"))
