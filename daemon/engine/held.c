/* SPDX-License-Identifier: ISC
 *
 * held - see held.h; and leadctl held
 */
#include "engine/held.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/notice_words.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/notice.h"
#include "engine/ours.h"
#include "engine/rep.h"
#include "rule/zone.h"
#include "store/held.h"

static const char *user_email(const struct engine *eng, const char *user)
{
    return json_get_str(crm_user(eng->crm, user), "email", NULL);
}

static const char *record_text(const json_t *row, char out[CRM_ID_LEN])
{
    enum crm_entity t = crm_entity_parse(json_get_str(row, "entity", ""));
    return t == CRM_NONE ? "" : crm_id_format(t, json_get_int(row, "record_id", 0), out);
}

/* ---- holding ------------------------------------------------------------------------ */

/* What the user is shown: he may not have written it, so it is bounded and plain. */
static void lines_show(struct buf *out, const json_t *lines)
{
    size_t i;
    const json_t *v;
    json_array_foreach((json_t *)lines, i, v) {
        const char *s = json_is_string(v) ? json_string_value(v) : "";
        if (i == BOUND_HELD_LINES) {
            buf_printf(out, "... and %zu more\n", json_array_size(lines) - i);
            return;
        }
        size_t n = text_utf8_cut(s, strlen(s), BOUND_HELD_LINE);
        AUTO_FREE char *line = mem_strn(s, n);
        text_make_line(line);
        buf_printf(out, "%s%s\n", line, s[n] ? " ..." : "");
    }
}

static char *indented(const char *lines)
{
    struct buf b AUTO_BUF;
    buf_init(&b, 64 * 1024);
    for (const char *p = lines; *p; p += strcspn(p, "\n"), p += *p == '\n')
        buf_printf(&b, "    %.*s\n", (int)strcspn(p, "\n"), p);
    return buf_take(&b);
}

/* A stranger's words in our mail: one line, cut. */
static char *from_show(const char *from)
{
    char *s = mem_strn(from, text_utf8_cut(from, strlen(from), BOUND_HELD_LINE));
    text_make_line(s);
    return s;
}

/* The words of the question; ERR_INPUT never. */
static int ask_words(struct engine *eng, const struct held_row *row, const char *from,
                     bool answerable, struct template_result *out, struct err *e)
{
    char when[64], id[32], message[32], record[CRM_ID_LEN] = "";
    const char *zone = zone_name(assign_zone(eng->crm, row->user));
    AUTO_FREE char *lines = indented(row->lines), *shown = from_show(from ? from : "?");
    crm_when_print(zone, row->created_ms + BOUND_HELD_MS, when, sizeof(when));
    AUTO_FREE char *until = mem_printf("%s (%s)", when, zone);
    snprintf(id, sizeof(id), "H%" PRId64, row->id);
    snprintf(message, sizeof(message), "M%" PRId64, row->message_id);
    if (row->entity)
        crm_id_format(crm_entity_parse(row->entity), row->record_id, record);
    AUTO_JSON json_t *values = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "why", row->why,
                                         "message", message, "record", record, "commands", lines);
    json_put_str(values, "from", shown);
    json_put_str(values, "until", answerable ? until : NULL);
    return crm_notice_words(eng->crm, "held", values, out, e);
}

/* Too many to tell one by one: somebody is at it. */
static int held_flood(struct engine *eng, const struct held_row *row, struct err *e)
{
    char hour[32];
    AUTO_FREE char *key = mem_printf("held/%s/%s", row->user, notice_hour(hour));
    AUTO_FREE char *text =
        mem_printf("More than %d mails in an hour came in the name of %s, with commands and without "
                   "proof that %s wrote them.\nThey are held, and %s is told of no more of them in "
                   "this hour. See: leadctl held list\n",
                   BOUND_HELD_TOLD, row->user, row->user, row->user);
    return notice_admin(eng, key, "leadd: many commands that nothing proves", text, e);
}

static int held_tell(struct engine *eng, const struct held_row *row, const char *from,
                     int64_t in_hour, const struct crm_target *t, struct err *e)
{
    char prefix[OURS_NAME_MAX];
    struct ours o = {.kind = OURS_CONFIRM, .id = row->id};
    const char *to = user_email(eng, row->user);
    if (in_hour > BOUND_HELD_TOLD)
        return held_flood(eng, row, e);
    if (!to)
        return 0;
    ours_name(eng, &o, prefix);
    AUTO_FREE char *reply_to = ours_address(eng, &o);
    AUTO_FREE char *intent = mem_printf("held/%" PRId64, row->id);
    struct template_result w = {0};
    if (ask_words(eng, row, from, reply_to != NULL, &w, e) < 0)
        return -1;
    struct notice n = {.intent = intent, .to = to, .subject = w.subject, .text = w.text,
                       .reply_to = reply_to, .id_prefix = prefix, .lead_id = t->lead,
                       .case_id = t->kase, .contact_id = t->contact};
    int rc = notice_send(eng, &n, NULL, e);
    template_result_done(&w);
    return rc;
}

