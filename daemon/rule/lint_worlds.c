/* SPDX-License-Identifier: ISC
 *
 * lint_worlds - the regions of one field's values, see lint_solve.h
 *
 * One value for each region is made from the fixed values that the parts name:
 * each of them, and what lies below, between and above. Keywords and patterns in
 * a text that nobody named are free, but for what follows from the words
 * themselves: who contains 'offers' contains 'offer'.
 */
#include <string.h>

#include "base/mem.h"
#include "rule/lint_solve.h"

#define WORLDS_VALUES 512 /* values tried for one field */
#define WORLDS_TABLE 256  /* values of one part that are tried each by itself */
#define WORLDS_FREE 8     /* free parts of one field: each doubles the worlds */
#define WORLDS_MAX 1024   /* of one field */
#define WORLDS_PAIRS 4096 /* words compared with words */

/* The values to try for one field. */
struct worlds_values {
    struct rule_value v[WORLDS_VALUES];
    char *text[WORLDS_VALUES]; /* own; of TEXT */
    bool other[WORLDS_VALUES]; /* stands for texts that nobody named */
    size_t count;
};

/* ---- parts -------------------------------------------------------------- */

/* The words of a list or table, as they are compared. */
static size_t part_words(const struct expr_node *n)
{
    return n->table ? rule_table_count(n->table) : n->arg_count - 1;
}

static const char *part_word(const struct expr_node *n, size_t i)
{
    return n->table ? rule_table_folded(n->table, i) : n->args[i + 1].fold;
}

/* The field as it is, with nothing done to it? */
static bool arg_plain(const struct expr_arg *a)
{
    return a->kind == ARG_FIELD && !a->was && !a->less_word && !a->shift_word;
}

bool lint_part_decidable(const struct lint_solver *s, const struct expr_node *n)
{
    if (!arg_plain(&n->args[0]))
        return false;
    enum rule_type t = rule_fields_get(s->fields, n->args[0].field)->type;
    switch (n->op) {
    case EXPR_TRUTH:
    case EXPR_SET:
        return true;
    case EXPR_IN:
        return t == RULE_TYPE_TEXT || n->arg_count <= WORLDS_TABLE;
    case EXPR_COMPARE:
    case EXPR_BETWEEN:
        for (size_t i = 1; i < n->arg_count; i++)
            if (n->args[i].kind == ARG_FIELD)
                return false;
        return true;
    case EXPR_CONTAINS:
    case EXPR_STARTS:
    case EXPR_ENDS:
    case EXPR_MATCHES:
        return true;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_CHANGED:
    case EXPR_ENTERED:
        break;
    }
    return false;
}

static bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool arg_equal(const struct expr_arg *a, const struct expr_arg *b)
{
    if (a->kind == ARG_FIELD || b->kind == ARG_FIELD)
        return a->kind == b->kind && a->field == b->field && a->was == b->was &&
               a->shift == b->shift && text_equal(a->less_word, b->less_word);
    if (a->fold || b->fold)
        return a->fold && b->fold && a->fold_len == b->fold_len &&
               memcmp(a->fold, b->fold, a->fold_len) == 0;
    return a->lo == b->lo && a->hi == b->hi && strcmp(a->currency, b->currency) == 0 &&
           text_equal(a->word, b->word);
}

bool lint_part_equal(const struct expr_node *a, const struct expr_node *b)
{
    if (a->op != b->op || a->cmp != b->cmp || a->arg_count != b->arg_count || a->table != b->table)
        return false;
    for (size_t i = 0; i < a->arg_count; i++)
        if (!arg_equal(&a->args[i], &b->args[i]))
            return false;
    return a->op != EXPR_MATCHES || strcmp(a->args[1].word, b->args[1].word) == 0;
}

/* ---- words ---------------------------------------------------------------- */

/* Does a text that has a (at its start, at its end, somewhere) have b so, too? */
static bool word_implies(enum expr_op op_a, const char *a, enum expr_op op_b, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (m > n)
        return false;
    if (op_b == EXPR_CONTAINS)
        return strstr(a, b) != NULL;
    if (op_a != op_b)
        return false;
    return memcmp(op_b == EXPR_STARTS ? a : a + n - m, b, m) == 0;
}

/* Can no text begin (end) with both? */
static bool word_excludes(enum expr_op op, const char *a, const char *b)
{
    return op != EXPR_CONTAINS && !word_implies(op, a, op, b) && !word_implies(op, b, op, a);
}

