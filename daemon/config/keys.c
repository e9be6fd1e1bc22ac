/* SPDX-License-Identifier: ISC
 *
 * keys - every key of leadd.conf, one row each
 *
 * The help texts are the reference section of leadd.conf(5). The keys of forms, sources and
 * gateways stand in files of their own, as those of rule files do.
 */
#include "config/keys.h"

static const struct schema_key keys_run_as[] = {
    {"engine", TYPE_NAME, .def = "leadd-engine",
     .help = "User of the engine, which owns the database."},
    {"intake", TYPE_NAME, .def = "leadd-intake", .help = "User of the processes that fetch mail."},
    {"parser", TYPE_NAME, .def = "leadd-parser",
     .help = "User of the process that reads mail apart."},
    {"web_in", TYPE_NAME, .def = "leadd-web", .help = "User of the process that takes forms."},
    {"web_ui", TYPE_NAME, .def = "leadd-ui",
     .help = "User of the process for browsers and metrics."},
    {"courier", TYPE_NAME, .def = "leadd-courier", .help = "User of the process that sends."},
};
const struct schema schema_run_as = SCHEMA(keys_run_as, "run_as", false);

static const struct schema_key keys_store[] = {
    {"driver", TYPE_CHOICE, .def = "sqlite", .choices = "sqlite", .help = "The database."},
    {"path", TYPE_PATH,
     .help = "The database file. Without it, leadd.db in state_dir."},
    {"min_free", TYPE_SIZE, RANGE(MIB(1), INT64_C(1) << 40),
     .help = "Room to keep free on the disk of the database: below it, no mail and no form is taken "
             "in. Without it, 256M, or a twentieth of a small disk."},
};
static const struct schema schema_store = SCHEMA(keys_store, "store", false);

static const struct schema_key keys_web[] = {
    {"listen", TYPE_LISTEN, .def = "127.0.0.1:8025",
     .help = "Where forms come in. Put a TLS server in front."},
    {"in_url", TYPE_URL,
     .help = "How listen is reached from outside: https://in.example.com. Gateways are asked to send "
             "what became of an SMS to it, and links of mails lead there: to confirm a form (/c/), to "
             "unsubscribe (/u/), of Track-Clicks (/r/). Without it none of these are made, and who "
             "wants no more mail can only write one."},
    {"ui_listen", TYPE_LISTEN, .def = "127.0.0.1:8026",
     .help = "Where health checks and metrics collectors come in: /healthz, /metrics."},
    {"url", TYPE_URL,
     .help = "How ui_listen is reached from outside, through the TLS server in front: "
             "https://crm.example.com. Then notices to users name pages with a button, below /do/; "
             "who has such a link may do that one thing for seven days. Without it, they name none."},
    {"max_body", TYPE_SIZE, .def = "1M", RANGE(1024, MIB(64)), .help = "Largest request body."},
    {"timeout", TYPE_DURATION, .def = "20s", RANGE(SECOND_MS, 10 * MINUTE_MS),
     .help = "How long a client may take for its request."},
    {"rate", TYPE_INT, .def = "60", RANGE(1, 1000000), .unit = "requests per minute",
     .help = "Requests that one address may make. Of the connections, one address can hold an "
             "eighth."},
    {"trusted_proxies", TYPE_TEXTS, .def = "127.0.0.1 ::1",
     .help = "Addresses of proxies whose X-Forwarded-For tells the client's address."},
};
static const struct schema schema_web = SCHEMA(keys_web, "web", false);

static const struct schema_key keys_sms[] = {
    {"stop_scope", TYPE_CHOICE, .def = "all", .choices = "all number",
     .help = "What a STOP by SMS ends: all texts to that number, or those from the number of ours "
             "that it was sent to."},
    {"stop_words", TYPE_TEXTS,
     .help = "Further texts that mean STOP. Those of some twenty languages are known."},
    {"stop_answer", TYPE_TEXT,
     .help = "What a STOP is answered with, once; {company} stands for the company. \"none\" for "
             "nothing, where the gateway answers by itself. Without it, a sentence in the "
             "language of the word."},
    {"start_answer", TYPE_TEXT, .help = "The same for START."},
    {"help_answer", TYPE_TEXT, .help = "The same for HELP."},
    {"creates", TYPE_CHOICE, .def = "lead", .choices = "lead case nothing",
     .help = "What a text from somebody new becomes."},
    {"quiet_hours", TYPE_TEXT, .def = "21:00-08:00",
     .help = "Hours in which nobody is texted, by the clock where that person is: contact.time_zone, "
             "else all zones of the countries that the number and contact.country name. What is due "
             "then leaves when they are over. \"none\" for none."},
    {"quiet_for", TYPE_TEXTS, .def = "follow_up",
     .help = "Kinds of texts that keep quiet hours: follow_up (what rules send), confirmation, relay "
             "(what one of ours answers), notice and conversation (what goes to people of ours)."},
    {"quiet_after", TYPE_DURATION, .def = "30m", RANGE(0, DAY_MS),
     .help = "Who texted us so lately is awake: the answer leaves also in quiet hours."},
};
static const struct schema schema_sms = SCHEMA(keys_sms, "sms", false);

