/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/supervisor.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "master/obituary.h"
#include "master/plugin_examination.h"
#include "master/service_control.h"
#include "master/service_table.h"
#include "protocol/cell_link.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

const struct supervisor_limits supervisor_limits_default = {
	.setup_ns = SECONDS(10),
	.broken_ns = SECONDS(1),
	.grace_ns = SECONDS(3), /* a cell gives cancelled tasks 2 s to end */
	.stop_ns = SECONDS(5),
	.stop_now_ns = SECONDS(2),
	.backoff = {.at_once = true, .first_ns = 200 * (int64_t)CLOCK_NS_PER_MS,
		.max_ns = SECONDS(30), .reset_ns = SECONDS(60)},
};

/* Lingering generations in a cell before it is replaced. */
enum { CELL_MAX_LINGERING = 32 };

enum cell_state {
	CELL_DOWN = 0,
	CELL_SETTING_UP,
	CELL_READY,
	CELL_STOPPING
};

struct supervisor {
	struct supervisor_options options;
	struct supervisor_watcher watcher;
	char subject[64]; /* "cell main" */
	struct service_table table;

	struct cell_process *cell; /* NULL: there is none */
	enum cell_state state;
	uint64_t restarts;
	struct backoff backoff;
	struct event *restart_timer;
	int64_t next_try_ns;      /* 0: no restart is waiting */
	struct event *kill_timer; /* ends a cell that should have ended by itself */
	uint32_t hung_slot;       /* whose hang the cell was killed for, or STATUS_NO_SLOT */
	char hang[160];

	bool booting; /* watcher.started has not been called */
	bool was_ready; /* a cell has answered its Setup */
	bool stopping;
	bool stopping_now;
};

static void supervisor_spawn_again(struct supervisor *supervisor);

static void
supervisor_set_timer(struct event *timer, int64_t delay_ns)
{
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S,
		.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	event_add(timer, &delay);
}

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
	if (!supervisor->booting || supervisor->state != CELL_READY)
		return;
	for (size_t i = 0; i < supervisor->table.count; i++) {
		if (supervisor->table.services[i].state == SERVICE_STARTING)
			return;
	}
	supervisor_tell_started(supervisor, NULL);
}

static void
supervisor_on_setup(const struct cell_reply *reply, void *arg)
{
	struct supervisor *supervisor = arg;

	if (reply->kind == CELL_REPLY_DIED)
		return;
	if (reply->kind != CELL_REPLY_DONE) {
		log_error(supervisor->subject, "set it up: %s", reply->message);
		cell_process_kill(supervisor->cell);
		return;
	}
	supervisor->state = CELL_READY;
	supervisor->was_ready = true;
	log_info(supervisor->subject, "process %d runs with %u loops",
		(int)cell_process_pid(supervisor->cell), supervisor->options.cell.loops);
	for (size_t i = 0; i < supervisor->table.count; i++)
		service_control_cell_ready(&supervisor->table.services[i]);
	supervisor_settled(supervisor);
}

static void
supervisor_on_notice(const char *method, const json_t *parameters, void *arg)
{
	struct supervisor *supervisor = arg;
	struct cell_failed failed;
	char error[CELL_ERROR_SIZE];
	struct master_service *service;

	if (strcmp(method, CELL_FAILED) != 0) {
		log_warn(supervisor->subject, "sent a notice that is not known: %s", method);
	} else if (!cell_failed_from_json(parameters, &failed, error)) {
		log_warn(supervisor->subject, "sent a notice that cannot be read: %s", error);
	} else {
		service = supervisor_find(supervisor, failed.service);
		if (service != NULL && service->image != NULL &&
		    service->image->generation == failed.generation)
			service_control_failed(service, failed.message);
	}
}

/* A cell that ends closes its socket a little before; one that goes on is of no use. */
static void
supervisor_on_broken(const char *why, void *arg)
{
	struct supervisor *supervisor = arg;

	log_debug(supervisor->subject, "the connection is over: %s", why);
	supervisor_set_timer(supervisor->kill_timer, supervisor->options.limits->broken_ns);
}

static bool
supervisor_spawn(struct supervisor *supervisor, struct buffer *error)
{
	const struct config_container *container = &supervisor->options.config->container;
	const struct cell_channel_watcher watcher = {.notice = supervisor_on_notice,
		.broken = supervisor_on_broken, .arg = supervisor};
	const struct cell_setup setup = {
		.version_major = CELL_VERSION_MAJOR,
		.version_minor = CELL_VERSION_MINOR,
		.cell = supervisor->options.cell.name,
		.loops = supervisor->options.cell.loops,
		.max_depth = container->max_depth,
		.max_lingering = CELL_MAX_LINGERING,
		.log_level = log_level_name(container->log_level),
	};

	supervisor->cell = cell_process_start(supervisor->options.base, &supervisor->options.cell,
		&watcher, error);
	if (supervisor->cell == NULL)
		return false;
	supervisor->state = CELL_SETTING_UP;
	supervisor->hung_slot = STATUS_NO_SLOT;
	cell_process_call(supervisor->cell, CELL_SETUP, cell_setup_to_json(&setup), -1,
		supervisor->options.limits->setup_ns, supervisor_on_setup, supervisor);
	return true;
}

