/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells, whose figures the test writes, and a clock that stands still. */
#include "config.h"

#include "master/service_health.h"

#include <string.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/service_faults.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

static struct fake_master fake;
static struct master_service *a;
static struct status_service_view counts; /* of a */

/* Service a is in cell main, and b in other. */
static void
open_cells(const char *keys)
{
	log_lines_keep();
	fake_master_open_pair(&fake, "", keys, "cell = other", NULL);
	fake_master_start(&fake);
	clock_stand_still(SECONDS(1000), 0);
	a = service_of(&fake, "a");
	memset(&counts, 0, sizeof(counts));
}

static void
expect(const char *word, const char *why)
{
	struct service_health_view view;

	service_health_look(a, &counts, &view);
	ck_assert_str_eq(view.word, word);
	ck_assert_str_eq(view.why, why);
}

static void
note(int64_t generation, const char *reason)
{
	const struct cell_health told = {.service = "a", .generation = generation, .reason = reason};

	service_health_note(a, &told);
}

static unsigned
events_of(enum event_kind kind)
{
	const struct event_record *record;
	uint64_t next = event_log_oldest(fake.events);
	unsigned count = 0;

	while (event_log_next(fake.events, &next, "a", &record))
		count += record->kind == kind;
	return count;
}

/* A task of the service in this slot has had a loop of a's cell for so long. */
static void
keep_loop(uint32_t loop, uint32_t slot, enum status_phase phase, int64_t held_ns)
{
	const struct status_name name = status_name_make("spin");
	struct status_loop *line = status_page_loop(master_cell_page(a->cell), loop);

	status_loop_set_task(line, slot, &name);
	status_loop_set_phase(line, phase);
	status_set(&line->pass_ns, (uint64_t)(clock_monotonic_ns() - held_ns));
}

/* --- what the plugin says ----------------------------------------------------------------------- */

START_TEST(a_plugin_that_is_not_well_is_told_each_time_and_its_recovery_once)
{
	open_cells("");
	note(1, NULL);
	ck_assert_uint_eq(events_of(EVENT_HEALTHY), 0);
	expect("healthy", "");
	note(1, "no disk");
	expect("unhealthy", "no disk");
	note(1, "no database");
	expect("unhealthy", "no database");
	ck_assert_uint_eq(events_of(EVENT_UNHEALTHY), 2);
	ck_assert_int_eq(log_lines_with("service a: unhealthy: no database [service-health]"), 1);
	note(1, NULL);
	note(1, NULL);
	expect("healthy", "");
	ck_assert_uint_eq(events_of(EVENT_HEALTHY), 1);
	fake_master_close(&fake);
}
END_TEST

START_TEST(what_other_code_said_does_not_count)
{
	open_cells("");
	note(7, "no disk");
	expect("healthy", "");
	/* It was not this one that was not well. */
	note(1, NULL);
	ck_assert_uint_eq(events_of(EVENT_HEALTHY), 0);
	note(1, "no disk");
	service_health_forget(a);
	expect("healthy", "");
	fake_master_close(&fake);
}
END_TEST

START_TEST(only_what_starts_or_serves_says_how_it_is)
{
	static const struct {
		enum service_state state;
		bool heard;
		const char *word;
	} rows[] = {
		{SERVICE_STOPPED, false, "down"},
		{SERVICE_STARTING, true, "down"},
		{SERVICE_READY, true, "unhealthy"},
		{SERVICE_STOPPING, false, "healthy"},
		{SERVICE_FAILED, false, "down"},
	};

	open_cells("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		a->state = rows[i].state;
		note(1, "no disk");
		ck_assert_msg((a->health.reason != NULL) == rows[i].heard, "row %zu", i);
		expect(rows[i].word, strcmp(rows[i].word, "unhealthy") == 0 ? "no disk" : "");
		service_health_forget(a);
	}
	a->state = SERVICE_READY;
	fake_master_close(&fake);
}
END_TEST

/* --- what can be seen ------------------------------------------------------------------------------- */

