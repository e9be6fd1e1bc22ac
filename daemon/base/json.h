/* SPDX-License-Identifier: ISC
 *
 * json - jansson with defaults, and loading of outside JSON with bounds
 *
 * The getters accept NULL and wrong types and then give the default, so that a
 * frame from a subverted role can be read without a check at every step.
 * Returned strings and objects are borrowed from obj.
 */
#ifndef LEADD_JSON_H
#define LEADD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

const char *json_get_str(const json_t *obj, const char *key, const char *def);
int64_t json_get_int(const json_t *obj, const char *key, int64_t def);
bool json_get_bool(const json_t *obj, const char *key, bool def);
/* The object or array under key, or NULL. */
json_t *json_get_obj(const json_t *obj, const char *key);
json_t *json_get_arr(const json_t *obj, const char *key);
/* Is v one of the integers of that array? */
bool json_has_int(const json_t *array, int64_t v);

/* Sets key; a NULL string is left out. */
void json_put_str(json_t *obj, const char *key, const char *value);
void json_put_int(json_t *obj, const char *key, int64_t value);
void json_put_bool(json_t *obj, const char *key, bool value);

/* Outside JSON: at most max bytes, BOUND_JSON_DEPTH deep, no duplicate keys. */
json_t *json_load_bounded(const char *p, size_t n, size_t max, struct err *e);
/* Compact text, sorted keys; own (mem_free). */
char *json_text(const json_t *v);
/* Compact text, keys in the order they were put: for frames and rows, where it is
 * a fifth of the work of json_text. */
void json_write(struct buf *b, const json_t *v);
char *json_line(const json_t *v); /* the same; own (mem_free) */

void json_cleanup(json_t **v);
#define AUTO_JSON __attribute__((cleanup(json_cleanup)))

#endif
