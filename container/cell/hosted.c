/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/hosted.h"

#include <stdlib.h>
#include <string.h>

#include <bay/status.h>
#include <bay/time.h>

#include "base/alloc.h"
#include "base/code.h"
#include "base/log.h"
#include "cell/host_instance.h"
#include "cell/thread_watch.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "service/plugin.h"
#include "service/plugin_import.h"
#include "service/ready_set.h"
#include "service/service.h"
#include "service/service_queue.h"

/* How long one that refuses to end is left alone, at first and at most. */
#define HOSTED_RETRY_MIN_NS (BAY_SECOND / 2)
#define HOSTED_RETRY_MAX_NS (30 * BAY_SECOND)

struct generation *
hosted_add(struct hosted *hosted, const struct cell_start *start, int image)
{
	struct generation *generation = generation_create(hosted, start, image);

	list_push_front(&hosted->generations, &generation->link);
	return generation;
}

struct hosted *
hosted_create(const struct hosting *hosting, struct bay_service *service, const struct cell_start *start,
	int image, uint64_t mask)
{
	struct hosted *hosted = xcalloc(1, sizeof *hosted);

	list_init(&hosted->link);
	list_init(&hosted->generations);
	host_asks_init(&hosted->starters);
	host_asks_init(&hosted->swappers);
	host_asks_init(&hosted->stoppers);
	hosted->hosting = hosting;
	hosted->service = service;
	hosted->mask = mask;
	hosted->current = hosted_add(hosted, start, image);
	return hosted;
}

void
hosted_destroy(struct hosted *hosted)
{
	host_asks_finish(&hosted->starters);
	host_asks_finish(&hosted->swappers);
	host_asks_finish(&hosted->stoppers);
	free(hosted->message);
	free(hosted->refusal);
	free(hosted->failed_with);
	free(hosted->canary_failed_with);
	free(hosted->unwell);
	free(hosted);
}

bool
hosted_has(const struct hosted *hosted, int64_t number)
{
	return !hosted->ending && ((hosted->current != NULL && hosted->current->number == number) ||
		(hosted->next != NULL && hosted->next->number == number) ||
		(hosted->canary != NULL && hosted->canary->number == number));
}

bool
hosted_uses(const struct hosted *hosted, const char *image)
{
	list_for_each(pos, &hosted->generations) {
		if (strcmp(host_code_image(&container_of(pos, struct generation, link)->code), image) == 0)
			return true;
	}
	return false;
}

/* Whether one of its generations is doing something, or only those that refuse to end are left. */
static bool
hosted_is_busy(const struct hosted *hosted)
{
	list_for_each(pos, &hosted->generations) {
		if (container_of(pos, struct generation, link)->state != GENERATION_STUCK)
			return true;
	}
	return false;
}

bool
hosted_is_stuck(const struct hosted *hosted)
{
	return hosted->refusal != NULL && !hosted_is_busy(hosted);
}

/* --- answers ------------------------------------------------------------------------- */

void
hosted_keep_failure(struct hosted *hosted, int status, char *message)
{
	if (hosted->message != NULL || message == NULL) {
		free(message);
		return;
	}
	hosted->status = status;
	hosted->message = message;
}

void
hosted_take_failure(struct hosted *hosted, struct generation *generation)
{
	hosted_keep_failure(hosted, generation->status, generation->message);
	generation->message = NULL;
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
	hosting->watcher->failed(hosted->service->name, hosted->failed_generation, text, hosting->arg);
}

/* --- what lingers ---------------------------------------------------------------------- */

static void
hosted_tell_lingers(struct generation *generation, const char *reason)
{
	const struct hosted *hosted = generation->owner;
	const struct hosting *hosting = hosted->hosting;
	const struct cell_lingers lingers = {.service = hosted->service->name, .id = generation->id,
		.generation = generation->number, .reason = reason};

	generation->lingers = reason != NULL;
	hosting->watcher->lingers(&lingers, hosting->arg);
}

static void
hosted_on_retry(struct timer *timer)
{
	struct generation *generation = container_of(timer, struct generation, retry);

	generation_end(generation, 0, NULL, hosted_on_ended);
}

/* One that was replaced refuses to end. It is asked again, as what it waits for may come. */
static void
hosted_leave_lingering(struct generation *generation)
{
	struct loop *control = generation->owner->hosting->control;

	if (!generation->lingers) {
		log_warn(generation->owner->service->subject, "generation %lld, which was replaced, cannot end: %s [swap-lingers]",
			(long long)generation->number, generation->refusal);
		hosted_tell_lingers(generation, generation->refusal);
	}
	generation->retry_ns = generation->retry_ns == 0 ? HOSTED_RETRY_MIN_NS : generation->retry_ns * 2;
	if (generation->retry_ns > HOSTED_RETRY_MAX_NS)
		generation->retry_ns = HOSTED_RETRY_MAX_NS;
	timer_init(&generation->retry, hosted_on_retry);
	wheel_add(&control->wheel, &generation->retry, loop_now(control) + generation->retry_ns);
}

