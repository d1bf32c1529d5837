# SPDX-License-Identifier: GPL-2.0-or-later
"""Changing a running pair: plans, reloads that would cut, files for now, servers that come and go."""

import os
import re
import signal
import subprocess

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.daemons import program
from poiselab.site import BACK4, VIP

SERVERS = [BACK4 + str(i + 11) for i in range(3)]


def web(**more):
    return nat_site(150, check=TCP_CHECK, **more)


def started(site, text=None):
    poised = site.r1.poised(text or web())
    wait_until("poised to answer", lambda: poised.status().get("generation"), within=15)
    return poised


def master(poised):
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    return poised


def addresses(poised):
    return [server["address"] for server in poised.status()["services"][0]["servers"]]


def test_plan_says_nothing_harmless_or_refused(site):
    poised = master(started(site))
    done = poised.poisectl("plan", check=False)
    assert (done.returncode, done.stdout) == (0, "nothing would change\n")
    other = site.r1.path("other.conf")
    for old, new, words in [("weight 1", "weight 4", "weight 1 -> 4"), ("lb_algo rr", "lb_algo wlc", "scheduler rr -> wlc"),
                            ("priority 150", "priority 120", "may be master no more"),
                            ("virtual_router_id 51", "virtual_router_id 77", "virtual router 51 -> 77")]:
        with open(other, "w", encoding="ascii") as file:
            file.write(web().replace(old, new))
        done = poised.poisectl("plan", other, check=False)
        assert done.returncode == 5 and words in done.stdout and "no connection is cut" in done.stdout, done
    with open(other, "w", encoding="ascii") as file:
        file.write("! a comment in front\n\n" + web())
    assert poised.poisectl("plan", other, check=False).returncode == 0
    with open(other, "w", encoding="ascii") as file:
        file.write(web().replace("virtual_router_id 51", "virtual_router_id 999"))
    done = poised.poisectl("plan", other, check=False)
    assert done.returncode == 1 and "other.conf:" in done.stderr
    # Nothing of this has touched the daemon.
    assert poised.status()["configuration"]["last_reload_ok"] is True
    assert poised.status()["generation"] == 1


def test_a_file_for_now_goes_back_unless_confirmed(site):
    poised = master(started(site))
    other = site.r1.path("other.conf")
    with open(other, "w", encoding="ascii") as file:
        file.write(web().replace("weight 1", "weight 7"))

    def weight():
        return poised.server(SERVERS[0])["weight"]

    dry = poised.poisectl("apply", other, "--dry-run", check=False)
    assert dry.returncode == 5 and weight() == 1
    done = poised.poisectl("apply", other, "--confirm", "2")
    assert "goes back by itself in 2 s" in done.stdout and weight() == 7
    configuration = poised.status()["configuration"]
    assert configuration["applied"] == other and configuration["confirm_until"]
    # Even a file that has become unreadable in between is gone back from.
    poised.write("nonsense {\n")
    wait_until("the former configuration", weight, lambda w: w == 1, within=10)
    assert "not confirmed in time: going back to" in poised.poisectl("events").stdout
    assert poised.status()["configuration"]["applied"] is None
    assert poised.poisectl("confirm", check=False).returncode == 1
    poised.write(web())
    poised.poisectl("apply", other, "--confirm", "60s")
    poised.poisectl("confirm")
    assert poised.status()["configuration"]["confirm_until"] is None and weight() == 7
    poised.poisectl("reload")
    assert weight() == 1 and poised.state("front") == "MASTER"


