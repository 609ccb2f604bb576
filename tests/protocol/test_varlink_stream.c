/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/varlink_stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"

struct pair {
	int fd[2];
	struct varlink_stream stream[2];
};

static void
pair_open(struct pair *pair)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair->fd), 0);
	for (int i = 0; i < 2; i++)
		varlink_stream_init(&pair->stream[i], pair->fd[i], &varlink_limits_server);
}

static void
pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		varlink_stream_finish(&pair->stream[i]);
		fd_close(&pair->fd[i]);
	}
}

static unsigned
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Sends a call whose method tells it apart, with a pipe's end for each of count. */
static void
send_call(struct varlink_stream *stream, const char *method, size_t count)
{
	struct varlink_call call = {.method = method};
	int fds[VARLINK_STREAM_FDS_MAX];

	for (size_t i = 0; i < count; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert(varlink_stream_send_call(stream, &call, fds, count));
}

static void
take_call(struct varlink_stream *stream, const char *method, size_t count)
{
	struct varlink_fds fds;
	json_t *frame;
	enum varlink_result result;

	while ((result = varlink_stream_take(stream, &frame, &fds)) == VARLINK_MORE)
		ck_assert_int_eq(varlink_stream_receive(stream), VARLINK_STREAM_OK);
	ck_assert_int_eq(result, VARLINK_OK);
	ck_assert_str_eq(json_string_value(json_object_get(frame, "method")), method);
	ck_assert_uint_eq(fds.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_ne(fcntl(fds.fd[i], F_GETFD) & FD_CLOEXEC, 0);
	varlink_fds_close(&fds);
	json_decref(frame);
}

START_TEST(frames_go_both_ways)
{
	struct pair pair;
	struct varlink_reply reply = {.has_id = true, .id = 5};
	struct varlink_fds fds;
	json_t *frame;

	pair_open(&pair);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_AGAIN);
	send_call(&pair.stream[0], "a.A", 0);
	send_call(&pair.stream[0], "a.B", 0);
	ck_assert_uint_gt(varlink_stream_pending(&pair.stream[0]), 0);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	ck_assert_uint_eq(varlink_stream_pending(&pair.stream[0]), 0);
	take_call(&pair.stream[1], "a.A", 0);
	ck_assert(varlink_stream_has_frame(&pair.stream[1]));
	take_call(&pair.stream[1], "a.B", 0);
	ck_assert(!varlink_stream_has_frame(&pair.stream[1]));

	ck_assert(varlink_stream_send_reply(&pair.stream[1], &reply, NULL, 0));
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[1]), VARLINK_STREAM_OK);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[0]), VARLINK_STREAM_OK);
	ck_assert_int_eq(varlink_stream_take(&pair.stream[0], &frame, &fds), VARLINK_OK);
	ck_assert_int_eq(json_integer_value(json_object_get(frame, "id")), 5);
	json_decref(frame);
	pair_close(&pair);
}
END_TEST

START_TEST(descriptors_arrive_with_the_frame_they_were_sent_with)
{
	static const struct {
		const char *method;
		size_t count;
	} frames[] = {{"a.A", 0}, {"a.B", 1}, {"a.C", 0}, {"a.D", 0}, {"a.E", 4}, {"a.F", 2},
		{"a.G", 0}};
	struct pair pair;

	pair_open(&pair);
	for (size_t i = 0; i < 7; i++)
		send_call(&pair.stream[0], frames[i].method, frames[i].count);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	for (size_t i = 0; i < 7; i++)
		take_call(&pair.stream[1], frames[i].method, frames[i].count);
	pair_close(&pair);
}
END_TEST

/* All that has come of it is one byte, right behind the frame before. */
START_TEST(descriptors_of_a_frame_that_has_only_begun_wait_for_its_end)
{
	struct pair pair;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	pair_open(&pair);
	send_call(&pair.stream[0], "a.A", 0);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	ck_assert_int_eq(fd_send_with(pair.fd[0], "{", 1, &null, 1), 1);
	take_call(&pair.stream[1], "a.A", 0);
	ck_assert_int_eq(send(pair.fd[0], "\"method\":\"a.B\"}", 16, 0), 16);
	take_call(&pair.stream[1], "a.B", 1);
	close(null);
	pair_close(&pair);
}
END_TEST

