/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/supervisor.h"

#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/log.h"
#include "base/obituary.h"
#include "master/cell_keeper.h"
#include "master/cell_replacement.h"
#include "master/event_log.h"
#include "master/plugin_examination.h"
#include "master/service_control.h"
#include "master/service_order.h"
#include "master/service_probation.h"
#include "master/service_swap.h"
#include "master/service_table.h"
#include "master/stop_order.h"
#include "protocol/cell_link.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

const struct supervisor_limits supervisor_limits_default = {
	.setup_ns = SECONDS(10),
	.broken_ns = SECONDS(1),
	.grace_ns = SECONDS(3), /* a cell gives cancelled tasks 2 s to end */
	.stop_ns = 500 * (int64_t)CLOCK_NS_PER_MS, /* as bayd(8) and bay.ini(5) say */
	.stop_now_ns = SECONDS(2),
	.backoff = {.at_once = true, .first_ns = 200 * (int64_t)CLOCK_NS_PER_MS,
		.max_ns = SECONDS(30), .reset_ns = SECONDS(60)},
};

struct supervisor {
	struct supervisor_options options;
	struct supervisor_watcher watcher;
	struct service_table table;

	struct cell_keeper *keeper;
	struct cell_replacement *replacement;
	struct service_order *order;
	struct stop_order *stop_order;
	uint32_t hung_slot; /* whose hang the cell was killed for, or STATUS_NO_SLOT */
	char hang[160];
	bool blamed; /* it is known who ended the last cell */

	bool booting; /* watcher.started has not been called */
	bool stopping;
	bool stopping_now;
	int64_t stop_until_ns; /* the end of drain_timeout then */
};

/* --- start ------------------------------------------------------------------------- */

static void
supervisor_tell_started(struct supervisor *supervisor, const char *why)
{
	if (!supervisor->booting)
		return;
	supervisor->booting = false;
	supervisor->watcher.started(why, supervisor->watcher.arg);
}

void
supervisor_settled(struct supervisor *supervisor)
{
	if (!supervisor->booting || cell_keeper_state(supervisor->keeper) != CELL_READY)
		return;
	for (size_t i = 0; i < supervisor->table.count; i++) {
		if (supervisor->table.services[i]->state == SERVICE_STARTING)
			return;
	}
	supervisor_tell_started(supervisor, NULL);
}

static void
supervisor_on_hindered(const char *why, void *arg)
{
	const struct supervisor *supervisor = arg;

	event_log_add(supervisor_events(supervisor), EVENT_TROUBLE, &(struct event_facts){0}, "%s", why);
}

static void
supervisor_on_ready(void *arg)
{
	struct supervisor *supervisor = arg;

	/* All of them first: the init of one may call another. */
	for (size_t i = 0; i < supervisor->table.count; i++)
		service_control_introduce(supervisor->table.services[i]);
	for (size_t i = 0; i < supervisor->table.count; i++)
		service_control_cell_ready(supervisor->table.services[i]);
	supervisor_settled(supervisor);
}

static void
supervisor_on_called(const char *method, const json_t *parameters, struct cell_answer *answer,
	void *arg)
{
	struct supervisor *supervisor = arg;
	struct master_service *service;
	struct cell_listen asked;
	char error[CELL_ERROR_SIZE];

	answer->status = BAY_INVALID;
	if (strcmp(method, CELL_LISTEN) != 0) {
		buffer_fail(&answer->message, "bayd does not know the call %s", method);
	} else if (!cell_listen_from_json(parameters, &asked, error)) {
		buffer_fail(&answer->message, "%s", error);
	} else if ((service = supervisor_find(supervisor, asked.service)) == NULL) {
		answer->status = BAY_NOT_FOUND;
		buffer_fail(&answer->message, "there is no such service");
	} else {
		answer->status = service_control_listen(service, &asked, &answer->fd,
			&answer->message);
	}
}

/* False: it cannot be read. */
static bool
supervisor_on_failed(struct supervisor *supervisor, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_failed failed;

	if (!cell_failed_from_json(parameters, &failed, error))
		return false;
	service = supervisor_find(supervisor, failed.service);
	if (service != NULL && service->image != NULL && service->image->generation == failed.generation)
		service_control_failed(service, failed.message);
	return true;
}

