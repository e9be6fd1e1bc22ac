/* SPDX-License-Identifier: ISC
 *
 * scan - see scan.h
 *
 * A recursive descent over libconfig's grammar. Each function that reads a
 * value leaves the lexer behind it also when it failed; whoever asked for it
 * then takes back the text and the node.
 */
#include "config/scan.h"

#include <string.h>

#include "base/bounds.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/lex.h"

struct scanner {
    struct lex lex; /* first: scan.lex points here */
    struct errlist *errors; /* borrowed */
    struct buf out;         /* what libconfig is to read */
    int depth;
    size_t nodes;
    bool gave_up;
    bool unclosed; /* the tree is not what was meant */
    struct lex_token dedent; /* where indentation says that a "}" is missing */
    bool dedented;
};

static void scan_node_free(struct scan_node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        scan_node_free(n->sub[i]);
    mem_free(n->sub);
    mem_free(n->name);
    mem_free(n);
}

static struct scan_node *scan_node_new(const struct lex_token *at)
{
    struct scan_node *n = mem_alloc(sizeof(*n));
    n->file = at->file;
    n->line = n->value_line = at->line;
    n->value_col = at->col;
    return n;
}

static void scan_node_add(struct scan_node *parent, struct scan_node *n)
{
    if ((parent->count & (parent->count - 1)) == 0)
        parent->sub =
            mem_grow(parent->sub, (parent->count ? parent->count * 2 : 1) * sizeof(*parent->sub));
    parent->sub[parent->count++] = n;
}

static int scan_error(struct scanner *s, const struct lex_token *t, const char *fmt, ...)
    LEADD_PRINTF(3, 4);
static int scan_error(struct scanner *s, const struct lex_token *t, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    char *at AUTO_FREE = lex_at(t);
    errlist_add(s->errors, at, "%s", text);
    return -1;
}

static void scan_emit(struct scanner *s, const struct lex_token *t)
{
    size_t n = t->n;
    while (t->type == LEX_NUMBER && n > 1 && t->p[n - 1] == 'L')
        n--; /* a small number needs no 64 bits */
    buf_add(&s->out, t->p, n);
    buf_char(&s->out, ' ');
}

/* After an error: to the end of this setting or element. */
static void scan_recover(struct scanner *s)
{
    int depth = 0;
    for (;;) {
        const struct lex_token *t = lex_peek(&s->lex);
        bool open = lex_is(t, '{') || lex_is(t, '[') || lex_is(t, '(');
        bool close = lex_is(t, '}') || lex_is(t, ']') || lex_is(t, ')');
        if (t->type == LEX_EOF || (depth == 0 && (close || t->first)))
            return;
        depth += open - close;
        bool end = depth == 0 && lex_is(t, ';');
        lex_next(&s->lex);
        if (end)
            return;
    }
}

static int scan_value(struct scanner *s, struct scan_node *n, const char *key);

/* Past a limit: what follows is not read, and not complained about. */
static int scan_give_up(struct scanner *s, const struct lex_token *t, const char *fmt, int limit)
{
    if (!s->gave_up)
        scan_error(s, t, fmt, limit);
    s->gave_up = true;
    s->lex.depth = 1;
    s->lex.stack[0].pos = s->lex.stack[0].file->text.len;
    lex_next(&s->lex);
    return -1;
}

/* Numbers that libconfig would wrap in silence. */
static bool scan_number_fits(const struct lex_token *t)
{
    size_t i = 0, digits = 0, max = 9;
    bool hex = t->n > 1 && (t->p[1] == 'x' || t->p[1] == 'X');
    if (hex) {
        i = 2;
        max = 7;
    } else if (t->p[0] == '-' || t->p[0] == '+') {
        i = 1;
    }
    if (!hex && memchr(t->p, '.', t->n))
        return true; /* never an integer; the walk says so */
    while (i < t->n && t->p[i] == '0')
        i++;
    for (; i < t->n && t->p[i] != 'L'; i++)
        digits++;
    return digits <= max;
}

