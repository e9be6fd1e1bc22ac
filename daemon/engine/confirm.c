/* SPDX-License-Identifier: ISC
 *
 * confirm - see confirm.h
 */
#include "engine/confirm.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/form_words.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/form.h"
#include "crm/language.h"
#include "crm/notice_words.h"
#include "engine/arrival.h"
#include "engine/confirm_inner.h"
#include "engine/letter.h"
#include "engine/quota.h"
#include "engine/timer.h"
#include "engine/token.h"
#include "store/confirmation.h"
#include "store/ledger.h"

#define DUE_REST_MS 1000 /* until those that were just asked about are looked at again */
#define REMOTE_MAX 64

struct asking {
    struct engine *eng;
    const char *form, *lang; /* lang: "de-AT" or the form's; NULL: none is known */
    char posted_lang[CRM_LANGUAGE_MAX];
    char address[CRM_ADDRESS_MAX], remote[REMOTE_MAX];
    int64_t id, now_ms, until_ms;
    bool beyond;      /* a bound, so that no mail left, ... */
    int64_t again_ms; /* ... and when to try again; 0: not by itself */
};

/* Of tools: there is nobody who could open a link. */
static bool is_alone(const struct engine *eng)
{
    return eng->timers.ev == NULL;
}

/* ---- how many ------------------------------------------------------------------------- */

/* Who has one IPv6 address has the whole /64. */
static void remote_read(const char *text, char out[REMOTE_MAX])
{
    struct in6_addr a;
    snprintf(out, REMOTE_MAX, "%s", text);
    if (inet_pton(AF_INET6, text, &a) != 1)
        return;
    memset(a.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &a, out, REMOTE_MAX);
}

/* Why no mail leaves now, or "". An address that has confirmed none of its mails gets no
 * more by itself: it may be somebody's who wants none of this. */
static int asking_bound(struct asking *k, char why[128], struct err *e)
{
    const struct {
        enum confirmation_by by;
        const char *text, *of;
        int64_t within_ms, most;
    } bounds[] = {
        {CONFIRMATION_BY_VALUE, k->address, "to this address in a day", DAY_MS, BOUND_CONFIRM_ADDRESS},
        {CONFIRMATION_BY_REMOTE, k->remote, "for one sender in an hour", HOUR_MS, BOUND_CONFIRM_REMOTE},
        {CONFIRMATION_BY_FORM, k->form, "for this form in an hour", HOUR_MS, BOUND_CONFIRM_FORM}};
    bool trusted = true;
    *why = '\0';
    k->again_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(bounds) && !*why && !is_alone(k->eng); i++) {
        int64_t since;
        if (confirmation_bound(k->eng->db, bounds[i].by, bounds[i].text,
                               k->now_ms - bounds[i].within_ms, bounds[i].most, &since, e) < 0)
            return -1;
        if (!since)
            continue;
        if (bounds[i].by == CONFIRMATION_BY_VALUE &&
            confirmation_trusted(k->eng->db, k->address, &trusted, e) < 0)
            return -1;
        k->beyond = true;
        k->again_ms = trusted ? since + bounds[i].within_ms : 0;
        snprintf(why, 128, "no mail was sent yet: %" PRId64 " %s%s", bounds[i].most, bounds[i].of,
                 trusted ? "" : ", and none of them is confirmed");
    }
    return 0;
}

/* ---- the mail -------------------------------------------------------------------------- */

static char *asking_link(const struct asking *k)
{
    char name[32], token[TOKEN_NAME_LEN];
    const json_t *web = json_get_obj(k->eng->role->config, "web");
    const char *url = json_get_str(web, "in_url", "");
    size_t n = strlen(url);
    snprintf(name, sizeof(name), "Q%" PRId64, k->id);
    token_make(k->eng->key, "confirm", name, token);
    return mem_printf("%.*s/c/%s", (int)(n && url[n - 1] == '/' ? n - 1 : n), url, token);
}

