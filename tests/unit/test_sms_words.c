/* SPDX-License-Identifier: ISC
 *
 * test_sms_words - STOP, START and HELP: what is one, and what is not
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/sms_words.h"

static enum sms_word word_of(const char *text)
{
    struct sms_said said;
    sms_said_read(text, "Example Sales", NULL, &said);
    return said.word;
}

static void a_stop_is_a_stop_however_it_is_written(void **state)
{
    static const char *const all[] = {
        "STOP", "Stop.", " stop \n", "STOPP", "stopp!!", "ARRET", "Arrêt", "ARRÊT !", "BAJA", "baja.",
        "unsubscribe", "Unsubscribe!", "opt out", "OPT-OUT", "optout", "Opt_Out", "\"STOP\"", "*stop*",
        "STOP \xf0\x9f\x9b\x91", "\xf0\x9f\x98\xa1stop\xf0\x9f\x98\xa1", "Stop\xe2\x80\xa6",
        "st\xc2\xadop" /* soft hyphen */, "\xef\xbc\xb3\xef\xbc\xb4\xef\xbc\xaf\xef\xbc\xb0" /* full width */,
        "Désabonner", "De\xcc\x81sinscription", "СТОП", "Στοπ", "إيقاف", "הסר", "停止", "ストップ",
        "수신거부", "退订", "STOP Example Sales", "stop example sales.", "Don't text me!",
        "don\xe2\x80\x99t text me", "Bitte keine SMS mehr", "please stop", "END", "Quit", "Cancel",
        "STOPALL", "Stop  all", "Odhlásit", "Leiratkozás", "Peruuta"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (word_of(all[i]) != SMS_WORD_STOP)
            fail_msg("\"%s\" is no STOP", all[i]);
}

static void a_stop_inside_a_sentence_is_none_and_is_seen(void **state)
{
    static const char *const all[] = {
        "stop by tomorrow", "Can we stop by tomorrow at 10?", "please don't stop sending offers",
        "The bus stop is on the left", "I can't stop laughing, stop it, you", "Stopp, nicht so schnell",
        "how do I unsubscribe from the newsletter by mail?", "STOP 5 pumps", "STOP Other Company"};
    struct sms_said said;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        sms_said_read(all[i], "Example Sales", NULL, &said);
        if (said.word != SMS_WORD_NONE || !said.inside)
            fail_msg("\"%s\": word %d, inside %d", all[i], said.word, said.inside);
    }
}

static void everyday_answers_are_no_words(void **state)
{
    static const char *const all[] = {
        "", " ", "...", "\xf0\x9f\x91\x8d", "yes", "no", "ok", "Yes please", "nonstop", "stopwatch",
        "the end of the month", "please cancel my order 17", "bajar", "I need help with 4 pumps",
        "information please", "Weekend", "Example Sales", "\xff\xfe", "st op"};
    struct sms_said said;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        sms_said_read(all[i], "Example Sales", NULL, &said);
        if (said.word != SMS_WORD_NONE || said.inside)
            fail_msg("\"%s\": word %d, inside %d", all[i], said.word, said.inside);
    }
}

static void start_and_help_are_known(void **state)
{
    (void)state;
    assert_int_equal(word_of("START"), SMS_WORD_START);
    assert_int_equal(word_of("Unstop!"), SMS_WORD_START);
    assert_int_equal(word_of("Alta"), SMS_WORD_START);
    assert_int_equal(word_of("HELP"), SMS_WORD_HELP);
    assert_int_equal(word_of("Info?"), SMS_WORD_HELP);
    assert_int_equal(word_of("Hilfe"), SMS_WORD_HELP);
    assert_int_equal(word_of("start on monday"), SMS_WORD_NONE);
}

static void each_language_is_answered_in_it(void **state)
{
    struct sms_said said;
    (void)state;
    sms_said_read("Arrêt", NULL, NULL, &said);
    assert_string_equal(said.language, "fr");
    assert_non_null(strstr(sms_word_answer(said.word, said.language), "plus de SMS"));
    sms_said_read("leiratkozas", NULL, NULL, &said);
    assert_string_equal(said.language, "hu"); /* no answer of its own: English */
    assert_non_null(strstr(sms_word_answer(said.word, said.language), "no more texts"));
    assert_null(sms_word_answer(SMS_WORD_NONE, "en"));
}

static void the_company_adds_words_of_its_own(void **state)
{
    struct sms_said said;
    AUTO_JSON json_t *more = json_pack("[s, s, i]", "Schluß jetzt", "", 5);
    (void)state;
    sms_said_read("schluss jetzt!", NULL, more, &said);
    assert_int_equal(said.word, SMS_WORD_NONE); /* ss is not the letter that was given */
    sms_said_read("SCHLUß  JETZT!", NULL, more, &said);
    assert_int_equal(said.word, SMS_WORD_STOP);
    sms_said_read("", NULL, more, &said);
    assert_int_equal(said.word, SMS_WORD_NONE);
}

/* Else it would never be found. */
static void every_row_is_in_folded_form_and_stands_once(void **state)
{
    const char *word, *language, *other, *ignored;
    enum sms_word kind, k;
    (void)state;
    for (size_t i = 0; sms_word_row(i, &word, &language, &kind); i++) {
        struct buf fold AUTO_BUF;
        buf_init(&fold, 1000);
        sms_words_fold(word, strlen(word), &fold);
        assert_string_equal(fold.data, word);
        for (size_t n = i + 1; sms_word_row(n, &other, &ignored, &k); n++)
            if (!strcmp(other, word))
                fail_msg("\"%s\" stands twice", word);
    }
}

static void any_bytes_are_read_and_end(void **state)
{
    char text[6000];
    struct sms_said said;
    (void)state;
    for (int round = 0; round < 300; round++) {
        hash_random(text, sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        sms_said_read(text, text, NULL, &said);
        assert_true(said.word == SMS_WORD_NONE);
    }
    for (size_t i = 0; i + 3 < sizeof(text); i += 3) /* one character that becomes eighteen */
        memcpy(text + i, "\xef\xb7\xba", 3);
    text[sizeof(text) - 1] = '\0';
    sms_said_read(text, NULL, NULL, &said);
    assert_true(said.word == SMS_WORD_NONE);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(a_stop_is_a_stop_however_it_is_written),
        T(a_stop_inside_a_sentence_is_none_and_is_seen),
        T(everyday_answers_are_no_words),
        T(start_and_help_are_known),
        T(each_language_is_answered_in_it),
        T(the_company_adds_words_of_its_own),
        T(every_row_is_in_folded_form_and_stands_once),
        T(any_bytes_are_read_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
