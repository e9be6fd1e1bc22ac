/* SPDX-License-Identifier: ISC
 *
 * identity - who is it, and which record do they mean
 *
 * Users before contacts. A contact is found by its folded address and nothing
 * else: names prove nothing. The record is the one of a proven thread, else the
 * contact's open lead or case. Only looks; crm_receive() creates.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/form.h"
#include "crm/identity.h"
#include "store/case.h"
#include "store/contact.h"
#include "store/lead.h"

static bool set_address(struct crm_who *out, const char *channel, const char *value)
{
    if (!value || !*value || strlen(value) >= sizeof(out->address))
        return false;
    out->channel = channel;
    snprintf(out->address, sizeof(out->address), "%s", value);
    return true;
}

/* The company's own address: what comes from there is a form mailer's or a loop,
 * and nobody to be answered. */
static bool is_own_address(const struct crm *crm, const char *address)
{
    char folded[CRM_ADDRESS_MAX];
    const char *own = crm_setting(crm, "address", NULL), *name;
    const json_t *m;
    if (own && crm_email_fold(own, folded) == 0) {
        if (!strcmp(folded, address))
            return true;
        /* with a token: local+x@domain */
        size_t local = (size_t)(strchr(folded, '@') - folded);
        if (!strncmp(address, folded, local) && address[local] == '+' &&
            !strcmp(strchr(address, '@'), folded + local))
            return true;
    }
    json_object_foreach(json_get_obj(crm->config, "mailboxes"), name, m)
        if (crm_email_fold(json_get_str(m, "user", ""), folded) == 0 && !strcmp(folded, address))
            return true;
    return false;
}

bool crm_is_ours(const struct crm *crm, const char *address)
{
    return crm_user_by_address(crm, "email", address) || is_own_address(crm, address);
}

static void sender_of_form(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out)
{
    char folded[CRM_ADDRESS_MAX];
    AUTO_FREE char *email = crm_form_value(ctx->crm, in->form, in->fields, "contact.email");
    AUTO_FREE char *phone = crm_form_value(ctx->crm, in->form, in->fields, "contact.phone");
    if (email && crm_email_fold(email, folded) == 0)
        set_address(out, "email", folded);
    else if (phone && crm_phone_fold(phone, ctx->crm->country, folded, sizeof(folded)) == 0)
        set_address(out, "phone", folded);
}

static void sender_of_message(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out)
{
    char folded[CRM_ADDRESS_MAX];
    const json_t *from = json_get_obj(in->message, "from");
    const char *s = json_get_str(from, "address", NULL);
    if (!strcmp(in->kind, "sms")) {
        if (s && crm_phone_fold(s, ctx->crm->country, folded, sizeof(folded)) == 0)
            set_address(out, "phone", folded);
        return;
    }
    if (s && crm_email_fold(s, folded) == 0 && !is_own_address(ctx->crm, folded)) {
        set_address(out, "email", folded);
        return;
    }
    /* no sender, or a form mailer that writes in the company's name */
    s = json_get_str(json_array_get(json_get_arr(in->message, "reply_to"), 0), "address", NULL);
    if (s && crm_email_fold(s, folded) == 0 && !crm_is_ours(ctx->crm, folded))
        set_address(out, "email", folded);
}

int crm_find_contact(struct crm_ctx *ctx, const char *channel, const char *value, int64_t *out,
                     struct err *e)
{
    AUTO_JSON json_t *row = NULL;
    if (address_get(ctx->crm->db, channel, value, &row, e) < 0)
        return -1;
    int64_t id = json_get_int(row, "contact_id", 0);
    *out = 0;
    if (!id)
        return 0;
    const json_t *rec = crm_record_any(ctx, CRM_CONTACT, id, e);
    if (!rec)
        return e->cls == ERR_INPUT ? 0 : -1;
    if (!json_object_get(rec, "deleted_ms"))
        *out = id;
    return 0;
}

int crm_link_address(struct crm_ctx *ctx, int64_t contact, const char *channel, const char *value,
                     struct err *e)
{
    const json_t *list = crm_addresses(ctx, contact, e), *a;
    int64_t since = ctx->now_ms;
    size_t i;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        if (!strcmp(json_get_str(a, "channel", ""), channel) &&
            json_get_int(a, "created_ms", 0) <= since)
            since = json_get_int(a, "created_ms", 0) - 1;
    return crm_move_address(ctx, channel, value, contact, since, e);
}

