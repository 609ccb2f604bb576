/* SPDX-License-Identifier: BSD-2-Clause */
/* Children are shell scripts that write what they see into a pipe, which is their 3. */
#include "config.h"

#include "master/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/fd_limit.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"

/* What the system says, unless a test wants something else of it. */
static bool master_is_gone;
static bool groups_are_denied;

pid_t
getppid(void)
{
	return master_is_gone ? 1 : (pid_t)syscall(SYS_getppid);
}

int
setgroups(size_t count, const gid_t *groups)
{
	if (!groups_are_denied)
		return (int)syscall(SYS_setgroups, count, groups);
	errno = EPERM;
	return -1;
}

static const char *
output_of(const struct child_options *base_options, const char *script)
{
	static struct buffer output;
	struct child_options options = *base_options;
	const char *argv[] = {"sh", "-c", script, NULL};
	struct buffer error = {0};
	struct child child;
	int fds[2];

	buffer_finish(&output);
	ck_assert_int_eq(pipe(fds), 0);
	options.path = "/bin/sh";
	options.argv = argv;
	options.cell_name = "main";
	options.fds[0] = fds[1];
	if (options.fd_count == 0)
		options.fd_count = 1;
	ck_assert_msg(child_spawn(&options, &child, &error), "%s", buffer_text(&error));
	close(fds[1]);
	ck_assert(fd_read_all(fds[0], 1 << 20, &output));
	close(fds[0]);
	ck_assert_int_eq(child_reap(&child), 0);
	buffer_finish(&error);
	return buffer_text(&output);
}

START_TEST(a_child_has_exactly_the_descriptors_that_it_is_given)
{
	struct child_options options = {.fd_count = 2};
	int stray = dup(STDIN_FILENO);

	options.fds[1] = stray;
	/* 5 is the directory that ls reads. */
	ck_assert_str_eq(output_of(&options, "exec ls /proc/self/fd >&3"), "0\n1\n2\n3\n4\n5\n");
	close(stray);
}
END_TEST

START_TEST(descriptors_may_lie_in_each_others_way)
{
	struct child_options options = {.fd_count = 3};
	int fds[2];
	int reading;
	int writing;

	ck_assert_int_eq(pipe(fds), 0);
	reading = fcntl(fds[0], F_DUPFD, 20);
	writing = fcntl(fds[1], F_DUPFD, 20);
	ck_assert_int_eq(dup2(writing, 4), 4);
	ck_assert_int_eq(dup2(reading, 5), 5);
	options.fds[1] = 5;
	options.fds[2] = 4;
	ck_assert_str_eq(output_of(&options, "echo x >&5; read -r line <&4; echo \"$line\" >&3"),
		"x\n");
}
END_TEST

START_TEST(standard_input_is_empty)
{
	struct child_options options = {0};

	ck_assert_str_eq(output_of(&options, "readlink /proc/$$/fd/0 >&3"), "/dev/null\n");
}
END_TEST

START_TEST(the_environment_says_whose_child_it_is)
{
	struct child_options options = {.library_dir = "/opt/lib"};
	char expected[64];

	setenv("LD_LIBRARY_PATH", "/usr/x", 1);
	snprintf(expected, sizeof(expected), "main %d /opt/lib:/usr/x\n", (int)getpid());
	ck_assert_str_eq(output_of(&options,
		"echo $" CELL_ENV_NAME " $" CELL_ENV_MASTER " $LD_LIBRARY_PATH >&3"), expected);
}
END_TEST

START_TEST(signals_are_as_in_a_fresh_process)
{
	/* 32 and 33 are libc's own: who was started by posix_spawn may have them ignored. */
	const unsigned long long libc_signals = 0x180000000;
	struct child_options options = {0};
	unsigned long long blocked;
	unsigned long long ignored;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(sscanf(output_of(&options,
		"grep -E '^Sig(Blk|Ign)' /proc/self/status >&3"), "SigBlk: %llx SigIgn: %llx", &blocked,
		&ignored), 2);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_uint_eq(ignored & ~libc_signals, 0);
}
END_TEST

START_TEST(it_has_a_process_group_of_its_own)
{
	struct child_options options = {0};

	ck_assert_str_eq(output_of(&options,
		"set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo own >&3"), "own\n");
}
END_TEST

START_TEST(limits_and_the_loss_of_privileges_arrive)
{
	const struct child_limit limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 40}};
	struct child_options options = {.limits = limits, .limit_count = 2,
		.no_new_privileges = true};

	ck_assert_str_eq(output_of(&options,
		"{ ulimit -c; ulimit -n; grep NoNewPrivs /proc/$$/status; } >&3"),
		"0\n40\nNoNewPrivs:\t1\n");
}
END_TEST

START_TEST(it_may_open_as_many_files_as_its_master_before_that_wanted_more)
{
	struct child_options options = {0};
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 200;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fd_limit_raise();
	ck_assert_str_eq(output_of(&options, "ulimit -Sn >&3"), "200\n");
}
END_TEST

START_TEST(root_can_give_a_child_to_another_user)
{
	struct child_options options = {.change_user = true, .uid = 65534, .gid = 65534};

	if (geteuid() != 0)
		CHECK_SKIP("only root can change the user");
	ck_assert_str_eq(output_of(&options, "id -u >&3; id -g >&3; id -G >&3"),
		"65534\n65534\n65534\n");
}
END_TEST

