/* SPDX-License-Identifier: ISC
 *
 * authres - see authres.h
 */
#include "mail/authres.h"

#include <ctype.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/cfws.h"

#define RESULTS_MAX 64 /* of one field */
#define PROPS_MAX 32   /* of one result */

static json_t *text_json(const struct buf *b)
{
    return json_stringn(b->data, b->len); /* NULL when it is not UTF-8 */
}

static bool is_keyword(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (!isalnum((unsigned char)b->data[i]) && !strchr("-_.", b->data[i]))
            return false;
    return b->len > 0;
}

/* A word of letters and digits, in lower case. */
static bool read_keyword(struct mail_cfws *c, struct buf *out)
{
    buf_reset(out);
    mail_cfws_word(c, "=;/()\"<>,:\\", out);
    text_lower(out->data);
    return is_keyword(out);
}

/* A word, or a quoted string, or a quoted local part with its domain. */
static bool read_value(struct mail_cfws *c, struct buf *out)
{
    buf_reset(out);
    if (!mail_cfws_end(c) && *c->p == '"') {
        if (!mail_cfws_quoted(c, out))
            return false;
        if (!mail_cfws_end(c) && *c->p == '@')
            mail_cfws_word(c, ";()\"\\", out);
        return mail_cfws_end(c) || strchr(" \t\r\n;(", *c->p);
    }
    return mail_cfws_word(c, ";()\"\\", out) > 0 &&
           (mail_cfws_end(c) || strchr(" \t\r\n;(", *c->p));
}

/* "=" with white space and comments around it. */
static bool read_equals(struct mail_cfws *c)
{
    return mail_cfws_skip(c) && mail_cfws_take(c, '=') && mail_cfws_skip(c);
}

/* "header.d=example.com", "reason=..."; each once, since nobody could say which counts. */
static bool read_prop(struct mail_cfws *c, json_t *props, struct buf *name, struct buf *value)
{
    if (!read_keyword(c, name))
        return false;
    /* "header" CFWS "." CFWS "d" is grammar, too: nobody writes it, so it is refused */
    if (!read_equals(c) || !read_value(c, value) || json_object_get(props, name->data) ||
        json_object_size(props) >= PROPS_MAX)
        return false;
    json_t *v = text_json(value);
    if (v)
        json_object_set_new(props, name->data, v);
    return v != NULL;
}

/* "dkim=pass header.d=example.com", up to the next ";". */
static json_t *read_result(struct mail_cfws *c, struct buf *a, struct buf *b)
{
    if (!read_keyword(c, a))
        return NULL;
    AUTO_JSON json_t *r = json_pack("{s:s, s:{}}", "method", a->data, "props");
    json_t *props = json_object_get(r, "props");
    if (!mail_cfws_skip(c))
        return NULL;
    if (mail_cfws_take(c, '/') && (!mail_cfws_skip(c) || !read_keyword(c, a)))
        return NULL; /* the version of the method */
    if (!read_equals(c) || !read_keyword(c, a))
        return NULL;
    json_put_str(r, "result", a->data);
    for (;;) {
        if (!mail_cfws_skip(c))
            return NULL;
        if (mail_cfws_end(c) || *c->p == ';')
            return json_incref(r);
        if (!read_prop(c, props, a, b))
            return NULL;
    }
}

static bool read_id(struct mail_cfws *c, struct buf *id, struct buf *version)
{
    if (!mail_cfws_skip(c) || !read_value(c, id) || strchr(id->data, '=') || !mail_cfws_skip(c))
        return false;
    text_lower(id->data);
    if (mail_cfws_end(c) || *c->p == ';')
        return true;
    return read_keyword(c, version) && strcmp(version->data, "1") == 0 && mail_cfws_skip(c);
}

static bool read_results(struct mail_cfws *c, json_t *results, struct buf *a, struct buf *b)
{
    while (!mail_cfws_end(c)) {
        if (!mail_cfws_take(c, ';') || !mail_cfws_skip(c))
            return false;
        if (mail_cfws_end(c))
            break; /* a ";" at the end, which some write */
        struct mail_cfws at = *c;
        if (json_array_size(results) == 0 && read_keyword(c, a) && strcmp(a->data, "none") == 0 &&
            mail_cfws_skip(c) && mail_cfws_end(c))
            break;
        *c = at;
        json_t *r = json_array_size(results) < RESULTS_MAX ? read_result(c, a, b) : NULL;
        if (!r)
            return false;
        json_array_append_new(results, r);
    }
    return true;
}

