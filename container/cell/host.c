/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/status_page.h"
#include "base/text.h"
#include "cell/executor.h"
#include "cell/generation.h"
#include "cell/host_code.h"
#include "cell/host_asks.h"
#include "cell/host_change.h"
#include "cell/host_gate.h"
#include "cell/host_guard.h"
#include "cell/host_instance.h"
#include "cell/hosted.h"
#include "cell/thread_watch.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "service/hop.h"
#include "service/instance.h"
#include "service/peer.h"
#include "service/registry.h"
#include "service/service.h"
#include "service/service_queue.h"

/* Beyond the drain: how long cancelled tasks may take to end, usually. */
#define HOST_GRACE_NS (2 * INT64_C(1000000000))

#define HOST_CANARY_RUNS "a canary of it runs"

struct host {
	struct hosting hosting;
	const struct status_page *page;
	struct list services;             /* struct hosted.link */
	unsigned next_loop;               /* where the next single instance goes */
	enum service_calls calls;
	bool stopping;                    /* nothing can be started any more */
	struct host_asks all_stopped;
};

static struct host *host_here;        /* for on_failed, which has an instance only */

static hosted_settled_fn host_on_settled;
static hosted_shares_fn host_shares, host_threads_are_its;
static thread_left_fn host_on_threads_left;

struct host *
host_create(struct loop *control, struct executor *executor, struct loader *loader,
	const struct status_page *page, const struct host_watcher *watcher, void *arg)
{
	struct host *host = xcalloc(1, sizeof *host);

	host->hosting = (struct hosting){
		.control = control,
		.executor = executor,
		.loader = loader,
		.grace_ns = HOST_GRACE_NS,
		.settled = host_on_settled,
		.shares = host_shares,
		.threads_are_its = host_threads_are_its,
		.threads = thread_watch_create(control, host_on_threads_left, host),
		.host = host,
		.watcher = watcher,
		.arg = arg,
	};
	host->page = page;
	list_init(&host->services);
	host_asks_init(&host->all_stopped);
	host_here = host;
	return host;
}

void
host_set_grace(struct host *host, int64_t grace_ns)
{
	host->hosting.grace_ns = grace_ns;
}

void
host_set_calls(struct host *host, int calls)
{
	host->calls = (enum service_calls)calls;
}

void
host_destroy(struct host *host)
{
	if (host == NULL)
		return;
	host_here = NULL;
	thread_watch_destroy(host->hosting.threads);
	host_asks_finish(&host->all_stopped);
	free(host);
}

static struct hosted *
host_find(struct host *host, const struct bay_service *service)
{
	list_for_each(pos, &host->services) {
		struct hosted *hosted = container_of(pos, struct hosted, link);

		if (hosted->service == service)
			return hosted;
	}
	return NULL;
}

static struct hosted *
host_find_name(struct host *host, const char *name)
{
	const struct bay_service *service = registry_get(name);

	return service != NULL ? host_find(host, service) : NULL;
}

bool
host_has(struct host *host, const char *name, int64_t generation)
{
	const struct hosted *hosted = host_find_name(host, name);

	return hosted != NULL && hosted_has(hosted, generation);
}

struct generation *
host_pin(struct host *host, const char *name)
{
	struct hosted *hosted = host_find_name(host, name);

	if (hosted == NULL || service_state(hosted->service) != SERVICE_READY)
		return NULL;
	hosted->current->pins++;
	return hosted->current;
}

/* Services of one plugin that were started together have one image, so one code. */
static bool
host_shares(const struct generation *generation, void *arg)
{
	struct host *host = arg;

	list_for_each(pos, &host->services) {
		if (hosted_uses(container_of(pos, struct hosted, link), host_code_image(&generation->code)))
			return true;
	}
	return false;
}

/* Code of others that begins threads makes it uncertain whose they are. */
static bool
host_threads_are_its(const struct generation *generation, void *arg)
{
	struct host *host = arg;

	list_for_each(pos, &host->services) {
		const struct hosted *hosted = container_of(pos, struct hosted, link);

		if (hosted != generation->owner && hosted->current != NULL && hosted->current->starts_threads)
			return false;
	}
	return true;
}

