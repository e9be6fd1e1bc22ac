/* SPDX-License-Identifier: ISC
 *
 * expr_eval - is the condition true?
 *
 * Three-valued, as expr.h says. A comparison that cannot be made (unset, two
 * currencies, a pattern that gave up) is false, never an error.
 */
#include "rule/expr_ast.h"

#include <string.h>

#include "base/mem.h"

enum eval_place { PLACE_BELOW, PLACE_INSIDE, PLACE_ABOVE, PLACE_NONE };

static enum rule_result eval_bool(bool yes)
{
    return yes ? RULE_TRUE : RULE_FALSE;
}

static int eval_text_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = memcmp(a.p, b.p, n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static enum eval_place eval_place_of(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? PLACE_BELOW : v > hi ? PLACE_ABOVE : PLACE_INSIDE;
}

/* An amount without a currency is compared with whatever currency the value
 * has; it was read in hundredths. */
static enum eval_place eval_money(struct expr_facts *f, const struct rule_value *v, int64_t amount,
                                  const char *currency)
{
    if (strcmp(v->currency, currency) == 0)
        return eval_place_of(v->num, amount, amount);
    if (*currency) {
        f->note = "the currencies differ";
        return PLACE_NONE;
    }
    __int128 a = v->num, b = amount;
    for (int i = rule_money_digits(v->currency); i < 4; i++)
        a *= 10;
    b *= 100;
    return a < b ? PLACE_BELOW : a > b ? PLACE_ABOVE : PLACE_INSIDE;
}

static struct expr_facts *eval_source(const struct expr_arg *a, struct expr_facts *f)
{
    return a->was ? f->was : f;
}

/* The value of a field less another and shifted; what it needs is set, or tmp
 * says what it is. */
static void eval_arithmetic(const struct expr_arg *a, struct expr_facts *f, struct rule_value *tmp)
{
    if (a->less >= 0) {
        const struct rule_value *less = expr_facts_value(f, a->less);
        if (less->state != RULE_VALUE_SET) {
            tmp->state = less->state;
            return;
        }
        if (__builtin_sub_overflow(tmp->num, less->num, &tmp->num))
            tmp->num = less->num > 0 ? INT64_MIN : INT64_MAX;
    }
    if (__builtin_add_overflow(tmp->num, a->shift, &tmp->num))
        tmp->num = a->shift > 0 ? INT64_MAX : INT64_MIN;
}

const struct rule_value *expr_arg_value(const struct expr_arg *a, struct expr_facts *f,
                                        struct rule_value *tmp)
{
    static const struct rule_value unset;
    struct expr_facts *source = eval_source(a, f);
    const struct rule_value *v = source ? expr_facts_value(source, a->field) : &unset;
    if ((a->less < 0 && a->shift == 0) || v->state != RULE_VALUE_SET)
        return v;
    *tmp = *v;
    eval_arithmetic(a, f, tmp);
    return tmp;
}

static struct str eval_folded(const struct expr_arg *a, struct expr_facts *f)
{
    return expr_facts_folded(eval_source(a, f), a->field);
}

/* Where the value of `left` lies, seen from the literal or the other field. */
static enum eval_place eval_place(struct expr_facts *f, const struct expr_arg *left,
                                  const struct rule_value *v, const struct expr_arg *a)
{
    struct rule_value tmp;
    const struct rule_value *o = a->field >= 0 ? expr_arg_value(a, f, &tmp) : NULL;
    if (o && o->state != RULE_VALUE_SET)
        return PLACE_NONE;
    switch (left->type) {
    case RULE_TYPE_TEXT: {
        struct str right = o ? eval_folded(a, f) : (struct str){a->fold, a->fold_len};
        int c = eval_text_compare(eval_folded(left, f), right);
        return c < 0 ? PLACE_BELOW : c > 0 ? PLACE_ABOVE : PLACE_INSIDE;
    }
    case RULE_TYPE_MONEY:
        return o ? eval_money(f, v, o->num, o->currency) : eval_money(f, v, a->lo, a->currency);
    case RULE_TYPE_BOOL:
        return o ? eval_place_of(!!v->num, !!o->num, !!o->num)
                 : eval_place_of(!!v->num, a->lo, a->hi);
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        return o ? eval_place_of(v->num, o->num, o->num) : eval_place_of(v->num, a->lo, a->hi);
    case RULE_TYPE_LIST:
        break;
    }
    return PLACE_NONE;
}

static bool eval_compare(enum expr_compare cmp, enum eval_place p)
{
    switch (cmp) {
    case EXPR_EQ:
        return p == PLACE_INSIDE;
    case EXPR_NE:
        return p == PLACE_BELOW || p == PLACE_ABOVE;
    case EXPR_LT:
        return p == PLACE_BELOW;
    case EXPR_LE:
        return p == PLACE_BELOW || p == PLACE_INSIDE;
    case EXPR_GT:
        return p == PLACE_ABOVE;
    case EXPR_GE:
        return p == PLACE_ABOVE || p == PLACE_INSIDE;
    }
    return false;
}

static bool eval_in(const struct expr_node *n, struct expr_facts *f, const struct rule_value *v)
{
    const struct expr_arg *left = &n->args[0];
    if (n->table && left->type == RULE_TYPE_TEXT) {
        struct str s = eval_folded(left, f);
        return rule_table_has(n->table, s.p, s.n);
    }
    if (n->values.count > 0) {
        struct str s = eval_folded(left, f);
        return rule_map_get(&n->values, s.p, s.n) >= 0;
    }
    for (size_t i = 1; i < n->arg_count; i++)
        if (eval_place(f, left, v, &n->args[i]) == PLACE_INSIDE) {
            f->note = NULL; /* another item may have had another currency */
            return true;
        }
    return false;
}

static bool eval_between(const struct expr_node *n, struct expr_facts *f,
                         const struct rule_value *v)
{
    return eval_compare(EXPR_GE, eval_place(f, &n->args[0], v, &n->args[1])) &&
           eval_compare(EXPR_LE, eval_place(f, &n->args[0], v, &n->args[2]));
}

static bool eval_part_of(enum expr_op op, struct str text, const char *part, size_t n)
{
    if (n > text.n)
        return false;
    if (op == EXPR_STARTS)
        return memcmp(text.p, part, n) == 0;
    if (op == EXPR_ENDS)
        return memcmp(text.p + text.n - n, part, n) == 0;
    return memmem(text.p, text.n, part, n) != NULL;
}

static bool eval_text_has(const struct expr_node *n, struct expr_facts *f)
{
    struct str text = eval_folded(&n->args[0], f);
    for (size_t i = 1; i < n->arg_count; i++)
        if (eval_part_of(n->op, text, n->args[i].fold, n->args[i].fold_len))
            return true;
    for (size_t i = 0; n->table && i < rule_table_count(n->table); i++) {
        const char *part = rule_table_folded(n->table, i);
        if (eval_part_of(n->op, text, part, strlen(part)))
            return true;
    }
    return false;
}

static bool eval_list_has(const struct expr_node *n, struct expr_facts *f,
                          const struct rule_value *v)
{
    const struct str *items =
        expr_facts_folded_items(eval_source(&n->args[0], f), n->args[0].field);
    for (size_t i = 0; i < v->count; i++) {
        if (n->table && rule_table_has(n->table, items[i].p, items[i].n))
            return true;
        for (size_t k = 1; k < n->arg_count; k++)
            if (items[i].n == n->args[k].fold_len &&
                memcmp(items[i].p, n->args[k].fold, items[i].n) == 0)
                return true;
    }
    return false;
}

static bool eval_matches(const struct expr_node *n, struct expr_facts *f,
                         const struct rule_value *v)
{
    if (!f->matcher)
        f->matcher = expr_matcher_new();
    switch (expr_regex_match(n->regex, f->matcher, v->text)) {
    case REGEX_YES:
        return true;
    case REGEX_NO:
        return false;
    case REGEX_GAVE_UP:
        f->note = "the pattern needs too many steps on this text";
        break;
    }
    return false;
}

/* Is a field on the right side not known yet? */
static bool eval_right_unknown(const struct expr_node *n, struct expr_facts *f)
{
    struct rule_value tmp;
    if (n->op != EXPR_COMPARE && n->op != EXPR_BETWEEN)
        return false;
    for (size_t i = 1; i < n->arg_count; i++)
        if (n->args[i].field >= 0 &&
            expr_arg_value(&n->args[i], f, &tmp)->state == RULE_VALUE_UNKNOWN)
            return true;
    return false;
}

static bool eval_set_value(const struct expr_node *n, struct expr_facts *f,
                           const struct rule_value *v)
{
    switch (n->op) {
    case EXPR_TRUTH:
        return v->num != 0;
    case EXPR_SET:
        return true;
    case EXPR_COMPARE:
        return eval_compare(n->cmp, eval_place(f, &n->args[0], v, &n->args[1]));
    case EXPR_IN:
        return eval_in(n, f, v);
    case EXPR_BETWEEN:
        return eval_between(n, f, v);
    case EXPR_CONTAINS:
    case EXPR_STARTS:
    case EXPR_ENDS:
        return n->args[0].type == RULE_TYPE_LIST ? eval_list_has(n, f, v) : eval_text_has(n, f);
    case EXPR_MATCHES:
        return eval_matches(n, f, v);
    case EXPR_ENTERED: /* in one of the two states */
        return n->args[0].type == RULE_TYPE_LIST
                   ? eval_list_has(n, f, v)
                   : eval_place(f, &n->args[0], v, &n->args[1]) == PLACE_INSIDE;
    case EXPR_CHANGED:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        break;
    }
    return false;
}

static bool eval_same_value(enum rule_type t, const struct rule_value *a,
                            const struct rule_value *b)
{
    if (a->state != RULE_VALUE_SET || b->state != RULE_VALUE_SET)
        return a->state == b->state;
    switch (t) {
    case RULE_TYPE_TEXT:
        return a->text.n == b->text.n && memcmp(a->text.p, b->text.p, a->text.n) == 0;
    case RULE_TYPE_LIST:
        for (size_t i = 0; i < a->count && a->count == b->count; i++)
            if (a->items[i].n != b->items[i].n ||
                memcmp(a->items[i].p, b->items[i].p, a->items[i].n) != 0)
                return false;
        return a->count == b->count;
    case RULE_TYPE_MONEY:
        return a->num == b->num && strcmp(a->currency, b->currency) == 0;
    case RULE_TYPE_BOOL:
        return !a->num == !b->num;
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        return a->num == b->num;
    }
    return false;
}

/* changed(), entered(): what the event did, whatever rules have done since. */
static enum rule_result eval_event(const struct expr_node *n, struct expr_facts *f)
{
    static const struct rule_value unset;
    int field = n->args[0].field;
    const struct rule_value *now = expr_facts_value(f->at, field),
                            *was = f->was ? expr_facts_value(f->was, field) : &unset;
    if (n->op == EXPR_ENTERED && now->state != RULE_VALUE_UNKNOWN &&
        (now->state == RULE_VALUE_UNSET || !eval_set_value(n, f->at, now)))
        return RULE_FALSE; /* whatever it was */
    if (now->state == RULE_VALUE_UNKNOWN || was->state == RULE_VALUE_UNKNOWN)
        return RULE_UNKNOWN;
    if (n->op == EXPR_CHANGED)
        return eval_bool(!eval_same_value(n->args[0].type, now, was));
    return eval_bool(was->state != RULE_VALUE_SET || !eval_set_value(n, f->was, was));
}

static enum rule_result eval_test(const struct expr_node *n, struct expr_facts *f)
{
    struct rule_value tmp;
    if (n->op == EXPR_CHANGED || n->op == EXPR_ENTERED)
        return eval_event(n, f);
    const struct rule_value *v = expr_arg_value(&n->args[0], f, &tmp);
    switch (v->state) {
    case RULE_VALUE_UNSET:
        return RULE_FALSE;
    case RULE_VALUE_UNKNOWN:
        return RULE_UNKNOWN;
    case RULE_VALUE_SET:
        break;
    }
    if (eval_right_unknown(n, f))
        return RULE_UNKNOWN;
    return eval_bool(eval_set_value(n, f, v));
}

/* AND ends at the first false part, OR at the first true one. */
static enum rule_result eval_parts(const struct expr_node *n, struct expr_facts *f,
                                   enum rule_result ends, enum rule_result otherwise)
{
    enum rule_result all = otherwise;
    for (const struct expr_node *part = n->first; part; part = part->next) {
        enum rule_result r = expr_node_eval(part, f);
        if (r == ends)
            return r;
        if (r == RULE_UNKNOWN)
            all = RULE_UNKNOWN;
    }
    return all;
}

enum rule_result expr_node_eval(const struct expr_node *n, struct expr_facts *f)
{
    enum rule_result r;
    switch (n->op) {
    case EXPR_AND:
        return eval_parts(n, f, RULE_FALSE, RULE_TRUE);
    case EXPR_OR:
        return eval_parts(n, f, RULE_TRUE, RULE_FALSE);
    case EXPR_NOT:
        r = expr_node_eval(n->first, f);
        return r == RULE_UNKNOWN ? r : eval_bool(r == RULE_FALSE);
    default:
        return eval_test(n, f);
    }
}

enum rule_result expr_eval(const struct expr *x, struct expr_facts *facts)
{
    return expr_node_eval(x->root, facts);
}