/* Begins with one of the quotes that word processors make. */
static bool scan_is_typographic(const struct lex_token *t)
{
    const unsigned char *p = (const unsigned char *)t->p;
    return (t->n > 2 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x98 && p[2] <= 0x9f) ||
           (t->n > 1 && p[0] == 0xc2 && (p[1] == 0xab || p[1] == 0xbb));
}

static int scan_scalar(struct scanner *s, struct scan_node *n, const char *key)
{
    struct lex_token t = lex_next(&s->lex);
    char *show AUTO_FREE = lex_show(&t);
    n->value_line = t.line;
    n->value_col = t.col;
    switch (t.type) {
    case LEX_NUMBER:
        n->type = SCAN_NUMBER;
        if (!scan_number_fits(&t))
            return scan_error(s, &t, "%.*s has more than 9 digits and would be read wrongly; quote "
                              "it: %s", (int)(t.n < 40 ? t.n : 40), t.p, show);
        scan_emit(s, &t);
        return 0;
    case LEX_BOOL:
        n->type = SCAN_BOOL;
        scan_emit(s, &t);
        return 0;
    case LEX_STRING:
        n->type = SCAN_STRING;
        n->value_col++;
        scan_emit(s, &t);
        return t.broken ? -1 : 0;
    case LEX_NAME:
    case LEX_WORD:
        scan_error(s, &t, scan_is_typographic(&t)
                              ? "%s: these quotes are typographic; text stands in plain ones: \"...\""
                              : "%s is neither a number nor true or false; text stands in quotes",
                   show);
        scan_recover(s);
        return -1;
    case LEX_EOF:
    case LEX_PUNCT:
        break;
    }
    return scan_error(s, &t, "expected a value for \"%s\", got %s", key, show);
}

/* Adjacent strings outside [ ] and ( ) are one text, as in C. */
static int scan_joined(struct scanner *s, struct scan_node *n, const char *key)
{
    int rc = scan_scalar(s, n, key);
    if (n->type != SCAN_STRING)
        return rc;
    while (lex_peek(&s->lex)->type == LEX_STRING) {
        struct lex_token t = lex_next(&s->lex);
        scan_emit(s, &t);
        if (t.broken)
            rc = -1;
    }
    return rc;
}

/* Between two elements: a comma, or what should have been one. */
static void scan_separator(struct scanner *s, const char *last, char close)
{
    const struct lex_token *t = lex_peek(&s->lex);
    if (lex_is(t, ',')) {
        struct lex_token comma = lex_next(&s->lex);
        if (lex_is(lex_peek(&s->lex), close))
            scan_error(s, &comma, "comma before the closing \"%c\"; remove it", close);
        return;
    }
    bool value = t->type == LEX_STRING || t->type == LEX_NUMBER || t->type == LEX_BOOL ||
                 lex_is(t, '{') || lex_is(t, '(') || lex_is(t, '[');
    if (!value || t->assigns)
        return;
    char *show AUTO_FREE = lex_show(t);
    scan_error(s, t, "missing comma between %s and %s%s", last, show,
               t->type == LEX_STRING ? "; libconfig would join them to one text" : "");
}

/* True when the token cannot stand in a list: the list was never closed. */
static bool scan_list_broken(struct scanner *s, const struct lex_token *open, char close)
{
    const struct lex_token *t = lex_peek(&s->lex);
    bool other = lex_is(t, ';') || lex_is(t, '=') || lex_is(t, ':') ||
                 ((lex_is(t, '}') || lex_is(t, ']') || lex_is(t, ')')) && !lex_is(t, close));
    bool key = (t->type == LEX_NAME || t->type == LEX_WORD || t->type == LEX_NUMBER ||
                t->type == LEX_BOOL) && t->assigns;
    if (!other && !key && t->type != LEX_EOF)
        return false;
    if (s->gave_up)
        return true;
    char *show AUTO_FREE = lex_show(t);
    scan_error(s, open, "the \"%c\" opened here is not closed: expected \"%c\" before %s in line "
               "%d", *open->p, close, show, t->line);
    return true;
}

