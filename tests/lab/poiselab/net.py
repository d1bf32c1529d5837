# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces, cables to a switch, and what this kernel can do."""

import contextlib
import ctypes
import json
import os
import subprocess

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


class Namespace:
    """A machine of the site: a network namespace with cables into the switch."""

    def __init__(self, name, switch=None):
        self.name = name
        self.switch = switch
        self.cables = []  # (interface, port, bridge, mac, addresses)
        run("ip", "netns", "add", name)
        self.ip("link set lo up")
        self.inode = os.stat("/run/netns/" + name).st_ino

    def ip(self, *lines):
        ip_batch(lines, self.name)

    def sysctl(self, settings):
        sysctl(self.name, settings)

    def run(self, *argv, stdin=None, check=True):
        return run("nsenter", "--net=/run/netns/" + self.name, *argv, stdin=stdin, check=check)

    def plug(self, interface, port, bridge, mac, addresses):
        """A cable from `interface` here to the port of that name at the bridge in the switch."""
        self.cables.append((interface, port, bridge, mac, addresses))
        ip_batch(["link add %s netns %s address %s type veth peer name %s netns %s" %
                  (interface, self.name, mac, port, self.switch.name)])
        self.switch.ip("link set %s master %s up" % (port, bridge))
        self.sysctl({"ipv6/conf/%s/accept_dad" % interface: 0, "ipv6/conf/%s/accept_ra" % interface: 0})
        self.ip("link set %s up" % interface,
                *("addr add %s dev %s%s" % (a, interface, " nodad" if ":" in a else "") for a in addresses))

    def ports(self, interface):
        return [(port, bridge) for name, port, bridge, *_ in self.cables if interface in (None, name)]

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
