/* SPDX-License-Identifier: ISC
 *
 * command - the table of commands, and the one door through which they run
 *
 * Finding, parsing, permission, the record of what was done and the refusal are
 * here; what a command does is in its cmd_*.c. To add one: a file and a row.
 */
#include "crm/command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/render.h"

static const struct cmd_row *const commands[] = {
    &crm_cmd_assign, &crm_cmd_stage,   &crm_cmd_won,      &crm_cmd_lost,    &crm_cmd_note,
    &crm_cmd_call,   &crm_cmd_meeting, &crm_cmd_task,     &crm_cmd_done,    &crm_cmd_tag,
    &crm_cmd_untag,  &crm_cmd_score,   &crm_cmd_priority, &crm_cmd_deal,    &crm_cmd_set,
    &crm_cmd_status, &crm_cmd_send,    &crm_cmd_case,     &crm_cmd_close,   &crm_cmd_reopen,
    &crm_cmd_notify, &crm_cmd_webhook, &crm_cmd_enrich,
    &crm_cmd_undo,   &crm_cmd_optout,  &crm_cmd_optin,    &crm_cmd_bounced, &crm_cmd_verified,
    &crm_cmd_merge,  &crm_cmd_absent,  &crm_cmd_present,  &crm_cmd_lead,    &crm_cmd_snooze,
    &crm_cmd_take,   &crm_cmd_sequence, &crm_cmd_invite,  &crm_cmd_broadcast,
};

/* What people say when they mean one of them. */
static const struct {
    const char *word, *command;
} other_words[] = {{"email", "send"}, {"mail", "send"}, {"reply", "send"}, {"owner", "assign"},
                   {"route", "assign"}, {"comment", "note"}, {"log", "note"}, {"remind", "task"},
                   {"todo", "task"}, {"later", "snooze"}, {"postpone", "snooze"},
                   {"label", "tag"}, {"update", "set"}, {"ticket", "case"}, {"points", "score"},
                   {"urgency", "priority"}, {"win", "won"}, {"lose", "lost"}};

static const struct cmd_row *command_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (!strcasecmp(name, commands[i]->name))
            return commands[i];
    return NULL;
}

const char *crm_command_near(const char *word)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(other_words); i++)
        if (!strcasecmp(word, other_words[i].word))
            return other_words[i].command;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i]->name;
    return text_nearest(word, names, ARRAY_LEN(names));
}

static const struct cmd_row *command_find(const char *name, struct err *e)
{
    const struct cmd_row *row = command_named(name);
    if (row)
        return row;
    const char *near = crm_command_near(name);
    if (near)
        err_set(e, ERR_INPUT, "no command '%s'; did you mean '%s'?", name, near);
    else
        err_set(e, ERR_INPUT, "no command '%s'", name);
    return NULL;
}

const struct crm_command_help *crm_command_help(size_t i)
{
    static struct crm_command_help help[ARRAY_LEN(commands)];
    if (i >= ARRAY_LEN(commands))
        return NULL;
    const struct cmd_row *r = commands[i];
    help[i] = (struct crm_command_help){
        .name = r->name,
        .grammar = r->grammar,
        .help = r->help,
        .example = r->example,
        .by_rules = (r->who & MAY_RULE) != 0,
        .by_staff = (r->who & MAY_STAFF) != 0,
        .text = (r->words == WORDS_WITH_FIELDS && r != &crm_cmd_deal) || r == &crm_cmd_snooze || r == &crm_cmd_invite,
    };
    return &help[i];
}

/* ---- parsing --------------------------------------------------------------- */

static void cmd_done(struct cmd *c)
{
    grammar_done(&c->g);
    mem_free(c->name);
    mem_free(c->text);
    mem_free(c->to);
    mem_free(c->list);
    json_decref(c->who);
}

static bool cmd_fills(const struct cmd *c)
{
    return c->of_rule && c->row->words == WORDS_WITH_FIELDS;
}

