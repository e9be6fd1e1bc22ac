/* SPDX-License-Identifier: ISC
 *
 * reminder - see reminder.h
 */
#include "engine/reminder.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/cmd.h"
#include "crm/notice_words.h"
#include "crm/task.h"
#include "crm/when.h"
#include "engine/letter.h"
#include "engine/notice.h"
#include "engine/sms_out.h"
#include "engine/storm.h"
#include "engine/thread.h"
#include "rule/template.h"
#include "store/outbox.h"
#include "store/task.h"

#define TOGETHER_MS INT64_C(600000)      /* what is due so soon is told with the others */
#define AWAY_MS (14 * DAY_MS) /* an absence without end is asked about again */
#define START_SLICE 500
#define SMS_TEXT 300

enum { STEP_BEFORE, STEP_DUE, STEP_OVERDUE, STEP_OVER };

static struct timer_key key_of(int64_t id)
{
    return (struct timer_key){"task", "", "task", id};
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool is_open(const json_t *rec)
{
    return rec && !strcmp(json_get_str(rec, "status", ""), "open") &&
           !json_object_get(rec, "deleted_ms");
}

/* ---- when ------------------------------------------------------------------------ */

static int64_t overdue_after(const struct engine *eng)
{
    return json_get_int(eng->settings, "task_overdue", DAY_MS);
}

/* The first step of a task that is due then. */
static struct timer_row first_row(const struct input *in, const json_t *rec)
{
    int64_t due = json_get_int(rec, "due_ms", 0), now = in->now_ms,
            lead = json_get_int(rec, "remind_ms", json_get_int(in->eng->settings, "task_remind", 0));
    struct timer_row t = {.key = key_of(json_get_int(rec, "id", 0)), .since_ms = due};
    if (lead == TASK_REMIND_NEVER) {
        t.step = STEP_OVERDUE;
        t.due_ms = later_of(due, now) + overdue_after(in->eng);
    } else if (due - lead > now && lead > 0) {
        t.step = STEP_BEFORE;
        t.due_ms = due - lead;
    } else {
        t.step = STEP_DUE;
        t.due_ms = later_of(due, now);
    }
    return t;
}

static int plan(struct input *in, int64_t id, struct err *e)
{
    struct err gone = {0};
    struct timer_key k = key_of(id);
    const json_t *was, *rec = crm_record(in->ctx, CRM_TASK, id, &gone);
    json_t *row = NULL;
    if (!rec && gone.cls != ERR_INPUT)
        return err_set(e, gone.cls, "%s", gone.text);
    if (!is_open(rec) || !json_get_int(rec, "due_ms", 0))
        return in->eng->timers.some ? timer_remove(in->eng, &k, e) : 0;
    if (in->eng->timers.some && timer_get(in->eng->db, &k, &row, e) < 0)
        return -1;
    bool same = row && json_get_int(row, "since_ms", 0) == json_get_int(rec, "due_ms", 0) &&
                !crm_log_value_at(in->ctx, CRM_TASK, id, "owner", 0, &was);
    json_decref(row);
    if (same)
        return 0;
    struct timer_row t = first_row(in, rec);
    return timer_write(in->eng, &t, e);
}

int reminders_check(struct input *in, struct err *e)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct crm_event *ev = &in->events[i].ev;
        bool had = false;
        if (ev->entity != CRM_TASK || !ev->target.task)
            continue;
        for (size_t k = 0; k < i && !had; k++)
            had = in->events[k].ev.entity == CRM_TASK &&
                  in->events[k].ev.target.task == ev->target.task;
        if (!had && plan(in, ev->target.task, e) < 0)
            return -1;
    }
    return 0;
}

int reminders_start(struct engine *eng, struct err *e)
{
    size_t i, n = START_SLICE;
    json_t *id;
    while (n == START_SLICE) {
        AUTO_JSON json_t *ids = task_without_timer(eng->db, START_SLICE, e);
        struct input in;
        int rc = ids ? 0 : -1;
        input_begin(&in, eng, mem_str("tasks without a timer"), mem_str("task/start"));
        json_array_foreach(ids, i, id)
            if (rc == 0)
                rc = plan(&in, json_integer_value(id), e);
        input_end(&in);
        if (rc < 0)
            return -1;
        n = json_array_size(ids);
    }
    return 0;
}