static const struct schema_key keys_list[] = {
    {"label", TYPE_TEXT, REQUIRED,
     .help = "What it is called where people choose what they get, and in List-Id."},
    {"about", TYPE_TEXT, .help = "One or two sentences below it: what comes, and how often."},
};
static const struct schema schema_list = SCHEMA(keys_list, "list", true);

static const struct schema_key keys_mailbox[] = {
    {"type", TYPE_CHOICE, REQUIRED, .choices = "imap maildir", .help = "What the mailbox is."},
    {"host", TYPE_HOST, REQUIRED, .only = "imap", .help = "Host name of the server."},
    {"port", TYPE_PORT, .only = "imap",
     .help = "Port of the server. Without it, 993 for tls = \"tls\" and 143 otherwise."},
    {"tls", TYPE_CHOICE, .def = "tls", .choices = "tls starttls none", .only = "imap",
     .help = "How the connection is protected. The certificate is always verified."},
    {"user", TYPE_TEXT, REQUIRED, .only = "imap", .help = "Name to sign in with."},
    {"auth", TYPE_CHOICE, .def = "password", .choices = "password xoauth2 oauthbearer",
     .only = "imap", .help = "How to sign in."},
    {"password_file", TYPE_SECRET, .only = "imap",
     .help = "File with the password. Required when auth = \"password\"."},
    {"token_file", TYPE_SECRET, .only = "imap",
     .help = "File with the access token. Required for the other kinds of auth."},
    {"ca_file", TYPE_PATH, .only = "imap",
     .help = "Certificates to trust instead of the system's, in PEM form."},
    {"allow_plaintext", TYPE_BOOL, .def = "false", .only = "imap",
     .help = "Send the password without TLS to a host other than this one."},
    {"folders", TYPE_TEXTS, FULL, .def = "INBOX", .only = "imap", .help = "Folders to watch."},
    {"idle", TYPE_BOOL, .def = "true", .only = "imap",
     .help = "Let the server tell of new mail (IDLE) in the first folder."},
    {"path", TYPE_PATH, REQUIRED, .only = "maildir",
     .help = "The Maildir: the folder above new, cur and tmp."},
    {"poll", TYPE_DURATION, RANGE(SECOND_MS, DAY_MS),
     .help = "How often to look for new mail when nothing tells of it. Without it, 5m for IMAP and "
             "10s for a Maildir."},
    {"start", TYPE_DATE, .def = "now",
     .help = "Which mail to take at first contact: \"now\" for what comes from now on, \"all\", "
             "or all since a date."},
    {"automate_within", TYPE_DURATION, .def = "2d", RANGE(0, 3650 * DAY_MS),
     .help = "Older mail is filed but starts nothing outgoing."},
    {"after", TYPE_CHOICE, .def = "keep", .choices = "keep flag move",
     .help = "What to do with a message in the mailbox once it is stored here."},
    {"flag", TYPE_TEXT, .def = "\\Seen", .only = "imap",
     .help = "The flag to set when after = \"flag\"."},
    {"move_to", TYPE_TEXT,
     .help = "The folder to move to when after = \"move\"; for a Maildir, the path of another "
             "one."},
    {"sent_folder", TYPE_TEXT,
     .help = "Where copies of what leadd sends are put, when a relay names this mailbox in "
             "sent_copies; it is made when it is not there. Without it, the folder that the server "
             "marks as the one for sent mail, or one called Sent. For a Maildir, the path of "
             "another one; without it, .Sent in it."},
    {"creates", TYPE_CHOICE, .def = "lead", .choices = "lead case nothing",
     .help = "What a message from somebody new becomes."},
    {"mail_size", TYPE_SIZE, RANGE(KIB(64), MIB(128)),
     .help = "As mail_size above, for this mailbox."},
    {"silent_after", TYPE_DURATION, .def = "30m", RANGE(SECOND_MS, 30 * DAY_MS),
     .help = "Tell the administrator when the mailbox could not be read for so long."},
    {"expect_mail", TYPE_DURATION, RANGE(SECOND_MS, 365 * DAY_MS),
     .help = "Tell the administrator when no mail at all has come for so long. Without it, nobody "
             "is told."},
    {"probe", TYPE_DURATION, RANGE(SECOND_MS, 30 * DAY_MS),
     .help = "How often leadd sends a mail to itself, which must come into this mailbox. Without "
             "it, none is sent."},
    {"probe_to", TYPE_EMAIL,
     .help = "The address the probe is sent to. Without it, address above."},
    {"probe_within", TYPE_DURATION, .def = "10m", RANGE(SECOND_MS, DAY_MS),
     .help = "Tell the administrator when a probe is not back within that time."},
    {"batch", TYPE_SIZE, .def = "4M", RANGE(KIB(64), MIB(64)), .only = "imap",
     .help = "How much to fetch in one request."},
    {"trusted_auth", TYPE_TEXT,
     .help = "As trusted_auth above, for this mailbox. With it or trusted_header, none of the four "
             "above holds here."},
    {"trusted_hosts", TYPE_TEXTS, .help = "As trusted_hosts above, for this mailbox."},
    {"trusted_below", TYPE_BOOL, .def = "false",
     .help = "As trusted_below above, for this mailbox."},
    {"trusted_header", TYPE_NAME, .help = "As trusted_header above, for this mailbox."},
};
static const struct schema schema_mailbox = SCHEMA(keys_mailbox, "mailbox", true);

