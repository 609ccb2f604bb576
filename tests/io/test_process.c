/* SPDX-License-Identifier: BSD-2-Clause */
/* Children are shell scripts, and their ends. */
#include "config.h"

#include <bay/process.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/fd.h>
#include <bay/select.h>
#include <bay/task.h>

#include "io/process.h"
#include "support/run_tasks.h"
#include "support/temp_dir.h"

#if defined(BAY_TSAN)
enum { ROW = 60, CROWD = 500 };
#else
enum { ROW = 200, CROWD = 5000 };
#endif

#define SOON bay_after(60 * BAY_SECOND)

static struct bay_process *
start(const struct bay_process_options *base, const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct bay_process_options options = *base;
	struct bay_process *process;

	options.length = sizeof options;
	options.argv = argv;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_OK);
	ck_assert_ptr_nonnull(process);
	return process;
}

static struct bay_process *
start_plain(const char *script)
{
	return start(&(struct bay_process_options){.length = 0}, script);
}

/* How a script ends. */
static struct bay_process_exit
end_of(const char *script)
{
	struct bay_process *process = start_plain(script);
	struct bay_process_exit end;

	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	bay_process_close(process);
	return end;
}

/* What comes out of a pipe until its end, as text. */
static const char *
read_all(int fd)
{
	static char text[4096];
	size_t length = 0;
	ssize_t got;

	for (;;) {
		got = read(fd, text + length, sizeof text - 1 - length);
		if (got == 0)
			break;
		if (got > 0)
			length += (size_t)got;
		else
			ck_assert_int_eq(bay_wait_fd(fd, BAY_READABLE, SOON), BAY_OK);
	}
	text[length] = '\0';
	return text;
}

/* Waits until a script says that it has come so far. */
static void
read_line(struct bay_process *process, const char *line)
{
	char text[64] = "";
	size_t length = 0;

	while (length == 0 || text[length - 1] != '\n') {
		ck_assert_uint_lt(length, sizeof text - 1);
		ck_assert_int_eq(bay_wait_fd(bay_process_fd(process, BAY_STDOUT), BAY_READABLE, SOON), BAY_OK);
		ck_assert_int_eq(read(bay_process_fd(process, BAY_STDOUT), text + length, 1), 1);
		length++;
	}
	text[length - 1] = '\0';
	ck_assert_str_eq(text, line);
}

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

/* Who has reaped a child closes its descriptor a moment later. */
static void
expect_fds(unsigned fds)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);

	while (count_fds() != fds) {
		ck_assert_msg(bay_now() < deadline, "%u descriptors, not %u", count_fds(), fds);
		usleep(1000);
	}
}

/* Nobody of ours is left, be it as a zombie. Those that were killed take a moment. */
static void
expect_no_children(void)
{
	int64_t deadline = SOON;
	siginfo_t info;

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
	ck_assert_int_eq(errno, ECHILD);
}

/* A process that is no child of ours has gone, or is a zombie that somebody else does not reap. */
static bool
is_gone(pid_t pid)
{
	char path[40], state = 'Z';
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state == 'Z' || state == 'X';
}

