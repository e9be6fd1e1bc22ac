/* SPDX-License-Identifier: ISC
 *
 * form - see form.h
 */
#include "crm/form.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/offer.h"
#include "rule/sequence.h"
#include "store/contact.h"

/* Targets that are no field of a record: the words of the form's message. */
static bool is_message_target(const char *to)
{
    return !strcmp(to, "message.text") || !strcmp(to, "message.subject");
}

const json_t *crm_form_conf(const struct crm *crm, const char *form)
{
    const json_t *conf = json_get_obj(crm->forms, form);
    return conf ? conf : json_get_obj(crm->source_forms, form);
}

static const json_t *form_fields(const struct crm *crm, const char *form)
{
    return json_get_obj(crm_form_conf(crm, form), "fields");
}

static void form_target_check(const struct crm *crm, const char *form, const char *posted,
                              const char *to, const char *at, struct errlist *errors)
{
    struct err e = {0};
    const struct crm_field *field =
        is_message_target(to) ? NULL : crm_fieldset_find(crm->fieldset, to, &e);
    if (is_message_target(to))
        return;
    if (!field)
        errlist_add(errors, at, "forms: %s.%s: %s", form, posted, e.text);
    else if (!field->settable || field->entity == CRM_TASK)
        errlist_add(errors, at, "forms: %s.%s: %s cannot be set", form, posted, to);
}

void crm_forms_check(const struct crm *crm, struct errlist *errors)
{
    const char *form, *posted;
    const json_t *f, *v;
    size_t i;
    json_object_foreach((json_t *)crm->forms, form, f) {
        bool reach = false;
        json_object_foreach(json_get_obj(f, "fields"), posted, v) {
            const char *to = json_get_str(v, "to", ""), *at = json_get_str(v, "at", NULL);
            reach |= !strcmp(to, "contact.email") || !strcmp(to, "contact.phone");
            if (*to)
                form_target_check(crm, form, posted, to, at, errors);
        }
        json_array_foreach(json_get_arr(f, "fixed"), i, v)
            form_target_check(crm, form, "fixed", json_get_str(v, "to", ""),
                              json_get_str(v, "at", NULL), errors);
        if (!reach)
            errlist_add(errors, json_get_str(f, "at", NULL),
                        "forms: %s: no field goes to contact.email or contact.phone, so nobody "
                        "could be answered", form);
    }
}

/* A sequence that a post could never begin is a mistake. */
static void begins_check(const struct crm *crm, const char *what, const char *name, const json_t *conf,
                         struct errlist *errors)
{
    struct err e = {0};
    const char *sequence = json_get_str(conf, "sequence", NULL), *at = json_get_str(conf, "at", NULL),
               *creates = json_get_str(conf, "creates", "lead");
    const struct sequence *q = sequence ? crm_sequence(crm, sequence) : NULL;
    if (!sequence)
        return;
    if (cmd_known(json_get_obj(crm->config, "sequences"), "sequence", sequence, &e) < 0)
        errlist_add(errors, at, "%s: %s.sequence: %s", what, name, e.text);
    else if (q && strcmp(creates, "nothing") != 0 && strcmp(sequence_on(q), "contact") != 0 &&
             strcmp(sequence_on(q), creates) != 0)
        errlist_add(errors, at, "%s: %s.sequence: %s is for a %s, and this makes a %s", what, name,
                    sequence, sequence_on(q), creates);
}

void crm_begins_check(const struct crm *crm, const char *what, struct errlist *errors)
{
    const char *name;
    const json_t *conf;
    json_object_foreach(json_get_obj(crm->config, what), name, conf)
        begins_check(crm, what, name, conf, errors);
}

/* What was posted, as text: JSON forms post numbers and booleans, too, and a
 * checkbox group posts several. */
static char *posted_text(const json_t *v)
{
    if (json_is_string(v))
        return mem_str(json_string_value(v));
    if (json_is_integer(v))
        return mem_printf("%" PRId64, (int64_t)json_integer_value(v));
    if (json_is_real(v))
        return mem_printf("%.15g", json_real_value(v));
    if (json_is_boolean(v))
        return mem_str(json_is_true(v) ? "yes" : "no");
    if (!json_is_array(v))
        return NULL;
    struct buf b;
    size_t i;
    const json_t *item;
    buf_init(&b, BOUND_FORM_VALUE);
    json_array_foreach((json_t *)v, i, item) {
        if (!json_is_string(item))
            continue;
        buf_str(&b, b.len ? ", " : "");
        buf_str(&b, json_string_value(item));
    }
    char *text = b.len ? buf_take(&b) : NULL;
    buf_done(&b);
    return text;
}

