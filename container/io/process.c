/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/process.h> for a process that runs or has ended. */
#include "config.h"

#include "io/process.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/descriptor.h"
#include "loop/watch.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"

/* Between SIGTERM and SIGKILL for one that its service has left behind. */
#define PROCESS_GRACE_NS (2 * (int64_t)CLOCK_NS_PER_S)

void
process_say(const char *format, ...)
{
	struct task *self = task_current();
	va_list args;

	free(self->call_error);
	va_start(args, format);
	if (vasprintf(&self->call_error, format, args) < 0)
		self->call_error = NULL;
	va_end(args);
}

const char *
bay_process_error(void)
{
	const struct task *self = task_current();

	return self != NULL && self->call_error != NULL ? self->call_error : "";
}

/* --- its end ------------------------------------------------------------------------------- */

static void
process_set_exit(struct bay_process *process, const siginfo_t *info)
{
	process->exit = (struct bay_process_exit){.code = -1};
	if (info->si_code == CLD_EXITED) {
		process->exit.code = info->si_status;
	} else {
		process->exit.signal = info->si_status;
		process->exit.dumped = info->si_code == CLD_DUMPED;
	}
}

bool
process_has_ended(struct bay_process *process)
{
	siginfo_t info = {.si_pid = 0};

	if (process->ended)
		return true;
	if (waitid(P_PIDFD, (id_t)process->child->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		if (errno != ECHILD)
			return false;
		/* Somebody else has reaped it. */
		process->exit = (struct bay_process_exit){.code = -1};
		process->status = BAY_IO;
		process->ended = true;
	} else if (info.si_pid != 0) {
		process_set_exit(process, &info);
		process->ended = true;
	}
	return process->ended;
}

int
process_exit(const struct bay_process *process, struct bay_process_exit *exit_r)
{
	if (exit_r != NULL)
		*exit_r = process->exit;
	if (process->status != BAY_OK)
		process_say("process %s (%d) has ended, and something else in the cell has taken away how",
			process->waitable.name, (int)process->child->pid);
	return process->status;
}

static void
process_on_left(struct waiter *waiter)
{
	watch_end(&container_of(waiter, struct descriptor_waiter, waiter)->watch);
}

/* Waits once, until something has come of its end. */
static int
process_await_news(struct bay_process *process, enum await_kind kind, int64_t deadline)
{
	struct descriptor_waiter waiter;
	int status;
	bool closed;

	waiter_init(&waiter.waiter, kind);
	waiter.waiter.left = process_on_left;
	status = descriptor_await(&waiter, process->child->pidfd, BAY_READABLE);
	if (status != BAY_OK)
		return status;
	waiter.waiter.waitable = &process->waitable;
	waitable_enter(&process->waitable);
	status = task_await(&waiter.waiter, deadline);
	closed = process->waitable.closed;
	waitable_leave(&process->waitable);
	return closed ? BAY_CLOSED : status;
}

int
process_await(struct bay_process *process, int64_t deadline)
{
	int status = BAY_OK;

	while (status == BAY_OK && !process_has_ended(process))
		status = process_await_news(process, AWAIT_CANCELABLE, deadline);
	return status;
}

int
bay_process_wait(struct bay_process *process, struct bay_process_exit *exit_r, int64_t deadline)
{
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(process, "bay_process_wait"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	if (process_has_ended(process))
		return await_refused(self, process_exit(process, exit_r));
	status = process_await(process, deadline);
	return status == BAY_OK ? process_exit(process, exit_r) : status;
}

int
bay_process_poll(struct bay_process *process, struct bay_process_exit *exit_r)
{
	if (!waitable_is_here(process, "bay_process_poll"))
		return BAY_INVALID;
	if (!process_has_ended(process))
		return BAY_BUSY;
	if (exit_r != NULL)
		*exit_r = process->exit;
	return process->status;
}

/* --- signals ------------------------------------------------------------------------------- */

pid_t
bay_process_pid(const struct bay_process *process)
{
	return process->child->pid;
}

void
process_signal_group(struct bay_process *process, int signal)
{
	(void)process_child_signal_group(process->child, signal);
}

int
bay_process_kill(struct bay_process *process, int signal)
{
	if (!waitable_is_here(process, "bay_process_kill"))
		return BAY_INVALID;
	if (signal <= 0 || signal > SIGRTMAX)
		return BAY_INVALID;
	if (process_has_ended(process))
		return BAY_CLOSED;
	if (syscall(SYS_pidfd_send_signal, process->child->pidfd, signal, NULL, 0) == 0)
		return BAY_OK;
	return errno == ESRCH ? BAY_CLOSED : errno == EPERM ? BAY_NOT_PERMITTED : BAY_IO;
}

/* Who sleeps on a stop signal does not hear of this one otherwise. */
static void
process_ask_to_end(struct bay_process *process)
{
	process_signal_group(process, SIGTERM);
	process_signal_group(process, SIGCONT);
}

/* Asks, waits, kills, waits. */
static int
process_end_within(struct bay_process *process, int64_t grace_ns, int64_t deadline)
{
	int64_t until_ns = bay_after(grace_ns > 0 ? grace_ns : 0);
	int status;

	process_ask_to_end(process);
	status = process_await(process, until_ns < deadline ? until_ns : deadline);
	if (status == BAY_OK || status == BAY_CLOSED)
		return status;
	process_signal_group(process, SIGKILL);
	return status == BAY_TIMEOUT && until_ns < deadline ? process_await(process, deadline) : status;
}

int
bay_process_terminate(struct bay_process *process, int64_t grace_ns, struct bay_process_exit *exit_r,
	int64_t deadline)
{
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(process, "bay_process_terminate"))
		return BAY_INVALID;
	self = task_current();
	if (self->canceled != NULL) {
		process_signal_group(process, SIGKILL);
		return await_refused(self, BAY_CANCELED);
	}
	if (process_has_ended(process))
		return await_refused(self, process_exit(process, exit_r));
	status = process_end_within(process, grace_ns, task_deadline(self, deadline));
	return status == BAY_OK ? process_exit(process, exit_r) : status;
}

/* --- pipes --------------------------------------------------------------------------------- */

int
bay_process_fd(const struct bay_process *process, int which)
{
	return which >= BAY_STDIN && which <= BAY_STDERR ? process->pipes[which] : -1;
}

int
bay_process_take_fd(struct bay_process *process, int which)
{
	int fd = bay_process_fd(process, which);

	if (fd >= 0)
		process->pipes[which] = -1;
	return fd;
}

/* --- the handle ---------------------------------------------------------------------------- */

/* Gives away the child, with its group, and all that is open. */
static void
process_release(struct bay_process *process)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (process->pipes[i] >= 0)
			(void)bay_fd_close(process->pipes[i]);
	}
	watch_closed(&process->waitable.scheduler->loop, process->child->pidfd);
	process_signal_group(process, SIGKILL);
	keeper_bury(process->child);
	buffer_finish(&process->captured[0]);
	buffer_finish(&process->captured[1]);
	belonging_remove(&process->belonging);
	waitable_close(&process->waitable);
}

