/* SPDX-License-Identifier: ISC
 *
 * words - see words.h
 *
 * Nodes are numbered in breadth: the children of a node stand side by side, in
 * the order of their bytes, so a node needs no table of its own. The root and its
 * children, where a text that has none of the words spends its time, have one.
 */
#include "rule/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct word {
    const char *p;
    size_t n;
    enum word_place place;
    int value;
};

struct word_node {
    int first;     /* its children are first .. first + count - 1 */
    int fail;      /* the longest other word's start that ends here, too */
    int hit;       /* this node, or the next down the chain of fails, where a word ends; or -1 */
    int word, end; /* the words that end here, in the sorted list */
    uint16_t count;
    unsigned char label;
    unsigned seen; /* equals words.scan when it was told in this scan */
};

struct words {
    struct word *v; /* own; sorted by words_build() */
    size_t count, cap;
    struct word_node *nodes; /* own */
    int node_count, dense_count;
    int (*dense)[256]; /* own; where each byte leads to, for the first dense_count nodes */
    unsigned scan;
};

struct words *words_new(void)
{
    return mem_alloc(sizeof(struct words));
}

void words_free(struct words **w)
{
    if (!*w)
        return;
    mem_free((*w)->v);
    mem_free((*w)->nodes);
    mem_free((*w)->dense);
    mem_free(*w);
    *w = NULL;
}

void words_add(struct words *w, const char *p, size_t n, enum word_place place, int value)
{
    LEADD_ASSERT(n > 0);
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 16;
        w->v = mem_grow(w->v, w->cap * sizeof(*w->v));
    }
    w->v[w->count++] = (struct word){p, n, place, value};
}

static int words_order(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* A node while the tree is made: the words [from, to) of the list begin with the
 * depth bytes that lead to it. */
struct word_range {
    size_t from, to, depth;
};

static size_t words_most(const struct words *w)
{
    size_t n = 1;
    for (size_t i = 0; i < w->count; i++)
        n += w->v[i].n;
    return n;
}

/* The children of node i, numbered from w->node_count on. */
static void words_branch(struct words *w, struct word_range *ranges, int i)
{
    struct word_range r = ranges[i];
    struct word_node *n = &w->nodes[i];
    n->word = (int)r.from;
    while (r.from < r.to && w->v[r.from].n == r.depth)
        r.from++;
    n->end = (int)r.from;
    n->first = w->node_count;
    while (r.from < r.to) {
        unsigned char label = (unsigned char)w->v[r.from].p[r.depth];
        size_t to = r.from;
        while (to < r.to && (unsigned char)w->v[to].p[r.depth] == label)
            to++;
        ranges[w->node_count] = (struct word_range){r.from, to, r.depth + 1};
        w->nodes[w->node_count++] = (struct word_node){.label = label};
        n->count++;
        r.from = to;
    }
}

/* The child of node i for a byte, or -1. */
static int words_child(const struct words *w, int i, unsigned char byte)
{
    int lo = w->nodes[i].first, hi = lo + w->nodes[i].count;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (w->nodes[mid].label == byte)
            return mid;
        if (w->nodes[mid].label < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

static int words_step(const struct words *w, int at, unsigned char byte)
{
    while (at >= w->dense_count) {
        int child = words_child(w, at, byte);
        if (child >= 0)
            return child;
        at = w->nodes[at].fail;
    }
    return w->dense[at][byte];
}

/* The nodes stand in breadth, so a fail always has a lower number. */
static void words_fails(struct words *w)
{
    for (int i = 0; i < w->node_count; i++) {
        struct word_node *n = &w->nodes[i];
        n->hit = n->end > n->word ? i : i ? w->nodes[n->fail].hit : -1;
        for (int c = n->first; c < n->first + n->count; c++)
            w->nodes[c].fail = i ? words_step(w, n->fail, w->nodes[c].label) : 0;
    }
}

static void words_dense(struct words *w)
{
    w->dense_count = 1 + w->nodes[0].count;
    w->dense = mem_array((size_t)w->dense_count, sizeof(*w->dense));
    for (int i = 0; i < w->dense_count; i++)
        for (int b = 0; b < 256; b++) {
            int child = words_child(w, i, (unsigned char)b);
            w->dense[i][b] = child >= 0 ? child : i ? w->dense[0][b] : 0;
        }
}

void words_build(struct words *w)
{
    size_t most = words_most(w);
    LEADD_ASSERT(most < INT32_MAX);
    if (w->count > 0)
        qsort(w->v, w->count, sizeof(*w->v), words_order);
    struct word_range *ranges = mem_array(most, sizeof(*ranges));
    w->nodes = mem_array(most, sizeof(*w->nodes));
    ranges[0] = (struct word_range){0, w->count, 0};
    w->node_count = 1;
    for (int i = 0; i < w->node_count; i++)
        words_branch(w, ranges, i);
    mem_free(ranges);
    w->nodes = mem_grow(w->nodes, (size_t)w->node_count * sizeof(*w->nodes));
    words_dense(w);
    words_fails(w);
}

/* Words end at byte `end` (from 1) of a text of n bytes: at node i and down its
 * chain. What was told whatever its place is not told again. */
static void words_tell(struct words *w, int i, size_t end, size_t n,
                       void (*found)(void *arg, int value), void *arg)
{
    for (; i >= 0; i = i ? w->nodes[w->nodes[i].fail].hit : -1) {
        struct word_node *node = &w->nodes[i];
        bool again = node->seen == w->scan;
        node->seen = w->scan;
        for (int k = node->word; k < node->end; k++) {
            const struct word *word = &w->v[k];
            if (word->place == WORD_ANYWHERE ? !again
                : word->place == WORD_STARTS ? end == word->n
                                             : end == n)
                found(arg, word->value);
        }
    }
}

void words_scan(struct words *w, struct str text, void (*found)(void *arg, int value), void *arg)
{
    const unsigned char *p = (const unsigned char *)text.p;
    int at = 0;
    if (++w->scan == 0)
        w->scan = 1;
    for (size_t i = 0; i < text.n; i++) {
        at = at < w->dense_count ? w->dense[at][p[i]] : words_step(w, at, p[i]);
        if (w->nodes[at].hit >= 0)
            words_tell(w, w->nodes[at].hit, i + 1, text.n, found, arg);
    }
}

size_t words_bytes(const struct words *w)
{
    return w->cap * sizeof(*w->v) + (size_t)w->node_count * sizeof(*w->nodes) +
           (size_t)w->dense_count * sizeof(*w->dense);
}
