/* SPDX-License-Identifier: ISC
 *
 * bounce - see bounce.h
 */
#include "engine/bounce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/notice_words.h"
#include "engine/conversation.h"
#include "engine/input.h"
#include "engine/notice.h"
#include "engine/thread.h"
#include "engine/token.h"
#include "store/bounces.h"
#include "store/message.h"
#include "store/outbox.h"

static bool verp_in(struct engine *eng, const json_t *list, const char *key, char name[32])
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = key ? json_get_str(v, key, NULL) : json_string_value(v);
        if (s && token_find(eng->key, "verp", s, name))
            return true;
    }
    return false;
}

static bool own_token_in(struct engine *eng, const json_t *said, char name[32])
{
    return token_find(eng->key, "own", json_get_str(said, "original_token", ""), name);
}

/* Our ids carry the outbox row's token too, so the returned Message-ID is as
 * good as the return path. */
static int64_t returned_outbox(struct engine *eng, const json_t *m, const json_t *said)
{
    char name[32];
    if (eng->foreign_scale)
        return eng->foreign_bounced;
    if (verp_in(eng, json_get_arr(m, "to"), "address", name) ||
        verp_in(eng, json_get_arr(m, "delivered_to"), NULL, name) ||
        verp_in(eng, json_get_arr(said, "envelope_recipients"), NULL, name) ||
        token_find(eng->key, "verp", json_get_str(said, "return_path", ""), name) ||
        token_find(eng->key, "verp", json_get_str(said, "original_message_id", ""), name) ||
        own_token_in(eng, said, name))
        return strtoll(name + 1, NULL, 10);
    return 0;
}

/* What one report is taken through. */
struct returned {
    struct engine *eng;
    const json_t *message, *said; /* said: message.bounce or message.report */
    int64_t message_id, outbox;
    json_t *row; /* own; of the outbox */
    const char *to;
    struct input in;
};

/* False with rc 0: it is about no mail of ours. */
static int returned_begin(struct returned *r, const char *what, bool *ours_out, struct err *e)
{
    struct err gone = {0};
    *ours_out = false;
    r->outbox = returned_outbox(r->eng, r->message, r->said);
    r->row = r->outbox ? outbox_get(r->eng->db, r->outbox, &gone) : NULL;
    if (!r->outbox || (!r->row && gone.cls == ERR_INPUT))
        return 0;
    if (!r->row) {
        *e = gone;
        return -1;
    }
    r->to = json_get_str(r->row, "to", "");
    if (thread_learn(r->eng, json_get_str(r->said, "original_message_id", ""), r->outbox, e) < 0)
        return -1;
    input_begin(&r->in, r->eng,
                mem_printf("%s M%" PRId64 " of mail %" PRId64, what, r->message_id, r->outbox),
                mem_printf("M%" PRId64, r->message_id));
    r->in.message = r->message;
    crm_set_message(r->in.ctx, r->message);
    *ours_out = true;
    if (outbound_target(r->in.ctx, r->row, &r->in.target, &gone) < 0 && gone.cls != ERR_INPUT) {
        *e = gone; /* else the record is gone, the outbox row is not */
        return -1;
    }
    /* the ledger and whoever reads the report find the record by it */
    struct message_row m = {.id = r->message_id,
                            .contact_id = r->in.target.contact,
                            .lead_id = r->in.target.lead,
                            .case_id = r->in.target.kase};
    return message_link(r->eng->db, &m, e);
}

static int returned_end(struct returned *r, int rc, struct err *e)
{
    if (rc == 0)
        rc = input_finish(&r->in, e);
    input_end(&r->in);
    json_decref(r->row);
    return rc;
}

static const char *status_of(const struct returned *r)
{
    const char *status = json_get_str(r->said, "status", "");
    return status[strspn(status, "0123456789.")] == '\0' ? status : ""; /* it came from outside */
}

/* They gave up: the row says so, whatever the fault was. */
static int bounce_settle(struct returned *r, struct err *e)
{
    const char *state = json_get_str(r->row, "state", "");
    if (strcmp(state, "sent") != 0 && strcmp(state, "unknown") != 0)
        return 0;
    AUTO_FREE char *reply = mem_printf("bounced: %s %s", status_of(r),
                                       json_get_str(r->said, "diagnostic", ""));
    struct outbox_change c = {.state = "failed", .done_ms = clock_now_ms(), .reply = reply};
    if (outbox_set_state(r->eng->db, r->outbox, &c, e) < 0)
        return -1;
    return strcmp(json_get_str(r->row, "class", ""), RELAY_CLASS) == 0
               ? conversation_failed(&r->in, r->row, reply, e)
               : 0;
}

