# SPDX-License-Identifier: GPL-2.0-or-later
"""Notification FIFOs with keepalived's lines, in order, beside keepalived itself; and mail, taken by a scripted server."""

import os
import re
import socket
import stat
import threading

import pytest

from poiselab import wait_until
from poiselab.configs import instance
from poiselab.net import inside
from poiselab.site import FRONT4, VIP


class FifoReader:
    """Reads a FIFO to its lines, as a program of the operator would."""

    def __init__(self, path):
        self.fd, self.text = os.open(path, os.O_RDONLY | os.O_NONBLOCK), ""

    def lines(self):
        try:
            while True:
                data = os.read(self.fd, 65536)
                if not data:
                    break
                self.text += data.decode()
        except BlockingIOError:
            pass
        return self.text.splitlines()


def fifo(path):
    wait_until("the FIFO %s" % path, lambda: os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode))
    return FifoReader(path)


def group_of_two(priority, fifo_lines, more=""):
    track = "track_file {\n\tlevel\n}"
    return ("global_defs {\n%s\n\tscript_user root\n\tvrrp_notify_priority_changes on\n}\n" % fifo_lines + more +
            "vrrp_sync_group G {\n\tgroup {\n\t\tone\n\t\ttwo\n\t}\n\tsync_group_tracking_weight\n}\n" +
            instance("one", "front", 51, VIP, priority=priority, more=track) +
            instance("two", "front", 52, FRONT4 + "11", priority=priority))


def expected(lines, name):
    """The lines about one object, in order."""
    return [line for line in lines if '"%s"' % name in line]


@pytest.mark.parametrize("daemon", ["keepalived", "poised"])
def test_fifo_lines(site, daemon):
    """The same configuration and the same events give the same lines about each object with both daemons."""
    path, level = site.r1.path("fifo"), site.r1.path("level")
    program = site.r1.path("reader")
    with open(program, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho \"$@\" >%s\nexec sleep 600\n" % site.r1.path("arguments"))
    os.chmod(program, 0o755)
    text = group_of_two(150, "\tvrrp_notify_fifo %s\n\tvrrp_notify_fifo_script \"%s a b\"" % (path, program),
                        "vrrp_track_file level {\n\tfile %s\n\tweight 1\n}\n" % level)
    running = getattr(site.r1, daemon)(text)
    reader = fifo(path)
    wait_until("both to be master", lambda: [line for line in reader.lines() if "MASTER 150" in line],
               lambda lines: len(lines) == 2, within=15)
    with open(level, "w", encoding="ascii") as f:
        f.write("-20\n")
    wait_until("the priority", reader.lines, lambda lines: 'INSTANCE "one" MASTER_PRIORITY 130' in lines)
    site.r1.run("ip", "link", "set", "front", "down")
    wait_until("the faults", reader.lines, lambda lines: 'GROUP "G" FAULT 0' in lines)
    wait_until("the program", lambda: os.path.exists(site.r1.path("arguments")))
    with open(site.r1.path("arguments"), encoding="ascii") as f:
        assert f.read() == "a b %s\n" % path
    running.stop()
    lines = wait_until("the stop", reader.lines, lambda seen: 'GROUP "G" STOP 0' in seen and
                       'INSTANCE "two" STOP 150' in seen)
    assert expected(lines, "one") == ['INSTANCE "one" ' + what for what in
                                      ("BACKUP 150", "MASTER 150", "MASTER_PRIORITY 130", "FAULT 130", "STOP 130")]
    assert expected(lines, "two") == ['INSTANCE "two" ' + what for what in
                                      ("BACKUP 150", "MASTER 150", "FAULT 150", "STOP 150")]
    assert expected(lines, "G") == ['GROUP "G" ' + what for what in ("BACKUP 0", "MASTER 0", "FAULT 0", "STOP 0")]
    wait_until("the FIFO to be removed", lambda: not os.path.exists(path))


def test_fifo_without_a_reader_and_a_reload(site):
    """Nobody reads at first: nothing waits, nothing is lost. A deleted instance is told as such."""
    path = site.r1.path("fifo")
    states = "\tnotify_fifo %s\n\tfifo_write_vrrp_states_on_reload" % path
    one = instance("one", "front", 51, VIP, priority=150)
    two = instance("two", "front", 52, FRONT4 + "11", priority=150, more="notify_deleted")
    ours = site.r1.poised("global_defs {\n%s\n}\n" % states + one + two)
    wait_until("mastership", lambda: ours.state("two"), lambda state: state == "MASTER", within=15)
    ours.write("global_defs {\n%s\n}\n" % states + one)
    ours.poisectl("reload")
    reader = fifo(path)
    lines = wait_until("the deletion", reader.lines, lambda seen: 'INSTANCE "two" DELETED 150' in seen)
    assert expected(lines, "two")[:2] == ['INSTANCE "two" BACKUP 150', 'INSTANCE "two" MASTER 150']
    wait_until("the states after the reload", reader.lines, lambda seen: expected(seen, "one").count(
        'INSTANCE "one" MASTER 150') == 2)


class MailServer:
    """Speaks SMTP as its script says: the first `busy` conversations are refused."""

    def __init__(self, namespace, busy):
        self.mails, self.conversations, self.busy = [], 0, busy
        with inside(namespace):
            self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", buffering=0) as stream:
                self.conversations += 1
                self.talk(stream, self.conversations <= self.busy)

    def talk(self, stream, is_busy):
        envelope = []
        stream.write(b"421 too busy\r\n" if is_busy else b"220 lab ESMTP\r\n")
        while not is_busy:
            line = stream.readline().decode().strip()
            envelope.append(line)
            if line.upper().startswith("DATA"):
                stream.write(b"354 go on\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    data = stream.read(1)
                    if not data:
                        return
                    text += data
                self.mails.append((envelope, text.decode()))
                stream.write(b"250 taken\r\n")
            elif not line or line.upper().startswith("QUIT"):
                stream.write(b"221 bye\r\n")
                return
            else:
                stream.write(b"250 fine\r\n")

    def close(self):
        self.socket.close()


def test_mail_tells_of_every_change(site):
    server = MailServer(site.r1.namespace.name, busy=1)
    text = """global_defs {
	notification_email {
		a@example.org
		b@example.org
	}
	notification_email_from lb@example.org
	smtp_server 127.0.0.1 %d
	smtp_connect_timeout 5
	smtp_helo_name lb1.example.org
	router_id LB_1
}
""" % server.port + instance("one", "front", 51, VIP, priority=150, more="smtp_alert")
    ours = site.r1.poised(text)
    wait_until("mastership", lambda: ours.state("one"), lambda state: state == "MASTER", within=15)
    # The first try is refused, and tried again after ten seconds; nothing is lost and the order is kept.
    mails = wait_until("two mails", lambda: list(server.mails), lambda seen: len(seen) >= 2, within=30)
    envelope, mail = mails[1]
    assert envelope[0].upper() in ("EHLO LB1.EXAMPLE.ORG", "HELO LB1.EXAMPLE.ORG")
    assert "MAIL FROM:<lb@example.org>" in envelope[1]
    assert {"RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"} <= set(envelope)
    assert "Subject: [LB_1] VRRP Instance one - Entering BACKUP state\r\n" in mails[0][1]
    assert "Subject: [LB_1] VRRP Instance one - Entering MASTER state\r\n" in mail
    assert re.search(r"Reason: no advertisement from any router for \d+ ms", mail), mail
    assert re.search(r"^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r$", mail, re.M)
    ours.stop()
    server.close()
