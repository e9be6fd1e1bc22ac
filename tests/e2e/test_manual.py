# SPDX-License-Identifier: ISC
"""The tables in the manual are those of the program."""
import os
import shutil
import subprocess

from roles import BUILD

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
TOOL = os.path.join(BUILD, "contrib", "man", "tables")
PAGES = [os.path.join(TOP, "contrib", "man", name) for name in ("leadd.conf.5", "leadd-rules.5")]


def tables(*args):
    p = subprocess.run([TOOL] + list(args), capture_output=True, text=True, check=False, timeout=60)
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
