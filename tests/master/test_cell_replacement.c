/* SPDX-License-Identifier: BSD-2-Clause */
/* By what a cell is replaced for, with fake cells, whose figures the test writes. */
#include "config.h"

#include "master/cell_replacement.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "config/config_load.h"
#include "master/cell_process.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

static struct fake_master fake;
static struct master_service *a;
static pid_t pid; /* of the process that is to be replaced */

static void
start(void)
{
	fake_master_start(&fake);
	a = service_of(&fake, "a");
	pid = cell_process_pid(master_cell_process(a->cell));
}

static void
open_cell(const char *orders)
{
	fake_master_open(&fake, orders, "");
	start();
}

/* Service b is in another one. */
static void
open_two(void)
{
	fake_master_open_pair(&fake, "", "", "cell = other", NULL);
	start();
}

static struct status_gauges *
gauges(void)
{
	return status_page_gauges(master_cell_page(a->cell), a->slot);
}

static struct status_counters *
counters(void)
{
	return status_page_counters(master_cell_page(a->cell), a->slot, 0);
}

/* It has looked at the cell several times. */
static void
let_it_look(void)
{
	for (int i = 0; i < 10; i++) {
		struct timeval soon = {.tv_usec = 12 * 1000};

		event_base_loopexit(fake.base, &soon);
		event_base_dispatch(fake.base);
	}
}

static bool
is_the_same(void)
{
	return master_cell_process(a->cell) != NULL && cell_process_pid(master_cell_process(a->cell)) == pid;
}

static void
await_next(void)
{
	UNTIL(&fake, master_cell_ready(a->cell) != NULL && !is_the_same() && is_state(&fake, "a", SERVICE_READY) &&
		is_state(&fake, "b", SERVICE_READY));
	ck_assert(!master_cell_is_replaced(a->cell));
	ck_assert(!master_cell_is_drained(a->cell));
}

/* The last one of this kind says why. */
static char why[200];

static unsigned
events_of(enum event_kind kind)
{
	const struct event_record *record;
	uint64_t next = event_log_oldest(fake.events);
	unsigned count = 0;

	while (event_log_next(fake.events, &next, NULL, &record)) {
		if (record->kind != kind)
			continue;
		snprintf(why, sizeof(why), "%s", record->why);
		count++;
	}
	return count;
}

/* --- tests --------------------------------------------------------------------------------------- */

START_TEST(a_cell_is_replaced_once_its_requests_have_ended)
{
	enum { IN_FLIGHT, QUEUED, SENDERS, KINDS };

	for (int kind = 0; kind < KINDS; kind++) {
		_Atomic uint64_t *figure;

		open_cell("");
		figure = kind == IN_FLIGHT ? &counters()->in_flight : kind == QUEUED ? &gauges()->queued :
			&gauges()->waiting_senders;
		status_set(figure, 1);
		master_cell_renew(a->cell, "it is old");
		ck_assert(master_cell_is_replaced(a->cell));
		UNTIL(&fake, master_cell_is_drained(a->cell));
		/* Who comes waits for the next one. */
		ck_assert(is_state(&fake, "a", SERVICE_STARTING) && is_state(&fake, "b", SERVICE_STARTING));
		let_it_look();
		ck_assert(is_the_same());
		ck_assert_uint_eq(events_of(EVENT_DRAINED), 0);
		status_set(figure, 0);
		await_next();
		ck_assert_uint_eq(events_of(EVENT_DRAINED), 1);
		ck_assert_str_eq(why, "cell main has ended its requests and is replaced: it is old");
		fake_master_close(&fake);
	}
}
END_TEST

