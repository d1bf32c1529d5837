# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of health check against a real server of its kind, and against those that misbehave: one router checks
them all at once, and each test changes one of them and reads what the operator reads."""

import os
import subprocess
import time
import sys

import pytest

from poiselab import Site, wait_until
from poiselab.site import BACK4

PEERS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "poiselab/peers.py")
PYTHON = "/usr/bin/python3"
S1 = BACK4 + "11"
FIRST_PORT = 20000
TIMES = "connect_timeout 1\n\t\t\tretry 0\n\t\t\tdelay_before_retry 0.2"
HTTP = "HTTP_GET {\n url { path / \n status_code 200 }\n %s\n}"
SSL = "SSL_GET {\n url { path / }\n virtualhost www.example.org\n enable_sni\n %s\n}"

PEER_PORTS = {"smtp": 2525, "agent": 5051, "talk": 6379, "grpc": 50051, "udp": 7007}
HOW = {"loris": 8081, "endless": 8082, "garbage": 8083, "half": 8084, "mute": 8085, "reset": 8086}
TLS_HOW = {"garbage": 8087, "mute": 8088, "reset": 8089}


def checks(folder):
    """{name: check}; each belongs to a server of its own, whose port is only a name."""
    ca = "tls_verify\n tls_ca %s/ca.pem\n" % folder
    found = {
        "tcp": (80, "TCP_CHECK { %s }"),
        "http": (80, HTTP),
        "ssl": (443, "SSL_GET {\n url { path /health }\n %s\n}"),
        "tls": (443, "TLS_CHECK { %s }"),
        "smtp": (2525, "SMTP_CHECK {\n helo_name lb.example.org\n %s\n}"),
        "dns": (53, "DNS_CHECK {\n type A\n name www.example.org\n %s\n}"),
        "dns_missing": (53, "DNS_CHECK {\n type A\n name nowhere.example.org\n %s\n}"),
        "udp": (7007, "UDP_CHECK {\n payload 50494e47\n require_reply 5X49 4ex7\n %s\n}"),
        "ping": (None, "PING_CHECK { %s }"),
        "agent": (5051, "AGENT_CHECK { %s }"),
        "talk": (6379, "TCP_CHECK {\n expect_regex \"^hello [0-9.]+\"\n send \"PING\\r\\n\"\n expect_hex 2b504f4e47\n "
                       "expect_regex \" [0-9]+\"\n %s\n}"),
        "grpc": (50051, "GRPC_CHECK { %s }"),
        "file": (None, "FILE_CHECK {\n file %s/state.file\n %%s\n}" % folder),
        "tracked": (None, "FILE_CHECK {\n track_file load\n weight 2\n dynamic\n %s\n}"),
        "misc": (None, "MISC_CHECK {\n misc_path \"%s/misc.sh\"\n misc_dynamic\n misc_timeout 1\n retry 0\n}" % folder),
        "verified": (4433, SSL % (ca + " %s")),
        "expired": (4431, SSL % (ca + " %s")),
        "expired_unverified": (4431, SSL % "cert_expiry_failure 1\n %s"),
        "other_name": (4432, SSL % (ca + " %s")),
        "untrusted": (443, SSL % "tls_verify\n %s"),
        "expires_soon": (4433, SSL % (ca + " cert_expiry_failure 30\n %s")),
        "client_certificate": (4434, SSL % (ca + " tls_cert %s/client.pem\n tls_key %s/client.key\n %%s" % (folder, folder))),
        "locked_key": (4434, SSL % (ca + " tls_cert %s/client.pem\n tls_key %s/locked.key\n tls_key_password \"open it\"\n %%s" % (
            folder, folder))),
        "wrong_password": (4434, SSL % (ca + " tls_cert %s/client.pem\n tls_key %s/locked.key\n tls_key_password no\n %%s" % (
            folder, folder))),
        "no_client_certificate": (4434, SSL % (ca + " %s")),
        "old_version": (4435, SSL % (ca + " tls_min_version 1.3\n %s")),
        "alpn": (4436, SSL % (ca + " tls_alpn http/1.1\n %s")),
        "other_alpn": (4436, SSL % (ca + " tls_alpn h2\n %s")),
        "to_be_renewed": (4433, SSL % (ca + " cert_expiry_warning 30\n %s")),
        "elsewhere": (80, "TCP_CHECK {\n connect_ip %s99\n %%s\n}" % BACK4),
        "other_interface": (80, "TCP_CHECK {\n bind_if lo\n %s\n}"),
    }
    found.update({how: (port, HTTP) for how, port in HOW.items()})
    found.update({"tls_" + how: (port, "SSL_GET {\n url { path / }\n %s\n}") for how, port in TLS_HOW.items()})
    return {name: check % (TIMES + ("\n\t\t\tconnect_port %d" % port if port else "")) if "%s" in check else check
            for name, (port, check) in found.items()}


def configuration(folder):
    servers = "".join("\treal_server %s %d {\n\t\t%s\n\t}\n" % (S1, FIRST_PORT + i, check)
                      for i, check in enumerate(checks(folder).values()))
    tracked = "track_file load {\n\tfile %s/state.load\n}\n" % folder
    return tracked + "virtual_server 192.0.2.10 80 {\n\tdelay_loop 0.3\n\tlb_algo rr\n\tlb_kind NAT\n\tprotocol TCP\n%s}\n" % servers


def make_certificates(folder):
    """An authority, and certificates by it: name -> (names in it, days)."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", "-newkey", *curve, "-subj", "/CN=ca", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem")
    for name, (alternative, days) in {"good": ("www.example.org", 10), "expired": ("www.example.org", -1),
                                      "other": ("other.example.org", 10), "client": ("client", 10)}.items():
        with open("%s/%s.ext" % (folder, name), "w", encoding="ascii") as f:
            f.write("subjectAltName=DNS:%s\n" % alternative)
        openssl("req", "-newkey", *curve, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                str(days), "-extfile", name + ".ext", "-out", name + ".pem")
    # Of ten days nine are left from the next second on.
    made = int(time.time())
    wait_until("the certificates to be a second old", time.time, lambda now: int(now) > made)
    openssl("pkey", "-in", "client.key", "-aes256", "-passout", "pass:open it", "-out", "locked.key")


