/* SPDX-License-Identifier: ISC
 *
 * effect - what each command may change and announce, told beforehand
 *
 * For lint only: nothing here changes how a command runs. A row must name at
 * least what the command does; a test runs the commands and compares. A command
 * without a row counts as one that may change anything.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/lint.h"

enum effect_known {
    KNOWN_NOTHING,
    KNOWN_FIRST, /* the first field of `field` that is of the record: its first word */
    KNOWN_VALUE, /* the same, when the word is no step such as +5 */
    KNOWN_CLOSED,
    KNOWN_TAG,
    KNOWN_NO_TAG,
};

/* Fields and events are separated by blanks; * at the beginning or end stands for
 * anything, % for the kind of record that the rule is about (lead and case, where
 * that is not known). */
struct effect_row {
    const char *command, *writes, *events;
    enum effect_known known;
    const char *field;
    bool repeats;
};

static const struct effect_row effects[] = {
    {"assign", "%.owner lead.assigned deal.owner owner.* %.updated",
     "lead.assigned case.assigned case.changed deal.changed", KNOWN_FIRST, "%.owner", false},
    {"stage", "deal.* lead.* *.won_deals",
     "deal.stage_changed deal.created lead.status_changed", KNOWN_FIRST, "deal.stage", false},
    {"deal", "deal.* lead.* *.won_deals", "deal.created deal.changed lead.status_changed",
     KNOWN_NOTHING, NULL, false},
    {"won", "deal.* lead.* case.* *.won_deals *.open_leads *.open_cases",
     "deal.won deal.created lead.status_changed", KNOWN_NOTHING, NULL, false},
    {"lost", "deal.* lead.* case.* *.won_deals *.open_leads *.open_cases",
     "deal.lost deal.created lead.status_changed", KNOWN_NOTHING, NULL, false},
    {"note", "activity.* lead.notes", "note.added", KNOWN_NOTHING, NULL, true},
    {"call", "activity.*", "call.logged", KNOWN_NOTHING, NULL, true},
    {"meeting", "activity.*", "call.logged", KNOWN_NOTHING, NULL, true},
    {"task", "task.* *.open_tasks", "task.created", KNOWN_NOTHING, NULL, true},
    {"done", "task.* *.open_tasks", "task.done", KNOWN_NOTHING, NULL, false},
    {"tag", "%.tags %.updated", "%.changed", KNOWN_TAG, "%.tags", false},
    {"untag", "%.tags %.updated", "%.changed", KNOWN_NO_TAG, "%.tags", false},
    {"score", "lead.score lead.updated", "lead.changed", KNOWN_VALUE, "lead.score", false},
    {"priority", "case.priority", "case.changed", KNOWN_VALUE, "case.priority", false},
    {"set", "", "", KNOWN_NOTHING, NULL, false}, /* effect_set() */
    {"status", "lead.status lead.closed lead.closed_reason lead.updated case.* *.open_leads *.open_cases",
     "lead.status_changed case.changed case.closed case.reopened", KNOWN_FIRST, "%.status", false},
    {"send", "", "", KNOWN_NOTHING, NULL, true}, /* effect_send() */
    {"notify", "", "", KNOWN_NOTHING, NULL, true},
    {"webhook", "", "", KNOWN_NOTHING, NULL, true},
    /* what it sets comes later, with the event */
    {"enrich", "",
     "lead.enriched lead.enrich_failed case.enriched case.enrich_failed contact.enriched "
     "contact.enrich_failed", KNOWN_NOTHING, NULL, true},
    {"sequence", "*.sequence", "sequence.begun sequence.ended", KNOWN_NOTHING, NULL, false},
    {"case", "case.* *.open_cases", "case.created", KNOWN_NOTHING, NULL, true},
    {"close", "lead.status lead.closed lead.closed_reason lead.updated case.* *.open_leads *.open_cases",
     "lead.status_changed case.closed", KNOWN_CLOSED, "%.status", false},
    {"reopen", "lead.* case.* deal.* *.open_leads *.open_cases *.won_deals",
     "lead.status_changed case.reopened deal.changed", KNOWN_NOTHING, NULL, false},
    {"optout", "contact.*", "address.opted_out list.left contact.changed", KNOWN_NOTHING, NULL, false},
    {"optin", "contact.*", "list.joined contact.changed", KNOWN_NOTHING, NULL, false},
    {"bounced", "contact.*", "address.bounced contact.changed", KNOWN_NOTHING, NULL, false},
    {"verified", "contact.*", "contact.changed", KNOWN_NOTHING, NULL, false},
};

static const struct effect_row *effect_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(effects); i++)
        if (!strcasecmp(effects[i].command, name))
            return &effects[i];
    return NULL;
}

bool crm_effect_known(const char *command_name)
{
    return effect_find(command_name) != NULL;
}

/* The record that a rule with this `on` is about, when that can be told. */
static const char *effect_entity(const char *on)
{
    const struct crm_event_row *row = crm_event_find(on);
    enum crm_entity t = row ? row->entity : crm_entity_parse(on);
    return t == CRM_NONE || t == CRM_ACTIVITY || t == CRM_TASK ? NULL : crm_entity_name(t);
}

/* The next word of a list into out, with entity in place of %. */
static const char *effect_word(const char *list, const char *entity, char *out, size_t n)
{
    size_t len = strcspn(list, " ");
    if (*list == '%')
        snprintf(out, n, "%s%.*s", entity, (int)len - 1, list + 1);
    else
        snprintf(out, n, "%.*s", (int)len, list);
    return list + len + strspn(list + len, " ");
}

