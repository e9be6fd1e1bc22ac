/* SPDX-License-Identifier: ISC
 *
 * base: text, clock, JSON bounds, and the frame channel under odd peers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/errlist.h"
#include "base/frame.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/place.h"
#include "base/text.h"

static void durations(void **state)
{
    (void)state;
    int64_t ms;
    char out[64];
    assert_int_equal(text_parse_duration("1h 30m", &ms), 0);
    assert_int_equal(ms, 5400000);
    assert_int_equal(text_parse_duration("2 days", &ms), 0);
    assert_int_equal(ms, 172800000);
    assert_int_equal(text_parse_duration("", &ms), -1);
    assert_int_equal(text_parse_duration("5", &ms), -1);
    assert_int_equal(text_parse_duration("99999999999999999999d", &ms), -1);
    assert_string_equal(text_format_duration(5400000, out, sizeof(out)), "1h 30m");
}

static void sizes(void **state)
{
    (void)state;
    int64_t n;
    assert_int_equal(text_parse_size("50M", &n), 0);
    assert_int_equal(n, 52428800);
    assert_int_equal(text_parse_size("9999999999999G", &n), -1);
    assert_int_equal(text_parse_size("M", &n), -1);
}

static void utf8(void **state)
{
    (void)state;
    struct buf b AUTO_BUF;
    buf_init(&b, 100);
    assert_true(text_is_utf8("\xc3\xa4\xe2\x82\xac", 5));
    assert_false(text_is_utf8("\xc0\x80", 2));         /* overlong */
    assert_false(text_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(text_is_utf8("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(text_add_utf8(&b, "a\0\xff" "b", 4));
    assert_string_equal(b.data, "a\xef\xbf\xbd" "b");
    assert_int_equal(text_utf8_cut("a\xe2\x82\xac", 4, 3), 1);
}

static char log_read[4096];

/* What a log line says behind its event. */
#define logged(text) logged_as("%s", text)
#define logged_as(...)                                                                             \
    (log_catch(true), log_info("test.event", __VA_ARGS__), log_catch(false), log_read)

static void log_catch(bool begin)
{
    static int ends[2], err;
    char line[4096];
    if (begin) {
        err = dup(STDERR_FILENO);
        assert_int_equal(pipe(ends), 0);
        dup2(ends[1], STDERR_FILENO);
        return;
    }
    dup2(err, STDERR_FILENO);
    close(err);
    close(ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_true(n > 0 && line[n - 1] == '\n');
    line[n - 1] = '\0';
    snprintf(log_read, sizeof(log_read), "%s",
             strstr(line, "test.event ") + strlen("test.event "));
}

static void no_value_in_the_log_looks_like_another_key(void **state)
{
    (void)state;
    assert_string_equal(logged_as("a=\"%s\" b=%d", "x\" b=2 c=\"", 1),
                        "a=\"x\\\" b=2 c=\\\"\" b=1");
    assert_string_equal(logged_as("a=\"%s\"", "back\\"), "a=\"back\\\\\"");
    assert_string_equal(logged_as("a=%s b=%s c=%s d=%.*s", "one two", "plain", "", 2, "\"q"),
                        "a=\"one two\" b=plain c= d=\"\\\"q\"");
    assert_string_equal(logged_as("n=%" PRId64 " z=%zu u=%u %5d|%-3s|%02x%% %c", (int64_t)-5, (size_t)7,
                                  8u, 9, "s", 10u, 'c'), "n=-5 z=7 u=8     9|s  |0a% c");
    char many[4000];
    memset(many, '"', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    const char *cut = logged_as("a=\"%s\" b=1", many);
    size_t n = strlen(cut);
    assert_true(n < 2048 && cut[n - 1] == '"' && cut[n - 2] == '"' && cut[n - 3] == '\\');
}

static void addresses_are_masked_in_the_log(void **state)
{
    (void)state;
    assert_string_equal(logged("to=jane.doe@example.com try=2"), "to=j***@example.com try=2");
    assert_string_equal(logged("text=\"550 <bob+x=y@example.net>: no\""),
                        "text=\"550 <b***@example.net>: no\"");
    assert_string_equal(logged("a@b.example,c@[192.0.2.1]"), "a***@b.example,c***@[192.0.2.1]");
    assert_string_equal(logged("\xc3\xa4\xc3\xb6@example.com"), "***@example.com");
    assert_string_equal(logged("a @ b @dach @ x@"), "a @ b @dach @ x@");
    assert_string_equal(logged("x\n b@c"), "x\\x0a b***@c");
    assert_string_equal(logged(""), "");
    char many[2048];
    for (size_t i = 0; i < sizeof(many) - 1; i++)
        many[i] = "a@b "[i % 4];
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(strncmp(logged(many), "a***@b a***@b", 13), 0);
    log_set_personal(true);
    assert_string_equal(logged("to=jane@example.com"), "to=jane@example.com");
    log_set_personal(false);
}

static void nearest(void **state)
{
    (void)state;
    const char *const names[] = {"frequency", "folders", "password_file"};
    assert_string_equal(text_nearest("frequencey", names, 3), "frequency");
    assert_null(text_nearest("zzz", names, 3));
}

static void error_list_keeps_all_with_a_caret_and_a_bound(void **state)
{
    (void)state;
    struct errlist l AUTO_ERRLIST;
    struct buf out AUTO_BUF;
    errlist_init(&l, 2);
    buf_init(&out, 4096);
    errlist_add(&l, "a.conf:3", "rule \"x\xff\": unknown\nfield");
    errlist_caret(&l, "\xc3\xa4 foo", 3);
    errlist_add(&l, NULL, "second");
    errlist_add(&l, "b.conf:1", "third");
    errlist_line(&l, "belongs to the third");
    assert_int_equal(errlist_total(&l), 3);
    errlist_print(&l, &out);
    assert_string_equal(out.data, "a.conf:3: rule \"x?\": unknown field\n    \xc3\xa4 foo\n      ^\n"
                                  "second\nand 1 more errors\n");
    json_t *arr AUTO_JSON = errlist_json(&l);
    assert_int_equal(json_array_size(arr), 3);
    assert_string_equal(json_string_value(json_array_get(arr, 1)), "second");
}

/* What a server says in Latin-1 must not make an error that JSON leaves out. */
static void an_error_is_one_line_of_utf8_whoever_spoke(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, ERR_TEMP, "the server says: %s", "zur\xfc" "ck\r\n\xe2\x82");
    assert_string_equal(e.text, "the server says: zur?ck  ??");
    err_wrap(&e, "%s", "gr\xc3\xbc\xc3\x9f\x7f");
    assert_string_equal(e.text, "gr\xc3\xbc\xc3\x9f : the server says: zur?ck  ??");
}

static void a_day_that_is_not_is_told_from_what_is_no_date(void **state)
{
    (void)state;
    assert_true(clock_no_such_day("2026-02-30") && clock_no_such_day("2026-13-01 08:00"));
    assert_false(clock_no_such_day("2028-02-29") || clock_no_such_day("30.02.2026") ||
                 clock_no_such_day("tomorrow") || clock_no_such_day(""));
    assert_string_equal(place_zone("Europe/Wien"), "Europe/Vienna");
    assert_null(place_zone("Europe/Vienna"));
}

static void dates(void **state)
{
    (void)state;
    int64_t ms;
    char out[40];
    assert_int_equal(clock_parse_utc("2026-03-29T01:30:00+01:00", &ms), 0);
    assert_string_equal(clock_format_utc(ms, out, sizeof(out)), "2026-03-29T00:30:00.000Z");
    assert_string_equal(clock_format_mail(ms, out, sizeof(out)), "Sun, 29 Mar 2026 00:30:00 +0000");
    assert_int_equal(clock_parse_utc("2026-02-29", &ms), -1);
    assert_int_equal(clock_parse_utc("2026-02-28T10:00", &ms), -1); /* no zone */
}

static void json_lines_are_read_back_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "{\"b\":[],\"a\":{},\"n\":[0,-1,9223372036854775807,-9223372036854775808,0.5,1e300],"
        "\"s\":\"\\\"\\\\/\\u0001\\u001f\\u007f\\n \\u00e9\u20ac\","
        "\"\\tkey\\\"\":[true,false,null,{\"deep\":[[1]]}],\"\":\"\"}";
    AUTO_JSON json_t *v = json_load_bounded(text, strlen(text), 1000, NULL);
    assert_non_null(v);
    AUTO_FREE char *line = json_line(v);
    AUTO_JSON json_t *back = json_load_bounded(line, strlen(line), 1000, NULL);
    assert_true(json_equal(v, back));
    assert_memory_equal(line, "{\"b\":[],\"a\":{},\"n\":[0,-1,", 25);
}

static void json_bounds(void **state)
{
    (void)state;
    char deep[300];
    struct err e;
    memset(deep, '[', sizeof(deep));
    assert_null(json_load_bounded(deep, sizeof(deep), 1000, &e));
    assert_non_null(strstr(e.text, "deeper"));
    assert_null(json_load_bounded("{\"a\":1,\"a\":2}", 13, 1000, &e));
    assert_null(json_load_bounded("\"\\u0000\"", 8, 1000, &e));
}

/* ---- channels ---- */

struct seen {
    int frames, gone;
    struct frame last;
    char why[64];
    struct chan *c;
    bool free_on_frame;
};

static void on_frame(struct chan *c, struct frame *f, void *arg)
{
    struct seen *s = arg;
    (void)c;
    s->frames++;
    frame_done(&s->last);
    s->last = *f;
    f->json = NULL;
    f->raw = NULL;
    f->fd = -1;
    if (s->free_on_frame)
        chan_free(&s->c);
}

static void on_gone(struct chan *c, const char *why, void *arg)
{
    struct seen *s = arg;
    (void)c;
    s->gone++;
    strncpy(s->why, why, sizeof(s->why) - 1);
    chan_free(&s->c);
}

struct pair {
    struct event_base *base;
    struct seen a, b;
    int raw_fd; /* the far end when it is not a channel */
};

static void pair_open(struct pair *p, bool far_is_chan)
{
    int sv[2];
    memset(p, 0, sizeof(*p));
    p->a.last.fd = p->b.last.fd = -1;
    p->base = event_base_new();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
    p->a.c = chan_new(p->base, sv[0], "parser", on_frame, on_gone, &p->a);
    p->raw_fd = sv[1];
    if (far_is_chan) {
        p->b.c = chan_new(p->base, sv[1], "engine", on_frame, on_gone, &p->b);
        p->raw_fd = -1;
    }
}

static void pair_close(struct pair *p)
{
    chan_free(&p->a.c);
    chan_free(&p->b.c);
    frame_done(&p->a.last);
    frame_done(&p->b.last);
    if (p->raw_fd >= 0)
        close(p->raw_fd);
    event_base_free(p->base);
}

static void pair_run(struct pair *p)
{
    for (int i = 0; i < 50; i++)
        event_base_loop(p->base, EVLOOP_NONBLOCK);
}

static void frames_pass(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    AUTO_JSON json_t *j = json_pack("{s:s}", "folder", "INBOX");
    chan_send(p.a.c, FRAME_MAIL, 7, j, "raw\0bytes", 9, -1);
    chan_send(p.a.c, FRAME_MAIL, 8, NULL, NULL, 0, -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 2);
    assert_int_equal(p.b.last.id, 8);
    assert_true(json_is_object(p.b.last.json));
    pair_close(&p);
}

static void big_frames_travel_as_memfd(void **state)
{
    (void)state;
    struct pair p;
    size_t n = MIB(3);
    char *big = mem_alloc(n);
    memset(big, 'x', n);
    big[n - 1] = 'y';
    pair_open(&p, true);
    chan_send(p.a.c, FRAME_MAIL, 1, NULL, big, n, -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 1);
    assert_int_equal(p.b.last.raw_len, n);
    assert_memory_equal(p.b.last.raw, big, n);
    mem_free(big);
    pair_close(&p);
}

static void descriptors_pass(void **state)
{
    (void)state;
    struct pair p;
    int pipefd[2];
    char c;
    pair_open(&p, true);
    assert_int_equal(pipe(pipefd), 0);
    chan_send(p.a.c, FRAME_PEER, 0, NULL, NULL, 0, pipefd[1]);
    pair_run(&p);
    assert_true(p.b.last.fd >= 0);
    assert_int_equal(write(p.b.last.fd, "k", 1), 1);
    assert_int_equal(read(pipefd[0], &c, 1), 1);
    close(pipefd[0]);
    close(pipefd[1]);
    pair_close(&p);
}

static void corked_frames_leave_together_in_order(void **state)
{
    (void)state;
    struct pair p;
    int pipefd[2];
    char big[3000] = "x";
    pair_open(&p, true);
    assert_int_equal(pipe(pipefd), 0);
    chan_cork(p.a.c);
    for (uint64_t i = 1; i <= 150; i++)
        chan_send(p.a.c, FRAME_PARSE, i, NULL, i % 3 ? NULL : big, i % 3 ? 0 : sizeof(big), -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 0);
    chan_send(p.a.c, FRAME_PEER, 151, NULL, NULL, 0, pipefd[1]);
    chan_uncork(p.a.c);
    pair_run(&p);
    assert_int_equal(p.b.frames, 151);
    assert_int_equal(p.b.last.id, 151);
    assert_true(p.b.last.fd >= 0); /* it came with its own frame, not with the first */
    assert_int_equal(chan_queued(p.a.c), 0);
    chan_cork(p.a.c);
    chan_send(p.a.c, FRAME_PARSED, 152, NULL, NULL, 0, -1);
    chan_uncork(p.a.c);
    chan_send(p.a.c, FRAME_PARSED, 153, NULL, NULL, 0, -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 153);
    for (int i = 0; i < 2; i++)
        close(pipefd[i]);
    pair_close(&p);
}

static void malformed_frames_cut_the_peer(void **state)
{
    (void)state;
    static const struct {
        uint32_t length;
        uint16_t type, flags;
        uint32_t json_len, raw_len;
    } bad[] = {
        {20, 0, 0, 0, 0},                       /* no type */
        {20, 999, 0, 0, 0},                     /* unknown type */
        {20, FRAME_MAIL, 0xff, 0, 0},           /* unknown flags */
        {20, FRAME_MAIL, 1, 0, 0},              /* descriptor promised, none sent */
        {20, FRAME_MAIL, 2, 0, 10},             /* memfd without descriptor */
        {0xffffffff, FRAME_MAIL, 0, 0, 0},      /* length lies */
        {24, FRAME_MAIL, 0, 3, 0},              /* lengths disagree */
        {22, FRAME_MAIL, 0, 2, 0},              /* not JSON: the two bytes are \0\0 */
        {20, FRAME_MAIL, 0, 0xfffffff0, 0x20},  /* overflow */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pair p;
        unsigned char head[26] = {0};
        pair_open(&p, false);
        memcpy(head, &bad[i].length, 4);
        memcpy(head + 4, &bad[i].type, 2);
        memcpy(head + 6, &bad[i].flags, 2);
        memcpy(head + 16, &bad[i].json_len, 4);
        memcpy(head + 20, &bad[i].raw_len, 4);
        assert_int_equal(write(p.raw_fd, head, sizeof(head)), sizeof(head));
        pair_run(&p);
        assert_int_equal(p.a.frames, 0);
        assert_int_equal(p.a.gone, 1);
        assert_string_equal(p.a.why, "malformed frame");
        pair_close(&p);
    }
}

static void a_trickled_frame_arrives_whole(void **state)
{
    (void)state;
    struct pair p, q;
    char bytes[200];
    pair_open(&p, false);
    pair_open(&q, false);
    AUTO_JSON json_t *j = json_pack("{s:i}", "n", 5);
    chan_send(q.a.c, FRAME_PARSED, 3, j, "abc", 3, -1);
    ssize_t n = read(q.raw_fd, bytes, sizeof(bytes));
    assert_true(n > 24);
    for (ssize_t i = 0; i < n; i++) {
        assert_int_equal(p.a.frames, 0);
        assert_int_equal(write(p.raw_fd, bytes + i, 1), 1);
        pair_run(&p);
    }
    assert_int_equal(p.a.frames, 1);
    assert_string_equal(p.a.last.raw, "abc");
    pair_close(&p);
    pair_close(&q);
}

static void last_words_count(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    for (int i = 0; i < 100; i++)
        chan_send(p.a.c, FRAME_PARSED, (uint64_t)i, NULL, NULL, 0, -1);
    assert_int_equal(chan_flush(p.a.c, 1000), 0);
    chan_free(&p.a.c);
    pair_run(&p);
    assert_int_equal(p.b.frames, 100);
    assert_int_equal(p.b.gone, 1);
    pair_close(&p);
}

static void a_channel_may_be_freed_by_its_callback(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    p.b.free_on_frame = true;
    chan_send(p.a.c, FRAME_PARSED, 1, NULL, NULL, 0, -1);
    chan_send(p.a.c, FRAME_PARSED, 2, NULL, NULL, 0, -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 1);
    assert_null(p.b.c);
    assert_int_equal(p.a.gone, 1);
    pair_close(&p);
}

static void a_paused_channel_waits(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    chan_pause(p.b.c, true);
    chan_send(p.a.c, FRAME_PARSED, 1, NULL, NULL, 0, -1);
    pair_run(&p);
    assert_int_equal(p.b.frames, 0);
    chan_pause(p.b.c, false);
    pair_run(&p);
    assert_int_equal(p.b.frames, 1);
    pair_close(&p);
}

static void a_channel_is_read_when_asked_and_not_while_paused(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    chan_send(p.a.c, FRAME_PARSED, 1, NULL, NULL, 0, -1);
    chan_pause(p.b.c, true);
    chan_read(p.b.c);
    assert_int_equal(p.b.frames, 0);
    chan_pause(p.b.c, false);
    chan_read(p.b.c);
    assert_int_equal(p.b.frames, 1);
    chan_read(p.b.c); /* nothing has come: no wait */
    assert_int_equal(p.b.frames, 1);
    pair_close(&p);
}

static void only_the_right_kind_may_send(void **state)
{
    (void)state;
    assert_true(frame_allowed(FRAME_MAIL, "intake"));
    assert_true(frame_allowed(FRAME_MAIL, "ingest"));
    assert_false(frame_allowed(FRAME_MAIL, "parser"));
    assert_false(frame_allowed(FRAME_MAIL, "in"));
    assert_false(frame_allowed(FRAME_SENT, "web-in"));
    assert_false(frame_allowed(FRAME_NONE, ""));
}

static void tokens_depend_on_everything(void **state)
{
    (void)state;
    char a[HASH_TOKEN_LEN], b[HASH_TOKEN_LEN], c[HASH_TOKEN_LEN];
    hash_token("k", 1, "thread", "L42", a);
    hash_token("k", 1, "verp", "L42", b);
    hash_token("l", 1, "thread", "L42", c);
    assert_int_equal(strlen(a), 16);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(utf8),
        cmocka_unit_test(addresses_are_masked_in_the_log),
        cmocka_unit_test(no_value_in_the_log_looks_like_another_key),
        cmocka_unit_test(nearest),
        cmocka_unit_test(a_day_that_is_not_is_told_from_what_is_no_date),
        cmocka_unit_test(dates),
        cmocka_unit_test(error_list_keeps_all_with_a_caret_and_a_bound),
        cmocka_unit_test(json_lines_are_read_back_the_same),
        cmocka_unit_test(an_error_is_one_line_of_utf8_whoever_spoke),
        cmocka_unit_test(json_bounds),
        cmocka_unit_test(frames_pass),
        cmocka_unit_test(big_frames_travel_as_memfd),
        cmocka_unit_test(descriptors_pass),
        cmocka_unit_test(corked_frames_leave_together_in_order),
        cmocka_unit_test(malformed_frames_cut_the_peer),
        cmocka_unit_test(a_trickled_frame_arrives_whole),
        cmocka_unit_test(last_words_count),
        cmocka_unit_test(a_channel_may_be_freed_by_its_callback),
        cmocka_unit_test(a_paused_channel_waits),
        cmocka_unit_test(a_channel_is_read_when_asked_and_not_while_paused),
        cmocka_unit_test(only_the_right_kind_may_send),
        cmocka_unit_test(tokens_depend_on_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
