/* SPDX-License-Identifier: ISC
 *
 * followup - from `send TEMPLATE` to a row in the outbox
 *
 * For mail that leadd writes by itself to others loop headers, tokens and return path are
 * decided here, whoever asked; whether it may leave, consent too, is outgoing.c's.
 * One row per recipient and intent; the intent's unique key makes a second attempt at
 * the same thing harmless.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/broadcast.h"
#include "engine/click.h"
#include "engine/conversation.h"
#include "engine/dress.h"
#include "engine/input.h"
#include "engine/invite.h"
#include "engine/link.h"
#include "engine/notice_foot.h"
#include "engine/optout.h"
#include "engine/ours.h"
#include "engine/outgoing.h"
#include "engine/sms_out.h"
#include "engine/storm.h"
#include "engine/token.h"
#include "mail/classify.h"
#include "mail/compose.h"
#include "rule/template.h"
#include "store/message.h"
#include "store/outbox.h"
#include "store/record.h"

#define REFERENCES_MAX 10

struct draft {
    struct input *in;
    const struct crm_send *send;
    struct outbox_row row;
    struct ours answers;          /* what an answer is for */
    char *message_id, *reply_to, *mail_from; /* own */
    const char *list;             /* borrowed; that it belongs to, or NULL */
    struct optout ends;           /* own; how the contact ends such mail; empty in a notice */
    json_t *answered;             /* own; the message it answers, or NULL */
    struct dress dress;
    struct template_result words;
    char hold[200];               /* why it may not leave as it is; "" */
};

/* The row that tokens name. */
static int64_t draft_id(const struct draft *d)
{
    return d->in->preview ? 0 : d->row.id;
}

static bool is_notice(const struct crm_send *s)
{
    return s->to_user || s->notice;
}

/* A broadcast as one of ours sees it before it begins: nothing of it is of the record whose
 * values it shows. */
static bool is_test(const struct draft *d)
{
    return d->in->bulk && d->in->bulk->test;
}

/* What an answer to it is for: notes and commands, or the thread of the contact. */
static void draft_thread(struct draft *d)
{
    const struct crm_target *t = &d->send->target;
    if (!is_test(d) && (is_notice(d->send) || t->lead || t->kase))
        d->answers = ours_of(is_notice(d->send) ? OURS_NOTICE : OURS_THREAD, t, 0);
}

/* Who it comes from, where answers go, and where bounces go. A notice to a user
 * comes from the null sender: nothing may answer it by machine. */
static void draft_addresses(struct draft *d)
{
    struct engine *eng = d->in->eng;
    char thread[OURS_NAME_MAX], row[OURS_NAME_MAX];
    const char *at = strrchr(engine_setting(eng, "address", "@localhost"), '@');
    ours_name(eng, &d->answers, thread);
    ours_name(eng, &(struct ours){.kind = OURS_RETURN, .id = draft_id(d)}, row);
    d->reply_to = ours_address(eng, &d->answers);
    d->mail_from = is_notice(d->send) || is_test(d) ? mem_str("")
                                                      : ours_return_path(eng, draft_id(d));
    d->message_id = mem_printf("%s%s%s@%s", thread, thread[0] ? "." : "", row,
                               engine_setting(eng, "domain", at ? at + 1 : "localhost"));
}

/* The newest mail of the lead is what we answer: clients show one thread. */
static int draft_answered(struct draft *d, struct err *e)
{
    int64_t id = 0;
    if (is_notice(d->send) || d->in->bulk || !d->send->target.lead)
        return 0;
    if (message_latest_of_lead(d->in->eng->db, d->send->target.lead, &id, e) < 0)
        return -1;
    if (id == 0)
        return 0;
    d->answered = message_json(d->in->eng->db, id, e);
    return d->answered ? 0 : -1;
}

static size_t draft_references(const struct draft *d, const char **refs)
{
    size_t n = 0, i;
    json_t *v;
    const char *id = json_get_str(d->answered, "message_id", NULL);
    json_t *list = json_get_arr(d->answered, "references");
    size_t skip = json_array_size(list) > REFERENCES_MAX - 1
                      ? json_array_size(list) - (REFERENCES_MAX - 1) : 0;
    json_array_foreach(list, i, v)
        if (i >= skip && json_is_string(v) &&
            !conversation_is_inside(d->in->eng, json_string_value(v)))
            refs[n++] = json_string_value(v);
    if (id)
        refs[n++] = id;
    return n;
}

/* A stranger's Message-ID may hold what a header may not: then the mail goes
 * without that reference, rather than not at all. */
