/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams and listeners, cut short at each await in turn: no descriptor is left, and no byte lost
 * or doubled that was said to be written. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bay/listener.h>
#include <bay/select.h>
#include <bay/stream.h>

#include "support/cancel_everywhere.h"
#include "support/streams.h"

enum { BLOCK = 30000, BLOCKS = 8 };

static char block[BLOCK];

/* After each run, with everything closed: what is open was so before. */
static unsigned fds_before;

static void
check_fds(void)
{
	run_tasks_check_nothing_left();
	if (fds_before == 0)
		fds_before = streams_open_fds();
	ck_assert_uint_eq(streams_open_fds(), fds_before);
}

/* The two ends of a pair, and what went through. */
struct flow {
	struct bay_stream *from, *to;
	size_t written, read;
};

static int
write_blocks(void *arg)
{
	struct flow *flow = arg;
	int status = BAY_OK;

	for (int i = 0; i < BLOCKS && status == BAY_OK; i++) {
		status = points_expect(bay_stream_write(flow->from, block, BLOCK, BAY_INHERIT));
		if (status == BAY_OK)
			flow->written += BLOCK;
	}
	if (status == BAY_OK)
		status = points_expect(bay_stream_drain(flow->from, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_int_eq(bay_stream_write_eof(flow->from), BAY_OK);
	return status;
}

static int
read_blocks(void *arg)
{
	struct flow *flow = arg;
	static char bytes[BLOCK];
	size_t size;

	for (;;) {
		int status = bay_stream_read_exactly(flow->to, bytes, sizeof bytes, &size, BAY_INHERIT);

		flow->read += size;
		if (status == BAY_CLOSED)
			return BAY_OK;
		if (points_expect(status) != BAY_OK)
			return status;
	}
}

EVERYWHERE(streams_lose_and_double_nothing, 3, check_fds)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = BLOCK, .low_water = 100};
	struct flow flow = {.from = NULL};
	struct bay_task *tasks[2];
	int status;

	ck_assert_int_eq(bay_stream_pair(&flow.from, &flow.to), BAY_OK);
	ck_assert_int_eq(bay_stream_configure(flow.from, &options), BAY_OK);
	tasks[0] = bay_spawn("writes", write_blocks, &flow);
	tasks[1] = bay_spawn("reads", read_blocks, &flow);
	status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));
	if (status == BAY_OK)
		ck_assert_uint_eq(flow.written, flow.read);
	ck_assert_uint_le(flow.read, flow.written);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_stream_abort(flow.from);
	(void)bay_stream_close(flow.to, BAY_INHERIT);
	return status;
}

/* Lines there and back, all the ways to read. */
static int
answer(void *arg)
{
	struct bay_stream *stream = arg;
	char *line, exact[4];
	size_t size;
	int status = BAY_OK;

	TRY(bay_stream_read_line(stream, 100, &line, &size, BAY_INHERIT));
	ck_assert_str_eq(line, "line");
	TRY(bay_stream_write(stream, "a", 1, BAY_INHERIT));
	TRY(bay_stream_read_until(stream, "--", 2, 100, &line, &size, BAY_INHERIT));
	ck_assert_str_eq(line, "until");
	TRY(bay_stream_write(stream, "b", 1, BAY_INHERIT));
	TRY(bay_stream_skip_until(stream, "++", 2, BAY_INHERIT));
	TRY(bay_stream_write(stream, "c", 1, BAY_INHERIT));
	TRY(bay_stream_read_exactly(stream, exact, 4, NULL, BAY_INHERIT));
	ck_assert_int_eq(memcmp(exact, "four", 4), 0);
	TRY(bay_stream_write(stream, "d", 1, BAY_INHERIT));
	TRY(bay_stream_read_all(stream, 100, &line, &size, BAY_INHERIT));
	ck_assert_str_eq(line, "all");
	return status;
}

static int
ask(void *arg)
{
	struct bay_stream *stream = arg;
	static const char *const parts[] = {"line\n", "until--", "skipped++", "four", "all"};
	size_t size;
	char byte;

	for (int i = 0; i < 5; i++) {
		size_t half = strlen(parts[i]) / 2;

		TRY(bay_stream_write(stream, parts[i], half, BAY_INHERIT));
		TRY(bay_yield());
		TRY(bay_stream_write(stream, parts[i] + half, strlen(parts[i]) - half, BAY_INHERIT));
		if (i < 4)
			TRY(bay_stream_read(stream, &byte, 1, &size, BAY_INHERIT));
	}
	return bay_stream_write_eof(stream);
}

EVERYWHERE(dialogues_end_when_told, 8, check_fds)
{
	struct bay_stream *a, *b;
	struct bay_task *tasks[2];
	int status;

	ck_assert_int_eq(bay_stream_pair(&a, &b), BAY_OK);
	tasks[0] = bay_spawn("asks", ask, a);
	tasks[1] = bay_spawn("answers", answer, b);
	status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	(void)bay_stream_close(a, BAY_INHERIT);
	(void)bay_stream_close(b, BAY_INHERIT);
	return status;
}

