/* SPDX-License-Identifier: ISC
 *
 * call_settle - what became of a call, and what it means for its endpoint
 *
 * 2xx is done. No answer, 408, 409, 425, 429 and 5xx are tried again, later each time
 * and not before Retry-After, until the endpoint's give_up. 410 disables the endpoint.
 * All else fails at once: the same would be refused again.
 *
 * The answer to an enrichment is merged in an input of its own, with its event, so that
 * rules can go on from there.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/enrich.h"
#include "engine/call.h"
#include "engine/judge.h"
#include "engine/notice.h"
#include "engine/retry.h"
#include "store/call.h"

#define FORGET_EVERY 64 /* calls: then old ones are looked for */
#define BREAK_AFTER 5
#define BREAK_FIRST_MS INT64_C(30000)
#define BREAK_MOST_MS INT64_C(900000)
#define PAUSE_MOST_MS DAY_MS /* of Retry-After */

enum verdict { CALL_DONE, CALL_LATER, CALL_REFUSED, CALL_GONE };

static enum verdict verdict_of(const struct call_outcome *o)
{
    if (o->known || (o->code >= 200 && o->code < 300))
        return CALL_DONE;
    if (o->code == 410)
        return CALL_GONE;
    if (o->code == 0 || o->code == 408 || o->code == 409 || o->code == 425 || o->code == 429 ||
        o->code >= 500)
        return CALL_LATER;
    return CALL_REFUSED;
}

/* ---- the endpoint ----------------------------------------------------------------- */

static int tell_admin(struct engine *eng, const char *endpoint, const char *what, const char *text,
                      struct err *e)
{
    char day[32];
    AUTO_FREE char *key = mem_printf("endpoint/%s/%s/%s", endpoint, what, notice_day(day));
    AUTO_FREE char *subject = mem_printf("leadd: endpoint %s %s", endpoint, what);
    return notice_admin(eng, key, subject, text, e);
}

static int breaker_opens(struct engine *eng, struct endpoint *ep, const char *why, struct err *e)
{
    uint32_t random;
    hash_random(&random, sizeof(random));
    ep->open_ms = ep->open_ms ? ep->open_ms * 2 : BREAK_FIRST_MS;
    if (ep->open_ms > BREAK_MOST_MS)
        ep->open_ms = BREAK_MOST_MS;
    ep->open_until_ms = clock_now_ms() + ep->open_ms + (int64_t)(random % 1000) * ep->open_ms / 5000;
    log_warn("call.breaker", "endpoint=%s failures=%" PRId64 " error=\"%s\" next=\"one call in %" PRId64
             " s\"", ep->name, ep->fails, why, ep->open_ms / 1000);
    engine_count(eng, "endpoint_opened", 1);
    AUTO_FREE char *text =
        mem_printf("%" PRId64 " calls of the endpoint %s failed in a row, the last with:\n%s\n\n"
                   "What waits for it is kept, and one call tries now and then whether it is back.\n"
                   "This is told once a day. See: leadctl calls list endpoint=%s\n",
                   ep->fails, ep->name, why, ep->name);
    return tell_admin(eng, ep->name, "does not answer", text, e);
}

static int endpoint_failed(struct engine *eng, struct endpoint *ep, const struct call_outcome *o,
                           struct err *e)
{
    int64_t pause = o->retry_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : o->retry_ms;
    ep->fails++;
    if (pause > 0)
        ep->not_before_ms = clock_now_ms() + pause;
    if (ep->fails >= BREAK_AFTER)
        return breaker_opens(eng, ep, o->text ? o->text : "no answer", e);
    return 0;
}

static void endpoint_works(struct endpoint *ep)
{
    if (ep->open_ms)
        log_info("call.breaker", "endpoint=%s next=\"it is back: all that waits goes out\"", ep->name);
    ep->fails = ep->open_ms = ep->open_until_ms = ep->not_before_ms = 0;
}

