/* SPDX-License-Identifier: ISC
 *
 * receive_user - what one of ours wrote: forwarded to us, copied to a dropbox, or about a
 * record (see receive_inner.h)
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "crm/cmd.h"
#include "crm/identity.h"
#include "crm/meeting.h"
#include "crm/receive_inner.h"

/* A user passed on what somebody wrote: it is that one's mail, and its time is when that
 * was written. What the user says to it is not part of it. */
static int file_forward(struct receive *r, struct err *e)
{
    const json_t *f = r->in->forward;
    const char *subject = json_get_str(f, "subject", "");
    int64_t date = json_get_int(f, "date_ms", 0);
    const struct crm_input *was = r->in;
    struct crm_input in = *was;
    json_t *m = json_pack("{s:s, s:s, s:O, s:s, s:s, s:s, s:[], s:[]}", "channel", "email", "kind",
                          "person", "from", json_object_get(f, "from"), "subject", subject, "text",
                          json_get_str(f, "text", ""), "reply", json_get_str(f, "text", ""),
                          "reply_to", "attachments");
    json_array_append_new(r->ctx->strings, m);
    if (date > 0 && date < in.at_ms)
        in.at_ms = date;
    r->in = &in;
    r->message = r->ctx->message = m;
    r->person = true;
    if (*subject)
        receive_subject(r, subject, RECEIVE_SUBJECT_MAX);
    if (!strcmp(r->creates, "nothing")) /* somebody thought it worth passing on */
        r->creates = "lead";
    r->who->kind = CRM_WHO_CONTACT;
    int rc = receive_contact(r, e);
    r->who->kind = CRM_WHO_USER;
    r->in = was;
    return rc;
}

/* Somebody new to whom a user wrote: from now on a contact, or a lead of his. */
static int new_recipient(struct receive *r, const json_t *to, const char *address, struct err *e)
{
    struct crm_who *who = r->who, was = *who;
    struct crm_name name;
    const char *makes = crm_setting(r->ctx->crm, "dropbox_creates", "contact");
    if (!strcmp(makes, "nothing"))
        return 0;
    if (who->made >= r->in->may_make) {
        who->left_out++;
        return 0;
    }
    who->made++;
    was.made = who->made;
    who->target = (struct crm_target){0};
    who->channel = "email";
    snprintf(who->address, sizeof(who->address), "%s", address);
    int rc = receive_new_contact(r, e);
    crm_name_split(json_get_str(to, "name", NULL), &name);
    if (rc == 0)
        rc = crm_name_contact(r->ctx, who->target.contact, &name, e);
    /* rules write to new leads: whoever only knows the address must not make them do so */
    if (rc == 0 && !strcmp(makes, "lead") && r->in->proven)
        rc = receive_new_record(r, CRM_LEAD, e);
    struct crm_target made = who->target;
    bool lead = who->new_lead, contact = who->new_contact;
    *who = was;
    who->target = made;
    who->new_lead |= lead;
    who->new_contact |= contact;
    return rc;
}

/* Anybody can write a From, and comes to know a dropbox: only a proven one says that the
 * lead was contacted, where there can be a proof. */
static int mark_contacted(struct receive *r, struct crm_target *t, struct err *e)
{
    return r->person && (r->in->proven || r->in->believed) ? crm_mark_contacted(r->ctx, t, e) : 0;
}

/* What a user wrote to this contact, for us to know. */
static int file_sent(struct receive *r, struct crm_target *t, struct err *e)
{
    if (crm_add_activity(r->ctx, t, r->in->kind, "out", r->subject[0] ? r->subject : NULL,
                         r->in->message_id, 0, r->in->at_ms, &t->activity, e) < 0)
        return -1;
    return mark_contacted(r, t, e);
}

/* One of its recipients; the first one filed is what the mail is about. seen: contacts
 * that have it. */
static int file_recipient(struct receive *r, const json_t *to, json_t *seen, struct err *e)
{
    char address[CRM_ADDRESS_MAX], key[CRM_ID_LEN];
    struct crm_target first = r->who->target, *t = &r->who->target;
    int64_t contact;
    if (crm_email_fold(json_get_str(to, "address", ""), address) < 0 ||
        crm_is_inside(r->ctx->crm, address))
        return 0;
    if (crm_find_contact(r->ctx, "email", address, &contact, e) < 0)
        return -1;
    if (contact && json_object_get(seen, crm_id_format(CRM_CONTACT, contact, key)))
        return 0;
    *t = (struct crm_target){0};
    if (contact ? crm_open_record(r->ctx, contact, r->creates, NULL, t, e) < 0
                : new_recipient(r, to, address, e) < 0)
        return -1;
    if (t->contact)
        json_put_bool(seen, crm_id_format(CRM_CONTACT, t->contact, key), true);
    if (t->contact && file_sent(r, t, e) < 0)
        return -1;
    r->who->to_contact |= t->contact != 0;
    if (first.main != CRM_NONE)
        *t = first;
    return 0;
}

/* A copy of what a user wrote to customers. */
static int file_dropbox(struct receive *r, struct err *e)
{
    static const char *const keys[] = {"to", "cc"};
    AUTO_JSON json_t *seen = json_object();
    size_t i, n = 0;
    const json_t *to;
    r->who->target = (struct crm_target){0};
    for (size_t k = 0; k < ARRAY_LEN(keys); k++)
        json_array_foreach(json_get_arr(r->message, keys[k]), i, to)
            if (n++ < BOUND_DROPBOX_RECIPIENTS && file_recipient(r, to, seen, e) < 0)
                return -1;
    return 0;
}

/* A user wrote: to the contact (we were in Cc or Bcc), or to us about a record. */
int receive_user(struct receive *r, struct err *e)
{
    struct crm_target *t = &r->who->target;
    struct crm_actor user = {CRM_BY_USER, r->who->user, NULL};
    int64_t contact = 0;
    if (r->who->forwarded)
        return file_forward(r, e);
    if (r->in->dropbox && r->in->thread.main == CRM_NONE) {
        r->ctx->op_actor = user;
        return file_dropbox(r, e);
    }
    if (t->main == CRM_NONE)
        return 0;
    if (crm_find_recipient(r->ctx, r->message, &contact, e) < 0)
        return -1;
    bool to_contact = r->who->to_contact = contact && contact == t->contact;
    r->ctx->op_actor = user;
    if (crm_add_activity(r->ctx, t, r->in->kind, to_contact ? "out" : "none",
                         r->subject[0] ? r->subject : NULL, r->in->message_id, 0, r->in->at_ms,
                         &t->activity, e) < 0)
        return -1;
    if (crm_meeting_take(r->ctx, r->message, t, r->in->message_id, to_contact ? "out" : "none", e) <
        0)
        return -1;
    return to_contact ? mark_contacted(r, t, e) : 0;
}
