/* SPDX-License-Identifier: ISC
 *
 * slots - how far each outgoing mail got, in memory that outlives the courier
 *
 * One file of the engine holds a row per mail that the courier has in hand. The
 * courier writes FINAL just before it lets the last bytes of a mail go. When it
 * dies, the engine reads the rows:
 *
 *   CLAIMED, SENDING   the relay cannot have the whole mail: ready again
 *   FINAL              the relay may have it and no answer came: unknown
 *   DONE               decided, code is the relay's: 2xx accepted, 5xx failed,
 *                      else deferred (the SENT frame may have been lost)
 *
 * The mapping outlives a process, not the machine: after a power cut
 * slots_same_boot() is false and every claimed row is unknown.
 *
 * The two sides do not trust each other. The engine never maps the file: it
 * reads and writes it by pread and pwrite, since a courier that cut the file
 * could kill a process that has it mapped. The courier maps it and checks its
 * size and header first. Either side's functions work on either kind.
 */
#ifndef LEADD_SLOTS_H
#define LEADD_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_SENDING, SLOT_FINAL, SLOT_DONE, SLOT_STATE_COUNT };

struct slot {
    uint64_t id;      /* outbox id */
    uint32_t attempt; /* the engine's count, 1 for the first */
    uint32_t state;   /* enum slot_state */
    uint32_t code;    /* reply code once DONE; 0: none */
};

struct slots;

/* Engine: a new file of count free rows; one that stands there is replaced,
 * which leaves a courier that still maps the old one undisturbed. NULL with e
 * when it cannot be written or count is not 1..BOUND_SLOTS. */
struct slots *slots_create(const char *path, uint32_t count, struct err *e) LEADD_MUST_CHECK;
/* Engine, after its own restart: the file as it was left. */
struct slots *slots_open(const char *path, struct err *e) LEADD_MUST_CHECK;
/* Courier: maps what SLOTS brought. fd is borrowed. A memfd must be sealed
 * against shrinking. */
struct slots *slots_map(int fd, struct err *e) LEADD_MUST_CHECK;
/* Accepts NULL; sets *s to NULL. The file stays. */
void slots_unmap(struct slots **s);

uint32_t slots_count(const struct slots *s);
int slots_fd(const struct slots *s); /* to send with SLOTS; -1 of a mapped one */
bool slots_same_boot(const struct slots *s);
const char *slots_state_name(uint32_t state);

/* Engine: row at now stands for this attempt, state CLAIMED. -1 when the row is
 * taken (neither FREE nor DONE), out of range, or cannot be written. */
int slots_claim(struct slots *s, uint32_t at, uint64_t id, uint32_t attempt) LEADD_MUST_CHECK;
/* Engine: gives the row back, whatever its state. */
int slots_free(struct slots *s, uint32_t at);
/* Engine: a row that can be claimed, or -1. Looked for in the engine's own notes,
 * since nobody else claims rows or frees them: a search in the file would be a
 * system call a row. One that cannot be read is left alone from then on. */
int64_t slots_find_free(struct slots *s);
/* Courier: -1 when the row is out of range or does not stand for id; then
 * nothing is written. The code is visible before the state. */
int slots_set(struct slots *s, uint32_t at, uint64_t id, enum slot_state state, uint32_t code);
/* -1 when out of range or unreadable (cut short). state is always known. */
int slots_get(const struct slots *s, uint32_t at, struct slot *out);

#endif