class World:
    """The site with every server, and the router that checks them."""

    def __init__(self, site):
        self.site, self.folder = site, site.folder
        self.checks = checks(self.folder)
        make_certificates(self.folder)
        self.misc("exit 0")
        site.s1.nginx(tls_pem=site.certificate())
        for kind, port in PEER_PORTS.items():
            self.peer(kind, port, kind)
        for how, port in HOW.items():
            self.peer("misbehave", port, how)
        for how, port in TLS_HOW.items():
            self.peer("misbehave", port, "tls_" + how)
        self.dns = site.s1.start("dnsmasq", ["dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "-p", "53",
                                             "--user=root", "--address=/www.example.org/192.0.2.1",
                                             "--local=/example.org/", "--pid-file=" + site.s1.path("dnsmasq.pid")])
        s_server = ["openssl", "s_server", "-www", "-quiet"]
        for port, name, more in ((4433, "good", []), (4431, "expired", []), (4432, "other", []),
                                 (4434, "good", ["-Verify", "1", "-verify_return_error", "-CAfile", self.folder + "/ca.pem"]),
                                 (4435, "good", ["-tls1_2"]), (4436, "good", ["-alpn", "http/1.1"])):
            site.s1.start("s_server-%d" % port, s_server + ["-accept", str(port), "-cert", "%s/%s.pem" % (self.folder, name),
                                                            "-key", "%s/%s.key" % (self.folder, name)] + more)
        ports = [port for kind, port in PEER_PORTS.items() if kind != "udp"] + list(range(4431, 4437))
        wait_until("all servers to listen", lambda: site.s1.run("ss", "-Hltn"),
                   lambda seen: all(":%d " % port in seen for port in ports), within=20)
        self.daemon = site.r1.poised(configuration(self.folder))
        self.health("tcp", "up", within=30)

    def peer(self, kind, port, state):
        self.site.s1.start(state, [PYTHON, PEERS, kind, str(port), self.path(state)])

    def path(self, name):
        return os.path.join(self.folder, "state." + name)

    def state(self, name, text):
        with open(self.path(name) + ".new", "w", encoding="utf-8") as f:
            f.write(text + "\n")
        os.chmod(f.name, 0o644)
        os.rename(f.name, self.path(name))

    def misc(self, line):
        path = os.path.join(self.folder, "misc.sh")
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n%s\n" % line)
        os.chmod(f.name, 0o755)
        os.rename(f.name, path)

    def server(self, name):
        return self.daemon.server(S1, self.port(name))

    def port(self, name):
        return FIRST_PORT + list(self.checks).index(name)

    def health(self, name, wanted, why="", within=15):
        """Waits for the verdict with that sentence; returns the server's entry."""
        return wait_until("%s to be %s: %s" % (name, wanted, why), lambda: self.server(name),
                          lambda s: s.get("health") == wanted and why in s["health_why"], within)


