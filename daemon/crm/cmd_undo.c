/* SPDX-License-Identifier: ISC
 *
 * cmd_undo - undo [J17]: take back what one pass did
 *
 * The journal row of the pass has every change with its old value; undo makes
 * them in reverse, as changes of its own, so that an undo can be undone. It
 * refuses, before anything is changed, when a later command touched one of the
 * same fields, and names it. A record that was created is marked deleted. A mail
 * is taken back while it has not left; that one has left is told.
 *
 * A merge is taken back also when something was changed since: what was is kept, and
 * told (crm/merge.h).
 *
 * `undo` alone means the last pass in which a user or a rule did something with
 * the record, and takes back what they did; what intake filed stays.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/merge.h"
#include "crm/render.h"
#include "crm/undo.h"
#include "store/journal.h"

#define HISTORY_MAX 200

static int undo_parse(struct cmd *c, struct err *e)
{
    if (grammar_at_end(&c->g))
        return 0;
    if (cmd_word(c, "a journal entry", e) < 0)
        return -1;
    if ((c->name[0] | 0x20) != 'j' || text_parse_int(c->name + 1, &c->number) < 0 || c->number <= 0)
        return err_set(e, ERR_INPUT, "undo: '%s' is no journal entry such as J17", c->name);
    return cmd_end(c, e);
}

static bool row_has_changes(const json_t *row, bool all)
{
    size_t i;
    const json_t *c;
    json_array_foreach(undo_commands(row), i, c)
        if ((all || !undo_by_system(c)) && json_array_size(json_get_arr(c, "changes")))
            return true;
    return false;
}

/* ---- which row --------------------------------------------------------------------- */

static int undo_choose(struct undo *u, int64_t number, struct err *e)
{
    size_t i;
    const json_t *row;
    json_array_foreach(u->history, i, row) {
        int64_t id = json_get_int(row, "id", 0);
        if (number ? id != number
                   : !row_has_changes(row, false) || undo_of(row) || undo_undone_by(u, id))
            continue;
        u->row = row;
        u->journal = id;
        u->all = number != 0;
        break;
    }
    if (!u->row)
        return number ? err_set(e, ERR_INPUT, "J%" PRId64 " is no entry of this record", number)
                      : err_set(e, ERR_INPUT, "there is nothing to take back");
    const json_t *by = undo_undone_by(u, u->journal);
    if (by)
        return err_set(e, ERR_INPUT, "J%" PRId64 " was taken back already by J%" PRId64,
                       u->journal, json_get_int(by, "id", 0));
    if (!row_has_changes(u->row, u->all))
        return err_set(e, ERR_INPUT, "J%" PRId64 " changed nothing", u->journal);
    return 0;
}

/* A rep takes back what he and the rules did, not what a colleague did. */
static int undo_permit(const struct undo *u, struct err *e)
{
    const struct crm_actor *me = &u->ctx->op_actor;
    size_t i;
    const json_t *c;
    if (me->kind != CRM_BY_USER ||
        strcmp(json_get_str(crm_user(u->ctx->crm, me->name), "role", "rep"), "rep"))
        return 0;
    json_array_foreach(undo_commands(u->row), i, c)
        if ((!strcmp(json_get_str(c, "by", ""), "user") &&
             strcmp(json_get_str(c, "actor", ""), me->name)) ||
            !strcmp(json_get_str(c, "by", ""), "operator"))
            return err_set(e, ERR_INPUT, "J%" PRId64 " is of %s; a manager may take it back",
                           u->journal, json_get_str(c, "actor", "?"));
    return 0;
}

/* An entry that is not among the newest, or of a record that was merged into this one. */
static int undo_older(struct undo *u, const struct crm_target *t, int64_t number, struct err *e)
{
    static const struct {
        const char *key;
        enum crm_entity t;
    } of[] = {{"contact_id", CRM_CONTACT}, {"lead_id", CRM_LEAD}, {"case_id", CRM_CASE}};
    size_t i;
    const json_t *row;
    struct err none = {0};
    json_array_foreach(u->history, i, row)
        if (json_get_int(row, "id", 0) == number)
            return 0;
    AUTO_JSON json_t *old = journal_get(u->ctx->crm->db, number, &none);
    for (i = 0; old && i < ARRAY_LEN(of); i++) {
        int64_t id = json_get_int(old, of[i].key, 0);
        if (!id)
            continue;
        if (crm_follow(u->ctx->crm->db, of[i].t, &id, e) < 0)
            return -1;
        if (id == crm_target_id(t, of[i].t))
            return json_array_append(u->history, old);
    }
    return none.cls == ERR_NONE || none.cls == ERR_INPUT ? 0 : err_set(e, none.cls, "%s", none.text);
}

