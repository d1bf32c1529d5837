# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes to read and check a large configuration.

2,277 services with 37,205 servers together, each with a check: seconds of `poised -t` beside `keepalived -t`, one after
the other in the same run (in a network namespace of its own, where keepalived looks for interfaces)."""

import os
import statistics
import subprocess
import tempfile
import time

from poiselab.daemons import program

SERVICES, SERVERS = 2277, 37205
LIMIT_S = 1.0


def configuration():
    parts, n = ["global_defs {\n\trouter_id large\n}\n"], 0
    for s in range(SERVICES):
        parts.append("virtual_server 10.%d.%d.%d 80 {\n\tdelay_loop 10\n\tlvs_sched wlc\n\tlvs_method DR\n"
                     "\tprotocol TCP\n" % (s >> 16, s >> 8 & 255, s & 255))
        for _ in range(SERVERS // SERVICES + (s < SERVERS % SERVICES)):
            parts.append("\treal_server 172.%d.%d.%d 80 {\n\t\tweight 1\n\t\tTCP_CHECK {\n\t\t\tconnect_timeout 3\n"
                         "\t\t\tretry 2\n\t\t\tdelay_before_retry 1\n\t\t}\n\t}\n"
                         % (16 + (n >> 16), n >> 8 & 255, n & 255))
            n += 1
        parts.append("}\n")
    assert n == SERVERS
    return "".join(parts)


def seconds(command):
    start = time.monotonic()
    done = subprocess.run(["unshare", "-n", *command], capture_output=True, text=True, check=False)
    return time.monotonic() - start, done


def run(options, report):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "large.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(configuration())
        ours, theirs = [], []
        for i in range(options.rounds):
            report.note("reading: round %d of %d" % (i + 1, options.rounds))
            took, done = seconds([program("daemon/poised"), "-t", "-v", "-f", path])
            ours.append(took)
            if done.returncode or "%d services, %d servers" % (SERVICES, SERVERS) not in done.stdout:
                report.failed("poised -t: %s%s" % (done.stdout, done.stderr[-300:]))
                return
            theirs.append(seconds(["keepalived", "-t", "-f", path])[0])
        report.clear()
        report.text("  %d bytes, %d services, %d servers; ms, min / median / max" % (
            os.path.getsize(path), SERVICES, SERVERS))
        report.text("  poised -t      " + report.spread(ours))
        report.text("  keepalived -t  " + report.spread(theirs))
        # On a machine that is slower than the peer's second, the peer is the measure.
        if statistics.median(ours) > max(LIMIT_S, statistics.median(theirs)):
            report.failed("reading takes longer than %.0f s and longer than keepalived -t" % LIMIT_S)
