/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as its service manager sees it. What it does with services is tested by
 * system/; this is about the socket that a shell cannot listen on.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static int
listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* SIGTERM is blocked in it from the beginning, so that it waits for somebody to handle it. */
static pid_t
start_bayd(const struct temp_dir *dir)
{
	sigset_t term;
	pid_t pid;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		execl(TOP_BUILDDIR "/container/bayd", "bayd", "-c", temp_dir_path(dir, "bay.ini"),
			(char *)NULL);
		_exit(127);
	}
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	return pid;
}

/* The next word to the service manager. */
static const char *
any_word(int fd)
{
	static char text[256];
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t got;

	ck_assert_int_eq(poll(&readable, 1, 60000), 1);
	got = recv(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	return text;
}

/* The next word to the service manager, but for those that the start goes on. */
static const char *
next_word(int fd)
{
	const char *word;

	do
		word = any_word(fd);
	while (strncmp(word, "STATUS=starting", 15) == 0);
	return word;
}

START_TEST(the_service_manager_is_told_of_the_start_and_of_the_end)
{
	struct temp_dir dir;
	int status;
	pid_t pid;
	int fd;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\n[service missing]\n");
	fd = listen_at(temp_dir_path(&dir, "notify"));
	setenv("NOTIFY_SOCKET", temp_dir_path(&dir, "notify"), 1);
	pid = start_bayd(&dir);
	ck_assert_str_eq(next_word(fd), "READY=1\nSTATUS=0 services run, 1 failed");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_str_eq(next_word(fd), "STOPPING=1\nSTATUS=stopping");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_service_manager_is_told_of_a_start_that_takes_long)
{
	struct temp_dir dir;
	int status;
	pid_t pid;
	int fd;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\nplugin_dir = " TOP_BUILDDIR
		"/tests/support/plugins\n[service good]\n[service hangs]\n");
	fd = listen_at(temp_dir_path(&dir, "notify"));
	setenv("NOTIFY_SOCKET", temp_dir_path(&dir, "notify"), 1);
	pid = start_bayd(&dir);
	ck_assert_str_eq(any_word(fd), "STATUS=starting: 2 services are not ready yet\n"
		"EXTEND_TIMEOUT_USEC=15000000");
	ck_assert_str_eq(next_word(fd), "READY=1\nSTATUS=1 service runs, 1 failed");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_service_manager_hears_that_bayd_runs)
{
	struct temp_dir dir;
	unsigned beats = 0;
	int status;
	pid_t pid;
	int fd;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\n");
	fd = listen_at(temp_dir_path(&dir, "notify"));
	setenv("NOTIFY_SOCKET", temp_dir_path(&dir, "notify"), 1);
	setenv("WATCHDOG_USEC", "20000", 1);
	pid = start_bayd(&dir);
	unsetenv("WATCHDOG_USEC");
	/* Before it is ready, and after. */
	ck_assert_str_eq(any_word(fd), "WATCHDOG=1");
	while (beats < 3)
		beats += strcmp(any_word(fd), "WATCHDOG=1") == 0;
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_signal_during_the_start_ends_it_in_order_and_at_once)
{
	int64_t started_ns = clock_monotonic_ns();
	struct temp_dir dir;
	int status;
	pid_t pid;

	temp_dir_init(&dir);
	/* Without the signal this one would keep the examiner busy for 5 seconds. */
	temp_dir_write(&dir, "bay.ini", "[container]\nplugin_dir = " TOP_BUILDDIR
		"/tests/support/plugins\n[service hangs]\n");
	pid = start_bayd(&dir);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_lt(clock_monotonic_ns() - started_ns, 4 * (int64_t)CLOCK_NS_PER_S);
	ck_assert_int_ne(access(temp_dir_path(&dir, "run"), F_OK), 0);
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("master/master",
	the_service_manager_is_told_of_the_start_and_of_the_end,
	the_service_manager_is_told_of_a_start_that_takes_long,
	the_service_manager_hears_that_bayd_runs,
	a_signal_during_the_start_ends_it_in_order_and_at_once)
