/* SPDX-License-Identifier: ISC
 *
 * tests - the tests that stand beside the rules: their keys, and how they are read
 *
 * A test says what comes in and what must have happened then. Here only the notation
 * is checked; whether forms, users, rules and conditions are there is for daemon/tool,
 * which also runs them. No role ever gets a test.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "config/lex.h"
#include "config/read.h"

#define YEARS INT64_C(31536000000)

static json_t *read_path(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_words(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_mail(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_posted(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_given(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_expect(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_count(struct walk *w, const struct schema_key *key, const struct place *p);
static json_t *read_flag(struct walk *w, const struct schema_key *key, const struct place *p);

#define SCHEMA(keys_, name_, at_)                                                                  \
    {.name = name_, .keys = keys_, .count = ARRAY_LEN(keys_), .place = at_}

static const struct schema_key keys_mail[] = {
    {"from", TYPE_LINE, .flags = SCHEMA_REQUIRED,
     .help = "The sender, such as \"Ada <ada@shop.example>\"."},
    {"to", TYPE_TEXT, .help = "To whom. Without it, the address of leadd.conf."},
    {"cc", TYPE_TEXT, .help = "Who else."},
    {"subject", TYPE_TEXT, .help = "The subject."},
    {"text", TYPE_CUSTOM, .read = read_words, .choices = "a text",
     .help = "The words. A line ends with \\n; texts that stand behind each other are one."},
    {"answers", TYPE_LINE,
     .help = "Name of the template whose mail this one answers: the newest one that leadd has sent "
             "from it in this test."},
    {"headers", TYPE_LINES,
     .help = "Further header fields, such as \"Auto-Submitted: auto-replied\"."},
};
static const struct schema schema_mail = SCHEMA(keys_mail, "mail", true);

static const struct schema_key keys_step[] = {
    {"form", TYPE_LINE, .help = "A form is posted: its name. What is posted stands in fields."},
    {"fields", TYPE_CUSTOM, .read = read_posted, .choices = "a group such as { email = \"a@b.example\"; }",
     .help = "For form and answered: the texts, { email = \"ada@shop.example\"; }, or, for names that are "
             "no keys, ( { field = \"your name\"; is = \"Ada\"; } )."},
    {"mail", TYPE_CUSTOM, .sub = &schema_mail, .read = read_mail, .choices = "a group { .. }",
     .help = "A mail comes in."},
    {"mail_file", TYPE_CUSTOM, .read = read_path, .choices = "the name of a file",
     .help = "A mail comes in as it stands in this file; taken from the folder of the rule file."},
    {"mailbox", TYPE_LINE,
     .help = "For mail and mail_file: where it comes in. Without it, the first of mailboxes."},
    {"sms", TYPE_CUSTOM, .read = read_words, .choices = "a text", .help = "A text comes in: its words."},
    {"from", TYPE_LINE, .help = "For sms: the number that it comes from."},
    {"gateway", TYPE_LINE,
     .help = "For sms: by which it comes in. Without it, the first of gateways."},
    {"command", TYPE_LINE, .help = "Somebody gives a command, such as \"won 5000\"."},
    {"by", TYPE_LINE, .help = "For command: the user. Without it, an operator with leadctl do."},
    {"on", TYPE_LINE,
     .help = "For command: the record, such as L1, or the address of its contact. Without it, the "
             "record of the step before."},
    {"answered", TYPE_LINE,
     .help = "Another program answers what leadd asked last: the name of the enrichment, or of the "
             "endpoint of a webhook. What it says stands in answer or fields."},
    {"answer", TYPE_CUSTOM, .read = read_words, .choices = "a text",
     .help = "For answered: the JSON that it answers with. Without it, the texts in fields, of which "
             "numbers, true and false are taken as such."},
    {"code", TYPE_INT, .min = 0, .max = 599, .unit = "HTTP status",
     .help = "For answered: the HTTP status; 0 when nothing answers. Without it, 200."},
    {"advance", TYPE_DURATION, .min = 0, .max = 10 * YEARS,
     .help = "Time passes: timers fire and mail leaves, each when it is due."},
    {"until", TYPE_LINE, .help = "Time passes until then: a date and time, as in at."},
    {"expect", TYPE_CUSTOM, .read = read_expect, .choices = "a group { .. }",
     .help = "What must be so now; the keys are those of expect below."},
};
static const struct schema schema_step = SCHEMA(keys_step, "step", true);

static const struct schema_key keys_expect[] = {
    {"about", TYPE_LINE,
     .help = "The record that is looked at: its id, such as L2, or the address of its contact. "
             "Without it, the lead or case of the last step that had one."},
    {"owner", TYPE_LINE, .help = "Whose it is: a user."},
    {"status", TYPE_LINE, .help = "Its status."},
    {"stage", TYPE_LINE, .help = "The stage of its deal."},
    {"tags", TYPE_LINES, .help = "Tags that it has."},
    {"not_tags", TYPE_LINES, .help = "Tags that it has not."},
    {"when", TYPE_LINES, .help = "Conditions as in rules, all of which hold for it."},
    {"sent", TYPE_LINES,
     .help = "Mails that leadd wrote since the expect before: \"TEMPLATE to WHOM\", with an address "
             "or a user, or one of both alone: \"welcome\", \"to tom\"."},
    {"not_sent", TYPE_LINES, .help = "Mails that it did not write since the expect before."},
    {"reminded", TYPE_LINES,
     .help = "Users who were reminded of tasks since the expect before, by mail or text."},
    {"not_reminded", TYPE_LINES, .help = "Users who were not."},
    {"overdue", TYPE_CUSTOM, .read = read_count, .choices = "a whole number",
     .help = "How many tasks became overdue since the expect before (the event task.overdue)."},
    {"called", TYPE_LINES,
     .help = "Endpoints that were called and enrichments that were asked since the expect before."},
    {"not_called", TYPE_LINES, .help = "Endpoints and enrichments that were not."},
    {"rules", TYPE_LINES, .help = "Rules that ran since the expect before, and steps of sequences: \"nurture/3\"."},
    {"not_rules", TYPE_LINES, .help = "Rules that did not run since the expect before."},
    {"timers", TYPE_LINES,
     .help = "What waits for its time: \"RULE\", or \"RULE at 2026-11-20 10:30\"; so a sequence, and as "
             "\"task\" the next reminder of a task, or when it becomes overdue."},
    {"no_timers", TYPE_CUSTOM, .read = read_flag, .choices = "true",
     .help = "true: nothing waits for its time, but for rules with every."},
    {"leads", TYPE_CUSTOM, .read = read_count, .choices = "a whole number",
     .help = "How many leads there are."},
    {"cases", TYPE_CUSTOM, .read = read_count, .choices = "a whole number",
     .help = "How many cases there are."},
    {"tasks", TYPE_CUSTOM, .read = read_count, .choices = "a whole number",
     .help = "How many open tasks there are."},
    {"mails", TYPE_CUSTOM, .read = read_count, .choices = "a whole number",
     .help = "How many mails leadd wrote since the expect before; those to the administrator and "
             "reminders of tasks do not count."},
    {"answer", TYPE_LINE,
     .help = "What became of the last form, mail or command: ok, invalid, filed, ignored, "
             "quarantined, duplicate, refused, confirm: it had to be confirmed. It is taken as confirmed "
             "at once, and the mail that asks is _notice-confirm in sent."},
};
static const struct schema schema_expect = SCHEMA(keys_expect, "expect", true);

static const struct schema_key keys_test[] = {
    {"at", TYPE_LINE, .flags = SCHEMA_REQUIRED,
     .help = "When it begins, such as \"2026-11-20 10:00\": in time_zone of leadd.conf, or with Z or "
             "+01:00 behind, 2026-11-20T10:00:00Z."},
    {"given", TYPE_CUSTOM, .flags = SCHEMA_REQUIRED, .sub = &schema_step, .read = read_given,
     .choices = "a list of steps ( { form = \"contact\"; .. }, { advance = \"1d\"; } )",
     .help = "What happens, step after step."},
    {"expect", TYPE_CUSTOM, .sub = &schema_expect, .read = read_expect, .choices = "a group { .. }",
     .help = "What must be so in the end."},
};
const struct schema schema_test = SCHEMA(keys_test, "test", false);

/* ---- values with a form of their own --------------------------------------------- */

