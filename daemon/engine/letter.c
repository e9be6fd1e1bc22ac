/* SPDX-License-Identifier: ISC
 *
 * letter - see letter.h
 */
#include "engine/letter.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/outgoing.h"
#include "engine/token.h"
#include "mail/transfer.h"

/* ---- attachments ------------------------------------------------------------------- */

/* The parser said where it stands; that it stands in the mail is seen to here. */
bool letter_file_read(const json_t *a, const char *raw, size_t n, size_t room, struct buf *out)
{
    int64_t at = json_get_int(a, "at", -1), bytes = json_get_int(a, "bytes", -1);
    const char *encoding = json_get_str(a, "encoding", "");
    if (at < 0 || bytes < 0 || (uint64_t)at > n || (uint64_t)bytes > n - (size_t)at ||
        (size_t)bytes > 2 * room + KIB(4))
        return false;
    if (strcmp(encoding, "base64") == 0)
        transfer_base64(out, raw + at, (size_t)bytes);
    else if (strcmp(encoding, "quoted-printable") == 0)
        transfer_quoted(out, raw + at, (size_t)bytes);
    else
        buf_add(out, raw + at, (size_t)bytes);
    return buf_ok(out) && out->len <= room;
}

void letter_files_read(const json_t *message, const char *raw, size_t n,
                       bool (*take)(const json_t *attachment), struct letter_files *out,
                       int *left_out)
{
    const json_t *list = json_get_arr(message, "attachments"), *a;
    size_t i;
    *out = (struct letter_files){.v = mem_array(json_array_size(list) + 1, sizeof(*out->v))};
    *left_out = 0;
    json_array_foreach((json_t *)list, i, a) {
        struct buf b;
        if (!take(a))
            continue;
        buf_init(&b, 2 * BOUND_LETTER_FILES);
        if (raw && letter_file_read(a, raw, n, BOUND_LETTER_FILES - out->bytes, &b)) {
            out->v[out->count++] = (struct mail_attachment){
                .filename = json_get_str(a, "filename", NULL),
                .type = json_get_str(a, "type", NULL),
                .data = mem_strn(b.data, b.len),
                .size = b.len,
            };
            out->bytes += b.len;
        } else {
            ++*left_out;
        }
        buf_done(&b);
    }
}

void letter_files_done(struct letter_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        mem_free((void *)f->v[i].data);
    mem_free(f->v);
    *f = (struct letter_files){0};
}

/* ---- the mail -------------------------------------------------------------------------- */

/* "L42.TOKEN.O17.TOKEN@domain": what it is about, and which row it is. */
static char *letter_id(const struct engine *eng, const struct letter *l, int64_t outbox)
{
    char thread[OURS_NAME_MAX], row[OURS_NAME_MAX];
    const char *at = strrchr(engine_setting(eng, "address", "@localhost"), '@');
    ours_name(eng, &l->answers, thread);
    ours_name(eng, &(struct ours){.kind = OURS_RETURN, .id = outbox}, row);
    return mem_printf("%s%s%s@%s", thread, thread[0] ? "." : "", row,
                      engine_setting(eng, "domain", at ? at + 1 : "localhost"));
}

/* People of ours always see the tag where no address carries the token. */
static char *letter_subject(const struct engine *eng, const struct letter *l)
{
    char tag[OURS_TAG_MAX];
    bool none = strcmp(engine_setting(eng, "reply_address", "plus"), "none") == 0;
    ours_tag(eng, &l->answers, tag);
    if (!tag[0] || !(json_get_bool(eng->settings, "subject_tag", false) || (none && l->to_user)) ||
        strstr(l->subject, tag))
        return mem_str(l->subject);
    return mem_printf("%s%s%s", l->subject, *l->subject ? " " : "", tag);
}

/* A stranger's Message-ID may hold what a header may not: then the mail goes without
 * that reference, rather than not at all. */
static int letter_compose(struct input *in, const struct mail_compose *full, struct buf *out,
                          struct err *e)
{
    if (mail_compose(full, out, e) == 0)
        return 0;
    if (e->cls != ERR_INPUT || (!full->in_reply_to && full->reference_count == 0))
        return -1;
    struct mail_compose plain = *full;
    plain.in_reply_to = NULL;
    plain.reference_count = 0;
    buf_reset(out);
    input_note(in, "the mail refers to no earlier one: %s", e->text);
    return mail_compose(&plain, out, e);
}

