/* SPDX-License-Identifier: ISC
 *
 * address - see address.h; phone numbers are in phone.cc
 */
#include "crm/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

int crm_email_fold(const char *s, char out[CRM_ADDRESS_MAX])
{
    size_t n = s ? strlen(s) : 0;
    const char *at = s ? strrchr(s, '@') : NULL;
    if (!at || at == s || !at[1] || n >= CRM_ADDRESS_MAX || !text_is_utf8(s, n))
        return -1;
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>,;\"()[]\\", *p) ||
            (*p == '@' && p != at))
            return -1;
    /* a domain has a dot inside, and no empty label */
    if (!strchr(at, '.') || at[1] == '.' || s[n - 1] == '.' || strstr(at, ".."))
        return -1;
    memcpy(out, s, n + 1);
    text_lower(out);
    return 0;
}

/* Sorted. */
static const char *const free_domains[] = {
    "126.com",        "163.com",          "aim.com",        "alice.it",       "aol.com",
    "aon.at",         "arcor.de",         "bluewin.ch",     "bol.com.br",     "btinternet.com",
    "centrum.cz",     "chello.at",        "comcast.net",    "cox.net",        "dbmail.com",
    "duck.com",       "email.cz",         "email.de",       "fastmail.com",   "fastmail.fm",
    "foxmail.com",    "free.fr",          "freemail.hu",    "freenet.de",     "gmail.com",
    "gmx.at",         "gmx.ch",           "gmx.com",        "gmx.de",         "gmx.net",
    "googlemail.com", "hey.com",          "home.nl",        "hotmail.ch",     "hotmail.co.uk",
    "hotmail.com",    "hotmail.de",       "hotmail.es",     "hotmail.fr",     "hotmail.it",
    "hushmail.com",   "icloud.com",       "inbox.lv",       "inbox.ru",       "interia.pl",
    "kabelmail.de",   "laposte.net",      "libero.it",      "list.ru",        "live.at",
    "live.co.uk",     "live.com",         "live.de",        "live.fr",        "live.nl",
    "mac.com",        "mail.com",         "mail.de",        "mail.ru",        "mailbox.org",
    "me.com",         "msn.com",          "naver.com",      "o2.pl",          "online.de",
    "onet.pl",        "orange.fr",        "outlook.at",     "outlook.com",    "outlook.de",
    "outlook.es",     "outlook.fr",       "outlook.it",     "pm.me",          "posteo.de",
    "proton.me",      "protonmail.com",   "qq.com",         "rediffmail.com", "rocketmail.com",
    "sbcglobal.net",  "seznam.cz",        "sfr.fr",         "sina.com",       "sky.com",
    "t-online.de",    "telenet.be",       "tiscali.it",     "tuta.com",       "tutanota.com",
    "verizon.net",    "virgilio.it",      "vodafone.de",    "wanadoo.fr",     "web.de",
    "wp.pl",          "yahoo.ca",         "yahoo.co.in",    "yahoo.co.jp",    "yahoo.co.uk",
    "yahoo.com",      "yahoo.com.br",     "yahoo.de",       "yahoo.es",       "yahoo.fr",
    "yahoo.it",       "yandex.com",       "yandex.ru",      "ymail.com",      "ziggo.nl",
    "zoho.com",
};

static int domain_compare(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

bool crm_domain_is_free(const char *domain)
{
    return bsearch(domain, free_domains, ARRAY_LEN(free_domains), sizeof(free_domains[0]),
                   domain_compare) != NULL;
}

/* ---- names -------------------------------------------------------------------- */

static bool is_one_of(const char *s, size_t n, const char *const *list, size_t count)
{
    while (n > 0 && s[n - 1] == '.')
        n--;
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == n && !strncasecmp(s, list[i], n))
            return true;
    return false;
}

static bool is_title(const char *s, size_t n)
{
    static const char *const titles[] = {"dr",   "prof", "mag",    "ing",      "dipl",  "dipl.-ing",
                                         "herr", "frau", "mr",     "mrs",      "ms",    "mme",
                                         "m",    "mlle", "sig",    "sig.ra",   "doktor"};
    return is_one_of(s, n, titles, ARRAY_LEN(titles));
}

/* Words that belong to the family name behind them. */
static bool is_particle(const char *s, size_t n)
{
    static const char *const particles[] = {"von", "van", "vom", "zu",  "de",  "der", "den", "da",
                                            "di",  "del", "la",  "le",  "bin", "ibn", "al",  "dos",
                                            "du",  "ten", "ter", "zum", "zur"};
    return is_one_of(s, n, particles, ARRAY_LEN(particles));
}

/* Copies s without what stands in brackets, quotes at the ends, control
 * characters and double spaces. */
static void name_clean(const char *s, char *out)
{
    size_t n = 0, depth = 0, len = text_utf8_cut(s, strlen(s), CRM_NAME_MAX - 1);
    for (size_t i = 0; i < len; i++) {
        char c = (unsigned char)s[i] < ' ' ? ' ' : s[i];
        depth += c == '(';
        if (!depth && c != '"' && !(c == ' ' && (n == 0 || out[n - 1] == ' ')))
            out[n++] = c;
        if (c == ')' && depth)
            depth--;
    }
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\'' || out[n - 1] == ','))
        n--;
    out[n] = '\0';
    if (out[0] == '\'')
        memmove(out, out + 1, n);
}

static void name_append(char *out, const char *word, size_t n)
{
    size_t have = strlen(out);
    if (have + n + 2 > CRM_NAME_MAX)
        return;
    if (have)
        out[have++] = ' ';
    memcpy(out + have, word, n);
    out[have + n] = '\0';
}

/* "First Middle van Last": the last word with its particles is the family name. */
static void name_split_words(char *s, struct crm_name *out)
{
    struct {
        char *p;
        size_t n;
    } w[24];
    size_t count = 0, family;
    for (char *p = s; *p && count < ARRAY_LEN(w);) {
        size_t n = strcspn(p, " ");
        if (n && !is_title(p, n)) {
            w[count].p = p;
            w[count++].n = n;
        }
        p += n + (p[n] == ' ');
    }
    if (count == 0)
        return;
    family = count - 1;
    while (family > 1 && is_particle(w[family - 1].p, w[family - 1].n))
        family--;
    for (size_t i = 0; i < count; i++) {
        name_append(out->full, w[i].p, w[i].n);
        name_append(count > 1 && i >= family ? out->last : out->first, w[i].p, w[i].n);
    }
}

void crm_name_split(const char *s, struct crm_name *out)
{
    char text[CRM_NAME_MAX];
    *out = (struct crm_name){{0}, {0}, {0}};
    if (!s)
        return;
    name_clean(s, text);
    if (!*text || strchr(text, '@')) /* an address is no name */
        return;
    char *comma = strchr(text, ',');
    if (!comma || strchr(comma + 1, ',')) {
        if (comma)
            *comma = '\0';
        name_split_words(text, out);
        return;
    }
    /* "Last, First" */
    struct crm_name family = {{0}, {0}, {0}}, given = {{0}, {0}, {0}};
    *comma = '\0';
    name_split_words(text, &family);
    name_split_words(comma + 1, &given);
    if (!*given.full) {
        *out = family;
        return;
    }
    memcpy(out->first, given.full, sizeof(out->first));
    memcpy(out->last, family.full, sizeof(out->last));
    name_append(out->full, given.full, strlen(given.full));
    name_append(out->full, family.full, strlen(family.full));
}
