/* SPDX-License-Identifier: ISC
 *
 * words - which of many words stand in a text, in one pass over it
 *
 * The first bytes of each word set a bit; at each place of the text a look at that
 * bit says whether any word may begin there, and only then a tree of the words is
 * walked. Time grows with the text and with the words in it, hardly with their
 * number: ten thousand words cost what a hundred do. Built once.
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
/* Calls found with the value of each word, at each place where it stands. */
void words_scan(const struct words *w, struct str text, void (*found)(void *arg, int value),
                void *arg);

#endif