static int asking_words(const struct asking *k, struct template_result *out, struct err *e)
{
    const char *company = engine_setting(k->eng, "company", "");
    struct buf until AUTO_BUF;
    buf_init(&until, 256);
    crm_language_time(k->eng->crm, k->lang ? k->lang : "en", k->until_ms, &until);
    buf_printf(&until, " (%s)", engine_setting(k->eng, "time_zone", "UTC"));
    AUTO_FREE char *link = asking_link(k);
    AUTO_FREE char *words = form_word_fill(k->lang, FORM_W_CONFIRM_MAIL, company, NULL);
    AUTO_FREE char *deadline = form_word_fill(k->lang, FORM_W_CONFIRM_UNTIL, until.data, NULL);
    AUTO_JSON json_t *values = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "subject",
        form_word(k->lang, FORM_W_CONFIRM_SUBJECT), "words", words, "link", link, "foot",
        form_word(k->lang, FORM_W_CONFIRM_NOT_YOU), "form", k->form, "company", company, "until",
        until.data, "deadline", deadline);
    return crm_notice_words_in(k->eng->crm, "confirm", k->lang, values, out, e);
}

/* why: the address wants no mail. */
static int asking_send(struct asking *k, char why[128], struct err *e)
{
    struct input in;
    struct template_result w = {0};
    const struct crm_target nobody = {0};
    struct err no = {0};
    int64_t outbox = 0;
    if (asking_words(k, &w, e) < 0)
        return -1;
    input_begin(&in, k->eng, mem_printf("form %s Q%" PRId64, k->form, k->id),
                mem_printf("Q%" PRId64, k->id));
    AUTO_FREE char *intent = mem_printf("confirm/Q%" PRId64, k->id);
    struct letter l = {.class_ = "confirm",
                       .intent = intent,
                       .to = k->address,
                       .from_name = engine_setting(k->eng, "company", NULL),
                       .machine = true,
                       .subject = w.subject,
                       .text = w.text,
                       .target = &nobody};
    int rc = letter_put(&in, &l, &outbox, NULL, &no);
    input_end(&in);
    template_result_done(&w);
    if (rc < 0 && no.cls == ERR_INPUT)
        snprintf(why, 128, "no mail was sent: %.100s", no.text);
    else if (rc < 0)
        return err_set(e, no.cls, "%s", no.text);
    return 0;
}

/* Now, or why not in *why and when instead in again_ms; what quarantine says of it follows. */
static int asking_try(struct asking *k, char why[128], struct err *e)
{
    if (asking_bound(k, why, e) < 0 || (!*why && asking_send(k, why, e) < 0))
        return -1;
    if (!*why)
        return 0;
    engine_count(k->eng, "forms_not_asked", 1);
    log_warn("form.not_asked", "quarantine=Q%" PRId64 " form=%s why=\"%s\" next=\"%s\"", k->id,
             k->form, why, k->again_ms ? "asked later" : "waits for a person");
    return quarantine_say(k->eng->db, k->id, why, e);
}

/* ---- the post is kept -------------------------------------------------------------------- */

static struct timer_key expiry_key(void)
{
    return (struct timer_key){"confirm", "", "", 0};
}

int confirm_wait(struct engine *eng, int64_t due_ms, struct err *e)
{
    json_t *row;
    struct timer_row t = {.key = expiry_key(), .due_ms = due_ms, .since_ms = clock_now_ms()};
    if (timer_get(eng->db, &t.key, &row, e) < 0)
        return -1;
    int64_t before = json_get_int(row, "due_ms", INT64_MAX);
    json_decref(row);
    return before <= due_ms ? 0 : timer_write(eng, &t, e);
}

