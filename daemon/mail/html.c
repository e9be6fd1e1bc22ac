/* SPDX-License-Identifier: ISC
 *
 * html - see html.h
 */
#include "mail/html.h"

#include <gumbo.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/html_guard.h"
#include "mail/html_quote.h"
#include "mail/lines.h"

#define ARENA_CHUNK KIB(256)
#define TREE_MS 1000 /* what building one tree may take */
#define ALLOCS_PER_LOOK 1024
#define LINK_MAX 300
#define QUOTE_MAX 8
#define FLAT_LOOK 2000 /* bytes of the HTML in which the document's style is looked for */

/* Memory of one tree: freed in one go, never piece by piece. */
struct chunk {
    struct chunk *next;
    size_t used, cap;
    _Alignas(16) char data[];
};

struct arena {
    struct mail_ctx *c;
    struct chunk *head; /* own */
    size_t total;
    unsigned allocs;
    int64_t deadline_ms; /* monotonic */
    jmp_buf out;
};

static void *arena_alloc(void *user, size_t n)
{
    struct arena *a = user;
    n = (n + 15) & ~(size_t)15;
    if (n > BOUND_MAIL_ARENA || a->total + n > BOUND_MAIL_ARENA || mail_late(a->c, n))
        longjmp(a->out, 1);
    if (++a->allocs % ALLOCS_PER_LOOK == 0 && clock_mono_ms() > a->deadline_ms)
        longjmp(a->out, 1);
    if (!a->head || a->head->cap - a->head->used < n) {
        size_t cap = n > ARENA_CHUNK ? n : ARENA_CHUNK;
        struct chunk *k = mem_alloc(sizeof(*k) + cap);
        k->cap = cap;
        k->next = a->head;
        a->head = k;
    }
    void *p = a->head->data + a->head->used;
    a->head->used += n;
    a->total += n;
    return p;
}

static void arena_free(void *user, void *p)
{
    (void)user;
    (void)p;
}

static void arena_done(struct arena *a)
{
    while (a->head) {
        struct chunk *next = a->head->next;
        mem_free(a->head);
        a->head = next;
    }
}

/* What the walk writes: white space collapses, breaks wait until a word comes. */
struct writer {
    struct buf *out;
    unsigned breaks; /* line ends owed: 2 is an empty line */
    unsigned break_quote; /* the least depth of quotation while they were owed */
    bool space, any, line_start;
    bool gap;        /* a block has had a hard space, and no word yet */
    bool flat;       /* the document's own style: paragraphs without empty lines around */
    bool marks;      /* wanted, see lines.h */
    bool cut;        /* the next line begins a quoted mail's header block */
    unsigned quote;  /* depth of quotation */
    unsigned signs, attributes; /* depth of elements that say so */
    unsigned pre;
    unsigned sizeless; /* depth of elements with font-size: 0 */
};

/* What HTML knows of the line that begins. */
static void put_mark(struct writer *w)
{
    if (!w->marks)
        return;
    if (w->cut)
        buf_char(w->out, MAIL_MARK_CUT);
    else if (w->attributes)
        buf_char(w->out, MAIL_MARK_ATTRIBUTION);
    else if (w->signs)
        buf_char(w->out, MAIL_MARK_SIGNATURE);
    w->cut = false;
}

static void put_prefix(struct writer *w, unsigned depth)
{
    for (unsigned q = 0; q < depth && q < QUOTE_MAX; q++)
        buf_char(w->out, '>');
    if (depth)
        buf_char(w->out, ' ');
}

static void put_breaks(struct writer *w)
{
    if (!w->any)
        w->breaks = 0;
    unsigned between = w->break_quote < w->quote ? w->break_quote : w->quote;
    for (unsigned i = 0; i < w->breaks; i++) {
        buf_char(w->out, '\n');
        if (i + 1 < w->breaks)
            put_prefix(w, between);
    }
    if (w->breaks || !w->any) {
        put_mark(w);
        put_prefix(w, w->quote);
        w->line_start = true;
    }
    w->breaks = 0;
}

static void owe(struct writer *w, unsigned breaks)
{
    w->space = false;
    if (w->breaks == 0 || w->quote < w->break_quote)
        w->break_quote = w->quote;
    if (w->breaks < breaks)
        w->breaks = breaks;
}

