/* SPDX-License-Identifier: ISC
 *
 * store: the verbs of the driver, and that its refusals hold
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/consent.h"
#include "store/contact.h"
#include "store/counts.h"
#include "store/call.h"
#include "store/db.h"
#include "store/ledger.h"
#include "store/migrate.h"
#include "store/outbox.h"

static char dir[64];

static int dir_make(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leadd-store-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
    static const char *const files[] = {"a.db", "a.db-wal", "a.db-shm"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static struct db *open_db(void)
{
    char path[128];
    struct err e = {0};
    snprintf(path, sizeof(path), "%s/a.db", dir);
    struct db *db = db_open(path, false, &e);
    assert_non_null(db);
    assert_int_equal(db_migrate(db, &e), 0);
    return db;
}

static int64_t count(struct db *db)
{
    int64_t n = -1;
    assert_int_equal(db_get_int(db, NULL, &n, -1, "SELECT count(*) FROM meta", ""), 0);
    return n;
}

static int put(struct db *db, const char *key)
{
    return db_exec(db, NULL, "INSERT INTO meta (key, value) VALUES ($1, 'x')", "s", key);
}

static void migrations_run_once(void **state)
{
    (void)state;
    struct db *db = open_db();
    int64_t schema;
    db_close(&db);
    db = open_db();
    assert_int_equal(db_get_int(db, NULL, &schema, 0,
                                "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema'", ""),
                     0);
    assert_int_equal(schema, migrate_newest());
    db_close(&db);
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct err e = {0};
    assert_int_equal(db_exec(db, &e, "UPDATE meta SET value = '9999' WHERE key = 'schema'", ""), 0);
    assert_int_equal(db_migrate(db, &e), -1);
    assert_non_null(strstr(e.text, "newer"));
    db_close(&db);
}

static void parameters_bind_by_number(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db_rows *r = db_query(db, "SELECT $2, $1, $2", "is", (int64_t)7, "seven");
    assert_true(db_step(r));
    assert_string_equal(db_text(r, 0), "seven");
    assert_int_equal(db_int(r, 1), 7);
    assert_string_equal(db_text(r, 2), "seven");
    assert_int_equal(db_done(&r, NULL), 0);
    db_close(&db);
}

static void other_parameter_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"SELECT $1::bigint", "SELECT ?", "SELECT $a", "SELECT $2",
                                      "SELECT :x"};
    struct db *db = open_db();
    for (size_t i = 0; i < 5; i++) {
        struct err e = {0};
        assert_int_equal(db_exec(db, &e, bad[i], "i", (int64_t)1), -1);
        assert_int_equal(e.cls, ERR_BUG);
    }
    db_close(&db);
}

static void a_wrong_number_of_values_is_refused(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct err e = {0};
    assert_int_equal(db_exec(db, &e, "SELECT $1", "ii", (int64_t)1, (int64_t)2), -1);
    assert_int_equal(e.cls, ERR_BUG);
    db_close(&db);
}

static void savepoints_undo_one_item(void **state)
{
    (void)state;
    struct db *db = open_db();
    int64_t before = count(db);
    assert_int_equal(db_begin(db, NULL), 0);
    assert_int_equal(db_savepoint(db, NULL), 0);
    assert_int_equal(put(db, "kept"), 0);
    assert_int_equal(db_release(db, NULL), 0);
    assert_int_equal(db_savepoint(db, NULL), 0);
    assert_int_equal(put(db, "undone"), 0);
    db_rollback_to(db);
    assert_int_equal(db_commit(db, NULL), 0);
    assert_int_equal(count(db), before + 1);
    db_close(&db);
}

static void a_query_inside_itself_works(void **state)
{
    (void)state;
    static const char sql[] = "SELECT key FROM meta ORDER BY key";
    struct db *db = open_db();
    int outer = 0, inner = 0;
    assert_int_equal(put(db, "a"), 0);
    struct db_rows *r = db_query(db, sql, "");
    while (db_step(r)) {
        struct db_rows *q = db_query(db, sql, "");
        outer++;
        while (db_step(q))
            inner++;
        assert_int_equal(db_done(&q, NULL), 0);
    }
    assert_int_equal(db_done(&r, NULL), 0);
    assert_int_equal(inner, outer * outer);
    db_close(&db);
}

static void conflict_do_nothing_gives_no_id(void **state)
{
    (void)state;
    static const char sql[] = "INSERT INTO source (name) VALUES ($1) "
                              "ON CONFLICT DO NOTHING RETURNING id";
    struct db *db = open_db();
    int64_t a = -1, b = -1;
    assert_int_equal(db_insert(db, NULL, &a, sql, "s", "form:x"), 0);
    assert_int_equal(db_insert(db, NULL, &b, sql, "s", "form:x"), 0);
    assert_true(a > 0);
    assert_int_equal(b, 0);
    db_close(&db);
}

static void counts_are_of_one_source_a_folder_tree_or_all(void **state)
{
    (void)state;
    static const char *const names[] = {"maildir:a", "maildir:ab", "imap:a/INBOX", "imap:a/\xc3\xa4"};
    static const struct {
        const char *prefix;
        int64_t filed;
    } cases[] = {{"maildir:a", 1}, {"imap:a/", 2}, {"", 4}, {"maildir:", 0}};
    struct db *db = open_db();
    for (size_t i = 0; i < 4; i++) {
        struct ledger_row row = {.key = "1", .state = "filed", .at_ms = 1};
        assert_int_equal(source_id(db, names[i], &row.source, NULL), 0);
        assert_int_equal(ledger_add(db, &row, NULL), 0);
        assert_true(row.id > 0);
        assert_int_equal(ledger_add(db, &row, NULL), 0);
        assert_int_equal(row.id, 0); /* the unique key decides */
    }
    struct counts *c = counts_new();
    for (int rows = 0; rows < 6; rows++) { /* nothing, some and all of them counted before */
        bool more = true;
        for (size_t i = 0; i < 4; i++) {
            json_t *n = counts_ledger(c, db, cases[i].prefix, NULL);
            assert_int_equal(json_get_int(n, "filed", -1), cases[i].filed);
            json_decref(n);
        }
        assert_int_equal(counts_advance(c, db, 1, &more, NULL), 0);
        assert_int_equal(more, rows < 4);
    }
    counts_free(&c);
    db_close(&db);
}

