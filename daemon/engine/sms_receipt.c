/* SPDX-License-Identifier: ISC
 *
 * sms_receipt - see sms_receipt.h
 */
#include "engine/sms_receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "engine/gateway_test.h"
#include "engine/sms_out.h"
#include "engine/webhook.h"
#include "store/outbox.h"
#include "store/sms.h"

/* ---- states ---------------------------------------------------------------------------- */

static int state_rank(const char *state)
{
    static const struct {
        const char *name;
        int rank;
    } ranks[] = {{"queued", 1}, {"sent", 2}, {"undelivered", 3}, {"failed", 3}, {"delivered", 4}};
    for (size_t i = 0; state && i < ARRAY_LEN(ranks); i++)
        if (strcmp(ranks[i].name, state) == 0)
            return ranks[i].rank;
    return 0;
}

/* The day's sums follow what is known of the text. */
static int count_change(struct engine *eng, const json_t *sms, const char *gateway,
                        const struct gateway_receipt *r, bool ends, struct err *e)
{
    const char *old = json_get_str(sms, "delivery", "");
    struct sms_count_row n = {.gateway = gateway, .day = clock_now_ms() / DAY_MS};
    if (ends) {
        n.delivered = r->state == GATEWAY_DELIVERED;
        n.failed = (r->state != GATEWAY_DELIVERED) - (state_rank(old) == 3);
    }
    if (r->micros >= 0) {
        n.micros = r->micros - json_get_int(sms, "micros", 0);
        n.currency = *r->currency ? r->currency : NULL;
    }
    return n.delivered || n.failed || n.micros ? sms_day_add(eng->db, &n, e) : 0;
}

/* A row whose answer never came, or said "later": the gateway has it. */
static int row_arrived(struct input *in, const json_t *row, const struct gateway_receipt *r,
                       struct err *e)
{
    const char *state = json_get_str(row, "state", "");
    int64_t id = json_get_int(row, "id", 0);
    struct crm_actor actor = crm_system;
    struct outbox_change c = {
        .state = "sent", .done_ms = clock_now_ms(), .reply = "a receipt says that it arrived"};
    if ((strcmp(state, "unknown") != 0 && strcmp(state, "deferred") != 0) ||
        r->state == GATEWAY_FAILED)
        return 0;
    if (outbox_set_state(in->eng->db, id, &c, e) < 0)
        return -1;
    log_info("sms.arrived", "out=%" PRId64 " was=%s", id, state);
    if (in->target.main == CRM_NONE || strcmp(json_get_str(row, "class", ""), "notice") == 0)
        return 0;
    if (crm_record_texted(in->ctx, &in->target, json_get_str(row, "subject", ""), id, &actor, e) < 0)
        return -1;
    crm_emit(in->ctx, "outbox.sent", &in->target, &actor);
    return 0;
}

static int tell_rules(struct input *in, const json_t *row, const struct gateway_receipt *r,
                      struct err *e)
{
    struct crm_actor actor = crm_system;
    if (r->state != GATEWAY_DELIVERED &&
        sms_mark(in, json_get_str(row, "to", ""), gateway_reason_name(r->reason), r->code, e) < 0)
        return -1;
    if (in->target.main != CRM_NONE && strcmp(json_get_str(row, "class", ""), "notice") != 0)
        crm_emit(in->ctx, r->state == GATEWAY_DELIVERED ? "sms.delivered" : "sms.failed",
                 &in->target, &actor);
    return 0;
}

int sms_receipt_apply(struct input *in, const json_t *row, const char *gateway,
                      const struct gateway_receipt *r, struct err *e)
{
    struct engine *eng = in->eng;
    int64_t id = json_get_int(row, "id", 0);
    json_t *one = NULL;
    if (sms_get(eng->db, id, &one, e) < 0)
        return -1;
    AUTO_JSON json_t *sms = one;
    if (!sms)
        return 0;
    const char *state = r->state < GATEWAY_STATE_COUNT ? gateway_state_name(r->state) : NULL;
    int rank = state_rank(state);
    bool further = rank > state_rank(json_get_str(sms, "delivery", NULL));
    bool ends = further && rank >= 3;
    struct sms_change c = {.gateway = gateway,
                           .provider_id = *r->id ? r->id : NULL,
                           .delivery = further ? state : NULL,
                           .delivery_ms = further ? clock_now_ms() : 0,
                           .reason = ends && rank == 3 ? gateway_reason_name(r->reason) : NULL,
                           .error = ends && rank == 3 && *r->code ? r->code : NULL,
                           .micros = r->micros,
                           .currency = r->currency};
    if (count_change(eng, sms, gateway, r, ends, e) < 0 || sms_set(eng->db, id, &c, e) < 0 ||
        row_arrived(in, row, r, e) < 0)
        return -1;
    log_info("sms.receipt", "out=%" PRId64 " gateway=%s state=%s code=%s next=%s", id, gateway,
             state ? state : r->status, *r->code ? r->code : "-", further ? "noted" : "ignored");
    gateway_test_receipt(eng, id, state ? state : r->status);
    if (further)
        engine_count(eng, rank == 4 ? "sms_delivered" : rank == 3 ? "sms_failed" : "sms_receipts", 1);
    return ends ? tell_rules(in, row, r, e) : 0;
}

