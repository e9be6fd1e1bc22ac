/* SPDX-License-Identifier: ISC
 *
 * cmd_note - note, call and meeting TEXT: what people did and know
 *
 * A call or meeting of a human counts as contact with the lead; what a rule
 * writes never does.
 */
#include "base/mem.h"
#include "crm/cmd.h"

static int note_parse(struct cmd *c, struct err *e)
{
    return cmd_text(c, "the text", e);
}

static int note_add(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, const char *kind,
                    const char *event, struct crm_result *out, struct err *e)
{
    enum crm_entity what = cmd_main(t, e);
    bool spoke = event && crm_actor_is_human(&ctx->op_actor);
    if (what == CRM_NONE || !crm_record(ctx, what, crm_target_id(t, what), e))
        return -1;
    if (what == CRM_COMPANY)
        return err_set(e, ERR_INPUT, "a %s belongs to a contact, lead, deal or case", kind);
    if (crm_add_activity(ctx, t, kind, event ? "out" : "none", c->text, 0, 0, ctx->now_ms,
                         &t->activity, e) < 0)
        return -1;
    if (!event)
        crm_op_event(ctx, "note.added", CRM_ACTIVITY, t->activity);
    else
        crm_op_event(ctx, event, CRM_ACTIVITY, t->activity);
    if (spoke && crm_mark_contacted(ctx, t, e) < 0)
        return -1;
    cmd_say(out, "%s is noted on %s", kind, cmd_id(ctx, what, crm_target_id(t, what)));
    return 0;
}

static int note_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    return note_add(c, ctx, t, "note", NULL, out, e);
}

static int call_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    return note_add(c, ctx, t, "call", "call.logged", out, e);
}

static int meeting_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                       struct crm_result *out, struct err *e)
{
    return note_add(c, ctx, t, "meeting", "call.logged", out, e);
}

const struct cmd_row crm_cmd_note = {"note",
                                     "TEXT",
                                     MAY_ALL,
                                     WORDS_WITH_FIELDS,
                                     note_parse,
                                     note_run,
                                     "removes the note",
                                     "write a note",
                                     "note wants two hundred of them"};
const struct cmd_row crm_cmd_call = {"call",
                                     "TEXT",
                                     MAY_RULE | MAY_STAFF,
                                     WORDS_WITH_FIELDS,
                                     note_parse,
                                     call_run,
                                     "removes the call",
                                     "log a call: the lead counts as contacted",
                                     "call will decide on Friday"};
const struct cmd_row crm_cmd_meeting = {"meeting",
                                        "TEXT",
                                        MAY_RULE | MAY_STAFF,
                                        WORDS_WITH_FIELDS,
                                        note_parse,
                                        meeting_run,
                                        "removes the meeting",
                                        "log a meeting: the lead counts as contacted",
                                        "meeting showed the prototype"};
