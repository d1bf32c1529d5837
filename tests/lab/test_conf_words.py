# SPDX-License-Identifier: GPL-2.0-or-later
"""One construct or mistake a file: what keepalived makes of it and what poised makes of it.

The files are parts of tests/config/words.txt. Both load a part or keepalived drops something that poised refuses, and
the values of all virtual routers agree, or DIFFERENT says why they do not. What keepalived remarks on, poised remarks
on. A part of the table is taken by default, all of it with POISE_CORPUS=all. The samples that come with keepalived are
compared likewise, and none of them may be refused or hold a word that poised does not know."""

import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from poiselab import words
from poiselab.daemons import program
from test_conf_meaning import harmless, KEEPALIVED, routers_of_keepalived, routers_of_poise, run, \
    shown_by_keepalived

PART = 6
AT_ONCE = 4
LINKS = "ip link set lo up; for i in 0 1 2; do ip link add eth$i type veth peer name p$i; ip link set eth$i up; " \
        "ip link set p$i up; ip addr add 198.18.$i.1/24 dev eth$i; done; "

# Parts that mean something else to poised, by the beginning of their names; the manual says so too.
DIFFERENT = {
    "unknown-block": "an unknown block is left out alone, keepalived misreads the rest of its parent",
    "reference": "a ${NAME} that is not defined is text, keepalived takes its bracket for a block",
    "name-two": "the first word is the name, keepalived leaves the instance out",
    "address-dev-without": "the option is left out, keepalived leaves the address out",
    "address-prefix-none": "a length that is none is the longest, keepalived takes 0",
    "continued": "a backslash continues every line, in keepalived definitions alone",
    "condition-two": "conditions may follow each other",
    "condition-variable": "a definition may hold a condition, which keepalived expands into other words",
    "list-blanks": "the values of ~LST may have blanks",
    "advert-40.955": "40.95 s are the most that version 3 can say",
    "garp-big": "more than 255 announcements in a burst, or a day between them, are too many",
    "min-garp": "one announcement in each refresh; keepalived sends none",
    "password-hash-escaped": "a backslash keeps # in a word; keepalived reads its files twice and drops the rest then",
    "password-defined": "${_HASH} is #; keepalived reads its files twice and drops the rest then",
    "password-quotes": "pieces in quotes are one word with what they touch, as its manual says",
    "password-brace": "a bracket in a word opens a block, as on a line of its own",
    "escape-": "a backslash behind a backslash is one; keepalived takes two",
    "vip6-v2": "IPv6 has no version 2",
    "script-w": "a weight of more than 253 or less than -253 does what these do",
    "script-values": "a weight of more than 253 does what that does",
}
SAMPLES = sorted(path for path in glob.glob("/usr/share/doc/keepalived/samples/keepalived.conf*")
                 if not path.endswith(".gz"))
# What keepalived remarks on and poised takes as it is: interfaces may come later, any route is tracked, `or` and `gw` are as
# good as `nexthop` and `via`, and a rule without a preference gets one.
FINE = "doesn't exist", "cannot track route", "for routes is deprecated", "Rule has no preference specified"
# In keepalived.conf.vrrp.lvs_syncd: no keywords to keepalived either.
UNKNOWN = {"VI_2", "VI_3"}
# keepalived reads these for ever.
ENDLESS = "def-self", "def-mutual"


def parts():
    found = words.parts()
    return found if os.environ.get("POISE_CORPUS") == "all" else found[::PART]


