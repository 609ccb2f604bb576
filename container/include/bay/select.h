/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for the first of several things: an item of a channel, room in one, the end of a
 * task, a point of time, a tick, a descriptor, something to read from a stream, a connection,
 * the end of a process, a signal, a change of files, a message of a topic. Exactly one of them
 * happens.
 *
 *	struct bay_case cases[] = {
 *		bay_case_get(jobs),
 *		bay_case_tick(ticker),
 *		bay_case_fd(fd, BAY_READABLE)
 *	};
 *	size_t which;
 *
 *	if (bay_select(cases, 3, &which, BAY_INHERIT) != BAY_OK)
 *		return BAY_CANCELED;
 *	if (which == 0 && cases[0].status == BAY_OK)
 *		work_on(cases[0].item);
 *
 * A case may stay in an array and be used again and again.
 */
#ifndef BAY_SELECT_H
#define BAY_SELECT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bay/abi.h>
#include <bay/channel.h>
#include <bay/fd.h>
#include <bay/listener.h>
#include <bay/process.h>
#include <bay/signal.h>
#include <bay/status.h>
#include <bay/stream.h>
#include <bay/task.h>
#include <bay/ticker.h>
#include <bay/time.h>
#include <bay/topic.h>
#include <bay/watch.h>

BAY_BEGIN_DECLS

enum bay_case_kind {
	BAY_CASE_NONE,  /* never happens: a case that is switched off */
	BAY_CASE_GET,
	BAY_CASE_PUT,
	BAY_CASE_TASK,
	BAY_CASE_TIME,
	BAY_CASE_TICK,
	BAY_CASE_FD,
	BAY_CASE_READ,
	BAY_CASE_ACCEPT,
	BAY_CASE_PROCESS,
	BAY_CASE_SIGNAL,
	BAY_CASE_WATCH,
	BAY_CASE_MESSAGE
};

/* One thing to wait for, made by the functions below. */
struct bay_case {
	enum bay_case_kind kind;
	/* Set for the case that happened: how. */
	int status;
	struct bay_channel *channel; /* GET, PUT; borrowed */
	void *item;                  /* PUT: what to put; GET, MESSAGE: set when it happened */
	int64_t priority;            /* PUT: see bay_channel_put_with() */
	size_t bytes;                /* PUT: the same */
	struct bay_task *task;       /* TASK; borrowed */
	int64_t when_ns;             /* TIME */
	struct bay_ticker *ticker;   /* TICK; borrowed */
	uint64_t missed;             /* TICK: set when it happened */
	int fd;                      /* FD; borrowed */
	unsigned what;               /* FD: BAY_READABLE, BAY_WRITABLE */
	unsigned ready;              /* FD: which of what, set when it happened */
	unsigned unused[5];
	struct bay_listener *listener; /* ACCEPT; borrowed */
	struct bay_stream *stream;   /* READ; borrowed. ACCEPT: set when it happened: yours */
	struct bay_process *process; /* PROCESS; borrowed */
	struct bay_signal *signal;   /* SIGNAL; borrowed */
	struct bay_signal_info *signal_info; /* SIGNAL: filled in when it happened; or NULL */
	struct bay_watch *watch;     /* WATCH; borrowed */
	struct bay_watch_event *event; /* WATCH: filled in when it happened; or NULL */
	struct bay_subscription *subscription; /* MESSAGE; borrowed */
	const char *topic;           /* MESSAGE: set when it happened, as by bay_subscription_next() */
};

static inline struct bay_case
bay_case_of(enum bay_case_kind kind)
{
	struct bay_case made;

	memset(&made, 0, sizeof made);
	made.kind = kind;
	return made;
}

/* An item comes: status BAY_OK and item; or the channel is closed and empty: BAY_CLOSED. */
static inline struct bay_case
bay_case_get(struct bay_channel *channel)
{
	struct bay_case made = bay_case_of(BAY_CASE_GET);

	made.channel = channel;
	return made;
}

/* The item is put: status BAY_OK; or it cannot be: BAY_CLOSED, BAY_TOO_BIG, BAY_NO_MEMORY.
 * It stays the caller's unless this case happened with BAY_OK. */
static inline struct bay_case
bay_case_put(struct bay_channel *channel, void *item)
{
	struct bay_case made = bay_case_of(BAY_CASE_PUT);

	made.channel = channel;
	made.item = item;
	return made;
}