int held_put(struct engine *eng, const struct held_mail *m, int64_t *id_out, struct err *e)
{
    const struct crm_target *t = &m->target;
    bool is_case = t->kase && (t->main == CRM_CASE || !t->lead);
    enum crm_entity what = is_case ? CRM_CASE : t->lead ? CRM_LEAD : t->contact ? CRM_CONTACT
                                                                                : CRM_NONE;
    struct buf lines AUTO_BUF;
    int64_t now = clock_now_ms(), in_hour;
    buf_init(&lines, 64 * 1024);
    lines_show(&lines, m->lines);
    struct held_row row = {.user = m->user, .message_id = m->message_id,
                           .entity = crm_entity_name(what),
                           .record_id = is_case ? t->kase : t->lead ? t->lead : t->contact,
                           .lines = lines.data, .why = m->why, .created_ms = now};
    *id_out = 0;
    if (held_add(eng->db, &row, e) < 0)
        return -1;
    *id_out = row.id;
    if (row.id == 0)
        return 0;
    engine_count(eng, "commands_held", 1);
    log_warn("command.held", "held=H%" PRId64 " message=M%" PRId64 " user=%s why=\"%s\" "
             "next=\"the user is asked\"", row.id, row.message_id, row.user, row.why);
    if (held_count_since(eng->db, m->user, now - HOUR_MS, &in_hour, e) < 0)
        return -1;
    return held_tell(eng, &row, m->from, in_hour, t, e);
}

/* ---- the answer ------------------------------------------------------------------------ */

enum said { SAID_NOTHING, SAID_YES, SAID_NO };

/* The first word of the first line that has one. Nothing at all is no answer: machines
 * that do not say what they are write such mails. */
static enum said said_read(const char *reply)
{
    static const char *const yes[] = {"yes", "y", "ok", "okay", "confirm", "confirmed", "ja", "oui",
                                      "si", "s\xc3\xad", "sim", "tak", "ano", "da"};
    static const char *const no[] = {"no", "n", "nein", "non", "nej", "nee", "drop"};
    char word[16];
    const char *p = reply + strspn(reply, " \t\r\n#");
    size_t line = strcspn(p, "\r\n"), n = strcspn(p, " \t\r\n.,!;:");
    if (n == 0 || n >= sizeof(word) || line > 40) /* a longer one is no plain answer */
        return SAID_NOTHING;
    memcpy(word, p, n);
    word[n] = '\0';
    text_lower(word);
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (strcmp(word, yes[i]) == 0)
            return SAID_YES;
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (strcmp(word, no[i]) == 0)
            return SAID_NO;
    return SAID_NOTHING;
}

static bool confirm_in(struct engine *eng, const json_t *list, bool ids, int64_t *id_out)
{
    size_t i;
    const json_t *v;
    struct ours o;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = json_is_string(v) ? json_string_value(v) : json_get_str(v, "address", "");
        if ((ids ? ours_find(eng, s, &o) : ours_read(eng, s, &o)) && o.kind == OURS_CONFIRM) {
            *id_out = o.id;
            return true;
        }
    }
    return false;
}

/* Which held commands it answers. References count for nothing: who is sent a copy of
 * an answer has those, too. */
static bool confirm_find(struct engine *eng, const json_t *m, int64_t *id_out)
{
    return confirm_in(eng, json_get_arr(m, "to"), false, id_out) ||
           confirm_in(eng, json_get_arr(m, "cc"), false, id_out) ||
           confirm_in(eng, json_get_arr(m, "delivered_to"), false, id_out) ||
           confirm_in(eng, json_get_arr(m, "in_reply_to"), true, id_out);
}

static int held_move(struct engine *eng, const json_t *row, const char *state, bool *done,
                     struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    if (held_settle(eng->db, id, state, clock_now_ms(), done, e) < 0)
        return -1;
    if (*done)
        log_info("command.held", "held=H%" PRId64 " user=%s state=%s", id,
                 json_get_str(row, "user", "?"), state);
    return 0;
}

