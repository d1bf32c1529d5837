# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces, cables to a switch, and what this kernel can do."""

import contextlib
import ctypes
import json
import os
import subprocess

from .process import wait_until

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*argv, stdin=None, check=True):
    """Runs a program and returns its output; a failure carries what the program said."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError("%s: status %d: %s" % (" ".join(argv), done.returncode, done.stderr.strip()))
    return done.stdout


def ip_batch(lines, namespace=None):
    """Runs many ip(8) commands by one process."""
    if lines:
        run("ip", *(["-n", namespace] if namespace else []), "-batch", "-", stdin="\n".join(lines) + "\n")


@contextlib.contextmanager
def inside(namespace):
    """The calling thread is in that network namespace meanwhile: for sockets and for /proc/sys/net."""
    with open("/proc/thread-self/ns/net", "rb") as home, open("/run/netns/" + namespace, "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + namespace)
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def sysctl(namespace, settings):
    """Sets the network sysctls {name with slashes: value} of a namespace."""
    with inside(namespace):
        for name, value in settings.items():
            with open("/proc/sys/net/" + name, "w", encoding="ascii") as f:
                f.write(str(value))


def has_ipvs():
    """Whether a namespace of this kernel has IPVS."""
    if not os.path.exists("/proc/net/ip_vs"):
        subprocess.run(["modprobe", "-q", "ip_vs"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return os.path.exists("/proc/net/ip_vs")


def has_nftables():
    """Whether this kernel has nftables with the families that are used (the one of User Mode Linux has not)."""
    probe = "nft add table inet probe && nft list table inet probe"
    return subprocess.run(["unshare", "--net", "sh", "-c", probe], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


class Cable:
    """From an interface of a machine to a port of that name at a bridge of the switch."""

    def __init__(self, interface, port, bridge, mac, addresses):
        self.interface, self.port, self.bridge, self.mac, self.addresses = interface, port, bridge, mac, addresses


class Namespace:
    """A machine of the site: a network namespace with cables into the switch. It is there after make()."""

    def __init__(self, name, switch=None, cables=()):
        self.name, self.switch, self.cables = name, switch, list(cables)
        self.inode = None

    def commands(self):
        """The ip(8) commands that make it: of the machine as a whole, of the switch, and inside (see make)."""
        outer = ["netns add " + self.name] + ["link add %s netns %s address %s type veth peer name %s netns %s" % (
            c.interface, self.name, c.mac, c.port, self.switch.name) for c in self.cables]
        ports = ["link set %s master %s up" % (c.port, c.bridge) for c in self.cables]
        inner = ["link set lo up"] + ["link set %s up" % c.interface for c in self.cables]
        inner += ["addr add %s dev %s%s" % (address, c.interface, " nodad" if ":" in address else "")
                  for c in self.cables for address in c.addresses]
        return outer, ports, inner

    def finish(self):
        """After its commands were run."""
        self.inode = os.stat("/run/netns/" + self.name).st_ino

    def make(self, settings=(), more=()):
        """Makes the namespace with the sysctls, and runs further ip(8) commands inside."""
        make_namespaces([(self, settings, more)])

    def ip(self, *lines):
        ip_batch(lines, self.name)

    def sysctl(self, settings):
        sysctl(self.name, settings)

    def run(self, *argv, stdin=None, check=True):
        return run("nsenter", "--net=/run/netns/" + self.name, *argv, stdin=stdin, check=check)

    def ports(self, interface):
        return [(c.port, c.bridge) for c in self.cables if interface in (None, c.interface)]

    def cut(self, interface=None, carrier=False):
        """Pulls the cable of one interface, or all of them. With `carrier` the link light stays on: the switch only
        forwards nothing any more."""
        self.switch.ip(*("link set %s %s" % (port, "nomaster" if carrier else "down")
                         for port, _ in self.ports(interface)))

    def restore(self, interface=None):
        """Puts the cable back."""
        self.switch.ip(*("link set %s master %s up" % port for port in self.ports(interface)))

    def addresses(self, interface=None):
        """The addresses it holds, without prefix, link-local ones left out."""
        shown = json.loads(run("ip", "-n", self.name, "-j", "addr", "show", *(["dev", interface] if interface else [])))
        return sorted(a["local"] for link in shown for a in link.get("addr_info", [])
                      if a["scope"] != "link" and link.get("ifname") != "lo")

    def remove(self):
        """Deletes it with its cables, which the kernel would only do some time later."""
        if self.switch and self.cables:
            self.switch.ip(*("link del " + port for port, _ in self.ports(None)))
        run("ip", "netns", "del", self.name, check=False)


def make_namespaces(wanted):
    """Makes many at once, with few processes: [(namespace, {sysctl: value}, [ip(8) command inside])]. Those that need
    a switch come after it, or it is there already."""
    plans = [(namespace, namespace.commands(), settings, more) for namespace, settings, more in wanted]
    ip_batch([line for _, (outer, _, _), _, _ in plans for line in outer])
    for namespace, (_, _, inner), settings, more in plans:
        quiet = {"ipv6/conf/default/accept_ra": 0}
        quiet.update({"ipv6/conf/%s/%s" % (c.interface, name): 0 for c in namespace.cables
                      for name in ("accept_dad", "accept_ra")})
        sysctl(namespace.name, {**quiet, **dict(settings)})
        ip_batch([*inner, *more], namespace.name)
        namespace.finish()
    for switch in {namespace.switch for namespace, *_ in plans if namespace.switch}:
        switch.ip(*(line for namespace, (_, ports, _), _, _ in plans if namespace.switch is switch for line in ports))
        wait_forwarding(switch)


def wait_forwarding(switch):
    """A port forwards only when the kernel has looked at its carrier, which a busy one does up to a second later; what is
    sent before is lost, and that is not what a test is about."""
    wait_until("the ports of %s to forward" % switch.name, lambda: [port["state"] for port in json.loads(
        run("bridge", "-n", switch.name, "-j", "link", "show") or "[]")],
        lambda states: all(state == "forwarding" for state in states), within=20)
