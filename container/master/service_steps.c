/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_steps.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/log.h"
#include "master/listener_table.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_absence.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_gate.h"
#include "master/service_group.h"
#include "master/service_order.h"
#include "master/service_probation.h"
#include "master/service_swap.h"
#include "master/service_waiters.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* What a service gets beyond the time that its cell allows it. */
static int64_t
service_grace_ns(const struct master_service *service)
{
	return supervisor_limits(service->supervisor)->grace_ns;
}

/* --- settle -------------------------------------------------------------------------- */

void
service_close_listeners(struct master_service *service)
{
	if (service->next_try_ns == 0 && !service_order_has_hope(service))
		listener_table_close(supervisor_listeners(service->supervisor), service->config->name);
}

void
service_settle(struct master_service *service)
{
	service_order_touch(supervisor_order(service->supervisor));
	if (service->step != SERVICE_STEP_NONE)
		return;
	if (service->state == SERVICE_READY && (!service->wanted || service->leaving)) {
		if (service_order_may_stop(service))
			service_begin_stop(service);
		return;
	}
	if (service->state == SERVICE_STOPPED && service->wanted &&
	    !supervisor_is_stopping(service->supervisor)) {
		if (service->next_image != NULL)
			service_begin_start(service);
		else
			service_begin_examination(service);
		return;
	}
	if (service->state == SERVICE_STARTING || service->state == SERVICE_STOPPING)
		return;
	/* Given up or stopped: whoever connects should be told, not be kept waiting. */
	if (service->state != SERVICE_READY)
		service_close_listeners(service);
	service_change_settle(service);
	service->by = (struct event_by){0};
	service_tell_absence(service);
	service_waiters_answer(service);
	service_swap_settled(service);
	supervisor_settled(service->supervisor);
}

void
service_go_on(struct master_service *service)
{
	if (service->step == SERVICE_STEP_NONE && service->state == SERVICE_STARTING) {
		if (service->wanted) {
			service_begin_start(service);
			return;
		}
		master_service_set_state(service, SERVICE_STOPPED, NULL);
	}
	service_settle(service);
}

/* --- the timer ----------------------------------------------------------------------- */

static void
service_set_timer(struct master_service *service, int64_t delay_ns)
{
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S,
		.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	event_add(service->timer, &delay);
}

void
service_clear_timer(struct master_service *service)
{
	event_del(service->timer);
	service->next_try_ns = 0;
}

void
service_lose_patience(struct master_service *service)
{
	char span[CLOCK_TEXT_SIZE];
	char text[160];

	if (service->stop_now) {
		master_cell_end_hang(service->cell, service, "it did not stop within %s [service-stuck]",
			clock_format_duration(span, sizeof(span), service_grace_ns(service)));
		return;
	}
	snprintf(text, sizeof(text), "it does not end within its drain_timeout of %s: "
		"its requests go on, bayctl stop --now ends them [service-stuck]",
		clock_format_duration(span, sizeof(span), service->config->drain_timeout_ns));
	master_service_set_state(service, SERVICE_STOPPING, "%s", text);
	if (service->undo != NULL)
		service_change_take_back(service, BAY_TIMEOUT, text);
	service_waiters_fail(service, BAY_TIMEOUT, text);
	service_order_touch(supervisor_order(service->supervisor));
}

/* --- failures --------------------------------------------------------------------------- */

