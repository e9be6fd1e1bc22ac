/* SPDX-License-Identifier: ISC
 *
 * form_check - see form_check.h
 */
#include "base/form_check.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/form_words.h"
#include "base/mem.h"
#include "base/text.h"

/* One posted field, as it is held against its row of the config. */
struct field {
    const struct form *form;
    const json_t *row;
    const char *name, *type, *label, *lang;
    struct form_checked *out;
};

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

/* ---- faults ---------------------------------------------------------------- */

static const struct {
    enum form_word word;
    const char *code;
} fault_codes[] = {
    {FORM_W_MISSING, "missing"},     {FORM_W_SHAPE, "shape"},
    {FORM_W_EMAIL, "email"},         {FORM_W_NUMBER, "number"},
    {FORM_W_DATE, "date"},           {FORM_W_BOOL, "bool"},
    {FORM_W_CHOICE, "choice"},       {FORM_W_LONG, "too_long"},
    {FORM_W_CONSENT, "consent"},     {FORM_W_FILE_MISSING, "missing"},
    {FORM_W_FILE_TYPE, "file_type"}, {FORM_W_FILE_SIZE, "file_size"},
    {FORM_W_FILE_OTHER, "file"},
};

static void field_fault(const struct field *d, enum form_word w, const char *what)
{
    const char *code = "invalid";
    if (json_array_size(d->out->faults) >= FORM_FAULTS_MAX)
        return;
    for (size_t i = 0; i < ARRAY_LEN(fault_codes); i++)
        if (fault_codes[i].word == w)
            code = fault_codes[i].code;
    AUTO_FREE char *text = form_word_fill(d->lang, w, d->label, what);
    json_array_append_new(d->out->faults, json_pack("{s:s, s:s, s:s}", "field", d->name, "code",
                                                    code, "text", text));
}

char *form_faults_text(const json_t *faults)
{
    struct buf b;
    size_t i;
    json_t *v;
    buf_init(&b, KIB(64));
    json_array_foreach ((json_t *)faults, i, v)
        buf_printf(&b, "%s%s", i ? " " : "", json_get_str(v, "text", ""));
    char *text = b.len ? buf_take(&b) : mem_str("");
    buf_done(&b);
    return text;
}

/* ---- what was posted under a name --------------------------------------------- */

/* Does "answers.3.email" fit "answers.*.email"? A * is one part. */
static bool name_fits(const char *pattern, const char *name)
{
    for (;; pattern++, name++) {
        if (*pattern == '*') {
            pattern++;
            name += strcspn(name, ".");
        }
        if (*pattern != *name)
            return false;
        if (!*pattern)
            return true;
    }
}

/* "colour.1" is the second value that was posted as "colour". */
static bool name_repeats(const char *base, const char *name)
{
    size_t n = strlen(base);
    return strncmp(base, name, n) == 0 &&
           (!name[n] || (name[n] == '.' && name[n + 1] && !name[n + 1 + strspn(name + n + 1, "0123456789")]));
}

static bool field_takes(const struct field *d, const char *name)
{
    if (strchr(d->name, '*'))
        return name_fits(d->name, name);
    return json_get_bool(d->row, "several", false) ? name_repeats(d->name, name)
                                                   : strcmp(d->name, name) == 0;
}

/* All values that are meant, with commas between them; own. NULL: none was posted. */
static char *field_many(const struct field *d)
{
    const char *name;
    json_t *v;
    struct buf b;
    buf_init(&b, BOUND_FORM_VALUE);
    json_object_foreach (d->form->values, name, v) {
        const char *s = json_string_value(v);
        if (!field_takes(d, name))
            continue;
        json_object_del(d->out->extra, name);
        if (!form_is_blank(s) && b.len + strlen(s) + 2 < BOUND_FORM_VALUE)
            buf_printf(&b, "%s%s", b.len ? ", " : "", s);
    }
    char *text = b.len ? buf_take(&b) : NULL;
    buf_done(&b);
    return text;
}

/* Own; NULL: it was not posted. */
static char *field_value(const struct field *d)
{
    if (strchr(d->name, '*') || json_get_bool(d->row, "several", false))
        return field_many(d);
    const char *s = json_get_str(d->form->values, d->name, NULL);
    if (!s)
        return NULL;
    json_object_del(d->out->extra, d->name);
    return mem_str(s);
}

/* {"email": {"a": 1}} where a text was expected. */
static bool field_is_nested(const struct field *d)
{
    size_t n = strlen(d->name);
    const char *name;
    json_t *v;
    json_object_foreach (d->form->values, name, v)
        if (strncmp(name, d->name, n) == 0 && name[n] == '.')
            return true;
    return false;
}