START_TEST(a_service_whose_task_keeps_a_loop_is_not_well)
{
	static const struct {
		uint32_t slot;
		enum status_phase phase;
		int64_t held_ns;
		const char *word, *why;
	} rows[] = {
		{0, STATUS_PHASE_RUN, STATUS_SILENT_NS, "unhealthy", "its task spin has kept loop 1 busy for 500ms"},
		{0, STATUS_PHASE_INIT, SECONDS(2), "unhealthy", "its task spin has kept loop 1 busy for 2s"},
		{0, STATUS_PHASE_RUN, STATUS_SILENT_NS - 1, "healthy", ""},
		{0, STATUS_PHASE_IDLE, SECONDS(2), "healthy", ""},
		/* Another one's, and nobody's. */
		{1, STATUS_PHASE_RUN, SECONDS(2), "healthy", ""},
		{STATUS_NO_SLOT, STATUS_PHASE_RUN, SECONDS(2), "healthy", ""},
		{12345, STATUS_PHASE_RUN, SECONDS(2), "healthy", ""},
		/* A pass that has not begun yet. */
		{0, STATUS_PHASE_RUN, -SECONDS(2), "healthy", ""},
	};

	open_cells("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		keep_loop(1, rows[i].slot, rows[i].phase, rows[i].held_ns);
		expect(rows[i].word, rows[i].why);
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_fault_is_a_part_of_it_and_a_deadlock_the_worst)
{
	open_cells("");
	for (int kind = 0; kind < CELL_FAULT_KINDS; kind++) {
		char why[80];

		if (kind == CELL_FAULT_THREAD_LEAK) /* has no end */
			continue;
		snprintf(why, sizeof(why), "%s: so it is", cell_fault_name((enum cell_fault_kind)kind));
		service_faults_note(a, (enum cell_fault_kind)kind, "so it is");
		expect(kind == CELL_FAULT_DEADLOCK ? "unhealthy" : "degraded", why);
		service_faults_note(a, (enum cell_fault_kind)kind, NULL);
		expect("healthy", "");
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_breaker_that_stands_in_any_cell_is_told_with_its_share)
{
	static const struct {
		uint64_t state, calls, failed;
		const char *word, *why;
	} rows[] = {
		{STATUS_BREAKER_OPEN, 20, 13, "degraded", "its breaker in cell other is open: 65% of 20 calls failed"},
		{STATUS_BREAKER_HALF_OPEN, 3, 1, "degraded", "its breaker in cell other is half-open: 33% of 3 calls failed"},
		{STATUS_BREAKER_OPEN, 0, 0, "degraded", "its breaker in cell other is open: 0% of 0 calls failed"},
		{STATUS_BREAKER_OPEN, UINT64_MAX, UINT64_MAX, "degraded",
			"its breaker in cell other is open: 100% of 92233720368547758 calls failed"},
		{STATUS_BREAKER_CLOSED, 20, 13, "healthy", ""},
	};
	struct status_guard *guard;

	open_cells("");
	guard = status_page_guard(master_cell_page(service_of(&fake, "b")->cell), a->slot);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		status_set(&guard->state, rows[i].state);
		status_set(&guard->calls, rows[i].calls);
		status_set(&guard->failed, rows[i].failed);
		expect(rows[i].word, rows[i].why);
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_message_that_has_waited_for_long_degrades_it_unless_somebody_wants_that)
{
	static const struct {
		const char *keys;
		int64_t age_ns; /* 0: the queue is empty */
		bool paused;
		const char *word, *why;
	} rows[] = {
		{"health_queue = 10s", SECONDS(10) + 1, false, "degraded", "a message has waited in its queue for 10s"},
		{"health_queue = 10s", SECONDS(10), false, "healthy", ""},
		{"health_queue = 10s", 0, false, "healthy", ""},
		{"health_queue = 10s", SECONDS(90), true, "healthy", ""},
		{"health_queue = 0", SECONDS(90), false, "healthy", ""},
		/* What a cell may say. */
		{"health_queue = 10s", -SECONDS(90), false, "healthy", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		open_cells(rows[i].keys);
		if (rows[i].age_ns != 0)
			counts.queue_oldest_ns = (uint64_t)(clock_monotonic_ns() - rows[i].age_ns);
		a->gate.state = rows[i].paused ? CELL_GATE_PAUSED : CELL_GATE_OPEN;
		expect(rows[i].word, rows[i].why);
		a->gate.state = CELL_GATE_OPEN;
		counts.queue_oldest_ns = UINT64_MAX;
		expect("healthy", "");
		fake_master_close(&fake);
		clock_go_on();
	}
}
END_TEST

START_TEST(a_failure_degrades_it_for_the_time_of_its_start_limit)
{
	open_cells("start_limit = 3/1m");
	(void)master_service_fails_too_often(a, clock_monotonic_ns());
	clock_move_to(clock_monotonic_ns() + SECONDS(60));
	expect("degraded", "it failed 1m ago");
	clock_move_to(clock_monotonic_ns() + 1);
	expect("healthy", "");
	(void)master_service_fails_too_often(a, clock_monotonic_ns());
	expect("degraded", "it failed 0 ago");
	master_service_forgive(a);
	expect("healthy", "");
	fake_master_close(&fake);
	clock_go_on();
}
END_TEST

START_TEST(one_that_never_failed_is_well_on_a_machine_that_was_switched_on_just_now)
{
	/* A thousand seconds are less than an hour. */
	open_cells("start_limit = 3/1h");
	expect("healthy", "");
	fake_master_close(&fake);
}
END_TEST

START_TEST(the_worst_is_told_first)
{
	struct status_guard *guard;

	open_cells("start_limit = 3/1m\nhealth_queue = 10s");
	guard = status_page_guard(master_cell_page(service_of(&fake, "b")->cell), a->slot);
	note(1, "no disk");
	keep_loop(0, 0, STATUS_PHASE_RUN, SECONDS(1));
	service_faults_note(a, CELL_FAULT_DEADLOCK, "a circle");
	status_set(&guard->state, STATUS_BREAKER_OPEN);
	service_faults_note(a, CELL_FAULT_OVERFLOW, "a flood");
	counts.queue_oldest_ns = (uint64_t)(clock_monotonic_ns() - SECONDS(11));
	(void)master_service_fails_too_often(a, clock_monotonic_ns());

	expect("unhealthy", "no disk");
	note(1, NULL);
	expect("unhealthy", "its task spin has kept loop 0 busy for 1s");
	keep_loop(0, STATUS_NO_SLOT, STATUS_PHASE_IDLE, 0);
	expect("unhealthy", "deadlock: a circle");
	service_faults_note(a, CELL_FAULT_DEADLOCK, NULL);
	expect("degraded", "its breaker in cell other is open: 0% of 0 calls failed");
	status_set(&guard->state, STATUS_BREAKER_CLOSED);
	expect("degraded", "queue-overflow: a flood");
	service_faults_note(a, CELL_FAULT_OVERFLOW, NULL);
	expect("degraded", "a message has waited in its queue for 11s");
	counts.queue_oldest_ns = 0;
	expect("degraded", "it failed 0 ago");
	a->state = SERVICE_FAILED;
	expect("down", "");
	a->state = SERVICE_READY;
	fake_master_close(&fake);
}
END_TEST

START_TEST(one_whose_cell_has_no_process_is_looked_at_all_the_same)
{
	open_cells("");
	fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(a->cell));
	UNTIL(&fake, master_cell_process(a->cell) == NULL);
	a->state = SERVICE_STOPPING;
	master_service_forgive(a);
	expect("healthy", "");
	a->state = SERVICE_STARTING;
	fake_master_close(&fake);
}
END_TEST

CHECK_MAIN("master/service_health",
	a_plugin_that_is_not_well_is_told_each_time_and_its_recovery_once,
	what_other_code_said_does_not_count,
	only_what_starts_or_serves_says_how_it_is,
	a_service_whose_task_keeps_a_loop_is_not_well,
	a_fault_is_a_part_of_it_and_a_deadlock_the_worst,
	a_breaker_that_stands_in_any_cell_is_told_with_its_share,
	a_message_that_has_waited_for_long_degrades_it_unless_somebody_wants_that,
	a_failure_degrades_it_for_the_time_of_its_start_limit,
	one_that_never_failed_is_well_on_a_machine_that_was_switched_on_just_now,
	the_worst_is_told_first,
	one_whose_cell_has_no_process_is_looked_at_all_the_same)
