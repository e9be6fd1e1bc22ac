/* SPDX-License-Identifier: ISC
 *
 * keys_form - the keys of a form of leadd.conf, one row each, and how its fields are read
 *
 * The help texts are part of leadd.conf(5), as those of keys.c are.
 */
#include <string.h>

#include "base/json.h"
#include "config/keys.h"

/* ---- one posted field ---------------------------------------------------- */

static const struct schema_key keys_posted[] = {
    {"from", TYPE_TEXT,
     .help = "The name as it is posted, in the form ( { from = \"your name\"; .. } ). In JSON, the "
             "path to the value, \"answers.0.email\"; a * in it stands for any one part, and the "
             "values of all that fit are taken, with commas between them."},
    {"to", TYPE_TEXT,
     .help = "The field of the CRM that it fills. Without it and with a type, the value stays in the "
             "message."},
    {"type", TYPE_CHOICE, .def = "text",
     .choices = "text words email phone number date bool choice consent file",
     .help = "What is posted: words are text of several lines, bool a box to tick, consent a box "
             "whose words are agreed to. Without it, a field to contact.email is an email, one to "
             "contact.phone a phone, one to message.text words."},
    {"label", TYPE_TEXT,
     .help = "What people know it by: in the snippet, and where something is wrong with it. Without "
             "it, the posted name."},
    {"default", TYPE_TEXT, .help = "What stands for a field that is empty or not posted."},
    {"required", TYPE_BOOL, .def = "false", .help = "It must not be empty."},
    {"max", TYPE_INT, RANGE(1, KIB(64)), .unit = "characters",
     .help = "The longest text that is taken."},
    {"choices", TYPE_TEXTS, .only = "choice", .help = "What may be posted."},
    {"several", TYPE_BOOL, .def = "false", .only = "choice",
     .help = "More than one of the choices may be posted, under the same name; they are taken with "
             "commas between them."},
    {"text", TYPE_TEXT, .only = "consent",
     .help = "The words beside the box, which are kept with the consent: \"Yes, send me your news "
             "by mail; I can end this at any time.\""},
    {"purpose", TYPE_NAME, .only = "consent",
     .help = "What is agreed to, such as marketing. Without it, the posted name."},
    {"channel", TYPE_CHOICE, .def = "email", .choices = "email sms", .only = "consent",
     .help = "How we may write then."},
    {"accept", TYPE_TEXTS, .only = "file",
     .help = "Types and endings of files that are taken: [ \"application/pdf\", \"image/*\", "
             "\".docx\" ]. Without it, all."},
    {"max_size", TYPE_SIZE, .only = "file", .def = "5M", RANGE(KIB(1), MIB(64)),
     .help = "The largest file that is taken. max_body of web bounds the whole form."},
};
static const struct schema schema_posted = SCHEMA(keys_posted, "field of a form", true);

static const char *form_type_of_target(const char *to)
{
    if (to && strcmp(to, "contact.email") == 0)
        return "email";
    if (to && strcmp(to, "contact.phone") == 0)
        return "phone";
    return to && strcmp(to, "message.text") == 0 ? "words" : "text";
}

/* What the field is, without the empty lists and the falses: every post reads it. */
static void form_field_tidy(struct walk *w, json_t *v, const struct place *p)
{
    static const char *const lists[] = {"choices", "accept"}, *const flags[] = {"several", "required"};
    const char *to = json_get_str(v, "to", NULL), *type = json_get_str(v, "type", NULL);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (json_array_size(json_get_arr(v, lists[i])) == 0)
            json_object_del(v, lists[i]);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (!json_get_bool(v, flags[i], false))
            json_object_del(v, flags[i]);
    bool typed = scan_member(p->node, "type") != NULL;
    if (!typed)
        json_put_str(v, "type", type = form_type_of_target(to));
    if (!type) /* what is written is none */
        return;
    if (p->node->damaged)
        return;
    if (!to && !typed)
        walk_error(w, p, "\"to\" is missing; set it to a text in quotes");
    if (strcmp(type, "choice") == 0 && !json_object_get(v, "choices"))
        walk_error(w, p, "a choice needs choices: [ \"one\", \"other\" ]");
    if (strcmp(type, "consent") == 0 && !json_object_get(v, "text"))
        walk_error(w, p, "a consent needs text: the words that are agreed to");
    if (strcmp(type, "file") == 0 && to)
        walk_error(w, p, "a file fills no field; it is kept with the message");
}

