/* SPDX-License-Identifier: ISC
 *
 * smtp - see smtp.h
 */
#include "courier/smtp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/mem.h"
#include "courier/reply.h"

#define SMTP_CHUNK ((size_t)65536)
#define SMTP_END ".\r\n"
#define SMTP_FRESH_MS 1000 /* so long after the sign-in a relay may not have hung up */

static const char *const state_names[SMTP_STATE_COUNT] = {
    "connect", "idle", "MAIL",      "RCPT", "DATA", "the mail", "the final dot", "the final dot",
    "DATA",    "RSET", "QUIT",      "closed"};

struct smtp {
    const struct smtp_setup *setup;
    struct hop *hop; /* own */
    enum smtp_state state;
    struct event *timer;
    struct job *job;  /* borrowed; NULL between mails */
    struct buf in;    /* bytes of a reply not yet whole */
    struct buf out;   /* a command, or the mail in its wire form */
    size_t out_at;
    struct reply reply;
    unsigned owed;    /* replies to commands that left behind the one of this state */
    bool used, heard; /* carried a mail; the relay said something since MAIL */
    int64_t up_ms, since_ms;
    int64_t body_until; /* monotonic; SMTP_BODY as a whole */
};

enum smtp_state smtp_state(const struct smtp *s)
{
    return s->state;
}

const struct job *smtp_job(const struct smtp *s)
{
    return s->job;
}

int64_t smtp_since_ms(const struct smtp *s)
{
    return s->since_ms;
}

bool smtp_is_used(const struct smtp *s)
{
    return s->used || clock_mono_ms() - s->up_ms > SMTP_FRESH_MS;
}

static int64_t smin(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long a step may take as a whole; -1 for the one libcurl watches. */
static int64_t state_limit_ms(const struct smtp *s)
{
    int64_t step = smin(s->setup->reply_ms, BOUND_RELAY_STEP_MS);
    switch (s->state) {
    case SMTP_IDLE:
        return BOUND_RELAY_IDLE_MS;
    case SMTP_MAIL:
    case SMTP_RCPT:
    case SMTP_DATA:
    case SMTP_REFUSED:
    case SMTP_RSET:
    case SMTP_DOT:
        return step;
    case SMTP_BODY: /* without a byte taken; and in all, at a least rate */
        return smin(step, s->body_until - clock_mono_ms());
    case SMTP_RESULT:
        return s->setup->reply_ms;
    case SMTP_QUIT:
        return smin(s->setup->reply_ms, BOUND_RELAY_QUIT_MS);
    case SMTP_CONNECTING:
    case SMTP_DEAD:
    case SMTP_STATE_COUNT:
        break;
    }
    return -1;
}

static void smtp_arm(struct smtp *s)
{
    int64_t ms = state_limit_ms(s);
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    s->since_ms = clock_mono_ms();
    event_del(s->timer);
    if (ms >= 0)
        event_add(s->timer, &tv);
    else if (s->state == SMTP_BODY)
        event_active(s->timer, EV_TIMEOUT, 0); /* its time is over */
}

/* The only place where the state changes. */
static void smtp_set(struct smtp *s, enum smtp_state state)
{
    s->state = state;
    s->reply = (struct reply){0};
    smtp_arm(s);
    if (state == SMTP_DEAD) /* its pass frees it: let there be one */
        event_active(s->timer, EV_TIMEOUT, 0);
}

/* ---- outcomes ------------------------------------------------------------ */

static void smtp_finish(struct smtp *s, enum job_outcome outcome, int code, const char *text)
{
    struct job *j = s->job;
    s->job = NULL;
    s->used = true;
    job_finish(j, outcome, code, s->setup->relay, text, false);
}

/* The connection is of no more use. why ends the sentence "... after MAIL". */
static void smtp_lost(struct smtp *s, const char *why)
{
    enum smtp_state was = s->state;
    char text[BOUND_SMTP_TEXT + 256];
    struct job *j = s->job;
    smtp_set(s, SMTP_DEAD);
    if (!j)
        return;
    if (was == SMTP_MAIL && smtp_is_used(s) && !s->heard) {
        s->job = NULL;
        s->setup->ops->stale(s->setup->arg, j);
        return;
    }
    snprintf(text, sizeof(text), "relay %s: %s after %s", s->setup->relay, why, state_names[was]);
    smtp_finish(s, was == SMTP_DOT || was == SMTP_RESULT ? JOB_UNKNOWN : JOB_DEFERRED, 0, text);
}

/* 530, 534, 535, 538: "sign in first". Postfix says 530 to MAIL, RFC 4954. */
static bool wants_sign_in(int code)
{
    return code == 530 || code == 534 || code == 535 || code == 538;
}

/* ---- writing --------------------------------------------------------------- */

static void smtp_read(struct smtp *s, bool all);
static void smtp_flush(struct smtp *s);

/* The slot must say FINAL before the last bytes are handed to the kernel; and
 * nothing may stand in the way of reading the answer to them, so whatever the
 * relay said too early is looked at first, and the rest of a line waited for. */
static void smtp_release_dot(struct smtp *s)
{
    smtp_read(s, true);
    if (s->state != SMTP_BODY || s->in.len > 0)
        return;
    CRASH_POINT("courier.final.before");
    if (job_mark(s->job, SLOT_FINAL) < 0) {
        smtp_lost(s, "the slot is not this mail's any more");
        return;
    }
    CRASH_POINT("courier.final.after");
    buf_reset(&s->out);
    buf_str(&s->out, SMTP_END);
    s->out_at = 0;
    smtp_set(s, SMTP_DOT);
    smtp_flush(s);
}

static void smtp_flush(struct smtp *s)
{
    while (s->out_at < s->out.len) {
        size_t n, left = s->out.len - s->out_at;
        enum hop_result r = hop_send(s->hop, s->out.data + s->out_at,
                                       left < SMTP_CHUNK ? left : SMTP_CHUNK, &n);
        if (r == HOP_AGAIN)
            return;
        if (r == HOP_GONE) {
            smtp_lost(s, "connection lost");
            return;
        }
        s->out_at += n;
        if (s->state == SMTP_BODY)
            smtp_arm(s);
    }
    if (s->state == SMTP_BODY)
        smtp_release_dot(s);
    else if (s->state == SMTP_DOT) {
        smtp_set(s, SMTP_RESULT);
        CRASH_POINT("courier.dot.after");
    }
}

static void smtp_new_out(struct smtp *s)
{
    buf_done(&s->out); /* after a mail this gives its memory back */
    buf_init(&s->out, 4 * BOUND_SMTP_ADDRESS);
    s->out_at = 0;
}

static void smtp_command(struct smtp *s, enum smtp_state state, const char *text)
{
    smtp_new_out(s);
    buf_printf(&s->out, "%s\r\n", text);
    smtp_set(s, state);
    smtp_flush(s);
}

static bool has_high_bytes(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] >= 0x80)
            return true;
    return false;
}

