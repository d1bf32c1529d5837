# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ipvs role does beside the table: connections synchronised between the routers, scripts, timeouts, and what it
says when the kernel cannot do it."""

import os

import pytest

from poiselab import has_ipvs, wait_until
from poiselab.configs import HTTP_CHECK, nat_site, pair, service
from poiselab.hold import Hold
from poiselab.site import BACK4, VIP

SERVERS = [BACK4 + "11", BACK4 + "12", BACK4 + "13"]


def daemons(router):
    """The kernel's synchronisation daemons: {"master": interface ...}."""
    lines = router.run("ipvsadm", "-L", "--daemon").splitlines()
    return {line.split()[0]: line[line.index("mcast=") + 6:].split(",")[0].rstrip(")") for line in lines
            if "sync daemon" in line}


@pytest.mark.ipvs
def test_connections_are_synchronised_to_the_backup(site):
    for server in site.servers:
        server.nginx(big_kb=1000, rate="100k")
    sync = "lvs_sync_daemon back front id 7"
    first = site.r1.poised(nat_site(150, globals_=sync, check=""))
    site.r2.poised(nat_site(100, globals_=sync, check=""))
    wait_until("r1 to be master", lambda: first.state("front"), lambda seen: seen == "MASTER")
    wait_until("r1 to send", lambda: daemons(site.r1), lambda seen: seen == {"master": "back"})
    wait_until("r2 to receive", lambda: daemons(site.r2), lambda seen: seen == {"backup": "back"})
    wait_until("the service on r1", lambda: site.fetch(), lambda body: body is not None)
    site.client.start("curl", ["curl", "-sf", "-o", site.client.path("big"), "http://%s/big" % VIP])
    wait_until("an established connection on r2", lambda: site.r2.run("ipvsadm", "-Lnc"),
               lambda text: "ESTABLISHED" in text, within=20)
    first.stop()
    wait_until("r2 to send", lambda: daemons(site.r2), lambda seen: seen == {"master": "back"})
    assert daemons(site.r1) == {}


@pytest.mark.ipvs
def test_both_daemons_without_an_instance_and_timeouts(site):
    poised = site.r1.poised("global_defs {\n\tlvs_sync_daemon back id 3\n\tlvs_timeouts tcp 700 tcpfin 33 udp 44\n}\n")
    wait_until("both daemons", lambda: daemons(site.r1), lambda seen: seen == {"master": "back", "backup": "back"})
    assert "700 33 44" in site.r1.run("ipvsadm", "-L", "--timeout")
    poised.stop()
    assert daemons(site.r1) == {}


SCRIPT = """#!/bin/sh
echo "$*" >>%s
"""


@pytest.mark.ipvs
def test_scripts_and_events_of_servers_and_quorum(site):
    """The scripts run when a server falls and rises and when the quorum is lost and met, with their own words."""
    for server in site.servers:
        server.nginx()
    log = os.path.join(site.folder, "scripts.log")
    script = os.path.join(site.folder, "notify.sh")
    with open(log, "w", encoding="utf-8"):
        pass
    os.chmod(log, 0o666)
    with open(script, "w", encoding="utf-8") as f:
        f.write(SCRIPT % log + "cat /proc/self/oom_score_adj >>%s.oom\n" % log)
    os.chmod(script, 0o755)
    notify = "notify_up \"%s up\"\n\t\tnotify_down \"%s down\"\n\t\t" % (script, script)
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    poised = site.r1.poised(
        "global_defs {\n\tscript_user root\n}\n" + service(
            SERVERS[:2], check=notify + HTTP_CHECK.replace("connect_timeout 1", "connect_timeout 5"),
            more='quorum 2\nquorum_up "%s quorum up"\nquorum_down "%s quorum down"' % (script, script)))

    def said():
        with open(log, encoding="utf-8") as f:
            return f.read().splitlines()

    def wait_said(expected):
        wait_until("the scripts to say %r" % expected, said, lambda seen: sorted(seen) == sorted(expected), within=15)

    wait_until("both servers", lambda: poised.server(SERVERS[1]).get("health"), lambda seen: seen == "up")
    wait_said(["quorum up"])
    for pid in poised.role_pids("script"):
        with open("/proc/%d/oom_score_adj" % pid, "w", encoding="ascii") as f:
            f.write("-500")  # as the unit has it
    site.s2.web.sick()
    wait_said(["quorum up", "down", "quorum down"])
    wait_until("the status", lambda: poised.status()["services"][0]["quorum"], lambda seen: seen is False)
    site.s2.web.well()
    wait_said(["quorum up", "down", "quorum down", "up", "quorum up"])
    with open(log + ".oom", encoding="ascii") as f:
        assert set(f.read().split()) == {"0"}, "the daemon's protection from the OOM killer is inherited"
    poised.poisectl("drain", SERVERS[0])
    wait_until("the drain", lambda: poised.server(SERVERS[0]).get("admin"), lambda seen: seen == "drain")
    events = poised.poisectl("events").stdout
    for text in ("quorum", "drain"):
        assert text in events, events