/* What the config says of a field that nobody posted; own, or NULL. */
static char *form_fixed(const struct crm *crm, const char *form, const char *field)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_get_arr(json_get_obj(crm->forms, form), "fixed"), i, v)
        if (!strcmp(json_get_str(v, "to", ""), field))
            return mem_str(json_get_str(v, "value", ""));
    return NULL;
}

char *crm_form_value(const struct crm *crm, const char *form, const json_t *fields,
                     const char *field)
{
    const char *posted;
    const json_t *v;
    json_object_foreach((json_t *)form_fields(crm, form), posted, v) {
        if (strcmp(json_get_str(v, "to", ""), field))
            continue;
        AUTO_FREE char *text = posted_text(json_object_get(fields, posted));
        if (text && *text_trim(text))
            return mem_str(text_trim(text));
    }
    return form_fixed(crm, form, field);
}

int crm_form_check(struct crm *crm, const char *form, const json_t *fields, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    const char *posted;
    const json_t *v;
    if (!form || !crm_form_conf(crm, form))
        return err_set(e, ERR_INPUT, "no form '%s'", form ? form : "");
    json_object_foreach((json_t *)form_fields(crm, form), posted, v) {
        if (strcmp(json_get_str(v, "to", ""), "contact.email"))
            continue;
        AUTO_FREE char *text = posted_text(json_object_get(fields, posted));
        if (text && *text_trim(text) && crm_email_fold(text_trim(text), folded) < 0)
            return err_set(e, ERR_INPUT, "%s: this is no email address", posted);
    }
    return 0;
}

/* Is something in the field already? */
static int field_is_set(struct crm_ctx *ctx, const struct crm_field *f, int64_t id, bool *out,
                        struct err *e)
{
    const json_t *rec = crm_record(ctx, f->entity, id, e), *a, *list;
    size_t i;
    if (!rec)
        return -1;
    if (text_starts(f->key, "custom.")) {
        *out = json_object_get(json_get_obj(rec, "custom"), f->key + 7) != NULL;
    } else if (f->entity == CRM_CONTACT && (!strcmp(f->key, "email") || !strcmp(f->key, "phone"))) {
        *out = false;
        list = crm_addresses(ctx, id, e);
        if (!list)
            return -1;
        json_array_foreach((json_t *)list, i, a)
            *out |= !strcmp(json_get_str(a, "channel", ""), f->key);
    } else if (f->entity == CRM_COMPANY && !strcmp(f->key, "name")) {
        /* named after its domain, for want of better */
        *out = strcmp(json_get_str(rec, "name", ""), json_get_str(rec, "domain", "")) != 0;
    } else {
        *out = json_object_get(rec, f->key) != NULL && strcmp(f->key, "score") &&
               strcmp(f->key, "priority");
    }
    return 0;
}

/* An address that is somebody else's stays his. */
static int address_is_free(struct crm_ctx *ctx, const struct crm_field *f, const json_t *v,
                           bool *out, struct err *e)
{
    AUTO_JSON json_t *row = NULL;
    *out = true;
    if (f->entity != CRM_CONTACT || (strcmp(f->key, "email") && strcmp(f->key, "phone")))
        return 0;
    if (address_get(ctx->crm->db, f->key, json_string_value(v), &row, e) < 0)
        return -1;
    *out = json_get_int(row, "contact_id", 0) == 0;
    return 0;
}

/* A number that the record does not take by itself. */
static int offer_phone(struct crm_ctx *ctx, int64_t contact, const char *text, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    if (crm_phone_fold(text, ctx->crm->country, folded, sizeof(folded)) < 0)
        return 0;
    return crm_offer_address(ctx, contact, "phone", folded, "form", e);
}

static int fill_field(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_field *f,
                      const char *text, struct err *e)
{
    int64_t id = crm_target_id(t, f->entity);
    bool set = true, avail = false;
    if (!id)
        return 0;
    if (field_is_set(ctx, f, id, &set, e) < 0)
        return -1;
    if (!strcmp(f->name, "contact.phone") && set)
        return offer_phone(ctx, id, text, e);
    AUTO_JSON json_t *v = set ? NULL : crm_field_parse(ctx->crm, f, text, NULL, ctx->now_ms, NULL);
    if (!v)
        return 0;
    if (address_is_free(ctx, f, v, &avail, e) < 0)
        return -1;
    if (!avail)
        return strcmp(f->name, "contact.phone") ? 0 : offer_phone(ctx, id, text, e);
    if (crm_field_set(ctx, t, f, text, e) < 0)
        return -1;
    return strcmp(f->name, "contact.phone") ? 0 : crm_fill_country(ctx, id, json_string_value(v), e);
}