void smtp_begin(struct smtp *s, struct job *j)
{
    const struct hop_caps *caps = hop_caps(s->hop);
    bool utf8 = has_high_bytes(j->from, strlen(j->from)) || has_high_bytes(j->to, strlen(j->to));
    LEADD_ASSERT(s->state == SMTP_IDLE);
    s->job = j;
    s->heard = false;
    if (utf8 && !caps->utf8) {
        char text[BOUND_SMTP_TEXT];
        snprintf(text, sizeof(text), "relay %s does not take addresses beyond ASCII (SMTPUTF8)",
                 s->setup->relay);
        smtp_finish(s, JOB_FAILED, 0, text);
        return;
    }
    job_mark(j, SLOT_SENDING);
    smtp_new_out(s);
    buf_printf(&s->out, "MAIL FROM:<%s>", j->from);
    if (caps->size)
        buf_printf(&s->out, " SIZE=%zu", j->raw.len);
    if (caps->eightbit && (utf8 || has_high_bytes(j->raw.data, j->raw.len)))
        buf_str(&s->out, " BODY=8BITMIME");
    buf_str(&s->out, utf8 ? " SMTPUTF8\r\n" : "\r\n");
    if (caps->pipelining)
        buf_printf(&s->out, "RCPT TO:<%s>\r\nDATA\r\n", j->to);
    s->owed = caps->pipelining ? 2 : 0;
    smtp_set(s, SMTP_MAIL);
    smtp_flush(s);
}

static void smtp_send_body(struct smtp *s)
{
    buf_done(&s->out);
    buf_init(&s->out, 3 * BOUND_FRAME_RAW);
    s->out_at = 0;
    int rc = reply_wire(&s->out, s->job->raw.data, s->job->raw.len);
    LEADD_ASSERT(rc == 0); /* at most 3 bytes for 1 */
    s->body_until = clock_mono_ms() + smin(s->setup->reply_ms, BOUND_RELAY_STEP_MS) +
                    (int64_t)(s->out.len / BOUND_RELAY_RATE) * 1000;
    smtp_set(s, SMTP_BODY);
    if (s->in.len == 0) /* else something was said behind the 354: that is heard first */
        smtp_flush(s);
}

