/* SPDX-License-Identifier: ISC
 *
 * rep - see rep.h
 */
#include "engine/rep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/command.h"
#include "crm/fields.h"
#include "crm/see.h"
#include "engine/conversation_words.h"
#include "engine/dropbox.h"
#include "engine/held.h"
#include "engine/input.h"
#include "engine/reminder.h"
#include "engine/rep_inner.h"
#include "store/journal.h"
#include "store/message.h"

#define UNDO_MS (24 * HOUR_MS) /* so long a mail may take a command back */
#define FINDS_MAX 3  /* #find of one mail that are answered */
#define UNDO_LOOK 50 /* entries of a record among which the last one of a user is looked for */

struct rep {
    struct engine *eng;
    const struct rep_mail *m;
    struct rep_lines lines; /* own */
    struct rep_answer answer; /* own */
    int runs; /* numbers the inputs of this mail */
    int finds;
};

static bool target_is_none(const struct crm_target *t)
{
    return !t->lead && !t->kase && !t->contact && !t->deal && !t->task && !t->company &&
           !t->activity;
}

/* What a command of the mail was given on, for the journal. */
static void target_name(const struct crm_target *t, char out[CRM_ID_LEN])
{
    enum crm_entity what = t->main;
    static const enum crm_entity order[] = {CRM_LEAD, CRM_CASE,    CRM_CONTACT, CRM_DEAL,
                                            CRM_TASK, CRM_COMPANY, CRM_ACTIVITY};
    for (size_t i = 0; i < ARRAY_LEN(order) && what == CRM_NONE; i++)
        if (crm_target_id(t, order[i]))
            what = order[i];
    *out = '\0';
    if (what != CRM_NONE)
        crm_id_format(what, crm_target_id(t, what), out);
}

/* ---- one command ----------------------------------------------------------------- */

/* A refusal (ERR_INPUT) has changed nothing and stands in the journal; anything else
 * undoes the mail. *journal_out: its row, 0 when there is none. */
static int run_line(struct rep *r, const struct crm_target *target, const char *line,
                    struct crm_result *res, int64_t *journal_out, struct err *refused,
                    struct err *e)
{
    struct input in;
    struct crm_actor actor = {CRM_BY_USER, r->m->user, NULL};
    int64_t m = r->m->message_id;
    int n = ++r->runs;
    /* words of people are not for the cause: it stays when they are erased */
    input_begin(&in, r->eng, mem_printf("%s by %s M%" PRId64 ": #%.*s", r->m->user, r->m->sms ? "SMS" : "mail", m,
                                        (int)strcspn(line, " "), line),
                mem_printf("M%" PRId64 "/c%d", m, n));
    in.target = *target;
    target_name(target, in.given_on);
    if (r->m->released)
        input_note(&in, "it was held, and %s", r->m->released);
    *res = (struct crm_result){.target = *target};
    int rc = crm_command_run(in.ctx, target, line, &actor, res, refused);
    if (rc < 0 && refused->cls != ERR_INPUT) {
        *e = *refused;
        input_end(&in);
        return -1;
    }
    if (target_is_none(target))
        in.target = res->target; /* what it made */
    rc = input_finish(&in, e);
    *journal_out = in.journal;
    input_end(&in);
    return rc;
}

static void tell_done(struct rep *r, const struct rep_line *l, const char *text, int64_t journal)
{
    struct rep_answer *a = &r->answer;
    buf_printf(&a->done, "  %s\n      %s", l->said, text);
    if (journal)
        buf_printf(&a->done, " (J%" PRId64 ")", journal);
    buf_char(&a->done, '\n');
    if (journal && a->journal_count < BOUND_REP_LINES)
        a->journal[a->journal_count++] = journal;
}

