/* SPDX-License-Identifier: ISC
 *
 * the fuzz target of conditions and templates, on mutations that are the same
 * in every run. With a folder as argument it writes the seeds there, for
 * libFuzzer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "../fuzz/expr_seeds.h"

#define ROUNDS 5000
#define SIZE 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_next(void) /* xorshift64 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static size_t random_below(size_t n)
{
    return (size_t)(random_next() % n);
}

static size_t mutate_insert(uint8_t *data, size_t n, size_t at, const void *what, size_t len)
{
    if (n + len > SIZE)
        return n;
    memmove(data + at + len, data + at, n - at);
    memcpy(data + at, what, len);
    return n + len;
}

/* A piece of another seed often is a token of the language. */
static size_t mutate(uint8_t *data, size_t n)
{
    static const char *const words[] = {" and ", " or ", "not ", "(", ")", "[", "]", "'", "''",
                                        "{{", "}}", "{{#", "{{/", "-", "99999999999999999999",
                                        " is set", ",", "\0", "\xc3\xa9", "\xff", "0", "@dach",
                                        " in ", "~ '", "\n", "--html--\n", ".", " EUR", "h"};
    size_t at = 1 + random_below(n - 1);
    switch (random_below(6)) {
    case 0:
        data[at] = (uint8_t)random_next();
        return n;
    case 1:
        memmove(data + at, data + at + 1, n - at - 1);
        return n > 3 ? n - 1 : n;
    case 2: {
        const char *w = words[random_below(ARRAY_LEN(words))];
        return mutate_insert(data, n, at, w, *w ? strlen(w) : 1);
    }
    case 3: {
        size_t s = random_below(ARRAY_LEN(expr_seeds)), from = random_below(expr_seeds[s].n);
        size_t len = 1 + random_below(expr_seeds[s].n - from);
        return mutate_insert(data, n, at, expr_seeds[s].p + from, len);
    }
    case 4: {
        uint8_t copy[64];
        size_t len = 1 + random_below(sizeof(copy));
        if (at + len > n)
            return n;
        memcpy(copy, data + at, len);
        return mutate_insert(data, n, at, copy, len);
    }
    default:
        data[at] ^= (uint8_t)(1u << random_below(8));
        return n;
    }
}

static void mutated_conditions_and_templates_keep_every_promise(void **state)
{
    (void)state;
    uint8_t data[SIZE];
    for (size_t i = 0; i < ARRAY_LEN(expr_seeds); i++)
        LLVMFuzzerTestOneInput((const uint8_t *)expr_seeds[i].p, expr_seeds[i].n);
    for (int i = 0; i < ROUNDS; i++) {
        size_t s = random_below(ARRAY_LEN(expr_seeds)), n = expr_seeds[s].n;
        memcpy(data, expr_seeds[s].p, n);
        for (size_t k = 1 + random_below(4); k > 0; k--)
            n = mutate(data, n);
        LLVMFuzzerTestOneInput(data, n);
    }
}

static int write_seeds(const char *dir)
{
    for (size_t i = 0; i < ARRAY_LEN(expr_seeds); i++) {
        AUTO_FREE char *path = mem_printf("%s/seed-%02zu", dir, i);
        AUTO_FCLOSE FILE *f = fopen(path, "w");
        if (!f || fwrite(expr_seeds[i].p, 1, expr_seeds[i].n, f) != expr_seeds[i].n)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return write_seeds(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_conditions_and_templates_keep_every_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
