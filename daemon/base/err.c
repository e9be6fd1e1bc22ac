/* SPDX-License-Identifier: ISC
 *
 * err - see err.h
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* One line of UTF-8, also when it was cut or holds a stranger's words: the text
 * goes into JSON, which takes nothing else. */
static void err_one_line(char s[ERR_TEXT])
{
    size_t n = strlen(s);
    if (n == ERR_TEXT - 1)
        s[text_utf8_cut(s, n, n - 1)] = '\0';
    text_make_line(s);
}

int err_set(struct err *e, enum err_class cls, const char *fmt, ...)
{
    if (!e)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    e->cls = cls;
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    err_one_line(e->text);
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    char old[sizeof(e->text)];
    memcpy(old, e->text, sizeof(old));
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(e->text) - 1 && /* the end of a long text may go */
        snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s", old) < 0)
        e->text[n] = '\0';
    err_one_line(e->text);
    return -1;
}

const char *err_errno(void)
{
    return strerror(errno);
}