int crm_name_contact(struct crm_ctx *ctx, int64_t id, const struct crm_name *name, struct err *e)
{
    if (!name->full[0])
        return 0;
    if (crm_change_str(ctx, CRM_CONTACT, id, "name", name->full, e) < 0 ||
        crm_change_str(ctx, CRM_CONTACT, id, "first_name", name->first[0] ? name->first : NULL, e) < 0)
        return -1;
    return crm_change_str(ctx, CRM_CONTACT, id, "last_name", name->last[0] ? name->last : NULL, e);
}

/* By the address, else by the one behind its plus. */
static int find_sender(struct crm_ctx *ctx, struct crm_who *who, int64_t *out, struct err *e)
{
    char base[CRM_ADDRESS_MAX];
    if (crm_find_contact(ctx, who->channel, who->address, out, e) < 0)
        return -1;
    if (*out || !strchr(who->address, '+') || crm_email_base(who->address, base) < 0)
        return 0;
    if (crm_find_contact(ctx, "email", base, out, e) < 0)
        return -1;
    who->other_address = *out != 0;
    return 0;
}

/* What the input says for a field of a lead; own, NULL: nothing. */
static json_t *said_for(struct crm_ctx *ctx, const struct crm_input *in, const struct crm_field *f)
{
    const json_t *form = crm_form_conf(ctx->crm, in->form ? in->form : "");
    if (!strcmp(f->name, "lead.source")) {
        const char *source = in->form ? json_get_str(form, "source", in->form) : in->source;
        return source ? json_string(source) : NULL;
    }
    AUTO_FREE char *text = in->form ? crm_form_value(ctx->crm, in->form, in->fields, f->name) : NULL;
    return text ? crm_field_parse(ctx->crm, f, text, NULL, ctx->now_ms, NULL) : NULL;
}

static bool is_same_value(const json_t *a, const json_t *b)
{
    return json_is_string(a) && json_is_string(b)
               ? rule_fold_equal(json_string_value(a), json_string_value(b))
               : json_equal(a, b);
}

/* Only what both say can differ. */
static bool is_same_interest(struct crm_ctx *ctx, const struct crm_input *in, const json_t *lead)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_get_arr(ctx->crm->config, "separate_leads_by"), i, v) {
        const struct crm_field *f =
            crm_fieldset_find(ctx->crm->fieldset, json_string_value(v), NULL);
        AUTO_JSON json_t *said = f ? said_for(ctx, in, f) : NULL;
        const json_t *has = !f ? NULL
                            : text_starts(f->key, "custom.")
                                ? json_object_get(json_get_obj(lead, "custom"), f->key + 7)
                                : json_object_get(lead, f->key);
        if (said && has && !is_same_value(said, has))
            return false;
    }
    return true;
}

/* The newest of the contact's open leads that is about the same. */
static int find_same_interest(struct crm_ctx *ctx, int64_t contact, const struct crm_input *in,
                              int64_t *out, struct err *e)
{
    struct db_rows *r = lead_of_contact(ctx->crm->db, contact);
    *out = 0;
    while (*out == 0 && db_step(r)) {
        AUTO_JSON json_t *lead = record_of_row(r, crm_table(CRM_LEAD));
        if (strcmp(json_get_str(lead, "status", ""), "closed") && is_same_interest(ctx, in, lead))
            *out = json_get_int(lead, "id", 0);
    }
    return db_done(&r, e);
}

void crm_separate_check(const struct crm *crm, struct errlist *errors)
{
    size_t i;
    const json_t *v;
    struct err e;
    json_array_foreach(json_get_arr(crm->config, "separate_leads_by"), i, v) {
        const char *name = json_string_value(v);
        const struct crm_field *f = crm_fieldset_find(crm->fieldset, name, &e);
        if (!f)
            errlist_add(errors, NULL, "separate_leads_by: %s", e.text);
        else if (f->entity != CRM_LEAD || !f->settable || !strcmp(f->name, "lead.score"))
            errlist_add(errors, NULL, "separate_leads_by: %s is nothing that a lead is told apart by; "
                        "expected a field of leads that forms fill, or lead.source", name);
    }
}

