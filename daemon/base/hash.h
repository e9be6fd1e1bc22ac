/* SPDX-License-Identifier: ISC
 *
 * hash - SHA-256, HMAC and random bytes (GnuTLS)
 */
#ifndef LEADD_HASH_H
#define LEADD_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SHA256_LEN 32
#define HASH_SHA256_HEX 65

void hash_sha256(const void *p, size_t n, unsigned char out[HASH_SHA256_LEN]);
void hash_sha256_hex(const void *p, size_t n, char out[HASH_SHA256_HEX]);
/* Of all that can be read from fd, which stays open. 0, or -1 with errno. */
int hash_sha256_fd(int fd, char out[HASH_SHA256_HEX]);
/* The first 64 bits of SHA-256: for indexes, never as a unique key. */
int64_t hash_64(const void *p, size_t n);

/* A short token for text, keyed: base32 of the first 80 bits of HMAC-SHA256
 * over purpose, NUL, value. out is 17 bytes. */
#define HASH_TOKEN_LEN 17
void hash_token(const void *key, size_t key_len, const char *purpose, const char *value,
                char out[HASH_TOKEN_LEN]);

void hash_random(void *p, size_t n); /* never fails: aborts without randomness */

#endif
