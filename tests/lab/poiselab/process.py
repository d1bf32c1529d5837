# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that always end, logs that stay readable, and waiting without sleeping for luck."""

import os
import signal
import subprocess
import time


# A deadline only says when to give up, so a machine known to be busy may stretch all of them.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))


def wait_until(what, read, until=bool, within=10.0, every=0.02):
    """Reads until the predicate holds and returns what was read then. Fails after `within` seconds (times
    $LAB_PATIENCE), and says what it waited for and what it saw last."""
    within *= PATIENCE
    deadline = time.monotonic() + within
    while True:
        seen = read()
        if until(seen):
            return seen
        if time.monotonic() >= deadline:
            raise AssertionError("waited %.1f s for %s; last seen: %r" % (within, what, seen))
        time.sleep(every)


def process_table():
    """Parent of every process of this machine: {pid: ppid}."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                    stat = f.read()
            except OSError:
                continue  # it ended meanwhile
            after_name = stat[stat.rindex(")") + 2:].split()
            if after_name[0] != "Z":
                parents[int(name)] = int(after_name[1])
    return parents


def descendants(pid):
    """The process and everything it started that still has it as an ancestor, oldest first."""
    parents = process_table()
    family = [pid] if pid in parents else []
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def processes_in_namespaces(inodes):
    """The processes whose network namespace is one of these inodes."""
    found = []
    for pid in process_table():
        try:
            if os.stat("/proc/%d/ns/net" % pid).st_ino in inodes:
                found.append(pid)
        except OSError:
            pass
    return found


def kill(pids):
    """kill -9 of all of them as if at one moment: they are halted first, so that none sees another one die."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


class Process:
    """A program that a test started, with its log in a file."""

    def __init__(self, name, argv, log, namespace=None, env=None, cwd=None, stdin=None):
        self.name = name
        self.log_path = log
        self.popen = None
        if namespace:
            argv = ["nsenter", "--net=/run/netns/" + namespace] + list(argv)
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(argv, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                          env={**os.environ, **(env or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def family(self):
        """The process ids of it and all its children."""
        return descendants(self.pid)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, text, within=10.0):
        """Waits until the text stands in the log."""
        return wait_until("%r in the log of %s" % (text, self.name), lambda: self.log()[-2000:] if text not in
                          self.log() else True, lambda seen: seen is True, within)

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self, within=10.0):
        """Asks it to end and returns its exit status; kills it and fails when it does not end in time."""
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(within)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("%s did not end within %.1f s of SIGTERM" % (self.name, within)) from None
        return self.popen.returncode

    def kill(self):
        """kill -9 of it and of all its children at once."""
        family = self.family()
        kill(family)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()
        wait_until("the children of %s to be gone" % self.name, lambda: [p for p in family if p in process_table()],
                   lambda left: not left, within=5)

    def discard(self):
        """Ends it, politely first, and never fails: for cleaning up."""
        try:
            self.stop(within=3.0)
        except AssertionError:
            pass
        if self.running():
            self.kill()
