/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning of a process: bay_process_spawn(). The handle, the command and the descriptors
 * are made on the loop; the keeper's thread starts the child, and then one of two comes first:
 *
 *	the start comes home         the handle is the caller's
 *	the caller leaves            the handle stays alone until the start is home, and then goes
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/process.h"
#include "loop/loop.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"

/* Between two looks whether a start has come home, when no loop runs. */
enum { PROCESS_LOOK_US = 200 };

struct process_start {
	struct keeper_start keeper;
	struct process_command command;
	struct bay_process *process;
	struct waiter *waiter;         /* the caller; NULL: it has left */
	bool is_home;
	bool is_awaited;               /* by the end of the loop */
};

/* --- failures ------------------------------------------------------------------------------ */

static int
process_status_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return BAY_NOT_FOUND;
	case EACCES:
	case EPERM:
		return BAY_NOT_PERMITTED;
	case ENOEXEC:
	case EINVAL:
	case EISDIR:
	case ELIBBAD:
	case ELOOP:
	case ENAMETOOLONG:
		return BAY_INVALID;
	case E2BIG:
		return BAY_TOO_BIG;
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		return BAY_FULL;
	case ENOMEM:
		return BAY_NO_MEMORY;
	default:
		return BAY_IO;
	}
}

static int
process_start_fails(const struct process_start *start, const char *step, int error)
{
	process_say("start %s: %s: %s", start->command.program, step, strerror(error));
	return process_status_of(error);
}

static int
process_has_no_sense(const char *why)
{
	process_say("bay_process_spawn: %s [misuse-argument]", why);
	log_error(task_subject(task_current()), "bay_process_spawn: %s [misuse-argument]", why);
	return BAY_INVALID;
}

static int
process_check_stdio(enum bay_stdio stdio, int fd, bool may_merge)
{
	if ((unsigned)stdio > BAY_STDIO_MERGE)
		return process_has_no_sense("there is no such kind of input or output");
	if (stdio == BAY_STDIO_MERGE && !may_merge)
		return process_has_no_sense("only the errors can be merged");
	if (stdio == BAY_STDIO_FD && fcntl(fd, F_GETFD) < 0)
		return process_has_no_sense("a descriptor that was given is not open");
	return BAY_OK;
}

static int
process_check_options(const struct bay_process_options *options)
{
	int status;

	if (options == NULL || options->length != sizeof *options)
		return process_has_no_sense("the length of the options is not what it should be");
	if (options->argv == NULL || options->argv[0] == NULL)
		return process_has_no_sense("there are no arguments, not even a name");
	if (options->program != NULL ? options->program[0] == '\0' : options->argv[0][0] == '\0')
		return process_has_no_sense("the name of the program is empty");
	if (options->cpu_max_ns < 0)
		return process_has_no_sense("its processor time is negative");
	status = process_check_stdio(options->input, options->input_fd, false);
	if (status == BAY_OK)
		status = process_check_stdio(options->output, options->output_fd, false);
	if (status == BAY_OK)
		status = process_check_stdio(options->errors, options->errors_fd, true);
	return status;
}

/* --- descriptors --------------------------------------------------------------------------- */

/* A duplicate above the three that the child will have, or -1. */
static int
process_dup_above(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Puts *fd above the three; false: errno. */
static bool
process_move_above(int *fd)
{
	int moved;

	if (*fd < 0 || *fd > STDERR_FILENO)
		return *fd >= 0;
	moved = process_dup_above(*fd);
	fd_close(fd);
	*fd = moved;
	return moved >= 0;
}

/* A pipe: the child's end, and ours, which does not block. */
static bool
process_make_pipe(int which, int *theirs, int *ours)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	*theirs = ends[which == BAY_STDIN ? 0 : 1];
	*ours = ends[which == BAY_STDIN ? 1 : 0];
	return fd_set_nonblocking(*ours) && process_move_above(theirs) && process_move_above(ours);
}

