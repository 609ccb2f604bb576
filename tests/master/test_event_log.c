/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/event_log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "support/log_lines.h"

static void
add(struct event_log *log, const char *service, const char *why)
{
	event_log_add(log, EVENT_SWAPPED, &(struct event_facts){.service = service}, "%s", why);
}

/* All reasons from number on about service, joined by spaces. */
static const char *
reasons(const struct event_log *log, uint64_t number, const char *service)
{
	static char joined[1024];
	const struct event_record *record;

	joined[0] = '\0';
	while (event_log_next(log, &number, service, &record)) {
		if (joined[0] != '\0')
			strcat(joined, " ");
		strcat(joined, record->why);
	}
	return joined;
}

START_TEST(an_event_keeps_everything_that_was_said_of_it)
{
	struct event_log *log = event_log_create();
	char service[] = "square";
	const struct event_facts facts = {.service = service, .plugin = "squares",
		.generation = 3, .took_ns = 7, .by = {EVENT_BY_USER, 12, 34}};
	const struct event_record *record;
	uint64_t number = 1;

	event_log_add(log, EVENT_ROLLED_BACK, &facts, "%d failures", 5);
	service[0] = 'X';
	ck_assert(event_log_next(log, &number, NULL, &record));
	ck_assert_uint_eq(record->number, 1);
	ck_assert_int_eq(record->kind, EVENT_ROLLED_BACK);
	ck_assert_int_gt(record->wall_ns, 0);
	ck_assert_str_eq(record->service, "square");
	ck_assert_str_eq(record->plugin, "squares");
	ck_assert_int_eq(record->generation, 3);
	ck_assert_int_eq(record->took_ns, 7);
	ck_assert_int_eq(record->by.source, EVENT_BY_USER);
	ck_assert_uint_eq(record->by.uid, 12);
	ck_assert_int_eq(record->by.pid, 34);
	ck_assert_str_eq(record->why, "5 failures");
	ck_assert(!event_log_next(log, &number, NULL, &record));
	ck_assert_uint_eq(number, 2);
	event_log_destroy(log);
}
END_TEST

START_TEST(events_are_read_in_their_order_from_any_number_on)
{
	struct event_log *log = event_log_create();

	ck_assert_uint_eq(event_log_newest(log), 0);
	ck_assert_str_eq(reasons(log, 1, NULL), "");
	add(log, "a", "one");
	add(log, "b", "two");
	add(log, "a", "three");
	ck_assert_uint_eq(event_log_newest(log), 3);
	ck_assert_str_eq(reasons(log, 1, NULL), "one two three");
	ck_assert_str_eq(reasons(log, 2, NULL), "two three");
	ck_assert_str_eq(reasons(log, 4, NULL), "");
	ck_assert_str_eq(reasons(log, 1, "a"), "one three");
	ck_assert_str_eq(reasons(log, 1, "aa"), "");
	event_log_destroy(log);
}
END_TEST

START_TEST(the_last_events_about_a_service_are_found)
{
	struct event_log *log = event_log_create();

	ck_assert_uint_eq(event_log_start(log, NULL, 5), 1);
	add(log, "a", "one");
	add(log, "b", "two");
	add(log, "a", "three");
	add(log, "b", "four");
	ck_assert_uint_eq(event_log_start(log, NULL, 0), 5);
	ck_assert_uint_eq(event_log_start(log, NULL, 2), 3);
	ck_assert_uint_eq(event_log_start(log, "a", 2), 1);
	ck_assert_uint_eq(event_log_start(log, "a", 1), 3);
	ck_assert_uint_eq(event_log_start(log, "b", 9), 1);
	event_log_destroy(log);
}
END_TEST

