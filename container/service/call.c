/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls from task to service. Three ways, tried in this order:
 *
 *	leaf    the handler is a plain function call on the caller's stack
 *	eager   the handler starts at once on its own stack; it returns to us when it
 *	        ends or first parks
 *	queued  the shared queue; any loop with an instance serves it
 *
 * The first two need an instance on the caller's loop with room and an empty queue, so
 * nobody overtakes anybody.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <bay/call.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"
#include "service/call_guard.h"
#include "service/canary.h"
#include "service/hop.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/trace.h"

/* Remembers the text of the last failure for bay_call_error(). Takes error. */
static int
call_failed(struct task *self, int status, char *error)
{
	task_set_error(self, error);
	return status;
}

/* Whether nothing speaks against a call, as is the rule. What does is found by
 * call_refusal(). Deadline: within the caller's own. A caller that is recorded has no short way, which
 * costs nobody else a look: its two bytes are one number. */
static inline bool
call_may_begin(const struct scheduler *here, const struct task *self, const struct bay_service *service,
	int64_t deadline)
{
	const struct bay_request *above = self->request;

	return here->slice > 0 && self->call_error == NULL && self->canceled == NULL &&
		deadline > here->loop.now_ns && service != NULL &&
		(above == NULL || above->depth + ((unsigned)above->recorded << 8) + 1u < registry_max_depth);
}

static char *
call_circle_text(const struct bay_request *above, const struct bay_service *service)
{
	char *chain = request_chain_text(above);
	char *text = xasprintf("services call each other in a circle, or max_depth = %u is too small: "
		"%s -> %s", registry_max_depth, chain, service->name);

	free(chain);
	return text;
}

/* What must hold before any call: a task that made many lets others run first, a cancelled
 * one or one past its deadline makes none. */
static __attribute__((cold, noinline)) int
call_refusal(struct scheduler *here, struct task *self, struct bay_service *service, int64_t deadline,
	bool may_suspend)
{
	call_failed(self, BAY_OK, NULL);
	/* A loop of direct calls would be one endless turn for everybody else. One that may not
	 * let them run at least sees how late it is. */
	if (here->slice <= 0 && may_suspend)
		task_pause();
	else if (here->slice <= 0)
		loop_now(&here->loop);
	if (self->canceled != NULL)
		return call_failed(self, BAY_CANCELED, xasprintf("the caller is cancelled: %s", self->canceled));
	if (deadline <= here->loop.now_ns)
		return call_failed(self, BAY_TIMEOUT, xstrdup("the deadline had passed before the call"));
	if (service == NULL)
		return call_failed(self, BAY_NOT_FOUND, xstrdup("there is no such service (no handle)"));
	if (self->request != NULL && self->request->depth + 1u >= registry_max_depth)
		return call_failed(self, BAY_LOOP, call_circle_text(self->request, service));
	return BAY_OK;
}

/* The earlier of two deadlines. */
static inline int64_t
call_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int
call_begin(struct scheduler *here, struct task *self, struct bay_service *service, int64_t deadline,
	bool may_suspend)
{
	int status = BAY_OK;

	deadline = call_earlier(deadline, self->deadline);
	if (__builtin_expect(!call_may_begin(here, self, service, deadline), 0))
		status = call_refusal(here, self, service, deadline, may_suspend);
	here->slice--;
	return status;
}

/* The instance that may serve a call from this loop without the queue, or NULL. */
static inline struct bay_instance *
call_direct_instance(const struct scheduler *here, const struct bay_service *service)
{
	struct bay_instance *instance = service->instances[here->index];

	if (instance == NULL || !instance->direct || instance->in_flight >= instance->concurrency ||
		atomic_load_explicit(&service->queued, memory_order_relaxed) != 0)
		return NULL;
	return instance;
}

/* The same of one that is not marked as direct: it has a canary, somebody traces it, or a test draws
 * the way of each call. */
static __attribute__((noinline)) struct bay_instance *
call_instance_apart(struct scheduler *here, const struct bay_service *service)
{
	struct bay_instance *instance = service->instances[here->index];
	bool draws = service->limits.calls == SERVICE_CALLS_RANDOM;

	if (instance == NULL || !instance->serves || instance->bounded || service_gate(service) != SERVICE_GATE_OPEN ||
		instance->starting > 0 || instance_room(instance) == 0 ||
		atomic_load_explicit(&service->queued, memory_order_relaxed) != 0 ||
		(instance->canary != NULL && instance->canary->starting > 0))
		return NULL;
	if (draws ? scheduler_random(here) >> 63 == 0 : service->limits.calls != SERVICE_CALLS_DIRECT ||
		(instance->canary == NULL && !service_is_traced(service)))
		return NULL;
	return canary_or_self(instance);
}

