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

#include <stddef.h>

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

#endif
