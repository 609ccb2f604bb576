/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <bay/verb.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "runtime/belonging.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/bounds.h"
#include "service/call_guard.h"
#include "service/canary.h"
#include "service/health.h"
#include "service/hop.h"
#include "service/instance_change.h"
#include "service/later.h"
#include "service/message.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/topic.h"

/* Of the tasks that run handlers. */
#define INSTANCE_HANDLER_NAME "handle"

/* Of so many handlers that are measured, so many begin on fresh pages. */
#define INSTANCE_PROBE_PERIOD 4096u
#define INSTANCE_PROBE_COUNT 4u

static void instance_on_failure(struct bay_scope *scope);

struct bay_instance *
instance_create(struct bay_service *service, const struct bay_plugin *plugin, const void *settings,
	struct scheduler *scheduler, unsigned index)
{
	struct bay_instance *instance = alloc_try_zeroed(1, sizeof *instance);

	if (instance == NULL)
		return NULL;
	instance->stacks = scheduler_stack_class(scheduler, service->limits.stack_bytes);
	if (instance->stacks == NULL) {
		log_error(service->subject, "no more sizes of stacks than %d on a loop",
			SCHEDULER_STACK_CLASSES);
		free(instance);
		return NULL;
	}
	instance->service = service;
	instance->scheduler = scheduler;
	instance->index = index;
	instance->plugin = plugin;
	instance->handle = plugin->handle;
	instance->settings = settings;
	instance->leaf = (plugin->flags & BAY_LEAF) != 0;
	instance->leaf_stack = service->limits.stack_bytes < INSTANCE_LEAF_STACK
		? service->limits.stack_bytes : INSTANCE_LEAF_STACK;
	instance->concurrency = service->limits.concurrency;
	instance->timeout_ns = service->limits.timeout_ns;
	instance->weight = service->limits.weight != 0 ? service->limits.weight : SERVICE_WEIGHT;
	instance->bounded = bounds_are_set(&service->limits);
	bounds_timer_init(instance);
	instance->slot = service->slot;
	instance->phase = task_phase(scheduler, STATUS_PHASE_RUN, INSTANCE_HANDLER_NAME);
	instance->counters = &service->counters[scheduler->index];
	list_init(&instance->requests);
	list_init(&instance->blocking);
	list_init(&instance->subscriptions);
	instance->drain_until = BAY_INHERIT;
	scope_init(&instance->scope, NULL, BAY_INHERIT);
	instance->scope.failed = instance_on_failure;
	return instance;
}

void
instance_destroy(struct bay_instance *instance)
{
	if (instance == NULL)
		return;
	bounds_timer_finish(instance);
	scope_finish(&instance->scope);
	later_finish(instance);
	topic_end(instance);
	health_finish(instance);
	instance_forget_changes(instance);
	free(instance->error);
	free(instance);
}

const char *
instance_subject(const struct bay_instance *instance)
{
	return instance->service->subject;
}

/* --- serving ---------------------------------------------------------------------- */

void
instance_count_failure(struct bay_instance *instance, const struct bay_request *request)
{
	struct status_counters *counters = instance->counters;

	status_add(&counters->failed, 1);
	if (instance->replaced)
		status_add(&counters->failed_replaced, 1);
	if (request->status == BAY_TIMEOUT)
		status_add(&counters->timeouts, 1);
	else if (request->status == BAY_CANCELED)
		status_add(&counters->canceled, 1);
}

/* A handler failed: its failure is made as clear as can be, and said if nobody else will. */
static __attribute__((noinline)) void
instance_on_bad_end(struct bay_instance *instance, struct bay_request *request, const struct task *task)
{
	struct bay_service *service = instance->service;
	char hidden[64], room[STATUS_ROOM];
	uint64_t count;

	if (request->status == BAY_CANCELED && task->scope.error != NULL) {
		request_fail(request, task->scope.status, "service %s: %s", service->name, task->scope.error);
		request->by_handler = true;
	} else if (request->status == BAY_CANCELED && request->deadline <= clock_monotonic_ns()) {
		request->status = BAY_TIMEOUT;
	}
	/* A deadline is the container's, whoever says that it has passed. */
	if (request->status == BAY_TIMEOUT && request->deadline <= clock_monotonic_ns())
		request->by_handler = false;
	instance_count_failure(instance, request);
	if (request->one_way && log_rate_pass(&service->unheard, &count))
		log_warn(service->subject, "a message that nobody waits for failed: %s: %s%s [message-lost]",
			status_text(request->status, room), request->error != NULL ? request->error : "",
			log_rate_text(count, hidden, sizeof hidden));
}