bool
supervisor_start(struct supervisor *supervisor, struct buffer *error)
{
	for (size_t i = 0; i < supervisor->table.count; i++) {
		struct master_service *service = &supervisor->table.services[i];

		if (service->config->enabled && service->image != NULL)
			service_control_boot(service);
	}
	return supervisor_spawn(supervisor, error);
}

/* --- the cell's end ------------------------------------------------------------------- */

/* Why the cell ended, in words; the caller's. */
static char *
supervisor_end_text(const struct supervisor *supervisor, const struct obituary *obituary)
{
	const struct service_table *table = &supervisor->table;

	if (supervisor->hung_slot != STATUS_NO_SLOT)
		return xasprintf("was killed, because it hung in service %s: %s",
			table->services[supervisor->hung_slot].config->name, supervisor->hang);
	if (obituary->culprit < table->count)
		return xasprintf("%s in %sservice %s%s", obituary->how,
			obituary->in_init ? "init of " : "",
			table->services[obituary->culprit].config->name, obituary->where);
	return xasprintf("%s%s", obituary->how, obituary->where);
}

/* When a service was to blame, that one waits or stays down, and the others need not. */
static void
supervisor_start_later(struct supervisor *supervisor, bool blamed)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t now_ns = clock_monotonic_ns();
	int64_t delay_ns = blamed ? 0 :
		backoff_next(&supervisor->backoff, now_ns, backoff_random());

	supervisor->restarts++;
	supervisor->next_try_ns = now_ns + delay_ns;
	supervisor_set_timer(supervisor->restart_timer, delay_ns);
	if (delay_ns > 0)
		log_warn(supervisor->subject, "is started again in %s",
			clock_format_duration(text, sizeof(text), delay_ns));
}

static void
supervisor_on_ended(struct supervisor *supervisor, int status)
{
	struct service_table *table = &supervisor->table;
	struct cell_process *cell = supervisor->cell;
	struct obituary obituary;
	char *text;
	char *why;

	obituary_write(&obituary, cell_process_page(cell), status);
	text = supervisor_end_text(supervisor, &obituary);
	log_at(supervisor->stopping ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, supervisor->subject, "%s",
		text);
	event_del(supervisor->kill_timer);
	supervisor->cell = NULL;
	supervisor->state = CELL_DOWN;
	for (size_t i = 0; i < table->count; i++) {
		master_service_fold(&table->services[i], cell_process_page(cell));
		service_control_cell_ended(&table->services[i], &obituary,
			supervisor->hung_slot == i ? supervisor->hang : NULL);
	}
	why = xasprintf("%s %s", supervisor->subject, text);
	cell_process_destroy(cell, why);
	if (supervisor->stopping)
		supervisor->watcher.stopped(supervisor->watcher.arg);
	else if (!supervisor->was_ready)
		supervisor_tell_started(supervisor, why);
	else
		supervisor_start_later(supervisor, supervisor->hung_slot != STATUS_NO_SLOT ||
			obituary.culprit < table->count);
	free(text);
	free(why);
}

void
supervisor_reap(struct supervisor *supervisor)
{
	int status;

	if (supervisor->cell != NULL && cell_process_has_ended(supervisor->cell, &status))
		supervisor_on_ended(supervisor, status);
}

static void
supervisor_spawn_again(struct supervisor *supervisor)
{
	struct buffer error = {0};

	supervisor->next_try_ns = 0;
	if (!supervisor_spawn(supervisor, &error)) {
		log_error(supervisor->subject, "start it again: %s", buffer_text(&error));
		supervisor_start_later(supervisor, false);
	}
	buffer_finish(&error);
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

	if (supervisor->cell == NULL || supervisor->hung_slot != STATUS_NO_SLOT)
		return;
	supervisor->hung_slot = service->slot;
	va_start(args, format);
	vsnprintf(supervisor->hang, sizeof(supervisor->hang), format, args);
	va_end(args);
	cell_process_kill(supervisor->cell);
}

/* --- stop -------------------------------------------------------------------------------- */

static void
supervisor_on_shutdown_reply(const struct cell_reply *reply, void *arg)
{
	struct supervisor *supervisor = arg;

	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(supervisor->subject, "end it: %s", reply->message);
}

