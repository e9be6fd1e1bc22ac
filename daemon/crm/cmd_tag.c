/* SPDX-License-Identifier: ISC
 *
 * cmd_tag - tag NAME and untag NAME
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"

#define TAG_MAX 64

static int tag_parse(struct cmd *c, struct err *e)
{
    struct buf folded;
    if (cmd_word(c, "a tag", e) < 0)
        return -1;
    buf_init(&folded, KIB(64));
    rule_fold(c->name, strlen(c->name), &folded);
    mem_free(c->name);
    c->name = buf_take(&folded);
    buf_done(&folded);
    if (!*c->name || strlen(c->name) > TAG_MAX || !text_is_single_line(c->name))
        return err_set(e, ERR_INPUT, "%s: a tag has 1 to %d bytes on one line", c->row->name,
                       TAG_MAX);
    return cmd_end(c, e);
}

static int tag_do(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, bool on,
                  struct crm_result *out, struct err *e)
{
    enum crm_entity what = cmd_main(t, e);
    int64_t id = crm_target_id(t, what);
    AUTO_FREE char *field = mem_printf("tags.%s", c->name);
    if (what == CRM_NONE || !crm_record(ctx, what, id, e) ||
        crm_change(ctx, what, id, field, on ? json_true() : NULL, e) < 0)
        return -1;
    cmd_say(out, "%s is %s %s", cmd_id(ctx, what, id), on ? "tagged" : "no longer tagged", c->name);
    return 0;
}

static int tag_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                   struct crm_result *out, struct err *e)
{
    return tag_do(c, ctx, t, true, out, e);
}

static int untag_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    return tag_do(c, ctx, t, false, out, e);
}

const struct cmd_row crm_cmd_tag = {"tag", "NAME", MAY_ALL, WORDS_OPEN, tag_parse, tag_run, "untag",
                                    "put a tag on it", "tag urgent"};
const struct cmd_row crm_cmd_untag = {"untag",   "NAME", MAY_ALL,          WORDS_OPEN,    tag_parse,
                                      untag_run, "tag",  "take a tag off", "untag urgent"};
