# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machines' tests do and look at again and again."""

import os

from poiselab import wait_until
from poiselab.site import GATEWAY, VIP

DEB = os.environ.get("POISE_DEB")
SLOW = 240  # seconds that anything may take without KVM on a busy machine
PATIENT = 10  # seconds until a customer gives a request up


def put_package(machine, path, name="poise_0_amd64.deb"):
    """Where the documents expect it: in the folder that an administrator is in, under the name that a build gives it."""
    with open(path, "rb") as f:
        machine.put("/root/" + name, f.read())


def holds(machine, address):
    return " %s/" % address in machine.run("ip -4 -o addr")


def wait_master(machine):
    wait_until(machine.name + " to be master", lambda: (holds(machine, VIP), holds(machine, GATEWAY)),
               lambda seen: seen == (True, True), within=SLOW, every=0.5)


def wait_servers(machine, count=3):
    wait_until("the servers in the kernel of " + machine.name, lambda: machine.run("ipvsadm -Ln").count(" Masq "),
               lambda n: n == count, within=SLOW, every=0.5)
