/* SPDX-License-Identifier: ISC
 *
 * rep_answer - the mail that tells a user what became of his commands
 *
 * It answers his mail, from the null sender and as Auto-Submitted. Its intent names the journal rows it tells of:
 * that is what "#undo" in a reply goes by.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "crm/address.h"
#include "engine/ours.h"
#include "engine/outgoing.h"
#include "engine/rep_inner.h"
#include "engine/sms_rep.h"
#include "engine/thread.h"
#include "engine/token.h"
#include "mail/compose.h"
#include "store/outbox.h"

#define REFERENCES_MAX 10
#define INTENT "rep/"

void rep_answer_init(struct rep_answer *a)
{
    *a = (struct rep_answer){0};
    buf_init(&a->done, BOUND_TEMPLATE_OUTPUT / 4);
    buf_init(&a->refused, BOUND_TEMPLATE_OUTPUT / 4);
    buf_init(&a->shown, BOUND_TEMPLATE_OUTPUT / 4);
}

void rep_answer_done(struct rep_answer *a)
{
    buf_done(&a->done);
    buf_done(&a->refused);
    buf_done(&a->shown);
}

static void answer_text(const struct rep_answer *a, const char *words, struct buf *out)
{
    size_t had = out->len;
    if (a->done.len)
        buf_printf(out, "Done:\n\n%s", a->done.data);
    if (a->refused.len)
        buf_printf(out, "%sNot done:\n\n%s", out->len > had ? "\n" : "", a->refused.data);
    if (a->shown.len)
        buf_printf(out, "%s%s", out->len > had ? "\n" : "", a->shown.data);
    if (words)
        buf_printf(out, "%s%s\n", out->len > had ? "\n" : "", words);
    if (a->journal_count == 1)
        buf_printf(out, "\nTo take it back, reply with #undo within a day.\n");
    else if (a->journal_count > 1)
        buf_printf(out, "\nTo take all of it back, reply with #undo within a day; one of them: "
                        "#undo J%" PRId64 ".\n", a->journal[0]);
    if (a->refused.len)
        buf_str(out, "\n#help lists the commands, #help won tells of one.\n");
}

struct letter {
    struct engine *eng;
    const struct rep_mail *m;
    char to[CRM_ADDRESS_MAX];
    struct outbox_row row;
    char *message_id, *reply_to; /* own */
};

/* To where he wrote from, when that address is his: to a dropbox anybody may write, and
 * what is held there is answered when it is released. */
static bool letter_to(struct letter *l)
{
    const char *from = json_get_str(json_get_obj(l->m->message, "from"), "folded", ""),
               *whose = crm_user_by_address(l->eng->crm, "email", from),
               *email = json_get_str(crm_user(l->eng->crm, l->m->user), "email", "");
    return crm_email_fold(whose && !strcmp(whose, l->m->user) ? from : email, l->to) == 0;
}

/* Replies to it are commands and notes of the record, and go no further. */
static void letter_addresses(struct letter *l, const struct crm_target *t)
{
    struct ours notice = ours_of(OURS_NOTICE, t, 0),
                row = {.kind = OURS_RETURN, .id = l->row.id};
    const char *address = engine_setting(l->eng, "address", ""), *at = strrchr(address, '@');
    char record[OURS_NAME_MAX], outbox[OURS_NAME_MAX];
    ours_name(l->eng, &notice, record);
    ours_name(l->eng, &row, outbox);
    l->reply_to = ours_address(l->eng, &notice);
    l->message_id = mem_printf("%s%s%s@%s", record, *record ? "." : "", outbox,
                               engine_setting(l->eng, "domain", at ? at + 1 : "localhost"));
}

static char *letter_subject(const json_t *message)
{
    const char *s = json_get_str(message, "subject", "");
    if (!strncasecmp(s, "re:", 3))
        return mem_str(s);
    return *s ? mem_printf("Re: %s", s) : mem_str("Re: your commands");
}

static size_t letter_references(const json_t *message, const char **refs)
{
    size_t n = 0, i;
    json_t *v, *list = json_get_arr(message, "references");
    size_t size = json_array_size(list), skip = size > REFERENCES_MAX - 1 ? size - REFERENCES_MAX + 1 : 0;
    json_array_foreach(list, i, v)
        if (i >= skip && json_is_string(v))
            refs[n++] = json_string_value(v);
    const char *id = json_get_str(message, "message_id", NULL);
    if (id)
        refs[n++] = id;
    return n;
}

