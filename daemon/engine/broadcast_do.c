/* SPDX-License-Identifier: ISC
 *
 * broadcast_do - what people do with a broadcast: start, confirm, pause, go on, cancel
 * (see broadcast.h)
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/when.h"
#include "engine/broadcast.h"
#include "engine/notice.h"
#include "store/broadcast.h"

struct order {
    struct engine *eng;
    const struct broadcast_order *o;
    json_t *row;         /* own; NULL: it was never started */
    struct broadcast *b; /* of the row, else of the rules */
    char *said;
};

/* ---- start ----------------------------------------------------------------------------- */

/* One that was cancelled before anybody got it may be started anew. */
static int start_again(struct order *x, struct err *e)
{
    bool made;
    char when[40];
    int64_t id = json_get_int(x->row, "id", 0);
    if (part_any_made(x->eng->db, id, &made, e) < 0)
        return -1;
    crm_when_print(engine_setting(x->eng, "time_zone", "UTC"), json_get_int(x->row, "created_ms", 0),
                   when, sizeof(when));
    if (made || strcmp(json_get_str(x->row, "state", ""), "cancelled") != 0)
        return err_set(e, ERR_INPUT, "%s was started on %s already (%s); nobody gets a broadcast "
                       "twice: give the next one a name of its own", x->o->name, when,
                       json_get_str(x->row, "state", ""));
    return broadcast_forget(x->eng->db, id, e);
}

static int do_start(struct order *x, struct err *e)
{
    const struct broadcast_order *o = x->o;
    int64_t now = clock_now_ms(), begin = o->begin_ms > now ? o->begin_ms : now;
    char when[40];
    json_t *row;
    struct broadcast *b = crm_broadcast(x->eng->crm, o->name);
    if (!b)
        return err_set(e, ERR_INPUT, "there is no broadcast \"%s\"; leadctl broadcast list tells "
                       "which there are", o->name);
    if (x->row && start_again(x, e) < 0)
        return -1;
    if (broadcast_add(x->eng->db, o->name, "scheduled", b->source, o->by, begin, o->number, now, e) < 0 ||
        broadcast_get(x->eng->db, o->name, &row, e) < 0)
        return -1;
    int rc = broadcast_wake(x->eng, row, begin, e);
    json_decref(row);
    x->eng->broadcasts_seen = true;
    crm_when_print(engine_setting(x->eng, "time_zone", "UTC"), begin, when, sizeof(when));
    snprintf(x->said, BROADCAST_SAID_MAX, "%s: its recipients are looked up %s%s; leadctl broadcast "
             "show %s tells how many they are", o->name, begin > now ? "on " : "now",
             begin > now ? when : "", o->name);
    return rc;
}

/* ---- the others, of one that was started --------------------------------------------------- */

static int do_confirm(struct order *x, struct err *e)
{
    int64_t n = json_get_int(x->row, "recipients", 0);
    if (x->o->number != n)
        return err_set(e, ERR_INPUT, "%s has %" PRId64 " recipients: confirm %s %" PRId64, x->o->name,
                       n, x->o->name, n);
    json_put_int(x->row, "confirmed", n);
    snprintf(x->said, BROADCAST_SAID_MAX, "%s goes to %" PRId64 " recipients", x->o->name, n);
    return broadcast_planned(x->eng, x->row, x->b, e);
}

static int do_pause(struct order *x, struct err *e)
{
    AUTO_FREE char *why = mem_printf("by %s", x->o->by);
    snprintf(x->said, BROADCAST_SAID_MAX, "%s is paused", x->o->name);
    return broadcast_pause(x->eng, x->row, why, e);
}

static int do_go_on(struct order *x, struct err *e)
{
    snprintf(x->said, BROADCAST_SAID_MAX, "%s goes on", x->o->name);
    return broadcast_go_on(x->eng, x->row, x->b, e);
}

static int do_cancel(struct order *x, struct err *e)
{
    AUTO_FREE char *why = mem_printf("cancelled by %s", x->o->by);
    if (broadcast_hold_rows(x->eng, x->row, "failed", why, e) < 0)
        return -1;
    json_put_str(x->row, "reason", why);
    json_object_del(x->row, "was");
    json_put_str(x->row, "state", "cancelled");
    json_put_int(x->row, "ended_ms", clock_now_ms());
    snprintf(x->said, BROADCAST_SAID_MAX, "%s is cancelled: nobody else gets it", x->o->name);
    return broadcast_put(x->eng->db, x->row, e) < 0
               ? -1
               : part_sync(x->eng->db, json_get_int(x->row, "id", 0), 0, e) < 0
               ? -1
               : broadcast_wake(x->eng, x->row, 0, e);
}

static int do_winner(struct order *x, struct err *e)
{
    int64_t n = x->o->number, tick, count;
    AUTO_FREE char *why = mem_printf("chosen by %s", x->o->by);
    if (!x->b->test || json_get_int(x->row, "winner", 0))
        return err_set(e, ERR_INPUT, x->b->test ? "%s has its winner already" : "%s has no test",
                       x->o->name);
    if (n < 1 || n > (int64_t)x->b->template_count)
        return err_set(e, ERR_INPUT, "expected the number of a template, from 1 to %zu",
                       x->b->template_count);
    json_put_int(x->row, "winner", n);
    json_put_str(x->row, "winner_why", why);
    json_put_str(x->row, "state", "sending");
    snprintf(x->said, BROADCAST_SAID_MAX, "the others get %s", x->b->templates[n - 1]);
    broadcast_pace(x->b, &tick, &count); /* one of the test may have left just now */
    return broadcast_put(x->eng->db, x->row, e) < 0
               ? -1
               : broadcast_wake(x->eng, x->row, clock_now_ms() + tick, e);
}

