# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations that other people wrote: poised and keepalived make the same IPVS table of them, and the same checks
with the same times, tries and targets (what `keepalived -d` shows against the canonical print of poised).

The files are not part of the project: they are looked for in $POISE_SHARED/corpus or beside the tree. By default a part
of them is taken; POISE_CORPUS=all takes every one."""

import glob
import os
import re
import subprocess

import pytest

from poiselab import wait_until
from poiselab.daemons import program, TOP
from poiselab.services import compare_services, services_of_keepalived, services_of_poise

pytestmark = pytest.mark.ipvs

CORPUS = os.path.join(os.environ.get("POISE_SHARED", os.path.join(TOP, "..", "shared")), "corpus")
PART = 6  # every sixth file by default

# The tables differ on purpose (poise.conf(5), "Coming from keepalived"), or only because checks fail at another moment.
DIFFERENT = {
    "366.conf": "keepalived drops persistence_granularity of a group",
    "367.conf": "keepalived leaves a service without servers out",
    "321.conf": "its checks fail within a second, and the daemons begin them at different moments",
}


def has_service(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return any(line.split()[:1] == ["virtual_server"] for line in f)


FILES = [path for path in sorted(glob.glob(CORPUS + "/*.conf")) if has_service(path)]
if os.environ.get("POISE_CORPUS") != "all":
    FILES = FILES[::PART]


def prepare(router):
    """Every address has a route, into nowhere; names are not resolved, for keepalived waits for them."""
    router.namespace.ip("link add nowhere type dummy", "link set nowhere up", "route add default dev nowhere",
                        "route add ::/0 dev nowhere")
    for name, text in (("hosts", "127.0.0.1 localhost %s\n" % os.uname().nodename),
                       ("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")):
        with open(router.path(name), "w", encoding="utf-8") as f:
            f.write(text)


def start_keepalived(router, path):
    command = ["mount --bind %s /etc/%s" % (router.path(name), name) for name in ("hosts", "resolv.conf")]
    command += ["exec keepalived -n -l -d -D -C -f %s -p %s -c %s" % (path, router.path("k.pid"), router.path("kc.pid"))]
    return router.start("keepalived", ["unshare", "-m", "sh", "-c", " && ".join(command)])


def rules(router):
    return sorted(line.strip() for line in router.run("ipvsadm", "-Sn").splitlines())


def dump_of_keepalived(router):
    """The lines with which it shows its configuration, without their dates; None until it has."""
    with open(router.log("keepalived"), encoding="utf-8", errors="replace") as f:
        lines = [re.sub(r"^\w{3} \w{3} +\d+ [\d:]{8} \d{4}: ", "", line.rstrip("\n")) for line in f]
    return lines if any("Activating BFD" in line for line in lines) else None


@pytest.mark.skipif(not FILES, reason="there is no corpus of configurations")
@pytest.mark.parametrize("path", FILES, ids=[os.path.basename(path) for path in FILES])
def test_the_table_equals_keepalived_s(site, path):
    if os.path.basename(path) in DIFFERENT:
        pytest.skip(DIFFERENT[os.path.basename(path)])
    with open(path, encoding="utf-8", errors="replace") as f:
        # (a namespace that is not there ends both; each has one of its own)
        text = "".join(line for line in f if "smtp_server" not in line and not line.startswith("net_namespace"))
    for router in (site.r1, site.r2):
        prepare(router)
    copy = os.path.join(site.folder, "corpus.conf")
    with open(copy, "w", encoding="utf-8") as f:
        f.write(text)
    if subprocess.run([program("daemon/poised"), "-t", "-f", copy], capture_output=True, check=False).returncode:
        pytest.skip("poised refuses the file")
    site.r1.poised(text)
    start_keepalived(site.r2, copy)
    # A first check may wait for six seconds, and need three tries of three seconds more.
    wait_until("the same table", lambda: (rules(site.r1), rules(site.r2)), lambda seen: seen[0] and seen[0] == seen[1],
               within=40, every=0.2)
    dump = subprocess.run([program("daemon/poised"), "--dump", "-f", copy], capture_output=True, text=True, check=True)
    lines = wait_until("keepalived's own view", lambda: dump_of_keepalived(site.r2), within=40)
    wrong = compare_services(services_of_poise(dump.stdout), services_of_keepalived(lines))
    assert not wrong, "\n".join("%s is %r to poised, %r to keepalived" % w for w in wrong)
