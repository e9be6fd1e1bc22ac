/* SPDX-License-Identifier: ISC
 *
 * verify_signed - signatures over the body, with or without a time
 *
 *   hmac               header, algorithm, encoding, prefix and `signs` as the config has them
 *   github, typeform   the same with theirs
 *   stripe             t=SECONDS,v1=HEX of "SECONDS.BODY"; several v1 while a secret changes
 *   standard-webhooks  webhook-id, -timestamp, -signature "v1,BASE64 .." of "ID.SECONDS.BODY"
 *   mailgun            signature{timestamp, token, signature} in the body; the rest of the
 *                      body is not covered, so the token counts once
 *   telnyx             Ed25519 over "SECONDS|BODY"; the secret is the public key in base64
 *   vonage             a JWT (HS256) in Authorization, with the body's hash in it
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/verify_inner.h"

static void buf_begin(struct buf *b, const struct verify_request *r)
{
    buf_init(b, r->len + KIB(32));
}

/* ---- HMAC as the config describes it -------------------------------------------------- */

struct shape {
    const char *header, *algorithm, *encoding, *prefix, *signs;
};

/* `signs` with {body} and {header NAME} filled in. */
static void shape_text(const struct verify_request *r, const char *signs, struct buf *out)
{
    for (const char *p = signs; *p;) {
        size_t n = strcspn(p, "}");
        if (*p != '{' || !p[n]) {
            buf_char(out, *p++);
            continue;
        }
        AUTO_FREE char *name = mem_strn(p + 1, n - 1);
        if (strcmp(name, "body") == 0)
            buf_add(out, r->body, r->len);
        else if (text_starts(name, "header "))
            buf_str(out, verify_header(r, name + 7) ?: "");
        p += n + 1;
    }
}

/* The time that the header named by `time` has: in seconds, or milliseconds. */
static bool shape_time(const struct verify *v, const struct verify_request *r,
                       struct verified *out)
{
    const char *header = verify_setting(v, "time", NULL);
    if (!header)
        return true;
    int64_t at = verify_seconds(verify_header(r, header));
    const char *text = verify_header(r, header);
    if (at < 0 && text && strlen(text) == 13 && strspn(text, "0123456789") == 13)
        return text_parse_int(text, &at) == 0 && verify_time(v, r, at, out);
    return verify_time(v, r, at < 0 ? at : at * 1000, out);
}

static void check_shape(const struct verify *v, const struct verify_request *r,
                        const struct shape *s, struct verified *out)
{
    struct buf b AUTO_BUF;
    buf_begin(&b, r);
    const char *given = s->header ? verify_header(r, s->header) : NULL;
    size_t n = strlen(s->prefix);
    enum verify_mac mac = strcmp(s->algorithm, "sha1") == 0     ? VERIFY_SHA1
                          : strcmp(s->algorithm, "sha512") == 0 ? VERIFY_SHA512
                                                                : VERIFY_SHA256;
    if (!given) {
        verify_say(out, "the request has no header %s", s->header ? s->header : "with a signature");
        return;
    }
    if (!text_starts(given, s->prefix) || !shape_time(v, r, out))
        return;
    shape_text(r, s->signs, &b);
    out->ok = verify_any(v, mac, &b, strcmp(s->encoding, "base64") == 0, given + n);
    out->bound = true;
}

static void check_hmac(const struct verify *v, const struct verify_request *r,
                       struct verified *out)
{
    const struct shape s = {.header = verify_setting(v, "header", NULL),
                            .algorithm = verify_setting(v, "algorithm", "sha256"),
                            .encoding = verify_setting(v, "encoding", "hex"),
                            .prefix = verify_setting(v, "prefix", ""),
                            .signs = verify_setting(v, "signs", "{body}")};
    check_shape(v, r, &s, out);
}

static void check_github(const struct verify *v, const struct verify_request *r,
                         struct verified *out)
{
    const struct shape s = {"X-Hub-Signature-256", "sha256", "hex", "sha256=", "{body}"};
    check_shape(v, r, &s, out);
}

static void check_typeform(const struct verify *v, const struct verify_request *r,
                           struct verified *out)
{
    const struct shape s = {"Typeform-Signature", "sha256", "base64", "sha256=", "{body}"};
    check_shape(v, r, &s, out);
}

/* ---- t=..,v1=.. ------------------------------------------------------------------------- */

/* The next part of a list; false at its end. */
static bool next_part(const char **list, const char *separators, struct str *out)
{
    const char *p = *list + strspn(*list, separators);
    size_t n = strcspn(p, separators);
    *out = (struct str){p, n};
    *list = p + n;
    return n > 0;
}

