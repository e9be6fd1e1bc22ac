/* SPDX-License-Identifier: ISC
 *
 * task_slip - what stands in a task where its time was looked for, and is nearly one
 *
 *     task tomorow 10:00 call          task fri at 9 call          task evry Monday look
 *
 * A task takes all that is no time as its words, so a slip of the finger would make a task
 * without a date, and nobody would hear of it. What is nearly a time is refused with the form
 * that was probably meant: one that the parsers take. Words that only look like one stand in
 * quotes, where nothing is ever looked for.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/cmd.h"
#include "crm/task.h"
#include "crm/when.h"

#define SLIP_WORDS 3
#define SLIP_WORD 24

struct slip {
    const char *s;
    const struct crm *crm;
    const char *zone;
    int64_t now_ms;
    char word[SLIP_WORDS][SLIP_WORD]; /* lower case, without what is written behind it */
    size_t count;
};

static void slip_words(struct slip *p)
{
    const char *s = p->s;
    for (p->count = 0; *s && p->count < SLIP_WORDS; p->count++) {
        size_t n = strcspn(s, " \t,;"), k = 0;
        for (; k < n && k + 1 < SLIP_WORD; k++)
            p->word[p->count][k] = (char)tolower((unsigned char)s[k]);
        while (k && strchr(".:!?", p->word[p->count][k - 1]))
            k--;
        p->word[p->count][k] = '\0';
        s += n + strspn(s + n, " \t,;");
    }
}

static const char *slip_word(const struct slip *p, size_t i)
{
    return i < p->count ? p->word[i] : "";
}

/* One letter too many, too few or another, or two that changed places. */
static bool one_off(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), i = 0;
    while (a[i] && a[i] == b[i])
        i++;
    if (n == m)
        return a[i] && (strcmp(a + i + 1, b + i + 1) == 0 ||
                        (a[i + 1] && a[i] == b[i + 1] && a[i + 1] == b[i] &&
                         strcmp(a + i + 2, b + i + 2) == 0));
    return n == m + 1   ? strcmp(a + i + 1, b + i) == 0
           : n + 1 == m ? strcmp(a + i, b + i + 1) == 0
                        : false;
}

static const char *const days[] = {
    "today",   "tomorrow", "monday",  "tuesday",  "wednesday", "thursday",   "friday",  "saturday",
    "sunday",  "heute",    "morgen",  "montag",   "dienstag",  "mittwoch",   "donnerstag", "freitag",
    "samstag", "sonntag",  "january", "february", "september", "october",    "november", "december"};

/* The word that was meant, or NULL; never the word itself. */
static const char *near_of(const char *word, const char *const *known, size_t count)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, known[i]) == 0)
            return NULL;
    for (size_t i = 0; i < count; i++)
        if (n > 2 && word[0] == known[i][0] && one_off(word, known[i]))
            return known[i];
    const char *near = n > 6 && known == days ? text_nearest(word, known, count) : NULL; /* tommorow */
    size_t m = near ? strlen(near) : 0;
    return near && word[0] == near[0] && word[n - 1] == near[m - 1] ? near : NULL;
}

/* Does all of it read as a time? */
static bool reads(const struct slip *p, const char *text)
{
    struct err none = {0};
    int64_t at;
    int n = crm_when_parse(text, p->zone, p->now_ms, &at, &none);
    return n > 0 && (size_t)n == strlen(text);
}

static int slip_found(const struct slip *p, size_t words, const char *meant, struct err *e)
{
    char said[SLIP_WORDS * SLIP_WORD] = "";
    for (size_t i = 0; i < words && i < p->count; i++)
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s", i ? " " : "", p->word[i]);
    said[text_utf8_cut(said, strlen(said), sizeof(said))] = '\0';
    return err_set(e, ERR_INPUT,
                   "task: '%s' reads as no time; did you mean: %s? In quotes it is words: task \"%s ..\"",
                   said, meant, said);
}

/* ---- days, and times from now ----------------------------------------------------------- */

