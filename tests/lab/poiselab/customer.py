# SPDX-License-Identifier: GPL-2.0-or-later
"""A customer in front of the site: a thread that asks for a page again and again and notes which server answered."""

import http.client
import socket
import threading
import time

from . import net


class Customer:
    def __init__(self, namespace, address, pause_s=0.05, timeout_s=3.0):
        self.namespace, self.address = namespace, address
        self.pause_s, self.timeout_s = pause_s, timeout_s
        self.visits = []  # (monotonic seconds when it ended, server's name or None, why not)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.go, daemon=True)
        self.thread.start()

    def go(self):
        with net.inside(self.namespace):
            while not self.stopping.is_set():
                self.visits.append(self.visit())
                self.stopping.wait(self.pause_s)

    def visit(self):
        connection = http.client.HTTPConnection(self.address, timeout=self.timeout_s)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            return time.monotonic(), answer.read().decode().strip() if answer.status == 200 else None, answer.reason
        except (OSError, http.client.HTTPException) as error:
            return time.monotonic(), None, str(error) or type(error).__name__
        finally:
            connection.close()

    def since(self, moment):
        return [visit for visit in list(self.visits) if visit[0] >= moment]

    def stop(self):
        self.stopping.set()
        self.thread.join()


class Download(threading.Thread):
    """One slow download; tells how far it is and which server it comes from is for the caller to find out."""

    def __init__(self, namespace, address, path="/big"):
        super().__init__(daemon=True)
        self.namespace, self.address, self.path = namespace, address, path
        self.received = self.length = 0
        self.error = None
        self.port = None
        self.reading = threading.Event()
        self.reading.set()
        self.start()

    def hold(self):
        """Reads no more until go_on(): the connection lasts however slow everything else is."""
        self.reading.clear()

    def go_on(self):
        self.reading.set()

    def run(self):
        with net.inside(self.namespace):
            connection = http.client.HTTPConnection(self.address, timeout=30)
            try:
                connection.connect()
                # a window so small that the rest of the file stays at the server while we do not read
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
                self.port = connection.sock.getsockname()[1]
                connection.request("GET", self.path)
                answer = connection.getresponse()
                self.length = int(answer.headers["Content-Length"])
                while True:
                    self.reading.wait()
                    data = answer.read(16384)
                    if not data:
                        break
                    self.received += len(data)
            except (OSError, http.client.HTTPException) as error:
                self.error = str(error) or type(error).__name__
            finally:
                connection.close()

    def complete(self):
        return bool(self.length) and self.received == self.length and not self.error
