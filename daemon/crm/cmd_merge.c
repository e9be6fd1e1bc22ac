/* SPDX-License-Identifier: ISC
 *
 * cmd_merge - merge C13: the record it is run on and C13 are one
 *
 * The one it is run on stays. Its undo is the unmerge. No rule may do it: two people
 * of one name are two people until somebody has looked.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crm/cmd.h"
#include "crm/merge.h"

static int merge_parse(struct cmd *c, struct err *e)
{
    enum crm_entity t;
    if (cmd_word(c, "the other record", e) < 0)
        return -1;
    if (crm_id_parse(c->name, &t, &c->number) < 0 ||
        (t != CRM_CONTACT && t != CRM_LEAD && t != CRM_COMPANY && t != CRM_CASE))
        return err_set(e, ERR_INPUT, "merge: '%s' is no contact, lead, case or company such as C13, "
                       "L43, K3 or O7", c->name);
    c->mode = (int)t;
    return cmd_end(c, e);
}

static void merge_say(enum crm_entity t, int64_t into, int64_t from, const struct merge_moved *m,
                      struct crm_result *out)
{
    static const struct {
        enum crm_entity t;
        const char *one, *many;
    } kinds[] = {{CRM_CONTACT, "contact", "contacts"}, {CRM_LEAD, "lead", "leads"},
                 {CRM_DEAL, "deal", "deals"},          {CRM_CASE, "case", "cases"},
                 {CRM_TASK, "task", "tasks"},          {CRM_ACTIVITY, "activity", "activities"}};
    char a[CRM_ID_LEN], b[CRM_ID_LEN];
    struct buf what AUTO_BUF;
    buf_init(&what, 400);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (m->count[kinds[i].t])
            buf_printf(&what, "%s%d %s", what.len ? ", " : ": ", m->count[kinds[i].t],
                       m->count[kinds[i].t] == 1 ? kinds[i].one : kinds[i].many);
    if (m->addresses)
        buf_printf(&what, "%s%d address%s", what.len ? ", " : ": ", m->addresses,
                   m->addresses == 1 ? "" : "es");
    cmd_say(out, "%s is merged into %s%s", crm_id_format(t, from, b), crm_id_format(t, into, a),
            what.len ? what.data : "");
}

static int merge_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                     struct crm_result *out, struct err *e)
{
    enum crm_entity kind = (enum crm_entity)c->mode;
    int64_t into = crm_target_id(t, kind);
    struct merge_moved moved;
    char id[CRM_ID_LEN];
    if (t->main != kind && t->main != CRM_NONE)
        return err_set(e, ERR_INPUT, "merge: %s is no %s", c->name, crm_entity_name(t->main));
    if (!into)
        return err_set(e, ERR_INPUT, "merge: there is no %s here to merge %s into",
                       crm_entity_name(kind), crm_id_format(kind, c->number, id));
    if (crm_merge(ctx, kind, into, c->number, &moved, e) < 0)
        return -1;
    merge_say(kind, into, c->number, &moved, out);
    return 0;
}

const struct cmd_row crm_cmd_merge = {
    "merge", "RECORD", MAY_STAFF, WORDS_OPEN, merge_parse, merge_run,
    "undo: what moved goes back, but for what was changed since",
    "this record and that one are the same: this one stays", "merge C13"};
