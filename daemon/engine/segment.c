/* SPDX-License-Identifier: ISC
 *
 * segment - see segment.h
 */
#include "engine/segment.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "crm/facts.h"
#include "engine/broadcast.h"
#include "rule/field.h"
#include "store/schedule.h"

#define WALK_SLICE 50
#define EXPORT_MAX 10000

/* The item's frame.json: {"what": "count" | "export" | "forecast", "name", "peer", "ask" (who
 * is answered), "at", "to", "looked", "found", "limit", "rows": [..], "out": {why: n}}. */

static void walk_queue(struct engine *eng, json_t *state)
{
    struct item *it = item_new(ITEM_SEGMENT, NULL);
    it->frame.json = state;
    engine_queue(eng, it);
}

static json_t *walk_begin(struct ctl *c, const char *what, const char *name, const char *over,
                          struct err *e)
{
    int64_t to;
    if (schedule_last_id(c->eng->db, over, &to, e) < 0)
        return NULL;
    int64_t limit = ctl_option(c, "limit") ? ctl_limit(c) : EXPORT_MAX;
    walk_queue(c->eng,
               json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:[], s:{}}", "what", what,
                         "name", name, "peer", (json_int_t)c->it->peer, "ask",
                         (json_int_t)c->it->frame.id, "at", (json_int_t)0, "to", (json_int_t)to,
                         "looked", (json_int_t)0, "found", (json_int_t)0, "limit",
                         (json_int_t)limit, "rows", "out"));
    return NULL; /* e is untouched: segment_item answers */
}

static void add(json_t *o, const char *key)
{
    json_put_int(o, key, json_get_int(o, key, 0) + 1);
}

/* ---- the answer -------------------------------------------------------------------------- */

static json_t *forecast_data(const json_t *s)
{
    json_t *rows = json_array(), *n;
    const char *why;
    int64_t out = 0;
    json_object_foreach(json_get_obj(s, "out"), why, n) {
        out += json_integer_value(n);
        json_array_append_new(rows, json_pack("{s:s, s:O}", "reason", why, "number", n));
    }
    return json_pack("{s:[[s,s],[s,I],[s,I],[s,I]], s:[o]}", "fields", "broadcast",
                     json_get_str(s, "name", ""), "in the segment",
                     (json_int_t)json_get_int(s, "found", 0), "left out", (json_int_t)out, "recipients",
                     (json_int_t)(json_get_int(s, "found", 0) - out), "sections",
                     ctl_section("Left out", rows, "number NUMBER|reason WHY"));
}

static void walk_answer(struct engine *eng, const json_t *s, int code, const char *error,
                        json_t *data)
{
    json_t *j = json_pack("{s:i, s:s?, s:o?}", "exit", code, "error", error, "data", data);
    engine_answer(eng, (uint64_t)json_get_int(s, "peer", 0), FRAME_CTL_DONE,
                  (uint64_t)json_get_int(s, "ask", 0), ctl_done(eng, j));
}

int segment_failed(struct engine *eng, const struct item *it, const struct err *why)
{
    walk_answer(eng, it->frame.json, 1, why->text, NULL);
    return 0;
}

static void walk_end(struct engine *eng, const json_t *s)
{
    const char *what = json_get_str(s, "what", "");
    json_t *data = strcmp(what, "forecast") == 0 ? forecast_data(s)
                   : strcmp(what, "export") == 0
                       ? ctl_table(json_incref(json_get_arr(s, "rows")),
                                   "id ID|name NAME|email EMAIL|company COMPANY|country COUNTRY")
                       : json_pack("{s:[[s,s],[s,I],[s,I]]}", "fields", "segment",
                                   json_get_str(s, "name", ""), "found",
                                   (json_int_t)json_get_int(s, "found", 0), "looked at",
                                   (json_int_t)json_get_int(s, "looked", 0));
    walk_answer(eng, s, 0, NULL, data);
}

/* ---- one record ---------------------------------------------------------------------------- */

/* What a text field is; "" when it is not set. */
static char *field_text(struct input *in, const struct crm_target *t, const char *name)
{
    struct crm_view v = {.ctx = in->ctx, .target = *t, .at = VIEW_NOW};
    struct rule_value value = {.state = RULE_VALUE_UNSET};
    crm_view_get(&v, rule_fields_find(crm_fields(in->eng->crm), name), &value);
    return value.state == RULE_VALUE_SET ? mem_strn(value.text.p, value.text.n) : mem_str("");
}

static int export_row(struct input *in, const struct crm_target *t, json_t *s, struct err *e)
{
    static const char *const names[] = {"contact.name", "company.name", "contact.country"},
                      *const keys[] = {"name", "company", "country"};
    char id[CRM_ID_LEN];
    const char *email = NULL;
    if (t->contact && crm_contact_email(in->ctx, t->contact, &email, e) < 0)
        return -1;
    json_t *row = json_pack("{s:s, s:s}", "id",
                            crm_id_format(t->lead ? CRM_LEAD : CRM_CONTACT,
                                          t->lead ? t->lead : t->contact, id),
                            "email", email ? email : "");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *text = field_text(in, t, names[i]);
        json_put_str(row, keys[i], text);
    }
    json_array_append_new(json_get_arr(s, "rows"), row);
    return 0;
}

