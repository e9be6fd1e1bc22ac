/* SPDX-License-Identifier: ISC
 *
 * mem - allocation that does not fail, and cleanup at the end of a scope
 *
 * Bounded, small sizes end the process when memory is out (state is committed, so a dead
 * role loses nothing). Sizes that strangers choose go through struct buf, whose
 * limit fails as input.
 */
#ifndef LEADD_MEM_H
#define LEADD_MEM_H

#include <stddef.h>
#include <stdio.h>

#define LEADD_PRINTF_MEM(f, a) __attribute__((format(printf, f, a)))

void *mem_alloc(size_t n);                 /* zeroed; never NULL */
void *mem_array(size_t count, size_t size); /* zeroed, overflow-checked; never NULL */
void *mem_grow(void *p, size_t n);         /* realloc; new bytes not zeroed */
char *mem_str(const char *s);              /* NULL gives NULL */
char *mem_strn(const char *s, size_t n);   /* copies n bytes and a NUL */
char *mem_printf(const char *fmt, ...) LEADD_PRINTF_MEM(1, 2);
void mem_free(void *p);

/* Says so and ends the process with MEM_EXIT. */
void mem_out_of_memory(void) __attribute__((noreturn));
#define MEM_EXIT 71

void mem_cleanup_free(void *p);
void mem_cleanup_close(int *fd);
void mem_cleanup_fclose(FILE **f);

#define AUTO_FREE __attribute__((cleanup(mem_cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(mem_cleanup_close)))
#define AUTO_FCLOSE __attribute__((cleanup(mem_cleanup_fclose)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A broken promise between our own functions. On in release: state is
 * committed, and a role that stops is replaced. Never used on outside data. */
#define LEADD_ASSERT(x) ((x) ? (void)0 : mem_assert_failed(#x, __FILE__, __LINE__))
void mem_assert_failed(const char *what, const char *file, int line) __attribute__((noreturn));

#endif
