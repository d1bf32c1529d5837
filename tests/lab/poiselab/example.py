# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration that the package offers, filled in for the site as its first lines ask."""

import os
import re

from .daemons import TOP
from .site import BACK4, VIP


def example(first="lb1", client_side="eth0", server_side="eth1"):
    """The text with its five values replaced, the same for both routers; `first` is the master's name."""
    with open(os.path.join(TOP, "etc/poise.conf"), encoding="utf-8") as f:
        text = f.read()
    text = text.replace("@lb1", "@" + first).replace("@^lb1", "@^" + first)
    for offered, value in (("$CLIENT_SIDE=eth0", "$CLIENT_SIDE=" + client_side),
                           ("$SERVER_SIDE=eth1", "$SERVER_SIDE=" + server_side),
                           ("$VIP=203.0.113.10", "$VIP=" + VIP), ("$NET=10.0.0", "$NET=" + BACK4.rstrip("."))):
        assert text.count("\n" + offered) == 1, offered
        text = text.replace("\n" + offered, "\n" + value)
    return text


def with_everything(text):
    """The same with what it offers taken in: connections that survive, and SNMP when it stands in the text."""
    return re.sub(r"^\t#(enable_|lvs_sync|connection_sync|@|pair_)", r"\t\1", text, flags=re.M)
