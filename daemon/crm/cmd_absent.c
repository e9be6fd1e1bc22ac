/* SPDX-License-Identifier: ISC
 *
 * cmd_absent - absent USER UNTIL | FROM..TO [REASON], present USER
 *
 * Who is absent is dealt no leads. A rep says it of himself, a manager or admin of
 * anybody. It is stored beside what leadd.conf says; present takes back only what
 * was said by absent. The reason is a word about a person: it is sealed.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/when.h"
#include "rule/calendar.h"
#include "store/user.h"

/* ---- the stored list ------------------------------------------------------------- */

/* What is stored of a user; own. */
static json_t *absence_stored(struct crm_ctx *ctx, const char *user, struct err *e)
{
    AUTO_JSON json_t *all = NULL;
    if (user_absences(ctx->crm->db, &all, e) < 0)
        return NULL;
    json_t *list = json_get_arr(all, user);
    return list ? json_incref(list) : json_array();
}

static json_t *absence_value(const char *user, const json_t *list)
{
    return json_pack("{s:s, s:O}", "user", user, "list", list);
}

int crm_absence_check(struct crm_ctx *ctx, const json_t *value, struct err *e)
{
    const char *user = json_get_str(value, "user", "");
    AUTO_JSON json_t *now = absence_stored(ctx, user, e);
    if (!now)
        return -1;
    if (json_equal(now, json_get_arr(value, "list")))
        return 0;
    return err_set(e, ERR_INPUT, "the absences of %s have changed since", user);
}

int crm_absence_change(struct crm_ctx *ctx, const json_t *before, const json_t *after, struct err *e)
{
    const char *user = json_get_str(after, "user", "");
    char key[24];
    if (user_absence_set(ctx->crm->db, user, json_get_arr(after, "list"), ctx->now_ms, e) < 0)
        return -1;
    ctx->absences_changed = ctx->crm->absences_stale = true;
    snprintf(key, sizeof(key), "absence:%zu", json_array_size(ctx->commands));
    json_object_set_new(ctx->personal, key, json_pack("{s:O, s:O}", "old", before, "new", after));
    json_array_append_new(json_object_get(ctx->op, "changes"),
                          json_pack("{s:s, s:s, s:s}", "e", "absence", "f", "absence", "p", key));
    return 0;
}

/* ---- reading ----------------------------------------------------------------------- */

static int user_word(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a user", e) < 0)
        return -1;
    return cmd_known(c->crm->users, "user", c->name, e);
}

/* A day is meant to its end, a time or a span is exact. */
static int until_read(struct cmd *c, struct err *e)
{
    const char *p = grammar_peek(&c->g);
    int n = crm_when_parse(p, c->crm->zone, c->now_ms, &c->due, e);
    if (n < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_INPUT, "absent: until when? absent %s friday, 2026-12-24, 3d, or "
                       "2026-12-24..2027-01-02", c->name);
    bool span = isdigit((unsigned char)p[0]), exact = memchr(p, ':', (size_t)n) != NULL;
    for (int i = 0; i < n; i++)
        span &= p[i] != '-' && p[i] != '.' && p[i] != '/';
    if (!exact && !span)
        c->due = zone_instant(c->crm->local, zone_day(c->crm->local, c->due) + 1, 0, ZONE_BEGIN);
    grammar_skip(&c->g, n);
    c->number = c->now_ms;
    return 0;
}

static int absent_parse(struct cmd *c, struct err *e)
{
    if (user_word(c, e) < 0)
        return -1;
    const char *p = grammar_peek(&c->g);
    size_t n = strcspn(p, " \t");
    AUTO_FREE char *word = mem_strn(p, n);
    struct day_date day;
    const char *at = word;
    bool days = strstr(word, "..") || (day_read_date(&at, &day) && !*at &&
                                       !isdigit((unsigned char)p[n + strspn(p + n, " \t")]));
    if (days) {
        if (assign_absence_parse(c->crm, c->name, word, &c->number, &c->due, e) < 0)
            return -1;
        if (!strstr(word, "..")) /* until then, from now on */
            c->number = c->now_ms;
        grammar_skip(&c->g, (int)n);
    } else if (until_read(c, e) < 0) {
        return -1;
    }
    return cmd_text(c, NULL, e);
}