def keepalived(folder, path, is_router):
    """(what -t says, lines of the dump or None when it does not start or is no router)"""
    pids = " ".join("-%s %s/k.%s" % (n, folder, n) for n in "prcb")
    script = LINKS + "timeout 60 %s -t -f %s >%s/t 2>&1" % (KEEPALIVED, path, folder)
    if is_router:
        script += "; exec timeout 60 %s -P -n -l -d -D -f %s %s" % (KEEPALIVED, path, pids)
    process = subprocess.Popen(["unshare", "-n", "sh", "-c", script], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = shown_by_keepalived(process)
    with open(os.path.join(folder, "t"), encoding="utf-8", errors="replace") as f:
        said = [line.strip() for line in f if line.strip()]
    return said, lines


def alike(router):
    """Writes what means the same as keepalived does: the peer of an address with its length; no weights beside 255."""
    for key in ("addresses", "excluded"):
        router[key] = [tuple((name, value + ("/128" if ":" in value else "/32") if name == "peer" and "/" not in value else
                              value) for name, value in address) for address in router[key]]
    if router["priority"] == 255:
        router["interfaces"] = [text for text in router["interfaces"] if text.split()[2] == "0"]


def examine(part):
    """What is wrong with a part, as a list of texts."""
    name, text = part
    folder = tempfile.mkdtemp(prefix="poise-words-")
    try:
        path = os.path.join(folder, "file.conf")
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        ours = run(program("daemon/poised"), "-t", "-v", "-f", path)
        dump = run(program("daemon/poised"), "--dump", "-f", path)
        said, lines = (["it does not end"], None) if name in ENDLESS else keepalived(
            folder, path, "vrrp_instance" in text)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = []
    remarks = [line for line in said if "Line " in line and not any(text in line for text in FINE)]
    if ours.returncode not in (0, 1):
        wrong.append("status %d: %s" % (ours.returncode, ours.stderr))
    if remarks and not re.search(r"file\.conf:\d+:\d+: ", ours.stdout + ours.stderr):
        wrong.append("not a word about: %s" % remarks[0])
    if ours.returncode == 1 and not said:
        wrong.append("refused, and fine for keepalived: %s" % ours.stdout)
    if ours.returncode == 0 and lines is not None:
        mine, other = routers_of_poise(dump.stdout), routers_of_keepalived(lines)
        for router in mine.values():
            alike(router)
        wrong += ["%s exists for %s alone" % (n, "poised" if n in mine else "keepalived") for n in set(mine) ^ set(other)]
        wrong += ["%s: %s is %r to poised, %r to keepalived" % (n, key, mine[n][key], value)
                  for n in set(mine) & set(other) for key, value in other[n].items()
                  if mine[n][key] != value and not (key == "state" and mine[n]["priority"] == 255 or
                                                    key == "state" and value is None)]
    return ["%s: %s" % (name, w) for w in wrong]


@pytest.mark.skipif(not os.path.exists(KEEPALIVED), reason="keepalived is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_every_construct_means_what_keepalived_makes_of_it():
    table = parts()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip((name for name, _ in table), pool.map(examine, table)))
    wrong = [w for name, found in results.items() for w in found
             if not any(name.startswith(known) for known in DIFFERENT)]
    print("%d constructs: %d the same, %d different and explained" % (
        len(results), sum(not found for found in results.values()), sum(bool(found) for found in results.values())))
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
@pytest.mark.parametrize("name,nearest", [("eht0", " (did you mean eth0?)"), ("eth7", "")])
@pytest.mark.parametrize("file", ["keepalived.conf", "poise.conf"])
def test_an_interface_that_is_missing_is_named(tmp_path, file, name, nearest):
    """It may come, so the file loads in both dialects; one with another number is no misspelling."""
    path = tmp_path / file
    path.write_text(words.INSTANCE.replace("eth0", name) % ("V", 51, "priority 100", "198.18.0.50/24"), encoding="utf-8")
    done = run("unshare", "-n", "sh", "-c", LINKS + 'exec "$0" -t -f "$1"', program("daemon/poised"), str(path))
    assert done.returncode == 0, done.stderr
    assert "there is no interface %s on this machine now%s; the instance waits until it comes" % (name, nearest) in done.stderr


@pytest.mark.skipif(not SAMPLES or not os.path.exists(KEEPALIVED), reason="keepalived's samples are not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_samples_of_keepalived_load_and_mean_the_same():
    texts = {}
    for path in SAMPLES:
        with open(path, encoding="utf-8", errors="replace") as f:
            texts[os.path.basename(path)] = harmless(f.read())
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [w for found in pool.map(examine, texts.items()) for w in found]
    for path in SAMPLES:
        done = run(program("daemon/poised"), "-t", "-v", "--dialect", "keepalived", "-f", path)
        unknown = re.findall(r'unknown keyword "(\S+)"', done.stdout + done.stderr)
        if done.returncode or set(unknown) - UNKNOWN:
            wrong.append("%s: status %d: %s%s" % (path, done.returncode, done.stdout, done.stderr))
    assert not wrong, "\n".join(wrong)
