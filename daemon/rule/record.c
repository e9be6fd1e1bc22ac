/* SPDX-License-Identifier: ISC
 *
 * record - writing what was decided from (see record.h)
 *
 * Fields are read here that no condition has come to: a rule that was passed over may
 * be asked about later. Those that cost are left out when no condition came to them;
 * then none comes to them when the decision is made again.
 */
#include "rule/record_inner.h"

#include <string.h>

#include "base/mem.h"
#include "rule/match_inner.h"

struct rule_record {
    const struct rule_fields *fields;
    bool (*kept_else)(void *arg, int field);
    void *arg;
    json_t **known[RECORD_STATES]; /* own; per field what the reader knows; NULL: not set */
    json_t *event;                 /* borrowed */
    bool begun;                    /* the event has its first object */
    bool last;                     /* the last of its rules has matched */
    size_t empty;                  /* objects that nothing has come behind yet */
};

struct rule_record *rule_record_new(const struct rule_fields *fields,
                                    bool (*kept_else)(void *arg, int field), void *arg)
{
    struct rule_record *r = mem_alloc(sizeof(*r));
    r->fields = fields;
    r->kept_else = kept_else;
    r->arg = arg;
    for (size_t s = 0; s < RECORD_STATES; s++)
        r->known[s] = mem_array(rule_fields_count(fields), sizeof(**r->known));
    return r;
}

void rule_record_free(struct rule_record **rp)
{
    struct rule_record *r = *rp;
    if (!r)
        return;
    for (size_t s = 0; s < RECORD_STATES; s++) {
        for (size_t i = 0; i < rule_fields_count(r->fields); i++)
            json_decref(r->known[s][i]);
        mem_free(r->known[s]);
    }
    mem_free(r);
    *rp = NULL;
}

void rule_record_event(struct rule_record *r, json_t *event)
{
    r->event = event;
    r->begun = r->last = false;
    r->empty = 0;
}

static void known_set(struct rule_record *r, enum record_state s, int field, json_t *value)
{
    json_incref(value);
    json_decref(r->known[s][field]);
    r->known[s][field] = value;
}

/* The value as it is written, own: itself, or where it is. */
static json_t *record_written(struct rule_record *r, int field, const struct rule_field *f,
                              const struct rule_value *v, json_t *value, json_t *sealed)
{
    if (f->type == RULE_TYPE_TEXT && v->state == RULE_VALUE_SET && v->text.n > RECORD_TEXT_LONG &&
        r->kept_else && r->kept_else(r->arg, field))
        return json_pack("{s:I}", "message", (json_int_t)record_text_hash(v->text.p, v->text.n));
    if (!f->personal || v->state != RULE_VALUE_SET)
        return json_incref(value);
    json_array_append(sealed, value);
    return json_pack("[i]", (int)json_array_size(sealed) - 1);
}

static void record_field(struct rule_record *r, enum record_state s, int field,
                         struct expr_facts *facts, json_t *out, json_t *sealed)
{
    static const struct rule_value unset;
    const struct rule_field *f = rule_fields_get(r->fields, field);
    const struct rule_value *v = facts ? expr_facts_value(facts, field) : &unset;
    if (record_value_is(f, v, r->known[s][field]))
        return;
    AUTO_JSON json_t *value = record_value_json(f, v);
    known_set(r, s, field, value);
    json_t *written = record_written(r, field, f, v, value, sealed);
    if (s == RECORD_NOW) {
        json_object_set_new(out, f->name, written);
    } else {
        AUTO_FREE char *key = mem_printf("%s%s)", record_state_names[s], f->name);
        json_object_set_new(out, key, written);
    }
}

/* Was it read for a condition? Asked only of fields that cost. */
static bool facts_have(const struct expr_facts *f, int field)
{
    return f && f->slots && f->slots[field] && f->slots[field]->state == f->state;
}

static void record_state(struct rule_record *r, struct rule_match *m, enum record_state s,
                         json_t *out, json_t *sealed)
{
    const struct ruleset_event *ev = m->rules;
    if (!(ev->all_states & 1u << s))
        return;
    struct expr_facts *facts = s == RECORD_NOW   ? m->now
                               : s == RECORD_WAS ? m->before
                                                 : m->now->at;
    for (size_t i = 0; i < ev->field_count; i++) {
        int field = ev->fields[i];
        if (!r->begun && s != RECORD_NOW)
            known_set(r, s, field, r->known[RECORD_NOW][field]);
        if (!(ev->states[i] & 1u << s))
            continue;
        if (ev->states[i] & RULESET_DEAR && !facts_have(facts, field))
            continue;
        record_field(r, s, field, facts, out, sealed);
    }
}

/* No rule is asked from here on: the last one has matched, or one with `stop`. */
static bool record_is_over(const struct rule_record *r, const struct rule_match *m)
{
    return !m->rules || m->rules->field_count == 0 || (!m->last.rule && (r->last || m->stopped_by));
}

static void record_put(struct rule_record *r, json_t *out)
{
    json_t *list = json_object_get(r->event, "facts");
    if (json_object_size(out) == 0) {
        r->empty++;
        return;
    }
    if (!list)
        json_object_set_new(r->event, "facts", list = json_array());
    for (; r->empty > 0; r->empty--)
        json_array_append_new(list, json_object());
    json_array_append(list, out);
}

void rule_record_take(struct rule_record *r, struct rule_match *m, json_t *sealed)
{
    const struct ruleset_event *ev = m->rules;
    if (record_is_over(r, m))
        return;
    AUTO_JSON json_t *out = json_object();
    if (!r->begun && !m->before && ev->all_states & RULESET_WAS)
        json_object_set_new(r->event, "new", json_true());
    record_state(r, m, RECORD_NOW, out, sealed);
    if (m->before)
        record_state(r, m, RECORD_WAS, out, sealed);
    record_state(r, m, RECORD_AT, out, sealed);
    r->begun = true;
    r->last = m->last.rule && m->last.rule->index == ev->rules[ev->count - 1];
    record_put(r, out);
}
