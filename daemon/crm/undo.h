/* SPDX-License-Identifier: ISC
 *
 * undo - a journal row that is taken back: which one (cmd_undo.c), and change by change
 * (undo_change.c)
 */
#ifndef LEADD_CRM_UNDO_H
#define LEADD_CRM_UNDO_H

#include "base/buf.h"
#include "crm/crm.h"
#include "crm/ctx.h"

struct undo {
    struct crm_ctx *ctx;
    json_t *history; /* own; rows of the record, newest first */
    const json_t *row;
    int64_t journal;
    bool all; /* also what the system did */
    int kept_mails;
    /* of a merge */
    enum crm_entity merged; /* CRM_NONE: the row is none */
    int64_t into, from;
    json_t *moved;       /* own; {"L7": true}: records that it moved */
    int kept;
    struct buf kept_what; /* own */
};

/* ---- what a row says ---- */

json_t *undo_commands(const json_t *row); /* borrowed */
bool undo_by_system(const json_t *command);
/* The row this row took back, 0 when it is no undo. */
int64_t undo_of(const json_t *row);
/* The row that took this one back and still stands, or NULL. */
const json_t *undo_undone_by(const struct undo *u, int64_t id);

/* ---- its changes ---- */

/* Of a row with a merge: what moved by it. */
int undo_merge_read(struct undo *u, struct err *e) LEADD_MUST_CHECK;
/* All that are meant, newest first: may they be taken back, before any is? */
int undo_check(struct undo *u, struct err *e) LEADD_MUST_CHECK;
int undo_apply(struct undo *u, struct err *e) LEADD_MUST_CHECK;

#endif
