/* SPDX-License-Identifier: ISC
 *
 * calendar - see calendar.h
 */
#include "mail/calendar.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"
#include "mail/word.h"

#define LINE_MAX_BYTES KIB(8)
#define ATTENDEES 50
#define TEXT_MAX 1000

struct cal_stamp {
    struct cal_time t;
    char zone[128]; /* TZID; "UTC" for Z; "" when it has none */
    bool date, set;
};

struct cal {
    json_t *out; /* own */
    struct cal_zone zones[CAL_ZONES];
    size_t zone_count;
    struct cal_zone *zone; /* inside a VTIMEZONE; borrowed */
    struct cal_rule *rule; /* inside one of its parts; borrowed */
    struct cal_stamp start, end;
    int64_t duration_ms;    /* 0: none */
    char default_zone[128]; /* X-WR-TIMEZONE */
    char method[24];
    bool event, done, all_day; /* inside the event; it was read */
    unsigned inner;            /* components inside the event that are open */
};

/* One content line: NAME;PARAM=VALUE:VALUE, cut in place. */
struct cal_line {
    char *name, *params, *value;
};

static bool line_cut(char *s, struct cal_line *l)
{
    bool quoted = false;
    l->name = s;
    l->params = NULL;
    for (; *s; s++) {
        if (*s == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (*s == ';' && !l->params) {
            *s = '\0';
            l->params = s + 1;
        } else if (*s == ':') {
            *s = '\0';
            l->value = s + 1;
            return true;
        }
    }
    return false;
}

/* The parameter without quotes; own, or NULL. */
static char *param_of(const struct cal_line *l, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = l->params; p && *p;) {
        bool here = strncasecmp(p, name, n) == 0 && p[n] == '=', quoted = false;
        const char *v = here ? p + n + 1 : p, *e = v;
        for (; *e && (quoted || *e != ';'); e++)
            if (*e == '"')
                quoted = !quoted;
        if (here && *v == '"' && e > v + 1)
            return mem_strn(v + 1, (size_t)(e - v) - 2);
        if (here)
            return mem_strn(v, (size_t)(e - v));
        p = *e ? e + 1 : e;
    }
    return NULL;
}

static void put_text(json_t *out, const char *key, const char *v)
{
    AUTO_BUF struct buf b;
    buf_init(&b, TEXT_MAX * 2);
    for (; *v && b.len < TEXT_MAX; v++) {
        if (*v == '\\' && v[1]) {
            v++;
            buf_char(&b, *v == 'n' || *v == 'N' ? ' ' : *v);
        } else {
            buf_char(&b, (unsigned char)*v < ' ' ? ' ' : *v);
        }
    }
    b.data[text_utf8_cut(b.data, b.len, TEXT_MAX)] = '\0';
    text_make_line(b.data); /* what an escape hid, and DEL */
    char *t = text_trim(b.data);
    if (*t)
        json_put_str(out, key, t);
}

static int digits(const char *s, size_t n)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            return -1;
        v = v * 10 + s[i] - '0';
    }
    return v;
}

/* "20240314T140000Z", "20240314" */
static bool stamp_read(const char *v, struct cal_stamp *s)
{
    size_t n = strlen(v);
    struct cal_time t = {0};
    if (n < 8)
        return false;
    t.year = digits(v, 4);
    t.month = digits(v + 4, 2);
    t.day = digits(v + 6, 2);
    s->date = n < 15 || v[8] != 'T';
    if (!s->date) {
        t.hour = digits(v + 9, 2);
        t.minute = digits(v + 11, 2);
        t.second = digits(v + 13, 2);
        if (v[15] == 'Z')
            snprintf(s->zone, sizeof(s->zone), "UTC");
    }
    if (t.year < 1 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.hour < 0 ||
        t.hour > 23 || t.minute < 0 || t.minute > 59 || t.second < 0 || t.second > 60)
        return false;
    s->t = t;
    return s->set = true;
}

static void stamp_line(const struct cal_line *l, struct cal_stamp *s)
{
    AUTO_FREE char *zone = param_of(l, "TZID");
    *s = (struct cal_stamp){0};
    if (zone)
        snprintf(s->zone, sizeof(s->zone), "%s", zone);
    stamp_read(l->value, s);
}