/* ---- who -------------------------------------------------------------------------- */

struct reader {
    const char *user; /* who is told; NULL: the administrator */
    bool silent;      /* he wants no reminders */
    int64_t away_until; /* the owner is back then; 0: he is there, or nobody stands in */
    char why[160];    /* why it is not the owner who is told, or "" */
};

static int there(struct input *in, const char *user, bool *out, struct err *e)
{
    int64_t until = 0;
    *out = user && crm_user(in->eng->crm, user);
    if (*out && assign_absent(in->ctx, user, &until, e) < 0)
        return -1;
    *out = *out && !until;
    return 0;
}

/* The manager, the default owner, then any manager or administrator who is there. */
static int stand_in(struct input *in, const char *owner, const char **out, struct err *e)
{
    static const char *const roles[] = {"manager", "admin"};
    const struct crm *crm = in->eng->crm;
    const char *first[] = {crm_user(crm, owner) ? crm_manager_of(crm, owner) : NULL,
                           engine_setting(in->eng, "default_owner", NULL)}, *user;
    const json_t *u;
    bool ok = false;
    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(first) && !*out; i++) {
        if (there(in, first[i], &ok, e) < 0)
            return -1;
        *out = ok && strcmp(first[i], owner) ? first[i] : NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(roles) && !*out; i++)
        json_object_foreach(json_get_obj(crm_config(crm), "users"), user, u) {
            if (*out || strcmp(json_get_str(u, "role", ""), roles[i]) || !strcmp(user, owner))
                continue;
            if (there(in, user, &ok, e) < 0)
                return -1;
            *out = ok ? user : NULL;
        }
    return 0;
}

static int reader_find(struct input *in, const char *owner, struct reader *r, struct err *e)
{
    const json_t *u = owner ? crm_user(in->eng->crm, owner) : NULL;
    int64_t until = 0;
    char stamp[40];
    *r = (struct reader){.user = owner};
    r->silent = !strcmp(json_get_str(u, "reminders", ""), "none");
    if (!u) {
        snprintf(r->why, sizeof(r->why), "%s is no user any more", owner ? owner : "whose task it is");
        return stand_in(in, owner ? owner : "", &r->user, e);
    }
    if (assign_absent(in->ctx, owner, &until, e) < 0)
        return -1;
    if (!until)
        return 0;
    if (stand_in(in, owner, &r->user, e) < 0)
        return -1;
    if (!r->user) { /* nobody else: then at least he may see it */
        r->user = owner;
        return 0;
    }
    r->silent = false;
    r->away_until = until - in->now_ms > AWAY_MS ? in->now_ms + AWAY_MS : until;
    snprintf(r->why, sizeof(r->why), "%s is away%s%s", owner, until == INT64_MAX ? "" : " until ",
             until == INT64_MAX ? ""
                                : crm_when_print(zone_name(assign_zone(in->eng->crm, owner)), until,
                                                 stamp, sizeof(stamp)));
    return 0;
}

/* ---- words ------------------------------------------------------------------------ */

struct told {
    json_t *tasks;       /* own; as task_reminders() gives them */
    struct reader reader;
    const char *zone;    /* of the reader */
    struct buf lines, ids, sms; /* own */
    struct crm_target target; /* of the only one; zeroes: several */
};

static const char *reader_setting(const struct input *in, const struct told *t, const char *key,
                                  const char *def)
{
    return json_get_str(t->reader.user ? crm_user(in->eng->crm, t->reader.user) : NULL, key, def);
}

