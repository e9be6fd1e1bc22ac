/* SPDX-License-Identifier: ISC
 *
 * bounce_text - what a bounce says in words: to whom, why, and for how long
 *
 * No list of servers: the address that failed is the one that stands where such
 * addresses stand (at the start of a line, behind RCPT TO, under "the following
 * addresses"), best of all one to which the returned mail was addressed. What
 * stands behind it says why. Each address gets points; the first of the best wins.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/bounce.h"
#include "mail/classify.h"

#define CANDIDATES 100
#define DIAGNOSTIC 400

struct line {
    const char *p;
    size_t n;
};

static struct line line_at(const char *text, size_t n, size_t at)
{
    const char *end = memchr(text + at, '\n', n - at);
    return (struct line){text + at, end ? (size_t)(end - text) - at : n - at};
}

/* ---- the returned header block ---- */

static bool is_name(struct line l, const char *const *names)
{
    const char *colon = memchr(l.p, ':', l.n < 40 ? l.n : 40);
    for (; colon && *names; names++)
        if (strlen(*names) == (size_t)(colon - l.p) &&
            strncasecmp(l.p, *names, strlen(*names)) == 0)
            return true;
    return false;
}

size_t bounce_original_at(const char *text, size_t n)
{
    static const char *const strong[] = {
        "Received", "Return-Path", "Message-ID", "From", "DKIM-Signature", NULL,
    };
    static const char *const weak[] = {
        "To", "Subject", "Date", "MIME-Version", "Content-Type", "X-Mailer", "Delivered-To",
        "Sender", "Reply-To", "Cc", "In-Reply-To", "References", "Content-Transfer-Encoding",
        "User-Agent", "X-Priority", "Errors-To", "X-Leadd-Token", "Organization", NULL,
    };
    size_t start = n, fields = 0, heavy = 0;
    for (size_t at = 0; at < n;) {
        struct line l = line_at(text, n, at);
        size_t quote = l.n > 1 && l.p[0] == '>' ? 1 + (l.p[1] == ' ') : 0;
        struct line bare = {l.p + quote, l.n - quote};
        bool s = is_name(bare, strong), w = !s && is_name(bare, weak);
        bool other = !s && !w && fields && bare.n > 2 &&
                     (isspace((unsigned char)*bare.p) || strncasecmp(bare.p, "X-", 2) == 0 ||
                      strncasecmp(bare.p, "List-", 5) == 0);
        if (s || w) {
            start = fields ? start : at;
            fields++;
            heavy += s;
            if (fields >= 3 && heavy)
                return start;
        } else if (!other) {
            fields = heavy = 0;
            start = n;
        }
        at += l.n + 1;
    }
    return n;
}

/* ---- who ---- */

struct candidate {
    size_t at, end; /* in the text */
    int points;
    char *address; /* own */
};

static bool is_local_char(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80) || (c && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

static bool is_domain_char(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80) || c == '.' || c == '-' || c == '_';
}

static bool in_list(const json_t *list, const char *folded)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v)
    {
        const char *s = json_is_string(v) ? json_string_value(v) : json_get_str(v, "folded", "");
        if (strcasecmp(s, folded) == 0)
            return true;
    }
    return false;
}

static bool line_has(const char *p, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (memmem(p, n, *words, strlen(*words)))
            return true;
    return false;
}

static bool ends_in(const char *p, size_t n, const char *const *words)
{
    while (n && strchr(" \t<\"'(:;[=", p[n - 1]))
        n--;
    for (; *words; words++) {
        size_t k = strlen(*words);
        if (n >= k && memcmp(p + n - k, *words, k) == 0)
            return true;
    }
    return false;
}

