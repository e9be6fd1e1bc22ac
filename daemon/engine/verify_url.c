/* SPDX-License-Identifier: ISC
 *
 * verify_url - signatures that cover the URL as the sender has it
 *
 *   twilio  X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the posted names and
 *           values in order; with bodySHA256 in the query, over the URL alone
 *   plivo   X-Plivo-Signature-V3: the same idea with SHA-256 and a nonce
 *
 * Behind a server that ends TLS the URL is https:// and the Host that it passes on;
 * `url` says it where that is not so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/verify_inner.h"

struct pair {
    char *name, *value; /* own */
};

struct pairs {
    struct pair *v; /* own */
    size_t count;
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* As a browser encodes a form; own. */
static char *undo(const char *p, size_t n)
{
    char *out = mem_alloc(n + 1), *to = out;
    for (size_t i = 0; i < n; i++) {
        bool coded = p[i] == '%' && i + 2 < n;
        int high = coded ? hex_digit(p[i + 1]) : -1, low = coded ? hex_digit(p[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            *to++ = (char)(high * 16 + low);
            i += 2;
        } else {
            *to++ = p[i] == '+' ? ' ' : p[i];
        }
    }
    return out;
}

static int pair_order(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name ? by_name : strcmp(x->value, y->value);
}

static void pairs_read(struct pairs *out, const char *p, size_t n)
{
    *out = (struct pairs){.v = mem_array(BOUND_FORM_FIELDS, sizeof(*out->v))};
    for (const char *end = p + n; p < end && out->count < BOUND_FORM_FIELDS;) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        const char *stop = amp ? amp : end;
        const char *eq = memchr(p, '=', (size_t)(stop - p));
        if (stop > p)
            out->v[out->count++] =
                (struct pair){undo(p, (size_t)((eq ? eq : stop) - p)),
                              eq ? undo(eq + 1, (size_t)(stop - eq - 1)) : mem_str("")};
        p = stop + 1;
    }
    qsort(out->v, out->count, sizeof(*out->v), pair_order);
}

static void pairs_done(struct pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        mem_free(p->v[i].name);
        mem_free(p->v[i].value);
    }
    mem_free(p->v);
}

static bool pair_again(const struct pairs *p, size_t i)
{
    return i > 0 && pair_order(&p->v[i - 1], &p->v[i]) == 0;
}

/* ---- Twilio --------------------------------------------------------------------------- */

/* What the body contributes: its values, or by its hash in the query. */
static bool twilio_body(const struct verify_request *r, struct buf *b)
{
    struct pairs pairs;
    const char *query = strchr(r->path, '?');
    const char *sum = query ? strstr(query, "bodySHA256=") : NULL;
    if (sum) {
        char right[HASH_SHA256_HEX];
        AUTO_FREE char *given = mem_strn(sum + 11, strcspn(sum + 11, "&"));
        hash_sha256_hex(r->body, r->len, right);
        return text_equal_ct(right, given);
    }
    if (form_type_of(r->type) != FORM_TYPE_URLENCODED)
        return r->len == 0;
    pairs_read(&pairs, r->body, r->len);
    for (size_t i = 0; i < pairs.count; i++)
        if (!pair_again(&pairs, i)) {
            buf_str(b, pairs.v[i].name);
            buf_str(b, pairs.v[i].value);
        }
    bool whole = pairs.count < BOUND_FORM_FIELDS;
    pairs_done(&pairs);
    return whole;
}

static void check_twilio(const struct verify *v, const struct verify_request *r,
                         struct verified *out)
{
    const char *given = verify_header(r, "x-twilio-signature");
    AUTO_FREE char *url = verify_url(v, r);
    struct buf b AUTO_BUF;
    buf_init(&b, r->len + KIB(32));
    if (!given) {
        verify_say(out, "the request has no header X-Twilio-Signature");
        return;
    }
    buf_str(&b, url);
    out->bound = true;
    out->ok = twilio_body(r, &b) && verify_any(v, VERIFY_SHA1, &b, true, given);
    if (!out->ok)
        verify_say(out, "the signature does not fit the URL %.60s, the request and the secret", url);
}

/* ---- Plivo ------------------------------------------------------------------------------ */

static void plivo_text(const struct verify_request *r, const char *url, struct buf *b)
{
    struct pairs query, body;
    const char *asked = strchr(url, '?');
    bool post = r->len > 0;
    pairs_read(&query, asked ? asked + 1 : "", asked ? strlen(asked + 1) : 0);
    pairs_read(&body, r->body, form_type_of(r->type) == FORM_TYPE_URLENCODED ? r->len : 0);
    buf_add(b, url, strcspn(url, "?"));
    if (query.count || post)
        buf_char(b, '?');
    for (size_t i = 0; i < query.count; i++)
        buf_printf(b, "%s%s=%s", i ? "&" : "", query.v[i].name, query.v[i].value);
    if (query.count && post)
        buf_char(b, '.');
    for (size_t i = 0; i < body.count; i++) {
        buf_str(b, body.v[i].name);
        buf_str(b, body.v[i].value);
    }
    pairs_done(&query);
    pairs_done(&body);
}

static void check_plivo(const struct verify *v, const struct verify_request *r,
                        struct verified *out)
{
    const char *list = verify_header(r, "x-plivo-signature-v3");
    const char *nonce = verify_header(r, "x-plivo-signature-v3-nonce");
    AUTO_FREE char *url = verify_url(v, r);
    struct buf b AUTO_BUF;
    buf_init(&b, 2 * r->len + KIB(32));
    if (!list || !nonce) {
        verify_say(out, "the request has no header X-Plivo-Signature-V3");
        return;
    }
    plivo_text(r, url, &b);
    buf_printf(&b, ".%s", nonce);
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        AUTO_FREE char *given = mem_strn(p, n);
        out->ok |= verify_any(v, VERIFY_SHA256, &b, true, given);
        p += n + (p[n] == ',');
    }
    out->bound = true;
}

const struct scheme verify_urls[] = {{"twilio", check_twilio}, {"plivo", check_plivo}, {0}};
