/* SPDX-License-Identifier: ISC
 *
 * territory - the tree of territories: which one a lead falls into
 *
 * Exactly one territory, the root, has neither parent nor when: it takes what no other
 * does, so no lead is without a territory. Below each, the children are asked in the
 * order of the files, and the first whose conditions all hold is gone into; it is asked
 * no more what stands beside it. One without an assign of its own has its parent's.
 *
 * Conditions are those of rules, over the lead as it is now.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "rule/lint.h"
#include "rule/ruleset.h"

#define LINT_MOST 400 /* territories that are compared with those before them */

struct territory {
    const char *name, *at; /* borrowed from the config */
    int parent;            /* -1: the root */
    struct expr **when;    /* own; when_count of them */
    size_t when_count;
    const json_t *lines;   /* borrowed: [{text, at, col}] */
    bool has_assign;
    struct assign_target assign;
};

struct territories {
    struct expr_env env;
    struct territory *v; /* own; in the order of the files */
    size_t count;
    int root;            /* -1 when there are none */
};

struct territory_loader {
    struct territories *ts;
    const struct crm *crm;
    struct errlist *errors;
    const struct territory *one;
    const json_t *line;
};

bool territories_any(const struct territories *t)
{
    return t->root >= 0;
}

/* ---- loading ------------------------------------------------------------------ */

static void expr_error(void *arg, int col, const char *what)
{
    struct territory_loader *ld = arg;
    errlist_add(ld->errors, json_get_str(ld->line, "at", ld->one->at), "territory %s: %s",
                ld->one->name, what);
    errlist_caret(ld->errors, json_get_str(ld->line, "text", ""), col);
}

static void read_when(struct territory_loader *ld, struct territory *t, const json_t *def)
{
    size_t i;
    t->lines = json_get_arr(def, "when");
    t->when_count = json_array_size(t->lines);
    t->when = mem_array(t->when_count, sizeof(*t->when));
    ld->one = t;
    json_array_foreach((json_t *)t->lines, i, ld->line)
        t->when[i] = expr_compile(&ld->ts->env, json_get_str(ld->line, "text", ""), expr_error, ld);
}

static void read_assign(struct territory_loader *ld, struct territory *t, const json_t *def)
{
    const json_t *line = json_get_obj(def, "assign");
    const char *text = json_get_str(line, "text", "");
    struct err e = {0};
    if (!line)
        return;
    struct grammar g AUTO_GRAMMAR = {.word = NULL};
    if (grammar_init(&g, text, &e) < 0 || assign_target_read(&g, ld->crm, &t->assign, &e) < 0) {
        errlist_add(ld->errors, json_get_str(line, "at", t->at), "territory %s: %s", t->name, e.text);
        errlist_caret(ld->errors, text, g.word_at);
    } else if (t->assign.to == ASSIGN_TERRITORY) {
        errlist_add(ld->errors, json_get_str(line, "at", t->at),
                    "territory %s: assign cannot be 'territory' here; expected a user, pool NAME, "
                    "team NAME or manager", t->name);
    }
    t->has_assign = true;
}

static void read_parent(struct territory_loader *ld, struct territory *t, const json_t *config,
                        const json_t *def)
{
    const char *parent = json_get_str(def, "parent", NULL);
    struct err e = {0};
    t->parent = -1;
    for (size_t i = 0; parent && i < ld->ts->count; i++)
        if (!strcmp(ld->ts->v[i].name, parent))
            t->parent = (int)i;
    if (parent && t->parent < 0 && cmd_known(config, "territory", parent, &e) < 0)
        errlist_add(ld->errors, t->at, "territory %s: parent: %s", t->name, e.text);
}

/* From each territory up: a root, a mistake that was told, or a circle. */
static void check_circles(struct territory_loader *ld)
{
    const struct territories *ts = ld->ts;
    for (size_t i = 0; i < ts->count; i++) {
        size_t steps = 0;
        int at = (int)i;
        while (at >= 0 && steps++ <= ts->count)
            at = ts->v[at].parent;
        if (at < 0)
            continue;
        errlist_add(ld->errors, ts->v[i].at, "territory %s: its parents go round in a circle",
                    ts->v[i].name);
        return;
    }
}