/* The task has ended: status BAY_OK; the handle stays the caller's. NULL: BAY_NO_MEMORY. */
static inline struct bay_case
bay_case_task(struct bay_task *task)
{
	struct bay_case made = bay_case_of(BAY_CASE_TASK);

	made.task = task;
	return made;
}

/* The monotonic clock shows when_ns: status BAY_OK. */
static inline struct bay_case
bay_case_time(int64_t when_ns)
{
	struct bay_case made = bay_case_of(BAY_CASE_TIME);

	made.when_ns = when_ns;
	return made;
}

/* A tick: status BAY_OK and missed, as by bay_ticker_next(). */
static inline struct bay_case
bay_case_tick(struct bay_ticker *ticker)
{
	struct bay_case made = bay_case_of(BAY_CASE_TICK);

	made.ticker = ticker;
	return made;
}

/* The descriptor is ready: status BAY_OK and ready; or what bay_wait_fd() would end with:
 * BAY_CLOSED, BAY_INVALID, BAY_IO. */
static inline struct bay_case
bay_case_fd(int fd, unsigned what)
{
	struct bay_case made = bay_case_of(BAY_CASE_FD);

	made.fd = fd;
	made.what = what;
	return made;
}

/* Something has come in the stream: status BAY_OK, and a read of at least a byte will not wait.
 * Or nothing more will come: BAY_CLOSED at the end, BAY_IO; BAY_BUSY: another task reads. */
static inline struct bay_case
bay_case_read(struct bay_stream *stream)
{
	struct bay_case made = bay_case_of(BAY_CASE_READ);

	made.stream = stream;
	return made;
}

/* A connection is accepted: status BAY_OK and stream; or none can be: BAY_CLOSED, BAY_IO,
 * BAY_NO_MEMORY. */
static inline struct bay_case
bay_case_accept(struct bay_listener *listener)
{
	struct bay_case made = bay_case_of(BAY_CASE_ACCEPT);

	made.listener = listener;
	return made;
}

/* The process has ended: status BAY_OK, and bay_process_poll() says how; or its handle was
 * closed: BAY_CLOSED. NULL: never. */
static inline struct bay_case
bay_case_process(struct bay_process *process)
{
	struct bay_case made = bay_case_of(BAY_CASE_PROCESS);

	made.process = process;
	return made;
}

/* The signal has come: status BAY_OK and *info, as by bay_signal_next(); or the subscription was
 * closed: BAY_CLOSED. Info is the caller's, or NULL. */
static inline struct bay_case
bay_case_signal(struct bay_signal *signal, struct bay_signal_info *info)
{
	struct bay_case made = bay_case_of(BAY_CASE_SIGNAL);

	made.signal = signal;
	made.signal_info = info;
	return made;
}

/* A file has changed: status BAY_OK and *event, as by bay_watch_next(); or nothing more will
 * come: BAY_CLOSED. Event is the caller's, or NULL. */
static inline struct bay_case
bay_case_watch(struct bay_watch *watch, struct bay_watch_event *event)
{
	struct bay_case made = bay_case_of(BAY_CASE_WATCH);

	made.watch = watch;
	made.event = event;
	return made;
}

/* A message comes: status BAY_OK, item is the message, a struct bay_message of the caller's, and
 * topic; or the subscription has ended meanwhile: BAY_CLOSED. */
static inline struct bay_case
bay_case_message(struct bay_subscription *subscription)
{
	struct bay_case made = bay_case_of(BAY_CASE_MESSAGE);

	made.subscription = subscription;
	return made;
}

/* Waits until one of the cases happens, and says which: BAY_OK, *index_r, and the case's
 * status and results. Nothing has happened of the others: no item was taken or put, no tick
 * used up. When several could happen at once, one of them is chosen at random, so that none
 * is starved; in the lines of a channel a select stands like any task. A deadline that has
 * passed, as 0, only looks.
 *
 * BAY_TIMEOUT and BAY_CANCELED: nothing at all has happened. A case that had happened before
 * the task was cancelled is kept: BAY_OK. BAY_BUSY: somebody else waits for a task of
 * these already, or it stands here twice. BAY_INVALID: no cases, an unknown kind, or the
 * running task itself. BAY_NO_MEMORY. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_select(struct bay_case *cases, size_t count, size_t *index_r, int64_t deadline);

BAY_END_DECLS

#endif
