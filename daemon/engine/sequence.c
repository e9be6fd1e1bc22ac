/* SPDX-License-Identifier: ISC
 *
 * sequence - a step is due, or something happened that ends the whole (see enrol.h)
 *
 * From a step that is due on, all steps are done up to the next wait, in one transaction
 * and as one input: "sequence nurture on L42". A step that sends waits for its window
 * first. Before each the reasons to end are looked at, so nothing is sent after them.
 *
 * What was decided stands in the journal with the conditions that were false, as for
 * rules, under events that no rule can name: sequence.due and sequence.stopped.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "crm/when.h"
#include "engine/consent.h"
#include "engine/enrol.h"
#include "engine/late.h"
#include "engine/timer.h"
#include "store/enrolment.h"

#define UNKNOWN_MS INT64_C(600000) /* an outside lookup has not answered: later */

struct course {
    struct input *in;
    const json_t *enrolment;
    struct sequence *q;
    const struct crm_target *target;
    enum crm_entity kind;
    struct timer_row t;
    bool ended;
    bool skips; /* it is late: what would be done up to the next wait is not */
};

static int course_end(struct course *c, const char *state, const char *why, struct err *e)
{
    c->ended = true;
    return enrol_end(c->in, c->enrolment, c->t.step, state, why, e);
}

/* ---- reasons to end ------------------------------------------------------------------- */

static int reason_of_list(const struct course *c, char *why, size_t n, struct err *e)
{
    bool left = false;
    const char *list = sequence_mail_list(c->q);
    if (list && consent_contact_left(c->in->eng, c->target->contact, list, &left, e) < 0)
        return -1;
    if (left)
        snprintf(why, n, "the contact has left the list %s", list);
    return 0;
}

/* "" when the record as it is gives no reason. */
static int reason_of_record(struct course *c, char *why, size_t n, struct err *e)
{
    enum crm_address_use use;
    unsigned stops = sequence_stops(c->q);
    int64_t began = json_get_int(c->enrolment, "began_ms", 0);
    struct crm_clock clock, lead = {0};
    *why = '\0';
    if (crm_contact_check(c->in->ctx, c->target->contact, &use, e) < 0 ||
        crm_clock(c->in->ctx, c->kind, c->t.key.record_id, &clock, e) < 0 ||
        (c->target->lead && crm_clock(c->in->ctx, CRM_LEAD, c->target->lead, &lead, e) < 0))
        return -1;
    if (use == CRM_ADDRESS_OPTED_OUT)
        snprintf(why, n, "the contact has opted out");
    else if (use == CRM_ADDRESS_BOUNCING)
        snprintf(why, n, "mail to the contact comes back");
    else if ((stops & SEQUENCE_REPLY) && lead.heard_ms > began)
        snprintf(why, n, "the contact has answered");
    else if ((stops & SEQUENCE_OWNER) && lead.said_ms > began)
        snprintf(why, n, "one of ours has written or called");
    else if ((stops & SEQUENCE_CLOSED) && clock.closed)
        snprintf(why, n, "the %s is closed", crm_entity_name(c->kind));
    else
        return reason_of_list(c, why, n, e);
    return 0;
}

static bool is_begun_here(const struct course *c)
{
    size_t i;
    json_t *id;
    json_array_foreach(c->in->enrolled, i, id)
        if (json_integer_value(id) == json_get_int(c->enrolment, "id", 0))
            return true;
    return false;
}

/* What this input brought. */
static const char *reason_of_events(const struct course *c)
{
    unsigned stops = sequence_stops(c->q);
    const char *kind = json_get_str(c->in->message, "kind", "person");
    for (size_t i = 0; i < c->in->count; i++) /* a STOP by text is an answer, too */
        if (c->in->events[i].ev.target.contact == c->target->contact &&
            strcmp(c->in->events[i].ev.name, "address.opted_out") == 0)
            return "the contact has opted out";
    for (size_t i = 0; i < c->in->count; i++) {
        const struct crm_event *ev = &c->in->events[i].ev;
        if (ev->target.contact != c->target->contact)
            continue;
        if ((stops & SEQUENCE_REPLY) && ev->actor.kind == CRM_BY_CONTACT &&
            (strcmp(ev->name, "form.received") == 0 ||
             (strcmp(ev->name, "message.received") == 0 && strcmp(kind, "person") == 0)))
            return "the contact has answered";
        if ((stops & SEQUENCE_MEETING) && strcmp(ev->name, "meeting.added") == 0)
            return "a meeting was arranged";
        if ((stops & SEQUENCE_OWNER) && strcmp(ev->name, "call.logged") == 0)
            return "one of ours has written or called";
    }
    return NULL;
}