@pytest.mark.ipvs
def test_quorum_and_sorry_server_outlive_reloads(site):
    """The sorry server is one of the real ones, too. A reload while the quorum is lost changes neither the table nor the
    verdict, runs no script again, and what follows is told as ever."""
    for server in site.servers[:2]:
        server.nginx()
    log, script = (os.path.join(site.folder, name) for name in ("scripts.log", "notify.sh"))
    with open(log, "w", encoding="utf-8"):
        pass
    with open(script, "w", encoding="utf-8") as f:
        f.write(SCRIPT % log)
    os.chmod(script, 0o755)

    def configuration(weight):
        """`weight` is that of the second server, which is the one that falls."""
        text = service(SERVERS[:2], check=HTTP_CHECK.replace("connect_timeout 1", "connect_timeout 5"),
                       more='quorum 2\nquorum_up "%s up"\nquorum_down "%s down"\nsorry_server %s 80' % (script, script, SERVERS[0]))
        head, tail = text.split("real_server " + SERVERS[1])
        return "global_defs {\n\tscript_user root\n}\n%sreal_server %s%s" % (head, SERVERS[1],
                                                                         tail.replace("weight 1", "weight %d" % weight))

    def said():
        with open(log, encoding="utf-8") as f:
            return f.read().splitlines()

    def table():
        return {name: entry["weight"] for name, entry in site.r1.ipvs().get(("TCP", VIP + ":80"), {}).items()}

    first, second = (address + ":80" for address in SERVERS[:2])
    poised = site.r1.poised(configuration(1))
    wait_until("both servers", table, lambda seen: seen == {first: 1, second: 1})
    wait_until("the quorum", said, lambda seen: seen == ["up"], within=15)
    site.s2.web.sick()
    wait_until("the quorum to be lost", said, lambda seen: seen == ["up", "down"], within=15)
    wait_until("the one that is both", table, lambda seen: seen == {first: 1})
    for weight in (3, 4):
        poised.write(configuration(weight))
        poised.poisectl("reload")
        wait_until("the weight of the file", lambda: poised.server(SERVERS[1])["weight"], lambda seen, w=weight: seen == w)
        assert table() == {first: 1}
    status = poised.status()["services"][0]
    assert (status["quorum"], status["sorry_active"]) == (False, True), status
    assert said() == ["up", "down"]
    site.s2.web.well()
    wait_until("the quorum again", said, lambda seen: seen == ["up", "down", "up"], within=15)
    wait_until("both servers again", table, lambda seen: seen == {first: 1, second: 4})
    site.s2.web.sick()
    wait_until("the quorum to be lost again", said, lambda seen: seen == ["up", "down", "up", "down"], within=15)


def test_omega_mode_tells_of_the_end(site):
    """At a stop the scripts of a service in omega mode run as if everything had fallen; those of another one do not."""
    log, script = (site.r1.path(name) for name in ("scripts.log", "notify.sh"))
    with open(script, "w", encoding="utf-8") as f:
        f.write(SCRIPT % log)
    os.chmod(script, 0o755)
    with open(log, "w", encoding="utf-8"):
        pass
    text = "global_defs {\n\tscript_user root\n}\n"
    for name, port, omega in (("A", 80, "omega"), ("B", 81, "")):
        text += service(SERVERS[:2], port=port, check='notify_down "%s %s server"' % (script, name), more=(
            '%s\nquorum_up "%s %s up"\nquorum_down "%s %s down"' % (omega, script, name, script, name)))
    poised = site.r1.poised(text)

    def said():
        with open(log, encoding="utf-8") as f:
            return sorted(f.read().splitlines())

    wait_until("the beginning", said, lambda seen: seen == ["A up", "B up"], within=20)
    assert poised.stop() == 0
    wait_until("the end", said, lambda seen: seen == ["A down", "A server", "A server", "A up", "B up"], within=20)


