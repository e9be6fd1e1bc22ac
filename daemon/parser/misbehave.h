/* SPDX-License-Identifier: ISC
 *
 * misbehave - a parser that dies of a mail, or that somebody has taken over
 *
 * Nothing without --enable-test-hooks. With HOOK("parser.misbehave") a mail's
 * header field says what happens: `X-Test-Poison: abort` (crash, exit, spin,
 * hang, memory, call, close) or `X-Test-Lie: auth` (keys, types, early, twice,
 * frames, flood).
 */
#ifndef LEADD_PARSER_MISBEHAVE_H
#define LEADD_PARSER_MISBEHAVE_H

#include "config.h"

#include "base/frame.h"

#ifdef LEADD_TEST_HOOKS
void misbehave_die(struct chan *c, const struct frame *f);
/* Sends lies, or puts them into the answer. */
void misbehave_lie(struct chan *c, const struct frame *f, json_t *answer);
#else
#define misbehave_die(c, f) ((void)0)
#define misbehave_lie(c, f, answer) ((void)0)
#endif

#endif
