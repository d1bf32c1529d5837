#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs benchmark cases. A case is a file bench_NAME.py here with a sentence as its docstring and a function
run(options, report), which may call report.row(...) and report.failed(why). tests/bench/run builds first."""

import argparse
import importlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lab"))
sys.path.insert(0, HERE)

from poiselab import has_ipvs  # noqa: E402


class Report:
    """The tables of a run, and what went wrong in it."""

    def __init__(self):
        self.reasons = []

    def text(self, line=""):
        print(line, flush=True)

    def note(self, line):
        """Progress, for who watches."""
        if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
            print("\r\033[K%s" % line, end="", flush=True)

    def clear(self):
        self.note("")

    def failed(self, why):
        self.reasons.append(why)
        self.clear()
        print("FAILED: " + why, flush=True)

    @staticmethod
    def spread(values, scale=1000, form="%.0f"):
        """min / median / max of some measurements."""
        if not values:
            return "-"
        return " / ".join(form % (value * scale) for value in (min(values), statistics.median(values), max(values)))


def cases():
    return sorted(name[6:-3] for name in os.listdir(HERE) if name.startswith("bench_") and name.endswith(".py"))


def keepalived_version():
    done = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=False)
    words = (done.stderr + done.stdout).split()
    return " ".join(words[:2]) if words else "no keepalived"


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measure Poise beside Debian's keepalived.")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of each measurement (default: %(default)s)")
    parser.add_argument("--advert", type=float, default=0.2, metavar="SECONDS", help="advertisement interval "
                        "(default: %(default)s)")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="of: " + ", ".join(cases()))
    options = parser.parse_args()
    for name in options.cases:
        if name not in cases():
            parser.error("there is no case %r (there are: %s)" % (name, ", ".join(cases())))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.ipvs = has_ipvs()
    options.kernel = os.environ.get("LAB_KERNEL", "own")
    report = Report()
    report.text("%s, Linux %s (%s%s), %s" % (time.strftime("%Y-%m-%d %H:%M"), platform.release(), options.kernel,
                                             "" if options.ipvs else ", without IPVS", keepalived_version()))
    for name in options.cases or cases():
        case = importlib.import_module("bench_" + name)
        report.text()
        report.text("%s: %s" % (name, case.__doc__.strip().split("\n")[0]))
        case.run(options, report)
    return 1 if report.reasons else 0


if __name__ == "__main__":
    sys.exit(main())