/* ---- before the answer -------------------------------------------------------------------- */

static json_t *receipt_json(const struct gateway_receipt *r)
{
    return json_pack("{s:i, s:i, s:s, s:s, s:s, s:I, s:s}", "state", (int)r->state, "reason",
                     (int)r->reason, "id", r->id, "code", r->code, "status", r->status, "micros",
                     (json_int_t)r->micros, "currency", r->currency);
}

static void receipt_of_json(const json_t *j, struct gateway_receipt *r)
{
    int64_t state = json_get_int(j, "state", GATEWAY_STATE_COUNT),
            reason = json_get_int(j, "reason", 0);
    *r = (struct gateway_receipt){
        .state = state >= 0 && state < GATEWAY_STATE_COUNT ? (enum gateway_state)state
                                                           : GATEWAY_STATE_COUNT,
        .reason = reason >= 0 && reason < GATEWAY_REASON_COUNT ? (enum gateway_reason)reason
                                                               : GATEWAY_PERMANENT,
        .micros = json_get_int(j, "micros", -1)};
    snprintf(r->id, sizeof(r->id), "%s", json_get_str(j, "id", ""));
    snprintf(r->code, sizeof(r->code), "%s", json_get_str(j, "code", ""));
    snprintf(r->status, sizeof(r->status), "%s", json_get_str(j, "status", ""));
    snprintf(r->currency, sizeof(r->currency), "%s", json_get_str(j, "currency", ""));
}

int sms_receipt_early(struct input *in, const json_t *row, const char *gateway,
                      const char *provider_id, struct err *e)
{
    size_t i;
    json_t *one;
    AUTO_JSON json_t *list = sms_early_take(in->eng->db, gateway, provider_id, e);
    if (!list)
        return -1;
    json_array_foreach(list, i, one) {
        struct gateway_receipt r;
        receipt_of_json(one, &r);
        if (sms_receipt_apply(in, row, gateway, &r, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- one receipt --------------------------------------------------------------------------- */

/* *row_out is NULL when there is none. */
static int receipt_row(struct engine *eng, int64_t id, json_t **row_out, struct err *e)
{
    struct err gone = {0};
    *row_out = id ? outbox_get(eng->db, id, &gone) : NULL;
    if (!*row_out && id && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    return 0;
}

static int receipt_input(struct engine *eng, const json_t *row, const char *gateway,
                         const struct gateway_receipt *r, struct err *e)
{
    struct input in;
    struct err gone = {0};
    int64_t id = json_get_int(row, "id", 0);
    input_begin(&in, eng, mem_printf("sms receipt %" PRId64, id),
                mem_printf("R%" PRId64 "/%s", id, r->status));
    int rc = outbound_target(in.ctx, row, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0; /* the record is gone, the row is not */
    else if (rc < 0)
        *e = gone;
    if (rc == 0)
        rc = sms_receipt_apply(&in, row, gateway, r, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

int sms_receipt_of(struct engine *eng, int64_t outbox, const char *gateway,
                   const struct gateway_receipt *r, struct err *e)
{
    json_t *found;
    if (receipt_row(eng, outbox, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *row = found;
    return row ? receipt_input(eng, row, gateway, r, e) : 0;
}

int sms_receipt_one(struct engine *eng, const char *gateway, const struct gateway_receipt *r,
                    const char **why_out, struct err *e)
{
    int64_t id = *r->key ? sms_key_read(eng, r->key) : 0;
    json_t *found;
    if (id == 0 && *r->id && sms_find(eng->db, gateway, r->id, &id, e) < 0)
        return -1;
    if (receipt_row(eng, id, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *row = found;
    if (row)
        return receipt_input(eng, row, gateway, r, e);
    *why_out = "it names no SMS of ours";
    if (!*r->id || *r->key)
        return 0;
    *why_out = "its SMS is not known yet";
    AUTO_JSON json_t *kept = receipt_json(r);
    return sms_early_add(eng->db, gateway, r->id, clock_now_ms(), kept, e);
}

/* ---- the webhook ----------------------------------------------------------------------------- */

int receipt_take(struct engine *eng, struct webhook *w, struct err *e)
{
    struct gateway_receipt r;
    const json_t *conf = json_get_obj(w->conf, "receipt");
    const char *why = NULL;
    bool fresh, single = !*json_get_str(conf, "each", "");
    AUTO_FREE char *event = NULL;
    webhook_say(w, json_get_str(conf, "answer_type", "text/plain"),
                json_get_str(conf, "answer", ""));
    if (single && gateway_receipt(w->conf, "receipt", w->values, 0, &r) && (*r.id || *r.key))
        event = mem_printf("%s%s/%s/%s", r.id, r.key, r.status, r.code);
    if (webhook_enter(eng, w, event, &fresh, e) < 0)
        return -1;
    for (size_t i = 0; fresh && gateway_receipt(w->conf, "receipt", w->values, i, &r); i++) {
        if (r.state == GATEWAY_STATE_COUNT && r.micros < 0)
            why = "its state is none that the gateway's preset knows";
        else if (sms_receipt_one(eng, w->name, &r, &why, e) < 0)
            return -1;
    }
    return fresh ? webhook_filed(eng, w, why, 0, e) : 0;
}