void
service_fail(struct master_service *service, enum restart_cause cause, const char *reason)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t delay_ns;
	char span[CLOCK_TEXT_SIZE];
	const struct code *code;

	if (!service->wanted || supervisor_is_stopping(service->supervisor)) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		return;
	}
	if (!restart_policy_covers(service->config->restart, cause)) {
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
		return;
	}
	service->by = (struct event_by){0};
	if (master_service_fails_too_often(service, now_ns)) {
		master_service_set_state(service, SERVICE_FAILED,
			"%.*s; given up after %d failures within %s (start_limit) [service-start-limit]",
			(int)code_split(reason, &code), reason,
			(int)service->config->start_limit.count,
			clock_format_duration(span, sizeof(span),
				service->config->start_limit.period_ns));
		service->given_up = true;
		master_service_note(service, EVENT_GAVE_UP, "%s", service->reason);
		service_group_failed(service);
		return;
	}
	delay_ns = backoff_next(&service->backoff, now_ns, backoff_random());
	service->next_try_ns = now_ns + delay_ns;
	master_service_set_state(service, SERVICE_FAILED, "%s", reason);
	service_set_timer(service, delay_ns);
	service_group_failed(service);
}

void
service_fail_with_code(struct master_service *service, const char *reason, const char *slug)
{
	char *coded = code_text(xstrdup(reason), slug);

	service_fail(service, RESTART_CAUSE_FAILED, coded);
	free(coded);
}

/* --- examine -------------------------------------------------------------------------------- */

/* The old one goes on if it is still there; it is never left worse off than before. */
static void
service_refuse_restart(struct master_service *service, const char *reason)
{
	char subject[CONFIG_NAME_MAX + 16];

	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	log_warn(subject,
		"restart refused, what ran before goes on: %s", reason);
	master_service_note(service, EVENT_REFUSED, "%s", reason);
	service->again = service->state == SERVICE_STARTING;
	service_waiters_fail_starters(service, BAY_INVALID, reason);
	service_go_on(service);
}

/* The first of several complaints. */
char *
service_refusal_text(const struct plugin_result *result)
{
	const struct config_complaint *first = result->complaints->complaints;
	size_t count = result->complaints->count;

	if (count > 1)
		return xasprintf("%s:%u: %s (and %zu more; bayd -t shows all)", first->file, first->line,
			first->text, count - 1);
	if (count == 1)
		return xasprintf("%s:%u: %s", first->file, first->line, first->text);
	return xstrdup(result->reason);
}

void
service_end_examination(struct master_service *service, struct plugin_image *image,
	const char *reason)
{
	bool restarting = service->restarting;

	config_unref(service->examined);
	service->examined = NULL;
	service->step = SERVICE_STEP_NONE;
	service->restarting = false;
	service->examine_took_ns = clock_monotonic_ns() - service->step_ns;
	if (image == NULL && restarting) {
		service_refuse_restart(service, reason);
		return;
	}
	if (image != NULL) {
		plugin_image_unref(service->next_image);
		service->next_image = plugin_image_ref(image);
		master_service_note_loaded(service, image);
	}
	if (!service->wanted && !restarting) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
	} else if (image == NULL) {
		master_service_note(service, EVENT_REFUSED, "%s", reason);
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
		service_waiters_fail_starters(service, BAY_INVALID, reason);
		service_swap_was_refused(service, reason);
		service_settle(service);
	} else if (service->state == SERVICE_READY) {
		service_order_leave(service);
	} else {
		service_begin_start(service);
	}
}

static void
service_on_examined(const struct plugin_result *result, void *arg)
{
	struct master_service *service = arg;
	char *reason;

	if (result->image != NULL && result->complaints->count == 0) {
		service_end_examination(service, result->image, NULL);
		return;
	}
	reason = service_refusal_text(result);
	service_end_examination(service, NULL, reason);
	free(reason);
}

void
service_begin_examination(struct master_service *service)
{
	service_clear_timer(service);
	service->step = SERVICE_STEP_EXAMINE;
	service->step_ns = clock_monotonic_ns();
	if (!service->restarting)
		master_service_set_state(service, SERVICE_STARTING, NULL);
	service_tell_absence(service);
	/* What it is examined with may be replaced meanwhile. */
	service->examined = config_ref(service->source);
	plugin_examination_begin(supervisor_examination(service->supervisor), &service->config, 1,
		service_on_examined, service);
}

