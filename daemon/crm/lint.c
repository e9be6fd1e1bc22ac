/* SPDX-License-Identifier: ISC
 *
 * lint - the findings about a whole config, see lint.h
 */
#include "crm/lint.h"

#include <string.h>

#include "base/mem.h"
#include "crm/assign.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/country.h"
#include "crm/ctx.h"
#include "crm/fields.h"

static void lint_effect_of(void *arg, const char *on, const char *command, struct lint_effect *out)
{
    crm_effect(arg, on, command, out);
}

static bool lint_moves(void *arg, int field)
{
    const struct crm *crm = arg;
    const struct crm_field *f = crm_fieldset_get(crm->fieldset, field);
    return f && (f->read == crm_read_age || strcmp(f->name, "now") == 0);
}

static bool lint_among(const json_t *all, const char *what, const char *text, char *why, size_t n)
{
    struct err e = {0};
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)all, name, v) {
        (void)v;
        if (rule_fold_equal(name, text))
            return false;
    }
    if (cmd_known(all, what, text, &e) == 0)
        return false;
    snprintf(why, n, "there is %s", e.text);
    return true;
}

/* Of fields whose values come from the config, or are brought into one form. */
static bool lint_never(void *arg, int field, const char *text, char *why, size_t n)
{
    const struct crm *crm = arg;
    const struct crm_field *f = crm_fieldset_get(crm->fieldset, field);
    size_t len = f ? strlen(f->name) : 0;
    char code[3];
    if (!f || !*text)
        return false;
    if (!strcmp(f->name, "owner.id") || (len > 6 && !strcmp(f->name + len - 6, ".owner")))
        return lint_among(crm->users, "user", text, why, n);
    if (!strcmp(f->name, "owner.team"))
        return lint_among(crm->teams, "team", text, why, n);
    bool country = !strcmp(f->name, "contact.country") || !strcmp(f->name, "company.country");
    if (!country || crm_country_code(crm, text, code) < 0 || rule_fold_equal(code, text))
        return false;
    snprintf(why, n, "countries are codes of two letters: write '%s'", code);
    return true;
}

/* ---- every command line ------------------------------------------------------------- */

struct lines {
    crm_lint_line each;
    void *arg;
    const char *what, *name;
};

static void lines_of(const struct lines *l, const char *name, const json_t *list)
{
    size_t i;
    json_t *line;
    json_array_foreach((json_t *)list, i, line)
        l->each(l->arg, l->what, name, line);
}

static void lines_of_steps(const struct lines *l, const char *prefix, const json_t *steps)
{
    static const char *const parts[] = {"then", "else"};
    size_t i, k;
    json_t *step, *variant;
    json_array_foreach((json_t *)steps, i, step) {
        AUTO_FREE char *name = mem_printf("%s%zu", prefix, i + 1);
        AUTO_JSON json_t *list = sequence_step_lines(step);
        lines_of(l, name, list);
        for (k = 0; k < ARRAY_LEN(parts); k++) {
            AUTO_FREE char *inner = mem_printf("%s.%s.", name, parts[k]);
            lines_of_steps(l, inner, json_get_arr(step, parts[k]));
        }
        json_array_foreach(json_get_arr(step, "variants"), k, variant) {
            AUTO_FREE char *inner = mem_printf("%s.%zu.", name, k + 1);
            lines_of_steps(l, inner, json_get_arr(variant, "steps"));
        }
    }
}

void crm_lint_lines(const json_t *tree, crm_lint_line each, void *arg)
{
    struct lines l = {each, arg, "rule", NULL};
    const char *name;
    const json_t *v, *level;
    size_t i;
    json_array_foreach(json_get_arr(tree, "rules"), i, v)
        lines_of(&l, json_get_str(v, "name", "?"), json_get_arr(v, "do"));
    l.what = "escalation";
    json_object_foreach(json_get_obj(tree, "escalations"), name, v)
        json_array_foreach(json_get_arr(v, "levels"), i, level)
            lines_of(&l, name, json_get_arr(level, "do"));
    l.what = "sequence";
    json_object_foreach(json_get_obj(tree, "sequences"), name, v) {
        AUTO_FREE char *prefix = mem_printf("%s/", name);
        lines_of_steps(&l, prefix, json_get_arr(v, "steps"));
    }
}

/* ---- all of it ------------------------------------------------------------------------ */

json_t *crm_lint(const json_t *config_tree, int64_t now_ms)
{
    static const char *const answered[] = {"lead.contacted", "lead.contacted_at", "lead.first_out",
                                           "lead.last_out",  "case.answered",     "message.answer",
                                           NULL};
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    struct crm *crm = crm_build(NULL, config_tree, &errors);
    json_t *found = json_array();
    if (errlist_total(&errors) == 0) {
        struct lint_env env = {.fields = crm_fieldset_rules(crm->fieldset),
                               .now_ms = now_ms,
                               .effect = lint_effect_of,
                               .moves = lint_moves,
                               .never = lint_never,
                               .arg = crm,
                               .answered = answered};
        json_decref(found);
        found = rule_lint(crm->rules, &env);
        crm_lint_unused(config_tree, found);
        crm_lint_words(crm, config_tree, found);
        crm_lint_sms(crm, config_tree, found);
        crm_lint_begins(crm, config_tree, found);
        for (size_t i = 0; crm_sequence_at(crm, i); i++)
            rule_lint_sequence(crm_sequence_at(crm, i), &env, found);
        crm_lint_templates(crm, config_tree, found);
        territories_lint(crm->territories, found);
    }
    crm_free(&crm);
    return rule_lint_sorted(found);
}
