/* SPDX-License-Identifier: ISC
 *
 * outbound_settle - what became of a mail that was handed to the courier
 *
 * The courier's SENT frame says it, or, when the courier died, its slot: nothing
 * before FINAL can have reached the relay whole, so it is ready again; FINAL
 * without an answer is unknown and never blindly repeated.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/command.h"
#include "engine/call.h"
#include "engine/conversation.h"
#include "engine/gateways.h"
#include "engine/input.h"
#include "engine/outbound_inner.h"
#include "engine/relays.h"
#include "engine/retry.h"
#include "engine/sent_copies.h"
#include "engine/sms_out.h"
#include "engine/storm.h"
#include "engine/suspect.h"
#include "engine/thread.h"
#include "store/outbox.h"

/* ---- outcomes ------------------------------------------------------------------- */

struct outcome {
    const char *what; /* accepted, deferred, failed, unknown */
    int64_t code;
    const char *text, *relay;
    const json_t *told; /* all that the courier said; NULL: it died */
    bool mailed;  /* a relay had it, also with a text: told is of the relay */
    bool untried; /* the courier was ending: does not count as a try */
};

static void deferred_set(const json_t *row, const struct outcome *o, struct outbox_change *c)
{
    uint32_t random;
    int64_t now = clock_now_ms(), tries = json_get_int(row, "attempts", 0) + 1;
    hash_random(&random, sizeof(random));
    c->state = "deferred";
    c->attempt = !o->untried;
    c->next_ms = o->untried ? now : now + retry_delay_ms(tries, random);
    if (now - json_get_int(row, "created_ms", now) > RETRY_GIVE_UP_MS) {
        c->state = "failed";
        c->next_ms = 0;
        c->done_ms = now;
    }
}

/* on_unknown: ask (a task for the owner), resend, or drop. To resend is to try
 * again as after any failure, later each time, and not for ever: each try may be
 * another copy to the recipient. */
static int unknown_take(struct engine *eng, struct input *in, const json_t *row,
                        struct outbox_change *c, struct err *e)
{
    const char *policy = engine_setting(eng, "on_unknown", "ask");
    c->state = "unknown";
    c->attempt = true;
    c->done_ms = clock_now_ms();
    if (strcmp(policy, "resend") == 0) {
        c->done_ms = 0;
        deferred_set(row, &(struct outcome){0}, c);
        return 0;
    }
    if (strcmp(policy, "ask") != 0 || in->target.main == CRM_NONE)
        return 0;
    struct err ce = {0};
    struct crm_actor actor = crm_system;
    AUTO_FREE char *line =
        mem_printf("task 'It is not known whether %s %" PRId64 " reached the %s: look in the "
                   "conversation, then leadctl outbox retry or drop'",
                   outbound_is_sms(row) ? "SMS" : "mail", json_get_int(row, "id", 0),
                   outbound_is_sms(row) ? "gateway" : "relay");
    if (crm_command_run(in->ctx, &in->target, line, &actor, NULL, &ce) < 0 && ce.cls != ERR_INPUT) {
        *e = ce;
        return -1;
    }
    return 0;
}

/* What leadd wrote becomes an activity when it has left. */
static int settle_file(struct input *in, const json_t *row, int64_t id, struct err *e)
{
    const char *subject = json_get_str(row, "subject", "");
    struct crm_actor actor = crm_system;
    return outbound_is_sms(row)
               ? crm_record_texted(in->ctx, &in->target, subject, id, &actor, e)
               : crm_record_sent(in->ctx, &in->target, subject, 0, id, &actor, e);
}

/* Of one that an answer or a bounce has settled it is known by which relay it went, and that
 * it left when it became unknown. */
static int settle_copy(struct engine *eng, const json_t *row, const char *relay, int64_t now,
                       struct err *e)
{
    bool was_unknown = strcmp(json_get_str(row, "state", ""), "unknown") == 0;
    return sent_copies_note(eng, row, relay ? relay : json_get_str(row, "relay", NULL),
                            was_unknown ? json_get_int(row, "done_ms", now) : now, e);
}

