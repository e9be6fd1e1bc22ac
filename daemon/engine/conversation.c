/* SPDX-License-Identifier: ISC
 *
 * conversation - from the contact to the owner (see conversation.h)
 */
#include "engine/conversation_inner.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "engine/conversation_sms.h"
#include "engine/conversation_words.h"
#include "engine/notice_foot.h"
#include "mail/classify.h"
#include "store/message.h"
#include "store/outbox.h"

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
const json_t *conversation_writer(struct engine *eng, const json_t *message)
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
    const json_t *writer = conversation_writer(eng, message), *cc;
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

bool conversation_is_logo(const json_t *a)
{
    return json_get_bool(a, "inline", false) && json_get_int(a, "size", 0) < (int64_t)LOGO_BYTES &&
           strncmp(json_get_str(a, "type", ""), "image/", 6) == 0;
}

static bool for_owner(const json_t *a)
{
    return !conversation_is_logo(a);
}

/* A signature holds the address of who signed. */
static bool for_nobody(const json_t *a)
{
    (void)a;
    return false;
}

void conversation_letter_text(struct engine *eng, const struct crm_target *t, const json_t *rec,
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
int conversation_tell(struct input *in, const struct letter *l, int64_t *outbox_out,
                      int64_t message_id, struct err *e)
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

struct owner_letter {
    const char *owner, *intent, *text;
    int64_t message_id;
    struct letter_files *files;
};

static int owner_letter_put(struct input *in, const struct crm_target *t,
                            const struct owner_letter *o, int64_t *outbox_out, struct err *e)
{
    struct engine *eng = in->eng;
    const json_t *u = crm_user(eng->crm, o->owner), *writer = conversation_writer(eng, in->message);
    AUTO_FREE char *root = thread_root(eng, t);
    AUTO_FREE char *to = mem_str(json_get_str(u, "email", ""));
    AUTO_FREE char *from = conversation_from_contact(eng, json_get_str(writer, "name", NULL),
                                                     json_get_str(writer, "address", "?"));
    AUTO_FREE char *subject = mem_printf("SMS from %s", from);
    const char *refs[] = {root};
    text_lower(to);
    struct letter l = {
        .class_ = CONVERSATION_CLASS,
        .intent = o->intent,
        .to = to,
        .to_name = json_get_str(u, "name", NULL),
        .to_user = o->owner,
        .from_name = from,
        .answers = ours_of(OURS_CONVERSATION, t, o->message_id),
        .subject = conversation_is_sms(in->message) ? subject
                                                    : json_get_str(in->message, "subject", ""),
        .in_reply_to = root,
        .references = refs,
        .reference_count = 1,
        .text = o->text,
        .target = t,
        .files = o->files,
    };
    return conversation_tell(in, &l, outbox_out, o->message_id, e);
}

static int to_owner(struct input *in, const struct crm_target *t, const json_t *rec,
                    const char *owner, const char *note, const char *offers, int64_t message_id,
                    struct err *e)
{
    struct engine *eng = in->eng;
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
    conversation_letter_text(eng, t, rec, in->message, message_id, above, &text);
    if (sms)
        conversation_text_more(eng, in->message, &text);
    if (left_out)
        buf_printf(&text, "\n[%d of the files that came with it are too large, or could not be read; "
                   "they are kept with M%" PRId64 ".]\n", left_out, message_id);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/conversation/%s", message_id, owner);
    struct owner_letter l = {owner, intent, text.data, message_id, &files};
    int rc = owner_letter_put(in, t, &l, &outbox, e);
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
        !conversation_writer(eng, in->message))
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

static size_t first_taken(const json_t *message, bool (*take)(const json_t *))
{
    const json_t *list = json_get_arr(message, "attachments");
    size_t i = 0;
    while (i < json_array_size(list) && !take(json_array_get(list, i)))
        i++;
    return i;
}

/* Each file is told of once, so the first that is names the mail. */
int conversation_files(struct input *in, const struct crm_target *t, int64_t message_id,
                       bool (*take)(const json_t *), const char *raw, size_t n, struct err *e)
{
    struct engine *eng = in->eng;
    char note[200];
    bool told = false;
    enum crm_entity what;
    struct err gone = {0};
    struct letter_files files;
    int64_t outbox = 0;
    int left_out;
    const json_t *rec = crm_target_record(in->ctx, t, &what, &gone);
    const char *owner = rec ? owner_of(eng, rec, note) : NULL;
    if (!rec && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    if (!owner)
        return 0;
    AUTO_FREE char *before = mem_printf("M%" PRId64 "/conversation/%s", message_id, owner);
    if (outbox_has(eng->db, before, &told, e) < 0)
        return -1;
    if (!told)
        return 0;
    struct buf text AUTO_BUF;
    buf_init(&text, 2 * BOUND_LETTER_TEXT);
    letter_files_read(in->message, raw, n, take, &files, &left_out);
    conversation_letter_text(eng, t, rec, in->message, message_id,
                             "The files with this mail came with these words:", &text);
    if (left_out)
        buf_printf(&text, "\n[%d more are too large; they are kept with M%" PRId64 ".]\n", left_out,
                   message_id);
    AUTO_FREE char *intent = mem_printf("M%" PRId64 "/files/%zu/%s", message_id,
                                        first_taken(in->message, take) + 1, owner);
    struct owner_letter l = {owner, intent, text.data, message_id, &files};
    int rc = files.count ? owner_letter_put(in, t, &l, &outbox, e) : 0;
    letter_files_done(&files);
    return rc;
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
    return conversation_tell(in, &l, &outbox, message_id, e);
}

struct ours conversation_of_row(const json_t *row, const struct crm_target *t)
{
    const char *c = json_get_str(row, "class", ""), *intent = json_get_str(row, "intent", "");
    if (strcmp(c, CONVERSATION_CLASS) == 0 && *intent == 'M')
        return ours_of(OURS_CONVERSATION, t, strtoll(intent + 1, NULL, 10));
    return ours_of(strcmp(c, "notice") == 0 ? OURS_NOTICE : OURS_THREAD, t, 0);
}
