/* SPDX-License-Identifier: ISC
 *
 * reply - the new words of a mail (see mail_reply_split in flow.h)
 *
 * Reads line by line, once. A quotation is: lines with '>'; everything below a
 * separator ("-----Original Message-----" in its languages), below the header
 * block Outlook writes, or below an attribution ("On … wrote:") that no '>' line
 * follows. Below an attribution with '>' lines the text goes on, so answers
 * between and under quotations are kept.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mail/flow.h"
#include "mail/header.h"

#define ATTRIBUTION_LINES 4
#define ATTRIBUTION_BYTES 600
#define LINE_LOOK 400 /* bytes of a line that are looked at */

static const struct {
    const char *opens, *verb;
} attributions[] = {
    {"On ", "wrote"},       {"Am ", "schrieb"},    {"Le ", "a écrit"}, {"El ", "escribió"},
    {"Il ", "ha scritto"},  {"Op ", "schreef"},   {"Em ", "escreveu"},
    {"W dniu ", "pisze"},   {"W dniu ", "napisa"}, {"Den ", "skrev"},  {"Dne ", "napsal"},
    {"Vào ", "viết"},       {"På ", "skrev"},
};

static const char *const separators[] = {
    "original message", "ursprüngliche nachricht", "originalnachricht", "message d'origine",
    "message original", "mensaje original", "messaggio originale", "oorspronkelijk bericht",
    "mensagem original", "originalmeddelande", "oprindelig meddelelse", "wiadomość oryginalna",
    "forwarded message", "weitergeleitete nachricht", "message transféré", "messaggio inoltrato",
    "mensaje reenviado", "doorgestuurd bericht", "reply above this line",
};

/* First words of the header block above a quoted mail. */
static const char *const block_from[] = {"From:", "Von:", "De:", "De :", "Da:", "Van:", "Od:",
                                         "Från:", "Fra:", "*From:*", "*Von:*"};
static const char *const block_rest[] = {
    "Sent:", "Date:", "To:", "Subject:", "Cc:", "Gesendet:", "Datum:", "An:", "Betreff:",
    "Envoyé :", "Envoyé:", "Date :", "À :", "À:", "Objet :", "Objet:", "Enviado:", "Enviado el:",
    "Para:", "Asunto:", "Inviato:", "Data:", "A:", "Oggetto:", "Verzonden:", "Aan:", "Onderwerp:",
    "Enviada em:", "Assunto:", "Wysłano:", "Do:", "Temat:", "Skickat:", "Till:", "Ämne:",
    "Sendt:", "Til:", "Emne:", "*Sent:*", "*Date:*", "*To:*", "*Gesendet:*",
};

struct line {
    const char *p;
    size_t n;
};

struct splitter {
    struct line *v; /* own */
    size_t count;
};

static bool starts(const struct line *l, const char *s)
{
    size_t n = strlen(s);
    return l->n >= n && strncasecmp(l->p, s, n) == 0;
}

static bool starts_any(const struct line *l, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (starts(l, list[i]))
            return true;
    return false;
}

static bool is_empty(const struct line *l)
{
    return l->n == 0;
}

static bool is_quote(const struct line *l)
{
    return l->n > 0 && *l->p == '>';
}

/* A line of dashes with a separator's words inside. */
static bool is_separator(const struct line *l)
{
    if (l->n < 10 || l->n > 120 || (*l->p != '-' && *l->p != '_' && *l->p != '=' && *l->p != '#'))
        return false;
    char copy[128];
    memcpy(copy, l->p, l->n);
    copy[l->n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(separators); i++)
        if (strcasestr(copy, separators[i]))
            return true;
    return strncasecmp(copy, "-- please reply above", 21) == 0;
}

static bool is_header_block(const struct splitter *s, size_t i)
{
    if (!starts_any(&s->v[i], block_from, ARRAY_LEN(block_from)))
        return false;
    size_t seen = 0;
    for (size_t k = i + 1; k < s->count && k < i + 6 && !is_empty(&s->v[k]); k++)
        seen += starts_any(&s->v[k], block_rest, ARRAY_LEN(block_rest));
    return seen >= 2;
}