static bool part_is_words(const struct expr_node *n)
{
    return n->op == EXPR_CONTAINS || n->op == EXPR_STARTS || n->op == EXPR_ENDS;
}

static bool part_few(const struct expr_node *a, const struct expr_node *b)
{
    return part_is_words(a) && part_is_words(b) && part_words(a) * part_words(b) <= WORLDS_PAIRS;
}

/* Whatever makes a true makes b true. */
static bool part_implies(const struct expr_node *a, const struct expr_node *b, bool list)
{
    if (!part_few(a, b))
        return false;
    for (size_t i = 0; i < part_words(a); i++) {
        bool found = false;
        for (size_t k = 0; k < part_words(b) && !found; k++)
            found = list ? strcmp(part_word(a, i), part_word(b, k)) == 0
                         : word_implies(a->op, part_word(a, i), b->op, part_word(b, k));
        if (!found)
            return false;
    }
    return true;
}

static bool part_excludes(const struct expr_node *a, const struct expr_node *b)
{
    if (!part_few(a, b) || a->op != b->op || a->op == EXPR_CONTAINS)
        return false;
    for (size_t i = 0; i < part_words(a); i++)
        for (size_t k = 0; k < part_words(b); k++)
            if (!word_excludes(a->op, part_word(a, i), part_word(b, k)))
                return false;
    return true;
}

/* ---- values ------------------------------------------------------------------ */

static struct rule_value *values_add(struct lint_solver *s, struct worlds_values *all)
{
    if (all->count == WORLDS_VALUES) {
        s->too_much = true;
        all->count--;
        mem_free(all->text[all->count]);
        all->text[all->count] = NULL;
    }
    all->v[all->count] = (struct rule_value){.state = RULE_VALUE_SET};
    all->other[all->count] = false;
    return &all->v[all->count++];
}

static void values_number(struct lint_solver *s, struct worlds_values *all, int64_t num,
                          const char *currency)
{
    struct rule_value *v = values_add(s, all);
    v->num = num;
    if (currency)
        memcpy(v->currency, currency, sizeof(v->currency));
}

/* The edges of lo..hi and what is next to them. */
static void values_around(struct lint_solver *s, struct worlds_values *all, int64_t lo, int64_t hi,
                          const char *currency)
{
    values_number(s, all, lo, currency);
    if (hi != lo)
        values_number(s, all, hi, currency);
    if (lo > INT64_MIN)
        values_number(s, all, lo - 1, currency);
    if (hi < INT64_MAX)
        values_number(s, all, hi + 1, currency);
}

/* tail stands for the texts that sort right behind this one. */
static void values_text(struct lint_solver *s, struct worlds_values *all, const char *text,
                        const char *tail)
{
    if (!*text && !*tail)
        return; /* empty text counts as unset */
    struct rule_value *v = values_add(s, all);
    size_t i = all->count - 1;
    all->text[i] = mem_printf("%s%s", text, tail);
    all->other[i] = *tail != '\0';
    v->text = (struct str){all->text[i], strlen(all->text[i])};
}

static bool part_orders(const struct expr_node *n)
{
    return n->op == EXPR_BETWEEN || (n->op == EXPR_COMPARE && n->cmp >= EXPR_LT);
}

static void values_of_text(struct lint_solver *s, const struct lint_variable *v,
                           struct worlds_values *all)
{
    const char *const *choices = rule_fields_get(s->fields, v->field)->choices;
    for (; choices && *choices; choices++)
        values_text(s, all, *choices, "");
    if (rule_fields_get(s->fields, v->field)->choices)
        return;
    values_text(s, all, "", "\x01");
    for (size_t i = 0; i < s->part_count; i++) {
        const struct expr_node *n = s->parts[i].node;
        bool words = n->op == EXPR_COMPARE || n->op == EXPR_BETWEEN || n->op == EXPR_IN;
        if (!(v->parts >> i & 1) || !words || part_words(n) > WORLDS_TABLE)
            continue;
        for (size_t k = 0; k < part_words(n); k++) {
            values_text(s, all, part_word(n, k), "");
            if (part_orders(n))
                values_text(s, all, part_word(n, k), "\x01");
        }
    }
}

/* An amount without a currency means that many of any: it is tried in currencies
 * with no, two and three decimals besides those that are named. */
