/* SPDX-License-Identifier: ISC
 *
 * gate - the gateways of the config, as the courier has them: secret, port, queue
 *
 * Texts (sms.h) and questions (query.h) go by them.
 */
#ifndef LEADD_COURIER_GATE_H
#define LEADD_COURIER_GATE_H

#include "base/bounds.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "courier/job.h"

struct gate {
    const char *name, *ca_file, *folder; /* borrowed from the config */
    const json_t *conf;                  /* borrowed */
    char *secret;                        /* own; NULL: none */
    bool spool;
    int port;
    long timeout_ms;
    size_t connections, running; /* of texts */
    struct job_list wait;
};

struct gates {
    json_t *config; /* own reference */
    struct gate list[BOUND_GATEWAYS];
    size_t count;
};

/* Reads the credential files too: call while the rights are there. NULL with e. */
struct gates *gates_new(const json_t *config, struct err *e);
void gates_free(struct gates **gs); /* accepts NULL */
/* Ports, certificates, spool folders. */
void gates_rights(const struct gates *gs, struct sandbox *sb);
struct gate *gates_find(struct gates *gs, const char *name); /* or NULL */

#endif
