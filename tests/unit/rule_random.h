/* SPDX-License-Identifier: ISC
 *
 * rule_random - random conditions, rules and facts over the fields of rule_facts.h
 *
 * Everything follows from the seed. Values come from small pools, the same for
 * conditions and for facts, so that much is true; some are not set, some not known.
 */
#ifndef LEADD_TEST_RULE_RANDOM_H
#define LEADD_TEST_RULE_RANDOM_H

#include "rule/ruleset.h"
#include "rule_facts.h"

struct rnd {
    uint64_t s;
};

static inline uint32_t rnd(struct rnd *r, uint32_t below)
{
    r->s = r->s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((r->s >> 33) % below);
}

#define RND_PICK(r, pool) ((pool)[rnd((r), ARRAY_LEN(pool))])

static const char *const rnd_words[] = {"DE",    "at",     "FR",    "Anna",    "O'Brien", "web",
                                        "offer", "Angebot", "Straße", "example.com", "vip", "x"};
static const char *const rnd_texts[] = {"Please send an offer",  "ANGEBOT für Anna",
                                        "STRASSE 5, de",         "a@example.com",
                                        "nothing of the kind",   "vip offer by O'Brien from the web"};
static const char *const rnd_stages[] = {"new", "contacted", "qualified", "closed"};
static const char *const rnd_times[] = {"2026-01-01", "2026-01-02", "2026-01-02T12:00:00Z",
                                        "2026-01-03"};
static const char *const rnd_durations[] = {"30m", "2 days", "1h 30m", "4d"};
static const char *const rnd_money[] = {"5 EUR", "7.50 EUR", "10 CHF", "12"};

/* ---- conditions -------------------------------------------------------------- */

static inline void rnd_literal(struct rnd *r, const struct rule_field *f, struct buf *out)
{
    switch (f->type) {
    case RULE_TYPE_TEXT:
    case RULE_TYPE_LIST: {
        const char *w = f->choices ? RND_PICK(r, rnd_stages) : RND_PICK(r, rnd_words);
        buf_char(out, '\'');
        for (; *w; w++) {
            if (*w == '\'')
                buf_char(out, '\'');
            buf_char(out, *w);
        }
        buf_char(out, '\'');
        break;
    }
    case RULE_TYPE_INT:
        buf_printf(out, "%d", (int)rnd(r, 12) - 2);
        break;
    case RULE_TYPE_MONEY:
        buf_str(out, RND_PICK(r, rnd_money));
        break;
    case RULE_TYPE_BOOL:
        buf_str(out, rnd(r, 2) ? "true" : "false");
        break;
    case RULE_TYPE_TIME:
        buf_printf(out, "'%s'", RND_PICK(r, rnd_times));
        break;
    case RULE_TYPE_DURATION:
        buf_str(out, RND_PICK(r, rnd_durations));
        break;
    }
}

static inline void rnd_list(struct rnd *r, const struct rule_field *f, struct buf *out)
{
    uint32_t n = 1 + rnd(r, rnd(r, 8) ? 3 : 12);
    buf_char(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        buf_str(out, i ? (rnd(r, 2) ? ", " : ",") : "");
        rnd_literal(r, f, out);
    }
    buf_char(out, ']');
}

static inline const struct rule_field *rnd_same_type(struct rnd *r, enum rule_type t)
{
    for (;;) {
        const struct rule_field *f = &test_fields[rnd(r, ARRAY_LEN(test_fields))];
        if (f->type == t)
            return f;
    }
}

static inline void rnd_set_test(struct rnd *r, const struct rule_field *f, struct buf *out)
{
    static const char *const ops[] = {"in", "contains", "starts", "ends", "contains"};
    const char *op = f->type == RULE_TYPE_LIST ? "contains"
                     : f->type == RULE_TYPE_TEXT ? RND_PICK(r, ops)
                                                 : "in";
    buf_printf(out, "%s %s%s ", f->name, rnd(r, 4) ? "" : "not ", op);
    if (f->type == RULE_TYPE_TEXT && !f->choices && rnd(r, 3) == 0)
        buf_str(out, rnd(r, 2) ? "@words" : "@dach");
    else if (strcmp(op, "in") != 0 && rnd(r, 2))
        rnd_literal(r, f, out);
    else
        rnd_list(r, f, out);
}

