/* SPDX-License-Identifier: ISC
 *
 * schema - one row per key, and the walk that holds a file against the rows
 *
 * The rows (keys.c) are what leadd.conf(5) is made from as well, so a key that
 * is read is a key that is described.
 */
#ifndef LEADD_CONFIG_SCHEMA_H
#define LEADD_CONFIG_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errlist.h"
#include "config/scan.h"

enum schema_type {
    TYPE_TEXT,     /* one line */
    TYPE_INT,      /* min..max */
    TYPE_BOOL,
    TYPE_DURATION, /* "30m" -> ms, min..max in ms */
    TYPE_SIZE,     /* "50M" -> bytes, min..max */
    TYPE_CHOICE,   /* one of choices */
    TYPE_TEXTS,    /* a list of texts, or one */
    TYPE_PATH,     /* made absolute */
    TYPE_SECRET,   /* a path to a credential file, which is looked at */
    TYPE_SECRETS,  /* a list of them, or one */
    TYPE_PORT,
    TYPE_EMAIL,
    TYPE_EMAILS,
    TYPE_PHONE,    /* "+4312345": E.164 */
    TYPE_HOST,
    TYPE_LISTEN,   /* "127.0.0.1:8025", "[::1]:8025" */
    TYPE_COUNTRY,  /* "AT" */
    TYPE_CURRENCY, /* "EUR" */
    TYPE_ZONE,     /* "Europe/Vienna" */
    TYPE_DATE,     /* "now", "all", "2026-11-21" */
    TYPE_URL,      /* http or https, or a path beginning with "/" */
    TYPE_NAME,     /* a name as keys have it */
    TYPE_LINE,     /* -> {text, at, col} */
    TYPE_LINES,    /* one or a list -> [{text, at, col}] */
    TYPE_GROUP,    /* keys of sub */
    TYPE_MAP,      /* names, each with a group of keys of sub */
    TYPE_LIST,     /* ( groups with the keys of sub ) */
    TYPE_CUSTOM,   /* read does it */
};

/* How the walk goes. */
struct walk {
    struct errlist *errors; /* borrowed */
    json_t *warnings;       /* borrowed: array of text */
    const char *dir;        /* absolute: where relative paths begin; borrowed */
    bool away;              /* not the daemon's machine: credentials are not looked for */
    const char *presets;    /* absolute: the folder of presets; borrowed */
    bool unread;            /* a file could not be read, or has a mistake of syntax */
    bool bare;              /* what is not written stays out: no default, none is missing */
};

/* A value in the file: what libconfig read, and where it stands. */
struct place {
    config_setting_t *setting; /* borrowed */
    const struct scan_node *node; /* borrowed */
    const char *path;             /* "mailboxes.sales.port"; borrowed */
};

struct schema_key;
typedef json_t *(*schema_read_fn)(struct walk *w, const struct schema_key *key,
                                  const struct place *p);

#define SCHEMA_REQUIRED 1u
#define SCHEMA_HIDDEN 2u /* not in the man page: belongs to a later version */
#define SCHEMA_FULL 4u   /* a list that must not be empty */
#define SCHEMA_NAMES 8u  /* TYPE_CUSTOM: names, each with a group of keys of sub */
#define SCHEMA_AGAIN 16u /* sub is a schema that this key stands in: described there */

struct schema_key {
    const char *name;
    enum schema_type type;
    unsigned flags;
    const char *def;     /* as it would be written, without quotes; NULL: none */
    const char *choices; /* separated by spaces, or by | when there is one; for TYPE_CUSTOM: what is expected */
    int64_t min, max;    /* both 0: no limits */
    const char *unit;    /* for TYPE_INT: what is counted */
    const char *only;    /* only in groups with this `type`; NULL: in all */
    const struct schema *sub;
    schema_read_fn read; /* for TYPE_CUSTOM */
    const char *help;    /* one or two sentences, plain text */
};

struct schema {
    const char *name; /* what one of these is called: "mailbox" */
    const struct schema_key *keys;
    size_t count;
    bool place; /* add "at" */
    const char *presets; /* the key "preset" names a file in this folder of presets_dir */
};

/* The object for a group. All keys have their values or defaults; what was
 * wrong is left out and reported. */
json_t *schema_walk(struct walk *w, const struct schema *s, const struct place *p);
/* The preset that out names, below what out has (preset.c). */
void preset_merge(struct walk *w, const struct schema *s, const struct place *p, json_t *out);
json_t *schema_walk_map(struct walk *w, const struct schema *s, const struct place *p);
json_t *schema_walk_list(struct walk *w, const struct schema *s, const struct place *p);
/* One value by its row, or NULL (reported). */
json_t *schema_value(struct walk *w, const struct schema_key *key, const struct place *p);
/* A text by its row, wherever it comes from: NULL and a reason in e. */
json_t *schema_text(struct walk *w, const struct schema_key *key, const char *text,
                    struct err *e);

/* Child i of a group, array or list. Fill path_out's owner with mem_free. */
struct place schema_child(const struct place *p, size_t i, char **path_out);
const char *schema_expected(const struct schema_key *key, char *out, size_t n);

/* Adds "file:line: path: what" */
void walk_error(struct walk *w, const struct place *p, const char *fmt, ...) LEADD_PRINTF(3, 4);
void walk_warn(struct walk *w, const char *at, const char *fmt, ...) LEADD_PRINTF(3, 4);
/* "text "5"", "the number 5", "a list", for messages; own. */
char *walk_got(const struct place *p);

extern const struct schema schema_main, schema_rules_file;

#endif