# A is up and has a sorry server, B reaches one of two, C has a server without a check, D is down.
BEGINNERS = {"A": "sorry_server 198.51.100.13 80\n\treal_server 198.51.100.11 80 A1 1",
             "B": "quorum 2\n\thysteresis 0\n\treal_server 198.51.100.11 80 B1 1\n\treal_server 198.51.100.11 81 B2 1",
             "C": "real_server 198.51.100.11 82 C1 1\n\treal_server 198.51.100.12 80 C2 0",
             "D": "real_server 198.51.100.11 83 D1 1"}


def beginners(script, words, alpha):
    text = "global_defs {\n\trouter_id begin\n\tscript_user root\n\t%s\n}\n" % words
    for number, (name, lines) in enumerate(BEGINNERS.items()):
        text += "virtual_server 192.0.2.10 %d {\n\tdelay_loop 1\n\tlb_algo rr\n\tlb_kind NAT\n\tprotocol TCP\n" % (80 + number)
        text += '\t%s\n\tquorum_up "%s %s quorum up"\n\tquorum_down "%s %s quorum down"\n' % (alpha, script, name, script, name)
        for line in lines.splitlines():
            if "real_server" not in line:
                text += "\t%s\n" % line.strip()
                continue
            *head, server, checked = line.split()
            text += '\t%s {\n\t\tweight 1\n\t\tnotify_up "%s %s up"\n\t\tnotify_down "%s %s down"\n\t\t%s\n\t}\n' % (
                " ".join(head), script, server, script, server,
                "TCP_CHECK {\n\t\t\tconnect_timeout 5\n\t\t\tretry 0\n\t\t}" if checked == "1" else "")
        text += "}\n"
    return text


PLAIN = ["A quorum up", "B quorum down", "B quorum up", "B2 down", "C quorum up", "C1 down", "D quorum down", "D quorum up",
         "D1 down"]
INIT = ["A1 up", "B1 up", "B2 up", "C1 up", "C2 up", "D1 up"]
ALPHA = ["A quorum down", "A quorum up", "A1 up", "B1 up", "B2 down", "C quorum up", "C1 down", "D1 down"]


@pytest.mark.ipvs
@pytest.mark.parametrize("words, alpha, expected", [("", "", PLAIN), ("rs_init_notifies", "", PLAIN + INIT), ("", "alpha", ALPHA),
                                                    ("rs_init_notifies", "alpha", ALPHA + ["C2 up"])],
                         ids=["plain", "rs_init_notifies", "alpha", "both"])
def test_services_begin_as_in_keepalived(site, words, alpha, expected):
    """The same table and the same scripts, with servers that are up, down, and without a check; also when the first results
    are there before the table is."""
    for server in site.servers:
        server.nginx()
    said = {}
    for router in (site.r1, site.r2):
        said[router] = router.path("scripts.log")
        with open(router.path("notify.sh"), "w", encoding="utf-8") as f:
            f.write(SCRIPT % said[router])
        os.chmod(router.path("notify.sh"), 0o755)
        with open(said[router], "w", encoding="utf-8"):
            pass
    late = Hold(site.r1, "poise-ipvs", "birth", hold=words != "")
    poised = site.r1.poised(beginners(site.r1.path("notify.sh"), words, alpha), env=late.env)
    site.r2.keepalived(beginners(site.r2.path("notify.sh"), words, alpha))
    if words:
        wait_until("the first results", lambda: poised.server("198.51.100.11", 83).get("health"), lambda seen: seen == "down",
                   within=20)
        late.release()

    def outcome(router):
        with open(said[router], encoding="utf-8") as f:
            return sorted(f.read().splitlines()), sorted(router.run("ipvsadm", "-Sn").splitlines())

    wait_until("keepalived's scripts", lambda: outcome(site.r2)[0], lambda seen: seen == sorted(expected), within=20)
    wait_until("the same scripts and table", lambda: (outcome(site.r1), outcome(site.r2)),
               lambda seen: seen[0] == seen[1], within=20)


@pytest.mark.skipif(has_ipvs(), reason="this kernel has IPVS")
def test_a_kernel_without_ipvs_stops_nothing_else(site):
    poised = site.r1.poised(nat_site(150, check=""))
    poised.wait_log("the running kernel has no IPVS: install its ip_vs module or load it (modprobe ip_vs)")
    wait_until("r1 to be master", lambda: poised.state("front"), lambda seen: seen == "MASTER")
    entry = poised.status()["services"][0]
    assert entry["servers"][0]["health"] in ("up", "unknown")
    assert poised.log().count("has no IPVS") == 1
    assert poised.stop() == 0


def test_without_services_ipvs_is_not_mentioned(site):
    poised = site.r1.poised(pair(150))
    wait_until("r1 to be master", lambda: poised.state("front"), lambda seen: seen == "MASTER")
    assert "IPVS" not in poised.log()