START_TEST(calls_of_bayd_that_have_no_answer_yet_are_waited_for)
{
	open_cell("call=hold\n");
	cell_process_call(master_cell_process(a->cell), CELL_CALL, json_pack("{s:s}", "service", "a"), -1, 0,
		fake_master_on_reply, &fake);
	master_cell_renew(a->cell, "it is old");
	UNTIL(&fake, master_cell_is_drained(a->cell));
	let_it_look();
	ck_assert(is_the_same());
	ck_assert_uint_eq(fake.answers, 0);
	cell_process_call(master_cell_process(a->cell), CELL_CALL, json_pack("{s:s}", "service", "b"), -1, 0,
		fake_master_on_reply, &fake);
	await_next();
	ck_assert_uint_eq(fake.answers, 2);
	ck_assert_int_eq(fake.status, BAY_OK);
	fake_master_close(&fake);
}
END_TEST

START_TEST(requests_that_do_not_end_are_waited_for_as_long_as_drain_timeout)
{
	open_cell("");
	clock_stand_still(SECONDS(1000), 0);
	fake.config->container.drain_timeout_ns = SECONDS(30);
	status_set(&counters()->in_flight, 1);
	master_cell_renew(a->cell, "it is old");
	UNTIL(&fake, master_cell_is_drained(a->cell));
	clock_move_to(SECONDS(1030) - 1);
	let_it_look();
	ck_assert(is_the_same());
	clock_move_to(SECONDS(1030));
	await_next();
	/* It has not ended them. */
	ck_assert_uint_eq(events_of(EVENT_DRAINED), 0);
	fake_master_close(&fake);
}
END_TEST

START_TEST(messages_of_a_service_that_is_paused_put_it_off)
{
	for (int senders = 0; senders < 2; senders++) {
		_Atomic uint64_t *figure;

		open_cell("");
		figure = senders ? &gauges()->waiting_senders : &gauges()->queued;
		a->gate.state = CELL_GATE_PAUSED;
		status_set(figure, 1);
		master_cell_renew(a->cell, "it is old");
		let_it_look();
		/* All goes on as before. */
		ck_assert(is_the_same());
		ck_assert(!master_cell_is_replaced(a->cell));
		ck_assert(!master_cell_is_drained(a->cell));
		ck_assert(is_state(&fake, "a", SERVICE_READY));
		status_set(figure, 0);
		ck_assert(master_cell_is_replaced(a->cell));
		await_next();
		a->gate.state = CELL_GATE_OPEN;
		fake_master_close(&fake);
	}
}
END_TEST

START_TEST(it_begins_when_nothing_is_under_way_for_a_service_in_it)
{
	open_cell("");
	a->step = SERVICE_STEP_SWAP;
	master_cell_renew(a->cell, "it is old");
	ck_assert(master_cell_is_replaced(a->cell));
	let_it_look();
	ck_assert(is_the_same());
	ck_assert(!master_cell_is_drained(a->cell));
	ck_assert(is_state(&fake, "a", SERVICE_READY));
	a->step = SERVICE_STEP_NONE;
	await_next();
	fake_master_close(&fake);
}
END_TEST

START_TEST(services_of_other_cells_do_not_matter)
{
	open_two();
	service_of(&fake, "b")->step = SERVICE_STEP_SWAP;
	/* Nor what other cells have counted. */
	status_set(&status_page_counters(master_cell_page(service_of(&fake, "b")->cell), 0, 0)->in_flight, 1);
	master_cell_renew(a->cell, "it is old");
	ck_assert(!master_cell_is_replaced(service_of(&fake, "b")->cell));
	await_next();
	service_of(&fake, "b")->step = SERVICE_STEP_NONE;
	fake_master_close(&fake);
}
END_TEST

START_TEST(it_is_demanded_once_and_the_next_process_may_be_replaced_again)
{
	open_cell("");
	status_set(&counters()->in_flight, 1);
	master_cell_renew(a->cell, "it is old");
	master_cell_renew(a->cell, "it is very old");
	ck_assert_uint_eq(events_of(EVENT_LIMIT), 1);
	UNTIL(&fake, master_cell_is_drained(a->cell));
	master_cell_renew(a->cell, "it is ancient");
	ck_assert_uint_eq(events_of(EVENT_LIMIT), 1);
	status_set(&counters()->in_flight, 0);
	await_next();
	ck_assert_uint_eq(events_of(EVENT_DRAINED), 1);
	ck_assert_ptr_nonnull(strstr(why, "it is old"));
	pid = cell_process_pid(master_cell_process(a->cell));
	master_cell_renew(a->cell, "it is old again");
	ck_assert_uint_eq(events_of(EVENT_LIMIT), 2);
	await_next();
	fake_master_close(&fake);
}
END_TEST

