# SPDX-License-Identifier: GPL-2.0-or-later
"""The test of the package that needs a machine of its own (tests/package runs the others)."""

import os

from poiselab.daemons import TOP


def test_the_unit(pair):
    _, (lb1, _) = pair
    lb1.run("systemctl stop poise; rm -f /etc/poise/poise.conf")
    with open(os.path.join(TOP, "debian/tests/service"), "rb") as f:
        lb1.put("/root/service", f.read())
    assert "service: fine" in lb1.run("chmod +x /root/service && /root/service")
