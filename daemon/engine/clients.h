/* SPDX-License-Identifier: ISC
 *
 * clients - leadctl on ctl.sock and MTA pipes on ingest.sock
 *
 * Both are channels like those of roles, named "ctl" and "ingest"; who asks is
 * known from SO_PEERCRED. ingest takes mail only.
 */
#ifndef LEADD_ENGINE_CLIENTS_H
#define LEADD_ENGINE_CLIENTS_H

#include "engine/engine.h"

/* A listening socket from the supervisor: "ctl" or "ingest". */
void clients_listen(struct engine *eng, const char *name, int fd);
/* RELOAD_DONE and PROCESSES: answers that a client waits for. */
void clients_sup_frame(struct engine *eng, struct frame *f);
/* Any peer has gone. */
void clients_gone(struct engine *eng, struct peer *p);
/* The engine ends in order: whoever has no answer yet is told to ask its
 * successor, since nothing was done for them. */
void clients_turn_away(struct engine *eng);
void clients_stop(struct engine *eng);

bool clients_is_one(const struct peer *p); /* and not a role */

#endif