/* Is the address at fault, and not the mail, its size, our reputation or the sender? */
static bool blames_address(const char *status)
{
    static const char *const good[] = {"1.7", "1.8", "1.9"}; /* our own address */
    static const char *const bad[] = {"0.0", "2.0", "2.1", "2.4", "4.1", "4.4", "4.0"};
    if (strlen(status) < 5)
        return true; /* nothing said: it came back for good all the same */
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (strcmp(status + 2, good[i]) == 0)
            return false;
    if (strncmp(status + 2, "1.", 2) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (strcmp(status + 2, bad[i]) == 0)
            return true;
    return false;
}

/* A command of the system's; what it refuses is noted and no failure. */
static int returned_command(struct returned *r, const char *line, struct err *e)
{
    struct crm_actor actor = crm_system;
    struct err ce = {0};
    if (crm_command_run(r->in.ctx, &r->in.target, line, &actor, NULL, &ce) == 0)
        return 0;
    if (ce.cls != ERR_INPUT) {
        *e = ce;
        return -1;
    }
    input_note(&r->in, "nothing was marked: %s", ce.text);
    return 0;
}

/* To the record's owner, once per key. */
static int tell_owner(struct returned *r, const char *key, const char *subject, const char *text,
                      struct err *e)
{
    struct err gone = {0};
    const char *owner = crm_owner_of(r->in.ctx, &r->in.target, &gone);
    if (!owner && gone.cls != ERR_INPUT && gone.cls != ERR_NONE) {
        *e = gone;
        return -1;
    }
    const char *to = json_get_str(crm_user(r->eng->crm, owner ? owner : ""), "email", NULL);
    struct notice n = {.intent = key,
                       .to = to,
                       .subject = subject,
                       .text = text,
                       .lead_id = r->in.target.lead,
                       .case_id = r->in.target.kase,
                       .contact_id = r->in.target.contact};
    return to ? notice_send(r->eng, &n, NULL, e) : notice_admin(r->eng, key, subject, text, e);
}

/* What it is about, for people: "L42 (Acme demo)". */
static void about(const struct returned *r, char out[CRM_ID_LEN])
{
    const struct crm_target *t = &r->in.target;
    out[0] = '\0';
    if (t->lead)
        crm_id_format(CRM_LEAD, t->lead, out);
    else if (t->kase)
        crm_id_format(CRM_CASE, t->kase, out);
    else if (t->contact)
        crm_id_format(CRM_CONTACT, t->contact, out);
}

/* In the words of a notice (crm/notice_words.h). */
static int tell_words(struct returned *r, const char *name, const char *key, const json_t *values,
                      struct err *e)
{
    struct template_result w = {0};
    if (crm_notice_words(r->eng->crm, name, values, &w, e) < 0)
        return -1;
    int rc = tell_owner(r, key, w.subject, w.text, e);
    template_result_done(&w);
    return rc;
}

static json_t *tell_values(const struct returned *r)
{
    char record[CRM_ID_LEN], message[32];
    about(r, record);
    snprintf(message, sizeof(message), "M%" PRId64, r->message_id);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "address", r->to, "record", record, "status",
                     status_of(r), "subject", json_get_str(r->row, "subject", ""), "message", message);
}

static int tell_marked(struct returned *r, const char *why, struct err *e)
{
    AUTO_FREE char *key = mem_printf("bouncing/%" PRId64, r->outbox);
    AUTO_JSON json_t *values = tell_values(r);
    json_put_str(values, "why", why);
    return tell_words(r, "bounced", key, values, e);
}

/* The mail was not taken, and the address may be good: once a day for an address. */
static int tell_refused(struct returned *r, struct err *e)
{
    char day[32];
    const char *said = json_get_str(r->said, "diagnostic", "");
    AUTO_FREE char *key = mem_printf("refused/%s/%s", r->to, notice_day(day));
    AUTO_FREE char *cut = mem_strn(said, text_utf8_cut(said, strlen(said), 300));
    AUTO_JSON json_t *values = tell_values(r);
    json_put_str(values, "said", cut);
    return tell_words(r, "not-delivered", key, values, e);
}

