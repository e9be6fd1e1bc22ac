/* SPDX-License-Identifier: ISC
 *
 * outbound - the outbox and the courier: claim, hand over, settle
 *
 * A due row is claimed with a slot in the courier's mapping inside the pass and
 * handed over after the commit. What became of it is the courier's SENT frame,
 * or, when the courier died, its slot: nothing before FINAL can have reached
 * the relay whole, so it is ready again; FINAL without an answer is unknown
 * and never blindly repeated.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/command.h"
#include "engine/call.h"
#include "engine/consent.h"
#include "engine/conversation.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "engine/retry.h"
#include "engine/sms_out.h"
#include "engine/storm.h"
#include "engine/suspect.h"
#include "store/outbox.h"

#define OUTBOUND_SLOTS 256
#define OUTBOUND_BATCH 64 /* rows claimed in one pass */
#define OUTBOUND_AHEAD MIB(16) /* bytes on their way to a courier that is slow to read */
#define AHEAD_PAUSE_MS 50
#define SLOTS_PAUSE_MS 5000 /* until slots are tried again that could not be written */

static char *slots_path(struct engine *eng, const char *gen)
{
    return mem_printf("%s/slots.%s", engine_setting(eng, "state_dir", "."), gen);
}

/* Files of couriers that are gone and hold no claimed row. Outside a pass, so
 * that it sees what is committed. */
static void slots_tidy(struct engine *eng)
{
    const char *dir = engine_setting(eng, "state_dir", ".");
    AUTO_JSON json_t *rows = outbox_claimed(eng->db, NULL);
    DIR *d = rows ? opendir(dir) : NULL;
    for (struct dirent *f; d && (f = readdir(d));) {
        size_t i;
        json_t *row;
        bool needed = false;
        if (strncmp(f->d_name, "slots.", 6) != 0)
            continue; /* and it may be shorter than that */
        for (struct peer *p = eng->peers; p; p = p->next)
            needed |= strcmp(p->gen, f->d_name + 6) == 0;
        json_array_foreach(rows, i, row)
            needed |= strcmp(json_get_str(row, "gen", ""), f->d_name + 6) == 0;
        if (!needed)
            unlinkat(dirfd(d), f->d_name, 0);
    }
    if (d)
        closedir(d);
}

/* The mapping is a file, so that it outlives engine and courier alike. */
int outbound_courier(struct engine *eng, struct peer *p, struct err *e)
{
    AUTO_FREE char *path = slots_path(eng, p->gen);
    p->slots = access(path, F_OK) == 0 ? slots_open(path, e)
                                       : slots_create(path, OUTBOUND_SLOTS, e);
    if (!p->slots)
        return -1;
    AUTO_JSON json_t *j = json_pack("{s:I}", "slots", (json_int_t)slots_count(p->slots));
    CRASH_POINT("slots.hand_over.before");
    chan_send(p->chan, FRAME_SLOTS, 0, j, NULL, 0, slots_fd(p->slots));
    CRASH_POINT("slots.hand_over.after");
    if (eng->db)
        slots_tidy(eng);
    outbound_arm(eng);
    return 0;
}

void outbound_look(struct engine *eng)
{
    struct err e = {0};
    struct peer *p = peer_by_name(eng, "courier");
    if (!p || p->slots || clock_mono_ms() < eng->slots_retry_mono)
        return;
    eng->slots_retry_mono = clock_mono_ms() + SLOTS_PAUSE_MS;
    if (outbound_courier(eng, p, &e) < 0)
        return;
    log_info("courier.slots", "next=\"mail is sent again\"");
    if (p->state) { /* its HELLO came meanwhile */
        struct item *it = item_new(ITEM_FRAME, p);
        it->frame.type = FRAME_HELLO;
        it->frame.json = json_incref(p->state);
        p->queued++;
        engine_queue(eng, it);
    }
}

/* ---- due ---------------------------------------------------------------------- */

bool outbound_can_send(struct engine *eng)
{
    struct peer *c = peer_by_name(eng, "courier");
    return c && c->slots && c->greeted && slots_find_free(c->slots) >= 0;
}

void outbound_arm(struct engine *eng)
{
    struct err e = {0};
    int64_t next = 0, now = clock_now_ms();
    if (!eng->db || eng->due_queued || !outbound_can_send(eng) ||
        outbox_next_due(eng->db, &next, &e) < 0 || next == 0)
        return;
    if (eng->due_at_ms == next && next > now)
        return;
    int64_t wait = next > now ? next - now : 0;
    if (wait > 0 && clock_is_pretended())
        return; /* pretended time stands still: `clock advance` looks again */
    int64_t hold = eng->due_hold_mono - clock_mono_ms();
    wait = hold > wait ? hold : wait;
    struct timeval tv = {wait / 1000, (wait % 1000) * 1000};
    eng->due_at_ms = next;
    event_add(eng->due, &tv);
}

static void due_hold(struct engine *eng, int ms)
{
    eng->due_hold_mono = clock_mono_ms() + ms;
}