def test_servers_come_and_go_and_are_remembered(site):
    poised = started(site)
    new = BACK4 + "77"
    poised.poisectl("server", "add", VIP + ":80", new + ":80", "weight", "5")
    assert addresses(poised) == [*SERVERS, new]
    assert (poised.server(new)["weight"], poised.server(new)["checks"][0]["kind"]) == (5, "TCP_CHECK")
    assert poised.server(new)["checks"][0]["target"] == new + ":80"
    wait_until("the new server to be checked", lambda: poised.server(new)["health"], lambda h: h == "down", within=15)
    again = poised.poisectl("server", "add", VIP + ":80", new + ":80", check=False)
    assert again.returncode == 1 and "has this server already" in again.stderr
    poised.poisectl("server", "remove", VIP + ":80", SERVERS[1] + ":80")
    assert addresses(poised) == [SERVERS[0], SERVERS[2], new]
    assert poised.status()["configuration"]["pool_changes"] == 2
    poised.poisectl("drain", new)
    poised.poisectl("reload")
    assert addresses(poised) == [SERVERS[0], SERVERS[2], new]
    poised.stop()
    poised = started(site)
    assert addresses(poised) == [SERVERS[0], SERVERS[2], new]
    assert poised.server(new)["admin"] == "drain"
    poised.poisectl("server", "remove", new)
    # Another weight than the file's is not dropped in silence.
    refused = poised.poisectl("server", "add", VIP, SERVERS[1], "weight", "4", check=False)
    assert refused.returncode == 1 and "'poisectl weight %s:80 4'" % SERVERS[1] in refused.stderr
    poised.poisectl("server", "add", VIP, SERVERS[1])
    assert poised.status()["configuration"]["pool_changes"] == 0
    assert addresses(poised) == SERVERS


def test_what_the_file_says_by_now_is_forgotten(site):
    poised = started(site)
    poised.poisectl("server", "add", VIP + ":80", BACK4 + "14:80")
    poised.write(web(servers=4))
    poised.poisectl("reload")
    assert addresses(poised) == [*SERVERS, BACK4 + "14"]
    assert poised.status()["configuration"]["pool_changes"] == 0


def test_a_changed_include_is_seen(site):
    folder = site.r1.path("conf.d")
    os.makedirs(folder)
    text = web()
    start = text.index("virtual_server")

    def write(name, words):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(words)

    def disk():
        return poised.status()["configuration"]["disk"]

    write("web.conf", text[start:])
    poised = started(site, text[:start] + "include %s/*.conf\n" % folder)
    assert disk() == "same" and addresses(poised) == SERVERS
    for name, words in [("web.conf", text[start:].replace("weight 1", "weight 3")), ("more.conf", "! a file more\n")]:
        write(name, words)
        assert disk() == "changed"
        poised.poisectl("reload")
        assert disk() == "same"
    os.remove(os.path.join(folder, "more.conf"))
    assert disk() == "changed"


def test_a_drain_with_an_end_outlives_everything(site):
    poised = started(site)
    poised.poisectl("drain", VIP + ":80/" + SERVERS[1], "--timeout", "1h", "--then", "remove", "--keep-known")

    def drain():
        server = poised.server(SERVERS[1])
        return server["admin"], server["drain"]["then"], server["drain"]["keep_known"], server["drain"]["until"]

    asked = drain()
    assert asked[:3] == ("drain", "remove", True) and asked[3]
    poised.poisectl("reload")
    assert drain() == asked
    for role in ("ipvs", "healthcheck", "control"):
        old = poised.role_pids(role)
        os.kill(old[0], signal.SIGKILL)
        wait_until("another %s" % role, lambda: poised.role_pids(role), lambda new: new and new != old, within=15)
    wait_until("an answer", lambda: poised.status().get("generation"), within=15)
    assert drain() == asked
    os.kill(poised.pid, signal.SIGKILL)
    wait_until("the end", lambda: not poised.running(), within=15)
    poised = started(site)
    assert drain() == asked


def usage(pid):
    """Resident memory in KiB and descriptors."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    return memory, len(os.listdir("/proc/%d/fd" % pid))


def test_a_storm_of_reloads_leaks_nothing(site):
    """As test_ctl_traffic.py has it under traffic, but on every kernel and so with many more rounds."""
    rounds = 1000 if os.environ.get("POISE_LONG") == "1" else 150
    more = "virtual_server %s 8080 {\n\tlb_algo rr\n\tlb_kind NAT\n\treal_server %s 8080 {\n\t}\n}\n" % (VIP, SERVERS[0])
    second = web(scheduler="wlc").replace("weight 1", "weight 2") + more
    poised = master(started(site))
    peer = site.r2.poised(nat_site(100, check=TCP_CHECK))
    wait_until("r2 to be backup", lambda: peer.state("front"), lambda state: state == "BACKUP", within=15)

    def look():
        roles = {role["name"]: role["pid"] for role in poised.status()["roles"] if role["pid"]}
        return {pid: (name, *usage(pid)) for name, pid in {**roles, "parent": poised.pid}.items()}

    for number in range(rounds):
        poised.write(second if number % 2 == 0 else web())
        poised.poisectl("reload")
        if number == 9:
            before = look()
    after = look()
    assert poised.status()["configuration"]["reloads"] == rounds
    assert (poised.vrrp("front")["became_master"], peer.vrrp("front")["became_master"]) == (1, 0)
    assert sum(", killed" in line or ": killed: " in line for line in poised.log().splitlines()) == 0
    for pid, (name, memory, descriptors) in before.items():
        assert pid in after, "%s has been started again" % name
        assert after[pid][2] <= descriptors + 2, "%s: %d descriptors, then %d" % (name, descriptors, after[pid][2])
        assert after[pid][1] <= memory + 512 + rounds, "%s: %d KiB, then %d" % (name, memory, after[pid][1])


@pytest.mark.ipvs
def test_a_reload_that_cuts_is_refused(site):
    for server in site.servers:
        server.nginx()
    poised = master(started(site, web(more="")))
    wait_until("the servers", lambda: [s["health"] for s in poised.status()["services"][0]["servers"]],
               lambda seen: seen == ["up"] * 3, within=15)
    holder = site.client.start("holder", ["/usr/bin/python3", "-c", """
