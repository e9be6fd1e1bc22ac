/* SPDX-License-Identifier: ISC
 *
 * source_map - see source_map.h
 */
#include "crm/source_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "mail/address.h"
#include "rule/field.h"

#define TITLE_MAX 200

static const struct {
    const char *kind, *activity, *event, *words;
    int rank;
} kinds[] = {
    {"call.started", "call", "call.started", "call", 1},
    {"call.ended", "call", "call.ended", "call", 2},
    {"call.missed", "call", "call.missed", "missed call", 2},
    {"chat.ended", "chat", "chat.ended", "chat", 2},
    {"lead", "form", "form.received", NULL, 1},
    {"order.placed", "order", "order.placed", "placed", 1},
    {"order.paid", "order", "order.paid", "paid", 2},
    {"order.refunded", "order", "order.refunded", "refunded", 3},
    {"order.cancelled", "order", "order.cancelled", "cancelled", 3},
    {"visit", "visit", "visit.seen", "visit", 1},
};

static size_t kind_row(const char *kind)
{
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && strcmp(kinds[i].kind, kind) != 0)
        i++;
    return i;
}

const char *source_activity(const char *kind)
{
    size_t i = kind_row(kind);
    return i < ARRAY_LEN(kinds) ? kinds[i].activity : NULL;
}

const char *source_event(const char *kind)
{
    size_t i = kind_row(kind);
    return i < ARRAY_LEN(kinds) ? kinds[i].event : NULL;
}

int source_rank(const char *kind)
{
    size_t i = kind_row(kind);
    return i < ARRAY_LEN(kinds) ? kinds[i].rank : 0;
}

/* ---- one value ---------------------------------------------------------------------- */

struct mapping {
    const json_t *conf, *event; /* of the source, of the event that it is */
    const struct source_in *in;
    json_t *out;
};

static const char *mapped(const struct mapping *m, const char *key)
{
    const char *value = json_get_str(json_get_obj(m->event, "map"), key, NULL);
    return value ? value : json_get_str(json_get_obj(m->conf, "map"), key, NULL);
}

static char *value_of(const struct mapping *m, const char *key)
{
    const char *value = mapped(m, key);
    return value ? source_text(m->in, value) : NULL;
}

static void defect(const struct mapping *m, const char *key, const char *text)
{
    json_t *all = json_object_get(m->out, "defects");
    AUTO_FREE char *line = mem_printf("%s: \"%.80s\" cannot be read", key, text);
    line[text_utf8_cut(line, strlen(line), 160)] = '\0';
    text_make_line(line);
    if (json_array_size(all) < BOUND_FORM_DEFECTS)
        json_array_append_new(all, json_string(line));
}

static void put_text(const struct mapping *m, json_t *to, const char *name, const char *key)
{
    AUTO_FREE char *text = value_of(m, key);
    json_put_str(to, name, text);
}

/* ---- times and durations --------------------------------------------------------------- */

/* Seconds or milliseconds since 1970, or as RFC 3339 or RFC 5322 have it. */
static int time_parse(const char *s, int64_t *ms_out)
{
    int64_t v;
    size_t digits = strspn(s, "0123456789");
    if (s[digits] && strcmp(s + digits, ".0") != 0 && !(s[digits] == '.' && digits == 10))
        return clock_parse_utc(s, ms_out) == 0 ? 0 : mail_date_parse(s, ms_out);
    AUTO_FREE char *whole = mem_strn(s, digits);
    if (text_parse_int(whole, &v) < 0 || v <= 0)
        return -1;
    *ms_out = digits >= 12 ? v : v * 1000;
    return 0;
}

/* "95", "95.5", "01:35" or "0:01:35". */
static int duration_parse(const char *s, bool ms, int64_t *ms_out)
{
    int64_t total = 0, part = 0;
    bool digit = false;
    for (; *s && *s != '.' && total <= 1000000000; s++) {
        if (*s == ':') {
            total = (total + part) * 60;
            part = 0;
        } else if (*s >= '0' && *s <= '9' && part < 1000000000) {
            part = part * 10 + (*s - '0');
            digit = true;
        } else {
            return -1;
        }
    }
    if (!digit || total > 1000000000)
        return -1;
    *ms_out = (total + part) * (ms ? 1 : 1000);
    return 0;
}

