/* SPDX-License-Identifier: ISC
 *
 * call - see call.h: when a call is due, and what the courier has in hand
 */
#include "engine/call.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/enrich.h"
#include "engine/judge.h"
#include "engine/suspect.h"
#include "store/call.h"

#define CACHE_GEN "cache" /* claimed for an answer that is known already */
#define EXPIRE_BATCH 32

/* ---- endpoints ------------------------------------------------------------------- */

struct endpoint *calls_endpoint(struct engine *eng, const char *name)
{
    for (size_t i = 0; eng->calls && i < eng->calls->count; i++)
        if (strcmp(eng->calls->list[i].name, name) == 0)
            return &eng->calls->list[i];
    return NULL;
}

static int endpoint_read(struct engine *eng, struct endpoint *ep, const char *name,
                         const json_t *c, struct err *e)
{
    const char *url = json_get_str(c, "url", "");
    json_t *disabled = NULL;
    *ep = (struct endpoint){.name = name,
                            .url_hash = hash_64(url, strlen(url)),
                            .connections = json_get_int(c, "connections", 2),
                            .give_up_ms = json_get_int(c, "give_up", DAY_MS)};
    if (endpoint_disabled(eng->db, name, ep->url_hash, &disabled, e) < 0)
        return -1;
    ep->disabled = disabled != NULL;
    json_decref(disabled);
    return call_next_due(eng->db, name, &ep->next_ms, e);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct engine *eng = arg;
    (void)fd;
    (void)what;
    if (eng->calls->queued)
        return;
    eng->calls->queued = true;
    engine_queue(eng, item_new(ITEM_CALLS, NULL));
}

int calls_start(struct engine *eng, struct err *e)
{
    const char *name;
    json_t *c;
    eng->calls = mem_alloc(sizeof(*eng->calls));
    if (eng->role && eng->role->base)
        eng->calls->due = event_new(eng->role->base, -1, 0, on_due, eng);
    json_object_foreach(json_get_obj(crm_config(eng->crm), "endpoints"), name, c) {
        if (eng->calls->count == BOUND_ENDPOINTS)
            return err_set(e, ERR_PERM, "more than %d endpoints", BOUND_ENDPOINTS);
        if (endpoint_read(eng, &eng->calls->list[eng->calls->count++], name, c, e) < 0)
            return -1;
    }
    return 0;
}

void calls_stop(struct engine *eng)
{
    if (eng->calls && eng->calls->due)
        event_free(eng->calls->due);
    mem_free(eng->calls);
    eng->calls = NULL;
}

void calls_look_again(struct engine *eng, const char *endpoint, int64_t at_ms)
{
    struct endpoint *ep = calls_endpoint(eng, endpoint);
    if (ep && at_ms && (ep->next_ms == 0 || at_ms < ep->next_ms))
        ep->next_ms = at_ms;
}

/* When it may be called; 0: not before something else happens. */
static int64_t endpoint_at(const struct endpoint *ep)
{
    int64_t at = ep->next_ms;
    if (at == 0 || ep->full || ep->disabled)
        return 0;
    if (ep->not_before_ms > at)
        at = ep->not_before_ms;
    return ep->open_until_ms > at ? ep->open_until_ms : at;
}

int64_t calls_next(struct engine *eng)
{
    int64_t next = 0;
    for (size_t i = 0; eng->calls && i < eng->calls->count; i++) {
        int64_t at = endpoint_at(&eng->calls->list[i]);
        if (at && (next == 0 || at < next))
            next = at;
    }
    const struct peer *courier = next ? peer_by_name(eng, "courier") : NULL;
    return courier && courier->greeted ? next : 0;
}

bool calls_busy(struct engine *eng)
{
    int64_t next = calls_next(eng);
    if (!eng->calls || eng->calls->count == 0)
        return false;
    if (eng->calls->queued || (next && next <= clock_now_ms()))
        return true;
    AUTO_JSON json_t *rows = call_claimed(eng->db, NULL);
    return json_array_size(rows) > 0;
}

void calls_arm(struct engine *eng)
{
    if (!eng->calls || eng->calls->queued || !eng->calls->due)
        return;
    int64_t next = calls_next(eng), now = clock_now_ms();
    if (next == 0)
        return;
    int64_t wait = next > now ? next - now : 0;
    if (wait > 0 && clock_is_pretended())
        return; /* `clock advance` looks again */
    struct timeval tv = {wait / 1000, (wait % 1000) * 1000};
    event_add(eng->calls->due, &tv);
}

/* ---- due ---------------------------------------------------------------------------- */

static int row_cached(struct engine *eng, const json_t *row, json_t **out, struct err *e)
{
    char hash[HASH_SHA256_HEX];
    const char *name = json_get_str(row, "name", "");
    int64_t holds = json_get_int(crm_enrichment(eng->crm, name), "cache", 0);
    *out = NULL;
    if (strcmp(json_get_str(row, "kind", ""), "enrich") != 0 || holds == 0)
        return 0;
    call_hash(row, hash);
    return enriched_get(eng->db, name, hash, clock_now_ms() - holds, out, e);
}

