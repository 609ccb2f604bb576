/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/fd_limit.h"
#include "base/list.h"
#include "master/child_session.h"
#include "master/sandbox.h"
#include "master/strays.h"
#include "protocol/cell_link.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What the child tells through a pipe that exec closes: nothing when all went well. */
struct child_trouble {
	int error;
	char step[60];
};

/* One that has not been reaped. */
struct child_entry {
	struct list link;
	pid_t pid;
	int64_t number;
};

/* The kernel's list of our children, without those that have become ours. */
static struct {
	struct list entries; /* struct child_entry */
	int64_t last_number;
} child_table = {.entries = LIST_INIT(child_table.entries)};

/* --- in the child ------------------------------------------------------------- */

static void __attribute__((noreturn))
child_give_up(int report, const char *step)
{
	struct child_trouble trouble = {.error = errno};

	snprintf(trouble.step, sizeof(trouble.step), "%s", step);
	/* If even this fails the master sees exit code 127. */
	if (write(report, &trouble, sizeof(trouble)) < 0)
		_exit(127);
	_exit(127);
}

static void
child_reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything but the wanted descriptors and report ends with exec. */
static void
child_close_others(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd >= first; fd--)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

/* Moves the descriptors out of each other's way first, then to their numbers. */
static void
child_place_fds(const struct child_options *options, int *report)
{
	int above = CHILD_FIRST_FD + CHILD_FDS_MAX;
	int moved[CHILD_FDS_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	*report = fcntl(*report, F_DUPFD_CLOEXEC, above);
	if (*report < 0)
		_exit(127);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		child_give_up(*report, "open /dev/null");
	/* They lie above the numbers that they become. */
	for (int i = 0; i < 2 && options->output != NULL; i++)
		if (dup2(options->output[i], STDOUT_FILENO + i) < 0)
			child_give_up(*report, "set its output");
	for (size_t i = 0; i < options->fd_count; i++) {
		moved[i] = fcntl(options->fds[i], F_DUPFD_CLOEXEC, above);
		if (moved[i] < 0)
			child_give_up(*report, "duplicate a descriptor");
	}
	for (size_t i = 0; i < options->fd_count; i++) {
		if (dup2(moved[i], CHILD_FIRST_FD + (int)i) < 0)
			child_give_up(*report, "duplicate a descriptor");
	}
	child_close_others(CHILD_FIRST_FD + (int)options->fd_count);
}

static void
child_begin_sandbox(const struct sandbox *sandbox, int report)
{
	const char *step;

	if (!sandbox_begin(sandbox, &step))
		child_give_up(report, step);
}

static void
child_enter_sandbox(const struct sandbox *sandbox, int report)
{
	const char *step;

	if (!sandbox_enter(sandbox, &step))
		child_give_up(report, step);
}

static void
child_change_user(const struct child_options *options, int report)
{
	int failed = options->user != NULL ? initgroups(options->user, options->gid) :
		setgroups(0, NULL);

	if (failed != 0)
		child_give_up(report, "set its groups");
	if (setresgid(options->gid, options->gid, options->gid) != 0)
		child_give_up(report, "set its group");
	if (setresuid(options->uid, options->uid, options->uid) != 0)
		child_give_up(report, "set its user");
}

/* Changing the user clears the death signal, so it is set afterwards; a master that died
 * before that is noticed by its missing. */
static void
child_die_with_master(pid_t master, int report)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		child_give_up(report, "bind its life to the master's");
	if (getppid() != master)
		_exit(127);
}

static void
child_set_limits(const struct child_options *options, int report)
{
	/* A plugin may use select(), or close all numbers that there can be. */
	if (!fd_limit_restore())
		child_give_up(report, "set its limits");
	for (size_t i = 0; i < options->limit_count; i++) {
		struct rlimit limit = {.rlim_cur = options->limits[i].value,
			.rlim_max = options->limits[i].value};

		if (setrlimit((__rlimit_resource_t)options->limits[i].resource, &limit) != 0)
			child_give_up(report, "set its limits");
	}
	if (options->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		child_give_up(report, "give up new privileges");
}

/* Where the kernel weighs whole sessions against each other (autogroup), its session's is what
 * counts; where not, there is no such file. */
static void
child_set_nice(const struct child_options *options, int report)
{
	char text[16];
	int session = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "%d", options->nice);

	if (session >= 0) {
		(void)!write(session, text, (size_t)length);
		close(session);
	}
	if (setpriority(PRIO_PROCESS, 0, options->nice) != 0)
		child_give_up(report, "set its part of the processors");
}

static void
child_set_environment(const struct child_options *options, pid_t master, int64_t child)
{
	const char *library_dir = options->library_dir;
	const char *present = getenv("LD_LIBRARY_PATH");
	char number[24];
	char *path;

	snprintf(number, sizeof(number), "%d", (int)master);
	setenv(CELL_ENV_MASTER, number, 1);
	snprintf(number, sizeof(number), "%" PRId64, child);
	setenv(CELL_ENV_CHILD, number, 1);
	setenv(CELL_ENV_NAME, options->cell_name, 1);
	unsetenv(CELL_ENV_SANDBOX);
	if (options->sandbox != NULL)
		setenv(CELL_ENV_SANDBOX, "1", 1);
	if (library_dir == NULL || library_dir[0] == '\0')
		return;
	path = present != NULL && present[0] != '\0' ?
		xasprintf("%s:%s", library_dir, present) : xstrdup(library_dir);
	setenv("LD_LIBRARY_PATH", path, 1);
	free(path);
}

