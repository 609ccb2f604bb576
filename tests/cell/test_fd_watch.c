/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services do stands in the figures, and the clock stands still between two ticks. */
#include "config.h"

#include "cell/fd_watch.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "runtime/belonging.h"
#include "support/services.h"

#define TICK_NS (250 * (int64_t)CLOCK_NS_PER_MS)
#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

enum { SERVICES = 4, FDS_FIRST = 64, FDS_MAX = 1024 };

static struct loop control;
static struct fd_watch *watch;

/* Named a, b, c and d. */
static struct {
	struct bay_service *service;
	int told, over;
	char text[256];
} of[SERVICES];

static int limit_told;
static char limit_text[256];

static int fds[FDS_MAX];
static int fd_count;

/* --- the cell ------------------------------------------------------------------------------------ */

static int
do_nothing(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

static const struct bay_plugin *const plugin = PLUGIN(.handle = do_nothing);

static void
on_fault(const struct cell_fault *fault, void *arg)
{
	int i = fault->service[0] - 'a';

	ck_assert_ptr_eq(arg, &control);
	if (fault->kind == CELL_FAULT_FD_LIMIT) {
		ck_assert_str_eq(fault->service, "");
		limit_told++;
		snprintf(limit_text, sizeof limit_text, "%s", fault->text);
		return;
	}
	ck_assert_int_eq(fault->kind, CELL_FAULT_FD_LEAK);
	of[i].told += fault->text != NULL;
	of[i].over += fault->text == NULL;
	if (fault->text != NULL)
		snprintf(of[i].text, sizeof of[i].text, "%s", fault->text);
}

/* None is free below one that is open; what came with the program may be anywhere. */
static void
fill_holes(void)
{
	int fd;

	for (fd = FDS_FIRST; fd < FDS_MAX; fd++)
		close(fd);
	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd < FDS_FIRST);
	close(fd);
}

