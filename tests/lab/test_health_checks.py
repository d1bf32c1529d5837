# SPDX-License-Identifier: GPL-2.0-or-later
"""Health checks in the whole daemon: real servers fail and come back, and everybody can see it and why."""

import hashlib
import json
import os
import re
import signal

import pytest

from poiselab import wait_until
from poiselab.configs import HTTP_CHECK, TCP_CHECK, pair, service
from poiselab.hold import Hold
from poiselab.site import BACK4

SSL_CHECK = """SSL_GET {
			url {
				path /health
				status_code 200
			}
			connect_port 443
			connect_timeout 1
			retry 0
			delay_before_retry 1
		}"""

SERVERS = [BACK4 + "11", BACK4 + "12", BACK4 + "13"]


def configuration(check, servers=tuple(SERVERS), **more):
    return "global_defs {\n\trouter_id node1\n}\n" + pair(150) + service(servers, check=check, **more)


def health(daemon, address):
    server = daemon.server(address)
    return server.get("health"), server.get("health_why")


def wait_health(daemon, address, wanted, within=10):
    seen = wait_until("%s to be %s" % (address, wanted), lambda: health(daemon, address), lambda s: s[0] == wanted, within)
    return seen[1]


def start(site, check, **more):
    for server in site.servers:
        server.nginx(tls_pem=site.certificate())
    daemon = site.r1.poised(configuration(check, **more))
    for address in SERVERS:
        wait_health(daemon, address, "up", within=20)
    return daemon


def test_tcp_check_sees_a_server_go_and_return(site):
    daemon = start(site, TCP_CHECK)
    site.s2.web.kill()
    why = wait_health(daemon, SERVERS[1], "down")
    assert "connection refused" in why and "TCP_CHECK" in why
    daemon.wait_log("check 192.0.2.10:80/tcp 198.51.100.12:80: up -> down: connection refused (TCP_CHECK, 1 of 1 tries failed)")
    assert health(daemon, SERVERS[0])[0] == "up" and health(daemon, SERVERS[2])[0] == "up"
    site.s2.nginx()
    assert "connected in" in wait_health(daemon, SERVERS[1], "up")
    daemon.wait_log("check 192.0.2.10:80/tcp 198.51.100.12:80: down -> up: connected in")


def test_tcp_check_sees_a_cut_cable(site):
    daemon = start(site, TCP_CHECK)
    site.s3.cut()
    why = wait_health(daemon, SERVERS[2], "down", within=15)
    assert "connect timeout after 1.0 s" in why or "unreachable" in why
    site.s3.restore()
    wait_health(daemon, SERVERS[2], "up", within=15)


def test_http_get_sees_a_sick_page(site):
    daemon = start(site, HTTP_CHECK)
    site.s1.web.sick()
    assert wait_health(daemon, SERVERS[0], "down") == "status 404, wanted 200 (HTTP_GET /health)"
    site.s1.web.well()
    assert "status 200 in" in wait_health(daemon, SERVERS[0], "up")


def test_ssl_get_sees_a_sick_page_and_a_port_without_tls(site):
    daemon = start(site, SSL_CHECK)
    site.s1.web.sick()
    assert wait_health(daemon, SERVERS[0], "down") == "status 404, wanted 200 (SSL_GET /health at 198.51.100.11:443)"
    site.s1.web.well()
    wait_health(daemon, SERVERS[0], "up")
    daemon.write(configuration(SSL_CHECK.replace("443", "80")))
    daemon.signal(signal.SIGHUP)
    why = wait_health(daemon, SERVERS[0], "down")
    assert "TLS handshake failed" in why


def test_every_url_and_its_digest_count(site):
    check = """HTTP_GET {
			url {
				path /
			}
			url {
				path /health
				digest %s
			}
			connect_timeout 1
			retry 0
		}"""
    daemon = start(site, check % hashlib.md5(b"fine\n").hexdigest())
    with open(site.s2.web.www + "/health", "w", encoding="ascii") as page:
        page.write("not so fine\n")
    why = wait_health(daemon, SERVERS[1], "down")
    assert why.startswith("body does not match the digest: it has ") and why.endswith("(HTTP_GET /health)")


