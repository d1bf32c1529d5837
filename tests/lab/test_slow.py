# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is slow or hangs beside the heartbeat: a file system, a disk that programs lie on, the kernel's lock for
interfaces. None of it stops the heartbeat, nor those who look after it. Needs no IPVS."""

import os
import signal

from poiselab import wait_until
from poiselab.configs import EVERY_ROLE, instance
from poiselab.dead_server import DeadServer
from poiselab.hold import Hold
from poiselab.process import kill
from poiselab.site import GATEWAY, VIP
from test_parent import one, wait_state

FIRST_PORT = 8001


def restart_of_vrrp_is_noticed(daemon):
    """The parent looks after its roles: one that dies is back, and goes on as master."""
    before = daemon.role_pids("vrrp")
    kill(before)
    daemon.wait_log("vrrp one: init -> master: restarted", within=20)
    wait_state(daemon, "MASTER")
    assert daemon.role_pids("vrrp") != before


def sent(daemon, name="one"):
    return daemon.vrrp(name)["adverts_sent"]


def test_files_of_checks_on_a_file_system_that_hangs(site):
    """Neither the health checker waits for it nor the parent, who is asked for what only root may see. The servers stay
    as they were, and those whose files can be read are judged."""
    folders = {name: site.r1.path(name) for name in ("all", "root", "well")}
    servers = ""
    for i, (name, folder) in enumerate(folders.items()):
        os.mkdir(folder)
        with open(os.path.join(folder, "state"), "w", encoding="ascii") as f:
            f.write("up\n")
        servers += "\treal_server 127.0.0.1 %d {\n\t\tFILE_CHECK {\n\t\t\tfile %s/state\n\t\t}\n\t}\n" % (
            FIRST_PORT + i, folder)
    daemon = site.r1.poised(one(advert=5) + "virtual_server 127.0.0.9 80 {\n\tdelay_loop 0.5\n\tprotocol TCP\n%s}\n" % servers)
    wait_state(daemon, "MASTER")

    def server(name):
        return daemon.server("127.0.0.1", FIRST_PORT + list(folders).index(name))

    def wait_server(name, what, until):
        return wait_until("%s to be %s" % (name, what), lambda: server(name), until, within=30)

    for name in folders:
        wait_server(name, "up", lambda seen: seen.get("health") == "up")
    checker = daemon.role_pids("healthcheck")
    dead = [DeadServer(folders["all"]), DeadServer(folders["root"], for_all=False)]
    try:
        for name in ("all", "root"):
            wait_server(name, "without an answer", lambda seen: "our own trouble" in seen["checks"][0]["why"])
        assert server("all")["checks"][0]["reason"] == "file system silent"
        with open(os.path.join(folders["well"], "state"), "w", encoding="ascii") as f:
            f.write("down\n")
        wait_server("well", "down", lambda seen: seen["health"] == "down")
        restart_of_vrrp_is_noticed(daemon)
        daemon.poisectl("reload")
        wait_until("the reload", lambda: daemon.status()["generation"], lambda seen: seen == 2)
        assert [server(name)["health"] for name in folders] == ["up", "up", "down"]
        assert daemon.role_pids("healthcheck") == checker
    finally:
        for one_dead in dead:
            one_dead.close()
    for name in ("all", "root"):
        wait_server(name, "answered for", lambda seen: seen["checks"][0]["reason"] == "passed")
    assert daemon.role_pids("healthcheck") == checker and daemon.stop() == 0


def test_a_tracked_file_on_a_file_system_that_hangs(site):
    """What it said last counts; the scripts run on, and what they say counts."""
    folder, verdict = site.r1.path("share"), site.r1.path("verdict")
    os.mkdir(folder)
    for path, text in ((os.path.join(folder, "load"), "-3\n"), (verdict, "0\n")):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
    daemon = site.r1.poised("track_file load {\n\tfile %s/load\n\tweight 1\n}\n"
                            "vrrp_script state {\n\tscript \"/bin/sh -c 'exit $(cat %s)'\"\n\tinterval 1\n\tweight 10\n}\n"
                            % (folder, verdict) +
                            one(100, advert=1, more="track_file {\n\tload\n}\ntrack_script {\n\tstate\n}"))

    def wait_priority(value):
        wait_until("priority %d" % value, lambda: daemon.vrrp("one").get("effective_priority"), lambda seen: seen == value, within=30)

    wait_priority(107)
    script = daemon.role_pids("script")
    dead = DeadServer(folder)
    try:
        daemon.wait_log("script: %s/load: its file system does not answer" % folder, within=30)
        with open(verdict, "w", encoding="ascii") as f:
            f.write("1\n")
        wait_priority(97)
        assert daemon.role_pids("script") == script
    finally:
        dead.close()
    daemon.wait_log("script: %s/load: its file system answers again" % folder, within=30)
    with open(os.path.join(folder, "load"), "w", encoding="ascii") as f:
        f.write("-5\n")
    wait_priority(95)
    assert daemon.role_pids("script") == script and daemon.stop() == 0


def test_a_program_that_the_disk_does_not_give(site):
    """A role died, and its program is on a disk that hangs: the parent goes on looking after the others."""
    slow = Hold(site.r1, "poised", "exec poise-control", hold=False)
    daemon = site.r1.poised(one(advert=5) + EVERY_ROLE, env=slow.env)
    wait_state(daemon, "MASTER")
    control = daemon.role_pids("control")
    slow.hold()
    kill(control)
    daemon.wait_log("control: ended: killed by signal 9")
    vrrp = daemon.role_pids("vrrp")
    kill(vrrp)
    daemon.wait_log("vrrp one: init -> master: restarted", within=20)
    assert not daemon.role_pids("control")
    slow.release()
    wait_state(daemon, "MASTER", within=30)
    assert daemon.role_pids("vrrp") != vrrp and daemon.stop() == 0


def test_a_group_that_cannot_be_joined_yet(site):
    """Somebody's large transaction holds the kernel's lock for interfaces just when a new instance wants to hear: the
    others speak on meanwhile, and it claims nothing before it can hear."""
    busy = Hold(site.r1, "poise-vrrp", "join", hold=False)
    daemon = site.r1.poised(one(advert=2), env=busy.env)
    wait_state(daemon, "MASTER")
    pids = daemon.role_pids("vrrp")
    busy.hold()
    daemon.write(one(advert=2) + instance("two", "back", 52, GATEWAY, priority=100, more="version 3"))
    daemon.poisectl("reload")
    wait_until("the reload", lambda: daemon.status()["generation"], lambda seen: seen == 2)
    before = sent(daemon)
    # Longer than the second one would wait for another master, and than a heartbeat may stand still.
    wait_until("4 more heartbeats", lambda: sent(daemon) - before, lambda n: n >= 4, within=30)
    assert daemon.role_pids("vrrp") == pids and daemon.state("two") == "INIT"
    # One that is killed meanwhile goes on at once: it need not hear for that.
    kill(pids)
    daemon.wait_log("vrrp one: init -> master: restarted", within=20)
    wait_until("heartbeats", lambda: daemon.vrrp("one").get("adverts_sent", 0), lambda n: n > before + 6, within=20)
    assert daemon.state("two") == "INIT"
    assert "until the kernel lets it listen on back" in daemon.vrrp("two")["why"]
    busy.release()
    wait_until("the second one to be master", lambda: daemon.state("two"), lambda seen: seen == "MASTER", within=20)
    assert daemon.state("one") == "MASTER" and daemon.stop() == 0


def test_a_backup_that_cannot_hear_claims_nothing(site):
    """A reload has it listen for another protocol, and it may not join the group for that yet: that it hears nobody says nothing
    of the master."""
    def text(priority, kind):
        return instance("one", "front", 51, VIP, priority=priority, advert=1,
                        more="version 2\nauthentication {\n\tauth_type %s\n\tauth_pass word\n}\n" % kind)

    master = site.r1.poised(text(200, "PASS"))
    busy = Hold(site.r2, "poise-vrrp", "join", hold=False)
    backup = site.r2.poised(text(100, "PASS"), env=busy.env)
    wait_state(master, "MASTER")
    wait_until("the master to be heard", lambda: backup.vrrp("one").get("adverts_received", 0), within=20)
    busy.hold()
    for daemon, priority in ((backup, 100), (master, 200)):
        daemon.write(text(priority, "AH"))
        daemon.poisectl("reload")
        wait_until("the reload", lambda d=daemon: d.status()["generation"], lambda seen: seen == 2)
    before = sent(master)
    wait_until("8 heartbeats, twice the backup's patience", lambda: sent(master) - before, lambda n: n >= 8, within=30)
    assert backup.state("one") == "BACKUP" and backup.vrrp("one")["became_master"] == 0
    heard = backup.vrrp("one")["adverts_received"]
    busy.release()
    wait_until("the master to be heard again", lambda: backup.vrrp("one")["adverts_received"], lambda n: n > heard, within=20)
    assert backup.vrrp("one")["became_master"] == 0
    master.stop()
    wait_state(backup, "MASTER")


def test_a_backup_hears_on_while_it_joins_anew(site):
    """After notifications of the kernel were lost every interface may be another one, and the group is joined once more:
    until that is done the former socket hears the master, and afterwards there is one as before."""
    site.r1.poised(one(200, advert=1))
    busy = Hold(site.r2, "poise-vrrp", "join", hold=False)
    daemon = site.r2.poised(one(100, advert=1), env=busy.env)

    def received():
        return daemon.vrrp("one").get("adverts_received", 0)

    def sockets():
        return len(site.r2.run("cat", "/proc/net/raw").splitlines())

    def hears(n):
        before = received()
        wait_until("%d more advertisements" % n, lambda: received() - before, lambda more: more >= n, within=30)

    wait_until("the master to be heard", received, within=20)
    wait_state(daemon, "BACKUP")
    usual = sockets()
    busy.hold()
    stopped = [daemon.pid, *daemon.role_pids("vrrp")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        site.r2.namespace.ip(*["link set lo alias %s%d" % ("x" * 200, n % 2) for n in range(9000)])
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
    daemon.wait_log("notifications about interfaces were lost")
    wait_until("a second socket", sockets, lambda n: n == usual + 1)
    hears(8)
    busy.release()
    wait_until("one socket", sockets, lambda n: n == usual)
    hears(4)
    assert daemon.state("one") == "BACKUP" and daemon.vrrp("one")["became_master"] == 0
