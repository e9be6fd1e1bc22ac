/* SPDX-License-Identifier: ISC
 *
 * lex - see lex.h
 */
#include "config/lex.h"

#include <ctype.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

#define LEX_SHOW 40 /* bytes of a token shown in a message */

char *lex_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_str(".");
    return slash == path ? mem_str("/") : mem_strn(path, (size_t)(slash - path));
}

char *lex_join(const char *dir, const char *path)
{
    if (path[0] == '/' || strcmp(dir, ".") == 0)
        return mem_str(path);
    return mem_printf("%s%s%s", dir, strcmp(dir, "/") == 0 ? "" : "/", path);
}

char *lex_at(const struct lex_token *t)
{
    return mem_printf("%s:%d:%d", t->file, t->line, t->col);
}

char *lex_show(const struct lex_token *t)
{
    if (t->type == LEX_EOF)
        return mem_str("the end of the file");
    const char *p = t->p;
    size_t n = t->n;
    bool string = t->type == LEX_STRING;
    if (string) {
        p++;
        n -= n > 1 && !t->broken ? 2 : 1;
    }
    size_t cut = text_utf8_cut(p, n, LEX_SHOW);
    return mem_printf("\"%.*s%s\"", (int)cut, p, cut < n ? "..." : "");
}

bool lex_is(const struct lex_token *t, char punct)
{
    return t->type == LEX_PUNCT && *t->p == punct;
}

/* at_error: place of the current position of in. */
static char *lex_here(const struct lex_input *in, size_t pos)
{
    return mem_printf("%s:%d:%zu", in->file->name, in->line, pos - in->line_start + 1);
}

static int lex_check_text(const struct lex_file *f, struct errlist *errors)
{
    const char *nul = memchr(f->text.data, '\0', f->text.len);
    if (!nul)
        return 0;
    int line = 1;
    for (const char *p = f->text.data; p < nul; p++)
        line += *p == '\n';
    char *at AUTO_FREE = mem_printf("%s:%d", f->name, line);
    errlist_add(errors, at, "NUL byte; this is not a text file");
    return -1;
}

static int lex_push(struct lex *l, const char *path, const char *at)
{
    if (l->depth == LEX_INCLUDE_DEPTH) {
        errlist_add(l->errors, at, "@include nested deeper than %d; does \"%s\" include itself?",
                    LEX_INCLUDE_DEPTH, path);
        return -1;
    }
    if (l->nfiles == LEX_FILES) {
        errlist_add(l->errors, at, "more than %d files included", LEX_FILES);
        return -1;
    }
    struct lex_file *f = mem_alloc(sizeof(*f));
    l->files[l->nfiles++] = f;
    f->name = mem_str(path);
    buf_init(&f->text, BOUND_CONFIG_FILE - l->bytes);
    struct err e = {0};
    if (buf_read_file(&f->text, path, &e)) {
        errlist_add(l->errors, at, "%s", e.text);
        return -1;
    }
    l->bytes += f->text.len;
    if (lex_check_text(f, l->errors))
        return -1;
    struct lex_input *in = &l->stack[l->depth++];
    *in = (struct lex_input){.file = f, .line = 1, .fresh = true};
    if (f->text.len >= 3 && memcmp(f->text.data, "\xef\xbb\xbf", 3) == 0)
        in->pos = in->line_start = 3;
    return 0;
}

int lex_init(struct lex *l, const char *path, const char *at, struct errlist *errors)
{
    *l = (struct lex){.errors = errors};
    return lex_push(l, path, at);
}

void lex_done(struct lex *l)
{
    for (size_t i = 0; i < l->nfiles; i++) {
        mem_free(l->files[i]->name);
        buf_done(&l->files[i]->text);
        mem_free(l->files[i]);
    }
    *l = (struct lex){0};
}

static void lex_newline(struct lex_input *in)
{
    in->pos++;
    in->line++;
    in->line_start = in->pos;
    in->fresh = true;
}

/* From '#' or '//' to the end of the line. "#include" looks like the C
 * preprocessor's, and libconfig silently takes it for a comment. */
