# SPDX-License-Identifier: GPL-2.0-or-later
"""A site: two routers between a front and a back network, a client in front, web servers behind.

    client .50 --+-- front 192.0.2.0/24, 2001:db8:1::/64 --+-- r1 .2, r2 .3 --+-- back 198.51.100.0/24,    --+-- s1 .11
                                                                                   2001:db8:2::/64             s2 .12 ...
Every machine is a network namespace on a bridge in a namespace of its own, and the names carry the process id of the
test, so that many sites live on one machine. close() removes all of it.
"""

import atexit
import itertools
import json
import os
import shutil
import subprocess
import tempfile

from . import net
from .capture import Capture
from .daemons import Frr, Keepalived, Nginx, Poised, SnmpPair, TrapReceiver
from .probe import Probe
from .process import Process, kill, processes_in_namespaces, process_table, wait_until

FRONT4, FRONT6 = "192.0.2.", "2001:db8:1::"
BACK4, BACK6 = "198.51.100.", "2001:db8:2::"
VIP, VIP6 = FRONT4 + "10", FRONT6 + "10"
GATEWAY, GATEWAY6 = BACK4 + "1", BACK6 + "1"

ECHO = os.path.join(os.path.dirname(os.path.realpath(__file__)), "echo.py")

ROUTER_SYSCTLS = {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1, "ipv4/conf/all/rp_filter": 0,
                  "ipv4/conf/default/rp_filter": 0}


class Machine:
    """A namespace with a folder of its own and the processes that run in it."""

    settings = {}  # sysctls
    routes = ()  # ip(8) commands

    def __init__(self, site, short, cables):
        self.site, self.short, self.cables = site, short, cables
        self.folder = os.path.join(site.folder, short)
        os.makedirs(self.folder, exist_ok=True)
        self.processes = []
        self.namespace = net.Namespace(site.prefix + short, site.switch, [
            net.Cable(interface, "%s-%s" % (short, interface), bridge, mac, addresses)
            for interface, bridge, mac, addresses in cables])

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self, name):
        return os.path.join(self.site.logs, "%s-%s.log" % (self.short, name))

    def keep(self, process):
        self.processes.append(process)
        return process

    def start(self, name, argv, **more):
        """Starts any program on this machine."""
        return self.keep(Process("%s@%s" % (name, self.short), argv, self.log(name), self.namespace.name, **more))

    def echo(self, kind, address, port=7000):
        """Answers with the machine's name (echo.py: kind is udp or sctp)."""
        name = "echo-%s-%s" % (kind, address)
        process = self.start(name, ["/usr/bin/python3", ECHO, "serve", kind, address, str(port), self.short])
        wait_until("echo on " + self.short, lambda: open(self.log(name), encoding="utf-8").read(), lambda text: "ready" in text)
        return process

    def run(self, *argv, **more):
        """Runs a program on this machine to its end and returns its output."""
        return self.namespace.run(*argv, **more)

    def addresses(self, interface=None):
        return self.namespace.addresses(interface)

    def capture(self, interface):
        return self.site.keep(Capture(self.namespace.name, interface))

    def cut(self, interface=None, carrier=False):
        self.namespace.cut(interface, carrier)

    def restore(self, interface=None):
        self.namespace.restore(interface)

    def kill_all(self):
        """kill -9 of everything that runs on this machine."""
        kill(processes_in_namespaces({self.namespace.inode}))
        wait_until("everything on %s to be dead" % self.short,
                   lambda: processes_in_namespaces({self.namespace.inode}), lambda left: not left, within=5)
        for process in self.processes:
            process.running()  # takes its exit status, so that no zombie keeps its process id

    def snmp(self, mib_folder=None):
        pair = SnmpPair(self, mib_folder)
        self.keep(pair.trapd)
        self.keep(pair.snmpd)
        return pair

    def frr(self, configuration, daemon="vrrpd"):
        peer = Frr(self, configuration, daemon)
        self.processes += peer.programs
        return peer

    def trap_receiver(self, **more):
        return self.keep(TrapReceiver(self, **more))


