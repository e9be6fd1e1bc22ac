/* SPDX-License-Identifier: ISC
 *
 * optout_page - what stands behind /u/stop.O17.TOKEN: one click, and what somebody wants
 *
 * A look changes nothing, for scanners open every link. A POST that says
 * List-Unsubscribe=One-Click (RFC 8058), in whatever encoding, ends such mail at once; the
 * page's own button sets which lists, whether anything automatic, and the language. Who
 * holds the link holds the mailbox that it was sent to, so it may also be taken back here.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/form.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/optout_words.h"
#include "engine/consent.h"
#include "engine/input.h"
#include "engine/optout.h"
#include "engine/public.h"
#include "store/consent.h"
#include "store/record.h"

#define SAVED_FIELD "_save" /* the names of what the page showed */
#define ALL_FIELD "all"
#define LIST_FIELD "list." /* and the name */

struct visit {
    struct engine *eng;
    struct item *it;
    const char *address, *list; /* borrowed from row */
    json_t *row, *contact;      /* own; contact may be NULL */
    const char *language;       /* static */
};

/* ---- shown ------------------------------------------------------------------------------ */

/* "a***@shop.example": the link may have been passed on with the mail. */
static char *masked(const char *address)
{
    const char *at = strrchr(address, '@');
    return mem_printf("%.*s***%s", (int)text_utf8_cut(address, strlen(address), 4) > 0 ? 1 : 0, address,
                      at ? at : "");
}

static int list_state(const struct visit *v, const char *list, bool *left_out, struct err *e)
{
    int64_t row;
    AUTO_FREE char *sender = crm_list_sender(list);
    return consent_last(v->eng->db, "email", v->address, sender, &row, left_out, e);
}

static int all_state(const struct visit *v, bool *left_out, struct err *e)
{
    enum crm_address_use use;
    *left_out = false;
    if (crm_address_check(v->eng->db, "email", v->address, &use, e) < 0)
        return -1;
    *left_out = use == CRM_ADDRESS_OPTED_OUT;
    return 0;
}

static json_t *choice(const char *name, const char *label, const char *about, bool on)
{
    return json_pack("{s:s, s:s, s:s?, s:b}", "name", name, "label", label, "about", about, "on",
                     (int)on);
}

static json_t *choice_language(const struct visit *v)
{
    json_t *options = json_array();
    for (size_t i = 0; optout_language(i); i++)
        json_array_append_new(options, json_string(optout_language(i)));
    return json_pack("{s:s, s:s, s:o, s:s}", "name", "language", "label",
                     optout_word(v->language, OPTOUT_W_LANGUAGE), "options", options, "value",
                     v->language);
}

static json_t *page_choices(const struct visit *v, struct err *e)
{
    AUTO_JSON json_t *out = json_array();
    const char *name;
    const json_t *list;
    bool left;
    if (all_state(v, &left, e) < 0)
        return NULL;
    json_array_append_new(out, choice(ALL_FIELD, optout_word(v->language, OPTOUT_W_ALL), NULL, !left));
    json_object_foreach(json_get_obj(v->eng->role->config, "lists"), name, list) {
        AUTO_FREE char *field = mem_printf(LIST_FIELD "%s", name);
        if (list_state(v, name, &left, e) < 0)
            return NULL;
        json_array_append_new(out, choice(field, json_get_str(list, "label", name),
                                          json_get_str(list, "about", NULL), !left));
    }
    if (v->contact)
        json_array_append_new(out, choice_language(v));
    return json_incref(out);
}

