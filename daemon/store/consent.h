/* SPDX-License-Identifier: ISC
 *
 * consent - the ledger of who may be written to: what was granted or withdrawn, and the proof
 *
 * Rows are added and never changed, so it can be shown at any time who said what, when and
 * where. What holds now is in two places that this ledger follows: the address itself
 * (address.opted_out_ms) for all that we send there, and the last row that counts for what
 * one sender of ours sends (consent_withdrawn).
 */
#ifndef LEADD_STORE_CONSENT_H
#define LEADD_STORE_CONSENT_H

#include <jansson.h>

#include "store/db.h"

#define CONSENT_LIST "list:"       /* a list of leadd.conf */
#define CONSENT_PURPOSE "purpose:" /* what a form's box was ticked for */
#define CONSENT_PROOF "proof"      /* whose the address is, and no agreement to anything */

struct consent_row {
    int64_t id;
    const char *channel; /* as in address: "email", "phone" */
    const char *value;   /* folded */
    const char *sender;  /* our number, CONSENT_LIST or CONSENT_PURPOSE and the name, or CONSENT_PROOF;
                            "": all we send */
    bool granted;
    bool counts;         /* false: it is kept, and lifts no opt-out: somebody else may have said it */
    const char *source;  /* "sms main", "form contact", "user anna", "rule welcome" */
    const char *words;   /* as they were said; may be NULL */
    int64_t message_id;  /* M, the proof; 0: none */
    int64_t at_ms;
};

int consent_add(struct db *db, struct consent_row *row, struct err *e) LEADD_MUST_CHECK;
/* The last row that counts for this sender says "withdrawn". */
int consent_withdrawn(struct db *db, const char *channel, const char *value, const char *sender,
                      bool *yes_out, struct err *e) LEADD_MUST_CHECK;
/* The last row that counts for one sender alone, such as "list:news": what was said about
 * all that we send neither withdraws nor grants it. *id_out 0: there is none. */
int consent_last(struct db *db, const char *channel, const char *value, const char *sender,
                 int64_t *id_out, bool *withdrawn_out, struct err *e) LEADD_MUST_CHECK;
/* Was it granted, and not withdrawn later by anybody? */
int consent_granted(struct db *db, const char *channel, const char *value, bool *yes_out,
                    struct err *e) LEADD_MUST_CHECK;
/* What was granted by name and not withdrawn, added to words: "marketing", "sms:marketing" by a
 * phone, "list:news". Whether the address has opted out of all that we send is its caller's to ask. */
int consent_words(struct db *db, const char *channel, const char *value, json_t *words,
                  struct err *e) LEADD_MUST_CHECK;
/* Newest first, the keys as in struct consent_row; NULL with e. */
json_t *consent_list(struct db *db, const char *channel, const char *value, int64_t limit,
                     struct err *e);

#endif