/* ---- all ------------------------------------------------------------------------------------- */

#define RUNS "scheduled planning planned sending deciding"

static const struct {
    const char *verb, *from; /* states, parted by blanks */
    int (*run)(struct order *x, struct err *e);
} verbs[] = {{"confirm", "planned", do_confirm},
             {"pause", RUNS, do_pause},
             {"go-on", "paused", do_go_on},
             {"cancel", RUNS " paused", do_cancel},
             {"winner", "sending deciding", do_winner}};

static bool word_in(const char *word, const char *list)
{
    size_t n = strlen(word);
    const char *p = strstr(list, word);
    return n && p && (p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]);
}

static int order_run(struct order *x, struct err *e)
{
    const struct broadcast_order *o = x->o;
    const char *state = json_get_str(x->row, "state", "");
    if (strcmp(o->verb, "start") == 0)
        return do_start(x, e);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(o->verb, verbs[i].verb) != 0)
            continue;
        if (!x->row)
            return err_set(e, ERR_INPUT, "%s was not started", o->name);
        if (!word_in(state, verbs[i].from))
            return err_set(e, ERR_INPUT, "%s is %s; %s is for: %s", o->name, state, o->verb,
                           verbs[i].from);
        x->b = broadcast_definition(x->eng, x->row, e);
        return x->b || strcmp(o->verb, "cancel") == 0 ? verbs[i].run(x, e) : -1;
    }
    return err_set(e, ERR_INPUT, "broadcast: \"%s\" is not known; expected start, confirm, pause, "
                   "go-on, cancel or winner; and list, show, preview, test, results, recipients", o->verb);
}

int broadcast_do(struct engine *eng, const struct broadcast_order *o, char said[BROADCAST_SAID_MAX],
                 struct err *e)
{
    struct order x = {.eng = eng, .o = o, .said = said};
    *said = '\0';
    if (broadcast_get(eng->db, o->name, &x.row, e) < 0)
        return -1;
    int rc = order_run(&x, e);
    json_decref(x.row);
    if (rc == 0)
        log_info("broadcast.order", "broadcast=%s verb=%s by=\"%s\"", o->name, o->verb, o->by);
    return rc;
}

/* ---- by command -------------------------------------------------------------------------------- */

/* "spring is sending: 400 of 1234 sent, 12 left out" */
static int show_text(struct engine *eng, const char *name, char said[BROADCAST_SAID_MAX], struct err *e)
{
    json_t *row = NULL, *c;
    size_t i;
    int64_t sent = 0, out = 0, failed = 0;
    if (broadcast_get(eng->db, name, &row, e) < 0)
        return -1;
    AUTO_JSON json_t *mine = row;
    if (!row)
        return err_set(e, ERR_INPUT, "%s was not started", name);
    int64_t id = json_get_int(row, "id", 0);
    AUTO_JSON json_t *counts = part_sync(eng->db, id, 0, e) < 0 ? NULL : part_counts(eng->db, id, e);
    if (!counts)
        return -1;
    json_array_foreach(counts, i, c) {
        const char *state = json_get_str(c, "state", "");
        int64_t n = json_get_int(c, "n", 0);
        out += strcmp(state, "left_out") == 0 ? n : 0;
        sent += json_get_int(c, "sent", 0);
        failed += strcmp(state, "failed") == 0 ? n : 0;
    }
    snprintf(said, BROADCAST_SAID_MAX, "%s is %s: %" PRId64 " of %" PRId64 " sent, %" PRId64 " failed, %"
             PRId64 " left out", name, json_get_str(row, "state", ""), sent,
             json_get_int(row, "recipients", 0), failed, out);
    return 0;
}

int broadcast_hook(void *arg, const struct crm_broadcast_order *w, char said[CRM_BROADCAST_SAID],
                   struct err *e)
{
    struct input *in = arg;
    AUTO_FREE char *by = mem_printf("%s %s", crm_actor_kind_name(w->actor.kind), w->actor.name);
    const struct broadcast_order o = {.verb = w->verb, .name = w->name, .by = by, .number = w->number};
    return strcmp(w->verb, "show") == 0 ? show_text(in->eng, w->name, said, e)
                                        : broadcast_do(in->eng, &o, said, e);
}

int broadcast_ask_back(struct engine *eng, const json_t *row, struct err *e)
{
    const char *by = json_get_str(row, "by", ""), *name = json_get_str(row, "name", "");
    const json_t *user = text_starts(by, "user ") ? crm_user(eng->crm, by + strlen("user ")) : NULL;
    int64_t n = json_get_int(row, "recipients", 0);
    if (!user) /* leadctl show tells */
        return 0;
    AUTO_FREE char *intent = mem_printf("broadcast-planned:%" PRId64 ":%" PRId64, json_get_int(row, "id", 0),
                                        json_get_int(row, "created_ms", 0));
    AUTO_FREE char *subject = mem_printf("%s would go to %" PRId64 " recipients", name, n);
    AUTO_FREE char *text = mem_printf(
        "The broadcast %s has %" PRId64 " recipients, more than may get one without a second look.\n"
        "Nothing has left. A mail to us with this line sends it:\n\n"
        "  #broadcast confirm %s %" PRId64 "\n\nand with this one it goes to nobody:\n\n"
        "  #broadcast cancel %s\n", name, n, name, n, name);
    const struct notice notice = {.intent = intent, .to = json_get_str(user, "email", ""),
                                  .subject = subject, .text = text};
    return notice_send(eng, &notice, NULL, e);
}