static const struct schema_key keys_relay[] = {
    {"name", TYPE_NAME, REQUIRED, .help = "Name for logs and reports."},
    {"type", TYPE_CHOICE, REQUIRED, .choices = "smtp maildir",
     .help = "A mail server, or a Maildir into which mail is written instead of being sent."},
    {"host", TYPE_HOST, REQUIRED, .only = "smtp", .help = "Host name of the server."},
    {"port", TYPE_PORT, .only = "smtp",
     .help = "Port of the server. Without it, 587 for tls = \"starttls\", 465 for \"tls\", 25 for "
             "\"none\"."},
    {"tls", TYPE_CHOICE, .def = "starttls", .choices = "tls starttls none", .only = "smtp",
     .help = "How the connection is protected. The certificate is always verified."},
    {"user", TYPE_TEXT, .only = "smtp",
     .help = "Name to sign in with; without it nobody signs in."},
    {"auth", TYPE_CHOICE, .def = "password", .choices = "password xoauth2 oauthbearer",
     .only = "smtp", .help = "How to sign in."},
    {"password_file", TYPE_SECRET, .only = "smtp",
     .help = "File with the password. Required with user when auth = \"password\"."},
    {"token_file", TYPE_SECRET, .only = "smtp",
     .help = "File with the access token. Required with user for the other kinds of auth."},
    {"ca_file", TYPE_PATH, .only = "smtp",
     .help = "Certificates to trust instead of the system's, in PEM form."},
    {"allow_plaintext", TYPE_BOOL, .def = "false", .only = "smtp",
     .help = "Send the password without TLS to a host other than this one."},
    {"connections", TYPE_INT, .def = "4", RANGE(1, 64), .unit = "connections", .only = "smtp",
     .help = "How many to hold at the same time."},
    {"connect_timeout", TYPE_DURATION, .def = "30s", RANGE(SECOND_MS, 10 * MINUTE_MS), .only = "smtp",
     .help = "How long connecting and signing in may take."},
    {"reply_timeout", TYPE_DURATION, .def = "5m", RANGE(SECOND_MS, HOUR_MS), .only = "smtp",
     .help = "How long to wait for an answer. After the message itself it is at least 10 minutes."},
    {"rate", TYPE_INT, RANGE(1, 1000000), .unit = "mails per minute",
     .help = "How many mails leave by it in a minute. Without it, as many as it takes."},
    {"daily_max", TYPE_INT, RANGE(1, 100000000), .unit = "mails",
     .help = "How many mails it gets in a day (UTC); the others go by the next relay, or wait for the "
             "next day. Without it there is no limit."},
    {"warm_up", TYPE_INT, RANGE(1, 1000000), .unit = "mails",
     .help = "For a relay whose address nobody knows yet: how many mails it gets on its first day. "
             "Every day it is more by warm_up_growth, up to daily_max."},
    {"warm_up_growth", TYPE_INT, .def = "30", RANGE(1, 1000), .unit = "percent",
     .help = "By how much warm_up grows from one day to the next."},
    {"sent_copies", TYPE_NAME,
     .help = "A mailbox: what left by this relay is put into its folder for sent mail, too. "
             "Leave it out for a provider that stores sent mail by itself. See SENT COPIES."},
    {"sent_copies_of", TYPE_CHOICE, .def = "correspondence",
     .choices = "correspondence customers all",
     .help = "Of what: of mails to single customers; also of broadcasts; also of notices to users "
             "and of all else."},
    {"path", TYPE_PATH, REQUIRED, .only = "maildir", .help = "The Maildir to write into."},
};
static const struct schema schema_relay = SCHEMA(keys_relay, "relay", true);

