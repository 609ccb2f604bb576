/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/runtime_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

/* Removed under the feet of who is about to lock it, as a bayd does that just ends. */
static const char *vanishing;

int
flock(int fd, int operation)
{
	if (vanishing != NULL)
		ck_assert_int_eq(rmdir(vanishing), 0);
	vanishing = NULL;
	return (int)syscall(SYS_flock, fd, operation);
}

/* Expects a refusal whose reason holds the words. */
static void
expect_refused(const char *path, const char *words)
{
	struct buffer error = {0};

	ck_assert_ptr_null(runtime_dir_open(&(struct runtime_dir_options){.key = "runtime_dir",
		.path = path, .mode = 0700}, &error));
	ck_assert_msg(strstr(buffer_text(&error), words) != NULL, "\"%s\" is not in: %s", words,
		buffer_text(&error));
	buffer_finish(&error);
}

static struct runtime_dir *
must_open(const char *path)
{
	struct buffer error = {0};
	struct runtime_dir *dir = runtime_dir_open(&(struct runtime_dir_options){
		.key = "runtime_dir", .path = path, .mode = 0700}, &error);

	ck_assert_msg(dir != NULL, "%s", buffer_text(&error));
	buffer_finish(&error);
	return dir;
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

START_TEST(a_missing_directory_is_made_private_and_goes_away_again)
{
	struct temp_dir temp;
	struct runtime_dir *dir;
	struct stat st;
	const char *path;

	temp_dir_init(&temp);
	path = temp_dir_path(&temp, "run");
	umask(0);
	dir = must_open(path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	runtime_dir_close(dir);
	ck_assert(!exists(path));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(an_existing_directory_stays)
{
	struct temp_dir temp;

	temp_dir_init(&temp);
	runtime_dir_close(must_open(temp.path));
	ck_assert(exists(temp.path));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(the_path_is_made_absolute)
{
	struct temp_dir temp;
	struct runtime_dir *dir;
	char expected[PATH_MAX];

	temp_dir_init(&temp);
	ck_assert_int_eq(chdir(temp.path), 0);
	dir = must_open("run");
	ck_assert_ptr_nonnull(realpath("run", expected));
	ck_assert_str_eq(runtime_dir_path(dir), expected);
	runtime_dir_close(dir);
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_second_one_is_refused_with_the_process_of_the_first)
{
	struct temp_dir temp;
	char words[64];
	int ready[2];
	int end[2];
	char byte;
	pid_t pid;

	temp_dir_init(&temp);
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		struct runtime_dir *dir = must_open(temp.path);

		close(end[1]);
		if (write(ready[1], "", 1) != 1 || read(end[0], &byte, 1) != 0)
			_exit(1);
		runtime_dir_close(dir);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	expect_refused(temp.path, temp.path);
	snprintf(words, sizeof(words), "in use by another bayd (process %d)", (int)pid);
	expect_refused(temp.path, words);
	close(end[1]);
	waitpid(pid, NULL, 0);
	runtime_dir_close(must_open(temp.path));
	temp_dir_finish(&temp);
}
END_TEST

/* It has the lock until it runs a program of its own, which is some milliseconds later. */
START_TEST(a_child_of_one_that_was_killed_is_waited_for)
{
	struct temp_dir temp;
	pid_t pid;

	temp_dir_init(&temp);
	pid = fork();
	if (pid == 0) {
		(void)must_open(temp.path);
		if (fork() == 0) {
			usleep(100 * 1000);
			_exit(0);
		}
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	runtime_dir_close(must_open(temp.path));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_directory_that_others_can_write_to_is_refused)
{
	struct temp_dir temp;

	temp_dir_init(&temp);
	ck_assert_int_eq(chmod(temp.path, 0770), 0);
	expect_refused(temp.path, "chmod go-w");
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_directory_of_somebody_else_is_refused)
{
	struct temp_dir temp;

	if (geteuid() != 0)
		CHECK_SKIP("only root can give a directory away");
	temp_dir_init(&temp);
	ck_assert_int_eq(chown(temp.path, 12345, 0), 0);
	expect_refused(temp.path, "belongs to user 12345");
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_missing_parent_is_named_as_the_reason)
{
	struct temp_dir temp;

	temp_dir_init(&temp);
	expect_refused(temp_dir_path(&temp, "a/b"), "the directory above it must exist");
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_file_in_its_place_is_refused)
{
	struct temp_dir temp;

	temp_dir_init(&temp);
	temp_dir_write(&temp, "run", "");
	expect_refused(temp_dir_path(&temp, "run"), "Not a directory");
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(what_a_killed_bayd_left_is_removed_and_nothing_else)
{
	struct temp_dir temp;
	struct runtime_dir *dir;

	temp_dir_init(&temp);
	temp_dir_write(&temp, ".made-by-bayd", "");
	temp_dir_write(&temp, "square.3.so", "x");
	temp_dir_write(&temp, "my.plugin.12.so", "x");
	temp_dir_write(&temp, "notes.txt", "mine");
	temp_dir_write(&temp, "square.so", "mine");
	temp_dir_write(&temp, "square2.so", "mine");
	temp_dir_write(&temp, ".bayd-file", "mine");
	make_socket(temp_dir_path(&temp, "control.sock"));
	make_socket(temp_dir_path(&temp, ".bayd-77.sock"));
	dir = must_open(temp.path);
	ck_assert(!exists(temp_dir_path(&temp, "square.3.so")));
	ck_assert(!exists(temp_dir_path(&temp, "my.plugin.12.so")));
	ck_assert(!exists(temp_dir_path(&temp, "control.sock")));
	ck_assert(!exists(temp_dir_path(&temp, ".bayd-77.sock")));
	ck_assert(exists(temp_dir_path(&temp, "notes.txt")));
	ck_assert(exists(temp_dir_path(&temp, "square.so")));
	ck_assert(exists(temp_dir_path(&temp, "square2.so")));
	ck_assert(exists(temp_dir_path(&temp, ".bayd-file")));
	runtime_dir_close(dir);
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(in_a_directory_of_somebody_else_no_file_is_touched)
{
	struct temp_dir temp;

	temp_dir_init(&temp);
	temp_dir_write(&temp, "square.3.so", "mine");
	make_socket(temp_dir_path(&temp, "control.sock"));
	runtime_dir_close(must_open(temp.path));
	ck_assert(exists(temp_dir_path(&temp, "square.3.so")));
	ck_assert(exists(temp_dir_path(&temp, "control.sock")));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(one_that_a_killed_bayd_made_goes_away_with_the_next)
{
	struct temp_dir temp;
	pid_t pid;
	int i;

	temp_dir_init(&temp);
	for (i = 0; i < 2; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			must_open(temp_dir_path(&temp, "run"));
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert(exists(temp_dir_path(&temp, "run")));
	}
	runtime_dir_close(must_open(temp_dir_path(&temp, "run")));
	ck_assert(!exists(temp_dir_path(&temp, "run")));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(sockets_of_services_of_a_killed_bayd_go_unless_somebody_listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct temp_dir temp;
	pid_t pid;

	temp_dir_init(&temp);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		must_open(temp_dir_path(&temp, "run"));
		make_socket(temp_dir_path(&temp, "run/web.sock"));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(exists(temp_dir_path(&temp, "run/web.sock")));
	strcpy(address.sun_path, temp_dir_path(&temp, "run/busy.sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	runtime_dir_close(must_open(temp_dir_path(&temp, "run")));
	ck_assert(!exists(temp_dir_path(&temp, "run/web.sock")));
	ck_assert(exists(temp_dir_path(&temp, "run/busy.sock")));
	close(fd);
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(one_that_the_caller_has_just_made_is_removed)
{
	struct temp_dir temp;
	struct buffer error = {0};
	struct runtime_dir *dir;

	temp_dir_init(&temp);
	ck_assert_int_eq(mkdir(temp_dir_path(&temp, "check"), 0700), 0);
	dir = runtime_dir_open(&(struct runtime_dir_options){.key = "the directory for the check",
		.path = temp_dir_path(&temp, "check"), .mode = 0700, .made = true}, &error);
	ck_assert_ptr_nonnull(dir);
	temp_dir_write(&temp, "check/square.1.so", "x");
	runtime_dir_close(dir);
	ck_assert(!exists(temp_dir_path(&temp, "check")));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_link_in_its_place_is_not_followed)
{
	struct temp_dir temp;
	struct buffer error = {0};

	temp_dir_init(&temp);
	temp_dir_write(&temp, "victim/square.1.so", "mine");
	ck_assert_int_eq(symlink("victim", temp_dir_path(&temp, "images")), 0);
	ck_assert_ptr_null(runtime_dir_open(&(struct runtime_dir_options){.key = "image_dir",
		.path = temp_dir_path(&temp, "images"), .mode = 0700, .no_link = true}, &error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "is a symbolic link"));
	ck_assert(exists(temp_dir_path(&temp, "victim/square.1.so")));
	buffer_finish(&error);
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(what_was_made_during_the_run_is_removed_at_its_end)
{
	struct temp_dir temp;
	struct runtime_dir *dir;

	temp_dir_init(&temp);
	dir = must_open(temp_dir_path(&temp, "run"));
	temp_dir_write(&temp, "run/a.1.so", "x");
	runtime_dir_close(dir);
	ck_assert(!exists(temp_dir_path(&temp, "run")));
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_directory_that_vanishes_before_it_is_locked_is_made_again)
{
	struct runtime_dir *dir;
	struct stat opened, named;
	struct temp_dir temp;

	temp_dir_init(&temp);
	vanishing = temp_dir_path(&temp, "run");
	dir = must_open(temp_dir_path(&temp, "run"));
	ck_assert_ptr_null(vanishing);
	ck_assert_int_eq(fstat(runtime_dir_fd(dir), &opened), 0);
	ck_assert_int_eq(stat(temp_dir_path(&temp, "run"), &named), 0);
	ck_assert_uint_eq(opened.st_ino, named.st_ino);
	runtime_dir_close(dir);
	temp_dir_finish(&temp);
}
END_TEST

START_TEST(a_narrow_umask_makes_no_difference)
{
	struct runtime_dir *dir;
	struct temp_dir temp;
	struct stat st;

	if (geteuid() != 0)
		CHECK_SKIP("only root opens a directory that has no mode at all");
	temp_dir_init(&temp);
	umask(0777);
	dir = must_open(temp_dir_path(&temp, "run"));
	ck_assert_int_eq(stat(temp_dir_path(&temp, "run"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	umask(022);
	runtime_dir_close(dir);
	temp_dir_finish(&temp);
}
END_TEST

/* A process that holds a lock on the path until its standard input ends; its pid. */
static pid_t
hold_lock(const char *path, int *until_r)
{
	int ready[2], until[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(until), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int fd = open(path, O_RDONLY);

		close(until[1]);
		if (flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)!read(until[0], &byte, 1);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(until[0]);
	*until_r = until[1];
	return pid;
}

START_TEST(of_all_that_hold_locks_the_one_on_this_directory_is_named)
{
	static const char *const names[] = {"before", "run", "after"};
	struct temp_dir temp;
	char words[64];
	int until[3];
	pid_t pids[3];

	temp_dir_init(&temp);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(mkdir(temp_dir_path(&temp, names[i]), 0700), 0);
		pids[i] = hold_lock(temp_dir_path(&temp, names[i]), &until[i]);
	}
	snprintf(words, sizeof(words), "in use by another bayd (process %d)", (int)pids[1]);
	expect_refused(temp_dir_path(&temp, "run"), words);
	for (int i = 0; i < 3; i++) {
		close(until[i]);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	temp_dir_finish(&temp);
}
END_TEST

CHECK_MAIN("master/runtime_dir",
	a_missing_directory_is_made_private_and_goes_away_again,
	an_existing_directory_stays,
	in_a_directory_of_somebody_else_no_file_is_touched,
	one_that_a_killed_bayd_made_goes_away_with_the_next,
	the_path_is_made_absolute,
	a_second_one_is_refused_with_the_process_of_the_first,
	a_child_of_one_that_was_killed_is_waited_for,
	a_directory_that_others_can_write_to_is_refused,
	a_directory_of_somebody_else_is_refused,
	a_missing_parent_is_named_as_the_reason,
	a_file_in_its_place_is_refused,
	what_a_killed_bayd_left_is_removed_and_nothing_else,
	sockets_of_services_of_a_killed_bayd_go_unless_somebody_listens,
	one_that_the_caller_has_just_made_is_removed,
	a_link_in_its_place_is_not_followed,
	what_was_made_during_the_run_is_removed_at_its_end,
	a_directory_that_vanishes_before_it_is_locked_is_made_again,
	a_narrow_umask_makes_no_difference,
	of_all_that_hold_locks_the_one_on_this_directory_is_named)
