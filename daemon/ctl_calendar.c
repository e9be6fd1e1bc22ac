/* SPDX-License-Identifier: ISC
 *
 * ctl_calendar - `leadctl calendar`: which calendars there are, and how a sum of
 * business time comes about, day by day
 *
 * Reads the config with the rights of who asks; needs no daemon. All times shown
 * are those of the calendar's zone.
 */
#include "ctl_rules.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "rule/calendar.h"

#define CALENDAR_TEXT 64

struct walk_row {
    const struct calendar *c;
    struct calendar_day day;
    int64_t from, left; /* what counts from there on, and how much is wanted yet */
    int64_t sum, end;   /* end: CALENDAR_NEVER until the sum is reached */
};

/* Which calendars there are, when that is known. */
static void calendar_names(const struct calendars *all)
{
    size_t n = calendars_count(all);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s%s%s", i ? ", " : "NAME is one of ", calendar_name(calendars_get(all, i)),
                i + 1 == n ? "\n" : "");
}

static int calendar_usage(void)
{
    fputs("usage: leadctl calendar list [-c CONFIG]\n"
          "       leadctl calendar explain NAME START +DURATION [-c CONFIG]\n"
          "START is now, \"2026-12-24 16:30\" in the calendar's zone, or a time with its own zone;\n"
          "DURATION is business time, such as +2h or \"+1d 4h\"; CONFIG is leadd.conf, or its folder.\n",
          stderr);
    return CTL_EXIT_USAGE;
}

/* ---- times ------------------------------------------------------------------------ */

/* "2026-11-20 16:45", with seconds where there are some; from column 11 on, the time alone. */
static const char *local_text(const struct zone *z, int64_t at, char out[CALENDAR_TEXT])
{
    clock_format_utc(at + zone_offset(z, at), out, CALENDAR_TEXT);
    out[10] = ' ';
    out[at % 60000 ? (at % 1000 ? 23 : 19) : 16] = '\0';
    return out;
}

/* A time of day; the end of a day is 24:00. */
static const char *local_time(const struct calendar_day *d, const struct zone *z, int64_t at,
                              char out[CALENDAR_TEXT])
{
    char whole[CALENDAR_TEXT];
    local_text(z, at, whole);
    snprintf(out, CALENDAR_TEXT, "%s", zone_day(z, at) > d->day ? "24:00" : whole + 11);
    return out;
}

/* "2026-11-20", "2026-11-20 16:45[:30]" in the zone, or RFC 3339. */
static int start_parse(const char *s, const struct zone *z, int64_t *out)
{
    const char *p = s;
    struct day_date d;
    int minutes = 0;
    if (strcmp(s, "now") == 0) {
        *out = clock_now_ms();
        return 0;
    }
    if (!day_read_date(&p, &d))
        return -1;
    if ((*p == ' ' || *p == 'T') && p[1]) {
        p++;
        if (!day_read_time(&p, &minutes))
            return clock_parse_utc(s, out);
    }
    if (*p)
        return clock_parse_utc(s, out);
    *out = zone_instant(z, day_number(d.year, d.month, d.mday), minutes, ZONE_BEGIN);
    return 0;
}

/* ---- the walk --------------------------------------------------------------------- */

/* What clocks do on that day, or NULL; own. */
static char *day_switch(const struct walk_row *w)
{
    const struct zone *z = calendar_zone(w->c);
    int64_t begin = zone_instant(z, w->day.day, 0, ZONE_BEGIN), at, shift;
    int64_t end = zone_instant(z, w->day.day + 1, 0, ZONE_BEGIN);
    char before[CALENDAR_TEXT], after[CALENDAR_TEXT];
    if (!zone_next_switch(z, begin - 1, &at, &shift) || at >= end)
        return NULL;
    clock_format_utc(at + zone_offset(z, at - 1), before, sizeof(before));
    clock_format_utc(at + zone_offset(z, at), after, sizeof(after));
    return mem_printf("clocks go from %.5s to %.5s", before + 11, after + 11);
}

static json_t *span_json(const struct walk_row *w, int64_t from, int64_t to)
{
    char a[CALENDAR_TEXT], b[CALENDAR_TEXT];
    const struct zone *z = calendar_zone(w->c);
    return json_pack("{s:s, s:s, s:I}", "from", local_time(&w->day, z, from, a), "to",
                     local_time(&w->day, z, to, b), "ms", (json_int_t)(to - from));
}

