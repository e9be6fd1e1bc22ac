/* SPDX-License-Identifier: ISC
 *
 * enrol - see enrol.h
 */
#include "engine/enrol.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/when.h"
#include "engine/timer.h"
#include "store/enrolment.h"

/* ---- versions ------------------------------------------------------------------------ */

struct versions {
    struct {
        int64_t id;
        struct sequence *q;
        bool own; /* else it is one of the present rules */
    } list[ENROL_VERSIONS];
    size_t count;
};

static void version_free(struct versions *v, size_t i)
{
    if (v->list[i].own)
        sequence_free(&v->list[i].q);
}

void versions_free(struct versions **p)
{
    struct versions *v = *p;
    for (size_t i = 0; v && i < v->count; i++)
        version_free(v, i);
    mem_free(v);
    *p = NULL;
}

static struct sequence *version_find(const struct versions *v, int64_t id)
{
    for (size_t i = 0; v && i < v->count; i++)
        if (v->list[i].id == id)
            return v->list[i].q;
    return NULL;
}

/* The oldest makes room. */
static struct sequence *version_put(struct engine *eng, int64_t id, struct sequence *q, bool own)
{
    if (!eng->versions)
        eng->versions = mem_alloc(sizeof(*eng->versions));
    struct versions *v = eng->versions;
    if (v->count == ENROL_VERSIONS) {
        version_free(v, 0);
        memmove(v->list, v->list + 1, sizeof(*v->list) * --v->count);
    }
    v->list[v->count].id = id;
    v->list[v->count].own = own;
    v->list[v->count++].q = q;
    return q;
}

static struct sequence *version_compile(struct engine *eng, const json_t *version, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 5);
    const char *name = json_get_str(version, "name", "");
    const char *text = json_get_str(version, "source", "");
    struct sequence *now = crm_sequence(eng->crm, name);
    if (now && strcmp(sequence_hash(now), json_get_str(version, "hash", "")) == 0)
        return version_put(eng, json_get_int(version, "id", 0), now, false);
    AUTO_JSON json_t *source = json_loadb(text, strlen(text), 0, NULL);
    struct sequence *q = source ? crm_sequence_then(eng->crm, name, source, &errors) : NULL;
    if (q)
        return version_put(eng, json_get_int(version, "id", 0), q, true);
    struct buf why AUTO_BUF;
    buf_init(&why, KIB(4));
    errlist_print(&errors, &why);
    err_set(e, ERR_INPUT, "its version of %s cannot be used any more: %s", name, why.data);
    return NULL;
}

struct sequence *enrol_sequence(struct engine *eng, const json_t *enrolment, struct err *e)
{
    int64_t id = json_get_int(enrolment, "version", 0);
    struct sequence *q = version_find(eng->versions, id);
    if (q)
        return q;
    AUTO_JSON json_t *version = version_get(eng->db, id, e);
    return version ? version_compile(eng, version, e) : NULL;
}

/* ---- of one enrolment ------------------------------------------------------------------ */

struct timer_key enrol_key(const json_t *enrolment)
{
    return (struct timer_key){"sequence", json_get_str(enrolment, "sequence", ""),
                              json_get_str(enrolment, "entity", ""),
                              json_get_int(enrolment, "record_id", 0)};
}

static int enrol_announce(struct input *in, const json_t *enrolment, const char *event,
                          struct err *e)
{
    struct crm_target target;
    struct err gone = {0};
    if (crm_target_exact(in->ctx, crm_entity_parse(json_get_str(enrolment, "entity", "")),
                         json_get_int(enrolment, "record_id", 0), &target, &gone) < 0) {
        if (gone.cls == ERR_INPUT) /* deleted, merged: nobody is there to hear */
            return 0;
        *e = gone;
        return -1;
    }
    crm_emit(in->ctx, event, &target, &crm_system);
    return 0;
}

int enrol_end(struct input *in, const json_t *enrolment, int64_t step, const char *state,
              const char *reason, struct err *e)
{
    json_t *timer = NULL;
    struct timer_key k = enrol_key(enrolment);
    struct enrolment_change c = {
        .state = state, .step = step, .ended_ms = in->now_ms, .reason = reason};
    if (timer_get(in->eng->db, &k, &timer, e) < 0)
        return -1;
    c.due_ms = json_get_int(timer, "due_ms", 0);
    json_decref(timer);
    input_note(in, "sequence %s: %s%s%s", k.rule, strcmp(state, "done") ? "ended" : "done",
               reason ? ": " : "", reason ? reason : "");
    engine_count(in->eng, strcmp(state, "done") ? "sequences_stopped" : "sequences_done", 1);
    if (enrolment_set_state(in->eng->db, json_get_int(enrolment, "id", 0), &c, e) < 0 ||
        timer_remove(in->eng, &k, e) < 0)
        return -1;
    return enrol_announce(in, enrolment, "sequence.ended", e);
}