static int found(struct input *in, struct broadcast *b, const struct crm_target *t, json_t *s,
                 struct err *e)
{
    struct broadcast_who who;
    add(s, "found");
    if (strcmp(json_get_str(s, "what", ""), "export") == 0)
        return export_row(in, t, s, e);
    if (!b)
        return 0;
    if (broadcast_look(in, b, 0, t, &who, e) < 0)
        return -1;
    if (*who.why)
        add(json_get_obj(s, "out"), who.why);
    return 0;
}

static int walk_slice(struct engine *eng, const json_t *ids, const struct segments *all,
                      const struct segment *seg, struct broadcast *b, json_t *s, struct err *e)
{
    struct input in;
    size_t i;
    json_t *id;
    int rc = 0;
    input_begin(&in, eng, mem_str("segment"), mem_str("segment"));
    json_array_foreach(ids, i, id) {
        struct crm_target t;
        struct err gone = {0};
        bool fits = false;
        json_put_int(s, "at", json_integer_value(id));
        add(s, "looked");
        if (rc == 0 && crm_target_exact(in.ctx, crm_entity_parse(seg->over), json_integer_value(id), &t,
                                        &gone) == 0)
            rc = broadcast_fits(&in, all, seg, &t, &fits, e);
        else if (rc == 0 && gone.cls != ERR_INPUT && gone.cls != ERR_NONE) {
            *e = gone;
            rc = -1;
        }
        if (rc == 0 && fits)
            rc = found(&in, b, &t, s, e);
    }
    input_end(&in); /* nothing of it is kept */
    return rc;
}

int segment_item(struct engine *eng, struct item *it, struct err *e)
{
    json_t *s = it->frame.json;
    const char *name = json_get_str(s, "name", "");
    bool forecast = strcmp(json_get_str(s, "what", ""), "forecast") == 0;
    struct broadcast *b = forecast ? crm_broadcast(eng->crm, name) : NULL;
    const struct segments *all = b ? b->segments : crm_segments(eng->crm);
    const struct segment *seg = b ? b->segment : segments_find(all, name);
    if (!peer_by_serial(eng, (uint64_t)json_get_int(s, "peer", 0))) /* nobody waits for it any more */
        return 0;
    AUTO_JSON json_t *ids = schedule_ids(eng->db, seg->over, json_get_int(s, "at", 0),
                                         json_get_int(s, "to", 0), WALK_SLICE, e);
    if (!ids || walk_slice(eng, ids, all, seg, b, s, e) < 0)
        return -1;
    bool full = (int64_t)json_array_size(json_get_arr(s, "rows")) >= json_get_int(s, "limit", 0);
    if (json_array_size(ids) == 0 || full)
        walk_end(eng, s);
    else
        walk_queue(eng, json_incref(s));
    return 0;
}

/* ---- leadctl ---------------------------------------------------------------------------------- */

static json_t *segment_list(struct ctl *c)
{
    const struct segment *s;
    const struct segments *all = crm_segments(c->eng->crm);
    json_t *rows = json_array();
    for (size_t i = 0; (s = segments_get(all, i)) != NULL; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "name", s->name, "over", s->over,
                                              "label", s->label, "at", s->at));
    return ctl_table(rows, "name NAME|over OVER|label LABEL|at AT");
}

static json_t *segment_show(struct ctl *c, const struct segment *s)
{
    json_t *rows = json_array(), *used = json_array();
    const struct broadcast *b;
    for (size_t i = 0; i < s->rule->when_count; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s}", "when", s->rule->when[i].text, "at",
                                              s->rule->when[i].at));
    for (size_t i = 0; (b = crm_broadcast_at(c->eng->crm, i)) != NULL; i++)
        if (strcmp(b->segment->name, s->name) == 0)
            json_array_append_new(used, json_pack("{s:s, s:s}", "name", b->name, "at", b->at));
    return json_pack("{s:[[s,s],[s,s],[s,s],[s,s]], s:[o,o]}", "fields", "segment", s->name, "over",
                     s->over, "label", s->label, "at", s->at, "sections",
                     ctl_section("Conditions", rows, "when WHEN|at AT"),
                     ctl_section("Broadcasts", used, "name NAME|at AT"));
}

json_t *ctl_segment(struct ctl *c, struct err *e)
{
    const char *verb = c->argv[1];
    const struct segment *s = c->argc > 2 ? segments_find(crm_segments(c->eng->crm), c->argv[2]) : NULL;
    if (strcmp(verb, "list") == 0)
        return segment_list(c);
    if (!ctl_word_in(verb, "show count export"))
        err_set(e, ERR_INPUT, "segment: \"%s\" is not known; expected list, show, count or export", verb);
    else if (!s)
        err_set(e, ERR_INPUT, "there is no segment \"%s\"; leadctl segment list tells which there are",
                c->argc > 2 ? c->argv[2] : "");
    else if (ctl_options_check(c, 3, "limit", e) == 0)
        return strcmp(verb, "show") == 0 ? segment_show(c, s)
                                         : walk_begin(c, verb, s->name, s->over, e);
    return NULL;
}

json_t *segment_forecast(struct ctl *c, const char *broadcast, struct err *e)
{
    const struct broadcast *b = crm_broadcast(c->eng->crm, broadcast);
    if (!b)
        err_set(e, ERR_INPUT, "there is no broadcast \"%s\"; leadctl broadcast list tells which there "
                "are", broadcast);
    return b ? walk_begin(c, "forecast", b->name, b->segment->over, e) : NULL;
}
