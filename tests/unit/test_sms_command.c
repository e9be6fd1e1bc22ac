/* SPDX-License-Identifier: ISC
 *
 * test_sms_command - what a user's text is, and numbers as gateways write them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/sms_command.h"

struct expected {
    const char *text;
    enum sms_command_what what;
    const char *digits, *lines; /* lines NULL: none */
};

static void texts_are_what_they_are(void **state)
{
    static const struct expected all[] = {
        {"won D17 5000", SMS_COMMAND_FULL, "", "#D17 won 5000\n"},
        {"Won d17 5000.", SMS_COMMAND_FULL, "", "#D17 won 5000.\n"},
        {"#L42 won 5000", SMS_COMMAND_FULL, "", "#L42 won 5000\n"},
        {"L42 won 5000", SMS_COMMAND_FULL, "", "#L42 won 5000\n"},
        {"won 5000", SMS_COMMAND_FULL, "", "#won 5000\n"},
        {"1234 won D17 5000", SMS_COMMAND_FULL, "1234", "#D17 won 5000\n"},
        {" 4711 ", SMS_COMMAND_EMPTY, "4711", NULL},
        {"4711 we come at ten", SMS_COMMAND_WORDS, "4711", NULL},
        {"4711: L42: ten", SMS_COMMAND_RELAY, "4711", NULL},
        {"471 won 5", SMS_COMMAND_WORDS, "", NULL},
        {"123456789 won 5", SMS_COMMAND_WORDS, "", NULL},
        {"4711widgets", SMS_COMMAND_WORDS, "", NULL},
        {"note L42 called her", SMS_COMMAND_LIGHT, "", "#L42 note called her\n"},
        {"note called\nand again", SMS_COMMAND_LIGHT, "", "#note called and again\n"},
        {"note x\n#wonders\n ## L1 Won: 5", SMS_COMMAND_FULL, "", "#note x #wonders\n#L1 won 5\n"},
        {"snooze L42 2d", SMS_COMMAND_LIGHT, "", "#L42 snooze 2d\n"},
        {"note x\nwon L42 5", SMS_COMMAND_FULL, "", "#note x\n#L42 won 5\n"},
        {"show L42", SMS_COMMAND_ASK, "", "#show L42\n"},
        {"find pumps", SMS_COMMAND_ASK, "", "#find pumps\n"},
        {"help won", SMS_COMMAND_ASK, "", "#help won\n"},
        {"help", SMS_COMMAND_HELP, "", "#help\n"},
        {"?", SMS_COMMAND_HELP, "", NULL},
        {"more", SMS_COMMAND_MORE, "", NULL},
        {"done T7", SMS_COMMAND_FULL, "", "#done T7\n"},
        {"L42: we come", SMS_COMMAND_RELAY, "", NULL},
        {"L42 : we come", SMS_COMMAND_RELAY, "", NULL},
        {"L42:", SMS_COMMAND_WORDS, "", NULL},
        {"hello L42: we come", SMS_COMMAND_WORDS, "", NULL},
        {"she is angry", SMS_COMMAND_WORDS, "", NULL},
        {"she is angry\nwon L42 5", SMS_COMMAND_WORDS, "", NULL},
        {"", SMS_COMMAND_EMPTY, "", NULL},
        {" \n", SMS_COMMAND_EMPTY, "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct sms_command c;
        sms_command_read(all[i].text, &c);
        if (c.what != all[i].what || strcmp(c.digits, all[i].digits) != 0 ||
            (all[i].lines == NULL) != (c.lines == NULL) ||
            (c.lines && strcmp(c.lines, all[i].lines) != 0))
            fail_msg("\"%s\": %d \"%s\" \"%s\"", all[i].text, c.what, c.digits,
                     c.lines ? c.lines : "-");
        sms_command_done(&c);
    }
}

/* What needs no proof is never anything but a note, a snooze or a question. */
static void any_bytes_end_and_light_ones_stay_light(void **state)
{
    static const char *const words[] = {"note", "won", "L42", "#", "\n", ":", "1234", "show", "D7",
                                        "send", " ", "assign", "snooze", "undo", "help", "\xc3\xa9"};
    char text[400];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct sms_command c;
        unsigned char random[12];
        hash_random(random, sizeof(random));
        text[0] = '\0';
        for (size_t i = 0, n = 0; i < sizeof(random); i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
                                  words[random[i] % ARRAY_LEN(words)], random[i] & 128 ? " " : "");
        sms_command_read(text, &c);
        if (c.what == SMS_COMMAND_LIGHT || c.what == SMS_COMMAND_ASK)
            for (const char *p = strchr(c.lines, '#'); p; p = strstr(p, "\n#") ? strstr(p, "\n#") + 1 : NULL)
                if (strstr(p, "#won ") == p || strstr(p, "#assign ") == p || strstr(p, "#send ") == p ||
                    strstr(p, "#undo") == p)
                    fail_msg("\"%s\" became \"%s\"", text, c.lines);
        sms_command_done(&c);
    }
}

static void numbers_are_read_as_gateways_write_them(void **state)
{
    static const struct {
        const char *s, *country, *want; /* NULL: it is none */
    } all[] = {
        {"+43 660 1234567", "AT", "+436601234567"}, {"436601234567", "AT", "+436601234567"},
        {"00436601234567", "AT", "+436601234567"},  {"0660 1234567", "AT", "+436601234567"},
        {"06601234567", "AT", "+436601234567"},     {"436601234567", "US", "+436601234567"},
        {"12025550123", "US", "+12025550123"},      {"2025550123", "US", "+12025550123"},
        {"447700900123", "AT", "+447700900123"},    {"447700900123", "US", "+447700900123"},
        {"07700 900123", "GB", "+447700900123"},    {"491701234567", "DE", "+491701234567"},
        {"0170 1234567", "DE", "+491701234567"},    {"ACME", "AT", NULL},
        {"", "AT", NULL},                           {"13013", "AT", NULL},
        {"+", "AT", NULL},                          {"123456789012345678901234567890", "AT", NULL},
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        int rc = crm_phone_read(all[i].s, all[i].country, out, sizeof(out));
        if ((rc < 0) != (all[i].want == NULL) || (rc == 0 && strcmp(out, all[i].want) != 0))
            fail_msg("\"%s\" in %s: %s", all[i].s, all[i].country, rc < 0 ? "none" : out);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(texts_are_what_they_are),
        T(any_bytes_end_and_light_ones_stay_light),
        T(numbers_are_read_as_gateways_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
