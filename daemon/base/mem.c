/* SPDX-License-Identifier: ISC
 *
 * mem - see mem.h
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No core dump: it would be as large as the memory that is not there. */
void mem_out_of_memory(void)
{
    static const char msg[] = "leadd: out of memory\n";
    (void)!write(2, msg, sizeof(msg) - 1);
    _exit(MEM_EXIT);
}

static void *mem_or_end(void *p)
{
    if (!p)
        mem_out_of_memory();
    return p;
}

void *mem_alloc(size_t n)
{
    return mem_or_end(calloc(1, n ? n : 1));
}

void *mem_array(size_t count, size_t size)
{
    return mem_or_end(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *p, size_t n)
{
    return mem_or_end(realloc(p, n ? n : 1));
}

char *mem_str(const char *s)
{
    return s ? mem_strn(s, strlen(s)) : NULL;
}

char *mem_strn(const char *s, size_t n)
{
    LEADD_ASSERT(n < SIZE_MAX);
    char *d = mem_alloc(n + 1);
    if (n)
        memcpy(d, s, n);
    return d;
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return mem_or_end(n < 0 ? NULL : s);
}

void mem_free(void *p)
{
    free(p);
}

void mem_cleanup_free(void *p)
{
    free(*(void **)p);
}

void mem_cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void mem_cleanup_fclose(FILE **f)
{
    if (*f)
        fclose(*f);
}

void mem_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "leadd: assertion failed: %s at %s:%d\n", what, file, line);
    abort();
}
