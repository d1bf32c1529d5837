# SPDX-License-Identifier: GPL-2.0-or-later
"""The ipvs role when it cannot know what the kernel holds: answers that get lost, a receive buffer that was full, a table
that others change under its eyes. Nothing is guessed, nothing of ours is forgotten, and it ends in a fresh look."""

import signal
import subprocess

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, service
from poiselab.hold import Hold
from poiselab.site import BACK4, VIP

pytestmark = pytest.mark.ipvs

SERVERS = [BACK4 + "11", BACK4 + "12", BACK4 + "13"]
UNKNOWN = "the kernel's answer is not known"


def web(port=80, scheduler="rr"):
    return service(SERVERS, check="", port=port, scheduler=scheduler)


def configuration(*services):
    return "global_defs {\n\tipvs_audit_interval 1\n}\n" + "".join(services)


def ports(router):
    """The ports of the services in the kernel."""
    return sorted(int(line.split()[2].rsplit(":", 1)[1]) for line in router.run("ipvsadm", "-Sn").splitlines()
                  if line.startswith("-A"))


def wait_ports(router, *expected):
    wait_until("the services %s" % (expected,), lambda: ports(router), lambda seen: seen == list(expected), within=20)


def wait_more(poised, text, before, within=20):
    wait_until("another '%s'" % text, lambda: poised.log().count(text), lambda seen: seen > before, within=within)


def switch(poised, text):
    """A reload. The role may be waiting for an answer that does not come, and then has no time to vote."""
    poised.write(text)
    wait_until("the reload", lambda: poised.poisectl("reload", check=False).returncode, lambda status: status == 0, within=30)


def has_twos():
    return subprocess.run(["modprobe", "-n", "-q", "ip_vs_twos"], check=False).returncode == 0


@pytest.mark.parametrize("fault, words", [("lost", "Connection timed out"), ("overrun", "No buffer space available"),
                                          ("interrupted", "Interrupted system call")])
def test_answers_that_do_not_come(site, fault, words):
    """While nothing is known a service leaves the configuration, another one is refused. Afterwards the one is gone from the
    kernel, because it is still known to be ours, and the refusal is told; what stands unchanged was not touched."""
    bad = Hold(site.r1, "poise-ipvs", fault, hold=False)
    poised = site.r1.poised(configuration(web(), web(8080)), env=bad.env)
    wait_ports(site.r1, 80, 8080)
    bad.hold()
    poised.wait_log("%s (%s): reading its table again" % (UNKNOWN, words), within=20)
    switch(poised, configuration(web(8080), web(8081, "twos"), web(8082)))
    wait_more(poised, UNKNOWN, poised.log().count(UNKNOWN))
    bad.release()
    wait_ports(site.r1, 8080, *([8081] if has_twos() else []), 8082)
    if not has_twos():
        poised.wait_log("192.0.2.10:8081/tcp: scheduler twos: the running kernel has no ip_vs_twos module")
    wait_until("a table that is known", lambda: [s["programmed"] for s in poised.status()["services"]],
               lambda seen: seen == [True, has_twos(), True])
    assert "someone else" not in poised.log()


@pytest.mark.parametrize("fault", ("lost", "interrupted"))
def test_a_start_and_a_stop_in_doubt(site, fault):
    """Services of a former run that cannot be seen at a start, and those that cannot be removed at a stop, are still ours
    when the next start sees them."""
    bad = Hold(site.r1, "poise-ipvs", fault, hold=False)
    poised = site.r1.poised(configuration(web(), web(8080)))
    wait_ports(site.r1, 80, 8080)
    poised.kill()
    bad.hold()
    again = site.r1.poised(configuration(web(8080), web(8081)), env=bad.env)
    again.wait_log("the kernel's IPVS does not answer" if fault == "lost" else UNKNOWN, within=20)
    wait_more(again, UNKNOWN if fault == "interrupted" else "looking again every 1 s", 0)
    bad.release()
    wait_ports(site.r1, 8080, 8081)
    wait_until("a table that is known", lambda: [s["programmed"] for s in again.status()["services"]],
               lambda seen: seen == [True, True])
    bad.hold()
    wait_more(again, UNKNOWN, again.log().count(UNKNOWN))
    assert again.stop() == 0
    assert "our services may still stand in the kernel's table" in again.log()
    assert ports(site.r1) == [8080, 8081]
    bad.release()
    last = site.r1.poised(configuration(web(8082)))
    wait_ports(site.r1, 8082)
    assert "someone else" not in again.log() + last.log()