static const struct schema_key keys_endpoint[] = {
    {"url", TYPE_URL, REQUIRED, .help = "Where to: https://erp.example.com/hooks/leadd."},
    {"secret_file", TYPE_SECRET,
     .help = "File with the secret that signs what is sent, as Standard Webhooks has it: whsec_ and "
             "base64, or as it is. Without it, nothing is signed."},
    {"auth", TYPE_CHOICE, .def = "none", .choices = "none bearer basic", .help = "How to sign in."},
    {"user", TYPE_TEXT, .help = "Name to sign in with when auth = \"basic\"."},
    {"password_file", TYPE_SECRET,
     .help = "File with the password. Required when auth = \"basic\"."},
    {"token_file", TYPE_SECRET, .help = "File with the token. Required when auth = \"bearer\"."},
    {"ca_file", TYPE_PATH, .help = "Certificates to trust instead of the system's, in PEM form."},
    {"allow_plaintext", TYPE_BOOL, .def = "false",
     .help = "Send without TLS to a host other than this one."},
    {"timeout", TYPE_DURATION, .def = "10s", RANGE(SECOND_MS, 5 * MINUTE_MS),
     .help = "How long one call may take, from connecting to the end of the answer."},
    {"connections", TYPE_INT, .def = "2", RANGE(1, 16), .unit = "calls",
     .help = "How many calls at the same time."},
    {"give_up", TYPE_DURATION, .def = "1d", RANGE(MINUTE_MS, 30 * DAY_MS),
     .help = "How long a call is tried again and again."},
};
static const struct schema schema_endpoint = SCHEMA(keys_endpoint, "endpoint", true);

static const struct schema_key keys_team[] = {
    {"name", TYPE_TEXT, .help = "Name to show. Without it, the key."},
    {"manager", TYPE_NAME, .help = "One of users: who is asked when a user of the team does not act."},
};
static const struct schema schema_team = SCHEMA(keys_team, "team", true);