static void put_time(const struct mapping *m)
{
    int64_t ms;
    AUTO_FREE char *text = value_of(m, "at");
    if (text && time_parse(text, &ms) == 0)
        json_put_int(m->out, "at_ms", ms);
    else if (text)
        defect(m, "at", text);
}

static bool setting_is(const struct mapping *m, const char *key, const char *want)
{
    const char *value = json_get_str(json_get_obj(m->event, "map"), key, NULL);
    if (!value)
        value = json_get_str(json_get_obj(m->conf, "map"), key, "");
    return strcmp(value, want) == 0;
}

static void put_duration(const struct mapping *m, json_t *to)
{
    int64_t ms;
    AUTO_FREE char *text = value_of(m, "duration");
    if (text && duration_parse(text, setting_is(m, "duration_in", "ms"), &ms) == 0)
        json_put_int(to, "duration", ms);
    else if (text)
        defect(m, "duration", text);
}

/* ---- money --------------------------------------------------------------------------------- */

/* In minor units ("4990" is 49.90 EUR), or as people write it ("49.90"). */
static int amount_parse(const char *s, bool minor, const char *currency, int64_t *out)
{
    char other[4];
    bool negative = *s == '-';
    s += negative;
    size_t n = strlen(s), whole = strcspn(s, ".");
    AUTO_FREE char *text = mem_str(s);
    if (minor)
        return text_parse_int(s, out);
    /* more decimals than the currency has, all of them zero: "398.000" */
    size_t keep = whole + (size_t)rule_money_digits(currency) + (rule_money_digits(currency) > 0);
    while (n > keep && text[n - 1] == '0')
        text[--n] = '\0';
    if (n > 0 && text[n - 1] == '.')
        text[--n] = '\0';
    if (rule_money_parse(text, currency, out, other) < 0)
        return -1;
    *out = negative ? -*out : *out;
    return 0;
}

static void put_amount(const struct mapping *m, json_t *to, const char *name, const char *key,
                       const char *currency)
{
    int64_t minor;
    AUTO_FREE char *text = value_of(m, key);
    if (text && amount_parse(text, setting_is(m, "amount_in", "minor"), currency, &minor) == 0)
        json_object_set_new(to, name, json_pack("{s:I, s:s}", "amount", (json_int_t)minor,
                                                "currency", currency));
    else if (text)
        defect(m, key, text);
}

