/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_control.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "master/obituary.h"
#include "master/plugin_examination.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

enum { SERVICE_TEXT_SIZE = 96 };

/* Beyond the time that the cell itself allows; it gives cancelled tasks 2 s to end. */
static const int64_t grace_ns = SECONDS(3);

enum service_wish {
	SERVICE_WISH_START,
	SERVICE_WISH_STOP,
	SERVICE_WISH_RESTART
};

struct service_waiter {
	struct list link;
	enum service_wish wish;
	service_done_fn *done;
	void *arg;
};

static void service_begin_examination(struct master_service *service);
static void service_begin_start(struct master_service *service);
static void service_begin_stop(struct master_service *service);

static const char *
service_subject(const struct master_service *service, char *buf, size_t size)
{
	snprintf(buf, size, "service %s", service->config->name);
	return buf;
}

/* --- who waits --------------------------------------------------------------------- */

static void
service_add_waiter(struct master_service *service, enum service_wish wish,
	service_done_fn *done, void *arg)
{
	struct service_waiter *waiter;

	if (done == NULL)
		return;
	waiter = xcalloc(1, sizeof(*waiter));
	waiter->wish = wish;
	waiter->done = done;
	waiter->arg = arg;
	list_push_back(&service->waiters, &waiter->link);
}

static void
service_answer(struct master_service *service, struct service_waiter *waiter,
	enum bay_status status, const char *message)
{
	service_done_fn *done = waiter->done;
	void *arg = waiter->arg;

	list_remove(&waiter->link);
	free(waiter);
	done(service, status, message != NULL ? message : "", arg);
}

/* Answers all who wait, by what they wished and by what has become of it. */
static void
service_answer_settled(struct master_service *service)
{
	list_for_each_safe(pos, &service->waiters) {
		struct service_waiter *waiter = container_of(pos, struct service_waiter, link);
		bool wanted_ready = waiter->wish != SERVICE_WISH_STOP;

		if (service->state == SERVICE_FAILED)
			service_answer(service, waiter, wanted_ready ? BAY_FAILED : BAY_OK,
				service->reason);
		else if (wanted_ready == (service->state == SERVICE_READY))
			service_answer(service, waiter, BAY_OK, "");
		else
			service_answer(service, waiter, BAY_CANCELED, wanted_ready ?
				"somebody stopped the service meanwhile" :
				"somebody started the service meanwhile");
	}
}

/* Answers all with the same failure. */
static void
service_answer_all(struct master_service *service, enum bay_status status,
	const char *message)
{
	list_for_each_safe(pos, &service->waiters)
		service_answer(service, container_of(pos, struct service_waiter, link), status,
			message);
}

/* Answers all who want it to run. */
static void
service_answer_starters(struct master_service *service, enum bay_status status,
	const char *message)
{
	list_for_each_safe(pos, &service->waiters) {
		struct service_waiter *waiter = container_of(pos, struct service_waiter, link);

		if (waiter->wish != SERVICE_WISH_STOP)
			service_answer(service, waiter, status, message);
	}
}

