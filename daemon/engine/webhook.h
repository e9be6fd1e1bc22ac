/* SPDX-License-Identifier: ISC
 *
 * webhook - a request of another program: verified, or kept as it came
 *
 * web-in hands over what it got as a HOOK frame. What verifies (verify.h) goes to one
 * of three handlers by its kind; what does not is quarantined raw, tells the
 * administrator, and has no other effect. `leadctl quarantine retry` brings it here
 * again, and it is judged as of the time it came.
 *
 * A handler is called inside the pass, in the item's savepoint. It says what the event
 * is called (webhook_enter), does its work when that is new, and says how it ended
 * (webhook_filed). With -1 and ERR_INPUT all it did is undone and the request is
 * quarantined; with ERR_TEMP it comes again.
 */
#ifndef LEADD_ENGINE_WEBHOOK_H
#define LEADD_ENGINE_WEBHOOK_H

#include "engine/engine.h"

struct webhooks; /* the secrets of all sources and gateways */

struct webhook {
    const char *kind;      /* "source", "sms" or "receipt" */
    const char *name;      /* of the source or gateway */
    const json_t *conf;    /* its group in the config; borrowed */
    const json_t *values;  /* flat name -> text: of the body, then of the query; see base/form.h */
    const json_t *files;   /* as base/form.h has them */
    const json_t *headers; /* lower-case name -> value; not all of them are signed */
    const char *method, *path, *type, *remote, *request_id;
    const char *body;
    size_t len;
    int64_t at_ms;         /* when it came */
    const char *signed_id; /* the event's name as the signature covers it, or NULL */
    struct item *it;       /* for webhook.c */
    char *source;          /* own; the ledger's name of it: "hook:shop" */
    int64_t ledger_id;
    bool bound;            /* the signature covers the body */
    /* What the sender reads: TwiML, a challenge. NULL: a word of JSON. */
    const char *answer_type;
    char *answer;          /* own */
};

/* Before the rights go: reads the secrets. -1 with e. */
int webhooks_open(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void webhooks_close(struct engine *eng);

/* The handler of a HOOK frame. */
int webhook_frame(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;

/* "hook" of "source": begins the ledger's name of where it came from. NULL: no such kind. */
const char *webhook_prefix(const char *kind);

/* ---- for the three handlers ---- */

/* The event's row in the ledger. event: how the provider names it ("SM0123/delivered"),
 * unique within the source, or NULL when it does not: then the same request within
 * some minutes is the same event, or, where the signature covers it, at any time.
 * *fresh_out false: it was here before; the sender is told, nothing is left to do. */
int webhook_enter(struct engine *eng, struct webhook *w, const char *event, bool *fresh_out,
                  struct err *e) LEADD_MUST_CHECK;
/* reason: why nothing came of it, or NULL. message: the row of what was filed, or 0. */
int webhook_filed(struct engine *eng, struct webhook *w, const char *reason, int64_t message,
                  struct err *e) LEADD_MUST_CHECK;
/* The body of the answer, copied. type: borrowed, such as "text/xml". */
void webhook_say(struct webhook *w, const char *type, const char *text);

/* The handlers: source.c, sms_in.c, sms_receipt.c. */
int source_take(struct engine *eng, struct webhook *w, struct err *e) LEADD_MUST_CHECK;
int sms_take(struct engine *eng, struct webhook *w, struct err *e) LEADD_MUST_CHECK;
int receipt_take(struct engine *eng, struct webhook *w, struct err *e) LEADD_MUST_CHECK;

#endif
