/* SPDX-License-Identifier: ISC
 *
 * receive - what came in becomes contact, lead or case, and one activity
 *
 * Five rows for somebody new: contact, address, company, lead, activity. What a
 * machine sent (auto-replies, bounces, lists) is filed where it belongs and
 * creates nothing. The changes are recorded as internal commands: new-lead,
 * new-case or file.
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/form.h"
#include "crm/identity.h"
#include "crm/language.h"
#include "crm/meeting.h"
#include "crm/offer.h"
#include "crm/receive_inner.h"
#include "crm/twin.h"

#define FORM_SUBJECT_MAX 80

/* A private address, but the form names a company. */
static int company_of_form(struct receive *r, int64_t *out, struct err *e)
{
    AUTO_FREE char *name = r->in->form ? crm_form_value(r->ctx->crm, r->in->form, r->in->fields,
                                                        "company.name")
                                       : NULL;
    if (!name)
        return 0;
    AUTO_JSON json_t *rec = json_object();
    json_put_str(rec, "name", text_trim(name));
    return crm_create(r->ctx, CRM_COMPANY, rec, out, e);
}

static int find_company(struct receive *r, int64_t *out, struct err *e)
{
    const char *at = strrchr(r->who->address, '@');
    *out = 0;
    if (at && crm_company_of(r->ctx, at + 1, out, e) < 0)
        return -1;
    return *out ? 0 : company_of_form(r, out, e);
}

/* One line: it may become the subject of an answer. */
void receive_subject(struct receive *r, const char *subject, size_t max)
{
    size_t n = text_utf8_cut(subject, strlen(subject), max);
    for (size_t i = 0; i < n; i++)
        r->subject[i] = (unsigned char)subject[i] < ' ' || subject[i] == 0x7f ? ' ' : subject[i];
    r->subject[n] = '\0';
}

/* The name beside the address that counts: From, or Reply-To. */
static void contact_name(const struct receive *r, struct crm_name *out)
{
    char folded[CRM_ADDRESS_MAX];
    const json_t *who = json_get_obj(r->message, "from");
    const json_t *reply_to = json_array_get(json_get_arr(r->message, "reply_to"), 0);
    if (!r->in->form && crm_email_fold(json_get_str(reply_to, "address", NULL), folded) == 0 &&
        !strcmp(folded, r->who->address) &&
        (crm_email_fold(json_get_str(who, "address", NULL), folded) < 0 ||
         strcmp(folded, r->who->address)))
        who = reply_to;
    *out = (struct crm_name){{0}, {0}, {0}};
    if (r->who->kind != CRM_WHO_USER) /* then From is one of ours */
        crm_name_split(json_get_str(who, "name", NULL), out);
}

/* What the mail program says: no more than a guess, so only where it decides something. */
static bool contact_language(const struct receive *r, char out[CRM_LANGUAGE_MAX])
{
    const struct crm *crm = r->ctx->crm;
    const char *said = crm->multilingual && !r->in->form && r->who->kind != CRM_WHO_USER &&
                               json_get_bool(crm->settings, "language_of_mail", true)
                           ? json_get_str(r->message, "language", NULL) : NULL;
    return said && crm_language_code(crm, said, out) == 0;
}

int receive_new_contact(struct receive *r, struct err *e)
{
    struct crm_name name;
    char country[3], language[CRM_LANGUAGE_MAX];
    int64_t company, id;
    if (find_company(r, &company, e) < 0)
        return -1;
    AUTO_JSON json_t *rec = json_object();
    contact_name(r, &name);
    json_put_str(rec, "name", name.full[0] ? name.full : NULL);
    json_put_str(rec, "first_name", name.first[0] ? name.first : NULL);
    json_put_str(rec, "last_name", name.last[0] ? name.last : NULL);
    json_put_int(rec, "company_id", company);
    if (!strcmp(r->who->channel, "phone") && crm_phone_country(r->who->address, country) == 0)
        json_put_str(rec, "country", country);
    json_put_str(rec, "language", contact_language(r, language) ? language : NULL);
    if (crm_create(r->ctx, CRM_CONTACT, rec, &id, e) < 0)
        return -1;
    if (r->who->address[0] &&
        crm_change_str(r->ctx, CRM_CONTACT, id, r->who->channel, r->who->address, e) < 0)
        return -1;
    r->who->new_contact = true;
    r->who->target.contact = id;
    r->who->target.company = company;
    r->who->target.main = CRM_CONTACT;
    return 0;
}