static void
leak(int count)
{
	while (count-- > 0) {
		ck_assert_int_lt(fd_count, FDS_MAX);
		fds[fd_count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(fds[fd_count++], 0);
	}
}

/* The last ones. */
static void
give_back(int count)
{
	while (count-- > 0)
		close(fds[--fd_count]);
}

static void
set_limit(rlim_t fds_max)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = fds_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The lowest that is free. */
static int
open_fds(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void
begin(void)
{
	static const char *const names[SERVICES] = {"a", "b", "c", "d"};

	set_limit(FDS_MAX);
	clock_stand_still(SECONDS(1000), 0);
	services_begin(0);
	for (int i = 0; i < SERVICES; i++)
		of[i].service = services_start(&(struct service_options){.name = names[i], .plugin = plugin});
	ck_assert(loop_init(&control, "control"));
	fill_holes();
	watch = fd_watch_create(&control, on_fault, &control);
}

static void
end(void)
{
	fd_watch_destroy(watch);
	ck_assert_int_eq(wheel_next_ns(&control.wheel), INT64_MAX);
	loop_finish(&control);
	give_back(fd_count);
	services_end();
	clock_go_on();
}

/* --- time -------------------------------------------------------------------------------------------- */

static void
later(int64_t ns)
{
	clock_move_to(clock_monotonic_ns() + ns);
	loop_poll(&control);
}

static void
tick(void)
{
	later(TICK_NS);
}

static void
work(int i)
{
	status_add(&of[i].service->counters[0].direct, 1);
}

/* So many ticks in which it works and so many are left open. */
static void
work_and_leak(int i, int ticks, int count)
{
	while (ticks-- > 0) {
		work(i);
		leak(count);
		tick();
	}
}

static int
told(void)
{
	int n = 0;

	for (int i = 0; i < SERVICES; i++)
		n += of[i].told;
	return n;
}

/* --- leaks --------------------------------------------------------------------------------------------- */

START_TEST(descriptors_that_a_service_leaves_open_are_told_once_they_are_many_and_grow_on)
{
	/* The first tick in which they grow says nothing of who it was. */
	static const struct {
		int a_tick, ticks;
	} rows[] = {
		{100, 4}, {11, 4}, {8, 4}, {7, 5}, {1, 32},
	};
	char text[256];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		memset(of, 0, sizeof of);
		begin();
		tick();
		work_and_leak(0, rows[i].ticks - 1, rows[i].a_tick);
		ck_assert_msg(told() == 0, "row %zu: it is told already", i);
		work_and_leak(0, 1, rows[i].a_tick);
		ck_assert_msg(told() == 1 && of[0].told == 1, "row %zu: it is not told", i);
		snprintf(text, sizeof text, "%d descriptors were opened and not closed while a worked; %d are open in its cell",
			rows[i].a_tick * rows[i].ticks, open_fds());
		ck_assert_str_eq(of[0].text, text);
		end();
	}
}
END_TEST

START_TEST(it_is_told_again_whenever_there_are_as_many_more)
{
	begin();
	work_and_leak(0, 4, 8);
	ck_assert_int_eq(of[0].told, 1);
	work_and_leak(0, 3, 10);
	ck_assert_int_eq(of[0].told, 1);
	work_and_leak(0, 1, 2);
	ck_assert_int_eq(of[0].told, 2);
	ck_assert_ptr_eq(strstr(of[0].text, "64 descriptors were"), of[0].text);
	ck_assert_int_eq(of[0].over, 0);
	end();
}
END_TEST

START_TEST(what_is_opened_at_once_and_kept_is_no_leak)
{
	begin();
	work_and_leak(0, 3, 100);
	for (int i = 0; i < 1000; i++) {
		work(0);
		tick();
	}
	ck_assert_int_eq(told(), 0);
	/* They have been there for long: only what is more counts. */
	work_and_leak(0, 4, 7);
	ck_assert_int_eq(told(), 0);
	work_and_leak(0, 1, 4);
	ck_assert_int_eq(of[0].told, 1);
	ck_assert_ptr_eq(strstr(of[0].text, "32 descriptors were"), of[0].text);
	end();
}
END_TEST

/* As io/ does: each is known, and is closed with what it belongs to. */
static struct belonging belongings[200];

static void
on_end(struct belonging *belonging)
{
	belonging_remove(belonging);
}

static int
open_known(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		belonging_add_to_scheduler(&belongings[i], "socket", on_end);
	return BAY_OK;
}

START_TEST(those_that_functions_of_the_container_have_opened_are_not_counted)
{
	begin();
	ck_assert_int_eq(services_run(open_known, NULL), BAY_OK);
	for (int i = 0; i < 13; i++)
		work_and_leak(0, 1, 10);
	ck_assert_int_eq(told(), 0);
	/* From here on there are more than are known. */
	work_and_leak(0, 3, 10);
	ck_assert_int_eq(told(), 0);
	work_and_leak(0, 1, 10);
	ck_assert_int_eq(of[0].told, 1);
	for (int i = 0; i < 200; i++)
		belonging_remove(&belongings[i]);
	end();
}
END_TEST

/* --- who it is ------------------------------------------------------------------------------------------- */

/* Of the ticks in which they grow, of which the first does not count, and of those in which they do not,
 * each of three works in so many. */
struct suspicion {
	int grow, rest;
	struct {
		int grow, rest;
	} works[3];
	const char *names; /* "": nobody is */
};

/* They are told with the last tick. */
static void
run_suspicion(const struct suspicion *row)
{
	/* All have worked before, which says nothing. */
	for (int i = 0; i < 3; i++)
		work(i);
	leak(1);
	tick();
	for (int n = 0; n < row->rest; n++) {
		for (int i = 0; i < 3; i++)
			if (n < row->works[i].rest)
				work(i);
		tick();
	}
	for (int n = 0; n < row->grow; n++) {
		for (int i = 0; i < 3; i++)
			if (n < row->works[i].grow)
				work(i);
		leak(n + 1 < row->grow ? 1 : 31);
		tick();
	}
}

START_TEST(who_worked_whenever_they_grew_and_mostly_then_is_named)
{
	static const struct suspicion rows[] = {
		{10, 0, {{10, 0}, {0, 0}, {0, 0}}, "a"},
		{10, 0, {{0, 0}, {10, 0}, {0, 0}}, "b"},
		{10, 0, {{10, 0}, {10, 0}, {0, 0}}, "a or b"},
		{10, 0, {{10, 0}, {10, 0}, {10, 0}}, "a or b or c"},
		{10, 10, {{0, 10}, {0, 0}, {0, 0}}, ""},
		{10, 10, {{0, 0}, {0, 0}, {0, 0}}, ""},
		/* In nine of ten. */
		{10, 0, {{9, 0}, {0, 0}, {0, 0}}, "a"},
		{10, 0, {{8, 0}, {0, 0}, {0, 0}}, ""},
		{10, 0, {{9, 0}, {8, 0}, {0, 0}}, "a"},
		/* Three quarters of what the likeliest one has. */
		{12, 4, {{12, 0}, {12, 4}, {0, 0}}, "a or b"},
		{11, 4, {{11, 0}, {11, 4}, {0, 0}}, "a"},
		/* Who always works is it when nobody else is. */
		{10, 90, {{10, 90}, {8, 0}, {0, 0}}, "a"},
	};
	char text[64];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		memset(of, 0, sizeof of);
		begin();
		run_suspicion(&rows[i]);
		snprintf(text, sizeof text, "closed while %s worked;", rows[i].names);
		for (int j = 0; j < SERVICES; j++) {
			bool named = strchr(rows[i].names, 'a' + j) != NULL;

			ck_assert_msg(of[j].told == named, "row %zu: %c is told %d times", i, 'a' + j, of[j].told);
			ck_assert_msg(!named || strstr(of[j].text, text) != NULL, "row %zu: %s", i, of[j].text);
		}
		end();
	}
}
END_TEST

