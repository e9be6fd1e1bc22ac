/* SPDX-License-Identifier: ISC
 *
 * reason - why it came otherwise than a test says, from the journal
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "engine/why.h"
#include "tool/expect.h"

#define REASONS_MAX 3
#define REASON_TEXT 4000

bool reason_ran(const json_t *decision)
{
    const char *usual = json_object_get(decision, "when") ? "not_true" : "matched";
    return strcmp(json_get_str(decision, "outcome", usual), "matched") == 0;
}

/* Or the escalation of that name. */
static const json_t *rule_config(const struct scene *s, const char *name)
{
    size_t i;
    json_t *rule;
    json_array_foreach(json_get_arr(s->config, "rules"), i, rule)
        if (strcmp(json_get_str(rule, "name", ""), name) == 0)
            return rule;
    return json_get_obj(json_get_obj(s->config, "escalations"), name);
}

/* Lines of why_tell: less indented, without the last newline. */
static void why_add(json_t *why, char *text)
{
    for (char *p = text, *next; *p; p = next) {
        next = p + strcspn(p, "\n");
        if (*next)
            *next++ = '\0';
        size_t skip = strspn(p, " ");
        AUTO_FREE char *line = mem_printf("%*s%s", skip > 4 ? (int)skip - 4 : 0, "", p + skip);
        json_array_append_new(why, json_string(line));
    }
}

/* It was never asked: the event that wakes it did not happen. */
static void rule_not_asked(const struct scene *s, const char *name, json_t *why)
{
    const json_t *rule = rule_config(s, name);
    const char *on = json_get_str(json_get_obj(rule, "on"), "text", NULL);
    AUTO_FREE char *text =
        on ? mem_printf("%s (%s): was not asked%s: no event %s", name, json_get_str(rule, "at", "?"),
                        s->journal ? " since the expect before" : "", on)
           : mem_printf("%s: was not asked", name);
    json_array_append_new(why, json_string(text));
}

void reason_rule(const struct scene *s, const json_t *rows, const char *rule, json_t *why)
{
    struct buf out AUTO_BUF;
    struct err e = {0};
    const json_t *row = NULL, *found = NULL;
    size_t i, k;
    json_t *r, *d;
    buf_init(&out, REASON_TEXT);
    json_array_foreach((json_t *)rows, i, r)
        json_array_foreach(json_get_arr(json_get_obj(r, "body"), "decisions"), k, d) {
            bool same = strcmp(json_get_str(d, "rule", ""), rule) == 0;
            if (!same || (found && reason_ran(found)))
                continue;
            row = r;
            found = d;
        }
    if (!found)
        rule_not_asked(s, rule, why);
    else if (why_tell_decision(solo_engine(s->solo), row, found, &out, &e) == 0)
        why_add(why, out.data);
}

/* Is word one of the words of the command's line? */
static bool line_names(const char *line, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = line; (p = strstr(p, word)); p++) {
        bool begins = p == line || !(isalnum((unsigned char)p[-1]) || strchr("-_", p[-1]));
        bool ends = !p[n] || !(isalnum((unsigned char)p[n]) || strchr("-_", p[n]));
        if (begins && ends)
            return true;
    }
    return false;
}

/* A pool or territory stands for its members. */
static bool pool_names(const struct scene *s, const char *line, const char *user)
{
    const char *pool;
    json_t *p;
    json_object_foreach(json_get_obj(s->config, "pools"), pool, p) {
        size_t i;
        json_t *m;
        if (!line_names(line, pool))
            continue;
        json_array_foreach(json_get_arr(p, "members"), i, m)
            if (strcmp(json_get_str(m, "user", ""), user) == 0)
                return true;
    }
    return false;
}

static bool command_fits(const struct scene *s, const char *line, const char *verb, const char *word)
{
    size_t n = strlen(verb);
    if (strncmp(line, verb, n) != 0 || (line[n] && line[n] != ' '))
        return false;
    return !word || line_names(line, word) || pool_names(s, line, word);
}

void reason_command(const struct scene *s, const json_t *rows, const char *verb, const char *word,
                    json_t *why)
{
    size_t i, k, n = 0;
    json_t *rule, *line;
    json_array_foreach(json_get_arr(s->config, "rules"), i, rule)
        json_array_foreach(json_get_arr(rule, "do"), k, line)
            if (n < REASONS_MAX && command_fits(s, json_get_str(line, "text", ""), verb, word)) {
                reason_rule(s, rows, json_get_str(rule, "name", ""), why);
                n++;
                break;
            }
}

static bool command_changed(const json_t *command, const char *record, const char *field)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_get_arr(command, "changes"), i, c)
        if (strcmp(json_get_str(c, "of", ""), record) == 0 &&
            strcmp(json_get_str(c, "f", ""), field) == 0)
            return true;
    return false;
}

void reason_change(const struct scene *s, const json_t *rows, const char *record,
                   const char *field, json_t *why)
{
    const json_t *last = NULL;
    size_t i, k;
    json_t *row, *c;
    json_array_foreach((json_t *)rows, i, row)
        json_array_foreach(json_get_arr(json_get_obj(row, "body"), "commands"), k, c)
            if (command_changed(c, record, field))
                last = c;
    if (!last)
        return;
    const char *actor = json_get_str(last, "actor", "?");
    const json_t *rule = strcmp(json_get_str(last, "by", ""), "rule") == 0 ? rule_config(s, actor)
                                                                          : NULL;
    const char *at = json_get_str(rule, "at", NULL);
    AUTO_FREE char *text = mem_printf("it was set by \"%s\" of %s %s%s%s%s",
                                      json_get_str(last, "line", "?"), json_get_str(last, "by", "?"),
                                      actor, at ? " (" : "", at ? at : "", at ? ")" : "");
    json_array_append_new(why, json_string(text));
}
