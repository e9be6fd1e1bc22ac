/* SPDX-License-Identifier: ISC
 *
 * maildir - the relay that is a folder: for trying leadd out, and for tests
 *
 * Delivering the same outbox id with the same Message-ID again changes nothing:
 * the name in the folder is made of both. So a mail that was written when the
 * courier died can simply be sent again, and its slot never says FINAL.
 */
#ifndef LEADD_COURIER_MAILDIR_H
#define LEADD_COURIER_MAILDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The folder with its three, where they are missing. */
int maildir_make(const char *path, struct err *e);

/* Durable on return 0. from is the envelope sender ("" for none), kept in a
 * Return-Path line; lines end in LF. Makes the Maildir when it is missing.
 * again: this may be the second try, so look where readers move mails to, too. */
int maildir_deliver(const char *path, uint64_t id, const char *from, const char *raw, size_t n,
                    int again, struct err *e) LEADD_MUST_CHECK;

#endif