static void check_stripe(const struct verify *v, const struct verify_request *r,
                         struct verified *out)
{
    const char *header = verify_setting(v, "header", "Stripe-Signature");
    const char *list = verify_header(r, header);
    AUTO_FREE char *at = NULL;
    struct str part;
    struct buf b AUTO_BUF;
    buf_begin(&b, r);
    if (!list) {
        verify_say(out, "the request has no header %s", header);
        return;
    }
    for (const char *p = list; !at && next_part(&p, ", ", &part);)
        if (part.n > 2 && text_starts(part.p, "t="))
            at = mem_strn(part.p + 2, part.n - 2);
    int64_t seconds = verify_seconds(at);
    if (!verify_time(v, r, seconds < 0 ? -1 : seconds * 1000, out))
        return;
    buf_printf(&b, "%s.", at);
    buf_add(&b, r->body, r->len);
    for (const char *p = list; next_part(&p, ", ", &part);) {
        if (part.n <= 3 || !text_starts(part.p, "v1="))
            continue;
        AUTO_FREE char *given = mem_strn(part.p + 3, part.n - 3);
        out->ok |= verify_any(v, VERIFY_SHA256, &b, false, given);
    }
    out->bound = true;
}

/* ---- Standard Webhooks --------------------------------------------------------------------- */

static bool standard_any(const struct verify *v, const struct buf *b, const char *given)
{
    bool found = false;
    for (size_t i = 0; i < v->count; i++) {
        const char *secret = v->secrets[i];
        size_t n = strlen(secret);
        AUTO_FREE unsigned char *key = NULL;
        if (text_starts(secret, "whsec_"))
            key = verify_unbase64(secret + 6, n - 6, false, &n);
        AUTO_FREE char *right = verify_hmac(VERIFY_SHA256, key ? (void *)key : secret,
                                            key ? n : strlen(secret), b->data, b->len, true);
        found |= text_equal_ct(right, given);
    }
    return found;
}

static const char *standard_header(const struct verify_request *r, const char *name)
{
    char key[64];
    snprintf(key, sizeof(key), "webhook-%s", name);
    const char *value = verify_header(r, key);
    snprintf(key, sizeof(key), "svix-%s", name); /* as it was called before */
    return value ? value : verify_header(r, key);
}

static void check_standard(const struct verify *v, const struct verify_request *r,
                           struct verified *out)
{
    const char *id = standard_header(r, "id"), *at = standard_header(r, "timestamp"),
               *list = standard_header(r, "signature");
    struct str part;
    struct buf b AUTO_BUF;
    buf_begin(&b, r);
    if (!id || !list || strlen(id) >= sizeof(out->id)) {
        verify_say(out, "the request has no headers webhook-id and webhook-signature");
        return;
    }
    int64_t seconds = verify_seconds(at);
    if (!verify_time(v, r, seconds < 0 ? -1 : seconds * 1000, out))
        return;
    buf_printf(&b, "%s.%s.", id, at);
    buf_add(&b, r->body, r->len);
    while (next_part(&list, " ", &part)) {
        if (part.n <= 3 || !text_starts(part.p, "v1,"))
            continue;
        AUTO_FREE char *given = mem_strn(part.p + 3, part.n - 3);
        out->ok |= standard_any(v, &b, given);
    }
    out->bound = true;
    snprintf(out->id, sizeof(out->id), "%s", id);
}

/* ---- Mailgun ------------------------------------------------------------------------------- */

static void check_mailgun(const struct verify *v, const struct verify_request *r,
                          struct verified *out)
{
    struct err e = {0};
    AUTO_JSON json_t *body = json_load_bounded(r->body, r->len, BOUND_HTTP_BODY_MAX, &e);
    const json_t *s = json_get_obj(body, "signature");
    const char *at = json_get_str(s, "timestamp", NULL), *token = json_get_str(s, "token", NULL);
    const char *given = json_get_str(s, "signature", NULL);
    struct buf b AUTO_BUF;
    buf_init(&b, KIB(4));
    if (!token || !given || strlen(token) >= sizeof(out->id) || !*token) {
        verify_say(out, "the body has no signature");
        return;
    }
    int64_t seconds = verify_seconds(at);
    if (!verify_time(v, r, seconds < 0 ? -1 : seconds * 1000, out))
        return;
    buf_printf(&b, "%s%s", at, token);
    out->ok = verify_any(v, VERIFY_SHA256, &b, false, given);
    snprintf(out->id, sizeof(out->id), "%s", token);
}