START_TEST(a_program_that_cannot_be_executed_is_an_error_with_its_reason)
{
	const char *argv[] = {"bay-cell", NULL};
	struct child_options options = {.path = "/nowhere/bay-cell", .argv = argv,
		.cell_name = "main"};
	struct buffer error = {0};
	struct child child;

	ck_assert(!child_spawn(&options, &child, &error));
	ck_assert_str_eq(buffer_text(&error),
		"start /nowhere/bay-cell: execute it: No such file or directory");
	ck_assert_int_eq(child.pid, -1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	buffer_finish(&error);
}
END_TEST

START_TEST(a_running_child_is_not_reaped_and_a_kill_takes_its_group)
{
	const char *argv[] = {"sh", "-c", "sleep 1000 & wait", NULL};
	struct child_options options = {.path = "/bin/sh", .argv = argv, .cell_name = "main"};
	struct buffer error = {0};
	struct child child;
	int alive[2];
	char byte;
	int status;

	/* The pipe ends when all processes that have it are gone. */
	ck_assert_int_eq(pipe(alive), 0);
	options.fds[0] = alive[1];
	options.fd_count = 1;
	ck_assert(child_spawn(&options, &child, &error));
	close(alive[1]);
	ck_assert(!child_try_reap(&child, &status));
	child_kill(&child);
	ck_assert_int_eq(read(alive[0], &byte, 1), 0);
	status = child_reap(&child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(child.pid, -1);
	buffer_finish(&error);
}
END_TEST

START_TEST(what_a_child_leaves_behind_ends_when_it_is_reaped)
{
	const char *argv[] = {"sh", "-c", "sleep 1000 & exit 3", NULL};
	struct child_options options = {.path = "/bin/sh", .argv = argv, .cell_name = "main"};
	struct buffer error = {0};
	struct child child;
	int round;

	for (round = 0; round < 2; round++) {
		int alive[2], status;
		char byte;

		ck_assert_int_eq(pipe(alive), 0);
		options.fds[0] = alive[1];
		options.fd_count = 1;
		ck_assert(child_spawn(&options, &child, &error));
		close(alive[1]);
		if (round == 0)
			status = child_reap(&child);
		else
			while (!child_try_reap(&child, &status))
				;
		ck_assert_int_eq(WEXITSTATUS(status), 3);
		ck_assert_int_eq(read(alive[0], &byte, 1), 0);
		close(alive[0]);
	}
	buffer_finish(&error);
}
END_TEST

START_TEST(a_child_that_has_ended_can_be_reaped_without_waiting)
{
	const char *argv[] = {"sh", "-c", "exit 3", NULL};
	struct child_options options = {.path = "/bin/sh", .argv = argv, .cell_name = "main"};
	struct buffer error = {0};
	struct child child;
	siginfo_t info;
	int status;

	ck_assert(child_spawn(&options, &child, &error));
	ck_assert_int_eq(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert(child_try_reap(&child, &status));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	ck_assert(child_try_reap(&child, &status));
	ck_assert_int_eq(status, -1);
	buffer_finish(&error);
}
END_TEST

START_TEST(a_child_dies_with_its_master)
{
	int alive[2];
	char byte;
	pid_t master;

	ck_assert_int_eq(pipe(alive), 0);
	master = fork();
	if (master == 0) {
		const char *argv[] = {"sleep", "1000", NULL};
		struct child_options options = {.path = "/bin/sleep", .argv = argv,
			.cell_name = "main", .fd_count = 1};
		struct buffer error = {0};
		struct child child;

		options.fds[0] = alive[1];
		_exit(child_spawn(&options, &child, &error) ? 0 : 1);
	}
	close(alive[1]);
	ck_assert_int_eq(read(alive[0], &byte, 1), 0);
	waitpid(master, NULL, 0);
}
END_TEST

START_TEST(a_child_whose_master_died_before_it_was_bound_to_it_ends)
{
	const char *argv[] = {"sh", "-c", "exit 3", NULL};
	const struct child_options options = {.path = "/bin/sh", .argv = argv, .cell_name = "main"};
	struct buffer error = {0};
	struct child child;

	master_is_gone = true;
	if (child_spawn(&options, &child, &error))
		ck_assert_int_eq(WEXITSTATUS(child_reap(&child)), 127);
	buffer_finish(&error);
}
END_TEST

START_TEST(a_child_that_cannot_leave_its_groups_does_not_run)
{
	const char *argv[] = {"sh", "-c", "exit 3", NULL};
	const struct child_options options = {.path = "/bin/sh", .argv = argv,
		.cell_name = "main", .change_user = true, .uid = geteuid(), .gid = getegid()};
	struct buffer error = {0};
	struct child child;

	groups_are_denied = true;
	ck_assert(!child_spawn(&options, &child, &error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "set its groups"));
	buffer_finish(&error);
}
END_TEST

CHECK_MAIN("master/child",
	a_child_has_exactly_the_descriptors_that_it_is_given,
	descriptors_may_lie_in_each_others_way,
	standard_input_is_empty,
	the_environment_says_whose_child_it_is,
	signals_are_as_in_a_fresh_process,
	it_has_a_process_group_of_its_own,
	limits_and_the_loss_of_privileges_arrive,
	it_may_open_as_many_files_as_its_master_before_that_wanted_more,
	root_can_give_a_child_to_another_user,
	a_program_that_cannot_be_executed_is_an_error_with_its_reason,
	a_running_child_is_not_reaped_and_a_kill_takes_its_group,
	what_a_child_leaves_behind_ends_when_it_is_reaped,
	a_child_that_has_ended_can_be_reaped_without_waiting,
	a_child_dies_with_its_master,
	a_child_whose_master_died_before_it_was_bound_to_it_ends,
	a_child_that_cannot_leave_its_groups_does_not_run)
