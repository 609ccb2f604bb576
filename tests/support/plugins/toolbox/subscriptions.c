/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/signal.h>, <bay/watch.h> */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "toolbox.h"

static void
see_signals(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_signal *signal, *refused;
	struct bay_signal_info info = {0, 0, 0};
	struct bay_case one;
	size_t index;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_signal_open(SIGTERM, &refused)));
	saw(seen, "%s", bay_status_name(bay_signal_open(SIGUSR1, &signal)));
	saw(seen, "%s", bay_status_name(bay_signal_next(signal, &info, bay_after(10 * BAY_MS))));
	kill(getpid(), SIGUSR1);
	saw(seen, "%s", bay_status_name(bay_signal_next(signal, &info, bay_after(10 * BAY_SECOND))));
	saw(seen, "%d %s", (int)info.count, info.pid == getpid() ? "from-me" : "from-somebody");
	one = bay_case_signal(signal, &info);
	kill(getpid(), SIGUSR1);
	saw(seen, "%s %d", bay_status_name(bay_select(&one, 1, &index, bay_after(10 * BAY_SECOND))), (int)info.count);
	bay_signal_close(signal);
}

/* Stays open: the service has it until it ends. */
static void
see_signal_wait(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_signal *signal;
	struct bay_signal_info info;

	(void)request;
	(void)argument;
	if (bay_signal_open(SIGHUP, &signal) != BAY_OK)
		return;
	saw(seen, "%s", bay_status_name(bay_signal_next(signal, &info, bay_after(30 * BAY_SECOND))));
	saw(seen, "%d", (int)info.count);
}

/* In the directory of the daemon, under a name that the argument makes. */
static void
see_watch(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_watch_event event = {0, ""};
	struct bay_watch *watch;
	struct bay_case one;
	size_t index;
	int fd;

	(void)request;
	saw(seen, "%s", bay_status_name(bay_watch_open("/no/such/directory", 0, &watch)));
	saw(seen, "%s", bay_status_name(bay_watch_open(argument, BAY_WATCH_WRITTEN | BAY_WATCH_DELETED, &watch)));
	if (watch == NULL)
		return;
	saw(seen, "%s", bay_status_name(bay_watch_next(watch, &event, bay_after(10 * BAY_MS))));
	fd = open(argument, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	saw(seen, "%s", bay_status_name(bay_watch_next(watch, &event, bay_after(10 * BAY_SECOND))));
	saw(seen, "%s %u", event.name, event.what);
	one = bay_case_watch(watch, &event);
	unlink(argument);
	saw(seen, "%s", bay_status_name(bay_select(&one, 1, &index, bay_after(10 * BAY_SECOND))));
	saw(seen, "%s %u", event.name, event.what);
	bay_watch_close(watch);
}

const struct operation subscription_operations[] = {
	{"signals", see_signals, NULL},
	{"signal-wait", see_signal_wait, NULL},
	{"watch-file", see_watch, NULL},
	{NULL, NULL, NULL}
};
