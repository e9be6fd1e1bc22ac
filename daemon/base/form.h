/* SPDX-License-Identifier: ISC
 *
 * form - the body of a posted form, read into names and values
 *
 * Three content types are read: application/x-www-form-urlencoded,
 * multipart/form-data and application/json. The result is the same for all:
 * text under a name, in the order posted.
 *
 *   - A name posted again keeps the first value under its name; the others are
 *     NAME.1, NAME.2 ... A value without a name is "(no name)".
 *   - JSON objects are flattened: {"a": {"b": 1}, "c": [2, 3]} gives a.b, c.0
 *     and c.1. null, {} and [] give nothing.
 *   - Values are valid UTF-8 without NUL, line ends are LF. ISO-8859-1 and
 *     windows-1252 are read when declared (charset, _charset_); what is invalid
 *     becomes U+FFFD and a defect.
 *   - Malformed percent signs are kept as they are and named as a defect.
 *   - A part with a file name is a file; its bytes stay in the body, from `at` on.
 *
 * Bytes from strangers: everything is bounded (bounds.h), nothing is fatal.
 * What passes a bound is left out of the values and named as a defect: the
 * body itself travels along as it came. Pure: no socket, no log, no clock.
 */
#ifndef LEADD_FORM_H
#define LEADD_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

enum form_type { FORM_TYPE_UNKNOWN, FORM_TYPE_URLENCODED, FORM_TYPE_MULTIPART, FORM_TYPE_JSON };
enum form_charset { FORM_UTF8, FORM_WINDOWS_1252 };

#define FORM_TYPES_ACCEPTED                                                                        \
    "application/x-www-form-urlencoded, multipart/form-data, application/json"

/* A field that stands for the header Idempotency-Key, where no script sets headers. */
#define FORM_KEY_FIELD "_key"
/* When the page was opened, in a form that only web-in makes (web/stamp.h). */
#define FORM_STAMP_FIELD "_stamp"

struct form {
    json_t *values;  /* own; name -> text */
    json_t *files;   /* own; [{field, filename, type, size, sha256, at, bytes, encoding}] */
    json_t *defects; /* own; [text] */
    size_t text;     /* bytes of names and values so far */
    size_t fields;   /* fields seen, kept or not */
    enum form_charset charset;
};

void form_init(struct form *f);
void form_done(struct form *f);

enum form_type form_type_of(const char *content_type);

/* Reads a body by its Content-Type. -1 with ERR_INPUT when it cannot be read
 * at all; what was read before is then still in f. */
int form_read(struct form *f, const char *content_type, const char *body, size_t n,
              struct err *e) LEADD_MUST_CHECK;

/* The readers themselves. form_read_urlencoded also serves the query. */
void form_read_urlencoded(struct form *f, const char *p, size_t n);
int form_read_json(struct form *f, const char *p, size_t n, struct err *e) LEADD_MUST_CHECK;
int form_read_multipart(struct form *f, const char *boundary, const char *p, size_t n,
                        struct err *e) LEADD_MUST_CHECK;

/* For the readers: adds what was found. */
void form_add_value(struct form *f, const char *name, size_t name_len, const char *value, size_t n,
                    enum form_charset cs);
void form_add_defect(struct form *f, const char *fmt, ...) LEADD_PRINTF(2, 3);
enum form_charset form_charset_named(const char *name, size_t n);
/* A parameter of a header value such as `form-data; name="x"`, unquoted;
 * own, NULL when absent. Longer than max: NULL. */
char *form_param(const char *header, size_t n, const char *name, size_t max);

#endif