@pytest.fixture(scope="module")
def world():
    site = Site(servers=1, routers=1)
    try:
        yield World(site)
    except AssertionError:
        print(site.tails(), file=sys.stderr)
        raise
    finally:
        site.close()


@pytest.mark.parametrize("name, why", [
    ("tcp", "connected in"), ("http", "status 200 in"), ("ssl", "status 200 in"), ("tls", "handshake in"),
    ("smtp", "greeting and HELO in"), ("dns", "NOERROR, 1 record"), ("udp", "reply of 4 bytes"), ("ping", "answered in"),
    ("agent", "agent says \"up\""), ("talk", "conversation of 4 steps"), ("grpc", "SERVING, in"), ("file", "there is no file"),
    ("misc", "exit status 0"), ("verified", "status 200"), ("client_certificate", "status 200"),
    ("locked_key", "status 200"), ("alpn", "status 200")])
def test_a_well_server_passes(world, name, why):
    server = world.health(name, "up", why)
    check = server["checks"][0]
    assert check["reason"] == "passed" and set(check["history"]) <= {"."}


@pytest.mark.parametrize("name, why", [
    ("dns_missing", "name server answers NXDOMAIN"), ("expired", "certificate not trusted: certificate has expired: on 20"),
    ("expired_unverified", "day ago)"),
    ("other_name", "hostname mismatch: it is for other.example.org, wanted www.example.org"),
    ("untrusted", "certificate not trusted: self-signed certificate: "),
    ("expires_soon", "certificate expires in 9 days, wanted 30: on 20"),
    ("no_client_certificate", "it wants a certificate of ours"), ("old_version", "tls_min_version"),
    ("other_alpn", "tls_alpn"), ("elsewhere", " at " + BACK4 + "99:80)"), ("other_interface", "(TCP_CHECK at")])
def test_a_wrong_server_fails_with_its_cause(world, name, why):
    world.health(name, "down", why)


def test_a_check_that_cannot_run_says_why(world):
    world.health("wrong_password", "unknown", "not run: tls_cert and tls_key cannot be used")


def test_phases_are_told(world):
    server = world.health("ssl", "up")
    check = server["checks"][0]
    assert 0 < check["connect_us"] <= check["handshake_us"] <= check["first_byte_us"] <= check["duration_us"]
    world.health("verified", "up")
    assert world.server("verified")["checks"][0]["certificate_days"] == 9
    text = world.daemon.poisectl("why", "%s:%d" % (S1, world.port("ssl"))).stdout
    assert "SSL_GET" in text and "connected after" in text and "handshake after" in text and "runs failed" in text


def test_a_certificate_that_ends_soon_is_told(world):
    world.health("to_be_renewed", "up", "status 200")
    world.daemon.wait_log("the certificate expires in 9 days (SSL_GET / at %s:4433): renew it" % S1)


def test_smtp(world):
    assert "HELO lb.example.org" in world.site.s1.processes[1].log()
    world.state("smtp", "550 not you")
    world.health("smtp", "down", 'answer to HELO is not 250: "550 not you"')
    world.state("smtp", "shut")
    world.health("smtp", "down", 'greeting is not 220: "554 no service here"')
    world.state("smtp", "250-mail\r\n250 fine")
    world.health("smtp", "up")


def test_dns_that_is_gone(world):
    world.dns.kill()
    world.health("dns", "down", "refused")


def test_udp_without_and_with_another_reply(world):
    world.state("udp", "mute")
    world.health("udp", "down", "no reply within 1.0 s")
    # What is wanted must be the beginning of the reply.
    world.state("udp", "nearly: ")
    world.health("udp", "down", "reply of 11 bytes is not the one expected")
    world.state("udp", "")
    world.health("udp", "up", "reply of 4 bytes")


