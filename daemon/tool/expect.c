/* SPDX-License-Identifier: ISC
 *
 * expect - see expect.h
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "store/journal.h"
#include "tool/expect_check.h"

void expect_failed(json_t *failures, const char *at, const char *expected, const char *found,
                   json_t *why)
{
    json_array_append_new(failures,
                          json_pack("{s:s, s:s, s:s, s:o}", "at", at ? at : "?", "expected", expected,
                                    "found", found, "why", why ? why : json_array()));
}

const json_t *expect_all(struct check *c)
{
    struct err e;
    if (!c->all)
        c->all = journal_since(solo_db(c->s->solo), 0, COUNT_MAX, &e);
    return c->all;
}

/* ---- counts and answers ------------------------------------------------------------------ */

void expect_count(struct check *c, const char *key, int64_t n, const char *found, json_t *why)
{
    const json_t *want = json_get_obj(c->expect, key);
    char number[32];
    if (json_get_int(want, "count", 0) == n) {
        json_decref(why);
        return;
    }
    AUTO_FREE char *expected = mem_printf("%s: %" PRId64, key, json_get_int(want, "count", 0));
    snprintf(number, sizeof(number), "%" PRId64, n);
    expect_failed(c->failures, line_at(want), expected, found ? found : number, why);
}

static int check_count(struct check *c, const char *key, enum crm_entity t, const char *filter,
                       struct err *e)
{
    json_t *list;
    if (!json_get_obj(c->expect, key))
        return 0;
    AUTO_JSON json_t *filters = filter ? json_pack("[s]", filter) : json_array();
    if (crm_list(solo_crm(c->s->solo), t, filters, COUNT_MAX, &list, e) < 0)
        return -1;
    int64_t n = (int64_t)json_array_size(json_get_arr(list, "rows"));
    json_decref(list);
    json_t *why = NULL;
    if (strcmp(c->s->answer.status, "ignored") == 0) /* a likely reason for too few */
        why = json_pack("[s]", c->s->answer.text);
    expect_count(c, key, n, NULL, why);
    return 0;
}

static void check_answer(struct check *c)
{
    const json_t *line = json_get_obj(c->expect, "answer");
    const struct solo_answer *a = &c->s->answer;
    if (!line || strcmp(line_text(line), a->status) == 0)
        return;
    AUTO_FREE char *expected = mem_printf("answer: %s", line_text(line));
    expect_failed(c->failures, line_at(line), expected, *a->status ? a->status : "none",
                  *a->text ? json_pack("[s]", a->text) : NULL);
}

/* ---- all of it ------------------------------------------------------------------------- */

static int check_record(struct check *c, struct err *e)
{
    const json_t *about = json_get_obj(c->expect, "about");
    struct crm_event ev = {.name = "lead.changed", .actor = crm_system};
    struct err why = {0};
    int64_t id;
    snprintf(c->record, sizeof(c->record), "%s", c->s->record);
    c->ctx = crm_begin(solo_crm(c->s->solo), NULL, solo_now(c->s->solo));
    int rc = about ? scene_find(c->s, line_text(about), c->record, &why) : 0;
    if (rc == 0 && !*c->record)
        return 0;
    if (rc == 0 && crm_id_parse(c->record, &c->entity, &id) == 0)
        rc = crm_target_of(c->ctx, c->entity, id, &ev.target, &why);
    if (rc < 0 && why.cls != ERR_INPUT) {
        *e = why;
        return -1;
    }
    if (rc < 0) {
        AUTO_FREE char *expected = mem_printf("about %s", about ? line_text(about) : c->record);
        expect_failed(c->failures, line_at(about ? about : c->expect), expected, why.text, NULL);
        return 0;
    }
    ev.entity = c->entity;
    c->facts = crm_facts_new(c->ctx, &ev);
    return 0;
}

static int check_all(struct check *c, struct err *e)
{
    if (!(c->rows = scene_journal(c->s, e)) || !(c->mails = scene_mails(c->s, e)) ||
        check_record(c, e) < 0)
        return -1;
    check_answer(c);
    if (check_count(c, "leads", CRM_LEAD, NULL, e) < 0 ||
        check_count(c, "cases", CRM_CASE, NULL, e) < 0)
        return -1;
    expect_record(c);
    if (expect_seen(c, e) < 0 || check_count(c, "tasks", CRM_TASK, "status=open", e) < 0)
        return -1;
    return crm_facts_error(c->ctx, e);
}

int expect_check(struct scene *s, const json_t *expect, json_t *failures, struct err *e)
{
    struct check c = {.s = s, .expect = expect, .failures = failures};
    int rc = check_all(&c, e);
    if (c.facts)
        crm_facts_free(&c.facts);
    if (c.ctx)
        crm_end(&c.ctx);
    json_decref(c.rows);
    json_decref(c.all);
    json_decref(c.mails);
    return rc < 0 ? -1 : scene_mark(s, e);
}