static bool effect_fits(const char *pattern, const char *name)
{
    size_t n = strlen(pattern), m = strlen(name);
    if (*pattern == '*')
        return m >= n - 1 && strcmp(name + m - (n - 1), pattern + 1) == 0;
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(name, pattern, n - 1) == 0;
    return strcmp(name, pattern) == 0;
}

static void effect_write(const struct crm *crm, const char *pattern, struct lint_effect *out)
{
    const struct rule_fields *fields = crm_fieldset_rules(crm->fieldset);
    for (size_t i = 0; i < rule_fields_count(fields); i++)
        if (effect_fits(pattern, rule_fields_get(fields, (int)i)->name))
            lint_fields_add(&out->writes, (int)i);
}

static void effect_announce(const char *name, struct lint_effect *out)
{
    const struct crm_event_row *row = crm_event_find(name);
    if (row && out->event_count < LINT_EVENTS)
        out->events[out->event_count++] = row->name;
}

static void effect_lists(const struct crm *crm, const struct effect_row *row, const char *on,
                         struct lint_effect *out)
{
    const char *entity = effect_entity(on), *one[] = {entity ? entity : "lead", "case"};
    char word[80];
    for (size_t k = 0; k < (entity ? 1 : ARRAY_LEN(one)); k++) {
        for (const char *p = row->writes; *p;) {
            p = effect_word(p, one[k], word, sizeof(word));
            effect_write(crm, word, out);
        }
        for (const char *p = row->events; *p;) {
            bool again = k > 0 && *p != '%';
            p = effect_word(p, one[k], word, sizeof(word));
            if (!again)
                effect_announce(word, out);
        }
    }
}

/* Words with the fields of a record in them are known only when they run. */
static void effect_value(const struct crm *crm, const char *field, const char *value,
                         struct lint_effect *out)
{
    int i = rule_fields_find(crm_fieldset_rules(crm->fieldset), field);
    if (i < 0 || strstr(value, "{{") || strlen(value) >= sizeof(out->value))
        return;
    out->known = true;
    out->field = i;
    snprintf(out->value, sizeof(out->value), "%s", value);
}

static void effect_knows(const struct crm *crm, const struct effect_row *row, const char *on,
                         const char *word, struct lint_effect *out)
{
    char field[80];
    const char *entity = effect_entity(on);
    if (!row->field || (*row->field == '%' && !entity))
        return;
    effect_word(row->field, entity ? entity : "", field, sizeof(field));
    bool step = *word == '+' || *word == '-' || !strcasecmp(word, "up") || !strcasecmp(word, "down");
    bool choice = !strcasecmp(row->command, "assign") &&
                  (!strcasecmp(word, "pool") || !strcasecmp(word, "team") ||
                   !json_object_get(crm->users, word));
    if (row->known == KNOWN_CLOSED)
        effect_value(crm, field, "closed", out);
    else if (*word && !choice && (row->known != KNOWN_VALUE || !step))
        effect_value(crm, field, word, out);
    out->has = row->known == KNOWN_TAG;
    out->has_not = row->known == KNOWN_NO_TAG;
}

static void effect_set(const struct crm *crm, const char *field, const char *value,
                       struct lint_effect *out)
{
    char event[80], all[80];
    const struct crm_field *f = crm_fieldset_find(crm->fieldset, field, NULL);
    if (!f || f->entity == CRM_NONE) {
        out->anything = true;
        return;
    }
    const char *entity = crm_entity_name(f->entity);
    bool address = !strcmp(f->name, "contact.email") || !strcmp(f->name, "contact.phone");
    snprintf(event, sizeof(event), "%s.changed", entity);
    snprintf(all, sizeof(all), "%s.%s", entity, address ? "*" : "updated");
    effect_announce(event, out);
    if (f->entity == CRM_DEAL) { /* makes one when there is none */
        effect_announce("deal.created", out);
        effect_announce("lead.status_changed", out);
        effect_write(crm, "lead.*", out);
    }
    effect_write(crm, f->name, out);
    effect_write(crm, all, out);
    if (!address && (f->type == RULE_TYPE_TEXT || f->type == RULE_TYPE_INT) && *value != '+')
        effect_value(crm, f->name, value, out);
}

/* A mail to the contact leaves a little later, and is then an event of the record; mail
 * to users is none. Whether one is refused is not known beforehand. */
static void effect_send(const struct crm *crm, struct lint_effect *out)
{
    out->to_contact = true;
    effect_announce("outbox.sent", out);
    effect_announce("lead.changed", out);
    effect_write(crm, "lead.first_out", out);
    effect_write(crm, "lead.last_out", out);
    effect_write(crm, "lead.mails_out", out);
    effect_write(crm, "lead.updated", out);
}

void crm_effect(const struct crm *crm, const char *on, const char *command,
                struct lint_effect *out)
{
    struct grammar g;
    bool ok;
    if (grammar_init(&g, command, NULL) < 0) {
        out->anything = true;
        return;
    }
    AUTO_FREE char *name = mem_str(grammar_word(&g, &ok, NULL));
    AUTO_FREE char *word = mem_str(grammar_word(&g, &ok, NULL));
    AUTO_FREE char *rest = grammar_rest(&g);
    const struct effect_row *row = name ? effect_find(name) : NULL;
    grammar_done(&g);
    if (!row) {
        out->anything = true;
        return;
    }
    out->repeats = row->repeats;
    effect_lists(crm, row, on, out);
    if (!strcasecmp(name, "set"))
        effect_set(crm, word ? word : "", rest ? rest : "", out);
    else
        effect_knows(crm, row, on, word ? word : "", out);
    if (!strcasecmp(name, "send") && crm_sends_to_contact(command))
        effect_send(crm, out);
}
