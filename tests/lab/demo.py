#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration: a site in network namespaces and what happens to it, told as a timeline.

Every claim is checked from outside, at the client and in the kernels' tables, not by asking the daemon. Exit status 0
only when all of them held. tests/demo builds first and runs this where there is IPVS."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from poiselab import Site, wait_until  # noqa: E402
from poiselab.configs import nat_site  # noqa: E402
from poiselab.customer import Customer, Download  # noqa: E402
from poiselab.probe import PATIENCE_US  # noqa: E402
from poiselab.screen import Screen  # noqa: E402
from poiselab.site import GATEWAY, VIP  # noqa: E402

# A guest kernel stands still for tenths of a second when its machine is busy: elections there are slower.
ADVERT_S = 0.2 if os.environ.get("LAB_KERNEL") == "own" else 0.5
PREEMPT_DELAY_S = 3
PRIORITY = {"r1": 150, "r2": 100}
PROBE_MS = 5
BUSY_S = 1.0  # what a machine that does other things too may add to a time; tests/bench is for figures
KERNELS = {"own": "this machine's kernel", "uml": "a guest kernel (User Mode Linux)", "qemu": "a guest kernel (QEMU)"}


def patience_s(priority):
    """How long a backup waits: three advertisement intervals and its skew (RFC 9568, 6.1)."""
    return 3 * ADVERT_S + (256 - priority) / 256 * ADVERT_S


def milliseconds(seconds):
    return "%.0f ms" % (seconds * 1000)


class Demo:
    def __init__(self):
        self.screen = Screen()
        self.figures = []
        self.wrong = 0
        self.daemons = {}

    def claim(self, good, text):
        self.screen.verdict(good, text)
        self.wrong += not good

    def figure(self, name, value, remark=""):
        self.figures.append((name, value, remark))

    def configuration(self, router):
        return nat_site(PRIORITY[router], advert=ADVERT_S, globals_="vrrp_version 3", scheduler="rr",
                        more="preempt_delay %d" % PREEMPT_DELAY_S)

    def start_router(self, router):
        self.daemons[router.short] = router.poised(self.configuration(router.short))

    def why(self, router, instance="front"):
        why = self.daemons[router].vrrp(instance).get("why")
        return " (%s: %s)" % (router, why) if why else ""

    def run(self, chapters):
        screen = self.screen
        screen.line(screen.paint("Poise", "bold") + ": two routers, one address, three servers")
        screen.prose("Machines are network namespaces in %s; daemons, connections and kernel tables are real."
                     % KERNELS.get(os.environ.get("LAB_KERNEL"), "this kernel"), 0)
        screen.line()
        for row in ("                               ┌─ r1 (priority 150) ─┐   ┌─ s1 198.51.100.11",
                    "client ──── 192.0.2.10:80 ─────┤                     ├───┼─ s2 198.51.100.12",
                    "192.0.2.50  the address        └─ r2 (priority 100) ─┘   └─ s3 198.51.100.13"):
            screen.line(row, 3)
        self.site = Site()
        try:
            for server in self.site.servers:
                server.nginx(rate="200k", big_kb=2400)
            screen.began = time.monotonic()
            for title, chapter in chapters:
                screen.chapter(title)
                try:
                    chapter(self)
                except Exception as error:  # a step that breaks is a claim that failed; the story goes on
                    self.claim(False, "%s: %s" % (type(error).__name__, error))
            self.summary()
        finally:
            if self.wrong:
                self.site.save_logs("logs")
                screen.line("The daemons' logs are in tests/out/demo/logs.")
            self.site.close()
        return 1 if self.wrong else 0

    def summary(self):
        screen = self.screen
        screen.line()
        screen.line(screen.paint("Measured", "bold"))
        wide = max((len(name) for name, *_ in self.figures), default=0)
        for name, value, remark in self.figures:
            screen.line("%-*s  %10s  %s" % (wide, name, value, screen.paint(remark, "dim")), 3)
        screen.line()
        screen.line(screen.paint("Every step did what it claims.", "good") if not self.wrong else
                    screen.paint("%d claims did not hold." % self.wrong, "bad"))


def election(demo):
    site, screen = demo.site, demo.screen
    screen.prose("Both routers start. They agree by VRRP (version 3, an advertisement every %s) who holds the front "
                 "address %s and the servers' gateway %s." % (milliseconds(ADVERT_S), VIP, GATEWAY))
    began = time.monotonic()
    demo.start_router(site.r1)
    wait_until("r1 to take part", lambda: demo.daemons["r1"].running() and "backup" in demo.daemons["r1"].log().lower(), within=30)
    demo.start_router(site.r2)
    both = ["r1"], ["r1"]
    wait_until("r1 to hold both addresses", lambda: (site.holders(VIP), site.holders(GATEWAY)),
               lambda seen: seen == both, within=30)
    took = time.monotonic() - began
    demo.claim(True, "r1 is master after %.1f s%s" % (took, demo.why("r1")))
    demo.claim((site.holders(VIP), site.holders(GATEWAY)) == both, "no other machine holds either address")
    demo.figure("start to service", "%.1f s" % took, "two daemons started, one elected")