def test_retries_delay_the_fall(site):
    check = TCP_CHECK.replace("retry 0", "retry 3\n\t\t\tdelay_before_retry 1")
    daemon = start(site, check)
    site.s2.web.kill()
    wait_until("doubt about s2", lambda: health(daemon, SERVERS[1]), lambda s: "in doubt" in (s[1] or ""), within=10)
    assert health(daemon, SERVERS[1])[0] == "up"
    wait_health(daemon, SERVERS[1], "down", within=15)
    daemon.wait_log("up -> down: connection refused (TCP_CHECK, 4 of 4 tries failed)")


def test_verdicts_survive_the_death_of_the_checker(site):
    daemon = start(site, HTTP_CHECK.replace("retry 0", "retry 2"))
    site.s1.web.sick()
    wait_health(daemon, SERVERS[0], "down", within=15)
    before = daemon.log()
    pid, = daemon.role_pids("healthcheck")
    os.kill(pid, signal.SIGKILL)
    wait_until("another checker", lambda: daemon.role_pids("healthcheck"), lambda pids: pids and pids != [pid], within=15)
    daemon.wait_log("go on with the counts of the process before", within=15)
    assert health(daemon, SERVERS[0])[0] == "down"
    site.s1.web.well()
    wait_health(daemon, SERVERS[0], "up", within=15)
    new = daemon.log()[len(before):]
    assert new.count(" -> down") == 0 and new.count("down -> up") == 1 and "unknown -> " not in new


def test_reload_keeps_what_it_does_not_change(site):
    daemon = start(site, HTTP_CHECK)
    site.s1.web.sick()
    wait_health(daemon, SERVERS[0], "down")
    before = daemon.log()
    generation = daemon.status()["generation"]
    daemon.write(configuration(HTTP_CHECK, servers=tuple(reversed(SERVERS))))
    daemon.signal(signal.SIGHUP)
    wait_until("the new generation", lambda: daemon.status().get("generation"), lambda g: g not in (None, generation))
    assert health(daemon, SERVERS[0])[0] == "down" and health(daemon, SERVERS[1])[0] == "up"
    site.s1.web.well()
    wait_health(daemon, SERVERS[0], "up")
    new = daemon.log()[len(before):]
    assert new.count("check 192") == 1 and "unknown" not in new


def test_the_checker_holds_no_privilege(site):
    daemon = start(site, TCP_CHECK)
    pid, = daemon.role_pids("healthcheck")
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["Uid"].split()[0] != "0" and set(status["Uid"].split()) == {status["Uid"].split()[0]}


@pytest.mark.ipvs
def test_a_fallen_server_leaves_the_kernel_and_returns(site):
    daemon = start(site, HTTP_CHECK)
    real = SERVERS[1] + ":80"

    def weights():
        return {name: entry["weight"] for name, entry in site.r1.ipvs().get(("TCP", "192.0.2.10:80"), {}).items()}

    wait_until("all three in the kernel", weights, lambda w: len(w) == 3)
    site.s2.web.sick()
    wait_until("s2 out of the kernel", weights, lambda w: not w.get(real), within=5)
    site.s2.web.well()
    wait_until("s2 in the kernel again", weights, lambda w: w.get(real) == 1, within=5)
    assert daemon.running()


def test_last_known_state_outlives_the_daemon(site):
    """A server that was down stays out of service until it is checked, also after a restart."""
    check = TCP_CHECK.replace("retry 0", "retry 0\n\t\t\tinitial_state last_known")
    daemon = start(site, check)
    site.s2.web.kill()
    wait_health(daemon, SERVERS[1], "down")
    daemon.stop()
    slow = check.replace("retry 0", "retry 0\n\t\t\twarmup 60")
    daemon = site.r1.poised(configuration(slow, delay=60))
    assert wait_health(daemon, SERVERS[1], "down") == "not checked yet: down as last known before the start"
    assert health(daemon, SERVERS[0]) == ("up", "not checked yet: up as last known before the start")