static int settle_in(struct engine *eng, struct input *in, const json_t *row,
                     const struct outcome *o, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_change c = {.relay = o->relay, .reply = o->text, .code = o->code};
    const char *event = NULL;
    if (strcmp(o->what, "accepted") == 0) {
        c.state = "sent";
        c.attempt = !o->untried;
        c.done_ms = clock_now_ms();
        event = "outbox.sent";
    } else if (strcmp(o->what, "failed") == 0) {
        c.state = "failed";
        c.attempt = true;
        c.done_ms = clock_now_ms();
        event = "outbox.failed";
    } else if (strcmp(o->what, "unknown") == 0) {
        event = "outbox.unknown";
        if (unknown_take(eng, in, row, &c, e) < 0)
            return -1;
    } else {
        deferred_set(row, o, &c);
        event = strcmp(c.state, "failed") == 0 ? "outbox.failed" : NULL;
    }
    if (outbound_is_sms(row)) {
        if (sms_settled(in, row, o->what, o->told, &c, e) < 0)
            return -1;
        if (!event && strcmp(c.state, "failed") == 0)
            event = "outbox.failed";
    }
    if (relays_said(eng, id, o->mailed ? o->told : NULL, e) < 0)
        return -1;
    if (outbox_set_state(eng->db, id, &c, e) < 0)
        return -1;
    if (strcmp(c.state, "sent") == 0 && settle_copy(eng, row, o->relay, c.done_ms, e) < 0)
        return -1;
    lanes_free(&eng->lanes);
    AUTO_FREE char *counter = mem_printf("outbox_%s", c.state);
    engine_count(eng, counter, 1);
    log_info("out.settled", "out=%" PRId64 " state=%s try=%" PRId64 " relay=%s code=%" PRId64
             " reply=\"%s\"", id, c.state, json_get_int(row, "attempts", 0) + c.attempt,
             o->relay ? o->relay : "-", o->code, o->text ? o->text : "");
    if (!event || !(in->target.lead || in->target.kase || in->target.contact))
        return 0;
    struct crm_actor actor = crm_system;
    bool notice = outbound_is_notice(row);
    /* what a person wrote is an activity since it was written */
    bool filed = strcmp(json_get_str(row, "class", ""), RELAY_CLASS) == 0;
    if (strcmp(event, "outbox.sent") == 0 && !notice && !filed &&
        settle_file(in, row, id, e) < 0)
        return -1;
    if (filed && strcmp(event, "outbox.failed") == 0 && conversation_failed(in, row, o->text, e) < 0)
        return -1;
    if (!notice)
        crm_emit(in->ctx, event, &in->target, &actor);
    return input_finish(in, e);
}

int outbound_target(struct crm_ctx *ctx, const json_t *row, struct crm_target *out, struct err *e)
{
    int64_t lead = json_get_int(row, "lead_id", 0), kase = json_get_int(row, "case_id", 0),
            contact = json_get_int(row, "contact_id", 0);
    if (lead)
        return crm_target_of(ctx, CRM_LEAD, lead, out, e);
    if (kase)
        return crm_target_of(ctx, CRM_CASE, kase, out, e);
    return contact ? crm_target_of(ctx, CRM_CONTACT, contact, out, e) : 0;
}

/* row as outbox_get gives it. */
static int settle(struct engine *eng, const json_t *row, const struct outcome *o, struct err *e)
{
    struct input in;
    int64_t id = json_get_int(row, "id", 0);
    input_begin(&in, eng, mem_printf("mail out %" PRId64, id), mem_printf("O%" PRId64, id));
    struct err gone = {0};
    /* without a record no rule runs: of an outcome that ends the engine, the state is kept */
    bool bare = suspect_at(eng->suspect, suspect_of_row("out", id)) >= SUSPECT_DEATHS;
    int rc = bare ? 0 : outbound_target(in.ctx, row, &in.target, &gone);
    if (bare)
        log_error("out.suspect", "out=%" PRId64 " next=\"its outcome is kept, no rule runs\"", id);
    if (HOOK("outcome.abort") && !bare)
        abort();
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0; /* the record is gone, the outbox row is not */
    else if (rc < 0)
        *e = gone;
    if (rc == 0)
        rc = settle_in(eng, &in, row, o, e);
    input_end(&in);
    return rc;
}

static int suppress_tell(struct engine *eng, const json_t *row, const char *why, struct err *e)
{
    struct input in;
    struct err gone = {0};
    int64_t id = json_get_int(row, "id", 0);
    input_begin(&in, eng, mem_printf("mail out %" PRId64, id), mem_printf("O%" PRId64, id));
    int rc = outbound_target(in.ctx, row, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT) {
        rc = 0; /* the record is gone: there is nothing left to answer */
    } else if (rc < 0) {
        *e = gone;
    } else {
        rc = conversation_failed(&in, row, why, e);
        if (rc == 0)
            rc = input_finish(&in, e);
    }
    input_end(&in);
    return rc;
}

