/* SPDX-License-Identifier: ISC
 *
 * history - what happened to the CRM from outside, in order: for replay
 *
 * Read from the journal, which has a row for every mail, form, bounce and command of
 * a person, and for what followed of itself (rules, timers, mails that left), which is
 * left out here. One row at a time: a history of any length needs no more memory than
 * its largest message.
 */
#ifndef LEADD_STORE_HISTORY_H
#define LEADD_STORE_HISTORY_H

#include <jansson.h>

#include "store/db.h"

enum history_kind { HISTORY_MAIL, HISTORY_FORM, HISTORY_BOUNCE, HISTORY_COMMAND };

struct history_item {
    enum history_kind kind;
    int64_t journal, at_ms;
    int64_t contact, lead, kase; /* whom it was about; 0: nobody */
    int64_t message;             /* not of commands */
    json_t *json;                /* own; the message; NULL: it was erased */
    char source[300];            /* MAIL: "imap:sales/INBOX", "maildir:inbox", "ingest" */
    int64_t internal_ms;         /* MAIL: as the server says; 0: not known */
    int64_t outbox;              /* BOUNCE: the mail that came back */
    char proof[16];              /* MAIL: how it was proven to be a user's; "": not at all */
    bool handed_on;              /* MAIL: and it might not command all the same */
    char record[32];             /* COMMAND: "L42"; "": it was given on nothing */
    char *line;                  /* own; COMMAND */
    bool by_user;                /* COMMAND: of a user, not of the operator */
    char *actor;                 /* own; COMMAND */
    int64_t created[3];          /* COMMAND: the first case, deal and task it made; 0: none */
};

struct history;

/* From a snapshot that stays open: rows with from_ms <= at < to_ms. */
struct history *history_new(struct db *db, int64_t from_ms, int64_t to_ms);
void history_free(struct history **h); /* accepts NULL */
/* 1 with an item (history_item_done), 0 at the end, -1 with e. */
int history_next(struct history *h, struct history_item *out, struct err *e) LEADD_MUST_CHECK;
void history_item_done(struct history_item *it);
/* Was it a message? Then kind, message, source and outbox are set. */
bool history_of_cause(const char *cause, struct history_item *it);
/* Journal rows of all times, of which the history is read: for progress. */
int history_size(struct db *db, int64_t to_ms, int64_t *rows_out, struct err *e) LEADD_MUST_CHECK;
/* When the first row was written; 0: there is none. */
int history_start(struct db *db, int64_t *ms_out, struct err *e) LEADD_MUST_CHECK;

/* The lead or case ("L42", "K7") that a deal ('D') or activity ('A') belongs to; out is
 * empty when there is none. n is the size of out. */
int history_owner_of(struct db *db, char entity, int64_t id, char *out, size_t n,
                     struct err *e) LEADD_MUST_CHECK;

/* In a scratch store: the next row that the table makes gets that id, or a higher one
 * when it is behind already. Tables with AUTOINCREMENT. */
int history_pin(struct db *db, const char *table, int64_t id, struct err *e) LEADD_MUST_CHECK;
/* The mail of a scratch store that stands for one of the other: to the same address from
 * the same template (0 when there is none), the one made at the nearest time. scale: of the lead's id. */
int history_same_mail(struct db *scratch, int64_t scale, struct db *from, int64_t outbox,
                      int64_t *out, struct err *e) LEADD_MUST_CHECK;
/* The task with the same words on the same record; 0: there is none. */
int history_same_task(struct db *scratch, int64_t scale, struct db *from, int64_t task,
                      int64_t *out, struct err *e) LEADD_MUST_CHECK;

#endif