static void lex_line_comment(struct lex *l, struct lex_input *in)
{
    const char *p = in->file->text.data;
    size_t from = in->pos;
    while (p[in->pos] && p[in->pos] != '\n')
        in->pos++;
    if (p[from] != '#')
        return;
    size_t i = from + 1 + strspn(p + from + 1, " \t");
    if (!text_starts(p + i, "include"))
        return;
    i += 7;
    size_t gap = strspn(p + i, " \t");
    if (p[i + gap] != '"' && p[i + gap] != '<')
        return;
    char *at AUTO_FREE = lex_here(in, from);
    errlist_add(l->errors, at, "\"#include\" is a comment; write @include \"file\"");
}

static void lex_block_comment(struct lex *l, struct lex_input *in)
{
    const char *p = in->file->text.data;
    char *at AUTO_FREE = lex_here(in, in->pos);
    in->pos += 2;
    while (p[in->pos] && !(p[in->pos] == '*' && p[in->pos + 1] == '/')) {
        if (p[in->pos] == '\n')
            lex_newline(in);
        else
            in->pos++;
    }
    if (p[in->pos])
        in->pos += 2;
    else
        errlist_add(l->errors, at, "the comment opened here is never closed; end it with */");
}

/* Moves to the next token; false at the end of this input. */
static bool lex_skip(struct lex *l, struct lex_input *in)
{
    const char *p = in->file->text.data;
    for (;;) {
        char c = p[in->pos];
        if (c == '\0')
            return false;
        if (c == '\n')
            lex_newline(in);
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\f')
            in->pos++;
        else if (c == '#' || (c == '/' && p[in->pos + 1] == '/'))
            lex_line_comment(l, in);
        else if (c == '/' && p[in->pos + 1] == '*')
            lex_block_comment(l, in);
        else
            return true;
    }
}

/* What no setting may hold: it would break a header or a row later on. */
static const char *lex_bad_byte(const struct lex_token *t, size_t *at_out)
{
    for (size_t i = 0; i < t->n; i++) {
        unsigned char c = (unsigned char)t->p[i];
        *at_out = i;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "control character in a text";
        if (c == '\\' && i + 3 < t->n && memcmp(t->p + i, "\\x00", 4) == 0)
            return "\\x00 in a text";
        if (c == '\\')
            i++;
    }
    return NULL;
}

static void lex_string_bytes(struct lex *l, const struct lex_input *in, struct lex_token *t)
{
    size_t i = 0;
    const char *what = text_is_utf8(t->p, t->n) ? lex_bad_byte(t, &i)
                                                : "text is not UTF-8; save the file as UTF-8";
    if (!what)
        return;
    char *at AUTO_FREE = lex_here(in, (size_t)(t->p - in->file->text.data) + i);
    errlist_add(l->errors, at, "%s", what);
    t->broken = true;
}

/* A string ends on its line: libconfig would go on to the next quote wherever
 * it stands, and then complain at the end of the file. */
static void lex_string(struct lex *l, struct lex_input *in, struct lex_token *t)
{
    const char *p = in->file->text.data;
    size_t i = in->pos + 1;
    while (p[i] && p[i] != '\n' && p[i] != '"')
        i += p[i] == '\\' && p[i + 1] && p[i + 1] != '\n' ? 2 : 1;
    t->type = LEX_STRING;
    t->n = i - in->pos;
    if (p[i] == '"') {
        t->n++;
        in->pos = i + 1;
        lex_string_bytes(l, in, t);
        return;
    }
    char *at AUTO_FREE = lex_at(t);
    errlist_add(l->errors, at,
                "the quote opened here is not closed on this line; long text may be written as "
                "\"one part\" \"next part\"");
    /* What closes the setting at the end of the line is hardly part of the text:
     * taking it as such would leave a group open, and more complaints. */
    while (i > in->pos + 1 && strchr(" \t\r;,)]}", p[i - 1]))
        i--;
    in->pos = i;
    t->n = (size_t)(p + i - t->p);
    t->broken = true;
}

static bool lex_is_name(const char *p, size_t n)
{
    if (n == 0 || !(isalpha((unsigned char)p[0]) || p[0] == '*'))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && !strchr("-_*", p[i]))
            return false;
    return true;
}

static size_t lex_digits(const char *p, size_t n, size_t i)
{
    size_t from = i;
    while (i < n && isdigit((unsigned char)p[i]))
        i++;
    return i - from;
}

