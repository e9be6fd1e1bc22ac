/* SPDX-License-Identifier: ISC
 *
 * conversation - see conversation.h
 */
#include "engine/conversation.h"

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
#include "engine/letter.h"
#include "engine/notice_foot.h"
#include "mail/classify.h"
#include "store/message.h"
#include "store/outbox.h"

#define REFERENCES_MAX 10

/* ---- names ------------------------------------------------------------------------- */

/* One line, whatever a stranger calls himself. */
static char *name_clean(char *name)
{
    text_make_line(name);
    name[text_utf8_cut(name, strlen(name), 120)] = '\0';
    return name;
}

char *conversation_from_contact(const struct engine *eng, const char *name, const char *address)
{
    return name_clean(mem_printf("%s via %s", name && *name ? name : address,
                                 engine_setting(eng, "company", "us")));
}

char *conversation_from_user(const struct engine *eng, const char *user)
{
    static const struct {
        const char *key;
        size_t n;
    } words[] = {{"{user}", 6}, {"{first}", 7}, {"{company}", 9}};
    struct buf b AUTO_BUF;
    const char *full = json_get_str(crm_user(eng->crm, user), "name", user),
               *form = engine_setting(eng, "relay_name", "{first} of {company}");
    buf_init(&b, 1024);
    for (const char *p = form; *p;) {
        size_t i = 0;
        while (i < ARRAY_LEN(words) && strncmp(p, words[i].key, words[i].n) != 0)
            i++;
        if (i == ARRAY_LEN(words)) {
            buf_char(&b, *p++);
            continue;
        }
        if (i == 2)
            buf_str(&b, engine_setting(eng, "company", ""));
        else
            buf_add(&b, full, i == 0 ? strlen(full) : strcspn(full, " "));
        p += words[i].n;
    }
    return name_clean(mem_str(b.data));
}

/* ---- who wrote -------------------------------------------------------------------- */

/* Whom an answer to this mail goes to: From, or Reply-To of what a mailer of ours or a
 * machine sent for somebody. NULL: nobody. */
static const json_t *writer_of(struct engine *eng, const json_t *message)
{
    const json_t *from = json_get_obj(message, "from"),
                 *reply_to = json_array_get(json_get_arr(message, "reply_to"), 0);
    const char *a = json_get_str(from, "folded", NULL);
    if (a && !crm_is_ours(eng->crm, a) && !mail_is_machine_address(a))
        return from;
    a = json_get_str(reply_to, "folded", NULL);
    return a && !crm_is_ours(eng->crm, a) && !mail_is_machine_address(a) ? reply_to : NULL;
}

/* ---- to the owner ------------------------------------------------------------------ */

/* The owner; else, and said in note, the default owner. NULL: there is nobody. */
static const char *owner_of(struct engine *eng, const json_t *rec, char note[200])
{
    const char *owner = json_get_str(rec, "owner", NULL),
               *stands_in = engine_setting(eng, "default_owner", "");
    *note = '\0';
    if (owner && json_get_str(crm_user(eng->crm, owner), "email", NULL))
        return owner;
    if (!json_get_str(crm_user(eng->crm, stands_in), "email", NULL))
        return NULL;
    if (owner)
        snprintf(note, 200, "Its owner %.64s is no user any more: you get this as the default "
                 "owner.", owner);
    else
        snprintf(note, 200, "It has no owner: you get this as the default owner.");
    return stands_in;
}

/* What stands above the contact's words. Its first line carries the tag that finds it
 * again in what comes back. */