/* "P1W", "PT45M", "P1DT2H" */
static int64_t duration_read(const char *v)
{
    int64_t ms = 0, number = 0;
    for (v += strspn(v, "+P"); *v; v++) {
        int64_t unit = *v == 'W'   ? 7 * 86400
                       : *v == 'D' ? 86400
                       : *v == 'H' ? 3600
                       : *v == 'M' ? 60
                       : *v == 'S' ? 1
                                   : 0;
        if (isdigit((unsigned char)*v)) {
            number = number < 1000000 ? number * 10 + (*v - '0') : number;
        } else if (unit) {
            ms += number * unit * 1000;
            number = 0;
        } else if (*v != 'T') {
            return 0;
        }
    }
    return ms;
}

static json_t *person_of(const struct cal_line *l)
{
    const char *v = l->value;
    AUTO_FREE char *name = param_of(l, "CN"), *status = param_of(l, "PARTSTAT");
    AUTO_FREE char *email = param_of(l, "EMAIL");
    if (strncasecmp(v, "mailto:", 7) == 0)
        v += 7;
    else if (email)
        v = email;
    AUTO_FREE char *address = mem_str(v);
    json_t *j = mail_address_json(text_trim(address), NULL);
    if (!j)
        return NULL;
    if (name)
        put_text(j, "name", name);
    if (status) {
        text_lower(status);
        put_text(j, "status", status);
    }
    return j;
}

static int offset_read(const char *v)
{
    int h = strlen(v) >= 5 ? digits(v + 1, 2) : -1, m = h >= 0 ? digits(v + 3, 2) : -1;
    int s = m >= 0 && strlen(v) >= 7 ? digits(v + 5, 2) : 0;
    int offset = h >= 0 && m >= 0 && s >= 0 ? h * 3600 + m * 60 + s : 0;
    return *v == '-' ? -offset : offset;
}

/* FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU[;UNTIL=..]: what zones are written in. */
static void rule_read(const char *v, struct cal_rule *r)
{
    static const char days[] = "SUMOTUWETHFRSA";
    const char *p;
    r->yearly = strcasestr(v, "FREQ=YEARLY") != NULL;
    if ((p = strcasestr(v, "BYMONTH=")))
        r->month = digits(p + 8, strspn(p + 8, "0123456789") > 1 ? 2 : 1);
    if (r->month < 1 || r->month > 12)
        r->month = 0;
    if ((p = strcasestr(v, "BYDAY="))) {
        bool minus = p[6] == '-';
        p += 6 + (p[6] == '-' || p[6] == '+');
        int week = isdigit((unsigned char)*p) ? *p++ - '0' : 1;
        for (int i = 0; i < 7 && week >= 1 && week <= 5; i++)
            if (strncasecmp(p, days + 2 * i, 2) == 0) {
                r->week = minus ? -week : week;
                r->weekday = i;
            }
    }
    if ((p = strcasestr(v, "UNTIL=")) && digits(p + 6, 4) > 0)
        r->until_year = digits(p + 6, 4);
}

static void zone_line(struct cal *x, const struct cal_line *l)
{
    struct cal_stamp s = {0};
    if (!x->rule) {
        if (strcasecmp(l->name, "TZID") == 0)
            snprintf(x->zone->id, sizeof(x->zone->id), "%s", l->value);
    } else if (strcasecmp(l->name, "DTSTART") == 0 && stamp_read(l->value, &s)) {
        x->rule->from = s.t;
    } else if (strcasecmp(l->name, "TZOFFSETTO") == 0) {
        x->rule->offset = offset_read(l->value);
    } else if (strcasecmp(l->name, "RRULE") == 0) {
        rule_read(l->value, x->rule);
    }
}

