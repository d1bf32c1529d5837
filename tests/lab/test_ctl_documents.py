# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs read: every document of poisectl is what its description in etc/ says."""

import json
import os

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, instance, nat_site
from poiselab.site import BACK4, FRONT4, VIP

SERVERS = [BACK4 + str(i + 11) for i in range(3)]
KINDS = {"text": str, "number": (int, float), "flag": bool, "time": str, "object": dict, "array": list}


def web(**more):
    return nat_site(150, check=TCP_CHECK, **more)


def started(site, text):
    poised = site.r1.poised(text)
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    return poised


def described(name):
    """The lines of a description, as lists of words."""
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../etc", name), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def values_at(document, path):
    """Every value at a path of a description; a missing member is None in a tuple: (False, None)."""
    found = [(True, document)]
    for step in path.split("."):
        name, many = step.removesuffix("[]"), step.endswith("[]")
        following = []
        for there, value in found:
            if not there or value is None:
                continue
            following.append((name in value, value.get(name)))
        if many:
            following = [(True, element) for there, array in following if there for element in array]
        found = following
    return found


def differences(document, lines):
    """What is not as described: [path, kind, meaning] each."""
    wrong = []
    for path, kind, meaning in lines:
        values = values_at({"": document} if path.startswith("[]") else document, path)
        if not values and "*" not in kind:
            wrong.append("%s: nothing of it in the document of this test" % path)
        for there, value in values:
            if not there and "*" not in kind or there and value is None and "?" not in kind:
                wrong.append("%s: %s" % (path, "null" if there else "missing"))
            elif value is not None and not (isinstance(value, KINDS[kind.rstrip("?*")]) and
                                            (kind[:6] == "number") <= (not isinstance(value, bool))):
                wrong.append("%s: %r is no %s" % (path, value, kind))
        assert meaning
    return wrong


def test_the_document_is_what_its_description_says(site):
    text = web() + """vrrp_script chk {
	script "/bin/true"
	interval 1
}
bfd_instance neighbour {
	neighbor_ip 192.0.2.50
}
virtual_server_group marks {
	fwmark 6
}
virtual_server group marks {
	lb_algo rr
	lb_kind NAT
	sorry_server 198.51.100.99 80
	real_server 198.51.100.11 80 {
	}
}
""" + instance("lone", "front", 53, "192.0.2.200/24", priority=100, more="track_script {\n\tchk weight 5\n}")
    poised = started(site, text)
    poised.poisectl("drain", VIP + ":80/" + SERVERS[0], "--timeout", "1h")
    poised.poisectl("server", "add", VIP, BACK4 + "44", "weight", "2")
    document = wait_until("a settled document", poised.status, lambda s: s["services"][0]["servers"][0]["drain"])
    assert differences(document, described("poise-status.keys")) == []


def test_the_other_documents_too(site):
    """Each of them, when all is well and when it is not."""
    lines, seen = described("poise-documents.keys"), set()

    def fits(name, document):
        seen.add(name)
        assert differences(document, [line[1:] for line in lines if line[0] == name]) == [], document
        return document

    def ask(*words, status=0):
        done = poised.poisectl(*words, check=False)
        assert done.returncode == status, done
        return [json.loads(line) for line in done.stdout.splitlines()]

    text = web()
    poised = started(site, text + instance("lone", "front", 53, FRONT4 + "200/24", priority=50, advert="0.2"))
    site.r2.poised(instance("lone", "front", 53, FRONT4 + "200/24", priority=100, advert="0.2"))
    wait_until("the verdicts", lambda: [s["health"] for s in poised.status()["services"][0]["servers"]],
               lambda seen: seen == ["down"] * 3, within=15)
    wait_until("the other's advertisements", lambda: [line for line in ask("events", "--json")
                                                      if line["kind"] == "advertisements"], within=20)
    for line in ask("events", "--json"):
        fits("heard" if line["kind"] == "advertisements" else "event", line)
    for name, kind in [("front", "instance"), ("node", "node"), (VIP + ":80", "service"), (SERVERS[0], "server"),
                       ("%s:80/%s" % (VIP, SERVERS[0]), "server")]:
        document, = ask("why", name, "--json")
        assert [found["kind"] for found in fits("why", document)["objects"]] == [kind]
    assert document["objects"][0]["causes"][1]["text"].startswith("down: ") and document["objects"][0]["events"]
    answer, = ask("drain", SERVERS[0], "--json")
    assert fits("answer", answer)["ok"] and answer["servers"][0]["server"] == SERVERS[0] + ":80"
    answer, = ask("drain", "10.9.9.9", "--json", status=1)
    assert not fits("answer", answer)["ok"] and "10.9.9.9: no service has this server" in answer["error"]
    answer, = ask("undrain", SERVERS[0], "--json")
    assert fits("answer", answer)["ok"]
    poised.write(text.replace("weight 1", "weight 4"))
    plan, = ask("plan", "--json", status=5)
    assert fits("plan", plan)["verdict"] == "harmless"
    answer, = ask("reload", "--json")
    assert fits("answer", answer)["ok"] and fits("plan", answer["plan"])["steps_total"] == plan["steps_total"]
    poised.write(text + "nonsense\n")
    plan, = ask("plan", "--json", status=5)
    assert fits("plan", plan)["warnings"] == 1 and "nonsense" in plan["first_warning"]
    poised.write(text.replace("virtual_router_id 51", "virtual_router_id 999"))
    answer, = ask("reload", "--json", status=1)
    assert not fits("answer", answer)["ok"] and "999" in answer["error"]
    for line in ask("show", "sysctl", "--json"):
        fits("sysctl", line)
    version, = ask("version", "--json")
    assert fits("version", version)["poised"]
    first, *progress = ask("drain", SERVERS[1], "--wait", "--json", status=0 if poised.status()["kernel"]["ipvs"] else 1)
    assert fits("answer", first)["ok"] and fits("drain", progress[-1])["server"] == SERVERS[1]
    assert progress[-1]["ok"] == progress[-1]["drained"] == poised.status()["kernel"]["ipvs"]
    poised.stop()
    version, = ask("version", "--json")
    assert fits("version", version)["poised"] is None
    # The guard rails want nftables: tests/lab/test_ipvs_rails.py reads them.
    assert {line[0] for line in lines} - seen == {"guard"}
