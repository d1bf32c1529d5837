# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's IPVS table is what the configuration says, whatever happens to it. Real kernel, real daemon, no VRRP."""

import os
import signal
import subprocess

import pytest

from poiselab import wait_until
from poiselab.configs import HTTP_CHECK, service
from poiselab.daemons import program
from poiselab.documents import commands
from poiselab.process import kill
from poiselab.site import BACK4, GATEWAY, VIP

pytestmark = pytest.mark.ipvs

# Every kind of service, forwarding and option that keepalived knows too: both daemons must make the same table of it.
EVERYTHING = """
global_defs {
	router_id all
}
virtual_server_group many {
	192.0.2.20-22 8080
	192.0.2.30 8081
	fwmark 77
}
virtual_server 192.0.2.10 80 {
	lb_algo wlc
	lb_kind NAT
	protocol TCP
	real_server 198.51.100.11 80 { weight 3 }
	real_server 198.51.100.12 8080 { weight 0 }
}
virtual_server 192.0.2.10 443 {
	lb_algo sh
	sh-port
	sh-fallback
	lb_kind DR
	protocol TCP
	persistence_timeout 120
	persistence_granularity 255.255.255.0
	real_server 198.51.100.11 443 { weight 1 }
	real_server 198.51.100.12 443 { weight 2 }
}
virtual_server 192.0.2.10 53 {
	lb_algo rr
	ops
	lb_kind TUN
	protocol UDP
	real_server 198.51.100.11 53 {
		weight 1
		uthreshold 100
		lthreshold 50
	}
}
virtual_server 2001:db8:1::10 80 {
	lb_algo mh
	lb_kind NAT
	protocol TCP
	persistence_timeout 60
	persistence_granularity 64
	real_server 2001:db8:2::11 80 { weight 1 }
}
virtual_server fwmark 5 {
	lb_algo lblcr
	lb_kind DR
	persistence_timeout 300
	real_server 198.51.100.13 80 { weight 1 }
}
virtual_server group many {
	lb_algo wrr
	lb_kind NAT
	protocol TCP
	sorry_server 198.51.100.13 80
	sorry_server_inhibit
	real_server 198.51.100.11 80 { weight 1 }
	real_server 198.51.100.12 80 { weight 4 }
}
virtual_server 192.0.2.10 4500 {
	lb_algo wlc
	lb_kind TUN type gue port 6080 csum
	protocol UDP
	real_server 198.51.100.11 4500 { weight 1 }
	real_server 198.51.100.12 4500 {
		lvs_method TUN type gre csum
		weight 1
	}
}
virtual_server 192.0.2.10 5060 {
	lb_algo dh
	lb_kind DR
	protocol SCTP
	real_server 198.51.100.11 5060 { weight 1 }
}
"""

# What tests/lab/ipvs_refusals asks for: the errno, and words of the sentence.
REFUSALS = {
    "scheduler": ("ENOENT", "scheduler nosuch: the running kernel has no ip_vs_nosuch module; load or install it"),
    "engine": ("ENOENT", "engine nosuch or scheduler wlc: the running kernel has no ip_vs_pe_nosuch or ip_vs_wlc module"),
    "granularity": ("EINVAL", "check persistence granularity"),
    "family": ("EAFNOSUPPORT", "CONFIG_IP_VS_IPV6"),
    "set a missing service": ("ESRCH", "somebody else has just removed this service"),
    "delete a missing service": ("ESRCH", "somebody else has just removed this service"),
    "a service again": ("EEXIST", "somebody else has just added this service"),
    "change of scheduler": ("ENOENT", "scheduler nosuch: the running kernel has no ip_vs_nosuch module"),
    "server of a missing service": ("ESRCH", "its service is not in the kernel"),
    "set a missing server": ("ENOENT", "somebody else has just removed this server"),
    "delete a missing server": ("ENOENT", "somebody else has just removed this server"),
    "weight": ("ERANGE", "the weight -1"),
    "thresholds": ("ERANGE", "lower threshold 9 is above the upper one, which is 5"),
    "a server again": ("EEXIST", "somebody else has just added this server"),
    "broadcast": ("EINVAL", "broadcast and multicast addresses"),
    "multicast": ("EINVAL", "broadcast and multicast addresses"),
    "other family by NAT": ("EINVAL", "must be reached by TUN"),
    "GUE without a port": ("EINVAL", "needs a port"),
    "address of a link": ("EINVAL", "link-local"),
    "daemon without an interface": ("ENODEV", "interface nosuch0 does not exist"),
    "stop of a daemon that does not run": ("ESRCH", "it does not run any more"),
    "group of a daemon": ("EINVAL", "its group is no multicast address"),
    "a daemon again": ("EEXIST", "somebody else has just started one"),
    "other family beside a daemon": ("EINVAL", "stop the sync daemon"),
    "daemon beside another family": ("EINVAL", "servers have another address family"),
    "no permission": ("EPERM", "poised needs CAP_NET_ADMIN")}