static inline void rnd_compare(struct rnd *r, const struct rule_field *f, struct buf *out)
{
    static const char *const ops[] = {"==", "==", "!=", "<", "<=", ">", ">="};
    const char *op = f->type == RULE_TYPE_BOOL ? (rnd(r, 2) ? "==" : "!=") : RND_PICK(r, ops);
    uint32_t kind = rnd(r, 10);
    if (kind == 0) {
        rnd_literal(r, f, out);
        buf_printf(out, " %s %s", op, f->name);
    } else if (kind == 1) {
        buf_printf(out, "was(%s) %s ", f->name, op);
        rnd_literal(r, f, out);
    } else if (kind == 2) {
        buf_printf(out, rnd(r, 2) ? "%s %s %s" : "%s %s was(%s)", f->name, op,
                   rnd_same_type(r, f->type)->name);
    } else if (kind == 3 && f->type == RULE_TYPE_TIME) {
        buf_printf(out, "%s %s %s %c %s", f->name, op, rnd_same_type(r, f->type)->name,
                   rnd(r, 2) ? '+' : '-', RND_PICK(r, rnd_durations));
    } else if (kind == 4 && f->type == RULE_TYPE_DURATION) {
        buf_printf(out, "lead.changed - lead.created %s %s", op, RND_PICK(r, rnd_durations));
    } else {
        buf_printf(out, "%s %s ", f->name, op);
        rnd_literal(r, f, out);
    }
}

static inline void rnd_test(struct rnd *r, struct buf *out)
{
    const struct rule_field *f = &test_fields[rnd(r, ARRAY_LEN(test_fields))];
    switch (rnd(r, 12)) {
    case 0:
        buf_printf(out, rnd(r, 2) ? "%s is set" : "%s is not set", f->name);
        return;
    case 1:
        buf_printf(out, "changed(%s)", f->name);
        return;
    case 2:
        buf_printf(out, "entered(%s, ", f->name);
        rnd_literal(r, f, out);
        buf_char(out, ')');
        return;
    case 3:
        if (f->type == RULE_TYPE_INT) {
            buf_printf(out, "%s %sbetween %d and %d", f->name, rnd(r, 3) ? "" : "not ",
                       (int)rnd(r, 5), (int)(5 + rnd(r, 5)));
            return;
        }
        break;
    case 4:
        if (f->type == RULE_TYPE_TEXT) {
            buf_printf(out, "%s %s~ 'a.*(n|o)'", f->name, rnd(r, 3) ? "" : "not ");
            return;
        }
        break;
    default:
        break;
    }
    if (f->type == RULE_TYPE_BOOL && rnd(r, 2))
        buf_printf(out, rnd(r, 2) ? "%s" : "not %s", f->name);
    else if (f->type == RULE_TYPE_LIST || (f->type != RULE_TYPE_BOOL && rnd(r, 2)))
        rnd_set_test(r, f, out);
    else
        rnd_compare(r, f, out);
}

static inline void rnd_expr(struct rnd *r, int depth, struct buf *out)
{
    uint32_t kind = depth > 0 ? rnd(r, 6) : 9;
    if (kind == 0) {
        buf_str(out, "not (");
        rnd_expr(r, depth - 1, out);
        buf_char(out, ')');
    } else if (kind <= 2) {
        uint32_t n = 2 + rnd(r, 2);
        bool and = kind == 1, group = rnd(r, 2);
        buf_str(out, group ? "(" : "");
        for (uint32_t i = 0; i < n; i++) {
            buf_str(out, !i ? "" : and ? " and " : " or ");
            rnd_expr(r, depth - 1, out);
        }
        buf_str(out, group ? ")" : "");
    } else {
        rnd_test(r, out);
    }
}

/* ---- facts ------------------------------------------------------------------- */

struct rnd_facts {
    struct rule_value v[ARRAY_LEN(test_fields)];
    struct str items[ARRAY_LEN(test_fields)][3];
};

static inline struct str rnd_str(const char *s)
{
    return (struct str){s, strlen(s)};
}