static void put(struct writer *w, const char *p, size_t n)
{
    put_breaks(w);
    if (w->space && !w->line_start)
        buf_char(w->out, ' ');
    w->space = w->line_start = w->gap = false;
    w->any = true;
    buf_add(w->out, p, n);
}

static void put_text(struct writer *w, const char *p)
{
    while (*p) {
        if (w->pre && *p == '\n') {
            owe(w, w->breaks < 8 ? w->breaks + 1 : 8);
            p++;
            continue;
        }
        if (w->pre && *p == ' ') {
            put(w, p++, 1);
            continue;
        }
        bool nbsp = p[0] == '\xc2' && p[1] == '\xa0';
        if (nbsp || (unsigned char)*p <= ' ') { /* a control is as good as a space */
            w->space = true;
            w->gap |= nbsp && w->breaks > 0;
            p += nbsp ? 2 : 1;
            continue;
        }
        size_t n = 0;
        while ((unsigned char)p[n] > ' ' && !(p[n] == '\xc2' && p[n + 1] == '\xa0'))
            n++;
        put(w, p, n);
        p += n;
    }
}

enum shape { INLINE, BLOCK, PARA, CELL, SKIP };

static enum shape tag_shape(GumboTag tag)
{
    switch ((int)tag) {
    case GUMBO_TAG_SCRIPT: case GUMBO_TAG_STYLE: case GUMBO_TAG_HEAD: case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_TITLE: case GUMBO_TAG_NOSCRIPT: case GUMBO_TAG_IFRAME: case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_SVG: case GUMBO_TAG_SELECT:
        return SKIP;
    case GUMBO_TAG_P: case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3: case GUMBO_TAG_H4:
    case GUMBO_TAG_H5: case GUMBO_TAG_H6: case GUMBO_TAG_UL: case GUMBO_TAG_OL:
    case GUMBO_TAG_PRE: case GUMBO_TAG_BLOCKQUOTE: case GUMBO_TAG_TABLE: case GUMBO_TAG_DL:
        return PARA;
    case GUMBO_TAG_DIV: case GUMBO_TAG_TR: case GUMBO_TAG_LI: case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE: case GUMBO_TAG_HEADER: case GUMBO_TAG_FOOTER: case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_CENTER: case GUMBO_TAG_FORM: case GUMBO_TAG_DT: case GUMBO_TAG_DD:
    case GUMBO_TAG_FIELDSET: case GUMBO_TAG_MAIN: case GUMBO_TAG_NAV: case GUMBO_TAG_ASIDE:
        return BLOCK;
    case GUMBO_TAG_TD: case GUMBO_TAG_TH:
        return CELL;
    default:
        return INLINE;
    }
}

static const char *attr(const GumboElement *e, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&e->attributes, name);
    return a ? a->value : NULL;
}

/* The value of one property of the style, or NULL. */
static const char *style_of(const GumboElement *e, const char *name)
{
    const char *style = attr(e, "style");
    size_t n = strlen(name);
    for (const char *p = style ? strcasestr(style, name) : NULL; p; p = strcasestr(p + n, name)) {
        const char *value = p + n + strspn(p + n, " \t\r\n");
        if (*value == ':' && (p == style || strchr("; \t\r\n", p[-1])))
            return value + 1 + strspn(value + 1, " \t\r\n");
    }
    return NULL;
}

static bool style_is(const GumboElement *e, const char *name, const char *want)
{
    const char *value = style_of(e, name);
    return value && strncasecmp(value, want, strlen(want)) == 0;
}

static bool is_hidden(const GumboElement *e)
{
    return style_is(e, "display", "none") || style_is(e, "visibility", "hidden") ||
           gumbo_get_attribute(&e->attributes, "hidden") != NULL;
}

static bool is_sizeless(const GumboElement *e)
{
    const char *value = style_of(e, "font-size");
    char *end = NULL;
    return value && strtod(value, &end) == 0 && end != value;
}

/* Text without size is not seen, but newsletters give such a style to what is around
 * texts with a size of their own: the nearest one counts. */
static bool text_is_seen(const struct writer *w, const GumboNode *text)
{
    if (w->sizeless == 0)
        return true;
    for (const GumboNode *up = text->parent; up && up->type == GUMBO_NODE_ELEMENT; up = up->parent)
        if (style_of(&up->v.element, "font-size"))
            return !is_sizeless(&up->v.element);
    return true;
}

