/* SPDX-License-Identifier: BSD-2-Clause */
/* Each attempt is made by a child in a sandbox, which tells its errno by its exit code. What a plugin
 * tries: tests/system/test_sandbox.sh. Here are the kernels that can less than this one. */
#include "config.h"

#include "master/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "master/landlock.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

/* Exit codes that are no errno. */
enum { ATTEMPT_NOT_ENTERED = 255, ATTEMPT_SIGNALLED = 254 };

typedef bool attempt_fn(const char *path);

/* What a child got for it: 0, or errno. */
static int
attempt_in(const struct sandbox *sandbox, attempt_fn *attempt, const char *path)
{
	const char *step;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (!sandbox_begin(sandbox, &step) || !sandbox_enter(sandbox, &step)) {
			fprintf(stderr, "%s: %s\n", step, strerror(errno));
			_exit(ATTEMPT_NOT_ENTERED);
		}
		errno = 0;
		_exit(attempt(path) ? 0 : errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ATTEMPT_SIGNALLED;
}

/* The same with no more than this version of Landlock. */
static int
attempt(int landlock, attempt_fn *attempt_it, const char *path)
{
	return attempt_in(&(struct sandbox){.writable = "", .landlock = landlock}, attempt_it, path);
}

static bool
signal_the_parent(const char *path)
{
	(void)path;
	return kill(getppid(), 0) == 0;
}

static bool
signal_by_its_directory(const char *path)
{
	return syscall(SYS_pidfd_send_signal, open(path, O_RDONLY | O_DIRECTORY), 0, NULL, 0) == 0;
}

static bool
signal_itself(const char *path)
{
	(void)path;
	return kill(getpid(), 0) == 0 && raise(0) == 0;
}

static bool
become_who_is_signalled(const char *path)
{
	int owner = getppid();
	int pair[2];

	(void)path;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return false;
	return fcntl(pair[0], F_SETOWN, owner) == 0 || ioctl(pair[0], FIOSETOWN, &owner) == 0 ||
		ioctl(pair[0], SIOCSPGRP, &owner) == 0;
}

static bool
start_a_process(const char *path)
{
	pid_t pid = fork();

	(void)path;
	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static void *
thread(void *arg)
{
	return arg;
}

static bool
start_a_thread(const char *path)
{
	pthread_t id;

	(void)path;
	errno = pthread_create(&id, NULL, thread, NULL);
	return errno == 0 && pthread_join(id, NULL) == 0;
}

/* The numbers of flags are taken by the kernel as ints. */
static bool
hide_behind_upper_bits(const char *path)
{
	(void)path;
	return syscall(SYS_socket, (1L << 32) | AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool
open_a_namespace(const char *path)
{
	(void)path;
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL) >= 0;
}

static bool
write_the_file(const char *path)
{
	return open(path, O_WRONLY) >= 0;
}

static bool
shorten_by_path(const char *path)
{
	return truncate(path, 0) == 0;
}

static bool
shorten_by_reading(const char *path)
{
	return open(path, O_RDONLY | O_TRUNC) >= 0;
}

static bool
read_the_file(const char *path)
{
	return open(path, O_RDONLY) >= 0;
}

static bool
may_be_sandboxed(void)
{
	const char *hindrance = sandbox_hindrance();

	if (hindrance != NULL)
		printf("SKIP: test_sandbox: %s\n", hindrance);
	return hindrance == NULL;
}

static off_t
size_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_size;
}

START_TEST(no_version_of_landlock_lets_it_signal_others)
{
	char parent[32];

	if (!may_be_sandboxed())
		return;
	snprintf(parent, sizeof(parent), "/proc/%d", (int)getpid());
	for (int version = LANDLOCK_FILES; version <= LANDLOCK_SCOPE; version++) {
		ck_assert_int_eq(attempt(version, signal_the_parent, ""), EPERM);
		ck_assert_int_eq(attempt(version, signal_by_its_directory, parent), EPERM);
		ck_assert_int_eq(attempt(version, become_who_is_signalled, ""), EPERM);
		ck_assert_int_eq(attempt(version, signal_itself, ""), 0);
	}
}
END_TEST

START_TEST(it_starts_processes_where_landlock_keeps_them_in)
{
	if (!may_be_sandboxed())
		return;
	ck_assert_int_eq(attempt(LANDLOCK_TRUNCATE, start_a_process, ""), EPERM);
	ck_assert_int_eq(attempt(LANDLOCK_TRUNCATE, start_a_thread, ""), 0);
	ck_assert_int_eq(attempt(0, start_a_process, ""), landlock_version() >= LANDLOCK_SCOPE ? 0 : EPERM);
	ck_assert_int_eq(attempt(0, start_a_thread, ""), 0);
}
END_TEST

START_TEST(arguments_are_compared_as_the_kernel_takes_them)
{
	if (!may_be_sandboxed())
		return;
	ck_assert_int_eq(attempt(0, hide_behind_upper_bits, ""), EPERM);
	ck_assert_int_eq(attempt(0, open_a_namespace, ""), EPERM);
}
END_TEST

START_TEST(files_are_read_and_not_written_and_not_shortened)
{
	struct temp_dir dir;
	const char *path;

	if (!may_be_sandboxed())
		return;
	temp_dir_init(&dir);
	temp_dir_write(&dir, "file", "text");
	path = temp_dir_path(&dir, "file");
	for (int version = LANDLOCK_FILES; version <= LANDLOCK_SCOPE; version++) {
		ck_assert_int_ne(attempt(version, write_the_file, path), 0);
		ck_assert_int_ne(attempt(version, shorten_by_path, path), 0);
		ck_assert_int_ne(attempt(version, shorten_by_reading, path), 0);
		ck_assert_int_eq(attempt(version, read_the_file, path), 0);
		ck_assert_int_eq(size_of(path), 4);
	}
	ck_assert_int_eq(attempt_in(&(struct sandbox){.writable = dir.path}, write_the_file, path), 0);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_directory_that_is_gone_is_told_by_its_step)
{
	const char *step = "";
	int told[2];
	char text[128] = "";

	if (!may_be_sandboxed())
		return;
	ck_assert_int_eq(pipe(told), 0);
	if (fork() == 0) {
		if (sandbox_enter(&(struct sandbox){.writable = "/nowhere-at-all"}, &step))
			_exit(1);
		_exit(write(told[1], step, strlen(step)) < 0);
	}
	ck_assert_int_gt(read(told[0], text, sizeof(text) - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "writable"));
	wait(NULL);
	close(told[0]);
	close(told[1]);
}
END_TEST

START_TEST(what_is_ours_is_not_to_be_written)
{
	const char *ours[] = {"/usr/lib/x/y", NULL};
	struct {
		const char *list;
		const char *why;
	} cases[] = {
		{"", NULL},
		{"/usr/bin\t/usr/sbin", NULL},
		{"usr", "no absolute path"},
		{"/usr/bin /nowhere-at-all", "No such file"},
		{"/etc/passwd", "no directory"},
		{"/usr/lib", "lie in one another"},
		{"/", "lie in one another"},
		{"/usr/lib/../bin", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buffer error = {0};
		bool fits = sandbox_check_writable(cases[i].list, ours, &error);

		ck_assert_msg(fits == (cases[i].why == NULL), "%s", cases[i].list);
		if (cases[i].why != NULL)
			ck_assert_msg(strstr(buffer_text(&error), cases[i].why) != NULL, "%s", buffer_text(&error));
		buffer_finish(&error);
	}
}
END_TEST

CHECK_MAIN("master/sandbox",
	no_version_of_landlock_lets_it_signal_others,
	it_starts_processes_where_landlock_keeps_them_in,
	arguments_are_compared_as_the_kernel_takes_them,
	files_are_read_and_not_written_and_not_shortened,
	a_directory_that_is_gone_is_told_by_its_step,
	what_is_ours_is_not_to_be_written)
