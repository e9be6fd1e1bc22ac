/* SPDX-License-Identifier: ISC
 *
 * optout - see optout.h
 */
#include "engine/optout.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/command.h"
#include "crm/optout_words.h"
#include "crm/sms_words.h"
#include "engine/inbound_user.h"
#include "engine/input.h"
#include "engine/ours.h"
#include "store/outbox.h"

#define HTML_GROWS 6 /* &quot; for a quote */

/* ---- written ---------------------------------------------------------------------------- */

/* As RFC 6068 wants it; "+" may stand. */
static void mailto_part(struct buf *b, const char *s)
{
    for (; *s; s++)
        if (isalnum((unsigned char)*s) || strchr("@+-._~=", *s))
            buf_char(b, *s);
        else
            buf_printf(b, "%%%02X", (unsigned char)*s);
}

static char *optout_mailto(const struct engine *eng, const struct ours *o, const char *name)
{
    struct buf b AUTO_BUF;
    AUTO_FREE char *address = ours_address(eng, o);
    buf_init(&b, 1024);
    buf_str(&b, "mailto:");
    mailto_part(&b, address ? address : engine_setting(eng, "address", ""));
    buf_str(&b, "?subject=unsubscribe");
    if (!address) /* reply_address = "none": the subject alone carries it */
        buf_printf(&b, "%%20%s", name);
    return mem_str(b.data);
}

void optout_make(const struct engine *eng, int64_t outbox, const char *list, struct optout *out)
{
    struct ours o = {.kind = OURS_OPTOUT, .id = outbox};
    char name[OURS_NAME_MAX];
    const char *base = json_get_str(json_get_obj(eng->role->config, "web"), "in_url", NULL),
               *at = strrchr(engine_setting(eng, "address", "@localhost"), '@');
    size_t n = base ? strlen(base) : 0;
    ours_name(eng, &o, name);
    AUTO_FREE char *mailto = optout_mailto(eng, &o, name);
    char *page = base ? mem_printf("%.*s/u/%s", (int)(n && base[n - 1] == '/' ? n - 1 : n), base, name)
                      : NULL;
    *out = (struct optout){
        .ends = page ? mem_printf("<%s>, <%s>", page, mailto) : mem_printf("<%s>", mailto),
        .url = page ? page : mem_str(mailto),
        .list_id = list ? mem_printf("<%s.%s>", list,
                                     engine_setting(eng, "domain", at ? at + 1 : "localhost"))
                        : NULL,
        .one_click = page && strncasecmp(page, "https://", 8) == 0,
    };
}

void optout_done(struct optout *o)
{
    mem_free(o->url);
    mem_free(o->ends);
    mem_free(o->list_id);
    *o = (struct optout){0};
}

size_t optout_headers(const struct optout *o, struct mail_header out[OPTOUT_HEADERS])
{
    size_t n = 0;
    if (!o->ends)
        return 0;
    out[n++] = (struct mail_header){"List-Unsubscribe", o->ends};
    if (o->one_click)
        out[n++] = (struct mail_header){"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"};
    if (o->list_id)
        out[n++] = (struct mail_header){"List-Id", o->list_id};
    return n;
}

static char *foot_words(const struct engine *eng, const char *list, const char *language)
{
    const char *label = list ? json_get_str(crm_mail_list(eng->crm, list), "label", list) : NULL;
    return label ? optout_word_fill(language, OPTOUT_W_FOOT_LIST, label)
                 : mem_str(optout_word(language, OPTOUT_W_FOOT_ALL));
}

static void foot_html(const struct optout *o, const char *words, struct template_result *r)
{
    struct buf b AUTO_BUF;
    char *html = r->html;
    const char *end = strcasestr(html, "</body");
    size_t head = end ? (size_t)(end - html) : strlen(html);
    buf_init(&b, strlen(html) + HTML_GROWS * (strlen(words) + 2 * strlen(o->url)) + 64);
    buf_add(&b, html, head);
    buf_str(&b, "<p>");
    buf_html(&b, words);
    buf_str(&b, " <a href=\"");
    buf_html(&b, o->url);
    buf_str(&b, "\">");
    buf_html(&b, o->url);
    buf_str(&b, "</a></p>\n");
    buf_str(&b, html + head);
    r->html = mem_str(b.data);
    mem_free(html);
}

static void foot_text(const struct optout *o, const char *words, struct template_result *r)
{
    char *text = r->text;
    size_t n = strlen(text);
    r->text = mem_printf("%s%s\n%s\n%s\n", text, n && text[n - 1] == '\n' ? "" : "\n", words, o->url);
    mem_free(text);
}

/* Was there a place? */
static bool fill_places(char **text, const char *url)
{
    const char *p = *text, *at;
    size_t n = 0;
    for (at = strstr(p, OPTOUT_PLACE); at; at = strstr(at + 1, OPTOUT_PLACE))
        n++;
    if (n == 0)
        return false;
    struct buf b AUTO_BUF;
    buf_init(&b, strlen(p) + n * strlen(url) + 1); /* so that none is left as it was */
    while ((at = strstr(p, OPTOUT_PLACE)) != NULL) {
        buf_add(&b, p, (size_t)(at - p));
        buf_str(&b, url);
        p = at + strlen(OPTOUT_PLACE);
    }
    buf_str(&b, p);
    mem_free(*text);
    *text = mem_str(b.data);
    return true;
}

void optout_fill(const struct engine *eng, const struct optout *o, const char *list,
                 const char *language, struct template_result *r)
{
    AUTO_FREE char *words = foot_words(eng, list, language);
    if (!fill_places(&r->text, o->url) && list)
        foot_text(o, words, r);
    if (r->html && !fill_places(&r->html, o->url) && list)
        foot_html(o, words, r);
}