/* A child behind one without conditions is never asked. */
static void check_reach(struct territory_loader *ld, const struct territory *t)
{
    for (const struct territory *b = ld->ts->v; b < t; b++)
        if (t->parent >= 0 && b->parent == t->parent && b->when_count == 0)
            errlist_add(ld->errors, t->at, "territory %s is never reached: %s (%s) stands before it and "
                        "has no `when`", t->name, b->name, b->at);
}

static void check_root(struct territory_loader *ld, const json_t *config)
{
    struct territories *ts = ld->ts;
    for (size_t i = 0; i < ts->count; i++) {
        const struct territory *t = &ts->v[i];
        if (json_object_get(json_get_obj(config, t->name), "parent")) {
            check_reach(ld, t);
            continue;
        }
        if (t->when_count > 0) {
            errlist_add(ld->errors, t->at, "territory %s has conditions and so needs a parent; the one "
                        "without parent takes every lead", t->name);
            continue;
        }
        if (ts->root >= 0) {
            errlist_add(ld->errors, t->at, "territory %s needs a parent: %s (%s) is the root already, "
                        "and there is only one", t->name, ts->v[ts->root].name, ts->v[ts->root].at);
            continue;
        }
        ts->root = (int)i;
        if (!t->has_assign)
            errlist_add(ld->errors, t->at, "territory %s is the root, which takes what no other does: "
                        "it needs an assign", t->name);
    }
    if (ts->count > 0 && ts->root < 0)
        errlist_add(ld->errors, ts->v[0].at, "territories: one must be the root, without parent and "
                    "when, which takes what no other does");
}

struct territories *territories_new(const struct crm *crm, const json_t *config,
                                    struct errlist *errors)
{
    struct territories *ts = mem_alloc(sizeof(*ts));
    struct territory_loader ld = {.ts = ts, .crm = crm, .errors = errors};
    const char *name;
    const json_t *def;
    ts->root = -1;
    if (!crm->rules) /* whose mistakes were told: without its tables nothing can be said */
        return ts;
    ts->env = *ruleset_expr_env(crm->rules);
    ts->v = mem_array(json_object_size(config), sizeof(*ts->v));
    json_object_foreach((json_t *)config, name, def)
        ts->v[ts->count++] = (struct territory){.name = name, .at = json_get_str(def, "at", "?")};
    for (size_t i = 0; i < ts->count; i++) {
        def = json_get_obj(config, ts->v[i].name);
        read_parent(&ld, &ts->v[i], config, def);
        read_when(&ld, &ts->v[i], def);
        read_assign(&ld, &ts->v[i], def);
    }
    check_root(&ld, config);
    check_circles(&ld);
    return ts;
}

void territories_free(struct territories **p)
{
    struct territories *ts = *p;
    *p = NULL;
    if (!ts)
        return;
    for (size_t i = 0; i < ts->count; i++) {
        for (size_t k = 0; k < ts->v[i].when_count; k++)
            expr_free(&ts->v[i].when[k]);
        mem_free(ts->v[i].when);
        assign_target_done(&ts->v[i].assign);
    }
    mem_free(ts->v);
    mem_free(ts);
}

/* ---- what is hardly meant ------------------------------------------------------ */

/* Its own conditions and those of all above it; own. */
static struct expr **all_conditions(const struct territories *ts, size_t at, size_t *count_out)
{
    struct expr **all = NULL;
    size_t n = 0, depth = 0;
    for (int i = (int)at; i >= 0 && depth++ < ts->count; i = ts->v[i].parent)
        for (size_t k = 0; k < ts->v[i].when_count; k++) {
            all = mem_grow(all, (n + 1) * sizeof(struct expr *));
            all[n++] = ts->v[i].when[k];
        }
    *count_out = n;
    return all;
}

static void lint_found(json_t *found, const struct territory *t, const char *finding,
                       const char *text, const char *advice)
{
    json_t *f = json_object();
    json_put_str(f, "at", t->at);
    json_put_str(f, "territory", t->name);
    json_put_str(f, "finding", finding);
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_array_append_new(found, f);
}

