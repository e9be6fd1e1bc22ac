/* SPDX-License-Identifier: ISC
 *
 * buf - see buf.h
 */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t max)
{
    b->cap = 64;
    b->data = mem_alloc(b->cap);
    b->len = 0;
    b->max = max;
    b->full = false;
}

void buf_done(struct buf *b)
{
    mem_free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->full = false;
    b->data[0] = '\0';
}

bool buf_ok(const struct buf *b)
{
    return !b->full;
}

static int buf_room(struct buf *b, size_t n)
{
    if (n > b->max - b->len || b->len > b->max) {
        b->full = true;
        return -1;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap < 64 ? 64 : b->cap;
        while (cap < need)
            cap *= 2;
        b->data = mem_grow(b->data, cap);
        b->cap = cap;
    }
    return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    if (buf_room(b, n) < 0)
        return -1;
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
    return 0;
}

int buf_str(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

int buf_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    int rc = -1;
    if (n >= 0 && (size_t)n < sizeof(small)) {
        rc = buf_add(b, small, (size_t)n);
    } else if (n >= 0 && buf_room(b, (size_t)n) == 0) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
        rc = 0;
    }
    va_end(again);
    return rc;
}

void buf_html(struct buf *b, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&':
            buf_str(b, "&amp;");
            break;
        case '<':
            buf_str(b, "&lt;");
            break;
        case '>':
            buf_str(b, "&gt;");
            break;
        case '"':
            buf_str(b, "&quot;");
            break;
        case '\'':
            buf_str(b, "&#39;");
            break;
        default:
            buf_char(b, *s);
        }
    }
}

void buf_drop(struct buf *b, size_t n)
{
    LEADD_ASSERT(n <= b->len);
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
    char *p = b->data;
    size_t max = b->max;
    buf_init(b, max);
    return p;
}

int buf_read_fd(struct buf *b, int fd, struct err *e)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_TEMP, "cannot read: %s", err_errno());
        if (buf_add(b, chunk, (size_t)n) < 0)
            return err_set(e, ERR_INPUT, "larger than %zu bytes", b->max);
    }
}

int buf_read_file(struct buf *b, const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, errno == ENOENT ? ERR_PERM : ERR_TEMP, "cannot open %s: %s", path,
                       err_errno());
    if (buf_read_fd(b, fd, e) < 0)
        return err_wrap(e, "%s", path);
    return 0;
}

int buf_write_fd(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}
