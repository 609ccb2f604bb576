/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for small things of a fixed size. These never return NULL: a process that
 * cannot get a hundred bytes says so and aborts. Sizes that a peer, a plugin or the
 * configuration chooses (payloads, stacks, queues) do not belong here: use malloc or
 * struct buffer, and report that there was no memory.
 *
 * Everything is released with free(). Any thread.
 */
#ifndef BAY_BASE_ALLOC_H
#define BAY_BASE_ALLOC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * For what may fail: malloc, calloc, realloc and strdup, of which a test can make the Nth
 * return NULL.
 */
static inline void *alloc_try(size_t size)
	__attribute__((malloc, alloc_size(1), warn_unused_result));
static inline void *alloc_try_zeroed(size_t count, size_t size)
	__attribute__((malloc, alloc_size(1, 2), warn_unused_result));
static inline void *alloc_try_again(void *pointer, size_t size)
	__attribute__((alloc_size(2), warn_unused_result));
char *alloc_try_copy(const char *text)
	__attribute__((malloc, nonnull, warn_unused_result));

/* From now on the nth of these allocations fails, once (1: the next one; 0: none does). For
 * tests, whose services are not at work meanwhile. */
void alloc_fail_at(uint64_t nth);

/* How many there were since then; whether one was made to fail. */
uint64_t alloc_tried(void);
bool alloc_has_failed(void);

/* Returns count * size zeroed bytes; also dies when the product does not fit. */
void *xcalloc(size_t count, size_t size)
	__attribute__((malloc, alloc_size(1, 2), returns_nonnull, warn_unused_result));

/* As realloc for count * size bytes; pointer may be NULL. A product of 0 gives one byte. */
void *xrealloc(void *pointer, size_t count, size_t size)
	__attribute__((alloc_size(2, 3), returns_nonnull, warn_unused_result));

/* Returns a copy of text. */
char *xstrdup(const char *text)
	__attribute__((malloc, returns_nonnull, nonnull, warn_unused_result));

/* Returns a copy of at most size characters of text, terminated. */
char *xstrndup(const char *text, size_t size)
	__attribute__((malloc, returns_nonnull, nonnull, warn_unused_result));

/* Returns the formatted text. */
char *xasprintf(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull, warn_unused_result));

/* --- in detail -------------------------------------------------------------- */

extern atomic_bool alloc_counts;
bool alloc_fails(void);

static inline bool
alloc_may_not(void)
{
	return __builtin_expect(atomic_load_explicit(&alloc_counts, memory_order_relaxed), 0) && alloc_fails();
}

static inline void *
alloc_try(size_t size)
{
	return alloc_may_not() ? NULL : malloc(size);
}

static inline void *
alloc_try_zeroed(size_t count, size_t size)
{
	return alloc_may_not() ? NULL : calloc(count, size);
}

static inline void *
alloc_try_again(void *pointer, size_t size)
{
	return alloc_may_not() ? NULL : realloc(pointer, size);
}

#endif
