/* SPDX-License-Identifier: ISC
 *
 * lint - the findings about a whole config, see lint.h
 */
#include "crm/lint.h"

#include <string.h>

#include "base/mem.h"
#include "crm/build.h"
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
                               .arg = crm,
                               .answered = answered};
        json_decref(found);
        found = rule_lint(crm->rules, &env);
        crm_lint_unused(config_tree, found);
    }
    crm_free(&crm);
    return rule_lint_sorted(found);
}
