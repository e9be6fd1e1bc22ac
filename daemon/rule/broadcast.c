/* SPDX-License-Identifier: ISC
 *
 * broadcast - see broadcast.h
 */
#include "rule/broadcast.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

#define TICK_MIN_MS INT64_C(1000) /* timers come no more often */
#define UNPACED 200               /* at each tick */
#define NAMES_MAX 512

struct build {
    struct broadcast *b;
    struct errlist *errors;
};

static void fail(struct build *x, const char *fmt, ...) LEADD_PRINTF(2, 3);

static void fail(struct build *x, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    errlist_add(x->errors, x->b->at, "broadcast %s: %s", x->b->name, what);
}

/* Is it a key of that object of the config tree? */
static bool known(struct build *x, const json_t *among, const char *what, const char *name)
{
    const char *names[NAMES_MAX], *key;
    size_t n = 0;
    json_t *v;
    if (json_object_get(among, name))
        return true;
    json_object_foreach((json_t *)among, key, v)
        if (n < NAMES_MAX)
            names[n++] = key;
    const char *near = text_nearest(name, names, n);
    fail(x, "there is no %s \"%s\"%s%s%s", what, name, near ? "; did you mean \"" : "",
         near ? near : "", near ? "\"?" : "");
    return false;
}

/* ---- reading ----------------------------------------------------------------------- */

static void read_templates(struct build *x, const json_t *config)
{
    struct broadcast *b = x->b;
    const json_t *list = json_get_arr(b->def, "template");
    size_t n = json_array_size(list);
    if (n > BROADCAST_TEMPLATES) {
        fail(x, "expected 1 to %u templates", BROADCAST_TEMPLATES);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        size_t len = strlen(name ? name : "");
        if (!name || !known(x, json_get_obj(config, "templates"), "template", name))
            continue;
        if (name[0] == '_' || (len > 4 && strcmp(name + len - 4, ".sms") == 0))
            fail(x, "%s is no mail of its own", name);
        for (size_t k = 0; k < b->template_count; k++)
            if (strcmp(b->templates[k], name) == 0)
                fail(x, "template %s is named twice", name);
        b->templates[b->template_count++] = name;
    }
    if (b->test && n < 2)
        fail(x, "test needs two templates or more: template = [ \"a\", \"b\" ]");
}

static void read_segment(struct build *x, const json_t *config, const struct ruleset_env *env)
{
    struct broadcast *b = x->b;
    const char *name = json_get_str(b->def, "segment", "");
    const json_t *all = json_get_obj(config, "segments");
    if (!known(x, all, "segment", name))
        return;
    AUTO_JSON json_t *one = json_object();
    json_object_set(one, name, json_object_get(all, name));
    b->segments = segments_new(one, config, env, x->errors);
    b->segment = segments_get(b->segments, 0);
    AUTO_JSON json_t *source = json_pack("{s:O, s:O}", "broadcast", b->def, "segments", one);
    b->source = json_text(source);
}

struct broadcast *broadcast_new(const char *name, const json_t *def, const json_t *config,
                                const struct ruleset_env *env, struct errlist *errors)
{
    size_t before = errlist_total(errors);
    struct broadcast *b = mem_alloc(sizeof(*b));
    struct build x = {b, errors};
    b->name = mem_str(name);
    b->def = json_deep_copy(def);
    b->at = json_get_str(b->def, "at", "?");
    b->list = json_get_str(b->def, "list", "");
    b->test = json_get_int(b->def, "test", 0);
    b->wait_ms = json_get_int(b->def, "wait", 0);
    b->least = json_get_int(b->def, "least", 0);
    b->per_hour = json_get_int(b->def, "per_hour", 0);
    b->talk_ms = json_get_int(b->def, "conversation", 0);
    b->apart_ms = json_get_int(b->def, "apart", 0);
    b->confirm_over = json_get_int(b->def, "confirm_over", 0);
    b->consent = json_get_bool(b->def, "consent", false);
    known(&x, json_get_obj(config, "lists"), "list", b->list);
    read_templates(&x, config);
    read_segment(&x, config, env);
    AUTO_FREE char *what = mem_printf("broadcast %s", name);
    b->window = window_new(b->def, config, what, b->at, env->time_zone ? env->time_zone : "UTC", errors);
    if (errlist_total(errors) > before)
        broadcast_free(&b);
    return b;
}

