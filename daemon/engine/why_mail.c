/* SPDX-License-Identifier: ISC
 *
 * why_mail - leadctl why M4: everything about one message
 *
 * Who wrote it, what kind of mail it is, what it was filed with, whether anything proved
 * it, which commands stand in it and what became of each, what left because of it; and
 * below that the passes of the journal that it caused, as why tells those of a record.
 * Who and what are read from the message and its rows, the proof and the thread from the
 * notes of the time when it came. Changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/rep_lines.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/rep.h"
#include "engine/why.h"
#include "store/held.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "store/message.h"
#include "store/outbox.h"

#define WHY_MAIL_TEXT MIB(1)
#define MAILS_TOLD 50

struct why_mail {
    struct engine *eng;
    int64_t id;
    json_t *message, *held; /* borrowed; held: {} when nothing of it was */
    struct message_row row;
    struct buf *out;
};

static const char *zone_of(const struct why_mail *w)
{
    return engine_setting(w->eng, "time_zone", "UTC");
}

static void line_add(const struct why_mail *w, const char *label, const char *text)
{
    AUTO_FREE char *line = mem_str(text);
    text_make_line(line);
    if (*line)
        buf_printf(w->out, "  %-8s %s\n", label, line);
}

/* ---- what it is ---------------------------------------------------------------------- */

static void head_write(const struct why_mail *w)
{
    char stamp[40];
    const json_t *m = w->message, *from = json_get_obj(m, "from");
    const char *name = json_get_str(from, "name", ""), *form = json_get_str(m, "form", NULL),
               *subject = json_get_str(m, "subject", "");
    crm_when_tell(zone_of(w), w->row.received_ms, true, stamp, sizeof(stamp));
    AUTO_FREE char *what =
        form ? mem_printf("form %s", form)
             : mem_printf("\"%s\" from %s%s<%s>", subject, name, *name ? " " : "",
                          json_get_str(from, "address", "nobody"));
    text_make_line(what);
    buf_printf(w->out, "M%" PRId64 "  %s  %s\n", w->id, stamp, what);
}

static void kind_write(const struct why_mail *w)
{
    const json_t *a = json_get_obj(w->message, "auto"), *b = json_get_obj(w->message, "bounce");
    const char *why = json_get_str(a, "why", NULL);
    AUTO_FREE char *text =
        mem_printf("%s%s%s%s%s%s%s", json_get_str(w->message, "kind", "?"), why ? ", by its " : "",
                   why ? why : "", b ? ": " : "", json_get_str(b, "recipient", ""), b ? " " : "",
                   json_get_str(b, "status", ""));
    line_add(w, "kind", text);
}

/* By its From; whether that is so is the proof's. */
static int who_write(const struct why_mail *w, struct err *e)
{
    char id[CRM_ID_LEN];
    struct err gone = {0};
    const char *from = json_get_str(json_get_obj(w->message, "from"), "folded", ""),
               *user = crm_user_by_address(w->eng->crm, "email", from);
    json_t *shown = NULL;
    if (user) {
        AUTO_FREE char *text = mem_printf("user %s", user);
        line_add(w, "who", text);
        return 0;
    }
    if (!w->row.contact_id)
        return 0;
    crm_id_format(CRM_CONTACT, w->row.contact_id, id);
    if (crm_show(w->eng->crm, CRM_CONTACT, w->row.contact_id, &shown, &gone) < 0)
        return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    AUTO_JSON json_t *owned = shown;
    const json_t *name = NULL, *f;
    size_t i;
    json_array_foreach(json_get_arr(owned, "fields"), i, f)
        if (strcmp(json_string_value(json_array_get(f, 0)), "Name") == 0)
            name = json_array_get(f, 1);
    AUTO_FREE char *text = mem_printf("contact %s %s", id,
                                      json_is_string(name) ? json_string_value(name) : "");
    line_add(w, "who", text);
    return 0;
}

static int came_write(const struct why_mail *w, struct err *e)
{
    size_t i;
    const json_t *row;
    AUTO_JSON json_t *rows = ledger_of_message(w->eng->db, w->id, e);
    if (!rows)
        return -1;
    for (i = json_array_size(rows); i-- > 0;) {
        row = json_array_get(rows, i);
        const char *reason = json_get_str(row, "reason", "");
        AUTO_FREE char *text = mem_printf("%s: %s%s%s", json_get_str(row, "source", "?"),
                                          json_get_str(row, "state", "?"), *reason ? ", " : "",
                                          reason);
        line_add(w, "came", text);
    }
    return 0;
}

static void filed_write(const struct why_mail *w)
{
    const struct {
        enum crm_entity t;
        int64_t id;
    } with[] = {{CRM_LEAD, w->row.lead_id}, {CRM_CASE, w->row.case_id},
                {CRM_CONTACT, w->row.contact_id}};
    struct buf text AUTO_BUF;
    char id[CRM_ID_LEN];
    buf_init(&text, 256);
    for (size_t i = 0; i < ARRAY_LEN(with); i++)
        if (with[i].id)
            buf_printf(&text, "%s%s", text.len ? ", " : "",
                       crm_id_format(with[i].t, with[i].id, id));
    line_add(w, "filed", text.len ? text.data : "with no record");
}