static int cmd_words_check(struct cmd *c, const char *line, struct err *e)
{
    const char *const words[] = {c->text, c->name};
    for (size_t i = 0; i < ARRAY_LEN(words) && cmd_fills(c); i++) {
        if (!crm_has_fields(words[i]) || crm_words_check(c->crm, words[i], e) == 0)
            continue;
        const char *at = strstr(line, "{{");
        c->col = at ? (int)(at - line) : c->col;
        return err_wrap(e, "%s", c->row->name);
    }
    return 0;
}

static int cmd_fill(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    char **const words[] = {&c->text, &c->name};
    for (size_t i = 0; i < ARRAY_LEN(words) && cmd_fills(c); i++) {
        if (!crm_has_fields(*words[i]))
            continue;
        char *filled = crm_words(ctx, t, *words[i], &ctx->op_actor, e);
        if (!filled)
            return -1;
        mem_free(*words[i]);
        *words[i] = filled;
        c->filled = *filled;
        if (!*filled)
            return err_set(e, ERR_INPUT, "%s: without the fields that are not set, nothing is left",
                           c->row->name);
    }
    return 0;
}

/* Words that are right in another order: how they should stand. */
static void command_order(const char *line, struct err *e)
{
    char name[16] = "", a[64] = "", b[64] = "", d[64] = "", say[240] = "";
    int n = sscanf(line, " %15s %63s %63s %63s", name, a, b, d);
    bool named = !strcasecmp(b, "pool") || !strcasecmp(b, "team");
    bool whom = !strcasecmp(b, "owner") || !strcasecmp(b, "contact") || strchr(b, '@');
    if (n == 3 && !strcasecmp(name, "assign") && named)
        snprintf(say, sizeof(say), "assign %s %s", b, a);
    else if (n == 3 && !strcasecmp(name, "set") && strchr(b, '.') && !strchr(a, '.'))
        snprintf(say, sizeof(say), "set %s %s", b, a);
    else if (n == 4 && !strcasecmp(name, "send") && !strcasecmp(a, "to"))
        snprintf(say, sizeof(say), "send %s to %s", d, b);
    else if (n == 3 && !strcasecmp(name, "send") && whom)
        snprintf(say, sizeof(say), "send %s to %s", a, b);
    size_t len = strlen(e->text);
    if (*say && text_is_utf8(say, strlen(say)))
        snprintf(e->text + len, sizeof(e->text) - len, "; write: %s", say);
}

static int cmd_parse(struct cmd *c, const struct crm *crm, const char *line, int64_t now_ms,
                     bool of_rule, struct err *e)
{
    bool ok;
    *c = (struct cmd){.crm = crm, .now_ms = now_ms, .of_rule = of_rule, .col = -1};
    if (grammar_init(&c->g, line, e) < 0)
        return -1;
    if (*grammar_peek(&c->g) == '#')
        grammar_skip(&c->g, 1);
    const char *name = grammar_word(&c->g, &ok, e);
    if (!name)
        return ok ? err_set(e, ERR_INPUT, "an empty command") : -1;
    c->row = command_find(name, e);
    if (!c->row || c->row->parse(c, e) < 0)
        return -1;
    return cmd_words_check(c, line, e);
}

/* "assign eva; send welcome": where the next command of a text that holds one begins. */
static const char *command_next(const char *line)
{
    static const char *const between[] = {";", ",", " then ", " and "};
    for (const char *p = line; *p; p++)
        for (size_t i = 0; i < ARRAY_LEN(between); i++) {
            size_t n = strlen(between[i]);
            if (strncmp(p, between[i], n) != 0)
                continue;
            const char *next = p + n + strspn(p + n, " ");
            AUTO_FREE char *word = mem_strn(next, strcspn(next, " ;,"));
            if (command_named(word))
                return next;
        }
    return NULL;
}

static bool command_several(const char *line, struct err *e)
{
    const char *next = command_next(line);
    size_t n = next ? (size_t)(next - line) : 0;
    if (!next)
        return false;
    while (n > 0 && strchr(" ;,", line[n - 1]))
        n--;
    for (int i = 0; i < 2; i++) {
        const char *word = i ? " and" : " then";
        size_t len = strlen(word);
        if (n > len && strncmp(line + n - len, word, len) == 0)
            n -= len;
    }
    err_set(e, ERR_INPUT, "one text is one command: [ \"%.*s\", \"%.200s\" ]", (int)(n < 200 ? n : 200),
            line, next);
    return true;
}

