/* SPDX-License-Identifier: ISC
 *
 * arrival - what came in, as the ledger knows it: inside of inbound.c and inbound_form.c
 *
 * The ledger's unique key decides whether it is new.
 */
#ifndef LEADD_ENGINE_ARRIVAL_H
#define LEADD_ENGINE_ARRIVAL_H

#include "engine/engine.h"

/* Why a row is filed later than it came: see ledger_of_message. */
#define ARRIVAL_RETRIED "after it was in quarantine"

/* Where an item came from, read from the channel's name and the frame. */
struct arrival {
    char *source; /* own; "imap:sales/INBOX" */
    char *key;    /* own */
    const char *name;      /* of the mailbox, borrowed; NULL: forms, ingest */
    const json_t *mailbox; /* its config; NULL: forms, ingest */
    int64_t epoch, uid, size, internal_ms;
    int64_t source_id, ledger_id;
    bool again; /* fetched on request: what lies below it may not have come yet */
    bool foreign; /* not of that mailbox: its sender keeps it */
};

/* ERR_INPUT when no honest role sends it. */
int arrival_read(struct engine *eng, const struct item *it, struct arrival *a, struct err *e)
    LEADD_MUST_CHECK;
/* ledger_id becomes 0 when this arrival is known already. A retry out of
 * quarantine has its row. */
int arrival_enter(struct engine *eng, struct arrival *a, const struct item *it, const char *state,
                  const char *reason, struct err *e) LEADD_MUST_CHECK;
void arrival_done(struct arrival *a);

/* Tells web-in what became of a form, once it is durable. */
void arrival_form_done(struct engine *eng, const struct item *it, const char *status,
                       const char *text, int64_t lead);
/* The record that a message was filed with, for the log. */
const char *arrival_record(const struct crm_target *t, char out[CRM_ID_LEN]);

#endif