/* ---- Telnyx ---------------------------------------------------------------------------------- */

static bool ed25519(const char *key64, const struct buf *b, const unsigned char *sig, size_t sig_len)
{
    size_t n = 0;
    AUTO_FREE unsigned char *key = verify_unbase64(key64, strlen(key64), false, &n);
    gnutls_pubkey_t pub;
    const gnutls_datum_t x = {key, (unsigned)n}, s = {(unsigned char *)sig, (unsigned)sig_len};
    const gnutls_datum_t data = {(unsigned char *)b->data, (unsigned)b->len};
    if (!key || n != 32 || gnutls_pubkey_init(&pub) < 0)
        return false;
    bool ok = gnutls_pubkey_import_ecc_raw(pub, GNUTLS_ECC_CURVE_ED25519, &x, NULL) == 0 &&
              gnutls_pubkey_verify_data2(pub, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &s) >= 0;
    gnutls_pubkey_deinit(pub);
    return ok;
}

static void check_telnyx(const struct verify *v, const struct verify_request *r,
                         struct verified *out)
{
    const char *given = verify_header(r, "telnyx-signature-ed25519");
    const char *at = verify_header(r, "telnyx-timestamp");
    size_t n = 0;
    struct buf b AUTO_BUF;
    buf_begin(&b, r);
    if (!given) {
        verify_say(out, "the request has no header telnyx-signature-ed25519");
        return;
    }
    int64_t seconds = verify_seconds(at);
    if (!verify_time(v, r, seconds < 0 ? -1 : seconds * 1000, out))
        return;
    AUTO_FREE unsigned char *sig = verify_unbase64(given, strlen(given), false, &n);
    buf_printf(&b, "%s|", at);
    buf_add(&b, r->body, r->len);
    for (size_t i = 0; sig && n == 64 && i < v->count; i++)
        out->ok |= ed25519(v->secrets[i], &b, sig, n);
    out->bound = true;
}

/* ---- Vonage ------------------------------------------------------------------------------------ */

static json_t *jwt_part(const char *p, size_t n)
{
    struct err e = {0};
    size_t len = 0;
    AUTO_FREE unsigned char *text = verify_unbase64(p, n, true, &len);
    return text ? json_load_bounded((char *)text, len, KIB(16), &e) : NULL;
}

/* Base64 as URLs have it, without padding. */
static void as_url(char *text)
{
    for (; *text && *text != '='; text++)
        *text = *text == '+' ? '-' : *text == '/' ? '_' : *text;
    *text = '\0';
}

static bool jwt_any(const struct verify *v, const char *head, size_t n, const char *given)
{
    bool found = false;
    for (size_t i = 0; i < v->count; i++) {
        AUTO_FREE char *right =
            verify_hmac(VERIFY_SHA256, v->secrets[i], strlen(v->secrets[i]), head, n, true);
        as_url(right);
        found |= text_equal_ct(right, given);
    }
    return found;
}

static void check_vonage(const struct verify *v, const struct verify_request *r,
                         struct verified *out)
{
    const char *auth = verify_header(r, "authorization");
    const char *jwt = auth && strncasecmp(auth, "bearer ", 7) == 0 ? auth + 7 : "";
    const char *dot = strchr(jwt, '.'), *last = strrchr(jwt, '.');
    char sum[HASH_SHA256_HEX];
    if (!dot || dot == last) {
        verify_say(out, "the request has no token");
        return;
    }
    AUTO_JSON json_t *head = jwt_part(jwt, (size_t)(dot - jwt));
    AUTO_JSON json_t *claims = jwt_part(dot + 1, (size_t)(last - dot - 1));
    if (!jwt_any(v, jwt, (size_t)(last - jwt), last + 1) ||
        strcmp(json_get_str(head, "alg", ""), "HS256") != 0)
        return;
    if (!verify_time(v, r, json_get_int(claims, "iat", -1) * 1000, out))
        return;
    hash_sha256_hex(r->body, r->len, sum);
    const char *given = json_get_str(claims, "payload_hash", NULL);
    out->bound = given != NULL;
    out->ok = given ? text_equal_ct(sum, given) : r->len == 0;
    if (!out->ok)
        verify_say(out, given ? "the token is of another body" : "the token does not cover the body");
}

const struct scheme verify_signed[] = {
    {"hmac", check_hmac},
    {"github", check_github},
    {"typeform", check_typeform},
    {"stripe", check_stripe},
    {"standard-webhooks", check_standard},
    {"mailgun", check_mailgun},
    {"telnyx", check_telnyx},
    {"vonage", check_vonage},
    {0},
};
