/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_channel.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "support/check_main.h"

enum { CALLS_MAX = 8 };

/* One call and what became of it. */
struct answer {
	unsigned count;
	enum cell_reply_kind kind;
	enum bay_status status;
	bool by_handler;
	char message[128];
	json_int_t n;
	size_t fds;
};

/* The master's channel, and the cell's end in the same process. */
struct link {
	struct event_base *base;
	struct cell_channel *channel;
	int cell_fd;
	struct varlink_stream cell;
	unsigned called;
	int gift; /* what calls of the cell are answered with */
	char notices[128];
	char broken[128];
	struct answer answers[CALLS_MAX];
};

/* Answers as the method asks: with a descriptor, or not at all well. */
static void
on_called(const char *method, const json_t *parameters, struct cell_answer *answer, void *arg)
{
	struct link *link = arg;

	link->called++;
	ck_assert_int_eq(answer->status, BAY_OK);
	ck_assert_int_eq(answer->fd, -1);
	if (strcmp(method, "io.bayd.Cell.Give") == 0) {
		answer->fd = dup(link->gift);
	} else if (strcmp(method, "io.bayd.Cell.Refuse") == 0) {
		/* What goes with a failure goes nowhere. */
		answer->fd = dup(link->gift);
		answer->status = BAY_BUSY;
		ck_assert(buffer_printf(&answer->message, "%s has it",
			json_string_value(json_object_get(parameters, "who"))));
	}
}

static void
on_notice(const char *method, const json_t *parameters, void *arg)
{
	struct link *link = arg;

	(void)parameters;
	strcat(link->notices, method);
}

static void
on_broken(const char *why, void *arg)
{
	struct link *link = arg;

	ck_assert_str_eq(link->broken, "");
	snprintf(link->broken, sizeof(link->broken), "%s", why);
}

static void
on_reply(const struct cell_reply *reply, void *arg)
{
	struct answer *answer = arg;

	answer->count++;
	answer->kind = reply->kind;
	answer->status = reply->status;
	answer->by_handler = reply->by_handler;
	snprintf(answer->message, sizeof(answer->message), "%s", reply->message);
	answer->n = json_integer_value(json_object_get(reply->parameters, "n"));
	answer->fds = reply->fds->count;
}

static void
link_open(struct link *link)
{
	struct cell_channel_watcher watcher = {.called = on_called, .notice = on_notice,
		.broken = on_broken, .arg = link};
	int fds[2];

	memset(link, 0, sizeof(*link));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	link->base = event_base_new();
	link->gift = open("/dev/null", O_RDONLY | O_CLOEXEC);
	link->channel = cell_channel_create(link->base, fds[0], &watcher);
	ck_assert_ptr_nonnull(link->channel);
	link->cell_fd = fds[1];
	varlink_stream_init(&link->cell, fds[1], &varlink_limits_cell);
}

static void
link_close(struct link *link)
{
	cell_channel_destroy(link->channel, "the end");
	varlink_stream_finish(&link->cell);
	fd_close(&link->cell_fd);
	fd_close(&link->gift);
	event_base_free(link->base);
}

static void
call(struct link *link, unsigned i, int64_t timeout_ns)
{
	cell_channel_call(link->channel, "io.bayd.Cell.Test", json_pack("{s:i}", "n", (int)i), -1,
		timeout_ns, on_reply, &link->answers[i]);
}

/* Lets the channel send and receive what it can. */
static void
turn(struct link *link)
{
	event_base_loop(link->base, EVLOOP_NONBLOCK);
	event_base_loop(link->base, EVLOOP_NONBLOCK);
}

/* The cell takes the next call, and gives its id and the n of its parameters. */
static int64_t
cell_take(struct link *link, json_int_t *n_r)
{
	enum varlink_result result;
	struct varlink_call call_in;
	struct varlink_fds fds;
	const char *why;
	json_t *frame;

	turn(link);
	while ((result = varlink_stream_take(&link->cell, &frame, &fds)) == VARLINK_MORE)
		ck_assert_int_eq(varlink_stream_receive(&link->cell), VARLINK_STREAM_OK);
	ck_assert_int_eq(result, VARLINK_OK);
	ck_assert_int_eq(varlink_call_decode(frame, &call_in, &why), VARLINK_OK);
	ck_assert(call_in.has_id);
	*n_r = json_integer_value(json_object_get(call_in.parameters, "n"));
	varlink_fds_close(&fds);
	json_decref(frame);
	return call_in.id;
}

