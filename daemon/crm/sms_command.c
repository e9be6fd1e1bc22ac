/* SPDX-License-Identifier: ISC
 *
 * sms_command - see sms_command.h
 */
#include "crm/sms_command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "crm/command.h"
#include "crm/rep_lines.h"

#define WORD_MAX 32
#define LINES_MAX 10
#define DIGITS_MIN 4
#define DIGITS_MAX 8

static const char *const light[] = {"note", "snooze"};

static bool is_ask(const char *word)
{
    for (size_t i = 0; rep_ask_name(i); i++)
        if (!strcasecmp(rep_ask_name(i), word))
            return true;
    return false;
}

static bool is_command(const char *word)
{
    const struct crm_command_help *h;
    for (size_t i = 0; (h = crm_command_help(i)); i++)
        if (h->by_staff && !strcasecmp(h->name, word))
            return true;
    return false;
}

static bool is_light(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(light); i++)
        if (!strcasecmp(light[i], word))
            return true;
    return false;
}

/* The next word of a line, in small letters; what follows it. */
static const char *word_take(const char *p, char out[WORD_MAX])
{
    p += strspn(p, " \t");
    size_t n = strcspn(p, " \t"), len = n < WORD_MAX ? n : 0;
    memcpy(out, p, len);
    out[len] = '\0';
    text_lower(out);
    if (len && (out[len - 1] == ':' || out[len - 1] == ','))
        out[len - 1] = '\0';
    return p + n + strspn(p + n, " \t");
}

/* "D17 won 5000", "won D17 5000", "won 5000" -> "#D17 won 5000"; NULL: it is no command. own. */
static char *line_command(const char *line, enum sms_command_what *what_out)
{
    char first[WORD_MAX], second[WORD_MAX], name[CRM_ID_LEN] = "";
    enum crm_entity t;
    int64_t id;
    const char *rest;
    line += strspn(line, " \t#");
    rest = word_take(line, first);
    bool record = crm_id_parse(first, &t, &id) == 0;
    if (record) {
        crm_id_format(t, id, name);
        rest = word_take(rest, first);
    }
    bool ask = is_ask(first);
    if (!ask && !is_command(first))
        return NULL;
    const char *after = word_take(rest, second);
    /* "show L42", "find pumps", "done T7", "merge C13" name it in their own way */
    bool own = ask || !strcmp(first, "done") || !strcmp(first, "merge") || !strcmp(first, "undo");
    if (!record && !own && crm_id_parse(second, &t, &id) == 0) {
        crm_id_format(t, id, name);
        rest = after;
    }
    *what_out = ask                 ? SMS_COMMAND_ASK
                : is_light(first)   ? SMS_COMMAND_LIGHT
                                    : SMS_COMMAND_FULL;
    if (ask && !strcmp(first, "help") && !*rest)
        *what_out = SMS_COMMAND_HELP;
    return mem_printf("#%s%s%s%s%s", name, *name ? " " : "", first, *rest ? " " : "", rest);
}

/* All lines are commands, or it is none: in a text of words a line may begin with any word. */
static void lines_read(struct sms_command *c)
{
    struct buf out AUTO_BUF;
    int count = 0;
    enum sms_command_what what = SMS_COMMAND_EMPTY;
    buf_init(&out, BOUND_REP_LINE * 2);
    for (const char *p = c->rest; *p;) {
        size_t n = strcspn(p, "\n");
        AUTO_FREE char *line = mem_strn(p, n);
        p += n + (p[n] == '\n');
        text_make_line(line);
        if (!line[strspn(line, " \t")])
            continue;
        enum sms_command_what kind = SMS_COMMAND_WORDS;
        AUTO_FREE char *command = line_command(line, &kind);
        /* a note goes on to its end, as one line: nothing in it may begin another */
        if (!command && count > 0 && what == SMS_COMMAND_LIGHT) {
            out.len -= out.len > 0;
            buf_printf(&out, " %s\n", text_trim(line));
            continue;
        }
        if (!command || ++count > LINES_MAX)
            return;
        what = kind > what ? kind : what;
        buf_printf(&out, "%s\n", command);
    }
    if (count == 0 || !buf_ok(&out))
        return;
    c->what = what;
    c->lines = mem_str(out.data);
}

/* "L42: words" */
static bool relay_read(struct sms_command *c)
{
    const char *p = c->rest + strspn(c->rest, " \t#"), *colon = strchr(p, ':');
    char id[CRM_ID_LEN] = "";
    if (!colon || colon - p >= (int)sizeof(id) || colon == p)
        return false;
    memcpy(id, p, (size_t)(colon - p));
    if (crm_id_parse(text_trim(id), &c->entity, &c->id) < 0)
        return false;
    c->words = colon + 1 + strspn(colon + 1, " \t\r\n");
    c->what = SMS_COMMAND_RELAY;
    return *c->words != '\0';
}

void sms_command_read(const char *text, struct sms_command *out)
{
    size_t n = 0;
    *out = (struct sms_command){.what = SMS_COMMAND_WORDS};
    text += strspn(text, " \t\r\n");
    while (isdigit((unsigned char)text[n]))
        n++;
    bool ends = !text[n] || strchr(" \t\r\n:", text[n]);
    if (n >= DIGITS_MIN && n <= DIGITS_MAX && ends) {
        memcpy(out->digits, text, n);
        text += n + (text[n] == ':');
    }
    out->rest = mem_str(text + strspn(text, " \t\r\n"));
    char *end = out->rest + strlen(out->rest);
    while (end > out->rest && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    if (!*out->rest) {
        out->what = SMS_COMMAND_EMPTY;
        return;
    }
    if (!strcasecmp(out->rest, "more") || !strcasecmp(out->rest, "more.")) {
        out->what = SMS_COMMAND_MORE;
        return;
    }
    if (!strcmp(out->rest, "?")) {
        out->what = SMS_COMMAND_HELP;
        return;
    }
    if (relay_read(out))
        return;
    out->what = SMS_COMMAND_WORDS;
    lines_read(out);
}

void sms_command_done(struct sms_command *c)
{
    mem_free(c->rest);
    mem_free(c->lines);
    *c = (struct sms_command){0};
}
