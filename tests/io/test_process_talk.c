/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/process.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bay/fd.h>
#include <bay/task.h>

#include "io/process.h"
#include "io/process_keeper.h"
#include "loop/signals.h"
#include "support/run_tasks.h"

/* A pipe that is never empty, if a test wants one. */
static atomic_int endless = -1;

ssize_t
read(int fd, void *data, size_t size)
{
	if (fd != endless)
		return (ssize_t)syscall(SYS_read, fd, data, size);
	memset(data, 'y', size);
	return (ssize_t)size;
}

enum { MUCH = 1 << 20 };

#define SOON bay_after(60 * BAY_SECOND)

/* As a cell, which does not die of a pipe that nobody reads. */
#define TALK_TEST(name)                         \
	static int name##_talks(void);              \
	TASK_TEST(name)                             \
	{                                           \
		int status;                             \
		signals_ignore_sigpipe();               \
		status = name##_talks();                \
		keeper_finish();                        \
		return status;                          \
	}                                           \
	static int name##_talks(void)

static struct bay_process_options
all_pipes(const char *const *argv)
{
	return (struct bay_process_options){.length = sizeof(struct bay_process_options), .argv = argv,
		.input = BAY_STDIO_PIPE, .output = BAY_STDIO_PIPE, .errors = BAY_STDIO_PIPE};
}

static struct bay_process *
start(const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct bay_process_options options = all_pipes(argv);
	struct bay_process *process;

	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_OK);
	return process;
}

/* Bytes that are hard to mix up. */
static char *
much(size_t size)
{
	char *bytes = malloc(size);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	return bytes;
}

static void
expect_captured(const struct bay_process *process, int which, const char *text)
{
	size_t size = 99;

	ck_assert_str_eq(bay_process_captured(process, which, &size), text);
	ck_assert_uint_eq(size, strlen(text));
}

TALK_TEST(a_megabyte_goes_through_cat_and_back)
{
	const char *argv[] = {"cat", NULL};
	struct bay_process_options options = all_pipes(argv);
	struct bay_process_exit end;
	struct bay_process *process;
	char *bytes = much(MUCH);
	size_t size;

	ck_assert_int_eq(bay_process_run(&options, bytes, MUCH, MUCH, &process, SOON), BAY_OK);
	ck_assert_mem_eq(bay_process_captured(process, BAY_STDOUT, &size), bytes, MUCH);
	ck_assert_uint_eq(size, MUCH);
	expect_captured(process, BAY_STDERR, "");
	ck_assert_int_eq(bay_process_poll(process, &end), BAY_OK);
	ck_assert_int_eq(end.code, 0);
	bay_process_close(process);
	free(bytes);
	return BAY_OK;
}