SERVERS = [BACK4 + "11", BACK4 + "12", BACK4 + "13"]


def rules(router):
    return sorted(line.strip() for line in router.run("ipvsadm", "-Sn").splitlines() if line.strip())


def wait_rules(router, count, within=10):
    return wait_until("%d rules in the kernel" % count, lambda: rules(router), lambda seen: len(seen) == count, within)


def weights(router, address=VIP, port=80):
    table = router.ipvs().get(("TCP", "%s:%d" % (address, port)), {})
    return {name.split(":")[0]: entry["weight"] for name, entry in table.items()}


def nat_router(router):
    """The addresses that VRRP would put there."""
    router.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    router.run("ip", "addr", "add", GATEWAY + "/24", "dev", "back")


def web(servers=SERVERS, **options):
    return service(servers, check="", **options)


def count_served(router):
    """Connections that the kernel has counted for the web service."""
    for line in router.run("ipvsadm", "-Ln", "--stats", "--exact").splitlines():
        if line.split()[:2] == ["TCP", VIP + ":80"]:
            return int(line.split()[2])
    return None


def wait_served(router, count):
    """The kernel sums up its counters every two seconds."""
    wait_until("%d connections counted" % count, lambda: count_served(router), lambda seen: seen == count)


def test_any_table_to_any_other(site):
    """200 random tables with a foreign service between them, straight through planner and codec."""
    done = site.r1.run(program("tests/lab/ipvs_pairs"), "200")
    assert "200 tables reached, 0 refusals" in done


def test_same_table_as_keepalived(site):
    site.r1.poised(EVERYTHING)
    site.r2.keepalived(EVERYTHING)
    expected = wait_rules(site.r2, 12 + 25, within=15)
    wait_until("the same table", lambda: rules(site.r1), lambda seen: seen == expected)
    for more in ("--thresholds", "--persistent-conn"):
        assert site.r1.run("ipvsadm", "-Ln", more) == site.r2.run("ipvsadm", "-Ln", more)


def test_changes_of_others_are_repaired(site):
    poised = site.r1.poised(web())
    before = wait_rules(site.r1, 4)
    for command in (["-C"], ["-d", "-t", VIP + ":80", "-r", SERVERS[1] + ":80"], ["-D", "-t", VIP + ":80"],
                    ["-e", "-t", VIP + ":80", "-r", SERVERS[2] + ":80", "-m", "-w", "9"],
                    ["-E", "-t", VIP + ":80", "-s", "lc", "-p", "99"]):
        site.r1.run("ipvsadm", *command)
        # It may be repaired before anybody has looked: the log tells. The audit interval is 5 s by default; starting ipvsadm in a slow guest takes some time as well.
        wait_until("repair of " + " ".join(command), lambda: rules(site.r1), lambda seen: seen == before, within=5.5)
    assert poised.log().count("someone else changed") >= 5


def test_reloads_do_not_keep_the_audit_from_its_end(site):
    """An autoscaler may reload every second; what others do to the table is still seen."""
    poised = site.r1.poised(web())
    before = wait_rules(site.r1, 4)
    site.r1.run("ipvsadm", "-C")

    def reload_and_look():
        # Nothing that the kernel would see, or the reload itself would find out.
        number = poised.status()["generation"]
        poised.write(web().replace("delay_loop 1", "delay_loop %d" % (2 + number % 2)))
        poised.poisectl("reload")
        return rules(site.r1)

    wait_until("repair between reloads", reload_and_look, lambda seen: seen == before, within=20, every=0.3)
    poised.wait_log("someone else changed")


def test_entries_of_others_are_left_alone(site):
    site.r1.run("ipvsadm", "-A", "-t", "192.0.2.99:81", "-s", "rr")
    site.r1.run("ipvsadm", "-a", "-t", "192.0.2.99:81", "-r", SERVERS[0] + ":81", "-m")
    poised = site.r1.poised(web())
    wait_rules(site.r1, 6)
    site.r1.run("ipvsadm", "-a", "-t", VIP + ":80", "-r", BACK4 + "77:80", "-m", "-w", "2")
    poised.wait_log("192.0.2.99:81/tcp: this service was entered by someone else")
    poised.wait_log("server 198.51.100.77:80 was entered by someone else")
    poised.write(web(SERVERS[:2]))
    poised.signal(signal.SIGHUP)
    wait_rules(site.r1, 6)
    assert set(weights(site.r1)) == set(SERVERS[:2]) | {BACK4 + "77"}
    assert poised.log().count("was entered by someone else") == 2
    poised.stop()
    assert rules(site.r1) == ["-A -t 192.0.2.99:81 -s rr", "-a -t 192.0.2.99:81 -r 198.51.100.11:81 -m -w 1"]