/* What a row is about; nothing when that is gone. */
static int held_target(struct engine *eng, const json_t *row, struct crm_target *out, struct err *e)
{
    enum crm_entity t = crm_entity_parse(json_get_str(row, "entity", ""));
    struct err gone = {0};
    *out = (struct crm_target){0};
    if (t == CRM_NONE)
        return 0;
    struct crm_ctx *ctx = crm_begin(eng->crm, NULL, clock_now_ms());
    int rc = crm_target_of(ctx, t, json_get_int(row, "record_id", 0), out, &gone);
    crm_end(&ctx);
    return rc == 0 || gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
}

int held_waits(struct engine *eng, int64_t message_id, const char *user, int64_t *id_out,
               struct crm_target *target_out, struct err *e)
{
    *id_out = 0;
    if (held_find(eng->db, message_id, user, id_out, e) < 0)
        return -1;
    if (!*id_out)
        return 0;
    AUTO_JSON json_t *row = held_get(eng->db, *id_out, e);
    return row ? held_target(eng, row, target_out, e) : -1;
}

int held_proven(struct engine *eng, int64_t id, struct err *e)
{
    bool done;
    AUTO_JSON json_t *row = held_get(eng->db, id, e);
    return row ? held_move(eng, row, "proven", &done, e) : -1;
}

/* Runs them as that user. by: who confirmed them, in words. */
static int held_run(struct engine *eng, const json_t *row, const char *by, struct err *e)
{
    struct crm_target target; /* a record that is gone: each command says so */
    if (held_target(eng, row, &target, e) < 0)
        return -1;
    return rep_release(eng, json_get_int(row, "message_id", 0), json_get_str(row, "user", ""),
                       &target, by, e);
}

/* Why the answer counts for nothing, or NULL. */
static const char *answer_refused(const struct engine *eng, const json_t *m, const json_t *row,
                                  const char *user, bool *machine)
{
    const char *why;
    if (strcmp(json_get_str(row, "user", ""), user) != 0)
        return "it is somebody else's";
    if (crm_is_machine(eng->crm, m, json_get_str(json_get_obj(m, "from"), "folded", ""), &why) ||
        strcmp(json_get_str(m, "return_path", "-"), "") == 0)
        *machine = true;
    if (*machine)
        return "a machine wrote the answer";
    if (strcmp(json_get_str(row, "state", ""), "held") != 0)
        return "they are settled already";
    if (clock_now_ms() > json_get_int(row, "created_ms", 0) + BOUND_HELD_MS)
        return "it came too late";
    return NULL;
}

/* A person's answer that did nothing is answered: once, since the next one may come from
 * a machine that does not say that it is one. */
static int answer_tell(struct engine *eng, const json_t *row, const char *user, const char *why,
                       struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    const char *to = user_email(eng, user);
    if (!to || strcmp(json_get_str(row, "user", ""), user) != 0)
        return 0;
    AUTO_FREE char *intent = mem_printf("held/%" PRId64 "/answer", id);
    AUTO_FREE char *subject = mem_printf("Nothing was done with the held commands H%" PRId64, id);
    AUTO_FREE char *lines = indented(json_get_str(row, "lines", ""));
    AUTO_FREE char *text = mem_printf("Your answer did nothing: %s.\n\n%s\nTheir state: %s.\n", why,
                                      lines, json_get_str(row, "state", "?"));
    struct notice n = {.intent = intent, .to = to, .subject = subject, .text = text};
    return notice_send(eng, &n, NULL, e);
}

