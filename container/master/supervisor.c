/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/supervisor.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "master/circle_watch.h"
#include "master/event_log.h"
#include "master/link_broker.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_absence.h"
#include "master/service_canary.h"
#include "master/service_control.h"
#include "master/service_gate.h"
#include "master/service_group.h"
#include "master/service_order.h"
#include "master/service_probation.h"
#include "master/service_swap.h"
#include "master/service_table.h"
#include "master/stop_order.h"
#include "master/topic_board.h"

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
	struct master_cell **cells; /* the first is main */
	size_t cell_count;
	struct link_broker *broker;
	struct circle_watch *circles;
	struct topic_board *topics;
	struct service_order *order;
	struct stop_order *stop_order;

	bool started; /* cells may be */
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
	if (!supervisor->booting || master_cell_ready(supervisor->cells[0]) == NULL)
		return;
	for (size_t i = 0; i < supervisor->table.count; i++) {
		if (supervisor->table.services[i]->state == SERVICE_STARTING)
			return;
	}
	supervisor_tell_started(supervisor, NULL);
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
	supervisor->started = true;
	for (size_t i = 0; i < supervisor->cell_count; i++) {
		if (master_cell_is_needed(supervisor->cells[i]) && !master_cell_start(supervisor->cells[i], error))
			return false;
	}
	return true;
}

void
supervisor_cannot_start(struct supervisor *supervisor, const char *why)
{
	supervisor_tell_started(supervisor, why);
}

void
supervisor_reap(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_reap(supervisor->cells[i]);
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
		service_canary_leave(service, "bayd stops");
		if (service->state == SERVICE_READY)
			master_service_set_state(service, SERVICE_STOPPING, NULL);
	}
}

/* All that follow others have stopped, or had their time. */
static void
supervisor_stop_cells(void *arg)
{
	struct supervisor *supervisor = arg;
	int64_t left_ns = supervisor->stop_until_ns - clock_monotonic_ns();

	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_shut_down(supervisor->cells[i], left_ns > 0 ? left_ns : 0,
			supervisor->options.limits->stop_ns);
}

static void
supervisor_stop_in_order(struct supervisor *supervisor)
{
	supervisor->stop_until_ns = clock_monotonic_ns() +
		supervisor->options.config->container.drain_timeout_ns;
	stop_order_begin(supervisor->stop_order, supervisor->stop_until_ns, supervisor_stop_cells,
		supervisor);
}

static bool
supervisor_is_down(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->cell_count; i++) {
		if (master_cell_process(supervisor->cells[i]) != NULL)
			return false;
	}
	return true;
}

void
supervisor_cell_stopped(struct supervisor *supervisor)
{
	if (supervisor_is_down(supervisor))
		supervisor->watcher.stopped(supervisor->watcher.arg);
}

static void
supervisor_stop_now(struct supervisor *supervisor)
{
	stop_order_give_up(supervisor->stop_order);
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_shut_down(supervisor->cells[i], 0, supervisor->options.limits->stop_now_ns);
}

void
supervisor_stop(struct supervisor *supervisor, bool now)
{
	bool again = supervisor->stopping;
	bool again_now = supervisor->stopping_now;

	supervisor->stopping = true;
	supervisor->stopping_now |= now;
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_give_up(supervisor->cells[i], again_now);
	if (!again)
		supervisor_mark_services_stopping(supervisor);
	if (supervisor_is_down(supervisor)) {
		if (!again)
			supervisor->watcher.stopped(supervisor->watcher.arg);
	} else if (now && !again_now) {
		supervisor_stop_now(supervisor);
	} else if (!again) {
		supervisor_stop_in_order(supervisor);
	}
}

/* --- cells ------------------------------------------------------------------------------- */

static struct master_cell *
supervisor_add_cell(struct supervisor *supervisor, const char *name)
{
	struct master_cell *cell = master_cell_create(supervisor, name, &supervisor->options.cell,
		supervisor->options.config);

	supervisor->cells = xrealloc(supervisor->cells, supervisor->cell_count + 1,
		sizeof(*supervisor->cells));
	supervisor->cells[supervisor->cell_count++] = cell;
	return cell;
}

struct master_cell *
supervisor_find_cell(const struct supervisor *supervisor, const char *name)
{
	for (size_t i = 0; i < supervisor->cell_count; i++) {
		if (strcmp(master_cell_name(supervisor->cells[i]), name) == 0)
			return supervisor->cells[i];
	}
	return NULL;
}

/* The name of the cell that it is to start in. */
static const char *
supervisor_cell_of(const struct master_service *service, const struct config_service *config)
{
	return service->apart ? config->name : config_service_cell(config);
}

void
supervisor_place(struct supervisor *supervisor, struct master_service *service)
{
	const char *name = supervisor_cell_of(service, service->config);
	struct master_cell *before = service->cell;
	struct master_cell *cell = supervisor_find_cell(supervisor, name);

	if (cell == NULL)
		cell = supervisor_add_cell(supervisor, name);
	service->cell = cell;
	/* It may have been gone, too. Of one that moves both are told that it is worth waiting for. */
	service_tell_others(service);
	service_guard_tell(service);
	if (cell != before) {
		service_gate_move(service);
		service_tell_absence(service);
	}
	service->moved = service->moved || service->moving;
	service->moving = false;
	if (before != NULL && cell != before)
		master_cell_leave(before);
}

