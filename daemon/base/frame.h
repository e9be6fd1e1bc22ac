/* SPDX-License-Identifier: ISC
 *
 * frame - what roles say to each other, and the channel that carries it
 *
 * A frame on a stream socket, all numbers in host order (both ends are the
 * same binary on the same machine):
 *
 *   u32 length      bytes that follow, without these four
 *   u16 type        enum frame_type
 *   u16 flags       FRAME_FD: the raw bytes are in the memfd sent along
 *   u64 id          chosen by the asker, echoed in the answer; 0 when unasked
 *   u32 json_len    bytes of JSON (may be 0: then json is an empty object)
 *   u32 raw_len     raw bytes, inline behind the JSON or in the memfd
 *
 * Every frame is hostile input: bounded (bounds.h), checked, never fatal to
 * the receiver. A peer that breaks the format is cut off: the channel closes.
 * A memfd must be sealed against change and shrinking, or it is refused.
 *
 * Who may send what is decided by the receiver through frame_allowed(), and by
 * the name the supervisor gave the channel; names inside a frame are ignored.
 */
#ifndef LEADD_FRAME_H
#define LEADD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/json.h"

/* name, and the senders that may use it (see frame_allowed) */
#define FRAME_TYPES(X)                                                                             \
    X(CONFIG, "supervisor")      /* to a role: its part of the config; always the first frame */   \
    X(PEER, "supervisor")        /* {name, gen} + fd: a new channel to that peer */                \
    X(PEER_GONE, "supervisor")   /* {name, gen, how}: that peer process has ended */               \
    X(LISTEN, "supervisor")      /* {name} + fd: a bound, listening socket */                      \
    X(START, "supervisor")       /* all first peers and sockets are handed over */                 \
    X(STOP, "supervisor")        /* finish what runs, take no new work, exit 0 */                  \
    X(PING, "supervisor")        /* id: answer with PONG */                                        \
    X(RELOAD_DONE, "supervisor") /* id: {ok, errors: [], restarted: []} */                         \
    X(PROCESSES, "supervisor")   /* id: {processes: [...]} */                                      \
    X(READY, "role")             /* {user, no_new_privs, ...}: initialised; or {error} */          \
    X(PONG, "role")                                                                                \
    X(RENEW, "role")             /* {why}: replace me, something I may read is another file now */ \
    X(REPLACE_PEER, "engine")    /* {name, gen?, why}: it hangs or broke the format; start anew. \
                                    closed: true: it closed the channel, and may be ending */      \
    X(RELOAD, "engine")          /* id: validate and load the config again */                      \
    X(LIST_PROCESSES, "engine")  /* id */                                                          \
    X(HELLO, "peer")             /* first frame of a role to the engine on a new channel */        \
    X(RECEIPT, "engine")         /* id: {status, ...}: durable now */                              \
    X(MAIL, "intake ingest")     /* id: {folder, uidvalidity, uid, ...} + message bytes */         \
    X(FOLDER, "intake")          /* id: {folder, uidvalidity, uidnext, start_uid} */               \
    X(MATCH, "intake")           /* id: {folder, uidvalidity, items}: which are known? */          \
    X(MATCHED, "engine")         /* id: {uids: [known]} */                                         \
    X(INTAKE_STATE, "intake")    /* {state, error, folders} */                                     \
    X(CURSORS, "engine")         /* {folders: {NAME: {uidvalidity, last_uid, start_uid}}} */       \
    X(LIST, "engine")            /* id: what does the server hold? */                              \
    X(LISTED, "intake")          /* id: {folders: [{folder, uidvalidity, uids}]} or {names} */     \
    X(PREVIEW, "engine")         /* id: what would a first sync do? */                             \
    X(PREVIEWED, "intake")       /* id: {folders: [...]} */                                        \
    X(REFETCH, "engine")         /* id: {folder, uids | names}: fetch these again */               \
    X(APPEND, "engine")          /* id: {internal_ms, again} + bytes: a copy of what was sent */    \
    X(APPENDED, "intake")        /* id: {outcome, folder, error} */                                \
    X(PARSE, "engine")           /* id: {} + message bytes */                                      \
    X(PARSED, "parser")          /* id: {message: {...}} */                                        \
    X(FORM, "web-in")            /* id: {form, request_id, fields, remote, ...} + body */          \
    X(FORM_DONE, "engine")       /* id: {status, text, lead} */                                    \
    X(HOOK, "web-in")            /* id: {kind, name, method, path, headers, ...} + body */         \
    X(HOOK_DONE, "engine")       /* id: {status, type, text} */                                    \
    X(SLOTS, "engine")           /* {slots} + fd of the slot mapping */                            \
    X(SEND, "engine")            /* id: {relay, from, to, slot, ...} + message bytes */            \
    X(SENT, "courier")           /* id: {outcome, code, text, ms} */                               \
    X(TEXT, "engine")            /* id: {gateway, to, text, encoding, key, slot, ...}: an SMS */   \
    X(TEXTED, "courier")         /* id: {outcome, code, text, relay, reason, provider_id, ms} */   \
    X(QUERY, "engine")           /* id: {gateway, what, provider_id, ...}: a question to a gateway */ \
    X(QUERIED, "courier")        /* id: what was asked, {code, text, type, ms} + the answer */     \
    X(FETCH, "engine")           /* id: {gateway, message, n, url}: what a text came with */        \
    X(FETCHED, "courier")        /* id: what was asked, {code, text, type, refused, ms} + bytes */ \
    X(CALL, "engine")            /* id: {endpoint, key, at, answer} + body: a call of an endpoint */ \
    X(CALLED, "courier")         /* id: {code, text, ms, ...} + the answer */                      \
    X(STATS, "web-ui")           /* id: counters, please */                                        \
    X(STATS_DONE, "engine")      /* id: {counters: {...}} */                                       \
    X(LINK, "web-ui web-in")     /* id: {path, go}: a page that a mail names, or its button */     \
    X(LINK_DONE, "engine")       /* id: {code, title, text, button, ..}: web/page.h */              \
    X(CTL, "ctl")                /* id: {argv: [...]} (+ raw for ingest and parse) */              \
    X(CTL_DONE, "engine")        /* id: {exit, ...answer} */

