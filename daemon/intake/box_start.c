/* SPDX-License-Identifier: ISC
 *
 * box_start - where to begin in a folder: first contact and new UIDVALIDITY
 *
 * The engine learns the first UID that is leadd's before any message is
 * fetched. After a new UIDVALIDITY the messages are matched by Message-ID,
 * date and size with what the engine has; the rest is fetched.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/box.h"

static enum imap_result start_over(struct err *e)
{
    err_set(e, ERR_TEMP, "told to end");
    return IMAP_BROKEN;
}

enum imap_result box_start_uid(struct box *b, const struct imap_folder *sel, uint32_t *out,
                               struct err *e)
{
    struct imap_uids uids = {0};
    *out = b->set->start == SETTINGS_ALL ? 1 : sel->uidnext;
    if (b->set->start == SETTINGS_ALL || (b->set->start == SETTINGS_NOW && sel->uidnext != 0))
        return IMAP_OK;
    int64_t since = b->set->start == SETTINGS_DATE ? b->set->start_ms : 0;
    enum imap_result res = imap_search(&b->imap, 1, since, &uids, e);
    if (res == IMAP_OK && uids.count > 0)
        *out = since ? uids.uid[0] : uids.uid[uids.count - 1] + 1;
    else if (res == IMAP_OK && *out == 0)
        *out = 1;
    imap_uids_done(&uids);
    return res;
}

/* Tells the engine where this folder begins; it has stored that on IMAP_OK. */
static enum imap_result start_tell(struct box *b, struct box_folder *f,
                                   const struct imap_folder *sel, uint32_t start_uid,
                                   struct err *e)
{
    json_t *j = json_object();
    json_put_str(j, "folder", f->name);
    json_put_int(j, "uidvalidity", sel->uidvalidity);
    json_put_int(j, "uidnext", sel->uidnext);
    json_put_int(j, "start_uid", start_uid);
    CRASH_POINT("intake.folder.before");
    AUTO_JSON json_t *answer = desk_ask(b->desk, FRAME_FOLDER, j);
    if (!answer)
        return start_over(e);
    CRASH_POINT("intake.folder.after");
    f->known = true;
    f->caught_up = true;
    f->uidvalidity = sel->uidvalidity;
    f->start_uid = f->next_uid = start_uid;
    f->top_uid = start_uid > 0 ? start_uid - 1 : 0;
    return IMAP_OK;
}

enum imap_result box_first_contact(struct box *b, struct box_folder *f,
                                   const struct imap_folder *sel, struct err *e)
{
    uint32_t start_uid = 1;
    enum imap_result res = box_start_uid(b, sel, &start_uid, e);
    if (res != IMAP_OK)
        return res;
    log_info("intake.folder", "folder=\"%s\" uidvalidity=%u start_uid=%u messages=%u", f->name,
             sel->uidvalidity, start_uid, sel->exists);
    return start_tell(b, f, sel, start_uid, e);
}

/* ---- a new UIDVALIDITY ---- */

struct match {
    struct imap_uids all;
    bool *known;  /* own; parallel to all */
    int64_t *day; /* own; internal dates */
    struct imap_item last; /* the highest known */
};

static json_t *match_question(const struct box_folder *f, uint32_t uidvalidity,
                              const struct imap_item *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *j = json_object();
        json_put_int(j, "uid", items[i].uid);
        json_put_int(j, "size", (int64_t)items[i].size);
        json_put_int(j, "internal_ms", items[i].internal_ms);
        json_put_str(j, "message_id", items[i].message_id);
        json_array_append_new(list, j);
    }
    json_t *j = json_object();
    json_put_str(j, "folder", f->name);
    json_put_int(j, "uidvalidity", uidvalidity);
    json_object_set_new(j, "items", list);
    return j;
}

static int match_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void match_mark(struct match *m, const json_t *answer)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_get_arr(answer, "uids"), i, v) {
        uint32_t uid = (uint32_t)json_integer_value(v);
        uint32_t *at = bsearch(&uid, m->all.uid, m->all.count, sizeof *m->all.uid, match_order);
        if (at)
            m->known[at - m->all.uid] = true;
    }
}