/* One day of the walk; moves the sum on. */
static json_t *day_json(struct walk_row *w)
{
    struct day_date date = day_date(w->day.day);
    json_t *open = json_array(), *used = json_array(), *j = json_object();
    AUTO_FREE char *text = mem_printf("%04d-%02d-%02d", date.year, date.month, date.mday);
    AUTO_FREE char *change = day_switch(w);
    for (size_t i = 0; i < w->day.count; i++) {
        int64_t from = w->day.open[i].from, to = w->day.open[i].to;
        json_array_append_new(open, span_json(w, from, to));
        from = from < w->from ? w->from : from;
        if (to <= from || w->end != CALENDAR_NEVER)
            continue;
        if (to - from >= w->left)
            w->end = to = from + w->left;
        w->left -= to - from;
        w->sum += to - from;
        json_array_append_new(used, span_json(w, from, to));
    }
    json_put_str(j, "date", text);
    json_put_str(j, "weekday", day_names[day_weekday(w->day.day)]);
    json_put_str(j, "holiday", w->day.holiday);
    json_put_str(j, "clocks", change);
    json_object_set_new(j, "open", open);
    json_object_set_new(j, "used", used);
    json_put_int(j, "sum_ms", w->sum);
    return j;
}

static json_t *explain(const struct calendar *c, int64_t start, int64_t ms)
{
    struct walk_row w = {.c = c, .from = start, .left = ms, .end = CALENDAR_NEVER};
    const struct zone *z = calendar_zone(c);
    char at[CALENDAR_TEXT];
    json_t *days = json_array(), *j = json_object();
    int64_t first = zone_day(z, start);
    if (ms == 0)
        w.end = start;
    for (int64_t d = first; d <= first + CALENDAR_SEARCH_DAYS && w.end == CALENDAR_NEVER; d++) {
        calendar_day(c, d, &w.day);
        json_array_append_new(days, day_json(&w));
    }
    json_put_str(j, "calendar", calendar_name(c));
    json_put_str(j, "zone", zone_name(z));
    json_put_str(j, "at", calendar_at(c));
    json_put_str(j, "start", clock_format_utc(start, at, sizeof(at)));
    json_put_int(j, "duration_ms", ms);
    if (w.end != CALENDAR_NEVER)
        json_put_str(j, "end", clock_format_utc(w.end, at, sizeof(at)));
    json_object_set_new(j, "days", days);
    return j;
}

/* ---- for people ------------------------------------------------------------------- */

static void spans_text(const json_t *list, struct buf *out)
{
    size_t i;
    json_t *s;
    json_array_foreach((json_t *)list, i, s)
        buf_printf(out, "%s%s-%s", i ? ", " : "", json_get_str(s, "from", ""),
                   json_get_str(s, "to", ""));
}

static json_t *day_cells(const json_t *d)
{
    struct buf open AUTO_BUF, used AUTO_BUF, note AUTO_BUF;
    char sum[CALENDAR_TEXT];
    const char *holiday = json_get_str(d, "holiday", NULL);
    const char *clocks = json_get_str(d, "clocks", NULL);
    buf_init(&open, KIB(4));
    buf_init(&used, KIB(4));
    buf_init(&note, KIB(4));
    spans_text(json_get_arr(d, "open"), &open);
    spans_text(json_get_arr(d, "used"), &used);
    if (holiday)
        buf_printf(&note, "%s%s", *holiday ? "holiday: " : "holiday", holiday);
    if (clocks)
        buf_printf(&note, "%s%s", note.len ? "; " : "", clocks);
    text_format_duration(json_get_int(d, "sum_ms", 0), sum, sizeof(sum));
    AUTO_FREE char *day = mem_printf("%s %s", json_get_str(d, "weekday", ""),
                                     json_get_str(d, "date", ""));
    return json_pack("[s, s, s, s, s]", day, open.len ? open.data : "closed", used.data, sum,
                     note.data);
}

static void explain_print(const struct calendar *c, const json_t *j, int64_t start, FILE *to)
{
    struct ctl_look look = {.width = ctl_terminal_width(to)};
    static const char *const columns[] = {"day", "open", "counted", "sum", "note"};
    const struct zone *z = calendar_zone(c);
    json_t *head = json_array(), *rows = json_array(), *d;
    char at[CALENDAR_TEXT], ms[CALENDAR_TEXT];
    int64_t end;
    size_t i;
    for (i = 0; i < ARRAY_LEN(columns); i++)
        json_array_append_new(head, json_pack("{s:s}", "name", columns[i]));
    json_array_foreach(json_get_arr(j, "days"), i, d)
        json_array_append_new(rows, day_cells(d));
    AUTO_JSON json_t *table = json_pack("{s:o, s:o}", "columns", head, "rows", rows);
    text_format_duration(json_get_int(j, "duration_ms", 0), ms, sizeof(ms));
    fprintf(to, "%s (%s, %s): %s + %s business\n\n", calendar_name(c), zone_name(z),
            calendar_at(c), local_text(z, start, at), ms);
    ctl_render(table, &look, to);
    if (clock_parse_utc(json_get_str(j, "end", ""), &end) == 0)
        fprintf(to, "\n%s %s (%s)\n", day_names[day_weekday(zone_day(z, end))],
                local_text(z, end, at), json_get_str(j, "end", ""));
    else
        fputs("\nnever: it is not open that long within ten years\n", to);
}

