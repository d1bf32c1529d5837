# SPDX-License-Identifier: GPL-2.0-or-later
"""Services, servers and checks as values that can be compared: from what keepalived shows when it starts (-d), and from
the canonical print of poised."""

import re

METHODS = {"Tunnel": "TUN", "TUN": "TUN", "TUNNEL": "TUN", "DR": "DR", "NAT": "NAT"}
# How poised names what keepalived's dump calls by other words.
FLAGS = {"sh-fallback": "flag-1", "sh-port": "flag-2", "mh-fallback": "flag-1", "mh-port": "flag-2"}
NAMES = {"lvs_sched": "lvs_sched", "persistence timeout": "persistence_timeout", "protocol": "protocol"}


def words_of(line):
    return [w[1:-1].replace('\\"', '"').replace("\\\\", "\\") if w.startswith('"') else w
            for w in re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)]


def tree(lines):
    """[(words, children)] of a canonical print."""
    found = []
    for line in lines:
        words = words_of(line)
        if words == ["}"]:
            break
        found.append((words[:-1], tree(lines)) if words and words[-1] == "{" else (words, None))
    return found


# ---- keepalived ----

def service_name(line):
    """The name of a service from its first line of the dump; None for a group, whose members have no lines of their
    own."""
    address = re.match(r" VS VIP = (\S+), VPORT = (\d+)", line)
    mark = re.match(r" VS FWMARK = (\d+)", line)
    return "%s %s" % address.groups() if address else "fwmark %s" % mark.group(1) if mark else None


def read_service(one, key, value):
    if key in NAMES:
        one[NAMES[key]] = value
    elif key == "quorum":
        quorum, hysteresis = value.split(", hysteresis = ")
        one["quorum"], one["hysteresis"] = int(quorum), int(hysteresis)
    elif key == "sorry server":
        one["sorry"] = re.sub(r"\[(.*)\]:\w+:(\d+)", r"\1 \2", value)
    elif key in ("flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback"):
        one["flags"] |= {FLAGS.get(key, key)} if value == "enabled" else set()
    elif key == "One packet scheduling":
        one["ops"] = value == "enabled"


def read_server(one, key, value):
    if key == "initial weight":
        one["weight"] = int(value)
    elif key == "forwarding method":
        one["method"] = METHODS.get(value.split()[0].rstrip(","), value)
    elif key == "connection limit range":
        one["limits"] = tuple(int(n) for n in value.split(" -> "))


def read_check(one, key, value):
    if key in ("Delay loop", "Warmup", "Delay before retry"):
        one[key.lower()] = int(value.split()[0]) / 1e6
    elif key in ("Retries", "Retry count"):
        one["retries"] = int(value)
    elif key == "Timeout":
        one["timeout"] = float(value)
    elif key == "Dest":
        one["to"] = re.sub(r"\[(.*)\]:(\d+)", r"\1 \2", value)
    elif key == "Keepalive method":
        one["kind"] = value.split(",")[0]
    elif key == "Checked url":
        one["urls"].append({"path": value, "status": []})
    elif key in ("digest", "VirtualHost") and one["urls"]:
        one["urls"][-1][key.lower()] = value


def services_of_keepalived(lines):
    """{service: values, "servers": {server: values}, "checks": sorted values}; groups are left out."""
    services, service, server, check = {}, None, None, None
    for line in lines:
        line = line.replace("forwarding method = TUN,", "forwarding method = TUN")
        section = re.match(r" *------< (.*) >-", line)
        if section and section.group(1) not in ("Virtual server", "Real server"):
            service = server = check = None
        elif line.startswith(" VS "):
            name, server = service_name(line), None
            service = {"servers": {}, "checks": [], "flags": set(), "ops": False} if name else None
            if name:
                services.setdefault((name, None), service)
        elif service is not None and line.startswith("   RIP = "):
            words = re.match(r" *RIP = (\S+), RPORT = (\d+), WEIGHT = (-?\d+)", line)
            server = service["servers"].setdefault("%s %s" % words.groups()[:2], {})
        elif re.match(r" \[.*\]:\w+:\d+ -> \[", line) or re.match(r" FWM \d+ -> \[", line):
            check = {"urls": []}
            to = re.match(r" (?:\[(\S+)\]:(\w+):(\d+)|FWM (\d+)) -> \[(\S+)\]:\w+:(\d+)", line)
            name = "%s %s" % to.group(1, 3) if to.group(1) else "fwmark %s" % to.group(4)
            check["of"] = (name, (to.group(2) or "none").upper().replace("NONE", "none"), "%s %s" % to.group(5, 6))
            services.setdefault("checks", []).append(check)
        elif " = " in line and line.startswith("   "):
            key, _, value = line.strip().partition(" = ")
            if check is not None:
                read_check(check, key, value)
            elif server is not None:
                read_server(server, key, value)
            elif service is not None:
                read_service(service, key, value)
        elif check is not None and check["urls"] and re.match(r"       \d+(-\d+)?$", line):
            check["urls"][-1]["status"].append(line.strip())
        if service is not None and "protocol" in service:
            name = next(k for k, v in services.items() if v is service)
            if name[1] is None:
                del services[name]
                services[name[0], service["protocol"]] = service
    return services