/* A frame too large for the socket's buffer, with descriptors, and one behind it. */
START_TEST(descriptors_of_a_frame_that_comes_in_pieces_arrive_with_it)
{
	struct pair pair;
	char *text = malloc(200001);
	json_t *parameters;
	struct varlink_call call = {.method = "a.Large"};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int small = 4096;
	enum varlink_result result = VARLINK_MORE;
	struct varlink_fds fds;
	json_t *frame;

	memset(text, 'x', 200000);
	text[200000] = '\0';
	parameters = json_pack("{s:s}", "text", text);
	pair_open(&pair);
	ck_assert_int_eq(setsockopt(pair.fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	call.parameters = parameters;
	send_call(&pair.stream[0], "a.Before", 0);
	ck_assert(varlink_stream_send_call(&pair.stream[0], &call, &fd, 1));
	send_call(&pair.stream[0], "a.After", 2);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_AGAIN);
	take_call(&pair.stream[1], "a.Before", 0);
	while ((result = varlink_stream_take(&pair.stream[1], &frame, &fds)) == VARLINK_MORE) {
		ck_assert_int_ne(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_REFUSED);
		ck_assert_int_ne(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_FAILED);
	}
	ck_assert_int_eq(result, VARLINK_OK);
	ck_assert_uint_eq(fds.count, 1);
	varlink_fds_close(&fds);
	json_decref(frame);
	while (varlink_stream_pending(&pair.stream[0]) > 0)
		ck_assert_int_ne(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_FAILED);
	take_call(&pair.stream[1], "a.After", 2);
	json_decref(parameters);
	free(text);
	pair_close(&pair);
}
END_TEST

START_TEST(the_beginning_of_a_frame_is_told_from_none_and_from_all_of_it)
{
	struct pair pair;

	pair_open(&pair);
	ck_assert(!varlink_stream_has_part(&pair.stream[1]));
	ck_assert_int_eq(write(pair.fd[0], "{\"method\":", 10), 10);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_OK);
	ck_assert(varlink_stream_has_part(&pair.stream[1]));
	ck_assert_int_eq(write(pair.fd[0], "\"a.B\"}", 7), 7);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_OK);
	ck_assert(!varlink_stream_has_part(&pair.stream[1]));
	take_call(&pair.stream[1], "a.B", 0);
	ck_assert(!varlink_stream_has_part(&pair.stream[1]));
	pair_close(&pair);
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
	unsigned before = open_fds();
	struct pair pair;

	pair_open(&pair);
	send_call(&pair.stream[0], "a.A", 2);
	send_call(&pair.stream[0], "a.B", 2);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	ck_assert_uint_eq(open_fds(), before + 2);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_OK);
	send_call(&pair.stream[0], "a.C", 3);
	pair_close(&pair);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

START_TEST(more_descriptors_than_a_frame_may_have_are_refused)
{
	unsigned before = open_fds();
	struct pair pair;
	int fds[VARLINK_STREAM_FDS_MAX + 1];
	struct varlink_call call = {.method = "a.A"};

	for (int i = 0; i <= VARLINK_STREAM_FDS_MAX; i++)
		fds[i] = STDIN_FILENO;
	pair_open(&pair);
	ck_assert(!varlink_stream_send_call(&pair.stream[0], &call, fds, VARLINK_STREAM_FDS_MAX + 1));
	ck_assert_uint_eq(varlink_stream_pending(&pair.stream[0]), 0);
	ck_assert_int_eq(fd_send_with(pair.fd[0], "{", 1, fds, VARLINK_STREAM_FDS_MAX + 1), 1);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_REFUSED);
	ck_assert_uint_gt(strlen(varlink_stream_error(&pair.stream[1])), 0);
	pair_close(&pair);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

