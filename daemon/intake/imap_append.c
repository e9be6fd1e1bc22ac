/* SPDX-License-Identifier: ISC
 *
 * imap_append - copies of what was sent: which folder, is it there, put it there
 *
 * APPEND is spoken by lines, as IDLE is: what the server says against it is what the
 * administrator has to read, and a mail that comes in meanwhile must not be overheard.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/imap_answer.h"
#include "intake/imap_inner.h"

/* name NULL: all folders. */
static enum imap_result append_list(struct imap *m, const char *name, clist **listed,
                                    struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_str(&cmd, "LIST \"\" ");
    imap_add_quoted(&cmd, name ? name : "*");
    enum imap_result res =
        imap_command(m, &cmd, (struct link_limits){.bytes = BOUND_INTAKE_LINE, .literal = KIB(16)},
                     "LIST", e);
    *listed = res == IMAP_OK && m->session->imap_response_info
                  ? m->session->imap_response_info->rsp_mailbox_list
                  : NULL;
    return res;
}

enum imap_result imap_sent_folder(struct imap *m, char **name, struct err *e)
{
    clist *listed;
    enum imap_result res = append_list(m, NULL, &listed, e);
    *name = res == IMAP_OK ? imap_take_sent(listed) : NULL;
    return res;
}

enum imap_result imap_exists(struct imap *m, const char *name, bool *yes, struct err *e)
{
    clist *listed;
    enum imap_result res = append_list(m, name, &listed, e);
    *yes = imap_first(listed) != NULL;
    return res;
}

/* Subscribed, too: many mail programs show no other folders. */
enum imap_result imap_create(struct imap *m, const char *name, struct err *e)
{
    static const char *const verbs[] = {"CREATE", "SUBSCRIBE"};
    enum imap_result res = IMAP_OK;
    struct err other = {0};
    bool there;
    for (size_t i = 0; i < ARRAY_LEN(verbs) && res == IMAP_OK; i++) {
        struct buf cmd AUTO_BUF;
        buf_init(&cmd, IMAP_COMMAND_MAX);
        buf_printf(&cmd, "%s ", verbs[i]);
        imap_add_quoted(&cmd, name);
        res = imap_command(m, &cmd, imap_small(0), verbs[i], e);
        if (i == 0 && res == IMAP_NO && imap_exists(m, name, &there, &other) == IMAP_OK && there)
            res = IMAP_OK; /* somebody else has made it meanwhile */
    }
    return res;
}

enum imap_result imap_holds(struct imap *m, const char *name, const char *message_id, bool *yes,
                            struct err *e)
{
    struct buf cmd AUTO_BUF;
    struct imap_uids found = {0};
    buf_init(&cmd, IMAP_COMMAND_MAX);
    *yes = false;
    link_begin(m->link, imap_small(0));
    enum imap_result res = imap_judge(m, mailimap_examine(m->session, name), name, e);
    if (res != IMAP_OK)
        return res;
    buf_str(&cmd, "UID SEARCH HEADER Message-ID ");
    imap_add_quoted(&cmd, message_id);
    res = imap_command(m, &cmd, (struct link_limits){.bytes = BOUND_INTAKE_LINE}, "UID SEARCH", e);
    if (res == IMAP_OK && m->session->imap_response_info)
        imap_take_search(m->session->imap_response_info->rsp_search_result, 1, &found);
    *yes = found.count > 0;
    imap_uids_done(&found);
    return res;
}

static void append_command(struct buf *out, const char *tag, const char *name, int64_t internal_ms,
                           size_t n)
{
    char stamp[32];
    buf_printf(out, "%sAPPEND ", tag);
    imap_add_quoted(out, name);
    buf_str(out, " (\\Seen) \"");
    imap_add_day(out, internal_ms);
    clock_format_utc(internal_ms, stamp, sizeof stamp);
    buf_printf(out, " %.8s +0000\" {%zu}\r\n", stamp + 11, n);
}

enum imap_result imap_append(struct imap *m, const char *name, int64_t internal_ms, const char *raw,
                             size_t n, bool *news, struct err *e)
{
    char tag[16], ok[20];
    struct buf cmd AUTO_BUF, line AUTO_BUF;
    snprintf(tag, sizeof tag, "L%u ", ++m->line_tag);
    snprintf(ok, sizeof ok, "%sOK", tag);
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_init(&line, KIB(16));
    append_command(&cmd, tag, name, internal_ms, n);
    link_begin(m->link, (struct link_limits){.bytes = MIB(1), .expected = n});
    if (link_write(m->link, cmd.data, cmd.len) < 0)
        return imap_judge(m, MAILIMAP_ERROR_STREAM, "APPEND", e);
    enum imap_result res = imap_line_until(m, "+", tag, &line, news, e);
    if (res == IMAP_OK) {
        CRASH_POINT("intake.append.before");
        if (link_write(m->link, raw, n) < 0 || link_write(m->link, "\r\n", 2) < 0)
            return imap_judge(m, MAILIMAP_ERROR_STREAM, "APPEND", e);
        res = imap_line_until(m, ok, tag, &line, news, e);
        CRASH_POINT("intake.append.after");
    }
    if (res == IMAP_NO)
        err_set(e, ERR_TEMP, "APPEND: the server says: %s", line.data + strlen(tag));
    return res;
}
