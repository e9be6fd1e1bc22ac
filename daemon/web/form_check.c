/* SPDX-License-Identifier: ISC
 *
 * form_check - what a form of the config asks of the posted values
 *
 * The engine maps and validates fields; here only what a person at the other
 * end can correct at once is refused: a missing field, an address with a typo
 * that makes it unusable.
 */
#include "web/form_check.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

bool form_looks_like_email(const char *s)
{
    const char *at = strrchr(s, '@');
    size_t n = strlen(s);
    if (!at || at == s || at - s > 64 || n > 254 || strchr(s, '@') != at)
        return false;
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if (*p <= 0x20 || *p == 0x7f || strchr("<>()[],;:\\\"", *p))
            return false;
    const char *dot = strchr(at + 1, '.');
    if (!dot || at[1] == '.' || s[n - 1] == '.' || strstr(s, "..") || at[1] == '-')
        return false;
    return s[0] != '.' && at[-1] != '.' && s[n - 1] != '-';
}

static bool form_is_blank(const char *s)
{
    return !s || s[strspn(s, " \t\n\v\f\r")] == '\0';
}

static const char *form_check_required(const struct form *f, const json_t *conf)
{
    size_t i;
    json_t *name;
    json_array_foreach (json_get_arr(conf, "required"), i, name) {
        const char *n = json_string_value(name);
        if (n && form_is_blank(json_get_str(f->values, n, NULL)))
            return n;
    }
    return NULL;
}

static const char *form_check_emails(const struct form *f, const json_t *conf)
{
    const char *name;
    json_t *row;
    json_object_foreach (json_get_obj(conf, "fields"), name, row) {
        const char *v = json_get_str(f->values, name, NULL);
        if (form_is_blank(v) || strcmp(json_get_str(row, "to", ""), "contact.email") != 0)
            continue;
        AUTO_FREE char *copy = mem_str(v);
        if (!form_looks_like_email(text_trim(copy)))
            return name;
    }
    return NULL;
}

int form_check(const struct form *f, const json_t *conf, json_t **fields_out, json_t **extra_out,
               const char **field_out, struct err *e)
{
    const char *bad = form_check_required(f, conf), *why = "is missing";
    if (!bad) {
        bad = form_check_emails(f, conf);
        why = "is not an email address";
    }
    if (bad) {
        if (field_out)
            *field_out = bad;
        return err_set(e, ERR_INPUT, "The field \"%s\" %s.", bad, why);
    }
    const json_t *known = json_get_obj(conf, "fields");
    json_t *fields = json_object(), *extra = json_object(), *value;
    const char *name;
    json_object_foreach (f->values, name, value)
        json_object_set(json_object_get(known, name) ? fields : extra, name, value);
    *fields_out = fields;
    *extra_out = extra;
    return 0;
}
