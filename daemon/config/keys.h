/* SPDX-License-Identifier: ISC
 *
 * keys - short forms for the rows of keys*.c, which are read as tables
 */
#ifndef LEADD_CONFIG_KEYS_H
#define LEADD_CONFIG_KEYS_H

#include "base/bounds.h"
#include "base/mem.h"
#include "config/read.h"
#include "config/schema.h"

#define REQUIRED .flags = SCHEMA_REQUIRED
#define FULL .flags = SCHEMA_FULL
#define RANGE(a, b) .min = (a), .max = (b)
#define SCHEMA(keys_, name_, at_)                                                                  \
    {.name = name_, .keys = keys_, .count = ARRAY_LEN(keys_), .place = at_}

#endif