static void count_is(struct counts *c, struct db *db, const char *state, int64_t ledger,
                     int64_t outbox)
{
    json_t *l = counts_ledger(c, db, "", NULL), *o = counts_outbox(c, db, NULL);
    assert_int_equal(json_get_int(l, state, 0), ledger);
    assert_int_equal(json_get_int(o, state, 0), outbox);
    json_decref(l);
    json_decref(o);
}

static int64_t mail_add(struct db *db, const char *intent)
{
    struct outbox_row row = {.intent = intent, .state = "ready", .class_ = "notice",
                             .to_addr = "a@example.com", .created_ms = 1, .next_ms = 1};
    assert_int_equal(outbox_add(db, &row, NULL), 0);
    return row.id;
}

static void counts_follow_every_change_of_state(void **state)
{
    (void)state;
    bool more;
    struct db *db = open_db();
    struct counts *c = counts_new();
    struct ledger_row row = {.key = "1", .state = "filed", .at_ms = 1};
    struct outbox_change sent = {.state = "sent", .done_ms = 1}, late = {.state = "deferred",
                                                                         .next_ms = 9};
    assert_int_equal(source_id(db, "form:x", &row.source, NULL), 0);
    assert_int_equal(ledger_add(db, &row, NULL), 0);
    int64_t a = mail_add(db, "a"), b = mail_add(db, "b");
    for (int counted = 0; counted < 2; counted++) {
        assert_int_equal(ledger_settle(db, row.id, "quarantined", "why", 0, NULL), 0);
        count_is(c, db, "quarantined", 1, 0);
        count_is(c, db, "filed", 0, 0);
        assert_int_equal(ledger_settle(db, row.id, "filed", NULL, 0, NULL), 0);
        count_is(c, db, "filed", 1, 0);
        count_is(c, db, "quarantined", 0, 0);
        assert_int_equal(outbox_claim(db, a, "g", 0, NULL), 0);
        count_is(c, db, "claimed", 0, 1);
        assert_int_equal(outbox_set_state(db, a, &late, NULL), 0);
        count_is(c, db, "deferred", 0, 1);
        count_is(c, db, "ready", 0, counted ? 0 : 1);
        assert_int_equal(outbox_set_state(db, a, &sent, NULL), 0);
        assert_int_equal(outbox_set_state(db, b, &sent, NULL), 0);
        count_is(c, db, "sent", 0, 2);
        assert_int_equal(counts_advance(c, db, 100, &more, NULL), 0);
        assert_false(more);
    }
    counts_free(&c);
    db_close(&db);
}