int enrol_pause(struct input *in, const json_t *enrolment, const json_t *timer,
                const char *reason, struct err *e)
{
    struct timer_row t = {.key = enrol_key(enrolment),
                          .step = json_get_int(timer, "step", 0),
                          .since_ms = json_get_int(timer, "since_ms", in->now_ms)};
    struct enrolment_change c = {.state = "paused", .step = t.step, .reason = reason};
    int64_t due = json_get_int(timer, "due_ms", 0);
    t.left_ms = due > in->now_ms ? due - in->now_ms : 1; /* empty would mean: nothing is left */
    return enrolment_set_state(in->eng->db, json_get_int(enrolment, "id", 0), &c, e) < 0
               ? -1 : timer_write(in->eng, &t, e);
}

static int enrol_go_on(struct input *in, const json_t *enrolment, int64_t due_ms, struct err *e)
{
    struct timer_row t = {.key = enrol_key(enrolment),
                          .due_ms = due_ms,
                          .step = json_get_int(enrolment, "step", 0),
                          .since_ms = json_get_int(enrolment, "began_ms", in->now_ms)};
    struct enrolment_change c = {.state = "active", .step = t.step};
    return enrolment_set_state(in->eng->db, json_get_int(enrolment, "id", 0), &c, e) < 0
               ? -1 : timer_write(in->eng, &t, e);
}

int enrol_opens(struct crm_ctx *ctx, struct sequence *q, const struct step *s, int64_t contact,
                int64_t from, int64_t *out, struct err *e)
{
    const char *zones[CRM_ZONES];
    size_t n = 0;
    *out = from;
    if (!s || !s->sends || !sequence_window(q))
        return 0;
    if (crm_zones_of_contact(ctx, contact, zones, &n, e) < 0)
        return -1;
    *out = sequence_open(q, zones, n, from);
    if (*out == CALENDAR_NEVER) /* a country too wide for it: where the company is */
        *out = sequence_open(q, NULL, 0, from);
    return 0;
}

/* ---- the command --------------------------------------------------------------------------- */

static int64_t target_id(const struct crm_target *t, const char *entity)
{
    switch (crm_entity_parse(entity)) {
    case CRM_LEAD:
        return t->lead;
    case CRM_CONTACT:
        return t->contact;
    case CRM_DEAL:
        return t->deal;
    case CRM_CASE:
        return t->kase;
    default:
        return 0;
    }
}

/* One at a time, unless one of them may run beside others. */
static int begin_alone(struct input *in, const struct sequence *q, int64_t contact, struct err *e)
{
    size_t i;
    json_t *other;
    char id[CRM_ID_LEN];
    AUTO_JSON json_t *there = enrolment_of_contact(in->eng->db, contact, e);
    if (!there)
        return -1;
    json_array_foreach(there, i, other) {
        const char *name = json_get_str(other, "sequence", "");
        const struct sequence *now = crm_sequence(in->eng->crm, name);
        if (sequence_several(q) || (now && sequence_several(now)))
            continue;
        crm_id_format(crm_entity_parse(json_get_str(other, "entity", "")),
                      json_get_int(other, "record_id", 0), id);
        return err_set(e, ERR_INPUT, "%s is in the sequence %s already; end that first (sequence stop "
                       "%s), or allow it with several", id, name, name);
    }
    return 0;
}

static int begin_allowed(struct input *in, const struct crm_enrol *w, const struct sequence *q,
                         int64_t record, struct err *e)
{
    enum crm_address_use use;
    struct crm_clock clock;
    json_t *there = NULL;
    if (!record)
        return err_set(e, ERR_INPUT, "%s is for a %s, and there is none here", w->name, sequence_on(q));
    if (!w->target.contact)
        return err_set(e, ERR_INPUT, "%s: there is no contact to write to", w->name);
    if (enrolment_running(in->eng->db, w->name, sequence_on(q), record, &there, e) < 0)
        return -1;
    json_decref(there);
    if (there)
        return err_set(e, ERR_INPUT, "it is in the sequence %s already", w->name);
    if (crm_contact_check(in->ctx, w->target.contact, &use, e) < 0 ||
        crm_clock(in->ctx, crm_entity_parse(sequence_on(q)), record, &clock, e) < 0)
        return -1;
    if (use == CRM_ADDRESS_OPTED_OUT)
        return err_set(e, ERR_INPUT, "not begun: the contact has opted out");
    if (use == CRM_ADDRESS_BOUNCING)
        return err_set(e, ERR_INPUT, "not begun: mail to the contact comes back");
    if ((sequence_stops(q) & SEQUENCE_CLOSED) && clock.closed)
        return err_set(e, ERR_INPUT, "not begun: the %s is closed", sequence_on(q));
    return begin_alone(in, q, w->target.contact, e);
}