@pytest.mark.ipvs
def test_a_server_known_as_down_is_not_served_meanwhile(site):
    """Nor for a moment at a start, after a stop and after a crash: the table is made at once as the health checker remembers."""
    check = TCP_CHECK.replace("retry 0", "retry 0\n\t\t\tinitial_state last_known")
    daemon = start(site, check)
    well = {SERVERS[0] + ":80", SERVERS[2] + ":80"}

    def standing():
        return set(site.r1.ipvs().get(("TCP", "192.0.2.10:80"), {}))

    def needed():
        return re.findall("stand in the kernel's table as 1, ([0-9]+) commands were needed", daemon.log())

    site.s2.web.kill()
    wait_until("the server to be out", standing, lambda seen: seen == well)
    for end, commands in (daemon.stop, ["4", "3"]), (lambda: daemon.kill(), ["4", "3", "0"]):
        end()
        late = Hold(site.r1, "poise-healthcheck", "birth")
        daemon = site.r1.poised(configuration(check.replace("retry 0", "retry 0\n\t\t\twarmup 60"), delay=60), env=late.env)
        wait_until("the ipvs role", lambda: [role["state"] for role in daemon.status().get("roles", []) if role["name"] == "ipvs"],
                   lambda seen: seen == ["running"])
        late.release()
        wait_until("the table", needed, lambda seen, n=len(commands): len(seen) == n, within=20)
        assert needed() == commands
        assert standing() == well
        wait_health(daemon, SERVERS[1], "down")


@pytest.mark.ipvs
def test_a_server_that_begins_down_is_not_served_meanwhile(site):
    """initial_state down holds from the first moment on, also while no health checker is there to say so."""
    for server in site.servers:
        server.nginx()
    late = Hold(site.r1, "poise-healthcheck", "birth")
    text = configuration(TCP_CHECK).replace("retry 0", "retry 0\n\t\t\tinitial_state down", 1)
    daemon = site.r1.poised(text, env=late.env)
    daemon.wait_log("stand in the kernel's table", within=20)

    def standing():
        return set(site.r1.ipvs().get(("TCP", "192.0.2.10:80"), {}))

    wait_until("the others", standing, lambda seen: seen == {SERVERS[1] + ":80", SERVERS[2] + ":80"})
    late.release()
    wait_until("all three", standing, lambda seen: len(seen) == 3, within=20)


@pytest.mark.ipvs
def test_silence_of_a_server_is_noticed_before_its_next_check(site):
    """The check runs once a minute, but a NAT server that swallows connections is probed at once."""
    check = TCP_CHECK.replace("retry 0", "retry 0\n\t\t\twarmup 1")
    for server in site.servers:
        server.nginx()
    text = configuration(check, delay=60).replace("router_id node1", "router_id node1\n\tipvs_audit_interval 1")
    daemon = site.r1.poised(text)
    for address in SERVERS:
        wait_health(daemon, address, "up", within=20)
    wait_until("an answer", lambda: site.fetch("/"), within=20)
    site.s2.cut()
    knocks = site.probe("tcp")
    try:
        why = wait_health(daemon, SERVERS[1], "down", within=25)
    finally:
        knocks.stop()
    assert "connect timeout" in why or "unreachable" in why
    assert "packets went to it and none came back: it is probed at once" in daemon.log()
    assert health(daemon, SERVERS[0])[0] == "up" and health(daemon, SERVERS[2])[0] == "up"


def test_a_server_that_returns_begins_with_a_small_share(site):
    daemon = start(site, TCP_CHECK, more="slow_start 4")
    entry = daemon.server(SERVERS[1])
    assert entry["health_weight_percent"] == 100
    site.s2.web.kill()
    wait_health(daemon, SERVERS[1], "down")
    site.s2.nginx()
    wait_health(daemon, SERVERS[1], "up")
    first = daemon.server(SERVERS[1])["health_weight_percent"]
    assert first < 90
    wait_until("the whole share", lambda: daemon.server(SERVERS[1])["health_weight_percent"], lambda n: n == 100, within=15)
    assert daemon.server(SERVERS[0])["health_weight_percent"] == 100


