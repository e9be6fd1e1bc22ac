/* SPDX-License-Identifier: ISC
 *
 * ctl_sequence - leadctl sequence: what there is, who is in it, and what would be sent when
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/when.h"
#include "engine/ctl.h"
#include "engine/enrol.h"
#include "engine/timer.h"
#include "store/enrolment.h"

#define MIGRATE_SLICE 500

/* ---- list, show --------------------------------------------------------------------------- */

/* How many of a sequence are in that state; NULL: all that ended otherwise than "done". */
static int64_t count_of(const json_t *counts, const char *name, const char *state)
{
    size_t i;
    json_t *c;
    int64_t n = 0;
    json_array_foreach((json_t *)counts, i, c)
        if (strcmp(json_get_str(c, "sequence", ""), name) == 0 &&
            strcmp(json_get_str(c, "state", ""), state) == 0)
            n += json_get_int(c, "n", 0);
    return n;
}

static json_t *list_row(const struct sequence *q, const char *name, const json_t *counts)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:s}", "name", name, "on",
                     q ? sequence_on(q) : "", "steps", q ? (int)sequence_count(q) : 0, "window",
                     q && sequence_window(q) ? sequence_window(q) : "", "active",
                     count_of(counts, name, "active"), "paused", count_of(counts, name, "paused"),
                     "done", count_of(counts, name, "done"), "stopped",
                     count_of(counts, name, "stopped"), "at", q ? sequence_at(q) : "not in the rules");
}

static json_t *sequence_list(struct ctl *c, struct err *e)
{
    struct sequence *q;
    size_t i;
    json_t *one;
    json_t *rows = json_array();
    const char *last = "";
    AUTO_JSON json_t *counts = enrolment_counts(c->eng->db, e);
    if (!counts) {
        json_decref(rows);
        return NULL;
    }
    for (i = 0; (q = crm_sequence_at(c->eng->crm, i)) != NULL; i++)
        json_array_append_new(rows, list_row(q, sequence_name(q), counts));
    json_array_foreach(counts, i, one) { /* ordered by name: those that the files lack */
        const char *name = json_get_str(one, "sequence", "");
        if (strcmp(name, last) != 0 && !crm_sequence(c->eng->crm, name))
            json_array_append_new(rows, list_row(NULL, name, counts));
        last = name;
    }
    return ctl_table(rows, "name NAME|on ON|steps STEPS|window WINDOW|active ACTIVE|paused PAUSED|"
                           "done DONE|stopped STOPPED|at AT");
}

static json_t *steps_rows(const struct sequence *q)
{
    const struct step *s;
    json_t *rows = json_array();
    for (size_t i = 0; (s = sequence_step(q, i)) != NULL; i++) {
        const char *when = s->rule && s->kind != STEP_BRANCH && s->rule->when_count
                               ? s->rule->when[0].text : "";
        if (s->kind != STEP_JUMP)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "step", s->path, "what",
                                                  s->text, "when", when, "at", s->at));
    }
    return rows;
}

/* Why those ended who did not come to the end, and how many of each version are there. */
static json_t *counts_rows(const json_t *counts, const char *name, int64_t present)
{
    size_t i;
    json_t *one, *rows = json_array();
    json_array_foreach((json_t *)counts, i, one)
        if (strcmp(json_get_str(one, "sequence", ""), name) == 0)
            json_array_append_new(
                rows, json_pack("{s:s, s:I, s:s, s:s}", "state", json_get_str(one, "state", ""),
                                "number", json_get_int(one, "n", 0), "version",
                                json_get_int(one, "version", 0) == present ? "present" : "earlier",
                                "reason", json_get_str(one, "reason", "")));
    return rows;
}

static struct sequence *sequence_asked(struct ctl *c, struct err *e)
{
    struct sequence *q = c->argc > 2 ? crm_sequence(c->eng->crm, c->argv[2]) : NULL;
    if (!q)
        err_set(e, ERR_INPUT, c->argc > 2 ? "there is no sequence \"%s\"; leadctl sequence list tells "
                "which there are" : "which sequence? leadctl sequence list tells", c->argv[2]);
    return q;
}

