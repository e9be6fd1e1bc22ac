/* SPDX-License-Identifier: ISC
 *
 * phrases - see phrases.h
 */
#include "mail/phrases.h"

#include <string.h>

#include "base/mem.h"
#include "mail/phrases_list.h"

#define KEY_MAX 40 /* bytes of a field's name */

static bool has_any(const char *line, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(line, list[i]))
            return true;
    return false;
}

static bool starts_any(const char *line, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(line, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

static bool ends_any(const char *line, const char *const *list, size_t count)
{
    size_t n = strlen(line);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list[i]);
        if (n >= len && memcmp(line + n - len, list[i], len) == 0)
            return true;
    }
    return false;
}

static bool is_letter(unsigned char ch)
{
    return ch >= 0x80 || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

/* As has_any, but a word of ASCII letters does not begin inside another. */
static bool has_word(const char *line, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const char *p = strstr(line, list[i]); p; p = strstr(p + 1, list[i]))
            if (p == line || (unsigned char)*p >= 0x80 || !is_letter((unsigned char)p[-1]))
                return true;
    return false;
}

enum mail_role mail_phrase_role(const char *line, size_t *colon)
{
    char key[KEY_MAX + 3];
    const char *end = memchr(line, ':', strnlen(line, KEY_MAX));
    size_t n = end ? (size_t)(end - line) : 0;
    *colon = n;
    while (n > 0 && line[n - 1] == ' ')
        n--;
    if (n == 0 || memchr(line, '|', n))
        return MAIL_ROLE_NONE;
    key[0] = '|';
    memcpy(key + 1, line, n);
    memcpy(key + 1 + n, "|", 2);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (strstr(roles[i].names, key))
            return roles[i].role;
    return MAIL_ROLE_NONE;
}

bool mail_phrase_wrote(const char *line)
{
    return has_word(line, wrote, ARRAY_LEN(wrote));
}

bool mail_phrase_opens(const char *line)
{
    return starts_any(line, opens, ARRAY_LEN(opens));
}

bool mail_phrase_original(const char *line)
{
    return has_any(line, originals, ARRAY_LEN(originals));
}

bool mail_phrase_forwarded(const char *line)
{
    return has_any(line, forwards, ARRAY_LEN(forwards));
}

bool mail_phrase_begin_forward(const char *line)
{
    size_t n = strlen(line);
    return n > 0 && n < 120 && line[n - 1] == ':' &&
           starts_any(line, begin_forwards, ARRAY_LEN(begin_forwards));
}

bool mail_phrase_forward_subject(const char *subject)
{
    return starts_any(subject, forward_subjects, ARRAY_LEN(forward_subjects));
}

bool mail_phrase_device(const char *line)
{
    size_t n = strlen(line);
    if (n == 0 || n > 160)
        return false;
    if (starts_any(line, get_apps, ARRAY_LEN(get_apps)))
        return true;
    if (n > 110 || strpbrk(line, "?;"))
        return false;
    if (strncmp(line, "sent from my ", 13) == 0)
        return n < 60;
    bool sent = starts_any(line, sent_begins, ARRAY_LEN(sent_begins)) ||
                (starts_any(line, sent_with, ARRAY_LEN(sent_with)) &&
                 ends_any(line, sent_ends, ARRAY_LEN(sent_ends)));
    return sent && has_word(line, devices, ARRAY_LEN(devices));
}

bool mail_phrase_closing(const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(closings); i++) {
        size_t n = strlen(closings[i]);
        if (strncmp(line, closings[i], n) != 0 || is_letter((unsigned char)line[n]))
            continue;
        size_t words = 0;
        for (const char *p = line + n; *p; p++)
            words += is_letter((unsigned char)*p) && !is_letter((unsigned char)p[-1]);
        /* "Best regards, Ann Lee" and "Thanks Ann", not "Thanks for the last offer" */
        size_t most = line[n] && strchr(",.!-", line[n]) ? 4 : 2;
        return words <= most && strlen(line) <= 90 && !strpbrk(line + n, "?:;@");
    }
    return false;
}

bool mail_phrase_disclaimer(const char *p)
{
    if (starts_any(p, footers, ARRAY_LEN(footers)))
        return true;
    return strlen(p) > 100 && has_any(p, confidential, ARRAY_LEN(confidential)) &&
           has_any(p, recipient, ARRAY_LEN(recipient)) && has_any(p, notices, ARRAY_LEN(notices));
}

bool mail_phrase_banner(const char *p)
{
    return starts_any(p, banners, ARRAY_LEN(banners));
}

bool mail_phrase_title(const char *line)
{
    return has_word(line, titles, ARRAY_LEN(titles));
}

bool mail_phrase_company(const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(company_words); i++) {
        size_t n = strlen(company_words[i]);
        const char *word = company_words[i];
        for (const char *p = strstr(line, word); p; p = strstr(p + 1, word)) {
            bool begins = p == line || !is_letter((unsigned char)p[-1]);
            if (((unsigned char)*p >= 0xe3 || begins) && !is_letter((unsigned char)p[n]))
                return true;
        }
    }
    return false;
}

bool mail_phrase_fax(const char *line)
{
    return strncmp(line, "f:", 2) == 0 || strncmp(line, "f ", 2) == 0 || strstr(line, "fax") ||
           strstr(line, "факс") || strncmp(line, "f.", 2) == 0;
}
