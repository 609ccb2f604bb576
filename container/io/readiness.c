/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/readiness.h"

#include <event2/event.h>

#include <bay/status.h>

#include "loop/loop.h"
#include "runtime/wait.h"

/* Gives a free turn to the first in the line. */
static void
readiness_wake_first(struct readiness_line *line)
{
	struct list *first = list_first(&line->waiters);

	if (line->taken || first == NULL)
		return;
	line->taken = true;
	waiter_wake(container_of(first, struct waiter, link), BAY_OK);
}

static void
readiness_on_edge(evutil_socket_t fd, short events, void *arg)
{
	struct readiness_line *line = arg;

	(void)fd;
	(void)events;
	line->maybe = true;
	readiness_wake_first(line);
}

static bool
readiness_line_init(struct readiness_line *line, struct loop *loop, int fd, short events)
{
	list_init(&line->waiters);
	line->maybe = true;
	line->taken = false;
	line->_event = event_new(loop->base, fd, (short)(events | EV_ET), readiness_on_edge, line);
	return line->_event != NULL;
}

static void
readiness_line_finish(struct readiness_line *line, int status)
{
	struct list *first;

	if (line->_event != NULL)
		event_free(line->_event);
	line->_event = NULL;
	while ((first = list_first(&line->waiters)) != NULL)
		waiter_wake(container_of(first, struct waiter, link), status);
}

bool
readiness_init(struct readiness *readiness, struct loop *loop, int fd)
{
	bool read = readiness_line_init(&readiness->reading, loop, fd, EV_READ | EV_PERSIST);
	bool write = readiness_line_init(&readiness->writing, loop, fd, EV_WRITE);

	if (read && write && event_add(readiness->reading._event, NULL) == 0)
		return true;
	readiness_finish(readiness, BAY_IO);
	return false;
}

void
readiness_finish(struct readiness *readiness, int status)
{
	readiness_line_finish(&readiness->reading, status);
	readiness_line_finish(&readiness->writing, status);
}

bool
readiness_take(struct readiness_line *line)
{
	if (line->taken || !list_empty(&line->waiters))
		return false;
	line->taken = true;
	return true;
}

/* Sees to it that an edge will be told. */
static bool
readiness_watch(struct readiness_line *line)
{
	return event_pending(line->_event, EV_READ | EV_WRITE, NULL) || event_add(line->_event, NULL) == 0;
}

int
readiness_await(struct readiness_line *line, bool *turn, const struct waitable *of, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.waitable = of;
	/* Who had its turn has waited longest. */
	if (*turn)
		list_push_front(&line->waiters, &waiter.link);
	else
		list_push_back(&line->waiters, &waiter.link);
	line->taken &= !*turn;
	*turn = false;
	if (!readiness_watch(line)) {
		list_remove(&waiter.link);
		return BAY_NO_MEMORY;
	}
	status = task_await(&waiter, deadline);
	*turn = status == BAY_OK;
	return status;
}

void
readiness_pass(struct readiness_line *line)
{
	line->taken = false;
	if (line->maybe)
		readiness_wake_first(line);
}
