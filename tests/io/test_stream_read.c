/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/streams.h"

enum { LONG = 300000 };

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

/* Expects a line, without its end. */
static void
assert_line(struct bay_stream *stream, const char *wanted)
{
	char *line;
	size_t size;

	ck_assert_int_eq(bay_stream_read_line(stream, 1000, &line, &size, soon()), BAY_OK);
	ck_assert_str_eq(line, wanted);
	ck_assert_uint_eq(size, strlen(wanted));
}

/* One who reads a line. */
struct reader {
	struct bay_stream *stream;
	int status;
	char text[64];
};

static int
read_a_line(void *arg)
{
	struct reader *reader = arg;
	char *line;

	reader->status = bay_stream_read_line(reader->stream, 1000, &line, NULL, BAY_INHERIT);
	if (reader->status == BAY_OK)
		strncpy(reader->text, line, sizeof reader->text - 1);
	return BAY_OK;
}

static struct bay_task *
start(struct reader *reader)
{
	struct bay_task *task = bay_spawn("reader", read_a_line, reader);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

TASK_TEST(a_read_gives_what_there_is)
{
	char bytes[100];
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "abc");
	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(memcmp(bytes, "abc", 3), 0);
	ck_assert_int_eq(bay_stream_read(stream, bytes, 0, &size, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, bay_after(0)), BAY_TIMEOUT);
	ck_assert_uint_eq(size, 0);
	streams_say(fd, "defg");
	ck_assert_int_eq(bay_stream_read(stream, bytes, 2, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, 2);
	ck_assert_uint_eq(bay_stream_unread(stream), 2);
	close(fd);
	ck_assert(!bay_stream_at_eof(stream));
	ck_assert_int_eq(bay_stream_read(stream, bytes, 100, &size, soon()), BAY_OK);
	ck_assert_int_eq(memcmp(bytes, "fg", 2), 0);
	ck_assert_int_eq(bay_stream_read(stream, bytes, 100, &size, soon()), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_read(stream, bytes, 100, &size, soon()), BAY_CLOSED);
	ck_assert(bay_stream_at_eof(stream));
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(lines_come_without_their_ends)
{
	char *line;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "one\ntwo\r\n\n\r\nfive\rnot\nhal");
	assert_line(stream, "one");
	assert_line(stream, "two");
	assert_line(stream, "");
	assert_line(stream, "");
	assert_line(stream, "five\rnot");
	ck_assert_int_eq(bay_stream_read_line(stream, 1000, &line, &size, bay_after(0)), BAY_TIMEOUT);
	ck_assert_uint_eq(size, 0);
	streams_say(fd, "f\nrest");
	assert_line(stream, "half");
	close(fd);
	/* What has no end is told apart. */
	ck_assert_int_eq(bay_stream_read_line(stream, 1000, &line, &size, soon()), BAY_CLOSED);
	ck_assert_str_eq(line, "rest");
	ck_assert_uint_eq(size, 4);
	ck_assert_int_eq(bay_stream_read_line(stream, 1000, &line, &size, soon()), BAY_CLOSED);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_line_that_comes_byte_by_byte_is_whole)
{
	struct reader reader = {.status = -1};
	int fd;
	struct bay_task *task;

	reader.stream = streams_tcp(&fd, NULL);
	task = start(&reader);
	for (const char *c = "slow\r\n"; *c != '\0'; c++) {
		char text[2] = {*c, '\0'};

		ck_assert(!bay_task_done(task));
		streams_say(fd, text);
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	}
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_str_eq(reader.text, "slow");
	close(fd);
	bay_stream_abort(reader.stream);
	return BAY_OK;
}

TASK_TEST(a_line_that_is_too_long_stays_until_it_is_dropped)
{
	char *line;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	/* With its end there, and without. */
	streams_say(fd, "123456\nok\n1234567");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(bay_stream_read_line(stream, 5, &line, &size, soon()), BAY_TOO_BIG);
		ck_assert_uint_eq(size, 0);
	}
	ck_assert_int_eq(bay_stream_skip_until(stream, "\n", 1, soon()), BAY_OK);
	assert_line(stream, "ok");
	ck_assert_int_eq(bay_stream_read_line(stream, 5, &line, &size, soon()), BAY_TOO_BIG);
	streams_say(fd, "89\nagain\r\nmore");
	ck_assert_int_eq(bay_stream_skip_until(stream, "\n", 1, soon()), BAY_OK);
	/* As long as allowed, whatever its end. */
	ck_assert_int_eq(bay_stream_read_line(stream, 5, &line, &size, soon()), BAY_OK);
	ck_assert_str_eq(line, "again");
	close(fd);
	ck_assert_int_eq(bay_stream_read_line(stream, 3, &line, &size, soon()), BAY_TOO_BIG);
	ck_assert_int_eq(bay_stream_skip_until(stream, "\n", 1, soon()), BAY_CLOSED);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* Writes a long text in blocks, as it is taken. */
static int
write_long(void *arg)
{
	struct bay_stream *stream = arg;
	static char block[1000];
	int status = BAY_OK;

	memset(block, 'x', sizeof block);
	for (int i = 0; i < LONG / 1000 && status == BAY_OK; i++)
		status = bay_stream_write(stream, block, sizeof block, BAY_INHERIT);
	return status == BAY_OK ? bay_stream_write(stream, "\nend\n", 5, BAY_INHERIT) : status;
}

TASK_TEST(an_endless_line_costs_no_more_than_its_limit)
{
	struct bay_stream *writer, *reader;
	struct bay_task *task;
	char *line;

	ck_assert_int_eq(bay_stream_pair(&writer, &reader), BAY_OK);
	task = bay_spawn("writer", write_long, writer);
	ck_assert_int_eq(bay_stream_read_line(reader, 10000, &line, NULL, soon()), BAY_TOO_BIG);
	ck_assert_uint_le(bay_stream_unread(reader), 10000 + STREAM_BUFFER_MIN * 4);
	ck_assert_int_eq(bay_stream_skip_until(reader, "\n", 1, soon()), BAY_OK);
	assert_line(reader, "end");
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_stream_abort(writer);
	bay_stream_abort(reader);
	return BAY_OK;
}

TASK_TEST(a_long_line_comes_whole)
{
	struct bay_stream *writer, *reader;
	struct bay_task *task;
	char *line;
	size_t size;

	ck_assert_int_eq(bay_stream_pair(&writer, &reader), BAY_OK);
	task = bay_spawn("writer", write_long, writer);
	ck_assert_int_eq(bay_stream_read_line(reader, LONG, &line, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, LONG);
	ck_assert_uint_eq(strspn(line, "x"), LONG);
	assert_line(reader, "end");
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_stream_abort(writer);
	bay_stream_abort(reader);
	return BAY_OK;
}

TASK_TEST(separators_may_be_long_and_come_in_pieces)
{
	char *data;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "a--b--");
	ck_assert_int_eq(bay_stream_read_until(stream, "--+", 3, 100, &data, &size, bay_after(0)), BAY_TIMEOUT);
	streams_say(fd, "+c-");
	ck_assert_int_eq(bay_stream_read_until(stream, "--+", 3, 100, &data, &size, soon()), BAY_OK);
	ck_assert_str_eq(data, "a--b");
	ck_assert_uint_eq(size, 4);
	/* Dropping keeps what may be the beginning of a separator. */
	ck_assert_int_eq(bay_stream_skip_until(stream, "--+", 3, bay_after(0)), BAY_TIMEOUT);
	streams_say(fd, "-+d");
	ck_assert_int_eq(bay_stream_skip_until(stream, "--+", 3, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_until(stream, "", 0, 100, &data, &size, soon()), BAY_INVALID);
	close(fd);
	ck_assert_int_eq(bay_stream_read_until(stream, "--+", 3, 100, &data, &size, soon()), BAY_CLOSED);
	ck_assert_str_eq(data, "d");
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(reading_exactly_says_how_much_came)
{
	char bytes[10];
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "line\nabcdef");
	assert_line(stream, "line");
	ck_assert_int_eq(bay_stream_read_exactly(stream, bytes, 4, &size, soon()), BAY_OK);
	ck_assert_int_eq(memcmp(bytes, "abcd", 4), 0);
	/* Cut short: go on behind what came. */
	ck_assert_int_eq(bay_stream_read_exactly(stream, bytes, 4, &size, bay_after(0)), BAY_TIMEOUT);
	ck_assert_uint_eq(size, 2);
	streams_say(fd, "ghi");
	ck_assert_int_eq(bay_stream_read_exactly(stream, bytes + size, 4 - size, NULL, soon()), BAY_OK);
	ck_assert_int_eq(memcmp(bytes, "efgh", 4), 0);
	close(fd);
	ck_assert_int_eq(bay_stream_read_exactly(stream, bytes, 4, &size, soon()), BAY_CLOSED);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(bytes[0], 'i');
	ck_assert_int_eq(bay_stream_read_exactly(stream, bytes, 0, &size, soon()), BAY_OK);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(many_bytes_can_be_read_exactly)
{
	struct bay_stream *writer, *reader;
	static char bytes[LONG];
	struct bay_task *task;

	ck_assert_int_eq(bay_stream_pair(&writer, &reader), BAY_OK);
	task = bay_spawn("writer", write_long, writer);
	ck_assert_int_eq(bay_stream_read_exactly(reader, bytes, sizeof bytes, NULL, soon()), BAY_OK);
	ck_assert_int_eq(bytes[LONG - 1], 'x');
	assert_line(reader, "");
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_stream_abort(writer);
	bay_stream_abort(reader);
	return BAY_OK;
}

TASK_TEST(all_can_be_read_to_the_end_within_a_limit)
{
	char *data;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "all of it");
	ck_assert_int_eq(bay_stream_read_all(stream, 100, &data, &size, bay_after(0)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_stream_read_all(stream, 8, &data, &size, soon()), BAY_TOO_BIG);
	close(fd);
	ck_assert_int_eq(bay_stream_read_all(stream, 9, &data, &size, soon()), BAY_OK);
	ck_assert_str_eq(data, "all of it");
	ck_assert_uint_eq(size, 9);
	ck_assert_int_eq(bay_stream_read_all(stream, 9, &data, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, 0);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(a_reset_is_no_end)
{
	char *line;
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	streams_say(fd, "before\nhalf");
	assert_line(stream, "before");
	streams_reset(fd);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_IO);
	ck_assert_str_eq(bay_stream_error(stream), "read: Connection reset by peer");
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_IO);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	return BAY_OK;
}

/* The kernel tells of it once: who asks second must not take it for an end. */
TASK_TEST(a_reset_that_a_write_was_told_of_is_no_end_for_a_read)
{
	int64_t limit_ns = soon();
	char *line;
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	streams_reset(fd);
	while (bay_stream_write(stream, "x", 1, soon()) == BAY_OK && bay_now() < limit_ns)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_IO);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* Data and reset come before anybody looks: one report of the kernel for both. */
TASK_TEST(what_came_with_a_reset_does_not_hide_it)
{
	char bytes[4096];
	size_t size;
	int status;
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, bay_after(0)), BAY_TIMEOUT);
	streams_say(fd, "x");
	streams_reset(fd);
	/* The kernel may have dropped the byte with the connection. */
	status = bay_stream_read(stream, bytes, sizeof bytes, &size, soon());
	if (status == BAY_OK)
		status = bay_stream_read(stream, bytes, sizeof bytes, &size, soon());
	ck_assert_int_eq(status, BAY_IO);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* The same with an end. */
TASK_TEST(what_came_with_the_end_does_not_hide_it)
{
	char bytes[4096];
	size_t size;
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, bay_after(0)), BAY_TIMEOUT);
	streams_say(fd, "x");
	close(fd);
	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read(stream, bytes, sizeof bytes, &size, soon()), BAY_CLOSED);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(one_task_at_a_time_reads)
{
	struct reader first = {.status = -1};
	char bytes[10], *line;
	size_t size;
	int fd;
	struct bay_task *task;

	first.stream = streams_pair(&fd, NULL);
	task = start(&first);
	ck_assert_int_eq(bay_stream_read(first.stream, bytes, sizeof bytes, &size, soon()), BAY_BUSY);
	/* Nor after the first has been woken and before it runs. */
	streams_say(fd, "for the first\n");
	stream_wake_readers(first.stream, BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(first.stream, 100, &line, NULL, soon()), BAY_BUSY);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_str_eq(first.text, "for the first");
	close(fd);
	bay_stream_abort(first.stream);
	return BAY_OK;
}

