/* SPDX-License-Identifier: ISC
 *
 * ctl_timers - what is still to come: leadctl timers, and the timers that show,
 * timeline and why tell beside what has been
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/timer.h"

static json_t *timer_cells(struct engine *eng, const json_t *row)
{
    char due[32] = "", since[32], id[CRM_ID_LEN] = "", what[256] = "";
    const char *entity = json_get_str(row, "entity", "");
    const struct timer_kind *kind = timer_kind_find(json_get_str(row, "kind", ""));
    int64_t due_ms = json_get_int(row, "due_ms", 0);
    if (*entity)
        crm_id_format(crm_entity_parse(entity), json_get_int(row, "record_id", 0), id);
    if (due_ms)
        clock_format_utc(due_ms, due, sizeof(due));
    if (kind)
        kind->tell(crm_rules(eng->crm), row, what, sizeof(what));
    if (!due_ms)
        snprintf(due, sizeof(due), "%s", json_get_int(row, "left_ms", 0) ? "paused" : "never");
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "due", due, "record", id,
                     "kind", json_get_str(row, "kind", ""), "rule", json_get_str(row, "rule", ""),
                     "what", what, "since",
                     clock_format_utc(json_get_int(row, "since_ms", 0), since, sizeof(since)));
}

static int due_order(const void *a, const void *b)
{
    return strcmp(json_get_str(*(json_t *const *)a, "due", ""),
                  json_get_str(*(json_t *const *)b, "due", ""));
}

static json_t *cells_sorted(struct engine *eng, const json_t *rows)
{
    size_t i, n = 0;
    json_t *row, *out = json_array();
    AUTO_FREE json_t **all = mem_array(json_array_size(rows) + 1, sizeof(json_t *));
    json_array_foreach((json_t *)rows, i, row) {
        const struct timer_kind *kind = timer_kind_find(json_get_str(row, "kind", ""));
        if (!kind || !kind->over || !kind->over(crm_rules(eng->crm), row))
            all[n++] = timer_cells(eng, row);
    }
    qsort(all, n, sizeof(json_t *), due_order);
    for (i = 0; i < n; i++)
        json_array_append_new(out, all[i]);
    return out;
}

/* Of a record and its tasks; of a contact also those of what else belongs to it. */
static json_t *record_rows(struct engine *eng, enum crm_entity t, int64_t id, struct err *e)
{
    json_t *rows = t == CRM_CONTACT ? timer_of_contact(eng->db, id, e)
                                    : timer_of_record(eng->db, crm_entity_name(t), id, e);
    AUTO_JSON json_t *tasks = rows ? timer_of_tasks(eng->db, crm_entity_name(t), id, e) : NULL;
    if (rows && !tasks)
        json_decref(rows);
    else if (rows)
        json_array_extend(rows, tasks);
    return tasks ? rows : NULL;
}

#define TIMER_COLUMNS "due DUE|record RECORD|kind KIND|rule RULE|what WHY|since SINCE"

json_t *ctl_timers_table(struct engine *eng, const json_t *rows)
{
    return ctl_table(cells_sorted(eng, rows), TIMER_COLUMNS);
}

json_t *ctl_timers(struct ctl *c, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    const char *rule = ctl_option(c, "rule");
    bool record = c->argc > 1 && !strchr(c->argv[1], '=');
    if (record && crm_id_parse(c->argv[1], &t, &id) < 0) {
        err_set(e, ERR_INPUT, "\"%s\" is no record; expected an id such as L42, or rule=NAME",
                c->argv[1]);
        return NULL;
    }
    if (ctl_options_check(c, record ? 2 : 1, "rule limit", e) < 0)
        return NULL;
    AUTO_JSON json_t *rows = record ? record_rows(c->eng, t, id, e)
                                    : timer_list(c->eng->db, rule, ctl_limit(c), e);
    if (!rows)
        return NULL;
    return ctl_timers_table(c->eng, rows);
}

json_t *ctl_timers_of(struct engine *eng, enum crm_entity t, int64_t id, struct err *e)
{
    if (!eng->timers.some)
        return json_array();
    AUTO_JSON json_t *rows = record_rows(eng, t, id, e);
    return rows ? cells_sorted(eng, rows) : NULL;
}

int ctl_timers_show(struct engine *eng, enum crm_entity t, int64_t id, json_t *shown,
                    struct err *e)
{
    json_t *rows = ctl_timers_of(eng, t, id, e);
    if (!rows)
        return -1;
    if (json_array_size(rows) > 0)
        json_array_append_new(json_get_arr(shown, "sections"),
                              ctl_section("Timers", rows, TIMER_COLUMNS));
    else
        json_decref(rows);
    return 0;
}

int ctl_timers_timeline(struct engine *eng, enum crm_entity t, int64_t id, json_t *timeline,
                        struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *rows = ctl_timers_of(eng, t, id, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        const char *rule = json_get_str(row, "rule", "");
        AUTO_FREE char *who = mem_printf("%s%s%s", json_get_str(row, "kind", ""),
                                         *rule ? " " : "", rule);
        AUTO_FREE char *text = mem_printf("to come: %s", json_get_str(row, "what", ""));
        json_array_append_new(json_get_arr(timeline, "rows"),
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "time",
                                        json_get_str(row, "due", ""), "id",
                                        json_get_str(row, "record", ""), "kind", "timer",
                                        "direction", "none", "who", who, "text", text));
    }
    return 0;
}

int ctl_timers_why(struct engine *eng, enum crm_entity t, int64_t id, struct buf *out,
                   struct err *e)
{
    size_t i;
    json_t *row;
    char when[40];
    AUTO_JSON json_t *rows = ctl_timers_of(eng, t, id, e);
    const char *zone = engine_setting(eng, "time_zone", "UTC");
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        const char *due = json_get_str(row, "due", ""),
                   *told = crm_when_retell(zone, due, true, when, sizeof(when));
        buf_printf(out, "%s  to come: %s %s on %s, %s\n", told ? told : due,
                   json_get_str(row, "kind", ""), json_get_str(row, "rule", ""),
                   json_get_str(row, "record", ""), json_get_str(row, "what", ""));
    }
    return 0;
}
