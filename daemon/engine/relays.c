/* SPDX-License-Identifier: ISC
 *
 * relays - see relays.h
 */
#include "engine/relays.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/notice.h"
#include "engine/retry.h"
#include "engine/turn.h"
#include "store/outbox.h"
#include "store/relay.h"

#define BREAK_AFTER 3          /* times in a row it could not be talked to */
#define REFUSED_AFTER 20       /* mails in a row, each another one, that it did not take */
#define BREAK_FIRST_MS MINUTE_MS /* then twice as long each time, up to ... */
#define BREAK_MOST_MS 900000
#define DOMAIN_MS 250          /* what a mail to a full domain waits for each that is before it */
#define CEILING_MOST INT64_C(1000000000)

struct relay_gate {
    const char *name;   /* borrowed from the config */
    const json_t *conf; /* borrowed */
    struct turn turn;
    int64_t fails;      /* in a row */
    int64_t refused, refused_row; /* mails in a row; the last of them */
    int64_t open_until_ms; /* the breaker; 0: closed */
    int64_t probe;      /* the mail that tries it while the breaker is open; 0: none */
    bool down;          /* the administrator was told */
    char text[256];     /* what it said last */
};

struct relay_list {
    struct relay_gate list[BOUND_RELAYS];
    size_t count;
    int64_t per_domain;  /* 0: no limit */
    json_t *under_way;   /* own; domain -> mails with the courier */
    json_t *lines;       /* own; domain -> end of the line of those that wait, ms */
};

int64_t relay_ceiling(int64_t first, int64_t percent, int64_t most, int64_t day)
{
    int64_t n = first;
    if (first == 0)
        return most;
    for (int64_t i = 0; i < day && n < CEILING_MOST; i++)
        n += n * percent / 100 > 0 ? n * percent / 100 : 1;
    return most && most < n ? most : n;
}

/* ---- life -------------------------------------------------------------------------- */

int relays_start(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *c;
    struct relay_row row;
    struct relay_list *rs = eng->relays = mem_alloc(sizeof(*rs));
    rs->per_domain = json_get_int(eng->settings, "per_domain", 0);
    rs->under_way = json_object();
    rs->lines = json_object();
    json_array_foreach(json_get_arr(eng->role->config, "relays"), i, c) {
        if (rs->count == BOUND_RELAYS)
            return err_set(e, ERR_PERM, "more than %d relays", BOUND_RELAYS);
        struct relay_gate *g = &rs->list[rs->count++];
        *g = (struct relay_gate){.name = json_get_str(c, "name", "?"), .conf = c};
        turn_begin(&g->turn, json_get_int(c, "rate", 0));
        if (relay_get(eng->db, g->name, &row, e) < 0)
            return -1;
        g->down = row.down_ms != 0;
    }
    return 0;
}

void relays_stop(struct engine *eng)
{
    struct relay_list *rs = eng->relays;
    if (!rs)
        return;
    for (size_t i = 0; i < rs->count; i++)
        turn_end(&rs->list[i].turn);
    json_decref(rs->under_way);
    json_decref(rs->lines);
    mem_free(rs);
    eng->relays = NULL;
}

static struct relay_gate *relay_find(struct engine *eng, const char *name)
{
    for (size_t i = 0; name && i < eng->relays->count; i++)
        if (strcmp(eng->relays->list[i].name, name) == 0)
            return &eng->relays->list[i];
    return NULL;
}

/* ---- the day's ceiling --------------------------------------------------------------- */

static bool has_ceiling(const struct relay_gate *g)
{
    return json_object_get(g->conf, "daily_max") || json_object_get(g->conf, "warm_up");
}

/* In the store, since a restart must not begin the day again. */
static int ceiling_row(struct engine *eng, const struct relay_gate *g, struct relay_row *row,
                       struct err *e)
{
    int64_t today = clock_now_ms() / DAY_MS;
    if (relay_get(eng->db, g->name, row, e) < 0)
        return -1;
    if (row->first_day == 0)
        row->first_day = today;
    if (row->day != today) {
        row->day = today;
        row->mails = 0;
    }
    return 0;
}

