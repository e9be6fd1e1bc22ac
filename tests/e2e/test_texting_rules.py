# SPDX-License-Identifier: ISC
"""The shipped rules for texts (rules/texting), switched on as their first lines say; and texts
in the tests of rules."""
import os
import re
import shutil
import subprocess

import pytest

from daemon import LEADCTL
from roles import SRC

GATEWAY = """
presets_dir = "%s";
gateways : { main : { preset = "kannel"; number = "+43660123456"; user = "crm";
                      verify : { scheme = "none"; }; }; };
""" % os.path.join(os.path.abspath(SRC), "contrib")


@pytest.fixture
def folder(tmp_path):
    to = str(tmp_path / "etc")
    shutil.copytree(os.path.join(SRC, "rules"), to)
    subprocess.run(["chmod", "-R", "u+w", to], check=True)  # of a read-only source tree
    shutil.copytree(os.path.join(to, "texting"), to, dirs_exist_ok=True)
    with open(os.path.join(to, "leadd.conf"), "a") as f:
        f.write(GATEWAY)
    return to


def rules(folder, *argv):
    env = dict(os.environ, LEADD_RUN_DIR="/nonexistent")
    p = subprocess.run([LEADCTL, "rules"] + list(argv) + [folder], env=env, check=False,
                       capture_output=True, text=True, timeout=300)
    return p.returncode, p.stdout + p.stderr


def edit(folder, old, new):
    path = os.path.join(folder, "rules.d/70-texting.conf")
    with open(path) as f:
        text = f.read()
    assert old in text
    with open(path, "w") as f:
        f.write(text.replace(old, new, 1))


def test_the_shipped_rules_for_texts_do_what_their_tests_say(folder):
    code, out = rules(folder, "test")
    assert code == 0, out
    assert int(re.search(r"(\d+) (?:tests )?passed", out).group(1)) >= 27  # 21 and these six


def test_nothing_is_to_be_said_of_them(folder):
    code, out = rules(folder, "check")
    assert code == 0 and "70-texting" not in out, out


@pytest.mark.parametrize("old, new, fails", [
    ('cooldown = "12h";', "", "who-texts-at-night-hears-it-once"),
    ('"message.text ~ \'^', '"message.text ~ \'', "a-sentence-is-for-a-person"),
    ('sms = "Price?"', 'sms = "Prize?"', "a-key-word-is-answered"),
])
def test_a_broken_rule_fails_its_test(folder, old, new, fails):
    edit(folder, old, new)
    if fails == "a-sentence-is-for-a-person":
        edit(folder, "preise)\\\\W*$'", "preise)'")
    code, out = rules(folder, "test")
    assert code != 0 and fails in out, out


@pytest.mark.parametrize("old, new, said", [
    ('from = "0660 1112233";', "", "from is missing: the number that the text comes from"),
    ('from = "0660 1112233";', 'from = "somebody";', "'somebody' is no number"),
    ('from = "0660 1112233";', 'from = "0660 1112233"; gateway = "mian";', 'no gateway "mian"'),
    ('from = "0660 1112233";', 'from = "0660 1112233"; mail_file = "x";', "has both mail_file and sms"),
])
def test_a_mistake_in_a_text_of_a_test_is_told(folder, old, new, said):
    edit(folder, old, new)
    code, out = rules(folder, "test")
    assert code != 0 and said in out, out
