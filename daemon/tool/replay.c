/* SPDX-License-Identifier: ISC
 *
 * replay - see replay.h
 */
#include "tool/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/crm.h"
#include "engine/solo.h"
#include "rule/ruleset.h"
#include "store/backup.h"
#include "store/db.h"
#include "store/history.h"
#include "store/migrate.h"
#include "store/rule_count.h"

#define COMMIT_EVERY 200 /* inputs: the scratch stores' logs stay small */

enum note {
    NOTE_ERASED,
    NOTE_FORM,
    NOTE_MAILBOX,
    NOTE_BOUNCE,
    NOTE_RECORD,
    NOTE_REFUSED,
    NOTE_COUNT
};

static const char *const note_texts[NOTE_COUNT] = {
    [NOTE_ERASED] = "messages were erased and could not be replayed",
    [NOTE_FORM] = "forms could not be replayed: the configuration has no such form, or it refused them",
    [NOTE_MAILBOX] = "mails of a mailbox that the configuration does not have were taken as by ingest",
    [NOTE_BOUNCE] = "bounces were left out: the mail they return would not have been sent",
    [NOTE_RECORD] = "commands of people were left out: their record would not have been there",
    [NOTE_REFUSED] = "commands of people were refused",
};

/* One of the two; notes are counted in the new one. */
struct world {
    struct solo *solo; /* own */
    const json_t *config;
    int64_t notes[NOTE_COUNT];
};

struct replay {
    const struct replay_options *o;
    struct db *live;   /* own */
    struct history *history; /* own */
    struct world current, next;
    bool forked;
    int64_t mails, forms, bounces, commands, before, rows, total;
};

/* ---- ids -------------------------------------------------------------------------- */

static int pin_scaled(struct world *w, const char *table, int64_t id, struct err *e)
{
    return id ? history_pin(solo_db(w->solo), table, id * REPLAY_SCALE, e) : 0;
}

/* What this input made in the live store gets the same number in the world. */
static int world_pin(struct world *w, const struct history_item *it, struct err *e)
{
    if (it->message && history_pin(solo_db(w->solo), "message", it->message, e) < 0)
        return -1;
    if (pin_scaled(w, "journal", it->journal, e) < 0 || pin_scaled(w, "lead", it->lead, e) < 0 ||
        pin_scaled(w, "contact", it->contact, e) < 0)
        return -1;
    if (it->kind != HISTORY_COMMAND)
        return pin_scaled(w, "support_case", it->kase, e);
    return pin_scaled(w, "support_case", it->created[0], e) < 0 ||
                   pin_scaled(w, "deal", it->created[1], e) < 0 ||
                   pin_scaled(w, "task", it->created[2], e) < 0
               ? -1
               : 0;
}

/* "L42" of the live store as the world names it; empty: it has none. */
static int world_record(struct world *w, struct db *live, const char *record, char out[32],
                        struct err *e)
{
    char name[32];
    int64_t id = *record ? strtoll(record + 1, NULL, 10) : 0, task = 0;
    char letter = (char)(*record & ~0x20);
    snprintf(name, sizeof(name), "%c%" PRId64, letter, id);
    *out = '\0';
    if (letter == 'T') {
        if (history_same_task(solo_db(w->solo), REPLAY_SCALE, live, id, &task, e) < 0)
            return -1;
        if (task)
            snprintf(out, 32, "T%" PRId64, task);
        return 0;
    }
    if ((letter == 'D' || letter == 'A') &&
        history_owner_of(live, letter, id, name, sizeof(name), e) < 0)
        return -1;
    if (*name && strchr("LKC", *name))
        snprintf(out, 32, "%c%lld", *name, strtoll(name + 1, NULL, 10) * REPLAY_SCALE);
    return 0;
}

