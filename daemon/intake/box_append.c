/* SPDX-License-Identifier: ISC
 *
 * box_append - the engine's APPEND: a copy of what was sent, into the folder for it
 *
 * Nothing is put there twice: one that may have been tried before is looked for by its
 * Message-ID first. A folder that leadd.conf names is made when it is missing; where
 * none is named, none is invented.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/maildir.h"
#include "base/mem.h"
#include "intake/box.h"

static enum imap_result append_folder(struct box *b, struct err *e)
{
    if (b->sent)
        return IMAP_OK;
    if (b->set->sent_folder) {
        struct buf name AUTO_BUF;
        buf_init(&name, KIB(16));
        imap_add_utf7(&name, b->set->sent_folder);
        b->sent = mem_str(name.data);
        return IMAP_OK;
    }
    enum imap_result res = imap_sent_folder(&b->imap, &b->sent, e);
    if (res == IMAP_OK && !b->sent) {
        err_set(e, ERR_INPUT, "the server marks no folder as the one for sent mail (\\Sent), and "
                "none is called Sent: name it with sent_folder");
        return IMAP_NO;
    }
    return res;
}

/* The server declined: because the folder is not there? Then it is made, if it has a name. */
static enum imap_result append_made(struct box *b, struct err *e)
{
    bool there = true;
    struct err other = {0};
    if (!b->set->sent_folder)
        return IMAP_NO;
    enum imap_result res = imap_exists(&b->imap, b->sent, &there, &other);
    if (res == IMAP_OK && !there) {
        res = imap_create(&b->imap, b->sent, &other);
        if (res == IMAP_OK)
            log_info("intake.folder_made", "folder=\"%s\" for=\"copies of what was sent\"",
                     b->set->sent_folder);
    } else if (res == IMAP_OK) {
        return IMAP_NO; /* e says what was against it */
    }
    if (res != IMAP_OK)
        *e = other;
    return res;
}

/* May it be there from another try? A folder that is not there holds nothing. */
static enum imap_result append_search(struct box *b, const struct desk_request *q, bool *there,
                                      struct err *e)
{
    bool folder = true;
    struct str id = maildir_message_id(q->raw, q->raw_len);
    AUTO_FREE char *copy = mem_strn(id.p, id.n);
    const char *name = copy + strspn(copy, " \t");
    *there = false;
    if (!json_get_bool(q->json, "again", false) || !*name)
        return IMAP_OK;
    b->selected = SIZE_MAX;
    enum imap_result res = imap_exists(&b->imap, b->sent, &folder, e);
    return res == IMAP_OK && folder ? imap_holds(&b->imap, b->sent, name, there, e) : res;
}

static enum imap_result append_one(struct box *b, const struct desk_request *q, bool *there,
                                   struct err *e)
{
    int64_t ms = json_get_int(q->json, "internal_ms", 0);
    enum imap_result res = append_folder(b, e);
    if (res == IMAP_OK)
        res = append_search(b, q, there, e);
    if (res != IMAP_OK || *there)
        return res;
    res = imap_append(&b->imap, b->sent, ms, q->raw, q->raw_len, &b->news, e);
    if (res == IMAP_NO && (res = append_made(b, e)) == IMAP_OK)
        res = imap_append(&b->imap, b->sent, ms, q->raw, q->raw_len, &b->news, e);
    return res;
}

/* Of a single mail, not of the folder: RFC 4469, RFC 7889, and what the words say. */
static bool append_for_good(const struct err *e)
{
    return strstr(e->text, "[TOOBIG]") || strstr(e->text, "[LIMIT]");
}

enum imap_result box_append(struct box *b, const struct desk_request *q, struct err *e)
{
    bool there = false;
    json_t *j = json_object();
    enum imap_result res = append_one(b, q, &there, e);
    json_put_str(j, "folder", b->sent);
    if (res != IMAP_OK) {
        json_put_str(j, "error", e->text);
        mem_free(b->sent); /* it may have another name by now */
        b->sent = NULL;
    }
    json_put_str(j, "outcome",
                 res == IMAP_BROKEN                     ? "later"
                 : res == IMAP_NO && append_for_good(e) ? "impossible"
                 : res == IMAP_NO                       ? "refused"
                 : there                                ? "there"
                                                        : "stored");
    desk_answer(b->desk, q, FRAME_APPENDED, j);
    return res;
}
