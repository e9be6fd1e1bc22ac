/* SPDX-License-Identifier: ISC
 *
 * box - see box.h: visiting a folder
 */
#include "intake/box.h"

#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

void box_list_add(struct box_list *l, uint32_t uid)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->uid = mem_grow(l->uid, l->cap * sizeof *l->uid);
    }
    l->uid[l->count++] = uid;
}

void box_list_done(struct box_list *l)
{
    mem_free(l->uid);
    *l = (struct box_list){0};
}

void box_alarm(struct box *b, struct box_folder *f, const char *fmt, ...)
{
    char text[sizeof f->alarm];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_make_line(text); /* a character may be cut */
    if (strcmp(text, f->alarm) == 0)
        return;
    memcpy(f->alarm, text, sizeof f->alarm);
    log_warn("intake.alarm", "folder=\"%s\" alarm=\"%s\"", f->name, f->alarm);
    box_report(b);
}

/* The engine's cursor, when it has sent new ones. */
static void box_adopt(struct box *b, struct box_folder *f)
{
    if (!b->desk->cursors || f->cursors == b->desk->cursors_seen)
        return;
    f->cursors = b->desk->cursors_seen;
    const json_t *c = json_get_obj(json_get_obj(b->desk->cursors, "folders"), f->name);
    int64_t uidvalidity = json_get_int(c, "uidvalidity", 0);
    int64_t last = json_get_int(c, "last_uid", 0), start = json_get_int(c, "start_uid", 0);
    f->known = uidvalidity > 0 && uidvalidity <= UINT32_MAX;
    if (!f->known)
        return;
    if (f->uidvalidity != (uint32_t)uidvalidity) {
        imap_uids_done(&f->matched);
        f->settle.uid = 0;
        box_list_done(&f->todo);
        f->top_uid = 0;
    }
    f->uidvalidity = (uint32_t)uidvalidity;
    f->start_uid = start > 0 && start <= UINT32_MAX ? (uint32_t)start : 1;
    f->next_uid = last > 0 && last < UINT32_MAX ? (uint32_t)last + 1 : f->start_uid;
    if (f->next_uid < f->start_uid)
        f->next_uid = f->start_uid;
}

static int box_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The engine has all up to here: its cursor, moved on by the receipts since then. */
static uint32_t box_acknowledged(const struct box *b, const struct box_folder *f)
{
    const json_t *c = json_get_obj(json_get_obj(b->desk->cursors, "folders"), f->name);
    int64_t last = json_get_int(c, "last_uid", 0);
    return json_get_int(c, "uidvalidity", 0) == f->uidvalidity && last <= UINT32_MAX
               ? (uint32_t)last : 0;
}

/* Leaves out what is already on the desk or known from before, and what is not
 * above `above`: while the server was asked, receipts may have come. */
static void box_sift(struct box *b, struct box_folder *f, struct imap_uids *uids, uint32_t above)
{
    size_t n = 0;
    if (uids->count > 0 && uids->uid[uids->count - 1] > f->top_uid)
        f->top_uid = uids->uid[uids->count - 1];
    for (size_t i = 0; i < uids->count; i++) {
        struct desk_place p = {.folder = f->index, .uidvalidity = f->uidvalidity,
                               .uid = uids->uid[i]};
        if (p.uid <= above || desk_holds(b->desk, &p) ||
            (f->matched.count > 0 && bsearch(&p.uid, f->matched.uid, f->matched.count,
                                             sizeof p.uid, box_order)))
            continue;
        uids->uid[n++] = uids->uid[i];
    }
    uids->count = n;
}

/* Until the server has announced nothing since the last look. Some announce
 * something in every answer: looks in vain are counted. */
static enum imap_result box_fetch_new(struct box *b, struct box_folder *f, struct err *e)
{
    enum imap_result res;
    int in_vain = 0;
    do {
        struct imap_uids uids;
        size_t given = 0;
        res = imap_search(&b->imap, f->next_uid, 0, &uids, e);
        if (res == IMAP_OK && uids.count > 0) {
            box_sift(b, f, &uids, box_acknowledged(b, f));
            res = box_fetch(b, f, uids.uid, uids.count, true, &given, e);
        }
        imap_uids_done(&uids);
        f->given += given;
        in_vain = given > 0 ? 0 : in_vain + 1;
    } while (res == IMAP_OK && in_vain < 3 && imap_has_news(&b->imap) && !desk_over(b->desk));
    return res;
}

/* UIDNEXT says there was mail, and none was seen. */
static void box_check_uidnext(struct box *b, struct box_folder *f, size_t given_before)
{
    uint32_t seen = f->top_uid >= f->next_uid ? f->top_uid + 1 : f->next_uid;
    if (f->uidnext > seen && f->uidnext > f->checked && f->given == given_before)
        box_alarm(b, f, "UIDNEXT moved from %u to %u but there is nothing to fetch", seen,
                  f->uidnext);
    f->checked = f->uidnext;
}

static enum imap_result box_fetch_wanted(struct box *b, struct box_folder *f, struct err *e)
{
    size_t given = 0;
    if (f->wanted.count == 0)
        return IMAP_OK;
    qsort(f->wanted.uid, f->wanted.count, sizeof *f->wanted.uid, box_order);
    struct imap_uids uids = {f->wanted.uid, f->wanted.count};
    box_sift(b, f, &uids, 0);
    CRASH_POINT("intake.refetch.before");
    enum imap_result res = box_fetch(b, f, uids.uid, uids.count, false, &given, e);
    CRASH_POINT("intake.refetch.after");
    log_info("intake.refetch", "folder=\"%s\" wanted=%zu given=%zu", f->name, f->wanted.count,
             given);
    box_list_done(&f->wanted);
    return res;
}

