# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands around the services: on which router they are, kernel settings, the synchronisation's parameters."""

import os

import pytest

from poiselab import wait_until
from poiselab.configs import HTTP_CHECK, instance, nat_site, service
from poiselab.daemons import Nginx, program
from poiselab.hold import Hold
from poiselab.site import BACK4, FRONT4, GATEWAY, VIP

pytestmark = pytest.mark.ipvs

ROUTERS = [FRONT4 + "2", FRONT4 + "3"]


def sysctl(router, name):
    return router.run("sysctl", "-n", name).strip()


def services_of(router):
    return [line for line in router.run("ipvsadm", "-Sn").splitlines() if line.startswith("-A")]


def connections(router):
    """That the kernel has counted for the web service, 0 when it does not stand there."""
    for line in router.run("ipvsadm", "-Ln", "--stats", "--exact").splitlines():
        if line.split()[:2] == ["TCP", VIP + ":80"]:
            return int(line.split()[2])
    return 0


def routers_that_serve(site):
    """Both routers are real servers: nginx everywhere, the virtual address on lo as well, ARP-silent."""
    for router in site.routers:
        router.namespace.sysctl({"ipv4/conf/all/arp_ignore": 1, "ipv4/conf/all/arp_announce": 2})
        router.namespace.ip("addr add %s/32 dev lo" % VIP)
        router.web = router.keep(Nginx(router))
        wait_until("nginx on " + router.short, lambda r=router: r.run("ss", "-Hltn"), lambda text: ":80 " in text)


def direct(priority, more):
    return instance("front", "front", 51, VIP + "/32", priority=priority) + service(ROUTERS, kind="DR", check="",
                                                                                  more=more)


def test_routers_that_are_real_servers_do_not_loop(site):
    """DR between the routers themselves: the backup serves what it is sent, and does not schedule it again."""
    routers_that_serve(site)
    first = site.r1.poised(direct(150, "master_only front"))
    second = site.r2.poised(direct(100, "master_only front"))
    wait_until("r1 to be master", lambda: first.state("front"), lambda seen: seen == "MASTER")
    wait_until("the service on r1", lambda: services_of(site.r1), lambda seen: len(seen) == 1)
    assert services_of(site.r2) == []
    wait_until("an answer", site.fetch, lambda body: body is not None)
    bodies = [site.fetch() for _ in range(20)]
    assert None not in bodies and set(bodies) == {"r1\n", "r2\n"}
    entry = second.status()["services"][0]
    assert entry["absent"] and "stands only where front is master" in entry["why"]
    assert not any(p["object"].startswith(VIP) for p in second.status()["problems"])
    first.stop()
    wait_until("the service on r2", lambda: services_of(site.r2), lambda seen: len(seen) == 1)
    second.wait_log("put into the kernel: front is MASTER (master_only)")
    # Without it the backup schedules too: what it sends on comes back, or goes astray.
    first = site.r1.poised(direct(150, ""))
    second.write(direct(100, ""))
    second.poisectl("reload")
    wait_until("r1 to be master", lambda: first.state("front"), lambda seen: seen == "MASTER")
    wait_until("services on both", lambda: services_of(site.r1) + services_of(site.r2), lambda seen: len(seen) == 2)
    before = connections(site.r2)
    for _ in range(8):
        site.fetch(seconds=1)
    wait_until("r2 to schedule what it was sent", lambda: connections(site.r2), lambda seen: seen > before)


def test_a_service_of_the_master_outlives_the_daemon(site):
    """Everything is killed at once: the next daemon is master again, and the service is not taken out before it knows."""
    site.r1.run("ip", "addr", "add", GATEWAY + "/24", "dev", "back")
    site.s1.nginx()
    text = (instance("front", "front", 51, VIP + "/32", priority=255, advert=5) +
            service([BACK4 + "11"], check="", more="master_only front"))
    late = Hold(site.r1, "poise-vrrp", "birth", hold=False)
    poised = site.r1.poised(text)
    wait_until("an answer", site.fetch, lambda body: body == "s1\n", within=20)
    wait_until("its count", lambda: connections(site.r1), lambda seen: seen > 0)
    counted = connections(site.r1)
    poised.kill()
    late.hold()
    again = site.r1.poised(text, env=late.env)
    again.wait_log("stand in the kernel's table", within=20)
    late.release()
    wait_until("r1 to be master again", lambda: again.state("front"), lambda seen: seen == "MASTER", within=20)
    wait_until("an answer", site.fetch, lambda body: body == "s1\n", within=20)
    wait_until("the count to go on", lambda: connections(site.r1), lambda seen: seen > counted)


