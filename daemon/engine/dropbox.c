/* SPDX-License-Identifier: ISC
 *
 * dropbox - see dropbox.h
 */
#include "engine/dropbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/see.h"
#include "crm/when.h"
#include "engine/notice.h"
#include "store/journal.h"
#include "store/message.h"
#include "store/secret.h"

#define UNDO_ROWS 8 /* lines that a notice tells to answer with */

/* ---- the address ------------------------------------------------------------------ */

/* Issues stand with those of the secret addresses, under a name that no user can have. */
static char *issue_key(const char *user)
{
    return mem_printf("dropbox:%s", user);
}

static int issue_of(struct engine *eng, const char *user, int64_t *out, struct err *e)
{
    int64_t made;
    AUTO_FREE char *key = issue_key(user);
    return secret_get(eng->db, key, out, &made, e);
}

char *dropbox_address(struct engine *eng, const char *user, bool renew, struct err *e)
{
    struct ours o = {.kind = OURS_DROPBOX};
    AUTO_FREE char *key = issue_key(user ? user : "");
    snprintf(o.user, sizeof(o.user), "%s", user ? user : "");
    if (renew && secret_renew(eng->db, key, clock_now_ms(), &o.issue, e) < 0)
        return NULL;
    if (!renew && issue_of(eng, o.user, &o.issue, e) < 0)
        return NULL;
    char *address = ours_address(eng, &o);
    if (!address)
        err_set(e, ERR_INPUT,
                "with reply_address = \"none\" there is no dropbox: nothing but address "
                "arrives");
    return address;
}

/* ---- what our addresses among the recipients say -------------------------------------- */

static int address_take(struct engine *eng, const char *address, const char *user,
                        struct crm_input *ci, struct dropbox *d, struct err *e)
{
    struct ours o;
    int64_t issue;
    if (!address || !ours_read(eng, address, &o))
        return 0;
    if (o.kind == OURS_WORDS && !d->words[0])
        snprintf(d->words, sizeof(d->words), "%s", o.words);
    if (o.kind != OURS_DROPBOX || ci->dropbox || (!user && !o.user[0]))
        return 0;
    if (issue_of(eng, o.user, &issue, e) < 0)
        return -1;
    if (o.issue != issue)
        return 0;
    snprintf(d->user, sizeof(d->user), "%s", o.user);
    ci->dropbox = d->user;
    return 0;
}

/* How many contacts it may make of those whom it went to. */
static int bound_take(struct engine *eng, const struct proof *proof, struct crm_input *ci,
                      struct dropbox *d, struct err *e)
{
    int64_t now = clock_now_ms();
    ci->may_make = BOUND_DROPBOX_RECIPIENTS;
    ci->believed = ci->dropbox && proof->user && !proof->could;
    if (!ci->dropbox || proof->how == PROOF_AUTH || proof->how == PROOF_SUBMISSION)
        return 0;
    d->counted = true;
    if (dropbox_rate_get(eng->db, d->user, &d->day_ms, &d->made, e) < 0)
        return -1;
    if (now < d->day_ms || now - d->day_ms >= DAY_MS) {
        d->day_ms = now;
        d->made = 0;
    }
    int64_t left = BOUND_DROPBOX_DAY - d->made;
    ci->may_make = left > BOUND_DROPBOX_NEW ? BOUND_DROPBOX_NEW : left > 0 ? (int)left : 0;
    return 0;
}

/* Every address that the mail came to. outside: somebody else has it, too. */
static int addresses_take(struct engine *eng, const char *user, struct crm_input *ci,
                          struct dropbox *d, bool *outside, struct err *e)
{
    static const char *const lists[] = {"to", "cc", "delivered_to"};
    char folded[CRM_ADDRESS_MAX];
    size_t i;
    json_t *v;
    *outside = false;
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        json_array_foreach(json_get_arr(ci->message, lists[k]), i, v)
        {
            const char *s =
                json_is_string(v) ? json_string_value(v) : json_get_str(v, "address", "");
            struct ours o;
            if (address_take(eng, s, user, ci, d, e) < 0)
                return -1;
            *outside |= k < 2 && crm_email_fold(s, folded) == 0 && !ours_read(eng, s, &o) &&
                        !crm_is_inside(eng->crm, folded);
        }
    return 0;
}

void dropbox_words(struct engine *eng, const json_t *message, char out[OURS_WORDS_MAX])
{
    static const char *const lists[] = {"to", "cc", "delivered_to"};
    struct ours o;
    size_t i;
    json_t *v;
    *out = '\0';
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        json_array_foreach(json_get_arr(message, lists[k]), i, v)
        {
            const char *s =
                json_is_string(v) ? json_string_value(v) : json_get_str(v, "address", "");
            if (!*out && ours_read(eng, s, &o) && o.kind == OURS_WORDS)
                memcpy(out, o.words, OURS_WORDS_MAX);
        }
}

