/* SPDX-License-Identifier: ISC
 *
 * duplicate - see duplicate.h
 */
#include "engine/duplicate.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/notice_words.h"
#include "crm/see.h"
#include "engine/letter.h"
#include "engine/notice.h"
#include "engine/storm.h"

static const char *reason(const char *why)
{
    return !strcmp(why, "phone")   ? "the same phone number"
           : !strcmp(why, "email") ? "an address that one of them has named"
                                   : "the same name at the same company";
}

/* "C3 Ada One <ada@one.example>" */
static int print_contact(struct input *in, int64_t id, struct buf *out, struct err *e)
{
    const json_t *rec = crm_record(in->ctx, CRM_CONTACT, id, e), *list, *a;
    const char *name, *address = NULL;
    size_t i;
    list = rec ? crm_addresses(in->ctx, id, e) : NULL;
    if (!list)
        return -1;
    json_array_foreach((json_t *)list, i, a)
        if (!address || !strcmp(json_get_str(a, "channel", ""), "email"))
            address = json_get_str(a, "value", NULL);
    name = json_get_str(rec, "name", "");
    buf_printf(out, "%s%s%s", cmd_id(in->ctx, CRM_CONTACT, id), *name ? " " : "", name);
    if (address)
        buf_printf(out, " <%s>", address);
    return 0;
}

static int put_lead(struct input *in, const struct crm_twin *twin, json_t *values, struct err *e)
{
    const json_t *rec = twin->lead ? crm_record(in->ctx, CRM_LEAD, twin->lead, e) : NULL;
    if (!rec)
        return twin->lead ? -1 : 0;
    json_put_str(values, "lead_id", cmd_id(in->ctx, CRM_LEAD, twin->lead));
    json_put_str(values, "lead", json_get_str(rec, "subject", NULL));
    json_put_str(values, "owner", json_get_str(rec, "owner", NULL));
    return 0;
}

/* How to join them: the contacts, and then the leads. */
static void put_commands(struct input *in, const struct crm_twin *twin, const struct crm_target *t,
                         json_t *values)
{
    struct crm_ctx *ctx = in->ctx;
    bool leads = t->lead && twin->lead && t->lead != twin->lead;
    AUTO_FREE char *lines = mem_printf("  #%s merge %s%s%s%s%s", cmd_id(ctx, CRM_CONTACT, twin->other),
                                       cmd_id(ctx, CRM_CONTACT, twin->contact), leads ? "\n  #" : "",
                                       leads ? cmd_id(ctx, CRM_LEAD, twin->lead) : "",
                                       leads ? " merge " : "",
                                       leads ? cmd_id(ctx, CRM_LEAD, t->lead) : "");
    json_put_str(values, "commands", lines);
}

/* all: the reader may know who the other one is. The words are in crm/notice_words.c. */
static int put_values(struct input *in, const struct crm_twin *twin, const struct crm_target *t,
                      bool all, json_t *values, struct err *e)
{
    struct crm_ctx *ctx = in->ctx;
    struct buf one AUTO_BUF, two AUTO_BUF;
    buf_init(&one, KIB(8));
    buf_init(&two, KIB(8));
    if (print_contact(in, twin->contact, &one, e) < 0)
        return -1;
    json_put_str(values, "record", t->lead   ? cmd_id(ctx, CRM_LEAD, t->lead)
                                   : t->kase ? cmd_id(ctx, CRM_CASE, t->kase)
                                             : "Mail");
    json_put_str(values, "contact", one.data);
    json_put_str(values, "contact_id", cmd_id(ctx, CRM_CONTACT, twin->contact));
    json_put_str(values, "other_id", cmd_id(ctx, CRM_CONTACT, twin->other));
    json_put_str(values, "why", reason(twin->why));
    json_put_str(values, "unseen", all ? NULL : "yes");
    if (!all)
        return 0;
    if (print_contact(in, twin->other, &two, e) < 0 || put_lead(in, twin, values, e) < 0)
        return -1;
    json_put_str(values, "other", two.data);
    put_commands(in, twin, t, values);
    return 0;
}

