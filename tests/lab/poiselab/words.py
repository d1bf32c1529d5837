# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of constructs, tests/config/words.txt: one construct or mistake a part, each a configuration of its own."""

import os
import re
import sys

TABLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../config/words.txt")
INSTANCE = """vrrp_instance %s {
  interface eth0
  virtual_router_id %s
  %s
  virtual_ipaddress {
    %s
  }
}
"""


def expand(text):
    """A line `I NAME VALUES`, with what is indented below it, is a virtual router that has these lines; `V ADDRESSES`
    one that has these addresses."""
    made, lines = [], text.split("\n")
    while lines:
        line = lines.pop(0)
        word = line.split(" ")[0]
        if word not in ("I", "V", "W"):
            made.append(line)
            continue
        body = [line[len(word) + 1:]]
        while lines and lines[0].startswith(" "):
            body.append(lines.pop(0))
        body = "\n".join(body)
        made.append(INSTANCE % {"I": ("V", 51, body, "198.18.0.50"), "V": ("V", 51, "", body),
                                "W": ("W", 52, body, "198.18.0.52")}[word])
    return "\n".join(made)


def parts():
    """(name, configuration) of each part."""
    with open(TABLE, encoding="utf-8") as f:
        found = [part.partition("\n")[::2] for part in re.split(r"(?m)^=== ", f.read())[1:]]
    return [(name, expand(text)) for name, text in found]


def main():
    """Writes each into a file of its own in the folder that is named: seeds for the fuzzer of the parser."""
    for i, (_, text) in enumerate(parts()):
        with open(os.path.join(sys.argv[1], "words-%d.conf" % i), "w", encoding="utf-8", newline="") as f:
            f.write(text)


if __name__ == "__main__":
    main()
