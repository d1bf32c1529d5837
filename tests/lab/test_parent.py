# SPDX-License-Identifier: GPL-2.0-or-later
"""The parent in trouble: whom it depends on is slow, full, stopped or gone. Needs no IPVS."""

import os
import signal
import subprocess
import time

from poiselab import wait_until
from poiselab.configs import EVERY_ROLE, TCP_CHECK, instance, service
from poiselab.daemons import build_folder
from poiselab.process import kill
from poiselab.site import VIP

INTERVAL = 0.2


def one(priority=255, *, advert=INTERVAL, more=""):
    return instance("one", "front", 51, VIP, priority=priority, advert=advert, more="version 3\n" + more)


def wait_state(daemon, state, within=10):
    wait_until("%s to be %s" % (daemon.name, state), lambda: daemon.state("one"), lambda seen: seen == state, within)


def test_signals_that_only_keepalived_knows(site):
    """Monitoring that was made for keepalived has it write files by signals: nothing dies of them."""
    daemon = site.r1.poised(one() + EVERY_ROLE)
    wait_state(daemon, "MASTER")
    roles = ("poised", "vrrp", "ipvs", "healthcheck", "control", "snmp", "script")
    before = {role: wait_until("the process of " + role, lambda: daemon.role_pids(role)) for role in roles}
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN, signal.SIGRTMIN + 2, signal.SIGRTMAX):
        for pids in before.values():
            os.kill(pids[0], number)
    daemon.wait_log("User defined signal 2: nothing is dumped: poisectl status --json")
    daemon.poisectl("reload")
    assert {role: daemon.role_pids(role) for role in roles} == before
    assert daemon.vrrp("one")["became_master"] == 1