static inline void rnd_value(struct rnd *r, struct rnd_facts *facts, size_t i)
{
    const struct rule_field *f = &test_fields[i];
    struct rule_value *v = &facts->v[i];
    uint32_t chance = rnd(r, 100);
    *v = (struct rule_value){.state = chance < 12   ? RULE_VALUE_UNSET
                                      : chance < 14 ? RULE_VALUE_UNKNOWN
                                                    : RULE_VALUE_SET};
    switch (f->type) {
    case RULE_TYPE_TEXT:
        v->text = rnd_str(f->choices ? RND_PICK(r, rnd_stages)
                          : rnd(r, 2) ? RND_PICK(r, rnd_words)
                                      : RND_PICK(r, rnd_texts));
        break;
    case RULE_TYPE_LIST:
        v->count = rnd(r, 4);
        for (size_t k = 0; k < v->count; k++)
            facts->items[i][k] = rnd_str(RND_PICK(r, rnd_words));
        v->items = facts->items[i];
        break;
    case RULE_TYPE_INT:
        v->num = (int)rnd(r, 12) - 2;
        break;
    case RULE_TYPE_BOOL:
        v->num = rnd(r, 2);
        break;
    case RULE_TYPE_MONEY:
        LEADD_ASSERT(rule_money_parse(RND_PICK(r, rnd_money), "EUR", &v->num, v->currency) == 0);
        break;
    case RULE_TYPE_TIME:
        LEADD_ASSERT(clock_parse_utc(RND_PICK(r, rnd_times), &v->num) == 0);
        break;
    case RULE_TYPE_DURATION:
        LEADD_ASSERT(text_parse_duration(RND_PICK(r, rnd_durations), &v->num) == 0);
        break;
    }
}

/* Lists point into the facts they were made for: a copy points to its own. */
static inline void rnd_facts_copy(struct rnd_facts *to, const struct rnd_facts *from)
{
    *to = *from;
    for (size_t i = 0; i < ARRAY_LEN(test_fields); i++)
        if (to->v[i].items)
            to->v[i].items = to->items[i];
}

static inline void rnd_get(void *arg, int field, struct rule_value *out)
{
    const struct rnd_facts *f = arg;
    *out = f->v[field];
}

/* ---- rule sets ---------------------------------------------------------------- */

static const struct rule_event rnd_events[] = {{"lead.created", "lead"}, {"lead.changed", "lead"}};

static inline json_t *rnd_config(struct rnd *r, int rules)
{
    json_t *list = json_array();
    struct buf text AUTO_BUF;
    buf_init(&text, 16384);
    for (int i = 0; i < rules; i++) {
        char name[16], at[24];
        bool edge = rnd(r, 4) == 0;
        snprintf(name, sizeof(name), "r%d", i);
        snprintf(at, sizeof(at), "r.conf:%d", i * 5 + 1);
        json_t *when = json_array();
        for (uint32_t n = rnd(r, 100) || edge ? 2 + rnd(r, 3) : 0; n > 0; n--) {
            snprintf(at, sizeof(at), "r.conf:%d", i * 5 + 2 + (int)json_array_size(when));
            buf_reset(&text);
            rnd_expr(r, (int)rnd(r, 3), &text);
            json_array_append_new(when, json_pack("{s:s, s:s}", "text", text.data, "at", at));
        }
        snprintf(at, sizeof(at), "r.conf:%d", i * 5 + 1);
        json_t *rule = json_pack("{s:s, s:s, s:{s:s}, s:o, s:[{s:s}]}", "name", name, "at", at,
                                 "on", "text", edge ? "lead" : "lead.changed", "when", when, "do",
                                 "text", "tag x");
        if (rnd(r, 5) == 0)
            json_put_str(rule, "first", rnd(r, 2) ? "a" : "b");
        if (rnd(r, 60) == 0)
            json_put_bool(rule, "stop", true);
        json_array_append_new(list, rule);
    }
    return json_pack("{s:o, s:{s:{s:[s,s,s]}, s:{s:[s,s,s,s]}}}", "rules", list, "tables", "dach",
                     "values", "DE", "AT", "CH", "words", "values", "offer", "Angebot", "strasse",
                     "Anna");
}

#endif
