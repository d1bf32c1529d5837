# SPDX-License-Identifier: GPL-2.0-or-later
"""What 1,000 services with 10 servers each cost: CPU time of programming them, memory, a reload with one changed weight, a stop.

The same file for Poise and Debian's keepalived, no checks, one after the other on one router. CPU time and memory are of
all processes of a daemon together, from its start to the complete table (kernel time included); memory is their
proportional share (Pss). Changing commands are counted on a netlink monitor device."""

import os
import signal
import socket
import statistics
import struct
import subprocess
import time

from kernel_weights import kernel_weights
from poiselab import Site, wait_until
from poiselab.process import descendants

SERVICES, SERVERS = 1000, 10
CALM_S = 4  # from the start to a state that lasts: of that are memory and a reload
TICK = os.sysconf("SC_CLK_TCK")
READING = {"GET_SERVICE": 4, "GET_DEST": 8, "GET_DAEMON": 11, "GET_CONFIG": 13, "GET_INFO": 15}


def configuration(weight):
    """`weight` is that of one server in the middle; the others have 1."""
    parts = ["global_defs {\n\trouter_id bench\n}\n"]
    for s in range(SERVICES):
        parts.append("virtual_server 10.%d.%d.1 80 {\n\tlb_algo wlc\n\tlb_kind NAT\n\tprotocol TCP\n" % (s // 250, s % 250))
        for r in range(SERVERS):
            parts.append("\treal_server 172.16.%d.%d 80 {\n\t\tweight %d\n\t}\n" % (
                s % 250, r + 1, weight if (s, r) == (500, 5) else 1))
        parts.append("}\n")
    return "".join(parts)


def changed(router):
    """The weights of the service that a server of gets another one."""
    return kernel_weights(router, "10.2.0.1", 80, SERVERS)


def lines(router):
    """Services and servers in the kernel."""
    text = router.run("cat", "/proc/net/ip_vs")
    return sum(line.startswith(("TCP", "  ->")) for line in text.splitlines()[3:])


def cpu_seconds(pid):
    """Of the family, with the children that have ended and were waited for."""
    total = 0
    for member in descendants(pid):
        with open("/proc/%d/stat" % member, encoding="ascii", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def memory_kb(pid):
    total = 0
    for member in descendants(pid):
        with open("/proc/%d/smaps_rollup" % member, encoding="ascii") as f:
            total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total


class Monitor:
    """Sees the commands to the kernel's IPVS that are no questions. Who asks the kernel for the weight again and again would
    take the processor from the daemon whose time is taken."""

    def __init__(self, router):
        router.namespace.ip("link add nlmon0 type nlmon", "link set nlmon0 up")
        self.path = router.path("netlink.pcap")
        if os.path.exists(self.path):
            os.unlink(self.path)  # of the round before: whoever waits must not find it
        self.dump = router.start("tcpdump", ["tcpdump", "-U", "--immediate-mode", "-i", "nlmon0", "-s", "65535", "-w", self.path])
        wait_until("tcpdump", lambda: os.path.exists(self.path) and os.path.getsize(self.path) >= 24)

    def stop(self, family):
        """Waits for the first and a second for more of them. Returns when each came."""
        wait_until("the command that changes the weight", lambda: self.commands(family), within=20, every=0.2)
        time.sleep(1)
        self.dump.stop()
        return self.commands(family)

    def commands(self, family):
        """When each changing command came that has been written down, in seconds of real time."""
        with open(self.path, "rb") as f:
            data = f.read()
        times, at = [], 24
        while at + 16 <= len(data):
            seconds, micros, size = struct.unpack_from("<III", data, at)
            packet, at = data[at + 16 + 16:at + 16 + size], at + 16 + size
            while len(packet) >= 20:
                length, kind, flags = struct.unpack_from("<IHH", packet)
                # requests have NLM_F_REQUEST, answers have not
                if kind == family and flags & 1 and packet[16] not in READING.values():
                    times.append(seconds + micros / 1e6)
                packet = packet[(length + 3) & ~3:] if length >= 16 else b""
        return times


def family_number():
    """Of IPVS among the generic netlink families."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    name = b"IPVS\0"
    attribute = struct.pack("<HH", 4 + len(name), 2) + name + b"\0" * (-len(name) % 4)
    body = struct.pack("<BBH", 3, 1, 0) + attribute
    s.send(struct.pack("<IHHII", 16 + len(body), 16, 1, 1, 0) + body)
    answer = s.recv(65536)
    s.close()
    at = 20
    while at + 4 <= len(answer):
        size, kind = struct.unpack_from("<HH", answer, at)
        if kind == 1:
            return struct.unpack_from("<H", answer, at + 4)[0]
        at += (size + 3) & ~3
    raise AssertionError("the kernel has no IPVS family")


def measure(router, kind):
    router.reboot()
    began = time.monotonic()
    daemon = getattr(router, kind)(configuration(1))
    wait_until("the whole table", lambda: lines(router), lambda n: n == SERVICES * (SERVERS + 1), within=240, every=0.3)
    took = time.monotonic() - began
    cpu = cpu_seconds(daemon.popen.pid)
    if kind == "poised":
        wait_until("poised to be settled", daemon.log, lambda text: "stand in the kernel's table" in text, within=60)
    time.sleep(CALM_S)
    memory = memory_kb(daemon.popen.pid)
    with open(daemon.conf_path, "w", encoding="utf-8") as f:
        f.write(configuration(7))
    monitor = Monitor(router)
    began = time.time()
    daemon.signal(signal.SIGHUP)
    commands = monitor.stop(family_number())
    reload_s = commands[0] - began
    assert 7 in changed(router)
    began = time.monotonic()
    daemon.stop()
    stop_s = time.monotonic() - began
    return {"cpu": cpu, "took": took, "memory": memory, "reload": reload_s, "commands": len(commands), "stop": stop_s}


def run(options, report):
    if not options.ipvs:
        report.text("skipped: this kernel has no IPVS")
        return
    results = {"poised": [], "keepalived": []}
    site = Site(servers=0, routers=1)
    try:
        subprocess.run(["modprobe", "-q", "nlmon"], check=False)
        for number in range(min(options.rounds, 3)):
            for kind, found in results.items():
                report.note("round %d: %s" % (number + 1, kind))
                found.append(measure(site.r1, kind))
    except AssertionError as error:
        report.failed("%s\n%s" % (error, site.tails()))
    finally:
        site.close()
    report.clear()
    form = "%-38s %-22s %s"
    report.text(form % ("min / median / max", "Poise", "keepalived"))
    for key, what, scale, fmt in (("cpu", "CPU time until programmed, s", 1, "%.2f"), ("took", "time until programmed, s", 1,
                                  "%.2f"), ("memory", "memory, MiB", 1 / 1024, "%.1f"),
                                  ("reload", "reload, one weight: in the kernel, s", 1, "%.2f"),
                                  ("commands", "changing netlink commands of it", 1, "%.0f"),
                                  ("stop", "stop, table removed, s", 1, "%.2f")):
        report.text(form % (what, *(report.spread([r[key] for r in found], scale, fmt) for found in results.values())))
    if not all(results.values()):
        return
    ours, theirs = ({key: statistics.median(r[key] for r in found) for key in found[0]} for found in results.values())
    if ours["cpu"] > theirs["cpu"] / 2:
        report.failed("programming costs more than half of keepalived's CPU time")
    if ours["memory"] > theirs["memory"]:
        report.failed("more memory than keepalived")
    if ours["commands"] != 1:
        report.failed("one changed weight took %.0f changing commands" % ours["commands"])
