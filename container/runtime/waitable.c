/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/waitable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

/* As far as a chain of holders is followed: every step is a task that waits. */
#define WAITABLE_CHAIN_MAX 64

void *
waitable_create(size_t size, const char *kind, const char *name)
{
	struct waitable *waitable;

	if (scheduler_here == NULL) {
		log_error(task_subject(task_current()),
			"a %s was asked for on a thread that is no loop: only tasks can use one [misuse-thread]", kind);
		return NULL;
	}
	waitable = alloc_try_zeroed(1, size);
	if (waitable == NULL)
		return NULL;
	waitable->scheduler = scheduler_here;
	waitable->kind = kind;
	list_init(&waitable->waiters);
	if (name != NULL)
		strncpy(waitable->name, name, sizeof waitable->name - 1);
	return waitable;
}

/* The kind of what is freed. It lies behind what the heap writes into a free piece. */
static const char waitable_gone[] = "freed";

void
waitable_free(struct waitable *waitable)
{
	/* A compiler drops what is stored just before it is freed, unless it must not. */
	*(struct scheduler *volatile *)&waitable->scheduler = NULL;
	*(const char *volatile *)&waitable->kind = waitable_gone;
	free(waitable);
}

void
waitable_close(struct waitable *waitable)
{
	waitable->closed = true;
	waitable_wake_all(waitable, BAY_CLOSED, NULL);
	if (waitable->users == 0)
		waitable_free(waitable);
}

void
waitable_leave(struct waitable *waitable)
{
	if (--waitable->users == 0 && waitable->closed)
		waitable_free(waitable);
}

bool
waitable_refuse(const struct waitable *waitable, const char *function)
{
	if (waitable == NULL)
		log_error(task_subject(task_current()),
			"%s: NULL was given: was there no memory when it was created? [misuse-null]", function);
	else if (waitable->kind == waitable_gone)
		log_error(task_subject(task_current()),
			"%s: what it was given has been destroyed or closed already [misuse-freed]", function);
	else if (scheduler_here == NULL)
		log_error(await_elsewhere != NULL ? await_elsewhere->subject : NULL,
			"%s was called on a thread that is no loop: %s %s is for tasks of its own loop "
			"[misuse-thread]", function, waitable->kind, waitable->name);
	else
		log_error(task_subject(task_current()),
			"%s: %s %s belongs to another loop, and its tasks alone may use it [misuse-owner]", function,
			waitable->kind, waitable->name);
	return false;
}

void
waitable_wake_all(struct waitable *waitable, int status, void *item)
{
	struct waiter *waiter;

	while ((waiter = waitable_first(waitable)) != NULL) {
		waiter->item = item;
		waiter_wake(waiter, status);
	}
}

/* --- who waits for whom ---------------------------------------------------------- */

static const struct waitable *
waitable_of(const struct task *task)
{
	return task->state == TASK_WAITING && task->waiter != NULL ? task->waiter->waitable : NULL;
}

/* Whether a task that waits for it waits for itself in the end. */
static bool
waitable_closes_circle(const struct waitable *waitable, const struct task *self)
{
	int step;

	for (step = 0; step < WAITABLE_CHAIN_MAX && waitable != NULL && waitable->holder != NULL; step++) {
		if (waitable->holder == self)
			return true;
		waitable = waitable_of(waitable->holder);
	}
	return false;
}

/* Appends to text, as much as there is room for. */
static __attribute__((format(printf, 4, 5))) void
waitable_print(char *text, size_t size, size_t *length, const char *format, ...)
{
	va_list args;
	int printed;

	va_start(args, format);
	printed = vsnprintf(text + *length, size - *length, format, args);
	va_end(args);
	if (printed > 0)
		*length += (size_t)printed < size - *length ? (size_t)printed : size - *length - 1;
}

/* What it is called by who is the waiter of a task. */
static void
waitable_print_name(const struct waitable *waitable, const struct waiter *waiter, char *text, size_t size,
	size_t *length)
{
	char described[128];
	const char *name = waitable->name;

	if (waitable->describe != NULL) {
		waitable->describe(waitable, waiter, described, sizeof described);
		name = described;
	}
	waitable_print(text, size, length, "%s%s%s", waitable->kind, name[0] != '\0' ? " " : "", name);
}

/* "lock a held by task 9 writer", and, as long as that leads back to self, for what task 9
 * waits. */
static void
waitable_print_chain(const struct waitable *waitable, const struct task *self, char *text, size_t size)
{
	const struct waiter *waiter = self->waiter;
	bool circle = waitable_closes_circle(waitable, self);
	const struct task *holder;
	size_t length = 0;

	for (;;) {
		holder = waitable->holder;
		waitable_print_name(waitable, waiter, text, size, &length);
		if (holder != NULL)
			waitable_print(text, size, &length, " held by task %" PRIu64 " %s", holder->id, holder->name);
		if (!circle)
			return;
		if (holder == self)
			break;
		waitable_print(text, size, &length, ", which waits for ");
		waitable = waitable_of(holder);
		waiter = holder->waiter;
	}
	waitable_print(text, size, &length, ": deadlock");
}

void
waitable_warn_of_circle(const struct waitable *waitable)
{
	const struct task *self = task_current();
	char text[512];

	if (!waitable_closes_circle(waitable, self))
		return;
	waitable_print_chain(waitable, self, text, sizeof text);
	log_warn(task_subject(task_current()),
		"task %" PRIu64 " %s waits for %s, unless a deadline or a cancellation ends it", self->id,
		self->name, text);
}

bool
waitable_describe(const struct task *task, char *text, size_t size)
{
	const struct waitable *waitable = waitable_of(task);

	if (waitable == NULL)
		return false;
	waitable_print_chain(waitable, task, text, size);
	return true;
}
