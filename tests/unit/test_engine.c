/* SPDX-License-Identifier: ISC
 *
 * engine: tokens nobody else can make, the retry schedule, the queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/retry.h"
#include "engine/token.h"

static const unsigned char key[32] = {1, 2, 3};
static const unsigned char other_key[32] = {9};

static void a_token_is_found_where_mail_programs_put_it(void **state)
{
    (void)state;
    char t[TOKEN_NAME_LEN], text[200], name[32];
    static const char *const places[] = {"sales+%s@example.com", "%s@example.com", "<%s.O9.x@d>",
                                         "Re: your request [%s]", "%s"};
    token_make(key, "thread", "L42", t);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        snprintf(text, sizeof(text), places[i], t);
        assert_true(token_find(key, "thread", text, name));
        assert_string_equal(name, "L42");
    }
}

static void an_address_in_another_case_still_carries_its_token(void **state)
{
    (void)state;
    char t[TOKEN_NAME_LEN], name[32];
    token_make(key, "thread", "L42", t);
    for (char *p = t; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 32);
    assert_true(token_find(key, "thread", t, name));
    for (char *p = t; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    assert_true(token_find(key, "thread", t, name));
    assert_string_equal(name, "L42");
}

static void a_token_of_another_kind_key_or_record_is_nothing(void **state)
{
    (void)state;
    char t[TOKEN_NAME_LEN], text[100], name[32];
    token_make(key, "thread", "L42", t);
    assert_false(token_find(key, "verp", t, name));
    assert_false(token_find(other_key, "thread", t, name));
    snprintf(text, sizeof(text), "L43%s", t + 3);
    assert_false(token_find(key, "thread", text, name));
    snprintf(text, sizeof(text), "%sa", t); /* one digit too many */
    assert_false(token_find(key, "thread", text, name));
    t[strlen(t) - 1] = '\0';
    assert_false(token_find(key, "thread", t, name));
    assert_false(token_find(key, "thread", "L.aaaaaaaaaaaaaaaa L99999999999999999999999.a", name));
    assert_false(token_find(key, "thread", "", name));
}

static void the_key_is_made_once_and_private(void **state)
{
    (void)state;
    char dir[] = "/tmp/leadd-key-XXXXXX", path[64];
    unsigned char a[32], b[32];
    struct stat st;
    struct err e = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(token_key_load(dir, a, &e), 0);
    assert_int_equal(token_key_load(dir, b, &e), 0);
    assert_memory_equal(a, b, 32);
    snprintf(path, sizeof(path), "%s/secret.key", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(truncate(path, 5), 0);
    assert_int_equal(token_key_load(dir, b, &e), -1); /* never a weak key in silence */
    unlink(path);
    rmdir(dir);
}

static void tries_come_later_and_later_with_jitter(void **state)
{
    (void)state;
    int64_t last = 0;
    for (int64_t n = 1; n < 20; n++) {
        int64_t low = retry_delay_ms(n, 0), high = retry_delay_ms(n, 999);
        assert_true(low >= last);
        assert_true(high > low && high <= low + low / 4);
        last = low;
    }
    assert_int_equal(retry_delay_ms(1, 0), 60000);
    assert_int_equal(retry_delay_ms(1000000000, 0), 4 * 3600 * 1000);
    assert_true(retry_delay_ms(0, 0) > 0);
}

static void the_queue_keeps_order(void **state)
{
    (void)state;
    struct queue q;
    struct item *a = item_new(ITEM_DUE, NULL), *b = item_new(ITEM_DUE, NULL);
    queue_init(&q);
    queue_add(&q, a);
    queue_add(&q, b);
    assert_ptr_equal(queue_take(&q), a);
    queue_put_back(&q, a);
    assert_int_equal(q.count, 2);
    assert_ptr_equal(queue_take(&q), a);
    assert_ptr_equal(queue_take(&q), b);
    assert_null(queue_take(&q));
    queue_put_back(&q, b);
    queue_add(&q, a);
    assert_ptr_equal(queue_take(&q), b);
    assert_ptr_equal(queue_take(&q), a);
    item_free(a);
    item_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_found_where_mail_programs_put_it),
        cmocka_unit_test(an_address_in_another_case_still_carries_its_token),
        cmocka_unit_test(a_token_of_another_kind_key_or_record_is_nothing),
        cmocka_unit_test(the_key_is_made_once_and_private),
        cmocka_unit_test(tries_come_later_and_later_with_jitter),
        cmocka_unit_test(the_queue_keeps_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
