# SPDX-License-Identifier: ISC
"""The presets of contrib/gateways against what the vendors publish (tests/fixtures/gateways):
the request field by field, each code of an error, each state of a receipt; and each text of
each preset changed in turn, which must be seen here."""
import json
import os
import re
import subprocess
import urllib.parse

import pytest

from roles import BUILD, SRC

PRESETS = os.path.join(SRC, "contrib", "gateways")
FIXTURES = os.path.join(SRC, "tests", "fixtures", "gateways")
NAMES = sorted(f[:-5] for f in os.listdir(PRESETS) if f.endswith(".conf"))
CONF = """
company = "Example Widgets"; address = "sales@example.com"; default_owner = "mia";
presets_dir = "%s";
users : { mia : { name = "Mia Example"; email = "mia@example.com"; }; };
gateways : { main : { preset = "%s"; verify : { scheme = "none"; }; %s }; };
"""


class Probe:
    def __init__(self, folder):
        self.dir = str(folder)
        os.makedirs(os.path.join(self.dir, "gateways"), exist_ok=True)
        self.proc = subprocess.Popen([os.path.join(BUILD, "tests", "unit", "gateway_probe")],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, name, preset, fixture, cases):
        conf = os.path.join(self.dir, "leadd.conf")
        with open(os.path.join(self.dir, "gateways", name + ".conf"), "w") as f:
            f.write(preset)
        with open(conf, "w") as f:
            f.write(CONF % (self.dir, name, fixture["conf"]))
        self.proc.stdin.write(json.dumps({"conf": conf, "gateway": "main", "cases": cases,
                                          "secret": fixture["secret"]}) + "\n")
        self.proc.stdin.flush()
        return json.loads(self.proc.stdout.readline())

    def close(self):
        self.proc.stdin.close()
        assert self.proc.wait(60) == 0  # and no sanitizer had a word


@pytest.fixture
def probe(tmp_path):
    p = Probe(tmp_path)
    yield p
    p.close()


def preset_of(name):
    with open(os.path.join(PRESETS, name + ".conf"), encoding="utf-8") as f:
        return f.read()


