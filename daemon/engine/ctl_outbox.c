/* SPDX-License-Identifier: ISC
 *
 * ctl_outbox - outbox list, show, retry, release, drop
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/ctl.h"
#include "engine/relays.h"
#include "store/outbox.h"
#include "store/sms.h"

static void time_field(json_t *row, const char *key, const char *from)
{
    char stamp[32];
    int64_t ms = json_get_int(row, from, 0);
    json_put_str(row, key, ms ? clock_format_utc(ms, stamp, sizeof(stamp)) : "");
}

/* Adds to a row of the store what people read. */
static void outbox_readable(json_t *row)
{
    char id[CRM_ID_LEN] = "";
    if (json_get_int(row, "lead_id", 0))
        crm_id_format(CRM_LEAD, json_get_int(row, "lead_id", 0), id);
    json_put_str(row, "lead", id);
    json_put_str(row, "what", json_get_str(row, "template", json_get_str(row, "class", "")));
    time_field(row, "created", "created_ms");
    time_field(row, "next", "next_ms");
    time_field(row, "done", "done_ms");
}

/* One mail as labels and values; what is not set is left out. */
static json_t *outbox_fields(const json_t *row)
{
    static const struct {
        const char *label, *key;
    } shown[] = {{"Id", "id"},           {"State", "state"},     {"Kind", "class"},
                 {"To", "to"},           {"Subject", "subject"}, {"Lead", "lead"},
                 {"Template", "template"}, {"Intent", "intent"}, {"Tries", "attempts"},
                 {"Created", "created"}, {"Next try", "next"},   {"Done", "done"},
                 {"Relay", "relay"},     {"Code", "code"},       {"Reply", "reply"},
                 {"Gateway", "gateway"}, {"Its id", "provider_id"}, {"Delivery", "delivery"},
                 {"Reason", "reason"},   {"Error", "error"},     {"Alphabet", "encoding"},
                 {"SMS", "segments"},    {"Price", "price"},
                 {"Return path", "return_path"}};
    json_t *fields = json_array();
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        json_t *v = json_object_get(row, shown[i].key);
        bool empty = !v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
                     (!strcmp(shown[i].key, "code") && !json_integer_value(v));
        if (!empty)
            json_array_append_new(fields, json_pack("[s, O]", shown[i].label, v));
    }
    return fields;
}

