/* SPDX-License-Identifier: ISC
 *
 * parsed - see parsed.h
 */
#include "engine/parsed.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"

#define PARSED_LINE (4 * BOUND_MAIL_FIELD) /* one header field, which grows as UTF-8 */
#define PARSED_TOKENS 64      /* X-Leadd headers */

enum parsed_kind {
    PARSED_TEXT,
    PARSED_INT,
    PARSED_BOOL,
    PARSED_WORD,    /* one of words */
    PARSED_TEXTS,   /* a list of texts */
    PARSED_MAP,     /* any names, texts as values */
    PARSED_OBJECT,  /* of sub */
    PARSED_OBJECTS, /* a list of those */
};

struct parsed_key {
    const char *name;
    enum parsed_kind kind;
    size_t max; /* bytes of a text, entries of a list or map */
    const struct parsed_key *sub;
    const char *const *words;
};

static const char *const channels[] = {"email", NULL};
static const char *const kinds[] = {"own", "bounce", "receipt", "auto_reply", "list", "calendar",
                                    "report", "person", NULL};

static const struct parsed_key person_keys[] = {
    {"address", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"folded", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"name", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const struct parsed_key auto_keys[] = {
    {"auto_submitted", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"precedence", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"x_loop", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"list_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"response_suppress", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"suppress", PARSED_BOOL, 0, NULL, NULL},
    {"why", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"until_ms", PARSED_INT, 0, NULL, NULL},
    {"until_text", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const struct parsed_key bounce_keys[] = {
    {"recipient", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"status", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"permanent", PARSED_BOOL, 0, NULL, NULL},
    {"diagnostic", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"action", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_token", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"envelope_recipients", PARSED_TEXTS, BOUND_MAIL_ADDRESSES, NULL, NULL},
    {0}};

static const struct parsed_key receipt_keys[] = {
    {"recipient", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"disposition", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_token", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const struct parsed_key report_keys[] = {
    {"feedback_type", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"recipient", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"return_path", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"original_token", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const struct parsed_key attendee_keys[] = {
    {"address", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"folded", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"name", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"status", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const struct parsed_key calendar_keys[] = {
    {"method", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"uid", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"sequence", PARSED_INT, 0, NULL, NULL},
    {"start_ms", PARSED_INT, 0, NULL, NULL},
    {"end_ms", PARSED_INT, 0, NULL, NULL},
    {"zone", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"all_day", PARSED_BOOL, 0, NULL, NULL},
    {"recurs", PARSED_BOOL, 0, NULL, NULL},
    {"instance", PARSED_BOOL, 0, NULL, NULL},
    {"summary", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"location", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"status", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"organizer", PARSED_OBJECT, 0, attendee_keys, NULL},
    {"attendees", PARSED_OBJECTS, BOUND_MAIL_ADDRESSES, attendee_keys, NULL},
    {0}};

static const struct parsed_key inner_keys[] = {
    {"subject", PARSED_TEXT, 4 * BOUND_MAIL_SUBJECT, NULL, NULL},
    {"message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"from", PARSED_OBJECT, 0, person_keys, NULL},
    {0}};

static const struct parsed_key attachment_keys[] = {
    {"message", PARSED_OBJECT, 0, inner_keys, NULL},
    {"filename", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"type", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"size", PARSED_INT, 0, NULL, NULL},
    {"sha256", PARSED_TEXT, 64, NULL, NULL},
    {"inline", PARSED_BOOL, 0, NULL, NULL},
    {"part", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"content_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"at", PARSED_INT, 0, NULL, NULL},
    {"bytes", PARSED_INT, 0, NULL, NULL},
    {"encoding", PARSED_TEXT, 32, NULL, NULL},
    {0}};

static const struct parsed_key facts_keys[] = {
    {"phones", PARSED_TEXTS, BOUND_MAIL_ADDRESSES, NULL, NULL},
    {"title", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"name", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"company", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {0}};

static const char *const confidences[] = {"exact", "sure", "guess", NULL};

static const struct parsed_key forward_keys[] = {
    {"exact", PARSED_BOOL, 0, NULL, NULL},
    {"confidence", PARSED_WORD, 0, NULL, confidences},
    {"from", PARSED_OBJECT, 0, person_keys, NULL},
    {"to", PARSED_OBJECTS, BOUND_MAIL_ADDRESSES, person_keys, NULL},
    {"date_ms", PARSED_INT, 0, NULL, NULL},
    {"subject", PARSED_TEXT, 4 * BOUND_MAIL_SUBJECT, NULL, NULL},
    {"message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"text", PARSED_TEXT, 2 * BOUND_MAIL_TEXT, NULL, NULL},
    {"note", PARSED_TEXT, 2 * BOUND_MAIL_TEXT, NULL, NULL},
    {0}};

static const struct parsed_key message_keys[] = {
    {"channel", PARSED_WORD, 0, NULL, channels},
    {"size", PARSED_INT, 0, NULL, NULL},
    {"message_id", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"in_reply_to", PARSED_TEXTS, BOUND_MAIL_REFERENCES, NULL, NULL},
    {"references", PARSED_TEXTS, BOUND_MAIL_REFERENCES, NULL, NULL},
    {"from", PARSED_OBJECT, 0, person_keys, NULL},
    {"sender", PARSED_OBJECT, 0, person_keys, NULL},
    {"reply_to", PARSED_OBJECTS, BOUND_MAIL_ADDRESSES, person_keys, NULL},
    {"to", PARSED_OBJECTS, BOUND_MAIL_ADDRESSES, person_keys, NULL},
    {"cc", PARSED_OBJECTS, BOUND_MAIL_ADDRESSES, person_keys, NULL},
    {"delivered_to", PARSED_TEXTS, BOUND_MAIL_ADDRESSES, NULL, NULL},
    {"return_path", PARSED_TEXT, PARSED_LINE, NULL, NULL},
    {"date_ms", PARSED_INT, 0, NULL, NULL},
    {"received_ms", PARSED_INT, 0, NULL, NULL},
    {"subject", PARSED_TEXT, 4 * BOUND_MAIL_SUBJECT, NULL, NULL},
    {"language", PARSED_TEXT, 16, NULL, NULL},
    {"text", PARSED_TEXT, 2 * BOUND_MAIL_TEXT, NULL, NULL},
    {"reply", PARSED_TEXT, 2 * BOUND_MAIL_TEXT, NULL, NULL},
    {"signature", PARSED_TEXT, 2 * BOUND_MAIL_TEXT, NULL, NULL},
    {"signature_facts", PARSED_OBJECT, 0, facts_keys, NULL},
    {"forward", PARSED_OBJECT, 0, forward_keys, NULL},
    {"kind", PARSED_WORD, 0, NULL, kinds},
    {"auto", PARSED_OBJECT, 0, auto_keys, NULL},
    {"bounce", PARSED_OBJECT, 0, bounce_keys, NULL},
    {"receipt", PARSED_OBJECT, 0, receipt_keys, NULL},
    {"report", PARSED_OBJECT, 0, report_keys, NULL},
    {"calendar", PARSED_OBJECT, 0, calendar_keys, NULL},
    {"attachments", PARSED_OBJECTS, BOUND_MAIL_PARTS, attachment_keys, NULL},
    {"encrypted", PARSED_BOOL, 0, NULL, NULL},
    {"signed", PARSED_BOOL, 0, NULL, NULL},
    {"token_headers", PARSED_MAP, PARSED_TOKENS, NULL, NULL},
    {"phones", PARSED_TEXTS, BOUND_MAIL_ADDRESSES, NULL, NULL},
    {"defects", PARSED_TEXTS, BOUND_MAIL_DEFECTS, NULL, NULL},
    {0}};

static int object_clean(json_t *obj, const struct parsed_key *keys, int *removed, struct err *e);

static int wrong(const struct parsed_key *k, struct err *e)
{
    return err_set(e, ERR_INPUT, "the parser gave no proper \"%s\"", k->name);
}

static bool text_fits(const json_t *v, size_t max)
{
    return json_is_string(v) && json_string_length(v) <= max;
}

static bool word_fits(const json_t *v, const char *const *words)
{
    for (; json_is_string(v) && *words; words++)
        if (strcmp(*words, json_string_value(v)) == 0)
            return true;
    return false;
}

static bool texts_fit(const json_t *v, size_t max)
{
    size_t i;
    json_t *one;
    if (!json_is_array(v) || json_array_size(v) > max)
        return false;
    json_array_foreach((json_t *)v, i, one)
        if (!text_fits(one, PARSED_LINE))
            return false;
    return true;
}

static bool map_fits(const json_t *v, size_t max)
{
    const char *name;
    json_t *one;
    if (!json_is_object(v) || json_object_size(v) > max)
        return false;
    json_object_foreach((json_t *)v, name, one)
        if (strlen(name) > PARSED_LINE || !text_fits(one, PARSED_LINE))
            return false;
    return true;
}

static int objects_clean(json_t *v, const struct parsed_key *k, int *removed, struct err *e)
{
    size_t i;
    json_t *one;
    if (!json_is_array(v) || json_array_size(v) > k->max)
        return wrong(k, e);
    json_array_foreach(v, i, one) {
        if (!json_is_object(one))
            return wrong(k, e);
        if (object_clean(one, k->sub, removed, e) < 0)
            return -1;
    }
    return 0;
}

static int value_clean(json_t *v, const struct parsed_key *k, int *removed, struct err *e)
{
    bool ok = false;
    switch (k->kind) {
    case PARSED_TEXT:
        ok = text_fits(v, k->max);
        break;
    case PARSED_INT:
        ok = json_is_integer(v);
        break;
    case PARSED_BOOL:
        ok = json_is_boolean(v);
        break;
    case PARSED_WORD:
        ok = word_fits(v, k->words);
        break;
    case PARSED_TEXTS:
        ok = texts_fit(v, k->max);
        break;
    case PARSED_MAP:
        ok = map_fits(v, k->max);
        break;
    case PARSED_OBJECT:
        return json_is_object(v) ? object_clean(v, k->sub, removed, e) : wrong(k, e);
    case PARSED_OBJECTS:
        return objects_clean(v, k, removed, e);
    }
    return ok ? 0 : wrong(k, e);
}

static int object_clean(json_t *obj, const struct parsed_key *keys, int *removed, struct err *e)
{
    const char *name;
    void *next;
    json_t *v;
    json_object_foreach_safe(obj, next, name, v) {
        const struct parsed_key *k = keys;
        while (k->name && strcmp(k->name, name) != 0)
            k++;
        if (!k->name) {
            json_object_del(obj, name);
            (*removed)++;
        } else if (value_clean(v, k, removed, e) < 0) {
            return -1;
        }
    }
    return 0;
}

int parsed_clean(json_t *message, int *removed_out, struct err *e)
{
    int removed = 0;
    int rc = object_clean(message, message_keys, &removed, e);
    *removed_out = removed;
    return rc;
}
