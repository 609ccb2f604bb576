/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/select.h>, <bay/fd.h>, <bay/ticker.h> */
#include <fcntl.h>
#include <unistd.h>

#include "toolbox.h"

static char one[] = "one", two[] = "two";

struct writer {
	int fd;
	struct bay_channel *channel;
};

static int
write_one(void *arg)
{
	const struct writer *writer = arg;

	return write(writer->fd, "a", 1) == 1 ? BAY_OK : BAY_IO;
}

static int
put_one(void *arg)
{
	const struct writer *writer = arg;

	return bay_channel_put(writer->channel, one, BAY_INHERIT);
}

static void
see_case(struct seen *seen, struct bay_case *cases, size_t count)
{
	size_t index = 99;
	int status = bay_select(cases, count, &index, bay_after(5 * BAY_SECOND));

	if (status != BAY_OK)
		saw(seen, "%s", bay_status_name(status));
	else
		saw(seen, "%zu %s", index, bay_status_name(cases[index].status));
}

/* Each case happens once while the others do not. */
static void
see_select(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct writer writer = {.channel = bay_channel_create(0)};
	struct bay_channel *out = bay_channel_create(0);
	struct bay_task *task = bay_spawn("puts", put_one, &writer);
	int ends[2] = {-1, -1};
	struct bay_case cases[] = {bay_case_get(writer.channel), bay_case_put(out, two),
		bay_case_task(NULL), bay_case_fd(-1, BAY_READABLE), bay_case_time(BAY_INHERIT)};

	(void)request;
	(void)argument;
	cases[2].kind = cases[3].kind = BAY_CASE_NONE;
	see_case(seen, cases, 5);
	saw(seen, "%s", (const char *)cases[0].item);
	bay_join(task, BAY_INHERIT);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		saw(seen, "no-pipe");
	writer.fd = ends[1];
	cases[3] = bay_case_fd(ends[0], BAY_READABLE);
	task = bay_spawn("writes", write_one, &writer);
	see_case(seen, cases, 5);
	cases[2] = bay_case_task(task);
	cases[3].kind = BAY_CASE_NONE;
	see_case(seen, cases, 5);
	bay_join(task, BAY_INHERIT);
	cases[2].kind = BAY_CASE_NONE;
	cases[4] = bay_case_time(bay_after(10 * BAY_MS));
	see_case(seen, cases, 5);
	bay_channel_close(out);
	see_case(seen, cases, 2);
	close(ends[0]);
	close(ends[1]);
	bay_channel_destroy(out);
	bay_channel_destroy(writer.channel);
}

static int
wait_readable(void *fd)
{
	return bay_wait_fd(*(int *)fd, BAY_READABLE, BAY_INHERIT);
}

static void
see_descriptors(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *tasks[2];
	int ends[2];

	(void)request;
	(void)argument;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	saw(seen, "%u %u", bay_fd_ready(ends[0], BAY_READABLE), bay_fd_ready(ends[1], BAY_WRITABLE));
	saw(seen, "%s", bay_status_name(bay_wait_fd(ends[1], BAY_WRITABLE, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_wait_fd(ends[0], BAY_READABLE, bay_after(10 * BAY_MS))));
	tasks[0] = bay_spawn("reads", wait_readable, &ends[0]);
	bay_yield();
	if (write(ends[1], "a", 1) == 1)
		saw(seen, "%s", bay_status_name(bay_join(tasks[0], BAY_INHERIT)));
	saw(seen, "%u", bay_fd_ready(ends[0], BAY_READABLE));
	if (read(ends[0], &(char){0}, 1) != 1)
		saw(seen, "nothing-read");
	tasks[1] = bay_spawn("reads", wait_readable, &ends[0]);
	bay_yield();
	saw(seen, "%s", bay_status_name(bay_fd_close(ends[0])));
	saw(seen, "%s", bay_status_name(bay_join(tasks[1], BAY_INHERIT)));
	bay_fd_close(ends[1]);
}

static void
see_ticks(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_ticker *ticker = bay_ticker_create(5 * BAY_MS);
	int64_t first_ns = bay_ticker_when(ticker);
	uint64_t missed = 0;
	struct bay_case one_case = bay_case_tick(ticker);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_ticker_next(ticker, &missed, BAY_INHERIT)));
	saw(seen, bay_now() >= first_ns ? "in-time" : "early");
	bay_sleep(23 * BAY_MS);
	saw(seen, "%s", bay_status_name(bay_ticker_next(ticker, &missed, BAY_INHERIT)));
	saw(seen, missed >= 2 ? "missed-some" : "bunched");
	saw(seen, (bay_ticker_when(ticker) - first_ns) % (5 * BAY_MS) == 0 ? "no-drift" : "drift");
	see_case(seen, &one_case, 1);
	saw(seen, "%s", bay_status_name(bay_ticker_reset(ticker, 3600 * BAY_SECOND)));
	saw(seen, "%s", bay_status_name(bay_ticker_next(ticker, NULL, bay_after(10 * BAY_MS))));
	bay_ticker_destroy(ticker);
}

static void
see_wall(struct bay_request *request, const char *argument, struct seen *seen)
{
	int64_t when_ns = bay_wall() + 20 * BAY_MS;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_sleep_until_wall(when_ns)));
	saw(seen, bay_wall() >= when_ns ? "slept" : "too-short");
	saw(seen, "%s", bay_status_name(bay_sleep_until_wall(0)));
}

const struct operation select_operations[] = {
	{"select", see_select, NULL},
	{"descriptors", see_descriptors, NULL},
	{"ticks", see_ticks, NULL},
	{"sleep-wall", see_wall, NULL},
	{NULL, NULL, NULL}
};
