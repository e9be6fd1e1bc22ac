/* SPDX-License-Identifier: ISC
 *
 * judge - see judge.h
 */
#include "engine/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/form.h"
#include "engine/arrival.h"
#include "engine/hold.h"
#include "engine/timer.h"
#include "store/call.h"
#include "store/ledger.h"
#include "store/verdict.h"

#define LATE_REST_MS 1000 /* until those that were just given up are looked at again */

static const char *const said_words[] = {
    [JUDGE_HAM] = "ham", [JUDGE_SPAM] = "spam", [JUDGE_UNSURE] = "unsure", [JUDGE_NOTHING] = "nothing"};

const char *judge_of(const json_t *conf)
{
    return json_get_str(json_get_obj(conf, "verdict"), "endpoint", NULL);
}

bool judge_asks(const json_t *row)
{
    return strcmp(json_get_str(row, "kind", ""), "verdict") == 0;
}

static const json_t *form_conf(const struct engine *eng, const char *form)
{
    return json_get_obj(json_get_obj(eng->role->config, "forms"), form);
}

/* ---- what is asked ------------------------------------------------------------------- */

/* j: of the FORM frame. */
static json_t *question_of(struct engine *eng, const json_t *j, int64_t at_ms, struct err *e)
{
    static const char *const copied[] = {"form", "fields", "extra", "remote", "agent", "page"};
    char stamp[32];
    json_t *data = json_object();
    for (size_t i = 0; i < ARRAY_LEN(copied); i++)
        if (json_object_get(j, copied[i]))
            json_object_set(data, copied[i], json_object_get(j, copied[i]));
    AUTO_FREE char *address = crm_form_value(eng->crm, json_get_str(j, "form", ""),
                                             json_get_obj(j, "fields"), "contact.email");
    if (address)
        json_put_str(data, "address", address);
    json_t *body = json_pack("{s:s, s:s, s:o}", "type", "form.verdict", "timestamp",
                             clock_format_utc(at_ms, stamp, sizeof(stamp)), "data", data);
    AUTO_FREE char *text = json_line(body);
    if (strlen(text) <= BOUND_CALL_BODY)
        return body;
    json_decref(body);
    err_set(e, ERR_INPUT, "the post is too large to be sent: at most %zu bytes can be", BOUND_CALL_BODY);
    return NULL;
}

/* The post that waits for this call; NULL without an error: nothing does any more. */
static struct item *post_of(struct engine *eng, const json_t *verdict, struct err *e)
{
    struct err why = {0};
    struct item *post =
        verdict ? item_of_quarantine(eng, json_get_int(verdict, "post", 0), &why) : NULL;
    if (!post && why.cls != ERR_NONE && why.cls != ERR_INPUT)
        *e = why;
    return post;
}

json_t *judge_body(struct engine *eng, const json_t *row, struct err *e)
{
    json_t *found = NULL;
    if (verdict_get(eng->db, json_get_int(row, "id", 0), &found, e) < 0)
        return NULL;
    AUTO_JSON json_t *verdict = found;
    struct item *post = post_of(eng, verdict, e);
    json_t *body = post ? question_of(eng, post->frame.json, json_get_int(row, "created_ms", 0), e)
                        : NULL;
    if (!post && e->cls == ERR_NONE)
        err_set(e, ERR_INPUT, "the post was released or dropped meanwhile");
    if (post)
        item_free(post);
    return body;
}

/* ---- what is said ---------------------------------------------------------------------- */

int judge_read(const struct call_outcome *o, enum judge_said *out, struct err *e)
{
    struct err why = {0};
    if (o->too_large)
        return err_set(e, ERR_INPUT, "the answer has more than %zu bytes", BOUND_CALL_ANSWER);
    AUTO_JSON json_t *answer =
        json_load_bounded(o->answer ? o->answer : "", o->answer_len, BOUND_CALL_ANSWER, &why);
    const char *word = json_get_str(answer, "verdict", "");
    for (*out = JUDGE_HAM; *out < JUDGE_NOTHING; (*out)++)
        if (strcmp(word, said_words[*out]) == 0)
            return 0;
    return err_set(e, ERR_INPUT, "the answer is no {\"verdict\": \"ham\", \"spam\" or \"unsure\"}");
}