/* ---- types --------------------------------------------------------------------- */

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool is_number(const char *s)
{
    size_t digits = 0, marks = 0;
    for (s += *s == '-' || *s == '+'; *s; s++) {
        digits += *s >= '0' && *s <= '9';
        marks += *s == '.' || *s == ',' || *s == '\'' || *s == ' ';
        if (!strchr("0123456789.,' ", *s))
            return false;
    }
    return digits > 0 && digits < 40 && marks <= digits;
}

/* What a browser's date field posts. */
static bool is_date(const char *s)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof(form); i++)
        if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
            return false;
    int month = (s[5] - '0') * 10 + s[6] - '0', day = (s[8] - '0') * 10 + s[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* 1 yes, 0 no, -1 neither. */
static int yes_or_no(const char *s)
{
    static const char *const yes[] = {"on", "yes", "true", "1", "y", "checked"};
    static const char *const no[] = {"off", "no", "false", "0", "n"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (strcasecmp(s, yes[i]) == 0)
            return 1;
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (strcasecmp(s, no[i]) == 0)
            return 0;
    return -1;
}

static bool is_choice(const json_t *choices, const char *s, size_t n)
{
    size_t i;
    json_t *v;
    json_array_foreach ((json_t *)choices, i, v)
        if (json_string_length(v) == n && memcmp(json_string_value(v), s, n) == 0)
            return true;
    return false;
}

/* The list, as people read it; own. */
static char *in_words(const json_t *list)
{
    struct buf b;
    size_t i;
    json_t *v;
    buf_init(&b, KIB(2));
    json_array_foreach ((json_t *)list, i, v)
        buf_printf(&b, "%s%s", i ? ", " : "", json_string_value(v));
    char *text = b.len ? buf_take(&b) : mem_str("");
    buf_done(&b);
    return text;
}

static void check_choice(const struct field *d, const char *value)
{
    const json_t *choices = json_get_arr(d->row, "choices");
    bool several = json_get_bool(d->row, "several", false), ok = is_choice(choices, value, strlen(value));
    for (const char *p = value; several && !ok && *p;) {
        const char *comma = strstr(p, ", ");
        size_t n = comma ? (size_t)(comma - p) : strlen(p);
        if (!is_choice(choices, p, n))
            break;
        p += n + (comma ? 2 : 0);
        ok = !*p;
    }
    AUTO_FREE char *all = in_words(choices);
    if (!ok)
        field_fault(d, FORM_W_CHOICE, all);
}

/* Holds a value that is there against the type; what is taken goes to fields. */
static void check_value(const struct field *d, const char *value)
{
    int64_t max = json_get_int(d->row, "max", 0);
    char limit[24];
    int yes = yes_or_no(value);
    bool consent = strcmp(d->type, "consent") == 0;
    if (max && characters(value) > (size_t)max) {
        snprintf(limit, sizeof(limit), "%" PRId64, max);
        field_fault(d, FORM_W_LONG, limit);
    } else if (strcmp(d->type, "email") == 0 && !form_looks_like_email(value)) {
        field_fault(d, FORM_W_EMAIL, NULL);
    } else if (strcmp(d->type, "number") == 0 && !is_number(value)) {
        field_fault(d, FORM_W_NUMBER, NULL);
    } else if (strcmp(d->type, "date") == 0 && !is_date(value)) {
        field_fault(d, FORM_W_DATE, NULL);
    } else if ((strcmp(d->type, "bool") == 0 || consent) && yes < 0) {
        field_fault(d, FORM_W_BOOL, NULL);
    } else if (strcmp(d->type, "choice") == 0) {
        check_choice(d, value);
    }
    if (strcmp(d->type, "bool") == 0 || consent)
        value = yes == 1 ? "yes" : "no";
    json_put_str(d->out->fields, d->name, value);
}

static void check_field(const struct field *d, bool required)
{
    AUTO_FREE char *posted = field_value(d);
    const char *value = form_is_blank(posted) ? json_get_str(d->row, "default", NULL) : posted;
    bool consent = strcmp(d->type, "consent") == 0;
    if (form_is_blank(value)) {
        if (posted)
            json_put_str(d->out->fields, d->name, posted);
        if (required)
            field_fault(d, consent                ? FORM_W_CONSENT
                           : field_is_nested(d) ? FORM_W_SHAPE
                                                  : FORM_W_MISSING,
                        NULL);
        return;
    }
    /* words keep their line ends and indents; of all else the edges are nobody's wish */
    AUTO_FREE char *copy = mem_str(value);
    check_value(d, strcmp(d->type, "words") == 0 || strcmp(d->type, "text") == 0 ? value
                                                                                 : text_trim(copy));
    if (required && consent && strcmp(json_get_str(d->out->fields, d->name, ""), "yes") != 0)
        field_fault(d, FORM_W_CONSENT, NULL);
}

/* ---- files ------------------------------------------------------------------------ */

/* An ending such as .pdf, a type, or the first half of one with a star. */
static bool file_is(const char *accept, const char *type, const char *name)
{
    size_t n = strlen(accept), len = strlen(name);
    if (*accept == '.')
        return len > n && strcasecmp(name + len - n, accept) == 0;
    if (n > 1 && accept[n - 1] == '*')
        return strncasecmp(accept, type, n - 1) == 0;
    return strcasecmp(accept, type) == 0;
}

static bool file_is_taken(const json_t *accept, const json_t *file)
{
    size_t i;
    json_t *v;
    json_array_foreach ((json_t *)accept, i, v)
        if (file_is(json_string_value(v), json_get_str(file, "type", ""),
                    json_get_str(file, "filename", "")))
            return true;
    return json_array_size(accept) == 0;
}

static void check_file(const struct field *d, const json_t *file)
{
    const json_t *accept = json_get_arr(d->row, "accept");
    int64_t max = json_get_int(d->row, "max_size", 0);
    char limit[32];
    if (!file_is_taken(accept, file)) {
        AUTO_FREE char *all = in_words(accept);
        field_fault(d, FORM_W_FILE_TYPE, all);
    }
    if (max && json_get_int(file, "size", 0) > max) {
        if (max % MIB(1) == 0)
            snprintf(limit, sizeof(limit), "%" PRId64 " MB", max / MIB(1));
        else
            snprintf(limit, sizeof(limit), "%" PRId64 " KB", max / KIB(1));
        field_fault(d, FORM_W_FILE_SIZE, limit);
    }
}

static void check_files(const struct field *d, bool required)
{
    size_t i, n = 0;
    json_t *file;
    json_array_foreach (d->form->files, i, file) {
        if (strcmp(json_get_str(file, "field", ""), d->name) != 0)
            continue;
        check_file(d, file);
        n++;
    }
    json_object_del(d->out->extra, d->name);
    if (required && n == 0)
        field_fault(d, FORM_W_FILE_MISSING, NULL);
}

/* A form that asks for files takes them in these fields alone. */
static void check_other_files(const struct form *f, const json_t *conf, struct field *d, bool asks)
{
    size_t i;
    json_t *file;
    json_array_foreach (f->files, i, file) {
        d->name = json_get_str(file, "field", "");
        const json_t *row = json_get_obj(json_get_obj(conf, "fields"), d->name);
        if (!asks || strcmp(json_get_str(row, "type", ""), "file") == 0)
            continue;
        d->label = json_get_str(row, "label", d->name);
        if (!row) /* a name that a stranger chose is not written back */
            d->name = d->label = "?";
        field_fault(d, FORM_W_FILE_OTHER, NULL);
    }
}

/* ---- the form ---------------------------------------------------------------------- */

static bool is_required(const json_t *conf, const json_t *row, const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach (json_get_arr(conf, "required"), i, v)
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    return json_get_bool(row, "required", false);
}

bool form_check(const struct form *f, const json_t *conf, struct form_checked *out)
{
    const char *name;
    json_t *row;
    bool asks = false;
    *out = (struct form_checked){json_object(), json_copy(f->values), json_array()};
    struct field d = {.form = f, .out = out, .lang = json_get_str(conf, "lang", NULL)};
    json_object_foreach (json_get_obj(conf, "fields"), name, row) {
        d.name = name;
        d.row = row;
        d.type = json_get_str(row, "type", "text");
        if (strcmp(json_get_str(row, "to", ""), "contact.email") == 0)
            d.type = "email";
        d.label = json_get_str(row, "label", name);
        asks |= strcmp(d.type, "file") == 0;
        if (strcmp(d.type, "file") == 0)
            check_files(&d, is_required(conf, row, name));
        else
            check_field(&d, is_required(conf, row, name));
    }
    check_other_files(f, conf, &d, asks);
    const char *pot = json_get_str(conf, "honeypot", NULL);
    if (pot && form_is_blank(json_get_str(out->extra, pot, NULL)))
        json_object_del(out->extra, pot); /* as people leave it */
    return json_array_size(out->faults) == 0;
}

void form_checked_done(struct form_checked *c)
{
    json_decref(c->fields);
    json_decref(c->extra);
    json_decref(c->faults);
    *c = (struct form_checked){NULL, NULL, NULL};
}
