/* SPDX-License-Identifier: ISC
 *
 * engine: tokens nobody else can make, the retry schedule, the queue, and what
 * the parser may say
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/parsed.h"
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

/* Every form of the goldens passes as it is; what the form does not have goes. */
static void the_message_form_and_no_more_is_taken_from_the_parser(void **state)
{
    const char *src = getenv("srcdir");
    AUTO_FREE char *pattern = mem_printf("%s/tests/fixtures/mail/*.json", src ? src : "..");
    glob_t g;
    (void)state;
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    assert_true(g.gl_pathc > 50);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct err e = {0};
        int removed = -1;
        AUTO_JSON json_t *m = json_load_file(g.gl_pathv[i], 0, NULL);
        AUTO_JSON json_t *same = json_deep_copy(m);
        if (parsed_clean(m, &removed, &e) < 0)
            fail_msg("%s: %s", g.gl_pathv[i], e.text);
        assert_int_equal(removed, 0);
        json_object_set_new(m, "auth", json_string("pass"));
        json_object_set_new(json_get_obj(m, "auto"), "proven", json_true());
        assert_int_equal(parsed_clean(m, &removed, &e), 0);
        assert_int_equal(removed, 1 + (json_get_obj(m, "auto") != NULL));
        assert_true(json_equal(m, same));
    }
    globfree(&g);
}

static void another_form_is_refused_as_a_whole(void **state)
{
    static const char *const bad[] = {
        "{\"subject\": {}}", "{\"from\": \"a@b\"}", "{\"from\": {\"address\": 1}}",
        "{\"to\": [7]}", "{\"to\": [{\"folded\": []}]}", "{\"kind\": \"operator\"}",
        "{\"channel\": \"sms\"}", "{\"date_ms\": \"now\"}", "{\"auto\": {\"suppress\": 0}}",
        "{\"references\": [null]}", "{\"token_headers\": {\"x\": {}}}", "{\"size\": 1.5}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        int removed;
        AUTO_JSON json_t *m = json_loads(bad[i], 0, NULL);
        assert_non_null(m);
        if (parsed_clean(m, &removed, &e) == 0)
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(e.cls, ERR_INPUT);
    }
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
        cmocka_unit_test(the_message_form_and_no_more_is_taken_from_the_parser),
        cmocka_unit_test(another_form_is_refused_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
