/* SPDX-License-Identifier: ISC
 *
 * imap_inner - what the files of imap share: a command, its limits, its answer
 */
#ifndef LEADD_INTAKE_IMAP_INNER_H
#define LEADD_INTAKE_IMAP_INNER_H

#include "base/bounds.h"
#include "intake/imap.h"

#define IMAP_COMMAND_MAX KIB(64)

/* A short line for each of count messages. */
struct link_limits imap_small(size_t count);
/* What an answer of libetpan means; fills e unless it is good. */
enum imap_result imap_judge(struct imap *m, int r, const char *what, struct err *e);
enum imap_result imap_command(struct imap *m, const struct buf *cmd, struct link_limits limits,
                              const char *what, struct err *e);

#endif