struct broadcast *broadcast_then(const char *name, const json_t *source, const json_t *config,
                                 const struct ruleset_env *env, struct errlist *errors)
{
    AUTO_JSON json_t *tree = json_copy((json_t *)config);
    json_object_set(tree, "segments", json_object_get(source, "segments"));
    return broadcast_new(name, json_get_obj(source, "broadcast"), tree, env, errors);
}

void broadcast_free(struct broadcast **p)
{
    struct broadcast *b = *p;
    *p = NULL;
    if (!b)
        return;
    segments_free(&b->segments);
    window_free(&b->window);
    json_decref(b->def);
    mem_free(b->source);
    mem_free(b->name);
    mem_free(b);
}

/* ---- order and pace ------------------------------------------------------------------ */

int64_t broadcast_rank(const char *name, int64_t contact)
{
    AUTO_FREE char *text = mem_printf("%s/C%" PRId64, name, contact);
    return (int64_t)((uint64_t)hash_64(text, strlen(text)) >> 1);
}

int64_t broadcast_test_rank(const struct broadcast *b)
{
    return b->test ? BROADCAST_RANK_MAX / 100 * b->test : -1;
}

void broadcast_pace(const struct broadcast *b, int64_t *tick_ms_out, int64_t *count_out)
{
    *tick_ms_out = TICK_MIN_MS;
    *count_out = UNPACED;
    if (!b->per_hour)
        return;
    *count_out = (b->per_hour * TICK_MIN_MS + HOUR_MS - 1) / HOUR_MS;
    int64_t ticks = b->per_hour / *count_out; /* of an hour */
    *tick_ms_out = (HOUR_MS + ticks - 1) / ticks;
}

/* ---- the winner ------------------------------------------------------------------------ */

/* Is a of b more than c of d? Of nothing there is no share. */
static int share_compare(int64_t a, int64_t b, int64_t c, int64_t d)
{
    int64_t left = a * (d ? d : 1), right = c * (b ? b : 1);
    return (left > right) - (left < right);
}

enum score_by { BY_SENT, BY_REPLIES, BY_UNSUBSCRIBED, BY_NOTHING };

/* Above 0: a is better. */
static int score_compare(const struct broadcast_score *a, const struct broadcast_score *b,
                         enum score_by *by)
{
    int sent = (a->sent > 0) - (b->sent > 0);
    int replied = share_compare(a->replied, a->sent, b->replied, b->sent);
    int stayed = share_compare(b->unsubscribed, b->sent, a->unsubscribed, a->sent);
    *by = sent ? BY_SENT : replied ? BY_REPLIES : stayed ? BY_UNSUBSCRIBED : BY_NOTHING;
    return sent ? sent : replied ? replied : stayed;
}

size_t broadcast_winner(const struct broadcast_score *s, size_t n, int64_t least,
                        char why[BROADCAST_WHY_MAX])
{
    static const char *const words[] = {
        [BY_SENT] = "of the other nothing was sent",
        [BY_REPLIES] = "the greater share answered",
        [BY_UNSUBSCRIBED] = "as many answered, and fewer unsubscribed",
        [BY_NOTHING] = "a draw: the one named first"};
    size_t best = 0, next = 1;
    enum score_by by = BY_NOTHING;
    int64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += s[i].replied;
    for (size_t i = 1; i < n && all >= least; i++)
        if (score_compare(&s[i], &s[best], &by) > 0)
            best = i;
    if (all < least) {
        snprintf(why, BROADCAST_WHY_MAX, "%s: %" PRId64 " answered in all, fewer than %" PRId64
                 ": the one named first", s[0].name, all, least);
        return 0;
    }
    next = best == 0 ? 1 : 0;
    for (size_t i = 0; i < n; i++)
        if (i != best && score_compare(&s[i], &s[next], &by) > 0)
            next = i;
    score_compare(&s[best], &s[next], &by);
    snprintf(why, BROADCAST_WHY_MAX, "%s: %s (%" PRId64 " of %" PRId64 ", %s %" PRId64
             " of %" PRId64 ")", s[best].name, words[by], s[best].replied, s[best].sent,
             s[next].name, s[next].replied, s[next].sent);
    return best;
}
