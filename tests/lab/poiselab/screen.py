# SPDX-License-Identifier: GPL-2.0-or-later
"""A calm timeline on a terminal: text that says what happens, marks that say whether it was so, small pictures."""

import os
import shutil
import sys
import textwrap
import time

BARS = "▁▂▃▄▅▆▇█"
STYLES = {"dim": "2", "bold": "1", "good": "32", "bad": "31", "s1": "36", "s2": "33", "s3": "35"}


class Screen:
    def __init__(self):
        self.began = time.monotonic()
        self.colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.width = min(100, shutil.get_terminal_size((96, 24)).columns)
        self.column = 0

    def paint(self, text, style):
        return "\033[%sm%s\033[0m" % (STYLES[style], text) if self.colours and style in STYLES else text

    def line(self, text="", indent=0):
        self.end_of_row()
        print(" " * indent + text, flush=True)

    def prose(self, text, indent=9):
        for part in textwrap.wrap(text, self.width - indent):
            self.line(self.paint(part, "dim"), indent)

    def chapter(self, title):
        self.line()
        self.line("%s  %s" % (self.paint("%5.1f s" % (time.monotonic() - self.began), "dim"),
                              self.paint(title, "bold")))

    def verdict(self, good, text):
        mark = self.paint("✓", "good") if good else self.paint("✗", "bad")
        parts = textwrap.wrap(text, self.width - 11) or [""]
        self.line("%s %s" % (mark, parts[0]), 9)
        for part in parts[1:]:
            self.line(part, 11)

    def sign(self, text, style=None):
        """A short sign in a row of signs that is broken at the edge."""
        if not self.column:
            sys.stdout.write(" " * 9)
            self.column = 9
        elif self.column + len(text) >= self.width:
            sys.stdout.write("\n" + " " * 9)
            self.column = 9
        sys.stdout.write(self.paint(text, style))
        sys.stdout.flush()
        self.column += len(text)

    def end_of_row(self):
        if self.column:
            print(flush=True)
            self.column = 0

    def bar(self, label, value, largest, style):
        width = round(30 * value / largest) if largest else 0
        self.line("%s  %s %d" % (label, self.paint("█" * width, style), value), 9)

    def sparkline(self, knocks, begin, end, width):
        """Answers over time: the height is the share of knocks answered, a dot where none was. A place without any
        knock looks like the one before it."""
        picture, sign = "", " "
        for i in range(width):
            low, high = begin + (end - begin) * i / width, begin + (end - begin) * (i + 1) / width
            here = [answered for when, answered in knocks if low <= when < high]
            good = sum(1 for answered in here if answered)
            if here:
                sign = (self.paint(BARS[max(0, round(good / len(here) * 8) - 1)], "good") if good else
                        self.paint("·", "bad"))
            picture += sign
        return picture