static void
host_on_threads_left(const struct bay_service *service, size_t count, void *arg)
{
	struct host *host = arg;
	char text[80];
	const struct cell_fault fault = {.service = service->name, .kind = CELL_FAULT_THREAD_LEAK, .text = text};

	snprintf(text, sizeof text, "%zu %s that it has begun %s on after its end", count,
		text_number(count, "thread", "threads"), text_number(count, "runs", "run"));
	host->hosting.watcher->fault(&fault, host->hosting.arg);
}

struct scheduler *
host_first_scheduler(struct host *host, const struct bay_service *service)
{
	const struct hosted *hosted = host_find(host, service);

	if (hosted == NULL || service_state(service) != SERVICE_READY)
		return NULL;
	return hosted->current->instances[0].scheduler;
}

void
host_absent(struct host *host, const struct cell_absent *absent)
{
	static const enum service_state states[] = {
		[CELL_ABSENCE_STOPPED] = SERVICE_STOPPED,
		[CELL_ABSENCE_STARTING] = SERVICE_STARTING,
		[CELL_ABSENCE_FAILED] = SERVICE_FAILED,
		[CELL_ABSENCE_UNKNOWN] = SERVICE_UNKNOWN,
		[CELL_ABSENCE_ELSEWHERE] = SERVICE_ELSEWHERE,
	};
	static const enum bay_monitor_state there[] = {
		[CELL_THERE_STARTING] = BAY_MONITOR_STARTING,
		[CELL_THERE_READY] = BAY_MONITOR_READY,
		[CELL_THERE_STOPPED] = BAY_MONITOR_STOPPED,
		[CELL_THERE_FAILED] = BAY_MONITOR_FAILED,
	};
	struct bay_service *service = registry_get(absent->service);

	if (service == NULL || host_find(host, service) != NULL)
		return;
	if (absent->state == CELL_ABSENCE_ELSEWHERE && (absent->cell == NULL || !service_name_is_valid(absent->cell)))
		return;
	/* It comes here: what is for it waits where it is, until its start. */
	if (absent->state == CELL_ABSENCE_STARTING && service_state(service) == SERVICE_ELSEWHERE) {
		peer_route_wait(service);
		return;
	}
	if (absent->state == CELL_ABSENCE_ELSEWHERE) {
		peer_route_set(service, absent->cell, absent->wait, (unsigned)absent->retry);
		peer_route_set_poison(service, (unsigned)absent->poison);
		monitor_note(service, there[absent->there], absent->generation, absent->reason);
	}
	/* Of what is in another cell, more is said again and again. */
	if (absent->state != CELL_ABSENCE_ELSEWHERE || service_state(service) != SERVICE_ELSEWHERE)
		service_set_state(service, states[absent->state], absent->reason);
	if (absent->state != CELL_ABSENCE_ELSEWHERE)
		peer_route_clear(service, absent->reason != NULL ? absent->reason : "it does not run");
	if (absent->state != CELL_ABSENCE_STARTING && service->held)
		service_queue_flush(service, absent->reason != NULL ? absent->reason : "it has stopped");
}

/* --- starting -------------------------------------------------------------------------- */

/* Which loops get an instance: all, or count of them, in turn. */
static uint64_t
host_choose_loops(struct host *host, int64_t count)
{
	unsigned loops = executor_count(host->hosting.executor);
	uint64_t mask = 0;

	if (count == 0 || count > loops)
		count = loops;
	while (count-- > 0)
		mask |= UINT64_C(1) << (host->next_loop++ % loops);
	return mask;
}

static void
host_set_limits(const struct host *host, struct bay_service *service, const struct cell_start *start, bool runs)
{
	struct service_limits limits = {
		.concurrency = (unsigned)start->concurrency,
		.queue = (size_t)start->queue,
		.queue_bytes = (size_t)start->queue_bytes,
		.weight = (unsigned)start->weight,
		.max_inflight = (size_t)start->max_inflight,
		.tasks_max = (uint64_t)start->tasks_max,
		.memory_max = (uint64_t)start->memory_max,
		.rate_count = (uint64_t)start->rate_count,
		.rate_period_ns = start->rate_period_ns,
		.overflow = host_change_overflow(start->overflow),
		.timeout_ns = start->timeout_ns,
		.stack_bytes = (size_t)start->stack_bytes,
		.calls = host->calls,
		.blocking_threads = (unsigned)start->blocking_threads,
		.health_interval_ns = start->health_interval_ns,
		.health_timeout_ns = start->health_timeout_ns,
	};

	if (runs)
		service_change_limits(service, &limits);
	else
		service_set_limits(service, &limits);
}