static void
expect_gone(pid_t pid)
{
	int64_t deadline = SOON;

	while (!is_gone(pid)) {
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
}

/* --- how it ends --------------------------------------------------------------------------- */

TASK_TEST(the_exit_code_comes_back)
{
	struct bay_process_exit end = end_of("exit 0");

	ck_assert_int_eq(end.code, 0);
	ck_assert_int_eq(end.signal, 0);
	end = end_of("exit 255");
	ck_assert_int_eq(end.code, 255);
	ck_assert_int_eq(end.signal, 0);
	expect_no_children();
	return BAY_OK;
}

TASK_TEST(the_signal_that_ended_it_is_no_exit_code)
{
	struct bay_process_exit end = end_of("kill -USR1 $$");

	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(end.signal, SIGUSR1);
	ck_assert(!end.dumped);
	end = end_of("exit 138");
	ck_assert_int_eq(end.code, 138);
	ck_assert_int_eq(end.signal, 0);
	return BAY_OK;
}

TASK_TEST(a_process_that_runs_is_waited_for_and_looked_at)
{
	struct bay_process *process = start(&(struct bay_process_options){.input = BAY_STDIO_PIPE}, "read x; exit 3");
	struct bay_process_exit end = {.code = 77};

	ck_assert_int_eq(bay_process_poll(process, &end), BAY_BUSY);
	ck_assert_int_eq(end.code, 77);
	ck_assert_int_gt(bay_process_pid(process), 0);
	ck_assert_int_eq(getpgid(bay_process_pid(process)), bay_process_pid(process));
	ck_assert_int_eq(bay_process_wait(process, &end, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_fd_close(bay_process_take_fd(process, BAY_STDIN)), BAY_OK);
	ck_assert_int_eq(bay_process_fd(process, BAY_STDIN), -1);
	ck_assert_int_eq(bay_process_take_fd(process, BAY_STDIN), -1);
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 3);
	end.code = 77;
	/* Again and again. */
	ck_assert_int_eq(bay_process_poll(process, &end), BAY_OK);
	ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 3);
	bay_process_close(process);
	return BAY_OK;
}

static int
wait_for_it(void *process)
{
	struct bay_process_exit end;
	int status = bay_process_wait(process, &end, SOON);

	return status == BAY_OK ? 1000 + end.code : status;
}

