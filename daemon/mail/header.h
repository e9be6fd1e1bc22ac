/* SPDX-License-Identifier: ISC
 *
 * header - one header block cut into fields
 *
 * The fields point into the mail: values are raw, with their folds. Lines end in
 * LF or CRLF. A block larger than the limits is read to its end, but only the
 * fields a message needs are kept beyond them, so that junk in front cannot hide
 * From or Content-Type.
 */
#ifndef LEADD_MAIL_HEADER_H
#define LEADD_MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "mail/ctx.h"

struct mail_field {
    struct str name;
    struct str value; /* raw: folds, 8-bit bytes and NULs as they came */
};

struct mail_fields {
    struct mail_field *v; /* own */
    size_t count, cap;
};

/* Is the line at p a delimiter of an enclosing part? Ends the block. */
typedef bool (*mail_stop_fn)(const char *line, size_t n, void *arg);

/* Reads the block at p. Returns the bytes it takes, with the empty line behind
 * it (which is missing when the block ends otherwise). what names the block in
 * defects: "the header", "the header of part 2". stop may be NULL. */
size_t mail_fields_read(struct mail_ctx *c, struct mail_fields *f, const char *p, size_t n,
                        const char *what, mail_stop_fn stop, void *arg);
void mail_fields_done(struct mail_fields *f);

/* The first field of that name, or NULL; mail_fields_next: the one after prev. */
const struct mail_field *mail_fields_get(const struct mail_fields *f, const char *name);
const struct mail_field *mail_fields_next(const struct mail_fields *f, const char *name,
                                          const struct mail_field *prev);
size_t mail_fields_count(const struct mail_fields *f, const char *name);

/* Appends the value unfolded: folds and stray CRs become one space, NULs and
 * other controls are dropped, both ends are trimmed. Bytes stay as they are. */
void mail_field_unfold(struct buf *out, const struct mail_field *f);

/* The length of the line at p with its end, and without it in *text. */
size_t mail_line_len(const char *p, size_t n, size_t *text);

#endif