/* ---- commands --------------------------------------------------------------------- */

static int calendar_explain(const struct ctl_options *opt, const struct calendars *all, int argc,
                            char **argv)
{
    int64_t ms, start;
    struct buf text AUTO_BUF;
    buf_init(&text, KIB(1));
    if (argc < 3 || argv[argc - 1][0] != '+') {
        calendar_usage();
        calendar_names(all);
        return CTL_EXIT_USAGE;
    }
    const struct calendar *c = calendars_find(all, argv[0]);
    if (!c) {
        const char *near = calendars_nearest(all, argv[0]);
        fprintf(stderr, "leadctl: there is no calendar \"%s\"%s%s%s\n", argv[0],
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return CTL_EXIT_FAILED;
    }
    for (int i = 1; i < argc - 1; i++)
        buf_printf(&text, "%s%s", i > 1 ? " " : "", argv[i]);
    if (text_parse_duration(argv[argc - 1] + 1, &ms) < 0 ||
        start_parse(text.data, calendar_zone(c), &start) < 0 || start < 0 || start >= ZONE_END_MS)
        return calendar_usage();
    AUTO_JSON json_t *j = explain(c, start, ms);
    if (opt->json)
        ctl_render_json(j, stdout);
    else
        explain_print(c, j, start, stdout);
    return json_object_get(j, "end") ? 0 : CTL_EXIT_FAILED;
}

static int calendar_list(const struct ctl_options *opt, const struct calendars *all,
                         const json_t *tree)
{
    struct ctl_look look = {.width = ctl_terminal_width(stdout)};
    static const char *const columns[] = {"name", "zone", "open now", "next opens", "at"};
    const char *standard = json_get_str(json_get_obj(tree, "settings"), "calendar", "");
    json_t *head = json_array(), *rows = json_array();
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        json_array_append_new(head, json_pack("{s:s}", "name", columns[i]));
    for (size_t i = 0; i < calendars_count(all); i++) {
        const struct calendar *c = calendars_get(all, i);
        char at[CALENDAR_TEXT] = "";
        int64_t next = calendar_next_open(c, now);
        bool open = calendar_open_at(c, now);
        AUTO_FREE char *name =
            mem_printf("%s%s", calendar_name(c),
                       strcmp(calendar_name(c), standard) == 0 && !opt->json ? " (default)" : "");
        if (!open && next != CALENDAR_NEVER)
            local_text(calendar_zone(c), next, at);
        json_array_append_new(rows, json_pack("[s, s, s, s, s]", name,
                                              zone_name(calendar_zone(c)), open ? "yes" : "no", at,
                                              calendar_at(c)));
    }
    AUTO_JSON json_t *table = json_pack("{s:o, s:o}", "columns", head, "rows", rows);
    if (opt->json)
        ctl_render_json(table, stdout);
    else
        ctl_render(table, &look, stdout);
    return 0;
}

/* Takes `-c CONFIG` out of the arguments; false when it has no value. */
static bool calendar_config(int *argc, char **argv, const char **config)
{
    int n = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "-c") != 0) {
            argv[n++] = argv[i];
            continue;
        }
        if (++i == *argc)
            return false;
        *config = argv[i];
    }
    *argc = n;
    return true;
}

int ctl_local_calendar(const struct ctl_options *opt, int argc, char **argv)
{
    struct err e = {0};
    struct errlist errors AUTO_ERRLIST;
    struct buf said AUTO_BUF;
    const char *config = NULL;
    errlist_init(&errors, CTL_RULES_ERRORS);
    buf_init(&said, MIB(1));
    if (!calendar_config(&argc, argv, &config) || argc < 2)
        return calendar_usage();
    bool explain = strcmp(argv[1], "explain") == 0;
    AUTO_FREE char *path = ctl_rules_path(config, &e);
    if (explain && argc < 5 && (!path || access(path, R_OK) < 0))
        return calendar_usage();
    AUTO_JSON json_t *tree = path ? config_load_away(path, &errors) : NULL;
    struct calendars *all = calendars_new(json_get_obj(tree, "calendars"), &errors);
    int rc = CTL_EXIT_FAILED;
    errlist_print(&errors, &said);
    if (!path)
        fprintf(stderr, "leadctl: %s\n", e.text);
    else if (errlist_total(&errors) > 0)
        ctl_render_text(said.data, stderr);
    else if (explain)
        rc = calendar_explain(opt, all, argc - 2, argv + 2);
    else if (strcmp(argv[1], "list") == 0 && argc == 2)
        rc = calendar_list(opt, all, tree);
    else
        rc = calendar_usage();
    calendars_free(&all);
    return rc;
}
