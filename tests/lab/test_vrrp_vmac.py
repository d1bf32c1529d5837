# SPDX-License-Identifier: GPL-2.0-or-later
"""use_vmac: addresses behind the virtual MAC address, advertisements from it, nothing left behind."""

import json
import os
import signal
import socket

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.net import inside
from poiselab.site import BACK4, BACK6, FRONT4, FRONT6, VIP, VIP6

MAC4, MAC6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"


def text(priority, family=4, more=""):
    made = instance("one", "front", 51, VIP6 if family == 6 else VIP, priority=priority, advert=0.3,
                    more="version 3\nuse_vmac\n" + more)
    return made.replace(VIP6, "fe80::51\n\t\t" + VIP6) if family == 6 else made


def vmac(machine, name="vrrp.51"):
    """The interface and its addresses, {} when there is none."""
    found = [link for link in json.loads(machine.run("ip", "-d", "-j", "addr")) if link["ifname"] == name]
    return found[0] if found else {}


def held(machine, name="vrrp.51"):
    return [a["local"] for a in vmac(machine, name).get("addr_info", [])]


def neighbour(site, address):
    """The MAC address that the client has for it."""
    with inside(site.client.namespace.name):
        probe = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    with probe:
        probe.sendto(b"?", (address, 9))  # whoever it is for has to be asked for its MAC address
    shown = json.loads(site.client.run("ip", "-j", "neigh", "show", address))
    return shown[0].get("lladdr") if shown else None