/* A handler that is measured has ended, on its own stack. */
static __attribute__((noinline)) void
instance_measure(const struct bay_instance *instance, struct bay_request *request, struct task *task)
{
	struct status_counters *counters = instance->counters;
	int64_t now_ns = clock_monotonic_ns();

	histogram_record(&counters->latency, (uint64_t)(now_ns - request->taken_ns));
	histogram_record(&counters->total, (uint64_t)(now_ns -
		(request->queued_ns != 0 ? request->queued_ns : request->taken_ns)));
	if (__builtin_expect(task->probed, 0))
		status_raise(&counters->stack_used, task_stack_used(task));
	if (__builtin_expect(request->recorded != 0, 0))
		hop_end(request);
}

/* Now and then it is measured how much of its stack a handler uses: the first ones, and then
 * few, since it begins on fresh pages. */
static inline void
instance_probe_sometimes(struct bay_instance *instance, struct task *task)
{
	unsigned n = instance->measured++;

	if (__builtin_expect(n % INSTANCE_PROBE_PERIOD >= INSTANCE_PROBE_COUNT, 1))
		return;
	task_probe(task);
}

/* Whether a reply comes after the deadline, by a tick of the kernel at least. The loop's clock
 * does not say: the handler may have computed since it was read. */
static bool
instance_is_late(const struct bay_request *request)
{
	return !request->one_way && request->deadline != BAY_INHERIT && request->deadline <= clock_coarse_ns();
}

/* A handler that came from the queue or has waited: who wants its reply may have waited, too. */
static void
instance_on_listed_end(struct bay_request *request)
{
	list_remove(&request->link);
	if (request->status == BAY_OK && instance_is_late(request))
		request_fail(request, BAY_TIMEOUT, "service %s replied after the deadline", request->service->name);
}

/* The handler of a request and all that it spawned have ended. */
static void
instance_on_ended(struct task *task, int status)
{
	struct bay_request *request = task->request;
	struct bay_instance *instance = request->instance;

	if (!request->answered)
		request_settle(request, status);
	if (!list_empty(&request->link))
		instance_on_listed_end(request);
	if (__builtin_expect(request->status == BAY_OK, 1))
		status_add(&instance->counters->served, 1);
	else
		instance_on_bad_end(instance, request, task);
	request_end_arena(request);
	request->task = NULL;
	instance->in_flight--;
	status_add(&instance->counters->in_flight, (uint64_t)-1);
	if (request->taken_ns != 0)
		instance_measure(instance, request, task);
	if (__builtin_expect(request->counted, 0))
		service_queue_ended(request);
	if (instance->quiet != NULL && !instance_is_busy(instance))
		waiter_wake(instance->quiet, BAY_OK);
	if (request->home == &instance->scheduler->loop)
		request->arrived(request);
	else
		request_go_home(request);
}

/* A leaf that did not come by way of call_leaf() may not wait either: what a handler may do
 * must not depend on which way its calls come. */
static int
instance_handle_leaf(struct bay_instance *instance, struct bay_request *request)
{
	struct scheduler *here = instance->scheduler;
	int status;

	here->leaf = request;
	status = instance->handle(request);
	here->leaf = NULL;
	if (here->leaf_awaits != NULL) {
		status = BAY_INVALID;
		instance_fail_leaf(request, here->leaf_awaits);
		here->leaf_awaits = NULL;
	}
	return status;
}

void
instance_fail_leaf(struct bay_request *request, const char *function)
{
	request_fail(request, BAY_INVALID, "service %s is a leaf (BAY_LEAF) and its handler called %s, "
		"which may suspend [misuse-leaf]", request->service->name, function);
}

bool
instance_is_direct(const struct bay_instance *instance)
{
	return instance->serves && instance->starting == 0 && instance->canary == NULL && !instance->bounded &&
		!service_is_traced(instance->service) &&
		instance->service->limits.calls == SERVICE_CALLS_DIRECT &&
		service_gate(instance->service) == SERVICE_GATE_OPEN;
}

static int
instance_main(void *arg)
{
	struct bay_request *request = arg;
	struct bay_instance *instance = request->instance;

	if (request->queued_ns != 0 && --instance->starting == 0)
		instance->direct = instance_is_direct(instance);
	if (__builtin_expect(instance->leaf, 0))
		return instance_handle_leaf(instance, request);
	return instance->handle(request);
}

/* The time that a handler has when it begins to count only now: within that of its caller,
 * which may not have begun to count either. */
