/* SPDX-License-Identifier: ISC
 *
 * parser - the role that meets hostile bytes
 *
 * PARSE frames from the engine become PARSED, strictly in order: {message} or,
 * when no message can be made of the bytes, {error}. The role has no secrets,
 * opens no file and no socket after its start, and has little memory; it may die
 * on any message and is started anew, without loss: the engine has the bytes.
 */
#ifndef LEADD_PARSER_H
#define LEADD_PARSER_H

#include "base/role.h"

/* The main of role "parser"; returns the exit code. */
int parser_main(const char *name);
extern const struct role_ops parser_ops; /* for tests that play the supervisor in one process */

#endif
