/* SPDX-License-Identifier: ISC
 *
 * gateway - see gateway.h: the request
 */
#include "base/gateway.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const reasons[] = {"ok",       "permanent", "temporary", "opted_out",
                                      "invalid_number", "landline", "auth", "rate",
                                      "balance",  "unknown"};

const char *gateway_reason_name(enum gateway_reason r)
{
    return reasons[r];
}

enum gateway_reason gateway_reason_parse(const char *name)
{
    for (unsigned i = 0; i < GATEWAY_REASON_COUNT; i++)
        if (strcmp(reasons[i], name) == 0)
            return (enum gateway_reason)i;
    return GATEWAY_REASON_COUNT;
}

bool gateway_reason_is_final(enum gateway_reason r)
{
    return r == GATEWAY_PERMANENT || r == GATEWAY_OPTED_OUT || r == GATEWAY_INVALID_NUMBER ||
           r == GATEWAY_LANDLINE;
}

/* ---- values ------------------------------------------------------------------------- */

/* All that a text of a gateway may name, besides its params and its encodings. */
static const char *const value_names[] = {
    "user", "secret",   "number", "to",       "to_digits", "from",        "from_digits",
    "text", "encoding", "key",    "segments", "text_hex",  "receipt_url", "provider_id"};

static const char *after_plus(const char *s)
{
    return *s == '+' ? s + 1 : s;
}

/* UTF-16BE in hex digits, as some gateways want what is not GSM. */
static char *text_as_hex(const char *s)
{
    struct buf out AUTO_BUF;
    buf_init(&out, BOUND_SMS_TEXT * 8);
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        unsigned len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
        uint32_t c = len == 1 ? *p : *p & (0x7fu >> len);
        for (p++; --len && *p; p++)
            c = c << 6 | (*p & 0x3f);
        if (c > 0xffff) {
            c -= 0x10000;
            buf_printf(&out, "%04X%04X", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
        } else {
            buf_printf(&out, "%04X", c);
        }
    }
    return mem_str(out.data);
}

json_t *gateway_values(const json_t *gw, const char *secret, const json_t *text)
{
    json_t *v = json_object(), *one;
    const char *name;
    json_object_foreach(json_get_obj(gw, "params"), name, one)
        json_object_set(v, name, one);
    json_object_foreach(json_get_obj(json_get_obj(gw, "encodings"),
                                     json_get_str(text, "encoding", "gsm7")), name, one)
        json_object_set(v, name, one);
    const char *number = json_get_str(gw, "number", ""), *to = json_get_str(text, "to", ""),
               *from = json_get_str(text, "from", number), *words = json_get_str(text, "text", "");
    AUTO_FREE char *hex = text_as_hex(words);
    json_put_str(v, "user", json_get_str(gw, "user", ""));
    json_put_str(v, "secret", secret ? secret : "");
    json_put_str(v, "number", number);
    json_put_str(v, "to", to);
    json_put_str(v, "to_digits", after_plus(to));
    json_put_str(v, "from", from);
    json_put_str(v, "from_digits", after_plus(from));
    json_put_str(v, "text", words);
    json_put_str(v, "text_hex", hex);
    json_put_str(v, "encoding", json_get_str(text, "encoding", "gsm7"));
    json_put_str(v, "key", json_get_str(text, "key", ""));
    json_put_str(v, "receipt_url", json_get_str(text, "receipt_url", ""));
    json_put_str(v, "provider_id", json_get_str(text, "provider_id", ""));
    AUTO_FREE char *segments = mem_printf("%d", (int)json_get_int(text, "segments", 1));
    json_put_str(v, "segments", segments);
    return v;
}

/* ---- {names} ------------------------------------------------------------------------- */

static void add_percent(struct buf *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                     (c < 0x80 && strchr("-._~", c));
        buf_printf(out, plain ? "%c" : "%%%02X", c);
    }
}

/* The name behind a brace; the length with both braces, or 0: it is a brace like others. */
static size_t name_at(const char *p, char out[64])
{
    size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    if (n == 0 || n >= 64 || p[n + 1] != '}')
        return 0;
    memcpy(out, p + 1, n);
    out[n] = '\0';
    return n + 2;
}

int gateway_fill(const char *text, const json_t *values, enum gateway_place place,
                 struct buf *out, struct err *e)
{
    char name[64];
    for (const char *p = text; *p;) {
        size_t n = *p == '{' ? name_at(p, name) : 0;
        if (n == 0) {
            buf_char(out, *p++);
            continue;
        }
        const json_t *v = json_object_get(values, name);
        if (!json_is_string(v))
            return err_set(e, ERR_PERM, "there is no value {%s}", name);
        if (place == GATEWAY_URL)
            add_percent(out, json_string_value(v));
        else
            buf_str(out, json_string_value(v));
        p += n;
    }
    return buf_ok(out) ? 0 : err_set(e, ERR_PERM, "the request gets too long");
}

/* It names a {value} that is empty: the field is not sent at all. */
static bool is_left_out(const json_t *text, const json_t *values)
{
    char name[64];
    const char *s = json_string_value(text);
    for (; s && *s; s++)
        if (*s == '{' && name_at(s, name) && !*json_get_str(values, name, "x"))
            return true;
    return false;
}

