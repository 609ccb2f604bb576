/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that wait in a stream: what was read and not asked for yet, or written and not taken
 * by the kernel yet. They come in behind and go out in front.
 *
 *	data      begin             end            capacity
 *	 |  gone   |  bytes inside   |  room        |
 *
 * An empty buffer holds no memory once stream_buffer_release() was called: streams do that
 * before they wait, so that the many that are idle cost nothing. The memory of the usual
 * sizes is kept by the thread for the next who reads, up to a bound per size.
 *
 * Owning loop only.
 */
#ifndef BAY_IO_STREAM_BUFFER_H
#define BAY_IO_STREAM_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

/* The sizes that are kept: powers of two. */
#define STREAM_BUFFER_MIN ((size_t)4 << 10)
#define STREAM_BUFFER_MAX ((size_t)256 << 10)

/* All zeroes: empty. */
struct stream_buffer {
	char *data;       /* NULL while capacity is 0 */
	size_t begin;
	size_t end;
	size_t capacity;
};

static inline size_t
stream_buffer_size(const struct stream_buffer *buffer)
{
	return buffer->end - buffer->begin;
}

/* NULL when there has never been any. */
static inline char *
stream_buffer_bytes(const struct stream_buffer *buffer)
{
	return buffer->data == NULL ? NULL : buffer->data + buffer->begin;
}

/* Drops the first size bytes, at most all; they stay where they are until something is
 * added, reserved or released. */
static inline void
stream_buffer_consume(struct stream_buffer *buffer, size_t size)
{
	buffer->begin += size;
}

/* Makes room for size more bytes behind end. False: no memory; it is as it was. */
bool stream_buffer_reserve(struct stream_buffer *buffer, size_t size)
	__attribute__((warn_unused_result));

/* Adds a copy. False: no memory; it is as it was. */
bool stream_buffer_append(struct stream_buffer *buffer, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* Gives memory back: all of it when nothing is inside, much of it when little is. */
void stream_buffer_release(struct stream_buffer *buffer);

/* Drops all that is inside and gives the memory back. */
void stream_buffer_finish(struct stream_buffer *buffer);

#endif
