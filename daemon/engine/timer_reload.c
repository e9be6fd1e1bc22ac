/* SPDX-License-Identifier: ISC
 *
 * timer_reload - timers of rules that are not there any more, or wait no longer
 *
 * After a start with another rule set all timers are gone through once, a slice in each
 * pass. meta keeps for which rule set that is done ("timers"), so an engine that ends
 * halfway begins again, and one that starts with the same rules looks at nothing. Timers
 * of rules that are still there keep their time, whatever has changed in the rule.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/timer.h"
#include "store/journal.h"

#define RELOAD_SLICE 500

/* The journal row of a lead (case, contact) says it where `why` looks. */
static int reload_cancel(struct engine *eng, const json_t *row, bool there, struct err *e)
{
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN] = "";
    struct timer_key k = timer_key_of(row);
    enum crm_entity t = *k.entity ? crm_entity_parse(k.entity) : CRM_NONE;
    if (timer_remove(eng, &k, e) < 0)
        return -1;
    engine_count(eng, "timers_cancelled", 1);
    if (t == CRM_NONE)
        return 0;
    crm_id_format(t, k.record_id, id);
    input_begin(&in, eng, mem_str("rules were reloaded"), mem_printf("R/%s/%s", k.rule, id));
    int rc = crm_target_exact(in.ctx, t, k.record_id, &in.target, &gone);
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0;
    else if (rc < 0)
        *e = gone;
    input_note(&in, "timer of %s %s cancelled: %s", k.kind, k.rule,
               there ? "it does not wait any more" : "it is not in the rules any more");
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

static bool in_set(const json_t *set, const char *name, const json_t **rule_out)
{
    size_t i;
    const json_t *r;
    json_array_foreach(json_get_arr(json_get_obj(set, "body"), "rules"), i, r)
        if (strcmp(json_get_str(r, "name", ""), name) == 0) {
            *rule_out = r;
            return true;
        }
    return false;
}

static bool same_lines(const json_t *was, const char *key, const struct rule_line *now, size_t n)
{
    const json_t *list = json_get_arr(was, key);
    if (json_array_size(list) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(json_get_str(json_array_get(list, i), "text", ""), now[i].text) != 0)
            return false;
    return true;
}

/* A rule of the new set that says what the old one said under another name. */
static const struct rule *renamed_to(const struct ruleset *rs, const json_t *old_set,
                                     const json_t *was)
{
    const json_t *same_name;
    for (size_t i = 0; i < ruleset_count(rs); i++) {
        const struct rule *r = ruleset_rule(rs, i);
        if (r->timed && !in_set(old_set, r->name, &same_name) &&
            same_lines(was, "when", r->when, r->when_count) &&
            same_lines(was, "do", r->commands, r->command_count))
            return r;
    }
    return NULL;
}

/* One line in the log for each rule that is concerned. */
static void reload_told(struct engine *eng, json_t *told, const struct timer_key *k, bool there,
                        struct err *e)
{
    const json_t *was;
    const struct rule *now = NULL;
    if (json_object_get(told, k->rule))
        return;
    json_object_set_new(told, k->rule, json_true());
    AUTO_JSON json_t *old =
        eng->timers.old_ruleset ? ruleset_load(eng->db, eng->timers.old_ruleset, e) : NULL;
    if (!there && old && in_set(old, k->rule, &was))
        now = renamed_to(crm_rules(eng->crm), old, was);
    log_warn("timers.rule_gone", "%s=%s why=\"%s\"%s%s%s%s%s next=\"its timers are cancelled\"",
             k->kind, k->rule, there ? "waits no longer" : "not in the rules any more",
             now ? " renamed=\"perhaps to " : "", now ? now->name : "", now ? " (" : "",
             now ? now->at : "", now ? ")\"" : "");
}

static int reload_slice(struct engine *eng, struct item *it, size_t *rows_out, struct err *e)
{
    size_t i;
    json_t *row, *last = json_get_obj(it->frame.json, "after");
    struct timer_key after = timer_key_of(last);
    AUTO_JSON json_t *rows = timer_walk(eng->db, last ? &after : NULL, RELOAD_SLICE, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        struct timer_key k = timer_key_of(row);
        const struct timer_kind *kind = timer_kind_find(k.kind);
        if (kind && (!kind->known || kind->known(crm_rules(eng->crm), k.rule)))
            continue;
        bool there = ruleset_find(crm_rules(eng->crm), k.rule) != NULL;
        reload_told(eng, json_get_obj(it->frame.json, "told"), &k, there, e);
        if (reload_cancel(eng, row, there, e) < 0)
            return -1;
    }
    *rows_out = i;
    if (i > 0)
        json_object_set(it->frame.json, "after", json_array_get(rows, i - 1));
    return 0;
}

int timers_reload_item(struct engine *eng, struct item *it, struct err *e)
{
    size_t rows = 0;
    if (reload_slice(eng, it, &rows, e) < 0)
        return -1;
    if (rows == RELOAD_SLICE) {
        struct item *next = item_new(ITEM_TIMERS_RELOAD, NULL);
        next->frame.json = json_deep_copy(it->frame.json);
        engine_queue(eng, next);
        return 0;
    }
    return timer_ruleset_keep(eng->db, eng->ruleset_id, e);
}

int timers_reload_start(struct engine *eng, struct err *e)
{
    if (timer_ruleset_kept(eng->db, &eng->timers.old_ruleset, e) < 0)
        return -1;
    if (eng->timers.old_ruleset == eng->ruleset_id)
        return 0;
    struct item *it = item_new(ITEM_TIMERS_RELOAD, NULL);
    it->frame.json = json_pack("{s:{}}", "told");
    engine_queue(eng, it);
    return 0;
}