START_TEST(whatever_a_service_does_is_work)
{
	static const struct {
		size_t figure;
		unsigned column; /* 0: of loop 0; 1: of threads that are no loops; 2: of the canary of loop 0 */
		bool works;
	} rows[] = {
		{offsetof(struct status_counters, direct), 0, true},
		{offsetof(struct status_counters, queued), 0, true},
		{offsetof(struct status_counters, cpu_ns), 0, true},
		{offsetof(struct status_counters, queued), 1, true},
		{offsetof(struct status_counters, cpu_ns), 1, true},
		{offsetof(struct status_counters, direct), 2, true},
		{offsetof(struct status_counters, rejected), 0, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		memset(of, 0, sizeof of);
		begin();
		for (int times = 0; times < 4; times++) {
			struct status_counters *counters = &of[1].service->counters[rows[i].column];

			status_add((_Atomic uint64_t *)(void *)((char *)counters + rows[i].figure), 1);
			leak(10);
			tick();
		}
		ck_assert_msg(of[1].told == rows[i].works, "row %zu", i);
		ck_assert_int_eq(told(), rows[i].works);
		end();
	}
}
END_TEST

START_TEST(a_service_that_comes_while_they_grow_is_looked_at)
{
	begin();
	work_and_leak(0, 2, 1);
	ck_assert_ptr_nonnull(services_start(&(struct service_options){.name = "e", .plugin = plugin}));
	work_and_leak(0, 3, 20);
	ck_assert_int_eq(of[0].told, 1);
	ck_assert_ptr_nonnull(strstr(of[0].text, "while a worked"));
	end();
}
END_TEST

/* --- the end ------------------------------------------------------------------------------------------------ */

START_TEST(a_leak_is_over_when_no_more_are_opened_for_a_while)
{
	begin();
	work_and_leak(0, 4, 10);
	ck_assert_int_eq(of[0].told, 1);
	later(SECONDS(20));
	/* One more puts the end off. */
	leak(1);
	tick();
	later(SECONDS(30));
	ck_assert_int_eq(of[0].over, 0);
	tick();
	ck_assert_int_eq(of[0].over, 1);
	for (int i = 1; i < SERVICES; i++)
		ck_assert_int_eq(of[i].over, 0);
	later(SECONDS(100));
	ck_assert_int_eq(of[0].over, 1);
	/* Another one is told by itself. */
	work_and_leak(1, 3, 11);
	ck_assert_int_eq(told(), 1);
	work_and_leak(1, 1, 11);
	ck_assert_int_eq(of[1].told, 1);
	ck_assert_int_eq(of[0].told, 1);
	ck_assert_ptr_eq(strstr(of[1].text, "44 descriptors were"), of[1].text);
	end();
}
END_TEST

START_TEST(a_leak_is_over_when_fewer_are_open_than_before_it)
{
	begin();
	leak(20);
	later(SECONDS(1));
	later(SECONDS(31));
	work_and_leak(0, 4, 10);
	ck_assert_int_eq(of[0].told, 1);
	/* Most are closed: those that are left may still be it. */
	give_back(40);
	tick();
	ck_assert_int_eq(of[0].over, 0);
	give_back(1);
	tick();
	ck_assert_int_eq(of[0].over, 1);
	end();
}
END_TEST

/* --- the limit ------------------------------------------------------------------------------------------------ */

/* Until so many are open. */
static void
leak_to(int count)
{
	leak(count - open_fds());
	ck_assert_int_eq(open_fds(), count);
}

START_TEST(the_cell_is_told_when_hardly_one_of_its_limit_is_left)
{
	begin();
	set_limit(256);
	later(SECONDS(10));
	leak_to(223);
	tick();
	ck_assert_int_eq(limit_told, 0);
	leak(1);
	tick();
	ck_assert_int_eq(limit_told, 1);
	/* Nobody worked, so it is any of those that serve. */
	ck_assert_str_eq(limit_text, "224 of the 256 descriptors that it may have are open (see fds_max), most by service"
		" a or b or c or d");
	leak(1);
	tick();
	ck_assert_int_eq(limit_told, 1);
	end();
}
END_TEST

START_TEST(only_services_that_serve_are_named_when_nobody_worked_and_who_did_alone)
{
	begin();
	set_limit(256);
	later(SECONDS(10));
	ck_assert(services_stop(of[1].service, BAY_SECOND, BAY_SECOND, NULL));
	leak_to(240);
	tick();
	ck_assert_ptr_nonnull(strstr(limit_text, "most by service a or c or d"));
	end();

	memset(of, 0, sizeof of);
	begin();
	set_limit(256);
	later(SECONDS(10));
	work_and_leak(2, 4, 10);
	leak_to(240);
	work(2);
	tick();
	ck_assert_int_eq(limit_told, 2);
	ck_assert_str_eq(strstr(limit_text, "most by service "), "most by service c");
	end();
}
END_TEST

START_TEST(all_of_the_limit_may_be_open)
{
	begin();
	set_limit(256);
	later(SECONDS(10));
	work_and_leak(0, 3, 10);
	leak(256 - open_fds());
	work(0);
	tick();
	ck_assert_int_eq(limit_told, 1);
	ck_assert_str_eq(limit_text, "256 of the 256 descriptors that it may have are open (see fds_max), most by service a");
	ck_assert_int_eq(of[0].told, 1);
	ck_assert_str_eq(of[0].text, "192 descriptors were opened and not closed while a worked; 256 are open in its cell");
	end();
}
END_TEST

START_TEST(a_process_that_meets_its_limit_at_once_is_given_a_while)
{
	begin();
	set_limit(256);
	leak_to(240);
	tick();
	later(SECONDS(10) - 2 * TICK_NS);
	ck_assert_int_eq(limit_told, 0);
	tick();
	ck_assert_int_eq(limit_told, 1);
	end();
}
END_TEST

START_TEST(who_has_as_many_sockets_as_it_may_is_not_told)
{
	begin();
	set_limit(512);
	later(SECONDS(10));
	ck_assert_int_eq(services_run(open_known, NULL), BAY_OK);
	leak_to(255 + 200);
	tick();
	ck_assert_int_eq(limit_told, 0);
	/* Now half of all are such as nobody knows. */
	belonging_remove(&belongings[0]);
	tick();
	ck_assert_int_eq(limit_told, 1);
	for (int i = 1; i < 200; i++)
		belonging_remove(&belongings[i]);
	end();
}
END_TEST

START_TEST(what_was_open_from_the_beginning_is_not_told)
{
	begin();
	set_limit(256);
	fd_watch_destroy(watch);
	leak_to(240);
	watch = fd_watch_create(&control, on_fault, &control);
	later(SECONDS(60));
	tick();
	ck_assert_int_eq(limit_told, 0);
	leak(1);
	tick();
	ck_assert_int_eq(limit_told, 1);
	end();
}
END_TEST

START_TEST(nothing_is_a_watch_that_can_be_destroyed)
{
	fd_watch_destroy(NULL);
}
END_TEST

CHECK_MAIN("cell/fd_watch",
	descriptors_that_a_service_leaves_open_are_told_once_they_are_many_and_grow_on,
	it_is_told_again_whenever_there_are_as_many_more,
	what_is_opened_at_once_and_kept_is_no_leak,
	those_that_functions_of_the_container_have_opened_are_not_counted,
	who_worked_whenever_they_grew_and_mostly_then_is_named,
	whatever_a_service_does_is_work,
	a_service_that_comes_while_they_grow_is_looked_at,
	a_leak_is_over_when_no_more_are_opened_for_a_while,
	a_leak_is_over_when_fewer_are_open_than_before_it,
	the_cell_is_told_when_hardly_one_of_its_limit_is_left,
	only_services_that_serve_are_named_when_nobody_worked_and_who_did_alone,
	all_of_the_limit_may_be_open,
	a_process_that_meets_its_limit_at_once_is_given_a_while,
	who_has_as_many_sockets_as_it_may_is_not_told,
	what_was_open_from_the_beginning_is_not_told,
	nothing_is_a_watch_that_can_be_destroyed)