/* "(L42, closed: won)": what has become of the record meanwhile. */
static int put_record(struct input *in, const struct crm_target *t, struct buf *out, struct err *e)
{
    enum crm_entity what = t->kase && !t->lead ? CRM_CASE : t->lead ? CRM_LEAD : CRM_DEAL;
    struct err gone = {0};
    int64_t id = crm_target_id(t, what);
    const json_t *rec = id ? crm_record(in->ctx, what, id, &gone) : NULL;
    if (!rec)
        return !id || gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    const char *status = json_get_str(rec, "status", ""),
               *reason = json_get_str(rec, "closed_reason", NULL),
               *subject = json_get_str(rec, what == CRM_DEAL ? "name" : "subject", NULL);
    bool over = !strcmp(status, "closed") || !strcmp(status, "won") || !strcmp(status, "lost");
    buf_printf(out, " (%s%s%s%s%s)", cmd_id(in->ctx, what, id), over ? ", " : "", over ? status : "",
               over && reason ? ": " : "", over && reason ? reason : "");
    if (subject)
        buf_printf(out, "\n         %.*s", (int)text_utf8_cut(subject, strlen(subject), 100), subject);
    return 0;
}

static int put_task(struct input *in, struct told *t, const json_t *rec, struct err *e)
{
    char stamp[40];
    struct err gone = {0};
    struct crm_target target = {0};
    int64_t id = json_get_int(rec, "id", 0), due = json_get_int(rec, "due_ms", 0);
    const char *title = json_get_str(rec, "title", ""), *recur = json_get_str(rec, "recur", NULL),
               *name = cmd_id(in->ctx, CRM_TASK, id);
    size_t n = text_utf8_cut(title, strlen(title), 200);
    crm_when_print(t->zone, due, stamp, sizeof(stamp));
    buf_printf(&t->lines, "  %-6s %s %s  %.*s", name, due < in->now_ms - TOGETHER_MS ? "since" : "due",
               stamp, (int)n, title);
    if (crm_target_of(in->ctx, CRM_TASK, id, &target, &gone) < 0 && gone.cls != ERR_INPUT)
        return err_set(e, gone.cls, "%s", gone.text);
    if (put_record(in, &target, &t->lines, e) < 0)
        return -1;
    if (recur)
        buf_printf(&t->lines, "\n         %s", recur);
    buf_char(&t->lines, '\n');
    if (json_array_size(t->tasks) == 1)
        t->target = target;
    buf_printf(&t->ids, "%s%s", t->ids.len ? "." : "", name);
    buf_printf(&t->sms, "%s%s %.*s", t->sms.len ? "; " : "", name,
               (int)text_utf8_cut(title, strlen(title), 60), title);
    return 0;
}

static int told_words(struct input *in, struct told *t, struct template_result *w, struct err *e)
{
    size_t i, n = json_array_size(t->tasks);
    const json_t *rec, *one = json_array_get(t->tasks, 0);
    char count[24], stamp[40];
    AUTO_JSON json_t *values = json_object();
    json_array_foreach(t->tasks, i, rec)
        if (put_task(in, t, rec, e) < 0)
            return -1;
    snprintf(count, sizeof(count), "%zu", n);
    json_put_str(values, "count", n > 1 ? count : NULL);
    json_put_str(values, "tasks", t->lines.data);
    json_put_str(values, "task", cmd_id(in->ctx, CRM_TASK, json_get_int(one, "id", 0)));
    json_put_str(values, "title", json_get_str(one, "title", ""));
    json_put_str(values, "due", crm_when_print(t->zone, json_get_int(one, "due_ms", 0), stamp,
                                               sizeof(stamp)));
    json_put_str(values, "why", t->reader.why);
    json_put_str(values, "zone", t->zone);
    return crm_notice_words(in->eng->crm, "reminder", values, w, e);
}

/* ---- out -------------------------------------------------------------------------- */

static char *told_intent(const struct input *in, const struct told *t, const char *how)
{
    return mem_printf("remind%s/%s/%" PRId64 "/%s", how, t->reader.user ? t->reader.user : "",
                      in->now_ms, t->ids.data);
}

