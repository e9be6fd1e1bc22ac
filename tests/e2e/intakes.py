# SPDX-License-Identifier: ISC
"""Plays the engine towards one intake: keeps cursors, gives receipts, answers
matching, and remembers everything it was told."""
import collections

from roles import Role


def mail(n, body="hello", headers=""):
    return ("Message-ID: <m%d@example.com>\nFrom: lead%d@example.com\nTo: sales@example.org\n"
            "Subject: mail %d\n%s\n%s\n" % (n, n, n, headers, body)).encode()


def number(frame):
    """The n of mail(n)."""
    head = frame.raw.split(b"\n\r\n" if b"\n\r\n" in frame.raw else b"\n\n")[0]
    for line in head.decode("latin-1").splitlines():
        if line.startswith("Subject: mail "):
            return int(line[14:])
    return None


class Intake:
    def __init__(self, mailbox, cursors=None, names=False, receipts=True, env=None):
        self.role = Role("intake:sales", {"mailbox": mailbox}, env=env)
        self.cursors = dict(cursors or {})
        self.names, self.receipts = names, receipts
        self.mails, self.states, self.answers = [], [], {}
        self.filed = {}           # message number -> size, for matching
        self.matches, self.folders = [], []
        self.engine = None
        self.asked = 1000

    def __enter__(self):
        self.new_engine()
        self.role.start()
        return self

    def __exit__(self, *exc):
        self.role.__exit__(*exc)

    def new_engine(self):
        if self.engine:
            self.engine.close()
        self.engine = self.role.peer("engine")

    def send_cursors(self):
        self.engine.send("CURSORS", 0, {"folders": self.cursors, "names": self.names})

    def receipt(self, f, status="filed"):
        cursor = self.cursors.get(f.json.get("folder"))
        if cursor and cursor["uidvalidity"] == f.json["uidvalidity"]:
            cursor["last_uid"] = max(cursor["last_uid"], f.json["uid"])
        self.engine.send("RECEIPT", f.id, {"status": status})

    def handle(self, f):
        if f.type == "HELLO":
            self.send_cursors()
        elif f.type == "FOLDER":
            self.folders.append(f.json)
            self.cursors[f.json["folder"]] = {
                "uidvalidity": f.json["uidvalidity"], "start_uid": f.json["start_uid"],
                "last_uid": max(0, f.json["start_uid"] - 1)}
            self.engine.send("RECEIPT", f.id, {"status": "filed"})
        elif f.type == "MATCH":
            self.matches.append(f.json)
            if "names" in f.json:
                known = [n for n in f.json["names"] if n in self.known_names()]
                self.engine.send("MATCHED", f.id, {"names": known})
            else:
                known = [i["uid"] for i in f.json["items"] if i["message_id"] in self.known_ids()]
                self.engine.send("MATCHED", f.id, {"uids": known})
        elif f.type == "MAIL":
            self.mails.append(f)
            if self.receipts:
                self.receipt(f)
        elif f.type == "INTAKE_STATE":
            self.states.append(f.json)
        elif f.type in ("LISTED", "PREVIEWED", "APPENDED"):
            self.answers[f.id] = f.json

    def known_names(self):
        return {f.json.get("name") for f in self.mails}

    def known_ids(self):
        return {"<m%d@example.com>" % number(f) for f in self.mails if number(f) is not None}

    def pump(self, until, timeout=120):
        """Handles frames until until() holds."""
        while not until():
            self.handle(self.engine.recv(timeout=timeout))

    def take(self, count, timeout=120):
        """The mails handed over, once there are count of them."""
        self.pump(lambda: len(self.mails) >= count, timeout)
        return self.mails

    def numbers(self):
        return [number(f) for f in self.mails]

    def state(self, name, where=lambda s: True, timeout=120):
        """The next state of that name (of those not yet looked at)."""
        found = []

        def look():
            while self.states and not found:
                s = self.states.pop(0)
                if s["state"] == name and where(s):
                    found.append(s)
            return found
        self.pump(look, timeout)
        return found[0]

    def alarm(self, text, timeout=120):
        return self.pump_alarm(text, timeout)["alarm"]

    def pump_alarm(self, text, timeout):
        found = []

        def look():
            for s in self.states:
                for f in s["folders"]:
                    if text in f.get("alarm", ""):
                        found.append(f)
            return found
        self.pump(look, timeout)
        return found[0]

    def ask(self, type_, obj=None, timeout=120):
        self.asked += 1
        self.engine.send(type_, self.asked, obj or {})
        self.pump(lambda: self.asked in self.answers, timeout)
        return self.answers[self.asked]

    def refetch(self, obj):
        self.asked += 1
        self.engine.send("REFETCH", self.asked, obj)

    def listed(self, folder="INBOX"):
        for f in self.ask("LIST")["folders"]:
            if f["folder"] == folder:
                return f["uids"]
        return None


def counted(numbers):
    """{n: times}, to say that each came exactly once."""
    return dict(collections.Counter(numbers))
