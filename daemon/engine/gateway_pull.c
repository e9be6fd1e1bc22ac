/* SPDX-License-Identifier: ISC
 *
 * gateway_pull - see gateway_pull.h
 */
#include "engine/gateway_pull.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/form.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/asks.h"
#include "engine/sms_receipt.h"
#include "store/outbox.h"
#include "store/sms.h"

#define PULL_LOOK_MS HOUR_MS      /* between two looks for what is open */
#define PULL_FOR_MS (7 * 24 * HOUR_MS) /* an older one is not asked about any more */
#define PULL_AGAIN_MS (24 * HOUR_MS - HOUR_MS / 2) /* looks are hourly: at the same time of the next day */
#define PULL_ROWS 200             /* looked at in one turn */
#define PULL_BATCH 20             /* asked about in one turn */

static const json_t *pull_of(const struct gate *g)
{
    const json_t *p = json_get_obj(g->conf, "pull");
    return g->sends && (json_get_str(p, "path", NULL) || json_get_str(p, "url", NULL)) ? p : NULL;
}

static int pull_time(struct engine *eng, const char *gateway, int64_t due_ms, int64_t from,
                     struct err *e)
{
    struct timer_row t = {.key = {"pull", gateway, "", 0},
                          .due_ms = due_ms,
                          .step = from,
                          .since_ms = clock_now_ms()};
    return timer_write(eng, &t, e);
}

static int pull_ask(struct engine *eng, const struct peer *courier, const struct gate *g,
                    const json_t *row, uint64_t ask, struct err *e)
{
    int64_t id = json_get_int(row, "outbox_id", 0);
    eng->gateways->asked++;
    engine_answer(eng, courier->serial, FRAME_QUERY, ask,
                  json_pack("{s:s, s:s, s:s, s:I}", "gateway", g->name, "what", "pull",
                            "provider_id", json_get_str(row, "provider_id", ""), "out",
                            (json_int_t)id));
    return sms_set(eng->db, id, &(struct sms_change){.asked_ms = clock_now_ms(), .micros = -1}, e);
}

/* ---- the timer --------------------------------------------------------------------------- */

/* from: rows up to it are too old; moved on over those that have become so since. */
static int pull_turn(struct engine *eng, const struct peer *courier, const struct gate *g,
                     int64_t *from, int64_t *next_ms, struct err *e)
{
    int64_t now = clock_now_ms(), rate = json_get_int(pull_of(g), "rate", 60), asked = 0;
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows =
        sms_open(eng->db, g->name, *from, now - json_get_int(pull_of(g), "after", HOUR_MS),
                 now - PULL_AGAIN_MS, PULL_ROWS, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        if (json_get_int(row, "done_ms", 0) < now - PULL_FOR_MS) {
            *from = json_get_int(row, "outbox_id", 0);
            continue;
        }
        if (asked == PULL_BATCH || asked == rate)
            break;
        asked++;
        if (pull_ask(eng, courier, g, row, 0, e) < 0)
            return -1;
    }
    bool more = i < json_array_size(rows) || i == PULL_ROWS;
    *next_ms = more ? now + asked * 60000 / rate + 1 : now + PULL_LOOK_MS;
    if (asked)
        log_info("gateway.pull", "gateway=%s texts=%" PRId64 " more=%s", g->name, asked,
                 more ? "yes" : "no");
    return 0;
}

static int pull_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    const struct gate *g = gateways_find(eng, k.rule);
    const struct peer *courier = peer_by_name(eng, "courier");
    int64_t from = json_get_int(row, "step", 0), now = clock_now_ms(), next = now + 60000;
    if (!g || !pull_of(g))
        return timer_remove(eng, &k, e);
    if (courier && courier->greeted && now >= g->open_until_ms &&
        pull_turn(eng, courier, g, &from, &next, e) < 0)
        return -1;
    return pull_time(eng, g->name, next, from, e);
}

/* It cannot be asked now: the next try is an hour away. */
static int pull_later(struct engine *eng, const char *gateway, struct err *e)
{
    struct timer_key k = {"pull", gateway, "", 0};
    json_t *row;
    if (timer_get(eng->db, &k, &row, e) < 0)
        return -1;
    int64_t from = json_get_int(row, "step", 0);
    bool there = row != NULL;
    json_decref(row);
    return there ? pull_time(eng, gateway, clock_now_ms() + PULL_LOOK_MS, from, e) : 0;
}

int pulls_start(struct engine *eng, struct err *e)
{
    for (size_t i = 0; i < eng->gateways->count; i++) {
        const struct gate *g = &eng->gateways->list[i];
        struct timer_key k = {"pull", g->name, "", 0};
        json_t *row;
        if (!pull_of(g))
            continue; /* a timer that is there goes when it is due */
        if (timer_get(eng->db, &k, &row, e) < 0)
            return -1;
        bool there = row != NULL;
        json_decref(row);
        if (!there && pull_time(eng, g->name, clock_now_ms() + PULL_LOOK_MS, 0, e) < 0)
            return -1;
    }
    return 0;
}

