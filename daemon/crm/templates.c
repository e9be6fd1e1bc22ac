/* SPDX-License-Identifier: ISC
 *
 * templates - see templates.h
 */
#include "crm/templates.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/language.h"
#include "rule/template.h"

#define SIGNATURE "_signature"

#define KEY_MAX 300 /* longer than the name of any file */

/* ---- languages ------------------------------------------------------------------------------ */

/* NAME in the language, then with the country left out. */
static bool key_spoken(const json_t *in, const char *name, const char *language, char key[KEY_MAX])
{
    const char *dash = language ? strchr(language, '-') : NULL;
    if (!language || !*language)
        return false;
    snprintf(key, KEY_MAX, "%s.%s", name, language);
    if (json_object_get(in, key))
        return true;
    if (!dash)
        return false;
    snprintf(key, KEY_MAX, "%s.%.*s", name, (int)(dash - language), language);
    return json_object_get(in, key) != NULL;
}

/* Of the names in the object the one that counts for the language; false: there is none. */
static bool key_find(const struct crm *crm, const json_t *in, const char *name,
                     const char *language, char key[KEY_MAX])
{
    if (crm->multilingual && (key_spoken(in, name, language, key) ||
                              key_spoken(in, name, crm_setting(crm, "language", NULL), key)))
        return true;
    snprintf(key, KEY_MAX, "%s", name);
    return json_object_get(in, key) != NULL;
}

const struct template *crm_template_in(const struct crm *crm, const char *name,
                                       const char *language)
{
    char key[KEY_MAX];
    if (!key_find(crm, crm->template_index, name, language, key))
        return NULL;
    return crm->templates[json_get_int(crm->template_index, key, 0)];
}

const json_t *crm_template_text(const struct crm *crm, const char *name, const char *language)
{
    char key[KEY_MAX];
    return key_find(crm, crm->templates_cfg, name, language, key)
               ? json_get_obj(crm->templates_cfg, key)
               : NULL;
}

const struct template *crm_template(const struct crm *crm, const char *name)
{
    return crm_template_in(crm, name, NULL);
}

/* Of the one without: that of the settings, or NULL. */
static const char *language_of(const struct crm *crm, const char *name)
{
    return json_get_str(json_get_obj(crm->templates_cfg, name), "lang",
                        crm_setting(crm, "language", NULL));
}

const char *crm_template_language(const struct crm *crm, const struct template *t,
                                  const char *reader)
{
    const char *own = language_of(crm, template_name(t));
    size_t n = own ? strcspn(own, "-") : 0;
    bool same = own && reader && strncmp(own, reader, n) == 0 && (!reader[n] || reader[n] == '-');
    return same ? reader : own; /* de-AT reads welcome.de, with Austrian dates */
}

bool crm_template_speaks(const struct crm *crm, const char *name, const char *language)
{
    char key[KEY_MAX];
    const char *own = crm_setting(crm, "language", NULL);
    return key_spoken(crm->templates_cfg, name, language, key) ||
           (own && strncmp(own, language, strcspn(own, "-")) == 0);
}

const struct template *crm_signature(const struct crm *crm, const char *user, const char *language)
{
    char name[KEY_MAX];
    const struct template *t = NULL;
    snprintf(name, sizeof(name), SIGNATURE "-%s", user ? user : "");
    if (user)
        t = crm_template_in(crm, name, language);
    return t ? t : crm_template_in(crm, SIGNATURE, language);
}

/* ---- building -------------------------------------------------------------------------------- */

struct building {
    struct crm *crm;
    const char *language; /* of the template that is compiled: its parts have it, too */
    struct errlist *errors;
};

static bool partial_find(void *arg, const char *name, const char **text_out, const char **path_out)
{
    const struct building *b = arg;
    char key[KEY_MAX];
    if (!key_find(b->crm, b->crm->templates_cfg, name, b->language, key))
        return false;
    const json_t *t = json_get_obj(b->crm->templates_cfg, key);
    *text_out = json_get_str(t, "text", NULL);
    *path_out = json_get_str(t, "path", name);
    return *text_out != NULL;
}

