# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams and SCTP through a service, as two programs.

`echo.py serve KIND ADDRESS PORT NAME` answers everything with NAME; `echo.py ask KIND ADDRESS PORT FIRST COUNT SECONDS STEP` asks
COUNT times, from the ports FIRST, FIRST + STEP ..., and prints how often each name came, as JSON. KIND is udp or sctp."""

import collections
import json
import socket
import sys

SCTP = 132  # IPPROTO_SCTP


def make(kind, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM) if kind == "udp" else socket.socket(family, socket.SOCK_STREAM, SCTP)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


def serve(kind, address, port, name):
    s = make(kind, address)
    s.bind((address, port))
    if kind == "sctp":
        s.listen(64)
    print("ready", flush=True)
    while True:
        if kind == "udp":
            _, sender = s.recvfrom(100)
            s.sendto(name, sender)
            continue
        with s.accept()[0] as one:
            if one.recv(100):
                one.sendall(name)


def ask(kind, address, port, source, seconds):
    with make(kind, address) as s:
        s.settimeout(seconds)
        try:
            s.bind(("::" if ":" in address else "0.0.0.0", source))
            s.connect((address, port))
            s.sendall(b"?")
            return s.recv(100).decode()
        except OSError as error:
            return "failed: %s" % error


def main():
    what, kind, address, port = *sys.argv[1:4], int(sys.argv[4])
    if what == "serve":
        serve(kind, address, port, sys.argv[5].encode())
    first, count, seconds, step = int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7]), int(sys.argv[8])
    print(json.dumps(collections.Counter(ask(kind, address, port, first + i * step, seconds) for i in range(count))))


if __name__ == "__main__":
    main()