/* How many it has had today, and may have; *most_out 0: there is no ceiling. */
static int ceiling_today(struct engine *eng, const struct relay_gate *g, int64_t *mails_out,
                         int64_t *most_out, struct err *e)
{
    struct relay_row row;
    *mails_out = *most_out = 0;
    if (!has_ceiling(g))
        return 0;
    if (ceiling_row(eng, g, &row, e) < 0)
        return -1;
    *mails_out = row.mails;
    *most_out = relay_ceiling(json_get_int(g->conf, "warm_up", 0),
                              json_get_int(g->conf, "warm_up_growth", 0),
                              json_get_int(g->conf, "daily_max", 0), row.day - row.first_day);
    return 0;
}

static int ceiling_reached(struct engine *eng, const struct relay_gate *g, bool *yes_out,
                           struct err *e)
{
    int64_t mails, most;
    if (ceiling_today(eng, g, &mails, &most, e) < 0)
        return -1;
    *yes_out = has_ceiling(g) && mails >= most;
    return 0;
}

static int ceiling_count(struct engine *eng, const struct relay_gate *g, struct err *e)
{
    struct relay_row row;
    if (!has_ceiling(g))
        return 0;
    if (ceiling_row(eng, g, &row, e) < 0)
        return -1;
    row.mails++;
    return relay_put(eng->db, g->name, &row, e);
}

/* ---- domains -------------------------------------------------------------------------- */

static const char *domain_of(const json_t *row)
{
    const char *at = strrchr(json_get_str(row, "to_addr", ""), '@');
    return at ? at + 1 : "";
}

int relays_look(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *to;
    const char *key;
    void *next;
    struct relay_list *rs = eng->relays;
    if (!rs->per_domain)
        return 0;
    AUTO_JSON json_t *all = outbox_claimed_to(eng->db, e);
    if (!all)
        return -1;
    json_object_clear(rs->under_way);
    json_array_foreach(all, i, to) {
        const char *domain = domain_of(to);
        json_put_int(rs->under_way, domain, json_get_int(rs->under_way, domain, 0) + 1);
    }
    json_object_foreach_safe(rs->lines, next, key, to)
        if (json_integer_value(to) < clock_now_ms())
            json_object_del(rs->lines, key);
    return 0;
}

/* false: its domain has as many under way as it may; *later is its place in line. */
static bool domain_free(struct relay_list *rs, const json_t *row, int64_t now, int64_t *later)
{
    const char *domain = domain_of(row);
    if (!rs->per_domain || !*domain || json_get_int(rs->under_way, domain, 0) < rs->per_domain)
        return true; /* a text that goes by mail has a number, and its gateway's rate */
    int64_t line = json_get_int(rs->lines, domain, now);
    *later = (line > now ? line : now) + DOMAIN_MS / rs->per_domain + 1;
    json_put_int(rs->lines, domain, *later);
    return false;
}

/* ---- by which ---------------------------------------------------------------------------- */

/* The breaker lets one through when its time is over. */
static bool gate_open(const struct relay_gate *g, int64_t now)
{
    return now >= g->open_until_ms;
}

/* HOOK: in a test nobody waits for minutes. */
static int64_t soon(int64_t ms)
{
    return HOOK("outbox.retry_soon") ? ms / 100 : ms;
}

/* And waits for what comes of it. */
static void gate_probe(struct relay_gate *g, int64_t row, int64_t now)
{
    if (g->open_until_ms == 0)
        return;
    g->open_until_ms = now + soon(BREAK_FIRST_MS);
    g->probe = row;
}

/* It has come back: when it tells nothing of the relay, another one may try at once. */
static void gate_probed(struct relay_gate *g, int64_t row)
{
    if (g->probe != row)
        return;
    g->probe = 0;
    if (g->open_until_ms)
        g->open_until_ms = clock_now_ms();
}

void relays_try_now(struct engine *eng)
{
    for (size_t i = 0; eng->relays && i < eng->relays->count; i++)
        if (eng->relays->list[i].open_until_ms)
            eng->relays->list[i].open_until_ms = 1;
}

struct choice {
    json_t *names; /* own */
    struct relay_gate *first;
    int64_t later;
    char why[320];
};

static void choice_later(struct choice *c, int64_t at, const char *what, const char *said)
{
    if (c->later && c->later <= at)
        return;
    c->later = at;
    snprintf(c->why, sizeof(c->why), "%s%s", what, said);
}

