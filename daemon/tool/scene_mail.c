/* SPDX-License-Identifier: ISC
 *
 * scene_mail - the mail that a test describes, as bytes
 */
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/compose.h"
#include "mail/parse.h"
#include "store/outbox.h"
#include "tool/scene.h"

#define HEADERS_MAX 32
#define ADDRESSES_MAX 32

/* "Ada Shop <ada@shop.example>" or an address alone; cuts text apart. */
static struct mail_address address_read(char *text)
{
    char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
    if (!close)
        return (struct mail_address){text_trim(text), NULL};
    *open = *close = '\0';
    char *name = text_trim(text);
    size_t n = strlen(name);
    if (n >= 2 && name[0] == '"' && name[n - 1] == '"') {
        name[n - 1] = '\0';
        name++;
    }
    return (struct mail_address){text_trim(open + 1), *name ? name : NULL};
}

/* At most max, separated by commas. */
static size_t addresses_read(char *text, struct mail_address *out, size_t max)
{
    size_t n = 0;
    for (char *p = text, *next; p && n < max; p = next) {
        next = strchr(p, ',');
        if (next)
            *next++ = '\0';
        if (*text_trim(p))
            out[n++] = address_read(p);
    }
    return n;
}

static size_t headers_read(const json_t *list, json_t *keep, struct mail_header *out)
{
    size_t i, n = 0;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) {
        const char *line = json_get_str(v, "text", ""), *colon = strchr(line, ':');
        if (!colon || n == HEADERS_MAX)
            continue; /* tests_check has said so */
        json_t *name = json_stringn(line, (size_t)(colon - line));
        json_array_append_new(keep, name);
        out[n++] = (struct mail_header){json_string_value(name), colon + 1 + strspn(colon + 1, " ")};
    }
    return n;
}

/* The newest mail that leadd wrote from that template, as its reader has it; own. */
static json_t *mail_of_template(const struct scene *s, const char *template, struct err *e)
{
    AUTO_JSON json_t *rows = outbox_list(solo_db(s->solo), NULL, 0, 1000, e);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        struct outbox_mail m;
        if (strcmp(json_get_str(row, "template", ""), template) != 0)
            continue;
        if (outbox_mail(solo_db(s->solo), json_get_int(row, "id", 0), &m, e) < 0)
            return NULL;
        json_t *parsed = mail_parse(m.raw, m.raw_len, NULL, e);
        outbox_mail_done(&m);
        return parsed;
    }
    if (rows)
        err_set(e, ERR_INPUT, "answers = \"%s\": no such mail was sent so far", template);
    return NULL;
}

/* Answers go where a mail program would send them. */
static const char *answer_address(const json_t *answered)
{
    const json_t *to = json_array_get(json_get_arr(answered, "reply_to"), 0);
    return json_get_str(to ? to : json_get_obj(answered, "from"), "address", NULL);
}

static int mail_write(struct scene *s, const json_t *mail, const json_t *answered, struct buf *out,
                      struct err *e)
{
    AUTO_FREE char *from = mem_str(json_get_str(json_get_obj(mail, "from"), "text", ""));
    const char *ours = json_get_str(json_get_obj(s->config, "settings"), "address", "");
    const char *back = answer_address(answered), *subject = json_get_str(mail, "subject", NULL);
    AUTO_FREE char *to = mem_str(json_get_str(mail, "to", back ? back : ours));
    AUTO_FREE char *cc = mem_str(json_get_str(mail, "cc", ""));
    AUTO_FREE char *id = mem_printf("test-%d@sender.example", ++s->mails);
    AUTO_FREE char *re = mem_printf("Re: %s", json_get_str(answered, "subject", ""));
    AUTO_JSON json_t *keep = json_array();
    struct mail_address tos[ADDRESSES_MAX], ccs[ADDRESSES_MAX];
    struct mail_header headers[HEADERS_MAX];
    struct mail_compose m = {
        .from = address_read(from),
        .to = tos,
        .to_count = addresses_read(to, tos, ADDRESSES_MAX),
        .cc = ccs,
        .cc_count = addresses_read(cc, ccs, ADDRESSES_MAX),
        .subject = subject ? subject : answered ? re : "",
        .message_id = id,
        .in_reply_to = json_get_str(answered, "message_id", NULL),
        .date_ms = solo_now(s->solo),
        .headers = headers,
        .header_count = headers_read(json_get_arr(mail, "headers"), keep, headers),
        .text = json_get_str(mail, "text", ""),
    };
    return mail_compose(&m, out, e);
}

int scene_mail(struct scene *s, const json_t *mail, struct buf *out, struct err *e)
{
    const char *template = json_get_str(json_get_obj(mail, "answers"), "text", NULL);
    AUTO_JSON json_t *answered = template ? mail_of_template(s, template, e) : NULL;
    if (template && !answered)
        return -1;
    return mail_write(s, mail, answered, out, e);
}