/* "undo J17", "done T7", "merge C13": the numbers of the world. */
static int world_line(struct world *w, struct db *live, const char *line, char **out,
                      struct err *e)
{
    char record[32];
    const char *arg = strchr(line, ' ');
    bool undo = text_starts(line, "undo "), done = text_starts(line, "done "),
         merge = text_starts(line, "merge ");
    *out = mem_str(line);
    if (!arg || (!undo && !done && !merge))
        return 0;
    arg += strspn(arg, " ");
    if (!undo && world_record(w, live, arg, record, e) < 0)
        return -1;
    if (undo)
        snprintf(record, sizeof(record), "J%lld",
                 strtoll(arg + ((*arg & ~0x20) == 'J'), NULL, 10) * REPLAY_SCALE);
    mem_free(*out);
    *out = mem_printf("%s %s", undo ? "undo" : done ? "done" : "merge", record);
    return 0;
}

/* ---- one input in one world ------------------------------------------------------------ */

/* The mailbox of "imap:sales/INBOX" where the world has it. */
static const char *world_mailbox(struct world *w, const char *source, char out[128])
{
    const char *colon = strchr(source, ':');
    if (!colon || strcmp(source, "ingest") == 0)
        return NULL;
    snprintf(out, 128, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    if (json_get_obj(json_get_obj(w->config, "mailboxes"), out))
        return out;
    w->notes[NOTE_MAILBOX]++;
    return NULL;
}

/* Refused is an outcome like any other; all else ends the replay. */
static int world_answer(struct world *w, int rc, enum note refused, const struct err *why,
                        struct err *e)
{
    if (rc == 0)
        return 0;
    if (why->cls == ERR_INPUT) {
        w->notes[refused]++;
        return 0;
    }
    *e = *why;
    return -1;
}

static int world_message(struct world *w, struct db *live, const struct history_item *it,
                         struct err *e)
{
    struct solo_answer answer = {.status = ""};
    struct err why = {0};
    char box[128];
    int64_t bounced = 0;
    const char *mailbox = it->kind == HISTORY_MAIL ? world_mailbox(w, it->source, box) : NULL;
    if (!it->json) {
        w->notes[NOTE_ERASED]++;
        return 0;
    }
    if (it->kind == HISTORY_BOUNCE) {
        if (history_same_mail(solo_db(w->solo), REPLAY_SCALE, live, it->outbox, &bounced, e) < 0)
            return -1;
        if (bounced == 0) {
            w->notes[NOTE_BOUNCE]++;
            return 0;
        }
    }
    solo_next(w->solo, &(struct solo_past){.internal_ms = it->internal_ms,
                                           .bounced = bounced,
                                           .proof = it->proof,
                                           .handed_on = it->handed_on});
    int rc = solo_message(w->solo, it->json, mailbox, &answer, &why);
    if (rc == 0 && strcmp(answer.status, "invalid") == 0)
        w->notes[NOTE_FORM]++;
    return world_answer(w, rc, NOTE_FORM, &why, e);
}

static int world_command(struct world *w, struct db *live, const struct history_item *it,
                         struct err *e)
{
    struct solo_answer answer;
    struct err why = {0};
    char record[32];
    char *line = NULL;
    if (world_record(w, live, it->record, record, e) < 0)
        return -1;
    if (!*record && *it->record) {
        w->notes[NOTE_RECORD]++;
        return 0;
    }
    int rc = world_line(w, live, it->line, &line, e);
    if (rc == 0) {
        rc = solo_command(w->solo, record, line, it->by_user ? it->actor : NULL, &answer, &why);
        rc = world_answer(w, rc, NOTE_REFUSED, &why, e);
    }
    mem_free(line);
    return rc;
}

static int world_advance(struct world *w, int64_t at_ms, struct err *e)
{
    return at_ms > solo_now(w->solo) ? solo_advance(w->solo, at_ms, e) : 0;
}

static int world_apply(struct world *w, struct db *live, const struct history_item *it,
                       struct err *e)
{
    if (!w->solo)
        return 0;
    if (world_advance(w, it->at_ms, e) < 0 || world_pin(w, it, e) < 0)
        return -1;
    return it->kind == HISTORY_COMMAND ? world_command(w, live, it, e)
                                       : world_message(w, live, it, e);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int replay_commit(struct replay *r, struct err *e)
{
    return (r->current.solo && solo_commit(r->current.solo, e) < 0) ||
                   (r->next.solo && solo_commit(r->next.solo, e) < 0)
               ? -1
               : 0;
}

/* An open file needs no name: nothing of it stays, however this process ends. */
static void scratch_unname(const struct replay *r, const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        AUTO_FREE char *path = mem_printf("%s/%s%s", r->o->scratch, name, ends[i]);
        unlink(path);
    }
}

/* From here on there are two. */
static int replay_fork(struct replay *r, struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s/next.db", r->o->scratch);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, ERR_TEMP, "%s: %s", path, err_errno());
    if (world_advance(&r->current, r->o->since_ms, e) < 0)
        return -1;
    r->next.solo = solo_fork(r->current.solo, r->o->next, path, e);
    if (!r->next.solo)
        return -1;
    scratch_unname(r, "next.db");
    r->forked = true;
    solo_count(r->next.solo);
    if (r->o->against_history)
        solo_free(&r->current.solo);
    else
        solo_count(r->current.solo);
    return 0;
}

static void replay_note(struct replay *r, const struct history_item *it)
{
    int64_t *const counts[] = {[HISTORY_MAIL] = &r->mails, [HISTORY_FORM] = &r->forms,
                               [HISTORY_BOUNCE] = &r->bounces, [HISTORY_COMMAND] = &r->commands};
    ++*(r->forked ? counts[it->kind] : &r->before);
    if (++r->rows % 64 == 0 && r->o->progress)
        r->o->progress(r->o->arg, it->journal, r->total);
}

static int replay_item(struct replay *r, const struct history_item *it, struct err *e)
{
    if (!r->forked && it->at_ms >= r->o->since_ms && replay_fork(r, e) < 0)
        return -1;
    replay_note(r, it);
    if (world_apply(&r->current, r->live, it, e) < 0 || world_apply(&r->next, r->live, it, e) < 0)
        return err_wrap(e, "at J%" PRId64 " of the store", it->journal);
    return r->rows % COMMIT_EVERY ? 0 : replay_commit(r, e);
}

static int replay_all(struct replay *r, struct err *e)
{
    struct history_item it;
    int more;
    while ((more = history_next(r->history, &it, e)) > 0) {
        int rc = replay_item(r, &it, e);
        history_item_done(&it);
        if (rc < 0)
            return -1;
    }
    if (more < 0 || (!r->forked && replay_fork(r, e) < 0))
        return -1;
    if ((r->current.solo && world_advance(&r->current, r->o->until_ms, e) < 0) ||
        world_advance(&r->next, r->o->until_ms, e) < 0)
        return -1;
    return replay_commit(r, e);
}

/* ---- telling ------------------------------------------------------------------------------- */

static int64_t matched_in(const struct solo *s, const char *rule)
{
    const struct rule *r = s ? ruleset_find(crm_rules(solo_crm(s)), rule) : NULL;
    const struct rule_count *n = r ? solo_counted(s, (size_t)r->index) : NULL;
    return n ? n->matched : 0;
}

static void rules_of(const struct replay *r, const struct solo *s, bool new_only, json_t *list)
{
    const struct ruleset *rs = s ? crm_rules(solo_crm(s)) : NULL;
    for (size_t i = 0; rs && i < ruleset_count(rs); i++) {
        const char *name = ruleset_rule(rs, i)->name;
        int64_t was = matched_in(r->current.solo, name), is = matched_in(r->next.solo, name);
        bool twice = new_only && ruleset_find(crm_rules(solo_crm(r->current.solo)), name);
        if (was != is && !twice)
            json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "rule", name, "current",
                                                  (json_int_t)was, "new", (json_int_t)is));
    }
}