static int post_keep(struct engine *eng, const struct item *post, const char *why, struct err *e)
{
    AUTO_JSON json_t *q = quarantine_get(eng->db, post->quarantine, e);
    if (!q || quarantine_say(eng->db, post->quarantine, why, e) < 0 ||
        ledger_settle(eng->db, json_get_int(q, "ledger", 0), "quarantined", why, 0, e) < 0)
        return -1;
    log_warn("inbound.quarantined", "source=\"%s\" key=%s reason=\"%s\" next=\"leadctl quarantine\"",
             json_get_str(q, "source", ""), json_get_str(q, "key", ""), why);
    engine_count(eng, "quarantined", 1);
    return 0;
}

static int post_decide(struct engine *eng, struct item *post, const char *by, enum judge_said said,
                       const char *why, struct err *e)
{
    const char *form = json_get_str(post->frame.json, "form", "");
    const char *otherwise =
        json_get_str(json_get_obj(form_conf(eng, form), "verdict"), "otherwise", "accept");
    AUTO_FREE char *reason = said == JUDGE_SPAM
                                 ? mem_printf("taken for spam by %s", by)
                                 : mem_printf("no verdict of %s: %s", by, why ? why : "");
    log_info("form.verdict", "quarantine=Q%" PRId64 " form=%s endpoint=%s said=%s", post->quarantine,
             form, by, said_words[said]);
    engine_count(eng, said == JUDGE_NOTHING ? "verdicts_missed" : "verdicts", 1);
    if (said == JUDGE_SPAM)
        engine_count(eng, "forms_spam", 1);
    if (said == JUDGE_SPAM || (said == JUDGE_NOTHING && strcmp(otherwise, "quarantine") == 0))
        return post_keep(eng, post, reason, e);
    json_object_set_new(post->frame.json, "verdict",
                        json_pack("{s:s, s:s, s:s?}", "by", by, "said", said_words[said], "why",
                                  said == JUDGE_NOTHING ? why : NULL));
    return inbound_form_judged(eng, post, e);
}

