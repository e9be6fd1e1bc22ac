/* SPDX-License-Identifier: ISC
 *
 * ctl_rules - what the daemon knows of its rules: coverage, history, a set of then
 *
 * The other subcommands of `leadctl rules` work on files and need no daemon.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/coverage.h"
#include "engine/ctl.h"
#include "rule/ruleset.h"
#include "store/activation.h"
#include "store/journal.h"
#include "store/rule_count.h"

/* ---- coverage ------------------------------------------------------------------ */

struct cover {
    struct ctl *c;
    bool never;        /* only rules that never matched */
    int64_t from_day;  /* 0: all that was counted */
    json_t *stored;    /* own; rule -> its row of rule_count_list */
    int64_t cpu_ns;    /* of all rules, for the share */
    int64_t shown, silent;
};

static int cover_since(struct cover *v, const char *text, struct err *e)
{
    int64_t ms;
    if (text_parse_duration(text, &ms) == 0)
        ms = clock_now_ms() - ms;
    else if (clock_parse_utc(text, &ms) < 0)
        return err_set(e, ERR_INPUT, "since=%s: expected a duration such as 30d, or a date such as "
                       "2026-11-01", text);
    v->from_day = ms < RULE_COUNT_DAY_MS ? 1 : ms / RULE_COUNT_DAY_MS;
    return 0;
}

static int cover_options(struct cover *v, struct err *e)
{
    for (int i = 2; i < v->c->argc; i++) {
        const char *arg = v->c->argv[i];
        arg += strncmp(arg, "--", 2) == 0 ? 2 : 0;
        if (strcmp(arg, "never") == 0)
            v->never = true;
        else if (strncmp(arg, "since=", 6) != 0)
            return err_set(e, ERR_INPUT, "rules coverage: \"%s\" is not known; expected --never, "
                           "--since=30d or --since=DATE", v->c->argv[i]);
        else if (cover_since(v, arg + 6, e) < 0)
            return -1;
    }
    return 0;
}

static int64_t sum_of(const json_t *row, const char *key, int64_t fresh)
{
    return json_get_int(row, key, 0) + fresh;
}

/* A rule's counts: what is stored, and what has come since. */
static struct rule_count cover_count(const struct cover *v, const char *name, size_t rule)
{
    static const struct rule_count none;
    const json_t *row = json_get_obj(v->stored, name);
    const struct rule_count *f = coverage_fresh(v->c->eng->coverage, rule);
    f = f ? f : &none;
    int64_t last = json_get_int(row, "last_ms", 0);
    return (struct rule_count){
        .evaluated = sum_of(row, "evaluated", f->evaluated),
        .matched = sum_of(row, "matched", f->matched),
        .fired = sum_of(row, "fired", f->fired),
        .refused = sum_of(row, "refused", f->refused),
        .cpu_ns = sum_of(row, "cpu_ns", f->cpu_ns),
        .last_ms = last > f->last_ms ? last : f->last_ms,
    };
}

static json_t *cover_row(const struct cover *v, const char *name, const struct rule_count *n,
                         const char *at)
{
    char last[32] = "never", cost[16] = "";
    if (n->last_ms)
        clock_format_utc(n->last_ms, last, sizeof(last));
    if (v->cpu_ns > 0)
        snprintf(cost, sizeof(cost), "%.1f %%", 100.0 * (double)n->cpu_ns / (double)v->cpu_ns);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:s}", "rule", name, "asked",
                     n->evaluated, "hits", n->matched, "fired", n->fired, "refused", n->refused,
                     "last_hit", last, "cost", cost, "cpu_ns", n->cpu_ns, "at", at ? at : "");
}

static json_t *cover_rules(struct cover *v)
{
    const struct ruleset *rs = crm_rules(v->c->eng->crm);
    json_t *rows = json_array();
    for (size_t i = 0; i < ruleset_count(rs); i++)
        v->cpu_ns += cover_count(v, ruleset_rule(rs, i)->name, i).cpu_ns;
    for (size_t i = 0; i < ruleset_count(rs); i++) {
        const struct rule *r = ruleset_rule(rs, i);
        struct rule_count n = cover_count(v, r->name, i);
        v->silent += n.matched == 0;
        if ((v->never && n.matched > 0) || v->shown >= CTL_LIMIT_MAX)
            continue;
        v->shown++;
        json_array_append_new(rows, cover_row(v, r->name, &n, r->at));
        json_object_del(v->stored, r->name);
    }
    return rows;
}

/* Where the rule of a set of then stood; borrowed from *set, which is loaded anew when
 * it is another one. */
