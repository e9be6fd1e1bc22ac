/* SPDX-License-Identifier: ISC
 *
 * maildir_name - what a file name in a Maildir says
 *
 * "1700000000.M123456P99.host:2,RS": the second of delivery, a unique rest,
 * and flags in alphabetical order behind ":2,".
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "intake/maildir.h"

size_t maildir_unique_len(const char *file)
{
    size_t n = strcspn(file, ":");
    if (file[0] == '.' || n == 0 || n > 250 || !text_is_utf8(file, n))
        return 0;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)file[i] < 0x20 || file[i] == 0x7f)
            return 0;
    return n;
}

int64_t maildir_internal_ms(const char *file, int64_t mtime_ms)
{
    size_t n = strspn(file, "0123456789");
    if (n < 9 || n > 10 || file[n] != '.')
        return mtime_ms;
    int64_t sec = 0;
    for (size_t i = 0; i < n; i++)
        sec = sec * 10 + (file[i] - '0');
    return sec * 1000;
}

char *maildir_flagged(const char *file, char flag)
{
    size_t n = strcspn(file, ":");
    const char *flags = strncmp(file + n, ":2,", 3) == 0 ? file + n + 3 : "";
    size_t before = 0;
    while (flags[before] && flags[before] < flag)
        before++;
    if (flags[before] == flag)
        return mem_str(file);
    return mem_printf("%.*s:2,%.*s%c%s", (int)n, file, (int)before, flags, flag, flags + before);
}