/* The line of until that is true. */
static int reason_until(struct course *c, char *why, size_t n, struct err *e)
{
    const struct rule *rule;
    for (size_t i = 0; !*why && (rule = sequence_until(c->q, i)) != NULL; i++) {
        struct timer_asked a;
        timer_ask_of(c->in, sequence_rules(c->q), rule, "sequence.stopped", c->kind, c->target, &a);
        if (a.d.outcome == RULE_MATCHED)
            snprintf(why, n, "until: %s", rule->when[0].text);
        timer_asked_done(&a);
    }
    return crm_facts_error(c->in->ctx, e);
}

/* ---- one step ---------------------------------------------------------------------------- */

enum step_goes { GOES_ON, GOES_ELSE, GOES_LATER };

/* Its own commands have ended it, or paused it: then it goes on behind this step. */
static int step_changed(struct course *c, struct err *e)
{
    json_t *now = NULL;
    int rc = 0;
    if (enrolment_running(c->in->eng->db, c->t.key.rule, c->t.key.entity, c->t.key.record_id, &now, e) < 0)
        return -1;
    bool mine = json_get_int(now, "id", 0) == json_get_int(c->enrolment, "id", 0);
    bool paused = mine && strcmp(json_get_str(now, "state", ""), "paused") == 0;
    c->ended = !mine || paused;
    if (paused) {
        AUTO_JSON json_t *next = json_pack("{s:I, s:I}", "step", (json_int_t)c->t.step + 1, "since_ms",
                                           (json_int_t)c->t.since_ms);
        rc = enrol_pause(c->in, now, next, json_get_str(now, "reason", NULL), e);
    }
    json_decref(now);
    return rc;
}

static int step_commands(struct course *c, const struct step *s, const struct crm_event *ev,
                         json_t *decision, struct err *e)
{
    c->in->list = sequence_mail_list(c->q);
    int rc = input_run_rule(c->in, ev, s->rule, decision, e);
    c->in->list = NULL;
    return rc;
}

/* Its conditions, and its commands when they hold. */
static int step_ask(struct course *c, const struct step *s, enum step_goes *out, struct err *e)
{
    struct timer_asked a;
    int rc = 0;
    *out = GOES_ON;
    if (!s->rule)
        return 0;
    timer_ask_of(c->in, sequence_rules(c->q), s->rule, "sequence.due", c->kind, c->target, &a);
    if (a.d.outcome == RULE_CANNOT_KNOW) {
        *out = GOES_LATER;
    } else {
        json_t *j = timer_asked_journal(c->in, &a);
        if (a.d.outcome != RULE_MATCHED)
            *out = GOES_ELSE;
        else if (s->rule->command_count)
            rc = step_commands(c, s, &a.ev, j, e);
        if (rc == 0 && c->in->enrol_changed)
            rc = step_changed(c, e);
    }
    timer_asked_done(&a);
    return rc < 0 ? -1 : crm_facts_error(c->in->ctx, e);
}

static int step_variants(struct course *c, const struct step *s, struct err *e)
{
    size_t n = sequence_variant(c->q, s, c->t.key.record_id);
    const char *before = json_get_str(c->enrolment, "variants", "");
    AUTO_FREE char *all = mem_printf("%s%s%s:%zu", before, *before ? " " : "", s->path, n + 1);
    input_note(c->in, "sequence %s, step %s: variant %zu of %zu", c->t.key.rule, s->path, n + 1,
               s->variant_count);
    c->t.step = (int64_t)s->variants[n].to;
    json_object_set_new((json_t *)c->enrolment, "variants", json_string(all));
    return enrolment_set_variants(c->in->eng->db, json_get_int(c->enrolment, "id", 0), all, e);
}

