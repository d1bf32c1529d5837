# SPDX-License-Identifier: GPL-2.0-or-later
"""The machines' tests use the site of the lab."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lab")]