/* What becomes one of the three; false: errno. */
static bool
process_make_stdio(struct bay_process *process, int *fds, int which, enum bay_stdio stdio, int given)
{
	switch (stdio) {
	case BAY_STDIO_PIPE:
		return process_make_pipe(which, &fds[which], &process->pipes[which]);
	case BAY_STDIO_INHERIT:
		fds[which] = process_dup_above(which);
		break;
	case BAY_STDIO_FD:
		fds[which] = process_dup_above(given);
		break;
	case BAY_STDIO_MERGE:
		fds[which] = process_dup_above(fds[BAY_STDOUT]);
		break;
	default:
		fds[which] = open("/dev/null", (which == BAY_STDIN ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
		return process_move_above(&fds[which]);
	}
	return fds[which] >= 0;
}

static bool
process_make_fds(struct bay_process *process, int *fds, const struct bay_process_options *options)
{
	return process_make_stdio(process, fds, BAY_STDIN, options->input, options->input_fd) &&
		process_make_stdio(process, fds, BAY_STDOUT, options->output, options->output_fd) &&
		process_make_stdio(process, fds, BAY_STDERR, options->errors, options->errors_fd);
}

/* --- the handle ---------------------------------------------------------------------------- */

static void
process_start_destroy(struct process_start *start)
{
	int i;

	for (i = 0; i < 3; i++)
		fd_close(&start->keeper.launch.fds[i]);
	process_command_finish(&start->command);
	free(start);
}

/* That of one that never came to run, or is not wanted any more. */
static void
process_discard(struct bay_process *process)
{
	int i;

	for (i = 0; i < 3; i++)
		fd_close(&process->pipes[i]);
	process_start_destroy(process->start);
	belonging_remove(&process->belonging);
	free(process->child);
	waitable_close(&process->waitable);
}

/* It has come home, and nobody wants it. */
static void
process_end_unwanted(struct bay_process *process)
{
	if (process->child != NULL && process->child->pid > 0) {
		process_child_signal_group(process->child, SIGKILL);
		keeper_bury(process->child);
		process->child = NULL;
	}
	process_discard(process);
}

static void
process_on_home(struct inbox_item *item)
{
	struct process_start *start = container_of(item, struct process_start, keeper.home);
	struct bay_process *process = start->process;

	process->child = start->keeper.child;
	start->is_home = true;
	/* Who was cut short may not know yet. */
	if (start->waiter != NULL)
		waiter_wake(start->waiter, BAY_OK);
	else if (!start->is_awaited)
		process_end_unwanted(process);
}

/* The loop is about to go, and nobody is left who could take it: the thread is at it. */
static void
process_end_start(struct belonging *belonging)
{
	struct process_start *start = container_of(belonging, struct bay_process, belonging)->start;

	start->is_awaited = true;
	while (!start->is_home) {
		if (!loop_drain_inbox(start->keeper.loop))
			usleep(PROCESS_LOOK_US);
	}
	process_end_unwanted(start->process);
}

static void
process_add_limit(struct process_launch *launch, int resource, uint64_t soft, uint64_t hard)
{
	if (soft != 0)
		launch->limits[launch->limit_count++] =
			(struct process_limit){.resource = resource, .value = {.rlim_cur = soft, .rlim_max = hard}};
}

static void
process_set_limits(struct process_launch *launch, const struct bay_process_options *options)
{
	/* A span that ends beyond int64_t does so after 292 years. */
	uint64_t seconds = ((uint64_t)options->cpu_max_ns + BAY_SECOND - 1) / BAY_SECOND;

	process_add_limit(launch, RLIMIT_AS, options->memory_max, options->memory_max);
	process_add_limit(launch, RLIMIT_CPU, seconds, seconds + 1);
	process_add_limit(launch, RLIMIT_NOFILE, options->files_max, options->files_max);
	process_add_limit(launch, RLIMIT_FSIZE, options->file_bytes_max, options->file_bytes_max);
}

static const char *
process_base_name(const struct bay_process_options *options)
{
	const char *program = options->program != NULL ? options->program : options->argv[0];
	const char *slash = strrchr(program, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : program;
}

/* One that is to be started. BAY_OK, or why not. */
static int
process_create(const struct bay_process_options *options, struct bay_process **process_r)
{
	struct bay_process *process = waitable_create(sizeof *process, "process", process_base_name(options));
	struct process_child *child = alloc_try_zeroed(1, sizeof *child);
	struct process_start *start = alloc_try_zeroed(1, sizeof *start);
	int *fds, i, error;

	if (process == NULL || child == NULL || start == NULL ||
		!process_command_init(&start->command, options)) {
		free(process);
		free(child);
		free(start);
		process_say("start %s: no memory", process_base_name(options));
		return BAY_NO_MEMORY;
	}
	fds = start->keeper.launch.fds;
	for (i = 0; i < 3; i++)
		process->pipes[i] = fds[i] = -1;
	process->start = start;
	start->process = process;
	start->keeper.home.run = process_on_home;
	start->keeper.loop = &process->waitable.scheduler->loop;
	start->keeper.launch.command = &start->command;
	process_set_limits(&start->keeper.launch, options);
	start->keeper.child = child;
	/* While it starts it is no service's. */
	belonging_add_to_scheduler(&process->belonging, "process", process_end_start);
	*process_r = process;
	if (process_make_fds(process, fds, options))
		return BAY_OK;
	error = errno;
	process->child = child;
	i = process_start_fails(start, "make its input and output", error);
	process_discard(process);
	return i;
}

/* The caller does not want it any more. */
static void
process_forget(struct bay_process *process)
{
	struct process_start *start = process->start;

	start->waiter = NULL;
	if (start->is_home) {
		process_end_unwanted(process);
	} else if (keeper_forget(&start->keeper)) {
		process->child = start->keeper.child;
		process_discard(process);
	}
}

/* The start has come home: the handle is the caller's, or gone. */
static int
process_begin(struct bay_process *process, struct bay_process **process_r)
{
	struct process_start *start = process->start;
	const struct process_launch *launch = &start->keeper.launch;
	int status;

	if (launch->pid < 0) {
		status = process_start_fails(start, launch->step, launch->error);
		process_discard(process);
		return status;
	}
	belonging_remove(&process->belonging);
	process_start_destroy(start);
	process->start = NULL;
	process_join(process);
	*process_r = process;
	return BAY_OK;
}

static int
process_await_start(struct bay_process *process, struct bay_process **process_r, int64_t deadline)
{
	struct process_start *start = process->start;
	struct waiter waiter;
	int status, error;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.waitable = &process->waitable;
	start->waiter = &waiter;
	error = keeper_start(&start->keeper);
	if (error != 0) {
		process->child = start->keeper.child;
		status = process_start_fails(start, "start the thread for it", error);
		process_discard(process);
		return status == BAY_IO ? BAY_NO_MEMORY : status;
	}
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		return process_begin(process, process_r);
	process_say("start %s: %s", start->command.program,
		status == BAY_TIMEOUT ? "the deadline passed" : "the task was cancelled");
	process_forget(process);
	return status;
}

int
process_spawn(const struct bay_process_options *options, struct bay_process **process_r, int64_t deadline)
{
	struct task *self = task_current();
	struct bay_process *process;
	int status;

	status = process_check_options(options);
	if (status != BAY_OK)
		return status;
	deadline = task_deadline(self, deadline);
	/* Not the loop's clock as of some time ago: the child would begin. */
	if (self->canceled != NULL || deadline <= loop_now(&self->scheduler->loop)) {
		status = self->canceled != NULL ? BAY_CANCELED : BAY_TIMEOUT;
		process_say("start %s: not even begun: %s", process_base_name(options), bay_status_name(status));
		return await_refused(self, status);
	}
	status = process_create(options, &process);
	return status == BAY_OK ? process_await_start(process, process_r, deadline) : status;
}

int
bay_process_spawn(const struct bay_process_options *options, struct bay_process **process_r, int64_t deadline)
{
	*process_r = NULL;
	return AWAIT_BEGIN("bay_process_spawn") ? process_spawn(options, process_r, deadline) : BAY_INVALID;
}
