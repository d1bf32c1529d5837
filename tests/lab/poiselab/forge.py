# SPDX-License-Identifier: GPL-2.0-or-later
"""A router made of packets: advertisements of every kind, right and wrong, built with scapy and sent by a machine of
the site. What signs them here shares no code with the product."""

import hashlib
import hmac
import socket
import struct
import threading
import time

from . import net
from .process import wait_until

GROUP = {4: "224.0.0.18", 6: "ff02::12"}
GROUP_MAC = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}
PROTOCOL = 112


def hmac_trailer(key, key_id, family, source, message, sequence):
    """The 28 bytes behind a message (draft-cassen-vrrp-auth-hmac)."""
    packed = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, source).ljust(16, b"\0")
    head = struct.pack(">BBHQ", 1, key_id, 0, sequence)
    signed = bytes([family, message[0] >> 4, message[1], 0]) + packed + message[:6] + b"\0\0" + message[8:] + head + bytes(16)
    return head + hmac.new(key, signed, hashlib.sha256).digest()[:16]


def now_sequence(offset=0):
    """The sequence of this moment by the wall clock."""
    seconds = time.time() + offset
    return int(seconds) << 32 | int(seconds % 1 * 65536) << 16


def advert(*, version=3, family=4, vrid=51, priority=200, addresses=("192.0.2.10",), interval=0.2, source="192.0.2.50",
           destination=None, ttl=255, kind=1, auth=(0, b""), count=None, checksum="pseudo", padding=b"", mac=None,
           to_mac=None, reserved=0, key=None, key_id=1, sequence=None):
    """One advertisement as a whole frame. checksum: pseudo, message (RFC 9568 over IPv4) or wrong."""
    from scapy.all import IP, Ether, IPv6, Raw  # slow to load, and few tests need it
    from scapy.layers.vrrp import VRRP, VRRPv3

    if version == 3 or family == 6:
        message = VRRPv3(version=version, type=kind, vrid=vrid, priority=priority, adv=round(interval * 100), res=reserved,
                         addrlist=list(addresses), ipcount=count)
    else:
        first, second = struct.unpack(">II", auth[1].ljust(8, b"\0")[:8])
        message = VRRP(version=version, type=kind, vrid=vrid, priority=priority, adv=round(interval), authtype=auth[0],
                       addrlist=list(addresses), auth1=first, auth2=second, ipcount=count)
    destination = destination or GROUP[family]
    if family == 4:
        ip = IP(src=source, dst=destination, ttl=ttl, proto=PROTOCOL, tos=0xc0)
    else:
        ip = IPv6(src=source, dst=destination, hlim=ttl, nh=PROTOCOL, tc=0xc0)
    raw = bytearray(bytes(ip / message)[20 if family == 4 else 40:])
    if version == 3 and family == 4 and checksum == "message":
        raw[6:8] = b"\0\0"
        raw[6:8] = struct.pack(">H", internet_sum(raw))
    trailer = b""
    if key:
        trailer = hmac_trailer(key, key_id, family, source, bytes(raw), now_sequence() if sequence is None else sequence)
        if family == 6:
            raw[6:8] = b"\0\0"
            raw[6:8] = struct.pack(">H", internet_sum(pseudo6(source, destination, len(raw) + 28) + raw + trailer))
    if checksum == "wrong":
        raw[7] ^= 1
    ethernet = Ether(dst=to_mac or GROUP_MAC[family], **({"src": mac} if mac else {}))
    return bytes(ethernet / ip / Raw(bytes(raw) + trailer + padding))


def internet_sum(data):
    data = bytes(data) + bytes(len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo6(source, destination, length):
    return (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) +
            struct.pack(">II", length, PROTOCOL))


class Speaker:
    """Sends frames from an interface of a machine: once, or again and again until told to stop."""

    def __init__(self, machine, interface="eth0"):
        # The kernel looks at new links once a second, and what is sent before goes nowhere.
        port = "%s-%s" % (machine.short, interface)
        wait_until("%s to be up" % port, lambda: machine.run("ip", "-o", "link", "show", "dev", interface) +
                   machine.site.switch.run("ip", "-o", "-d", "link", "show", "dev", port),
                   lambda text: text.count("state UP") == 2 and "state forwarding" in text)
        with net.inside(machine.namespace.name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.socket.bind((interface, 0))
        self.mac = ":".join("%02x" % byte for byte in self.socket.getsockname()[4])
        self.stopping, self.thread = threading.Event(), None
        advert(mac=self.mac)  # loads scapy, which takes seconds on a busy machine

    def send(self, frame=None, **what):
        """A frame that is there already, or what advert() makes."""
        frame = frame or advert(mac=self.mac, **what)
        self.socket.send(frame)
        return frame

    def repeat(self, every, **what):
        """An advertisement each `every` seconds from now on; instead of what was repeated before."""
        self.silence()
        self.stopping = threading.Event()
        unsigned = advert(mac=self.mac, **what) if not what.get("key") else None
        self.thread = threading.Thread(target=self.run, args=(self.stopping, every, unsigned, what), daemon=True)
        self.thread.start()

    def run(self, stopping, every, frame, what):
        due = time.monotonic()
        while not stopping.is_set():
            self.socket.send(frame or advert(mac=self.mac, **what))
            due += every
            stopping.wait(max(0, due - time.monotonic()))

    def silence(self):
        self.stopping.set()
        if self.thread:
            self.thread.join()
            self.thread = None

    def close(self):
        self.silence()
        self.socket.close()