class Router(Machine):
    """Runs poised or a peer."""

    settings = ROUTER_SYSCTLS

    def poised(self, configuration, *options, env=None):
        return self.keep(Poised(self, configuration, options, env=env))

    def keepalived(self, configuration):
        return self.keep(Keepalived(self, configuration))

    def reboot(self):
        """The machine loses power and comes up again: processes, addresses and kernel tables are gone."""
        self.kill_all()
        self.namespace.remove()
        shutil.rmtree(self.path("run"), ignore_errors=True)
        for name in os.listdir(self.folder):
            if name.endswith(".pid"):
                os.unlink(self.path(name))
        self.namespace.make(self.settings, self.routes)

    def ipvs(self):
        """The kernel's virtual services: {(protocol, "address:port" or mark): {"address:port": line as a dict}}."""
        services, servers = {}, {}
        for line in self.run("ipvsadm", "-Ln").splitlines():
            words = line.split()
            if words[:1] and words[0] in ("TCP", "UDP", "SCTP", "FWM"):
                servers = services.setdefault((words[0], words[1]), {})
            elif words[:1] == ["->"] and words[1] != "RemoteAddress:Port":
                servers[words[1]] = {"forward": words[2], "weight": int(words[3]), "active": int(words[4]),
                                     "inactive": int(words[5])}
        return services


class Server(Machine):
    """A real server, with the routers' back address as its gateway."""

    routes = ("route add default via " + GATEWAY, "route add default via " + GATEWAY6)

    @property
    def address(self):
        return self.cables[0][3][0].split("/")[0]

    @property
    def address6(self):
        return self.cables[0][3][1].split("/")[0]

    def nginx(self, **more):
        self.web = self.keep(Nginx(self, **more))
        wait_until("nginx on %s to listen" % self.short, self.listening, within=10)
        return self.web

    def listening(self):
        return ":80 " in self.run("ss", "-Hltn") + " "


