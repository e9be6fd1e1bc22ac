/* SPDX-License-Identifier: ISC
 *
 * pin - a user's PIN, kept so that its file does not tell it
 *
 * A line as crypt(5) has them, made by `leadctl pin` or mkpasswd. A PIN has few digits, so
 * who has the line can try them all, slowly; it keeps the PIN from eyes, copies and backups.
 */
#ifndef LEADD_PIN_H
#define LEADD_PIN_H

#include <stdbool.h>

#include "base/err.h"

#define PIN_MIN 4
#define PIN_MAX 8

bool pin_is_good(const char *digits);
/* A line for the file; own. NULL with e. */
char *pin_hash(const char *digits, struct err *e);
bool pin_is_hash(const char *kept);
/* A hash that this system can compute and that is no toy? */
bool pin_hash_is_good(const char *kept);
/* kept: a hash, or the PIN as it is. In the same time wherever they differ. */
bool pin_matches(const char *kept, const char *digits);

#endif
