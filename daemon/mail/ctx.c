/* SPDX-License-Identifier: ISC
 *
 * ctx - see ctx.h
 */
#include "mail/ctx.h"

#include <string.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

/* Reading the clock costs more than a line does: look once per this much work. */
#define WORK_PER_LOOK KIB(64)

void mail_ctx_init(struct mail_ctx *c, const struct mail_limits *lim)
{
    *c = (struct mail_ctx){.lim = lim, .defects = json_array()};
    if (lim->ms > 0)
        c->deadline_ms = clock_mono_ms() + lim->ms;
}

void mail_ctx_done(struct mail_ctx *c)
{
    json_decref(c->defects);
    c->defects = NULL;
}

static void defect_add(struct mail_ctx *c, const char *text)
{
    size_t i;
    json_t *have;
    json_array_foreach (c->defects, i, have)
        if (strcmp(json_string_value(have), text) == 0)
            return;
    size_t count = json_array_size(c->defects);
    if (count + 1 < c->lim->defects)
        json_array_append_new(c->defects, json_string(text));
    else if (count < c->lim->defects)
        json_array_append_new(c->defects, json_string("more defects than are listed"));
}

void mail_defect(struct mail_ctx *c, const char *fmt, ...)
{
    char raw[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    AUTO_BUF struct buf b;
    buf_init(&b, 1024);
    for (char *p = raw; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    text_add_utf8(&b, raw, text_utf8_cut(raw, strlen(raw), 240));
    defect_add(c, b.data);
}

bool mail_late(struct mail_ctx *c, uint64_t work)
{
    uint64_t before = c->work / WORK_PER_LOOK;
    c->work += work;
    if (!c->late && c->deadline_ms && c->work / WORK_PER_LOOK != before &&
        clock_mono_ms() > c->deadline_ms) {
        c->late = true;
        mail_defect(c, "out of time: only a part of the mail was read");
    }
    return c->late;
}