/* --- start ------------------------------------------------------------------------------------ */

enum cell_overflow
service_overflow(const struct config_service *config)
{
	static const enum cell_overflow overflow[] = {
		[CONFIG_OVERFLOW_REJECT] = CELL_OVERFLOW_REJECT,
		[CONFIG_OVERFLOW_WAIT] = CELL_OVERFLOW_WAIT,
		[CONFIG_OVERFLOW_DROP_OLDEST] = CELL_OVERFLOW_DROP_OLDEST,
		[CONFIG_OVERFLOW_DROP_NEWEST] = CELL_OVERFLOW_DROP_NEWEST,
	};

	return overflow[config->overflow];
}

/* What the cell is told of the service. NULL: no memory. */
static json_t *
service_start_parameters(const struct master_service *service, const struct plugin_image *image, bool keep,
	int64_t share)
{
	const struct config_service *config = service->config;
	struct cell_setting *settings = xcalloc(config->setting_count + 1, sizeof(*settings));
	struct cell_start start = {
		.service = config->name,
		.plugin = config->plugin,
		.image = image->image.path,
		.sha256 = image->image.sha256,
		.origin = image->image.origin,
		.generation = image->generation,
		.slot = service->slot,
		.instances = config->instances,
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
		.stack_bytes = (int64_t)config->stack_bytes,
		.blocking_threads = config->blocking_threads,
		.start_timeout_ns = config->start_timeout_ns,
		.drain_timeout_ns = config->drain_timeout_ns,
		.health_interval_ns = config->health_interval_ns,
		.health_timeout_ns = config->health_timeout_ns,
		.keep = keep,
		.canary = share,
		.settings = settings,
		.setting_count = config->setting_count,
	};
	json_t *parameters;

	for (size_t i = 0; i < config->setting_count; i++)
		settings[i] = (struct cell_setting){.key = config->settings[i].name,
			.value = config->settings[i].value};
	parameters = cell_start_to_json(&start);
	free(settings);
	return parameters;
}

void
service_start_failed(struct master_service *service, const char *reason)
{
	if (service->undo != NULL && service->wanted) {
		service_change_take_back(service, BAY_FAILED, reason);
		service_begin_start(service);
		return;
	}
	service_fail_with_code(service, reason, "service-start");
	service_settle(service);
}

static void
service_on_started(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;
	struct master_service *hanging;
	char limit[CLOCK_TEXT_SIZE], grace[CLOCK_TEXT_SIZE];

	switch (reply->kind) {
	case CELL_REPLY_DIED:
		/* service_control_cell_ended has seen to it. */
		return;
	case CELL_REPLY_SILENT:
		/* Several starts run out of time together when one init keeps the loop. */
		hanging = master_cell_find_in_init(service->cell);
		master_cell_end_hang(service->cell, hanging != NULL ? hanging : service,
			"init hung: it did not end within start_timeout = %s, nor within %s more "
			"[service-init-timeout]",
			clock_format_duration(limit, sizeof(limit), service->config->start_timeout_ns),
			clock_format_duration(grace, sizeof(grace), service_grace_ns(service)));
		return;
	case CELL_REPLY_DONE:
		service->step = SERVICE_STEP_NONE;
		service->served_ns = clock_monotonic_ns();
		service->start_took_ns = service->served_ns - service->step_ns;
		master_service_set_state(service, SERVICE_READY, NULL);
		service_probation_count_anew(service);
		break;
	case CELL_REPLY_FAILED:
		service->step = SERVICE_STEP_NONE;
		master_service_note(service, EVENT_FAILED, "%s", reply->message);
		service_start_failed(service, reply->message);
		return;
	}
	service_settle(service);
}

