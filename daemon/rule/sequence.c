/* SPDX-License-Identifier: ISC
 *
 * sequence - see sequence.h
 */
#include "rule/sequence.h"

#include <stdarg.h>
#include <string.h>

#include "base/bounds.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/window.h"

struct sequence {
    const char *name, *at, *on; /* borrowed from def and strings */
    json_t *def;     /* own */
    json_t *strings; /* own; names and texts of steps */
    char *source;    /* own */
    char hash[HASH_SHA256_HEX];
    unsigned stops;
    bool several;
    struct ruleset *rules; /* own */
    struct step *steps;    /* own */
    size_t count, cap;
    struct window *window; /* own; NULL: mails leave at any time */
};

struct build {
    struct sequence *q;
    json_t *rules; /* own; of the steps, as the config tree has them */
    struct errlist *errors;
};

static void fail(struct build *b, const char *at, const char *path, const char *fmt, ...)
    LEADD_PRINTF(4, 5);

static void fail(struct build *b, const char *at, const char *path, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    errlist_add(b->errors, at, "sequence %s%s%s: %s", b->q->name, *path ? "/" : "", path, what);
}

/* Takes s; the text lives as long as the sequence. */
static const char *keep(struct sequence *q, char *s)
{
    json_t *v = json_string(s);
    mem_free(s);
    json_array_append_new(q->strings, v);
    return json_string_value(v);
}

/* ---- steps ------------------------------------------------------------------------- */

static void read_steps(struct build *b, const json_t *list, const char *prefix);

/* Valid until the next is added. */
static struct step *step_add(struct build *b, enum step_kind kind, const char *path, const char *at)
{
    struct sequence *q = b->q;
    if (q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->steps = mem_grow(q->steps, q->cap * sizeof(*q->steps));
    }
    struct step *s = &q->steps[q->count++];
    *s = (struct step){.kind = kind, .path = path, .at = at, .text = ""};
    return s;
}

/* The rule of a step: its conditions, and what it does. */
static void step_rule(struct build *b, const char *path, const char *at, const json_t *when,
                      json_t *commands)
{
    AUTO_FREE char *name = mem_printf("%s/%s", b->q->name, path);
    json_t *rule = json_pack("{s:s, s:s, s:s}", "name", name, "at", at, "asked", "sequence");
    json_object_set(rule, "when", (json_t *)when);
    json_object_set_new(rule, "do", commands ? commands : json_array());
    json_array_append_new(b->rules, rule);
}

/* email, sms, task: each is a command. */
static const struct word {
    const char *key, *before, *behind;
    bool sends;
} words[] = {{"email", "send ", " to contact", true},
             {"sms", "send sms using ", "", true},
             {"task", "task ", "", false}};

static const struct word *step_word(const json_t *def)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (json_get_obj(def, words[i].key))
            return &words[i];
    return NULL;
}

json_t *sequence_step_lines(const json_t *def)
{
    const struct word *w = step_word(def);
    if (!w)
        return json_incref(json_get_arr(def, "do"));
    const json_t *v = json_get_obj(def, w->key);
    AUTO_FREE char *line = mem_printf("%s%s%s", w->before, json_get_str(v, "text", ""), w->behind);
    return json_pack("[{s:s, s:s}]", "text", line, "at",
                     json_get_str(v, "at", json_get_str(def, "at", "?")));
}

static void read_do(struct build *b, const json_t *def, const char *path, const char *at)
{
    const struct word *w = step_word(def);
    json_t *list = sequence_step_lines(def);
    const char *text = json_get_str(json_array_get(list, 0), "text", "");
    bool sends = w && w->sends;
    if (w)
        text = keep(b->q, mem_printf("%s %s", w->key,
                                     json_get_str(json_get_obj(def, w->key), "text", "")));
    else if (json_array_size(list) > 1)
        text = keep(b->q, mem_printf("%s; ..", text));
    for (size_t i = 0; !w && i < json_array_size(list); i++)
        sends |= strncmp(json_get_str(json_array_get(list, i), "text", ""), "send ", 5) == 0;
    step_rule(b, path, at, json_get_arr(def, "when"), list);
    struct step *s = step_add(b, STEP_DO, path, at);
    s->sends = sends;
    s->text = text;
}

/* Its span is read when the calendars are there (spans_read). */
static void read_wait(struct build *b, const json_t *def, const char *path, const char *at)
{
    const json_t *wait = json_get_obj(def, "wait");
    if (json_array_size(json_get_arr(def, "when")))
        step_rule(b, path, at, json_get_arr(def, "when"), NULL);
    struct step *s = step_add(b, STEP_WAIT, path, at);
    s->wait.text = json_get_str(wait, "text", "");
    s->wait.at = json_get_str(wait, "at", at);
    s->text = keep(b->q, mem_printf("wait %s", s->wait.text));
}