static void form_field_put(struct walk *w, json_t *out, const struct place *p, const char *from,
                           json_t *v)
{
    if (json_object_get(out, from)) {
        walk_error(w, p, "\"%s\" is already mapped", from);
        json_decref(v);
        return;
    }
    json_object_del(v, "from");
    json_object_set_new(out, from, v);
}

/* email = "contact.email" */
static void form_field_short(struct walk *w, json_t *out, const struct place *p)
{
    char *at AUTO_FREE = mem_printf("%s:%d", p->node->file, p->node->value_line);
    json_t *to = schema_value(w, &keys_posted[1], p);
    if (!to)
        return;
    json_t *v = json_object();
    json_object_set_new(v, "to", to);
    json_put_str(v, "type", form_type_of_target(json_string_value(to)));
    json_put_str(v, "at", at);
    form_field_put(w, out, p, p->node->name, v);
}

static void form_field(struct walk *w, json_t *out, const struct place *p)
{
    json_t *v = schema_walk(w, &schema_posted, p);
    char *from AUTO_FREE = mem_str(json_get_str(v, "from", p->node->name ? p->node->name : ""));
    form_field_tidy(w, v, p);
    if (p->node->name && json_object_get(v, "from"))
        walk_error(w, p, "is posted as \"%s\" or as \"%s\"? leave one out", p->node->name, from);
    else if (!*from && !p->node->damaged)
        walk_error(w, p, "\"from\" is missing; set it to the name as it is posted");
    if (*from)
        form_field_put(w, out, p, from, v);
    else
        json_decref(v);
}

static void form_field_wrong(struct walk *w, const struct place *p, const char *want)
{
    char *got AUTO_FREE = walk_got(p);
    walk_error(w, p, "expected %s, got %s", want, got);
}

static json_t *read_posted(struct walk *w, const struct schema_key *key, const struct place *p)
{
    if (p->node->type != SCAN_GROUP && p->node->type != SCAN_LIST) {
        form_field_wrong(w, p, key->choices);
        return NULL;
    }
    json_t *out = json_object();
    for (size_t i = 0; i < p->node->count; i++) {
        char *path AUTO_FREE = NULL;
        struct place c = schema_child(p, i, &path);
        if (c.node->type == SCAN_GROUP)
            form_field(w, out, &c);
        else if (c.node->name)
            form_field_short(w, out, &c);
        else
            form_field_wrong(w, &c, "a group { from = \"posted name\"; to = \"contact.name\"; }");
    }
    if (p->node->count == 0)
        walk_error(w, p, "must not be empty");
    return out;
}

/* ---- the form -------------------------------------------------------------- */

static const struct schema_key keys_fixed[] = {
    {"to", TYPE_TEXT, REQUIRED, .help = "The field of the CRM."},
    {"value", TYPE_TEXT, REQUIRED, .help = "What it gets."},
};
static const struct schema schema_fixed = SCHEMA(keys_fixed, "fixed value", true);

static const struct schema_key keys_messages[] = {
    {"thanks", TYPE_TEXT, .help = "What is said to who has sent it."},
    {"invalid", TYPE_TEXT, .help = "What stands above the list of fields to correct."},
    {"confirm", TYPE_TEXT, .help = "What is said when a mail to confirm is on its way."},
    {"confirm_later", TYPE_TEXT,
     .help = "What is said when that mail leaves later, since too many were asked for."},
};
static const struct schema schema_messages = SCHEMA(keys_messages, "messages", false);

static const struct schema_key keys_verdict[] = {
    {"endpoint", TYPE_NAME, REQUIRED, .help = "One of endpoints: who is asked."},
    {"within", TYPE_DURATION, .def = "10s", RANGE(SECOND_MS, HOUR_MS),
     .help = "How long an answer is waited for. Whoever posted is answered before."},
    {"otherwise", TYPE_CHOICE, .def = "accept", .choices = "accept quarantine",
     .help = "What becomes of a post without an answer in time, or with one that is none."},
};
static const struct schema schema_verdict = SCHEMA(keys_verdict, "verdict", false);