int crm_command_check(const struct crm *crm, const char *line, int *col_out, struct err *e)
{
    struct cmd c;
    int rc = cmd_parse(&c, crm, line, 0, true, e);
    bool several = rc < 0 && command_several(line, e);
    if (rc < 0 && !several)
        command_order(line, e);
    if (rc < 0 && col_out)
        *col_out = several ? (int)(command_next(line) - line) : c.col >= 0 ? c.col : c.g.word_at;
    cmd_done(&c);
    return rc;
}

int cmd_word(struct cmd *c, const char *what, struct err *e)
{
    bool ok;
    const char *w = grammar_word(&c->g, &ok, e);
    if (!ok)
        return -1;
    if (!w || !*w)
        return err_set(e, ERR_INPUT, "%s: %s is missing: %s %s", c->row->name, what, c->row->name,
                       c->row->grammar);
    mem_free(c->name);
    c->name = mem_str(w);
    return 0;
}

int cmd_text(struct cmd *c, const char *what, struct err *e)
{
    c->text = grammar_rest(&c->g);
    if (c->text || !what)
        return 0;
    return err_set(e, ERR_INPUT, "%s: %s is missing: %s %s", c->row->name, what, c->row->name,
                   c->row->grammar);
}

int cmd_end(struct cmd *c, struct err *e)
{
    if (grammar_at_end(&c->g))
        return 0;
    return err_set(e, ERR_INPUT, "%s: '%s' is too much: %s%s%s", c->row->name,
                   grammar_peek(&c->g), c->row->name, *c->row->grammar ? " " : "",
                   c->row->grammar);
}

#define CHOICES_TOLD 8 /* so many names are told to whom none of them is near */

