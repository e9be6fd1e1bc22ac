/* SPDX-License-Identifier: ISC
 *
 * scene - see scene.h
 */
#include "tool/scene.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "store/call.h"
#include "store/journal.h"
#include "store/outbox.h"

#define ROWS_MAX 100000 /* of one list */

const char *scene_zone(const struct scene *s)
{
    return json_get_str(json_get_obj(s->config, "settings"), "time_zone", "UTC");
}

int scene_time(const char *zone, const char *text, int64_t *ms_out, struct err *e)
{
    if (strlen(text) > 10 && clock_parse_utc(text, ms_out) == 0)
        return 0;
    bool dated = strlen(text) >= 10 && text[4] == '-'; /* not "today": a test is the same every day */
    int n = dated ? crm_when_parse(text, zone, 0, ms_out, e) : 0;
    if (n > 0 && text[n] == '\0')
        return 0;
    return n < 0 ? -1 : err_set(e, ERR_INPUT, "\"%s\" is no date and time such as "
                                "\"2026-11-20 10:00\" or \"2026-11-20T10:00:00+01:00\"", text);
}

/* ---- what has happened --------------------------------------------------------- */

json_t *scene_journal(const struct scene *s, struct err *e)
{
    return journal_since(solo_db(s->solo), s->journal, ROWS_MAX, e);
}

static bool is_reminder(const json_t *row)
{
    return text_starts(json_get_str(row, "intent", ""), "remind");
}

/* What the rules are answerable for: no notice about leadd, no conversation of people, and not
 * what reminds of a task. */
static bool is_of_rules(const json_t *row)
{
    const char *c = json_get_str(row, "class", ""), *intent = json_get_str(row, "intent", "");
    return !text_starts(intent, "admin/") && !text_starts(intent, "duplicate/") &&
           !is_reminder(row) && strcmp(c, "conversation") != 0 && strcmp(c, "relay") != 0;
}

static bool is_any(const json_t *row)
{
    (void)row;
    return true;
}

static json_t *scene_outbox(const struct scene *s, bool (*is)(const json_t *row), struct err *e)
{
    AUTO_JSON json_t *rows = outbox_list(solo_db(s->solo), NULL, 0, ROWS_MAX, e);
    if (!rows)
        return NULL;
    json_t *out = json_array();
    for (size_t i = json_array_size(rows); i-- > 0;) {
        json_t *row = json_array_get(rows, i);
        if (json_get_int(row, "id", 0) <= s->outbox || !is(row))
            continue;
        if (strcmp(json_get_str(row, "class", ""), "confirm") == 0)
            json_put_str(row, "template", SCENE_CONFIRM);
        json_array_append(out, row);
    }
    return out;
}

json_t *scene_mails(const struct scene *s, struct err *e)
{
    return scene_outbox(s, is_of_rules, e);
}

json_t *scene_reminders(const struct scene *s, struct err *e)
{
    return scene_outbox(s, is_reminder, e);
}

json_t *scene_calls(const struct scene *s, struct err *e)
{
    AUTO_JSON json_t *rows = call_list(solo_db(s->solo), NULL, NULL, 0, ROWS_MAX, e);
    if (!rows)
        return NULL;
    json_t *out = json_array();
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (json_get_int(json_array_get(rows, i), "id", 0) > s->calls)
            json_array_append(out, json_array_get(rows, i));
    return out;
}

int scene_mark(struct scene *s, struct err *e)
{
    AUTO_JSON json_t *mails = scene_outbox(s, is_any, e);
    AUTO_JSON json_t *calls = scene_calls(s, e);
    if (!mails || !calls)
        return -1;
    if (json_array_size(calls))
        s->calls = json_get_int(json_array_get(calls, json_array_size(calls) - 1), "id", 0);
    if (json_array_size(mails))
        s->outbox = json_get_int(json_array_get(mails, json_array_size(mails) - 1), "id", 0);
    return journal_newest(solo_db(s->solo), &s->journal, e);
}

/* The record of the first journal row of a step: what came in, not what followed. */
static int scene_look(struct scene *s, int64_t after, struct err *e)
{
    static const struct {
        const char *key;
        enum crm_entity entity;
    } all[] = {{"lead_id", CRM_LEAD}, {"case_id", CRM_CASE}, {"contact_id", CRM_CONTACT}};
    AUTO_JSON json_t *rows = journal_since(solo_db(s->solo), after, 1, e);
    if (!rows)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        int64_t id = json_get_int(json_array_get(rows, 0), all[i].key, 0);
        if (id) {
            crm_id_format(all[i].entity, id, s->record);
            break;
        }
    }
    return 0;
}

/* ---- records --------------------------------------------------------------------- */

static int contact_newest(const struct scene *s, enum crm_entity t, const char *address,
                          int64_t *id_out, struct err *e)
{
    json_t *list;
    AUTO_FREE char *filter = mem_printf("email=%s", address);
    AUTO_JSON json_t *filters = json_pack("[s]", filter);
    if (crm_list(solo_crm(s->solo), t, filters, 1, &list, e) < 0)
        return -1;
    enum crm_entity found;
    const char *id = json_get_str(json_array_get(json_get_arr(list, "rows"), 0), "id", "");
    if (crm_id_parse(id, &found, id_out) < 0)
        *id_out = 0;
    json_decref(list);
    return 0;
}