static int asking_keep(struct asking *k, struct item *it, int64_t ledger, char why[128],
                       struct err *e)
{
    json_put_str(it->frame.json, "peer", it->peer_name);
    AUTO_FREE char *meta = json_line(it->frame.json);
    AUTO_FREE char *reason = mem_printf("waits until %s confirms it", k->address);
    struct quarantine_row q = {.ledger_id = ledger, .kind = QUARANTINE_UNCONFIRMED, .meta = meta,
                               .reason = reason, .raw = it->frame.raw,
                               .raw_len = it->frame.raw_len, .at_ms = k->now_ms};
    if (it->quarantine && quarantine_remove(k->eng->db, it->quarantine, e) < 0)
        return -1; /* it waited there for a verdict; a ledger row has one */
    if (quarantine_add(k->eng->db, &q, e) < 0)
        return -1;
    k->id = q.id;
    if (asking_try(k, why, e) < 0)
        return -1;
    struct confirmation_row c = {.id = k->id, .form = k->form, .value = k->address,
                                 .remote = k->remote, .lang = k->lang,
                                 .bytes = (int64_t)(strlen(meta) + q.raw_len),
                                 .asked_ms = *why ? 0 : k->now_ms, .ask_ms = k->again_ms,
                                 .at_ms = k->now_ms, .until_ms = k->until_ms};
    if (confirmation_add(k->eng->db, &c, e) < 0)
        return -1;
    return confirm_wait(k->eng, c.ask_ms && c.ask_ms < c.until_ms ? c.ask_ms : c.until_ms, e);
}

static bool address_read(struct engine *eng, const struct item *it, char out[CRM_ADDRESS_MAX])
{
    AUTO_FREE char *posted = crm_form_value(eng->crm, json_get_str(it->frame.json, "form", ""),
                                            json_get_obj(it->frame.json, "fields"), "contact.email");
    return posted && crm_email_fold(posted, out) == 0;
}

bool confirm_can(struct engine *eng, const struct item *it)
{
    char address[CRM_ADDRESS_MAX];
    return address_read(eng, it, address);
}

static void lang_read(struct asking *k, const struct item *it, const json_t *conf)
{
    AUTO_FREE char *posted = crm_form_value(k->eng->crm, k->form, json_get_obj(it->frame.json, "fields"),
                                            "contact.language");
    bool known = posted && crm_language_code(k->eng->crm, posted, k->posted_lang) == 0;
    k->lang = known ? k->posted_lang : json_get_str(conf, "lang", NULL);
}

/* What whoever posted is told. Who wants no mail is told what all are told: anybody could
 * ask by a form who it is. */
static void asking_answer(const struct asking *k, const struct item *it, const char *why)
{
    static const char alone[] = "taken as confirmed: as if the link of the mail had been used";
    arrival_form_done(k->eng, it, k->beyond ? "confirm_later" : "confirm",
                      !is_alone(k->eng) ? NULL : *why ? why : alone, 0);
}

static int asking_entered(struct asking *k, struct item *it, const struct arrival *a, struct err *e)
{
    char why[128] = "";
    if (a->ledger_id && asking_keep(k, it, a->ledger_id, why, e) < 0)
        return -1;
    asking_answer(k, it, why);
    if (!a->ledger_id)
        return 0;
    engine_count(k->eng, "forms_to_confirm", 1);
    log_info("form.waits", "quarantine=Q%" PRId64 " form=%s key=%s", k->id, k->form, a->key);
    return is_alone(k->eng) && !*why ? confirm_assume(k->eng, k->id, e) : 0;
}