static void build_one(struct building *b, const char *key, const char *text, const char *path)
{
    struct crm *crm = b->crm;
    b->language = language_of(crm, key);
    struct template *t = template_compile(key, text, path, crm_fieldset_rules(crm->fieldset),
                                          partial_find, b, b->errors);
    if (!t)
        return;
    if (template_list(t) && !crm_mail_list(crm, template_list(t)))
        errlist_add(b->errors, path, "there is no list \"%s\"; define it in lists of leadd.conf",
                    template_list(t));
    if (template_track_clicks(t) &&
        !json_get_str(json_get_obj(crm->config, "web"), "in_url", NULL))
        errlist_add(b->errors, path, "Track-Clicks needs in_url of web in leadd.conf: where its links lead");
    json_put_int(crm->template_index, key, (int64_t)crm->template_count);
    crm->templates[crm->template_count++] = t;
}

/* One language of a template: of one that is there, and of the same list and sender. */
static void check_variant(const struct building *b, const char *key, const json_t *def)
{
    char code[CRM_LANGUAGE_MAX];
    const char *path = json_get_str(def, "path", key), *lang = json_get_str(def, "lang", NULL),
               *of = json_get_str(def, "of", "");
    const json_t *at = json_object_get(b->crm->template_index, key),
                 *whole_at = json_object_get(b->crm->template_index, of);
    if (!lang)
        return;
    if (crm_language_code(b->crm, lang, code) < 0 || strcmp(code, lang) != 0)
        errlist_add(b->errors, path, "%s is no language; a code such as de or de-AT stands before .txt",
                    lang);
    if (!json_get_obj(b->crm->templates_cfg, of))
        errlist_add(b->errors, path, "there is no %s.txt, which all get whose language has no file", of);
    if (!at || !whole_at)
        return;
    const struct template *t = b->crm->templates[json_integer_value(at)],
                          *whole = b->crm->templates[json_integer_value(whole_at)];
    const char *list = template_list(t), *list_whole = template_list(whole);
    if (list != list_whole && (!list || !list_whole || strcmp(list, list_whole) != 0))
        errlist_add(b->errors, path, "List is %s here, and %s in %s", list ? list : "not there",
                    list_whole ? list_whole : "not there", of);
    if (template_track_clicks(t) != template_track_clicks(whole))
        errlist_add(b->errors, path, "Track-Clicks is not the same here and in %s", of);
    if (template_from_owner(t) != template_from_owner(whole))
        errlist_add(b->errors, path, "From is the %s here, and the %s in %s",
                    template_from_owner(t) ? "owner" : "company",
                    template_from_owner(whole) ? "owner" : "company", of);
}

static void check_signature(const struct building *b, const char *key, const json_t *def)
{
    struct err e;
    AUTO_FREE char *user = mem_strn(key, strcspn(key, "."));
    const char *name = user + strlen(SIGNATURE);
    if (*name && (*name != '-' || cmd_known(b->crm->users, "user", name + 1, &e) < 0))
        errlist_add(b->errors, json_get_str(def, "path", key),
                    "a signature is " SIGNATURE ".txt, or " SIGNATURE "-USER.txt of one of users");
}

/* signature = ".." of a user stands for a file. */
static void build_users(struct building *b)
{
    const char *name;
    const json_t *u;
    size_t i;
    json_object_foreach((json_t *)b->crm->users, name, u) {
        const json_t *lines = json_get_arr(u, "signature"), *line;
        AUTO_FREE char *key = mem_printf(SIGNATURE "-%s", name);
        struct buf text AUTO_BUF;
        buf_init(&text, BOUND_TEMPLATE_BYTES);
        json_array_foreach((json_t *)lines, i, line)
            buf_printf(&text, "%s\n", json_string_value(line));
        if (!text.len)
            continue;
        if (json_get_obj(b->crm->templates_cfg, key))
            errlist_add(b->errors, json_get_str(u, "at", NULL),
                        "users: %s has a signature here, and one in %s.txt", name, key);
        else
            build_one(b, key, text.data, json_get_str(u, "at", key));
    }
}

