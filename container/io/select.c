/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function of <bay/select.h>. First every case is tried without waiting. If none can
 * happen, the select stands in the line of each with a waiter of its own, a part; the task is
 * parked on another, the whole. Whoever wakes a part takes all the others out of their lines
 * in the same moment, so nobody can hand a second thing to them.
 *
 *	task ---> whole      part 0 in jobs' getters
 *	                     part 1 in the end of a task
 *	                     part 2 in the loop's watches
 *
 * Points of time have no line: the earliest is the deadline of the wait.
 */
#include "config.h"

#include "io/select.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/descriptor.h"
#include "io/file_watch.h"
#include "io/listener.h"
#include "io/process.h"
#include "io/signal_watch.h"
#include "io/stream.h"
#include "runtime/await.h"
#include "runtime/channel.h"
#include "runtime/handle.h"
#include "runtime/source.h"
#include "runtime/task.h"
#include "runtime/ticker.h"
#include "runtime/wait.h"

/* So many parts lie on the stack; for more, memory is asked for. */
#define SELECT_PARTS 8

struct selection;

struct select_part {
	union {
		struct waiter waiter;
		struct channel_putter putter;
		struct descriptor_waiter descriptor;
		struct listener_waiter acceptor;
		struct signal_waiter signal;
		struct file_watch_waiter watch;
	};
	struct selection *selection;
	struct bay_case *of;
	bool stands;             /* in a line, or has been woken there */
};

struct selection {
	struct waiter whole;
	struct bay_case *cases;
	size_t count;
	struct select_part *parts;
	struct select_part *won; /* NULL: none yet */
};

/* --- trying ------------------------------------------------------------------------------- */

static bool
case_try_read(struct bay_case *one)
{
	one->status = stream_look(one->stream);
	if (one->status == BAY_OK || one->status != BAY_BUSY)
		return true;
	/* BUSY is how it happens only when somebody else reads. */
	return !list_empty(&one->stream->readers) || one->stream->reading;
}

static bool
case_try_accept(struct bay_case *one)
{
	struct listener_connection connection;

	one->status = listener_accept(one->listener, &connection);
	if (one->status == BAY_OK)
		one->status = listener_open(one->listener, &connection, &one->stream);
	return one->status != BAY_BUSY;
}

/* Every subscription begins with one. */
static struct source *
case_source(const struct bay_case *one)
{
	return (struct source *)one->subscription;
}

/* Lets the case happen if it can at once; then true and its status. */
static bool
case_try(struct bay_case *one, int64_t now_ns)
{
	switch (one->kind) {
	case BAY_CASE_GET:
		one->status = one->channel != NULL ? channel_get(one->channel, &one->item) : BAY_BUSY;
		return one->status != BAY_BUSY;
	case BAY_CASE_PUT:
		if (one->channel == NULL)
			return false;
		one->status = channel_put(one->channel, one->item, one->priority, one->bytes);
		return one->status != BAY_FULL;
	case BAY_CASE_TASK:
		one->status = one->task != NULL ? BAY_OK : BAY_NO_MEMORY;
		if (one->task != NULL && one->task->done)
			one->task->collected = true;
		return one->task == NULL || one->task->done;
	case BAY_CASE_TIME:
		one->status = BAY_OK;
		return one->when_ns <= now_ns;
	case BAY_CASE_TICK:
		one->status = BAY_OK;
		return one->ticker != NULL && ticker_take(one->ticker, now_ns, &one->missed);
	case BAY_CASE_FD:
		one->status = descriptor_poll(one->fd, one->what, &one->ready);
		return one->status != BAY_BUSY;
	case BAY_CASE_READ:
		return one->stream != NULL && case_try_read(one);
	case BAY_CASE_ACCEPT:
		return one->listener != NULL && case_try_accept(one);
	case BAY_CASE_PROCESS:
		one->status = BAY_OK;
		return one->process != NULL && process_has_ended(one->process);
	case BAY_CASE_SIGNAL:
		one->status = BAY_OK;
		return one->signal != NULL && signal_take(one->signal, one->signal_info);
	case BAY_CASE_WATCH:
		one->status = one->watch != NULL ? file_watch_take(one->watch, one->event) : BAY_BUSY;
		return one->status != BAY_BUSY;
	case BAY_CASE_MESSAGE:
		one->status = one->subscription != NULL ?
			case_source(one)->take(case_source(one), &one->item, &one->topic) : BAY_BUSY;
		return one->status != BAY_BUSY;
	default:
		return false;
	}
}

