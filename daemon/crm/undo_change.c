/* SPDX-License-Identifier: ISC
 *
 * undo_change - one change of a journal row: may it be taken back, and doing so
 * (see undo.h)
 *
 * A change whose field was touched since by a later command is refused, and the command
 * named; one of a merge is kept then, and told.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/consent.h"
#include "crm/merge.h"
#include "crm/undo.h"
#include "crm/when.h"
#include "store/consent.h"
#include "store/contact.h"
#include "store/merged.h"

/* One change of a journal row, values taken from where they are. */
struct undo_change {
    enum crm_entity entity; /* CRM_NONE: an address, a mail, a call, a pool's turn, or an absence */
    bool mail, call;
    const json_t *dealt;    /* borrowed: a pool's turn */
    bool absence;
    const char *enrolled; /* of a sequence: its state before; NULL: it is none */
    bool merge; /* of a merge: what was changed since then is kept */
    int64_t id;
    const char *field;
    const json_t *before, *after; /* borrowed from the row */
};

/* ---- what a row says --------------------------------------------------------------- */

json_t *undo_commands(const json_t *row)
{
    return json_get_arr(json_get_obj(row, "body"), "commands");
}

bool undo_by_system(const json_t *command)
{
    return !strcmp(json_get_str(command, "by", "system"), "system") ||
           !strcmp(json_get_str(command, "by", ""), "contact");
}

int64_t undo_of(const json_t *row)
{
    size_t i;
    const json_t *c;
    json_array_foreach(undo_commands(row), i, c)
        if (json_get_int(c, "undoes", 0))
            return json_get_int(c, "undoes", 0);
    return 0;
}

const json_t *undo_undone_by(const struct undo *u, int64_t id)
{
    size_t i;
    const json_t *row;
    json_array_foreach(u->history, i, row)
        if (json_get_int(row, "id", 0) > id && undo_of(row) == id &&
            !undo_undone_by(u, json_get_int(row, "id", 0)))
            return row;
    return NULL;
}

/* "of": "L42"; in older rows, and for what has no such name, "e" and "id". */
static enum crm_entity change_of(const json_t *j, int64_t *id_out)
{
    enum crm_entity t;
    if (crm_id_parse(json_get_str(j, "of", ""), &t, id_out) == 0)
        return t;
    *id_out = json_get_int(j, "id", 0);
    return crm_entity_parse(json_get_str(j, "e", ""));
}

/* -1 when the values are gone (erased) or make no sense. */
static int change_read(const json_t *row, const json_t *j, struct undo_change *out, struct err *e)
{
    int64_t id;
    const char *p = json_get_str(j, "p", NULL);
    const json_t *values = p ? json_get_obj(json_get_obj(row, "personal"), p) : j;
    if (!values)
        return err_set(e, ERR_INPUT, "J%" PRId64 " cannot be taken back: its values were erased",
                       json_get_int(row, "id", 0));
    *out = (struct undo_change){.entity = change_of(j, &id),
                                .mail = !strcmp(json_get_str(j, "e", ""), "outbox"),
                                .call = !strcmp(json_get_str(j, "e", ""), "call"),
                                .dealt = json_object_get(j, "dealt") ? j : NULL,
                                .enrolled = !strcmp(json_get_str(j, "e", ""), "enrolment")
                                                ? json_get_str(j, "was", "") : NULL,
                                .absence = !strcmp(json_get_str(j, "e", ""), "absence"),
                                .field = json_get_str(j, "f", "created"),
                                .before = json_object_get(values, "old"),
                                .after = json_object_get(values, "new")};
    out->id = id;
    if (!json_object_get(j, "f"))
        out->after = json_true();
    return 0;
}

/* ---- may it be taken back? --------------------------------------------------- */