static json_t *replay_notes(const struct replay *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        AUTO_FREE char *text = mem_printf("%" PRId64 " %s", r->next.notes[i], note_texts[i]);
        if (r->next.notes[i])
            json_array_append_new(list, json_string(text));
    }
    if (!r->o->key)
        json_array_append_new(list, json_string("the key of the tokens is not known: answers to our "
                                                "mails were filed by their sender alone"));
    return list;
}

const char *replay_zone(const struct replay_options *o)
{
    return json_get_str(json_get_obj(o->next, "settings"), "time_zone", "UTC");
}

static json_t *replay_result(const struct replay *r, const struct replay_diff *d)
{
    json_t *rules = json_array();
    if (r->current.solo) {
        rules_of(r, r->current.solo, false, rules);
        rules_of(r, r->next.solo, true, rules);
    }
    return json_pack("{s:b, s:O, s:O, s:o, s:{s:I, s:I, s:I, s:I, s:I}, s:o}", "same",
                     json_object_size(d->totals) == 0, "differences", d->list, "totals", d->totals,
                     "rules", rules, "inputs", "mails", r->mails, "forms", r->forms, "bounces",
                     r->bounces, "commands", r->commands, "before", r->before, "notes",
                     replay_notes(r));
}

json_t *replay_run(struct replay *r, struct err *e)
{
    if (replay_all(r, e) < 0)
        return NULL;
    AUTO_JSON json_t *list = json_array();
    AUTO_JSON json_t *totals = json_object();
    struct replay_diff d = {
        .current = {r->live, 1, NULL},
        .next = {solo_db(r->next.solo), REPLAY_SCALE, r->next.solo},
        .since_ms = r->o->since_ms,
        .limit = r->o->limit,
        .zone = replay_zone(r->o),
        .list = list,
        .totals = totals,
    };
    if (r->current.solo)
        d.current = (struct replay_side){solo_db(r->current.solo), REPLAY_SCALE, r->current.solo};
    return replay_compare(&d, e) < 0 ? NULL : replay_result(r, &d);
}