def test_a_pool_in_panic_serves_on(site):
    """When more are down than panic_threshold allows, a common cause is more likely than so many dead servers."""
    daemon = start(site, TCP_CHECK, more="panic_threshold 50")
    site.s1.web.kill()
    assert wait_health(daemon, SERVERS[0], "down").startswith("connection refused")
    site.s2.web.kill()
    why = "down, but serves on (panic_threshold 50): connection refused"
    for address in SERVERS[:2]:
        wait_until(address + " to serve on", lambda a=address: health(daemon, a), lambda s: s[0] == "down" and s[1].startswith(why))
    daemon.wait_log("PANIC: 2 of 3 servers are down, more than 50 % (panic_threshold): all of them serve on")
    wait_until("the problem to be listed", lambda: [problem["text"] for problem in daemon.status()["problems"]],
               lambda texts: any("in panic" in text for text in texts))
    site.s2.nginx()
    wait_health(daemon, SERVERS[1], "up")
    daemon.wait_log("panic is over: 1 of 3 servers are down")
    assert wait_health(daemon, SERVERS[0], "down").startswith("connection refused")


def test_a_slow_server_gets_a_smaller_share(site):
    site.s1.nginx()
    site.s3.nginx()
    with open(site.s2.path("how"), "w", encoding="ascii") as f:
        f.write("slow\n")
    peers = os.path.join(os.path.dirname(os.path.realpath(__file__)), "poiselab/peers.py")
    site.s2.start("slow", ["/usr/bin/python3", peers, "misbehave", "80", site.s2.path("how")])
    check = HTTP_CHECK.replace("path /health", "path /").replace("connect_timeout 1", "connect_timeout 5")
    daemon = site.r1.poised(configuration(check, more="adaptive_weight 50"))
    for address in SERVERS:
        wait_health(daemon, address, "up", within=20)
    shares = lambda: [daemon.server(address)["health_weight_percent"] for address in SERVERS]
    # It moves in small steps, and only after the times have said the same for five looks, three seconds apart.
    seen = wait_until("a smaller share", shares, lambda s: s[1] < s[0] and s[1] < s[2], within=60)
    assert seen[1] >= 50
    assert health(daemon, SERVERS[1])[0] == "up"


# ---- several checkers (check_processes) ----

# More than the site's machines have: addresses of their own on s1, so that each checker has some.
MANY = ["10.77.0.%d" % i for i in range(1, 13)]


def several(processes, check=TCP_CHECK, servers=tuple(MANY), **more):
    return "global_defs {\n\trouter_id node1\n\tcheck_processes %d\n}\n" % processes + service(servers, check=check, **more)


def many_servers(site):
    site.s1.run("ip", "route", "add", "local", "10.77.0.0/16", "dev", "lo")
    site.r1.run("ip", "route", "add", "10.77.0.0/16", "via", site.s1.address)
    site.s1.nginx()


def reload(daemon, text):
    generation = daemon.status()["generation"]
    daemon.write(text)
    daemon.signal(signal.SIGHUP)
    wait_until("the new generation", lambda: daemon.status().get("generation"), lambda g: g not in (None, generation))


def runs(daemon):
    """How often each server was checked so far."""
    return {server["address"]: server["checks"][0]["runs"] for entry in daemon.status().get("services", [])
            for server in entry["servers"]}


def checker_pids(daemon):
    """The process of each checker, by the name of its role."""
    return {role["name"]: role["pid"] for role in daemon.status().get("roles", [])
            if role["name"].startswith("healthcheck") and role["state"] == "running"}


def owners(daemon):
    """Which checker had what to say about each server."""
    events = [json.loads(line) for line in daemon.poisectl("events", "--json").stdout.splitlines()]
    return {event["object"].split()[1].split(":")[0]: event["role"] for event in events if event["kind"] == "server"}


