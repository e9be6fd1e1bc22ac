/* SPDX-License-Identifier: ISC
 *
 * notice_words - see notice_words.h
 */
#include "crm/notice_words.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/templates.h"

#define VARIABLES 12
#define PREFIX "_notice-"

#define OF_CONTACT                                                                                 \
    "{{#contact.id}}\nFrom:     {{contact.name}} {{contact.email}} {{contact.phone}}\n"            \
    "{{/contact.id}}{{#company.name}}\nCompany:  {{company.name}}\n{{/company.name}}"

static const struct notice_row {
    const char *name;
    const char *variables; /* NULL: the fields of records */
    const char *text;
} notices[] = {
    {"lead", NULL,
     "Subject: {{actor}}: {{lead.id}} {{lead.subject}}\n\n"
     "{{actor}} tells you about {{lead.id}}.\n\n"
     "Subject:  {{lead.subject}}\n"
     "Status:   {{lead.status}}\n"
     "Owner:    {{owner.name}}\n"
     "Came:     {{lead.created}}, by {{lead.source}}\n"
     "Score:    {{lead.score}}\n" OF_CONTACT "\n"
     "leadctl show {{lead.id}}\n"
     "leadctl why {{lead.id}}\n"
     "leadctl do {{lead.id}} COMMAND, such as: call TEXT, note TEXT, assign USER, stage NAME\n"},
    {"case", NULL,
     "Subject: {{actor}}: {{case.id}} {{case.subject}}\n\n"
     "{{actor}} tells you about {{case.id}}.\n\n"
     "Subject:  {{case.subject}}\n"
     "Status:   {{case.status}}\n"
     "Priority: {{case.priority}}\n"
     "Owner:    {{owner.name}}\n"
     "Opened:   {{case.created}}\n" OF_CONTACT "\n"
     "leadctl show {{case.id}}\n"
     "leadctl why {{case.id}}\n"
     "leadctl do {{case.id}} COMMAND, such as: note TEXT, assign USER, priority up, close\n"},
    {"contact", NULL,
     "Subject: {{actor}}: {{contact.id}} {{contact.name}}\n\n"
     "{{actor}} tells you about {{contact.id}}.\n" OF_CONTACT "\n"
     "leadctl show {{contact.id}}\n"},
    {"reminder", "count tasks task title due why zone",
     "Subject: Reminder: {{#count}}{{count}} tasks{{/count}}{{^count}}{{title}} ({{task}}){{/count}}\n\n"
     "{{#why}}You are told since {{why}}.\n\n{{/why}}"
     "{{tasks}}\n"
     "{{^count}}Answer with one of these lines: done, or snooze 2d, snooze tomorrow, snooze mon 10:00.\n"
     "{{/count}}"
     "{{#count}}Answer snooze 2d, and all of them are put off; or one line for each:\n"
     "#done {{task}}, #snooze {{task}} tomorrow.\n"
     "{{/count}}"
     "{{#why}}Who shall do it instead: #{{task}} assign NAME\n{{/why}}"
     "Times are of {{zone}}.\n"},
    {"held", "id why from message record commands until",
     "Subject: Was this you? Commands by mail were held ({{id}})\n\n"
     "A mail in your name has commands in it, and nothing proves that you wrote it:\n{{why}}.\n\n"
     "Its From is: {{from}}\n"
     "It was filed as {{message}}{{#record}}, about {{record}}{{/record}}. What it says was not "
     "done:\n\n{{commands}}\n"
     "{{#until}}\n"
     "If they are yours, answer this mail with the word yes until {{until}}: then they run, once.\n"
     "If not, answer no, or leave it.\n"
     "{{/until}}\n"
     "{{^until}}\n"
     "Answers cannot arrive here (reply_address = \"none\"). If they are yours, the administrator "
     "runs\nthem with: leadctl held release {{id}}\n"
     "{{/until}}\n"},
    {"confirm", "subject words link deadline foot form company until",
     "Subject: {{subject}}\n\n{{words}}\n\n{{link}}\n\n{{deadline}}\n{{foot}}\n"},
    {"duplicate", "record contact contact_id other other_id why lead lead_id owner commands unseen",
     "Subject: {{contact_id}} looks like {{other_id}}, who is there already\n\n"
     "{{record}} is of {{contact}},\n"
     "{{#unseen}}\n"
     "who looks like {{other_id}}, whom you may not see: {{why}}.\n"
     "Nothing was joined. The administrator was told, too, and can join them:\n"
     "  leadctl merge {{other_id}} {{contact_id}}\n"
     "{{/unseen}}\n"
     "{{^unseen}}\n"
     "who looks like {{other}}:\n"
     "{{why}}. Nothing was joined.\n"
     "{{#lead_id}}\n"
     "{{other_id}} has an open lead: {{lead_id}}{{#lead}}, {{lead}}{{/lead}}{{#owner}}, of "
     "{{owner}}{{/owner}}.\n"
     "{{/lead_id}}\n\n"
     "If they are one person, reply with these lines:\n{{commands}}\n"
     "or run: leadctl merge {{other_id}} {{contact_id}}\n"
     "#undo takes it back. If they are two, do nothing: you are not told again.\n"
     "{{/unseen}}\n"},
    {"bounced", "address record why status subject message",
     "Subject: Mail to {{address}} comes back\n\n"
     "A mail to {{address}} came back{{#record}}, {{record}}{{/record}}: {{why}}{{#status}}, "
     "{{status}}{{/status}}\n"
     "The mail was: {{subject}}\n\n"
     "No automatic mail goes to this address any more, and what was due is not sent.\n"
     "What you can do:\n"
     "- find another address (by phone, or on their site) and put it on the record:\n"
     "    leadctl do {{record}}{{^record}}RECORD{{/record}} \"set contact.email NEW@ADDRESS\"\n"
     "- when the address is right and works again:\n"
     "    leadctl do {{record}}{{^record}}RECORD{{/record}} \"verified {{address}}\"\n"
     "A mail from that address lifts it by itself. `leadctl why {{message}}` shows the rest.\n"},
    {"not-delivered", "address record status said subject message",
     "Subject: A mail to {{address}} was not delivered\n\n"
     "A mail to {{address}}{{#record}}, {{record}}{{/record}} was not delivered: {{status}} {{said}}\n"
     "The mail was: {{subject}}\n\n"
     "The address itself is not said to be wrong, so it stays in use. You may send again later or\n"
     "reach them another way. When it goes on for days, leadd marks the address.\n"
     "`leadctl why {{message}}` shows the rest.\n"},
    {"complaint", "address subject message",
     "Subject: {{address}} calls our mail spam\n\n"
     "Their provider reports that {{address}} marked a mail of ours as spam: {{subject}}\n\n"
     "All addresses of the contact are opted out: no automatic mail goes there. Do not write\n"
     "again unless they ask. `leadctl why {{message}}` shows the rest.\n"},
};