/* Marks the address. The message is named, for it holds what the other side said. */
static int bounce_mark(struct returned *r, const char *why, struct err *e)
{
    const char *status = status_of(r);
    enum crm_address_use use = CRM_ADDRESS_OK;
    AUTO_FREE char *line = mem_printf("bounced %s%s%s (M%" PRId64 ")", r->to, *why ? " " : "", why,
                                      r->message_id);
    if (crm_address_check(r->eng->db, "email", r->to, &use, e) < 0 ||
        returned_command(r, line, e) < 0 || bounces_forget(r->eng->db, r->to, e) < 0)
        return -1;
    if (use != CRM_ADDRESS_OK)
        return 0; /* was told when it was marked */
    return tell_marked(r, *why && why != status ? why : "nobody takes mail there", e);
}

/* A fault that may pass: it counts, and days of it are as bad as one that does not. */
static int bounce_count_fault(struct returned *r, struct err *e)
{
    int64_t now = clock_now_ms(), count, days;
    if (bounces_add(r->eng->db, r->to, now, r->message_id, e) < 0 ||
        bounces_count(r->eng->db, r->to, now - BOUND_BOUNCE_WITHIN_MS, &count, &days, e) < 0)
        return -1;
    if (count >= BOUND_BOUNCE_TIMES && days >= BOUND_BOUNCE_DAYS) {
        AUTO_FREE char *why = mem_printf("%" PRId64 " times on %" PRId64 " days", count, days);
        return bounce_mark(r, why, e);
    }
    input_note(&r->in, "came back with a fault that may pass (%s): %" PRId64 " of %d times, on %" PRId64
               " of %d days, until the address is marked", status_of(r), count, BOUND_BOUNCE_TIMES,
               days, BOUND_BOUNCE_DAYS);
    return tell_refused(r, e);
}

int bounce_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                struct err *e)
{
    struct returned r = {.eng = eng, .message = message, .message_id = message_id};
    r.said = json_get_obj(message, "bounce");
    bool permanent = json_get_bool(r.said, "permanent", false);
    bool failed = strcmp(json_get_str(r.said, "action", "failed"), "delayed") != 0;
    int rc = returned_begin(&r, "bounce", ours_out, e);
    if (!*ours_out)
        return rc;
    if (rc == 0)
        crm_emit(r.in.ctx, "bounce.received", &r.in.target, &crm_system);
    if (rc == 0 && failed)
        rc = bounce_settle(&r, e);
    if (rc == 0 && failed)
        rc = permanent && blames_address(status_of(&r)) ? bounce_mark(&r, status_of(&r), e)
                                                         : bounce_count_fault(&r, e);
    if (rc == 0 && !failed)
        input_note(&r.in, "still being tried by the other side (%s)", status_of(&r));
    log_info("mail.bounced", "out=%" PRId64 " permanent=%d status=%s action=%s", r.outbox, permanent,
             *status_of(&r) ? status_of(&r) : "-", failed ? "failed" : "delayed");
    engine_count(eng, "bounces", 1);
    return returned_end(&r, rc, e);
}

/* Nobody complains in these. */
static bool is_no_complaint(const char *type)
{
    static const char *const types[] = {"not-spam", "auth-failure", "dmarc", "tls", "virus"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

int complaint_take(struct engine *eng, const json_t *message, int64_t message_id, bool *ours_out,
                   struct err *e)
{
    struct returned r = {.eng = eng, .message = message, .message_id = message_id};
    r.said = json_get_obj(message, "report");
    *ours_out = false;
    if (is_no_complaint(json_get_str(r.said, "feedback_type", "abuse")))
        return 0;
    int rc = returned_begin(&r, "complaint", ours_out, e);
    if (!*ours_out)
        return rc;
    AUTO_FREE char *one = mem_printf("optout %s complained (M%" PRId64 ")", r.to, message_id);
    AUTO_FREE char *all = mem_printf("optout complained (M%" PRId64 ")", message_id);
    AUTO_FREE char *key = mem_printf("complaint/%" PRId64, r.outbox);
    AUTO_JSON json_t *values = r.row ? tell_values(&r) : NULL;
    if (rc == 0)
        crm_emit(r.in.ctx, "complaint.received", &r.in.target, &crm_system);
    if (rc == 0)
        rc = returned_command(&r, one, e);
    if (rc == 0 && r.in.target.contact)
        rc = returned_command(&r, all, e);
    if (rc == 0)
        rc = tell_words(&r, "complaint", key, values, e);
    log_info("mail.complaint", "out=%" PRId64, r.outbox);
    engine_count(eng, "complaints", 1);
    return returned_end(&r, rc, e);
}
