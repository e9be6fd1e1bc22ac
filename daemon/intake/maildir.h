/* SPDX-License-Identifier: ISC
 *
 * maildir - a Maildir as the mailbox
 *
 * Files in new/ are seen at once by inotify; cur/ is looked into every `poll`,
 * and new/ too, in case inotify is silent (network file systems). A message is
 * known by its name before ':'. tmp/ is never looked into; links and anything
 * but regular files are refused.
 */
#ifndef LEADD_INTAKE_MAILDIR_H
#define LEADD_INTAKE_MAILDIR_H

#include "intake/desk.h"
#include "intake/settings.h"

/* Towards the engine a Maildir is one folder of this name, UIDVALIDITY 1;
 * start_uid is the millisecond (UTC, since 1970) from which on messages count. */
#define MAILDIR_FOLDER "maildir"

/* Until told to end. */
void maildir_run(struct desk *d, const struct settings *s);

/* The unique part of a file name; 0 when this is no message. */
size_t maildir_unique_len(const char *file);
/* Arrival: the name's own time, else mtime_ms. */
int64_t maildir_internal_ms(const char *file, int64_t mtime_ms);
/* The file's name in cur/ with one more flag; own. */
char *maildir_flagged(const char *file, char flag);

#endif
