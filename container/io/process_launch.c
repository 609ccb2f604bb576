/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/process_launch.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/process_command.h"

enum {
	LAUNCH_STACK = 32 * 1024,
	/* The size of a signal mask, and room for any system's struct of an action. */
	LAUNCH_SIGSET = _NSIG / 8,
	LAUNCH_ACTION = 128
};

/* Of the one child that has not executed its program yet. */
static char launch_stack[LAUNCH_STACK] __attribute__((aligned(64)));

/* --- in the child ------------------------------------------------------------------------- */

/*
 * Its memory is ours and so are its thread-locals; its descriptors, actions for signals and
 * ids are its own. A sanitizer would take what it does for deeds of our thread, so nothing here
 * is instrumented or intercepted.
 */
#if defined(__clang__)
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define IN_CHILD __attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"), noinline))
#endif

struct launch_child {
	struct process_launch *launch;
	pid_t parent;
};

IN_CHILD static void
launch_give_up(struct process_launch *launch, const char *step)
{
	launch->error = errno;
	launch->step = step;
	for (;;)
		syscall(SYS_exit_group, 127);
}

/* The default for each, though it was ignored. */
IN_CHILD static void
launch_reset_signals(void)
{
	uint64_t action[LAUNCH_ACTION / sizeof(uint64_t)];
	int number;
	size_t i;

	for (i = 0; i < LAUNCH_ACTION / sizeof(uint64_t); i++)
		action[i] = 0;
	for (number = 1; number < _NSIG; number++)
		syscall(SYS_rt_sigaction, number, action, NULL, (size_t)LAUNCH_SIGSET);
}

IN_CHILD static void
launch_unblock_signals(void)
{
	uint64_t none[LAUNCH_ACTION / sizeof(uint64_t)];
	size_t i;

	for (i = 0; i < LAUNCH_ACTION / sizeof(uint64_t); i++)
		none[i] = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, (size_t)LAUNCH_SIGSET);
}

IN_CHILD static void
launch_close_others(void)
{
	struct rlimit limit;
	long fd;

	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) != 0)
		limit.rlim_cur = 1024;
	for (fd = 3; fd < (long)limit.rlim_cur; fd++)
		syscall(SYS_close, fd);
}

IN_CHILD static void
launch_place_fds(struct process_launch *launch)
{
	int fd;

	for (fd = 0; fd < 3; fd++) {
		/* The sources lie above, so this is no dup2 of a descriptor to itself. */
		if (syscall(SYS_dup3, launch->fds[fd], fd, 0) < 0)
			launch_give_up(launch, "place a descriptor");
	}
	launch_close_others();
}

/* Last before its program: what it does until then is ours. */
IN_CHILD static void
launch_limit(struct process_launch *launch)
{
	int i;

	for (i = 0; i < launch->limit_count; i++) {
		if (syscall(SYS_prlimit64, 0, launch->limits[i].resource, &launch->limits[i].value, NULL) != 0)
			launch_give_up(launch, "limit what it may use");
	}
}

/* The paths in turn, as a shell would. */
IN_CHILD static void
launch_execute(struct process_launch *launch)
{
	const struct process_command *command = launch->command;
	int denied = 0, i;

	for (i = 0; command->paths[i] != NULL; i++) {
		syscall(SYS_execve, command->paths[i], command->argv, command->environment);
		if (errno == EACCES)
			denied = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			break;
	}
	if (denied != 0 && (errno == ENOENT || errno == ENOTDIR))
		errno = denied;
	launch_give_up(launch, "execute it");
}

IN_CHILD static int
launch_in_child(void *arg)
{
	const struct launch_child *child = arg;
	struct process_launch *launch = child->launch;

	launch_reset_signals();
	if (syscall(SYS_setpgid, 0, 0) != 0)
		launch_give_up(launch, "make its process group");
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		launch_give_up(launch, "bind its life to ours");
	/* We may have died before. */
	if (syscall(SYS_getppid) != child->parent)
		syscall(SYS_exit_group, 127);
	launch_place_fds(launch);
	if (launch->command->directory != NULL && syscall(SYS_chdir, launch->command->directory) != 0)
		launch_give_up(launch, "enter its directory");
	launch_limit(launch);
	launch_unblock_signals();
	launch_execute(launch);
	return 127;
}

#if defined(BAY_TSAN)
/* The other name of clone(), which TSan does not know: at clone() it takes every child for one
 * with memory of its own, and forgets about our thread what it tells about the child. */
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

/* --- in the parent -------------------------------------------------------------------------- */

static bool
launch_fail(struct process_launch *launch, int error, const char *step)
{
	launch->error = error;
	launch->step = step;
	return false;
}

/* Whether the kernel has given us a pidfd and can wait for it. */
static bool
launch_has_pidfd(struct process_launch *launch)
{
	siginfo_t info;

	if (launch->pidfd >= 0 && (waitid(P_PIDFD, (id_t)launch->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
		errno != EINVAL))
		return true;
	return launch_fail(launch, ENOSYS, "wait for it by descriptor (Linux 5.4)");
}

/* It told why it could not, and is about to end. */
static void
launch_bury(struct process_launch *launch)
{
	while (waitpid(launch->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	if (launch->pidfd >= 0)
		close(launch->pidfd);
	launch->pid = -1;
	launch->pidfd = -1;
}

bool
process_launch(struct process_launch *launch)
{
	struct launch_child child = {.launch = launch, .parent = getpid()};
	sigset_t all, mask;

	launch->pid = -1;
	launch->pidfd = -1;
	launch->error = 0;
	launch->step = NULL;
	/* No handler of ours may run in the child, which would change our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	launch->pid = clone(launch_in_child, launch_stack + LAUNCH_STACK,
		CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &launch->pidfd);
	if (launch->pid < 0)
		launch_fail(launch, errno, "make a process");
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (launch->pid >= 0 && launch->error == 0 && !launch_has_pidfd(launch))
		kill(launch->pid, SIGKILL);
	if (launch->pid >= 0 && launch->error != 0)
		launch_bury(launch);
	return launch->error == 0;
}