def test_reload_changes_only_the_difference(site):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx()
    poised = site.r1.poised(web(scheduler="wrr"), "-D")
    wait_rules(site.r1, 4)
    for _ in range(6):
        assert site.fetch() is not None
    served = 6
    wait_served(site.r1, served)
    poised.write(web(scheduler="wrr").replace("weight 1", "weight 7", 1))
    size = len(poised.log())
    poised.signal(signal.SIGHUP)
    wait_until("the new weight", lambda: weights(site.r1), lambda seen: seen.get(SERVERS[0]) == 7)
    assert count_served(site.r1) == served
    poised.wait_log("weight 1 -> 7")
    commands = [line for line in poised.log()[size:].splitlines() if "set server" in line or "new server" in line or
                "set service" in line or "new service" in line or "del se" in line]
    assert len(commands) == 1, commands
    # A scheduler is changed in place: the service's counters go on.
    poised.write(web(scheduler="lc").replace("weight 1", "weight 7", 1))
    poised.signal(signal.SIGHUP)
    wait_until("the new scheduler", lambda: rules(site.r1), lambda seen: "-A -t %s:80 -s lc" % VIP in seen)
    assert count_served(site.r1) == served


def test_the_role_dies_and_its_successor_adopts(site):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx()
    poised = site.r1.poised(web())
    before = wait_rules(site.r1, 4)
    assert site.fetch() is not None
    wait_served(site.r1, 1)
    old = poised.role_pids("ipvs")
    kill(old)
    wait_until("a new ipvs role", lambda: poised.role_pids("ipvs"), lambda pids: pids and pids != old)
    site.r1.run("ipvsadm", "-d", "-t", VIP + ":80", "-r", SERVERS[0] + ":80")
    wait_until("the successor to do its work", lambda: rules(site.r1), lambda seen: seen == before)
    assert count_served(site.r1) == 1


def test_everything_dies_and_the_next_daemon_adopts(site):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx()
    poised = site.r1.poised(web())
    before = wait_rules(site.r1, 4)
    assert site.fetch() is not None
    wait_served(site.r1, 1)
    poised.kill()
    assert rules(site.r1) == before
    # While nobody looks, someone else works on the table; and the configuration is another one afterwards.
    site.r1.run("ipvsadm", "-A", "-t", "192.0.2.99:81", "-s", "rr")
    site.r1.run("ipvsadm", "-e", "-t", VIP + ":80", "-r", SERVERS[0] + ":80", "-m", "-w", "9")
    again = site.r1.poised(web(SERVERS) + web(SERVERS[:1], port=8080))
    after = wait_until("the new table", lambda: rules(site.r1), lambda seen: len(seen) == 7)
    assert "-A -t 192.0.2.99:81 -s rr" in after
    assert weights(site.r1) == dict.fromkeys(SERVERS, 1)
    assert count_served(site.r1) == 1  # the service was never removed
    again.kill()
    ledger = os.path.join(again.rundir, "ledger.ipvs")
    done = site.r1.run(program("ipvs/poise-ipvs"), "--release", "--ledger", ledger)
    assert rules(site.r1) == ["-A -t 192.0.2.99:81 -s rr"], done


def test_a_failed_server_leaves_and_comes_back(site):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx()
    poised = site.r1.poised(service(SERVERS, check=HTTP_CHECK))
    wait_rules(site.r1, 4)
    site.s2.web.sick()
    wait_until("s2 to be out", lambda: weights(site.r1), lambda seen: set(seen) == {SERVERS[0], SERVERS[2]})
    poised.wait_log("ipvs 192.0.2.10:80/tcp: server 198.51.100.12:80 removed: ")
    assert "(2 of 3 servers left)" in poised.log()
    site.s2.web.well()
    wait_until("s2 to be back", lambda: weights(site.r1), lambda seen: set(seen) == set(SERVERS))


