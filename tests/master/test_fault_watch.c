/* SPDX-License-Identifier: BSD-2-Clause */
/* With a fake cell, whose figures the test writes, and a clock that stands still between two looks. */
#include "config.h"

#include "master/fault_watch.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "config/config_load.h"
#include "master/cell_process.h"
#include "master/master.h"
#include "master/service_faults.h"
#include "support/check_main.h"
#include "support/fake_master.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

static struct fake_master fake;
static struct master master;
static struct fault_watch *watch;
static struct event *timer;

/* --- the master ------------------------------------------------------------------------------- */

/* The watch's. */
static int
take_timer(const struct event_base *base, const struct event *event, void *arg)
{
	(void)base;
	(void)arg;
	if (event_get_callback_arg(event) != watch)
		return 0;
	timer = (struct event *)(uintptr_t)event;
	return 1;
}

static void
look(void)
{
	event_active(timer, EV_TIMEOUT, 0);
	event_base_loop(fake.base, EVLOOP_NONBLOCK);
}

static void
later(int64_t ns)
{
	clock_move_to(clock_monotonic_ns() + ns);
}

static void
open_watch(const char *keys)
{
	fake_master_open(&fake, "", keys);
	fake_master_start(&fake);
	/* A machine that was switched on just now. */
	clock_stand_still(SECONDS(1), 0);
	master.supervisor = fake.supervisor;
	watch = fault_watch_create(fake.base, &master);
	ck_assert_ptr_nonnull(watch);
	event_base_foreach_event(fake.base, take_timer, NULL);
	ck_assert_ptr_nonnull(timer);
	look();
}

static void
close_watch(void)
{
	fault_watch_destroy(watch);
	fake_master_close(&fake);
}

static struct master_cell *
cell(void)
{
	return supervisor_cell(fake.supervisor, 0);
}

static struct status_gauges *
gauges_of(const char *name)
{
	return status_page_gauges(master_cell_page(cell()), service_of(&fake, name)->slot);
}

static struct status_counters *
counters_of_a(void)
{
	return status_page_counters(master_cell_page(cell()), service_of(&fake, "a")->slot, 0);
}

/* --- what is told ------------------------------------------------------------------------------- */

/* How many of a kind are about the service (NULL: anything); why the last one is, in text. */
static char text[400];

static unsigned
events_of(enum event_kind kind, const char *name)
{
	const struct event_record *record;
	uint64_t next = event_log_oldest(fake.events);
	unsigned count = 0;

	text[0] = '\0';
	while (event_log_next(fake.events, &next, name, &record)) {
		if (record->kind != kind)
			continue;
		snprintf(text, sizeof(text), "%s", record->why);
		count++;
	}
	return count;
}

static void
expect_of(const char *name, enum event_kind kind, unsigned count, const char *last)
{
	ck_assert_uint_eq(events_of(kind, name), count);
	if (last != NULL)
		ck_assert_str_eq(text, last);
}

static void
expect(enum event_kind kind, unsigned count, const char *last)
{
	expect_of("a", kind, count, last);
}

static const char *
fault_of(const char *name, enum cell_fault_kind kind)
{
	return service_of(&fake, name)->faults.text[kind];
}

/* One message more is refused, and that is seen. */
static void
refuse_one(void)
{
	status_add_shared(&gauges_of("a")->refused, 1);
	look();
}

/* --- floods and limits ---------------------------------------------------------------------------- */

