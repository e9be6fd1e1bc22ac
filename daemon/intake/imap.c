/* SPDX-License-Identifier: ISC
 *
 * imap - see imap.h
 */
#include "intake/imap.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/mem.h"
#include "base/text.h"
#include "intake/imap_answer.h"
#include "intake/imap_inner.h"

#define ANSWER_SMALL KIB(256) /* a command that tells little but ok or no */

struct link_limits imap_small(size_t count)
{
    return (struct link_limits){.bytes = ANSWER_SMALL + count * KIB(1), .literal = KIB(16)};
}

enum imap_result imap_judge(struct imap *m, int r, const char *what, struct err *e)
{
    const struct err *broken = link_error(m->link);
    if (broken) {
        err_set(e, broken->cls, "%s: %s", what, broken->text);
        return IMAP_BROKEN;
    }
    switch (r) {
    case MAILIMAP_NO_ERROR:
        return IMAP_OK;
    case MAILIMAP_ERROR_CUSTOM_COMMAND:
    case MAILIMAP_ERROR_PROTOCOL:
    case MAILIMAP_ERROR_SELECT:
    case MAILIMAP_ERROR_EXAMINE:
        err_set(e, ERR_TEMP, "%s: the server says: %s", what,
                m->session->imap_response ? m->session->imap_response : "no");
        return IMAP_NO;
    default:
        err_set(e, ERR_INPUT, "%s: the server's answer cannot be understood", what);
        return IMAP_BROKEN;
    }
}

enum imap_result imap_command(struct imap *m, const struct buf *cmd,
                                     struct link_limits limits, const char *what, struct err *e)
{
    if (!buf_ok(cmd)) {
        err_set(e, ERR_BUG, "%s: the command is too long", what);
        return IMAP_NO;
    }
    link_begin(m->link, limits);
    return imap_judge(m, mailimap_custom_command(m->session, cmd->data), what, e);
}

static void imap_learn(struct imap *m, const struct mailimap_capability_data *caps)
{
    if (!caps)
        return;
    for (clistiter *i = imap_first(caps->cap_list); i; i = clist_next(i)) {
        const struct mailimap_capability *c = clist_content(i);
        if (c->cap_type != MAILIMAP_CAPABILITY_NAME || !c->cap_data.cap_name)
            continue;
        const char *name = c->cap_data.cap_name;
        m->can_idle |= strcasecmp(name, "IDLE") == 0;
        m->can_move |= strcasecmp(name, "MOVE") == 0;
        m->can_uidplus |= strcasecmp(name, "UIDPLUS") == 0;
    }
}

static enum imap_result imap_simple(struct imap *m, const char *command, struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_str(&cmd, command);
    return imap_command(m, &cmd, imap_small(0), command, e);
}

int imap_open(struct imap *m, struct desk *d, const struct settings *s, enum link_trouble *why,
              struct err *e)
{
    *m = (struct imap){.set = s, .desk = d};
    m->link = link_open(d, s, why, e);
    if (!m->link)
        return -1;
    *why = LINK_TROUBLE_NETWORK;
    m->session = mailimap_new(0, NULL);
    LEADD_ASSERT(m->session);
    link_begin(m->link, imap_small(0));
    int r = mailimap_connect(m->session, link_stream(m->link));
    if (r == MAILIMAP_NO_ERROR_AUTHENTICATED)
        r = MAILIMAP_NO_ERROR;
    enum imap_result res = imap_judge(m, r, "connect", e);
    if (res == IMAP_OK)
        res = imap_simple(m, "CAPABILITY", e);
    if (res == IMAP_BROKEN) {
        imap_close(m, false);
        return -1;
    }
    if (m->session->imap_connection_info)
        imap_learn(m, m->session->imap_connection_info->imap_capability);
    return 0;
}

void imap_close(struct imap *m, bool polite)
{
    if (!m->session)
        return;
    link_begin_last(m->link, polite ? 2000 : 0);
    mailimap_free(m->session); /* says LOGOUT, as far as the deadline lets it */
    m->session = NULL;
    link_free(&m->link);
}

enum imap_result imap_select(struct imap *m, const char *folder, bool write,
                             struct imap_folder *out, struct err *e)
{
    struct buf name AUTO_BUF;
    buf_init(&name, IMAP_COMMAND_MAX);
    imap_add_utf7(&name, folder); /* libetpan quotes */
    link_begin(m->link, imap_small(0));
    int r = write ? mailimap_select(m->session, name.data)
                  : mailimap_examine(m->session, name.data);
    const struct mailimap_selection_info *i = m->session->imap_selection_info;
    enum imap_result res = imap_judge(m, r, folder, e);
    if (res != IMAP_OK)
        return res;
    if (!i || i->sel_uidvalidity == 0) {
        err_set(e, ERR_TEMP, "%s: the server gives no UIDVALIDITY", folder);
        return IMAP_NO;
    }
    *out = (struct imap_folder){i->sel_uidvalidity, i->sel_uidnext, i->sel_exists};
    return IMAP_OK;
}

bool imap_has_news(const struct imap *m)
{
    const struct mailimap_selection_info *i = m->session->imap_selection_info;
    return i && (i->sel_has_exists || i->sel_has_recent);
}