/* The one paragraph of a table's cell: its cell says where it stands. */
static bool fills_cell(const GumboNode *node)
{
    const GumboNode *up = node->parent;
    bool cell = up && up->type == GUMBO_NODE_ELEMENT && tag_shape(up->v.element.tag) == CELL;
    for (unsigned i = 0; cell && i < up->v.element.children.length && i < 8; i++) {
        const GumboNode *child = up->v.element.children.data[i];
        if (child != node && child->type != GUMBO_NODE_WHITESPACE)
            return false;
    }
    return cell && up->v.element.children.length < 8;
}

static void owe_shape(struct writer *w, const GumboNode *node, enum html_says says)
{
    const GumboElement *e = &node->v.element;
    enum shape shape = tag_shape(e->tag);
    if ((e->tag == GUMBO_TAG_P || e->tag == GUMBO_TAG_DIV) && fills_cell(node))
        return;
    if (shape == PARA && e->tag == GUMBO_TAG_P && (says == HTML_NO_MARGIN || w->flat))
        shape = BLOCK;
    if (shape == PARA || shape == BLOCK)
        owe(w, shape == PARA && !w->pre ? 2 : 1);
    else if (shape == CELL)
        w->space = true;
}

/* Counts what the element says of all inside, by one more or one less. A mark
 * holds for whole lines, so such an element begins and ends one. */
static void count_says(struct writer *w, enum html_says says, int by)
{
    if (says == HTML_QUOTES)
        w->quote += (unsigned)by;
    else if (says == HTML_SIGNS)
        w->signs += (unsigned)by;
    else if (says == HTML_ATTRIBUTES)
        w->attributes += (unsigned)by;
    else if (says == HTML_CUTS && by > 0)
        w->cut = true;
}

static bool enter(struct writer *w, const GumboNode *node, size_t *mark)
{
    const GumboElement *e = &node->v.element;
    enum html_says says = html_quote_says(e);
    if (tag_shape(e->tag) == SKIP || is_hidden(e))
        return false;
    w->sizeless += is_sizeless(e);
    owe_shape(w, node, says);
    count_says(w, says, 1);
    if (says == HTML_QUOTES || says == HTML_CUTS)
        owe(w, 1);
    if (tag_shape(e->tag) == BLOCK || e->tag == GUMBO_TAG_P)
        w->gap = false;
    switch ((int)e->tag) {
    case GUMBO_TAG_BR:
        owe(w, w->breaks < 3 ? w->breaks + 1 : 3);
        break;
    case GUMBO_TAG_HR:
        owe(w, 1);
        put(w, "---", 3);
        owe(w, 1);
        break;
    case GUMBO_TAG_LI:
        put(w, "-", 1);
        w->space = true;
        break;
    case GUMBO_TAG_PRE: case GUMBO_TAG_TEXTAREA:
        w->pre++;
        break;
    case GUMBO_TAG_IMG:
        if (attr(e, "alt") && node->parent && node->parent->type == GUMBO_NODE_ELEMENT &&
            node->parent->v.element.tag == GUMBO_TAG_A)
            put_text(w, attr(e, "alt"));
        break;
    default:
        break;
    }
    *mark = w->out->len;
    return true;
}

/* " <https://…>" behind a link whose text does not say where it goes. */
static void put_target(struct writer *w, const GumboElement *e, size_t mark)
{
    const char *href = attr(e, "href");
    if (!href || (strncasecmp(href, "http://", 7) != 0 && strncasecmp(href, "https://", 8) != 0))
        return;
    size_t n = strlen(href);
    const char *bare = strstr(href, "//") + 2;
    size_t bare_len = strlen(bare) - (n && href[n - 1] == '/' ? 1 : 0);
    if (n > LINK_MAX || w->out->len <= mark ||
        memmem(w->out->data + mark, w->out->len - mark, bare, bare_len) ||
        strpbrk(href, " \t\r\n<>"))
        return;
    w->space = true;
    put(w, "<", 1);
    buf_add(w->out, href, n);
    buf_char(w->out, '>');
}

static void leave(struct writer *w, const GumboNode *node, size_t mark)
{
    const GumboElement *e = &node->v.element;
    enum html_says says = html_quote_says(e);
    enum shape shape = tag_shape(e->tag);
    w->sizeless -= is_sizeless(e);
    if (e->tag == GUMBO_TAG_A)
        put_target(w, e, mark);
    if (w->gap && (shape == BLOCK || e->tag == GUMBO_TAG_P)) {
        owe(w, 2); /* "<p>&nbsp;</p>" is an empty line */
        w->gap = false;
    }
    owe_shape(w, node, says);
    if (says == HTML_QUOTES)
        owe(w, 1);
    count_says(w, says, -1);
    if (e->tag == GUMBO_TAG_PRE || e->tag == GUMBO_TAG_TEXTAREA)
        w->pre--;
}

