/* SPDX-License-Identifier: ISC
 *
 * cmd_sequence - sequence NAME, sequence stop | pause | resume [NAME]
 *
 * Steps over days begin, end, rest and go on here; what they do is the engine's
 * (engine/sequence.c), in the same transaction as this command.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "crm/cmd.h"

static const char *const words[] = {"stop", "pause", "resume", NULL};

/* A rule names one that is there; a person may also end one that the files lack by now. */
static int sequence_named(struct cmd *c, struct err *e)
{
    return cmd_known(json_get_obj(c->crm->config, "sequences"), "sequence", c->name, e);
}

static int sequence_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, "a sequence, or stop, pause or resume", e) < 0)
        return -1;
    c->mode = CRM_ENROL_BEGIN;
    for (int i = 0; words[i]; i++)
        if (strcasecmp(c->name, words[i]) == 0)
            c->mode = i == 0 ? CRM_ENROL_STOP : i == 1 ? CRM_ENROL_PAUSE : CRM_ENROL_GO_ON;
    if (c->mode == CRM_ENROL_BEGIN)
        return sequence_named(c, e) < 0 ? -1 : cmd_end(c, e);
    mem_free(c->name);
    c->name = NULL;
    if (grammar_at_end(&c->g))
        return 0;
    if (cmd_word(c, "a sequence", e) < 0 || (c->of_rule && sequence_named(c, e) < 0))
        return -1;
    return cmd_end(c, e);
}

static int sequence_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                        struct crm_result *out, struct err *e)
{
    struct crm_enrolled done;
    struct crm_enrol w = {.what = (enum crm_enrol_what)c->mode, .name = c->name, .target = *t,
                          .actor = ctx->op_actor};
    if (!ctx->hooks.enrol)
        return err_set(e, ERR_INPUT, "no sequence can run from here");
    if (!t->contact)
        return err_set(e, ERR_INPUT, "sequence: there is no contact here");
    if (ctx->hooks.enrol(ctx->hooks.arg, ctx, &w, &done, e) < 0)
        return -1;
    for (size_t i = 0; i < done.count; i++)
        json_array_append_new(json_object_get(ctx->op, "changes"),
                              json_pack("{s:s, s:I, s:s}", "e", "enrolment", "id",
                                        done.list[i].id, "was", done.list[i].was));
    cmd_say(out, "%s", done.text);
    return 0;
}

const struct cmd_row crm_cmd_sequence = {
    "sequence", "NAME | stop [NAME] | pause [NAME] | resume [NAME]", MAY_ALL, WORDS_OPEN,
    sequence_parse, sequence_run, "the sequence ends, or is as it was",
    "begin a sequence of steps with the contact, or end, pause or resume those that run",
    "sequence nurture"};
