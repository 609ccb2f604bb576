/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/select.h>
#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/streams.h"

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

static void
assert_echo(struct bay_stream *from, struct bay_stream *to)
{
	char *line;

	ck_assert_int_eq(bay_stream_write(from, "hello\n", 6, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(to, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "hello");
}

TASK_TEST(pairs_and_pipes_carry_bytes)
{
	struct bay_stream *a, *b;

	ck_assert_int_eq(bay_stream_pair(&a, &b), BAY_OK);
	assert_echo(a, b);
	assert_echo(b, a);
	ck_assert_int_eq(bay_stream_close(a, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_close(b, soon()), BAY_OK);
	ck_assert_int_eq(bay_pipe(&a, &b), BAY_OK);
	assert_echo(b, a);
	ck_assert_int_eq(bay_stream_close(b, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read(a, (char[9]){0}, 9, &(size_t){0}, soon()), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_close(a, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_close(NULL, soon()), BAY_OK);
	bay_stream_abort(NULL);
	return BAY_OK;
}

TASK_TEST(terminals_are_streams)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct bay_stream *stream;
	char *line;
	int slave;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(grantpt(fd), 0);
	ck_assert_int_eq(unlockpt(fd), 0);
	slave = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(bay_stream_open_fd(fd, NULL, &stream), BAY_OK);
	ck_assert_int_eq(write(slave, "prompt\n", 7), 7);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "prompt");
	close(slave);
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	return BAY_OK;
}

TASK_TEST(what_is_no_stream_is_refused_and_stays_open)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), dir = open("/", O_RDONLY | O_CLOEXEC);
	int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fds[] = {file, dir, datagrams};
	struct bay_stream_options wrong = {.length = 3}, upside_down = {.length = sizeof upside_down,
		.high_water = 1, .low_water = 2};
	struct bay_stream *stream;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		ck_assert_int_eq(bay_stream_open_fd(fds[i], NULL, &stream), BAY_INVALID);
		ck_assert_int_ge(fcntl(fds[i], F_GETFD), 0);
	}
	ck_assert_int_eq(bay_stream_open_fd(-1, NULL, &stream), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_open_fd(datagrams, &wrong, &stream), BAY_INVALID);
	ck_assert_int_eq(bay_stream_open_fd(datagrams, &upside_down, &stream), BAY_INVALID);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
	return BAY_OK;
}

static int
close_it(void *arg)
{
	return bay_stream_close(arg, BAY_INHERIT);
}

TASK_TEST(one_closes_and_others_are_told_so)
{
	static const char block[4096];
	struct bay_task *tasks[2];
	char *line;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	while (bay_stream_unsent(stream) == 0)
		ck_assert_int_eq(bay_stream_write(stream, block, sizeof block, soon()), BAY_OK);
	tasks[0] = bay_spawn("closes", close_it, stream);
	tasks[1] = bay_spawn("closes too", close_it, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[1], soon()), BAY_CLOSED);
	/* It still flushes, and takes nothing new. */
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_read_line(stream, 10, &line, NULL, soon()), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_write_eof(stream), BAY_CLOSED);
	ck_assert_int_eq(bay_stream_drain(stream, soon()), BAY_CLOSED);
	/* Who cannot wait for that ends it. */
	bay_stream_abort(stream);
	ck_assert_int_eq(bay_join(tasks[0], soon()), BAY_CLOSED);
	close(fd);
	return BAY_OK;
}

static int
read_one(void *arg)
{
	size_t size;
	char byte;

	return bay_stream_read(arg, &byte, 1, &size, BAY_INHERIT);
}