TASK_TEST(closing_lets_a_reader_go)
{
	struct reader readers[2] = {{.status = -1}, {.status = -1}};
	struct bay_task *tasks[2];
	int fds[2];

	for (int i = 0; i < 2; i++) {
		readers[i].stream = streams_pair(&fds[i], NULL);
		tasks[i] = start(&readers[i]);
	}
	ck_assert_int_eq(bay_stream_close(readers[0].stream, soon()), BAY_OK);
	bay_stream_abort(readers[1].stream);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(bay_join(tasks[i], soon()), BAY_OK);
		ck_assert_int_eq(readers[i].status, BAY_CLOSED);
		close(fds[i]);
	}
	return BAY_OK;
}

/* Reads on and on, always finding something. */
static int
read_greedily(void *arg)
{
	struct bay_stream *stream = arg;
	char byte;
	size_t size;

	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(bay_stream_read(stream, &byte, 1, &size, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

TASK_TEST(who_always_finds_something_lets_others_run)
{
	static char text[2001];
	struct bay_task *task;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	memset(text, 'x', 2000);
	streams_say(fd, text);
	task = bay_spawn("greedy", read_greedily, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(task));
	ck_assert_uint_gt(bay_stream_unread(stream), 0);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(a_quiet_stream_holds_no_buffer)
{
	struct reader reader = {.status = -1};
	struct bay_task *task;
	int fd;

	reader.stream = streams_pair(&fd, NULL);
	streams_say(fd, "a\n");
	assert_line(reader.stream, "a");
	ck_assert_ptr_nonnull(reader.stream->input.data);
	task = start(&reader);
	ck_assert_ptr_null(reader.stream->input.data);
	streams_say(fd, "b\n");
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	close(fd);
	bay_stream_abort(reader.stream);
	return BAY_OK;
}

TASK_TEST(it_asks_for_as_much_as_comes)
{
	struct bay_stream *writer, *reader;
	struct bay_task *task;
	char *line;
	int quiet = 0;

	ck_assert_int_eq(bay_stream_pair(&writer, &reader), BAY_OK);
	task = bay_spawn("writer", write_long, writer);
	ck_assert_int_eq(bay_stream_read_line(reader, LONG, &line, NULL, soon()), BAY_OK);
	ck_assert_uint_gt(reader->read_size, STREAM_BUFFER_MIN);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	assert_line(reader, "end");
	while (reader->read_size > STREAM_BUFFER_MIN && quiet++ < 20) {
		ck_assert_int_eq(bay_stream_write(writer, "few\n", 4, soon()), BAY_OK);
		assert_line(reader, "few");
	}
	ck_assert_uint_eq(reader->read_size, STREAM_BUFFER_MIN);
	bay_stream_abort(writer);
	bay_stream_abort(reader);
	return BAY_OK;
}

/* A peer may make the kernel give less than there is, here by urgent data in the middle. */
TASK_TEST(urgent_data_does_not_stop_a_stream)
{
	char bytes[4096];
	size_t size;
	int fd, status = BAY_OK;
	int64_t limit_ns = soon();
	size_t total = 0;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	streams_say(fd, "before");
	ck_assert_int_eq(send(fd, "!", 1, MSG_OOB), 1);
	streams_say(fd, "after");
	while (total < 11 && status == BAY_OK) {
		status = bay_stream_read(stream, bytes, sizeof bytes, &size, limit_ns);
		total += size;
	}
	ck_assert_int_eq(status, BAY_OK);
	ck_assert_uint_eq(total, 11);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

CHECK_MAIN("io/stream_read",
	a_read_gives_what_there_is,
	lines_come_without_their_ends,
	a_line_that_comes_byte_by_byte_is_whole,
	a_line_that_is_too_long_stays_until_it_is_dropped,
	an_endless_line_costs_no_more_than_its_limit,
	a_long_line_comes_whole,
	separators_may_be_long_and_come_in_pieces,
	reading_exactly_says_how_much_came,
	many_bytes_can_be_read_exactly,
	all_can_be_read_to_the_end_within_a_limit,
	a_reset_is_no_end,
	a_reset_that_a_write_was_told_of_is_no_end_for_a_read,
	what_came_with_a_reset_does_not_hide_it,
	what_came_with_the_end_does_not_hide_it,
	one_task_at_a_time_reads,
	closing_lets_a_reader_go,
	who_always_finds_something_lets_others_run,
	a_quiet_stream_holds_no_buffer,
	it_asks_for_as_much_as_comes,
	urgent_data_does_not_stop_a_stream)
