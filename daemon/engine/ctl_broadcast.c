/* SPDX-License-Identifier: ISC
 *
 * ctl_broadcast - leadctl broadcast: what there is, who would get it, and what came of it
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/broadcast.h"
#include "engine/ctl.h"
#include "engine/segment.h"
#include "rule/template.h"
#include "store/broadcast.h"
#include "store/outbox.h"

static json_t *when_cell(const json_t *row, const char *key)
{
    char text[32] = "";
    int64_t ms = json_get_int(row, key, 0);
    if (ms)
        clock_format_utc(ms, text, sizeof(text));
    return json_string(text);
}

/* ---- list ---------------------------------------------------------------------------------- */

static json_t *list_row(const char *name, const struct broadcast *b, const json_t *row)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:s}", "name", name, "segment",
                     b ? b->segment->name : "", "state", json_get_str(row, "state", ""), "recipients",
                     (json_int_t)json_get_int(row, "recipients", 0), "began",
                     when_cell(row, "begin_ms"), "ended", when_cell(row, "ended_ms"), "at",
                     b ? b->at : "not in the rules");
}

static json_t *broadcast_list_all(struct ctl *c, struct err *e)
{
    const struct broadcast *b;
    json_t *rows, *row;
    size_t i;
    AUTO_JSON json_t *known = broadcast_list(c->eng->db, e);
    if (!known)
        return NULL;
    rows = json_array();
    json_array_foreach(known, i, row)
        json_array_append_new(rows, list_row(json_get_str(row, "name", ""),
                                             crm_broadcast(c->eng->crm, json_get_str(row, "name", "")), row));
    for (i = 0; (b = crm_broadcast_at(c->eng->crm, i)) != NULL; i++) {
        if (broadcast_get(c->eng->db, b->name, &row, e) < 0) {
            json_decref(rows);
            return NULL;
        }
        if (!row)
            json_array_append_new(rows, list_row(b->name, b, NULL));
        json_decref(row);
    }
    return ctl_table(rows, "name NAME|segment SEGMENT|state STATE|recipients RECIPIENTS|began BEGAN|"
                           "ended ENDED|at AT");
}

/* ---- show, results ----------------------------------------------------------------------------- */

/* The row of the store; NULL with e when it was never started. */
static json_t *row_asked(struct ctl *c, struct err *e)
{
    json_t *row = NULL;
    if (c->argc < 3) {
        err_set(e, ERR_INPUT, "which broadcast? leadctl broadcast list tells");
        return NULL;
    }
    if (broadcast_get(c->eng->db, c->argv[2], &row, e) == 0 && !row)
        err_set(e, ERR_INPUT, crm_broadcast(c->eng->crm, c->argv[2])
                                  ? "%s was not started: leadctl broadcast preview %s, then start"
                                  : "there is no broadcast \"%s\"%.0s; leadctl broadcast list tells which "
                                    "there are",
                c->argv[2], c->argv[2]);
    return row;
}

static json_t *counts_of(struct ctl *c, const json_t *row, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    return part_sync(c->eng->db, id, 0, e) < 0 ? NULL : part_counts(c->eng->db, id, e);
}

static void add(json_t *o, const char *key, int64_t n)
{
    json_put_int(o, key, json_get_int(o, key, 0) + n);
}

/* Why some are left out, the most frequent first. */
static json_t *left_out_rows(const json_t *counts, int64_t *sum_out)
{
    AUTO_JSON json_t *by = json_object();
    json_t *rows = json_array(), *c, *n;
    const char *why;
    size_t i;
    *sum_out = 0;
    json_array_foreach((json_t *)counts, i, c)
        if (strcmp(json_get_str(c, "state", ""), "left_out") == 0)
            add(by, json_get_str(c, "reason", ""), json_get_int(c, "n", 0));
    json_object_foreach(by, why, n) {
        *sum_out += json_integer_value(n);
        json_array_append_new(rows, json_pack("{s:s, s:O}", "reason", why, "number", n));
    }
    return rows;
}

static json_t *states_rows(const json_t *counts)
{
    static const char *const states[] = {"waiting", "made", "sent", "failed", "unknown"};
    json_t *rows = json_array(), *c;
    for (size_t k = 0; k < ARRAY_LEN(states); k++) {
        int64_t n = 0;
        size_t i;
        json_array_foreach((json_t *)counts, i, c)
            if (strcmp(json_get_str(c, "state", ""), states[k]) == 0)
                n += json_get_int(c, "n", 0);
        json_array_append_new(rows, json_pack("{s:s, s:I}", "state", states[k], "number", (json_int_t)n));
    }
    return rows;
}

