/* SPDX-License-Identifier: ISC
 *
 * flow - see flow.h (line ends, format=flowed and phone numbers)
 */
#include "mail/flow.h"

#include <string.h>

#include "base/mem.h"
#include "mail/header.h"

#define PHONES_MAX 20
#define PHONE_LEN 40

void mail_text_clean(struct mail_ctx *c, struct buf *out, const char *p, size_t n)
{
    mail_late(c, n);
    for (size_t i = 0; i < n && !out->full; i++) {
        unsigned char ch = (unsigned char)p[i];
        if (ch == '\r') {
            if (i + 1 >= n || p[i + 1] != '\n')
                buf_char(out, '\n');
        } else if (ch >= 0x20 ? ch != 0x7f : (ch == '\n' || ch == '\t')) {
            buf_char(out, p[i]);
        }
    }
}

void mail_text_unflow(struct mail_ctx *c, struct buf *out, const char *p, size_t n, bool delsp)
{
    size_t open_depth = 0;
    bool open = false; /* the last line waits for more */
    while (n > 0 && !mail_late(c, 1)) {
        size_t text, depth = 0, len = mail_line_len(p, n, &text);
        while (depth < text && p[depth] == '>')
            depth++;
        const char *line = p + depth;
        size_t rest = text - depth;
        if (rest > 0 && *line == ' ')
            line++, rest--; /* stuffed */
        bool sig = rest == 3 && memcmp(line, "-- ", 3) == 0;
        if (open && (depth != open_depth || sig)) {
            buf_char(out, '\n');
            open = false;
        }
        if (!open) {
            for (size_t i = 0; i < depth; i++)
                buf_char(out, '>');
            if (depth)
                buf_char(out, ' ');
        }
        bool flowed = !sig && rest > 0 && line[rest - 1] == ' ';
        buf_add(out, line, rest - (flowed && delsp ? 1 : 0));
        if (!flowed)
            buf_char(out, '\n');
        open = flowed;
        open_depth = depth;
        p += len;
        n -= len;
    }
    if (open)
        buf_char(out, '\n');
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* The length of a run of digits and the marks people put between them. */
static size_t phone_run(const char *p, size_t n, size_t *digits, size_t *groups)
{
    size_t i = 0, end = 0;
    *digits = *groups = 0;
    for (; i < n && i < PHONE_LEN; i++) {
        if (is_digit(p[i])) {
            if (i == 0 || !is_digit(p[i - 1]))
                ++*groups;
            ++*digits;
            end = i + 1;
        } else if (!strchr("+ ()-./", p[i]) || (p[i] == '+' && i > 0) ||
                   (p[i] == ' ' && i > 0 && p[i - 1] == ' ')) {
            break;
        }
    }
    return end;
}

static bool is_phone(const char *p, size_t len, size_t digits, size_t groups)
{
    if (digits < 7 || digits > 15 || len >= PHONE_LEN)
        return false;
    if (*p == '+')
        return true;
    if (memchr(p, '.', len) && groups == 3 && digits == 8)
        return false; /* a date: 21.11.2026 */
    if (*p == '0' || (*p == '(' && len > 1 && p[1] != ')'))
        return digits >= 8 && !(groups == 1 && digits > 13);
    return groups >= 3 && (digits == 10 || digits == 11);
}

void mail_phones_find(struct mail_ctx *c, const char *text, size_t n, json_t *out)
{
    mail_late(c, n);
    for (size_t i = 0; i < n && json_array_size(out) < PHONES_MAX;) {
        bool starts = is_digit(text[i]) || text[i] == '+' || text[i] == '(';
        bool inside = i > 0 && ((text[i - 1] & 0x80) || strchr("_/=#&@.-", text[i - 1]) ||
                                (text[i - 1] | 0x20) >= 'a');
        if (!starts || inside) {
            i++;
            continue;
        }
        size_t digits, groups, len = phone_run(text + i, n - i, &digits, &groups);
        char next = i + len < n ? (char)(text[i + len] | 0x20) : ' ';
        bool ends = next < 'a' || next > 'z';
        if (len && ends && is_phone(text + i, len, digits, groups)) {
            AUTO_FREE char *number = mem_strn(text + i, len);
            json_array_append_new(out, json_string(number));
        }
        i += len ? len : 1;
    }
}