static bool
supervisor_on_stage(struct supervisor *supervisor, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_stage_reached reached;

	if (!cell_stage_reached_from_json(parameters, &reached, error))
		return false;
	service = supervisor_find(supervisor, reached.service);
	if (service != NULL)
		service_swap_on_stage(service, reached.generation, cell_stage_name(reached.stage));
	return true;
}

static bool
supervisor_on_lingers(struct supervisor *supervisor, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_lingers lingers;

	if (!cell_lingers_from_json(parameters, &lingers, error))
		return false;
	service = service_table_find_ever(&supervisor->table, lingers.service);
	if (service != NULL)
		master_service_note_lingering(service, &lingers);
	if (!supervisor->stopping)
		cell_replacement_consider(supervisor->replacement);
	return true;
}

static void
supervisor_on_notice(const char *method, const json_t *parameters, void *arg)
{
	static const struct {
		const char *method;
		bool (*fn)(struct supervisor *supervisor, const json_t *parameters, char *error);
	} notices[] = {
		{CELL_FAILED, supervisor_on_failed},
		{CELL_STAGE, supervisor_on_stage},
		{CELL_LINGERS, supervisor_on_lingers},
	};
	struct supervisor *supervisor = arg;
	const char *subject = cell_keeper_subject(supervisor->keeper);
	char error[CELL_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(notices) / sizeof(*notices); i++) {
		if (strcmp(method, notices[i].method) != 0)
			continue;
		if (!notices[i].fn(supervisor, parameters, error))
			log_warn(subject, "sent a notice that cannot be read: %s [cell-link]", error);
		return;
	}
	log_warn(subject, "sent a notice that is not known: %s [cell-link]", method);
}

bool
supervisor_start(struct supervisor *supervisor, struct buffer *error)
{
	bool *starts = config_order_starts(supervisor->options.config);

	for (size_t i = 0; i < supervisor->table.count; i++) {
		struct master_service *service = supervisor->table.services[i];

		if (starts[i] && service->image != NULL)
			service_control_boot(service);
	}
	free(starts);
	return cell_keeper_start(supervisor->keeper, error);
}

/* --- the cell's end ------------------------------------------------------------------- */

/* Why the cell ended, in words; the caller's. */
static char *
supervisor_end_words(const struct supervisor *supervisor, const struct obituary *obituary)
{
	const struct service_table *table = &supervisor->table;

	if (supervisor->hung_slot != STATUS_NO_SLOT)
		return xasprintf("was killed, because it hung in service %s: %s",
			table->slots[supervisor->hung_slot]->config->name, supervisor->hang);
	if (obituary->culprit < table->slot_count)
		return xasprintf("%s in %sservice %s%s", obituary->how,
			obituary->in_load ? "loading " : obituary->in_init ? "init of " : "",
			table->slots[obituary->culprit]->config->name, obituary->where);
	return xasprintf("%s%s", obituary->how, obituary->where);
}

/* The same with its code, unless it was meant to end. */
static char *
supervisor_end_text(const struct supervisor *supervisor, const struct obituary *obituary)
{
	char *words = supervisor_end_words(supervisor, obituary);

	if (supervisor->stopping)
		return words;
	return code_text(words, supervisor->hung_slot != STATUS_NO_SLOT ? "cell-hang" : obituary->code);
}

static void
supervisor_tell_services(struct supervisor *supervisor, const struct obituary *obituary,
	const struct status_page *page)
{
	/* Also those that the configuration has no more: a cell had them. */
	for (uint32_t i = 0; i < supervisor->table.slot_count; i++)
		master_service_fold(supervisor->table.slots[i], page);
	for (uint32_t i = 0; i < supervisor->table.slot_count; i++)
		service_control_cell_ended(supervisor->table.slots[i], obituary,
			supervisor->hung_slot == i ? supervisor->hang : NULL);
}

