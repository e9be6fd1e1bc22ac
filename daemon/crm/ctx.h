/* SPDX-License-Identifier: ISC
 *
 * ctx - the inside of one input: records, changes, the command that runs
 *
 * For files of this room only. Records are JSON objects, read once per input and
 * changed in place by crm_change(); values that were replaced stay alive in the
 * log until the end of the input, so borrowed strings do, too.
 */
#ifndef LEADD_CRM_CTX_H
#define LEADD_CRM_CTX_H

#include "crm/command.h"
#include "crm/crm.h"
#include "crm/events.h"
#include "rule/calendar.h"
#include "rule/field.h"
#include "store/record.h"

#define CRM_LOG_MAX 4096      /* changes of one input */
#define CRM_OP_EVENTS 16      /* events one command announces by name */

/* One field of one record that changed. A created record is the change of the
 * field "created" from nothing to true. */
struct crm_change {
    enum crm_entity entity;
    int64_t id;
    const char *field; /* own, in the context's memory: column, "custom.x", "tags.x", "email" */
    json_t *before;    /* own; NULL when it was unset */
    json_t *after;     /* own; NULL when it is unset */
};

struct crm_locales;
struct rule_event;
struct ruleset_env;

struct crm_op_event {
    const struct crm_event_row *row;
    enum crm_entity entity;
    int64_t id;
};

struct crm {
    struct db *db;            /* borrowed */
    json_t *config;           /* own */
    const json_t *settings;   /* borrowed from config, as are the next */
    const json_t *users, *teams, *pools, *forms, *stages, *templates_cfg,
        *endpoints, *enrichments;
    json_t *source_forms;     /* own; happening.h: sources as forms */
    json_t *user_addresses;   /* own; "email:anna@example.com" -> user name */
    struct crm_fieldset *fieldset; /* own; fields.h */
    const struct calendars *calendars; /* borrowed from rules; NULL without rules */
    const struct calendar *calendar;   /* the default one; NULL: none */
    struct ruleset *rules;    /* own */
    struct ruleset_env *rule_env;     /* own; borrowed by rules */
    struct rule_event *rule_events;   /* own; borrowed by rule_env */
    struct sequence **sequences; /* own; in the order of the config */
    size_t sequence_count;
    struct segments *segments;     /* own; NULL: they have mistakes */
    struct broadcast **broadcasts; /* own; in the order of the config */
    size_t broadcast_count;
    json_t *template_index;   /* own; name -> place in templates */
    struct template **templates; /* own */
    size_t template_count;
    bool multilingual;        /* is there a template in more than one language */
    json_t *languages;        /* own; language.h: folded name -> code; filled when asked */
    struct crm_locales *locales; /* own; language.h */
    const char *zone, *country, *currency; /* borrowed from config */
    json_t *countries;        /* own; country.h: folded name -> code; filled when asked */
    json_t *zones;            /* own; country -> its zones; filled when asked (zones.c) */
    struct zone *local;       /* own; of settings.time_zone */
    struct territories *territories; /* own; assign.h */
    bool offers_known, offers; /* is there any offer; offer.h */
    json_t *absences;         /* own; of the store, as last read; NULL: to be read */
    bool absences_stale;      /* an input has changed them */
};

struct crm_ctx {
    struct crm *crm;         /* borrowed */
    struct crm_hooks hooks;  /* a copy */
    int64_t now_ms;
    json_t *records;         /* own; "L42" -> record */
    json_t *addresses;       /* own; "C7" -> addresses of a contact */
    json_t *tags;            /* own; "L42" -> tags */
    json_t *deals;           /* own; "L42" -> id of the deal that stands for the lead */
    json_t *commands;        /* own */
    json_t *personal;        /* own */
    struct crm_change *log;  /* own */
    size_t log_count, log_cap;
    json_t *strings;         /* own; keeps text alive until the end */
    void **chunks;           /* own; memory freed at the end */
    size_t chunk_count;
    const json_t *message;   /* of the input, borrowed; NULL when none */
    const json_t *form;      /* posted fields, borrowed */
    const char *form_name, *source;
    int64_t message_id;      /* row of the message, 0: none */
    char offered[48];        /* kinds of facts that were offered: "phone, title" */
    struct crm_twin twin;    /* who the contact may be; other 0: nobody */
    struct err read_error;   /* the first failure while reading lazily */

    bool in_op;              /* a command runs */
    json_t *op;              /* borrowed from commands */
    struct crm_actor op_actor;
    struct crm_actor cause; /* of the event whose rules run; name NULL: of none */
    size_t op_first;         /* changes before it */
    struct crm_op_event op_events[CRM_OP_EVENTS];
    size_t op_event_count;
    const struct crm_consent *consent; /* borrowed; who says the opt-out that follows, or NULL */
    const char *unsubscribe; /* borrowed; where the mail that is written now can be ended, or NULL */
    bool absences_changed;   /* by this input: what the CRM remembers is not so any more */
};