static int choose(struct engine *eng, int64_t now, struct choice *c, struct err *e)
{
    for (size_t i = 0; i < eng->relays->count; i++) {
        struct relay_gate *g = &eng->relays->list[i];
        bool full;
        if (ceiling_reached(eng, g, &full, e) < 0)
            return -1;
        if (full)
            choice_later(c, (now / DAY_MS + 1) * DAY_MS, "has had its mails of today: relay ", g->name);
        else if (!gate_open(g, now))
            choice_later(c, g->open_until_ms, "waits for a relay: ", g->text);
        else if (json_array_append_new(c->names, json_string(g->name)) == 0 && !c->first)
            c->first = g;
    }
    return 0;
}

static int row_wait(struct engine *eng, const json_t *row, int64_t later, const char *why,
                    struct err *e)
{
    AUTO_FREE char *line = mem_strn(why, text_utf8_cut(why, strlen(why), 255));
    return outbox_wait(eng->db, json_get_int(row, "id", 0), later, line, e);
}

int relays_for(struct engine *eng, const json_t *row, json_t **names_out, struct err *e)
{
    int64_t now = clock_now_ms(), id = json_get_int(row, "id", 0), later = 0;
    struct relay_list *rs = eng->relays;
    const char *domain = domain_of(row);
    struct choice c = {.names = json_array()};
    char why[320];
    *names_out = NULL;
    /* that it is too old is found when it is tried */
    bool old = now - json_get_int(row, "created_ms", now) > RETRY_GIVE_UP_MS;
    int rc = choose(eng, now, &c, e);
    if (rc == 0 && old && json_array_size(c.names) == 0)
        for (size_t i = 0; i < rs->count; i++)
            json_array_append_new(c.names, json_string(rs->list[i].name));
    if (rc == 0 && rs->count && json_array_size(c.names) == 0) {
        rc = row_wait(eng, row, c.later, c.why, e);
    } else if (rc == 0 && !domain_free(rs, row, now, &later)) {
        snprintf(why, sizeof(why), "waits its turn at %s", domain);
        rc = row_wait(eng, row, later, why, e);
    } else if (rc == 0 && c.first && !turn_take(&c.first->turn, id, 1, now, &later)) {
        snprintf(why, sizeof(why), "waits its turn at %s", c.first->name);
        rc = row_wait(eng, row, later, why, e);
    } else if (rc == 0) {
        if (rs->per_domain)
            json_put_int(rs->under_way, domain, json_get_int(rs->under_way, domain, 0) + 1);
        rc = c.first ? ceiling_count(eng, c.first, e) : 0;
        for (size_t i = 0; i < json_array_size(c.names); i++)
            gate_probe(relay_find(eng, json_string_value(json_array_get(c.names, i))), id, now);
        *names_out = json_incref(c.names);
    }
    json_decref(c.names);
    if (rc < 0) {
        json_decref(*names_out);
        *names_out = NULL;
    }
    return rc;
}

/* ---- what came of it ----------------------------------------------------------------------- */

static int relay_tell(struct engine *eng, struct relay_gate *g, bool down, const char *subject,
                      const char *words, struct err *e)
{
    struct relay_row row;
    char stamp[32];
    if (g->down == down)
        return 0;
    if (relay_get(eng->db, g->name, &row, e) < 0)
        return -1;
    row.down_ms = down ? clock_now_ms() : 0;
    if (relay_put(eng->db, g->name, &row, e) < 0)
        return -1;
    g->down = down;
    AUTO_FREE char *key = mem_printf("relay/%s/%s/%s", g->name, down ? "down" : "back",
                                     clock_format_utc(clock_now_ms(), stamp, sizeof(stamp)));
    AUTO_FREE char *title = mem_printf(subject, g->name);
    notice_queue(eng, key, title, words);
    return 0;
}

static int relay_break(struct engine *eng, struct relay_gate *g, const char *what, struct err *e)
{
    int64_t pause = BREAK_FIRST_MS;
    for (int64_t i = BREAK_AFTER; i < g->fails && pause < BREAK_MOST_MS; i++)
        pause *= 2;
    pause = pause < BREAK_MOST_MS ? pause : BREAK_MOST_MS;
    pause = soon(pause);
    g->open_until_ms = clock_now_ms() + pause;
    log_warn("relay.break", "relay=%s text=\"%s\" next=\"tried again in %" PRId64 " s\"", g->name,
             g->text, pause / 1000);
    AUTO_FREE char *words = mem_printf(
        "%s\n\nWhat it said last: %s\n\nMails go by the next relay, or wait; now and then one is "
        "tried. See: leadctl outbox list state=deferred. You hear when it is back.\n", what, g->text);
    return relay_tell(eng, g, true, "leadd: no mail by the relay %s", words, e);
}