/* A name in the header of a contact that had none. */
static int complete_contact(struct receive *r, struct err *e)
{
    struct crm_name name;
    int64_t id = r->who->target.contact, sender;
    const json_t *rec = crm_record(r->ctx, CRM_CONTACT, id, e);
    if (!rec)
        return -1;
    contact_name(r, &name);
    if (json_object_get(rec, "name") || !name.full[0])
        return 0;
    /* in a thread somebody else may have written */
    if (crm_find_contact(r->ctx, r->who->channel, r->who->address, &sender, e) < 0)
        return -1;
    if (sender != id)
        return 0;
    return crm_name_contact(r->ctx, id, &name, e);
}

int receive_new_record(struct receive *r, enum crm_entity t, struct err *e)
{
    struct crm_target *target = &r->who->target;
    int64_t *id = t == CRM_LEAD ? &target->lead : &target->kase;
    AUTO_JSON json_t *rec = json_object();
    json_put_int(rec, "contact_id", target->contact);
    json_put_int(rec, "company_id", target->company);
    json_put_str(rec, "subject", r->subject[0] ? r->subject : NULL);
    json_put_str(rec, "source", r->source);
    if (r->who->kind == CRM_WHO_USER) /* he wrote first, and it is his */
        json_put_str(rec, "owner", r->who->user);
    else
        json_put_int(rec, "first_in_ms", r->in->at_ms);
    if (crm_create(r->ctx, t, rec, id, e) < 0)
        return -1;
    target->main = t;
    if (t == CRM_LEAD)
        r->who->new_lead = true;
    else
        r->who->new_case = true;
    return 0;
}

/* An answer to a record that is there. */
static int known_record(struct receive *r, struct err *e)
{
    struct crm_target *t = &r->who->target;
    enum crm_entity what = t->main == CRM_CASE ? CRM_CASE : CRM_LEAD;
    int64_t id = crm_target_id(t, what);
    const json_t *rec = crm_record(r->ctx, what, id, e);
    if (!rec)
        return -1;
    if (r->in->at_ms > json_get_int(rec, "last_in_ms", 0) &&
        crm_change_int(r->ctx, what, id, "last_in_ms", r->in->at_ms, e) < 0)
        return -1;
    if (!json_object_get(rec, "first_in_ms") &&
        crm_change_int(r->ctx, what, id, "first_in_ms", r->in->at_ms, e) < 0)
        return -1;
    /* what a customer writes about a case that rests or is closed opens it */
    if (what == CRM_CASE && strcmp(json_get_str(rec, "status", ""), "open"))
        return cmd_case_status(r->ctx, id, "open", NULL, e);
    return 0;
}

/* The sender's address, when it is one of this contact's: in a thread somebody else may
 * have written. Borrowed, NULL when it is none. */
static int sender_address(struct receive *r, const json_t **out, struct err *e)
{
    size_t i;
    const json_t *a, *list = crm_addresses(r->ctx, r->who->target.contact, e);
    *out = NULL;
    if (!list)
        return -1;
    json_array_foreach(list, i, a)
        if (!strcmp(json_get_str(a, "value", ""), r->who->address))
            *out = a;
    return 0;
}

/* Somebody who writes has an address that works. */
static int lift_bouncing(struct receive *r, struct err *e)
{
    const json_t *a;
    if (sender_address(r, &a, e) < 0)
        return -1;
    if (!json_object_get(a, "bouncing_ms"))
        return 0;
    return crm_change_address(r->ctx, r->who->channel, r->who->address, "bouncing", 0,
                              "wrote again", e);
}

/* Until when they say to be away: for rules that would write to them meanwhile. */
static int note_away(struct receive *r, struct err *e)
{
    const json_t *a;
    int64_t until = json_get_int(json_get_obj(r->message, "auto"), "until_ms", 0);
    if (until <= r->in->at_ms - DAY_MS || strcmp(json_get_str(r->message, "kind", ""), "auto_reply"))
        return 0;
    if (sender_address(r, &a, e) < 0)
        return -1;
    return a ? crm_change_int(r->ctx, CRM_CONTACT, r->who->target.contact, "away_until_ms", until,
                              e)
             : 0;
}

