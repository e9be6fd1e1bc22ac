/* SPDX-License-Identifier: ISC
 *
 * merge - see merge.h
 */
#include "crm/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crm/cmd.h"
#include "store/contact.h"
#include "store/merged.h"

#define MERGE_CHAIN 50 /* one became another became another */

struct merge {
    struct crm_ctx *ctx;
    enum crm_entity t;
    int64_t into, from;
    const json_t *stays, *goes; /* borrowed from the context */
    struct merge_moved moved;
};

/* Whose column names the record. Activities first: they are found by the leads and
 * cases that still belong to it. */
static const struct relation {
    enum crm_entity of, child;
    const char *parent;
} relations[] = {
    {CRM_CONTACT, CRM_ACTIVITY, "contact_id"}, {CRM_CONTACT, CRM_TASK, "contact_id"},
    {CRM_CONTACT, CRM_DEAL, "contact_id"},     {CRM_CONTACT, CRM_CASE, "contact_id"},
    {CRM_CONTACT, CRM_LEAD, "contact_id"},     {CRM_LEAD, CRM_ACTIVITY, "lead_id"},
    {CRM_LEAD, CRM_TASK, "lead_id"},           {CRM_LEAD, CRM_DEAL, "lead_id"},
    {CRM_LEAD, CRM_CASE, "lead_id"},           {CRM_COMPANY, CRM_CONTACT, "company_id"},
    {CRM_COMPANY, CRM_DEAL, "company_id"},     {CRM_COMPANY, CRM_CASE, "company_id"},
    {CRM_COMPANY, CRM_LEAD, "company_id"},     {CRM_CASE, CRM_ACTIVITY, "case_id"},
    {CRM_CASE, CRM_TASK, "case_id"},
};

/* What was filed on a record that goes back, and stood beside the one that stays. */
static const struct follower {
    enum crm_entity of, moved, child;
    const char *parent, *beside;
} followers[] = {
    {CRM_CONTACT, CRM_LEAD, CRM_ACTIVITY, "lead_id", "contact_id"},
    {CRM_CONTACT, CRM_LEAD, CRM_TASK, "lead_id", "contact_id"},
    {CRM_CONTACT, CRM_LEAD, CRM_DEAL, "lead_id", "contact_id"},
    {CRM_CONTACT, CRM_CASE, CRM_ACTIVITY, "case_id", "contact_id"},
    {CRM_COMPANY, CRM_CONTACT, CRM_LEAD, "contact_id", "company_id"},
    {CRM_COMPANY, CRM_CONTACT, CRM_CASE, "contact_id", "company_id"},
    {CRM_COMPANY, CRM_CONTACT, CRM_DEAL, "contact_id", "company_id"},
};

int crm_follow(struct db *db, enum crm_entity t, int64_t *id, struct err *e)
{
    int64_t into;
    for (int i = 0; i < MERGE_CHAIN; i++) {
        if (merged_get(db, crm_entity_name(t), *id, &into, e) < 0)
            return -1;
        if (!into)
            return 0;
        *id = into;
    }
    return err_set(e, ERR_INPUT, "merged more than %d times", MERGE_CHAIN);
}

/* ---- may they be one? ----------------------------------------------------------- */

/* Leads, and cases. */
static int merge_owned_check(const struct merge *m, struct err *e)
{
    char a[CRM_ID_LEN], b[CRM_ID_LEN], c[CRM_ID_LEN], d[CRM_ID_LEN];
    int64_t of = json_get_int(m->stays, "contact_id", 0),
            other = json_get_int(m->goes, "contact_id", 0);
    crm_id_format(m->t, m->into, a);
    crm_id_format(m->t, m->from, b);
    if (of && other && of != other)
        return err_set(e, ERR_INPUT,
                       "%s is of %s and %s of %s: if they are one person, merge those "
                       "two first",
                       a, crm_id_format(CRM_CONTACT, of, c), b,
                       crm_id_format(CRM_CONTACT, other, d));
    if (!strcmp(json_get_str(m->stays, "status", ""), "closed") &&
        strcmp(json_get_str(m->goes, "status", ""), "closed") != 0)
        return err_set(e, ERR_INPUT,
                       "%s is closed and %s is open: merge the closed one into the "
                       "open one",
                       a, b);
    return 0;
}