static const struct notice_row *notice_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(notices); i++)
        if (!strcmp(notices[i].name, name))
            return &notices[i];
    return NULL;
}

/* ---- variables ------------------------------------------------------------------------- */

struct variables {
    char names[VARIABLES][24];
    struct rule_field v[VARIABLES];
    struct rule_fields *set; /* own */
    const json_t *values;    /* borrowed; of the rendering */
};

static void variables_init(struct variables *x, const char *list, const json_t *values)
{
    size_t count = 0;
    *x = (struct variables){.values = values};
    while (*list && count < VARIABLES) {
        size_t n = strcspn(list, " ");
        snprintf(x->names[count], sizeof(x->names[0]), "%.*s", (int)n, list);
        x->v[count] = (struct rule_field){.name = x->names[count], .type = RULE_TYPE_TEXT};
        count++;
        list += n + strspn(list + n, " ");
    }
    x->set = rule_fields_new(x->v, count);
}

static void variable_get(void *arg, int field, int item, struct template_value *out)
{
    const struct variables *x = arg;
    const char *s = field < 0 ? NULL : json_get_str(x->values, x->names[field], NULL);
    (void)item;
    out->set = s && *s;
    out->text = (struct str){s ? s : "", s ? strlen(s) : 0};
}

/* ---- templates ------------------------------------------------------------------------- */

struct wording {
    const struct crm *crm;
    const char *language; /* NULL: that of the settings */
    bool shipped;
};

static bool partial_find(void *arg, const char *name, const char **text_out, const char **path_out)
{
    const struct wording *w = arg;
    const json_t *t = crm_template_text(w->crm, name, w->language);
    *text_out = json_get_str(t, "text", NULL);
    *path_out = json_get_str(t, "path", name);
    return *text_out != NULL;
}

