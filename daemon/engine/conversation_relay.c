/* SPDX-License-Identifier: ISC
 *
 * conversation_relay - from the owner to the contact, or why not (see conversation.h)
 */
#include "engine/conversation_inner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/command.h"
#include "engine/conversation_sms.h"
#include "engine/conversation_words.h"
#include "engine/notice_foot.h"
#include "mail/classify.h"
#include "store/message.h"
#include "store/outbox.h"

#define REFERENCES_MAX 10

struct relay {
    struct input *in;
    const struct conversation_reply *r;
    struct conversation_told *told;
    const json_t *rec;     /* borrowed */
    json_t *answered;      /* own; the contact's mail */
    const char *to, *name; /* borrowed from answered */
    struct buf words;
    struct letter_files files; /* own */
};

static bool is_signature(const json_t *a)
{
    const char *type = json_get_str(a, "type", "");
    return strstr(type, "pkcs7-signature") || strstr(type, "pgp-signature") ||
           strstr(type, "pgp-keys");
}

static bool for_contact(const json_t *a)
{
    return !conversation_is_logo(a) && !is_signature(a);
}

/* It stays inside; the sender hears why. */
static int stays(struct relay *x, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(x->told->text, sizeof(x->told->text), fmt, ap);
    va_end(ap);
    x->told->text[text_utf8_cut(x->told->text, strlen(x->told->text),
                                sizeof(x->told->text) - 1)] = '\0';
    x->told->inside = true;
    return 1;
}

/* What about the mail itself speaks against it. 1: it stays. */
static int relay_may(struct relay *x)
{
    const struct conversation_reply *r = x->r;
    const char *kind = json_get_str(r->message, "kind", "person"),
               *role = json_get_str(crm_user(x->in->eng->crm, r->user), "role", "rep");
    if (strcmp(kind, "person") != 0)
        return stays(x, "it was not written by a person (%s)", kind);
    if (r->thread->doubtful)
        return stays(x, "it is to a conversation and to a notice, or to two conversations: reply "
                     "to the one mail that you mean");
    if (r->thread->said.kind != OURS_CONVERSATION)
        return stays(x, "it is no reply to a mail of a conversation: answer the one that brought "
                     "the customer's words");
    if (strcmp(role, "viewer") == 0)
        return stays(x, "a viewer may look, and not answer");
    if (!r->proven)
        return stays(x, "it is not proven that you wrote it%s%s", r->unproven ? ": " : "",
                     r->unproven ? r->unproven : "");
    if (r->inside && *r->words)
        return stays(x, "%s", r->inside);
    return 0;
}

/* The mail that is answered, and who wrote it. */
static int relay_answered(struct relay *x, struct err *e)
{
    struct engine *eng = x->in->eng;
    const struct ours *said = &x->r->thread->said;
    enum crm_entity what;
    struct err gone = {0};
    bool part = false;
    x->rec = crm_target_record(x->in->ctx, x->r->target, &what, &gone);
    if (!x->rec)
        return gone.cls == ERR_INPUT ? stays(x, "the record is not there any more")
                                     : err_set(e, gone.cls, "%s", gone.text);
    x->answered = message_json(eng->db, said->message, &gone);
    if (!x->answered)
        return gone.cls == ERR_INPUT ? stays(x, "the mail that it answers is not there any more")
                                     : err_set(e, gone.cls, "%s", gone.text);
    const json_t *writer = conversation_writer(eng, x->answered);
    x->to = json_get_str(writer, "folded", NULL);
    x->name = json_get_str(writer, "name", NULL);
    if (!x->to)
        return stays(x, "the mail that it answers names nobody to answer to");
    if (thread_takes_part(eng, x->in->ctx, x->r->target, x->to, &part, e) < 0)
        return -1;
    return part ? 0 : stays(x, "%s takes no part in this record any more", x->to);
}

static int relay_address(struct relay *x, struct err *e)
{
    enum crm_address_use use = CRM_ADDRESS_OK;
    if (conversation_is_sms(x->answered)) /* sms_put() asks */
        return 0;
    if (crm_address_check(x->in->eng->db, "email", x->to, &use, e) < 0)
        return -1;
    if (use == CRM_ADDRESS_OPTED_OUT)
        return stays(x, "%s has opted out of mail from us", x->to);
    if (use == CRM_ADDRESS_BOUNCING)
        return stays(x, "mail to %s comes back", x->to);
    return 0;
}

static bool among(const json_t *list, const char *address)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)list, i, v)
        if (strcmp(json_get_str(v, "folded", ""), address) == 0)
            return true;
    return false;
}