TASK_TEST(several_tasks_may_wait_for_one_process)
{
	struct bay_process *process = start(&(struct bay_process_options){.input = BAY_STDIO_PIPE}, "read x; exit 5");
	struct bay_task *tasks[] = {bay_spawn("a", wait_for_it, process), bay_spawn("b", wait_for_it, process),
		bay_spawn("c", wait_for_it, process)};

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(tasks[1], "enough");
	ck_assert_int_eq(bay_fd_close(bay_process_take_fd(process, BAY_STDIN)), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[0], SOON), 1005);
	ck_assert_int_eq(bay_join(tasks[1], SOON), BAY_CANCELED);
	ck_assert_int_eq(bay_join(tasks[2], SOON), 1005);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(closing_the_handle_ends_the_waits_and_the_child)
{
	struct bay_process *process = start_plain("sleep 1000");
	struct bay_case one = bay_case_process(process);
	struct bay_task *tasks[2];
	pid_t pid = bay_process_pid(process);
	size_t index;

	ck_assert_int_eq(bay_select(&one, 1, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	for (int i = 0; i < 2; i++)
		tasks[i] = bay_spawn("waits", wait_for_it, process);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 2);
	bay_process_close(process);
	/* At once, not when the child is dead. */
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	ck_assert_int_eq(bay_join(tasks[0], SOON), BAY_CLOSED);
	ck_assert_int_eq(bay_join(tasks[1], SOON), BAY_CLOSED);
	expect_no_children();
	expect_gone(pid);
	bay_process_close(NULL);
	return BAY_OK;
}

TASK_TEST(the_end_of_a_process_is_a_case_of_a_select)
{
	struct bay_process *process = start(&(struct bay_process_options){.input = BAY_STDIO_PIPE}, "read x; exit 5");
	struct bay_case cases[] = {bay_case_process(NULL), bay_case_process(process), bay_case_time(BAY_INHERIT)};
	struct bay_process_exit end;
	size_t index = 9;

	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	ck_assert_int_eq(bay_fd_close(bay_process_take_fd(process, BAY_STDIN)), BAY_OK);
	for (int i = 0; i < 2; i++) {
		index = 9;
		ck_assert_int_eq(bay_select(cases, 3, &index, SOON), BAY_OK);
		ck_assert_uint_eq(index, 1);
		ck_assert_int_eq(cases[1].status, BAY_OK);
	}
	ck_assert_int_eq(bay_process_poll(process, &end), BAY_OK);
	ck_assert_int_eq(end.code, 5);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(who_reaps_children_of_others_is_told_of)
{
	struct bay_process *process = start_plain("exit 4");
	struct bay_process_exit end;
	int status;

	ck_assert(process_child_signal_group(process->child, 0));
	ck_assert_int_eq(waitpid(-1, &status, 0), bay_process_pid(process));
	/* Its number may be somebody else's now. */
	ck_assert(!process_child_signal_group(process->child, 0));
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_IO);
	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(end.signal, 0);
	ck_assert_ptr_nonnull(strstr(bay_process_error(), "something else in the cell has taken away how"));
	ck_assert_int_eq(bay_process_kill(process, SIGTERM), BAY_CLOSED);
	bay_process_close(process);
	return BAY_OK;
}

/* A plugin may have children of its own, by number. */
TASK_TEST(other_children_are_left_alone)
{
	struct bay_process *process = start_plain("exit 4");
	pid_t own = fork();
	int status;

	if (own == 0)
		_exit(9);
	ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
	bay_process_close(process);
	ck_assert_int_eq(waitpid(own, &status, 0), own);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	return BAY_OK;
}

/* --- signals -------------------------------------------------------------------------------- */

TASK_TEST(a_signal_goes_to_the_child)
{
	struct bay_process *process = start(&(struct bay_process_options){.output = BAY_STDIO_PIPE},
		"trap 'echo usr1; exit 6' USR1; echo ready; while :; do sleep 0.01; done");
	struct bay_process_exit end;

	read_line(process, "ready");
	ck_assert_int_eq(bay_process_kill(process, 0), BAY_INVALID);
	ck_assert_int_eq(bay_process_kill(process, 1000), BAY_INVALID);
	ck_assert_int_eq(bay_process_kill(process, SIGUSR1), BAY_OK);
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 6);
	read_line(process, "usr1");
	ck_assert_int_eq(bay_process_kill(process, SIGUSR1), BAY_CLOSED);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(a_child_that_hears_ends_by_sigterm)
{
	struct bay_process *process = start_plain("sleep 1000");
	struct bay_process_exit end;

	ck_assert_int_eq(bay_process_terminate(process, 60 * BAY_SECOND, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.signal, SIGTERM);
	ck_assert_int_eq(bay_process_terminate(process, 0, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.signal, SIGTERM);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(a_child_that_is_stopped_hears_of_its_end)
{
	struct bay_process *process = start(&(struct bay_process_options){.output = BAY_STDIO_PIPE},
		"trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done");
	struct bay_process_exit end;

	read_line(process, "ready");
	ck_assert_int_eq(bay_process_kill(process, SIGSTOP), BAY_OK);
	ck_assert_int_eq(bay_process_terminate(process, 60 * BAY_SECOND, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 9);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(a_child_that_ignores_sigterm_is_killed_with_its_group)
{
	struct bay_process *process = start(&(struct bay_process_options){.output = BAY_STDIO_PIPE},
		"trap '' TERM; (sleep 1000 & echo $!); echo ready; while :; do sleep 0.01; done");
	struct bay_process_exit end;
	char number[32] = "";
	pid_t grandchild;
	size_t length = 0;

	ck_assert_int_eq(bay_wait_fd(bay_process_fd(process, BAY_STDOUT), BAY_READABLE, SOON), BAY_OK);
	while (length < sizeof number - 1 && (length == 0 || number[length - 1] != '\n'))
		if (read(bay_process_fd(process, BAY_STDOUT), number + length, 1) == 1)
			length++;
	grandchild = (pid_t)atoi(number);
	read_line(process, "ready");
	ck_assert_int_gt(grandchild, 0);
	ck_assert(!is_gone(grandchild));
	ck_assert_int_eq(bay_process_terminate(process, 20 * BAY_MS, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(end.signal, SIGKILL);
	bay_process_close(process);
	expect_gone(grandchild);
	return BAY_OK;
}

static int
terminate_it(void *process)
{
	return bay_process_terminate(process, 3600 * BAY_SECOND, NULL, BAY_INHERIT);
}

TASK_TEST(a_terminate_that_is_cut_short_has_killed)
{
	const struct bay_process_options options = {.output = BAY_STDIO_PIPE};
	const char *script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
	struct bay_process *process = start(&options, script);
	struct bay_process_exit end;
	struct bay_task *task;

	read_line(process, "ready");
	ck_assert_int_eq(bay_process_terminate(process, 3600 * BAY_SECOND, &end, bay_after(5 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.signal, SIGKILL);
	bay_process_close(process);
	process = start(&options, script);
	read_line(process, "ready");
	task = bay_spawn("terminates", terminate_it, process);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "no patience");
	ck_assert_int_eq(bay_join(task, SOON), BAY_CANCELED);
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.signal, SIGKILL);
	bay_process_close(process);
	return BAY_OK;
}

/* --- what it begins with --------------------------------------------------------------------- */

static const char *
output_of(const struct bay_process_options *base, const char *script)
{
	struct bay_process_options options = *base;
	struct bay_process *process;
	const char *text;

	options.output = BAY_STDIO_PIPE;
	process = start(&options, script);
	text = read_all(bay_process_fd(process, BAY_STDOUT));
	ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
	bay_process_close(process);
	return text;
}

TASK_TEST(a_child_has_three_descriptors_and_no_others)
{
	int stray = dup(STDIN_FILENO), high = fcntl(STDIN_FILENO, F_DUPFD, 500);

	/* 3 is the directory that ls reads. */
	ck_assert_str_eq(output_of(&(struct bay_process_options){.length = 0}, "exec ls /proc/self/fd"), "0\n1\n2\n3\n");
	ck_assert_str_eq(output_of(&(struct bay_process_options){.length = 0},
		"readlink /proc/$$/fd/0 /proc/$$/fd/2"), "/dev/null\n/dev/null\n");
	close(stray);
	close(high);
	return BAY_OK;
}

TASK_TEST(a_child_has_the_default_actions_for_signals)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	const char *text;
	sigset_t block, before;

	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGRTMIN, &ignore, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	text = output_of(&(struct bay_process_options){.length = 0}, "exec sed -n -E '/^Sig(Blk|Ign|Cgt)/p' /proc/self/status");
	ck_assert_str_eq(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return BAY_OK;
}

/* What a cell would be. */
static int
start_and_stay(void *arg)
{
	const struct bay_process_options options = {.output = BAY_STDIO_FD, .output_fd = *(int *)arg};

	(void)start(&options, "echo $$; exec sleep 1000");
	return bay_sleep(3600 * BAY_SECOND);
}

START_TEST(a_child_ends_with_the_cell)
{
	int ends[2];
	char text[32] = "";
	pid_t cell, child;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	cell = fork();
	if (cell == 0)
		_exit(run_task(start_and_stay, &ends[1]));
	close(ends[1]);
	ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
	child = (pid_t)atoi(text);
	ck_assert(!is_gone(child));
	ck_assert_int_eq(kill(cell, SIGKILL), 0);
	ck_assert_int_eq(waitpid(cell, NULL, 0), cell);
	expect_gone(child);
	close(ends[0]);
}
END_TEST

TASK_TEST(output_and_errors_go_where_they_should)
{
	struct bay_process *process = start(&(struct bay_process_options){.output = BAY_STDIO_PIPE,
		.errors = BAY_STDIO_PIPE}, "echo out; echo err >&2");
	struct bay_process_options options = {.errors = BAY_STDIO_MERGE};
	int ends[2], fd;

	ck_assert_str_eq(read_all(bay_process_fd(process, BAY_STDOUT)), "out\n");
	ck_assert_str_eq(read_all(bay_process_fd(process, BAY_STDERR)), "err\n");
	ck_assert_int_eq(bay_process_fd(process, BAY_STDIN), -1);
	ck_assert_int_eq(bay_process_fd(process, 3), -1);
	ck_assert_int_eq(bay_process_fd(process, -1), -1);
	bay_process_close(process);
	ck_assert_str_eq(output_of(&options, "echo out; echo err >&2"), "out\nerr\n");
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	options = (struct bay_process_options){.input = BAY_STDIO_FD, .input_fd = ends[0]};
	ck_assert_int_eq(write(ends[1], "in\n", 3), 3);
	ck_assert_str_eq(output_of(&options, "read x; echo got $x"), "got in\n");
	close(ends[0]);
	close(ends[1]);
	/* A descriptor of ours that would be in the way, and stays ours. */
	fd = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	process = start(&(struct bay_process_options){.output = BAY_STDIO_FD, .output_fd = STDERR_FILENO,
		.errors = BAY_STDIO_INHERIT}, "echo out; echo err >&2");
	ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
	bay_process_close(process);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	close(ends[1]);
	ck_assert_str_eq(read_all(ends[0]), "out\nerr\n");
	close(ends[0]);
	return BAY_OK;
}

TASK_TEST(the_environment_is_what_was_asked_for)
{
	const char *changes[] = {"BAY_TEST_A=1", "BAY_TEST_B=2", "BAY_TEST_A=3", "BAY_TEST_GONE", NULL};
	struct bay_process_options options = {.environment = changes};

	setenv("BAY_TEST_B", "old", 1);
	setenv("BAY_TEST_GONE", "old", 1);
	setenv("BAY_TEST_KEPT", "kept", 1);
	setenv("BAY_MASTER_PID", "1", 1);
	ck_assert_str_eq(output_of(&options, "echo $BAY_TEST_A $BAY_TEST_B ${BAY_TEST_GONE-gone} $BAY_TEST_KEPT "
		"${BAY_MASTER_PID-private}"), "3 2 gone kept private\n");
	options.empty_environment = true;
	ck_assert_str_eq(output_of(&options, "exec env | sort | grep -v PWD="), "BAY_TEST_A=3\nBAY_TEST_B=2\n");
	options.environment = NULL;
	ck_assert_str_eq(output_of(&options, "echo ${BAY_TEST_KEPT-gone}"), "gone\n");
	return BAY_OK;
}

TASK_TEST(the_directory_is_what_was_asked_for)
{
	struct bay_process_options options = {.length = 0};
	struct temp_dir dir;
	char expected[512];

	temp_dir_init(&dir);
	options.directory = dir.path;
	snprintf(expected, sizeof expected, "%s\n", dir.path);
	ck_assert_str_eq(output_of(&options, "exec pwd -P"), expected);
	temp_dir_finish(&dir);
	return BAY_OK;
}

/* --- what cannot be started ------------------------------------------------------------------- */

static void
expect_failure(const struct bay_process_options *base, const char *program, int status, const char *words)
{
	const char *argv[] = {program, NULL};
	struct bay_process_options options = *base;
	struct bay_process *process = (struct bay_process *)&options;

	options.length = sizeof options;
	options.argv = argv;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), status);
	ck_assert_ptr_null(process);
	ck_assert_msg(strstr(bay_process_error(), words) != NULL, "says: %s", bay_process_error());
}

TASK_TEST(a_child_may_use_what_the_options_say_and_the_cell_no_less)
{
	struct bay_process_options options = {.output = BAY_STDIO_PIPE, .memory_max = 1 << 30,
		.cpu_max_ns = 6 * BAY_SECOND + 1, .files_max = 20, .file_bytes_max = 1 << 20};
	struct bay_process *process;
	struct bay_process_exit end;
	struct rlimit before, after;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	process = start(&options, "ulimit -v; ulimit -t; ulimit -Ht; ulimit -n; ulimit -Hn; ulimit -f");
	ck_assert_str_eq(read_all(bay_process_fd(process, BAY_STDOUT)), "1048576\n7\n8\n20\n20\n2048\n");
	bay_process_close(process);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
	ck_assert_uint_eq(before.rlim_cur, after.rlim_cur);

	process = start(&(struct bay_process_options){.cpu_max_ns = 1}, "while :; do :; done");
	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.signal, SIGXCPU);
	bay_process_close(process);
	return BAY_OK;
}

TASK_TEST(what_cannot_be_started_says_why)
{
	const struct bay_process_options plain = {.length = 0};
	struct temp_dir dir;
	const char *file;
	unsigned fds;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "file", "no program");
	file = temp_dir_path(&dir, "file");
	ck_assert_int_eq(end_of("exit 0").code, 0);
	fds = count_fds();
	expect_failure(&plain, "/no/such/program", BAY_NOT_FOUND,
		"start /no/such/program: execute it: No such file or directory");
	expect_failure(&plain, "no-such-program-anywhere", BAY_NOT_FOUND, "execute it: No such file");
	expect_failure(&plain, dir.path, BAY_NOT_PERMITTED, "execute it: Permission denied");
	expect_failure(&(struct bay_process_options){.directory = "/no/such/directory"}, "true", BAY_NOT_FOUND,
		"start true: enter its directory: No such file or directory");
	expect_failure(&plain, file, BAY_NOT_PERMITTED, "Permission denied");
	ck_assert_int_eq(chmod(file, 0755), 0);
	expect_failure(&plain, file, BAY_INVALID, "Exec format error");
	expect_failure(&(struct bay_process_options){.directory = file}, "true", BAY_NOT_FOUND, "Not a directory");
	expect_fds(fds);
	expect_no_children();
	temp_dir_finish(&dir);
	return BAY_OK;
}

TASK_TEST(a_program_is_looked_for_in_the_path_of_the_child)
{
	char path[512];
	const char *changes[] = {path, NULL}, *argv[] = {"a name", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .program = "mine",
		.environment = changes, .output = BAY_STDIO_PIPE};
	struct bay_process *process;
	struct temp_dir dir;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "mine", "#!/bin/sh\necho mine\n");
	snprintf(path, sizeof path, "PATH=/no/such:%s:/usr/bin:/bin", dir.path);
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_NOT_PERMITTED);
	ck_assert_int_eq(chmod(temp_dir_path(&dir, "mine"), 0755), 0);
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_OK);
	ck_assert_str_eq(read_all(bay_process_fd(process, BAY_STDOUT)), "mine\n");
	bay_process_close(process);
	temp_dir_finish(&dir);
	return BAY_OK;
}

static int
spawn_one(void *arg)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv};

	return bay_process_spawn(&options, arg, SOON);
}

