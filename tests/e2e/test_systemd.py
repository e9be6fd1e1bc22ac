# SPDX-License-Identifier: ISC
"""The unit: what systemd says about it, and the daemon under the nearest thing to
it that can be had without systemd as the first process: the unit's capabilities,
no-new-privs, a read-only system and a folder of credentials."""
import glob
import os
import pwd
import re
import shutil
import subprocess

import pytest

import company
from daemon import Daemon, until
from roles import BUILD, LEADD

SYSTEMD = os.path.join(os.environ.get("srcdir", "."), "systemd")
UNIT = os.path.join(BUILD, "systemd", "leadd.service")
# exposure, 0 to 10; a supervisor that is root cannot come much lower
SCORES = {"leadd.service": 2.6, "leadd-backup.service": 2.0}
KINDS = ("engine", "intake", "parser", "web_in", "web_ui", "courier")


def unit_lines(key):
    with open(UNIT, encoding="utf-8") as f:
        return re.findall(r"^%s=(.*)$" % key, f.read(), re.M)


@pytest.fixture(params=SCORES)
def unit(tmp_path, request):
    """The unit with programs that are there, and without pages that are not."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    with open(os.path.join(os.path.dirname(UNIT), request.param), encoding="utf-8") as f:
        text = re.sub(r"^Documentation=.*\n", "", f.read(), flags=re.M)
    text = re.sub(r"^(Exec\w+=)\S*/(leadd|leadctl)\b", r"\1/bin/true", text, flags=re.M)
    path = tmp_path / request.param
    path.write_text(text)
    timer = request.param.replace(".service", ".timer")
    if os.path.exists(os.path.join(SYSTEMD, timer)):
        with open(os.path.join(SYSTEMD, timer), encoding="utf-8") as f:
            (tmp_path / timer).write_text(re.sub(r"(?m)^Documentation=.*\n", "", f.read()))
    return str(path)


def analyze(*argv):
    return subprocess.run(["systemd-analyze"] + list(argv), capture_output=True, text=True,
                          timeout=120, check=False)


def test_the_unit_has_no_mistakes(unit):
    for path in glob.glob(os.path.join(os.path.dirname(unit), "leadd*")):  # the timer, too
        r = analyze("verify", "--recursive-errors=no", path)
        mistakes = [x for x in r.stderr.splitlines() if "leadd" in x]
        assert (r.returncode, r.stdout, mistakes) == (0, "", [])


def test_the_units_exposure_stays_low(unit):
    r = analyze("security", "--offline=true", unit)
    name = os.path.basename(unit)
    found = re.search(r"exposure level for %s: ([0-9.]+)" % name, r.stdout)
    print("systemd-analyze security: exposure of %s %s" % (name, found.group(1)))
    assert float(found.group(1)) <= SCORES[name]


def as_the_unit(d):
    """A program that starts leadd as the unit would, as far as that goes here."""
    caps = ",".join("+" + c[4:].lower() for c in unit_lines("CapabilityBoundingSet")[0].split())
    script = ("#!/bin/sh\nset -e\nmount --make-rprivate /\nmount --bind %s %s\n"
              "mount -o remount,bind,ro /\n"
              "exec setpriv --no-new-privs --bounding-set=-all,%s --inh-caps=-all %s \"$@\"\n"
              % (d.dir, d.dir, caps, LEADD))
    path = d.write("inside", script)
    os.chmod(path, 0o755)
    outer = d.write("as-the-unit", "#!/bin/sh\nexec unshare --mount %s \"$@\"\n" % path)
    os.chmod(outer, 0o755)
    return outer


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return dict(x.rstrip("\n").split(":\t", 1) for x in f if ":\t" in x)


@pytest.fixture
def users():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = {k: "lunit%d-%s" % (os.getpid() % 100000, k.replace("_", "-")) for k in KINDS}
    for user in made.values():
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", user],
                       check=True)
    yield made
    for user in made.values():
        subprocess.run(["userdel", user], check=True)


SALES = ('sales : { type = "imap"; host = "127.0.0.1"; port = 9; tls = "none"; user = "sales"; '
         'password_file = "$CREDENTIALS_DIRECTORY/sales"; };')


def test_the_daemon_works_within_the_units_limits_and_with_credentials(users):
    run_as = "run_as : { %s };" % " ".join('%s = "%s";' % x for x in users.items())
    conf = company.conf(mailboxes=company.MAILDIR_IN + SALES).replace('run_as = "self";', run_as)
    d = Daemon(conf, company.files(), start=False)
    try:
        for folder, kind in (("inbox", "intake"), ("outbox", "courier")):
            company.maildir(os.path.join(d.dir, folder))
            for top, _, _ in os.walk(os.path.join(d.dir, folder)):
                os.chown(top, pwd.getpwnam(users[kind]).pw_uid, -1)
        secrets = os.path.join(d.dir, "credentials")
        d.write("credentials/sales", "not-a-real-password\n")
        os.chmod(secrets + "/sales", 0o400)
        os.chmod(secrets, 0o500)
        os.chmod(d.dir, 0o755)
        d.leadd, d.env = as_the_unit(d), {"CREDENTIALS_DIRECTORY": secrets}
        try:
            d.start()
        except Exception as e:
            if "Operation not permitted" in str(e) or "unshare" in str(e):
                pytest.skip("no mount namespace here")
            raise
        company.deliver(d.dir + "/inbox", "one", company.mail())
        os.chown(d.dir + "/inbox/new/one", pwd.getpwnam(users["intake"]).pw_uid, -1)
        until(lambda: d.ctl("list", "leads")["rows"])
        mine = status_of(d.proc.pid)
        assert mine["NoNewPrivs"] == "1" and bin(int(mine["CapBnd"], 16)).count("1") == \
            len(unit_lines("CapabilityBoundingSet")[0].split())
        for name, pid in d.roles().items():
            s = status_of(pid)
            assert (s["NoNewPrivs"], s["Seccomp"], s["CapEff"]) == ("1", "2", "0" * 16), name
            uid = pwd.getpwnam(users[name.split(":")[0].replace("-", "_")]).pw_uid
            assert s["Uid"].split() == [str(uid)] * 4, name
        # the credential is read again by every new process, also after a reload
        d.kill("intake:sales")
        d.write("leadd.conf", conf.replace("Example Widgets", "Example Gadgets"))
        assert "reload.done" in d.reload()
        d.kill("intake:sales")
        assert "password" not in d.log()
    finally:
        d.close()


def test_the_same_line_names_a_plain_file_without_systemd():
    d = Daemon(company.conf(mailboxes=SALES), company.files(), start=False)
    try:
        d.write("secrets/sales", "not-a-real-password\n")
        d.env = {"CREDENTIALS_DIRECTORY": d.dir + "/secrets"}
        d.start()
        assert "intake:sales" in d.roles()
    finally:
        d.close()
