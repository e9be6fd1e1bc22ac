/* SPDX-License-Identifier: ISC
 *
 * courier: replies in pieces and in pieces of nonsense, the wire form of a
 * mail, and the Maildir that takes a mail once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/maildir.h"
#include "base/mem.h"
#include "courier/hook.h"
#include "courier/media.h"
#include "courier/reply.h"

static enum reply_result take(struct reply *r, const char *bytes)
{
    struct buf in AUTO_BUF;
    *r = (struct reply){0};
    buf_init(&in, 1 << 20);
    buf_str(&in, bytes);
    return reply_take(r, &in);
}

static void a_reply_is_read_whole(void **state)
{
    (void)state;
    struct reply r;
    assert_int_equal(take(&r, "250 2.0.0 queued\r\n"), REPLY_DONE);
    assert_int_equal(r.code, 250);
    assert_string_equal(r.text, "250 2.0.0 queued");
    assert_int_equal(take(&r, "550-5.1.1 no such\r\n550 5.1.1 user here\r\n"), REPLY_DONE);
    assert_int_equal(r.code, 550);
    assert_string_equal(r.text, "550 5.1.1 no such 5.1.1 user here");
    assert_int_equal(take(&r, "354\r\n"), REPLY_DONE);
    assert_string_equal(r.text, "354");
    assert_int_equal(take(&r, "220 bare newline\n"), REPLY_DONE);
}

static void a_reply_may_come_byte_by_byte(void **state)
{
    (void)state;
    const char *bytes = "451-wait\r\n451-a\r\n451 little\r\n";
    struct reply r = {0};
    struct buf in AUTO_BUF;
    buf_init(&in, 1000);
    for (size_t i = 0; i + 1 < strlen(bytes); i++) {
        buf_char(&in, bytes[i]);
        assert_int_equal(reply_take(&r, &in), REPLY_MORE);
    }
    buf_char(&in, '\n');
    assert_int_equal(reply_take(&r, &in), REPLY_DONE);
    assert_int_equal(in.len, 0);
    assert_string_equal(r.text, "451 wait a little");
}

static void what_follows_a_reply_stays(void **state)
{
    (void)state;
    struct reply r = {0};
    struct buf in AUTO_BUF;
    buf_init(&in, 1000);
    buf_str(&in, "250 a\r\n354 b\r\n");
    assert_int_equal(reply_take(&r, &in), REPLY_DONE);
    assert_int_equal(r.code, 250);
    assert_string_equal(in.data, "354 b\r\n");
}

static void nonsense_is_broken_not_guessed(void **state)
{
    (void)state;
    struct reply r;
    assert_int_equal(take(&r, "hello\r\n"), REPLY_BROKEN);
    assert_string_equal(r.text, "hello");
    assert_int_equal(take(&r, "2500 ok\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "25 ok\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "150 odd\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "650 odd\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "250-a\r\n550 b\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "250-a\r\n550-b\r\n"), REPLY_BROKEN);
    assert_int_equal(take(&r, "250\x01 a\r\n"), REPLY_BROKEN);
}

static void a_reply_has_limits(void **state)
{
    (void)state;
    struct reply r = {0};
    struct buf in AUTO_BUF;
    buf_init(&in, 1 << 20);
    for (int i = 0; i < 200; i++)
        buf_str(&in, "250-again\r\n");
    assert_int_equal(reply_take(&r, &in), REPLY_BROKEN);
    buf_reset(&in);
    r = (struct reply){0};
    for (int i = 0; i < 10000; i++) /* never a line end */
        buf_char(&in, '2');
    assert_int_equal(reply_take(&r, &in), REPLY_BROKEN);
    assert_true(strlen(r.text) < BOUND_SMTP_TEXT);
}

static void a_reply_text_is_one_line_of_utf8(void **state)
{
    (void)state;
    struct reply r;
    assert_int_equal(take(&r, "550 a\tb\x1b[31m\xff\r\n"), REPLY_DONE);
    assert_string_equal(r.text, "550 a b [31m\xef\xbf\xbd");
}

static void wire(const char *raw, const char *want)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 1000);
    assert_int_equal(reply_wire(&out, raw, strlen(raw)), 0);
    assert_string_equal(out.data, want);
}

