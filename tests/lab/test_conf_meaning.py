# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations that other people wrote mean the same to poised as to keepalived.

Every virtual router that keepalived shows when it starts (`keepalived -d`) is compared, value by value, with the
canonical print of poised. What both put into the kernel is compared in test_conf_kernel.py, services and servers in
test_ipvs_corpus.py.

The files are not part of the project: they are looked for in $POISE_SHARED/corpus or beside the tree. By default a part
of them is taken; POISE_CORPUS=all takes every one."""

import glob
import os
import re
import subprocess

import pytest

from poiselab.daemons import program, TOP
from poiselab.services import tree

CORPUS = os.path.join(os.environ.get("POISE_SHARED", os.path.join(TOP, "..", "shared")), "corpus")
PART = 12
KEEPALIVED = "/usr/sbin/keepalived"
FILES = sorted(glob.glob(CORPUS + "/*.conf"))
if os.environ.get("POISE_CORPUS") != "all":
    FILES = FILES[::PART]

# (file, virtual router or None, value): why it differs; the manual says so too.
DIFFERENT = {}


def seconds(text):
    return float(text.rstrip("0").rstrip(".")) if "." in text else float(text)


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, **more)


# ---- what keepalived says ----

def interfaces_of(text):
    """Names that the file uses as interfaces."""
    names = set(re.findall(r"^\s*(?:interface|dev|\S+.*\bdev)\s+\"?([\w.:-]{1,15})", text, re.MULTILINE))
    for block in re.findall(r"track_interface\s*\{([^}]*)\}", text):
        names |= {line.split()[0] for line in block.splitlines() if line.split()}
    return {n for n in names if re.fullmatch(r"[A-Za-z][\w.-]{0,14}", n) and n != "lo"}


def shown_by_keepalived(process):
    """The lines of a `keepalived -d` without their dates; ends it at the last. None when it does not come so far."""
    lines, last = [], "------< Interfaces >"
    for line in process.stdout:
        lines.append(re.sub(r"^\w{3} \w{3} +\d+ [\d:]{8} \d{4}: ", "", line.rstrip("\n")))
        if last in line:
            process.terminate()
            break
    for _ in process.stdout:
        pass
    process.wait()
    return lines if any(last in line for line in lines) else None


def dump_of_keepalived(folder, path, names):
    """The lines of `keepalived -d`, from a network namespace with these interfaces; None when it does not start."""
    pids = ["-p", folder + "/p", "-r", folder + "/r", "-c", folder + "/c", "-b", folder + "/b"]
    setup = ["ip link set lo up"]
    for i, name in enumerate(sorted(names)):
        setup += ["ip link add %s type veth peer name peer%d" % (name, i), "ip link set %s up" % name,
                  "ip link set peer%d up" % i, "ip addr add 198.18.%d.1/24 dev %s" % (i, name)]
    # The list of interfaces is what it shows last; the limit is for one that never gets there.
    process = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "; ".join(setup) + "; exec timeout 20 %s -P -n -l -d -D -f %s %s" % (
            KEEPALIVED, path, " ".join(pids))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return shown_by_keepalived(process)


def routers_of_keepalived(lines):
    routers, current, section = {}, None, None
    for line in lines:
        if line.startswith("------<"):
            current = section = None
        elif line.startswith(" VRRP Instance = "):
            current = routers.setdefault(line.split(" = ", 1)[1], {"addresses": [], "excluded": [], "peers": [],
                                                                   "interfaces": [], "scripts": []})
            section = None
        elif current is None:
            continue
        elif line.startswith("     ") and section:
            current[section].append(line.strip())
        elif line.startswith("   "):
            section = {"Virtual IP (": "addresses", "Virtual IP Excluded": "excluded", "Unicast Peer :": "peers",
                       "Tracked interfaces": "interfaces", "Tracked scripts": "scripts"}.get(
                next((k for k in ("Virtual IP (", "Virtual IP Excluded", "Unicast Peer :", "Tracked interfaces",
                                  "Tracked scripts") if line.strip().startswith(k)), None))
            if " = " in line:
                key, value = line.strip().split(" = ", 1)
                current[key] = value
    return {name: normal_keepalived(r) for name, r in routers.items()}


def address_keepalived(line, interface):
    words = line.split()
    slash = "" if "/" in words[0] else "/128" if ":" in words[0] else "/32"
    value = {"address": words[0] + slash, "dev": interface, "scope": "global"}
    for i, word in enumerate(words):
        if word in ("dev", "scope", "label", "brd", "peer"):
            value[word] = words[i + 1].split("@")[-1]
    return tuple(sorted(value.items()))


def normal_keepalived(r):
    interval, unit = (r.get("Advert interval", "0 sec").split() + ["sec"])[:2]
    # A virtual MAC interface shows as NAME, vmac on INTERFACE; addresses on it as NAME@INTERFACE.
    interface = r.get("Interface", "").split(" on ")[-1]
    auth = {"SIMPLE_PASSWORD": "PASS", "IPSEC_AH": "AH"}.get(r.get("Authentication type"), "none")
    return {
        # The word only counts for an owner of addresses.
        "version": int(r["VRRP Version"]), "state": r.get("Wantstate") if r["Priority"] == "255" else None, "interface": interface,
        "vrid": int(r["Virtual Router ID"]), "priority": int(r["Priority"]),
        "advert_int": float(interval) / (1000 if unit.startswith("milli") else 1),
        "preempt": r.get("Preempt") == "enabled", "accept": r.get("Accept") == "enabled",
        "preempt_delay": float(r.get("Preempt delay", "0").split()[0]),
        "auth": auth, "password": r.get("Password", "") if auth == "PASS" else "",
        "garp_delay": float(r["Gratuitous ARP delay"]), "garp_repeat": int(r["Gratuitous ARP repeat"]),
        "garp_refresh": float(r["Gratuitous ARP refresh"]),
        "garp_refresh_repeat": int(r["Gratuitous ARP refresh repeat"]),
        "garp_lower_prio_delay": float(r["Gratuitous ARP lower priority delay"]),
        "garp_lower_prio_repeat": int(r["Gratuitous ARP lower priority repeat"]),
        "down_timer_adverts": int(r["Down timer adverts"]),
        "addresses": [address_keepalived(a, interface) for a in r["addresses"]],
        "excluded": sorted(address_keepalived(a, interface) for a in r["excluded"]),
        "peers": sorted(p.split()[0] for p in r["peers"]),
        "interfaces": sorted(" ".join(i.split()) for i in r["interfaces"]),
        "scripts": sorted(" ".join(s.split()) for s in r["scripts"]),
    }


# ---- what poised says ----

def address_poise(words, interface):
    value = {"address": words[0], "dev": interface, "scope": "global"}
    for i, word in enumerate(words):
        if word in ("dev", "scope", "label", "brd", "peer"):
            value[word] = words[i + 1]
    return tuple(sorted(value.items()))


def track_poise(words):
    return " ".join(words)


def routers_of_poise(text):
    routers = {}
    for words, block in tree(iter(text.splitlines())):
        if words[0] != "vrrp_instance":
            continue
        one = {w[0]: w[1] if len(w) > 1 else "on" for w, b in block if b is None}
        lists = {w[0]: [x for x, _ in b] for w, b in block if b is not None}
        auth = dict(x[:2] for x in lists.get("authentication", []))
        interface = one.get("interface", "")
        delay, repeat = seconds(one.get("garp_master_delay", "5")), int(one.get("garp_master_repeat", "5"))
        routers[words[1]] = {
            "version": int(one.get("version", 2)), "state": one.get("state", "BACKUP"), "interface": interface,
            "vrid": int(one["virtual_router_id"]), "priority": int(one.get("priority", 100)),
            "advert_int": seconds(one.get("advert_int", "1")), "preempt": "nopreempt" not in one,
            "accept": one.get("no_accept", "off") == "off",
            "preempt_delay": seconds(one.get("preempt_delay", "0")),
            "auth": auth.get("auth_type", "none"),
            "password": auth.get("auth_pass", "") if auth.get("auth_type") == "PASS" else "",
            "garp_delay": delay, "garp_repeat": repeat,
            "garp_refresh": seconds(one.get("garp_master_refresh", "0")),
            "garp_refresh_repeat": int(one.get("garp_master_refresh_repeat", 1)),
            "garp_lower_prio_delay": seconds(one.get("garp_lower_prio_delay", str(delay))),
            "garp_lower_prio_repeat": int(one.get("garp_lower_prio_repeat", repeat)),
            "down_timer_adverts": int(one.get("down_timer_adverts", 3)),
            "addresses": [address_poise(x, interface) for x in lists.get("virtual_ipaddress", [])],
            "excluded": sorted(address_poise(x, interface) for x in lists.get("virtual_ipaddress_excluded", [])),
            "peers": sorted(x[0] for x in lists.get("unicast_peer", [])),
            # keepalived leaves out the router's own interface: its fall is a fault, whatever weight is written.
            "interfaces": sorted(track_poise(x) for x in lists.get("track_interface", [])
                                 if x[0] != interface or "dont_track_primary" in one),
            # Weights do not count for an owner of addresses; keepalived says so by leaving them out.
            "scripts": sorted(track_poise(x) for x in lists.get("track_script", [])
                              if one.get("priority") != "255" or x[2] == "0"),
        }
    return routers


# ---- the comparison ----

def harmless(text):
    """Without what would run other people's programs, wait for names, or need IPVS, which the kernel may not have; and
    without the option and the user with which keepalived drops scripts where that user does not exist."""
    text = re.sub(r"(?m)^[^\S\n]*(lvs_sync_daemon\w*|smtp_server|net_namespace\w*|notify\w*|startup_script|enable_script_security|script_user|"
                  r"shutdown_script|\w*notify_fifo\w*)\b(?!.*\{).*$", "", text)
    text = re.sub(r"\benable_script_security\b", "", text)  # also behind a bracket
    return re.sub(r"(?m)^([^\S\n]*script)\s.*$", r'\1 "/bin/true"', text)


def why_refused(path):
    """The first thing that poised says against the file."""
    done = run(program("daemon/poised"), "-t", "-f", path)
    found = re.search(r"(?m)^.*?:(\d+):\d+: error: (.*)$", done.stdout + done.stderr)
    return "a real mistake: line %s: %s" % found.groups() if found else "?"


def compare(folder, path):
    """(values compared, [(router, value, poised's, keepalived's)]), or why one of them does not take the file."""
    with open(path, encoding="utf-8", errors="replace", newline="") as f:
        text = harmless(f.read())
    copy = os.path.join(folder, "copy.conf")
    with open(copy, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    ours = run(program("daemon/poised"), "--dump", "-f", copy)
    if ours.returncode:
        return "poised refuses it for " + why_refused(copy)
    # keepalived shows nothing then.
    if not re.search(r"vrrp_instance|static_", text):
        return "there is no virtual router in it"
    lines = dump_of_keepalived(folder, copy, interfaces_of(text))
    if lines is None:
        return "keepalived does not start with it"
    theirs, ours = routers_of_keepalived(lines), routers_of_poise(ours.stdout)
    wrong = [(name, "existence", name in ours, name in theirs) for name in sorted(set(ours) ^ set(theirs))]
    count = 0
    for name in sorted(set(ours) & set(theirs)):
        for key, value in theirs[name].items():
            count += 1
            if ours[name][key] != value and not (key == "state" and value is None):
                wrong.append((name, key, ours[name][key], value))
    return count, wrong


@pytest.mark.skipif(not FILES, reason="there is no corpus of configurations")
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
@pytest.mark.parametrize("path", FILES, ids=[os.path.basename(path) for path in FILES])
def test_a_file_means_the_same_to_keepalived(path, tmp_path):
    name, result = os.path.basename(path), compare(str(tmp_path), path)
    if isinstance(result, str):
        pytest.skip(result)
    wrong = [w for w in result[1] if (name, w[0], w[1]) not in DIFFERENT]
    assert not wrong, "\n".join("%s: %s is %r to poised, %r to keepalived" % w for w in wrong)
