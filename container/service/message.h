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

/* A cached message is 128 bytes with its head and the closing NUL. */
#define MESSAGE_SMALL 111

struct bay_message {
	_Atomic uint32_t refs;
	uint32_t cached;     /* 1: of the size of the cache */
	union {
		size_t size;
		struct bay_message *next_free;
	};
	char data[];
};

/* Room for size bytes that the caller fills before anybody else sees it; NULL without
 * memory. Any thread. */
struct bay_message *message_create(size_t size);

/* One more owner; NULL is allowed. Any thread. */
struct bay_message *message_ref(const struct bay_message *message);

/* bay_message_printf() with a list. */
struct bay_message *message_vprintf(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/* Reads decimal digits with spaces around them. */
int message_parse_int64(const char *text, size_t size, int64_t *number_r);

/* Gives what the thread keeps for reuse back; before a thread ends. */
void message_clear_cache(void);

#endif
