/* SPDX-License-Identifier: ISC
 *
 * ctl_consent - leadctl consent: who may be written to, and what proves it; leadctl
 * suppression: whose mail is stopped, and why
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/command.h"
#include "engine/consent.h"
#include "engine/ctl.h"
#include "engine/input.h"
#include "store/consent.h"
#include "store/contact.h"

#define SHOWN_MAX 200

/* "+43 660 ..", "anna@example.com". */
static int address_read(struct ctl *c, const char *s, const char **channel_out,
                        char out[CRM_ADDRESS_MAX], struct err *e)
{
    const char *country = engine_setting(c->eng, "default_country", "ZZ");
    *channel_out = strchr(s, '@') ? "email" : "phone";
    if (strchr(s, '@') ? crm_email_fold(s, out) == 0
                       : crm_phone_fold(s, country, out, CRM_ADDRESS_MAX) == 0)
        return 0;
    return err_set(e, ERR_INPUT, "\"%s\" is no phone number, email address or contact such as C7", s);
}

static json_t *row_cells(const json_t *row)
{
    char at[32], id[CRM_ID_LEN + 1] = "";
    int64_t m = json_get_int(row, "message_id", 0);
    const char *sender = json_get_str(row, "sender", "");
    bool proof = strcmp(sender, CONSENT_PROOF) == 0;
    if (m)
        snprintf(id, sizeof(id), "M%" PRId64, m);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "time",
                     clock_format_utc(json_get_int(row, "at_ms", 0), at, sizeof(at)), "address",
                     json_get_str(row, "value", ""), "consent",
                     proof ? "confirmed"
                     : json_get_bool(row, "granted", false)
                         ? json_get_bool(row, "counts", false) ? "granted" : "granted in a form"
                         : "withdrawn",
                     "sender",
                     proof     ? "the address"
                     : *sender ? sender
                               : "all",
                     "source", json_get_str(row, "source", ""),
                     "words", json_get_str(row, "words", ""), "proof", id);
}

static int rows_of(struct ctl *c, const char *channel, const char *value, json_t *rows,
                   struct err *e)
{
    size_t i;
    const json_t *row;
    AUTO_JSON json_t *list = consent_list(c->eng->db, channel, value, SHOWN_MAX, e);
    if (!list)
        return -1;
    json_array_foreach(list, i, row)
        json_array_append_new(rows, row_cells(row));
    return 0;
}

/* What holds now, as sending would find it. */
static int state_of(struct ctl *c, const char *channel, const char *value, json_t *fields,
                    struct err *e)
{
    enum crm_address_use use;
    bool withdrawn = false, granted = false;
    if (crm_address_check(c->eng->db, channel, value, &use, e) < 0 ||
        consent_withdrawn(c->eng->db, channel, value, "", &withdrawn, e) < 0 ||
        consent_granted(c->eng->db, channel, value, &granted, e) < 0)
        return -1;
    const char *state = use == CRM_ADDRESS_OPTED_OUT || withdrawn ? "withdrawn"
                        : granted                                 ? "granted"
                                                                  : "nothing was said";
    json_array_append_new(fields, json_pack("[s, s]", value, state));
    return 0;
}

static json_t *consent_show(struct ctl *c, struct err *e)
{
    AUTO_JSON json_t *fields = json_array();
    AUTO_JSON json_t *rows = json_array();
    enum crm_entity t;
    int64_t id;
    char value[CRM_ADDRESS_MAX];
    const char *channel, *who = c->argv[2];
    if (crm_id_parse(who, &t, &id) == 0 && t == CRM_CONTACT) {
        json_t *list = NULL;
        size_t i;
        const json_t *a;
        if (address_list(c->eng->db, id, &list, e) < 0)
            return NULL;
        AUTO_JSON json_t *owned = list;
        json_array_foreach(owned, i, a) {
            channel = json_get_str(a, "channel", "");
            if (state_of(c, channel, json_get_str(a, "value", ""), fields, e) < 0 ||
                rows_of(c, channel, json_get_str(a, "value", ""), rows, e) < 0)
                return NULL;
        }
        if (!i) {
            err_set(e, ERR_INPUT, "%s has no address", who);
            return NULL;
        }
    } else if (address_read(c, who, &channel, value, e) < 0 ||
               state_of(c, channel, value, fields, e) < 0 ||
               rows_of(c, channel, value, rows, e) < 0) {
        return NULL;
    }
    return json_pack("{s:O, s:[o]}", "fields", fields, "sections",
                     ctl_section("What was said", json_incref(rows),
                                 "time TIME|address ADDRESS|consent CONSENT|sender FOR|source "
                                 "SOURCE|words WORDS|proof PROOF"));
}