START_TEST(descriptors_cannot_be_piled_up_by_a_frame_that_never_ends)
{
	unsigned before = open_fds();
	struct pair pair;
	int fds[VARLINK_STREAM_FDS_MAX] = {0};
	enum varlink_stream_result result = VARLINK_STREAM_OK;
	int sent = 0;

	pair_open(&pair);
	while (result == VARLINK_STREAM_OK) {
		ck_assert_int_eq(fd_send_with(pair.fd[0], " ", 1, fds, VARLINK_STREAM_FDS_MAX), 1);
		sent++;
		result = varlink_stream_receive(&pair.stream[1]);
	}
	ck_assert_int_eq(result, VARLINK_STREAM_REFUSED);
	ck_assert_int_eq(sent, 3);
	pair_close(&pair);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

START_TEST(a_frame_over_the_limit_is_refused_with_the_reason)
{
	struct pair pair;
	char *text = malloc(300000);
	enum varlink_stream_result result = VARLINK_STREAM_OK;
	size_t sent = 0;

	memset(text, 'x', 300000);
	pair_open(&pair);
	while (result == VARLINK_STREAM_OK || result == VARLINK_STREAM_AGAIN) {
		ssize_t n = send(pair.fd[0], text + sent, 300000 - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		result = varlink_stream_receive(&pair.stream[1]);
	}
	ck_assert_int_eq(result, VARLINK_STREAM_REFUSED);
	ck_assert_str_eq(varlink_stream_error(&pair.stream[1]), "the frame is larger than the limit");
	pair_close(&pair);
	free(text);
}
END_TEST

START_TEST(junk_is_refused_with_the_reason)
{
	struct pair pair;
	struct varlink_fds fds;
	json_t *frame;

	pair_open(&pair);
	ck_assert_int_eq(send(pair.fd[0], "GET /\0", 6, 0), 6);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_OK);
	ck_assert_int_eq(varlink_stream_take(&pair.stream[1], &frame, &fds), VARLINK_NOT_OBJECT);
	ck_assert_str_eq(varlink_stream_error(&pair.stream[1]), "the frame is no JSON object");
	pair_close(&pair);
}
END_TEST

START_TEST(the_end_of_the_other_side_is_seen_when_reading_and_writing)
{
	struct pair pair;

	pair_open(&pair);
	fd_close(&pair.fd[0]);
	ck_assert_int_eq(varlink_stream_receive(&pair.stream[1]), VARLINK_STREAM_CLOSED);
	send_call(&pair.stream[1], "a.A", 1);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[1]), VARLINK_STREAM_CLOSED);
	pair_close(&pair);
}
END_TEST

START_TEST(a_call_that_cannot_be_written_is_not_queued)
{
	struct pair pair;
	struct varlink_call call = {.method = "\xff"};

	pair_open(&pair);
	ck_assert(!varlink_stream_send_call(&pair.stream[0], &call, NULL, 0));
	ck_assert_uint_eq(varlink_stream_pending(&pair.stream[0]), 0);
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	send_call(&pair.stream[0], "a.A", 0);
	ck_assert(!varlink_stream_send_call(&pair.stream[0], &call, NULL, 0));
	ck_assert_int_eq(varlink_stream_flush(&pair.stream[0]), VARLINK_STREAM_OK);
	take_call(&pair.stream[1], "a.A", 0);
	pair_close(&pair);
}
END_TEST

CHECK_MAIN("protocol/varlink_stream",
	frames_go_both_ways,
	descriptors_arrive_with_the_frame_they_were_sent_with,
	descriptors_of_a_frame_that_has_only_begun_wait_for_its_end,
	descriptors_of_a_frame_that_comes_in_pieces_arrive_with_it,
	the_beginning_of_a_frame_is_told_from_none_and_from_all_of_it,
	no_descriptor_is_left_open,
	more_descriptors_than_a_frame_may_have_are_refused,
	descriptors_cannot_be_piled_up_by_a_frame_that_never_ends,
	a_frame_over_the_limit_is_refused_with_the_reason,
	junk_is_refused_with_the_reason,
	the_end_of_the_other_side_is_seen_when_reading_and_writing,
	a_call_that_cannot_be_written_is_not_queued)
