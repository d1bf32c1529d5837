# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees on a terminal of 80 columns: status, status --watch and top, in a real terminal (tmux)."""

import contextlib
import os
import re
import subprocess

import pytest

from poiselab import wait_until
from poiselab.configs import TCP_CHECK, nat_site
from poiselab.daemons import TOP, program
from poiselab.site import BACK4, VIP

SERVERS = [BACK4 + str(i + 11) for i in range(3)]


class Terminal:
    """80 columns and 24 lines in which a shell runs."""

    def __init__(self, folder):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", os.path.join(folder, "tmux.sock")]
        self.call("new-session", "-d", "-x", "80", "-y", "24",
                  "env -u NO_COLOR PS1='ready> ' TERM=screen-256color LC_ALL=C.UTF-8 sh")
        wait_until("a shell in the terminal", self.text, lambda text: "ready>" in text)

    def call(self, *words):
        return subprocess.run([*self.tmux, *words], capture_output=True, text=True, check=True, timeout=60).stdout

    def keys(self, *keys):
        self.call("send-keys", "-t", "0", "--", *keys)

    def type(self, command):
        self.keys("clear; " + command, "Enter")

    def text(self, *options):
        return self.call("capture-pane", "-p", "-t", "0", *options)

    def close(self):
        with contextlib.suppress(subprocess.SubprocessError):
            self.call("kill-server")


@pytest.fixture
def terminal(site):
    made = Terminal(site.folder)
    yield made
    made.close()


def started(site):
    poised = site.r1.poised(nat_site(150, check=TCP_CHECK))
    wait_until("r1 to be master", lambda: poised.state("front"), lambda state: state == "MASTER", within=15)
    wait_until("the verdicts", lambda: [server["health"] for server in poised.status()["services"][0]["servers"]],
               lambda seen: seen == ["down"] * 3, within=15)
    return poised, "%s -r %s " % (program("ctl/poisectl"), poised.rundir)


def column(lines, *words):
    """Where the line that has these words, in this order, has the last of them."""
    for line in lines:
        if re.search(".*".join(map(re.escape, words)), line):
            return line.rindex(words[-1])
    raise AssertionError("no line with %r in\n%s" % (words, "\n".join(lines)))


def test_status_fits_the_screen_and_has_colours_only_there(site, terminal):
    _, ctl = started(site)
    terminal.type(ctl + "status")
    wait_until("the last server and the prompt", terminal.text,
               lambda text: SERVERS[2] in text and text.rstrip().endswith("ready>"))
    # A line that the terminal had to break comes back as one.
    joined = terminal.text("-J").splitlines()
    assert max(len(line.rstrip()) for line in joined) <= 80, joined
    lines = terminal.text().splitlines()
    state = column(lines, "ROUTER", "STATE")
    assert [column(lines, "● %s " % name, "MASTER") for name in ("front", "back")] == [state] * 2
    state = column(lines, "SERVICE, SERVERS", "STATE")
    assert [column(lines, "○ %s:80" % server, "down") for server in SERVERS] == [state] * 3
    # Red for what is down, green for a master; and nothing of the kind where a program reads.
    coloured = terminal.text("-e")
    assert re.search(r"\x1b\[[0-9;]*31m(\x1b\[[0-9;]*m)*○", coloured), repr(coloured)
    assert re.search(r"\x1b\[[0-9;]*32m(\x1b\[[0-9;]*m)*MASTER", coloured), repr(coloured)
    path = site.r1.path("piped")
    terminal.type(ctl + "status > %s; echo piped" % path)
    wait_until("the file", terminal.text, lambda text: re.search("^piped", text, re.M))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert SERVERS[2] in text and "\x1b" not in text


def test_status_watch_follows(site, terminal):
    poised, ctl = started(site)
    terminal.type(ctl + "status --watch")
    wait_until("the table", terminal.text, lambda text: SERVERS[2] in text)
    poised.poisectl("drain", SERVERS[1])
    wait_until("the drain", terminal.text,
               lambda text: re.search(r"%s:80\s+(drain|maint)" % re.escape(SERVERS[1]), text) or "drained by root" in text)
    assert "ready>" not in terminal.text()
    terminal.keys("C-c")
    wait_until("the prompt", terminal.text, lambda text: text.rstrip().endswith("ready>"))


