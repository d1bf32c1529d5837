# SPDX-License-Identifier: GPL-2.0-or-later
"""How the real daemons are started in the foreground, each with files of its own so that many can run on a machine."""

import json
import os
import subprocess

from .process import Process, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))


def build_folder():
    """Where the programs were built: $POISE_BUILD, else the tree itself, else where tests/run builds."""
    for folder in (os.environ.get("POISE_BUILD"), TOP, os.path.join(TOP, "tests/out/build")):
        if folder and os.access(os.path.join(folder, "daemon/poised"), os.X_OK):
            return folder
    raise RuntimeError("daemon/poised is not built (looked in $POISE_BUILD, the tree and tests/out/build)")


def program(name):
    return os.path.join(build_folder(), name)


def program_of(pid):
    """The name of a process's program, "" when it has ended."""
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return ""


class Poised(Process):
    """poised in the foreground with a run directory of its own, and its poisectl."""

    def __init__(self, machine, configuration, options=(), dialect_name="keepalived.conf", env=None):
        self.machine = machine
        self.rundir = machine.path("run")
        self.conf_path = machine.path(dialect_name)
        self.answers = False
        self.write(configuration)
        super().__init__("poised@" + machine.short, [program("daemon/poised"), "-n", "-l", *options, "-f",
                                                     self.conf_path, "-r", self.rundir],
                         machine.log("poised"), machine.namespace.name, env={**sanitizer_options(), **(env or {})})

    def write(self, configuration):
        """Replaces the file at once: a reload that is still under way must not read half of it."""
        with open(self.conf_path + ".new", "w", encoding="utf-8") as f:
            f.write(configuration)
        os.replace(self.conf_path + ".new", self.conf_path)

    def poisectl(self, *words, check=True, timeout=30):
        """Runs poisectl; returns the finished process with its output as text. What must succeed (check) is asked once the
        daemon has opened its socket."""
        if check and not self.answers:
            wait_until("the control socket", lambda: os.path.exists(os.path.join(self.rundir, "control.sock")) or
                       not self.running())
            self.answers = True
        done = subprocess.run([program("ctl/poisectl"), "-r", self.rundir, *words], capture_output=True, text=True,
                              timeout=timeout, check=False, env={**os.environ, **sanitizer_options()})
        if check and done.returncode:
            raise AssertionError("poisectl %s: status %d: %s%s" % (" ".join(words), done.returncode, done.stdout,
                                                                   done.stderr))
        return done

    def status(self):
        """What `poisectl status --json` says, or {} while there is no answer yet."""
        done = self.poisectl("status", "--json", check=False)
        try:
            return json.loads(done.stdout) if done.returncode == 0 else {}
        except json.JSONDecodeError as error:
            raise AssertionError("poisectl status --json is not JSON: %s\n%s" % (error, done.stdout[:2000])) from None

    def vrrp(self, name):
        """The entry of an instance in the status, or {}."""
        return next((vr for vr in self.status().get("vrrp", []) if vr["name"] == name), {})

    def state(self, name):
        return self.vrrp(name).get("state")

    def server(self, address, port=80, service=None):
        """The entry of a real server (in the service of that address), or {}."""
        for entry in self.status().get("services", []):
            if service in (None, entry.get("address")):
                for server in entry["servers"]:
                    if (server["address"], server["port"]) == (address, port):
                        return server
        return {}

    def family(self):
        """Without the reader that stands by for the next reload: it comes and goes."""
        return [pid for pid in super().family() if program_of(pid) != "poise-config"]

    def role_pids(self, role):
        """The process ids of one role, by the name of its program."""
        return [pid for pid in super().family() if program_of(pid) in (role, "poise-" + role)]


def sanitizer_options():
    return {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:" + os.environ.get("ASAN_OPTIONS", ""),
            "UBSAN_OPTIONS": "print_stacktrace=1:" + os.environ.get("UBSAN_OPTIONS", "")}


class Keepalived(Process):
    """Debian's keepalived in the foreground."""

    def __init__(self, machine, configuration):
        self.conf_path = machine.path("peer.conf")
        with open(self.conf_path, "w", encoding="utf-8") as f:
            f.write(configuration)
        pids = [option + machine.path("keepalived." + name)
                for option, name in (("--pid=", "pid"), ("--vrrp_pid=", "vrrp.pid"), ("--checkers_pid=", "checkers.pid"),
                                        ("--bfd_pid=", "bfd.pid"))]
        super().__init__("keepalived@" + machine.short, ["keepalived", "-n", "-l", "-G", "-D", "-f", self.conf_path, *pids],
                         machine.log("keepalived"), machine.namespace.name)


NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	client_body_temp_path {folder}/nginx-body;
	proxy_temp_path {folder}/nginx-proxy;
	fastcgi_temp_path {folder}/nginx-fastcgi;
	uwsgi_temp_path {folder}/nginx-uwsgi;
	scgi_temp_path {folder}/nginx-scgi;
	default_type text/plain;
	keepalive_timeout 0;
	server {{
		listen 80 reuseport;
		listen [::]:80 reuseport;
		{tls}
		location = / {{ return 200 "{name}\\n"; }}
		location = /health {{ root {folder}/www; }}
		location = /big {{ root {folder}/www; limit_rate {rate}; }}
	}}
}}
"""

TLS = """listen 443 ssl;
		listen [::]:443 ssl;
		ssl_certificate {pem};
		ssl_certificate_key {pem};"""


class Nginx(Process):
    """A web server. / says the machine's name, /health is there until sick() is called, /big comes slowly."""

    def __init__(self, machine, tls_pem=None, rate="200k", big_kb=4096):
        self.www = machine.path("www")
        os.makedirs(self.www, exist_ok=True)
        os.chmod(self.www, 0o755)
        with open(self.www + "/big", "wb") as f:
            f.truncate(big_kb * 1024)
        self.well()
        conf = machine.path("nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(NGINX.format(folder=machine.folder, name=machine.short, rate=rate,
                                 tls=TLS.format(pem=tls_pem) if tls_pem else ""))
        super().__init__("nginx@" + machine.short, ["nginx", "-c", conf, "-e", "stderr"], machine.log("nginx"),
                         machine.namespace.name)

    def sick(self):
        """/health answers 404 from now on; connections are still accepted."""
        os.unlink(self.www + "/health")

    def well(self):
        with open(self.www + "/health", "w", encoding="ascii") as f:
            f.write("fine\n")


class SnmpPair:
    """A real snmpd with an AgentX socket, and a real snmptrapd that gets its traps and prints them as numbers."""

    def __init__(self, machine, mib_folder=None):
        self.socket = machine.path("agentx")
        env = {"SNMP_PERSISTENT_DIR": machine.path("snmp"), "SNMPCONFPATH": machine.path("snmp"), "MIBS": ""}
        mibs = ["-M", "+" + mib_folder, "-m", "ALL"] if mib_folder else []
        with open(machine.path("snmptrapd.conf"), "w", encoding="ascii") as f:
            f.write("disableAuthorization yes\n")
        with open(machine.path("snmpd.conf"), "w", encoding="ascii") as f:
            f.write("rocommunity public 127.0.0.1\nmaster agentx\nagentXSocket %s\nagentXPerms 0777 0755\n"
                    "trap2sink 127.0.0.1:162 public\n" % self.socket)
        self.trapd = Process("snmptrapd@" + machine.short, [
            "snmptrapd", "-f", "-Lo", "-C", "-c", machine.path("snmptrapd.conf"), "-On", *mibs, "-p",
            machine.path("snmptrapd.pid"), "udp:127.0.0.1:162"], machine.log("snmptrapd"), machine.namespace.name, env)
        self.snmpd = Process("snmpd@" + machine.short, [
            "snmpd", "-f", "-Lo", "-C", "-c", machine.path("snmpd.conf"), "-p", machine.path("snmpd.pid"),
            "udp:127.0.0.1:161"], machine.log("snmpd"), machine.namespace.name, env)

    def traps(self):
        """The traps so far, one string each, with numeric object identifiers."""
        return [line for line in self.trapd.log().splitlines() if ".1.3.6.1.6.3.1.1.4.1.0" in line]


class Frr:
    """zebra and another daemon of FRR, with sockets of their own."""

    def __init__(self, machine, configuration, daemon="vrrpd"):
        vty = machine.path("frr")
        self.machine, self.vty = machine, vty
        os.makedirs(vty, exist_ok=True)
        os.chmod(vty, 0o777)
        self.programs = []
        for name in ("zebra", daemon):
            conf = machine.path(name + ".conf")
            with open(conf, "w", encoding="ascii") as f:
                f.write(configuration if name == daemon else "")
            os.chmod(conf, 0o644)
            self.programs.append(Process("%s@%s" % (name, machine.short), [
                "/usr/lib/frr/" + name, "-f", conf, "-i", vty + "/" + name + ".pid", "-z", vty + "/zserv",
                "--vty_socket", vty, "-P", "0", "--log", "stdout", "--log-level", "debugging"] +
                (["--bfdctl", vty + "/bfdd.sock"] if name == "bfdd" else []),
                machine.log(name), machine.namespace.name))

    def ask(self, command):
        """What vtysh answers, "" while the daemon does not listen yet."""
        try:
            return self.machine.run("vtysh", "--vty_socket", self.vty, "-c", command)
        except RuntimeError:
            return ""


class TrapReceiver(Process):
    """snmptrapd that knows the names of POISE-MIB and takes notifications from anywhere. users: (engine ID of the sender
    or "" for its own, name, auth, passphrase, priv, passphrase)."""

    def __init__(self, machine, port=162, users=(), name="receiver"):
        conf = machine.path(name + ".conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("disableAuthorization yes\n")
            for engine, user, auth, auth_pass, priv, priv_pass in users:
                f.write('createUser %s %s %s "%s" %s "%s"\n' % ("-e " + engine if engine else "", user, auth, auth_pass,
                                                             priv, priv_pass))
        env = {"SNMP_PERSISTENT_DIR": machine.path(name + ".snmp"), "SNMPCONFPATH": machine.path(name + ".snmp"),
               "MIBS": "", "MIBDIRS": "%s/tests/mibs:%s/snmp" % (TOP, TOP)}
        super().__init__(name + "@" + machine.short, [
            "snmptrapd", "-f", "-Lo", "-C", "-c", conf, "-m", "+POISE-MIB", "-p", machine.path(name + ".pid"),
            "udp:%d" % port], machine.log(name), machine.namespace.name, env)

    def traps(self, notification="", *parts):
        """The notifications of that name so far that carry all these texts, one string each."""
        lines = (line for line in self.log().splitlines() if "snmpModules.1.1.4.1.0" in line)
        kind = ".1.1.4.1.0 = OID: " + notification
        return [line for line in lines if (kind + "\t" in line + "\t" or not notification)
                and all(part in line for part in parts)]
