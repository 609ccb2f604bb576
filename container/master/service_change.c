/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_change.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_canary.h"
#include "master/service_probation.h"
#include "master/service_steps.h"
#include "master/service_swap.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* Loops that do not come round to what is live in this time may hang. */
static const int64_t service_change_limit_ns = 3 * (int64_t)CLOCK_NS_PER_S;

bool
service_change_is_possible(const struct master_service *service)
{
	return service->step == SERVICE_STEP_NONE && service->state != SERVICE_STARTING &&
		service->state != SERVICE_STOPPING && !service->restarting && !service->changing;
}

static void
service_change_set_image(struct master_service *service, struct plugin_image *image)
{
	struct plugin_image *before = service->next_image;

	if (image == NULL)
		return;
	service->next_image = plugin_image_ref(image);
	plugin_image_unref(before);
}

/* --- live ------------------------------------------------------------------------------- */

/* What the cell is told of it. NULL: no memory, or a setting that is no text. */
static json_t *
service_change_parameters(const struct config_service *config, bool has_settings)
{
	struct cell_setting *settings = xcalloc(config->setting_count + 1, sizeof(*settings));
	struct cell_change change = {
		.service = config->name,
		.concurrency = config->concurrency,
		.queue = config->queue,
		.queue_bytes = (int64_t)config->queue_bytes,
		.weight = config->weight,
		.max_inflight = config->max_inflight,
		.tasks_max = config->tasks_max,
		.memory_max = (int64_t)config->memory_max,
		.rate_count = config->rate.count,
		.rate_period_ns = config->rate.period_ns,
		.overflow = service_overflow(config),
		.timeout_ns = config->timeout_ns,
		.blocking_threads = config->blocking_threads,
		.has_settings = has_settings,
		.settings = settings,
		.setting_count = has_settings ? config->setting_count : 0,
	};
	json_t *parameters;

	for (size_t i = 0; i < config->setting_count; i++)
		settings[i] = (struct cell_setting){.key = config->settings[i].name,
			.value = config->settings[i].value};
	parameters = cell_change_to_json(&change);
	free(settings);
	return parameters;
}

/* Whether it is all the same to the cell: what it is told is what it has. */
static bool
service_change_is_of_the_master(const struct master_service *service, const struct config_service *config)
{
	json_t *before = service_change_parameters(service->config, false);
	json_t *after = service_change_parameters(config, false);
	bool same = before != NULL && after != NULL && json_equal(before, after);

	json_decref(before);
	json_decref(after);
	return same;
}

static void
service_on_told(const struct cell_reply *reply, void *arg)
{
	const struct master_service *service = arg;
	char subject[CONFIG_NAME_MAX + 16];

	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(subject, "it does not take what is live of its configuration: %s", reply->message);
}

static void
service_change_tell(struct master_service *service, bool settings)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	json_t *parameters = service_change_parameters(service->config, settings);

	if (cell != NULL && parameters != NULL)
		cell_process_call(cell, CELL_CHANGE, parameters, -1, 0, service_on_told, service);
	else
		json_decref(parameters);
}

/* A change that the cell has been told of. */
struct service_live {
	struct master_service *service;
	struct config *source;
	const struct config_service *config;
	bool settings;
	service_done_fn *done;
	void *arg;
};

/* A loop of it hangs, which would take the change when it comes round: it is told to stay as it was. */
static void
service_was_not_changed(struct service_live *live, const char *message)
{
	struct master_service *service = live->service;
	struct buffer text = {0};

	service_change_tell(service, live->settings);
	if (buffer_printf(&text, "its loops have not taken the change: %s", message))
		silent_loops_append(&text, service->supervisor, service->cell);
	live->done(service, BAY_TIMEOUT, buffer_text(&text) != NULL ? buffer_text(&text) : message, live->arg);
	buffer_finish(&text);
}

static void
service_on_changed(const struct cell_reply *reply, void *arg)
{
	struct service_live *live = arg;
	struct master_service *service = live->service;

	service->changing = false;
	/* One that does not run any more gets it with its next start. */
	if (reply->kind == CELL_REPLY_FAILED && reply->status != BAY_CLOSED) {
		live->done(service, reply->status, reply->message, live->arg);
	} else if (reply->kind == CELL_REPLY_SILENT) {
		service_was_not_changed(live, reply->message);
	} else {
		master_service_configure(service, live->source, live->config);
		live->done(service, BAY_OK, "", live->arg);
	}
	config_unref(live->source);
	free(live);
}

void
service_change_live(struct master_service *service, const struct service_target *target,
	bool settings, service_done_fn *done, void *arg)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct service_live *live;
	json_t *parameters;

	if (service->state != SERVICE_READY || cell == NULL ||
	    (!settings && service_change_is_of_the_master(service, target->config))) {
		master_service_configure(service, target->source, target->config);
		done(service, BAY_OK, "", arg);
		return;
	}
	parameters = service_change_parameters(target->config, settings);
	if (parameters == NULL) {
		done(service, BAY_INVALID, "a setting is no UTF-8 text", arg);
		return;
	}
	live = xcalloc(1, sizeof(*live));
	*live = (struct service_live){.service = service, .source = config_ref(target->source),
		.config = target->config, .settings = settings, .done = done, .arg = arg};
	service->changing = true;
	cell_process_call(cell, CELL_CHANGE, parameters, -1, service_change_limit_ns, service_on_changed, live);
}