static int merge_check(struct merge *m, struct err *e)
{
    char key[CRM_ID_LEN], into[CRM_ID_LEN];
    int64_t became = m->from;
    if (m->t != CRM_CONTACT && m->t != CRM_LEAD && m->t != CRM_COMPANY && m->t != CRM_CASE)
        return err_set(e, ERR_INPUT, "merge: two contacts, leads, companies or cases");
    if (m->into == m->from)
        return err_set(e, ERR_INPUT, "merge: %s is one record already",
                       crm_id_format(m->t, m->into, key));
    if (crm_follow(m->ctx->crm->db, m->t, &became, e) < 0)
        return -1;
    if (became != m->from)
        return err_set(e, ERR_INPUT, "%s was merged into %s already",
                       crm_id_format(m->t, m->from, key), crm_id_format(m->t, became, into));
    m->stays = crm_record(m->ctx, m->t, m->into, e);
    m->goes = m->stays ? crm_record(m->ctx, m->t, m->from, e) : NULL;
    if (!m->goes)
        return -1;
    return m->t == CRM_LEAD || m->t == CRM_CASE ? merge_owned_check(m, e) : 0;
}

/* ---- what belongs to it moves ----------------------------------------------------- */

static int move_related(struct merge *m, const struct relation *r, json_t **lists, struct err *e)
{
    size_t i;
    json_t *id;
    json_array_foreach(*lists, i, id)
    {
        if (crm_change_int(m->ctx, r->child, json_integer_value(id), r->parent, m->into, e) < 0)
            return -1;
        m->moved.count[r->child]++;
    }
    return 0;
}

/* Everything is counted before anything is changed. */
static int move_all(struct merge *m, struct err *e)
{
    json_t *lists[ARRAY_LEN(relations)] = {NULL};
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(relations) && rc == 0; i++) {
        const struct relation *r = &relations[i];
        if (r->of != m->t)
            continue;
        lists[i] = merged_children(m->ctx->crm->db, crm_entity_name(r->child), r->parent, m->from,
                                   MERGE_MAX, e);
        n += json_array_size(lists[i]);
        if (!lists[i])
            rc = -1;
        else if (n > MERGE_MAX)
            rc = err_set(e, ERR_INPUT,
                         "merge: more than %d records belong to it; merge the smaller "
                         "one into the larger one",
                         MERGE_MAX);
    }
    for (size_t i = 0; i < ARRAY_LEN(relations) && rc == 0; i++)
        if (lists[i])
            rc = move_related(m, &relations[i], &lists[i], e);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        json_decref(lists[i]);
    return rc;
}

/* The moved ones come behind: of several the newest counts, and that of the one who
 * stays shall go on counting. */
static int move_addresses(struct merge *m, struct err *e)
{
    const json_t *own = crm_addresses(m->ctx, m->into, e), *a;
    const json_t *list = own ? crm_addresses(m->ctx, m->from, e) : NULL;
    static const char *const channels[] = {"email", "phone"};
    size_t i;
    if (!list)
        return -1;
    for (size_t k = 0; k < ARRAY_LEN(channels); k++) {
        int64_t oldest = INT64_MAX;
        json_array_foreach((json_t *)own, i,
                           a) if (!strcmp(json_get_str(a, "channel", ""), channels[k]) &&
                                  json_get_int(a, "created_ms", 0) < oldest) oldest =
            json_get_int(a, "created_ms", 0);
        json_array_foreach((json_t *)list, i, a)
        {
            int64_t since = json_get_int(a, "created_ms", 0);
            if (strcmp(json_get_str(a, "channel", ""), channels[k]) != 0)
                continue;
            if (since >= oldest)
                since = --oldest;
            if (crm_move_address(m->ctx, channels[k], json_get_str(a, "value", ""), m->into, since,
                                 e) < 0)
                return -1;
            m->moved.addresses++;
        }
    }
    return 0;
}

/* ---- what it knows and the other does not ------------------------------------------ */

static int fill(struct merge *m, const char *field, struct err *e)
{
    const json_t *v = json_object_get(m->goes, field);
    if (!v || json_object_get(m->stays, field))
        return 0;
    return crm_change(m->ctx, m->t, m->into, field, v, e);
}