static void read_end(struct build *b, const json_t *def, const char *path, const char *at)
{
    if (json_array_size(json_get_arr(def, "when")))
        step_rule(b, path, at, json_get_arr(def, "when"), NULL);
    step_add(b, STEP_END, path, at)->text = "end";
}

static void read_branch(struct build *b, const json_t *def, const char *path, const char *at)
{
    struct sequence *q = b->q;
    const json_t *when = json_get_arr(def, "branch");
    AUTO_FREE char *then = mem_printf("%s.then.", path);
    AUTO_FREE char *otherwise = mem_printf("%s.else.", path);
    if (json_array_size(json_get_arr(def, "then")) + json_array_size(json_get_arr(def, "else")) == 0)
        fail(b, at, path, "a branch needs steps in then or else");
    step_rule(b, path, at, when, NULL);
    size_t branch = q->count;
    const char *first = json_get_str(json_array_get(when, 0), "text", "");
    step_add(b, STEP_BRANCH, path, at)->text =
        keep(q, mem_printf("if %s%s", first, json_array_size(when) > 1 ? " and .." : ""));
    read_steps(b, json_get_arr(def, "then"), then);
    size_t jump = q->count;
    step_add(b, STEP_JUMP, path, at);
    q->steps[branch].to = q->count;
    read_steps(b, json_get_arr(def, "else"), otherwise);
    q->steps[jump].to = q->count;
}

static void read_variants(struct build *b, const json_t *def, const char *path, const char *at)
{
    struct sequence *q = b->q;
    const json_t *list = json_get_arr(def, "variants");
    size_t n = json_array_size(list), jumps[SEQUENCE_VARIANTS], me = q->count;
    if (n < 2 || n > SEQUENCE_VARIANTS) {
        fail(b, at, path, "expected 2 to %u variants", SEQUENCE_VARIANTS);
        return;
    }
    step_add(b, STEP_VARIANTS, path, at)->text = keep(q, mem_printf("one of %zu variants", n));
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        AUTO_FREE char *prefix = mem_printf("%s.%zu.", path, i + 1);
        q->steps[me].variants[i].share = json_get_int(v, "share", 1);
        q->steps[me].variants[i].to = q->count;
        q->steps[me].variant_count = i + 1;
        read_steps(b, json_get_arr(v, "steps"), prefix);
        jumps[i] = q->count;
        step_add(b, STEP_JUMP, path, at);
    }
    for (size_t i = 0; i < n; i++)
        q->steps[jumps[i]].to = q->count;
}

/* Which of the keys that say what a step does it has; NULL with an error. */
static const char *step_what(struct build *b, const json_t *def, const char *path, const char *at)
{
    static const char *const keys[] = {"wait", "email", "sms", "task", "do", "branch", "variants", "end"};
    const char *what = NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const json_t *v = json_object_get(def, keys[i]);
        if (!v || (json_is_array(v) && json_array_size(v) == 0) || json_is_false(v))
            continue;
        if (what) {
            fail(b, at, path, "a step does one thing: %s and %s are two steps", what, keys[i]);
            return NULL;
        }
        what = keys[i];
    }
    if (!what)
        fail(b, at, path, "does nothing; a step has one of wait, email, sms, task, do, branch, "
                          "variants, end");
    return what;
}

static void read_step(struct build *b, const json_t *def, const char *path)
{
    const char *at = json_get_str(def, "at", b->q->at), *what = step_what(b, def, path, at);
    bool parts = json_array_size(json_get_arr(def, "then")) + json_array_size(json_get_arr(def, "else"));
    bool branch = what && strcmp(what, "branch") == 0, variants = what && strcmp(what, "variants") == 0;
    if (!what)
        return;
    if (parts && !branch)
        fail(b, at, path, "then and else belong to branch");
    if ((branch || variants) && json_array_size(json_get_arr(def, "when")))
        fail(b, at, path, "when is for a step that does something; put its conditions into %s",
             branch ? "branch" : "a branch around it");
    if (branch)
        read_branch(b, def, path, at);
    else if (variants)
        read_variants(b, def, path, at);
    else if (strcmp(what, "wait") == 0)
        read_wait(b, def, path, at);
    else if (strcmp(what, "end") == 0)
        read_end(b, def, path, at);
    else
        read_do(b, def, path, at);
}