/* The answer is known: an item of its own takes it over. outcome: stolen. */
static int row_known(struct engine *eng, const json_t *row, json_t *outcome, struct err *e)
{
    struct item *it = item_new(ITEM_FRAME, NULL);
    it->frame.type = FRAME_CALLED;
    it->frame.id = (uint64_t)json_get_int(row, "id", 0);
    it->frame.json = outcome;
    engine_queue(eng, it);
    return call_claim(eng->db, (int64_t)it->frame.id, CACHE_GEN, e);
}

static int row_send(struct engine *eng, struct peer *courier, const json_t *row, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    char key[64];
    struct err why = {0};
    char *body = call_body(eng, row, key, &why);
    if (!body)
        return call_fail(eng, row, 0, why.text, e);
    bool asks = strcmp(json_get_str(row, "kind", ""), "webhook") != 0;
    struct answer *a = engine_answer(
        eng, courier->serial, FRAME_CALL, (uint64_t)id,
        json_pack("{s:s, s:s, s:I, s:b}", "endpoint", json_get_str(row, "endpoint", ""), "key", key,
                  "at", (json_int_t)(clock_now_ms() / 1000), "answer", asks));
    a->raw = body;
    a->raw_len = strlen(body);
    CRASH_POINT("call.claim.before");
    int rc = call_claim(eng->db, id, courier->gen, e);
    CRASH_POINT("call.claim.after");
    return rc;
}

int calls_give_up(struct engine *eng, int64_t id, const char *why, struct err *e)
{
    AUTO_JSON json_t *row = call_get(eng->db, id, e);
    if (!row)
        return -1;
    bool in_hand = strcmp(json_get_str(row, "state", ""), "claimed") == 0 &&
                   strcmp(json_get_str(row, "gen", ""), CACHE_GEN) != 0;
    struct endpoint *ep = calls_endpoint(eng, json_get_str(row, "endpoint", ""));
    if (ep)
        ep->full = false;
    return row_known(eng, row, json_pack("{s:s, s:b}", "text", why, "in_hand", (int)in_hand), e);
}

/* What has waited too long is given up, whether or not the endpoint may be tried. A
 * verdict has its own time. */
static int endpoint_expire(struct engine *eng, struct endpoint *ep, struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows =
        call_old(eng->db, ep->name, clock_now_ms() - ep->give_up_ms, EXPIRE_BATCH, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        AUTO_FREE char *why = mem_printf("given up: %s", json_get_str(row, "reply", "not tried"));
        bool tried = json_get_int(row, "attempts", 0) > 0 || ep->open_ms > 0; /* or we were off */
        if (tried && !judge_asks(row) && call_fail(eng, row, 0, why, e) < 0)
            return -1;
    }
    return 0;
}

static int endpoint_room(struct engine *eng, const struct endpoint *ep, int64_t *room_out,
                         struct err *e)
{
    int64_t in_hand, limit = ep->open_ms ? 1 : ep->connections;
    if (call_in_hand(eng->db, ep->name, &in_hand, e) < 0)
        return -1;
    *room_out = limit > in_hand ? limit - in_hand : 0;
    return 0;
}

static int endpoint_due(struct engine *eng, struct endpoint *ep, struct peer *courier,
                        struct err *e)
{
    size_t i;
    json_t *row;
    int64_t room, now = clock_now_ms(), at = endpoint_at(ep);
    if (at == 0 || at > now)
        return 0;
    if (endpoint_expire(eng, ep, e) < 0 || endpoint_room(eng, ep, &room, e) < 0)
        return -1;
    ep->full = room == 0;
    AUTO_JSON json_t *rows = call_due(eng->db, ep->name, now, room, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        json_t *known;
        if (row_cached(eng, row, &known, e) < 0)
            return -1;
        int rc = known ? row_known(eng, row, json_object(), e) : row_send(eng, courier, row, e);
        json_decref(known);
        if (rc < 0)
            return -1;
    }
    return call_next_due(eng->db, ep->name, &ep->next_ms, e);
}

int calls_due(struct engine *eng, struct err *e)
{
    struct peer *courier = peer_by_name(eng, "courier");
    eng->calls->queued = false;
    if (!courier || !courier->greeted)
        return 0;
    for (size_t i = 0; i < eng->calls->count; i++)
        if (endpoint_due(eng, &eng->calls->list[i], courier, e) < 0)
            return -1;
    return 0;
}

/* ---- outcomes -------------------------------------------------------------------------- */

static bool held_by(const json_t *row, const char *gen)
{
    return strcmp(json_get_str(row, "state", ""), "claimed") == 0 &&
           strcmp(json_get_str(row, "gen", ""), gen) == 0;
}

static void room_again(struct engine *eng, const json_t *row)
{
    struct endpoint *ep = calls_endpoint(eng, json_get_str(row, "endpoint", ""));
    if (ep)
        ep->full = false;
}

static void receipt(struct engine *eng, const struct item *it)
{
    if (it->peer)
        engine_answer(eng, it->peer, FRAME_RECEIPT, it->frame.id,
                      json_pack("{s:b}", "call", 1));
}

