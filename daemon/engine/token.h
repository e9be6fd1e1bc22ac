/* SPDX-License-Identifier: ISC
 *
 * token - names in our mails that nobody else can make
 *
 * A record and the first 80 bits of an HMAC over its purpose and name:
 * "L42.k7f3..." Each purpose has its own tokens, so that a return path cannot
 * be used as a thread.
 */
#ifndef LEADD_ENGINE_TOKEN_H
#define LEADD_ENGINE_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct engine;

/* Reads STATE_DIR/secret.key, made with 32 random bytes when it is missing. */
int token_key_load(const char *state_dir, unsigned char key[32], struct err *e) LEADD_MUST_CHECK;

#define TOKEN_NAME_LEN 64 /* "L42.abcdefghijklmnop" */
void token_make(const unsigned char key[32], const char *purpose, const char *name,
                char out[TOKEN_NAME_LEN]);
/* Finds "NAME.TOKEN" of that purpose anywhere in text (an address, a
 * Message-ID, a subject), case folded; the name, e.g. "L42", goes to name_out. */
bool token_find(const unsigned char key[32], const char *purpose, const char *text,
                char name_out[32]);

#endif