static void old_calls_are_forgotten_and_waiting_ones_never(void **state)
{
    static const struct {
        const char *state;
        int64_t done_ms;
        bool kept;
    } cases[] = {{"done", 100, false}, {"failed", 100, true}, {"failed", 10, false},
                 {"ready", 0, true},   {"held", 0, true},     {"done", 1000, true}};
    struct db *db = open_db();
    struct err e = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct call_row row = {.endpoint = "erp", .kind = "webhook", .name = "lead.created",
                               .state = "ready", .record = "L1", .created_ms = 1, .body = "{}"};
        assert_int_equal(call_add(db, &row, &e), 0);
        struct call_change c = {.state = cases[i].state, .done_ms = cases[i].done_ms};
        assert_int_equal(call_set_state(db, row.id, &c, &e), 0);
    }
    assert_int_equal(call_forget(db, 500, 50, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_JSON json_t *row = call_get(db, (int64_t)i + 1, &e);
        if ((row != NULL) != cases[i].kept)
            fail_msg("call %zu", i + 1);
    }
    db_close(&db);
}

static void words_that_a_column_does_not_know_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "INSERT INTO ledger (source_id, epoch, key, state, size, at_ms)"
        " VALUES (1, 0, 'k', 'lost', 0, 0)",
        "INSERT INTO outbox (intent, state, class, to_addr, msgid_hash, created_ms)"
        " VALUES ('i', 'lost', 'notice', 'a', 0, 0)",
        "INSERT INTO lead (status, created_ms, updated_ms) VALUES ('open', 0, 0)",
        "INSERT INTO activity (kind, direction, at_ms, actor, created_ms, updated_ms)"
        " VALUES ('fax', 'in', 0, 'system', 0, 0)",
        "INSERT INTO activity (kind, direction, at_ms, actor, created_ms, updated_ms)"
        " VALUES ('mail', 'up', 0, 'system', 0, 0)",
        "INSERT INTO deal (status, created_ms, updated_ms) VALUES ('new', 0, 0)",
        "INSERT INTO support_case (status, created_ms, updated_ms) VALUES ('new', 0, 0)",
        "INSERT INTO support_case (status, priority, created_ms, updated_ms)"
        " VALUES ('open', 'high!', 0, 0)"};
    struct db *db = open_db();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        assert_int_equal(db_exec(db, &e, bad[i], ""), -1);
        assert_non_null(strstr(e.text, "CHECK"));
    }
    db_close(&db);
}

static void an_address_keeps_when_it_was_written_to(void **state)
{
    (void)state;
    struct db *db = open_db();
    json_t *times = NULL, *two = json_pack("[i, i]", 8, 7), *row = NULL;
    assert_int_equal(address_sent(db, "a@example.com", &times, NULL), 0);
    assert_int_equal(json_array_size(times), 0);
    json_decref(times);
    assert_int_equal(address_set_sent(db, "a@example.com", two, 8, NULL), 0);
    assert_int_equal(address_put(db, "email", "a@example.com", "a@example.com", 5, 9, NULL), 0);
    assert_int_equal(address_sent(db, "a@example.com", &times, NULL), 0);
    assert_true(json_equal(times, two));
    assert_int_equal(address_get(db, "email", "a@example.com", &row, NULL), 0);
    assert_int_equal(json_get_int(row, "contact_id", 0), 5);
    json_decref(times);
    json_decref(two);
    json_decref(row);
    db_close(&db);
}