/* --- leaf ------------------------------------------------------------------------- */

static __attribute__((noinline)) int
call_leaf_measured(struct bay_instance *instance, struct bay_request *request)
{
	int64_t begin_ns = clock_monotonic_ns();
	int status = instance->handle(request);
	uint64_t took_ns = (uint64_t)(clock_monotonic_ns() - begin_ns);

	histogram_record(&instance->counters->latency, took_ns);
	histogram_record(&instance->counters->total, took_ns);
	return status;
}

/* A leaf that has not replied, or tried to wait. */
static __attribute__((cold, noinline)) int
call_leaf_failed(struct scheduler *here, struct bay_request *request, int status)
{
	const char *awaits = here->leaf_awaits;

	here->leaf_awaits = NULL;
	if (awaits != NULL)
		instance_fail_leaf(request, awaits);
	else
		request_settle(request, status);
	instance_count_failure(request->instance, request);
	if (request->instance->watched)
		call_guard_count(request->service, here, request->status, request->by_handler);
	return call_failed(here->current, request->status, request->error);
}

/* The handler is a plain function call. The request holds only what a handler can see: it
 * goes nowhere, nobody waits for it, and a leaf makes no calls of its own. */
static inline __attribute__((always_inline)) int
call_leaf(struct scheduler *here, struct task *self, struct bay_instance *instance,
	const struct bay_message *message, struct bay_message **reply_r, int64_t deadline)
{
	struct status_counters *counters = instance->counters;
	uint64_t direct = atomic_load_explicit(&counters->direct, memory_order_relaxed);
	struct bay_request request;
	int status;

	here->slice--;
	request.service = instance->service;
	request.instance = instance;
	request.message = (struct bay_message *)message;
	request.reply = NULL;
	request.error = NULL;
	request.arena = NULL;
	request.settings = NULL;
	request.task = NULL;
	request.status = BAY_OK;
	request.answered = false;
	request.one_way = false;
	request.depth = 0;
	request.recorded = 0;
	request.deadline = deadline;
	request.trace.id = (struct trace_id){0, 0};
	status_set(&counters->direct, direct + 1);
	here->leaf = &request;
	atomic_store_explicit(&here->status->slot, instance->slot, memory_order_relaxed);
	if (__builtin_expect(direct % INSTANCE_SAMPLE != 0, 1))
		status = instance->handle(&request);
	else
		status = call_leaf_measured(instance, &request);
	atomic_store_explicit(&here->status->slot, self->slot, memory_order_relaxed);
	here->leaf = NULL;
	request_end_arena(&request);
	if (__builtin_expect(!request.answered || request.status != BAY_OK || here->leaf_awaits != NULL, 0))
		return call_leaf_failed(here, &request, status);
	status_add(&counters->served, 1);
	if (reply_r != NULL)
		*reply_r = request.reply;
	else
		message_unref(request.reply);
	return BAY_OK;
}

/* --- with a request of its own ---------------------------------------------------- */

static void
call_set_origin(struct bay_request *request, struct scheduler *here, const struct task *self)
{
	request_set_parent(request, self->request);
	if (trace_id_is_none(&request->trace.id))
		trace_begin(request, here, self);
}

/* Hands over what a finished request brought. */
static inline int
call_collect(struct task *self, struct bay_request *request, struct bay_message **reply_r)
{
	int status = request->handle.status;

	if (__builtin_expect(status != BAY_OK, 0)) {
		call_failed(self, status, request->handle.error);
		request->handle.error = NULL;
	} else if (reply_r != NULL) {
		*reply_r = request->reply;
		request->reply = NULL;
	}
	if (__builtin_expect(request->returned && !request->cancel_travels, 1))
		request_free(request);
	else
		request_abandon(request, NULL);
	return status;
}

/* The callee hears what its caller heard: that is why it shall end, and says more than that
 * the caller does not wait. */
static __attribute__((cold, noinline)) int
call_give_up(struct task *self, struct bay_request *request, int status)
{
	const char *name = request->service->name;

	if (status == BAY_TIMEOUT) {
		call_failed(self, status, xasprintf("service %s did not answer before the deadline%s", name,
			service_gate(request->service) == SERVICE_GATE_PAUSED ? ": it is paused [service-paused]" : ""));
		request_abandon(request, "deadline");
	} else {
		call_failed(self, status, xasprintf("service %s was still at work when the caller was cancelled: %s",
			name, self->canceled));
		request_abandon(request, self->canceled);
	}
	return status;
}

