/* SPDX-License-Identifier: ISC
 *
 * simulate_tell - the calendar of a simulation, see simulate.h
 *
 * What came in and what rules did is read from the journal, what left from the outbox;
 * both are put into the order of time, and into days of the config's zone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/crm.h"
#include "crm/when.h"
#include "engine/solo.h"
#include "store/contact.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/outbox.h"
#include "store/record.h"
#include "tool/simulate.h"

#define JOURNAL_PAGE 1000

struct tell {
    struct solo *solo;
    const struct simulate_options *o;
    json_t *list;    /* own; entries with "at_ms" and "order" */
    json_t *places;  /* own; rule, escalation, sequence -> file:line */
    json_t *who;     /* own; "7" -> address of that contact */
    json_t *totals;  /* borrowed */
};

/* ---- names --------------------------------------------------------------------------------------- */

static void places_fill(struct tell *t)
{
    static const char *const maps[] = {"escalations", "sequences", "enrichments"};
    const char *name;
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(t->o->config, "rules"), i, v)
        json_put_str(t->places, json_get_str(v, "name", ""), json_get_str(v, "at", ""));
    for (size_t k = 0; k < ARRAY_LEN(maps); k++)
        json_object_foreach(json_get_obj(t->o->config, maps[k]), name, v)
            json_put_str(t->places, name, json_get_str(v, "at", ""));
}

/* The contact's first address, or ""; borrowed. NULL with e. */
static const char *who_is(struct tell *t, int64_t contact, struct err *e)
{
    char key[24];
    json_t *list = NULL;
    snprintf(key, sizeof(key), "%" PRId64, contact);
    const char *known = contact ? json_get_str(t->who, key, NULL) : "";
    if (known)
        return known;
    if (address_list(solo_db(t->solo), contact, &list, e) < 0)
        return NULL;
    json_put_str(t->who, key, json_get_str(json_array_get(list, 0), "value", ""));
    json_decref(list);
    return json_get_str(t->who, key, "");
}

static void total(struct tell *t, const char *what)
{
    json_put_int(t->totals, what, json_get_int(t->totals, what, 0) + 1);
}

/* ---- entries --------------------------------------------------------------------------------------- */

static bool concerns(const struct tell *t, const char *who, const char *to)
{
    return !t->o->who || strcmp(t->o->who, who) == 0 || (to && strcmp(t->o->who, to) == 0);
}

/* NULL: nobody asked for it. Borrowed. */
static json_t *entry_add(struct tell *t, int64_t at_ms, const char *kind, const char *who,
                         const char *to, const char *text)
{
    char stamp[32];
    if (!concerns(t, who, to))
        return NULL;
    crm_when_print(simulate_zone(t->o->config), at_ms, stamp, sizeof(stamp));
    json_t *entry = json_pack("{s:I, s:i, s:s, s:s, s:s}", "at_ms", (json_int_t)at_ms, "order",
                              (int)json_array_size(t->list), "when", stamp, "kind", kind, "text", text);
    if (*who)
        json_put_str(entry, "who", who);
    json_array_append_new(t->list, entry);
    total(t, kind);
    return entry;
}

static void entry_rule(const struct tell *t, json_t *entry, const char *rule)
{
    if (!*rule)
        return;
    AUTO_FREE char *sequence = mem_strn(rule, strcspn(rule, "/")); /* of a step: "nurture/3" */
    json_put_str(entry, "rule", rule);
    json_put_str(entry, "at", json_get_str(t->places, rule, json_get_str(t->places, sequence, NULL)));
}

/* "to tom" where a command gave the record an owner. */
static const char *command_owner(const json_t *command)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_get_arr(command, "changes"), i, c)
        if (strcmp(json_get_str(c, "f", ""), "owner") == 0)
            return json_get_str(c, "new", NULL);
    return NULL;
}

/* "task 'call Ada' (T1 for tom, due 2026-11-21 10:00)": with the words as they came out. own */
static char *command_task(struct tell *t, const json_t *command, struct err *e)
{
    enum crm_entity what;
    int64_t id;
    json_t *rec = NULL;
    const json_t *made = json_array_get(json_get_arr(command, "changes"), 0);
    const char *result = json_get_str(command, "result", ""), *line = json_get_str(command, "line", "");
    if (crm_id_parse(json_get_str(made, "of", ""), &what, &id) < 0 || what != CRM_TASK)
        return mem_str(line);
    if (record_get(solo_db(t->solo), &task_table, id, &rec, e) < 0)
        return NULL;
    char *text = mem_printf("task '%s' (%s)", json_get_str(rec, "title", ""), result);
    json_decref(rec);
    return text;
}

