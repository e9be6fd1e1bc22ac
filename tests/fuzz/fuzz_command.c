/* SPDX-License-Identifier: ISC
 *
 * fuzz_command - any text as a user's mail, and its commands run
 *
 * The input is split at RS (0x1e) into subject, words of the plus address, new words,
 * and the whole text (without it: the new words). Each line that is a command runs as a
 * rep and as the operator, for a lead beside which there are a case, a deal, a task and
 * another lead. What comes out is bounded and text; no command is left among the
 * words unless there is doubt; a command is done, or refused in words and changes
 * nothing. What a line did is undone before the next input.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "company.h"
#include "crm/command.h"
#include "crm/find.h"
#include "crm/rep_lines.h"
#include "crm/see.h"
#include "store/db.h"
#include "store/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 4

static struct db *db;
static struct crm *crm;
static struct crm_hooks hooks;
static struct crm_target lead;

static void on_event(void *arg, const struct crm_event *ev)
{
    (void)arg;
    (void)ev;
}

static int on_send(void *arg, struct crm_ctx *ctx, const struct crm_send *s, int64_t *out,
                   struct err *e)
{
    (void)arg;
    (void)ctx;
    LEADD_ASSERT(text_is_single_line(s->to));
    *out = 1;
    (void)e;
    return 0;
}

static int on_call(void *arg, struct crm_ctx *ctx, const struct crm_call *c, int64_t *out,
                   struct err *e)
{
    (void)arg;
    (void)ctx;
    (void)c;
    (void)e;
    *out = 1;
    return 0;
}

static int on_unsend(void *arg, struct crm_ctx *ctx, int64_t id, struct err *e)
{
    (void)arg;
    (void)ctx;
    (void)id;
    (void)e;
    return 0;
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            fprintf(stderr, "%s: %s\n", #call, e.text);                                            \
            LEADD_ASSERT(!#call);                                                                  \
        }                                                                                          \
    } while (0)

static const struct crm_actor tom = {CRM_BY_USER, "tom", NULL};
static const struct crm_actor root = {CRM_BY_OPERATOR, "root", NULL};

/* what is there for the commands to find */
static const char *const before[] = {"task fri call back", "case the pump leaks", "deal annual 5000",
                                     "assign tom"};

static struct crm_target mail_from(const char *address, int64_t id)
{
    struct err e = {0};
    struct crm_who who = {0};
    AUTO_JSON json_t *m = json_pack(
        "{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:[], s:[], s:[]}", "channel", "email", "from",
        "address", address, "folded", address, "subject", "40 widgets", "text", "words", "reply",
        "words", "kind", "person", "attachments", "to", "cc");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales", .creates = "lead",
                           .message_id = id, .at_ms = COMPANY_NOW};
    struct crm_ctx *ctx = crm_begin(crm, &hooks, COMPANY_NOW);
    MUST(crm_receive(ctx, &in, &who, &e));
    crm_end(&ctx);
    return who.target;
}

static void world_make(void)
{
    struct err e = {0};
    AUTO_FREE char *text = mem_str(company_json);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    AUTO_JSON json_t *config = json_loads(text, 0, NULL);
    hooks = (struct crm_hooks){NULL, on_event, on_send, on_unsend, on_call, on_unsend, NULL, NULL,
                               NULL};
    db = db_open(":memory:", false, &e);
    LEADD_ASSERT(config && db);
    MUST(db_migrate(db, &e));
    MUST(db_begin(db, &e));
    crm = crm_new(db, config, COMPANY_NOW, &e);
    LEADD_ASSERT(crm);
    lead = mail_from("ada@shop.example", 1);
    mail_from("ben@pump.example", 2);
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct crm_target target = lead;
        struct crm_result res = {0};
        struct crm_ctx *ctx = crm_begin(crm, &hooks, COMPANY_NOW);
        MUST(crm_command_run(ctx, &target, before[i], &root, &res, &e));
        crm_end(&ctx);
    }
}

static bool is_text(const char *s)
{
    return text_is_utf8(s, strlen(s));
}

