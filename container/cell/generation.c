/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/generation.h"

#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "cell/executor.h"
#include "cell/host_instance.h"
#include "cell/hosted.h"
#include "protocol/cell_link.h"
#include "service/instance.h"
#include "service/plugin.h"
#include "service/plugin_file.h"
#include "service/plugin_import.h"
#include "service/service.h"
#include "service/settings.h"

struct generation *
generation_create(struct hosted *owner, const struct cell_start *start, int image)
{
	static int64_t last_id;
	struct generation *generation = xcalloc(1, sizeof *generation);

	generation->id = ++last_id;
	list_init(&generation->link);
	threads_find_foreign(&generation->threads);
	generation->owner = owner;
	generation->number = start->generation;
	generation->start_timeout_ns = start->start_timeout_ns;
	generation->drain_timeout_ns = start->drain_timeout_ns;
	host_code_init(&generation->code, start, image, owner->service->subject, owner->hosting->control,
		owner->hosting->loader);
	return generation;
}

void
generation_destroy(struct generation *generation)
{
	unsigned i;

	for (i = 0; i < generation->instance_count; i++)
		host_instance_finish(&generation->instances[i]);
	host_code_finish(&generation->code);
	free(generation->instances);
	free(generation->message);
	free(generation->refusal);
	thread_ids_finish(&generation->threads);
	free(generation);
}

void
generation_keep_failure(struct generation *generation, int status, char *message)
{
	if (generation->message != NULL || message == NULL) {
		free(message);
		return;
	}
	generation->status = status;
	generation->message = message;
}

/* --- steps of all instances --------------------------------------------------------------- */

static void
generation_each(struct generation *generation, host_instance_fn *step, host_instance_done_fn *done)
{
	unsigned i;

	generation->pending = generation->instance_count;
	for (i = 0; i < generation->instance_count; i++) {
		generation->instances[i].done = done;
		step(&generation->instances[i]);
	}
}

static void
generation_on_step(struct host_instance *instance)
{
	struct generation *generation = instance->owner;

	generation_keep_failure(generation, instance->status, instance->message);
	instance->message = NULL;
	if (--generation->pending == 0)
		generation->done(generation);
}

static void
generation_step(struct generation *generation, host_instance_fn *step, generation_done_fn *done)
{
	generation->done = done;
	generation_each(generation, step, generation_on_step);
}

/* --- load and initialise --------------------------------------------------------------------- */

static bool
generation_may_start_threads(const struct plugin *plugin)
{
	return plugin != NULL && plugin->facts != NULL && plugin->facts->lingers != NULL &&
		strstr(plugin->facts->lingers, PLUGIN_STARTS_THREADS) != NULL;
}

/* From here on until it is unloaded, the loader thread leaves the plugin alone. */
static void
generation_on_loaded(struct host_code *code)
{
	struct generation *generation = container_of(code, struct generation, code);

	generation->starts_threads = generation_may_start_threads(code->plugin);
	generation_keep_failure(generation, BAY_INVALID, code->error);
	code->error = NULL;
	generation->done(generation);
}

void
generation_load(struct generation *generation, bool apart, generation_done_fn *done)
{
	generation->done = done;
	host_code_load(&generation->code, apart, generation_on_loaded);
}

static void
generation_make_instances(struct generation *generation)
{
	const struct hosting *hosting = generation->owner->hosting;
	uint64_t mask = generation->owner->mask;
	unsigned i, n = 0;

	generation->instance_count = (unsigned)__builtin_popcountll(mask);
	generation->instances = xcalloc(generation->instance_count, sizeof generation->instances[0]);
	for (i = 0; i < executor_count(hosting->executor); i++) {
		if ((mask >> i & 1) == 0)
			continue;
		host_instance_init(&generation->instances[n], generation->owner->service,
			executor_scheduler(hosting->executor, i), hosting->control, n, generation);
		generation->instances[n].start_timeout_ns = generation->start_timeout_ns;
		generation->instances[n].grace_ns = hosting->grace_ns;
		generation->instances[n].drain_ns = generation->drain_timeout_ns;
		n++;
	}
}

struct bay_instance *
generation_make_instance(struct generation *generation, struct scheduler *scheduler, unsigned index)
{
	struct bay_instance *instance = instance_create(generation->owner->service,
		&generation->code.plugin->descriptor, settings_struct(generation->code.settings), scheduler, index);

	if (instance == NULL)
		return NULL;
	instance->owner = generation;
	instance->generation = generation->number;
	return instance;
}

void
generation_initialise(struct generation *generation, generation_done_fn *done)
{
	generation_make_instances(generation);
	generation_step(generation, host_instance_start, done);
}

