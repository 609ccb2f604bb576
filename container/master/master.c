/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the start: log, directories, socket, plugins examined, cell, services, ready.
 * The order of the end is the reverse. Everything from the examination on happens inside the
 * event loop, so a signal is heeded and an operator answered at any time.
 */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/log.h"
#include "base/program.h"
#include "base/remedy.h"
#include "base/text.h"
#include "config/config_data.h"
#include "config/config_report.h"
#include "loop/signals.h"
#include "master/activation.h"
#include "master/admin_commands.h"
#include "master/admin_events.h"
#include "master/admin_trace.h"
#include "master/admin_log.h"
#include "master/admin_roles.h"
#include "master/admin_server.h"
#include "master/cell_section.h"
#include "master/cgroup.h"
#include "master/crash_reports.h"
#include "master/drop_in.h"
#include "master/event_log.h"
#include "master/fault_watch.h"
#include "master/hand_loads.h"
#include "master/heartbeat.h"
#include "master/ini_watch.h"
#include "master/listener_table.h"
#include "master/log_ring.h"
#include "master/log_sink.h"
#include "master/loop_watch.h"
#include "master/notify.h"
#include "master/plugin_examination.h"
#include "master/plugin_survey.h"
#include "master/reload.h"
#include "master/run_user.h"
#include "master/runtime_dir.h"
#include "master/socket_file.h"
#include "master/strays.h"
#include "master/supervisor.h"

enum {
	MASTER_LOG_LINES = 1000,
	MASTER_BACKLOG = 128, /* of the control socket */
	/* How often the log is offered to a reader who is behind, and how often at the end. */
	MASTER_LOG_FLUSH_MS = 50,
	MASTER_LOG_LAST_FLUSHES = 10
};

/* The service manager is told now and then that a start goes on, and may take this much more. */
static const struct timeval master_start_period = {.tv_sec = 2};
static const int64_t master_start_more_ns = 15 * (int64_t)CLOCK_NS_PER_S;

/* Longer than the examiner's own patience would be a hang of ours. */
static const int64_t master_examination_timeout_ns = 5 * (int64_t)CLOCK_NS_PER_S;

static const int master_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};

struct master_parts {
	enum master_exit exit;
	struct run_user user;
	struct program program; /* bay-cell */
	struct runtime_dir *runtime_dir;
	struct runtime_dir *image_dir;
	struct plugin_examination *examination;
	struct plugin_survey survey;
	struct socket_file socket;
	struct admin_server *server;
	struct admin_roles *roles;
	struct ini_watch *ini_watch; /* NULL: the configuration is not watched */
	struct drop_in *drop_in; /* NULL: plugin_dir is not watched */
	struct signals *signals;
	struct notify *notify;
	struct activation activation;
	struct event *start_timer; /* while the start goes on */
	struct loop_watch *loop_watch;
	struct fault_watch *fault_watch;
	struct heartbeat *heartbeat; /* NULL: nobody wants to hear it */
	bool stopping; /* somebody asked for it */
	bool log_elsewhere; /* than on standard error */
	struct event *log_timer; /* added while the log waits for its reader */
	int log_trouble; /* why the log could not be written last; 0: it could */
	struct event *log_trouble_event; /* active once that has become another */
};

const char *
master_state_name(enum master_state state)
{
	static const char *const names[] = {
		[MASTER_STARTING] = "starting",
		[MASTER_READY] = "ready",
		[MASTER_DRAINING] = "draining",
	};

	return names[state];
}

void
master_block_signals(void)
{
	signals_ignore_sigpipe();
	signals_block(master_signals, sizeof(master_signals) / sizeof(*master_signals));
}

/* --- the end ------------------------------------------------------------------------- */

static void
master_leave_loop(struct master *master)
{
	event_base_loopbreak(master->base);
}

/* The start has failed: ends the loop with this exit code. */
static void
master_give_up(struct master *master, enum master_exit code)
{
	master->_parts->exit = code;
	master_leave_loop(master);
}

static void
master_on_stopped(void *arg)
{
	master_leave_loop(arg);
}

