/* SPDX-License-Identifier: ISC
 *
 * secret - an address of leadd that only one user knows: for commands by mail
 * where no mail server vouches for the sender
 */
#ifndef LEADD_ENGINE_SECRET_H
#define LEADD_ENGINE_SECRET_H

#include "engine/engine.h"

/* The user's (own), made when there is none; renew: a new one, and the old one is
 * nobody's from now on. ERR_INPUT when no such address can arrive. */
int secret_address(struct engine *eng, const char *user, bool renew, char **address_out,
                   int64_t *made_ms_out, struct err *e) LEADD_MUST_CHECK;
/* Is this address the user's, of now? */
int secret_is(struct engine *eng, const char *address, const char *user, bool *out,
              struct err *e) LEADD_MUST_CHECK;
/* Was the mail sent to it? */
int secret_in_message(struct engine *eng, const json_t *message, const char *user, bool *out,
                      struct err *e) LEADD_MUST_CHECK;

#endif
