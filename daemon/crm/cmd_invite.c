/* SPDX-License-Identifier: ISC
 *
 * cmd_invite - invite WHEN [SPAN] TEXT, invite A17 WHEN [SPAN], invite A17 cancel
 *
 * A meeting with the contact, to whom and to the owner an invitation goes that calendars read.
 * It is an activity; its UID stays, and each change has a higher sequence. What the contact
 * answers is filed by meeting.c.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/task.h"
#include "crm/when.h"
#include "store/meeting.h"

#define LENGTH_MS HOUR_MS
#define LENGTH_MAX DAY_MS

static int invite_text(struct cmd *c, struct err *e)
{
    if (c->number)
        return cmd_end(c, e);
    return cmd_text(c, "what the meeting is about", e);
}

/* "fri 10:00", and how long: "45m". c->to keeps the time for the zone of who says it. */
static int invite_when(struct cmd *c, struct err *e)
{
    struct calendar_span span;
    struct err why = {0};
    char word[24] = "";
    int col, n = crm_when_parse(grammar_peek(&c->g), c->crm->zone, c->now_ms, &c->due, e);
    if (n < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_INPUT, "invite: when? fri 10:00, 2026-12-01 14:00");
    c->to = mem_strn(grammar_peek(&c->g), (size_t)n);
    grammar_skip(&c->g, n);
    const char *p = grammar_peek(&c->g);
    c->amount = 0;
    n = (int)strcspn(p, " \t");
    snprintf(word, sizeof(word), "%.*s", n, p);
    if (*word >= '1' && *word <= '9' && n < (int)sizeof(word) &&
        calendar_span_parse(word, NULL, NULL, &span, &why, &col) == 0) {
        if (span.ms > LENGTH_MAX)
            return err_set(e, ERR_INPUT, "invite: a meeting is a day long at most");
        c->amount = span.ms;
        grammar_skip(&c->g, n);
    }
    return invite_text(c, e);
}

static int invite_parse(struct cmd *c, struct err *e)
{
    enum crm_entity t = CRM_NONE;
    const char *p = grammar_peek(&c->g);
    if ((*p | 0x20) == 'a' && p[1] >= '0' && p[1] <= '9') {
        if (cmd_word(c, "a meeting", e) < 0)
            return -1;
        if (crm_id_parse(c->name, &t, &c->number) < 0 || t != CRM_ACTIVITY)
            return err_set(e, ERR_INPUT, "invite: '%s' is no meeting such as A17", c->name);
        p = grammar_peek(&c->g);
        if (!strncasecmp(p, "cancel", 6) && (!p[6] || strchr(" \t.!", p[6]))) {
            c->mode = 1;
            grammar_skip(&c->g, (int)strlen(p));
            return 0;
        }
    }
    return invite_when(c, e);
}

static int address_of(struct crm_ctx *ctx, int64_t contact, struct crm_invite *v, struct err *e)
{
    size_t i;
    enum crm_address_use use;
    const json_t *a, *rec = crm_record(ctx, CRM_CONTACT, contact, e),
                     *list = rec ? crm_addresses(ctx, contact, e) : NULL;
    if (!list)
        return -1;
    v->to_name = json_get_str(rec, "name", NULL);
    json_array_foreach((json_t *)list, i, a)
        if (!v->to && !strcmp(json_get_str(a, "channel", ""), "email"))
            v->to = json_get_str(a, "value", NULL);
    if (!v->to)
        return err_set(e, ERR_INPUT, "%s has no email address", cmd_id(ctx, CRM_CONTACT, contact));
    if (crm_address_check(ctx->crm->db, "email", v->to, &use, e) < 0)
        return -1;
    if (use == CRM_ADDRESS_BOUNCING)
        return err_set(e, ERR_INPUT, "not sent: mail to this address comes back");
    return 0;
}

/* To the contact, and to the owner. */
static int invite_send(struct crm_ctx *ctx, const struct crm_target *t, struct crm_invite *v,
                       struct err *e)
{
    struct err nobody = {0};
    const char *owner = crm_owner_of(ctx, t, &nobody);
    const json_t *u = owner ? crm_user(ctx->crm, owner) : NULL;
    if (!ctx->hooks.send)
        return err_set(e, ERR_INPUT, "nothing can be sent from here");
    v->owner = u ? owner : NULL;
    for (int i = 0; i < (u ? 2 : 1); i++) {
        int64_t outbox = 0;
        struct crm_send s = {.target = *t, .actor = ctx->op_actor, .invite = v,
                             .to = i ? json_get_str(u, "email", "") : v->to,
                             .to_name = i ? json_get_str(u, "name", NULL) : v->to_name,
                             .to_user = i ? owner : NULL};
        if (ctx->hooks.send(ctx->hooks.arg, ctx, &s, &outbox, e) < 0)
            return -1;
        if (outbox)
            json_array_append_new(json_object_get(ctx->op, "changes"),
                                  json_pack("{s:s, s:I}", "e", "outbox", "id", outbox));
    }
    return 0;
}