static void
cell_answer(struct link *link, int64_t id, const char *error, json_t *parameters, int fd)
{
	struct varlink_reply reply = {.error = error, .parameters = parameters, .has_id = true,
		.id = id};

	ck_assert(varlink_stream_send_reply(&link->cell, &reply, &fd, fd >= 0));
	ck_assert_int_eq(varlink_stream_flush(&link->cell), VARLINK_STREAM_OK);
	json_decref(parameters);
	turn(link);
}

START_TEST(replies_in_any_order_find_their_calls)
{
	struct link link;
	int64_t ids[3];
	json_int_t n;

	link_open(&link);
	for (unsigned i = 0; i < 3; i++)
		call(&link, i, 0);
	for (unsigned i = 0; i < 3; i++) {
		ids[i] = cell_take(&link, &n);
		ck_assert_int_eq(n, i);
	}
	for (unsigned i = 3; i-- > 0;)
		cell_answer(&link, ids[i], NULL, json_pack("{s:i}", "n", (int)i * 10), -1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(link.answers[i].count, 1);
		ck_assert_int_eq(link.answers[i].kind, CELL_REPLY_DONE);
		ck_assert_int_eq(link.answers[i].n, i * 10);
	}
	link_close(&link);
}
END_TEST

START_TEST(nobody_is_called_back_before_the_call_returns)
{
	struct link link;

	link_open(&link);
	fd_close(&link.cell_fd);
	call(&link, 0, 0);
	ck_assert_uint_eq(link.answers[0].count, 0);
	turn(&link);
	link.cell_fd = -1;
	link_close(&link);
	ck_assert_uint_eq(link.answers[0].count, 1);
}
END_TEST

START_TEST(a_failure_carries_its_status_and_message)
{
	struct link link;
	json_int_t n;

	link_open(&link);
	call(&link, 0, 0);
	cell_answer(&link, cell_take(&link, &n), "io.bayd.Cell.Failed",
		json_pack("{s:s, s:s}", "status", "full", "message", "no room"), -1);
	ck_assert_int_eq(link.answers[0].kind, CELL_REPLY_FAILED);
	ck_assert_int_eq(link.answers[0].status, BAY_FULL);
	ck_assert_str_eq(link.answers[0].message, "no room");
	ck_assert(!link.answers[0].by_handler);
	link_close(&link);
}
END_TEST

START_TEST(a_failure_of_a_handler_is_told_from_one_of_the_cell)
{
	struct link link;
	json_int_t n;

	link_open(&link);
	call(&link, 0, 0);
	cell_answer(&link, cell_take(&link, &n), "io.bayd.Cell.HandlerFailed",
		json_pack("{s:s, s:s}", "status", "not-found", "message", "no such page"), -1);
	ck_assert_int_eq(link.answers[0].kind, CELL_REPLY_FAILED);
	ck_assert_int_eq(link.answers[0].status, BAY_NOT_FOUND);
	ck_assert(link.answers[0].by_handler);
	link_close(&link);
}
END_TEST

START_TEST(a_reply_can_bring_a_descriptor_which_is_closed_if_nobody_takes_it)
{
	struct link link;
	json_int_t n;
	int next;

	link_open(&link);
	call(&link, 0, 0);
	cell_answer(&link, cell_take(&link, &n), NULL, json_object(),
		open("/dev/null", O_RDONLY | O_CLOEXEC));
	ck_assert_uint_eq(link.answers[0].fds, 1);
	next = open("/dev/null", O_RDONLY);
	close(next);
	call(&link, 1, 0);
	cell_answer(&link, cell_take(&link, &n), NULL, json_object(),
		open("/dev/null", O_RDONLY | O_CLOEXEC));
	ck_assert_int_eq(open("/dev/null", O_RDONLY), next);
	close(next);
	link_close(&link);
}
END_TEST

START_TEST(a_cell_that_never_answers_leaves_nothing_of_a_call_that_was_cancelled)
{
	struct link link;

	link_open(&link);
	cell_channel_cancel(link.channel, cell_channel_call(link.channel, "io.test.Do", NULL, -1,
		20 * CLOCK_NS_PER_MS, on_reply, &link.answers[0]));
	while (!cell_channel_is_idle(link.channel))
		event_base_loop(link.base, EVLOOP_ONCE);
	ck_assert_int_eq(link.answers[0].kind, CELL_REPLY_SILENT);
	link_close(&link);
}
END_TEST