def fixture_of(name):
    with open(os.path.join(FIXTURES, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def filled(v, state, code):
    text = json.dumps(v).replace('"@"', json.dumps(state)).replace('"#"', json.dumps(code))
    return json.loads(text)


def words_of(body):
    return body if isinstance(body, str) else json.dumps(body)


def request_seen(r):
    """As the vendor's page has it: names and values."""
    if "error" in r:
        return r
    url, _, query = r["url"].partition("?")
    seen = {k: r[k] for k in ("method", "type", "headers")}
    seen["url"] = url
    if query:
        seen["query"] = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
    if r["type"].startswith("application/json"):
        seen["json"] = json.loads(r["body"])
    elif r["type"]:
        seen["form"] = dict(urllib.parse.parse_qsl(r["body"], strict_parsing=True))
    return seen


def request_wanted(want):
    want = dict(want)
    url, _, query = want["url"].partition("?")
    want["url"] = url
    if query:
        want["query"] = dict(urllib.parse.parse_qsl(query))
    return want


class Cases:
    """Questions for the probe, each with what is to come."""

    def __init__(self, f):
        self.list, self.checks = [], []
        self.gateway = {"documented": f["pages"], "type": f.get("kind", "http")}
        getattr(self, f.get("kind", "http"))(f)

    def add(self, case, check):
        self.list.append(case)
        self.checks.append(check)

    def email(self, f):
        self.add({"request": "send", "text": f["text"]},
                 lambda r: {k: r.get(k) for k in ("to", "subject")} == f["mail"])

    def spool(self, f):
        self.add({"request": "send", "text": f["text"]}, lambda r: r.get("body") == f["file"])
        self.receipts(f)
        self.inbound_conf = f["inbound"]["conf"]
        self.inbound(f["inbound"])

    def http(self, f):
        want = request_wanted(f["request"])
        self.add({"request": "send", "text": f["text"]}, lambda r: request_seen(r) == want)
        plain = dict(f["text"], receipt_url="")
        self.add({"request": "send", "text": plain}, lambda r: "in.example.com" not in json.dumps(r))
        if "ucs2" in f:
            place = "form" if "form" in want else "query"
            wide = dict(want, **{place: dict(want[place], **f["ucs2"])})
            self.add({"request": "send", "text": dict(f["text"], encoding="ucs2")},
                     lambda r: request_seen(r) == wide)
        self.answers(f)
        self.receipts(f)
        self.inbound_conf = f["inbound"]["conf"]
        self.media = f.get("media", {})
        for i in [f["inbound"]] + f.get("inbounds", []):
            self.inbound(i)
        if "pull" in f:
            pull = request_wanted(f["pull"]["request"])
            self.add({"request": "pull", "text": f["text"]}, lambda r: request_seen(r) == pull)
            self.add({"receipt": "pull", "values": f["pull"]["values"]},
                     lambda r, e=f["pull"]["expect"]: {k: r[k] for k in e} == e)

    def answer(self, status, kind, body, **want):
        self.add({"answer": words_of(body), "status": status, "type": kind},
                 lambda r: {k: r[k] for k in want if k != "words"} ==
                 {k: v for k, v in want.items() if k != "words"} and want.get("words", "") in r["text"])

    def answers(self, f):
        a, e = f["accepted"], f["error"]
        self.answer(a["status"], a["type"], a["body"], reason="ok", id=a["id"],
                    micros=a.get("micros", -1), currency=a.get("currency", ""))
        for reason, codes in e["codes"].items():
            for code in codes:
                self.answer(e["status"], a["type"], filled(e["body"], code, ""), reason=reason,
                            code=str(code), words=e["words"])
        self.answer(e["status"], a["type"], filled(e["body"], "", ""), words=e["words"])
        for status, reason in f["statuses"].items():
            self.answer(int(status), "text/plain", "?", reason=reason)
        for o in f.get("others", []):
            want = {k: o[k] for k in ("reason", "code", "words") if k in o}
            self.answer(o["status"], o["type"], o["body"], **want)

    def receipt(self, values, **want):
        self.add({"receipt": "receipt", "values": values},
                 lambda r: {k: r[k] for k in want} == want)

    def receipts(self, f):
        r = f["receipt"]
        known = {k: r.get(k, d) for k, d in
                 (("id", ""), ("key", ""), ("micros", -1), ("currency", ""))}
        for state, words in r["states"].items():
            for word in words:
                self.receipt(filled(r["values"], word, ""), state=state, **known)
        for reason, codes in r["codes"].items():
            for code in codes:
                self.receipt(filled(r["values"], r["failing"], code), reason=reason, code=code)
        self.receipt(filled(r["values"], "no such state", ""), state="")

    def inbound(self, i):
        every = ("from", "to", "text", "id", "time", "ref", "part", "total", "optout")
        self.add({"inbound": i["values"]},
                 lambda r: r == {k: i["expect"].get(k, "") for k in every})

    def faults(self, out):
        """What differs from the fixture; [] when nothing does."""
        if "error" in out:
            return [out["error"]]
        gw = out["gateway"]
        found = ["%s is %r" % (k, gw.get(k)) for k, v in self.gateway.items() if gw.get(k) != v]
        for k, v in getattr(self, "inbound_conf", {}).items():
            if gw["inbound"].get(k) != v:
                found.append("inbound.%s" % k)
        for k, v in getattr(self, "media", {}).items():
            if gw.get("media", {}).get(k) != v:
                found.append("media.%s" % k)
        for case, check, result in zip(self.list, self.checks, out["results"]):
            if not check(result):
                found.append("%s -> %s" % (json.dumps(case)[:300], json.dumps(result)[:300]))
        return found


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_what_the_vendors_pages_say(probe, name):
    f = fixture_of(name)
    cases = Cases(f)
    assert cases.faults(probe.ask(name, preset_of(name), f, cases.list)) == []


def test_no_preset_repeats_a_text_after_which_the_gateway_broke_down(probe):
    """It may have been taken before: 20500 of Twilio is told to be such a case."""
    lost = "upstream connect error or disconnect/reset before headers. reset reason: remote reset"
    for name in NAMES:
        f = fixture_of(name)
        if f.get("kind", "http") != "http":
            continue
        bodies = ["", "?", "<html>Bad Gateway</html>", filled(f["error"]["body"], "", ""), {}, lost]
        cases = [{"answer": words_of(b), "status": s, "type": "application/json"}
                 for s in [408] + [s for s in range(500, 600) if s != 503] for b in bodies]
        cases.append({"answer": lost, "status": 503, "type": "text/plain"})
        out = probe.ask(name, preset_of(name), f, cases)
        assert {r["reason"] for r in out["results"]} == {"unknown"}, name


def changes(text):
    """Each line with a value left out, and each text in it changed."""
    lines = text.split("\n")
    for n, line in enumerate(lines):
        if line.startswith("#"):
            continue
        texts = list(re.finditer(r'"((?:[^"\\]|\\.)*)"', line))
        for m in texts:
            inside = m.group(1) + "x" if m.group(1) else "x"
            yield n + 1, "\n".join(lines[:n] + [line[:m.start(1)] + inside + line[m.end(1):]]
                                   + lines[n + 1:])
        if texts and line.count("{") == line.count("}") and line.rstrip().endswith(";") \
                and line.count("[") == line.count("]"):
            yield n + 1, "\n".join(lines[:n] + lines[n + 1:])


# what is as the default is, said for the reader
SAME_AS_DEFAULT = {'    method = "POST";', '    method = "GET";'}


@pytest.mark.parametrize("name", NAMES)
def test_each_change_of_a_preset_is_seen(probe, name):
    text, f = preset_of(name), fixture_of(name)
    cases = Cases(f)
    lines, unseen = text.split("\n"), []
    for line, changed in changes(text):
        removed = changed.count("\n") < text.count("\n")
        if removed and lines[line - 1] in SAME_AS_DEFAULT:
            continue
        if '""' in lines[line - 1]:  # what leadd.conf has to say
            bare = dict(f, conf="")
            said = [probe.ask(name, x, bare, []).get("error") for x in (text, changed)]
            assert "is missing; the preset needs it" in said[0]
            if re.sub(r":\d+:", ":", said[0]) == re.sub(r":\d+:", ":", said[1] or ""):
                unseen.append("%s:%d" % (name, line))
            continue
        if not cases.faults(probe.ask(name, changed, f, cases.list)):
            unseen.append("%s:%d: %s%s" % (name, line, lines[line - 1].strip(),
                                           " (left out)" if removed else ""))
    assert unseen == []


def test_what_is_a_vendors_was_held_against_something_of_theirs():
    for name in NAMES:
        f = fixture_of(name)
        ours = all(page.startswith("leadd.conf(5)") for page in f["pages"])
        assert ours or f["held_against"], name


def test_every_preset_names_its_page():
    for name in NAMES:
        text = preset_of(name)
        head = [x for x in text.split("\n") if x.startswith("#")]
        assert len(head) >= 2, name
        for page in re.findall(r'"(http[^"]+)"', text.split(";")[0])[:1]:
            assert page.split("://")[1].split("/")[0] in " ".join(head), name
