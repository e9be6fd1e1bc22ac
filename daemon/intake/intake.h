/* SPDX-License-Identifier: ISC
 *
 * intake - the role of one mailbox: fetch, hand over, flag or move
 *
 * The only role that speaks with mail servers or reads Maildirs. It never
 * looks into a message, holds no state that matters, and only ever hands bytes
 * to the engine, which decides what is new.
 */
#ifndef LEADD_INTAKE_INTAKE_H
#define LEADD_INTAKE_INTAKE_H

/* name is "intake:MAILBOX". */
int intake_main(const char *name);

#endif
