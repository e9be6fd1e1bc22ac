/* SPDX-License-Identifier: ISC
 *
 * activation - which rule set decided from when on, and who brought it in
 *
 * The sets themselves are kept with the journal (ruleset_store); here each coming
 * into force has a row, also the return of an older set.
 */
#ifndef LEADD_STORE_ACTIVATION_H
#define LEADD_STORE_ACTIVATION_H

#include <jansson.h>

#include "store/db.h"

/* Adds a row when another set was in force last. */
int activation_add(struct db *db, int64_t ruleset_id, int64_t rules, const char *actor,
                   int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* [{"id", "at_ms", "actor", "rules", "ruleset_id", "hash"}], newest first. */
json_t *activation_list(struct db *db, int64_t limit, struct err *e);

/* Somebody asks for a reload: his name waits for the engine that comes of it. */
int activation_ask(struct db *db, const char *who, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* Who asked since then; the name is forgotten. own, NULL: nobody. */
int activation_asked(struct db *db, int64_t since_ms, char **who_out, struct err *e)
    LEADD_MUST_CHECK;

/* Nothing came of it. */
int activation_forget(struct db *db, struct err *e) LEADD_MUST_CHECK;

/* The set whose hash begins so: {"id", "hash", "body": {..}, "at_ms"}; NULL with e,
 * ERR_INPUT when there is none or more than one. */
json_t *ruleset_find_hash(struct db *db, const char *prefix, struct err *e);

#endif
