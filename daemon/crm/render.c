/* SPDX-License-Identifier: ISC
 *
 * render - fields put into texts: templates of mails, and the words of a rule's
 * command (note asked about {{lead.subject}})
 *
 * What a rule says is checked when its file is loaded; what people write is never
 * looked at for fields, or anybody could ask for anybody's values.
 */
#include "crm/render.h"

#include <string.h>

#include "base/bounds.h"
#include "base/errlist.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/ctx.h"
#include "crm/facts.h"
#include "crm/fields.h"
#include "crm/language.h"
#include "crm/notice_words.h"
#include "crm/task.h"
#include "crm/templates.h"
#include "crm/when.h"
#include "mail/ctx.h"
#include "mail/html.h"
#include "rule/template.h"

struct render {
    struct crm_view view;
    struct buf text;
    const char *language;  /* of times and amounts; NULL: as leadctl has them */
    const struct template *signature; /* or NULL */
};

static int render_run(const struct template *t, struct render *r, struct template_result *out,
                      struct err *e);

static void render_value(struct render *r, const struct crm_field *f, const struct rule_value *val)
{
    char text[64];
    switch (f->type) {
    case RULE_TYPE_TEXT:
        buf_add(&r->text, val->text.p, val->text.n);
        break;
    case RULE_TYPE_INT:
        buf_printf(&r->text, "%lld", (long long)val->num);
        break;
    case RULE_TYPE_MONEY:
        if (r->language)
            crm_language_money(r->view.ctx->crm, r->language, val->num, val->currency, &r->text);
        else
            rule_money_print(val->num, val->currency, &r->text);
        break;
    case RULE_TYPE_BOOL:
        buf_str(&r->text, val->num ? "yes" : "no");
        break;
    case RULE_TYPE_TIME:
        if (r->language)
            crm_language_time(r->view.ctx->crm, r->language, val->num, &r->text);
        else
            buf_str(&r->text, crm_when_print(r->view.ctx->crm->zone, val->num, text, sizeof(text)));
        break;
    case RULE_TYPE_DURATION:
        buf_str(&r->text, text_format_duration(val->num, text, sizeof(text)));
        break;
    case RULE_TYPE_LIST:
        for (size_t i = 0; i < val->count; i++) {
            buf_str(&r->text, i ? ", " : "");
            buf_add(&r->text, val->items[i].p, val->items[i].n);
        }
        break;
    }
}

/* One line each, as in the text. */
static void html_lines(const char *text, struct buf *out)
{
    for (; *text; text++) {
        const char *as = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;"
                         : *text == '\n' ? "<br>\n" : NULL;
        if (as)
            buf_str(out, as);
        else
            buf_char(out, *text);
    }
}

static void render_signature(struct render *r, bool html, struct template_value *out)
{
    struct render inner = {.view = r->view, .language = r->language};
    struct template_result got;
    struct err e;
    if (!r->signature || render_run(r->signature, &inner, &got, &e) < 0)
        return;
    buf_reset(&r->text);
    if (html && got.html)
        buf_str(&r->text, got.html);
    else if (html)
        html_lines(got.text, &r->text);
    else
        buf_str(&r->text, got.text);
    template_result_done(&got);
    out->set = true;
    out->text = (struct str){r->text.data, r->text.len};
}

/* Whoever is given nobody's records at the end of the input. */
static void render_owner(const struct render *r, const struct crm_field *f, struct rule_value *val)
{
    const struct crm *crm = r->view.ctx->crm;
    const struct crm_field *id = crm_fieldset_find(crm->fieldset, "owner.id", NULL);
    const char *user = crm_setting(crm, "default_owner", NULL);
    struct rule_value has = {0};
    id->read(&r->view, id, &has);
    if (has.state == RULE_VALUE_SET)
        return;
    const char *s = !user || (!r->view.target.lead && !r->view.target.kase) ? NULL
                    : strcmp(f->key, "id") == 0 ? user
                                                : json_get_str(crm_user(crm, user), f->key, NULL);
    if (s && *s)
        *val = (struct rule_value){.state = RULE_VALUE_SET, .text = {s, strlen(s)}};
}