static void dots_are_doubled_and_line_ends_made_whole(void **state)
{
    (void)state;
    wire("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n");
    wire(".\r\n", "..\r\n");
    wire("a\r\n.b\r\n..c\r\nd.\r\n", "a\r\n..b\r\n...c\r\nd.\r\n");
    wire("no end", "no end\r\n");
    wire("a\r\n.", "a\r\n..\r\n");
    wire("", "");
}

/* "x\n.\nMAIL FROM:..." ends the mail early at a relay that takes bare newlines. */
static void no_second_mail_can_be_smuggled_in(void **state)
{
    (void)state;
    wire("a\n.\nb\n", "a\r\n..\r\nb\r\n");
    wire("a\r.\rb", "a\r\n..\r\nb\r\n");
    wire("a\n.\r\nb", "a\r\n..\r\nb\r\n");
    wire("a\r\r\nb\r\n", "a\r\n\r\nb\r\n");
    wire("a\r\n\r.\r\n", "a\r\n\r\n..\r\n");
}

static void a_wire_form_past_its_limit_is_refused(void **state)
{
    (void)state;
    struct buf out AUTO_BUF;
    buf_init(&out, 8);
    assert_int_equal(reply_wire(&out, "....\n....\n", 10), -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a fixed seed, so that a failure comes again. */
static void replies_and_mails_broken_in_many_ways_keep_their_rules(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "250-a\r\n250-b\r\n250 c\r\n354 d\r\n", "550 5.1.1 <b@example.net> no such user\r\n",
        "421\r\n", "a\r\n.b\r\n..\r\n.\r\n\r\n.", "\n.\n\r.\r\r\n.\r\n\n\r"};
    static const char odd[] = "\r\n.-2 5\0\xff\xc3";
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 60000; i++) {
        char b[256];
        size_t n = strlen(seeds[i % ARRAY_LEN(seeds)]);
        memcpy(b, seeds[i % ARRAY_LEN(seeds)], n);
        for (int k = 0; k < 1 + i % 7; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            b[(x >> 32) % n] = odd[(x >> 20) % (sizeof(odd) - 1)];
            if (x % 11 == 0 && n > 2)
                n--;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)b, n);
    }
}

/* ---- Maildir ---------------------------------------------------------------- */

static char dir[] = "/tmp/leadd-courier-XXXXXX";
static char box[128];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(box, sizeof(box), "%s/box", dir);
    return 0;
}

/* The number of files in box/sub; the last one's name in name, when not NULL. */
static int list(const char *sub, char name[256])
{
    AUTO_FREE char *path = mem_printf("%s/%s", box, sub);
    DIR *d = opendir(path);
    int n = 0;
    for (struct dirent *de; d && (de = readdir(d));) {
        if (de->d_name[0] == '.')
            continue;
        n++;
        if (name)
            snprintf(name, 256, "%s", de->d_name);
    }
    if (d)
        closedir(d);
    return n;
}

static int clean(void **state)
{
    (void)state;
    static const char *const subs[] = {"tmp", "new", "cur"};
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
        char name[256];
        AUTO_FREE char *sub = mem_printf("%s/%s", box, subs[i]);
        while (list(subs[i], name) > 0) {
            AUTO_FREE char *path = mem_printf("%s/%s", sub, name);
            unlink(path);
        }
        rmdir(sub);
    }
    rmdir(box);
    return 0;
}

static int teardown(void **state)
{
    clean(state);
    return rmdir(dir);
}

static void deliver(uint64_t id, const char *mail, int again)
{
    struct err e = {0};
    if (maildir_deliver(box, id, "a@example.com", mail, strlen(mail), again, &e) < 0)
        fail_msg("%s", e.text);
}

#define MAIL "Message-ID: <1@example.com>\r\nSubject: x\r\n\r\n.dot\r\n"

static void a_mail_is_written_once(void **state)
{
    (void)state;
    char name[256];
    struct buf text AUTO_BUF;
    buf_init(&text, 4096);
    deliver(17, MAIL, 0);
    deliver(17, MAIL, 1);
    assert_int_equal(list("new", name), 1);
    assert_int_equal(list("tmp", NULL), 0);
    assert_int_equal(strncmp(name, "out17.", 6), 0);
    AUTO_FREE char *path = mem_printf("%s/new/%s", box, name);
    assert_int_equal(buf_read_file(&text, path, NULL), 0);
    assert_string_equal(text.data, "Return-Path: <a@example.com>\nMessage-ID: <1@example.com>\n"
                                   "Subject: x\n\n.dot\n");
    clean(state);
}

