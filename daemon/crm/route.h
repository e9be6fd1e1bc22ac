/* SPDX-License-Identifier: ISC
 *
 * route - the territory a lead with these fields would fall into, for trying out
 */
#ifndef LEADD_CRM_ROUTE_H
#define LEADD_CRM_ROUTE_H

#include "base/err.h"
#include "base/json.h"

/* pairs: "contact.country=DE", or "country=DE" where one record has such a field. For a
 * tree without mistakes. {"territory", "path": "world > dach", "walk": [..] as by
 * territories_walk()}; own, NULL with e. */
json_t *crm_route(const json_t *tree, const char *const *pairs, size_t count, int64_t now_ms,
                  struct err *e);

#endif
