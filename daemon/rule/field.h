/* SPDX-License-Identifier: ISC
 *
 * field - what a condition or a template may name, and the values it sees
 *
 * crm fills one table of fields (names such as "lead.score"); everything here
 * is read through a callback, so this room knows no store and no record. A
 * field is known by its index in the table, which is fixed for the life of a
 * struct rule_fields.
 */
#ifndef LEADD_RULE_FIELD_H
#define LEADD_RULE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum rule_type {
    RULE_TYPE_TEXT,
    RULE_TYPE_INT,      /* whole numbers */
    RULE_TYPE_MONEY,    /* minor units and a currency */
    RULE_TYPE_BOOL,
    RULE_TYPE_TIME,     /* UTC milliseconds; dates are times, too */
    RULE_TYPE_DURATION, /* milliseconds */
    RULE_TYPE_LIST,     /* of text, such as lead.tags */
};

const char *rule_type_name(enum rule_type t); /* "text", "whole number", ... for messages */

struct rule_field {
    const char *name;
    enum rule_type type;
    bool personal;              /* its values are sealed wherever they are stored */
    const char *help;           /* one line for the manual; may be NULL */
    const char *const *choices; /* TEXT: the only values, NULL-terminated; NULL: any text */
};

/* The set: the array and its strings are borrowed and must outlive it. */
struct rule_fields;
struct rule_fields *rule_fields_new(const struct rule_field *fields, size_t count);
void rule_fields_free(struct rule_fields **f); /* accepts NULL, sets NULL */
size_t rule_fields_count(const struct rule_fields *f);
const struct rule_field *rule_fields_get(const struct rule_fields *f, int index);
int rule_fields_find(const struct rule_fields *f, const char *name);           /* index or -1 */
const char *rule_fields_nearest(const struct rule_fields *f, const char *name); /* or NULL */

enum rule_state {
    RULE_VALUE_UNSET = 0, /* nobody has given it; empty text and empty lists count as unset */
    RULE_VALUE_SET,
    RULE_VALUE_UNKNOWN,   /* cannot know now: an outside lookup has not answered */
};

/* Of the field's own type; which member counts follows from that. */
struct rule_value {
    enum rule_state state;
    struct str text;         /* TEXT; UTF-8, borrowed from the facts */
    int64_t num;             /* INT; MONEY minor units; BOOL 0 or 1; TIME, DURATION ms */
    char currency[4];        /* MONEY: "EUR" */
    const struct str *items; /* LIST; borrowed from the facts */
    size_t count;            /* LIST */
};

/* Reads one field. out comes in as UNSET. What out points to must stay valid
 * until the facts change (see ruleset.h) or the evaluation ends. Called at
 * most once per field and state of the facts. */
typedef void (*rule_get_fn)(void *facts, int field, struct rule_value *out);

/* The value as people read it: 'DE', 5000.00 EUR, 2026-11-21 10:00:00 UTC, 30m,
 * true, ['a', 'b'], "not set", "not known yet". At most max bytes of text. */
void rule_value_print(const struct rule_field *f, const struct rule_value *v, size_t max,
                      struct buf *out);

/* Money as rules and commands write it: "5000", "5000.50", "5000 EUR", "EUR
 * 5000"; no thousands separators, three capital letters. Without a currency the
 * default is taken; when that is NULL, too, currency_out is "" and the minor
 * unit is a hundredth. Amounts are minor units (ISO 4217: 2 digits, JPY 0, KWD
 * 3); more decimals than the currency has are refused. 0 or -1. */
int rule_money_parse(const char *s, const char *default_currency, int64_t *minor_out,
                     char currency_out[4]);
int rule_money_digits(const char *currency); /* 2 when not listed otherwise */
void rule_money_print(int64_t minor, const char *currency, struct buf *out); /* "5000.00 EUR" */

/* Unicode case folding for comparisons (NFKC_Casefold: also composes, folds
 * width and drops invisible characters): "STRASSE" and "Stra\u00dfe" are equal.
 * Bytes that are no UTF-8 become U+FFFD. */
void rule_fold(const char *s, size_t n, struct buf *out);
/* Folded equality of two short texts. */
bool rule_fold_equal(const char *a, const char *b);

#endif
