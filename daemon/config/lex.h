/* SPDX-License-Identifier: ISC
 *
 * lex - the words of a libconfig file, with their places
 *
 * Splits the text of a file and of what it includes into tokens. Unlike
 * libconfig's own scanner it knows line and column of each token, stops a
 * string at the end of its line, sees a comment that is never closed, and says
 * what is wrong. Never fatal: what is no token is reported and skipped.
 */
#ifndef LEADD_CONFIG_LEX_H
#define LEADD_CONFIG_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/errlist.h"

enum lex_type {
    LEX_EOF,
    LEX_NAME,   /* a valid key */
    LEX_BOOL,   /* true, false */
    LEX_NUMBER, /* as libconfig reads it */
    LEX_WORD,   /* any other bare word: "24h-x", "64M", "mia@example.com" */
    LEX_STRING, /* with its quotes */
    LEX_PUNCT,  /* one of = : ; , { } [ ] ( ) in *p */
};

struct lex_token {
    enum lex_type type;
    const char *p; /* borrowed from the lexer */
    size_t n;
    const char *file; /* borrowed from the lexer */
    int line, col;    /* from 1; col counts bytes */
    bool first;       /* first token of its line */
    bool assigns;     /* a word with = or : behind it */
    bool broken;      /* a string that was reported */
};

#define LEX_INCLUDE_DEPTH 10
#define LEX_FILES 100

struct lex_file {
    char *name; /* own */
    struct buf text;
};

struct lex_input {
    const struct lex_file *file; /* borrowed from the lexer */
    size_t pos, line_start;
    int line;
    bool fresh; /* no token on this line yet */
};

struct lex {
    struct errlist *errors; /* borrowed */
    struct lex_file *files[LEX_FILES]; /* own */
    size_t nfiles, bytes;
    struct lex_input stack[LEX_INCLUDE_DEPTH];
    size_t depth;
    struct lex_token ahead;
    bool has_ahead;
};

/* Opens the file at path; -1 with an error added when it cannot be read as
 * text. at is where it is named (NULL: nowhere). */
int lex_init(struct lex *l, const char *path, const char *at, struct errlist *errors);
void lex_done(struct lex *l);

const struct lex_token *lex_peek(struct lex *l);
struct lex_token lex_next(struct lex *l);
bool lex_is(const struct lex_token *t, char punct);

/* "file:line:col"; own. */
char *lex_at(const struct lex_token *t);
/* The token for a message, quoted and cut; own. */
char *lex_show(const struct lex_token *t);

/* Folder of a path ("." when it has none), and path taken from that folder
 * unless it is absolute; own. */
char *lex_dir(const char *path);
char *lex_join(const char *dir, const char *path);

#endif
