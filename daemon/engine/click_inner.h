/* SPDX-License-Identifier: ISC
 *
 * click_inner - what the two files of click share
 */
#ifndef LEADD_ENGINE_CLICK_INNER_H
#define LEADD_ENGINE_CLICK_INNER_H

#include "engine/engine.h"

/* "12.3.TOKEN/ADDRESS": the mail, how many links it has, and where this one leads. Own. */
char *click_path(const struct engine *eng, int64_t outbox, size_t links, const char *url);

#endif
