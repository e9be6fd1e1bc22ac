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
#include "base/clock.h"
#include "base/form_words.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/form.h"
#include "crm/notice_words.h"
#include "engine/arrival.h"
#include "engine/letter.h"
#include "engine/notice.h"
#include "engine/public.h"
#include "engine/timer.h"
#include "engine/token.h"
#include "store/confirmation.h"
#include "store/ledger.h"

#define HOUR_MS (DAY_MS / 24)
#define REMOTE_MAX 64

struct asking {
    struct engine *eng;
    const json_t *conf;
    const char *form, *lang;
    char address[CRM_ADDRESS_MAX], remote[REMOTE_MAX];
    int64_t id, now_ms, until_ms;
};

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

/* Why no mail leaves, or "". */
static int asking_bound(struct asking *k, char why[128], struct err *e)
{
    const struct {
        enum confirmation_by by;
        const char *text, *of;
        int64_t since_ms, most;
    } bounds[] = {
        {CONFIRMATION_BY_VALUE, k->address, "to this address in a day", DAY_MS, BOUND_CONFIRM_ADDRESS},
        {CONFIRMATION_BY_REMOTE, k->remote, "for one sender in an hour", HOUR_MS, BOUND_CONFIRM_REMOTE},
        {CONFIRMATION_BY_FORM, k->form, "for this form in an hour", HOUR_MS, BOUND_CONFIRM_FORM}};
    *why = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bounds) && !*why; i++) {
        int64_t n;
        if (confirmation_count(k->eng->db, bounds[i].by, bounds[i].text,
                               k->now_ms - bounds[i].since_ms, &n, e) < 0)
            return -1;
        if (n >= bounds[i].most)
            snprintf(why, 128, "no mail was sent: more than %" PRId64 " %s", bounds[i].most,
                     bounds[i].of);
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
    AUTO_FREE char *link = asking_link(k);
    AUTO_FREE char *words = form_word_fill(k->lang, FORM_W_CONFIRM_MAIL, company, NULL);
    AUTO_JSON json_t *values = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s}", "subject", form_word(k->lang, FORM_W_CONFIRM_SUBJECT),
        "words", words, "link", link, "foot", form_word(k->lang, FORM_W_CONFIRM_NOT_YOU), "form",
        k->form, "company", company);
    return crm_notice_words(k->eng->crm, "confirm", values, out, e);
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

/* ---- the post is kept -------------------------------------------------------------------- */

static struct timer_key expiry_key(void)
{
    return (struct timer_key){"confirm", "", "", 0};
}

static int expiry_set(struct engine *eng, int64_t due_ms, struct err *e)
{
    json_t *row;
    struct timer_row t = {.key = expiry_key(), .due_ms = due_ms, .since_ms = clock_now_ms()};
    if (timer_get(eng->db, &t.key, &row, e) < 0)
        return -1;
    int64_t before = json_get_int(row, "due_ms", INT64_MAX);
    json_decref(row);
    return before <= due_ms ? 0 : timer_write(eng, &t, e);
}