def test_top_lives(site, terminal):
    poised, ctl = started(site)
    terminal.type(ctl + "top")
    lines = wait_until("the table", terminal.text, lambda text: "q quit" in text and SERVERS[2] in text).splitlines()
    assert "node150" in lines[0] and "generation 1, by name" in lines[0] and re.search(r"\d\d:\d\d:\d\d$", lines[0])
    assert len(lines) == 24 and lines[-1].startswith("q quit  s sort")
    assert max(map(len, lines)) <= 80
    assert any(re.search("front MASTER 150  back MASTER 150", line) for line in lines)
    state = column(lines, "SERVICE / SERVER", "STATE")
    assert [column(lines, "  %s:80" % server, "down") for server in SERVERS] == [state] * 3
    # Numbers stand under the ends of their headings.
    heading = next(line for line in lines if line.startswith("SERVICE / SERVER"))
    row = next(line for line in lines if SERVERS[0] in line)
    ends = [match.end() for match in re.finditer(r"WEIGHT|CONN/S|ACTIVE|INACT|IN B/S|OUT B/S", heading)]
    assert [match.end() for match in re.finditer(r"(?<= )\d\S*(?= |$)", row)][-6:] == ends
    # It is live: what changes appears without a key.
    poised.write(nat_site(120, check=TCP_CHECK))
    poised.poisectl("reload")
    wait_until("the new generation", terminal.text, lambda text: "generation 2" in text and "MASTER 120" in text, within=20)
    terminal.keys("s")
    wait_until("another order", terminal.text, lambda text: ", by conn/s" in text)
    terminal.keys("q")
    wait_until("the prompt, and the screen as it was", terminal.text,
               lambda text: text.rstrip().endswith("ready>") and "q quit" not in text)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes(site, terminal, shell):
    """With the Tab key, as a person has it: a command, a server with colons in its name, an option, its value."""
    poised, _ = started(site)
    etc = os.path.join(TOP, "etc")
    prepare = {"bash": "bash --norc --noprofile -c 'exec bash --noprofile --rcfile %s -i'" % site.r1.path("rc"),
               "zsh": "zsh -f -c 'ZDOTDIR=%s exec zsh -i'" % site.folder}[shell]
    # The line stays shorter than the screen.
    path = "cd %s\nPS1='ready> ' PATH=%s:$PATH\n" % (os.path.dirname(poised.rundir), os.path.dirname(program("ctl/poisectl")))
    with open(site.r1.path("rc"), "w", encoding="ascii") as file:
        file.write(path + ". /usr/share/bash-completion/bash_completion\n. %s/poise.bash-completion\n" % etc)
    os.symlink(os.path.join(etc, "poise.zsh-completion"), os.path.join(site.folder, "_poisectl"))
    with open(os.path.join(site.folder, ".zshrc"), "w", encoding="ascii") as file:
        file.write(path + "fpath=(%s $fpath)\nautoload -U compinit\ncompinit -u -d %s\n" %
                   (site.folder, site.r1.path("zcompdump")))
    terminal.type(prepare)
    wait_until("the shell", terminal.text, lambda text: text.rstrip().endswith("ready>") and prepare[:8] not in text, within=20)

    def tab(typed, becomes):
        terminal.keys(typed, "Tab")
        wait_until(becomes, terminal.text, lambda text: text.rstrip().endswith(becomes.rstrip()), within=20)

    tab("poisectl -r %s undr" % os.path.basename(poised.rundir), "undrain ")
    tab(SERVERS[1][:-1] + "2", " %s:80 " % SERVERS[1])
    tab("--ser", "--service ")
    tab(VIP[:6], "--service %s:80/tcp " % VIP)
    terminal.keys("Enter")
    wait_until("the answer", terminal.text, lambda text: "takes part again" in text, within=20)


def test_top_says_what_it_cannot_do(site, terminal):
    poised, ctl = started(site)
    terminal.type(ctl + "top")
    wait_until("the table", terminal.text, lambda text: "q quit" in text)
    poised.stop()
    wait_until("the reason", terminal.text, lambda text: "control.sock" in text.splitlines()[1], within=20)
    assert SERVERS[2] in terminal.text()
    terminal.keys("q")
    wait_until("the prompt", terminal.text, lambda text: text.rstrip().endswith("ready>"))
    terminal.type(ctl + "top; echo exit status $?")
    wait_until("a refusal", terminal.text, lambda text: re.search("^exit status [1-9]", text, re.M))
