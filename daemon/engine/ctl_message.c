/* SPDX-License-Identifier: ISC
 *
 * ctl_message - ledger, show M12, message M12 2: what arrived, how it was read, its files
 *
 * Everything that arrived has a row of the ledger: filed, ignored or quarantined,
 * and why. A message tells its defects: what was malformed, and how it was read.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/ctl.h"
#include "engine/letter.h"
#include "store/ledger.h"
#include "store/message.h"

#define RAW_SHOWN (64 * 1024)
#define TEXT_SHOWN (16 * 1024)
#define FILE_MAX BOUND_MAIL_SIZE

static void row_shape(json_t *row)
{
    char stamp[32], id[CRM_ID_LEN] = "";
    int64_t message = json_get_int(row, "message_id", 0), lead = json_get_int(row, "lead_id", 0),
            kase = json_get_int(row, "case_id", 0);
    AUTO_FREE char *m = message ? mem_printf("M%" PRId64, message) : mem_str("");
    if (lead || kase)
        crm_id_format(lead ? CRM_LEAD : CRM_CASE, lead ? lead : kase, id);
    json_put_str(row, "message", m);
    json_put_str(row, "record", id);
    json_put_str(row, "at", clock_format_utc(json_get_int(row, "at_ms", 0), stamp, sizeof(stamp)));
}

static json_t *arrivals(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        row_shape(row);
    return ctl_table(rows, "at ARRIVED|source SOURCE|key KEY|state STATE|message MESSAGE|"
                           "record RECORD|reason REASON");
}

json_t *ctl_ledger(struct ctl *c, struct err *e)
{
    const char *state = ctl_option(c, "state");
    if (ctl_options_check(c, 1, "state source limit", e) < 0)
        return NULL;
    if (state && strcmp(state, "filed") != 0 && strcmp(state, "ignored") != 0 &&
        strcmp(state, "quarantined") != 0) {
        err_set(e, ERR_INPUT, "state=%s: expected filed, ignored or quarantined", state);
        return NULL;
    }
    json_t *rows = ledger_list(c->eng->db, state, ctl_option(c, "source"), ctl_limit(c), e);
    return rows ? arrivals(rows) : NULL;
}

/* ---- one message ------------------------------------------------------------ */

static void field(json_t *fields, const char *label, const char *value)
{
    if (value && *value)
        json_array_append_new(fields, json_pack("[s, s]", label, value));
}

static void field_time(json_t *fields, const char *label, const json_t *m, const char *key)
{
    char stamp[32];
    if (json_object_get(m, key))
        field(fields, label, clock_format_utc(json_get_int(m, key, 0), stamp, sizeof(stamp)));
}

/* [{address, name}] -> "Ada <ada@example.com>, .." */
static void field_addresses(json_t *fields, const char *label, const json_t *list)
{
    struct buf b AUTO_BUF;
    size_t i;
    json_t *a;
    buf_init(&b, TEXT_SHOWN);
    json_array_foreach((json_t *)list, i, a) {
        const char *name = json_get_str(a, "name", NULL);
        buf_printf(&b, name ? "%s%s <%s>" : "%s%s%s", i ? ", " : "", name ? name : "",
                   json_get_str(a, "address", ""));
    }
    field(fields, label, b.data);
}

static json_t *message_fields(const json_t *m, int64_t id)
{
    json_t *fields = json_array();
    AUTO_FREE char *name = mem_printf("M%" PRId64, id);
    AUTO_JSON json_t *from = json_array();
    if (json_get_obj(m, "from"))
        json_array_append(from, json_get_obj(m, "from"));
    field(fields, "Id", name);
    field(fields, "Channel", json_get_str(m, "channel", ""));
    field(fields, "Kind", json_get_str(m, "kind", ""));
    field(fields, "Form", json_get_str(m, "form", NULL));
    field_addresses(fields, "From", from);
    field_addresses(fields, "Reply-To", json_get_arr(m, "reply_to"));
    field_addresses(fields, "To", json_get_arr(m, "to"));
    field_addresses(fields, "Cc", json_get_arr(m, "cc"));
    field_time(fields, "Date", m, "date_ms");
    field(fields, "Subject", json_get_str(m, "subject", NULL));
    field(fields, "Message-ID", json_get_str(m, "message_id", NULL));
    return fields;
}

static void section_text(json_t *sections, const char *title, const char *s, size_t n, size_t max)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 4 * max);
    text_add_utf8(&b, s, text_utf8_cut(s, n, max));
    if (n > max)
        buf_printf(&b, "\n[%zu of %zu bytes are shown]", max, n);
    json_array_append_new(sections, json_pack("{s:s, s:s}", "title", title, "text", b.data));
}

