/* SPDX-License-Identifier: ISC
 *
 * expr_regex - patterns that end
 *
 * PCRE2 with its just-in-time compiler where the system allows it. Its own
 * limits count from each starting place anew and do not count what a simple
 * loop scans, so a pattern can stay below them and still take hours on a long
 * text. Therefore each step also calls back, and is charged with the distance
 * it moved: the sum over the whole text is limited, the same way with and
 * without the compiler. A back reference scans without a step, so it is
 * refused. Case is ignored by default; bytes that are no UTF-8 match nothing.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/expr_ast.h"

#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

#define REGEX_PARENS 100
#define REGEX_JIT_STACK_MIN KIB(32)
#define REGEX_JIT_STACK_MAX KIB(512)

struct expr_regex {
    pcre2_code *code;
    pcre2_match_data *data;
};

struct expr_matcher {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    int64_t work;
    size_t at; /* where the step before stood */
};

#define REGEX_STEP_COST 16 /* of a step, in bytes scanned */

static int regex_step(pcre2_callout_block *b, void *arg)
{
    struct expr_matcher *m = arg;
    size_t at = b->current_position;
    m->work += REGEX_STEP_COST + (int64_t)(at > m->at ? at - m->at : m->at - at);
    m->at = at;
    return m->work > BOUND_REGEX_WORK ? PCRE2_ERROR_CALLOUT : 0;
}

static pcre2_code *regex_compile(const char *pattern, int *code_out, PCRE2_SIZE *at_out)
{
    pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
    LEADD_ASSERT(cc);
    pcre2_set_parens_nest_limit(cc, REGEX_PARENS);
    pcre2_set_max_pattern_length(cc, BOUND_EXPR_BYTES);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS |
                                         PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                                         PCRE2_AUTO_CALLOUT,
                                     code_out, at_out, cc);
    pcre2_compile_context_free(cc);
    return code;
}

struct expr_regex *expr_regex_new(const char *pattern, char *what, size_t n, int *at_out)
{
    int code;
    PCRE2_SIZE at;
    *at_out = 0;
    pcre2_code *re = regex_compile(pattern, &code, &at);
    if (!re) {
        if (pcre2_get_error_message(code, (PCRE2_UCHAR *)what, n) < 0)
            snprintf(what, n, "error %d", code);
        *at_out = (int)at;
        return NULL;
    }
    uint32_t back = 0;
    pcre2_pattern_info(re, PCRE2_INFO_BACKREFMAX, &back);
    if (back > 0) {
        snprintf(what, n, "a reference back to a group (\\%u) cannot be bounded in time", back);
        pcre2_code_free(re);
        return NULL;
    }
#ifndef LEADD_VALGRIND /* compiled patterns read ahead, which it takes for a fault */
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* without it the interpreter does the work */
#endif
    struct expr_regex *r = mem_alloc(sizeof(*r));
    r->code = re;
    r->data = pcre2_match_data_create(1, NULL);
    LEADD_ASSERT(r->data);
    return r;
}

void expr_regex_free(struct expr_regex **r)
{
    if (!*r)
        return;
    pcre2_match_data_free((*r)->data);
    pcre2_code_free((*r)->code);
    mem_free(*r);
    *r = NULL;
}

struct expr_matcher *expr_matcher_new(void)
{
    struct expr_matcher *m = mem_alloc(sizeof(*m));
    m->context = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(REGEX_JIT_STACK_MIN, REGEX_JIT_STACK_MAX, NULL);
    LEADD_ASSERT(m->context);
    pcre2_set_match_limit(m->context, BOUND_REGEX_STEPS);
    pcre2_set_depth_limit(m->context, BOUND_REGEX_DEPTH);
    pcre2_set_heap_limit(m->context, BOUND_REGEX_HEAP_KIB);
    pcre2_set_callout(m->context, regex_step, m);
    if (m->stack)
        pcre2_jit_stack_assign(m->context, NULL, m->stack);
    return m;
}

void expr_matcher_free(struct expr_matcher **m)
{
    if (!*m)
        return;
    pcre2_match_context_free((*m)->context);
    pcre2_jit_stack_free((*m)->stack);
    mem_free(*m);
    *m = NULL;
}

enum expr_regex_result expr_regex_match(const struct expr_regex *r, struct expr_matcher *m,
                                        struct str text)
{
    size_t n = text_utf8_cut(text.p, text.n, BOUND_REGEX_SUBJECT);
    m->work = 0;
    m->at = 0;
    int rc = pcre2_match(r->code, (PCRE2_SPTR)text.p, n, 0, 0, r->data, m->context);
    if (rc >= 0)
        return REGEX_YES;
    return rc == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_GAVE_UP;
}