static void
supervisor_send_shutdown(struct supervisor *supervisor, int64_t drain_timeout_ns,
	int64_t grace_ns)
{
	const struct cell_shutdown shutdown = {.drain_timeout_ns = drain_timeout_ns};

	supervisor->state = CELL_STOPPING;
	supervisor_set_timer(supervisor->kill_timer, drain_timeout_ns + grace_ns);
	cell_process_call(supervisor->cell, CELL_SHUTDOWN, cell_shutdown_to_json(&shutdown), -1, 0,
		supervisor_on_shutdown_reply, supervisor);
}

static void
supervisor_mark_services_stopping(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->table.count; i++) {
		struct master_service *service = &supervisor->table.services[i];

		event_del(service->timer);
		service->next_try_ns = 0;
		if (service->state == SERVICE_READY)
			master_service_set_state(service, SERVICE_STOPPING, NULL);
	}
}

void
supervisor_stop(struct supervisor *supervisor, bool now)
{
	bool again = supervisor->stopping;
	bool again_now = supervisor->stopping_now;

	supervisor->stopping = true;
	supervisor->stopping_now |= now;
	event_del(supervisor->restart_timer);
	supervisor->next_try_ns = 0;
	if (!again)
		supervisor_mark_services_stopping(supervisor);
	if (supervisor->cell == NULL) {
		if (!again)
			supervisor->watcher.stopped(supervisor->watcher.arg);
	} else if (again_now || supervisor->state == CELL_SETTING_UP) {
		cell_process_kill(supervisor->cell);
	} else if (now) {
		supervisor_send_shutdown(supervisor, 0, supervisor->options.limits->stop_now_ns);
	} else if (!again) {
		supervisor_send_shutdown(supervisor,
			supervisor->options.config->container.drain_timeout_ns,
			supervisor->options.limits->stop_ns);
	}
}

/* --- timers --------------------------------------------------------------------------------- */

static void
supervisor_on_restart_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	supervisor_spawn_again(arg);
}

static void
supervisor_on_kill_timer(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)fd;
	(void)what;
	if (supervisor->cell == NULL)
		return;
	log_warn(supervisor->subject, "does not end by itself: it is killed");
	cell_process_kill(supervisor->cell);
}

static void
supervisor_on_service_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	service_control_on_timer(arg);
}

/* --- lifecycle --------------------------------------------------------------------------------- */

struct supervisor *
supervisor_create(const struct supervisor_options *options,
	const struct supervisor_watcher *watcher)
{
	struct supervisor *supervisor = xcalloc(1, sizeof(*supervisor));

	supervisor->options = *options;
	supervisor->watcher = *watcher;
	supervisor->booting = true;
	supervisor->backoff = options->limits->backoff;
	supervisor->hung_slot = STATUS_NO_SLOT;
	snprintf(supervisor->subject, sizeof(supervisor->subject), "cell %s", options->cell.name);
	service_table_init(&supervisor->table, supervisor, options->config, options->base,
		supervisor_on_service_timer);
	/* A page has at least one slot. */
	supervisor->options.cell.services = supervisor->table.count > 0 ?
		(uint32_t)supervisor->table.count : 1;
	supervisor->restart_timer = evtimer_new(options->base, supervisor_on_restart_timer,
		supervisor);
	supervisor->kill_timer = evtimer_new(options->base, supervisor_on_kill_timer, supervisor);
	return supervisor;
}

void
supervisor_destroy(struct supervisor *supervisor)
{
	if (supervisor == NULL)
		return;
	supervisor->stopping = true;
	cell_process_destroy(supervisor->cell, "bayd ends");
	for (size_t i = 0; i < supervisor->table.count; i++)
		service_control_finish(&supervisor->table.services[i]);
	service_table_finish(&supervisor->table);
	event_free(supervisor->restart_timer);
	event_free(supervisor->kill_timer);
	free(supervisor);
}

void
supervisor_set_image(struct supervisor *supervisor, size_t index, struct plugin_image *image,
	const char *reason)
{
	struct master_service *service = &supervisor->table.services[index];

	service->image = image;
	if (image == NULL)
		master_service_set_state(service, SERVICE_FAILED, "%s", reason);
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
	return &supervisor->table.services[index];
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
	return supervisor->cell;
}

const struct status_page *
supervisor_page(const struct supervisor *supervisor)
{
	return supervisor->cell != NULL ? cell_process_page(supervisor->cell) : NULL;
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

	*view_r = (struct supervisor_cell_view){
		.name = supervisor->options.cell.name,
		.state = states[supervisor->state],
		.pid = supervisor->cell != NULL ? cell_process_pid(supervisor->cell) : 0,
		.restarts = supervisor->restarts,
		.loops = supervisor->options.cell.loops,
		.next_try_ns = supervisor->next_try_ns,
	};
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

const struct supervisor_limits *
supervisor_limits(const struct supervisor *supervisor)
{
	return supervisor->options.limits;
}

struct cell_process *
supervisor_ready_cell(const struct supervisor *supervisor)
{
	return supervisor->state == CELL_READY ? supervisor->cell : NULL;
}