static bool is_currency(const char *s)
{
    return strlen(s) == 3 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static void put_order(const struct mapping *m, json_t *o, const char *currency)
{
    AUTO_FREE char *code = value_of(m, "currency");
    for (char *p = code; p && *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
    if (code && !is_currency(code))
        defect(m, "currency", code);
    else if (code)
        currency = code;
    put_amount(m, o, "amount", "amount", currency);
    put_amount(m, o, "refunded", "refunded", currency);
    put_text(m, o, "number", "number");
    put_text(m, o, "status", "status");
}

/* ---- lists: the lines of a chat, the items of an order ------------------------------------------ */

/* One line for each element of the list that `list` names, as `each` says. Own. */
static char *lines_of(const struct mapping *m, const char *list, const char *each, size_t most)
{
    const char *path = mapped(m, list), *form = mapped(m, each);
    const json_t *node = path ? source_node(m->in, path, strlen(path)) : NULL, *e;
    size_t i;
    struct buf b AUTO_BUF;
    buf_init(&b, BOUND_FORM_TEXT);
    json_array_foreach((json_t *)node, i, e) {
        const struct source_in one = {.body = e};
        AUTO_FREE char *text = form ? source_text(&one, form) : NULL;
        if (text && i < most)
            buf_printf(&b, "%s%s", b.len ? "\n" : "", text);
    }
    return b.len ? buf_take(&b) : NULL;
}

/* ---- the record --------------------------------------------------------------------------------- */

static void put_values(const struct mapping *m)
{
    static const struct {
        const char *key, *field;
    } fixed[] = {{"email", "contact.email"},   {"phone", "contact.phone"},
                 {"name", "contact.name"},     {"company", "company.name"},
                 {"subject", "message.subject"}, {"text", "message.text"}};
    json_t *values = json_object(), *row;
    const json_t *const groups[] = {json_get_obj(m->event, "fields"),
                                    json_get_obj(m->conf, "fields")};
    const char *path;
    json_object_set_new(m->out, "values", values);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        put_text(m, values, fixed[i].field, fixed[i].key);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        json_object_foreach((json_t *)groups[i], path, row) {
            const char *to = json_get_str(row, "to", "");
            AUTO_FREE char *text = json_object_get(values, to) ? NULL : source_text(m->in, path);
            json_put_str(values, to, text);
        }
    AUTO_FREE char *lines = lines_of(m, "lines", "line", BOUND_SOURCE_LINES);
    if (lines)
        json_put_str(values, "message.text", lines);
}

static void put_call(const struct mapping *m, json_t *call)
{
    AUTO_FREE char *direction = value_of(m, "direction");
    bool out = direction && (strncasecmp(direction, "out", 3) == 0);
    json_put_str(m->out, "direction", out ? "out" : "in");
    json_put_str(call, "direction", out ? "out" : "in");
    put_duration(m, call);
    put_text(m, call, "status", "status");
    put_text(m, call, "recording", "recording");
    put_text(m, call, "transcript", "transcript");
}

/* What the timeline says of it. */
static void put_title(const struct mapping *m, const char *kind, size_t row)
{
    const json_t *order = json_get_obj(m->out, "order"), *call = json_get_obj(m->out, "call");
    const json_t *visit = json_get_obj(m->out, "visit");
    const json_t *money = json_get_obj(order, strcmp(kind, "order.refunded") == 0 ? "refunded" : "amount");
    const char *recording = json_get_str(call, "recording", NULL);
    int64_t ms = json_get_int(call, "duration", 0);
    char length[32];
    struct buf b AUTO_BUF;
    buf_init(&b, BOUND_FORM_TEXT);
    if (order) {
        const char *number = json_get_str(order, "number", json_get_str(m->out, "id", ""));
        buf_printf(&b, "order %s%s%s", number, *number ? " " : "", kinds[row].words);
        if (money) {
            buf_str(&b, ", ");
            rule_money_print(json_get_int(money, "amount", 0), json_get_str(money, "currency", ""), &b);
        }
    } else if (call) {
        buf_str(&b, kinds[row].words);
        if (strcmp(kind, "call.ended") == 0 && ms > 0)
            buf_printf(&b, ", %s", text_format_duration(ms, length, sizeof(length)));
        if (recording)
            buf_printf(&b, ", %s", recording);
    } else if (visit) {
        buf_printf(&b, "%s", json_get_str(visit, "title", json_get_str(visit, "url", "visit")));
    } else {
        buf_str(&b, json_get_str(json_get_obj(m->out, "values"), "message.subject",
                                 kinds[row].words ? kinds[row].words : ""));
    }
    text_make_line(b.data);
    b.data[text_utf8_cut(b.data, b.len, TITLE_MAX)] = '\0';
    json_put_str(m->out, "title", b.data);
}

static void put_parts(const struct mapping *m, const char *kind, const char *currency)
{
    size_t row = kind_row(kind);
    json_t *part = json_object();
    if (strcmp(kinds[row].activity, "order") == 0) {
        AUTO_FREE char *items = lines_of(m, "items", "item", BOUND_SOURCE_ITEMS);
        put_order(m, part, currency);
        json_put_str(part, "items", items);
        json_object_set(m->out, "order", part);
    } else if (strcmp(kinds[row].activity, "call") == 0) {
        put_call(m, part);
        json_object_set(m->out, "call", part);
    } else if (strcmp(kinds[row].activity, "visit") == 0) {
        put_text(m, part, "url", "url");
        put_text(m, part, "title", "title");
        json_object_set(m->out, "visit", part);
    }
    json_decref(part);
    put_title(m, kind, row);
}

/* ---- which of its events it is ---------------------------------------------------------------------- */

static bool when_holds(const json_t *event, const struct source_in *in)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_get_arr(event, "when"), i, line)
        if (!source_holds(in, json_get_str(line, "text", "")))
            return false;
    return true;
}