/* --- a new generation ---------------------------------------------------------------------- */

/* The instances of a generation are made on the loops of the one before. A canary ends with a stop
 * of its service. */
static bool
service_change_can_swap(const struct master_service *service, const struct service_target *target)
{
	return master_cell_ready(service->cell) != NULL && !service->moving && !service_canary_runs(service) &&
		service->config->instances == target->config->instances;
}

void
service_change_renew(struct master_service *service)
{
	service_change_tell(service, true);
}

static void
service_was_swapped(struct master_service *service)
{
	if (service->next_image != NULL)
		service_swap_replace_image(service, service->next_image);
	service->next_image = NULL;
	service_probation_count_anew(service);
	service->start_took_ns = clock_monotonic_ns() - service->step_ns;
	master_service_note_image(service, EVENT_SWAPPED, service->image, service->start_took_ns,
		"with its changed configuration");
}

static void
service_was_not_swapped(struct master_service *service, const char *reason)
{
	service_change_take_back(service, BAY_FAILED, reason);
	/* That is what runs. */
	plugin_image_unref(service->next_image);
	service->next_image = NULL;
	/* The cell took the bounds of what it refused. */
	if (service->state == SERVICE_READY)
		service_change_tell(service, false);
}

static void
service_on_swapped(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;
	struct master_service *hanging;

	switch (reply->kind) {
	case CELL_REPLY_DIED:
		/* service_control_cell_ended has seen to it. */
		return;
	case CELL_REPLY_SILENT:
		hanging = master_cell_find_in_init(service->cell);
		master_cell_end_hang(service->cell, hanging != NULL ? hanging : service,
			"hung in the change of its configuration");
		return;
	case CELL_REPLY_DONE:
		service->step = SERVICE_STEP_NONE;
		service_was_swapped(service);
		break;
	case CELL_REPLY_FAILED:
		service->step = SERVICE_STEP_NONE;
		service_was_not_swapped(service, reply->message);
		service_go_on(service);
		return;
	}
	service_settle(service);
}

static void
service_change_swap(struct master_service *service)
{
	const struct config_service *config = service->config;
	int64_t grace_ns = supervisor_limits(service->supervisor)->grace_ns;

	service_probation_leave(service);
	service->step = SERVICE_STEP_SWAP;
	service->step_ns = clock_monotonic_ns();
	/* Init, and the state that leaves the one and enters the other. */
	if (!service_call_with_image(service, CELL_SWAP,
		service->next_image != NULL ? service->next_image : service->image, false, 0,
		3 * (config->start_timeout_ns + grace_ns) + config->drain_timeout_ns, service_on_swapped))
		service_on_swapped(&(struct cell_reply){.kind = CELL_REPLY_FAILED, .status = BAY_INVALID,
			.message = "a setting is no UTF-8 text"}, service);
}

void
service_change_generation(struct master_service *service, const struct service_target *target,
	service_done_fn *done, void *arg)
{
	struct service_target *undo = xcalloc(1, sizeof(*undo));
	bool swaps;

	service->moving = !supervisor_is_in_place(service, target->config);
	service->moved = false;
	swaps = service_change_can_swap(service, target);
	undo->source = config_ref(service->source);
	undo->config = service->config;
	undo->image = plugin_image_ref(service->image);
	service->undo = undo;
	service->again = service->again || !swaps;
	/* It stops by its old drain_timeout, which is what its requests were promised. */
	service->wanted = true;
	service->stop_now = false;
	service_change_set_image(service, target->image);
	service_waiters_add(service, SERVICE_WISH_RESTART, done, arg);
	if (!swaps)
		service_begin_stop(service);
	master_service_configure(service, target->source, target->config);
	if (swaps)
		service_change_swap(service);
}

static void
service_undo_destroy(struct service_target *undo)
{
	config_unref(undo->source);
	plugin_image_unref(undo->image);
	free(undo);
}

void
service_change_take_back(struct master_service *service, enum bay_status status,
	const char *reason)
{
	struct service_target *undo = service->undo;
	char subject[CONFIG_NAME_MAX + 16];
	char *text = xstrdup(reason);

	service->undo = NULL;
	service->moving = false;
	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	log_warn(subject, "it is put back to the configuration and the code that it had: %s", text);
	master_service_note(service, EVENT_ROLLED_BACK, "%s", text);
	master_service_configure(service, undo->source, undo->config);
	/* What has failed is nothing to go back to. */
	if (service->former == undo->image)
		service_swap_go_back(service, false);
	else
		service_change_set_image(service, undo->image);
	service_undo_destroy(undo);
	service_waiters_fail_starters(service, status, text);
	free(text);
}

void
service_change_settle(struct master_service *service)
{
	struct service_target *undo = service->undo;

	service->undo = NULL;
	if (undo != NULL)
		service_undo_destroy(undo);
}

/* --- start ----------------------------------------------------------------------------------- */

void
service_change_start_after_stop(struct master_service *service, const struct service_target *target)
{
	master_service_configure(service, target->source, target->config);
	service_change_set_image(service, target->image);
	service->wanted = true;
}

void
service_change_start(struct master_service *service, const struct service_target *target,
	service_done_fn *done, void *arg)
{
	service_change_start_after_stop(service, target);
	master_service_forgive(service);
	service_waiters_add(service, SERVICE_WISH_START, done, arg);
	service_begin_start(service);
}
