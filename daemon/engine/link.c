/* SPDX-License-Identifier: ISC
 *
 * link - see link.h
 */
#include "engine/link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "crm/command.h"
#include "engine/ctl.h"
#include "store/record.h"

#define LINK_HOURS (7 * 24)

/* Of which records it is offered, and what it runs; %s is the user. */
static const struct action {
    const char *name, *label, *line, *question;
    enum crm_entity of;
    bool others; /* only for who does not own it */
} actions[] = {
    {"take", "Take it", "assign %s", "Make it yours?", CRM_LEAD, true},
    {"take-case", "Take it", "assign %s", "Make it yours?", CRM_CASE, true},
    {"lost", "Nothing will come of it", "lost", "Close it as lost?", CRM_LEAD, false},
    {"close", "Close it", "close", "Close it?", CRM_CASE, false},
    {"done", "Done", "done", "Is it done?", CRM_TASK, false},
};

struct link {
    const struct action *action;
    char record[CRM_ID_LEN], user[64];
    int64_t hour; /* the last one */
};

/* "take/L42/anna/493912", which the token is over. */
static char *link_text(const struct link *l)
{
    return mem_printf("%s/%s/%s/%" PRId64, l->action->name, l->record, l->user, l->hour);
}

static char *link_line(const struct link *l)
{
    return mem_printf(l->action->others ? "assign %s" : "%s",
                      l->action->others ? l->user : l->action->line);
}

/* ---- made --------------------------------------------------------------------------- */

static void link_add(struct engine *eng, const char *url, const struct link *l, struct buf *out)
{
    char token[HASH_TOKEN_LEN];
    size_t n = strlen(url);
    AUTO_FREE char *text = link_text(l);
    hash_token(eng->key, sizeof(eng->key), "link", text, token);
    buf_printf(out, "%s:\n  %.*s/do/%s/%s\n", l->action->label,
               (int)(n && url[n - 1] == '/' ? n - 1 : n), url, text, token);
}

static const struct record_table *link_table(enum crm_entity t)
{
    return t == CRM_LEAD ? &lead_table : t == CRM_CASE ? &case_table : &task_table;
}

static int64_t link_record(const struct crm_target *t, enum crm_entity of)
{
    return of == CRM_LEAD ? t->lead : of == CRM_CASE ? t->kase : t->task;
}

int link_lines(struct engine *eng, const char *user, const struct crm_target *t, struct buf *out,
               struct err *e)
{
    const char *url = json_get_str(json_get_obj(eng->role->config, "web"), "url", NULL);
    struct crm_actor actor = {CRM_BY_USER, user, NULL};
    if (!url || !user || strlen(user) >= sizeof(((struct link *)0)->user))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        struct link l = {.action = &actions[i], .hour = clock_now_ms() / HOUR_MS + LINK_HOURS};
        int64_t id = link_record(t, actions[i].of);
        if (!id || (t->main != actions[i].of && t->main != CRM_NONE))
            continue;
        json_t *found;
        if (record_get(eng->db, link_table(actions[i].of), id, &found, e) < 0)
            return -1;
        AUTO_JSON json_t *rec = found;
        crm_id_format(actions[i].of, id, l.record);
        snprintf(l.user, sizeof(l.user), "%s", user);
        AUTO_FREE char *line = link_line(&l);
        if ((actions[i].others && strcmp(json_get_str(rec, "owner", ""), user) == 0) ||
            !crm_command_allowed(eng->crm, line, &actor))
            continue;
        if (out->len && out->data[out->len - 1] != '\n')
            buf_char(out, '\n');
        link_add(eng, url, &l, out);
    }
    return 0;
}

/* ---- read ----------------------------------------------------------------------------- */

/* The next part of a path, without its slash; false when it is missing or too long. */
static bool link_part(const char **p, char *out, size_t n)
{
    size_t len = strcspn(*p, "/");
    if (len == 0 || len >= n)
        return false;
    memcpy(out, *p, len);
    out[len] = '\0';
    *p += len + ((*p)[len] == '/');
    return true;
}