def announced(frames, address, mac=None):
    """Unsolicited announcements of the address, of one sender or all."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    at = {b"\x08\x06": (28, 38), b"\x86\xdd": (62, 62)}
    return [frame for _, frame in list(frames.frames) if frame[12:14] in at and
            all(frame[n:n + len(packed)] == packed for n in at[frame[12:14]]) and
            (":" not in address or (frame[20], frame[54]) == (58, 136)) and
            mac in (None, ":".join("%02x" % byte for byte in frame[6:12]))]


def arp_ignore(machine):
    return machine.run("cat", "/proc/sys/net/ipv4/conf/front/arp_ignore").strip()


@pytest.mark.parametrize("family", [4, 6])
def test_the_mac_address_stays_when_the_master_changes(site, family):
    name, address, mac = ("vrrp.51", VIP6, MAC6) if family == 6 else ("vrrp.51", VIP, MAC4)
    first = site.r1.poised(text(150, family))
    second = site.r2.poised(text(100, family))
    wait_until("r1 to hold the address", lambda: held(site.r1, name), lambda seen: address in seen)
    link = vmac(site.r1, name)
    assert link["address"] == mac and link["linkinfo"]["info_kind"] == "macvlan" and "UP" in link["flags"]
    # Both routers have the interface; one holds addresses, and none makes a link-local one of its own.
    wait_until("r2's interface", lambda: vmac(site.r2, name).get("address"), lambda seen: seen == mac)
    assert held(site.r2, name) == []
    wait_until("the client to see the virtual MAC", lambda: neighbour(site, address), lambda seen: seen == mac)
    # The routers' own addresses are still their own, behind their own MAC addresses.
    for own, its in ((FRONT6 if family == 6 else FRONT4) + "2", "02:00:00:00:01:02"), (
            (FRONT6 if family == 6 else FRONT4) + "3", "02:00:00:00:01:03"):
        wait_until("the client to see " + its, lambda own=own: neighbour(site, own), lambda seen, its=its: seen == its)
    frames = site.client.capture("eth0")
    first.stop()
    wait_until("r2 to hold the address", lambda: held(site.r2, name), lambda seen: address in seen)
    wait_until("the client to see the same MAC", lambda: neighbour(site, address), lambda seen: seen == mac)
    # The switch learns the port from frames that come from that address, and neighbours theirs from what is in them.
    wait_until("announcements from it", lambda: announced(frames, address, mac))
    assert set(announced(frames, address)) == set(announced(frames, address, mac))
    assert not vmac(site.r1, name)
    if family == 4:
        wait_until("the old setting", lambda: arp_ignore(site.r1), lambda seen: seen == "0")
        assert arp_ignore(site.r2) == "1"
    assert second.state("one") == "MASTER"


def test_keepalived_with_a_vmac_as_peer(site):
    ours = site.r1.poised(text(100))
    site.r2.keepalived(text(150, more="").replace("use_vmac", "use_vmac vrrp.51"))
    wait_until("keepalived to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r2"], within=20)
    wait_until("us to be backup", lambda: ours.state("one"), lambda state: state == "BACKUP")
    site.r2.kill_all()
    wait_until("us to take over", lambda: held(site.r1), lambda seen: VIP in seen, within=20)
    assert ours.state("one") == "MASTER"


def test_crash_parent_flap_and_removal(site):
    ours = site.r1.poised(text(150))
    wait_until("the address", lambda: held(site.r1), lambda seen: VIP in seen)
    index = vmac(site.r1)["ifindex"]
    os.kill(ours.role_pids("vrrp")[0], signal.SIGKILL)
    wait_until("mastership to go on", lambda: ours.vrrp("one").get("why", ""), lambda why: "restarted" in why)
    assert vmac(site.r1)["ifindex"] == index  # found by the ledger
    # Somebody removes it.
    site.r1.run("ip", "link", "del", "vrrp.51")
    wait_until("it to be back", lambda: held(site.r1), lambda seen: VIP in seen)
    # The interface below falls and comes back.
    site.r1.run("ip", "link", "set", "front", "down")
    wait_until("the fault", lambda: ours.state("one"), lambda state: state == "FAULT")
    site.r1.run("ip", "link", "set", "front", "up")
    wait_until("the address again", lambda: held(site.r1), lambda seen: VIP in seen, within=20)
    # Everything dies: the next daemon finds what is left, and takes it away when it has no use for it.
    site.r1.kill_all()
    assert vmac(site.r1)
    other = site.r1.poised(instance("one", "front", 51, VIP, priority=150, advert=0.3, more="version 3"))
    wait_until("the interface to go", lambda: vmac(site.r1), lambda seen: not seen)
    wait_until("the old setting", lambda: arp_ignore(site.r1), lambda seen: seen == "0")
    other.stop()


@pytest.mark.parametrize("more", ["", "use_vmac"])
def test_the_interface_is_renamed(site, more):
    """Under another name it is not the configured one: a fault, the other router serves, nothing is left behind; and with
    its old name everything is as it was."""
    ours = site.r1.poised(text(150).replace("use_vmac", more))
    site.r2.poised(text(100).replace("use_vmac", more))
    wait_until("r1 to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=20)
    for name, other in (("front", "gone"), ("gone", "front")):
        site.r1.run("ip", "link", "set", name, "down")
        site.r1.run("ip", "link", "set", name, "name", other)
        site.r1.run("ip", "link", "set", other, "up")
        if other == "gone":
            wait_until("r2 to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r2"], within=20)
            wait_until("the cause", lambda: ours.vrrp("one")["why"], lambda why: why == "interface front does not exist")
            assert VIP not in site.r1.run("ip", "addr")
    wait_until("r1 to hold the address again", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=20)


def senders(frames):
    """The MAC addresses that advertisements came from."""
    return [":".join("%02x" % byte for byte in frame[6:12]) for _, frame in list(frames.frames)
            if frame[12:14] == b"\x08\x00" and frame[23] == 112]


def test_advertisements_from_the_interface_below(site):
    """vmac_xmit_base: the addresses have the virtual MAC address, the advertisements that of the interface itself."""
    frames = site.client.capture("eth0")
    ours = site.r1.poised(text(150, more="vmac_xmit_base"))
    site.r2.poised(text(100, more="vmac_xmit_base"))
    wait_until("r1 to hold the address", lambda: held(site.r1), lambda seen: VIP in seen)
    wait_until("the client to see the virtual MAC", lambda: neighbour(site, VIP), lambda seen: seen == MAC4)
    wait_until("advertisements", lambda: ours.vrrp("one")["adverts_sent"], lambda n: n >= 5)
    wait_until("them to be seen", lambda: senders(frames), lambda seen: len(seen) >= 5)
    assert set(senders(frames)) <= {"02:00:00:00:01:02", "02:00:00:00:01:03"}, senders(frames)
    ours.stop()
    wait_until("r2 to hold the address", lambda: held(site.r2), lambda seen: VIP in seen)


@pytest.mark.parametrize("family", [4, 6])
def test_the_interface_below_falls_and_goes_and_comes(site, family):
    """Its link is lost, it is set down, it is removed with all that was on it, and one of that name is made anew."""
    name, base, address = ("vrrp.51", "2001:db8:9::2/64", VIP6) if family == 6 else ("vrrp.51", "203.0.113.2/24", VIP)

    def make():
        site.r1.namespace.ip("link add late type veth peer name late-peer", "link set late-peer up", "link set late up",
                             "addr add %s dev late" % base)

    def served():
        wait_until("the address", lambda: held(site.r1, name), lambda seen: address in seen, within=20)
        wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=20)

    make()
    ours = site.r1.poised(text(150, family).replace("interface front", "interface late"))
    served()
    for port in ("late-peer", "late"):
        site.r1.run("ip", "link", "set", port, "down")
        wait_until("the fault", lambda: ours.state("one"), lambda state: state == "FAULT")
        wait_until("no address", lambda: address in held(site.r1, name), lambda seen: not seen)
        site.r1.run("ip", "link", "set", port, "up")
        served()
    before = vmac(site.r1, name)["ifindex"]
    site.r1.run("ip", "link", "del", "late")
    wait_until("the fault", lambda: ours.vrrp("one")["why"], lambda why: why == "interface late does not exist")
    assert not vmac(site.r1, name)
    make()
    served()
    assert vmac(site.r1, name)["ifindex"] != before


ELSEWHERE = """global_defs {
	vmac_addr_prefix far
}
vrrp_instance one {
	interface front
	virtual_router_id 51
	priority 150
	version 3
	advert_int 0.3
	use_vmac
	use_vmac_addr
	virtual_ipaddress {
		%(vip)s/24
		%(front4)s12/24 dev front
		%(back4)s10/24 dev back
	}
	virtual_ipaddress_excluded {
		%(front6)s10/64
		%(back6)s10/64 dev back
	}
}
vrrp_instance two {
	interface front
	virtual_router_id 52
	priority 150
	version 3
	advert_int 0.3
	virtual_ipaddress {
		%(front4)s20/24 use_vmac
		%(back4)s20/24 dev back use_vmac
		%(front4)s21/24
	}
}
""" % {"vip": VIP, "front4": FRONT4, "front6": FRONT6, "back4": BACK4, "back6": BACK6}


def made(machine):
    """Each interface that was made: its MAC address, the interface below, and what it holds (but for link-local addresses,
    of which keepalived puts one on each)."""
    return {link["ifname"]: (link["address"], link["link"], sorted(
        a["local"] for a in link["addr_info"] if not a["local"].startswith("fe80")))
            for link in json.loads(machine.run("ip", "-d", "-j", "addr"))
            if link.get("linkinfo", {}).get("info_kind") == "macvlan"}


def test_addresses_elsewhere_have_a_virtual_mac_too(site):
    """use_vmac_addr, and use_vmac behind an address: the interfaces that keepalived makes, under the same names."""
    peer = site.r2.keepalived(ELSEWHERE)
    theirs = wait_until("keepalived's interfaces", lambda: made(site.r2),
                        lambda seen: len(seen) == 6 and all(held for _, _, held in seen.values()), within=20)
    peer.stop()
    ours = site.r1.poised(ELSEWHERE)
    wait_until("the same of ours", lambda: made(site.r1), lambda seen: seen == theirs, within=20)
    wait_until("the client to see the virtual MAC", lambda: neighbour(site, FRONT4 + "20"),
               lambda seen: seen == "00:00:5e:00:01:34")
    ours.write(ELSEWHERE.replace("	use_vmac_addr\n", "").replace(" use_vmac\n", "\n"))
    ours.poisectl("reload", "--allow")
    wait_until("one of them to stay", lambda: made(site.r1), lambda seen: list(seen) == ["vrrp.51"], within=20)
    assert BACK4 + "10" in site.r1.run("ip", "addr", "show", "dev", "back")
    ours.stop()
    assert not made(site.r1)
