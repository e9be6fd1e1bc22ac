/* SPDX-License-Identifier: ISC
 *
 * assign_who - can this user be dealt a lead now? see assign.h
 *
 * Asked in the order of what costs nothing to what costs a query. Stored absences are
 * read once and kept with the CRM until the command `absent` or `present` changes them;
 * while the input that changed them is not committed they are read anew each time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/when.h"
#include "rule/calendar.h"
#include "store/pool.h"
#include "store/user.h"

static const struct calendar *own_calendar(const struct crm *crm, const char *user)
{
    const char *name = json_get_str(crm_user(crm, user), "calendar", NULL);
    return name ? calendars_find(crm->calendars, name) : NULL;
}

const struct zone *assign_zone(const struct crm *crm, const char *user)
{
    const struct calendar *c = own_calendar(crm, user);
    return c ? calendar_zone(c) : crm->local;
}

void assign_day(struct crm_ctx *ctx, const char *user, int64_t at_ms, char out[16])
{
    struct day_date d = day_date(zone_day(assign_zone(ctx->crm, user), at_ms));
    snprintf(out, 16, "%04d-%02d-%02d", d.year % 10000, d.month % 100, d.mday % 100);
}

/* ---- absence ------------------------------------------------------------------ */

int assign_absence_parse(const struct crm *crm, const char *user, const char *text,
                         int64_t *from_out, int64_t *until_out, struct err *e)
{
    const struct zone *z = assign_zone(crm, user);
    struct day_date a, b;
    const char *p = text;
    if (!day_read_date(&p, &a))
        return err_set(e, ERR_INPUT, "'%s' is no day such as 2026-12-24, nor days such as "
                       "2026-12-24..2027-01-02", text);
    b = a;
    if (text_starts(p, "..")) {
        p += 2;
        if (!day_read_date(&p, &b))
            return err_set(e, ERR_INPUT, "'%s': expected a day such as 2027-01-02 behind ..", text);
    }
    if (*p)
        return err_set(e, ERR_INPUT, "'%s': '%s' is too much", text, p);
    int64_t first = day_number(a.year, a.month, a.mday), last = day_number(b.year, b.month, b.mday);
    if (last < first)
        return err_set(e, ERR_INPUT, "'%s' ends before it begins", text);
    *from_out = zone_instant(z, first, 0, ZONE_BEGIN);
    *until_out = zone_instant(z, last + 1, 0, ZONE_BEGIN);
    return 0;
}

static void absence_add(json_t *list, int64_t from, int64_t until, const char *reason, bool config)
{
    json_t *a = json_object();
    json_put_int(a, "from", from);
    json_put_int(a, "until", until);
    json_put_str(a, "reason", reason);
    if (config)
        json_put_bool(a, "config", true);
    size_t i = json_array_size(list);
    while (i > 0 && json_get_int(json_array_get(list, i - 1), "from", 0) > from)
        i--;
    json_array_insert_new(list, i, a);
}

/* {USER: [..]} of the store; own. */
static json_t *absences_stored(struct crm_ctx *ctx, struct err *e)
{
    struct crm *crm = ctx->crm;
    json_t *all = NULL;
    if (crm->absences && !ctx->absences_changed)
        return json_incref(crm->absences);
    if (user_absences(crm->db, &all, e) < 0)
        return NULL;
    if (!ctx->absences_changed)
        crm->absences = json_incref(all);
    return all;
}

json_t *assign_absences(struct crm_ctx *ctx, const char *user, struct err *e)
{
    json_t *stored AUTO_JSON = absences_stored(ctx, e), *list;
    const json_t *v;
    int64_t from, until;
    size_t i;
    if (!stored)
        return NULL;
    list = json_array();
    json_array_foreach(json_get_arr(stored, user), i, v)
        absence_add(list, json_get_int(v, "from", 0), json_get_int(v, "until", 0),
                    json_get_str(v, "reason", NULL), false);
    json_array_foreach(json_get_arr(crm_user(ctx->crm, user), "absent"), i, v)
        if (assign_absence_parse(ctx->crm, user, json_get_str(v, "text", ""), &from, &until, NULL) == 0)
            absence_add(list, from, until, NULL, true);
    return list;
}