/* Whose doing it is from here on: the contact's. */
static void receive_actor(struct receive *r)
{
    int64_t contact = r->who->target.contact;
    if (r->who->kind == CRM_WHO_CONTACT && contact)
        r->ctx->op_actor =
            (struct crm_actor){CRM_BY_CONTACT, cmd_id(r->ctx, CRM_CONTACT, contact), NULL};
}

/* Nobody wrote it and nothing is in it. What has words or files is one for a
 * person to look at. */
static bool is_blank(const struct receive *r)
{
    const char *text = json_get_str(r->message, "text", "");
    return !r->in->form && !r->who->address[0] && !r->subject[0] &&
           !text[strspn(text, " \t\r\n")] &&
           json_array_size(json_get_arr(r->message, "attachments")) == 0;
}

/* No address in From, Sender or Reply-To: a lead of it could never be answered.
 * Our own address is one that can be read: a form mailer's, with the person's
 * words in it. */
static bool is_nobodys(const struct receive *r)
{
    char folded[CRM_ADDRESS_MAX];
    const char *from = json_get_str(json_get_obj(r->message, "from"), "address", NULL);
    return !strcmp(r->in->kind, "mail") && !r->who->address[0] && crm_email_fold(from, folded) < 0;
}

/* What he says about himself, and who he may be. */
static int note_facts(struct receive *r, struct err *e)
{
    const json_t *own;
    if (!r->in->form && sender_address(r, &own, e) < 0)
        return -1;
    bool sure = r->who->new_contact || r->in->thread.main != CRM_NONE;
    if (!r->in->form && own && crm_offer_mail(r->ctx, r->who, r->message, sure, e) < 0)
        return -1;
    return r->who->new_contact ? crm_twin_look(r->ctx, r->who, e) : 0;
}

int receive_contact(struct receive *r, struct err *e)
{
    struct crm_target *t = &r->who->target;
    bool wants = r->person && strcmp(r->creates, "nothing") && !is_blank(r) &&
                 !crm_meeting_is_update(r->message);
    bool makes = wants && !is_nobodys(r);
    enum crm_entity what = !strcmp(r->creates, "case") ? CRM_CASE : CRM_LEAD;
    bool record = makes && strcmp(r->creates, "contact") && !(r->in->calm && t->contact);
    if (!t->contact && makes && t->main == CRM_NONE && receive_new_contact(r, e) < 0)
        return -1;
    if (r->person && t->contact && !r->who->new_contact && complete_contact(r, e) < 0)
        return -1;
    if (r->person && !r->in->calm && t->contact && !r->who->new_contact && r->who->address[0] &&
        lift_bouncing(r, e) < 0)
        return -1;
    if (!r->person && t->contact && r->who->address[0] && note_away(r, e) < 0)
        return -1;
    if (r->person && r->who->other_address &&
        crm_link_address(r->ctx, t->contact, r->who->channel, r->who->address, e) < 0)
        return -1;
    if (t->main == CRM_LEAD || t->main == CRM_CASE) {
        if (r->person && !r->in->calm && known_record(r, e) < 0)
            return -1;
    } else if (record && receive_new_record(r, what, e) < 0) {
        return -1;
    }
    if (r->in->form && crm_form_fill(r->ctx, r->in->form, r->in->fields, t, e) < 0)
        return -1;
    if (r->person && t->contact && note_facts(r, e) < 0)
        return -1;
    if (t->main == CRM_NONE) {
        r->who->no_sender = wants && !makes;
        return 0;
    }
    receive_actor(r);
    /* what a machine sent is on the timeline, but nobody said it */
    const char *direction = r->in->direction ? r->in->direction : "in";
    const char *text = r->in->title ? r->in->title : r->subject;
    if (crm_add_activity(r->ctx, t, r->in->kind, r->person ? direction : "none", *text ? text : NULL,
                         r->in->message_id, 0, r->in->at_ms, &t->activity, e) < 0)
        return -1;
    return crm_meeting_take(r->ctx, r->message, t, r->in->message_id, "in", e);
}

/* A list of the company's own domain is how several people share an address such
 * as sales@: what comes through it is a person's. */
static bool is_own_list(const struct crm *crm, const json_t *message)
{
    const char *list = json_get_str(json_get_obj(message, "auto"), "list_id", NULL);
    const char *address = strrchr(crm_setting(crm, "address", ""), '@');
    const char *domain = crm_setting(crm, "domain", address ? address + 1 : NULL);
    size_t n = list ? strcspn(list, ">") : 0, k = domain ? strlen(domain) : 0;
    return k > 0 && n > k && !strncasecmp(list + n - k, domain, k) &&
           strchr(".@<", list[n - k - 1]);
}

