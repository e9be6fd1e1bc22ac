/* SPDX-License-Identifier: ISC
 *
 * buf - bytes that grow up to a limit
 *
 * The limit is given at init and holds for ever; what would pass it is not
 * added, the buffer is marked full, and buf_ok() says so. data is always
 * followed by a NUL, which is not counted in len.
 */
#ifndef LEADD_BUF_H
#define LEADD_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
    char *data; /* own; never NULL after init */
    size_t len;
    size_t cap;
    size_t max; /* limit on len */
    bool full;  /* something did not fit */
};

/* Bytes seen, not owned; need not end in NUL. */
struct str {
    const char *p;
    size_t n;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* empty, keeps memory, clears full */
bool buf_ok(const struct buf *b);

/* All return 0, or -1 when the limit was reached (then nothing was added). */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_str(struct buf *b, const char *s);
int buf_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) LEADD_PRINTF(2, 3);
/* As HTML text: safe between tags and in quoted attributes. */
void buf_html(struct buf *b, const char *s);

void buf_drop(struct buf *b, size_t n); /* removes n bytes from the front */
char *buf_take(struct buf *b);          /* moves the bytes out; b is empty again */

#define AUTO_BUF __attribute__((cleanup(buf_done)))

/* Reads a whole file or descriptor. -1 with e when it cannot be read or is
 * larger than b's limit. */
int buf_read_file(struct buf *b, const char *path, struct err *e) LEADD_MUST_CHECK;
int buf_read_fd(struct buf *b, int fd, struct err *e) LEADD_MUST_CHECK;
/* Writes all of it, to a descriptor that blocks. -1 with errno. */
int buf_write_fd(int fd, const char *p, size_t n) LEADD_MUST_CHECK;

#endif
