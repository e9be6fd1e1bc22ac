/* SPDX-License-Identifier: ISC
 *
 * ctl_calls - calls list, show, retry, drop, enable; and what status says of endpoints
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/call.h"
#include "store/call.h"

#define CALL_STATES "ready claimed done deferred failed held"

static void time_field(json_t *row, const char *key, const char *from)
{
    char stamp[32];
    int64_t ms = json_get_int(row, from, 0);
    json_put_str(row, key, ms ? clock_format_utc(ms, stamp, sizeof(stamp)) : "");
}

static void call_readable(json_t *row)
{
    time_field(row, "created", "created_ms");
    time_field(row, "next", "next_ms");
    time_field(row, "done", "done_ms");
}

static bool state_known(const char *state)
{
    static const char *const all[] = {"ready", "claimed", "done", "deferred", "failed", "held"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i], state) == 0)
            return true;
    return false;
}

static json_t *calls_cmd_list(struct ctl *c, struct err *e)
{
    int64_t lead = 0;
    enum crm_entity t = CRM_LEAD;
    size_t i;
    json_t *row;
    const char *s = ctl_option(c, "lead"), *state = ctl_option(c, "state");
    if (ctl_options_check(c, 2, "state endpoint lead limit", e) < 0)
        return NULL;
    if (s && (crm_id_parse(s, &t, &lead) < 0 || t != CRM_LEAD)) {
        err_set(e, ERR_INPUT, "lead=%s: expected a lead such as L42", s);
        return NULL;
    }
    if (state && !state_known(state)) {
        err_set(e, ERR_INPUT, "state=%s: expected one of: %s", state, CALL_STATES);
        return NULL;
    }
    json_t *rows =
        call_list(c->eng->db, state, ctl_option(c, "endpoint"), lead, ctl_limit(c), e);
    json_array_foreach(rows, i, row)
        call_readable(row);
    return rows ? ctl_table(rows, "id ID|state STATE|endpoint ENDPOINT|kind KIND|name NAME|"
                                  "record RECORD|attempts TRIES|next NEXT|code CODE|reply REPLY")
                : NULL;
}

static json_t *calls_cmd_show(struct ctl *c, int64_t id, struct err *e)
{
    static const struct {
        const char *label, *key;
    } shown[] = {{"Id", "id"},         {"State", "state"},     {"Endpoint", "endpoint"},
                 {"Kind", "kind"},     {"Name", "name"},       {"Rule", "rule"},
                 {"Record", "record"}, {"Tries", "attempts"},  {"Created", "created"},
                 {"Next try", "next"}, {"Done", "done"},       {"Code", "code"},
                 {"Reply", "reply"}};
    AUTO_JSON json_t *row = call_get(c->eng->db, id, e);
    json_t *fields = json_array();
    if (!row) {
        json_decref(fields);
        return NULL;
    }
    call_readable(row);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        json_t *v = json_object_get(row, shown[i].key);
        bool empty = !v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
                     (!strcmp(shown[i].key, "code") && !json_integer_value(v));
        if (!empty)
            json_array_append_new(fields, json_pack("[s, O]", shown[i].label, v));
    }
    const char *body = json_get_str(row, "body", "not kept any more");
    return json_pack("{s:o, s:[{s:s, s:s}], s:O}", "fields", fields, "sections", "title", "Body",
                     "text", body, "call", row);
}

/* Where each verb may begin, and where it leads. */
static const struct ctl_move moves[] = {
    {"retry", "failed deferred held", "ready", "tried again at once"},
    {"drop", "ready deferred held failed", "done", "dropped"},
};

static json_t *calls_cmd_move(struct ctl *c, const struct ctl_move *move, int64_t id, struct err *e)
{
    AUTO_JSON json_t *row = call_get(c->eng->db, id, e);
    if (!row)
        return NULL;
    const char *name = json_get_str(row, "endpoint", "");
    bool again = strcmp(move->to, "ready") == 0;
    if (ctl_move_check(move, "call", id, json_get_str(row, "state", ""), e) < 0)
        return NULL;
    if (again && !json_get_str(row, "body", NULL)) {
        err_set(e, ERR_INPUT, "the words of call %" PRId64 " are not kept any more", id);
        return NULL;
    }
    AUTO_FREE char *by = mem_printf("%s by %s", move->said, c->user);
    struct call_change change = {.state = move->to, .reply = by,
                                 .next_ms = again ? clock_now_ms() : 0,
                                 .again_ms = again ? clock_now_ms() : 0,
                                 .done_ms = again ? 0 : clock_now_ms()};
    if (call_set_state(c->eng->db, id, &change, e) < 0)
        return NULL;
    calls_look_again(c->eng, name, change.next_ms);
    struct endpoint *ep = calls_endpoint(c->eng, name);
    if (ep && again) /* whoever asks may know that it is back */
        ep->not_before_ms = ep->open_until_ms = 0;
    return ctl_text("call %" PRId64 ": %s%s", id, move->said,
                    again && !ep            ? "; but leadd.conf has no such endpoint"
                    : again && ep->disabled ? "; but its endpoint is disabled: leadctl calls enable"
                                            : "");
}

