/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

__thread struct message_cache message_cache __attribute__((tls_model("initial-exec")));

struct bay_message *
message_allocate(size_t size)
{
	struct bay_message *message;
	bool small = size <= MESSAGE_SMALL;

	if (size >= SIZE_MAX - sizeof *message - 1)
		return NULL;
	message = alloc_try(sizeof *message + (small ? MESSAGE_SMALL : size) + 1);
	if (message == NULL)
		return NULL;
	message_cache.made++;
	atomic_init(&message->refs, small ? 1 : MESSAGE_LARGE + 1);
	message->size = size;
	message->data[size] = '\0';
	return message;
}

/* Others own it too, or it is not one to keep. */
void
message_unref_slowly(struct bay_message *message)
{
	uint32_t before = atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel);

	if (before == 1 || before == MESSAGE_LARGE + 1) {
		message_cache.made--;
		free(message);
	}
}

void
message_clear_cache(void)
{
	while (message_cache.first != NULL) {
		struct bay_message *message = message_cache.first;

		message_cache.first = message->next_free;
		message_cache.count--;
		message_cache.made--;
		free(message);
	}
}

struct bay_message *
message_ref(const struct bay_message *borrowed)
{
	struct bay_message *message = (struct bay_message *)borrowed;

	if (message != NULL)
		atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
	return message;
}

void
bay_message_free(struct bay_message *message)
{
	message_unref(message);
}

/* --- making ------------------------------------------------------------------- */

struct bay_message *
bay_message(const void *data, size_t size)
{
	struct bay_message *message = message_create(size);

	if (message != NULL && size > 0)
		memcpy(message->data, data, size);
	return message;
}

struct bay_message *
message_vprintf(const char *format, va_list args)
{
	struct bay_message *message;
	va_list again;
	int size;

	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0)
		return NULL;
	message = message_create((size_t)size);
	if (message != NULL)
		vsnprintf(message->data, (size_t)size + 1, format, args);
	return message;
}

struct bay_message *
bay_message_printf(const char *format, ...)
{
	struct bay_message *message;
	va_list args;

	va_start(args, format);
	message = message_vprintf(format, args);
	va_end(args);
	return message;
}

struct bay_message *
bay_message_int64(int64_t number)
{
	return message_int64(number);
}

/* --- reading ------------------------------------------------------------------- */

const void *
bay_message_data(const struct bay_message *message)
{
	return message != NULL ? message->data : "";
}

size_t
bay_message_size(const struct bay_message *message)
{
	return message != NULL ? message->size : 0;
}

const char *
bay_message_text(const struct bay_message *message)
{
	return message != NULL ? message->data : "";
}

int
bay_message_read_int64(const struct bay_message *message, int64_t *number_r)
{
	return message_read_int64(message, number_r);
}