/* The meeting that is named: it must be one that we invited to. */
static int invite_found(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                        struct meeting_own *m, struct err *e)
{
    if (!crm_record(ctx, CRM_ACTIVITY, c->number, e) ||
        crm_target_of(ctx, CRM_ACTIVITY, c->number, t, e) < 0 ||
        meeting_own_get(ctx->crm->db, c->number, m, e) < 0)
        return -1;
    if (!m->uid)
        return err_set(e, ERR_INPUT, "%s is no meeting that we invited to", c->name);
    return 0;
}

static int invite_again(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                        struct crm_invite *v, struct err *e)
{
    AUTO_FREE char *text = mem_printf("%s%s", v->cancel ? "cancelled: " : "", v->what);
    if (crm_change_int(ctx, CRM_ACTIVITY, c->number, "at_ms", v->start_ms, e) < 0 ||
        crm_change_str(ctx, CRM_ACTIVITY, c->number, "text", text, e) < 0)
        return -1;
    t->activity = c->number;
    crm_op_event(ctx, v->cancel ? "meeting.cancelled" : "meeting.changed", CRM_ACTIVITY, c->number);
    return 0;
}

static int invite_new(struct crm_ctx *ctx, struct crm_target *t, struct crm_invite *v, struct err *e)
{
    const char *at = strrchr(crm_setting(ctx->crm, "address", "@localhost"), '@');
    if (crm_add_activity(ctx, t, "meeting", "out", v->what, 0, 0, v->start_ms, &t->activity, e) < 0)
        return -1;
    AUTO_FREE char *uid = mem_printf("%s-%" PRId64 "@%s", cmd_id(ctx, CRM_ACTIVITY, t->activity),
                                     ctx->now_ms, crm_setting(ctx->crm, "domain", at + 1));
    v->uid = crm_keep_str(ctx, uid);
    crm_op_event(ctx, "meeting.added", CRM_ACTIVITY, t->activity);
    return crm_actor_is_human(&ctx->op_actor) ? crm_mark_contacted(ctx, t, e) : 0;
}

static int invite_do(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct meeting_own *m, struct crm_result *out, struct err *e)
{
    char when[40];
    int64_t length = c->amount ? c->amount : m->uid ? m->end_ms - m->start_ms : LENGTH_MS;
    struct crm_invite v = {.uid = m->uid, .sequence = m->sequence + 1, .cancel = c->mode == 1,
                           .what = m->what ? m->what : c->text, .start_ms = c->due,
                           .end_ms = c->due + length};
    if (v.cancel) {
        v.start_ms = m->start_ms;
        v.end_ms = m->end_ms;
    }
    if (!m->uid)
        v.sequence = 0;
    if (!v.cancel && v.start_ms <= ctx->now_ms)
        return err_set(e, ERR_INPUT, "invite: that time is over");
    if (!t->contact)
        return err_set(e, ERR_INPUT, "invite: there is no contact here");
    if (address_of(ctx, t->contact, &v, e) < 0 ||
        (m->uid ? invite_again(c, ctx, t, &v, e) : invite_new(ctx, t, &v, e)) < 0 ||
        invite_send(ctx, t, &v, e) < 0)
        return -1;
    struct meeting_own now = {.uid = (char *)v.uid, .what = (char *)v.what, .sequence = v.sequence,
                              .start_ms = v.start_ms, .end_ms = v.end_ms};
    if (meeting_own_put(ctx->crm->db, t->contact, t->activity, &now, e) < 0)
        return -1;
    cmd_say(out, "%s %s %s, %s", cmd_id(ctx, CRM_ACTIVITY, t->activity),
            v.cancel ? "is called off:" : m->uid ? "is moved to" : "is a meeting at",
            crm_when_print(crm_task_zone(ctx, NULL), v.start_ms, when, sizeof(when)), v.to);
    return 0;
}

static int invite_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    struct meeting_own m = {0};
    if (c->to && crm_when_parse(c->to, crm_task_zone(ctx, NULL), ctx->now_ms, &c->due, e) < 0)
        return -1;
    if (c->text)
        text_make_line(c->text);
    int rc = c->number ? invite_found(c, ctx, t, &m, e) : 0;
    if (rc == 0)
        rc = invite_do(c, ctx, t, &m, out, e);
    meeting_own_done(&m);
    return rc;
}

const struct cmd_row crm_cmd_invite = {
    "invite", "WHEN [SPAN] TEXT | A17 WHEN [SPAN] | A17 cancel", MAY_STAFF, WORDS_SEALED, invite_parse,
    invite_run, "takes the invitations back while they have not left",
    "invite the contact to a meeting, by a mail that calendars read; move it, or call it off",
    "invite fri 10:00 45m Demo in room 4"};
