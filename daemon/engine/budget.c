/* SPDX-License-Identifier: ISC
 *
 * budget - see budget.h
 */
#include "engine/budget.h"

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/journal.h"

#define BUDGET_LOOK 16     /* from here on the journal is asked, once */
#define BUDGET_ROWS 1000   /* of the journal */

struct budget_slot {
    uint64_t key; /* 0: empty */
    uint32_t count;
    bool looked;
};

struct budget {
    int64_t day;
    struct budget_slot *v; /* own; open addressing, a power of two */
    size_t cap, count;
    uint64_t *pass; /* own; what the pass that runs has spent */
    size_t pass_count, pass_cap;
};

struct budget *budget_new(void)
{
    return mem_alloc(sizeof(struct budget));
}

void budget_free(struct budget **p)
{
    if (!*p)
        return;
    mem_free((*p)->v);
    mem_free((*p)->pass);
    mem_free(*p);
    *p = NULL;
}

enum crm_entity budget_record(const struct crm_target *t, int64_t *id_out)
{
    const struct {
        enum crm_entity entity;
        int64_t id;
    } order[] = {{CRM_LEAD, t->lead},       {CRM_CASE, t->kase}, {CRM_CONTACT, t->contact},
                 {CRM_COMPANY, t->company}, {CRM_DEAL, t->deal}, {CRM_TASK, t->task}};
    *id_out = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (order[i].id) {
            *id_out = order[i].id;
            return order[i].entity;
        }
    return CRM_NONE;
}

static uint64_t budget_key(enum crm_entity t, int64_t id)
{
    return ((uint64_t)t << 56) | ((uint64_t)id & UINT64_C(0xffffffffffffff));
}

static struct budget_slot *slot_find(struct budget_slot *v, size_t cap, uint64_t key)
{
    size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (cap - 1);
    while (v[i].key && v[i].key != key)
        i = (i + 1) & (cap - 1);
    return &v[i];
}

static void budget_grow(struct budget *b)
{
    size_t cap = b->cap ? b->cap * 2 : 256;
    struct budget_slot *v = mem_array(cap, sizeof(*v));
    for (size_t i = 0; i < b->cap; i++)
        if (b->v[i].key)
            *slot_find(v, cap, b->v[i].key) = b->v[i];
    mem_free(b->v);
    b->v = v;
    b->cap = cap;
}

static void budget_day(struct budget *b, int64_t now_ms)
{
    if (b->day == now_ms / DAY_MS)
        return;
    mem_free(b->v);
    b->v = NULL;
    b->cap = b->count = b->pass_count = 0;
    b->day = now_ms / DAY_MS;
}

static struct budget_slot *budget_slot(struct budget *b, uint64_t key)
{
    if (b->count * 2 >= b->cap)
        budget_grow(b);
    struct budget_slot *s = slot_find(b->v, b->cap, key);
    if (!s->key) {
        s->key = key;
        b->count++;
    }
    return s;
}

/* Decisions with commands of its passes of today. */
static int journal_firings(struct db *db, enum crm_entity t, int64_t id, int64_t day_ms,
                           uint32_t *out, struct err *e)
{
    size_t i, k;
    json_t *row, *d;
    uint32_t n = 0;
    char letter = t == CRM_LEAD ? 'L' : t == CRM_CASE ? 'K' : 'C';
    AUTO_JSON json_t *rows = journal_list(db, letter, id, 0, BUDGET_ROWS, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        if (json_get_int(row, "at_ms", 0) < day_ms)
            break;
        json_array_foreach(json_get_arr(json_get_obj(row, "body"), "decisions"), k, d)
            n += json_object_get(d, "did") != NULL;
    }
    *out = n;
    return 0;
}

int budget_spent(struct budget *b, struct db *db, enum crm_entity t, int64_t id, int64_t now_ms,
                 int64_t *out, struct err *e)
{
    *out = 0;
    if (!id)
        return 0;
    budget_day(b, now_ms);
    struct budget_slot *s = budget_slot(b, budget_key(t, id));
    bool kept = t == CRM_LEAD || t == CRM_CASE || t == CRM_CONTACT;
    if (!s->looked && kept && s->count >= BUDGET_LOOK) {
        uint32_t n;
        if (journal_firings(db, t, id, b->day * DAY_MS, &n, e) < 0)
            return -1;
        s->looked = true;
        s->count = n > s->count ? n : s->count;
    }
    *out = s->count;
    return 0;
}

void budget_spend(struct budget *b, enum crm_entity t, int64_t id, int64_t now_ms)
{
    if (!id)
        return;
    budget_day(b, now_ms);
    uint64_t key = budget_key(t, id);
    budget_slot(b, key)->count++;
    if (b->pass_count == b->pass_cap) {
        b->pass_cap = b->pass_cap ? b->pass_cap * 2 : 64;
        b->pass = mem_grow(b->pass, b->pass_cap * sizeof(*b->pass));
    }
    b->pass[b->pass_count++] = key;
}

void budget_committed(struct budget *b)
{
    if (b)
        b->pass_count = 0;
}

void budget_undone(struct budget *b)
{
    for (size_t i = 0; b && i < b->pass_count; i++) {
        struct budget_slot *s = budget_slot(b, b->pass[i]);
        s->count -= s->count > 0;
    }
    budget_committed(b);
}