/* What one command of the journal did; NULL when the outbox tells it, or with e. own */
static char *command_text(struct tell *t, const json_t *c, struct err *e)
{
    const char *line = json_get_str(c, "line", ""), *owner = command_owner(c),
               *error = json_get_str(c, "error", NULL);
    bool sends = text_starts(line, "send ") || text_starts(line, "notify "),
         system = strcmp(json_get_str(c, "by", ""), "system") == 0;
    if (error)
        return mem_printf("%s: refused, %s", line, error);
    if (sends || (!owner && system))
        return NULL;
    return owner                        ? mem_printf("assigned to %s", owner)
           : text_starts(line, "task ") ? command_task(t, c, e)
           : strstr(line, "{{")         ? mem_printf("%.*s: %s", (int)strcspn(line, " "), line,
                                                     json_get_str(c, "result", ""))
                                        : mem_str(line);
}

static void did_commands(struct tell *t, const json_t *body, json_t *did, struct err *e)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_get_arr(body, "commands"), i, c) {
        const char *by = json_get_str(c, "by", "");
        AUTO_FREE char *text = command_text(t, c, e);
        if (!text)
            continue;
        json_t *one = json_pack("{s:s}", "text", text);
        if (json_object_get(c, "error"))
            json_put_bool(one, "refused", true);
        if (strcmp(by, "rule") == 0)
            entry_rule(t, one, json_get_str(c, "actor", ""));
        else if (strcmp(by, "system") != 0)
            json_put_str(one, "by", json_get_str(c, "actor", NULL));
        json_array_append_new(did, one);
    }
}

/* Steps of sequences that were passed over, and the condition for it. */
static void did_decisions(const struct tell *t, const json_t *body, json_t *did)
{
    size_t i;
    json_t *d;
    json_array_foreach(json_get_arr(body, "decisions"), i, d) {
        const char *rule = json_get_str(d, "rule", ""),
                   *part = json_get_str(json_get_obj(d, "trace"), "part", NULL);
        if (!strchr(rule, '/') || !part || strcmp(json_get_str(d, "outcome", ""), "not_true") != 0)
            continue;
        AUTO_FREE char *text = mem_printf("passed over: %s is false", part);
        json_t *one = json_pack("{s:s}", "text", text);
        entry_rule(t, one, rule);
        json_array_append_new(did, one);
    }
}

/* What rules and the system did, one line each; what the outbox tells is left to it.
 * own; NULL with e. */
static json_t *row_did(struct tell *t, const json_t *body, struct err *e)
{
    size_t i;
    json_t *v, *did = json_array();
    struct err why = {0};
    did_commands(t, body, did, &why);
    did_decisions(t, body, did);
    json_array_foreach(json_get_arr(body, "notes"), i, v)
        if (text_starts(json_string_value(v), "sequence "))
            json_array_append_new(did, json_pack("{s:O}", "text", v));
    json_array_foreach(json_get_arr(body, "events"), i, v)
        if (strcmp(json_get_str(v, "event", ""), "task.overdue") == 0) {
            AUTO_FREE char *text = mem_printf("%s is overdue", json_get_str(v, "entity", "a task"));
            json_array_append_new(did, json_pack("{s:s}", "text", text));
        }
    if (why.cls == ERR_NONE)
        return did;
    json_decref(did);
    *e = why;
    return NULL;
}

/* "L3": what the row's events made, else what it is about. */
static void row_record(const json_t *row, const json_t *body, bool *made_out, char out[CRM_ID_LEN])
{
    size_t i;
    json_t *ev;
    *made_out = false;
    *out = '\0';
    json_array_foreach(json_get_arr(body, "events"), i, ev) {
        const char *name = json_get_str(ev, "event", "");
        if (strcmp(name, "lead.created") != 0 && strcmp(name, "case.created") != 0)
            continue;
        snprintf(out, CRM_ID_LEN, "%s", json_get_str(ev, "entity", ""));
        *made_out = true;
        return;
    }
    if (json_get_int(row, "case_id", 0))
        crm_id_format(CRM_CASE, json_get_int(row, "case_id", 0), out);
    else if (json_get_int(row, "lead_id", 0))
        crm_id_format(CRM_LEAD, json_get_int(row, "lead_id", 0), out);
    else if (json_get_int(row, "contact_id", 0))
        crm_id_format(CRM_CONTACT, json_get_int(row, "contact_id", 0), out);
}

