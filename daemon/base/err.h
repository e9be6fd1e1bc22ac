/* SPDX-License-Identifier: ISC
 *
 * err - what went wrong, for the caller to report once
 *
 * Functions that can fail return 0 or -1 and fill a struct err. The class says
 * what to do next: INPUT is somebody's bytes, TEMP is worth trying again, PERM
 * is not, BUG is ours. Rooms below engine fill it and do not log.
 */
#ifndef LEADD_ERR_H
#define LEADD_ERR_H

#include <stdarg.h>

enum err_class { ERR_NONE = 0, ERR_INPUT, ERR_TEMP, ERR_PERM, ERR_BUG };

#define ERR_TEXT 768

struct err {
    enum err_class cls;
    char text[ERR_TEXT];
};

#define LEADD_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define LEADD_MUST_CHECK __attribute__((warn_unused_result))

/* Fills e (which may be NULL) and returns -1, so that callers can write
 * `return err_set(e, ERR_TEMP, ...)`. Control characters in the text are
 * replaced, and what is not UTF-8, so the text is always one line that JSON takes. */
int err_set(struct err *e, enum err_class cls, const char *fmt, ...) LEADD_PRINTF(3, 4);

/* Puts "what: " in front of the text; keeps the class. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) LEADD_PRINTF(2, 3);

/* ": strerror(errno)" for messages; thread-unsafe, like everything here. */
const char *err_errno(void);

#endif
