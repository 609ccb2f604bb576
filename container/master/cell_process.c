/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_process.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/remedy.h"
#include "master/cell_log.h"
#include "master/cgroup.h"
#include "master/child.h"
#include "master/child_output.h"
#include "master/sandbox.h"
#include "protocol/cell_link.h"

struct cell_process {
	struct event_base *base;
	struct child child;
	pid_t pid; /* stays when the child has been reaped: for the log */
	int64_t started_ns;
	struct cell_channel *channel;
	struct cell_log *log;
	struct child_output *output;
	struct status_page page;
	struct cgroup_group *group; /* or NULL */
	struct event *crash_event; /* its crash pipe can be read; NULL: it has told, or is not asked */
	int crash_fd;
	void (*on_crash)(void *arg);
	void *on_crash_arg;
};

/* What is made for a cell before it starts: our end and its end of everything. */
struct cell_ends {
	int control[2];
	int log[2];
	int crash[2];
	int page;
};

static void
cell_ends_close(struct cell_ends *ends)
{
	fd_close(&ends->control[0]);
	fd_close(&ends->control[1]);
	fd_close(&ends->log[0]);
	fd_close(&ends->log[1]);
	fd_close(&ends->crash[0]);
	fd_close(&ends->crash[1]);
	fd_close(&ends->page);
}

static bool
cell_fail(struct buffer *error, const char *name, const char *step)
{
	return buffer_fail(error, "start cell %s: %s: %s%s [cell-start]", name, step,
		strerror(errno), remedy_of(errno));
}

static bool
cell_ends_open(struct cell_ends *ends, struct cell_process *cell, struct event_base *base,
	const struct cell_options *options, struct buffer *error)
{
	char process[64];

	snprintf(process, sizeof(process), "cell %s", options->name);
	*ends = (struct cell_ends){.control = {-1, -1}, .log = {-1, -1}, .crash = {-1, -1},
		.page = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends->control) != 0)
		return cell_fail(error, options->name, "make its control socket");
	if (pipe2(ends->log, O_CLOEXEC | O_NONBLOCK) != 0)
		return cell_fail(error, options->name, "make its log pipe");
	if (pipe2(ends->crash, O_CLOEXEC | O_NONBLOCK) != 0)
		return cell_fail(error, options->name, "make its crash pipe");
	cell->output = child_output_create(base, process);
	if (cell->output == NULL)
		return cell_fail(error, options->name, "make the pipes for what it prints");
	ends->page = status_page_create(&cell->page, "bay-status", options->services,
		options->loops);
	if (ends->page < 0)
		return cell_fail(error, options->name, "make its status page");
	return true;
}

/* Without one, its limits are looked after in the other way. */
static void
cell_process_make_group(struct cell_process *cell, const struct cell_options *options)
{
	char subject[64];

	if (options->cgroups == NULL)
		return;
	snprintf(subject, sizeof(subject), "cell %s", options->name);
	cell->group = cgroup_group_create(options->cgroups, options->name);
	if (cell->group == NULL)
		log_warn_errno(subject, "make its control group in %s", cgroup_tree_path(options->cgroups));
	else if (!cgroup_group_set(cell->group, options->memory_max, options->tasks_max, options->cpu_weight))
		log_warn_errno(subject, "set the limits of its control group");
}

static bool
cell_process_spawn(struct cell_process *cell, const struct cell_options *options,
	const struct cell_ends *ends, struct buffer *error)
{
	const char *argv[] = {"bay-cell", options->mode, NULL};
	/* A dump of what may be gigabytes of stacks would delay the restart. */
	const struct child_limit limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, (rlim_t)options->fds_max}};
	bool weighs = cell->group != NULL && (cgroup_tree_controllers(options->cgroups) & CGROUP_CPU) != 0;
	const struct sandbox sandbox = {.writable = options->writable != NULL ? options->writable : ""};
	struct child_options child = {
		.path = options->program->path,
		.argv = argv,
		.library_dir = options->program->library_dir,
		.cell_name = options->name,
		.fds = {ends->control[1], ends->log[1], ends->page, ends->crash[1]},
		.fd_count = CELL_FDS_END - CELL_CONTROL_FD,
		.output = child_output_ends(cell->output),
		.change_user = options->change_user,
		.uid = options->uid,
		.gid = options->gid,
		.user = options->user,
		.no_new_privileges = options->change_user,
		.nice = weighs ? 0 : options->nice,
		.cgroup_procs = cell->group != NULL ? cgroup_group_procs(cell->group) : 0,
		.sandbox = options->sandboxed ? &sandbox : NULL,
		.limits = limits,
		.limit_count = options->fds_max > 0 ? 2 : 1,
	};

	if (!child_spawn(&child, &cell->child, error))
		return false;
	child_output_close_ends(cell->output);
	cell->pid = cell->child.pid;
	cell->started_ns = clock_monotonic_ns();
	return true;
}

