# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that the documents tell an operator to type, so that the tests type the same."""

import os
import re

from .daemons import TOP


def commands(document, heading):
    """The indented lines below a heading, up to the next one, without what explains them (after two blanks or more)."""
    with open(os.path.join(TOP, document), encoding="utf-8") as f:
        lines = f.read().splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip("# ") == heading) + 1
    found = []
    for i in range(start, len(lines)):
        if lines[i].startswith("## ") or (i > start and re.fullmatch("(-{3,}|={3,})", lines[i])):
            break
        if lines[i].startswith("    "):
            found.append(re.split(r" {2,}", lines[i].strip())[0])
    assert found, "%s has no commands under %r" % (document, heading)
    return found


def typed(line):
    """The same without questions, for a machine that nobody sits at."""
    return re.sub(r"^apt ", "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends ", line)


def block(document, language):
    """The text of the document's only fenced block of that language."""
    with open(os.path.join(TOP, document), encoding="utf-8") as f:
        found = re.findall("^```%s\n(.*?)^```" % language, f.read(), re.M | re.S)
    assert len(found) == 1, "%s has %d blocks of %s" % (document, len(found), language)
    return found[0]