static const json_t *notice_file(const struct wording *w, const char *name)
{
    AUTO_FREE char *file = mem_printf(PREFIX "%s", name);
    return w->shipped ? NULL : crm_template_text(w->crm, file, w->language);
}

static struct template *notice_compile(const struct wording *w, const struct notice_row *row,
                                       const struct rule_fields *fields, struct errlist *errors)
{
    const json_t *file = notice_file(w, row->name);
    return template_compile(row->name, json_get_str(file, "text", row->text),
                            json_get_str(file, "path", row->name), fields, partial_find,
                            (void *)w, errors);
}

struct template *crm_notice_of_record(const struct crm *crm, const char *name, bool shipped,
                                      struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    const struct wording words = {crm, NULL, shipped};
    struct template *tpl = notice_compile(&words, notice_find(name), crm_fieldset_rules(crm->fieldset),
                                          &errors);
    if (!tpl)
        err_set(e, ERR_BUG, "notice %s: %s", name, errors.count ? errors.v[0].text : "?");
    return tpl;
}

int crm_notice_whole(const struct template *t, int rc, struct template_result *out, struct err *e)
{
    if (rc < 0 || (out->text && !out->empty))
        return rc;
    err_set(e, ERR_INPUT, "template %s: the %s is empty", template_name(t),
            out->empty ? out->empty : "text");
    template_result_done(out);
    return -1;
}

static int words_render(const struct wording *words, const struct notice_row *row,
                        struct variables *x, struct template_result *out, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    struct template *tpl = notice_compile(words, row, x->set, &errors);
    int rc = tpl ? crm_notice_whole(tpl, template_render(tpl, variable_get, x, out, e), out, e)
                 : err_set(e, ERR_BUG, "notice %s: %s", row->name,
                           errors.count ? errors.v[0].text : "?");
    template_free(&tpl);
    return rc;
}

int crm_notice_words_in(const struct crm *crm, const char *name, const char *language,
                        const json_t *values, struct template_result *out, struct err *e)
{
    const struct wording own = {crm, language, false}, shipped = {crm, language, true};
    const struct notice_row *row = notice_find(name);
    struct variables x;
    LEADD_ASSERT(row && row->variables);
    variables_init(&x, row->variables, values);
    int rc = words_render(&own, row, &x, out, e);
    if (rc < 0 && notice_file(&own, name))
        rc = words_render(&shipped, row, &x, out, e);
    rule_fields_free(&x.set);
    return rc;
}

int crm_notice_words(const struct crm *crm, const char *name, const json_t *values,
                     struct template_result *out, struct err *e)
{
    return crm_notice_words_in(crm, name, NULL, values, out, e);
}

/* One language of a notice is checked as what it is. */
static void file_check(const struct crm *crm, const struct notice_row *row, const json_t *file,
                       struct errlist *errors)
{
    struct variables x;
    const struct wording w = {crm, json_get_str(file, "lang", NULL), false};
    variables_init(&x, row->variables ? row->variables : "", NULL);
    struct template *tpl = template_compile(
        row->name, json_get_str(file, "text", ""), json_get_str(file, "path", row->name),
        row->variables ? x.set : crm_fieldset_rules(crm->fieldset), partial_find, (void *)&w, errors);
    template_free(&tpl);
    rule_fields_free(&x.set);
}

void crm_notices_check(const struct crm *crm, struct errlist *errors)
{
    const char *file, *names[ARRAY_LEN(notices)];
    const json_t *v;
    for (size_t i = 0; i < ARRAY_LEN(notices); i++)
        names[i] = notices[i].name;
    json_object_foreach((json_t *)crm->templates_cfg, file, v) {
        if (!text_starts(file, PREFIX))
            continue;
        const char *name = json_get_str(v, "of", file) + strlen(PREFIX), *near;
        const struct notice_row *row = notice_find(name);
        near = row ? NULL : text_nearest(name, names, ARRAY_LEN(names));
        if (row)
            file_check(crm, row, v, errors);
        else
            errlist_add(errors, json_get_str(v, "path", NULL), "leadd writes no notice \"%s\"%s%s%s",
                        name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}
