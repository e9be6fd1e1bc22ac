/* SPDX-License-Identifier: ISC
 *
 * keys_rules - every key of rule files, one row each
 *
 * The help texts are the reference section of leadd-rules(5).
 */
#include "config/keys.h"

static const struct schema_key keys_rule[] = {
    {"on", TYPE_LINE,
     .help = "The event that wakes the rule, such as \"lead.created\", or a kind of record, such "
             "as \"lead\": the rule then fires when its conditions become true. A rule has on or "
             "every."},
    {"every", TYPE_LINE,
     .help = "The times at which the rule runs, such as \"Mon 08:00 Europe/Vienna\", for each "
             "record of the kind in over."},
    {"over", TYPE_CHOICE, .choices = "lead contact company deal case task",
     .help = "The kind of record that a rule with every looks at."},
    {"when", TYPE_LINES,
     .help = "Conditions, all of which must hold. Without it, the rule always fires."},
    {"do", TYPE_LINES, FULL, .help = "Commands, run in this order. Without it, stop must be set."},
    {"first", TYPE_TEXT,
     .help = "Name of a group. Of the rules with the same one, only the first that matches runs."},
    {"stop", TYPE_CUSTOM, .read = config_read_stop, .choices = "true, \"rule\" or \"all\"",
     .help = "true or \"rule\" to skip the later rules of this event once this rule ran, \"all\" "
             "to "
             "end everything that this message, form or command set off."},
    {"after", TYPE_LINE,
     .help = "How long the conditions must have held before the commands run, such as \"3d\", "
             "\"30m business\" or \"2h business vienna\": business time counts only the hours of "
             "a calendar."},
    {"again", TYPE_LINE,
     .help = "Run the commands again after that time, while the conditions hold."},
    {"max", TYPE_INT, RANGE(1, 10000), .unit = "times",
     .help = "With again, how often in all; without, how often in the life of one record."},
    {"until", TYPE_LINE,
     .help = "A condition that ends waiting and repeating (after, again) once it is true."},
    {"late", TYPE_CHOICE, .choices = "run skip",
     .help = "With after, again or every: what happens when its time has passed by more than late_after, "
             "because leadd did not run. Without it, run: once, if the conditions hold still; skip: not at "
             "all, and with again or every at the next time."},
    {"once", TYPE_BOOL, .help = "true: at most once in the life of each record."},
    {"cooldown", TYPE_LINE,
     .help = "After it ran for a record, the rule leaves this record alone for that time."},
    {"mode", TYPE_CHOICE, .choices = "live shadow canary",
     .help = "\"live\", or \"shadow\" to decide and tell what would run but do nothing, or "
             "\"canary\" to run for the share of the records that canary says. Without it, "
             "\"live\"."},
    {"canary", TYPE_INT, RANGE(1, 100), .unit = "percent of the records",
     .help = "Which share a rule with mode = \"canary\" runs for; a record is always in it or "
             "always out."},
    {"valid_from", TYPE_LINE,
     .help = "The rule counts from then on: \"2026-12-01\", or with a time \"2026-12-01 08:00\"."},
    {"valid_to", TYPE_LINE, .help = "And until then; a day is meant to its end."},
};
static const struct schema schema_rule = SCHEMA(keys_rule, "rule", true);

static const struct schema_key keys_member[] = {
    {"user", TYPE_NAME, REQUIRED, .help = "One of users."},
    {"weight", TYPE_INT, .def = "1", RANGE(1, 1000), .unit = "shares",
     .help = "How many leads, compared with the others."},
    {"capacity", TYPE_INT, RANGE(1, 100000), .unit = "leads",
     .help = "How many this pool gives the user in one day of the user's zone."},
    {"skills", TYPE_TEXTS, .help = "Skills besides those of the user, in this pool."},
};
const struct schema schema_member = SCHEMA(keys_member, "member", true);

