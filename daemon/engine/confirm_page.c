/* SPDX-License-Identifier: ISC
 *
 * confirm_page - the page behind the link of a mail that asks to confirm a form
 *
 * A look changes nothing: scanners open every link. What its button sends makes the post
 * count, with what proves it. Where a person has released the post before, the proof alone
 * is added to what it became.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/form_words.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/arrival.h"
#include "engine/confirm_inner.h"
#include "engine/public.h"
#include "engine/token.h"
#include "store/confirmation.h"

static void page_say(struct engine *eng, const struct item *it, const char *lang, int code,
                     enum form_word title, const char *text, const char *button)
{
    const struct public_page p = {.code = code, .title = form_word(lang, title), .text = text,
                                  .button = button, .lang = lang};
    public_answer(eng, it, &p);
}

/* What the ledger keeps as the proof. Own. */
static json_t *proof_of(const json_t *row, const char *remote, const char *agent)
{
    return json_pack("{s:s, s:s, s:s}", "address", json_get_str(row, "value", ""), "remote", remote,
                     "agent", agent);
}

/* The post goes the way that it would have gone at once, and carries what proves it. */
static int post_file(struct engine *eng, int64_t id, const json_t *proof, struct err *e)
{
    struct item *post = item_of_quarantine(eng, id, e);
    if (!post)
        return -1;
    json_object_set(post->frame.json, "confirmed", (json_t *)proof);
    int rc = inbound_form(eng, post, e);
    item_free(post);
    return rc;
}

/* Other posts of the address may have waited for a sign that it is used by who wants this. */
static int row_done(struct engine *eng, const json_t *row, struct err *e)
{
    int64_t now = clock_now_ms(), id = json_get_int(row, "id", 0);
    if (confirmation_done(eng->db, id, now, e) < 0 ||
        confirmation_wake(eng->db, json_get_str(row, "value", ""), now, e) < 0)
        return -1;
    log_info("form.confirmed", "quarantine=Q%" PRId64 " form=%s", id, json_get_str(row, "form", ""));
    return confirm_wait(eng, now, e);
}

/* *erased_out: what a person made of the post is gone, and the post stays unconfirmed. */
static int confirm_file(struct engine *eng, const json_t *row, const json_t *proof, bool *erased_out,
                        struct err *e)
{
    int64_t message = json_get_int(row, "message", 0);
    *erased_out = false;
    int rc = message ? inbound_form_proof(eng, message, proof, erased_out, e)
                     : post_file(eng, json_get_int(row, "id", 0), proof, e);
    return rc < 0 ? -1 : *erased_out ? 0 : row_done(eng, row, e);
}

int confirm_assume(struct engine *eng, int64_t id, struct err *e)
{
    json_t *row = NULL;
    bool erased;
    if (confirmation_get(eng->db, id, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *proof = proof_of(row, "nowhere: it was assumed", "");
    int rc = confirm_file(eng, row, proof, &erased, e);
    json_decref(row);
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
    const char *lang = json_get_str(row, "lang", json_get_str(conf, "lang", NULL));
    AUTO_JSON json_t *proof = proof_of(row, json_get_str(it->frame.json, "remote", ""),
                                       json_get_str(it->frame.json, "agent", ""));
    bool there = json_get_bool(row, "kept", false) || json_get_int(row, "message", 0);
    bool done = json_get_int(row, "done_ms", 0), erased = false;
    bool open = !done && there && conf && json_get_int(row, "until_ms", 0) > clock_now_ms();
    bool go = open && json_get_bool(it->frame.json, "go", false);
    if (go && confirm_file(eng, row, proof, &erased, e) < 0)
        return -1;
    if (done || (go && !erased)) {
        page_say(eng, it, lang, 200, FORM_W_THANKS_TITLE, form_word(lang, FORM_W_CONFIRMED), NULL);
    } else if (!open || erased) {
        page_say(eng, it, lang, 410, FORM_W_FAILED_TITLE, form_word(lang, FORM_W_CONFIRM_GONE), NULL);
    } else {
        AUTO_FREE char *text = form_word_fill(lang, FORM_W_CONFIRM_PAGE,
                                              engine_setting(eng, "company", ""),
                                              json_get_str(row, "value", ""));
        page_say(eng, it, lang, 200, FORM_W_CONFIRM_SUBJECT, text,
                 form_word(lang, FORM_W_CONFIRM_BUTTON));
    }
    return 0;
}
