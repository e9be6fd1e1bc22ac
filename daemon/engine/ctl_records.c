/* SPDX-License-Identifier: ISC
 *
 * ctl_records - list, pools, show, timeline, do, undo
 */
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "engine/ctl.h"
#include "engine/input.h"
#include "store/journal.h"

static int record_of(const char *s, enum crm_entity *t, int64_t *id, struct err *e)
{
    if (crm_id_parse(s, t, id) == 0)
        return 0;
    return err_set(e, ERR_INPUT, "\"%s\" is no record; expected an id such as L42, C7, D3 or K12", s);
}

json_t *ctl_list(struct ctl *c, struct err *e)
{
    json_t *out = NULL;
    enum crm_entity t = crm_entity_parse(c->argv[1]);
    if (t == CRM_NONE) {
        if (crm_list_names(c->eng->crm, c->argv[1], &out, e) < 0 && e->cls == ERR_INPUT)
            err_set(e, ERR_INPUT, "cannot list \"%s\"; expected leads, contacts, companies, "
                    "deals, cases, activities, tasks, users, fields, events or commands",
                    c->argv[1]);
        return out;
    }
    AUTO_JSON json_t *filters = json_array();
    if (ctl_options_check(c, 2, NULL, e) < 0)
        return NULL;
    for (int i = 2; i < c->argc; i++)
        if (strncmp(c->argv[i], "limit=", 6) != 0)
            json_array_append_new(filters, json_string(c->argv[i]));
    return crm_list(c->eng->crm, t, filters, ctl_limit(c), &out, e) < 0 ? NULL : out;
}

json_t *ctl_pools(struct ctl *c, struct err *e)
{
    json_t *rows = json_array();
    const char *pool = c->argc > 1 ? c->argv[1] : NULL;
    if (crm_pools_list(c->eng->crm, pool, clock_now_ms(), rows, e) < 0) {
        json_decref(rows);
        return NULL;
    }
    return ctl_table(rows, "pool POOL|by BY|user USER|weight WEIGHT|open OPEN|today TODAY|now NOW");
}

json_t *ctl_show(struct ctl *c, struct err *e)
{
    json_t *out = NULL;
    enum crm_entity t;
    int64_t id;
    bool raw = c->argc > 2;
    if (raw && strcmp(c->argv[2], "raw") != 0) {
        err_set(e, ERR_INPUT, "show %s %s: expected nothing more, or raw", c->argv[1], c->argv[2]);
        return NULL;
    }
    if ((c->argv[1][0] | 0x20) == 'm' && text_parse_int(c->argv[1] + 1, &id) == 0)
        return ctl_message_show(c, id, raw, e);
    if (record_of(c->argv[1], &t, &id, e) < 0)
        return NULL;
    if (raw) {
        err_set(e, ERR_INPUT, "show %s raw: only a message such as M12 has raw bytes", c->argv[1]);
        return NULL;
    }
    if (crm_show(c->eng->crm, t, id, &out, e) < 0)
        return NULL;
    if (ctl_timers_show(c->eng, t, id, out, e) == 0 &&
        ctl_sequence_show(c->eng, t, id, out, e) == 0)
        return out;
    json_decref(out);
    return NULL;
}

json_t *ctl_timeline(struct ctl *c, struct err *e)
{
    json_t *out = NULL;
    enum crm_entity t;
    int64_t id;
    if (record_of(c->argv[1], &t, &id, e) < 0 || ctl_options_check(c, 2, "limit", e) < 0)
        return NULL;
    if (crm_timeline(c->eng->crm, t, id, ctl_limit(c), &out, e) < 0)
        return NULL;
    if (ctl_timers_timeline(c->eng, t, id, out, e) == 0)
        return out;
    json_decref(out);
    return NULL;
}

/* What a person asks for twice is meant twice: each request is its own intent. */
static char *ctl_intent(void)
{
    unsigned char b[10];
    char text[17];
    hash_random(b, sizeof(b));
    text_base32(b, sizeof(b), text);
    return mem_printf("ctl-%s", text);
}

