/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "support/check_main.h"

/* Blocking for the writer, as standard error mostly is. */
static void
make_pipe(int fds[2])
{
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(fd_set_nonblocking(fds[0]));
}

static void
read_what_is_there(int fd, struct buffer *text)
{
	char room[4096];
	ssize_t got;

	while ((got = read(fd, room, sizeof(room))) > 0)
		ck_assert(buffer_append(text, room, (size_t)got));
}

/* Line n: many of them are no multiple of what a pipe takes at once. */
static size_t
make_line(char line[8000], unsigned n)
{
	size_t size = (size_t)snprintf(line, 20, "%06u ", n);

	memset(line + size, 'x', 1 + n * 37 % 7000);
	size += 1 + n * 37 % 7000;
	line[size++] = '\n';
	return size;
}

/* Writes lines until one is lost; returns how many were not. */
static unsigned
write_until_lost(struct log_output *output)
{
	char line[8000];
	unsigned n = 0;

	while (log_output_write(output, line, make_line(line, n)))
		n++;
	return n;
}

static void
expect_lines(const struct buffer *text, unsigned count)
{
	size_t at = 0;
	char line[8000];

	for (unsigned n = 0; n < count; n++) {
		size_t size = make_line(line, n);

		ck_assert_uint_le(at + size, text->size);
		ck_assert_msg(memcmp(text->data + at, line, size) == 0, "line %u is not whole", n);
		at += size;
	}
	ck_assert_uint_eq(at, text->size);
}

static void
fill_and_read(int reader, struct log_output *output)
{
	struct buffer text = {0};
	unsigned count = write_until_lost(output);

	ck_assert_uint_gt(count, 50);
	ck_assert_uint_eq(output->lost, 1);
	ck_assert(log_output_waits(output));
	while (log_output_waits(output)) {
		read_what_is_there(reader, &text);
		log_output_flush(output);
	}
	read_what_is_there(reader, &text);
	expect_lines(&text, count);
	buffer_finish(&text);
}

START_TEST(a_pipe_that_nobody_reads_is_not_waited_for_and_gets_all_that_was_kept)
{
	struct log_output output;
	int fds[2];

	make_pipe(fds);
	log_output_open(&output, fds[1], true);
	fill_and_read(fds[0], &output);
	log_output_close(&output);
	close(fds[0]);
}
END_TEST

START_TEST(neither_is_a_socket)
{
	struct log_output output;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert(fd_set_nonblocking(fds[0]));
	log_output_open(&output, fds[1], true);
	fill_and_read(fds[0], &output);
	log_output_close(&output);
	close(fds[0]);
}
END_TEST

START_TEST(standard_error_stays_blocking_for_others)
{
	struct log_output output;
	int fds[2];

	make_pipe(fds);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	log_output_open_stderr(&output);
	fill_and_read(fds[0], &output);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	log_output_close(&output);
	ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFL), 0);
}
END_TEST

START_TEST(when_the_reader_goes_the_lines_that_were_kept_are_counted_as_lost)
{
	struct log_output output;
	unsigned count;
	int fds[2];

	make_pipe(fds);
	log_output_open(&output, fds[1], true);
	count = write_until_lost(&output);
	close(fds[0]);
	log_output_flush(&output);
	ck_assert_int_eq(output.error, EPIPE);
	ck_assert(!log_output_waits(&output));
	/* Those that the pipe took are gone too, but nobody can know. */
	ck_assert_uint_gt(output.lost, 100);
	ck_assert_uint_le(output.lost, count + 1);
	log_output_close(&output);
}
END_TEST

START_TEST(a_device_without_room_is_an_error)
{
	struct log_output output;

	log_output_open(&output, open("/dev/full", O_WRONLY), true);
	ck_assert(!log_output_write(&output, "a\n", 2));
	ck_assert(!log_output_write(&output, "b\n", 2));
	ck_assert_int_eq(output.error, ENOSPC);
	ck_assert_uint_eq(output.lost, 2);
	log_output_close(&output);
}
END_TEST

CHECK_MAIN("base/log_output",
	a_pipe_that_nobody_reads_is_not_waited_for_and_gets_all_that_was_kept,
	neither_is_a_socket,
	standard_error_stays_blocking_for_others,
	when_the_reader_goes_the_lines_that_were_kept_are_counted_as_lost,
	a_device_without_room_is_an_error)