/* --- the route and the state --------------------------------------------------------------- */

static void
generation_on_route(struct host_instance *instance)
{
	struct generation *generation = instance->owner;

	if (generation->pending == 1 && generation->message == NULL && instance->message == NULL)
		generation->state = GENERATION_SERVING;
	generation_on_step(instance);
}

void
generation_serve(struct generation *generation, generation_done_fn *done)
{
	generation->done = done;
	generation_each(generation, host_instance_serve, generation_on_route);
}

void
generation_resume(struct generation *generation, generation_done_fn *done)
{
	generation->done = done;
	generation_each(generation, host_instance_resume, generation_on_route);
}

void
generation_try(struct generation *generation, unsigned share, generation_done_fn *done)
{
	unsigned i;

	for (i = 0; i < generation->instance_count; i++)
		generation->instances[i].share = share;
	generation_step(generation, host_instance_try, done);
}

void
generation_give_up(struct generation *generation, generation_done_fn *done)
{
	generation_step(generation, host_instance_give_up, done);
}

void
generation_hold(struct generation *generation, generation_done_fn *done)
{
	generation_step(generation, host_instance_hold, done);
}

void
generation_export(struct generation *generation, generation_done_fn *done)
{
	generation_step(generation, host_instance_export, done);
}

void
generation_import(struct generation *generation, struct generation *from, generation_done_fn *done)
{
	unsigned i;

	for (i = 0; i < generation->instance_count; i++) {
		generation->instances[i].state = from->instances[i].state;
		generation->instances[i].state_version = from->instances[i].state_version;
		from->instances[i].state = NULL;
	}
	generation_step(generation, host_instance_import, done);
}

bool
generation_could_be_kept(const struct generation *generation)
{
	unsigned i;

	for (i = 0; i < generation->instance_count; i++) {
		if (!generation->instances[i].could_be_kept)
			return false;
	}
	return true;
}

bool
generation_hands_over(const struct generation *from, const struct generation *to)
{
	return from->code.plugin->descriptor.export_state != NULL && to->code.plugin->descriptor.import_state != NULL;
}

/* --- end ------------------------------------------------------------------------------------ */

static void
generation_check_gone(struct generation *generation)
{
	/* What travels will look at it again. */
	if (!generation->unloaded || generation->travelling > 0)
		return;
	generation->state = GENERATION_GONE;
	generation->done(generation);
}

static void
generation_on_unloaded(struct host_code *code)
{
	struct generation *generation = container_of(code, struct generation, code);

	generation->unloaded = true;
	generation_check_gone(generation);
}

static void
generation_unload(struct generation *generation)
{
	if (generation->pins == 0)
		host_code_unload(&generation->code, generation_on_unloaded);
}

/* No instance takes anything any more. */
static void
generation_on_quiet(struct generation *generation)
{
	if (generation->on_quiet != NULL)
		generation->on_quiet(generation);
	if (generation->refusal != NULL) {
		generation->state = GENERATION_STUCK;
		generation->done(generation);
		return;
	}
	generation->quiet = true;
	generation_unload(generation);
}

void
generation_unpin(struct generation *generation)
{
	generation->pins--;
	if (generation->quiet)
		generation_unload(generation);
}

static void
generation_on_stopped(struct host_instance *instance)
{
	struct generation *generation = instance->owner;

	if (generation->refusal == NULL)
		generation->refusal = instance->message;
	else
		free(instance->message);
	instance->message = NULL;
	if (--generation->pending == 0)
		generation_on_quiet(generation);
}

void
generation_end(struct generation *generation, int64_t drain_ns, generation_done_fn *on_quiet,
	generation_done_fn *done)
{
	unsigned i;

	generation->state = GENERATION_ENDING;
	generation->on_quiet = on_quiet;
	generation->done = done;
	free(generation->refusal);
	generation->refusal = NULL;
	for (i = 0; i < generation->instance_count; i++) {
		generation->instances[i].drain_ns = drain_ns;
		generation->instances[i].grace_ns = generation->owner->hosting->grace_ns;
		generation->instances[i].replaced = generation->owner->hosting->replaced;
	}
	if (generation->instance_count > 0)
		generation_each(generation, host_instance_stop, generation_on_stopped);
	else
		generation_on_quiet(generation);
}

void
generation_hurry(struct generation *generation, int64_t drain_ns)
{
	unsigned i;

	for (i = 0; i < generation->instance_count; i++) {
		generation->travelling++;
		host_instance_hurry(&generation->instances[i], drain_ns);
	}
}

void
generation_arrived(struct generation *generation)
{
	generation->travelling--;
	if (generation->state == GENERATION_ENDING)
		generation_check_gone(generation);
}