static const struct {
	enum cell_fault_kind kind;
	size_t figure;
	const char *one;  /* refused */
	const char *many; /* three of them */
	const char *over;
} rows[] = {
	{CELL_FAULT_OVERFLOW, offsetof(struct status_gauges, refused),
		"queue-overflow: 1 message was refused or dropped: more come than it handles (overflow = drop-oldest, queue = 7)"
		" [service-overflow]",
		"queue-overflow: 3 messages were refused or dropped: more come than it handles (overflow = drop-oldest, queue = 7)"
		" [service-overflow]",
		"queue-overflow: 6 messages were refused or dropped in all"},
	{CELL_FAULT_MEMORY, offsetof(struct status_gauges, denied_memory),
		"memory-limit: 1 message or piece of memory was refused: it has as much as it may (memory_max = 1M)"
		" [service-limit]",
		"memory-limit: 3 messages or pieces of memory were refused: it has as much as it may (memory_max = 1M)"
		" [service-limit]",
		"memory-limit: 6 messages or pieces of memory were refused in all"},
	{CELL_FAULT_TASKS, offsetof(struct status_gauges, denied_tasks),
		"tasks-limit: 1 task was refused: it has as many as it may (tasks_max = 9) [service-limit]",
		"tasks-limit: 3 tasks were refused: it has as many as it may (tasks_max = 9) [service-limit]",
		"tasks-limit: 6 tasks were refused in all"},
	{CELL_FAULT_SLOW_READER, offsetof(struct status_gauges, lost),
		"slow-reader: 1 message was lost: it does not take them from its subscriptions as fast as they come"
		" [service-slow-reader]",
		"slow-reader: 3 messages were lost: it does not take them from its subscriptions as fast as they come"
		" [service-slow-reader]",
		"slow-reader: 6 messages were lost in all"},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

static void
add_to(const char *name, size_t figure, uint64_t n)
{
	status_add_shared((_Atomic uint64_t *)(void *)((char *)gauges_of(name) + figure), n);
}

START_TEST(each_kind_of_refusal_is_told_when_it_begins_with_the_limit_that_was_met)
{
	open_watch("overflow = drop-oldest\nqueue = 7\nmemory_max = 1M\ntasks_max = 9");
	for (size_t i = 0; i < ROWS; i++) {
		add_to("a", rows[i].figure, 1);
		add_to("b", rows[i].figure, 3);
		look();
		expect_of("a", EVENT_FAULT, (unsigned)i + 1, rows[i].one);
		expect_of("b", EVENT_FAULT, (unsigned)i + 1, rows[i].many);
		ck_assert_ptr_nonnull(fault_of("a", rows[i].kind));
		/* Once, however many more there are. */
		add_to("a", rows[i].figure, 1);
		look();
		add_to("b", rows[i].figure, 3);
		look();
		expect_of(NULL, EVENT_FAULT, 2 * (unsigned)i + 2, NULL);
	}
	expect_of(NULL, EVENT_FAULT_OVER, 0, NULL);
	close_watch();
}
END_TEST

START_TEST(each_is_over_with_the_number_of_all_when_none_was_refused_for_a_while)
{
	open_watch("");
	for (size_t i = 0; i < ROWS; i++) {
		add_to("a", rows[i].figure, 1);
		look();
		later(SECONDS(4));
		look();
		/* Each puts the end off. */
		add_to("a", rows[i].figure, 5);
		look();
		later(SECONDS(5) - 1);
		look();
		ck_assert_ptr_nonnull(fault_of("a", rows[i].kind));
		expect(EVENT_FAULT_OVER, (unsigned)i, NULL);
		later(1);
		look();
		expect(EVENT_FAULT_OVER, (unsigned)i + 1, rows[i].over);
		ck_assert_ptr_null(fault_of("a", rows[i].kind));
		later(SECONDS(100));
		look();
		expect(EVENT_FAULT_OVER, (unsigned)i + 1, NULL);
	}
	expect_of("b", EVENT_FAULT, 0, NULL);
	close_watch();
}
END_TEST

START_TEST(the_next_flood_is_told_anew_and_counted_from_its_begin)
{
	open_watch("");
	refuse_one();
	later(SECONDS(5));
	look();
	expect(EVENT_FAULT_OVER, 1, "queue-overflow: 1 message was refused or dropped in all");
	refuse_one();
	refuse_one();
	later(SECONDS(5));
	look();
	expect(EVENT_FAULT, 2, NULL);
	expect(EVENT_FAULT_OVER, 2, "queue-overflow: 2 messages were refused or dropped in all");
	close_watch();
}
END_TEST

START_TEST(what_is_refused_while_a_service_does_not_serve_is_never_told)
{
	static const enum service_state states[] = {SERVICE_STOPPED, SERVICE_STARTING, SERVICE_STOPPING, SERVICE_FAILED};
	struct master_service *a;

	open_watch("");
	a = service_of(&fake, "a");
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		a->state = states[i];
		refuse_one();
		a->state = SERVICE_READY;
		look();
		expect(EVENT_FAULT, 0, NULL);
	}
	refuse_one();
	expect(EVENT_FAULT, 1, NULL);
	ck_assert_ptr_eq(strstr(text, "queue-overflow: 1 message"), text);
	close_watch();
}
END_TEST