/* crm+L42@: the record, for who may see it. */
static int words_take(struct crm_ctx *ctx, const char *user, struct crm_input *ci,
                      const struct dropbox *d, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    struct err no = {0};
    if (ci->thread.main != CRM_NONE || crm_id_parse(d->words, &t, &id) < 0)
        return 0;
    if (crm_may_see(ctx, user, t, id, &no) == 0 && crm_target_of(ctx, t, id, &ci->thread, &no) == 0)
        return 0;
    ci->thread = (struct crm_target){0};
    return no.cls == ERR_INPUT ? 0 : err_set(e, no.cls, "%s", no.text);
}

/* ---- forwards ----------------------------------------------------------------------- */

static void doubt(struct dropbox *d, const char *why)
{
    d->passed = PASSED_DOUBTFUL;
    snprintf(d->why, sizeof(d->why), "%s", why);
}

/* Has it come here itself? Then it is that message, and nothing new. */
static int known_take(struct engine *eng, struct crm_ctx *ctx, const json_t *forward,
                      struct crm_input *ci, struct dropbox *d, struct err *e)
{
    const char *id = json_get_str(forward, "message_id", NULL);
    struct message_row m;
    bool found = false;
    struct err gone = {0};
    if (!id || message_find(eng->db, hash_64(id, strlen(id)), &m, &found, e) < 0)
        return id ? -1 : 0;
    if (!found || !(m.lead_id || m.case_id))
        return 0;
    if (crm_target_of(ctx, m.lead_id ? CRM_LEAD : CRM_CASE, m.lead_id ? m.lead_id : m.case_id,
                      &ci->thread, &gone) < 0)
        return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    d->passed = PASSED_KNOWN;
    d->known = m.id;
    return 0;
}

static int forward_take(struct engine *eng, struct crm_ctx *ctx, const struct proof *proof,
                        struct crm_input *ci, struct dropbox *d, struct err *e)
{
    const json_t *f = json_get_obj(ci->message, "forward");
    const char *from = json_get_str(json_get_obj(f, "from"), "address", NULL);
    char folded[CRM_ADDRESS_MAX];
    if (!f || strcmp(json_get_str(ci->message, "kind", "person"), "person") != 0)
        return 0;
    if (proof->how == PROOF_NONE && !ci->dropbox)
        d->passed = PASSED_UNPROVEN;
    else if (!strcmp(json_get_str(f, "confidence", "guess"), "guess"))
        doubt(d, "it is not certain who wrote the forwarded mail");
    else if (crm_email_fold(from, folded) < 0)
        doubt(d, "the forwarded mail does not say from which address it is");
    else if (crm_is_inside(eng->crm, folded))
        doubt(d, "the forwarded mail is of one of your own company");
    else if (d->counted && ci->may_make == 0)
        doubt(d, "nothing but the dropbox's address proves that it is yours, and too much came "
              "there today");
    else if (known_take(eng, ctx, f, ci, d, e) < 0)
        return -1;
    if (d->passed != PASSED_NOTHING)
        return 0;
    d->passed = PASSED_CREDITED;
    ci->forward = f;
    return 0;
}

int dropbox_read(struct engine *eng, struct crm_ctx *ctx, const char *user,
                 const struct proof *proof, struct crm_input *ci, struct dropbox *out,
                 struct err *e)
{
    bool outside;
    *out = (struct dropbox){.passed = PASSED_NOTHING};
    if (addresses_take(eng, user, ci, out, &outside, e) < 0 ||
        bound_take(eng, proof, ci, out, e) < 0)
        return -1;
    if (!user && !ci->dropbox)
        return 0;
    if (user && proof->commands && words_take(ctx, user, ci, out, e) < 0)
        return -1;
    if (ci->thread.main != CRM_NONE || outside)
        return 0;
    return forward_take(eng, ctx, proof, ci, out, e);
}

/* ---- and what is told of it ------------------------------------------------------------ */

static void tell_whose(struct engine *eng, const json_t *f, struct buf *out)
{
    const json_t *from = json_get_obj(f, "from");
    const char *name = json_get_str(from, "name", ""), *address = json_get_str(from, "address", ""),
               *subject = json_get_str(f, "subject", "");
    char at[40];
    int64_t date = json_get_int(f, "date_ms", 0);
    buf_printf(out, "%.100s%s%s%.200s%s", name, *name && *address ? " " : "", *address ? "<" : "",
               address, *address ? ">" : "");
    if (*subject)
        buf_printf(out, ", \"%.200s\"", subject);
    if (date) {
        crm_when_print(engine_setting(eng, "time_zone", "UTC"), date, at, sizeof(at));
        buf_printf(out, ", of %s", at);
    }
}

