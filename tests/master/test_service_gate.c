/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells are support/fake_cell, which obeys orders; that they do what they say is test_host_gate's. */
#include "config.h"

#include "master/master_cell.h"
#include "master/service_gate.h"

#include <string.h>

#include "support/check_main.h"
#include "support/fake_master.h"

/* What was heard of a drain: how often, and the last of it. */
struct progress {
	struct fake_master *master;
	unsigned times;
	struct cell_gate_seen last;
};

static void
on_progress(struct master_service *service, const struct cell_gate_seen *seen, void *arg)
{
	struct progress *progress = arg;

	(void)service;
	progress->times++;
	progress->last = *seen;
}

static void
on_done(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct progress *progress = arg;

	fake_master_on_done(service, status, message, progress->master);
}

/* Wishes it of service a; its answer is noted in the master. */
static void
wish(struct fake_master *master, enum cell_gate_state state)
{
	service_gate_set(service_of(master, "a"), &(struct gate_wish){.state = state,
		.by = {.source = EVENT_BY_USER, .uid = 7}, .done = fake_master_on_done, .arg = master});
}

static void
wish_and_wait(struct fake_master *master, enum cell_gate_state state)
{
	unsigned answers = master->answers;

	wish(master, state);
	UNTIL(master, master->answers > answers);
}

static const char *
state_of(const struct fake_master *master)
{
	return service_gate_state_name(service_of(master, "a"));
}

/* Events of a kind by user 7 about service a. */
static unsigned
events_of(const struct fake_master *master, enum event_kind kind)
{
	const struct event_record *record;
	unsigned count = 0;

	for (uint64_t next = 1; event_log_next(master->events, &next, "a", &record);)
		count += record->kind == kind && record->by.source == EVENT_BY_USER && record->by.uid == 7;
	return count;
}

