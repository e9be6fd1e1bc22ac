/* SPDX-License-Identifier: ISC
 *
 * engine - the CRM process: the only writer, the only clock
 *
 * Frames and timers only queue items. After each turn of the loop one pass
 * takes at most BOUND_PASS_FRAMES items or BOUND_PASS_MS, each in a savepoint
 * of one transaction, commits, and only then lets the answers go (promise 1).
 * An item whose handler fails is undone alone; a store that fails undoes the
 * pass, and its items wait (storage.h).
 *
 * This header is the inside of the room; nothing outside includes it.
 */
#ifndef LEADD_ENGINE_H
#define LEADD_ENGINE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/role.h"
#include "base/slots.h"
#include "crm/crm.h"
#include "engine/lanes.h"
#include "store/db.h"

int engine_main(const char *name);
extern const struct role_ops engine_ops; /* for tests that play the supervisor in one process */

/* ---- peers ------------------------------------------------------------- */

/* Another role, or a client of ctl.sock or ingest.sock. */
struct peer {
    struct peer *next;
    struct engine *eng;
    struct chan *chan;
    uint64_t serial; /* names this channel in parked answers and items */
    char *name;      /* own; "intake:sales", "ctl" */
    char *gen;       /* own; tells one process of the name from the next */
    char *who;       /* own; ctl: the Unix user */
    json_t *state;   /* own; intake: its last INTAKE_STATE; courier without slots: its HELLO */
    int odd;         /* frames that were not its to send */
    int inflight;    /* intake: MAIL frames without receipt */
    int queued;      /* its frames that wait; at BOUND_PEER_QUEUE it is not read on */
    struct slots *slots; /* own; courier */
    bool greeted;    /* courier: its HELLO was handled; before that no row is claimed for it */
    bool leaving;    /* parser: it was told to end, and is at no message */
    bool draining;   /* courier, web-in: a successor is there, or it gave a mail back */
};

/* All of it in peers.c. */
const char *peer_instance(const struct peer *p); /* "sales" of "intake:sales" */
/* It sent what was not its to send: said in the log, and too often ends it. */
void peer_odd(struct peer *p, const char *what);
struct peer *peer_by_serial(struct engine *eng, uint64_t serial);
struct peer *peer_by_name(struct engine *eng, const char *name); /* the newest of that name */
/* A new channel, and its end; the latter not from within its own callbacks. */
struct peer *peer_add(struct engine *eng, const char *name, const char *gen, int fd);
void peer_remove(struct engine *eng, struct peer *p, const char *why);
/* An item of its has been through a pass: it may send on when little waits. */
void peer_item_done(struct peer *p);
/* The supervisor brings the channel to a process, and says that one has ended. */
void peers_come(struct role *r, const char *name, const char *gen, int fd);
void peers_went(struct role *r, const char *name, const char *gen, const char *how);

/* ---- items: what waits for the next pass -------------------------------- */

enum item_kind {
    ITEM_FRAME, /* a frame from a peer */
    ITEM_MAIL,  /* a mail with its parsed form, or with the reason why it has none */
    ITEM_DUE,   /* outbox rows have come due */
    ITEM_GONE,  /* a courier process ended: settle what it held */
    ITEM_TIDY,  /* the engine has just started */
    ITEM_CALLS,  /* calls of endpoints have come due */
    ITEM_COPIES, /* copies of sent mail have come due */
    ITEM_NOTICE, /* a mail to the administrator */
    ITEM_TIMER,  /* a timer is due; its row is frame.json */
    ITEM_SCHEDULE, /* one record of a scheduled rule's walk: {rule, ids, at} */
    ITEM_TIMERS_LATE, /* many were due before the start (late.h) */
    ITEM_BROADCAST, /* a slice of a plan, or one mail of a grant: {name, zones?, left} */
    ITEM_SEGMENT, /* a slice of what leadctl asked of a segment (segment.h) */
    ITEM_TIMERS_RELOAD, /* timers are held against new rules, a slice of them */
};

struct item {
    struct item *next;
    enum item_kind kind;
    uint64_t peer;      /* serial; 0: none waits for an answer */
    struct frame frame; /* own */
    char *peer_name;    /* own */
    char *gen;          /* own; ITEM_GONE */
    json_t *message;    /* own; ITEM_MAIL: the parsed form */
    char *poison;       /* own; ITEM_MAIL: why there is none */
    char *late;         /* own; the parser was given up at it, and why */
    int64_t quarantine; /* ITEM_MAIL, ITEM_FRAME: retry of this row; 0: fresh */
    int64_t since_mono; /* when it came */
    int64_t parse_start_mono, parse_start_cpu; /* cpu: of the parser; -1: not known */
    uint64_t parse_id; /* of the PARSE frame; the answer must carry it */
    int given_back; /* by a parser that left */
};

