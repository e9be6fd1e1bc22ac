/* SPDX-License-Identifier: ISC
 *
 * box_request - what the engine asks about a mailbox
 *
 * LIST and PREVIEW only look; they select the folders one after the other.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/box.h"

#define LIST_MAX (BOUND_FRAME_JSON - MIB(1))

static enum imap_result list_folder(struct box *b, const char *name, json_t *j, size_t *room,
                                    struct err *e)
{
    struct imap_folder sel;
    struct imap_uids uids = {0};
    struct buf text AUTO_BUF;
    buf_init(&text, *room);
    enum imap_result res = imap_select(&b->imap, name, b->set->after != SETTINGS_KEEP, &sel, e);
    if (res == IMAP_OK)
        res = imap_search(&b->imap, 1, 0, &uids, e);
    if (res == IMAP_OK)
        imap_add_uids(&text, uids.uid, uids.count);
    imap_uids_done(&uids);
    if (res != IMAP_OK)
        return res;
    if (!buf_ok(&text)) {
        err_set(e, ERR_TEMP, "too many messages to list");
        return IMAP_NO;
    }
    *room -= text.len;
    json_put_int(j, "uidvalidity", sel.uidvalidity);
    json_put_str(j, "uids", text.data);
    return IMAP_OK;
}

/* A folder that is refused, such as one that is gone, says so; the others are told. */
static enum imap_result request_list(struct box *b, json_t *out, size_t *room, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        json_t *j = json_object();
        json_array_append_new(out, j);
        b->selected = SIZE_MAX;
        json_put_str(j, "folder", b->folders[i].name);
        enum imap_result res = list_folder(b, b->folders[i].name, j, room, e);
        if (res == IMAP_BROKEN)
            return res;
        if (res == IMAP_NO)
            json_put_str(j, "error", e->text);
    }
    return IMAP_OK;
}

struct preview {
    int64_t older, newer, bytes, first_ms, last_ms;
};

static void preview_add(struct preview *p, const struct imap_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ms = items[i].internal_ms;
        p->bytes += (int64_t)items[i].size;
        if (ms > 0 && (p->first_ms == 0 || ms < p->first_ms))
            p->first_ms = ms;
        if (ms > p->last_ms)
            p->last_ms = ms;
    }
}

/* Sizes and dates of what a first sync would fetch. */
static enum imap_result preview_measure(struct box *b, const struct imap_uids *uids,
                                        uint32_t start_uid, struct preview *p, struct err *e)
{
    AUTO_FREE struct imap_item *items = mem_array(BOUND_INTAKE_CHUNK, sizeof *items);
    size_t i = 0;
    while (i < uids->count && uids->uid[i] < start_uid)
        i++;
    p->older = (int64_t)i;
    p->newer = (int64_t)(uids->count - i);
    while (i < uids->count) {
        size_t n = uids->count - i < BOUND_INTAKE_CHUNK ? uids->count - i : BOUND_INTAKE_CHUNK;
        size_t found = 0;
        enum imap_result res = imap_items(&b->imap, uids->uid + i, n, false, items, &found, e);
        if (res != IMAP_OK)
            return res;
        preview_add(p, items, found);
        i += n;
    }
    return IMAP_OK;
}

static enum imap_result preview_folder(struct box *b, const char *name, json_t *j,
                                       struct err *e)
{
    struct imap_folder sel;
    struct imap_uids uids = {0};
    struct preview p = {0};
    uint32_t start_uid = 1;
    enum imap_result res = imap_select(&b->imap, name, b->set->after != SETTINGS_KEEP, &sel, e);
    if (res == IMAP_OK)
        res = box_start_uid(b, &sel, &start_uid, e);
    if (res == IMAP_OK)
        res = imap_search(&b->imap, 1, 0, &uids, e);
    if (res == IMAP_OK)
        res = preview_measure(b, &uids, start_uid, &p, e);
    json_put_int(j, "messages", (int64_t)uids.count);
    json_put_int(j, "older", p.older);
    json_put_int(j, "newer", p.newer);
    json_put_int(j, "first_ms", p.first_ms);
    json_put_int(j, "last_ms", p.last_ms);
    json_put_int(j, "bytes", p.bytes);
    imap_uids_done(&uids);
    return res;
}

static enum imap_result request_preview(struct box *b, json_t *out, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        json_t *j = json_object();
        json_array_append_new(out, j);
        b->selected = SIZE_MAX;
        json_put_str(j, "folder", b->folders[i].name);
        enum imap_result res = preview_folder(b, b->folders[i].name, j, e);
        if (res == IMAP_BROKEN)
            return res;
        if (res == IMAP_NO)
            json_put_str(j, "error", e->text);
    }
    return IMAP_OK;
}

void box_want(struct box *b, const json_t *request)
{
    const char *name = json_get_str(request, "folder", "");
    size_t i, sum = 0;
    json_t *v;
    struct box_folder *f = NULL;
    for (i = 0; i < b->count; i++) {
        sum += b->folders[i].wanted.count;
        if (strcmp(b->folders[i].name, name) == 0)
            f = &b->folders[i];
    }
    if (!f) {
        log_warn("intake.refetch", "folder=\"%s\" is not one of this mailbox, ignored", name);
        return;
    }
    json_array_foreach(json_get_arr(request, "uids"), i, v) {
        int64_t uid = json_integer_value(v);
        if (uid > 0 && uid <= UINT32_MAX && sum++ < BOUND_INTAKE_WANTED)
            box_list_add(&f->wanted, (uint32_t)uid);
    }
}

enum imap_result box_request(struct box *b, const struct desk_request *q, struct err *e)
{
    if (q->type == FRAME_REFETCH) {
        box_want(b, q->json);
        return IMAP_OK;
    }
    if (q->type == FRAME_APPEND)
        return box_append(b, q, e);
    json_t *folders = json_array();
    size_t room = LIST_MAX;
    enum imap_result res = q->type == FRAME_LIST ? request_list(b, folders, &room, e)
                                                 : request_preview(b, folders, e);
    if (res != IMAP_OK) {
        json_decref(folders);
        desk_refuse(b->desk, q, e->text);
        return res;
    }
    json_t *j = json_object();
    json_object_set_new(j, "folders", folders);
    desk_answer(b->desk, q, q->type == FRAME_LIST ? FRAME_LISTED : FRAME_PREVIEWED, j);
    return IMAP_OK;
}