enum frame_type {
    FRAME_NONE = 0,
#define X(name, who) FRAME_##name,
    FRAME_TYPES(X)
#undef X
    FRAME_TYPE_COUNT
};

const char *frame_type_name(enum frame_type t);
/* May a peer of this kind send this type? kind is the part of the channel name
 * before ':', e.g. "intake" of "intake:sales". "role" covers all roles towards
 * the supervisor, "peer" all roles towards the engine. */
bool frame_allowed(enum frame_type t, const char *kind);

struct frame {
    enum frame_type type;
    uint64_t id;
    json_t *json; /* own; always an object */
    char *raw;    /* own; NULL when raw_len is 0; followed by a NUL */
    size_t raw_len;
    int fd; /* own; -1 when none. PEER, LISTEN and SLOTS carry one */
};

void frame_done(struct frame *f);

struct chan;

/* One call per received frame, in order. The callback may keep json, raw and
 * fd by taking them (set the field to NULL or -1); the rest is freed after. */
typedef void (*chan_frame_fn)(struct chan *c, struct frame *f, void *arg);
/* The peer closed, broke the format or fell too far behind. Called once, never
 * from inside chan_send; the callback should chan_free. */
typedef void (*chan_gone_fn)(struct chan *c, const char *why, void *arg);
#define CHAN_CLOSED "closed" /* `why` when the peer ended it; all else is our doing */

/* Takes fd (made non-blocking). name is copied: the peer's name. */
struct chan *chan_new(struct event_base *base, int fd, const char *name, chan_frame_fn on_frame,
                      chan_gone_fn on_gone, void *arg);
/* Accepts NULL. Safe inside the channel's own callbacks. Sets *c to NULL. */
void chan_free(struct chan **c);

const char *chan_name(const struct chan *c); /* "intake:sales" */
bool chan_is_kind(const struct chan *c, const char *kind);
size_t chan_queued(const struct chan *c); /* bytes not yet written */

/* Queues a frame and writes what the socket takes. json is borrowed and may be
 * NULL; raw is copied (more than BOUND_FRAME_INLINE goes into a sealed memfd);
 * fd is duplicated (-1: none; not together with raw). After the peer is gone
 * the frame is dropped silently: the gone callback tells. */
void chan_send(struct chan *c, enum frame_type type, uint64_t id, const json_t *json,
               const void *raw, size_t raw_len, int fd);
#define chan_send_json(c, type, id, json) chan_send((c), (type), (id), (json), NULL, 0, -1)

/* Between these two chan_send only queues; then all leaves in as few writes as
 * possible, and the peer wakes once for many frames. */
void chan_cork(struct chan *c);
void chan_uncork(struct chan *c);

/* Hands over what has arrived by now, without waiting for the loop; not from its own
 * callbacks. */
void chan_read(struct chan *c);
/* Hands over what a peer that has ended sent last, now; not from its own callbacks. */
void chan_read_rest(struct chan *c);
/* Stops reading (back-pressure) or goes on. */
void chan_pause(struct chan *c, bool paused);
/* Writes what is queued, waiting up to timeout_ms; 0, or -1 when not all left.
 * For a role's last words and for clients without a loop. */
int chan_flush(struct chan *c, int timeout_ms);

#endif
