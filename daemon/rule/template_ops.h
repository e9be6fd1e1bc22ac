/* SPDX-License-Identifier: ISC
 *
 * template_ops - a compiled template inside (private to template*.c)
 *
 * Each part (subject, text, HTML) is a flat list of operations; a section
 * knows where it ends. Partials were taken in while reading.
 */
#ifndef LEADD_RULE_TEMPLATE_OPS_H
#define LEADD_RULE_TEMPLATE_OPS_H

#include "base/bounds.h"
#include "rule/template.h"

enum template_op_kind {
    OP_TEXT,
    OP_VALUE,    /* {{name}} */
    OP_RAW,      /* {{{name}}} */
    OP_SECTION,  /* {{#name}} */
    OP_INVERTED, /* {{^name}} */
    OP_SIGNATURE, /* {{> signature}} */
};

struct template_op {
    enum template_op_kind kind;
    char *text; /* own; TEXT; of VALUE and RAW the words for when it is not set, or NULL */
    size_t len;
    const char *path; /* borrowed: where it stands */
    int line;
    int field;
    int scope; /* VALUE, RAW of {{.}}: the section it stands in; else -1 */
    int end;   /* SECTION, INVERTED: the first operation behind it */
};

struct template_part {
    struct template_op *ops; /* own */
    int count, cap;
};

enum template_part_id { PART_SUBJECT, PART_TEXT, PART_HTML, PART_COUNT };

struct template {
    char *name; /* own */
    const struct rule_fields *fields;
    struct template_part parts[PART_COUNT];
    bool has_html, html_alone; /* html_alone: the text is made of it */
    bool from_owner;
    char *list; /* own; or NULL */
    bool track_clicks;
    char *path; /* own; and those of its partials */
    char **paths;
    size_t path_count;
};

struct template_reader {
    struct template_part *part;
    const struct rule_fields *fields;
    template_partial_fn partial;
    void *arg;
    struct errlist *errors;
    bool header; /* no lines, no partials */
    bool signature; /* {{> signature}} may stand here */
    struct template *t;
    int total;   /* tags read */
    size_t bytes; /* of literal text */
    bool too_many; /* of either: reading has ended */
    int open[BOUND_TEMPLATE_DEPTH]; /* sections that are open, and where they began */
    int open_line[BOUND_TEMPLATE_DEPTH];
    int open_count;
    const char *partials[BOUND_TEMPLATE_DEPTH]; /* names of those we are in */
    int partial_depth;
};

/* Appends the operations of n bytes of text, whose first line is `line` of
 * path; errors go to the reader's list. */
void template_read(struct template_reader *r, const char *text, size_t n, const char *path,
                   int line);

#endif