static char *
supervisor_on_ended(const struct status_page *page, int status, void *arg)
{
	struct supervisor *supervisor = arg;
	const char *subject = cell_keeper_subject(supervisor->keeper);
	bool replaced = cell_replacement_is_under_way(supervisor->replacement);
	struct obituary obituary;
	char *text;
	char *why;

	obituary_write(&obituary, page, status);
	if (supervisor->stopping && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		service_table_log_unfinished(&supervisor->table, page);
	text = supervisor_end_text(supervisor, &obituary);
	log_at(supervisor->stopping || (replaced && status == 0) ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, subject,
		"%s", text);
	if (!supervisor->stopping && !(replaced && status == 0))
		event_log_add(supervisor->options.events, EVENT_CRASHED, &(struct event_facts){0},
			"%s %s", subject, text);
	supervisor->blamed = supervisor->hung_slot != STATUS_NO_SLOT ||
		obituary.culprit < supervisor->table.slot_count || (replaced && status == 0);
	cell_replacement_is_over(supervisor->replacement);
	stop_order_give_up(supervisor->stop_order);
	supervisor_tell_services(supervisor, &obituary, page);
	supervisor->hung_slot = STATUS_NO_SLOT;
	why = xasprintf("%s %s", subject, text);
	free(text);
	return why;
}

/* When a service was to blame, that one waits or stays down, and the others need not. */
static void
supervisor_on_gone(const char *why, void *arg)
{
	struct supervisor *supervisor = arg;

	if (supervisor->stopping)
		supervisor->watcher.stopped(supervisor->watcher.arg);
	else if (!cell_keeper_was_ready(supervisor->keeper))
		supervisor_tell_started(supervisor, why);
	else
		cell_keeper_start_later(supervisor->keeper, supervisor->blamed);
}

void
supervisor_reap(struct supervisor *supervisor)
{
	cell_keeper_reap(supervisor->keeper);
}

struct master_service *
supervisor_find_in_init(const struct supervisor *supervisor)
{
	const struct status_page *page = supervisor_page(supervisor);

	return page != NULL ? service_table_find_in_init(&supervisor->table, page) : NULL;
}

void
supervisor_end_hang(struct supervisor *supervisor, struct master_service *service,
	const char *format, ...)
{
	va_list args;

	if (supervisor_process(supervisor) == NULL || supervisor->hung_slot != STATUS_NO_SLOT)
		return;
	supervisor->hung_slot = service->slot;
	va_start(args, format);
	vsnprintf(supervisor->hang, sizeof(supervisor->hang), format, args);
	va_end(args);
	cell_keeper_kill(supervisor->keeper);
}

/* --- stop -------------------------------------------------------------------------------- */

static void
supervisor_mark_services_stopping(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->table.count; i++) {
		struct master_service *service = supervisor->table.services[i];

		event_del(service->timer);
		service->next_try_ns = 0;
		service_probation_leave(service);
		if (service->state == SERVICE_READY)
			master_service_set_state(service, SERVICE_STOPPING, NULL);
	}
}

/* All that follow others have stopped, or had their time. */
static void
supervisor_stop_cell(void *arg)
{
	struct supervisor *supervisor = arg;
	int64_t left_ns = supervisor->stop_until_ns - clock_monotonic_ns();

	cell_keeper_shut_down(supervisor->keeper, left_ns > 0 ? left_ns : 0,
		supervisor->options.limits->stop_ns);
}

static void
supervisor_stop_in_order(struct supervisor *supervisor)
{
	supervisor->stop_until_ns = clock_monotonic_ns() +
		supervisor->options.config->container.drain_timeout_ns;
	stop_order_begin(supervisor->stop_order, supervisor->stop_until_ns, supervisor_stop_cell,
		supervisor);
}

void
supervisor_stop(struct supervisor *supervisor, bool now)
{
	bool again = supervisor->stopping;
	bool again_now = supervisor->stopping_now;
	const struct supervisor_limits *limits = supervisor->options.limits;
	enum cell_state state = cell_keeper_state(supervisor->keeper);

	supervisor->stopping = true;
	supervisor->stopping_now |= now;
	cell_keeper_give_up(supervisor->keeper);
	cell_replacement_is_over(supervisor->replacement);
	if (!again)
		supervisor_mark_services_stopping(supervisor);
	if (state == CELL_DOWN) {
		if (!again)
			supervisor->watcher.stopped(supervisor->watcher.arg);
	} else if (again_now || state == CELL_SETTING_UP) {
		cell_keeper_kill(supervisor->keeper);
	} else if (now) {
		stop_order_give_up(supervisor->stop_order);
		cell_keeper_shut_down(supervisor->keeper, 0, limits->stop_now_ns);
	} else if (!again) {
		supervisor_stop_in_order(supervisor);
	}
}

