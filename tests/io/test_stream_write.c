/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/streams.h"
#include "support/temp_dir.h"

enum { LONG = 4 << 20 };

static char block[LONG];

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

/* One who writes size bytes once. */
struct writer {
	struct bay_stream *stream;
	size_t size;
	char letter;
	int status;
};

static int
write_once(void *arg)
{
	struct writer *writer = arg;
	char *bytes = malloc(writer->size);

	memset(bytes, writer->letter, writer->size);
	writer->status = bay_stream_write(writer->stream, bytes, writer->size, BAY_INHERIT);
	free(bytes);
	return BAY_OK;
}

static struct bay_task *
start(struct writer *writer)
{
	struct bay_task *task = bay_spawn("writer", write_once, writer);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
}

/* Reads size bytes from a descriptor, as they come. */
static void
hear_all(int fd, size_t size)
{
	int64_t limit_ns = soon();
	size_t total = 0;

	while (total < size && bay_now() < limit_ns) {
		total += streams_hear(fd);
		ck_assert_int_eq(bay_yield(), BAY_OK);
		if (total < size)
			ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	}
	ck_assert_uint_eq(total, size);
}

/* Writes until the kernel takes no more; returns how much that was. */
static size_t
fill(struct bay_stream *stream)
{
	size_t total = 0;

	while (bay_stream_unsent(stream) == 0) {
		ck_assert_int_eq(bay_stream_write(stream, block, 1024, soon()), BAY_OK);
		total += 1024;
	}
	return total;
}

