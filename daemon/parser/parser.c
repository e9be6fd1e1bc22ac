/* SPDX-License-Identifier: ISC
 *
 * parser - see parser.h
 */
#include "parser/parser.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/role.h"
#include "mail/parse.h"
#include "parser/misbehave.h"

#define PARSER_TRIM MIB(1) /* after mails above this the heap is given back */
#define PARSER_ANSWER (BOUND_FRAME_JSON - KIB(64))

struct parser {
    struct chan *engine; /* own; NULL while there is none */
};

/* libytnef writes about broken files to stdout; nobody reads that. */
static int silence_stdout(struct err *e)
{
    AUTO_CLOSE int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
        return err_set(e, ERR_PERM, "cannot open /dev/null: %s", err_errno());
    fputc('\n', stdout); /* stdio looks at the descriptor once */
    fflush(stdout);
    return 0;
}

static int parser_open(struct role *r, struct err *e)
{
    r->state = mem_alloc(sizeof(struct parser));
    const struct rlimit none = {0, 0};
    if (silence_stdout(e) < 0)
        return -1;
    setrlimit(RLIMIT_CORE, &none); /* a mail of strangers is no file for the disk */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    mail_warm_up();
    return 0;
}

static bool parser_is_too_large(const json_t *msg)
{
    struct buf text AUTO_BUF;
    buf_init(&text, PARSER_ANSWER);
    json_write(&text, msg);
    return !buf_ok(&text);
}

static json_t *parser_answer(const struct frame *f)
{
    struct mail_limits lim;
    struct err e = {0};
    json_t *answer = json_object();
    mail_limits_default(&lim);
    lim.truncated = json_get_bool(f->json, "truncated", false);
    lim.missing = json_get_arr(f->json, "parts");
    lim.now_ms = json_get_int(f->json, "now_ms", 0);
    AUTO_JSON json_t *msg = mail_parse(f->raw ? f->raw : "", f->raw_len, &lim, &e);
    if (msg && parser_is_too_large(msg))
        err_set(&e, ERR_INPUT, "the message form is larger than %zu bytes", PARSER_ANSWER);
    if (*e.text) {
        log_warn("parser.failed", "size=%zu error=\"%s\" next=quarantine", f->raw_len, e.text);
        json_put_str(answer, "error", e.text);
    } else {
        json_object_set(answer, "message", msg);
    }
    return answer;
}

static void parser_on_frame(struct chan *c, struct frame *f, void *arg)
{
    (void)arg;
    if (f->type != FRAME_PARSE || !frame_allowed(f->type, "engine")) {
        log_warn("parser.frame", "peer=%s type=%s next=ignored", chan_name(c),
                 frame_type_name(f->type));
        return;
    }
    misbehave_die(c, f);
    AUTO_JSON json_t *answer = parser_answer(f);
    misbehave_lie(c, f, answer);
    CRASH_POINT("parser.answer.before");
    chan_send_json(c, FRAME_PARSED, f->id, answer);
    CRASH_POINT("parser.answer.after");
    if (f->raw_len > PARSER_TRIM)
        malloc_trim(0);
}

static void parser_on_gone(struct chan *c, const char *why, void *arg)
{
    struct parser *p = arg;
    (void)c;
    log_info("parser.engine_gone", "why=\"%s\" next=\"wait for another\"", why);
    chan_free(&p->engine);
}

static void parser_peer(struct role *r, const char *name, const char *gen, int fd)
{
    struct parser *p = r->state;
    (void)gen;
    if (!p || strcmp(name, "engine") != 0) {
        close(fd);
        return;
    }
    chan_free(&p->engine);
    p->engine = chan_new(r->base, fd, name, parser_on_frame, parser_on_gone, p);
}

/* Between two messages: what the engine has sent ahead was not begun. */
static void parser_stop(struct role *r)
{
    struct parser *p = r->state;
    AUTO_JSON json_t *j = json_pack("{s:b}", "leaving", 1);
    if (p && p->engine) {
        chan_send_json(p->engine, FRAME_HELLO, 0, j);
        chan_flush(p->engine, 500);
    }
    role_quit(r, 0);
}

static void parser_done(struct role *r)
{
    struct parser *p = r->state;
    if (p)
        chan_free(&p->engine);
    mem_free(p);
}

const struct role_ops parser_ops = {
    .kind = "parser",
    .open = parser_open,
    .peer = parser_peer,
    .stop = parser_stop,
    .done = parser_done,
};

int parser_main(const char *name)
{
    return role_main(&parser_ops, name);
}