static bool
cell_process_attach(struct cell_process *cell, struct event_base *base,
	const struct cell_options *options, struct cell_ends *ends,
	const struct cell_channel_watcher *watcher, struct buffer *error)
{
	char process[64];

	snprintf(process, sizeof(process), "cell %s", options->name);
	cell->channel = cell_channel_create(base, ends->control[0], watcher);
	ends->control[0] = -1;
	cell->log = cell_log_create(base, ends->log[0], process);
	ends->log[0] = -1;
	cell->crash_fd = ends->crash[0];
	ends->crash[0] = -1;
	errno = ENOMEM;
	return (cell->channel != NULL && cell->log != NULL) ||
		cell_fail(error, options->name, "watch it");
}

static void
cell_process_unwatch_crash(struct cell_process *cell)
{
	if (cell->crash_event != NULL)
		event_free(cell->crash_event);
	cell->crash_event = NULL;
}

static void
cell_process_on_crash(evutil_socket_t fd, short what, void *arg)
{
	struct cell_process *cell = arg;
	char byte;
	bool told = read(fd, &byte, 1) == 1;

	(void)what;
	cell_process_unwatch_crash(cell);
	if (told)
		cell->on_crash(cell->on_crash_arg);
}

void
cell_process_watch_crash(struct cell_process *cell, void (*fn)(void *arg), void *arg)
{
	cell->on_crash = fn;
	cell->on_crash_arg = arg;
	cell->crash_event = event_new(cell->base, cell->crash_fd, EV_READ, cell_process_on_crash, cell);
	if (cell->crash_event != NULL)
		event_add(cell->crash_event, NULL);
}

struct cell_process *
cell_process_start(struct event_base *base, const struct cell_options *options,
	const struct cell_channel_watcher *watcher, struct buffer *error)
{
	struct cell_process *cell = xcalloc(1, sizeof(*cell));
	struct cell_ends ends;
	bool started;

	if (options->missing != NULL) {
		buffer_fail(error, "start cell %s: there is no user or group of this name: %s [config-user]",
			options->name, options->missing);
		free(cell);
		return NULL;
	}
	cell->base = base;
	cell->child.pid = -1;
	cell->crash_fd = -1;
	cell_process_make_group(cell, options);
	started = cell_ends_open(&ends, cell, base, options, error) &&
		cell_process_spawn(cell, options, &ends, error) &&
		cell_process_attach(cell, base, options, &ends, watcher, error);
	cell_ends_close(&ends);
	if (started)
		return cell;
	cell_process_destroy(cell, "it did not start");
	return NULL;
}

void
cell_process_destroy(struct cell_process *cell, const char *why)
{
	if (cell == NULL)
		return;
	child_kill(&cell->child);
	child_reap(&cell->child);
	cgroup_group_destroy(cell->group);
	cell_process_unwatch_crash(cell);
	fd_close(&cell->crash_fd);
	cell_channel_destroy(cell->channel, why);
	if (cell->log != NULL)
		cell_log_drain(cell->log);
	cell_log_destroy(cell->log);
	if (cell->output != NULL)
		child_output_drain(cell->output);
	child_output_destroy(cell->output);
	status_page_close(&cell->page);
	free(cell);
}

struct cgroup_group *
cell_process_group(const struct cell_process *cell)
{
	return cell->group;
}

int64_t
cell_process_call(struct cell_process *cell, const char *method, json_t *parameters, int fd,
	int64_t timeout_ns, cell_reply_fn *reply, void *arg)
{
	return cell_channel_call(cell->channel, method, parameters, fd, timeout_ns, reply, arg);
}

int64_t
cell_process_call_with(struct cell_process *cell, const char *method, json_t *parameters,
	struct varlink_fds *fds, int64_t timeout_ns, cell_reply_fn *reply, void *arg)
{
	return cell_channel_call_with(cell->channel, method, parameters, fds, timeout_ns, reply, arg);
}

void
cell_process_cancel(struct cell_process *cell, int64_t number)
{
	cell_channel_cancel(cell->channel, number);
}

bool
cell_process_is_idle(const struct cell_process *cell)
{
	return cell_channel_is_idle(cell->channel);
}

void
cell_process_kill(struct cell_process *cell)
{
	child_kill(&cell->child);
}

bool
cell_process_has_ended(struct cell_process *cell, int *status_r)
{
	if (cell->child.pid <= 0 || !child_try_reap(&cell->child, status_r))
		return false;
	cell_channel_drain(cell->channel);
	cell_log_drain(cell->log);
	child_output_drain(cell->output);
	return true;
}

pid_t
cell_process_pid(const struct cell_process *cell)
{
	return cell->pid;
}

int64_t
cell_process_started_ns(const struct cell_process *cell)
{
	return cell->started_ns;
}

const struct status_page *
cell_process_page(const struct cell_process *cell)
{
	return &cell->page;
}

uint64_t
cell_process_rss_bytes(const struct cell_process *cell)
{
	uint64_t pages = 0;
	char path[40];
	FILE *statm;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)cell->pid);
	statm = fopen(path, "re");
	if (statm == NULL)
		return 0;
	if (fscanf(statm, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(statm);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