struct queue {
    struct item *head, **tail;
    size_t count;
};

void queue_init(struct queue *q);
void queue_add(struct queue *q, struct item *it);
void queue_put_back(struct queue *q, struct item *it); /* to the front */
struct item *queue_take(struct queue *q);
struct item *item_new(enum item_kind kind, const struct peer *p);
void item_free(struct item *it);
/* What is in quarantine, to go its way again. NULL with e. */
struct item *item_of_quarantine(struct engine *eng, int64_t id, struct err *e);

/* ---- answers that wait for the commit ----------------------------------- */

struct answer {
    uint64_t peer;
    enum frame_type type;
    uint64_t id;
    json_t *json;   /* own */
    char *raw;      /* own */
    size_t raw_len;
    int64_t slot;   /* SEND: the slot to give back when the commit fails; else -1 */
    int64_t settled; /* the courier's slot to give back once the outcome is durable; else -1 */
};

/* ---- the engine ---------------------------------------------------------- */

struct broadcasts;
struct budget;
struct quiet_zones;
struct walk;
struct webhooks;

/* What timer.c knows of the table of timers. */
struct timers {
    struct event *ev;   /* own; NULL in solo.c */
    bool some;          /* there may be rows; false: nothing need be looked up */
    bool changed;       /* next_ms may be wrong */
    bool more;          /* more was due than one pass takes */
    size_t queued;      /* items that wait or run */
    int64_t next_ms;    /* the earliest; 0: none */
    int64_t held_ms;    /* what was due until then is held (late.h); 0: nothing is */
    int64_t woken_mono;
    int64_t old_ruleset; /* that all rows were held against before this start */
};

/* What the journal has of the rules that did not run. */
enum journal_how {
    JOURNAL_FACTS, /* what they were decided from: `why` decides again (rule/record.h) */
    JOURNAL_EVERY, /* solo.c: the decision of each */
    JOURNAL_BRIEF, /* solo.c: nothing */
};

struct engine {
    struct role *role;
    const json_t *settings; /* borrowed from role->config */
    struct db *db;
    struct crm *crm;
    int64_t ruleset_id;
    unsigned char key[32]; /* HMAC key for tokens */
    /* Replay: what comes in answers mails of another store. Its records have ids here
     * that are so many times as large (0: it is our own store), and what bounces is
     * this mail of ours (0: none). Who wrote it was found there (an enum proof_how), since
     * the header block is not at hand. */
    int64_t foreign_scale, foreign_bounced;
    int foreign_proof;
    bool foreign_handed_on;
    struct peer *peers;
    uint64_t next_serial, next_ask, next_parse;
    struct queue ready;   /* for the next pass */
    struct queue parse;   /* mails not yet sent to the parser */
    struct queue parsing; /* sent, in order */
    struct answer *answers;
    size_t answer_count, answer_cap;
    struct event *kick, *due, *parse_late, *ctl_accept, *ingest_accept;
    struct lanes lanes;     /* of the outbox */
    int64_t due_at_ms;      /* when `due` fires, 0: not armed */
    bool due_queued;
    int64_t due_hold_mono;    /* nothing is claimed before */
    int64_t slots_retry_mono; /* a courier without slots: tried again then */
    struct suspect *suspect; /* own; what is in hand, should the engine die of it */
    struct storage *storage; /* own; whether the store can be written, and what waits for it */
    struct ask *asks;        /* questions to intakes that leadctl waits for */
    json_t *counters;        /* for /metrics */
    json_t *hold;            /* own; since when and why nothing is sent, or NULL */
    json_t *hold_ended;      /* own; what hold was before the pass that runs ended it */
    struct calls *calls;     /* own; call.h */
    struct gateways *gateways; /* own; gateways.h */
    struct relay_list *relays; /* own; relays.h; NULL in solo.c */
    struct sent_copies *sent_copies; /* own; sent_copies.h; NULL in solo.c */
    struct alive *alive;     /* own; alive.h; NULL in solo.c */
    struct counts *counts;   /* own; rows of the ledger and the outbox */
    struct event *count;     /* own; counts on */
    struct coverage *coverage; /* own; what each rule did; NULL: nobody counts */
    json_t *gaps;            /* folder -> lowest UID that got neither row nor receipt */
    int clients[2];          /* connections of ingest.sock and ctl.sock */
    struct timers timers;
    struct versions *versions; /* own; sequences by version (enrol.h) */
    struct broadcasts *broadcasts; /* own; definitions of those that run (broadcast.h) */
    bool broadcasts_seen;    /* one ran lately: inputs may be answers to it */
    struct webhooks *webhooks; /* own; webhook.h; NULL in solo.c */
    struct form_quotas *form_quotas; /* own; quota.h; NULL in solo.c */
    struct walk *walk;       /* own; pretended time is on its way, or NULL */
    struct quiet_zones *quiet; /* own; NULL: none was asked for yet */
    json_t *pins;            /* own; user -> PIN (sms_rep.h); NULL in solo.c */
    struct budget *budget;   /* own; what rules may still run today */
    bool stopping;
    enum journal_how journal;
};

