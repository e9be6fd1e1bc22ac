/* SPDX-License-Identifier: ISC
 *
 * crm - what the engine asks of the CRM: context, identity, commands, facts
 *
 * struct crm is the configured CRM: users, pools, forms, compiled fields, rules
 * and templates. It lives as long as the engine. struct crm_ctx is one input (a
 * mail, a form, a command line, a timer): the engine opens it inside its
 * transaction or savepoint, lets crm_receive() and the rules' commands work on
 * it, stores ctx->commands and ctx->personal in the journal row, and ends it.
 * When the savepoint is rolled back the context is ended and forgotten: it holds
 * caches only.
 *
 * Nothing changes the CRM but a command: also what intake creates is recorded as
 * an internal command (new-lead, new-case, file). Every change is one entry in a
 * command's "changes"; what follows from it is announced through hooks.event,
 * which must only queue.
 *
 * Errors: ERR_INPUT means refused, and nothing was changed; the text may be
 * shown to the person. Anything else means the input must be rolled back.
 *
 * The CRM never reads a clock: ctx->now_ms is the time of the input.
 */
#ifndef LEADD_CRM_CRM_H
#define LEADD_CRM_CRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/errlist.h"
#include "base/json.h"

struct db;
struct crm;
struct crm_ctx;
struct ruleset;
struct sequence;
struct segments;
struct broadcast;
struct rule_value;
struct rule_fields;
struct rule_facts;
struct template;
struct template_result;

/* ---- records ---------------------------------------------------------- */

enum crm_entity {
    CRM_NONE = 0,
    CRM_LEAD,     /* L42 */
    CRM_CONTACT,  /* C42 */
    CRM_COMPANY,  /* O42 */
    CRM_DEAL,     /* D42 */
    CRM_CASE,     /* K42 */
    CRM_ACTIVITY, /* A42 */
    CRM_TASK,     /* T42 */
    CRM_ENTITY_COUNT
};

#define CRM_ID_LEN 24

/* "lead", "contact", ...; NULL for CRM_NONE. The reverse also takes the plural. */
const char *crm_entity_name(enum crm_entity t);
enum crm_entity crm_entity_parse(const char *name);
/* "L42" (any case) -> CRM_LEAD, 42. 0 or -1. */
int crm_id_parse(const char *s, enum crm_entity *entity_out, int64_t *id_out);
const char *crm_id_format(enum crm_entity t, int64_t id, char out[CRM_ID_LEN]);

/* The records one event or command is about; 0 where there is none. */
struct crm_target {
    int64_t lead;
    int64_t contact;
    int64_t company;
    int64_t deal;
    int64_t kase; /* case */
    int64_t task;
    int64_t activity;
    enum crm_entity main; /* which of them is meant when a command fits several; CRM_NONE: the
                           * lead, else the case, else what there is */
};

/* A target from one id: fills in what belongs to it (a deal's lead and contact,
 * a lead's contact and company ...). ERR_INPUT when there is no such record. One that
 * was merged is the one that it became. */
int crm_target_of(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_target *out,
                  struct err *e) LEADD_MUST_CHECK;
/* For what waits for that very record: ERR_INPUT when it was merged into another. */
int crm_target_exact(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_target *out,
                     struct err *e) LEADD_MUST_CHECK;

/* ---- actors, events, hooks --------------------------------------------- */

enum crm_actor_kind {
    CRM_BY_SYSTEM,   /* intake, timers, the courier's outcomes */
    CRM_BY_RULE,     /* name: the rule's */
    CRM_BY_USER,     /* name: the user's; the role decides what he may */
    CRM_BY_OPERATOR, /* leadctl on ctl.sock; name: the Unix user */
    CRM_BY_CONTACT   /* a lead or customer (opt-out); name: "C42" */
};

struct crm_actor {
    enum crm_actor_kind kind;
    const char *name; /* never NULL */
    const char *at;   /* rule: file:line; else NULL */
};

extern const struct crm_actor crm_system; /* kind system, name "system" */

const char *crm_actor_kind_name(enum crm_actor_kind k); /* "system", "rule", ... */