static void host_instance_failed(struct bay_instance *instance, const char *text);
static void host_instance_health(struct bay_instance *instance, const char *text);

/* Who has called it by way of its last cell, or does so before it is ready, is served here. */
static void
host_take_from_elsewhere(struct bay_service *service)
{
	service_queue_hold_new(service);
	service_set_state(service, SERVICE_STARTING, NULL);
	peer_route_come_here(service);
}

/* What is in the way of a start, and why. */
static const char *
host_is_there(const struct hosted *hosted)
{
	return hosted->refusal != NULL ? hosted->refusal : "it is running already, or about to stop";
}

static void
host_begin(struct host *host, const struct cell_start *start, int image, const struct bay_plugin *adopted,
	host_done_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(start->service);
	struct hosted *hosted;

	if (service == NULL || start->slot >= host->page->services) {
		fd_close(&image);
		done(BAY_INVALID, "the name or the slot of the service is not valid", id, host->hosting.arg);
		return;
	}
	hosted = host_find(host, service);
	if (host->stopping || hosted != NULL) {
		fd_close(&image);
		done(BAY_BUSY, host->stopping ? "the cell is stopping" : host_is_there(hosted), id,
			host->hosting.arg);
		return;
	}
	service_set_slot(service, host->page, (uint32_t)start->slot);
	host_set_limits(host, service, start, false);
	if (service_state(service) == SERVICE_ELSEWHERE)
		host_take_from_elsewhere(service);
	service->on_failed = host_instance_failed;
	service->on_health = host_instance_health;
	hosted = hosted_create(&host->hosting, service, start, image,
		host_choose_loops(host, start->instances));
	if (adopted != NULL)
		host_code_adopt(&hosted->current->code, adopted);
	list_push_back(&host->services, &hosted->link);
	hosted_start(hosted, done, id);
}

void
host_start(struct host *host, const struct cell_start *start, int image, host_done_fn *done, int64_t id)
{
	host_begin(host, start, image, NULL, done, id);
}

void
host_start_adopted(struct host *host, const struct cell_start *start, const struct bay_plugin *descriptor,
	host_done_fn *done, int64_t id)
{
	host_begin(host, start, -1, descriptor, done, id);
}

/* --- the gate ---------------------------------------------------------------------------- */

bool
host_gate(struct host *host, const struct cell_gate *gate, host_gate_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(gate->service);

	if (service == NULL)
		return false;
	host_gate_begin(&host->hosting, host->page, service, gate, done, id);
	return true;
}

bool
host_trace(struct host *host, const struct cell_trace *trace, host_gate_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(trace->service);

	if (service == NULL)
		return false;
	hop_set_traced(service, trace->on);
	host_gate_begin(&host->hosting, host->page, service, NULL, done, id);
	return true;
}

/* --- the guard --------------------------------------------------------------------------- */

struct host_breaker {
	struct inbox_item item;
	char service[SERVICE_NAME_SIZE];
	enum cell_breaker_state state;
	char *why;
};

static void
host_on_breaker(struct inbox_item *item)
{
	struct host_breaker *breaker = container_of(item, struct host_breaker, item);
	struct cell_breaker told = {.service = breaker->service, .state = breaker->state, .why = breaker->why};

	if (host_here != NULL)
		host_here->hosting.watcher->breaker(&told, host_here->hosting.arg);
	free(breaker->why);
	free(breaker);
}

