/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/listener_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/text.h"
#include "cell/control.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"
#include "service/instance.h"
#include "service/service.h"

/* Goes from the task's loop to the control thread and back; at each time one of them has it. */
struct listener_ask {
	struct inbox_item item;
	struct loop *home;
	struct waiter *waiter; /* home only: the task; NULL: it has left */
	const char *service;   /* lives as long as the process */
	int64_t generation;
	char *address;
	int backlog;
	int status;            /* the answer */
	char *message;         /* why not, or NULL */
	int fd;                /* -1: none, or taken */
	bool is_home;          /* home only: nobody else will have it again */
};

/* One a process; tasks only use what does not change while there are any. */
static struct {
	struct control *control;
	struct loop *loop;
	listener_generation_fn *generation;
	void *arg;
} listener_here;

static void
listener_ask_free(struct listener_ask *ask)
{
	fd_close(&ask->fd);
	free(ask->message);
	free(ask->address);
	free(ask);
}

/* --- home again ------------------------------------------------------------------------- */

static void
listener_ask_on_home(struct inbox_item *item)
{
	struct listener_ask *ask = container_of(item, struct listener_ask, item);

	ask->is_home = true;
	/* One whose wait was cut off may not have run since. */
	if (ask->waiter != NULL)
		waiter_wake(ask->waiter, BAY_OK);
	else
		listener_ask_free(ask);
}

static void
listener_ask_go_home(struct listener_ask *ask, int status, const char *message)
{
	ask->status = status;
	if (status != BAY_OK)
		ask->message = xstrdup(message);
	ask->item.run = listener_ask_on_home;
	loop_post(ask->home, &ask->item);
}

/* --- on the control thread --------------------------------------------------------------- */

static void
listener_ask_on_reply(const struct control_reply *reply, void *arg)
{
	struct listener_ask *ask = arg;

	/* The cell ends, and its loops have: so has the task. */
	if (listener_here.control == NULL) {
		listener_ask_free(ask);
		return;
	}
	if (reply->status != BAY_OK) {
		listener_ask_go_home(ask, reply->status, reply->message);
	} else if (reply->fds->count == 0 || reply->fds->fd[0] < 0) {
		listener_ask_go_home(ask, BAY_IO, "listen: the cell has as many descriptors open as it may: "
			"raise its limit (LimitNOFILE= or ulimit -n of bayd)");
	} else {
		ask->fd = reply->fds->fd[0];
		reply->fds->fd[0] = -1;
		listener_ask_go_home(ask, BAY_OK, NULL);
	}
}

static void
listener_ask_on_control(struct inbox_item *item)
{
	struct listener_ask *ask = container_of(item, struct listener_ask, item);
	const struct cell_listen asked = {.service = ask->service, .generation = ask->generation,
		.address = ask->address, .backlog = ask->backlog};

	if (listener_here.control == NULL) {
		listener_ask_free(ask);
		return;
	}
	if (!listener_here.generation(ask->service, ask->generation, listener_here.arg))
		listener_ask_go_home(ask, BAY_CLOSED, "listen: the service is being stopped");
	else if (!text_is_utf8(ask->address, strlen(ask->address)))
		listener_ask_go_home(ask, BAY_INVALID, "listen: the address is no UTF-8 text");
	else
		control_call(listener_here.control, CELL_LISTEN, cell_listen_to_json(&asked),
			listener_ask_on_reply, ask);
}

/* --- in the task ------------------------------------------------------------------------- */

static struct listener_ask *
listener_ask_create(const struct task *self, const char *address, int backlog)
{
	struct listener_ask *ask = calloc(1, sizeof *ask);

	if (ask == NULL)
		return NULL;
	ask->item.run = listener_ask_on_control;
	ask->home = &self->scheduler->loop;
	ask->service = self->instance->service->name;
	ask->generation = self->instance->generation;
	ask->address = strdup(address);
	ask->backlog = backlog > 0 ? backlog : 0;
	ask->fd = -1;
	if (ask->address != NULL)
		return ask;
	free(ask);
	return NULL;
}

/* Why it must not even begin, or BAY_OK. */
static int
listener_source_refuse(struct task *self, int64_t deadline)
{
	if (self->canceled != NULL)
		return BAY_CANCELED;
	return task_deadline(self, deadline) <= self->scheduler->loop.now_ns ? BAY_TIMEOUT : BAY_OK;
}

static int
listener_source_say(int status, const char *text, char *error_r, size_t error_size)
{
	snprintf(error_r, error_size, "%s", text);
	return status;
}

int
listener_source_ask(const char *address, int backlog, int *fd_r, char *error_r, size_t error_size,
	int64_t deadline)
{
	struct task *self = task_current();
	struct listener_ask *ask;
	struct waiter waiter;
	int status;

	*fd_r = -1;
	if (self == NULL || self->instance == NULL)
		return listener_source_say(BAY_INVALID, "listen: only a service can", error_r, error_size);
	if (self->instance->replaced)
		return listener_source_say(await_refused(self, BAY_CLOSED), "listen: the code of the service has been "
			"replaced", error_r, error_size);
	status = listener_source_refuse(self, deadline);
	if (status != BAY_OK)
		return listener_source_say(await_refused(self, status), "listen: the time is over before it began",
			error_r, error_size);
	ask = listener_ask_create(self, address, backlog);
	if (ask == NULL)
		return listener_source_say(BAY_NO_MEMORY, "listen: no memory", error_r, error_size);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = address;
	ask->waiter = &waiter;
	loop_post(listener_here.loop, &ask->item);
	status = task_await(&waiter, deadline);
	if (status != BAY_OK) {
		ask->waiter = NULL;
		if (ask->is_home)
			listener_ask_free(ask);
		return listener_source_say(status, "listen: bayd has not answered yet", error_r, error_size);
	}
	status = ask->status;
	*fd_r = ask->fd;
	ask->fd = -1;
	(void)listener_source_say(status, ask->message != NULL ? ask->message : "", error_r, error_size);
	listener_ask_free(ask);
	return status;
}

/* --- life -------------------------------------------------------------------------------- */

void
listener_source_begin(struct control *control, struct loop *loop, listener_generation_fn *generation,
	void *arg)
{
	listener_here.control = control;
	listener_here.loop = loop;
	listener_here.generation = generation;
	listener_here.arg = arg;
}

void
listener_source_end(void)
{
	listener_here.control = NULL;
}