struct crm_event {
    const char *name; /* static: "lead.created" */
    enum crm_entity entity;
    struct crm_target target;
    struct crm_actor actor; /* strings live as long as the context */
    size_t before, after;   /* how many changes the input had then: see crm_facts_new */
};

/* To a meeting; strings are borrowed. */
struct crm_invite {
    const char *uid, *what;
    int64_t sequence, start_ms, end_ms;
    bool cancel;
    const char *to, *to_name; /* the contact's */
    const char *owner;        /* a user; NULL: none */
};

struct crm_send {
    const struct crm_invite *invite; /* an invitation; NULL: none */
    const char *template_name; /* NULL: of a notice, the words are ours */
    const char *to;      /* folded email address; of an SMS the number, E.164 */
    const char *to_name; /* may be NULL */
    const char *to_user; /* user name when it goes to a user (a notice), else NULL */
    bool notice;         /* from `notify`: from the null sender, whoever gets it */
    bool sms;
    const char *language; /* NULL: the reader's */
    struct crm_target target;
    struct crm_actor actor;
};

/* Another program is told or asked something; see daemon/README.md for the JSON. */
struct crm_call {
    const char *kind;     /* "webhook" or "enrich" */
    const char *endpoint;
    const char *name;     /* of the enrichment; NULL: the event's */
    struct crm_target target;
    struct crm_actor actor;
    const json_t *fields; /* {"lead.subject": value} */
};

/* Somebody begins a sequence, or those that the record is in are ended, paused, let go on. */
struct crm_enrol {
    enum crm_enrol_what { CRM_ENROL_BEGIN, CRM_ENROL_STOP, CRM_ENROL_PAUSE, CRM_ENROL_GO_ON } what;
    const char *name; /* of the sequence; NULL: all that the record is in */
    struct crm_target target;
    struct crm_actor actor;
};
#define CRM_ENROLLED 16u
struct crm_enrolled {
    size_t count; /* how many it was done to */
    struct {
        int64_t id;
        const char *was; /* the state before; static; "" when it has just begun */
    } list[CRM_ENROLLED];
    char text[256]; /* "nurture begins Mon 23 Nov 09:00" */
};

/* What a person does with a broadcast, which is of no record. */
struct crm_broadcast_order {
    const char *verb; /* start, confirm, pause, go-on, cancel, winner, show */
    const char *name;
    int64_t number; /* start, confirm: of recipients; winner: of the template; 0: not said */
    struct crm_actor actor;
};
#define CRM_BROADCAST_SAID 400

/* What the engine does for the CRM. */
struct crm_hooks {
    void *arg;
    /* Queue it; commands must not be run from inside. */
    void (*event)(void *arg, const struct crm_event *ev);
    /* Puts one outgoing mail into the outbox. outbox_out gets its id; 0 when it will be
     * told in one mail with others. */
    int (*send)(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *outbox_out,
                struct err *e);
    /* Takes it back when it has not left; ERR_INPUT says it has. */
    int (*unsend)(void *arg, struct crm_ctx *ctx, int64_t outbox, struct err *e);
    /* The same for calls of endpoints. */
    int (*call)(void *arg, struct crm_ctx *ctx, const struct crm_call *c, int64_t *id_out,
                struct err *e);
    int (*uncall)(void *arg, struct crm_ctx *ctx, int64_t id, struct err *e);
    /* Sequences; ERR_INPUT when there is nothing to do it to. */
    int (*enrol)(void *arg, struct crm_ctx *ctx, const struct crm_enrol *w,
                 struct crm_enrolled *out, struct err *e);
    /* The enrolment is as it was: in that state, "" for not at all. */
    int (*unenrol)(void *arg, struct crm_ctx *ctx, int64_t id, const char *state, struct err *e);
    /* said: what happened, for people. */
    int (*broadcast)(void *arg, const struct crm_broadcast_order *o, char said[CRM_BROADCAST_SAID],
                     struct err *e);
};

/* ---- life --------------------------------------------------------------- */

