/* SPDX-License-Identifier: ISC
 *
 * expect_record - the record: its fields, tags and conditions (see expect_check.h)
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "rule/field.h"
#include "rule/ruleset.h"
#include "tool/expect_check.h"

/* The value for people, without the quotes of a text; out is empty when there is none. */
static void field_value(const struct check *c, const char *field, struct buf *out, bool *set_out)
{
    const struct rule_fields *fields = crm_fields(solo_crm(c->s->solo));
    int index = rule_fields_find(fields, field);
    struct rule_value v = {0};
    *set_out = false;
    if (index < 0 || !c->facts)
        return;
    const struct rule_facts *facts = crm_facts_rule(c->facts);
    facts->get(facts->now, index, &v);
    if (v.state != RULE_VALUE_SET)
        return;
    *set_out = true;
    if (rule_fields_get(fields, index)->type == RULE_TYPE_TEXT)
        buf_add(out, v.text.p, v.text.n);
    else
        rule_value_print(rule_fields_get(fields, index), &v, 1000, out);
}

static bool record_there(const struct check *c, const json_t *line, const char *what)
{
    if (c->facts)
        return true;
    AUTO_FREE char *expected = mem_printf("%s %s", what, line_text(line));
    expect_failed(c->failures, line_at(line), expected, "no record that it could be of", NULL);
    return false;
}

/* owner, status and stage: one text of the record. verb: the command that sets it. */
static void check_field(struct check *c, const char *key, const char *verb)
{
    const json_t *line = json_get_obj(c->expect, key);
    struct buf value AUTO_BUF;
    bool set;
    buf_init(&value, KIB(4));
    if (!line || !record_there(c, line, key))
        return;
    const char *entity = strcmp(key, "stage") == 0 ? "deal" : crm_entity_name(c->entity);
    AUTO_FREE char *field = mem_printf("%s.%s", entity, key);
    field_value(c, field, &value, &set);
    if (set && rule_fold_equal(value.data, line_text(line)))
        return;
    AUTO_FREE char *expected = mem_printf("%s of %s: %s", key, c->record, line_text(line));
    json_t *why = json_array();
    if (set)
        reason_change(c->s, expect_all(c), c->record, key, why);
    reason_command(c->s, expect_all(c), verb, line_text(line), why);
    expect_failed(c->failures, line_at(line), expected, set ? value.data : "none", why);
}

static bool has_tag(const struct check *c, const char *tag, struct buf *all)
{
    AUTO_FREE char *field = mem_printf("%s.tags", crm_entity_name(c->entity));
    const struct rule_fields *fields = crm_fields(solo_crm(c->s->solo));
    int index = rule_fields_find(fields, field);
    struct rule_value v = {0};
    bool found = false;
    const struct rule_facts *facts = crm_facts_rule(c->facts);
    if (index >= 0)
        facts->get(facts->now, index, &v);
    for (size_t i = 0; v.state == RULE_VALUE_SET && i < v.count; i++) {
        AUTO_FREE char *one = mem_strn(v.items[i].p, v.items[i].n);
        found |= rule_fold_equal(one, tag);
        buf_printf(all, "%s%s", i ? ", " : "", one);
    }
    if (all->len == 0)
        buf_str(all, "no tags");
    return found;
}

static void check_tags(struct check *c, const char *key, bool wanted)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(c->expect, key), i, line) {
        struct buf all AUTO_BUF;
        buf_init(&all, KIB(4));
        if (!record_there(c, line, "the tag") || has_tag(c, line_text(line), &all) == wanted)
            continue;
        AUTO_FREE char *expected = mem_printf("%s of %s: %s%s", wanted ? "tag" : "tags", c->record,
                                              wanted ? "" : "not ", line_text(line));
        json_t *why = json_array();
        reason_command(c->s, expect_all(c), "tag", line_text(line), why);
        expect_failed(c->failures, line_at(line), expected, all.data, why);
    }
}

static void ignore_error(void *arg, int col, const char *what)
{
    (void)arg;
    (void)col;
    (void)what; /* tests_check has told it */
}

static void check_condition(struct check *c, const json_t *line)
{
    const struct expr_env *env = ruleset_expr_env(crm_rules(solo_crm(c->s->solo)));
    const struct rule_facts *rf = crm_facts_rule(c->facts);
    struct expr *x = expr_compile(env, line_text(line), ignore_error, NULL);
    struct expr_facts *facts = expr_facts_new(env->fields, rf->get, rf->now);
    struct expr_trace trace;
    struct buf found AUTO_BUF;
    buf_init(&found, KIB(8));
    if (x && expr_explain(x, facts, &trace) != RULE_TRUE) {
        expr_trace_print(x, &trace, &found);
        const char *seen = strstr(found.data, " is false: ");
        bool whole = seen && strncmp(found.data, line_text(line), strlen(line_text(line))) == 0;
        expect_failed(c->failures, line_at(line), line_text(line),
                      whole ? seen + strlen(" is false: ") : found.data, NULL);
    }
    expr_facts_free(&facts);
    expr_free(&x);
}

static void check_conditions(struct check *c)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_get_arr(c->expect, "when"), i, line)
        if (record_there(c, line, "the condition"))
            check_condition(c, line);
}

void expect_record(struct check *c)
{
    check_field(c, "owner", "assign");
    check_field(c, "status", "status");
    check_field(c, "stage", "stage");
    check_tags(c, "tags", true);
    check_tags(c, "not_tags", false);
    check_conditions(c);
}