static void tell_record(const struct crm_target *t, struct buf *out)
{
    char id[CRM_ID_LEN];
    if (t->lead)
        buf_printf(out, "lead %s", crm_id_format(CRM_LEAD, t->lead, id));
    else if (t->kase)
        buf_printf(out, "case %s", crm_id_format(CRM_CASE, t->kase, id));
    else
        buf_printf(out, "contact %s", crm_id_format(CRM_CONTACT, t->contact, id));
}

static void tell_credited(struct engine *eng, const struct crm_input *ci, const struct crm_who *who,
                          const int64_t journal[2], struct buf *out)
{
    buf_str(out, "Your mail forwards one that was understood as of\n\n  ");
    tell_whose(eng, ci->forward, out);
    buf_str(out, "\n\nIt is filed as theirs: ");
    tell_record(&who->target, out);
    buf_str(out, who->new_lead || who->new_case ? ", which is new.\n" : ".\n");
    if (!journal[0])
        return;
    buf_str(out, "\nIf that is not so, take it back, with what you said to it: answer with\n\n");
    for (int64_t n = journal[1]; n >= journal[0]; n--)
        buf_printf(out, "  #undo J%" PRId64 "\n", n);
}

static void tell_text(struct engine *eng, const struct dropbox *d, const struct crm_input *ci,
                      const struct crm_who *who, const struct proof *proof,
                      const int64_t journal[2], struct buf *out)
{
    const json_t *f = json_get_obj(ci->message, "forward");
    switch (d->passed) {
    case PASSED_CREDITED:
        tell_credited(eng, ci, who, journal, out);
        return;
    case PASSED_KNOWN:
        buf_printf(out, "The mail that you forwarded is here already: it is M%" PRId64 " of ",
                   d->known);
        tell_record(&who->target, out);
        buf_str(out, ". Nothing new was made of it.\n");
        return;
    case PASSED_DOUBTFUL:
        buf_printf(out, "Your mail seems to forward another one, but %s:\n\n  ", d->why);
        tell_whose(eng, f, out);
        buf_printf(out,
                   "\n\nIt is filed as M%" PRId64 ", and nobody was credited with it. To make a "
                   "lead of it, forward\nthe mail as an attachment.\n",
                   ci->message_id);
        return;
    case PASSED_UNPROVEN:
        buf_printf(out,
                   "A mail in your name forwards another one, and it is not proven that you sent "
                   "it:\n%s.\n\n  ",
                   proof->text);
        tell_whose(eng, f, out);
        buf_printf(
            out,
            "\n\nIt is filed as M%" PRId64 ", and nobody was credited with it. If it is "
            "yours, forward it to your\ndropbox, whose address your administrator can tell you "
            "(leadctl address dropbox %s).\nYou are told this once a day.\n",
            ci->message_id, who->user);
        return;
    case PASSED_NOTHING:
        buf_printf(out,
                   "Your mail came to the dropbox, but forwards none that could be read, and went to "
                   "nobody\nwho could be a customer. It is kept as M%" PRId64 ", and nothing was "
                   "made of it.\n\nWhat is forwarded as an attachment is always understood. A copy "
                   "(BCC) is filed with those it\nwent to.\n",
                   ci->message_id);
        return;
    }
}

/* A user meant something by it, and it came to nothing. */
static bool is_lost(const struct dropbox *d, const struct crm_input *ci, const struct crm_who *who,
                    const struct proof *proof)
{
    return d->passed == PASSED_NOTHING && ci->dropbox && !d->answered &&
           proof->how != PROOF_NONE && !who->target.lead && !who->target.kase &&
           !who->target.contact &&
           strcmp(json_get_str(ci->message, "kind", "person"), "person") == 0;
}