/* libconfig's numbers: 12, -3, 5L, 0x1F, 1.5, .5, 2e3 */
static bool lex_is_number(const char *p, size_t n)
{
    size_t i = 0, whole, part = 0;
    if (n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        for (i = 2; i < n && isxdigit((unsigned char)p[i]); i++)
            ;
        whole = i - 2;
        while (i < n && p[i] == 'L' && n - i <= 2)
            i++;
        return whole > 0 && i == n;
    }
    if (n > 0 && (p[0] == '+' || p[0] == '-'))
        i++;
    i += whole = lex_digits(p, n, i);
    size_t end = i;
    while (end < n && p[end] == 'L' && n - end <= 2)
        end++;
    if (whole > 0 && end == n)
        return true;
    if (i < n && p[i] == '.') {
        i++;
        i += part = lex_digits(p, n, i);
    }
    if (whole + part == 0)
        return false;
    if (i < n && (p[i] == 'e' || p[i] == 'E')) {
        i++;
        if (i < n && (p[i] == '+' || p[i] == '-'))
            i++;
        size_t exp = lex_digits(p, n, i);
        if (exp == 0)
            return false;
        i += exp;
    }
    return i == n;
}

static bool lex_is_bool(const char *p, size_t n)
{
    return (n == 4 && strncasecmp(p, "true", 4) == 0) ||
           (n == 5 && strncasecmp(p, "false", 5) == 0);
}

static void lex_word(struct lex_input *in, struct lex_token *t)
{
    const char *p = in->file->text.data;
    size_t i = in->pos;
    while (p[i] && !strchr(" \t\r\n\f\"=:;,{}[]()#", p[i]) &&
           !(p[i] == '/' && (p[i + 1] == '/' || p[i + 1] == '*')))
        i++;
    t->n = i - in->pos;
    in->pos = i;
    i += strspn(p + i, " \t");
    t->assigns = p[i] == '=' || p[i] == ':';
    if (lex_is_bool(t->p, t->n))
        t->type = LEX_BOOL;
    else if (lex_is_name(t->p, t->n))
        t->type = LEX_NAME;
    else if (lex_is_number(t->p, t->n))
        t->type = LEX_NUMBER;
    else
        t->type = LEX_WORD;
}

/* "@include "file"", taken from the folder of the file it stands in. */
static bool lex_include(struct lex *l, struct lex_input *in)
{
    const char *p = in->file->text.data;
    if (!text_starts(p + in->pos, "@include"))
        return false;
    char *at AUTO_FREE = lex_here(in, in->pos);
    size_t i = in->pos + 8 + strspn(p + in->pos + 8, " \t");
    size_t n = p[i] == '"' ? strcspn(p + i + 1, "\"\n") : 0;
    if (n == 0 || p[i + 1 + n] != '"') {
        errlist_add(l->errors, at, "@include needs a file name in quotes");
        in->pos += strcspn(p + in->pos, "\n");
        return true;
    }
    char *name AUTO_FREE = mem_strn(p + i + 1, n);
    char *dir AUTO_FREE = lex_dir(in->file->name);
    char *path AUTO_FREE = lex_join(dir, name);
    in->pos = i + n + 2;
    lex_push(l, path, at);
    return true;
}

static void lex_scan(struct lex *l, struct lex_token *t)
{
    for (;;) {
        struct lex_input *in = &l->stack[l->depth - 1];
        if (!lex_skip(l, in)) {
            if (l->depth > 1) {
                l->depth--;
                continue;
            }
            *t = (struct lex_token){.type = LEX_EOF, .p = "", .first = true};
        } else if (lex_include(l, in)) {
            continue;
        } else {
            *t = (struct lex_token){.p = in->file->text.data + in->pos, .n = 1, .first = in->fresh};
        }
        t->file = in->file->name;
        t->line = in->line;
        t->col = (int)(in->pos - in->line_start) + 1;
        in->fresh = false;
        if (*t->p == '"') {
            lex_string(l, in, t);
        } else if (*t->p && strchr("=:;,{}[]()", *t->p)) {
            t->type = LEX_PUNCT;
            in->pos++;
        } else if (*t->p) {
            lex_word(in, t);
        }
        return;
    }
}

const struct lex_token *lex_peek(struct lex *l)
{
    if (!l->has_ahead)
        lex_scan(l, &l->ahead);
    l->has_ahead = true;
    return &l->ahead;
}

struct lex_token lex_next(struct lex *l)
{
    struct lex_token t = *lex_peek(l);
    l->has_ahead = false;
    return t;
}