/* Until when he is away without a day between; 0: he is there. */
static int absent_until(struct crm_ctx *ctx, const char *user, int64_t *until_out, struct err *e)
{
    int64_t at = ctx->now_ms;
    const json_t *a;
    size_t i;
    AUTO_JSON json_t *list = assign_absences(ctx, user, e);
    if (!list)
        return -1;
    json_array_foreach(list, i, a)
        if (json_get_int(a, "from", 0) <= at && json_get_int(a, "until", 0) > at)
            at = json_get_int(a, "until", 0);
    *until_out = at == ctx->now_ms ? 0 : at;
    return 0;
}

/* ---- skills ---------------------------------------------------------------------- */

static bool has_skill(const json_t *skills, const char *skill)
{
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)skills, i, s)
        if (!strcasecmp(json_string_value(s), skill))
            return true;
    return false;
}

/* The first needed skill that neither the user nor the member has; NULL: none. */
static const char *skill_missing(const struct crm *crm, const char *user, const struct who_ask *ask)
{
    const json_t *own = json_get_arr(crm_user(crm, user), "skills");
    const json_t *here = json_get_arr(ask->member, "skills"), *s;
    size_t i;
    for (size_t k = 0; ask->skills && ask->skills[k]; k++)
        json_array_foreach((json_t *)ask->skills[k], i, s)
            if (!has_skill(own, json_string_value(s)) && !has_skill(here, json_string_value(s)))
                return json_string_value(s);
    return NULL;
}

/* ---- capacity -------------------------------------------------------------------- */

static int64_t count_of(const json_t *today, const char *day)
{
    const char *that = json_string_value(json_array_get(today, 0));
    return that && !strcmp(that, day) ? json_integer_value(json_array_get(today, 1)) : 0;
}

/* Taking back counts only while it is still that day. */
static void count_put(json_t *in, const char *key, const char *day, int n)
{
    const json_t *old = json_object_get(in, key);
    int64_t count = count_of(old, day) + n;
    if (n > 0 || count_of(old, day) > 0)
        json_object_set_new(in, key, json_pack("[s, I]", day, (json_int_t)count));
}

static int user_today(struct crm_ctx *ctx, const char *user, json_t **out, struct err *e)
{
    AUTO_FREE char *key = mem_printf("user %s", user);
    return pool_load(ctx->crm->db, key, out, e);
}

/* The tighter of the two limits that are there. */
static int capacity_left(struct crm_ctx *ctx, const char *user, const struct who_ask *ask,
                         struct who *out, struct err *e)
{
    int64_t of_user = json_get_int(crm_user(ctx->crm, user), "capacity", 0);
    int64_t of_member = json_get_int(ask->member, "capacity", 0);
    char day[16];
    if (!of_user && !of_member)
        return 0;
    assign_day(ctx, user, ctx->now_ms, day);
    if (of_member) {
        out->limit = of_member;
        out->given = count_of(json_object_get(json_get_obj(ask->state, "today"), user), day);
    }
    if (of_user) {
        json_t *row = NULL;
        if (user_today(ctx, user, &row, e) < 0)
            return -1;
        int64_t given = count_of(json_object_get(row, "today"), day);
        json_decref(row);
        if (!out->limit || of_user - given < out->limit - out->given) {
            out->limit = of_user;
            out->given = given;
        }
    }
    return 0;
}

