/* SPDX-License-Identifier: ISC
 *
 * explain - see explain.h
 */
#include "tool/explain.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/why.h"
#include "rule/ruleset.h"
#include "store/timer.h"
#include "tool/scene.h"

#define STORY_MAX MIB(2)
#define ROWS_MAX 1000

/* ---- a form's fields -------------------------------------------------------------- */

/* "email=ada@shop.example" in each line. */
static json_t *fields_of_lines(const char *raw, size_t n, struct err *e)
{
    AUTO_FREE char *text = mem_strn(raw, n);
    json_t *out = json_object();
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *name = text_trim(line), *eq = strchr(name, '=');
        if (!*name)
            continue;
        if (!eq || !text_is_utf8(name, strlen(name))) {
            err_set(e, ERR_INPUT, "\"%s\": expected a form as a JSON object, or as lines of "
                    "NAME=VALUE", name);
            json_decref(out);
            return NULL;
        }
        *eq = '\0';
        json_object_set_new(out, text_trim(name), json_string(eq + 1));
    }
    return out;
}

static json_t *fields_of_json(const char *raw, size_t n, struct err *e)
{
    const char *name;
    json_t *v, *out = json_object();
    AUTO_JSON json_t *j = json_load_bounded(raw, n, BOUND_HTTP_BODY, e);
    if (!json_is_object(j)) {
        if (j)
            err_set(e, ERR_INPUT, "the form is no JSON object");
        json_decref(out);
        return NULL;
    }
    json_object_foreach(j, name, v) {
        AUTO_FREE char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);
        json_object_set_new(out, name, json_string(text ? text : json_string_value(v)));
    }
    return out;
}

static json_t *fields_read(const char *raw, size_t n, struct err *e)
{
    size_t skip = strspn(raw, " \t\r\n");
    return raw[skip] == '{' ? fields_of_json(raw, n, e) : fields_of_lines(raw, n, e);
}

/* ---- what came of it ---------------------------------------------------------------- */

static json_t *columns(const char *spec)
{
    json_t *list = json_array();
    for (const char *p = spec; *p;) {
        size_t name = strcspn(p, " "), all = strcspn(p, "|");
        json_array_append_new(list, json_pack("{s:s%, s:s%}", "name", p, name, "title", p + name + 1,
                                              all - name - 1));
        p += all + (p[all] == '|');
    }
    return list;
}

static void section_add(json_t *sections, const char *title, const char *spec, json_t *rows)
{
    json_array_append_new(sections, json_pack("{s:s, s:o, s:o}", "title", title, "columns",
                                              columns(spec), "rows", rows));
}

static int add_mails(const struct scene *s, json_t *sections, struct err *e)
{
    size_t i;
    json_t *row, *mails = scene_mails(s, e);
    if (!mails)
        return -1;
    json_array_foreach(mails, i, row) {
        const char *state = json_get_str(row, "state", ""), *reply = json_get_str(row, "reply", NULL);
        bool leaves = strcmp(state, "held") != 0 && strcmp(state, "failed") != 0;
        json_put_str(row, "what", leaves ? "leaves" : state);
        if (leaves || !reply)
            json_put_str(row, "reply", "");
    }
    section_add(sections, "Mails", "template TEMPLATE|to TO|subject SUBJECT|what WHAT|reply WHY",
                mails);
    return 0;
}

static int add_calls(const struct scene *s, json_t *sections, struct err *e)
{
    json_t *calls = scene_calls(s, e);
    if (!calls)
        return -1;
    if (json_array_size(calls))
        section_add(sections, "Calls", "kind KIND|endpoint ENDPOINT|name NAME|rule RULE|record RECORD",
                    calls);
    else
        json_decref(calls);
    return 0;
}

