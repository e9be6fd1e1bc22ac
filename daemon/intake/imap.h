/* SPDX-License-Identifier: ISC
 *
 * imap - the IMAP commands an intake needs, over libetpan
 *
 * Each call sends one command with its limits and copies what was asked for
 * out of libetpan's answer. IMAP_NO means the server declined and the
 * connection is as good as before; after IMAP_BROKEN it must be closed.
 *
 * IDLE is spoken here by lines: libetpan 1.9.4's mailimap_idle() loses an
 * EXISTS that arrives before the continuation and then waits for ever.
 */
#ifndef LEADD_INTAKE_IMAP_H
#define LEADD_INTAKE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "intake/link.h"

enum imap_result { IMAP_OK, IMAP_NO, IMAP_BROKEN };

struct imap {
    struct link *link; /* own */
    mailimap *session; /* own */
    const struct settings *set;
    struct desk *desk;
    bool can_idle, can_move, can_uidplus;
    unsigned line_tag; /* of what is spoken by lines */
};

struct imap_folder {
    uint32_t uidvalidity, uidnext, exists; /* uidnext 0: not told */
};

struct imap_item {
    uint32_t uid;
    size_t size;
    int64_t internal_ms;
    char message_id[256]; /* only when asked for */
};

struct imap_uids {
    uint32_t *uid; /* own; ascending, without doubles */
    size_t count;
};

int imap_open(struct imap *m, struct desk *d, const struct settings *s, enum link_trouble *why,
              struct err *e);
/* polite: say LOGOUT and wait briefly for the answer. */
void imap_close(struct imap *m, bool polite);

enum imap_result imap_select(struct imap *m, const char *folder, bool write,
                             struct imap_folder *out, struct err *e);
/* The server has announced messages since the last search. */
bool imap_has_news(const struct imap *m);

/* UIDs from `from` on, received since `since_ms` (0: any day), at most max. */
enum imap_result imap_search(struct imap *m, uint32_t from, int64_t since_ms,
                             struct imap_uids *out, struct err *e);
void imap_uids_done(struct imap_uids *u);

/* Sizes and dates of uids; those that are gone get no item. items has room for
 * count. */
enum imap_result imap_items(struct imap *m, const uint32_t *uids, size_t count, bool message_ids,
                            struct imap_item *items, size_t *found, struct err *e);

/* Called once per message that came; p is borrowed. parts is NULL or taken. */
typedef void (*imap_body_fn)(void *arg, uint32_t uid, const char *p, size_t n, json_t *parts);
/* Whole messages without setting a flag; bytes is their expected sum. */
enum imap_result imap_bodies(struct imap *m, const uint32_t *uids, size_t count, size_t bytes,
                             imap_body_fn fn, void *arg, struct err *e);
/* The header block, with the list of parts when the server can tell it. */
enum imap_result imap_header(struct imap *m, uint32_t uid, bool with_parts, imap_body_fn fn,
                             void *arg, struct err *e);

enum imap_result imap_flag(struct imap *m, const uint32_t *uids, size_t count, const char *flag,
                           struct err *e);
/* Moves; without MOVE copies, and removes the originals only where UIDPLUS can
 * remove just these. *left says they stay, marked \Deleted. */
enum imap_result imap_move(struct imap *m, const uint32_t *uids, size_t count, const char *folder,
                           bool *left, struct err *e);

/* Waits in IDLE until something happens in the folder (*news), the desk has
 * work or ms are over. IMAP_NO: this server declines IDLE. */
enum imap_result imap_idle(struct imap *m, int ms, bool *news, struct err *e);
/* ---- copies of what was sent (imap_append.c); names of folders as they travel ---- */

/* Where the server wants them: the folder marked \Sent (RFC 6154), else one called Sent.
 * *name (own) is NULL when there is none. */
enum imap_result imap_sent_folder(struct imap *m, char **name, struct err *e);
enum imap_result imap_exists(struct imap *m, const char *name, bool *yes, struct err *e);
enum imap_result imap_create(struct imap *m, const char *name, struct err *e);
/* Is a mail with that Message-ID in it? Another folder is selected then. */
enum imap_result imap_holds(struct imap *m, const char *name, const char *message_id, bool *yes,
                            struct err *e);
/* Stores raw, which ends its lines in CRLF, as read, at that time. *news: something has
 * come into the selected folder meanwhile. */
enum imap_result imap_append(struct imap *m, const char *name, int64_t internal_ms, const char *raw,
                             size_t n, bool *news, struct err *e);

enum imap_result imap_noop(struct imap *m, struct err *e);

/* Folder names travel in modified UTF-7, and quoted. */
void imap_add_utf7(struct buf *out, const char *folder);
void imap_add_quoted(struct buf *out, const char *text);
void imap_add_folder(struct buf *out, const char *folder); /* both */
/* Without libetpan: reads lines until one starts with want, or (IMAP_NO) with the tag; that
 * line stays in `line`. */
enum imap_result imap_line_until(struct imap *m, const char *want, const char *tag,
                                 struct buf *line, bool *news, struct err *e);

/* "1:5,9" */
void imap_add_uids(struct buf *out, const uint32_t *uids, size_t count);

#endif