static json_t *sequence_show(struct ctl *c, struct err *e)
{
    struct sequence *q = sequence_asked(c, e);
    int64_t version = 0;
    AUTO_JSON json_t *counts = q ? enrolment_counts(c->eng->db, e) : NULL;
    if (!counts || version_number(c->eng->db, sequence_hash(q), &version, e) < 0)
        return NULL;
    return json_pack("{s:[[s,s],[s,s],[s,s],[s,s],[s,s]], s:[o,o]}", "fields", "sequence",
                     sequence_name(q), "on", sequence_on(q), "window",
                     sequence_window(q) ? sequence_window(q) : "at any time", "version",
                     sequence_hash(q), "at", sequence_at(q), "sections",
                     ctl_section("Steps", steps_rows(q), "step STEP|what WHAT|when WHEN|at AT"),
                     ctl_section("Who went through", counts_rows(counts, sequence_name(q), version),
                                 "state STATE|number NUMBER|version VERSION|reason REASON"));
}

/* ---- preview ------------------------------------------------------------------------------ */

struct preview {
    struct input in;
    struct sequence *q;
    struct crm_target target;
    enum crm_entity kind;
    int64_t record, at_ms;
    const char *zone; /* where the contact lives */
    json_t *rows;     /* own */
    char paused[400]; /* why nothing of it goes out until somebody lets it go on, or "" */
};

static bool preview_holds(struct preview *p, const struct step *s)
{
    struct timer_asked a;
    if (!s->rule)
        return true;
    timer_ask_of(&p->in, sequence_rules(p->q), s->rule, "sequence.due", p->kind, &p->target, &a);
    bool yes = a.d.outcome == RULE_MATCHED;
    timer_asked_done(&a);
    return yes;
}

static void preview_row(struct preview *p, const struct step *s, const char *note)
{
    char local[48], utc[32];
    crm_when_print(p->zone, p->at_ms, local, sizeof(local));
    json_array_append_new(p->rows,
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "step", s->path, "time",
                                    clock_format_utc(p->at_ms, utc, sizeof(utc)), "local", local,
                                    "what", s->text, "note", note));
}

#define PREVIEW_NOTE 400

/* "it would be held: ..", "does not go: C7 has no phone number", of what that command sends. */
static int preview_send(struct input *in, const struct preview *p, const struct step *s,
                        const char *line, char note[PREVIEW_NOTE], struct err *e)
{
    static const char held[] = " is held: ";
    struct crm_actor actor = {.kind = CRM_BY_RULE, .name = s->rule->name, .at = s->rule->at};
    struct err why = {0};
    struct crm_result res = {0};
    size_t i;
    const json_t *v;
    if (crm_command_run(in->ctx, &p->target, line, &actor, &res, &why) < 0) {
        if (why.cls != ERR_INPUT)
            return err_set(e, why.cls, "%s", why.text);
        snprintf(note, PREVIEW_NOTE, "as it is now, it does not go: %.*s",
                 (int)text_utf8_cut(why.text, strlen(why.text), PREVIEW_NOTE - 60), why.text);
    }
    json_array_foreach(in->j_notes, i, v) {
        const char *text = strstr(json_string_value(v), held);
        if (text)
            snprintf(note, PREVIEW_NOTE, "as it is now, it would be held: %.*s",
                     (int)text_utf8_cut(text, strlen(text), PREVIEW_NOTE - 60) - (int)strlen(held),
                     text + strlen(held));
    }
    return 0;
}

/* The real thing, in an input of its own that is taken back: so that all that keeps a mail or
 * a text from leaving is asked, and told by the words of whoever keeps it. */
