/* SPDX-License-Identifier: ISC
 *
 * mailbox - cursors, folders and states of the intakes
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/alive.h"
#include "engine/asks.h"
#include "engine/ctl.h"
#include "engine/engine.h"
#include "engine/notice.h"
#include "engine/sent_copies.h"
#include "store/ledger.h"

#define MAILDIR_FOLDER "maildir" /* the one folder of a Maildir, in frames */

static const char *mailbox_name(const struct item *it)
{
    return it->peer_name + strlen("intake:");
}

static bool is_maildir(struct engine *eng, const struct item *it)
{
    const json_t *boxes = json_get_obj(eng->role->config, "mailboxes");
    return strcmp(json_get_str(json_get_obj(boxes, mailbox_name(it)), "type", ""), "maildir") == 0;
}

bool mailbox_has_folder(const struct engine *eng, const char *mailbox, const char *folder)
{
    const json_t *box = json_get_obj(json_get_obj(eng->role->config, "mailboxes"), mailbox);
    const json_t *folders = json_get_arr(box, "folders");
    size_t i;
    json_t *one;
    bool maildir = strcmp(json_get_str(box, "type", ""), "maildir") == 0;
    if (!box || maildir)
        return box != NULL; /* a Maildir has one */
    json_array_foreach((json_t *)folders, i, one)
        if (json_is_string(one) && strcmp(json_string_value(one), folder) == 0)
            return true;
    return json_array_size(folders) == 0 && strcmp(folder, "INBOX") == 0;
}

/* The name of its source, or NULL with e: it is no folder of that mailbox. */
static char *folder_source(struct engine *eng, const struct item *it, struct err *e)
{
    const char *folder = json_get_str(it->frame.json, "folder", "INBOX");
    if (!mailbox_has_folder(eng, mailbox_name(it), folder)) {
        err_set(e, ERR_INPUT, "mailbox %s has no folder \"%.100s\"", mailbox_name(it), folder);
        return NULL;
    }
    if (is_maildir(eng, it))
        return mem_printf("maildir:%s", mailbox_name(it));
    return mem_printf("imap:%s/%s", mailbox_name(it), folder);
}

static int hello_folder(struct engine *eng, json_t *folders, const char *source, const char *folder,
                        struct err *e)
{
    struct source_cursor c;
    if (source_cursor_get(eng->db, source, &c, e) < 0)
        return -1;
    if (c.epoch)
        json_object_set_new(folders, folder,
                            json_pack("{s:I, s:I, s:I}", "uidvalidity", c.epoch, "last_uid",
                                      c.last_uid, "start_uid", c.start_uid));
    return 0;
}

static int mailbox_hello(struct engine *eng, struct item *it, struct err *e)
{
    bool maildir = is_maildir(eng, it);
    AUTO_FREE char *prefix = mem_printf(maildir ? "maildir:%s" : "imap:%s/", mailbox_name(it));
    AUTO_JSON json_t *folders = json_object();
    AUTO_JSON json_t *names = source_names(eng->db, prefix, e);
    size_t i;
    json_t *name;
    if (!names)
        return -1;
    json_array_foreach(names, i, name) {
        const char *s = json_string_value(name);
        if (maildir && strcmp(s, prefix) != 0)
            continue; /* another Maildir whose name begins alike */
        if (hello_folder(eng, folders, s, maildir ? MAILDIR_FOLDER : s + strlen(prefix), e) < 0)
            return -1;
    }
    engine_answer(eng, it->peer, FRAME_CURSORS, 0,
                  json_pack("{s:O, s:b}", "folders", folders, "names", 1));
    return sent_copies_hello(eng, mailbox_name(it), e);
}