static void read_steps(struct build *b, const json_t *list, const char *prefix)
{
    for (size_t i = 0; i < json_array_size(list) && b->q->count <= SEQUENCE_STEPS; i++)
        read_step(b, json_array_get(list, i), keep(b->q, mem_printf("%s%zu", prefix, i + 1)));
}

/* ---- what ends it --------------------------------------------------------------------- */

static void read_stops(struct build *b)
{
    static const char *const names[] = {"reply", "owner", "meeting", "closed", "opted_out", "bounced"};
    const json_t *list = json_get_arr(b->q->def, "stop");
    b->q->stops = SEQUENCE_OPTED_OUT | SEQUENCE_BOUNCED;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        size_t n = 0;
        while (n < ARRAY_LEN(names) && strcmp(names[n], word ? word : "") != 0)
            n++;
        const char *near = text_nearest(word ? word : "", names, ARRAY_LEN(names));
        if (n < ARRAY_LEN(names))
            b->q->stops |= 1u << n;
        else
            fail(b, b->q->at, "", "stop: unknown \"%s\"%s%s%s", word ? word : "",
                 near ? "; did you mean \"" : "; there are reply, owner, meeting, closed, opted_out, "
                                              "bounced",
                 near ? near : "", near ? "\"?" : "");
    }
}

static void read_until(struct build *b)
{
    const json_t *list = json_get_arr(b->q->def, "until");
    for (size_t i = 0; i < json_array_size(list); i++) {
        AUTO_FREE char *path = mem_printf("until.%zu", i + 1);
        AUTO_JSON json_t *one = json_array();
        json_array_append(one, json_array_get(list, i));
        step_rule(b, path, json_get_str(json_array_get(list, i), "at", b->q->at), one, NULL);
    }
}

/* ---- the set of rules ------------------------------------------------------------------ */

/* The tables that some condition names as @NAME: the others would only be copied. */
static json_t *tables_named(const json_t *rules, const json_t *tables)
{
    json_t *out = json_object(), *v;
    const char *name;
    AUTO_FREE char *text = json_text(rules);
    json_object_foreach((json_t *)tables, name, v) {
        AUTO_FREE char *at = mem_printf("@%s", name);
        if (strstr(text, at))
            json_object_set(out, name, v);
    }
    return out;
}

static void rules_build(struct build *b, const json_t *config, const struct ruleset_env *env)
{
    struct sequence *q = b->q;
    AUTO_JSON json_t *set = json_object();
    json_object_set(set, "rules", b->rules);
    json_object_set_new(set, "tables", tables_named(b->rules, json_get_obj(config, "tables")));
    json_object_set(set, "calendars", json_get_obj(config, "calendars"));
    q->rules = ruleset_new(set, env, b->errors);
    for (size_t i = 0; q->rules && i < q->count; i++) {
        AUTO_FREE char *name = mem_printf("%s/%s", q->name, q->steps[i].path);
        q->steps[i].rule = q->steps[i].kind == STEP_JUMP ? NULL : ruleset_find(q->rules, name);
    }
}

static void spans_read(struct build *b, const struct ruleset_env *env)
{
    struct sequence *q = b->q;
    const struct calendars *set = q->rules ? ruleset_calendars(q->rules) : NULL;
    for (size_t i = 0; i < q->count; i++) {
        struct step *s = &q->steps[i];
        struct err e = {0};
        int col = 0;
        /* without calendars, as where a rule has a mistake, a span may name one */
        if (s->kind != STEP_WAIT || (!set && strstr(s->wait.text, "business")))
            continue;
        if (calendar_span_parse(s->wait.text, set,
                                set && env->calendar ? calendars_find(set, env->calendar) : NULL,
                                &s->wait.span, &e, &col) < 0) {
            fail(b, s->wait.at, s->path, "wait: %s", e.text);
            errlist_caret(b->errors, s->wait.text, col);
        } else if (s->wait.span.ms <= 0) {
            fail(b, s->wait.at, s->path, "wait: must be longer than nothing");
        }
    }
}

int64_t sequence_open(struct sequence *q, const char *const *zones, size_t count, int64_t from)
{
    return window_open(q->window, zones, count, from);
}

/* ---- life -------------------------------------------------------------------------------- */

/* Where it stands in which file is no part of what it does. */
static void places_strip(json_t *v)
{
    json_t *sub;
    const char *key;
    size_t i;
    if (json_is_object(v)) {
        json_object_del(v, "at");
        json_object_del(v, "col");
        json_object_foreach(v, key, sub)
            places_strip(sub);
    }
    json_array_foreach(v, i, sub)
        places_strip(sub);
}

