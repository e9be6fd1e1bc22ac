# SPDX-License-Identifier: ISC
"""Starts the whole daemon in a folder of its own, and talks to it.

    with Daemon(conf, files={"rules.d/10-a.conf": "..."}) as d:
        d.ctl("list", "leads")        # data of the answer; CtlError when it fails
        d.kill("engine")              # SIGKILL, and waits for the successor
        d.port("web-in")              # what port 0 became

In the config and the files, @DIR@ is the folder, which goes away at the end
(kept when LEADD_KEEP is set). Settings state_dir and run_dir must be
@DIR@/state and @DIR@/run. Nothing sleeps: everything waits for a condition.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from roles import BUILD, LEADD, PATIENCE, SLOW

LEADCTL = os.path.join(BUILD, "daemon", "leadctl")


def until(what, timeout=PATIENCE, why="condition"):
    """The first true value of what(); for what no event tells."""
    end = time.monotonic() + timeout * SLOW
    tick = threading.Event()
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError("waited %g s for %s" % (timeout, why))
        tick.wait(0.01)


class CtlError(Exception):
    def __init__(self, code, text):
        super().__init__("leadctl: exit %d: %s" % (code, text.strip()))
        self.code, self.text = code, text


class StartFailed(Exception):
    def __init__(self, code, log):
        super().__init__("leadd: exit %d\n%s" % (code, log))
        self.code, self.log = code, log


# what the sanitizers write, also of memory lost when a role ends
REPORT = re.compile(r"ERROR: \w+Sanitizer|: runtime error: ")


class Daemon:
    def __init__(self, conf, files=None, env=None, args=(), leadd=LEADD, start=True, dir=None):
        self.own_dir = dir is None
        self.dir = dir or tempfile.mkdtemp(prefix="leadd-", dir="/tmp")  # a socket's path is short
        os.chmod(self.dir, 0o755)
        self.leadd, self.args, self.env = leadd, list(args), dict(env or {})
        self.conf_path = os.path.join(self.dir, "leadd.conf")
        self.state, self.run = self.dir + "/state", self.dir + "/run"
        self.proc = self.notify = None
        self.lines, self.news, self.told = [], threading.Condition(), []
        self.judged = 0  # lines in which a report was looked for
        self.write("leadd.conf", conf)
        for name, text in (files or {}).items():
            self.write(name, text)
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    # ---- life ----

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text if isinstance(text, bytes) else text.replace("@DIR@", self.dir))
        return path

    def start(self, ready=True):
        path = os.path.join(self.dir, "notify")
        if os.path.exists(path):
            os.unlink(path)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(path)
        env = dict(os.environ, NOTIFY_SOCKET=path, **self.env)
        self.proc = subprocess.Popen([self.leadd, "-c", self.conf_path] + self.args, env=env,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self._read_log, args=(self.proc.stderr,),
                                         daemon=True),
                        threading.Thread(target=self._read_notify, args=(self.notify,),
                                         daemon=True)]
        told, mark = len(self.told), self.mark()
        for t in self.readers:
            t.start()
        if ready:
            self.wait_told("READY=1", after=told)
            if not self._quiet():
                self.wait_log("supervisor ready ms=", after=mark)  # and all lines before it

    def _quiet(self):
        """The config keeps the log below the lines that a start gives."""
        with open(self.conf_path) as f:
            return re.search(r'log_level *= *"(warn|error)"', f.read()) is not None

    def _read_log(self, pipe):
        keep = open(os.path.join(self.dir, "log"), "ab")
        for line in pipe:
            keep.write(line)
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        keep.close()
        with self.news:
            self.news.notify_all()

    def _read_notify(self, sock):
        while True:
            data = sock.recv(4096)
            if not data:
                return
            with self.news:
                self.told.append(data.decode())
                self.news.notify_all()

    def _wait(self, what, timeout, why):
        end = time.monotonic() + timeout * SLOW
        with self.news:
            while True:
                got = what()
                if got:
                    return got
                if self.proc.poll() is not None and not self.readers[0].is_alive():
                    raise StartFailed(self.proc.returncode, self.log())
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError("waited %g s for %s\n%s" % (timeout, why, self.log()))
                self.news.wait(min(left, 0.2))

    def log(self):
        return "\n".join(self.lines)

    def mark(self):
        """For wait_log(after=): what was logged until now does not count."""
        return len(self.lines)

    def wait_log(self, pattern, after=0, timeout=PATIENCE):
        found = re.compile(pattern)

        def look():
            return next((m for m in map(found.search, self.lines[after:]) if m), None)
        return self._wait(look, timeout, "log line " + pattern)

    def wait_told(self, text, after=0, timeout=PATIENCE):
        """A message to systemd that contains text."""
        def look():
            return next((t for t in self.told[after:] if text in t), None)
        return self._wait(look, timeout, "notification " + text)

    def stop(self, sig=signal.SIGTERM, timeout=PATIENCE):
        self.proc.send_signal(sig)
        code = self.proc.wait(timeout * SLOW)
        self.readers[0].join(timeout * SLOW)
        self._no_report()
        return code

    def _no_report(self):
        found, self.judged = self.judged, len(self.lines)
        assert not any(map(REPORT.search, self.lines[found:])), self.log()[-20000:]

    def crash(self):
        """SIGKILL to the supervisor; its roles follow."""
        pids = list(self.roles().values())
        self.proc.kill()
        self.proc.wait()
        until(lambda: not any(alive(p) for p in pids), why="the end of all roles")
        self.readers[0].join()

    def close(self):
        if self.proc and self.proc.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.crash()
        elif self.proc:
            self._no_report()
        if self.notify:
            self.notify.shutdown(socket.SHUT_RDWR)
            self.notify.close()
        if self.own_dir and not os.environ.get("LEADD_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        if kind and self.lines:
            print("---- log of leadd\n" + self.log()[-20000:])
        self.close()

    # ---- roles ----

    def roles(self):
        """{"engine": pid, ..} of the running processes; of a draining and a new
        courier the new one."""
        found = {}
        for pid in sorted(children(self.proc.pid), key=start_time):
            argv = cmdline(pid) # valgrind's own arguments may stand in front
            if "-R" in argv[:-1]:
                found[argv[argv.index("-R") + 1]] = pid
        return found

    def pid(self, role):
        return until(lambda: self.roles().get(role), why="a process of " + role)

    def kill(self, role, sig=signal.SIGKILL, wait=True):
        """Kills one role; returns the old pid, after its successor is ready."""
        mark, old = self.mark(), self.pid(role)
        os.kill(old, sig)
        if wait:
            self.wait_log("role.ready role=%s pid=(?!%d )" % (re.escape(role), old), after=mark)
        return old

    def reload(self):
        """SIGHUP; returns the log line of the outcome."""
        mark = self.mark()
        self.proc.send_signal(signal.SIGHUP)
        return self.wait_log(r"reload\.(done|failed).*", after=mark).group(0)

    def port(self, name="web-in"):
        with open(self.run + "/ports.json") as f:
            return json.load(f)[name]["port"]

    # ---- leadctl ----

    def leadctl(self, *argv, input=None, env=None):
        """Runs leadctl; returns what subprocess.run returns, with bytes."""
        env = dict(os.environ, LEADD_RUN_DIR=self.run, **(env or {}))
        return subprocess.run([LEADCTL] + list(argv), input=input, env=env, capture_output=True,
                              timeout=PATIENCE * SLOW)

    def ctl(self, *argv):
        """The data of the answer."""
        r = self.leadctl("--json", *argv)
        if r.returncode != 0:
            raise CtlError(r.returncode, r.stderr.decode())
        return json.loads(r.stdout) if r.stdout.strip() else None

    def ctl_text(self, *argv, width=100):
        """The answer as people see it."""
        r = self.leadctl(*argv, env={"COLUMNS": str(width)})
        if r.returncode != 0:
            raise CtlError(r.returncode, r.stderr.decode())
        return r.stdout.decode()

    def ingest(self, raw):
        r = self.leadctl("ingest", input=raw)
        if r.returncode != 0:
            raise CtlError(r.returncode, r.stderr.decode())


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except FileNotFoundError:
        return []


def cmdline(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return f.read().decode().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def start_time(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
