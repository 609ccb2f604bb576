/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/fd.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

/* One who waits once. */
struct party {
	int fd;
	unsigned what;
	int status;
};

static int
wait_for(void *arg)
{
	struct party *party = arg;

	party->status = bay_wait_fd(party->fd, party->what, BAY_INHERIT);
	return BAY_OK;
}

static struct bay_task *
start(struct party *party)
{
	struct bay_task *task = bay_spawn("party", wait_for, party);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static void
pair(int ends[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

/* Fills the way from fd to the other end; returns how much that was. */
static size_t
fill(int fd)
{
	static const char bytes[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = write(fd, bytes, sizeof bytes)) > 0)
		total += (size_t)n;
	ck_assert_int_eq(errno, EAGAIN);
	return total;
}

TASK_TEST(what_is_ready_needs_no_wait)
{
	uint64_t switches = run_tasks_scheduler.switches;
	int ends[2];

	pair(ends);
	ck_assert_int_eq(bay_wait_fd(ends[0], BAY_WRITABLE, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_wait_fd(ends[0], BAY_READABLE | BAY_WRITABLE, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(run_tasks_scheduler.switches, switches);
	ck_assert_uint_eq(bay_fd_ready(ends[0], BAY_READABLE | BAY_WRITABLE), BAY_WRITABLE);
	ck_assert_uint_eq(bay_fd_ready(ends[0], BAY_READABLE), 0);
	ck_assert_int_eq(bay_fd_close(ends[0]), BAY_OK);
	/* The end of the stream is something to read. */
	ck_assert_uint_eq(bay_fd_ready(ends[1], BAY_READABLE), BAY_READABLE);
	ck_assert_int_eq(bay_fd_close(ends[1]), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_wait_ends_when_there_is_something_to_read)
{
	struct party party = {.what = BAY_READABLE, .status = -1};
	struct bay_task *task;
	int ends[2];

	pair(ends);
	party.fd = ends[0];
	task = start(&party);
	ck_assert_int_eq(strncmp(task_of_handle(task)->waiter->on, "fd ", 3), 0);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	close(ends[0]);
	close(ends[1]);
	return BAY_OK;
}

TASK_TEST(a_wait_ends_when_there_is_room_to_write)
{
	struct party party = {.what = BAY_WRITABLE, .status = -1};
	struct bay_task *task;
	static char bytes[1 << 20];
	int ends[2];

	pair(ends);
	party.fd = ends[0];
	(void)fill(ends[0]);
	task = start(&party);
	ck_assert(!bay_task_done(task));
	while (read(ends[1], bytes, sizeof bytes) > 0)
		;
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	close(ends[0]);
	close(ends[1]);
	return BAY_OK;
}

TASK_TEST(the_other_end_hanging_up_ends_a_wait)
{
	struct party party = {.what = BAY_READABLE, .status = -1};
	struct bay_task *task;
	int ends[2];

	pair(ends);
	party.fd = ends[0];
	task = start(&party);
	close(ends[1]);
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	close(ends[0]);
	return BAY_OK;
}

TASK_TEST(two_may_wait_for_one_descriptor)
{
	struct party reader = {.what = BAY_READABLE, .status = -1}, second = reader,
		writer = {.what = BAY_WRITABLE, .status = -1};
	struct bay_task *tasks[3];
	int ends[2];

	pair(ends);
	(void)fill(ends[0]);
	reader.fd = second.fd = writer.fd = ends[0];
	tasks[0] = start(&reader);
	tasks[1] = start(&second);
	tasks[2] = start(&writer);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	end(tasks[0]);
	end(tasks[1]);
	ck_assert(!bay_task_done(tasks[2]));
	ck_assert_int_eq(reader.status, BAY_OK);
	ck_assert_int_eq(second.status, BAY_OK);
	bay_task_cancel(tasks[2], "enough");
	end(tasks[2]);
	ck_assert_int_eq(writer.status, BAY_CANCELED);
	close(ends[0]);
	close(ends[1]);
	return BAY_OK;
}

TASK_TEST(closing_ends_the_waits)
{
	struct party one = {.what = BAY_READABLE, .status = -1}, two = one;
	struct bay_task *tasks[2];
	int ends[2];

	pair(ends);
	one.fd = two.fd = ends[0];
	tasks[0] = start(&one);
	tasks[1] = start(&two);
	ck_assert_int_eq(bay_fd_close(ends[0]), BAY_OK);
	end(tasks[0]);
	end(tasks[1]);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	ck_assert_int_eq(two.status, BAY_CLOSED);
	ck_assert_int_eq(bay_fd_close(ends[0]), BAY_IO);
	ck_assert_int_eq(bay_wait_fd(ends[0], BAY_READABLE, BAY_INHERIT), BAY_CLOSED);
	ck_assert_uint_eq(bay_fd_ready(ends[0], BAY_READABLE), BAY_READABLE);
	close(ends[1]);
	return BAY_OK;
}

TASK_TEST(closing_in_silence_ends_the_waits_too)
{
	struct party party = {.what = BAY_READABLE, .status = -1};
	struct bay_task *task;
	int ends[2];

	pair(ends);
	party.fd = ends[0];
	task = start(&party);
	close(ends[0]);
	end(task);
	ck_assert_int_eq(party.status, BAY_CLOSED);
	close(ends[1]);
	return BAY_OK;
}

TASK_TEST(nonsense_is_refused)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(bay_wait_fd(-1, BAY_READABLE, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_wait_fd(file, 0, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_wait_fd(file, 8, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_wait_fd(file, BAY_READABLE, BAY_INHERIT), BAY_OK);
	close(file);
	return BAY_OK;
}

TASK_TEST(a_deadline_and_a_cancellation_end_a_wait)
{
	struct party party = {.what = BAY_READABLE, .status = -1};
	int64_t deadline = bay_after(2 * BAY_MS);
	struct bay_task *task;
	int ends[2];

	pair(ends);
	ck_assert_int_eq(bay_wait_fd(ends[0], BAY_READABLE, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	party.fd = ends[0];
	task = start(&party);
	bay_task_cancel(task, "enough");
	/* It has left: what comes now is not told to anybody. */
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	end(task);
	ck_assert_int_eq(party.status, BAY_CANCELED);
	close(ends[0]);
	close(ends[1]);
	return BAY_OK;
}

static int
count_turns(void *arg)
{
	int *turns = arg;

	while (bay_yield() == BAY_OK)
		++*turns;
	return BAY_OK;
}

TASK_TEST(who_finds_it_always_ready_lets_others_run)
{
	int turns = 0, ends[2];
	struct bay_task *task = bay_spawn("others", count_turns, &turns);

	pair(ends);
	for (int i = 0; i < 10 * SCHEDULER_SLICE; i++)
		ck_assert_int_eq(bay_wait_fd(ends[0], BAY_WRITABLE, BAY_INHERIT), BAY_OK);
	ck_assert_int_gt(turns, 5);
	bay_task_cancel(task, "enough");
	end(task);
	close(ends[0]);
	close(ends[1]);
	return BAY_OK;
}

CHECK_MAIN("io/descriptor",
	what_is_ready_needs_no_wait,
	a_wait_ends_when_there_is_something_to_read,
	a_wait_ends_when_there_is_room_to_write,
	the_other_end_hanging_up_ends_a_wait,
	two_may_wait_for_one_descriptor,
	closing_ends_the_waits,
	closing_in_silence_ends_the_waits_too,
	nonsense_is_refused,
	a_deadline_and_a_cancellation_end_a_wait,
	who_finds_it_always_ready_lets_others_run)