/* The task is cut short, and before it knows of that the start comes home. */
TASK_TEST(a_start_that_comes_home_to_a_cancelled_task_is_undone)
{
	struct bay_process *process = NULL;
	struct bay_task *task = bay_spawn("spawns", spawn_one, &process);
	struct loop *loop = &run_tasks_scheduler.loop;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	while (inbox_empty(&loop->_inbox))
		usleep(1000);
	bay_task_cancel(task, "too late");
	ck_assert(loop_drain_inbox(loop));
	ck_assert_int_eq(bay_join(task, SOON), BAY_CANCELED);
	ck_assert_ptr_null(process);
	ck_assert(list_empty(&run_tasks_scheduler.belongings));
	expect_no_children();
	return BAY_OK;
}

static int
leave_a_start_behind(void *arg)
{
	struct bay_task *task = bay_spawn("spawns", spawn_one, arg);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, SOON), BAY_CANCELED);
	return BAY_OK;
}

START_TEST(the_end_of_a_loop_waits_for_a_start_that_nobody_wants)
{
	struct bay_process *process = NULL;

	run_tasks_begin();
	ck_assert_int_eq(run_tasks(leave_a_start_behind, &process), BAY_OK);
	ck_assert_ptr_null(process);
	scheduler_finish(&run_tasks_scheduler);
	expect_no_children();
}
END_TEST

