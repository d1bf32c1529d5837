# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracked processes, files and services move priorities and mastership, and say why."""

import os
import shutil
import time

import pytest

from poiselab import wait_until
from poiselab.configs import instance, service
from poiselab.daemons import Poised
from poiselab.site import BACK4, VIP


def track_of(daemon, name):
    return next((t for t in daemon.vrrp("one").get("tracks", []) if t["name"] == name), {})


def effective(daemon, priority):
    wait_until("an effective priority of %d" % priority, lambda: daemon.vrrp("one").get("effective_priority"),
               lambda seen: seen == priority, within=10)


def test_a_tracked_file_changes_the_priority(site):
    path = site.r1.path("load")
    text = "track_file load {\n\tfile %s\n\tinit_file 5\n\tweight -2\n}\n" % path
    ours = site.r1.poised(text + instance("one", "front", 51, VIP, priority=150, advert=0.2,
                                          more="track_file {\n\tload\n}\nversion 3"))
    effective(ours, 140)
    with open(path, encoding="ascii") as f:
        assert f.read() == "5\n"
    os.chmod(path, 0o600)  # only root may read it: nothing changes
    with open(path, "w", encoding="ascii") as f:
        f.write("50\n")
    effective(ours, 50)
    assert track_of(ours, "load")["why"].endswith("load holds 50")
    # A new file that is moved into place, as careful scripts do.
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write("-3")
    os.rename(path + ".new", path)
    effective(ours, 156)
    with open(path, "w", encoding="ascii") as f:
        f.write("127")
    wait_until("a fault", lambda: ours.state("one"), lambda state: state == "FAULT")
    assert "load" in ours.vrrp("one")["why"]
    os.unlink(path)
    effective(ours, 150)
    wait_until("the fault to end", lambda: ours.state("one"), lambda state: state == "MASTER", within=10)


def test_the_folder_of_a_tracked_file_is_replaced(site):
    """It is renamed, and another one comes under its name: the file in that one counts."""
    folder = site.r1.path("state")

    def put(text):
        os.makedirs(folder)
        with open(os.path.join(folder, "load"), "w", encoding="ascii") as f:
            f.write(text)

    put("1")
    ours = site.r1.poised("track_file load {\n\tfile %s/load\n\tweight -2\n}\n" % folder +
                          instance("one", "front", 51, VIP, priority=150, advert=0.2,
                                   more="track_file {\n\tload\n}\nversion 3"))
    effective(ours, 148)
    os.rename(folder, folder + ".old")
    put("20")
    effective(ours, 110)


def test_a_tracked_process_moves_the_address(site):
    program = site.r1.path("poise-lab-work")
    shutil.copy("/usr/bin/sleep", program)
    text = "vrrp_track_process work {\n\tprocess poise-lab-work\n\tweight 0\n\tquorum 2\n}\n"
    tracked = "version 3\ntrack_process {\n\twork\n}"
    one = site.r1.start("work", [program, "600"])
    ours = site.r1.poised(text + instance("one", "front", 51, VIP, priority=150, advert=0.2, more=tracked))
    site.r2.poised(instance("one", "front", 51, VIP, priority=100, advert=0.2, more="version 3"))
    wait_until("r2 to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r2"], within=10)
    assert "1 poise-lab-work running, 2 are wanted" in track_of(ours, "work")["why"]
    site.r1.start("work", [program, "600"])
    wait_until("r1 to hold the address", lambda: site.holders(VIP), lambda seen: seen == ["r1"], within=10)
    one.kill()
    wait_until("r2 to hold the address again", lambda: site.holders(VIP), lambda seen: seen == ["r2"], within=10)


class Outside:
    """A machine whose processes run in the network namespace that this test itself is in."""

    class namespace:
        name = None

    def __init__(self, machine):
        self.short, self.path, self.log = machine.short, machine.path, machine.log


@pytest.mark.process_events
def test_process_events(site):
    """The kernel tells of processes at once; only outside of network namespaces, so that this poised has an interface that
    does not exist and sends nothing. By the looks at /proc each ten seconds alone, eight changes would take over a minute."""
    program = site.r1.path("poise-lab-event")
    shutil.copy("/usr/bin/sleep", program)
    text = "vrrp_track_process work {\n\tprocess poise-lab-event\n\tweight 0\n}\n"
    ours = site.r1.keep(Poised(Outside(site.r1), text + instance(
        "one", "poise-absent", 51, VIP, priority=150, more="version 3\ntrack_process {\n\twork\n}")))
    wait_until("the process to be looked for", lambda: track_of(ours, "work").get("why", ""), lambda why: "0 " in why)
    if "no process events here" in ours.log():
        pytest.skip("no process events in this network namespace: tests/lab/guest --kernel=qemu has them")
    began = time.monotonic()
    for _ in range(4):
        work = site.r1.start("work", [program, "600"])
        wait_until("it to be seen", lambda: track_of(ours, "work")["up"], within=15)
        work.kill()
        wait_until("its end to be seen", lambda: track_of(ours, "work")["up"], lambda up: not up, within=15)
    assert time.monotonic() - began < 60


@pytest.mark.ipvs
def test_a_tracked_service_lowers_the_priority(site):
    web = site.s1.nginx()
    tracked = "version 3\ntrack_virtual_server {\n\t%s 80 TCP weight -60\n}" % VIP
    ours = site.r1.poised(instance("one", "front", 51, VIP, priority=150, advert=0.2, more=tracked) + service([BACK4 + "11"]))
    wait_until("the service to be up", lambda: track_of(ours, "%s:80/tcp" % VIP).get("why"),
               lambda why: why == "1 of 1 servers take connections", within=10)
    effective(ours, 150)
    web.kill()
    effective(ours, 90)
    assert "%s:80/tcp" % VIP == ours.vrrp("one")["tracks"][0]["name"]
    assert "quorum" in ours.vrrp("one")["tracks"][0]["why"]
    site.s1.nginx()
    effective(ours, 150)