/* engine_config is the engine's part of the config tree; it is kept (a
 * reference is taken). Compiles fields, rules and templates, and brings the
 * user and team tables up to date, so it needs a transaction. All mistakes are in
 * e's text, the first one first; `leadd -t` lists them all (crm/check.h). */
struct crm *crm_new(struct db *db, const json_t *engine_config, int64_t now_ms, struct err *e);
void crm_free(struct crm **crm);

const struct ruleset *crm_rules(const struct crm *crm);
/* The rules of another time, from what the journal keeps of them (ruleset_then); own. */
struct ruleset *crm_rules_then(const struct crm *crm, const json_t *source, json_t *lost);
/* Sequences by name (NULL: there is none of it), and by place. What one may be asked for
 * besides (windows) is kept in it, so it is not const. */
struct sequence *crm_sequence(const struct crm *crm, const char *name);
struct sequence *crm_sequence_at(const struct crm *crm, size_t i); /* NULL after the last */
/* An earlier version, from what sequence_source() gave; own. NULL: what it names is gone. */
struct sequence *crm_sequence_then(const struct crm *crm, const char *name, const json_t *source,
                                   struct errlist *errors);
const struct segments *crm_segments(const struct crm *crm);
/* Others, compiled with the tables and calendars of the rules; own (segments_free). */
struct segments *crm_segments_then(const struct crm *crm, const json_t *defs, struct errlist *errors);
/* Broadcasts, as sequences; what runs is of the definition that it began with. */
struct broadcast *crm_broadcast(const struct crm *crm, const char *name);
struct broadcast *crm_broadcast_at(const struct crm *crm, size_t i);
struct broadcast *crm_broadcast_then(const struct crm *crm, const char *name, const json_t *source,
                                     struct errlist *errors);
const struct rule_fields *crm_fields(const struct crm *crm);
/* NULL: there is none. The second: for a reader of that language (NULL: none is known). */
const struct template *crm_template(const struct crm *crm, const char *name);
const struct template *crm_template_in(const struct crm *crm, const char *name,
                                       const char *language);
const json_t *crm_config(const struct crm *crm);
/* The user's config object, or NULL; the same of a list that people can leave. */
const json_t *crm_user(const struct crm *crm, const char *name);
const json_t *crm_mail_list(const struct crm *crm, const char *name);
/* Who is asked when this user does not act: the manager of the user, else of the team.
 * NULL when the config names none. */
const char *crm_manager_of(const struct crm *crm, const char *user);
/* The user a folded email address or E.164 number belongs to, or NULL. */
const char *crm_user_by_address(const struct crm *crm, const char *channel, const char *value);

/* hooks is copied; NULL: nobody listens and nothing can be sent. */
struct crm_ctx *crm_begin(struct crm *crm, const struct crm_hooks *hooks, int64_t now_ms);
void crm_end(struct crm_ctx **ctx);

/* For the journal row, borrowed.
 * commands: [{"line", "by": kind, "actor", "rule"?, "at"?, "p"?: true, "undoes"?: J,
 *             "changes": [{"e": "lead", "id", "f": field, "old", "new"} | {.., "p": "3"}]}]
 * personal: {"3": {"old", "new"}, "line:0": full text of command 0}: values that
 * erasure deletes; store it apart, by contact. {} when there are none. */
const json_t *crm_commands(const struct crm_ctx *ctx);
const json_t *crm_personal(const struct crm_ctx *ctx);
int64_t crm_now(const struct crm_ctx *ctx);

/* ---- identity and intake ------------------------------------------------ */

