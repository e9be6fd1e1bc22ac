/* SPDX-License-Identifier: ISC
 *
 * imap_idle - IDLE by lines, and how names and numbers are written
 *
 * Between two commands of libetpan the link is ours: IDLE uses its own tags,
 * and a line that says something about the folder counts as news wherever it
 * stands, also before the continuation and behind DONE.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/imap.h"


/* "* 12 EXISTS" and its like. */
static bool idle_is_news(const char *line)
{
    if (!text_starts(line, "* "))
        return false;
    const char *word = line + 2 + strspn(line + 2, "0123456789");
    if (word == line + 2)
        return false;
    return strcasecmp(word, " EXISTS") == 0 || strcasecmp(word, " RECENT") == 0;
}

static bool idle_is_bye(const char *line)
{
    return strncasecmp(line, "* BYE", 5) == 0;
}

static enum imap_result idle_broken(struct imap *m, struct err *e)
{
    const struct err *broken = link_error(m->link);
    err_set(e, ERR_TEMP, "%s", broken ? broken->text : "the server ended the session");
    return IMAP_BROKEN;
}

enum imap_result imap_line_until(struct imap *m, const char *want, const char *tag,
                                 struct buf *line, bool *news, struct err *e)
{
    for (;;) {
        enum link_line got = link_read_line(m->link, line, m->set->command_ms);
        if (got == LINK_NO_LINE)
            continue; /* a frame came; the command's deadline still ends this */
        if (got == LINK_BROKEN || idle_is_bye(line->data))
            return idle_broken(m, e);
        if (text_starts(line->data, want))
            return IMAP_OK;
        if (text_starts(line->data, tag))
            return IMAP_NO;
        *news |= idle_is_news(line->data);
    }
}

static enum imap_result idle_until(struct imap *m, const char *want, const char *tag, bool *news,
                                   struct err *e)
{
    struct buf line AUTO_BUF;
    buf_init(&line, KIB(16));
    return imap_line_until(m, want, tag, &line, news, e);
}

static enum imap_result idle_wait(struct imap *m, int ms, bool *news, struct err *e)
{
    struct buf line AUTO_BUF;
    buf_init(&line, KIB(16));
    int64_t until = clock_mono_ms() + ms;
    while (!*news && !desk_has_work(m->desk)) {
        int64_t left = until - clock_mono_ms();
        enum link_line got = link_read_line(m->link, &line, left > 0 ? (int)left : 0);
        if (got == LINK_BROKEN || (got == LINK_LINE && idle_is_bye(line.data)))
            return idle_broken(m, e);
        if (got == LINK_NO_LINE && (desk_has_work(m->desk) || clock_mono_ms() >= until))
            return IMAP_OK;
        if (got == LINK_NO_LINE)
            continue; /* a receipt, or half a line */
        *news |= idle_is_news(line.data);
    }
    return IMAP_OK;
}

enum imap_result imap_idle(struct imap *m, int ms, bool *news, struct err *e)
{
    char tag[16], command[32];
    snprintf(tag, sizeof tag, "L%u ", ++m->line_tag);
    snprintf(command, sizeof command, "%sIDLE\r\n", tag);
    *news = false;
    link_begin(m->link, (struct link_limits){.bytes = BOUND_INTAKE_IDLE_BYTES});
    if (link_write(m->link, command, strlen(command)) < 0)
        return idle_broken(m, e);
    enum imap_result res = idle_until(m, "+", tag, news, e);
    if (res != IMAP_OK) {
        if (res == IMAP_NO)
            m->can_idle = false;
        return res;
    }
    link_extend(m->link, ms);
    res = idle_wait(m, ms, news, e);
    if (res != IMAP_OK)
        return res;
    link_begin(m->link, (struct link_limits){.bytes = BOUND_INTAKE_IDLE_BYTES});
    if (link_write(m->link, "DONE\r\n", 6) < 0)
        return idle_broken(m, e);
    return idle_until(m, tag, tag, news, e);
}

/* ---- writing ---- */

void imap_add_uids(struct buf *out, const uint32_t *uids, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t j = i;
        while (j + 1 < count && uids[j + 1] == uids[j] + 1)
            j++;
        buf_printf(out, j > i ? "%s%u:%u" : "%s%u", i ? "," : "", uids[i], uids[j]);
        i = j + 1;
    }
}

/* One run of characters outside ASCII: base64 of UTF-16, with ',' for '/'. */
static void folder_add_run(struct buf *out, const uint16_t *unit, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    uint32_t bits = 0;
    int have = 0;
    buf_char(out, '&');
    for (size_t i = 0; i < n; i++) {
        bits = bits << 16 | unit[i];
        for (have += 16; have >= 6; have -= 6)
            buf_char(out, digits[bits >> (have - 6) & 63]);
        bits &= (1u << have) - 1;
    }
    if (have > 0)
        buf_char(out, digits[bits << (6 - have) & 63]);
    buf_char(out, '-');
}

/* The next character of valid UTF-8. */
static uint32_t folder_char(const unsigned char **p)
{
    uint32_t c = *(*p)++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    c &= more == 3 ? 0x07u : more == 2 ? 0x0fu : more == 1 ? 0x1fu : 0x7fu;
    while (more-- > 0)
        c = c << 6 | (*(*p)++ & 0x3fu);
    return c;
}

void imap_add_utf7(struct buf *out, const char *folder)
{
    uint16_t run[256];
    size_t n = 0;
    const unsigned char *p = (const unsigned char *)folder;
    bool valid = text_is_utf8(folder, strlen(folder));
    while (*p) {
        uint32_t c = valid ? folder_char(&p) : *p++;
        bool plain = c >= 0x20 && c < 0x7f;
        if (n > 0 && (plain || n + 2 > ARRAY_LEN(run))) {
            folder_add_run(out, run, n);
            n = 0;
        }
        if (c == '&') {
            buf_str(out, "&-");
        } else if (plain) {
            buf_char(out, (char)c);
        } else if (c > 0xffff) {
            run[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
            run[n++] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            run[n++] = (uint16_t)c;
        }
    }
    if (n > 0)
        folder_add_run(out, run, n);
}

void imap_add_quoted(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_char(out, '\\');
        buf_char(out, *p);
    }
    buf_char(out, '"');
}

void imap_add_folder(struct buf *out, const char *folder)
{
    struct buf name AUTO_BUF;
    buf_init(&name, KIB(16));
    imap_add_utf7(&name, folder);
    imap_add_quoted(out, name.data);
}