static void frame_write(struct engine *eng, const struct crm_target *t, const json_t *rec,
                        const json_t *message, int64_t message_id, const char *note,
                        struct buf *out)
{
    char tag[OURS_TAG_MAX], id[CRM_ID_LEN];
    struct ours o = ours_of(OURS_CONVERSATION, t, message_id);
    const json_t *writer = writer_of(eng, message), *cc;
    AUTO_FREE char *name = name_clean(mem_str(json_get_str(writer, "name", "")));
    size_t i, shown = 0;
    ours_tag(eng, &o, tag);
    crm_id_format(o.entity, o.id, id);
    for (char *p = name; *p; p++) /* the address that counts is the one in < > */
        *p = *p == '<' || *p == '>' || *p == '@' ? ' ' : *p;
    buf_printf(out, "%s %s%s<%s> writes about %s%s%s.\n", tag, name, *name ? " " : "",
               json_get_str(writer, "address", "?"), id, json_get_str(rec, "subject", NULL) ? ": " : "",
               json_get_str(rec, "subject", ""));
    buf_printf(out, "%s, as %s; lines that begin with # are commands and stay here.\n",
               CONVERSATION_HINT, engine_setting(eng, "company", "the company"));
    if (note && *note)
        buf_printf(out, "%s\n", note);
    if (strcmp(json_get_str(rec, "status", ""), "closed") == 0)
        buf_printf(out, "%s is closed.\n", id);
    json_array_foreach(json_get_arr(message, "cc"), i, cc) {
        const char *a = json_get_str(cc, "folded", NULL);
        if (a && !crm_is_ours(eng->crm, a) && shown++ < 10)
            buf_printf(out, "%s %s", shown == 1 ? "Also to:" : ",", json_get_str(cc, "address", a));
    }
    buf_printf(out, "%s\n", shown ? "; your reply does not go there.\n" : "");
}

/* A small picture beside the words is a logo of the signature. */
#define LOGO_BYTES KIB(16)

static bool is_logo(const json_t *a)
{
    return json_get_bool(a, "inline", false) && json_get_int(a, "size", 0) < (int64_t)LOGO_BYTES &&
           strncmp(json_get_str(a, "type", ""), "image/", 6) == 0;
}

static bool for_owner(const json_t *a)
{
    return !is_logo(a);
}

/* A signature holds the address of who signed. */
static bool for_nobody(const json_t *a)
{
    (void)a;
    return false;
}

static bool is_signature(const json_t *a)
{
    const char *type = json_get_str(a, "type", "");
    return strstr(type, "pkcs7-signature") || strstr(type, "pgp-signature") ||
           strstr(type, "pgp-keys");
}

static bool for_contact(const json_t *a)
{
    return !is_logo(a) && !is_signature(a);
}

static void letter_text(struct engine *eng, const struct crm_target *t, const json_t *rec,
                        const json_t *message, int64_t message_id, const char *note,
                        struct buf *out)
{
    const char *words = json_get_str(message, "reply", "");
    if (!words[strspn(words, " \t\n")])
        words = json_get_str(message, "text", "");
    frame_write(eng, t, rec, message, message_id, note, out);
    buf_add(out, words, text_utf8_cut(words, strlen(words), BOUND_LETTER_TEXT));
    buf_char(out, '\n');
}

/* All mails of one record are one thread in the owner's mail program, whatever the
 * contact's say: they hang on a name that no mail has. */
static char *thread_root(const struct engine *eng, const struct crm_target *t)
{
    char id[CRM_ID_LEN];
    struct ours o = ours_of(OURS_CONVERSATION, t, 0);
    const char *at = strrchr(engine_setting(eng, "address", "@localhost"), '@');
    return mem_printf("%s.conversation@%s", crm_id_format(o.entity, o.id, id),
                      engine_setting(eng, "domain", at ? at + 1 : "localhost"));
}

/* What cannot be written is said; the mail itself is filed. */
static int tell(struct input *in, const struct letter *l, int64_t *outbox_out, int64_t message_id,
                struct err *e)
{
    struct err le = {0};
    *outbox_out = 0;
    if (letter_put(in, l, outbox_out, NULL, &le) == 0)
        return 0;
    if (le.cls != ERR_INPUT) {
        *e = le;
        return -1;
    }
    input_note(in, "%s could not be told: %s", l->to_user, le.text);
    log_warn("conversation.failed", "message=M%" PRId64 " error=\"%s\" next=\"it is filed\"",
             message_id, le.text);
    return 0;
}