struct crm_input {
    const char *kind;      /* "mail", "form" or "sms" */
    const json_t *message; /* message JSON, borrowed until crm_end; NULL for forms */
    const char *form;      /* form NAME of the config, or NULL */
    const json_t *fields;  /* posted: {POSTED: value}, borrowed until crm_end */
    const json_t *files;   /* that came with a form: its attachments; may be NULL */
    const char *source;    /* mailbox NAME; forms take theirs from the config */
    const char *creates;   /* "lead", "case", "contact" or "nothing"; NULL: the form's, else "lead" */
    struct crm_target thread; /* from a proven thread token; zeroes when none */
    bool proven;           /* the sender is who From says; without it a mail files and no more */
    /* a user's mail that forwards another one, and may be believed: that one (mail/parse.h,
     * "forward"), whose `from` it is credited to; else NULL */
    const json_t *forward;
    /* it came to a dropbox: of this user, "" for the company's; NULL: to none. Nobody else
     * knows the address, so what a user sends there is believed. */
    const char *dropbox;
    bool believed; /* that mail says it is a user's, and nothing here could prove it better */
    int may_make; /* so many new contacts of those whom a mail to a dropbox went to */
    int64_t message_id;    /* the store's message row, 0 when none */
    int64_t at_ms;         /* when it arrived */
    /* of what another program tells (happening.h): message stands beside form, then */
    const char *event;     /* announced in place of form.received; or NULL */
    const char *direction; /* of the activity; NULL: "in" */
    const char *title;     /* text of the activity; NULL: the subject */
    bool calm;             /* nobody wrote: who is known gets no new record, and none is answered */
};

enum crm_who_kind {
    CRM_WHO_NOBODY,  /* no usable sender */
    CRM_WHO_USER,    /* a user of ours */
    CRM_WHO_CONTACT  /* anybody else */
};

/* Two contacts that may be one; twin.h. */
struct crm_twin {
    int64_t contact, other; /* who is in hand, and who was there; 0: nobody */
    int64_t lead;           /* the other's open lead, 0: none */
    const char *why;        /* "phone", "email" or "name" that both have */
};

struct crm_who {
    enum crm_who_kind kind;
    const char *user;   /* borrowed from the config; NULL unless CRM_WHO_USER */
    char address[321];  /* folded; empty when none */
    const char *channel; /* "email" or "phone" */
    struct crm_target target;
    bool new_contact, new_lead, new_case;
    bool forwarded;  /* a user's mail, credited to who wrote what it forwards: that is `address` */
    bool to_contact; /* a user's mail that the contact has, too: among its recipients */
    bool other_address; /* the contact was found by it, and has not got it yet */
    struct crm_twin twin;
    char offered[48]; /* kinds of facts of the contact that a person may take: "phone, title" */
    bool no_sender; /* mail with words, and nobody who could be answered: it made nothing */
    int made, left_out; /* recipients of a mail to a dropbox: new contacts; more than may_make */
};

/* Looks only: who is it, and which contact, open lead or open case is meant. */
int crm_identify(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out,
                 struct err *e) LEADD_MUST_CHECK;

/* Files the input: finds or creates contact, address, company, and lead or case;
 * writes one activity; announces message.received or form.received, then
 * lead.created and so on. A user's mail is filed on the contact among its
 * recipients (or the thread's records) and creates nothing, as does mail that
 * names no sender. Machine mail
 * (message kind auto_reply, bounce, receipt, report, own) never creates a lead
 * and never counts as an answer. */
int crm_receive(struct crm_ctx *ctx, const struct crm_input *in, struct crm_who *out,
                struct err *e) LEADD_MUST_CHECK;

/* What the rules see as message, for events that no crm_receive() announces. Borrowed
 * until crm_end. */
void crm_set_message(struct crm_ctx *ctx, const json_t *message);

/* What {{unsubscribe_url}} is in the mail that is written now; NULL: nothing. Borrowed until
 * it is set again. */
void crm_set_unsubscribe(struct crm_ctx *ctx, const char *url);

/* Who caused the event whose rules run now, for the words that they write; NULL: nobody,
 * as with timers. Borrowed until it is set again. */
void crm_set_cause(struct crm_ctx *ctx, const struct crm_actor *actor);

/* The user who has the record, or NULL: there is none. Borrowed. */
const char *crm_owner_of(struct crm_ctx *ctx, const struct crm_target *t, struct err *e);

/* Was it written by a machine, so that nothing automatic may answer it to this
 * address? why_out, when it is: borrowed, the field that says so. */
bool crm_is_machine(const struct crm *crm, const json_t *message, const char *address,
                    const char **why_out);

