# SPDX-License-Identifier: GPL-2.0-or-later
"""The parent in trouble: whom it depends on is slow, full, stopped or gone. Needs no IPVS."""

import os
import signal
import subprocess
import time

from poiselab import wait_until
from poiselab.configs import EVERY_ROLE, TCP_CHECK, instance, service
from poiselab.daemons import TOP, build_folder
from poiselab.dead_server import DeadServer
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
    # Some have only just begun, and ignore what they will ignore: that is a part of it.
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN, signal.SIGRTMIN + 2, signal.SIGRTMAX):
        for pids in before.values():
            os.kill(pids[0], number)
    daemon.wait_log("User defined signal 2: nothing is dumped: poisectl status --json")
    daemon.poisectl("reload")
    assert {role: daemon.role_pids(role) for role in roles} == before
    assert daemon.vrrp("one")["became_master"] == 1


def test_a_role_that_was_stopped_sees_what_came_meanwhile(site):
    """More doorbells than its queue holds, and the board of a new process and a reload among what did not fit."""
    flip = site.r1.path("flip")
    text = "vrrp_track_file flip {\n\tfile %s\n\tinit_file 0\n}\n" % flip
    daemon = site.r1.poised(text + one(200, more="track_file {\n\tflip weight 1\n}") +
                            service(["127.0.0.1"], address="127.0.0.9", check=TCP_CHECK, delay=1))

    def runs():
        checks = daemon.server("127.0.0.1").get("checks", [])
        return checks[0]["runs"] if checks else 0

    wait_until("a check to have run", runs)
    control, health = daemon.role_pids("control"), daemon.role_pids("healthcheck")
    os.kill(control[0], signal.SIGSTOP)
    try:
        for number in range(1000):
            with open(flip, "w", encoding="ascii") as f:
                f.write("%d\n" % (number % 2))
            time.sleep(0.001)
        daemon.signal(signal.SIGHUP)
        wait_until("the reload", lambda: "generation 2:" in daemon.log())
        kill(health)
        wait_until("another health checker", lambda: daemon.role_pids("healthcheck"), lambda now: now and now != health)
    finally:
        if daemon.role_pids("control") == control:
            os.kill(control[0], signal.SIGCONT)
    seen = wait_until("an answer", runs)
    wait_until("the runs of the new health checker", runs, lambda n: n > seen + 1)
    assert daemon.status()["generation"] == 2
    # That it was full is no reason to kill it.
    assert not [line for line in daemon.log().splitlines() if "control: killed" in line and "beat" not in line]


def test_a_stop_in_the_middle_of_a_reload_starts_nothing(site):
    """The last vote comes when the roles that have it behind them are stopped already."""
    daemon = site.r1.poised(one(100, advert=40) + EVERY_ROLE)
    wait_state(daemon, "BACKUP")
    ipvs = wait_until("the ipvs role", lambda: daemon.role_pids("ipvs"))
    os.kill(ipvs[0], signal.SIGSTOP)
    daemon.signal(signal.SIGHUP)
    end = time.monotonic() + 0.7
    wait_until("the vote to be asked for", time.monotonic, lambda now: now >= end)
    daemon.signal(signal.SIGTERM)
    wait_until("vrrp to have stopped", lambda: daemon.role_pids("vrrp"), lambda pids: not pids)
    os.kill(ipvs[0], signal.SIGCONT)
    assert wait_until("the end", daemon.popen.poll, lambda code: code is not None) == 0
    assert "generation 2:" not in daemon.log()


SLOW_DIRECTORY = """
#include <pwd.h>
#include <unistd.h>
struct passwd *getpwuid(uid_t uid)
{
	(void)uid;
	for (;;)
		pause();
}
"""


