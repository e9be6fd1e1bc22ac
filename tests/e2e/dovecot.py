# SPDX-License-Identifier: ISC
"""A real Dovecot of our own on loopback, for tests.

    with Dovecot() as server:
        server.add_user("sales", "secret")
        server.deliver("sales", b"Subject: hello\\n\\nhello\\n")
        config = server.mailbox("sales")        # the "mailbox" part of an intake

Everything lies in one temporary directory: configuration, users, Maildirs, a
made-up authority and its certificates. Ports are free ones, kept over a
restart. Needs root, as Dovecot does.
"""
import contextlib
import glob
import grp
import http.server
import imaplib
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

CONF = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
disable_plaintext_auth = yes
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
verbose_proctitle = yes
mail_max_userip_connections = 100
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {root}/user-%u
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""

# Started by anybody but root, it can be nobody else.
ROOTLESS = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth-worker {{
  user = {user}
}}
"""

OAUTH2 = """
introspection_mode = get
introspection_url = http://127.0.0.1:{port}/?token=
username_attribute = user
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _children(parent):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found.append(int(pid))
        except OSError:
            pass
    return found


def _openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_authority(folder, name="ca"):
    """NAME.pem and NAME.key in folder."""
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=leadd test authority", "-keyout", name + ".key",
             "-out", name + ".pem", "-addext", "basicConstraints=critical,CA:TRUE", cwd=folder)


def make_certificate(folder, name="server", host="localhost", ca="ca"):
    """NAME.pem and NAME.key in folder, for host, signed by that authority."""
    with open(os.path.join(folder, name + ".ext"), "w") as f:
        f.write("subjectAltName=DNS:%s\n" % host)
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=" + host, "-keyout", name + ".key", "-out", name + ".csr", cwd=folder)
    _openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key",
             "-CAcreateserial", "-days", "2", "-extfile", name + ".ext", "-out", name + ".pem",
             cwd=folder)