/* The command does it, so that undo, rules and the ledger know. */
static int say(struct ctl *c, const char *verb, const char *channel, const char *value,
               const char *words, struct crm_result *res, struct err *e)
{
    struct input in;
    struct crm_actor actor = {.kind = CRM_BY_OPERATOR, .name = c->user};
    AUTO_FREE char *line = mem_printf("%s %s%s%s", verb, value, *words ? " " : "", words);
    AUTO_JSON json_t *address = NULL;
    if (address_get(c->eng->db, channel, value, &address, e) < 0)
        return -1;
    int64_t contact = json_get_int(address, "contact_id", 0);
    input_begin(&in, c->eng, mem_printf("%s: %s %s", c->user, verb, channel), mem_str("ctl-consent"));
    struct err gone = {0};
    int rc = contact ? crm_target_of(in.ctx, CRM_CONTACT, contact, &in.target, &gone) : 0;
    if (rc < 0 && gone.cls == ERR_INPUT)
        rc = 0;
    else if (rc < 0)
        *e = gone;
    if (rc == 0)
        rc = crm_command_run(in.ctx, &in.target, line, &actor, res, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

static json_t *consent_say(struct ctl *c, const char *verb, struct err *e)
{
    struct crm_result res = {0};
    char value[CRM_ADDRESS_MAX];
    const char *channel;
    struct buf words AUTO_BUF;
    buf_init(&words, KIB(4));
    for (int i = 3; i < c->argc; i++)
        buf_printf(&words, "%s%s", i > 3 ? " " : "", c->argv[i]);
    if (address_read(c, c->argv[2], &channel, value, e) < 0 ||
        say(c, verb, channel, value, words.data ? words.data : "", &res, e) < 0)
        return NULL;
    return ctl_text("%s", res.text);
}

json_t *ctl_consent(struct ctl *c, struct err *e)
{
    const char *verb = c->argv[1];
    if (strcmp(verb, "show") == 0 && c->argc == 3)
        return consent_show(c, e);
    if (strcmp(verb, "grant") == 0)
        return consent_say(c, "optin", e);
    if (strcmp(verb, "withdraw") == 0)
        return consent_say(c, "optout", e);
    err_set(e, ERR_INPUT, "consent: expected show ADDRESS|C7, grant ADDRESS [WORDS] or withdraw "
            "ADDRESS [WORDS]");
    return NULL;
}

/* ---- suppression -------------------------------------------------------------------------- */

static json_t *suppression_list(struct ctl *c, struct err *e)
{
    const char *reason = ctl_option(c, "reason");
    size_t i;
    json_t *row;
    if (ctl_options_check(c, 2, "reason limit", e) < 0)
        return NULL;
    if (reason && strcmp(reason, "opted_out") != 0 && strcmp(reason, "bouncing") != 0) {
        err_set(e, ERR_INPUT, "reason=%s: expected opted_out or bouncing", reason);
        return NULL;
    }
    json_t *rows = address_stopped(c->eng->db, reason, ctl_limit(c), e);
    json_array_foreach(rows, i, row) {
        char at[32], id[CRM_ID_LEN] = "";
        int64_t contact = json_get_int(row, "contact_id", 0);
        json_put_str(row, "since", clock_format_utc(json_get_int(row, "at_ms", 0), at, sizeof(at)));
        json_put_str(row, "contact", contact ? crm_id_format(CRM_CONTACT, contact, id) : "");
    }
    return rows ? ctl_table(rows, "value ADDRESS|reason REASON|since SINCE|source SOURCE|words WORDS|"
                                  "contact CONTACT")
                : NULL;
}

/* Several at once: all of them, or with a mistake among them none. */
static json_t *suppression_change(struct ctl *c, bool add, struct err *e)
{
    struct crm_result res = {0};
    char value[CRM_ADDRESS_MAX];
    const char *channel, *words = add ? "suppression list" : "";
    for (int i = 2; i < c->argc; i++)
        if (address_read(c, c->argv[i], &channel, value, e) < 0)
            return NULL;
    for (int i = 2; i < c->argc; i++)
        if (address_read(c, c->argv[i], &channel, value, e) < 0 ||
            say(c, add ? "optout" : "optin", channel, value, words, &res, e) < 0 ||
            (!add && say(c, "verified", channel, value, words, &res, e) < 0))
            return NULL;
    return ctl_text("%d address%s %s", c->argc - 2, c->argc == 3 ? "" : "es",
                    add ? "added: no automatic mail or text goes there" : "removed");
}

json_t *ctl_suppression(struct ctl *c, struct err *e)
{
    const char *verb = c->argv[1];
    if (strcmp(verb, "list") == 0)
        return suppression_list(c, e);
    if (strcmp(verb, "show") == 0 && c->argc == 3)
        return consent_show(c, e);
    if ((strcmp(verb, "add") == 0 || strcmp(verb, "remove") == 0) && c->argc > 2)
        return suppression_change(c, verb[0] == 'a', e);
    err_set(e, ERR_INPUT, "suppression: expected list [reason=opted_out|bouncing], show ADDRESS, "
            "add ADDRESS .. or remove ADDRESS ..");
    return NULL;
}