/* What somebody is asked to do now. */
static char *next_text(const json_t *row)
{
    const char *name = json_get_str(row, "name", ""), *state = json_get_str(row, "state", "");
    if (strcmp(state, "planned") == 0)
        return mem_printf("leadctl broadcast confirm %s %" PRId64, name, json_get_int(row, "recipients", 0));
    if (strcmp(state, "paused") == 0)
        return mem_printf("leadctl broadcast go-on %s", name);
    return mem_str("");
}

static json_t *broadcast_show(struct ctl *c, struct err *e)
{
    int64_t out;
    AUTO_JSON json_t *row = row_asked(c, e);
    AUTO_JSON json_t *counts = row ? counts_of(c, row, e) : NULL;
    AUTO_JSON json_t *held = counts ? part_held(c->eng->db, json_get_int(row, "id", 0), e) : NULL;
    if (!held)
        return NULL;
    AUTO_FREE char *next = next_text(row);
    json_t *left = left_out_rows(counts, &out);
    return json_pack("{s:[[s,s],[s,s],[s,s],[s,s],[s,o],[s,o],[s,I],[s,I],[s,s],[s,o],[s,s]], s:[o,o,o]}",
                     "fields", "broadcast", json_get_str(row, "name", ""), "state",
                     json_get_str(row, "state", ""), "why", json_get_str(row, "reason", ""), "by",
                     json_get_str(row, "by", ""), "began", when_cell(row, "begin_ms"), "ended",
                     when_cell(row, "ended_ms"), "recipients",
                     (json_int_t)json_get_int(row, "recipients", 0), "left out", (json_int_t)out, "winner",
                     json_get_str(row, "winner_why", ""), "winner is told",
                     when_cell(row, "decide_ms"), "next", next, "sections",
                     ctl_section("Recipients", states_rows(counts), "number NUMBER|state STATE"),
                     ctl_section("Left out", left, "number NUMBER|reason WHY"),
                     ctl_section("Held", json_incref(held), "number NUMBER|reason WHY"));
}

/* "all" is the sum, variant 0. */
static json_t *result_row(const json_t *counts, int64_t variant, const char *name)
{
    static const char *const sums[] = {"sent", "bounced", "replied", "unsubscribed", "won"};
    json_t *r = json_pack("{s:s}", "template", name), *c;
    int64_t written = 0, failed = 0, unknown = 0;
    size_t i;
    json_array_foreach((json_t *)counts, i, c) {
        const char *state = json_get_str(c, "state", "");
        int64_t n = json_get_int(c, "n", 0);
        if (json_get_int(c, "variant", 0) == 0 || (variant && json_get_int(c, "variant", 0) != variant))
            continue;
        written += n;
        unknown += strcmp(state, "unknown") == 0 ? n : 0;
        failed += strcmp(state, "failed") == 0 ? n - json_get_int(c, "bounced", 0) : 0;
        for (size_t k = 0; k < ARRAY_LEN(sums); k++)
            add(r, sums[k], json_get_int(c, sums[k], 0));
    }
    for (size_t k = 0; k < ARRAY_LEN(sums); k++)
        add(r, sums[k], 0);
    json_put_int(r, "written", written);
    json_put_int(r, "failed", failed);
    json_put_int(r, "unknown", unknown);
    json_put_int(r, "delivered", json_get_int(r, "sent", 0) - json_get_int(r, "bounced", 0));
    return r;
}

static json_t *broadcast_results(struct ctl *c, struct err *e)
{
    struct err gone = {0};
    AUTO_JSON json_t *row = row_asked(c, e);
    AUTO_JSON json_t *counts = row ? counts_of(c, row, e) : NULL;
    if (!counts)
        return NULL;
    const struct broadcast *b = broadcast_definition(c->eng, row, &gone);
    json_t *rows = json_array();
    for (size_t i = 0; b && b->template_count > 1 && i < b->template_count; i++)
        json_array_append_new(rows, result_row(counts, (int64_t)i + 1, b->templates[i]));
    json_array_append_new(rows, result_row(counts, 0, "all"));
    return ctl_table(rows, "template TEMPLATE|written WRITTEN|sent SENT|delivered DELIVERED|bounced BOUNCED|"
                           "failed FAILED|unknown UNKNOWN|replied REPLIED|unsubscribed UNSUBSCRIBED|"
                           "won WON");
}

/* ---- preview, test ----------------------------------------------------------------------------- */

static int target_asked(struct input *in, const struct broadcast *b, const char *id,
                        struct err *e)
{
    enum crm_entity t;
    int64_t n;
    bool lead = strcmp(b->segment->over, "lead") == 0;
    if (crm_id_parse(id, &t, &n) < 0 || t != (lead ? CRM_LEAD : CRM_CONTACT))
        return err_set(e, ERR_INPUT, "%s is over %ss: expected one, such as %c42, not %s", b->segment->name,
                       b->segment->over, lead ? 'L' : 'C', id);
    return crm_target_of(in->ctx, t, n, &in->target, e);
}

