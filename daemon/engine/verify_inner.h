/* SPDX-License-Identifier: ISC
 *
 * verify_inner - what the files of verify share
 */
#ifndef LEADD_ENGINE_VERIFY_INNER_H
#define LEADD_ENGINE_VERIFY_INNER_H

#include "base/buf.h"
#include "engine/verify.h"

struct scheme;

struct verify {
    const struct scheme *scheme;
    const json_t *conf; /* borrowed from the config */
    char *secrets[VERIFY_SECRETS]; /* own */
    size_t count;
    char *challenge; /* own; the token of verify_challenge, or NULL */
};

struct scheme {
    const char *name;
    void (*check)(const struct verify *v, const struct verify_request *r, struct verified *out);
};

enum verify_mac { VERIFY_SHA1, VERIFY_SHA256, VERIFY_SHA512 };

/* Why it is not ok; a wrong signature says so in the same words everywhere. */
void verify_say(struct verified *out, const char *fmt, ...) LEADD_PRINTF(2, 3);
#define VERIFY_MISMATCH "the signature does not fit the request and the secret"

/* The value of a header by its name in any case; NULL: none. */
const char *verify_header(const struct verify_request *r, const char *name);
/* A setting of the group, or what the scheme has there. */
const char *verify_setting(const struct verify *v, const char *key, const char *def);

/* HMAC as text. Own. */
char *verify_hmac(enum verify_mac mac, const void *key, size_t key_len, const void *p, size_t n,
                  bool base64);
/* Does `given` stand for p under one of the secrets, taken as they are? */
bool verify_any(const struct verify *v, enum verify_mac mac, const struct buf *p, bool base64,
                const char *given);
/* Base64, also without padding and of URLs, when that is its one notation; own, NULL: no. */
unsigned char *verify_unbase64(const char *text, size_t n, bool url, size_t *n_out);
char *verify_base64(const void *p, size_t n); /* own */

/* Whether the time that was signed is within the window; said when not. */
bool verify_time(const struct verify *v, const struct verify_request *r, int64_t signed_ms,
                 struct verified *out);
/* Seconds in decimal, digits alone. -1: it is none. */
int64_t verify_seconds(const char *text);

/* The URL as the sender has it; own. */
char *verify_url(const struct verify *v, const struct verify_request *r);

/* verify_signed.c, verify_url.c */
extern const struct scheme verify_signed[], verify_urls[]; /* to a row without name */

#endif