/* What each post of the form brings along, whatever was posted. */
static int fill_fixed(struct crm_ctx *ctx, const char *form, const struct crm_target *t,
                      struct err *e)
{
    size_t i;
    const json_t *v;
    json_array_foreach(json_get_arr(json_get_obj(ctx->crm->forms, form), "fixed"), i, v) {
        const struct crm_field *f =
            crm_fieldset_find(ctx->crm->fieldset, json_get_str(v, "to", ""), NULL);
        if (f && fill_field(ctx, t, f, json_get_str(v, "value", ""), e) < 0)
            return -1;
    }
    const char *lang = json_get_str(json_get_obj(ctx->crm->forms, form), "lang", NULL);
    const struct crm_field *f =
        lang ? crm_fieldset_find(ctx->crm->fieldset, "contact.language", NULL) : NULL;
    return f ? fill_field(ctx, t, f, lang, e) : 0;
}

int crm_form_fill(struct crm_ctx *ctx, const char *form, const json_t *fields,
                  const struct crm_target *t, struct err *e)
{
    const char *posted;
    const json_t *v;
    json_object_foreach((json_t *)form_fields(ctx->crm, form), posted, v) {
        const char *to = json_get_str(v, "to", "");
        const struct crm_field *f =
            is_message_target(to) ? NULL : crm_fieldset_find(ctx->crm->fieldset, to, NULL);
        AUTO_FREE char *text = posted_text(json_object_get(fields, posted));
        if (f && text && *text_trim(text) && fill_field(ctx, t, f, text_trim(text), e) < 0)
            return -1;
    }
    return fill_fixed(ctx, form, t, e);
}

json_t *crm_form_misfits(const struct crm *crm, const char *form, const json_t *fields,
                         int64_t now_ms)
{
    const char *posted;
    const json_t *v;
    json_t *all = json_array();
    json_object_foreach((json_t *)form_fields(crm, form), posted, v) {
        struct err why = {0};
        const char *to = json_get_str(v, "to", ""), *said = why.text;
        const struct crm_field *f =
            is_message_target(to) ? NULL : crm_fieldset_find(crm->fieldset, to, NULL);
        AUTO_FREE char *text = posted_text(json_object_get(fields, posted));
        if (!f || !text || !*text_trim(text))
            continue;
        AUTO_JSON json_t *value = crm_field_parse(crm, f, text_trim(text), NULL, now_ms, &why);
        if (value)
            continue;
        if (text_starts(said, to) && text_starts(said + strlen(to), ": "))
            said += strlen(to) + 2;
        AUTO_FREE char *line = mem_printf("%s: %s; not taken into %s", posted, said, to);
        json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "posted", posted, "to", to, "text",
                                             line));
    }
    return all;
}

json_t *crm_form_message(const struct crm *crm, const char *form, const json_t *fields,
                         const json_t *files)
{
    char folded[CRM_ADDRESS_MAX] = "";
    AUTO_FREE char *email = crm_form_value(crm, form, fields, "contact.email");
    AUTO_FREE char *name = crm_form_value(crm, form, fields, "contact.name");
    AUTO_FREE char *text = crm_form_value(crm, form, fields, "message.text");
    AUTO_FREE char *subject = crm_form_value(crm, form, fields, "message.subject");
    json_t *m = json_object(), *from = json_object();
    if (!subject)
        subject = crm_form_value(crm, form, fields, "lead.subject");
    if (email && crm_email_fold(text_trim(email), folded) == 0) {
        json_put_str(from, "address", text_trim(email));
        json_put_str(from, "folded", folded);
    }
    json_put_str(from, "name", name);
    json_object_set_new(m, "from", from);
    json_put_str(m, "channel", "form");
    json_put_str(m, "kind", "person");
    json_put_str(m, "subject", subject);
    json_put_str(m, "text", text);
    json_put_str(m, "reply", text);
    json_put_str(m, "form", form);
    json_object_set_new(m, "attachments", files ? json_incref((json_t *)files) : json_array());
    return m;
}
