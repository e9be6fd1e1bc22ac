/* SPDX-License-Identifier: ISC
 *
 * hash - see hash.h
 */
#include "base/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define HASH_BLOCK (1024 * 1024)

void hash_sha256(const void *p, size_t n, unsigned char out[HASH_SHA256_LEN])
{
    LEADD_ASSERT(gnutls_hash_fast(GNUTLS_DIG_SHA256, n ? p : "", n, out) == 0);
}

void hash_sha256_hex(const void *p, size_t n, char out[HASH_SHA256_HEX])
{
    unsigned char d[HASH_SHA256_LEN];
    hash_sha256(p, n, d);
    text_hex(d, sizeof(d), out);
}

int hash_sha256_fd(int fd, char out[HASH_SHA256_HEX])
{
    unsigned char d[HASH_SHA256_LEN];
    char *block = mem_alloc(HASH_BLOCK);
    gnutls_hash_hd_t h;
    ssize_t n;
    LEADD_ASSERT(gnutls_hash_init(&h, GNUTLS_DIG_SHA256) == 0);
    while ((n = read(fd, block, HASH_BLOCK)) > 0)
        gnutls_hash(h, block, (size_t)n);
    gnutls_hash_deinit(h, d);
    mem_free(block);
    text_hex(d, sizeof(d), out);
    return n < 0 ? -1 : 0;
}

int64_t hash_64(const void *p, size_t n)
{
    unsigned char d[HASH_SHA256_LEN];
    hash_sha256(p, n, d);
    int64_t v;
    memcpy(&v, d, sizeof(v));
    return v;
}

void hash_token(const void *key, size_t key_len, const char *purpose, const char *value,
                char out[HASH_TOKEN_LEN])
{
    unsigned char d[HASH_SHA256_LEN];
    gnutls_hmac_hd_t h;
    LEADD_ASSERT(gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, key, key_len) == 0);
    gnutls_hmac(h, purpose, strlen(purpose) + 1);
    gnutls_hmac(h, value, strlen(value));
    gnutls_hmac_deinit(h, d);
    text_base32(d, 10, out);
}

void hash_random(void *p, size_t n)
{
    LEADD_ASSERT(gnutls_rnd(GNUTLS_RND_RANDOM, p, n) == 0);
}