/* The threads that were there when what replaced it was loaded; NULL: nothing has. */
static const struct thread_ids *
hosted_threads_after(const struct generation *generation)
{
	const struct thread_ids *after = NULL;

	/* The latest stands first. */
	list_for_each(pos, &generation->owner->generations) {
		const struct generation *other = container_of(pos, struct generation, link);

		if (other->id > generation->id)
			after = &other->threads;
	}
	return after;
}

/* Its instances have ended; perhaps its code stays. */
static void
hosted_drop(struct generation *generation)
{
	const struct hosting *hosting = generation->owner->hosting;
	const char *reason = generation->code.lingers;

	list_remove(&generation->link);
	if (reason != NULL && strstr(reason, PLUGIN_STARTS_THREADS) != NULL &&
		hosting->threads_are_its(generation, hosting->host))
		thread_watch_ended(hosting->threads, generation->owner->service, &generation->threads,
			hosted_threads_after(generation));
	if (reason != NULL && hosting->shares(generation, hosting->host))
		reason = NULL;
	if (reason != NULL || generation->lingers)
		hosted_tell_lingers(generation, reason);
	generation_destroy(generation);
}

/* --- how it is --------------------------------------------------------------------- */

/* The first of its instances that is not well speaks for all. */
static const char *
hosted_find_unwell(const struct hosted *hosted)
{
	const struct generation *current = hosted->current;

	for (unsigned i = 0; current != NULL && i < current->instance_count; i++) {
		if (current->instances[i].unwell != NULL)
			return current->instances[i].unwell;
	}
	return NULL;
}

void
hosted_tell_health(struct hosted *hosted, bool anew)
{
	const struct hosting *hosting = hosted->hosting;
	const char *unwell = hosted_find_unwell(hosted);
	struct cell_health health = {.service = hosted->service->name, .reason = unwell};
	bool same = unwell == NULL ? hosted->unwell == NULL :
		hosted->unwell != NULL && strcmp(unwell, hosted->unwell) == 0;

	if (hosted->current == NULL || (same && (!anew || unwell == NULL)))
		return;
	free(hosted->unwell);
	hosted->unwell = unwell != NULL ? xstrdup(unwell) : NULL;
	health.generation = hosted->current->number;
	hosting->watcher->health(&health, hosting->arg);
}

void
hosted_take_health(struct hosted *hosted, struct generation *generation, unsigned instance, char *message)
{
	free(generation->instances[instance].unwell);
	generation->instances[instance].unwell = message;
	if (generation == hosted->current && !hosted->ending)
		hosted_tell_health(hosted, false);
}

/* --- stopping ------------------------------------------------------------------------ */

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
	hosted->hosting->settled(hosted, hosted->hosting->host);
}

/* Nothing of it is left. */
static void
hosted_has_stopped(struct hosted *hosted)
{
	const char *reason = hosted->failed_with != NULL ? hosted->failed_with : hosted->message;

	service_set_route(hosted->service, NULL, NULL, 0);
	service_set_state(hosted->service, reason != NULL ? SERVICE_FAILED : SERVICE_STOPPED, reason);
	hosted_tell_failure(hosted, reason);
	hosted_answer_start(hosted, hosted->status, hosted->message);
	hosted_answer_stop(hosted, BAY_OK, NULL);
	hosted->gone = true;
	hosted->hosting->settled(hosted, hosted->hosting->host);
}

/* The first refusal among its generations; NULL: there is none. */
static const char *
hosted_find_refusal(const struct hosted *hosted)
{
	list_for_each(pos, &hosted->generations) {
		const struct generation *generation = container_of(pos, struct generation, link);

		if (generation->state == GENERATION_STUCK)
			return generation->refusal;
	}
	return NULL;
}

static void
hosted_check_stopped(struct hosted *hosted)
{
	const char *refusal;

	if (!hosted->ending || hosted_is_busy(hosted))
		return;
	refusal = hosted_find_refusal(hosted);
	free(hosted->refusal);
	hosted->refusal = refusal != NULL ? xstrdup(refusal) : NULL;
	if (refusal != NULL)
		hosted_refuses_to_stop(hosted);
	else
		hosted_has_stopped(hosted);
}

/* Nobody takes from the queue any more, whatever else becomes of it. */
static void
hosted_on_quiet(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted->service->held || generation->refusal != NULL)
		service_queue_flush(hosted->service, hosted->failed_with != NULL ? "it has failed" : "it has stopped");
	if (generation->refusal == NULL)
		service_queue_unlist(hosted->service);
}

void
hosted_on_ended(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (generation->state == GENERATION_STUCK) {
		if (!hosted->ending)
			hosted_leave_lingering(generation);
	} else {
		if (generation == hosted->current)
			hosted->current = NULL;
		hosted_drop(generation);
	}
	hosted_check_stopped(hosted);
}

