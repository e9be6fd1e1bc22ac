/* SPDX-License-Identifier: ISC
 *
 * sms_out - see sms_out.h
 */
#include "engine/sms_out.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/sms_text.h"
#include "engine/consent.h"
#include "engine/gateway_test.h"
#include "engine/gateways.h"
#include "engine/ours.h"
#include "engine/outbound_inner.h"
#include "engine/outgoing.h"
#include "engine/relays.h"
#include "engine/sms_receipt.h"
#include "engine/sms_in.h"
#include "engine/storm.h"
#include "engine/token.h"
#include "mail/compose.h"
#include "rule/template.h"
#include "store/sms.h"

/* ---- names --------------------------------------------------------------------------- */

void sms_key(struct engine *eng, int64_t outbox, char out[64])
{
    char name[32];
    snprintf(name, sizeof(name), "O%" PRId64, outbox);
    token_make(eng->key, "sms", name, out);
}

int64_t sms_key_read(struct engine *eng, const char *key)
{
    char name[32];
    int64_t id = 0;
    if (!token_find(eng->key, "sms", key, name) || text_parse_int(name + 1, &id) < 0)
        return 0;
    return id;
}

/* ---- may it go ------------------------------------------------------------------------ */

enum may { MAY_GO, MAY_NOT, MAY_LATER };

/* Asked when it is written and when it leaves. */
static int sms_may(struct engine *eng, const char *to, const char *from, const char *class_,
                   int64_t now_ms, enum may *may_out, int64_t *at_out, const char **why_out,
                   struct err *e)
{
    enum consent_why why;
    *may_out = MAY_GO;
    *at_out = 0;
    *why_out = NULL;
    if (strcmp(class_, "notice") == 0)
        return 0;
    if (consent_may_text(eng, to, from, class_, now_ms, &why, at_out, e) < 0)
        return -1;
    if (why != CONSENT_OK) {
        *may_out = why == CONSENT_QUIET ? MAY_LATER : MAY_NOT;
        *why_out = consent_why_text(why);
    }
    return 0;
}

static int text_check(const struct gate *g, const char *text, struct sms_count *count,
                      struct err *e)
{
    int64_t most = json_get_int(g->conf, "max_segments", 3);
    sms_count(text, count);
    if (count->segments == 0)
        return err_set(e, ERR_INPUT, "not sent: the text is empty");
    if (strlen(text) > BOUND_SMS_TEXT || count->segments > most)
        return err_set(e, ERR_INPUT,
                       "not sent: the text takes %u SMS, more than max_segments = %" PRId64
                       " of the gateway %s allows",
                       count->segments, most, g->name);
    return 0;
}

static int number_check(struct engine *eng, const char *to, const char *to_user, struct err *e)
{
    size_t n = strlen(to);
    if (*to != '+' || n < 8 || n > 16 || strspn(to + 1, "0123456789") != n - 1)
        return err_set(e, ERR_INPUT, "not sent: '%.40s' is no number with its country code", to);
    for (size_t i = 0; !to_user && eng->gateways && i < eng->gateways->count; i++)
        if (strcmp(json_get_str(eng->gateways->list[i].conf, "number", ""), to) == 0)
            return err_set(e, ERR_INPUT, "not sent: the number is our own");
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The words, as the courier gets them; the first of them stand in lists. */
static int letter_body(struct engine *eng, const struct sms_letter *l, const char *text,
                       const struct gate *g, struct outbox_row *row, struct err *e)
{
    AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s}", "to", l->to, "from",
                                       json_get_str(g->conf, "number", ""), "text", text);
    AUTO_FREE char *raw = json_line(body);
    AUTO_FREE char *line = mem_strn(text, text_utf8_cut(text, strlen(text), 300));
    text_make_line(line);
    row->mail_from = "";
    row->rcpt_to = l->to;
    row->subject = line;
    row->raw = raw;
    row->raw_len = strlen(raw);
    return outbox_fill(eng->db, row, e);
}

