/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells that print what they are told, and whose figures the test writes. */
#include "config.h"

#include "master/service_guard.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "master/cell_process.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

#define KEYS \
	"breaker = 50%\nbreaker_calls = 20\nbreaker_window = 10s\nbreaker_delay = 5s\nbreaker_trials = 3\n" \
	"retry_budget = 30%\nretry_budget_min = 7"
#define WISH(breaker, retry_budget, reset) \
	"Guard {\"breaker\":" breaker ",\"breaker_calls\":20,\"breaker_delay_ns\":5000000000,\"breaker_trials\":3," \
	"\"breaker_window_ns\":10000000000,\"reset\":" reset ",\"retry_budget\":" retry_budget ",\"retry_budget_min\":7," \
	"\"service\":\"a\",\"slot\":0}"

static struct fake_master fake;
static struct config_service changed; /* what a is to be */

/* Both services, each in a cell of its own. */
static struct master_service *
open_cells(const char *keys_of_b)
{
	struct master_service *a;

	log_lines_keep();
	fake_master_open_pair(&fake, "tell=Guard\ntell=Guard\ntell=Guard\n", KEYS, keys_of_b, NULL);
	fake_master_start(&fake);
	a = service_of(&fake, "a");
	changed = *a->config;
	a->config = &changed;
	return a;
}

static struct master_cell *
cell_of(const char *name)
{
	return service_of(&fake, name)->cell;
}

/* Cells are told so of service a, each once more. */
static void
expect_told(int times, const char *words)
{
	UNTIL(&fake, log_lines_with(words) >= times);
	ck_assert_int_eq(log_lines_with(words), times);
}

/* All that was told before has come. */
static void
await_words(struct master_service *a)
{
	log_lines_keep();
	service_guard_reset(a);
	UNTIL(&fake, log_lines_with("\"reset\":true") == 2);
}

/* --- what cells are told -------------------------------------------------------------------------- */

START_TEST(each_cell_is_told_of_all_services_when_it_is_ready)
{
	open_cells("cell = other");
	expect_told(2, WISH("50", "30", "false"));
	ck_assert_int_eq(log_lines_with("\"service\":\"b\",\"slot\":1"), 2);
	/* The next process knows nothing. */
	cell_process_kill(master_cell_process(cell_of("b")));
	expect_told(3, WISH("50", "30", "false"));
	UNTIL(&fake, is_state(&fake, "b", SERVICE_READY));
	fake_master_close(&fake);
}
END_TEST

