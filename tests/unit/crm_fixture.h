/* SPDX-License-Identifier: ISC
 *
 * crm_fixture - a small company for the tests of the CRM: a database in memory,
 * users, a pool, stages, fields, a form; and inputs that end in a journal row
 */
#ifndef CRM_FIXTURE_H
#define CRM_FIXTURE_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "base/errlist.h"
#include "base/mem.h"
#include "crm/command.h"
#include "crm/crm.h"
#include "store/db.h"
#include "rule/field.h"
#include "rule/ruleset.h"
#include "store/journal.h"

#define NOW INT64_C(1795255200000) /* 2026-11-21 10:00 UTC, a Saturday */

static const char fixture_config[] =
    "{'settings': {'company': 'Example Ltd', 'domain': 'our.example', 'address': 'crm@our.example',"
    "  'default_owner': 'dora', 'default_country': 'AT', 'currency': 'EUR',"
    "  'time_zone': 'Europe/Vienna'},"
    " 'teams': {'sales': {'name': 'Sales', 'manager': 'dora', 'at': 'c:1'}},"
    " 'users': {"
    "  'anna': {'name': 'Anna One', 'email': 'anna@our.example', 'role': 'rep', 'team': 'sales',"
    "           'phone': '+436601234567', 'at': 'c:2'},"
    "  'ben': {'name': 'Ben Two', 'email': 'ben@our.example', 'role': 'rep', 'team': 'sales',"
    "          'addresses': ['ben@home.example'], 'at': 'c:3'},"
    "  'dora': {'name': 'Dora Four', 'email': 'dora@our.example', 'role': 'manager', 'at': 'c:4'},"
    "  'vera': {'name': 'Vera Five', 'email': 'vera@our.example', 'role': 'viewer', 'at': 'c:5'}},"
    " 'pools': {'dach': {'by': 'weighted', 'at': 'c:6', 'members': ["
    "   {'user': 'anna', 'weight': 2, 'at': 'c:7'}, {'user': 'ben', 'weight': 1, 'at': 'c:8'}]}},"
    " 'stages': ['new', 'proposal', 'negotiation'],"
    " 'fields': {'lead': {'employees': {'type': 'int', 'label': 'Number of employees', 'at': 'c:9'},"
    "   'budget': {'type': 'money', 'label': 'Budget', 'at': 'c:10'},"
    "   'demo': {'type': 'bool', 'label': 'Demo wanted', 'at': 'c:11'}}},"
    " 'forms': {'contact': {'source': 'website', 'creates': 'lead', 'at': 'c:12', 'required': [],"
    "   'fields': {'mail': {'to': 'contact.email', 'at': 'c:13'},"
    "     'name': {'to': 'contact.name', 'at': 'c:14'},"
    "     'tel': {'to': 'contact.phone', 'at': 'c:15'},"
    "     'size': {'to': 'lead.employees', 'at': 'c:16'},"
    "     'words': {'to': 'message.text', 'at': 'c:17'}}}},"
    " 'endpoints': {'erp': {'url': 'https://erp.example/hook', 'at': 'c:20'}},"
    " 'sequences': {'nurture': {'on': 'lead', 'stop': ['reply'], 'steps': [{'end': true}], 'at': 'c:23'}},"
    " 'enrichments': {'scoring': {'endpoint': 'erp', 'send': ['lead.subject', 'contact.domain'],"
    "   'set': {'result.score': {'to': 'lead.score', 'at': 'c:22'},"
    "     'size': {'to': 'lead.employees', 'at': 'c:23'}, 'deal': {'to': 'lead.budget', 'at': 'c:24'},"
    "     'demo': {'to': 'lead.demo', 'at': 'c:25'}, 'lang': {'to': 'contact.language', 'at': 'c:26'}},"
    "   'at': 'c:21'}},"
    " 'rules': [], 'tables': {},"
    " 'templates': {'welcome': {'path': 'welcome.txt', 'text':"
    "   'Subject: Hello {{contact.first_name}}\\n\\nYour number is {{lead.id}}.\\n'}}}";

struct fixture {
    struct db *db;
    struct crm *crm;
    struct crm_ctx *ctx;
    struct crm_hooks hooks;
    int64_t now;
    char events[64][48];      /* "lead.created L1 before>after" */
    struct crm_event last[64];
    int event_count;
    int sends, unsends;
    char sent_to[330], sent_all[2000]; /* the last one; all, each with a comma */
    bool unsend_refused;
    int calls, uncalls;
    char called[1000]; /* the last one: endpoint, name, fields */
};