/* The record that it would be on, and when its first step comes. */
static int begin_when(struct input *in, const struct crm_enrol *w, struct sequence *q,
                      int64_t *record_out, int64_t *due_out, struct err *e)
{
    if (!q)
        return err_set(e, ERR_INPUT, "there is no sequence %s", w->name);
    *record_out = target_id(&w->target, sequence_on(q));
    if (begin_allowed(in, w, q, *record_out, e) < 0 ||
        enrol_opens(in->ctx, q, sequence_step(q, 0), w->target.contact, in->now_ms, due_out, e) < 0)
        return -1;
    return *due_out == CALENDAR_NEVER
               ? err_set(e, ERR_INPUT, "not begun: the window of %s is never open", w->name) : 0;
}

int enrol_may_begin(struct input *in, const char *name, const struct crm_target *t, bool again,
                    struct err *e)
{
    const struct crm_enrol w = {.what = CRM_ENROL_BEGIN, .name = name, .target = *t};
    int64_t record, due;
    size_t i;
    json_t *one;
    if (begin_when(in, &w, crm_sequence(in->eng->crm, name), &record, &due, e) < 0)
        return -1;
    if (again)
        return 0;
    AUTO_JSON json_t *been = enrolment_of_record(
        in->eng->db, sequence_on(crm_sequence(in->eng->crm, name)), record, e);
    if (!been)
        return -1;
    json_array_foreach(been, i, one)
        if (strcmp(json_get_str(one, "sequence", ""), name) == 0)
            return err_set(e, ERR_INPUT, "it has been in the sequence %s before", name);
    return 0;
}

int enrol_from(struct input *in, const char *name, const char *by, struct err *e)
{
    struct err why = {0};
    const struct crm_actor actor = {.kind = CRM_BY_SYSTEM, .name = by};
    AUTO_FREE char *line = mem_printf("sequence %s", name);
    if (crm_command_run(in->ctx, &in->target, line, &actor, NULL, &why) == 0 || why.cls == ERR_INPUT)
        return 0;
    *e = why;
    return -1;
}

static int begin(struct input *in, const struct crm_enrol *w, struct crm_enrolled *out,
                 struct err *e)
{
    struct sequence *q = crm_sequence(in->eng->crm, w->name);
    int64_t record, due;
    char when[40];
    if (begin_when(in, w, q, &record, &due, e) < 0)
        return -1;
    AUTO_FREE char *by = mem_printf("%s %s", crm_actor_kind_name(w->actor.kind), w->actor.name);
    struct enrolment_row row = {.sequence = sequence_name(q), .entity = sequence_on(q),
                                .record_id = record, .contact_id = w->target.contact,
                                .began_by = by, .began_ms = in->now_ms};
    struct timer_row t = {.key = {"sequence", sequence_name(q), sequence_on(q), record},
                          .due_ms = due, .since_ms = in->now_ms};
    if (version_keep(in->eng->db, sequence_name(q), sequence_hash(q), sequence_source(q), in->now_ms,
                     &row.version, e) < 0 ||
        enrolment_add(in->eng->db, &row, e) < 0 || timer_write(in->eng, &t, e) < 0)
        return -1;
    json_array_append_new(in->enrolled, json_integer(row.id));
    engine_count(in->eng, "sequences_begun", 1);
    crm_emit(in->ctx, "sequence.begun", &w->target, &w->actor);
    out->count = 1;
    out->list[0].id = row.id;
    out->list[0].was = "";
    crm_when_print(engine_setting(in->eng, "time_zone", "UTC"), due, when, sizeof(when));
    snprintf(out->text, sizeof(out->text), "%s begins%s%s", w->name, due > in->now_ms ? " " : " now",
             due > in->now_ms ? when : "");
    return 0;
}