/* ---- life -------------------------------------------------------------------------------------- */

static int live_open(struct replay *r, struct err *e)
{
    int64_t schema;
    r->live = db_open(r->o->store, true, e);
    if (!r->live || db_begin_read(r->live, e) < 0 || backup_schema(r->live, &schema, e) < 0)
        return -1;
    if (schema != migrate_newest())
        return err_set(e, ERR_INPUT, "%s has schema %" PRId64 ", and this leadctl reads %d: start "
                       "leadd of the same version first", r->o->store, schema, migrate_newest());
    return history_size(r->live, r->o->until_ms, &r->total, e);
}

static int replay_start(struct replay *r, struct err *e)
{
    AUTO_FREE char *path = mem_printf("%s/current.db", r->o->scratch);
    int64_t start = r->o->since_ms, first;
    if (live_open(r, e) < 0 || history_start(r->live, &first, e) < 0)
        return -1;
    if (!r->o->fresh && first && first < start)
        start = first;
    r->history = history_new(r->live, start, r->o->until_ms);
    r->current = (struct world){.solo = solo_new(r->o->current, path, e), .config = r->o->current};
    r->next = (struct world){.config = r->o->next};
    if (!r->current.solo)
        return err_wrap(e, "the rules of today");
    scratch_unname(r, "current.db");
    solo_foreign(r->current.solo, r->o->key, REPLAY_SCALE);
    return solo_begin(r->current.solo, start, e);
}

struct replay *replay_open(const struct replay_options *o, struct err *e)
{
    struct replay *r = mem_alloc(sizeof(*r));
    r->o = o;
    if (replay_start(r, e) < 0)
        replay_free(&r);
    return r;
}

void replay_free(struct replay **rp)
{
    struct replay *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    solo_free(&r->current.solo);
    solo_free(&r->next.solo);
    history_free(&r->history);
    db_close(&r->live);
    mem_free(r);
}
