/* SPDX-License-Identifier: ISC
 *
 * ctl - the commands of leadctl, one row each
 *
 * A handler returns the answer's "data" in the form that leadctl draws:
 *   {"columns": [{"name", "title"}], "rows": [{NAME: value}]}   a list
 *   {"fields": [[label, value]], "sections": [{"title", ...}]}   one record
 *   {"text": "..."}                                              words
 * or NULL with e: ERR_INPUT is the asker's mistake (exit 1). A handler that
 * must wait for another process returns NULL with e untouched (cls 0) after it
 * made an ask.
 */
#ifndef LEADD_ENGINE_CTL_H
#define LEADD_ENGINE_CTL_H

#include "engine/engine.h"

struct crm_result;

struct ctl {
    struct engine *eng;
    const struct item *it;
    const char *user; /* the Unix user who asks */
    const char *argv[64];
    int argc; /* argv[0] is the command */
    char *raw; /* moves into the answer: bytes that go with it; NULL: none */
    size_t raw_len;
    int exit; /* of leadctl when it gets data; a check that found something says 1 */
};

#define CTL_LIMIT_DEFAULT 50
#define CTL_LIMIT_MAX 10000

/* Makes j whole for CTL_DONE: with the zone for people, and never larger than a
 * frame. Takes j. */
json_t *ctl_done(const struct engine *eng, json_t *j);
/* A list: takes rows; columns is "name TITLE|name TITLE|...". */
json_t *ctl_table(json_t *rows, const char *columns);
/* The same as a section of a record. */
json_t *ctl_section(const char *title, json_t *rows, const char *columns);
json_t *ctl_text(const char *fmt, ...) LEADD_PRINTF(1, 2);
/* The value of "name=value" among the arguments, or NULL. */
const char *ctl_option(const struct ctl *c, const char *name);
/* The moment that it names, in the company's zone; untouched when it is not there. */
int ctl_option_time(const struct ctl *c, const char *name, int64_t *ms_out,
                    struct err *e) LEADD_MUST_CHECK;
int64_t ctl_limit(const struct ctl *c);
/* What a person may do with a row that waits: from which states, and where it leads. */
struct ctl_move {
    const char *verb, *from, *to, *said;
};
const struct ctl_move *ctl_move_find(const struct ctl_move *moves, size_t n, const char *verb);
int ctl_move_check(const struct ctl_move *m, const char *what, int64_t id, const char *state,
                   struct err *e) LEADD_MUST_CHECK;
/* Is the word one of those in the list, which are parted by blanks? */
bool ctl_word_in(const char *word, const char *list);

/* From argument first on, refuses what is not NAME=VALUE with a name of the list
 * (separated by spaces; NULL: any), and a limit that is no number. */
int ctl_options_check(const struct ctl *c, int first, const char *names, struct err *e)
    LEADD_MUST_CHECK;

json_t *ctl_status(struct ctl *c, struct err *e);     /* ctl_status.c */
json_t *ctl_reload(struct ctl *c, struct err *e);
json_t *ctl_clock(struct ctl *c, struct err *e);
json_t *ctl_list(struct ctl *c, struct err *e);       /* ctl_records.c */
json_t *ctl_pools(struct ctl *c, struct err *e);
json_t *ctl_show(struct ctl *c, struct err *e);
/* One command for one record, with everything that follows from it. */
int ctl_run_line(struct engine *eng, const char *record, const char *line,
                 const struct crm_actor *actor, struct crm_result *res, struct err *e)
    LEADD_MUST_CHECK;
