/* SPDX-License-Identifier: ISC
 *
 * play - the supervisor and the peers of one role, all in the fuzzing process
 *
 * A role's ops are called as role_main() calls them, on an event base of its own,
 * but nothing here drops rights or waits: play_turn() runs what is ready and then
 * the role's pass. Each peer is our end of a socket pair; what the role says on
 * it is handed to a callback.
 *
 * An input is a list of records that end in RS (0x1e): one byte who speaks, one
 * for the frame's type, one for its id, then JSON text, and behind US (0x1f) raw
 * bytes. play_next() cuts them; what they mean is the target's.
 */
#ifndef LEADD_FUZZ_PLAY_H
#define LEADD_FUZZ_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/role.h"

struct play;
/* A frame that the role sent; its descriptor is in f->fd. */
typedef void (*play_fn)(void *arg, struct frame *f);

/* Our end of a channel to the role. */
struct play_end {
    int fd;            /* -1: closed */
    struct chan *chan; /* own; reads what the role says */
    play_fn fn;        /* NULL: nobody listens */
    void *arg;
};

struct play {
    struct role role;
    struct event_base *outer; /* own; of our ends */
    struct play_end sup;
};

/* The config is taken. False: the role did not open or start. */
bool play_open(struct play *p, const struct role_ops *ops, const char *name, json_t *config);
bool play_start(struct play *p);
/* A new peer. What the role sends must be frames: anything else fails the target. */
void play_peer(struct play *p, struct play_end *end, const char *name, const char *gen, play_fn fn,
               void *arg);
void play_end_new(struct play *p, struct play_end *end, int fd, play_fn fn, void *arg);
void play_end_close(struct play_end *end);
void play_turn(struct play *p);
void play_close(struct play *p);

/* A frame as a peer writes it; text need not be JSON. Nothing is written that
 * the socket does not take whole. fd -1: none. */
void play_send(int to, enum frame_type type, uint64_t id, struct str text, struct str raw, int fd);
void play_bytes(int to, struct str bytes);

struct play_record {
    char who, type, id;
    struct str json, raw;
};
/* Cuts the next record off *in; false at the end. */
bool play_next(struct str *in, struct play_record *out);
/* The frame types by the letter of a record; any other byte names any type. */
enum frame_type play_type(char letter);
uint64_t play_id(char letter, uint64_t last); /* '=' is the last one, digits themselves */

#endif
