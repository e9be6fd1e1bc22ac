/* SPDX-License-Identifier: ISC
 *
 * address - remote addresses: their one form, and who counts as one stranger
 */
#ifndef LEADD_WEB_ADDRESS_H
#define LEADD_WEB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

#define ADDRESS_KEY 8

/* Writes an address in its one form; false when s is none. ::ffff:1.2.3.4 is
 * the same client as 1.2.3.4. */
bool address_canonical(const char *s, char *out, size_t n);
/* address is canonical; trusted an array of addresses in any form. */
bool address_is_trusted(const json_t *trusted, const char *address);
/* Whom limits are for: an IPv4 address, an IPv6 /64; all that is none is one. */
void address_key(const char *address, unsigned char key[ADDRESS_KEY]);

#endif