def test_agent_says_how_it_is(world):
    world.state("agent", "up 40%")
    assert world.health("agent", "up", "40%")["health_weight_percent"] == 40
    world.state("agent", "drain")
    server = world.health("agent", "up", "drains by its own word")
    assert server["draining"] and server["health_weight_percent"] == 0
    world.state("agent", "down #disk is full")
    world.health("agent", "down", "disk is full")
    world.state("agent", "ready 100%")
    assert world.health("agent", "up")["health_weight_percent"] == 100


def test_conversation(world):
    world.state("talk", "-LOADING")
    world.health("talk", "down", "step 3 did not find 2b504f4e47 within 1.0 s: \"-LOADING\"")
    world.state("talk", "+PONG 9")
    world.health("talk", "up")


def test_grpc_health(world):
    world.state("grpc", "2")
    world.health("grpc", "down", "health is NOT_SERVING, wanted SERVING")
    world.state("grpc", "unknown")
    world.health("grpc", "down", "gRPC status 5 (the service is not known)")
    world.state("grpc", "1")
    world.health("grpc", "up")


def test_file(world):
    world.state("file", "50")
    assert world.health("file", "up", "50")["health_weight_percent"] == 50
    world.state("file", "drain")
    assert world.health("file", "up", "drains by its own word")["draining"]
    world.state("file", "down")
    world.health("file", "down", "file says \"down\"")
    world.state("file", "up")
    world.health("file", "up", "file says \"up\"")


def test_track_file_as_in_keepalived(world):
    """Number x weight is added to the weight of the server."""
    world.health("tracked", "up", "the file says 0: the weight is 1")
    world.state("load", "4")
    assert world.health("tracked", "up", "the file says 4: the weight is 9")["checks"][0]["weight"] == 9
    world.state("load", "-3")
    assert world.health("tracked", "up", "the file says -3: the weight is 0")["checks"][0]["weight"] == 0
    world.state("load", "much")
    world.health("tracked", "down", 'the file has no number: "much"')


def test_program_with_dynamic_weight(world):
    world.misc("exit 12")
    server = world.health("misc", "up", "exit status 12 sets the weight to 10")
    assert server["checks"][0]["weight"] == 10
    world.misc("exit 1")
    world.health("misc", "down", "exit status 1")
    world.misc("exec sleep 30")
    world.health("misc", "down", "no result within 1000 ms")
    world.misc("exit 0")
    world.health("misc", "up")


def test_ping_of_a_host_that_is_gone(world):
    world.site.s1.cut()
    world.health("ping", "down", "no answer to two echo requests within 1.0 s")
    world.site.s1.restore()
    world.health("ping", "up", within=20)


@pytest.mark.parametrize("how, why", [
    ("loris", "answer not complete after 3.0 s"), ("endless", ""), ("garbage", "not an HTTP answer"),
    ("half", "closed after 9 of 100 bytes of body"), ("mute", "no answer within 1.0 s"), ("reset", "connection reset")])
def test_misbehaving_server_costs_its_own_check_only(world, how, why):
    world.health(how, "up", within=30)
    world.state(how, how)
    if how == "endless":
        # The status is right and no body is asked for: read out of politeness, but not without end.
        runs = world.server(how)["checks"][0]["runs"]
        wait_until("three runs", lambda: world.server(how)["checks"][0]["runs"], lambda n: n > runs + 3)
        world.health(how, "up")
    else:
        world.health(how, "down", why, within=30)
    world.health("http", "up")
    world.state(how, "well")
    world.health(how, "up", within=30)


@pytest.mark.parametrize("how, why", [
    ("garbage", "does not speak TLS"), ("mute", "TLS handshake not finished after 1.0 s"), ("reset", "reset")])
def test_misbehaving_tls_server(world, how, why):
    world.state("tls_" + how, how)
    world.health("tls_" + how, "down", why, within=30)


def test_all_of_that_is_on_time(world):
    # The daemon may have begun just now, for this test alone: what it knows of its checks as a whole it says each second.
    seen = wait_until("the checks to have run", lambda: world.daemon.status()["health_checks"],
                      lambda found: found["checks"] == len(world.checks) and found["runs"] > len(world.checks), within=30)
    assert seen["late"] == 0, world.daemon.log()[-4000:]


