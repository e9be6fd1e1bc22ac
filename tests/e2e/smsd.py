# SPDX-License-Identifier: ISC
"""A real smsd of SMS Server Tools on loopback, and a modem for it to talk to over TCP.

    with Smsd(folder, handler) as s:
        s.outgoing                       # the folder that it takes texts from
        s.modem.sent                     # [(number, text, reference)] that the phone network got
        s.modem.text("+43660..", "Hi")   # a phone writes
        s.modem.report("+43660..", 7)    # the network's report of that reference
"""
import os
import re
import socket
import socketserver
import subprocess
import threading

from daemon import until

GSM = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
       "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENSION = {"e": "€", "<": "[", "=": "~", ">": "]", "(": "{", ")": "}", "/": "\\", "Λ": "^", "¡": "|"}
TIME = "62112201000000"  # 26-11-22 10:00:00, each pair of digits the other way round


def semi(digits):
    """As numbers stand in a PDU: pairs the other way round, an F at an odd end."""
    digits += "F" * (len(digits) % 2)
    return "".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2))


def septets(text):
    bits = "".join(format(GSM.index(c), "07b")[::-1] for c in text)
    bits += "0" * (-len(bits) % 8)
    return "".join("%02X" % int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8))


def words(data, count, coding):
    if coding & 12 == 8:
        return bytes.fromhex(data).decode("utf-16-be")
    bits = "".join(format(b, "08b")[::-1] for b in bytes.fromhex(data))
    text = "".join(GSM[int(bits[i * 7:i * 7 + 7][::-1], 2)] for i in range(count))
    return re.sub("\x1b(.)", lambda m: EXTENSION[m.group(1)], text)


def read_submit(pdu):
    """(number, text) of an SMS-SUBMIT without a header of parts."""
    at = 2 + 2 * int(pdu[:2], 16)
    first = int(pdu[at:at + 2], 16)
    n = int(pdu[at + 4:at + 6], 16)
    end = at + 8 + n + n % 2
    number = semi(pdu[at + 8:end])[:n]
    coding, rest = int(pdu[end + 2:end + 4], 16), pdu[end + 4 + (2 if first & 0x18 == 0x10 else 0):]
    return "+" + number, words(rest[2:], int(rest[:2], 16), coding), bool(first & 0x20)


def deliver(number, text):
    digits = number.lstrip("+")
    head = "00" + "04" + "%02X" % len(digits) + "91" + semi(digits) + "00"
    try:
        return head + "00" + TIME + "%02X" % len(text) + septets(text)
    except ValueError:
        data = text.encode("utf-16-be")
        return head + "08" + TIME + "%02X" % len(data) + data.hex().upper()


def status_report(number, reference, state):
    digits = number.lstrip("+")
    return "00" + "06" + "%02X" % reference + "%02X" % len(digits) + "91" + semi(digits) + TIME * 2 \
        + "%02X" % state


class Modem(socketserver.ThreadingTCPServer):
    """Enough of 3GPP TS 27.005 for smsd; whoever connects talks to the same SIM."""
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Talk)
        self.lock, self.memory, self.sent, self.refuse = threading.Lock(), {}, [], False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _arrive(self, pdu):
        with self.lock:
            self.memory[max(self.memory, default=0) + 1] = pdu

    def text(self, number, words_):
        self._arrive(deliver(number, words_))

    def report(self, number, reference, state=0):
        self._arrive(status_report(number, reference, state))


class Talk(socketserver.StreamRequestHandler):
    def say(self, *lines):
        self.wfile.write("".join("\r\n%s\r\n" % x for x in lines).encode())

    def upto(self, ends):
        got = b""
        while not got or got[-1:] not in ends:
            c = self.rfile.read(1)
            if not c:
                return None
            got += c
        return got.decode("latin-1")

    def handle(self):
        try:
            while (line := self.upto(b"\r\x1a")) is not None:
                self.command(line.strip().upper())
        except OSError:
            pass

    def command(self, line):
        m = self.server
        if line.startswith("AT+CPIN?"):
            self.say("+CPIN: READY", "OK")
        elif line.startswith("AT+CREG?"):
            self.say("+CREG: 0,1", "OK")
        elif line.startswith("AT+CSQ"):
            self.say("+CSQ: 20,99", "OK")
        elif line.startswith("AT+CPMS"):
            used = "\"SM\",%d,30" % len(m.memory)
            self.say("+CPMS: " + ",".join([used] * 3), "OK")
        elif line.startswith("AT+CMGL"):
            with m.lock:
                for n, pdu in sorted(m.memory.items()):
                    self.say("+CMGL: %d,0,,%d\r\n%s" % (n, len(pdu) // 2 - 1, pdu))
            self.say("OK")
        elif line.startswith("AT+CMGR="):
            with m.lock:
                pdu = m.memory.get(int(re.sub(r"\D", "", line[8:])))
            if pdu:
                self.say("+CMGR: 0,,%d\r\n%s" % (len(pdu) // 2 - 1, pdu))
            self.say("OK")
        elif line.startswith("AT+CMGD="):
            with m.lock:
                m.memory.pop(int(re.sub(r"\D.*", "", line[8:])), None)
            self.say("OK")
        elif line.startswith("AT+CMGS="):
            self.wfile.write(b"\r\n> ")
            pdu = self.upto(b"\x1a") or ""
            if m.refuse:
                self.say("+CMS ERROR: 38")
                return
            with m.lock:
                reference = len(m.sent) + 1
                m.sent.append(read_submit(re.sub(r"[^0-9A-F]", "", pdu.upper())) + (reference,))
            self.say("+CMGS: %d" % reference, "OK")
        else:
            self.say("OK")


CONF = """
devices = GSM1
outgoing = {dir}/outgoing
checked = {dir}/checked
incoming = {dir}/incoming
failed = {dir}/failed
sent = {dir}/sent
logfile = {dir}/smsd.log
infofile = {dir}/smsd.working
pidfile = {dir}/smsd.pid
loglevel = 7
delaytime = 1
delaytime_mainprocess = 1
errorsleeptime = 1
blocktime = 2
stats_interval = 0
receive_before_send = no
incoming_utf8 = yes
eventhandler = {handler}

[GSM1]
device = @127.0.0.1:{port}
incoming = yes
report = yes
check_network = 1
"""


class Smsd:
    def __init__(self, folder, handler, env=None):
        self.dir, self.modem = str(folder), Modem()
        for name in ("outgoing", "checked", "incoming", "failed", "sent"):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
        self.outgoing = os.path.join(self.dir, "outgoing")
        with open(self.dir + "/smsd.conf", "w") as f:
            f.write(CONF.format(dir=self.dir, handler=handler, port=self.modem.server_address[1]))
        self.proc = subprocess.Popen(["/usr/sbin/smsd", "-c" + self.dir + "/smsd.conf", "-t"],
                                     env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     start_new_session=True)

    def log(self):
        with open(self.dir + "/smsd.log", errors="replace") as f:
            return f.read()

    def close(self):
        self.proc.terminate()
        try:
            self.proc.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.proc.pid, 9)
            self.proc.wait()
        self.modem.shutdown()
        self.modem.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