static int told_mail(struct input *in, struct told *t, const struct template_result *w, struct err *e)
{
    int64_t outbox;
    struct err why = {0};
    AUTO_FREE char *intent = told_intent(in, t, ""),
                   *to = mem_str(reader_setting(in, t, "email", ""));
    if (!t->reader.user)
        return notice_admin(in->eng, intent, w->subject, w->text, e);
    text_lower(to);
    struct letter l = {.class_ = "notice",
                       .intent = intent,
                       .to = to,
                       .to_name = reader_setting(in, t, "name", NULL),
                       .to_user = t->reader.user,
                       .from_name = "leadd",
                       .answers = ours_of(OURS_NOTICE, &t->target, 0),
                       .subject = w->subject,
                       .text = w->text,
                       .target = &t->target};
    if (letter_put(in, &l, &outbox, NULL, &why) == 0)
        return 0;
    if (why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    input_note(in, "%s could not be told: %s", t->reader.user, why.text);
    log_warn("reminder.failed", "user=%s error=\"%s\" next=\"the digest names the tasks\"",
             t->reader.user, why.text);
    return 0;
}

/* false: it cannot be texted. */
static int told_sms(struct input *in, struct told *t, bool *out, struct err *e)
{
    const char *phone = reader_setting(in, t, "phone", NULL),
               *first = cmd_id(in->ctx, CRM_TASK,
                               json_get_int(json_array_get(t->tasks, 0), "id", 0));
    int64_t outbox;
    struct err why = {0};
    *out = false;
    if (!phone)
        return 0;
    size_t n = text_utf8_cut(t->sms.data, t->sms.len, SMS_TEXT);
    AUTO_FREE char *intent = told_intent(in, t, "-sms"),
                   *text = mem_printf("Due: %.*s%s. Answer: snooze %s 2d", (int)n, t->sms.data,
                                      n < t->sms.len ? ".." : "", first);
    struct sms_letter l = {.class_ = "notice", .intent = intent, .to = phone,
                           .to_user = t->reader.user, .text = text, .target = &t->target};
    *out = sms_put(in, &l, &outbox, NULL, &why) == 0;
    if (!*out && why.cls != ERR_INPUT)
        return err_set(e, why.cls, "%s", why.text);
    if (!*out)
        input_note(in, "%s could not be texted: %s", t->reader.user, why.text);
    return 0;
}

static int told_send(struct input *in, struct told *t, struct err *e)
{
    struct template_result w = {0};
    const char *by = reader_setting(in, t, "reminders", "email");
    AUTO_FREE char *to = mem_str(reader_setting(in, t, "email", ""));
    bool later = false, texted = false;
    int rc = told_words(in, t, &w, e);
    text_lower(to);
    if (rc == 0 && *to)
        rc = storm_check_line(in, to, w.subject, &later, e);
    if (rc == 0 && !later && (!strcmp(by, "sms") || !strcmp(by, "both")))
        rc = told_sms(in, t, &texted, e);
    if (rc == 0 && !later && !(texted && !strcmp(by, "sms")))
        rc = told_mail(in, t, &w, e);
    template_result_done(&w);
    input_note(in, "%s is reminded of %s%s", t->reader.user ? t->reader.user : "the administrator",
               t->ids.data, later ? ", together with other notices" : "");
    engine_count(in->eng, "reminders", (int64_t)json_array_size(t->tasks));
    return rc;
}

/* ---- due ---------------------------------------------------------------------------- */

static int row_next(struct input *in, const json_t *rec, const struct reader *r, struct err *e)
{
    int64_t due = json_get_int(rec, "due_ms", 0);
    struct timer_row t = {.key = key_of(json_get_int(rec, "id", 0)), .since_ms = due};
    if (json_get_int(rec, "step", 0) == STEP_BEFORE && due > in->now_ms + TOGETHER_MS) {
        t.step = STEP_DUE;
        t.due_ms = due;
    } else if (r->away_until) {
        t.step = STEP_DUE;
        t.due_ms = r->away_until;
    } else {
        t.step = STEP_OVERDUE;
        t.due_ms = later_of(due, in->now_ms) + overdue_after(in->eng);
    }
    return timer_write(in->eng, &t, e);
}

static int remind(struct input *in, const json_t *rec, struct err *e)
{
    struct told t = {0};
    size_t i;
    const json_t *one;
    int rc = reader_find(in, json_get_str(rec, "owner", NULL), &t.reader, e);
    if (rc == 0) {
        t.tasks = task_reminders(in->eng->db, json_get_str(rec, "owner", NULL),
                                 in->now_ms + TOGETHER_MS, REMINDER_TOLD, e);
        rc = t.tasks ? 0 : -1;
    }
    t.zone = zone_name(assign_zone(in->eng->crm, t.reader.user ? t.reader.user : ""));
    buf_init(&t.lines, BOUND_TEMPLATE_OUTPUT / 2);
    buf_init(&t.ids, REMINDER_TOLD * CRM_ID_LEN);
    buf_init(&t.sms, REMINDER_TOLD * 100);
    if (rc == 0 && !t.reader.silent && json_array_size(t.tasks))
        rc = told_send(in, &t, e);
    json_array_foreach(t.tasks, i, one)
        if (rc == 0)
            rc = row_next(in, one, &t.reader, e);
    in->target = t.target;
    buf_done(&t.lines);
    buf_done(&t.ids);
    buf_done(&t.sms);
    json_decref(t.tasks);
    return rc;
}

/* Others hear of it by rules. One that comes again is told anew when it would. */
static int overdue(struct input *in, const json_t *rec, struct err *e)
{
    int64_t id = json_get_int(rec, "id", 0);
    struct timer_row t = {.key = key_of(id), .since_ms = json_get_int(rec, "due_ms", 0)};
    if (crm_target_of(in->ctx, CRM_TASK, id, &in->target, e) < 0)
        return -1;
    t.due_ms = crm_task_next(in->eng->crm, rec, in->now_ms);
    t.step = t.due_ms ? STEP_DUE : STEP_OVER;
    crm_emit(in->ctx, "task.overdue", &in->target, &crm_system);
    return timer_write(in->eng, &t, e);
}

static int task_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct timer_key k = timer_key_of(row);
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN];
    bool late = json_get_int(row, "step", 0) >= STEP_OVERDUE;
    crm_id_format(CRM_TASK, k.record_id, id);
    /* what rules send now is no reminder: tests count it */
    input_begin(&in, eng, mem_printf("reminder of %s", id),
                mem_printf("%s/%s/%" PRId64 "/%" PRId64, late ? "overdue" : "remind", id,
                           json_get_int(row, "since_ms", 0), clock_now_ms()));
    const json_t *rec = crm_record(in.ctx, CRM_TASK, k.record_id, &gone);
    int rc = 0;
    if (!rec && gone.cls != ERR_INPUT)
        rc = err_set(e, gone.cls, "%s", gone.text);
    else if (!is_open(rec))
        rc = timer_remove(eng, &k, e);
    else if (late)
        rc = overdue(&in, rec, e);
    else
        rc = remind(&in, rec, e);
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    return rc;
}

