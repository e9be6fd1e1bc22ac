/* SPDX-License-Identifier: ISC
 *
 * html_quote - what an element says about quotation and signature
 *
 * Knows the elements that mail programs put around what they quote. An element
 * that is only a container of both, as Gmail's div.gmail_quote, says nothing.
 */
#ifndef LEADD_MAIL_HTML_QUOTE_H
#define LEADD_MAIL_HTML_QUOTE_H

#include <gumbo.h>
#include <stdbool.h>

enum html_says {
    HTML_NOTHING,
    HTML_QUOTES,      /* all inside is quoted */
    HTML_SIGNS,       /* all inside is a signature */
    HTML_ATTRIBUTES,  /* all inside says who wrote what follows */
    HTML_CUTS,        /* a quoted mail's header block begins, and all below is quoted */
    HTML_NO_MARGIN,   /* a paragraph without empty lines around */
};

enum html_says html_quote_says(const GumboElement *e);

#endif