/* low is the text in lower case. */
static int place_points(const char *low, size_t n, size_t from, size_t end, struct line above)
{
    static const char *const not_he[] = {
        "from:", "mail from", "sender", "absender", "von:", "contact", "help", "question",
        "http", "message-id", "expéditeur", "remitente", "mittente", "administrator",
        "forwarded by", "return-path", "report", "write to", "email to ", NULL,
    };
    static const char *const he[] = {
        "rcpt to", "recipient", "recipients", "final-recipient", "original-recipient",
        "empfänger", "destinataire", "destinatario", "destinatário", "addressee",
        "delivered to", "deliver to", "deliver mail to", "message to", "an", "nachricht an",
        "user", "mailbox", "address", "for", "to", "envelope-to", "unknown", "à", "aan", "para",
        "rfc822", "email to", NULL,
    };
    static const char *const listed[] = {
        "following", "folgende", "suivant", "siguiente", "seguent", "recipient", "addresses",
        "empfänger", "destinata", "volgende", "seguinte", "следующ", "failed", "undeliver",
        "delivered to", "unable to deliver", "address", NULL,
    };
    size_t begin = from, points = 1;
    while (begin && low[begin - 1] != '\n')
        begin--;
    size_t lead = begin;
    while (lead < from && strchr(" \t<\"'*->:|[(", low[lead]))
        lead++;
    while (end < n && strchr(">\"')]", low[end]) && low[end])
        end++;
    bool first = lead == from, closed = end >= n || strchr("\n\r:;,.( ", low[end]);
    if (line_has(low + begin, from - begin, not_he))
        return -4;
    if (first)
        points += 3 + (closed && (end >= n || low[end] != ' '));
    if (!first && memmem(low + begin, from - begin, "rcpt to", 7))
        points += 3;
    else if (!first && ends_in(low + begin, from - begin, he))
        points += 2;
    if (above.n && line_has(above.p, above.n, listed) && !line_has(above.p, above.n, not_he))
        points += 2;
    return (int)points;
}

static int who_points(const json_t *msg, const struct bounce_original *o, const char *folded)
{
    int points = 0;
    if (in_list(o->to, folded))
        points += 6;
    if (in_list(json_get_arr(msg, "to"), folded) ||
        in_list(json_get_arr(msg, "delivered_to"), folded))
        points -= 8;
    if (strcasecmp(json_get_str(json_get_obj(msg, "from"), "folded", ""), folded) == 0)
        points -= 6;
    if (mail_is_machine_address(folded))
        points -= 6;
    return points;
}

/* The address around the @ at text[at]; false when it is none. */
static bool candidate_read(const char *text, size_t n, size_t at, struct candidate *c)
{
    size_t from = at, end = at + 1;
    while (from && is_local_char(text[from - 1]) && at - from < 128)
        from--;
    while (from < at && strchr("'`=|/{", text[from]))
        from++;
    while (end < n && is_domain_char(text[end]) && end - at < 256)
        end++;
    while (end > at + 1 && strchr(".-_", text[end - 1]))
        end--;
    if (from == at || end == at + 1)
        return false;
    AUTO_FREE char *s = mem_strn(text + from, end - from);
    AUTO_JSON json_t *a = mail_address_json(s, NULL);
    const char *address = json_get_str(a, "address", NULL);
    if (!address)
        return false;
    *c = (struct candidate){.at = from, .end = end, .address = mem_str(address)};
    return true;
}

static struct candidate best_candidate(const json_t *msg, const char *text, const char *low,
                                       size_t n, const struct bounce_original *o)
{
    struct candidate best = {.points = 0};
    struct line above = {NULL, 0};
    size_t seen = 0;
    for (size_t at = 0; at < n && seen < CANDIDATES;) {
        struct line l = line_at(low, n, at);
        size_t stop = at + (l.n < 2000 ? l.n : 2000), i = at;
        for (; i < stop && seen < CANDIDATES; i++) {
            struct candidate c;
            if (text[i] != '@' || !candidate_read(text, n, i, &c))
                continue;
            seen++;
            AUTO_FREE char *folded = mem_str(c.address);
            text_lower(folded);
            c.points = place_points(low, n, c.at, c.end, above) + who_points(msg, o, folded);
            i = c.end - 1;
            if (c.points > best.points) {
                mem_free(best.address);
                best = c;
            } else {
                mem_free(c.address);
            }
        }
        size_t blank = 0;
        while (blank < l.n && isspace((unsigned char)l.p[blank]))
            blank++;
        if (blank < l.n && !(best.address && best.at >= at))
            above = l;
        at += l.n + 1;
    }
    return best;
}