/* ---- asked for ---------------------------------------------------------------------------- */

int optout_withdraw(struct input *in, const struct crm_target *t, const char *address,
                    const char *list, const struct crm_consent *c, struct err *e)
{
    char id[CRM_ID_LEN];
    struct crm_actor actor = crm_system;
    if (t->contact)
        actor = (struct crm_actor){CRM_BY_CONTACT, crm_id_format(CRM_CONTACT, t->contact, id), NULL};
    /* a list that is no more cannot be left; its mail said that this ends it */
    bool known = list && crm_mail_list(in->eng->crm, list);
    AUTO_FREE char *line = mem_printf("optout %s%s%s %s", address, known ? " list:" : "",
                                      known ? list : "", c->source);
    struct crm_target target = *t;
    crm_consent_by(in->ctx, c);
    int rc = crm_command_run(in->ctx, &target, line, &actor, NULL, e);
    crm_consent_by(in->ctx, NULL);
    if (rc == 0)
        log_info("optout.said", "source=\"%s\" list=%s message=M%" PRId64, c->source,
                 known ? list : "-", c->message_id);
    return rc;
}

int optout_row(struct engine *eng, const char *name, json_t **row_out, struct err *e)
{
    struct ours o;
    struct err gone = {0};
    *row_out = NULL;
    if (!ours_find(eng, name, &o) || o.kind != OURS_OPTOUT)
        return 0;
    *row_out = outbox_get(eng->db, o.id, &gone);
    if (*row_out || gone.cls == ERR_INPUT)
        return 0;
    *e = gone;
    return -1;
}

static int find_token(struct engine *eng, const json_t *list, const char *key, json_t **row_out,
                      struct err *e)
{
    size_t i;
    json_t *v;
    struct ours o;
    json_array_foreach((json_t *)list, i, v) {
        const char *s = key ? json_get_str(v, key, NULL) : json_string_value(v);
        if (!*row_out && s && ours_read(eng, s, &o) && o.kind == OURS_OPTOUT &&
            optout_row(eng, s, row_out, e) < 0)
            return -1;
    }
    return 0;
}

/* Short words of STOP that answer many a question by mail. */
static bool is_ambiguous(const char *words)
{
    static const char *const all[] = {"cancel", "end", "quit", "revoke", "remove", "pare", "alto",
                                      "cancelar", "detener", "iptal", "peruuta", "avsluta", "avslutt"};
    struct buf b AUTO_BUF;
    buf_init(&b, 256);
    sms_words_fold(words, strlen(words), &b);
    for (size_t i = 0; b.data && i < ARRAY_LEN(all); i++)
        if (strcmp(b.data, all[i]) == 0)
            return true;
    return false;
}

static bool says_stop(const struct engine *eng, const char *words)
{
    struct sms_said said;
    if (!*words || strlen(words) > 120)
        return false;
    sms_said_read(words, engine_setting(eng, "company", NULL), NULL, &said);
    return said.word == SMS_WORD_STOP && !is_ambiguous(words);
}

/* The words alone, or an empty mail with that subject. */
static bool asks_in_words(const struct engine *eng, const json_t *message)
{
    AUTO_FREE char *reply = mem_str(json_get_str(message, "reply", ""));
    const char *words = text_trim(reply);
    if (strcmp(json_get_str(message, "kind", "person"), "person") != 0 || inbound_user(eng, message))
        return false;
    return says_stop(eng, *words ? words : json_get_str(message, "subject", ""));
}

int optout_read(struct engine *eng, const json_t *message, struct optout_asked *out, struct err *e)
{
    static const char *const machines[] = {"bounce", "report", "own", "receipt"};
    const char *kind = json_get_str(message, "kind", "person"), *list;
    char folded[CRM_ADDRESS_MAX];
    *out = (struct optout_asked){0};
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (strcmp(kind, machines[i]) == 0)
            return 0;
    if (find_token(eng, json_get_arr(message, "to"), "address", &out->row, e) < 0 ||
        find_token(eng, json_get_arr(message, "delivered_to"), NULL, &out->row, e) < 0 ||
        (!out->row && text_starts(json_get_str(message, "subject", ""), "unsubscribe ") &&
         optout_row(eng, json_get_str(message, "subject", ""), &out->row, e) < 0))
        return -1;
    if (out->row) {
        list = json_get_str(out->row, "list", NULL);
        out->address = mem_str(json_get_str(out->row, "to", ""));
        out->list = list ? mem_str(list) : NULL;
        out->asked = true;
    } else if (asks_in_words(eng, message) &&
               crm_email_fold(json_get_str(json_get_obj(message, "from"), "address", ""), folded) == 0) {
        out->address = mem_str(folded);
        out->asked = true;
    }
    return 0;
}

int optout_take(struct input *in, const struct optout_asked *a, int64_t message_id, struct err *e)
{
    struct err gone = {0};
    struct crm_target target = in->target;
    struct crm_consent c = {.source = a->row ? "mail to unsubscribe" : "mail that says so",
                            .words = json_get_str(in->message, a->row ? "subject" : "reply", NULL),
                            .message_id = message_id};
    if (a->row && outbound_target(in->ctx, a->row, &target, &gone) < 0 && gone.cls != ERR_INPUT) {
        *e = gone;
        return -1;
    }
    if (in->target.main == CRM_NONE && !in->target.contact)
        in->target = target; /* the journal tells it there */
    return optout_withdraw(in, &target, a->address, a->list, &c, e);
}

void optout_asked_done(struct optout_asked *a)
{
    mem_free(a->address);
    mem_free(a->list);
    json_decref(a->row);
    *a = (struct optout_asked){0};
}