static void
master_on_cell_ended(const struct master_cell *cell, const struct status_page *page, uint32_t hung_slot, void *arg)
{
	const struct master *master = arg;

	admin_tracers_cell_ended(master->admin_tracers, cell, page, hung_slot);
}

void
master_stop(struct master *master, bool now)
{
	struct master_parts *parts = master->_parts;

	if (!parts->stopping) {
		log_info(NULL, "stopping%s", now ? " now" : ": requests under way may end");
		notify_send(parts->notify, "STOPPING=1\nSTATUS=stopping");
	} else if (now) {
		log_info(NULL, "stopping now");
	}
	parts->stopping = true;
	master->state = MASTER_DRAINING;
	if (master->reload != NULL)
		reload_close(master->reload);
	drop_in_stop(parts->drop_in);
	hand_loads_stop(master->hand_loads);
	ini_watch_destroy(parts->ini_watch);
	parts->ini_watch = NULL;
	if (parts->start_timer != NULL)
		event_del(parts->start_timer);
	if (master->supervisor != NULL)
		supervisor_stop(master->supervisor, now);
	else
		master_leave_loop(master);
}

/* --- signals -------------------------------------------------------------------------- */

/* Who sent it the kernel does not say. */
static void
master_reload(struct master *master)
{
	const struct reload_wish wish = {.kind = RELOAD_FILE, .who = "SIGHUP",
		.by = {.source = EVENT_BY_SIGNAL}};

	/* During the start it is remembered. */
	if (master->reload != NULL)
		reload_ask(master->reload, &wish, NULL, NULL);
}

static void
master_stop_by_signal(struct master *master, int number, bool now)
{
	event_log_add(master->events, EVENT_ENDING,
		&(struct event_facts){.by = {.source = EVENT_BY_SIGNAL}}, "SIG%s%s",
		sigabbrev_np(number), now ? ", at once" : "");
	master_stop(master, now);
}

static void
master_on_signal(int number, void *arg)
{
	struct master *master = arg;

	switch (number) {
	case SIGCHLD:
		if (master->supervisor != NULL)
			supervisor_reap(master->supervisor);
		strays_sweep();
		break;
	case SIGTERM:
		master_stop_by_signal(master, number, master->_parts->stopping);
		break;
	case SIGINT:
		master_stop_by_signal(master, number, true);
		break;
	case SIGUSR1:
		if (!log_reopen())
			log_error(NULL, "the log file cannot be opened again, so lines go on to the old one: %s [log-file]",
				log_file_trouble(errno));
		else
			log_info(NULL, "log opened again");
		break;
	case SIGHUP:
		master_reload(master);
		break;
	case SIGUSR2:
		log_warn(NULL, "SIGUSR2 is ignored: it means nothing to bayd");
		break;
	}
}

/* Who started it looks at standard error, wherever the log goes. */
static void
master_cannot_start(struct master *master, const char *why)
{
	char *text = code_text(xstrdup(why), "start-failed");

	log_error(NULL, "cannot start: %s", text);
	if (master->_parts->log_elsewhere)
		fprintf(stderr, "bayd: cannot start: %s\n", text);
	free(text);
}

/* --- ready ------------------------------------------------------------------------------ */

static unsigned
master_count_services(const struct master *master, enum service_state state)
{
	unsigned count = 0;

	for (size_t i = 0; i < supervisor_count(master->supervisor); i++) {
		if (supervisor_service(master->supervisor, i)->state == state)
			count++;
	}
	return count;
}

static void
master_notify_ready(struct master *master)
{
	unsigned ready = master_count_services(master, SERVICE_READY);

	notify_send(master->_parts->notify, "READY=1\nSTATUS=%u %s, %u failed", ready,
		text_number(ready, "service runs", "services run"),
		master_count_services(master, SERVICE_FAILED));
}