/* Does an attribution begin at line i? Then how many lines it has, else 0. */
static size_t attribution_lines(const struct splitter *s, size_t i)
{
    char joined[ATTRIBUTION_BYTES + 2];
    size_t n = 0, opener = ARRAY_LEN(attributions);
    for (size_t k = 0; k < ARRAY_LEN(attributions) && opener == ARRAY_LEN(attributions); k++) {
        size_t len = strlen(attributions[k].opens);
        if (s->v[i].n > len && memcmp(s->v[i].p, attributions[k].opens, len) == 0)
            opener = k;
    }
    if (opener == ARRAY_LEN(attributions))
        return 0;
    for (size_t k = i; k < s->count && k < i + ATTRIBUTION_LINES; k++) {
        const struct line *l = &s->v[k];
        if (is_empty(l) || is_quote(l) || n + l->n + 1 > ATTRIBUTION_BYTES)
            return 0;
        memcpy(joined + n, l->p, l->n);
        n += l->n;
        joined[n++] = ' ';
        joined[n] = '\0';
        if (l->p[l->n - 1] != ':')
            continue;
        bool dated = strpbrk(joined, "0123456789@") != NULL;
        for (size_t m = opener; m < ARRAY_LEN(attributions); m++)
            if (dated && strcmp(attributions[m].opens, attributions[opener].opens) == 0 &&
                strstr(joined, attributions[m].verb))
                return k - i + 1;
        return 0;
    }
    return 0;
}

/* "-- ", or without the space, as HTML leaves it. */
static bool is_signature_mark(const struct line *l)
{
    return l->n == 2 && memcmp(l->p, "--", 2) == 0;
}

static bool is_device_line(const struct line *l)
{
    static const char *const lines[] = {"Sent from my ", "Von meinem ", "Envoyé de mon ",
                                        "Gesendet von ", "Get Outlook for ", "Enviado desde mi ",
                                        "Inviato da ", "Verstuurd vanaf "};
    return l->n < 80 && starts_any(l, lines, ARRAY_LEN(lines));
}

static void lines_read(struct splitter *s, const char *text, size_t n)
{
    size_t cap = 1;
    for (size_t i = 0; i < n; i++)
        cap += text[i] == '\n';
    s->v = mem_array(cap, sizeof(*s->v));
    while (n > 0) {
        size_t t, len = mail_line_len(text, n, &t);
        while (t > 0 && (text[t - 1] == ' ' || text[t - 1] == '\t'))
            t--;
        s->v[s->count++] = (struct line){text, t};
        text += len;
        n -= len;
    }
}

static void add_line(struct buf *out, const struct line *l)
{
    if (l->n == 0 && (out->len == 0 || (out->len > 1 && out->data[out->len - 2] == '\n')))
        return; /* one empty line is enough */
    buf_add(out, l->p, l->n);
    buf_char(out, '\n');
}

static void trim_end(struct buf *b)
{
    while (b->len > 0 && (b->data[b->len - 1] == '\n' || b->data[b->len - 1] == ' '))
        b->data[--b->len] = '\0';
}

/* Where the lines go on behind an attribution: past its '>' lines, or nowhere. */
static size_t behind_attribution(const struct splitter *s, size_t i)
{
    while (i < s->count && is_empty(&s->v[i]))
        i++;
    return i < s->count && is_quote(&s->v[i]) ? i : s->count;
}

static bool is_rule_above_block(const struct splitter *s, size_t i)
{
    if (s->v[i].n < 3 || (*s->v[i].p != '_' && *s->v[i].p != '-'))
        return false;
    size_t k = i + 1;
    while (k < s->count && k < i + 3 && is_empty(&s->v[k]))
        k++;
    return k < s->count && is_header_block(s, k);
}

void mail_reply_split(struct mail_ctx *c, const char *text, size_t n, struct buf *reply,
                      struct buf *signature)
{
    struct splitter s = {.count = 0};
    bool in_signature = false;
    lines_read(&s, text, n);
    for (size_t i = 0; i < s.count && !mail_late(c, s.v[i].n * 2 + LINE_LOOK / 8); i++) {
        const struct line *l = &s.v[i];
        size_t lines;
        if (is_separator(l) || is_header_block(&s, i) || is_rule_above_block(&s, i))
            break;
        if ((lines = attribution_lines(&s, i)) > 0) {
            i = behind_attribution(&s, i + lines) - 1;
            in_signature = false;
        } else if (is_quote(l)) {
            in_signature = false;
        } else if (is_signature_mark(l)) {
            in_signature = true;
            buf_reset(signature);
        } else if (is_device_line(l) && !in_signature) {
            add_line(signature, l);
        } else {
            add_line(in_signature ? signature : reply, l);
        }
    }
    mem_free(s.v);
    trim_end(reply);
    trim_end(signature);
}
