/* SPDX-License-Identifier: ISC
 *
 * consent - see consent.h
 */
#include "engine/consent.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crm/command.h"
#include "engine/input.h"
#include "engine/quiet.h"
#include "store/consent.h"
#include "store/contact.h"
#include "store/sms_pair.h"

const char *consent_why_text(enum consent_why why)
{
    switch (why) {
    case CONSENT_OK:
        break;
    case CONSENT_OPTED_OUT:
        return "not sent: the number has opted out";
    case CONSENT_BOUNCING:
        return "not sent: texts do not reach the number";
    case CONSENT_QUIET:
        return "it is night where the number is";
    case CONSENT_LEFT:
        break; /* lists are of mail */
    }
    return "";
}

const char *consent_mail_text(enum consent_why why)
{
    switch (why) {
    case CONSENT_OPTED_OUT:
        return "not sent: the address has opted out";
    case CONSENT_BOUNCING:
        return "not sent: the address bounces";
    case CONSENT_LEFT:
        return "not sent: the address has left the list";
    case CONSENT_OK:
    case CONSENT_QUIET:
        break;
    }
    return "";
}

static int list_left(struct engine *eng, const char *to, const char *list, bool *left_out,
                     struct err *e)
{
    int64_t row;
    AUTO_FREE char *sender = crm_list_sender(list);
    return consent_last(eng->db, "email", to, sender, &row, left_out, e);
}

int consent_may_mail(struct engine *eng, const char *to, const char *list, int64_t now_ms,
                     enum consent_why *why_out, struct err *e)
{
    enum crm_address_use use;
    bool left = false;
    (void)now_ms;
    if (crm_address_check(eng->db, "email", to, &use, e) < 0 ||
        (use == CRM_ADDRESS_OK && list && list_left(eng, to, list, &left, e) < 0))
        return -1;
    *why_out = use == CRM_ADDRESS_OPTED_OUT  ? CONSENT_OPTED_OUT
               : use == CRM_ADDRESS_BOUNCING ? CONSENT_BOUNCING
               : left                        ? CONSENT_LEFT
                                             : CONSENT_OK;
    return 0;
}

int consent_contact_left(struct engine *eng, int64_t contact, const char *list, bool *left_out,
                         struct err *e)
{
    json_t *found = NULL;
    const json_t *a;
    size_t i;
    *left_out = false;
    if (address_list(eng->db, contact, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *addresses = found;
    json_array_foreach(addresses, i, a)
        if (strcmp(json_get_str(a, "channel", ""), "email") == 0)
            return list_left(eng, json_get_str(a, "value", ""), list, left_out, e);
    return 0;
}

static int quiet_may(struct engine *eng, const char *to, const char *class_, int64_t now_ms,
                     enum consent_why *why_out, int64_t *not_before_out, struct err *e)
{
    int64_t at, last = 0,
            awake = json_get_int(json_get_obj(eng->role->config, "sms"), "quiet_after", 0);
    if (quiet_next(eng, to, class_, now_ms, &at, e) < 0 ||
        (at > now_ms && sms_pair_last_in(eng->db, to, &last, e) < 0))
        return -1;
    if (at > now_ms && (last == 0 || now_ms - last > awake)) {
        *why_out = CONSENT_QUIET;
        *not_before_out = at;
    }
    return 0;
}

int consent_may_text(struct engine *eng, const char *to, const char *from, const char *class_,
                     int64_t now_ms, enum consent_why *why_out, int64_t *not_before_out,
                     struct err *e)
{
    enum crm_address_use use;
    bool withdrawn;
    *not_before_out = 0;
    *why_out = CONSENT_OK;
    if (strcmp(class_, CONSENT_CLASS) == 0)
        return 0;
    if (crm_address_check(eng->db, "phone", to, &use, e) < 0 ||
        consent_withdrawn(eng->db, "phone", to, from, &withdrawn, e) < 0)
        return -1;
    if (use == CRM_ADDRESS_OPTED_OUT || withdrawn)
        *why_out = CONSENT_OPTED_OUT;
    else if (use == CRM_ADDRESS_BOUNCING)
        *why_out = CONSENT_BOUNCING;
    return *why_out == CONSENT_OK ? quiet_may(eng, to, class_, now_ms, why_out, not_before_out, e) : 0;
}

/* ---- what changes it ------------------------------------------------------------------ */

/* All that we send: the command, so that rules, undo and the journal know. */
static int for_all(struct input *in, const char *verb, const char *number,
                   const struct crm_consent *c, struct err *e)
{
    char id[CRM_ID_LEN];
    struct crm_consent all = *c;
    struct crm_actor actor = crm_system;
    if (in->target.contact)
        actor = (struct crm_actor){CRM_BY_CONTACT,
                                   crm_id_format(CRM_CONTACT, in->target.contact, id), NULL};
    AUTO_FREE char *line = mem_printf("%s %s %s", verb, number, c->source);
    all.sender = NULL;
    crm_consent_by(in->ctx, &all);
    int rc = crm_command_run(in->ctx, &in->target, line, &actor, NULL, e);
    crm_consent_by(in->ctx, NULL);
    return rc;
}

static bool sms_for_number(const struct engine *eng)
{
    const json_t *sms = json_get_obj(eng->role->config, "sms");
    return strcmp(json_get_str(sms, "stop_scope", "all"), "number") == 0;
}

static int consent_set(struct input *in, const char *number, const char *sender, bool granted,
                       const struct crm_consent *c, bool *changed_out, struct err *e)
{
    struct engine *eng = in->eng;
    bool one = sms_for_number(eng), withdrawn;
    enum crm_address_use use;
    struct crm_consent own = *c;
    if (crm_address_check(eng->db, "phone", number, &use, e) < 0 ||
        consent_withdrawn(eng->db, "phone", number, sender, &withdrawn, e) < 0)
        return -1;
    withdrawn |= use == CRM_ADDRESS_OPTED_OUT;
    *changed_out = withdrawn == granted;
    log_info("consent.said", "granted=%d sender=%s source=\"%s\" changed=%d message=M%" PRId64,
             granted, sender, c->source, *changed_out, c->message_id);
    /* a later STOP is one of its own: undo of the first must not pass it */
    if (!one && (granted ? use == CRM_ADDRESS_OPTED_OUT : true))
        return for_all(in, granted ? "optin" : "optout", number, c, e);
    own.sender = one ? sender : NULL;
    if (crm_consent_add(in->ctx, "phone", number, granted, true, &own, e) < 0)
        return -1;
    if (one && !granted && *changed_out)
        crm_emit(in->ctx, "address.opted_out", &in->target, &crm_system);
    return one && granted && use == CRM_ADDRESS_OPTED_OUT ? for_all(in, "optin", number, c, e) : 0;
}

int consent_withdraw(struct input *in, const char *number, const char *sender,
                     const struct crm_consent *c, bool *changed_out, struct err *e)
{
    return consent_set(in, number, sender, false, c, changed_out, e);
}

int consent_restore(struct input *in, const char *number, const char *sender,
                    const struct crm_consent *c, bool *changed_out, struct err *e)
{
    return consent_set(in, number, sender, true, c, changed_out, e);
}
