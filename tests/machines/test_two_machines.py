# SPDX-License-Identifier: GPL-2.0-or-later
"""What users do, on two whole Debian machines with systemd and the stock kernel: install the package with apt, write one
file, start; then a power failure, the return, an upgrade of both, and the purge.

$POISE_DEB is the package, $POISE_NEXT_DEB a later version of it, $POISE_IMAGE the folder that tests/machines/image made."""

import json
import os
import re
import time

import pytest

from machine import Machine
from poiselab import Site, wait_until
from poiselab.customer import Customer, Download
from poiselab.daemons import TOP
from poiselab.site import BACK4, FRONT4, GATEWAY, VIP

IMAGE, DEB, NEXT = (os.environ.get(name) for name in ("POISE_IMAGE", "POISE_DEB", "POISE_NEXT_DEB"))
SLOW = 180  # seconds that anything may take without KVM on a busy machine

NETWORK = "[Match]\nName=%s\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"

pytestmark = pytest.mark.skipif(not (IMAGE and DEB and NEXT), reason="tests/machines/run sets the variables")


def configuration():
    """The example of the package with its values filled in and what it offers taken in (connections that survive, SNMP), and
    packets for the address dropped that are not for its service."""
    with open(os.path.join(TOP, "etc/poise.conf"), encoding="utf-8") as f:
        text = f.read()
    text = text.replace("203.0.113.", FRONT4).replace("10.0.0.", BACK4)
    text = re.sub(r"^\t#(enable_|lvs_sync|connection_sync|@lb|pair_)", r"\t\1", text, flags=re.M)
    return text.replace("interface eth0\n", "interface eth0\n\tno_accept\n")


@pytest.fixture
def pair():
    made = Site(routers=0)
    machines = [Machine(made, IMAGE, "lb%d" % n, [("front", "02:00:00:00:01:0%d" % (n + 1)),
                                                 ("back", "02:00:00:00:02:0%d" % (n + 1))]) for n in (1, 2)]
    try:
        yield made, machines
    finally:
        for machine in machines:
            if machine.process:
                print(machine.name, machine.run("journalctl -q --no-pager -u poise -u 'poise-script*' -n 60", check=False))
            machine.power_off()
        made.close()


def install(machine, host):
    """An administrator's first quarter of an hour."""
    machine.put("/etc/systemd/network/eth0.network", (NETWORK % ("eth0", FRONT4 + str(host))).encode())
    machine.put("/etc/systemd/network/eth1.network", (NETWORK % ("eth1", BACK4 + str(host))).encode())
    machine.put("/etc/sysctl.d/router.conf", b"net.ipv4.ip_forward = 1\n")
    machine.run("systemctl -q enable systemd-networkd; systemctl start systemd-networkd; sysctl -q --system")
    with open(DEB, "rb") as f:
        machine.put("/root/poise.deb", f.read())
    machine.run("DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends /root/poise.deb", seconds=900)
    assert "inactive" in machine.run("systemctl is-active poise", check=False), "it runs without a configuration"
    machine.run("echo 'trap2sink %s50 public' >>/etc/snmp/snmpd.conf; systemctl restart snmpd" % FRONT4)
    machine.put("/etc/poise/poise.conf", configuration().encode())
    machine.run("poised -t && systemctl start poise")


def holds(machine, address):
    return " %s/" % address in machine.run("ip -4 -o addr")


def wait_master(machine):
    wait_until(machine.name + " to be master", lambda: (holds(machine, VIP), holds(machine, GATEWAY)),
               lambda seen: seen == (True, True), within=SLOW, every=0.5)


def wait_servers(machine, count=3):
    wait_until("the servers in the kernel of " + machine.name, lambda: machine.run("ipvsadm -Ln").count(" Masq "),
               lambda n: n == count, within=SLOW, every=0.5)


def failures(customer, since):
    return [visit for visit in customer.since(since) if visit[1] is None]


def upgrade(machine):
    with open(NEXT, "rb") as f:
        machine.put("/root/next.deb", f.read())
    machine.run("DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends /root/next.deb", seconds=900)
    assert "+next" in machine.run("dpkg-query -W poise")
    assert machine.run("systemctl is-active poise").strip() == "active"


def test_from_installation_to_purge(pair):
    site, (lb1, lb2) = pair
    for server in site.servers:
        server.nginx(big_kb=65536, rate="60k")
    traps = site.client.trap_receiver()
    for host, machine in enumerate((lb1, lb2), 2):
        machine.power_on()
        install(machine, host)
    wait_master(lb1)
    wait_servers(lb1)
    wait_servers(lb2)
    wait_until("a served request", site.fetch, lambda body: body and body.startswith("s"), within=SLOW)

    # What an operator looks at
    assert lb2.run("poisectl status").count("BACKUP") >= 2
    assert "poise" in lb1.run("nft list tables")
    assert "running" in lb1.run("systemctl show -p SubState poise")
    assert int(lb1.run("systemctl show -P NRestarts poise")) == 0
    assert "backup -> master" in lb1.run("journalctl -q --no-pager POISE_OBJECT='vrrp front'")
    assert "poise-script@" in lb1.run("systemctl list-units --no-legend 'poise-script@*'")
    wait_until("the trap of the new master", lambda: traps.traps("POISE-MIB::") or traps.traps(), within=SLOW)

    # The plug of the master is pulled, and put back
    customer = Customer(site.client.namespace.name, VIP, timeout_s=3)
    wait_until("an answer", lambda: [visit for visit in customer.visits if visit[1]], within=SLOW)
    lb1.power_off()
    wait_master(lb2)
    moment = time.monotonic()
    wait_until("answers of lb2", lambda: [visit for visit in customer.since(moment) if visit[1]], within=SLOW)
    lb1.power_on()
    wait_master(lb1)
    wait_servers(lb1)
    wait_until("lb2 to give way", lambda: holds(lb2, VIP), lambda seen: not seen, within=SLOW, every=0.5)

    wait_until("lb2 to hold its connection", lambda: json.loads(lb2.run("poisectl status --json")).get("pair", {}),
               lambda pair: pair.get("coverage_of") and pair["coverage_percent"] >= 99, within=SLOW, every=1)

    # An upgrade of the backup, then of the master: no request fails, no connection is cut
    download = Download(site.client.namespace.name, VIP)
    wait_until("the download to run", lambda: download.received, lambda n: n > 100000, within=SLOW)
    moment = time.monotonic()
    upgrade(lb2)
    assert not failures(customer, moment) and download.is_alive(), (failures(customer, moment), download.error)
    wait_servers(lb2)
    before = lb1.run("ipvsadm -Ln")
    upgrade(lb1)
    wait_master(lb1)
    wait_servers(lb1)
    received = download.received
    wait_until("the download to go on", lambda: download.received, lambda n: n > received + 100000, within=SLOW)
    assert not failures(customer, moment), (failures(customer, moment), before)
    customer.stop()

    # Nothing stays
    for machine in (lb2, lb1):
        machine.run("DEBIAN_FRONTEND=noninteractive apt-get purge -q -y poise", seconds=900)
        assert not holds(machine, VIP) and not holds(machine, GATEWAY)
        assert " Masq " not in machine.run("ipvsadm -Ln")
        assert "poise" not in machine.run("nft list tables", check=False)
        left = machine.run("find / -xdev -name '*poise*' ! -path '/root/*' ! -path '/proc/*' ! -path '/sys/*' ! -path "
                           "'/var/log/*' ! -path '/var/cache/*' ! -path '/var/lib/systemd/deb-systemd*'", check=False)
        assert left.strip() == "", left