/* The user wrote to the contact, too, with his own address. */
static bool has_it(const struct relay *x)
{
    return among(json_get_arr(x->r->message, "to"), x->to) ||
           among(json_get_arr(x->r->message, "cc"), x->to);
}

static int relay_words(struct relay *x)
{
    struct engine *eng = x->in->eng;
    struct buf sent AUTO_BUF;
    char why[200];
    int renamed;
    buf_init(&sent, 2 * BOUND_LETTER_TEXT);
    conversation_letter_text(eng, x->r->target, x->rec, x->answered, x->r->thread->said.message,
                             NULL, &sent);
    buf_str(&sent, json_get_str(x->answered, "text", ""));
    struct conversation_cut cut = {.quoted = sent.data, .user = x->r->user};
    if (strlen(x->r->words) > BOUND_LETTER_TEXT)
        return stays(x, "it is longer than %zu bytes", BOUND_LETTER_TEXT);
    if (!conversation_words(eng, &cut, x->r->words, &x->words, &renamed, why))
        return stays(x, "%s", why);
    if (!buf_ok(&x->words))
        return stays(x, "it is too long");
    buf_char(&x->words, '\n');
    return 0;
}

/* Files go along, but for what may hold more than the eye sees: a mail with its own words,
 * or a text that has something of ours in it. */
static int relay_files(struct relay *x, struct err *e)
{
    const json_t *list = json_get_arr(x->r->message, "attachments"), *a;
    size_t i, n = 0;
    int left_out;
    json_array_foreach((json_t *)list, i, a)
        if (conversation_is_sms(x->answered) && for_contact(a))
            return stays(x, "files do not go by SMS");
    if (conversation_is_sms(x->answered))
        return 0;
    json_array_foreach((json_t *)list, i, a) {
        const char *type = json_get_str(a, "type", ""), *name = json_get_str(a, "filename", "");
        if (strncmp(type, "message/", 8) == 0)
            return stays(x, "a mail is attached to it");
        if (strstr(type, "ms-tnef") || strcasecmp(name, "winmail.dat") == 0)
            return stays(x, "it is in Outlook's own format (winmail.dat): send it as HTML or text");
    }
    if (json_array_size(list) == 0)
        return 0;
    AUTO_FREE char *raw = message_raw(x->in->eng->db, x->r->message_id, &n, e);
    if (!raw)
        return -1;
    letter_files_read(x->r->message, raw, n, for_contact, &x->files, &left_out);
    if (left_out)
        return stays(x, "%d of its files cannot be passed on: all of them may have %zu MB", left_out,
                     BOUND_LETTER_FILES / MIB(1));
    for (i = 0; i < x->files.count; i++) {
        const struct mail_attachment *f = &x->files.v[i];
        if (strncmp(f->type ? f->type : "", "text/", 5) == 0 &&
            !conversation_text_may(x->in->eng, f->data))
            return stays(x, "the attached text \"%.60s\" holds a command, or something of a mail of "
                         "ours", f->filename ? f->filename : "without a name");
    }
    return 0;
}

static size_t relay_references(const struct relay *x, const char **refs)
{
    const json_t *list = json_get_arr(x->answered, "references");
    const char *id = json_get_str(x->answered, "message_id", NULL);
    size_t n = 0, i, all = json_array_size(list);
    json_t *v;
    json_array_foreach((json_t *)list, i, v)
        if (i + REFERENCES_MAX > all && json_is_string(v) &&
            !conversation_is_inside(x->in->eng, json_string_value(v)))
            refs[n++] = json_string_value(v);
    if (id)
        refs[n++] = id;
    return n;
}

/* The contact's own subject: what the user made of it may not be for outside. */
static char *relay_subject(const struct relay *x)
{
    const char *s = json_get_str(x->answered, "subject", "");
    bool re = strncasecmp(s, "re:", 3) == 0 || strncasecmp(s, "aw:", 3) == 0;
    char *subject = mem_printf("%s%s", re ? "" : "Re: ", s);
    text_make_line(subject);
    return subject;
}

/* It answers a text: it goes back to that number, from the number that was texted. */
static int relay_text(struct relay *x, struct err *e)
{
    char held[256] = "";
    struct err le = {0};
    const json_t *to = json_array_get(json_get_arr(x->answered, "to"), 0);
    struct conversation_words_out w = {.user = x->r->user, .to = x->to,
                                       .ours = json_get_str(to, "folded", NULL),
                                       .gateway = json_get_str(x->answered, "gateway", NULL),
                                       .words = x->words.data, .target = x->r->target,
                                       .message_id = x->r->message_id, .hold = x->r->hold};
    if (conversation_text_put(x->in, &w, &x->told->outbox, held, &le) < 0) {
        if (le.cls == ERR_INPUT)
            return stays(x, "%s", le.text);
        *e = le;
        return -1;
    }
    x->told->relayed = true;
    snprintf(x->told->text, sizeof(x->told->text), "%s to %s by SMS%s%s",
             held[0] ? "waits, and will go" : "went", x->to, held[0] ? ": " : "", held);
    return 0;
}