START_TEST(silence_ends_in_an_answer_and_a_late_reply_is_ignored)
{
	struct link link;
	json_int_t n;
	int64_t id;

	link_open(&link);
	call(&link, 0, 20 * CLOCK_NS_PER_MS);
	call(&link, 1, 0);
	id = cell_take(&link, &n);
	while (link.answers[0].count == 0)
		event_base_loop(link.base, EVLOOP_ONCE);
	ck_assert_int_eq(link.answers[0].kind, CELL_REPLY_SILENT);
	ck_assert_int_eq(link.answers[0].status, BAY_TIMEOUT);
	ck_assert_str_eq(link.answers[0].message, "the cell did not answer within 20ms");
	cell_answer(&link, id, NULL, NULL, -1);
	ck_assert_uint_eq(link.answers[0].count, 1);
	ck_assert_uint_eq(link.answers[1].count, 0);
	ck_assert_str_eq(link.broken, "");
	link_close(&link);
}
END_TEST

START_TEST(calls_under_way_learn_of_the_end_and_its_reason)
{
	struct link link;

	link_open(&link);
	call(&link, 0, 0);
	call(&link, 1, CLOCK_NS_PER_S);
	link_close(&link);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(link.answers[i].count, 1);
		ck_assert_int_eq(link.answers[i].kind, CELL_REPLY_DIED);
		ck_assert_int_eq(link.answers[i].status, BAY_PEER_DIED);
		ck_assert_str_eq(link.answers[i].message, "the end");
	}
}
END_TEST

START_TEST(a_closed_socket_is_told_once)
{
	struct link link;

	link_open(&link);
	fd_close(&link.cell_fd);
	turn(&link);
	turn(&link);
	ck_assert_str_eq(link.broken, "it closed its control socket");
	link_close(&link);
}
END_TEST

START_TEST(rubbish_breaks_the_channel)
{
	static const char *const rubbish[] = {"no json", "{\"id\":1", "[]", "{\"method\":7}",
		"{\"error\":7}"};

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		struct link link;

		link_open(&link);
		ck_assert_int_gt(write(link.cell_fd, rubbish[i], strlen(rubbish[i]) + 1), 0);
		turn(&link);
		ck_assert_msg(link.broken[0] != '\0', "%s", rubbish[i]);
		link_close(&link);
	}
}
END_TEST

START_TEST(a_reply_to_a_call_that_was_never_made_does_no_harm)
{
	struct link link;
	json_int_t n;

	link_open(&link);
	call(&link, 0, 0);
	cell_answer(&link, 4711, NULL, NULL, -1);
	ck_assert_uint_eq(link.answers[0].count, 0);
	cell_answer(&link, cell_take(&link, &n), NULL, NULL, -1);
	ck_assert_uint_eq(link.answers[0].count, 1);
	link_close(&link);
}
END_TEST

START_TEST(notices_come_without_having_been_asked_for)
{
	struct varlink_call notice = {.method = "io.bayd.Cell.Failed", .oneway = true};
	struct link link;

	link_open(&link);
	ck_assert(varlink_stream_send_call(&link.cell, &notice, NULL, 0));
	ck_assert_int_eq(varlink_stream_flush(&link.cell), VARLINK_STREAM_OK);
	turn(&link);
	ck_assert_str_eq(link.notices, "io.bayd.Cell.Failed");
	link_close(&link);
}
END_TEST

/* --- calls of the cell ------------------------------------------------------------- */

static void
cell_call(struct link *link, int64_t id, const char *method, json_t *parameters)
{
	struct varlink_call call = {.method = method, .parameters = parameters, .has_id = true,
		.id = id};

	ck_assert(varlink_stream_send_call(&link->cell, &call, NULL, 0));
	json_decref(parameters);
}

/* The cell reads the next answer, which is to the call with this id. */
static void
cell_expect(struct link *link, int64_t id, const char *status, size_t fds_wanted)
{
	enum varlink_result result;
	struct varlink_reply reply;
	struct varlink_fds fds;
	const char *why;
	json_t *frame;

	while ((result = varlink_stream_take(&link->cell, &frame, &fds)) == VARLINK_MORE) {
		ck_assert_int_ne(varlink_stream_flush(&link->cell), VARLINK_STREAM_FAILED);
		turn(link);
		ck_assert_int_eq(varlink_stream_receive(&link->cell), VARLINK_STREAM_OK);
	}
	ck_assert_int_eq(result, VARLINK_OK);
	ck_assert_int_eq(varlink_reply_decode(frame, &reply, &why), VARLINK_OK);
	ck_assert(reply.has_id);
	ck_assert_int_eq(reply.id, id);
	ck_assert_uint_eq(fds.count, fds_wanted);
	if (reply.error == NULL) {
		ck_assert_str_eq(status, "ok");
	} else {
		ck_assert_str_eq(reply.error, "io.bayd.Cell.Failed");
		ck_assert_str_eq(json_string_value(json_object_get(reply.parameters, "status")), status);
	}
	varlink_fds_close(&fds);
	json_decref(frame);
}

