/* SPDX-License-Identifier: ISC
 *
 * fuzz_command - any text as a user's mail, and its commands run
 *
 * The input is split at RS (0x1e) into subject, words of the plus address, new words,
 * and the whole text (without it: the new words). Each line that is a command runs as a
 * rep, for a lead. What comes out is bounded and text; no command is left among the
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

static void world_make(void)
{
    struct err e = {0};
    struct crm_who who = {0};
    AUTO_FREE char *text = mem_str(company_json);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    AUTO_JSON json_t *config = json_loads(text, 0, NULL);
    hooks = (struct crm_hooks){NULL, on_event, on_send, on_unsend, on_call, on_unsend};
    db = db_open(":memory:", false, &e);
    LEADD_ASSERT(config && db);
    MUST(db_migrate(db, &e));
    MUST(db_begin(db, &e));
    crm = crm_new(db, config, COMPANY_NOW, &e);
    LEADD_ASSERT(crm);
    AUTO_JSON json_t *m = json_pack(
        "{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:[], s:[], s:[]}", "channel", "email", "from",
        "address", "ada@shop.example", "folded", "ada@shop.example", "subject", "40 widgets", "text",
        "words", "reply", "words", "kind", "person", "attachments", "to", "cc");
    struct crm_input in = {.kind = "mail", .message = m, .source = "sales", .creates = "lead",
                           .message_id = 1, .at_ms = COMPANY_NOW};
    struct crm_ctx *ctx = crm_begin(crm, &hooks, COMPANY_NOW);
    MUST(crm_receive(ctx, &in, &who, &e));
    crm_end(&ctx);
    lead = who.target;
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

static void command_do(const struct rep_line *l)
{
    struct err e = {0};
    struct crm_target target = lead;
    struct crm_result res = {0};
    struct crm_actor tom = {CRM_BY_USER, "tom", NULL};
    AUTO_FREE char *line = rep_line_names(crm, l->line);
    struct crm_ctx *ctx = crm_begin(crm, &hooks, COMPANY_NOW);
    if (l->entity && crm_target_of(ctx, l->entity, l->id, &target, &e) < 0) {
        LEADD_ASSERT(e.cls == ERR_INPUT);
        crm_end(&ctx);
        return;
    }
    int64_t before = db_total_changes(db);
    int rc = crm_command_run(ctx, &target, line, &tom, &res, &e);
    if (rc < 0) {
        LEADD_ASSERT(e.cls == ERR_INPUT && e.text[0]);
        LEADD_ASSERT(db_total_changes(db) == before);
    } else {
        LEADD_ASSERT(is_text(res.text));
    }
    AUTO_FREE char *commands = json_text(crm_commands(ctx));
    LEADD_ASSERT(is_text(commands));
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
        if (r.v[i].what == REP_COMMAND)
            command_do(&r.v[i]);
        else if (r.v[i].what == REP_ASK)
            ask_do(&r.v[i]);
    }
    db_rollback_to(db);
    rep_lines_done(&r);
    for (size_t i = 0; i < PARTS; i++)
        mem_free(parts[i]);
    return 0;
}