static json_t *preview_text(struct input *in, const struct broadcast *b, struct err *e)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < b->template_count; i++) {
        struct template_result r = {0};
        const struct crm_rendering how = {.name = b->templates[i],
                                          .language = crm_reads(in->ctx, in->target.contact)};
        if (crm_render(in->ctx, &in->target, &how, &r, e) < 0) {
            json_decref(rows);
            return NULL;
        }
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "template", b->templates[i], "subject",
                                              r.subject, "text", r.text));
        template_result_done(&r);
    }
    return rows;
}

static json_t *preview_one(struct ctl *c, struct input *in, struct broadcast *b, struct err *e)
{
    struct broadcast_who who;
    bool fits;
    char when[48] = "";
    if (target_asked(in, b, c->argv[3], e) < 0 ||
        broadcast_fits(in, b->segments, b->segment, &in->target, &fits, e) < 0 ||
        broadcast_look(in, b, 0, &in->target, &who, e) < 0)
        return NULL;
    int64_t at = broadcast_opens(b, &who, in->now_ms);
    const char *zone = who.zone_count ? who.zones[0] : engine_setting(c->eng, "time_zone", "UTC");
    if (at != CALENDAR_NEVER)
        crm_when_print(zone, at, when, sizeof(when));
    json_t *rows = preview_text(in, b, e);
    return rows ? json_pack("{s:[[s,s],[s,s],[s,s],[s,s],[s,s],[s,s]], s:[o]}", "fields", "broadcast",
                            b->name, "contact", c->argv[3], "in the segment", fits ? "yes" : "no",
                            "left out", who.why, "zone", zone, "not before", when, "sections",
                            ctl_section("Text", rows, "template TEMPLATE|subject SUBJECT|text TEXT"))
                : NULL;
}

static struct broadcast *of_rules(struct ctl *c, struct err *e)
{
    struct broadcast *b = c->argc > 2 ? crm_broadcast(c->eng->crm, c->argv[2]) : NULL;
    if (!b)
        err_set(e, ERR_INPUT, "there is no broadcast \"%s\"; leadctl broadcast list tells which there are",
                c->argc > 2 ? c->argv[2] : "");
    return b;
}

static json_t *broadcast_preview(struct ctl *c, struct err *e)
{
    struct input in;
    struct broadcast *b = of_rules(c, e);
    if (!b || c->argc < 4)
        return b ? segment_forecast(c, b->name, e) : NULL;
    input_begin(&in, c->eng, mem_str("preview"), mem_str("preview"));
    json_t *data = preview_one(c, &in, b, e);
    input_end(&in); /* nothing of it is kept */
    return data;
}

/* One of ours gets what that contact would get. */
static int test_send(struct input *in, const struct broadcast *b, const json_t *user, struct err *e)
{
    struct crm_actor actor = {.kind = CRM_BY_SYSTEM, .name = in->bulk->by};
    for (size_t i = 0; i < b->template_count; i++) {
        struct crm_send s = {.template_name = b->templates[i],
                             .to = json_get_str(user, "email", ""),
                             .to_name = json_get_str(user, "name", NULL),
                             .target = in->target,
                             .actor = actor};
        if (followup_send(in, in->ctx, &s, &in->bulk->outbox, e) < 0)
            return -1;
    }
    return 0;
}

static json_t *broadcast_test(struct ctl *c, struct err *e)
{
    struct input in;
    struct broadcast *b = of_rules(c, e);
    const json_t *user = b && c->argc > 3 ? crm_user(c->eng->crm, c->argv[3]) : NULL;
    if (b && (!user || c->argc < 5))
        err_set(e, ERR_INPUT, user ? "whose data? leadctl broadcast test %s %s C42"
                                   : "%s: \"%s\" is no user", b->name, c->argc > 3 ? c->argv[3] : "");
    if (!user || c->argc < 5)
        return NULL;
    AUTO_FREE char *by = mem_printf("test of %s by %s", b->name, c->user);
    struct input_bulk bulk = {.list = b->list, .by = by, .test = true};
    input_begin(&in, c->eng, mem_str(by), mem_printf("broadcast-test:%s:%s:%" PRId64, b->name, c->argv[3],
                                                   clock_now_ms()));
    in.bulk = &bulk;
    int rc = target_asked(&in, b, c->argv[4], e);
    if (rc == 0)
        rc = test_send(&in, b, user, e);
    in.target = (struct crm_target){0}; /* the journal tells nothing of it there */
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc == 0 ? ctl_text("%s gets %zu mail%s", c->argv[3], b->template_count,
                              b->template_count > 1 ? "s" : "")
                   : NULL;
}

/* ---- recipients --------------------------------------------------------------------------------- */