/* The next step that leaves the building may have to wait for its window. */
static int wait_until(struct course *c, int64_t from, struct err *e)
{
    int64_t due;
    const struct step *next = sequence_step(c->q, (size_t)c->t.step);
    while (next && next->kind == STEP_JUMP)
        next = sequence_step(c->q, next->to);
    if (enrol_opens(c->in->ctx, c->q, next, c->target->contact, from, &due, e) < 0)
        return -1;
    if (due == CALENDAR_NEVER)
        return course_end(c, "stopped", "the window is never open", e);
    c->t.due_ms = due;
    return timer_write(c->in->eng, &c->t, e);
}

/* Of a step that was asked for its conditions: goes on to where it leads. */
static int step_leads(struct course *c, const struct step *s, enum step_goes goes, bool *again,
                      struct err *e)
{
    c->t.step++;
    *again = true;
    switch (s->kind) {
    case STEP_BRANCH:
        if (goes == GOES_ELSE)
            c->t.step = (int64_t)s->to;
        return 0;
    case STEP_VARIANTS:
        return step_variants(c, s, e);
    case STEP_JUMP:
        c->t.step = (int64_t)s->to;
        return 0;
    case STEP_END:
        return goes == GOES_ELSE ? 0 : course_end(c, "done", NULL, e);
    case STEP_WAIT:
        if (goes == GOES_ELSE)
            return 0;
        *again = false;
        return wait_until(c, calendar_span_add(&s->wait.span, c->in->now_ms), e);
    case STEP_DO:
        break;
    }
    return 0;
}

static int step_run(struct course *c, bool *again, struct err *e)
{
    const struct step *s = sequence_step(c->q, (size_t)c->t.step);
    enum step_goes goes;
    int64_t open;
    char why[160];
    *again = false;
    if (!s)
        return course_end(c, "done", NULL, e);
    if (reason_of_record(c, why, sizeof(why), e) < 0 || reason_until(c, why, sizeof(why), e) < 0)
        return -1;
    if (*why)
        return course_end(c, "stopped", why, e);
    if (c->skips && s->kind == STEP_DO) {
        input_note(c->in, "sequence %s, step %s: passed over, it is late", c->t.key.rule, s->path);
        c->t.step++;
        *again = true;
        return 0;
    }
    if (enrol_opens(c->in->ctx, c->q, s, c->target->contact, c->in->now_ms, &open, e) < 0)
        return -1;
    if (open > c->in->now_ms)
        return wait_until(c, c->in->now_ms, e);
    if (step_ask(c, s, &goes, e) < 0)
        return -1;
    if (goes != GOES_LATER)
        return step_leads(c, s, goes, again, e);
    c->t.due_ms = c->in->now_ms + UNKNOWN_MS;
    return timer_write(c->in->eng, &c->t, e);
}

/* ---- due ------------------------------------------------------------------------------------ */

static int course_run(struct course *c, struct err *e)
{
    bool again = true;
    while (again && !c->ended) /* every jump leads forward */
        if (step_run(c, &again, e) < 0)
            return -1;
    return 0;
}

/* Nobody is asked what a version meant that cannot be read any more: a person decides. */
static int course_cannot(struct input *in, const json_t *enrolment, const json_t *row,
                         const struct err *why, struct err *e)
{
    struct err text = *why;
    input_note(in, "sequence %s is paused: %s", json_get_str(row, "rule", ""), text.text);
    return enrol_pause(in, enrolment, row, text.text, e);
}

/* As the sequence wants it. */
static int course_late(struct course *c, const json_t *row, struct err *e)
{
    char when[40];
    int64_t due = json_get_int(row, "due_ms", 0);
    enum sequence_late late = sequence_late(c->q);
    if (late == SEQUENCE_LATE_RUN || !late_is(c->in->eng, due))
        return course_run(c, e);
    c->skips = late == SEQUENCE_LATE_SKIP;
    if (c->skips)
        return course_run(c, e);
    crm_when_print(engine_setting(c->in->eng, "time_zone", "UTC"), due, when, sizeof(when));
    AUTO_FREE char *why = mem_printf("late: it was due %s", when);
    input_note(c->in, "sequence %s is paused: %s", c->t.key.rule, why);
    return enrol_pause(c->in, c->enrolment, row, why, e);
}

