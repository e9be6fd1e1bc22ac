# SPDX-License-Identifier: ISC
"""A real Postfix with opendkim, opendmarc and Dovecot's SASL on loopback, for tests.

    with Mta() as mta:
        mta.outside(sender, rcpt, mail)           # from a stranger's host, as it stands
        mta.provider(sender, rcpt, mail)          # through a provider that signs (DKIM)
        mta.submit(login, sender, rcpt, mail)    # by somebody who signs in here
        mta.maildir                               # where mail for leadd arrives

mx.our.example takes mail from outside, verifies and delivers; mail.rep.example is the
provider of the domain rep.example. Both are this one Postfix. The DNS is a file and a
small server of our own. Ports are free ones. Needs root, as Postfix does.
"""
import os
import pwd
import shutil
import signal
import smtplib
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading

PROGRAMS = ("/usr/sbin/postfix", "/usr/sbin/opendkim", "/usr/sbin/opendmarc",
            "/usr/sbin/opendkim-genkey", "/usr/sbin/dovecot")
MISSING = [p for p in PROGRAMS if not os.path.exists(p)]

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/maillog
maillog_file_prefixes = /
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.our.example
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = our.example
virtual_mailbox_maps = static:crm/
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_milters = inet:127.0.0.1:{opendkim}, inet:127.0.0.1:{opendmarc}
milter_default_action = accept
milter_connect_timeout = 5s
smtp_host_lookup = native
smtp_dns_support_level = disabled
disable_dns_lookups = yes
recipient_delimiter = +
header_checks =
"""

MASTER = """
127.0.0.1:{outside} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=inet:127.0.0.1:{auth}
  -o smtpd_tls_auth_only=no
  -o smtpd_sender_restrictions={sign_in}
127.0.0.1:{provider} inet n - n - - smtpd
  -o myhostname=mail.rep.example
  -o smtpd_milters=inet:127.0.0.1:{signer}
  -o content_filter=provider:[127.0.0.1]:{outside}
  -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination
provider unix - - n - - smtp -o myhostname=mail.rep.example -o smtp_send_xforward_command=no
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

DOVECOT = """
base_dir = {root}/dovecot
state_dir = {root}/dovecot
log_path = {root}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth}
  }}
}}
"""

OPENDKIM = """
Mode {mode}
Socket inet:{port}@127.0.0.1
UserID root
Syslog no
PidFile {root}/{name}.pid
AuthservID mx.our.example
InternalHosts {root}/{hosts}
ExternalIgnoreList {root}/{hosts}
Canonicalization relaxed/relaxed
AlwaysAddARHeader yes
ResolverConfiguration {root}/unbound.conf
{more}
"""

OPENDMARC = """
AuthservID mx.our.example
TrustedAuthservIDs mx.our.example
Socket inet:{opendmarc}@127.0.0.1
UserID root
Syslog no
PidFile {root}/opendmarc.pid
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
RejectFailures no
SPFIgnoreResults yes
SPFSelfValidate no
TestDNSData {root}/dmarc
HistoryFile {root}/history
IgnoreAuthenticatedClients yes
IgnoreHosts {root}/nowhere
"""

SIGN_IN = {  # what the server writes of those who have signed in
    "header": "/^(.+)$/ PREPEND X-Authenticated-User: $1\n",
    "results": "/^(.+)$/ PREPEND Authentication-Results: mx.our.example; auth=pass smtp.auth=$1\n",
}


def free_ports(n):
    socks = [socket.socket() for _ in range(n)]
    for s in socks:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


class Dns(socketserver.ThreadingUDPServer):
    """Answers TXT, A and MX from a dict of {(name, type): [value]}; all else is not there."""
    daemon_threads = True

    def __init__(self, records):
        self.records = records
        super().__init__(("127.0.0.1", 0), DnsAsked)
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class DnsAsked(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
            at += data[at] + 1
        kind, = struct.unpack(">H", data[at + 1:at + 3])
        name = ".".join(labels)
        known = any(n == name or n.endswith("." + name) for n, _ in self.server.records)
        answers = b""
        found = self.server.records.get((name, {16: "TXT", 1: "A"}.get(kind)), [])
        for value in found:
            if kind == 1:
                body = socket.inet_aton(value)
            else:
                v = value.encode()
                body = b"".join(bytes([len(v[i:i + 255])]) + v[i:i + 255]
                                for i in range(0, len(v), 255))
            answers += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(body)) + body
        flags = 0x8580 if known else 0x8583
        sock.sendto(data[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) +
                    data[12:at + 5] + answers, self.client_address)