TASK_TEST(tasks_are_listed_with_the_stream_they_wait_for)
{
	char text[128], wanted[BAY_ADDRESS_TEXT_SIZE + 16], address[BAY_ADDRESS_TEXT_SIZE];
	struct bay_address peer;
	struct bay_task *task;
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	ck_assert_int_eq(bay_stream_peer(stream, &peer), BAY_OK);
	snprintf(wanted, sizeof wanted, "stream %s read", bay_address_text(&peer, address, sizeof address));
	task = bay_spawn("reads", read_one, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(task_waiting_on(task_of_handle(task), text, sizeof text), wanted);
	bay_stream_abort(stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	close(fd);
	return BAY_OK;
}

TASK_TEST(facts_of_a_connection)
{
	struct bay_stream_credentials peer;
	struct bay_address address;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	ck_assert_int_eq(bay_stream_credentials(stream, &peer), BAY_OK);
	ck_assert_uint_eq(peer.uid, getuid());
	ck_assert_uint_eq(peer.gid, getgid());
	ck_assert_int_eq(peer.pid, getpid());
	ck_assert_int_eq(fcntl(bay_stream_fd(stream), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_str_eq(bay_stream_error(stream), "");
	close(fd);
	bay_stream_abort(stream);
	stream = streams_tcp(&fd, NULL);
	ck_assert_int_eq(bay_stream_credentials(stream, &peer), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_stream_peer(stream, &address), BAY_OK);
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_IPV4);
	ck_assert_int_eq(bay_stream_local(stream, &address), BAY_OK);
	streams_reset(fd);
	/* A dead connection has forgotten it, we have not. */
	ck_assert_int_eq(bay_stream_read(stream, (char[9]){0}, 9, &(size_t){0}, soon()), BAY_IO);
	ck_assert_int_eq(bay_stream_peer(stream, &address), BAY_OK);
	bay_stream_abort(stream);
	return BAY_OK;
}

static int
option_of(const struct bay_stream *stream, int level, int option)
{
	socklen_t size = sizeof(int);
	int value = -1;

	ck_assert_int_eq(getsockopt(bay_stream_fd(stream), level, option, &value, &size), 0);
	return value;
}

TASK_TEST(options_can_be_set_and_set_anew)
{
	struct bay_stream_options options = {.length = sizeof options, .delay = true,
		.keepalive_ns = 30 * BAY_SECOND, .high_water = 100};
	int fd;
	struct bay_stream *stream = streams_tcp(&fd, NULL);

	ck_assert_int_eq(option_of(stream, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option_of(stream, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_eq(bay_stream_configure(stream, &options), BAY_OK);
	ck_assert_int_eq(option_of(stream, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_eq(option_of(stream, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option_of(stream, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	ck_assert_uint_eq(stream->high_water, 100);
	ck_assert_uint_eq(stream->low_water, 25);
	options.keepalive_ns = -1;
	ck_assert_int_eq(bay_stream_configure(stream, &options), BAY_INVALID);
	close(fd);
	bay_stream_abort(stream);
	return BAY_OK;
}

/* --- select ------------------------------------------------------------------------------- */

static int
write_later(void *arg)
{
	int status = bay_sleep(BAY_MS);

	streams_say(*(int *)arg, "line\n");
	return status;
}

TASK_TEST(a_select_waits_for_something_to_read)
{
	struct bay_task *task;
	char bytes[10];
	size_t index, size;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);
	struct bay_case cases[] = {bay_case_time(soon()), bay_case_read(stream), bay_case_read(NULL)};

	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(0)), BAY_TIMEOUT);
	task = bay_spawn("writes", write_later, &fd);
	ck_assert_int_eq(bay_select(cases, 3, &index, soon()), BAY_OK);
	ck_assert_uint_eq(index, 1);
	ck_assert_int_eq(cases[1].status, BAY_OK);
	/* Again, as long as it is not read. */
	ck_assert_int_eq(bay_select(cases, 3, &index, soon()), BAY_OK);
	ck_assert_int_eq(cases[1].status, BAY_OK);
	ck_assert_int_eq(bay_stream_read(stream, bytes, 10, &size, bay_after(0)), BAY_OK);
	ck_assert_uint_eq(size, 5);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(0)), BAY_TIMEOUT);
	close(fd);
	ck_assert_int_eq(bay_select(cases, 3, &index, soon()), BAY_OK);
	ck_assert_int_eq(cases[1].status, BAY_CLOSED);
	bay_stream_abort(stream);
	return BAY_OK;
}

TASK_TEST(a_select_does_not_read_beside_another_task)
{
	struct bay_case one;
	struct bay_task *task;
	size_t index;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	task = bay_spawn("reads", read_one, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	one = bay_case_read(stream);
	ck_assert_int_eq(bay_select(&one, 1, &index, soon()), BAY_OK);
	ck_assert_int_eq(one.status, BAY_BUSY);
	bay_stream_abort(stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	close(fd);
	return BAY_OK;
}

static int
abort_it(void *arg)
{
	bay_stream_abort(arg);
	return BAY_OK;
}

TASK_TEST(a_select_is_told_that_its_stream_was_closed)
{
	struct bay_task *task;
	struct bay_case one;
	size_t index;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	one = bay_case_read(stream);
	task = bay_spawn("aborts", abort_it, stream);
	ck_assert_int_eq(bay_select(&one, 1, &index, soon()), BAY_OK);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	close(fd);
	return BAY_OK;
}

/* --- forgotten ------------------------------------------------------------------------------ */

static int
forget(void *arg)
{
	struct bay_stream *a, *b;

	(void)arg;
	ck_assert_int_eq(bay_stream_pair(&a, &b), BAY_OK);
	return bay_stream_write(a, "x", 1, soon());
}

START_TEST(what_was_forgotten_ends_with_its_loop)
{
	unsigned before = streams_open_fds();

	ck_assert_int_eq(run_task(forget, NULL), BAY_OK);
	ck_assert_uint_eq(streams_open_fds(), before);
}
END_TEST

CHECK_MAIN("io/stream",
	pairs_and_pipes_carry_bytes,
	terminals_are_streams,
	what_is_no_stream_is_refused_and_stays_open,
	one_closes_and_others_are_told_so,
	tasks_are_listed_with_the_stream_they_wait_for,
	facts_of_a_connection,
	options_can_be_set_and_set_anew,
	a_select_waits_for_something_to_read,
	a_select_does_not_read_beside_another_task,
	a_select_is_told_that_its_stream_was_closed,
	what_was_forgotten_ends_with_its_loop)