static void pull_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    snprintf(out, n, "asks the gateway %s about texts without a receipt",
             json_get_str(row, "rule", ""));
}

const struct timer_kind timer_kind_pull = {.name = "pull", .fire = pull_fire, .tell = pull_tell};

/* ---- what it says ------------------------------------------------------------------------- */

/* The receipt in the answer that is about this text. */
static bool pull_find(const struct gate *g, const json_t *values, const char *id,
                      struct gateway_receipt *r)
{
    for (size_t i = 0; gateway_receipt(g->conf, "pull", values, i, r); i++)
        if (r->state < GATEWAY_STATE_COUNT && (!*r->id || strcmp(r->id, id) == 0))
            return true;
    return false;
}

static int pull_file(struct engine *eng, const struct gate *g, const struct item *it,
                     const char **why, struct err *e)
{
    struct gateway_receipt r;
    struct form f;
    struct err wrong = {0};
    form_init(&f);
    if (form_read(&f, json_get_str(it->frame.json, "type", ""), it->frame.raw ? it->frame.raw : "",
                  it->frame.raw_len, &wrong) < 0)
        *why = "the answer cannot be read";
    else if (!pull_find(g, f.values, json_get_str(it->frame.json, "provider_id", ""), &r))
        *why = "the answer has no state that the gateway's preset knows";
    form_done(&f);
    return *why ? 0
                : sms_receipt_of(eng, json_get_int(it->frame.json, "out", 0), g->name, &r, e);
}

static int pull_state(struct engine *eng, int64_t id, char out[32], struct err *e)
{
    json_t *sms;
    if (sms_get(eng->db, id, &sms, e) < 0)
        return -1;
    snprintf(out, 32, "%s", json_get_str(sms, "delivery", ""));
    json_decref(sms);
    return 0;
}

int pull_told(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    int64_t id = json_get_int(j, "out", 0), code = json_get_int(j, "code", 0);
    const struct gate *g = gateways_find(eng, json_get_str(j, "gateway", ""));
    const char *why = NULL;
    char was[32], now[32];
    eng->gateways->asked -= eng->gateways->asked > 0;
    if (!g || pull_state(eng, id, was, e) < 0)
        return g ? -1 : 0;
    if (code / 100 != 2)
        why = json_get_str(j, "text", "");
    else if (pull_file(eng, g, it, &why, e) < 0)
        return -1;
    if (pull_state(eng, id, now, e) < 0)
        return -1;
    if (why) {
        engine_count(eng, "gateway_pull_failed", 1);
        log_warn("gateway.pull_failed", "gateway=%s out=%" PRId64 " code=%" PRId64
                 " error=\"%s\" next=\"asked again tomorrow\"", g->name, id, code, why);
    }
    /* 404 is about the one text alone */
    if (code / 100 != 2 && code != 404 && pull_later(eng, g->name, e) < 0)
        return -1;
    AUTO_JSON json_t *part = json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)id, "was", was,
                                       "now", now, "note", why ? why : "");
    ask_answered(eng, it->frame.id, it->peer, FRAME_QUERIED, part);
    return 0;
}

/* ---- leadctl ------------------------------------------------------------------------------ */

json_t *pull_now(struct ctl *c, struct gate *g, struct err *e)
{
    struct peer *courier = peer_by_name(c->eng, "courier");
    int64_t now = clock_now_ms();
    size_t i;
    json_t *row;
    if (!pull_of(g)) {
        err_set(e, ERR_INPUT, "the gateway %s has no `pull` in leadd.conf or its preset", g->name);
        return NULL;
    }
    if (!courier || !courier->greeted) {
        err_set(e, ERR_INPUT, "the courier is just starting; ask again");
        return NULL;
    }
    AUTO_JSON json_t *rows = sms_open(c->eng->db, g->name, 0, now + 1, now + 1, PULL_BATCH, e);
    if (!rows)
        return NULL;
    if (json_array_size(rows) == 0)
        return ctl_text("every SMS that left by %s has its last state", g->name);
    struct ask *a = ask_new(c->eng, c->it, "pull");
    json_array_foreach(rows, i, row) {
        if (pull_ask(c->eng, courier, g, row, a->id, e) < 0)
            return NULL;
        ask_expect(a, courier->serial, FRAME_QUERIED);
    }
    return NULL;
}

json_t *pull_answer(const json_t *parts, int *exit_out)
{
    size_t i;
    json_t *part, *rows = json_array();
    json_array_foreach((json_t *)parts, i, part) {
        const char *error = json_get_str(part, "error", NULL);
        if (error)
            json_put_str(part, "note", error);
        if (*json_get_str(part, "note", ""))
            *exit_out = 1;
        json_array_append(rows, part);
    }
    return ctl_table(rows, "id SMS|was WAS|now IS|note NOTE");
}
