/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages inside the container: the bytes of struct bay_message behind a count of
 * owners. A message does not change once it is made, so any number of requests on
 * any threads may share one. Small ones come from a cache of the thread.
 */
#ifndef BAY_SERVICE_MESSAGE_H
#define BAY_SERVICE_MESSAGE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/message.h>

#include "base/decimal.h"

/* A cached message is 128 bytes with its head and the closing NUL. */
#define MESSAGE_SMALL 111
/* Messages that a thread keeps for reuse. */
#define MESSAGE_CACHE_MAX 512
/* Above any number of owners, so that one look tells whether a message may be kept. */
#define MESSAGE_LARGE (UINT32_C(1) << 31)

struct bay_message {
	_Atomic uint32_t refs; /* owners; 0: it lies in a cache; MESSAGE_LARGE more when it is not for the cache */
	union {
		size_t size;
		struct bay_message *next_free;
	};
	char data[];
};

/* Those of this thread. */
extern __thread struct message_cache {
	struct bay_message *first;
	unsigned count;
	size_t made; /* and not given back to malloc, nearly: others may free what we made */
} message_cache __attribute__((tls_model("initial-exec")));

/* The slow parts of what follows. */
struct bay_message *message_allocate(size_t size);
void message_unref_slowly(struct bay_message *message);

static inline void
message_leave_cache(struct bay_message *message)
{
	message_cache.first = message->next_free;
	message_cache.count--;
	atomic_store_explicit(&message->refs, 1, memory_order_relaxed);
}

/* Room for size bytes that the caller fills before anybody else sees it, with their NUL in
 * place; NULL without memory. Any thread. */
static inline struct bay_message *
message_create(size_t size)
{
	struct bay_message *message = message_cache.first;

	if (__builtin_expect(message == NULL || size > MESSAGE_SMALL, 0))
		return message_allocate(size);
	message_leave_cache(message);
	message->size = size;
	message->data[size] = '\0';
	return message;
}

/* One owner less; NULL is allowed. Any thread. */
static inline void
message_unref(struct bay_message *message)
{
	if (message == NULL)
		return;
	/* The only owner needs no locked instruction to know that it is. */
	if (__builtin_expect(atomic_load_explicit(&message->refs, memory_order_acquire) != 1 ||
		message_cache.count >= MESSAGE_CACHE_MAX, 0)) {
		message_unref_slowly(message);
		return;
	}
	/* One that nobody owns is known when it is freed again. */
	atomic_store_explicit(&message->refs, 0, memory_order_relaxed);
	message->next_free = message_cache.first;
	message_cache.first = message;
	message_cache.count++;
}

/* One more owner; NULL is allowed. Any thread. */
struct bay_message *message_ref(const struct bay_message *message);

/* bay_message_printf() with a list. */
struct bay_message *message_vprintf(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/* bay_message_int64() and bay_message_read_int64(), for the two sides of a reply. */
static inline struct bay_message *
message_int64(int64_t number)
{
	struct bay_message *message = message_cache.first;

	if (__builtin_expect(message != NULL, 1))
		message_leave_cache(message);
	else if ((message = message_allocate(DECIMAL_SIZE)) == NULL)
		return NULL;
	message->size = decimal_print(message->data, number);
	message->data[message->size] = '\0';
	return message;
}

static inline int
message_read_int64(const struct bay_message *message, int64_t *number_r)
{
	if (message != NULL && decimal_parse(message->data, message->size, number_r))
		return BAY_OK;
	return BAY_INVALID;
}

/* Those that are in use, if no other thread makes or frees any. */
static inline size_t
message_in_use(void)
{
	return message_cache.made - message_cache.count;
}

/* Gives what the thread keeps for reuse back; before a thread ends. */
void message_clear_cache(void);

#endif