static int relay_send(struct relay *x, struct err *e)
{
    struct engine *eng = x->in->eng;
    const char *refs[REFERENCES_MAX + 2];
    char held[256];
    AUTO_FREE char *subject = relay_subject(x);
    AUTO_FREE char *from = conversation_from_user(eng, x->r->user);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/relay/%s", x->r->message_id, x->to);
    struct crm_actor actor = {CRM_BY_USER, x->r->user, NULL};
    struct letter l = {
        .class_ = RELAY_CLASS,
        .intent = intent,
        .to = x->to,
        .to_name = x->name,
        .from_name = from,
        .answers = ours_of(OURS_THREAD, x->r->target, 0),
        .subject = subject,
        .in_reply_to = json_get_str(x->answered, "message_id", NULL),
        .references = refs,
        .reference_count = relay_references(x, refs),
        .text = x->words.data,
        .target = x->r->target,
        .files = &x->files,
        .hold = x->r->hold,
    };
    struct err le = {0};
    if (letter_put(x->in, &l, &x->told->outbox, held, &le) < 0) {
        if (le.cls == ERR_INPUT)
            return stays(x, "%s", le.text);
        *e = le;
        return -1;
    }
    if (!x->told->outbox)
        return stays(x, "it was relayed before");
    if (crm_record_sent(x->in->ctx, x->r->target, subject, x->r->message_id, x->told->outbox,
                        &actor, e) < 0)
        return -1;
    x->told->relayed = true;
    snprintf(x->told->text, sizeof(x->told->text), "%s to %s as %s%s%s",
             held[0] ? "waits, and will go" : "went", x->to, from, held[0] ? ": " : "", held);
    log_info("conversation.relayed", "message=M%" PRId64 " out=%" PRId64 " user=%s held=%d",
             x->r->message_id, x->told->outbox, x->r->user, held[0] != '\0');
    return 0;
}

/* 0: it went, or there was nothing to go; 1: it stays, and is told. */
static int relay_try(struct relay *x, struct err *e)
{
    int rc = relay_may(x);
    if (rc == 0)
        rc = relay_answered(x, e);
    if (rc == 0 && has_it(x)) {
        snprintf(x->told->text, sizeof(x->told->text),
                 "%s has it from you directly, so it was not sent a second time; your own address "
                 "is seen there", x->to);
        return 0;
    }
    if (rc == 0)
        rc = relay_words(x);
    if (rc == 0)
        rc = relay_files(x, e);
    if (rc == 0 && x->files.count == 0 && x->words.data[strspn(x->words.data, " \t\r\n")] == '\0') {
        snprintf(x->told->text, sizeof(x->told->text), "there were no words to send");
        return 0;
    }
    if (rc == 0)
        rc = relay_address(x, e);
    if (rc != 0)
        return rc;
    return conversation_is_sms(x->answered) ? relay_text(x, e) : relay_send(x, e);
}

int conversation_out(struct input *in, const struct conversation_reply *r,
                     struct conversation_told *told, struct err *e)
{
    struct relay x = {.in = in, .r = r, .told = told};
    *told = (struct conversation_told){0};
    buf_init(&x.words, 2 * BOUND_LETTER_TEXT);
    int rc = relay_try(&x, e);
    if (rc == 1) {
        AUTO_FREE char *why = mem_str(told->text);
        snprintf(told->text, sizeof(told->text), "not sent to the customer: %.560s", why);
        input_note(in, "the answer of %s stays inside: %s", r->user, why);
        log_info("conversation.inside", "message=M%" PRId64 " user=%s why=\"%s\"", r->message_id,
                 r->user, why);
        rc = 0;
    }
    json_decref(x.answered);
    letter_files_done(&x.files);
    buf_done(&x.words);
    return rc;
}

/* ---- as an input of its own ---------------------------------------------------------- */

