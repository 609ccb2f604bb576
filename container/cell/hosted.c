/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/hosted.h"

#include <stdlib.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/code.h"
#include "base/log.h"
#include "cell/executor.h"
#include "cell/host_instance.h"
#include "protocol/cell_link.h"
#include "runtime/scheduler.h"
#include "service/plugin.h"
#include "service/ready_set.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/settings.h"

static void hosted_begin_stop(struct hosted *hosted, int64_t drain_ns);

struct hosted *
hosted_create(const struct hosting *hosting, struct bay_service *service, const struct cell_start *start,
	int image, uint64_t mask)
{
	struct hosted *hosted = xcalloc(1, sizeof *hosted);

	list_init(&hosted->link);
	host_asks_init(&hosted->starters);
	host_asks_init(&hosted->stoppers);
	hosted->hosting = hosting;
	hosted->service = service;
	hosted->generation = start->generation;
	hosted->start_timeout_ns = start->start_timeout_ns;
	hosted->mask = mask;
	host_code_init(&hosted->code, start, image, service->subject, hosting->control, hosting->loader);
	return hosted;
}

void
hosted_destroy(struct hosted *hosted)
{
	host_code_finish(&hosted->code);
	host_asks_finish(&hosted->starters);
	host_asks_finish(&hosted->stoppers);
	free(hosted->instances);
	free(hosted->message);
	free(hosted->refusal);
	free(hosted->failed_with);
	free(hosted);
}

bool
hosted_is_stuck(const struct hosted *hosted)
{
	return hosted->refusal != NULL && hosted->pending == 0;
}

/* --- answers ------------------------------------------------------------------------- */

/* Keeps the first failure of a start. Takes message. */
static void
hosted_keep_failure(struct hosted *hosted, int status, char *message)
{
	if (hosted->message != NULL || message == NULL) {
		free(message);
		return;
	}
	hosted->status = status;
	hosted->message = message;
}

static void
hosted_answer_start(struct hosted *hosted, int status, const char *message)
{
	hosted->starting = false;
	host_asks_answer(&hosted->starters, status, message, hosted->hosting->arg);
}

static void
hosted_answer_stop(struct hosted *hosted, int status, const char *message)
{
	host_asks_answer(&hosted->stoppers, status, message, hosted->hosting->arg);
}

/* Tells of a failure that nobody asked for, once. */
static void
hosted_tell_failure(struct hosted *hosted, const char *text)
{
	const struct hosting *hosting = hosted->hosting;

	if (hosted->failed_with == NULL || hosted->told)
		return;
	hosted->told = true;
	hosting->on_failed(hosted->service->name, hosted->generation, text, hosting->arg);
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
	hosted_keep_failure(hosted, instance->status, instance->message);
	instance->message = NULL;
	return --hosted->pending == 0;
}

/* Prepares them for their first step. False: failed. */
static bool
hosted_make_instances(struct hosted *hosted)
{
	const struct hosting *hosting = hosted->hosting;
	struct ready_set *set = ready_set_for(hosted->mask);
	unsigned i, n = 0;

	if (set == NULL) {
		hosted_keep_failure(hosted, BAY_FULL, xstrdup("the services of this cell run on too many different "
			"sets of loops: give some the same number of instances"));
		return false;
	}
	hosted->instance_count = (unsigned)__builtin_popcountll(hosted->mask);
	hosted->instances = xcalloc(hosted->instance_count, sizeof hosted->instances[0]);
	for (i = 0; i < executor_count(hosting->executor); i++) {
		if ((hosted->mask >> i & 1) != 0) {
			host_instance_init(&hosted->instances[n], hosted->service,
				executor_scheduler(hosting->executor, i), hosting->control, n, hosted);
			n++;
		}
	}
	service_set_plugin(hosted->service, &hosted->code.plugin->descriptor,
		settings_struct(hosted->code.settings), set, n);
	return true;
}

/* --- stopping ------------------------------------------------------------------------ */