static int scan_element(struct scanner *s, struct scan_node *n, bool array)
{
    const struct lex_token *t = lex_peek(&s->lex);
    if (!lex_is(t, '{') && !lex_is(t, '[') && !lex_is(t, '(')) {
        if (++s->nodes > BOUND_CONFIG_VALUES)
            return scan_give_up(s, t, "more than %d values in one file", BOUND_CONFIG_VALUES);
        return scan_scalar(s, n, "an element");
    }
    struct lex_token open = *t;
    int rc = scan_value(s, n, "an element");
    if (!array)
        return rc;
    return scan_error(s, &open,
                      "only texts and numbers stand in [ ]; groups and lists stand in ( )");
}

static int scan_list(struct scanner *s, struct scan_node *n, bool array)
{
    struct lex_token open = lex_next(&s->lex);
    char close = array ? ']' : ')';
    n->type = array ? SCAN_ARRAY : SCAN_LIST;
    scan_emit(s, &open);
    for (;;) {
        const struct lex_token *t = lex_peek(&s->lex);
        if (scan_list_broken(s, &open, close))
            break;
        if (lex_is(t, close)) {
            lex_next(&s->lex);
            break;
        }
        if (lex_is(t, ',')) {
            scan_error(s, t, "expected a value before \",\"");
            lex_next(&s->lex);
            continue;
        }
        if (n->count >= BOUND_CONFIG_KEYS) {
            scan_give_up(s, t, "more than %d elements in one list; put them into a file",
                         BOUND_CONFIG_KEYS);
            break;
        }
        char *last AUTO_FREE = lex_show(t);
        struct scan_node *e = scan_node_new(t);
        size_t mark = s->out.len;
        if (n->count)
            buf_char(&s->out, ',');
        int rc = scan_element(s, e, array);
        if (rc == 0 && array && n->count && n->sub[0]->type != e->type)
            rc = scan_error(s, t, "all elements of [ ] are of one type: %s is another", last);
        if (rc == 0) {
            scan_node_add(n, e);
        } else {
            scan_node_free(e);
            s->out.len = mark;
            n->damaged = true;
        }
        scan_separator(s, last, close);
    }
    buf_char(&s->out, close);
    buf_char(&s->out, ' ');
    return 0;
}

/* The key of a setting; -1 when libconfig would not take it. */
static int scan_key(struct scanner *s, const struct lex_token *t)
{
    char *show AUTO_FREE = lex_show(t);
    if (t->n > BOUND_CONFIG_NAME)
        return scan_error(s, t, "%s is longer than %d characters", show, BOUND_CONFIG_NAME);
    if (t->type == LEX_NAME)
        return 0;
    if (t->type == LEX_BOOL)
        return scan_error(s, t, "%s cannot be a name", show);
    for (size_t i = 0; i < t->n; i++)
        if ((unsigned char)t->p[i] >= 0x80)
            return scan_error(s, t, "%s cannot be a name: names are of the letters a to z, digits, "
                              "\"-\" and \"_\"", show);
    return scan_error(s, t, "%s cannot be a name: names begin with a letter, then letters, digits, "
                      "\"-\" and \"_\"", show);
}

static void scan_after_value(struct scanner *s, const char *key)
{
    const struct lex_token *t = lex_peek(&s->lex);
    if (lex_is(t, ';') || lex_is(t, ',')) {
        lex_next(&s->lex);
        return;
    }
    if (t->first || t->assigns || lex_is(t, '}'))
        return;
    char *show AUTO_FREE = lex_show(t);
    /* "country == "DE"": the word touches the quotes */
    bool inside = t->type == LEX_NAME && t->p[-1] == '"' && t->p[t->n] == '"' &&
                  (t->p[t->n + 1] == '"' || t->p[t->n + 1] == ' ');
    scan_error(s, t, inside ? "unexpected %s after the value of \"%s\"; inside of a text, text stands "
                              "in single quotes: '%.*s'"
                            : "unexpected %s after the value of \"%s\"", show, key, (int)t->n, t->p);
    scan_recover(s);
}

static int scan_assign(struct scanner *s, const struct lex_token *key, const char *name)
{
    const struct lex_token *t = lex_peek(&s->lex);
    if (lex_is(t, '=') || lex_is(t, ':')) {
        lex_next(&s->lex);
        return 0;
    }
    if (lex_is(t, '{'))
        return scan_error(s, t, "expected \":\" between \"%s\" and \"{\"", name), 0;
    if (t->type == LEX_NAME && t->assigns && !t->first)
        scan_error(s, key, "a name has no space: write \"%s-%.*s\"", name, (int)t->n, t->p);
    else
        scan_error(s, key, "expected \"=\" and a value after \"%s\"", name);
    scan_recover(s);
    return -1;
}