static void values_of_amount(struct lint_solver *s, struct worlds_values *all,
                             const struct expr_arg *a, const char *currency)
{
    if (*a->currency) {
        if (strcmp(a->currency, currency) == 0)
            values_around(s, all, a->lo, a->hi, currency);
        return;
    }
    __int128 scaled = a->lo;
    int64_t unit = 1;
    for (int i = rule_money_digits(currency); i > 0; i--)
        unit *= 10;
    scaled *= unit;
    if (scaled / 100 > INT64_MAX - 1 || scaled / 100 < INT64_MIN + 1) {
        s->too_much = true;
        return;
    }
    values_around(s, all, (int64_t)(scaled / 100), (int64_t)(scaled / 100), currency);
}

#define WORLDS_CURRENCIES 16

/* Adds the currencies that the part names; false when there are too many. */
static bool currencies_add(const struct expr_node *n, char list[][4], size_t *count)
{
    for (size_t k = 1; k < n->arg_count; k++) {
        const char *name = n->args[k].currency;
        size_t c = 0;
        while (c < *count && strcmp(list[c], name) != 0)
            c++;
        if (!*name || c < *count)
            continue;
        if (c == WORLDS_CURRENCIES)
            return false;
        memcpy(list[(*count)++], name, sizeof(list[0]));
    }
    return true;
}

static void values_of_money(struct lint_solver *s, const struct lint_variable *v,
                            struct worlds_values *all)
{
    char currency[WORLDS_CURRENCIES][4] = {"JPY", "XXX", "KWD"};
    size_t count = 3;
    for (size_t i = 0; i < s->part_count; i++)
        if ((v->parts >> i & 1) && !currencies_add(s->parts[i].node, currency, &count))
            s->too_much = true;
    for (size_t c = 0; c < count; c++) {
        values_number(s, all, 0, currency[c]);
        for (size_t i = 0; i < s->part_count; i++)
            for (size_t k = 1; (v->parts >> i & 1) && k < s->parts[i].node->arg_count; k++)
                values_of_amount(s, all, &s->parts[i].node->args[k], currency[c]);
    }
}

static void values_of_number(struct lint_solver *s, const struct lint_variable *v,
                             struct worlds_values *all)
{
    values_number(s, all, 0, NULL);
    for (size_t i = 0; i < s->part_count; i++)
        for (size_t k = 1; (v->parts >> i & 1) && k < s->parts[i].node->arg_count; k++)
            values_around(s, all, s->parts[i].node->args[k].lo, s->parts[i].node->args[k].hi, NULL);
}

/* What is in a list is free; but an empty one counts as not set. */
static const struct str some_item = {"\x01", 1};

static void values_fill(struct lint_solver *s, const struct lint_variable *v,
                        struct worlds_values *all)
{
    switch (rule_fields_get(s->fields, v->field)->type) {
    case RULE_TYPE_TEXT:
        values_of_text(s, v, all);
        break;
    case RULE_TYPE_MONEY:
        values_of_money(s, v, all);
        break;
    case RULE_TYPE_BOOL:
        values_number(s, all, 0, NULL);
        values_number(s, all, 1, NULL);
        break;
    case RULE_TYPE_INT:
    case RULE_TYPE_TIME:
    case RULE_TYPE_DURATION:
        values_of_number(s, v, all);
        break;
    case RULE_TYPE_LIST:
        *values_add(s, all) = (struct rule_value){
            .state = RULE_VALUE_SET, .items = &some_item, .count = 1};
        all->other[all->count - 1] = true;
        break;
    }
}

/* What is known of the field takes the place of the values. True: it is. */
static bool values_given(struct lint_solver *s, const struct lint_variable *v,
                         const struct lint_given *given, size_t count, struct worlds_values *all)
{
    for (size_t i = 0; i < count; i++) {
        if (given[i].field != v->field)
            continue;
        if (given[i].kind == LINT_GIVEN_TEXT)
            values_text(s, all, given[i].text, "");
        else if (given[i].kind == LINT_GIVEN_NUMBER)
            values_number(s, all, given[i].number, NULL);
        if (given[i].kind <= LINT_GIVEN_NUMBER)
            return true;
    }
    return false;
}

/* ---- worlds -------------------------------------------------------------------- */

static void world_add(struct lint_solver *s, struct lint_variable *v, uint64_t world)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->worlds[i] == world)
            return;
    s->too_much |= v->count == WORLDS_MAX;
    if (v->count == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 8;
        v->worlds = mem_grow(v->worlds, v->cap * sizeof(*v->worlds));
    }
    v->worlds[v->count++] = world;
}

