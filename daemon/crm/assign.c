/* SPDX-License-Identifier: ISC
 *
 * assign - what a target says, who that is, and giving him the record
 *
 * assign_pool.c deals, assign_who.c knows who is there, territory.c which territory a
 * lead falls into; see assign.h.
 */
#include "crm/assign.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/facts.h"

#define ELSE_DEPTH 8 /* pools whose else is a pool */

/* ---- reading a target ---------------------------------------------------------- */

void assign_target_done(struct assign_target *t)
{
    mem_free(t->name);
    json_decref(t->skills);
    *t = (struct assign_target){.name = NULL};
}

static void skills_add(json_t *all, const json_t *skills)
{
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)skills, i, s)
        json_object_set_new(all, json_string_value(s), json_true());
}

/* {SKILL: true} of all users and members. */
static json_t *skills_known(const struct crm *crm)
{
    json_t *all = json_object();
    const char *name;
    const json_t *v, *m;
    size_t i;
    json_object_foreach((json_t *)crm->users, name, v)
        skills_add(all, json_get_arr(v, "skills"));
    json_object_foreach((json_t *)crm->pools, name, v)
        json_array_foreach(json_get_arr(v, "members"), i, m)
            skills_add(all, json_get_arr(m, "skills"));
    return all;
}

int assign_skill_check(const struct crm *crm, const char *skill, struct err *e)
{
    AUTO_JSON json_t *known = skills_known(crm);
    const char *name;
    const json_t *v;
    json_object_foreach(known, name, v)
        if (!strcasecmp(name, skill))
            return 0;
    return cmd_known(known, "skill", skill, e);
}

/* "with skill french and italian": up to a word that is no skill's place. */
static int read_skills(struct grammar *g, const struct crm *crm, struct assign_target *out,
                       struct err *e)
{
    bool ok, more = true;
    const char *w = grammar_word(g, &ok, e);
    if (!ok || !w || (strcasecmp(w, "skill") && strcasecmp(w, "skills")))
        return ok ? err_set(e, ERR_INPUT, "expected with skill and its name") : -1;
    out->skills = out->skills ? out->skills : json_array();
    while (more) {
        w = grammar_word(g, &ok, e);
        if (!w)
            return ok ? err_set(e, ERR_INPUT, "a skill is missing") : -1;
        if (assign_skill_check(crm, w, e) < 0)
            return -1;
        json_array_append_new(out->skills, json_string(w));
        more = !strncasecmp(grammar_peek(g), "and ", 4);
        if (more)
            grammar_skip(g, 4);
    }
    return 0;
}

static void read_sticky(struct grammar *g, struct assign_target *out)
{
    static const struct {
        const char *word;
        enum assign_sticky sticky;
    } kinds[] = {{"contact", STICKY_CONTACT}, {"company", STICKY_COMPANY}};
    const char *rest = grammar_peek(g);
    out->sticky = STICKY_CONTACT;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].word);
        if (strncasecmp(rest, kinds[i].word, n) || (rest[n] && rest[n] != ' '))
            continue;
        out->sticky = kinds[i].sticky;
        grammar_skip(g, (int)n);
    }
}

static int read_options(struct grammar *g, const struct crm *crm, struct assign_target *out,
                        struct err *e)
{
    bool ok, dealt = out->to == ASSIGN_POOL || out->to == ASSIGN_TEAM || out->to == ASSIGN_TERRITORY;
    const char *w;
    while ((w = grammar_word(g, &ok, e)) != NULL) {
        if (dealt && !strcasecmp(w, "with")) {
            if (read_skills(g, crm, out, e) < 0)
                return -1;
        } else if (dealt && !strcasecmp(w, "sticky")) {
            read_sticky(g, out);
        } else {
            return err_set(e, ERR_INPUT, dealt ? "'%s' is too much; with skill NAME or sticky may stand here"
                                               : "'%s' is too much", w);
        }
    }
    return ok ? 0 : -1;
}

static int read_named(struct grammar *g, const char *what, const json_t *among,
                      struct assign_target *out, struct err *e)
{
    bool ok;
    const char *w = grammar_word(g, &ok, e);
    if (!w)
        return ok ? err_set(e, ERR_INPUT, "the name of the %s is missing", what) : -1;
    if (cmd_known(among, what, w, e) < 0)
        return -1;
    out->name = mem_str(w);
    return 0;
}

int assign_target_read(struct grammar *g, const struct crm *crm, struct assign_target *out,
                       struct err *e)
{
    bool ok;
    const char *w = grammar_word(g, &ok, e);
    int rc = 0;
    *out = (struct assign_target){.to = ASSIGN_USER};
    if (!w)
        return ok ? err_set(e, ERR_INPUT, "expected a user, pool NAME, team NAME, territory or manager")
                  : -1;
    if (!strcasecmp(w, "pool")) {
        out->to = ASSIGN_POOL;
        rc = read_named(g, "pool", crm->pools, out, e);
    } else if (!strcasecmp(w, "team")) {
        out->to = ASSIGN_TEAM;
        rc = read_named(g, "team", crm->teams, out, e);
    } else if (!strcasecmp(w, "territory")) {
        out->to = ASSIGN_TERRITORY;
        if (json_object_size(json_get_obj(crm->config, "territories")) == 0)
            rc = err_set(e, ERR_INPUT, "there are no territories in the rule files");
    } else if (!strcasecmp(w, "manager")) {
        out->to = ASSIGN_MANAGER;
    } else {
        static const char *const words[] = {"pool", "team", "territory", "manager", NULL};
        rc = cmd_user_or(crm, words, w, e);
        out->name = mem_str(w);
    }
    return rc < 0 ? -1 : read_options(g, crm, out, e);
}

