# SPDX-License-Identifier: ISC
"""What a mail's words say reaches rules: the signature's facts, and whom a forward names."""
import os
import shutil
import subprocess

import corpus
from daemon import LEADCTL

CONF = """company = "A"; address = "sales@example.org"; default_owner = "mia"; default_country = "DE";
users : { mia : { name = "Mia"; email = "mia@example.org"; role = "admin"; }; };
mailboxes : { sales : { type = "maildir"; path = "in"; }; };
relays = ( { name = "out"; type = "maildir"; path = "out"; } );
"""

RULES = """lang = 1;
rules : {
  buyer : { on = "lead.created"; when = "message.title contains 'purchasing'"; do = "tag buyer"; };
  phone : { on = "lead.created"; when = "message.phone is set";
            do = "note 'signed with {{message.phone}}'"; };
  forwarded : { on = "lead.created"; when = "message.forwarded_from ends '@example.net'";
                do = "tag forwarded"; };
};
tests : {
  signature : { at = "2026-11-20 10:00"; given = ( { mail_file = "signature.eml"; } );
                      expect : { rules = [ "buyer", "phone" ]; tags = "buyer";
                           when = "contact.phone == '+494055501234'"; }; };
  forward : { at = "2026-11-20 10:00"; given = ( { mail_file = "forward.eml"; } );
              expect : { rules = "forwarded"; when = "contact.phone is not set"; }; };
  neither : { at = "2026-11-20 10:00"; given = ( { mail : { from = "a@shop.example"; subject = "x"; text = "hi"; }; } );
              expect : { leads = 1; rules = []; }; };
};
"""


def test_rules_read_what_a_signature_offers_and_whom_a_forward_names(tmp_path):
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "leadd.conf").write_text(CONF)
    (tmp_path / "rules.d/10.conf").write_text(RULES)
    for kind, name, to in (("reply", "outlook-desktop-english", "signature.eml"),
                           ("forward", "gmail-english", "forward.eml")):
        shutil.copy(corpus.eml(kind, name), tmp_path / "rules.d" / to)
    done = subprocess.run([LEADCTL, "rules", "test", str(tmp_path)], check=False, timeout=120,
                          env=dict(os.environ, LEADD_RUN_DIR="/nonexistent"),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_parse_shows_people_the_forward_and_the_facts():
    def shown(kind, name):
        done = subprocess.run([LEADCTL, "parse", corpus.eml(kind, name)], check=True,
                              capture_output=True, text=True, timeout=120)
        return done.stdout
    signed = shown("reply", "outlook-desktop-english")
    assert "+49 40 5550 1234" in signed and "Head of Purchasing" in signed
    assert "Best regards" not in signed and "Is that possible?" in signed
    assert "Carl Winter <carl@example.net> (sure)" in shown("forward", "gmail-english")
    assert "Carl Winter (guess)" in shown("forward", "names-only-is-a-guess")