static const json_t *current_value(struct undo *u, const struct undo_change *c, bool *known,
                                   struct err *e)
{
    const json_t *rec = crm_record_any(u->ctx, c->entity, c->id, e), *list, *a;
    size_t i;
    *known = rec != NULL;
    if (!rec)
        return NULL;
    if (text_starts(c->field, "custom."))
        return json_object_get(json_get_obj(rec, "custom"), c->field + 7);
    if (text_starts(c->field, "tags.")) {
        list = crm_tags(u->ctx, c->entity, c->id, e);
        *known = list != NULL;
        json_array_foreach((json_t *)list, i, a)
            if (!strcmp(json_string_value(a), c->field + 5))
                return json_true();
        return NULL;
    }
    if (!strcmp(c->field, "merged")) {
        int64_t into;
        char key[CRM_ID_LEN];
        *known = merged_get(u->ctx->crm->db, crm_entity_name(c->entity), c->id, &into, e) == 0;
        if (!*known || !into)
            return NULL;
        json_array_append_new(u->ctx->strings, json_string(crm_id_format(c->entity, into, key)));
        return json_array_get(u->ctx->strings, json_array_size(u->ctx->strings) - 1);
    }
    if (c->entity == CRM_CONTACT && (!strcmp(c->field, "email") || !strcmp(c->field, "phone"))) {
        list = crm_addresses(u->ctx, c->id, e);
        *known = list != NULL;
        json_array_foreach((json_t *)list, i, a)
            if (!strcmp(json_get_str(a, "channel", ""), c->field))
                return json_object_get(a, "value");
        return NULL;
    }
    return json_object_get(rec, c->field);
}

/* Does this later row stand in the way of taking c back? */
static bool row_touches(const json_t *row, const struct undo_change *c, const json_t **command_out)
{
    size_t i, k;
    const json_t *command, *j;
    bool created = !strcmp(c->field, "created");
    bool whole = c->entity == CRM_LEAD || c->entity == CRM_CASE || c->entity == CRM_CONTACT;
    json_array_foreach(undo_commands(row), i, command)
        json_array_foreach(json_get_arr(command, "changes"), k, j) {
            int64_t id;
            bool same = change_of(j, &id) == c->entity && id == c->id;
            /* what filing noted on a new record does not make it anybody's work;
             * what people and rules did with a lead, also beside it, does */
            if (created ? undo_by_system(command) || !(same || whole)
                        : !same || strcmp(json_get_str(j, "f", "created"), c->field) != 0)
                continue;
            *command_out = command;
            return true;
        }
    return false;
}

static int undo_conflict(struct undo *u, const struct undo_change *c, struct err *e)
{
    size_t i;
    char at[40], id[CRM_ID_LEN];
    const json_t *row, *command = NULL;
    json_array_foreach(u->history, i, row) {
        int64_t n = json_get_int(row, "id", 0), undoes = undo_of(row);
        if (n <= u->journal || undo_undone_by(u, n))
            continue;
        if (undoes > u->journal) /* it took back a later row: together they did nothing */
            continue;
        if (!row_touches(row, c, &command))
            continue;
        crm_when_print(u->ctx->crm->zone, json_get_int(row, "at_ms", 0), at, sizeof(at));
        bool created = !strcmp(c->field, "created");
        return err_set(e, ERR_INPUT, "cannot take J%" PRId64 " back: %s%s%s was changed later by "
                       "J%" PRId64 " (%s %s, %s)", u->journal, created ? "" : c->field,
                       created ? "" : " of ", crm_id_format(c->entity, c->id, id), n,
                       json_get_str(command, "by", "?"),
                       json_get_str(command, "actor", json_get_str(command, "by", "?")), at);
    }
    return 0;
}

/* The address is still with the contact that this row gave it to. */
static int address_stands(struct undo *u, const struct undo_change *c, bool *out, struct err *e)
{
    AUTO_JSON json_t *row = NULL;
    if (address_get(u->ctx->crm->db, json_get_str(c->after, "channel", ""),
                    json_get_str(c->after, "value", ""), &row, e) < 0)
        return -1;
    *out = json_get_int(row, "contact_id", 0) == json_get_int(c->after, "contact", 0);
    return 0;
}

static int list_check(struct undo *u, const struct undo_change *c, struct err *e)
{
    int64_t row;
    bool left;
    const char *list = json_get_str(c->after, "list", "");
    AUTO_FREE char *sender = crm_list_sender(list);
    if (consent_last(u->ctx->crm->db, "email", json_get_str(c->after, "value", ""), sender, &row, &left,
                     e) < 0)
        return -1;
    if (row == json_get_int(c->after, "row", 0))
        return 0;
    return err_set(e, ERR_INPUT, "cannot take J%" PRId64 " back: something was said about the list %s "
                   "since", u->journal, list);
}

/* An address stands as this row left it, or somebody has spoken since: a consent
 * or an opt-out that came later must not fall with an earlier one. */