TASK_TEST(options_without_sense_are_refused)
{
	const char *none[] = {NULL}, *empty[] = {"", NULL}, *argv[] = {"true", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = none};
	struct bay_process *process;

	ck_assert_int_eq(bay_process_spawn(NULL, &process, SOON), BAY_INVALID);
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	options.argv = empty;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	options.argv = argv;
	options.length--;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	options.length++;
	options.output = BAY_STDIO_MERGE;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	options.output = (enum bay_stdio)99;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	options.output = BAY_STDIO_FD;
	options.output_fd = 999;
	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_INVALID);
	ck_assert_str_eq(bay_process_error(), "bay_process_spawn: a descriptor that was given is not open [misuse-argument]");
	options.output = BAY_STDIO_NULL;
	ck_assert_int_eq(bay_process_spawn(&options, &process, 1), BAY_TIMEOUT);
	ck_assert_ptr_null(process);
	ck_assert_int_eq(bay_process_wait(NULL, NULL, SOON), BAY_INVALID);
	return BAY_OK;
}

TASK_TEST(without_descriptors_nothing_starts_and_nothing_leaks)
{
	const char *argv[] = {"true", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE, .errors = BAY_STDIO_PIPE};
	struct bay_process *process;
	struct rlimit before, limit;
	unsigned fds;
	int statuses[2] = {0, 0}, free_fds, highest;

	/* The thread has its own already. */
	ck_assert_int_eq(end_of("exit 0").code, 0);
	fds = count_fds();
	highest = dup(STDIN_FILENO);
	close(highest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (free_fds = 0; free_fds < 16 && statuses[0] == 0; free_fds++) {
		limit = (struct rlimit){(rlim_t)(highest + free_fds), before.rlim_max};
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		switch (bay_process_spawn(&options, &process, SOON)) {
		case BAY_OK:
			statuses[0]++;
			ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
			bay_process_close(process);
			break;
		case BAY_FULL:
			statuses[1]++;
			ck_assert_ptr_nonnull(strstr(bay_process_error(), "Too many open files"));
			break;
		default:
			ck_abort_msg("%s", bay_process_error());
		}
		setrlimit(RLIMIT_NOFILE, &before);
		expect_fds(fds);
	}
	ck_assert_int_eq(statuses[0], 1);
	ck_assert_int_gt(statuses[1], 6);
	expect_no_children();
	return BAY_OK;
}

/* --- many ---------------------------------------------------------------------------------- */

TASK_TEST(many_in_a_row_leave_nothing)
{
	unsigned fds = 0;

	for (int i = 0; i < ROW; i++) {
		struct bay_process *process = start(&(struct bay_process_options){.input = BAY_STDIO_PIPE,
			.output = BAY_STDIO_PIPE, .errors = BAY_STDIO_PIPE}, i % 2 == 0 ? "exit 7" : "sleep 1000");

		if (i % 2 == 0)
			ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
		bay_process_close(process);
		if (i == 0)
			fds = count_fds();
	}
	expect_no_children();
	expect_fds(fds);
	return BAY_OK;
}

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(3600 * BAY_SECOND);
}

