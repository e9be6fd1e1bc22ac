/* SPDX-License-Identifier: ISC
 *
 * broadcast - when something is due: a slice of the plan, the next mails, the winner
 * (see broadcast.h)
 */
#include "engine/broadcast.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/hold.h"
#include "engine/timer.h"
#include "store/broadcast.h"
#include "store/schedule.h"

#define KEPT 16u
#define NO_ROOM_MS 2000     /* until it is looked again whether mails have left */
#define SETTLE_MS MINUTE_MS /* the last ones are still on their way */

/* ---- definitions --------------------------------------------------------------------- */

struct broadcasts {
    struct {
        int64_t id;
        struct broadcast *b; /* own */
    } list[KEPT];
    size_t count;
};

void broadcasts_free(struct broadcasts **p)
{
    struct broadcasts *all = *p;
    for (size_t i = 0; all && i < all->count; i++)
        broadcast_free(&all->list[i].b);
    mem_free(all);
    *p = NULL;
}

/* The oldest makes room. */
static struct broadcast *definition_put(struct engine *eng, int64_t id, struct broadcast *b)
{
    if (!eng->broadcasts)
        eng->broadcasts = mem_alloc(sizeof(*eng->broadcasts));
    struct broadcasts *all = eng->broadcasts;
    if (all->count == KEPT) {
        broadcast_free(&all->list[0].b);
        memmove(all->list, all->list + 1, sizeof(*all->list) * --all->count);
    }
    all->list[all->count].id = id;
    all->list[all->count++].b = b;
    return b;
}

struct broadcast *broadcast_definition(struct engine *eng, const json_t *row, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    const char *name = json_get_str(row, "name", ""), *text = json_get_str(row, "source", "");
    for (size_t i = 0; eng->broadcasts && i < eng->broadcasts->count; i++)
        if (eng->broadcasts->list[i].id == id)
            return eng->broadcasts->list[i].b;
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    AUTO_JSON json_t *source = json_loadb(text, strlen(text), 0, NULL);
    struct broadcast *b = source ? crm_broadcast_then(eng->crm, name, source, &errors) : NULL;
    if (b)
        return definition_put(eng, id, b);
    struct buf why AUTO_BUF;
    buf_init(&why, KIB(4));
    errlist_print(&errors, &why);
    err_set(e, ERR_INPUT, "%s cannot be read any more: %s", name, why.data);
    return NULL;
}

/* ---- the timer -------------------------------------------------------------------------- */

int broadcast_wake(struct engine *eng, const json_t *row, int64_t due_ms, struct err *e)
{
    struct timer_row t = {.key = {"broadcast", json_get_str(row, "name", ""), "", 0},
                          .due_ms = due_ms,
                          .since_ms = json_get_int(row, "begin_ms", 0)};
    return due_ms ? timer_write(eng, &t, e) : timer_remove(eng, &t.key, e);
}

void broadcast_queue(struct engine *eng, const json_t *row, json_t *zones, int64_t left)
{
    struct item *it = item_new(ITEM_BROADCAST, NULL);
    it->frame.json = json_pack("{s:s, s:o?, s:I}", "name", json_get_str(row, "name", ""), "zones",
                               zones, "left", (json_int_t)left);
    engine_queue(eng, it);
}

int64_t broadcast_rank_to(const json_t *row, const struct broadcast *b)
{
    return b->test && !json_get_int(row, "winner", 0) ? broadcast_test_rank(b) : BROADCAST_RANK_MAX;
}

static int state_set(struct engine *eng, json_t *row, const char *state, int64_t due_ms,
                     struct err *e)
{
    json_put_str(row, "state", state);
    log_info("broadcast.state", "broadcast=%s state=%s", json_get_str(row, "name", ""), state);
    return broadcast_put(eng->db, row, e) < 0 ? -1 : broadcast_wake(eng, row, due_ms, e);
}

static void paused_text(const json_t *row, char *out, size_t n)
{
    snprintf(out, n, "the broadcast %s is paused", json_get_str(row, "name", ""));
}

int broadcast_pause(struct engine *eng, json_t *row, const char *why, struct err *e)
{
    char text[160];
    paused_text(row, text, sizeof(text));
    if (broadcast_hold_rows(eng, row, "held", text, e) < 0)
        return -1;
    json_put_str(row, "was", json_get_str(row, "state", ""));
    json_put_str(row, "reason", why);
    return state_set(eng, row, "paused", 0, e);
}

int broadcast_go_on(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    char was[16], text[160];
    int64_t tick, n, decide = json_get_int(row, "decide_ms", 0), now = clock_now_ms();
    snprintf(was, sizeof(was), "%s", json_get_str(row, "was", "planning"));
    paused_text(row, text, sizeof(text));
    broadcast_pace(b, &tick, &n);
    if (broadcast_hold_rows(eng, row, "ready", text, e) < 0)
        return -1;
    json_object_del(row, "was");
    json_object_del(row, "reason");
    int64_t due = strcmp(was, "deciding") == 0 ? (decide > now ? decide : now)
                  : strcmp(was, "planned") == 0 ? 0
                                                : now + tick;
    return state_set(eng, row, was, due, e);
}