/* Of an SMS: by which gateway, in how many parts, and what became of it. */
static int outbox_sms(struct db *db, json_t *row, struct err *e)
{
    static const char *const keys[] = {"gateway", "provider_id", "delivery", "reason", "error",
                                       "encoding", "segments", "currency", "micros"};
    json_t *one = NULL;
    if (strcmp(json_get_str(row, "channel", ""), "sms") != 0)
        return 0;
    if (sms_get(db, json_get_int(row, "id", 0), &one, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        json_t *v = json_object_get(one, keys[i]);
        json_object_set(row, keys[i], v ? v : json_null());
    }
    int64_t micros = json_get_int(one, "micros", -1);
    AUTO_FREE char *price = mem_printf("%lld.%06lld %s", (long long)(micros / 1000000),
                                       (long long)(micros % 1000000),
                                       json_get_str(one, "currency", ""));
    if (micros >= 0)
        json_put_str(row, "price", price);
    json_decref(one);
    return 0;
}

static json_t *outbox_rows(struct db *db, json_t *rows, struct err *e)
{
    size_t i;
    json_t *row;
    bool sms = false;
    json_array_foreach(rows, i, row) {
        outbox_readable(row);
        if (outbox_sms(db, row, e) < 0) {
            json_decref(rows);
            return NULL;
        }
        sms |= json_object_get(row, "segments") != NULL;
    }
    return ctl_table(rows, sms ? "id ID|channel BY|state STATE|delivery DELIVERY|lead LEAD|to TO|"
                                 "what WHAT|attempts TRIES|next NEXT|reply REPLY"
                               : "id ID|state STATE|lead LEAD|to TO|what WHAT|"
                                 "attempts TRIES|next NEXT|reply REPLY");
}

#define OUTBOX_STATES "ready claimed sent deferred failed unknown held"

static json_t *outbox_cmd_list(struct ctl *c, struct err *e)
{
    int64_t lead = 0;
    enum crm_entity t = CRM_LEAD;
    const char *s = ctl_option(c, "lead"), *state = ctl_option(c, "state");
    if (ctl_options_check(c, 2, "state lead limit", e) < 0)
        return NULL;
    if (s && (crm_id_parse(s, &t, &lead) < 0 || t != CRM_LEAD)) {
        err_set(e, ERR_INPUT, "lead=%s: expected a lead such as L42", s);
        return NULL;
    }
    if (state && !ctl_word_in(state, OUTBOX_STATES)) {
        err_set(e, ERR_INPUT, "state=%s: expected one of: %s", state, OUTBOX_STATES);
        return NULL;
    }
    json_t *rows = outbox_list(c->eng->db, ctl_option(c, "state"), lead, ctl_limit(c), e);
    return rows ? outbox_rows(c->eng->db, rows, e) : NULL;
}

static json_t *outbox_words(const struct outbox_mail *m)
{
    AUTO_JSON json_t *body = json_loadb(m->raw, m->raw_len, 0, NULL);
    return json_string(json_get_str(body, "text", ""));
}

static json_t *outbox_cmd_show(struct ctl *c, int64_t id, struct err *e)
{
    AUTO_JSON json_t *row = outbox_get(c->eng->db, id, e);
    struct outbox_mail mail;
    if (!row || outbox_mail(c->eng->db, id, &mail, e) < 0)
        return NULL;
    outbox_readable(row);
    bool sms = strcmp(json_get_str(row, "channel", ""), "sms") == 0;
    if (outbox_sms(c->eng->db, row, e) < 0) {
        outbox_mail_done(&mail);
        return NULL;
    }
    json_put_str(row, "return_path", mail.mail_from);
    json_t *text = sms ? outbox_words(&mail)
                       : json_stringn(mail.raw, text_utf8_cut(mail.raw, mail.raw_len, 64 * 1024));
    json_t *out = json_pack("{s:o, s:[{s:s, s:o}], s:O}", "fields", outbox_fields(row), "sections",
                            "title", sms ? "SMS" : "Mail", "text", text ? text : json_string(""), "mail", row);
    outbox_mail_done(&mail);
    return out;
}

/* Which states each verb may leave, and where it leads. A mail that was sent is
 * never sent again by mistake. */
static const struct ctl_move moves[] = {
    {"retry", "failed unknown deferred", "ready", "tried again at once"},
    {"release", "held", "ready", "released"},
    {"drop", "ready deferred held unknown", "failed", "dropped"},
};

static json_t *outbox_cmd_move(struct ctl *c, const struct ctl_move *move, int64_t id, struct err *e)
{
    AUTO_JSON json_t *row = outbox_get(c->eng->db, id, e);
    if (!row)
        return NULL;
    if (ctl_move_check(move, "mail", id, json_get_str(row, "state", ""), e) < 0)
        return NULL;
    bool ready = strcmp(move->to, "ready") == 0;
    struct outbox_mail mail;
    if (ready && outbox_mail(c->eng->db, id, &mail, e) < 0) {
        if (e->cls == ERR_BUG)
            err_set(e, ERR_INPUT, "mail %" PRId64 " was never written (%s): there is nothing to send",
                    id, json_get_str(row, "reply", "no reason noted"));
        return NULL;
    }
    if (ready)
        outbox_mail_done(&mail);
    AUTO_FREE char *by = mem_printf("%s by %s", move->said, c->user);
    struct outbox_change change = {
        .state = move->to,
        .next_ms = ready ? clock_now_ms() : 0,
        .done_ms = ready ? 0 : clock_now_ms(),
        .reply = by,
    };
    if (outbox_set_state(c->eng->db, id, &change, e) < 0)
        return NULL;
    if (ready)
        relays_try_now(c->eng);
    return ctl_text("mail %" PRId64 ": %s", id, move->said);
}

/* "domain=gmail.com, reason=blocked", as it was asked for. */
static char *selection_words(const struct ctl *c)
{
    char *words = mem_str("");
    for (int i = 2; i < c->argc; i++) {
        char *more = strncmp(c->argv[i], "count=", 6) == 0
                         ? mem_str(words)
                         : mem_printf("%s%s%s", words, *words ? " " : "", c->argv[i]);
        mem_free(words);
        words = more;
    }
    return words;
}

static int selection_read(struct ctl *c, const struct ctl_move *move, struct outbox_selection *s,
                          struct err *e)
{
    if (ctl_options_check(c, 2, "state domain reason template since until count", e) < 0)
        return -1;
    *s = (struct outbox_selection){.state = ctl_option(c, "state"),
                                   .domain = ctl_option(c, "domain"),
                                   .reason = ctl_option(c, "reason"),
                                   .template_ = ctl_option(c, "template")};
    if (!s->state || !ctl_word_in(s->state, move->from))
        return err_set(e, ERR_INPUT, "outbox %s: expected a number, or state= with one of: %s",
                       move->verb, move->from);
    if (s->reason && !*s->reason)
        s->reason = NULL;
    return ctl_option_time(c, "since", &s->since_ms, e) < 0 ||
                   ctl_option_time(c, "until", &s->until_ms, e) < 0
               ? -1
               : 0;
}

/* Nothing is done until the count that was shown is given back: what has come in between
 * was not meant. */
static json_t *outbox_cmd_move_many(struct ctl *c, const struct ctl_move *move, struct err *e)
{
    struct outbox_selection s;
    int64_t n, one, meant = -1;
    const char *count = ctl_option(c, "count");
    if (selection_read(c, move, &s, e) < 0 || outbox_count_of(c->eng->db, &s, &n, &one, e) < 0)
        return NULL;
    AUTO_FREE char *words = selection_words(c);
    if (n == 0)
        return ctl_text("no mail is of that kind: nothing to %s", move->verb);
    if (!count)
        return ctl_text("%" PRId64 " mail%s would be %s, one of them is %" PRId64 ". To do it: "
                        "leadctl outbox %s %s count=%" PRId64, n, n == 1 ? "" : "s", move->said, one,
                        move->verb, words, n);
    if (text_parse_int(count, &meant) < 0 || meant != n) {
        err_set(e, ERR_INPUT, "count=%s: there are %" PRId64 " now; look again without count=", count,
                n);
        return NULL;
    }
    AUTO_FREE char *by = mem_printf("%s by %s", move->said, c->user);
    if (outbox_set_state_of(c->eng->db, &s, move->to, clock_now_ms(), by, e) < 0)
        return NULL;
    if (strcmp(move->to, "ready") == 0)
        relays_try_now(c->eng);
    log_info("out.moved", "verb=%s mails=%" PRId64 " selection=\"%s\" by=%s", move->verb, n, words,
             c->user);
    return ctl_text("%" PRId64 " mail%s: %s", n, n == 1 ? "" : "s", move->said);
}

json_t *ctl_outbox(struct ctl *c, struct err *e)
{
    int64_t id;
    const char *verb = c->argv[1];
    if (strcmp(verb, "list") == 0)
        return outbox_cmd_list(c, e);
    if (strcmp(verb, "copies") == 0)
        return ctl_copies(c, e);
    const struct ctl_move *move = ctl_move_find(moves, ARRAY_LEN(moves), verb);
    if (move && c->argc > 2 && strchr(c->argv[2], '='))
        return outbox_cmd_move_many(c, move, e);
    if (c->argc != 3 || text_parse_int(c->argv[2], &id) < 0) {
        err_set(e, ERR_INPUT, "expected: outbox %s NUMBER, as in the first column of outbox list",
                verb);
        return NULL;
    }
    if (strcmp(verb, "show") == 0)
        return outbox_cmd_show(c, id, e);
    if (move)
        return outbox_cmd_move(c, move, id, e);
    err_set(e, ERR_INPUT, "outbox %s: expected list, show, copies, retry, release or drop", verb);
    return NULL;
}
