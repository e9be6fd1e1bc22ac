/* SPDX-License-Identifier: ISC
 *
 * notice - see notice.h
 */
#include "engine/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/call.h"
#include "engine/hold.h"
#include "engine/ours.h"
#include "engine/outgoing.h"
#include "engine/token.h"
#include "mail/compose.h"
#include "store/call.h"
#include "store/outbox.h"

static const char *notice_stamp(char out[32], size_t keep)
{
    clock_format_utc(clock_now_ms(), out, 32);
    out[keep] = '\0';
    return out;
}

const char *notice_day(char out[32])
{
    return notice_stamp(out, 10);
}

const char *notice_hour(char out[32])
{
    return notice_stamp(out, 13);
}

const char *notice_admin_address(const struct engine *eng)
{
    const json_t *users = json_get_obj(eng->role->config, "users");
    const json_t *owner = json_get_obj(users, engine_setting(eng, "default_owner", ""));
    return engine_setting(eng, "admin", json_get_str(owner, "email", NULL));
}

static int notice_compose(struct engine *eng, int64_t id, const struct notice *n,
                          struct outbox_row *row, struct buf *raw, struct err *e)
{
    char name[32], own[TOKEN_NAME_LEN];
    struct crm_target about = {.lead = n->lead_id, .kase = n->case_id, .contact = n->contact_id};
    struct ours answers = ours_of(OURS_NOTICE, &about, 0);
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_TEMPLATE_OUTPUT);
    ours_frame(eng, &answers, &text);
    buf_str(&text, n->text);
    snprintf(name, sizeof(name), "O%" PRId64, id);
    token_make(eng->key, "own", name, own);
    AUTO_FREE char *message_id =
        mem_printf("%s%s%s@%s", n->id_prefix ? n->id_prefix : "", n->id_prefix ? "." : "", own,
                   engine_setting(eng, "domain", "localhost"));
    const struct mail_header headers[] = {{"Auto-Submitted", "auto-generated"},
                                          {"X-Auto-Response-Suppress", "All"},
                                          {"X-Leadd-Token", own}};
    struct mail_address rcpt = {n->to, NULL};
    struct mail_compose m = {
        .from = {engine_setting(eng, "address", ""), "leadd"},
        .to = &rcpt,
        .to_count = 1,
        .reply_to = {n->reply_to, NULL},
        .subject = n->subject,
        .message_id = message_id,
        .in_reply_to = n->in_reply_to,
        .references = n->in_reply_to ? &n->in_reply_to : NULL,
        .reference_count = n->in_reply_to != NULL,
        .date_ms = clock_now_ms(),
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .text = text.data,
    };
    struct err why = {0};
    int rc = mail_compose(&m, raw, &why);
    if (rc < 0 && why.cls == ERR_INPUT && m.in_reply_to) { /* an id that cannot be written */
        m.in_reply_to = NULL;
        m.reference_count = 0;
        buf_reset(raw);
        why = (struct err){0};
        rc = mail_compose(&m, raw, &why);
    }
    if (rc < 0)
        return err_set(e, why.cls, "%s", why.text);
    row->msgid_hash = hash_64(message_id, strlen(message_id));
    row->mail_from = ""; /* the null sender: nothing may answer it by machine */
    row->rcpt_to = n->to;
    row->subject = n->subject;
    row->raw = raw->data;
    row->raw_len = raw->len;
    return 0;
}

static int notice_write(struct engine *eng, int64_t id, const struct notice *n, bool again,
                        struct err *e)
{
    struct buf raw AUTO_BUF;
    struct outbox_row row = {.id = id};
    buf_init(&raw, BOUND_TEMPLATE_OUTPUT);
    if (notice_compose(eng, id, n, &row, &raw, e) < 0)
        return -1;
    return again ? outbox_rewrite(eng->db, &row, e) : outbox_fill(eng->db, &row, e);
}

int notice_fill(struct engine *eng, int64_t id, const char *to, const char *subject,
                const char *text, bool again, struct err *e)
{
    struct notice n = {.to = to, .subject = subject, .text = text};
    return notice_write(eng, id, &n, again, e);
}

/* The other way out, should no mail leave: a call of settings.alarm_endpoint. */
static int notice_endpoint(struct engine *eng, const char *key, const char *subject,
                           const char *text, struct err *e)
{
    const char *name = engine_setting(eng, "alarm_endpoint", NULL), *hold = hold_why(eng);
    int64_t now = clock_now_ms();
    char stamp[32];
    if (!name || !eng->calls) /* solo.c has none */
        return 0;
    AUTO_JSON json_t *body = json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s}}", "type", "leadd.alarm", "timestamp",
        clock_format_utc(now, stamp, sizeof(stamp)), "data", "key", key, "subject", subject, "text",
        text);
    AUTO_FREE char *line = json_line(body);
    struct call_row row = {.endpoint = name, .kind = "webhook", .name = "leadd.alarm",
                           .state = hold ? "held" : "ready", .record = "", .created_ms = now,
                           .next_ms = hold ? 0 : now, .reply = hold, .body = line};
    if (call_add(eng->db, &row, e) < 0)
        return -1;
    if (!hold)
        calls_look_again(eng, name, now);
    return 0;
}

int notice_send(struct engine *eng, const struct notice *n, bool *told_out, struct err *e)
{
    struct outbox_row row;
    char why[OUTGOING_WHY_MAX];
    struct outgoing o = {.intent = n->intent,
                         .class_ = "notice",
                         .mail = {.to = n->to, .lead = n->lead_id, .kase = n->case_id,
                                  .contact = n->contact_id, .ours = true, .alarm = n->alarm},
                         .now_ms = clock_now_ms()};
    CRASH_POINT("notice.before");
    if (outgoing_add(eng, &o, &row, why, e) < 0)
        return -1;
    CRASH_POINT("notice.after");
    if (told_out)
        *told_out = row.id != 0;
    if (row.id == 0)
        return 0; /* told already */
    if (notice_write(eng, row.id, n, false, e) == 0)
        return 0;
    if (e->cls != ERR_INPUT)
        return -1;
    log_error("notice.failed", "intent=\"%s\" error=\"%s\" next=\"not sent\"", n->intent, e->text);
    struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = e->text};
    return outbox_set_state(eng->db, row.id, &c, e);
}

int notice_admin(struct engine *eng, const char *key, const char *subject, const char *text,
                 struct err *e)
{
    AUTO_FREE char *intent = mem_printf("admin/%s", key);
    struct notice n = {.intent = intent, .to = notice_admin_address(eng), .subject = subject, .text = text,
                       .alarm = true};
    bool told;
    if (!n.to)
        return 0;
    if (notice_send(eng, &n, &told, e) < 0)
        return -1;
    return told ? notice_endpoint(eng, key, subject, text, e) : 0;
}

void notice_queue(struct engine *eng, const char *key, const char *subject, const char *text)
{
    struct item *it = item_new(ITEM_NOTICE, NULL);
    it->frame.json = json_pack("{s:s, s:s, s:s}", "key", key, "subject", subject, "text", text);
    engine_queue(eng, it);
}

int notice_item(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    return notice_admin(eng, json_get_str(j, "key", ""), json_get_str(j, "subject", ""),
                        json_get_str(j, "text", ""), e);
}