static int fire_in(struct input *in, const json_t *row, const json_t *enrolment, struct err *e)
{
    struct err why = {0};
    struct course c = {.in = in, .enrolment = enrolment, .target = &in->target,
                       .t = {.key = timer_key_of(row), .step = json_get_int(row, "step", 0),
                             .since_ms = json_get_int(row, "since_ms", 0)}};
    c.kind = crm_entity_parse(c.t.key.entity);
    c.q = enrol_sequence(in->eng, enrolment, &why);
    if (c.q)
        return course_late(&c, row, e);
    if (why.cls == ERR_INPUT)
        return course_cannot(in, enrolment, row, &why, e);
    *e = why;
    return -1;
}

static int sequence_fire(struct engine *eng, const json_t *row, struct err *e)
{
    struct input in;
    struct err gone = {0};
    char id[CRM_ID_LEN];
    json_t *enrolment = NULL;
    struct timer_key k = timer_key_of(row);
    if (enrolment_running(eng->db, k.rule, k.entity, k.record_id, &enrolment, e) < 0)
        return -1;
    if (!enrolment) /* which cannot be: both are written together */
        return timer_remove(eng, &k, e);
    timer_record(row, id);
    input_begin(&in, eng, mem_printf("sequence %s on %s", k.rule, id),
                mem_printf("S%" PRId64, json_get_int(enrolment, "id", 0)));
    int rc = crm_target_exact(in.ctx, crm_entity_parse(k.entity), k.record_id, &in.target, &gone);
    if (rc == 0)
        rc = fire_in(&in, row, enrolment, e);
    else if (gone.cls == ERR_INPUT)
        rc = enrol_end(&in, enrolment, json_get_int(row, "step", 0), "stopped", gone.text, e);
    else
        *e = gone;
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    json_decref(enrolment);
    return rc;
}

/* ---- the end of an input ------------------------------------------------------------------------ */

static int sequence_check(struct input *in, const json_t *row, const struct crm_target *target,
                          struct err *e)
{
    json_t *enrolment = NULL;
    struct timer_key k = timer_key_of(row);
    struct err why = {0};
    char reason[160];
    if (enrolment_running(in->eng->db, k.rule, k.entity, k.record_id, &enrolment, e) < 0)
        return -1;
    struct course c = {.in = in, .enrolment = enrolment, .target = target,
                       .kind = crm_entity_parse(k.entity),
                       .t = {.key = k, .step = json_get_int(row, "step", 0)}};
    int rc = 0;
    if (enrolment && !is_begun_here(&c) && (c.q = enrol_sequence(in->eng, enrolment, &why)) != NULL) {
        const char *seen = reason_of_events(&c);
        snprintf(reason, sizeof(reason), "%s", seen ? seen : "");
        rc = !*reason && (reason_of_record(&c, reason, sizeof(reason), e) < 0 ||
                          reason_until(&c, reason, sizeof(reason), e) < 0) ? -1 : 0;
        if (rc == 0 && *reason)
            rc = course_end(&c, "stopped", reason, e);
    } else if (why.cls != ERR_NONE && why.cls != ERR_INPUT) {
        *e = why;
        rc = -1;
    }
    json_decref(enrolment);
    return rc;
}

/* ---- the kind -------------------------------------------------------------------------------------- */

/* A version outlives its sequence in the rules. */
static bool sequence_known(const struct ruleset *rs, const char *name)
{
    (void)rs;
    (void)name;
    return true;
}

static void sequence_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    snprintf(out, n, "place %" PRId64 " of the steps; leadctl sequence preview %s",
             json_get_int(row, "step", 0) + 1, timer_record(row, (char[CRM_ID_LEN]){0}));
}

const struct timer_kind timer_kind_sequence = {.name = "sequence",
                                               .fire = sequence_fire,
                                               .check = sequence_check,
                                               .known = sequence_known,
                                               .tell = sequence_tell};
