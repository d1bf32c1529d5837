# SPDX-License-Identifier: GPL-2.0-or-later
"""What users do, on two whole Debian machines with systemd and the stock kernel: the quick start of README.md, word for
word; then a power failure, the return, an upgrade of both, and the purge.

$POISE_DEB is the package, $POISE_NEXT_DEB a later version of it, $POISE_IMAGE the folder that tests/machines/image made."""

import json
import os
import time

from poiselab import wait_until
from poiselab.customer import Customer, Download
from poiselab.documents import commands, typed
from poiselab.example import example, with_everything
from poiselab.site import BACK4, FRONT4, GATEWAY, VIP
from steps import DEB, PATIENT, SLOW, holds, put_package, wait_master, wait_servers

NEXT = os.environ.get("POISE_NEXT_DEB")
NETWORK = "[Match]\nName=%s\n[Network]\nAddress=%s/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def everything():
    """The example with what it offers taken in, packets for the address dropped that are not for its service, a notification,
    and checks that are patient with a machine that may stand still for seconds, as emulated ones do on a busy host."""
    text = with_everything(example()).replace("interface ${CLIENT_SIDE}\n",
                                              "interface ${CLIENT_SIDE}\n\tno_accept\n\tnotify /bin/true\n")
    return text.replace("connect_timeout 2", "connect_timeout 10").replace("retry 1\n", "retry 3\n")


def boot(machine, host):
    """A router as its administrator has made it before Poise comes."""
    machine.power_on()
    machine.put("/etc/systemd/network/eth0.network", (NETWORK % ("eth0", FRONT4 + str(host))).encode())
    machine.put("/etc/systemd/network/eth1.network", (NETWORK % ("eth1", BACK4 + str(host))).encode())
    machine.run("systemctl -q enable systemd-networkd; systemctl start systemd-networkd")
    put_package(machine, DEB)


def quick_start(machine):
    """Types what README.md says."""
    for line in commands("README.md", "Quick start: two Debian 12 routers"):
        if line.startswith("editor "):
            machine.put(line.split()[1], example().encode())
        elif not line.startswith("curl "):
            said = machine.run("cd /root; " + typed(line), seconds=900)
        if line.startswith("apt "):
            assert "inactive" in machine.run("systemctl is-active poise", check=False), "it runs without a configuration"
            assert "enabled" in machine.run("systemctl is-enabled poise")
    return said


def failures(customer, since):
    return [visit for visit in customer.since(since) if visit[1] is None]


def upgrade(machine):
    put_package(machine, NEXT, "poise_1_amd64.deb")
    machine.run("rm /root/poise_0_amd64.deb; cd /root; " + typed(commands("README.md", "Quick start: two Debian 12 routers")[0]),
                seconds=900)
    assert "+next" in machine.run("dpkg-query -W poise")
    assert machine.run("systemctl is-active poise").strip() == "active"


def test_quick_start(pair, record_property):
    site, (lb1, lb2) = pair
    for host, machine in enumerate((lb1, lb2), 2):
        boot(machine, host)
    began = time.monotonic()
    for machine in (lb1, lb2):
        assert "front" in quick_start(machine)
    wait_until("a served request", site.fetch, lambda body: body and body.startswith("s"), within=SLOW)
    record_property("seconds from apt install on both to a served request", round(time.monotonic() - began))
    print("from apt install on both to a served request: %d s" % (time.monotonic() - began))
    wait_master(lb1)
    wait_servers(lb1)
    wait_servers(lb2)
    assert lb2.run("poisectl status").count("BACKUP") >= 2
    assert int(lb1.run("systemctl show --value -p NRestarts poise")) == 0


def test_what_the_example_offers(pair):
    """A reload takes in connection synchronisation, SNMP and the firewall; traps arrive where snmpd sends them."""
    site, (lb1, lb2) = pair
    traps = site.client.trap_receiver()
    for machine in (lb1, lb2):
        machine.run("echo 'trap2sink %s50 public' >>/etc/snmp/snmpd.conf; systemctl restart snmpd" % FRONT4)
        machine.put("/etc/poise/poise.conf", everything().encode())
        machine.run("poised -t && systemctl reload poise")
    wait_until("the table of nftables", lambda: lb1.run("nft list tables"), lambda said: "poise" in said, within=SLOW, every=1)
    wait_until("snmpd to know the pair", lambda: lb1.run("poisectl status --json"), lambda said: '"snmp"' in said, within=SLOW,
               every=1)
    assert "backup -> master" in lb1.run("journalctl -q --no-pager POISE_OBJECT='vrrp front'")
    assert "poise-script@" in lb1.run("systemctl list-units --no-legend 'poise-script@*'")
    assert "running" in lb1.run("systemctl show -p SubState poise")
    # A change of mastership, there and back, without a failed request
    customer = Customer(site.client.namespace.name, VIP, timeout_s=PATIENT)
    lb1.run("poisectl handover --all")
    wait_master(lb2)
    wait_until("the trap of the new master", lambda: traps.traps("POISE-MIB::") or traps.traps(), within=SLOW)
    lb2.run("poisectl handover --all")
    wait_master(lb1)
    customer.stop()
    assert [visit for visit in customer.visits if visit[1]]


def test_power_failure_and_return(pair):
    site, (lb1, lb2) = pair
    customer = Customer(site.client.namespace.name, VIP, timeout_s=PATIENT)
    wait_until("an answer", lambda: [visit for visit in customer.visits if visit[1]], within=SLOW)
    lb1.power_off()
    wait_master(lb2)
    moment = time.monotonic()
    wait_until("answers of lb2", lambda: [visit for visit in customer.since(moment) if visit[1]], within=SLOW)
    lb1.power_on()
    wait_master(lb1)
    wait_servers(lb1)
    wait_until("lb2 to give way", lambda: holds(lb2, VIP), lambda seen: not seen, within=SLOW, every=0.5)
    customer.stop()


def test_upgrade_of_both_under_traffic(pair):
    """The backup, then the master: no request fails, no connection is cut."""
    site, (lb1, lb2) = pair
    customer = Customer(site.client.namespace.name, VIP, timeout_s=PATIENT)
    wait_until("lb2 to hold its connection", lambda: json.loads(lb2.run("poisectl status --json")).get("pair", {}),
               lambda pair: pair.get("coverage_of") and pair["coverage_percent"] >= 99, within=SLOW, every=1)
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


def test_nothing_stays_after_removal_and_purge(pair):
    _, (lb1, lb2) = pair
    for machine in (lb2, lb1):
        machine.run(typed("apt remove poise"), seconds=900)
        assert not holds(machine, VIP) and not holds(machine, GATEWAY)
        assert " Masq " not in machine.run("ipvsadm -Ln")
        assert "poise" not in machine.run("nft list tables", check=False)
        assert machine.run("sysctl -n net.ipv4.ip_forward").strip() == "0"
        machine.run("test -f /etc/poise/poise.conf")
        machine.run(typed("apt purge poise"), seconds=900)
        left = machine.run("find / -xdev -name '*poise*' ! -path '/root/*' ! -path '/proc/*' ! -path '/sys/*' ! -path "
                           "'/var/log/*' ! -path '/var/cache/*' ! -path '/var/lib/systemd/deb-systemd*'", check=False)
        assert left.strip() == "", left
