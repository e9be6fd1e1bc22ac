/* SPDX-License-Identifier: ISC
 *
 * fuzz_sms - any text as what a phone sent: STOP or not, a command or not, a number or not
 *
 * Commands that need no proof are notes, snoozes and questions and nothing else; every line
 * of what was made of a text begins as a command of a mail does or goes on with a note.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "crm/address.h"
#include "crm/sms_command.h"
#include "crm/sms_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool begins_with(const char *line, const char *word)
{
    size_t n = strlen(word);
    const char *p = line + 1;
    if (p[0] && strchr("LCODKAT", p[0])) /* the record */
        p += strcspn(p, " \n") + 1;
    return strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\n' || !p[n]);
}

static void check_lines(const struct sms_command *c)
{
    static const char *const free_words[] = {"note", "snooze", "find", "show", "why", "help"};
    for (const char *p = c->lines; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
        bool known = false;
        if (*p != '#')
            continue;
        for (size_t i = 0; i < ARRAY_LEN(free_words); i++)
            known |= begins_with(p, free_words[i]);
        LEADD_ASSERT(known || c->what == SMS_COMMAND_FULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf text AUTO_BUF;
    struct sms_said said;
    struct sms_command c;
    char number[64];
    buf_init(&text, 4 * 8192 + 16);
    if (n > 8192)
        return 0;
    text_add_utf8(&text, (const char *)data, n);
    sms_said_read(text.data, "Example", NULL, &said);
    LEADD_ASSERT(!(said.inside && said.word != SMS_WORD_NONE));
    LEADD_ASSERT(said.word == SMS_WORD_NONE || sms_word_answer(said.word, said.language));
    sms_command_read(text.data, &c);
    LEADD_ASSERT(c.rest && strlen(c.rest) <= text.len && strlen(c.digits) <= 8);
    LEADD_ASSERT((c.what >= SMS_COMMAND_ASK && c.what <= SMS_COMMAND_FULL) == (c.lines != NULL) ||
                 c.what == SMS_COMMAND_HELP);
    LEADD_ASSERT(c.what != SMS_COMMAND_RELAY || (c.words && *c.words && c.id > 0));
    check_lines(&c);
    sms_command_done(&c);
    if (crm_phone_read(text.data, "AT", number, sizeof(number)) == 0)
        LEADD_ASSERT(number[0] == '+' && strspn(number + 1, "0123456789") == strlen(number) - 1);
    return 0;
}