void smtp_quit(struct smtp *s)
{
    LEADD_ASSERT(s->state == SMTP_IDLE);
    smtp_command(s, SMTP_QUIT, "QUIT");
}

/* ---- reading ---------------------------------------------------------------- */

/* The refused mail is settled; what left behind the refused command is answered,
 * too, before the connection can be used again. */
static void smtp_after_refusal(struct smtp *s)
{
    if (s->owed > 0)
        smtp_set(s, SMTP_REFUSED);
    else if (s->in.len > 0)
        smtp_set(s, SMTP_DEAD);
    else
        smtp_command(s, SMTP_RSET, "RSET");
}

/* 4xx or 5xx to MAIL, RCPT or DATA, or to a mail not yet sent. */
static void smtp_refuse(struct smtp *s, const struct reply *r, bool close)
{
    if (wants_sign_in(r->code)) {
        struct job *j = s->job;
        s->job = NULL;
        smtp_set(s, SMTP_DEAD);
        s->setup->ops->refused(s->setup->arg, j, r->code, r->text);
        return;
    }
    smtp_finish(s, r->code / 100 == 5 ? JOB_FAILED : JOB_DEFERRED, r->code, r->text);
    if (close || r->code == 421)
        smtp_set(s, SMTP_DEAD);
    else
        smtp_after_refusal(s);
}

static void smtp_result(struct smtp *s, const struct reply *r)
{
    static const enum job_outcome by_class[6] = {
        [2] = JOB_ACCEPTED, [3] = JOB_UNKNOWN, [4] = JOB_DEFERRED, [5] = JOB_FAILED};
    CRASH_POINT("courier.result.before");
    smtp_finish(s, by_class[r->code / 100], r->code, r->text);
    CRASH_POINT("courier.result.after");
    /* bytes behind the answer, or 3xx: nobody knows what the next reply will mean */
    bool close = r->code == 421 || r->code / 100 == 3 || s->in.len > 0;
    smtp_set(s, close ? SMTP_DEAD : SMTP_IDLE);
}

/* A reply that does not fit the step: never guessed at. */
static void smtp_odd(struct smtp *s, const char *what)
{
    char text[BOUND_SMTP_TEXT + 64];
    snprintf(text, sizeof(text), "unexpected \"%.*s\"", BOUND_SMTP_TEXT, what);
    smtp_lost(s, text);
}

/* A good reply: the next command, unless it has left already. */
static void smtp_go_on(struct smtp *s)
{
    char text[2 * BOUND_SMTP_ADDRESS];
    if (s->state == SMTP_DATA) {
        smtp_send_body(s);
    } else if (s->owed > 0) {
        s->owed--;
        smtp_set(s, s->state == SMTP_MAIL ? SMTP_RCPT : SMTP_DATA);
    } else if (s->state == SMTP_MAIL) {
        snprintf(text, sizeof(text), "RCPT TO:<%s>", s->job->to);
        smtp_command(s, SMTP_RCPT, text);
    } else {
        smtp_command(s, SMTP_DATA, "DATA");
    }
}

static void smtp_step(struct smtp *s, const struct reply *r)
{
    int want = s->state == SMTP_DATA ? 3 : 2;
    /* the next command is not out: a relay that says more than one reply now is out of step;
     * so is one that answers what has not left */
    if (s->owed == 0 && (s->out_at < s->out.len ||
                         (r->code / 100 == want && s->in.len > 0 && s->state != SMTP_DATA))) {
        smtp_odd(s, s->in.len > 0 ? s->in.data : r->text);
        return;
    }
    if (r->code / 100 >= 4)
        smtp_refuse(s, r, s->owed == 0 && s->in.len > 0);
    else if (r->code / 100 != want)
        smtp_odd(s, r->text);
    else
        smtp_go_on(s);
}