static int draft_compose(const struct draft *d, const struct mail_compose *full, struct buf *out,
                         struct err *e)
{
    if (mail_compose(full, out, e) == 0)
        return 0;
    if (e->cls != ERR_INPUT || !full->in_reply_to)
        return -1;
    struct mail_compose plain = *full;
    plain.in_reply_to = NULL;
    plain.reference_count = 0;
    buf_reset(out);
    input_note(d->in, "the mail refers to no earlier one: %s", e->text);
    return mail_compose(&plain, out, e);
}

/* People of ours always see the tag where no address carries the token. */
static char *draft_subject(const struct draft *d, const char *subject)
{
    struct engine *eng = d->in->eng;
    char tag[OURS_TAG_MAX];
    bool none = strcmp(engine_setting(eng, "reply_address", "plus"), "none") == 0;
    ours_tag(eng, &d->answers, tag);
    if (!tag[0] ||
        !(json_get_bool(eng->settings, "subject_tag", false) || (none && is_notice(d->send))))
        return mem_str(subject);
    return mem_printf("%s %s", subject, tag);
}

static int draft_write(struct draft *d, struct err *e)
{
    struct engine *eng = d->in->eng;
    const struct template_result *r = &d->words;
    const char *refs[REFERENCES_MAX + 1];
    char own[TOKEN_NAME_LEN], outbox[32];
    struct buf raw AUTO_BUF;
    buf_init(&raw, BOUND_TEMPLATE_OUTPUT * 4 + d->dress.bytes * 3 / 2);
    snprintf(outbox, sizeof(outbox), "O%" PRId64, draft_id(d));
    token_make(eng->key, "own", outbox, own);
    struct mail_header headers[3 + OPTOUT_HEADERS] = {
        {"Auto-Submitted", d->answered ? "auto-replied" : "auto-generated"},
        {"X-Auto-Response-Suppress", "All"},
        {"X-Leadd-Token", own},
    };
    AUTO_FREE char *marked = mem_printf("%s%s", is_test(d) ? "[TEST] " : "", r->subject);
    AUTO_FREE char *subject = draft_subject(d, marked);
    struct mail_address to = {d->send->to, d->send->to_name};
    struct mail_compose m = {
        .from = d->dress.from,
        .to = &to,
        .to_count = 1,
        .reply_to = {d->reply_to, NULL},
        .subject = subject,
        .message_id = d->message_id,
        .in_reply_to = json_get_str(d->answered, "message_id", NULL),
        .references = refs,
        .reference_count = draft_references(d, refs),
        .date_ms = d->in->now_ms,
        .headers = headers,
        .header_count = 3 + optout_headers(&d->ends, headers + 3),
        .text = r->text,
        .html = r->html,
        .attachments = d->dress.files,
        .attachment_count = d->dress.file_count,
    };
    if (draft_compose(d, &m, &raw, e) < 0)
        return -1;
    d->row.msgid_hash = hash_64(d->message_id, strlen(d->message_id));
    d->row.mail_from = d->mail_from;
    d->row.rcpt_to = d->send->to;
    d->row.subject = subject;
    d->row.raw = raw.data;
    d->row.raw_len = raw.len;
    return outbox_fill(eng->db, &d->row, e);
}

/* Two machines that answer each other never end (RFC 3834, section 2). */
static int draft_loop(const struct draft *d, struct err *e)
{
    const char *why, *to = d->send->to;
    if (is_test(d))
        return 0;
    if (d->in->message && crm_is_machine(d->in->eng->crm, d->in->message, to, &why))
        return err_set(e, ERR_INPUT, "not sent: a machine wrote the message (%s), and two machines "
                       "that answer each other never end", why);
    if (mail_is_machine_address(to))
        return err_set(e, ERR_INPUT, "not sent: nobody reads what is sent to this address");
    if (crm_is_ours(d->in->eng->crm, to))
        return err_set(e, ERR_INPUT, "not sent: the address is our own");
    return 0;
}

/* People of ours are not watched. */
static void draft_track(struct draft *d)
{
    const struct crm_send *s = d->send;
    const struct template *t =
        s->template_name ? crm_template_in(d->in->eng->crm, s->template_name, d->dress.language) : NULL;
    if (t && !is_notice(s) && !is_test(d) && template_track_clicks(t))
        click_rewrite(d->in->eng, draft_id(d), t, &d->words);
}

/* A broadcast's; else the template's own, else that of the sequence whose step it is; a
 * notice has none. */