static int preview_try(const struct preview *p, const struct step *s, char note[PREVIEW_NOTE], struct err *e)
{
    struct engine *eng = p->in.eng;
    struct input in;
    int rc = 0;
    if (db_savepoint(eng->db, e) < 0)
        return -1;
    input_begin(&in, eng, mem_str("preview"), mem_str("preview"));
    in.preview = true;
    in.list = sequence_mail_list(p->q);
    for (size_t i = 0; i < s->rule->command_count && rc == 0 && !*note; i++)
        rc = preview_send(&in, p, s, s->rule->commands[i].text, note, e);
    input_end(&in);
    db_rollback_to(eng->db);
    return rc;
}

/* One step as things are now; the place of the next. */
static int preview_step(struct preview *p, const struct step *s, size_t *at, struct err *e)
{
    bool holds = s->kind == STEP_JUMP || s->kind == STEP_VARIANTS || preview_holds(p, s);
    size_t n = s->kind == STEP_VARIANTS ? sequence_variant(p->q, s, p->record) : 0;
    char note[PREVIEW_NOTE] = "";
    *at += 1;
    switch (s->kind) {
    case STEP_JUMP:
        *at = s->to;
        return 0;
    case STEP_VARIANTS:
        snprintf(note, sizeof(note), "variant %zu", n + 1);
        *at = s->variants[n].to;
        break;
    case STEP_BRANCH:
        snprintf(note, sizeof(note), "as it is now: %s", holds ? "then" : "else");
        *at = holds ? *at : s->to;
        break;
    case STEP_WAIT:
        if (holds)
            p->at_ms = calendar_span_add(&s->wait.span, p->at_ms);
        return 0;
    case STEP_DO:
    case STEP_END:
        if (!holds)
            snprintf(note, sizeof(note), "as it is now: passed over, %s is false",
                     s->rule->when_count == 1 ? s->rule->when[0].text : "when");
        else if (s->sends && preview_try(p, s, note, e) < 0)
            return -1;
        break;
    }
    if (s->kind == STEP_DO && enrol_opens(p->in.ctx, p->q, s, p->target.contact, p->at_ms, &p->at_ms, e) < 0)
        return -1;
    if (p->at_ms == CALENDAR_NEVER)
        return err_set(e, ERR_INPUT, "step %s: its time never comes", s->path);
    preview_row(p, s, note);
    if (s->kind == STEP_END && holds)
        *at = sequence_count(p->q);
    return 0;
}

static int preview_steps(struct preview *p, size_t at, struct err *e)
{
    const struct step *s;
    const char *zones[CRM_ZONES];
    size_t n;
    if (crm_zones_of_contact(p->in.ctx, p->target.contact, zones, &n, e) < 0)
        return -1;
    p->zone = zones[0];
    while ((s = sequence_step(p->q, at)) != NULL)
        if (preview_step(p, s, &at, e) < 0)
            return -1;
    return crm_facts_error(p->in.ctx, e);
}

/* The sequence that is named, from its first step; else the one it is in, from its next. */
static int preview_which(struct preview *p, struct ctl *c, const json_t *running, size_t *at,
                         struct err *e)
{
    json_t *timer = NULL;
    const json_t *first = json_array_get(running, 0);
    const char *name = c->argc > 3 ? c->argv[3] : json_get_str(first, "sequence", NULL);
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)running, i, one)
        if (name && strcmp(json_get_str(one, "sequence", ""), name) == 0)
            first = one;
    bool in_it = name && strcmp(json_get_str(first, "sequence", ""), name) == 0;
    if (!name)
        return err_set(e, ERR_INPUT, "%s is in no sequence; name one: leadctl sequence preview %s NAME",
                       c->argv[2], c->argv[2]);
    if (!in_it) {
        p->q = crm_sequence(c->eng->crm, name);
        return p->q ? 0 : err_set(e, ERR_INPUT, "there is no sequence \"%s\"", name);
    }
    struct timer_key k = enrol_key(first);
    if ((p->q = enrol_sequence(c->eng, first, e)) == NULL || timer_get(c->eng->db, &k, &timer, e) < 0)
        return -1;
    *at = (size_t)json_get_int(timer, "step", 0);
    int64_t due = json_get_int(timer, "due_ms", 0);
    const char *reason = json_get_str(first, "reason", "");
    if (strcmp(json_get_str(first, "state", ""), "paused") == 0)
        snprintf(p->paused, sizeof(p->paused),
                 "It is paused%s%.*s: nothing goes out until leadctl do %s sequence resume",
                 *reason ? ", " : "", (int)text_utf8_cut(reason, strlen(reason), 200), reason, c->argv[2]);
    else if (due && due <= c->eng->timers.held_ms)
        snprintf(p->paused, sizeof(p->paused),
                 "Its next step was due while leadd did not run, and is held: leadctl due release %s", c->argv[2]);
    p->at_ms = due > p->at_ms ? due : p->at_ms;
    json_decref(timer);
    return 0;
}

