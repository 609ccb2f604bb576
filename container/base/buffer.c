/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BUFFER_FIRST_CAPACITY = 64 };

void
buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void
buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
}

/* Doubling keeps a long row of appends linear. */
bool
buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity > 0 ? buffer->capacity : BUFFER_FIRST_CAPACITY;
	size_t needed;
	uint8_t *data;

	if (__builtin_add_overflow(buffer->size, size, &needed))
		return false;
	if (needed <= buffer->capacity)
		return true;
	while (capacity < needed)
		if (__builtin_mul_overflow(capacity, 2, &capacity))
			capacity = needed;
	data = alloc_try_again(buffer->data, capacity);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

bool
buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return true;
	if (!buffer_reserve(buffer, size))
		return false;
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return true;
}

bool
buffer_append_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

bool
buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	bool done;

	va_start(args, format);
	done = buffer_vprintf(buffer, format, args);
	va_end(args);
	return done;
}

/* Tries the room there is first; a text that does not fit is formatted twice. */
bool
buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	size_t room = buffer->capacity - buffer->size;
	char *end = room > 0 ? (char *)buffer->data + buffer->size : NULL;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(end, room, format, args);
	if (length >= 0 && (size_t)length >= room) {
		if (buffer_reserve(buffer, (size_t)length + 1))
			vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
		else
			length = -1;
	}
	va_end(again);
	if (length < 0)
		return false;
	buffer->size += (size_t)length;
	return true;
}

bool
buffer_fail(struct buffer *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)!buffer_vprintf(error, format, args);
	va_end(args);
	return false;
}

char *
buffer_text(struct buffer *buffer)
{
	if (!buffer_reserve(buffer, 1))
		return NULL;
	buffer->data[buffer->size] = '\0';
	return (char *)buffer->data;
}

void
buffer_consume(struct buffer *buffer, size_t size)
{
	if (size >= buffer->size) {
		buffer->size = 0;
		return;
	}
	if (size == 0)
		return;
	memmove(buffer->data, buffer->data + size, buffer->size - size);
	buffer->size -= size;
}
