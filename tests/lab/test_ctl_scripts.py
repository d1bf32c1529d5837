# SPDX-License-Identifier: GPL-2.0-or-later
"""The script role in the real daemon: checks that decide, notifications in order, users, time limits, refusals."""

import os
import signal
import socket
import stat

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.daemons import program
from poiselab.process import descendants, process_table
from poiselab.site import VIP

NOTIFY = """#!/bin/sh
echo "$(id -un) $*" >> %s
"""


def script(site, name, text, mode=0o755):
    os.chmod(site.folder, 0o755)
    path = os.path.join(site.folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def router(checks="", more="", globals_="script_user root", priority=150):
    return ("global_defs {\n\trouter_id lb\n\t%s\n}\n" % globals_ + checks +
            instance("front", "front", 51, VIP + "/24", priority=priority, more=more))


def check(command, name="chk", more=""):
    return "vrrp_script %s {\n\tscript \"%s\"\n\tinterval 1\n\t%s\n}\n" % (name, command, more)


TRACK = "track_script {\n\tchk\n}"


def result(poised, name="chk"):
    return next((s for s in poised.status().get("scripts", []) if s["name"] == name), {})


def lines(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def test_a_check_decides_and_says_why(site):
    flag = os.path.join(site.folder, "fail")
    path = script(site, "chk.sh", "#!/bin/sh\ntest ! -e %s || { echo \"$1 is there\" >&2; exit 3; }\n" % flag)
    poised = site.r1.poised(router(check(path + " flag", more="fall 2\n\trise 2"), TRACK))
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    assert result(poised)["result"] == "good"
    open(flag, "w", encoding="utf-8").close()
    wait_until("a fault", lambda: poised.state("front"), lambda s: s == "FAULT")
    assert (result(poised)["result"], result(poised)["last_exit"], result(poised)["why"]) == (
        "bad", 3, "exit status 3: flag is there")
    os.unlink(flag)
    wait_until("master again", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)


def results(poised, cases):
    """Waits for every check to be bad; compares its reason with what the case wants."""
    for name, (_, reason) in cases.items():
        seen = wait_until("the result of " + name, lambda n=name: result(poised, n), lambda r: r.get("result") == "bad")
        assert reason in seen["why"], seen


def tracked(cases):
    return ("".join(check(command, name) for name, (command, _) in cases.items()),
            "track_script {\n%s}" % "".join("\t%s\n" % name for name in cases))


def test_what_cannot_run_is_a_failed_check_with_a_reason(site):
    cases = {
        "missing": (script(site, "missing.sh", "#!/bin/sh\n"), "No such file"),
        "plain": (script(site, "plain.sh", "#!/bin/sh\n"), "Permission denied"),
        "nobang": (script(site, "nobang.sh", "exit 0\n"), "names no interpreter"),
    }
    poised = site.r1.poised(router(*tracked(cases)))
    wait_until("the first results", lambda: [result(poised, name).get("result") for name in ("missing", "plain")],
               lambda seen: seen == ["good", "good"])
    os.unlink(cases["missing"][0])
    os.chmod(cases["plain"][0], 0o644)
    results(poised, cases)
    assert poised.state("front") in ("FAULT", "INIT")


def test_what_is_not_there_at_the_start_is_not_tracked_and_said(site):
    """As keepalived does it, which gives up on such a script: a file that serves today goes on serving."""
    cases = {"missing": ("/nonexistent/x", ""), "nothere": ("no-such-program -x", ""),
             "plain": (script(site, "plain.sh", "exit 0\n", 0o644), "")}
    poised = site.r1.poised(router(*tracked(cases)))
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    assert poised.log().count("nothing tracks this script") == len(cases)


def test_what_others_may_write_is_not_run_as_root(site):
    path = script(site, "weak.sh", "#!/bin/sh\nexit 0\n")
    cases = {"weak": (path, "refused as root (enable_script_security): /tmp can be written by others than root")}
    poised = site.r1.poised(router(*tracked(cases), "script_user root\n\tenable_script_security"))
    results(poised, cases)
    # The same script under another user is that user's own affair.
    poised.write(router(*tracked(cases), "script_user nobody\n\tenable_script_security"))
    poised.poisectl("reload")
    wait_until("a good result", lambda: result(poised, "weak").get("result"), lambda r: r == "good")


def test_a_check_that_hangs_is_ended_with_all_it_started(site):
    path = script(site, "hang.sh", "#!/bin/sh\ntrap '' TERM\nsleep 987654 &\nsleep 987655\n")
    poised = site.r1.poised(router(check(path, more="timeout 1"), TRACK))
    wait_until("bad", lambda: result(poised), lambda r: r.get("result") == "bad")
    assert result(poised)["why"] == "no result within 1000 ms" and result(poised)["last_exit"] == -1001
    wait_until("a second run", lambda: result(poised)["runs"], lambda n: n >= 3)
    mine = poised.family()
    sleepers = [pid for pid in process_table() if command_of(pid)[:1] == ["sleep"] and command_of(pid)[1][:5] == "98765"
                and os.readlink("/proc/%d/ns/net" % pid) == os.readlink("/proc/%d/ns/net" % mine[-1])]
    assert len(sleepers) <= 2  # of the run that is under way


def command_of(pid):
    try:
        with open("/proc/%d/cmdline" % pid, encoding="utf-8") as f:
            return f.read().split("\0")
    except OSError:
        return []


def test_notifications_in_order_with_their_arguments_and_user(site):
    log = os.path.join(site.folder, "notify.log")
    path = script(site, "notify.sh", NOTIFY % log)
    open(log, "w", encoding="utf-8").close()
    os.chmod(log, 0o666)
    more = ("notify_backup \"%s b\"\nnotify_master \"%s m\"\nnotify_stop \"%s s\" nobody\nnotify \"%s any one\"" %
            (path, path, path, path))
    poised = site.r1.poised(router(more=more))
    wait_until("both scripts of the master", lambda: lines(log), lambda seen: len(seen) == 4, within=15)
    assert lines(log) == ["root b", "root any one INSTANCE front BACKUP 150", "root m",
                          "root any one INSTANCE front MASTER 150"]
    poised.stop()
    wait_until("the scripts of the stop", lambda: lines(log)[4:], lambda seen: len(seen) == 2)
    assert sorted(lines(log)[4:]) == sorted(["nobody s", "root any one INSTANCE front STOP 150"])


def test_a_slow_notification_delays_its_own_instance_only(site):
    log = os.path.join(site.folder, "notify.log")
    slow = script(site, "slow.sh", "#!/bin/sh\necho \"begin $*\" >> %s\nsleep 2\necho \"end $*\" >> %s\n" % (log, log))
    quick = script(site, "quick.sh", NOTIFY % log)
    text = (router(more="notify \"%s\"" % slow) +
            instance("other", "front", 52, VIP[:-1] + "7/24", priority=150, more="notify \"%s\"" % quick))
    poised = site.r1.poised(text)
    seen = wait_until("the quick one", lambda: lines(log), lambda s: "root INSTANCE other BACKUP 150" in s)
    assert "end INSTANCE front BACKUP 150" not in seen
    wait_until("the slow one", lambda: lines(log), lambda s: "end INSTANCE front MASTER 150" in s, within=20)
    mine = [line for line in lines(log) if " front " in line]
    assert mine == ["begin INSTANCE front BACKUP 150", "end INSTANCE front BACKUP 150",
                    "begin INSTANCE front MASTER 150", "end INSTANCE front MASTER 150"]
    assert poised.running()


def test_results_survive_the_death_of_the_role_and_a_reload(site):
    path = script(site, "chk.sh", "#!/bin/sh\nexit 0\n")
    poised = site.r1.poised(router(check(path), TRACK))
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    since = result(poised)["since"]
    os.kill(poised.role_pids("script")[0], signal.SIGKILL)
    wait_until("the role again", lambda: result(poised).get("result"), lambda r: r == "good")
    poised.write(router(check(path), TRACK, priority=140))
    poised.poisectl("reload")
    assert (result(poised)["result"], result(poised)["since"]) == ("good", since)
    assert poised.state("front") == "MASTER"
    assert stat.S_ISREG(os.stat(path).st_mode)


def program_of(pid):
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except FileNotFoundError:
        return None  # it ended meanwhile


def script_unit(site):
    """(what starts the script role for a connection, as systemd does; its socket)"""
    socket = site.r1.path("script.socket")
    unit = site.r1.start("unit", ["systemd-socket-activate", "--accept", "--seqpacket", "--listen", socket,
                                  program("daemon/script/poise-script"), "--unit"])
    wait_until("the socket", lambda: os.path.exists(socket))
    return unit, socket


def test_a_unit_of_its_own_runs_the_scripts(site):
    """As under systemd: the role is started for a connection, and the end of either side is the end of the other."""
    log = os.path.join(site.folder, "notified")
    notify = script(site, "notify.sh", NOTIFY % log)
    unit, socket = script_unit(site)
    poised = site.r1.poised(router(check("/bin/true"), TRACK + "\n\tnotify \"%s\"" % notify), "--script-socket",
                            socket)
    wait_until("the notification of a master", lambda: [line for line in lines(log) if "MASTER" in line], within=15)
    assert result(poised)["result"] == "good"

    def far():
        """The role's processes on the unit's side."""
        return [pid for pid in descendants(unit.popen.pid)[1:] if program_of(pid) == "poise-script"]

    first = wait_until("one role in the unit", far, lambda seen: len(seen) == 1)
    relay = poised.role_pids("script")
    os.kill(first[0], signal.SIGKILL)
    second = wait_until("another role", far, lambda seen: len(seen) == 1 and seen != first)
    wait_until("another relay", lambda: poised.role_pids("script"), lambda seen: seen and seen != relay)
    wait_until("its result", lambda: result(poised).get("result"), lambda seen: seen == "good")
    # hung: the daemon ends its relay, and the kernel the role
    os.kill(second[0], signal.SIGSTOP)
    wait_until("the hung role's end", far, lambda seen: seen and second[0] not in seen, within=30)
    wait_until("its result", lambda: result(poised).get("result"), lambda seen: seen == "good")
    assert poised.state("front") == "MASTER"
    poised.stop()
    wait_until("nobody left", far, lambda seen: not seen)


# ---- startup_script and shutdown_script ----

# Writes when it begins and ends, and whether the virtual address is there.
HOOK = """#!/bin/sh
ip -o addr show | grep -q " %s/" && there=there || there=absent
echo "$1: address $there" >>%s
%s
echo "$1 ends" >>%s
exit $2
"""


def hooks(site, startup="", shutdown="", status=0, timeout=60):
    """(configuration of a router with both, file that they write to)"""
    log = site.r1.path("hooks")
    words = ["script_user root"]
    for name, body in (("startup", startup), ("shutdown", shutdown)):
        path = script(site, name + ".sh", HOOK % (VIP, log, body, log))
        words += ["%s_script \"%s %s %d\"" % (name, path, name, status), "%s_script_timeout %d" % (name, timeout)]
    return router(globals_="\n\t".join(words), priority=255), log


@pytest.mark.parametrize("runner", ["child", "unit"])
def test_startup_and_shutdown_scripts(site, runner):
    """Nothing is sent before startup_script has ended, nothing stands any more when shutdown_script begins, and a reload
    runs neither."""
    gate = site.r1.path("gate")
    text, log = hooks(site, startup="while ! test -e %s; do sleep 0.1; done" % gate)
    poised = site.r1.poised(text, *(["--script-socket", script_unit(site)[1]] if runner == "unit" else []))
    wait_until("startup_script", lambda: lines(log), lambda found: found == ["startup: address absent"])
    # The other processes answer meanwhile, and say what vrrp waits for.
    wait_until("the reason", lambda: next((r["why"] for r in poised.status().get("roles", []) if r["name"] == "vrrp"), ""),
               lambda why: why == "waits for startup_script")
    assert not any(VIP in a for a in site.r1.addresses()) and poised.role_pids("vrrp") == []
    open(gate, "w", encoding="utf-8").close()
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    poised.poisectl("reload")
    poised.stop()
    assert lines(log) == ["startup: address absent", "startup ends", "shutdown: address absent", "shutdown ends"]


def test_a_start_after_a_stop_runs_the_startup_script_again(site):
    text, log = hooks(site)
    for _ in range(2):
        poised = site.r1.poised(text)
        wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
        poised.stop()
    assert lines(log) == 2 * ["startup: address absent", "startup ends", "shutdown: address absent", "shutdown ends"]


def test_failing_startup_and_shutdown_scripts(site):
    """They fail; that is said, and everything goes on."""
    text, log = hooks(site, status=3)
    poised = site.r1.poised(text)
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    poised.stop()
    assert lines(log) == ["startup: address absent", "startup ends", "shutdown: address absent", "shutdown ends"]
    for name in ("startup", "shutdown"):
        assert "%s_script: exit status 3: going on without" % name in poised.log()


def test_hanging_startup_and_shutdown_scripts(site):
    """They are waited for as long as the configuration says, and then ended."""
    text, log = hooks(site, startup="exec sleep 600", shutdown="exec sleep 600", timeout=2)
    poised = site.r1.poised(text)
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    poised.stop()
    assert lines(log) == ["startup: address absent", "shutdown: address absent"]
    for name in ("startup", "shutdown"):
        assert "%s_script: no result within 2000 ms: going on without" % name in poised.log()


def test_a_crash_does_not_wait_for_the_startup_script(site):
    """After kill -9 of the whole daemon the heartbeat begins at once, though the script would hang now."""
    gate = site.r1.path("gate")
    text, log = hooks(site, startup="while ! test -e %s; do sleep 0.1; done" % gate, timeout=600)
    open(gate, "w", encoding="utf-8").close()
    poised = site.r1.poised(text)
    wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    os.unlink(gate)
    poised.kill()
    poised = site.r1.poised(text)
    wait_until("master again", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
    assert lines(log) == ["startup: address absent", "startup ends"]
    assert "startup_script: not run again" in poised.log()


def test_the_service_manager_hears_how_long_the_shutdown_script_may_take(site):
    """It is asked for the time of the script before that begins, and is told of no other end."""
    gate, path = site.r1.path("gate"), site.r1.path("notify")
    text, log = hooks(site, shutdown="while ! test -e %s; do sleep 0.1; done" % gate, timeout=300)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(30)
        poised = site.r1.poised(text, env={"NOTIFY_SOCKET": path})
        wait_until("master", lambda: poised.state("front"), lambda s: s == "MASTER", within=15)
        os.kill(poised.pid, signal.SIGTERM)
        said = []
        while not any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in said):
            said += manager.recv(4096).decode().split("\n")
        wait_until("shutdown_script", lambda: lines(log)[-1:], lambda found: found == ["shutdown: address absent"])
        assert poised.running()
        open(gate, "w", encoding="utf-8").close()
        wait_until("the end", poised.running, lambda seen: not seen, within=15)
    assert said.index("READY=1") < said.index("STOPPING=1") < len(said) - 1
    assert int(said[-1].partition("=")[2]) >= 300 * 1000000
