/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing here may allocate: no stdio, no log. */
static _Noreturn void
alloc_die(void)
{
	static const char text[] = "bay: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)ignored;
	abort();
}

/* --- what may fail ---------------------------------------------------------------- */

atomic_bool alloc_counts;
static _Atomic uint64_t alloc_count;
static _Atomic uint64_t alloc_nth;

void
alloc_fail_at(uint64_t nth)
{
	atomic_store(&alloc_count, 0);
	atomic_store(&alloc_nth, nth);
	atomic_store(&alloc_counts, nth != 0);
}

bool
alloc_fails(void)
{
	return atomic_fetch_add(&alloc_count, 1) + 1 == atomic_load(&alloc_nth);
}

uint64_t
alloc_tried(void)
{
	return atomic_load(&alloc_count);
}

bool
alloc_has_failed(void)
{
	return atomic_load(&alloc_nth) != 0 && atomic_load(&alloc_count) >= atomic_load(&alloc_nth);
}

char *
alloc_try_copy(const char *text)
{
	return alloc_may_not() ? NULL : strdup(text);
}

/* --- what may not --------------------------------------------------------------- */

void *
xcalloc(size_t count, size_t size)
{
	void *pointer = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (pointer == NULL)
		alloc_die();
	return pointer;
}

void *
xrealloc(void *pointer, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		alloc_die();
	pointer = realloc(pointer, bytes > 0 ? bytes : 1);
	if (pointer == NULL)
		alloc_die();
	return pointer;
}

char *
xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		alloc_die();
	return copy;
}

char *
xstrndup(const char *text, size_t size)
{
	char *copy = strndup(text, size);

	if (copy == NULL)
		alloc_die();
	return copy;
}

char *
xasprintf(const char *format, ...)
{
	char *text;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		alloc_die();
	return text;
}