/* Waits for a request on its way; gives it up at the deadline or when cancelled. */
static int
call_wait(struct task *self, struct bay_request *request, struct bay_message **reply_r, int64_t deadline)
{
	struct waiter waiter;
	int status;

	if (request->deadline < deadline)
		deadline = request->deadline;
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.request = request;
	if (request->away)
		waiter.on = peer_where(request->service);
	request->handle.waiter = &waiter;
	status = task_await(&waiter, deadline);
	if (request->handle.done)
		return call_collect(self, request, reply_r);
	return call_give_up(self, request, status);
}

/* Starts the handler of an instance here and now. Comes back when it is done, or parked and
 * from now on independent of what it borrowed. */
static inline void
call_run_now(struct scheduler *here, struct bay_instance *instance, struct bay_request *request)
{
	call_set_origin(request, here, here->current);
	hop_see(request);
	if (__builtin_expect(!instance_run_now(instance, request), 0)) {
		request_fail(request, BAY_NO_MEMORY, "service %s: no stack for the handler",
			instance->service->name);
		request_arrive(request);
	} else if (!request->returned) {
		/* Its handle may have ended: one that was cancelled meanwhile is still at work. */
		request_keep_message(request);
		request->deadline = task_deadline(request->task, request->deadline);
	}
}

/* Begins a call with a request of its own by the eager or the queued way; parks: then the caller
 * waits for it at once. When it cannot or may not begin, it has ended with its failure. */
static void
call_launch(struct scheduler *here, struct bay_service *service, struct bay_request *request, bool parks)
{
	struct bay_instance *instance;
	int status;

	if (!call_guard_lets(request)) {
		request_arrive(request);
		return;
	}
	instance = call_direct_instance(here, service);
	if (instance == NULL)
		instance = call_instance_apart(here, service);
	if (instance != NULL) {
		call_run_now(here, instance, request);
		return;
	}
	call_set_origin(request, here, here->current);
	request->deadline = task_deadline(here->current, request->deadline);
	request_keep_message(request);
	status = parks ? service_queue_put_and_park(service, request) : service_queue_put(service, request);
	if (status != BAY_OK) {
		request->status = status;
		request_arrive(request);
	}
}

static inline __attribute__((always_inline)) int
call_eager(struct scheduler *here, struct bay_instance *instance, const struct bay_message *message,
	struct bay_message **reply_r, int64_t deadline, const void *where, bool watched)
{
	struct task *self = here->current;
	struct bay_request *request = request_create(instance->service, message, &here->loop);

	if (request == NULL)
		return call_failed(self, BAY_NO_MEMORY, NULL);
	here->slice--;
	request->deadline = deadline;
	request->watched = watched;
	call_run_now(here, instance, request);
	if (__builtin_expect(request->handle.done, 1))
		return call_collect(self, request, reply_r);
	self->awaiting = "bay_call";
	self->where = where;
	return call_wait(self, request, reply_r, deadline);
}

/* The queued way, and all that may speak against a call. Deadline: within the caller's own.
 * Where: bay_call's caller. */
static __attribute__((noinline)) int
call_otherwise(struct scheduler *here, struct bay_service *service, const struct bay_message *message,
	struct bay_message **reply_r, int64_t deadline, const void *where)
{
	struct bay_request *request;
	struct task *self;
	int status;

	if (!await_begin("bay_call", where))
		return BAY_INVALID;
	self = here->current;
	status = call_begin(here, self, service, deadline, true);
	if (status != BAY_OK)
		return status;
	request = request_create(service, message, &here->loop);
	if (request == NULL)
		return call_failed(self, BAY_NO_MEMORY, NULL);
	request->deadline = deadline;
	call_launch(here, service, request, true);
	if (request->handle.done)
		return call_collect(self, request, reply_r);
	return call_wait(self, request, reply_r, deadline);
}

/* One that could be direct, of a service with a breaker. */
static __attribute__((noinline)) int
call_watched(struct scheduler *here, struct bay_instance *instance, const struct bay_message *message,
	struct bay_message **reply_r, int64_t deadline, const void *where)
{
	char in_frame;
	int status;

	if (call_guard_mode(instance->service) == BREAKER_STOPS)
		return call_otherwise(here, instance->service, message, reply_r, deadline, where);
	if (!instance->leaf || task_stack_below(here->current, &in_frame) < instance->leaf_stack)
		return call_eager(here, instance, message, reply_r, deadline, where, true);
	status = call_leaf(here, here->current, instance, message, reply_r, deadline);
	if (__builtin_expect(status == BAY_OK, 1))
		call_guard_count(instance->service, here, status, true);
	return status;
}

