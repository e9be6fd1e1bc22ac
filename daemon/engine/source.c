/* SPDX-License-Identifier: ISC
 *
 * source - what other programs tell of: calls, chats, orders, leads, visits
 *
 * The request is verified. What it says is put into words of the CRM by the source's
 * mapping (crm/source_map.h), stored as a message, and filed (crm/happening.h); then the
 * rules run, as for a mail.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/form.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/happening.h"
#include "crm/source_map.h"
#include "engine/enrol.h"
#include "engine/input.h"
#include "engine/webhook.h"
#include "store/message.h"

struct telling {
    struct engine *eng;
    struct webhook *w;
    json_t *record; /* own */
    bool proven;
};

/* The query, as names and texts; own. */
static json_t *query_of(const char *path)
{
    struct form f;
    const char *query = strchr(path, '?');
    form_init(&f);
    if (query)
        form_read_urlencoded(&f, query + 1, strlen(query + 1));
    json_t *values = json_incref(f.values);
    form_done(&f);
    return values;
}

/* JSON is read as it came; a posted form is an object of its names. Own. */
static json_t *body_of(const struct webhook *w, struct err *e)
{
    struct err why = {0};
    json_t *body = NULL;
    if (w->len == 0 || form_type_of(w->type) != FORM_TYPE_JSON)
        return json_incref((json_t *)w->values);
    body = json_load_bounded(w->body, w->len, BOUND_HTTP_BODY_MAX, &why);
    if (!body)
        err_set(e, ERR_INPUT, "the body cannot be read: %s", why.text);
    return body;
}

/* An address that is none stays in the message's defects, and is no reason to refuse the rest. */
static void check_email(json_t *record)
{
    char folded[CRM_ADDRESS_MAX];
    json_t *values = json_get_obj(record, "values");
    const char *email = json_get_str(values, "contact.email", NULL);
    if (!email || crm_email_fold(email, folded) == 0)
        return;
    AUTO_FREE char *text = mem_printf("email: \"%.80s\" is no address", email);
    text[text_utf8_cut(text, strlen(text), 120)] = '\0';
    text_make_line(text);
    json_array_append_new(json_get_arr(record, "defects"), json_string(text));
    json_object_del(values, "contact.email");
}

static int telling_file(struct telling *t, struct input *in, struct message_row *m,
                        const json_t *message, const char **ignored, struct err *e)
{
    struct crm_who who = {0};
    int64_t at = json_get_int(t->record, "at_ms", 0);
    struct crm_happening h = {
        .source = t->w->name,
        .record = t->record,
        .message = message,
        .creates = json_get_str(t->w->conf, "creates", "lead"),
        .proven = t->proven,
        .message_id = m->id,
        .at_ms = at > 0 && at < in->now_ms ? at : in->now_ms,
    };
    if (crm_happening_take(in->ctx, &h, &who, ignored, e) < 0)
        return -1;
    in->target = who.target;
    const char *sequence = json_get_str(t->w->conf, "sequence", NULL);
    AUTO_FREE char *by = sequence && !*ignored ? mem_printf("source %s", t->w->name) : NULL;
    if ((by && enrol_from(in, sequence, by, e) < 0) || input_finish(in, e) < 0)
        return -1;
    m->contact_id = who.target.contact;
    m->lead_id = who.target.lead;
    m->case_id = who.target.kase;
    if (who.new_lead)
        engine_count(t->eng, "leads_created", 1);
    return message_link(t->eng->db, m, e);
}

static int telling_store(struct telling *t, struct err *e)
{
    const char *kind = json_get_str(t->record, "kind", ""), *ignored = NULL;
    check_email(t->record);
    AUTO_JSON json_t *message = crm_happening_message(t->eng->crm, t->w->name, t->record);
    AUTO_FREE char *text = json_line(message);
    struct message_row m = {.channel = source_activity(kind),
                            .kind = "person",
                            .date_ms = json_get_int(t->record, "at_ms", 0),
                            .received_ms = t->w->at_ms};
    if (message_add(t->eng->db, &m, text, t->w->body, t->w->len, e) < 0)
        return -1;
    struct input in;
    input_begin(&in, t->eng, mem_printf("%s of %s M%" PRId64, kind, t->w->name, m.id),
                mem_printf("M%" PRId64, m.id));
    int rc = telling_file(t, &in, &m, message, &ignored, e);
    if (rc == 0)
        log_info("source.filed", "message=M%" PRId64 " source=%s kind=%s ignored=\"%s\"", m.id,
                 t->w->name, kind, ignored ? ignored : "");
    input_end(&in);
    return rc < 0 ? -1 : webhook_filed(t->eng, t->w, ignored, m.id, e);
}

/* The event's name. A header names nothing where the signature covers the body alone: who has
 * seen such a request could send it again under another name. Borrowed, or NULL. */
static const char *event_name(const struct webhook *w, const json_t *record)
{
    bool loose = json_get_bool(record, "event_outside", false);
    return w->bound && loose ? NULL : json_get_str(record, "event", NULL);
}

int source_take(struct engine *eng, struct webhook *w, struct err *e)
{
    struct telling t = {.eng = eng, .w = w};
    bool fresh;
    AUTO_JSON json_t *body = body_of(w, e), *query = query_of(w->path);
    if (!body)
        return -1;
    const struct source_in in = {.body = body, .query = query, .headers = w->headers};
    AUTO_JSON json_t *record = source_map(w->conf, &in, engine_setting(eng, "currency", "EUR"));
    t.record = record;
    t.proven = strcmp(json_get_str(json_get_obj(w->conf, "verify"), "scheme", "none"), "none") != 0;
    if (webhook_enter(eng, w, event_name(w, record), &fresh, e) < 0)
        return -1;
    if (!fresh)
        return 0;
    const char *why = json_get_str(record, "why", NULL);
    return why ? webhook_filed(eng, w, why, 0, e) : telling_store(&t, e);
}
