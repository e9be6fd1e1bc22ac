/* SPDX-License-Identifier: ISC
 *
 * forward_date - dates as mail programs write them into a text (see forward.h)
 *
 * Reads the numbers and words in the order they come: a number of four digits is
 * the year, a month's name the month, 10:00 the time. Numbers alone are a date
 * only where their order is clear: 2026-11-19, 2026年11月19日, 19.11.2026, or one of
 * the two over 12.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mail/forward.h"

#define NUMBERS 3

/* How the months begin. The first that fits counts, so longer ones stand first. */
static const struct {
    int month;
    const char *stem;
} months[] = {
    {7, "červenec"}, {7, "července"}, {1, "jan"}, {1, "ene"}, {1, "gen"}, {1, "styc"}, {1, "led"},
    {1, "янв"}, {1, "січ"}, {1, "ian"}, {1, "oca"}, {1, "tammi"}, {1, "ιαν"}, {1, "sty"},
    {2, "feb"}, {2, "fév"}, {2, "fev"}, {2, "lut"}, {2, "únor"}, {2, "фев"}, {2, "лют"},
    {2, "şub"}, {2, "helmi"}, {2, "φεβ"}, {3, "mar"}, {3, "mär"}, {3, "maa"}, {3, "mrt"},
    {3, "már"}, {3, "břez"}, {3, "мар"}, {3, "бер"}, {3, "μαρ"}, {3, "μάρ"}, {4, "apr"},
    {4, "avr"}, {4, "abr"}, {4, "ápr"}, {4, "kwi"}, {4, "dub"}, {4, "апр"}, {4, "квіт"},
    {4, "nis"}, {4, "huhti"}, {4, "απρ"}, {5, "may"}, {5, "mai"}, {5, "maj"}, {5, "mag"},
    {5, "mei"}, {5, "máj"}, {5, "květ"}, {5, "май"}, {5, "мая"}, {5, "трав"}, {5, "touko"},
    {5, "μαΐ"}, {5, "μαι"}, {5, "μάι"}, {6, "jun"}, {6, "juin"}, {6, "giu"}, {6, "czer"},
    {6, "cze"}, {6, "červ"}, {6, "июн"}, {6, "черв"}, {6, "iun"}, {6, "jún"}, {6, "haz"},
    {6, "kesä"}, {6, "ιουν"}, {7, "jul"}, {7, "juil"}, {7, "lug"}, {7, "lip"}, {7, "июл"},
    {7, "лип"}, {7, "iul"}, {7, "júl"}, {7, "tem"}, {7, "heinä"}, {7, "ιουλ"}, {8, "aug"},
    {8, "aoû"}, {8, "ago"}, {8, "sie"}, {8, "srp"}, {8, "авг"}, {8, "серп"}, {8, "ağu"},
    {8, "elo"}, {8, "αυγ"}, {9, "sep"}, {9, "set"}, {9, "wrz"}, {9, "září"}, {9, "сен"},
    {9, "верес"}, {9, "szep"}, {9, "eyl"}, {9, "syys"}, {9, "σεπ"}, {10, "oct"}, {10, "okt"},
    {10, "out"}, {10, "ott"}, {10, "paź"}, {10, "říj"}, {10, "окт"}, {10, "жовт"}, {10, "eki"},
    {10, "loka"}, {10, "οκτ"}, {11, "nov"}, {11, "lis"}, {11, "ноя"}, {11, "лист"}, {11, "kas"},
    {11, "marras"}, {11, "νοε"}, {11, "νοέ"}, {12, "dec"}, {12, "dez"}, {12, "dic"}, {12, "déc"},
    {12, "gru"}, {12, "pros"}, {12, "дек"}, {12, "груд"}, {12, "des"}, {12, "ara"}, {12, "joulu"},
    {12, "δεκ"},
};

static const struct {
    const char *name;
    int minutes;
} zones[] = {
    {"cest", 120}, {"cet", 60}, {"mesz", 120}, {"mez", 60}, {"bst", 60}, {"est", -300},
    {"edt", -240}, {"cst", -360}, {"cdt", -300}, {"mst", -420}, {"mdt", -360}, {"pst", -480},
    {"pdt", -420},
};

struct when {
    int number[NUMBERS], digits[NUMBERS];
    char mark[NUMBERS]; /* what stands behind the number */
    int numbers, month, hour, minute, second, zone;
    bool time, pm, am;
};

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static const char *number_read(const char *p, int *v, int *digits)
{
    *v = *digits = 0;
    for (; is_digit(*p) && *digits < 6; p++, ++*digits)
        *v = *v * 10 + (*p - '0');
    return p;
}

