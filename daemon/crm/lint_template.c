/* SPDX-License-Identifier: ISC
 *
 * lint_template - templates that would leave somebody out
 *
 * Looks at those that go to leads and customers: what of a mail may be missing for some
 * record (rule/template.h), and which languages are spoken elsewhere and not here.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/lint.h"
#include "crm/templates.h"
#include "rule/template.h"

struct lint_template {
    const struct crm *crm;
    json_t *found; /* borrowed */
};

static void template_found(void *arg, const char *at, const char *kind, const char *text,
                           const char *advice)
{
    const struct lint_template *l = arg;
    json_t *f = json_object();
    json_put_str(f, "at", at);
    json_put_str(f, "finding", kind);
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_array_append_new(l->found, f);
}

/* What every record has that mail is sent about: numbers, times of birth, the address
 * that the mail goes to, and an owner, who is given one at the end of each input. */
static bool field_is_set(void *arg, int field)
{
    static const char *const always[] = {
        "lead.status", "lead.source", "case.status", "case.priority", "case.source",
        "contact.email", "contact.domain", "owner.name", "owner.email", "our.company",
        "our.address", "actor", "actor.name", "actor.kind", "now", "unsubscribe_url"};
    const struct lint_template *l = arg;
    const struct crm_field *f = crm_fieldset_get(l->crm->fieldset, field);
    const char *dot = f ? strrchr(f->name, '.') : NULL;
    if (dot && (strcmp(dot, ".id") == 0 || strcmp(dot, ".created") == 0))
        return true;
    for (size_t i = 0; f && i < ARRAY_LEN(always); i++)
        if (strcmp(f->name, always[i]) == 0)
            return true;
    return false;
}

/* Languages that contacts are known to have: of the other templates, and of forms. */
static json_t *languages_spoken(const struct crm *crm)
{
    const char *name, *lang;
    const json_t *v;
    json_t *spoken = json_object();
    json_object_foreach((json_t *)crm->templates_cfg, name, v)
        if ((lang = json_get_str(v, "lang", NULL)) != NULL && name[0] != '_')
            json_put_str(spoken, lang, json_get_str(v, "path", ""));
    if (json_object_size(spoken))
        json_object_foreach((json_t *)crm->forms, name, v)
            if ((lang = json_get_str(v, "lang", NULL)) != NULL)
                json_put_str(spoken, lang, json_get_str(v, "at", ""));
    return spoken;
}

static void template_languages(struct lint_template *l, const char *name, const json_t *def,
                               const json_t *spoken)
{
    const char *lang;
    json_t *where;
    json_object_foreach((json_t *)spoken, lang, where) {
        AUTO_FREE char *base = mem_strn(lang, strcspn(lang, "-"));
        bool country = strchr(lang, '-') != NULL;
        if (crm_template_speaks(l->crm, name, lang) || (country && json_object_get(spoken, base)))
            continue; /* told of the language alone */
        AUTO_FREE char *at = mem_printf("%s:1", json_get_str(def, "path", "?"));
        AUTO_FREE char *text = mem_printf("%s is sent, and has no %s.%s.txt; that language is spoken at %s",
                                          name, name, lang, json_string_value(where));
        const char *own = crm_setting(l->crm, "language", NULL);
        AUTO_FREE char *advice =
            own ? mem_printf("write it; until then its readers get %s.txt, which is in %s", name, own)
                : mem_str("write it; or name the language of the files without one: language in leadd.conf");
        template_found(l, at, "language", text, advice);
    }
}

void crm_lint_templates(const struct crm *crm, const json_t *tree, json_t *found)
{
    struct lint_template l = {crm, found};
    const char *name;
    const json_t *def;
    AUTO_JSON json_t *spoken = languages_spoken(crm);
    json_object_foreach((json_t *)crm->templates_cfg, name, def) {
        const json_t *at = json_object_get(crm->template_index, name);
        const char *of = json_get_str(def, "of", name);
        if (name[0] == '_' || !at || !crm_template_is_sent(tree, of))
            continue;
        template_check(crm->templates[json_integer_value(at)], field_is_set, template_found, &l);
        if (of == name)
            template_languages(&l, name, def, spoken);
    }
}