/* One `key = value;` of a group. names: keys seen so far, with their lines. */
static void scan_setting(struct scanner *s, struct scan_node *group, json_t *names)
{
    struct lex_token key = lex_next(&s->lex);
    char *name AUTO_FREE = mem_strn(key.p, key.n);
    size_t mark = s->out.len;
    struct scan_node *n = scan_node_new(&key);
    n->name = mem_str(name);
    int rc = scan_assign(s, &key, name);
    if (rc == 0) {
        buf_add(&s->out, key.p, key.n);
        buf_char(&s->out, '=');
        rc = scan_value(s, n, name);
        if (scan_key(s, &key))
            rc = -1;
        scan_after_value(s, name);
        buf_str(&s->out, ";\n");
    }
    const char *before = json_string_value(json_object_get(names, name));
    if (rc == 0 && before)
        rc = scan_error(s, &key, "\"%s\" is already set in %s", name, before);
    if (rc == 0 && group->count >= BOUND_CONFIG_KEYS)
        rc = scan_error(s, &key, "more than %d settings in one group", BOUND_CONFIG_KEYS);
    if (rc == 0) {
        char *at AUTO_FREE = mem_printf("%s:%d", n->file, n->line);
        json_object_set_new(names, name, json_string(at));
        scan_node_add(group, n);
        return;
    }
    scan_node_free(n);
    s->out.len = mark;
    group->damaged = true;
}

/* What is not a setting, in the place of one. */
static void scan_stray(struct scanner *s, struct scan_node *group)
{
    struct lex_token t = lex_next(&s->lex);
    char *show AUTO_FREE = lex_show(&t);
    if (lex_is(&t, ';'))
        return;
    group->damaged = true;
    if (lex_is(&t, '}') || lex_is(&t, ']') || lex_is(&t, ')')) {
        scan_error(s, &t, "%s closes nothing that is open", show);
        return;
    }
    scan_error(s, &t, "expected a key, got %s", show);
    if (!t.broken)
        scan_recover(s);
}

/* The first line that is indented no deeper than the group it is in tells where
 * a brace was forgotten; there is one such line for each. */
static void scan_unclosed(struct scanner *s, const struct lex_token *open)
{
    if (s->dedented)
        scan_error(s, open, "the \"{\" opened here is not closed; going by the indentation \"}\" "
                   "is missing before line %d", s->dedent.line);
    else
        scan_error(s, open, "the \"{\" opened here is not closed");
    s->dedented = false;
    s->unclosed = true;
}

/* Settings up to the closing brace; open is NULL for the file itself. */
static void scan_group(struct scanner *s, struct scan_node *n, const struct lex_token *open)
{
    json_t *names AUTO_JSON = json_object();
    for (;;) {
        const struct lex_token *t = lex_peek(&s->lex);
        if (open && lex_is(t, '}')) {
            lex_next(&s->lex);
            return;
        }
        if (t->type == LEX_EOF) {
            if (open && !s->gave_up)
                scan_unclosed(s, open);
            return;
        }
        if (t->type != LEX_NAME && t->type != LEX_BOOL && t->type != LEX_NUMBER &&
            t->type != LEX_WORD) {
            scan_stray(s, n);
            continue;
        }
        if (open && n->name && t->first && t->col <= n->value_col && t->line > n->line &&
            !s->dedented && t->file == n->file) {
            s->dedented = true;
            s->dedent = *t;
        }
        scan_setting(s, n, names);
    }
}