static int endpoint_gone(struct engine *eng, struct endpoint *ep, struct err *e)
{
    AUTO_FREE char *text = mem_printf(
        "The endpoint %s answered \"410 Gone\": it wants no more calls, and gets none.\n\n"
        "What waits for it is kept: leadctl calls list endpoint=%s. Another url in leadd.conf\n"
        "enables it again, or: leadctl calls enable %s\n", ep->name, ep->name, ep->name);
    ep->disabled = true;
    log_warn("call.gone", "endpoint=%s next=\"disabled\"", ep->name);
    if (endpoint_disable(eng->db, ep->name, ep->url_hash, "it answered 410 Gone", clock_now_ms(),
                         e) < 0)
        return -1;
    return tell_admin(eng, ep->name, "is gone", text, e);
}

static int endpoint_learns(struct engine *eng, const json_t *row, enum verdict v,
                           const struct call_outcome *o, struct err *e)
{
    struct endpoint *ep = calls_endpoint(eng, json_get_str(row, "endpoint", ""));
    if (!ep || o->known || o->untried || o->ours)
        return 0;
    if (v == CALL_LATER)
        return endpoint_failed(eng, ep, o, e);
    endpoint_works(ep); /* it is there, whatever it says */
    return v == CALL_GONE ? endpoint_gone(eng, ep, e) : 0;
}

/* ---- the row ------------------------------------------------------------------------ */

static int row_done(struct engine *eng, const json_t *row, const struct call_change *c,
                    struct err *e)
{
    AUTO_FREE char *counter = mem_printf("calls_%s", c->state);
    engine_count(eng, counter, 1);
    log_info("call.settled", "call=%" PRId64 " endpoint=%s kind=%s state=%s try=%" PRId64
             " code=%" PRId64 " reply=\"%s\"",
             json_get_int(row, "id", 0), json_get_str(row, "endpoint", ""),
             json_get_str(row, "kind", ""), c->state, json_get_int(row, "attempts", 0) + c->attempt,
             c->code, c->reply ? c->reply : "");
    int64_t id = json_get_int(row, "id", 0), now = clock_now_ms();
    if (id % FORGET_EVERY == 0 &&
        call_forget(eng->db, now - BOUND_CALLS_DONE_MS, now - BOUND_CALLS_FAILED_MS, e) < 0)
        return -1;
    return call_set_state(eng->db, id, c, e);
}

static int row_later(struct engine *eng, const json_t *row, const struct call_outcome *o,
                     struct err *e)
{
    uint32_t random;
    int64_t now = clock_now_ms(), created = json_get_int(row, "created_ms", now);
    const struct endpoint *ep = calls_endpoint(eng, json_get_str(row, "endpoint", ""));
    struct call_change c = {.state = "deferred", .attempt = !o->untried, .code = o->code,
                            .reply = o->text, .next_ms = now};
    bool late = false; /* when a courier went, the post is not at stake in its item */
    if (judge_asks(row) && !o->ours && judge_is_late(eng, row, &late, e) < 0)
        return -1;
    if (late)
        return call_fail(eng, row, o->code, o->text ? o->text : "no answer", e);
    hash_random(&random, sizeof(random));
    if (!o->untried)
        c.next_ms = now + retry_call_ms(json_get_int(row, "attempts", 0) + 1, random);
    if (ep && now < created + ep->give_up_ms && c.next_ms > created + ep->give_up_ms)
        c.next_ms = created + ep->give_up_ms; /* the last try */
    if (o->retry_ms > c.next_ms - now)
        c.next_ms = now + (o->retry_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : o->retry_ms);
    if (ep && !o->untried && now - created >= ep->give_up_ms) {
        AUTO_FREE char *why = mem_printf("given up: %s", o->text ? o->text : "no answer");
        return call_fail(eng, row, o->code, why, e);
    }
    calls_look_again(eng, json_get_str(row, "endpoint", ""), c.next_ms);
    return row_done(eng, row, &c, e);
}

/* ---- enrichments ---------------------------------------------------------------------- */

struct merge {
    struct input in;
    struct crm_actor actor;
    char *who; /* own */
    bool gone; /* the record is */
};