def test_kernel_settings_come_and_go(site):
    wanted = "lvs_sysctl {\n\texpire_nodest_conn 1\n\tsync_threshold 2 20\n\tip_forward 1\n}"
    site.r1.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    text = "global_defs {\n\t%s\n}\n" + service([BACK4 + "11"], check="")
    poised = site.r1.poised(text % "")
    poised.wait_log("kernel setting ip_forward: it is off, so NAT servers get no packets: set lvs_sysctl { ip_forward 1 }")
    found = sysctl(site.r1, "net.ipv4.vs.sync_threshold")
    assert sysctl(site.r1, "net.ipv4.vs.expire_nodest_conn") == "0"
    poised.write(text % wanted)
    poised.poisectl("reload")
    wait_until("the settings", lambda: [sysctl(site.r1, "net.ipv4." + name) for name in (
        "vs.expire_nodest_conn", "vs.sync_threshold", "ip_forward")], lambda seen: seen == ["1", "2\t20", "1"])
    shown = poised.poisectl("show", "sysctl").stdout
    assert "expire_nodest_conn" in shown and "0 before" in shown, shown
    # Somebody else's hand is noticed within an audit.
    site.r1.run("sysctl", "-qw", "net.ipv4.vs.expire_nodest_conn=0")
    wait_until("the repair", lambda: sysctl(site.r1, "net.ipv4.vs.expire_nodest_conn"), lambda seen: seen == "1")
    # No longer wanted: back. Wanted again, everything dies, and the next daemon knows what there was.
    poised.write(text % wanted.replace("expire_nodest_conn 1", ""))
    poised.poisectl("reload")
    wait_until("one setting back", lambda: sysctl(site.r1, "net.ipv4.vs.expire_nodest_conn"), lambda seen: seen == "0")
    poised.kill()
    assert sysctl(site.r1, "net.ipv4.ip_forward") == "1"
    poised = site.r1.poised(text % wanted)
    wait_until("the setting again", lambda: sysctl(site.r1, "net.ipv4.vs.expire_nodest_conn"), lambda seen: seen == "1")
    poised.stop()
    assert [sysctl(site.r1, "net.ipv4." + name) for name in ("vs.expire_nodest_conn", "vs.sync_threshold",
                                                          "ip_forward")] == ["0", found, "0"]


def test_a_flow_of_datagrams_leaves_a_dead_server(site):
    """One port of a client keeps sending. The kernel drops it for as long as it does, unless expire_nodest_conn is asked
    for, which a reload may."""
    site.r1.run("ip", "addr", "add", VIP + "/32", "dev", "front")
    site.r1.run("ip", "addr", "add", GATEWAY + "/24", "dev", "back")
    servers = {server.short: server for server in site.servers[:2]}
    for server in servers.values():
        server.nginx()
        server.echo("udp", server.address)
    check = HTTP_CHECK.replace("connect_timeout 1", "connect_timeout 1\n\t\t\tconnect_port 80")
    text = "global_defs {\n\t%s\n}\n" + service([s.address for s in servers.values()], port=7000, check=check).replace(
        "protocol TCP", "protocol UDP")
    poised = site.r1.poised(text % "")

    def standing():
        return set(site.r1.ipvs().get(("UDP", VIP + ":7000"), {}))

    def answer():
        body, = site.ask_many("udp", 1, first=30000, seconds=1)
        return body

    wait_until("both servers", standing, lambda seen: len(seen) == 2)
    victim = wait_until("an answer", answer, servers.__contains__)
    assert answer() == victim  # the flow is the kernel's by now
    servers[victim].web.sick()
    wait_until("the server to be out", standing, lambda seen: len(seen) == 1)
    assert answer() not in servers
    poised.write(text % "lvs_sysctl {\n\t\texpire_nodest_conn 1\n\t}")
    poised.poisectl("reload")
    wait_until("an answer of the other server", answer, lambda body: body in servers and body != victim, within=20)
    assert len(standing()) == 1


def test_settings_of_a_dead_daemon_are_released(site):
    before = sysctl(site.r1, "net.ipv4.vs.sloppy_tcp") if site.r1.run("ipvsadm", "-Sn") == "" else ""
    poised = site.r1.poised("global_defs {\n\tlvs_sysctl {\n\t\tsloppy_tcp 1\n\t}\n}\n" +
                            service([BACK4 + "11"], check=""))
    wait_until("the setting", lambda: sysctl(site.r1, "net.ipv4.vs.sloppy_tcp"), lambda seen: seen == "1")
    poised.kill()
    site.r1.run(program("ipvs/poise-ipvs"), "--release", "--ledger", os.path.join(poised.rundir, "ledger.ipvs"))
    assert sysctl(site.r1, "net.ipv4.vs.sloppy_tcp") == before == "0"
    assert site.r1.run("ipvsadm", "-Sn") == ""


def test_parameters_of_the_synchronisation(site):
    poised = site.r1.poised(nat_site(150, check="", globals_=(
        "lvs_sync_daemon back front id 9 maxlen 1200 port 8855 ttl 3 group 224.0.0.99")))
    wait_until("the sender", lambda: site.r1.run("ipvsadm", "-L", "--daemon"), lambda text: "master" in text)
    text = site.r1.run("ipvsadm", "-L", "--daemon")
    for word in ("mcast=back", "syncid=9", "maxlen=1200", "group=224.0.0.99", "port=8855", "ttl=3"):
        assert word in text, text
    poised.write(nat_site(150, check="", globals_="lvs_sync_daemon back front id 9 port 8856"))
    poised.poisectl("reload")
    wait_until("the other port", lambda: site.r1.run("ipvsadm", "-L", "--daemon"), lambda text: "port=8856" in text)