static void event_line(struct cal *x, const struct cal_line *l)
{
    const char *n = l->name, *v = l->value;
    json_t *people = json_object_get(x->out, "attendees"), *who = NULL;
    if (strcasecmp(n, "UID") == 0) {
        put_text(x->out, "uid", v);
    } else if (strcasecmp(n, "SEQUENCE") == 0) {
        size_t k = strspn(v, "0123456789");
        json_put_int(x->out, "sequence", k && k < 9 ? digits(v, k) : 0);
    } else if (strcasecmp(n, "DTSTART") == 0) {
        stamp_line(l, &x->start);
    } else if (strcasecmp(n, "DTEND") == 0) {
        stamp_line(l, &x->end);
    } else if (strcasecmp(n, "DURATION") == 0) {
        x->duration_ms = duration_read(v);
    } else if (strcasecmp(n, "SUMMARY") == 0) {
        put_text(x->out, "summary", v);
    } else if (strcasecmp(n, "LOCATION") == 0) {
        put_text(x->out, "location", v);
    } else if (strcasecmp(n, "STATUS") == 0) {
        put_text(x->out, "status", v);
    } else if (strcasecmp(n, "ORGANIZER") == 0) {
        if ((who = person_of(l)))
            json_object_set_new(x->out, "organizer", who);
    } else if (strcasecmp(n, "ATTENDEE") == 0) {
        if (json_array_size(people) < ATTENDEES && (who = person_of(l)))
            json_array_append_new(people, who);
    } else if (strcasecmp(n, "RRULE") == 0 || strcasecmp(n, "RDATE") == 0) {
        json_put_bool(x->out, "recurs", true);
    } else if (strcasecmp(n, "RECURRENCE-ID") == 0) {
        json_put_bool(x->out, "instance", true);
    } else if (strcasecmp(n, "X-MICROSOFT-CDO-ALLDAYEVENT") == 0) {
        x->all_day = strcasecmp(v, "TRUE") == 0;
    }
}

static void on_begin(struct cal *x, const char *what)
{
    if (x->event) {
        x->inner++;
    } else if (strcasecmp(what, "VEVENT") == 0) {
        x->event = !x->done;
    } else if (strcasecmp(what, "VTIMEZONE") == 0 && x->zone_count < CAL_ZONES) {
        x->zone = &x->zones[x->zone_count++];
        x->rule = NULL;
    } else if (x->zone && x->zone->count < CAL_RULES &&
               (strcasecmp(what, "STANDARD") == 0 || strcasecmp(what, "DAYLIGHT") == 0)) {
        x->rule = &x->zone->rules[x->zone->count++];
        x->rule->from = (struct cal_time){1970, 1, 1, 0, 0, 0};
    }
}

static void on_end(struct cal *x, const char *what)
{
    if (x->event && x->inner) {
        x->inner--;
    } else if (x->event) {
        x->event = false;
        x->done = true; /* the series itself; days that differ from it stand behind it */
    } else if (strcasecmp(what, "VTIMEZONE") == 0) {
        x->zone = NULL;
        x->rule = NULL;
    } else {
        x->rule = NULL;
    }
}

static void on_line(struct cal *x, char *text)
{
    struct cal_line l;
    if (!line_cut(text, &l))
        return;
    size_t n = strlen(l.value);
    while (n && isspace((unsigned char)l.value[n - 1]))
        l.value[--n] = '\0';
    if (strcasecmp(l.name, "BEGIN") == 0)
        on_begin(x, l.value);
    else if (strcasecmp(l.name, "END") == 0)
        on_end(x, l.value);
    else if (x->event && !x->inner)
        event_line(x, &l);
    else if (x->zone)
        zone_line(x, &l);
    else if (strcasecmp(l.name, "METHOD") == 0)
        snprintf(x->method, sizeof(x->method), "%s", l.value);
    else if (strcasecmp(l.name, "X-WR-TIMEZONE") == 0)
        snprintf(x->default_zone, sizeof(x->default_zone), "%s", l.value);
}

/* Folded lines are joined: a line that begins with white space continues. */
static void read_lines(struct mail_ctx *c, struct cal *x, const char *p, size_t n)
{
    AUTO_BUF struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    for (size_t at = 0; at < n;) {
        size_t t, len = mail_line_len(p + at, n - at, &t);
        bool folded = p[at] == ' ' || p[at] == '\t';
        if (!folded && line.len) {
            on_line(x, line.data);
            buf_reset(&line);
        }
        size_t room = line.len < LINE_MAX_BYTES ? LINE_MAX_BYTES - line.len : 0;
        size_t take = t > (size_t)folded ? t - folded : 0;
        buf_add(&line, p + at + folded, take < room ? take : room);
        at += len;
        if (mail_late(c, len))
            break;
    }
    if (line.len)
        on_line(x, line.data);
}

/* A time that stands with no zone is the wall's: zone is left out. */
static bool stamp_put(struct mail_ctx *c, struct cal *x, struct cal_stamp *s, const char *key)
{
    int64_t ms;
    char name[128] = "";
    const char *zone = *s->zone ? s->zone : x->default_zone;
    if (!s->set)
        return false;
    if (s->date || !*zone) {
        ms = cal_utc_ms(&s->t);
    } else if (strcmp(zone, "UTC") == 0) {
        ms = cal_utc_ms(&s->t);
        snprintf(name, sizeof(name), "UTC");
    } else if (!cal_zone_resolve(x->zones, x->zone_count, zone, &s->t, &ms, name)) {
        mail_defect(c,
                    "the invitation's time zone is not known: its times were read as they stand");
        ms = cal_utc_ms(&s->t);
    }
    json_put_int(x->out, key, ms);
    text_make_line(name);
    if (s == &x->start && *name)
        json_put_str(x->out, "zone", name);
    return true;
}

