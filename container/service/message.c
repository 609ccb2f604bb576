/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages that a thread keeps for reuse. */
#define MESSAGE_CACHE_MAX 512

static __thread struct {
	struct bay_message *first;
	unsigned count;
} message_cache __attribute__((tls_model("initial-exec")));

struct bay_message *
message_create(size_t size)
{
	struct bay_message *message = NULL;
	bool small = size <= MESSAGE_SMALL;

	if (small && message_cache.first != NULL) {
		message = message_cache.first;
		message_cache.first = message->next_free;
		message_cache.count--;
	} else if (size < SIZE_MAX - sizeof *message - 1) {
		message = malloc(sizeof *message + (small ? MESSAGE_SMALL : size) + 1);
	}
	if (message == NULL)
		return NULL;
	atomic_store_explicit(&message->refs, 1, memory_order_relaxed);
	message->cached = small;
	message->size = size;
	message->data[size] = '\0';
	return message;
}

void
message_clear_cache(void)
{
	while (message_cache.first != NULL) {
		struct bay_message *message = message_cache.first;

		message_cache.first = message->next_free;
		message_cache.count--;
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
	if (message == NULL)
		return;
	/* The only owner needs no locked instruction to know that it is. */
	if (atomic_load_explicit(&message->refs, memory_order_acquire) != 1 &&
		atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (message->cached && message_cache.count < MESSAGE_CACHE_MAX) {
		message->next_free = message_cache.first;
		message_cache.first = message;
		message_cache.count++;
		return;
	}
	free(message);
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

static unsigned
message_digits(uint64_t number)
{
	unsigned digits = 1;

	while (number >= 10) {
		number /= 10;
		digits++;
	}
	return digits;
}

/* printf alone costs 40 ns. */
struct bay_message *
bay_message_int64(int64_t number)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	unsigned size = message_digits(rest) + (number < 0);
	struct bay_message *message = message_create(size);
	char *digit;

	if (message == NULL)
		return NULL;
	digit = message->data + size;
	do {
		*--digit = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (number < 0)
		*--digit = '-';
	return message;
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

static bool
message_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int
message_parse_int64(const char *text, size_t size, int64_t *number_r)
{
	const char *end = text + size;
	uint64_t value = 0, limit = INT64_MAX;
	bool negative = false;

	while (text < end && message_is_space(*text))
		text++;
	while (end > text && message_is_space(end[-1]))
		end--;
	if (text < end && (*text == '-' || *text == '+')) {
		negative = *text == '-';
		limit += negative;
		text++;
	}
	if (text == end)
		return BAY_INVALID;
	for (; text < end; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || value > (limit - digit) / 10)
			return BAY_INVALID;
		value = value * 10 + digit;
	}
	*number_r = negative ? (int64_t)-value : (int64_t)value;
	return BAY_OK;
}

int
bay_message_read_int64(const struct bay_message *message, int64_t *number_r)
{
	return message_parse_int64(bay_message_text(message), bay_message_size(message), number_r);
}
