# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of the client: many requests, one after the other, from ports that the test chooses, so that what a hash makes
of them is the same in every run. Prints how often each body came."""

import collections
import json
import socket
import sys


def request(address, port, source, seconds):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.settimeout(seconds)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("", source))
        s.connect((address, port))
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while True:
            more = s.recv(4096)
            if not more:
                return data.split()[-1].decode()
            data += more
    except OSError as error:
        return "failed: %s" % error
    finally:
        s.close()


def main():
    address, port, first, count, seconds = sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5])
    print(json.dumps(collections.Counter(request(address, port, first + number, seconds) for number in range(count))))


if __name__ == "__main__":
    main()