START_TEST(what_was_told_is_forgotten_when_a_service_stops_and_told_again_when_it_serves)
{
	struct master_service *a;

	open_watch("");
	a = service_of(&fake, "a");
	refuse_one();
	refuse_one();
	service_faults_forget(a);
	later(SECONDS(100));
	look();
	expect(EVENT_FAULT_OVER, 0, NULL);
	refuse_one();
	expect(EVENT_FAULT, 2, NULL);
	later(SECONDS(5));
	look();
	expect(EVENT_FAULT_OVER, 1, "queue-overflow: 1 message was refused or dropped in all");
	close_watch();
}
END_TEST

START_TEST(the_figures_of_another_cell_begin_anew)
{
	open_watch("");
	add_to("a", offsetof(struct status_gauges, refused), 10);
	look();
	later(SECONDS(5));
	look();
	/* Fewer than before, so these are all of the next one. */
	status_set(&gauges_of("a")->refused, 4);
	look();
	expect(EVENT_FAULT, 2, "queue-overflow: 4 messages were refused or dropped: more come than it handles"
		" (overflow = reject, queue = 1024) [service-overflow]");
	later(SECONDS(5));
	status_set(&gauges_of("a")->refused, 0);
	look();
	expect(EVENT_FAULT_OVER, 2, "queue-overflow: 4 messages were refused or dropped in all");
	close_watch();
}
END_TEST

START_TEST(a_service_that_is_gone_is_not_looked_at)
{
	struct status_gauges *gauges;
	struct master_service *a;

	open_watch("");
	a = service_of(&fake, "a");
	gauges = gauges_of("a");
	a->gone = true;
	status_add_shared(&gauges->refused, 1);
	look();
	expect(EVENT_FAULT, 0, NULL);
	a->gone = false;
	close_watch();
}
END_TEST

START_TEST(while_there_is_no_cell_nothing_is_looked_at)
{
	open_watch("");
	refuse_one();
	/* So that the next one takes a while. */
	fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(cell()));
	UNTIL(&fake, master_cell_process(cell()) == NULL);
	look();
	UNTIL(&fake, is_state(&fake, "a", SERVICE_READY));
	look();
	expect(EVENT_FAULT, 1, NULL);
	refuse_one();
	expect(EVENT_FAULT, 2, NULL);
	close_watch();
}
END_TEST

START_TEST(a_service_that_comes_later_is_looked_at)
{
	static const char ini[] = "[container]\n[service a]\n[service b]\n[service c]\n";
	struct config_report report = {0};
	struct master_service *c;
	struct config *config;

	open_watch("");
	ck_assert(config_load_memory("bay.ini", ini, strlen(ini), &config, &report));
	config_report_finish(&report);
	c = supervisor_add(fake.supervisor, config, &config->services[2]);
	ck_assert_uint_eq(c->slot, 2);
	c->state = SERVICE_READY;
	look();
	add_to("c", offsetof(struct status_gauges, lost), 1);
	look();
	expect_of("c", EVENT_FAULT, 1, NULL);
	c->state = SERVICE_STOPPED;
	close_watch();
	config_unref(config);
}
END_TEST

/* --- memory that is kept ----------------------------------------------------------------------------- */

/* It is refused memory and has as much as this. */
static void
deny_memory(uint64_t bytes)
{
	status_set(&counters_of_a()->memory_bytes, bytes);
	status_add_shared(&gauges_of("a")->denied_memory, 1);
	look();
}

static unsigned
renewals(void)
{
	return events_of(EVENT_LIMIT, NULL);
}

#define MIB (UINT64_C(1024) * 1024)

START_TEST(the_cell_of_a_service_that_does_nothing_and_keeps_all_of_its_memory_is_replaced)
{
	pid_t pid;

	open_watch("memory_max = 1M");
	pid = cell_process_pid(master_cell_process(cell()));
	deny_memory(MIB);
	later(SECONDS(1) - 1);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), 0);
	later(1);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), 1);
	ck_assert_str_eq(text, "cell main: service a does nothing and has kept all of its memory (memory_max = 1M):"
		" it is replaced [cell-limit]");
	UNTIL(&fake, is_state(&fake, "a", SERVICE_READY) && is_state(&fake, "b", SERVICE_READY) &&
		cell_process_pid(master_cell_ready(cell())) != pid);
	close_watch();
}
END_TEST

