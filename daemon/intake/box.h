/* SPDX-License-Identifier: ISC
 *
 * box - one IMAP mailbox: its folders and how far each has been read
 *
 * The cursor is the engine's. What is kept here is a copy that runs ahead of
 * it by the messages without receipt; a new engine's CURSORS replace it.
 *
 * A message that cannot be fetched stops nothing: after a broken fetch the
 * same messages are fetched one by one, the one that breaks it is tried again,
 * then taken as headers, then left with an alarm that names it.
 */
#ifndef LEADD_INTAKE_BOX_H
#define LEADD_INTAKE_BOX_H

#include "intake/desk.h"
#include "intake/imap.h"
#include "intake/settings.h"

struct box_list { /* growing list of UIDs */
    uint32_t *uid; /* own */
    size_t count, cap;
};

struct box_folder {
    const char *name; /* borrowed from settings */
    size_t index;
    bool known;          /* the engine has a cursor */
    bool caught_up;      /* what a dead predecessor left unflagged was looked for */
    unsigned cursors;    /* which CURSORS this copy is from */
    uint32_t uidvalidity, next_uid, start_uid;
    uint32_t top_uid;    /* highest UID ever listed by the server */
    uint32_t uidnext;    /* as the server last told */
    struct imap_uids matched; /* known under the old UIDVALIDITY: not fetched */
    struct imap_item settle;  /* highest of them, until the cursor is moved over it */
    struct box_list wanted;   /* to be fetched again */
    struct box_list todo;     /* receipted: to be flagged or moved */
    uint32_t careful_to; /* fetch one by one up to here */
    uint32_t trial_uid;  /* the one being tried, and how often */
    unsigned trials;
    uint32_t checked;    /* UIDNEXT that was looked into */
    size_t given;        /* messages handed over, in all */
    bool unreadable;     /* could not be selected; the alarm says why */
    char alarm[300];
};

struct box {
    struct desk *desk;
    const struct settings *set;
    struct imap imap;
    struct box_folder *folders; /* own */
    size_t count;
    size_t idle;     /* the folder that is watched with IDLE */
    size_t selected; /* SIZE_MAX: none */
    const char *state;
    struct err error;
    int retry_ms;
    bool progress; /* something was handed over on this connection */
    char *sent;    /* own; the folder for copies, as its name travels; NULL: not known yet */
    bool news;     /* a mail came while a copy was stored */
};

void box_list_add(struct box_list *l, uint32_t uid);
void box_list_done(struct box_list *l);
void box_report(struct box *b);
void box_alarm(struct box *b, struct box_folder *f, const char *fmt, ...) LEADD_PRINTF(3, 4);

/* Selects a folder and does all that is to be done there. IMAP_NO: this folder
 * cannot be read now (its alarm says why), others can. */
enum imap_result box_visit(struct box *b, size_t folder, struct err *e);
/* The same for the selected folder after the server announced something. */
enum imap_result box_news(struct box *b, size_t folder, struct err *e);
/* Flags or moves what was receipted in the selected folder. */
enum imap_result box_after(struct box *b, size_t folder, struct err *e);
/* The same when it is worth a command, so that little is left when we die. */
enum imap_result box_after_many(struct box *b, struct box_folder *f, struct err *e);

/* Fetches and hands over; the list is ascending and lies in the selected
 * folder. *given counts. */
enum imap_result box_fetch(struct box *b, struct box_folder *f, const uint32_t *uids, size_t count,
                           bool advance, size_t *given, struct err *e);
/* First contact, and a new UIDVALIDITY. */
enum imap_result box_first_contact(struct box *b, struct box_folder *f,
                                   const struct imap_folder *sel, struct err *e);
enum imap_result box_match(struct box *b, struct box_folder *f, const struct imap_folder *sel,
                           struct err *e);
/* After a new UIDVALIDITY, when all that was unknown is receipted: moves the
 * engine's cursor over what was known, so that a restart need not fetch it. */
enum imap_result box_match_settle(struct box *b, struct box_folder *f, struct err *e);
/* Where leadd would begin in the selected folder. */
enum imap_result box_start_uid(struct box *b, const struct imap_folder *sel, uint32_t *out,
                               struct err *e);

/* LIST, PREVIEW, REFETCH, APPEND; these may select other folders. */
enum imap_result box_request(struct box *b, const struct desk_request *q, struct err *e);
/* APPEND (box_append.c). */
enum imap_result box_append(struct box *b, const struct desk_request *q, struct err *e);
void box_want(struct box *b, const json_t *request);

/* Until told to end. */
void box_run(struct desk *d, const struct settings *s);

#endif