int sms_put(struct input *in, const struct sms_letter *l, int64_t *outbox_out, char held_out[256],
            struct err *e)
{
    struct engine *eng = in->eng;
    struct gate *g = l->from ? gateways_of(eng, l->from) : gateways_first(eng, NULL, l->to);
    struct sms_count count;
    enum may may;
    int64_t at;
    const char *why;
    char held[256];
    AUTO_FREE char *copy = mem_str(l->text);
    const char *text = text_trim(copy);
    *outbox_out = 0;
    if (!g)
        return l->from ? err_set(e, ERR_INPUT, "not sent: there is no gateway %s", l->from)
               : gateways_first(eng, NULL, NULL)
                   ? err_set(e, ERR_INPUT, "not sent: no gateway serves numbers such as %s", l->to)
                   : err_set(e, ERR_INPUT, "not sent: there are no gateways in leadd.conf");
    if (!gateway_serves(g, l->to))
        return err_set(e, ERR_INPUT, "not sent: the gateway %s serves no numbers such as %s", g->name,
                       l->to);
    if (number_check(eng, l->to, l->to_user, e) < 0 || text_check(g, text, &count, e) < 0 ||
        sms_may(eng, l->to, json_get_str(g->conf, "number", ""), l->class_, in->now_ms, &may, &at,
                &why, e) < 0)
        return -1;
    if (may == MAY_NOT)
        return err_set(e, ERR_INPUT, "%s", why);
    struct outgoing o = {
        .intent = l->intent,
        .class_ = l->class_,
        .template_ = l->template_,
        .mail = {.to = l->to,
                 .lead = l->target->lead,
                 .kase = l->target->kase,
                 .contact = l->target->contact,
                 .ours = l->to_user != NULL,
                 .counted = l->to_user && strcmp(l->class_, "notice") == 0,
                 .trial = in->preview},
        .now_ms = in->now_ms,
        .next_ms = may == MAY_LATER ? at : in->now_ms + l->delay_ms,
        .hold = l->hold,
        .lane = strcmp(l->class_, "follow_up") == 0 ? LANE_AUTO : LANE_PERSON,
        .channel = "sms",
        .exempt = l->exempt,
    };
    struct outbox_row row;
    if (outgoing_add(eng, &o, &row, held, e) < 0)
        return -1;
    if (row.id == 0)
        return 0;
    if (sms_add(eng->db, row.id, l->from ? g->name : NULL, sms_encoding_name(count.encoding),
                count.segments, e) < 0 ||
        letter_body(eng, l, text, g, &row, e) < 0)
        return -1;
    /* what it is about is what an answer is about */
    if (sms_pair_note(eng, json_get_str(g->conf, "number", ""), l->to, l->target, false,
                      in->now_ms, e) < 0)
        return -1;
    if (held[0])
        input_note(in, "SMS %" PRId64 " is held: %s", row.id, held);
    *outbox_out = row.id;
    if (held_out)
        memcpy(held_out, held, sizeof(held));
    return 0;
}

/* ---- commands ------------------------------------------------------------------------------- */

/* NAME.sms.txt where there is one, else the text of NAME, without its subject. */
static int send_words(struct input *in, const struct crm_send *s, struct template_result *r,
                      struct err *e)
{
    if (!s->template_name)
        return crm_render_notice_short(in->ctx, &s->target, &s->actor, r, e);
    AUTO_FREE char *own = mem_printf("%s.sms", s->template_name);
    const char *name = crm_template(in->eng->crm, own) ? own : s->template_name;
    const struct crm_rendering how = {.name = name,
                                      .language = s->to_user ? NULL
                                                             : crm_reads(in->ctx, s->target.contact),
                                      .actor = &s->actor};
    return crm_render(in->ctx, &s->target, &how, r, e);
}

/* Whoever gets too many notices in an hour is told of the others in one mail. */
static int send_storm(struct input *in, const struct crm_send *s, bool *later_out, struct err *e)
{
    struct crm_send mail = *s;
    const json_t *user = s->to_user ? crm_user(in->eng->crm, s->to_user) : NULL;
    *later_out = false;
    mail.to = json_get_str(user, "email", NULL);
    mail.sms = false;
    if (!mail.to)
        return 0;
    if (storm_check(in, &mail, later_out, e) < 0)
        return -1;
    if (*later_out)
        input_note(in, "a notice of %s is told in one mail with others", s->actor.name);
    return 0;
}

