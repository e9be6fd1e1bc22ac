/* SPDX-License-Identifier: ISC
 *
 * cmd_notify - notify WHO[, WHO ..] [by email] [using TEMPLATE]: tell people of ours
 *
 * WHO is owner, manager, team NAME, role NAME, a user or an address. Everybody gets
 * one mail, however often the line names him. A notice never goes to a lead or
 * customer: an address that belongs to a contact is refused.
 */
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/cmd.h"
#include "crm/templates.h"
#include "store/contact.h"

/* ---- parsing ---------------------------------------------------------------- */

/* The next word; a comma ends a word and is one by itself. NULL: none is left. */
static char *notify_token(struct cmd *c)
{
    const char *p = grammar_peek(&c->g);
    size_t n = *p == ',' ? 1 : strcspn(p, " \t\r\n,");
    grammar_skip(&c->g, (int)n);
    return n ? mem_strn(p, n) : NULL;
}

static bool notify_comma(struct cmd *c)
{
    bool comma = *grammar_peek(&c->g) == ',';
    grammar_skip(&c->g, comma);
    return comma;
}

static int who_add(struct cmd *c, const char *kind, const char *name)
{
    json_array_append_new(c->who, json_pack("{s:s, s:s}", "kind", kind, "name", name));
    return 0;
}

static int who_named(struct cmd *c, const char *kind, const json_t *among, struct err *e)
{
    AUTO_FREE char *name = notify_token(c);
    if (!name || *name == ',')
        return err_set(e, ERR_INPUT, "notify: %s needs its name, such as %s sales", kind, kind);
    return cmd_known(among, kind, name, e) < 0 ? -1 : who_add(c, kind, name);
}

static int who_role(struct cmd *c, struct err *e)
{
    static const char *const roles[] = {"admin", "manager", "rep", NULL};
    AUTO_FREE char *name = notify_token(c);
    if (!name || *name == ',')
        return err_set(e, ERR_INPUT, "notify: role needs its name, such as role manager");
    return cmd_choice(roles, "role", name, e) < 0 ? -1 : who_add(c, "role", name);
}

static int who_parse(struct cmd *c, struct err *e)
{
    char folded[CRM_ADDRESS_MAX];
    AUTO_FREE char *w = notify_token(c);
    if (!w || *w == ',')
        return err_set(e, ERR_INPUT, "notify: whom? notify %s", c->row->grammar);
    if (!strcasecmp(w, "owner") || !strcasecmp(w, "manager"))
        return who_add(c, strcasecmp(w, "owner") ? "manager" : "owner", "");
    if (!strcasecmp(w, "team"))
        return who_named(c, "team", c->crm->teams, e);
    if (!strcasecmp(w, "role"))
        return who_role(c, e);
    if (strchr(w, '@')) {
        if (crm_email_fold(w, folded) < 0)
            return err_set(e, ERR_INPUT, "notify: '%s' is no address", w);
        return who_add(c, "address", folded);
    }
    if (!strcasecmp(w, "by") || !strcasecmp(w, "using"))
        return err_set(e, ERR_INPUT, "notify: whom? notify %s", c->row->grammar);
    static const char *const words[] = {"owner", "manager", "team", "role", NULL};
    return cmd_user_or(c->crm, words, w, e) < 0 ? -1 : who_add(c, "user", w);
}

static int by_parse(struct cmd *c, struct err *e)
{
    static const char *const channels[] = {"email", "sms", NULL};
    do {
        AUTO_FREE char *w = notify_token(c);
        if (!w || *w == ',')
            return err_set(e, ERR_INPUT, "notify: by what? by email, or by sms");
        if (cmd_choice(channels, "channel", w, e) < 0)
            return -1;
        if (!strcmp(w, "sms"))
            c->sms = true;
        else
            c->email = true;
    } while (notify_comma(c));
    return 0;
}

static int using_parse(struct cmd *c, struct err *e)
{
    if (c->sms && !c->email)
        return cmd_sms_template(c, e);
    return cmd_word(c, "a template", e) < 0 ? -1 : crm_template_check(c->crm, "notify", c->name, e);
}

