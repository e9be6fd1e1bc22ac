/* SPDX-License-Identifier: ISC
 *
 * digest - see digest.h
 */
#include "crm/digest.h"

#include <inttypes.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/assign.h"
#include "crm/list.h"
#include "crm/when.h"
#include "store/digest.h"

#define LINES 20 /* of each kind; what is beyond is counted */
#define LINE_TEXT 100
#define TEAM_ROWS 500 /* of all, among which those of the team are looked for */
#define ANSWER_MS DAY_MS /* a manager hears of who waits so long */

/* ---- when -------------------------------------------------------------------------- */

static const json_t *digest_line(const struct crm *crm, const char *user)
{
    const json_t *line = json_get_obj(crm_user(crm, user), "digest");
    return line ? line : json_get_obj(crm->settings, "digest");
}

static int digest_read(const struct crm *crm, const char *user, struct schedule **out,
                       struct err *e, int *col)
{
    const char *text = json_get_str(digest_line(crm, user), "text", "none"),
               *name = json_get_str(crm_user(crm, user), "calendar", NULL);
    const struct calendar *own = name ? calendars_find(crm->calendars, name) : NULL;
    *out = NULL;
    if (strcmp(text, "none") == 0)
        return 0;
    *out = schedule_new(text, zone_name(assign_zone(crm, user)), crm->calendars,
                        own ? own : crm->calendar, e, col);
    return *out ? 0 : -1;
}

int crm_digest_schedule(const struct crm *crm, const char *user, struct schedule **out,
                        struct err *e)
{
    int col;
    return digest_read(crm, user, out, e, &col);
}

void crm_digest_check(const struct crm *crm, struct errlist *errors)
{
    const char *user;
    const json_t *u, *told = NULL;
    json_object_foreach((json_t *)crm->users, user, u) {
        struct err e = {0};
        struct schedule *s = NULL;
        const json_t *line = digest_line(crm, user);
        int col = 0;
        if (line == told || !crm->rules) /* the one of the settings is told once */
            continue;
        if (digest_read(crm, user, &s, &e, &col) < 0) {
            errlist_add(errors, json_get_str(line, "at", json_get_str(u, "at", NULL)),
                        "digest of %s: %s; or \"none\"", user, e.text);
            errlist_caret(errors, json_get_str(line, "text", ""), col);
            told = line;
        }
        schedule_free(&s);
    }
}

/* ---- what --------------------------------------------------------------------------- */

struct digest {
    struct crm_ctx *ctx;
    const char *zone;
    struct buf text, subject;
};

/* "L42", "D3" */
static void put_id(struct digest *d, enum crm_entity t, int64_t id)
{
    char name[CRM_ID_LEN];
    buf_printf(&d->text, "  %-6s", crm_id_format(t, id, name));
}

static void put_words(struct digest *d, const char *before, const char *s)
{
    size_t n = s ? text_utf8_cut(s, strlen(s), LINE_TEXT) : 0;
    if (n)
        buf_printf(&d->text, "%s%.*s%s", before, (int)n, s, s[n] ? "..." : "");
}

static void put_time(struct digest *d, const char *before, int64_t ms)
{
    char stamp[64];
    buf_printf(&d->text, "%s%s", before, crm_when_print(d->zone, ms, stamp, sizeof(stamp)));
}

typedef void (*line_fn)(struct digest *d, const json_t *row);

/* One section; takes rows. what: "task", for the subject. */
static int put_section(struct digest *d, json_t *rows, const char *what, const char *title,
                       line_fn line)
{
    size_t i, n = json_array_size(rows), shown = n > LINES ? LINES : n;
    json_t *row;
    if (!rows)
        return -1;
    if (n)
        buf_printf(&d->text, "%s%s\n", d->text.len ? "\n" : "", title);
    json_array_foreach(rows, i, row)
        if (i < shown)
            line(d, row);
    if (n > shown)
        buf_printf(&d->text, "  and more\n");
    if (n)
        buf_printf(&d->subject, "%s%zu%s %s%s", d->subject.len ? ", " : "", shown,
                   n > shown ? " or more" : "", what, n == 1 ? "" : "s");
    json_decref(rows);
    return 0;
}