/* False: nobody here made it. */
static bool link_read(const struct engine *eng, const char *path, struct link *l)
{
    char name[16], hour[24], given[HASH_TOKEN_LEN + 1], token[HASH_TOKEN_LEN];
    const char *p = path;
    *l = (struct link){.action = NULL};
    if (strlen(path) > BOUND_LINKS_DO || !link_part(&p, name, sizeof(name)) ||
        !link_part(&p, l->record, sizeof(l->record)) || !link_part(&p, l->user, sizeof(l->user)) ||
        !link_part(&p, hour, sizeof(hour)) || !link_part(&p, given, sizeof(given)) || *p ||
        text_parse_int(hour, &l->hour) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            l->action = &actions[i];
    if (!l->action)
        return false;
    AUTO_FREE char *text = link_text(l);
    hash_token(eng->key, sizeof(eng->key), "link", text, token);
    return text_equal_ct(token, given);
}

static void link_answer(struct engine *eng, const struct item *it, int code, const char *title,
                        const char *text, const char *button)
{
    engine_answer(eng, it->peer, FRAME_LINK_DONE, it->frame.id,
                  json_pack("{s:i, s:s, s:s, s:s?}", "code", code, "title", title, "text", text,
                            "button", button));
}

/* "L42: 40 widgets, Ada Lovelace"; NULL in *out: it is gone. */
static int link_about(struct engine *eng, const struct link *l, char **out, struct err *e)
{
    enum crm_entity t;
    int64_t id;
    json_t *rec, *of = NULL;
    *out = NULL;
    if (crm_id_parse(l->record, &t, &id) < 0 || t != l->action->of)
        return 0;
    if (record_get(eng->db, link_table(t), id, &rec, e) < 0)
        return -1;
    AUTO_JSON json_t *record = rec;
    int64_t who = json_get_int(record, "contact_id", 0);
    if (who && record_get(eng->db, &contact_table, who, &of, e) < 0)
        return -1;
    AUTO_JSON json_t *contact = of;
    const char *name = json_get_str(contact, "name", NULL),
               *words = json_get_str(record, "subject", json_get_str(record, "title", NULL));
    if (record && !json_object_get(record, "deleted_ms"))
        *out = mem_printf("%s%s%s%s%s", l->record, words ? ": " : "", words ? words : "",
                          name ? ", " : "", name ? name : "");
    return 0;
}

static int link_go(struct engine *eng, const struct item *it, const struct link *l, struct err *e)
{
    struct crm_actor actor = {CRM_BY_USER, l->user, NULL};
    struct crm_result res;
    struct err why = {0};
    AUTO_FREE char *line = link_line(l);
    if (ctl_run_line(eng, l->record, line, &actor, &res, &why) == 0) {
        log_info("link.done", "user=%s record=%s line=\"%s\"", l->user, l->record, line);
        link_answer(eng, it, 200, "Done", res.text, NULL);
        return 0;
    }
    if (why.cls != ERR_INPUT) {
        *e = why;
        return -1;
    }
    link_answer(eng, it, 422, "That was not possible", why.text, NULL);
    return 0;
}

int link_frame(struct engine *eng, struct item *it, struct err *e)
{
    const json_t *j = it->frame.json;
    struct link l;
    if (!link_read(eng, json_get_str(j, "path", ""), &l) || !crm_user(eng->crm, l.user)) {
        link_answer(eng, it, 404, "There is nothing here", "This link was not made here.", NULL);
        return 0;
    }
    if (clock_now_ms() / HOUR_MS > l.hour) {
        link_answer(eng, it, 410, "This link has ended",
                    "Links are good for seven days. Answer the mail instead: #help tells how.",
                    NULL);
        return 0;
    }
    char *found;
    if (link_about(eng, &l, &found, e) < 0)
        return -1;
    AUTO_FREE char *about = found;
    if (!about)
        link_answer(eng, it, 410, "It is not there any more", l.record, NULL);
    else if (json_get_bool(j, "go", false))
        return link_go(eng, it, &l, e);
    else
        link_answer(eng, it, 200, l.action->question, about, l.action->label);
    return 0;
}
