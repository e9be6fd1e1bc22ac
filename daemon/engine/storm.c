/* SPDX-License-Identifier: ISC
 *
 * storm - see storm.h
 */
#include "engine/storm.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/notice.h"
#include "engine/outgoing.h"
#include "rule/template.h"
#include "store/notices.h"

#define PER_HOUR 30

static void storm_text(const struct notices_row *row, struct buf *subject, struct buf *text)
{
    size_t i, n = json_array_size(row->lines);
    const json_t *line;
    buf_printf(subject, "leadd: and %" PRId64 " more notices", row->more);
    buf_printf(text, "Within one hour you had %" PRId64 " notices, and there were %" PRId64
               " more. Here %s:\n\n", row->sent, row->more,
               row->more > (int64_t)n ? "are the first of them" : "they are");
    json_array_foreach(row->lines, i, line)
        buf_printf(text, "%s\n", json_string_value(line) ? json_string_value(line) : "");
    if (row->more > (int64_t)n)
        buf_printf(text, "and %" PRId64 " more\n", row->more - (int64_t)n);
    buf_str(text, "\nleadctl list leads, or show and why with a number, tells more.\n");
}

/* The words as they are now; the row of the outbox stands already. */
static int storm_fill(struct engine *eng, const struct notices_row *row, bool again, struct err *e)
{
    struct buf subject AUTO_BUF, text AUTO_BUF;
    buf_init(&subject, 256);
    buf_init(&text, KIB(64));
    storm_text(row, &subject, &text);
    return notice_fill(eng, row->outbox_id, row->to_addr, subject.data, text.data, again, e);
}

int storm_write(struct engine *eng, int64_t outbox, const char *to, struct err *e)
{
    struct notices_row row;
    if (notices_get(eng->db, to, &row, e) < 0)
        return -1;
    int rc = 0;
    if (row.outbox_id == outbox) {
        rc = storm_fill(eng, &row, true, e);
        row.outbox_id = row.more = 0;
        json_array_clear(row.lines);
        if (rc == 0)
            rc = notices_put(eng->db, &row, e);
    }
    notices_done(&row);
    return rc;
}

/* Takes the line. */
static void storm_line(struct notices_row *row, char *line)
{
    line[text_utf8_cut(line, strlen(line), 200)] = '\0';
    if (*line)
        json_array_append_new(row->lines, json_string(line));
    mem_free(line);
}

/* What is told of a notice of rules: its own subject; own. "": it is only counted. */
static char *storm_subject(struct input *in, const struct crm_send *s)
{
    struct template_result r;
    struct err e = {0};
    if (crm_render_notice(in->ctx, &s->target, &s->actor, &r, &e) < 0)
        return mem_str("");
    char *line = mem_str(r.subject);
    template_result_done(&r);
    return line;
}

/* The mail that will tell of the others. */
static int storm_begin(struct input *in, struct notices_row *row, struct err *e)
{
    struct outbox_row out;
    char why[OUTGOING_WHY_MAX];
    AUTO_FREE char *intent = mem_printf("summary/%s/%" PRId64, row->to_addr, row->since_ms);
    struct outgoing o = {.intent = intent,
                         .class_ = STORM_CLASS,
                         .mail = {.to = row->to_addr, .ours = true, .counted = true},
                         .now_ms = in->now_ms,
                         .next_ms = row->since_ms + HOUR_MS};
    if (outgoing_add(in->eng, &o, &out, why, e) < 0)
        return -1;
    row->outbox_id = out.id;
    log_info("notice.storm", "to=\"%s\" notices=%" PRId64 " next=\"the others in one mail\"",
             row->to_addr, row->sent);
    return out.id ? storm_fill(in->eng, row, false, e) : 0;
}

/* A new hour. What the old one left is told as it stands, also when it waits on. */
static int storm_turn(struct input *in, struct notices_row *row, struct err *e)
{
    int rc = row->outbox_id ? storm_fill(in->eng, row, true, e) : 0;
    json_array_clear(row->lines);
    row->since_ms = in->now_ms;
    row->sent = row->more = row->outbox_id = 0;
    return rc;
}

/* send or line says what is told of it. */
static int storm_count(struct input *in, const struct crm_send *send, const char *line,
                       struct notices_row *row, bool *later_out, struct err *e)
{
    int64_t most = json_get_int(in->eng->settings, "notices_per_hour", PER_HOUR);
    if ((in->now_ms - row->since_ms >= HOUR_MS || in->now_ms < row->since_ms) &&
        storm_turn(in, row, e) < 0)
        return -1;
    *later_out = row->sent >= most;
    if (!*later_out) {
        row->sent++;
        return 0;
    }
    row->more++;
    if (json_array_size(row->lines) < BOUND_NOTICE_LINES)
        storm_line(row, send ? storm_subject(in, send) : mem_str(line));
    engine_count(in->eng, "notices_together", 1);
    return row->outbox_id ? 0 : storm_begin(in, row, e);
}

static int storm_ask(struct input *in, const char *to, const struct crm_send *send, const char *line,
                     bool *later_out, struct err *e)
{
    struct notices_row row;
    *later_out = false;
    if (notices_get(in->eng->db, to, &row, e) < 0)
        return -1;
    int rc = storm_count(in, send, line, &row, later_out, e);
    if (rc == 0)
        rc = notices_put(in->eng->db, &row, e);
    notices_done(&row);
    return rc;
}

int storm_check(struct input *in, const struct crm_send *s, bool *later_out, struct err *e)
{
    return storm_ask(in, s->to, s, NULL, later_out, e);
}

int storm_check_line(struct input *in, const char *to, const char *line, bool *later_out,
                     struct err *e)
{
    return storm_ask(in, to, NULL, line, later_out, e);
}