int sms_send(struct input *in, const struct crm_send *s, int64_t *outbox_out, struct err *e)
{
    struct template_result r = {0};
    bool notice = s->to_user || s->notice, later = false;
    const char *what = s->template_name ? s->template_name : "notice";
    AUTO_FREE char *intent = mem_printf("%s/%s/sms:%s/%s", in->intent, s->actor.name, what, s->to);
    *outbox_out = 0;
    if ((notice && send_storm(in, s, &later, e) < 0) || later)
        return later ? 0 : -1;
    if (send_words(in, s, &r, e) < 0)
        return -1;
    struct sms_letter l = {
        .class_ = notice ? "notice" : "follow_up",
        .intent = intent,
        .to = s->to,
        .to_user = s->to_user,
        .text = r.text,
        .template_ = s->template_name,
        .target = &s->target,
        .hold = notice ? NULL : in->hold,
        .delay_ms = json_get_int(in->eng->settings, "undo_window", 0),
    };
    int rc = sms_put(in, &l, outbox_out, NULL, e);
    template_result_done(&r);
    if (rc == 0 && *outbox_out == 0)
        return err_set(e, ERR_INPUT, "not sent again: %s", intent);
    return rc;
}

/* ---- leaving -------------------------------------------------------------------------------- */

/* Where gateways send their receipts; NULL: they are not asked for. own. */
static char *receipt_base(struct engine *eng)
{
    const char *url = json_get_str(json_get_obj(crm_config(eng->crm), "web"), "in_url", NULL);
    if (!url)
        return NULL;
    size_t n = strlen(url);
    return mem_printf("%.*s/sms/", (int)(n - (url[n - 1] == '/')), url);
}

static int frame_text(struct engine *eng, const json_t *row, const json_t *body, json_t *names,
                      const json_t *sms, json_t **out)
{
    char key[64];
    int64_t id = json_get_int(row, "id", 0);
    AUTO_FREE char *base = receipt_base(eng);
    sms_key(eng, id, key);
    json_t *j = json_pack("{s:o, s:s, s:s, s:s, s:I, s:s, s:I}", "gateway", names, "to",
                          json_get_str(body, "to", ""), "text", json_get_str(body, "text", ""),
                          "encoding", json_get_str(sms, "encoding", "gsm7"), "segments",
                          (json_int_t)json_get_int(sms, "segments", 1), "key", key, "attempt",
                          (json_int_t)json_get_int(row, "attempts", 0) + 1);
    if (base)
        json_put_str(j, "receipt_base", base);
    *out = j;
    return 0;
}

/* A gateway that takes mail: it leaves by relays, and bounces come back to its row. */
static int frame_mail(struct engine *eng, const json_t *row, const json_t *body, struct gate *g,
                      json_t *relays, json_t **out, char **raw_out, size_t *raw_len_out,
                      struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    const json_t *send = json_get_obj(g->conf, "send");
    struct buf to AUTO_BUF, subject AUTO_BUF, raw AUTO_BUF;
    buf_init(&to, 512);
    buf_init(&subject, BOUND_MAIL_SUBJECT);
    buf_init(&raw, KIB(64));
    AUTO_JSON json_t *values = gateway_values(g->conf, "", body);
    if (gateway_fill(json_get_str(send, "to", ""), values, GATEWAY_PLAIN, &to, e) < 0 ||
        gateway_fill(json_get_str(send, "subject", "SMS"), values, GATEWAY_PLAIN, &subject, e) < 0)
        return -1;
    char name[OURS_NAME_MAX];
    const char *address = engine_setting(eng, "address", "");
    ours_name(eng, &(struct ours){.kind = OURS_RETURN, .id = id}, name);
    AUTO_FREE char *message_id =
        mem_printf("%s@%s", name, engine_setting(eng, "domain", "localhost"));
    AUTO_FREE char *back = ours_return_path(eng, id);
    const struct mail_header headers[] = {{"Auto-Submitted", "auto-generated"}};
    struct mail_address rcpt = {to.data, NULL};
    struct mail_compose m = {.from = {address, engine_setting(eng, "company", NULL)},
                             .to = &rcpt,
                             .to_count = 1,
                             .subject = subject.data,
                             .message_id = message_id,
                             .date_ms = clock_now_ms(),
                             .headers = headers,
                             .header_count = 1,
                             .text = json_get_str(body, "text", "")};
    if (mail_compose(&m, &raw, e) < 0)
        return -1;
    *raw_len_out = raw.len;
    *raw_out = buf_take(&raw);
    *out = json_pack("{s:O, s:s, s:s, s:I}", "relay", relays, "from", back, "to", to.data,
                     "attempt", (json_int_t)json_get_int(row, "attempts", 0) + 1);
    return sms_set(eng->db, id, &(struct sms_change){.gateway = g->name, .micros = -1}, e);
}