static json_t *read_no(struct walk *w, const struct schema_key *key, const struct place *p)
{
    char *got AUTO_FREE = walk_got(p);
    walk_error(w, p, "expected %s, got %s", key->choices, got);
    return NULL;
}

static const char *read_text(const struct place *p)
{
    return p->node->type == SCAN_STRING ? config_setting_get_string(p->setting) : NULL;
}

static json_t *read_words(struct walk *w, const struct schema_key *key, const struct place *p)
{
    const char *s = read_text(p);
    return s ? json_string(s) : read_no(w, key, p);
}

static json_t *read_path(struct walk *w, const struct schema_key *key, const struct place *p)
{
    const char *s = read_text(p);
    if (!s || !*s)
        return read_no(w, key, p);
    char *dir AUTO_FREE = lex_dir(p->node->file);
    char *path AUTO_FREE = lex_join(dir, s);
    char *at AUTO_FREE = scan_at(p->node);
    return json_pack("{s:s, s:s}", "text", path, "at", at);
}

static json_t *read_count(struct walk *w, const struct schema_key *key, const struct place *p)
{
    char *at AUTO_FREE = scan_at(p->node);
    if (p->node->type != SCAN_NUMBER || config_setting_type(p->setting) != CONFIG_TYPE_INT ||
        config_setting_get_int(p->setting) < 0)
        return read_no(w, key, p);
    return json_pack("{s:i, s:s}", "count", config_setting_get_int(p->setting), "at", at);
}