static json_t *relay_names(struct engine *eng)
{
    json_t *names = json_array(), *relay;
    size_t i;
    json_array_foreach(json_get_arr(eng->role->config, "relays"), i, relay)
        json_array_append(names, json_object_get(relay, "name"));
    return names;
}

static bool row_is_notice(const json_t *row)
{
    const char *c = json_get_str(row, "class", "");
    return strcmp(c, "notice") == 0 || strcmp(c, STORM_CLASS) == 0 ||
           strcmp(c, CONVERSATION_CLASS) == 0;
}

static bool row_is_sms(const json_t *row)
{
    return strcmp(json_get_str(row, "channel", ""), "sms") == 0;
}

/* Consent is checked again at the moment of sending. */
static int row_allowed(struct engine *eng, const json_t *row, bool *ok_out, struct err *e)
{
    enum consent_why why;
    int64_t now = clock_now_ms();
    *ok_out = true;
    if (row_is_notice(row) || row_is_sms(row)) /* sms_frame() asks */
        return 0;
    if (consent_may_mail(eng, json_get_str(row, "to_addr", ""), json_get_str(row, "list", NULL), now,
                         &why, e) < 0)
        return -1;
    if (why == CONSENT_OK)
        return 0;
    *ok_out = false;
    struct outbox_change c = {.state = "failed", .done_ms = now, .reply = consent_mail_text(why)};
    log_info("out.suppressed", "out=%" PRId64 " reason=\"%s\"", json_get_int(row, "id", 0), c.reply);
    return outbox_set_state(eng->db, json_get_int(row, "id", 0), &c, e);
}

/* A row that cannot be sent must not stop those behind it. */
static int row_give_up(struct engine *eng, int64_t id, struct err *e)
{
    AUTO_FREE char *why = mem_printf("not sent: %s", e->text);
    struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = why};
    log_error("out.broken", "out=%" PRId64 " error=\"%s\" next=failed", id, e->text);
    return outbox_set_state(eng->db, id, &c, e);
}

enum claim { CLAIM_FAILED, CLAIM_DONE, CLAIM_NOT_NOW };

/* What the courier gets. json NULL: it does not leave now, and the row says why. */
struct handed {
    enum frame_type type;
    json_t *json; /* own */
    char *raw;    /* own */
    size_t raw_len;
};

static int row_hand(struct engine *eng, const json_t *row, json_t *relays, struct handed *h,
                    struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_mail mail;
    *h = (struct handed){.type = FRAME_SEND};
    if (row_is_sms(row))
        return sms_frame(eng, row, &h->type, &h->json, &h->raw, &h->raw_len, e);
    if (strcmp(json_get_str(row, "class", ""), STORM_CLASS) == 0 &&
        storm_write(eng, id, json_get_str(row, "to_addr", ""), e) < 0)
        return -1;
    if (outbox_mail(eng->db, id, &mail, e) < 0)
        return -1;
    h->json = json_pack("{s:O, s:s, s:s, s:I}", "relay", relays, "from", mail.mail_from, "to",
                        mail.rcpt_to, "attempt", (json_int_t)json_get_int(row, "attempts", 0) + 1);
    h->raw = mail.raw;
    h->raw_len = mail.raw_len;
    mail.raw = NULL;
    outbox_mail_done(&mail);
    return 0;
}

/* *handed_out: bytes of the mail. */
static enum claim row_claim(struct engine *eng, struct peer *courier, const json_t *row,
                            json_t *relays, size_t *handed_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0), tries = json_get_int(row, "attempts", 0);
    int64_t slot = slots_find_free(courier->slots);
    struct handed h;
    if (slot < 0)
        return CLAIM_NOT_NOW; /* the next SENT frame makes room and arms the timer */
    if (row_hand(eng, row, relays, &h, e) < 0)
        return e->cls == ERR_BUG && row_give_up(eng, id, e) == 0 ? CLAIM_DONE : CLAIM_FAILED;
    if (!h.json)
        return CLAIM_DONE;
    CRASH_POINT("slots.claim.before");
    int rc = slots_claim(courier->slots, (uint32_t)slot, (uint64_t)id, (uint32_t)tries + 1);
    CRASH_POINT("slots.claim.after");
    if (rc < 0) {
        json_decref(h.json);
        mem_free(h.raw);
        log_warn("courier.slot", "error=\"a slot cannot be written\" next=\"again in %d ms\"",
                 SLOTS_PAUSE_MS);
        due_hold(eng, SLOTS_PAUSE_MS);
        return CLAIM_NOT_NOW;
    }
    json_put_int(h.json, "slot", slot);
    struct answer *a = engine_answer(eng, courier->serial, h.type, (uint64_t)id, h.json);
    a->slot = slot; /* given back when this pass is undone */
    a->raw = h.raw;
    a->raw_len = *handed_out = h.raw_len;
    return outbox_claim(eng->db, id, courier->gen, slot, e) < 0 ? CLAIM_FAILED : CLAIM_DONE;
}