def test_nobody_runs_in_a_circle(world):
    """After all of that, a run costs next to nothing: whoever did not let go of a descriptor would use a whole core."""
    def used():
        total = 0
        for pid in world.daemon.family():
            with open("/proc/%d/stat" % pid, encoding="ascii") as f:
                total += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
        return total / os.sysconf("SC_CLK_TCK")

    before, runs = used(), world.daemon.status()["health_checks"]["runs"]
    wait_until("200 runs", lambda: world.daemon.status()["health_checks"]["runs"], lambda n: n >= runs + 200, 60, 0.5)
    assert used() - before < 1


def test_no_probe_needs_more_of_the_kernel_than_its_list_has(world):
    # One of them cannot: its key stays closed.
    able = [name for name in world.checks if name != "wrong_password"]
    wait_until("every check to have run", lambda: [name for name in able if not world.server(name)["checks"][0]["runs"]],
               lambda waiting: not waiting, 30)
    assert "was refused" not in world.daemon.log(), world.daemon.log()


@pytest.mark.nftables
def test_marks_low_ports_and_roots_files_come_from_the_parent():
    """The checker has no capability: what needs one is lent to it by the parent."""
    site = Site(servers=1, routers=1)
    try:
        site.s1.nginx()
        site.s1.start("dns", ["dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--user=root",
                              "--address=/www.example.org/192.0.2.1", "--pid-file=" + site.s1.path("dnsmasq.pid")])
        # Only what is marked may pass.
        site.r1.run("nft", "add table inet marks; add chain inet marks out { type filter hook output priority 0; }; "
                    "add rule inet marks out ip daddr %s meta mark != 77 reject" % S1)
        secret = os.path.join(site.folder, "secret.file")
        with open(secret, "w", encoding="ascii") as f:
            f.write("50\n")
        os.chmod(secret, 0o600)
        closed = os.path.join(site.folder, "closed")
        os.mkdir(closed, 0o700)
        marked = TIMES + "\n\t\t\tfwmark 77"
        wanted = {"http": HTTP % (marked + "\n connect_port 80"), "tcp": "TCP_CHECK {\n %s\n connect_port 80\n}" % marked,
                  "dns": "DNS_CHECK {\n type A\n name www.example.org\n %s\n connect_port 53\n}" % marked,
                  "ping": "PING_CHECK {\n %s\n}" % marked, "low": "TCP_CHECK {\n %s\n bind_port 999\n connect_port 80\n}" % marked,
                  "file": "FILE_CHECK {\n file %s\n}" % secret, "unmarked": "TCP_CHECK {\n %s\n connect_port 80\n}" % TIMES,
                  "refused": "FILE_CHECK {\n file %s/none\n}" % closed}
        servers = "".join("\treal_server %s %d {\n\t\t%s\n\t}\n" % (S1, FIRST_PORT + i, check)
                          for i, check in enumerate(wanted.values()))
        daemon = site.r1.poised("virtual_server 192.0.2.10 80 {\n\tdelay_loop 0.5\n\tprotocol TCP\n%s}\n" % servers)
        for i, name in enumerate(wanted):
            seen = wait_until(name + " to be known", lambda port=FIRST_PORT + i: daemon.server(S1, port),
                              lambda s: s.get("health", "unknown") != "unknown", within=20)
            assert seen["health"] == ("down" if name in ("unmarked", "refused") else "up"), (name, seen["health_why"])
        # The parent cannot open it either, and says so: that is an answer, and no reason to end.
        assert "the file cannot be read: No such file or directory" in seen["health_why"]
        assert all(role["restarts"] == 0 for role in daemon.status()["roles"])
        assert daemon.server(S1, FIRST_PORT + 5)["health_weight_percent"] == 50
        low = FIRST_PORT + list(wanted).index("low")
        # The source port is free again for each run.
        check = wait_until("three runs from port 999", lambda: daemon.server(S1, low)["checks"][0],
                           lambda c: c["runs"] > 3 and c["reason"] == "passed", within=10)
        assert check["failed_runs"] == 0 and "cannot" not in check["why"]
        assert "was refused" not in daemon.log(), daemon.log()
    except AssertionError:
        print(site.tails(), file=sys.stderr)
        raise
    finally:
        site.close()
