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
#include "crm/see.h"
#include "engine/letter.h"
#include "engine/notice.h"

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

static int print_lead(struct input *in, const struct crm_twin *twin, struct buf *out, struct err *e)
{
    const json_t *rec = crm_record(in->ctx, CRM_LEAD, twin->lead, e);
    if (!rec)
        return -1;
    const char *subject = json_get_str(rec, "subject", ""), *owner = json_get_str(rec, "owner", NULL);
    buf_printf(out, "%s has an open lead: %s%s%s%s%s.\n", cmd_id(in->ctx, CRM_CONTACT, twin->other),
               cmd_id(in->ctx, CRM_LEAD, twin->lead), *subject ? ", " : "", subject,
               owner ? ", of " : "", owner ? owner : "");
    return 0;
}

/* How to join them. */
static void print_commands(struct input *in, const struct crm_twin *twin,
                           const struct crm_target *t, struct buf *out)
{
    struct crm_ctx *ctx = in->ctx;
    const char *one = cmd_id(ctx, CRM_CONTACT, twin->contact),
               *two = cmd_id(ctx, CRM_CONTACT, twin->other);
    bool leads = t->lead && twin->lead && t->lead != twin->lead;
    buf_printf(out, "\nIf they are one person, reply with %s:\n  #%s merge %s\n",
               leads ? "these lines" : "this line", two, one);
    if (leads)
        buf_printf(out, "  #%s merge %s\n", cmd_id(ctx, CRM_LEAD, twin->lead),
                   cmd_id(ctx, CRM_LEAD, t->lead));
    buf_printf(out, "or run: leadctl merge %s %s\n#undo takes it back. If they are two, do nothing: "
               "you are not told again.\n", two, one);
}

/* all: the reader may know who the other one is. */
static int print_text(struct input *in, const struct crm_twin *twin, const struct crm_target *t,
                      bool all, struct buf *out, struct err *e)
{
    struct crm_ctx *ctx = in->ctx;
    buf_printf(out, "%s is of ", t->lead   ? cmd_id(ctx, CRM_LEAD, t->lead)
                                 : t->kase ? cmd_id(ctx, CRM_CASE, t->kase)
                                           : "Mail");
    if (print_contact(in, twin->contact, out, e) < 0)
        return -1;
    buf_str(out, ",\nwho looks like ");
    if (!all) {
        buf_printf(out, "%s, whom you may not see: %s.\nNothing was joined. The administrator was "
                   "told, too, and can join them:\n  leadctl merge %s %s\n",
                   cmd_id(ctx, CRM_CONTACT, twin->other), reason(twin->why),
                   cmd_id(ctx, CRM_CONTACT, twin->other), cmd_id(ctx, CRM_CONTACT, twin->contact));
        return 0;
    }
    if (print_contact(in, twin->other, out, e) < 0)
        return -1;
    buf_printf(out, ":\n%s. Nothing was joined.\n", reason(twin->why));
    if (twin->lead && print_lead(in, twin, out, e) < 0)
        return -1;
    print_commands(in, twin, t, out);
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
    struct buf text AUTO_BUF;
    buf_init(&text, KIB(16));
    const char *one = cmd_id(in->ctx, CRM_CONTACT, twin->contact),
               *two = cmd_id(in->ctx, CRM_CONTACT, twin->other);
    AUTO_FREE char *intent = mem_printf("duplicate/%s/%s", two, one);
    AUTO_FREE char *subject = mem_printf("%s looks like %s, who is there already", one, two);
    if (print_text(in, twin, &who->target, all, &text, e) < 0)
        return -1;
    return owner ? to_owner(in, &who->target, owner, intent, subject, text.data, e)
                 : notice_admin(in->eng, intent, subject, text.data, e);
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