/* "+0100", "+01:00", "utc+1": the sign is at p. */
static const char *zone_read(struct when *w, const char *p)
{
    int h, n, m = 0, sign = *p == '-' ? -1 : 1;
    p = number_read(p + 1, &h, &n);
    if (n == 4) {
        m = h % 100;
        h /= 100;
    } else if (*p == ':') {
        p = number_read(p + 1, &m, &n);
    }
    if (h <= 14 && m < 60)
        w->zone = sign * (h * 60 + m);
    return p;
}

static const char *time_read(struct when *w, const char *p, int hour)
{
    int n;
    w->hour = hour;
    w->time = true;
    p = number_read(p + 1, &w->minute, &n);
    if ((*p == ':' || *p == '.') && is_digit(p[1]))
        p = number_read(p + 1, &w->second, &n);
    return p;
}

static const char *digits_read(struct when *w, const char *p)
{
    int v, n;
    const char *q = number_read(p, &v, &n);
    bool hour = n <= 2 && !w->time && v < 24;
    if (hour && (*q == ':' || *q == 'h') && is_digit(q[1]) && is_digit(q[2]))
        return time_read(w, q, v);
    if (hour && *q == '.' && is_digit(q[1]) && is_digit(q[2]) && !is_digit(q[3]) && q[3] != '.' &&
        (w->numbers == NUMBERS || (w->month && w->numbers == 2)))
        return time_read(w, q, v); /* "klo 10.00", behind the date */
    if (w->numbers < NUMBERS) {
        w->number[w->numbers] = v;
        w->digits[w->numbers] = n;
        w->mark[w->numbers++] = *q;
    }
    return q;
}

static const char *word_read(struct when *w, const char *p)
{
    size_t n = 0;
    while ((unsigned char)p[n] >= 0x80 || (p[n] >= 'a' && p[n] <= 'z'))
        n++;
    if (strncmp(p, "pm", 2) == 0 || strncmp(p, "p.m", 3) == 0 || strncmp(p, "下午", 6) == 0 ||
        strncmp(p, "오후", 6) == 0 || strncmp(p, "μ.μ", 5) == 0)
        w->pm = true;
    else if (strncmp(p, "am ", 3) == 0 || strcmp(p, "am") == 0 || strncmp(p, "a.m", 3) == 0)
        w->am = true;
    for (size_t i = 0; i < ARRAY_LEN(months) && w->month == 0; i++)
        if (strncmp(p, months[i].stem, strlen(months[i].stem)) == 0 && (w->numbers > 0 || n > 2))
            w->month = months[i].month;
    for (size_t i = 0; i < ARRAY_LEN(zones) && w->time; i++)
        if (n == strlen(zones[i].name) && strncmp(p, zones[i].name, n) == 0)
            w->zone = zones[i].minutes;
    return p + (n ? n : 1);
}

/* Which of the numbers is what. False when that is open. */
static bool order(const struct when *w, int *year, int *month, int *day)
{
    const int *v = w->number;
    if (w->month && w->numbers >= 2) {
        bool year_first = w->digits[0] == 4;
        *month = w->month;
        *year = year_first ? v[0] : v[1];
        *day = year_first ? v[1] : v[0];
    } else if (w->numbers == 3 && w->digits[0] == 4) {
        *year = v[0], *month = v[1], *day = v[2];
    } else if (w->numbers == 3) {
        bool day_first = w->mark[0] == '.' || v[0] > 12;
        if (!day_first && v[1] <= 12 && v[0] != v[1])
            return false;
        *year = v[2];
        *day = day_first ? v[0] : v[1];
        *month = day_first ? v[1] : v[0];
    } else {
        return false;
    }
    if (*year < 100)
        *year += 2000;
    return *year >= 1970 && *year < 2200 && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
}

int mail_forward_date(const char *s, int64_t *ms_out)
{
    struct when w = {.numbers = 0};
    char line[256], iso[64];
    int year, month, day;
    mail_line_fold(line, sizeof(line), s, strlen(s));
    for (const char *p = line; *p;) {
        bool sign = (*p == '+' || *p == '-') && is_digit(p[1]) && w.time;
        if (sign)
            p = zone_read(&w, p);
        else if (is_digit(*p))
            p = digits_read(&w, p);
        else if ((unsigned char)*p >= 0x80 || (*p >= 'a' && *p <= 'z'))
            p = word_read(&w, p);
        else
            p++;
    }
    if (!w.time || !order(&w, &year, &month, &day) || w.minute > 59 || w.second > 59)
        return -1;
    if (w.pm && w.hour < 12)
        w.hour += 12;
    else if (w.am && w.hour == 12)
        w.hour = 0;
    snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, w.hour, w.minute,
             w.second);
    int64_t ms;
    if (clock_parse_utc(iso, &ms) < 0)
        return -1;
    *ms_out = ms - (int64_t)w.zone * 60000;
    return 0;
}