static int notify_parse_all(struct cmd *c, struct err *e)
{
    c->who = json_array();
    do {
        if (who_parse(c, e) < 0)
            return -1;
        if (json_array_size(c->who) > BOUND_NOTIFY_WHO)
            return err_set(e, ERR_INPUT, "notify: more than %d recipients", BOUND_NOTIFY_WHO);
    } while (notify_comma(c));
    for (int part = 0; part < 2 && !grammar_at_end(&c->g); part++) {
        AUTO_FREE char *w = notify_token(c);
        if (part == 0 && !strcasecmp(w, "by")) {
            if (by_parse(c, e) < 0)
                return -1;
        } else if (!strcasecmp(w, "using")) {
            return using_parse(c, e) < 0 ? -1 : cmd_end(c, e);
        } else {
            return err_set(e, ERR_INPUT,
                           "notify: '%s' is not expected here; a comma between "
                           "recipients, by email, by sms, or using TEMPLATE",
                           w);
        }
    }
    return cmd_end(c, e);
}

static int notify_parse(struct cmd *c, struct err *e)
{
    if (notify_parse_all(c, e) < 0)
        return -1;
    if (!c->sms)
        c->email = true;
    else if (json_object_size(json_object_get(c->crm->config, "gateways")) == 0)
        return err_set(e, ERR_INPUT, "notify: there are no gateways for SMS in leadd.conf");
    return 0;
}

/* ---- who it is ----------------------------------------------------------------- */

const char *crm_manager_of(const struct crm *crm, const char *user)
{
    const json_t *u = crm_user(crm, user);
    const json_t *team = json_get_obj(crm->teams, json_get_str(u, "team", ""));
    const char *of_user = json_get_str(u, "manager", NULL),
               *of_team = json_get_str(team, "manager", NULL);
    if (of_user && crm_user(crm, of_user))
        return of_user;
    return of_team && strcmp(of_team, user) && crm_user(crm, of_team) ? of_team : NULL;
}

const char *crm_owner_of(struct crm_ctx *ctx, const struct crm_target *t, struct err *e)
{
    static const enum crm_entity order[] = {CRM_LEAD, CRM_CASE, CRM_DEAL, CRM_TASK};
    const char *owner = NULL;
    int64_t id = crm_target_id(t, t->main);
    if (id && (t->main == CRM_CASE || t->main == CRM_DEAL || t->main == CRM_TASK))
        owner = json_get_str(crm_record(ctx, t->main, id, e), "owner", NULL);
    for (size_t i = 0; i < ARRAY_LEN(order) && !owner; i++) {
        id = crm_target_id(t, order[i]);
        if (id)
            owner = json_get_str(crm_record(ctx, order[i], id, e), "owner", NULL);
    }
    if (!owner && e->cls == ERR_NONE)
        err_set(e, ERR_INPUT, "there is no owner here");
    return owner;
}

/* Who has no manager: those who are managers, else the administrators; the head of all
 * is told himself. A notice that was to go up must not get lost at the top. */
static void who_above(const struct crm *crm, const char *owner, json_t *to)
{
    static const char *const roles[] = {"manager", "admin"};
    const char *user, *manager = crm_manager_of(crm, owner);
    const json_t *u;
    bool any = manager != NULL;
    if (manager)
        json_put_bool(to, manager, true);
    for (size_t i = 0; !any && i < ARRAY_LEN(roles); i++)
        json_object_foreach((json_t *)crm->users, user, u) {
            if (strcmp(json_get_str(u, "role", ""), roles[i]) || !strcmp(user, owner))
                continue;
            json_put_bool(to, user, true);
            any = true;
        }
    if (!any)
        json_put_bool(to, owner, true);
}

/* name -> true of users, address -> false of others. Why nobody is meant is in why. */
static int who_resolve(struct crm_ctx *ctx, const struct crm_target *t, const json_t *who,
                       json_t *to, struct err *why)
{
    const char *kind = json_get_str(who, "kind", ""), *name = json_get_str(who, "name", ""), *user;
    const json_t *u;
    if (!strcmp(kind, "user")) {
        json_put_bool(to, name, true);
    } else if (!strcmp(kind, "address")) {
        user = crm_user_by_address(ctx->crm, "email", name);
        json_put_bool(to, user ? user : name, user != NULL);
    } else if (!strcmp(kind, "owner") || !strcmp(kind, "manager")) {
        const char *owner = crm_owner_of(ctx, t, why);
        if (!owner)
            return why->cls == ERR_INPUT ? 0 : -1;
        if (strcmp(kind, "owner"))
            who_above(ctx->crm, owner, to);
        else
            json_put_bool(to, owner, true);
    } else {
        json_object_foreach((json_t *)ctx->crm->users, user,
                            u) if (!strcmp(json_get_str(u, kind, ""), name))
            json_put_bool(to, user, true);
    }
    return 0;
}

/* ---- running ------------------------------------------------------------------- */