START_TEST(the_first_reason_to_replace_it_is_the_one_that_is_told)
{
	static const char text[] = "[container]\n[cell main]\nloops = 3\n[service a]\n[service b]\n";
	struct config_report report = {0};
	struct config *other;

	open_cell("");
	ck_assert(config_load_memory(temp_dir_path(&fake.dir, "bay.ini"), text, strlen(text), &other, &report));
	status_set(&counters()->in_flight, 1);
	master_cell_renew(a->cell, "it is old");
	/* Which is a reason, too. */
	master_cell_set_config(a->cell, other);
	status_set(&counters()->in_flight, 0);
	await_next();
	ck_assert_uint_eq(events_of(EVENT_DRAINED), 1);
	ck_assert_str_eq(why, "cell main has ended its requests and is replaced: it is old");
	ck_assert_uint_eq(master_cell_page(a->cell)->loops, 3);
	fake_master_close(&fake);
	config_report_finish(&report);
	config_destroy(other);
}
END_TEST

START_TEST(what_lingers_is_counted_in_the_cell_in_which_it_is_whosever_it_was)
{
	struct cell_lingers lingers = {.service = "a", .generation = 1, .reason = "a thread"};

	open_two();
	fake.config->container.max_lingering = 3;
	/* Not these. */
	for (lingers.id = 1; lingers.id <= 9; lingers.id++)
		master_service_note_lingering(a, service_of(&fake, "b")->cell, &lingers);
	for (lingers.id = 1; lingers.id <= 3; lingers.id++) {
		master_service_note_lingering(lingers.id == 1 ? a : service_of(&fake, "b"), a->cell, &lingers);
		master_cell_consider_replacement(a->cell);
	}
	ck_assert(!master_cell_is_replaced(a->cell));
	master_service_note_lingering(a, a->cell, &lingers);
	master_cell_consider_replacement(a->cell);
	ck_assert(master_cell_is_replaced(a->cell));
	await_next();
	ck_assert_uint_eq(events_of(EVENT_DRAINED), 1);
	ck_assert_str_eq(why, "cell main has ended its requests and is replaced: 4 generations linger in it");
	ck_assert_uint_eq(a->lingering_count, 9);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_that_dies_meanwhile_is_not_replaced_for_the_same)
{
	open_cell("");
	status_set(&counters()->in_flight, 1);
	master_cell_renew(a->cell, "it is old");
	UNTIL(&fake, master_cell_is_drained(a->cell));
	cell_process_kill(master_cell_process(a->cell));
	await_next();
	pid = cell_process_pid(master_cell_process(a->cell));
	let_it_look();
	ck_assert(is_the_same());
	fake_master_close(&fake);
}
END_TEST

START_TEST(nothing_is_a_replacement_that_can_be_destroyed)
{
	cell_replacement_destroy(NULL);
}
END_TEST

CHECK_MAIN("master/cell_replacement",
	a_cell_is_replaced_once_its_requests_have_ended,
	calls_of_bayd_that_have_no_answer_yet_are_waited_for,
	requests_that_do_not_end_are_waited_for_as_long_as_drain_timeout,
	messages_of_a_service_that_is_paused_put_it_off,
	it_begins_when_nothing_is_under_way_for_a_service_in_it,
	services_of_other_cells_do_not_matter,
	it_is_demanded_once_and_the_next_process_may_be_replaced_again,
	the_first_reason_to_replace_it_is_the_one_that_is_told,
	what_lingers_is_counted_in_the_cell_in_which_it_is_whosever_it_was,
	a_cell_that_dies_meanwhile_is_not_replaced_for_the_same,
	nothing_is_a_replacement_that_can_be_destroyed)
