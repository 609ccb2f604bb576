/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/request.h"

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

	if (before != 1 && before != MESSAGE_LARGE + 1)
		return;
	/* Nobody owns it any more, whatever the heap writes there. */
	*(volatile uint32_t *)&message->refs = 0;
	message_cache.made--;
	free(message);
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

/* More owners than there ever are: what the heap writes into what is free looks like that. */
#define MESSAGE_REFS_MAX (UINT32_C(1) << 20)

/* Whether it has been freed, as far as that can still be seen. */
static bool
message_is_gone(const struct bay_message *message)
{
	uint32_t refs = atomic_load_explicit(&message->refs, memory_order_relaxed) & ~MESSAGE_LARGE;

	return refs == 0 || refs > MESSAGE_REFS_MAX;
}

/* Whether a message is that of the request which the running code serves. */
static bool
message_is_lent(const struct bay_message *message)
{
	const struct scheduler *here = scheduler_here;

	if (here == NULL || here->current == NULL)
		return false;
	if (here->leaf != NULL)
		return here->leaf->message == message;
	return here->current->request != NULL && here->current->request->message == message;
}

/* A mistake that would spoil the heap. */
static __attribute__((cold, noinline)) void
message_refuse(const struct bay_message *message)
{
	const struct bay_instance *instance = bay_instance_current();
	const char *subject = instance != NULL ? instance_subject(instance) : NULL;

	if (message_is_gone(message))
		log_error(subject, "bay_message_free: the message has been freed already [misuse-freed]");
	else
		log_error(subject, "bay_message_free: the message is that of the request, which is only lent "
			"to its handler [misuse-message]");
}

void
bay_message_free(struct bay_message *message)
{
	if (message == NULL)
		return;
	/* Who shares it with the request has a reference of its own. */
	if (__builtin_expect(message_is_gone(message) || message_is_lent(message), 0)) {
		message_refuse(message);
		return;
	}
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
