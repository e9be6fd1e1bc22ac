/* SPDX-License-Identifier: ISC
 *
 * assign_pool - dealing from a pool or a team: see assign.h
 *
 * The members who can be dealt to now are found first (assign_who), then one of them is
 * chosen: by the round (round.h), or by open leads. When nobody is at work, those are
 * dealt to who begin first, unless the pool says when_nobody = "else".
 *
 * A pool's row: {"round": .. of round.h, "today": {USER: [DAY, N]}, "last": {USER: N}},
 * each where it is needed. It is written in the transaction of the assignment.
 */
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/round.h"
#include "rule/calendar.h"
#include "store/lead.h"
#include "store/pool.h"

struct deal {
    struct assign *a;
    struct who_ask ask;
    const json_t *members;  /* [{user, weight, ..}] */
    const json_t *skills[4];
    json_t *state;          /* own */
    struct round_member *m; /* own; as many as members */
    struct who *who;        /* own */
    size_t count;
    int64_t before;         /* least_open: when the chosen one got his last, of "last" */
};

/* ---- who may be dealt to ---------------------------------------------------------- */

/* Tags of the lead that are a skill of some user. */
static const json_t *skills_of_tags(struct assign *a, struct err *e)
{
    const json_t *tags = crm_tags(a->ctx, a->what, a->id, e), *tag, *u, *s;
    const char *name;
    size_t i, k;
    if (!tags)
        return NULL;
    json_t *found = json_array();
    json_array_append_new(a->ctx->strings, found);
    json_array_foreach((json_t *)tags, i, tag) {
        bool known = false;
        json_object_foreach((json_t *)a->ctx->crm->users, name, u)
            json_array_foreach(json_get_arr(u, "skills"), k, s)
                known |= !strcasecmp(json_string_value(s), json_string_value(tag));
        if (known)
            json_array_append(found, (json_t *)tag);
    }
    return found;
}

static int deal_skills(struct deal *d, const struct assign_target *t, struct err *e)
{
    size_t n = 0;
    if (t && json_array_size(t->skills))
        d->skills[n++] = t->skills;
    if (json_get_arr(d->ask.config, "needs"))
        d->skills[n++] = json_get_arr(d->ask.config, "needs");
    if (json_get_bool(d->ask.config, "match_tags", false)) {
        d->skills[n] = skills_of_tags(d->a, e);
        if (!d->skills[n])
            return -1;
    }
    d->ask.skills = d->skills;
    return 0;
}

static int deal_look(struct deal *d, bool weighted, struct err *e)
{
    const json_t *one;
    size_t i;
    if (json_array_size(d->members) > BOUND_POOL_MEMBERS)
        return err_set(e, ERR_INPUT, "%s has more than %d users", d->ask.pool, BOUND_POOL_MEMBERS);
    d->m = mem_array(json_array_size(d->members), sizeof(*d->m));
    d->who = mem_array(json_array_size(d->members), sizeof(*d->who));
    json_array_foreach((json_t *)d->members, i, one) {
        const char *user = json_get_str(one, "user", "");
        struct round_member *m = &d->m[d->count];
        int64_t weight = weighted ? json_get_int(one, "weight", 1) : 1;
        d->ask.member = one;
        if (assign_who(d->a->ctx, user, &d->ask, &d->who[d->count], e) < 0)
            return -1;
        if (d->who[d->count].state == WHO_GONE)
            continue;
        *m = (struct round_member){user, weight, d->who[d->count].state == WHO_FREE};
        d->count++;
    }
    return 0;
}

/* Nobody is at work: those who begin first are as good. */
static void deal_next_hours(struct deal *d)
{
    int64_t first = CALENDAR_NEVER;
    for (size_t i = 0; i < d->count; i++) {
        if (d->m[i].can)
            return;
        if (d->who[i].state == WHO_OFF_HOURS && d->who[i].until < first)
            first = d->who[i].until;
    }
    for (size_t i = 0; i < d->count && first != CALENDAR_NEVER; i++)
        d->m[i].can = d->who[i].state == WHO_OFF_HOURS && d->who[i].until == first;
}

static int deal_nobody(struct deal *d, struct err *e)
{
    struct buf *out = &d->a->nobody;
    for (size_t i = 0; i < d->count; i++) {
        buf_printf(out, "%s%s ", out->len ? ", " : "", d->m[i].user);
        assign_who_print(d->a->ctx->crm, &d->who[i], out);
    }
    if (d->count == 0)
        buf_printf(out, "%snobody in %s is active", out->len ? ", " : "", d->ask.pool);
    return err_set(e, ERR_INPUT, "nobody in %s can be dealt to: %s", d->ask.pool, out->data);
}