static const struct schema_key keys_pool[] = {
    {"by", TYPE_CHOICE, .def = "round_robin", .choices = "weighted round_robin least_open",
     .help = "How leads are dealt out: in turn, by weight, or to who has the fewest open leads "
             "and cases for his weight."},
    {"members", TYPE_CUSTOM, REQUIRED, .sub = &schema_member, .read = config_read_members,
     .choices = "a list of users such as [ \"mia\", \"tom\" ]",
     .help = "The users: [ \"mia\", \"tom\" ], or ( { user = \"mia\"; weight = 2; }, { user = "
             "\"tom\"; } )."},
    {"calendar", TYPE_NAME,
     .help = "One of calendars: the hours of members who have no calendar of their own. Only "
             "those at work now are dealt to."},
    {"when_nobody", TYPE_CHOICE, .choices = "next else",
     .help = "When nobody is at work: \"next\" deals to those who begin first, \"else\" goes "
             "to else. Without it, \"next\"."},
    {"else", TYPE_LINE,
     .help = "Who gets the lead when no member can, as behind assign: \"tom\", \"pool NAME\", "
             "\"manager\". Without it, in a territory the one above, else default_owner."},
    {"needs", TYPE_TEXTS, .help = "Skills that whoever is dealt to must have."},
    {"match_tags", TYPE_BOOL,
     .help = "true: a tag of the lead that is a skill of some user is needed, too."},
    {"sticky", TYPE_CHOICE, .choices = "contact company",
     .help = "The owner of the last lead of the same contact, or else of the same company, gets "
             "this one, if a member who is there."},
};
static const struct schema schema_pool = SCHEMA(keys_pool, "pool", true);

static const struct schema_key keys_calendar[] = {
    {"zone", TYPE_LINE,
     .help = "Time zone of the hours, such as \"Europe/Vienna\". Without it, time_zone of "
             "leadd.conf."},
    {"hours", TYPE_LINES, .flags = SCHEMA_REQUIRED | SCHEMA_FULL,
     .help = "When it is open: \"Mon-Fri 09:00-12:30, 13:00-17:00; Sat 09:00-12:00\"."},
    {"holidays", TYPE_CUSTOM, .read = config_read_holidays,
     .choices = "a date such as \"2026-12-25\", a file that ends in .ics, or a list of these",
     .help = "Days on which it is closed: \"2026-12-25\", \"12-25\" for every year, "
             "\"2026-12-24..2027-01-01\", each with a name behind it if you like, or a file that "
             "ends in .ics, of which the all-day events are taken. One, or a list."},
};
static const struct schema schema_calendar = SCHEMA(keys_calendar, "calendar", true);

static const struct schema_key keys_level[] = {
    {"after", TYPE_LINE, REQUIRED,
     .help = "When, on the clock of the escalation: \"30m\". Later than the level before."},
    {"do", TYPE_LINES, .flags = SCHEMA_REQUIRED | SCHEMA_FULL, .help = "Commands, run in this order."},
};
static const struct schema schema_level = SCHEMA(keys_level, "level", true);

static const struct schema_key keys_escalation[] = {
    {"on", TYPE_CHOICE, REQUIRED, .choices = "lead deal case task",
     .help = "The kind of record it watches."},
    {"when", TYPE_LINES, .flags = SCHEMA_REQUIRED | SCHEMA_FULL,
     .help = "The state that must not last: conditions, all of which must hold. When one does not "
             "hold any more, what is pending is cancelled."},
    {"since", TYPE_CHOICE, .def = "created", .choices = "created|created unless touched|touched",
     .help = "The clock: since the record was created; the same, until a human of ours does "
             "something with it, which ends the escalation; or since one did so last (or it was "
             "created), which starts the clock, and the levels, over."},
    {"calendar", TYPE_NAME,
     .help = "The calendar whose open hours the clock counts. Without it, real time."},
    {"pause_while_waiting", TYPE_BOOL, .def = "false",
     .help = "true: the clock stands still while it is the customer's turn: while a case is "
             "waiting, and while the last word to a lead was that of a human of ours."},
    {"levels", TYPE_LIST, REQUIRED, .sub = &schema_level, .help = "What is done when, in order."},
};
static const struct schema schema_escalation = SCHEMA(keys_escalation, "escalation", true);

static const struct schema_key keys_enrichment[] = {
    {"endpoint", TYPE_NAME, REQUIRED, .help = "One of endpoints in leadd.conf: who is asked."},
    {"send", TYPE_TEXTS, .flags = SCHEMA_REQUIRED | SCHEMA_FULL, .help = "The fields that are sent along."},
    {"set", TYPE_CUSTOM, REQUIRED, .read = config_read_form_fields,
     .choices = "a group such as { score = \"lead.score\"; }",
     .help = "Which field each part of the answer fills: { score = \"lead.score\"; }, or, for "
             "parts of parts, ( { from = \"company.size\"; to = \"lead.employees\"; } )."},
    {"cache", TYPE_DURATION, .def = "0s", RANGE(0, 365 * DAY_MS),
     .help = "How long an answer holds for the next who has the same values in send."},
    {"overwrite", TYPE_BOOL, .def = "false",
     .help = "Also set fields that one of our own has set."},
};
static const struct schema schema_enrichment = SCHEMA(keys_enrichment, "enrichment", true);