/* First contact with a folder, or its UIDVALIDITY changed. */
static int mailbox_folder(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    AUTO_FREE char *source = folder_source(eng, it, e);
    if (!source)
        return -1;
    struct source_cursor old, c = {.epoch = json_get_int(j, "uidvalidity", 0),
                                   .start_uid = json_get_int(j, "start_uid", 1)};
    if (c.epoch <= 0 || c.start_uid < 0)
        return err_set(e, ERR_INPUT, "%s: a FOLDER frame without UIDVALIDITY", source);
    if (source_cursor_get(eng->db, source, &old, e) < 0)
        return -1;
    if (old.epoch != c.epoch) {
        c.last_uid = c.start_uid - 1;
        if (old.epoch)
            log_warn("mailbox.uidvalidity", "source=\"%s\" old=%" PRId64 " new=%" PRId64
                     " next=\"matched by Message-ID, arrival and size\"", source, old.epoch, c.epoch);
        CRASH_POINT("cursor.before");
        if (source_cursor_set(eng->db, source, &c, e) < 0)
            return -1;
        CRASH_POINT("cursor.after");
    }
    engine_answer(eng, it->peer, FRAME_RECEIPT, it->frame.id, json_pack("{s:s}", "status", "filed"));
    return 0;
}

/* The server tells the field as it stands; the parser keeps what is between < and >. */
static int64_t msgid_hash(const char *field)
{
    const char *open = strchr(field, '<'), *close = open ? strchr(open, '>') : NULL;
    return close ? hash_64(open + 1, (size_t)(close - open - 1)) : hash_64(field, strlen(field));
}

/* One UID under the new number: known when a mail of the old number has the
 * same Message-ID, arrival and size. It gets its row now. */
static int mailbox_match_one(struct engine *eng, int64_t source, int64_t epoch, const json_t *item,
                             bool *known_out, struct err *e)
{
    const char *id = json_get_str(item, "message_id", NULL);
    int64_t uid = json_get_int(item, "uid", 0), message = 0;
    int64_t size = json_get_int(item, "size", -1), at = json_get_int(item, "internal_ms", 0);
    *known_out = false;
    if (!id || uid <= 0)
        return 0;
    if (ledger_find_moved(eng->db, source, epoch, msgid_hash(id), size, at, &message, e) < 0)
        return -1;
    if (message == 0)
        return 0;
    AUTO_FREE char *key = mem_printf("%" PRId64, uid);
    struct ledger_row row = {
        .source = source,
        .epoch = epoch,
        .key = key,
        .state = "filed",
        .reason = "known under the old UIDVALIDITY",
        .message_id = message,
        .size = size,
        .internal_ms = at,
        .at_ms = clock_now_ms(),
    };
    *known_out = true;
    CRASH_POINT("match.before");
    if (ledger_add(eng->db, &row, e) < 0)
        return -1;
    CRASH_POINT("match.after");
    return source_cursor_advance(eng->db, source, epoch, uid, e);
}

/* Which of these names has the ledger? */
static int mailbox_match_names(struct engine *eng, struct item *it, struct err *e)
{
    AUTO_FREE char *source = folder_source(eng, it, e);
    if (!source)
        return -1;
    AUTO_JSON json_t *known = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(json_get_arr(it->frame.json, "names"), i, name) {
        bool has = false;
        if (json_is_string(name) &&
            ledger_has(eng->db, source, 0, json_string_value(name), &has, e) < 0)
            return -1;
        if (has)
            json_array_append(known, name);
    }
    engine_answer(eng, it->peer, FRAME_MATCHED, it->frame.id, json_pack("{s:O}", "names", known));
    return 0;
}

static int mailbox_match(struct engine *eng, struct item *it, struct err *e)
{
    if (json_get_arr(it->frame.json, "names"))
        return mailbox_match_names(eng, it, e);
    const json_t *j = it->frame.json;
    AUTO_FREE char *name = folder_source(eng, it, e);
    if (!name)
        return -1;
    int64_t epoch = json_get_int(j, "uidvalidity", 0), source;
    size_t i;
    json_t *item;
    if (epoch <= 0)
        return err_set(e, ERR_INPUT, "%s: a MATCH frame without UIDVALIDITY", name);
    if (source_id(eng->db, name, &source, e) < 0)
        return -1;
    AUTO_JSON json_t *known = json_array();
    json_array_foreach(json_get_arr(j, "items"), i, item) {
        bool is_known;
        if (mailbox_match_one(eng, source, epoch, item, &is_known, e) < 0)
            return -1;
        if (is_known)
            json_array_append(known, json_object_get(item, "uid"));
    }
    engine_answer(eng, it->peer, FRAME_MATCHED, it->frame.id, json_pack("{s:O}", "uids", known));
    return 0;
}

