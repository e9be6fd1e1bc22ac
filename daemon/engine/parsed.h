/* SPDX-License-Identifier: ISC
 *
 * parsed - is what the parser gave the message form of mail/parse.h?
 *
 * The parser meets hostile bytes first, so the engine takes from it what the
 * form has and nothing else: a key that the form does not have is removed (no
 * later reader can take it for a fact of ours, such as `auth`), and a value of
 * another kind or beyond the bounds makes the whole answer useless.
 */
#ifndef LEADD_ENGINE_PARSED_H
#define LEADD_ENGINE_PARSED_H

#include "base/err.h"
#include "base/json.h"

/* -1 with ERR_INPUT when it is not the form; removed_out counts unknown keys. */
int parsed_clean(json_t *message, int *removed_out, struct err *e) LEADD_MUST_CHECK;

#endif
