/* SPDX-License-Identifier: ISC
 *
 * cmd - one row of the table of commands, and what its file needs
 *
 * parse reads the arguments and checks all that can be known from the config
 * alone (users, pools, stages, templates, fields), so that a rule file with a
 * mistake is refused. run does it. run refuses (ERR_INPUT) before it changes
 * anything.
 */
#ifndef LEADD_CRM_CMD_H
#define LEADD_CRM_CMD_H

#include "crm/ctx.h"
#include "crm/fields.h"
#include "crm/grammar.h"

/* who may */
#define MAY_SYSTEM 1u
#define MAY_RULE 2u
#define MAY_REP 4u
#define MAY_MANAGER 8u
#define MAY_ADMIN 16u /* also the operator, on ctl.sock */
#define MAY_CONTACT 32u
#define MAY_STAFF (MAY_REP | MAY_MANAGER | MAY_ADMIN)
#define MAY_ALL (MAY_SYSTEM | MAY_RULE | MAY_STAFF)

struct cmd;

enum cmd_words {
    WORDS_OPEN,
    WORDS_SEALED,      /* the line holds words of people: not into the journal in clear */
    WORDS_WITH_FIELDS, /* the same, and in a rule they may say {{lead.subject}} */
};

struct cmd_row {
    const char *name;
    const char *grammar; /* of the arguments, for people */
    unsigned who;
    enum cmd_words words;
    int (*parse)(struct cmd *c, struct err *e);
    int (*run)(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t, struct crm_result *out,
               struct err *e);
    const char *inverse, *help, *example;
};

/* A parsed line. Which members count depends on the command. */
struct cmd {
    const struct cmd_row *row;
    const struct crm *crm;
    int64_t now_ms; /* 0 while checking */
    bool of_rule;   /* a rule says it: the words are looked at for fields */
    bool filled;    /* and held some */
    struct grammar g;
    char *name;       /* own: user, pool, stage, template, tag, status, address */
    char *text;       /* own: the rest of the line */
    char *to;         /* own: send: contact, owner or an address; task, snooze: when */
    char *list;       /* own: optout, optin: of leadd.conf */
    json_t *who;      /* own; notify: [{"kind", "name"}]; webhook: names of fields */
    int mode;         /* assign: 0 user, 1 pool, 2 team */
    const struct crm_field *field;
    bool sms, email;  /* send, notify: by which channels */
    bool has_amount, has_due;
    int64_t amount, due, number;
    char currency[4];
    int col; /* where the mistake stands; -1: where the last word began */
};

extern const struct cmd_row crm_cmd_assign, crm_cmd_stage, crm_cmd_won, crm_cmd_lost,
    crm_cmd_note, crm_cmd_call, crm_cmd_meeting, crm_cmd_task, crm_cmd_done, crm_cmd_tag,
    crm_cmd_untag, crm_cmd_set, crm_cmd_status, crm_cmd_send, crm_cmd_case, crm_cmd_close,
    crm_cmd_reopen, crm_cmd_score, crm_cmd_notify, crm_cmd_webhook, crm_cmd_enrich,
    crm_cmd_priority, crm_cmd_deal, crm_cmd_undo, crm_cmd_optout, crm_cmd_optin, crm_cmd_bounced,
    crm_cmd_verified, crm_cmd_merge, crm_cmd_absent,
    crm_cmd_present, crm_cmd_lead, crm_cmd_snooze, crm_cmd_take, crm_cmd_invite, crm_cmd_sequence,
    crm_cmd_broadcast;

/* ---- for parse ---------------------------------------------------------- */

/* Into c->name / c->text; what is the name of the argument for the error. */
int cmd_word(struct cmd *c, const char *what, struct err *e) LEADD_MUST_CHECK;
int cmd_text(struct cmd *c, const char *what, struct err *e) LEADD_MUST_CHECK;
int cmd_end(struct cmd *c, struct err *e) LEADD_MUST_CHECK;
/* "no WHAT 'name'; did you mean X?", candidates are the keys of an object or the
 * strings of an array. 0 when it is among them. */
int cmd_known(const json_t *among, const char *what, const char *name, struct err *e)
    LEADD_MUST_CHECK;
/* The template of an SMS: NAME.sms.txt, or the text of NAME. Into c->name. */
int cmd_sms_template(struct cmd *c, struct err *e) LEADD_MUST_CHECK;
/* A user, where one of these words (ended by NULL) may stand, too: "managr" is hardly a
 * user. */
int cmd_user_or(const struct crm *crm, const char *const *words, const char *name, struct err *e)
    LEADD_MUST_CHECK;
int cmd_choice(const char *const *choices, const char *what, const char *name, struct err *e)
    LEADD_MUST_CHECK;

/* ---- for run ------------------------------------------------------------ */

/* Which record is meant by a command that fits leads and cases: CRM_LEAD,
 * CRM_CASE or CRM_NONE with e. */
enum crm_entity cmd_lead_or_case(const struct crm_target *t, struct err *e);
/* The record a tag, note or field goes to: what the target is mainly about. */
enum crm_entity cmd_main(const struct crm_target *t, struct err *e);
/* A new deal of the lead, which has no open one; name NULL: the lead's subject. */
int cmd_new_deal(struct crm_ctx *ctx, struct crm_target *t, const char *name,
                 struct err *e) LEADD_MUST_CHECK;
/* The lead's open deal; with create a new one when there is none. */
int cmd_open_deal(struct crm_ctx *ctx, struct crm_target *t, bool create, struct err *e)
    LEADD_MUST_CHECK;
/* status with its event and stamps */
int cmd_lead_status(struct crm_ctx *ctx, int64_t lead, const char *status, const char *reason,
                    struct err *e) LEADD_MUST_CHECK;
int cmd_case_status(struct crm_ctx *ctx, int64_t kase, const char *status, const char *reason,
                    struct err *e) LEADD_MUST_CHECK;
/* "L42" in memory of the context */
const char *cmd_id(struct crm_ctx *ctx, enum crm_entity t, int64_t id);
void cmd_say(struct crm_result *out, const char *fmt, ...) LEADD_PRINTF(2, 3);

/* A task about the target, whose task it becomes (cmd_task.c). rec: title, owner, due_ms and
 * what else its columns are; gets the rest. */
int cmd_task_make(struct crm_ctx *ctx, struct crm_target *t, json_t *rec,
                  struct err *e) LEADD_MUST_CHECK;

#endif