static const char *at_then(struct db *db, json_t **set, int64_t *set_id, int64_t id,
                           const char *name)
{
    struct err e = {0};
    size_t i;
    json_t *r;
    if (id != *set_id) {
        json_decref(*set);
        *set = ruleset_load(db, id, &e); /* NULL: a set that was erased */
        *set_id = id;
    }
    json_array_foreach(json_get_arr(json_get_obj(*set, "body"), "rules"), i, r)
        if (strcmp(json_get_str(r, "name", ""), name) == 0)
            return json_get_str(r, "at", NULL);
    return NULL;
}

/* Counted once, and in no file of today. */
static json_t *cover_gone(struct cover *v)
{
    const struct ruleset *rs = crm_rules(v->c->eng->crm);
    json_t *rows = json_array(), *row, *set = NULL;
    int64_t set_id = 0;
    const char *name;
    json_object_foreach(v->stored, name, row) {
        if (ruleset_find(rs, name) || json_array_size(rows) >= CTL_LIMIT_MAX)
            continue;
        struct rule_count n = cover_count(v, name, SIZE_MAX);
        if (v->never && n.matched > 0)
            continue;
        const char *at = at_then(v->c->eng->db, &set, &set_id, json_get_int(row, "ruleset_id", 0),
                                 name);
        json_array_append_new(rows, cover_row(v, name, &n, at));
    }
    json_decref(set);
    return rows;
}

static json_t *cover_stored(struct db *db, int64_t from_day, struct err *e)
{
    size_t i;
    json_t *row;
    AUTO_JSON json_t *list = rule_count_list(db, from_day, e);
    json_t *by_name = list ? json_object() : NULL;
    json_array_foreach(list, i, row)
        json_object_set(by_name, json_get_str(row, "rule", ""), row);
    return by_name;
}

static int cover_head(const struct cover *v, json_t *fields, struct err *e)
{
    char since[32];
    int64_t first = 0;
    bool folded = false;
    if (rule_count_first(v->c->eng->db, &first, &folded, e) < 0)
        return -1;
    int64_t day = v->from_day > first || (v->from_day && folded) ? v->from_day : first;
    clock_format_utc(day * RULE_COUNT_DAY_MS, since, sizeof(since));
    since[10] = '\0'; /* a day, in UTC: no moment to be shown in a zone */
    AUTO_FREE char *told = day == 0 ? mem_str("now") : mem_printf("%s (UTC)%s", since,
        folded && !v->from_day ? ", with sums from before" : "");
    json_array_append_new(fields, json_pack("[s, s]", "counted since", told));
    json_array_append_new(fields, json_pack("[s, I]", "rules", (json_int_t)ruleset_count(
                                                                   crm_rules(v->c->eng->crm))));
    json_array_append_new(fields, json_pack("[s, I]", "never hit", (json_int_t)v->silent));
    return 0;
}

#define COVER_COLUMNS                                                                              \
    "rule RULE|asked ASKED|hits HITS|fired FIRED|refused REFUSED|last_hit LAST HIT|cost COST|at AT"

static json_t *rules_coverage(struct ctl *c, struct err *e)
{
    struct cover v = {.c = c};
    AUTO_JSON json_t *fields = json_array();
    if (cover_options(&v, e) < 0)
        return NULL;
    v.stored = cover_stored(c->eng->db, v.from_day, e);
    if (!v.stored)
        return NULL;
    json_t *data = ctl_table(cover_rules(&v), COVER_COLUMNS), *gone = cover_gone(&v);
    if (json_array_size(gone) > 0)
        json_object_set_new(data, "sections",
                            json_pack("[o]", ctl_section("Rules that are in no file any more", gone,
                                                         COVER_COLUMNS)));
    else
        json_decref(gone);
    if (cover_head(&v, fields, e) < 0) {
        json_decref(data);
        data = NULL;
    } else {
        json_object_set(data, "fields", fields);
    }
    json_decref(v.stored);
    return data;
}

/* ---- history ---------------------------------------------------------------------- */

static json_t *rules_history(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *a;
    if (ctl_options_check(c, 2, "limit", e) < 0)
        return NULL;
    AUTO_JSON json_t *list = activation_list(c->eng->db, ctl_limit(c), e);
    json_t *rows = list ? json_array() : NULL;
    json_array_foreach(list, i, a) {
        char at[32];
        const char *hash = json_get_str(a, "hash", "");
        clock_format_utc(json_get_int(a, "at_ms", 0), at, sizeof(at));
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:I, s:s, s:s%, s:s}", "at", at, "by",
                                        json_get_str(a, "actor", "?"), "rules",
                                        json_get_int(a, "rules", 0), "hash", hash, "set", hash,
                                        strlen(hash) < 12 ? strlen(hash) : 12, "in_force",
                                        i == 0 ? "now" : ""));
    }
    return rows ? ctl_table(rows, "at IN FORCE SINCE|by BY|rules RULES|set SET|in_force ") : NULL;
}

