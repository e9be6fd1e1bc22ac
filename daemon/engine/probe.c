/* SPDX-License-Identifier: ISC
 *
 * probe - a mail to oneself that must come back
 *
 * It takes the way of every mail: outbox, relay, the world, the mailbox, the intake. So
 * it also finds what nobody reports: mail that is accepted and never delivered. A probe
 * has its timer (step 0: the next is to leave; step 1: it should be back by now) and
 * no record; its Message-ID carries our own token, so nobody can answer in its place.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/alive.h"
#include "engine/hold.h"
#include "engine/notice.h"
#include "engine/outgoing.h"
#include "store/probe.h"

static const json_t *probe_box(const struct engine *eng, const char *mailbox)
{
    const json_t *box = json_get_obj(json_get_obj(eng->role->config, "mailboxes"), mailbox);
    return json_get_int(box, "probe", 0) ? box : NULL;
}

static int probe_time(struct engine *eng, const char *mailbox, int64_t due_ms, int64_t step,
                      struct err *e)
{
    struct timer_row t = {.key = {"probe", mailbox, "", 0},
                          .due_ms = due_ms,
                          .step = step,
                          .since_ms = clock_now_ms()};
    return timer_write(eng, &t, e);
}

static int probe_send(struct engine *eng, const char *mailbox, const json_t *box, struct err *e)
{
    const char *to = json_get_str(box, "probe_to", engine_setting(eng, "address", ""));
    int64_t now = clock_now_ms();
    AUTO_FREE char *intent = mem_printf("probe/%s/%" PRId64, mailbox, now);
    struct outgoing o = {.intent = intent, .class_ = "notice",
                         .mail = {.to = to, .ours = true, .counted = true}, .now_ms = now};
    struct outbox_row row;
    char why[OUTGOING_WHY_MAX];
    AUTO_FREE char *subject = mem_printf("leadd probe of mailbox %s", mailbox);
    if (hold_why(eng)) /* nothing leaves: the next one, perhaps */
        return probe_time(eng, mailbox, now + json_get_int(box, "probe", 0), 0, e);
    if (outgoing_add(eng, &o, &row, why, e) < 0 || row.id == 0 ||
        notice_fill(eng, row.id, to, subject,
                    "leadd sends this mail to itself, to see that mail still comes in.\n"
                    "It can be deleted.\n", false, e) < 0 ||
        probe_sent(eng->db, mailbox, row.id, now, e) < 0)
        return -1;
    return probe_time(eng, mailbox, now + json_get_int(box, "probe_within", 0), 1, e);
}

static int probe_late(struct engine *eng, const char *mailbox, const json_t *probe, struct err *e)
{
    char stamp[32];
    int64_t sent = json_get_int(probe, "sent_ms", 0), out = json_get_int(probe, "outbox", 0);
    AUTO_FREE char *key = mem_printf("mailbox/%s/probe/%" PRId64, mailbox, out);
    AUTO_FREE char *subject = mem_printf("leadd: mailbox %s: the probe has not come back", mailbox);
    AUTO_FREE char *text = mem_printf(
        "The mail that leadd sent to itself at %s has not come into mailbox \"%s\".\n"
        "Mail to customers may not leave, or theirs may not come in.\n\n"
        "See: leadctl outbox show %" PRId64 ", leadctl mailbox status\n",
        clock_format_utc(sent, stamp, sizeof(stamp)), mailbox, out);
    log_error("mailbox.alarm", "mailbox=%s what=\"the probe has not come back\" out=%" PRId64
              " next=\"the administrator is told\"", mailbox, out);
    engine_count(eng, "mailbox_alarms", 1);
    if (probe_set_late(eng->db, mailbox, e) < 0)
        return -1;
    return notice_admin(eng, key, subject, text, e);
}

static int probe_fire(struct engine *eng, const json_t *row, struct err *e)
{
    const char *mailbox = json_get_str(row, "rule", "");
    const json_t *box = probe_box(eng, mailbox);
    struct timer_key k = timer_key_of(row);
    json_t *found;
    if (!box)
        return timer_remove(eng, &k, e) < 0 ? -1 : probe_forget(eng->db, mailbox, e);
    if (json_get_int(row, "step", 0) == 0)
        return probe_send(eng, mailbox, box, e);
    if (probe_get(eng->db, mailbox, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *probe = found;
    if (probe && !json_get_int(probe, "back_ms", 0) && !json_get_bool(probe, "late", false) &&
        probe_late(eng, mailbox, probe, e) < 0)
        return -1;
    int64_t next = json_get_int(probe, "sent_ms", 0) + json_get_int(box, "probe", 0);
    return probe_time(eng, mailbox, next > clock_now_ms() ? next : clock_now_ms(), 0, e);
}

int probe_back(struct engine *eng, const char *mailbox, int64_t outbox, struct err *e)
{
    json_t *found;
    char stamp[32];
    if (!probe_box(eng, mailbox))
        return 0;
    if (probe_get(eng->db, mailbox, &found, e) < 0)
        return -1;
    AUTO_JSON json_t *probe = found;
    if (!probe || json_get_int(probe, "outbox", 0) != outbox || json_get_int(probe, "back_ms", 0))
        return 0;
    int64_t now = clock_now_ms(), sent = json_get_int(probe, "sent_ms", 0);
    log_info("mailbox.probe", "mailbox=%s ms=%" PRId64, mailbox, now - sent);
    if (probe_set_back(eng->db, mailbox, now, e) < 0)
        return -1;
    if (!json_get_bool(probe, "late", false))
        return 0;
    AUTO_FREE char *key = mem_printf("mailbox/%s/probe-back/%" PRId64, mailbox, outbox);
    AUTO_FREE char *subject = mem_printf("leadd: mailbox %s is well again (probe)", mailbox);
    AUTO_FREE char *text = mem_printf("The probe of %s has come back after %" PRId64 " seconds.\n",
                                      clock_format_utc(sent, stamp, sizeof(stamp)),
                                      (now - sent) / 1000);
    return notice_admin(eng, key, subject, text, e);
}

int probes_start(struct engine *eng, struct err *e)
{
    const char *name;
    json_t *box;
    json_object_foreach(json_get_obj(eng->role->config, "mailboxes"), name, box) {
        struct timer_key k = {"probe", name, "", 0};
        json_t *row;
        if (!json_get_int(box, "probe", 0))
            continue; /* a timer that is there goes when it is due */
        if (timer_get(eng->db, &k, &row, e) < 0)
            return -1;
        bool there = row != NULL;
        json_decref(row);
        if (!there && probe_time(eng, name, clock_now_ms(), 0, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- the kind -------------------------------------------------------------------------- */

static void probe_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    snprintf(out, n, json_get_int(row, "step", 0) ? "a probe mail should be back by then"
                                                  : "a probe mail leaves");
}

const struct timer_kind timer_kind_probe = {.name = "probe",
                                            .fire = probe_fire,
                                            .tell = probe_tell};
