/* SPDX-License-Identifier: ISC
 *
 * ctl_begin - sequence begin: the records of a list, or those that fit a condition
 *
 *   sequence begin NAME [try=yes] [again=yes] ID ..
 *   sequence begin NAME [try=yes] [again=yes] where=CONDITION|segment=NAME [after=N] [to=N]
 *
 * What leadctl sequence start asks, again and again until all are through
 * (daemon/ctl_sequence.c). One request is one slice, so that nobody waits for a long list,
 * and its own transaction. Who is in the sequence, or has been through it, is left out
 * unless `again` says otherwise: after a crash the same list may be given once more. With
 * try nothing is changed.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "engine/broadcast.h"
#include "engine/ctl.h"
#include "engine/enrol.h"
#include "store/schedule.h"

struct begin {
    struct ctl *c;
    struct sequence *q;
    bool only_try, again;
    struct segments *made;       /* own; of where=; NULL: none */
    const struct segments *all;  /* that seg is one of */
    const struct segment *seg;   /* NULL: all that are named */
    int64_t begun, looked, fit, at, to;
    json_t *rows;                /* own; who is left out */
    json_t *contacts;            /* own; try: of those who would begin, and may be in one only */
};

static void begin_out(struct begin *b, const char *record, const char *why)
{
    json_array_append_new(b->rows, json_pack("{s:s, s:s}", "record", record, "why", why));
}

/* Only the asker's mistakes are answers; what the store says ends the request. */
static int begin_refused(struct begin *b, const char *record, const struct err *why, struct err *e)
{
    if (why->cls == ERR_INPUT) {
        begin_out(b, record, why->text);
        return 0;
    }
    *e = *why;
    return -1;
}

static int begin_run(struct begin *b, const char *record, struct err *e)
{
    struct err why = {0};
    struct crm_result res = {0};
    struct crm_actor actor = {.kind = CRM_BY_OPERATOR, .name = b->c->user};
    AUTO_FREE char *line = mem_printf("sequence %s", sequence_name(b->q));
    if (ctl_run_line(b->c->eng, record, line, &actor, &res, &why) < 0)
        return begin_refused(b, record, &why, e);
    b->begun++;
    return 0;
}

/* in is of the slice: nothing of it is kept. */
static int begin_one(struct begin *b, struct input *in, enum crm_entity t, int64_t id, struct err *e)
{
    char record[CRM_ID_LEN];
    struct err why = {0};
    struct crm_target target;
    bool fits = true;
    crm_id_format(t, id, record);
    b->looked++;
    int rc = b->seg ? crm_target_exact(in->ctx, t, id, &target, &why)
                    : crm_target_of(in->ctx, t, id, &target, &why);
    if (rc == 0 && b->seg && broadcast_fits(in, b->all, b->seg, &target, &fits, e) < 0)
        return -1;
    if (rc == 0 && !fits)
        return 0;
    b->fit++;
    if (rc < 0 || enrol_may_begin(in, sequence_name(b->q), &target, b->again, &why) < 0)
        return begin_refused(b, record, &why, e);
    if (!b->only_try)
        return begin_run(b, record, e);
    b->begun++;
    if (!sequence_several(b->q))
        json_array_append_new(b->contacts, json_pack("[s, I]", record, (json_int_t)target.contact));
    return 0;
}

/* ---- which ------------------------------------------------------------------------------- */

static int begin_where(struct begin *b, const char *text, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    AUTO_JSON json_t *defs = json_pack("{s:{s:s, s:s, s:[{s:s, s:s, s:i}]}}", "condition", "over",
                                       sequence_on(b->q), "at", "--where", "when", "text", text, "at",
                                       "--where", "col", 1);
    b->all = b->made = defs ? crm_segments_then(b->c->eng->crm, defs, &errors) : NULL;
    b->seg = b->made ? segments_get(b->made, 0) : NULL;
    if (b->seg)
        return 0;
    struct buf why AUTO_BUF;
    buf_init(&why, KIB(4));
    errlist_print(&errors, &why);
    return err_set(e, ERR_INPUT, "%s", why.data ? why.data : "--where: not UTF-8");
}

static int begin_segment(struct begin *b, const char *name, struct err *e)
{
    b->all = crm_segments(b->c->eng->crm);
    b->seg = segments_find(b->all, name);
    if (!b->seg)
        return err_set(e, ERR_INPUT, "there is no segment \"%s\"; leadctl segment list tells which there "
                       "are", name);
    return strcmp(b->seg->over, sequence_on(b->q)) == 0
               ? 0 : err_set(e, ERR_INPUT, "the segment %s is of %ss, and the sequence %s is for a %s", name,
                             b->seg->over, sequence_name(b->q), sequence_on(b->q));
}

static int begin_walk(struct begin *b, struct input *in, struct err *e)
{
    struct ctl *c = b->c;
    const char *after = ctl_option(c, "after"), *to = ctl_option(c, "to");
    size_t i;
    json_t *id;
    if ((after && text_parse_int(after, &b->at) < 0) || (to && text_parse_int(to, &b->to) < 0))
        return err_set(e, ERR_INPUT, "after, to: expected numbers");
    if (!to && schedule_last_id(c->eng->db, sequence_on(b->q), &b->to, e) < 0)
        return -1;
    AUTO_JSON json_t *ids = schedule_ids(c->eng->db, sequence_on(b->q), b->at, b->to,
                                         BOUND_BEGIN_SLICE, e);
    if (!ids)
        return -1;
    json_array_foreach(ids, i, id) {
        b->at = json_integer_value(id);
        if (begin_one(b, in, crm_entity_parse(sequence_on(b->q)), b->at, e) < 0)
            return -1;
    }
    if (i == 0)
        b->at = b->to;
    return 0;
}

static int begin_list(struct begin *b, struct input *in, struct err *e)
{
    for (int i = 3; i < b->c->argc; i++) {
        enum crm_entity t;
        int64_t id;
        if (strchr(b->c->argv[i], '='))
            continue;
        if (crm_id_parse(b->c->argv[i], &t, &id) < 0)
            return err_set(e, ERR_INPUT, "\"%s\" is no record; expected an id such as L42", b->c->argv[i]);
        if (begin_one(b, in, t, id, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the request ------------------------------------------------------------------------------ */

static json_t *begin_slice(struct begin *b, struct err *e)
{
    struct input in;
    input_begin(&in, b->c->eng, mem_str("sequence begin"), mem_str("sequence begin"));
    b->rows = json_array();
    b->contacts = json_array();
    int rc = b->seg ? begin_walk(b, &in, e) : begin_list(b, &in, e);
    input_end(&in);
    if (rc == 0)
        return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "begun", (json_int_t)b->begun, "looked",
                         (json_int_t)b->looked, "fit", (json_int_t)b->fit, "at", (json_int_t)b->at, "to",
                         (json_int_t)b->to, "contacts", b->contacts, "rows", b->rows);
    json_decref(b->rows);
    json_decref(b->contacts);
    return NULL;
}

json_t *ctl_begin(struct ctl *c, struct sequence *q, struct err *e)
{
    struct begin b = {.c = c, .q = q, .only_try = ctl_option(c, "try"), .again = ctl_option(c, "again")};
    const char *where = ctl_option(c, "where"), *segment = ctl_option(c, "segment");
    json_t *data = NULL;
    if ((!where || begin_where(&b, where, e) == 0) && (!segment || begin_segment(&b, segment, e) == 0))
        data = begin_slice(&b, e);
    segments_free(&b.made);
    return data;
}
