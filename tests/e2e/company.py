# SPDX-License-Identifier: ISC
"""A small company for tests: config, rules, templates; and mails to it."""
import email
import email.message
import email.policy
import email.utils
import os
import time

import daemon

CONF = """
company = "Example Widgets";
address = "sales@example.com";
default_owner = "mia";
default_country = "AT";
time_zone = "Europe/Vienna";
state_dir = "@DIR@/state";
run_dir = "@DIR@/run";
run_as = "self";
%(settings)s
web : { listen = "127.0.0.1:0"; ui_listen = "127.0.0.1:0"; rate = 1000000; };
users : {
  mia : { name = "Mia Example"; email = "mia@example.com"; role = "admin"; };
  tom : { name = "Tom Example"; email = "tom@example.com"; };
  eva : { name = "Eva Example"; email = "eva@example.com"; };
};
mailboxes : { %(mailboxes)s };
relays = ( %(relays)s );
forms : {
  contact : {
    fields : { name = "contact.name"; email = "contact.email"; phone = "contact.phone";
               message = "message.text"; employees = "lead.employees"; };
    required = [ "email" ];
    source = "website";
  };
};
fields : { lead : { employees : { type = "int"; }; }; };
"""

MAILDIR_IN = 'inbox : { type = "maildir"; path = "@DIR@/inbox"; start = "all"; poll = "1s"; };'
MAILDIR_OUT = '{ name = "outbox"; type = "maildir"; path = "@DIR@/outbox"; }'

RULES = """
lang = 1;
rules : {
  large : { first = "assignment"; on = "lead.created"; when = "lead.employees >= 500";
            do = "assign mia"; };
  rest : { first = "assignment"; on = "lead.created"; do = "assign pool sales"; };
  welcome : { on = "lead.created"; when = "contact.email is set"; do = "send welcome"; };
};
pools : { sales : { by = "weighted";
                    members = ( { user = "tom"; weight = 2; }, { user = "eva"; } ); }; };
"""

WELCOME = """Subject: Your request to {{our.company}}

Hello{{#contact.first_name}} {{contact.first_name}}{{/contact.first_name}},

{{owner.name}} has your request.
"""


def conf(mailboxes=MAILDIR_IN, relays=MAILDIR_OUT, settings=""):
    return CONF % {"mailboxes": mailboxes, "relays": relays, "settings": settings}


def files(rules=RULES, **more):
    found = {"rules.d/10-rules.conf": rules, "templates/welcome.txt": WELCOME}
    found.update(("inbox/%s/.keep" % sub, "") for sub in ("tmp", "new", "cur"))
    found.update(more)
    return found


def smtp(port, name="main", tls="none", **more):
    extra = " ".join('%s = %s;' % (k, v if isinstance(v, int) else '"%s"' % v)
                     for k, v in more.items())
    return ('{ name = "%s"; type = "smtp"; host = "127.0.0.1"; port = %d; tls = "%s"; %s }'
            % (name, port, tls, extra))


def mail(sender="ada@shop.example", subject="40 widgets", text="How much are 40 widgets?\n",
         message_id=None, to="sales@example.com", when=None, name=None, **headers):
    m = email.message.EmailMessage()
    m["From"] = email.utils.formataddr((name, sender)) if name else sender
    m["To"] = to
    m["Subject"] = subject
    m["Date"] = email.utils.formatdate(when if when is not None else time.time())
    m["Message-ID"] = message_id or email.utils.make_msgid(domain="shop.example")
    for key, value in headers.items():
        m[key.replace("_", "-")] = value
    m.set_content(text)
    return m.as_bytes()


def imap(server, user="sales", name="sales", **more):
    """A mailbox of the config for a tests/e2e/dovecot.Dovecot."""
    box = server.mailbox(user)
    keys = {k: box[k] for k in ("host", "port", "tls", "user", "password_file", "ca_file")}
    keys.update({"type": "imap", "start": "all"}, **more)
    text = " ".join("%s = %s;" % (k, v if isinstance(v, int) else '"%s"' % v)
                    for k, v in keys.items())
    return "%s : { %s };" % (name, text)


def maildir(folder):
    for sub in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(folder, sub), exist_ok=True)


def deliver(folder, name, raw):
    """As an MTA does into a Maildir: whole in tmp, then renamed into new."""
    maildir(folder)
    with open(os.path.join(folder, "tmp", name), "wb") as f:
        f.write(raw)
    os.rename(os.path.join(folder, "tmp", name), os.path.join(folder, "new", name))


def wait_sent(folder, n):
    """The same, when there are n."""
    return daemon.until(lambda: (lambda m: m if len(m) >= n else None)(sent(folder)),
                        why="%d mails sent" % n)


def sent(folder):
    """What has left into the outbox Maildir of a company in this folder, oldest first."""
    new = os.path.join(folder, "outbox", "new")
    found = []
    for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
        with open(os.path.join(new, name), "rb") as f:
            found.append(email.message_from_bytes(f.read(), policy=email.policy.default))
    return found