/* The earlier of two times, or the later one. */
static int fill_time(struct merge *m, const char *field, bool later, struct err *e)
{
    int64_t a = json_get_int(m->stays, field, 0), b = json_get_int(m->goes, field, 0);
    if (!b || (a && (later ? a >= b : a <= b)))
        return 0;
    return crm_change_int(m->ctx, m->t, m->into, field, b, e);
}

static int fill_custom_and_tags(struct merge *m, struct err *e)
{
    const char *name;
    const json_t *v;
    size_t i;
    json_object_foreach(json_get_obj(m->goes, "custom"), name, v)
    {
        AUTO_FREE char *field = mem_printf("custom.%s", name);
        if (!json_object_get(json_get_obj(m->stays, "custom"), name) &&
            crm_change(m->ctx, m->t, m->into, field, v, e) < 0)
            return -1;
    }
    const json_t *tags = crm_tags(m->ctx, m->t, m->from, e);
    if (!tags)
        return -1;
    json_array_foreach((json_t *)tags, i, v)
    {
        AUTO_FREE char *field = mem_printf("tags.%s", json_string_value(v));
        if (crm_change(m->ctx, m->t, m->into, field, json_true(), e) < 0)
            return -1;
    }
    return 0;
}

static int fill_contact(struct merge *m, struct err *e)
{
    static const char *const name[] = {"name", "first_name", "last_name"};
    bool named = json_object_get(m->stays, "name") != NULL; /* a name is taken whole */
    for (size_t i = 0; i < ARRAY_LEN(name) && !named; i++)
        if (fill(m, name[i], e) < 0)
            return -1;
    static const char *const facts[] = {"title", "company_id", "country", "language", "time_zone"};
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        if (fill(m, facts[i], e) < 0)
            return -1;
    return 0;
}

static int fill_company(struct merge *m, struct err *e)
{
    const json_t *domain = json_object_get(m->goes, "domain"),
                 *name = json_object_get(m->goes, "name");
    const char *mine = json_get_str(m->stays, "name", "");
    bool by_domain = !*mine || !strcmp(mine, json_get_str(m->stays, "domain", ""));
    if (by_domain && name &&
        strcmp(json_string_value(name), json_get_str(m->goes, "domain", "")) != 0 &&
        crm_change(m->ctx, m->t, m->into, "name", name, e) < 0)
        return -1;
    if (domain && !json_object_get(m->stays, "domain")) {
        AUTO_JSON json_t *keep = json_incref((json_t *)domain);
        if (crm_change(m->ctx, m->t, m->from, "domain", NULL, e) < 0 ||
            crm_change(m->ctx, m->t, m->into, "domain", keep, e) < 0)
            return -1;
    }
    return fill(m, "country", e);
}

static int fill_lead(struct merge *m, struct err *e)
{
    const char *mine = json_get_str(m->stays, "status", ""),
               *its = json_get_str(m->goes, "status", "");
    int64_t score = json_get_int(m->goes, "score", 0);
    bool further =
        (!strcmp(mine, "new") && (!strcmp(its, "contacted") || !strcmp(its, "qualified"))) ||
        (!strcmp(mine, "contacted") && !strcmp(its, "qualified"));
    if (fill(m, "contact_id", e) < 0 || fill(m, "company_id", e) < 0 || fill(m, "subject", e) < 0 ||
        fill(m, "source", e) < 0 || fill(m, "owner", e) < 0 || fill(m, "assigned_ms", e) < 0 ||
        fill_time(m, "first_in_ms", false, e) < 0 || fill_time(m, "last_in_ms", true, e) < 0 ||
        fill_time(m, "first_out_ms", false, e) < 0 || fill_time(m, "last_out_ms", true, e) < 0 ||
        fill_time(m, "contacted_ms", false, e) < 0)
        return -1;
    if (score > json_get_int(m->stays, "score", 0) &&
        crm_change_int(m->ctx, CRM_LEAD, m->into, "score", score, e) < 0)
        return -1;
    return further ? crm_change_str(m->ctx, CRM_LEAD, m->into, "status", its, e) : 0;
}