/* Is it decided by the one value that is tried, or free? */
static bool part_free(const struct lint_solver *s, const struct expr_node *n, bool other)
{
    if (n->op == EXPR_MATCHES) /* asks about the text as it is written */
        return true;
    if (!other)
        return false;
    return part_is_words(n) || (n->op == EXPR_IN && part_words(n) > WORLDS_TABLE &&
                                rule_fields_get(s->fields, n->args[0].field)->type ==
                                    RULE_TYPE_TEXT);
}

/* A list of which it is known that a text is in it, or is not. */
static bool world_fits_given(const struct expr_node *n, bool truth, const struct lint_given *g)
{
    bool among = false, alone = part_words(n) == 1;
    for (size_t i = 0; i < part_words(n); i++)
        among |= rule_fold_equal(part_word(n, i), g->text);
    if (!among)
        return true;
    return g->kind == LINT_GIVEN_HAS ? truth : !alone || !truth;
}

static bool world_fits(const struct lint_solver *s, const struct lint_variable *v, uint64_t free,
                       uint64_t world, const struct lint_given *given, size_t given_count)
{
    bool list = rule_fields_get(s->fields, v->field)->type == RULE_TYPE_LIST;
    for (size_t i = 0; i < s->part_count; i++) {
        const struct expr_node *a = s->parts[i].node;
        bool is = world >> i & 1;
        if (!(free >> i & 1))
            continue;
        for (size_t g = 0; g < given_count; g++)
            if (list && given[g].field == v->field && !world_fits_given(a, is, &given[g]))
                return false;
        for (size_t k = 0; is && k < s->part_count; k++) {
            bool other_is = world >> k & 1;
            const struct expr_node *b = s->parts[k].node;
            if (k == i || !(free >> k & 1))
                continue;
            if (other_is ? !list && part_excludes(a, b) : part_implies(a, b, list))
                return false;
        }
    }
    return true;
}

/* All ways in which the free parts may be true beside those that are decided. */
static void worlds_spread(struct lint_solver *s, struct lint_variable *v, uint64_t decided,
                          uint64_t free, const struct lint_given *given, size_t given_count)
{
    uint64_t some = 0;
    if (__builtin_popcountll(free) > WORLDS_FREE) {
        s->too_much = true;
        return;
    }
    do { /* the subsets of free, each once */
        if (world_fits(s, v, free, decided | some, given, given_count))
            world_add(s, v, decided | some);
        some = (some - free) & free;
    } while (some && !s->too_much);
}

static void worlds_of_value(struct lint_solver *s, struct lint_variable *v,
                            const struct rule_value *value, bool other,
                            const struct lint_given *given, size_t given_count)
{
    uint64_t decided = 0, free = 0;
    s->field = v->field;
    s->value = *value;
    expr_facts_changed(s->facts);
    for (size_t i = 0; i < s->part_count; i++) {
        if (!(v->parts >> i & 1))
            continue;
        if (value->state == RULE_VALUE_SET && part_free(s, s->parts[i].node, other))
            free |= UINT64_C(1) << i;
        else if (expr_node_eval(s->parts[i].node, s->facts) == RULE_TRUE)
            decided |= UINT64_C(1) << i;
    }
    worlds_spread(s, v, decided, free, given, given_count);
}

static bool worlds_may_be_unset(const struct lint_variable *v, const struct lint_given *given,
                                size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (given[i].field == v->field && given[i].kind != LINT_GIVEN_UNSET &&
            given[i].kind != LINT_GIVEN_HAS_NOT)
            return false;
    return true;
}

void lint_worlds(struct lint_solver *s, struct lint_variable *v, const struct lint_given *given,
                 size_t given_count)
{
    if (v->field < 0) {
        world_add(s, v, 0);
        world_add(s, v, v->parts);
        return;
    }
    struct worlds_values *all = mem_alloc(sizeof(*all));
    struct rule_value unset = {.state = RULE_VALUE_UNSET};
    if (!values_given(s, v, given, given_count, all))
        values_fill(s, v, all);
    if (worlds_may_be_unset(v, given, given_count))
        worlds_of_value(s, v, &unset, false, given, given_count);
    for (size_t i = 0; i < all->count && !s->too_much; i++)
        worlds_of_value(s, v, &all->v[i], all->other[i], given, given_count);
    for (size_t i = 0; i < all->count; i++)
        mem_free(all->text[i]);
    mem_free(all);
}