/* ---- whose turn it is ---------------------------------------------------------------- */

/* The fewest open leads and cases for his weight; of equals, who got one longest ago. */
static int deal_least_open(struct deal *d, size_t *chosen_out, struct err *e)
{
    const json_t *last = json_get_obj(d->state, "last");
    int64_t best_open = 0, best_last = 0;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < d->count; i++) {
        int64_t open, before = json_get_int(last, d->m[i].user, 0);
        if (!d->m[i].can)
            continue;
        if (lead_open_count(d->a->ctx->crm->db, d->m[i].user, &open, e) < 0)
            return -1;
        /* what he would have then, for his weight: (open + 1) / weight */
        int64_t mine = best == SIZE_MAX ? -1 : (open + 1) * d->m[best].weight,
                his = best == SIZE_MAX ? 0 : (best_open + 1) * d->m[i].weight;
        if (mine < his || (mine == his && before < best_last)) {
            best = i;
            best_open = open;
            best_last = before;
        }
    }
    *chosen_out = best;
    return 0;
}

static bool by(const struct deal *d, const char *how)
{
    return !strcmp(json_get_str(d->ask.config, "by", "round_robin"), how);
}

static int deal_choose(struct deal *d, size_t *chosen_out, struct err *e)
{
    if (!by(d, "least_open")) {
        json_t *round = json_get_obj(d->state, "round");
        if (!round)
            json_object_set_new(d->state, "round", round = json_object());
        *chosen_out = round_next(round, d->m, d->count);
        return 0;
    }
    if (deal_least_open(d, chosen_out, e) < 0)
        return -1;
    json_t *last = json_get_obj(d->state, "last");
    int64_t n = json_get_int(d->state, "n", 0) + 1;
    if (!last)
        json_object_set_new(d->state, "last", last = json_object());
    d->before = json_get_int(last, d->m[*chosen_out].user, 0);
    json_put_int(last, d->m[*chosen_out].user, n);
    json_put_int(d->state, "n", n);
    return 0;
}

static const json_t *member_of(const struct deal *d, const char *user)
{
    const json_t *one;
    size_t i;
    json_array_foreach((json_t *)d->members, i, one)
        if (!strcmp(json_get_str(one, "user", ""), user))
            return one;
    return NULL;
}

/* Stores where the pool stands now, and notes in the command what undo gives back. */
static int deal_store(struct deal *d, const char *user, bool turn, struct err *e)
{
    struct crm_ctx *ctx = d->a->ctx;
    bool open = turn && by(d, "least_open");
    int64_t n = open   ? json_get_int(d->state, "n", 0)
                : turn ? round_dealt(json_get_obj(d->state, "round"))
                       : 0;
    if (assign_count(ctx, user, member_of(d, user), d->state, 1, ctx->now_ms, e) < 0 ||
        pool_store(ctx->crm->db, d->ask.pool, d->state, ctx->now_ms, e) < 0)
        return -1;
    json_t *dealt = json_pack("{s:s, s:s, s:I}", "dealt", d->ask.pool, "user", user, "n",
                              (json_int_t)n);
    if (open)
        json_put_int(dealt, "before", d->before);
    if (json_get_int(member_of(d, user), "capacity", 0) ||
        json_get_int(crm_user(ctx->crm, user), "capacity", 0))
        json_put_int(dealt, "at", ctx->now_ms); /* the day it was counted for */
    json_array_append_new(json_object_get(ctx->op, "changes"), dealt);
    d->a->user = crm_keep_str(ctx, user);
    return 0;
}

/* ---- the owner it had before ---------------------------------------------------------- */

/* The owner of the contact's or company's last lead, if he is a member who is there and
 * takes leads: neither his hours nor his capacity nor skills stand in the way, and the
 * round is not touched. "" when there is none. */
static int deal_sticky(struct deal *d, enum assign_sticky how, char *owner, size_t n, struct err *e)
{
    struct assign *a = d->a;
    struct who_ask alone = {NULL};
    struct who w;
    int64_t lead = a->what == CRM_LEAD ? a->id : 0;
    owner[0] = '\0';
    if (a->target->contact &&
        lead_last_owner(a->ctx->crm->db, a->target->contact, lead, false, owner, n, e) < 0)
        return -1;
    if (!owner[0] && how == STICKY_COMPANY && a->target->company &&
        lead_last_owner(a->ctx->crm->db, a->target->company, lead, true, owner, n, e) < 0)
        return -1;
    if (!owner[0])
        return 0;
    if (assign_who(a->ctx, owner, &alone, &w, e) < 0)
        return -1;
    if (w.state != WHO_FREE || !member_of(d, owner) ||
        !json_get_bool(crm_user(a->ctx->crm, owner), "takes", true))
        owner[0] = '\0';
    return 0;
}