def test_a_directory_of_users_that_does_not_answer(site):
    """Who a client is called may be known to a directory in the network: the parent does not ask it."""
    shim = site.r1.path("slow.so")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=SLOW_DIRECTORY, text=True, check=True)
    daemon = site.r1.poised(one() + EVERY_ROLE, env={"LD_PRELOAD": shim})
    wait_state(daemon, "MASTER")
    daemon.poisectl("drain", "127.0.0.1:80")
    daemon.poisectl("reload")
    daemon.wait_log("reload asked for by root")


SLOW_DISK = """
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int fd)
{
	while (access(getenv("LAB_STUCK"), F_OK) == 0)
		usleep(10000);
	return (int)syscall(SYS_fsync, fd);
}
"""


def test_a_disk_that_takes_its_time(site):
    """What operators want of servers is written down before they are told that it is done, but not at any price."""
    shim, stuck, intent = site.r1.path("slow.so"), site.r1.path("stuck"), site.r1.path("run/intent")

    def written():
        with open(intent, encoding="utf-8") as f:
            return f.read()

    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=SLOW_DISK, text=True, check=True)
    daemon = site.r1.poised(one() + EVERY_ROLE, env={"LD_PRELOAD": shim, "LAB_STUCK": stuck})
    wait_state(daemon, "MASTER")
    daemon.poisectl("weight", "127.0.0.1:80", "7")
    assert "\tnormal\t7\t" in written()
    with open(stuck, "w", encoding="ascii"):
        pass
    daemon.poisectl("drain", "127.0.0.1:80")
    daemon.wait_log("intent: the disk takes its time: what poisectl was told is not written yet")
    daemon.poisectl("maint", "127.0.0.1:80")
    daemon.poisectl("reload")
    assert "\tnormal\t7\t" in written() and daemon.server("127.0.0.1")["admin"] == "maint"
    os.unlink(stuck)
    wait_until("the last word to be written", written, lambda text: "\tmaint\t7\t" in text)
    assert daemon.stop() == 0


