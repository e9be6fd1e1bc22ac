/* SPDX-License-Identifier: ISC
 *
 * rep_names - names as people write them, in a command by mail: "Negotiation", "Anna",
 * "anna berger" become the names that the config has
 *
 * A rule file must spell a name as the config does; a person on a phone need not. What
 * could be two things stays as it is, and is refused with the names that exist.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/ctx.h"
#include "crm/rep_lines.h"
#include "rule/field.h"

/* The one user who is called so: by name in the config, full name, or first name. */
static const char *user_called(const struct crm *crm, const char *said)
{
    const char *user, *first = NULL;
    const json_t *u;
    int firsts = 0;
    json_object_foreach((json_t *)crm->users, user, u) {
        const char *full = json_get_str(u, "name", "");
        AUTO_FREE char *given = mem_strn(full, strcspn(full, " "));
        if (rule_fold_equal(user, said) || rule_fold_equal(full, said))
            return user;
        if (*given && rule_fold_equal(given, said)) {
            first = user;
            firsts++;
        }
    }
    return firsts == 1 ? first : NULL;
}

static const char *stage_called(const struct crm *crm, const char *said)
{
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)crm->stages, i, s)
        if (rule_fold_equal(json_string_value(s), said))
            return json_string_value(s);
    return NULL;
}

char *rep_line_names(const struct crm *crm, const char *line)
{
    static const char *const lower[] = {"status", "priority"};
    const char *args = line + strcspn(line, " ");
    AUTO_FREE char *word = mem_strn(line, (size_t)(args - line));
    args += strspn(args, " ");
    AUTO_FREE char *said = mem_str(*args == '@' ? args + 1 : args);
    const char *name = NULL;
    if (!strcmp(word, "assign"))
        name = user_called(crm, said);
    else if (!strcmp(word, "stage"))
        name = stage_called(crm, said);
    for (size_t i = 0; i < ARRAY_LEN(lower); i++)
        if (!strcmp(word, lower[i])) {
            text_lower(said);
            name = said;
        }
    return name && *name ? mem_printf("%s %s", word, name) : mem_str(line);
}
