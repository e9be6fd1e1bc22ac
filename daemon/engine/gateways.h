/* SPDX-License-Identifier: ISC
 *
 * gateways - which gateway an SMS goes by, and when its turn is
 *
 * In the order of leadd.conf, those whose `to` names the number. Two things keep one from
 * being asked:
 *
 *   turn      no more leave in a minute than `rate` says, each counted by its segments. A
 *             text that comes too early gets its place in line as its due time, so a
 *             thousand of them hold up neither mail nor the courier's slots. Those behind
 *             the first are named to the courier only with a turn of theirs, too
 *   breaker   its sign-in is refused or its account is empty: nothing for a while, and the
 *             administrator hears of it once a day. It could not be reached several times
 *             in a row: the same. It said "too many": as long as it said
 *
 * The courier tries the next gateway by itself when one fails; what it told of each comes
 * here. Kept in memory: after a restart all are tried.
 */
#ifndef LEADD_ENGINE_GATEWAYS_H
#define LEADD_ENGINE_GATEWAYS_H

#include "base/bounds.h"
#include "base/gateway.h"
#include "engine/engine.h"
#include "engine/turn.h"

struct gate {
    const char *name;   /* borrowed from the config */
    const json_t *conf; /* borrowed */
    bool mail;          /* type = "email" */
    bool sends;         /* else texts only come in by it */
    struct turn turn;   /* counts segments */
    int64_t fails;      /* in a row */
    int64_t open_ms, open_until_ms; /* the breaker; 0: closed */
    enum gateway_reason why;
    char text[256];     /* what it said */
};

struct gateways {
    struct gate list[BOUND_GATEWAYS];
    size_t count;
    json_t *held; /* own; row -> {"segments", "names"}: turns taken in case others fail */
    size_t asked; /* questions that the courier has (gateway_pull.h): pretended time waits */
    int64_t test_outbox; /* the text of gateway_test.h that is waited for; 0: none */
    uint64_t test_ask;
    int64_t test_wait_ms; /* for its receipt, once it was taken */
};

int gateways_start(struct engine *eng, struct err *e) LEADD_MUST_CHECK;
void gateways_stop(struct engine *eng);

struct gate *gateways_find(struct engine *eng, const char *name); /* or NULL */
/* The one that answers to this name or has this number, or NULL. */
struct gate *gateways_of(struct engine *eng, const char *name_or_number);
/* Is the number one of those that `to` names? NULL: any. */
bool gateway_serves(const struct gate *g, const char *number);
/* The first that a text to the number may go by, whatever its breaker says; wanted NULL: any.
 * NULL: none. */
struct gate *gateways_first(struct engine *eng, const char *wanted, const char *number);

/* Names for the courier, the first with its turn taken: an array, own. NULL: not now, but at
 * *later_out, for the reason in why. mail_out: the first is one of type "email", alone. */
json_t *gateways_turn(struct engine *eng, int64_t row, const char *wanted, const char *number,
                      int64_t segments, int64_t now_ms, struct gate **mail_out, int64_t *later_out,
                      char why[256]);
/* It does not leave now after all: the turn is another's. */
void gateway_turn_back(struct gate *g, int64_t segments);
/* The row has its outcome: turns of gateways that were named and not asked are given back.
 * texted NULL: nobody knows which were asked. */
void gateways_used(struct engine *eng, int64_t row, const json_t *texted);

/* What came of it. retry_ms: how long it asked for. */
void gateway_said(struct engine *eng, struct gate *g, enum gateway_reason r, const char *text,
                  int64_t retry_ms);
/* Somebody has put money on the account, or another secret: it is asked again. */
void gateway_close(struct gate *g);

/* "0.075 EUR": millionths and currency; -1 when it is no price. */
int64_t gateway_price(const char *text, char currency[4]);

#endif