/* Once a day: whoever has the address could send many. */
static int tell_left_out(struct engine *eng, const struct crm_input *ci, const struct crm_who *who,
                         struct err *e)
{
    char day[32], record[CRM_ID_LEN];
    const char *to = json_get_str(crm_user(eng->crm, who->user), "email", NULL);
    if (!to || !who->left_out)
        return 0;
    AUTO_FREE char *intent = mem_printf("dropbox/%s/left/%s", who->user, notice_day(day));
    AUTO_FREE char *subject = mem_printf("%d of those you wrote to are no contacts", who->left_out);
    AUTO_FREE char *text = mem_printf(
        "A mail came to a dropbox of yours, and nothing else proves that you wrote it. So it made %d\n"
        "new contacts, and %d of those whom it went to were left out. It is M%" PRId64 "%s%s.\n\n"
        "If it is not yours, somebody has the address: your administrator can make another one\n"
        "(leadctl address dropbox %s new). If it is, send it so that the mail server can prove it\n"
        "(trusted_auth, leadd.conf PROOF); then it may make %d. You are told this once a day.\n",
        who->made, who->left_out, ci->message_id, who->target.contact ? ", with " : "",
        who->target.contact ? crm_id_format(CRM_CONTACT, who->target.contact, record) : "",
        *ci->dropbox ? ci->dropbox : "", BOUND_DROPBOX_RECIPIENTS);
    struct notice n = {.intent = intent, .to = to, .subject = subject, .text = text};
    return notice_send(eng, &n, NULL, e);
}

/* A day of this address is full: it is in wrong hands, or nothing proves anything here. */
static int tell_full(struct engine *eng, const struct dropbox *d, struct err *e)
{
    char day[32];
    AUTO_FREE char *key = mem_printf("dropbox/%s/%s", d->user, notice_day(day));
    AUTO_FREE char *text = mem_printf(
        "Mails to the dropbox of %s made %d contacts and leads in a day, and nothing but its address\n"
        "proves that they are of a user. Until tomorrow they make no more; they are filed.\n\n"
        "Perhaps somebody has the address. Another one: leadctl address dropbox %s%snew\n"
        "What was made: leadctl list contacts\n",
        *d->user ? d->user : "the company", BOUND_DROPBOX_DAY, d->user, *d->user ? " " : "");
    return notice_admin(eng, key, "leadd: a dropbox makes too much", text, e);
}

static int made_count(struct engine *eng, const struct dropbox *d, const struct crm_input *ci,
                      const struct crm_who *who, struct err *e)
{
    int64_t made = d->made + who->made + (ci->forward && (who->new_contact || who->new_lead));
    if (!d->counted)
        return 0;
    if (made > d->made && dropbox_rate_put(eng->db, d->user, d->day_ms, made, e) < 0)
        return -1;
    if (made >= BOUND_DROPBOX_DAY && d->made < BOUND_DROPBOX_DAY && tell_full(eng, d, e) < 0)
        return -1;
    return tell_left_out(eng, ci, who, e);
}

int dropbox_tell(struct engine *eng, const struct dropbox *d, const struct crm_input *ci,
                 const struct crm_who *who, const struct proof *proof, int64_t journal,
                 struct err *e)
{
    char day[32], prefix[OURS_NAME_MAX];
    int64_t rows[2] = {journal, journal};
    if (made_count(eng, d, ci, who, e) < 0)
        return -1;
    const json_t *user = who->user ? crm_user(eng->crm, who->user) : NULL;
    bool credited = d->passed == PASSED_CREDITED && who->forwarded;
    if (!user || (d->passed == PASSED_CREDITED && !credited) ||
        (d->passed == PASSED_NOTHING && !is_lost(d, ci, who, proof)))
        return 0;
    /* what the user's words to it did stands in the rows behind it */
    if (journal && journal_newest(eng->db, &rows[1], e) < 0)
        return -1;
    if (rows[1] - journal > UNDO_ROWS)
        rows[0] = 0;
    struct buf text AUTO_BUF;
    buf_init(&text, 8 * 1024);
    tell_text(eng, d, ci, who, proof, rows, &text);
    AUTO_FREE char *intent = d->passed == PASSED_UNPROVEN
                                 ? mem_printf("forward/%s/%s", who->user, notice_day(day))
                                 : mem_printf("forward/M%" PRId64, ci->message_id);
    const char *was = json_get_str(ci->message, "subject", "");
    AUTO_FREE char *subject = mem_printf("Re: %.200s", *was ? was : "what you forwarded");
    struct ours o = ours_of(OURS_NOTICE, &who->target, 0);
    AUTO_FREE char *reply_to = ours_address(eng, &o);
    ours_name(eng, &o, prefix);
    struct notice n = {.intent = intent,
                       .to = json_get_str(user, "email", ""),
                       .subject = subject,
                       .text = text.data,
                       /* what is not proven may name any thread */
                       .in_reply_to = d->passed == PASSED_UNPROVEN
                                          ? NULL
                                          : json_get_str(ci->message, "message_id", NULL),
                       .reply_to = reply_to,
                       .id_prefix = prefix[0] ? prefix : NULL,
                       .lead_id = who->target.lead,
                       .case_id = who->target.kase,
                       .contact_id = who->target.contact};
    return notice_send(eng, &n, NULL, e);
}