static int row_end(struct engine *eng, const json_t *row, const char *why, struct err *e)
{
    engine_count(eng, "outbox_failed", 1);
    return outbound_suppress(eng, row, why, e);
}

/* Consent, and its turn. *names_out NULL: not now. */
static int row_may(struct engine *eng, const json_t *row, const json_t *sms, const json_t *body,
                   json_t **names_out, struct gate **mail_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0), now = clock_now_ms(), at;
    const char *wanted = json_get_str(sms, "wanted", NULL), *why;
    enum may may;
    char text[256];
    *names_out = NULL;
    const char *to = json_get_str(row, "to_addr", "");
    if (!gateways_first(eng, wanted, to))
        return row_end(eng, row, "not sent: no gateway of leadd.conf serves it any more", e);
    if (sms_may(eng, json_get_str(row, "to_addr", ""), json_get_str(body, "from", ""),
                json_get_str(row, "class", ""), now, &may, &at, &why, e) < 0)
        return -1;
    if (may == MAY_NOT)
        return row_end(eng, row, why, e);
    if (may == MAY_LATER)
        return outbox_wait(eng->db, id, at, why, e);
    if (now - json_get_int(row, "created_ms", now) > SMS_GIVE_UP_MS)
        return row_end(eng, row, "given up: it could not leave within a day", e);
    *names_out = gateways_turn(eng, id, wanted, to, json_get_int(sms, "segments", 1), now,
                               mail_out, &at, text);
    return *names_out ? 0 : outbox_wait(eng->db, id, at, text, e);
}

int sms_frame(struct engine *eng, const json_t *row, enum frame_type *type_out, json_t **json_out,
              char **raw_out, size_t *raw_len_out, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct outbox_mail mail;
    struct gate *by_mail;
    json_t *one = NULL, *names;
    *json_out = NULL;
    *raw_out = NULL;
    *raw_len_out = 0;
    *type_out = FRAME_TEXT;
    if (sms_get(eng->db, id, &one, e) < 0)
        return -1;
    AUTO_JSON json_t *sms = one;
    if (outbox_mail(eng->db, id, &mail, e) < 0)
        return -1;
    AUTO_JSON json_t *body = json_loadb(mail.raw, mail.raw_len, 0, NULL);
    outbox_mail_done(&mail);
    if (!sms || !body)
        return err_set(e, ERR_BUG, "the text is not there");
    if (row_may(eng, row, sms, body, &names, &by_mail, e) < 0)
        return -1;
    if (!names)
        return 0;
    if (!by_mail)
        return frame_text(eng, row, body, names, sms, json_out);
    json_decref(names);
    *type_out = FRAME_SEND;
    if (relays_for(eng, row, &names, e) < 0)
        return -1;
    AUTO_JSON json_t *relays = names;
    if (!relays) { /* no relay takes it now, and the row says when */
        gateway_turn_back(by_mail, json_get_int(sms, "segments", 1));
        return 0;
    }
    return frame_mail(eng, row, body, by_mail, relays, json_out, raw_out, raw_len_out, e);
}

/* ---- outcomes ------------------------------------------------------------------------------- */

int sms_mark(struct input *in, const char *number, const char *reason, const char *why,
             struct err *e)
{
    struct err ce = {0};
    struct crm_actor actor = crm_system;
    bool out = strcmp(reason, "opted_out") == 0,
         dead = strcmp(reason, "invalid_number") == 0 || strcmp(reason, "landline") == 0;
    if ((!out && !dead) || in->target.main == CRM_NONE)
        return 0;
    AUTO_FREE char *line = mem_printf("%s %s %s%s%s", out ? "optout" : "bounced", number,
                                      out                                ? "the gateway says so"
                                      : strcmp(reason, "landline") == 0 ? "a landline"
                                                                         : "nobody has the number",
                                      *why ? ": " : "", why);
    text_make_line(line);
    if (crm_command_run(in->ctx, &in->target, line, &actor, NULL, &ce) < 0 && ce.cls != ERR_INPUT) {
        *e = ce;
        return -1;
    }
    return 0;
}

