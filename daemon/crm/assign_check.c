/* SPDX-License-Identifier: ISC
 *
 * assign_check - mistakes in what users and pools say about assigning
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/lint.h"
#include "rule/calendar.h"
#include "store/lead.h"

static void check_calendar(const struct crm *crm, const char *what, const char *name,
                           const json_t *of, struct errlist *errors)
{
    const char *c = json_get_str(of, "calendar", NULL), *near;
    if (!c || !crm->rules || calendars_find(crm->calendars, c))
        return;
    near = calendars_nearest(crm->calendars, c);
    errlist_add(errors, json_get_str(of, "at", NULL),
                "%s.%s.calendar: there is no calendar \"%s\" in the rule files%s%s%s", what, name, c,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void check_absent(const struct crm *crm, const char *user, const json_t *u,
                         struct errlist *errors)
{
    const json_t *line;
    size_t i;
    int64_t from, until;
    json_array_foreach(json_get_arr(u, "absent"), i, line) {
        struct err e = {0};
        if (assign_absence_parse(crm, user, json_get_str(line, "text", ""), &from, &until, &e) < 0)
            errlist_add(errors, json_get_str(line, "at", json_get_str(u, "at", NULL)),
                        "users.%s.absent: %s", user, e.text);
    }
}

static void check_needs(const struct crm *crm, const char *pool, const json_t *p,
                        struct errlist *errors)
{
    const json_t *s;
    size_t i;
    json_array_foreach(json_get_arr(p, "needs"), i, s) {
        struct err e = {0};
        if (assign_skill_check(crm, json_string_value(s), &e) < 0)
            errlist_add(errors, json_get_str(p, "at", NULL),
                        "pools.%s.needs: %s; it would never have anybody to deal to", pool, e.text);
    }
}

static void check_else(const struct crm *crm, const char *pool, const json_t *p,
                       struct errlist *errors)
{
    const json_t *line = json_get_obj(p, "else");
    const char *text = json_get_str(line, "text", ""), *why = NULL;
    struct assign_target t = {.name = NULL};
    struct grammar g AUTO_GRAMMAR = {.word = NULL};
    struct err e = {0};
    if (!line)
        return;
    if (grammar_init(&g, text, &e) < 0 || assign_target_read(&g, crm, &t, &e) < 0)
        why = e.text;
    else if (t.to == ASSIGN_POOL && !strcmp(t.name, pool))
        why = "it is this pool again";
    if (why) {
        errlist_add(errors, json_get_str(line, "at", json_get_str(p, "at", NULL)),
                    "pools.%s.else: %s", pool, why);
        errlist_caret(errors, text, g.word_at);
    }
    assign_target_done(&t);
}

static void check_pool(const struct crm *crm, const char *name, const json_t *p,
                       struct errlist *errors)
{
    const char *at = json_get_str(p, "at", NULL);
    const json_t *members = json_get_arr(p, "members"), *m;
    size_t i;
    bool weighted = strcmp(json_get_str(p, "by", "round_robin"), "round_robin") != 0;
    check_calendar(crm, "pools", name, p, errors);
    check_needs(crm, name, p, errors);
    check_else(crm, name, p, errors);
    if (json_array_size(members) > BOUND_POOL_MEMBERS)
        errlist_add(errors, at, "pools.%s: more than %d members", name, BOUND_POOL_MEMBERS);
    json_array_foreach((json_t *)members, i, m)
        if (!weighted && json_get_int(m, "weight", 1) != 1)
            errlist_add(errors, json_get_str(m, "at", at),
                        "pools.%s: a weight counts only with by = \"weighted\" or \"least_open\"",
                        name);
}

void assign_check(const struct crm *crm, struct errlist *errors)
{
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)crm->users, name, v) {
        check_calendar(crm, "users", name, v, errors);
        check_absent(crm, name, v, errors);
    }
    json_object_foreach((json_t *)crm->pools, name, v)
        check_pool(crm, name, v, errors);
}

struct said {
    const char *words;
    bool yes;
};

static void said_line(void *arg, const char *what, const char *name, const json_t *line)
{
    struct said *s = arg;
    (void)what;
    (void)name;
    s->yes |= strstr(json_get_str(line, "text", ""), s->words) != NULL;
}

/* Does any command, or a territory, say it? Words suffice: an index too many does no harm. */
static bool said_anywhere(const struct crm *crm, const char *words)
{
    struct said s = {words, false};
    const json_t *territories = json_object_get(crm->config, "territories");
    AUTO_FREE char *text = territories ? json_line(territories) : NULL;
    crm_lint_lines(crm->config, said_line, &s);
    return s.yes || (text && strstr(text, words));
}

int assign_prepare(struct crm *crm, struct err *e)
{
    const char *name;
    const json_t *p;
    bool open = false, company = said_anywhere(crm, "sticky company");
    json_object_foreach((json_t *)crm->pools, name, p) {
        open |= !strcmp(json_get_str(p, "by", ""), "least_open");
        company |= !strcmp(json_get_str(p, "sticky", ""), "company");
    }
    return lead_indexes(crm->db, open, company, e);
}
