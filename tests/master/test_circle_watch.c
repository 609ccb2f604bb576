/* SPDX-License-Identifier: BSD-2-Clause */
/* Fake cells west, with service a, and east, with b; and main, which nobody is in. That they stand still
 * the tests say for them. */
#include "config.h"

#include "master/circle_watch.h"

#include <string.h>

#include "master/cell_process.h"
#include "master/circle_cells.h"
#include "protocol/cell_link.h"

#define OF_A "task 1 handle (a) in cell west -> the queue of b in cell east -> "
#define OF_B "task 1 handle (b) in cell east -> the queue of a in cell west -> "

static struct fake_master master;

static void
open_cells(void)
{
	fake_master_open_pair(&master, "", "cell = west", "cell = east", NULL);
	fake_master_start(&master);
}

static void
stands(const char *cell, bool does)
{
	circle_watch_note(supervisor_circles(master.supervisor), circle_cell(&master, cell), does);
}

static void
say_circle(int serial)
{
	circle_cell_says(&master, "west", circle_waits("a", "east", serial), false, 1000);
	circle_cell_says(&master, "east", circle_waits("b", "west", serial), false, 1000);
}

static void
say_nothing(void)
{
	circle_cell_says(&master, "west", NULL, false, 1000);
	circle_cell_says(&master, "east", NULL, false, 1000);
}

static const char *
deadlock_of(const char *service)
{
	return service_of(&master, service)->faults.text[CELL_FAULT_DEADLOCK];
}

/* It begins in the cell that answered first. */
static bool
is_circle_of(const char *service)
{
	const char *text = deadlock_of(service);

	return strcmp(text, OF_A OF_B "task 1 handle (a) in cell west") == 0 ||
		strcmp(text, OF_B OF_A "task 1 handle (b) in cell east") == 0;
}

static unsigned
count_events(const char *service, enum event_kind kind)
{
	const struct event_record *record;
	unsigned count = 0;
	uint64_t number = 0;

	while (event_log_next(master.events, &number, NULL, &record))
		count += record->kind == kind && strcmp(record->service, service) == 0;
	return count;
}

