/* SPDX-License-Identifier: ISC
 *
 * smtp - one session with a relay: mails one after the other on one connection
 *
 * Decides what became of each mail. Before the final "." has left, nothing can
 * have been delivered: whatever goes wrong is deferred (or failed, when the
 * relay said 5xx to MAIL, RCPT or DATA). The slot is marked FINAL just before
 * the "." leaves; from then on only a whole, well-formed reply decides, and
 * anything else is unknown. Never sends a mail a second time by itself.
 *
 * Every step has one deadline that bytes do not extend, so that a relay that
 * trickles holds a session no longer than one that is silent; a mail must be
 * taken steadily and at BOUND_RELAY_RATE at least.
 *
 * Where the relay offers PIPELINING (RFC 2920), MAIL, RCPT and DATA leave in one
 * write; each still has its own reply, and the mail follows only after all three
 * were good. When DATA is taken behind a refused MAIL or RCPT, the session hangs
 * up: even a lone "." could make a mail of nothing.
 */
#ifndef LEADD_COURIER_SMTP_H
#define LEADD_COURIER_SMTP_H

#include "courier/job.h"
#include "courier/hop.h"

enum smtp_state {
    SMTP_CONNECTING,
    SMTP_IDLE,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_BODY,   /* all but the final "." */
    SMTP_DOT,    /* FINAL is marked */
    SMTP_RESULT, /* the "." has left */
    SMTP_REFUSED, /* the replies to what left behind the refused command */
    SMTP_RSET,
    SMTP_QUIT,
    SMTP_DEAD,   /* to be freed */
    SMTP_STATE_COUNT
};

struct smtp;

/* What the relay's keeper hears. None of them may free the session. */
struct smtp_ops {
    /* No connection (code: the relay's refusal, or 0), or it hangs in a mail. */
    void (*failed)(void *arg, int code, const char *text);
    /* The job was not begun here after all: the connection had died while it
     * was idle. */
    void (*stale)(void *arg, struct job *j);
    /* The relay wants another sign-in before it takes mail: not the job's fault. */
    void (*refused)(void *arg, struct job *j, int code, const char *text);
};

struct smtp_setup {
    struct event_base *base;
    const char *relay; /* name, for texts */
    struct hop_to to;
    int64_t reply_ms;
    const struct smtp_ops *ops;
    void *arg;
};

/* setup is borrowed and outlives the session. */
struct smtp *smtp_open(const struct smtp_setup *setup);
/* Not from inside its callbacks. A running job gets its outcome: deferred, or
 * unknown once FINAL is marked. */
void smtp_free(struct smtp **s, const char *why);

/* Only in SMTP_IDLE. Ends in job_finish(), or in stale or refused. */
void smtp_begin(struct smtp *s, struct job *j);
void smtp_quit(struct smtp *s); /* only in SMTP_IDLE: says goodbye, then dead */

enum smtp_state smtp_state(const struct smtp *s);
const struct job *smtp_job(const struct smtp *s);
/* When it last went a step on, or had bytes taken; monotonic. */
int64_t smtp_since_ms(const struct smtp *s);
/* Carried a mail before, or is up for a while: the relay may have hung up. */
bool smtp_is_used(const struct smtp *s);

#endif
