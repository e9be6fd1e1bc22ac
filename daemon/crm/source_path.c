/* SPDX-License-Identifier: ISC
 *
 * source_path - see source_path.h
 */
#include "crm/source_path.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

/* ---- one path ------------------------------------------------------------------- */

/* A number or boolean as text; own, NULL for what is no plain value. */
static char *plain(const json_t *v)
{
    if (json_is_string(v))
        return mem_str(json_string_value(v));
    if (json_is_integer(v))
        return mem_printf("%" PRId64, (int64_t)json_integer_value(v));
    if (json_is_real(v))
        return mem_printf("%.15g", json_real_value(v));
    return json_is_boolean(v) ? mem_str(json_is_true(v) ? "true" : "false") : NULL;
}

static const json_t *member(const json_t *v, const char *key, size_t n)
{
    int64_t i;
    AUTO_FREE char *name = mem_strn(key, n);
    if (json_is_array(v))
        return text_parse_int(name, &i) == 0 && i >= 0 ? json_array_get(v, (size_t)i) : NULL;
    return json_object_get(v, name);
}

static bool element_fits(const json_t *element, const char *key, size_t key_len,
                         const char *want, size_t want_len)
{
    const struct source_in in = {.body = element};
    AUTO_FREE char *text = plain(source_node(&in, key, key_len));
    return text && strlen(text) == want_len && strncmp(text, want, want_len) == 0;
}

/* "[type=email]" at p: the element; *n_out: its length. */
static const json_t *select_element(const json_t *list, const char *p, size_t n, size_t *n_out)
{
    const char *end = memchr(p, ']', n), *eq = memchr(p, '=', n);
    size_t i;
    const json_t *e;
    *n_out = end ? (size_t)(end - p) + 1 : n;
    if (!end || !eq || eq > end)
        return NULL;
    json_array_foreach((json_t *)list, i, e)
        if (element_fits(e, p + 1, (size_t)(eq - p - 1), eq + 1, (size_t)(end - eq - 1)))
            return e;
    return NULL;
}

static const json_t *walk(const json_t *v, const char *path, size_t n)
{
    while (v && n > 0) {
        size_t k = 0;
        if (*path == '[') {
            v = select_element(v, path, n, &k);
        } else {
            while (k < n && path[k] != '.' && path[k] != '[')
                k++;
            v = member(v, path, k);
        }
        path += k;
        n -= k;
        if (n > 0 && *path == '.') {
            path++;
            n--;
        }
    }
    return v;
}

/* Posted names may have dots and brackets of their own. */
static const json_t *whole(const json_t *body, const char *path, size_t n)
{
    AUTO_FREE char *name = mem_strn(path, n);
    return json_object_get(body, name);
}

const json_t *source_node(const struct source_in *in, const char *path, size_t n)
{
    if (n > 6 && strncmp(path, "query.", 6) == 0)
        return member(in->query, path + 6, n - 6);
    if (n > 7 && strncmp(path, "header.", 7) == 0)
        return member(in->headers, path + 7, n - 7);
    const json_t *found = walk(in->body, path, n);
    return found ? found : whole(in->body, path, n);
}

/* ---- a value of a mapping ------------------------------------------------------------ */

/* "a[*].b": of each element. */
static char *path_each(const struct source_in *in, const char *path, size_t n, const char *star)
{
    const json_t *list = source_node(in, path, (size_t)(star - path)), *e;
    const char *rest = star + 3;
    size_t i, left = n - (size_t)(rest - path);
    struct buf b AUTO_BUF;
    buf_init(&b, BOUND_FORM_VALUE);
    if (left > 0 && *rest == '.') {
        rest++;
        left--;
    }
    json_array_foreach((json_t *)list, i, e) {
        const struct source_in one = {.body = e};
        AUTO_FREE char *text = plain(left ? source_node(&one, rest, left) : e);
        if (text && *text)
            buf_printf(&b, "%s%s", b.len ? ", " : "", text);
    }
    return b.len ? buf_take(&b) : NULL;
}

static char *path_text(const struct source_in *in, const char *path, size_t n)
{
    const char *star = memmem(path, n, "[*]", 3);
    char *text = star ? path_each(in, path, n, star) : plain(source_node(in, path, n));
    if (text && !*text_trim(text)) {
        mem_free(text);
        text = NULL;
    }
    return text;
}

/* A text with paths in it; NULL when none of them is there. */
static char *filled(const struct source_in *in, const char *p, size_t n)
{
    struct buf b AUTO_BUF;
    bool some = false;
    buf_init(&b, BOUND_FORM_VALUE);
    for (const char *end = p + n; p < end;) {
        const char *close = *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
        if (!close) {
            buf_char(&b, *p++);
            continue;
        }
        AUTO_FREE char *text = path_text(in, p + 1, (size_t)(close - p - 1));
        some |= text != NULL;
        buf_str(&b, text ? text : "");
        p = close + 1;
    }
    return some && b.len ? buf_take(&b) : NULL;
}