/* The row of a CALLED, when it is this courier's to settle; else NULL, and e says
 * whether that is an error. */
static json_t *called_row(struct engine *eng, const struct item *it, struct err *e)
{
    struct peer *p = it->peer ? peer_by_serial(eng, it->peer) : NULL;
    if (it->peer && !p)
        return NULL; /* the courier is gone: the call is made again */
    json_t *row = call_get(eng->db, (int64_t)it->frame.id, e);
    if (row && held_by(row, p ? p->gen : CACHE_GEN))
        return row;
    if (!row && e->cls == ERR_INPUT)
        *e = (struct err){0}; /* no such call: nothing to settle */
    json_decref(row);
    return NULL;
}

/* It ended the engine again and again: no rule hears of it. */
static int call_bury(struct engine *eng, const struct item *it, const json_t *row, struct err *e)
{
    struct call_change c = {.state = "failed", .done_ms = clock_now_ms(),
                            .reply = "the engine ended at it again and again"};
    log_error("call.suspect", "call=%" PRIu64 " next=\"it is failed, no rule runs\"", it->frame.id);
    receipt(eng, it);
    if (judge_asks(row))
        return judge_stuck(eng, row, c.reply, e);
    return call_set_state(eng->db, (int64_t)it->frame.id, &c, e);
}

int calls_called(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    json_t *known = NULL;
    AUTO_JSON json_t *row = called_row(eng, it, e);
    if (!row) {
        receipt(eng, it);
        return e->cls == ERR_NONE ? 0 : -1;
    }
    if (suspect_at(eng->suspect, suspect_of_row("call", (int64_t)it->frame.id)) >= SUSPECT_DEATHS)
        return call_bury(eng, it, row, e);
    if (HOOK("call.abort"))
        abort();
    if (!it->peer && row_cached(eng, row, &known, e) < 0)
        return -1;
    struct call_outcome o = {.code = json_get_int(j, "code", 0),
                             .text = json_get_str(j, "text", ""),
                             .retry_ms = json_get_int(j, "retry_ms", 0),
                             .untried = json_get_bool(j, "not_tried", false),
                             .too_large = json_get_bool(j, "too_large", false),
                             .answer = it->frame.raw,
                             .answer_len = it->frame.raw_len,
                             .known = known};
    if (!it->peer && !known && !json_get_bool(j, "in_hand", false))
        o.untried = true; /* it has grown too old meanwhile */
    struct peer *p = it->peer ? peer_by_serial(eng, it->peer) : NULL;
    if (p && json_get_bool(j, "draining", false))
        p->draining = true; /* the next ones wait for its successor */
    room_again(eng, row);
    int rc = call_settle(eng, row, &o, e);
    json_decref(known);
    if (rc == 0)
        receipt(eng, it);
    return rc;
}

int calls_refused(struct engine *eng, struct item *it, const char *why, struct err *e)
{
    AUTO_JSON json_t *row = called_row(eng, it, e);
    if (row && (judge_asks(row) ? judge_stuck(eng, row, why, e)
                                : call_fail(eng, row, json_get_int(it->frame.json, "code", 0), why, e)) < 0)
        return -1;
    receipt(eng, it);
    return e->cls == ERR_NONE ? 0 : -1;
}

/* ---- couriers come and go ---------------------------------------------------------------- */

static int make_again(struct engine *eng, const json_t *row, bool tried, const char *why,
                      struct err *e)
{
    struct call_outcome o = {.text = why, .untried = !tried, .ours = true};
    room_again(eng, row);
    return call_settle(eng, row, &o, e);
}

int calls_hello(struct engine *eng, const struct peer *p, const json_t *hello, struct err *e)
{
    size_t i;
    json_t *row;
    if (!eng->calls || eng->calls->count == 0)
        return 0;
    AUTO_JSON json_t *rows = call_claimed(eng->db, e);
    if (!rows)
        return -1;
    const json_t *in_hand = json_get_arr(hello, "calls");
    json_array_foreach(rows, i, row)
        if (held_by(row, p->gen) && !json_has_int(in_hand, json_get_int(row, "id", 0)) &&
            make_again(eng, row, false, "it was not handed over", e) < 0)
            return -1;
    return 0;
}

static bool courier_lives(const struct engine *eng, const char *gen)
{
    for (const struct peer *p = eng->peers; p; p = p->next)
        if (strcmp(p->name, "courier") == 0 && strcmp(p->gen, gen) == 0)
            return true;
    return false;
}

int calls_settle(struct engine *eng, const char *gen, struct err *e)
{
    size_t i;
    json_t *row;
    if (!eng->calls || eng->calls->count == 0)
        return 0;
    AUTO_JSON json_t *rows = call_claimed(eng->db, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        const char *by = json_get_str(row, "gen", "");
        bool cache = strcmp(by, CACHE_GEN) == 0;
        if (gen ? strcmp(by, gen) != 0 : !cache && courier_lives(eng, by))
            continue;
        if (make_again(eng, row, !cache, "the courier ended; it is made again", e) < 0)
            return -1;
    }
    return 0;
}