/* ---- one set, as it was ------------------------------------------------------------ */

/* Texts stand in the set as {"text", "at", "col"}. */
static void print_value(struct buf *out, const json_t *v)
{
    const char *key, *text = json_is_object(v) ? json_get_str(v, "text", NULL) : NULL;
    size_t i;
    json_t *item;
    if (text || json_is_string(v)) {
        AUTO_JSON json_t *s = json_string(text ? text : json_string_value(v));
        AUTO_FREE char *quoted = json_text(s);
        buf_str(out, quoted);
    } else if (json_is_array(v)) {
        item = json_array_get(v, 0); /* libconfig has groups in ( ), texts in [ ] */
        bool groups = json_is_object(item) && !json_get_str(item, "text", NULL);
        buf_str(out, groups ? "( " : "[ ");
        json_array_foreach((json_t *)v, i, item) {
            buf_str(out, i ? ", " : "");
            print_value(out, item);
        }
        buf_str(out, groups ? " )" : " ]");
    } else if (json_is_object(v)) {
        buf_str(out, "{ ");
        json_object_foreach((json_t *)v, key, item) {
            if (strcmp(key, "at") == 0 || strcmp(key, "col") == 0)
                continue;
            buf_printf(out, "%s = ", key);
            print_value(out, item);
            buf_str(out, "; ");
        }
        buf_char(out, '}');
    } else {
        AUTO_FREE char *plain = json_text(v);
        buf_str(out, plain);
    }
}

static void print_entry(struct buf *out, const char *name, const json_t *entry)
{
    const char *key;
    json_t *v;
    buf_printf(out, "  %s : {", name);
    if (json_get_str(entry, "at", NULL))
        buf_printf(out, "  # %s", json_get_str(entry, "at", ""));
    buf_char(out, '\n');
    json_object_foreach((json_t *)entry, key, v) {
        if (strcmp(key, "at") == 0 || strcmp(key, "name") == 0 || json_is_null(v))
            continue;
        buf_printf(out, "    %s = ", key);
        print_value(out, v);
        buf_str(out, ";\n");
    }
    buf_str(out, "  };\n");
}

static void print_set(struct buf *out, const json_t *body)
{
    const char *part, *name;
    json_t *group, *v;
    size_t i;
    json_object_foreach((json_t *)body, part, group) {
        if (json_is_string(group)) { /* of leadd.conf */
            buf_printf(out, "# %s = \"%s\"\n", part, json_string_value(group));
            continue;
        }
        buf_printf(out, "%s : {\n", part);
        if (json_is_array(group))
            json_array_foreach(group, i, v)
                print_entry(out, json_get_str(v, "name", "?"), v);
        else
            json_object_foreach(group, name, v)
                print_entry(out, name, v);
        buf_str(out, "};\n");
    }
}

static json_t *rules_show(struct ctl *c, struct err *e)
{
    struct buf out AUTO_BUF;
    char at[32];
    const char *prefix = c->argc > 2 ? c->argv[2] : "";
    buf_init(&out, BOUND_FRAME_JSON / 2);
    if (c->argc != 3 || strlen(prefix) < 4) {
        err_set(e, ERR_INPUT, "usage: leadctl rules show HASH: at least its first four characters; "
                "see leadctl rules history");
        return NULL;
    }
    AUTO_JSON json_t *set = ruleset_find_hash(c->eng->db, prefix, e);
    if (!set)
        return NULL;
    clock_format_utc(json_get_int(set, "at_ms", 0), at, sizeof(at));
    buf_printf(&out, "# rule set %s, first in force %s\n", json_get_str(set, "hash", ""), at);
    print_set(&out, json_get_obj(set, "body"));
    json_t *data = json_pack("{s:O}", "set", set);
    if (buf_ok(&out))
        json_object_set_new(data, "text", json_stringn(out.data, out.len));
    else
        json_put_str(data, "text", "the set is too large to be shown here: --json has it");
    return data;
}

json_t *ctl_rules(struct ctl *c, struct err *e)
{
    static const struct {
        const char *name;
        json_t *(*run)(struct ctl *c, struct err *e);
    } subs[] = {{"coverage", rules_coverage}, {"history", rules_history}, {"show", rules_show}};
    for (size_t i = 0; i < ARRAY_LEN(subs); i++)
        if (strcmp(subs[i].name, c->argv[1]) == 0)
            return subs[i].run(c, e);
    err_set(e, ERR_INPUT, "the daemon knows rules coverage, history and show, not \"%s\"",
            c->argv[1]);
    return NULL;
}