static void take_source(struct sequence *q)
{
    AUTO_JSON json_t *bare = json_deep_copy(q->def);
    places_strip(bare);
    json_put_str(bare, "name", q->name);
    AUTO_FREE char *text = json_text(bare);
    hash_sha256_hex(text, strlen(text), q->hash);
    q->source = json_text(q->def);
}

static void read_list(struct build *b, const json_t *config)
{
    const char *list = json_get_str(b->q->def, "list", NULL);
    if (list && !json_object_get(json_get_obj(config, "lists"), list))
        fail(b, b->q->at, "", "there is no list \"%s\"; define it in lists of leadd.conf", list);
}

struct sequence *sequence_new(const char *name, const json_t *def, const json_t *config,
                              const struct ruleset_env *env, struct errlist *errors)
{
    size_t before = errlist_total(errors);
    struct sequence *q = mem_alloc(sizeof(*q));
    struct build b = {.q = q, .rules = json_array(), .errors = errors};
    q->def = json_deep_copy(def);
    q->strings = json_array();
    q->name = keep(q, mem_str(name));
    q->at = json_get_str(q->def, "at", "?");
    q->on = json_get_str(q->def, "on", "lead");
    q->several = json_get_bool(q->def, "several", false);
    read_list(&b, config);
    read_stops(&b);
    read_steps(&b, json_get_arr(q->def, "steps"), "");
    if (q->count == 0 && errlist_total(errors) == before)
        fail(&b, q->at, "", "has no steps");
    if (q->count > SEQUENCE_STEPS)
        fail(&b, q->at, "", "has more than %u steps", SEQUENCE_STEPS);
    read_until(&b);
    AUTO_FREE char *what = mem_printf("sequence %s", q->name);
    q->window = window_new(q->def, config, what, q->at, env->time_zone ? env->time_zone : "UTC", errors);
    rules_build(&b, config, env);
    spans_read(&b, env);
    take_source(q);
    json_decref(b.rules);
    if (errlist_total(errors) > before)
        sequence_free(&q);
    return q;
}

void sequence_free(struct sequence **p)
{
    struct sequence *q = *p;
    *p = NULL;
    if (!q)
        return;
    window_free(&q->window);
    ruleset_free(&q->rules);
    json_decref(q->strings);
    json_decref(q->def);
    mem_free(q->source);
    mem_free(q->steps);
    mem_free(q);
}

/* ---- what it is ---------------------------------------------------------------------------- */

const char *sequence_name(const struct sequence *q) { return q->name; }
const char *sequence_at(const struct sequence *q) { return q->at; }
const char *sequence_on(const struct sequence *q) { return q->on; }
unsigned sequence_stops(const struct sequence *q) { return q->stops; }
bool sequence_several(const struct sequence *q) { return q->several; }

enum sequence_late sequence_late(const struct sequence *q)
{
    const char *late = json_get_str(q->def, "late", "run");
    return strcmp(late, "skip") == 0   ? SEQUENCE_LATE_SKIP
           : strcmp(late, "hold") == 0 ? SEQUENCE_LATE_HOLD
                                       : SEQUENCE_LATE_RUN;
}

const char *sequence_mail_list(const struct sequence *q) { return json_get_str(q->def, "list", NULL); }
const char *sequence_hash(const struct sequence *q) { return q->hash; }
const char *sequence_source(const struct sequence *q) { return q->source; }
const struct ruleset *sequence_rules(const struct sequence *q) { return q->rules; }
size_t sequence_count(const struct sequence *q) { return q->count; }

const char *sequence_window(const struct sequence *q)
{
    return q->window ? window_text(q->window) : NULL;
}

const struct step *sequence_step(const struct sequence *q, size_t at)
{
    return at < q->count ? &q->steps[at] : NULL;
}

const struct rule *sequence_until(const struct sequence *q, size_t n)
{
    AUTO_FREE char *name = mem_printf("%s/until.%zu", q->name, n + 1);
    return ruleset_find(q->rules, name);
}

size_t sequence_variant(const struct sequence *q, const struct step *s, int64_t record)
{
    int64_t total = 0, drawn;
    AUTO_FREE char *key = mem_printf("%s/%s/%lld", q->name, s->path, (long long)record);
    for (size_t i = 0; i < s->variant_count; i++)
        total += s->variants[i].share;
    drawn = (int64_t)((uint64_t)hash_64(key, strlen(key)) % (uint64_t)total);
    for (size_t i = 0; i < s->variant_count; i++)
        if ((drawn -= s->variants[i].share) < 0)
            return i;
    return 0;
}
