/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <bay/channel.h>
#include <bay/listener.h>
#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/streams.h"

enum { CLIENTS = 5 };

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

/* What a bay_serve of the test knows. */
struct place {
	struct bay_listener *listener;
	bay_serve_fn *fn;
	unsigned most;
	unsigned here;       /* connections that are being served */
	unsigned highest;
	unsigned served;
	struct bay_channel *gate;  /* closed: lets those go who stand there */
	int64_t deadline;
};

static int
serve(void *arg)
{
	struct place *place = arg;

	return bay_serve(place->listener, place->fn, place, place->most, place->deadline);
}

static struct bay_task *
open_place(struct place *place, bay_serve_fn *fn, unsigned most)
{
	*place = (struct place){.fn = fn, .most = most, .gate = bay_channel_create(0), .deadline = BAY_INHERIT};
	ck_assert_int_eq(bay_listen("127.0.0.1:0", NULL, &place->listener, soon()), BAY_OK);
	return bay_spawn("serve", serve, place);
}

static struct bay_stream *
visit(const struct place *place)
{
	struct bay_address address;
	struct bay_stream *stream;

	bay_listener_address(place->listener, &address);
	ck_assert_int_eq(bay_connect_to(&address, NULL, &stream, soon()), BAY_OK);
	return stream;
}

static int
echo_lines(struct bay_stream *stream, void *arg)
{
	struct place *place = arg;
	char *line;
	size_t size;
	int status;

	place->served++;
	while ((status = bay_stream_read_line(stream, 100, &line, &size, BAY_INHERIT)) == BAY_OK) {
		line[size] = '\n';
		status = bay_stream_write(stream, line, size + 1, BAY_INHERIT);
		if (status != BAY_OK)
			return status;
	}
	return status == BAY_CLOSED ? BAY_OK : status;
}

static void
assert_echo(struct bay_stream *stream)
{
	char *line;

	ck_assert_int_eq(bay_stream_write(stream, "hello\n", 6, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "hello");
}

TASK_TEST(each_connection_has_its_task)
{
	struct bay_stream *streams[CLIENTS];
	struct place place;
	struct bay_task *task = open_place(&place, echo_lines, 100);

	for (int i = 0; i < CLIENTS; i++)
		streams[i] = visit(&place);
	for (int i = CLIENTS; i > 0; i--)
		assert_echo(streams[i - 1]);
	ck_assert_uint_eq(place.served, CLIENTS);
	bay_listener_close(place.listener);
	/* They go on, and it waits for them. */
	assert_echo(streams[0]);
	ck_assert(!bay_task_done(task));
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(bay_stream_close(streams[i], soon()), BAY_OK);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	bay_channel_destroy(place.gate);
	return BAY_OK;
}

static int
stand_at_the_gate(struct bay_stream *stream, void *arg)
{
	struct place *place = arg;
	void *item;
	int status;

	place->served++;
	if (++place->here > place->highest)
		place->highest = place->here;
	status = bay_channel_get(place->gate, &item, BAY_INHERIT);
	place->here--;
	if (status == BAY_CLOSED)
		return bay_stream_write(stream, "bye", 3, BAY_INHERIT);
	return status;
}

TASK_TEST(no_more_are_served_at_a_time_than_allowed)
{
	struct bay_stream *streams[CLIENTS];
	struct place place;
	struct bay_task *task = open_place(&place, stand_at_the_gate, 2);
	char text[128], *data;

	for (int i = 0; i < CLIENTS; i++)
		streams[i] = visit(&place);
	while (place.served < 2)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	ck_assert_uint_eq(place.served, 2);
	ck_assert_str_eq(task_waiting_on(task_of_handle(task), text, sizeof text),
		"bay_serve a connection to end");
	bay_channel_close(place.gate);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(bay_stream_read_all(streams[i], 10, &data, NULL, soon()), BAY_OK);
		ck_assert_str_eq(data, "bye");
		bay_stream_abort(streams[i]);
	}
	ck_assert_uint_eq(place.highest, 2);
	ck_assert_uint_eq(place.served, CLIENTS);
	bay_listener_close(place.listener);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	bay_channel_destroy(place.gate);
	return BAY_OK;
}

static int
break_down(struct bay_stream *stream, void *arg)
{
	char *line;

	(void)arg;
	(void)bay_stream_read_line(stream, 10, &line, NULL, BAY_INHERIT);
	(void)bay_stream_write(stream, "half", 4, BAY_INHERIT);
	return BAY_FAILED;
}

TASK_TEST(one_that_fails_is_reset_and_concerns_nobody_else)
{
	struct place place;
	struct bay_task *task = open_place(&place, break_down, 100);
	char *data;

	for (int i = 0; i < 2; i++) {
		struct bay_stream *stream = visit(&place);

		ck_assert_int_eq(bay_stream_write(stream, "go\n", 3, soon()), BAY_OK);
		ck_assert_int_eq(bay_stream_read_all(stream, 10, &data, NULL, soon()), BAY_IO);
		bay_stream_abort(stream);
	}
	bay_listener_close(place.listener);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	bay_channel_destroy(place.gate);
	return BAY_OK;
}

static void
check_cut(bool by_deadline)
{
	unsigned before = streams_open_fds();
	struct place place;
	struct bay_task *task = open_place(&place, stand_at_the_gate, 2);
	struct bay_stream *streams[CLIENTS];
	int status;

	if (by_deadline)
		place.deadline = bay_after(50 * BAY_MS);
	for (int i = 0; i < CLIENTS; i++)
		streams[i] = visit(&place);
	if (!by_deadline) {
		while (place.served < 2)
			ck_assert_int_eq(bay_yield(), BAY_OK);
		bay_task_cancel(task, "enough");
	}
	ck_assert_int_eq(bay_wait(&task, 1, BAY_UNTIL_ALL, soon()), BAY_OK);
	status = bay_task_status(task);
	ck_assert_int_eq(status, by_deadline ? BAY_TIMEOUT : BAY_CANCELED);
	bay_task_free(task);
	ck_assert_uint_eq(place.here, 0);
	for (int i = 0; i < CLIENTS; i++)
		bay_stream_abort(streams[i]);
	bay_listener_close(place.listener);
	bay_channel_destroy(place.gate);
	ck_assert_uint_le(streams_open_fds(), before + 1);
}

TASK_TEST(a_cancellation_ends_the_connections_too)
{
	check_cut(false);
	return BAY_OK;
}

TASK_TEST(a_deadline_ends_the_connections_too)
{
	check_cut(true);
	return BAY_OK;
}

TASK_TEST(what_makes_no_sense_is_refused)
{
	struct bay_listener *listener;

	ck_assert_int_eq(bay_listen("127.0.0.1:0", NULL, &listener, soon()), BAY_OK);
	ck_assert_int_eq(bay_serve(listener, NULL, NULL, 1, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_serve(listener, break_down, NULL, 0, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_serve(NULL, break_down, NULL, 1, soon()), BAY_INVALID);
	bay_listener_close(listener);
	return BAY_OK;
}

CHECK_MAIN("io/serving",
	each_connection_has_its_task,
	no_more_are_served_at_a_time_than_allowed,
	one_that_fails_is_reset_and_concerns_nobody_else,
	a_cancellation_ends_the_connections_too,
	a_deadline_ends_the_connections_too,
	what_makes_no_sense_is_refused)