int scene_find(const struct scene *s, const char *about, char out[CRM_ID_LEN], struct err *e)
{
    static const enum crm_entity order[] = {CRM_LEAD, CRM_CASE, CRM_CONTACT};
    enum crm_entity t;
    int64_t id = 0;
    if (crm_id_parse(about, &t, &id) == 0) {
        crm_id_format(t, id, out);
        return 0;
    }
    if (!strchr(about, '@'))
        return err_set(e, ERR_INPUT, "\"%s\" is no record such as L1 and no address", about);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (contact_newest(s, order[i], about, &id, e) < 0)
            return -1;
        if (id) {
            crm_id_format(order[i], id, out);
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "there is no lead, case or contact of %s", about);
}

/* ---- steps ------------------------------------------------------------------------- */

static const char *step_text(const json_t *step, const char *key)
{
    return json_get_str(json_get_obj(step, key), "text", NULL);
}

/* Where mail comes in when a test does not say. */
static const char *first_mailbox(const struct scene *s)
{
    void *it = json_object_iter(json_get_obj(s->config, "mailboxes"));
    return it ? json_object_iter_key(it) : NULL;
}

static int step_mail(struct scene *s, const json_t *step, struct err *e)
{
    const char *file = step_text(step, "mail_file"), *box = step_text(step, "mailbox");
    struct buf raw AUTO_BUF;
    buf_init(&raw, BOUND_FRAME_RAW);
    if ((file ? buf_read_file(&raw, file, e) : scene_mail(s, json_get_obj(step, "mail"), &raw, e)) < 0)
        return -1;
    return solo_mail(s->solo, raw.data, raw.len, box ? box : first_mailbox(s), &s->answer, e);
}

/* The gateway by which texts come in when a test does not say. */
static const char *first_gateway(const struct scene *s)
{
    void *it = json_object_iter(json_get_obj(s->config, "gateways"));
    return it ? json_object_iter_key(it) : NULL;
}

static int step_sms(struct scene *s, const json_t *step, struct err *e)
{
    const char *gateway = step_text(step, "gateway");
    if (!gateway && !(gateway = first_gateway(s)))
        return err_set(e, ERR_INPUT, "there are no gateways in leadd.conf");
    return solo_sms(s->solo, gateway, step_text(step, "from"), json_get_str(step, "sms", ""), &s->answer,
                    e);
}

static int step_command(struct scene *s, const json_t *step, struct err *e)
{
    char record[CRM_ID_LEN];
    const char *on = step_text(step, "on"), *line = step_text(step, "command");
    struct err why = {0};
    snprintf(record, sizeof(record), "%s", s->record);
    if (on && scene_find(s, on, record, e) < 0)
        return -1;
    if (!*record)
        return err_set(e, ERR_INPUT, "there is no record yet for \"%s\"", line);
    if (solo_command(s->solo, record, line, step_text(step, "by"), &s->answer, &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT) {
        *e = why;
        return -1;
    }
    s->answer = (struct solo_answer){.status = "refused"};
    snprintf(s->answer.text, sizeof(s->answer.text), "%.*s", (int)sizeof(s->answer.text) - 1,
             why.text);
    return 0;
}

/* "80" -> 80, "true" -> true, all else a text. */
static json_t *answer_value(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    if (v && (json_is_number(v) || json_is_boolean(v)))
        return v;
    json_decref(v);
    return json_string(text);
}

static int step_answered(struct scene *s, const json_t *step, struct err *e)
{
    const char *name, *text = json_get_str(step, "answer", NULL);
    json_t *v;
    AUTO_JSON json_t *fields = json_object();
    json_object_foreach(json_get_obj(step, "fields"), name, v)
        json_object_set_new(fields, name, answer_value(json_string_value(v)));
    AUTO_FREE char *json = text ? mem_str(text) : json_line(fields);
    return solo_answered(s->solo, step_text(step, "answered"), json_get_int(step, "code", 200), json,
                         e);
}

static int step_time(struct scene *s, const json_t *step, struct err *e)
{
    int64_t to = solo_now(s->solo) + json_get_int(step, "advance", 0);
    const char *until = step_text(step, "until");
    if (until && scene_time(scene_zone(s), until, &to, e) < 0)
        return -1;
    if (to < solo_now(s->solo))
        return err_set(e, ERR_INPUT, "until = \"%s\": it is later than that already", until);
    return solo_advance(s->solo, to, e);
}

int scene_step(struct scene *s, const json_t *step, struct err *e)
{
    const char *form = step_text(step, "form");
    int64_t before = 0;
    if (json_object_get(step, "advance") || json_object_get(step, "until"))
        return step_time(s, step, e); /* the record stays the one it was about */
    if (json_object_get(step, "answered"))
        return step_answered(s, step, e);
    if (journal_newest(solo_db(s->solo), &before, e) < 0)
        return -1;
    int rc;
    AUTO_JSON json_t *none = json_object();
    const json_t *fields = json_get_obj(step, "fields");
    if (form)
        rc = solo_form(s->solo, form, fields ? fields : none, &s->answer, e);
    else if (json_object_get(step, "sms"))
        rc = step_sms(s, step, e);
    else if (json_object_get(step, "command"))
        rc = step_command(s, step, e);
    else
        rc = step_mail(s, step, e);
    return rc < 0 ? -1 : scene_look(s, before, e);
}

int scene_begin(struct scene *s, struct solo *solo, const json_t *config, int64_t at_ms,
                struct err *e)
{
    *s = (struct scene){.solo = solo, .config = config};
    return solo_begin(solo, at_ms, e);
}