/* "h.meyer... User unknown": the one addressee whose local part the text names. */
static const char *named_addressee(const char *low, const struct bounce_original *o)
{
    size_t i;
    json_t *v;
    if (json_array_size(o->to) == 1)
        return json_string_value(json_array_get(o->to, 0));
    json_array_foreach(o->to, i, v)
    {
        const char *s = json_string_value(v);
        AUTO_FREE char *local = mem_strn(s, strcspn(s, "@"));
        if (strlen(local) > 2 && strstr(low, local))
            return s;
    }
    return NULL;
}

/* ---- why ---- */

/* What stands behind the address, as one line: until an empty line once there are
 * words. */
static void put_diagnostic(const char *text, size_t n, size_t at, json_t *b)
{
    AUTO_BUF struct buf out;
    buf_init(&out, DIAGNOSTIC * 2);
    while (at < n && strchr(">\"')]:, \t", text[at]) && text[at])
        at++;
    size_t end = at;
    for (bool words = false; end < n && end - at < DIAGNOSTIC;) {
        struct line l = line_at(text, n, end);
        size_t k = 0;
        while (k < l.n && isspace((unsigned char)l.p[k]))
            k++;
        if (k == l.n && words)
            break;
        words |= k < l.n;
        end += l.n + 1;
    }
    end = end < n ? end : n;
    for (size_t i = at; i < end && out.len < DIAGNOSTIC; i++) {
        bool space = isspace((unsigned char)text[i]);
        if (!space)
            buf_char(&out, text[i]);
        else if (out.len && out.data[out.len - 1] != ' ')
            buf_char(&out, ' ');
    }
    out.data[text_utf8_cut(out.data, out.len, DIAGNOSTIC)] = '\0';
    text_make_line(out.data);
    char *t = text_trim(out.data);
    if (*t)
        json_put_str(b, "diagnostic", t);
}

static void put_status(const char *low, size_t n, size_t from, json_t *b)
{
    char status[BOUNCE_STATUS];
    if (bounce_status_written(low + from, n - from, status) && strcmp(status + 1, ".0.0") != 0)
        json_put_str(b, "status", status);
    else if (from && bounce_status_written(low, n, status) && strcmp(status + 1, ".0.0") != 0)
        json_put_str(b, "status", status);
    else if (bounce_status_find(low + from, n - from, status) ||
             (from && bounce_status_find(low, n, status)))
        json_put_str(b, "status", status);
}

/* Nothing says why: for good, or not yet. */
static void put_class(json_t *b)
{
    const char *action = json_get_str(b, "action", "");
    if (json_object_get(b, "status"))
        return;
    if (strcmp(action, "failed") == 0)
        json_put_str(b, "status", "5.0.0");
    else if (strcmp(action, "delayed") == 0)
        json_put_str(b, "status", "4.0.0");
}

void bounce_text_read(const json_t *msg, const char *text, const struct bounce_original *o,
                      json_t *b)
{
    size_t n = o->words;
    AUTO_FREE char *low = mem_strn(text, n);
    text_lower(low);
    struct candidate c = best_candidate(msg, text, low, n, o);
    const char *named = named_addressee(low, o);
    if (!json_object_get(b, "recipient")) {
        const char *who = c.address && (c.points >= 3 || !named) ? c.address : named;
        json_put_str(b, "recipient", who);
    }
    if (!json_object_get(b, "status"))
        put_status(low, n, c.address ? c.end : 0, b);
    if (!json_object_get(b, "diagnostic") && c.address)
        put_diagnostic(text, n, c.end, b);
    if (!json_object_get(b, "action")) {
        AUTO_FREE char *all = mem_printf("%s\n%s", json_get_str(msg, "subject", ""), low);
        json_put_str(b, "action", bounce_is_delay(all) ? "delayed" : "failed");
    }
    put_class(b);
    mem_free(c.address);
}
