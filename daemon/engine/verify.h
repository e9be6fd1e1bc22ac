/* SPDX-License-Identifier: ISC
 *
 * verify - does a request come from whom it says?
 *
 * One row per scheme. Secrets are compared in constant time and nowhere else than
 * through hash_equal(). Pure: no store, no clock, no log. at_ms is when the request
 * came, so that one from quarantine is judged as of then.
 *
 * What is said in `why` names the scheme and what is missing, never a secret and never
 * the signature that would have been right.
 */
#ifndef LEADD_ENGINE_VERIFY_H
#define LEADD_ENGINE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define VERIFY_SECRETS 8
#define VERIFY_ID_MAX 200

struct verify; /* one source's or gateway's scheme with its secrets */

struct verify_request {
    const char *method, *path, *host, *type; /* path: with the query, as it was asked for */
    const char *rest;      /* of the path, behind the name: "" or "TOKEN" */
    const json_t *headers; /* lower-case name -> value */
    const char *body;
    size_t len;
    int64_t at_ms;
};

struct verified {
    bool ok;
    bool bound; /* the signature covers the body: it is a name of the request, too */
    char id[VERIFY_ID_MAX]; /* of the event, as the signature covers it; or "" */
    char why[160];          /* one line; when it is not ok */
};

/* conf: the group `verify` of the config. secrets are taken over, to be freed by
 * verify_free. NULL with e when it cannot work. */
struct verify *verify_new(const json_t *conf, char **secrets, size_t count, struct err *e);
void verify_free(struct verify **v);

/* Before anything is sent: a GET that asks whether we know its token (hub.verify_token)
 * and gets its challenge back. Takes the token over. */
void verify_set_challenge(struct verify *v, char *token);
/* The answer, own; NULL with *out.why: refused. asked_out false: it is no such request. */
char *verify_challenge(const struct verify *v, const struct verify_request *r, bool *asked_out,
                       struct verified *out);

void verify_request(const struct verify *v, const struct verify_request *r, struct verified *out);

#endif
