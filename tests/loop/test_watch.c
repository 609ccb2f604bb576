/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop/loop.h"
#include "support/check_main.h"

struct seen {
	struct watch watch;
	unsigned what;
	int times;
};

static struct loop loop;
static int ends[2];

static void
begin(void)
{
	ck_assert(loop_init(&loop, "test"));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
finish(void)
{
	ck_assert_uint_eq(loop._watch_count, 0);
	ck_assert_int_eq(wheel_next_ns(&loop.wheel), INT64_MAX);
	loop_finish(&loop);
	close(ends[0]);
	close(ends[1]);
}

static void
on_watch(struct watch *watch, unsigned what)
{
	struct seen *seen = container_of(watch, struct seen, watch);

	seen->what = what;
	seen->times++;
}

static void
look(struct seen *seen, int fd, unsigned what)
{
	memset(seen, 0, sizeof *seen);
	ck_assert(watch_begin(&seen->watch, &loop, fd, what, on_watch));
}

START_TEST(it_is_told_once)
{
	struct seen seen;

	begin();
	look(&seen, ends[0], WATCH_READABLE);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 0);
	ck_assert_int_eq(write(ends[1], "ab", 2), 2);
	loop_poll(&loop);
	loop_poll(&loop);
	ck_assert_int_eq(seen.times, 1);
	ck_assert_uint_eq(seen.what, WATCH_READABLE);
	finish();
}
END_TEST

START_TEST(all_who_watch_one_descriptor_are_told)
{
	struct seen one, two, three;

	begin();
	look(&one, ends[0], WATCH_READABLE);
	look(&two, ends[0], WATCH_READABLE | WATCH_WRITABLE);
	look(&three, ends[1], WATCH_WRITABLE);
	watch_end(&three.watch);
	watch_end(&three.watch);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	loop_poll(&loop);
	ck_assert_int_eq(one.times, 1);
	ck_assert_int_eq(two.times, 1);
	ck_assert_uint_eq(two.what & WATCH_READABLE, WATCH_READABLE);
	ck_assert_int_eq(three.times, 0);
	finish();
}
END_TEST

START_TEST(what_cannot_be_watched_is_refused)
{
	int file = open(TOP_SRCDIR "/configure.ac", O_RDONLY | O_CLOEXEC);
	struct seen seen;

	begin();
	ck_assert(!watch_begin(&seen.watch, &loop, -1, WATCH_READABLE, on_watch));
	ck_assert_int_eq(errno, EBADF);
	ck_assert(!watch_begin(&seen.watch, &loop, 1 << 20, WATCH_READABLE, on_watch));
	ck_assert_int_eq(errno, EBADF);
	ck_assert(!watch_begin(&seen.watch, &loop, file, WATCH_READABLE, on_watch));
	close(file);
	finish();
}
END_TEST

START_TEST(who_closes_tells_those_who_watch)
{
	struct seen one, two, other;

	begin();
	look(&one, ends[0], WATCH_READABLE);
	look(&two, ends[0], WATCH_READABLE);
	/* In the same bucket. */
	ck_assert_int_eq(fcntl(ends[1], F_DUPFD_CLOEXEC, ends[0] + LOOP_WATCH_BUCKETS),
		ends[0] + LOOP_WATCH_BUCKETS);
	look(&other, ends[0] + LOOP_WATCH_BUCKETS, WATCH_READABLE);
	watch_closed(&loop, ends[0]);
	ck_assert_uint_eq(one.what, WATCH_CLOSED);
	ck_assert_uint_eq(two.what, WATCH_CLOSED);
	ck_assert_int_eq(other.times, 0);
	watch_end(&other.watch);
	close(ends[0] + LOOP_WATCH_BUCKETS);
	finish();
}
END_TEST

/* The clock of the wheel is not real time: nobody waits for a second here. */
static void
let_a_second_pass(void)
{
	(void)wheel_advance(&loop.wheel, loop.now_ns + 2 * INT64_C(1000000000));
}

START_TEST(what_was_closed_in_silence_is_found)
{
	struct seen gone, replaced, there;
	int other[2];

	begin();
	ck_assert_int_eq(pipe2(other, O_CLOEXEC), 0);
	look(&gone, ends[0], WATCH_READABLE);
	look(&replaced, ends[1], WATCH_READABLE);
	look(&there, other[0], WATCH_READABLE);
	close(ends[0]);
	ck_assert_int_eq(dup2(other[1], ends[1]), ends[1]);
	let_a_second_pass();
	ck_assert_uint_eq(gone.what, WATCH_CLOSED);
	ck_assert_uint_eq(replaced.what, WATCH_CLOSED);
	ck_assert_int_eq(there.times, 0);
	watch_end(&there.watch);
	close(other[0]);
	close(other[1]);
	ends[0] = -1;
	finish();
}
END_TEST

/* All eventfds have the same inode: by that a new one looks like the old one. */
START_TEST(a_number_that_comes_back_as_another_file_is_watched_anew)
{
	int fd = eventfd(0, EFD_CLOEXEC), again;
	struct seen before, after;
	uint64_t one = 1;

	begin();
	look(&before, fd, WATCH_READABLE);
	close(fd);
	again = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(again, fd);
	look(&after, fd, WATCH_READABLE);
	ck_assert_int_eq(write(fd, &one, sizeof one), (int)sizeof one);
	loop_poll(&loop);
	ck_assert_uint_eq(after.what, WATCH_READABLE);
	watch_end(&before.watch);
	close(fd);
	finish();
}
END_TEST

CHECK_MAIN("loop/watch",
	it_is_told_once,
	all_who_watch_one_descriptor_are_told,
	what_cannot_be_watched_is_refused,
	who_closes_tells_those_who_watch,
	what_was_closed_in_silence_is_found,
	a_number_that_comes_back_as_another_file_is_watched_anew)