static int merge_begin(struct engine *eng, const json_t *row, struct merge *m, struct err *e)
{
    enum crm_entity t = CRM_NONE;
    int64_t id = 0, n = json_get_int(row, "id", 0);
    struct err why = {0};
    const char *name = json_get_str(row, "name", "");
    m->gone = false;
    m->who = mem_printf("enrich-%s", name);
    m->actor = (struct crm_actor){CRM_BY_RULE, m->who,
                                  json_get_str(crm_enrichment(eng->crm, name), "at", NULL)};
    input_begin(&m->in, eng, mem_printf("call %" PRId64 " %s", n, name),
                mem_printf("H%" PRId64, n));
    m->in.asked = json_get_int(row, "depth", 0) + 1;
    if (crm_id_parse(json_get_str(row, "record", ""), &t, &id) == 0 &&
        crm_target_of(m->in.ctx, t, id, &m->in.target, &why) == 0)
        return 0;
    m->gone = true;
    if (why.cls == ERR_INPUT || why.cls == ERR_NONE)
        return 0;
    *e = why;
    return -1;
}

static void merge_end(struct merge *m)
{
    input_end(&m->in);
    mem_free(m->who);
}

static void merge_emit(struct merge *m, bool ok)
{
    static const char *const names[][2] = {{"lead.enrich_failed", "lead.enriched"},
                                           {"case.enrich_failed", "case.enriched"},
                                           {"contact.enrich_failed", "contact.enriched"}};
    const struct crm_target *t = &m->in.target;
    bool is_case = t->kase && (t->main == CRM_CASE || !t->lead);
    size_t i = is_case ? 1 : t->lead ? 0 : 2;
    crm_emit(m->in.ctx, names[i][ok], t, &m->actor);
}

/* The event that tells rules of it; the reason stands in the journal. */
static int enrich_failed(struct engine *eng, const json_t *row, const char *why, struct err *e)
{
    struct merge m;
    int rc = merge_begin(eng, row, &m, e);
    if (rc == 0 && !m.gone) {
        input_note(&m.in, "call %" PRId64 ": %s", json_get_int(row, "id", 0), why);
        merge_emit(&m, false);
        rc = input_finish(&m.in, e);
    }
    merge_end(&m);
    return rc;
}

void call_hash(const json_t *row, char out[HASH_SHA256_HEX])
{
    const char *text = json_get_str(row, "body", "");
    AUTO_JSON json_t *body = json_load_bounded(text, strlen(text), 2 * BOUND_CALL_BODY, NULL);
    AUTO_FREE char *fields = json_text(json_get_obj(json_get_obj(body, "data"), "fields"));
    hash_sha256_hex(fields ? fields : "", fields ? strlen(fields) : 0, out);
}

static int enrich_remember(struct engine *eng, const json_t *row, const json_t *values,
                           struct err *e)
{
    char hash[HASH_SHA256_HEX];
    const char *name = json_get_str(row, "name", "");
    int64_t holds = json_get_int(crm_enrichment(eng->crm, name), "cache", 0), now = clock_now_ms();
    if (holds == 0)
        return 0;
    if (json_get_int(row, "id", 0) % 64 == 0 && enriched_forget(eng->db, name, now - holds, e) < 0)
        return -1;
    AUTO_FREE char *text = json_line(values);
    call_hash(row, hash);
    return enriched_put(eng->db, name, hash, json_get_int(row, "contact_id", 0), text, now, e);
}

static json_t *enrich_values(struct engine *eng, const json_t *row, const struct call_outcome *o,
                             struct err *e)
{
    struct err why = {0};
    if (o->known)
        return json_incref((json_t *)o->known);
    if (o->too_large) {
        err_set(e, ERR_INPUT, "the answer has more than %zu bytes", BOUND_CALL_ANSWER);
        return NULL;
    }
    AUTO_JSON json_t *answer =
        json_load_bounded(o->answer ? o->answer : "", o->answer_len, BOUND_CALL_ANSWER, &why);
    if (json_is_object(answer) || json_is_array(answer))
        return crm_enrich_read(eng->crm, json_get_str(row, "name", ""), answer, clock_now_ms(), e);
    err_set(e, ERR_INPUT, "the answer is no JSON object%s%s", why.cls ? ": " : "", why.text);
    return NULL;
}