static void
master_on_started(const char *why, void *arg)
{
	struct master *master = arg;
	unsigned ready;
	unsigned failed;

	if (why != NULL) {
		master_cannot_start(master, why);
		master_give_up(master, MASTER_EXIT_FAILED);
		return;
	}
	if (master->state != MASTER_STARTING)
		return;
	master->state = MASTER_READY;
	event_del(master->_parts->start_timer);
	ready = master_count_services(master, SERVICE_READY);
	failed = master_count_services(master, SERVICE_FAILED);
	event_log_add(master->events, EVENT_UP,
		&(struct event_facts){.took_ns = clock_monotonic_ns() - master->started_ns},
		"%u %s, %u failed", ready, text_number(ready, "service runs", "services run"), failed);
	log_info(NULL, "ready: %u %s, %u failed", ready, text_number(ready, "service runs", "services run"),
		failed);
	master_notify_ready(master);
	reload_open(master->reload);
	if (master->_parts->drop_in != NULL)
		drop_in_start(master->_parts->drop_in);
}

/* --- reload ------------------------------------------------------------------------------- */

static void
master_on_reload_begun(void *arg)
{
	struct master *master = arg;

	notify_send(master->_parts->notify, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
		(long long)(clock_monotonic_ns() / CLOCK_NS_PER_US));
}

/* Also when nothing has changed: the service manager waits for it. */
static void
master_on_reload_ended(void *arg)
{
	struct master *master = arg;

	if (master->state == MASTER_READY)
		master_notify_ready(master);
}

static void
master_on_reading(void *arg)
{
	struct master *master = arg;

	if (master->_parts->ini_watch != NULL)
		ini_watch_reading(master->_parts->ini_watch);
}

static void
master_on_writing(void *arg)
{
	struct master *master = arg;

	if (master->_parts->ini_watch != NULL)
		ini_watch_writing(master->_parts->ini_watch);
}

static void
master_on_written(void *arg)
{
	struct master *master = arg;

	if (master->_parts->ini_watch != NULL)
		ini_watch_written(master->_parts->ini_watch);
}

static void
master_on_read(struct config *config, void *arg)
{
	const struct master *master = arg;

	if (master->_parts->ini_watch != NULL)
		ini_watch_also(master->_parts->ini_watch, config);
}

/* A user or group that has gone since the configuration was checked has no role. */
static void
master_set_roles(struct master *master)
{
	struct master_parts *parts = master->_parts;
	struct admin_roles *roles = admin_roles_create(master->config, NULL);

	if (parts->server != NULL)
		admin_server_set_roles(parts->server, roles);
	admin_roles_destroy(parts->roles);
	parts->roles = roles;
}

static void
master_on_in_force(struct config *config, void *arg)
{
	struct master *master = arg;

	master->config = config;
	if (master->crash_reports != NULL)
		crash_reports_set_config(master->crash_reports, config);
	master_set_roles(master);
	if (master->_parts->ini_watch != NULL)
		ini_watch_set(master->_parts->ini_watch, config);
}

static void
master_on_changes_taken(const struct reload_result *result, void *arg)
{
	const struct master *master = arg;

	if (result->status == BAY_INVALID && remedy_is_of(result->message))
		ini_watch_again(master->_parts->ini_watch);
}

static void
master_on_config_changed(void *arg)
{
	struct master *master = arg;
	const struct reload_wish wish = {.kind = RELOAD_FILE, .by = {.source = EVENT_BY_WATCH},
		.who = "watch"};

	reload_ask(master->reload, &wish, master_on_changes_taken, master);
}

static void
master_create_reload(struct master *master)
{
	const struct reload_options options = {
		.supervisor = master->supervisor,
		.examination = master->_parts->examination,
		.listeners = master->listeners,
		.config = master->config,
		.events = master->events,
	};
	const struct reload_watcher watcher = {.begun = master_on_reload_begun,
		.ended = master_on_reload_ended, .reading = master_on_reading,
		.read = master_on_read, .writing = master_on_writing, .written = master_on_written,
		.in_force = master_on_in_force, .arg = master};

	master->reload = reload_create(&options, &watcher);
}

/* --- start ------------------------------------------------------------------------------- */