static char *filled(const char *text, const json_t *values, enum gateway_place place,
                    struct err *e)
{
    struct buf b AUTO_BUF;
    buf_init(&b, BOUND_SMS_REQUEST);
    return gateway_fill(text, values, place, &b, e) < 0 ? NULL : mem_str(b.data);
}

/* A number or a word of the config, as text. own. */
static char *plain_text(const json_t *v, const json_t *values, struct err *e)
{
    if (json_is_string(v))
        return filled(json_string_value(v), values, GATEWAY_PLAIN, e);
    if (json_is_integer(v))
        return mem_printf("%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v))
        return mem_str(json_is_true(v) ? "true" : "false");
    err_set(e, ERR_PERM, "a list or group cannot stand here");
    return NULL;
}

/* ---- the parts of a request ------------------------------------------------------------ */

static int add_pairs(struct buf *out, const json_t *pairs, const json_t *values, struct err *e)
{
    const char *name;
    json_t *v;
    bool first = true;
    json_object_foreach((json_t *)pairs, name, v) {
        if (is_left_out(v, values))
            continue;
        AUTO_FREE char *text = plain_text(v, values, e);
        if (!text)
            return -1;
        if (!first)
            buf_char(out, '&');
        first = false;
        add_percent(out, name);
        buf_char(out, '=');
        add_percent(out, text);
    }
    return buf_ok(out) ? 0 : err_set(e, ERR_PERM, "the request gets too long");
}

/* The same shape with its texts filled in. own; NULL with e. */
static json_t *json_filled(const json_t *v, const json_t *values, struct err *e)
{
    const char *name;
    json_t *one, *part;
    size_t i;
    if (json_is_string(v)) {
        AUTO_FREE char *text = filled(json_string_value(v), values, GATEWAY_PLAIN, e);
        return text ? json_string(text) : NULL;
    }
    if (!json_is_object(v) && !json_is_array(v))
        return json_incref((json_t *)v);
    json_t *out = json_is_object(v) ? json_object() : json_array();
    json_object_foreach((json_t *)v, name, one) {
        if (is_left_out(one, values))
            continue;
        if (!(part = json_filled(one, values, e)))
            goto failed;
        json_object_set_new(out, name, part);
    }
    json_array_foreach((json_t *)v, i, one) {
        if (!(part = json_filled(one, values, e)))
            goto failed;
        json_array_append_new(out, part);
    }
    return out;
failed:
    json_decref(out);
    return NULL;
}

static int make_url(const json_t *gw, const json_t *part, const json_t *values,
                    struct gateway_request *r, struct err *e)
{
    struct buf b AUTO_BUF;
    const json_t *query = json_get_obj(part, "query");
    buf_init(&b, BOUND_SMS_REQUEST);
    if (gateway_fill(json_get_str(part, "url", json_get_str(gw, "url", "")), values, GATEWAY_URL,
                     &b, e) < 0 ||
        gateway_fill(json_get_str(part, "path", ""), values, GATEWAY_URL, &b, e) < 0)
        return -1;
    if (json_object_size(query) > 0) {
        buf_char(&b, '?');
        if (add_pairs(&b, query, values, e) < 0)
            return -1;
    }
    r->url = mem_str(b.data);
    return 0;
}

static int make_body(const json_t *part, const json_t *values, struct gateway_request *r,
                     struct err *e)
{
    const json_t *form = json_get_obj(part, "form"), *json = json_object_get(part, "json");
    const char *body = json_get_str(part, "body", NULL);
    if (json_object_size(form) > 0) {
        r->type = "application/x-www-form-urlencoded";
        return add_pairs(&r->body, form, values, e);
    }
    if (json && json_object_size(json) + json_array_size(json) > 0) {
        AUTO_JSON json_t *whole = json_filled(json, values, e);
        if (!whole)
            return -1;
        r->type = "application/json";
        json_write(&r->body, whole);
        return buf_ok(&r->body) ? 0 : err_set(e, ERR_PERM, "the request gets too long");
    }
    if (!body)
        return 0;
    r->type = "text/plain; charset=utf-8";
    return gateway_fill(body, values, GATEWAY_PLAIN, &r->body, e);
}

static int put_header(struct gateway_request *r, const char *name, const char *value,
                      struct err *e)
{
    if (!text_is_single_line(name) || !text_is_single_line(value) || strchr(name, ':'))
        return err_set(e, ERR_PERM, "the header %s would not be one line", name);
    json_put_str(r->headers, name, value);
    return 0;
}

static int make_auth(const json_t *part, const json_t *values, struct gateway_request *r,
                     struct err *e)
{
    const char *auth = json_get_str(part, "auth", "none");
    AUTO_FREE char *value = NULL;
    if (strcmp(auth, "none") == 0)
        return 0;
    if (strcmp(auth, "bearer") == 0) {
        value = mem_printf("Bearer %s", json_get_str(values, "secret", ""));
    } else {
        AUTO_FREE char *pair = mem_printf("%s:%s", json_get_str(values, "user", ""),
                                          json_get_str(values, "secret", ""));
        gnutls_datum_t in = {(unsigned char *)pair, (unsigned)strlen(pair)}, out;
        if (gnutls_base64_encode2(&in, &out) < 0)
            return err_set(e, ERR_BUG, "base64");
        value = mem_printf("Basic %.*s", (int)out.size, out.data);
        gnutls_free(out.data);
    }
    return put_header(r, "Authorization", value, e);
}

int gateway_request(const json_t *gw, const char *part_name, const json_t *values,
                    struct gateway_request *r, struct err *e)
{
    const json_t *part = json_get_obj(gw, part_name);
    const char *name;
    json_t *v;
    *r = (struct gateway_request){.method = json_get_str(part, "method", strcmp(part_name, "pull") ? "POST" : "GET"),
                                  .headers = json_object()};
    buf_init(&r->body, BOUND_SMS_REQUEST);
    if (!part)
        return err_set(e, ERR_PERM, "the gateway has no %s", part_name);
    if (make_url(gw, part, values, r, e) < 0 || make_body(part, values, r, e) < 0 ||
        make_auth(part, values, r, e) < 0)
        return -1;
    json_object_foreach(json_get_obj(part, "headers"), name, v) {
        if (is_left_out(v, values))
            continue;
        AUTO_FREE char *text = plain_text(v, values, e);
        if (!text || put_header(r, name, text, e) < 0)
            return -1;
    }
    return 0;
}

void gateway_request_done(struct gateway_request *r)
{
    mem_free(r->url);
    json_decref(r->headers);
    buf_done(&r->body);
    *r = (struct gateway_request){0};
}

char *gateway_base_url(const json_t *gw, struct err *e)
{
    AUTO_JSON json_t *values = gateway_values(gw, "", NULL);
    return filled(json_get_str(gw, "url", ""), values, GATEWAY_URL, e);
}

bool gateway_fetches(const json_t *gw)
{
    return json_get_str(json_get_obj(gw, "inbound"), "media", NULL) &&
           json_get_bool(json_get_obj(gw, "media"), "fetch", true);
}

static bool tree_names(const json_t *v, const char *braced)
{
    const char *name;
    json_t *one;
    size_t i;
    if (json_is_string(v))
        return strstr(json_string_value(v), braced) != NULL;
    json_object_foreach((json_t *)v, name, one)
        if (tree_names(one, braced))
            return true;
    json_array_foreach((json_t *)v, i, one)
        if (tree_names(one, braced))
            return true;
    return false;
}

bool gateway_needs(const json_t *gw, const char *name)
{
    AUTO_FREE char *braced = mem_printf("{%s}", name);
    const json_t *send = json_get_obj(gw, "send");
    const char *auth = json_get_str(send, "auth", "none");
    return tree_names(send, braced) || strcmp(auth, "basic") == 0 ||
           (strcmp(auth, "bearer") == 0 && strcmp(name, "secret") == 0);
}

/* ---- the check at load ----------------------------------------------------------------- */

static int check_text(const json_t *gw, const char *where, const char *s, struct err *e)
{
    char name[64];
    const json_t *gsm = json_get_obj(json_get_obj(gw, "encodings"), "gsm7");
    for (; *s; s++) {
        bool known = *s != '{' || name_at(s, name) == 0;
        for (size_t i = 0; !known && i < ARRAY_LEN(value_names); i++)
            known = strcmp(name, value_names[i]) == 0;
        if (!known && !json_object_get(json_get_obj(gw, "params"), name) &&
            !json_object_get(gsm, name)) {
            const char *near = text_nearest(name, value_names, ARRAY_LEN(value_names));
            return err_set(e, ERR_INPUT, "%s: {%s} is neither one of params nor a value%s%s%s",
                           where, name, near ? "; did you mean {" : "", near ? near : "",
                           near ? "}?" : "");
        }
    }
    return 0;
}

static int check_tree(const json_t *gw, const char *where, const json_t *v, struct err *e)
{
    const char *name;
    json_t *one;
    size_t i;
    if (json_is_string(v))
        return check_text(gw, where, json_string_value(v), e);
    json_object_foreach((json_t *)v, name, one) {
        AUTO_FREE char *path = mem_printf("%s.%s", where, name);
        if (check_tree(gw, path, one, e) < 0)
            return -1;
    }
    json_array_foreach((json_t *)v, i, one)
        if (check_tree(gw, where, one, e) < 0)
            return -1;
    return 0;
}

int gateway_check(const json_t *gw, struct err *e)
{
    static const char *const parts[] = {"send", "pull", "media"};
    static const char *const keys[] = {"url", "path", "query", "form", "json", "body", "headers",
                                       "to",  "subject"};
    if (check_tree(gw, "url", json_object_get(gw, "url"), e) < 0)
        return -1;
    for (size_t p = 0; p < ARRAY_LEN(parts); p++)
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            AUTO_FREE char *where = mem_printf("%s.%s", parts[p], keys[k]);
            if (check_tree(gw, where, json_object_get(json_get_obj(gw, parts[p]), keys[k]), e) < 0)
                return -1;
        }
    return 0;
}