static enum imap_result match_chunk(struct box *b, struct box_folder *f, uint32_t uidvalidity,
                                    struct match *m, size_t from, struct err *e)
{
    size_t n = m->all.count - from, found = 0;
    if (n > BOUND_INTAKE_CHUNK)
        n = BOUND_INTAKE_CHUNK;
    AUTO_FREE struct imap_item *items = mem_array(n, sizeof *items);
    enum imap_result res = imap_items(&b->imap, m->all.uid + from, n, true, items, &found, e);
    if (res != IMAP_OK)
        return res;
    for (size_t i = 0, j = from; i < found; i++) {
        while (m->all.uid[j] != items[i].uid)
            j++;
        m->day[j] = items[i].internal_ms;
    }
    CRASH_POINT("intake.match.before");
    AUTO_JSON json_t *answer =
        desk_ask(b->desk, FRAME_MATCH, match_question(f, uidvalidity, items, found));
    if (!answer)
        return start_over(e);
    CRASH_POINT("intake.match.after");
    match_mark(m, answer);
    for (size_t i = 0, j = from; i < found; i++) {
        while (m->all.uid[j] != items[i].uid)
            j++;
        if (m->known[j])
            m->last = items[i];
    }
    return IMAP_OK;
}

/* The first UID that is leadd's under the new numbers. What lies before the
 * first known message, by number and by date, was there before leadd. */
static uint32_t match_start(const struct box *b, const struct box_folder *f, const struct match *m)
{
    size_t first = 0;
    while (first < m->all.count && !m->known[first])
        first++;
    if (b->set->start == SETTINGS_ALL || f->start_uid <= 1 || first == m->all.count)
        return 1; /* rather one old message filed than one new message lost */
    size_t start = first;
    for (size_t i = 0; i < first; i++)
        if (m->day[i] > m->day[first] && start == first)
            start = i;
    return m->all.uid[start];
}

static void match_keep(struct box_folder *f, const struct match *m)
{
    imap_uids_done(&f->matched);
    f->matched.uid = mem_array(m->all.count, sizeof *f->matched.uid);
    for (size_t i = 0; i < m->all.count; i++)
        if (m->known[i])
            f->matched.uid[f->matched.count++] = m->all.uid[i];
    f->settle = m->last;
}

enum imap_result box_match_settle(struct box *b, struct box_folder *f, struct err *e)
{
    if (f->settle.uid == 0 || b->desk->item_count > 0)
        return IMAP_OK;
    json_t *q = match_question(f, f->uidvalidity, &f->settle, 1);
    f->settle.uid = 0;
    CRASH_POINT("intake.match_settle.before");
    AUTO_JSON json_t *answer = desk_ask(b->desk, FRAME_MATCH, q);
    CRASH_POINT("intake.match_settle.after");
    return answer ? IMAP_OK : start_over(e);
}

enum imap_result box_match(struct box *b, struct box_folder *f, const struct imap_folder *sel,
                           struct err *e)
{
    struct match m = {0};
    log_warn("intake.uidvalidity", "folder=\"%s\" old=%u new=%u, matching", f->name,
             f->uidvalidity, sel->uidvalidity);
    box_list_done(&f->todo);
    enum imap_result res = imap_search(&b->imap, 1, 0, &m.all, e);
    m.known = mem_array(m.all.count, sizeof *m.known);
    m.day = mem_array(m.all.count, sizeof *m.day);
    for (size_t i = 0; i < m.all.count && res == IMAP_OK; i += BOUND_INTAKE_CHUNK)
        res = match_chunk(b, f, sel->uidvalidity, &m, i, e);
    if (res == IMAP_OK)
        res = start_tell(b, f, sel, match_start(b, f, &m), e);
    if (res == IMAP_OK) {
        match_keep(f, &m);
        log_info("intake.matched", "folder=\"%s\" messages=%zu known=%zu", f->name, m.all.count,
                 f->matched.count);
    }
    imap_uids_done(&m.all);
    mem_free(m.known);
    mem_free(m.day);
    return res;
}