/* Tries all, from one of them on that chance chooses. */
static bool
cases_try(struct bay_case *cases, size_t count, size_t *index_r)
{
	size_t start = count > 1 ? scheduler_random(scheduler_here) % count : 0;
	int64_t now_ns = clock_monotonic_ns();
	size_t i;

	for (i = 0; i < count; i++) {
		size_t index = start + i < count ? start + i : start + i - count;

		if (case_try(&cases[index], now_ns)) {
			*index_r = index;
			return true;
		}
	}
	return false;
}

/* When the first point of time among the cases comes. */
static int64_t
cases_next_ns(const struct bay_case *cases, size_t count)
{
	int64_t next_ns = BAY_INHERIT;
	size_t i;

	for (i = 0; i < count; i++) {
		int64_t when_ns = BAY_INHERIT;

		if (cases[i].kind == BAY_CASE_TIME)
			when_ns = cases[i].when_ns;
		else if (cases[i].kind == BAY_CASE_TICK && cases[i].ticker != NULL)
			when_ns = bay_ticker_when(cases[i].ticker);
		if (when_ns < next_ns)
			next_ns = when_ns;
	}
	return next_ns;
}

/* --- standing in the lines ----------------------------------------------------------------- */

/* Out of its line. Nobody can wake it any more. */
static void
part_leave(struct select_part *part)
{
	part->waiter.woken = true;
	list_remove(&part->waiter.link);
	if (part->of->kind == BAY_CASE_TASK)
		part->of->task->waiter = NULL;
	else if (part->of->kind == BAY_CASE_FD || part->of->kind == BAY_CASE_PROCESS)
		watch_end(&part->descriptor.watch);
	else if (part->of->kind == BAY_CASE_READ)
		waitable_leave(&part->of->stream->waitable);
	else if (part->of->kind == BAY_CASE_ACCEPT)
		listener_left(part->of->listener);
	else if (part->of->kind == BAY_CASE_MESSAGE)
		waitable_leave(&case_source(part->of)->waitable);
}

/* All that have not been woken leave, before anybody can hear of the first. */
static void
selection_leave(struct selection *selection)
{
	size_t i;

	for (i = 0; i < selection->count; i++) {
		struct select_part *part = &selection->parts[i];

		if (part->stands && !part->waiter.woken)
			part_leave(part);
		else
			part->stands = false;
	}
	for (i = 0; i < selection->count; i++) {
		struct select_part *part = &selection->parts[i];

		if (part->stands && part->of->kind == BAY_CASE_PUT)
			channel_putter_left(&part->putter);
		part->stands = false;
	}
}

static void
selection_on_whole_left(struct waiter *waiter)
{
	selection_leave(container_of(waiter, struct selection, whole));
}

static void
selection_on_part_woken(struct waiter *waiter)
{
	struct select_part *part = container_of(waiter, struct select_part, waiter);
	struct selection *selection = part->selection;

	selection->won = part;
	selection_leave(selection);
	waiter_wake(&selection->whole, BAY_OK);
}

static bool
selection_on_task_ended(struct waiter *waiter, struct bay_task *handle)
{
	(void)waiter;
	handle->collected = true;
	return true;
}

static int
part_await_task(struct select_part *part, struct bay_task *task)
{
	if (task == part->waiter.task->handle) {
		log_error(task_subject(task_current()), "bay_select: a task cannot wait for itself [misuse-argument]");
		return BAY_INVALID;
	}
	if (task->waiter != NULL) {
		log_error(task_subject(task_current()), "bay_select: a task has a waiter already (or stands twice): one at a time [misuse-argument]");
		return BAY_BUSY;
	}
	part->waiter.ended = selection_on_task_ended;
	task->waiter = &part->waiter;
	return BAY_OK;
}

