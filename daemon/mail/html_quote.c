/* SPDX-License-Identifier: ISC
 *
 * html_quote - see html_quote.h
 */
#include "mail/html_quote.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define STYLE_LOOK 400 /* bytes of a style that are looked at */

/* A class or id as it stands, or with the "x_" that Outlook puts in front. A '*'
 * at the end: anything may follow. */
static const struct {
    const char *word;
    enum html_says says;
} words[] = {
    {"gmail_attr", HTML_ATTRIBUTES},
    {"moz-cite-prefix", HTML_ATTRIBUTES},
    {"reply-intro", HTML_ATTRIBUTES},
    {"quote-header", HTML_ATTRIBUTES},
    {"gmail_signature", HTML_SIGNS},
    {"gmail_signature_prefix", HTML_SIGNS},
    {"moz-signature", HTML_SIGNS},
    {"AppleMailSignature", HTML_SIGNS},
    {"protonmail_signature_block", HTML_SIGNS},
    {"tutanota_signature", HTML_SIGNS},
    {"ms-outlook-mobile-signature", HTML_SIGNS},
    {"composer_signature", HTML_SIGNS},
    {"ymail_android_signature", HTML_SIGNS},
    {"ymail_ios_signature", HTML_SIGNS},
    {"Signature", HTML_SIGNS},
    {"signature", HTML_SIGNS},
    {"email-signature", HTML_SIGNS},
    {"mail-signature", HTML_SIGNS},
    {"zmail_signature*", HTML_SIGNS},
    {"front-signature", HTML_SIGNS},
    {"hs_signature", HTML_SIGNS},
    {"sh-signature", HTML_SIGNS},
    {"messageSignatureSection", HTML_SIGNS},
    {"messageReplySection", HTML_QUOTES},
    {"yahoo_quoted*", HTML_QUOTES},
    {"protonmail_quote", HTML_QUOTES},
    {"zmail_extra", HTML_QUOTES},
    {"freshdesk_quote", HTML_QUOTES},
    {"gorgias-quote", HTML_QUOTES},
    {"front-blockquote", HTML_QUOTES},
    {"tutanota_quote", HTML_QUOTES},
    {"hs_reply_quote", HTML_QUOTES},
    {"quoted-content", HTML_QUOTES},
    {"divRplyFwdMsg", HTML_CUTS},
    {"OutlookMessageHeader", HTML_CUTS},
    {"mail-editor-reference-message-container", HTML_CUTS},
    {"ms-outlook-mobile-reference-message", HTML_CUTS},
    {"MsoNormal", HTML_NO_MARGIN},
    {"MsoPlainText", HTML_NO_MARGIN},
    {"MsoListParagraph*", HTML_NO_MARGIN},
    {"MsoNoSpacing", HTML_NO_MARGIN},
};

static const char *attr(const GumboElement *e, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&e->attributes, name);
    return a ? a->value : "";
}

static enum html_says word_says(const char *p, size_t n)
{
    while (n > 2 && p[0] == 'x' && p[1] == '_')
        p += 2, n -= 2;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].word);
        bool open = words[i].word[len - 1] == '*';
        len -= open;
        if ((n == len || (open && n > len)) && memcmp(p, words[i].word, len) == 0)
            return words[i].says;
    }
    return HTML_NOTHING;
}

static enum html_says words_say(const char *p)
{
    enum html_says says = HTML_NOTHING;
    for (size_t n; *p && says == HTML_NOTHING; p += n) {
        p += strspn(p, " \t\r\n");
        n = strcspn(p, " \t\r\n");
        if (n > 0)
            says = word_says(p, n);
    }
    return says;
}

/* The style without white space, in lower case. */
static void style_read(const GumboElement *e, char *out)
{
    size_t k = 0;
    for (const char *p = attr(e, "style"); *p && k + 1 < STYLE_LOOK; p++)
        if (!strchr(" \t\r\n", *p))
            out[k++] = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    out[k] = '\0';
}

/* Somebody's own words moved to the right: a margin, and no bar beside it. */
static bool is_indented(const GumboElement *e, const char *style)
{
    if (strstr(attr(e, "class"), "gmail_quote") || strcasecmp(attr(e, "type"), "cite") == 0 ||
        *attr(e, "cite"))
        return false;
    return strstr(attr(e, "class"), "webkit-indent-blockquote") ||
           (strstr(style, "border:none") && strstr(style, "margin:0"));
}

/* Outlook's line above "From:": border-top:solid #E1E1E1 1.0pt;padding:3.0pt …,
 * and what others make of it. Only a header block below makes it a cut. */
static bool is_outlook_line(const char *style)
{
    const char *top = strstr(style, "border-top");
    return top && strstr(top, "solid") && strstr(style, "padding");
}

/* Outlook's bar beside a quotation. */
static bool is_outlook_bar(const char *style)
{
    return strstr(style, "border:none;border-left:solid") && strstr(style, "padding");
}

static bool is_flat(const char *style)
{
    static const char *const flat[] = {"margin:0;", "margin:0px", "margin:0cm", "margin:0in",
                                       "margin:0pt"};
    for (size_t i = 0; i < ARRAY_LEN(flat); i++)
        if (strstr(style, flat[i]))
            return true;
    return (strstr(style, "margin-top:0") && strstr(style, "margin-bottom:0")) ||
           strcmp(style, "margin:0") == 0;
}

enum html_says html_quote_says(const GumboElement *e)
{
    char style[STYLE_LOOK];
    if (e->attributes.length == 0)
        return e->tag == GUMBO_TAG_BLOCKQUOTE ? HTML_QUOTES : HTML_NOTHING;
    style_read(e, style);
    if (e->tag == GUMBO_TAG_BLOCKQUOTE)
        return is_indented(e, style) ? HTML_NOTHING : HTML_QUOTES;
    enum html_says says = words_say(attr(e, "class"));
    if (says == HTML_NOTHING || says == HTML_NO_MARGIN) {
        enum html_says by_id = word_says(attr(e, "id"), strlen(attr(e, "id")));
        says = by_id != HTML_NOTHING ? by_id : says;
    }
    if (says == HTML_NOTHING && e->tag == GUMBO_TAG_DIV)
        says = word_says(attr(e, "name"), strlen(attr(e, "name"))); /* Spark */
    if (strcmp(attr(e, "data-smartmail"), "gmail_signature") == 0)
        says = HTML_SIGNS;
    if (e->tag == GUMBO_TAG_DIV && strcmp(attr(e, "name"), "quote") == 0)
        says = HTML_QUOTES;
    if (e->tag == GUMBO_TAG_DIV && says == HTML_NOTHING && is_outlook_line(style))
        says = HTML_CUTS;
    if (e->tag == GUMBO_TAG_DIV && says == HTML_NOTHING && is_outlook_bar(style))
        says = HTML_QUOTES;
    if (e->tag == GUMBO_TAG_P && says == HTML_NOTHING && is_flat(style))
        says = HTML_NO_MARGIN;
    return says;
}