/* --- lifecycle ------------------------------------------------------------------------- */

static void
supervisor_on_service_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	service_control_on_timer(arg);
}

static struct cell_keeper *
supervisor_create_keeper(struct supervisor *supervisor)
{
	const struct config_container *container = &supervisor->options.config->container;
	const struct cell_setup setup = {
		.version_major = CELL_VERSION_MAJOR,
		.version_minor = CELL_VERSION_MINOR,
		.cell = supervisor->options.cell.name,
		.loops = supervisor->options.cell.loops,
		.max_depth = container->max_depth,
		.max_lingering = container->max_lingering,
		.blocking_threads = container->blocking_threads,
		.resolv_conf = container->resolv_conf,
		.log_level = log_level_name(container->log_level),
	};
	const struct cell_keeper_watcher watcher = {.ready = supervisor_on_ready,
		.called = supervisor_on_called, .notice = supervisor_on_notice, .ended = supervisor_on_ended,
		.gone = supervisor_on_gone, .hindered = supervisor_on_hindered, .arg = supervisor};

	return cell_keeper_create(supervisor->options.base, &supervisor->options.cell, &setup,
		supervisor->options.limits, &watcher);
}

struct supervisor *
supervisor_create(const struct supervisor_options *options,
	const struct supervisor_watcher *watcher)
{
	struct supervisor *supervisor = xcalloc(1, sizeof(*supervisor));

	supervisor->options = *options;
	config_ref(supervisor->options.config);
	supervisor->watcher = *watcher;
	supervisor->booting = true;
	supervisor->hung_slot = STATUS_NO_SLOT;
	service_table_init(&supervisor->table, supervisor, options->config, options->base,
		supervisor_on_service_timer);
	/* Others may come, and what nobody touches of a page costs nothing. */
	supervisor->options.cell.services = STATUS_PAGE_SERVICES_MAX;
	supervisor->order = service_order_create(supervisor);
	supervisor->stop_order = stop_order_create(supervisor);
	supervisor->keeper = supervisor_create_keeper(supervisor);
	supervisor->replacement = cell_replacement_create(supervisor, &supervisor->table, supervisor->keeper,
		options->config);
	return supervisor;
}

void
supervisor_destroy(struct supervisor *supervisor)
{
	if (supervisor == NULL)
		return;
	supervisor->stopping = true;
	/* Who waits for the cell is answered; then who waits for a service. */
	cell_keeper_destroy(supervisor->keeper);
	cell_replacement_destroy(supervisor->replacement);
	for (uint32_t i = 0; i < supervisor->table.slot_count; i++)
		service_control_finish(supervisor->table.slots[i]);
	service_table_finish(&supervisor->table);
	stop_order_destroy(supervisor->stop_order);
	service_order_destroy(supervisor->order);
	config_unref(supervisor->options.config);
	free(supervisor);
}

void
supervisor_set_image(struct supervisor *supervisor, size_t index, struct plugin_image *image,
	const char *reason)
{
	struct master_service *service = supervisor->table.services[index];

	if (service->step == SERVICE_STEP_EXAMINE) {
		service_control_examined(service, image, reason);
		plugin_image_unref(image);
		return;
	}
	service->image = image;
	if (image == NULL) {
		master_service_note(service, EVENT_REFUSED, "%s", reason);
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
	}
}

void
supervisor_expect_images(struct supervisor *supervisor)
{
	bool *starts = config_order_starts(supervisor->options.config);

	for (size_t i = 0; i < supervisor->table.count; i++) {
		if (starts[i])
			service_control_expect(supervisor->table.services[i]);
	}
	free(starts);
}

/* --- another configuration --------------------------------------------------------------- */