static const char *draft_list(const struct draft *d)
{
    const struct crm_send *s = d->send;
    const struct template *t = s->template_name ? crm_template(d->in->eng->crm, s->template_name)
                                                : NULL;
    if (is_notice(s))
        return NULL;
    if (d->in->bulk)
        return d->in->bulk->list;
    return t && template_list(t) ? template_list(t) : d->in->list;
}

/* What may not leave now is kept as held, with the reason: a person can release
 * it, and nothing is lost without a trace. */
static int draft_row(struct draft *d, const char *intent, struct err *e)
{
    const struct crm_target none = {0}, *t = is_test(d) ? &none : &d->send->target;
    int64_t now = d->in->now_ms;
    char why[OUTGOING_WHY_MAX];
    const struct input_bulk *bulk = d->in->bulk;
    bool notice = is_notice(d->send) || is_test(d);
    struct outgoing o = {
        .intent = intent,
        .class_ = notice ? "notice" : bulk ? BROADCAST_CLASS : "follow_up",
        .template_ = d->send->template_name,
        .list = is_test(d) ? NULL : d->list,
        .mail = {.to = d->send->to,
                 .lead = t->lead,
                 .kase = t->kase,
                 .contact = t->contact,
                 .ours = d->send->to_user || is_test(d),
                 .counted = d->send->to_user && is_notice(d->send), /* storm_check */
                 .trial = d->in->preview},
        .now_ms = now,
        /* a broadcast can be paused */
        .next_ms = now + (bulk ? 0 : json_get_int(d->in->eng->settings, "undo_window", 0)),
        .hold = is_notice(d->send) ? NULL : d->in->hold ? d->in->hold : *d->hold ? d->hold : NULL,
        .lane = is_notice(d->send) ? LANE_PERSON : bulk ? LANE_BULK : LANE_AUTO,
    };
    if (outgoing_add(d->in->eng, &o, &d->row, why, e) < 0)
        return -1;
    if (*why && d->row.id)
        input_note(d->in, "mail %" PRId64 " is held: %s", d->row.id, why);
    return 0;
}

/* Where it ends, now that its row is known. */
static int draft_ends(struct draft *d, struct err *e)
{
    json_t *contact = NULL;
    const struct optout nowhere = {.url = (char *)OPTOUT_PLACE};
    if (is_notice(d->send))
        return 0;
    if (is_test(d)) {
        optout_fill(d->in->eng, &nowhere, d->list, d->dress.language, &d->words);
        return 0;
    }
    if (d->list && d->send->target.contact &&
        record_get(d->in->eng->db, &contact_table, d->send->target.contact, &contact, e) < 0)
        return -1;
    optout_make(d->in->eng, draft_id(d), d->list, &d->ends);
    optout_fill(d->in->eng, &d->ends, d->list, json_get_str(contact, "language", d->dress.language),
                &d->words);
    json_decref(contact);
    return 0;
}

/* "Hello ," does not go to a customer: a person of ours looks at it first. */
static void draft_gaps(struct draft *d)
{
    const struct template_result *r = &d->words;
    const struct rule_fields *fields = crm_fields(d->in->eng->crm);
    if (r->missing_count)
        snprintf(d->hold, sizeof(d->hold), "%s is not set, and template %s does not say what stands "
                 "there then", rule_fields_get(fields, r->missing[0])->name, d->send->template_name);
    else if (r->empty)
        snprintf(d->hold, sizeof(d->hold), "the %s of template %s is empty", r->empty,
                 d->send->template_name);
}

static int draft_words(struct draft *d, struct err *e)
{
    const struct crm_send *s = d->send;
    const struct crm_rendering how = {.name = s->template_name,
                                      .language = d->dress.language,
                                      .signed_by = d->dress.signed_by,
                                      .actor = &s->actor};
    if (!s->template_name)
        return crm_render_notice(d->in->ctx, &s->target, &s->actor, &d->words, e);
    crm_set_unsubscribe(d->in->ctx, is_notice(s) ? NULL : OPTOUT_PLACE);
    int rc = crm_render(d->in->ctx, &s->target, &how, &d->words, e);
    crm_set_unsubscribe(d->in->ctx, NULL);
    if (rc < 0)
        return -1;
    if (!is_notice(s))
        draft_gaps(d);
    return 0;
}