static int undo_history(struct undo *u, const struct crm_target *t, int64_t number, struct err *e)
{
    char letter = t->main == CRM_CASE && t->kase ? 'K'
                  : t->lead                      ? 'L'
                  : t->kase                      ? 'K'
                  : t->contact                   ? 'C'
                                                 : '\0';
    if (!letter && number) { /* of no record: an absence */
        json_t *row = journal_get(u->ctx->crm->db, number, e);
        bool alone = row && !json_get_int(row, "lead_id", 0) && !json_get_int(row, "case_id", 0) &&
                     !json_get_int(row, "contact_id", 0);
        u->history = row ? json_pack("[o]", row) : NULL;
        if (alone || !row)
            return row ? 0 : -1;
    }
    if (!letter)
        return err_set(e, ERR_INPUT, "undo: there is no lead, case or contact here");
    u->history = journal_list(u->ctx->crm->db, letter,
                              letter == 'K'   ? t->kase
                              : letter == 'L' ? t->lead
                                              : t->contact,
                              0, HISTORY_MAX, e);
    if (!u->history)
        return -1;
    return number ? undo_older(u, t, number, e) : 0;
}

/* What the row did, for the person who took it back: "assign anna, tag hot". */
static void undo_name(const struct undo *u, struct buf *out)
{
    size_t i;
    const json_t *c;
    json_array_foreach(undo_commands(u->row), i, c)
        if ((u->all || !undo_by_system(c)) && json_array_size(json_get_arr(c, "changes"))) {
            const char *line = json_get_str(c, "line", "?");
            if (crm_has_fields(line)) /* as the rule has it: what came of it says more */
                line = json_get_str(c, "result", line);
            buf_printf(out, "%s%s", out->len ? ", " : "", line);
        }
}

static int undo_do(struct undo *u, int64_t number, struct crm_result *out, struct err *e)
{
    if (undo_choose(u, number, e) < 0 || undo_permit(u, e) < 0 || undo_merge_read(u, e) < 0 ||
        undo_check(u, e) < 0 || undo_apply(u, e) < 0)
        return -1;
    if (u->merged != CRM_NONE &&
        crm_unmerge_settle(u->ctx, u->merged, u->into, u->from, u->moved,
                           json_get_int(u->row, "at_ms", 0), &u->kept_what, e) < 0)
        return -1;
    json_put_int(u->ctx->op, "undoes", u->journal);
    struct buf what AUTO_BUF;
    buf_init(&what, 256);
    undo_name(u, &what);
    if (u->kept_mails)
        cmd_say(out, "J%" PRId64 " (%s) is taken back, but for %d mail%s that left already",
                u->journal, what.data, u->kept_mails, u->kept_mails == 1 ? "" : "s");
    else
        cmd_say(out, "J%" PRId64 " (%s) is taken back%s", u->journal, what.data,
                u->kept_what.len ? u->kept_what.data : "");
    return 0;
}

static int undo_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                    struct crm_result *out, struct err *e)
{
    struct undo u = {.ctx = ctx};
    buf_init(&u.kept_what, 400);
    int rc = undo_history(&u, t, c->number, e);
    if (rc == 0)
        rc = undo_do(&u, c->number, out, e);
    json_decref(u.history);
    json_decref(u.moved);
    buf_done(&u.kept_what);
    return rc;
}

const struct cmd_row crm_cmd_undo = {
    "undo", "[J17]", MAY_STAFF, WORDS_OPEN, undo_parse, undo_run, "undo of the undo's own entry",
    "take back the last thing done with the record, or one journal entry", "undo J17"};
