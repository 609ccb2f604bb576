/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/process.h> */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toolbox.h"

static int
start(const char *script, struct bay_process **process_r)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE, .errors = BAY_STDIO_MERGE};

	return bay_process_spawn(&options, process_r, BAY_INHERIT);
}

static void
see_exit(struct seen *seen, const struct bay_process_exit *end)
{
	saw(seen, end->signal != 0 ? "signal-%d" : "exit-%d", end->signal != 0 ? end->signal : end->code);
}

static void
see_process(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_process *process;
	struct bay_process_exit end = {.code = 0};
	int status = start("read x; exit 3", &process);
	int fd;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(status));
	if (status != BAY_OK)
		return;
	saw(seen, bay_process_pid(process) > 0 ? "pid" : "no-pid");
	saw(seen, "%s", bay_status_name(bay_process_poll(process, &end)));
	fd = bay_process_fd(process, BAY_STDIN);
	saw(seen, fd >= 0 && bay_process_take_fd(process, BAY_STDIN) == fd ? "taken" : "not-taken");
	saw(seen, "%d", bay_process_fd(process, BAY_STDIN));
	bay_fd_close(fd);
	saw(seen, "%s", bay_status_name(bay_process_wait(process, &end, bay_after(10 * BAY_SECOND))));
	see_exit(seen, &end);
	bay_process_close(process);
	if (start("sleep 1000", &process) != BAY_OK)
		return;
	saw(seen, "%s", bay_status_name(bay_process_kill(process, SIGUSR1)));
	bay_process_wait(process, &end, bay_after(10 * BAY_SECOND));
	see_exit(seen, &end);
	saw(seen, "%s", bay_status_name(bay_process_kill(process, SIGUSR1)));
	bay_process_close(process);
	if (start("sleep 1000", &process) != BAY_OK)
		return;
	saw(seen, "%s", bay_status_name(bay_process_terminate(process, 10 * BAY_SECOND, &end, BAY_INHERIT)));
	see_exit(seen, &end);
	bay_process_close(process);
}

static void
see_process_run(struct bay_request *request, const char *argument, struct seen *seen)
{
	const char *argv[] = {"tr", "a-z", "A-Z", NULL}, *missing[] = {"/no/such", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE};
	struct bay_process *process;
	struct bay_process_exit end;
	size_t size;

	(void)request;
	if (bay_process_run(&options, argument, strlen(argument), 0, &process, BAY_INHERIT) == BAY_OK) {
		saw(seen, "%s", bay_process_captured(process, BAY_STDOUT, &size));
		saw(seen, "%zu", size);
		bay_process_close(process);
	}
	if (start("echo out; echo err >&2; exit 4", &process) == BAY_OK) {
		saw(seen, "%s", bay_status_name(bay_process_communicate(process, NULL, 0, 100, &end, BAY_INHERIT)));
		see_exit(seen, &end);
		saw(seen, "%zu", strlen(bay_process_captured(process, BAY_STDOUT, NULL)));
		bay_process_close(process);
	}
	options.argv = missing;
	saw(seen, "%s", bay_status_name(bay_process_run(&options, NULL, 0, 0, &process, BAY_INHERIT)));
	saw(seen, "(%s)", bay_process_error());
}

/* The end of a process as one of several things. */
static void
see_process_select(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_process *process;
	struct bay_case cases[2] = {bay_case_of(BAY_CASE_NONE)};
	struct bay_process_exit end;
	size_t index = 9;

	(void)request;
	(void)argument;
	if (start("read x; exit 5", &process) != BAY_OK)
		return;
	cases[1] = bay_case_process(process);
	saw(seen, "%s", bay_status_name(bay_select(cases, 2, &index, bay_after(10 * BAY_MS))));
	bay_fd_close(bay_process_take_fd(process, BAY_STDIN));
	saw(seen, "%s", bay_status_name(bay_select(cases, 2, &index, bay_after(10 * BAY_SECOND))));
	saw(seen, "%zu %s", index, bay_status_name(cases[1].status));
	if (bay_process_poll(process, &end) == BAY_OK)
		see_exit(seen, &end);
	bay_process_close(process);
}

/* Starts a script, forgets it, and says what it says first. */
static void
see_process_forget(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_process *process;
	char text[256];
	ssize_t got;

	(void)request;
	if (start(argument, &process) != BAY_OK ||
		bay_wait_fd(bay_process_fd(process, BAY_STDOUT), BAY_READABLE, BAY_INHERIT) != BAY_OK)
		return;
	got = read(bay_process_fd(process, BAY_STDOUT), text, sizeof text - 1);
	if (got > 0)
		saw(seen, "%d %.*s", (int)bay_process_pid(process), (int)got - 1, text);
}

const struct operation process_operations[] = {
	{"process", see_process, NULL},
	{"process-run", see_process_run, NULL},
	{"process-select", see_process_select, NULL},
	{"process-forget", see_process_forget, NULL},
	{NULL, NULL, NULL}
};
