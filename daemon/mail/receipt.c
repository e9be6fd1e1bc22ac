/* SPDX-License-Identifier: ISC
 *
 * receipt - reports that are no bounces: read receipts (RFC 8098) and complaints (RFC 5965)
 *
 * Sets msg.receipt or msg.report. Servers that send a receipt in words alone are known
 * by subject and sentence together, so that a person's "Read: our terms" stays theirs.
 */
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/bounce.h"
#include "mail/classify.h"
#include "mail/tnef.h"
#include "mail/word.h"

#define WORDS_MAX 3000 /* a receipt in words is short */

/* The part of that type which is the mail's own, not of a mail in it. */
static const struct mail_part *own_part(const struct mail_parts *ps, const char *type)
{
    for (size_t i = 0; i < ps->count; i++) {
        int up = ps->v[i].parent;
        while (up >= 0 && ps->v[up].kind != MAIL_MESSAGE)
            up = ps->v[up].parent;
        if (up < 0 && strcmp(ps->v[i].type, type) == 0)
            return &ps->v[i];
    }
    return NULL;
}

static bool is_report(struct mail_ctx *c, const struct mail_parts *ps, const char *type)
{
    if (strcmp(ps->v[0].type, "multipart/report") != 0)
        return false;
    AUTO_FREE char *t = mail_param_get(c, ps->v[0].type_value, "report-type", "Content-Type");
    return t && strcasecmp(t, type) == 0;
}

static void fields_of(struct mail_ctx *c, const struct mail_part *p, struct mail_fields *f,
                      struct buf *text)
{
    mail_part_decode(c, p, text);
    size_t at = 0;
    while (at < text->len && (text->data[at] == '\r' || text->data[at] == '\n'))
        at++;
    mail_fields_read(c, f, text->data + at, text->len - at, "the report", NULL, NULL);
}

static void put_address(struct mail_ctx *c, const struct mail_fields *f, const char *name,
                        json_t *out, const char *key)
{
    AUTO_FREE char *v = mail_field_text(c, f, name);
    if (!v || json_object_get(out, key))
        return;
    char *t = strchr(v, ';') ? strchr(v, ';') + 1 : v;
    t += strspn(t, " \t<\"");
    t[strcspn(t, "> \t\",(")] = '\0';
    AUTO_JSON json_t *a = mail_address_json(t, NULL);
    json_put_str(out, key, json_get_str(a, "address", NULL));
}

static void put_id(struct mail_ctx *c, const struct mail_fields *f, const char *name, json_t *out)
{
    const struct mail_field *id = mail_fields_get(f, name);
    AUTO_JSON json_t *ids = json_array();
    if (id && !json_object_get(out, "original_message_id")) {
        mail_ids_read(c, id, 1, ids);
        json_put_str(out, "original_message_id", json_string_value(json_array_get(ids, 0)));
    }
}

/* ---- receipts ---- */

static const struct {
    const char *subject, *disposition;
} receipts[] = {
    {"not read:", "deleted"},
    {"nicht gelesen:", "deleted"},
    {"ungelesen:", "deleted"},
    {"non lu", "deleted"},
    {"no leído:", "deleted"},
    {"non letto:", "deleted"},
    {"niet gelezen:", "deleted"},
    {"não lida:", "deleted"},
    {"read:", "displayed"},
    {"gelesen:", "displayed"},
    {"lu :", "displayed"},
    {"lu:", "displayed"},
    {"leído:", "displayed"},
    {"letto:", "displayed"},
    {"gelezen:", "displayed"},
    {"lida:", "displayed"},
    {"return receipt", "displayed"},
    {"lesebestätigung", "displayed"},
    {"read receipt", "displayed"},
    {"accusé de lecture", "displayed"},
    {"confirmación de lectura", "displayed"},
    {"conferma di lettura", "displayed"},
    {"message status - opened", "displayed"},
    {"leesbevestiging", "displayed"},
    {"прочитано:", "displayed"},
    {"läst:", "displayed"},
    {"przeczytano:", "displayed"},
    {"přečteno:", "displayed"},
    {"開封済み:", "displayed"},
};

static const char *const receipt_sentences[] = {
    "was read on", "was read by", "has been read", "was displayed on", "was opened",
    "deleted without being read", "receipt for the mail", "was received by", "return receipt",
    "wurde am", "wurde gelesen", "ohne gelesen", "ohne vorher gelesen", "a été lu",
    "a été affiché", "sans être lu", "se leyó", "fue leído", "ha sido leído", "sin ser leído",
    "è stato letto", "letto il", "gelezen op", "foi lida", "was read", "read the message",
    "has been opened", "angezeigt am", "прочитано", "lästes", "přečtena", "przeczytan",
    "message was deleted", "開封",
};

static const char *receipt_of_words(const json_t *msg)
{
    const char *subject = json_get_str(msg, "subject", ""), *text = json_get_str(msg, "text", "");
    if (strlen(text) > WORDS_MAX)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(receipts); i++)
        for (size_t k = 0;
             strncasecmp(subject, receipts[i].subject, strlen(receipts[i].subject)) == 0 &&
             k < ARRAY_LEN(receipt_sentences);
             k++)
            if (strcasestr(text, receipt_sentences[k]))
                return strcasestr(text, "deleted without") ? "deleted" : receipts[i].disposition;
    return NULL;
}

