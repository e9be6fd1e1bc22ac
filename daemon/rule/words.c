/* SPDX-License-Identifier: ISC
 *
 * words - see words.h
 *
 * Words of six bytes and more are known by their first six, shorter ones by four,
 * two or one: so each place of a text takes at most four looks, most only one, and
 * none waits for the one before (an automaton's would). The nodes of the tree are
 * numbered in breadth: the children of a node stand side by side, in the order of
 * their bytes, and need no table.
 */
#include "rule/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define WORDS_KEYS 4
static const size_t key_bytes[WORDS_KEYS] = {1, 2, 4, 6};
#define WORDS_BITS_MIN 10 /* as powers of two */
#define WORDS_BITS_MAX 20

struct word {
    const char *p;
    size_t n;
    enum word_place place;
    int value;
};

struct word_node {
    int first;     /* its children are first .. first + count - 1 */
    int word, end; /* the words that end here, in the sorted list */
    uint16_t count;
    unsigned char label;
};

struct words {
    struct word *v; /* own; sorted by words_build() */
    size_t count, cap;
    struct word_node *nodes; /* own */
    int node_count;
    uint64_t *bits; /* own; one set of bits for the keys of all lengths */
    int bits_power;
    bool keys[WORDS_KEYS]; /* are there words of that length? */
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
    mem_free((*w)->bits);
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

/* ---- the tree ------------------------------------------------------------- */

/* A node while the tree is made: the words [from, to) of the list begin with the
 * depth bytes that lead to it. */
struct word_range {
    size_t from, to, depth;
};

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

static void words_tree(struct words *w)
{
    size_t most = 1;
    for (size_t i = 0; i < w->count; i++)
        most += w->v[i].n;
    LEADD_ASSERT(most < INT32_MAX);
    struct word_range *ranges = mem_array(most, sizeof(*ranges));
    w->nodes = mem_array(most, sizeof(*w->nodes));
    ranges[0] = (struct word_range){0, w->count, 0};
    w->node_count = 1;
    for (int i = 0; i < w->node_count; i++)
        words_branch(w, ranges, i);
    mem_free(ranges);
    w->nodes = mem_grow(w->nodes, (size_t)w->node_count * sizeof(*w->nodes));
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

/* ---- the bits ------------------------------------------------------------- */

/* The bit of the first n bytes of eight. */
static uint64_t words_bit(const struct words *w, uint64_t eight, size_t n)
{
    uint64_t key = eight & (~UINT64_C(0) >> (64 - 8 * n));
    return ((key + n) * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - w->bits_power);
}

static uint64_t words_eight(const char *p, size_t n)
{
    uint64_t eight = 0;
    memcpy(&eight, p, n < 8 ? n : 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    eight = __builtin_bswap64(eight);
#endif
    return eight;
}

static void words_bits(struct words *w)
{
    w->bits_power = WORDS_BITS_MIN;
    while (w->bits_power < WORDS_BITS_MAX && (UINT64_C(1) << w->bits_power) < 64 * w->count)
        w->bits_power++;
    w->bits = mem_array((size_t)1 << (w->bits_power - 6), sizeof(*w->bits));
    for (size_t i = 0; i < w->count; i++) {
        int k = WORDS_KEYS - 1;
        while (key_bytes[k] > w->v[i].n)
            k--;
        uint64_t bit = words_bit(w, words_eight(w->v[i].p, w->v[i].n), key_bytes[k]);
        w->bits[bit >> 6] |= UINT64_C(1) << (bit & 63);
        w->keys[k] = true;
    }
}

void words_build(struct words *w)
{
    if (w->count > 0)
        qsort(w->v, w->count, sizeof(*w->v), words_order);
    words_tree(w);
    words_bits(w);
}

size_t words_bytes(const struct words *w)
{
    return w->cap * sizeof(*w->v) + (size_t)w->node_count * sizeof(*w->nodes) +
           ((size_t)1 << w->bits_power) / 8;
}

/* ---- looking -------------------------------------------------------------- */

struct words_look {
    const struct words *w;
    struct str text;
    void (*found)(void *arg, int value);
    void *arg;
};

/* The words that begin at byte i of the text. */
static void words_walk(const struct words_look *l, size_t i)
{
    const struct words *w = l->w;
    int node = 0;
    for (size_t end = i; end < l->text.n;) {
        node = words_child(w, node, (unsigned char)l->text.p[end++]);
        if (node < 0)
            return;
        for (int k = w->nodes[node].word; k < w->nodes[node].end; k++)
            if (w->v[k].place == WORD_ANYWHERE || (w->v[k].place == WORD_STARTS && i == 0) ||
                (w->v[k].place == WORD_ENDS && end == l->text.n))
                l->found(l->arg, w->v[k].value);
    }
}

static bool words_may_begin(const struct words *w, uint64_t eight)
{
    for (int k = 0; k < WORDS_KEYS; k++) {
        uint64_t bit = w->keys[k] ? words_bit(w, eight, key_bytes[k]) : 0;
        if (w->keys[k] && (w->bits[bit >> 6] >> (bit & 63)) & 1)
            return true;
    }
    return false;
}

/* Where all words are of six bytes and more, as they mostly are. */
static void words_scan_long(const struct words_look *l, size_t most)
{
    const struct words *w = l->w;
    for (size_t i = 0; i < most; i++) {
        uint64_t bit = words_bit(w, words_eight(l->text.p + i, 8), 6);
        if ((w->bits[bit >> 6] >> (bit & 63)) & 1)
            words_walk(l, i);
    }
}

void words_scan(const struct words *w, struct str text, void (*found)(void *arg, int value),
                void *arg)
{
    const struct words_look l = {w, text, found, arg};
    size_t most = text.n < 8 ? 0 : text.n - 7; /* places with eight bytes */
    if (w->keys[0] || w->keys[1] || w->keys[2])
        for (size_t i = 0; i < most; i++) {
            if (words_may_begin(w, words_eight(text.p + i, 8)))
                words_walk(&l, i);
        }
    else
        words_scan_long(&l, most);
    for (size_t i = most; i < text.n; i++)
        words_walk(&l, i);
}