/* ---- finding somebody ------------------------------------------------------------ */

void assign_begin(struct assign *a, struct crm_ctx *ctx, const struct crm_target *t,
                  enum crm_entity what, int64_t id)
{
    *a = (struct assign){.ctx = ctx, .target = t, .what = what, .id = id};
    a->strict = ctx->op_actor.kind == CRM_BY_RULE;
    buf_init(&a->told, 4096);
    buf_init(&a->nobody, 4096);
}

void assign_end(struct assign *a)
{
    buf_done(&a->told);
    buf_done(&a->nobody);
}

/* Somebody by name: whoever asks for him, unless a rule does while he is away. */
static int find_user(struct assign *a, const char *user, struct err *e)
{
    struct who_ask alone = {NULL};
    struct who w;
    if (a->strict) {
        if (assign_who(a->ctx, user, &alone, &w, e) < 0)
            return -1;
        if (w.state != WHO_FREE) {
            buf_printf(&a->nobody, "%s%s ", a->nobody.len ? ", " : "", user);
            assign_who_print(a->ctx->crm, &w, &a->nobody);
            return err_set(e, ERR_INPUT, "%s", a->nobody.data);
        }
    }
    a->user = crm_keep_str(a->ctx, user);
    return 0;
}

/* The manager of the owner; while he is away, his; when all are, the first all the same. */
static int find_manager(struct assign *a, struct err *e)
{
    const json_t *rec = crm_record(a->ctx, a->what, a->id, e);
    const char *owner = json_get_str(rec, "owner", NULL), *user, *first;
    struct who_ask alone = {NULL};
    struct who w;
    if (!rec)
        return -1;
    if (!owner)
        return err_set(e, ERR_INPUT, "it has no owner whose manager could get it");
    first = user = crm_manager_of(a->ctx->crm, owner);
    if (!first)
        return err_set(e, ERR_INPUT, "%s has no manager: say manager = of the user, or of the team",
                       owner);
    for (int i = 0; user && i < ELSE_DEPTH; i++, user = crm_manager_of(a->ctx->crm, user)) {
        if (assign_who(a->ctx, user, &alone, &w, e) < 0)
            return -1;
        if (w.state == WHO_FREE)
            break;
    }
    a->user = crm_keep_str(a->ctx, user ? user : first);
    return 0;
}

static int find_depth(struct assign *a, const struct assign_target *t, int depth, struct err *e);

/* The pool has nobody: what its else says. */
static int find_else(struct assign *a, const struct assign_target *t, int depth, struct err *e)
{
    const json_t *line = json_get_obj(json_get_obj(a->ctx->crm->pools, t->name), "else");
    struct assign_target next;
    struct grammar g AUTO_GRAMMAR = {.word = NULL};
    if (!line || depth == 0)
        return -1;
    *e = (struct err){0};
    if (grammar_init(&g, json_get_str(line, "text", ""), e) < 0)
        return -1;
    int rc = assign_target_read(&g, a->ctx->crm, &next, e);
    if (rc == 0) {
        buf_printf(&a->told, ", else %s", json_get_str(line, "text", ""));
        rc = find_depth(a, &next, depth - 1, e);
    }
    assign_target_done(&next);
    return rc;
}

/* Values of persons go where erasure reaches them. */
static void walk_seal(struct crm_ctx *ctx, json_t *walk)
{
    size_t i, k, op = json_array_size(ctx->commands) - 1;
    json_t *step, *seen;
    json_array_foreach(walk, i, step)
        json_array_foreach(json_get_arr(json_get_obj(step, "trace"), "seen"), k, seen) {
            char key[80];
            bool personal = json_get_bool(seen, "personal", false);
            json_object_del(seen, "personal");
            if (!personal || !json_object_get(seen, "value"))
                continue;
            snprintf(key, sizeof(key), "walk:%zu:%zu:%zu", op, i, k);
            json_object_set(ctx->personal, key, json_object_get(seen, "value"));
            json_object_del(seen, "value");
            json_put_str(seen, "sealed", key);
        }
}

struct try {
    struct assign *a;
    const struct assign_target *said; /* of the command */
    int depth;
    size_t nobody_from; /* where in a->nobody the last territory begins */
};