static json_t *read_flag(struct walk *w, const struct schema_key *key, const struct place *p)
{
    char *at AUTO_FREE = scan_at(p->node);
    if (p->node->type != SCAN_BOOL || !config_setting_get_bool(p->setting))
        return read_no(w, key, p);
    return json_pack("{s:s}", "at", at);
}

static void posted_put(struct walk *w, json_t *out, const struct place *p, const char *name,
                       json_t *line)
{
    if (!line)
        return;
    if (json_object_get(out, name))
        walk_error(w, p, "\"%s\" is posted twice", name);
    json_object_set_new(out, name, line);
}

static json_t *read_posted(struct walk *w, const struct schema_key *key, const struct place *p)
{
    static const struct schema_key keys[] = {
        {"field", TYPE_TEXT, SCHEMA_REQUIRED, .help = "The name as it is posted."},
        {"is", TYPE_CUSTOM, SCHEMA_REQUIRED, .read = read_words, .choices = "a text", .help = ""},
    };
    static const struct schema pair = SCHEMA(keys, "field", false);
    json_t *out = json_object();
    if (p->node->type != SCAN_GROUP && p->node->type != SCAN_LIST) {
        json_decref(out);
        return read_no(w, key, p);
    }
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->name) {
            posted_put(w, out, &c, c.node->name, schema_value(w, &keys[1], &c));
        } else if (c.node->type == SCAN_GROUP) {
            json_t *v AUTO_JSON = schema_walk(w, &pair, &c);
            const char *name = json_get_str(v, "field", NULL);
            if (name)
                posted_put(w, out, &c, name, json_incref(json_object_get(v, "is")));
        } else {
            walk_error(w, &c, "expected a group { field = \"posted name\"; is = \"text\"; }");
        }
    }
    return out;
}

static json_t *read_mail(struct walk *w, const struct schema_key *key, const struct place *p)
{
    return p->node->type == SCAN_GROUP ? schema_walk(w, key->sub, p) : read_no(w, key, p);
}