static void __attribute__((noreturn))
child_run(const struct child_options *options, pid_t master, int64_t number, int report)
{
	child_reset_signals();
	/* Its own group, no terminal, and what it starts can be told from all others. */
	setsid();
	if (options->cgroup_procs != 0 && write(options->cgroup_procs, "0", 1) != 1)
		child_give_up(report, "go into its control group");
	child_place_fds(options, &report);
	if (options->nice != 0)
		child_set_nice(options, report);
	if (options->sandbox != NULL)
		child_begin_sandbox(options->sandbox, report);
	if (options->change_user)
		child_change_user(options, report);
	child_die_with_master(master, report);
	child_set_limits(options, report);
	child_set_environment(options, master, number);
	if (options->sandbox != NULL)
		child_enter_sandbox(options->sandbox, report);
	execv(options->path, (char *const *)options->argv);
	child_give_up(report, "execute it");
}

/* --- the table --------------------------------------------------------------------- */

static struct child_entry *
child_find(pid_t pid)
{
	list_for_each(pos, &child_table.entries) {
		struct child_entry *entry = container_of(pos, struct child_entry, link);

		if (entry->pid == pid)
			return entry;
	}
	return NULL;
}

static void
child_remember(pid_t pid, int64_t number)
{
	struct child_entry *entry = xcalloc(1, sizeof(*entry));

	entry->pid = pid;
	entry->number = number;
	list_push_back(&child_table.entries, &entry->link);
}

static void
child_forget(pid_t pid)
{
	struct child_entry *entry = child_find(pid);

	if (entry != NULL)
		list_remove(&entry->link);
	free(entry);
}

bool
child_is_ours(pid_t pid)
{
	return child_find(pid) != NULL;
}

bool
child_lives(int64_t number)
{
	list_for_each(pos, &child_table.entries) {
		if (container_of(pos, struct child_entry, link)->number == number)
			return true;
	}
	return false;
}

bool
child_any_lives(void)
{
	return !list_empty(&child_table.entries);
}

/* --- in the master -------------------------------------------------------------- */

static bool
child_fail(struct buffer *error, const char *path, const char *step, int number)
{
	return buffer_fail(error, "start %s: %s: %s", path, step, strerror(number));
}

/* Waits until exec has closed the pipe, or for what the child reports. */
static bool
child_wait_for_exec(const struct child_options *options, int report, struct buffer *error)
{
	struct child_trouble trouble;
	ssize_t got;

	do {
		got = read(report, &trouble, sizeof(trouble));
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return true;
	if (got != (ssize_t)sizeof(trouble))
		return child_fail(error, options->path, "hear from it", EIO);
	trouble.step[sizeof(trouble.step) - 1] = '\0';
	return child_fail(error, options->path, trouble.step, trouble.error);
}

bool
child_spawn(const struct child_options *options, struct child *child_r, struct buffer *error)
{
	pid_t master = getpid();
	int64_t number = ++child_table.last_number;
	sigset_t mask;
	sigset_t all;
	int report[2];
	bool running;

	*child_r = (struct child){.pid = -1};
	if (pipe2(report, O_CLOEXEC) != 0)
		return child_fail(error, options->path, "make a pipe", errno);
	/* A signal for the child must not run a handler of the master in it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	child_r->pid = fork();
	if (child_r->pid == 0)
		child_run(options, master, number, report[1]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(report[1]);
	if (child_r->pid < 0) {
		running = child_fail(error, options->path, "fork", errno);
	} else {
		child_remember(child_r->pid, number);
		running = child_wait_for_exec(options, report[0], error);
	}
	close(report[0]);
	if (!running)
		child_reap(child_r);
	return running;
}

void
child_kill(const struct child *child)
{
	if (child->pid <= 0)
		return;
	/* The group may be gone, or not made yet, while the child is there. */
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
}

/* What the child has left in its group and its session ends with it. As long as it is not reaped
 * its number is nobody else's. False: it still runs. */
static bool
child_end_session(const struct child *child, int flags)
{
	siginfo_t info = {0};
	int result;

	do {
		result = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT | flags);
	} while (result < 0 && errno == EINTR);
	if (result == 0 && info.si_pid == 0)
		return false;
	if (result == 0) {
		kill(-child->pid, SIGKILL);
		child_session_end(child->pid);
	}
	return true;
}

static bool
child_wait(struct child *child, int *status_r, int flags)
{
	*status_r = -1;
	if (child->pid > 0 && !child_end_session(child, flags))
		return false;
	if (child->pid > 0) {
		if (waitpid(child->pid, status_r, 0) < 0)
			*status_r = -1;
		child_forget(child->pid);
		strays_sweep();
	}
	child->pid = -1;
	return true;
}

bool
child_try_reap(struct child *child, int *status_r)
{
	return child_wait(child, status_r, WNOHANG);
}

int
child_reap(struct child *child)
{
	int status;

	(void)child_wait(child, &status, 0);
	return status;
}