/* Is this folded address a user's or the company's own? */
bool crm_is_ours(const struct crm *crm, const char *address);
/* The same, or somebody else's at the company's own domain. */
bool crm_is_inside(const struct crm *crm, const char *address);

/* A form's posted fields do not fit (a bad email, a bad number): ERR_INPUT with
 * the posted name. Called by crm_receive too; alone for an early answer. */
int crm_form_check(struct crm *crm, const char *form, const json_t *fields, struct err *e);

/* An outgoing mail left (or a user's answer was relayed): one activity, first_out,
 * and for users lead.contacted. message_id may be 0. Of a mail that was filed already
 * (t->activity) the activity becomes an outgoing one. */
int crm_record_sent(struct crm_ctx *ctx, const struct crm_target *t, const char *subject,
                    int64_t message_id, int64_t outbox, const struct crm_actor *actor,
                    struct err *e) LEADD_MUST_CHECK;

/* The same of an SMS. */
int crm_record_texted(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                      int64_t outbox, const struct crm_actor *actor, struct err *e)
    LEADD_MUST_CHECK;

/* The lead or case that the target means, borrowed until crm_end; what_out says which.
 * NULL with e: ERR_INPUT when there is none. */
const json_t *crm_target_record(struct crm_ctx *ctx, const struct crm_target *t,
                                enum crm_entity *what_out, struct err *e);

/* The lead has no owner: gives it default_owner. assigned_out says whether. */
int crm_ensure_owner(struct crm_ctx *ctx, int64_t lead, bool *assigned_out, struct err *e)
    LEADD_MUST_CHECK;
/* The same for a case. */
int crm_ensure_case_owner(struct crm_ctx *ctx, int64_t kase, bool *assigned_out, struct err *e)
    LEADD_MUST_CHECK;

/* May automatic mail go there now? Checked by `send`, and again at sending. */
enum crm_address_use { CRM_ADDRESS_OK, CRM_ADDRESS_OPTED_OUT, CRM_ADDRESS_BOUNCING };
int crm_address_check(struct db *db, const char *channel, const char *value,
                      enum crm_address_use *out, struct err *e) LEADD_MUST_CHECK;
/* The folded address that `send` takes of a contact, borrowed; NULL: it has none. */
int crm_contact_email(struct crm_ctx *ctx, int64_t contact, const char **out,
                      struct err *e) LEADD_MUST_CHECK;
/* The same for the address that `send` takes of a contact; OK when it has none. */
int crm_contact_check(struct crm_ctx *ctx, int64_t contact, enum crm_address_use *out,
                      struct err *e) LEADD_MUST_CHECK;
/* Fills in to and to_name as `send` does. */
int crm_send_to_contact(struct crm_ctx *ctx, const struct crm_target *t, struct crm_send *s,
                        struct err *e) LEADD_MUST_CHECK;
/* Is it a command that mails the contact, "send TEMPLATE [to contact]"? */
bool crm_sends_to_contact(const char *line);

/* Announces something the engine saw (outbox.sent, outbox.failed ...); the name
 * must be in the events table. */
void crm_emit(struct crm_ctx *ctx, const char *event, const struct crm_target *t,
              const struct crm_actor *actor);

/* ---- facts ---------------------------------------------------------------- */

/* What the rules of one event see: its records, the input's message and form, the
 * actor. Reads the store lazily; a record is read once per input and kept up to
 * date by every change, also by the commands of the pass. */
struct crm_facts;
struct crm_facts *crm_facts_new(struct crm_ctx *ctx, const struct crm_event *ev);
/* For rule_match_new(): now, before and event are filled in. */
const struct rule_facts *crm_facts_rule(const struct crm_facts *f);
void crm_facts_free(struct crm_facts **f);
/* A store error met while reading (fields read as unset then): check it after
 * each event; the input must be rolled back. 0 or -1 with e. */
int crm_facts_error(struct crm_ctx *ctx, struct err *e) LEADD_MUST_CHECK;

/* Facts of a stored message or form (its JSON, borrowed), long after: only of fields that
 * crm_field_is_of_message() names. */