/* The more urgent of both; and open, where the customer waits in one of them. */
static int fill_case(struct merge *m, struct err *e)
{
    static const char *const order[] = {"low", "normal", "high", "urgent"};
    const char *mine = json_get_str(m->stays, "priority", "normal"),
               *its = json_get_str(m->goes, "priority", "normal");
    size_t a = 0, b = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        a = strcmp(order[i], mine) ? a : i;
        b = strcmp(order[i], its) ? b : i;
    }
    if (fill(m, "contact_id", e) < 0 || fill(m, "company_id", e) < 0 || fill(m, "lead_id", e) < 0 ||
        fill(m, "subject", e) < 0 || fill(m, "source", e) < 0 || fill(m, "owner", e) < 0 ||
        fill(m, "assigned_ms", e) < 0 || fill_time(m, "first_in_ms", false, e) < 0 ||
        fill_time(m, "last_in_ms", true, e) < 0 || fill_time(m, "first_out_ms", false, e) < 0 ||
        fill_time(m, "last_out_ms", true, e) < 0 || fill_time(m, "answered_ms", false, e) < 0)
        return -1;
    if (b > a && crm_change_str(m->ctx, CRM_CASE, m->into, "priority", its, e) < 0)
        return -1;
    bool waits = !strcmp(json_get_str(m->stays, "status", ""), "waiting") &&
                 !strcmp(json_get_str(m->goes, "status", ""), "open");
    return waits ? cmd_case_status(m->ctx, m->into, "open", NULL, e) : 0;
}

static int fill_all(struct merge *m, struct err *e)
{
    int rc = m->t == CRM_CONTACT   ? fill_contact(m, e)
             : m->t == CRM_COMPANY ? fill_company(m, e)
             : m->t == CRM_CASE    ? fill_case(m, e)
                                   : fill_lead(m, e);
    return rc < 0 ? -1 : fill_custom_and_tags(m, e);
}

int crm_merge(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
              struct merge_moved *out, struct err *e)
{
    struct merge m = {.ctx = ctx, .t = t, .into = into, .from = from};
    char id[CRM_ID_LEN];
    if (merge_check(&m, e) < 0 || move_all(&m, e) < 0 ||
        (t == CRM_CONTACT && move_addresses(&m, e) < 0) || fill_all(&m, e) < 0 ||
        crm_change_int(ctx, t, from, "deleted_ms", ctx->now_ms, e) < 0 ||
        crm_change_str(ctx, t, from, "merged", crm_id_format(t, into, id), e) < 0)
        return -1;
    crm_op_event(ctx,
                 t == CRM_CONTACT ? "contact.merged"
                 : t == CRM_LEAD  ? "lead.merged"
                 : t == CRM_CASE  ? "case.merged"
                                  : "company.merged",
                 t, into);
    *out = m.moved;
    return 0;
}

/* ---- and taking it back ------------------------------------------------------------- */

/* A record that the merge had moved was made one with a record that it had not. */
static int moved_check(struct crm_ctx *ctx, const char *name, const json_t *moved, struct err *e)
{
    enum crm_entity t;
    int64_t id, other;
    size_t i;
    const json_t *v;
    char key[CRM_ID_LEN];
    if (crm_id_parse(name, &t, &id) < 0 || (t != CRM_LEAD && t != CRM_CONTACT && t != CRM_CASE))
        return 0;
    if (merged_get(ctx->crm->db, crm_entity_name(t), id, &other, e) < 0)
        return -1;
    if (other && !json_object_get(moved, crm_id_format(t, other, key)))
        return err_set(e, ERR_INPUT, "%s was merged into %s since then: take that back first", name,
                       key);
    AUTO_JSON json_t *came = merged_of(ctx->crm->db, crm_entity_name(t), id, e);
    if (!came)
        return -1;
    json_array_foreach(
        came, i,
        v) if (!json_object_get(moved,
                                crm_id_format(t, json_integer_value(v),
                                              key))) return err_set(e, ERR_INPUT,
                                                                    "%s was merged into %s since "
                                                                    "then: take that back first",
                                                                    key, name);
    return 0;
}