START_TEST(whatever_changes_is_told_to_all_cells_once)
{
	static const struct {
		size_t field;
		int64_t value;
		const char *words;
	} rows[] = {
		{offsetof(struct config_service, breaker), 40, "\"breaker\":40,"},
		{offsetof(struct config_service, breaker_calls), 41, "\"breaker_calls\":41,"},
		{offsetof(struct config_service, breaker_window_ns), 42, "\"breaker_window_ns\":42,"},
		{offsetof(struct config_service, breaker_delay_ns), 43, "\"breaker_delay_ns\":43,"},
		{offsetof(struct config_service, breaker_trials), 44, "\"breaker_trials\":44,"},
		{offsetof(struct config_service, retry_budget), 45, "\"retry_budget\":45,"},
		{offsetof(struct config_service, retry_budget_min), 46, "\"retry_budget_min\":46,"},
	};
	struct master_service *a = open_cells("cell = other");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		*(int64_t *)(void *)((char *)&changed + rows[i].field) = rows[i].value;
		service_guard_tell(a);
		service_guard_tell(a);
		UNTIL(&fake, log_lines_with(rows[i].words) == 2);
		await_words(a);
		ck_assert_int_eq(log_lines_with("\"reset\":false"), 0);
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(what_cells_know_is_not_told_again)
{
	struct master_service *a = open_cells("cell = other");

	await_words(a);
	log_lines_keep();
	/* Another key is none of theirs. */
	changed.concurrency++;
	service_guard_tell(a);
	service_guard_reset(a);
	UNTIL(&fake, log_lines_with("\"reset\":true") == 2);
	ck_assert_int_eq(log_lines_with("Guard "), 2);
	fake_master_close(&fake);
}
END_TEST

START_TEST(of_one_that_the_configuration_has_no_more_nothing_is_refused)
{
	struct master_service *a = open_cells("cell = other");

	await_words(a);
	a->gone = true;
	service_guard_tell(a);
	expect_told(2, WISH("0", "0", "false"));
	a->gone = false;
	service_guard_tell(a);
	expect_told(2, WISH("50", "30", "false"));
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_reset_closes_the_breakers_of_all_cells_though_they_know_the_rest)
{
	struct master_service *a = open_cells("cell = other");

	log_lines_keep();
	service_guard_reset(a);
	expect_told(2, WISH("50", "30", "true"));
	service_guard_reset(a);
	expect_told(4, WISH("50", "30", "true"));
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_without_a_process_is_left_out)
{
	struct master_service *a = open_cells("cell = other");

	await_words(a);
	fake.limits.backoff.at_once = false;
	/* It is its own, and the other one hears of it all the same. */
	cell_process_kill(master_cell_process(cell_of("a")));
	UNTIL(&fake, master_cell_process(cell_of("a")) == NULL);
	log_lines_keep();
	changed.breaker = 60;
	service_guard_tell(a);
	expect_told(1, WISH("60", "30", "false"));
	/* It hears of that when it is there. */
	expect_told(2, WISH("60", "30", "false"));
	fake_master_close(&fake);
}
END_TEST

/* --- what cells say ----------------------------------------------------------------------------------- */

START_TEST(each_state_of_a_breaker_is_an_event_with_the_cell_and_why)
{
	static const struct {
		enum cell_breaker_state state;
		enum event_kind kind;
		const char *why;
	} rows[] = {
		{CELL_BREAKER_OPEN, EVENT_BREAKER_OPEN, "in cell other: 12 of 20 calls failed [breaker-open]"},
		{CELL_BREAKER_HALF_OPEN, EVENT_BREAKER_HALF_OPEN, "in cell other: 12 of 20 calls failed"},
		{CELL_BREAKER_CLOSED, EVENT_BREAKER_CLOSED, "in cell other: 12 of 20 calls failed"},
	};
	struct master_service *a = open_cells("cell = other");
	const struct event_record *record;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct cell_breaker told = {.service = "a", .state = rows[i].state, .why = "12 of 20 calls failed"};
		uint64_t next = event_log_newest(fake.events) + 1;

		service_guard_note(a, cell_of("b"), &told);
		ck_assert(event_log_next(fake.events, &next, "a", &record));
		ck_assert_int_eq(record->kind, rows[i].kind);
		ck_assert_str_eq(record->why, rows[i].why);
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_breaker_is_looked_at_in_the_page_of_a_cell_which_may_say_anything)
{
	static const struct {
		uint64_t state, calls, failed;
		bool stands;
		enum status_breaker seen;
		uint64_t seen_calls, seen_failed;
	} rows[] = {
		{STATUS_BREAKER_CLOSED, 20, 12, false, STATUS_BREAKER_CLOSED, 20, 12},
		{STATUS_BREAKER_OPEN, 20, 12, true, STATUS_BREAKER_OPEN, 20, 12},
		{STATUS_BREAKER_HALF_OPEN, 20, 12, true, STATUS_BREAKER_HALF_OPEN, 20, 12},
		{STATUS_BREAKER_HALF_OPEN + 1, 20, 12, false, STATUS_BREAKER_CLOSED, 20, 12},
		{UINT64_MAX, 20, 12, false, STATUS_BREAKER_CLOSED, 20, 12},
		{STATUS_BREAKER_OPEN, 20, 21, true, STATUS_BREAKER_OPEN, 20, 20},
		{STATUS_BREAKER_OPEN, UINT64_MAX, UINT64_MAX, true, STATUS_BREAKER_OPEN, INT64_MAX / 100, INT64_MAX / 100},
	};
	struct master_service *a = open_cells("cell = other");
	struct status_breaker_view view;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct status_guard *guard = status_page_guard(master_cell_page(cell_of("b")), a->slot);

		status_set(&guard->state, rows[i].state);
		status_set(&guard->calls, rows[i].calls);
		status_set(&guard->failed, rows[i].failed);
		ck_assert_msg(service_guard_look(a, cell_of("b"), &view) == rows[i].stands, "row %zu", i);
		ck_assert_int_eq(view.state, rows[i].seen);
		ck_assert_uint_eq(view.calls, rows[i].seen_calls);
		ck_assert_uint_eq(view.failed, rows[i].seen_failed);
		/* Each cell has its own, and each service. */
		ck_assert(!service_guard_look(a, cell_of("a"), &view));
		ck_assert(!service_guard_look(service_of(&fake, "b"), cell_of("b"), &view));
	}
	fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(cell_of("b")));
	UNTIL(&fake, master_cell_process(cell_of("b")) == NULL);
	ck_assert(!service_guard_look(a, cell_of("b"), &view));
	fake_master_close(&fake);
}
END_TEST

START_TEST(states_have_the_names_that_operators_know)
{
	ck_assert_str_eq(service_guard_state_name(STATUS_BREAKER_CLOSED), "closed");
	ck_assert_str_eq(service_guard_state_name(STATUS_BREAKER_OPEN), "open");
	ck_assert_str_eq(service_guard_state_name(STATUS_BREAKER_HALF_OPEN), "half-open");
}
END_TEST

CHECK_MAIN("master/service_guard",
	each_cell_is_told_of_all_services_when_it_is_ready,
	whatever_changes_is_told_to_all_cells_once,
	what_cells_know_is_not_told_again,
	of_one_that_the_configuration_has_no_more_nothing_is_refused,
	a_reset_closes_the_breakers_of_all_cells_though_they_know_the_rest,
	a_cell_without_a_process_is_left_out,
	each_state_of_a_breaker_is_an_event_with_the_cell_and_why,
	a_breaker_is_looked_at_in_the_page_of_a_cell_which_may_say_anything,
	states_have_the_names_that_operators_know)