/* The last step: nothing of it is left. */
static void
hosted_on_unloaded(struct host_code *code)
{
	struct hosted *hosted = container_of(code, struct hosted, code);
	const char *reason = hosted->failed_with != NULL ? hosted->failed_with : hosted->message;

	service_set_state(hosted->service, reason != NULL ? SERVICE_FAILED : SERVICE_STOPPED, reason);
	hosted_tell_failure(hosted, reason);
	hosted_answer_start(hosted, hosted->status, hosted->message);
	hosted_answer_stop(hosted, BAY_OK, NULL);
	hosted->gone = true;
	hosted->hosting->settled(hosted, hosted->hosting->settled_arg);
}

static void
hosted_unload(struct hosted *hosted)
{
	service_set_plugin(hosted->service, NULL, NULL, NULL, 0);
	host_code_unload(&hosted->code, hosted_on_unloaded);
}

/* Its code must stay, and so must the service's state. It may be asked to stop again. */
static void
hosted_refuses_to_stop(struct hosted *hosted)
{
	const struct code *code;
	const char *why = hosted->starting ? hosted->message : hosted->failed_with;
	char *text = why != NULL ? xasprintf("%.*s; and it cannot be stopped: %s [service-stuck]",
		(int)code_split(why, &code), why, hosted->refusal)
		: xstrdup(hosted->refusal);

	log_error(hosted->service->subject, "it cannot be stopped: %s [service-stuck]", hosted->refusal);
	hosted_tell_failure(hosted, text);
	hosted_answer_start(hosted, BAY_BUSY, text);
	hosted_answer_stop(hosted, BAY_BUSY, text);
	free(text);
	hosted->hosting->settled(hosted, hosted->hosting->settled_arg);
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
		hosted->instances[i].grace_ns = hosted->hosting->grace_ns;
	}
	hosted_each_instance(hosted, host_instance_stop);
}

/* Those that are past their drain, or gone, do not mind. */
static void
hosted_hurry(struct hosted *hosted, int64_t drain_ns)
{
	unsigned i;

	for (i = 0; i < hosted->instance_count; i++)
		host_instance_hurry(&hosted->instances[i], drain_ns);
}

void
hosted_stop(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->stoppers, done, id);
	if (service_state(hosted->service) == SERVICE_READY || hosted_is_stuck(hosted))
		hosted_begin_stop(hosted, drain_ns);
	else if (service_state(hosted->service) == SERVICE_STOPPING)
		hosted_hurry(hosted, drain_ns);
	else if (!hosted->stop_wanted || drain_ns < hosted->stop_drain_ns) {
		hosted->stop_wanted = true;
		hosted->stop_drain_ns = drain_ns;
	}
}

void
hosted_fail(struct hosted *hosted, const char *message)
{
	if (service_state(hosted->service) == SERVICE_READY) {
		hosted->failed_with = xstrdup(message);
		hosted_begin_stop(hosted, 0);
	} else if (hosted->starting) {
		/* While other instances are still on their way: the next step will see it. */
		hosted_keep_failure(hosted, BAY_FAILED, xstrdup(message));
	}
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
	hosted_answer_start(hosted, BAY_OK, NULL);
	if (hosted->stop_wanted)
		hosted_begin_stop(hosted, hosted->stop_drain_ns);
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
hosted_on_loaded(struct host_code *code)
{
	struct hosted *hosted = container_of(code, struct hosted, code);
	unsigned i;

	hosted_keep_failure(hosted, BAY_INVALID, code->error);
	code->error = NULL;
	if (hosted->message != NULL || !hosted_make_instances(hosted)) {
		hosted_unload(hosted);
		return;
	}
	hosted_next_step(hosted, hosted_on_instance_initialised);
	for (i = 0; i < hosted->instance_count; i++) {
		hosted->instances[i].start_timeout_ns = hosted->start_timeout_ns;
		hosted->instances[i].grace_ns = hosted->hosting->grace_ns;
	}
	hosted_each_instance(hosted, host_instance_start);
}

void
hosted_start(struct hosted *hosted, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->starters, done, id);
	hosted->starting = true;
	service_set_state(hosted->service, SERVICE_STARTING, NULL);
	host_code_load(&hosted->code, hosted_on_loaded);
}
