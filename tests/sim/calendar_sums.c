/* SPDX-License-Identifier: ISC
 *
 * calendar_sums - rule/calendar and rule/schedule asked line by line, for
 * test_calendar_walk.py, which counts the same minute by minute
 *
 *     sum ZONE<tab>HOURS<tab>HOLIDAYS with |<tab>FROM ms<tab>BUSINESS ms
 *  -> ADD ms<tab>BETWEEN of it ms<tab>OPEN 0|1<tab>NEXT OPEN ms
 *     next ZONE<tab>SCHEDULE<tab>AFTER ms
 *  -> ms
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/schedule.h"

static char *field(char **p)
{
    char *s = *p, *end = s + strcspn(s, "\t\n");
    *p = *end ? end + 1 : end;
    *end = '\0';
    return s;
}

static int64_t number(char **p)
{
    return strtoll(field(p), NULL, 10);
}

static void sum(char *p, struct errlist *errors)
{
    json_t *def = json_object(), *list = json_array();
    json_object_set_new(def, "zone", json_string(field(&p)));
    json_object_set_new(def, "hours", json_string(field(&p)));
    for (char *rest = field(&p), *one; *rest && (one = strsep(&rest, "|"));) {
        json_array_append_new(list, json_string(one));
        if (!rest)
            break;
    }
    json_object_set_new(def, "holidays", list);
    json_t *all AUTO_JSON = json_pack("{s:o}", "c", def);
    struct calendars *cs = calendars_new(all, errors);
    const struct calendar *c = calendars_find(cs, "c");
    int64_t from = number(&p), ms = number(&p);
    int64_t at = errlist_total(errors) ? 0 : calendar_add(c, from, ms);
    if (errlist_total(errors) == 0)
        printf("%" PRId64 "\t%" PRId64 "\t%d\t%" PRId64 "\n", at, calendar_between(c, from, at),
               calendar_open_at(c, from), calendar_next_open(c, from));
    calendars_free(&cs);
}

static void next(char *p, struct errlist *errors)
{
    struct err e = {0};
    const char *zone = field(&p), *text = field(&p);
    struct schedule *s = schedule_new(text, zone, NULL, NULL, &e, NULL);
    if (!s)
        errlist_add(errors, NULL, "%s", e.text);
    else
        printf("%" PRId64 "\n", schedule_next(s, number(&p)));
    schedule_free(&s);
}

int main(void)
{
    char line[8192];
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    errlist_init(&errors, 5);
    buf_init(&said, 4096);
    while (errlist_total(&errors) == 0 && fgets(line, sizeof(line), stdin)) {
        if (strncmp(line, "sum ", 4) == 0)
            sum(line + 4, &errors);
        else if (strncmp(line, "next ", 5) == 0)
            next(line + 5, &errors);
    }
    errlist_print(&errors, &said);
    fputs(said.data, stderr);
    return errlist_total(&errors) ? 1 : 0;
}