class Mta:
    def __init__(self, sign_in="header"):
        self.root = tempfile.mkdtemp(prefix="leadd-mta-", dir="/tmp")
        os.chmod(self.root, 0o755)
        self.procs, self.dns, self.running = [], None, False
        names = "outside submission provider opendkim opendmarc signer auth".split()
        self.ports = dict(zip(names, free_ports(len(names))))
        self.maildir = self.root + "/mail/crm"
        self.nobody = pwd.getpwnam("nobody")
        self.fill = dict(self.ports, root=self.root, uid=self.nobody.pw_uid,
                         gid=self.nobody.pw_gid,
                         sign_in="check_sasl_access,regexp:%s/sign-in" % self.root)
        try:
            self._write_all(sign_in)
            self._start()
        except BaseException:
            self.close()
            raise

    def _write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def _write_all(self, sign_in):
        for d in ("conf", "queue", "data", "mail", "dovecot", "keys"):
            os.makedirs(os.path.join(self.root, d))
        shutil.chown(self.root + "/data", "postfix")
        for d in ("", "/crm", "/crm/new", "/crm/cur", "/crm/tmp"):
            os.makedirs(self.root + "/mail" + d, exist_ok=True)
            os.chown(self.root + "/mail" + d, self.nobody.pw_uid, self.nobody.pw_gid)
        subprocess.run(["opendkim-genkey", "-b", "1024", "-d", "rep.example", "-s", "s1", "-D",
                        self.root + "/keys"], check=True)
        with open(self.root + "/keys/s1.txt") as f:
            key = "".join(f.read().split('"')[1::2])
        records = {("s1._domainkey.rep.example", "TXT"): [key],
                   ("_dmarc.rep.example", "TXT"): ["v=DMARC1; p=reject"],
                   ("rep.example", "TXT"): ["v=spf1 ip4:192.0.2.7 -all"],
                   ("mail.rep.example", "A"): ["192.0.2.7"],
                   ("stranger.example", "TXT"): ["v=spf1 +all"],
                   ("_dmarc.stranger.example", "TXT"): ["v=DMARC1; p=reject"]}
        self.dns = Dns(records)
        # opendmarc's resolver cannot be told another port
        self._write("dmarc", "".join("%s %s\n" % (name, v) for (name, kind), values
                                     in records.items() if name.startswith("_dmarc")
                                     for v in values))
        self._write("unbound.conf", "server:\n  do-not-query-localhost: no\n  use-syslog: no\n"
                    "  module-config: \"iterator\"\n"
                    "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1@%d\n" % self.dns.port)
        self._write("users", "anna@our.example:{PLAIN}secret\neve@our.example:{PLAIN}secret\n")
        self._write("sign-in", SIGN_IN[sign_in])
        self._write("nowhere", "203.0.113.1\n")
        self._write("everywhere", "0.0.0.0/0\n127.0.0.1\n")
        self._write("conf/main.cf", MAIN.format(**self.fill))
        self._write("conf/master.cf", MASTER.format(**self.fill))
        self._write("dovecot.conf", DOVECOT.format(**self.fill))
        self._write("opendmarc.conf", OPENDMARC.format(**self.fill))
        self._write("opendkim.conf", OPENDKIM.format(
            mode="v", port=self.ports["opendkim"], name="opendkim", hosts="nowhere", more="",
            root=self.root))
        self._write("signer.conf", OPENDKIM.format(
            mode="s", port=self.ports["signer"], name="signer", hosts="everywhere", root=self.root,
            more="RequireSafeKeys no\nDomain rep.example\nSelector s1\nKeyFile %s/keys/s1.private" % self.root))

    def _spawn(self, *argv):
        log = open(self.root + "/daemons.log", "ab")
        self.procs.append(subprocess.Popen(argv, stdout=log, stderr=log,
                                           stdin=subprocess.DEVNULL))
        log.close()

    def _start(self):
        self._spawn("opendkim", "-f", "-x", self.root + "/opendkim.conf")
        self._spawn("opendkim", "-f", "-x", self.root + "/signer.conf")
        self._spawn("opendmarc", "-f", "-c", self.root + "/opendmarc.conf")
        self._spawn("dovecot", "-F", "-c", self.root + "/dovecot.conf")
        subprocess.run(["postfix", "-c", self.root + "/conf", "start"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running = True
        for name, port in self.ports.items():
            self._wait_port(name, port)

    def _wait_port(self, name, port):
        tick = threading.Event()
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            tick.wait(0.02)
        raise RuntimeError("%s did not come up\n%s" % (name, self.log()))

    def log(self):
        text = ""
        for name in ("daemons.log", "maillog", "dovecot.log"):
            if os.path.exists(os.path.join(self.root, name)):
                with open(os.path.join(self.root, name), errors="replace") as f:
                    text += "--- %s\n%s" % (name, f.read())
        return text

    # ---- mail ----

    def outside(self, sender, rcpt, mail, addr="198.51.100.9", helo="host.stranger.example"):
        """As a host out there hands it over; addr is its address for SPF."""
        with smtplib.SMTP("127.0.0.1", self.ports["outside"], timeout=120) as s:
            s.ehlo(helo)
            code, text = s.docmd("XCLIENT", "ADDR=%s NAME=host.stranger.example" % addr)
            assert code == 220, text
            s.ehlo(helo)
            s.sendmail(sender, [rcpt], mail)

    def provider(self, sender, rcpt, mail):
        with smtplib.SMTP("127.0.0.1", self.ports["provider"], timeout=120) as s:
            s.sendmail(sender, [rcpt], mail)

    def submit(self, user, sender, rcpt, mail):
        with smtplib.SMTP("127.0.0.1", self.ports["submission"], timeout=120) as s:
            s.ehlo("laptop")
            s.login(user, "secret")
            s.sendmail(sender, [rcpt], mail)

    def mails(self):
        """Delivered mails, the oldest first."""
        found = []
        for d in ("new", "cur"):
            folder = os.path.join(self.maildir, d)
            if os.path.isdir(folder):
                found += [os.path.join(folder, n) for n in os.listdir(folder)]
        found.sort(key=lambda p: (os.stat(p).st_mtime_ns, p))
        return [open(p, "rb").read() for p in found]

    # ---- end ----

    def close(self):
        if self.running:
            subprocess.run(["postfix", "-c", self.root + "/conf", "abort"], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for p in self.procs:
            p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(120)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if self.dns:
            self.dns.close()
        if not os.environ.get("LEADD_TEST_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