static void check_languages(const struct building *b)
{
    size_t i;
    json_t *v;
    const char *name, *language = crm_setting(b->crm, "language", NULL);
    const json_t *def;
    char code[CRM_LANGUAGE_MAX];
    if (language && (crm_language_code(b->crm, language, code) < 0 || strcmp(code, language) != 0))
        errlist_add(b->errors, NULL, "language: %s is no code of a language such as de or de-AT",
                    language);
    json_array_foreach(json_get_arr(b->crm->config, "languages"), i, v) {
        const char *want = json_string_value(v);
        if (crm_language_code(b->crm, want, code) < 0 || strcmp(code, want) != 0) {
            errlist_add(b->errors, NULL, "languages: %s is no code of a language such as de or "
                        "de-AT", want);
            continue;
        }
        json_object_foreach((json_t *)b->crm->templates_cfg, name, def)
            if (name[0] != '_' && !json_object_get(def, "of") &&
                crm_template_is_sent(b->crm->config, name) &&
                !crm_template_speaks(b->crm, name, want))
                errlist_add(b->errors, json_get_str(def, "path", name),
                            "there is no %s.%s.txt, and languages in leadd.conf has %s", name, want, want);
    }
}

void crm_templates_build(struct crm *crm, struct errlist *errors)
{
    struct building b = {crm, NULL, errors};
    const char *key;
    const json_t *def;
    crm->template_index = json_object();
    crm->templates = mem_array(json_object_size(crm->templates_cfg) + json_object_size(crm->users) + 1,
                               sizeof(*crm->templates));
    json_object_foreach((json_t *)crm->templates_cfg, key, def)
        crm->multilingual |= json_object_get(def, "of") != NULL;
    json_object_foreach((json_t *)crm->templates_cfg, key, def) {
        bool signature = strncmp(key, SIGNATURE, strlen(SIGNATURE)) == 0;
        if (key[0] == '_' && !signature) /* a part of others: {{> _footer}} */
            continue;
        build_one(&b, key, json_get_str(def, "text", ""), json_get_str(def, "path", key));
        if (signature)
            check_signature(&b, key, def);
    }
    build_users(&b);
    json_object_foreach((json_t *)crm->templates_cfg, key, def)
        check_variant(&b, key, def);
    check_languages(&b);
}

void crm_templates_free(struct crm *crm)
{
    for (size_t i = 0; i < crm->template_count; i++)
        template_free(&crm->templates[i]);
    mem_free(crm->templates);
    json_decref(crm->template_index);
}

/* ---- who names them --------------------------------------------------------------------------- */

/* "send welcome", "send sms using welcome to contact", but not "send new-lead to owner" */
static bool line_sends(const char *line, const char *name)
{
    size_t n = strlen(name);
    if (!crm_sends_to_contact(line))
        return false;
    for (const char *p = strstr(line, name); p; p = strstr(p + 1, name))
        if (p[-1] == ' ' && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

static bool tree_sends(const json_t *v, const char *name)
{
    const char *key;
    const json_t *sub;
    size_t i;
    if (json_is_string(v))
        return line_sends(json_string_value(v), name);
    if (json_is_array(v)) {
        json_array_foreach((json_t *)v, i, sub)
            if (tree_sends(sub, name))
                return true;
        return false;
    }
    json_object_foreach((json_t *)v, key, sub) {
        const char *text = json_is_string(sub) ? json_string_value(sub) : json_get_str(sub, "text", NULL);
        bool step = (strcmp(key, "email") == 0 || strcmp(key, "sms") == 0) && text &&
                    strcmp(text, name) == 0;
        if (step || tree_sends(sub, name))
            return true;
    }
    return false;
}

bool crm_template_is_sent(const json_t *config, const char *name)
{
    static const char *const places[] = {"rules", "escalations", "sequences"};
    const char *key;
    const json_t *def, *template;
    size_t n;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (tree_sends(json_object_get(config, places[i]), name))
            return true;
    json_object_foreach(json_get_obj(config, "broadcasts"), key, def)
        json_array_foreach(json_get_arr(def, "template"), n, template)
            if (strcmp(json_string_value(template), name) == 0)
                return true;
    return false;
}

int crm_template_check(const struct crm *crm, const char *command, const char *name, struct err *e)
{
    if (cmd_known(crm->templates_cfg, "template", name, e) < 0)
        return -1;
    const char *of = json_get_str(json_get_obj(crm->templates_cfg, name), "of", NULL);
    if (name[0] == '_')
        return err_set(e, ERR_INPUT, "%s: %s is a part of other templates only", command, name);
    if (of)
        return err_set(e, ERR_INPUT, "%s: %s is %s in one language; who gets it decides which: %s %s",
                       command, name, of, command, of);
    return 0;
}
