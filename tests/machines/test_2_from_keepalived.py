# SPDX-License-Identifier: GPL-2.0-or-later
"""A pair that runs keepalived becomes a pair that runs Poise as README.Debian says: one node at a time, beside a keepalived
that still runs on the other."""

import time

from poiselab import wait_until
from poiselab.configs import HTTP_CHECK, pair as instances, service
from poiselab.customer import Customer
from poiselab.documents import commands, typed
from poiselab.site import BACK4, GATEWAY, VIP
from steps import DEB, PATIENT, SLOW, holds, put_package, wait_master, wait_servers

PRIORITY = {"lb1": 150, "lb2": 100}


def todays_file(name):
    """As it may lie on a router for years: an old spelling, a password, no version, priorities in two files."""
    password = "authentication {\n\tauth_type PASS\n\tauth_pass sesame\n}"
    return ("global_defs {\n\trouter_id %s\n\tenable_script_security\n\tscript_user root\n}\n" % name +
            instances(PRIORITY[name], more=password).replace("interface front", "interface eth0").replace(
                "interface back", "interface eth1") +
            service([BACK4 + "11", BACK4 + "12", BACK4 + "13"], scheduler="wlc",
                    check=HTTP_CHECK.replace("retry 0", "nb_get_retry 3").replace("connect_timeout 1", "connect_timeout 10"), delay=3))


def from_keepalived(machine):
    """Types what README.Debian says."""
    for line in commands("debian/README.Debian", "Coming from keepalived"):
        said = machine.run("cd /root; " + typed(line), seconds=900)
    assert "inactive" in machine.run("systemctl is-active keepalived", check=False)
    return said


def test_one_node_at_a_time(pair):
    site, (lb1, lb2) = pair
    for machine in (lb1, lb2):
        machine.run("sysctl -qw net.ipv4.ip_forward=1")
        machine.run(typed("apt install keepalived"), seconds=900)
        machine.put("/etc/keepalived/keepalived.conf", todays_file(machine.name).encode())
        machine.run("systemctl restart keepalived")
        put_package(machine, DEB)
    wait_master(lb1)
    wait_servers(lb1)
    wait_until("a request served by keepalived's service", site.fetch, lambda body: body and body.startswith("s"), within=SLOW)

    # The backup first: clients do not notice
    customer = Customer(site.client.namespace.name, VIP, timeout_s=PATIENT)
    wait_until("an answer", lambda: [visit for visit in customer.visits if visit[1]], within=SLOW)
    moment = time.monotonic()
    assert "BACKUP" in from_keepalived(lb2)
    wait_servers(lb2)
    assert holds(lb1, VIP) and not holds(lb2, VIP) and not holds(lb2, GATEWAY)
    assert "keepalived" in lb1.run("ps -C keepalived -o comm=")
    assert not [visit for visit in customer.since(moment) if visit[1] is None]

    # Poise beside a keepalived that dies, and that comes back
    lb1.run("systemctl stop keepalived")
    wait_master(lb2)
    moment = time.monotonic()
    wait_until("answers through lb2", lambda: [visit for visit in customer.since(moment) if visit[1]], within=SLOW)
    lb1.run("systemctl start keepalived")
    wait_master(lb1)
    wait_until("lb2 to give way", lambda: holds(lb2, VIP) or holds(lb2, GATEWAY), lambda seen: not seen, within=SLOW, every=0.5)

    # Then the master
    from_keepalived(lb1)
    wait_master(lb1)
    wait_servers(lb1)
    wait_until("lb2 to give way", lambda: holds(lb2, VIP) or holds(lb2, GATEWAY), lambda seen: not seen, within=SLOW, every=0.5)
    moment = time.monotonic()
    wait_until("answers through lb1", lambda: [visit for visit in customer.since(moment) if visit[1]], within=SLOW)
    customer.stop()
    assert lb1.run("poisectl status").count("MASTER") >= 2