static int scan_value(struct scanner *s, struct scan_node *n, const char *key)
{
    if (++s->nodes > BOUND_CONFIG_VALUES)
        return scan_give_up(s, lex_peek(&s->lex), "more than %d values in one file",
                            BOUND_CONFIG_VALUES);
    const struct lex_token *t = lex_peek(&s->lex);
    bool group = lex_is(t, '{'), array = lex_is(t, '['), list = lex_is(t, '(');
    if (group || array || list) {
        if (s->depth >= BOUND_CONFIG_DEPTH)
            return scan_give_up(s, t, "nested deeper than %d", BOUND_CONFIG_DEPTH);
        s->depth++;
        if (group) {
            struct lex_token open = lex_next(&s->lex);
            n->type = SCAN_GROUP;
            scan_emit(s, &open);
            scan_group(s, n, &open);
            buf_str(&s->out, "} ");
        } else {
            scan_list(s, n, array);
        }
        s->depth--;
        return 0;
    }
    if (t->type == LEX_PUNCT || t->type == LEX_EOF) {
        char *show AUTO_FREE = lex_show(t);
        scan_error(s, t, "expected a value for \"%s\", got %s", key, show);
        scan_recover(s);
        return -1;
    }
    return scan_joined(s, n, key);
}

/* The two trees go hand in hand from here on, so they must be of one shape. */
static bool scan_same(const config_setting_t *c, const struct scan_node *n)
{
    static const int kinds[] = {[SCAN_GROUP] = CONFIG_TYPE_GROUP, [SCAN_ARRAY] = CONFIG_TYPE_ARRAY,
                                [SCAN_LIST] = CONFIG_TYPE_LIST, [SCAN_STRING] = CONFIG_TYPE_STRING,
                                [SCAN_BOOL] = CONFIG_TYPE_BOOL};
    int type = config_setting_type(c);
    if (n->type == SCAN_NUMBER)
        return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_FLOAT;
    if (type != kinds[n->type])
        return false;
    if (!config_setting_is_aggregate(c))
        return true;
    if ((size_t)config_setting_length(c) != n->count)
        return false;
    for (size_t i = 0; i < n->count; i++)
        if (!scan_same(config_setting_get_elem(c, (unsigned)i), n->sub[i]))
            return false;
    return true;
}

/* Not seen yet; a newer libconfig may read something in its own way. */
static void scan_differs(struct scan *s, struct scanner *sc, const char *path)
{
    s->loaded = false;
    errlist_add(sc->errors, path, "libconfig refuses the file: it reads it otherwise than we do");
}

static void scan_read(struct scan *s, struct scanner *sc, const char *path)
{
    char *text = sc->out.data;
    if (!buf_ok(&sc->out)) {
        errlist_add(sc->errors, path, "file too large");
        return;
    }
    text[sc->out.len] = '\0';
    s->loaded = config_read_string(&s->config, text) == CONFIG_TRUE;
    if (!s->loaded)
        errlist_add(sc->errors, path, "libconfig refuses the file: %s",
                    config_error_text(&s->config));
    else if (!scan_same(config_root_setting(&s->config), s->root))
        scan_differs(s, sc, path);
}

int scan_init(struct scan *s, const char *path, const char *at, struct errlist *errors)
{
    struct scanner *sc = mem_alloc(sizeof(*sc));
    *s = (struct scan){.lex = sc};
    config_init(&s->config);
    sc->errors = errors;
    buf_init(&sc->out, BOUND_CONFIG_FILE * 3);
    if (lex_init(&sc->lex, path, at, errors))
        return -1;
    struct lex_token start = {.file = sc->lex.files[0]->name, .line = 1, .col = 1};
    s->root = scan_node_new(&start);
    scan_group(sc, s->root, NULL);
    if (sc->unclosed || sc->gave_up)
        return -1;
    scan_read(s, sc, path);
    return s->loaded ? 0 : -1;
}

void scan_done(struct scan *s)
{
    struct scanner *sc = s->lex;
    if (!sc)
        return;
    config_destroy(&s->config);
    scan_node_free(s->root);
    buf_done(&sc->out);
    lex_done(&sc->lex);
    mem_free(sc);
    *s = (struct scan){0};
}

const struct scan_node *scan_member(const struct scan_node *group, const char *name)
{
    for (size_t i = 0; group && i < group->count; i++)
        if (group->sub[i]->name && strcmp(group->sub[i]->name, name) == 0)
            return group->sub[i];
    return NULL;
}

char *scan_at(const struct scan_node *n)
{
    return mem_printf("%s:%d", n->file, n->line);
}