def draw(screen, visits, drawn):
    """Adds the visits not drawn yet to the row: the server's number, or a cross."""
    for _, server, _ in visits[drawn:]:
        screen.sign(server[1] if server else "×", server or "bad")
    return len(visits)


def watch(demo, customer, moment, what, until, within):
    """Shows the visits since the moment as they come, until the predicate on them holds."""
    drawn = 0

    def look():
        nonlocal drawn
        visits = customer.since(moment)
        drawn = draw(demo.screen, visits, drawn)
        return visits

    visits = wait_until(what, look, until, within)
    demo.screen.end_of_row()
    return visits


def spread(demo):
    site, screen = demo.site, demo.screen
    screen.prose("The client asks for a page again and again; each digit is the server that answered.")
    for router in site.routers:
        wait_until("three servers in the kernel of " + router.short, lambda r=router: weights(r),
                   lambda seen: sorted(seen.values()) == [1, 1, 1], within=30)
    demo.customer = Customer(site.client.namespace.name, VIP)
    begin = time.monotonic()
    visits = watch(demo, demo.customer, begin, "60 answers", lambda seen: len(seen) >= 60, 20)[:60]
    counts = {name: sum(1 for _, server, _ in visits if server == name) for name in ("s1", "s2", "s3")}
    for name, count in counts.items():
        screen.bar(name, count, max(counts.values()), name)
    demo.claim(sum(counts.values()) == 60 and min(counts.values()) >= 15,
               "60 requests, 60 answers, every server has its share")
    demo.figure("requests spread", "/".join(str(count) for count in counts.values()), "of 60, to s1/s2/s3")


def weights(router):
    """The servers of the web service that the kernel of a router would use."""
    service = router.ipvs().get(("TCP", VIP + ":80"), {})
    return {server.split(":")[0]: entry["weight"] for server, entry in service.items() if entry["weight"] > 0}


def death(demo):
    site, screen = demo.site, demo.screen
    screen.prose("kill -9 of the web server on s2. Health checks run every second; a cross is a request that failed.")
    moment = time.monotonic()
    site.s2.web.kill()
    address = site.s2.address
    taken_out = None

    def out():
        nonlocal taken_out
        if taken_out is None and address not in weights(site.r1):
            taken_out = time.monotonic() - moment
        return taken_out

    visits = watch(demo, demo.customer, moment, "s2 to be taken out",
                   lambda seen: out() and sum(1 for v in seen if v[0] > moment + taken_out + 0.6) >= 15, 20)
    lost = [visit for visit in visits if visit[1] is None]
    after = [visit for visit in visits if visit[0] > moment + taken_out + 0.5]
    demo.claim(True, "s2 was out of the kernel's table %.2f s after its death" % taken_out)
    demo.claim(after and not any(visit[1] is None for visit in after),
               "%d requests met the dead server before that, none after" % len(lost))
    demo.claim(address not in weights(site.r2), "the backup's kernel has taken it out as well")
    demo.figure("dead server taken out", milliseconds(taken_out), "%d requests failed meanwhile" % len(lost))
    screen.prose("The web server on s2 is started again.")
    moment = time.monotonic()
    site.s2.nginx(rate="200k", big_kb=2400)
    watch(demo, demo.customer, moment, "s2 to answer again",
          lambda seen: sum(1 for visit in seen if visit[1] == "s2") >= 4, 20)
    back = next(visit[0] for visit in demo.customer.since(moment) if visit[1] == "s2") - moment
    demo.claim(True, "s2 answers again %.2f s after its start" % back)
    demo.figure("server taken back", milliseconds(back))


def busy_server(router):
    """The server that serves a connection which lasts, by the kernel's table."""
    service = router.ipvs().get(("TCP", VIP + ":80"), {})
    return [server.split(":")[0] for server, entry in service.items() if entry["active"] > 0]