static json_t *sequence_preview(struct ctl *c, struct err *e)
{
    struct preview p = {.at_ms = clock_now_ms(), .rows = json_array()};
    size_t at = 0;
    int rc = -1;
    if (c->argc < 3 || crm_id_parse(c->argv[2], &p.kind, &p.record) < 0) {
        json_decref(p.rows);
        err_set(e, ERR_INPUT, "expected a record such as L42: leadctl sequence preview L42 [NAME]");
        return NULL;
    }
    input_begin(&p.in, c->eng, mem_str("preview"), mem_str("preview"));
    AUTO_JSON json_t *running = NULL;
    if (crm_target_of(p.in.ctx, p.kind, p.record, &p.target, e) == 0)
        running = enrolment_of_contact(c->eng->db, p.target.contact, e);
    if (running && preview_which(&p, c, running, &at, e) == 0)
        rc = preview_steps(&p, at, e);
    input_end(&p.in); /* nothing of it is kept */
    if (rc == 0) {
        json_t *table = ctl_table(p.rows, "step STEP|local THERE|time TIME|what WHAT|note NOTE");
        json_put_str(table, "text", *p.paused ? p.paused : NULL);
        return table;
    }
    json_decref(p.rows);
    return NULL;
}

/* ---- who is in it -------------------------------------------------------------------------- */

static json_t *enrolment_cells(const json_t *r)
{
    char id[CRM_ID_LEN], began[32], ended[32] = "";
    int64_t end = json_get_int(r, "ended_ms", 0);
    crm_id_format(crm_entity_parse(json_get_str(r, "entity", "")), json_get_int(r, "record_id", 0), id);
    if (end)
        clock_format_utc(end, ended, sizeof(ended));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "record", id, "sequence",
                     json_get_str(r, "sequence", ""), "state", json_get_str(r, "state", ""), "began",
                     clock_format_utc(json_get_int(r, "began_ms", 0), began, sizeof(began)), "by",
                     json_get_str(r, "began_by", ""), "ended", ended, "reason",
                     json_get_str(r, "reason", ""), "variants", json_get_str(r, "variants", ""));
}

#define ENROLMENT_COLUMNS                                                                          \
    "record RECORD|sequence SEQUENCE|state STATE|began BEGAN|by BY|ended ENDED|reason REASON|"     \
    "variants VARIANTS"

static json_t *cells_of(const json_t *list)
{
    size_t i;
    json_t *one, *rows = json_array();
    json_array_foreach((json_t *)list, i, one)
        json_array_append_new(rows, enrolment_cells(one));
    return rows;
}

static json_t *sequence_enrolments(struct ctl *c, struct err *e)
{
    bool named = c->argc > 2 && !strchr(c->argv[2], '=');
    if (ctl_options_check(c, named ? 3 : 2, "state limit", e) < 0)
        return NULL;
    AUTO_JSON json_t *list = enrolment_list(c->eng->db, named ? c->argv[2] : NULL,
                                            ctl_option(c, "state"), ctl_limit(c), e);
    return list ? ctl_table(cells_of(list), ENROLMENT_COLUMNS) : NULL;
}