static int add_timers(const struct scene *s, json_t *sections, struct err *e)
{
    char stamp[32], id[CRM_ID_LEN];
    size_t i;
    json_t *t, *timers = timer_list(solo_db(s->solo), NULL, ROWS_MAX, e);
    const struct ruleset *rules = crm_rules(solo_crm(s->solo));
    if (!timers)
        return -1;
    for (i = json_array_size(timers); i-- > 0;) /* a rule with `every` waits whatever comes */
        if (json_get_int(json_array_get(timers, i), "record_id", 0) == 0)
            json_array_remove(timers, i);
    json_array_foreach(timers, i, t) {
        int64_t due = json_get_int(t, "due_ms", 0), record = json_get_int(t, "record_id", 0);
        const struct rule *rule = ruleset_find(rules, json_get_str(t, "rule", ""));
        enum crm_entity entity = crm_entity_parse(json_get_str(t, "entity", ""));
        json_put_str(t, "due", due ? clock_format_utc(due, stamp, sizeof(stamp)) : "paused");
        json_put_str(t, "record", entity && record ? crm_id_format(entity, record, id) : "");
        json_put_str(t, "at", rule ? rule->at : "");
    }
    section_add(sections, "Timers", "due DUE|rule RULE|record RECORD|at WHERE", timers);
    return 0;
}

static int add_records(const struct scene *s, json_t *sections, struct err *e)
{
    static const enum crm_entity all[] = {CRM_LEAD, CRM_CASE, CRM_DEAL, CRM_CONTACT, CRM_COMPANY,
                                          CRM_TASK};
    static const char *const titles[] = {"Leads", "Cases", "Deals", "Contacts", "Companies", "Tasks"};
    AUTO_JSON json_t *none = json_array();
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        json_t *list = NULL;
        if (crm_list(solo_crm(s->solo), all[i], none, ROWS_MAX, &list, e) < 0)
            return -1;
        if (json_array_size(json_get_arr(list, "rows"))) {
            json_put_str(list, "title", titles[i]);
            json_array_append(sections, list);
        }
        json_decref(list);
    }
    return 0;
}

static json_t *explain_tell(const struct scene *s, struct err *e)
{
    struct buf out AUTO_BUF;
    AUTO_JSON json_t *sections = json_array();
    AUTO_JSON json_t *rows = scene_journal(s, e);
    const struct solo_answer *a = &s->answer;
    buf_init(&out, STORY_MAX);
    buf_printf(&out, "%s%s%s\n\n", a->status, *a->text ? ": " : "", a->text);
    if (!rows || why_tell(solo_engine(s->solo), rows, NULL, &out, e) < 0 || add_mails(s, sections, e) < 0 ||
        add_calls(s, sections, e) < 0 || add_timers(s, sections, e) < 0 || add_records(s, sections, e) < 0)
        return NULL;
    json_t *data = json_pack("{s:O, s:{s:s, s:s}, s:O}", "sections", sections, "answer", "status",
                             a->status, "text", a->text, "passes", rows);
    json_object_set_new(data, "text", json_stringn(out.data, out.len));
    return data;
}

/* ---- playing it ------------------------------------------------------------------------ */

static const char *first_mailbox(const json_t *tree)
{
    void *it = json_object_iter(json_get_obj(tree, "mailboxes"));
    return it ? json_object_iter_key(it) : NULL;
}

static int explain_play(struct scene *s, const json_t *tree, const struct explain_options *o,
                        struct err *e)
{
    if (!o->form)
        return solo_mail(s->solo, o->raw, o->raw_len, o->mailbox ? o->mailbox : first_mailbox(tree),
                         &s->answer, e);
    AUTO_JSON json_t *fields = fields_read(o->raw, o->raw_len, e);
    return fields ? solo_form(s->solo, o->form, fields, &s->answer, e) : -1;
}

static json_t *explain_in(struct solo *solo, const json_t *tree, const struct explain_options *o,
                          struct err *e)
{
    struct scene s;
    const char *zone = json_get_str(json_get_obj(tree, "settings"), "time_zone", "UTC");
    int64_t at = clock_now_ms();
    if ((o->at && scene_time(zone, o->at, &at, e) < 0) ||
        scene_begin(&s, solo, tree, at, e) < 0)
        return NULL;
    solo_deadline(solo, clock_mono_ms() + BOUND_TEST_MS);
    return explain_play(&s, tree, o, e) < 0 ? NULL : explain_tell(&s, e);
}

json_t *explain_run(const json_t *tree, const struct explain_options *o, struct errlist *errors)
{
    struct err e = {0};
    struct solo *solo = solo_new(tree, NULL, &e);
    json_t *data = solo ? explain_in(solo, tree, o, &e) : NULL;
    if (!data)
        errlist_add(errors, NULL, "%s", e.text);
    solo_free(&solo);
    return data;
}