/* Why one is left out or failed; or why its mail waits for a person. */
static char *recipient_why(struct ctl *c, const json_t *part, struct err *e)
{
    int64_t outbox = json_get_int(part, "outbox_id", 0);
    if (strcmp(json_get_str(part, "state", ""), "made") != 0 || !outbox)
        return mem_str(json_get_str(part, "reason", ""));
    AUTO_JSON json_t *row = outbox_get(c->eng->db, outbox, e);
    if (!row)
        return NULL;
    return strcmp(json_get_str(row, "state", ""), "held") == 0
               ? mem_printf("held: %s", json_get_str(row, "reply", ""))
               : mem_str("");
}

static json_t *broadcast_recipients(struct ctl *c, struct err *e)
{
    static const char *const stamps[] = {"sent_ms", "bounced_ms", "replied_ms", "unsubscribed_ms", "won_ms"};
    static const char *const keys[] = {"sent", "bounced", "replied", "unsubscribed", "won"};
    const char *after = ctl_option(c, "after");
    enum crm_entity t = CRM_CONTACT;
    int64_t from = 0;
    size_t i;
    json_t *p, *rows;
    AUTO_JSON json_t *row = row_asked(c, e);
    if (!row || ctl_options_check(c, 3, "state after limit", e) < 0)
        return NULL;
    if (after && (crm_id_parse(after, &t, &from) < 0 || t != CRM_CONTACT)) {
        err_set(e, ERR_INPUT, "after: expected a contact such as C42");
        return NULL;
    }
    AUTO_JSON json_t *counts = counts_of(c, row, e);
    AUTO_JSON json_t *list = counts ? part_list(c->eng->db, json_get_int(row, "id", 0), ctl_option(c, "state"),
                                                from, ctl_limit(c), e)
                                    : NULL;
    if (!list)
        return NULL;
    rows = json_array();
    json_array_foreach(list, i, p) {
        char id[CRM_ID_LEN];
        AUTO_FREE char *why = recipient_why(c, p, e);
        if (!why) {
            json_decref(rows);
            return NULL;
        }
        json_t *cells = json_pack("{s:s, s:s, s:s, s:I, s:I}", "contact",
                                  crm_id_format(CRM_CONTACT, json_get_int(p, "contact_id", 0), id), "state",
                                  json_get_str(p, "state", ""), "reason", why,
                                  "template", (json_int_t)json_get_int(p, "variant", 0), "mail",
                                  (json_int_t)json_get_int(p, "outbox_id", 0));
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            json_object_set_new(cells, keys[k], when_cell(p, stamps[k]));
        json_array_append_new(rows, cells);
    }
    return ctl_table(rows, "contact CONTACT|state STATE|template TEMPLATE|mail MAIL|sent SENT|"
                           "bounced BOUNCED|replied REPLIED|unsubscribed UNSUBSCRIBED|won WON|reason WHY");
}

/* ---- orders ------------------------------------------------------------------------------------- */

static int order_options(struct ctl *c, struct broadcast_order *o, struct err *e)
{
    const char *confirm = ctl_option(c, "confirm"), *at = ctl_option(c, "at");
    bool start = strcmp(o->verb, "start") == 0;
    const char *n = start ? confirm : c->argc > 3 ? c->argv[3] : NULL;
    int64_t now = clock_now_ms();
    if (start && ctl_options_check(c, 3, "confirm at", e) < 0)
        return -1;
    if (n && text_parse_int(n, &o->number) < 0)
        return err_set(e, ERR_INPUT, "expected a number, not %s", n);
    if (!start || !at)
        return 0;
    int len = crm_when_parse(at, engine_setting(c->eng, "time_zone", "UTC"), now, &o->begin_ms, e);
    if (len < 0)
        return -1;
    return len && !at[len] && o->begin_ms > now
               ? 0
               : err_set(e, ERR_INPUT, "at: expected a time to come, such as \"2026-12-01 09:00\", not %s", at);
}

static json_t *order(struct ctl *c, struct err *e)
{
    char said[BROADCAST_SAID_MAX];
    AUTO_FREE char *by = mem_printf("operator %s", c->user);
    struct broadcast_order o = {.verb = c->argv[1], .name = c->argc > 2 ? c->argv[2] : "", .by = by};
    if (order_options(c, &o, e) < 0 || broadcast_do(c->eng, &o, said, e) < 0)
        return NULL;
    return ctl_text("%s", said);
}

json_t *ctl_broadcast(struct ctl *c, struct err *e)
{
    static const struct {
        const char *verb;
        json_t *(*run)(struct ctl *c, struct err *e);
    } verbs[] = {{"list", broadcast_list_all}, {"show", broadcast_show},
                 {"preview", broadcast_preview}, {"test", broadcast_test},
                 {"results", broadcast_results}, {"recipients", broadcast_recipients}};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].verb, c->argv[1]) == 0)
            return verbs[i].run(c, e);
    return order(c, e);
}