/* Of "mail M12 from ..", "form contact M12": the message. */
static int64_t cause_message(const char *cause)
{
    const char *m = strstr(cause, " M");
    return m ? strtoll(m + 2, NULL, 10) : 0;
}

/* What came in, in words. own; NULL with e. */
static char *arrival_text(struct tell *t, const char *cause, const char *record, bool made, struct err *e)
{
    bool form = text_starts(cause, "form ");
    AUTO_JSON json_t *m = message_json(solo_db(t->solo), cause_message(cause), e);
    if (!m)
        return NULL;
    const char *from = json_get_str(json_get_obj(m, "from"), "address", NULL),
               *subject = json_get_str(m, "subject", ""), *kind = json_get_str(m, "kind", "person");
    AUTO_FREE char *what = form ? mem_printf("form %.*s", (int)strcspn(cause + 5, " "), cause + 5)
                                : mem_printf("%s from %s", strcmp(kind, "person") == 0 ? "mail" : kind,
                                             from ? from : "nobody");
    return mem_printf("%s%s%s%s%s%s", what, *subject ? " \"" : "", subject, *subject ? "\"" : "",
                      !*record ? "" : made ? " became " : " belongs to ", record);
}

static int row_tell(struct tell *t, const json_t *row, struct err *e)
{
    const char *cause = json_get_str(row, "cause", ""), *who;
    const json_t *body = json_get_obj(row, "body");
    bool in = (text_starts(cause, "mail M") || text_starts(cause, "form ")) && cause_message(cause), made;
    char record[CRM_ID_LEN];
    size_t i;
    json_t *one;
    if (!(who = who_is(t, json_get_int(row, "contact_id", 0), e)))
        return -1;
    row_record(row, body, &made, record);
    AUTO_JSON json_t *did = row_did(t, body, e);
    if (!did)
        return -1;
    if (!in && json_array_size(did) == 0)
        return 0; /* what it sent is told by the outbox */
    AUTO_FREE char *text = in ? arrival_text(t, cause, record, made, e) : mem_str(cause);
    if (!text)
        return -1;
    json_t *entry = entry_add(t, json_get_int(row, "at_ms", 0),
                              in ? (text_starts(cause, "form ") ? "form" : "mail") : "later", who, NULL, text);
    if (!entry)
        return 0;
    json_put_str(entry, "record", *record ? record : NULL);
    if (json_array_size(did))
        json_object_set(entry, "did", did);
    json_array_foreach(did, i, one)
        if (json_get_bool(one, "refused", false))
            total(t, "refused commands");
    if (made)
        total(t, *record == 'K' ? "cases" : "leads");
    return 0;
}

static int journal_tell(struct tell *t, struct err *e)
{
    size_t i, n;
    json_t *row;
    int64_t last = 0;
    do {
        AUTO_JSON json_t *rows = journal_since(solo_db(t->solo), last, JOURNAL_PAGE, e);
        if (!rows)
            return -1;
        n = json_array_size(rows);
        json_array_foreach(rows, i, row) {
            last = json_get_int(row, "id", 0);
            if (row_tell(t, row, e) < 0)
                return -1;
        }
    } while (n == JOURNAL_PAGE);
    return 0;
}

/* ---- what left ------------------------------------------------------------------------------------ */

/* The rule of "M12/welcome/TEMPLATE/TO": the name behind the first part that is a place. */
static void mail_rule(const struct tell *t, json_t *entry, const char *intent)
{
    AUTO_FREE char *copy = mem_str(intent);
    for (char *next = copy, *part; (part = strsep(&next, "/"));)
        if (json_object_get(t->places, part)) {
            entry_rule(t, entry, part);
            return;
        }
}

