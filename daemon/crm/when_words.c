/* SPDX-License-Identifier: ISC
 *
 * when_words - see when_words.h
 */
#include "crm/when_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define COUNT_MAX 5 /* digits of "in 90 days" */

bool when_word_ends(const char *s)
{
    if (*s && strchr(".,;:!", *s))
        s++;
    return *s == '\0' || *s == ' ' || *s == '\t' || *s == '\n';
}

static int blanks(const char *s)
{
    return (int)strspn(s, " \t");
}

static int digits(const char *s, int max, int *value)
{
    int n = 0;
    *value = 0;
    while (n < max && isdigit((unsigned char)s[n]))
        *value = *value * 10 + (s[n++] - '0');
    return n;
}

/* Letters, and bytes of letters beyond ASCII. */
static int word_bytes(const char *s)
{
    int n = 0;
    while (isalpha((unsigned char)s[n]) || (unsigned char)s[n] >= 0x80)
        n++;
    return n;
}

static bool is_word(const char *s, int n, const char *word)
{
    return n > 0 && (int)strlen(word) == n && strncasecmp(s, word, (size_t)n) == 0;
}

struct meaning {
    const char *word;
    int value;
};

/* words end in one without a name; 0 when none is at s, else its bytes. */
static int word_find(const char *s, const struct meaning *words, int *value)
{
    int n = word_bytes(s);
    for (; n && words->word; words++)
        if (is_word(s, n, words->word)) {
            *value = words->value;
            return n;
        }
    return 0;
}

/* ---- times of day -------------------------------------------------------------------- */

static int minute_of(const char *s, int n, int hour, int min, int half, int *minute, struct err *e)
{
    if (hour > 23 || min > 59 || (half >= 0 && (hour < 1 || hour > 12)))
        return err_set(e, ERR_INPUT, "%.*s is no time of day", n, s);
    if (half >= 0)
        hour = hour % 12 + 12 * half;
    *minute = hour * 60 + min;
    return n;
}

int when_words_clock(const char *s, int *minute, struct err *e)
{
    static const struct meaning particles[] = {{"at", 0}, {"um", 0}, {NULL, 0}};
    static const struct meaning parts[] = {
        {"morning", 9 * 60},  {"früh", 9 * 60},     {"vormittag", 10 * 60}, {"noon", 12 * 60},
        {"mittag", 12 * 60},  {"afternoon", 14 * 60}, {"nachmittag", 14 * 60}, {"evening", 18 * 60},
        {"abend", 18 * 60},   {NULL, 0}};
    static const struct meaning units[] = {{"am", 0}, {"pm", 1}, {"uhr", -1}, {"h", -1}, {NULL, 0}};
    int skip = 0, at = word_find(s, particles, &skip), h, m = 0, half = -1, part;
    if (at)
        at += blanks(s + at);
    int n = digits(s + at, 2, &h);
    if (n == 0) {
        n = word_find(s, parts, &part);
        if (n && when_word_ends(s + n))
            *minute = part;
        return n && when_word_ends(s + n) ? n : 0;
    }
    bool colon = s[at + n] == ':' && digits(s + at + n + 1, 2, &m) == 2;
    n += at + (colon ? 3 : 0);
    int gap = blanks(s + n), unit = word_find(s + n + gap, units, &half);
    if (unit && when_word_ends(s + n + gap + unit))
        return minute_of(s, n + gap + unit, h, m, half, minute, e);
    return colon && when_word_ends(s + n) ? minute_of(s, n, h, m, -1, minute, e) : 0;
}

/* ---- dates ----------------------------------------------------------------------------- */

int when_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static int date_set(const char *s, int n, int year, int month, int day, struct when_day *out,
                    struct err *e)
{
    if (month < 1 || month > 12 || day < 1 || day > when_month_days(year ? year : 2000, month))
        return err_set(e, ERR_INPUT, "%.*s is no date", n, s);
    *out = (struct when_day){.kind = WHEN_DATE, .n = day, .month = month, .year = year};
    return n;
}