bool
service_call_with_image(struct master_service *service, const char *method,
	const struct plugin_image *image, bool keep, int64_t share, int64_t timeout_ns,
	cell_reply_fn *reply)
{
	json_t *parameters = service_start_parameters(service, image, keep, share);
	int fd = -1;

	if (parameters == NULL)
		return false;
	/* The path is a link to our descriptor then, and ours are for our own user only. */
	if (image->image.in_memory)
		fd = fcntl(image->image.fd, F_DUPFD_CLOEXEC, 3);
	cell_process_call(master_cell_ready(service->cell), method, parameters, fd, timeout_ns,
		reply, service);
	return true;
}

void
service_begin_start(struct master_service *service)
{
	service_clear_timer(service);
	supervisor_place(service->supervisor, service);
	if (service->next_image != NULL) {
		service_probation_leave(service);
		service_swap_replace_image(service, service->next_image);
		service->next_image = NULL;
	}
	service->waits = false;
	service->leaving = false;
	master_service_set_state(service, SERVICE_STARTING, NULL);
	service_start_in_turn(service);
}

void
service_start_in_turn(struct master_service *service)
{
	if (supervisor_is_stopping(service->supervisor))
		return;
	if (master_cell_ready(service->cell) == NULL) {
		master_cell_need(service->cell);
		return;
	}
	if (!service_order_may_start(service))
		return;
	service_gate_tell(service);
	service->step = SERVICE_STEP_START;
	service->step_ns = clock_monotonic_ns();
	if (!service_call_with_image(service, CELL_START, service->image, false, 0,
		service->config->start_timeout_ns + service_grace_ns(service), service_on_started)) {
		service->step = SERVICE_STEP_NONE;
		master_service_note(service, EVENT_FAILED, "a setting is no UTF-8 text");
		service_start_failed(service, "tell the cell to start it: a setting is no UTF-8 text");
	}
}

/* --- stop -------------------------------------------------------------------------------------- */

static void
service_on_stopped(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;

	if (reply->kind == CELL_REPLY_DIED)
		return;
	service->step = SERVICE_STEP_NONE;
	service_clear_timer(service);
	if (reply->kind == CELL_REPLY_DONE || reply->status == BAY_NOT_FOUND) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
	} else if (service->stop_now) {
		master_cell_end_hang(service->cell, service, "%s [service-stuck]", reply->message);
	} else {
		master_service_set_state(service, SERVICE_STOPPING, "%s; bayctl stop tries again, "
			"bayctl stop --now ends it with its cell [service-stuck]", reply->message);
		if (service->undo != NULL)
			service_change_take_back(service, BAY_BUSY, service->reason);
		service_waiters_fail(service, BAY_BUSY, service->reason);
		service_order_touch(supervisor_order(service->supervisor));
	}
}

/* The call has no time limit of its own: its answer counts whenever it comes. */
void
service_begin_stop(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->stop_now ? 0 : service->config->drain_timeout_ns,
		.hold = !service->moving && (service->undo != NULL ||
			(service->wanted && service->gate.state == CELL_GATE_PAUSED))};

	service_probation_leave(service);
	service_canary_leave(service, "the service is stopped");
	/* It was examined when it was started. */
	if (service->leaving && service->next_image == NULL)
		service->next_image = plugin_image_ref(service->image);
	service->leaving = false;
	master_service_set_state(service, SERVICE_STOPPING, NULL);
	if (cell == NULL) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
		return;
	}
	service->step = SERVICE_STEP_STOP;
	service_set_timer(service, stop.drain_timeout_ns + service_grace_ns(service));
	cell_process_call(cell, CELL_STOP, cell_stop_to_json(&stop), -1, 0, service_on_stopped,
		service);
}

void
service_hurry_stop(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct cell_stop stop = {.service = service->config->name, .drain_timeout_ns = 0};

	service_set_timer(service, service_grace_ns(service));
	/* The first call is answered too, and that answer is the one that counts. */
	if (cell != NULL)
		cell_process_call(cell, CELL_STOP, cell_stop_to_json(&stop), -1, 0, cell_reply_ignore,
			NULL);
}