static void task_line(struct digest *d, const json_t *row)
{
    static const struct {
        const char *key;
        enum crm_entity t;
    } of[] = {{"lead_id", CRM_LEAD}, {"case_id", CRM_CASE}, {"deal_id", CRM_DEAL}};
    char name[CRM_ID_LEN];
    int64_t due = json_get_int(row, "due_ms", 0);
    put_id(d, CRM_TASK, json_get_int(row, "id", 0));
    put_time(d, due < crm_now(d->ctx) ? "overdue since " : "", due);
    put_words(d, "  ", json_get_str(row, "title", NULL));
    for (size_t i = 0; i < ARRAY_LEN(of); i++)
        if (json_get_int(row, of[i].key, 0)) {
            buf_printf(&d->text, " (%s)",
                       crm_id_format(of[i].t, json_get_int(row, of[i].key, 0), name));
            break;
        }
    buf_add(&d->text, "\n", 1);
}

static void lead_line(struct digest *d, const json_t *row)
{
    put_id(d, CRM_LEAD, json_get_int(row, "id", 0));
    put_time(d, "", json_get_int(row, "at_ms", 0));
    put_words(d, "  ", json_get_str(row, "contact", NULL));
    put_words(d, "  ", json_get_str(row, "subject", NULL));
    buf_add(&d->text, "\n", 1);
}

static void deal_line(struct digest *d, const json_t *row)
{
    put_id(d, CRM_DEAL, json_get_int(row, "id", 0));
    put_time(d, "since ", json_get_int(row, "at_ms", 0));
    put_words(d, "  ", json_get_str(row, "name", NULL));
    put_words(d, "  ", json_get_str(row, "contact", NULL));
    put_words(d, "  ", json_get_str(row, "stage", NULL));
    AUTO_JSON json_t *money = crm_money_json(json_get_int(row, "amount", 0),
                                             json_get_str(row, "currency", ""));
    if (json_get_int(row, "amount", 0))
        put_words(d, "  ", json_string_value(money));
    buf_add(&d->text, "\n", 1);
}

static void meeting_line(struct digest *d, const json_t *row)
{
    char name[CRM_ID_LEN];
    put_id(d, CRM_ACTIVITY, json_get_int(row, "id", 0));
    put_time(d, "", json_get_int(row, "at_ms", 0));
    put_words(d, "  ", json_get_str(row, "text", NULL));
    buf_printf(&d->text, " (%s)\n", crm_id_format(CRM_LEAD, json_get_int(row, "lead_id", 0), name));
}

/* ---- for who answers for others -------------------------------------------------------- */

static void put_owner(struct digest *d, const json_t *row)
{
    const char *owner = json_get_str(row, "owner", NULL);
    buf_printf(&d->text, "  %s%s", owner ? owner : "nobody",
               owner && !crm_user(d->ctx->crm, owner) ? ", no user any more" : "");
}

static void team_task_line(struct digest *d, const json_t *row)
{
    put_id(d, CRM_TASK, json_get_int(row, "id", 0));
    put_time(d, "since ", json_get_int(row, "due_ms", 0));
    put_owner(d, row);
    put_words(d, "  ", json_get_str(row, "title", NULL));
    buf_add(&d->text, "\n", 1);
}

static void team_lead_line(struct digest *d, const json_t *row)
{
    put_id(d, CRM_LEAD, json_get_int(row, "id", 0));
    put_time(d, "since ", json_get_int(row, "at_ms", 0));
    put_owner(d, row);
    put_words(d, "  ", json_get_str(row, "contact", NULL));
    put_words(d, "  ", json_get_str(row, "subject", NULL));
    buf_add(&d->text, "\n", 1);
}