static int mail_tell(struct tell *t, const json_t *row, struct err *e)
{
    const char *state = json_get_str(row, "state", ""), *to = json_get_str(row, "to", ""),
               *template = json_get_str(row, "template", NULL), *why = json_get_str(row, "reply", "");
    bool sms = strcmp(json_get_str(row, "channel", ""), "sms") == 0,
         sent = strcmp(state, "sent") == 0, waits = strcmp(state, "ready") == 0 || strcmp(state, "deferred") == 0;
    const char *who = who_is(t, json_get_int(row, "contact_id", 0), e);
    int64_t at = sent ? json_get_int(row, "done_ms", 0) : json_get_int(row, "created_ms", 0);
    char record[CRM_ID_LEN] = "", due[32];
    if (!who)
        return -1;
    if (json_get_int(row, "lead_id", 0))
        crm_id_format(CRM_LEAD, json_get_int(row, "lead_id", 0), record);
    else if (json_get_int(row, "case_id", 0))
        crm_id_format(CRM_CASE, json_get_int(row, "case_id", 0), record);
    crm_when_print(simulate_zone(t->o->config), json_get_int(row, "next_ms", 0), due, sizeof(due));
    AUTO_FREE char *end = sent || (!waits && !*why) ? mem_str(sent ? "" : state)
                          : waits ? mem_printf("waits until %s", due)
                                  : mem_printf("%s: %s", state, why);
    AUTO_FREE char *text =
        mem_printf("%s%s to %s \"%s\"%s%s", sms ? "SMS " : "",
                   template ? template : json_get_str(row, "class", "mail"), to,
                   json_get_str(row, "subject", ""), *end ? ", " : "", end);
    json_t *entry = entry_add(t, at, sent ? (sms ? "sms sent" : "sent") : waits ? "waiting" : state, who, to,
                              text);
    if (!entry)
        return 0;
    json_put_str(entry, "to", to);
    json_put_str(entry, "template", template);
    json_put_str(entry, "record", *record ? record : NULL);
    mail_rule(t, entry, json_get_str(row, "intent", ""));
    return 0;
}

static int outbox_tell(struct tell *t, struct err *e)
{
    AUTO_JSON json_t *rows = outbox_list(solo_db(t->solo), NULL, 0, BOUND_SIMULATE_ROWS, e);
    if (!rows)
        return -1;
    for (size_t i = json_array_size(rows); i-- > 0;) /* oldest first */
        if (mail_tell(t, json_array_get(rows, i), e) < 0)
            return -1;
    return 0;
}

/* ---- days ------------------------------------------------------------------------------------------ */

static int entry_compare(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int64_t dt = json_get_int(x, "at_ms", 0) - json_get_int(y, "at_ms", 0);
    if (dt == 0)
        dt = json_get_int(x, "order", 0) - json_get_int(y, "order", 0);
    return dt < 0 ? -1 : dt > 0;
}

/* Takes "when" apart: the day is told once. */
static json_t *days_of(const json_t *list)
{
    size_t n = json_array_size(list);
    AUTO_FREE json_t **sorted = mem_array(n + 1, sizeof(*sorted));
    json_t *days = json_array(), *entries = NULL;
    char day[11] = "";
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_array_get(list, i);
    qsort(sorted, n, sizeof(*sorted), entry_compare);
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *when = mem_str(json_get_str(sorted[i], "when", "0000-00-00 00:00"));
        if (strncmp(day, when, 10) != 0) {
            snprintf(day, sizeof(day), "%.10s", when);
            entries = json_array();
            json_array_append_new(days, json_pack("{s:s, s:o}", "day", day, "entries", entries));
        }
        json_object_del(sorted[i], "when");
        json_object_del(sorted[i], "order");
        json_put_str(sorted[i], "time", when + 11);
        json_array_append(entries, sorted[i]);
    }
    return days;
}

int simulate_tell(struct solo *s, const struct simulate_options *o, json_t *result, struct err *e)
{
    AUTO_JSON json_t *list = json_array();
    AUTO_JSON json_t *places = json_object();
    AUTO_JSON json_t *who = json_object();
    AUTO_JSON json_t *totals = json_object();
    struct tell t = {s, o, list, places, who, totals};
    places_fill(&t);
    if (journal_tell(&t, e) < 0 || outbox_tell(&t, e) < 0)
        return -1;
    json_object_set_new(result, "days", days_of(list));
    json_object_set(result, "totals", totals);
    return 0;
}