int outbound_suppress(struct engine *eng, const json_t *row, const char *why, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = why};
    log_info("out.suppressed", "out=%" PRId64 " reason=\"%s\"", id, why);
    if (outbox_set_state(eng->db, id, &c, e) < 0)
        return -1;
    if (strcmp(json_get_str(row, "class", ""), RELAY_CLASS) != 0)
        return 0;
    AUTO_JSON json_t *whole = outbox_get(eng->db, id, e);
    return whole ? suppress_tell(eng, whole, why, e) : -1;
}

int outbound_accept(struct engine *eng, int64_t id, struct err *e)
{
    bool allowed;
    struct outcome o = {.what = "accepted", .code = 250};
    AUTO_JSON json_t *row = outbox_get(eng->db, id, e);
    if (!row)
        return -1;
    json_object_set(row, "to_addr", json_object_get(row, "to")); /* as outbox_due calls it */
    if (outbound_allowed(eng, row, &allowed, e) < 0)
        return -1;
    if (!allowed)
        return 0;
    if (strcmp(json_get_str(row, "class", ""), STORM_CLASS) == 0 &&
        storm_write(eng, id, json_get_str(row, "to", ""), e) < 0)
        return -1;
    return settle(eng, row, &o, e);
}

/* Who answers a mail has got it, whatever the relay left open. */
int outbound_answered(struct engine *eng, const json_t *message, int64_t message_id, struct err *e)
{
    const char *from = json_get_str(json_get_obj(message, "from"), "folded", "");
    const char *id = json_string_value(json_array_get(json_get_arr(message, "in_reply_to"), 0));
    int64_t row_id = 0;
    if (!id)
        return 0;
    if (thread_outbox(eng, id, &row_id, e) < 0)
        return -1;
    AUTO_JSON json_t *row = row_id ? outbox_get(eng->db, row_id, e) : NULL;
    if (row_id && !row)
        return -1;
    if (strcmp(json_get_str(row, "state", ""), "unknown") != 0 ||
        strcmp(json_get_str(row, "to", ""), from) != 0)
        return 0;
    AUTO_FREE char *text = mem_printf("it arrived: M%" PRId64 " answers it", message_id);
    return settle(eng, row, &(struct outcome){.what = "accepted", .text = text, .untried = true}, e);
}

static bool held_by(const json_t *row, const char *gen)
{
    return strcmp(json_get_str(row, "state", ""), "claimed") == 0 &&
           strcmp(json_get_str(row, "gen", ""), gen) == 0;
}

int outbound_sent(struct engine *eng, struct item *it, struct err *e)
{
    struct peer *p = peer_by_serial(eng, it->peer);
    const json_t *j = it->frame.json;
    struct outcome o = {
        .what = json_get_str(j, "outcome", "unknown"),
        .code = json_get_int(j, "code", 0),
        .text = json_get_str(j, "text", NULL),
        .relay = json_get_str(j, "relay", NULL),
        .told = j,
        .mailed = it->frame.type == FRAME_SENT,
        .untried = json_get_bool(j, "not_tried", false),
    };
    if (!p)
        return 0; /* the courier is gone: its slots tell */
    p->draining |= o.untried; /* it gives mails back: the next ones wait for its successor */
    AUTO_JSON json_t *row = outbox_get(eng->db, (int64_t)it->frame.id, e);
    if (!row)
        return -1;
    bool held = held_by(row, p->gen);
    if (held && settle(eng, row, &o, e) < 0)
        return -1;
    struct answer *a = engine_answer(eng, it->peer, FRAME_RECEIPT, it->frame.id, json_object());
    if (held) /* not before the commit: if all ends there, the slot is what tells */
        a->settled = json_get_int(row, "slot", 0);
    return 0;
}

/* Slots that no row holds: the engine ended between a claim and its commit, or
 * between the commit of an outcome and giving the slot back. */
