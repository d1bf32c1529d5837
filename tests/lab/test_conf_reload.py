# SPDX-License-Identifier: GPL-2.0-or-later
"""Files around a reload, as keepalived has them: one that says when it is due, and one that is there while files are
read."""

import os
import signal
import time

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.site import VIP


def router(words, priority=150):
    return "global_defs {\n\t%s\n}\n" % "\n\t".join(words) + instance("front", "front", 51, VIP + "/24", priority=priority)


def started(site, *words):
    poised = site.r1.poised(router(words))
    wait_until("poised to answer", lambda: reloads(poised), lambda n: n == 0, within=15)
    return poised


def reloads(poised):
    return poised.status().get("configuration", {}).get("reloads")


def due(poised):
    return poised.status().get("configuration", {}).get("reload_due")


def write(path, text):
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(text)
    os.rename(path + ".new", path)


def soon(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%SZ\n", time.gmtime(time.time() + seconds))


def said(poised, text, times=1):
    wait_until("%r in the log" % text, lambda: poised.log().count(text), lambda n: n >= times)


@pytest.mark.parametrize("repeat", [False, True], ids=["once", "repeat"])
def test_a_reload_at_the_time_in_a_file(site, repeat):
    """The file may come and change at any time; it is removed when its time has come, unless it is to be repeated."""
    path = site.r1.path("reload.time")
    poised = started(site, "reload_time_file " + path, *["reload_repeat"] * repeat)
    write(path, soon(3600))
    said(poised, "reload: scheduled for ")
    wait_until("the reload in status", lambda: due(poised))
    assert "because reload_time_file says so" in poised.poisectl("status").stdout
    poised.write(router(["reload_time_file " + path, *["reload_repeat"] * repeat], priority=120))
    write(path, soon(6))
    wait_until("the reload", lambda: reloads(poised), lambda n: n == 1, within=20)
    assert poised.log().count("reload asked for by reload_time_file") == 1
    assert poised.vrrp("front")["priority"] == 120
    assert os.path.exists(path) == repeat


def test_a_time_that_is_none_or_goes_away(site):
    path = site.r1.path("folder/reload.time")
    poised = started(site, "reload_time_file " + path)
    # The folder may come later, too.
    os.mkdir(os.path.dirname(path))
    write(path, "12:00\n")
    said(poised, "its first line must be HH:MM:SS")
    write(path, soon(-60))
    said(poised, "that time is past")
    write(path, soon(3600))
    said(poised, "reload: scheduled for ")
    wait_until("the reload in status", lambda: due(poised))
    os.unlink(path)
    said(poised, "reload: the one that was scheduled is cancelled")
    wait_until("no reload in status", lambda: due(poised), lambda at: at is None)
    assert reloads(poised) == 0


@pytest.mark.parametrize("good", [True, False], ids=["good", "refused"])
def test_a_file_is_there_while_the_configuration_is_read(site, good):
    """Who waits for its end waits for the file to go, whatever becomes of the configuration."""
    folder = site.r1.path("marks")
    os.mkdir(folder)
    path = os.path.join(folder, "reload")
    poised = started(site, "reload_file " + path)
    assert os.listdir(folder) == []
    if not good:
        poised.write("vrrp_instance front {\n")
    write(path, "an update\n")
    os.kill(poised.pid, signal.SIGHUP)
    wait_until("the end of reading", lambda: os.listdir(folder), lambda found: found == [])
    wait_until("the outcome", lambda: poised.status().get("configuration", {}),
               lambda c: c.get("reloads") == 1 if good else not c.get("last_reload_ok"))
    # It is made, too, when nobody has made it.
    before = os.stat(folder).st_mtime_ns
    os.kill(poised.pid, signal.SIGHUP)
    wait_until("it to come and go", lambda: (os.stat(folder).st_mtime_ns > before, os.listdir(folder)),
               lambda seen: seen == (True, []))
