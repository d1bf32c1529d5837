# SPDX-License-Identifier: GPL-2.0-or-later
"""Operating under traffic: drains of servers with long downloads, and reloads one after another. Nothing is cut that
was not asked to be."""

import json
import os
import re
import subprocess

import pytest

from poiselab import wait_until
from poiselab.clock import Clock
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.daemons import program
from poiselab.site import BACK4, FRONT4, VIP

pytestmark = pytest.mark.ipvs

SERVERS = [BACK4 + str(i + 11) for i in range(3)]
LONG = os.environ.get("POISE_LONG") == "1"

# Many downloads at once from one process: prints "open" when all have begun, then each end as a line, then a summary.
DOWNLOADS = """
import asyncio, json, sys

async def one(begun):
    got, length = 0, -1
    try:
        reader, writer = await asyncio.open_connection(sys.argv[1], 80)
        writer.write(b"GET /big HTTP/1.0\\r\\n\\r\\n")
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        begun.release()
        while data := await reader.read(65536):
            got += len(data)
    except (OSError, asyncio.IncompleteReadError) as error:
        begun.release()
        return "cut: %s after %d of %d" % (error, got, length)
    return "whole" if got == length else "cut: %d of %d" % (got, length)

async def main(n):
    begun = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(one(begun)) for _ in range(n)]
    for _ in range(n):
        await begun.acquire()
    print("open", flush=True)
    ends = [await task for task in tasks]
    print("ends " + json.dumps({end: ends.count(end) for end in set(ends)}), flush=True)

asyncio.run(main(int(sys.argv[2])))
"""


def downloads(site, n, name="downloads"):
    process = site.client.start(name, ["/usr/bin/python3", "-c", DOWNLOADS, VIP, str(n)])
    process.wait_log("open", within=60)
    return process


def ends(process, within=120):
    """What became of them: {"whole": 100}."""
    wait_until("the downloads to end", lambda: not process.running(), within=within)
    return json.loads(re.search(r"ends (.*)", process.log()).group(1))


def serving(site, configuration, env=None, **nginx):
    for server in site.servers:
        server.nginx(**nginx)
    poised = site.r1.poised(configuration, env=env)
    wait_until("every server to be up", lambda: [s["health"] for v in poised.status().get("services", [])
                                                 for s in v["servers"]], lambda seen: seen == ["up"] * 3, within=30)
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    return poised


def web(**more):
    return nat_site(150, check=TCP_CHECK, **more)


