/* SPDX-License-Identifier: ISC
 *
 * What people write: amounts, times, command lines, names, addresses.
 */
#include "crm_fixture.h"

#include "crm/address.h"
#include "crm/ctx.h"
#include "crm/grammar.h"
#include "crm/language.h"
#include "crm/when.h"

static void amounts_are_read_as_written(void **state)
{
    static const struct {
        const char *text;
        int64_t minor; /* -1: refused; -2: no amount */
        const char *currency;
        int taken;
    } cases[] = {
        {"5000", 500000, "EUR", 4},
        {"5000 USD", 500000, "USD", 8},
        {"5000 usd rest", 500000, "USD", 8},
        {"5.000,50 EUR", 500050, "EUR", 12},
        {"5,000.50", 500050, "EUR", 8},
        {"5.000", 500000, "EUR", 5},
        {"5,50", 550, "EUR", 4},
        {"5.5", 550, "EUR", 3},
        {"1.000.000", 100000000, "EUR", 9},
        {"1'000.50 CHF", 100050, "CHF", 12},
        {"5k", 500000, "EUR", 2},
        {"1.5k", 150000, "EUR", 4},
        {"1,250k", 125000, "EUR", 6},
        {"2m USD", 200000000, "USD", 6},
        {"EUR 20", 2000, "EUR", 6},
        {"\xe2\x82\xac 20", 2000, "EUR", 6},
        {"20 \xe2\x82\xac", 2000, "EUR", 6},
        {"$20", 2000, "USD", 3},
        {"1000 JPY", 1000, "JPY", 8},
        {"1.5 KWD", 1500, "KWD", 7},
        {"10.5 JPY", -1, "", 0},
        {"5.001,2.3", -1, "", 0},
        {"1.00.000", -1, "", 0},
        {"5,005", 500500, "EUR", 5},
        {"5.0055,1", -1, "", 0},
        {"99999999999999999999", -1, "", 0},
        {"999999999999999k", -1, "", 0},
        {"5000 XXQ", -1, "", 0},
        {"5000 for anna", 500000, "EUR", 4},
        {"5000 try again", 500000, "EUR", 4},
        {"five", -2, "", 0},
        {"", -2, "", 0},
        {"-5", -2, "", 0},
        {"5kg", -2, "", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        int64_t minor = 0;
        char currency[4] = "";
        int n = crm_amount_parse(cases[i].text, "EUR", &minor, currency, &e);
        if (cases[i].minor < 0) {
            if (n != (cases[i].minor == -1 ? -1 : 0))
                fail_msg("'%s' gave %d", cases[i].text, n);
            continue;
        }
        if (n != cases[i].taken || minor != cases[i].minor || strcmp(currency, cases[i].currency))
            fail_msg("'%s': %d bytes, %lld %s, %s", cases[i].text, n, (long long)minor, currency,
                     e.text);
    }
}

static void due_times_are_local_and_know_the_clocks_changes(void **state)
{
    /* now: Saturday 2026-11-21 11:00 in Vienna, unless said otherwise */
    static const struct {
        const char *text, *expected; /* NULL: no time; "!": refused */
        int taken;
        int64_t now;
    } cases[] = {
        {"tomorrow call", "2026-11-22 09:00", 8, NOW},
        {"today", "2026-11-21 17:00", 5, NOW},
        {"fri 10:00 send it", "2026-11-27 10:00", 9, NOW},
        {"Friday", "2026-11-27 09:00", 6, NOW},
        {"sat 12:00", "2026-11-21 12:00", 9, NOW},
        {"sat 10:30", "2026-11-28 10:30", 9, NOW},
        {"2026-12-01 10:00", "2026-12-01 10:00", 16, NOW},
        {"1.12.2026", "2026-12-01 09:00", 9, NOW},
        {"10:00", "2026-11-22 10:00", 5, NOW},
        {"12:00", "2026-11-21 12:00", 5, NOW},
        {"3d", "2026-11-24 11:00", 2, NOW},
        {"1w", "2026-11-28 11:00", 2, NOW},
        {"2h 30m", "2026-11-21 13:30", 6, NOW},
        {"2026-02-29", "!", 0, NOW},
        {"2028-02-29", "2028-02-29 09:00", 10, NOW},
        {"31.4.2027", "!", 0, NOW},
        {"fri 25:00", "!", 0, NOW},
        {"call her", NULL, 0, NOW},
        {"sunny side", NULL, 0, NOW},
        {"3 apples", NULL, 0, NOW},
        {"5 min", NULL, 0, NOW},
        {"", NULL, 0, NOW},
        /* as people say it */
        {"next monday call", "2026-11-23 09:00", 11, NOW},
        {"next saturday", "2026-11-28 09:00", 13, NOW},
        {"next week", "2026-11-23 09:00", 9, NOW},
        {"in 3 days", "2026-11-24 11:00", 9, NOW},
        {"in 3 days at 14:00 x", "2026-11-24 14:00", 18, NOW},
        {"in a week", "2026-11-28 11:00", 9, NOW},
        {"in 2 hours", "2026-11-21 13:00", 10, NOW},
        {"in 90 minutes", "2026-11-21 12:30", 13, NOW},
        {"in 2 months", "2027-01-21 11:00", 11, NOW},
        {"in vienna", NULL, 0, NOW},
        {"in 3 boxes", NULL, 0, NOW},
        {"24.12.", "2026-12-24 09:00", 6, NOW},
        {"24.12. 10:00", "2026-12-24 10:00", 12, NOW},
        {"1.3. call", "2027-03-01 09:00", 4, NOW},
        {"29.2.", "2028-02-29 09:00", 5, NOW},
        {"31.2.", "!", 0, NOW},
        {"24.12", NULL, 0, NOW}, /* a price, or a version */
        {"24 dec", "2026-12-24 09:00", 6, NOW},
        {"Dec 24, 2027 10:00", "2027-12-24 10:00", 18, NOW},
        {"24. Dezember 2026", "2026-12-24 09:00", 17, NOW},
        {"dec 32", "!", 0, NOW},
        {"may I call", NULL, 0, NOW},
        {"eod", "2026-11-21 17:00", 3, NOW},
        {"end of day", "2026-11-21 17:00", 10, NOW},
        {"eow", "2026-11-27 17:00", 3, NOW},
        {"tomorrow afternoon", "2026-11-22 14:00", 18, NOW},
        {"fri 2pm", "2026-11-27 14:00", 7, NOW},
        {"fri 12am", "2026-11-27 00:00", 8, NOW},
        {"fri at 2:30 pm call", "2026-11-27 14:30", 14, NOW},
        {"fri, 10:00 call", "2026-11-27 10:00", 10, NOW},
        {"fri 10 boxes", "2026-11-27 09:00", 3, NOW},
        {"by friday", "2026-11-27 09:00", 9, NOW},
        {"by car", NULL, 0, NOW},
        {"at 14:00", "2026-11-21 14:00", 8, NOW},
        {"tomorrow. Call", "2026-11-22 09:00", 8, NOW},
        {"heute", "2026-11-21 17:00", 5, NOW},
        {"morgen 10 Uhr anrufen", "2026-11-22 10:00", 13, NOW},
        {"Übermorgen", "2026-11-23 09:00", 11, NOW},
        {"Freitag um 14 Uhr", "2026-11-27 14:00", 17, NOW},
        {"am Freitag anrufen", "2026-11-27 09:00", 10, NOW},
        {"bis 24.12. fertig", "2026-12-24 09:00", 10, NOW},
        {"nächsten Montag", "2026-11-23 09:00", 16, NOW},
        {"nächste Woche anrufen", "2026-11-23 09:00", 14, NOW},
        {"in einer Woche", "2026-11-28 11:00", 14, NOW},
        {"in 3 Tagen", "2026-11-24 11:00", 10, NOW},
        {"morgen früh", "2026-11-22 09:00", 12, NOW},
        {"do the thing", NULL, 0, NOW},
        {"so much", NULL, 0, NOW},
        {"monthly report", NULL, 0, NOW},
        /* 2027-03-28: 02:00 to 03:00 does not exist */
        {"2027-03-28 02:30", "2027-03-28 03:30", 16, NOW},
        /* a day that has 23 hours: the same time of day */
        {"1d", "2027-03-28 11:00", 2, INT64_C(1806141600000)},
        /* and 24 hours are 24 hours */
        {"24h", "2027-03-28 12:00", 3, INT64_C(1806141600000)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        int64_t ms = 0;
        char text[40];
        int n = crm_when_parse(cases[i].text, "Europe/Vienna", cases[i].now, &ms, &e);
        if (!cases[i].expected || cases[i].expected[0] == '!') {
            if (n != (cases[i].expected ? -1 : 0))
                fail_msg("'%s' gave %d", cases[i].text, n);
            continue;
        }
        crm_when_print("Europe/Vienna", ms, text, sizeof(text));
        if (n != cases[i].taken || strcmp(text, cases[i].expected))
            fail_msg("'%s': %d bytes, %s", cases[i].text, n, text);
    }
}

static void an_hour_that_happens_twice_means_the_first(void **state)
{
    struct err e = {0};
    int64_t ms = 0;
    (void)state;
    /* 2026-10-25 02:30 is 00:30 UTC, then again 01:30 UTC */
    assert_int_equal(crm_when_parse("2026-10-25 02:30", "Europe/Vienna", NOW, &ms, &e), 16);
    assert_int_equal(ms, INT64_C(1792888200000));
}

static void a_time_is_told_in_the_zone_and_in_utc_says_so(void **state)
{
    static const struct {
        const char *zone, *utc, *minutes, *seconds;
    } cases[] = {
        {"Europe/Vienna", "2026-11-27T09:00:05.630Z", "2026-11-27 10:00", "2026-11-27 10:00:05"},
        {"Europe/Vienna", "2026-10-25T00:59:59Z", "2026-10-25 02:59", "2026-10-25 02:59:59"},
        {"Europe/Vienna", "2026-12-31T23:00:00.000Z", "2027-01-01 00:00", "2027-01-01 00:00:00"},
        {"Asia/Kathmandu", "2026-07-01T00:00:07.000Z", "2026-07-01 05:45", "2026-07-01 05:45:07"},
        {"UTC", "2026-11-27T09:00:05.630Z", "2026-11-27 09:00Z", "2026-11-27 09:00:05Z"},
        {"No/Where", "2026-11-27T09:00:05.630Z", "2026-11-27 09:00Z", "2026-11-27 09:00:05Z"},
        {"", "2026-11-27T09:00:05.630Z", "2026-11-27 09:00Z", "2026-11-27 09:00:05Z"},
        {NULL, "2026-11-27T09:00:05.630Z", "2026-11-27 09:00Z", "2026-11-27 09:00:05Z"},
    };
    static const char *const others[] = {
        "", "Z", "2026-11-27", "2026-11-27T09:00Z", "2026-11-27T09:00.00000Z",
        "2026-11-27 09:00:05.630Z", "2026-11-27T09:00:05.630", "2026-11-27T09:00:05+01:00",
        "2026-02-31T09:00:05.630Z", "x 2026-11-27T09:00:05.630Z", "2026-11-27T09:00:05.630Z Z",
        "1969-12-31T23:59:59.000Z"};
    char out[40];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_non_null(crm_when_retell(cases[i].zone, cases[i].utc, false, out, sizeof(out)));
        assert_string_equal(out, cases[i].minutes);
        assert_non_null(crm_when_retell(cases[i].zone, cases[i].utc, true, out, sizeof(out)));
        assert_string_equal(out, cases[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (crm_when_retell("Europe/Vienna", others[i], true, out, sizeof(out)))
            fail_msg("'%s' became %s", others[i], out);
}

static void command_lines_are_words_and_quotes(void **state)
{
    struct err e = {0};
    struct grammar g;
    bool ok;
    (void)state;
    assert_int_equal(grammar_init(&g, "note  'it''s here' rest of  it ", &e), 0);
    assert_string_equal(grammar_word(&g, &ok, &e), "note");
    assert_string_equal(grammar_word(&g, &ok, &e), "it's here");
    AUTO_FREE char *rest = grammar_rest(&g);
    assert_string_equal(rest, "rest of  it");
    assert_true(grammar_at_end(&g));
    grammar_done(&g);

    assert_int_equal(grammar_init(&g, "set 'open", &e), 0);
    assert_non_null(grammar_word(&g, &ok, &e));
    assert_null(grammar_word(&g, &ok, &e));
    assert_false(ok);
    grammar_done(&g);
    assert_int_equal(grammar_init(&g, "note \xff", &e), -1);
}

static void names_are_split_sensibly(void **state)
{
    static const char *const cases[][4] = {
        {"Anna Example", "Anna Example", "Anna", "Example"},
        {"Example, Anna", "Anna Example", "Anna", "Example"},
        {"Dr. Anna Maria Example", "Anna Maria Example", "Anna Maria", "Example"},
        {"Ludwig van der Example", "Ludwig van der Example", "Ludwig", "van der Example"},
        {"\"Example, Anna (Sales)\"", "Anna Example", "Anna", "Example"},
        {"Anna", "Anna", "Anna", ""},
        {"anna@example.com", "", "", ""},
        {"  ", "", "", ""},
        {"'Anna Example'", "Anna Example", "Anna", "Example"},
        {"Anna\r\nExample", "Anna Example", "Anna", "Example"},
        {"Herr Example", "Example", "Example", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct crm_name n;
        crm_name_split(cases[i][0], &n);
        if (strcmp(n.full, cases[i][1]) || strcmp(n.first, cases[i][2]) ||
            strcmp(n.last, cases[i][3]))
            fail_msg("'%s': '%s' '%s' '%s'", cases[i][0], n.full, n.first, n.last);
    }
    char *longest = mem_alloc(5001);
    struct crm_name n;
    memset(longest, 'a', 5000);
    crm_name_split(longest, &n);
    assert_true(strlen(n.full) < CRM_NAME_MAX);
    mem_free(longest);
}

static void addresses_fold_to_one_form(void **state)
{
    static const char *const bad[] = {"anna",      "@example.com",   "anna@",
                                      "a b@x.com", "a@b@x.com",      "anna@example",
                                      "a@.com",    "anna@example..", "<anna@example.com>", ""};
    char out[CRM_ADDRESS_MAX], country[3];
    (void)state;
    assert_int_equal(crm_email_fold("Anna.O'Neil+x@Example.COM", out), 0);
    assert_string_equal(out, "anna.o'neil+x@example.com");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (crm_email_fold(bad[i], out) == 0)
            fail_msg("'%s' is taken for an address", bad[i]);
    assert_int_equal(crm_phone_fold("0660 123 45 67", "AT", out, sizeof(out)), 0);
    assert_string_equal(out, "+436601234567");
    assert_int_equal(crm_phone_fold("+1 (212) 555-0123", "AT", out, sizeof(out)), 0);
    assert_string_equal(out, "+12125550123");
    assert_int_equal(crm_phone_fold("call me", "AT", out, sizeof(out)), -1);
    assert_int_equal(crm_phone_fold("12", "AT", out, sizeof(out)), -1);
    assert_int_equal(crm_phone_country("+436601234567", country), 0);
    assert_string_equal(country, "AT");
    assert_true(crm_domain_is_free("gmail.com"));
    assert_true(crm_domain_is_free("126.com"));
    assert_true(crm_domain_is_free("zoho.com"));
    assert_false(crm_domain_is_free("example.com"));
}

static void languages_are_codes_or_names(void **state)
{
    static const struct {
        const char *text, *code;
    } cases[] = {{"de", "de"},          {"DE", "de"},       {"de_at", "de-AT"},
                 {" de-CH", "de-CH"},   {"de-AT,de;q=0.9", "de-AT"}, {"en-US", "en-US"},
                 {"German", "de"},      {"deutsch", "de"},  {"Deutsch", "de"},
                 {"fran\xc3\xa7" "ais", "fr"}, {"French", "fr"}, {"de-XQ", "de"},
                 {"old", NULL},         {"", NULL},         {"klingonese", NULL},
                 {"de\nBcc: x", NULL},  {"d", NULL},        {"de.txt", NULL}};
    (void)state;
    struct crm crm = {.languages = json_object()};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[CRM_LANGUAGE_MAX] = "";
        int rc = crm_language_code(&crm, cases[i].text, code);
        assert_int_equal(rc, cases[i].code ? 0 : -1);
        assert_string_equal(code, cases[i].code ? cases[i].code : "");
    }
    json_decref(crm.languages);
}

static void times_and_amounts_are_written_as_the_language_does(void **state)
{
    static const struct {
        const char *language, *time, *day, *money;
    } cases[] = {
        {"de", "21.11.2026, 10:05", "21.11.2026", "5.000,50 \xe2\x82\xac"},
        {"de-AT", "21.11.2026, 10:05", "21.11.2026", "\xe2\x82\xac 5.000,50"},
        {"en-US", "Nov 21, 2026, 10:05 AM", "Nov 21, 2026", "\xe2\x82\xac" "5,000.50"},
        {"fr", "21 nov. 2026, 10:05", "21 nov. 2026", "5 000,50 \xe2\x82\xac"},
    };
    (void)state;
    struct crm crm = {.zone = "Europe/Vienna", .locales = crm_locales_new()};
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct buf out AUTO_BUF;
            buf_init(&out, 1024);
            crm_language_time(&crm, cases[i].language, INT64_C(1795251900000), &out);
            assert_string_equal(out.data, cases[i].time);
            buf_reset(&out);
            crm_language_time(&crm, cases[i].language, INT64_C(1795215600000), &out);
            assert_string_equal(out.data, cases[i].day);
            buf_reset(&out);
            crm_language_money(&crm, cases[i].language, 500050, "EUR", &out);
            assert_string_equal(out.data, cases[i].money);
            buf_reset(&out);
            crm_language_money(&crm, cases[i].language, -12, "JPY", &out);
            assert_non_null(strstr(out.data, "12")); /* and no decimals */
            assert_null(strstr(out.data, "12,"));
            assert_null(strstr(out.data, "12."));
        }
    crm_locales_free(&crm.locales);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_read_as_written),
        cmocka_unit_test(languages_are_codes_or_names),
        cmocka_unit_test(times_and_amounts_are_written_as_the_language_does),
        cmocka_unit_test(due_times_are_local_and_know_the_clocks_changes),
        cmocka_unit_test(an_hour_that_happens_twice_means_the_first),
        cmocka_unit_test(a_time_is_told_in_the_zone_and_in_utc_says_so),
        cmocka_unit_test(command_lines_are_words_and_quotes),
        cmocka_unit_test(names_are_split_sensibly),
        cmocka_unit_test(addresses_fold_to_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