static const struct schema_key keys_user[] = {
    {"name", TYPE_TEXT, REQUIRED, .help = "Name to show."},
    {"email", TYPE_EMAIL, REQUIRED, .help = "Where notices go, and whom mail from there is by."},
    {"phone", TYPE_PHONE, .help = "Phone number, in quotes and with its country code."},
    {"prefers", TYPE_CHOICE, .def = "email", .choices = "email sms",
     .help = "How the answers of leads and customers that come by SMS reach the user."},
    {"reminders", TYPE_CHOICE, .def = "email", .choices = "email sms both none",
     .help = "How the user is reminded of tasks; sms needs a phone and a gateway. Tasks of one with "
             "\"none\" are in the digest, and task.overdue comes all the same."},
    {"pin_file", TYPE_SECRET,
     .help = "File with the user's PIN of four to eight digits, as the line that leadctl pin makes of "
             "it. A text from the user's phone number "
             "that begins with it may give any command; without it, leadd texts a code back."},
    {"signature", TYPE_TEXTS,
     .help = "The lines that {{> signature}} is in templates with From: owner, such as [ \"Anna Auer\", "
             "\"Sales\" ]. A file _signature-USER.txt in templates_dir says the same, also as HTML and in "
             "several languages."},
    {"team", TYPE_NAME, .help = "One of teams."},
    {"role", TYPE_CHOICE, .def = "rep", .choices = "admin manager rep viewer",
     .help = "What the user may do."},
    {"manager", TYPE_NAME,
     .help = "One of users: who is asked when this user does not act. Without it, the manager of "
             "the team."},
    {"addresses", TYPE_EMAILS, .help = "Further addresses the user writes from."},
    {"logins", TYPE_TEXTS,
     .help = "Names the user signs in with at the company's mail server, where they are none of "
             "the user's addresses."},
    {"takes", TYPE_BOOL,
     .help = "false: no pool, team or territory gives the user leads. Without it, true."},
    {"capacity", TYPE_INT, RANGE(1, 100000), .unit = "leads",
     .help = "How many leads and cases pools and teams give the user in one day of the user's "
             "zone."},
    {"skills", TYPE_TEXTS,
     .help = "What the user knows, such as [ \"french\" ], for pools that need it."},
    {"calendar", TYPE_NAME,
     .help = "One of calendars in the rule files: the hours of the user, and the zone the user "
             "lives in. Without it, those of the pool, and time_zone."},
    {"digest", TYPE_LINE,
     .help = "As digest above, for this user; \"none\" for none."},
    {"absent", TYPE_LINES,
     .help = "Days on which the user is away: [ \"2026-12-24..2027-01-02\" ], both included. "
             "leadctl absent says it without a change of the file."},
};
static const struct schema schema_user = SCHEMA(keys_user, "user", true);

static const struct schema_key keys_field[] = {
    {"type", TYPE_CHOICE, REQUIRED, .choices = "text int money bool date duration",
     .help = "What it holds."},
    {"label", TYPE_TEXT, .help = "Name to show. Without it, the key."},
};
static const struct schema schema_field = SCHEMA(keys_field, "field", true);

static const struct schema_key keys_fields[] = {
    {"lead", TYPE_MAP, .sub = &schema_field, .help = "Own fields of leads."},
    {"contact", TYPE_MAP, .sub = &schema_field, .help = "Own fields of contacts."},
    {"company", TYPE_MAP, .sub = &schema_field, .help = "Own fields of companies."},
    {"deal", TYPE_MAP, .sub = &schema_field, .help = "Own fields of deals."},
    {"case", TYPE_MAP, .sub = &schema_field, .help = "Own fields of cases."},
};
static const struct schema schema_fields = SCHEMA(keys_fields, "fields", false);

