/* SPDX-License-Identifier: ISC
 *
 * when_words - the words in which people say a day or a time of day, English and German
 *
 * Text alone: which day that is, when.c works out. Two letters are never a weekday:
 * "do", "so" and "mi" are words, too.
 */
#ifndef LEADD_CRM_WHEN_WORDS_H
#define LEADD_CRM_WHEN_WORDS_H

#include <stdbool.h>

#include "base/err.h"

enum when_kind {
    WHEN_OFFSET,  /* n days from today */
    WHEN_WEEKDAY, /* n: 1 (Sunday) .. 7 */
    WHEN_DATE,    /* day n of the month, of that year; 0: the next one that comes */
    WHEN_SPAN,    /* minutes, days and months from now */
};

struct when_day {
    enum when_kind kind;
    int n, month, year;
    int minutes, days, months;
    bool strict; /* "next monday": not today; a week has begun for "next week" */
    bool end;    /* "eod": a day without a time means its end */
};

/* A character at which a word is over: blank, end, or punctuation before one of these. */
bool when_word_ends(const char *s);
/* Bytes taken from s, 0 when it does not begin with a day, -1 with e when it begins with
 * one that cannot be (31.02.). */
int when_words_day(const char *s, struct when_day *out, struct err *e);
/* "10:00", "10 Uhr", "2pm", "at 10:00", "afternoon"; the same returns. A bare number is
 * none. */
int when_words_clock(const char *s, int *minute, struct err *e);
/* Bytes of "by ", "on ", "bis " and the like; 0 when there is none. */
int when_words_lead_in(const char *s);

int when_month_days(int year, int month);

#endif
