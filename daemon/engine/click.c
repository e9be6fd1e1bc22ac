/* SPDX-License-Identifier: ISC
 *
 * click - a link was opened, and whether a person did it (see click.h)
 */
#include "engine/click.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/click.h"
#include "engine/click_inner.h"
#include "engine/public.h"
#include "engine/timer.h"
#include "engine/verify_inner.h"
#include "store/click.h"
#include "store/outbox.h"

/* ---- what a link says ---------------------------------------------------------------- */

struct opened {
    int64_t outbox, links;
    char *url; /* own */
};

/* Whoever made it up, it is exactly the one that we would make. */
static bool opened_read(const struct engine *eng, const char *rest, struct opened *o)
{
    size_t n = 0;
    char number[24];
    const char *dot = strchr(rest, '.'), *slash = strchr(rest, '/');
    if (!dot || !slash || dot > slash || (size_t)(dot - rest) >= sizeof(number))
        return false;
    memcpy(number, rest, (size_t)(dot - rest));
    number[dot - rest] = '\0';
    size_t digits = strspn(dot + 1, "0123456789");
    AUTO_FREE char *links = mem_strn(dot + 1, digits);
    o->url = (char *)verify_unbase64(slash + 1, strlen(slash + 1), true, &n);
    if (!o->url || strlen(o->url) != n || text_parse_int(number, &o->outbox) < 0 ||
        text_parse_int(links, &o->links) < 0 || o->links < 1 || o->links > BOUND_CLICK_LINKS)
        return false;
    AUTO_FREE char *right = click_path(eng, o->outbox, (size_t)o->links, o->url);
    return text_equal_ct(right, rest);
}

/* Programs that say what they are: crawlers, previews, mail filters, libraries. */
static bool is_machine(const char *agent)
{
    static const char *const words[] = {"bot",   "crawl", "spider", "scan",     "preview", "proxy",
                                        "curl/", "wget",  "python", "java/",    "go-http", "libwww",
                                        "headless", "safelinks", "barracuda", "mimecast", "proofpoint",
                                        "urldefense", "http-client", "httpclient", "monitor"};
    if (!*agent)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(agent, words[i]))
            return true;
    return false;
}

/* ---- the page --------------------------------------------------------------------------- */

static struct timer_key wait_key(const char *mail)
{
    return (struct timer_key){"click", mail, "", 0};
}

/* The first one of a mail begins the wait. */
static int wait_begin(struct engine *eng, const struct opened *o, int64_t now, struct err *e)
{
    json_t *row;
    char mail[48];
    snprintf(mail, sizeof(mail), "O%" PRId64 " %" PRId64, o->outbox, o->links);
    struct timer_row t = {.key = wait_key(mail), .due_ms = now + CLICK_WAIT_MS, .since_ms = now};
    if (timer_get(eng->db, &t.key, &row, e) < 0)
        return -1;
    bool waits = row != NULL;
    json_decref(row);
    return waits ? 0 : timer_write(eng, &t, e);
}

static int opened_note(struct engine *eng, const struct item *it, const struct opened *o,
                       struct err *e)
{
    const json_t *j = it->frame.json;
    int64_t now = clock_now_ms();
    bool fresh;
    if (json_get_bool(j, "head", false) || json_get_bool(j, "go", false) ||
        is_machine(json_get_str(j, "agent", ""))) {
        engine_count(eng, "clicks_of_machines", 1);
        return 0;
    }
    if (click_add(eng->db, o->outbox, o->url, now, now - CLICK_WAIT_MS, &fresh, e) < 0)
        return -1;
    return fresh ? wait_begin(eng, o, now, e) : 0;
}

int click_page(struct engine *eng, struct item *it, const char *rest, struct err *e)
{
    struct opened o = {0};
    struct public_page p = {.code = 404, .title = "There is nothing here",
                            .text = "This link was not made here."};
    int rc = 0;
    if (opened_read(eng, rest, &o)) {
        rc = opened_note(eng, it, &o, e);
        p = (struct public_page){.code = 302, .title = "It is elsewhere", .text = o.url,
                                 .location = o.url};
    }
    if (rc == 0)
        public_answer(eng, it, &p);
    mem_free(o.url);
    return rc;
}

/* ---- was it a person? ------------------------------------------------------------------------ */

static bool is_within(int64_t ms, int64_t begin)
{
    return ms >= begin && ms <= begin + CLICK_ALL_MS;
}

