/* SPDX-License-Identifier: ISC
 *
 * duplicate - somebody looks like a contact that is there: the owner hears of it
 *
 * Once for each pair, with the commands that join them; nothing is joined by itself
 * (crm/twin.h). Where the owner may not see the other contact, he hears its number
 * alone, and the administrator the rest.
 */
#ifndef LEADD_ENGINE_DUPLICATE_H
#define LEADD_ENGINE_DUPLICATE_H

#include "engine/input.h"

/* After the rules have run (input_run), which gave the record its owner. */
int duplicate_tell(struct input *in, const struct crm_who *who, struct err *e) LEADD_MUST_CHECK;

#endif