static void smtp_on_reply(struct smtp *s, const struct reply *r)
{
    log_debug("smtp.reply", "relay=%s after=\"%s\" text=\"%s\"", s->setup->relay,
              state_names[s->state], r->text);
    switch (s->state) {
    case SMTP_MAIL:
        if (r->code == 421 && smtp_is_used(s)) { /* said while the connection was idle */
            smtp_lost(s, r->text);
            return;
        }
        s->heard = true;
        smtp_step(s, r);
        return;
    case SMTP_RCPT:
    case SMTP_DATA:
        smtp_step(s, r);
        return;
    case SMTP_BODY: /* it does not wait for the end: out of step from here on */
        if (r->code / 100 >= 4)
            smtp_refuse(s, r, true);
        else
            smtp_odd(s, r->text);
        return;
    case SMTP_DOT: /* the answer can only be to the dot once that has left */
        smtp_odd(s, r->text);
        return;
    case SMTP_RESULT:
        smtp_result(s, r);
        return;
    case SMTP_REFUSED: /* a 354 here asks for a mail that must not be sent */
        s->owed--;
        if (r->code == 421 || r->code / 100 == 3)
            smtp_set(s, SMTP_DEAD);
        else
            smtp_after_refusal(s);
        return;
    case SMTP_RSET:
        smtp_set(s, r->code / 100 == 2 && s->in.len == 0 ? SMTP_IDLE : SMTP_DEAD);
        return;
    case SMTP_IDLE: /* 421 while idle */
    case SMTP_QUIT:
    case SMTP_CONNECTING:
    case SMTP_DEAD:
    case SMTP_STATE_COUNT:
        smtp_set(s, SMTP_DEAD);
    }
}

/* Takes whole replies out of in; stops when the state has no use for more. */
static void smtp_take_replies(struct smtp *s)
{
    while (s->in.len > 0 && s->state != SMTP_DEAD) {
        enum reply_result res = reply_take(&s->reply, &s->in);
        if (res == REPLY_MORE)
            return;
        struct reply r = s->reply;
        s->reply = (struct reply){0};
        if (res == REPLY_BROKEN) {
            s->heard = true;
            smtp_odd(s, r.text);
        } else {
            smtp_on_reply(s, &r);
        }
    }
}

/* all: until nothing is left; else what has come, and readiness tells of more. */
static void smtp_read(struct smtp *s, bool all)
{
    char chunk[4096];
    size_t n = sizeof(chunk);
    while (s->state != SMTP_DEAD && (all || hop_may_hold_more(s->hop, n, sizeof(chunk)))) {
        enum hop_result r = hop_recv(s->hop, chunk, sizeof(chunk), &n);
        if (r == HOP_AGAIN)
            return;
        if (r == HOP_GONE) {
            smtp_lost(s, "connection lost");
            return;
        }
        buf_add(&s->in, chunk, n); /* always fits: lines are taken out, and bounded */
        smtp_take_replies(s);
    }
}

/* ---- life -------------------------------------------------------------------- */

static void smtp_on_up(void *arg)
{
    struct smtp *s = arg;
    s->up_ms = clock_mono_ms();
    smtp_set(s, SMTP_IDLE);
}

static void smtp_on_failed(void *arg, int code, const char *text)
{
    struct smtp *s = arg;
    smtp_set(s, SMTP_DEAD);
    s->setup->ops->failed(s->setup->arg, code, text);
}

static void smtp_on_ready(void *arg)
{
    struct smtp *s = arg;
    smtp_read(s, false);
    if (s->state != SMTP_DEAD && s->out_at < s->out.len)
        smtp_flush(s);
}

static void smtp_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct smtp *s = arg;
    char why[64];
    (void)fd;
    (void)what;
    switch (s->state) {
    case SMTP_DEAD: /* only to have a pass */
        return;
    case SMTP_IDLE:
        smtp_quit(s);
        return;
    default:
        snprintf(why, sizeof(why), s->state == SMTP_BODY ? "takes no more" : "no answer in time");
        if (s->state != SMTP_QUIT && s->state != SMTP_RSET && s->state != SMTP_REFUSED)
            s->setup->ops->failed(s->setup->arg, 0, why); /* the next mail would hang, too */
        smtp_lost(s, why);
    }
}

static const struct hop_ops hop_ops = {smtp_on_up, smtp_on_failed, smtp_on_ready};

struct smtp *smtp_open(const struct smtp_setup *setup)
{
    struct smtp *s = mem_alloc(sizeof(*s));
    s->setup = setup;
    s->timer = event_new(setup->base, -1, 0, smtp_on_timer, s);
    buf_init(&s->in, 4 * BOUND_SMTP_LINE);
    buf_init(&s->out, 1);
    s->hop = hop_open(setup->base, &setup->to, &hop_ops, s);
    s->since_ms = clock_mono_ms();
    return s;
}

void smtp_free(struct smtp **sp, const char *why)
{
    struct smtp *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    if (s->job) {
        s->heard = true; /* not stale: there is no next try */
        smtp_lost(s, why);
    }
    hop_close(&s->hop);
    event_free(s->timer);
    buf_done(&s->in);
    buf_done(&s->out);
    mem_free(s);
}