static uint32_t
master_count_loops(const struct config *config)
{
	cpu_set_t set;
	int count = (int)config->container.loops;

	if (count == 0 && sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	if (count < 1)
		count = 1;
	return count < STATUS_PAGE_LOOPS_MAX ? (uint32_t)count : STATUS_PAGE_LOOPS_MAX;
}

static void
master_create_supervisor(struct master *master)
{
	struct master_parts *parts = master->_parts;
	const struct supervisor_options options = {
		.base = master->base,
		.config = master->config,
		.examination = parts->examination,
		.listeners = master->listeners,
		.events = master->events,
		.crash_reports = master->crash_reports,
		.limits = &supervisor_limits_default,
		.cell = {
			.name = "main",
			.mode = "run",
			.program = &parts->program,
			.loops = master_count_loops(master->config),
			.change_user = parts->user.change,
			.uid = parts->user.uid,
			.gid = parts->user.gid,
			.user = parts->user.name,
			.cgroups = master->cgroups,
		},
	};
	const struct supervisor_watcher watcher = {.started = master_on_started,
		.stopped = master_on_stopped, .cell_ended = master_on_cell_ended, .arg = master};

	listener_table_adopt(master->listeners, &parts->activation, master->config);
	master->supervisor = supervisor_create(&options, &watcher);
	supervisor_expect_images(master->supervisor);
	master_create_reload(master);
}

/* What the survey has found goes to the services. */
static void
master_take_images(struct master *master)
{
	struct master_parts *parts = master->_parts;

	for (size_t i = 0; i < master->config->service_count; i++) {
		struct plugin_survey_entry *entry = &parts->survey.entries[i];

		if (entry->image != NULL || entry->reason != NULL)
			supervisor_set_image(master->supervisor, i, entry->image, entry->reason);
		entry->image = NULL;
	}
	plugin_survey_finish(&parts->survey);
}

static bool
master_open_socket(struct master *master, struct buffer *error)
{
	struct master_parts *parts = master->_parts;
	const struct config_container *container = &master->config->container;
	const struct admin_policy policy = {.admin_uid = geteuid(),
		.operator_group = parts->user.control_group, .roles = parts->roles};
	char *name = xasprintf("control %s", container->control);
	const struct socket_file_options socket = {.name = name, .path = container->control,
		.mode = (mode_t)container->control_mode, .gid = parts->user.control_group,
		.backlog = MASTER_BACKLOG};
	bool opened = socket_file_open(&parts->socket, &socket, error) == BAY_OK;

	free(name);
	if (!opened)
		return code_fail(error, "start-socket");
	parts->server = admin_server_create(master->base, parts->socket.fd, &policy,
		&admin_limits_default, admin_commands_handle, master);
	return parts->server != NULL ||
		buffer_fail(error, "serve the control socket: no memory [no-memory]");
}

/* All plugins have been looked at: nothing starts if settings of them are wrong. */
static void
master_on_surveyed(void *arg)
{
	struct master *master = arg;
	struct master_parts *parts = master->_parts;
	struct buffer text = {0};

	if (parts->stopping)
		return;
	if (parts->survey.complaints.count > 0) {
		if (config_report_print(&parts->survey.complaints, &text))
			fprintf(stderr, "%s", buffer_text(&text));
		log_error(NULL, "cannot start: the configuration is wrong in %zu %s named "
			"on standard error", parts->survey.complaints.count,
			text_number(parts->survey.complaints.count, "place, which is", "places, which are"));
		master_give_up(master, MASTER_EXIT_INVALID);
	} else {
		master_take_images(master);
		if (!supervisor_start(master->supervisor, &text)) {
			master_cannot_start(master, buffer_text(&text));
			master_give_up(master, MASTER_EXIT_FAILED);
		}
	}
	buffer_finish(&text);
}

/* Whether cells run as others, or may after a reload. */
static bool
master_may_change_user(const struct master *master)
{
	return master->_parts->user.change || geteuid() == 0;
}

/* Whoever else is to come to the sockets or to the images must get through the directory. */
static mode_t
master_dir_mode(const struct master *master)
{
	const struct master_parts *parts = master->_parts;
	const struct config *config = master->config;
	uint32_t modes = config->container.control_mode;

	for (size_t i = 0; i < config->service_count; i++)
		modes |= config->services[i].listen_mode;
	return master_may_change_user(master) || parts->user.control_group != (gid_t)-1 ||
		(modes & 077) != 0 ? 0711 : 0700;
}

static bool
master_open_dirs(struct master *master, struct buffer *error)
{
	struct master_parts *parts = master->_parts;
	const struct config_container *container = &master->config->container;
	size_t length = strlen(container->runtime_dir);
	struct runtime_dir_options options = {.key = "runtime_dir",
		.path = container->runtime_dir, .mode = master_dir_mode(master)};

	parts->runtime_dir = runtime_dir_open(&options, error);
	if (parts->runtime_dir == NULL)
		return false;
	master->runtime_dir = runtime_dir_path(parts->runtime_dir);
	options.key = "image_dir";
	options.path = container->image_dir;
	options.mode = master_may_change_user(master) ? 0711 : 0700;
	options.no_link = strncmp(container->image_dir, container->runtime_dir, length) == 0 &&
		container->image_dir[length] == '/';
	parts->image_dir = runtime_dir_open(&options, error);
	return parts->image_dir != NULL;
}

static void
master_flush_log_later(struct master_parts *parts)
{
	const struct timeval pause = {.tv_usec = MASTER_LOG_FLUSH_MS * 1000};

	if (parts->log_timer != NULL && !event_pending(parts->log_timer, EV_TIMEOUT, NULL))
		event_add(parts->log_timer, &pause);
}

static void
master_on_log_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (!log_flush(0))
		master_flush_log_later(arg);
}