def test_inhibit_and_sorry_server(site):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx()
    site.r1.poised(service(SERVERS[:2], check="inhibit_on_failure\n\t\t" + HTTP_CHECK,
                           more="quorum 2\nhysteresis 0\nsorry_server %s 80" % SERVERS[2]))
    wait_until("two servers", lambda: weights(site.r1), lambda seen: seen == {SERVERS[0]: 1, SERVERS[1]: 1})
    site.s2.web.sick()
    wait_until("the sorry server", lambda: weights(site.r1),
               lambda seen: seen == {SERVERS[0]: 0, SERVERS[1]: 0, SERVERS[2]: 1})
    assert site.fetch() == "s3\n"
    site.s2.web.well()
    wait_until("both servers again", lambda: weights(site.r1), lambda seen: seen == {SERVERS[0]: 1, SERVERS[1]: 1})
    assert site.fetch() in ("s1\n", "s2\n")


def direct_servers(site, heading):
    """Servers that were made as doc/servers.md says below that heading, and answer past the director, through r2."""
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    for server in site.servers:
        # The strictest that a server may have had before
        server.namespace.sysctl({"ipv4/conf/all/rp_filter": 1, "ipv4/conf/default/rp_filter": 1})
        for line in commands("doc/servers.md", heading):
            server.run(*line.replace("203.0.113.10", VIP).split())
        server.namespace.ip("route replace default via %s3" % BACK4)
        server.nginx()


@pytest.mark.parametrize("kind, heading", [("DR", "Direct routing"), ("TUN", "Tunnel: IPIP"), ("TUN type gre", "Tunnel: GRE"),
                                           ("TUN type gue port 6080", "Tunnel: GUE")])
def test_traffic_past_the_director(site, kind, heading):
    """60 connections by wrr with weights 1, 2, 3: each server gets its share, and its answers do not pass r1."""
    direct_servers(site, heading)
    text = web(scheduler="wrr", kind=kind)
    for weight, server in ((2, SERVERS[1]), (3, SERVERS[2])):
        head, tail = text.split(server, 1)
        text = head + server + tail.replace("weight 1", "weight %d" % weight, 1)
    site.r1.poised(text)
    wait_until("the weights", lambda: weights(site.r1), lambda seen: seen == dict(zip(SERVERS, (1, 2, 3))))
    wait_until("an answer", site.fetch, lambda body: body is not None)
    assert site.fetch_many(60) == {"s1": 10, "s2": 20, "s3": 30}
    statistics = site.r1.run("ipvsadm", "-Ln", "--stats", "--exact", "-t", VIP + ":80").splitlines()
    assert next(line for line in statistics if line.startswith("TCP")).split()[4] == "0"  # packets out


class Download:
    """A download of the client that is held in the middle until finish(); `server` is who serves it."""

    def __init__(self, site):
        self.path = site.client.path("big")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = site.client.start("curl", ["curl", "-sf", "-o", self.path, "http://%s/big" % VIP])
        wait_until("the download to begin", lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 0)
        os.kill(self.process.popen.pid, signal.SIGSTOP)
        table = site.r1.ipvs()[("TCP", VIP + ":80")]
        self.server = next(name for name, entry in table.items() if entry["active"]).split(":")[0]

    def finish(self, within=60):
        os.kill(self.process.popen.pid, signal.SIGCONT)
        status = wait_until("the download to end", self.process.popen.poll, lambda code: code is not None, within)
        return status, os.path.getsize(self.path)


def big_site(site, size_kb, rate):
    nat_router(site.r1)
    for server in site.servers:
        server.nginx(big_kb=size_kb, rate=rate)


def test_drain_waits_for_a_real_connection(site):
    big_site(site, 6000, "2000k")
    poised = site.r1.poised(web())
    wait_rules(site.r1, 4)
    download = Download(site)
    waiting = site.r1.start("poisectl", [program("ctl/poisectl"), "-r", poised.rundir, "drain", download.server,
                                         "--wait"])
    wait_until("weight 0", lambda: weights(site.r1).get(download.server), lambda seen: seen == 0)
    assert waiting.running()
    others = {site.fetch() for _ in range(6)}
    assert None not in others and len(others) == 2  # the drained one is not among them
    assert download.process.running()
    assert waiting.running()
    assert not poised.server(download.server).get("drained")
    assert download.finish() == (0, 6000 * 1024)
    assert wait_until("poisectl to end", waiting.popen.poll, lambda code: code is not None, within=20) == 0
    poised.wait_log("server %s:80 is drained" % download.server)
    poised.poisectl("undrain", download.server)
    wait_until("weight 1", lambda: weights(site.r1).get(download.server), lambda seen: seen == 1)


