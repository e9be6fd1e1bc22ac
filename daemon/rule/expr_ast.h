/* SPDX-License-Identifier: ISC
 *
 * expr_ast - a condition inside: tokens, tree, literals (private to expr_*.c)
 *
 * text -> expr_lex -> expr_parse -> expr_check -> expr_eval, expr_trace
 *
 * The parser knows words only; the checker resolves fields, tables and
 * literals, so that all wrong names of a condition are found in one run.
 */
#ifndef LEADD_RULE_EXPR_AST_H
#define LEADD_RULE_EXPR_AST_H

#include "rule/expr.h"
#include "rule/map.h"

enum expr_token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_TABLE,   /* @name */
    TOKEN_COMPARE, /* == != < <= > >= */
    TOKEN_MATCH,   /* ~ */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LIST_OPEN,
    TOKEN_LIST_CLOSE,
    TOKEN_COMMA,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_BAD, /* already reported */
};

enum expr_compare { EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE };

struct expr_lexer {
    const char *text; /* borrowed */
    int at;           /* behind the current token */
    enum expr_token token;
    int col, end; /* of the current token */
    int last_end; /* end of the token before */
    enum expr_compare cmp;
    struct buf word; /* own; WORD, TABLE (without @), NUMBER as written; STRING decoded */
    expr_error_fn report;
    void *arg;
};

void expr_lex_next(struct expr_lexer *lx);
bool expr_lex_is(const struct expr_lexer *lx, const char *word);

enum expr_arg_kind { ARG_FIELD, ARG_TEXT, ARG_NUMBER, ARG_MONEY, ARG_DURATION, ARG_BOOL };

/* A field or a literal. lo..hi is the range a literal covers: a date is a
 * whole day; for all else they are equal. */
struct expr_arg {
    enum expr_arg_kind kind;
    int col, len;
    char *word;      /* own; as written (text: decoded) */
    int field;       /* FIELD */
    bool was;        /* FIELD: as it was before the event */
    char *less_word; /* own; FIELD: `word - less_word`, a duration between two times; or NULL */
    int less, less_col;
    char *shift_word; /* own; FIELD: "+ 3days", "- 3days" behind it; or NULL */
    int64_t shift;    /* of shift_word, in milliseconds */
    enum rule_type type; /* FIELD: of the value, after what is done to it */
    int64_t lo, hi;
    char currency[4]; /* money; "" means any */
    char *fold;       /* own; text, folded */
    size_t fold_len;
};

enum expr_op {
    EXPR_AND,
    EXPR_OR,
    EXPR_NOT,
    EXPR_TRUTH, /* a bare field of type bool */
    EXPR_SET,
    EXPR_COMPARE,
    EXPR_IN,
    EXPR_BETWEEN,
    EXPR_CONTAINS,
    EXPR_STARTS,
    EXPR_ENDS,
    EXPR_MATCHES,
    EXPR_CHANGED, /* changed(field) */
    EXPR_ENTERED, /* entered(field, value) */
};

struct expr_regex;

struct expr_node {
    enum expr_op op;
    enum expr_compare cmp;
    int col, len;
    struct expr_node *first, *next; /* AND, OR, NOT: parts, and the next part */
    struct expr_arg *args;          /* args[0] is what is asked about */
    size_t arg_count, arg_cap;
    char *table_name; /* own; @table instead of further args */
    int table_col;
    const struct rule_table *table;
    struct rule_map values; /* IN with many text literals */
    struct expr_regex *regex;
};

struct expr {
    char *text; /* own */
    const struct expr_env *env;
    struct expr_node *root;
    int *fields; /* own; ascending */
    size_t field_count;
};

struct expr_node *expr_node_new(enum expr_op op, int col);
void expr_node_free(struct expr_node *n); /* with its parts; accepts NULL */
struct expr_arg *expr_node_arg(struct expr_node *n, enum expr_arg_kind kind, int col);

/* An operator as it is written; "" for those without a sign. */
const char *expr_op_name(const struct expr_node *n);
/* The canonical text of one argument. */
void expr_arg_print(const struct expr_arg *a, struct buf *out);

/* NULL after reporting one syntax error. */
struct expr_node *expr_parse(const char *text, expr_error_fn report, void *arg);

struct expr_checker {
    const struct expr_env *env;
    expr_error_fn report;
    void *arg;
    int errors;
};

void expr_check_fail(struct expr_checker *c, int col, const char *fmt, ...) LEADD_PRINTF(3, 4);
void expr_check(struct expr_checker *c, struct expr_node *root);
/* Makes the literal a value of field f's type; false after reporting. */
bool expr_literal(struct expr_checker *c, const struct rule_field *f, struct expr_arg *a);
/* A table's values as values of f's type, appended to n's arguments. */
bool expr_literal_table(struct expr_checker *c, const struct rule_field *f, struct expr_node *n);
/* Reads a date or time; 0 or -1. The end of a date is its last millisecond. */
int expr_time_parse(const char *s, const char *zone, int64_t *lo_out, int64_t *hi_out);

enum expr_regex_result { REGEX_NO, REGEX_YES, REGEX_GAVE_UP };
/* NULL with what and where (within pattern) on a pattern error. */
struct expr_regex *expr_regex_new(const char *pattern, char *what, size_t n, int *at_out);
void expr_regex_free(struct expr_regex **r);
struct expr_matcher;
struct expr_matcher *expr_matcher_new(void);
void expr_matcher_free(struct expr_matcher **m);
enum expr_regex_result expr_regex_match(const struct expr_regex *r, struct expr_matcher *m,
                                        struct str text);

/* One field's value as read, and folded when that was asked for. */
struct expr_slot {
    unsigned state; /* equals facts->state when it was read in this state */
    bool folded;
    struct rule_value value;
    struct buf fold;        /* own once init; all items one after the other for a list */
    uint64_t fold_of;       /* TEXT: hash of what is folded there */
    struct str *fold_items; /* own; LIST */
};

struct expr_facts {
    const struct rule_fields *fields;
    rule_get_fn get;
    void *arg;
    unsigned state;
    struct expr_slot **slots; /* own; each made when it is first read: of many fields few are */
    struct expr_facts *was;  /* before the event; NULL: nothing was there */
    struct expr_facts *at;   /* as the event left it; may be this one */
    struct expr_matcher *matcher;
    const char *note; /* set by a comparison that could not be made */
};

/* Of bytes, going on from h; not for keys that strangers choose. */
uint64_t expr_hash(uint64_t h, const char *s, size_t n);
const struct rule_value *expr_facts_value(struct expr_facts *f, int field);
struct str expr_facts_folded(struct expr_facts *f, int field);            /* TEXT, when set */
uint64_t expr_facts_hash(struct expr_facts *f, int field); /* of the same; it is folded then */
const struct str *expr_facts_folded_items(struct expr_facts *f, int field); /* LIST, when set */

/* What an argument that is a field stands for; tmp holds it where it is computed. */
const struct rule_value *expr_arg_value(const struct expr_arg *a, struct expr_facts *f,
                                        struct rule_value *tmp);
enum rule_result expr_node_eval(const struct expr_node *n, struct expr_facts *f);

#endif
