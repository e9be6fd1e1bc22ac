/* SPDX-License-Identifier: ISC
 *
 * confirmation - posts of forms that wait until their address is confirmed
 */
#ifndef LEADD_STORE_CONFIRMATION_H
#define LEADD_STORE_CONFIRMATION_H

#include <jansson.h>

#include "store/db.h"

struct confirmation_row {
    int64_t id; /* of the quarantine row with the post */
    const char *form, *value, *remote;
    const char *lang; /* of who posted; or NULL */
    int64_t bytes;    /* of the post */
    int64_t asked_ms; /* when the mail left; 0: none did */
    int64_t ask_ms;   /* when to try again; 0: not by itself */
    int64_t at_ms, until_ms;
};

int confirmation_add(struct db *db, const struct confirmation_row *c,
                     struct err *e) LEADD_MUST_CHECK;
/* {"id", "form", "value", "remote", "lang" or null, "asked_ms", "ask_ms", "at_ms", "until_ms",
 * "message" (a person released it, and that came of it), "done_ms"; 0: not yet} and, while the
 * post is kept, "kept": true. *out NULL: there is none. */
int confirmation_get(struct db *db, int64_t id, json_t **out, struct err *e) LEADD_MUST_CHECK;
/* Those that wait, the oldest first, as above. */
json_t *confirmation_list(struct db *db, int64_t limit, struct err *e);
/* Those of them that are to be asked by now. */
json_t *confirmation_due(struct db *db, int64_t now_ms, int64_t limit, struct err *e);
/* It was asked, or is to be asked at ask_ms (0: not by itself). */
int confirmation_asked(struct db *db, int64_t id, int64_t asked_ms, int64_t ask_ms,
                       int64_t until_ms, struct err *e) LEADD_MUST_CHECK;
/* Those of an address that waited for it to confirm anything are to be asked. */
int confirmation_wake(struct db *db, const char *value, int64_t now_ms,
                      struct err *e) LEADD_MUST_CHECK;
/* Has the address confirmed one of those that are here? */
int confirmation_trusted(struct db *db, const char *value, bool *out,
                         struct err *e) LEADD_MUST_CHECK;
int confirmation_done(struct db *db, int64_t id, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* A person released the post unconfirmed. No row: nothing to do. */
int confirmation_released(struct db *db, int64_t id, int64_t message,
                          struct err *e) LEADD_MUST_CHECK;
/* Of all posts of the form that are kept. */
int confirmation_bytes(struct db *db, const char *form, int64_t *out,
                       struct err *e) LEADD_MUST_CHECK;

/* Of mails alike in one thing, when the most-th newest left, if that was since then; else
 * 0: there were fewer. */
enum confirmation_by { CONFIRMATION_BY_VALUE, CONFIRMATION_BY_REMOTE, CONFIRMATION_BY_FORM };
int confirmation_bound(struct db *db, enum confirmation_by by, const char *text, int64_t since_ms,
                       int64_t most, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;

/* The posts that nobody confirmed until now are dropped, and the ledger says so. */
int confirmation_expire(struct db *db, int64_t now_ms, int64_t *dropped_out,
                        struct err *e) LEADD_MUST_CHECK;
/* When the next row is to go or to be asked; 0: there is none. */
int confirmation_next(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;

#endif