static inline int64_t
instance_timeout_now(const struct bay_instance *instance)
{
	int64_t callers_ns = instance->scheduler->current->timeout_ns;

	if (instance->timeout_ns == 0 || (callers_ns != 0 && callers_ns < instance->timeout_ns))
		return callers_ns;
	return instance->timeout_ns;
}

/* The task that will serve a request, or NULL. */
static inline struct task *
instance_task(struct bay_instance *instance, struct bay_request *request, int64_t timeout_ns)
{
	struct task_spec spec = {
		.name = INSTANCE_HANDLER_NAME,
		.fn = instance_main,
		.arg = request,
		.ended = instance_on_ended,
		.instance = instance,
		.request = request,
		.deadline = request->deadline,
		.timeout_ns = timeout_ns,
		.slot = instance->slot,
		.phase = instance->phase,
		.class = instance->stacks,
	};
	struct task *task = task_create(instance->scheduler, &spec);

	if (task == NULL)
		return NULL;
	task->handle->detached = true;
	request->instance = instance;
	request->task = task;
	instance->in_flight++;
	status_add(&instance->counters->in_flight, 1);
	return task;
}

bool
instance_run_later(struct bay_instance *instance, struct bay_request *request)
{
	/* Of a call, it began when it was queued. */
	int64_t timeout_ns = request->one_way ? instance->timeout_ns : 0;
	struct task *task = instance_task(instance, request, timeout_ns);

	if (task == NULL)
		return false;
	list_push_back(&instance->requests, &request->link);
	instance->starting++;
	instance->direct = false;
	if (request->taken_ns != 0)
		instance_probe_sometimes(instance, task);
	task_start(task);
	return true;
}

bool
instance_run_now(struct bay_instance *instance, struct bay_request *request)
{
	struct task *task = instance_task(instance, request, instance_timeout_now(instance));
	uint64_t direct;

	if (task == NULL)
		return false;
	request->runner = instance->scheduler;
	request->place = PLACE_RUNNING;
	direct = atomic_load_explicit(&instance->counters->direct, memory_order_relaxed);
	status_set(&instance->counters->direct, direct + 1);
	/* What is recorded has its times. */
	if ((direct % INSTANCE_SAMPLE == 0) | (request->recorded != 0)) {
		instance_probe_sometimes(instance, task);
		request->taken_ns = clock_monotonic_ns();
		if (request->recorded != 0)
			hop_begin_handler(request);
	}
	/* Who stops the instance looks at its requests when no task runs: one that has ended by
	 * then need not have stood among them. */
	if (!task_run_eagerly(task))
		list_push_back(&instance->requests, &request->link);
	return true;
}

/* --- verbs ------------------------------------------------------------------------ */

static int
instance_verb_main(void *arg)
{
	struct bay_request *request = arg;

	return request->verb->handle(request);
}

/* A verb and all that it spawned have ended. */
static void
instance_on_verb_ended(struct task *task, int status)
{
	struct bay_request *request = task->request;
	struct bay_instance *instance = request->instance;

	list_remove(&request->link);
	if (!request->answered)
		request_settle(request, status);
	if (request->status == BAY_CANCELED && task->scope.error != NULL) {
		request_fail(request, task->scope.status, "service %s: %s", instance->service->name,
			task->scope.error);
		request->by_handler = true;
	}
	request_end_arena(request);
	request->task = NULL;
	instance->verbs--;
	if (instance->quiet != NULL && !instance_is_busy(instance))
		waiter_wake(instance->quiet, BAY_OK);
	request_go_home(request);
}

bool
instance_run_verb(struct bay_instance *instance, struct bay_request *request)
{
	struct task_spec spec = {
		.name = request->verb->name,
		.fn = instance_verb_main,
		.arg = request,
		.ended = instance_on_verb_ended,
		.instance = instance,
		.request = request,
		.deadline = request->deadline,
		.slot = instance->slot,
		.phase = task_phase(instance->scheduler, STATUS_PHASE_RUN, "verb"),
		.counted = true,
		.class = instance->stacks,
	};
	struct task *task = task_create(instance->scheduler, &spec);

	if (task == NULL)
		return false;
	task->handle->detached = true;
	request->instance = instance;
	request->task = task;
	list_push_back(&instance->requests, &request->link);
	instance->verbs++;
	task_start(task);
	return true;
}

/* --- life ------------------------------------------------------------------------- */

int
instance_init(struct bay_instance *instance)
{
	int status = instance->plugin->init != NULL ? instance->plugin->init(instance) : BAY_OK;

	instance->ready = status == BAY_OK;
	return status;
}