static int unknown(const char *what, const char *name, const char *const *list, size_t n,
                   struct err *e)
{
    const char *near = text_nearest(name, list, n);
    struct buf all AUTO_BUF;
    buf_init(&all, 16 * 1024);
    if (near)
        return err_set(e, ERR_INPUT, "no %s '%s'; did you mean '%s'?", what, name, near);
    if (n == 0 || n > CHOICES_TOLD)
        return err_set(e, ERR_INPUT, "no %s '%s'%s", what, name, n ? "" : "; there is none at all");
    for (size_t i = 0; i < n; i++)
        buf_printf(&all, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", list[i]);
    return err_set(e, ERR_INPUT, "no %s '%s'; expected %.200s", what, name, all.data);
}

int cmd_choice(const char *const *choices, const char *what, const char *name, struct err *e)
{
    size_t n = 0;
    for (; choices[n]; n++)
        if (!strcmp(choices[n], name))
            return 0;
    return unknown(what, name, choices, n, e);
}

int cmd_known(const json_t *among, const char *what, const char *name, struct err *e)
{
    size_t n = json_is_array(among) ? json_array_size(among) : json_object_size(among), i = 0;
    AUTO_FREE const char **list = mem_array(n + 1, sizeof(*list));
    if (json_is_array(among)) {
        for (; i < n; i++)
            list[i] = json_string_value(json_array_get(among, i));
    } else {
        const char *key;
        const json_t *v;
        json_object_foreach((json_t *)among, key, v) {
            (void)v;
            list[i++] = key;
        }
    }
    return cmd_choice(list, what, name, e);
}

int cmd_user_or(const struct crm *crm, const char *const *words, const char *name, struct err *e)
{
    size_t n = 0;
    const char *user, *near;
    const json_t *v;
    while (words[n])
        n++;
    near = crm_user(crm, name) ? NULL : text_nearest(name, words, n);
    if (near) { /* a user that is as near goes first */
        const char *both[2] = {NULL, near};
        json_object_foreach((json_t *)crm->users, user, v) {
            both[0] = user;
            (void)v;
            if (text_nearest(name, both, 2) == user)
                near = NULL;
            if (!near)
                break;
        }
    }
    if (near)
        return err_set(e, ERR_INPUT, "no user '%s'; did you mean %s?", name, near);
    return cmd_known(crm->users, "user", name, e);
}

/* ---- permission -------------------------------------------------------------- */

static unsigned actor_may(const struct crm *crm, const struct crm_actor *a)
{
    const char *role;
    switch (a->kind) {
    case CRM_BY_SYSTEM:
        return MAY_SYSTEM;
    case CRM_BY_RULE:
        return MAY_RULE;
    case CRM_BY_OPERATOR:
        return MAY_ADMIN;
    case CRM_BY_CONTACT:
        return MAY_CONTACT;
    case CRM_BY_USER:
        break;
    }
    role = json_get_str(crm_user(crm, a->name), "role", "");
    return !strcmp(role, "admin")     ? MAY_ADMIN
           : !strcmp(role, "manager") ? MAY_MANAGER
           : !strcmp(role, "rep")     ? MAY_REP
                                      : 0;
}

static int command_permit(const struct crm *crm, const struct cmd_row *row,
                          const struct crm_actor *a, struct err *e)
{
    if (row->who & actor_may(crm, a))
        return 0;
    return err_set(e, ERR_INPUT, "%s %s may not use %s", crm_actor_kind_name(a->kind), a->name,
                   row->name);
}

bool crm_command_allowed(const struct crm *crm, const char *line, const struct crm_actor *actor)
{
    char word[32];
    line += strspn(line, " \t#");
    size_t n = strcspn(line, " \t\r\n");
    if (n >= sizeof(word))
        return false;
    snprintf(word, sizeof(word), "%.*s", (int)n, line);
    const struct cmd_row *row = command_find(word, NULL);
    return row && command_permit(crm, row, actor, NULL) == 0;
}

/* ---- running ------------------------------------------------------------------- */

/* Undo brings deleted records back; nothing else touches them. */
static int target_check(struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    for (int k = CRM_NONE + 1; k < CRM_ENTITY_COUNT; k++) {
        int64_t id = crm_target_id(t, (enum crm_entity)k);
        if (id && (k == (int)t->main || (k == CRM_LEAD && t->main == CRM_NONE)) &&
            !crm_record(ctx, (enum crm_entity)k, id, e))
            return -1;
    }
    return 0;
}

int crm_command_run(struct crm_ctx *ctx, const struct crm_target *target, const char *line,
                    const struct crm_actor *actor, struct crm_result *out, struct err *e)
{
    struct cmd c;
    struct crm_result result = {.target = *target};
    struct err why = {0};
    if (ctx->in_op)
        return err_set(e, ERR_BUG, "a command inside a command");
    int rc = cmd_parse(&c, ctx->crm, line, ctx->now_ms, actor->kind == CRM_BY_RULE, &why);
    if (rc == 0)
        rc = command_permit(ctx->crm, c.row, actor, &why);
    /* a rule's line stands in its file, and names nobody's values */
    bool sealed = (!c.row || c.row->words != WORDS_OPEN) && actor->kind != CRM_BY_RULE;
    crm_op_begin(ctx, line, sealed, actor);
    if (rc == 0 && c.row != &crm_cmd_undo)
        rc = target_check(ctx, target, &why);
    if (rc == 0)
        rc = cmd_fill(&c, ctx, target, &why);
    if (rc == 0)
        rc = c.row->run(&c, ctx, &result.target, &result, &why);
    if (rc == 0 && crm_actor_is_human(actor) && ctx->log_count > ctx->op_first)
        rc = crm_touch(ctx, &result.target, &why);
    if (rc < 0 && c.filled && why.cls == ERR_INPUT) /* its words are somebody's values */
        err_set(&why, ERR_INPUT, "%s: what the fields hold now does not fit here", c.row->name);
    if (rc < 0)
        crm_op_failed(ctx, &why);
    else
        rc = crm_op_end(ctx, sealed ? NULL : result.text, &why);
    cmd_done(&c);
    if (rc < 0)
        return err_set(e, why.cls, "%s", why.text);
    if (out)
        *out = result;
    return 0;
}
