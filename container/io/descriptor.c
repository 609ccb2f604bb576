/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/fd.h>. */
#include "config.h"

#include "io/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

_Static_assert(BAY_READABLE == WATCH_READABLE && BAY_WRITABLE == WATCH_WRITABLE, "the same bits");

int
descriptor_poll(int fd, unsigned what, unsigned *ready_r)
{
	struct pollfd asked = {.fd = fd};

	if (fd < 0 || what == 0 || (what & ~(BAY_READABLE | BAY_WRITABLE)) != 0)
		return BAY_INVALID;
	asked.events = (short)((what & BAY_READABLE ? POLLIN : 0) | (what & BAY_WRITABLE ? POLLOUT : 0));
	if (poll(&asked, 1, 0) <= 0)
		return BAY_BUSY;
	if (asked.revents & POLLNVAL)
		return BAY_CLOSED;
	*ready_r = (asked.revents & POLLIN ? BAY_READABLE : 0) | (asked.revents & POLLOUT ? BAY_WRITABLE : 0);
	/* Whatever is tried will fail or end at once. */
	if (asked.revents & (POLLERR | POLLHUP))
		*ready_r = what;
	return BAY_OK;
}

static void
descriptor_on_watch(struct watch *watch, unsigned what)
{
	struct descriptor_waiter *waiter = container_of(watch, struct descriptor_waiter, watch);

	waiter->ready = what;
	waiter_wake(&waiter->waiter, what & WATCH_CLOSED ? BAY_CLOSED : BAY_OK);
}

int
descriptor_await(struct descriptor_waiter *waiter, int fd, unsigned what)
{
	waiter->ready = 0;
	snprintf(waiter->on, sizeof waiter->on, "fd %d", fd);
	waiter->waiter.on = waiter->on;
	if (watch_begin(&waiter->watch, &scheduler_here->loop, fd, what, descriptor_on_watch))
		return BAY_OK;
	return errno == EBADF ? BAY_CLOSED : errno == ENOMEM ? BAY_NO_MEMORY : BAY_IO;
}

static void
descriptor_on_left(struct waiter *waiter)
{
	watch_end(&((struct descriptor_waiter *)waiter)->watch);
}

int
bay_wait_fd(int fd, unsigned what, int64_t deadline)
{
	struct task *self = task_current();
	struct descriptor_waiter waiter;
	unsigned ready;
	int status;

	if (!AWAIT_BEGIN("bay_wait_fd"))
		return BAY_INVALID;
	if (await_is_over(self))
		return await_over(self);
	status = descriptor_poll(fd, what, &ready);
	/* Whoever always finds it ready would otherwise never let anybody else run. */
	if (status != BAY_BUSY)
		return await_refused(self, status);
	waiter_init(&waiter.waiter, AWAIT_CANCELABLE);
	waiter.waiter.left = descriptor_on_left;
	status = descriptor_await(&waiter, fd, what);
	return status == BAY_OK ? task_await(&waiter.waiter, deadline) : status;
}

unsigned
bay_fd_ready(int fd, unsigned what)
{
	unsigned ready = 0;

	switch (descriptor_poll(fd, what, &ready)) {
	case BAY_OK:
		return ready;
	case BAY_BUSY:
		return 0;
	default:
		return what;
	}
}

int
bay_fd_close(int fd)
{
	if (scheduler_here != NULL && fd >= 0)
		watch_closed(&scheduler_here->loop, fd);
	return close(fd) == 0 ? BAY_OK : BAY_IO;
}