static int present_parse(struct cmd *c, struct err *e)
{
    return user_word(c, e) < 0 ? -1 : cmd_end(c, e);
}

/* ---- running ------------------------------------------------------------------------- */

static int permit(struct cmd *c, struct crm_ctx *ctx, struct err *e)
{
    const struct crm_actor *me = &ctx->op_actor;
    if (me->kind != CRM_BY_USER || !strcmp(me->name, c->name) ||
        strcmp(json_get_str(crm_user(ctx->crm, me->name), "role", "rep"), "rep") != 0)
        return 0;
    return err_set(e, ERR_INPUT, "user %s may use %s for himself only; a manager may for all",
                   me->name, c->row->name);
}

/* What is not over yet. */
static json_t *absence_rest(const json_t *list, int64_t now_ms)
{
    json_t *rest = json_array();
    const json_t *a;
    size_t i;
    json_array_foreach((json_t *)list, i, a)
        if (json_get_int(a, "until", 0) > now_ms)
            json_array_append(rest, (json_t *)a);
    return rest;
}

static int absence_put(struct crm_ctx *ctx, const char *user, const json_t *old, const json_t *list,
                       struct err *e)
{
    AUTO_JSON json_t *before = absence_value(user, old), *after = absence_value(user, list);
    return crm_absence_change(ctx, before, after, e);
}

static int absent_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    char from[40], until[40];
    (void)t;
    if (permit(c, ctx, e) < 0)
        return -1;
    if (c->due <= ctx->now_ms)
        return err_set(e, ERR_INPUT, "absent: that is over already");
    AUTO_JSON json_t *old = absence_stored(ctx, c->name, e), *list = NULL;
    if (!old)
        return -1;
    list = absence_rest(old, ctx->now_ms);
    if (json_array_size(list) >= ABSENCES_MAX)
        return err_set(e, ERR_INPUT, "%s has %d absences already", c->name, ABSENCES_MAX);
    json_t *a = json_object();
    json_put_int(a, "from", c->number);
    json_put_int(a, "until", c->due);
    json_put_str(a, "reason", c->text);
    json_array_append_new(list, a);
    if (absence_put(ctx, c->name, old, list, e) < 0)
        return -1;
    crm_when_print(ctx->crm->zone, c->number, from, sizeof(from));
    crm_when_print(ctx->crm->zone, c->due, until, sizeof(until));
    if (c->number > ctx->now_ms)
        cmd_say(out, "%s is absent from %s until %s", c->name, from, until);
    else
        cmd_say(out, "%s is absent until %s", c->name, until);
    return 0;
}

static int present_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                       struct crm_result *out, struct err *e)
{
    struct who_ask alone = {NULL};
    struct who w;
    struct buf why AUTO_BUF;
    (void)t;
    buf_init(&why, 256);
    if (permit(c, ctx, e) < 0)
        return -1;
    AUTO_JSON json_t *old = absence_stored(ctx, c->name, e), *rest = NULL, *none = json_array();
    if (!old)
        return -1;
    rest = absence_rest(old, ctx->now_ms);
    bool any = json_array_size(rest) > 0;
    if (any && absence_put(ctx, c->name, old, none, e) < 0)
        return -1;
    if (assign_who(ctx, c->name, &alone, &w, e) < 0)
        return -1;
    bool config = w.state == WHO_ABSENT;
    assign_who_print(ctx->crm, &w, &why);
    if (!any)
        return err_set(e, ERR_INPUT, config ? "%s %s by leadd.conf; it has to be changed there"
                                            : "%s is not absent%.0s", c->name, why.data);
    cmd_say(out, config ? "%s %s all the same, by leadd.conf" : "%s is present%.0s", c->name, why.data);
    return 0;
}

const struct cmd_row crm_cmd_absent = {
    "absent", "USER UNTIL | FROM..TO [REASON]", MAY_STAFF, WORDS_SEALED, absent_parse, absent_run,
    "present", "deal the user no leads while he is away", "absent anna 2026-12-24..2027-01-02 holiday"};
const struct cmd_row crm_cmd_present = {
    "present", "USER", MAY_STAFF, WORDS_SEALED, present_parse, present_run, "absent",
    "the user is back: forget what absent said", "present anna"};
