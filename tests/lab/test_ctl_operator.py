# SPDX-License-Identifier: GPL-2.0-or-later
"""poisectl and the control role as an operator meets them: looking, draining, being refused, and doing harm."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, instance, nat_site, pair, service
from poiselab.daemons import program
from poiselab.site import BACK4, FRONT4, VIP

SERVERS = [BACK4 + str(i + 11) for i in range(3)]


def web(priority=150, *, check=TCP_CHECK, **more):
    return nat_site(priority, check=check, **more)


def started(router, configuration):
    """poised, answering, with nothing missing but perhaps the kernel."""
    poised = router.poised(configuration)
    wait_until("poised to answer", lambda: poised.status().get("generation"), within=15)
    return poised


def settled(poised):
    """poised with every check run once."""
    wait_until("every server to be known", lambda: [s["health"] for v in poised.status()["services"] for s in v["servers"]],
               lambda seen: seen and "unknown" not in seen, within=15)
    return poised


def test_status_has_what_others_rely_on(site):
    poised = settled(started(site.r1, web(globals_="router_id lb1")))
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    status = poised.status()
    assert {"node", "version", "generation", "vrrp", "services", "roles", "kernel", "problems",
            "services_programmed"} <= set(status)
    front = poised.vrrp("front")
    assert {"name", "state", "interface", "vrid", "priority", "effective_priority", "since", "why",
            "addresses"} <= set(front)
    assert front["addresses"] == [VIP]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", front["since"])
    assert front["why"]
    entry = status["services"][0]
    assert {"address", "port", "protocol", "scheduler", "forwarding", "quorum", "servers"} <= set(entry)
    assert (entry["address"], entry["port"], entry["protocol"], entry["forwarding"]) == (VIP, 80, "tcp", "nat")
    assert entry["quorum"] is False  # no server listens
    for server in entry["servers"]:
        assert {"address", "port", "weight", "effective_weight", "health", "admin", "active", "inactive",
                "why"} <= set(server)
        assert server["health"] == "down" and server["admin"] == "normal" and "refused" in server["why"]


def test_the_table_fits_80_columns_and_is_plain_in_a_pipe(site):
    poised = settled(started(site.r1, web()))
    table = poised.poisectl("status").stdout
    assert max(len(line) for line in table.splitlines()) <= 80
    assert "\033" not in table
    for word in ["front", "back", VIP, *SERVERS, "down"]:
        assert word in table


def test_drain_undrain_maint_ready_weight(site):
    poised = settled(started(site.r1, web()))
    poised.poisectl("drain", SERVERS[0])
    assert poised.server(SERVERS[0])["admin"] == "drain"
    assert "drained by root (pid " in poised.server(SERVERS[0])["why"]
    assert poised.server(SERVERS[1])["admin"] == "normal"
    poised.poisectl("undrain", SERVERS[0] + ":80")
    assert poised.server(SERVERS[0])["admin"] == "normal"
    poised.poisectl("maint", SERVERS[1], "--service", VIP + ":80")
    assert poised.server(SERVERS[1])["admin"] == "maint"
    poised.poisectl("ready", SERVERS[1])
    assert poised.server(SERVERS[1])["admin"] == "normal"
    poised.poisectl("weight", SERVERS[2], "7")
    assert poised.server(SERVERS[2])["admin_weight"] == 7
    poised.poisectl("weight", SERVERS[2], "default")
    assert "admin_weight" not in poised.server(SERVERS[2])


@pytest.mark.parametrize("words, status, message", [
    (["drain", "10.9.9.9"], 1, "poisectl: 10.9.9.9: no service has this server"),
    (["drain", SERVERS[0], "--service", "192.0.2.77:80"], 1, "192.0.2.77:80: no such service"),
    (["drain"], 2, "usage: poisectl drain"),
    (["drain", SERVERS[0], "--wait", "--timeout", "soon"], 2, "--timeout soon"),
    (["drain", SERVERS[0], "--follow"], 2, "drain has no --follow"),
    (["weight", SERVERS[0], "heavy"], 2, "weight heavy"),
    (["weight", SERVERS[0], "-1"], 2, "-1: no such option"),
    (["drain", SERVERS[0], "--time-out", "5"], 2, "--time-out: no such option: did you mean --timeout?"),
    (["events", "--since"], 2, "--since needs a value"),
    (["events", "--since", "tomorrow"], 2, "--since tomorrow: use how long ago"),
    (["explode"], 2, "explode: no such command"),
    (["drian", SERVERS[0]], 2, "drian: no such command: did you mean 'poisectl drain'?"),
    (["drain", SERVERS[0], "--then", "reset"], 2, "--then reset needs to know when"),
    (["drain", SERVERS[0], "--then", "explode"], 2, "use keep, reset or remove"),
    (["drain", SERVERS[0], "--self"], 2, "drain --self is about the whole node"),
    (["why", "nothing"], 1, "nothing: no virtual router"),
    ([], 2, "what shall be done?"),
])
def test_refusals_say_what_is_wrong(site, words, status, message):
    done = started(site.r1, web()).poisectl(*words, check=False)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""


def test_without_a_daemon_it_says_so(site):
    done = subprocess.run([program("ctl/poisectl"), "-r", site.r1.path("nowhere"), "status"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ("poisectl: %s/control.sock: no such file: poised is not running, or runs with another -r\n"
                           % site.r1.path("nowhere"))


def test_a_stranger_may_look_but_not_change(site):
    poised = settled(started(site.r1, web()))
    os.chmod(site.folder, 0o755)
    os.chmod(os.path.join(poised.rundir, "control.sock"), 0o666)  # as for a member of the socket's group

    def ask(command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(poised.rundir, "control.sock"))
            s.sendall(json.dumps(command).encode() + b"\n")
            return json.loads(s.makefile().readline())

    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            look, change = ask({"command": "status"}), ask({"command": "drain", "server": SERVERS[0]})
            os._exit(0 if look["ok"] and not change["ok"] and change["reason"] == "denied" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert poised.server(SERVERS[0])["admin"] == "normal"
    poised.wait_log("refused: neither root nor in group poise-admin")


def test_a_bad_file_is_refused_with_its_line(site):
    poised = started(site.r1, web())
    before = poised.status()["generation"]
    poised.write(web() + "vrrp_instance bad {\n\tinterface front\n\tvirtual_router_id 999\n}\n")
    done = poised.poisectl("reload", check=False)
    assert done.returncode == 1
    assert re.search(r"keepalived\.conf:\d+:\d+: ", done.stderr) and "999" in done.stderr
    status = poised.status()
    assert status["generation"] == before
    assert status["configuration"]["last_reload_ok"] is False
    assert "configuration" in [problem["object"] for problem in status["problems"]]
    poised.write(web())
    poised.poisectl("reload")
    assert poised.status()["configuration"]["last_reload_ok"] is True


def test_a_drain_outlives_reload_and_restart(site):
    poised = started(site.r1, web())
    poised.poisectl("drain", SERVERS[1])
    poised.write(web().replace("weight 1", "weight 3"))
    poised.poisectl("reload")
    assert (poised.server(SERVERS[1])["admin"], poised.server(SERVERS[1])["weight"]) == ("drain", 3)
    poised.stop()
    poised = started(site.r1, web())
    assert poised.server(SERVERS[1])["admin"] == "drain"
    assert "drained by root" in poised.server(SERVERS[1])["why"]


def test_status_never_shows_two_generations_mixed(site):
    """Reloads under a stream of questions: no answer takes states from a board of another generation."""
    poised = started(site.r1, pair(150) + service(SERVERS, check=TCP_CHECK))
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    for priority in range(151, 161):
        poised.write(pair(priority) + service(SERVERS, check=TCP_CHECK))
        os.kill(poised.pid, signal.SIGHUP)
        end = time.monotonic() + 0.15
        while time.monotonic() < end:
            front = poised.vrrp("front")
            assert front["state"] == "MASTER", front
    wait_until("the last generation", lambda: poised.vrrp("front")["priority"], lambda p: p == 160)


def connect(poised):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.join(poised.rundir, "control.sock"))  # waits while too many others wait
    s.settimeout(10)
    return s


def test_hostile_clients_harm_nobody(site):
    poised = started(site.r1, web())
    roles = {role["name"]: role["pid"] for role in poised.status()["roles"]}
    for bytes_ in [b"\0" * 5000, b"[" * 4000 + b"\n", b"{}\n" * 2000, os.urandom(20000), b'{"command":"status"}']:
        with connect(poised) as s:
            try:
                s.sendall(bytes_)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
    # One that asks and asks and never reads.
    with connect(poised) as greedy:
        greedy.setblocking(False)
        try:
            for _ in range(100000):
                greedy.send(b'{"command":"status"}\n')
        except BlockingIOError:
            pass
        assert poised.status()["generation"] == 1
    # Many that say nothing: 256 get in, the others are told.
    crowd = [connect(poised) for _ in range(300)]
    assert "too many connections" in crowd[-1].makefile().readline()
    poised.wait_log("turned away: 256 clients are connected")
    for s in crowd[:50]:
        s.close()
    wait_until("room for a question", lambda: poised.status().get("generation"))
    for s in crowd[50:]:
        s.close()
    wait_until("no trace of the crowd", lambda: len(os.listdir("/proc/%d/fd" % roles["control"])), lambda n: n < 40)
    assert {role["name"]: role["pid"] for role in poised.status()["roles"]} == roles


def test_control_comes_back_and_follows_go_on(site):
    """Who follows sees what happens, through the death of the role and of the daemon, and nothing twice."""
    poised = started(site.r1, web())
    follower = site.r1.start("follower", [program("ctl/poisectl"), "-r", poised.rundir, "events", "--follow", "--json"])
    follower.wait_log("configuration")
    old = poised.role_pids("control")
    os.kill(old[0], signal.SIGKILL)
    wait_until("another control process", lambda: poised.role_pids("control"), lambda new: new and new != old)
    wait_until("an answer", lambda: poised.status().get("generation"), lambda g: g == 1)
    poised.poisectl("drain", SERVERS[0])
    follower.wait_log("drained by root")
    poised.stop()
    poised = started(site.r1, web())
    poised.poisectl("maint", SERVERS[1])
    follower.wait_log("taken out for maintenance by root")
    # (of its two streams one is a person's)
    lines = [line for line in follower.log().splitlines() if line.startswith("{") and "advertisements" not in line]
    assert len(lines) == len(set(lines))
    follower.signal(signal.SIGINT)
    wait_until("the follower to end", lambda: not follower.running())


def as_nobody(path, request, n, ready, go, start):
    """In a process of its own: n connections of a user without rights, each with a question and nobody who reads the answer.
    It says that it is ready, and ends when the other end of `go` (start) is closed."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.close(start)
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(n)]
        for s in crowd:
            s.connect(path)
            s.sendall(request)
        os.write(ready, b"r")
        os.read(go, 1)
        os._exit(0)
    finally:
        os._exit(1)


