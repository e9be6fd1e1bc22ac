/* SPDX-License-Identifier: ISC
 *
 * words - which of many words stand in a text, in one pass over it
 *
 * Aho and Corasick's automaton over bytes of folded text. Memory grows with the
 * bytes of the words, time with the length of the text, neither with their
 * product. Built once; words_scan() keeps marks in it, so one at a time.
 */
#ifndef LEADD_RULE_WORDS_H
#define LEADD_RULE_WORDS_H

#include "base/buf.h"

enum word_place { WORD_ANYWHERE, WORD_STARTS, WORD_ENDS };

struct words;

struct words *words_new(void);
void words_free(struct words **w); /* accepts NULL, sets NULL */
/* p is borrowed until words_build(); n > 0. */
void words_add(struct words *w, const char *p, size_t n, enum word_place place, int value);
void words_build(struct words *w);
size_t words_bytes(const struct words *w); /* of memory */
/* Calls found with the value of each word that stands there, mostly once. */
void words_scan(struct words *w, struct str text, void (*found)(void *arg, int value), void *arg);

#endif