START_TEST(only_the_newest_are_kept_and_numbers_go_on)
{
	struct event_log *log = event_log_create();
	const struct event_record *record;
	uint64_t number = 1;

	for (int i = 1; i <= EVENT_LOG_CAPACITY + 10; i++)
		add(log, "a", "x");
	ck_assert_uint_eq(event_log_newest(log), EVENT_LOG_CAPACITY + 10);
	ck_assert_uint_eq(event_log_oldest(log), 11);
	ck_assert_uint_eq(event_log_start(log, "a", EVENT_LOG_CAPACITY + 100), 11);
	for (uint64_t expected = 11; expected <= EVENT_LOG_CAPACITY + 10; expected++) {
		ck_assert(event_log_next(log, &number, "a", &record));
		ck_assert_uint_eq(record->number, expected);
	}
	ck_assert(!event_log_next(log, &number, "a", &record));
	event_log_destroy(log);
}
END_TEST

static void
count_up(void *arg)
{
	++*(unsigned *)arg;
}

START_TEST(who_watches_is_called_after_each_event)
{
	struct event_log *log = event_log_create();
	unsigned count = 0;

	event_log_watch(log, count_up, &count);
	add(log, "a", "x");
	add(log, "a", "x");
	ck_assert_uint_eq(count, 2);
	event_log_watch(log, NULL, NULL);
	add(log, "a", "x");
	ck_assert_uint_eq(count, 2);
	event_log_destroy(log);
}
END_TEST

START_TEST(a_log_that_is_not_there_takes_nothing)
{
	event_log_add(NULL, EVENT_SWAPPED, &(struct event_facts){0}, "%s", "x");
	event_log_destroy(NULL);
}
END_TEST

START_TEST(what_is_done_for_somebody_goes_to_the_log_with_his_name)
{
	struct event_log *log = event_log_create();
	const struct event_facts facts = {.service = "square",
		.by = {EVENT_BY_USER, 1000, 4711}};

	log_lines_keep();
	event_log_add(log, EVENT_ASKED, &facts, "to stop it");
	ck_assert_int_eq(log_lines_with("service square: asked by user 1000, process 4711: to stop it"), 1);
	event_log_add(log, EVENT_DROPPED_IN,
		&(struct event_facts){.plugin = "x", .by = {.source = EVENT_BY_WATCH}}, NULL);
	ck_assert_int_eq(log_lines_with("plugin x: dropped-in by watch"), 1);
	event_log_add(log, EVENT_TROUBLE, &(struct event_facts){0}, "the disk is full");
	ck_assert_int_eq(log_lines_with("trouble: the disk is full"), 1);
	event_log_destroy(log);
}
END_TEST

START_TEST(what_has_a_line_of_its_own_is_not_logged_twice)
{
	struct event_log *log = event_log_create();

	log_lines_keep();
	event_log_add(log, EVENT_STARTED, &(struct event_facts){.service = "square"}, "it serves");
	ck_assert_int_eq(log_lines_with("it serves"), 0);
	event_log_destroy(log);
}
END_TEST

START_TEST(the_names_of_kinds_are_small_words_and_differ)
{
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		const char *name = event_kind_name((enum event_kind)kind);

		ck_assert_uint_gt(strlen(name), 0);
		for (const char *c = name; *c != '\0'; c++)
			ck_assert(islower((unsigned char)*c) || *c == '-');
		for (int other = 0; other < kind; other++)
			ck_assert_str_ne(name, event_kind_name((enum event_kind)other));
	}
}
END_TEST

CHECK_MAIN("master/event_log",
	an_event_keeps_everything_that_was_said_of_it,
	events_are_read_in_their_order_from_any_number_on,
	the_last_events_about_a_service_are_found,
	only_the_newest_are_kept_and_numbers_go_on,
	who_watches_is_called_after_each_event,
	a_log_that_is_not_there_takes_nothing,
	what_is_done_for_somebody_goes_to_the_log_with_his_name,
	what_has_a_line_of_its_own_is_not_logged_twice,
	the_names_of_kinds_are_small_words_and_differ)