/* What the command says goes for every territory. */
static int try_territory(void *arg, const char *name, const struct assign_target *t, struct err *e)
{
    struct try *try = arg;
    struct assign *a = try->a;
    AUTO_FREE char *path = territories_path(a->ctx->crm->territories, name);
    struct assign_target here = *t; /* borrows name and skills */
    bool strict = a->strict;
    if (try->said->sticky != STICKY_UNSAID)
        here.sticky = try->said->sticky;
    if (!here.skills)
        here.skills = try->said->skills;
    const char *nobody = a->nobody.len > try->nobody_from ? a->nobody.data + try->nobody_from : "";
    nobody += strspn(nobody, ", ");
    if (a->told.len) /* the one below, and why */
        buf_printf(&a->told, "; nobody there%s%s%s; ", *nobody ? " (" : "", nobody, *nobody ? ")" : "");
    try->nobody_from = a->nobody.len;
    buf_printf(&a->told, "%s%s", a->told.len ? "" : "territory ", path);
    if (t->to == ASSIGN_POOL || t->to == ASSIGN_TEAM)
        buf_printf(&a->told, ", %s %s", t->to == ASSIGN_POOL ? "pool" : "team", t->name);
    a->strict = true;
    int rc = find_depth(a, &here, try->depth, e);
    a->strict = strict;
    return rc;
}

static int find_territory(struct assign *a, const struct assign_target *t, int depth, struct err *e)
{
    struct try try = {.a = a, .said = t, .depth = depth - 1};
    struct crm_view view = {a->ctx, *a->target, VIEW_NOW, &a->ctx->op_actor};
    const char *found = NULL;
    if (depth == 0)
        return err_set(e, ERR_INPUT, "a territory whose pool's else is a territory");
    json_t *walk = json_array();
    int rc = territories_walk(a->ctx->crm->territories, crm_view_get, &view, walk, try_territory,
                              &try, &found, e);
    walk_seal(a->ctx, walk);
    json_object_set_new(a->ctx->op, "walk", walk);
    return rc;
}

static int find_depth(struct assign *a, const struct assign_target *t, int depth, struct err *e)
{
    int rc;
    switch (t->to) {
    case ASSIGN_USER:
        return find_user(a, t->name, e);
    case ASSIGN_MANAGER:
        return find_manager(a, e);
    case ASSIGN_TEAM:
        return assign_team(a, t->name, t, e);
    case ASSIGN_TERRITORY:
        return find_territory(a, t, depth, e);
    case ASSIGN_POOL:
        rc = assign_pool(a, t->name, t, e);
        return rc < 0 && e->cls == ERR_INPUT ? find_else(a, t, depth, e) : rc;
    }
    return -1;
}

int assign_find(struct assign *a, const struct assign_target *t, struct err *e)
{
    return find_depth(a, t, ELSE_DEPTH, e);
}

/* ---- giving it to him --------------------------------------------------------------- */

int crm_assign(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *user, struct err *e)
{
    const json_t *rec = crm_record(ctx, t, id, e), *deal;
    int64_t deal_id = 0;
    if (!rec)
        return -1;
    const char *old = json_get_str(rec, "owner", "");
    if (!strcmp(old, user))
        return 0;
    if (crm_change_str(ctx, t, id, "owner", user, e) < 0 ||
        (t != CRM_DEAL && crm_change_int(ctx, t, id, "assigned_ms", ctx->now_ms, e) < 0))
        return -1;
    if (t == CRM_CASE)
        crm_op_event(ctx, "case.assigned", t, id);
    if (t != CRM_LEAD)
        return 0;
    crm_op_event(ctx, "lead.assigned", t, id);
    /* its open deal goes along, unless somebody else was put on it */
    if (crm_deal_of_lead(ctx, id, &deal_id, e) < 0)
        return -1;
    deal = deal_id ? crm_record(ctx, CRM_DEAL, deal_id, e) : NULL;
    if (deal && !strcmp(json_get_str(deal, "status", ""), "open") &&
        !strcmp(json_get_str(deal, "owner", ""), old))
        return crm_change_str(ctx, CRM_DEAL, deal_id, "owner", user, e);
    return deal_id && !deal ? -1 : 0;
}

static int ensure_owner(struct crm_ctx *ctx, enum crm_entity t, int64_t id, bool *assigned_out,
                        struct err *e)
{
    const json_t *rec = crm_record_any(ctx, t, id, e);
    const char *owner = crm_setting(ctx->crm, "default_owner", NULL);
    bool needed;
    if (!rec)
        return -1;
    needed = owner && !json_object_get(rec, "owner") && !json_object_get(rec, "deleted_ms") &&
             strcmp(json_get_str(rec, "status", ""), "closed");
    if (needed) {
        AUTO_FREE char *line = mem_printf("assign %s", owner);
        struct crm_target target;
        if (crm_target_of(ctx, t, id, &target, e) < 0 ||
            crm_command_run(ctx, &target, line, &crm_system, NULL, e) < 0)
            return -1;
    }
    *assigned_out = needed;
    return 0;
}

int crm_ensure_owner(struct crm_ctx *ctx, int64_t lead, bool *assigned_out, struct err *e)
{
    return ensure_owner(ctx, CRM_LEAD, lead, assigned_out, e);
}

int crm_ensure_case_owner(struct crm_ctx *ctx, int64_t kase, bool *assigned_out, struct err *e)
{
    return ensure_owner(ctx, CRM_CASE, kase, assigned_out, e);
}
