/* SPDX-License-Identifier: ISC
 *
 * log - see log.h
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

static enum log_level log_max = LOG_LVL_INFO;
static char log_role[64] = "leadd";
static bool log_journal, log_personal, log_muted;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_prefix[] = {"<3>", "<4>", "<6>", "<7>"};

void log_init(const char *role, enum log_level level)
{
    snprintf(log_role, sizeof(log_role), "%s", role);
    log_max = level;
    log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_set_level(enum log_level level)
{
    log_max = level;
}

void log_set_personal(bool full)
{
    log_personal = full;
}

void log_mute(bool muted)
{
    log_muted = muted;
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    return -1;
}

/* line[at] is to become an '@': hides the words before it, back to from, but for
 * their first letter. A "key=" in front of them stays. Returns the new length. */
static size_t log_mask(char *line, size_t from, size_t at)
{
    size_t s = at;
    while (s > from && !strchr(" <>\"'(),:;[]{}|\\", line[s - 1]))
        s--;
    size_t key = s + strspn(line + s, "abcdefghijklmnopqrstuvwxyz_");
    if (key > s && key < at && line[key] == '=')
        s = key + 1;
    if (s >= at)
        return at;
    s += (unsigned char)line[s] < 0x80;
    memcpy(line + s, "***", 3);
    return s + 3;
}

static bool log_is_host(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '[' || c >= 0x80;
}

/* ---- the text: printf, where no value can look like another key ---- */

struct text {
    char p[2048];
    size_t n;
    bool quoted; /* between quotes */
    bool full, cut_quoted; /* when it was full */
};

static void text_add(struct text *t, const char *s, size_t n)
{
    if (t->full || t->n + n > sizeof(t->p) - 2) { /* room for the closing quote */
        t->cut_quoted |= !t->full && t->quoted;
        t->full = true;
        return;
    }
    memcpy(t->p + t->n, s, n);
    t->n += n;
}

/* alone: it stands for itself behind "key=", and gets quotes when it needs them. */
static void text_value(struct text *t, const char *s, bool alone)
{
    bool was = t->quoted, quote = alone && strpbrk(s, " \"") != NULL;
    if (quote)
        text_add(t, "\"", 1);
    t->quoted |= quote;
    for (; *s; s++) {
        char escaped[2] = {'\\', *s};
        bool escape = t->quoted && (*s == '"' || *s == '\\');
        text_add(t, escape ? escaped : s, escape ? 2 : 1);
    }
    if (quote)
        text_add(t, "\"", 1);
    t->quoted = was;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* spec is a piece of a literal */
static void arg_format(char *out, size_t n, const char *spec, const char *len, char conv,
                       va_list *ap)
{
    if (conv == 's')
        snprintf(out, n, spec, va_arg(*ap, const char *));
    else if (conv == 'c' || *len == '\0')
        snprintf(out, n, spec, va_arg(*ap, int));
    else if (strcmp(len, "ll") == 0)
        snprintf(out, n, spec, va_arg(*ap, long long));
    else /* "l" and "z" are of one width wherever this is built */
        snprintf(out, n, spec, va_arg(*ap, long));
}
#pragma GCC diagnostic pop

/* One conversion; fmt is behind its '%'. Returns what comes after it. */
static const char *text_arg(struct text *t, const char *fmt, bool alone, va_list *ap)
{
    char spec[32] = "%", len[3] = "", out[1536];
    size_t n = 1;
    for (; strchr("-+ #0123456789.*", *fmt) && *fmt; fmt++) {
        if (*fmt == '*')
            n += (size_t)snprintf(spec + n, 12, "%d", va_arg(*ap, int));
        else
            spec[n++] = *fmt;
        LEADD_ASSERT(n < 14);
    }
    size_t k = strspn(fmt, "lz");
    LEADD_ASSERT(k < sizeof(len));
    memcpy(len, fmt, k);
    memcpy(spec + n, fmt, k + 1);
    fmt += k;
    LEADD_ASSERT(*fmt && strchr("sdiuxXc", *fmt)); /* the compiler has checked the types */
    arg_format(out, sizeof(out), spec, len, *fmt, ap);
    text_value(t, out, alone && *fmt == 's' && (fmt[1] == ' ' || fmt[1] == '\0'));
    return fmt + 1;
}

static void text_format(struct text *t, const char *fmt, va_list *ap)
{
    const char *start = fmt;
    while (*fmt) {
        if (*fmt == '%' && fmt[1] != '%') {
            fmt = text_arg(t, fmt + 1, fmt > start && fmt[-1] == '=', ap);
            continue;
        }
        fmt += *fmt == '%';
        text_add(t, fmt, 1);
        t->quoted ^= *fmt++ == '"';
    }
    if (t->cut_quoted)
        t->p[t->n++] = '"';
    t->p[t->n] = '\0';
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    if (level > log_max || log_muted)
        return;
    char line[4096], stamp[32];
    struct text text = {.n = 0};
    va_list ap;
    va_start(ap, fmt);
    text_format(&text, fmt, &ap);
    va_end(ap);

    int n = log_journal ? snprintf(line, sizeof(line), "%s%s %s ", level_prefix[level], log_role, event)
                        : snprintf(line, sizeof(line), "%s %s %s %s ",
                                   clock_format_utc(clock_now_ms(), stamp, sizeof(stamp)),
                                   level_names[level], log_role, event);
    size_t at = n < 0 ? 0 : (size_t)n, from = at;
    for (const unsigned char *p = (const unsigned char *)text.p; *p && at < sizeof(line) - 8; p++) {
        if (*p == '@' && !log_personal && log_is_host(p[1])) {
            line[at] = '\0';
            at = log_mask(line, from, at);
        }
        if (*p < 0x20 || *p == 0x7f)
            at += (size_t)snprintf(line + at, sizeof(line) - at, "\\x%02x", *p);
        else
            line[at++] = (char)*p;
    }
    line[at++] = '\n';
    (void)!write(STDERR_FILENO, line, at);
}