# ---- poised ----

def number(text):
    return float(text) if text else 0.0


def check_of_poise(kind, block, of):
    one = {w[0]: " ".join(w[1:]) for w, b in block if b is None}
    check = {"of": of, "kind": kind, "urls": []}
    for ours, theirs in (("delay_loop", "delay loop"), ("warmup", "warmup"), ("delay_before_retry", "delay before retry"),
                         ("connect_timeout", "timeout")):
        if ours in one:
            check[theirs] = number(one[ours])
    if "retry" in one:
        check["retries"] = int(one["retry"])
    if "connect_ip" in one:
        check["to"] = "%s %s" % (one["connect_ip"], one.get("connect_port", "0"))
    for words, url in block:
        if words[0] == "url" and url is not None:
            values = {w[0]: w[1:] for w, _ in url}
            status = [re.sub(r"^(\d+)-\1$", r"\1", w[1]) for w, _ in url if w[0] == "status_code"] or ["200-299"]
            check["urls"].append({"path": values.get("path", ["/"])[0], "status": status})
            for key in ("digest", "virtualhost"):
                if key in values:
                    check["urls"][-1][key] = values[key][0]
    return check


def services_of_poise(text):
    services = {"checks": []}
    for words, block in tree(iter(text.splitlines())):
        if words[0] != "virtual_server" or words[1] == "group":
            continue
        one = {w[0]: " ".join(w[1:]) for w, b in block if b is None}
        name = "fwmark %s" % words[2] if words[1] == "fwmark" else "%s %s" % (words[1], (words + ["0"])[2])
        service = {"lvs_sched": one.get("lvs_sched", "wlc"), "protocol": one.get("protocol", "none"),
                   "quorum": int(one.get("quorum", 1)), "hysteresis": int(one.get("hysteresis", 0)),
                   "ops": "ops" in one, "servers": {}, "checks": [],
                   "flags": {w for w in one if w.startswith("flag-")}}
        if one.get("persistence_timeout"):
            service["persistence_timeout"] = one["persistence_timeout"]
        if "sorry_server" in one:
            service["sorry"] = " ".join((one["sorry_server"].split() + ["0"])[:2])
        for server, inner in block:
            if server[0] != "real_server" or inner is None:
                continue
            values = {w[0]: " ".join(w[1:]) for w, b in inner if b is None}
            key = "%s %s" % (server[1], (server + ["0"])[2])
            service["servers"][key] = {
                "weight": int(values.get("weight", 1)), "method": values.get("lvs_method", "NAT").split()[0],
                "limits": (int(values.get("lthreshold", 0)), int(values.get("uthreshold", 0)))}
            for w, b in inner:
                if b is not None:
                    services["checks"].append(check_of_poise(w[0], b, (name, service["protocol"], key)))
        services[name, service["protocol"]] = service
    return services


# ---- the comparison ----

def compare_services(ours, theirs):
    """[(what, poised's, keepalived's)] where they differ."""
    wrong = [(name, name in ours, name in theirs) for name in sorted(
        (set(ours) ^ set(theirs)) - {"checks"}, key=str)]
    for name in set(ours) & set(theirs) - {"checks"}:
        for key in sorted((set(ours[name]) | set(theirs[name])) - {"checks", "servers"}):
            if ours[name].get(key) != theirs[name].get(key):
                wrong.append(("%s %s" % (name, key), ours[name].get(key), theirs[name].get(key)))
        mine, other = ours[name]["servers"], theirs[name]["servers"]
        for server in sorted(set(mine) | set(other)):
            if mine.get(server) != other.get(server):
                wrong.append(("%s -> %s" % (name, server), mine.get(server), other.get(server)))

    def key_of(check):
        return str(check["of"]), check["kind"], [u["path"] for u in check["urls"]]

    mine, other = sorted(ours.get("checks", []), key=key_of), sorted(theirs.get("checks", []), key=key_of)
    if [c["of"] + (c["kind"],) for c in mine] != [c["of"] + (c["kind"],) for c in other]:
        wrong.append(("checks", [c["of"] + (c["kind"],) for c in mine], [c["of"] + (c["kind"],) for c in other]))
        return wrong
    for a, b in zip(mine, other):
        for key in sorted(set(a) & set(b)):
            if a[key] != b[key]:
                wrong.append(("%s %s %s" % (a["kind"], a["of"], key), a[key], b[key]))
    return wrong
