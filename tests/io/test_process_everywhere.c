/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes, whose owner is cut short at each await in turn. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/process.h>

#include "io/process_keeper.h"
#include "loop/signals.h"
#include "runtime/belonging.h"
#include "support/cancel_everywhere.h"

static unsigned
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Whether a process is there, or on its way. */
static bool
has_process(void)
{
	list_for_each(pos, &run_tasks_scheduler.belongings)
		if (strcmp(container_of(pos, struct belonging, link)->kind, "process") == 0)
			return true;
	return false;
}

/* A start whose caller has left comes home, and then no child and no descriptor is left. Those
 * of the loop and of the keeper's thread stay. */
static void
check_nothing_left(void)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);
	static unsigned fds;
	siginfo_t info;

	while (has_process()) {
		ck_assert_int_lt(bay_now(), deadline);
		(void)loop_drain_inbox(&run_tasks_scheduler.loop);
		usleep(200);
	}
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		ck_assert_int_lt(bay_now(), deadline);
		usleep(200);
	}
	ck_assert_int_eq(errno, ECHILD);
	run_tasks_check_nothing_left();
	/* What the thread has reaped it has closed, too, when it has ended. */
	keeper_finish();
	if (fds == 0)
		fds = count_fds();
	ck_assert_uint_eq(count_fds(), fds);
}

static int
spawn(const char *script, struct bay_process **process_r)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE, .errors = BAY_STDIO_MERGE};
	int status = points_expect(bay_process_spawn(&options, process_r, BAY_INHERIT));

	ck_assert_int_eq(*process_r != NULL, status == BAY_OK);
	if (status != BAY_OK)
		ck_assert_str_ne(bay_process_error(), "");
	return status;
}

EVERYWHERE(spawns_and_waits, 2, check_nothing_left)
{
	struct bay_process *process;
	struct bay_process_exit end;
	int status = spawn("sleep 0.02; exit 3", &process);

	if (status != BAY_OK)
		return status;
	status = points_expect(bay_process_wait(process, &end, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_int_eq(end.code, 3);
	bay_process_close(process);
	return status;
}

EVERYWHERE(terminates, 2, check_nothing_left)
{
	struct bay_process *process;
	struct bay_process_exit end;
	int status = spawn("trap '' TERM; sleep 1000", &process);

	if (status != BAY_OK)
		return status;
	status = points_expect(bay_process_terminate(process, 0, &end, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_int_ne(end.signal, 0);
	bay_process_close(process);
	return status;
}

EVERYWHERE(communicates, 2, check_nothing_left)
{
	const char *argv[] = {"cat", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE};
	struct bay_process *process;
	int status;

	signals_ignore_sigpipe();
	status = points_expect(bay_process_run(&options, "abc", 3, 0, &process, BAY_INHERIT));
	ck_assert_int_eq(process != NULL, status == BAY_OK);
	if (process != NULL)
		ck_assert_str_eq(bay_process_captured(process, BAY_STDOUT, NULL), "abc");
	bay_process_close(process);
	return status;
}

CHECK_MAIN("io/process, everywhere",
	spawns_and_waits,
	terminates,
	communicates)
