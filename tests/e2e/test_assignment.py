# SPDX-License-Identifier: ISC
"""Whose a lead is, through the daemon: territory, absence, and capacity over midnight;
and what leadctl pools and list users tell of it."""
import re
import sqlite3

import pytest

import company
from daemon import CtlError, Daemon

RULES = """
lang = 1;
rules : { all : { on = "lead.created"; do = "assign territory"; }; };
pools : { sales : { members = [ "tom", "eva" ]; }; };
territories : {
  world : { assign = "mia"; };
  known : { parent = "world"; when = "contact.domain contains 'shop'"; assign = "pool sales"; };
};
"""


class Company(Daemon):
    number = 0

    def owner(self, domain="shop.example"):
        """Of a new lead from there."""
        self.number += 1
        self.ingest(company.mail("p%d@%s" % (self.number, domain)))
        return {r["id"]: r["owner"] for r in self.ctl("list", "leads")["rows"]}["L%d" % self.number]

    def last(self):
        """The newest entry of the journal."""
        db = sqlite3.connect("file:%s/leadd.db?mode=ro" % self.state, uri=True)
        (n,) = db.execute("SELECT max(id) FROM journal").fetchone()
        db.close()
        return "J%d" % n

    def pool(self):
        return {r["user"]: (r["open"], r["today"], r["now"]) for r in self.ctl("pools", "sales")["rows"]}


def test_territory_absence_and_capacity_over_midnight():
    conf = company.conf(mailboxes="").replace('"tom@example.com";', '"tom@example.com"; capacity = 1;')
    conf = conf.replace('default_owner = "mia"', 'default_owner = "eva"')  # who gets what rules leave
    with Company(conf, dict(company.files(RULES)), args=["--pretend-time", "2026-11-16T21:30:00Z"]) as d:
        assert d.owner("other.example") == "mia"
        assert [d.owner(), d.owner(), d.owner()] == ["tom", "eva", "eva"]
        assert d.pool() == {"tom": (1, "1 of 1", "has had 1 of 1 today"), "eva": (2, "", "is there")}
        assert "eva is absent until 2026-11-18" in d.ctl("absent", "eva", "2d")["text"]
        assert d.owner() == "mia", "nobody of the pool is there: the territory above"
        why = d.ctl_text("why", "L5", width=400)
        assert re.search(r"world > known, pool sales; nobody there \(tom has had 1 of 1 today, eva is absent "
                         r"until [-0-9: ]+\); world\)", why), why
        assert re.search(r"\n +territory known \(\S+rules.conf:7\): holds\n", why)
        why = d.ctl_text("why", "L1", width=400)
        assert re.search(r"territory known \(\S+:7\): contact.domain contains 'shop' is false: "
                         r"contact.domain is other.example\n", why.replace("'other.example'", "other.example")), why
        users = {r["name"]: r["absent"] for r in d.ctl("list", "users")["rows"]}
        assert users["tom"] == "" and users["eva"].startswith("absent until ")
        assert d.pool()["eva"][2].startswith("is absent until ")
        d.ctl("clock", "advance", "2h")  # 00:30 in Vienna
        assert d.pool()["tom"] == (1, "0 of 1", "is there")
        assert [d.owner(), d.owner()] == ["tom", "mia"]
        d.ctl("present", "eva")
        assert d.owner() == "eva"
        d.ctl("absent", "eva", "2026-12-01", "holiday")
        assert d.ctl("list", "users")["rows"] != users
        assert "is taken back" in d.ctl("undo", d.last())["text"]
        assert {r["name"]: r["absent"] for r in d.ctl("list", "users")["rows"]}["eva"] == ""
        with pytest.raises(CtlError, match="did you mean 'sales'"):
            d.ctl("pools", "sale")