static enum assign_sticky deal_how_sticky(const struct deal *d, const struct assign_target *t)
{
    const char *said = json_get_str(d->ask.config, "sticky", "");
    if (t && t->sticky != STICKY_UNSAID)
        return t->sticky;
    return !strcmp(said, "company") ? STICKY_COMPANY
           : !strcmp(said, "contact") ? STICKY_CONTACT
                                      : STICKY_NO;
}

static int deal_run(struct deal *d, const struct assign_target *t, struct err *e)
{
    char owner[BOUND_CONFIG_NAME + 1];
    enum assign_sticky sticky = deal_how_sticky(d, t);
    size_t chosen;
    bool next = strcmp(json_get_str(d->ask.config, "when_nobody", "next"), "else") != 0;
    if (pool_load(d->a->ctx->crm->db, d->ask.pool, &d->state, e) < 0)
        return -1;
    d->ask.state = d->state;
    if (sticky >= STICKY_CONTACT) {
        if (deal_sticky(d, sticky, owner, sizeof(owner), e) < 0)
            return -1;
        if (owner[0]) {
            buf_str(&d->a->told, ", whose lead it was");
            return deal_store(d, owner, false, e);
        }
    }
    if (deal_skills(d, t, e) < 0 || deal_look(d, !by(d, "round_robin"), e) < 0)
        return -1;
    if (next)
        deal_next_hours(d);
    bool any = false;
    for (size_t i = 0; i < d->count; i++)
        any |= d->m[i].can;
    if (!any)
        return deal_nobody(d, e);
    return deal_choose(d, &chosen, e) < 0 ? -1 : deal_store(d, d->m[chosen].user, true, e);
}

static int deal_among(struct assign *a, const char *key, const json_t *config, const json_t *members,
                      const struct assign_target *t, struct err *e)
{
    struct deal d = {.a = a, .ask = {.pool = key, .config = config}, .members = members};
    int rc = deal_run(&d, t, e);
    json_decref(d.state);
    mem_free(d.m);
    mem_free(d.who);
    return rc;
}

int assign_pool(struct assign *a, const char *pool, const struct assign_target *t, struct err *e)
{
    const json_t *p = json_get_obj(a->ctx->crm->pools, pool);
    AUTO_FREE char *key = mem_printf("pool %s", pool);
    if (!p)
        return err_set(e, ERR_INPUT, "no pool '%s'", pool);
    return deal_among(a, key, p, json_get_arr(p, "members"), t, e);
}

static json_t *team_members(const struct crm *crm, const char *team)
{
    json_t *members = json_array();
    const char *name;
    const json_t *u;
    json_object_foreach((json_t *)crm->users, name, u)
        if (!strcmp(json_get_str(u, "team", ""), team))
            json_array_append_new(members, json_pack("{s:s}", "user", name));
    return members;
}

int assign_team(struct assign *a, const char *team, const struct assign_target *t, struct err *e)
{
    AUTO_JSON json_t *members = team_members(a->ctx->crm, team);
    AUTO_FREE char *key = mem_printf("team %s", team);
    return deal_among(a, key, NULL, members, t, e);
}

/* ---- undo --------------------------------------------------------------------------------- */

int assign_give_back(struct crm_ctx *ctx, const json_t *dealt, struct err *e)
{
    const char *key = json_get_str(dealt, "dealt", ""), *user = json_get_str(dealt, "user", "");
    const char *name = strchr(key, ' ');
    int64_t n = json_get_int(dealt, "n", 0);
    AUTO_JSON json_t *state = NULL;
    const json_t *m, *member = NULL;
    size_t i;
    if (pool_load(ctx->crm->db, key, &state, e) < 0)
        return -1;
    if (name && !strncmp(key, "pool ", 5))
        json_array_foreach(json_get_arr(json_get_obj(ctx->crm->pools, name + 1), "members"), i, m)
            if (!strcmp(json_get_str(m, "user", ""), user))
                member = m;
    json_t *round = json_get_obj(state, "round");
    if (json_object_get(dealt, "before")) { /* dealt by open leads */
        if (json_get_int(state, "n", 0) == n)
            json_put_int(json_get_obj(state, "last"), user, json_get_int(dealt, "before", 0));
    } else if (n && round_dealt(round) == n) {
        round_take_back(round, user);
    }
    if (assign_count(ctx, user, member, state, -1, json_get_int(dealt, "at", ctx->now_ms), e) < 0)
        return -1;
    return pool_store(ctx->crm->db, key, state, ctx->now_ms, e);
}