static int address_check(struct undo *u, const struct undo_change *c, struct err *e)
{
    if (!strcmp(c->field, "list"))
        return list_check(u, c, e);
    char column[24];
    AUTO_JSON json_t *row = NULL;
    bool same;
    if (!strcmp(c->field, "contact")) {
        if (address_stands(u, c, &same, e) < 0)
            return -1;
        return same ? 0 : err_set(e, ERR_INPUT, "cannot take J%" PRId64 " back: an address belongs to "
                                  "another one since", u->journal);
    }
    snprintf(column, sizeof(column), "%s_ms", c->field);
    if (address_get(u->ctx->crm->db, json_get_str(c->before, "channel", "email"),
                    json_get_str(c->before, "value", ""), &row, e) < 0)
        return -1;
    if (json_get_int(row, column, 0) == json_get_int(c->after, "at", 0))
        return 0;
    return err_set(e, ERR_INPUT, "cannot take J%" PRId64 " back: %s of the address has changed since",
                   u->journal, c->field);
}

/* seen: "L42 status" -> true for fields whose newest change in the row was looked at */
static int change_check(struct undo *u, const struct undo_change *c, json_t *seen, struct err *e)
{
    char id[CRM_ID_LEN];
    bool known;
    if (c->merge)
        return 0;
    if (c->absence)
        return crm_absence_check(u->ctx, c->after, e);
    if (c->entity == CRM_NONE)
        return c->mail || c->call || c->dealt || c->enrolled ? 0 : address_check(u, c, e);
    AUTO_FREE char *key = mem_printf("%s %s", crm_id_format(c->entity, c->id, id), c->field);
    if (json_object_get(seen, key))
        return 0;
    json_object_set_new(seen, key, json_true());
    if (undo_conflict(u, c, e) < 0)
        return -1;
    if (!strcmp(c->field, "created"))
        return 0;
    const json_t *now = current_value(u, c, &known, e);
    if (!known)
        return -1;
    if (now == c->after || (now && c->after && json_equal(now, c->after)))
        return 0;
    return err_set(e, ERR_INPUT, "cannot take J%" PRId64 " back: %s of %s has changed since",
                   u->journal, c->field, id);
}

/* ---- taking back --------------------------------------------------------------- */

static int consent_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    if (!strcmp(c->field, "list"))
        return crm_change_list(u->ctx, json_get_str(c->before, "value", ""),
                               json_get_str(c->before, "list", ""),
                               json_get_bool(c->before, "left", false), NULL, e);
    return crm_change_address(u->ctx, json_get_str(c->before, "channel", "email"),
                              json_get_str(c->before, "value", ""), c->field,
                              json_get_int(c->before, "at", 0), NULL, e);
}

/* The ledger of consents must not read as if who takes it back had been asked by the contact. */
static int address_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    const struct crm_consent *was = u->ctx->consent;
    if (!strcmp(c->field, "contact"))
        return crm_move_address(u->ctx, json_get_str(c->before, "channel", "email"),
                                json_get_str(c->before, "value", ""),
                                json_get_int(c->before, "contact", 0),
                                json_get_int(c->before, "since", 0), e);
    AUTO_FREE char *by = mem_printf("undo of J%" PRId64 " by %s", u->journal,
                                    crm_actor_text(u->ctx, &u->ctx->op_actor));
    const struct crm_consent consent = {.source = by};
    crm_consent_by(u->ctx, &consent);
    int rc = consent_apply(u, c, e);
    crm_consent_by(u->ctx, was);
    return rc;
}

static int mail_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    struct err why = {0};
    const struct crm_hooks *h = &u->ctx->hooks;
    int (*take)(void *, struct crm_ctx *, int64_t, struct err *) = c->call ? h->uncall : h->unsend;
    if (take && take(h->arg, u->ctx, c->id, &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT && why.cls != ERR_NONE)
        return err_set(e, why.cls, "%s", why.text);
    u->kept_mails++;
    return 0;
}

static int enrolled_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    const struct crm_hooks *h = &u->ctx->hooks;
    return h->unenrol ? h->unenrol(h->arg, u->ctx, c->id, c->enrolled, e)
                      : err_set(e, ERR_INPUT, "no sequence can run from here");
}

static int change_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    if (c->enrolled)
        return enrolled_apply(u, c, e);
    if (c->mail || c->call)
        return mail_apply(u, c, e);
    if (c->dealt)
        return assign_give_back(u->ctx, c->dealt, e);
    if (c->absence)
        return crm_absence_change(u->ctx, c->after, c->before, e);
    if (c->entity == CRM_NONE)
        return address_apply(u, c, e);
    if (!strcmp(c->field, "created"))
        return crm_change_int(u->ctx, c->entity, c->id, "deleted_ms", u->ctx->now_ms, e);
    return crm_change(u->ctx, c->entity, c->id, c->field, c->before, e);
}