static int month_find(const char *s, int *month)
{
    static const struct meaning names[] = {
        {"jan", 1}, {"january", 1}, {"januar", 1}, {"jänner", 1}, {"feb", 2}, {"february", 2},
        {"februar", 2}, {"mar", 3}, {"march", 3}, {"märz", 3}, {"apr", 4}, {"april", 4}, {"may", 5},
        {"mai", 5}, {"jun", 6}, {"june", 6}, {"juni", 6}, {"jul", 7}, {"july", 7}, {"juli", 7},
        {"aug", 8}, {"august", 8}, {"sep", 9}, {"sept", 9}, {"september", 9}, {"oct", 10},
        {"october", 10}, {"okt", 10}, {"oktober", 10}, {"nov", 11}, {"november", 11}, {"dec", 12},
        {"december", 12}, {"dez", 12}, {"dezember", 12}, {NULL, 0}};
    int n = word_find(s, names, month);
    return n && n <= 4 && s[n] == '.' ? n + 1 : n;
}

/* An optional year behind a date without one: bytes, and the year or 0. */
static int year_find(const char *s, int *year)
{
    int gap = blanks(s), n = digits(s + gap, 4, year);
    if (n == 4 && when_word_ends(s + gap + n))
        return gap + n;
    *year = 0;
    return 0;
}

/* "24 dec", "24. Dezember 2026", "dec 24" */
static int month_date(const char *s, struct when_day *out, struct err *e)
{
    int day, month, year, n = digits(s, 2, &day);
    if (n > 0) {
        int at = n + (s[n] == '.');
        at += blanks(s + at);
        int name = month_find(s + at, &month);
        if (!name || at == n || !when_word_ends(s + at + name - (s[at + name - 1] == '.')))
            return 0;
        at += name;
        at += year_find(s + at, &year);
        return date_set(s, at, year, month, day, out, e);
    }
    n = month_find(s, &month);
    int gap = n ? blanks(s + n) : 0, d = gap ? digits(s + n + gap, 2, &day) : 0;
    if (!d || !when_word_ends(s + n + gap + d))
        return 0;
    n += gap + d;
    n += s[n] == '.' || s[n] == ',' ? year_find(s + n + 1, &year) ? 1 + year_find(s + n + 1, &year) : 0
                                    : year_find(s + n, &year);
    return date_set(s, n, year, month, day, out, e);
}

/* "2026-12-01", "1.12.2026", "24.12." */
static int number_date(const char *s, struct when_day *out, struct err *e)
{
    int a, b, c, n = digits(s, 4, &a), n2, n3;
    if (n == 4 && s[4] == '-' && digits(s + 5, 2, &b) == 2 && s[7] == '-' &&
        digits(s + 8, 2, &c) == 2 && when_word_ends(s + 10))
        return date_set(s, 10, a, b, c, out, e);
    if (n < 1 || n > 2 || s[n] != '.')
        return 0;
    n2 = digits(s + n + 1, 2, &b);
    int at = n + 1 + n2;
    if (n2 < 1 || s[at] != '.')
        return 0;
    n3 = digits(s + at + 1, 4, &c);
    if (n3 == 4 && when_word_ends(s + at + 5))
        return date_set(s, at + 5, c, b, a, out, e);
    return n3 == 0 && when_word_ends(s + at + 1) ? date_set(s, at + 1, 0, b, a, out, e) : 0;
}

/* ---- days by name ------------------------------------------------------------------------ */

static int weekday_find(const char *s, int *day)
{
    static const struct meaning names[] = {
        {"sun", 1}, {"sunday", 1}, {"sonntag", 1}, {"mon", 2}, {"monday", 2}, {"montag", 2},
        {"tue", 3}, {"tues", 3}, {"tuesday", 3}, {"dienstag", 3}, {"wed", 4}, {"wednesday", 4},
        {"mittwoch", 4}, {"thu", 5}, {"thur", 5}, {"thurs", 5}, {"thursday", 5}, {"donnerstag", 5},
        {"fri", 6}, {"friday", 6}, {"freitag", 6}, {"sat", 7}, {"saturday", 7}, {"samstag", 7},
        {"sonnabend", 7}, {NULL, 0}};
    int n = word_find(s, names, day);
    return n && when_word_ends(s + n) ? n : 0;
}

