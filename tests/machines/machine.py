# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole machine under QEMU, with its network cards plugged into the bridges of a site."""

import base64
import os
import socket
import subprocess

from poiselab import wait_until


class Machine:
    """Boots from a disk of its own over the common image; power_off() is what it says. `cards`: [(bridge, MAC)]."""

    def __init__(self, site, image, name, cards):
        self.site, self.image, self.name, self.cards = site, image, name, cards
        self.disk = os.path.join(site.folder, name + ".qcow2")
        self.port_path = os.path.join(site.folder, name + ".port")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", os.path.join(image, "disk.img"),
                        self.disk], check=True)
        self.process = self.port = None
        self.buffer = b""
        for index, (bridge, _) in enumerate(cards):
            site.switch.ip("tuntap add %s mode tap" % self.tap(index),
                           "link set %s master %s up" % (self.tap(index), bridge))

    def tap(self, index):
        return "%s-%d" % (self.name, index)

    def command(self):
        words = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-accel", "tcg,thread=multi", "-smp", "1", "-m", "768M",
                 "-nographic", "-no-reboot", "-kernel", self.image + "/vmlinuz", "-initrd", self.image + "/initrd.img",
                 "-append", "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 systemd.hostname=" + self.name,
                 "-drive", "file=%s,if=virtio,format=qcow2,cache=unsafe" % self.disk,
                 "-chardev", "socket,id=port,path=%s,server=on,wait=off" % self.port_path,
                 "-device", "virtio-serial", "-device", "virtserialport,chardev=port,name=agent"]
        for index, (_, mac) in enumerate(self.cards):
            words += ["-netdev", "tap,id=n%d,ifname=%s,script=no,downscript=no" % (index, self.tap(index)),
                      "-device", "virtio-net-pci,netdev=n%d,mac=%s" % (index, mac)]
        return words

    def power_on(self):
        """Returns when it runs commands."""
        self.buffer = b""
        log = os.path.join(self.site.logs, self.name + "-console.log")
        with open(log, "ab") as out:
            self.process = subprocess.Popen(["nsenter", "--net=/run/netns/" + self.site.switch.name, *self.command()],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until("the port of " + self.name, lambda: os.path.exists(self.port_path), within=30)
        self.port = socket.socket(socket.AF_UNIX)
        self.port.settimeout(1)
        wait_until("a connection to " + self.name, self.connect, within=30)
        assert self.line(600) == b"ready"

    def connect(self):
        try:
            self.port.connect(self.port_path)
            return True
        except OSError:
            return False

    def line(self, seconds):
        def read():
            assert self.process.poll() is None, "%s ended: status %d" % (self.name, self.process.returncode)
            try:
                self.buffer += self.port.recv(65536)
            except TimeoutError:
                pass
            return b"\n" in self.buffer

        if b"\n" not in self.buffer:
            wait_until("an answer of " + self.name, read, within=seconds)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.strip()

    def run(self, command, check=True, seconds=600):
        """Runs a line of shell as root; returns what it said. A failure carries that too."""
        script = "set -e\nif ( %s\n); then echo STATUS 0; else echo STATUS $?; fi\n" % command
        self.port.sendall(base64.b64encode(script.encode()) + b"\n")
        answer = self.line(seconds).split(b" ")
        assert answer[0] == b"done", answer
        said, _, status = base64.b64decode(answer[1] if len(answer) > 1 else b"").decode().rpartition("STATUS ")
        assert not check or status.strip() == "0", "%s: %s\n%s" % (self.name, command, said)
        return said

    def put(self, path, data):
        """Writes a file of any size, down to the disk: the plug may be pulled."""
        self.run(": >%s" % path)
        text = base64.b64encode(data).decode()
        for i in range(0, len(text), 60000):
            self.run("printf %%s %s | base64 -d >>%s" % (text[i:i + 60000], path))
        self.run("sync " + path)

    def power_off(self):
        """The plug is pulled."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.port.close()
            if os.path.exists(self.port_path):
                os.unlink(self.port_path)
        self.process = None