struct master_service *
supervisor_move_waits_for(const struct supervisor *supervisor, const struct master_service *service,
	const struct config_service *config)
{
	const struct master_cell *cell = supervisor_find_cell(supervisor, supervisor_cell_of(service, config));

	if (cell == NULL || cell == service->cell || !master_cell_is_drained(cell))
		return NULL;
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *there = supervisor_service(supervisor, i);

		if (there->cell == cell && there->state == SERVICE_STARTING)
			return there;
	}
	return NULL;
}

bool
supervisor_is_in_place(const struct master_service *service, const struct config_service *config)
{
	return strcmp(master_cell_name(service->cell), supervisor_cell_of(service, config)) == 0;
}

/* --- lifecycle ------------------------------------------------------------------------- */

static void
supervisor_on_service_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	service_control_on_timer(arg);
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
	supervisor->broker = link_broker_create(supervisor, options->base);
	supervisor->circles = circle_watch_create(supervisor, options->base);
	supervisor->topics = topic_board_create(supervisor);
	supervisor->order = service_order_create(supervisor);
	supervisor->stop_order = stop_order_create(supervisor);
	supervisor_add_cell(supervisor, options->cell.name);
	service_table_init(&supervisor->table, supervisor, options->config, options->base,
		supervisor_on_service_timer);
	service_group_rank(supervisor, options->config);
	return supervisor;
}

void
supervisor_destroy(struct supervisor *supervisor)
{
	if (supervisor == NULL)
		return;
	supervisor->stopping = true;
	stop_order_give_up(supervisor->stop_order);
	/* Who waits for a cell is answered, and finds none to ask anything more of; then who waits for
	 * a service. */
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_close(supervisor->cells[i]);
	for (uint32_t i = 0; i < supervisor->table.slot_count; i++)
		service_control_finish(supervisor->table.slots[i]);
	service_table_finish(&supervisor->table);
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_destroy(supervisor->cells[i]);
	free(supervisor->cells);
	stop_order_destroy(supervisor->stop_order);
	service_order_destroy(supervisor->order);
	circle_watch_destroy(supervisor->circles);
	link_broker_destroy(supervisor->broker);
	topic_board_destroy(supervisor->topics);
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
	service_group_rank(supervisor, config);
	for (size_t i = 0; i < supervisor->cell_count; i++)
		master_cell_set_config(supervisor->cells[i], config);
	config_unref(before);
	service_table_sort(&supervisor->table, config);
	/* What does not run is where it would be. */
	for (size_t i = 0; i < supervisor->table.count; i++) {
		struct master_service *service = supervisor->table.services[i];

		if (service->step == SERVICE_STEP_NONE &&
		    (service->state == SERVICE_STOPPED || service->state == SERVICE_FAILED))
			supervisor_place(supervisor, service);
	}
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
	service_tell_others(service);
	service_guard_tell(service);
	master_cell_leave(service->cell);
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

void
supervisor_totals(const struct supervisor *supervisor, const struct master_service *service,
	struct service_totals *totals_r)
{
	master_service_totals(service, master_cell_page(service->cell), totals_r);
	/* What moved has left figures where it was. */
	for (size_t i = 0; i < supervisor->cell_count; i++) {
		if (supervisor->cells[i] != service->cell)
			master_service_add_page(service, master_cell_page(supervisor->cells[i]), totals_r);
	}
}

struct master_service *
supervisor_by_slot(const struct supervisor *supervisor, uint32_t slot)
{
	return slot < supervisor->table.slot_count ? supervisor->table.slots[slot] : NULL;
}

struct master_service *
supervisor_find(const struct supervisor *supervisor, const char *name)
{
	return service_table_find(&supervisor->table, name);
}

const struct config *
supervisor_config(const struct supervisor *supervisor)
{
	return supervisor->options.config;
}

const struct service_table *
supervisor_table(const struct supervisor *supervisor)
{
	return &supervisor->table;
}

struct topic_board *
supervisor_topics(const struct supervisor *supervisor)
{
	return supervisor->topics;
}

struct link_broker *
supervisor_broker(const struct supervisor *supervisor)
{
	return supervisor->broker;
}

struct circle_watch *
supervisor_circles(const struct supervisor *supervisor)
{
	return supervisor->circles;
}

size_t
supervisor_cell_count(const struct supervisor *supervisor)
{
	return supervisor->cell_count;
}

struct master_cell *
supervisor_cell(const struct supervisor *supervisor, size_t index)
{
	return supervisor->cells[index];
}

bool
supervisor_has_started(const struct supervisor *supervisor)
{
	return supervisor->started;
}

bool
supervisor_is_booting(const struct supervisor *supervisor)
{
	return supervisor->booting;
}

bool
supervisor_is_stopping(const struct supervisor *supervisor)
{
	return supervisor->stopping;
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

struct cgroup_tree *
supervisor_cgroups(const struct supervisor *supervisor)
{
	return supervisor->options.cell.cgroups;
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

struct crash_reports *
supervisor_crash_reports(const struct supervisor *supervisor)
{
	return supervisor->options.crash_reports;
}

void
supervisor_tell_cell_ended(const struct supervisor *supervisor, const struct master_cell *cell,
	const struct status_page *page, uint32_t hung_slot)
{
	if (supervisor->watcher.cell_ended != NULL)
		supervisor->watcher.cell_ended(cell, page, hung_slot, supervisor->watcher.arg);
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