/* ---- steps -------------------------------------------------------------------------- */

static json_t *read_expect(struct walk *w, const struct schema_key *key, const struct place *p)
{
    if (p->node->type != SCAN_GROUP)
        return read_no(w, key, p);
    if (p->node->count == 0)
        walk_error(w, p, "expects nothing");
    return schema_walk(w, &schema_expect, p);
}

static bool step_has(const struct place *p, const char *name)
{
    return scan_member(p->node, name) != NULL;
}

/* Each step is one thing that happens, and its words. */
static void step_check(struct walk *w, const struct place *p)
{
    static const char *const verbs[] = {"form", "mail", "mail_file", "sms", "command", "answered",
                                        "advance", "until", "expect"};
    static const char *const words[][3] = {{"fields", "form", "answered"},
                                           {"answer", "answered", NULL},
                                           {"code", "answered", NULL},
                                           {"mailbox", "mail", "mail_file"},
                                           {"from", "sms", NULL},
                                           {"gateway", "sms", NULL},
                                           {"by", "command", NULL},
                                           {"on", "command", NULL}};
    const char *verb = NULL;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!step_has(p, verbs[i]))
            continue;
        if (verb)
            walk_error(w, p, "is one step and has both %s and %s; make it two: { .. }, { .. }", verb,
                       verbs[i]);
        verb = verbs[i];
    }
    if (!verb && !p->node->damaged)
        walk_error(w, p, "nothing happens in this step; it needs one of form, mail, mail_file, "
                   "sms, command, answered, advance, until, expect");
    if (step_has(p, "sms") && !step_has(p, "from"))
        walk_error(w, p, "from is missing: the number that the text comes from");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (verb && step_has(p, words[i][0]) && strcmp(verb, words[i][1]) != 0 &&
            !(words[i][2] && strcmp(verb, words[i][2]) == 0))
            walk_error(w, p, "\"%s\" belongs to %s, and this step is %s", words[i][0], words[i][1],
                       verb);
}

static json_t *read_given(struct walk *w, const struct schema_key *key, const struct place *p)
{
    json_t *out = json_array();
    if (p->node->type != SCAN_LIST) {
        json_decref(out);
        return read_no(w, key, p);
    }
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->type != SCAN_GROUP) {
            walk_error(w, &c, "expected a step such as { advance = \"1d\"; }");
            continue;
        }
        step_check(w, &c);
        json_array_append_new(out, schema_walk(w, &schema_step, &c));
    }
    if (p->node->count == 0 && !p->node->damaged)
        walk_error(w, p, "must not be empty");
    return out;
}

static bool test_expects(const json_t *test)
{
    size_t i;
    json_t *step;
    json_array_foreach(json_get_arr(test, "given"), i, step)
        if (json_object_get(step, "expect"))
            return true;
    return json_object_get(test, "expect") != NULL;
}

/* Its own `at` is when it begins; the tree's "at" is where it stands, as everywhere. */
json_t *config_read_tests(struct walk *w, const struct schema_key *key, const struct place *p)
{
    json_t *out = json_object();
    if (p->node->type != SCAN_GROUP) {
        json_decref(out);
        return read_no(w, key, p);
    }
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->type != SCAN_GROUP) {
            walk_error(w, &c, "expected a group { ... } for the test \"%s\"", c.node->name);
            continue;
        }
        char *at AUTO_FREE = scan_at(c.node);
        json_t *test = schema_walk(w, &schema_test, &c);
        if (!test_expects(test) && !c.node->damaged && !scan_member(c.node, "expect"))
            walk_error(w, &c, "expects nothing: what must be so in the end stands in expect");
        if (json_object_get(test, "at"))
            json_object_set(test, "time", json_object_get(test, "at"));
        json_put_str(test, "at", at);
        json_object_set_new(out, c.node->name, test);
    }
    return out;
}