/* The contact's open lead or case, by what the source makes of mail. */
int crm_open_record(struct crm_ctx *ctx, int64_t contact, const char *creates,
                    const struct crm_input *in, struct crm_target *out, struct err *e)
{
    bool cases = !strcmp(creates, "case");
    bool told_apart = in && json_array_size(json_get_arr(ctx->crm->config, "separate_leads_by"));
    int64_t id = 0;
    if ((cases        ? case_find_open(ctx->crm->db, contact, &id, e)
         : told_apart ? find_same_interest(ctx, contact, in, &id, e)
                      : lead_find_open(ctx->crm->db, contact, &id, e)) < 0)
        return -1;
    if (id)
        return crm_target_of(ctx, cases ? CRM_CASE : CRM_LEAD, id, out, e);
    return crm_target_of(ctx, CRM_CONTACT, contact, out, e);
}

/* The records of a proven thread, as long as they are there. */
static int thread_target(struct crm_ctx *ctx, const struct crm_target *thread,
                         struct crm_target *out, struct err *e)
{
    struct err why = {0};
    enum crm_entity t = thread->main == CRM_CASE && thread->kase ? CRM_CASE
                        : thread->lead                           ? CRM_LEAD
                        : thread->kase                           ? CRM_CASE
                                                                 : CRM_NONE;
    if (t == CRM_NONE)
        return 0;
    if (crm_record(ctx, t, t == CRM_LEAD ? thread->lead : thread->kase, &why))
        return crm_target_of(ctx, t, t == CRM_LEAD ? thread->lead : thread->kase, out, e);
    return why.cls == ERR_INPUT ? 0 : err_set(e, why.cls, "%s", why.text);
}

bool crm_is_inside(const struct crm *crm, const char *address)
{
    return crm_is_ours(crm, address) || crm_domain_is_own(crm, strrchr(address, '@') + 1);
}

/* A forwarded mail that somebody outside wrote. */
static void sender_of_forward(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out)
{
    char folded[CRM_ADDRESS_MAX];
    const char *from = json_get_str(json_get_obj(in->forward, "from"), "address", NULL);
    if (crm_email_fold(from, folded) < 0 || crm_is_inside(ctx->crm, folded))
        return;
    out->forwarded = set_address(out, "email", folded);
}

int crm_find_recipient(struct crm_ctx *ctx, const json_t *message, int64_t *contact_out,
                       struct err *e)
{
    static const char *const keys[] = {"to", "cc"};
    size_t i;
    const json_t *a;
    *contact_out = 0;
    for (size_t k = 0; k < ARRAY_LEN(keys); k++)
        json_array_foreach(json_get_arr(message, keys[k]), i, a) {
            char folded[CRM_ADDRESS_MAX];
            if (crm_email_fold(json_get_str(a, "address", ""), folded) < 0 ||
                crm_is_ours(ctx->crm, folded))
                continue;
            if (crm_find_contact(ctx, "email", folded, contact_out, e) < 0)
                return -1;
            if (*contact_out)
                return 0;
        }
    return 0;
}

const char *crm_creates(const struct crm *crm, const struct crm_input *in)
{
    const char *form = in->form ? json_get_str(crm_form_conf(crm, in->form), "creates", NULL)
                                : NULL;
    return in->creates ? in->creates : form ? form : "lead";
}

int crm_identify(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out,
                 struct err *e)
{
    struct crm_who who = {.kind = CRM_WHO_NOBODY, .channel = "email"};
    int64_t contact = 0;
    if (in->form)
        sender_of_form(ctx, in, &who);
    else
        sender_of_message(ctx, in, &who);
    if (who.address[0]) {
        who.user = in->form ? NULL : crm_user_by_address(ctx->crm, who.channel, who.address);
        if (!who.user && in->dropbox && *in->dropbox) /* from where he is not known to write */
            who.user = in->dropbox;
        who.kind = who.user ? CRM_WHO_USER : CRM_WHO_CONTACT;
    }
    if (who.kind == CRM_WHO_USER && in->forward)
        sender_of_forward(ctx, in, &who);
    if (thread_target(ctx, &in->thread, &who.target, e) < 0)
        return -1;
    if (who.target.main == CRM_NONE) {
        if ((who.kind == CRM_WHO_CONTACT || who.forwarded) &&
            find_sender(ctx, &who, &contact, e) < 0)
            return -1;
        if (who.kind == CRM_WHO_USER && !who.forwarded && crm_find_recipient(ctx, in->message, &contact, e) < 0)
            return -1;
        if (contact && crm_open_record(ctx, contact, crm_creates(ctx->crm, in), in, &who.target, e) < 0)
            return -1;
    }
    *out = who;
    return 0;
}
