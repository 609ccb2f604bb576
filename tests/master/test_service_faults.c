/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of a service that goes on with something wrong. */
#include "config.h"

#include "master/service_faults.h"

#include <string.h>

#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static struct fake_master fake;
static struct master_service *a;

static void
open_service(void)
{
	log_lines_keep();
	fake_master_open(&fake, "", "");
	fake_master_start(&fake);
	a = service_of(&fake, "a");
}

/* How many of a kind there are; the last one says text. */
static void
expect(enum event_kind kind, unsigned count, const char *text)
{
	const struct event_record *record;
	uint64_t next = event_log_oldest(fake.events);
	char last[200] = "";
	unsigned n = 0;

	while (event_log_next(fake.events, &next, "a", &record)) {
		if (record->kind != kind)
			continue;
		snprintf(last, sizeof(last), "%s", record->why);
		n++;
	}
	ck_assert_uint_eq(n, count);
	ck_assert_str_eq(last, text);
}

START_TEST(each_kind_has_its_name_and_its_code)
{
	static const struct {
		enum cell_fault_kind kind;
		const char *told;
	} rows[] = {
		{CELL_FAULT_DEADLOCK, "deadlock: so it is [service-deadlock]"},
		{CELL_FAULT_FD_LEAK, "fd-leak: so it is [service-fd-leak]"},
		{CELL_FAULT_FD_LIMIT, "fd-limit: so it is [cell-limit]"},
		{CELL_FAULT_THREAD_LEAK, "thread-leak: so it is [service-thread-leak]"},
		{CELL_FAULT_MEMORY, "memory-limit: so it is [service-limit]"},
		{CELL_FAULT_TASKS, "tasks-limit: so it is [service-limit]"},
		{CELL_FAULT_OVERFLOW, "queue-overflow: so it is [service-overflow]"},
		{CELL_FAULT_SLOW_READER, "slow-reader: so it is [service-slow-reader]"},
	};

	ck_assert_uint_eq(sizeof(rows) / sizeof(*rows), CELL_FAULT_KINDS);
	open_service();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		service_faults_note(a, rows[i].kind, "so it is");
		expect(EVENT_FAULT, (unsigned)i + 1, rows[i].told);
	}
	fake_master_close(&fake);
}
END_TEST

START_TEST(it_is_told_once_and_what_is_known_of_it_is_the_latest)
{
	open_service();
	service_faults_note(a, CELL_FAULT_FD_LEAK, "40 are open");
	service_faults_note(a, CELL_FAULT_FD_LEAK, "80 are open");
	expect(EVENT_FAULT, 1, "fd-leak: 40 are open [service-fd-leak]");
	ck_assert_str_eq(a->faults.text[CELL_FAULT_FD_LEAK], "80 are open");
	/* Another kind is another fault. */
	service_faults_note(a, CELL_FAULT_TASKS, "9 of 9");
	expect(EVENT_FAULT, 2, "tasks-limit: 9 of 9 [service-limit]");
	fake_master_close(&fake);
}
END_TEST

START_TEST(its_end_is_told_once_with_what_came_of_it)
{
	open_service();
	service_faults_note(a, CELL_FAULT_OVERFLOW, NULL);
	service_faults_over(a, CELL_FAULT_OVERFLOW, "7 in all");
	expect(EVENT_FAULT_OVER, 0, "");
	service_faults_note(a, CELL_FAULT_OVERFLOW, "a flood");
	service_faults_over(a, CELL_FAULT_OVERFLOW, "7 in all");
	expect(EVENT_FAULT_OVER, 1, "queue-overflow: 7 in all");
	service_faults_over(a, CELL_FAULT_OVERFLOW, "7 in all");
	expect(EVENT_FAULT_OVER, 1, "queue-overflow: 7 in all");
	ck_assert_ptr_null(a->faults.text[CELL_FAULT_OVERFLOW]);
	/* Nothing need be known of that. */
	service_faults_note(a, CELL_FAULT_DEADLOCK, "a circle");
	service_faults_note(a, CELL_FAULT_DEADLOCK, NULL);
	expect(EVENT_FAULT_OVER, 2, "deadlock");
	fake_master_close(&fake);
}
END_TEST

START_TEST(what_has_no_end_is_told_each_time)
{
	open_service();
	/* Of code that has ended. */
	service_faults_note(a, CELL_FAULT_THREAD_LEAK, "2 threads run on");
	service_faults_note(a, CELL_FAULT_THREAD_LEAK, "3 threads run on");
	expect(EVENT_FAULT, 2, "thread-leak: 3 threads run on [service-thread-leak]");
	ck_assert_ptr_null(a->faults.text[CELL_FAULT_THREAD_LEAK]);
	/* Of a service that does not serve any more. */
	a->state = SERVICE_STOPPING;
	service_faults_note(a, CELL_FAULT_FD_LEAK, "40 are open");
	a->state = SERVICE_READY;
	expect(EVENT_FAULT, 3, "fd-leak: 40 are open [service-fd-leak]");
	ck_assert_ptr_null(a->faults.text[CELL_FAULT_FD_LEAK]);
	service_faults_over(a, CELL_FAULT_FD_LEAK, NULL);
	expect(EVENT_FAULT_OVER, 0, "");
	fake_master_close(&fake);
}
END_TEST

START_TEST(what_was_wrong_with_code_that_does_not_run_any_more_is_forgotten)
{
	open_service();
	for (int kind = 0; kind < CELL_FAULT_KINDS; kind++)
		service_faults_note(a, (enum cell_fault_kind)kind, "so it is");
	service_control_stop(a, false, fake_master_on_done, &fake);
	UNTIL(&fake, is_state(&fake, "a", SERVICE_STOPPED));
	for (int kind = 0; kind < CELL_FAULT_KINDS; kind++)
		ck_assert_ptr_null(a->faults.text[kind]);
	expect(EVENT_FAULT_OVER, 0, "");
	fake_master_close(&fake);
}
END_TEST

CHECK_MAIN("master/service_faults",
	each_kind_has_its_name_and_its_code,
	it_is_told_once_and_what_is_known_of_it_is_the_latest,
	its_end_is_told_once_with_what_came_of_it,
	what_has_no_end_is_told_each_time,
	what_was_wrong_with_code_that_does_not_run_any_more_is_forgotten)