static json_t *calls_cmd_enable(struct ctl *c, struct err *e)
{
    struct endpoint *ep = calls_endpoint(c->eng, c->argv[2]);
    if (!ep) {
        err_set(e, ERR_INPUT, "there is no endpoint %s in leadd.conf", c->argv[2]);
        return NULL;
    }
    if (endpoint_enable(c->eng->db, ep->name, e) < 0)
        return NULL;
    ep->disabled = false;
    ep->fails = ep->open_ms = ep->open_until_ms = ep->not_before_ms = 0;
    if (call_next_due(c->eng->db, ep->name, &ep->next_ms, e) < 0)
        return NULL;
    return ctl_text("%s is enabled: what waits for it goes out", ep->name);
}

json_t *ctl_calls(struct ctl *c, struct err *e)
{
    int64_t id;
    const char *verb = c->argv[1];
    if (strcmp(verb, "list") == 0)
        return calls_cmd_list(c, e);
    if (strcmp(verb, "enable") == 0 && c->argc == 3)
        return calls_cmd_enable(c, e);
    if (c->argc != 3 || text_parse_int(c->argv[2], &id) < 0) {
        err_set(e, ERR_INPUT, "expected: calls %s NUMBER, as in the first column of calls list", verb);
        return NULL;
    }
    if (strcmp(verb, "show") == 0)
        return calls_cmd_show(c, id, e);
    const struct ctl_move *move = ctl_move_find(moves, ARRAY_LEN(moves), verb);
    if (move)
        return calls_cmd_move(c, move, id, e);
    err_set(e, ERR_INPUT, "calls %s: expected list, show, retry, drop or enable", verb);
    return NULL;
}

/* ---- status and metrics ------------------------------------------------------------- */

static const char *endpoint_state(const struct endpoint *ep)
{
    return ep->disabled ? "disabled" : ep->open_ms ? "does not answer" : "ok";
}

static int64_t count_of(const json_t *counts, const char *endpoint, const char *states)
{
    size_t i;
    const json_t *row;
    int64_t n = 0;
    json_array_foreach((json_t *)counts, i, row)
        if (strcmp(json_get_str(row, "endpoint", ""), endpoint) == 0 &&
            strstr(states, json_get_str(row, "state", "?")))
            n += json_get_int(row, "calls", 0);
    return n;
}

json_t *calls_section(struct engine *eng)
{
    if (!eng->calls || eng->calls->count == 0)
        return NULL;
    AUTO_JSON json_t *counts = call_counts(eng->db, NULL);
    json_t *rows = json_array();
    for (size_t i = 0; i < eng->calls->count; i++) {
        const struct endpoint *ep = &eng->calls->list[i];
        char stamp[32];
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "name", ep->name, "state",
                            endpoint_state(ep), "waiting",
                            count_of(counts, ep->name, "ready deferred held"), "in_hand",
                            count_of(counts, ep->name, "claimed"), "failed",
                            count_of(counts, ep->name, "failed"), "next",
                            ep->open_ms ? clock_format_utc(ep->open_until_ms, stamp, sizeof(stamp))
                                        : ""));
    }
    return ctl_section("Endpoints", rows,
                       "name ENDPOINT|state STATE|waiting WAITING|in_hand IN HAND|failed FAILED|"
                       "next TRIED AGAIN");
}

void calls_gauges(struct engine *eng, json_t *gauges)
{
    size_t i;
    const json_t *row;
    int64_t open = 0;
    if (!eng->calls || eng->calls->count == 0)
        return;
    for (size_t k = 0; k < eng->calls->count; k++)
        open += eng->calls->list[k].open_ms > 0 || eng->calls->list[k].disabled;
    json_put_int(gauges, "endpoints_down", open);
    AUTO_JSON json_t *counts = call_counts(eng->db, NULL);
    json_array_foreach(counts, i, row) {
        AUTO_FREE char *key = mem_printf("call_rows_%s", json_get_str(row, "state", "?"));
        json_put_int(gauges, key, json_get_int(gauges, key, 0) + json_get_int(row, "calls", 0));
    }
}
