/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/stream_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/belonging.h"
#include "runtime/scheduler.h"

enum {
	STREAM_BUFFER_CLASSES = 7, /* 4k, 8k, ... 256k */
	/* Of each size the thread keeps so many bytes. */
	STREAM_BUFFER_KEPT = 256 << 10,
	/* A buffer with less than this part of it in use is one size too big, or more. */
	STREAM_BUFFER_SPARSE = 8
};

/* What lies in memory that nobody uses. */
struct stream_spare {
	struct stream_spare *next;
};

/* What a thread keeps; it ends with its scheduler. */
struct stream_spares {
	struct belonging belonging;
	struct stream_spare *first[STREAM_BUFFER_CLASSES];
	size_t bytes[STREAM_BUFFER_CLASSES];
};

static __thread struct stream_spares *stream_spares __attribute__((tls_model("initial-exec")));

static void
stream_spares_on_end(struct belonging *belonging)
{
	struct stream_spares *spares = container_of(belonging, struct stream_spares, belonging);
	unsigned i;

	for (i = 0; i < STREAM_BUFFER_CLASSES; i++) {
		while (spares->first[i] != NULL) {
			struct stream_spare *spare = spares->first[i];

			spares->first[i] = spare->next;
			free(spare);
		}
	}
	free(spares);
	stream_spares = NULL;
}

/* Those of this thread, made at first use; NULL without memory. What is kept cannot be told from
 * what is in use, so a sanitizer is to see all of it go. */
static struct stream_spares *
stream_spares_here(void)
{
#if defined(BAY_ASAN)
	const bool may_keep = false;
#else
	const bool may_keep = true;
#endif

	if (stream_spares != NULL || !may_keep)
		return stream_spares;
	stream_spares = alloc_try_zeroed(1, sizeof *stream_spares);
	if (stream_spares != NULL)
		belonging_add_to_scheduler(&stream_spares->belonging, "buffer", stream_spares_on_end);
	return stream_spares;
}

/* Of a capacity; STREAM_BUFFER_CLASSES when memory of that size is not kept. */
static unsigned
stream_buffer_class(size_t capacity)
{
	unsigned class = 0;

	while (class < STREAM_BUFFER_CLASSES && STREAM_BUFFER_MIN << class < capacity)
		class++;
	return class;
}

static char *
stream_buffer_take(size_t capacity)
{
	unsigned class = stream_buffer_class(capacity);
	struct stream_spare *spare;

	if (class == STREAM_BUFFER_CLASSES || stream_spares == NULL || stream_spares->first[class] == NULL)
		return alloc_try(capacity);
	spare = stream_spares->first[class];
	stream_spares->first[class] = spare->next;
	stream_spares->bytes[class] -= capacity;
	return (char *)spare;
}

static void
stream_buffer_give(char *data, size_t capacity)
{
	unsigned class = stream_buffer_class(capacity);
	struct stream_spares *spares = NULL;
	struct stream_spare *spare = (struct stream_spare *)(void *)data;

	if (data == NULL)
		return;
	if (class < STREAM_BUFFER_CLASSES)
		spares = stream_spares_here();
	if (spares == NULL || spares->bytes[class] + capacity > STREAM_BUFFER_KEPT) {
		free(data);
		return;
	}
	spare->next = spares->first[class];
	spares->first[class] = spare;
	spares->bytes[class] += capacity;
}

/* The least power of two for so many bytes; 0: there is none. */
static size_t
stream_buffer_capacity(size_t size)
{
	size_t capacity = STREAM_BUFFER_MIN;

	while (capacity < size) {
		if (capacity > SIZE_MAX / 2)
			return 0;
		capacity *= 2;
	}
	return capacity;
}

/* Into memory of another size, which the bytes inside fit into. */
static bool
stream_buffer_move(struct stream_buffer *buffer, size_t capacity)
{
	size_t size = stream_buffer_size(buffer);
	char *data = stream_buffer_take(capacity);

	if (data == NULL)
		return false;
	if (size > 0)
		memcpy(data, stream_buffer_bytes(buffer), size);
	stream_buffer_give(buffer->data, buffer->capacity);
	*buffer = (struct stream_buffer){.data = data, .end = size, .capacity = capacity};
	return true;
}

bool
stream_buffer_reserve(struct stream_buffer *buffer, size_t room)
{
	size_t size = stream_buffer_size(buffer), capacity;

	if (buffer->capacity - buffer->end >= room)
		return true;
	if (room > SIZE_MAX - size)
		return false;
	/* Moving to the front costs no more than what has gone out since did. */
	if (size + room <= buffer->capacity && size <= buffer->begin) {
		if (size > 0)
			memcpy(buffer->data, stream_buffer_bytes(buffer), size);
		buffer->begin = 0;
		buffer->end = size;
		return true;
	}
	capacity = stream_buffer_capacity(size + room);
	if (capacity == 0)
		return false;
	/* Nearly full: the next one would move it all again. */
	if (capacity == buffer->capacity && size > capacity / 2)
		capacity = stream_buffer_capacity(capacity + 1);
	return capacity != 0 && stream_buffer_move(buffer, capacity);
}

bool
stream_buffer_append(struct stream_buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return true;
	if (!stream_buffer_reserve(buffer, size))
		return false;
	memcpy(buffer->data + buffer->end, data, size);
	buffer->end += size;
	return true;
}

void
stream_buffer_release(struct stream_buffer *buffer)
{
	size_t size = stream_buffer_size(buffer);

	if (size == 0)
		stream_buffer_finish(buffer);
	else if (buffer->capacity > STREAM_BUFFER_MIN && size < buffer->capacity / STREAM_BUFFER_SPARSE)
		(void)stream_buffer_move(buffer, stream_buffer_capacity(size));
}

void
stream_buffer_finish(struct stream_buffer *buffer)
{
	stream_buffer_give(buffer->data, buffer->capacity);
	*buffer = (struct stream_buffer){.data = NULL};
}