TALK_TEST(output_and_errors_are_kept_apart)
{
	struct bay_process *process = start("echo out; echo err >&2; read x; echo $x; echo $x >&2; exit 3");
	struct bay_process_exit end;

	ck_assert_int_eq(bay_process_communicate(process, "in\n", 3, 0, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 3);
	expect_captured(process, BAY_STDOUT, "out\nin\n");
	expect_captured(process, BAY_STDERR, "err\nin\n");
	ck_assert_str_eq(bay_process_captured(process, BAY_STDIN, NULL), "");
	/* Nothing comes a second time. */
	ck_assert_int_eq(bay_process_communicate(process, "in\n", 3, 0, &end, SOON), BAY_OK);
	expect_captured(process, BAY_STDOUT, "out\nin\n");
	bay_process_close(process);
	return BAY_OK;
}

TALK_TEST(without_pipes_it_is_a_wait)
{
	const char *argv[] = {"sh", "-c", "exit 9", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv};
	struct bay_process_exit end;
	struct bay_process *process;

	ck_assert_int_eq(bay_process_run(&options, "unheard", 7, 0, &process, SOON), BAY_OK);
	ck_assert_int_eq(bay_process_poll(process, &end), BAY_OK);
	ck_assert_int_eq(end.code, 9);
	expect_captured(process, BAY_STDOUT, "");
	bay_process_close(process);
	return BAY_OK;
}

TALK_TEST(a_child_that_never_reads_is_no_error)
{
	char *bytes = much(MUCH);
	struct bay_process *process = start("exec 0</dev/null; echo done");
	struct bay_process_exit end;

	ck_assert_int_eq(bay_process_communicate(process, bytes, MUCH, 0, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 0);
	expect_captured(process, BAY_STDOUT, "done\n");
	bay_process_close(process);
	/* Nor one that has the pipe open to its end. */
	process = start("echo done; exit 4");
	ck_assert_int_eq(bay_process_communicate(process, bytes, MUCH, 0, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 4);
	expect_captured(process, BAY_STDOUT, "done\n");
	bay_process_close(process);
	free(bytes);
	return BAY_OK;
}

TALK_TEST(a_flood_is_stopped_and_its_child_killed)
{
	const char *scripts[] = {"exec yes", "exec yes >&2"};

	for (int i = 0; i < 2; i++) {
		struct bay_process *process = start(scripts[i]);
		struct bay_process_exit end;
		size_t size;

		ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 100000, &end, SOON), BAY_TOO_BIG);
		ck_assert_ptr_nonnull(strstr(bay_process_error(), "more than 100000 bytes came as its"));
		(void)bay_process_captured(process, i == 0 ? BAY_STDOUT : BAY_STDERR, &size);
		ck_assert_uint_le(size, 100000);
		ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
		ck_assert_int_eq(end.signal, SIGKILL);
		bay_process_close(process);
	}
	return BAY_OK;
}

TALK_TEST(the_bound_itself_is_allowed)
{
	struct bay_process *process = start("printf 12345; exit 0");

	ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 5, NULL, SOON), BAY_OK);
	expect_captured(process, BAY_STDOUT, "12345");
	bay_process_close(process);
	process = start("printf 123456; exit 0");
	ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 5, NULL, SOON), BAY_TOO_BIG);
	bay_process_close(process);
	return BAY_OK;
}

/* It has an end of the pipe for as long as it lives, and that is longer than the test. */
TALK_TEST(a_grandchild_that_holds_the_pipe_holds_nobody_up)
{
	struct bay_process *process = start("echo before; sleep 1000 & echo after; exit 5");
	struct bay_process_exit end;

	ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 0, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 5);
	expect_captured(process, BAY_STDOUT, "before\nafter\n");
	ck_assert_int_ge(bay_process_fd(process, BAY_STDOUT), 0);
	bay_process_close(process);
	return BAY_OK;
}

/* One that writes for ever must not hold it up either. */
TALK_TEST(a_pipe_that_never_gets_empty_holds_nobody_up)
{
	struct bay_process *process = start("exit 5");
	struct bay_process_exit end;
	size_t size;

	ck_assert_int_eq(bay_process_wait(process, &end, SOON), BAY_OK);
	endless = bay_process_fd(process, BAY_STDOUT);
	ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 64 << 20, &end, SOON), BAY_OK);
	ck_assert_int_eq(end.code, 5);
	/* What the pipe can hold, at least. */
	(void)bay_process_captured(process, BAY_STDOUT, &size);
	ck_assert_uint_ge(size, 4096);
	endless = -1;
	bay_process_close(process);
	return BAY_OK;
}

TALK_TEST(what_a_child_wrote_before_its_end_is_there)
{
	for (int i = 0; i < 20; i++) {
		struct bay_process *process = start("echo out; echo err >&2");

		ck_assert_int_eq(bay_process_wait(process, NULL, SOON), BAY_OK);
		ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 0, NULL, SOON), BAY_OK);
		expect_captured(process, BAY_STDOUT, "out\n");
		expect_captured(process, BAY_STDERR, "err\n");
		bay_process_close(process);
	}
	return BAY_OK;
}

