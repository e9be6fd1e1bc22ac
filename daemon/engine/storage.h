/* SPDX-License-Identifier: ISC
 *
 * storage - what the engine does when the disk is full, fails or is not there
 *
 *   OK      passes run
 *   LOW     less than store.min_free is left: intake is off, all else runs, so
 *           that outcomes of mails under way can still be written down
 *   FAILED  a pass could not be written: no pass until a small one can be; tried
 *           again after a growing pause
 *   MOVED   the database file is gone or is another one: nothing is written to a
 *           file that nobody would find again
 *
 * While intake is off, mails of intakes wait (without receipt an intake stops by
 * itself), forms are told "busy", MTA pipes are told to come again. What needs no
 * database (status, reload) is answered always. All of it ends by itself.
 *
 * A connection that cannot be trusted any more (db_health) ends the engine: its
 * successor opens the database anew.
 */
#ifndef LEADD_STORAGE_H
#define LEADD_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct engine;
struct event;
struct item;
struct storage;

struct storage *storage_new(struct engine *eng);
void storage_free(struct storage **s);
/* The database is open: takes its files down and looks at the disk. */
int storage_start(struct storage *s, struct err *e) LEADD_MUST_CHECK;

/* Before a pass: looks at the disk now and then, answers what cannot be taken now.
 * Returns how many items the pass may take; 0: none. */
size_t storage_before_pass(struct storage *s);
/* Is all taken that comes? Else only a look before a pass may let anything in. */
bool storage_takes_all(const struct storage *s);
/* After a pass that was committed, with the items it held. */
void storage_passed(struct storage *s, size_t items);
/* After a pass that was undone; its items are in the queue again. */
void storage_failed(struct storage *s, const struct err *e);

/* For status and metrics. */
char *storage_text(const struct storage *s); /* own */
void storage_gauges(const struct storage *s, json_t *gauges);

#endif