/* "2026-11-02: withdrawn, News"; who wrote it down is nobody's business but ours. */
static json_t *page_ledger(const struct visit *v, struct err *e)
{
    AUTO_JSON json_t *rows = consent_list(v->eng->db, "email", v->address, BOUND_OPTOUT_LEDGER, e);
    json_t *out = rows ? json_array() : NULL;
    const json_t *row;
    size_t i;
    char at[32];
    json_array_foreach(rows, i, row) {
        const char *sender = json_get_str(row, "sender", "");
        if (strcmp(sender, CONSENT_PROOF) == 0)
            continue; /* nothing that could be withdrawn */
        const json_t *list = text_starts(sender, CONSENT_LIST)
                                 ? crm_mail_list(v->eng->crm, sender + strlen(CONSENT_LIST)) : NULL;
        const char *of = list ? json_get_str(list, "label", "")
                         : text_starts(sender, CONSENT_PURPOSE) ? json_get_str(row, "words", "")
                         : optout_word(v->language, OPTOUT_W_ALL);
        clock_format_utc(json_get_int(row, "at_ms", 0), at, sizeof(at));
        AUTO_FREE char *line = mem_printf("%.10s: %s, %s", at,
                                          optout_word(v->language, json_get_bool(row, "granted", false)
                                                                       ? OPTOUT_W_GRANTED
                                                                       : OPTOUT_W_WITHDRAWN), of);
        json_array_append_new(out, json_string(line));
    }
    return out;
}

static int page_show(const struct visit *v, const char *done, struct err *e)
{
    AUTO_JSON json_t *choices = page_choices(v, e);
    AUTO_JSON json_t *rows = choices ? page_ledger(v, e) : NULL;
    if (!rows)
        return -1;
    AUTO_FREE char *title = optout_word_fill(v->language, OPTOUT_W_TITLE,
                                             engine_setting(v->eng, "company", ""));
    AUTO_FREE char *address = masked(v->address);
    AUTO_FREE char *what = optout_word_fill(v->language, OPTOUT_W_FOR, address);
    AUTO_FREE char *text = mem_printf("%s%s%s", done ? done : "", done ? " " : "", what);
    public_answer(v->eng, v->it,
                  &(struct public_page){.code = 200,
                                        .title = title,
                                        .text = text,
                                        .button = optout_word(v->language, OPTOUT_W_SAVE),
                                        .lang = v->language,
                                        .choices = choices,
                                        .rows_title = optout_word(v->language, OPTOUT_W_LEDGER),
                                        .rows = rows});
    return 0;
}

/* ---- done ------------------------------------------------------------------------------- */

static int one_click(const struct visit *v, struct input *in, struct err *e)
{
    bool left;
    struct crm_consent c = {.source = "one click", .words = json_get_str(v->row, "subject", NULL)};
    bool known = v->list && crm_mail_list(v->eng->crm, v->list);
    /* providers send it again and again */
    if ((known ? list_state(v, v->list, &left, e) : all_state(v, &left, e)) < 0)
        return -1;
    return left ? 0 : optout_withdraw(in, &in->target, v->address, v->list, &c, e);
}

static int join_again(const struct visit *v, struct input *in, const char *list,
                      const struct crm_consent *c, struct err *e)
{
    AUTO_FREE char *line = mem_printf("optin %s%s%s %s", v->address, list ? " list:" : "",
                                      list ? list : "", c->source);
    crm_consent_by(in->ctx, c);
    int rc = crm_command_run(in->ctx, &in->target, line, &crm_system, NULL, e);
    crm_consent_by(in->ctx, NULL);
    return rc;
}

static int set_one(const struct visit *v, struct input *in, const char *list, bool left, bool wanted,
                   struct err *e)
{
    struct crm_consent c = {.source = "page", .words = json_get_str(v->row, "subject", NULL)};
    if (left != wanted)
        return 0;
    return wanted ? join_again(v, in, list, &c, e)
                  : optout_withdraw(in, &in->target, v->address, list, &c, e);
}

static int set_language(const struct visit *v, struct input *in, const char *said, struct err *e)
{
    struct err ce = {0};
    if (!v->contact || !said || strcmp(optout_language_of(said), said) != 0 ||
        strcmp(said, v->language) == 0)
        return 0;
    AUTO_FREE char *line = mem_printf("set contact.language %s", said);
    if (crm_command_run(in->ctx, &in->target, line, &crm_system, NULL, &ce) == 0)
        return 0;
    if (ce.cls != ERR_INPUT)
        return err_set(e, ce.cls, "%s", ce.text);
    input_note(in, "the language was not set: %s", ce.text);
    return 0;
}

/* What is new since the page was shown was not left: nobody has seen its box. */
static bool was_shown(const json_t *values, const char *field)
{
    size_t n = strlen(field), len;
    for (const char *p = json_get_str(values, SAVED_FIELD, ""); *p; p += len + (p[len] == ' ')) {
        len = strcspn(p, " ");
        if (len == n && strncmp(p, field, n) == 0)
            return true;
    }
    return false;
}