/* Where the log does not go, events do. */
static void
master_on_log_trouble(evutil_socket_t fd, short what, void *arg)
{
	struct master *master = arg;
	int error = master->_parts->log_trouble;

	(void)fd;
	(void)what;
	if (error != 0)
		event_log_add(master->events, EVENT_TROUBLE, &(struct event_facts){0},
			"the log %s cannot be written: %s: lines of it are lost%s; bayctl logs has the last ones",
			master->config->container.log, strerror(error), remedy_of(error));
}

static bool
master_start_loop(struct master *master, struct buffer *error)
{
	struct master_parts *parts = master->_parts;

	master->base = event_base_new();
	if (master->base == NULL)
		return buffer_fail(error, "start libevent: no memory or no descriptor");
	parts->signals = signals_watch(master->base, master_signals,
		sizeof(master_signals) / sizeof(*master_signals), master_on_signal, master);
	parts->log_timer = evtimer_new(master->base, master_on_log_timer, parts);
	parts->log_trouble_event = event_new(master->base, -1, 0, master_on_log_trouble, master);
	master->admin_log = admin_log_create(master->base, master->ring);
	master->admin_events = admin_events_create(master->base, master->events);
	master->admin_tracers = admin_tracers_create(master->base, master);
	if (parts->signals == NULL || parts->log_timer == NULL || parts->log_trouble_event == NULL ||
	    master->admin_log == NULL || master->admin_events == NULL || master->admin_tracers == NULL)
		return buffer_fail(error, "watch signals and the log: no memory");
	if (!program_sibling("bay-cell", LIBEXECDIR, &parts->program))
		return buffer_fail(error, "find bay-cell: it is not at %s", parts->program.path);
	parts->examination = plugin_examination_create(master->base, master->config,
		&parts->program, runtime_dir_fd(parts->image_dir), master_examination_timeout_ns);
	return parts->examination != NULL ||
		buffer_fail(error, "prepare the examination of plugins: no memory or no descriptor");
}

static void
master_on_log_record(const struct log_record *record, void *arg)
{
	struct master *master = arg;

	log_ring_push(master->ring, record);
	if (master->admin_log != NULL)
		admin_log_wake(master->admin_log);
	if (log_has_backlog())
		master_flush_log_later(master->_parts);
	if (log_trouble() != master->_parts->log_trouble && master->_parts->log_trouble_event != NULL) {
		master->_parts->log_trouble = log_trouble();
		event_active(master->_parts->log_trouble_event, EV_TIMEOUT, 0);
	}
}

