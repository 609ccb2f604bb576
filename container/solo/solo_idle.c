/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a container by itself does when no task can run: finds out whether anything can come
 * from outside, which a clock that stands still has to wait for, and whether the task that is
 * run can end at all.
 */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/blocking_pool.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "solo/solo_inside.h"

/* Who else could end a wait, from the function that waits. */
enum solo_outside {
	OUTSIDE_NOBODY,  /* a task or a timer */
	OUTSIDE_MAYBE,   /* perhaps somebody, at some time: who connects */
	OUTSIDE_SOON,    /* the other end of a descriptor: at once, if it is in this process */
	OUTSIDE_SURELY   /* somebody who is at work for us */
};

static const struct solo_await {
	const char *function; /* its name begins so */
	enum solo_outside who;
} solo_awaits[] = {
	{"bay_accept", OUTSIDE_MAYBE},
	{"bay_serve", OUTSIDE_MAYBE},
	{"bay_connect", OUTSIDE_SOON},
	{"bay_datagram", OUTSIDE_SOON},
	{"bay_select", OUTSIDE_SOON},
	{"bay_signal", OUTSIDE_MAYBE},
	{"bay_stream", OUTSIDE_SOON},
	{"bay_wait_fd", OUTSIDE_SOON},
	{"bay_watch", OUTSIDE_SOON},
	{"blocking", OUTSIDE_SURELY},
	{"bay_process", OUTSIDE_SURELY},
	{"bay_resolve", OUTSIDE_SURELY},
	{"bay_tls", OUTSIDE_SURELY},
};

void
solo_idle_begin(struct solo *solo)
{
	solo->events = event_base_get_num_events(solo->scheduler->loop.base, EVENT_BASE_COUNT_ADDED);
	solo->asked_switches = UINT64_MAX;
}

static enum solo_outside
solo_outside_of(const struct task *task)
{
	size_t i;

	for (i = 0; task->awaiting != NULL && i < sizeof solo_awaits / sizeof solo_awaits[0]; i++) {
		if (strncmp(task->awaiting, solo_awaits[i].function, strlen(solo_awaits[i].function)) == 0)
			return solo_awaits[i].who;
	}
	return OUTSIDE_NOBODY;
}

/* The surest of all that wait. */
static enum solo_outside
solo_outside(const struct solo *solo)
{
	enum solo_outside most = solo->expects_line ? OUTSIDE_SURELY : OUTSIDE_NOBODY;

	list_for_each(pos, &solo->scheduler->tasks) {
		const struct task *task = container_of(pos, struct task, in_scheduler);
		enum solo_outside who = task->state == TASK_WAITING ? solo_outside_of(task) : OUTSIDE_NOBODY;

		if (who > most)
			most = who;
		if (most == OUTSIDE_SURELY)
			break;
	}
	return most;
}

/* A glance: no descriptor is watched and nothing is at work on another thread. */
static bool
solo_is_alone(const struct solo *solo)
{
	return !solo->expects_line && blocking_pool_threads() == 0 &&
		event_base_get_num_events(solo->scheduler->loop.base, EVENT_BASE_COUNT_ADDED) == solo->events;
}

/* --- waits that never end -------------------------------------------------------- */

static void
solo_tell_stuck(const struct solo *solo)
{
	log_error(NULL, "nothing can happen any more: there is no timer, and every task waits for another one");
	list_for_each(pos, &solo->scheduler->tasks) {
		const struct task *task = container_of(pos, struct task, in_scheduler);
		char text[128];
		const char *on = task_waiting_on(task, text, sizeof text);

		log_error(task_subject(task), "the task %s waits in %s", task->name, on != NULL ? on : "nothing");
	}
}

/* Ends what the caller has begun, so that it hears of it. What belongs to services stays. */
static void
solo_end_stuck(struct solo *solo)
{
	if (solo->stuck_told) {
		fprintf(stderr, "bay: the task %s cannot be ended: it waits for what never comes\n",
			solo->root->name);
		abort();
	}
	solo->stuck_told = true;
	solo_tell_stuck(solo);
	list_for_each(pos, &solo->scheduler->tasks) {
		struct task *task = container_of(pos, struct task, in_scheduler);

		if (task->instance == NULL)
			task_cancel(task, "it waits for what never comes");
	}
}

int64_t
solo_on_idle(struct loop *loop, int64_t until_ns, void *arg)
{
	struct solo *solo = arg;
	enum solo_outside who = OUTSIDE_NOBODY;

	(void)loop;
	if (until_ns == INT64_MAX || !solo_is_alone(solo))
		who = solo_outside(solo);
	if (who == OUTSIDE_SURELY)
		return INT64_MAX;
	if (until_ns == INT64_MAX && who == OUTSIDE_NOBODY && solo->root != NULL)
		solo_end_stuck(solo);
	/* Once is enough as long as nobody has done anything. */
	if (who != OUTSIDE_SOON || solo->scheduler->switches == solo->asked_switches)
		return 0;
	solo->asked_switches = solo->scheduler->switches;
	return solo->options.patience_ns;
}