/* What "email" or "phone" has agreed to, after this was said about the sender. */
static const char *agreed_after(struct db *db, const char *channel, const char *sender, bool granted,
                                bool counts)
{
    static char text[200];
    struct err e = {0};
    struct consent_row row = {.channel = channel, .value = "v", .sender = sender, .granted = granted,
                              .counts = counts, .source = "test", .at_ms = 1};
    AUTO_JSON json_t *words = json_array();
    assert_int_equal(consent_add(db, &row, &e), 0);
    assert_int_equal(consent_words(db, channel, "v", words, &e), 0);
    AUTO_FREE char *line = json_line(words);
    snprintf(text, sizeof(text), "%s", line);
    return text;
}

static void the_newest_word_on_each_purpose_and_list_holds(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_string_equal(agreed_after(db, "email", "purpose:offers", true, false), "[\"offers\"]");
    assert_string_equal(agreed_after(db, "email", "purpose:offers", true, false), "[\"offers\"]");
    assert_string_equal(agreed_after(db, "email", "list:news", true, true),
                        "[\"offers\",\"list:news\"]");
    assert_string_equal(agreed_after(db, "email", "list:news", false, true), "[\"offers\"]");
    assert_string_equal(agreed_after(db, "email", "list:news", true, false), "[\"offers\"]");
    assert_string_equal(agreed_after(db, "email", "purpose:offers", false, true), "[]");
    db_close(&db);
}

static void a_stop_to_one_number_ends_texts_until_it_or_all_is_granted_again(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_string_equal(agreed_after(db, "phone", "purpose:offers", true, false),
                        "[\"sms:offers\"]");
    assert_string_equal(agreed_after(db, "phone", "+431", false, true), "[]");
    assert_string_equal(agreed_after(db, "phone", "+432", true, true), "[]");
    assert_string_equal(agreed_after(db, "phone", "purpose:offers", true, false), "[]");
    assert_string_equal(agreed_after(db, "phone", "+431", true, true), "[\"sms:offers\"]");
    assert_string_equal(agreed_after(db, "phone", "+431", false, true), "[]");
    assert_string_equal(agreed_after(db, "phone", "", true, true), "[\"sms:offers\"]");
    db_close(&db);
}

static void a_reader_sees_and_cannot_write(void **state)
{
    (void)state;
    char path[128];
    struct db *db = open_db();
    struct err e = {0};
    db_close(&db); /* a clean exit of the writer must not lock readers out */
    snprintf(path, sizeof(path), "%s/a.db", dir);
    struct db *ro = db_open(path, true, &e);
    assert_non_null(ro);
    assert_true(count(ro) > 0);
    assert_int_equal(put(ro, "x"), -1);
    db_close(&ro);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(migrations_run_once, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(old_calls_are_forgotten_and_waiting_ones_never, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(a_newer_database_is_refused, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(parameters_bind_by_number, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(other_parameter_names_are_refused, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(a_wrong_number_of_values_is_refused, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(savepoints_undo_one_item, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(a_query_inside_itself_works, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(conflict_do_nothing_gives_no_id, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(counts_are_of_one_source_a_folder_tree_or_all, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(counts_follow_every_change_of_state, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(words_that_a_column_does_not_know_are_refused, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(an_address_keeps_when_it_was_written_to, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(the_newest_word_on_each_purpose_and_list_holds, dir_make,
                                        dir_remove),
        cmocka_unit_test_setup_teardown(
            a_stop_to_one_number_ends_texts_until_it_or_all_is_granted_again, dir_make, dir_remove),
        cmocka_unit_test_setup_teardown(a_reader_sees_and_cannot_write, dir_make, dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
