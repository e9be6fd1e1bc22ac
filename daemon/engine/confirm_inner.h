/* SPDX-License-Identifier: ISC
 *
 * confirm_inner - what the two files of confirm share
 */
#ifndef LEADD_ENGINE_CONFIRM_INNER_H
#define LEADD_ENGINE_CONFIRM_INNER_H

#include "engine/confirm.h"

/* The timer comes by then at the latest. */
int confirm_wait(struct engine *eng, int64_t due_ms, struct err *e) LEADD_MUST_CHECK;
/* As if the link of the mail had been used: for who tries things out. */
int confirm_assume(struct engine *eng, int64_t id, struct err *e) LEADD_MUST_CHECK;

#endif