static const struct schema_key keys_form[] = {
    {"fields", TYPE_CUSTOM, .flags = SCHEMA_REQUIRED | SCHEMA_NAMES, .read = read_posted,
     .sub = &schema_posted, .choices = "a group such as { email = \"contact.email\"; }",
     .help = "The posted fields: { email = \"contact.email\"; } says which field of the CRM one "
             "fills, { name = { to = \"contact.name\"; label = \"Your name\"; }; } says more, and ( "
             "{ from = \"your name\"; to = \"contact.name\"; } ) is for names that are no keys."},
    {"required", TYPE_TEXTS,
     .help = "Posted fields that must not be empty: the same as required = true in each."},
    {"fixed", TYPE_LIST, .sub = &schema_fixed,
     .help = "Fields of the CRM that each post fills: ( { to = \"contact.country\"; value = "
             "\"AT\"; } )."},
    {"redirect", TYPE_URL, .help = "Where the browser goes after a stored form."},
    {"error_redirect", TYPE_URL,
     .help = "Where the browser goes when something is wrong with the fields, with ?form=NAME&"
             "fields=NAME,NAME behind it. Without it, to a page that says what is wrong."},
    {"lang", TYPE_CHOICE, .choices = "en de fr es it",
     .help = "The language of what leadd says to who fills in the form, and of the contact, if the "
             "form has no field for contact.language and none is known. Without it, English for "
             "the one and nothing for the other."},
    {"messages", TYPE_GROUP, .sub = &schema_messages, .help = "Own words in place of leadd's."},
    {"origins", TYPE_TEXTS,
     .help = "Origins such as https://www.example.com whose scripts may post the form (CORS): \"*\" "
             "for all, \"null\" for pages without one."},
    {"origins_only", TYPE_BOOL, .def = "false",
     .help = "Browsers that post from another origin are refused. Programs name no origin."},
    {"honeypot", TYPE_NAME,
     .help = "A field that people do not see, such as website: what fills it is a program. The post "
             "is quarantined with the reason, and its sender is told what a person is told."},
    {"min_fill", TYPE_DURATION, RANGE(100, HOUR_MS),
     .help = "How long a person needs at least: what is sent sooner after the page was opened is "
             "quarantined likewise. Counted where the script of leadctl form snippet runs."},
    {"same_within", TYPE_DURATION, RANGE(SECOND_MS, 30 * DAY_MS),
     .help = "The same words from the same page again within that time are one message: who sends a "
             "form twice is told that it has arrived. Without it, only a repeated key is."},
    {"verdict", TYPE_GROUP, .sub = &schema_verdict,
     .help = "Another program is asked whether a post is spam, before anything comes of it: it gets "
             "a POST of {\"type\": \"form.verdict\", \"data\": {\"form\", \"fields\", \"extra\", "
             "\"address\", \"remote\", \"agent\", \"page\"}} and answers {\"verdict\": \"ham\"}, "
             "\"spam\" or \"unsure\". Spam is quarantined with the reason; unsure goes on and is "
             "marked, as leadctl why tells. Whoever posted is answered at once, as ever. With "
             "confirm, the mail leaves after the verdict."},
    {"confirm", TYPE_BOOL, .def = "false",
     .help = "A post counts once its sender has confirmed the address: the address gets a mail with a "
             "link, whose page has a button; before that there is no lead, no event and no rule runs. "
             "Who and when is kept in the consent ledger: whose the address is, which is no consent to "
             "get mail. Needs a required field to contact.email, and in_url of web. "
             "At most 3 mails leave to one address in a day, 20 in an hour for one who "
             "posts, 600 for one form: whoever is beyond is told that the mail comes later, and it does; "
             "to an address that has confirmed none of its mails, only once it has. Who has opted out "
             "gets none, and is told what all are. 64 MB of a form's posts may wait; beyond, the status "
             "429. The words are in the language that was posted (a field to contact.language), else in "
             "lang, and may be your own: _notice-confirm.txt, _notice-confirm.de.txt. See leadctl "
             "quarantine list unconfirmed."},
    {"confirm_within", TYPE_DURATION, .def = "7d", RANGE(DAY_MS, 90 * DAY_MS),
     .help = "How long it can be confirmed after the mail left, which names the time; then the post is "
             "dropped, and the ledger says so."},
    {"rate", TYPE_INT, RANGE(1, 1000000), .unit = "posts per minute",
     .help = "Posts of this form that are taken in a minute, whoever sends them, beside the rate of "
             "web for each address; beyond it, the status 429. A flood then shuts the form for "
             "everybody, so set it well above what people send. Without it, there is no such limit."},
    {"source", TYPE_TEXT, .help = "The source of the lead. Without it, the name of the form."},
    {"creates", TYPE_CHOICE, .def = "lead", .choices = "lead case", .help = "What a form becomes."},
    {"sequence", TYPE_NAME,
     .help = "Who posts it begins this sequence of the rule files, as with the command sequence NAME. "
             "Where that is refused (he is in one already, he has opted out), leadctl why tells."},
};
const struct schema schema_form = SCHEMA(keys_form, "form", true);
