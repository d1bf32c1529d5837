# SPDX-License-Identifier: GPL-2.0-or-later
"""The machines' tests use the site of the lab, and one pair of machines for all of them, in the order of their files."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lab")]

from machine import Machine  # noqa: E402
from poiselab import Site  # noqa: E402

IMAGE = os.environ.get("POISE_IMAGE")


@pytest.fixture(scope="session")
def pair():
    if not IMAGE:
        pytest.skip("tests/machines/run sets the variables")
    made = Site(routers=0)
    machines = [Machine(made, IMAGE, "lb%d" % n, [("front", "02:00:00:00:01:0%d" % (n + 1)),
                                                 ("back", "02:00:00:00:02:0%d" % (n + 1))]) for n in (1, 2)]
    try:
        for server in made.servers:
            server.nginx(big_kb=65536, rate="60k")
        yield made, machines
    finally:
        for machine in machines:
            machine.power_off()
        made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and "pair" in getattr(item, "funcargs", {}):
        for machine in item.funcargs["pair"][1]:
            if machine.process and machine.process.poll() is None:
                report.sections.append(("journal of " + machine.name, machine.run(
                    "journalctl -q --no-pager -u poise -u 'poise-script*' -u keepalived -n 80", check=False)))