/* A close waits for a slow reader. */
static int
read_late(void *arg)
{
	int status = points_expect(bay_yield());

	(void)streams_hear(*(int *)arg);
	return status;
}

EVERYWHERE(closes_end_when_told, 2, check_fds)
{
	struct bay_task *task;
	int fd, status;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	while (bay_stream_unsent(stream) == 0 && bay_stream_write(stream, block, 5000, BAY_INHERIT) == BAY_OK)
		;
	task = bay_spawn("reads", read_late, &fd);
	status = points_expect(bay_stream_close(stream, BAY_INHERIT));
	if (bay_gather(&task, 1, BAY_INHERIT) != BAY_OK && status == BAY_OK)
		status = points_expect(BAY_CANCELED);
	bay_task_free(task);
	close(fd);
	return status;
}

/* A server and its visitors; the last of them closes it. */
struct house {
	struct bay_listener *listener;
	int visitors;
};

static int
greet(struct bay_stream *stream, void *arg)
{
	char *line;
	int status = bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT);

	(void)arg;
	return status == BAY_OK ? bay_stream_write(stream, "welcome\n", 8, BAY_INHERIT) : status;
}

static int
serve(void *arg)
{
	struct house *house = arg;
	int status = bay_serve(house->listener, greet, NULL, 1, BAY_INHERIT);

	return status == BAY_CLOSED ? BAY_OK : status;
}

static int
visit(void *arg)
{
	struct house *house = arg;
	struct bay_address address;
	struct bay_stream *stream;
	char *line;
	int status;

	bay_listener_address(house->listener, &address);
	TRY(bay_connect_to(&address, NULL, &stream, BAY_INHERIT));
	status = bay_stream_write(stream, "hello\n", 6, BAY_INHERIT);
	if (status == BAY_OK)
		status = bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT);
	bay_stream_abort(stream);
	if (--house->visitors == 0) {
		bay_listener_close(house->listener);
		house->listener = NULL;
	}
	/* Who served may have been cut short. */
	return status == BAY_CLOSED || status == BAY_IO ? points_expect(BAY_CANCELED) : points_expect(status);
}

EVERYWHERE(servers_leave_no_connection, 4, check_fds)
{
	struct house house = {.visitors = 2};
	struct bay_task *tasks[3];
	int status = points_expect(bay_listen("127.0.0.1:0", NULL, &house.listener, BAY_INHERIT));

	if (status != BAY_OK)
		return status;
	tasks[0] = bay_spawn("serve", serve, &house);
	tasks[1] = bay_spawn("visits", visit, &house);
	tasks[2] = bay_spawn("visits too", visit, &house);
	status = points_expect(bay_gather(tasks, 3, BAY_INHERIT));
	for (int i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	bay_listener_close(house.listener);
	return status;
}

/* A select accepts, another reads; each as it comes. */
static int
select_all(void *arg)
{
	struct bay_case cases[] = {bay_case_accept(arg), bay_case_read(NULL)};
	int status = BAY_OK;
	char byte;
	size_t index, size;

	while (status == BAY_OK) {
		status = bay_select(cases, 2, &index, BAY_INHERIT);
		if (status != BAY_OK)
			break;
		ck_assert(cases[index].status == BAY_OK || cases[index].status == BAY_CLOSED);
		if (index == 0) {
			cases[1] = bay_case_read(cases[0].stream);
			cases[0] = bay_case_accept(NULL);
			continue;
		}
		status = bay_stream_read(cases[1].stream, &byte, 1, &size, BAY_INHERIT);
		break;
	}
	bay_stream_abort(cases[1].stream);
	return status == BAY_CLOSED ? BAY_OK : status;
}

static int
say_one(void *arg)
{
	struct bay_address address;
	struct bay_stream *stream;

	bay_listener_address(arg, &address);
	TRY(bay_connect_to(&address, NULL, &stream, BAY_INHERIT));
	(void)bay_stream_write(stream, "x", 1, BAY_INHERIT);
	(void)bay_stream_close(stream, BAY_INHERIT);
	return BAY_OK;
}

EVERYWHERE(selects_leave_no_connection, 3, check_fds)
{
	struct bay_listener *listener;
	struct bay_task *tasks[2];
	int status = points_expect(bay_listen("127.0.0.1:0", NULL, &listener, BAY_INHERIT));

	if (status != BAY_OK)
		return status;
	tasks[0] = bay_spawn("selects", select_all, listener);
	tasks[1] = bay_spawn("says", say_one, listener);
	status = bay_gather(tasks, 2, BAY_INHERIT);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_listener_close(listener);
	return status == BAY_TIMEOUT || status == BAY_CANCELED ? status : points_expect(status);
}

CHECK_MAIN("io/stream, everywhere",
	streams_lose_and_double_nothing,
	dialogues_end_when_told,
	closes_end_when_told,
	servers_leave_no_connection,
	selects_leave_no_connection)
