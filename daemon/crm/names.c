/* SPDX-License-Identifier: ISC
 *
 * names - what a rule file may name, as tables: fields, events, commands; and
 * the users
 *
 * Made from the tables themselves, so that help cannot lag behind.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crm/assign.h"
#include "crm/ctx.h"
#include "crm/fields.h"
#include "store/user.h"

/* titles: pairs of name and title, ended by NULL */
static json_t *names_table(const char *const *titles, json_t *rows)
{
    json_t *columns = json_array();
    for (; titles[0]; titles += 2)
        json_array_append_new(columns,
                              json_pack("{s:s, s:s}", "name", titles[0], "title", titles[1]));
    return json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
}

static json_t *list_fields(const struct crm *crm)
{
    static const char *const titles[] = {"name", "Field",    "type",     "Type", "personal",
                                         "Personal", "settable", "Set",  "help", "Meaning",
                                         "values", "Values", NULL};
    json_t *rows = json_array();
    const struct crm_field *f;
    for (int i = 0; (f = crm_fieldset_get(crm->fieldset, i)) != NULL; i++) {
        json_t *values = json_array();
        for (size_t k = 0; f->choices && f->choices[k]; k++)
            json_array_append_new(values, json_string(f->choices[k]));
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", f->name,
                                              "type", rule_type_name(f->type), "personal",
                                              f->personal ? "yes" : "no", "settable",
                                              f->settable ? "yes" : "no", "help", f->help,
                                              "values", values));
    }
    return names_table(titles, rows);
}

static json_t *list_events(void)
{
    static const char *const titles[] = {"name", "Event", "record", "Record", "help", "Meaning",
                                         NULL};
    json_t *rows = json_array();
    for (size_t i = 0; i < crm_events_count; i++) {
        const struct crm_event_row *r = &crm_events_table[i];
        const char *record = crm_entity_name(r->entity);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", r->name, "record",
                                              record ? record : "", "help", r->help));
    }
    return names_table(titles, rows);
}

static json_t *list_commands(void)
{
    static const char *const titles[] = {"name", "Command", "arguments", "Arguments",
                                         "help", "Meaning", "example",   "Example",   NULL};
    json_t *rows = json_array();
    const struct crm_command_help *h;
    for (size_t i = 0; (h = crm_command_help(i)) != NULL; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "name", h->name, "arguments",
                                              h->grammar, "help", h->help, "example", h->example));
    return names_table(titles, rows);
}

static json_t *list_users(struct crm *crm, struct err *e)
{
    static const char *const titles[] = {"name", "User", "full_name", "Name", "email",  "Email",
                                         "team", "Team", "role",      "Role", "active", "Active",
                                         "absent", "Absent",
                                         NULL};
    json_t *rows = NULL, *row;
    size_t i;
    if (user_list(crm->db, &rows, e) < 0)
        return NULL;
    json_array_foreach(rows, i, row)
        json_put_str(row, "active", json_get_bool(row, "active", false) ? "yes" : "no");
    if (assign_users_absent(crm, rows, clock_now_ms(), e) < 0) {
        json_decref(rows);
        return NULL;
    }
    return names_table(titles, rows);
}

int crm_list_names(struct crm *crm, const char *what, json_t **out, struct err *e)
{
    json_t *table = NULL;
    if (!strcmp(what, "fields"))
        table = list_fields(crm);
    else if (!strcmp(what, "events"))
        table = list_events();
    else if (!strcmp(what, "commands"))
        table = list_commands();
    else if (strcmp(what, "users"))
        return err_set(e, ERR_INPUT, "cannot list \"%s\"", what);
    else
        table = list_users(crm, e);
    if (!table)
        return -1;
    *out = table;
    return 0;
}