static void
part_await_source(struct select_part *part, struct source *source)
{
	waitable_enter(&source->waitable);
	part->waiter.waitable = &source->waitable;
	list_push_back(&source->waitable.waiters, &part->waiter.link);
}

static void
part_finish_source(struct select_part *part, struct source *source)
{
	struct bay_case *of = part->of;

	if (of->status == BAY_OK)
		of->status = source->open(source, part->waiter.item, &of->item, &of->topic);
	waitable_leave(&source->waitable);
}

/* Into the line of its case, if that has one. */
static int
part_await(struct select_part *part)
{
	struct bay_case *of = part->of;
	int status = BAY_OK;

	waiter_init(&part->waiter, AWAIT_PART);
	part->waiter.left = selection_on_part_woken;
	switch (of->kind) {
	case BAY_CASE_GET:
		if (of->channel == NULL)
			return BAY_OK;
		channel_await_get(&part->waiter, of->channel);
		break;
	case BAY_CASE_PUT:
		if (of->channel == NULL)
			return BAY_OK;
		channel_await_put(&part->putter, of->channel, of->item, of->priority, of->bytes);
		break;
	case BAY_CASE_TASK:
		status = part_await_task(part, of->task);
		break;
	case BAY_CASE_FD:
		status = descriptor_await(&part->descriptor, of->fd, of->what);
		break;
	case BAY_CASE_READ:
		if (of->stream == NULL)
			return BAY_OK;
		part->waiter.waitable = &of->stream->waitable;
		list_push_back(&of->stream->readers, &part->waiter.link);
		waitable_enter(&of->stream->waitable);
		break;
	case BAY_CASE_ACCEPT:
		if (of->listener == NULL)
			return BAY_OK;
		listener_await(&part->acceptor, of->listener);
		break;
	case BAY_CASE_PROCESS:
		if (of->process == NULL)
			return BAY_OK;
		status = descriptor_await(&part->descriptor, of->process->child->pidfd, BAY_READABLE);
		break;
	case BAY_CASE_SIGNAL:
		if (of->signal == NULL)
			return BAY_OK;
		part->signal.info_r = of->signal_info;
		signal_await(&part->signal, of->signal);
		break;
	case BAY_CASE_WATCH:
		if (of->watch == NULL)
			return BAY_OK;
		part->watch.event_r = of->event;
		file_watch_await(&part->watch, of->watch);
		break;
	case BAY_CASE_MESSAGE:
		if (of->subscription == NULL)
			return BAY_OK;
		part_await_source(part, case_source(of));
		break;
	default:
		return BAY_OK;
	}
	part->stands = status == BAY_OK;
	return status;
}

/* What the part that was woken brought. False: nothing has happened after all. */
static bool
part_finish(struct select_part *part)
{
	struct bay_case *of = part->of;

	of->status = part->waiter.status;
	if (of->kind == BAY_CASE_READ) {
		/* What came may be nothing to read: half a record, say. */
		if (of->status == BAY_OK)
			of->status = stream_look(of->stream);
		waitable_leave(&of->stream->waitable);
		return of->status != BAY_BUSY;
	}
	if (of->kind == BAY_CASE_GET && of->status == BAY_OK)
		of->item = part->waiter.item;
	if (of->kind == BAY_CASE_ACCEPT) {
		if (of->status == BAY_OK)
			of->status = listener_open(of->listener, &part->acceptor.connection, &of->stream);
		listener_left(of->listener);
	}
	if (of->kind == BAY_CASE_FD)
		of->ready = part->descriptor.ready & (BAY_READABLE | BAY_WRITABLE);
	if (of->kind == BAY_CASE_MESSAGE)
		part_finish_source(part, case_source(of));
	return true;
}

/* Into all the lines; on a failure into none. */
static int
selection_stand(struct selection *selection)
{
	size_t i;

	for (i = 0; i < selection->count; i++) {
		selection->parts[i].selection = selection;
		selection->parts[i].of = &selection->cases[i];
		selection->parts[i].stands = false;
	}
	for (i = 0; i < selection->count; i++) {
		struct select_part *part = &selection->parts[i];
		int status = part_await(part);

		if (status == BAY_OK)
			continue;
		/* That a descriptor cannot be waited for is how its case happened. */
		if (part->of->kind == BAY_CASE_FD) {
			waiter_wake(&part->waiter, status);
			return BAY_OK;
		}
		selection_leave(selection);
		return status;
	}
	return BAY_OK;
}