/* JSON with single quotes, for reading. */
static inline json_t *fixture_json(const char *text)
{
    AUTO_FREE char *s = mem_str(text);
    json_error_t why;
    for (char *p = s; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *v = json_loads(s, JSON_DECODE_ANY, &why);
    if (!v)
        fail_msg("%s at %d of %s", why.text, why.position, text);
    return v;
}

static inline void on_event(void *arg, const struct crm_event *ev)
{
    struct fixture *f = arg;
    if (f->event_count == 64)
        return;
    f->last[f->event_count] = *ev;
    snprintf(f->events[f->event_count++], 48, "%s", ev->name);
}

static inline int on_send(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *out,
                          struct err *e)
{
    struct fixture *f = arg;
    (void)ctx;
    (void)e;
    f->sends++;
    size_t n = strlen(f->sent_all);
    snprintf(f->sent_all + n, sizeof(f->sent_all) - n, "%s,", s->to);
    snprintf(f->sent_to, sizeof(f->sent_to), "%s", s->to);
    *out = 100 + f->sends;
    return 0;
}

static inline int on_unsend(void *arg, struct crm_ctx *ctx, int64_t outbox, struct err *e)
{
    struct fixture *f = arg;
    (void)ctx;
    (void)outbox;
    if (f->unsend_refused)
        return err_set(e, ERR_INPUT, "it has left");
    f->unsends++;
    return 0;
}

static inline int on_call(void *arg, struct crm_ctx *ctx, const struct crm_call *c, int64_t *out,
                          struct err *e)
{
    struct fixture *f = arg;
    AUTO_FREE char *fields = json_text(c->fields);
    (void)ctx;
    (void)e;
    f->calls++;
    snprintf(f->called, sizeof(f->called), "%s %s %s", c->endpoint, c->name ? c->name : "-", fields);
    *out = 200 + f->calls;
    return 0;
}

static inline int on_uncall(void *arg, struct crm_ctx *ctx, int64_t id, struct err *e)
{
    struct fixture *f = arg;
    (void)ctx;
    (void)id;
    (void)e;
    f->uncalls++;
    return 0;
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        struct err e_ = {0};                                                                       \
        struct err *e = &e_;                                                                       \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s", #call, e_.text);                                                    \
    } while (0)

static inline void fixture_open(struct fixture *f, const char *path, const char *config)
{
    struct err e = {0};
    AUTO_JSON json_t *c = fixture_json(config);
    memset(f, 0, sizeof(*f));
    f->now = NOW;
    f->hooks = (struct crm_hooks){f, on_event, on_send, on_unsend, on_call, on_uncall, NULL, NULL,
                                  NULL};
    f->db = db_open(path, false, &e);
    if (!f->db || db_migrate(f->db, &e) < 0 || db_begin(f->db, &e) < 0)
        fail_msg("%s", e.text);
    f->crm = crm_new(f->db, c, f->now, &e);
    if (!f->crm)
        fail_msg("%s", e.text);
}

static inline void fixture_close(struct fixture *f)
{
    struct err e;
    crm_end(&f->ctx);
    crm_free(&f->crm);
    if (f->db && db_in_transaction(f->db))
        (void)!db_commit(f->db, &e);
    db_close(&f->db);
}

static inline void input_begin(struct fixture *f)
{
    f->now += 1000;
    f->event_count = 0;
    f->ctx = crm_begin(f->crm, &f->hooks, f->now);
}

/* Ends the input with its journal row. */
static inline int64_t input_end(struct fixture *f, const struct crm_target *t)
{
    struct err e = {0};
    AUTO_JSON json_t *body = json_pack("{s:O}", "commands", crm_commands(f->ctx));
    AUTO_FREE char *text = json_text(body), *personal = json_text(crm_personal(f->ctx));
    struct journal_row row = {.at_ms = f->now,
                              .cause = "test",
                              .contact_id = t->contact,
                              .lead_id = t->lead,
                              .case_id = t->kase,
                              .body = text,
                              .personal = personal};
    if (crm_facts_error(f->ctx, &e) < 0 || journal_add(f->db, &row, &e) < 0)
        fail_msg("%s", e.text);
    crm_end(&f->ctx);
    return row.id;
}

static inline struct crm_actor by_user(const char *name)
{
    return (struct crm_actor){CRM_BY_USER, name, NULL};
}

/* One command as an input of its own; the journal id, or -1 with e when refused. */
static inline int64_t try_command(struct fixture *f, struct crm_target *t, const char *user,
                                  const char *line, struct crm_result *out, struct err *e)
{
    struct crm_actor actor = user ? by_user(user) : crm_system;
    struct crm_result result = {0};
    *e = (struct err){0};
    input_begin(f);
    if (crm_command_run(f->ctx, t, line, &actor, &result, e) < 0) {
        crm_end(&f->ctx);
        return -1;
    }
    enum crm_entity main = t->main;
    *t = result.target;
    t->main = main;
    if (out)
        *out = result;
    return input_end(f, t);
}

static inline int64_t run_command(struct fixture *f, struct crm_target *t, const char *user,
                                  const char *line)
{
    struct err e;
    int64_t j = try_command(f, t, user, line, NULL, &e);
    if (j < 0)
        fail_msg("%s: %s", line, e.text);
    return j;
}

static inline void refuse_command(struct fixture *f, struct crm_target *t, const char *user,
                                  const char *line, const char *part)
{
    struct err e;
    struct crm_target copy = *t;
    int64_t before = db_total_changes(f->db);
    if (try_command(f, &copy, user, line, NULL, &e) >= 0)
        fail_msg("%s was not refused", line);
    assert_int_equal(e.cls, ERR_INPUT);
    if (!strstr(e.text, part))
        fail_msg("%s: '%s' is not in '%s'", line, part, e.text);
    assert_int_equal(db_total_changes(f->db), before);
}

/* A mail from address to the company; who and the journal row's id. */
static inline int64_t receive_mail(struct fixture *f, const char *from, const char *name,
                                   const char *subject, const char *kind, struct crm_who *who)
{
    AUTO_JSON json_t *m = json_pack(
        "{s:s, s:{s:s, s:s, s:s?}, s:s, s:s, s:s, s:s, s:[], s:[{s:s}], s:[]}", "channel", "email",
        "from", "address", from, "folded", from, "name", name, "subject", subject, "text", "words",
        "reply", "words", "kind", kind, "attachments", "to", "address", "crm@our.example", "cc");
    struct crm_input in = {
        .kind = "mail", .message = m, .source = "sales", .creates = "lead", .message_id = 1};
    input_begin(f);
    in.at_ms = f->now;
    OK(crm_receive(f->ctx, &in, who, e));
    return input_end(f, &who->target);
}

/* One column of a record as text. */
static inline const char *cell(struct fixture *f, const char *sql, int64_t id)
{
    static char text[4][200];
    static int turn;
    char *out = text[turn = (turn + 1) % 4];
    struct err e = {0};
    struct db_rows *r = db_query(f->db, sql, "i", id);
    snprintf(out, 200, "%s", db_step(r) && db_text(r, 0) ? db_text(r, 0) : "-");
    if (db_done(&r, &e) < 0)
        fail_msg("%s", e.text);
    return out;
}

#define LEAD(f, col, id) cell(f, "SELECT CAST(" col " AS TEXT) FROM lead WHERE id = $1", id)
#define DEAL(f, col, id) cell(f, "SELECT CAST(" col " AS TEXT) FROM deal WHERE id = $1", id)
#define CASE(f, col, id) cell(f, "SELECT CAST(" col " AS TEXT) FROM support_case WHERE id = $1", id)
#define CONTACT(f, col, id) cell(f, "SELECT CAST(" col " AS TEXT) FROM contact WHERE id = $1", id)
#define TASK(f, col, id) cell(f, "SELECT CAST(" col " AS TEXT) FROM task WHERE id = $1", id)

static inline bool had_event(const struct fixture *f, const char *name)
{
    for (int i = 0; i < f->event_count; i++)
        if (!strcmp(f->events[i], name))
            return true;
    return false;
}

/* ---- for cmocka -------------------------------------------------------------- */

static inline int fixture_setup_with(void **state, const char *config)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    fixture_open(f, ":memory:", config);
    *state = f;
    return 0;
}

static inline int fixture_setup(void **state)
{
    return fixture_setup_with(state, fixture_config);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    mem_free(f);
    return 0;
}

/* A lead from a mail of that sender; name may be NULL. */
static inline struct crm_target lead_of(struct fixture *f, const char *from, const char *name)
{
    struct crm_who who;
    receive_mail(f, from, name, "An offer, please", "person", &who);
    return who.target;
}

static inline struct crm_target some_lead(struct fixture *f)
{
    return lead_of(f, "lena@customer.example", "Lena Lead");
}

#endif