void
supervisor_set_config(struct supervisor *supervisor, struct config *config)
{
	struct config *before = supervisor->options.config;

	supervisor->options.config = config_ref(config);
	cell_replacement_set_config(supervisor->replacement, config);
	config_unref(before);
	cell_keeper_set_log_level(supervisor->keeper, config->container.log_level);
	service_table_sort(&supervisor->table, config);
	service_order_touch(supervisor->order);
}

struct master_service *
supervisor_add(struct supervisor *supervisor, struct config *source,
	const struct config_service *config)
{
	return service_table_add(&supervisor->table, source, config);
}

void
supervisor_remove(struct supervisor *supervisor, struct master_service *service)
{
	service_table_remove(&supervisor->table, service);
}

/* --- queries ---------------------------------------------------------------------------------------- */

size_t
supervisor_count(const struct supervisor *supervisor)
{
	return supervisor->table.count;
}

struct master_service *
supervisor_service(const struct supervisor *supervisor, size_t index)
{
	return supervisor->table.services[index];
}

const struct master_service *
supervisor_by_slot(const struct supervisor *supervisor, uint32_t slot)
{
	return slot < supervisor->table.slot_count ? supervisor->table.slots[slot] : NULL;
}

struct master_service *
supervisor_find(const struct supervisor *supervisor, const char *name)
{
	return service_table_find(&supervisor->table, name);
}

bool
supervisor_is_stopping(const struct supervisor *supervisor)
{
	return supervisor->stopping;
}

struct cell_process *
supervisor_process(const struct supervisor *supervisor)
{
	return cell_keeper_process(supervisor->keeper);
}

const struct status_page *
supervisor_page(const struct supervisor *supervisor)
{
	const struct cell_process *cell = supervisor_process(supervisor);

	return cell != NULL ? cell_process_page(cell) : NULL;
}

void
supervisor_view_cell(const struct supervisor *supervisor, struct supervisor_cell_view *view_r)
{
	static const char *const states[] = {
		[CELL_DOWN] = "failed",
		[CELL_SETTING_UP] = "starting",
		[CELL_READY] = "ready",
		[CELL_STOPPING] = "stopping",
	};
	const struct cell_process *cell = supervisor_process(supervisor);

	*view_r = (struct supervisor_cell_view){
		.name = supervisor->options.cell.name,
		/* At first its turn is still to come. */
		.state = states[supervisor->booting && cell == NULL ? CELL_SETTING_UP :
			cell_keeper_state(supervisor->keeper)],
		.pid = cell != NULL ? cell_process_pid(cell) : 0,
		.restarts = cell_keeper_restarts(supervisor->keeper),
		.loops = supervisor->options.cell.loops,
		.next_try_ns = cell_keeper_next_try_ns(supervisor->keeper),
	};
}

bool
supervisor_replaces_cell(const struct supervisor *supervisor)
{
	return cell_replacement_is_wanted(supervisor->replacement);
}

bool
supervisor_drains_cell(const struct supervisor *supervisor)
{
	return cell_replacement_is_under_way(supervisor->replacement);
}

bool
supervisor_knows_culprit(const struct supervisor *supervisor)
{
	return supervisor->blamed;
}

struct event_base *
supervisor_base(const struct supervisor *supervisor)
{
	return supervisor->options.base;
}

struct plugin_examination *
supervisor_examination(const struct supervisor *supervisor)
{
	return supervisor->options.examination;
}

struct listener_table *
supervisor_listeners(const struct supervisor *supervisor)
{
	return supervisor->options.listeners;
}

struct service_order *
supervisor_order(const struct supervisor *supervisor)
{
	return supervisor->order;
}

struct event_log *
supervisor_events(const struct supervisor *supervisor)
{
	return supervisor->options.events;
}

const struct supervisor_limits *
supervisor_limits(const struct supervisor *supervisor)
{
	return supervisor->options.limits;
}

struct cell_process *
supervisor_ready_cell(const struct supervisor *supervisor)
{
	return cell_keeper_state(supervisor->keeper) == CELL_READY && !supervisor_drains_cell(supervisor) ?
		supervisor_process(supervisor) : NULL;
}