static void render_get(void *arg, int field, int item, struct template_value *out)
{
    struct render *r = arg;
    if (field == TEMPLATE_SIGNATURE) {
        render_signature(r, item == 1, out);
        return;
    }
    const struct crm_field *f = crm_fieldset_get(r->view.ctx->crm->fieldset, field);
    struct rule_value val = {0};
    if (!f)
        return;
    f->read(&r->view, f, &val);
    if (val.state != RULE_VALUE_SET && f->read == crm_read_owner)
        render_owner(r, f, &val);
    if (val.state != RULE_VALUE_SET || (f->type == RULE_TYPE_BOOL && !val.num))
        return;
    out->set = true;
    out->count = val.count;
    buf_reset(&r->text);
    if (item < 0)
        render_value(r, f, &val);
    else if ((size_t)item < val.count)
        buf_add(&r->text, val.items[item].p, val.items[item].n);
    out->text = (struct str){r->text.data, r->text.len};
}

/* In the words of a rule, actor is who caused what it runs at. */
static const struct crm_actor *words_actor(const struct crm_ctx *ctx, const struct crm_actor *actor)
{
    return actor && actor->kind == CRM_BY_RULE && ctx->cause.name ? &ctx->cause : actor;
}

/* Of a template without words of its own for the text: those of the HTML. */
static void render_text(struct template_result *out)
{
    struct mail_limits lim;
    struct mail_ctx c;
    struct buf text AUTO_BUF;
    buf_init(&text, BOUND_TEMPLATE_OUTPUT);
    mail_limits_default(&lim);
    mail_ctx_init(&c, &lim);
    mail_html_to_text(&c, &text, out->html, strlen(out->html), false);
    mail_ctx_done(&c);
    out->text = mem_str(text.data);
    if (!out->empty && !out->text[strspn(out->text, " \t\n")])
        out->empty = "text";
}

static int render_run(const struct template *t, struct render *r, struct template_result *out,
                      struct err *e)
{
    buf_init(&r->text, BOUND_TEMPLATE_OUTPUT);
    int rc = template_render(t, render_get, r, out, e);
    buf_done(&r->text);
    if (rc == 0 && !out->text)
        render_text(out);
    return rc;
}

const char *crm_reads(struct crm_ctx *ctx, int64_t contact)
{
    struct err e;
    char code[CRM_LANGUAGE_MAX];
    const json_t *rec = contact && ctx->crm->multilingual ? crm_record(ctx, CRM_CONTACT, contact, &e)
                                                          : NULL;
    const char *said = json_get_str(rec, "language", NULL);
    return said && crm_language_code(ctx->crm, said, code) == 0 ? crm_keep_str(ctx, code) : NULL;
}

int crm_render(struct crm_ctx *ctx, const struct crm_target *t, const struct crm_rendering *how,
               struct template_result *out, struct err *e)
{
    const struct template *tpl = crm_template_in(ctx->crm, how->name, how->language);
    if (!tpl)
        return err_set(e, ERR_INPUT, "no template %s", how->name);
    struct render r = {.view = {ctx, *t, VIEW_NOW, words_actor(ctx, how->actor)},
                       .language = crm_template_language(ctx->crm, tpl, how->language),
                       .signature = crm_signature(ctx->crm, how->signed_by, how->language)};
    return render_run(tpl, &r, out, e);
}

/* ---- a notice without a template ----------------------------------------------- */

/* The same for an SMS: who, what, and where to call back. */
#define SMS_CONTACT "{{#contact.name}}, {{contact.name}}{{/contact.name}}{{#contact.phone}} "      \
    "{{contact.phone}}{{/contact.phone}}"
static const char sms_of_lead[] =
    "Subject: SMS\n\n{{actor}}: {{lead.id}} {{lead.subject}}" SMS_CONTACT;
static const char sms_of_case[] =
    "Subject: SMS\n\n{{actor}}: {{case.id}} {{case.subject}}" SMS_CONTACT;
static const char sms_of_contact[] = "Subject: SMS\n\n{{actor}}: {{contact.id}}" SMS_CONTACT;

