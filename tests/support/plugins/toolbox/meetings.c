/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/event.h>, <bay/barrier.h>, <bay/promise.h>, <bay/once.h>: what tasks wait for
 * together. */
#include "toolbox.h"

struct meeting {
	struct bay_event *event;
	struct bay_barrier *barrier;
	struct bay_promise *promise;
	struct bay_once *once;
	struct seen *seen;
	int runs;
};

static int
await_event(void *arg)
{
	struct meeting *meeting = arg;

	saw(meeting->seen, "%s", bay_status_name(bay_event_wait(meeting->event, BAY_INHERIT)));
	return BAY_OK;
}

static void
see_event(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct meeting meeting = {.event = bay_event_create("start"), .seen = seen};
	struct bay_task *tasks[3];

	(void)request;
	(void)argument;
	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("waits", await_event, &meeting);
	bay_yield();
	bay_task_cancel(tasks[0], "enough");
	bay_event_set(meeting.event);
	saw(seen, "%d", bay_event_is_set(meeting.event));
	bay_event_clear(meeting.event);
	bay_gather(tasks, 3, BAY_INHERIT);
	saw(seen, "%d", bay_event_is_set(meeting.event));
	saw(seen, "%s", bay_status_name(bay_event_wait(meeting.event, bay_after(BAY_MS))));
	bay_event_destroy(meeting.event);
}

static int
meet(void *arg)
{
	struct meeting *meeting = arg;
	size_t index = 9;
	int status = bay_barrier_wait(meeting->barrier, &index, BAY_INHERIT);

	saw(meeting->seen, "%s-%zu", bay_status_name(status), index);
	return BAY_OK;
}

static void
see_barrier(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct meeting meeting = {.barrier = bay_barrier_create("gate", 3), .seen = seen};
	struct bay_task *tasks[2];

	(void)request;
	(void)argument;
	for (int round = 0; round < 2; round++) {
		tasks[0] = bay_spawn("one", meet, &meeting);
		tasks[1] = bay_spawn("two", meet, &meeting);
		bay_yield();
		saw(seen, "%zu", bay_barrier_waiting(meeting.barrier));
		if (round == 0)
			meet(&meeting);
		else
			bay_barrier_abort(meeting.barrier);
		bay_gather(tasks, 2, BAY_INHERIT);
	}
	saw(seen, "%d", bay_barrier_is_broken(meeting.barrier));
	bay_barrier_reset(meeting.barrier);
	saw(seen, "%d", bay_barrier_is_broken(meeting.barrier));
	saw(seen, "%s", bay_status_name(bay_barrier_wait(meeting.barrier, NULL, bay_after(BAY_MS))));
	bay_barrier_destroy(meeting.barrier);
}

static int
await_promise(void *arg)
{
	struct meeting *meeting = arg;
	void *value = NULL;
	int status = bay_promise_wait(meeting->promise, &value, BAY_INHERIT);

	saw(meeting->seen, "%s %s", bay_status_name(status), status == BAY_OK ? (const char *)value :
		bay_promise_error(meeting->promise));
	return BAY_OK;
}

/* Settles it while a task waits. */
static void
see_settled(struct seen *seen, const char *how)
{
	static char gold[] = "gold";
	struct meeting meeting = {.promise = bay_promise_create(how), .seen = seen};
	struct bay_task *task = bay_spawn("waits", await_promise, &meeting);
	int status;

	bay_yield();
	saw(seen, "%d %s", bay_promise_done(meeting.promise), bay_status_name(bay_promise_status(meeting.promise)));
	if (*how == 's')
		status = bay_promise_set(meeting.promise, gold);
	else if (*how == 'f')
		status = bay_promise_fail(meeting.promise, BAY_IO, "no %s", gold);
	else
		status = bay_promise_cancel(meeting.promise, "no need");
	saw(seen, "%s", bay_status_name(status));
	saw(seen, "%s", bay_status_name(bay_promise_set(meeting.promise, NULL)));
	bay_join(task, BAY_INHERIT);
	bay_promise_destroy(meeting.promise);
}

static void
see_promise(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	(void)argument;
	see_settled(seen, "set");
	see_settled(seen, "fail");
	see_settled(seen, "cancel");
}

/* Fails the first time. */
static int
do_it(void *arg)
{
	struct meeting *meeting = arg;

	bay_yield();
	return meeting->runs++ == 0 ? BAY_IO : BAY_OK;
}

static int
need_it(void *arg)
{
	struct meeting *meeting = arg;

	saw(meeting->seen, "%s", bay_status_name(bay_once_run(meeting->once, do_it, meeting, BAY_INHERIT)));
	return BAY_OK;
}

static void
see_once(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct meeting meeting = {.once = bay_once_create("table"), .seen = seen};
	struct bay_task *tasks[3];

	(void)request;
	(void)argument;
	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("needs", need_it, &meeting);
	bay_yield();
	saw(seen, "%d", bay_once_done(meeting.once));
	bay_gather(tasks, 3, BAY_INHERIT);
	saw(seen, "%d %d", bay_once_done(meeting.once), meeting.runs);
	bay_once_destroy(meeting.once);
}

const struct operation meeting_operations[] = {
	{"event", see_event, NULL},
	{"barrier", see_barrier, NULL},
	{"promise", see_promise, NULL},
	{"once", see_once, NULL},
	{NULL, NULL, NULL}
};