enum imap_result imap_search(struct imap *m, uint32_t from, int64_t since_ms,
                             struct imap_uids *out, struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    *out = (struct imap_uids){0};
    buf_printf(&cmd, "UID SEARCH UID %u:*", from ? from : 1);
    if (since_ms > 0)
        imap_add_since(&cmd, since_ms);
    if (m->session->imap_selection_info) {
        m->session->imap_selection_info->sel_has_exists = 0;
        m->session->imap_selection_info->sel_has_recent = 0;
    }
    enum imap_result res =
        imap_command(m, &cmd, (struct link_limits){.bytes = BOUND_INTAKE_LINE}, "UID SEARCH", e);
    if (res == IMAP_OK && m->session->imap_response_info)
        imap_take_search(m->session->imap_response_info->rsp_search_result, from, out);
    return res;
}

void imap_uids_done(struct imap_uids *u)
{
    mem_free(u->uid);
    *u = (struct imap_uids){0};
}

static clist *imap_fetched(struct imap *m)
{
    return m->session->imap_response_info ? m->session->imap_response_info->rsp_fetch_list : NULL;
}

enum imap_result imap_items(struct imap *m, const uint32_t *uids, size_t count, bool message_ids,
                            struct imap_item *items, size_t *found, struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    *found = 0;
    buf_str(&cmd, "UID FETCH ");
    imap_add_uids(&cmd, uids, count);
    buf_printf(&cmd, " (UID RFC822.SIZE INTERNALDATE%s)",
               message_ids ? " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]" : "");
    struct link_limits limits = imap_small(count);
    if (message_ids)
        limits.bytes += count * KIB(16);
    enum imap_result res = imap_command(m, &cmd, limits, "UID FETCH", e);
    if (res == IMAP_OK)
        *found = imap_take_items(imap_fetched(m), uids, count, items);
    return res;
}

enum imap_result imap_bodies(struct imap *m, const uint32_t *uids, size_t count, size_t bytes,
                             imap_body_fn fn, void *arg, struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_str(&cmd, "UID FETCH ");
    imap_add_uids(&cmd, uids, count);
    buf_str(&cmd, " (UID BODY.PEEK[])");
    /* Some servers tell sizes that are a little wrong. */
    struct link_limits limits = {.bytes = bytes + bytes / 4 + count * KIB(4) + ANSWER_SMALL,
                                 .literal = m->set->mail_size + MIB(1),
                                 .expected = bytes};
    enum imap_result res = imap_command(m, &cmd, limits, "UID FETCH", e);
    if (res == IMAP_OK)
        imap_give_bodies(imap_fetched(m), fn, arg);
    return res;
}

enum imap_result imap_header(struct imap *m, uint32_t uid, bool with_parts, imap_body_fn fn,
                             void *arg, struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_printf(&cmd, "UID FETCH %u (UID%s BODY.PEEK[HEADER])", uid,
               with_parts ? " BODYSTRUCTURE" : "");
    struct link_limits limits = {.bytes = MIB(2), .literal = MIB(1), .expected = MIB(2)};
    enum imap_result res = imap_command(m, &cmd, limits, "UID FETCH", e);
    if (res == IMAP_OK)
        imap_give_bodies(imap_fetched(m), fn, arg);
    return res;
}

enum imap_result imap_flag(struct imap *m, const uint32_t *uids, size_t count, const char *flag,
                           struct err *e)
{
    struct buf cmd AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_str(&cmd, "UID STORE ");
    imap_add_uids(&cmd, uids, count);
    buf_printf(&cmd, " +FLAGS.SILENT (%s)", flag);
    CRASH_POINT("intake.flag.before");
    enum imap_result res = imap_command(m, &cmd, imap_small(count), "UID STORE", e);
    CRASH_POINT("intake.flag.after");
    return res;
}

enum imap_result imap_move(struct imap *m, const uint32_t *uids, size_t count, const char *folder,
                           bool *left, struct err *e)
{
    struct buf cmd AUTO_BUF, set AUTO_BUF;
    buf_init(&cmd, IMAP_COMMAND_MAX);
    buf_init(&set, IMAP_COMMAND_MAX);
    imap_add_uids(&set, uids, count);
    *left = false;
    buf_printf(&cmd, "UID %s %s ", m->can_move ? "MOVE" : "COPY", set.data);
    imap_add_folder(&cmd, folder);
    const char *what = m->can_move ? "MOVE" : "COPY";
    CRASH_POINT("intake.move.before");
    enum imap_result res = imap_command(m, &cmd, imap_small(count), what, e);
    CRASH_POINT("intake.move.after");
    if (res != IMAP_OK || m->can_move)
        return res;
    res = imap_flag(m, uids, count, "\\Deleted", e);
    if (res != IMAP_OK || !m->can_uidplus) {
        *left = true; /* a plain EXPUNGE would remove what others have deleted */
        return res;
    }
    buf_reset(&cmd);
    buf_printf(&cmd, "UID EXPUNGE %s", set.data);
    return imap_command(m, &cmd, imap_small(count), "UID EXPUNGE", e);
}

enum imap_result imap_noop(struct imap *m, struct err *e)
{
    return imap_simple(m, "NOOP", e);
}
