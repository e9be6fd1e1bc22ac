/* SPDX-License-Identifier: ISC
 *
 * source_path - where in what another program sent a value stands
 *
 * A value of a mapping is one or more alternatives, separated by " | ": the first that is
 * there counts. Each is
 *
 *   data.customer.email            a path: keys, and numbers of list elements
 *   answers[type=email].email      the first element of a list whose key has that value
 *   line_items[*].title            of all elements, joined by a comma
 *   header.x-topic, query.page     not of the body
 *   {first_name} {last_name}       a text with paths in it
 *   'EUR'                          that text
 *
 * A condition is "PATH = A|B", "PATH != A|B", "PATH starts A|B", "PATH is set" or
 * "PATH is not set". Pure. Numbers and booleans are text, too.
 */
#ifndef LEADD_CRM_SOURCE_PATH_H
#define LEADD_CRM_SOURCE_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* What is looked into. All borrowed. */
struct source_in {
    const json_t *body; /* JSON as it came, or an object of the posted names */
    const json_t *query, *headers; /* name -> text; header names in lower case */
};

/* The node that a path leads to, borrowed; NULL: there is none. No [*] and no text. */
const json_t *source_node(const struct source_in *in, const char *path, size_t n);
/* The value of a mapping as text; own, NULL when nothing is there. */
char *source_text(const struct source_in *in, const char *value);
bool source_holds(const struct source_in *in, const char *condition);

/* Can it be read? -1 with e. */
int source_value_check(const char *value, struct err *e);
int source_condition_check(const char *condition, struct err *e);

#endif