static void section_rows(json_t *sections, const char *title, const char *name, const char *head,
                         const json_t *list)
{
    size_t i;
    json_t *v, *rows = json_array();
    json_array_foreach((json_t *)list, i, v)
        json_array_append_new(rows, json_pack("{s:O}", name, v));
    if (json_array_size(rows) == 0) {
        json_decref(rows);
        return;
    }
    json_array_append_new(sections, json_pack("{s:s, s:[{s:s, s:s}], s:o}", "title", title,
                                              "columns", "name", name, "title", head, "rows", rows));
}

static void section_parts(json_t *sections, json_t *list)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        json_put_int(v, "n", (int64_t)i + 1);
        if (json_object_get(v, "url") && !json_object_get(v, "at"))
            json_put_str(v, "link", json_get_str(v, "url", ""));
    }
    if (json_array_size(list) > 0)
        json_array_append_new(
            sections, ctl_section("Attachments", json_incref(list),
                                  "n #|filename FILE|type TYPE|size SIZE|field FIELD|link LINK|why WHY"));
}

static void section_values(json_t *sections, const char *title, const json_t *values)
{
    const char *key;
    json_t *v, *fields = json_array();
    json_object_foreach((json_t *)values, key, v)
        json_array_append_new(fields, json_pack("[s, O]", key, v));
    if (json_array_size(fields) == 0) {
        json_decref(fields);
        return;
    }
    json_array_append_new(sections, json_pack("{s:s, s:o}", "title", title, "fields", fields));
}

static json_t *message_shape(json_t *m, int64_t id, json_t *rows, const char *raw, size_t n)
{
    json_t *sections = json_array();
    json_t *came = arrivals(rows);
    const char *text = json_get_str(m, "text", "");
    json_put_str(came, "title", "Arrived");
    json_array_append_new(sections, came);
    section_rows(sections, "Defects", "defect", "WHAT WAS MALFORMED, AND HOW IT WAS READ",
                 json_get_arr(m, "defects"));
    section_parts(sections, json_get_arr(m, "attachments"));
    section_values(sections, "Fields", json_get_obj(m, "fields"));
    section_values(sections, "Other fields", json_get_obj(m, "extra"));
    if (*text)
        section_text(sections, "Text", text, strlen(text), TEXT_SHOWN);
    if (raw)
        section_text(sections, "As it came", raw, n, RAW_SHOWN);
    return json_pack("{s:o, s:o, s:O}", "fields", message_fields(m, id), "sections", sections,
                     "message", m);
}

json_t *ctl_message_show(struct ctl *c, int64_t id, bool raw, struct err *e)
{
    size_t n = 0;
    AUTO_JSON json_t *m = message_json(c->eng->db, id, e);
    AUTO_FREE char *bytes = m && raw ? message_raw(c->eng->db, id, &n, e) : NULL;
    if (!m || (raw && !bytes))
        return NULL;
    json_t *rows = ledger_of_message(c->eng->db, id, e);
    return rows ? message_shape(m, id, rows, bytes, n) : NULL;
}

/* ---- one attachment ------------------------------------------------------------ */

static int message_file(struct ctl *c, int64_t id, int64_t number, json_t **file_out,
                        struct err *e)
{
    size_t n = 0;
    struct buf b AUTO_BUF;
    buf_init(&b, 2 * FILE_MAX);
    AUTO_JSON json_t *m = message_json(c->eng->db, id, e);
    AUTO_FREE char *raw = m ? message_raw(c->eng->db, id, &n, e) : NULL;
    if (!raw)
        return -1;
    json_t *list = json_get_arr(m, "attachments"),
           *file = number > 0 ? json_array_get(list, (size_t)number - 1) : NULL;
    if (!file)
        return err_set(e, ERR_INPUT, "M%" PRId64 " has %zu attachments; show M%" PRId64
                       " names them", id, json_array_size(list), id);
    if (json_object_get(file, "url") && !json_object_get(file, "at"))
        return err_set(e, ERR_INPUT, "this file is a link: %s (%s)", json_get_str(file, "url", ""),
                       json_get_str(file, "why", json_object_get(file, "fetch")
                                                     ? "it is being fetched"
                                                     : "it is not fetched"));
    if (!letter_file_read(file, raw, n, FILE_MAX, &b))
        return err_set(e, ERR_INPUT, "this attachment does not stand in the message as it is kept: "
                       "it was too large to be fetched, or is part of another one");
    c->raw_len = b.len;
    c->raw = b.len ? buf_take(&b) : NULL;
    *file_out = json_incref(file);
    return 0;
}

json_t *ctl_message(struct ctl *c, struct err *e)
{
    int64_t id, number;
    json_t *file;
    if (c->argv[1][0] != 'M' || text_parse_int(c->argv[1] + 1, &id) < 0 ||
        text_parse_int(c->argv[2], &number) < 0) {
        err_set(e, ERR_INPUT, "message: expected M12 and the number of an attachment");
        return NULL;
    }
    if (message_file(c, id, number, &file, e) < 0)
        return NULL;
    json_t *data = json_pack("{s:s, s:O}", "text", json_get_str(file, "filename", ""), "file", file);
    json_decref(file);
    return data;
}