/* A step has ended: goes on to where the service is wanted, or says that it is there. */
static void
service_settle(struct master_service *service)
{
	if (service->step != SERVICE_STEP_NONE)
		return;
	if (service->state == SERVICE_READY && !service->wanted) {
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
	service_answer_settled(service);
	supervisor_settled(service->supervisor);
}

/* --- the timer ----------------------------------------------------------------------- */

static void
service_set_timer(struct master_service *service, int64_t delay_ns)
{
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S,
		.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	event_add(service->timer, &delay);
}

static void
service_clear_timer(struct master_service *service)
{
	event_del(service->timer);
	service->next_try_ns = 0;
}

/* A stop takes longer than it should. */
static void
service_lose_patience(struct master_service *service)
{
	char span[CLOCK_TEXT_SIZE];
	char text[160];

	if (service->stop_now) {
		supervisor_end_hang(service->supervisor, service, "it did not stop within %s",
			clock_format_duration(span, sizeof(span), grace_ns));
		return;
	}
	snprintf(text, sizeof(text), "it does not end within its drain_timeout of %s: "
		"its requests go on, bayctl stop --now ends them",
		clock_format_duration(span, sizeof(span), service->config->drain_timeout_ns));
	master_service_set_state(service, SERVICE_STOPPING, "%s", text);
	service_answer_all(service, BAY_TIMEOUT, text);
}

void
service_control_on_timer(struct master_service *service)
{
	if (service->state == SERVICE_STOPPING) {
		service_lose_patience(service);
	} else if (service->state == SERVICE_FAILED && service->next_try_ns != 0) {
		service->next_try_ns = 0;
		service->restarts++;
		service_begin_start(service);
	}
}

/* --- failures --------------------------------------------------------------------------- */

/* It failed, and may be started again after a while if its policy says so. */
static void
service_fail(struct master_service *service, const char *reason)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t delay_ns;
	char span[CLOCK_TEXT_SIZE];

	if (!service->wanted || supervisor_is_stopping(service->supervisor)) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		return;
	}
	if (service->config->restart == CONFIG_RESTART_NO) {
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
		return;
	}
	if (master_service_fails_too_often(service, now_ns)) {
		master_service_set_state(service, SERVICE_FAILED,
			"%s; given up after %d failures within %s (start_limit)", reason,
			(int)service->config->start_limit.count,
			clock_format_duration(span, sizeof(span),
				service->config->start_limit.period_ns));
		return;
	}
	master_service_set_state(service, SERVICE_FAILED, "%s", reason);
	delay_ns = backoff_next(&service->backoff, now_ns, backoff_random());
	service->next_try_ns = now_ns + delay_ns;
	service_set_timer(service, delay_ns);
}

void
service_control_failed(struct master_service *service, const char *message)
{
	if (service->state != SERVICE_READY)
		return;
	/* An examination for a restart goes on, and starts it again at its end. */
	if (service->step == SERVICE_STEP_NONE) {
		service_fail(service, message);
		service_settle(service);
	} else {
		master_service_set_state(service, SERVICE_STARTING, "%s", message);
	}
}

/* --- examine -------------------------------------------------------------------------------- */

/* The old one goes on if it is still there; it is never left worse off than before. */
static void
service_refuse_restart(struct master_service *service, const char *reason)
{
	char subject[SERVICE_TEXT_SIZE];

	log_warn(service_subject(service, subject, sizeof(subject)),
		"restart refused, what ran before goes on: %s", reason);
	service_answer_starters(service, BAY_INVALID, reason);
	if (service->state == SERVICE_STARTING)
		service_begin_start(service);
	else
		service_settle(service);
}

/* What is wrong, in one line; the first of several complaints. */
static char *
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

/* With image NULL it has been refused. */
static void
service_use_examined(struct master_service *service, struct plugin_image *image,
	const char *reason)
{
	bool restarting = service->restarting;

	service->step = SERVICE_STEP_NONE;
	service->restarting = false;
	if (image == NULL && restarting) {
		service_refuse_restart(service, reason);
		return;
	}
	if (image != NULL) {
		plugin_image_unref(service->next_image);
		service->next_image = plugin_image_ref(image);
	}
	if (!service->wanted && !restarting) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
	} else if (image == NULL) {
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
		service_answer_starters(service, BAY_INVALID, reason);
		service_settle(service);
	} else if (service->state == SERVICE_READY) {
		service_begin_stop(service);
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
		service_use_examined(service, result->image, NULL);
		return;
	}
	reason = service_refusal_text(result);
	service_use_examined(service, NULL, reason);
	free(reason);
}

static void
service_begin_examination(struct master_service *service)
{
	service_clear_timer(service);
	service->step = SERVICE_STEP_EXAMINE;
	if (!service->restarting)
		master_service_set_state(service, SERVICE_STARTING, NULL);
	plugin_examination_begin(supervisor_examination(service->supervisor), &service->config, 1,
		service_on_examined, service);
}

/* --- start ------------------------------------------------------------------------------------ */