TALK_TEST(a_child_that_wants_no_more_is_not_asked_again)
{
	struct bay_process *process = start("exec 0</dev/null; echo done; exec sleep 1000");
	char *bytes = much(MUCH);
	size_t size = 0;

	while (size == 0) {
		ck_assert_int_eq(bay_process_communicate(process, bytes, MUCH, 0, NULL, bay_after(5 * BAY_MS)), BAY_TIMEOUT);
		(void)bay_process_captured(process, BAY_STDOUT, &size);
	}
	ck_assert_int_eq(bay_process_communicate(process, bytes, MUCH, 0, NULL, bay_after(5 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_process_fd(process, BAY_STDIN), -1);
	bay_process_close(process);
	free(bytes);
	return BAY_OK;
}

TALK_TEST(after_a_timeout_it_goes_on_where_it_was)
{
	char *bytes = much(MUCH);
	struct bay_process *process = start("cat; exit 6");
	struct bay_process_exit end;
	size_t size, before;
	int status;

	/* Some of it has gone one way or both, however slow. */
	do {
		status = bay_process_communicate(process, bytes, MUCH, MUCH, &end, bay_after(BAY_MS));
		(void)bay_process_captured(process, BAY_STDOUT, &before);
	} while (status == BAY_TIMEOUT && before == 0);
	if (status == BAY_TIMEOUT)
		status = bay_process_communicate(process, bytes, MUCH, MUCH, &end, SOON);
	ck_assert_int_eq(status, BAY_OK);
	ck_assert_int_eq(end.code, 6);
	ck_assert_mem_eq(bay_process_captured(process, BAY_STDOUT, &size), bytes, MUCH);
	ck_assert_uint_eq(size, MUCH);
	bay_process_close(process);
	free(bytes);
	return BAY_OK;
}

static int
communicate(void *process)
{
	return bay_process_communicate(process, NULL, 0, 0, NULL, BAY_INHERIT);
}

TALK_TEST(one_task_at_a_time_communicates)
{
	struct bay_process *process = start("sleep 1000");
	struct bay_task *task = bay_spawn("talks", communicate, process);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_process_communicate(process, NULL, 0, 0, NULL, SOON), BAY_BUSY);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, SOON), BAY_CANCELED);
	ck_assert_uint_eq(process->waitable.users, 0);
	task = bay_spawn("talks", communicate, process);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	/* Closed under it: the last of its users frees it. */
	ck_assert_uint_gt(process->waitable.users, 0);
	bay_process_close(process);
	ck_assert_int_eq(bay_join(task, SOON), BAY_CLOSED);
	return BAY_OK;
}

TALK_TEST(a_run_that_fails_leaves_no_handle)
{
	const char *argv[] = {"sleep", "1000", NULL}, *missing[] = {"/no/such", NULL}, *flood[] = {"yes", NULL};
	struct bay_process_options options = all_pipes(argv);
	struct bay_process *process;

	ck_assert_int_eq(bay_process_run(&options, NULL, 0, 0, &process, bay_after(50 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_ptr_null(process);
	options.argv = missing;
	ck_assert_int_eq(bay_process_run(&options, NULL, 0, 0, &process, SOON), BAY_NOT_FOUND);
	ck_assert_ptr_null(process);
	options.argv = flood;
	ck_assert_int_eq(bay_process_run(&options, NULL, 0, 0, &process, SOON), BAY_TOO_BIG);
	ck_assert_ptr_null(process);
	return BAY_OK;
}

CHECK_MAIN("io/process_talk",
	a_megabyte_goes_through_cat_and_back,
	output_and_errors_are_kept_apart,
	without_pipes_it_is_a_wait,
	a_child_that_never_reads_is_no_error,
	a_flood_is_stopped_and_its_child_killed,
	the_bound_itself_is_allowed,
	a_grandchild_that_holds_the_pipe_holds_nobody_up,
	a_pipe_that_never_gets_empty_holds_nobody_up,
	what_a_child_wrote_before_its_end_is_there,
	a_child_that_wants_no_more_is_not_asked_again,
	after_a_timeout_it_goes_on_where_it_was,
	one_task_at_a_time_communicates,
	a_run_that_fails_leaves_no_handle)