/* What a template puts into a notice may be a customer's words. */
static void draft_frame(struct draft *d, const char *foot)
{
    struct template_result *r = &d->words;
    struct buf frame AUTO_BUF;
    char *text = r->text, *html = r->html;
    buf_init(&frame, 512);
    ours_frame(d->in->eng, &d->answers, &frame);
    /* each begins and ends as it likes: one blank line is between them */
    foot += strspn(foot, "\n");
    for (size_t n = strlen(text); *foot && n > 0 && text[n - 1] == '\n';)
        text[--n] = '\0';
    r->text = mem_printf("%s%s%s%s", frame.data, text, *foot ? "\n\n" : "", foot);
    if (html) {
        const char *body = strcasestr(html, "<body"), *in = body ? strchr(body, '>') : NULL;
        size_t head = in ? (size_t)(in + 1 - html) : 0;
        r->html = mem_printf("%.*s<p>%s</p>\n%s", (int)head, html, frame.data, html + head);
    }
    mem_free(text);
    mem_free(html);
}

/* Why it is his, what happened, and what he can do with a reply or a click. */
static int draft_links(struct draft *d, struct err *e)
{
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_TEMPLATE_OUTPUT);
    if (!is_notice(d->send))
        return 0;
    if (!d->send->to_user) { /* `notify` of an address: nobody's links, and no commands */
        draft_frame(d, "");
        return 0;
    }
    if (notice_foot(d->in, d->send->to_user, &d->send->target, &text, e) < 0 ||
        link_lines(d->in->eng, d->send->to_user, &d->send->target, &text, e) < 0)
        return -1;
    draft_frame(d, text.len ? text.data : "");
    return 0;
}

static int draft_make(struct draft *d, const char *intent, struct err *e)
{
    struct err unsaid = {0};
    bool later = false;
    d->list = draft_list(d);
    if ((!d->send->to_user && draft_loop(d, e) < 0) ||
        (is_notice(d->send) && storm_check(d->in, d->send, &later, e) < 0))
        return -1;
    if (later) {
        input_note(d->in, "a notice of %s is told in one mail with others", d->send->actor.name);
        return 0;
    }
    int said = dress_make(d->in, d->send, &d->dress, &unsaid) < 0 ? -1 : draft_words(d, &unsaid);
    if (draft_row(d, intent, e) < 0)
        return -1;
    if (d->row.id == 0)
        return err_set(e, ERR_INPUT, "not sent again: %s", intent);
    if (said < 0) {
        *e = unsaid;
        return -1;
    }
    draft_thread(d);
    draft_addresses(d);
    if (draft_answered(d, e) < 0)
        return -1;
    draft_track(d);
    return draft_ends(d, e) < 0 || draft_links(d, e) < 0 ? -1 : draft_write(d, e);
}

int followup_send(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *outbox_out,
                  struct err *e)
{
    if (s->invite)
        return invite_mail(arg, s, outbox_out, e);
    if (s->sms)
        return sms_send(arg, s, outbox_out, e);
    struct draft d = {.in = arg, .send = s};
    struct input_bulk *bulk = d.in->bulk;
    AUTO_FREE char *intent =
        bulk && !is_test(&d) ? mem_str(d.in->intent)
                             : mem_printf("%s/%s/%s/%s", d.in->intent, s->actor.name,
                                          s->template_name ? s->template_name : "notice", s->to);
    (void)ctx;
    int rc = draft_make(&d, intent, e);
    if (rc < 0 && d.row.id && e->cls == ERR_INPUT) {
        /* the row promised a mail that could not be written */
        struct outbox_change c = {.state = "failed", .done_ms = d.in->now_ms, .reply = e->text};
        struct err se = {0};
        if (outbox_set_state(d.in->eng->db, d.row.id, &c, &se) < 0)
            *e = se;
    }
    if (rc == 0)
        *outbox_out = d.row.id;
    if (rc == 0 && bulk)
        bulk->outbox = d.row.id;
    mem_free(d.message_id);
    mem_free(d.reply_to);
    mem_free(d.mail_from);
    optout_done(&d.ends);
    json_decref(d.answered);
    template_result_done(&d.words);
    dress_done(&d.dress);
    return rc;
}

int followup_unsend(void *arg, struct crm_ctx *ctx, int64_t outbox, struct err *e)
{
    struct input *in = arg;
    (void)ctx;
    AUTO_JSON json_t *row = outbox_get(in->eng->db, outbox, e);
    if (!row)
        return -1;
    const char *state = json_get_str(row, "state", "");
    if (strcmp(state, "ready") != 0 && strcmp(state, "held") != 0 && strcmp(state, "deferred") != 0)
        return err_set(e, ERR_INPUT, "mail %" PRId64 " cannot be taken back: it is %s", outbox, state);
    struct outbox_change c = {.state = "failed", .done_ms = in->now_ms, .reply = "taken back"};
    return outbox_set_state(in->eng->db, outbox, &c, e);
}