/* A row that ended the engine is not tried again and again. */
static int row_send(struct engine *eng, struct peer *courier, const json_t *row, json_t *relays,
                    size_t *handed_out, bool *more_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    bool allowed;
    *handed_out = 0;
    if (suspect_at(eng->suspect, suspect_of_row("due", id)) >= SUSPECT_DEATHS) {
        err_set(e, ERR_BUG, "the engine ended at it again and again");
        return row_give_up(eng, id, e);
    }
    if (row_allowed(eng, row, &allowed, e) < 0)
        return -1;
    if (!allowed)
        return 0;
    enum claim c = row_claim(eng, courier, row, relays, handed_out, e);
    *more_out = c == CLAIM_DONE;
    return c == CLAIM_FAILED ? -1 : 0;
}

int outbound_due(struct engine *eng, struct err *e)
{
    struct peer *courier = peer_by_name(eng, "courier");
    size_t i;
    json_t *row;
    bool more = true;
    eng->due_queued = false;
    if (!courier || !courier->slots || !courier->greeted)
        return 0;
    AUTO_JSON json_t *rows = outbox_due(eng->db, clock_now_ms(), OUTBOUND_BATCH, e);
    AUTO_JSON json_t *relays = relay_names(eng);
    size_t ahead = chan_queued(courier->chan);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        size_t handed;
        if (!more)
            break;
        if (ahead > OUTBOUND_AHEAD) { /* more would be held in memory, and cut in the end */
            due_hold(eng, AHEAD_PAUSE_MS);
            break;
        }
        if (row_send(eng, courier, row, relays, &handed, &more, e) < 0)
            return -1;
        ahead += handed;
    }
    return 0;
}

/* ---- outcomes ------------------------------------------------------------------- */

struct outcome {
    const char *what; /* accepted, deferred, failed, unknown */
    int64_t code;
    const char *text, *relay;
    const json_t *told; /* all that the courier said; NULL: it died */
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
                   row_is_sms(row) ? "SMS" : "mail", json_get_int(row, "id", 0),
                   row_is_sms(row) ? "gateway" : "relay");
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
    return row_is_sms(row)
               ? crm_record_texted(in->ctx, &in->target, subject, id, &actor, e)
               : crm_record_sent(in->ctx, &in->target, subject, 0, id, &actor, e);
}

static int settle_in(struct engine *eng, struct input *in, const json_t *row,
                     const struct outcome *o, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_change c = {.relay = o->relay, .reply = o->text, .code = o->code};
    const char *event = NULL;
    if (strcmp(o->what, "accepted") == 0) {
        c.state = "sent";
        c.attempt = true;
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
    if (row_is_sms(row)) {
        if (sms_settled(in, row, o->what, o->told, &c, e) < 0)
            return -1;
        if (!event && strcmp(c.state, "failed") == 0)
            event = "outbox.failed";
    }
    if (outbox_set_state(eng->db, id, &c, e) < 0)
        return -1;
    AUTO_FREE char *counter = mem_printf("outbox_%s", c.state);
    engine_count(eng, counter, 1);
    log_info("out.settled", "out=%" PRId64 " state=%s try=%" PRId64 " relay=%s code=%" PRId64
             " reply=\"%s\"", id, c.state, json_get_int(row, "attempts", 0) + c.attempt,
             o->relay ? o->relay : "-", o->code, o->text ? o->text : "");
    if (!event || !(in->target.lead || in->target.kase || in->target.contact))
        return 0;
    struct crm_actor actor = crm_system;
    bool notice = row_is_notice(row);
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

int outbound_accept(struct engine *eng, int64_t id, struct err *e)
{
    bool allowed;
    struct outcome o = {.what = "accepted", .code = 250};
    AUTO_JSON json_t *row = outbox_get(eng->db, id, e);
    if (!row)
        return -1;
    json_object_set(row, "to_addr", json_object_get(row, "to")); /* as outbox_due calls it */
    if (row_allowed(eng, row, &allowed, e) < 0)
        return -1;
    if (!allowed)
        return 0;
    if (strcmp(json_get_str(row, "class", ""), STORM_CLASS) == 0 &&
        storm_write(eng, id, json_get_str(row, "to", ""), e) < 0)
        return -1;
    return settle(eng, row, &o, e);
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

static bool works_on(const json_t *hello, int64_t id)
{
    size_t i;
    json_t *busy;
    json_array_foreach(json_get_arr(hello, "busy"), i, busy)
        if (json_integer_value(busy) == id)
            return true;
    return false;
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
    AUTO_JSON json_t *rows = outbox_claimed(eng->db, e);
    if (!rows)
        return -1;
    slots_sweep(p, rows);
    json_array_foreach(rows, i, row) {
        struct slot s;
        uint32_t at = (uint32_t)json_get_int(row, "slot", 0);
        struct outcome o = {.what = "deferred", .text = "it was not handed over", .untried = true};
        if (!held_by(row, p->gen) || works_on(it->frame.json, json_get_int(row, "id", 0)) ||
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
    AUTO_FREE char *path = slots_path(eng, gen);
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
