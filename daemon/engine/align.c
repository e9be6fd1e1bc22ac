/* SPDX-License-Identifier: ISC
 *
 * align - see align.h
 */
#include "engine/align.h"

#include <ctype.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

/* Lower case, without the dot of the root. False: not the name of a host. */
static bool host_fold(const char *s, char out[256])
{
    size_t n = strlen(s);
    if (n > 1 && s[n - 1] == '.')
        n--;
    if (n == 0 || n > 253 || s[0] == '.' || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i]) && !strchr("-._", s[i]))
            return false;
        if (s[i] == '.' && (i + 1 == n || s[i + 1] == '.'))
            return false;
        out[i] = (char)tolower((unsigned char)s[i]);
    }
    out[n] = '\0';
    return true;
}

bool align_same(const char *a, const char *b)
{
    char x[256], y[256];
    if (!host_fold(a, x) || !host_fold(b, y))
        return false;
    if (strcmp(x, y) == 0)
        return true;
    const char *p = psl_registrable_domain(psl_builtin(), x),
               *q = psl_registrable_domain(psl_builtin(), y);
    return p && q && strcmp(p, q) == 0;
}
