/* SPDX-License-Identifier: ISC
 *
 * test_mail_fuzz - the stored mails, broken in thousands of ways
 *
 * The mutations come from a fixed seed: a failure comes again, and its number is
 * printed. LEADD_MUTATIONS sets how many there are.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define FILES_MAX 500
#define MUTATIONS 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct buf files[FILES_MAX];
static size_t file_count;
static uint64_t seed = 88172645463325252u;

static uint32_t roll(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

static int by_size(const void *a, const void *b)
{
    const struct buf *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->data, y->data, x->len);
}

static int load_files(void **state)
{
    (void)state;
    char path[2048];
    const char *src = getenv("srcdir");
    AUTO_FREE char *dir = mem_printf("%s/tests/fixtures/mail", src ? src : "..");
    DIR *d = opendir(dir);
    for (struct dirent *ent; d && file_count < FILES_MAX && (ent = readdir(d));) {
        size_t n = strlen(ent->d_name);
        struct err e;
        if (n < 5 || strcmp(ent->d_name + n - 4, ".eml") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, ent->d_name);
        buf_init(&files[file_count], MIB(1));
        if (buf_read_file(&files[file_count++], path, &e) < 0)
            return -1;
    }
    if (d)
        closedir(d);
    qsort(files, file_count, sizeof(files[0]), by_size); /* whatever order the folder has */
    return file_count >= 60 ? 0 : -1;
}

static int free_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < file_count; i++)
        buf_done(&files[i]);
    return 0;
}

static void every_stored_mail_keeps_the_promises_of_the_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < file_count; i++)
        LLVMFuzzerTestOneInput((const uint8_t *)files[i].data, files[i].len);
}

static const char *const tokens[] = {
    "\r\n\r\n", "\r\n", "\n", "\r", "--", "--b", "--b--", "Content-Type: ", "multipart/mixed",
    "multipart/alternative", "message/rfc822", "text/html", "text/calendar", "boundary=", "\"",
    "=?utf-8?Q?", "=?iso-2022-jp?B?", "?=", "charset=", "utf-7", "hz-gb-2312", "\x1b$B", "<", ">",
    "<div>", "<table>", "</p>", "<blockquote>", "<!--", "&#x110000;", "\xff", "\xc3", "\xf0\x9f", ";", ",",
    "(", ")", ":", "filename*0*=", "filename*1=", "format=flowed", "base64", "quoted-printable",
    "=", "From: ", "On 1 wrote:\n", "-- \n", "> ", "Final-Recipient: ", "application/ms-tnef",
    "\x78\x9f\x3e\x22", "multipart/report; report-type=delivery-status", "message/delivery-status",
};

static void put_at(struct buf *b, size_t at, const char *p, size_t n)
{
    AUTO_BUF struct buf tail;
    buf_init(&tail, MIB(4));
    buf_add(&tail, b->data + at, b->len - at);
    b->len = at;
    buf_add(b, p, n);
    buf_add(b, tail.data, tail.len);
}

static void cut(struct buf *b, size_t at, size_t n)
{
    memmove(b->data + at, b->data + at + n, b->len - at - n);
    b->len -= n;
}

static void mutate_once(struct buf *b)
{
    size_t at = roll((uint32_t)b->len + 1);
    const struct buf *other = &files[roll((uint32_t)file_count)];
    const char *token = tokens[roll(ARRAY_LEN(tokens))];
    size_t from, n;
    switch (roll(8)) {
    case 0: /* one bit */
        if (at < b->len)
            b->data[at] = (char)(b->data[at] ^ (1 << roll(8)));
        break;
    case 1:
        if (at < b->len)
            b->data[at] = (char)roll(256);
        break;
    case 2:
        put_at(b, at, token, strlen(token));
        break;
    case 3:
        cut(b, at, roll((uint32_t)(b->len - at) + 1) % 64 % (b->len - at + 1));
        break;
    case 4: /* a piece of another mail */
        from = roll((uint32_t)other->len + 1);
        n = roll((uint32_t)(other->len - from) + 1);
        put_at(b, at, other->data + from, n);
        break;
    case 5: /* a piece of itself again */
        n = roll(200) % (b->len - at + 1);
        if (n > 0) {
            AUTO_FREE char *copy = mem_strn(b->data + at, n);
            put_at(b, roll((uint32_t)b->len + 1), copy, n);
        }
        break;
    case 6: /* one token often */
        for (uint32_t i = roll(40); i > 0 && b->len < KIB(256); i--)
            put_at(b, at, token, strlen(token));
        break;
    default:
        b->len = at;
        break;
    }
}

static void no_mutation_breaks_the_promises_of_the_form(void **state)
{
    (void)state;
    const char *most = getenv("LEADD_MUTATIONS");
    int64_t count = MUTATIONS;
    if (most)
        assert_int_equal(text_parse_int(most, &count), 0);
    for (int64_t i = 0; i < count; i++) {
        const struct buf *f = &files[roll((uint32_t)file_count)];
        AUTO_BUF struct buf b;
        buf_init(&b, MIB(2));
        buf_add(&b, f->data, f->len);
        for (uint32_t k = 1 + roll(8); k > 0; k--)
            mutate_once(&b);
        /* exactly as long as it is: a read behind the end is seen */
        AUTO_FREE uint8_t *exact = mem_alloc(b.len ? b.len : 1);
        memcpy(exact, b.data, b.len);
        LLVMFuzzerTestOneInput(exact, b.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stored_mail_keeps_the_promises_of_the_form),
        cmocka_unit_test(no_mutation_breaks_the_promises_of_the_form),
    };
    return cmocka_run_group_tests(tests, load_files, free_files);
}