static void
has_told(unsigned faults, unsigned over)
{
	for (const char *service = "a"; strcmp(service, "") != 0; service = strcmp(service, "a") == 0 ? "b" : "") {
		ck_assert_uint_eq(count_events(service, EVENT_FAULT), faults);
		ck_assert_uint_eq(count_events(service, EVENT_FAULT_OVER), over);
	}
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
turn_for(time_t seconds)
{
	bool over = false;

	event_base_once(master.base, -1, EV_TIMEOUT, on_time, &over, &(struct timeval){.tv_sec = seconds});
	UNTIL(&master, over);
}

/* Looks so often at that cell. */
static void
await_asked(const char *cell, unsigned times)
{
	unsigned before = circle_cell_asked(&master, cell);

	UNTIL(&master, circle_cell_asked(&master, cell) >= before + times);
}

/* Both are told that they wait for each other. */
static void
open_with_circle(void)
{
	open_cells();
	say_circle(5);
	stands("west", true);
	stands("east", true);
	UNTIL(&master, deadlock_of("a") != NULL && deadlock_of("b") != NULL);
}

START_TEST(a_circle_through_two_cells_is_a_fault_of_its_services_until_a_cell_does_not_stand)
{
	const struct event_record *record;
	uint64_t number = 0;

	open_with_circle();
	ck_assert_msg(is_circle_of("a"), "%s", deadlock_of("a"));
	ck_assert_str_eq(deadlock_of("a"), deadlock_of("b"));
	/* It is the same when they are asked the next time. */
	await_asked("west", 3);
	has_told(1, 0);
	while (event_log_next(master.events, &number, NULL, &record) && record->kind != EVENT_FAULT)
		;
	ck_assert_msg(strncmp(record->why, "deadlock: task 1 handle (", 25) == 0, "%s", record->why);
	ck_assert_ptr_nonnull(strstr(record->why, " [service-deadlock]"));
	stands("west", false);
	UNTIL(&master, deadlock_of("a") == NULL && deadlock_of("b") == NULL);
	has_told(1, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(it_is_over_when_it_is_not_found_while_the_cells_stand_still)
{
	open_with_circle();
	say_nothing();
	UNTIL(&master, deadlock_of("a") == NULL && deadlock_of("b") == NULL);
	/* And there may be another. */
	say_circle(6);
	UNTIL(&master, deadlock_of("a") != NULL && deadlock_of("b") != NULL);
	has_told(2, 1);
	fake_master_close(&master);
}
END_TEST

static json_t *
two_answers(const char *service, const char *other)
{
	return json_pack("[o, o]", circle_answer(circle_waits(service, other, 5), false, 1000),
		circle_answer(circle_waits(service, other, 6), false, 1000));
}

START_TEST(waits_that_are_others_when_they_are_asked_again_are_no_circle)
{
	open_cells();
	circle_cell_answers(&master, "west", two_answers("a", "east"));
	circle_cell_answers(&master, "east", two_answers("b", "west"));
	stands("west", true);
	stands("east", true);
	/* Twice in each look. */
	await_asked("west", 6);
	has_told(0, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_stands_still_alone_is_not_asked)
{
	open_cells();
	say_circle(5);
	stands("west", true);
	turn_for(2);
	ck_assert_uint_eq(circle_cell_asked(&master, "west"), 0);
	/* Nor is one that does not. */
	stands("main", true);
	await_asked("west", 1);
	ck_assert_uint_eq(circle_cell_asked(&master, "east"), 0);
	has_told(0, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(cells_that_stand_still_in_no_circle_are_asked_less_and_less_often)
{
	open_cells();
	say_nothing();
	stands("west", true);
	stands("east", true);
	await_asked("west", 1);
	turn_for(4);
	/* After 0, 0.5, 1.5 and 3.5 s. */
	ck_assert_uint_le(circle_cell_asked(&master, "west"), 5);
	/* Another one may be what was missing. */
	circle_cell_says(&master, "main", NULL, false, 1000);
	stands("main", true);
	await_asked("main", 2);
	has_told(0, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(cells_whose_loops_need_long_to_answer_are_left_alone_for_a_thousand_times_as_long)
{
	open_cells();
	circle_cell_says(&master, "west", NULL, false, 20 * CLOCK_NS_PER_MS);
	circle_cell_says(&master, "east", NULL, false, 1000);
	stands("west", true);
	stands("east", true);
	await_asked("west", 1);
	turn_for(3);
	ck_assert_uint_eq(circle_cell_asked(&master, "west"), 1);
	/* Whatever they say. */
	stands("east", false);
	stands("east", true);
	turn_for(1);
	ck_assert_uint_eq(circle_cell_asked(&master, "west"), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_does_not_answer_may_stand_in_its_circle_still)
{
	open_with_circle();
	circle_cell_is_silent(&master, "east");
	await_asked("west", 2);
	has_told(1, 0);
	/* Nor does one that says that this is not all. */
	circle_cell_says(&master, "east", NULL, true, 1000);
	await_asked("west", 2);
	has_told(1, 0);
	circle_cell_says(&master, "east", NULL, false, 1000);
	UNTIL(&master, deadlock_of("a") == NULL && deadlock_of("b") == NULL);
	has_told(1, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_circle_is_over_when_one_of_its_cells_moves_whatever_another_does_not_say)
{
	open_with_circle();
	circle_cell_is_silent(&master, "east");
	/* It stands for another reason. */
	circle_cell_says(&master, "main", NULL, false, 1000);
	stands("main", true);
	circle_cell_says(&master, "west", NULL, false, 1000);
	await_asked("west", 2);
	has_told(1, 0);
	stands("west", false);
	UNTIL(&master, deadlock_of("a") == NULL && deadlock_of("b") == NULL);
	has_told(1, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_does_not_answer_keeps_nothing_up_among_others)
{
	open_cells();
	circle_cell_is_silent(&master, "main");
	stands("main", true);
	say_circle(5);
	stands("west", true);
	stands("east", true);
	UNTIL(&master, deadlock_of("a") != NULL && deadlock_of("b") != NULL);
	say_nothing();
	UNTIL(&master, deadlock_of("a") == NULL && deadlock_of("b") == NULL);
	ck_assert_uint_ge(circle_cell_asked(&master, "main"), 1);
	has_told(1, 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_dies_ends_its_circles)
{
	open_with_circle();
	cell_process_kill(master_cell_process(circle_cell(&master, "east")));
	UNTIL(&master, deadlock_of("a") == NULL);
	ck_assert_uint_eq(count_events("a", EVENT_FAULT_OVER), 1);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_ptr_null(deadlock_of("b"));
	/* The next process has not said that it stands. */
	turn_for(1);
	ck_assert_uint_eq(count_events("a", EVENT_FAULT), 1);
	ck_assert_uint_eq(count_events("b", EVENT_FAULT), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_the_cell_of_a_service_sees_and_what_goes_through_several_are_one_fault)
{
	struct master_service *a;

	open_with_circle();
	a = service_of(&master, "a");
	service_faults_note_circle(a, FAULT_SEEN_IN_CELL, "of its own");
	service_faults_note_circle(a, FAULT_SEEN_IN_CELL, NULL);
	ck_assert(is_circle_of("a"));
	service_faults_note_circle(a, FAULT_SEEN_IN_CELL, "of its own");
	say_nothing();
	UNTIL(&master, deadlock_of("b") == NULL);
	ck_assert_str_eq(deadlock_of("a"), "of its own");
	ck_assert_uint_eq(count_events("a", EVENT_FAULT), 1);
	ck_assert_uint_eq(count_events("a", EVENT_FAULT_OVER), 0);
	service_faults_note_circle(a, FAULT_SEEN_IN_CELL, NULL);
	ck_assert_ptr_null(deadlock_of("a"));
	has_told(1, 1);
	fake_master_close(&master);
}
END_TEST

/* West says that all of its waits are of b. */
START_TEST(a_cell_speaks_for_no_services_of_others)
{
	open_cells();
	circle_cell_says(&master, "west", circle_waits("b", "east", 5), false, 1000);
	circle_cell_says(&master, "east", circle_waits("nobody", "west", 5), false, 1000);
	stands("west", true);
	stands("east", true);
	await_asked("west", 4);
	has_told(0, 0);
	say_circle(5);
	UNTIL(&master, deadlock_of("a") != NULL && deadlock_of("b") != NULL);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_a_service_had_is_forgotten_with_its_end)
{
	open_with_circle();
	service_control_stop(service_of(&master, "a"), false, fake_master_on_done, &master);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_ptr_null(deadlock_of("a"));
	/* The circle stays, as its cell says; but it is of nobody who serves. */
	await_asked("west", 3);
	ck_assert_ptr_null(deadlock_of("a"));
	ck_assert_ptr_nonnull(deadlock_of("b"));
	has_told(1, 0);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/circle_watch",
	a_circle_through_two_cells_is_a_fault_of_its_services_until_a_cell_does_not_stand,
	it_is_over_when_it_is_not_found_while_the_cells_stand_still,
	waits_that_are_others_when_they_are_asked_again_are_no_circle,
	a_cell_that_stands_still_alone_is_not_asked,
	cells_that_stand_still_in_no_circle_are_asked_less_and_less_often,
	cells_whose_loops_need_long_to_answer_are_left_alone_for_a_thousand_times_as_long,
	a_cell_that_does_not_answer_may_stand_in_its_circle_still,
	a_circle_is_over_when_one_of_its_cells_moves_whatever_another_does_not_say,
	a_cell_that_does_not_answer_keeps_nothing_up_among_others,
	a_cell_that_dies_ends_its_circles,
	what_the_cell_of_a_service_sees_and_what_goes_through_several_are_one_fault,
	a_cell_speaks_for_no_services_of_others,
	what_a_service_had_is_forgotten_with_its_end)