/* On any thread. */
static void
host_breaker_changed(struct bay_service *service, const struct breaker_view *view, const char *text)
{
	static const enum cell_breaker_state states[] = {
		[STATUS_BREAKER_CLOSED] = CELL_BREAKER_CLOSED,
		[STATUS_BREAKER_OPEN] = CELL_BREAKER_OPEN,
		[STATUS_BREAKER_HALF_OPEN] = CELL_BREAKER_HALF_OPEN,
	};
	struct host_breaker *breaker;

	if (host_here == NULL)
		return;
	breaker = xcalloc(1, sizeof *breaker);
	breaker->item.run = host_on_breaker;
	snprintf(breaker->service, sizeof breaker->service, "%s", service->name);
	breaker->state = states[view->state];
	breaker->why = xstrdup(text);
	loop_post(host_here->hosting.control, &breaker->item);
}

void
host_guard(struct host *host, const struct cell_guard *guard, host_done_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(guard->service);

	if (service == NULL)
		done(BAY_INVALID, "the name of the service is not valid", id, host->hosting.arg);
	else
		host_guard_begin(&host->hosting, host->page, service, guard, host_breaker_changed, done, id);
}

/* --- changing ---------------------------------------------------------------------------- */

void
host_change(struct host *host, const struct cell_change *change, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_name(host, change->service);

	if (hosted == NULL || service_state(hosted->service) != SERVICE_READY)
		done(BAY_CLOSED, "it does not run", id, host->hosting.arg);
	else if (hosted->swapping)
		done(BAY_BUSY, "its code is being swapped", id, host->hosting.arg);
	else if (hosted->canary != NULL)
		done(BAY_BUSY, HOST_CANARY_RUNS, id, host->hosting.arg);
	else
		host_change_begin(hosted, change, done, id);
}

/* --- swapping ------------------------------------------------------------------------------ */

/* What is in the way of a swap, or NULL. */
static const char *
host_refuses_swap(const struct host *host, const struct hosted *hosted)
{
	if (hosted == NULL)
		return "it is not running";
	if (hosted->swapping)
		return "its code is being swapped already";
	if (host->stopping || hosted->stop_wanted || service_state(hosted->service) != SERVICE_READY)
		return "it is not ready, or about to stop";
	return NULL;
}

/* What is in the way of one that begins anew, or NULL. */
static const char *
host_refuses_new(const struct host *host, const struct hosted *hosted)
{
	const char *refusal = host_refuses_swap(host, hosted);

	return refusal == NULL && hosted->canary != NULL ? HOST_CANARY_RUNS : refusal;
}

void
host_swap(struct host *host, const struct cell_start *start, int image, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_name(host, start->service);
	const char *refusal = host_refuses_new(host, hosted);

	if (refusal == NULL) {
		/* What is made from now on is made by these; if it fails, Change sets them back. */
		host_set_limits(host, hosted->service, start, true);
		hosted_swap(hosted, start, image, done, id);
		return;
	}
	fd_close(&image);
	done(BAY_BUSY, refusal, id, host->hosting.arg);
}

void
host_retire(struct host *host, const char *name, int64_t drain_ns)
{
	struct hosted *hosted = host_find_name(host, name);

	if (hosted != NULL)
		hosted_retire(hosted, drain_ns);
}

void
host_revert(struct host *host, const char *name, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_name(host, name);
	const char *refusal = host_refuses_new(host, hosted);

	if (refusal != NULL)
		done(BAY_BUSY, refusal, id, host->hosting.arg);
	else if (hosted->kept == NULL)
		done(BAY_NOT_FOUND, "no former generation is kept", id, host->hosting.arg);
	else
		hosted_revert(hosted, drain_ns, done, id);
}

/* The service with a canary that nothing is in the way of, or NULL: it has been answered. */
static struct hosted *
host_find_canary(struct host *host, const char *name, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_name(host, name);
	const char *refusal = host_refuses_swap(host, hosted);

	if (refusal == NULL && hosted->canary != NULL)
		return hosted;
	if (refusal != NULL)
		done(BAY_BUSY, refusal, id, host->hosting.arg);
	else
		done(BAY_NOT_FOUND, "there is no canary of it", id, host->hosting.arg);
	return NULL;
}

void
host_promote(struct host *host, const struct cell_promote *promote, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_canary(host, promote->service, done, id);

	if (hosted != NULL)
		hosted_promote(hosted, promote->keep, done, id);
}