void crm_message_again(struct crm_ctx *ctx, const json_t *stored);
void crm_message_value(struct crm_ctx *ctx, int field, struct rule_value *out);
/* Is this field's text kept with the message of the input? For rule_record_new(); arg: the ctx. */
bool crm_kept_with_message(void *ctx, int field);

/* What the clocks of an escalation go by. */
struct crm_clock {
    int64_t created_ms;
    int64_t touched_ms; /* a human of ours acted on it last; 0: nobody has */
    bool waits;         /* the customer is to answer */
    bool closed;        /* closed, won or lost */
    int64_t said_ms, heard_ms; /* the last words of ours, and of the contact: of a lead only */
};
int crm_clock(struct crm_ctx *ctx, enum crm_entity t, int64_t id, struct crm_clock *out,
              struct err *e) LEADD_MUST_CHECK;

/* The template with the target's fields as they are now. actor may be NULL; so may language,
 * the reader's, and signed_by, the user whose {{> signature}} it is. */
struct crm_rendering {
    const char *name, *language, *signed_by;
    const struct crm_actor *actor;
};
int crm_render(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_rendering *how,
               struct template_result *out, struct err *e) LEADD_MUST_CHECK;
/* What the contact reads, "de-AT"; NULL: not known, or all templates are in one language.
 * Borrowed from the context. */
const char *crm_reads(struct crm_ctx *ctx, int64_t contact);

/* What a notice without a template says of the target. */
int crm_render_notice(struct crm_ctx *ctx, const struct crm_target *t,
                      const struct crm_actor *actor, struct template_result *out,
                      struct err *e) LEADD_MUST_CHECK;

/* The same in one or two lines, for an SMS. */
int crm_render_notice_short(struct crm_ctx *ctx, const struct crm_target *t,
                            const struct crm_actor *actor, struct template_result *out,
                            struct err *e) LEADD_MUST_CHECK;

/* Where the contact lives, as far as is known: one IANA zone, or all of the country. Borrowed
 * from the context. At least one: that of the settings. */
#define CRM_ZONES 32u
int crm_zones_of_contact(struct crm_ctx *ctx, int64_t contact, const char *out[CRM_ZONES],
                         size_t *count_out, struct err *e) LEADD_MUST_CHECK;

/* ---- questions of leadctl, console, API ---------------------------------- */

/* {"columns": [{"name","title"}], "rows": [{NAME: value}]}, newest first.
 * filters: ["status=new", "owner=anna", ...], may be NULL. Times are RFC 3339. */
int crm_list(struct crm *crm, enum crm_entity t, const json_t *filters, int64_t limit,
             json_t **out, struct err *e) LEADD_MUST_CHECK;
/* Adds a row for each member of one pool or (NULL) all: pool, by, user, weight, open,
 * today, now. */
int crm_pools_list(struct crm *crm, const char *pool, int64_t now_ms, json_t *rows,
                   struct err *e) LEADD_MUST_CHECK;
/* What rules are written with, as crm_list: "fields", "events", "commands"; and
 * "users". ERR_INPUT for anything else. */
int crm_list_names(struct crm *crm, const char *what, json_t **out,
                   struct err *e) LEADD_MUST_CHECK;
/* Adds a row for each pair that may be one: id, name, other, other_name, why, merge: the
 * command that would do it. */
int crm_duplicates(struct crm *crm, enum crm_entity t, int64_t limit, json_t *rows,
                   struct err *e) LEADD_MUST_CHECK;
/* {"fields": [[label, value]], "sections": [{"title", "columns", "rows"}]} */
int crm_show(struct crm *crm, enum crm_entity t, int64_t id, json_t **out, struct err *e)
    LEADD_MUST_CHECK;
/* As crm_list: time, id, kind, direction, who, text; oldest first. Activities, and
 * as kind "command" what people and rules did. */
int crm_timeline(struct crm *crm, enum crm_entity t, int64_t id, int64_t limit, json_t **out,
                 struct err *e) LEADD_MUST_CHECK;

#endif
