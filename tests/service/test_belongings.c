/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service has opened and forgotten ends with its instance. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/bay.h>

#include "support/log_lines.h"
#include "support/services.h"

#define SOON bay_after(60 * BAY_SECOND)

static const char *script;
static pid_t child, grandchild;

/* The child tells of the grandchild first, and is ready then. */
static int
start_child(void)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE};
	struct bay_process *process;
	char text[32] = "";
	size_t length = 0;

	ck_assert_int_eq(bay_process_spawn(&options, &process, SOON), BAY_OK);
	child = bay_process_pid(process);
	while (length == 0 || text[length - 1] != '\n') {
		ck_assert_int_eq(bay_wait_fd(bay_process_fd(process, BAY_STDOUT), BAY_READABLE, SOON), BAY_OK);
		ck_assert_int_eq(read(bay_process_fd(process, BAY_STDOUT), text + length, 1), 1);
		length++;
	}
	grandchild = (pid_t)atoi(text);
	return BAY_OK;
}

static int
init_well(struct bay_instance *instance)
{
	(void)instance;
	return start_child();
}

static int
init_badly(struct bay_instance *instance)
{
	ck_assert_int_eq(start_child(), BAY_OK);
	return bay_instance_fail(instance, BAY_IO, "no");
}

static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

static int
init_with_subscriptions(struct bay_instance *instance)
{
	struct bay_signal *signal;
	struct bay_watch *watches[2];

	(void)instance;
	ck_assert_int_eq(bay_signal_open(SIGUSR1, &signal), BAY_OK);
	ck_assert_int_eq(bay_watch_open("/", 0, &watches[0]), BAY_OK);
	ck_assert_int_eq(bay_watch_open("/no-such-file", 0, &watches[1]), BAY_OK);
	return BAY_OK;
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

/* Of our children none is left; a grandchild may wait for somebody to reap it. */
static void
expect_gone(void)
{
	int64_t deadline = SOON;
	char path[40], state = 'R';
	siginfo_t info;
	FILE *file;

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
	ck_assert_int_eq(errno, ECHILD);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
	while (state != 'Z' && state != 'X' && (file = fopen(path, "re")) != NULL) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 'X';
		fclose(file);
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
}

START_TEST(a_forgotten_process_ends_with_its_service)
{
	struct bay_service *service;
	unsigned fds = 0;

	log_lines_keep();
	services_begin(0);
	script = "sleep 1000 & echo $!; wait";
	for (int i = 0; i < 3; i++) {
		service = services_start(&(struct service_options){.name = "s",
			.plugin = PLUGIN(.init = init_well, .handle = echo)});
		ck_assert_int_eq(kill(child, 0), 0);
		ck_assert_int_eq(kill(grandchild, 0), 0);
		ck_assert(services_stop(service, BAY_SECOND, 60 * BAY_SECOND, NULL));
		expect_gone();
		if (i == 0)
			fds = count_fds();
		expect_fds(fds);
	}
	ck_assert_int_eq(log_lines_with("service s: it ended and left 1 process open"), 3);
	ck_assert_int_eq(log_lines_with("does not end by itself"), 0);
	services_end();
}
END_TEST

START_TEST(one_that_does_not_hear_is_killed)
{
	struct bay_service *service;

	log_lines_keep();
	services_begin(0);
	script = "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.01; done";
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.init = init_well, .handle = echo)});
	ck_assert(services_stop(service, BAY_SECOND, 20 * BAY_MS, NULL));
	expect_gone();
	ck_assert_int_eq(log_lines_with("does not end by itself: it is killed"), 1);
	services_end();
}
END_TEST

START_TEST(an_init_that_fails_leaves_no_process)
{
	char *text;

	services_begin(0);
	script = "sleep 1000 & echo $!; wait";
	ck_assert_int_ne(services_try_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.init = init_badly, .handle = echo)}, &text), BAY_OK);
	free(text);
	expect_gone();
	services_end();
}
END_TEST

START_TEST(forgotten_subscriptions_end_with_their_service)
{
	struct bay_service *service;
	unsigned fds = 0;

	services_begin(0);
	for (int i = 0; i < 3; i++) {
		service = services_start(&(struct service_options){.name = "s",
			.plugin = PLUGIN(.init = init_with_subscriptions, .handle = echo)});
		ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
		if (i == 0)
			fds = count_fds();
		expect_fds(fds);
	}
	services_end();
}
END_TEST

CHECK_MAIN("service/belongings",
	a_forgotten_process_ends_with_its_service,
	one_that_does_not_hear_is_killed,
	an_init_that_fails_leaves_no_process,
	forgotten_subscriptions_end_with_their_service)