static const struct schema_key keys_territory[] = {
    {"parent", TYPE_NAME,
     .help = "The territory this one is a part of. Exactly one has none: the root, which takes "
             "what no other does."},
    {"when", TYPE_LINES, .help = "Conditions, all of which must hold for a lead to fall into it."},
    {"assign", TYPE_LINE,
     .help = "Who gets such leads, as behind assign: \"pool dach\", \"team sales\", \"tom\". "
             "Without it, whoever gets the parent's."},
};
static const struct schema schema_territory = SCHEMA(keys_territory, "territory", true);

static const struct schema schema_step;

static const struct schema_key keys_variant[] = {
    {"share", TYPE_INT, .def = "1", RANGE(1, 1000), .unit = "shares",
     .help = "How many of the records get this one, compared with the others."},
    {"steps", TYPE_LIST, .flags = SCHEMA_REQUIRED | SCHEMA_AGAIN, .sub = &schema_step,
     .help = "The steps of those who get it."},
};
static const struct schema schema_variant = SCHEMA(keys_variant, "variant", true);

static const struct schema_key keys_step[] = {
    {"wait", TYPE_LINE, .help = "Goes on after that time: \"3d\", \"2d business\"."},
    {"email", TYPE_LINE, .help = "Mails the contact this template, inside the window."},
    {"sms", TYPE_LINE, .help = "Texts the contact this template, inside the window."},
    {"task", TYPE_LINE, .help = "Makes a task for the owner, as the command task does."},
    {"do", TYPE_LINES, .help = "Commands, run in this order."},
    {"when", TYPE_LINES,
     .help = "Conditions of this step: when one is false, the step is passed over."},
    {"branch", TYPE_LINES,
     .help = "Conditions: when all hold, the steps in then come next, otherwise those in else."},
    {"then", TYPE_LIST, SCHEMA_AGAIN, .sub = &schema_step,
     .help = "Steps for those whom the conditions of branch hold for."},
    {"else", TYPE_LIST, SCHEMA_AGAIN, .sub = &schema_step, .help = "Steps for the others."},
    {"variants", TYPE_LIST, .sub = &schema_variant,
     .help = "Different steps for different records, dealt by share; a record always gets the "
             "same one."},
    {"end", TYPE_BOOL, .help = "true: the sequence ends here."},
};
static const struct schema schema_step = SCHEMA(keys_step, "step", true);

static const struct schema_key keys_sequence[] = {
    {"on", TYPE_CHOICE, .def = "lead", .choices = "lead contact deal case",
     .help = "The kind of record that goes through it."},
    {"stop", TYPE_TEXTS, .def = "reply owner meeting closed opted_out bounced",
     .help = "What ends it: reply (the contact wrote, by any channel), owner (a human of ours "
             "wrote or called), meeting, closed (the lead, deal or case), opted_out, bounced. An "
             "opt-out and an address that bounces end it also when they are not named."},
    {"until", TYPE_LINES, .help = "Conditions, each of which ends it when it is true."},
    {"window", TYPE_LINE,
     .help = "When mails and texts may leave, such as \"Mon-Fri 09:00-17:00\", where the contact "
             "lives. Without it, at any time."},
    {"calendar", TYPE_NAME, .help = "The calendar on whose holidays nothing leaves."},
    {"several", TYPE_BOOL, .def = "false",
     .help = "true: a contact may be in it while it is in another sequence."},
    {"late", TYPE_CHOICE, .choices = "run skip hold",
     .help = "What happens to steps whose time has passed by more than late_after, because leadd did not "
             "run. Without it, run: they come now, inside the window; skip: those up to the next wait are "
             "passed over; hold: it is paused until somebody lets it go on (sequence resume)."},
    {"by_hand", TYPE_BOOL, .def = "false",
     .help = "true: people begin it, so leadctl rules check does not miss a rule that does."},
    {"list", TYPE_NAME,
     .help = "The list of leadd.conf that its mails belong to: who leaves the list leaves the "
             "sequence. Without it, those of its templates (List: NAME)."},
    {"steps", TYPE_LIST, REQUIRED, .sub = &schema_step, .help = "What happens, one after the other."},
};
static const struct schema schema_sequence = SCHEMA(keys_sequence, "sequence", true);

static const struct schema_key keys_segment[] = {
    {"over", TYPE_CHOICE, .def = "contact", .choices = "contact lead",
     .help = "The kind of record that it is made of; of a lead, its contact is meant."},
    {"when", TYPE_LINES, .flags = SCHEMA_REQUIRED | SCHEMA_FULL,
     .help = "Conditions, all of which must hold."},
    {"label", TYPE_TEXT, .help = "What it is, for people."},
};
static const struct schema schema_segment = SCHEMA(keys_segment, "segment", true);

