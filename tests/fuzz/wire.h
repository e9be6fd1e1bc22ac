/* SPDX-License-Identifier: ISC
 *
 * wire - what every mail that leaves must be: 7-bit, CRLF only, short lines, one
 * empty line between a header block of fields and the body
 */
#ifndef LEADD_FUZZ_WIRE_H
#define LEADD_FUZZ_WIRE_H

#include <string.h>

#include "base/mem.h"

#define WIRE_LINE 998

static inline void wire_check_field(const char *line, size_t n)
{
    size_t name = 0;
    while (name < n && line[name] > 0x20 && line[name] != ':')
        name++;
    LEADD_ASSERT(name > 0 && name < n && line[name] == ':');
}

static inline void wire_check(const char *p, size_t n)
{
    size_t line = 0, fields = 0;
    int header = 1;
    LEADD_ASSERT(n > 4 && memcmp(p + n - 2, "\r\n", 2) == 0);
    for (size_t i = 0; i < n; i++) {
        LEADD_ASSERT((unsigned char)p[i] < 0x80 && p[i] != 0);
        LEADD_ASSERT((p[i] == '\r') == (i + 1 < n && p[i + 1] == '\n'));
        if (p[i] != '\n')
            continue;
        size_t len = i - 1 - line;
        LEADD_ASSERT(len <= WIRE_LINE);
        if (header && len == 0)
            header = 0;
        else if (header && p[line] != ' ' && p[line] != '\t' && ++fields)
            wire_check_field(p + line, len);
        line = i + 1;
    }
    LEADD_ASSERT(!header && fields > 0);
}

/* How many header fields have this name. */
static inline int wire_count(const char *p, const char *name)
{
    int count = 0;
    size_t n = strlen(name);
    for (const char *end = strstr(p, "\r\n\r\n"); p && p < end;) {
        count += strncasecmp(p, name, n) == 0 && p[n] == ':';
        p = strstr(p, "\r\n");
        p = p ? p + 2 : NULL;
    }
    return count;
}

#endif