static enum cell_overflow
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
service_start_parameters(const struct master_service *service)
{
	const struct config_service *config = service->config;
	struct cell_setting *settings = xcalloc(config->setting_count + 1, sizeof(*settings));
	struct cell_start start = {
		.service = config->name,
		.plugin = config->plugin,
		.image = service->image->image.path,
		.sha256 = service->image->image.sha256,
		.generation = service->image->generation,
		.slot = service->slot,
		.instances = config->instances,
		.concurrency = config->concurrency,
		.queue = config->queue,
		.queue_bytes = (int64_t)config->queue_bytes,
		.overflow = service_overflow(config),
		.timeout_ns = config->timeout_ns,
		.stack_bytes = (int64_t)config->stack_bytes,
		.start_timeout_ns = config->start_timeout_ns,
		.drain_timeout_ns = config->drain_timeout_ns,
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

static void
service_on_started(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;
	struct master_service *hanging;
	char span[CLOCK_TEXT_SIZE];

	switch (reply->kind) {
	case CELL_REPLY_DIED:
		/* service_control_cell_ended has seen to it. */
		return;
	case CELL_REPLY_SILENT:
		/* Several starts run out of time together when one init keeps the loop. */
		hanging = supervisor_find_in_init(service->supervisor);
		supervisor_end_hang(service->supervisor, hanging != NULL ? hanging : service,
			"init hung for %s", clock_format_duration(span, sizeof(span),
				service->config->start_timeout_ns));
		return;
	case CELL_REPLY_DONE:
		service->step = SERVICE_STEP_NONE;
		master_service_set_state(service, SERVICE_READY, NULL);
		break;
	case CELL_REPLY_FAILED:
		service->step = SERVICE_STEP_NONE;
		service_fail(service, reply->message);
		break;
	}
	service_settle(service);
}

/* Tells the cell, or leaves the service STARTING until there is one. */
static void
service_begin_start(struct master_service *service)
{
	struct cell_process *cell = supervisor_ready_cell(service->supervisor);
	json_t *parameters;

	service_clear_timer(service);
	if (service->next_image != NULL) {
		plugin_image_unref(service->image);
		service->image = service->next_image;
		service->next_image = NULL;
	}
	master_service_set_state(service, SERVICE_STARTING, NULL);
	if (cell == NULL)
		return;
	parameters = service_start_parameters(service);
	if (parameters == NULL) {
		service_fail(service, "tell the cell to start it: a setting is no UTF-8 text");
		service_settle(service);
		return;
	}
	service->step = SERVICE_STEP_START;
	cell_process_call(cell, CELL_START, parameters, -1,
		service->config->start_timeout_ns + grace_ns, service_on_started, service);
}

void
service_control_boot(struct master_service *service)
{
	service->wanted = true;
	service_begin_start(service);
}

void
service_control_cell_ready(struct master_service *service)
{
	if (service->state == SERVICE_STARTING && service->step == SERVICE_STEP_NONE)
		service_begin_start(service);
}

/* STOPPING for longer than it should. */
static bool
service_refuses_to_stop(const struct master_service *service)
{
	return service->state == SERVICE_STOPPING && service->reason != NULL;
}

void
service_control_start(struct master_service *service, service_done_fn *done, void *arg)
{
	service_add_waiter(service, SERVICE_WISH_START, done, arg);
	if (service_refuses_to_stop(service)) {
		service_answer_all(service, BAY_BUSY, service->reason);
		return;
	}
	service->wanted = true;
	if (service->state == SERVICE_STOPPED || service->state == SERVICE_FAILED) {
		master_service_forgive(service);
		service_begin_examination(service);
	} else {
		service_settle(service);
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
		supervisor_end_hang(service->supervisor, service, "%s", reply->message);
	} else {
		master_service_set_state(service, SERVICE_STOPPING, "%s; bayctl stop --now ends it "
			"with its cell", reply->message);
		service_answer_all(service, BAY_BUSY, service->reason);
	}
}

/* The call has no time limit of its own: its answer counts whenever it comes. */
static void
service_begin_stop(struct master_service *service)
{
	struct cell_process *cell = supervisor_ready_cell(service->supervisor);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->stop_now ? 0 : service->config->drain_timeout_ns};

	master_service_set_state(service, SERVICE_STOPPING, NULL);
	if (cell == NULL) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
		return;
	}
	service->step = SERVICE_STEP_STOP;
	service_set_timer(service, stop.drain_timeout_ns + grace_ns);
	cell_process_call(cell, CELL_STOP, cell_stop_to_json(&stop), -1, 0, service_on_stopped,
		service);
}