/* ---- planned, sending, deciding -------------------------------------------------------------- */

static int plan_begin(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    int64_t last;
    if (schedule_last_id(eng->db, b->segment->over, &last, e) < 0)
        return -1;
    json_put_int(row, "walk_to", last);
    return state_set(eng, row, "planning", clock_now_ms(), e);
}

int broadcast_planned(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    int64_t n = json_get_int(row, "recipients", 0), confirmed = json_get_int(row, "confirmed", 0);
    if (n > b->confirm_over && n > confirmed)
        return state_set(eng, row, "planned", 0, e) < 0 ? -1 : broadcast_ask_back(eng, row, e);
    return state_set(eng, row, "sending", clock_now_ms(), e);
}

static int phase_end(struct engine *eng, json_t *row, struct broadcast *b, int64_t made, struct err *e)
{
    int64_t now = clock_now_ms();
    bool test = b->test && !json_get_int(row, "winner", 0);
    if (test) {
        int64_t wait = json_get_int(row, "dealt", 0) ? b->wait_ms : 0; /* nobody was drawn */
        json_put_int(row, "decide_ms", now + wait);
        return state_set(eng, row, "deciding", now + wait, e);
    }
    if (made)
        return broadcast_wake(eng, row, now + SETTLE_MS, e);
    json_put_int(row, "ended_ms", now);
    engine_count(eng, "broadcasts_done", 1);
    return state_set(eng, row, "done", 0, e);
}

struct zone_open {
    int64_t zone, closes;
};

static int by_close(const void *a, const void *b)
{
    const struct zone_open *x = a, *y = b;
    return x->closes != y->closes ? (x->closes > y->closes) - (x->closes < y->closes)
                                  : (x->zone > y->zone) - (x->zone < y->zone);
}

/* "Europe/Vienna Europe/Rome", which is cut into pieces. */
static size_t zones_split(char *text, const char *out[CRM_ZONES])
{
    size_t count = 0;
    for (char *p = text; *p && count < CRM_ZONES;) {
        size_t n = strcspn(p, " ");
        bool last = !p[n];
        p[n] = '\0';
        out[count++] = p;
        p += n + !last;
    }
    return count;
}

/* The zones whose window is open, those first where it closes first; and when the next
 * one opens (CALENDAR_NEVER: none). */
static json_t *zones_open(struct broadcast *b, const json_t *waiting, int64_t now, int64_t *next_out)
{
    struct zone_open *open = mem_array(json_array_size(waiting) + 1, sizeof(*open));
    size_t n = 0, i;
    json_t *z, *list = json_array();
    *next_out = CALENDAR_NEVER;
    json_array_foreach((json_t *)waiting, i, z) {
        const char *names[CRM_ZONES];
        AUTO_FREE char *text = mem_str(json_get_str(z, "names", ""));
        size_t count = zones_split(text, names);
        int64_t at = window_open(b->window, names, count, now);
        if (at > now)
            *next_out = at < *next_out ? at : *next_out;
        else
            open[n++] = (struct zone_open){json_get_int(z, "zone", 0),
                                           window_closes(b->window, names, count, now)};
    }
    qsort(open, n, sizeof(*open), by_close);
    for (i = 0; i < n; i++)
        json_array_append_new(list, json_integer(open[i].zone));
    mem_free(open);
    return list;
}

static int send_tick(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0), now = clock_now_ms(), tick, count, made, next;
    if (hold_why(eng))
        return broadcast_pause(eng, row, hold_why(eng), e);
    if (part_sync(eng->db, id, 0, e) < 0 || part_count_made(eng->db, id, &made, e) < 0)
        return -1;
    AUTO_JSON json_t *waiting = broadcast_zones_waiting(eng->db, id, broadcast_rank_to(row, b), e);
    if (!waiting)
        return -1;
    if (json_array_size(waiting) == 0)
        return phase_end(eng, row, b, made, e);
    broadcast_pace(b, &tick, &count);
    count = count < BROADCAST_AHEAD - made ? count : BROADCAST_AHEAD - made;
    if (count <= 0)
        return broadcast_wake(eng, row, now + (tick > NO_ROOM_MS ? tick : NO_ROOM_MS), e);
    AUTO_JSON json_t *zones = zones_open(b, waiting, now, &next);
    if (json_array_size(zones) == 0) {
        if (next == CALENDAR_NEVER)
            return broadcast_pause(eng, row, "its window is never open", e);
        return broadcast_wake(eng, row, next, e);
    }
    broadcast_queue(eng, row, json_incref(zones), count);
    return broadcast_wake(eng, row, now + tick, e);
}

