# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations that other people wrote put the same addresses, routes and rules into the kernel with poised and with
keepalived.

Each file runs with both at once, each in a network namespace of its own with the interfaces that the file names; the
objects are compared when the elections are over. Several files run side by side, because most of the time is waiting.
The files are looked for in $POISE_SHARED/corpus or beside the tree; by default those with routes or rules and a part of
the others are taken, POISE_CORPUS=all takes every one."""

import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest

from poiselab.daemons import program
from poiselab.services import tree
from test_conf_meaning import CORPUS, KEEPALIVED, harmless, interfaces_of, run, why_refused

PART = 9
AT_ONCE = 4
# Both have what they will have in the end; what differs then, differs. A busy machine takes its time.
LIMIT_S = 60
SETTLED_S = 2
KEEPALIVED_ENDS = "keepalived does not run it"

# Why the kernels differ; the manual says so too.
DIFFERENT = {
    "359.conf": "its gateway can be reached through three interfaces, and the kernel takes the one that got its address "
                "first, which depends on the order of the elections",
}


def read(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as f:
        return f.read()


def chosen():
    if not os.path.isdir(CORPUS):
        return []
    files = [os.path.join(CORPUS, f) for f in sorted(os.listdir(CORPUS)) if f.endswith(".conf")]
    files = [f for f in files if re.search(r"vrrp_instance|static_", read(f))]
    if os.environ.get("POISE_CORPUS") == "all":
        return files
    rare = [f for f in files if re.search(r"(?m)^\s*(virtual_routes|virtual_rules|static_\w+)\b", read(f))]
    return sorted(set(files[::PART]) | set(rare))


class Namespace:
    """A network namespace without a name: it is gone when its process is."""

    def __init__(self, names, sources):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        commands = ["link set lo up"]
        for i, name in enumerate(sorted(names)):
            commands += ["link add %s type veth peer name peer%d" % (name, i), "link set %s up" % name,
                         "link set peer%d up" % i, "addr add 198.18.%d.1/24 dev %s" % (i, name)]
        # Without a check for duplicates: keepalived takes a source address that is not there yet for a fault.
        commands += ["addr add %s dev %s nodad" % (source + ("/64" if ":" in source else "/24"), name)
                     for name, source in sorted(sources) if name in names]
        subprocess.run([*self.inside(), "ip", "-force", "-batch", "-"], input="\n".join(commands), text=True,
                       capture_output=True, check=False)

    def inside(self):
        return ["nsenter", "-t", str(self.process.pid), "-n"]

    def show(self, *words):
        return run(*self.inside(), "ip", *words).stdout

    def objects(self):
        """Addresses, routes and rules: what ip(8) prints of them, but for how long they live and who made them."""
        found = set()
        for line in self.show("-o", "addr").splitlines():
            text = re.sub(r"\\.*| (dynamic|deprecated|tentative|nodad|noprefixroute|secondary)\b", "",
                          line.split(None, 1)[1])
            if "scope link" not in text or "inet " in text:
                found.add("address " + " ".join(text.split()))
        for family in ("-4", "-6"):
            for line in self.show(family, "route", "show", "table", "all").splitlines():
                if "proto kernel" not in line and "table local" not in line:
                    found.add("route " + re.sub(r" (proto|expires) \S+", "", line).strip())
            found |= {"rule " + re.sub(r" proto \S+", "", r).strip() for r in self.show(family, "rule").splitlines()}
        return found


def sources_of(dump):
    """(interface, source address that the file wants to have), of each virtual router."""
    for words, block in tree(iter(dump.splitlines())):
        one = {w[0]: w[1] for w, b in block or () if b is None and len(w) > 1}
        source = one.get("unicast_src_ip", one.get("mcast_src_ip"))
        if words[0] == "vrrp_instance" and source and "interface" in one:
            yield one["interface"], source


def election_s(dump):
    """How long the slowest virtual router listens before it is master."""
    adverts = [float(s) for s in re.findall(r"(?m)^\s*advert_int ([\d.]+)", dump)] or [1.0]
    delays = [float(s) for s in re.findall(r"(?m)^\s*(?:preempt_delay|vrrp_startup_delay) ([\d.]+)", dump)] or [0.0]
    return 4 * max(adverts) + max(delays)


def watch(spaces, daemons, before, patience_s):
    """(verdict, objects of poised, of keepalived)"""
    begin = time.monotonic()
    while True:
        ended = [name for name, process in zip(("poised", "keepalived"), daemons) if process.poll() is not None]
        if ended:
            return "%s does not run it" % ended[0], set(), set()
        new = [space.objects() - old for space, old in zip(spaces, before)]
        passed = time.monotonic() - begin
        if passed > patience_s and new[0] == new[1] and (new[0] or passed > patience_s + SETTLED_S * 3):
            return "equal" if new[0] else "equal, nothing there", *new
        if passed > patience_s + LIMIT_S:
            return "different", *new
        time.sleep(0.5)


def last_line(path):
    """Of a log, but for what every end says."""
    found = [line for line in read(path).splitlines() if not re.search(r"Stopped|CPU usage|Stopping", line)]
    return re.sub(r"^.{20,30}\d{4}: ", "", found[-1]) if found else ""


def compare(path):
    """(verdict, why: the difference, or why one of them does not run it)"""
    folder, running = tempfile.mkdtemp(prefix="poise-kernel-"), []
    try:
        text, copy = harmless(read(path)), os.path.join(folder, "file.conf")
        with open(copy, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        dump = run(program("daemon/poised"), "--dump", "-f", copy)
        if dump.returncode:
            return "refused by poised", why_refused(copy)
        names, sources = interfaces_of(text), set(sources_of(dump.stdout))
        spaces = []
        for _ in range(2):
            spaces.append(Namespace(names, sources))
            running.append(spaces[-1].process)
        before, daemons = [space.objects() for space in spaces], []
        pids = [word for n in "prcb" for word in ("-" + n, os.path.join(folder, "k." + n))]
        for space, command in zip(spaces, ([program("daemon/poised"), "-n", "-l", "-f", copy, "-r", folder + "/run"],
                                           [KEEPALIVED, "-P", "-n", "-l", "-f", copy, *pids])):
            with open(os.path.join(folder, "log%d" % len(daemons)), "w", encoding="utf-8") as log:
                daemons.append(subprocess.Popen(space.inside() + command, stdout=log, stderr=subprocess.STDOUT))
            running.append(daemons[-1])
        verdict, ours, theirs = watch(spaces, daemons, before, election_s(dump.stdout) + SETTLED_S)
        if verdict == KEEPALIVED_ENDS:
            return verdict, last_line(os.path.join(folder, "log1"))
        return verdict, "poised alone: %s; keepalived alone: %s" % (sorted(ours - theirs), sorted(theirs - ours))
    finally:
        for process in reversed(running):
            process.terminate()
        for process in reversed(running):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(not chosen(), reason="there is no corpus of configurations")
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_kernel_gets_what_keepalived_gives_it():
    files, table = chosen(), collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(files, pool.map(compare, files)))
    wrong = []
    for path, (verdict, difference) in results.items():
        name = os.path.basename(path)
        if verdict == "different" and name in DIFFERENT:
            verdict = "different, explained"
        if verdict in ("different", "poised does not run it"):
            wrong.append("%s: %s: %s" % (name, verdict, difference))
        table[verdict] += 1
        if verdict != "equal":
            print("%-10s %s%s" % (name, verdict, ": " + difference if "equal" not in verdict else ""))
    print("\n".join("%-28s %4d" % line for line in sorted(table.items())))
    assert not wrong, "\n".join(wrong)
    assert table["equal"] > 0
