/* SPDX-License-Identifier: ISC
 *
 * replay_diff - what became of each record in two stores, side by side
 *
 * Both give their rows in the same order (store/outcome.h), so one step through both
 * finds all that differs. Why it differs is looked up in the journal of the world that
 * runs the new rules, for those differences alone that are told.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crm/crm.h"
#include "crm/when.h"
#include "engine/solo.h"
#include "rule/ruleset.h"
#include "store/journal.h"
#include "store/outcome.h"
#include "tool/replay.h"

#define SAME_MS 1000  /* a mail that leaves less than that apart is the same */
#define WHY_ROWS 40   /* journal rows looked at for one reason */
#define WHY_TEXT 2000

/* The same record has the same place in both stores. */
static int64_t place(const struct replay_side *s, int64_t id)
{
    return id * (REPLAY_SCALE / s->scale);
}

/* ---- why ----------------------------------------------------------------------------- */

/* The rule's conditions, read as one. */
static void rule_words(const struct replay_side *s, const char *name, json_t *diff)
{
    struct buf b AUTO_BUF;
    const struct rule *r = ruleset_find(crm_rules(solo_crm(s->solo)), name);
    buf_init(&b, WHY_TEXT);
    json_put_str(diff, "rule", name);
    for (size_t i = 0; r && i < r->when_count; i++)
        buf_printf(&b, "%s%s", i ? " and " : "", r->when[i].text);
    if (r)
        json_put_str(diff, "why", b.len ? b.data : "always");
}

/* The command of a journal row that set the field of the record. */
static const json_t *row_command(const json_t *row, const char *record, const char *field)
{
    size_t i, k;
    json_t *cmd, *change;
    const json_t *found = NULL;
    json_array_foreach(json_get_arr(json_get_obj(row, "body"), "commands"), i, cmd)
        json_array_foreach(json_get_arr(cmd, "changes"), k, change)
            if (strcmp(json_get_str(change, "f", ""), field) == 0 &&
                (strcmp(field, "stage") == 0 ||
                 strcmp(json_get_str(change, "of", ""), record) == 0))
                found = cmd;
    return found;
}

static int why_field(const struct replay_side *s, char letter, int64_t id, const char *field,
                     json_t *diff, struct err *e)
{
    char record[32];
    snprintf(record, sizeof(record), "%c%" PRId64, letter, id);
    AUTO_JSON json_t *rows = journal_list(s->db, letter, id, 0, WHY_ROWS, e);
    if (!rows)
        return -1;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *cmd = row_command(json_array_get(rows, i), record, field);
        if (!cmd)
            continue;
        const char *by = json_get_str(cmd, "by", ""), *actor = json_get_str(cmd, "actor", by);
        if (strcmp(by, "rule") == 0)
            rule_words(s, json_get_str(cmd, "rule", actor), diff);
        else
            json_put_str(diff, "by", actor);
        return 0;
    }
    return 0;
}

/* "M12/RULE/TEMPLATE/ADDRESS", and "/RULE" of a call. */
static void why_mail(const struct replay_side *s, const char *intent, json_t *diff)
{
    const char *slash = intent ? strchr(intent, '/') : NULL;
    AUTO_FREE char *rule = slash ? mem_strn(slash + 1, strcspn(slash + 1, "/")) : NULL;
    if (rule && ruleset_find(crm_rules(solo_crm(s->solo)), rule))
        rule_words(s, rule, diff);
}

/* ---- one difference --------------------------------------------------------------------- */

struct pair {
    const struct outcome_row *a, *b; /* current and new; one may be NULL */
};

static const struct outcome_row *pair_any(const struct pair *p)
{
    return p->b ? p->b : p->a;
}

static void record_name(struct replay_diff *d, enum outcome o, const struct pair *p, char *out,
                        size_t n)
{
    const struct replay_side *s = p->b ? &d->next : &d->current;
    int64_t at = place(s, pair_any(p)->id);
    if (at % REPLAY_SCALE == 0)
        snprintf(out, n, "%c%" PRId64, outcome_letter(o), at / REPLAY_SCALE);
    else /* one that history does not have: after that number */
        snprintf(out, n, "%c%" PRId64 "+%" PRId64, outcome_letter(o), at / REPLAY_SCALE,
                 at % REPLAY_SCALE);
}

static void put_time(struct replay_diff *d, json_t *diff, const char *key,
                     const struct outcome_row *r)
{
    char when[48];
    if (r && r->at_ms)
        json_put_str(diff, key,
                     crm_when_tell(d->zone, r->at_ms, false, when, sizeof(when)));
}

static void text_sides(struct buf *b, const json_t *diff)
{
    const char *was = json_get_str(diff, "current", NULL), *is = json_get_str(diff, "new", NULL),
               *at_was = json_get_str(diff, "current_at", ""),
               *at_is = json_get_str(diff, "new_at", "");
    if (strcmp(json_get_str(diff, "only_in", ""), "new") == 0)
        buf_printf(b, ": only in new%s%s", *at_is ? ", " : "", at_is);
    else if (json_object_get(diff, "only_in"))
        buf_printf(b, ": only in current%s%s", *at_was ? ", " : "", at_was);
    else if (was && is && strcmp(was, is) == 0)
        buf_printf(b, ": %s -> %s", at_was, at_is);
    else
        buf_printf(b, " %s -> %s", was ? was : "not set", is ? is : "not set");
}

