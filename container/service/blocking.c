/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call has three parties: the caller, the function on its thread, and the instance, which
 * stays for as long as it has calls. Who of caller and function is through last sees to the
 * argument; the loop frees the record when it has come home.
 *
 *	           function returns         caller leaves            then
 *	GOING ---> THROUGH, comes home                               caller has arg and result
 *	      ---> THROUGH                  too late to say so       caller frees arg
 *	      ---> frees arg, comes home <- LEFT
 */
#include "config.h"

#include "service/blocking.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "io/blocking_pool.h"
#include "loop/loop.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/hop.h"
#include "service/instance.h"
#include "service/service.h"
#include "service/trace.h"

enum blocking_state {
	BLOCKING_GOING,
	BLOCKING_LEFT,      /* by its caller */
	BLOCKING_THROUGH    /* the function has returned */
};

struct blocking_call {
	struct blocking_job job;
	struct list link;                 /* in instance->blocking */
	struct bay_instance *instance;    /* or NULL: the container's own */
	struct waiter *waiter;            /* the caller; NULL: it has left */
	bay_blocking_fn *fn;
	void *arg;
	bay_blocking_free_fn *free_arg;
	_Atomic int state;                /* enum blocking_state */
	int result;
	bool is_home;                     /* nobody else will have it again */
	int64_t begun_ns;
};

/* For tasks of the container, which belong to no service. */
static struct blocking_lane blocking_own;
static pthread_once_t blocking_own_once = PTHREAD_ONCE_INIT;

static void
blocking_own_init(void)
{
	blocking_lane_init(&blocking_own);
}

static struct blocking_lane *
blocking_lane_of(struct bay_instance *instance)
{
	if (instance != NULL)
		return &instance->service->blocking;
	pthread_once(&blocking_own_once, blocking_own_init);
	return &blocking_own;
}

static bool
blocking_move(struct blocking_call *call, enum blocking_state state)
{
	int going = BLOCKING_GOING;

	return atomic_compare_exchange_strong_explicit(&call->state, &going, (int)state,
		memory_order_acq_rel, memory_order_acquire);
}

static void
blocking_free_arg(bay_blocking_free_fn *free_arg, void *arg)
{
	if (free_arg != NULL)
		free_arg(arg);
}

/* On the helper thread. */
static void
blocking_on_thread(struct blocking_job *job)
{
	struct blocking_call *call = container_of(job, struct blocking_call, job);

	int64_t begin_ns = clock_thread_cpu_ns();

	call->result = call->fn(call->arg);
	service_count_cpu(call->job.elsewhere.service, clock_thread_cpu_ns() - begin_ns);
	if (!blocking_move(call, BLOCKING_THROUGH))
		blocking_free_arg(call->free_arg, call->arg);
}

/* Its instance need not stay for it any more. */
static void
blocking_forget(struct blocking_call *call)
{
	struct bay_instance *instance = call->instance;

	if (instance == NULL)
		return;
	list_remove(&call->link);
	if (list_empty(&instance->blocking) && instance->quiet != NULL)
		waiter_wake(instance->quiet, BAY_OK);
}

static void
blocking_on_home(struct inbox_item *item)
{
	struct blocking_call *call = container_of(item, struct blocking_call, job.home);

	blocking_forget(call);
	call->is_home = true;
	/* One whose wait was cut off may not have run since. */
	if (call->waiter != NULL)
		waiter_wake(call->waiter, BAY_OK);
	else
		free(call);
}