/* Undo takes nothing of it back; this is what stops it. */
static void tell_broadcast(struct rep *r, const char *line)
{
    char verb[16], name[64];
    if (sscanf(line, "%*s %15s %63s", verb, name) == 2 && strcasecmp(verb, "cancel") != 0 &&
        strcasecmp(verb, "show") != 0)
        buf_printf(&r->answer.done, "      to stop it: #broadcast pause %s; for good: #broadcast "
                   "cancel %s\n", name, name);
}

static void tell_refused(struct rep *r, const struct rep_line *l, const char *why)
{
    buf_printf(&r->answer.refused, "  %s\n      %s\n", l->said, why);
}

static bool is_of_no_record(const char *word)
{
    return strcmp(word, "absent") == 0 || strcmp(word, "present") == 0 || strcmp(word, "broadcast") == 0;
}

/* "won L42 5000": how it should stand. */
static bool record_second(const struct rep_line *l, char *out, size_t n)
{
    enum crm_entity t;
    int64_t id;
    char word[32] = "", name[CRM_ID_LEN];
    const char *args = strchr(l->line, ' ');
    if (!args || sscanf(args, " %31s", word) != 1 || crm_id_parse(word, &t, &id) < 0)
        return false;
    const char *rest = strstr(args, word) + strlen(word);
    snprintf(out, n, "; write: #%s %s%s", crm_id_format(t, id, name), l->word, rest);
    return text_is_utf8(out, strlen(out));
}

static int command_do(struct rep *r, const struct rep_line *l, const struct crm_target *target,
                      const char *line, struct err *e)
{
    struct crm_result res;
    struct err why = {0};
    char hint[160] = "";
    int64_t journal = 0;
    AUTO_FREE char *named = rep_line_names(r->eng->crm, line);
    if (run_line(r, target, named, &res, &journal, &why, e) < 0)
        return -1;
    if (why.cls == ERR_NONE) {
        if (target_is_none(&r->answer.target))
            r->answer.target = res.target;
        bool broadcast = strcmp(l->word, "broadcast") == 0;
        tell_done(r, l, res.text, broadcast ? 0 : journal);
        if (broadcast)
            tell_broadcast(r, line);
        return 0;
    }
    if (!l->entity && !record_second(l, hint, sizeof(hint)) && target_is_none(target) &&
        !is_of_no_record(l->word))
        snprintf(hint, sizeof(hint), "; this mail belongs to no record: name it, as in #L42 %s",
                 l->word);
    AUTO_FREE char *text = mem_printf("%s%s", why.text, hint);
    tell_refused(r, l, text);
    return 0;
}

/* ---- undo --------------------------------------------------------------------------- */

static bool row_is_of(const json_t *row, const char *user)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_get_arr(json_get_obj(row, "body"), "commands"), i, c)
        if (!strcmp(json_get_str(c, "by", ""), "user") &&
            !strcmp(json_get_str(c, "actor", ""), user) && !json_get_int(c, "undoes", 0) &&
            json_array_size(json_get_arr(c, "changes")) > 0)
            return true;
    return false;
}

static bool row_undoes(const json_t *row, int64_t id)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_get_arr(json_get_obj(row, "body"), "commands"), i, c)
        if (json_get_int(c, "undoes", 0) == id)
            return true;
    return false;
}

/* The last thing that this user did with the record and that still stands; 0: none. */
static int own_last(struct rep *r, const struct crm_target *t, int64_t *out, struct err *e)
{
    bool kase = t->kase && (t->main == CRM_CASE || !t->lead);
    char letter = kase ? 'K' : t->lead ? 'L' : 'C';
    int64_t id = kase ? t->kase : t->lead ? t->lead : t->contact;
    size_t i;
    const json_t *row;
    *out = 0;
    if (!id)
        return 0;
    AUTO_JSON json_t *rows = journal_list(r->eng->db, letter, id, 0, UNDO_LOOK, e);
    if (!rows)
        return -1;
    json_array_foreach(rows, i, row) {
        int64_t n = json_get_int(row, "id", 0);
        bool undone = false;
        for (size_t k = 0; k < i; k++)
            undone |= row_undoes(json_array_get(rows, k), n);
        if (undone || !row_is_of(row, r->m->user))
            continue;
        *out = n;
        break;
    }
    return 0;
}

