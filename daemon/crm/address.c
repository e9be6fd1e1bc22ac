/* SPDX-License-Identifier: ISC
 *
 * address - see address.h; phone numbers are in phone.cc
 */
#include "crm/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libpsl.h>
#include <unicode/uidna.h>

#include "base/mem.h"
#include "base/text.h"

/* Made from freemail.txt, sorted. "yahoo.*" stands for every country's. */
static const char *const free_domains[] = {
#include "crm/freemail.inc"
};

static int domain_compare(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

static bool is_listed(const char *domain)
{
    return bsearch(domain, free_domains, ARRAY_LEN(free_domains), sizeof(free_domains[0]),
                   domain_compare) != NULL;
}

/* "com", "de", "co.uk", "com.br" */
static bool is_country(const char *rest)
{
    static const char *const seconds[] = {"co.", "com.", "ne.", "net.", "org."};
    if (!strcmp(rest, "com") || !strcmp(rest, "net") || !strcmp(rest, "org"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
        if (!strncmp(rest, seconds[i], strlen(seconds[i]))) {
            rest += strlen(seconds[i]);
            break;
        }
    return strlen(rest) == 2;
}

bool crm_domain_is_free(const char *domain)
{
    char any[64];
    size_t n = strcspn(domain, ".");
    if (is_listed(domain))
        return true;
    if (n + 3 > sizeof(any) || !domain[n] || !is_country(domain + n + 1))
        return false;
    snprintf(any, sizeof(any), "%.*s.*", (int)n, domain);
    return is_listed(any);
}

int crm_domain_parent(const char *domain, const char **out)
{
    const char *dot = strchr(domain, '.');
    if (!dot || !strchr(dot + 1, '.')) /* two labels: nobody else's subdomain */
        return -1;
    const char *own = psl_registrable_domain(psl_builtin(), domain);
    if (!own || strlen(own) >= strlen(domain))
        return -1;
    *out = dot + 1;
    return 0;
}

/* ASCII: "m\xc3\xbcller.example" and "xn--mller-kva.example" are one domain. */
static int domain_to_ascii(char *address, char *at)
{
    char ascii[256];
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode code = U_ZERO_ERROR;
    bool plain = true;
    for (const char *p = at; *p; p++)
        plain &= (unsigned char)*p < 0x80;
    if (plain)
        return 0;
    UIDNA *idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII, &code);
    int32_t n = U_SUCCESS(code) ? uidna_nameToASCII_UTF8(idna, at + 1, -1, ascii, sizeof(ascii),
                                                         &info, &code)
                                : 0;
    uidna_close(idna);
    size_t room = CRM_ADDRESS_MAX - 1 - (size_t)(at + 1 - address);
    if (U_FAILURE(code) || info.errors || n <= 0 || (size_t)n > room || (size_t)n >= sizeof(ascii))
        return -1;
    memcpy(at + 1, ascii, (size_t)n);
    at[1 + n] = '\0';
    return 0;
}

int crm_email_base(const char *folded, char out[CRM_ADDRESS_MAX])
{
    const char *plus = strchr(folded, '+'), *at = strrchr(folded, '@');
    if (!plus || !at || plus == folded || plus > at)
        return -1;
    snprintf(out, CRM_ADDRESS_MAX, "%.*s%s", (int)(plus - folded), folded, at);
    return 0;
}

/* "anna"@example.com is anna@example.com: quotes that quote nothing. */
static const char *unquoted(const char *s, char out[CRM_ADDRESS_MAX])
{
    const char *end = s && *s == '"' ? strstr(s + 1, "\"@") : NULL;
    if (!end || end == s + 1 || strlen(s) >= CRM_ADDRESS_MAX || memchr(s + 1, '"', (size_t)(end - s - 1)))
        return s;
    snprintf(out, CRM_ADDRESS_MAX, "%.*s%s", (int)(end - s - 1), s + 1, end + 1);
    return out;
}

int crm_email_fold(const char *s, char out[CRM_ADDRESS_MAX])
{
    char plain[CRM_ADDRESS_MAX];
    s = unquoted(s, plain);
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
    return domain_to_ascii(out, out + (at - s));
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