/* "next monday", "nächste Woche" */
static int next_day(const char *s, struct when_day *out)
{
    static const struct meaning nexts[] = {
        {"next", 0}, {"nächste", 0}, {"nächsten", 0}, {"nächster", 0}, {"naechste", 0},
        {"naechsten", 0}, {"kommende", 0}, {"kommenden", 0}, {NULL, 0}};
    static const struct meaning weeks[] = {{"week", 0}, {"woche", 0}, {NULL, 0}};
    int ignored, n = word_find(s, nexts, &ignored), gap = n ? blanks(s + n) : 0, day = 0;
    if (!gap)
        return 0;
    int name = weekday_find(s + n + gap, &day);
    if (!name) {
        name = word_find(s + n + gap, weeks, &ignored);
        if (!name || !when_word_ends(s + n + gap + name))
            return 0;
        day = 2;
    }
    *out = (struct when_day){.kind = WHEN_WEEKDAY, .n = day, .strict = true};
    return n + gap + name;
}

/* "in 3 days", "in einer Woche": behind "in". */
static int in_span(const char *s, struct when_day *out)
{
    static const struct meaning ones[] = {{"a", 1}, {"an", 1}, {"one", 1}, {"einem", 1},
                                          {"einer", 1}, {"two", 2}, {"zwei", 2}, {NULL, 0}};
    static const struct meaning units[] = {
        {"minute", 1}, {"minutes", 1}, {"min", 1}, {"mins", 1}, {"minuten", 1}, {"hour", 2},
        {"hours", 2}, {"stunde", 2}, {"stunden", 2}, {"day", 3}, {"days", 3}, {"tag", 3},
        {"tage", 3}, {"tagen", 3}, {"week", 4}, {"weeks", 4}, {"woche", 4}, {"wochen", 4},
        {"month", 5}, {"months", 5}, {"monat", 5}, {"monaten", 5}, {NULL, 0}};
    int count, unit = 0, at = 2;
    if (strncasecmp(s, "in", 2) != 0 || !blanks(s + 2))
        return 0;
    at += blanks(s + 2);
    int n = digits(s + at, COUNT_MAX, &count);
    if (n == 0)
        n = word_find(s + at, ones, &count);
    if (n == 0)
        return 0;
    at += n;
    at += blanks(s + at);
    n = word_find(s + at, units, &unit);
    if (n == 0 || !when_word_ends(s + at + n))
        return 0;
    *out = (struct when_day){.kind = WHEN_SPAN,
                             .minutes = unit == 1 ? count : unit == 2 ? count * 60 : 0,
                             .days = unit == 3 ? count : unit == 4 ? count * 7 : 0,
                             .months = unit == 5 ? count : 0};
    return at + n;
}

static int phrase(const char *s, const char *words)
{
    size_t n = strlen(words);
    return strncasecmp(s, words, n) == 0 && when_word_ends(s + n) ? (int)n : 0;
}

static int named_day(const char *s, struct when_day *out)
{
    static const struct {
        const char *words;
        int days;
        bool end;
    } days[] = {{"today", 0, true}, {"heute", 0, true}, {"eod", 0, true}, {"end of day", 0, true},
                {"tomorrow", 1, false}, {"morgen", 1, false}, {"day after tomorrow", 2, false},
                {"the day after tomorrow", 2, false}, {"übermorgen", 2, false},
                {"Übermorgen", 2, false}, {"uebermorgen", 2, false}};
    int n, day;
    for (size_t i = 0; i < ARRAY_LEN(days); i++)
        if ((n = phrase(s, days[i].words)) > 0) {
            *out = (struct when_day){.kind = WHEN_OFFSET, .n = days[i].days, .end = days[i].end};
            return n;
        }
    if ((n = phrase(s, "eow")) > 0 || (n = phrase(s, "end of week")) > 0) {
        *out = (struct when_day){.kind = WHEN_WEEKDAY, .n = 6, .end = true};
        return n;
    }
    n = weekday_find(s, &day);
    if (n > 0)
        *out = (struct when_day){.kind = WHEN_WEEKDAY, .n = day};
    return n > 0 ? n : next_day(s, out);
}

int when_words_day(const char *s, struct when_day *out, struct err *e)
{
    int n = number_date(s, out, e);
    if (n == 0)
        n = month_date(s, out, e);
    if (n == 0)
        n = named_day(s, out);
    return n ? n : in_span(s, out);
}

int when_words_lead_in(const char *s)
{
    static const struct meaning particles[] = {{"by", 0}, {"on", 0}, {"until", 0}, {"till", 0},
                                               {"am", 0}, {"bis", 0}, {NULL, 0}};
    int ignored, n = word_find(s, particles, &ignored), gap = n ? blanks(s + n) : 0;
    return gap ? n + gap : 0;
}
