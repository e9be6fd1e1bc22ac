/* SPDX-License-Identifier: ISC
 *
 * record_read - the facts of a record, for deciding again (see record.h)
 */
#include "rule/record_inner.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct recall_state {
    struct rule_recall *recall;
    const json_t **v;   /* own; per field, as it was written; NULL: not set */
    struct str **items; /* own; per field, the last list that was read */
};

struct rule_recall {
    const struct rule_fields *fields;
    const json_t *sealed; /* borrowed; NULL: erased */
    bool (*fetch)(void *arg, int field, struct rule_value *out);
    void *arg;
    struct recall_state states[RECORD_STATES];
    const json_t *event; /* borrowed */
    size_t place;        /* in its facts */
    bool lost;
};

struct rule_recall *rule_recall_new(const struct rule_fields *fields, const json_t *sealed,
                                    bool (*fetch)(void *arg, int field, struct rule_value *out),
                                    void *arg)
{
    size_t n = rule_fields_count(fields);
    struct rule_recall *r = mem_alloc(sizeof(*r));
    r->fields = fields;
    r->sealed = sealed;
    r->fetch = fetch;
    r->arg = arg;
    for (size_t s = 0; s < RECORD_STATES; s++)
        r->states[s] = (struct recall_state){r, mem_array(n, sizeof(*r->states[s].v)),
                                             mem_array(n, sizeof(*r->states[s].items))};
    return r;
}

void rule_recall_free(struct rule_recall **rp)
{
    struct rule_recall *r = *rp;
    if (!r)
        return;
    for (size_t s = 0; s < RECORD_STATES; s++) {
        for (size_t i = 0; i < rule_fields_count(r->fields); i++)
            mem_free(r->states[s].items[i]);
        mem_free(r->states[s].items);
        mem_free((void *)r->states[s].v);
    }
    mem_free(r);
    *rp = NULL;
}

/* "was(lead.score)": the state, and the field; or -1: there is no such field. */
static int key_field(const struct rule_recall *r, const char *key, enum record_state *s_out)
{
    *s_out = RECORD_NOW;
    for (size_t s = RECORD_WAS; s < RECORD_STATES; s++) {
        size_t n = strlen(record_state_names[s]), len = strlen(key);
        if (!text_starts(key, record_state_names[s]) || len <= n)
            continue;
        AUTO_FREE char *name = mem_strn(key + n, len - n - 1);
        *s_out = (enum record_state)s;
        return rule_fields_find(r->fields, name);
    }
    return rule_fields_find(r->fields, key);
}

/* What the next object says of one state, or of all but the present. */
static void recall_apply(struct rule_recall *r, bool present)
{
    const json_t *facts = json_array_get(json_get_arr(r->event, "facts"), r->place), *v;
    const char *key;
    json_object_foreach((json_t *)facts, key, v) {
        enum record_state s;
        int field = key_field(r, key, &s);
        if (field >= 0 && (s == RECORD_NOW) == present)
            r->states[s].v[field] = v;
    }
}

void rule_recall_event(struct rule_recall *r, const json_t *event)
{
    size_t n = rule_fields_count(r->fields);
    r->event = event;
    r->place = 0;
    recall_apply(r, true);
    for (size_t s = RECORD_WAS; s < RECORD_STATES; s++)
        memcpy((void *)r->states[s].v, (const void *)r->states[RECORD_NOW].v,
               n * sizeof(*r->states[s].v));
    recall_apply(r, false);
}

void rule_recall_next(struct rule_recall *r)
{
    r->place++;
    recall_apply(r, true);
    recall_apply(r, false);
}

static bool read_else(struct rule_recall *r, int field, const json_t *j, struct rule_value *out)
{
    return r->fetch && r->fetch(r->arg, field, out) && out->state == RULE_VALUE_SET &&
           record_text_hash(out->text.p, out->text.n) == json_get_int(j, "message", -1);
}

static bool recall_read(struct recall_state *s, int field, struct rule_value *out)
{
    struct rule_recall *r = s->recall;
    const json_t *j = s->v[field];
    if (json_object_get(j, "message"))
        return read_else(r, field, j, out);
    if (json_is_array(j) && json_is_integer(json_array_get(j, 0))) {
        j = json_array_get(r->sealed, (size_t)json_integer_value(json_array_get(j, 0)));
        if (!j)
            return false;
    }
    mem_free(s->items[field]);
    return record_value_read(rule_fields_get(r->fields, field), j, out, &s->items[field]);
}

static void recall_get(void *arg, int field, struct rule_value *out)
{
    struct recall_state *s = arg;
    if (recall_read(s, field, out))
        return;
    s->recall->lost = true;
    *out = (struct rule_value){.state = RULE_VALUE_UNKNOWN};
}

struct rule_facts rule_recall_facts(struct rule_recall *r)
{
    bool was = !json_get_bool(r->event, "new", false);
    return (struct rule_facts){.get = recall_get,
                               .now = &r->states[RECORD_NOW],
                               .before = was ? &r->states[RECORD_WAS] : NULL,
                               .event = &r->states[RECORD_AT]};
}

bool rule_recall_lost(const struct rule_recall *r)
{
    return r->lost;
}