static const char *const units[] = {"minute", "minutes", "hour", "hours", "day", "days", "week", "weeks",
                                    "month", "months"};
static const char *const others[][2] = {{"tonight", "evening"}, {"tmrw", "tomorrow"}, {"tmr", "tomorrow"},
                                        {"2moro", "tomorrow"}, {"tdy", "today"}};

/* The first words, one of them as it was probably meant: "by friday" of "by frday". */
static int slip_spelt(const struct slip *p, struct err *e)
{
    char text[160] = "";
    if (isdigit((unsigned char)*p->s))
        snprintf(text, sizeof(text), "in ");
    for (size_t i = 0; i < p->count; i++) {
        const char *w = p->word[i], *near = near_of(w, days, ARRAY_LEN(days));
        size_t len = strlen(text), n = strlen(w);
        bool several = near && n == strlen(near) + 1 && w[n - 1] == 's';
        if (!near)
            near = i > 0 ? near_of(w, units, ARRAY_LEN(units)) : NULL;
        snprintf(text + len, sizeof(text) - len, "%s", near ? near : w);
        if (near && !(several && i == 0) && reads(p, text))
            return slip_found(p, i + 1, text, e);
        if (near)
            snprintf(text + len, sizeof(text) - len, "%s", w);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " ");
    }
    return 0;
}

/* "3 days", "@fri", "1st dec", "12/01", "tonight" */
static int slip_form(const struct slip *p, struct err *e)
{
    const char *w = slip_word(p, 0);
    size_t digits = strspn(w, "0123456789");
    char text[160];
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(w, others[i][0]) == 0)
            return slip_found(p, 1, others[i][1], e);
    if (*w == '@' && reads(p, w + 1))
        return slip_found(p, 1, w + 1, e);
    snprintf(text, sizeof(text), "in %s %s", w, slip_word(p, 1));
    if (digits && !w[digits] && reads(p, text))
        return slip_found(p, 2, text, e);
    snprintf(text, sizeof(text), "%.*s %s", (int)digits, w, slip_word(p, 1));
    if (digits && strlen(w) == digits + 2 && isalpha((unsigned char)w[digits]) && reads(p, text))
        return slip_found(p, 2, text, e);
    if (digits && w[digits] == '/' && strspn(w, "0123456789/") == strlen(w) && strcmp(w, "24/7") != 0)
        return slip_found(p, 1, "a day such as 2026-12-01 or 1.12.", e);
    return 0;
}

/* "10.30", "1.12", "at 9": behind a day, or alone. */
static int slip_clock(const struct slip *p, bool dated, struct err *e)
{
    const char *w = slip_word(p, 0), *next = slip_word(p, 1);
    int a = 0, b = 0, n = 0;
    char text[80];
    if (sscanf(w, "%2d.%2d%n", &a, &b, &n) == 2 && !w[n]) {
        char clock[32] = "", day[SLIP_WORD + 2];
        snprintf(day, sizeof(day), "%s.", w);
        if (a < 24 && b < 60 && w[n - 3] == '.')
            snprintf(clock, sizeof(clock), "%d:%02d", a, b);
        bool is_day = !dated && reads(p, day);
        snprintf(text, sizeof(text), "%s%s%s", clock, *clock && is_day ? ", or the day " : "", is_day ? day : "");
        return *text ? slip_found(p, 1, text, e) : 0;
    }
    if ((strcmp(w, "at") == 0 || strcmp(w, "um") == 0) && sscanf(next, "%2d%n", &a, &n) == 1 && !next[n] &&
        a < 24) {
        snprintf(text, sizeof(text), "%d:00", a);
        return slip_found(p, 2, text, e);
    }
    return 0;
}

/* ---- what stands beside the time ----------------------------------------------------------- */