json_t *mail_authres_read(const char *value, size_t n, struct err *e)
{
    struct mail_cfws c = {value, value + n};
    AUTO_BUF struct buf a, b;
    buf_init(&a, BOUND_MAIL_FIELD + 1);
    buf_init(&b, BOUND_MAIL_FIELD + 1);
    AUTO_JSON json_t *results = json_array();
    if (!read_id(&c, &a, &b)) {
        err_set(e, ERR_INPUT, "an Authentication-Results field that names no server");
        return NULL;
    }
    json_t *id = text_json(&a);
    if (id && read_results(&c, results, &a, &b))
        return json_pack("{s:o, s:O}", "id", id, "results", results);
    err_set(e, ERR_INPUT, "an Authentication-Results field of %.100s that cannot be read",
            id ? json_string_value(id) : "?");
    json_decref(id);
    return NULL;
}

/* ---- Received ------------------------------------------------------------------- */

/* Which of the clauses a word begins, in the order they may come; -1: it is none. */
static int clause_of(const char *word)
{
    static const char *const clauses[] = {"from", "by", "via", "with", "id", "for"};
    for (size_t i = 0; i < ARRAY_LEN(clauses); i++)
        if (strcmp(clauses[i], word) == 0)
            return (int)i;
    return -1;
}

int mail_received_read(const char *value, size_t n, struct mail_received *out)
{
    struct mail_cfws c = {value, value + n};
    struct mail_received r = {.local = false};
    AUTO_BUF struct buf word;
    buf_init(&word, BOUND_MAIL_FIELD + 1);
    int last = -1;
    for (;;) {
        buf_reset(&word);
        if (!mail_cfws_skip(&c))
            return -1;
        if (mail_cfws_end(&c) || *c.p == ';')
            break;
        if (mail_cfws_word(&c, "();\"", &word) == 0)
            return -1;
        text_lower(word.data);
        /* one word each: a greeting with spaces in it could tell of another host */
        int clause = clause_of(word.data);
        if (clause <= last)
            return -1;
        last = clause;
        buf_reset(&word);
        if (!mail_cfws_skip(&c) || mail_cfws_end(&c) || mail_cfws_word(&c, "();\"", &word) == 0)
            return -1;
        text_lower(word.data);
        if (clause == 1 && word.len < sizeof(r.by))
            memcpy(r.by, word.data, word.len + 1);
        if (clause == 3)
            r.local = strncmp(word.data, "lmtp", 4) == 0;
    }
    if (!mail_cfws_end(&c) && memchr(c.p + 1, ';', (size_t)(c.end - c.p - 1)))
        return -1; /* the date is behind the only one */
    *out = r;
    return 0;
}

/* ---- From ------------------------------------------------------------------------ */

static int one_check(const char *s, char out[MAIL_ONE_MAX], struct err *e)
{
    const char *at = strchr(s, '@');
    if (!at || at == s || !at[1] || strchr(at + 1, '@') || strlen(s) >= MAIL_ONE_MAX)
        return err_set(e, ERR_INPUT, "no address of the form name@host");
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("()<>[]:;,\\\"", *p))
            return err_set(e, ERR_INPUT, "an address with characters that few addresses have");
    memcpy(out, s, strlen(s) + 1);
    text_lower(out);
    return 0;
}

/* At '<': the address up to '>', which ends the field. */
static bool one_angle(struct mail_cfws *c, struct buf *address)
{
    buf_reset(address);
    return mail_cfws_take(c, '<') && mail_cfws_skip(c) && mail_cfws_word(c, "<>()\"", address) &&
           mail_cfws_skip(c) && mail_cfws_take(c, '>') && mail_cfws_skip(c) && mail_cfws_end(c);
}

int mail_one_address(const char *value, size_t n, char out[MAIL_ONE_MAX], struct err *e)
{
    struct mail_cfws c = {value, value + n};
    AUTO_BUF struct buf word;
    buf_init(&word, BOUND_MAIL_FIELD + 1);
    size_t words = 0;
    bool quoted = false, at_in_name = false, ok;
    while ((ok = mail_cfws_skip(&c)) && !mail_cfws_end(&c) && *c.p != '<') {
        words++;
        buf_reset(&word);
        if (*c.p == '"') {
            quoted = true;
            if (!mail_cfws_quoted(&c, &word))
                return err_set(e, ERR_INPUT, "a quoted name that does not end");
            continue;
        }
        if (mail_cfws_word(&c, "<>()\"[]:;,\\", &word) == 0)
            return err_set(e, ERR_INPUT, "a list, a group, or no address");
        at_in_name |= strchr(word.data, '@') != NULL;
    }
    if (ok && mail_cfws_end(&c) && words == 1 && !quoted)
        return one_check(word.data, out, e);
    if (!ok || mail_cfws_end(&c) || !one_angle(&c, &word))
        return err_set(e, ERR_INPUT, "what stands there is not one address");
    if (at_in_name)
        return err_set(e, ERR_INPUT, "an address for a name");
    return one_check(word.data, out, e);
}