static int undo_target(struct rep *r, const json_t *row, struct crm_target *out, struct err *e)
{
    int64_t lead = json_get_int(row, "lead_id", 0), kase = json_get_int(row, "case_id", 0),
            contact = json_get_int(row, "contact_id", 0);
    enum crm_entity t = lead ? CRM_LEAD : kase ? CRM_CASE : contact ? CRM_CONTACT : CRM_NONE;
    int64_t id = lead ? lead : kase ? kase : contact;
    enum crm_entity what;
    struct err gone = {0};
    int rc = 0;
    *out = (struct crm_target){0};
    if (t == CRM_NONE)
        return 0;
    struct crm_ctx *ctx = crm_begin(r->eng->crm, NULL, 0);
    if (crm_target_of(ctx, t, id, out, e) < 0)
        rc = -1;
    else if (t == CRM_CONTACT || crm_target_record(ctx, out, &what, &gone))
        rc = crm_may_see(ctx, r->m->user, t,
                         t == CRM_LEAD ? out->lead : t == CRM_CASE ? out->kase : out->contact, e);
    else if (gone.cls != ERR_INPUT) /* what is deleted comes back by this, and tells nothing */
        rc = err_set(e, gone.cls, "%s", gone.text);
    crm_end(&ctx);
    return rc;
}

static int undo_one(struct rep *r, const struct rep_line *l, int64_t journal, struct err *e)
{
    struct err why = {0};
    struct crm_target target;
    AUTO_FREE char *line = mem_printf("undo J%" PRId64, journal);
    AUTO_JSON json_t *row = journal_get(r->eng->db, journal, &why);
    if (!row || undo_target(r, row, &target, &why) < 0) {
        if (why.cls != ERR_INPUT && why.cls != ERR_NONE)
            return err_set(e, why.cls, "%s", why.text);
        tell_refused(r, l, "there is no such entry");
        return 0;
    }
    if (clock_now_ms() - json_get_int(row, "at_ms", 0) > UNDO_MS) {
        AUTO_FREE char *late = mem_printf("J%" PRId64 " is more than a day old: leadctl undo can "
                                          "still take it back", journal);
        tell_refused(r, l, late);
        return 0;
    }
    return command_do(r, l, &target, line, e);
}

static int undo_do(struct rep *r, const struct rep_line *l, const struct crm_target *target,
                   struct err *e)
{
    int64_t list[BOUND_REP_LINES], n;
    size_t count = 0;
    const char *arg = strchr(l->line, ' ');
    if (arg && (arg[1] | 0x20) == 'j' && text_parse_int(arg + 2, &n) == 0 && n > 0)
        return undo_one(r, l, n, e);
    if (arg)
        return command_do(r, l, target, l->line, e); /* tells what is wrong with it */
    if (!l->entity && rep_answered(r->eng, r->m->message, list, &count, e) < 0)
        return -1;
    if (count == 0) {
        if (own_last(r, target, &list[0], e) < 0)
            return -1;
        count = list[0] != 0;
    }
    if (count == 0)
        tell_refused(r, l, "there is nothing of yours to take back here; name it, as in #undo J17");
    for (size_t i = count; i-- > 0;) /* the last one first */
        if (undo_one(r, l, list[i], e) < 0)
            return -1;
    return 0;
}

/* ---- the lines ------------------------------------------------------------------------ */

/* "done T7", "merge C13": a record among the arguments. */
static bool line_names(const struct rep_line *l, enum crm_entity *t, int64_t *id)
{
    char word[32] = "";
    return l->what == REP_COMMAND && l->line && sscanf(l->line, "%*s %31s", word) == 1 &&
           crm_id_parse(word, t, id) == 0;
}