static void line_check(const struct rep_line *l)
{
    LEADD_ASSERT(l->said && is_text(l->said) && strlen(l->said) < 200);
    LEADD_ASSERT(text_is_single_line(l->said));
    if (l->what == REP_COMMAND || l->what == REP_ASK) {
        LEADD_ASSERT(l->line && is_text(l->line) && strlen(l->line) <= BOUND_REP_LINE + 64);
        LEADD_ASSERT(strncmp(l->line, l->word, strlen(l->word)) == 0);
    }
}

static void words_check(const struct rep_lines *r)
{
    struct rep_source again = {.reply = r->words};
    struct rep_lines left;
    LEADD_ASSERT(is_text(r->words));
    if (r->doubt)
        return;
    rep_lines_split(&again, &left); /* what is left has no command in it */
    LEADD_ASSERT(left.count == 0 && !left.doubt);
    rep_lines_done(&left);
}

/* For undo: the row that the engine writes. */
static void journal_end(struct crm_ctx *ctx, const struct crm_target *t)
{
    struct err e = {0};
    AUTO_JSON json_t *body = json_pack("{s:O}", "commands", crm_commands(ctx));
    AUTO_FREE char *text = json_text(body), *personal = json_text(crm_personal(ctx));
    struct journal_row row = {.at_ms = COMPANY_NOW,
                              .cause = "test",
                              .contact_id = t->contact,
                              .lead_id = t->lead,
                              .case_id = t->kase,
                              .body = text,
                              .personal = personal};
    LEADD_ASSERT(is_text(text));
    MUST(journal_add(db, &row, &e));
}

static void command_do(const struct rep_line *l, const struct crm_actor *who)
{
    struct err e = {0};
    struct crm_target target = lead;
    struct crm_result res = {0};
    AUTO_FREE char *line = rep_line_names(crm, l->line);
    struct crm_ctx *ctx = crm_begin(crm, &hooks, COMPANY_NOW);
    if (l->entity && crm_target_of(ctx, l->entity, l->id, &target, &e) < 0) {
        LEADD_ASSERT(e.cls == ERR_INPUT);
        crm_end(&ctx);
        return;
    }
    int64_t changes = db_total_changes(db);
    int rc = crm_command_run(ctx, &target, line, who, &res, &e);
    if (rc < 0) {
        LEADD_ASSERT(e.cls == ERR_INPUT && e.text[0]);
        LEADD_ASSERT(db_total_changes(db) == changes);
    } else {
        LEADD_ASSERT(is_text(res.text));
        journal_end(ctx, &res.target);
    }
    crm_end(&ctx);
}

static void ask_do(const struct rep_line *l)
{
    struct err e = {0};
    AUTO_JSON json_t *hits = json_array();
    struct crm_ctx *ctx = crm_begin(crm, NULL, 0);
    if (strncmp(l->line, "find ", 5) == 0)
        MUST(crm_find(ctx, "tom", l->line + 5, 20, hits, &e));
    LEADD_ASSERT(json_array_size(hits) <= 20);
    crm_end(&ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    char *parts[PARTS] = {NULL};
    struct rep_lines r;
    size_t n = 0;
    if (!db)
        world_make();
    for (size_t at = 0; n < PARTS && at <= size; n++) {
        struct buf b AUTO_BUF;
        size_t len = 0;
        while (at + len < size && (data[at + len] != 0x1e || n == PARTS - 1))
            len++;
        buf_init(&b, MIB(4));
        text_add_utf8(&b, (const char *)data + at, len);
        parts[n] = mem_str(b.data);
        at += len + 1;
    }
    struct rep_source src = {.subject = parts[0], .plus = parts[1], .reply = parts[2],
                             .text = parts[3], .answers = size > 0 && (data[0] & 0x80)};
    rep_lines_split(&src, &r);
    LEADD_ASSERT(r.count <= BOUND_REP_LINES && (!r.more || r.doubt));
    words_check(&r);
    MUST(db_savepoint(db, &e));
    for (size_t i = 0; i < r.count; i++) {
        line_check(&r.v[i]);
        if (r.v[i].what == REP_COMMAND) {
            command_do(&r.v[i], &tom);
            command_do(&r.v[i], &root); /* who may do what a rep may not */
        } else if (r.v[i].what == REP_ASK) {
            ask_do(&r.v[i]);
        }
    }
    db_rollback_to(db);
    rep_lines_done(&r);
    for (size_t i = 0; i < PARTS; i++)
        mem_free(parts[i]);
    return 0;
}
