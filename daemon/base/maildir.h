/* SPDX-License-Identifier: ISC
 *
 * maildir - a mail of ours as a file in a Maildir: the relay that is a folder, and
 * copies of what was sent
 *
 * Writing the same outbox id with the same Message-ID again changes nothing: the
 * name in the folder is made of both. So a mail that was written when its writer
 * died can simply be written again, and a courier's slot never says FINAL.
 */
#ifndef LEADD_BASE_MAILDIR_H
#define LEADD_BASE_MAILDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/buf.h"

/* The folder with its three, where they are missing. */
int maildir_make(const char *path, struct err *e);

/* Durable on return 0. from is the envelope sender ("" for none), kept in a
 * Return-Path line; lines end in LF. Makes the Maildir when it is missing.
 * again: this may be the second try, so look where readers move mails to, too. */
int maildir_deliver(const char *path, uint64_t id, const char *from, const char *raw, size_t n,
                    int again, struct err *e) LEADD_MUST_CHECK;

/* A copy of what was sent at sent_ms, as read: in cur/ under that time, the bytes as they
 * left but for the line ends. *there_out: it was there before. */
int maildir_keep(const char *path, uint64_t id, int64_t sent_ms, const char *raw, size_t n,
                 int again, int *there_out, struct err *e) LEADD_MUST_CHECK;

/* Of the header block: the value behind "Message-ID:", or an empty string. */
struct str maildir_message_id(const char *raw, size_t n);

#endif