START_TEST(a_service_that_works_has_room_or_frees_some_keeps_its_cell)
{
	static const struct {
		const char *keys;
		uint64_t bytes, in_flight, queued, freed;
		unsigned renewals;
	} cases[] = {
		{"memory_max = 1M", MIB, 0, 0, 0, 1},
		{"memory_max = 1M", MIB - MIB / 8, 0, 0, 0, 1},
		{"memory_max = 1M", MIB - MIB / 8 - 1, 0, 0, 0, 0},
		{"memory_max = 1M", MIB, 1, 0, 0, 0},
		{"memory_max = 1M", MIB, 0, 1, 0, 0},
		/* Between any two looks. */
		{"memory_max = 1M", MIB, 0, 0, 1, 0},
		{"", MIB, 0, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		timer = NULL;
		open_watch(cases[i].keys);
		status_set(&counters_of_a()->in_flight, cases[i].in_flight);
		status_set(&gauges_of("a")->queued, cases[i].queued);
		/* Once it is being replaced, the next process may come at any look. */
		for (int times = 0; times < 20 && renewals() == 0; times++) {
			deny_memory(cases[i].bytes);
			later(MS(250));
			status_add(&counters_of_a()->memory_freed, cases[i].freed);
			ck_assert(times > 0 || fault_of("a", CELL_FAULT_MEMORY) != NULL);
		}
		ck_assert_msg(renewals() == cases[i].renewals, "case %zu: %s", i, text);
		close_watch();
		clock_go_on();
	}
}
END_TEST

START_TEST(one_that_is_refused_something_else_keeps_its_cell)
{
	open_watch("memory_max = 1M");
	status_set(&counters_of_a()->memory_bytes, MIB);
	for (int times = 0; times < 10; times++) {
		for (size_t i = 0; i < ROWS; i++)
			if (rows[i].kind != CELL_FAULT_MEMORY)
				add_to("a", rows[i].figure, 1);
		look();
		later(SECONDS(1));
	}
	ck_assert_uint_eq(renewals(), 0);
	close_watch();
}
END_TEST

START_TEST(one_that_frees_some_is_given_its_time_again)
{
	open_watch("memory_max = 1M");
	deny_memory(MIB);
	later(SECONDS(10));
	/* Just now, and it may have been enough. */
	status_add(&counters_of_a()->memory_freed, 1);
	deny_memory(MIB);
	later(SECONDS(1) - 1);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), 0);
	later(1);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), 1);
	close_watch();
}
END_TEST

/* The next cell has come, and the service has leaked as much there. */
static void
leak_again(int64_t until_ns, unsigned before)
{
	UNTIL(&fake, !master_cell_is_replaced(cell()) && is_state(&fake, "a", SERVICE_READY));
	deny_memory(MIB);
	later(SECONDS(2));
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), before);
	clock_move_to(until_ns - 1);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), before);
	clock_move_to(until_ns);
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), before + 1);
}

START_TEST(one_that_leaks_as_soon_as_it_has_begun_does_not_have_its_cell_replaced_all_the_time)
{
	int64_t cured_ns;

	open_watch("memory_max = 1M");
	deny_memory(MIB);
	later(SECONDS(1));
	deny_memory(MIB);
	ck_assert_uint_eq(renewals(), 1);
	cured_ns = clock_monotonic_ns();
	leak_again(cured_ns + SECONDS(10), 1);
	leak_again(cured_ns + SECONDS(20), 2);
	close_watch();
}
END_TEST

START_TEST(nothing_is_a_watch_that_can_be_destroyed)
{
	fault_watch_destroy(NULL);
}
END_TEST

CHECK_MAIN("master/fault_watch",
	each_kind_of_refusal_is_told_when_it_begins_with_the_limit_that_was_met,
	each_is_over_with_the_number_of_all_when_none_was_refused_for_a_while,
	the_next_flood_is_told_anew_and_counted_from_its_begin,
	what_is_refused_while_a_service_does_not_serve_is_never_told,
	what_was_told_is_forgotten_when_a_service_stops_and_told_again_when_it_serves,
	the_figures_of_another_cell_begin_anew,
	a_service_that_is_gone_is_not_looked_at,
	while_there_is_no_cell_nothing_is_looked_at,
	a_service_that_comes_later_is_looked_at,
	the_cell_of_a_service_that_does_nothing_and_keeps_all_of_its_memory_is_replaced,
	a_service_that_works_has_room_or_frees_some_keeps_its_cell,
	one_that_is_refused_something_else_keeps_its_cell,
	one_that_frees_some_is_given_its_time_again,
	one_that_leaks_as_soon_as_it_has_begun_does_not_have_its_cell_replaced_all_the_time,
	nothing_is_a_watch_that_can_be_destroyed)