def test_several_checkers_share_the_servers(site):
    """Each has servers of its own, and one that stands still leaves those of the others alone. Whoever looks at the status
    sees one health checker."""
    many_servers(site)
    daemon = site.r1.poised(several(3))
    for address in MANY:
        wait_health(daemon, address, "up", within=30)
    pids = wait_until("three checkers", lambda: checker_pids(daemon), lambda seen: len(seen) == 3, within=15)
    assert sorted(pids) == ["healthcheck", "healthcheck2", "healthcheck3"]
    assert sorted(daemon.role_pids("healthcheck")) == sorted(pids.values())
    for pid in pids.values():
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            confined = f.read()
        assert "CapEff:\t0000000000000000" in confined and "Seccomp:\t2" in confined
    seen = wait_until("the sum", lambda: daemon.status().get("health_checks", {}),
                      lambda s: s.get("checks") == len(MANY) and s["runs"] >= len(MANY), 15)
    assert seen["probes"] == len(MANY) and "99 % of the checks" in seen["why"]
    site.s1.web.kill()
    for address in MANY:
        assert "connection refused" in wait_health(daemon, address, "down", within=30)
    site.s1.nginx()
    for address in MANY:
        wait_health(daemon, address, "up", within=30)
    parts = owners(daemon)
    assert sorted(parts) == sorted(MANY) and set(parts.values()) == set(pids)
    os.kill(pids["healthcheck2"], signal.SIGSTOP)
    before = runs(daemon)
    others = [address for address in MANY if parts[address] != "healthcheck2"]
    wait_until("the others to go on", lambda: runs(daemon), lambda now: all(now[a] >= before[a] + 3 for a in others), within=30)
    # It is killed for that, and another one goes on.
    wait_until("its servers to be checked again", lambda: runs(daemon),
               lambda now: all(now[a] != before[a] for a in MANY), within=30)
    assert {address: health(daemon, address)[0] for address in MANY} == dict.fromkeys(MANY, "up")


def test_the_death_of_one_checker_is_nothing_to_the_others(site):
    many_servers(site)
    daemon = site.r1.poised(several(2))
    for address in MANY:
        wait_health(daemon, address, "up", within=30)
    pids = wait_until("two checkers", lambda: checker_pids(daemon), lambda seen: len(seen) == 2, within=15)
    before = daemon.log()
    os.kill(pids["healthcheck2"], signal.SIGKILL)
    now = wait_until("another one", lambda: checker_pids(daemon),
                     lambda seen: len(seen) == 2 and seen["healthcheck2"] != pids["healthcheck2"], within=15)
    assert now["healthcheck"] == pids["healthcheck"]
    daemon.wait_log("go on with the counts of the process before", within=15)
    site.s1.web.kill()
    for address in MANY:
        wait_health(daemon, address, "down", within=30)
    assert daemon.log()[len(before):].count("up -> down") == len(MANY)


def test_a_reload_changes_the_number_of_checkers(site):
    """Servers that move to another checker keep their verdicts, up or down: nobody hears of it."""
    many_servers(site)
    site.s2.nginx()
    check = TCP_CHECK.replace("retry 0", "retry 0\n\t\t\tinitial_state up")
    down = "\t\t\tconnect_port 81\n\t\t\tconnect_timeout"
    text = several(1, check=check, delay=1).split("real_server")
    # Every other server is asked where nobody listens.
    text = "real_server".join(part.replace("\t\t\tconnect_timeout", down) if i % 2 else part for i, part in enumerate(text))
    wanted = {address: "up" if i % 2 else "down" for i, address in enumerate(MANY)}
    daemon = site.r1.poised(text)
    for address, state in wanted.items():
        wait_health(daemon, address, state, within=30)
    before = daemon.log()
    for processes in (2, 3, 1, 4):
        reload(daemon, text.replace("check_processes 1", "check_processes %d" % processes))
        wait_until("%d checkers" % processes, lambda: checker_pids(daemon), lambda seen, n=processes: len(seen) >= n, within=15)
        begun = runs(daemon)
        wait_until("another round", lambda: runs(daemon),
                   lambda now, b=begun: all(now[a] >= 1 and now[a] != b[a] for a in MANY), 30)
        assert {address: health(daemon, address)[0] for address in MANY} == wanted
    new = daemon.log()[len(before):]
    assert " -> " not in new, new
