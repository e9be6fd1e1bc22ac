/* SPDX-License-Identifier: ISC
 *
 * cfws - see cfws.h
 */
#include "mail/cfws.h"

#include <string.h>

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool is_control(char ch)
{
    return (unsigned char)ch < 0x20 || ch == 0x7f;
}

bool mail_cfws_skip(struct mail_cfws *c)
{
    size_t depth = 0;
    for (; c->p < c->end; c->p++) {
        if (is_space(*c->p))
            continue;
        if (is_control(*c->p))
            return false;
        if (*c->p == '(') {
            depth++;
        } else if (depth == 0) {
            return true;
        } else if (*c->p == ')') {
            depth--;
        } else if (*c->p == '\\') {
            if (++c->p == c->end || is_control(*c->p))
                return false;
        }
    }
    return depth == 0;
}

bool mail_cfws_quoted(struct mail_cfws *c, struct buf *out)
{
    for (c->p++; c->p < c->end; c->p++) {
        if (*c->p == '"') {
            c->p++;
            return true;
        }
        if (*c->p == '\r' || *c->p == '\n')
            continue; /* a fold; its white space stays */
        if (*c->p == '\\' && ++c->p == c->end)
            return false;
        if (is_control(*c->p) && *c->p != '\t')
            return false;
        buf_char(out, *c->p);
    }
    return false;
}

size_t mail_cfws_word(struct mail_cfws *c, const char *stop, struct buf *out)
{
    const char *from = c->p;
    while (c->p < c->end && !is_space(*c->p) && !is_control(*c->p) && !strchr(stop, *c->p))
        c->p++;
    buf_add(out, from, (size_t)(c->p - from));
    return (size_t)(c->p - from);
}

bool mail_cfws_take(struct mail_cfws *c, char what)
{
    if (c->p == c->end || *c->p != what)
        return false;
    c->p++;
    return true;
}

bool mail_cfws_end(const struct mail_cfws *c)
{
    return c->p == c->end;
}