json_t *source_map(const json_t *conf, const struct source_in *in, const char *currency)
{
    struct mapping m = {.conf = conf, .in = in, .out = json_object()};
    const char *name, *kind = json_get_str(conf, "kind", NULL);
    const json_t *event;
    json_object_foreach(json_get_obj(conf, "events"), name, event)
        if (!m.event && when_holds(event, in)) {
            m.event = event;
            json_put_str(m.out, "matched", name);
        }
    kind = json_get_str(m.event, "kind", kind);
    json_put_str(m.out, "kind", kind ? kind : "nothing");
    if (!kind || strcmp(kind, "nothing") == 0) {
        json_put_str(m.out, "why", m.event ? "the source is to ignore such events"
                                           : "none of the source's events is like this");
        return m.out;
    }
    json_object_set_new(m.out, "defects", json_array());
    put_text(&m, m.out, "event", "event");
    const char *named = mapped(&m, "event");
    if (named && (strstr(named, "header.") || strstr(named, "query.")))
        json_put_bool(m.out, "event_outside", true);
    put_text(&m, m.out, "id", "id");
    put_time(&m);
    put_values(&m);
    json_put_str(m.out, "direction", "in");
    put_parts(&m, kind, currency);
    return m.out;
}

/* ---- the config ------------------------------------------------------------------------------------- */

static void check_map(const char *source, const json_t *group, const char *at,
                      struct errlist *errors)
{
    const char *key;
    json_t *v;
    json_object_foreach(json_get_obj(group, "map"), key, v) {
        struct err e = {0};
        if (json_is_string(v) && source_value_check(json_string_value(v), &e) < 0)
            errlist_add(errors, at, "sources: %s: map.%s: %s", source, key, e.text);
    }
}

static void check_fields(const struct crm *crm, const char *source, const json_t *group,
                         struct errlist *errors)
{
    const char *path;
    json_t *v;
    json_object_foreach(json_get_obj(group, "fields"), path, v) {
        struct err e = {0};
        const char *to = json_get_str(v, "to", ""), *at = json_get_str(v, "at", NULL);
        const struct crm_field *field = crm_fieldset_find(crm->fieldset, to, &e);
        if (source_value_check(path, &e) < 0 || !field)
            errlist_add(errors, at, "sources: %s: fields: %s", source, e.text);
        else if (!field->settable || field->entity == CRM_TASK)
            errlist_add(errors, at, "sources: %s: fields: %s cannot be set", source, to);
    }
}

static void check_when(const char *source, const json_t *event, struct errlist *errors)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(event, "when"), i, line) {
        struct err e = {0};
        if (source_condition_check(json_get_str(line, "text", ""), &e) < 0)
            errlist_add(errors, json_get_str(line, "at", NULL), "sources: %s: when: %s", source, e.text);
    }
}

void source_map_check(const struct crm *crm, struct errlist *errors)
{
    const char *name, *key;
    json_t *conf, *event;
    json_object_foreach(json_get_obj(crm->config, "sources"), name, conf) {
        const char *at = json_get_str(conf, "at", NULL);
        check_map(name, conf, at, errors);
        check_fields(crm, name, conf, errors);
        json_object_foreach(json_get_obj(conf, "events"), key, event) {
            check_map(name, event, json_get_str(event, "at", at), errors);
            check_fields(crm, name, event, errors);
            check_when(name, event, errors);
        }
        if (!json_get_str(conf, "kind", NULL) && json_object_size(json_get_obj(conf, "events")) == 0)
            errlist_add(errors, at, "sources: %s: set kind, events or preset; else nothing is known of "
                        "what it says", name);
    }
}
