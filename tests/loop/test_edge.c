/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "loop/loop.h"
#include "support/check_main.h"

struct seen {
	struct edge edge;
	unsigned what;
	int times;
	struct seen *ends;  /* another, or itself, to end when told */
};

static struct loop loop;
static int ends[2];

static void
begin(void)
{
	ck_assert(loop_init(&loop, "test"));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static void
finish(void)
{
	loop_finish(&loop);
	close(ends[0]);
	close(ends[1]);
}

static void
on_edge(struct edge *edge, unsigned what)
{
	struct seen *seen = container_of(edge, struct seen, edge);

	seen->what = what;
	seen->times++;
	if (seen->ends != NULL)
		edge_end(&seen->ends->edge);
}

static void
watch(struct seen *seen, int fd)
{
	memset(seen, 0, sizeof *seen);
	ck_assert(edge_begin(&seen->edge, &loop, fd, on_edge));
}

static void
say(int fd)
{
	ck_assert_int_eq(write(fd, "x", 1), 1);
}

START_TEST(what_comes_is_told_once)
{
	struct seen seen;

	begin();
	watch(&seen, ends[0]);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 1);
	ck_assert_uint_eq(seen.what, EDGE_WRITABLE);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 1);
	say(ends[1]);
	loop_poll(&loop);
	ck_assert_uint_eq(seen.what, EDGE_READABLE | EDGE_WRITABLE);
	/* It was not read, and is not told again. */
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 2);
	say(ends[1]);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 3);
	edge_end(&seen.edge);
	edge_end(&seen.edge);
	say(ends[1]);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 3);
	finish();
}
END_TEST

START_TEST(an_end_is_told_as_odd)
{
	struct seen seen;

	begin();
	watch(&seen, ends[0]);
	loop_poll(&loop);
	ck_assert_int_eq(shutdown(ends[1], SHUT_WR), 0);
	loop_poll(&loop);
	ck_assert_uint_eq(seen.what, EDGE_READABLE | EDGE_WRITABLE | EDGE_ODD);
	edge_end(&seen.edge);
	finish();
}
END_TEST

START_TEST(it_ends_a_sleep)
{
	struct seen seen;

	begin();
	watch(&seen, ends[0]);
	for (int i = 0; i < 100 && seen.times == 0; i++)
		loop_wait(&loop, loop_now(&loop) + 1000 * INT64_C(1000000));
	ck_assert_int_eq(seen.times, 1);
	edge_end(&seen.edge);
	finish();
}
END_TEST

START_TEST(one_that_was_ended_by_another_is_not_told)
{
	struct seen first, second;

	begin();
	watch(&first, ends[0]);
	watch(&second, ends[1]);
	/* Whichever is told first. */
	first.ends = &second;
	second.ends = &first;
	loop_poll(&loop);
	ck_assert_int_eq(first.times + second.times, 1);
	edge_end(&first.edge);
	edge_end(&second.edge);
	finish();
}
END_TEST

START_TEST(one_may_end_itself)
{
	struct seen seen;

	begin();
	watch(&seen, ends[0]);
	seen.ends = &seen;
	loop_poll(&loop);
	say(ends[1]);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 1);
	finish();
}
END_TEST

/* The file lives on under another number; who has gone is not told all the same. */
START_TEST(a_duplicate_keeps_nothing_alive)
{
	struct seen seen;
	int duplicate;

	begin();
	watch(&seen, ends[0]);
	loop_poll(&loop);
	duplicate = dup(ends[0]);
	edge_end(&seen.edge);
	close(ends[0]);
	say(ends[1]);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 1);
	ends[0] = duplicate;
	finish();
}
END_TEST

START_TEST(a_file_on_a_disk_is_refused)
{
	struct seen seen;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	begin();
	memset(&seen, 0, sizeof seen);
	ck_assert(!edge_begin(&seen.edge, &loop, fd, on_edge));
	ck_assert_int_eq(errno, EPERM);
	edge_end(&seen.edge);
	close(fd);
	finish();
}
END_TEST

START_TEST(more_than_a_batch_are_all_told)
{
	enum { MANY = 200 };
	static struct seen seen[MANY];
	static int pairs[MANY][2];
	int told = 0;

	begin();
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(pipe2(pairs[i], O_CLOEXEC | O_NONBLOCK), 0);
		watch(&seen[i], pairs[i][1]);
	}
	loop_poll(&loop);
	loop_poll(&loop);
	for (int i = 0; i < MANY; i++) {
		told += seen[i].times;
		edge_end(&seen[i].edge);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	ck_assert_int_eq(told, MANY);
	finish();
}
END_TEST

CHECK_MAIN("loop/edge",
	what_comes_is_told_once,
	an_end_is_told_as_odd,
	it_ends_a_sleep,
	one_that_was_ended_by_another_is_not_told,
	one_may_end_itself,
	a_duplicate_keeps_nothing_alive,
	a_file_on_a_disk_is_refused,
	more_than_a_batch_are_all_told)
