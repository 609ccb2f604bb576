/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/log.h"
#include "cell/executor.h"
#include "cell/host_instance.h"
#include "cell/loader.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "runtime/scheduler.h"
#include "service/plugin.h"
#include "service/ready_set.h"
#include "service/registry.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/settings.h"

/* Beyond the drain: how long cancelled tasks may take to end, usually. */
#define HOST_GRACE_NS (2 * INT64_C(1000000000))

/* One hosted service and the operation on it. */
struct hosted {
	struct list link;                 /* host->services */
	struct host *host;
	struct bay_service *service;
	struct plugin *plugin;
	struct settings *settings;
	char *image;
	char *sha256;
	struct setting_value *values;     /* until the settings are made */
	size_t value_count;
	int64_t generation;
	int64_t start_timeout_ns;
	uint64_t mask;                    /* loops with an instance */

	/* the operation */
	host_done_fn *done;               /* NULL: none is asked for */
	int64_t id;
	bool starting;                    /* it is a start, else a stop */
	struct inbox_item step;           /* to the loader and back */
	unsigned pending;                 /* instances that have not answered */
	int status;                       /* of a start that failed ... */
	char *message;                    /* ... and its first failure, or NULL */
	char *refusal;                    /* why something of it would not end, or NULL */
	char *failed_with;                /* it is stopped because it failed by itself, ... */
	bool told;                        /* ... which on_failed has been told */
	struct host_instance *instances;  /* of the loops in mask, in their order */
	unsigned instance_count;
};

struct host {
	struct loop *control;
	struct executor *executor;
	struct loader *loader;
	const struct status_page *page;
	host_failed_fn *on_failed;
	void *arg;
	int64_t grace_ns;
	struct list services;             /* struct hosted.link */
	unsigned next_loop;               /* where the next single instance goes */

	bool stopping;
	int64_t drain_ns;
	host_done_fn *all_stopped;
	int64_t all_stopped_id;
};

static struct host *host_here;        /* for on_failed, which has a service only */

static void hosted_begin_stop(struct hosted *hosted, int64_t drain_ns);
static void host_check_all_stopped(struct host *host);

struct host *
host_create(struct loop *control, struct executor *executor, struct loader *loader,
	const struct status_page *page, host_failed_fn *on_failed, void *arg)
{
	struct host *host = xcalloc(1, sizeof *host);

	host->control = control;
	host->executor = executor;
	host->loader = loader;
	host->page = page;
	host->on_failed = on_failed;
	host->arg = arg;
	host->grace_ns = HOST_GRACE_NS;
	list_init(&host->services);
	host_here = host;
	return host;
}

void
host_set_grace(struct host *host, int64_t grace_ns)
{
	host->grace_ns = grace_ns;
}

