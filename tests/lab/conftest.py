# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures and markers of the lab (tests/lab/README says how to run it)."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from poiselab import Site, has_ipvs, has_nftables  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--share", metavar="K/N", help="of the tests that were selected only the Kth of N shares")


def pytest_configure(config):
    config.addinivalue_line("markers", "ipvs: needs a kernel with IPVS")
    config.addinivalue_line("markers", "nftables: needs a kernel with nftables")
    config.addinivalue_line("markers", "process_events: needs the first network namespace of a kernel")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("share"):
        k, n = (int(word) for word in config.getoption("share").split("/"))
        config.hook.pytest_deselected(items=[item for i, item in enumerate(items) if i % n != k - 1])
        items[:] = items[k - 1::n]
    missing = {}
    if os.geteuid() != 0:
        missing = {item: "the lab needs root" for item in items}
    if any(item.get_closest_marker("ipvs") for item in items) and not has_ipvs():
        missing.update({item: "this kernel has no IPVS (tests/lab/guest finds one that has)" for item in items
                        if item.get_closest_marker("ipvs")})
    if any(item.get_closest_marker("nftables") for item in items) and not has_nftables():
        missing.update({item: "this kernel has no nftables, or nft is not installed" for item in items
                        if item.get_closest_marker("nftables")})
    for item, reason in missing.items():
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def site():
    """Two routers, a client and three servers (see poiselab/site.py). Removed after the test, whatever happened."""
    made = Site()
    yield made
    made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    made = getattr(item, "funcargs", {}).get("site")
    if report.when == "call" and report.failed and made:
        report.sections.append(("logs of the site", made.tails()))
        made.save_logs(item.name)
