/* SPDX-License-Identifier: ISC
 *
 * outcome - what became of every record, as rows of one shape: to compare two stores
 *
 * Each question gives rows of (id, key, value, rule, at) in order of kind, id and key,
 * so that two stores are compared in one pass, whatever their size.
 */
#ifndef LEADD_STORE_OUTCOME_H
#define LEADD_STORE_OUTCOME_H

#include <stdint.h>

#include "store/db.h"

enum outcome {
    OUTCOME_LEAD_OWNER,    /* value: the owner */
    OUTCOME_CASE_OWNER,
    OUTCOME_LEAD_STATUS,
    OUTCOME_CASE_STATUS,
    OUTCOME_LEAD_STAGE,    /* of its newest deal; value: "negotiation (open)" */
    OUTCOME_LEAD_SCORE,
    OUTCOME_CASE_PRIORITY,
    OUTCOME_LEAD_TAG,      /* key: the tag */
    OUTCOME_CASE_TAG,
    OUTCOME_LEAD_TASK,     /* key: its words; value: of whom, and the state */
    OUTCOME_CASE_TASK,
    OUTCOME_LEAD_MAIL,     /* key: template and address; value: how many; at: the first */
    OUTCOME_CASE_MAIL,
    OUTCOME_OTHER_MAIL,    /* of a contact alone */
    OUTCOME_LEAD_CALL,     /* key: endpoint and event or enrichment; as of mails */
    OUTCOME_CASE_CALL,
    OUTCOME_LEAD_TIMER,    /* key: kind and name; at: when it is due */
    OUTCOME_CASE_TIMER,
    OUTCOME_COUNT
};

struct outcome_row {
    int64_t id;         /* of the lead, case or contact */
    const char *key;    /* borrowed until the next row, as are the others */
    const char *value;  /* NULL: nothing */
    const char *intent; /* of a mail: "M12/RULE/.." */
    int64_t at_ms;      /* 0: none */
};

/* "owner", "mail", ..; and the letter of the record it is about. */
const char *outcome_name(enum outcome o);
char outcome_letter(enum outcome o);
/* Mails and calls count from since_ms on. */
struct db_rows *outcome_query(struct db *db, enum outcome o, int64_t since_ms);
bool outcome_step(struct db_rows *r, struct outcome_row *out);

#endif