/* To his registered address: a forged From brings its forger nothing. */
static int tell_writer(struct input *in, const struct conversation_reply *r,
                       const struct conversation_told *told, bool noted, struct err *e)
{
    const json_t *u = crm_user(in->eng->crm, r->user);
    const char *email = json_get_str(u, "email", NULL),
               *id = json_get_str(r->message, "message_id", NULL),
               *words = json_get_str(r->message, "reply", "");
    int64_t outbox;
    if (!email)
        return 0;
    struct buf text AUTO_BUF;
    buf_init(&text, 2 * BOUND_LETTER_TEXT);
    buf_printf(&text, "Your answer was %s.\n\n%sWhat you wrote:\n\n", told->text,
               noted ? "It is kept as a note.\n\n" : "");
    buf_add(&text, words, text_utf8_cut(words, strlen(words), KIB(16)));
    buf_char(&text, '\n');
    AUTO_FREE char *to = mem_str(email);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/%s/%s", r->message_id,
                                         told->inside ? "stays" : "failed", r->user);
    AUTO_FREE char *subject = mem_printf("Not sent: %s", json_get_str(r->message, "subject", ""));
    text_lower(to);
    text_make_line(subject);
    struct letter l = {
        .class_ = "notice",
        .intent = intent,
        .to = to,
        .to_name = json_get_str(u, "name", NULL),
        .to_user = r->user,
        .from_name = "leadd",
        .answers = ours_of(OURS_NOTICE, r->target, 0),
        .subject = subject,
        .in_reply_to = id,
        .references = &id,
        .reference_count = id != NULL,
        .text = text.data,
        .target = r->target,
    };
    return conversation_tell(in, &l, &outbox, r->message_id, e);
}

/* What does not leave is kept where people look: as a note of who wrote it, if he did. */
static int keep_note(struct input *in, const struct conversation_reply *r, bool *noted_out,
                     struct err *e)
{
    struct crm_actor actor = {CRM_BY_USER, r->user, NULL};
    struct err why = {0};
    *noted_out = false;
    if (r->inside) { /* rep.c did */
        *noted_out = r->proven;
        return 0;
    }
    if (!r->proven || !r->words[strspn(r->words, " \t\r\n")] || in->target.main == CRM_NONE)
        return 0;
    size_t n = text_utf8_cut(r->words, strlen(r->words), BOUND_REP_LINE);
    AUTO_FREE char *line = mem_printf("note %.*s", (int)n, r->words);
    *noted_out = crm_command_run(in->ctx, &in->target, line, &actor, NULL, &why) == 0;
    return *noted_out || why.cls == ERR_INPUT ? 0 : err_set(e, why.cls, "%s", why.text);
}

bool conversation_is_meant(const struct thread *thread)
{
    return thread->said.kind == OURS_CONVERSATION || thread->doubtful;
}

int conversation_take(struct engine *eng, const struct conversation_reply *r, struct err *e)
{
    struct input in;
    struct conversation_told told;
    bool noted = false;
    if (r->hold || strcmp(json_get_str(r->message, "kind", "person"), "person") != 0)
        return 0; /* old, or of a machine of his: filed, and nobody need hear */
    input_begin(&in, eng, mem_printf("answer of %s by mail M%" PRId64, r->user, r->message_id),
                mem_printf("M%" PRId64 "/answer", r->message_id));
    in.target = *r->target;
    in.message = r->message;
    int rc = conversation_out(&in, r, &told, e);
    if (rc == 0 && told.inside)
        rc = keep_note(&in, r, &noted, e);
    if (rc == 0 && told.inside)
        rc = tell_writer(&in, r, &told, noted, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

int conversation_stayed(struct engine *eng, const char *user, int64_t message_id, bool *out,
                        struct err *e)
{
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/stays/%s", message_id, user);
    return outbox_has(eng->db, intent, out, e);
}

int conversation_failed(struct input *in, const json_t *row, const char *why, struct err *e)
{
    const char *intent = json_get_str(row, "intent", ""), *from;
    struct err gone = {0};
    struct thread thread = {0};
    struct conversation_told told = {0};
    int64_t id = *intent == 'M' ? strtoll(intent + 1, NULL, 10) : 0;
    AUTO_JSON json_t *message = id ? message_json(in->eng->db, id, &gone) : NULL;
    if (!message)
        return gone.cls == ERR_INPUT || gone.cls == ERR_NONE ? 0
                                                             : err_set(e, gone.cls, "%s", gone.text);
    from = json_get_str(json_get_obj(message, "from"), "folded", "");
    struct conversation_reply r = {
        .user = crm_user_by_address(in->eng->crm, *from == '+' ? "phone" : "email", from),
        .thread = &thread,
        .target = &in->target,
        .message = message,
        .message_id = id,
    };
    if (!r.user)
        return 0;
    snprintf(told.text, sizeof(told.text), "not delivered to %s: %.400s",
             json_get_str(row, "to", "the customer"), why && *why ? why : "no reason was given");
    return tell_writer(in, &r, &told, false, e);
}
