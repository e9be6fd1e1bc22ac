/* SPDX-License-Identifier: ISC
 *
 * lint_words - commands that are taken for the words of another one
 *
 * A note or a task takes all that stands behind it, so a second command becomes words of
 * it, and nobody hears of a mistake.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/build.h"
#include "crm/cmd.h"
#include "crm/lint.h"

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
    words_command(l, line, text);
}

void crm_lint_words(const struct crm *crm, const json_t *tree, json_t *found)
{
    struct lint_words l = {.crm = crm, .found = found};
    crm_lint_lines(tree, words_line, &l);
}
