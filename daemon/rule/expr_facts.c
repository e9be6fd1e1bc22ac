/* SPDX-License-Identifier: ISC
 *
 * expr_facts - values read once per state of the record, and their folded form
 *
 * Ten thousand conditions on message.subject read and fold it once.
 */
#include "rule/expr_ast.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

struct expr_facts *expr_facts_new(const struct rule_fields *fields, rule_get_fn get, void *facts)
{
    struct expr_facts *f = mem_alloc(sizeof(*f));
    f->fields = fields;
    f->get = get;
    f->arg = facts;
    f->state = 1;
    f->at = f;
    return f;
}

void expr_facts_free(struct expr_facts **facts)
{
    struct expr_facts *f = *facts;
    if (!f)
        return;
    for (size_t i = 0; f->slots && i < rule_fields_count(f->fields); i++) {
        struct expr_slot *s = f->slots[i];
        if (s && s->fold.data)
            buf_done(&s->fold);
        if (s)
            mem_free(s->fold_items);
        mem_free(s);
    }
    mem_free(f->slots);
    expr_matcher_free(&f->matcher);
    mem_free(f);
    *facts = NULL;
}

void expr_facts_event(struct expr_facts *f, struct expr_facts *before, struct expr_facts *event)
{
    f->was = before;
    f->at = event ? event : f;
}

void expr_facts_changed(struct expr_facts *f)
{
    f->state++;
}

void expr_facts_set(struct expr_facts *f, void *facts)
{
    f->arg = facts;
    f->state++;
}

uint64_t expr_hash(uint64_t h, const char *s, size_t n)
{
    h = (h ^ n) * UINT64_C(0x9E3779B97F4A7C15);
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        h = (h ^ w) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    for (; n > 0; s++, n--)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h;
}

static struct expr_slot *slot_of(struct expr_facts *f, int field)
{
    if (!f->slots)
        f->slots = mem_array(rule_fields_count(f->fields), sizeof(*f->slots));
    if (!f->slots[field])
        f->slots[field] = mem_alloc(sizeof(*f->slots[field]));
    return f->slots[field];
}

const struct rule_value *expr_facts_value(struct expr_facts *f, int field)
{
    struct expr_slot *s = slot_of(f, field);
    if (s->state == f->state)
        return &s->value;
    s->state = f->state;
    s->folded = false;
    s->value = (struct rule_value){0};
    f->get(f->arg, field, &s->value);
    enum rule_type t = rule_fields_get(f->fields, field)->type;
    if (s->value.state == RULE_VALUE_SET && ((t == RULE_TYPE_TEXT && s->value.text.n == 0) ||
                                             (t == RULE_TYPE_LIST && s->value.count == 0)))
        s->value.state = RULE_VALUE_UNSET;
    s->value.currency[3] = '\0';
    return &s->value;
}

static void facts_fold_buf(struct expr_slot *s)
{
    if (s->fold.data)
        buf_reset(&s->fold);
    else
        buf_init(&s->fold, BOUND_FOLD_BYTES);
}

struct str expr_facts_folded(struct expr_facts *f, int field)
{
    struct expr_slot *s = slot_of(f, field);
    if (!s->folded) {
        uint64_t hash = expr_hash(1, s->value.text.p, s->value.text.n);
        if (!s->fold.data || s->fold_of != hash) { /* else it is what it was in another state */
            facts_fold_buf(s);
            rule_fold(s->value.text.p, s->value.text.n, &s->fold);
        }
        s->fold_of = hash;
        s->folded = true;
    }
    return (struct str){s->fold.data, s->fold.len};
}

uint64_t expr_facts_hash(struct expr_facts *f, int field)
{
    expr_facts_folded(f, field);
    return f->slots[field]->fold_of;
}

const struct str *expr_facts_folded_items(struct expr_facts *f, int field)
{
    struct expr_slot *s = slot_of(f, field);
    if (s->folded)
        return s->fold_items;
    facts_fold_buf(s);
    mem_free(s->fold_items);
    s->fold_items = mem_array(s->value.count, sizeof(*s->fold_items));
    for (size_t i = 0; i < s->value.count; i++) {
        size_t at = s->fold.len;
        rule_fold(s->value.items[i].p, s->value.items[i].n, &s->fold);
        s->fold_items[i].n = s->fold.len - at;
    }
    const char *p = s->fold.data; /* stands still only now */
    for (size_t i = 0; i < s->value.count; i++) {
        s->fold_items[i].p = p;
        p += s->fold_items[i].n;
    }
    s->folded = true;
    return s->fold_items;
}