int assign_count(struct crm_ctx *ctx, const char *user, const json_t *member, json_t *state, int n,
                 int64_t at_ms, struct err *e)
{
    char day[16];
    bool of_user = json_get_int(crm_user(ctx->crm, user), "capacity", 0) > 0;
    if (!of_user && !json_get_int(member, "capacity", 0))
        return 0;
    assign_day(ctx, user, at_ms, day);
    if (json_get_int(member, "capacity", 0)) {
        json_t *today = json_get_obj(state, "today");
        if (!today)
            json_object_set_new(state, "today", today = json_object());
        count_put(today, user, day, n);
    }
    if (!of_user)
        return 0;
    AUTO_FREE char *key = mem_printf("user %s", user);
    AUTO_JSON json_t *row = NULL;
    if (pool_load(ctx->crm->db, key, &row, e) < 0)
        return -1;
    count_put(row, "today", day, n);
    return pool_store(ctx->crm->db, key, row, ctx->now_ms, e);
}

/* ---- all of it --------------------------------------------------------------------- */

static const struct calendar *hours_of(const struct crm *crm, const char *user,
                                       const struct who_ask *ask)
{
    const struct calendar *c = own_calendar(crm, user);
    const char *of_pool = json_get_str(ask->config, "calendar", NULL);
    return c ? c : of_pool ? calendars_find(crm->calendars, of_pool) : NULL;
}

int assign_who(struct crm_ctx *ctx, const char *user, const struct who_ask *ask, struct who *out,
               struct err *e)
{
    const json_t *u = crm_user(ctx->crm, user);
    *out = (struct who){.state = WHO_FREE};
    if (!u || !strcmp(json_get_str(u, "role", "rep"), "viewer")) {
        out->state = WHO_GONE;
        return 0;
    }
    if (absent_until(ctx, user, &out->until, e) < 0)
        return -1;
    if (out->until) {
        out->state = WHO_ABSENT;
        return 0;
    }
    if (!ask->pool)
        return 0;
    if (!json_get_bool(u, "takes", true)) {
        out->state = WHO_OPTED_OUT;
        return 0;
    }
    out->skill = skill_missing(ctx->crm, user, ask);
    if (out->skill) {
        out->state = WHO_UNSKILLED;
        return 0;
    }
    if (capacity_left(ctx, user, ask, out, e) < 0)
        return -1;
    if (out->limit && out->given >= out->limit) {
        out->state = WHO_FULL;
        return 0;
    }
    const struct calendar *hours = hours_of(ctx->crm, user, ask);
    out->until = hours ? calendar_next_open(hours, ctx->now_ms) : ctx->now_ms;
    if (out->until != ctx->now_ms)
        out->state = WHO_OFF_HOURS;
    return 0;
}

void assign_who_print(const struct crm *crm, const struct who *w, struct buf *out)
{
    char at[40];
    if (w->state == WHO_ABSENT || w->state == WHO_OFF_HOURS)
        crm_when_print(crm->zone, w->until, at, sizeof(at));
    switch (w->state) {
    case WHO_FREE:
        buf_str(out, "is there");
        break;
    case WHO_OFF_HOURS:
        if (w->until == CALENDAR_NEVER)
            buf_str(out, "has no hours any more");
        else
            buf_printf(out, "is not at work until %s", at);
        break;
    case WHO_FULL:
        buf_printf(out, "has had %" PRId64 " of %" PRId64 " today", w->given, w->limit);
        break;
    case WHO_ABSENT:
        if (w->until == INT64_MAX)
            buf_str(out, "is absent");
        else
            buf_printf(out, "is absent until %s", at);
        break;
    case WHO_UNSKILLED:
        buf_printf(out, "has no skill '%s'", w->skill);
        break;
    case WHO_OPTED_OUT:
        buf_str(out, "takes none");
        break;
    case WHO_GONE:
        buf_str(out, "is no user who works here");
        break;
    }
}

int assign_absent(struct crm_ctx *ctx, const char *user, int64_t *until_out, struct err *e)
{
    size_t i;
    const json_t *a;
    AUTO_JSON json_t *list = assign_absences(ctx, user, e);
    *until_out = 0;
    json_array_foreach(list, i, a) {
        int64_t until = json_get_int(a, "until", 0),
                now = *until_out > ctx->now_ms ? *until_out : ctx->now_ms;
        if (json_get_int(a, "from", 0) <= now && now < until) /* one may follow on another */
            *until_out = until;
    }
    return list ? 0 : -1;
}
