/* SPDX-License-Identifier: ISC
 *
 * courier - role: hands the engine's mails to relays and says what became of each
 */
#ifndef LEADD_COURIER_COURIER_H
#define LEADD_COURIER_COURIER_H

#include "base/role.h"

int courier_main(const char *name);
extern const struct role_ops courier_ops; /* for tests that play the supervisor in one process */

#endif