/* Does a lead that falls into `all` always fall into the one before? */
static bool lint_taken(const struct territories *ts, struct expr *const *all, size_t count,
                       const struct territory *before)
{
    for (size_t i = 0; i < before->when_count; i++)
        if (rule_lint_possible(ts->env.fields, all, count, before->when[i]))
            return false;
    return true;
}

static void lint_one(const struct territories *ts, size_t at, json_t *found)
{
    const struct territory *t = &ts->v[at];
    size_t n;
    AUTO_FREE struct expr **all = all_conditions(ts, at, &n);
    if (n > 0 && !rule_lint_possible(ts->env.fields, all, n, NULL)) {
        lint_found(found, t, "never", "no lead falls into it: its conditions, and those of the "
                   "territories above it, cannot hold together",
                   "correct the condition, or remove the territory");
        return;
    }
    for (size_t i = 0; i < at; i++) {
        if (t->parent < 0 || ts->v[i].parent != t->parent || !lint_taken(ts, all, n, &ts->v[i]))
            continue;
        AUTO_FREE char *text = mem_printf("no lead falls into it: %s (%s) stands before it and takes "
                                          "them all", ts->v[i].name, ts->v[i].at);
        AUTO_FREE char *advice = mem_printf("move it before %s, or make that one narrower",
                                            ts->v[i].name);
        lint_found(found, t, "shadowed", text, advice);
        return;
    }
}

void territories_lint(const struct territories *ts, json_t *found)
{
    for (size_t i = 0; i < ts->count && i < LINT_MOST; i++)
        lint_one(ts, i, found);
}

/* ---- walking ------------------------------------------------------------------- */

static bool territory_holds(const struct territory *t, struct expr_facts *facts, json_t *walk)
{
    json_t *step = json_object();
    json_put_str(step, "territory", t->name);
    json_array_append_new(walk, step);
    for (size_t i = 0; i < t->when_count; i++) {
        struct expr_trace trace;
        if (expr_explain(t->when[i], facts, &trace) == RULE_TRUE)
            continue;
        const json_t *line = json_array_get(t->lines, i);
        json_put_str(step, "at", json_get_str(line, "at", t->at));
        json_put_str(step, "when", json_get_str(line, "text", ""));
        json_object_set_new(step, "trace", expr_trace_json(t->when[i], &trace));
        return false;
    }
    json_put_str(step, "at", t->at);
    json_put_bool(step, "holds", true);
    return true;
}

static int territory_below(const struct territories *ts, int at, struct expr_facts *facts,
                           json_t *walk)
{
    for (size_t i = 0; i < ts->count; i++)
        if (ts->v[i].parent == at && territory_holds(&ts->v[i], facts, walk))
            return (int)i;
    return -1;
}

int territories_walk(const struct territories *ts, rule_get_fn get, void *facts, json_t *walk_out,
                     territory_try_fn try, void *arg, const char **found_out, struct err *e)
{
    int at = ts->root, rc = -1;
    if (at < 0)
        return err_set(e, ERR_INPUT, "there are no territories");
    struct expr_facts *f = expr_facts_new(ts->env.fields, get, facts);
    for (int next = at; next >= 0; next = territory_below(ts, at, f, walk_out))
        at = next;
    expr_facts_free(&f);
    *found_out = ts->v[at].name;
    while (at >= 0 && rc < 0) {
        int from = at;
        while (!ts->v[from].has_assign && ts->v[from].parent >= 0)
            from = ts->v[from].parent;
        *e = (struct err){0};
        rc = try(arg, ts->v[at].name, &ts->v[from].assign, e);
        if (rc < 0 && e->cls != ERR_INPUT)
            break;
        at = ts->v[from].parent;
    }
    return rc;
}

char *territories_path(const struct territories *ts, const char *name)
{
    struct buf out AUTO_BUF;
    int chain[64], n = 0, at = -1;
    buf_init(&out, 64 * 1024);
    for (size_t i = 0; i < ts->count; i++)
        if (!strcmp(ts->v[i].name, name))
            at = (int)i;
    for (; at >= 0 && n < 64; at = ts->v[at].parent)
        chain[n++] = at;
    while (n-- > 0)
        buf_printf(&out, "%s%s", out.len ? " > " : "", ts->v[chain[n]].name);
    return mem_str(out.data ? out.data : "");
}
