# SPDX-License-Identifier: ISC
"""A real Kannel on loopback: bearerbox, smsbox, and fakesmsc in the operator's place.

    with Kannel(folder) as k:
        k.operator()                # the operator is there from now on
        k.until_ready()
        k.said()                    # texts the operator got: [(from, to, text)]

Two smsc: fakesmsc, whose other side is the program in /usr/lib/kannel/test, and no other.
"""
import os
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from daemon import until

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
SECRET = "crm-secret"

CORE = """
group = core
admin-port = %(admin)d
admin-interface = 127.0.0.1
admin-password = secret
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = %(smsbox)d
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = "%(dir)s/spool"
dlr-storage = internal
sms-resend-freq = 5

group = smsc
smsc = fake
smsc-id = fake1
port = %(smsc)d
connect-allow-ip = 127.0.0.1
denied-prefix = "+4399;4399"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = %(smsbox)d
sendsms-port = %(sendsms)d
sendsms-interface = 127.0.0.1
global-sender = 13013
mo-recode = true

group = sendsms-user
username = crm
password = %(secret)s
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"
max-messages = 5
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "%(inbound)s?from=%%p&to=%%P&text=%%a&ts=%%T&id=%%I&smsc=%%i&coding=%%c&charset=%%C"
"""


def free_ports(n):
    """So many that nobody listens on; all are held until all are known."""
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def words(kind, text):
    raw = urllib.parse.unquote_to_bytes(text.replace("+", "%20") if kind == "ucs-2" else text)
    return raw.decode("utf-16-be") if kind == "ucs-2" else raw.decode(errors="replace")


class Kannel:
    def __init__(self, folder, inbound="http://127.0.0.1:9/sms/kannel"):
        self.dir, self.inbound = os.path.join(folder, "kannel"), inbound
        self.procs, self.lines, self.sender = [], [], None
        os.makedirs(os.path.join(self.dir, "spool"))

    def __enter__(self):
        for _ in range(5):
            try:
                self._start()
                return self
            except TimeoutError:  # somebody took a port in between
                self._end()
        raise TimeoutError("Kannel does not start")

    def _start(self):
        names = ("admin", "smsbox", "smsc", "sendsms")
        self.ports = dict(zip(names, free_ports(len(names))))
        self.conf = os.path.join(self.dir, "kannel.conf")
        with open(self.conf, "w") as f:
            f.write(CORE % dict(self.ports, dir=self.dir, secret=SECRET, inbound=self.inbound))
        self._run("bearerbox", self.conf)
        until(lambda: self._get("http://127.0.0.1:%d/status.txt?password=secret"
                                % self.ports["admin"]) == 200, timeout=20, why="bearerbox")
        self._run("smsbox", self.conf)
        until(lambda: self._connects(self.ports["sendsms"]), timeout=20, why="smsbox")

    def _run(self, *argv, **more):
        log = open(os.path.join(self.dir, os.path.basename(argv[0]) + ".log"), "ab")
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=more.get("out", log),
                             stderr=more.get("err", log))
        log.close()
        self.procs.append(p)
        return p

    @staticmethod
    def _connects(port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    @staticmethod
    def _get(url):
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                return r.status
        except urllib.error.HTTPError as e:
            return e.code
        except OSError:
            return 0

    def operator(self, *texts):
        """fakesmsc connects: what it says is what the operator got. texts: those it sends,
        as "FROM TO text WORDS"."""
        p = subprocess.Popen([FAKESMSC, "-H", "127.0.0.1", "-r", str(self.ports["smsc"]), "-i", "1",
                              "-m", str(len(texts))] + (list(texts) or ["491701 13013 text x"]),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        self.procs.append(p)
        self.smsc = p
        threading.Thread(target=self._read, args=(p.stdout,), daemon=True).start()
        until(lambda: self.online(), timeout=60, why="the operator is connected")

    def online(self):
        url = "http://127.0.0.1:%d/status.txt?password=secret" % self.ports["admin"]
        with urllib.request.urlopen(url, timeout=10) as r:
            return re.search(r"fake1.*online", r.read().decode(errors="replace")) is not None

    def hang_up(self):
        self.smsc.terminate()
        self.smsc.wait(20)
        until(lambda: not self.online(), timeout=60, why="the operator is gone")

    def _read(self, pipe):
        for line in pipe:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))
        pipe.close()

    def said(self):
        """Texts that the operator got: (from, to, text)."""
        found = [re.search(r"Got message \d+: <(\S+) (\S+) (\S+) (.*)>", x) for x in list(self.lines)]
        return [(m.group(1), m.group(2), words(m.group(3), m.group(4))) for m in found if m]

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.ports["sendsms"]

    def _end(self):
        for p in reversed(self.procs):
            if p.poll() is None:
                p.terminate()
        for p in self.procs:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.procs = []

    def __exit__(self, kind, value, tb):
        self._end()