static void gate_note(struct relay_gate *g, const char *text)
{
    size_t n = text_utf8_cut(text, strlen(text), sizeof(g->text) - 1);
    snprintf(g->text, sizeof(g->text), "%.*s", (int)n, text);
}

static int relay_failed(struct engine *eng, struct relay_gate *g, const char *text, struct err *e)
{
    gate_note(g, text);
    if (++g->fails < BREAK_AFTER)
        return 0;
    return relay_break(eng, g, "It cannot be reached, or ends every session.", e);
}

static int relay_refused(struct engine *eng, struct relay_gate *g, int64_t row, const char *text,
                         struct err *e)
{
    g->fails = 0;
    /* one mail that nobody wants, and an address that is none, are no news of the relay */
    if (row == g->refused_row || strstr(text, " 5.1."))
        return 0;
    gate_note(g, text);
    g->refused_row = row;
    if (++g->refused < REFUSED_AFTER)
        return 0;
    return relay_break(eng, g, "It takes no mail any more, whoever it is for.", e);
}

static int relay_took(struct engine *eng, struct relay_gate *g, struct err *e)
{
    if (g->open_until_ms)
        log_info("relay.back", "relay=%s", g->name);
    g->fails = g->refused = g->open_until_ms = 0;
    return relay_tell(eng, g, false, "leadd: the relay %s takes mail again",
                      "What waited for it leaves in the next minutes.\n", e);
}

int relays_said(struct engine *eng, int64_t row, const json_t *sent, struct err *e)
{
    size_t i;
    json_t *one;
    const char *outcome = json_get_str(sent, "outcome", "");
    const char *name = json_get_str(sent, "relay", "");
    bool left = false;
    for (i = 0; eng->relays && i < eng->relays->count; i++)
        gate_probed(&eng->relays->list[i], row);
    if (!eng->relays || !sent)
        return 0;
    json_array_foreach(json_get_arr(sent, "left"), i, one) {
        struct relay_gate *g = relay_find(eng, json_get_str(one, "relay", NULL));
        left |= g && strcmp(g->name, name) == 0;
        if (g && relay_failed(eng, g, json_get_str(one, "text", ""), e) < 0)
            return -1;
    }
    struct relay_gate *g = relay_find(eng, name);
    if (!g || left)
        return 0;
    if (i > 0 && ceiling_count(eng, g, e) < 0) /* it was not the first */
        return -1;
    if (strcmp(outcome, "accepted") == 0)
        return relay_took(eng, g, e);
    if (json_get_int(sent, "code", 0) >= 400)
        return relay_refused(eng, g, row, json_get_str(sent, "text", ""), e);
    return 0;
}

/* ---- for leadctl ------------------------------------------------------------------------ */

static json_t *relay_status(struct engine *eng, const struct relay_gate *g, struct err *e)
{
    int64_t mails, most, today = clock_now_ms() / DAY_MS;
    char stamp[32];
    if (ceiling_today(eng, g, &mails, &most, e) < 0)
        return NULL;
    bool full = most && mails >= most;
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:I, s:s}", "name", g->name, "where",
        json_get_str(g->conf, "host", json_get_str(g->conf, "path", "")), "state",
        g->open_until_ms && g->fails >= BREAK_AFTER ? "does not answer"
        : g->open_until_ms                          ? "takes no mail"
        : full                                      ? "has had its mails of today"
                                                    : "ok",
        "rate", (json_int_t)json_get_int(g->conf, "rate", 0), "said", g->text);
    json_put_str(row, "next",
                 g->open_until_ms ? clock_format_utc(g->open_until_ms, stamp, sizeof(stamp))
                 : full           ? clock_format_utc((today + 1) * DAY_MS, stamp, sizeof(stamp))
                                  : "");
    AUTO_FREE char *of = mem_printf("%" PRId64 " of %" PRId64, mails, most);
    json_put_str(row, "today", most ? of : "");
    if (most) {
        json_put_int(row, "mails", mails);
        json_put_int(row, "ceiling", most);
    }
    return row;
}

json_t *relays_status(struct engine *eng, struct err *e)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < eng->relays->count; i++) {
        json_t *row = relay_status(eng, &eng->relays->list[i], e);
        if (!row) {
            json_decref(rows);
            return NULL;
        }
        json_array_append_new(rows, row);
    }
    return rows;
}
