/* SPDX-License-Identifier: ISC
 *
 * outbound - the outbox and the courier: claim and hand over
 *
 * A due row is claimed with a slot in the courier's mapping inside the pass and
 * handed over after the commit. Which of those that are due go first is said by
 * lanes.h; what became of them is outbound_settle.c's.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/consent.h"
#include "engine/conversation.h"
#include "engine/outbound_inner.h"
#include "engine/relays.h"
#include "engine/sms_out.h"
#include "engine/storm.h"
#include "engine/suspect.h"
#include "store/outbox.h"

#define OUTBOUND_SLOTS 256
#define OUTBOUND_BATCH 64 /* rows claimed in one pass */
#define OUTBOUND_AHEAD MIB(16) /* bytes on their way to a courier that is slow to read */
#define AHEAD_PAUSE_MS 50
#define SLOTS_PAUSE_MS 5000 /* until slots are tried again that could not be written */

char *outbound_slots_path(struct engine *eng, const char *gen)
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
    AUTO_FREE char *path = outbound_slots_path(eng, p->gen);
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

/* Of the lines that may send; a line without room is looked at when one of its mails
 * has come back. */
static int64_t next_due(struct engine *eng)
{
    struct err e = {0};
    int64_t due[OUTBOX_LINES], next = 0;
    if (outbox_lines_due(eng->db, due, &e) < 0)
        return 0;
    for (int i = 0; i < OUTBOX_LINES; i++)
        if (due[i] && !eng->lanes.full[i] && (next == 0 || due[i] < next))
            next = due[i];
    return next;
}

void outbound_arm(struct engine *eng)
{
    int64_t next, now = clock_now_ms();
    if (!eng->db || eng->due_queued || !outbound_can_send(eng) || (next = next_due(eng)) == 0)
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

bool outbound_is_notice(const json_t *row)
{
    const char *c = json_get_str(row, "class", "");
    return strcmp(c, "notice") == 0 || strcmp(c, STORM_CLASS) == 0 ||
           strcmp(c, CONVERSATION_CLASS) == 0;
}

bool outbound_is_sms(const json_t *row)
{
    return strcmp(json_get_str(row, "channel", ""), "sms") == 0;
}

/* Consent is checked again at the moment of sending. */
int outbound_allowed(struct engine *eng, const json_t *row, bool *ok_out, struct err *e)
{
    enum consent_why why;
    int64_t now = clock_now_ms();
    *ok_out = true;
    if (outbound_is_notice(row) || outbound_is_sms(row)) /* sms_frame() asks */
        return 0;
    if (consent_may_mail(eng, json_get_str(row, "to_addr", ""), json_get_str(row, "list", NULL), now,
                         &why, e) < 0)
        return -1;
    if (why == CONSENT_OK)
        return 0;
    *ok_out = false;
    return outbound_suppress(eng, row, consent_mail_text(why), e);
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

static int row_hand(struct engine *eng, const json_t *row, struct handed *h, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_mail mail;
    json_t *names;
    *h = (struct handed){.type = FRAME_SEND};
    if (outbound_is_sms(row))
        return sms_frame(eng, row, &h->type, &h->json, &h->raw, &h->raw_len, e);
    if (relays_for(eng, row, &names, e) < 0)
        return -1;
    if (!names)
        return 0;
    AUTO_JSON json_t *relays = names;
    if (strcmp(json_get_str(row, "class", ""), STORM_CLASS) == 0 &&
        storm_write(eng, id, json_get_str(row, "to_addr", ""), e) < 0)
        return -1;
    if (outbox_mail(eng->db, id, &mail, e) < 0)
        return -1;
    h->json = json_pack("{s:O, s:s, s:s, s:I}", "relay", relays, "from", mail.mail_from, "to",
                        mail.rcpt_to, "attempt", (json_int_t)json_get_int(row, "attempts", 0) + 1);
    if (json_get_int(row, "line", 0) == LANE_PERSON)
        json_put_bool(h->json, "urgent", true);
    h->raw = mail.raw;
    h->raw_len = mail.raw_len;
    mail.raw = NULL;
    outbox_mail_done(&mail);
    return 0;
}

/* *handed_out: bytes of the mail. */
static enum claim row_claim(struct engine *eng, struct peer *courier, const json_t *row,
                            size_t *handed_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0), tries = json_get_int(row, "attempts", 0);
    int64_t slot = slots_find_free(courier->slots);
    struct handed h;
    if (slot < 0)
        return CLAIM_NOT_NOW; /* the next SENT frame makes room and arms the timer */
    if (row_hand(eng, row, &h, e) < 0)
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
static int row_send(struct engine *eng, struct peer *courier, const json_t *row,
                    size_t *handed_out, bool *more_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    bool allowed;
    *handed_out = 0;
    if (suspect_at(eng->suspect, suspect_of_row("due", id)) >= SUSPECT_DEATHS) {
        err_set(e, ERR_BUG, "the engine ended at it again and again");
        return row_give_up(eng, id, e);
    }
    if (outbound_allowed(eng, row, &allowed, e) < 0)
        return -1;
    if (!allowed)
        return 0;
    enum claim c = row_claim(eng, courier, row, handed_out, e);
    *more_out = c == CLAIM_DONE;
    return c == CLAIM_FAILED ? -1 : 0;
}

/* Rows that may be claimed now, fresh personal mail first (own). */
static json_t *rows_due(struct engine *eng, struct peer *courier, struct err *e)
{
    int64_t due[OUTBOX_LINES], in_hand[OUTBOX_LINES] = {0}, share[OUTBOX_LINES];
    int64_t now = clock_now_ms();
    bool is_due[OUTBOX_LINES], others = false;
    if (outbox_lines_due(eng->db, due, e) < 0)
        return NULL;
    for (int i = 0; i < OUTBOX_LINES; i++) {
        is_due[i] = due[i] && due[i] <= now;
        others |= is_due[i] && i != LANE_PERSON;
    }
    if (others && outbox_in_hand(eng->db, in_hand, e) < 0)
        return NULL;
    lanes_share(&eng->lanes, is_due, in_hand, slots_count(courier->slots), OUTBOUND_BATCH, share);
    json_t *rows = json_array();
    for (int i = 0; i < OUTBOX_LINES; i++) {
        AUTO_JSON json_t *some = share[i] ? outbox_due(eng->db, i, now, share[i], e) : json_array();
        if (!some) {
            json_decref(rows);
            return NULL;
        }
        lanes_took(&eng->lanes, is_due, i, (int64_t)json_array_size(some));
        json_array_extend(rows, some);
    }
    return rows;
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
    AUTO_JSON json_t *rows = rows_due(eng, courier, e);
    size_t ahead = chan_queued(courier->chan);
    if (!rows || relays_look(eng, e) < 0)
        return -1;
    json_array_foreach(rows, i, row) {
        size_t handed;
        if (!more)
            break;
        if (ahead > OUTBOUND_AHEAD) { /* more would be held in memory, and cut in the end */
            due_hold(eng, AHEAD_PAUSE_MS);
            break;
        }
        if (row_send(eng, courier, row, &handed, &more, e) < 0)
            return -1;
        ahead += handed;
    }
    return 0;
}