/* "L42 owner tom -> eva (dach: contact.country in @dach)" */
static void diff_text(json_t *diff)
{
    struct buf b AUTO_BUF;
    const char *key = json_get_str(diff, "key", ""), *rule = json_get_str(diff, "rule", NULL),
               *why = json_get_str(diff, "why", NULL), *by = json_get_str(diff, "by", NULL);
    buf_init(&b, 4 * WHY_TEXT);
    buf_printf(&b, "%s %s%s%s", json_get_str(diff, "record", "?"), json_get_str(diff, "what", "?"),
               *key ? " " : "", key);
    text_sides(&b, diff);
    if (rule)
        buf_printf(&b, " (%s%s%s)", rule, why ? ": " : "", why ? why : "");
    else if (by)
        buf_printf(&b, " (by %s)", by);
    json_put_str(diff, "text", b.data);
}

static int diff_why(struct replay_diff *d, enum outcome o, const struct pair *p, json_t *diff,
                    struct err *e)
{
    const char *what = outcome_name(o);
    const struct replay_side *s = p->b ? &d->next : &d->current;
    bool left = strcmp(what, "mail") == 0 || strcmp(what, "call") == 0;
    if (left && s->solo)
        why_mail(s, pair_any(p)->intent, diff);
    if (!s->solo || left || strcmp(what, "timer") == 0 || strcmp(what, "task") == 0)
        return 0;
    AUTO_FREE char *field = strcmp(what, "tag") == 0 ? mem_printf("tags.%s", pair_any(p)->key)
                                                     : mem_str(what);
    return why_field(s, outcome_letter(o), pair_any(p)->id, field, diff, e);
}

static int diff_add(struct replay_diff *d, enum outcome o, const struct pair *p, struct err *e)
{
    char record[64];
    const char *what = outcome_name(o);
    bool whole = (o == OUTCOME_LEAD_OWNER || o == OUTCOME_CASE_OWNER) && (!p->a || !p->b);
    if (whole) /* the record itself */
        what = o == OUTCOME_LEAD_OWNER ? "lead" : "case";
    json_put_int(d->totals, what, json_get_int(d->totals, what, 0) + 1);
    if (json_array_size(d->list) >= d->limit)
        return 0;
    record_name(d, o, p, record, sizeof(record));
    json_t *diff = json_pack("{s:s, s:s}", "record", record, "what", what);
    json_array_append_new(d->list, diff);
    if (*pair_any(p)->key)
        json_put_str(diff, "key", pair_any(p)->key);
    if (!p->a || !p->b)
        json_put_str(diff, "only_in", p->b ? "new" : "current");
    if (p->a)
        json_put_str(diff, "current", p->a->value);
    if (p->b)
        json_put_str(diff, "new", p->b->value);
    put_time(d, diff, "current_at", p->a);
    put_time(d, diff, "new_at", p->b);
    if (diff_why(d, o, p, diff, e) < 0)
        return -1;
    diff_text(diff);
    return 0;
}

/* ---- one question, both stores --------------------------------------------------------------- */

static bool row_same(const struct outcome_row *a, const struct outcome_row *b)
{
    bool value = a->value && b->value ? strcmp(a->value, b->value) == 0 : a->value == b->value;
    return value && llabs(a->at_ms - b->at_ms) < SAME_MS;
}

/* Fields of a record that only one side has are told by its owner. */
static bool is_field(enum outcome o)
{
    return o > OUTCOME_CASE_OWNER && o <= OUTCOME_CASE_PRIORITY;
}

static int row_order(const struct replay_diff *d, const struct outcome_row *a,
                     const struct outcome_row *b)
{
    int64_t x = place(&d->current, a->id), y = place(&d->next, b->id);
    return x != y ? (x > y) - (x < y) : strcmp(a->key, b->key);
}

static int compare_rows(struct replay_diff *d, enum outcome o, struct db_rows *ra,
                        struct db_rows *rb, struct err *e)
{
    struct outcome_row a, b;
    bool more_a = outcome_step(ra, &a), more_b = outcome_step(rb, &b);
    int rc = 0;
    while (rc == 0 && (more_a || more_b)) {
        int order = !more_a ? 1 : !more_b ? -1 : row_order(d, &a, &b);
        struct pair p = {order <= 0 ? &a : NULL, order >= 0 ? &b : NULL};
        if (order == 0 ? !row_same(&a, &b) : !is_field(o))
            rc = diff_add(d, o, &p, e);
        if (order <= 0)
            more_a = outcome_step(ra, &a);
        if (order >= 0)
            more_b = outcome_step(rb, &b);
    }
    return rc;
}

int replay_compare(struct replay_diff *d, struct err *e)
{
    int rc = 0;
    for (int o = 0; rc == 0 && o < OUTCOME_COUNT; o++) {
        struct err end = {0};
        struct db_rows *ra = outcome_query(d->current.db, o, d->since_ms),
                       *rb = outcome_query(d->next.db, o, d->since_ms);
        rc = compare_rows(d, o, ra, rb, e);
        if ((db_done(&ra, &end) < 0) | (db_done(&rb, &end) < 0) && rc == 0) {
            *e = end;
            rc = -1;
        }
    }
    return rc;
}
