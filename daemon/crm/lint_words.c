/* SPDX-License-Identifier: ISC
 *
 * lint_words - commands that are taken for the words of another one
 *
 * A note or a task takes all that stands behind it, so a day that is misspelt and a
 * second command become words of it, and nobody hears of a mistake.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/lint.h"
#include "crm/when.h"

static const char *const days[] = {"today",    "tomorrow", "monday", "tuesday", "wednesday",
                                   "thursday", "friday",   "saturday", "sunday"};

struct lint_words {
    const struct crm *crm;
    json_t *found;           /* borrowed */
    const char *what, *name; /* as crm_lint_line has them */
};

static void words_found(const struct lint_words *l, const json_t *line, size_t col,
                        const char *text, const char *advice)
{
    json_t *f = json_object();
    json_put_str(f, "at", json_get_str(line, "at", "?"));
    json_put_str(f, l->what, l->name);
    json_put_str(f, "finding", "words");
    json_put_str(f, "text", text);
    json_put_str(f, "advice", advice);
    json_put_str(f, "source", json_get_str(line, "text", ""));
    json_put_int(f, "col", (int64_t)col);
    json_array_append_new(l->found, f);
}

/* "tomorow": begins and ends as a day does, and is none. */
static const char *nearly_a_day(const char *word)
{
    const char *near = text_nearest(word, days, ARRAY_LEN(days));
    size_t n = strlen(word), m = near ? strlen(near) : 0;
    return near && n > 3 && strcmp(word, near) != 0 && word[0] == near[0] &&
                   word[n - 1] == near[m - 1]
               ? near : NULL;
}

static void words_day(const struct lint_words *l, const json_t *line, const char *text)
{
    int64_t due;
    const char *rest = text + strcspn(text, " ");
    rest += strspn(rest, " ");
    AUTO_FREE char *word = mem_strn(rest, strcspn(rest, " ,"));
    for (char *p = word; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    const char *near = nearly_a_day(word);
    if (!near || crm_when_parse(rest, l->crm->zone, 0, &due, NULL) != 0)
        return;
    AUTO_FREE char *told = mem_printf("\"%s\" is no day: the task has no date, and begins with this word",
                                      word);
    AUTO_FREE char *advice = mem_printf("did you mean %s?", near);
    words_found(l, line, (size_t)(rest - text), told, advice);
}

/* "note called; send welcome" */
static void words_command(const struct lint_words *l, const json_t *line, const char *text)
{
    for (const char *p = strchr(text, ';'); p; p = strchr(p + 1, ';')) {
        const char *next = p + 1 + strspn(p + 1, " ");
        if (!strchr(next, ' ') || crm_command_check(l->crm, next, NULL, NULL) < 0)
            continue;
        AUTO_FREE char *told = mem_printf("`%.100s` is no command here, but words of the one before",
                                          next);
        AUTO_FREE char *advice = mem_printf("one text is one command: [ \"%.*s\", \"%s\" ]",
                                            (int)(p - text), text, next);
        words_found(l, line, (size_t)(next - text), told, advice);
        return;
    }
}

static void words_line(void *arg, const char *what, const char *name, const json_t *line)
{
    struct lint_words *l = arg;
    const char *text = json_get_str(line, "text", "");
    l->what = what;
    l->name = name;
    if (text_starts(text, "task "))
        words_day(l, line, text);
    words_command(l, line, text);
}

void crm_lint_words(const struct crm *crm, const json_t *tree, json_t *found)
{
    struct lint_words l = {.crm = crm, .found = found};
    crm_lint_lines(tree, words_line, &l);
}