static bool task_over(const struct ruleset *rs, const json_t *row)
{
    (void)rs;
    return json_get_int(row, "step", 0) >= STEP_OVER;
}

static void task_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    static const char *const steps[] = {"reminder before it is due", "reminder that it is due",
                                        "task.overdue", "its owner was told"};
    int64_t step = json_get_int(row, "step", 0);
    (void)rs;
    snprintf(out, n, "%s", steps[step > STEP_OVER ? STEP_OVER : step]);
}

const struct timer_kind timer_kind_task = {
    .name = "task", .fire = task_fire, .over = task_over, .tell = task_tell};

/* ---- answers -------------------------------------------------------------------------- */

int reminder_answered(struct engine *eng, const json_t *message, char out[REMINDER_TOLD * CRM_ID_LEN],
                      struct err *e)
{
    const char *id = json_string_value(json_array_get(json_get_arr(message, "in_reply_to"), 0));
    int64_t outbox = 0;
    *out = '\0';
    if (id && thread_outbox(eng, id, &outbox, e) < 0)
        return -1;
    if (!outbox)
        return 0;
    AUTO_JSON json_t *row = outbox_get(eng->db, outbox, e);
    const char *intent = json_get_str(row, "intent", ""), *ids = strrchr(intent, '/');
    if (!row)
        return -1;
    if (!text_starts(intent, "remind/") || !ids)
        return 0;
    snprintf(out, REMINDER_TOLD * CRM_ID_LEN, "%s", ids + 1);
    for (char *p = out; *p; p++)
        *p = *p == '.' ? ' ' : *p;
    return 0;
}