/* The owner, NULL: nobody who can be told; and may he see the other contact? */
static int whom(struct input *in, const struct crm_twin *twin, const struct crm_target *t,
                const char **out, bool *sees_out, struct err *e)
{
    struct err why = {0};
    const char *owner = crm_owner_of(in->ctx, t, &why);
    *out = NULL;
    *sees_out = false;
    if (!owner)
        return why.cls == ERR_INPUT || why.cls == ERR_NONE ? 0 : err_set(e, why.cls, "%s", why.text);
    *out = json_get_str(crm_user(in->eng->crm, owner), "email", NULL) ? owner : NULL;
    *sees_out = crm_may_see(in->ctx, owner, CRM_CONTACT, twin->other, &why) == 0;
    return *sees_out || why.cls == ERR_INPUT ? 0 : err_set(e, why.cls, "%s", why.text);
}

static int to_owner(struct input *in, const struct crm_target *t, const char *owner,
                    const char *intent, const char *subject, const char *text, struct err *e)
{
    struct err le = {0};
    int64_t outbox;
    AUTO_FREE char *to = mem_str(json_get_str(crm_user(in->eng->crm, owner), "email", ""));
    text_lower(to);
    struct letter l = {
        .class_ = "notice",
        .intent = intent,
        .to = to,
        .to_user = owner,
        .from_name = "leadd",
        .answers = ours_of(OURS_NOTICE, t, 0),
        .subject = subject,
        .text = text,
        .target = t,
    };
    if (letter_put(in, &l, &outbox, NULL, &le) == 0)
        return 0;
    if (le.cls != ERR_INPUT)
        return err_set(e, le.cls, "%s", le.text);
    input_note(in, "%s could not be told: %s", owner, le.text);
    log_warn("duplicate.failed", "error=\"%s\" next=\"leadctl duplicates shows the two\"", le.text);
    return 0;
}

static int tell(struct input *in, const struct crm_who *who, const char *owner, bool all,
                struct err *e)
{
    const struct crm_twin *twin = &who->twin;
    struct template_result w = {0};
    AUTO_JSON json_t *values = json_object();
    AUTO_FREE char *intent = mem_printf("duplicate/%s/%s", cmd_id(in->ctx, CRM_CONTACT, twin->other),
                                        cmd_id(in->ctx, CRM_CONTACT, twin->contact));
    if (put_values(in, twin, &who->target, all, values, e) < 0 ||
        crm_notice_words(in->eng->crm, "duplicate", values, &w, e) < 0)
        return -1;
    const char *to = owner ? json_get_str(crm_user(in->eng->crm, owner), "email", "")
                           : notice_admin_address(in->eng);
    AUTO_FREE char *folded = mem_str(to ? to : "");
    bool later = false; /* hundreds of one name are told in one mail */
    text_lower(folded);
    int rc = *folded ? storm_check_line(in, folded, w.subject, &later, e) : 0;
    if (rc == 0 && !later)
        rc = owner ? to_owner(in, &who->target, owner, intent, w.subject, w.text, e)
                   : notice_admin(in->eng, intent, w.subject, w.text, e);
    template_result_done(&w);
    return rc;
}

int duplicate_tell(struct input *in, const struct crm_who *who, struct err *e)
{
    const struct crm_twin *twin = &who->twin;
    const char *owner;
    bool sees;
    if (!twin->other)
        return 0;
    const char *one = cmd_id(in->ctx, CRM_CONTACT, twin->contact),
               *two = cmd_id(in->ctx, CRM_CONTACT, twin->other);
    input_note(in, "%s may be %s (%s); nothing was joined: leadctl merge %s %s", one, two,
               reason(twin->why), two, one);
    if (whom(in, twin, &who->target, &owner, &sees, e) < 0 ||
        (owner && tell(in, who, owner, sees, e) < 0))
        return -1;
    return owner && sees ? 0 : tell(in, who, NULL, true, e);
}