class Site:
    """Makes the machines; `servers` is how many real servers there are."""

    numbers = itertools.count(1)

    def __init__(self, servers=3, routers=2):
        sweep()
        self.prefix = "poise%d-%d-" % (os.getpid(), next(Site.numbers))
        self.folder = tempfile.mkdtemp(prefix=self.prefix)
        os.chmod(self.folder, 0o755)
        self.logs = os.path.join(self.folder, "logs")
        os.mkdir(self.logs)
        self.machines, self.captures, self.switch = [], [], None
        atexit.register(self.close)
        try:
            self.build(routers, servers)
        except BaseException:
            self.close()
            raise

    def build(self, routers, servers):
        self.switch = net.Namespace(self.prefix + "sw")
        self.client = self.planned(Machine, "client", [("eth0", "front", "02:00:00:00:01:50", [FRONT4 + "50/24",
                                                                                          FRONT6 + "50/64"])])
        self.routers = [self.planned(Router, "r%d" % (i + 1), self.router_cables(i + 2)) for i in range(routers)]
        self.servers = [self.planned(Server, "s%d" % (i + 1), [("eth0", "back", "02:00:00:00:02:%02d" % (i + 11), [
            "%s%d/24" % (BACK4, i + 11), "%s%d/64" % (BACK6, i + 11)])]) for i in range(servers)]
        bridges = ["link add %s type bridge mcast_snooping 0 forward_delay 0" % b for b in ("front", "back")]
        bridges += ["link set front up", "link set back up"]
        net.make_namespaces([(self.switch, {}, bridges)] + [(machine.namespace, machine.settings, machine.routes)
                                                            for machine in self.machines])
        for machine in self.routers + self.servers:
            setattr(self, machine.short, machine)

    @staticmethod
    def router_cables(host):
        return [("front", "front", "02:00:00:00:01:%02d" % host, ["%s%d/24" % (FRONT4, host),
                                                                "%s%d/64" % (FRONT6, host)]),
                ("back", "back", "02:00:00:00:02:%02d" % host, ["%s%d/24" % (BACK4, host),
                                                                "%s%d/64" % (BACK6, host)])]

    def planned(self, kind, short, cables):
        machine = kind(self, short, cables)
        self.machines.append(machine)
        return machine

    def add(self, kind, short, cables):
        """One more machine: its class, short name and cables [(interface, bridge, mac, [address/prefix])]."""
        machine = self.planned(kind, short, cables)
        machine.namespace.make(machine.settings, machine.routes)
        return machine

    def keep(self, capture):
        self.captures.append(capture)
        return capture

    def probe(self, kind="tcp", address=VIP, port=80, interval_ms=10):
        """A client that knocks at the address all the time (see Probe)."""
        return Probe(self.client.start, kind, address, port, interval_ms)

    def certificate(self):
        """A self-signed certificate with its key in one file, made once."""
        pem = os.path.join(self.folder, "site.pem")
        if not os.path.exists(pem):
            net.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=site", "-days", "2", "-keyout", pem, "-out", pem + ".crt")
            with open(pem, "a", encoding="ascii") as out, open(pem + ".crt", encoding="ascii") as crt:
                out.write(crt.read())
        return pem

    def fetch(self, path="/", address=VIP, seconds=3):
        """One request of the client; the body, or None when there was no answer 200."""
        host = "[%s]" % address if ":" in address else address
        done = subprocess.run(["nsenter", "--net=/run/netns/" + self.client.namespace.name, "curl", "-sf", "--max-time",
                               str(seconds), "http://%s%s" % (host, path)], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def fetch_many(self, count, address=VIP, port=80, first=20000, seconds=5):
        """So many requests of the client from ports of its own from `first` on: {body: how often}."""
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "fetch.py")
        return json.loads(self.client.run("/usr/bin/python3", script, address, str(port), str(first), str(count),
                                          str(seconds)))

    def ask_many(self, kind, count, address=VIP, port=7000, first=20000, seconds=5, step=1):
        """The same for what echo.py answers: kind is udp or sctp. With step=0 all come from one port."""
        return json.loads(self.client.run("/usr/bin/python3", ECHO, "ask", kind, address, str(port), str(first), str(count),
                                          str(seconds), str(step)))

    def holders(self, address):
        """The routers that hold the address, by short name."""
        return [router.short for router in self.routers if address in router.addresses()]

    def tails(self, lines=40):
        """The last lines of every log, as one text."""
        parts = []
        for name in sorted(os.listdir(self.logs)):
            with open(os.path.join(self.logs, name), encoding="utf-8", errors="replace") as f:
                tail = f.read().splitlines()[-lines:]
            if tail and not name.startswith("client-probe"):
                parts.append("--- %s\n%s" % (name, "\n".join(tail)))
        return "\n".join(parts)

    def save_logs(self, name):
        """Keeps the logs in the results folder, if there is one."""
        results = os.environ.get("LAB_RESULTS")
        if results and os.path.isdir(results):
            shutil.copytree(self.logs, os.path.join(results, name), dirs_exist_ok=True)

    def close(self):
        """Ends everything that runs in the site and removes it."""
        atexit.unregister(self.close)
        for capture in self.captures:
            capture.close()
        namespaces = [machine.namespace for machine in self.machines] + ([self.switch] if self.switch else [])
        own = [process for machine in self.machines for process in machine.processes]
        for process in own:
            if process.running():
                process.popen.terminate()
        for process in own:
            process.discard()
        kill(processes_in_namespaces({namespace.inode for namespace in namespaces if namespace.inode}))
        net.run("ip", "-force", "-batch", "-", stdin="".join("netns del %s\n" % namespace.name
                                                            for namespace in namespaces), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep():
    """Removes the sites of tests that were killed before they could do it."""
    alive = process_table()
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        owner = name[5:name.find("-")] if name.startswith("poise") and "-" in name else ""
        if owner.isdigit() and int(owner) not in alive and int(owner) != os.getpid():
            try:
                kill(processes_in_namespaces({os.stat("/run/netns/" + name).st_ino}))
            except FileNotFoundError:
                continue  # someone else swept it
            net.run("ip", "netns", "del", name, check=False)
