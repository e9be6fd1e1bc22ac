/* SPDX-License-Identifier: ISC
 *
 * cmd_score - score +10 | -5 | 50 and priority high | up: how much a lead is worth,
 * how urgent a case is
 *
 * In words of their own, since rules say them more often than anything else; the
 * change is the one that set makes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"

#define SCORE_MOST INT64_C(1000000000)

static int score_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a number", e) < 0)
        return -1;
    char sign = c->name[0];
    c->mode = sign == '+' || sign == '-';
    if (text_parse_int(c->name + (sign == '+'), &c->number) < 0 || c->number > SCORE_MOST ||
        c->number < -SCORE_MOST)
        return err_set(e, ERR_INPUT, "score: '%s' is no number such as +10, -5 or 50", c->name);
    return cmd_end(c, e);
}

static int score_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_LEAD, t->lead, e);
    if (!rec)
        return -1;
    int64_t was = json_get_int(rec, "score", 0);
    int64_t score = c->mode ? was + c->number : c->number;
    if (c->mode && (was > SCORE_MOST || was < -SCORE_MOST))
        return err_set(e, ERR_INPUT, "score: %" PRId64 " is too far out to be moved", was);
    if (crm_change_int(ctx, CRM_LEAD, t->lead, "score", score, e) < 0)
        return -1;
    cmd_say(out, "%s has the score %" PRId64, cmd_id(ctx, CRM_LEAD, t->lead), score);
    return 0;
}

static const char *const priorities[] = {"low", "normal", "high", "urgent", NULL};

static int priority_parse(struct cmd *c, struct err *e)
{
    static const char *const words[] = {"low", "normal", "high", "urgent", "up", "down", NULL};
    if (cmd_word(c, "a priority", e) < 0 || cmd_choice(words, "priority", c->name, e) < 0)
        return -1;
    return cmd_end(c, e);
}

/* One step from where it is; at the end it stays. */
static const char *priority_next(const char *from, bool up)
{
    size_t i = 1; /* normal */
    for (size_t k = 0; priorities[k]; k++)
        if (!strcmp(priorities[k], from))
            i = k;
    if (up)
        return priorities[i + 1] ? priorities[i + 1] : priorities[i];
    return priorities[i ? i - 1 : 0];
}

static int priority_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                        struct crm_result *out, struct err *e)
{
    const json_t *rec = crm_record(ctx, CRM_CASE, t->kase, e);
    const char *to = c->name;
    if (!rec)
        return -1;
    if (!strcmp(to, "up") || !strcmp(to, "down"))
        to = priority_next(json_get_str(rec, "priority", "normal"), !strcmp(to, "up"));
    if (crm_change_str(ctx, CRM_CASE, t->kase, "priority", to, e) < 0)
        return -1;
    cmd_say(out, "%s has the priority %s", cmd_id(ctx, CRM_CASE, t->kase), to);
    return 0;
}

const struct cmd_row crm_cmd_score = {
    "score",     "+N | -N | N", MAY_ALL,        WORDS_OPEN,
    score_parse, score_run,     "score it had", "raise, lower or set the score of the lead",
    "score +10"};
const struct cmd_row crm_cmd_priority = {
    "priority",        "low | normal | high | urgent | up | down",
    MAY_ALL,           WORDS_OPEN,
    priority_parse,    priority_run,
    "priority it had", "set how urgent the case is, or move it by one step",
    "priority up"};