bool conversation_is_inside(const struct engine *eng, const char *message_id)
{
    struct ours o;
    if (strstr(message_id, ".conversation@"))
        return true;
    return ours_find(eng, message_id, &o) &&
           (o.kind == OURS_CONVERSATION || o.kind == OURS_NOTICE);
}

static int to_owner(struct input *in, const struct crm_target *t, const json_t *rec,
                    const char *owner, const char *note, const char *offers, int64_t message_id,
                    struct err *e)
{
    struct engine *eng = in->eng;
    const json_t *u = crm_user(eng->crm, owner), *writer = writer_of(eng, in->message);
    struct buf text AUTO_BUF = {0};
    struct letter_files files;
    int64_t outbox = 0;
    int left_out;
    size_t raw_len = 0;
    bool sms = conversation_is_sms(in->message), told = false;
    bool some = !sms && json_array_size(json_get_arr(in->message, "attachments")) > 0;
    if (sms && conversation_text_in(in, t, owner, message_id, &told, e) < 0)
        return -1;
    if (told)
        return 0;
    AUTO_FREE char *raw = some ? message_raw(eng->db, message_id, &raw_len, e) : NULL;
    if (some && !raw)
        return -1;
    buf_init(&text, 2 * BOUND_LETTER_TEXT);
    letter_files_read(in->message, raw, raw_len, sms ? for_nobody : for_owner, &files, &left_out);
    AUTO_FREE char *above = mem_printf("%s%s%s", note, *note && *offers ? "\n" : "", offers);
    letter_text(eng, t, rec, in->message, message_id, above, &text);
    if (sms)
        conversation_text_more(eng, in->message, &text);
    if (left_out)
        buf_printf(&text, "\n[%d of the files that came with it are too large, or could not be read; "
                   "they are kept with M%" PRId64 ".]\n", left_out, message_id);
    AUTO_FREE char *root = thread_root(eng, t);
    AUTO_FREE char *to = mem_str(json_get_str(u, "email", ""));
    AUTO_FREE char *from = conversation_from_contact(eng, json_get_str(writer, "name", NULL),
                                                     json_get_str(writer, "address", "?"));
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/conversation/%s", message_id, owner);
    AUTO_FREE char *subject = mem_printf("SMS from %s", from);
    const char *refs[] = {root};
    text_lower(to);
    struct letter l = {
        .class_ = CONVERSATION_CLASS,
        .intent = intent,
        .to = to,
        .to_name = json_get_str(u, "name", NULL),
        .to_user = owner,
        .from_name = from,
        .answers = ours_of(OURS_CONVERSATION, t, message_id),
        .subject = sms ? subject : json_get_str(in->message, "subject", ""),
        .in_reply_to = root,
        .references = refs,
        .reference_count = 1,
        .text = text.data,
        .target = t,
        .files = &files,
    };
    int rc = tell(in, &l, &outbox, message_id, e);
    letter_files_done(&files);
    if (rc < 0)
        return -1;
    if (outbox)
        input_note(in, "%s got it as mail %" PRId64 ", to answer%s%s", owner, outbox,
                   *note ? ": " : "", note);
    return 0;
}