void
host_destroy(struct host *host)
{
	if (host == NULL)
		return;
	host_here = NULL;
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

static void
hosted_destroy(struct hosted *hosted)
{
	size_t i;

	list_remove(&hosted->link);
	for (i = 0; i < hosted->value_count; i++) {
		free((char *)hosted->values[i].key);
		free((char *)hosted->values[i].value);
	}
	free(hosted->values);
	free(hosted->instances);
	free(hosted->image);
	free(hosted->sha256);
	free(hosted->message);
	free(hosted->refusal);
	free(hosted->failed_with);
	free(hosted);
}

/* Keeps the first failure of a start. Takes message. */
static void
hosted_fail(struct hosted *hosted, int status, char *message)
{
	if (hosted->message != NULL || message == NULL) {
		free(message);
		return;
	}
	hosted->status = status;
	hosted->message = message;
}

/* Tells who asked for the operation how it ended; there may be nobody. */
static void
hosted_answer(struct hosted *hosted, int status, const char *message)
{
	host_done_fn *done = hosted->done;

	hosted->done = NULL;
	hosted->starting = false;
	if (done != NULL)
		done(status, message, hosted->id, hosted->host->arg);
}

/* Tells of a failure that nobody asked for, once. */
static void
hosted_tell_failure(struct hosted *hosted, const char *text)
{
	struct host *host = hosted->host;

	if (hosted->failed_with == NULL || hosted->told)
		return;
	hosted->told = true;
	host->on_failed(hosted->service->name, hosted->generation, text, host->arg);
}

/* Something of it would not end, and nothing is going on. */
static bool
hosted_is_stuck(const struct hosted *hosted)
{
	return hosted->refusal != NULL && hosted->pending == 0;
}

/* --- instances --------------------------------------------------------------------- */

static void
hosted_each_instance(struct hosted *hosted, host_instance_fn *fn)
{
	unsigned i;

	hosted->pending = hosted->instance_count;
	for (i = 0; i < hosted->instance_count; i++)
		fn(&hosted->instances[i]);
}

static void
hosted_next_step(struct hosted *hosted, host_instance_done_fn *done)
{
	unsigned i;

	for (i = 0; i < hosted->instance_count; i++)
		hosted->instances[i].done = done;
}

/* An instance has answered a step of the start; true: it was the last one. */
static bool
hosted_collect(struct hosted *hosted, struct host_instance *instance)
{
	hosted_fail(hosted, instance->status, instance->message);
	instance->message = NULL;
	return --hosted->pending == 0;
}

/* Which loops get an instance: all, or count of them, in turn. */
static uint64_t
host_choose_loops(struct host *host, int64_t count)
{
	unsigned loops = executor_count(host->executor);
	uint64_t mask = 0;

	if (count == 0 || count > loops)
		count = loops;
	while (count-- > 0)
		mask |= UINT64_C(1) << (host->next_loop++ % loops);
	return mask;
}

/* Prepares them for their first step. False: failed. */
static bool
hosted_make_instances(struct hosted *hosted)
{
	struct host *host = hosted->host;
	struct ready_set *set = ready_set_for(hosted->mask);
	unsigned i, n = 0;

	if (set == NULL) {
		hosted_fail(hosted, BAY_FULL, xstrdup("the services of this cell run on too many different "
			"sets of loops: give some the same number of instances"));
		return false;
	}
	hosted->instance_count = (unsigned)__builtin_popcountll(hosted->mask);
	hosted->instances = xcalloc(hosted->instance_count, sizeof hosted->instances[0]);
	for (i = 0; i < executor_count(host->executor); i++) {
		if ((hosted->mask >> i & 1) != 0) {
			host_instance_init(&hosted->instances[n], hosted->service, executor_scheduler(host->executor, i),
				host->control, n, hosted);
			n++;
		}
	}
	service_set_plugin(hosted->service, &hosted->plugin->descriptor, settings_struct(hosted->settings), set, n);
	return true;
}

/* --- stopping ------------------------------------------------------------------------ */

/* The last step, on the control thread: nothing of it is left. */
static void
hosted_on_unloaded(struct inbox_item *item)
{
	struct hosted *hosted = container_of(item, struct hosted, step);
	struct host *host = hosted->host;
	const char *reason = hosted->failed_with != NULL ? hosted->failed_with : hosted->message;

	service_set_state(hosted->service, reason != NULL ? SERVICE_FAILED : SERVICE_STOPPED, reason);
	hosted_tell_failure(hosted, reason);
	if (hosted->starting)
		hosted_answer(hosted, hosted->status, hosted->message);
	else
		hosted_answer(hosted, BAY_OK, NULL);
	hosted_destroy(hosted);
	host_check_all_stopped(host);
}

/* On the loader thread. */
static void
hosted_on_unload(struct inbox_item *item)
{
	struct hosted *hosted = container_of(item, struct hosted, step);
	struct buffer reason = {0};

	settings_destroy(hosted->settings);
	if (!plugin_close(hosted->plugin, &reason))
		log_debug("cell", "the code of service %s stays in the process: %.*s", hosted->service->name,
			(int)reason.size, (const char *)reason.data);
	buffer_finish(&reason);
	hosted->plugin = NULL;
	hosted->settings = NULL;
	item->run = hosted_on_unloaded;
	loop_post(hosted->host->control, item);
}

static void
hosted_unload(struct hosted *hosted)
{
	service_set_plugin(hosted->service, NULL, NULL, NULL, 0);
	hosted->step.run = hosted_on_unload;
	loader_post(hosted->host->loader, &hosted->step);
}

/* Its code must stay, and so must the service's state. It may be asked to stop again. */
static void
hosted_refuses_to_stop(struct hosted *hosted)
{
	struct host *host = hosted->host;
	const char *why = hosted->starting ? hosted->message : hosted->failed_with;
	char *text = why != NULL ? xasprintf("%s; and it cannot be stopped: %s", why, hosted->refusal)
		: xstrdup(hosted->refusal);

	log_error(hosted->service->subject, "it cannot be stopped: %s", hosted->refusal);
	hosted_tell_failure(hosted, text);
	hosted_answer(hosted, BAY_BUSY, text);
	free(text);
	host_check_all_stopped(host);
}

static void
hosted_on_instance_stopped(struct host_instance *instance)
{
	struct hosted *hosted = instance->owner;

	if (hosted->refusal == NULL)
		hosted->refusal = instance->message;
	else
		free(instance->message);
	instance->message = NULL;
	if (--hosted->pending > 0)
		return;
	/* Nobody takes from the queue any more, whatever else becomes of it. */
	service_queue_flush(hosted->service, hosted->failed_with != NULL ? "it has failed" : "it has stopped");
	if (hosted->refusal != NULL) {
		hosted_refuses_to_stop(hosted);
		return;
	}
	service_queue_unlist(hosted->service);
	hosted_unload(hosted);
}

static void
hosted_begin_stop(struct hosted *hosted, int64_t drain_ns)
{
	unsigned i;

	service_set_state(hosted->service, SERVICE_STOPPING, NULL);
	free(hosted->refusal);
	hosted->refusal = NULL;
	hosted_next_step(hosted, hosted_on_instance_stopped);
	for (i = 0; i < hosted->instance_count; i++) {
		hosted->instances[i].drain_ns = drain_ns;
		hosted->instances[i].grace_ns = hosted->host->grace_ns;
	}
	hosted_each_instance(hosted, host_instance_stop);
}

void
host_stop(struct host *host, const char *name, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(name);
	struct hosted *hosted = service != NULL ? host_find(host, service) : NULL;
	char message[128];

	if (hosted == NULL) {
		done(BAY_OK, NULL, id, host->arg);
		return;
	}
	if (service_state(service) != SERVICE_READY && !hosted_is_stuck(hosted)) {
		snprintf(message, sizeof message, "service %s is %s", name, service_state_name(service_state(service)));
		done(BAY_BUSY, message, id, host->arg);
		return;
	}
	hosted->done = done;
	hosted->id = id;
	hosted_begin_stop(hosted, drain_ns);
}

static void
host_check_all_stopped(struct host *host)
{
	host_done_fn *done = host->all_stopped;
	char *refusal = NULL;

	if (done == NULL)
		return;
	list_for_each(pos, &host->services) {
		struct hosted *hosted = container_of(pos, struct hosted, link);

		if (!hosted_is_stuck(hosted))
			return;
		if (refusal == NULL)
			refusal = xasprintf("service %s: %s", hosted->service->name, hosted->refusal);
	}
	host->all_stopped = NULL;
	done(refusal != NULL ? BAY_BUSY : BAY_OK, refusal, host->all_stopped_id, host->arg);
	free(refusal);
}

void
host_stop_all(struct host *host, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	host->stopping = true;
	host->drain_ns = drain_ns;
	host->all_stopped = done;
	host->all_stopped_id = id;
	list_for_each_safe(pos, &host->services) {
		struct hosted *hosted = container_of(pos, struct hosted, link);

		if (service_state(hosted->service) == SERVICE_READY || hosted_is_stuck(hosted))
			hosted_begin_stop(hosted, drain_ns);
	}
	host_check_all_stopped(host);
}

/* --- failing by itself ------------------------------------------------------------------ */

struct host_failure {
	struct inbox_item item;
	struct bay_service *service;
	char *message;
};

static void
host_on_failure(struct inbox_item *item)
{
	struct host_failure *failure = container_of(item, struct host_failure, item);
	struct hosted *hosted = host_here != NULL ? host_find(host_here, failure->service) : NULL;

	if (hosted != NULL && service_state(hosted->service) == SERVICE_READY) {
		hosted->failed_with = failure->message;
		failure->message = NULL;
		hosted_begin_stop(hosted, 0);
	} else if (hosted != NULL && hosted->starting) {
		/* While other instances are still on their way: the next step will see it. */
		hosted_fail(hosted, BAY_FAILED, failure->message);
		failure->message = NULL;
	}
	free(failure->message);
	free(failure);
}

/* On the loop of the instance whose task failed. */
static void
host_service_failed(struct bay_service *service, const char *text)
{
	struct host_failure *failure = xcalloc(1, sizeof *failure);

	failure->item.run = host_on_failure;
	failure->service = service;
	failure->message = xstrdup(text != NULL ? text : "a task of it failed");
	loop_post(host_here->control, &failure->item);
}

/* --- starting ----------------------------------------------------------------------------- */

static void
hosted_on_instance_serves(struct host_instance *instance)
{
	struct hosted *hosted = instance->owner;

	if (!hosted_collect(hosted, instance))
		return;
	if (hosted->message != NULL) {
		hosted_begin_stop(hosted, 0);
		return;
	}
	service_set_state(hosted->service, SERVICE_READY, NULL);
	hosted_answer(hosted, BAY_OK, NULL);
	if (hosted->host->stopping)
		hosted_begin_stop(hosted, hosted->host->drain_ns);
}

static void
hosted_on_instance_initialised(struct host_instance *instance)
{
	struct hosted *hosted = instance->owner;

	if (!hosted_collect(hosted, instance))
		return;
	if (hosted->message != NULL) {
		hosted_begin_stop(hosted, 0);
		return;
	}
	hosted_next_step(hosted, hosted_on_instance_serves);
	hosted_each_instance(hosted, host_instance_serve);
}

static void
hosted_on_loaded(struct inbox_item *item)
{
	struct hosted *hosted = container_of(item, struct hosted, step);
	unsigned i;

	if (hosted->message != NULL || !hosted_make_instances(hosted)) {
		hosted_unload(hosted);
		return;
	}
	hosted_next_step(hosted, hosted_on_instance_initialised);
	for (i = 0; i < hosted->instance_count; i++) {
		hosted->instances[i].start_timeout_ns = hosted->start_timeout_ns;
		hosted->instances[i].grace_ns = hosted->host->grace_ns;
	}
	hosted_each_instance(hosted, host_instance_start);
}

/* The first complaint about the settings, as a text. */
static char *
hosted_complaint(const struct settings_report *report)
{
	return xasprintf("setting %s: %s", report->items[0].key, report->items[0].text);
}

/* On the loader thread. */
static void
hosted_on_load(struct inbox_item *item)
{
	struct hosted *hosted = container_of(item, struct hosted, step);
	struct settings_report report = {0};
	struct buffer error = {0};

	if (!plugin_open(hosted->image, hosted->sha256, &hosted->plugin, &error))
		hosted_fail(hosted, BAY_INVALID, xstrndup((const char *)error.data, error.size));
	else if (!settings_create(hosted->plugin->descriptor.settings, hosted->values, hosted->value_count,
			&hosted->settings, &report))
		hosted_fail(hosted, BAY_INVALID, hosted_complaint(&report));
	settings_report_finish(&report);
	buffer_finish(&error);
	item->run = hosted_on_loaded;
	loop_post(hosted->host->control, item);
}

static struct hosted *
hosted_create(struct host *host, struct bay_service *service, const struct cell_start *start)
{
	struct hosted *hosted = xcalloc(1, sizeof *hosted);
	size_t i;

	hosted->host = host;
	hosted->service = service;
	hosted->image = xstrdup(start->image);
	hosted->sha256 = start->sha256 != NULL ? xstrdup(start->sha256) : NULL;
	hosted->generation = start->generation;
	hosted->start_timeout_ns = start->start_timeout_ns;
	hosted->mask = host_choose_loops(host, start->instances);
	hosted->values = xcalloc(start->setting_count + 1, sizeof hosted->values[0]);
	hosted->value_count = start->setting_count;
	for (i = 0; i < start->setting_count; i++) {
		hosted->values[i].key = xstrdup(start->settings[i].key);
		hosted->values[i].value = xstrdup(start->settings[i].value);
	}
	list_push_back(&host->services, &hosted->link);
	return hosted;
}

static void
host_set_limits(struct bay_service *service, const struct cell_start *start)
{
	static const enum overflow_policy policies[] = {
		[CELL_OVERFLOW_WAIT] = OVERFLOW_WAIT,
		[CELL_OVERFLOW_REJECT] = OVERFLOW_REJECT,
		[CELL_OVERFLOW_DROP_OLDEST] = OVERFLOW_DROP_OLDEST,
		[CELL_OVERFLOW_DROP_NEWEST] = OVERFLOW_DROP_NEWEST,
	};

	struct service_limits limits = {
		.concurrency = (unsigned)start->concurrency,
		.queue = (size_t)start->queue,
		.queue_bytes = (size_t)start->queue_bytes,
		.overflow = policies[start->overflow],
		.timeout_ns = start->timeout_ns,
		.stack_bytes = (size_t)start->stack_bytes,
	};

	service_set_limits(service, &limits);
}

void
host_start(struct host *host, const struct cell_start *start, host_done_fn *done, int64_t id)
{
	struct bay_service *service = registry_get(start->service);
	struct hosted *hosted;

	if (service == NULL || start->slot >= host->page->services) {
		done(BAY_INVALID, "the name or the slot of the service is not valid", id, host->arg);
		return;
	}
	if (host->stopping || host_find(host, service) != NULL) {
		done(BAY_BUSY, host->stopping ? "the cell is stopping" : "it is running already, or refuses to stop",
			id, host->arg);
		return;
	}
	service_set_slot(service, host->page, (uint32_t)start->slot);
	host_set_limits(service, start);
	service->on_failed = host_service_failed;
	service_set_state(service, SERVICE_STARTING, NULL);
	hosted = hosted_create(host, service, start);
	hosted->done = done;
	hosted->id = id;
	hosted->starting = true;
	hosted->step.run = hosted_on_load;
	loader_post(host->loader, &hosted->step);
}
