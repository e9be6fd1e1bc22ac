/* SPDX-License-Identifier: ISC
 *
 * secret - an address of leadd that only one user knows: for commands by mail
 * where no mail server vouches for the sender
 */
#ifndef LEADD_ENGINE_SECRET_H
#define LEADD_ENGINE_SECRET_H

#include "engine/engine.h"
#include "engine/token.h"

/* The token that the address carries, "U3.k7f3..."; made when the user has none, or
 * anew: then the old one is nobody's. */
int secret_token(struct engine *eng, const char *user, bool renew, char out[TOKEN_NAME_LEN],
                 int64_t *made_ms_out, struct err *e) LEADD_MUST_CHECK;
/* Whose secret address text is: own, NULL in *user_out when it is none. */
int secret_read(struct engine *eng, const char *text, char **user_out,
                struct err *e) LEADD_MUST_CHECK;
/* Was the mail sent to this user's? */
int secret_in_message(struct engine *eng, const json_t *message, const char *user, bool *out,
                      struct err *e) LEADD_MUST_CHECK;

#endif
