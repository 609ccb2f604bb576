/* SPDX-License-Identifier: BSD-2-Clause */
/* bay_serve(): a listener, and a task for each of its connections. */
#include "config.h"

#include <stdlib.h>

#include <bay/scope.h>
#include <bay/tls.h>

#include "base/alloc.h"
#include "base/log.h"
#include "io/listener.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"
#include "runtime/waitable.h"

/* What was written has so long to go when its function has returned. */
#define SERVING_CLOSE_NS (10 * BAY_SECOND)
/* TLS has to have begun within this. */
#define SERVING_HANDSHAKE_NS (10 * BAY_SECOND)
/* Without memory for a connection, the next one is accepted after this. */
#define SERVING_REST_NS (BAY_SECOND / 10)

struct serving {
	struct bay_listener *listener;
	struct bay_tls *tls;    /* or NULL */
	bay_serve_fn *fn;
	void *arg;
	unsigned live;          /* connections */
	unsigned most;
	struct waiter *full;    /* waits until one has ended, or NULL */
};

struct serving_connection {
	struct serving *serving;
	struct bay_stream *stream;
};

/* As far as the plugin's function, and what that says. */
static int
serving_talk(const struct serving *serving, struct bay_stream *stream)
{
	int status;

	if (serving->tls != NULL) {
		status = bay_stream_start_tls(stream, serving->tls, NULL, bay_after(SERVING_HANDSHAKE_NS));
		if (status != BAY_OK) {
			log_debug(task_subject(task_current()), "bay_serve: %s [misuse-argument]", bay_stream_error(stream));
			/* Who is refused is told why: that has to go out, so it is no reset. */
			return status == BAY_TIMEOUT || status == BAY_CANCELED ? status : BAY_OK;
		}
	}
	return serving->fn(stream, serving->arg);
}

static int
serving_connection_main(void *arg)
{
	struct serving_connection connection = *(struct serving_connection *)arg;
	struct serving *serving = connection.serving;

	free(arg);
	if (serving_talk(serving, connection.stream) == BAY_OK)
		(void)bay_stream_close(connection.stream, bay_after(SERVING_CLOSE_NS));
	else
		bay_stream_abort(connection.stream);
	serving->live--;
	if (serving->full != NULL)
		waiter_wake(serving->full, BAY_OK);
	return BAY_OK;
}

/* Without memory the connection is aborted, and the listener serves on. */
static int
serving_start(struct serving *serving, struct bay_scope *scope, struct bay_stream *stream)
{
	struct serving_connection *connection = alloc_try(sizeof *connection);

	if (connection != NULL) {
		connection->serving = serving;
		connection->stream = stream;
		serving->live++;
		if (bay_scope_go(scope, "connection", serving_connection_main, connection) == BAY_OK)
			return BAY_OK;
		serving->live--;
		free(connection);
	}
	bay_stream_abort(stream);
	return BAY_NO_MEMORY;
}

/* Waits until there is room for one more. BAY_OK, BAY_TIMEOUT, BAY_CANCELED. */
static int
serving_await_room(struct serving *serving, int64_t deadline)
{
	struct waiter waiter;
	int status = BAY_OK;

	while (status == BAY_OK && serving->live >= serving->most) {
		waiter_init(&waiter, AWAIT_CANCELABLE);
		task_current()->awaiting = "bay_serve";
		waiter.on = "a connection to end";
		serving->full = &waiter;
		status = task_await(&waiter, deadline);
		serving->full = NULL;
	}
	return status;
}

static int
serving_go_without_memory(int64_t deadline)
{
	static struct log_rate rate = {.burst = 1, .period_ns = 10 * BAY_SECOND};
	int64_t until_ns = bay_after(SERVING_REST_NS);
	char hidden[64];
	uint64_t count;

	if (log_rate_pass(&rate, &count))
		log_warn(task_subject(task_current()), "bay_serve: no memory for a connection, which was aborted%s",
			log_rate_text(count, hidden, sizeof hidden));
	return bay_sleep_until(until_ns < deadline ? until_ns : deadline);
}

static int
serving_run(struct serving *serving, struct bay_scope *scope, int64_t deadline)
{
	struct bay_stream *stream;
	int status;

	for (;;) {
		status = serving_await_room(serving, deadline);
		if (status == BAY_OK)
			status = bay_accept(serving->listener, &stream, deadline);
		if (status == BAY_OK)
			status = serving_start(serving, scope, stream);
		if (status == BAY_NO_MEMORY)
			status = serving_go_without_memory(deadline);
		if (status != BAY_OK)
			return status;
	}
}

int
bay_serve(struct bay_listener *listener, bay_serve_fn *fn, void *arg, unsigned max_connections, int64_t deadline)
{
	struct serving serving = {.listener = listener, .fn = fn, .arg = arg, .most = max_connections};
	struct bay_scope *scope;
	int status, ended;

	if (!WAITABLE_BEGIN(listener, "bay_serve"))
		return BAY_INVALID;
	if (fn == NULL || max_connections == 0) {
		log_error(task_subject(task_current()), "bay_serve: %s [misuse-argument]", fn == NULL ? "there is no function"
			: "with max_connections 0 nobody could be served");
		return BAY_INVALID;
	}
	serving.tls = listener_tls(listener);
	scope = bay_scope_open(deadline);
	if (scope == NULL)
		return BAY_NO_MEMORY;
	status = serving_run(&serving, scope, deadline);
	if (status != BAY_CLOSED)
		bay_scope_cancel(scope, "bay_serve has ended");
	ended = bay_scope_close(scope);
	return status == BAY_CLOSED && (ended == BAY_TIMEOUT || ended == BAY_CANCELED) ? ended : status;
}