int
bay_call(struct bay_service *service, const struct bay_message *message, struct bay_message **reply_r,
	int64_t deadline)
{
	struct scheduler *here = scheduler_here;
	const void *where = __builtin_return_address(0);
	struct bay_instance *instance;
	struct task *self;
	char in_frame;

	if (reply_r != NULL)
		*reply_r = NULL;
	if (!await_may_begin(here))
		return call_otherwise(here, service, message, reply_r, deadline, where);
	self = here->current;
	deadline = call_earlier(deadline, self->deadline);
	if (call_may_begin(here, self, service, deadline)) {
		instance = call_direct_instance(here, service);
		if (instance != NULL && instance->leaf_direct &&
			task_stack_below(self, &in_frame) >= instance->leaf_stack)
			return call_leaf(here, self, instance, message, reply_r, deadline);
		if (instance != NULL && __builtin_expect(!instance->watched, 1))
			return call_eager(here, instance, message, reply_r, deadline, where, false);
		if (instance != NULL)
			return call_watched(here, instance, message, reply_r, deadline, where);
	}
	return call_otherwise(here, service, message, reply_r, deadline, where);
}

const char *
bay_call_error(void)
{
	struct task *self = task_current();

	return self != NULL && self->call_error != NULL ? self->call_error : "";
}

struct bay_task *
bay_call_start(struct bay_service *service, const struct bay_message *message)
{
	struct scheduler *here = scheduler_here;
	struct bay_request *request;
	struct task *self;
	int status;

	if (!AWAIT_BEGIN("bay_call_start"))
		return NULL;
	self = here->current;
	request = request_create(service, message, &here->loop);
	if (request == NULL)
		return NULL;
	request->deadline = task_deadline(self, BAY_INHERIT);
	scope_adopt(&self->scope, &request->handle);
	status = call_begin(here, self, service, BAY_INHERIT, false);
	if (status != BAY_OK) {
		request_fail(request, status, "%s", self->call_error);
		call_failed(self, BAY_OK, NULL);
		request_arrive(request);
	} else {
		call_launch(here, service, request, false);
	}
	return &request->handle;
}

/* --- one way ---------------------------------------------------------------------- */

/* The queue refused a message: its text is the failure of the call. */
static int
send_refused(struct task *self, struct bay_request *request, int status)
{
	call_failed(self, status, request->error);
	request->error = NULL;
	request_free(request);
	return status;
}

/* The ticket came home: the queue has taken the message, or ended it. */
static int
send_accepted(struct task *self, struct bay_request *ticket)
{
	int status = ticket->handle.status;

	if (status != BAY_OK) {
		call_failed(self, status, ticket->handle.error);
		ticket->handle.error = NULL;
	}
	request_free(ticket);
	return status;
}

/* Where the policy is to wait: a ticket comes home when the message has got its place in
 * the queue. From then on the message may be served and freed at any moment, so only the
 * ticket is touched. */
static int
send_when_there_is_room(struct task *self, struct bay_request *request, int64_t deadline)
{
	struct bay_service *service = request->service;
	struct bay_request *ticket = request_create(service, NULL, &self->scheduler->loop);
	struct waiter waiter;
	int status;

	if (ticket == NULL)
		return send_refused(self, request, BAY_NO_MEMORY);
	request->ticket = ticket;
	status = service_queue_put(service, request);
	if (status != BAY_OK) {
		request_free(ticket);
		return send_refused(self, request, status);
	}
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.request = request;
	if (ticket->away)
		waiter.on = peer_where(service);
	ticket->handle.waiter = &waiter;
	status = task_await(&waiter, deadline);
	if (ticket->handle.done)
		return send_accepted(self, ticket);
	if (service_queue_withdraw(service, ticket)) {
		request_free(ticket);
		if (status == BAY_CANCELED)
			request_fail(request, status, "the queue of service %s had no room before the caller was "
				"cancelled: %s", service->name, self->canceled);
		else
			request_fail(request, status, "the queue of service %s had no room in time", service->name);
		return send_refused(self, request, status);
	}
	waiter_init(&waiter, AWAIT_TO_THE_END);
	ticket->handle.waiter = &waiter;
	(void)task_await(&waiter, BAY_INHERIT);
	return send_accepted(self, ticket);
}

int
bay_send(struct bay_service *service, const struct bay_message *message, int64_t deadline)
{
	struct scheduler *here = scheduler_here;
	struct bay_request *request;
	struct task *self;
	int status;

	if (!AWAIT_BEGIN("bay_send"))
		return BAY_INVALID;
	self = here->current;
	status = call_begin(here, self, service, deadline, true);
	if (status != BAY_OK)
		return status;
	request = request_create(service, message, NULL);
	if (request == NULL)
		return call_failed(self, BAY_NO_MEMORY, NULL);
	request->one_way = true;
	call_set_origin(request, here, self);
	request_keep_message(request);
	status = service_queue_put(service, request);
	if (status == BAY_BUSY)
		return send_when_there_is_room(self, request, deadline);
	return status == BAY_OK ? BAY_OK : send_refused(self, request, status);
}
