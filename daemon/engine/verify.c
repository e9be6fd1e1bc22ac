/* SPDX-License-Identifier: ISC
 *
 * verify - see verify.h; here: what carries the secret itself, and what all share
 */
#include "engine/verify.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/verify_inner.h"

/* ---- what all share -------------------------------------------------------------- */

void verify_say(struct verified *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->why, sizeof(out->why), fmt, ap);
    va_end(ap);
    text_make_line(out->why);
}

const char *verify_header(const struct verify_request *r, const char *name)
{
    AUTO_FREE char *low = mem_str(name);
    text_lower(low);
    return json_get_str(r->headers, low, NULL);
}

const char *verify_setting(const struct verify *v, const char *key, const char *def)
{
    return json_get_str(v->conf, key, def);
}

char *verify_base64(const void *p, size_t n)
{
    const gnutls_datum_t in = {(unsigned char *)p, (unsigned)n};
    gnutls_datum_t out;
    LEADD_ASSERT(gnutls_base64_encode2(&in, &out) == 0);
    char *text = mem_strn((const char *)out.data, out.size);
    gnutls_free(out.data);
    return text;
}

/* As standard base64 with padding. */
static char *padded(const char *text, size_t n, bool url)
{
    char *std = mem_alloc(n + 4);
    memcpy(std, text, n);
    for (size_t i = 0; url && i < n; i++)
        std[i] = std[i] == '-' ? '+' : std[i] == '_' ? '/' : std[i];
    while (url && n % 4)
        std[n++] = '=';
    return std;
}

unsigned char *verify_unbase64(const char *text, size_t n, bool url, size_t *n_out)
{
    AUTO_FREE char *std = padded(text, n, url);
    const gnutls_datum_t in = {(unsigned char *)std, (unsigned)strlen(std)};
    gnutls_datum_t raw;
    if (in.size == 0 || strlen(std) < n || gnutls_base64_decode2(&in, &raw) < 0)
        return NULL;
    unsigned char *out = mem_alloc(raw.size + 1);
    memcpy(out, raw.data, raw.size);
    *n_out = raw.size;
    gnutls_free(raw.data);
    AUTO_FREE char *again = verify_base64(out, *n_out);
    if (text_equal_ct(again, std))
        return out;
    mem_free(out); /* another notation of the same bytes: a bit was flipped */
    return NULL;
}

char *verify_hmac(enum verify_mac mac, const void *key, size_t key_len, const void *p, size_t n,
                  bool base64)
{
    static const struct {
        gnutls_mac_algorithm_t algorithm;
        size_t n;
    } macs[] = {[VERIFY_SHA1] = {GNUTLS_MAC_SHA1, 20},
                [VERIFY_SHA256] = {GNUTLS_MAC_SHA256, 32},
                [VERIFY_SHA512] = {GNUTLS_MAC_SHA512, 64}};
    unsigned char sum[64];
    LEADD_ASSERT(gnutls_hmac_fast(macs[mac].algorithm, key, key_len, n ? p : "", n, sum) == 0);
    if (base64)
        return verify_base64(sum, macs[mac].n);
    char *hex = mem_alloc(2 * macs[mac].n + 1);
    text_hex(sum, macs[mac].n, hex);
    return hex;
}

bool verify_any(const struct verify *v, enum verify_mac mac, const struct buf *p, bool base64,
                const char *given)
{
    bool found = false;
    for (size_t i = 0; i < v->count; i++) {
        AUTO_FREE char *right =
            verify_hmac(mac, v->secrets[i], strlen(v->secrets[i]), p->data, p->len, base64);
        found |= text_equal_ct(right, given);
    }
    return found;
}

int64_t verify_seconds(const char *text)
{
    int64_t v;
    size_t n = text ? strlen(text) : 0;
    if (n == 0 || n > 12 || strspn(text, "0123456789") != n || text_parse_int(text, &v) < 0)
        return -1;
    return v;
}

bool verify_time(const struct verify *v, const struct verify_request *r, int64_t signed_ms,
                 struct verified *out)
{
    char apart[32];
    int64_t diff = r->at_ms - signed_ms;
    int64_t window = json_get_int(v->conf, "window", BOUND_HOOK_WINDOW_MS);
    if (signed_ms >= 0 && diff <= window && diff >= -window)
        return true;
    if (signed_ms < 0)
        verify_say(out, "the request has no time that can be read");
    else
        verify_say(out, "the time that was signed is %s %s ours",
                   text_format_duration(diff < 0 ? -diff : diff, apart, sizeof(apart)),
                   diff < 0 ? "ahead of" : "behind");
    return false;
}

char *verify_url(const struct verify *v, const struct verify_request *r)
{
    const char *base = verify_setting(v, "url", NULL);
    size_t n = base ? strlen(base) : 0;
    while (n && base[n - 1] == '/')
        n--;
    return base ? mem_printf("%.*s%s", (int)n, base, r->path)
                : mem_printf("https://%s%s", r->host, r->path);
}

/* ---- a secret that is carried along ------------------------------------------------ */

static bool is_one_of(const struct verify *v, const char *given)
{
    bool found = false;
    for (size_t i = 0; i < v->count; i++)
        found |= text_equal_ct(v->secrets[i], given);
    return found;
}

/* What stands behind the name of the scheme in Authorization. */
static const char *authorization(const struct verify_request *r, const char *scheme)
{
    const char *auth = json_get_str(r->headers, "authorization", "");
    size_t n = strlen(scheme);
    return strncasecmp(auth, scheme, n) == 0 && auth[n] == ' ' ? auth + n + 1 : NULL;
}

