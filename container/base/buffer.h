/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing bytes. A zeroed struct is an empty buffer:
 *
 *	struct buffer out = {0};
 *
 *	if (!buffer_printf(&out, "%d", n))
 *		... no memory ...
 *	write(fd, out.data, out.size);
 *	buffer_finish(&out);
 *
 *	data                 size              capacity
 *	 |  bytes in use      |  free           |
 *
 * Its size is chosen by whoever fills it, so growing can fail: the contents are then as
 * before. Has one owner. Any thread, one at a time.
 */
#ifndef BAY_BASE_BUFFER_H
#define BAY_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data; /* NULL while capacity is 0 */
	size_t size;
	size_t capacity;
};

/* Releases the memory; the buffer is then empty and may be used again. */
void buffer_finish(struct buffer *buffer);

/* Forgets the bytes and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Makes room for size more bytes behind the ones in use. False: no memory. */
bool buffer_reserve(struct buffer *buffer, size_t size)
	__attribute__((warn_unused_result));

/* Appends a copy of the bytes, which may not lie in the buffer itself. False: no memory. */
bool buffer_append(struct buffer *buffer, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* Appends the characters of text without the terminating NUL. False: no memory. */
bool buffer_append_text(struct buffer *buffer, const char *text)
	__attribute__((warn_unused_result));

/* Appends formatted text without a terminating NUL. False: no memory. */
bool buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));
bool buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
	__attribute__((format(printf, 2, 0), warn_unused_result));

/*
 * Appends the reason of a failure and returns false, for "return buffer_fail(error, ...)".
 * Without memory the failure goes without its reason.
 */
bool buffer_fail(struct buffer *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Puts a NUL behind the bytes in use, not counted in size, and returns them as a string:
 * borrowed, valid until the buffer changes. NULL: no memory.
 */
char *buffer_text(struct buffer *buffer)
	__attribute__((warn_unused_result));

/* Drops the first size bytes, at most all; the rest moves to the front. */
void buffer_consume(struct buffer *buffer, size_t size);

#endif
