/* SPDX-License-Identifier: ISC
 *
 * assign - who gets a lead or case: targets, pools, territories, and who is there
 *
 * A target is what stands behind `assign` and in the assign of a territory or the else
 * of a pool: a user, pool NAME, team NAME, territory, or manager, with what the one who
 * gets it must know (with skill french and italian) and whether the contact's last
 * owner gets it again (sticky). Finding somebody writes nothing but where a pool's
 * round stands, inside the command that runs.
 *
 * Who can be dealt to at a moment is said in one place (assign_who.c):
 *  - gone: no user any more, or a viewer; opted out: takes = false;
 *  - absent: by the config, or by the command `absent`;
 *  - unskilled: a skill that is needed is not his;
 *  - full: his capacity, or that of the pool's member, is used up today, in his zone;
 *  - off hours: his calendar, or else the pool's, is closed now.
 * A user who is named directly (assign anna) by a rule or a territory must not be gone
 * or absent; a person may name anybody.
 */
#ifndef LEADD_CRM_ASSIGN_H
#define LEADD_CRM_ASSIGN_H

#include "base/buf.h"
#include "base/errlist.h"
#include "crm/ctx.h"
#include "crm/grammar.h"

enum assign_to { ASSIGN_USER, ASSIGN_POOL, ASSIGN_TEAM, ASSIGN_TERRITORY, ASSIGN_MANAGER };
enum assign_sticky { STICKY_UNSAID, STICKY_NO, STICKY_CONTACT, STICKY_COMPANY };

struct assign_target {
    enum assign_to to;
    char *name;      /* own: of the user, pool or team; NULL otherwise */
    json_t *skills;  /* own: array of text; NULL: none said */
    enum assign_sticky sticky;
};

/* Reads a whole target from g and checks its names. ERR_INPUT with the nearest name;
 * then g->word_at is where. out needs assign_target_done() in any case. */
int assign_target_read(struct grammar *g, const struct crm *crm, struct assign_target *out,
                       struct err *e) LEADD_MUST_CHECK;
void assign_target_done(struct assign_target *t);
/* Has any user, or member of a pool, the skill? */
int assign_skill_check(const struct crm *crm, const char *skill, struct err *e) LEADD_MUST_CHECK;

/* One search: for which record, by whom, and what became of it. */
struct assign {
    struct crm_ctx *ctx;        /* borrowed */
    const struct crm_target *target;
    enum crm_entity what;       /* lead or case (or deal) */
    int64_t id;
    bool strict;                /* a user who is named must be there */
    struct buf told;            /* own: the way there, "dach > dach-large: pool dach" */
    struct buf nobody;          /* own: why those before could not: "anna is absent, .." */
    const char *user;           /* borrowed from ctx: who gets it */
};

void assign_begin(struct assign *a, struct crm_ctx *ctx, const struct crm_target *t,
                  enum crm_entity what, int64_t id);
void assign_end(struct assign *a);
/* 0 with a->user; ERR_INPUT says why nobody could be found. */
int assign_find(struct assign *a, const struct assign_target *t, struct err *e) LEADD_MUST_CHECK;

/* What the config says of users and pools for assigning, for crm_build(). */
void assign_check(const struct crm *crm, struct errlist *errors);
/* The indexes that pools of this config need. */
int assign_prepare(struct crm *crm, struct err *e) LEADD_MUST_CHECK;

/* ---- who is there (assign_who.c) ------------------------------------------- */

enum who_state { WHO_FREE, WHO_OFF_HOURS, WHO_FULL, WHO_ABSENT, WHO_UNSKILLED, WHO_OPTED_OUT,
                 WHO_GONE };

struct who {
    enum who_state state;
    int64_t until;        /* absent and off hours: until then; INT64_MAX: nobody knows */
    const char *skill;    /* unskilled: the first he lacks */
    int64_t given, limit; /* of today; limit 0: no limit */
};

/* What is asked of one who is dealt to. */
struct who_ask {
    const char *pool;        /* name of its row ("pool dach"); NULL: a user by himself */
    const json_t *config;    /* of the pool, NULL: none (a team) */
    const json_t *member;    /* of config, NULL: none */
    const json_t *state;     /* the pool's row */
    const json_t *const *skills; /* arrays that are needed, NULL-terminated; NULL: none */
};