START_TEST(calls_of_the_cell_are_answered_in_their_order)
{
	struct link link;

	link_open(&link);
	cell_call(&link, 7, "io.bayd.Cell.Give", NULL);
	cell_call(&link, 8, "io.bayd.Cell.Refuse", json_pack("{s:s}", "who", "b"));
	cell_call(&link, 9, "io.bayd.Cell.Nothing", NULL);
	cell_expect(&link, 7, "ok", 1);
	cell_expect(&link, 8, "busy", 0);
	cell_expect(&link, 9, "ok", 0);
	ck_assert_uint_eq(link.called, 3);
	ck_assert_str_eq(link.notices, "");
	link_close(&link);
}
END_TEST

static unsigned
open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(a_cell_that_calls_and_does_not_read_is_not_read_from_either)
{
	enum { MANY = 3000 };
	struct link link;
	unsigned before, called;

	link_open(&link);
	before = open_descriptors();
	for (int64_t id = 0; id < MANY; id++)
		cell_call(&link, id, "io.bayd.Cell.Give", NULL);
	do {
		called = link.called;
		ck_assert_int_ne(varlink_stream_flush(&link.cell), VARLINK_STREAM_FAILED);
		turn(&link);
	} while (link.called > called);
	ck_assert_uint_lt(called, MANY);
	/* What is on its way is nobody's. */
	ck_assert_uint_le(open_descriptors(), before + 1);
	for (int64_t id = 0; id < MANY; id++)
		cell_expect(&link, id, "ok", 1);
	ck_assert_uint_eq(link.called, MANY);
	ck_assert_uint_eq(open_descriptors(), before);
	/* And it is heard again as it was before. */
	call(&link, 0, 0);
	link_close(&link);
}
END_TEST

START_TEST(a_cell_that_ends_with_calls_under_way_leaves_nothing)
{
	struct link link;
	unsigned before;

	link_open(&link);
	before = open_descriptors();
	/* More than it is given before it has to read. */
	for (int64_t id = 0; id < 1000; id++)
		cell_call(&link, id, "io.bayd.Cell.Give", NULL);
	ck_assert_int_ne(varlink_stream_flush(&link.cell), VARLINK_STREAM_FAILED);
	turn(&link);
	ck_assert_uint_gt(link.called, 0);
	ck_assert_uint_lt(link.called, 1000);
	fd_close(&link.cell_fd);
	turn(&link);
	turn(&link);
	cell_channel_drain(link.channel);
	ck_assert_str_ne(link.broken, "");
	/* The answer that it did not take any more is still there; its end of the link is not. */
	ck_assert_uint_le(open_descriptors(), before);
	link.cell_fd = -1;
	link_close(&link);
}
END_TEST

START_TEST(the_last_words_of_a_cell_that_has_closed_are_drained)
{
	struct varlink_reply reply = {.has_id = true};
	struct link link;
	json_int_t n;

	link_open(&link);
	call(&link, 0, 0);
	reply.id = cell_take(&link, &n);
	ck_assert(varlink_stream_send_reply(&link.cell, &reply, NULL, 0));
	ck_assert_int_eq(varlink_stream_flush(&link.cell), VARLINK_STREAM_OK);
	fd_close(&link.cell_fd);
	cell_channel_drain(link.channel);
	ck_assert_int_eq(link.answers[0].kind, CELL_REPLY_DONE);
	ck_assert_uint_eq(link.answers[0].count, 1);
	link_close(&link);
}
END_TEST

CHECK_MAIN("master/cell_channel",
	replies_in_any_order_find_their_calls,
	nobody_is_called_back_before_the_call_returns,
	a_failure_carries_its_status_and_message,
	a_failure_of_a_handler_is_told_from_one_of_the_cell,
	a_reply_can_bring_a_descriptor_which_is_closed_if_nobody_takes_it,
	a_cell_that_never_answers_leaves_nothing_of_a_call_that_was_cancelled,
	silence_ends_in_an_answer_and_a_late_reply_is_ignored,
	calls_under_way_learn_of_the_end_and_its_reason,
	a_closed_socket_is_told_once,
	rubbish_breaks_the_channel,
	a_reply_to_a_call_that_was_never_made_does_no_harm,
	notices_come_without_having_been_asked_for,
	calls_of_the_cell_are_answered_in_their_order,
	a_cell_that_calls_and_does_not_read_is_not_read_from_either,
	a_cell_that_ends_with_calls_under_way_leaves_nothing,
	the_last_words_of_a_cell_that_has_closed_are_drained)