int conversation_in(struct input *in, const struct crm_who *who, int64_t message_id, struct err *e)
{
    struct engine *eng = in->eng;
    struct crm_target t = who->target;
    const char *how = engine_setting(eng, "conversation", "answers"), *why;
    bool first = who->new_lead || who->new_case;
    char note[200];
    enum crm_entity what;
    struct err gone = {0};
    if (who->kind != CRM_WHO_CONTACT || strcmp(how, "off") == 0 ||
        (first && strcmp(how, "all") != 0) || in->hold || (!t.lead && !t.kase))
        return 0;
    if (crm_is_machine(eng->crm, in->message, who->address, &why) ||
        !writer_of(eng, in->message))
        return 0;
    const json_t *rec = crm_target_record(in->ctx, &t, &what, &gone);
    if (!rec && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    const char *owner = rec ? owner_of(eng, rec, note) : NULL;
    if (!owner)
        return 0;
    struct buf offers AUTO_BUF;
    buf_init(&offers, KIB(8));
    if (who->offered[0] && notice_offers(in, t.contact, &offers, e) < 0)
        return -1;
    return to_owner(in, &t, rec, owner, note, offers.len ? text_trim(offers.data) : "", message_id, e);
}

static void stranger_text(const struct thread *thread, const struct crm_who *who,
                          int64_t message_id, struct buf *text)
{
    char claimed[CRM_ID_LEN], filed[CRM_ID_LEN] = "";
    const struct crm_target *t = &who->target;
    crm_id_format(thread->said.entity, thread->said.id, claimed);
    if (t->lead || t->kase || t->contact)
        crm_id_format(t->lead ? CRM_LEAD : t->kase ? CRM_CASE : CRM_CONTACT,
                      t->lead ? t->lead : t->kase ? t->kase : t->contact, filed);
    buf_printf(text, "%s wrote with the reply address of %s, but takes no part in it: the mail was "
               "forwarded to somebody, or the address was taken from it.\n\n"
               "It does not count as an answer, and nothing was changed in %s. It is M%" PRId64 "%s%s."
               "\n\nIf it belongs there, answer with a note, or merge the two.\n",
               who->address[0] ? who->address : "Somebody", claimed, claimed, message_id,
               filed[0] ? ", filed with " : "", filed);
}

int conversation_stranger(struct input *in, const struct crm_who *who,
                          const struct thread *thread, int64_t message_id, struct err *e)
{
    struct crm_target t = {0};
    struct err gone = {0};
    enum crm_entity what;
    char note[200], id[CRM_ID_LEN];
    int64_t outbox;
    if (crm_target_of(in->ctx, thread->said.entity, thread->said.id, &t, &gone) < 0)
        return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    const json_t *rec = t.lead || t.kase ? crm_target_record(in->ctx, &t, &what, &gone) : NULL;
    const char *owner = rec ? owner_of(in->eng, rec, note) : NULL;
    input_note(in, "the mail carries the token of %s, in which its sender takes no part",
               crm_id_format(thread->said.entity, thread->said.id, id));
    if (!owner)
        return 0;
    struct buf text AUTO_BUF;
    buf_init(&text, KIB(8));
    stranger_text(thread, who, message_id, &text);
    AUTO_FREE char *to = mem_str(json_get_str(crm_user(in->eng->crm, owner), "email", ""));
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/stranger/%s", message_id, owner);
    AUTO_FREE char *subject = mem_printf("%s: somebody else answered", id);
    text_lower(to);
    struct letter l = {
        .class_ = "notice",
        .intent = intent,
        .to = to,
        .to_user = owner,
        .from_name = "leadd",
        .answers = ours_of(OURS_NOTICE, &t, 0),
        .subject = subject,
        .text = text.data,
        .target = &t,
    };
    return tell(in, &l, &outbox, message_id, e);
}

struct ours conversation_of_row(const json_t *row, const struct crm_target *t)
{
    const char *c = json_get_str(row, "class", ""), *intent = json_get_str(row, "intent", "");
    if (strcmp(c, CONVERSATION_CLASS) == 0 && *intent == 'M')
        return ours_of(OURS_CONVERSATION, t, strtoll(intent + 1, NULL, 10));
    return ours_of(strcmp(c, "notice") == 0 ? OURS_NOTICE : OURS_THREAD, t, 0);
}

/* ---- to the contact ------------------------------------------------------------------ */

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
    const json_t *writer = writer_of(eng, x->answered);
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
    letter_text(eng, x->r->target, x->rec, x->answered, x->r->thread->said.message, NULL, &sent);
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
    return tell(in, &l, &outbox, r->message_id, e);
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