/* That an operator's own words come to nothing he has to hear. */
static void
master_log_cgroups(const struct master *master)
{
	char names[32];

	if (master->cgroups != NULL)
		log_info(NULL, "cells get control groups in %s, with %s", cgroup_tree_path(master->cgroups),
			cgroup_controllers_text(names, sizeof(names), cgroup_tree_controllers(master->cgroups)));
	else
		log_at(strcmp(master->config->container.cgroup, "auto") == 0 ||
			strcmp(master->config->container.cgroup, "no") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, NULL,
			"cells get no control groups: %s", master->no_cgroups);
}

/* Everything up to the event loop. False: the reason is appended to error. */
static bool
master_prepare(struct master *master, struct buffer *error)
{
	struct master_parts *parts = master->_parts;

	log_set_process("master");
	if (!log_sink_set(master->config, NULL, error))
		return false;
	parts->log_elsewhere = config_log_sink(master->config) != CONFIG_LOG_STDERR;
	log_set_hook(master_on_log_record, master);
	log_info(NULL, "bayd %s starts as process %d with libevent %s and %s", PACKAGE_VERSION,
		(int)getpid(), event_get_version(), master->config->path);
	master_log_cgroups(master);
	parts->notify = notify_open();
	run_user_log(&parts->user, master->config);
	return (activation_take(&parts->activation, error) ||
			code_fail(error, "start-activation")) &&
		master_open_dirs(master, error) && master_start_loop(master, error);
}

static void
master_on_start_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master *master = arg;
	unsigned left = master_count_services(master, SERVICE_STARTING);

	(void)fd;
	(void)what;
	notify_send(master->_parts->notify, "STATUS=starting: %u %s not ready yet\n"
		"EXTEND_TIMEOUT_USEC=%lld", left, text_number(left, "service is", "services are"),
		(long long)(master_start_more_ns / CLOCK_NS_PER_US));
}

/* False: no memory. */
static bool
master_create_watches(struct master *master)
{
	struct master_parts *parts = master->_parts;

	master->hand_loads = hand_loads_create(master);
	if (master->hand_loads == NULL || master->config->container.watch == CONFIG_WATCH_NO)
		return master->hand_loads != NULL;
	parts->drop_in = drop_in_create(master);
	parts->ini_watch = ini_watch_create(master->base, master->events, master->config,
		master_on_config_changed, master);
	return parts->drop_in != NULL && parts->ini_watch != NULL;
}

/* From here on operators and the service manager hear how the start goes. False: the reason is
 * appended to error. */
static bool
master_open_for_operators(struct master *master, struct buffer *error)
{
	struct master_parts *parts = master->_parts;

	master->crash_reports = crash_reports_create(master->config);
	master_create_supervisor(master);
	if (!master_create_watches(master))
		return buffer_fail(error, "watch plugin_dir and the configuration: no memory");
	parts->start_timer = event_new(master->base, -1, EV_PERSIST, master_on_start_timer, master);
	if (parts->start_timer == NULL || event_add(parts->start_timer, &master_start_period) != 0)
		return buffer_fail(error, "watch the start: no memory [no-memory]");
	parts->loop_watch = loop_watch_create(master->base, master);
	if (parts->loop_watch == NULL)
		return buffer_fail(error, "watch the loops: no memory [no-memory]");
	parts->fault_watch = fault_watch_create(master->base, master);
	if (parts->fault_watch == NULL)
		return buffer_fail(error, "watch the services: no memory [no-memory]");
	if (!heartbeat_create(master->base, parts->notify, &parts->heartbeat))
		return buffer_fail(error, "tell the service manager that bayd runs: no memory [no-memory]");
	return master_open_socket(master, error);
}

static void
master_close_cgroups(struct master *master)
{
	cgroup_tree_close(master->cgroups);
	free(master->no_cgroups);
}