/* memory until the end of the input */
void *crm_keep(struct crm_ctx *ctx, size_t n);
const char *crm_keep_str(struct crm_ctx *ctx, const char *s);

const struct record_table *crm_table(enum crm_entity t);
const char *crm_setting(const struct crm *crm, const char *key, const char *def);

/* The record, or NULL with e: ERR_INPUT when there is none. A deleted record is
 * one that is not there, but for undo (crm_record_any). Borrowed. */
json_t *crm_record(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e);
json_t *crm_record_any(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e);
/* Borrowed arrays; NULL with e only when the store failed. */
const json_t *crm_addresses(struct crm_ctx *ctx, int64_t contact, struct err *e);
const json_t *crm_tags(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct err *e);
/* A record just made has no addresses, tags and deals: nobody need look. */
void crm_is_new(struct crm_ctx *ctx, enum crm_entity t, int64_t id);
/* The deal a lead is spoken for by: the open one, else the newest; 0 when none. */
int crm_deal_of_lead(struct crm_ctx *ctx, int64_t lead, int64_t *out, struct err *e);

/* Every change of a field of a record. after may be NULL or JSON null (unset);
 * it is borrowed. No change when it is the same already. field is a column, or
 * "custom.NAME", "tags.TAG" (true or unset), "email" and "phone" of a contact, and
 * "merged", the id of the record that it became. */
int crm_change(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
               const json_t *after, struct err *e) LEADD_MUST_CHECK;
int crm_change_str(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                   const char *after, struct err *e) LEADD_MUST_CHECK;
int crm_change_int(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                   int64_t after, struct err *e) LEADD_MUST_CHECK;
/* Leaves the list of leadd.conf, or joins it. */
int crm_change_list(struct crm_ctx *ctx, const char *value, const char *list, bool left,
                    const char *reason, struct err *e) LEADD_MUST_CHECK;
/* Columns of the address table: state at_ms 0 takes it away. */
int crm_change_address(struct crm_ctx *ctx, const char *channel, const char *value,
                       const char *field, int64_t at_ms, const char *reason, struct err *e)
    LEADD_MUST_CHECK;
/* The address is of that contact (0: of nobody), since then: of several the newest
 * counts. Its state stays with it. */
int crm_move_address(struct crm_ctx *ctx, const char *channel, const char *value, int64_t to,
                     int64_t since_ms, struct err *e) LEADD_MUST_CHECK;
/* Inserts a record (its columns in rec) and records that it was created. */
int crm_create(struct crm_ctx *ctx, enum crm_entity t, const json_t *rec, int64_t *id_out,
               struct err *e) LEADD_MUST_CHECK;
/* The change a contact field makes must not stand in the journal in clear. */
bool crm_change_is_personal(enum crm_entity t, const char *field);

/* A command's frame: what changes between begin and end belongs to it. `sealed`:
 * the line holds words of people; only its first word goes into the journal. */
void crm_op_begin(struct crm_ctx *ctx, const char *line, bool sealed,
                  const struct crm_actor *actor);
/* Announces the events. */
int crm_op_end(struct crm_ctx *ctx, const char *result, struct err *e) LEADD_MUST_CHECK;
void crm_op_failed(struct crm_ctx *ctx, struct err *e);
/* Inside a command: this event names what happened to the record. */
void crm_op_event(struct crm_ctx *ctx, const char *event, enum crm_entity t, int64_t id);

/* The value a field had when the input had made `at` changes; NULL and false
 * when it has not changed since. */
bool crm_log_value_at(const struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *field,
                      size_t at, const json_t **out);
bool crm_log_created_after(const struct crm_ctx *ctx, enum crm_entity t, int64_t id, size_t at);

/* assign.c */
/* The owner of a lead (with its open deal) or a case. */
int crm_assign(struct crm_ctx *ctx, enum crm_entity t, int64_t id, const char *user, struct err *e)
    LEADD_MUST_CHECK;

/* A human of ours spoke with the lead or case: contacted, answered. */
int crm_mark_contacted(struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
    LEADD_MUST_CHECK;
/* A human of ours acted on it: stamps touched_ms of the record that is meant, and of
 * those that the running command changed. It is no change of its own: no event, no
 * entry, and undo leaves it. */
int crm_touch(struct crm_ctx *ctx, const struct crm_target *t, struct err *e) LEADD_MUST_CHECK;
bool crm_actor_is_human(const struct crm_actor *a);
/* The last word is ours: the lead's said_ms, stamped as touched_ms is. */
int crm_said(struct crm_ctx *ctx, int64_t lead, struct err *e) LEADD_MUST_CHECK;
/* "user anna", "rule greet" */
const char *crm_actor_text(struct crm_ctx *ctx, const struct crm_actor *a);
/* One activity on the target; text may be NULL. */
int crm_add_activity(struct crm_ctx *ctx, const struct crm_target *t, const char *kind,
                     const char *direction, const char *text, int64_t message_id, int64_t outbox,
                     int64_t at_ms, int64_t *id_out, struct err *e) LEADD_MUST_CHECK;

#endif