START_TEST(a_pause_and_its_end_are_told_to_the_cell_and_as_events)
{
	struct fake_master master;

	fake_master_open(&master, "\n", "");
	fake_master_start(&master);
	ck_assert_str_eq(state_of(&master), "ready");
	wish_and_wait(&master, CELL_GATE_PAUSED);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert_str_eq(state_of(&master), "paused");
	wish_and_wait(&master, CELL_GATE_PAUSED);
	ck_assert_uint_eq(events_of(&master, EVENT_PAUSED), 1);
	wish_and_wait(&master, CELL_GATE_OPEN);
	ck_assert_str_eq(state_of(&master), "ready");
	ck_assert_uint_eq(events_of(&master, EVENT_RESUMED), 1);
	ck_assert_int_eq(service_of(&master, "b")->gate.state, CELL_GATE_OPEN);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_the_cell_refuses_is_answered_so)
{
	struct fake_master master;

	fake_master_open(&master, "gate=refuse\n", "");
	fake_master_start(&master);
	wish_and_wait(&master, CELL_GATE_PAUSED);
	ck_assert_int_ne(master.status, BAY_OK);
	ck_assert_msg(strstr(master.message, "not in the mood") != NULL, "%s", master.message);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_pause_outlives_the_cell_and_a_restart_but_no_stop)
{
	struct fake_master master;
	struct master_service *a;

	fake_master_open(&master, "call=crash\n\n", "restart_delay = 1ms");
	fake_master_start(&master);
	a = service_of(&master, "a");
	wish_and_wait(&master, CELL_GATE_PAUSED);
	fake_master_crash(&master, 0);
	ck_assert_int_eq(a->gate.told, CELL_GATE_OPEN);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_int_eq(a->gate.told, CELL_GATE_PAUSED);
	ck_assert_str_eq(state_of(&master), "paused");
	service_gate_reset(a, "somebody stopped it");
	service_control_stop(a, false, NULL, NULL);
	/* The cell is told no sooner: it would begin what is queued. */
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	ck_assert_int_eq(a->gate.told, CELL_GATE_PAUSED);
	wish(&master, CELL_GATE_PAUSED);
	ck_assert_int_eq(master.status, BAY_CLOSED);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_drain_is_asked_about_until_nothing_is_left)
{
	struct fake_master master;
	struct progress progress = {.master = &master};

	fake_master_open(&master, "gate=busy\n", "");
	fake_master_start(&master);
	service_gate_set(service_of(&master, "a"), &(struct gate_wish){.state = CELL_GATE_CLOSED,
		.by = {.source = EVENT_BY_USER, .uid = 7}, .progress = on_progress, .done = on_done, .arg = &progress});
	UNTIL(&master, progress.times > 0);
	ck_assert_int_eq(progress.last.running, 1);
	ck_assert_str_eq(state_of(&master), "draining");
	ck_assert_uint_eq(master.answers, 0);
	ck_assert_uint_eq(events_of(&master, EVENT_DRAINED), 0);
	cell_process_call(master_cell_process(supervisor_cell(master.supervisor, 0)), CELL_CALL, json_pack("{s:s}", "service", "b"), -1,
		0, fake_master_on_reply, &master);
	UNTIL(&master, service_of(&master, "a")->gate.drained);
	UNTIL(&master, master.answers > 1);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert_str_eq(state_of(&master), "drained");
	ck_assert_uint_eq(progress.times, 1);
	ck_assert_uint_eq(events_of(&master, EVENT_DRAINED), 1);
	wish_and_wait(&master, CELL_GATE_CLOSED);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert_uint_eq(events_of(&master, EVENT_DRAINED), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(who_waits_for_a_drain_hears_what_comes_between)
{
	struct fake_master master;

	fake_master_open(&master, "gate=busy call=crash\nstart=refuse:a\n", "restart = no");
	fake_master_start(&master);
	wish(&master, CELL_GATE_CLOSED);
	wish_and_wait(&master, CELL_GATE_OPEN);
	/* The first is answered at once. */
	ck_assert_uint_ge(master.answers, 1);
	UNTIL(&master, master.answers == 2);
	wish(&master, CELL_GATE_CLOSED);
	service_gate_reset(service_of(&master, "a"), "somebody stopped it");
	ck_assert_uint_eq(master.answers, 3);
	ck_assert_int_eq(master.status, BAY_CANCELED);
	ck_assert_msg(strstr(master.message, "somebody stopped it") != NULL, "%s", master.message);
	wish(&master, CELL_GATE_CLOSED);
	/* The answer to its call is the first that is counted. */
	fake_master_crash(&master, 0);
	UNTIL(&master, master.answers == 2);
	ck_assert_int_eq(master.status, BAY_FAILED);
	ck_assert_str_eq(state_of(&master), "failed");
	/* What is left of it can be taken back. */
	wish_and_wait(&master, CELL_GATE_OPEN);
	ck_assert_int_eq(master.status, BAY_OK);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_wish_that_changes_before_the_cell_has_answered_is_told_again)
{
	struct fake_master master;
	struct master_service *a;

	fake_master_open(&master, "\n", "");
	fake_master_start(&master);
	a = service_of(&master, "a");
	wish(&master, CELL_GATE_PAUSED);
	wish(&master, CELL_GATE_CLOSED);
	wish(&master, CELL_GATE_OPEN);
	ck_assert_int_eq(a->gate.told, CELL_GATE_OPEN);
	ck_assert_uint_eq(a->gate.asking, 3);
	ck_assert_uint_eq(master.answers, 2);
	UNTIL(&master, master.answers == 3);
	ck_assert_uint_eq(a->gate.asking, 0);
	ck_assert_int_eq(master.status, BAY_OK);
	ck_assert_uint_eq(events_of(&master, EVENT_DRAINED), 0);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_gate",
	a_pause_and_its_end_are_told_to_the_cell_and_as_events,
	what_the_cell_refuses_is_answered_so,
	a_pause_outlives_the_cell_and_a_restart_but_no_stop,
	a_drain_is_asked_about_until_nothing_is_left,
	who_waits_for_a_drain_hears_what_comes_between,
	a_wish_that_changes_before_the_cell_has_answered_is_told_again)