static int
run_one(void *arg)
{
	(void)arg;
	return end_of("exit 8").code;
}

TASK_TEST(processes_start_while_thousands_of_tasks_exist)
{
	static struct bay_task *crowd[CROWD];
	struct bay_task *tasks[8];

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = bay_spawn("sleeps", sleep_long, NULL);
		ck_assert_ptr_nonnull(crowd[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	for (int i = 0; i < 8; i++)
		tasks[i] = bay_spawn("runs", run_one, NULL);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(bay_join(tasks[i], SOON), 8);
	for (int i = 0; i < CROWD; i++)
		bay_task_free(crowd[i]);
	return BAY_OK;
}

CHECK_MAIN("io/process",
	the_exit_code_comes_back,
	the_signal_that_ended_it_is_no_exit_code,
	a_process_that_runs_is_waited_for_and_looked_at,
	several_tasks_may_wait_for_one_process,
	closing_the_handle_ends_the_waits_and_the_child,
	the_end_of_a_process_is_a_case_of_a_select,
	who_reaps_children_of_others_is_told_of,
	other_children_are_left_alone,
	a_signal_goes_to_the_child,
	a_child_that_hears_ends_by_sigterm,
	a_child_that_is_stopped_hears_of_its_end,
	a_child_that_ignores_sigterm_is_killed_with_its_group,
	a_terminate_that_is_cut_short_has_killed,
	a_child_has_three_descriptors_and_no_others,
	a_child_has_the_default_actions_for_signals,
	a_child_ends_with_the_cell,
	output_and_errors_go_where_they_should,
	the_environment_is_what_was_asked_for,
	the_directory_is_what_was_asked_for,
	a_child_may_use_what_the_options_say_and_the_cell_no_less,
	what_cannot_be_started_says_why,
	a_program_is_looked_for_in_the_path_of_the_child,
	a_start_that_comes_home_to_a_cancelled_task_is_undone,
	the_end_of_a_loop_waits_for_a_start_that_nobody_wants,
	options_without_sense_are_refused,
	without_descriptors_nothing_starts_and_nothing_leaks,
	many_in_a_row_leave_nothing,
	processes_start_while_thousands_of_tasks_exist)