static int letter_write(struct input *in, const struct letter *l, struct outbox_row *row,
                        struct err *e)
{
    struct engine *eng = in->eng;
    char own[TOKEN_NAME_LEN], outbox[32];
    struct buf raw AUTO_BUF, text AUTO_BUF = {0};
    buf_init(&raw, BOUND_LETTER);
    buf_init(&text, BOUND_LETTER);
    if (l->answers.kind == OURS_NOTICE) /* that of a conversation has its own frame */
        ours_frame(eng, &l->answers, &text);
    buf_str(&text, l->text);
    snprintf(outbox, sizeof(outbox), "O%" PRId64, row->id);
    token_make(eng->key, "own", outbox, own);
    AUTO_FREE char *id = letter_id(eng, l, row->id);
    AUTO_FREE char *subject = letter_subject(eng, l);
    AUTO_FREE char *reply_to = ours_address(eng, &l->answers);
    AUTO_FREE char *back = ours_return_path(eng, row->id);
    /* to a contact it is a person's mail, and no machine may take it for another's */
    const struct mail_header headers[] = {{"X-Leadd-Token", own},
                                          {"Auto-Submitted", "auto-generated"},
                                          {"X-Auto-Response-Suppress", "All"}};
    struct mail_address to = {l->to, l->to_name};
    struct mail_compose m = {
        .from = {engine_setting(eng, "address", ""), l->from_name},
        .to = &to,
        .to_count = 1,
        .reply_to = {reply_to, l->from_name},
        .subject = subject,
        .message_id = id,
        .in_reply_to = l->in_reply_to,
        .references = l->references,
        .reference_count = l->reference_count,
        .date_ms = in->now_ms,
        .headers = headers,
        .header_count = l->to_user || l->machine ? ARRAY_LEN(headers) : 1,
        .text = text.data,
        .calendar = l->calendar,
        .method = l->method,
        .attachments = l->files ? l->files->v : NULL,
        .attachment_count = l->files ? l->files->count : 0,
    };
    if (letter_compose(in, &m, &raw, e) < 0)
        return -1;
    row->msgid_hash = hash_64(id, strlen(id));
    row->mail_from = back;
    row->rcpt_to = l->to;
    row->subject = subject;
    row->raw = raw.data;
    row->raw_len = raw.len;
    return outbox_fill(eng->db, row, e);
}

static int letter_row(struct input *in, const struct letter *l, struct outbox_row *row,
                      char why[OUTGOING_WHY_MAX], struct err *e)
{
    struct outgoing o = {
        .intent = l->intent,
        .class_ = l->class_,
        .mail = {.to = l->to,
                 .lead = l->target->lead,
                 .kase = l->target->kase,
                 .contact = l->target->contact,
                 .ours = l->to_user != NULL,
                 .trial = in->preview},
        .now_ms = in->now_ms,
        .hold = l->hold,
    };
    if (outgoing_add(in->eng, &o, row, why, e) < 0)
        return -1;
    if (*why && row->id)
        input_note(in, "mail %" PRId64 " is held: %s", row->id, why);
    return 0;
}

int letter_put(struct input *in, const struct letter *l, int64_t *outbox_out, char held_out[256],
               struct err *e)
{
    struct outbox_row row;
    char why[OUTGOING_WHY_MAX];
    if (letter_row(in, l, &row, why, e) < 0)
        return -1;
    if (row.id && letter_write(in, l, &row, e) < 0) {
        if (e->cls != ERR_INPUT)
            return -1;
        /* the row promised a mail that could not be written */
        struct outbox_change c = {.state = "failed", .done_ms = in->now_ms, .reply = e->text};
        struct err se = {0};
        if (outbox_set_state(in->eng->db, row.id, &c, &se) < 0)
            *e = se;
        return -1;
    }
    *outbox_out = row.id;
    if (held_out)
        memcpy(held_out, why, sizeof(why));
    return 0;
}
