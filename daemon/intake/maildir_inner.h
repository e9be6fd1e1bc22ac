/* SPDX-License-Identifier: ISC
 *
 * maildir_inner - what the files of the Maildir intake share
 *
 * `seen` remembers every name that was handed over or is not leadd's, with the
 * place where the file was last found, so that a directory of many thousand
 * files costs one readdir per look and no bytes.
 */
#ifndef LEADD_INTAKE_MAILDIR_INNER_H
#define LEADD_INTAKE_MAILDIR_INNER_H

#include <sys/stat.h>

#include "intake/maildir.h"

struct found { /* one file of a look */
    char *file; /* own; "new/NAME" or "cur/NAME:2,S" */
    int64_t internal_ms;
    int64_t size;
    int64_t start_ms; /* see maildir_start_ms */
};

struct maildir {
    struct desk *desk;
    const struct settings *set;
    int root;        /* own; directory */
    int watch;       /* own; inotify */
    json_t *seen;    /* own; {unique name: file} */
    json_t *present; /* own; the names of the last full look */
    int64_t since_ms;
    bool known;      /* since_ms is the engine's */
    bool again;      /* look into cur/ before the next poll */
    bool looked;     /* all was seen once: what is new from now on has just arrived */
    unsigned cursors;
    struct found *found; /* own; of the current look */
    size_t count, cap;
    int64_t odd[2]; /* files of new/ and cur/ that cannot be handed over */
    json_t *told;   /* own; alarms that were logged */
    char alarm[300];
    struct err failed; /* what was logged last: a lasting failure is one line */
};

void maildir_alarm(struct maildir *m, const char *file, const char *what);
/* The time that `start` is compared with. st is the file's. */
int64_t maildir_start_ms(const struct maildir *m, const char *file, const struct stat *st);

/* What is there and not yet seen, oldest first, into m->found; cur: also the
 * files in cur/. */
int maildir_look(struct maildir *m, bool cur, struct err *e);
void maildir_forget_found(struct maildir *m);
/* After a full look: names whose file is gone need not be remembered. */
void maildir_tidy(struct maildir *m);
char *maildir_unique(const char *file); /* own; file is "new/NAME" */
void maildir_mark(struct maildir *m, const char *file);
/* Where the file is now; own; NULL when it is gone. */
char *maildir_find(struct maildir *m, const char *unique);

/* The first second of start = "now", as of the current look. */
int64_t maildir_since_now(const struct maildir *m);
void maildir_hand_over(struct maildir *m, const struct found *f);

/* The parts of the mail in this file, as imap_parts() lists them: own. */
json_t *maildir_parts(int fd);

/* Flags or moves what was receipted. */
void maildir_settle_all(struct maildir *m);
/* LIST, PREVIEW, REFETCH or APPEND. */
void maildir_request(struct maildir *m, const struct desk_request *q);

#endif