/* Outlook's own, packed into winmail.dat: its class says it in no language. */
static const char *receipt_of_tnef(struct mail_ctx *c, const struct mail_parts *ps)
{
    static const struct {
        const char *end, *disposition;
    } classes[] = {{".IPNRN", "displayed"}, {".IPNNRN", "deleted"}, {".Read Receipt", "displayed"}};
    const struct mail_part *p = own_part(ps, "application/ms-tnef");
    char class_[MAIL_TNEF_CLASS];
    AUTO_BUF struct buf data;
    buf_init(&data, BOUND_MAIL_SIZE);
    if (!p)
        return NULL;
    mail_part_decode(c, p, &data);
    if (!mail_tnef_class(data.data, data.len, class_))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        size_t n = strlen(classes[i].end), all = strlen(class_);
        if (all > n && strcasecmp(class_ + all - n, classes[i].end) == 0)
            return classes[i].disposition;
    }
    return NULL;
}

/* "manual-action/MDN-sent-manually; displayed/error" -> "displayed" */
static void put_disposition(struct mail_ctx *c, const struct mail_fields *f, json_t *out)
{
    AUTO_FREE char *v = mail_field_text(c, f, "Disposition");
    if (!v)
        return;
    char *semi = strrchr(v, ';');
    char *word = semi ? semi + 1 : v;
    word += strspn(word, " \t");
    word[strcspn(word, "/ \t,(")] = '\0';
    text_lower(word);
    if (*word)
        json_put_str(out, "disposition", word);
}

bool mail_receipt_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg)
{
    const struct mail_part *p = own_part(ps, "message/disposition-notification");
    bool report = is_report(c, ps, "disposition-notification") ||
                  (p && p->parent >= 0 && strcmp(ps->v[p->parent].type, "multipart/report") == 0);
    const char *told = report && p ? NULL : receipt_of_words(msg);
    if (!report && !told)
        told = receipt_of_tnef(c, ps);
    if (!report && !told)
        return false;
    json_t *r = json_object();
    json_object_set_new(msg, "receipt", r);
    json_put_str(r, "disposition", told);
    if (p) {
        struct mail_fields f = {0};
        AUTO_BUF struct buf text;
        buf_init(&text, BOUND_MAIL_SIZE);
        fields_of(c, p, &f, &text);
        put_address(c, &f, "Original-Recipient", r, "recipient");
        put_address(c, &f, "Final-Recipient", r, "recipient");
        put_id(c, &f, "Original-Message-ID", r);
        put_disposition(c, &f, r);
        mail_fields_done(&f);
    }
    mail_original_read(c, ps, r, NULL);
    if (!json_object_get(r, "disposition"))
        json_put_str(r, "disposition", "displayed");
    if (!json_object_get(r, "recipient"))
        json_put_str(r, "recipient", json_get_str(json_get_obj(msg, "from"), "address", NULL));
    if (!json_object_get(r, "original_message_id"))
        json_put_str(r, "original_message_id",
                     json_string_value(json_array_get(json_get_arr(msg, "in_reply_to"), 0)));
    return true;
}

/* ---- complaints ---- */

/* A provider's report without the report's fields: the complaint is about the mail in it. */
static bool is_old_complaint(const struct mail_parts *ps, const json_t *msg)
{
    if (strncasecmp(json_get_str(msg, "subject", ""), "complaint about message from ", 29) != 0)
        return false;
    for (size_t i = 1; i < ps->count; i++)
        if (ps->v[ps->v[i].parent].kind == MAIL_MESSAGE)
            return true;
    return false;
}

static void complaint_original(struct mail_ctx *c, const struct mail_parts *ps, json_t *r)
{
    AUTO_JSON json_t *to = json_array();
    struct bounce_original o = {.to = to};
    mail_original_read(c, ps, r, &o);
    for (size_t i = 1; i < ps->count && !json_object_get(r, "recipient"); i++)
        if (ps->v[ps->v[i].parent].kind == MAIL_MESSAGE)
            put_address(c, &ps->v[i].fields, "X-HmXmrOriginalRecipient", r, "recipient");
    if (!json_object_get(r, "recipient") && json_array_size(to) == 1)
        json_put_str(r, "recipient", json_string_value(json_array_get(to, 0)));
}

/* Aggregate reports of DMARC and TLS: nobody complains, a machine counts. */
static const char *aggregate_of(struct mail_ctx *c, const struct mail_parts *ps, const json_t *msg)
{
    const char *subject = json_get_str(msg, "subject", "");
    if (is_report(c, ps, "tlsrpt") || mail_fields_get(&ps->v[0].fields, "TLS-Report-Domain"))
        return "tls";
    return strcasestr(subject, "report domain:") && strcasestr(subject, "report-id:") ? "dmarc"
                                                                                      : NULL;
}

bool mail_complaint_read(struct mail_ctx *c, const struct mail_parts *ps, json_t *msg)
{
    const struct mail_part *p = own_part(ps, "message/feedback-report");
    const char *aggregate = aggregate_of(c, ps, msg);
    bool old = !p && is_old_complaint(ps, msg);
    if (!p && !old && !aggregate && !is_report(c, ps, "feedback-report"))
        return false;
    json_t *r = json_object();
    json_object_set_new(msg, "report", r);
    json_put_str(r, "feedback_type", old ? "abuse" : aggregate);
    if (p) {
        struct mail_fields f = {0};
        AUTO_BUF struct buf text;
        buf_init(&text, BOUND_MAIL_SIZE);
        fields_of(c, p, &f, &text);
        AUTO_FREE char *type = mail_field_text(c, &f, "Feedback-Type");
        if (type) {
            text_lower(type);
            json_put_str(r, "feedback_type", text_trim(type));
        }
        put_address(c, &f, "Original-Rcpt-To", r, "recipient");
        put_address(c, &f, "Removal-Recipient", r, "recipient");
        put_address(c, &f, "Original-Mail-From", r, "return_path");
        put_id(c, &f, "Original-Message-ID", r);
        mail_fields_done(&f);
    }
    if (!aggregate)
        complaint_original(c, ps, r);
    return true;
}