/* Those of people whose manager the user is; what belongs to nobody is the default owner's. */
static json_t *of_team(const struct crm *crm, const char *user, json_t *rows)
{
    const char *heir = crm_setting(crm, "default_owner", "");
    for (size_t i = json_array_size(rows); i-- > 0;) {
        const char *owner = json_get_str(json_array_get(rows, i), "owner", "");
        const char *manager = crm_user(crm, owner) ? crm_manager_of(crm, owner) : heir;
        if (!manager || strcmp(manager, user) || !strcmp(owner, user))
            json_array_remove(rows, i);
    }
    return rows;
}

static int put_team(struct digest *d, const char *user, int64_t waits_before_ms, struct err *e)
{
    struct crm *crm = d->ctx->crm;
    int64_t now = crm_now(d->ctx);
    if (put_section(d, of_team(crm, user, digest_tasks(crm->db, NULL, now, TEAM_ROWS, e)),
                    "late task", "Late in your team", team_task_line) < 0)
        return -1;
    json_t *waiting = digest_waiting(crm->db, NULL, waits_before_ms, TEAM_ROWS, e);
    for (size_t i = json_array_size(waiting); i-- > 0;)
        if (json_get_int(json_array_get(waiting, i), "at_ms", 0) > now - ANSWER_MS)
            json_array_remove(waiting, i);
    return put_section(d, of_team(crm, user, waiting), "forgotten lead",
                       "They wrote to your team, and nobody has answered for a day", team_lead_line);
}

static int put_all(struct digest *d, const char *user, int64_t since_ms, struct err *e)
{
    struct db *db = d->ctx->crm->db;
    int64_t now = crm_now(d->ctx),
            stale = json_get_int(d->ctx->crm->settings, "stale_after", 14 * DAY_MS);
    const struct zone *z = assign_zone(d->ctx->crm, user);
    int64_t tomorrow = zone_instant(z, zone_day(z, now) + 1, 0, ZONE_BEGIN);
    if (put_section(d, digest_tasks(db, user, tomorrow, LINES + 1, e), "task", "Tasks for today",
                    task_line) < 0 ||
        put_section(d, digest_meetings(db, user, now, tomorrow, LINES + 1, e), "meeting",
                    "Meetings today", meeting_line) < 0 ||
        put_section(d, digest_new_leads(db, user, since_ms, LINES + 1, e), "new lead", "New leads",
                    lead_line) < 0 ||
        put_section(d, digest_waiting(db, user, since_ms, LINES + 1, e), "unanswered lead",
                    "They wrote last and wait for your answer", lead_line) < 0)
        return -1;
    if (put_section(d, digest_stale_deals(db, user, now - stale, LINES + 1, e), "resting deal",
                    "Deals that nobody has touched for long", deal_line) < 0)
        return -1;
    return put_team(d, user, since_ms, e);
}

int crm_digest(struct crm_ctx *ctx, const char *user, int64_t since_ms, char **subject_out,
               char **text_out, struct err *e)
{
    struct digest d = {.ctx = ctx, .zone = zone_name(assign_zone(ctx->crm, user))};
    int64_t absent;
    *subject_out = *text_out = NULL;
    if (assign_absent(ctx, user, &absent, e) < 0)
        return -1;
    if (absent)
        return 0;
    buf_init(&d.text, BOUND_TEMPLATE_OUTPUT);
    buf_init(&d.subject, 300);
    int rc = put_all(&d, user, since_ms, e);
    if (rc == 0 && d.subject.len) {
        buf_printf(&d.text, "\nAn answer to this mail may hold commands: #done T4, or #help.\n"
                            "Times are of %s.\n", d.zone);
        *subject_out = mem_printf("Today: %s", d.subject.data);
        *text_out = mem_strn(d.text.data, d.text.len);
    }
    buf_done(&d.text);
    buf_done(&d.subject);
    return rc;
}