static int
instance_run_main(void *arg)
{
	struct bay_instance *instance = arg;
	int status = instance->plugin->run(instance);

	/* That its listeners were closed is no failure, but what ends it. */
	return status == BAY_CLOSED && instance->replaced ? BAY_OK : status;
}

/* --- the route -------------------------------------------------------------------- */

void
instance_hold(struct bay_instance *instance)
{
	canary_end(instance);
	instance->takes = false;
	instance->serves = false;
	instance->direct = false;
	instance->replaced = true;
}

void
instance_take_route(struct bay_instance *instance)
{
	struct bay_instance **route = &instance->service->instances[instance->scheduler->index];

	canary_end(instance);
	if (*route != NULL && *route != instance)
		instance_hold(*route);
	instance->replaced = false;
	instance->takes = instance->handle != NULL;
	instance->serves = instance->handle != NULL;
	instance->direct = instance_is_direct(instance);
	instance_see_guard(instance);
	*route = instance;
	health_begin(instance);
}

void
instance_see_gate(struct bay_instance *instance)
{
	instance->direct = instance_is_direct(instance);
}

void
instance_see_guard(struct bay_instance *instance)
{
	instance->watched = call_guard_mode(instance->service) != BREAKER_OFF;
	instance->leaf_direct = instance->leaf && !instance->watched;
}

bool
instance_is_held_back(const struct bay_instance *instance)
{
	return service_gate(instance->service) != SERVICE_GATE_OPEN;
}

bool
instance_acts(const struct bay_instance *instance)
{
	return instance->plugin->run != NULL || instance->scope.live > 0 || instance->subscription_count > 0 ||
		belonging_listens(instance->scheduler, instance);
}

bool
instance_begin_run(struct bay_instance *instance)
{
	struct task_spec spec = {
		.name = "run",
		.fn = instance_run_main,
		.arg = instance,
		.scope = &instance->scope,
		.instance = instance,
		.deadline = BAY_INHERIT,
		.slot = instance->slot,
		.phase = task_phase(instance->scheduler, STATUS_PHASE_RUN, "run"),
		.counted = true,
		.class = instance->stacks,
	};
	struct task *task;

	if (instance->plugin->run == NULL || instance->runs)
		return true;
	task = task_create(instance->scheduler, &spec);
	if (task == NULL)
		return false;
	task->handle->detached = true;
	task_start(task);
	instance->runs = true;
	return true;
}

bool
instance_serve(struct bay_instance *instance)
{
	if (!instance_begin_run(instance))
		return false;
	instance_take_route(instance);
	instance->takes_verbs = true;
	return true;
}

/* A task that lives as long as the instance failed: so has the service. */
static void
instance_on_failure(struct bay_scope *scope)
{
	struct bay_instance *instance = container_of(scope, struct bay_instance, scope);
	const char *text = instance->error != NULL ? instance->error : scope->error;

	if (instance->service->on_failed != NULL)
		instance->service->on_failed(instance, text);
}

/* --- public ----------------------------------------------------------------------- */

const char *
bay_instance_name(const struct bay_instance *instance)
{
	return instance->service->name;
}

unsigned
bay_instance_index(const struct bay_instance *instance)
{
	return instance->index;
}

const void *
bay_instance_settings(const struct bay_instance *instance)
{
	/* No instance is made const. */
	((struct bay_instance *)instance)->settings_given = true;
	return instance->settings;
}

void
bay_instance_set_state(struct bay_instance *instance, void *state)
{
	instance->state = state;
}

void *
bay_instance_state(const struct bay_instance *instance)
{
	return instance->state;
}

struct bay_scope *
bay_instance_scope(struct bay_instance *instance)
{
	return &instance->scope;
}

int
bay_instance_fail(struct bay_instance *instance, int status, const char *format, ...)
{
	va_list args;

	free(instance->error);
	va_start(args, format);
	if (vasprintf(&instance->error, format, args) < 0)
		instance->error = NULL;
	va_end(args);
	return status != BAY_OK ? status : BAY_FAILED;
}

struct bay_instance *
bay_instance_current(void)
{
	const struct scheduler *here = scheduler_here;

	if (here == NULL || here->current == NULL)
		return here != NULL ? here->hushed_for : NULL;
	return here->leaf != NULL ? here->leaf->instance : here->current->instance;
}

const void *
bay_arguments(const struct bay_request *request)
{
	const struct task *task = request->task;

	/* Of other requests the member holds nothing; of a leaf there is no task. */
	return task != NULL && task->fn == instance_verb_main ? request->arguments : NULL;
}