static int save(const struct visit *v, struct input *in, const json_t *values, struct err *e)
{
    const char *name;
    const json_t *list;
    bool left;
    if (was_shown(values, ALL_FIELD) &&
        (all_state(v, &left, e) < 0 ||
         set_one(v, in, NULL, left, json_object_get(values, ALL_FIELD) != NULL, e) < 0))
        return -1;
    json_object_foreach(json_get_obj(v->eng->role->config, "lists"), name, list) {
        AUTO_FREE char *field = mem_printf(LIST_FIELD "%s", name);
        if (!was_shown(values, field))
            continue;
        if (list_state(v, name, &left, e) < 0 ||
            set_one(v, in, name, left, json_object_get(values, field) != NULL, e) < 0)
            return -1;
    }
    return set_language(v, in, json_get_str(values, "language", NULL), e);
}

/* As mailbox providers really post it: with and without a type, in parts, in any case. */
static void posted_read(const struct item *it, struct form *f)
{
    struct err e = {0};
    const char *type = json_get_str(it->frame.json, "type", "");
    if (form_type_of(type) == FORM_TYPE_UNKNOWN || form_read(f, type, it->frame.raw,
                                                             it->frame.raw_len, &e) < 0)
        form_read_urlencoded(f, it->frame.raw ? it->frame.raw : "", it->frame.raw_len);
}

static bool says_one_click(const json_t *values)
{
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)values, name, value)
        if (strcasecmp(name, "List-Unsubscribe") == 0 && json_is_string(value)) {
            AUTO_FREE char *copy = mem_str(json_string_value(value));
            return strcasecmp(text_trim(copy), "One-Click") == 0;
        }
    return false;
}

static int visit_post(struct visit *v, struct err *e)
{
    struct input in;
    struct form f;
    struct err gone = {0};
    int64_t outbox = json_get_int(v->row, "id", 0);
    form_init(&f);
    posted_read(v->it, &f);
    bool click = says_one_click(f.values), saved = json_object_get(f.values, SAVED_FIELD) != NULL;
    int rc = 0;
    if (click || saved) {
        input_begin(&in, v->eng, mem_printf("unsubscribe page of mail %" PRId64, outbox),
                    mem_printf("u/O%" PRId64 "/%" PRId64, outbox, clock_now_ms()));
        rc = outbound_target(in.ctx, v->row, &in.target, &gone);
        if (rc < 0 && gone.cls != ERR_INPUT)
            *e = gone;
        else
            rc = click ? one_click(v, &in, e) : save(v, &in, f.values, e);
        if (rc == 0)
            rc = input_finish(&in, e);
        input_end(&in);
        log_info("optout.page", "out=%" PRId64 " click=%d", outbox, click);
    }
    if (rc == 0 && saved) /* in the language that was chosen */
        v->language = optout_language_of(json_get_str(f.values, "language", v->language));
    form_done(&f);
    return rc < 0 ? -1 : page_show(v, click   ? optout_word(v->language, OPTOUT_W_GONE)
                                      : saved ? optout_word(v->language, OPTOUT_W_SAVED)
                                              : NULL, e);
}

int optout_page(struct engine *eng, struct item *it, const char *rest, struct err *e)
{
    struct visit v = {.eng = eng, .it = it};
    int64_t contact;
    if (optout_row(eng, rest, &v.row, e) < 0)
        return -1;
    if (!v.row) {
        public_answer(eng, it, &(struct public_page){.code = 404,
                                                     .title = "There is nothing here",
                                                     .text = "This link was not made here."});
        return 0;
    }
    v.address = json_get_str(v.row, "to", "");
    v.list = json_get_str(v.row, "list", NULL);
    contact = json_get_int(v.row, "contact_id", 0);
    int rc = contact ? record_get(eng->db, &contact_table, contact, &v.contact, e) : 0;
    v.language = optout_language_of(json_get_str(v.contact, "language", NULL));
    if (rc == 0)
        rc = json_get_bool(it->frame.json, "go", false) ? visit_post(&v, e) : page_show(&v, NULL, e);
    json_decref(v.row);
    json_decref(v.contact);
    return rc;
}