/* A task is its owner's to do, whoever has the lead; what the lead is, is not told by it. */
static int task_alone(struct crm_ctx *ctx, const char *user, struct crm_target *t, struct err *e)
{
    struct err why = {0};
    enum crm_entity what = t->kase && !t->lead ? CRM_CASE : t->lead ? CRM_LEAD : CRM_NONE;
    if (what == CRM_NONE || crm_may_see(ctx, user, what, crm_target_id(t, what), &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    *t = (struct crm_target){.task = t->task, .main = CRM_TASK};
    return 0;
}

/* The record that the line is about, or the mail; and what he names, he may see. */
static int line_target(struct rep *r, const struct rep_line *l, struct crm_target *out,
                       struct err *e)
{
    enum crm_entity t;
    int64_t id;
    int rc = 0;
    *out = r->m->target;
    struct crm_ctx *ctx = crm_begin(r->eng->crm, NULL, 0);
    if (line_names(l, &t, &id))
        rc = crm_may_see(ctx, r->m->user, t, id, e);
    if (rc == 0 && l->entity)
        rc = crm_may_see(ctx, r->m->user, l->entity, l->id, e);
    if (rc == 0 && l->entity)
        rc = crm_target_of(ctx, l->entity, l->id, out, e);
    if (rc == 0 && l->entity == CRM_TASK)
        rc = task_alone(ctx, r->m->user, out, e);
    crm_end(&ctx);
    return rc;
}

static void tell_unknown(struct rep *r, const struct rep_line *l)
{
    AUTO_FREE char *why =
        l->near ? mem_printf("no command '%s'; did you mean #%s?", l->word, l->near)
                : mem_printf("no command '%s'; #help lists them", l->word);
    tell_refused(r, l, why);
}

static int ask_do(struct rep *r, const struct rep_line *l, const struct crm_target *target,
                  struct err *e)
{
    struct err why = {0};
    struct buf *shown = &r->answer.shown;
    bool find = strcmp(l->word, "find") == 0;
    buf_printf(shown, "%s%s\n\n", shown->len ? "\n" : "", l->said);
    if (find && ++r->finds > FINDS_MAX) { /* each looks through thousands of records */
        buf_printf(shown, "only the first %d #find of a mail are answered\n", FINDS_MAX);
        return 0;
    }
    if (rep_ask(r->eng, r->m->user, target, l->line, shown, &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    buf_printf(shown, "%s\n", why.text);
    return 0;
}

static int line_do(struct rep *r, const struct rep_line *l, struct err *e)
{
    struct crm_target target;
    struct err why = {0};
    if (l->what == REP_UNKNOWN) {
        tell_unknown(r, l);
        return 0;
    }
    if (l->what == REP_BELOW) {
        tell_refused(r, l, "it stands below a quotation: commands go above it");
        return 0;
    }
    if (line_target(r, l, &target, &why) < 0) {
        if (why.cls != ERR_INPUT)
            return err_set(e, why.cls, "%s", why.text);
        tell_refused(r, l, why.text);
        return 0;
    }
    if (l->what == REP_ASK)
        return ask_do(r, l, &target, e);
    if (r->m->light && strcmp(l->word, "note") != 0 && strcmp(l->word, "snooze") != 0) {
        tell_refused(r, l, "it needs your PIN or a code");
        return 0;
    }
    if (!strcmp(l->word, "undo"))
        return undo_do(r, l, &target, e);
    return command_do(r, l, &target, l->line, e);
}

/* ---- the words ---------------------------------------------------------------------------- */

static const char *words_inside(const struct rep *r)
{
    const struct rep_lines *l = &r->lines;
    if (!r->m->proven)
        return "it is not proven who wrote them";
    if (l->doubt)
        return "a command may be among them, or was not understood";
    return NULL;
}

/* What a user wrote to us about a record, and did not send to the customer. */
static int words_note(struct rep *r, struct rep_rest *rest, struct err *e)
{
    struct crm_target target = r->m->target;
    struct crm_result res;
    struct err why = {0};
    int64_t journal;
    if (!*rest->words || r->m->to_contact || r->m->conversation)
        return 0;
    if (r->lines.entity) {
        struct rep_line l = {.entity = r->lines.entity, .id = r->lines.id};
        if (line_target(r, &l, &target, &why) < 0)
            return why.cls == ERR_INPUT ? 0 : err_set(e, why.cls, "%s", why.text);
    }
    if (!target.lead && !target.kase && !target.contact)
        return 0;
    size_t n = text_utf8_cut(rest->words, strlen(rest->words), BOUND_REP_LINE);
    AUTO_FREE char *line = mem_printf("note %.*s", (int)n, rest->words);
    if (run_line(r, &target, line, &res, &journal, &why, e) < 0)
        return -1;
    rest->noted = why.cls == ERR_NONE;
    return 0;
}

static const char *words_told(const struct rep *r, const struct rep_rest *rest)
{
    if (!*rest->words || r->m->to_contact)
        return NULL;
    if (rest->noted)
        return "Your other words are kept as a note.";
    return NULL;
}

/* ---- the mail -------------------------------------------------------------------------------- */

static bool is_for_us(const struct rep_mail *m)
{
    /* whatever a list or a machine passes on was not written to us */
    return !m->hold && strcmp(json_get_str(m->message, "kind", "person"), "person") == 0;
}

static void lines_read(struct engine *eng, const json_t *m, const char *plus, const char *reminded,
                       struct rep_lines *out)
{
    const json_t *forward = json_get_obj(m, "forward");
    const char *reply = json_get_str(forward, "note", json_get_str(m, "reply", NULL)),
               *text = json_get_str(m, "text", reply ? reply : "");
    /* a quotation without marks: what we wrote stands above the words of the customer */
    AUTO_FREE char *above = mem_strn(text, conversation_above(eng, text));
    struct rep_source src = {
        .subject = forward ? NULL : json_get_str(m, "subject", NULL),
        .reply = reply,
        .text = above,
        .plus = plus,
        .answers = json_array_size(json_get_arr(m, "in_reply_to")) > 0 ||
                   json_array_size(json_get_arr(m, "references")) > 0,
        .reminded = reminded && *reminded ? reminded : NULL,
    };
    rep_lines_split(&src, out);
}

void rep_lines_of(struct engine *eng, const json_t *m, const char *plus, struct rep_lines *out)
{
    lines_read(eng, m, plus, NULL, out);
}

/* An answer that only tells something is of the mail's record, so that a reply to it is;
 * unless that is not his to see. */
static int answer_target(struct rep *r, struct err *e)
{
    const struct crm_target *t = &r->m->target;
    struct err gone = {0};
    enum crm_entity what = t->lead ? CRM_LEAD : t->kase ? CRM_CASE : CRM_CONTACT;
    if (!target_is_none(&r->answer.target) || !(t->lead || t->kase || t->contact))
        return 0;
    struct crm_ctx *ctx = crm_begin(r->eng->crm, NULL, 0);
    int rc = crm_may_see(ctx, r->m->user, what, crm_target_id(t, what), &gone);
    crm_end(&ctx);
    if (rc == 0)
        r->answer.target = *t;
    return rc == 0 || gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
}

static int rep_run(struct rep *r, struct rep_rest *rest, struct err *e)
{
    for (size_t i = 0; i < r->lines.count; i++)
        if (line_do(r, &r->lines.v[i], e) < 0)
            return -1;
    if (r->lines.more)
        buf_printf(&r->answer.refused, "  ...\n      only the first %d commands of a mail are run\n",
                   BOUND_REP_LINES);
    if (words_note(r, rest, e) < 0 || answer_target(r, e) < 0)
        return -1;
    log_info("rep.taken", "message=M%" PRId64 " user=%s lines=%zu done=%zu noted=%d",
             r->m->message_id, r->m->user, r->lines.count, r->answer.journal_count, rest->noted);
    if (r->lines.count == 0)
        return 0;
    engine_count(r->eng, "mail_commands", (int64_t)r->lines.count);
    return rep_answer_send(r->eng, r->m, &r->answer, words_told(r, rest), e);
}

int rep_release(struct engine *eng, int64_t message_id, const char *user,
                const struct crm_target *target, const char *by, struct err *e)
{
    struct rep_rest rest;
    char plus[OURS_WORDS_MAX] = "";
    AUTO_JSON json_t *message = message_json(eng->db, message_id, e);
    if (message)
        dropbox_words(eng, message, plus);
    struct rep_mail m = {.message = message, .user = user, .proven = true, .released = by,
                         .message_id = message_id, .target = *target,
                         .plus = *plus ? plus : NULL, .to_contact = true};
    if (!message || rep_take(eng, &m, &rest, e) < 0)
        return -1;
    rep_rest_done(&rest);
    return 0;
}

/* Of the record, for `why`. */
static int hold_note(struct rep *r, int64_t held, size_t n, struct err *e)
{
    struct input in;
    input_begin(&in, r->eng, mem_printf("%s by mail M%" PRId64, r->m->user, r->m->message_id),
                mem_printf("M%" PRId64 "/held", r->m->message_id));
    in.target = r->m->target;
    input_note(&in, "%zu %s held as H%" PRId64 ": %s", n, n == 1 ? "command is" : "commands are", held,
               r->m->unproven ? r->m->unproven : "nothing proves who wrote it");
    int rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

/* Nothing proves who wrote it: its commands wait. What is none, nobody need confirm. */
static int rep_hold(struct rep *r, struct err *e)
{
    AUTO_JSON json_t *lines = json_array();
    int64_t id;
    for (size_t i = 0; i < r->lines.count; i++)
        if (r->lines.v[i].what == REP_COMMAND || r->lines.v[i].what == REP_ASK)
            json_array_append_new(lines, json_string(r->lines.v[i].said));
    if (json_array_size(lines) == 0)
        return 0;
    const json_t *from = json_get_obj(r->m->message, "from");
    AUTO_FREE char *shown = mem_printf("%s <%s>", json_get_str(from, "name", ""),
                                       json_get_str(from, "address", "?"));
    struct held_mail held = {.user = r->m->user, .from = shown, .message_id = r->m->message_id,
                             .target = r->m->target, .lines = lines,
                             .why = r->m->unproven ? r->m->unproven : "nothing proves who wrote it"};
    if (held_put(r->eng, &held, &id, e) < 0)
        return -1;
    return id ? hold_note(r, id, json_array_size(lines), e) : 0;
}

int rep_take(struct engine *eng, const struct rep_mail *m, struct rep_rest *out, struct err *e)
{
    struct rep r = {.eng = eng, .m = m};
    char reminded[REMINDER_TOLD * CRM_ID_LEN];
    int rc = 0;
    *out = (struct rep_rest){.words = mem_str("")};
    if (!is_for_us(m)) {
        out->inside = "a machine wrote it, or it is old";
        return 0;
    }
    if (reminder_answered(eng, m->message, reminded, e) < 0)
        return -1;
    lines_read(eng, m->message, m->plus, reminded, &r.lines);
    rep_answer_init(&r.answer);
    mem_free(out->words);
    /* a greeting around commands is nothing to keep, and nothing to send */
    out->words = mem_str(r.lines.count > 0 && r.lines.thin ? "" : r.lines.words);
    out->inside = words_inside(&r);
    out->commands = r.lines.count > 0;
    if (eng->foreign_scale) /* a replay: what they did is in the history, each by itself */
        rc = 0;
    else if (m->proven)
        rc = rep_run(&r, out, e);
    else
        rc = rep_hold(&r, e);
    rep_answer_done(&r.answer);
    rep_lines_done(&r.lines);
    return rc;
}

void rep_rest_done(struct rep_rest *r)
{
    mem_free(r->words);
    *r = (struct rep_rest){0};
}
