/* SPDX-License-Identifier: ISC
 *
 * cmd_broadcast - broadcast start | confirm | pause | go-on | cancel | winner | show NAME
 *
 * Of no record. Managers and admins may, and leadctl; no rule does: a letter to thousands
 * is a person's decision. What it does is the engine's (engine/broadcast_do.c), which also
 * says when it cannot be done.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"

static const struct {
    const char *verb;
    bool numbered, may_be_numbered;
} verbs[] = {{"start", false, true}, {"confirm", true, true}, {"pause", false, false},
             {"go-on", false, false}, {"cancel", false, false}, {"winner", true, true},
             {"show", false, false}};

#define VERBS "start, confirm, pause, go-on, cancel, winner or show"

static int number_read(struct cmd *c, struct err *e)
{
    bool ok = true;
    const char *word = grammar_word(&c->g, &ok, e);
    if (!word)
        return ok ? err_set(e, ERR_INPUT, "expected a number") : -1;
    return text_parse_int(word, &c->number) == 0 && c->number > 0
               ? 0 : err_set(e, ERR_INPUT, "expected a number, not '%s'", word);
}

static int broadcast_parse(struct cmd *c, struct err *e)
{
    if (cmd_word(c, VERBS, e) < 0)
        return -1;
    c->mode = -1;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcasecmp(c->name, verbs[i].verb) == 0)
            c->mode = (int)i;
    if (c->mode < 0)
        return err_set(e, ERR_INPUT, "broadcast: '%s' is not known; expected " VERBS, c->name);
    mem_free(c->name);
    c->name = NULL;
    if (cmd_word(c, "a broadcast", e) < 0)
        return -1;
    bool more = !grammar_at_end(&c->g);
    if ((verbs[c->mode].numbered || (more && verbs[c->mode].may_be_numbered)) && number_read(c, e) < 0)
        return -1;
    return cmd_end(c, e);
}

static int broadcast_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                         struct crm_result *out, struct err *e)
{
    char said[CRM_BROADCAST_SAID];
    const struct crm_broadcast_order o = {.verb = verbs[c->mode].verb, .name = c->name,
                                          .number = c->number, .actor = ctx->op_actor};
    (void)t;
    if (!ctx->hooks.broadcast)
        return err_set(e, ERR_INPUT, "no broadcast can be sent from here");
    if (ctx->hooks.broadcast(ctx->hooks.arg, &o, said, e) < 0)
        return -1;
    cmd_say(out, "%s", said);
    return 0;
}

const struct cmd_row crm_cmd_broadcast = {
    "broadcast",
    "start NAME [N] | confirm NAME N | pause NAME | go-on NAME | cancel NAME | winner NAME N | show NAME",
    MAY_MANAGER | MAY_ADMIN,
    WORDS_OPEN,
    broadcast_parse,
    broadcast_run,
    "nothing: broadcast cancel ends it, and what has left has left",
    "send a letter to its segment once it is confirmed with the number of its recipients; stop it, "
    "or tell how far it is",
    "broadcast start spring"};