int confirm_ask(struct engine *eng, struct item *it, const json_t *conf, struct err *e)
{
    struct arrival a;
    bool full = false;
    struct asking k = {.eng = eng, .form = json_get_str(it->frame.json, "form", ""),
                       .now_ms = clock_now_ms()};
    lang_read(&k, it, conf);
    if (!address_read(eng, it, k.address)) {
        if (it->quarantine)
            return err_set(e, ERR_INPUT, "there is no address to confirm");
        AUTO_FREE char *text = form_word_fill(k.lang, FORM_W_EMAIL, "email", NULL);
        arrival_form_done(eng, it, "invalid", text, 0);
        return 0;
    }
    if (!it->quarantine && !is_alone(eng) &&
        quota_unconfirmed(eng, k.form, it->frame.raw_len, &full, e) < 0)
        return -1;
    if (full) {
        arrival_form_done(eng, it, "rate", NULL, 0);
        return 0;
    }
    remote_read(json_get_str(it->frame.json, "remote", ""), k.remote);
    k.until_ms = k.now_ms + json_get_int(conf, "confirm_within", 7 * DAY_MS);
    int rc = arrival_read(eng, it, &a, e);
    if (rc == 0)
        rc = arrival_enter(eng, &a, it, "ignored", "not confirmed yet", e);
    if (rc == 0)
        rc = asking_entered(&k, it, &a, e);
    arrival_done(&a);
    return rc;
}

/* ---- later ---------------------------------------------------------------------------------- */

/* One that was beyond a bound: it has its whole time from now on. */
static int asking_again(struct engine *eng, const json_t *row, struct err *e)
{
    char why[128];
    const char *form = json_get_str(row, "form", "");
    const json_t *conf = json_get_obj(json_get_obj(eng->role->config, "forms"), form);
    struct asking k = {.eng = eng, .form = form, .id = json_get_int(row, "id", 0),
                       .lang = json_get_str(row, "lang", NULL), .now_ms = clock_now_ms()};
    int64_t until = json_get_int(row, "until_ms", 0);
    if (!conf || !json_get_bool(row, "kept", false))
        return confirmation_asked(eng->db, k.id, 0, 0, until, e);
    snprintf(k.address, sizeof(k.address), "%s", json_get_str(row, "value", ""));
    snprintf(k.remote, sizeof(k.remote), "%s", json_get_str(row, "remote", ""));
    k.until_ms = k.now_ms + json_get_int(conf, "confirm_within", 7 * DAY_MS);
    if (asking_try(&k, why, e) < 0)
        return -1;
    if (*why)
        return confirmation_asked(eng->db, k.id, 0, k.again_ms, until, e);
    AUTO_FREE char *reason = mem_printf("waits until %s confirms it", k.address);
    log_info("form.asked_later", "quarantine=Q%" PRId64 " form=%s", k.id, form);
    return quarantine_say(eng->db, k.id, reason, e) < 0
               ? -1
               : confirmation_asked(eng->db, k.id, k.now_ms, 0, k.until_ms, e);
}

static int expiry_due(struct engine *eng, const json_t *timer, struct err *e)
{
    const struct timer_key k = timer_key_of(timer);
    int64_t dropped, next, now = clock_now_ms();
    size_t i;
    const json_t *row;
    if (confirmation_expire(eng->db, now, &dropped, e) < 0)
        return -1;
    AUTO_JSON json_t *due = confirmation_due(eng->db, now, BOUND_CONFIRM_LATER, e);
    if (!due)
        return -1;
    json_array_foreach(due, i, row)
        if (asking_again(eng, row, e) < 0)
            return -1;
    if (confirmation_next(eng->db, &next, e) < 0)
        return -1;
    if (dropped)
        log_info("form.expired", "count=%" PRId64 " why=\"nobody confirmed them\"", dropped);
    engine_count(eng, "forms_expired", dropped);
    const struct timer_row t = {.key = k, .since_ms = now,
                                .due_ms = next > now ? next : now + DUE_REST_MS};
    return next ? timer_write(eng, &t, e) : timer_remove(eng, &k, e);
}

static void expiry_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "forms: mails that ask to confirm, and posts that nobody confirmed are dropped");
}

const struct timer_kind timer_kind_confirm = {.name = "confirm",
                                              .fire = expiry_due,
                                              .tell = expiry_tell};