/* What each gateway said that was left for the next. */
static void settle_left(struct engine *eng, const json_t *texted)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_get_arr(texted, "left"), i, one) {
        struct gate *g = gateways_find(eng, json_get_str(one, "gateway", ""));
        enum gateway_reason r = gateway_reason_parse(json_get_str(one, "reason", ""));
        if (g && r < GATEWAY_REASON_COUNT)
            gateway_said(eng, g, r, json_get_str(one, "text", ""),
                         json_get_int(texted, "retry_ms", 0));
    }
}

/* Counted for the day, with the price that the answer told, or the one of leadd.conf. */
static int settle_accepted(struct input *in, const json_t *row, struct gate *g,
                           const json_t *texted, struct err *e)
{
    struct engine *eng = in->eng;
    int64_t id = json_get_int(row, "id", 0);
    json_t *one = NULL;
    char currency[4] = "";
    if (sms_get(eng->db, id, &one, e) < 0)
        return -1;
    AUTO_JSON json_t *sms = one;
    int64_t segments = json_get_int(sms, "segments", 1),
            micros = json_get_int(texted, "micros", -1);
    snprintf(currency, sizeof(currency), "%s", json_get_str(texted, "currency", ""));
    if (micros < 0) {
        micros = gateway_price(json_get_str(g->conf, "price", ""), currency);
        micros = micros < 0 ? -1 : micros * segments;
    }
    struct sms_change c = {.gateway = g->name,
                           .provider_id = json_get_str(texted, "provider_id", NULL),
                           .micros = micros,
                           .currency = currency};
    struct sms_count_row n = {.gateway = g->name,
                              .day = clock_now_ms() / DAY_MS,
                              .texts = 1,
                              .segments = segments,
                              .micros = micros > 0 ? micros : 0,
                              .currency = micros >= 0 && *currency ? currency : NULL};
    if (sms_set(eng->db, id, &c, e) < 0 || sms_day_add(eng->db, &n, e) < 0)
        return -1;
    return c.provider_id ? sms_receipt_early(in, row, g->name, c.provider_id, e) : 0;
}

int sms_settled(struct input *in, const json_t *row, const char *outcome, const json_t *texted,
                struct outbox_change *c, struct err *e)
{
    struct engine *eng = in->eng;
    int64_t id = json_get_int(row, "id", 0), now = clock_now_ms();
    const char *reason = json_get_str(texted, "reason", "");
    json_t *one = NULL;
    if (sms_get(eng->db, id, &one, e) < 0)
        return -1;
    AUTO_JSON json_t *sms = one; /* one of type "email" comes back with a relay */
    struct gate *g = gateways_find(eng, json_get_str(texted, "relay", ""));
    if (!g)
        g = gateways_find(eng, json_get_str(sms, "gateway", json_get_str(sms, "wanted", "")));
    if (!g)
        g = gateways_first(eng, NULL, NULL);
    gateways_used(eng, id, texted);
    settle_left(eng, texted);
    gateway_test_settled(eng, id, outcome, json_get_str(texted, "text", NULL));
    if (strcmp(outcome, "deferred") == 0) {
        int64_t later = now + json_get_int(texted, "retry_ms", 0);
        if (c->next_ms && later > c->next_ms)
            c->next_ms = later;
        if (now - json_get_int(row, "created_ms", now) > SMS_GIVE_UP_MS) {
            c->state = "failed";
            c->next_ms = 0;
            c->done_ms = now;
        }
        return 0;
    }
    if (g && texted)
        gateway_said(eng, g, strcmp(outcome, "unknown") ? GATEWAY_OK : GATEWAY_UNKNOWN,
                     json_get_str(texted, "text", ""), 0);
    if (strcmp(outcome, "accepted") == 0)
        return g ? settle_accepted(in, row, g, texted, e) : 0;
    struct sms_change change = {.gateway = g ? g->name : NULL,
                                .reason = *reason ? reason : NULL,
                                .error = json_get_str(texted, "error", NULL),
                                .micros = -1};
    if (sms_set(eng->db, id, &change, e) < 0)
        return -1;
    return strcmp(outcome, "failed") == 0
               ? sms_mark(in, json_get_str(row, "to", ""), reason, json_get_str(texted, "text", ""),
                          e)
               : 0;
}
