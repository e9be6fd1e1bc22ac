# SPDX-License-Identifier: ISC
"""The tables in the manual are those of the program."""
import os
import re
import shutil
import subprocess

import company
from daemon import LEADCTL, Daemon
from roles import BUILD

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
TOOL = os.path.join(BUILD, "contrib", "man", "tables")
PAGES = [os.path.join(TOP, "contrib", "man", name) for name in ("leadd.conf.5", "leadd-rules.5", "leadd-commands.7")]


def tables(*args):
    p = subprocess.run([TOOL] + list(args), capture_output=True, text=True, check=False, timeout=120)
    return p.returncode, p.stderr


def test_the_pages_have_the_tables_of_the_program():
    assert tables("--check", *PAGES) == (0, "")


def test_a_page_that_is_behind_is_told_and_mended(tmp_path):
    page = str(tmp_path / "leadd-rules.5")
    shutil.copy(PAGES[1], page)
    with open(page, encoding="utf-8") as f:
        text = f.read()
    for name in ("lead.status", "deal.won", "assign"):
        assert ".It Ic %s" % name in text
    with open(page, "w", encoding="utf-8") as f:
        f.write(text.replace(".It Ic lead.status", ".It Ic lead.state"))
    code, err = tables("--check", page)
    assert code == 1 and "make man-tables" in err
    assert tables(page) == (0, "") and tables("--check", page) == (0, "")
    with open(page, encoding="utf-8") as f:
        assert f.read() == text


# ---- the first rule of the README ----

def test_the_first_rule_of_the_readme_can_be_pasted(tmp_path):
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        block = re.search(r"(?ms)^## A first rule$.*?^```sh\n(.*?)^```$", f.read()).group(1)
    shutil.copytree(os.path.join(TOP, "rules"), tmp_path / "rules")
    os.makedirs(tmp_path / "build")
    os.symlink(os.path.join(os.path.abspath(BUILD), "daemon"), tmp_path / "build" / "daemon")
    p = subprocess.run(["sh"], input=block, cwd=tmp_path, capture_output=True, text=True,
                       check=False, timeout=120)
    assert "error" not in p.stderr, p.stdout + p.stderr
    assert re.findall(r"warning: test (\S+): fails", p.stdout) == ["a-large-german-one-is-too"]
    assert re.search(r"(?m)^ok +a-large-company-is-called$", p.stdout)
    assert "1 failed" in p.stdout + p.stderr


# ---- the examples of leadd-rules(5) ----

SECTIONS = ("rules", "tables", "pools", "calendars", "territories", "escalations", "enrichments",
            "tests", "sequences", "segments")
CONF = """company = "A"; address = "crm@example.com"; default_owner = "mia"; time_zone = "Europe/Vienna";
calendar = "%s";
users : { mia : { name = "Mia"; email = "mia@example.com"; role = "manager"; };
          tom : { name = "Tom"; email = "tom@example.com"; team = "sales"; };
          eva : { name = "Eva"; email = "eva@example.com"; team = "sales"; }; };
teams : { sales : { name = "Sales"; manager = "mia"; }; };
mailboxes : { in : { type = "maildir"; path = "in"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
forms : { contact : { fields : { email = "contact.email"; country = "contact.country"; }; }; };
endpoints : { scoring : { url = "https://scoring.example.com/score"; };
              erp : { url = "https://erp.example.com/lead"; }; };
lists : { news : { label = "News"; }; };
fields : { lead : { employees : { type = "int"; }; }; };
"""


def examples():
    """Blocks of the page that are rule files, or one rule of one."""
    with open(PAGES[1], encoding="utf-8") as f:
        page = f.read()
    for block in re.findall(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", page):
        block = block.replace("\\e", "\\").replace("\\(dq", '"')
        first = re.match(r"\s*([\w-]+)\s*:\s*\{(?!\{)", block)  # and no header of a template
        if re.match(r"lang = 1;", block):
            yield block
        elif first and first.group(1) in SECTIONS:
            yield "lang = 1;\n" + block
        elif first:
            yield "lang = 1;\nrules : {\n" + block + "};\n"


def whole(block):
    """What the example names and another file would have."""
    made = [] if "rules :" in block else ["remind", "untouched"]
    rules = "".join('%s : { on = "lead.created"; do = "tag x"; };' % n for n in
                    set(re.findall(r'(?:rules|timers) = "([\w-]+)', block)) | set(made)
                    if not re.search(r"(?m)^\s*%s\s*:" % n, block))
    pools = "".join('%s : { members = [ "tom", "eva" ]; };' % n for n in
                    set(re.findall(r"\bpool ([\w-]+)", block))
                    if "pools" not in block or not re.search(r"(?m)^\s*(pools\s*:\s*\{\s*)?%s\s*:" % n,
                                                              block))
    calendar = "" if "calendars :" in block else \
        'vienna : { zone = "Europe/Vienna"; hours = "Mon-Fri 09:00-17:00"; };'
    table = "" if "tables :" in block else 'dach = [ "DE" ]; words = [ "a" ];'
    return ('lang = 1;\nrules : { %s };\npools : { %s };\ncalendars : { %s };\ntables : { %s };\n'
            % (rules, pools, calendar, table))


def test_the_examples_of_the_page_are_without_mistakes(tmp_path):
    blocks = list(examples())
    assert len(blocks) >= 4
    for number, block in enumerate(blocks):
        folder = tmp_path / str(number)
        (folder / "rules.d").mkdir(parents=True)
        (folder / "templates").mkdir()
        for name in set(re.findall(r"\b(?:send|using|email =|sent = \"|answers = \") ?\"?([a-z][\w-]+)", block)) | {
                "welcome", "spring-short", "spring-long"}:
            (folder / "templates" / (name + ".txt")).write_text("Subject: x\n\nx\n")
        calendar = (re.findall(r"calendars : \{\s*([\w-]+)", block) or ["vienna"])[0]
        (folder / "leadd.conf").write_text(CONF % calendar)
        block = re.sub(r', "[\w-]+\.ics"', "", block)
        (folder / "rules.d" / "10-page.conf").write_text(block)
        (folder / "rules.d" / "20-rest.conf").write_text(whole(block))
        p = subprocess.run([LEADCTL, "rules", "check", str(folder)], capture_output=True, text=True,
                           check=False, timeout=120)
        assert p.returncode == 0, block + p.stdout
        if "offer-waits :" in block:  # the worked example
            assert "failing" not in p.stdout and "untested" not in p.stdout, p.stdout


# ---- the mail to try commands with, of leadd.conf(5) ----

def test_the_mail_of_the_page_commands_where_the_page_says_it_does():
    with open(PAGES[0], encoding="utf-8") as f:
        mail = re.search(r"(?ms)^leadctl ingest <<'EOF'\n(.*?)^EOF$", f.read()).group(1)
    conf = company.conf(mailboxes="", settings='trusted_auth = "mx.example.com"; trusted_ingest = true;').replace(
        'address = "sales@', 'address = "crm@')
    with Daemon(conf, company.files(), args=["--pretend-time", "2026-11-20T10:00:00Z"]) as d:
        d.ingest(mail.encode())
        assert [r["id"] for r in d.ctl("list", "leads")["rows"]] == ["L1"]
        assert [r["title"] for r in d.ctl("list", "tasks")["rows"]] == ["call her"]
        assert d.ctl("held", "list")["rows"] == []
        d.ingest(mail.replace("mx.example.com; dmarc", "mx.other.example; dmarc").replace(
            "try-1", "try-2").encode())
        assert len(d.ctl("held", "list")["rows"]) == 1