def test_answers_that_nobody_reads_take_little_memory(site):
    """Who asks and does not read cannot fill the memory, and who may change things is answered meanwhile."""
    many = "".join("virtual_server %s %d {\n\tlb_algo rr\n\tlb_kind NAT\n%s}\n" % (VIP, 1000 + s, "".join(
        "\treal_server 198.18.%d.%d 80 {\n\t}\n" % (s, r + 1) for r in range(100))) for s in range(25))
    poised = started(site.r1, pair(150) + many)
    path = os.path.join(poised.rundir, "control.sock")
    os.chmod(site.folder, 0o755)
    os.chmod(path, 0o666)  # as for a member of the socket's group
    size = len(poised.poisectl("status", "--json").stdout)
    pid, = poised.role_pids("control")

    def resident():
        with open("/proc/%d/status" % pid, encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024

    (ready, told), (go, start) = os.pipe(), os.pipe()
    child = as_nobody(path, b'{"command":"status"}\n', 60, told, go, start)
    os.close(told)
    try:
        assert os.read(ready, 1) == b"r"
        wait_until("the first of them to be answered", resident, lambda now: now > 4 * size, within=20)
        for _ in range(5):
            assert poised.poisectl("status", "--json").stdout
            assert resident() < 64 << 20 < 60 * size
    finally:
        os.close(start)
        os.waitpid(child, 0)
    wait_until("their memory to be free again", resident, lambda now: now < 10 * size + (8 << 20), within=20)
    assert poised.role_pids("control") == [pid]


def test_events_tell_the_story(site):
    poised = settled(started(site.r1, web()))
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    poised.poisectl("drain", SERVERS[0])
    events = [json.loads(line) for line in poised.poisectl("events", "--json").stdout.splitlines()]
    assert [e["time"] for e in events] == sorted(e["time"] for e in events)
    assert [(e["from"], e["to"]) for e in events if e["kind"] == "instance" and e["object"] == "front"][-1][1] == "MASTER"
    assert [e for e in events if e["kind"] == "admin" and e["to"] == "drain" and SERVERS[0] in e["object"]]
    follower = site.r1.start("follower", [program("ctl/poisectl"), "-r", poised.rundir, "events", "--follow"])
    follower.wait_log("drain")
    poised.poisectl("undrain", SERVERS[0])
    follower.wait_log("taken back by root")
    follower.signal(signal.SIGINT)
    wait_until("the follower to end", lambda: not follower.running())


def heard(poised, sender):
    """The steady stream of a sender, as `poisectl events` has it."""
    lines = [json.loads(line) for line in poised.poisectl("events", "--json").stdout.splitlines()]
    return next((e for e in lines if e["kind"] == "advertisements" and e["sender"] == sender), {"count": 0})


def told(poised, kind, *parts):
    lines = [json.loads(line) for line in poised.poisectl("events", "--json").stdout.splitlines()]
    return [e for e in lines if e["kind"] == kind and all(part in e["why"] for part in parts)]


def test_advertisements_and_links_are_recorded(site):
    """A steady stream is one line with a count; who comes, changes and goes is a line each; a crash loses neither."""
    other = FRONT4 + "3"
    peer = lambda priority: instance("front", "front", 51, VIP, priority=priority, advert="0.2", more="version 3")
    poised = site.r1.poised(peer(50))
    second = site.r2.poised(peer(100))
    wait_until("a stream from r2", lambda: heard(poised, other), lambda seen: seen["count"] >= 10, within=20)
    assert heard(poised, other)["priority"] == 100 and len(told(poised, "advertisement", "priority 100")) == 1
    assert re.search(r"\d+ advertisements from %s since .*priority 100" % re.escape(other),
                     poised.poisectl("events").stdout)
    # another priority
    second.write(peer(120))
    second.poisectl("reload")
    wait_until("the change to be told", lambda: told(poised, "advertisement", other, "priority 120, was 100 for"))
    # the role dies: the stream goes on counting, the lines before are still there
    before = wait_until("some of the new ones", lambda: heard(poised, other), lambda seen: seen["priority"] == 120 and
                        seen["count"] >= 10)
    pid = poised.role_pids("vrrp")[0]
    os.kill(pid, signal.SIGKILL)
    wait_until("another vrrp process", lambda: poised.role_pids("vrrp"), lambda new: new and new != [pid])
    after = wait_until("the stream to go on", lambda: heard(poised, other), lambda seen: seen["count"] > before["count"])
    assert len(told(poised, "advertisement", "priority 100")) >= 1
    # (a machine that stood still for long has heard a silence in between, and began a new run)
    assert after["since"] == before["since"] or told(poised, "advertisement", "silence")
    # r2 says good-bye
    second.stop()
    wait_until("the last words", lambda: told(poised, "advertisement", other, "lets go (priority 0)"))
    # an interface of the configuration
    site.r1.cut("front")
    wait_until("the link's end", lambda: told(poised, "link", "front has no carrier"))
    site.r1.restore("front")
    up = wait_until("the link", lambda: told(poised, "link", "front is up and has carrier"))[-1]
    assert (up["from"], up["to"], up["object"]) == ("down", "up", "front")


class Terminal:
    """poisectl on a terminal of 80 by 24, as a person sees it."""

    def __init__(self, poised, *words):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        self.process = subprocess.Popen([program("ctl/poisectl"), "-r", poised.rundir, *words], stdin=slave,
                                        stdout=slave, stderr=slave, env={**env, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        os.close(slave)
        os.set_blocking(self.master, False)
        self.seen = ""

    def read(self):
        try:
            while chunk := os.read(self.master, 65536):
                self.seen += chunk.decode()
        except OSError:
            pass
        return self.seen

    def end(self, within=15):
        """The exit status."""
        status = self.process.wait(within)
        self.read()
        os.close(self.master)
        return status


def test_on_a_terminal_it_has_colours_and_watches(site):
    poised = settled(started(site.r1, web()))
    once = Terminal(poised, "status")
    assert once.end() == 0
    assert "\033[1;31mdown" in once.seen
    watch = Terminal(poised, "status", "--watch")
    wait_until("the second picture", lambda: watch.read().count("\033[H\033[J"), lambda n: n >= 2)
    watch.process.send_signal(signal.SIGINT)
    assert watch.end() == 0
    assert watch.seen.endswith("\033[?25h\033[?1049l")  # the cursor is back, the screen as before


@pytest.mark.ipvs
def test_drain_wait_ends_with_the_last_connection(site):
    for server in site.servers:
        server.nginx()
    poised = settled(started(site.r1, web()))
    wait_until("the service", lambda: poised.status()["services_programmed"], within=15)
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    # A connection that stays open until we close it.
    holder = site.client.start("holder", ["/usr/bin/python3", "-c", """
import socket, struct, sys
s = socket.create_connection(("%s", 80))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset: no TIME_WAIT
print("open", flush=True)
sys.stdin.read()
""" % VIP], stdin=subprocess.PIPE)
    holder.wait_log("open")
    busy = wait_until("the connection to be counted", lambda: [
        s["address"] for s in poised.status()["services"][0]["servers"] if s["active"] > 0], within=10)[0]
    # A drain has one end, whoever waits for it: the one with a time comes first.
    impatient = poised.poisectl("drain", busy, "--wait", "--timeout", "1", check=False)
    assert impatient.returncode == 3 and "the time is up" in impatient.stderr
    wait = Terminal(poised, "drain", busy, "--wait")
    wait_until("a bar", lambda: wait.read(), lambda seen: "─" * 16 in seen and "1 active" in seen)
    assert wait.process.poll() is None
    interrupted = Terminal(poised, "drain", busy, "--wait")
    wait_until("it to wait", lambda: "draining" in interrupted.read())
    interrupted.process.send_signal(signal.SIGINT)
    assert interrupted.end() == 3
    assert "goes on draining" in interrupted.seen
    holder.kill()
    assert wait.end(within=60) == 0
    assert "the last connection is gone" in wait.seen
    assert poised.server(busy)["drained"] is True
    # No new connection goes there, and the others serve.
    assert busy not in {BACK4 + "1" + site.fetch().strip()[1:] for _ in range(9)}


@pytest.mark.ipvs
def test_drain_wait_of_an_idle_server_returns_at_once_and_sees_an_undrain(site):
    for server in site.servers:
        server.nginx()
    poised = settled(started(site.r1, web()))
    wait_until("the service", lambda: poised.status()["services_programmed"], within=15)
    done = poised.poisectl("drain", SERVERS[2], "--wait")
    assert "it had no connection" in done.stdout