static int asking_keep(struct asking *k, struct item *it, int64_t ledger, struct err *e)
{
    char why[128];
    json_put_str(it->frame.json, "peer", it->peer_name);
    AUTO_FREE char *meta = json_line(it->frame.json);
    AUTO_FREE char *reason = mem_printf("waits until %s confirms it", k->address);
    struct quarantine_row q = {.ledger_id = ledger, .kind = QUARANTINE_UNCONFIRMED, .meta = meta,
                               .reason = reason, .raw = it->frame.raw,
                               .raw_len = it->frame.raw_len, .at_ms = k->now_ms};
    if (it->quarantine && quarantine_remove(k->eng->db, it->quarantine, e) < 0)
        return -1; /* it waited there for a verdict; a ledger row has one */
    if (quarantine_add(k->eng->db, &q, e) < 0 || asking_bound(k, why, e) < 0)
        return -1;
    k->id = q.id;
    if (!*why && asking_send(k, why, e) < 0)
        return -1;
    if (*why) {
        engine_count(k->eng, "forms_not_asked", 1);
        log_warn("form.not_asked", "quarantine=Q%" PRId64 " form=%s why=\"%s\"", k->id, k->form, why);
        if (quarantine_failed_again(k->eng->db, k->id, why, e) < 0)
            return -1;
    }
    struct confirmation_row c = {.id = k->id, .form = k->form, .value = k->address,
                                 .remote = k->remote, .asked = !*why, .at_ms = k->now_ms,
                                 .until_ms = k->until_ms};
    if (confirmation_add(k->eng->db, &c, e) < 0)
        return -1;
    return expiry_set(k->eng, k->until_ms, e);
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

int confirm_ask(struct engine *eng, struct item *it, const json_t *conf, struct err *e)
{
    struct arrival a;
    const char *form = json_get_str(it->frame.json, "form", "");
    struct asking k = {.eng = eng, .conf = conf, .form = form, .now_ms = clock_now_ms(),
                       .lang = json_get_str(conf, "lang", NULL)};
    if (!address_read(eng, it, k.address)) {
        if (it->quarantine)
            return err_set(e, ERR_INPUT, "there is no address to confirm");
        AUTO_FREE char *text = form_word_fill(k.lang, FORM_W_EMAIL, "email", NULL);
        arrival_form_done(eng, it, "invalid", text, 0);
        return 0;
    }
    remote_read(json_get_str(it->frame.json, "remote", ""), k.remote);
    k.until_ms = k.now_ms + json_get_int(conf, "confirm_within", 7 * DAY_MS);
    int rc = arrival_read(eng, it, &a, e);
    if (rc == 0)
        rc = arrival_enter(eng, &a, it, "ignored", "not confirmed yet", e);
    if (rc == 0 && a.ledger_id)
        rc = asking_keep(&k, it, a.ledger_id, e);
    if (rc == 0)
        arrival_form_done(eng, it, "confirm", NULL, 0);
    if (rc == 0 && a.ledger_id) {
        engine_count(eng, "forms_to_confirm", 1);
        log_info("form.waits", "quarantine=Q%" PRId64 " form=%s key=%s", k.id, form, a.key);
    }
    arrival_done(&a);
    return rc;
}

/* ---- the page ------------------------------------------------------------------------------ */

static void page_say(struct engine *eng, const struct item *it, const char *lang, int code,
                     enum form_word title, const char *text, const char *button)
{
    const struct public_page p = {.code = code, .title = form_word(lang, title), .text = text,
                                  .button = button, .lang = lang};
    public_answer(eng, it, &p);
}

/* The post goes the way that it would have gone at once, and carries what proves it. */
static int confirm_file(struct engine *eng, const struct item *it, const json_t *row, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    struct item *post = item_of_quarantine(eng, id, e);
    if (!post)
        return -1;
    json_object_set_new(post->frame.json, "confirmed",
                        json_pack("{s:s, s:s, s:s}", "address", json_get_str(row, "value", ""),
                                  "remote", json_get_str(it->frame.json, "remote", ""), "agent",
                                  json_get_str(it->frame.json, "agent", "")));
    int rc = inbound_form(eng, post, e);
    if (rc == 0)
        rc = confirmation_done(eng->db, id, clock_now_ms(), e);
    if (rc == 0)
        log_info("form.confirmed", "quarantine=Q%" PRId64 " form=%s", id,
                 json_get_str(row, "form", ""));
    item_free(post);
    return rc;
}

/* Whoever gave it out, the link is exactly this one. */
static bool link_read(const struct engine *eng, const char *rest, int64_t *id_out)
{
    char name[32], token[TOKEN_NAME_LEN];
    if (strlen(rest) >= TOKEN_NAME_LEN || !token_find(eng->key, "confirm", rest, name))
        return false;
    token_make(eng->key, "confirm", name, token);
    return text_equal_ct(token, rest) && name[0] == 'Q' && text_parse_int(name + 1, id_out) == 0;
}

int confirm_page(struct engine *eng, struct item *it, const char *rest, struct err *e)
{
    int64_t id;
    json_t *found = NULL;
    if (link_read(eng, rest, &id) && confirmation_get(eng->db, id, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *row = found;
    const json_t *conf = json_get_obj(json_get_obj(eng->role->config, "forms"),
                                      json_get_str(row, "form", ""));
    const char *lang = json_get_str(conf, "lang", NULL);
    if (row && json_get_int(row, "done_ms", 0)) {
        page_say(eng, it, lang, 200, FORM_W_THANKS_TITLE, form_word(lang, FORM_W_CONFIRMED), NULL);
    } else if (!row || !json_get_bool(row, "kept", false) || !conf ||
               json_get_int(row, "until_ms", 0) <= clock_now_ms()) {
        page_say(eng, it, lang, 410, FORM_W_FAILED_TITLE, form_word(lang, FORM_W_CONFIRM_GONE), NULL);
    } else if (!json_get_bool(it->frame.json, "go", false)) {
        AUTO_FREE char *text = form_word_fill(lang, FORM_W_CONFIRM_PAGE,
                                              engine_setting(eng, "company", ""),
                                              json_get_str(row, "value", ""));
        page_say(eng, it, lang, 200, FORM_W_CONFIRM_SUBJECT, text,
                 form_word(lang, FORM_W_CONFIRM_BUTTON));
    } else if (confirm_file(eng, it, row, e) < 0) {
        return -1;
    } else {
        page_say(eng, it, lang, 200, FORM_W_THANKS_TITLE, form_word(lang, FORM_W_CONFIRMED), NULL);
    }
    return 0;
}

/* ---- what nobody confirms --------------------------------------------------------------------- */

static int expiry_due(struct engine *eng, const json_t *row, struct err *e)
{
    const struct timer_key k = timer_key_of(row);
    int64_t dropped, next;
    if (confirmation_expire(eng->db, clock_now_ms(), &dropped, e) < 0 ||
        confirmation_next(eng->db, &next, e) < 0)
        return -1;
    if (dropped)
        log_info("form.expired", "count=%" PRId64 " why=\"nobody confirmed them\"", dropped);
    engine_count(eng, "forms_expired", dropped);
    const struct timer_row t = {.key = k, .due_ms = next, .since_ms = clock_now_ms()};
    return next ? timer_write(eng, &t, e) : timer_remove(eng, &k, e);
}

static void expiry_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "posts of forms that nobody confirmed are dropped");
}

const struct timer_kind timer_kind_confirm = {.name = "confirm",
                                              .fire = expiry_due,
                                              .tell = expiry_tell};