static void a_mail_that_was_read_meanwhile_is_not_written_again(void **state)
{
    (void)state;
    char name[256];
    deliver(17, MAIL, 0);
    assert_int_equal(list("new", name), 1);
    AUTO_FREE char *from = mem_printf("%s/new/%s", box, name);
    AUTO_FREE char *to = mem_printf("%s/cur/%s:2,S", box, name);
    assert_int_equal(rename(from, to), 0);
    deliver(17, MAIL, 1);
    assert_int_equal(list("new", NULL), 0);
    clean(state);
}

static void an_id_counted_anew_is_another_mail(void **state)
{
    (void)state;
    deliver(17, MAIL, 0);
    deliver(17, "Message-ID: <2@example.com>\r\n\r\nx\r\n", 1);
    assert_int_equal(list("new", NULL), 2);
    clean(state);
}

static void a_half_written_mail_is_not_in_the_way(void **state)
{
    (void)state;
    char name[256];
    deliver(17, MAIL, 0);
    assert_int_equal(list("new", name), 1);
    AUTO_FREE char *from = mem_printf("%s/new/%s", box, name);
    AUTO_FREE char *to = mem_printf("%s/tmp/%s", box, name);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(truncate(to, 3), 0);
    deliver(17, MAIL, 1);
    assert_int_equal(list("new", name), 1);
    struct stat st;
    AUTO_FREE char *path = mem_printf("%s/new/%s", box, name);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 40);
    clean(state);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(maildir_deliver("/dev/null/box", 1, "", "x\r\n", 3, 0, &e), -1);
    assert_int_equal(e.cls, ERR_TEMP);
}

/* The example that libraries for Standard Webhooks are tested with. */
static void a_call_is_signed_as_other_programs_sign(void **state)
{
    static const unsigned char key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a,
                                        0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c,
                                        0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
    static const char body[] = "{\"test\": 2432232314}";
    (void)state;
    char *sign AUTO_FREE = hook_signature(key, sizeof(key), "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                          1614265330, body, strlen(body));
    assert_string_equal(sign, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return media_address_is_public((struct sockaddr *)(void *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return media_address_is_public((struct sockaddr *)(void *)&v6);
}

static void media_come_from_public_addresses_alone(void **state)
{
    (void)state;
    static const char *const open[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
                                       "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
                                       "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
                                       "2600::1", "2a00:1450::1", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"},
        *const closed[] = {"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.1",
                           "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
                           "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1",
                           "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7",
                           "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
                           "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
                           "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1.1.1.1", "100::1", "fc00::1",
                           "fd00::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1",
                           "2002:7f00:1::"};
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (!is_public(open[i]))
            fail_msg("%s is public", open[i]);
    for (size_t i = 0; i < ARRAY_LEN(closed); i++)
        if (is_public(closed[i]))
            fail_msg("%s is not public", closed[i]);
    assert_false(media_address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_come_from_public_addresses_alone),
        cmocka_unit_test(a_reply_is_read_whole),
        cmocka_unit_test(a_reply_may_come_byte_by_byte),
        cmocka_unit_test(what_follows_a_reply_stays),
        cmocka_unit_test(nonsense_is_broken_not_guessed),
        cmocka_unit_test(a_reply_has_limits),
        cmocka_unit_test(a_reply_text_is_one_line_of_utf8),
        cmocka_unit_test(dots_are_doubled_and_line_ends_made_whole),
        cmocka_unit_test(no_second_mail_can_be_smuggled_in),
        cmocka_unit_test(a_wire_form_past_its_limit_is_refused),
        cmocka_unit_test(replies_and_mails_broken_in_many_ways_keep_their_rules),
        cmocka_unit_test(a_mail_is_written_once),
        cmocka_unit_test(a_mail_that_was_read_meanwhile_is_not_written_again),
        cmocka_unit_test(an_id_counted_anew_is_another_mail),
        cmocka_unit_test(a_half_written_mail_is_not_in_the_way),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
        cmocka_unit_test(a_call_is_signed_as_other_programs_sign),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