int crm_unmerge_check(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
                      const json_t *moved, int64_t at_ms, struct err *e)
{
    int64_t is, when;
    char a[CRM_ID_LEN], b[CRM_ID_LEN];
    const char *name;
    const json_t *v;
    crm_id_format(t, into, a);
    crm_id_format(t, from, b);
    if (merged_get(ctx->crm->db, crm_entity_name(t), from, &is, e) < 0)
        return -1;
    if (is != into)
        return err_set(e, ERR_INPUT, "%s is not merged into %s any more", b, a);
    /* the journal finds no entries of a company: it may have been taken back, and done again */
    if (merged_when(ctx->crm->db, crm_entity_name(t), from, &when, e) < 0)
        return -1;
    if (t == CRM_COMPANY && when != at_ms)
        return err_set(e, ERR_INPUT, "%s was merged into %s again since then: take that back", b, a);
    if (merged_get(ctx->crm->db, crm_entity_name(t), into, &is, e) < 0)
        return -1;
    if (is)
        return err_set(e, ERR_INPUT, "%s was merged into %s since then: take that back first", a,
                       crm_id_format(t, is, b));
    if (!crm_record(ctx, t, into, e))
        return -1;
    json_object_foreach((json_t *)moved, name, v)
        if ((t != CRM_LEAD || *name != 'K') && moved_check(ctx, name, moved, e) < 0)
            return -1;
    return 0;
}

static int follow_one(struct crm_ctx *ctx, const struct follower *f, int64_t parent, int64_t into,
                      int64_t from, struct err *e)
{
    size_t i;
    json_t *v;
    AUTO_JSON json_t *list =
        merged_children(ctx->crm->db, crm_entity_name(f->child), f->parent, parent, MERGE_MAX, e);
    if (!list)
        return -1;
    json_array_foreach(list, i, v)
    {
        int64_t id = json_integer_value(v);
        const json_t *rec = crm_record_any(ctx, f->child, id, e);
        if (!rec)
            return -1;
        if (json_get_int(rec, f->beside, 0) == into &&
            crm_change_int(ctx, f->child, id, f->beside, from, e) < 0)
            return -1;
    }
    return 0;
}

/* Leads and the like that came since then and stay. */
static int settle_tell(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t since_ms,
                       struct buf *told, struct err *e)
{
    const char *parent = t == CRM_CONTACT   ? "contact_id"
                         : t == CRM_COMPANY ? "company_id"
                         : t == CRM_CASE    ? "case_id"
                                            : "lead_id";
    enum crm_entity child = t == CRM_LEAD      ? CRM_DEAL
                            : t == CRM_COMPANY ? CRM_CONTACT
                            : t == CRM_CASE    ? CRM_TASK
                                               : CRM_LEAD;
    char id[CRM_ID_LEN];
    size_t i;
    json_t *v;
    AUTO_JSON json_t *list =
        merged_children(ctx->crm->db, crm_entity_name(child), parent, into, MERGE_MAX, e);
    if (!list)
        return -1;
    int n = 0;
    json_array_foreach(list, i, v)
    {
        const json_t *rec = crm_record_any(ctx, child, json_integer_value(v), e);
        if (!rec)
            return -1;
        if (json_get_int(rec, "created_ms", 0) <= since_ms || json_object_get(rec, "deleted_ms"))
            continue;
        if (n++ < 3)
            buf_printf(told, "%s%s", n == 1 ? "; stays here, being newer: " : ", ",
                       crm_id_format(child, json_integer_value(v), id));
    }
    if (n > 3)
        buf_printf(told, " and %d more", n - 3);
    return 0;
}

int crm_unmerge_settle(struct crm_ctx *ctx, enum crm_entity t, int64_t into, int64_t from,
                       const json_t *moved, int64_t since_ms, struct buf *told, struct err *e)
{
    const char *name;
    const json_t *v;
    enum crm_entity kind;
    int64_t id;
    json_object_foreach((json_t *)moved, name, v)
    {
        if (crm_id_parse(name, &kind, &id) < 0)
            continue;
        const json_t *rec = crm_record_any(ctx, kind, id, e);
        if (!rec)
            return -1;
        const char *parent = t == CRM_CONTACT ? "contact_id" : "company_id";
        if (json_get_int(rec, parent, 0) != from) /* somebody gave it to another one */
            continue;
        for (size_t i = 0; i < ARRAY_LEN(followers); i++)
            if (followers[i].of == t && followers[i].moved == kind &&
                follow_one(ctx, &followers[i], id, into, from, e) < 0)
                return -1;
    }
    return settle_tell(ctx, t, into, since_ms, told, e);
}