void
bay_process_close(struct bay_process *process)
{
	if (process != NULL && waitable_is_here(process, "bay_process_close"))
		process_release(process);
}

static struct bay_process *
process_of_belonging(struct belonging *belonging)
{
	return container_of(belonging, struct bay_process, belonging);
}

static void
process_ask(struct belonging *belonging)
{
	process_ask_to_end(process_of_belonging(belonging));
}

/* Nobody has the handle any more. */
static void
process_await_end(struct belonging *belonging, int64_t last_ns)
{
	struct bay_process *process = process_of_belonging(belonging);
	int64_t until_ns = bay_after(PROCESS_GRACE_NS);
	int status = BAY_OK;

	until_ns = until_ns < last_ns ? until_ns : last_ns;
	while (status == BAY_OK && !process_has_ended(process))
		status = process_await_news(process, AWAIT_LIMITED, until_ns);
	if (status == BAY_TIMEOUT)
		log_info(task_subject(task_current()), "process %s (%d) does not end by itself: it is killed",
			process->waitable.name, (int)process->child->pid);
}

static void
process_on_end(struct belonging *belonging)
{
	process_release(process_of_belonging(belonging));
}

static const struct belonging_farewell process_farewell = {.ask = process_ask, .await = process_await_end};

void
process_join(struct bay_process *process)
{
	belonging_add(&process->belonging, "process", process_on_end);
	process->belonging.farewell = &process_farewell;
}