static bool is_person(const struct crm *crm, const json_t *message)
{
    const char *kind = json_get_str(message, "kind", "person");
    return !strcmp(kind, "person") || !strcmp(kind, "calendar") ||
           (!strcmp(kind, "list") && is_own_list(crm, message));
}

void crm_set_cause(struct crm_ctx *ctx, const struct crm_actor *actor)
{
    ctx->cause = actor ? *actor : (struct crm_actor){0};
}

void crm_set_message(struct crm_ctx *ctx, const json_t *message)
{
    ctx->message = message;
}

bool crm_is_machine(const struct crm *crm, const json_t *message, const char *address,
                    const char **why_out)
{
    const json_t *a = json_get_obj(message, "auto");
    const char *from = json_get_str(json_get_obj(message, "from"), "folded", "");
    bool person = is_person(crm, message);
    *why_out = json_get_str(a, "why", json_get_str(message, "kind", "?"));
    if (!person)
        return true;
    /* sent by a machine on behalf of the person that it names in Reply-To */
    return json_get_bool(a, "suppress", false) && !strcmp(from, address) &&
           !is_own_list(crm, message);
}

static void receive_init(struct receive *r)
{
    const json_t *form = r->in->form ? crm_form_conf(r->ctx->crm, r->in->form) : NULL;
    const char *subject;
    if (form && !r->in->message) {
        json_t *m = crm_form_message(r->ctx->crm, r->in->form, r->in->fields, r->in->files);
        json_array_append_new(r->ctx->strings, m);
        r->message = m;
    } else {
        r->message = r->in->message;
    }
    subject = json_get_str(r->message, "subject", "");
    size_t n = text_utf8_cut(subject, strlen(subject), RECEIVE_SUBJECT_MAX);
    /* forms seldom ask for one, and texts have none: the first words stand for it */
    if ((form || !strcmp(r->in->kind, "sms")) && !n) {
        subject = json_get_str(r->message, "text", "");
        subject += strspn(subject, " \t\r\n");
        n = text_utf8_cut(subject, strcspn(subject, "\r\n"), FORM_SUBJECT_MAX);
    }
    receive_subject(r, subject, n);
    r->source = form ? json_get_str(form, "source", r->in->form) : r->in->source;
    r->creates = crm_creates(r->ctx->crm, r->in);
    r->person = is_person(r->ctx->crm, r->message);
    r->ctx->message = r->message;
    r->ctx->form = r->in->fields;
    r->ctx->form_name = r->in->form;
    r->ctx->source = r->source;
    r->ctx->message_id = r->in->message_id;
}

/* The first event of an input; its number is before what it created, so that a
 * rule on message.received comes before those on lead.created. */
static void announce(struct receive *r)
{
    const char *event = r->in->event  ? r->in->event
                        : r->in->form ? "form.received"
                                      : "message.received";
    crm_emit(r->ctx, event, &r->who->target, &r->ctx->op_actor);
}

int crm_receive(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out,
                struct err *e)
{
    struct crm_who who = {0};
    struct receive r = {.ctx = ctx, .in = in, .who = &who};
    struct crm_actor actor = crm_system;
    if (in->form && crm_form_check(ctx->crm, in->form, in->fields, e) < 0)
        return -1;
    if (crm_identify(ctx, in, &who, e) < 0)
        return -1;
    receive_init(&r);
    crm_op_begin(ctx, "file", false, &actor);
    int rc = who.kind == CRM_WHO_USER ? receive_user(&r, e) : receive_contact(&r, e);
    if (rc < 0) {
        if (e->cls == ERR_INPUT) /* nobody can be told: it is ours */
            e->cls = ERR_BUG;
        crm_op_failed(ctx, e);
        return -1;
    }
    if (who.new_lead || who.new_case)
        json_put_str(ctx->op, "line", who.new_lead ? "new-lead" : "new-case");
    memcpy(who.offered, ctx->offered, sizeof(who.offered));
    if (crm_twin_announce(ctx, &who, e) < 0)
        return -1;
    announce(&r);
    if (crm_op_end(ctx, NULL, e) < 0)
        return -1;
    *out = who;
    return 0;
}