import socket, sys
s = socket.create_connection(("%s", 80))
print("open", flush=True)
sys.stdin.read()
""" % VIP], stdin=-1)
    holder.wait_log("open")
    wait_until("the connection to be counted", lambda: sum(
        s["active"] for s in poised.status()["services"][0]["servers"]), lambda n: n == 1, within=10)
    text = web()
    poised.write(text[:text.index("virtual_server")])
    plan = poised.poisectl("plan", check=False)
    assert plan.returncode == 4 and "cuts 1 connection\n" in plan.stdout
    done = poised.poisectl("reload", check=False)
    assert done.returncode == 4 and "1 connection would be cut" in done.stderr and "--allow" in done.stderr
    assert len(poised.status()["services"]) == 1
    # A signal is answered by nobody: it is refused aloud.
    poised.signal(signal.SIGHUP)
    poised.wait_log("configuration: refused: 'poisectl reload --allow' if it is meant: 1 connection would be cut", within=15)
    configuration = poised.status()["configuration"]
    assert configuration["last_reload_ok"] is False and "reload --allow" in configuration["why"]
    assert len(poised.status()["services"]) == 1
    # A server that leaves is given time, so nothing is cut; the client's is the one that goes.
    busy = next(s["address"] for s in poised.status()["services"][0]["servers"] if s["active"])
    poised.write(text.replace("real_server %s 80" % busy, "real_server %s 80" % (BACK4 + "77")))
    generation = poised.status()["generation"]
    poised.signal(signal.SIGHUP)
    wait_until("the reload", lambda: poised.status()["generation"], lambda g: g > generation, within=15)
    assert busy not in addresses(poised) and poised.status()["configuration"]["last_reload_ok"] is True
    poised.write(text)
    poised.poisectl("reload")
    wait_until("the connection to be counted again", lambda: poised.server(busy)["active"], lambda n: n == 1, within=10)
    poised.write(text[:text.index("virtual_server")])
    assert poised.poisectl("reload", check=False).returncode == 4
    poised.poisectl("reload", "--allow")
    assert poised.status()["services"] == []
    # What was cut by mistake is there again with its service. The file's own word stands for --allow, as whoever comes from keepalived may want it.
    poised.write(text)
    poised.poisectl("reload")
    wait_until("the connection to be counted", lambda: poised.server(busy)["active"], lambda n: n == 1, within=10)
    poised.write(web(globals_="reload_may_cut")[:web(globals_="reload_may_cut").index("virtual_server")])
    poised.signal(signal.SIGHUP)
    wait_until("the reload that cuts", lambda: poised.status()["services"], lambda services: services == [], within=15)


def test_a_signal_reloads_without_a_control_role(site):
    """What cuts nothing needs nobody's leave. For the rest nobody can say what it cuts, and it may be what mends the
    role."""
    poised = master(started(site))
    pid, = poised.role_pids("control")
    os.kill(pid, signal.SIGSTOP)
    text = web().replace("weight 1", "weight 3")
    poised.write(text)
    poised.signal(signal.SIGHUP)
    poised.wait_log("generation 2: ", within=15)
    assert "without knowing" not in poised.log()
    # A server that leaves is given time; with a drain_timeout of 0 it would not be.
    text = text.replace("real_server %s 80" % SERVERS[1], "real_server %s 80" % (BACK4 + "66"))
    poised.write(text)
    poised.signal(signal.SIGHUP)
    poised.wait_log("generation 3: ", within=15)
    assert "without knowing" not in poised.log()
    poised.write(text.replace("real_server %s 80" % (BACK4 + "66"), "drain_timeout 0\n\treal_server %s 80" % (BACK4 + "77")))
    poised.signal(signal.SIGHUP)
    poised.wait_log("without knowing whether it cuts connections", within=15)
    os.kill(pid, signal.SIGCONT)
    wait_until("the new table", lambda: addresses(poised), lambda seen: BACK4 + "77" in seen, within=15)
    assert poised.server(SERVERS[0])["weight"] == 3


def test_save_writes_what_runs(site):
    poised = started(site, "# by hand\n" + web())
    assert "says what runs already" in poised.poisectl("save").stdout
    poised.poisectl("server", "add", VIP, BACK4 + "44", "weight", "2")
    poised.poisectl("server", "remove", SERVERS[0])
    poised.poisectl("save")
    with open(poised.conf_path, encoding="ascii") as file:
        text = file.read()
    assert text.startswith("# by hand\n") and "real_server %s44 80" % BACK4 in text and SERVERS[0] + " " not in text
    configuration = poised.status()["configuration"]
    assert (configuration["pool_changes"], configuration["disk"]) == (0, "same")
    assert addresses(poised) == [SERVERS[1], SERVERS[2], BACK4 + "44"]
    assert poised.poisectl("plan", check=False).returncode == 0
    other = site.r1.path("other.conf")
    with open(other, "w", encoding="ascii") as file:
        file.write(web(servers=2))
    poised.poisectl("apply", other)
    poised.poisectl("save")
    with open(poised.conf_path, encoding="ascii") as file:
        assert file.read() == web(servers=2)
    assert os.path.exists(poised.conf_path + ".old")
    assert poised.status()["configuration"]["applied"] is None


def test_drain_self_hands_over(site):
    one = site.r1.poised(web())
    two = site.r2.poised(nat_site(100, check=TCP_CHECK))
    wait_until("r1 to be master", lambda: (one.state("front"), two.state("front")), lambda s: s == ("MASTER", "BACKUP"),
               within=20)
    done = one.poisectl("drain", "--self", "--wait", timeout=90)
    assert "this node: drained" in done.stdout
    wait_until("r2 to be master", lambda: (one.state("front"), two.state("front")), lambda s: s == ("BACKUP", "MASTER"),
               within=20)
    events = one.poisectl("events", "--since", "5m").stdout
    assert "handover" in events and "by root (process " in events
    assert one.poisectl("why", "front").stdout.count("is master, with priority 100")
    one.poisectl("handover", "--all", "--back", timeout=90)
    wait_until("r1 to be master again", lambda: one.state("front"), lambda s: s == "MASTER", within=20)


def test_the_program_completes_its_own_words(site):
    poised = started(site)

    def offered(*words):
        return subprocess.run([program("ctl/poisectl"), "__complete", "-r", poised.rundir, *words], capture_output=True,
                              text=True, check=True).stdout.split("\n")[:-1]

    assert offered("dra") == ["drain"]
    assert set(offered("drain", "")) == {server + ":80" for server in SERVERS}
    assert offered("drain", SERVERS[0], "--then", "re") == ["reset", "remove"]
    assert offered("drain", SERVERS[0], "--service", "") == [VIP + ":80/tcp"]
    assert offered("server", "") == ["add", "remove"]
    assert offered("server", "add", "") == [VIP + ":80/tcp"]
    assert offered("plan", "") == ["::file"]
    assert offered("apply", "--") == ["--help", "--json", "--allow", "--dry-run", "--confirm"]
    assert {"front", "site", "node"} <= set(offered("why", "")) and offered("handover", "f") == ["front"]
    assert offered("help", "undr") == ["undrain"]
    assert offered("nonsense", "") == []
    for words in (["--help"], *([command, "--help"] for command in offered(""))):
        said = poised.poisectl(*words).stdout
        assert "Example: poisectl" in said and max(map(len, said.splitlines())) <= 80, words
        assert poised.poisectl("help", *words[:-1]).stdout == said