class _Introspection(http.server.BaseHTTPRequestHandler):
    """Tells Dovecot whose token it is: server.tokens = {TOKEN: USER}."""

    def do_GET(self):
        query = urllib.parse.urlparse(self.path).query
        token = urllib.parse.parse_qs(query).get("token", [""])[0]
        user = self.server.tokens.get(token)
        body = json.dumps({"active": True, "user": user} if user else {"active": False}).encode()
        self.send_response(200 if user else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Dovecot:
    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="leadd-dovecot-")
        os.chmod(self.root, 0o755)
        self.user = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.imap_port, self.imaps_port = free_port(), free_port()
        self.ca_file = os.path.join(self.root, "ca.pem")
        self.count = 0
        self.proc = None
        make_authority(self.root)
        make_certificate(self.root)
        os.mkdir(os.path.join(self.root, "mail"))
        os.chown(os.path.join(self.root, "mail"), self.user.pw_uid, self.user.pw_gid)
        self._introspect()
        text = CONF.format(root=self.root, imap=self.imap_port, imaps=self.imaps_port,
                           uid=self.user.pw_uid, gid=self.user.pw_gid)
        if os.geteuid() != 0:
            text += ROOTLESS.format(user=self.user.pw_name,
                                    group=grp.getgrgid(self.user.pw_gid).gr_name)
        self._write("conf", text)

    def _introspect(self):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Introspection)
        self.http.tokens = {}
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self._write("oauth2.conf", OAUTH2.format(port=self.http.server_address[1]))

    def _write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    # -- life --

    def start(self):
        program = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin") or "dovecot"
        self.proc = subprocess.Popen([program, "-F", "-c", os.path.join(self.root, "conf")],
                                     stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while True:  # a greeting, not only a listening socket
            try:
                with socket.create_connection(("127.0.0.1", self.imap_port), 5) as s:
                    if s.recv(100).startswith(b"* OK"):
                        return self
            except OSError:
                pass
            if self.proc.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("dovecot did not start:\n" + self.log())

    def stop(self):
        """Ends the server and every session, as a crash of the host would."""
        if self.proc:
            children = _children(self.proc.pid)
            self.proc.kill()
            for pid in children:  # sessions would linger for ten seconds
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.proc.wait(120)
            self.proc = None

    def end_sessions(self, user):
        """Kills the user's sessions; the server goes on."""
        for pid in _children(self.proc.pid):
            with contextlib.suppress(OSError):
                with open("/proc/%d/cmdline" % pid, "rb") as f:
                    title = f.read().decode("utf-8", "replace")
                if "dovecot/imap" in title and "[%s " % user in title:
                    os.kill(pid, signal.SIGKILL)

    def restart(self):
        self.stop()
        # a session that was killed within an update leaves its lock, and Dovecot waits two
        # minutes before it takes that for a dead one's
        for lock in glob.glob(os.path.join(self.root, "mail", "*", "Maildir", "**", "*.lock"),
                              recursive=True):
            os.unlink(lock)
        return self.start()

    def configure(self, text):
        """More of its configuration, from now on."""
        with open(os.path.join(self.root, "conf"), "a", encoding="utf-8") as f:
            f.write(text)
        self.restart()

    def log(self):
        path = os.path.join(self.root, "log")
        return open(path).read() if os.path.exists(path) else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()
        self.http.shutdown()
        self.http.server_close()
        shutil.rmtree(self.root, ignore_errors=True)

    # -- users --

    def add_user(self, user, password):
        # a file each: Dovecot rereads one only when its second has changed
        self._write("user-" + user, "%s:%s\n" % (user, password))
        self._write("password-" + user, password + "\n")

    def add_token(self, user, token):
        self.http.tokens[token] = user
        return self._write("token-" + user, token + "\n")

    def mailbox(self, user, tls="tls", **more):
        """The "mailbox" object of an intake's config."""
        box = {"type": "imap", "host": "localhost", "tls": tls, "user": user,
               "port": self.imaps_port if tls == "tls" else self.imap_port,
               "auth": "password", "password_file": os.path.join(self.root, "password-" + user),
               "ca_file": self.ca_file, "folders": ["INBOX"], "idle": True, "poll": 3600000,
               "start": "all", "automate_within": 2 * 86400000, "after": "keep",
               "flag": "\\Seen", "mail_size": 50 << 20, "batch": 4 << 20}
        box.update(more)
        return box

    # -- mail --

    def maildir(self, user, folder="INBOX"):
        path = os.path.join(self.root, "mail", user, "Maildir")
        if folder != "INBOX":
            path = os.path.join(path, "." + folder.replace("/", "."))
        if not os.path.isdir(os.path.join(path, "cur")):
            for sub in ("tmp", "new", "cur"):
                os.makedirs(os.path.join(path, sub), exist_ok=True)
            self.own(user)
        return path

    def new_uidvalidity(self, user):
        """What a rebuilt INBOX looks like: every mail has a new number."""
        path, old = self.maildir(user), 1
        self.end_sessions(user)
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(path, "dovecot-uidlist")) as f:
                old = int(f.readline().split(" V")[1].split()[0])
        for name in os.listdir(path):
            if name.startswith("dovecot"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(path, name))
        with open(os.path.join(path, "tmp", "uidlist"), "w") as f:
            f.write("3 V%d N1\n" % (old + 7))
        os.rename(os.path.join(path, "tmp", "uidlist"), os.path.join(path, "dovecot-uidlist"))
        self.own(user)

    def own(self, user):
        """Gives all of a user's mail to the user Dovecot runs as."""
        for at, _, files in os.walk(os.path.join(self.root, "mail", user)):
            for name in [at] + [os.path.join(at, f) for f in files]:
                with contextlib.suppress(FileNotFoundError):  # Dovecot's locks come and go
                    os.chown(name, self.user.pw_uid, self.user.pw_gid)

    def write(self, user, raw, folder="INBOX", when=None):
        """Writes into tmp/; the caller renames the returned pair into place."""
        self.count += 1
        path = self.maildir(user, folder)
        name = "%d.M%06dP%d.test" % (when or time.time(), self.count, os.getpid())
        source, target = os.path.join(path, "tmp", name), os.path.join(path, "new", name)
        with open(source, "wb") as f:
            f.write(raw)
        if when:
            os.utime(source, (when, when))
        os.chown(source, self.user.pw_uid, self.user.pw_gid)
        return source, target

    def deliver(self, user, *raws, folder="INBOX", when=None):
        """Delivers as an MTA does; several at once become visible together."""
        pairs = [self.write(user, raw, folder, when) for raw in raws]
        for source, target in pairs:
            os.rename(source, target)

    def login(self, user, password):
        """A Python IMAP client, for looking at the mailbox."""
        context = ssl.create_default_context(cafile=self.ca_file)
        client = imaplib.IMAP4_SSL("localhost", self.imaps_port, ssl_context=context)
        client.login(user, password)
        return client