static int notice_render(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                         const struct crm_actor *actor, struct template_result *out, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    struct template *tpl = template_compile(
        "notice", text, "notice", crm_fieldset_rules(ctx->crm->fieldset), NULL, NULL, &errors);
    if (!tpl)
        return err_set(e, ERR_BUG, "notice: %s", errors.count ? errors.v[0].text : "?");
    struct render r = {.view = {ctx, *t, VIEW_NOW, actor}};
    int rc = render_run(tpl, &r, out, e);
    template_free(&tpl);
    return rc;
}

static const char *notice_of(const struct crm_target *t, const char *kase, const char *lead,
                             const char *contact)
{
    bool is_case = t->kase && (t->main == CRM_CASE || !t->lead);
    return is_case ? kase : t->lead ? lead : contact;
}

/* Of a task: which one, before all that is told of its record. */
static int notice_task(struct crm_ctx *ctx, const struct crm_target *t, struct template_result *out,
                       struct err *e)
{
    char when[40];
    const json_t *task = crm_record(ctx, CRM_TASK, t->task, e);
    if (!task)
        return -1;
    const char *title = json_get_str(task, "title", ""), *owner = json_get_str(task, "owner", NULL);
    int64_t due = json_get_int(task, "due_ms", 0);
    AUTO_FREE char *told = out->text;
    out->text = mem_printf("%s %.*s%s%s%s%s\n\n%s", cmd_id(ctx, CRM_TASK, t->task),
                           (int)text_utf8_cut(title, strlen(title), 200), title, due ? ", due " : "",
                           due ? crm_when_print(crm_task_zone(ctx, owner), due, when, sizeof(when)) : "",
                           owner ? ", " : "", owner ? owner : "", told);
    return 0;
}

int crm_render_notice(struct crm_ctx *ctx, const struct crm_target *t,
                      const struct crm_actor *actor, struct template_result *out, struct err *e)
{
    const char *name = notice_of(t, "case", "lead", "contact");
    struct render r = {.view = {ctx, *t, VIEW_NOW, actor}};
    int rc = -1;
    for (int shipped = 0; shipped < 2 && rc < 0; shipped++) {
        struct template *tpl = crm_notice_of_record(ctx->crm, name, shipped, e);
        rc = tpl ? crm_notice_whole(tpl, render_run(tpl, &r, out, e), out, e) : -1;
        template_free(&tpl);
    }
    return rc == 0 && t->main == CRM_TASK && t->task ? notice_task(ctx, t, out, e) : rc;
}

int crm_render_notice_short(struct crm_ctx *ctx, const struct crm_target *t,
                            const struct crm_actor *actor, struct template_result *out,
                            struct err *e)
{
    return notice_render(ctx, t, notice_of(t, sms_of_case, sms_of_lead, sms_of_contact), actor, out,
                         e);
}

/* ---- the words of a rule's command ------------------------------------------- */

bool crm_has_fields(const char *text)
{
    return text && strstr(text, "{{") != NULL;
}

/* As a template with a subject that nobody reads. */
static struct template *words_compile(const struct crm *crm, const char *text, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, 1);
    AUTO_FREE char *whole = mem_printf("Subject: words\n\n%s", text);
    struct template *t = template_compile("words", whole, "", crm_fieldset_rules(crm->fieldset),
                                          NULL, NULL, &errors);
    if (!t)
        err_set(e, ERR_INPUT, "%s", errors.count ? errors.v[0].text : "the text cannot be read");
    return t;
}

int crm_words_check(const struct crm *crm, const char *text, struct err *e)
{
    struct template *t = words_compile(crm, text, e);
    bool ok = t != NULL;
    template_free(&t);
    return ok ? 0 : -1;
}

char *crm_words(struct crm_ctx *ctx, const struct crm_target *t, const char *text,
                const struct crm_actor *actor, struct err *e)
{
    struct render r = {.view = {ctx, *t, VIEW_NOW, words_actor(ctx, actor)}};
    struct template_result result;
    struct template *tpl = words_compile(ctx->crm, text, e);
    if (!tpl)
        return NULL;
    int rc = render_run(tpl, &r, &result, e);
    template_free(&tpl);
    if (rc < 0)
        return NULL;
    AUTO_FREE char *all =
        mem_strn(result.text, text_utf8_cut(result.text, strlen(result.text), BOUND_COMMAND_WORDS));
    template_result_done(&result);
    return mem_str(text_trim(all));
}
