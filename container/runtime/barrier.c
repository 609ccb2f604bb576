/* SPDX-License-Identifier: BSD-2-Clause */
/* The barrier of <bay/barrier.h>. */
#include "config.h"

#include <bay/barrier.h>

#include "runtime/waitable.h"

struct bay_barrier {
	struct waitable waitable;
	size_t parties;
	size_t arrived;     /* in this round: so many wait */
	bool broken;        /* nobody waits, until it is reset */
};

struct bay_barrier *
bay_barrier_create(const char *name, size_t parties)
{
	struct bay_barrier *barrier;

	if (parties == 0)
		return NULL;
	barrier = waitable_create(sizeof *barrier, "barrier", name);
	if (barrier != NULL)
		barrier->parties = parties;
	return barrier;
}

void
bay_barrier_destroy(struct bay_barrier *barrier)
{
	if (barrier != NULL && waitable_is_here(barrier, "bay_barrier_destroy"))
		waitable_close(&barrier->waitable);
}

/* Ends the round for all who wait. */
static void
barrier_end_round(struct bay_barrier *barrier, int status)
{
	barrier->arrived = 0;
	waitable_wake_all(&barrier->waitable, status, NULL);
}

static void
barrier_break(struct bay_barrier *barrier)
{
	barrier->broken = true;
	barrier_end_round(barrier, BAY_FAILED);
}

/* A party that waits no longer. */
static void
barrier_left(struct waiter *waiter)
{
	barrier_break((struct bay_barrier *)waiter->waitable);
}

static int
barrier_wait(struct bay_barrier *barrier, int64_t deadline)
{
	struct waiter waiter;

	waitable_stand(&barrier->waitable, &waiter);
	waiter.left = barrier_left;
	return task_await(&waiter, deadline);
}

int
bay_barrier_wait(struct bay_barrier *barrier, size_t *index_r, int64_t deadline)
{
	struct task *self;
	size_t place;
	int status;

	if (!WAITABLE_BEGIN(barrier, "bay_barrier_wait"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self)) {
		/* It will not come, and the others need not wait for it. */
		barrier_break(barrier);
		return await_over(self);
	}
	if (barrier->broken)
		return await_passed(self, BAY_FAILED);
	place = barrier->arrived++;
	if (barrier->arrived < barrier->parties) {
		status = barrier_wait(barrier, deadline);
		if (status == BAY_OK && index_r != NULL)
			*index_r = place;
		return status;
	}
	barrier_end_round(barrier, BAY_OK);
	if (index_r != NULL)
		*index_r = place;
	return await_passed(self, BAY_OK);
}

void
bay_barrier_abort(struct bay_barrier *barrier)
{
	if (waitable_is_here(barrier, "bay_barrier_abort"))
		barrier_break(barrier);
}

void
bay_barrier_reset(struct bay_barrier *barrier)
{
	if (!waitable_is_here(barrier, "bay_barrier_reset"))
		return;
	barrier_end_round(barrier, BAY_FAILED);
	barrier->broken = false;
}

bool
bay_barrier_is_broken(const struct bay_barrier *barrier)
{
	return barrier->broken;
}

size_t
bay_barrier_waiting(const struct bay_barrier *barrier)
{
	return barrier->arrived;
}