def test_a_server_that_left_the_configuration_is_drained(site):
    big_site(site, 6000, "2000k")
    poised = site.r1.poised(web())
    wait_rules(site.r1, 4)
    download = Download(site)
    poised.write(web([address for address in SERVERS if address != download.server]))
    poised.signal(signal.SIGHUP)
    wait_until("weight 0", lambda: weights(site.r1).get(download.server), lambda seen: seen == 0)
    poised.wait_log("server %s:80 left the configuration with 1 connections" % download.server)
    # A crash in between does not forget it.
    old = poised.role_pids("ipvs")
    kill(old)
    wait_until("a new ipvs role", lambda: poised.role_pids("ipvs"), lambda pids: pids and pids != old)
    assert download.finish() == (0, 6000 * 1024)
    wait_until("it to be gone", lambda: weights(site.r1), lambda seen: download.server not in seen, within=20)
    poised.wait_log("no longer configured, is removed: it is drained")


def test_a_server_that_left_is_given_its_time_and_no_more(site):
    """drain_timeout, while a connection stays; and none when it is 0."""
    big_site(site, 6000, "2000k")
    poised = site.r1.poised(web(more="drain_timeout 2"))
    wait_rules(site.r1, 4)
    download = Download(site)
    poised.write(web([address for address in SERVERS if address != download.server], more="drain_timeout 2"))
    poised.signal(signal.SIGHUP)
    poised.wait_log("server %s:80, no longer configured, is removed: drain_timeout is over" % download.server, within=20)
    wait_until("it to be gone", lambda: weights(site.r1), lambda seen: download.server not in seen)
    assert "server %s:80 left the configuration with 1 connections: weight 0" % download.server in poised.log()
    kill([download.process.popen.pid])
    download = Download(site)
    poised.write(web([address for address in SERVERS if address != download.server], more="drain_timeout 0"))
    poised.poisectl("reload", "--allow")  # a signal would be refused once the connection is known
    poised.wait_log("server %s:80 removed: it left the configuration" % download.server)
    wait_until("it to be gone", lambda: weights(site.r1), lambda seen: len(seen) == 2 and download.server not in seen)
    assert poised.log().count("left the configuration with") == 1
    kill([download.process.popen.pid])


def test_what_the_kernel_refuses(site):
    """Every refusal that can be had from this kernel, and the sentence that comes of it."""
    done = site.r1.run(program("tests/lab/ipvs_refusals"), "back")
    seen = {name: (error, text) for name, error, text in (line.split(": ", 2) for line in done.splitlines())}
    # And to one who may not.
    done = site.r1.run("setpriv", "--bounding-set=-net_admin", program("tests/lab/ipvs_refusals"), check=False)
    seen["no permission"] = tuple(done.strip().split(": ", 2)[1:])
    for name, (error, words) in REFUSALS.items():
        assert seen[name][0] == error and words in seen[name][1], (name, seen[name])


def test_a_scheduler_that_the_kernel_lacks(site):
    if subprocess.run(["modprobe", "-n", "-q", "ip_vs_twos"], check=False).returncode == 0:
        pytest.skip("this kernel has every scheduler")
    poised = site.r1.poised(web(scheduler="twos") + web(port=8080))
    poised.wait_log("scheduler twos: the running kernel has no ip_vs_twos module; load or install it")
    wait_until("the other service", lambda: weights(site.r1, port=8080), lambda seen: len(seen) == 3)
    assert weights(site.r1) == {}
    assert poised.log().count("has no ip_vs_twos") == 1
    poised.write(web(scheduler="rr") + web(port=8080))
    poised.signal(signal.SIGHUP)
    wait_until("the service", lambda: weights(site.r1), lambda seen: len(seen) == 3)


def test_lvs_flush(site):
    site.r1.run("ipvsadm", "-A", "-t", "192.0.2.99:81", "-s", "rr")
    site.r1.run("ipvsadm", "-A", "-t", VIP + ":80", "-s", "lc")
    poised = site.r1.poised("global_defs {\n\tlvs_flush\n\tlvs_flush_on_stop\n}\n" + web())
    wait_until("only our services", lambda: rules(site.r1),
               lambda seen: len(seen) == 4 and seen[0] == "-A -t %s:80 -s rr" % VIP)
    site.r1.run("ipvsadm", "-A", "-t", "192.0.2.99:81", "-s", "rr")
    poised.wait_log("192.0.2.99:81/tcp: this service was entered by someone else")
    poised.stop()
    assert rules(site.r1) == []


def test_release_needs_a_ledger():
    done = subprocess.run([program("ipvs/poise-ipvs"), "--release"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--ledger FILE" in done.stderr
    done = subprocess.run([program("ipvs/poise-ipvs"), "--release", "--ledger", "/nonexistent/ledger"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "No such file" in done.stderr


