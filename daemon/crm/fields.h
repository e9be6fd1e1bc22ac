/* SPDX-License-Identifier: ISC
 *
 * fields - the table of everything a rule, template, report or `set` may name
 *
 * The core fields are one static table; the custom fields of the config and the
 * posted names of its forms are added to it when the CRM is made. How a field is
 * read from an input stands in facts.c.
 */
#ifndef LEADD_CRM_FIELDS_H
#define LEADD_CRM_FIELDS_H

#include "base/errlist.h"
#include "crm/crm.h"
#include "rule/field.h"

struct crm_view;
struct crm_field;

typedef void (*crm_read_fn)(const struct crm_view *v, const struct crm_field *f,
                            struct rule_value *out);

struct crm_field {
    const char *name;
    enum rule_type type;
    bool personal;
    const char *help;
    crm_read_fn read;
    enum crm_entity entity; /* the record it belongs to; CRM_NONE: the input, the owner, ... */
    const char *key;        /* column, "custom.x", key of the message, posted name */
    bool settable;          /* by `set` and by forms */
    const char *const *choices;
};

/* The help of an own field is its label; of one without a label this. */
#define CRM_FIELD_NO_LABEL "a field of the config"

struct crm_fieldset;

/* stages, fields and forms of the config tree (any may be NULL). Mistakes are
 * added to errors. Never NULL. */
struct crm_fieldset *crm_fieldset_new(const json_t *config, struct errlist *errors);
void crm_fieldset_free(struct crm_fieldset **s);

const struct rule_fields *crm_fieldset_rules(const struct crm_fieldset *s);
const struct crm_field *crm_fieldset_get(const struct crm_fieldset *s, int index);
/* NULL with e (and the nearest name) when there is none. */
const struct crm_field *crm_fieldset_find(const struct crm_fieldset *s, const char *name,
                                          struct err *e);

/* Known at the event alone, and nowhere when a timer is due: what a message, a form
 * or an activity says, and who did it. */
bool crm_field_is_of_event(const struct crm_field *f);
/* Is it said by the message or form alone, so that it can be read again from the stored one? */
bool crm_field_is_of_message(const struct crm_field *f);
/* Does it ask the store each time it is read? */
bool crm_field_is_dear(const struct crm_field *f);

/* The value a field gets from text as people type it ("5.000,50 EUR", "yes",
 * "2026-12-01", "DE", "+10"); own. old is the value it has (may be NULL). */
json_t *crm_field_parse(const struct crm *crm, const struct crm_field *f, const char *text,
                        const json_t *old, int64_t now_ms, struct err *e);
/* The change of the target's record; ERR_INPUT when the target has none. */
int crm_field_set(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_field *f,
                  const char *text, struct err *e) LEADD_MUST_CHECK;

/* readers, facts.c */
void crm_read_column(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_flag(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_id(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_age(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_tags(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_amount(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_address(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_domain(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_owner(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_actor(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_message(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_form(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_duplicate(const struct crm_view *v, const struct crm_field *f,
                        struct rule_value *out);
void crm_read_unsubscribe(const struct crm_view *v, const struct crm_field *f,
                          struct rule_value *out);
void crm_read_now(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_count(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_sequence(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_consents(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_open(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);
void crm_read_setting(const struct crm_view *v, const struct crm_field *f, struct rule_value *out);

/* the record a target means for an entity; 0 when it has none */
int64_t crm_target_id(const struct crm_target *t, enum crm_entity e);

#endif