static void finish(struct mail_ctx *c, struct cal *x)
{
    char *status = mem_str(json_get_str(x->out, "status", NULL));
    bool start = stamp_put(c, x, &x->start, "start_ms");
    if (start && !stamp_put(c, x, &x->end, "end_ms") && x->duration_ms > 0)
        json_put_int(x->out, "end_ms", json_get_int(x->out, "start_ms", 0) + x->duration_ms);
    json_put_bool(x->out, "all_day", start && (x->start.date || x->all_day));
    if (status)
        text_lower(status);
    json_put_str(x->out, "status", status);
    mem_free(status);
    text_make_line(x->method);
    text_lower(x->method);
    json_put_str(x->out, "method", *x->method ? x->method : "publish");
}

static bool is_ics(struct mail_ctx *c, const struct mail_part *p)
{
    if (strcmp(p->type, "text/calendar") == 0 || strcmp(p->type, "application/ics") == 0)
        return true;
    if (strcmp(p->type, "application/octet-stream") != 0)
        return false;
    AUTO_FREE char *name = mail_param_get(c, p->disp_value, "filename", "Content-Disposition");
    size_t n = name ? strlen(name) : 0;
    return n > 4 && strcasecmp(name + n - 4, ".ics") == 0;
}

static bool is_inside_message(const struct mail_parts *ps, size_t i)
{
    for (int up = ps->v[i].parent; up >= 0; up = ps->v[up].parent)
        if (ps->v[up].kind == MAIL_MESSAGE)
            return true;
    return false;
}

static bool part_read(struct mail_ctx *c, const struct mail_part *p, json_t *msg)
{
    struct cal *x = mem_alloc(sizeof(*x));
    AUTO_BUF struct buf raw, text;
    buf_init(&raw, BOUND_MAIL_SIZE);
    buf_init(&text, BOUND_MAIL_CALENDAR * 3);
    mail_part_decode(c, p, &raw);
    AUTO_FREE char *label = mail_param_get(c, p->type_value, "charset", "Content-Type");
    AUTO_FREE char *method = mail_param_get(c, p->type_value, "method", "Content-Type");
    mail_to_utf8(c, &text, raw.data, raw.len < BOUND_MAIL_CALENDAR ? raw.len : BOUND_MAIL_CALENDAR,
                 label ? label : "utf-8", "the invitation");
    x->out = json_pack("{s:s, s:i, s:b, s:b, s:[]}", "uid", "", "sequence", 0, "all_day", 0,
                       "recurs", 0, "attendees");
    snprintf(x->method, sizeof(x->method), "%s", method ? method : "");
    read_lines(c, x, text.data, text.len);
    bool ok = x->done && *json_get_str(x->out, "uid", "");
    if (ok) {
        finish(c, x);
        json_object_set(msg, "calendar", x->out);
    }
    json_decref(x->out);
    mem_free(x);
    return ok;
}

bool mail_calendar_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg, bool *invites)
{
    static const char *const asks[] = {"request", "reply",          "cancel", "counter",
                                       "refresh", "declinecounter", "add"};
    *invites = false;
    for (size_t i = 0; i < ps->count; i++) {
        const struct mail_part *p = &ps->v[i];
        if (p->kind != MAIL_LEAF || !is_ics(c, p) || is_inside_message(ps, i))
            continue;
        bool main_part = strcmp(p->type, "text/calendar") == 0 &&
                         (i == 0 || strcmp(ps->v[p->parent].type, "multipart/alternative") == 0);
        bool read = part_read(c, p, msg);
        const char *method = json_get_str(json_get_obj(msg, "calendar"), "method", "");
        *invites |= main_part;
        for (size_t k = 0; k < ARRAY_LEN(asks) && read && strcmp(p->type, "text/calendar") == 0;
             k++)
            *invites |= strcmp(method, asks[k]) == 0 && strcmp(p->disposition, "attachment") != 0;
        if (read)
            return true;
    }
    return *invites;
}