static const struct schema_key keys_main[] = {
    {"company", TYPE_TEXT, REQUIRED,
     .help = "Name of the company, as the sender of mail shows it."},
    {"address", TYPE_EMAIL, REQUIRED,
     .help = "The address that leads and customers write to and get answers from."},
    {"domain", TYPE_HOST,
     .help = "Domain for Message-IDs and greetings. Without it, that of address."},
    {"default_owner", TYPE_NAME, REQUIRED,
     .help = "The user who gets every lead that no rule assigned."},
    {"default_country", TYPE_COUNTRY, .help = "Country of phone numbers written without one."},
    {"currency", TYPE_CURRENCY, .def = "EUR", .help = "Currency of amounts written without one."},
    {"time_zone", TYPE_ZONE, .def = "UTC", .help = "Zone of times of day."},
    {"calendar", TYPE_NAME,
     .help = "The calendar, one of calendars in the rule files, that business time is counted in "
             "where none is named."},
    {"reply_address", TYPE_CHOICE, .def = "plus", .choices = "plus catchall none",
     .help = "How the address for replies carries the token that threads them: \"plus\" for "
             "name+token@domain, \"catchall\" for token@domain, \"none\" when neither arrives here."},
    {"dropbox_creates", TYPE_CHOICE, .def = "contact", .choices = "nothing contact lead",
     .help = "What somebody new becomes to whom a user wrote, with a copy to a dropbox (leadctl "
             "address dropbox): a lead is the user's, and made only when the mail is proven."},
    {"separate_leads_by", TYPE_TEXTS,
     .help = "Fields such as [ \"lead.source\", \"lead.product\" ] by which leads of one contact "
             "differ: what comes in with another value than the open lead has becomes a lead of its "
             "own. Without it, all that a contact sends goes to the open lead."},
    {"subject_tag", TYPE_BOOL, .def = "false",
     .help = "Put a tag such as [L42-k7f3] into subjects."},
    {"trusted_auth", TYPE_TEXT,
     .help = "The name under which the company's own mail server writes Authentication-Results "
             "into mail, such as \"mx.example.com\". With it, mail that server vouches for may "
             "command; without it, commands by mail wait until they are confirmed."},
    {"trusted_hosts", TYPE_TEXTS,
     .help = "Further hosts of the company that mail goes through after that server, as their "
             "Received lines name them behind by: [ \"imap.example.com\", \"*.in.example.com\" "
             "]. Never the one that takes mail from outside."},
    {"trusted_below", TYPE_BOOL, .def = "false",
     .help = "The server writes its results below its own Received line, as Gmail does. Only for "
             "a server that takes away results under its name that a mail brings along."},
    {"trusted_header", TYPE_NAME,
     .help = "A header that the server puts on top of mail of those who have signed in, with the "
             "name they signed in with, such as X-Authenticated-User."},
    {"trusted_ingest", TYPE_BOOL, .def = "false",
     .help = "What trusted_auth and trusted_header say counts also in mail that is piped into "
             "leadctl ingest. Only where nothing but the own mail server may do that; without it "
             "such mail is filed, and its commands wait until they are confirmed."},
    {"conversation", TYPE_CHOICE, .def = "answers", .choices = "answers all off",
     .help = "What of the mail of leads and customers goes to the owner of the record, who can "
             "answer it with his own mail program: \"answers\" for what comes to a record that is "
             "there, \"all\" also for the mail that made it, \"off\" for nothing."},
    {"relay_name", TYPE_TEXT, .def = "{first} of {company}",
     .help = "Name that leads and customers see when one of ours answers them: {user} stands for "
             "the user's name, {first} for its first word, {company} for the company."},
    {"return_path", TYPE_EMAIL,
     .help = "Address that bounces come back to, with the token in it. Without it, address."},
    {"admin", TYPE_EMAIL,
     .help = "Who gets notices about leadd itself. Without it, the default owner."},
    {"alarm_endpoint", TYPE_NAME,
     .help = "An endpoint that every notice to the administrator is also sent to, as an event "
             "leadd.alarm with subject and text: the way out when mail is what fails."},
    {"state_dir", TYPE_PATH, .def = LEADD_STATEDIR, .help = "Folder for the database."},
    {"run_dir", TYPE_PATH, .def = LEADD_RUNDIR, .help = "Folder for sockets."},
    {"log_level", TYPE_CHOICE, .def = "info", .choices = "error warn info debug",
     .help = "What is logged."},
    {"log_personal", TYPE_BOOL, .def = "false", .help = "Write addresses into the log in full."},
    {"mail_size", TYPE_SIZE, .def = "50M", RANGE(KIB(64), MIB(128)),
     .help = "Larger messages are taken as headers and a list of parts."},
    {"undo_window", TYPE_DURATION, .def = "0s", RANGE(0, DAY_MS),
     .help = "How long automatic mail waits before it leaves, so that it can be undone."},
    {"per_domain", TYPE_INT, RANGE(1, 256), .unit = "mails",
     .help = "How many mails to one domain may be under way at a time, over all relays. Without it "
             "there is no limit."},
    {"notices_per_hour", TYPE_INT, .def = "30", RANGE(1, 1000), .unit = "mails",
     .help = "Notices that one of our own gets in an hour; what comes beyond is told in one mail at "
             "the end of the hour."},
    {"digest", TYPE_LINE,
     .help = "When each user gets a mail with the tasks and meetings of the day, new leads, people who "
             "wait for an answer and deals that rest, and a manager what is late in the team: "
             "\"Mon-Fri 07:30\", in the user's zone, written as every is in rules. Nothing to tell, no "
             "mail. Without it, nobody gets one."},
    {"stale_after", TYPE_DURATION, .def = "14d", RANGE(HOUR_MS, 3650 * DAY_MS),
     .help = "How long nobody has touched a deal that the digest calls resting."},
    {"task_remind", TYPE_DURATION, .def = "0s", RANGE(0, 30 * DAY_MS),
     .help = "How long before a task is due its owner is reminded, where the task does not say so "
             "itself; and again when it is due."},
    {"task_overdue", TYPE_DURATION, .def = "1d", RANGE(MINUTE_MS, 365 * DAY_MS),
     .help = "How long after its owner was told that a task is due the event task.overdue comes, for "
             "rules that tell others."},
    {"task_kinds", TYPE_TEXTS, .def = "call email meeting visit offer demo",
     .help = "Words that make the kind of a task when they begin its title, with a colon: \"call: ring "
             "Ada\". Rules ask for it with task.kind."},
    {"late_after", TYPE_DURATION, .def = "1h", RANGE(MINUTE_MS, 365 * DAY_MS),
     .help = "A timer of a rule, escalation or sequence that was due longer ago, when leadd starts, is "
             "late."},
    {"late_limit", TYPE_INT, .def = "100", RANGE(0, 1000000), .unit = "timers",
     .help = "So many late timers at a start are held until somebody releases or drops them (leadctl due "
             "--late), with one notice; fewer fire at once. 0: they are never held."},
    {"on_unknown", TYPE_CHOICE, .def = "ask", .choices = "ask resend drop",
     .help = "What to do when it cannot be known whether a mail was sent: give the owner a task, "
             "send it again, or leave it."},
    {"rules_dir", TYPE_PATH,
     .help = "Folder of rule files, read in the order of their names. Without it, rules.d."},
    {"templates_dir", TYPE_PATH,
     .help = "Folder of templates, and of what they attach. Without it, templates."},
    {"language", TYPE_TEXT,
     .help = "Language of the templates whose name says none, such as de or de-AT: times and "
             "amounts in them are written as it does. Without it, they stand as leadctl writes them."},
    {"languages", TYPE_TEXTS,
     .help = "Languages such as [ \"de\", \"fr\" ] that every template has which is sent to leads "
             "and customers: a missing one is an error."},
    {"language_of_mail", TYPE_BOOL, .def = "true",
     .help = "The language that a mail program writes into mail (Content-Language) is that of a "
             "contact whose language is not known. Asked for only where a template has languages."},
    {"presets_dir", TYPE_PATH,
     .help = "Folder of presets for sources and gateways, in folders of these names. Without it, "
             "the one that leadd was installed with."},
    {"run_as", TYPE_CUSTOM, .read = config_read_run_as, .sub = &schema_run_as,
     .choices = "\"self\" or a group { engine = USER; ... }",
     .help = "\"self\" to stay the user that leadd was started as, or a group with a user for "
             "each role."},
    {"store", TYPE_GROUP, .sub = &schema_store, .help = "The database."},
    {"web", TYPE_GROUP, .sub = &schema_web, .help = "The HTTP side."},
    {"sms", TYPE_GROUP, .sub = &schema_sms, .help = "Who may be texted, and what texts do."},
    {"lists", TYPE_MAP, .sub = &schema_list,
     .help = "What people can leave by itself, by name: a template belongs to a list by its header "
             "List: NAME, a sequence by list = \"NAME\"."},
    {"mailboxes", TYPE_MAP, .sub = &schema_mailbox, .help = "Where mail comes in."},
    {"relays", TYPE_LIST, .sub = &schema_relay,
     .help = "Where mail goes out, in the order they are tried."},
    {"endpoints", TYPE_MAP, .sub = &schema_endpoint,
     .help = "Other programs that rules tell something (webhook NAME) or ask (enrich), "
             "and that judge posts of forms (verdict)."},
    {"forms", TYPE_MAP, .sub = &schema_form,
     .help = "Web forms; each is posted to /form/NAME, as a browser does or as JSON."},
    {"sources", TYPE_MAP, .sub = &schema_source,
     .help = "Programs that tell of calls, chats, orders, leads and visits; each posts to /hook/NAME."},
    {"gateways", TYPE_MAP, .sub = &schema_gateway,
     .help = "Where SMS go out and come in, in the order they are tried; each tells of those that come "
             "in at /sms/NAME, and of what became of others at /sms/NAME/receipt."},
    {"teams", TYPE_MAP, .sub = &schema_team, .help = "Groups of users."},
    {"users", TYPE_MAP, REQUIRED, .sub = &schema_user, .help = "The people who work with leads."},
    {"stages", TYPE_TEXTS, FULL, .def = "new qualified proposal negotiation",
     .help = "Stages of a deal, from the first to the last."},
    {"fields", TYPE_GROUP, .sub = &schema_fields, .help = "Own fields."},
};
const struct schema schema_main = SCHEMA(keys_main, "leadd.conf", false);