static int letter_write(struct letter *l, const char *text, struct err *e)
{
    const char *refs[REFERENCES_MAX + 1];
    char own[TOKEN_NAME_LEN], outbox[32];
    struct buf raw AUTO_BUF;
    buf_init(&raw, BOUND_TEMPLATE_OUTPUT * 4);
    snprintf(outbox, sizeof(outbox), "O%" PRId64, l->row.id);
    token_make(l->eng->key, "own", outbox, own);
    struct mail_header headers[] = {{"Auto-Submitted", "auto-replied"},
                                    {"X-Auto-Response-Suppress", "All"},
                                    {"X-Leadd-Token", own}};
    AUTO_FREE char *subject = letter_subject(l->m->message);
    struct mail_address to = {l->to, NULL};
    struct mail_compose m = {
        .from = {engine_setting(l->eng, "address", ""), "leadd"},
        .to = &to,
        .to_count = 1,
        .reply_to = {l->reply_to, NULL},
        .subject = subject,
        .message_id = l->message_id,
        .in_reply_to = json_get_str(l->m->message, "message_id", NULL),
        .references = refs,
        .reference_count = letter_references(l->m->message, refs),
        .date_ms = clock_now_ms(),
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .text = text,
    };
    if (mail_compose(&m, &raw, e) < 0) {
        /* a Message-ID or subject of his may hold what a header may not */
        if (e->cls != ERR_INPUT)
            return -1;
        m.in_reply_to = NULL;
        m.reference_count = 0;
        m.subject = "Re: your commands";
        buf_reset(&raw);
        if (mail_compose(&m, &raw, e) < 0)
            return -1;
    }
    l->row.msgid_hash = hash_64(l->message_id, strlen(l->message_id));
    l->row.mail_from = ""; /* nothing may answer it by machine */
    l->row.rcpt_to = l->to;
    l->row.subject = m.subject;
    l->row.raw = raw.data;
    l->row.raw_len = raw.len;
    return outbox_fill(l->eng->db, &l->row, e);
}

static int letter_row(struct letter *l, const struct rep_answer *a, struct err *e)
{
    const struct crm_target *t = &a->target;
    char why[OUTGOING_WHY_MAX];
    struct buf intent AUTO_BUF;
    buf_init(&intent, 1024);
    buf_printf(&intent, INTENT "M%" PRId64, l->m->message_id);
    for (size_t i = 0; i < a->journal_count; i++)
        buf_printf(&intent, "/J%" PRId64, a->journal[i]);
    struct outgoing o = {
        .intent = intent.data,
        .class_ = "notice",
        .mail = {.to = l->to, .lead = t->lead, .kase = t->kase, .contact = t->contact, .ours = true},
        .now_ms = clock_now_ms(),
    };
    return outgoing_add(l->eng, &o, &l->row, why, e);
}

int rep_answer_send(struct engine *eng, const struct rep_mail *m, const struct rep_answer *a,
                    const char *words, struct err *e)
{
    struct letter l = {.eng = eng, .m = m};
    struct buf text AUTO_BUF = {0};
    if (m->sms)
        return sms_rep_answer(eng, m, a, words, e);
    buf_init(&text, BOUND_TEMPLATE_OUTPUT);
    if (!letter_to(&l))
        return 0;
    struct ours answers = ours_of(OURS_NOTICE, &a->target, 0);
    ours_frame(eng, &answers, &text);
    answer_text(a, words, &text);
    if (letter_row(&l, a, e) < 0)
        return -1;
    if (l.row.id == 0)
        return 0;
    letter_addresses(&l, &a->target);
    int rc = letter_write(&l, text.data, e);
    if (rc < 0 && e->cls == ERR_INPUT) {
        log_error("rep.answer", "out=%" PRId64 " error=\"%s\" next=\"not sent\"", l.row.id, e->text);
        struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = e->text};
        rc = outbox_set_state(eng->db, l.row.id, &c, e);
    }
    mem_free(l.message_id);
    mem_free(l.reply_to);
    return rc;
}

/* ---- which answer is answered ------------------------------------------------------------ */

static void intent_journals(const char *intent, int64_t *out, size_t *count)
{
    if (strncmp(intent, INTENT, strlen(INTENT)) != 0)
        return;
    for (const char *p = strstr(intent, "/J"); p && *count < BOUND_REP_LINES; p = strstr(p + 2, "/J"))
        out[(*count)++] = strtoll(p + 2, NULL, 10);
}

int rep_answered(struct engine *eng, const json_t *message, int64_t out[BOUND_REP_LINES],
                 size_t *count_out, struct err *e)
{
    size_t i;
    json_t *v;
    *count_out = 0;
    json_array_foreach(json_get_arr(message, "in_reply_to"), i, v) {
        int64_t outbox = 0;
        if (!json_is_string(v) || i > 3)
            continue;
        if (thread_outbox(eng, json_string_value(v), &outbox, e) < 0)
            return -1;
        if (!outbox)
            continue;
        AUTO_JSON json_t *row = outbox_get(eng->db, outbox, e);
        if (!row)
            return -1;
        intent_journals(json_get_str(row, "intent", ""), out, count_out);
    }
    return 0;
}
