/* SPDX-License-Identifier: ISC
 *
 * simulate - the run, see simulate.h
 */
#include "tool/simulate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/solo.h"
#include "mail/compose.h"
#include "mail/parse.h"
#include "store/outbox.h"

#define COMMIT_EVERY 200 /* inputs */

struct simulation {
    struct solo *solo; /* own */
    const struct simulate_options *o;
    const char *mailbox;
    struct simulate_items answers; /* own; those that are still to come, in order of time */
    size_t next_answer;
    json_t *answered; /* own; addresses that have answered */
    int64_t looked;   /* outbox rows up to this one were looked at */
    int64_t mails, forms, outside, refused, confirmed, done;
};

const char *simulate_zone(const json_t *config)
{
    return json_get_str(json_get_obj(config, "settings"), "time_zone", "UTC");
}

static int item_compare(const void *a, const void *b)
{
    const struct simulate_item *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* One without a time comes when the one before it does. */
static void items_order(struct simulate_items *items, const struct simulate_options *o)
{
    int64_t last = o->from_ms - o->shift_ms;
    for (size_t i = 0; i < items->count; i++) {
        if (items->v[i].at_ms == 0)
            items->v[i].at_ms = last;
        last = items->v[i].at_ms;
        items->v[i].at_ms += o->shift_ms;
    }
    if (items->count)
        qsort(items->v, items->count, sizeof(*items->v), item_compare);
}

/* ---- answers that are assumed ------------------------------------------------------------------ */

static int answer_compose(const json_t *ours, const char *from, int64_t at_ms, int64_t outbox,
                          struct buf *out, struct err *e)
{
    const json_t *reply_to = json_array_get(json_get_arr(ours, "reply_to"), 0);
    const char *id = json_get_str(ours, "message_id", NULL);
    AUTO_FREE char *subject = mem_printf("Re: %s", json_get_str(ours, "subject", ""));
    AUTO_FREE char *own = mem_printf("answer-%" PRId64 "@simulated.invalid", outbox);
    const struct mail_address to = {
        json_get_str(reply_to ? reply_to : json_get_obj(ours, "from"), "address", ""), NULL};
    const struct mail_compose m = {.from = {from, NULL},
                                   .to = &to,
                                   .to_count = 1,
                                   .subject = subject,
                                   .message_id = own,
                                   .in_reply_to = id,
                                   .references = &id,
                                   .reference_count = id != NULL,
                                   .date_ms = at_ms,
                                   .text = "Thank you, I have read it.\n"};
    return mail_compose(&m, out, e);
}

static int answer_plan(struct simulation *s, const json_t *row, struct err *e)
{
    int64_t id = json_get_int(row, "id", 0);
    const char *to = json_get_str(row, "to", "");
    int64_t at = json_get_int(row, "done_ms", 0) + s->o->answer_ms;
    struct outbox_mail mail = {.raw = NULL};
    struct buf raw AUTO_BUF;
    buf_init(&raw, MIB(1));
    if (json_object_get(s->answered, to))
        return 0;
    if (outbox_mail(solo_db(s->solo), id, &mail, e) < 0)
        return -1;
    AUTO_JSON json_t *ours = mail_parse(mail.raw, mail.raw_len, NULL, e);
    outbox_mail_done(&mail);
    if (!ours || answer_compose(ours, to, at, id, &raw, e) < 0)
        return -1;
    json_put_int(s->answered, to, id);
    struct simulate_items *a = &s->answers;
    a->v = mem_grow(a->v, (a->count + 1) * sizeof(*a->v));
    a->v[a->count] = (struct simulate_item){
        .at_ms = at, .order = a->count, .raw = mem_strn(raw.data, raw.len), .raw_len = raw.len};
    a->count++;
    qsort(a->v + s->next_answer, a->count - s->next_answer, sizeof(*a->v), item_compare);
    return 0;
}

/* The newest rows of the outbox, with all that were not looked at yet. */
static json_t *outbox_news(struct simulation *s, struct err *e)
{
    for (int64_t limit = 64;; limit *= 4) {
        json_t *rows = outbox_list(solo_db(s->solo), NULL, 0, limit, e);
        size_t n = json_array_size(rows);
        if (n < (size_t)limit || json_get_int(json_array_get(rows, n - 1), "id", 0) <= s->looked)
            return rows;
        json_decref(rows);
    }
}

/* Of what has left since: the first follow-up to each. */
static int answers_plan(struct simulation *s, struct err *e)
{
    if (s->o->answer_ms == 0)
        return 0;
    size_t n = 0;
    AUTO_JSON json_t *rows = outbox_news(s, e);
    if (!rows)
        return -1;
    while (n < json_array_size(rows) && json_get_int(json_array_get(rows, n), "id", 0) > s->looked)
        n++;
    for (bool all_done = true; n-- > 0;) { /* oldest first; those that wait are looked at again */
        const json_t *row = json_array_get(rows, n);
        const char *state = json_get_str(row, "state", "");
        bool sent = strcmp(state, "sent") == 0;
        /* nobody releases what is held */
        all_done &= sent || strcmp(state, "held") == 0 || strcmp(state, "failed") == 0;
        if (all_done)
            s->looked = json_get_int(row, "id", 0);
        if (sent && strcmp(json_get_str(row, "class", ""), "follow_up") == 0 &&
            strcmp(json_get_str(row, "channel", "email"), "sms") != 0 && answer_plan(s, row, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- time --------------------------------------------------------------------------------------- */

static int item_play(struct simulation *s, const struct simulate_item *it, struct err *e)
{
    struct solo_answer answer = {.status = ""};
    int rc = it->raw ? solo_mail(s->solo, it->raw, it->raw_len, s->mailbox, &answer, e)
                     : solo_form(s->solo, it->form, it->fields, &answer, e);
    if (rc < 0)
        return err_wrap(e, "input %zu", it->order + 1);
    bool confirmed = strcmp(answer.status, "confirm") == 0 && text_starts(answer.text, "taken");
    s->confirmed += confirmed;
    bool taken = confirmed || strcmp(answer.status, "ok") == 0 || strcmp(answer.status, "filed") == 0;
    s->refused += !taken;
    return ++s->done % COMMIT_EVERY ? 0 : solo_commit(s->solo, e);
}

/* In steps no longer than an answer takes, so that none is thought of too late. */
static int time_passes(struct simulation *s, int64_t to_ms, struct err *e)
{
    struct simulate_items *a = &s->answers;
    for (;;) {
        int64_t now = solo_now(s->solo), stop = to_ms;
        if (s->o->answer_ms && stop > now + s->o->answer_ms)
            stop = now + s->o->answer_ms;
        if (s->next_answer < a->count && a->v[s->next_answer].at_ms < stop)
            stop = a->v[s->next_answer].at_ms > now ? a->v[s->next_answer].at_ms : now;
        if (stop > now && solo_advance(s->solo, stop, e) < 0)
            return -1;
        if (answers_plan(s, e) < 0)
            return -1;
        if (s->next_answer < a->count && a->v[s->next_answer].at_ms <= stop) {
            const struct simulate_item due = a->v[s->next_answer++]; /* the list may move */
            if (item_play(s, &due, e) < 0)
                return -1;
        } else if (stop >= to_ms) {
            return 0;
        }
    }
}

static int items_play(struct simulation *s, const struct simulate_items *items, struct err *e)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct simulate_item *it = &items->v[i];
        if (it->at_ms < s->o->from_ms || it->at_ms >= s->o->until_ms) {
            s->outside++;
            continue;
        }
        if (time_passes(s, it->at_ms, e) < 0 || item_play(s, it, e) < 0)
            return -1;
        *(it->raw ? &s->mails : &s->forms) += 1;
        if (s->o->progress)
            s->o->progress(s->o->arg, (int64_t)i + 1, (int64_t)items->count);
    }
    return time_passes(s, s->o->until_ms, e);
}

static json_t *simulation_run(struct simulation *s, const struct simulate_items *items, struct err *e)
{
    if (solo_begin(s->solo, s->o->from_ms, e) < 0 || items_play(s, items, e) < 0)
        return NULL;
    json_t *result = json_pack("{s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "zone", simulate_zone(s->o->config),
                               "inputs", "mails", s->mails, "forms", s->forms, "answers",
                               (json_int_t)s->next_answer, "outside", s->outside, "refused", s->refused,
                               "confirmed", s->confirmed);
    if (simulate_tell(s->solo, s->o, result, e) == 0)
        return result;
    json_decref(result);
    return NULL;
}

json_t *simulate_run(struct simulate_items *items, const struct simulate_options *o, struct err *e)
{
    void *first = json_object_iter(json_get_obj(o->config, "mailboxes"));
    struct simulation s = {.o = o,
                           .mailbox = o->mailbox ? o->mailbox : first ? json_object_iter_key(first) : NULL,
                           .answered = json_object(),
                           .solo = solo_new(o->config, NULL, e)};
    items_order(items, o);
    if (s.solo)
        solo_brief(s.solo, true);
    json_t *result = s.solo ? simulation_run(&s, items, e) : NULL;
    simulate_items_done(&s.answers);
    json_decref(s.answered);
    solo_free(&s.solo);
    return result;
}