int judge_decide(struct engine *eng, const json_t *row, enum judge_said said, const char *why,
                 struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    json_t *found = NULL;
    if (verdict_get(eng->db, id, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *verdict = found;
    struct item *post = post_of(eng, verdict, e);
    if (!post)
        return e->cls == ERR_NONE ? verdict_done(eng->db, id, e) : -1;
    int rc = post_decide(eng, post, json_get_str(verdict, "endpoint", ""), said, why, e);
    if (rc == 0)
        rc = verdict_done(eng->db, id, e);
    item_free(post);
    return rc;
}

int judge_stuck(struct engine *eng, const json_t *row, const char *why, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct call_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = why};
    json_t *found = NULL;
    if (verdict_get(eng->db, id, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *verdict = found;
    if (verdict &&
        quarantine_failed_again(eng->db, json_get_int(verdict, "post", 0), why, e) < 0)
        return -1;
    return call_set_state(eng->db, id, &c, e) < 0 ? -1 : verdict_done(eng->db, id, e);
}

/* ---- the post is kept -------------------------------------------------------------------- */

static const struct timer_key late_key = {"verdict", "", "", 0};

static int late_set(struct engine *eng, int64_t due_ms, struct err *e)
{
    json_t *row;
    struct timer_row t = {.key = late_key, .due_ms = due_ms, .since_ms = clock_now_ms()};
    if (timer_get(eng->db, &late_key, &row, e) < 0)
        return -1;
    int64_t before = json_get_int(row, "due_ms", INT64_MAX);
    json_decref(row);
    return before <= due_ms ? 0 : timer_write(eng, &t, e);
}

/* Why nobody is asked, in *why, else the rows that ask. */
static int question_put(struct engine *eng, const struct item *it, const json_t *conf, int64_t post,
                        struct err *why, struct err *e)
{
    const char *form = json_get_str(it->frame.json, "form", ""), *hold = hold_why(eng);
    int64_t waiting, now = clock_now_ms(),
            within = json_get_int(json_get_obj(conf, "verdict"), "within", 0);
    char record[32];
    if (verdict_count(eng->db, &waiting, e) < 0)
        return -1;
    if (hold || waiting >= BOUND_VERDICTS) {
        err_set(why, ERR_INPUT, "%s", hold ? hold : "too many wait for one");
        return 0;
    }
    AUTO_JSON json_t *body = question_of(eng, it->frame.json, now, why);
    if (!body)
        return 0;
    snprintf(record, sizeof(record), "Q%" PRId64, post);
    struct call_row row = {.endpoint = judge_of(conf), .kind = "verdict", .name = form,
                           .state = "ready", .record = record, .created_ms = now, .next_ms = now};
    if (call_add(eng->db, &row, e) < 0)
        return -1;
    const struct verdict_row v = {.call = row.id, .post = post, .form = form,
                                  .endpoint = row.endpoint, .until_ms = now + within};
    calls_look_again(eng, row.endpoint, now);
    return verdict_add(eng->db, &v, e) < 0 ? -1 : late_set(eng, v.until_ms, e);
}

static int judge_keep(struct engine *eng, struct item *it, const json_t *conf, int64_t ledger,
                      const char *reason, struct err *e)
{
    struct err why = {0};
    json_put_str(it->frame.json, "peer", it->peer_name);
    AUTO_FREE char *meta = json_line(it->frame.json);
    struct quarantine_row q = {.ledger_id = ledger, .kind = "form", .meta = meta, .reason = reason,
                               .raw = it->frame.raw, .raw_len = it->frame.raw_len,
                               .at_ms = clock_now_ms()};
    if (quarantine_add(eng->db, &q, e) < 0 || question_put(eng, it, conf, q.id, &why, e) < 0)
        return -1;
    if (why.cls == ERR_NONE)
        return 0;
    struct item *post = item_of_quarantine(eng, q.id, e);
    int rc = post ? post_decide(eng, post, judge_of(conf), JUDGE_NOTHING, why.text, e) : -1;
    if (post)
        item_free(post);
    return rc;
}

int judge_ask(struct engine *eng, struct item *it, const json_t *conf, struct err *e)
{
    struct arrival a;
    AUTO_FREE char *reason = mem_printf("waits for the verdict of %s", judge_of(conf));
    int rc = arrival_read(eng, it, &a, e);
    if (rc == 0)
        rc = arrival_enter(eng, &a, it, "quarantined", reason, e);
    if (rc == 0 && a.ledger_id)
        rc = judge_keep(eng, it, conf, a.ledger_id, reason, e);
    if (rc == 0) {
        arrival_form_done(eng, it, json_get_bool(conf, "confirm", false) ? "confirm"
                                   : a.ledger_id                         ? "ok"
                                                                         : "duplicate", NULL, 0);
        engine_count(eng, a.ledger_id ? "forms_judged" : "forms_duplicate", 1);
    }
    arrival_done(&a);
    return rc;
}

/* ---- no verdict in time -------------------------------------------------------------------- */

int judge_is_late(struct engine *eng, const json_t *row, bool *out, struct err *e)
{
    json_t *verdict = NULL;
    if (verdict_get(eng->db, json_get_int(row, "id", 0), &verdict, e) < 0)
        return -1;
    *out = json_get_int(verdict, "until_ms", 0) <= clock_now_ms();
    json_decref(verdict);
    return 0;
}

static int late_due(struct engine *eng, const json_t *row, struct err *e)
{
    size_t i;
    json_t *v;
    const struct timer_key k = timer_key_of(row);
    int64_t next, now = clock_now_ms();
    AUTO_JSON json_t *late = verdict_late(eng->db, now, BOUND_VERDICTS_LATE, e);
    if (!late)
        return -1;
    json_array_foreach(late, i, v)
        if (calls_give_up(eng, json_get_int(v, "call", 0), "no answer in time", e) < 0)
            return -1;
    if (verdict_next(eng->db, &next, e) < 0)
        return -1;
    const struct timer_row t = {.key = k, .since_ms = now,
                                .due_ms = next > now + LATE_REST_MS ? next : now + LATE_REST_MS};
    return next ? timer_write(eng, &t, e) : timer_remove(eng, &k, e);
}

static void late_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "posts of forms without a verdict in time go on as otherwise says");
}

const struct timer_kind timer_kind_verdict = {.name = "verdict", .fire = late_due, .tell = late_tell};
