/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/completions.h>. A member is the waiter of its handle, and moves from
 * one list to the other when that ends:
 *
 *	pending ---- ended ---> done ---- next ---> freed
 *	                  \---> a task that waits for the next ---> freed
 */
#include "config.h"

#include <bay/completions.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/handle.h"
#include "runtime/task.h"
#include "runtime/waitable.h"

struct bay_completions {
	struct waitable waitable;
	struct list pending;      /* struct completion.waiter.link */
	struct list done;         /* the same, oldest first */
	size_t size;              /* of both */
};

struct completion {
	struct waiter waiter;     /* never parked on */
	struct bay_completions *in;
	struct bay_task *handle;  /* NULL: one that was NULL */
};

static void
completion_free(struct completion *completion)
{
	list_remove(&completion->waiter.link);
	completion->in->size--;
	free(completion);
}

/* The next that has ended; it is known from then on how. Done is not empty. */
static struct bay_task *
completions_take(struct bay_completions *completions)
{
	struct completion *completion = container_of(list_first(&completions->done), struct completion, waiter.link);
	struct bay_task *handle = completion->handle;

	completion_free(completion);
	if (handle != NULL)
		handle->collected = true;
	return handle;
}

/* Gives those who wait what there is; when nothing is left to come, they know. */
static void
completions_hand_out(struct bay_completions *completions)
{
	struct waiter *first;

	while (!list_empty(&completions->done) && (first = waitable_first(&completions->waitable)) != NULL) {
		first->item = completions_take(completions);
		waiter_wake(first, BAY_OK);
	}
	if (completions->size == 0)
		waitable_wake_all(&completions->waitable, BAY_CLOSED, NULL);
}

static bool
completion_ended(struct waiter *waiter, struct bay_task *handle)
{
	struct completion *completion = (struct completion *)waiter;
	struct bay_completions *completions = completion->in;

	(void)handle;
	list_remove(&waiter->link);
	list_push_back(&completions->done, &waiter->link);
	completions_hand_out(completions);
	return false;
}

/* --- public ------------------------------------------------------------------- */

struct bay_completions *
bay_as_completed(struct bay_task *const *tasks, size_t count)
{
	struct bay_completions *completions;
	size_t i;

	if (!AWAIT_BEGIN("bay_as_completed"))
		return NULL;
	completions = waitable_create(sizeof *completions, "completions", NULL);
	if (completions == NULL)
		return NULL;
	list_init(&completions->pending);
	list_init(&completions->done);
	for (i = 0; i < count; i++) {
		if (bay_completions_add(completions, tasks[i]) == BAY_OK)
			continue;
		bay_completions_destroy(completions);
		return NULL;
	}
	return completions;
}

int
bay_completions_add(struct bay_completions *completions, struct bay_task *task)
{
	struct completion *completion;
	int status = BAY_OK;

	if (!WAITABLE_BEGIN(completions, "bay_completions_add"))
		return BAY_INVALID;
	if (task != NULL && !task->done)
		status = handle_refusal(task, task_current(), "bay_completions_add");
	if (status != BAY_OK)
		return status;
	completion = alloc_try(sizeof *completion);
	if (completion == NULL)
		return BAY_NO_MEMORY;
	waiter_init(&completion->waiter, AWAIT_PART);
	completion->waiter.ended = completion_ended;
	completion->waiter.waitable = &completions->waitable;
	completion->in = completions;
	completion->handle = task;
	completions->size++;
	if (task != NULL && !task->done) {
		task->waiter = &completion->waiter;
		list_push_back(&completions->pending, &completion->waiter.link);
	} else {
		list_push_back(&completions->done, &completion->waiter.link);
		completions_hand_out(completions);
	}
	return BAY_OK;
}

static int
completions_await(struct bay_completions *completions, struct bay_task **task_r, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waitable_stand(&completions->waitable, &waiter);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		*task_r = waiter.item;
	return status;
}

int
bay_completions_next(struct bay_completions *completions, struct bay_task **task_r, int64_t deadline)
{
	struct task *self;

	if (!WAITABLE_BEGIN(completions, "bay_completions_next"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	/* Nobody waits while something is done. */
	if (list_empty(&completions->done) && completions->size > 0)
		return completions_await(completions, task_r, deadline);
	if (completions->size == 0)
		return await_refused(self, BAY_CLOSED);
	*task_r = completions_take(completions);
	return await_refused(self, BAY_OK);
}

size_t
bay_completions_size(const struct bay_completions *completions)
{
	return completions->size;
}

void
bay_completions_destroy(struct bay_completions *completions)
{
	struct list *first;

	if (completions == NULL || !waitable_is_here(completions, "bay_completions_destroy"))
		return;
	while ((first = list_first(&completions->pending)) != NULL) {
		struct completion *completion = container_of(first, struct completion, waiter.link);

		completion->handle->waiter = NULL;
		completion_free(completion);
	}
	while ((first = list_first(&completions->done)) != NULL)
		completion_free(container_of(first, struct completion, waiter.link));
	waitable_close(&completions->waitable);
}