void engine_count(struct engine *eng, const char *counter, int64_t n);
/* Sends json to the peer after the commit; takes the reference to json. FRAME_NONE
 * sends nothing: it stands for what else waits for the commit. */
struct answer *engine_answer(struct engine *eng, uint64_t peer, enum frame_type type, uint64_t id,
                             json_t *json);
/* Sends what engine_answer has collected: after a commit, or what needs none. */
void engine_answers_send(struct engine *eng);
/* Forgets the answers from place `from` on: what they promised was undone. */
void engine_answers_drop(struct engine *eng, size_t from);
/* Handles one item in its savepoint; what cannot be handled is undone and kept as it came.
 * -1: the store failed, undo the pass. */
int engine_pass_item(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
void engine_queue(struct engine *eng, struct item *it);
void engine_item_done(struct engine *eng, struct item *it); /* frees it; its peer may send on */
void engine_kick(struct engine *eng);
const char *engine_setting(const struct engine *eng, const char *key, const char *def);

/* ---- handlers: inside the pass, each in its savepoint --------------------- */

/* 0, or -1: ERR_INPUT and others undo the item and quarantine it where that is
 * possible; ERR_TEMP means the store failed. */
int inbound_mail(struct engine *eng, struct item *it, struct err *e);       /* inbound.c */
int inbound_form(struct engine *eng, struct item *it, struct err *e);
/* A post out of quarantine that a verdict lets pass. */
/* Who posted the form that became this message has confirmed its address after all: the
 * ledger of consent gets what proves it. *erased_out: it is gone, nothing was done. */
int inbound_form_proof(struct engine *eng, int64_t message, const json_t *confirmed,
                       bool *erased_out, struct err *e) LEADD_MUST_CHECK;
int inbound_form_judged(struct engine *eng, struct item *it, struct err *e) LEADD_MUST_CHECK;
int inbound_quarantine(struct engine *eng, struct item *it, const char *reason, struct err *e);
/* A mail that could not even be quarantined: it is fetched again by the next intake. */
void inbound_dropped(struct engine *eng, const struct item *it);
int mailbox_frame(struct engine *eng, struct item *it, struct err *e);      /* mailbox.c */
bool mailbox_has_folder(const struct engine *eng, const char *mailbox, const char *folder);
int outbound_due(struct engine *eng, struct err *e);                        /* outbound.c */
int outbound_sent(struct engine *eng, struct item *it, struct err *e);      /* outbound_settle.c */
int outbound_hello(struct engine *eng, struct item *it, struct err *e);
int outbound_settle(struct engine *eng, const char *gen, struct err *e);
int outbound_settle_all(struct engine *eng, struct err *e);
/* A due row leaves as if a relay took it at once, for one who has no courier (solo.h). */
int outbound_accept(struct engine *eng, int64_t id, struct err *e);
/* This mail answers one of ours; was it unknown whether that had arrived, it is no more. */
int outbound_answered(struct engine *eng, const json_t *message, int64_t message_id, struct err *e);
int ctl_frame(struct engine *eng, struct item *it, struct err *e);          /* ctl.c */

/* ---- the parser's queue (parsing.c) --------------------------------------- */

void parsing_add(struct engine *eng, struct item *it);
void parsing_done(struct engine *eng, struct peer *p, struct frame *f);
void parsing_new_parser(struct engine *eng);
/* Time for the mail it is at is over, or may be. */
void parsing_late(struct engine *eng);
/* leaving: it said before that it is at no message. */
void parsing_parser_gone(struct engine *eng, const char *why, bool leaving);

/* ---- outbound.c ------------------------------------------------------------ */

void outbound_arm(struct engine *eng); /* sets the timer to the next due row */
bool outbound_can_send(struct engine *eng); /* a courier is there and has room */
/* The record that a row of outbox_get is about; untouched when there is none. */
int outbound_target(struct crm_ctx *ctx, const json_t *row, struct crm_target *out, struct err *e);
void outbound_look(struct engine *eng); /* gives slots to a courier that could get none */
int outbound_courier(struct engine *eng, struct peer *p, struct err *e);

/* ---- stats.c ---------------------------------------------------------------- */

void stats_start(struct engine *eng);
void stats_stop(struct engine *eng);
json_t *stats_all(struct engine *eng); /* {counters, gauges} */

#endif
