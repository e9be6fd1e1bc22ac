/* SPDX-License-Identifier: ISC
 *
 * align - do two host names belong to the same organization?
 *
 * By the public suffix list that libpsl carries: mail.example.co.uk and
 * example.co.uk do, example.co.uk and other.co.uk do not.
 */
#ifndef LEADD_ENGINE_ALIGN_H
#define LEADD_ENGINE_ALIGN_H

#include <stdbool.h>

/* Both in any case; what is not ASCII, or no name, belongs to nobody. */
bool align_same(const char *a, const char *b);

#endif
