/* SPDX-License-Identifier: ISC
 *
 * scan - a libconfig file as a tree of places, and as text libconfig can read
 *
 * libconfig 1.5 accepts files that do not say what their author meant: it
 * joins two strings when a comma is missing, wraps a long number, swallows the
 * file after an open comment, and answers most else with "syntax error" on
 * some line. This reads the file first, reports each of these with file, line
 * and column, and goes on. What is sound is kept twice: as a tree that knows
 * the place of every value, and as plain text of the same shape, which
 * libconfig then reads. What was reported is left out of both, and the group
 * around it is marked damaged, so that nobody complains that it is missing.
 */
#ifndef LEADD_CONFIG_SCAN_H
#define LEADD_CONFIG_SCAN_H

#include <libconfig.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/errlist.h"

enum scan_type { SCAN_GROUP, SCAN_ARRAY, SCAN_LIST, SCAN_STRING, SCAN_NUMBER, SCAN_BOOL };

struct scan_node {
    char *name; /* own; NULL for an element of [ ] or ( ) */
    enum scan_type type;
    const char *file; /* borrowed from the scan */
    int line;         /* of the key, or of an element itself */
    int value_line;   /* of the value's first character */
    int value_col;    /* in bytes from 1; for a string the one behind its quote */
    bool damaged;     /* something in here was reported and left out */
    struct scan_node **sub; /* own */
    size_t count;
};

struct scan {
    struct scan_node *root; /* own */
    config_t config;        /* own; the same tree with values */
    void *lex;              /* own; holds file names */
    bool loaded;            /* config was read */
};

/* Reads path. at is where it is named, or NULL. Errors are added for all that
 * is wrong. Returns -1 when there is no tree, or none that can be what was
 * meant, because a brace is missing: then nothing more should be said of it. */
int scan_init(struct scan *s, const char *path, const char *at, struct errlist *errors);
void scan_done(struct scan *s);

/* The node called name in a group, or NULL. */
const struct scan_node *scan_member(const struct scan_node *group, const char *name);
/* "file:line" of a node; own. */
char *scan_at(const struct scan_node *n);

#endif
