/* SPDX-License-Identifier: ISC
 *
 * bounce - see bounce.h
 */
#include "engine/bounce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/command.h"
#include "engine/input.h"
#include "engine/token.h"
#include "store/message.h"
#include "store/outbox.h"

static bool verp_in(struct engine *eng, const json_t *list, const char *key, char name[32])
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = key ? json_get_str(v, key, NULL) : json_string_value(v);
        if (s && token_find(eng->key, "verp", s, name))
            return true;
    }
    return false;
}

/* Our ids carry the outbox row's token too, so the returned Message-ID is as
 * good as the return path. */
static int64_t bounce_outbox(struct engine *eng, const json_t *m)
{
    char name[32];
    const json_t *b = json_get_obj(m, "bounce");
    if (verp_in(eng, json_get_arr(m, "to"), "address", name) ||
        verp_in(eng, json_get_arr(m, "delivered_to"), NULL, name) ||
        verp_in(eng, json_get_arr(b, "envelope_recipients"), NULL, name) ||
        token_find(eng->key, "verp", json_get_str(b, "original_message_id", ""), name))
        return strtoll(name + 1, NULL, 10);
    return 0;
}

static int bounce_settle(struct engine *eng, const json_t *row, const json_t *bounce,
                         bool permanent, struct err *e)
{
    const char *state = json_get_str(row, "state", "");
    if (!permanent || (strcmp(state, "sent") != 0 && strcmp(state, "unknown") != 0))
        return 0;
    AUTO_FREE char *reply = mem_printf("bounced: %s %s", json_get_str(bounce, "status", ""),
                                       json_get_str(bounce, "diagnostic", ""));
    struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = reply};
    return outbox_set_state(eng->db, json_get_int(row, "id", 0), &c, e);
}

/* The ledger and whoever reads the bounce find the record by it. */
static int bounce_link(struct engine *eng, const struct crm_target *t, int64_t message_id,
                       struct err *e)
{
    struct message_row m = {
        .id = message_id,
        .contact_id = t->contact,
        .lead_id = t->lead,
        .case_id = t->kase,
    };
    return message_link(eng->db, &m, e);
}

/* A permanent bounce marks the address: nothing automatic goes there again. The
 * message is named, for it holds what the other side said. */
static int bounce_mark(struct input *in, const json_t *row, const json_t *bounce,
                       int64_t message_id, struct err *e)
{
    struct crm_actor actor = crm_system;
    const char *status = json_get_str(bounce, "status", "");
    bool plain = status[strspn(status, "0123456789.")] == '\0'; /* it came from outside */
    AUTO_FREE char *line = mem_printf("bounced %s%s%s (M%" PRId64 ")", json_get_str(row, "to", ""),
                                      plain && *status ? " " : "", plain ? status : "",
                                      message_id);
    struct err ce = {0};
    if (crm_command_run(in->ctx, &in->target, line, &actor, NULL, &ce) < 0) {
        if (ce.cls != ERR_INPUT) {
            *e = ce;
            return -1;
        }
        input_note(in, "the bounce marked nothing: %s", ce.text);
    }
    return 0;
}

int bounce_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                struct err *e)
{
    const json_t *bounce = json_get_obj(message, "bounce");
    bool permanent = json_get_bool(bounce, "permanent", false);
    int64_t id = eng->foreign_scale ? eng->foreign_bounced : bounce_outbox(eng, message);
    *ours_out = false;
    if (id == 0)
        return 0;
    struct err gone = {0};
    AUTO_JSON json_t *row = outbox_get(eng->db, id, &gone);
    if (!row && gone.cls == ERR_INPUT)
        return 0;
    if (!row) {
        *e = gone;
        return -1;
    }
    struct input in;
    input_begin(&in, eng, mem_printf("bounce M%" PRId64 " of mail %" PRId64, message_id, id),
                mem_printf("M%" PRId64, message_id));
    int rc = outbound_target(in.ctx, row, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0; /* the record is gone, the outbox row is not */
    else if (rc < 0)
        *e = gone;
    if (rc == 0)
        rc = bounce_link(eng, &in.target, message_id, e);
    if (rc == 0)
        rc = bounce_settle(eng, row, bounce, permanent, e);
    if (rc == 0 && permanent)
        rc = bounce_mark(&in, row, bounce, message_id, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    *ours_out = true;
    engine_count(eng, "bounces", 1);
    log_info("mail.bounced", "out=%" PRId64 " permanent=%d status=%s", id, permanent,
             json_get_str(bounce, "status", "-"));
    return rc;
}