int held_answer(struct engine *eng, const json_t *message, const char *user, int64_t message_id,
                char said_out[HELD_SAID_MAX], struct err *e)
{
    int64_t id;
    bool machine = false;
    struct err gone = {0};
    bool done = false;
    said_out[0] = '\0';
    if (!confirm_find(eng, message, &id))
        return 0;
    AUTO_JSON json_t *row = held_get(eng->db, id, &gone);
    if (!row && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    const char *refused = row ? answer_refused(eng, message, row, user, &machine)
                              : "nothing is held there";
    enum said said = refused ? SAID_NOTHING : said_read(json_get_str(message, "reply", ""));
    if (!refused && said == SAID_NOTHING)
        refused = "it says neither yes nor no";
    if (said != SAID_NOTHING &&
        held_move(eng, row, said == SAID_YES ? "confirmed" : "dropped", &done, e) < 0)
        return -1;
    AUTO_FREE char *by = mem_printf("%s confirmed it with M%" PRId64, user, message_id);
    if (done && said == SAID_YES && held_run(eng, row, by, e) < 0)
        return -1;
    if (row && refused && !machine && answer_tell(eng, row, user, refused, e) < 0)
        return -1;
    snprintf(said_out, HELD_SAID_MAX, "about the held commands H%" PRId64 ": %s", id,
             refused ? refused : said == SAID_YES ? "confirmed, they were run" : "dropped");
    log_info("command.answer", "held=H%" PRId64 " message=M%" PRId64 " user=%s result=\"%s\"", id,
             message_id, user, said_out);
    return 0;
}

/* ---- leadctl held ------------------------------------------------------------------------ */

/* Adds what people read. */
static void held_readable(json_t *row)
{
    char id[32], record[CRM_ID_LEN], stamp[32];
    int64_t created = json_get_int(row, "created_ms", 0);
    snprintf(id, sizeof(id), "H%" PRId64, json_get_int(row, "id", 0));
    json_put_str(row, "held", id);
    snprintf(id, sizeof(id), "M%" PRId64, json_get_int(row, "message_id", 0));
    json_put_str(row, "message", id);
    json_put_str(row, "record", record_text(row, record));
    json_put_str(row, "created", clock_format_utc(created, stamp, sizeof(stamp)));
    json_put_str(row, "until", clock_format_utc(created + BOUND_HELD_MS, stamp, sizeof(stamp)));
    if (strcmp(json_get_str(row, "state", ""), "held") == 0 &&
        clock_now_ms() > created + BOUND_HELD_MS)
        json_put_str(row, "state", "expired");
    const char *lines = json_get_str(row, "lines", "");
    size_t n = strcspn(lines, "\n"), more = 0;
    for (const char *p = lines + n; *p && p[1]; p += 1 + strcspn(p + 1, "\n"))
        more++;
    AUTO_FREE char *first = more ? mem_printf("%.*s +%zu", (int)n, lines, more) : mem_strn(lines, n);
    json_put_str(row, "commands", first);
}

static json_t *held_cmd_list(struct ctl *c, struct err *e)
{
    size_t i;
    json_t *row;
    bool all = c->argc > 2 && strcmp(c->argv[2], "all") == 0;
    if (ctl_options_check(c, 2 + all, "limit", e) < 0)
        return NULL;
    json_t *rows = held_list(c->eng->db, all, ctl_limit(c), e);
    json_array_foreach(rows, i, row)
        held_readable(row);
    return rows ? ctl_table(rows, "held ID|user USER|message MESSAGE|record RECORD|state STATE|"
                                  "created SINCE|commands COMMANDS|why WHY") : NULL;
}

static json_t *held_cmd_show(json_t *row)
{
    static const struct {
        const char *label, *key;
    } shown[] = {{"Id", "held"}, {"State", "state"}, {"User", "user"}, {"Message", "message"},
                 {"Record", "record"}, {"Since", "created"}, {"Until", "until"}, {"Why", "why"}};
    json_t *fields = json_array();
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (*json_get_str(row, shown[i].key, ""))
            json_array_append_new(fields, json_pack("[s, s]", shown[i].label,
                                                    json_get_str(row, shown[i].key, "")));
    return json_pack("{s:o, s:[{s:s, s:s}]}", "fields", fields, "sections", "title", "Commands",
                     "text", json_get_str(row, "lines", ""));
}

static json_t *held_cmd_settle(struct ctl *c, const json_t *row, bool run, struct err *e)
{
    bool done;
    int64_t id = json_get_int(row, "id", 0);
    if (held_move(c->eng, row, run ? "released" : "dropped", &done, e) < 0)
        return NULL;
    if (!done) {
        err_set(e, ERR_INPUT, "H%" PRId64 " is %s already", id, json_get_str(row, "state", "settled"));
        return NULL;
    }
    AUTO_FREE char *by = mem_printf("%s released it with leadctl", c->user);
    if (run && held_run(c->eng, row, by, e) < 0)
        return NULL;
    return ctl_text(run ? "H%" PRId64 " was run; %s is told by mail" : "H%" PRId64 " was dropped; "
                    "the mail stays filed", id, json_get_str(row, "user", "the user"));
}

json_t *ctl_held(struct ctl *c, struct err *e)
{
    int64_t id;
    const char *verb = c->argv[1];
    if (strcmp(verb, "list") == 0)
        return held_cmd_list(c, e);
    if (c->argc != 3 || (c->argv[2][0] | 0x20) != 'h' || text_parse_int(c->argv[2] + 1, &id) < 0) {
        err_set(e, ERR_INPUT, "expected: held %s H3, as in the first column of held list", verb);
        return NULL;
    }
    AUTO_JSON json_t *row = held_get(c->eng->db, id, e);
    if (!row)
        return NULL;
    if (strcmp(verb, "release") == 0 || strcmp(verb, "drop") == 0)
        return held_cmd_settle(c, row, *verb == 'r', e);
    held_readable(row);
    if (strcmp(verb, "show") == 0)
        return held_cmd_show(row);
    err_set(e, ERR_INPUT, "held %s: expected list, show, release or drop", verb);
    return NULL;
}
