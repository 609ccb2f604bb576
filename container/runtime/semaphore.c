/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The semaphore of <bay/semaphore.h>. Units go straight to the waiters, so as long as
 * anybody waits there are fewer than the first of them wants.
 */
#include "config.h"

#include <bay/semaphore.h>

#include <stdint.h>

#include "base/log.h"
#include "runtime/waitable.h"

struct bay_semaphore {
	struct waitable waitable;    /* waiter.item is how many units it wants */
	size_t value;                /* units that are there */
	size_t bound;                /* value never exceeds it */
};

static struct bay_semaphore *
semaphore_create(const char *name, size_t units, size_t bound)
{
	struct bay_semaphore *semaphore = waitable_create(sizeof *semaphore, "semaphore", name);

	if (semaphore != NULL) {
		semaphore->value = units;
		semaphore->bound = bound;
	}
	return semaphore;
}

struct bay_semaphore *
bay_semaphore_create(const char *name, size_t units)
{
	return semaphore_create(name, units, SIZE_MAX);
}

struct bay_semaphore *
bay_semaphore_create_bounded(const char *name, size_t units)
{
	return semaphore_create(name, units, units);
}

void
bay_semaphore_destroy(struct bay_semaphore *semaphore)
{
	if (semaphore != NULL && waitable_is_here(semaphore, "bay_semaphore_destroy"))
		waitable_close(&semaphore->waitable);
}

/* Serves who waits, until the first of them wants more than there is. */
static void
semaphore_serve(struct bay_semaphore *semaphore)
{
	struct waiter *first;

	while ((first = waitable_first(&semaphore->waitable)) != NULL &&
			(uintptr_t)first->item <= semaphore->value) {
		semaphore->value -= (uintptr_t)first->item;
		waiter_wake(first, BAY_OK);
	}
}

/* Takes at once, or says why not (BAY_BUSY: has to wait). */
static int
semaphore_take_now(struct bay_semaphore *semaphore, size_t count)
{
	if (count == 0)
		return BAY_INVALID;
	if (count > semaphore->bound)
		return BAY_TOO_BIG;
	if (count > semaphore->value || !list_empty(&semaphore->waitable.waiters))
		return BAY_BUSY;
	semaphore->value -= count;
	return BAY_OK;
}

/* It wanted more than there was, and those behind it may not. */
static void
semaphore_left(struct waiter *waiter)
{
	semaphore_serve((struct bay_semaphore *)waiter->waitable);
}

static int
semaphore_wait(struct bay_semaphore *semaphore, size_t count, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waitable_enter(&semaphore->waitable);
	waitable_stand(&semaphore->waitable, &waiter);
	waiter.item = (void *)(uintptr_t)count;
	waiter.left = semaphore_left;
	status = task_await(&waiter, deadline);
	/* What was handed over may be gone before we could run. */
	if (semaphore->waitable.closed)
		status = BAY_CLOSED;
	waitable_leave(&semaphore->waitable);
	return status;
}

int
bay_semaphore_acquire(struct bay_semaphore *semaphore, size_t count, int64_t deadline)
{
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(semaphore, "bay_semaphore_acquire"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	status = semaphore_take_now(semaphore, count);
	return status == BAY_BUSY ? semaphore_wait(semaphore, count, deadline) : await_passed(self, status);
}

int
bay_semaphore_try_acquire(struct bay_semaphore *semaphore, size_t count)
{
	if (!waitable_is_here(semaphore, "bay_semaphore_try_acquire"))
		return BAY_INVALID;
	return semaphore_take_now(semaphore, count);
}

int
bay_semaphore_release(struct bay_semaphore *semaphore, size_t count)
{
	if (!waitable_is_here(semaphore, "bay_semaphore_release"))
		return BAY_INVALID;
	if (count > semaphore->bound - semaphore->value) {
		log_error(task_subject(task_current()),
			"bay_semaphore_release: %zu units are too many for semaphore %s, which has %zu of at most "
			"%zu: more were given back than taken [misuse-argument]", count, semaphore->waitable.name, semaphore->value,
			semaphore->bound);
		return BAY_INVALID;
	}
	semaphore->value += count;
	semaphore_serve(semaphore);
	return BAY_OK;
}

size_t
bay_semaphore_value(const struct bay_semaphore *semaphore)
{
	return semaphore->value;
}