void
host_abort(struct host *host, const char *name, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	struct hosted *hosted = host_find_name(host, name);

	if (hosted == NULL || !hosted_gives_up(hosted))
		hosted = host_find_canary(host, name, done, id);
	if (hosted != NULL)
		hosted_abort(hosted, drain_ns, done, id);
}

/* --- stopping ---------------------------------------------------------------------------- */

void
host_stop(struct host *host, const char *name, int64_t drain_ns, bool hold, host_done_fn *done,
	int64_t id)
{
	struct hosted *hosted = host_find_name(host, name);

	if (hosted != NULL && hold && service_state(hosted->service) == SERVICE_READY)
		service_queue_hold(hosted->service);
	if (hosted != NULL)
		hosted_stop(hosted, drain_ns, done, id);
	else
		done(BAY_OK, NULL, id, host->hosting.arg);
}

static void
host_check_all_stopped(struct host *host)
{
	char *refusal = NULL;

	if (!host_asks_any(&host->all_stopped))
		return;
	list_for_each(pos, &host->services) {
		struct hosted *hosted = container_of(pos, struct hosted, link);

		if (!hosted_is_stuck(hosted))
			return;
		if (refusal == NULL)
			refusal = xasprintf("%s: %s", hosted->service->subject, hosted->refusal);
	}
	host_asks_answer(&host->all_stopped, refusal != NULL ? BAY_BUSY : BAY_OK, refusal, host->hosting.arg);
	free(refusal);
}

static void
host_on_settled(struct hosted *hosted, void *arg)
{
	if (hosted->gone) {
		list_remove(&hosted->link);
		hosted_destroy(hosted);
	}
	host_check_all_stopped(arg);
}

/* Nothing is started again for what is held. */
static void
host_let_go(void)
{
	unsigned id, count = registry_count();

	for (id = 0; id < count; id++) {
		struct bay_service *service = registry_at((uint16_t)id);

		if (service->held)
			service_queue_flush(service, "the cell is stopping");
	}
}

void
host_stop_all(struct host *host, int64_t drain_ns, bool replaced, host_done_fn *done, int64_t id)
{
	host->stopping = true;
	host_let_go();
	host->hosting.replaced = replaced;
	host_asks_add(&host->all_stopped, done, id);
	list_for_each_safe(pos, &host->services)
		hosted_stop(container_of(pos, struct hosted, link), drain_ns, NULL, 0);
	host_check_all_stopped(host);
}

/* --- failing by itself ------------------------------------------------------------------ */

struct host_failure {
	struct inbox_item item;
	struct generation *generation; /* the end of its instance comes after us */
	char *message;
};

static void
host_on_failure(struct inbox_item *item)
{
	struct host_failure *failure = container_of(item, struct host_failure, item);
	struct generation *generation = failure->generation;

	if (host_here != NULL)
		hosted_fail(generation->owner, generation, failure->message);
	free(failure->message);
	free(failure);
}

/* On the loop of the instance whose task failed. */
static void
host_instance_failed(struct bay_instance *instance, const char *text)
{
	struct host_failure *failure = xcalloc(1, sizeof *failure);

	failure->item.run = host_on_failure;
	failure->generation = instance->owner;
	failure->message = xstrdup(text != NULL ? text : "a task of it failed");
	loop_post(host_here->hosting.control, &failure->item);
}

/* --- how instances are ------------------------------------------------------------------ */

struct host_wellness {
	struct inbox_item item;
	struct generation *generation; /* as of a failure */
	unsigned instance;
	char *message;                 /* NULL: it is well */
};

static void
host_on_health(struct inbox_item *item)
{
	struct host_wellness *wellness = container_of(item, struct host_wellness, item);

	if (host_here != NULL)
		hosted_take_health(wellness->generation->owner, wellness->generation, wellness->instance,
			wellness->message);
	else
		free(wellness->message);
	free(wellness);
}

/* On its loop. */
static void
host_instance_health(struct bay_instance *instance, const char *text)
{
	struct host_wellness *wellness = xcalloc(1, sizeof *wellness);

	wellness->item.run = host_on_health;
	wellness->generation = instance->owner;
	wellness->instance = instance->index;
	wellness->message = text != NULL ? xstrdup(text) : NULL;
	loop_post(host_here->hosting.control, &wellness->item);
}