/* Without recursion: a node knows its parent and its place there. */
static void walk(struct mail_ctx *c, struct writer *w, const GumboNode *root)
{
    const GumboNode *node = root;
    size_t link = 0, mark = 0;
    while (node && !mail_late(c, 16) && !w->out->full) {
        bool down = false;
        if (node->type == GUMBO_NODE_ELEMENT)
            down = enter(w, node, &mark);
        else if ((node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_CDATA ||
                  node->type == GUMBO_NODE_WHITESPACE) && text_is_seen(w, node))
            put_text(w, node->v.text.text);
        if (down && node->v.element.tag == GUMBO_TAG_A)
            link = mark;
        if (down && node->v.element.children.length > 0) {
            node = node->v.element.children.data[0];
            continue;
        }
        if (down)
            leave(w, node, link);
        while (node != root) {
            const GumboNode *parent = node->parent;
            size_t next = node->index_within_parent + 1;
            if (next < parent->v.element.children.length) {
                node = parent->v.element.children.data[next];
                break;
            }
            leave(w, parent, link);
            node = parent;
        }
        if (node == root)
            break;
    }
}

/* When there is no tree: what stands outside of tags. */
static void strip_tags(struct mail_ctx *c, struct writer *w, const char *p, size_t n)
{
    const char *end = p + n;
    while (p < end && !mail_late(c, 1) && !w->out->full) {
        const char *lt = memchr(p, '<', (size_t)(end - p));
        char *piece = mem_strn(p, (size_t)((lt ? lt : end) - p));
        put_text(w, piece);
        mem_free(piece);
        if (!lt)
            break;
        const char *gt = memchr(lt, '>', (size_t)(end - lt));
        if (!gt)
            break;
        if (strncasecmp(lt, "<br", 3) == 0 || strncasecmp(lt, "<p", 2) == 0 ||
            strncasecmp(lt, "</div", 5) == 0 || strncasecmp(lt, "<tr", 3) == 0)
            owe(w, 1);
        p = gt + 1;
    }
}

/* Outlook on the web says it once, in the head. */
static bool is_flat(const char *html, size_t n)
{
    static const char style[] = "P {margin-top:0;margin-bottom:0;}";
    return memmem(html, n < FLAT_LOOK ? n : FLAT_LOOK, style, sizeof(style) - 1) != NULL;
}

void mail_html_to_text(struct mail_ctx *c, struct buf *out, const char *html, size_t n, bool marks)
{
    struct arena a = {.c = c, .deadline_ms = clock_mono_ms() + TREE_MS};
    struct writer w = {.out = out, .marks = marks, .flat = is_flat(html, n)};
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = arena_alloc;
    options.deallocator = arena_free;
    options.userdata = &a;
    options.max_errors = 0;
    volatile bool whole = false;
    mail_late(c, n);
    if (html_guard_is_harmless(html, n) && setjmp(a.out) == 0) {
        GumboOutput *tree = gumbo_parse_with_options(&options, html, n);
        whole = true;
        walk(c, &w, tree->root);
    }
    if (!whole) {
        mail_defect(c, "the HTML is too large or nested too deep: tags were only dropped");
        strip_tags(c, &w, html, n);
    }
    arena_done(&a);
    if (w.any)
        buf_char(out, '\n');
}

void mail_html_charset(const char *html, size_t n, char *out, size_t cap)
{
    char head[2048];
    size_t len = n < sizeof(head) - 1 ? n : sizeof(head) - 1, k = 0;
    for (size_t i = 0; i < len; i++)
        head[i] = html[i] ? html[i] : ' ';
    head[len] = '\0';
    const char *meta = strcasestr(head, "<meta");
    const char *p = meta ? strcasestr(meta, "charset") : NULL;
    if (p) {
        p += 7;
        p += strspn(p, " =\"'");
        while (k + 1 < cap && p[k] && !strchr(" \"'>;/", p[k]))
            k++;
        memcpy(out, p, k);
    }
    out[k] = '\0';
}