int ctl_sequence_show(struct engine *eng, enum crm_entity t, int64_t id, json_t *shown,
                      struct err *e)
{
    AUTO_JSON json_t *list = enrolment_of_record(eng->db, crm_entity_name(t), id, e);
    if (!list)
        return -1;
    if (json_array_size(list))
        json_array_append_new(json_get_arr(shown, "sections"),
                              ctl_section("Sequences", cells_of(list), ENROLMENT_COLUMNS));
    return 0;
}

/* ---- migrate ---------------------------------------------------------------------------------- */

/* The place of the step of that path in the present version; -1: it has none. */
static int64_t place_of(const struct sequence *q, const struct step *was)
{
    const struct step *s;
    for (size_t i = 0; was && (s = sequence_step(q, i)) != NULL; i++)
        if (s->kind == was->kind && strcmp(s->path, was->path) == 0 && strcmp(s->text, was->text) == 0)
            return (int64_t)i;
    return -1;
}

static int migrate_one(struct ctl *c, struct sequence *q, int64_t version, const json_t *enrolment,
                       int64_t *moved, struct err *e)
{
    json_t *timer = NULL;
    struct err gone = {0};
    struct timer_key k = enrol_key(enrolment);
    struct sequence *was = enrol_sequence(c->eng, enrolment, &gone);
    if (!was && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    if (timer_get(c->eng->db, &k, &timer, e) < 0)
        return -1;
    struct timer_row t = {.key = k, .due_ms = json_get_int(timer, "due_ms", 0),
                          .since_ms = json_get_int(timer, "since_ms", 0),
                          .left_ms = json_get_int(timer, "left_ms", 0)};
    t.step = was ? place_of(q, sequence_step(was, (size_t)json_get_int(timer, "step", 0))) : -1;
    json_decref(timer);
    if (t.step < 0)
        return 0;
    *moved += 1;
    return timer_write(c->eng, &t, e) < 0
               ? -1 : enrolment_set_version(c->eng->db, json_get_int(enrolment, "id", 0), version, e);
}

static json_t *sequence_migrate(struct ctl *c, struct err *e)
{
    struct sequence *q = sequence_asked(c, e);
    int64_t version, after = 0, moved = 0, all = 0;
    if (!q || version_keep(c->eng->db, sequence_name(q), sequence_hash(q), sequence_source(q),
                           clock_now_ms(), &version, e) < 0)
        return NULL;
    for (size_t n = MIGRATE_SLICE; n == MIGRATE_SLICE;) {
        AUTO_JSON json_t *list = enrolment_of_others(c->eng->db, sequence_name(q), version, after,
                                                     MIGRATE_SLICE, e);
        if (!list)
            return NULL;
        n = json_array_size(list);
        for (size_t i = 0; i < n; i++) {
            after = json_get_int(json_array_get(list, i), "id", 0);
            if (migrate_one(c, q, version, json_array_get(list, i), &moved, e) < 0)
                return NULL;
        }
        all += (int64_t)n;
    }
    return ctl_text("%" PRId64 " of %" PRId64 " go on in the present version%s", moved, all,
                    moved < all ? "; the others keep theirs, since their next step is not in it" : "");
}

/* One slice of leadctl sequence start. */
static json_t *sequence_begin(struct ctl *c, struct err *e)
{
    struct sequence *q = sequence_asked(c, e);
    return q ? ctl_begin(c, q, e) : NULL;
}

json_t *ctl_sequence(struct ctl *c, struct err *e)
{
    static const struct {
        const char *verb;
        json_t *(*run)(struct ctl *c, struct err *e);
    } verbs[] = {{"list", sequence_list},
                 {"show", sequence_show},
                 {"preview", sequence_preview},
                 {"enrolments", sequence_enrolments},
                 {"migrate", sequence_migrate},
                 {"begin", sequence_begin}};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].verb, c->argv[1]) == 0)
            return verbs[i].run(c, e);
    err_set(e, ERR_INPUT, "sequence: \"%s\" is not known; expected list, show, preview, start, "
            "enrolments or migrate", c->argv[1]);
    return NULL;
}