/* Undoes everything, whatever of it was done. */
static void
master_finish(struct master *master)
{
	struct master_parts *parts = master->_parts;

	/* One more signal must not end us half way through, with our files left behind. */
	master_block_signals();
	loop_watch_destroy(parts->loop_watch);
	fault_watch_destroy(parts->fault_watch);
	heartbeat_destroy(parts->heartbeat);
	/* Before the server: what waits for the cell is answered. */
	supervisor_destroy(master->supervisor);
	crash_reports_destroy(master->crash_reports);
	admin_events_destroy(master->admin_events);
	admin_tracers_destroy(master->admin_tracers);
	admin_log_destroy(master->admin_log);
	master->admin_log = NULL;
	plugin_survey_finish(&parts->survey);
	plugin_examination_destroy(parts->examination);
	drop_in_destroy(parts->drop_in);
	hand_loads_destroy(master->hand_loads);
	ini_watch_destroy(parts->ini_watch);
	reload_destroy(master->reload);
	strays_end();
	master_close_cgroups(master);
	listener_table_destroy(master->listeners);
	activation_finish(&parts->activation);
	admin_server_stop_listening(parts->server);
	socket_file_close(&parts->socket);
	runtime_dir_close(parts->image_dir);
	runtime_dir_close(parts->runtime_dir);
	log_info(NULL, "ended");
	/* Late: who waits for the end of a connection finds nothing of ours any more, and may
	 * start the next bayd at once. */
	admin_server_destroy(parts->server);
	admin_roles_destroy(parts->roles);
	signals_destroy(parts->signals);
	log_set_hook(NULL, NULL);
	if (parts->log_timer != NULL)
		event_free(parts->log_timer);
	if (parts->log_trouble_event != NULL)
		event_free(parts->log_trouble_event);
	if (parts->start_timer != NULL)
		event_free(parts->start_timer);
	if (master->base != NULL)
		event_base_free(master->base);
	notify_close(parts->notify);
	run_user_finish(&parts->user);
	log_ring_destroy(master->ring);
	event_log_destroy(master->events);
	libevent_global_shutdown();
	for (int i = 0; i < MASTER_LOG_LAST_FLUSHES && !log_flush(MASTER_LOG_FLUSH_MS);)
		i++;
}

static enum master_exit
master_refuse(const struct config_report *report)
{
	struct buffer text = {0};

	if (config_report_print(report, &text))
		fprintf(stderr, "%s", buffer_text(&text));
	buffer_finish(&text);
	return MASTER_EXIT_INVALID;
}

enum master_exit
master_run(struct config *config)
{
	struct master_parts parts = {.socket = {.fd = -1, ._dirfd = -1}};
	struct master master = {.config = config, ._parts = &parts,
		.started_ns = clock_monotonic_ns(), .started_wall_ns = clock_wall_ns()};
	struct config_report report = {0};
	struct buffer error = {0};

	(void)!run_user_resolve(config, &parts.user, &report);
	master.cgroups = cgroup_tree_open(config->container.cgroup, &master.no_cgroups);
	cell_section_check(config, (cgroup_tree_controllers(master.cgroups) & CGROUP_CPU) != 0, &report);
	admin_roles_check(config, &report);
	if (report.count > 0) {
		parts.exit = master_refuse(&report);
		master_close_cgroups(&master);
		run_user_finish(&parts.user);
		config_report_finish(&report);
		return parts.exit;
	}
	strays_adopt();
	master_set_roles(&master);
	master.ring = log_ring_create(MASTER_LOG_LINES);
	master.events = event_log_create();
	event_log_add(master.events, EVENT_BEGUN, &(struct event_facts){0}, "bayd %s with %s",
		PACKAGE_VERSION, config->path);
	master.listeners = listener_table_create(config->container.runtime_dir);
	if (master_prepare(&master, &error) && master_open_for_operators(&master, &error)) {
		plugin_survey_begin(&parts.survey, config, parts.examination, master_on_surveyed,
			&master);
		event_base_dispatch(master.base);
	} else {
		master_cannot_start(&master, buffer_text(&error));
		parts.exit = MASTER_EXIT_FAILED;
	}
	buffer_finish(&error);
	master_finish(&master);
	return parts.exit;
}