/* ---- merges ----------------------------------------------------------------------- */

/* Does it stand as the merge left it? */
static int merge_stands(struct undo *u, const struct undo_change *c, bool *out, struct err *e)
{
    bool known;
    if (c->entity == CRM_NONE)
        return address_stands(u, c, out, e);
    const json_t *now = current_value(u, c, &known, e);
    if (!known)
        return -1;
    *out = now == c->after || (now && c->after && json_equal(now, c->after));
    return 0;
}

static int merge_apply(struct undo *u, const struct undo_change *c, struct err *e)
{
    bool same;
    char id[CRM_ID_LEN];
    if (merge_stands(u, c, &same, e) < 0)
        return -1;
    if (same)
        return change_apply(u, c, e);
    if (u->kept++ < 3)
        buf_printf(&u->kept_what, "%s%s of %s", u->kept == 1 ? "; changed since and kept: " : ", ",
                   c->entity == CRM_NONE ? "an address" : text_starts(c->field, "custom.")
                                         ? c->field + 7 : c->field,
                   c->entity == CRM_NONE ? crm_id_format(u->merged, u->into, id)
                                         : crm_id_format(c->entity, c->id, id));
    return 0;
}

/* The commands of the row that are merges say what moved; one of them stands for the row. */
int undo_merge_read(struct undo *u, struct err *e)
{
    size_t i, k;
    const json_t *command, *j;
    enum crm_entity t, of;
    int64_t id, into;
    json_array_foreach(undo_commands(u->row), i, command) {
        json_array_foreach(json_get_arr(command, "changes"), k, j) {
            const char *f = json_get_str(j, "f", "");
            if (!strcmp(f, "merged") && json_get_str(j, "new", NULL) &&
                crm_id_parse(json_get_str(j, "new", NULL), &of, &into) == 0) {
                u->merged = change_of(j, &u->from);
                u->into = into;
            }
        }
        if (u->merged == CRM_NONE)
            continue;
        u->moved = json_object();
        const char *parent = u->merged == CRM_CONTACT   ? "contact_id"
                             : u->merged == CRM_COMPANY ? "company_id"
                             : u->merged == CRM_CASE    ? "case_id"
                                                        : "lead_id";
        json_array_foreach(json_get_arr(command, "changes"), k, j)
            if (!strcmp(json_get_str(j, "f", ""), parent) &&
                (t = change_of(j, &id)) != CRM_NONE && t != u->merged)
                json_put_bool(u->moved, json_get_str(j, "of", ""), true);
        return crm_unmerge_check(u->ctx, u->merged, u->into, u->from, u->moved,
                                 json_get_int(u->row, "at_ms", 0), e);
    }
    return 0;
}

static bool is_merge(const json_t *command)
{
    size_t i;
    const json_t *j;
    json_array_foreach(json_get_arr(command, "changes"), i, j)
        if (!strcmp(json_get_str(j, "f", ""), "merged") && json_get_str(j, "new", NULL))
            return true;
    return false;
}

/* All changes of the row that are meant, newest first. */
static int row_each(struct undo *u, int (*fn)(struct undo *, const struct undo_change *, json_t *,
                                              struct err *), struct err *e)
{
    const json_t *commands = undo_commands(u->row);
    AUTO_JSON json_t *seen = json_object();
    for (size_t i = json_array_size(commands); i-- > 0;) {
        const json_t *command = json_array_get(commands, i);
        const json_t *changes = json_get_arr(command, "changes");
        if (!u->all && undo_by_system(command))
            continue;
        bool merge = u->merged != CRM_NONE && is_merge(command);
        for (size_t k = json_array_size(changes); k-- > 0;) {
            struct undo_change c = {.entity = CRM_NONE};
            if (change_read(u->row, json_array_get(changes, k), &c, e) < 0)
                return -1;
            c.merge = merge;
            if (fn(u, &c, seen, e) < 0)
                return -1;
        }
    }
    return 0;
}

static int step_apply(struct undo *u, const struct undo_change *c, json_t *seen, struct err *e)
{
    (void)seen;
    return c->merge ? merge_apply(u, c, e) : change_apply(u, c, e);
}

int undo_check(struct undo *u, struct err *e)
{
    return row_each(u, change_check, e);
}

int undo_apply(struct undo *u, struct err *e)
{
    return row_each(u, step_apply, e);
}