TASK_TEST(what_is_written_arrives_at_once)
{
	char one[] = "one ", two[] = "two";
	const struct iovec pieces[] = {{one, 4}, {NULL, 0}, {two, 3}};
	char bytes[16];
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	ck_assert_int_eq(bay_stream_write(stream, "zero ", 5, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_writev(stream, pieces, 3, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_write(stream, "", 0, soon()), BAY_OK);
	ck_assert_int_eq(read(fd, bytes, sizeof bytes), 12);
	ck_assert_int_eq(memcmp(bytes, "zero one two", 12), 0);
	ck_assert_uint_eq(bay_stream_unsent(stream), 0);
	ck_assert_int_eq(bay_stream_drain(stream, soon()), BAY_OK);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(what_the_kernel_does_not_take_goes_out_by_itself)
{
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	size = fill(stream);
	ck_assert_uint_gt(bay_stream_unsent(stream), 0);
	hear_all(fd, size);
	ck_assert_uint_eq(bay_stream_unsent(stream), 0);
	/* And its buffer with it. */
	ck_assert_ptr_null(stream->output.data);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* By a pipe, out of which a page at a time goes. */
TASK_TEST(a_write_above_the_high_mark_waits_for_the_low_one)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = 40000, .low_water = 9000};
	struct writer writer = {.size = 100, .letter = 'b', .status = -1};
	struct bay_task *task;
	char page[4096];
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(bay_stream_open_fd(ends[1], &options, &writer.stream), BAY_OK);
	(void)fill(writer.stream);
	while (bay_stream_unsent(writer.stream) <= 40000)
		ck_assert_int_eq(bay_stream_write(writer.stream, block, 1024, bay_after(0)), BAY_OK);
	/* Nothing of it is written when it is cut short. */
	ck_assert_int_eq(bay_stream_write(writer.stream, block, 1, bay_after(0)), BAY_TIMEOUT);
	task = start(&writer);
	while (!bay_task_done(task)) {
		ck_assert_uint_le(bay_stream_unsent(writer.stream), 40000 + 1024);
		(void)!read(ends[0], page, sizeof page);
		ck_assert_int_eq(bay_sleep(BAY_MS / 10), BAY_OK);
	}
	end(task);
	ck_assert_int_eq(writer.status, BAY_OK);
	ck_assert_uint_le(bay_stream_unsent(writer.stream), 9000 + 100);
	close(ends[0]);
	bay_stream_abort(writer.stream);
	return BAY_OK;
}

/* Tells how often the letter changes on the way: once for each write that stayed together. */
static unsigned
count_changes(int fd, size_t size)
{
	unsigned changes = 0;
	int last = -1;
	size_t total = 0;
	int64_t limit_ns = soon();

	while (total < size && bay_now() < limit_ns) {
		ssize_t n = read(fd, block, sizeof block);

		for (ssize_t i = 0; i < n; i++) {
			changes += block[i] != last;
			last = block[i];
		}
		total += n > 0 ? (size_t)n : 0;
		ck_assert_int_eq(bay_sleep(BAY_MS / 10), BAY_OK);
	}
	ck_assert_uint_eq(total, size);
	return changes;
}

TASK_TEST(what_one_call_writes_stays_together_and_in_order)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = 1000};
	struct writer writers[3];
	struct bay_task *tasks[3];
	int fd;
	struct bay_stream *stream = streams_pair(&fd, &options);

	for (int i = 0; i < 3; i++) {
		writers[i] = (struct writer){.stream = stream, .size = 500000, .letter = (char)('a' + i), .status = -1};
		tasks[i] = start(&writers[i]);
	}
	ck_assert_uint_le(bay_stream_unsent(stream), 2000);
	ck_assert_uint_eq(count_changes(fd, 1500000), 3);
	for (int i = 0; i < 3; i++) {
		end(tasks[i]);
		ck_assert_int_eq(writers[i].status, BAY_OK);
	}
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* Even one that would fit. */
TASK_TEST(a_small_write_does_not_overtake_a_large_one)
{
	struct writer large = {.size = LONG, .letter = 'a', .status = -1};
	struct writer small = {.size = 10, .letter = 'b', .status = -1};
	struct bay_task *tasks[2];
	int fd;

	large.stream = small.stream = streams_pair(&fd, NULL);
	tasks[0] = start(&large);
	tasks[1] = start(&small);
	ck_assert_uint_eq(count_changes(fd, LONG + 10), 2);
	end(tasks[0]);
	end(tasks[1]);
	close(fd);
	bay_stream_abort(large.stream);
	return BAY_OK;
}

/* The same until so many of one letter have come. */
static unsigned
count_changes_until(int fd, char letter, size_t size)
{
	int64_t limit_ns = soon();
	unsigned changes = 0;
	int last = -1;

	while (size > 0 && bay_now() < limit_ns) {
		ssize_t n = read(fd, block, sizeof block);

		for (ssize_t i = 0; i < n; i++) {
			changes += block[i] != last;
			last = block[i];
			size -= last == letter;
		}
		ck_assert_int_eq(bay_sleep(BAY_MS / 10), BAY_OK);
	}
	ck_assert_uint_eq(size, 0);
	return changes;
}

TASK_TEST(who_leaves_the_line_lets_the_next_one_through)
{
	struct writer writers[3];
	struct bay_task *tasks[3];
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	for (int i = 0; i < 3; i++) {
		writers[i] = (struct writer){.stream = stream, .size = 1000000, .letter = (char)('a' + i), .status = -1};
		tasks[i] = start(&writers[i]);
	}
	/* The one in the middle of its write, and one in line. */
	bay_task_cancel(tasks[0], "enough");
	bay_task_cancel(tasks[1], "enough");
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(count_changes_until(fd, 'c', 1000000), 2);
	for (int i = 0; i < 3; i++) {
		end(tasks[i]);
		ck_assert_int_eq(writers[i].status, i < 2 ? BAY_CANCELED : BAY_OK);
	}
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

static int
drain(void *arg)
{
	return bay_stream_drain(arg, BAY_INHERIT);
}

TASK_TEST(a_drain_waits_for_what_was_written_before_it)
{
	struct bay_task *task;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	size = fill(stream);
	ck_assert_int_eq(bay_stream_drain(stream, bay_after(0)), BAY_TIMEOUT);
	task = bay_spawn("drains", drain, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(task));
	hear_all(fd, size);
	end(task);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(a_peer_that_closes_while_megabytes_are_written_is_an_error_with_words)
{
	struct writer writers[2];
	struct bay_task *tasks[3];
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	for (int i = 0; i < 2; i++) {
		writers[i] = (struct writer){.stream = stream, .size = LONG, .status = -1};
		tasks[i] = start(&writers[i]);
	}
	tasks[2] = bay_spawn("drains", drain, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	/* With bytes unread, so that it is a reset. */
	close(fd);
	for (int i = 0; i < 2; i++) {
		end(tasks[i]);
		ck_assert_int_eq(writers[i].status, BAY_IO);
	}
	ck_assert_int_eq(bay_join(tasks[2], soon()), BAY_IO);
	ck_assert_int_eq(strncmp(bay_stream_error(stream), "write: ", 7), 0);
	ck_assert_uint_eq(bay_stream_unsent(stream), 0);
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_IO);
	ck_assert_int_eq(bay_stream_drain(stream, soon()), BAY_IO);
	ck_assert_int_eq(bay_stream_write_eof(stream), BAY_IO);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_IO);
	return BAY_OK;
}

TASK_TEST(an_error_while_nobody_waits_is_told_to_the_next)
{
	int64_t limit_ns = soon();
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	(void)fill(stream);
	close(fd);
	while (bay_stream_unsent(stream) > 0 && bay_now() < limit_ns)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_IO);
	ck_assert_str_eq(bay_stream_error(stream), "write: Broken pipe");
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(a_pipe_that_nobody_reads_is_an_error_and_no_signal)
{
	struct bay_stream *reader, *writer;

	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(bay_pipe(&reader, &writer), BAY_OK);
	ck_assert_int_eq(bay_stream_close(reader, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_write(writer, "x", 1, soon()), BAY_IO);
	ck_assert_int_eq(bay_stream_write_eof(writer), BAY_INVALID);
	bay_stream_abort(writer);
	return BAY_OK;
}

TASK_TEST(no_signal_from_a_socket_either)
{
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	signal(SIGPIPE, SIG_DFL);
	close(fd);
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_IO);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(half_a_stream_can_be_ended)
{
	char *line;
	size_t size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	size = fill(stream);
	ck_assert_int_eq(bay_stream_write_eof(stream), BAY_OK);
	ck_assert_int_eq(bay_stream_write_eof(stream), BAY_OK);
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_INVALID);
	ck_assert(!stream->shut);
	/* The end comes behind all that was written. */
	hear_all(fd, size);
	ck_assert(stream->shut);
	ck_assert_int_eq(read(fd, block, 1), 0);
	streams_say(fd, "answer\n");
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "answer");
	close(fd);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_write_in_the_middle_cannot_be_ended)
{
	struct writer writer = {.size = LONG, .status = -1};
	struct bay_task *task;
	int fd;

	writer.stream = streams_pair(&fd, NULL);
	task = start(&writer);
	ck_assert_int_eq(bay_stream_write_eof(writer.stream), BAY_BUSY);
	hear_all(fd, LONG);
	end(task);
	ck_assert_int_eq(bay_stream_write_eof(writer.stream), BAY_OK);
	close(fd);
	bay_stream_abort(writer.stream);
	return BAY_OK;
}

/* The stream is gone all the same. */
TASK_TEST(closing_waits_no_longer_than_it_may)
{
	struct bay_task *task;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	(void)fill(stream);
	task = bay_spawn("drains", drain, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_stream_close(stream, bay_after(0)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	ck_assert_uint_gt(streams_hear(fd), 0);
	ck_assert_int_eq(read(fd, block, 1), 0);
	close(fd);
	return BAY_OK;
}

/* Reads all to the end and says how much it was. */
struct listener_end {
	struct bay_stream *stream;
	size_t size;
	int status;
};

static int
read_to_the_end(void *arg)
{
	struct listener_end *reader = arg;
	char *data;

	reader->status = bay_stream_read_all(reader->stream, SIZE_MAX, &data, &reader->size, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(closing_in_time_sends_everything)
{
	struct listener_end reader = {.status = -1};
	struct bay_stream *stream;
	struct bay_task *task;
	size_t size;

	ck_assert_int_eq(bay_stream_pair(&stream, &reader.stream), BAY_OK);
	size = fill(stream);
	task = bay_spawn("reads", read_to_the_end, &reader);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	end(task);
	ck_assert_int_eq(reader.status, BAY_OK);
	ck_assert_uint_eq(reader.size, size);
	bay_stream_abort(reader.stream);
	return BAY_OK;
}

TASK_TEST(closing_too_late_resets_the_connection)
{
	char *data;
	int fd;
	struct bay_stream *peer, *stream = streams_tcp(&fd, NULL);

	(void)fill(stream);
	ck_assert_int_eq(bay_stream_close(stream, bay_after(0)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_stream_open_fd(fd, NULL, &peer), BAY_OK);
	ck_assert_int_eq(bay_stream_read_all(peer, SIZE_MAX, &data, NULL, soon()), BAY_IO);
	bay_stream_abort(peer);
	return BAY_OK;
}

static int
write_file(void *arg)
{
	struct writer *writer = arg;
	size_t sent;

	writer->status = bay_stream_sendfile(writer->stream, writer->letter, 3, writer->size, &sent, BAY_INHERIT);
	writer->size = sent;
	return BAY_OK;
}

TASK_TEST(files_are_sent_behind_what_was_written)
{
	struct writer writer = {.size = SIZE_MAX, .status = -1};
	struct temp_dir dir;
	struct bay_task *task;
	size_t size;
	int fd, file;

	temp_dir_init(&dir);
	memset(block, 'f', sizeof block);
	file = open(temp_dir_path(&dir, "file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(file, block, LONG), LONG);
	memset(block, 0, sizeof block);
	writer.stream = streams_pair(&fd, NULL);
	writer.letter = (char)file;
	size = fill(writer.stream);
	task = bay_spawn("sends", write_file, &writer);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(count_changes(fd, size + LONG - 3), 2);
	end(task);
	ck_assert_int_eq(writer.status, BAY_OK);
	ck_assert_uint_eq(writer.size, LONG - 3);
	/* As much as asked for, and no more than there is. */
	ck_assert_int_eq(bay_stream_sendfile(writer.stream, file, 0, 5, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, 5);
	ck_assert_int_eq(bay_stream_sendfile(writer.stream, file, LONG - 2, 5, &size, soon()), BAY_CLOSED);
	ck_assert_uint_eq(size, 2);
	ck_assert_int_eq(bay_stream_sendfile(writer.stream, -1, 0, 5, &size, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_stream_sendfile(writer.stream, fd, 0, 5, &size, soon()), BAY_INVALID);
	ck_assert_int_eq(lseek(file, 0, SEEK_CUR), LONG);
	hear_all(fd, 7);
	/* Cut short. */
	ck_assert_int_eq(bay_stream_sendfile(writer.stream, file, 0, SIZE_MAX, &size, bay_after(0)), BAY_TIMEOUT);
	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(bay_stream_write(writer.stream, "x", 1, soon()), BAY_OK);
	close(fd);
	close(file);
	bay_stream_abort(writer.stream);
	temp_dir_finish(&dir);
	return BAY_OK;
}

CHECK_MAIN("io/stream_write",
	what_is_written_arrives_at_once,
	what_the_kernel_does_not_take_goes_out_by_itself,
	a_write_above_the_high_mark_waits_for_the_low_one,
	what_one_call_writes_stays_together_and_in_order,
	a_small_write_does_not_overtake_a_large_one,
	who_leaves_the_line_lets_the_next_one_through,
	a_drain_waits_for_what_was_written_before_it,
	a_peer_that_closes_while_megabytes_are_written_is_an_error_with_words,
	an_error_while_nobody_waits_is_told_to_the_next,
	a_pipe_that_nobody_reads_is_an_error_and_no_signal,
	no_signal_from_a_socket_either,
	half_a_stream_can_be_ended,
	a_write_in_the_middle_cannot_be_ended,
	closing_waits_no_longer_than_it_may,
	closing_in_time_sends_everything,
	closing_too_late_resets_the_connection,
	files_are_sent_behind_what_was_written)
