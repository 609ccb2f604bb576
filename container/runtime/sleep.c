/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/time.h>. */
#include "config.h"

#include <bay/task.h>
#include <bay/time.h>

#include "base/clock.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"

/* How long a clock that was set may go unnoticed. */
#define SLEEP_WALL_NS CLOCK_NS_PER_S

int64_t
bay_now(void)
{
	return clock_monotonic_ns();
}

int64_t
bay_wall(void)
{
	return clock_wall_ns();
}

int64_t
bay_after(int64_t span_ns)
{
	int64_t now_ns = clock_monotonic_ns();

	if (span_ns > BAY_INHERIT - now_ns)
		return BAY_INHERIT;
	return now_ns + span_ns;
}

/* The end of the sleep is the deadline of the wait; an inherited deadline that comes
 * first is told apart. */
static int
sleep_until(int64_t when_ns)
{
	struct task *self = task_current();
	int64_t inherited_ns = task_deadline(self, BAY_INHERIT);
	struct waiter waiter;
	int status;

	if (self->canceled != NULL)
		return await_refused(self, BAY_CANCELED);
	if (inherited_ns <= self->scheduler->loop.now_ns)
		return await_refused(self, BAY_TIMEOUT);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	status = task_await(&waiter, when_ns);
	if (status == BAY_TIMEOUT && when_ns <= inherited_ns)
		return BAY_OK;
	return status;
}

int
bay_sleep(int64_t span_ns)
{
	if (span_ns <= 0)
		return bay_yield();
	if (!AWAIT_BEGIN("bay_sleep"))
		return BAY_INVALID;
	return sleep_until(bay_after(span_ns));
}

int
bay_sleep_until(int64_t when_ns)
{
	if (!AWAIT_BEGIN("bay_sleep_until"))
		return BAY_INVALID;
	return sleep_until(when_ns);
}

int
bay_sleep_until_wall(int64_t wall_ns)
{
	int64_t left_ns;

	if (!AWAIT_BEGIN("bay_sleep_until_wall"))
		return BAY_INVALID;
	if (wall_ns <= clock_wall_ns())
		return sleep_until(0);
	while ((left_ns = wall_ns - clock_wall_ns()) > 0) {
		int status = sleep_until(bay_after(left_ns < SLEEP_WALL_NS ? left_ns : SLEEP_WALL_NS));

		if (status != BAY_OK)
			return status;
	}
	return BAY_OK;
}