/* A mailbox that stopped working must not go unnoticed for days. */
static int mailbox_failed(struct engine *eng, const char *name, const char *error, struct err *e)
{
    char day[32];
    AUTO_FREE char *key = mem_printf("mailbox/%s/%s", name, notice_day(day));
    AUTO_FREE char *text = mem_printf("Mailbox \"%s\" is not read: %s\n\n"
                                      "It is tried again by itself; see leadctl mailbox list.\n",
                                      name, error ? error : "no reason given");
    return notice_admin(eng, key, "leadd: a mailbox cannot be read", text, e);
}

static int mailbox_state(struct engine *eng, struct item *it, struct err *e)
{
    struct peer *p = peer_by_serial(eng, it->peer);
    const char *state = json_get_str(it->frame.json, "state", "?"),
               *error = json_get_str(it->frame.json, "error", NULL);
    if (!p)
        return 0;
    if (!p->state || strcmp(json_get_str(p->state, "state", ""), state) != 0)
        log_info("mailbox.state", "mailbox=%s state=%s error=\"%s\"", peer_instance(p), state,
                 error ? error : "");
    json_decref(p->state);
    p->state = json_incref(it->frame.json);
    json_put_int(p->state, "at_ms", clock_now_ms());
    alive_state(eng, peer_instance(p), p->state);
    return strcmp(state, "failed") == 0 ? mailbox_failed(eng, peer_instance(p), error, e) : 0;
}

/* Names of a Maildir, in as many frames as it takes: each is added to one part. */
static int mailbox_names(struct engine *eng, struct item *it, struct ask *a, struct err *e)
{
    size_t i;
    json_t *v, *before = NULL;
    AUTO_JSON json_t *part = ctl_reconcile_names(eng, mailbox_name(it), it->frame.json, e);
    if (!part)
        return -1;
    json_array_foreach(a->parts, i, v)
        if (json_get_obj(v, "row") && strcmp(json_get_str(v, "mailbox", ""), mailbox_name(it)) == 0)
            before = v;
    if (before)
        ctl_reconcile_merge(before, part);
    else
        json_array_append(a->parts, part);
    if (!json_get_bool(it->frame.json, "more", false))
        ask_answered(eng, it->frame.id, it->peer, it->frame.type, NULL);
    return 0;
}

/* The answer of an intake to LIST or PREVIEW. */
static int mailbox_answered(struct engine *eng, struct item *it, struct err *e)
{
    struct ask *a = ask_owed_by(eng, it->frame.id, it->peer, it->frame.type);
    json_put_str(it->frame.json, "mailbox", mailbox_name(it));
    if (a && it->frame.type == FRAME_LISTED && json_get_arr(it->frame.json, "names"))
        return mailbox_names(eng, it, a, e);
    if (a)
        ask_answered(eng, it->frame.id, it->peer, it->frame.type, it->frame.json);
    else if (peer_by_serial(eng, it->peer))
        log_warn("mailbox.wrong_answer", "mailbox=%s type=%s id=%" PRIu64 " next=\"not taken\"",
                 mailbox_name(it), frame_type_name(it->frame.type), it->frame.id);
    return 0;
}

int mailbox_frame(struct engine *eng, struct item *it, struct err *e)
{
    if (strncmp(it->peer_name, "intake:", 7) != 0)
        return 0;
    switch (it->frame.type) {
    case FRAME_HELLO:
        return mailbox_hello(eng, it, e);
    case FRAME_FOLDER:
        return mailbox_folder(eng, it, e);
    case FRAME_MATCH:
        return mailbox_match(eng, it, e);
    case FRAME_APPENDED:
        return sent_copies_told(eng, it, e);
    case FRAME_INTAKE_STATE:
        return mailbox_state(eng, it, e);
    case FRAME_LISTED:
    case FRAME_PREVIEWED:
        return mailbox_answered(eng, it, e);
    default:
        return 0;
    }
}