int assign_who(struct crm_ctx *ctx, const char *user, const struct who_ask *ask, struct who *out,
               struct err *e) LEADD_MUST_CHECK;
/* "absent until 2027-01-03", "has had 10 of 10 today" */
void assign_who_print(const struct crm *crm, const struct who *w, struct buf *out);
/* Counts a lead of that day for those who have a limit, or (n = -1) takes it back while
 * it is still that day. state is the pool's row, which the caller stores. */
int assign_count(struct crm_ctx *ctx, const char *user, const json_t *member, json_t *state, int n,
                 int64_t at_ms, struct err *e) LEADD_MUST_CHECK;
/* The zone a user lives in: that of his calendar, else the company's. */
const struct zone *assign_zone(const struct crm *crm, const char *user);
/* The local day of a user, "2026-11-21". */
void assign_day(struct crm_ctx *ctx, const char *user, int64_t at_ms, char out[16]);

/* Absences that the config and the store know of a user, sorted:
 * [{"from": ms, "until": ms, "reason", "config": true}]; own. */
json_t *assign_absences(struct crm_ctx *ctx, const char *user, struct err *e);
/* Until when the user is away now; 0: he is there. */
int assign_absent(struct crm_ctx *ctx, const char *user, int64_t *until_out,
                  struct err *e) LEADD_MUST_CHECK;

/* "2026-12-24..2027-01-02", "2026-12-24": local days, both whole. */
int assign_absence_parse(const struct crm *crm, const char *user, const char *text,
                         int64_t *from_out, int64_t *until_out, struct err *e) LEADD_MUST_CHECK;

/* {"user", "list"}: is that what is stored; store it in place of before (cmd_absent.c). */
int crm_absence_check(struct crm_ctx *ctx, const json_t *value, struct err *e) LEADD_MUST_CHECK;
int crm_absence_change(struct crm_ctx *ctx, const json_t *before, const json_t *after,
                       struct err *e) LEADD_MUST_CHECK;
#define ABSENCES_MAX 50 /* of one user that are not over */

/* ---- pools (assign_pool.c) ---------------------------------------------------- */

/* The next of a pool or team for a; ERR_INPUT with the reasons in a->nobody when there
 * is nobody. skills: of the command, may be NULL. */
int assign_pool(struct assign *a, const char *pool, const struct assign_target *t,
                struct err *e) LEADD_MUST_CHECK;
int assign_team(struct assign *a, const char *team, const struct assign_target *t,
                struct err *e) LEADD_MUST_CHECK;
/* Undo: the turn that the row gave, when nothing was dealt since. */
int assign_give_back(struct crm_ctx *ctx, const json_t *dealt, struct err *e) LEADD_MUST_CHECK;
/* Adds "absent" to rows of users: "absent until .." or "" (assign_list.c). */
int assign_users_absent(struct crm *crm, json_t *rows, int64_t now_ms,
                        struct err *e) LEADD_MUST_CHECK;

/* ---- territories (territory.c) -------------------------------------------------- */

struct territories;
/* From the config tree's object; mistakes are added to errors. Never NULL. */
struct territories *territories_new(const struct crm *crm, const json_t *config,
                                    struct errlist *errors);
void territories_free(struct territories **t);
/* Adds what is hardly meant, as rule/lint.h does: never, and shadowed by one that stands
 * before it below the same parent. */
void territories_lint(const struct territories *t, json_t *found);
bool territories_any(const struct territories *t);

struct rule_facts;
typedef int (*territory_try_fn)(void *arg, const char *name, const struct assign_target *t,
                                struct err *e);
/* Walks from the root to the deepest territory whose conditions hold, then up again
 * until try (0 found, -1 with ERR_INPUT: up to the parent) finds somebody. walk_out, an
 * array, gets one object for each condition that was asked: {"territory", "at", "holds",
 * "trace"}; personal values are in it. found_out: the name. */
int territories_walk(const struct territories *t, rule_get_fn get, void *facts, json_t *walk_out,
                     territory_try_fn try, void *arg, const char **found_out,
                     struct err *e) LEADD_MUST_CHECK;
/* "world > dach > dach-large"; own (mem_free). */
char *territories_path(const struct territories *t, const char *name);

#endif