def test_a_drain_of_100_downloads_cuts_none(site):
    poised = serving(site, web(), rate="100k", big_kb=800)
    for server in SERVERS[1:]:
        poised.poisectl("weight", server, "0")
    process = downloads(site, 100)
    for server in SERVERS[1:]:
        poised.poisectl("weight", server, "default")
    wait_until("100 connections to one server", lambda: poised.server(SERVERS[0])["active"], lambda n: n >= 100, within=10)
    waiting = subprocess.Popen([program("ctl/poisectl"), "-r", poised.rundir, "drain", SERVERS[0], "--timeout", "5m",
                                "--then", "reset", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # Meanwhile a new client goes elsewhere, and the drain survives a reload and the end of its role.
    wait_until("the drain", lambda: poised.server(SERVERS[0])["admin"], lambda a: a == "drain", within=10)
    assert site.fetch().strip() in ("s2", "s3")
    poised.poisectl("reload")
    assert ends(process) == {"whole": 100}
    said, _ = waiting.communicate(timeout=150)
    assert waiting.returncode == 0, said
    assert "the last connection is gone" in said
    server = poised.server(SERVERS[0])
    assert (server["drained"], server["drain"]["cut"], server["drain"]["over"]) == (True, 0, False)


def test_a_drain_that_resets_says_how_many(site):
    poised = serving(site, web(), rate="20k", big_kb=4000)
    process = downloads(site, 12)
    victim = max(poised.status()["services"][0]["servers"], key=lambda s: s["active"])["address"]
    busy = wait_until("its connections", lambda: poised.server(victim)["active"], lambda n: n > 0, within=10)
    done = poised.poisectl("drain", victim, "--timeout", "3", "--then", "reset", "--wait", check=False, timeout=60)
    assert done.returncode == 4, done
    assert "the last %d connections were cut" % busy in done.stdout
    poised.wait_log("its time is over: %d connections are cut" % busy)
    assert victim not in [entry for entry in str(site.r1.ipvs()).split() if entry]
    poised.poisectl("undrain", victim)
    wait_until("the server to be back", lambda: poised.server(victim)["programmed"], within=10)
    assert poised.server(victim)["drain"] is None
    # Those of the others went on all the time.
    assert sum(s["active"] for s in poised.status()["services"][0]["servers"] if s["address"] != victim) == 12 - busy
    process.kill()


def test_known_clients_go_elsewhere_or_stay(site):
    """A persistent service sends the clients of a drained server to others, unless they are to be kept."""
    poised = serving(site, web().replace("\tprotocol TCP\n", "\tprotocol TCP\n\tpersistence_timeout 300\n"))

    def address(name):
        return BACK4 + str(10 + int(name[1:]))

    def drain(name, *more):
        poised.poisectl("drain", address(name), *more)
        wait_until("weight 0", lambda: site.r1.ipvs()["TCP", VIP + ":80"][address(name) + ":80"]["weight"],
                   lambda weight: weight == 0, within=15)

    home = site.fetch().strip()
    assert {site.fetch().strip() for _ in range(5)} == {home}
    drain(home)
    other = site.fetch().strip()
    assert other != home and {site.fetch().strip() for _ in range(5)} == {other}
    poised.poisectl("undrain", address(home))
    drain(other, "--keep-known", "--timeout", "1h", "--then", "keep")
    assert {site.fetch().strip() for _ in range(5)} == {other}
    server = wait_until("the client to be counted", lambda: poised.server(address(other)), lambda s: s["persistent"] == 1,
                        within=15)
    assert not server["drained"]
    # Another client is not known there.
    site.client.run("ip", "addr", "add", FRONT4 + "51/24", "dev", "eth0")
    assert site.client.run("curl", "-s", "--interface", FRONT4 + "51", "http://%s/" % VIP).strip() != other


def test_a_step_of_the_wall_clock_ends_no_drain(site):
    """Ten minutes stay ten minutes when the clock is put right by an hour; what was asked for after that is over first."""
    clock = Clock(site.r1)
    poised = serving(site, web(), rate="20k", big_kb=4000, env=clock.env)
    process = downloads(site, 12)
    busy = wait_until("busy servers", lambda: [s["address"] for s in poised.status()["services"][0]["servers"]
                                               if s["active"] > 0], lambda found: len(found) > 1, within=10)
    poised.poisectl("drain", busy[0], "--timeout", "600", "--then", "reset")
    wait_until("the drain", lambda: poised.server(busy[0]).get("admin"), lambda seen: seen == "drain")
    clock.set(3600)
    poised.poisectl("drain", busy[1], "--timeout", "2", "--then", "reset")
    poised.wait_log("server %s:80 is drained: its time is over" % busy[1], within=20)
    server = poised.server(busy[0])
    assert (server["drain"]["over"], server["drain"]["cut"]) == (False, 0)
    # Back again: what is over stays so.
    assert poised.server(busy[1])["drain"]["over"] is True
    clock.set(0)
    assert poised.server(busy[1])["drain"]["over"] is True
    assert server["active"] > 0 and busy[0] + ":80" in site.r1.ipvs()["TCP", VIP + ":80"]
    process.kill()


def test_a_server_that_is_added_again_at_once_is_whole(site):
    """Removed with connections it stands with weight 0 for them; that weight is not what it comes back with."""
    poised = serving(site, web(), rate="50k", big_kb=1000)
    process = downloads(site, 6)
    busy = wait_until("a busy server", lambda: max(poised.status()["services"][0]["servers"], key=lambda s: s["active"]),
                      lambda server: server["active"] >= 2, within=15)["address"]

    def weight():
        return site.r1.ipvs()["TCP", VIP + ":80"].get(busy + ":80", {}).get("weight")

    poised.poisectl("server", "remove", VIP + ":80", busy + ":80")
    wait_until("the weight of its last connections", weight, lambda w: w == 0, within=15)
    poised.poisectl("server", "add", VIP + ":80", busy + ":80")
    wait_until("its own weight", weight, lambda w: w == 1, within=15)
    server = poised.server(busy)
    assert (server["admin"], server["effective_weight"]) == ("normal", 1)
    assert ends(process) == {"whole": 6}


def usage(pid):
    """Resident memory in KiB and descriptors."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    return memory, len(os.listdir("/proc/%d/fd" % pid))


def test_a_storm_of_reloads_loses_nothing(site):
    """Alternating configurations: another weight, another scheduler, a service more, other tracked settings."""
    rounds = 1000 if LONG else 40
    first = web()
    second = (web(scheduler="wlc").replace("weight 1", "weight 2") +
              "virtual_server %s 8080 {\n\tlb_algo rr\n\tlb_kind NAT\n\tprotocol TCP\n\treal_server %s 8080 {\n\t}\n}\n" %
              (VIP, SERVERS[0]))
    poised = serving(site, first, rate="20k" if not LONG else "6k", big_kb=1000)

    def look_at_roles():
        # snmp may be waiting for an agent that is not there, and is none that traffic depends on.
        return {role["name"]: role["pid"] for role in poised.status()["roles"] if role["pid"] and role["name"] != "snmp"}

    process = downloads(site, 30)
    probe = site.probe("tcp", interval_ms=20)
    for number in range(rounds):
        poised.write(second if number % 2 == 0 else first)
        poised.poisectl("reload")
        if number == 9:
            roles = {**look_at_roles(), "parent": poised.pid}
            before = {name: usage(pid) for name, pid in roles.items()}
    # A machine that is too busy to let a role beat in time is no leak and no crash; everything else that ends one is.
    crashes = [line for line in poised.log().splitlines() if ": ended: " in line and "killed by signal 9" not in line]
    assert crashes == []
    alive = {**look_at_roles(), "parent": poised.pid}
    after = {name: usage(pid) for name, pid in alive.items() if roles.get(name) == pid}
    assert poised.status()["configuration"]["reloads"] == rounds
    assert (poised.state("front"), poised.vrrp("front")["became_master"]) == ("MASTER", 1)
    knocks = [answered for _, answered in probe.knocks()[:-50]]
    probe.stop()
    assert knocks.count(None) == 0, "%d of %d connections failed" % (knocks.count(None), len(knocks))
    assert ends(process, within=600 if LONG else 120) == {"whole": 30}
    for name, (memory, descriptors) in after.items():
        assert descriptors <= before[name][1] + 2, "%s: %d descriptors, then %d" % (name, before[name][1], descriptors)
        # An allocator may take another page or two; a leak of a table each time would be megabytes.
        assert memory <= before[name][0] + 512 + rounds, "%s: %d KiB, then %d" % (name, before[name][0], memory)