static struct blocking_call *
blocking_create(struct task *self, const char *name, bay_blocking_fn *fn, void *arg,
	bay_blocking_free_fn *free_arg)
{
	struct blocking_call *call = alloc_try_zeroed(1, sizeof *call);
	struct bay_instance *instance = self->instance;
	struct await_elsewhere *elsewhere;

	if (call == NULL)
		return NULL;
	call->job.home.run = blocking_on_home;
	call->job.loop = &self->scheduler->loop;
	call->job.run = blocking_on_thread;
	call->instance = instance;
	call->fn = fn;
	call->arg = arg;
	call->free_arg = free_arg;
	call->begun_ns = self->scheduler->loop.now_ns;
	atomic_init(&call->state, BLOCKING_GOING);
	elsewhere = &call->job.elsewhere;
	elsewhere->service = instance != NULL ? instance->service : NULL;
	elsewhere->subject = instance != NULL ? instance->service->subject : NULL;
	elsewhere->slot = self->slot;
	trace_for_log(&elsewhere->trace);
	hop_for_elsewhere(elsewhere);
	snprintf(elsewhere->name, sizeof elsewhere->name, "%s", name != NULL ? name : "function");
	return call;
}

/* The caller goes on without the function. */
static void
blocking_leave(struct blocking_call *call)
{
	call->waiter = NULL;
	if (blocking_withdraw(&call->job)) {
		blocking_free_arg(call->free_arg, call->arg);
		blocking_forget(call);
		free(call);
		return;
	}
	if (!blocking_move(call, BLOCKING_LEFT))
		blocking_free_arg(call->free_arg, call->arg);
	if (call->is_home)
		free(call);
}

/* Begins and waits. When this is not BAY_OK, the argument has been seen to. */
static int
blocking_await(struct blocking_call *call, int *result_r, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = call->job.elsewhere.name;
	call->waiter = &waiter;
	if (call->instance != NULL)
		list_push_back(&call->instance->blocking, &call->link);
	status = blocking_submit(blocking_lane_of(call->instance), &call->job);
	if (status != BAY_OK) {
		blocking_forget(call);
		blocking_free_arg(call->free_arg, call->arg);
		free(call);
		return status;
	}
	status = task_await(&waiter, deadline);
	if (status != BAY_OK) {
		blocking_leave(call);
		return status;
	}
	if (result_r != NULL)
		*result_r = call->result;
	free(call);
	return BAY_OK;
}

/* Why it must not even begin, or BAY_OK. */
static int
blocking_refuse(struct task *self, int64_t deadline)
{
	if (self->canceled != NULL)
		return BAY_CANCELED;
	/* Not the loop's clock as of some time ago: the function would begin. */
	return deadline <= loop_now(&self->scheduler->loop) ? BAY_TIMEOUT : BAY_OK;
}

int
bay_blocking(const char *name, bay_blocking_fn *fn, void *arg, bay_blocking_free_fn *free_arg, int *result_r,
	int64_t deadline)
{
	struct blocking_call *call;
	struct task *self;
	int status;

	if (!AWAIT_BEGIN("bay_blocking")) {
		blocking_free_arg(free_arg, arg);
		return BAY_INVALID;
	}
	if (fn == NULL) {
		log_error(task_subject(task_current()), "bay_blocking: there is no function to run [misuse-argument]");
		blocking_free_arg(free_arg, arg);
		return BAY_INVALID;
	}
	self = task_current();
	/* For the list of tasks: "blocking NAME". */
	self->awaiting = "blocking";
	deadline = task_deadline(self, deadline);
	status = blocking_refuse(self, deadline);
	if (status != BAY_OK) {
		blocking_free_arg(free_arg, arg);
		return await_refused(self, status);
	}
	call = blocking_create(self, name, fn, arg, free_arg);
	if (call == NULL) {
		blocking_free_arg(free_arg, arg);
		return BAY_NO_MEMORY;
	}
	return blocking_await(call, result_r, deadline);
}

char *
blocking_refusal(const struct list *calls)
{
	const struct blocking_call *oldest = container_of(list_first(calls), struct blocking_call, link);
	size_t count = 0;

	list_for_each(pos, calls)
		count++;
	return xasprintf("%zu of its functions on helper threads %s not come back: %s has run for %lld s "
		"(bay_blocking)", count, count == 1 ? "does" : "do", oldest->job.elsewhere.name,
		(long long)((clock_monotonic_ns() - oldest->begun_ns) / CLOCK_NS_PER_S));
}