/* The cell has given up to stop it: nothing helps but the end of the cell. */
static void
service_stop_refuser(struct master_service *service, bool now)
{
	if (now)
		supervisor_end_hang(service->supervisor, service, "%s", service->reason);
	else
		service_answer_all(service, BAY_BUSY, service->reason);
}

void
service_control_stop(struct master_service *service, bool now, service_done_fn *done,
	void *arg)
{
	service->wanted = false;
	service_add_waiter(service, SERVICE_WISH_STOP, done, arg);
	switch (service->state) {
	case SERVICE_FAILED:
		service_clear_timer(service);
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		break;
	case SERVICE_STARTING:
		service->stop_now = now;
		/* A step that is under way ends first; without one it waits for the cell. */
		if (service->step == SERVICE_STEP_NONE)
			master_service_set_state(service, SERVICE_STOPPED, NULL);
		break;
	case SERVICE_STOPPING:
		if (service->step == SERVICE_STEP_NONE)
			service_stop_refuser(service, now);
		else if (now && !service->stop_now)
			service_set_timer(service, grace_ns);
		service->stop_now |= now;
		break;
	case SERVICE_READY:
		service->stop_now = now;
		break;
	case SERVICE_STOPPED:
		break;
	}
	service_settle(service);
}

void
service_control_restart(struct master_service *service, service_done_fn *done, void *arg)
{
	if (service->state != SERVICE_READY || service->step != SERVICE_STEP_NONE) {
		/* Whatever it does now ends with the plugin file as it is now, or nearly so. */
		service_control_start(service, done, arg);
		return;
	}
	service->wanted = true;
	service->restarting = true;
	service->stop_now = false;
	service_add_waiter(service, SERVICE_WISH_RESTART, done, arg);
	service_begin_examination(service);
}

/* --- the cell's end ------------------------------------------------------------------------------ */

static void
service_fail_with_cell(struct master_service *service, const struct obituary *obituary,
	const char *hang)
{
	if (hang != NULL) {
		master_service_set_state(service, SERVICE_FAILED, "%s", hang);
	} else if (obituary->in_init) {
		master_service_set_state(service, SERVICE_FAILED, "init %s%s", obituary->how,
			obituary->where);
	} else {
		char reason[sizeof(obituary->how) + sizeof(obituary->where)];

		snprintf(reason, sizeof(reason), "%s%s", obituary->how, obituary->where);
		service_fail(service, reason);
	}
}

void
service_control_cell_ended(struct master_service *service, const struct obituary *obituary,
	const char *hang)
{
	bool in_cell = service->state == SERVICE_READY || service->step == SERVICE_STEP_START;
	bool guilty = hang != NULL || obituary->culprit == service->slot;

	if (service->step != SERVICE_STEP_EXAMINE)
		service->step = SERVICE_STEP_NONE;
	if (service->state == SERVICE_STOPPING ||
	    (in_cell && (!service->wanted || supervisor_is_stopping(service->supervisor)))) {
		service_clear_timer(service);
		master_service_set_state(service, SERVICE_STOPPED, NULL);
	} else if (in_cell && guilty) {
		service_fail_with_cell(service, obituary, hang);
	} else if (in_cell) {
		service->restarts++;
		master_service_set_state(service, SERVICE_STARTING, NULL);
	}
	service_settle(service);
}

void
service_control_finish(struct master_service *service)
{
	service_answer_all(service, BAY_CLOSED, "bayd stops");
	service_clear_timer(service);
	plugin_image_unref(service->next_image);
	plugin_image_unref(service->image);
	service->next_image = NULL;
	service->image = NULL;
}