/* The next part between " | "; false at the end. */
static bool next_alternative(const char **list, struct str *out)
{
    const char *p = *list + strspn(*list, " "), *bar = strstr(p, " | ");
    size_t n = bar ? (size_t)(bar - p) : strlen(p);
    *list = bar ? bar + 3 : p + n;
    while (n > 0 && p[n - 1] == ' ')
        n--;
    *out = (struct str){p, n};
    return n > 0;
}

static char *alternative(const struct source_in *in, struct str a)
{
    if (a.n >= 2 && a.p[0] == '\'' && a.p[a.n - 1] == '\'')
        return mem_strn(a.p + 1, a.n - 2);
    return memchr(a.p, '{', a.n) ? filled(in, a.p, a.n) : path_text(in, a.p, a.n);
}

char *source_text(const struct source_in *in, const char *value)
{
    struct str a;
    while (value && next_alternative(&value, &a)) {
        AUTO_FREE char *text = alternative(in, a);
        if (text && *text_trim(text))
            return mem_str(text_trim(text));
    }
    return NULL;
}

int source_value_check(const char *value, struct err *e)
{
    struct str a;
    while (next_alternative(&value, &a)) {
        size_t open = 0, close = 0, square = 0, end = 0;
        for (size_t i = 0; i < a.n; i++) {
            open += a.p[i] == '{';
            close += a.p[i] == '}';
            square += a.p[i] == '[';
            end += a.p[i] == ']';
        }
        if (open != close || square != end)
            return err_set(e, ERR_INPUT, "a bracket is open: \"%.*s\"", (int)(a.n < 80 ? a.n : 80),
                           a.p);
        if (!open && a.p[0] != '\'' && memchr(a.p, ' ', a.n) && !square)
            return err_set(e, ERR_INPUT,
                           "\"%.*s\" is no path; write 'a text' or \"{first} {last}\"",
                           (int)(a.n < 80 ? a.n : 80), a.p);
    }
    return 0;
}

/* ---- conditions ----------------------------------------------------------------------- */

enum condition_op { IS_SET, IS_NOT_SET, EQUALS, DIFFERS, STARTS, NO_OP };

struct condition {
    enum condition_op op;
    struct str path;
    const char *words; /* "a|b" */
};

static struct condition condition_read(const char *s)
{
    static const struct {
        const char *text;
        enum condition_op op;
    } ops[] = {{" is not set", IS_NOT_SET}, {" is set", IS_SET}, {" != ", DIFFERS}, {" = ", EQUALS},
               {" starts ", STARTS}};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        const char *at = strstr(s, ops[i].text);
        const char *rest = at ? at + strlen(ops[i].text) : NULL;
        if (at > s && ((ops[i].op <= IS_NOT_SET) == (*rest == '\0')))
            return (struct condition){ops[i].op, {s, (size_t)(at - s)}, rest};
    }
    return (struct condition){.op = NO_OP};
}

static bool word_fits(const char *text, const char *words, bool start)
{
    for (const char *p = words; p && *p;) {
        size_t n = strcspn(p, "|");
        const char *next = p[n] ? p + n + 1 : p + n;
        while (n > 0 && *p == ' ') {
            p++;
            n--;
        }
        while (n > 0 && p[n - 1] == ' ')
            n--;
        if (strncasecmp(text, p, n) == 0 && (start ? n > 0 : text[n] == '\0'))
            return true;
        p = next;
    }
    return false;
}

bool source_holds(const struct source_in *in, const char *condition)
{
    struct condition c = condition_read(condition);
    if (c.op == NO_OP)
        return false;
    AUTO_FREE char *text = path_text(in, c.path.p, c.path.n);
    switch (c.op) {
    case IS_SET:
        return text != NULL || json_is_object(source_node(in, c.path.p, c.path.n));
    case IS_NOT_SET:
        return text == NULL && !json_is_object(source_node(in, c.path.p, c.path.n));
    case DIFFERS:
        return !word_fits(text ? text : "", c.words, false);
    default:
        return text && word_fits(text, c.words, c.op == STARTS);
    }
}

int source_condition_check(const char *condition, struct err *e)
{
    if (condition_read(condition).op != NO_OP)
        return 0;
    return err_set(e, ERR_INPUT, "expected \"PATH = A|B\", \"PATH != A|B\", \"PATH starts A|B\", \"PATH is "
                   "set\" or \"PATH is not set\", got \"%.100s\"", condition);
}
