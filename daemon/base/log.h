/* SPDX-License-Identifier: ISC
 *
 * log - one line per outcome, in logfmt
 *
 *   log_info("out.sent", "out=%" PRId64 " try=%d relay=%s", id, tries, relay);
 *
 * gives: `2026-11-21T10:00:00.000Z info engine out.sent out=17 try=2 relay=main`.
 * The event name is stable. Control characters are escaped as \xNN, so a line
 * stays one line; in key="%s" the value's quotes and backslashes get a backslash, and
 * what stands alone in key=%s gets quotes when it has a space or a quote: what comes
 * from outside cannot look like another key. Bodies are never logged, and mail addresses only as
 * "j***@example.com" until log_set_personal(true). With a systemd journal on stderr
 * (JOURNAL_STREAM set) the time is left out and a priority prefix is added.
 */
#ifndef LEADD_LOG_H
#define LEADD_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

void log_init(const char *role, enum log_level level);
void log_set_level(enum log_level level);
void log_set_personal(bool full); /* the setting log_personal */
/* While muted nothing is written: for what is tried out and not done. */
void log_mute(bool muted);
int log_level_parse(const char *name, enum log_level *out); /* 0 or -1 */
void log_write(enum log_level level, const char *event, const char *fmt, ...) LEADD_PRINTF(3, 4);

#define log_error(...) log_write(LOG_LVL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LVL_DEBUG, __VA_ARGS__)

#endif