def drain(demo):
    site, screen = demo.site, demo.screen
    demo.customer.stop()
    download = Download(site.client.namespace.name, VIP)
    address = wait_until("the download to run", lambda: busy_server(site.r1),
                         lambda seen: len(seen) == 1 and download.received > 100000, within=30)[0]
    name = next(server.short for server in site.servers if server.address == address)
    screen.prose("A download comes from %s. `poisectl drain %s --wait` asks for a rest there: no new connections, and "
                 "the command returns when the last one is gone." % (name, address))
    moment = time.monotonic()
    ctl = subprocess.Popen([*demo.poisectl("r1"), "drain", address, "--wait"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    try:
        wait_until("%s to take no new connections" % name, lambda: weights(site.r1),
                   lambda seen: address not in seen, within=10)
        settled = time.monotonic()
        demo.customer = Customer(site.client.namespace.name, VIP)
        visits = watch(demo, demo.customer, settled, "30 answers", lambda seen: len(seen) >= 30, 20)
        going = download.is_alive() and ctl.poll() is None
        share = download.received / max(1, download.length)
        demo.claim(going and all(visit[1] not in (None, name) for visit in visits),
                   "30 new requests went to the other two; the download goes on (%d %%)" % (share * 100))
        download.join(60)
        ended = time.monotonic()
        demo.claim(download.complete(), "the download is complete: %d of %d bytes%s" % (
            download.received, download.length, ", " + download.error if download.error else ""))
        said = ctl.communicate(timeout=90)[0].strip()
    finally:
        ctl.poll() is None and ctl.kill()
    waited = time.monotonic() - ended
    demo.claim(ctl.returncode == 0, "poisectl returned %d, %.1f s after the download's end%s" % (
        ctl.returncode, waited, ": " + said.splitlines()[-1] if said else ""))
    demo.figure("drained without a cut", "%.1f s" % (time.monotonic() - moment),
                "download of %.1f MB complete, no new request to %s" % (download.length / 1e6, name))
    subprocess.run([*demo.poisectl("r1"), "undrain", address], check=True, stdout=subprocess.DEVNULL)
    wait_until("%s to work again" % name, lambda: weights(site.r1), lambda seen: address in seen, within=10)
    demo.claim(True, "`poisectl undrain %s`: %s works again" % (address, name))


def cable(demo):
    site, screen = demo.site, demo.screen
    demo.customer.stop()
    screen.prose("Both cables of r1, the master, are pulled while the client opens a connection every %d ms. r2 may "
                 "wait %s (three intervals and its skew) before it takes over."
                 % (PROBE_MS, milliseconds(patience_s(PRIORITY["r2"]))))
    demo.probe = site.probe("tcp", interval_ms=PROBE_MS)
    wait_until("the probe's answers", lambda: demo.probe.answered_since(0), lambda n: n > 50)
    moment = time.monotonic()
    site.r1.cut()
    wait_until("answers after the cut", lambda: demo.probe.answered_since(moment + patience_s(100) / 2),
               lambda n: n > 50, within=10)
    length, begin = demo.probe.silence(moment - 0.1)
    span = max(1.0, length * 2)
    left = begin + length / 2 - span / 2
    wait_until("the picture", time.monotonic, lambda now: now > left + span + PATIENCE_US / 1e6)
    picture = screen.sparkline(demo.probe.knocks(), left, left + span, 64)
    screen.line("%s  %s" % (picture, screen.paint("%.1f s" % span, "dim")), 9)
    stall = demo.probe.stall(moment - 0.1, begin + length + 0.1)
    bound = patience_s(PRIORITY["r2"])
    if stall > 0.02:
        screen.prose("(This machine is busy: the client itself did not get to run for %s.)" % milliseconds(stall))
    demo.claim(length <= bound + BUSY_S + 2 * stall, "the client was without an answer for %s; the protocol allows %s%s" % (
        milliseconds(length), milliseconds(bound), demo.why("r2")))
    demo.claim(VIP in site.r2.addresses() and GATEWAY in site.r2.addresses(), "r2 holds both addresses")
    demo.figure("outage, cable pulled", milliseconds(length), "the protocol allows " + milliseconds(bound))


def comeback(demo):
    site, screen = demo.site, demo.screen
    screen.prose("The cables are put back. r1 has the higher priority; it waits %d s (preempt_delay), until its health "
                 "checks know the servers again, and takes over. The client still knocks." % PREEMPT_DELAY_S)
    moment = time.monotonic()
    site.r1.restore()
    both = ["r1"], ["r1"]
    wait_until("r1 to hold both addresses again", lambda: (site.holders(VIP), site.holders(GATEWAY)),
               lambda seen: seen == both, within=15)
    took = time.monotonic() - moment
    settled = time.monotonic()
    wait_until("answers after that", lambda: demo.probe.answered_since(settled), lambda n: n > 100, within=10)
    length, _ = demo.probe.silence(moment)
    stall = demo.probe.stall(moment)
    demo.probe.stop()
    demo.claim(True, "r1 is master again after %.1f s%s" % (took, demo.why("r1")))
    demo.claim(length < BUSY_S + 2 * stall, "the longest time without an answer while it came back was %s" % milliseconds(length))
    demo.figure("outage, old master back", milliseconds(length), "of which %d ms lie between two knocks" % PROBE_MS)
    visits = Customer(site.client.namespace.name, VIP)
    begin = time.monotonic()
    seen = watch(demo, visits, begin, "30 answers", lambda seen: len(seen) >= 30, 10)
    visits.stop()
    demo.claim({visit[1] for visit in seen} == {"s1", "s2", "s3"}, "all three servers answer through r1")


CHAPTERS = (("Election", election), ("Requests are spread", spread), ("A server dies", death),
            ("A server is drained", drain), ("The master's cable is pulled", cable), ("The old master comes back", comeback))


class PoiseDemo(Demo):
    def poisectl(self, router):
        from poiselab.daemons import program

        return [program("ctl/poisectl"), "-r", self.daemons[router].rundir]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return PoiseDemo().run(CHAPTERS)


if __name__ == "__main__":
    sys.exit(main())