static void slots_sweep(struct peer *p, const json_t *claimed)
{
    size_t i;
    json_t *row;
    struct slot s;
    AUTO_FREE bool *held = mem_array(slots_count(p->slots), sizeof(*held));
    json_array_foreach(claimed, i, row) {
        int64_t at = json_get_int(row, "slot", -1);
        if (at >= 0 && at < (int64_t)slots_count(p->slots) && held_by(row, p->gen))
            held[at] = true;
    }
    for (uint32_t at = 0; at < slots_count(p->slots); at++)
        if (!held[at] && slots_get(p->slots, at, &s) == 0 && s.state != SLOT_FREE)
            slots_free(p->slots, at);
}

/* After a restart of the engine: a claimed row that the courier never saw was
 * not handed over. Of one it has been at, the outcome comes. */
int outbound_hello(struct engine *eng, struct item *it, struct err *e)
{
    struct peer *p = peer_by_serial(eng, it->peer);
    size_t i;
    json_t *row;
    if (p && calls_hello(eng, p, it->frame.json, e) < 0)
        return -1;
    if (p && !p->slots) {
        json_decref(p->state); /* outbound_look comes back to it */
        p->state = json_incref(it->frame.json);
    }
    if (!p || !p->slots)
        return 0;
    /* a row claimed before this would look as if it had not been handed over */
    p->greeted = true;
    eng->gateways->asked = 0; /* a new courier has no questions */
    AUTO_JSON json_t *rows = outbox_claimed(eng->db, e);
    if (!rows)
        return -1;
    slots_sweep(p, rows);
    const json_t *busy = json_get_arr(it->frame.json, "busy");
    json_array_foreach(rows, i, row) {
        struct slot s;
        uint32_t at = (uint32_t)json_get_int(row, "slot", 0);
        struct outcome o = {.what = "deferred", .text = "it was not handed over", .untried = true};
        if (!held_by(row, p->gen) || json_has_int(busy, json_get_int(row, "id", 0)) ||
            slots_get(p->slots, at, &s) < 0 || s.state != SLOT_CLAIMED)
            continue;
        if (settle(eng, row, &o, e) < 0)
            return -1;
        engine_answer(eng, it->peer, FRAME_NONE, 0, NULL)->settled = at;
    }
    return 0;
}

/* ---- after a courier's death ------------------------------------------------------ */

static void outcome_of_slot(const struct slots *slots, const json_t *row, struct outcome *o)
{
    struct slot s;
    *o = (struct outcome){.what = "unknown", .text = "the courier ended; its notes are lost"};
    if (!slots || !slots_same_boot(slots) ||
        slots_get(slots, (uint32_t)json_get_int(row, "slot", 0), &s) < 0 ||
        s.id != (uint64_t)json_get_int(row, "id", 0))
        return;
    o->code = s.code;
    o->text = "the courier ended";
    if (s.state == SLOT_FINAL) {
        o->text = "the courier ended after the last bytes, before the answer";
    } else if (s.state == SLOT_DONE) {
        o->what = s.code >= 200 && s.code < 300 ? "accepted"
                  : s.code >= 500               ? "failed"
                                                : "deferred";
    } else if (s.state == SLOT_CLAIMED || s.state == SLOT_SENDING) {
        o->what = "deferred";
        o->untried = true;
    }
}

int outbound_settle(struct engine *eng, const char *gen, struct err *e)
{
    size_t i;
    json_t *row;
    struct err none = {0};
    AUTO_FREE char *path = outbound_slots_path(eng, gen);
    AUTO_JSON json_t *rows = outbox_claimed(eng->db, e);
    if (!rows)
        return -1;
    struct slots *slots = slots_open(path, &none);
    int rc = 0;
    json_array_foreach(rows, i, row) {
        struct outcome o;
        if (rc < 0 || !held_by(row, gen))
            continue;
        outcome_of_slot(slots, row, &o);
        CRASH_POINT("settle.before");
        rc = settle(eng, row, &o, e);
        CRASH_POINT("settle.after");
    }
    slots_unmap(&slots);
    return rc;
}

/* At the engine's start: rows of couriers that are no more. */
int outbound_settle_all(struct engine *eng, struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows = outbox_claimed(eng->db, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        const char *gen = json_get_str(row, "gen", "");
        bool alive = false;
        for (struct peer *p = eng->peers; p; p = p->next)
            alive |= strcmp(p->name, "courier") == 0 && strcmp(p->gen, gen) == 0;
        if (!alive && outbound_settle(eng, gen, e) < 0)
            return -1;
    }
    return 0;
}