static int enrich_merge(struct engine *eng, const json_t *row, const json_t *values, struct err *e)
{
    struct merge m;
    int kept = 0, rc = merge_begin(eng, row, &m, e);
    if (rc == 0 && !m.gone) {
        rc = crm_enrich_merge(m.in.ctx, &m.in.target, json_get_str(row, "name", ""), values,
                              &m.actor, &kept, e);
        if (kept)
            input_note(&m.in, "%d of its fields stay as one of our own has set them", kept);
        if (rc == 0)
            merge_emit(&m, true);
        if (rc == 0)
            rc = input_finish(&m.in, e);
    }
    merge_end(&m);
    return rc;
}

static int enrich_take(struct engine *eng, const json_t *row, const struct call_outcome *o,
                       struct err *e)
{
    struct err why = {0};
    if (!crm_enrichment(eng->crm, json_get_str(row, "name", "")))
        return call_fail(eng, row, o->code, "there is no enrichment of this name any more", e);
    AUTO_JSON json_t *values = enrich_values(eng, row, o, &why);
    if (!values)
        return call_fail(eng, row, o->code, why.text, e);
    struct call_change c = {.state = "done", .attempt = !o->known, .code = o->code,
                            .done_ms = clock_now_ms(),
                            .reply = o->known ? "from the cache" : o->text};
    if ((!o->known && enrich_remember(eng, row, values, e) < 0) ||
        row_done(eng, row, &c, e) < 0)
        return -1;
    return enrich_merge(eng, row, values, e); /* ERR_INPUT undoes all of it: calls_refused */
}

static int verdict_take(struct engine *eng, const json_t *row, const struct call_outcome *o,
                        struct err *e)
{
    enum judge_said said;
    struct err why = {0};
    if (judge_read(o, &said, &why) < 0)
        return call_fail(eng, row, o->code, why.text, e);
    struct call_change c = {.state = "done", .attempt = true, .code = o->code,
                            .done_ms = clock_now_ms(), .reply = o->text};
    return row_done(eng, row, &c, e) < 0 ? -1 : judge_decide(eng, row, said, NULL, e);
}

/* ---- all of it -------------------------------------------------------------------------- */

int call_fail(struct engine *eng, const json_t *row, int64_t code, const char *why, struct err *e)
{
    struct call_change c = {.state = "failed", .attempt = code != 0, .code = code,
                            .done_ms = clock_now_ms(), .reply = why};
    const char *endpoint = json_get_str(row, "endpoint", "");
    AUTO_FREE char *text = mem_printf(
        "Call %" PRId64 " of the endpoint %s failed: %s.\n\n"
        "leadctl calls show %" PRId64 " tells more, leadctl calls retry %" PRId64 " tries it again.\n"
        "This is told once a day and endpoint; all of them: leadctl calls list state=failed\n",
        json_get_int(row, "id", 0), endpoint, why, json_get_int(row, "id", 0),
        json_get_int(row, "id", 0));
    if (row_done(eng, row, &c, e) < 0 || tell_admin(eng, endpoint, "refused a call", text, e) < 0)
        return -1;
    if (judge_asks(row))
        return judge_decide(eng, row, JUDGE_NOTHING, why, e);
    return strcmp(json_get_str(row, "kind", ""), "enrich") == 0 ? enrich_failed(eng, row, why, e)
                                                                : 0;
}

int call_settle(struct engine *eng, const json_t *row, const struct call_outcome *o, struct err *e)
{
    enum verdict v = verdict_of(o);
    if (endpoint_learns(eng, row, v, o, e) < 0)
        return -1;
    if (o->untried || v == CALL_LATER)
        return row_later(eng, row, o, e);
    if (v == CALL_DONE && strcmp(json_get_str(row, "kind", ""), "enrich") == 0)
        return enrich_take(eng, row, o, e);
    if (v == CALL_DONE && judge_asks(row))
        return verdict_take(eng, row, o, e);
    if (v != CALL_DONE) {
        bool moved = o->code >= 300 && o->code < 400;
        AUTO_FREE char *why = mem_printf("%s%s", o->text ? o->text : "refused",
                                         moved ? " (redirects are not followed)" : "");
        return call_fail(eng, row, o->code, why, e);
    }
    struct call_change c = {.state = "done", .attempt = true, .code = o->code,
                            .done_ms = clock_now_ms(), .reply = o->text};
    return row_done(eng, row, &c, e);
}
