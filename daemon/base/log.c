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

static enum log_level log_max = LOG_LVL_INFO;
static char log_role[64] = "leadd";
static bool log_journal, log_personal;

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

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    if (level > log_max)
        return;
    char text[2048], line[4096], stamp[32];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    int n = log_journal ? snprintf(line, sizeof(line), "%s%s %s ", level_prefix[level], log_role, event)
                        : snprintf(line, sizeof(line), "%s %s %s %s ",
                                   clock_format_utc(clock_now_ms(), stamp, sizeof(stamp)),
                                   level_names[level], log_role, event);
    size_t at = n < 0 ? 0 : (size_t)n, from = at;
    for (const unsigned char *p = (const unsigned char *)text; *p && at < sizeof(line) - 8; p++) {
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