void
hosted_begin_stop(struct hosted *hosted, int64_t drain_ns)
{
	struct wheel *wheel = &hosted->hosting->control->wheel;

	service_set_state(hosted->service, SERVICE_STOPPING, NULL);
	free(hosted->refusal);
	hosted->refusal = NULL;
	hosted->ending = true;
	hosted->kept = NULL;
	hosted->canary = NULL;
	list_for_each_safe(pos, &hosted->generations) {
		struct generation *generation = container_of(pos, struct generation, link);

		if (timer_armed(&generation->retry))
			wheel_remove(wheel, &generation->retry);
		if (generation->state == GENERATION_ENDING)
			generation_hurry(generation, drain_ns);
		else
			generation_end(generation, drain_ns,
				generation == hosted->current ? hosted_on_quiet : NULL, hosted_on_ended);
	}
}

/* Those that are past their drain, or gone, do not mind. */
static void
hosted_hurry(struct hosted *hosted, int64_t drain_ns)
{
	list_for_each(pos, &hosted->generations)
		generation_hurry(container_of(pos, struct generation, link), drain_ns);
}

/* Something is under way that has to end before. */
static bool
hosted_has_to_wait(const struct hosted *hosted)
{
	return hosted->swapping || service_state(hosted->service) != SERVICE_READY;
}

void
hosted_stop(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->stoppers, done, id);
	if (!hosted_has_to_wait(hosted) || hosted_is_stuck(hosted)) {
		hosted_begin_stop(hosted, drain_ns);
	} else if (hosted->ending) {
		hosted_hurry(hosted, drain_ns);
	} else {
		if (!hosted->stop_wanted || drain_ns < hosted->stop_drain_ns)
			hosted->stop_drain_ns = drain_ns;
		hosted->stop_wanted = true;
		/* They may be held. */
		if (hosted->swapping && hosted->current != NULL)
			generation_hurry(hosted->current, drain_ns);
		if (hosted->promoting)
			generation_hurry(hosted->next, drain_ns);
	}
}

void
hosted_warn_replaced(const struct hosted *hosted, int64_t number, const char *message)
{
	log_warn(hosted->service->subject, "generation %lld, which was replaced, failed: %s [service-task]",
		(long long)number, message);
}

void
hosted_fail(struct hosted *hosted, struct generation *generation, const char *message)
{
	if (generation == hosted->canary) {
		free(hosted->canary_failed_with);
		hosted->canary_failed_with = xstrdup(message);
		hosted_begin_give_up(hosted);
	} else if (generation != hosted->current && generation != hosted->next) {
		hosted_warn_replaced(hosted, generation->number, message);
	} else if (generation == hosted->next || hosted->starting) {
		/* While other instances are still on their way: the next step will see it. */
		generation_keep_failure(generation, BAY_FAILED, xstrdup(message));
	} else if (hosted->ending || hosted->failed_with != NULL) {
		return;
	} else {
		hosted->failed_with = xstrdup(message);
		hosted->failed_generation = generation->number;
		if (!hosted->swapping)
			hosted_begin_stop(hosted, 0);
	}
}

/* --- starting ----------------------------------------------------------------------------- */

/* A step of the start has ended. False: that was the end of it. */
static bool
hosted_start_goes_on(struct hosted *hosted)
{
	hosted_take_failure(hosted, hosted->current);
	if (hosted->message == NULL)
		return true;
	hosted_begin_stop(hosted, 0);
	return false;
}

static void
hosted_on_serves(struct generation *generation)
{
	struct hosted *hosted = generation->owner;

	if (!hosted_start_goes_on(hosted))
		return;
	service_set_state(hosted->service, SERVICE_READY, NULL);
	monitor_note(hosted->service, BAY_MONITOR_READY, generation->number, NULL);
	service_queue_release(hosted->service);
	hosted_answer_start(hosted, BAY_OK, NULL);
	if (hosted->stop_wanted)
		hosted_begin_stop(hosted, hosted->stop_drain_ns);
}

static void
hosted_on_initialised(struct generation *generation)
{
	if (hosted_start_goes_on(generation->owner))
		generation_serve(generation, hosted_on_serves);
}

void
hosted_prepare_route(struct hosted *hosted, const struct generation *generation, struct ready_set *set)
{
	service_set_route(hosted->service, &generation->code.plugin->descriptor, set,
		(unsigned)__builtin_popcountll(hosted->mask));
}

static void
hosted_on_loaded(struct generation *generation)
{
	struct hosted *hosted = generation->owner;
	struct ready_set *set = ready_set_for(hosted->mask);

	if (set == NULL)
		generation_keep_failure(generation, BAY_FULL, xstrdup("the services of this cell run on too many "
			"different sets of loops: give some the same number of instances"));
	if (!hosted_start_goes_on(hosted))
		return;
	hosted_prepare_route(hosted, generation, set);
	generation_initialise(generation, hosted_on_initialised);
}

void
hosted_start(struct hosted *hosted, host_done_fn *done, int64_t id)
{
	host_asks_add(&hosted->starters, done, id);
	hosted->starting = true;
	service_set_state(hosted->service, SERVICE_STARTING, NULL);
	generation_load(hosted->current, false, hosted_on_loaded);
}