def test_a_stop_before_the_first_look(site):
    """What a run that was killed has left is taken away, also by one that ends before it has done anything."""
    poised = site.r1.poised(configuration(web(), web(8080)))
    wait_ports(site.r1, 80, 8080)
    poised.kill()
    late = Hold(site.r1, "poise-healthcheck", "birth")
    waiting = service(SERVERS, port=8080, check=TCP_CHECK.replace("retry 0", "retry 0\n\t\t\tinitial_state last_known"))
    again = site.r1.poised(configuration(waiting), env=late.env)
    wait_until("the role", lambda: again.role_pids("ipvs"), bool)
    again.wait_log("configuration: generation 1")
    again.stop()
    assert ports(site.r1) == []


def test_a_table_that_others_change_meanwhile(site):
    """Somebody adds and removes hundreds of services while ours are read in many parts: the kernel skips some of ours then,
    and they are not taken for gone."""
    many = "".join(web(9000 + i) for i in range(150))
    slow = Hold(site.r1, "poise-ipvs", "slow", hold=False)
    poised = site.r1.poised(configuration(many), env=slow.env)
    wait_until("our services", lambda: len(ports(site.r1)), lambda n: n == 150, within=30)
    rules = "".join("-%s -t 192.0.2.%d:%d%s\n" % (what, 100 + i % 100, 7000 + i, " -s rr" if what == "A" else "")
                    for what in "AD" for i in range(300))
    stranger = site.r1.path("stranger")
    with open(stranger, "w", encoding="ascii") as f:
        f.write(rules)
    first = poised.status()["kernel"]
    slow.hold()
    storm = site.r1.start("storm", ["sh", "-c", "while :; do ipvsadm -R <%s; done" % stranger])
    audits = set()
    wait_until("some looks at the table", lambda: audits.add(poised.status()["kernel"]["last_audit"]) or len(audits),
               lambda n: n > 3, within=60)
    storm.stop()
    slow.release()
    last = poised.status()["kernel"]
    assert last["drift"] == first["drift"], (first, last)
    if UNKNOWN not in poised.log():  # a machine that stood still: then the table is planned anew, with a dump that lacks some
        assert last["operations"] == first["operations"], (first, last)
    assert len([port for port in ports(site.r1) if port >= 9000]) == 150


def test_counters_of_64_bits_on_their_way(site):
    """What the kernel counts comes out undiminished, summed up for a service that is three of the kernel."""
    large = Hold(site.r1, "poise-ipvs", "large")
    group = "virtual_server_group three {\n\t192.0.2.20-22 80\n}\n" + web().replace(
        "virtual_server %s 80" % VIP, "virtual_server group three")
    poised = site.r1.poised(configuration(group), env=large.env)
    wanted = ["connections", "packets_in", "packets_out", "bytes_in", "bytes_out"]

    def counters():
        service = (poised.status().get("services") or [{}])[0]
        return [{entry.get(name) for name in wanted} for entry in [service] + service.get("servers", [])]

    wait_until("the counters of service and servers", counters, lambda seen: seen == [{3 << 40}] * 4, within=20)
    metrics = poised.poisectl("metrics").stdout
    assert "poise_service_bytes_out_total" in metrics and "} %d\n" % (3 << 40) in metrics