/* Waits in all the lines. BAY_OK: one was woken. */
static int
selection_await(struct selection *selection, int64_t deadline)
{
	int status;

	waiter_init(&selection->whole, AWAIT_CANCELABLE);
	selection->whole.left = selection_on_whole_left;
	status = selection_stand(selection);
	return status == BAY_OK ? task_await(&selection->whole, deadline) : status;
}

/* Whether it can happen without a task having ended. */
static bool
case_is_open(const struct bay_case *of)
{
	switch (of->kind) {
	case BAY_CASE_TASK:
		return false;
	case BAY_CASE_GET:
	case BAY_CASE_PUT:
		return of->channel != NULL;
	default:
		return true;
	}
}

const struct bay_task *
select_awaited_handle(const struct waiter *waiter, size_t *place)
{
	const struct selection *selection;
	size_t i;

	if (waiter->left != selection_on_whole_left)
		return NULL;
	selection = container_of((struct waiter *)waiter, struct selection, whole);
	for (i = 0; *place == 0 && i < selection->count; i++) {
		if (case_is_open(&selection->cases[i]))
			return NULL;
	}
	while (*place < selection->count) {
		const struct bay_case *of = &selection->cases[(*place)++];

		if (of->kind == BAY_CASE_TASK)
			return of->task;
	}
	return NULL;
}

/* --- <bay/select.h> ------------------------------------------------------------------------- */

static int
select_in(struct selection *selection, size_t *index_r, int64_t deadline)
{
	struct task *self = task_current();

	/* Again when the time of a case has come: a tick may have been taken by another. */
	while (!cases_try(selection->cases, selection->count, index_r)) {
		int64_t limit_ns = task_deadline(self, deadline);
		int64_t next_ns = cases_next_ns(selection->cases, selection->count);
		int status = selection_await(selection, next_ns < limit_ns ? next_ns : limit_ns);

		if (status == BAY_OK && !part_finish(selection->won))
			continue;
		if (status == BAY_OK) {
			*index_r = (size_t)(selection->won->of - selection->cases);
			return BAY_OK;
		}
		if (status != BAY_TIMEOUT || limit_ns < next_ns)
			return status;
	}
	/* Whoever always finds something would otherwise never let anybody else run. */
	return await_refused(self, BAY_OK);
}

static bool
cases_have_sense(const struct bay_case *cases, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if ((unsigned)cases[i].kind > BAY_CASE_MESSAGE)
			break;
		if (cases[i].kind == BAY_CASE_MESSAGE && cases[i].subscription != NULL &&
			!waitable_is_here(cases[i].subscription, "bay_select"))
			return false;
	}
	if (i == count && count > 0)
		return true;
	log_error(task_subject(task_current()), "bay_select: %s [misuse-argument]", count == 0 ? "the list is empty, so nothing would ever end the wait" :
		"there is no such kind of case");
	return false;
}

int
select_cases(struct bay_case *cases, size_t count, size_t *index_r, int64_t deadline)
{
	struct selection selection = {.cases = cases, .count = count};
	struct select_part few[SELECT_PARTS];
	int status;

	if (await_is_over(task_current()))
		return await_over(task_current());
	if (count <= SELECT_PARTS) {
		selection.parts = few;
		return select_in(&selection, index_r, deadline);
	}
	selection.parts = alloc_try_zeroed(count, sizeof selection.parts[0]);
	if (selection.parts == NULL)
		return BAY_NO_MEMORY;
	status = select_in(&selection, index_r, deadline);
	free(selection.parts);
	return status;
}

int
bay_select(struct bay_case *cases, size_t count, size_t *index_r, int64_t deadline)
{
	if (!AWAIT_BEGIN("bay_select") || !cases_have_sense(cases, count))
		return BAY_INVALID;
	return select_cases(cases, count, index_r, deadline);
}