static const struct schema_key keys_broadcast[] = {
    {"segment", TYPE_NAME, REQUIRED, .help = "Who gets it: one of segments."},
    {"template", TYPE_TEXTS, .flags = SCHEMA_REQUIRED | SCHEMA_FULL,
     .help = "What they get. Of several templates each gets one, in turn, or the better one: see "
             "test."},
    {"list", TYPE_NAME, REQUIRED,
     .help = "What they unsubscribe from. Who has left it before gets nothing."},
    {"test", TYPE_INT, .def = "0", RANGE(0, 50), .unit = "percent",
     .help = "So many, drawn by lot, get one of the templates each, in turn; the others get the "
             "one with the most answers. 0: there is no test."},
    {"wait", TYPE_DURATION, .def = "1d", RANGE(MINUTE_MS, 60 * DAY_MS),
     .help = "How long the answers are counted before that, from the last mail of the test on."},
    {"least", TYPE_INT, .def = "10", RANGE(0, 100000), .unit = "answers",
     .help = "With fewer answers in all the first template is taken: too few say nothing."},
    {"per_hour", TYPE_INT, RANGE(1, 1000000), .unit = "mails",
     .help = "No hour has more of them. Without it they leave as fast as the relay takes them."},
    {"window", TYPE_LINE,
     .help = "When they may leave, such as \"Mon-Fri 09:00-17:00\", where the contact lives. "
             "Without it, at any time."},
    {"calendar", TYPE_NAME, .help = "The calendar on whose holidays nothing leaves."},
    {"consent", TYPE_BOOL, .def = "false",
     .help = "true: only to those who have agreed to get mail (leadctl consent)."},
    {"conversation", TYPE_DURATION, .def = "3d", RANGE(0, 365 * DAY_MS),
     .help = "Who has written so recently, or one of ours to them, is left out, and so is who has "
             "an open case or a meeting ahead. 0s: nobody is, for that."},
    {"apart", TYPE_DURATION, .def = "0s", RANGE(0, 365 * DAY_MS),
     .help = "Who got another broadcast so recently is left out."},
    {"confirm_over", TYPE_INT, .def = "100", RANGE(0, 10000000), .unit = "recipients",
     .help = "With more recipients it waits until somebody has confirmed their number."},
};
static const struct schema schema_broadcast = SCHEMA(keys_broadcast, "broadcast", true);

static const struct schema_key keys_rules_file[] = {
    {"lang", TYPE_INT, REQUIRED, RANGE(1, 1), .unit = "version",
     .help = "The version of this language: 1."},
    {"rules", TYPE_MAP, .sub = &schema_rule,
     .help = "Rules by name, run in the order they stand in."},
    {"tables", TYPE_CUSTOM, .read = config_read_tables,
     .choices = "a group such as { NAME = [ \"a\", \"b\" ]; }",
     .help = "Lists of texts for conditions (in @NAME): each a list, or the name of a file with "
             "one "
             "text in a line."},
    {"pools", TYPE_MAP, .sub = &schema_pool,
     .help = "Users among whom leads are dealt out (assign pool NAME)."},
    {"enrichments", TYPE_MAP, .sub = &schema_enrichment,
     .help = "What other programs are asked, by name (enrich NAME)."},
    {"territories", TYPE_MAP, .sub = &schema_territory,
     .help = "A tree of conditions that says whose a lead is (assign territory)."},
    {"calendars", TYPE_MAP, .sub = &schema_calendar,
     .help = "Open hours by name, for business time (after = \"2h business NAME\")."},
    {"tests", TYPE_CUSTOM, .flags = SCHEMA_NAMES, .read = config_read_tests, .sub = &schema_test,
     .choices = "a group such as { NAME : { at = \"2026-11-20 10:00\"; given = ( .. ); expect : { .. }; }; }",
     .help = "What the rules are expected to do, by name; leadctl rules test runs them, and a reload "
             "does."},
    {"escalations", TYPE_MAP, .sub = &schema_escalation,
     .help = "States that must not last, by name, and what is done about them when."},
    {"sequences", TYPE_MAP, .sub = &schema_sequence,
     .help = "Steps that follow each other over days, by name (sequence NAME)."},
    {"segments", TYPE_MAP, .sub = &schema_segment,
     .help = "People by condition, by name (leadctl segment)."},
    {"broadcasts", TYPE_MAP, .sub = &schema_broadcast,
     .help = "Letters to the people of a segment, by name (leadctl broadcast)."},
};
const struct schema schema_rules_file = SCHEMA(keys_rules_file, "rule file", false);