json_t *ctl_ledger(struct ctl *c, struct err *e);     /* ctl_message.c */
json_t *ctl_message(struct ctl *c, struct err *e);
json_t *ctl_message_show(struct ctl *c, int64_t id, bool raw, struct err *e);
json_t *ctl_timeline(struct ctl *c, struct err *e);
json_t *ctl_do(struct ctl *c, struct err *e);
json_t *ctl_absence(struct ctl *c, struct err *e); /* absent, present: of no record */
json_t *ctl_undo(struct ctl *c, struct err *e);
json_t *ctl_merge(struct ctl *c, struct err *e);
json_t *ctl_duplicates(struct ctl *c, struct err *e);
json_t *ctl_why(struct ctl *c, struct err *e);        /* ctl_why.c */
json_t *ctl_why_mail(struct ctl *c, int64_t id, struct err *e); /* why_mail.c */
json_t *ctl_rules(struct ctl *c, struct err *e);      /* ctl_rules.c */
json_t *ctl_timers(struct ctl *c, struct err *e);     /* ctl_timers.c */
/* Rows of store/timer.h as a list. */
json_t *ctl_timers_table(struct engine *eng, const json_t *rows);
json_t *ctl_due(struct ctl *c, struct err *e);        /* late.c */
json_t *ctl_resume(struct ctl *c, struct err *e);
/* The timers of a record, added to what show, timeline and why tell of it. */
int ctl_timers_show(struct engine *eng, enum crm_entity t, int64_t id, json_t *shown,
                    struct err *e) LEADD_MUST_CHECK;
int ctl_timers_timeline(struct engine *eng, enum crm_entity t, int64_t id, json_t *timeline,
                        struct err *e) LEADD_MUST_CHECK;
int ctl_timers_why(struct engine *eng, enum crm_entity t, int64_t id, struct buf *out,
                   struct err *e) LEADD_MUST_CHECK;
/* As rows of leadctl timers, the earliest first; own. */
json_t *ctl_timers_of(struct engine *eng, enum crm_entity t, int64_t id, struct err *e);
json_t *ctl_sequence(struct ctl *c, struct err *e);  /* ctl_sequence.c */
/* What a record went through, added to what show tells of it. */
int ctl_sequence_show(struct engine *eng, enum crm_entity t, int64_t id, json_t *shown,
                      struct err *e) LEADD_MUST_CHECK;
struct sequence;
json_t *ctl_begin(struct ctl *c, struct sequence *q, struct err *e); /* ctl_begin.c */
json_t *ctl_template(struct ctl *c, struct err *e);  /* ctl_template.c */
json_t *ctl_broadcast(struct ctl *c, struct err *e); /* ctl_broadcast.c */
json_t *ctl_calls(struct ctl *c, struct err *e);
json_t *ctl_gateway(struct ctl *c, struct err *e);    /* ctl_gateway.c */
json_t *ctl_relay(struct ctl *c, struct err *e);      /* ctl_relay.c */
json_t *ctl_outbox(struct ctl *c, struct err *e);     /* ctl_outbox.c */
json_t *ctl_copies(struct ctl *c, struct err *e);     /* ctl_copies.c; of it */
json_t *ctl_held(struct ctl *c, struct err *e);       /* held.c */
json_t *ctl_consent(struct ctl *c, struct err *e);    /* ctl_consent.c */
json_t *ctl_suppression(struct ctl *c, struct err *e);
json_t *ctl_address(struct ctl *c, struct err *e);    /* secret.c */
json_t *ctl_hold(struct ctl *c, struct err *e);       /* hold.c */
json_t *ctl_release(struct ctl *c, struct err *e);
json_t *ctl_backup(struct ctl *c, struct err *e);
json_t *ctl_quarantine(struct ctl *c, struct err *e); /* ctl_mailbox.c */
json_t *ctl_reconcile(struct ctl *c, struct err *e);
json_t *ctl_mailbox(struct ctl *c, struct err *e);
/* The final answer of an ask. */
json_t *ctl_reconcile_answer(struct engine *eng, const json_t *parts, int *exit_out);
/* A part of the answer from the names of one LISTED frame: {"mailbox", "row"}; and one
 * such part added to an earlier one. */
json_t *ctl_reconcile_names(struct engine *eng, const char *mailbox, const json_t *listed,
                            struct err *e);
void ctl_reconcile_merge(json_t *into, const json_t *part);
json_t *ctl_preview_answer(const json_t *parts, int *exit_out);
json_t *ctl_status_answer(struct engine *eng, const json_t *parts);
json_t *ctl_reload_answer(struct engine *eng, const json_t *parts, int *exit_out);

#endif
