/* SPDX-License-Identifier: ISC
 *
 * call_make - from `webhook ENDPOINT` and `enrich NAME` to a row, and from the row to
 * what leaves
 *
 * The row is of the same transaction as what the rule did. The values are those of that
 * moment: what the receiver is told happened then, whenever it hears.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/call.h"
#include "engine/hold.h"
#include "engine/judge.h"
#include "engine/token.h"
#include "store/call.h"

static void put_id(json_t *data, enum crm_entity t, int64_t id)
{
    char text[CRM_ID_LEN];
    if (id)
        json_put_str(data, crm_entity_name(t), crm_id_format(t, id, text));
}

static const char *event_name(const struct input *in, const struct crm_call *c)
{
    if (c->name)
        return "enrich";
    if (in->running > 0)
        return in->events[in->running - 1].ev.name;
    return c->actor.kind == CRM_BY_RULE ? "rule" : "command"; /* a timer; leadctl do */
}

static char *make_body(const struct input *in, const struct crm_call *c)
{
    const struct crm_target *t = &c->target;
    char stamp[32];
    AUTO_JSON json_t *data = json_object();
    if (c->name)
        json_put_str(data, "enrichment", c->name);
    else
        json_put_str(data, crm_actor_kind_name(c->actor.kind), c->actor.name);
    put_id(data, CRM_LEAD, t->lead);
    put_id(data, CRM_CONTACT, t->contact);
    put_id(data, CRM_COMPANY, t->company);
    put_id(data, CRM_DEAL, t->deal);
    put_id(data, CRM_CASE, t->kase);
    put_id(data, CRM_TASK, t->task);
    json_object_set(data, "fields", (json_t *)c->fields);
    AUTO_JSON json_t *body =
        json_pack("{s:s, s:s, s:O}", "type", event_name(in, c), "timestamp",
                  clock_format_utc(in->now_ms, stamp, sizeof(stamp)), "data", data);
    return json_line(body);
}

/* What the row is about, by which it is found again. */
static enum crm_entity main_record(const struct crm_target *t, int64_t *id)
{
    if (t->main == CRM_DEAL && t->deal) {
        *id = t->deal;
        return CRM_DEAL;
    }
    if (t->kase && (t->main == CRM_CASE || !t->lead)) {
        *id = t->kase;
        return CRM_CASE;
    }
    *id = t->lead ? t->lead : t->contact ? t->contact : t->deal ? t->deal : t->company;
    return t->lead ? CRM_LEAD : t->contact ? CRM_CONTACT : t->deal ? CRM_DEAL : CRM_COMPANY;
}

int call_make(void *arg, struct crm_ctx *ctx, const struct crm_call *c, int64_t *id_out,
              struct err *e)
{
    struct input *in = arg;
    struct engine *eng = in->eng;
    const char *hold = hold_why(eng);
    char record[CRM_ID_LEN] = "";
    int64_t id;
    (void)ctx;
    if (c->name && in->asked >= BOUND_CALL_CHAIN)
        return err_set(e, ERR_INPUT, "not asked again: %d answers have asked one after the other, and "
                       "would without end", BOUND_CALL_CHAIN);
    enum crm_entity entity = main_record(&c->target, &id);
    crm_id_format(entity, id, record);
    AUTO_FREE char *body = make_body(in, c);
    if (strlen(body) > BOUND_CALL_BODY)
        return err_set(e, ERR_INPUT, "not sent: the fields have %zu bytes, at most %zu can be sent",
                       strlen(body), BOUND_CALL_BODY);
    struct call_row row = {.endpoint = c->endpoint,
                           .kind = c->kind,
                           .name = c->name ? c->name : event_name(in, c),
                           .state = hold ? "held" : "ready",
                           .rule = c->actor.kind == CRM_BY_RULE ? c->actor.name : NULL,
                           .record = record,
                           .lead_id = c->target.lead,
                           .contact_id = c->target.contact,
                           .case_id = c->target.kase,
                           .depth = in->asked,
                           .created_ms = in->now_ms,
                           .next_ms = hold ? 0 : in->now_ms,
                           .reply = hold,
                           .body = body};
    if (call_add(eng->db, &row, e) < 0)
        return -1;
    if (!hold)
        calls_look_again(eng, c->endpoint, in->now_ms);
    *id_out = row.id;
    return 0;
}

int call_take_back(void *arg, struct crm_ctx *ctx, int64_t id, struct err *e)
{
    struct input *in = arg;
    (void)ctx;
    AUTO_JSON json_t *row = call_get(in->eng->db, id, e);
    if (!row)
        return -1;
    const char *state = json_get_str(row, "state", "");
    if (strcmp(state, "ready") != 0 && strcmp(state, "deferred") != 0 && strcmp(state, "held") != 0)
        return err_set(e, ERR_INPUT, "call %" PRId64 " cannot be taken back: it is %s", id, state);
    struct call_change c = {.state = "failed", .done_ms = in->now_ms, .reply = "taken back"};
    return call_set_state(in->eng->db, id, &c, e);
}

char *call_body(struct engine *eng, const json_t *row, char key[64], struct err *e)
{
    char name[32];
    const char *text = json_get_str(row, "body", NULL);
    AUTO_JSON json_t *body = judge_asks(row) ? judge_body(eng, row, e)
                             : text ? json_load_bounded(text, strlen(text), 2 * BOUND_CALL_BODY, e)
                                    : NULL;
    if (!body) {
        if (!judge_asks(row))
            err_set(e, ERR_INPUT, "its words are gone");
        return NULL;
    }
    snprintf(name, sizeof(name), "H%" PRId64, json_get_int(row, "id", 0));
    token_make(eng->key, "call", name, key);
    *strchr(key, '.') = '_'; /* the signature puts full stops between its parts */
    AUTO_JSON json_t *whole = json_pack("{s:s}", "id", key);
    json_object_update(whole, body);
    return json_line(whole);
}