/* Is it one that this may be done to? */
static bool fits(const struct crm_enrol *w, const json_t *enrolment)
{
    const char *state = json_get_str(enrolment, "state", "");
    if (w->name && strcmp(w->name, json_get_str(enrolment, "sequence", "")) != 0)
        return false;
    return w->what == CRM_ENROL_STOP || strcmp(state, w->what == CRM_ENROL_PAUSE ? "active" : "paused") == 0;
}

static int change_one(struct input *in, const struct crm_enrol *w, const json_t *enrolment,
                      struct err *e)
{
    struct timer_key k = enrol_key(enrolment);
    json_t *timer = NULL;
    AUTO_FREE char *why = mem_printf("by %s %s", crm_actor_kind_name(w->actor.kind), w->actor.name);
    if (timer_get(in->eng->db, &k, &timer, e) < 0)
        return -1;
    int64_t step = json_get_int(timer, "step", json_get_int(enrolment, "step", 0));
    int64_t left = json_get_int(timer, "left_ms", 0);
    int rc = w->what == CRM_ENROL_STOP    ? enrol_end(in, enrolment, step, "stopped", why, e)
             : w->what == CRM_ENROL_PAUSE ? enrol_pause(in, enrolment, timer, why, e)
                                          : enrol_go_on(in, enrolment, in->now_ms + left, e);
    json_decref(timer);
    return rc;
}

static int change(struct input *in, const struct crm_enrol *w, struct crm_enrolled *out,
                  struct err *e)
{
    static const char *const said[] = {[CRM_ENROL_STOP] = "ended", [CRM_ENROL_PAUSE] = "paused",
                                       [CRM_ENROL_GO_ON] = "goes on"};
    size_t i;
    json_t *one;
    const char *last = "";
    AUTO_JSON json_t *there = enrolment_of_contact(in->eng->db, w->target.contact, e);
    if (!there)
        return -1;
    json_array_foreach(there, i, one) {
        if (!fits(w, one) || out->count == CRM_ENROLLED)
            continue;
        if (change_one(in, w, one, e) < 0)
            return -1;
        out->list[out->count].id = json_get_int(one, "id", 0);
        out->list[out->count++].was =
            strcmp(json_get_str(one, "state", ""), "paused") == 0 ? "paused" : "active";
        last = json_get_str(one, "sequence", "");
    }
    if (!out->count)
        return err_set(e, ERR_INPUT, "it is in no sequence%s%s that could be %s", w->name ? " " : "",
                       w->name ? w->name : "",
                       w->what == CRM_ENROL_GO_ON ? "let go on" : said[w->what]);
    if (out->count == 1)
        snprintf(out->text, sizeof(out->text), "the sequence %s %s%s", last,
                 w->what == CRM_ENROL_GO_ON ? "" : "is ", said[w->what]);
    else
        snprintf(out->text, sizeof(out->text), "%zu sequences: %s", out->count, said[w->what]);
    return 0;
}

int enrol_hook(void *arg, struct crm_ctx *ctx, const struct crm_enrol *w,
               struct crm_enrolled *out, struct err *e)
{
    struct input *in = arg;
    (void)ctx;
    in->enrol_changed = true;
    *out = (struct crm_enrolled){0};
    return w->what == CRM_ENROL_BEGIN ? begin(in, w, out, e) : change(in, w, out, e);
}

int enrol_undo(void *arg, struct crm_ctx *ctx, int64_t id, const char *state, struct err *e)
{
    struct input *in = arg;
    json_t *other = NULL;
    (void)ctx;
    AUTO_JSON json_t *row = enrolment_get(in->eng->db, id, e);
    if (!row)
        return -1;
    bool ended = json_object_get(row, "ended_ms") != NULL;
    if (!*state)
        return ended ? err_set(e, ERR_INPUT, "the sequence has ended since")
                     : enrol_end(in, row, json_get_int(row, "step", 0), "stopped", "taken back", e);
    if (ended && enrolment_running(in->eng->db, json_get_str(row, "sequence", ""),
                                   json_get_str(row, "entity", ""),
                                   json_get_int(row, "record_id", 0), &other, e) < 0)
        return -1;
    json_decref(other);
    if (other)
        return err_set(e, ERR_INPUT, "it has begun the sequence anew since");
    int64_t due = json_get_int(row, "due_ms", in->now_ms);
    if (enrol_go_on(in, row, due > in->now_ms ? due : in->now_ms, e) < 0)
        return -1;
    AUTO_JSON json_t *timer = json_pack("{s:I, s:I}", "step", json_get_int(row, "step", 0), "due_ms", due);
    return strcmp(state, "paused") == 0 ? enrol_pause(in, row, timer, NULL, e) : 0;
}