/* ---- its commands ---------------------------------------------------------------------- */

static void line_write(const struct why_mail *w, const struct rep_line *l)
{
    buf_printf(w->out, "           %s", l->said);
    if (l->what == REP_UNKNOWN && l->near)
        buf_printf(w->out, " -> no command '%s'; did you mean #%s?", l->word, l->near);
    else if (l->what == REP_UNKNOWN)
        buf_printf(w->out, " -> no command '%s'", l->word);
    else if (l->what == REP_BELOW)
        buf_str(w->out, " -> below a quotation: not run");
    buf_char(w->out, '\n');
}

/* What the mail of a user says; whether it was run stands in the passes, or is held. */
static void commands_write(const struct why_mail *w)
{
    char until[40];
    struct rep_lines lines;
    const char *from = json_get_str(json_get_obj(w->message, "from"), "folded", "");
    const json_t *held = w->held;
    if (json_object_size(held)) {
        const char *state = json_get_str(held, "state", "?");
        bool open = strcmp(state, "held") == 0;
        crm_when_tell(zone_of(w), json_get_int(held, open ? "created_ms" : "settled_ms", 0), false,
                      until, sizeof(until));
        AUTO_FREE char *text = mem_printf("H%" PRId64 ", %s %s %s: %s", json_get_int(held, "id", 0),
                                          state, open ? "since" : "at", until,
                                          json_get_str(held, "why", ""));
        line_add(w, "held", text);
    }
    if (!crm_user_by_address(w->eng->crm, "email", from))
        return;
    rep_lines_of(w->eng, w->message, NULL, &lines);
    if (lines.count)
        buf_str(w->out, "  commands\n");
    for (size_t i = 0; i < lines.count; i++)
        line_write(w, &lines.v[i]);
    rep_lines_done(&lines);
}

/* ---- what left --------------------------------------------------------------------------- */

static int mails_write(const struct why_mail *w, struct err *e)
{
    size_t i;
    const json_t *row;
    AUTO_JSON json_t *rows = outbox_of_message(w->eng->db, w->id, json_get_int(w->held, "id", 0),
                                               MAILS_TOLD, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        const char *reply = json_get_str(row, "reply", ""),
                   *state = json_get_str(row, "state", "?");
        bool sent = strcmp(state, "sent") == 0;
        AUTO_FREE char *text =
            mem_printf("mail %" PRId64 " to %s, \"%s\": %s%s%s", json_get_int(row, "id", 0),
                       json_get_str(row, "to", "?"), json_get_str(row, "subject", ""), state,
                       *reply && !sent ? ", " : "", sent ? "" : reply);
        line_add(w, "left", text);
    }
    return 0;
}

/* Those of the time when it came, and of when its commands were let. */
static int passes_read(const struct why_mail *w, json_t *rows, struct err *e)
{
    const int64_t times[] = {w->row.received_ms, json_get_int(w->held, "settled_ms", 0)};
    int64_t last = 0;
    for (size_t k = 0; k < ARRAY_LEN(times) && times[k]; k++) {
        AUTO_JSON json_t *found = journal_of_message(w->eng->db, w->id, times[k], e);
        size_t i;
        json_t *r;
        if (!found)
            return -1;
        json_array_foreach(found, i, r)
            if (json_get_int(r, "id", 0) > last) {
                last = json_get_int(r, "id", 0);
                json_array_append(rows, r);
            }
    }
    return 0;
}

static int passes_write(const struct why_mail *w, json_t *rows, struct err *e)
{
    if (passes_read(w, rows, e) < 0)
        return -1;
    if (json_array_size(rows))
        buf_char(w->out, '\n');
    return why_tell(w->eng, rows, NULL, w->out, e);
}

int why_mail_tell(struct engine *eng, int64_t id, json_t *rows, struct buf *out, struct err *e)
{
    struct why_mail w = {.eng = eng, .id = id, .out = out};
    if (message_get(eng->db, id, &w.row, e) < 0)
        return -1;
    AUTO_JSON json_t *message = message_json(eng->db, id, e);
    AUTO_JSON json_t *held = held_of_message(eng->db, id, e);
    if (!message || !held)
        return -1;
    w.message = message;
    w.held = held;
    head_write(&w);
    kind_write(&w);
    if (who_write(&w, e) < 0 || came_write(&w, e) < 0)
        return -1;
    filed_write(&w);
    commands_write(&w);
    return mails_write(&w, e) < 0 ? -1 : passes_write(&w, rows, e);
}

json_t *ctl_why_mail(struct ctl *c, int64_t id, struct err *e)
{
    struct buf out AUTO_BUF;
    AUTO_JSON json_t *rows = json_array();
    buf_init(&out, WHY_MAIL_TEXT);
    if (c->argc > 2) {
        err_set(e, ERR_INPUT, "why M%" PRId64 ": expected nothing more", id);
        return NULL;
    }
    if (why_mail_tell(c->eng, id, rows, &out, e) < 0)
        return NULL;
    return json_pack("{s:O, s:o}", "passes", rows, "text", json_stringn(out.data, out.len));
}
