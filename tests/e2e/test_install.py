# SPDX-License-Identifier: ISC
"""What `make install` puts where, and that `make uninstall` takes it away; what
configure says when libraries are missing."""
import os
import re
import subprocess

import pytest

from roles import BUILD, LEADD, SRC

SWITCHES = ["--enable-sanitize", "--enable-fuzz", "--enable-test-hooks", "--enable-werror",
            "--with-systemdsystemunitdir"]
NEEDED = ["sbin/leadd", "bin/leadctl", "share/man/man8/leadd.8", "share/man/man1/leadctl.1",
          "share/man/man5/leadd.conf.5", "share/man/man5/leadd-rules.5",
          "share/man/man7/leadd-commands.7",
          "share/leadd/examples/leadd.conf", "share/leadd/examples/rules.d/10-intake.conf",
          "share/leadd/examples/templates/welcome.txt", "lib/systemd/system/leadd.service",
          "lib/sysusers.d/leadd.conf", "lib/tmpfiles.d/leadd.conf",
          "share/bash-completion/completions/leadctl"]


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return dict(env, **more)


def make(*argv):
    subprocess.run(["make", "-C", BUILD] + list(argv), env=environment(), check=True,
                   capture_output=True, timeout=300)


def files(top):
    return {os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top) for name in names}


def configure(tmp_path, *argv, **env):
    if os.path.exists(os.path.join(SRC, "config.status")):
        pytest.skip("the source folder itself is configured")
    return subprocess.run([os.path.join(os.path.abspath(SRC), "configure")] + list(argv),
                          cwd=tmp_path, env=environment(**env), capture_output=True, text=True,
                          timeout=300, check=False)


def test_what_is_installed_works_and_goes_away_again(tmp_path):
    top = str(tmp_path)
    where = ["DESTDIR=" + top, "prefix=/usr", "sysconfdir=/etc", "localstatedir=/var"]
    make("install", *where)
    assert not [n for n in NEEDED if "usr/" + n not in files(top)]
    for program in ("sbin/leadd", "bin/leadctl"):
        r = subprocess.run([os.path.join(top, "usr", program), "--help"], check=False,
                           capture_output=True, timeout=120)
        assert r.returncode == 0 and r.stdout
    with open(os.path.join(top, "usr/lib/systemd/system/leadd.service"), encoding="utf-8") as f:
        assert not re.search(r"@\w+@", f.read())
    make("uninstall", *where)
    assert files(top) == set()


def test_configure_names_all_that_is_missing_in_one_run(tmp_path):
    with open(os.path.join(SRC, "configure.ac"), encoding="utf-8") as f:
        packages = re.findall(r"^LEADD_NEED\(\[\w+\], \[[^]]+\], \[([\w-]+)\]\)", f.read(), re.M)
    assert len(packages) >= 10
    r = configure(tmp_path, PKG_CONFIG_LIBDIR="/nonexistent", PKG_CONFIG_PATH="")
    assert r.returncode != 0
    said = r.stderr.split("apt-get install")[-1].split()
    assert not [p for p in packages if p not in said]


def test_configure_help_tells_the_switches(tmp_path):
    r = configure(tmp_path, "--help")
    assert r.returncode == 0 and not [s for s in SWITCHES if s not in r.stdout]


def test_the_manual_has_no_markup_mistakes():
    folder = os.path.join(SRC, "contrib", "man")
    r = subprocess.run(["mandoc", "-Tlint", "-Wwarning"] +
                       [os.path.join(folder, name) for name in sorted(os.listdir(folder))
                        if name[-1].isdigit()],
                       capture_output=True, text=True, timeout=120, check=False)
    assert (r.returncode, r.stdout) == (0, "")


def test_the_manual_fits_a_terminal_when_groff_sets_it():
    folder = os.path.join(SRC, "contrib", "man")
    for name in sorted(os.listdir(folder)):
        if name[-1].isdigit():
            r = subprocess.run(["nroff", "-man", "-ww", os.path.join(folder, name)], capture_output=True,
                               text=True, timeout=120, check=False)
            assert (r.returncode, r.stderr) == (0, ""), name


def test_help_config_prints_every_key():
    r = subprocess.run([LEADD, "--help-config"], capture_output=True, text=True, timeout=120,
                       check=False)
    assert r.returncode == 0 and "default_owner" in r.stdout and "password_file" in r.stdout