static int contacts_own(struct crm_ctx *ctx, const char *address, struct err *e)
{
    struct err gone = {0};
    AUTO_JSON json_t *row = NULL;
    if (address_get(ctx->crm->db, "email", address, &row, e) < 0)
        return -1;
    int64_t contact = json_get_int(row, "contact_id", 0);
    if (!contact)
        return 0;
    if (!crm_record(ctx, CRM_CONTACT, contact, &gone)) {
        if (gone.cls == ERR_INPUT)
            return 0; /* was deleted */
        *e = gone;
        return -1;
    }
    return err_set(e, ERR_INPUT,
                   "the address is that of %s: notices go to people of ours, send is "
                   "for customers",
                   cmd_id(ctx, CRM_CONTACT, contact));
}

static int notify_one(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t,
                      const char *name, bool is_user, bool sms, struct err *e)
{
    const json_t *u = is_user ? crm_user(ctx->crm, name) : NULL;
    struct crm_send s = {.template_name = c->name,
                         .to = is_user ? json_get_str(u, "email", NULL) : name,
                         .to_name = json_get_str(u, "name", NULL),
                         .to_user = is_user ? name : NULL,
                         .notice = true,
                         .target = *t,
                         .actor = ctx->op_actor};
    int64_t outbox = 0;
    if (sms) {
        s.sms = true;
        s.to = json_get_str(u, "phone", NULL);
    }
    if (!s.to)
        return err_set(e, ERR_INPUT, "%s is no user with %s", is_user ? name : "the address",
                       sms ? "a phone number" : "an email address");
    if (!is_user && contacts_own(ctx, name, e) < 0)
        return -1;
    if (ctx->hooks.send(ctx->hooks.arg, ctx, &s, &outbox, e) < 0)
        return -1;
    if (outbox) /* else it is told with others, in one mail */
        json_array_append_new(json_object_get(ctx->op, "changes"),
                              json_pack("{s:s, s:I}", "e", "outbox", "id", outbox));
    return 0;
}

/* By each channel that was asked for. -1: the store failed; what else was wrong is in e. */
static int notify_by(struct cmd *c, struct crm_ctx *ctx, const struct crm_target *t,
                     const char *name, bool is_user, bool *any_out, struct err *e)
{
    for (int sms = 0; sms < 2; sms++) {
        struct err one = {0};
        if (!(sms ? c->sms : c->email))
            continue;
        if (notify_one(c, ctx, t, name, is_user, sms, &one) == 0) {
            *any_out = true;
            continue;
        }
        *e = one;
        if (one.cls != ERR_INPUT)
            return -1;
    }
    return 0;
}

static int notify_run(struct cmd *c, struct crm_ctx *ctx, struct crm_target *t,
                      struct crm_result *out, struct err *e)
{
    AUTO_JSON json_t *to = json_object();
    struct buf told AUTO_BUF;
    struct err why = {0};
    const char *name;
    json_t *v;
    size_t i;
    buf_init(&told, sizeof(out->text));
    if (!ctx->hooks.send)
        return err_set(e, ERR_INPUT, "nothing can be sent from here");
    json_array_foreach(c->who, i, v) if (who_resolve(ctx, t, v, to, &why) < 0)
    {
        *e = why;
        return -1;
    }
    json_object_foreach(to, name, v)
    {
        struct err one = {0};
        bool any = false;
        if (notify_by(c, ctx, t, name, json_is_true(v), &any, &one) < 0) {
            *e = one;
            return -1;
        }
        if (any)
            buf_printf(&told, "%s%s", told.len ? ", " : "", json_is_true(v) ? name : "an address");
        if (one.cls != ERR_NONE)
            why = one;
    }
    if (told.len == 0) {
        if (why.cls == ERR_NONE)
            err_set(&why, ERR_INPUT, "nobody is meant: no user is in it");
        return err_set(e, ERR_INPUT, "notify: %s", why.text);
    }
    cmd_say(out, "%s: told%s%s", told.data, why.cls ? "; not all: " : "", why.text);
    return 0;
}

const struct cmd_row crm_cmd_notify = {
    "notify",
    "owner | manager | team NAME | role NAME | USER | ADDRESS [, ...] [by email | sms | email, sms] "
    "[using TEMPLATE]",
    MAY_RULE | MAY_STAFF,
    WORDS_SEALED,
    notify_parse,
    notify_run,
    "takes the mails back while they have not left",
    "tell people of ours; everybody gets one mail or SMS, made from the template, or from what is known "
    "of "
    "the record",
    "notify owner, manager"};