/* How many links were opened in the time that begins there. */
static int64_t opened_within(const json_t *rows, int64_t begin)
{
    size_t i;
    int64_t n = 0;
    const json_t *row;
    json_array_foreach((json_t *)rows, i, row)
        n += is_within(json_get_int(row, "at_ms", 0), begin) ||
             is_within(json_get_int(row, "seen_ms", 0), begin);
    return n;
}

/* Were all links of a mail with several opened at once around then, also those that a
 * person had opened before? */
static bool is_scan(const json_t *rows, int64_t links, int64_t at_ms)
{
    static const char *const times[] = {"at_ms", "seen_ms"};
    size_t i;
    const json_t *row;
    json_array_foreach((json_t *)rows, i, row)
        for (size_t k = 0; k < ARRAY_LEN(times) && links > 1; k++) {
            int64_t begin = json_get_int(row, times[k], 0);
            if (is_within(at_ms, begin) && opened_within(rows, begin) >= links)
                return true;
        }
    return false;
}

/* For the record that the mail was about, while that is there. */
static int person_clicked(struct engine *eng, const json_t *mail, const char *url, struct err *e)
{
    struct input in;
    struct err gone = {0};
    int64_t outbox = json_get_int(mail, "id", 0);
    AUTO_FREE char *about = mem_printf("%s, in \"%.100s\"", url, json_get_str(mail, "subject", ""));
    input_begin(&in, eng, mem_printf("click on a link of mail %" PRId64, outbox),
                mem_printf("O%" PRId64 "/%s", outbox, url));
    int rc = outbound_target(in.ctx, mail, &in.target, &gone);
    if (rc == 0)
        rc = crm_record_clicked(in.ctx, &in.target, about, outbox, e);
    else if (gone.cls == ERR_INPUT)
        rc = 0;
    else
        *e = gone;
    if (rc == 0)
        rc = input_finish(&in, e);
    input_end(&in);
    engine_count(eng, "clicks_counted", 1);
    return rc;
}

static int click_decide(struct engine *eng, const json_t *mail, const json_t *row, bool scanned,
                        struct err *e)
{
    const char *url = json_get_str(row, "url", "");
    int64_t outbox = json_get_int(mail, "id", 0), sent = json_get_int(mail, "done_ms", 0);
    bool sent_now = strcmp(json_get_str(mail, "state", ""), "sent") == 0;
    if (scanned || !sent_now || json_get_int(row, "seen_ms", 0) < sent + CLICK_SOON_MS) {
        engine_count(eng, "clicks_of_machines", 1);
        return click_forget(eng->db, outbox, url, e);
    }
    if (click_count(eng->db, outbox, url, clock_now_ms(), e) < 0)
        return -1;
    return person_clicked(eng, mail, url, e);
}

static int click_due(struct engine *eng, const json_t *timer, struct err *e)
{
    const struct timer_key k = timer_key_of(timer);
    struct err gone = {0};
    const char *links = strchr(k.rule, ' ');
    int64_t id = 0, count = 0;
    size_t i;
    json_t *row;
    AUTO_FREE char *number = mem_strn(k.rule + 1, links ? (size_t)(links - k.rule - 1) : 0);
    if (timer_remove(eng, &k, e) < 0)
        return -1;
    if (!links || text_parse_int(number, &id) < 0 || text_parse_int(links + 1, &count) < 0)
        return 0;
    AUTO_JSON json_t *mail = outbox_get(eng->db, id, &gone);
    AUTO_JSON json_t *rows = click_all(eng->db, id, e);
    if (!rows)
        return -1;
    if (!mail)
        return gone.cls == ERR_INPUT ? 0 : err_set(e, gone.cls, "%s", gone.text);
    log_info("click.decided", "out=%" PRId64 " links=%zu of=%" PRId64, id, json_array_size(rows),
             count);
    json_array_foreach(rows, i, row) {
        bool scanned = is_scan(rows, count, json_get_int(row, "at_ms", 0)) &&
                       is_scan(rows, count, json_get_int(row, "seen_ms", 0));
        if (!json_get_bool(row, "counted", false) && click_decide(eng, mail, row, scanned, e) < 0)
            return -1;
    }
    return 0;
}

static void click_tell(const struct ruleset *rs, const json_t *row, char *out, size_t n)
{
    (void)rs;
    (void)row;
    snprintf(out, n, "it is decided whether a person opened the links of a mail");
}

const struct timer_kind timer_kind_click = {.name = "click", .fire = click_due, .tell = click_tell};