/* A value of the query, or of the body; own. */
static char *posted(const struct verify_request *r, const char *name, bool query)
{
    struct form f;
    struct err e = {0};
    const char *asked = strchr(r->path, '?');
    form_init(&f);
    if (query && asked)
        form_read_urlencoded(&f, asked + 1, strlen(asked + 1));
    if (!query && form_type_of(r->type) != FORM_TYPE_UNKNOWN)
        (void)!form_read(&f, r->type, r->body, r->len, &e);
    const char *value = json_get_str(f.values, name, NULL);
    char *own = value ? mem_str(value) : NULL;
    form_done(&f);
    return own;
}

/* A token where the config says; else wherever a sender can put one. */
static char *token_given(const struct verify *v, const struct verify_request *r)
{
    const char *header = verify_setting(v, "header", NULL), *query = verify_setting(v, "query", NULL);
    const char *field = verify_setting(v, "field", NULL), *found = NULL;
    if (header) {
        found = verify_header(r, header);
        return found ? mem_str(found) : NULL;
    }
    if (query || field)
        return posted(r, query ? query : field, query != NULL);
    found = authorization(r, "bearer");
    if (!found && *r->rest)
        found = r->rest;
    return found ? mem_str(found) : posted(r, "token", true);
}

static void check_token(const struct verify *v, const struct verify_request *r,
                        struct verified *out)
{
    AUTO_FREE char *given = token_given(v, r);
    out->ok = given && is_one_of(v, given);
    if (!out->ok)
        verify_say(out, given ? "the token is not the right one" : "the request has no token");
}

/* The secret file has user:password in one line. */
static void check_basic(const struct verify *v, const struct verify_request *r,
                        struct verified *out)
{
    size_t n = 0;
    const char *given = authorization(r, "basic");
    AUTO_FREE unsigned char *plain = given ? verify_unbase64(given, strlen(given), false, &n) : NULL;
    out->ok = plain && strlen((char *)plain) == n && is_one_of(v, (char *)plain);
    if (!out->ok)
        verify_say(out, given ? "name and password are not the right ones"
                              : "the request does not sign in");
}

static void check_none(const struct verify *v, const struct verify_request *r,
                       struct verified *out)
{
    (void)v;
    (void)r;
    out->ok = true;
}

static const struct scheme plain[] = {
    {"none", check_none}, {"token", check_token}, {"basic", check_basic}, {0}};

/* ---- all of them ------------------------------------------------------------------- */

static const struct scheme *scheme_named(const char *name)
{
    const struct scheme *const tables[] = {plain, verify_signed, verify_urls};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct scheme *s = tables[i]; s->name; s++)
            if (strcmp(s->name, name) == 0)
                return s;
    return NULL;
}

struct verify *verify_new(const json_t *conf, char **secrets, size_t count, struct err *e)
{
    const char *name = json_get_str(conf, "scheme", "");
    struct verify *v = mem_alloc(sizeof(*v));
    v->scheme = scheme_named(name);
    v->conf = conf;
    for (size_t i = 0; i < count; i++) {
        if (i < VERIFY_SECRETS)
            v->secrets[v->count++] = secrets[i];
        else
            mem_free(secrets[i]);
    }
    if (v->scheme && count <= VERIFY_SECRETS)
        return v;
    if (v->scheme)
        err_set(e, ERR_PERM, "more than %d secret_files", VERIFY_SECRETS);
    else
        err_set(e, ERR_PERM, "no scheme \"%.60s\"", name);
    verify_free(&v);
    return NULL;
}

void verify_free(struct verify **v)
{
    if (!*v)
        return;
    for (size_t i = 0; i < (*v)->count; i++)
        mem_free((*v)->secrets[i]);
    mem_free((*v)->challenge);
    mem_free(*v);
    *v = NULL;
}

/* ---- before anything is sent ---------------------------------------------------------- */

void verify_set_challenge(struct verify *v, char *token)
{
    v->challenge = token;
}

/* It goes back as it came, so it may be nothing that anybody could read as more. */
static bool is_challenge(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n <= VERIFY_ID_MAX &&
           strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.") == n;
}

char *verify_challenge(const struct verify *v, const struct verify_request *r, bool *asked_out,
                       struct verified *out)
{
    AUTO_FREE char *mode = posted(r, "hub.mode", true);
    *asked_out = v->challenge && mode && strcmp(r->method, "GET") == 0;
    if (!*asked_out)
        return NULL;
    AUTO_FREE char *token = posted(r, "hub.verify_token", true);
    AUTO_FREE char *challenge = posted(r, "hub.challenge", true);
    *out = (struct verified){0};
    if (strcmp(mode, "subscribe") != 0)
        verify_say(out, "hub.mode is not subscribe");
    else if (!token || !text_equal_ct(v->challenge, token))
        verify_say(out, "hub.verify_token is not that of challenge_file");
    else if (!challenge || !is_challenge(challenge))
        verify_say(out, "hub.challenge is missing, or no plain word");
    else
        return mem_str(challenge);
    return NULL;
}

void verify_request(const struct verify *v, const struct verify_request *r, struct verified *out)
{
    *out = (struct verified){0};
    v->scheme->check(v, r, out);
    if (!out->ok && !out->why[0])
        verify_say(out, "%s", VERIFY_MISMATCH);
}