def test_a_heartbeat_that_cannot_run_gives_its_addresses_up(site, monkeypatch):
    """Its program fails at each start. The pauses between the starts are shorter than the neighbour's patience, and no
    kernel lifetime helps."""
    real, tree, mark = build_folder(), site.r1.path("tree"), site.r1.path("broken")
    for name in ("daemon/config/poise-config", "daemon/control/poise-control", "daemon/script/poise-script",
                 "ipvs/poise-ipvs", "healthcheck/poise-healthcheck", "ctl/poisectl"):
        os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
        os.symlink(os.path.join(real, name), os.path.join(tree, name))
    for folder in ("daemon", "vrrp"):
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
    subprocess.run(["cp", os.path.join(real, "daemon/poised"), os.path.join(tree, "daemon/poised")], check=True)
    vrrp = os.path.join(tree, "vrrp/poise-vrrp")
    with open(vrrp, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n[ -e %s ] && [ \"$1\" != --release ] && exit 1\nexec %s/vrrp/poise-vrrp \"$@\"\n" % (mark, real))
    os.chmod(vrrp, 0o755)
    monkeypatch.setenv("POISE_BUILD", tree)
    daemon = site.r1.poised("global_defs {\n\taddress_lifetime 0\n}\n" + one(advert=2))
    wait_until("the address", lambda: site.holders(VIP))
    with open(mark, "w", encoding="ascii"):
        pass
    kill(daemon.role_pids("vrrp"))
    wait_until("the address to be given up", lambda: site.holders(VIP), lambda seen: not seen, within=30)
    daemon.wait_log("a neighbour takes over, our virtual addresses are taken away")
    os.unlink(mark)
    wait_until("the address again", lambda: site.holders(VIP), within=30)


def test_a_run_directory_that_is_full(site):
    """What is kept there is for the next daemon; this one works without."""
    run = site.r1.path("run")
    os.makedirs(run)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "full", run], check=True)
    try:
        with open(os.path.join(run, "filler"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        daemon = site.r1.poised(one())
        wait_state(daemon, "MASTER")
        vrrp = daemon.role_pids("vrrp")
        daemon.wait_log("the last heartbeats cannot be kept: No space left on device")
        daemon.poisectl("reload")
        assert daemon.role_pids("vrrp") == vrrp and site.holders(VIP) == ["r1"]
        daemon.stop()
    finally:
        subprocess.run(["umount", "-l", run], check=True)


def test_many_notifications_at_one_moment(site):
    """Everything moves at once while the parent has no time: each script is run."""
    count = 400
    told = site.r1.path("told")
    os.makedirs(told)
    text = "".join(instance("v%d" % n, ("front", "back")[n % 2], 1 + n // 2, "10.9.%d.%d/32" % (n // 100, 1 + n % 100),
                            priority=100, more="version 3\nnotify_master \"/usr/bin/touch %s/%d\"" % (told, n))
                   for n in range(count))
    daemon = site.r1.poised("global_defs {\n\tscript_user root\n}\n" + text)

    def states():
        return {entry["state"] for entry in daemon.status().get("vrrp", [])}

    wait_until("all to be backup", states, lambda seen: seen == {"BACKUP"}, within=20)
    daemon.signal(signal.SIGSTOP)
    try:
        wait_until("all to be master", states, lambda seen: seen == {"MASTER"}, within=20)
    finally:
        daemon.signal(signal.SIGCONT)
    wait_until("all scripts", lambda: len(os.listdir(told)), lambda n: n == count, within=60)


KILLED_READER = """
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
static void __attribute__((constructor)) out_of_memory(void)
{
	if (strcmp(program_invocation_short_name, "poise-config") == 0)
		raise(SIGKILL);
}
"""


def test_only_a_refused_file_ends_all_tries(site):
    """systemd does not start again what ended with 78: that memory was short at one moment is not such an end."""
    shim = site.r1.path("killed.so")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=KILLED_READER, text=True, check=True)
    for environment, configuration, status in (({"LD_PRELOAD": shim}, one(), 1), ({}, "vrrp_instance x { }\n", 78)):
        daemon = site.r1.poised(configuration, env=environment)
        assert wait_until("the end", daemon.popen.poll, lambda code: code is not None) == status, daemon.log()


NO_MEMORY_TO_WATCH = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_pidfd_open && access(getenv("LAB_SHORT"), F_OK) == 0) {
		errno = ENOMEM;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
"""


def test_a_role_whose_end_cannot_be_watched_is_started_again(site):
    """Memory is short just when a role is started: it is tried until it can be had."""
    shim, short = site.r1.path("short.so"), site.r1.path("short")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=NO_MEMORY_TO_WATCH, text=True,
                   check=True)
    daemon = site.r1.poised(one() + EVERY_ROLE, env={"LD_PRELOAD": shim, "LAB_SHORT": short})
    wait_state(daemon, "MASTER")

    def become_short(role):
        old = wait_until("the process of " + role, lambda: daemon.role_pids(role))
        with open(short, "w", encoding="ascii"):
            pass
        os.kill(old[0], signal.SIGKILL)
        daemon.wait_log("%s: killed: its end cannot be watched for" % role)
        return old

    old = become_short("control")
    os.unlink(short)
    wait_until("another control role", lambda: daemon.role_pids("control"), lambda new: new and new != old, within=20)
    wait_until("an answer", lambda: daemon.status().get("generation"), within=20)
    become_short("snmp")
    os.unlink(short)
    assert daemon.stop() == 0


DEAF_DIRECTORY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
struct passwd *getpwnam(const char *name)
{
	struct passwd *(*next)(const char *) = (struct passwd *(*)(const char *))dlsym(RTLD_NEXT, "getpwnam");

	while (access(getenv("LAB_DEAF"), F_OK) == 0)
		usleep(10000);
	return next(name);
}
"""


def user_of(pid):
    """0 for one that has just ended, too."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("Uid:"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_a_role_begins_again_while_the_directory_of_users_does_not_answer(site):
    """Who the roles run as was looked up once, when the daemon began."""
    shim, deaf = site.r1.path("deaf.so"), site.r1.path("deaf")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=DEAF_DIRECTORY, text=True, check=True)
    daemon = site.r1.poised(one() + service(["127.0.0.1"], address="127.0.0.9", check=TCP_CHECK),
                            env={"LD_PRELOAD": shim, "LAB_DEAF": deaf})
    wait_state(daemon, "MASTER")
    with open(deaf, "w", encoding="ascii"):
        pass
    for role in ("vrrp", "healthcheck", "ipvs"):
        old = wait_until("the process of " + role, lambda: daemon.role_pids(role))
        os.kill(old[0], signal.SIGKILL)
        wait_until("another process of %s, without root's rights" % role, lambda: daemon.role_pids(role),
                   lambda new: new and new != old and user_of(new[0]) != 0)
    wait_state(daemon, "MASTER")


SLOW_FILES = """
#include <glob.h>
#include <sys/time.h>
unsigned alarm(unsigned seconds)
{
	struct itimerval soon = {.it_value.tv_usec = 10000 * seconds};
	return (unsigned)setitimer(ITIMER_REAL, &soon, 0);
}
int glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *found)
{
	(void)pattern, (void)flags, (void)on_error, (void)found;
	for (;;)
		;
}
"""


def test_files_that_cannot_be_read(site):
    """An include on a file server that does not answer: the reload ends, and the next one is not one too many."""
    shim = site.r1.path("slow.so")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-o", shim, "-"], input=SLOW_FILES, text=True, check=True)
    daemon = site.r1.poised(one(), env={"LD_PRELOAD": shim})
    wait_state(daemon, "MASTER")
    daemon.write("include far/*.conf\n" + one())
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("could not be read in time")
    daemon.write(one())
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("generation 3:")


def test_nothing_is_left_behind_when_nobody_follows(site):
    """What runs after poised under systemd, by how it ended: a crash is followed, a refused file is not."""
    folder = site.r1.path("libexec")
    os.mkdir(folder)
    for role in ("vrrp", "ipvs"):
        with open(os.path.join(folder, "poise-" + role), "w", encoding="ascii") as f:
            f.write("#!/bin/sh\necho %s $*\n" % role)
        os.chmod(f.name, 0o755)
    with open(os.path.join(TOP, "etc/release-leftovers.in"), encoding="utf-8") as f:
        script = f.read().replace("@pkglibexecdir@", folder)
    ledger = os.path.join(folder, "ledger.vrrp")
    with open(ledger, "w", encoding="ascii") as f:
        f.write("x")
    for result, status, releases in (("success", "0", True), ("timeout", "KILL", True), ("exit-code", "78", True),
                                     ("exit-code", "1", False), ("signal", "SEGV", False), ("watchdog", "ABRT", False)):
        environment = {"RUNTIME_DIRECTORY": folder, "SERVICE_RESULT": result, "EXIT_STATUS": status}
        said = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
        assert said == ("vrrp --release --ledger %s\n" % ledger if releases else ""), (result, status)


def test_an_empty_file_takes_nothing_away(site):
    """A reload may come while somebody writes the file; who means it says so."""
    daemon = site.r1.poised(one())
    wait_state(daemon, "MASTER")
    daemon.write("! nothing yet\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("no virtual router and no virtual server is left in the file")
    assert daemon.state("one") == "MASTER" and daemon.status()["generation"] == 1
    assert daemon.status()["configuration"]["last_reload_ok"] is False
    asked = daemon.poisectl("reload", check=False)
    assert asked.returncode == 1 and "is left in the file" in asked.stderr and "--allow" in asked.stderr
    assert daemon.poisectl("plan", check=False).returncode == 5
    assert daemon.poisectl("apply", daemon.conf_path, check=False).returncode == 1
    assert daemon.state("one") == "MASTER" and daemon.status()["generation"] == 1
    daemon.poisectl("reload", "--allow")
    wait_until("the file to count", lambda: daemon.status().get("vrrp"), lambda seen: seen == [])


def test_a_reload_from_a_file_server_that_is_away(site):
    """The process that reads the configuration waits, for a while; the parent looks after the roles all the same."""
    folder = site.r1.path("share")
    os.mkdir(folder)
    daemon = site.r1.poised(one())
    wait_state(daemon, "MASTER")
    with open(os.path.join(folder, "keepalived.conf"), "w", encoding="utf-8") as f:
        f.write(one())
    os.rename(daemon.conf_path, daemon.conf_path + ".old")
    os.symlink(os.path.join(folder, "keepalived.conf"), daemon.conf_path)
    dead = DeadServer(folder)
    try:
        vrrp = daemon.role_pids("vrrp")
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("reload asked for by signal")
        kill(vrrp)
        daemon.wait_log("vrrp one: init -> master: restarted")
        wait_state(daemon, "MASTER")
        assert daemon.status()["configuration"]["disk"] == "unknown"
    finally:
        dead.close()
    wait_until("the end of the reload", lambda: "configuration: refused" in daemon.log() or "generation 2:" in daemon.log(),
               within=20)
    assert daemon.stop() == 0


def test_the_reader_that_stands_by(site, monkeypatch):
    """It reads for the next reload. One that was killed costs nothing, and one of a program that has been replaced
    meanwhile is not asked: the new one is."""
    real, tree, mark = build_folder(), site.r1.path("tree"), site.r1.path("new")
    for folder in ("vrrp", "ipvs", "healthcheck", "ctl", "daemon/control", "daemon/script"):
        os.makedirs(os.path.dirname(os.path.join(tree, folder)), exist_ok=True)
        os.symlink(os.path.join(real, folder), os.path.join(tree, folder))
    os.makedirs(os.path.join(tree, "daemon/config"))
    reader = os.path.join(tree, "daemon/config/poise-config")
    for name in ("daemon/poised", "daemon/config/poise-config"):
        subprocess.run(["cp", os.path.join(real, name), os.path.join(tree, name)], check=True)
    monkeypatch.setenv("POISE_BUILD", tree)
    daemon = site.r1.poised(one(100))
    wait_state(daemon, "MASTER")

    def standing(but=None):
        return wait_until("a reader that stands by", lambda: daemon.role_pids("config"),
                          lambda pids: len(pids) == 1 and pids[0] != but)[0]

    def reload(priority):
        daemon.write(one(priority))
        daemon.poisectl("reload")
        assert daemon.vrrp("one")["priority"] == priority

    def confined():
        with open("/proc/%d/status" % first, encoding="ascii") as f:
            status = f.read()
        return "\nNoNewPrivs:\t1\n" in status and "\nSeccomp:\t2\n" in status and "\nUid:\t0\t" not in status

    first = standing()
    wait_until("its privileges to be dropped", confined)
    assert sorted(os.listdir("/proc/%d/fd" % first)) == ["0", "1", "2"]
    assert os.readlink("/proc/%d/fd/0" % first).startswith("socket:")
    reload(101)
    second = standing(but=first)
    os.kill(second, signal.SIGKILL)
    wait_until("its end", lambda: daemon.role_pids("config"), lambda pids: not pids)
    reload(102)
    third = standing(but=second)
    # What is wrong with a file is told as by any reader.
    daemon.write("vrrp_instance x { }\n")
    assert daemon.poisectl("reload", check=False).returncode == 1
    daemon.wait_log("keepalived.conf:1:")
    fourth = standing(but=third)
    with open(reader + ".new", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n: > %s\nexec %s/daemon/config/poise-config \"$@\"\n" % (mark, real))
    os.chmod(reader + ".new", 0o755)
    os.rename(reader + ".new", reader)
    reload(103)
    assert os.path.exists(mark)
    last = standing(but=fourth)
    os.kill(daemon.pid, signal.SIGKILL)
    wait_until("it to go with the daemon", lambda: os.path.exists("/proc/%d" % last), lambda there: not there)