/* A predecessor may have died between a receipt and the move. What lies below
 * the cursor has its receipt; of flags only as many as can have been waiting
 * (box_after_many, and the receipts of all in flight), since people unset them. */
static enum imap_result box_catch_up(struct box *b, struct box_folder *f, struct err *e)
{
    struct imap_uids uids;
    size_t below = 0, first = 0;
    if (f->caught_up || b->set->after == SETTINGS_KEEP)
        return IMAP_OK;
    enum imap_result res = imap_search(&b->imap, f->start_uid, 0, &uids, e);
    while (res == IMAP_OK && below < uids.count && uids.uid[below] < f->next_uid)
        below++;
    if (b->set->after == SETTINGS_FLAG && below > 3 * BOUND_MAILBOX_INFLIGHT)
        first = below - 3 * BOUND_MAILBOX_INFLIGHT;
    for (size_t i = first; i < below; i++)
        box_list_add(&f->todo, uids.uid[i]);
    f->caught_up |= res == IMAP_OK;
    imap_uids_done(&uids);
    return res;
}

static enum imap_result box_after_some(struct box *b, struct box_folder *f, size_t n,
                                       struct err *e)
{
    bool left = false;
    enum imap_result res =
        b->set->after == SETTINGS_FLAG
            ? imap_flag(&b->imap, f->todo.uid, n, b->set->flag, e)
            : imap_move(&b->imap, f->todo.uid, n, b->set->move_to, &left, e);
    if (res == IMAP_BROKEN)
        return res;
    if (res == IMAP_NO)
        box_alarm(b, f, "%s", e->text);
    else if (left)
        box_alarm(b, f, "the server has neither MOVE nor UIDPLUS: copied messages stay, "
                        "marked \\Deleted");
    f->todo.count -= n;
    memmove(f->todo.uid, f->todo.uid + n, f->todo.count * sizeof *f->todo.uid);
    return IMAP_OK;
}

static void box_take_done(struct box *b, struct box_folder *f)
{
    for (struct desk_done *d; (d = desk_take_done(b->desk, f->index)); desk_done_free(d))
        if (d->place.uidvalidity == f->uidvalidity)
            box_list_add(&f->todo, d->place.uid);
}

enum imap_result box_after_many(struct box *b, struct box_folder *f, struct err *e)
{
    box_take_done(b, f);
    return f->todo.count < BOUND_MAILBOX_INFLIGHT ? IMAP_OK : box_after(b, f->index, e);
}

enum imap_result box_after(struct box *b, size_t folder, struct err *e)
{
    struct box_folder *f = &b->folders[folder];
    box_take_done(b, f);
    if (f->todo.count == 0)
        return IMAP_OK;
    qsort(f->todo.uid, f->todo.count, sizeof *f->todo.uid, box_order);
    while (f->todo.count > 0) {
        size_t n = f->todo.count < BOUND_INTAKE_CHUNK ? f->todo.count : BOUND_INTAKE_CHUNK;
        enum imap_result res = box_after_some(b, f, n, e);
        if (res != IMAP_OK)
            return res;
    }
    return IMAP_OK;
}

enum imap_result box_news(struct box *b, size_t folder, struct err *e)
{
    struct box_folder *f = &b->folders[folder];
    enum imap_result res = box_fetch_new(b, f, e);
    if (res == IMAP_OK)
        res = box_match_settle(b, f, e);
    if (res == IMAP_OK)
        res = box_fetch_wanted(b, f, e);
    if (res == IMAP_OK)
        res = box_after(b, folder, e);
    if (res == IMAP_NO)
        box_alarm(b, f, "%s", e->text);
    return res;
}

/* Selects, and knows what the engine knows. */
static enum imap_result box_enter(struct box *b, struct box_folder *f, struct imap_folder *sel,
                                  struct err *e)
{
    b->selected = SIZE_MAX;
    enum imap_result res =
        imap_select(&b->imap, f->name, b->set->after != SETTINGS_KEEP, sel, e);
    if (res != IMAP_OK) {
        f->unreadable = true;
        box_alarm(b, f, "%s", e->text);
        return res;
    }
    if (f->unreadable)
        f->alarm[0] = '\0';
    f->unreadable = false;
    b->selected = f->index;
    f->uidnext = sel->uidnext;
    box_adopt(b, f);
    if (!f->known) { /* never call it a first contact without having heard the engine */
        if (desk_wait_engine(b->desk) < 0) {
            err_set(e, ERR_TEMP, "told to end");
            return IMAP_BROKEN;
        }
        box_adopt(b, f);
    }
    return IMAP_OK;
}

enum imap_result box_visit(struct box *b, size_t folder, struct err *e)
{
    struct box_folder *f = &b->folders[folder];
    struct imap_folder sel;
    size_t given = f->given;
    enum imap_result res = box_enter(b, f, &sel, e);
    if (res != IMAP_OK)
        return res;
    if (!f->known)
        res = box_first_contact(b, f, &sel, e);
    else if (f->uidvalidity != sel.uidvalidity)
        res = box_match(b, f, &sel, e);
    if (res == IMAP_OK)
        res = box_catch_up(b, f, e);
    if (res == IMAP_OK)
        res = box_news(b, folder, e);
    if (res == IMAP_OK)
        box_check_uidnext(b, f, given);
    return res;
}
