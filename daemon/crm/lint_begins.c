/* SPDX-License-Identifier: ISC
 *
 * lint_begins - which sequence is begun from where, see lint.h
 *
 *   unused   no rule, form, source or other sequence begins it, and by_hand does not say
 *            that people do
 *   never    begun by its own step, or by one of another that it may not run beside
 *   endless  sequences that begin each other in a ring, whatever happened
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/lint.h"
#include "rule/lint.h"
#include "rule/sequence.h"

struct lint_begins {
    const struct crm *crm;
    json_t *found;   /* borrowed */
    json_t *begun;   /* own; {NAME: true} */
    json_t *next;    /* own; {NAME: {begun after all its steps: "file:line"}} */
    char *stopped;   /* own; the step that has ended all; NULL: none */
};

/* Nobody who comes there can pass it over. */
static bool step_is_certain(const struct sequence *q, const char *path)
{
    const struct step *s;
    if (strchr(path, '.') || sequence_until(q, 0))
        return false;
    for (size_t i = 0; (s = sequence_step(q, i)) != NULL; i++)
        if (strcmp(s->path, path) == 0)
            return !s->rule || s->rule->when_count == 0;
    return false;
}

/* `sequence other` in a step of another. */
static void begins_inside(struct lint_begins *l, const char *step, const char *other,
                          const json_t *line)
{
    AUTO_FREE char *me = mem_strn(step, strcspn(step, "/"));
    const struct sequence *mine = crm_sequence(l->crm, me), *q = crm_sequence(l->crm, other);
    const char *at = json_get_str(line, "at", "?");
    bool stopped = l->stopped && strcmp(l->stopped, step) == 0, self = strcmp(me, other) == 0;
    if (!mine || !q)
        return;
    if (!stopped && (self || (!sequence_several(mine) && !sequence_several(q)))) {
        AUTO_FREE char *text = mem_printf("begins %s, which is refused while %s runs", other, me);
        rule_lint_sequence_found(l->found, step, at, "never", text,
                                 self ? "end it first: do = [ \"sequence stop\", .. ]"
                                      : "end it first (do = [ \"sequence stop\", .. ]), or allow several");
    } else if (step_is_certain(mine, step + strlen(me) + 1)) {
        if (!json_object_get(l->next, me))
            json_object_set_new(l->next, me, json_object());
        json_put_str(json_object_get(l->next, me), other, at);
    }
}

static void begins_line(void *arg, const char *what, const char *name, const json_t *line)
{
    struct lint_begins *l = arg;
    struct grammar g AUTO_GRAMMAR = {.word = NULL};
    struct err e = {0};
    bool ok = true;
    const char *word;
    if (grammar_init(&g, json_get_str(line, "text", ""), &e) < 0 ||
        !(word = grammar_word(&g, &ok, &e)) || strcasecmp(word, "sequence") != 0 ||
        !(word = grammar_word(&g, &ok, &e)))
        return;
    if (strcasecmp(word, "stop") == 0) {
        mem_free(l->stopped);
        l->stopped = mem_str(name);
    } else if (json_object_get(json_get_obj(l->crm->config, "sequences"), word)) {
        json_put_bool(l->begun, word, true);
        if (strcmp(what, "sequence") == 0)
            begins_inside(l, name, word, line);
    }
}

/* Does a way of certain steps lead from that one to name? */
static bool leads_to(const struct lint_begins *l, const char *from, const char *name, json_t *seen)
{
    const char *other;
    json_t *at;
    if (json_object_get(seen, from))
        return false;
    json_put_bool(seen, from, true);
    json_object_foreach(json_object_get(l->next, from), other, at)
        if (strcmp(other, name) == 0 || leads_to(l, other, name, seen))
            return true;
    return false;
}

static void begins_endless(struct lint_begins *l)
{
    const char *name, *other;
    json_t *next, *at;
    json_object_foreach(l->next, name, next)
        json_object_foreach(next, other, at) {
            AUTO_JSON json_t *seen = json_object();
            AUTO_FREE char *text = NULL;
            if (strcmp(other, name) != 0 && !leads_to(l, other, name, seen))
                continue;
            text = mem_printf("begins %s, and that leads back to %s: whoever does not answer stays in it "
                              "without end", other, name);
            rule_lint_sequence_found(l->found, name, json_string_value(at), "endless", text,
                                     "give the step a condition, or the sequence an until");
        }
}

/* What leadd.conf says of forms and sources. */
static void begins_posted(struct lint_begins *l, const json_t *all)
{
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)all, name, v)
        if (json_object_get(v, "sequence"))
            json_put_bool(l->begun, json_get_str(v, "sequence", ""), true);
}

void crm_lint_begins(const struct crm *crm, const json_t *tree, json_t *found)
{
    struct lint_begins l = {
        .crm = crm, .found = found, .begun = json_object(), .next = json_object()};
    const char *name;
    const json_t *v;
    crm_lint_lines(tree, begins_line, &l);
    begins_posted(&l, json_get_obj(tree, "forms"));
    begins_posted(&l, json_get_obj(tree, "sources"));
    begins_endless(&l);
    json_object_foreach(json_get_obj(tree, "sequences"), name, v)
        if (!json_object_get(l.begun, name) && !json_get_bool(v, "by_hand", false))
            rule_lint_sequence_found(
                found, name, json_get_str(v, "at", "?"), "unused",
                "no rule, form, source or other sequence begins it",
                "begin it with `sequence NAME` in a rule, or say by_hand = true when people do");
    json_decref(l.begun);
    json_decref(l.next);
    mem_free(l.stopped);
}
