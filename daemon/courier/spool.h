/* SPDX-License-Identifier: ISC
 *
 * spool - the gateway that is a folder: a modem's program takes files out of it
 *
 * A file is written beside the others under a hidden name and then renamed, so that nobody
 * takes half of one. Its name is made of the row and its key: writing the same text again
 * makes no second one, so a courier that died at it can simply be asked again.
 */
#ifndef LEADD_COURIER_SPOOL_H
#define LEADD_COURIER_SPOOL_H

#include <stddef.h>

#include "base/err.h"

/* Durable on return 0. name has no slash. */
int spool_put(const char *folder, const char *name, const char *data, size_t n,
              struct err *e) LEADD_MUST_CHECK;

#endif
