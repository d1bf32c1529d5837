# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers for health checks: run as a program on a machine of the site, `python3 peers.py KIND PORT [STATE]`. STATE is a
file whose text says how the server behaves at the moment, so that a test changes it without a restart."""

import os
import socket
import socketserver
import struct
import sys
import time


def state(path, default=""):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read().strip() or default
    except OSError:
        return default


def reset(sock):
    """Closes with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def serve(port, handle, family=socket.AF_INET):
    class Server(socketserver.ThreadingTCPServer):
        address_family = family
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 64

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                handle(self.request)
            except OSError:
                pass

    with Server(("", port), Handler) as server:
        server.serve_forever()


def smtp(path):
    """A mail server by script: the state is the reply to HELO, or "shut" for a greeting that refuses."""
    def handle(sock):
        stream = sock.makefile("rwb")

        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        if state(path) == "shut":
            say("554 no service here")
            return
        say("220-mail.example.org ESMTP\r\n220 at your service")
        for line in stream:
            word = line.split()[:1]
            if word == [b"QUIT"]:
                say("221 bye")
                return
            name = line.decode(errors="replace").strip()
            print(name, flush=True)
            say(state(path, "250 mail.example.org") if word == [b"HELO"] else "500 what?")
    return handle


def agent(path):
    """HAProxy's agent protocol: the state is the line it says."""
    def handle(sock):
        sock.sendall(state(path, "up").encode() + b"\n")
    return handle


def talk(path):
    """Answers PING with +PONG and a number, or with what the state says."""
    def handle(sock):
        stream = sock.makefile("rwb")
        stream.write(b"hello 2.0\r\n")
        stream.flush()
        for line in stream:
            stream.write((state(path, "+PONG 7") if line.strip() == b"PING" else "-ERR").encode() + b"\r\n")
            stream.flush()
    return handle


def misbehave(path):
    """What the state says: loris, endless, garbage, half, mute, reset, slow, well."""
    def handle(sock):
        how = state(path, "well")
        if how == "reset":
            # The first bytes of a handshake or a request, then RST.
            sock.recv(1)
            reset(sock)
            return
        if how == "mute":
            time.sleep(60)
            return
        sock.recv(4096)
        if how == "loris":
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                sock.sendall(bytes([byte]))
                time.sleep(0.05)
        elif how == "endless":
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                sock.sendall(b"x" * 65536)
        elif how == "garbage":
            sock.sendall(os.urandom(4096).replace(b"HTTP", b"----"))
        elif how == "half":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        else:
            time.sleep(0.2 if how == "slow" else 0)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n")
    return handle


def udp(port, path):
    """Echoes what comes, behind what the state says; "mute" says nothing."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    while True:
        data, source = sock.recvfrom(4096)
        if state(path) != "mute":
            sock.sendto(state(path).encode() + data, source)


def grpc_health(port, path):
    """A real gRPC server with the health service: the state is the number it answers."""
    from concurrent import futures

    import grpc

    def check(request, context):
        number = state(path, "1")
        if number == "unknown":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return b"\x08" + bytes([int(number)])

    method = grpc.unary_unary_rpc_method_handler(check)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    server.add_insecure_port("0.0.0.0:%d" % port)
    server.start()
    server.wait_for_termination()


def main():
    kind, port = sys.argv[1], int(sys.argv[2])
    path = sys.argv[3] if len(sys.argv) > 3 else "/nonexistent"
    if kind == "udp":
        udp(port, path)
    elif kind == "grpc":
        grpc_health(port, path)
    else:
        serve(port, {"smtp": smtp, "agent": agent, "talk": talk, "misbehave": misbehave}[kind](path))


if __name__ == "__main__":
    main()
