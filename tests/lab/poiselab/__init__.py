# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab tests, the demonstration and the benchmarks are built from: namespaces on bridges, real daemons in them,
and waiting with a deadline for what must become true."""

from .capture import Capture
from .net import has_ipvs, has_nftables
from .probe import Probe
from .process import Process, wait_until
from .site import Router, Server, Site

__all__ = ["Capture", "Probe", "Process", "Router", "Server", "Site", "has_ipvs", "has_nftables", "wait_until"]
