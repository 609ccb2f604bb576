/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects, channels with options, tickers and descriptors, cut short at each await in turn. */
#include "config.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bay/select.h>

#include "base/log.h"
#include "support/cancel_points.h"
#include "support/run_tasks.h"

enum { SHORT = 20 * 1000, ITEMS = 6 };

#define EVERYWHERE(name, least)                                             \
	static int name##_main(void *arg);                                      \
	START_TEST(name)                                                        \
	{                                                                       \
		const struct points_scenario scenario = {.run = run_tasks,          \
			.body = name##_main, .check = run_tasks_check_nothing_left,     \
			.one_loop = true};                                              \
		ck_assert(log_to_file("/dev/null"));                                \
		run_tasks_begin();                                                  \
		ck_assert_uint_ge(points_everywhere(&scenario), least);             \
		run_tasks_end();                                                    \
	}                                                                       \
	END_TEST                                                                \
	static int name##_main(void *arg __attribute__((unused)))

static int letters[ITEMS];

/* Two channels; each item goes into one of them and comes out of one. */
struct flow {
	struct bay_channel *channels[2];
	int fd;
	size_t put, got;
};

static int
put_by_select(void *arg)
{
	struct flow *flow = arg;

	for (int i = 0; i < ITEMS; i++) {
		struct bay_case cases[] = {bay_case_put(flow->channels[0], &letters[i]),
			bay_case_put(flow->channels[1], &letters[i])};
		size_t index;
		int status;

		cases[0].bytes = cases[1].bytes = (size_t)i % 4;
		status = points_expect(bay_select(cases, 2, &index, BAY_INHERIT));
		if (status != BAY_OK)
			return status;
		ck_assert_int_eq(cases[index].status, BAY_OK);
		flow->put++;
	}
	return BAY_OK;
}

static int
get_by_select(void *arg)
{
	struct flow *flow = arg;

	while (flow->got < ITEMS) {
		struct bay_case cases[] = {bay_case_get(flow->channels[0]), bay_case_get(flow->channels[1]),
			bay_case_fd(flow->fd, BAY_READABLE), bay_case_time(bay_after(3600 * BAY_SECOND))};
		size_t index;
		int status = points_expect(bay_select(cases, 4, &index, BAY_INHERIT));

		if (status != BAY_OK)
			return status;
		ck_assert_uint_lt(index, 2);
		ck_assert_int_eq(cases[index].status, BAY_OK);
		flow->got++;
		ck_assert_int_eq(bay_channel_done(flow->channels[index]), BAY_OK);
	}
	return BAY_OK;
}

EVERYWHERE(selects_lose_and_double_nothing, 4)
{
	struct bay_channel_options options = {.length = sizeof options, .capacity = 1, .capacity_bytes = 3,
		.order = BAY_PRIORITY};
	struct flow flow = {{bay_channel_create_with(&options), bay_channel_create(0)},
		eventfd(0, EFD_CLOEXEC), 0, 0};
	struct bay_task *tasks[] = {bay_spawn("put", put_by_select, &flow),
		bay_spawn("get", get_by_select, &flow)};
	int status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));

	/* Whoever was cut short: what went in came out or is still in. */
	ck_assert_uint_eq(flow.put, flow.got + bay_channel_size(flow.channels[0]));
	ck_assert_uint_eq(bay_channel_unfinished(flow.channels[0]), bay_channel_size(flow.channels[0]));
	ck_assert_uint_eq(bay_channel_unfinished(flow.channels[1]), 0);
	for (int i = 0; i < 2; i++) {
		bay_task_free(tasks[i]);
		bay_channel_destroy(flow.channels[i]);
	}
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	close(flow.fd);
	return status;
}

/* Cut short or not, it writes: somebody waits for that. */
static int
write_to(void *fd)
{
	uint64_t one = 1;
	int status = points_expect(bay_yield());

	ck_assert_int_eq(write(*(int *)fd, &one, sizeof one), (int)sizeof one);
	return status;
}

EVERYWHERE(waits_for_descriptors_leave_no_watch, 2)
{
	int fd = eventfd(0, EFD_CLOEXEC), status;
	struct bay_task *task = bay_spawn("writes", write_to, &fd);

	status = points_expect(bay_wait_fd(fd, BAY_READABLE, BAY_INHERIT));
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	if (bay_gather(&task, 1, BAY_INHERIT) == BAY_OK)
		ck_assert_uint_eq(bay_fd_ready(fd, BAY_READABLE), BAY_READABLE);
	bay_task_free(task);
	close(fd);
	return status;
}

/* A tick that is overdue is not waited for. */
EVERYWHERE(tickers_and_walls_end_when_told, 1)
{
	struct bay_ticker *ticker = bay_ticker_create(BAY_MS);
	int status = BAY_OK;

	for (int i = 0; i < 3 && status == BAY_OK; i++)
		status = points_expect(bay_ticker_next(ticker, NULL, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_sleep_until_wall(bay_wall() + SHORT));
	bay_ticker_destroy(ticker);
	return status;
}

static int
finish_later(void *arg)
{
	struct bay_channel *channel = arg;
	void *item;
	int status;

	while ((status = bay_channel_get(channel, &item, BAY_INHERIT)) != BAY_CLOSED) {
		if (points_expect(status) == BAY_OK)
			status = points_expect(bay_yield());
		if (status != BAY_OK)
			return status;
		ck_assert_int_eq(bay_channel_done(channel), BAY_OK);
	}
	return BAY_OK;
}

static int
put_and_join(void *arg)
{
	struct bay_channel *channel = arg;
	int status = BAY_OK;

	for (int i = 0; i < ITEMS && status == BAY_OK; i++)
		status = points_expect(bay_channel_put(channel, &letters[i], BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_channel_join(channel, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_uint_eq(bay_channel_unfinished(channel), 0);
	bay_channel_close(channel);
	return status;
}

/* Who finishes may be who is cut short: the join ends because they are gathered. */
EVERYWHERE(joins_of_channels_end, 4)
{
	struct bay_channel *channel = bay_channel_create(2);
	struct bay_task *tasks[] = {bay_spawn("worker", finish_later, channel),
		bay_spawn("puts", put_and_join, channel)};
	int status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));

	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_channel_destroy(channel);
	return status;
}

CHECK_MAIN("io/select, everywhere",
	selects_lose_and_double_nothing,
	waits_for_descriptors_leave_no_watch,
	tickers_and_walls_end_when_told,
	joins_of_channels_end)