/* "Mondy", "2", and where every itself is misspelt "Monday": not "child". */
static bool slip_often(const char *w, bool exact)
{
    static const char *const whole[] = {"quarter", "year", "workday", "other", "first", "last"};
    const char *const *const all[] = {days, units, whole};
    const size_t count[] = {ARRAY_LEN(days), ARRAY_LEN(units), ARRAY_LEN(whole)};
    bool is = isdigit((unsigned char)*w);
    for (size_t i = 0; i < ARRAY_LEN(all) && !strchr(w, '\''); i++) {
        is |= near_of(w, all[i], count[i]) != NULL;
        for (size_t k = 0; exact && k < count[i]; k++)
            is |= strcmp(w, all[i][k]) == 0;
    }
    return is;
}

static int slip_every(const struct slip *p, const struct task_said *t, struct err *e)
{
    static const char *const every[] = {"every"};
    static const char *const often[] = {"daily", "weekly", "monthly", "quarterly", "yearly", "annually"};
    const char *w = slip_word(p, 0), *near = near_of(w, often, ARRAY_LEN(often));
    bool spelt = near_of(w, every, 1) && w[strlen(w) - 1] == 'y';
    if (t->recurs)
        return strcmp(w, "on") == 0 && isdigit((unsigned char)*slip_word(p, 1))
                   ? slip_found(p, 2, "every month on the 15th", e) : 0;
    if (near)
        return slip_found(p, 1, near, e);
    bool times = slip_often(slip_word(p, 1), spelt) || slip_often(slip_word(p, 2), false);
    return (spelt || strcmp(w, "every") == 0) && times
               ? slip_found(p, 2, "every Monday 9:00, every 2 weeks, every month on the last day", e) : 0;
}

static int slip_remind(const struct slip *p, struct err *e)
{
    static const char *const remind[] = {"remind", "reminder"};
    const char *w = slip_word(p, 0);
    bool is = strcmp(w, remind[0]) == 0 || strcmp(w, remind[1]) == 0 || near_of(w, remind, 2);
    const char *much = slip_word(p, 1);
    return is && isdigit((unsigned char)*much)
               ? slip_found(p, much[strspn(much, "0123456789")] ? 2 : 3,
                            "remind 2h, remind 30m, remind 1h 30m or remind never", e) : 0;
}

static int slip_who(const struct slip *p, struct err *e)
{
    const char *user;
    json_t *v;
    char text[SLIP_WORD * 2];
    if (strcmp(slip_word(p, 0), "for") != 0 || crm_user(p->crm, slip_word(p, 1)))
        return 0;
    json_object_foreach(json_get_obj(crm_config(p->crm), "users"), user, v)
        if (near_of(slip_word(p, 1), (const char *const *)&user, 1)) {
            snprintf(text, sizeof(text), "for %.20s", user);
            return slip_found(p, 2, text, e);
        }
    return 0;
}

/* Would a time of day still belong to it? A comma behind it does not. */
static bool lacks_clock(const struct slip *p, const char *due)
{
    AUTO_FREE char *text = mem_printf("%s 10:30", due);
    AUTO_FREE char *less = mem_printf("%.*s 10:30", (int)strlen(due) - 1, due);
    return reads(p, text) || reads(p, less);
}

int task_slip(const char *s, const struct crm *crm, const char *zone, int64_t now_ms, const char *due,
              const struct task_said *t, struct err *e)
{
    bool said_due = strncasecmp(s, "due ", 4) == 0;
    struct slip p = {.s = s + (said_due ? 4 : 0), .crm = crm, .zone = zone, .now_ms = now_ms};
    slip_words(&p);
    if (!t->has_due && !t->recurs && (slip_spelt(&p, e) < 0 || slip_form(&p, e) < 0))
        return -1;
    bool open = due ? lacks_clock(&p, due) : !t->recurs || t->recur.minute < 0;
    if (open && slip_clock(&p, t->has_due || t->recurs, e) < 0)
        return -1;
    if (slip_every(&p, t, e) < 0)
        return -1;
    if (t->remind_ms == TASK_REMIND_UNSAID && slip_remind(&p, e) < 0)
        return -1;
    return t->who ? 0 : slip_who(&p, e);
}
