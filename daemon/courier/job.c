/* SPDX-License-Identifier: ISC
 *
 * job - see job.h
 */
#include "courier/job.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const outcome_names[] = {"accepted", "deferred", "failed", "unknown"};

struct slotmap *slotmap_hold(struct slotmap *m)
{
    if (m)
        m->refs++;
    return m;
}

void slotmap_drop(struct slotmap **mp)
{
    struct slotmap *m = *mp;
    *mp = NULL;
    if (!m || --m->refs > 0)
        return;
    slots_unmap(&m->slots);
    mem_free(m);
}

static uint32_t frame_slot(const struct frame *f)
{
    int64_t slot = json_get_int(f->json, "slot", -1);
    return slot >= 0 && slot < UINT32_MAX ? (uint32_t)slot : UINT32_MAX;
}

struct job *job_new(struct frame *f, struct slotmap *map)
{
    struct job *j = mem_alloc(sizeof(*j));
    j->id = f->id;
    j->map = slotmap_hold(map);
    j->slot = frame_slot(f);
    j->from = mem_str(json_get_str(f->json, "from", ""));
    j->to = mem_str(json_get_str(f->json, "to", ""));
    j->urgent = json_get_bool(f->json, "urgent", false);
    j->began_ms = clock_mono_ms();
    if (f->type == FRAME_TEXT)
        j->text = json_incref(f->json);
    buf_init(&j->raw, BOUND_FRAME_RAW);
    buf_add(&j->raw, f->raw ? f->raw : "", f->raw_len);
    return j;
}

void job_free(struct job **jp)
{
    struct job *j = *jp;
    *jp = NULL;
    if (!j)
        return;
    slotmap_drop(&j->map);
    mem_free(j->from);
    mem_free(j->to);
    buf_done(&j->raw);
    json_decref(j->sent);
    json_decref(j->text);
    json_decref(j->told);
    mem_free(j);
}

/* Can it stand between < and > of a command? */
static bool address_is_writable(const char *s)
{
    return text_is_single_line(s) && strpbrk(s, "<>\t") == NULL && strlen(s) <= BOUND_SMTP_ADDRESS;
}

static const char *job_check_slot(const struct job *j, enum job_outcome *out)
{
    *out = JOB_DEFERRED;
    if (!j->map)
        return "the engine gave no slots";
    if (!j->slot_ours)
        return "the slot does not stand for this mail";
    if (j->relay_count == 0)
        return j->text ? "none of the named gateways is in the config"
                       : "none of the named relays is in the config";
    return NULL;
}

const char *job_check(struct job *j, enum job_outcome *out)
{
    struct slot row;
    j->slot_ours = j->map && slots_get(j->map->slots, j->slot, &row) == 0 && row.id == j->id &&
                   row.state == SLOT_CLAIMED;
    *out = JOB_FAILED;
    if (j->text)
        return *json_get_str(j->text, "text", "") ? job_check_slot(j, out) : "the text is empty";
    if (!*j->to || !address_is_writable(j->to))
        return "the recipient's address cannot be written to SMTP";
    if (!address_is_writable(j->from))
        return "the sender's address cannot be written to SMTP";
    if (j->raw.len == 0)
        return "the mail is empty";
    return job_check_slot(j, out);
}

int job_mark(struct job *j, enum slot_state state)
{
    if (slots_set(j->map->slots, j->slot, j->id, state, 0) < 0)
        return -1;
    j->mark = state;
    return 0;
}

void job_move(struct job *j, const struct frame *f, struct slotmap *map)
{
    uint32_t at = frame_slot(f);
    struct slot row;
    if (!map || slots_get(map->slots, at, &row) < 0 || row.id != j->id ||
        row.state != SLOT_CLAIMED)
        return;
    if (j->mark > SLOT_CLAIMED)
        slots_set(map->slots, at, j->id, j->mark, 0);
    slotmap_drop(&j->map);
    j->map = slotmap_hold(map);
    j->slot = at;
}

/* The slot's last word. An unknown outcome leaves FINAL, and what was not
 * tried leaves CLAIMED: both already say what the engine is to think. */
static void job_settle_slot(struct job *j, enum job_outcome outcome, int code, bool not_tried)
{
    if (!j->map || !j->slot_ours || not_tried || outcome == JOB_UNKNOWN)
        return;
    if (outcome == JOB_ACCEPTED && code / 100 != 2)
        code = 250;
    else if (outcome == JOB_FAILED && code / 100 != 5)
        code = 550;
    else if (outcome == JOB_DEFERRED && code / 100 != 4)
        code = 0; /* a relay's 5xx that is not the recipient's fault */
    slots_set(j->map->slots, j->slot, j->id, SLOT_DONE, (uint32_t)code);
}

void job_finish(struct job *j, enum job_outcome outcome, int code, const char *relay,
                const char *text, bool not_tried)
{
    LEADD_ASSERT(!j->sent);
    int64_t ms = clock_mono_ms() - j->began_ms;
    job_settle_slot(j, outcome, code, not_tried);
    slotmap_drop(&j->map);
    buf_done(&j->raw);
    buf_init(&j->raw, 1);
    j->sent = json_object();
    json_put_str(j->sent, "outcome", outcome_names[outcome]);
    json_put_int(j->sent, "code", code);
    json_put_str(j->sent, "text", text);
    json_put_str(j->sent, "relay", relay);
    json_put_int(j->sent, "ms", ms);
    if (not_tried)
        json_put_bool(j->sent, "not_tried", true);
    if (j->told)
        json_object_update(j->sent, j->told);
    log_info("out.sent", "out=%" PRIu64 " outcome=%s relay=%s code=%d ms=%" PRId64 " text=\"%s\"",
             j->id, outcome_names[outcome], relay ? relay : "-", code, ms, text);
    j->on_done(j, j->arg);
}