static int decide(struct engine *eng, json_t *row, struct broadcast *b, struct err *e)
{
    struct broadcast_score s[BROADCAST_TEMPLATES] = {{0}};
    char why[BROADCAST_WHY_MAX];
    size_t i;
    json_t *c;
    if (part_sync(eng->db, json_get_int(row, "id", 0), 0, e) < 0)
        return -1;
    AUTO_JSON json_t *counts = part_counts(eng->db, json_get_int(row, "id", 0), e);
    if (!counts)
        return -1;
    for (i = 0; i < b->template_count; i++)
        s[i].name = b->templates[i];
    json_array_foreach(counts, i, c) {
        int64_t v = json_get_int(c, "variant", 0);
        if (v < 1 || v > (int64_t)b->template_count || !json_get_int(c, "test", 0))
            continue;
        s[v - 1].sent += json_get_int(c, "sent", 0);
        s[v - 1].replied += json_get_int(c, "replied", 0);
        s[v - 1].unsubscribed += json_get_int(c, "unsubscribed", 0);
    }
    size_t best = broadcast_winner(s, b->template_count, b->least, why);
    log_info("broadcast.winner", "broadcast=%s why=\"%s\"", b->name, why);
    json_put_int(row, "winner", (int64_t)best + 1);
    json_put_str(row, "winner_why", why);
    return state_set(eng, row, "sending", clock_now_ms(), e);
}

/* ---- due ------------------------------------------------------------------------------------ */

/* What it names is gone: a person decides. */
static struct broadcast *definition_or_pause(struct engine *eng, json_t *row, int *rc, struct err *e)
{
    struct err why = {0};
    struct broadcast *b = broadcast_definition(eng, row, &why);
    *rc = 0;
    if (b)
        return b;
    if (why.cls == ERR_INPUT)
        *rc = broadcast_pause(eng, row, why.text, e);
    else {
        *e = why;
        *rc = -1;
    }
    return NULL;
}

static int broadcast_fire(struct engine *eng, const json_t *timer, struct err *e)
{
    struct timer_key k = timer_key_of(timer);
    json_t *row;
    int rc;
    if (broadcast_get(eng->db, k.rule, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    const char *state = json_get_str(row, "state", "");
    struct broadcast *b = row ? definition_or_pause(eng, row, &rc, e) : NULL;
    if (!b)
        return row ? rc : timer_remove(eng, &k, e);
    if (strcmp(state, "scheduled") == 0)
        return plan_begin(eng, row, b, e);
    if (strcmp(state, "planning") == 0) {
        struct timer_row asleep = {.key = k, .since_ms = json_get_int(row, "begin_ms", 0)};
        broadcast_queue(eng, row, NULL, 0); /* which goes on by itself */
        return timer_write(eng, &asleep, e);
    }
    if (strcmp(state, "sending") == 0)
        return send_tick(eng, row, b, e);
    if (strcmp(state, "deciding") == 0)
        return decide(eng, row, b, e);
    return timer_remove(eng, &k, e);
}

int broadcast_item(struct engine *eng, struct item *it, struct err *e)
{
    json_t *row;
    int rc;
    if (broadcast_get(eng->db, json_get_str(it->frame.json, "name", ""), &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    const char *state = json_get_str(row, "state", "");
    bool planning = strcmp(state, "planning") == 0;
    if (!row || (!planning && strcmp(state, "sending") != 0))
        return 0; /* somebody paused it since it was queued */
    struct broadcast *b = definition_or_pause(eng, row, &rc, e);
    if (!b)
        return rc;
    if (planning)
        return json_is_array(json_object_get(it->frame.json, "zones")) ? 0 : broadcast_plan(eng, row, b, e);
    return broadcast_send(eng, it, row, b, e);
}

int broadcast_failed(struct engine *eng, const struct item *it, const struct err *why,
                     struct err *e)
{
    json_t *row;
    const char *name = json_get_str(it->frame.json, "name", "");
    if (broadcast_get(eng->db, name, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    log_error("broadcast.failed", "broadcast=%s error=\"%s\" next=\"it is paused\"", name, why->text);
    return row ? broadcast_pause(eng, row, why->text, e) : 0;
}

int broadcasts_start(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *row, *timer;
    int64_t now = clock_now_ms();
    AUTO_JSON json_t *all = broadcast_list(eng->db, e);
    if (!all)
        return -1;
    json_array_foreach(all, i, row) {
        struct timer_key k = {"broadcast", json_get_str(row, "name", ""), "", 0};
        if (strcmp(json_get_str(row, "state", ""), "planning") != 0)
            continue; /* its timer is there, at its pace */
        if (timer_get(eng->db, &k, &timer, e) < 0)
            return -1;
        json_decref(timer);
        if (broadcast_wake(eng, row, now, e) < 0)
            return -1;
    }
    return broadcast_any(eng->db, now - BROADCAST_SEEN_MS, &eng->broadcasts_seen, e);
}

static bool broadcast_known(const struct ruleset *rs, const char *name)
{
    (void)rs;
    (void)name;
    return true; /* it outlives its definition in the rules */
}

static void broadcast_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    snprintf(out, n, "leadctl broadcast show %s", json_get_str(row, "rule", ""));
}

const struct timer_kind timer_kind_broadcast = {.name = "broadcast",
                                                .fire = broadcast_fire,
                                                .known = broadcast_known,
                                                .tell = broadcast_tell};