int ctl_run_line(struct engine *eng, const char *record, const char *line,
                 const struct crm_actor *actor, struct crm_result *res, struct err *e)
{
    struct input in;
    enum crm_entity t = CRM_NONE;
    int64_t id = 0;
    if (*record && record_of(record, &t, &id, e) < 0)
        return -1;
    input_begin(&in, eng, mem_printf("%s: %s%s%s", actor->name, record, *record ? " " : "", line),
                ctl_intent());
    int rc = t == CRM_NONE ? 0 : crm_target_of(in.ctx, t, id, &in.target, e);
    if (rc == 0)
        rc = crm_command_run(in.ctx, &in.target, line, actor, res, e);
    if (rc == 0 && t == CRM_NONE)
        in.target = res->target; /* what it made */
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

static json_t *run_line(struct ctl *c, const char *record, const char *line, struct err *e)
{
    struct crm_result res = {0};
    struct crm_actor actor = {.kind = CRM_BY_OPERATOR, .name = c->user};
    if (ctl_run_line(c->eng, record, line, &actor, &res, e) < 0)
        return NULL;
    return ctl_text("%s", res.text);
}

static json_t *run_words(struct ctl *c, const char *record, int first, struct err *e)
{
    struct buf line AUTO_BUF;
    buf_init(&line, 64 * 1024);
    for (int i = first; i < c->argc; i++)
        buf_printf(&line, "%s%s", i > first ? " " : "", c->argv[i]);
    return run_line(c, record, line.data, e);
}

json_t *ctl_do(struct ctl *c, struct err *e)
{
    return run_words(c, c->argv[1], 2, e);
}

json_t *ctl_absence(struct ctl *c, struct err *e)
{
    return run_words(c, "", 0, e);
}

json_t *ctl_merge(struct ctl *c, struct err *e)
{
    AUTO_FREE char *line = mem_printf("merge %s", c->argv[2]);
    return run_line(c, c->argv[1], line, e);
}

json_t *ctl_duplicates(struct ctl *c, struct err *e)
{
    json_t *rows = json_array();
    enum crm_entity t = CRM_NONE;
    int first = c->argc > 1 && !strchr(c->argv[1], '=') ? 2 : 1;
    bool all = first == 1;
    if (!all)
        t = crm_entity_parse(c->argv[1]);
    if (!all && t != CRM_CONTACT && t != CRM_LEAD && t != CRM_COMPANY && t != CRM_CASE)
        err_set(e, ERR_INPUT, "duplicates: \"%s\" is not known; expected contacts, companies, leads or cases",
                c->argv[1]);
    else if (ctl_options_check(c, first, "limit", e) == 0 &&
             (!all ? crm_duplicates(c->eng->crm, t, ctl_limit(c), rows, e) == 0
                   : crm_duplicates(c->eng->crm, CRM_CONTACT, ctl_limit(c), rows, e) == 0 &&
                         crm_duplicates(c->eng->crm, CRM_COMPANY, ctl_limit(c), rows, e) == 0 &&
                         crm_duplicates(c->eng->crm, CRM_LEAD, ctl_limit(c), rows, e) == 0 &&
                         crm_duplicates(c->eng->crm, CRM_CASE, ctl_limit(c), rows, e) == 0))
        return ctl_table(rows, "id ID|name NAME|other OTHER|other_name NAME|why WHY|merge MERGE");
    json_decref(rows);
    return NULL;
}

/* "J17": the record that the entry is about; empty when it is of none, as an absence. */
static int entry_record(struct ctl *c, int64_t entry, char out[CRM_ID_LEN], struct err *e)
{
    static const struct {
        const char *key;
        enum crm_entity t;
    } of[] = {{"lead_id", CRM_LEAD}, {"case_id", CRM_CASE}, {"contact_id", CRM_CONTACT}};
    AUTO_JSON json_t *row = journal_get(c->eng->db, entry, e);
    if (!row)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        int64_t id = json_get_int(row, of[i].key, 0);
        if (id) {
            crm_id_format(of[i].t, id, out);
            return 0;
        }
    }
    out[0] = '\0';
    return 0;
}

json_t *ctl_undo(struct ctl *c, struct err *e)
{
    int64_t entry;
    char record[CRM_ID_LEN];
    if (c->argc == 2 && (c->argv[1][0] | 0x20) == 'j' && text_parse_int(c->argv[1] + 1, &entry) == 0) {
        AUTO_FREE char *of_entry = mem_printf("undo %s", c->argv[1]);
        return entry_record(c, entry, record, e) < 0 ? NULL : run_line(c, record, of_entry, e);
    }
    AUTO_FREE char *line =
        c->argc > 2 ? mem_printf("undo %s", c->argv[2]) : mem_str("undo");
    return run_line(c, c->argv[1], line, e);
}
