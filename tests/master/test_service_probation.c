/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner and fake cells, which swap as they are told; who asks for the swap waits for
 * the end of the probation. */
#include "config.h"

#include "master/service_probation.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_swap.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* What the wishes of one kind came to. */
static struct told {
	unsigned answers;
	enum swap_outcome outcome;
	char message[400];
} patient_told, told;

static void
on_done(struct master_service *service, enum swap_outcome outcome, const char *message, void *arg)
{
	struct told *of = arg;

	ck_assert_ptr_nonnull(service);
	of->answers++;
	of->outcome = outcome;
	snprintf(of->message, sizeof(of->message), "%s", message);
}

static const struct swap_wish patient = {.by = {EVENT_BY_USER, 7, 8}, .through_probation = true,
	.done = on_done, .arg = &patient_told};
static const struct swap_wish wish = {.by = {EVENT_BY_USER, 7, 8}, .done = on_done, .arg = &told};

/* Writes into the page of the cell, as a loop of it. */
static void
count(struct fake_master *master, uint64_t served, uint64_t failed)
{
	const struct status_page *page = master_cell_page(supervisor_cell(master->supervisor, 0));
	struct status_counters *counters = status_page_counters(page, 0, 0);

	status_add(&counters->served, served);
	status_add(&counters->failed, failed);
}

/* Service a is on probation with another plugin than it was started with, which had served and failed
 * this often. It lasts longer than any test unless the keys say otherwise. */
static struct master_service *
open_on_probation(struct fake_master *master, const char *orders, const char *keys, uint64_t served,
	uint64_t failed)
{
	char text[128];
	struct master_service *a;

	memset(&told, 0, sizeof(told));
	memset(&patient_told, 0, sizeof(patient_told));
	snprintf(text, sizeof(text), "%s\n%s", strstr(keys, "probation") != NULL ? "" : "probation = 1h", keys);
	fake_master_open_with_plugins(master, orders, text, &bay_cell);
	fake_master_plugin(master, "good", "a");
	fake_master_start(master);
	a = service_of(master, "a");
	count(master, served, failed);
	log_lines_keep();
	service_swap_reload(a, &patient);
	UNTIL(master, service_probation_is_on(a));
	ck_assert_uint_eq(patient_told.answers, 0);
	return a;
}

/* It is compared, at least once. */
static void
await_look(struct fake_master *master, const struct master_service *a)
{
	struct timeval before, now;

	ck_assert(event_pending(a->probation.timer, EV_TIMEOUT, &before));
	UNTIL(master, !event_pending(a->probation.timer, EV_TIMEOUT, &now) || timercmp(&now, &before, !=));
}

START_TEST(more_failures_than_before_roll_back)
{
	static const char *const orders[] = {"", "revert=none\n"};

	for (int i = 0; i < 2; i++) {
		struct fake_master master;
		struct master_service *a = open_on_probation(&master, orders[i], "", 1000, 10);

		ck_assert_uint_eq(a->probation.before.ended, 1010);
		ck_assert_uint_eq(a->probation.before.failed, 10);
		/* As often as before. */
		count(&master, 500, 6);
		await_look(&master, a);
		ck_assert(service_probation_is_on(a));
		ck_assert_uint_eq(patient_told.answers, 0);
		count(&master, 0, 100);
		UNTIL(&master, patient_told.answers == 1);
		ck_assert_int_eq(patient_told.outcome, SWAP_ROLLED_BACK);
		ck_assert_msg(strstr(patient_told.message, "on probation, 106 of its 606 requests failed, of those "
			"before 10 of 1010") != NULL, "%s", patient_told.message);
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		ck_assert_ptr_null(a->former);
		ck_assert(is_state(&master, "a", SERVICE_READY));
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(a_swap_that_fails_with_its_cell_does_not_end_the_probation_before)
{
	for (int slot = 0; slot < 2; slot++) {
		struct fake_master master;
		struct master_service *a = open_on_probation(&master, "swap=hold-second call=crash\n",
			"restart_delay = 1ms", 0, 0);
		struct plugin_image *second = a->image;

		fake_master_plugin(&master, "late", "a");
		service_swap_reload(a, &wish);
		UNTIL(&master, a->step == SERVICE_STEP_SWAP);
		fake_master_crash(&master, slot);
		UNTIL(&master, told.answers == 1);
		ck_assert_int_eq(told.outcome, slot == 0 ? SWAP_ROLLED_BACK : SWAP_FAILED);
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
		ck_assert_ptr_eq(a->image, second);
		ck_assert(service_probation_is_on(a));
		ck_assert_uint_eq(patient_told.answers, 0);
		fake_master_close(&master);
	}
}
END_TEST

/* Both services are on probation, b for the shorter time. */
static struct master_service *
open_both_on_probation(struct fake_master *master, const char *orders)
{
	struct master_service *a = open_on_probation(master, orders, "restart_delay = 1ms", 1000, 0);
	struct master_service *b = service_of(master, "b");

	fake_master_plugin(master, "good", "b");
	service_swap_reload(b, &wish);
	UNTIL(master, service_probation_is_on(b));
	memset(&told, 0, sizeof(told));
	return a;
}

static pid_t
cell_pid(const struct fake_master *master)
{
	return cell_process_pid(master_cell_process(supervisor_cell(master->supervisor, 0)));
}

START_TEST(a_kill_from_outside_speaks_against_nobody)
{
	struct fake_master master;
	struct master_service *a = open_both_on_probation(&master, "");
	const struct status_page *page = master_cell_page(supervisor_cell(master.supervisor, 0));
	struct plugin_image *second = a->image;
	pid_t pid = cell_pid(&master);

	/* Its connection ends a little before it does, and no machine may be too slow for that. */
	master.limits.broken_ns = MS(60000);
	/* Nor does what was lost with it. */
	status_add(&status_page_counters(page, 0, a->slot)->in_flight, 500);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	UNTIL(&master, a->lost == 500);
	master_service_count_lost_call(a);
	ck_assert_uint_eq(a->lost, 499);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	ck_assert(cell_pid(&master) != pid);
	await_look(&master, a);
	ck_assert_ptr_eq(a->image, second);
	ck_assert(service_probation_is_on(a));
	ck_assert(service_probation_is_on(service_of(&master, "b")));
	ck_assert_uint_eq(a->restarts, 1);
	/* It is judged by what it does itself. */
	count(&master, 0, 100);
	UNTIL(&master, patient_told.answers == 1);
	ck_assert_msg(strstr(patient_told.message, "100 of its 100 requests failed") != NULL, "%s",
		patient_told.message);
	fake_master_close(&master);
}
END_TEST

/* What may write into its connection is code in the cell. */
START_TEST(a_broken_connection_to_the_cell_speaks_against_the_newest_code)
{
	struct fake_master master;
	struct master_service *a = open_both_on_probation(&master, "call=rubbish\n");
	struct master_service *b = service_of(&master, "b");
	struct plugin_image *second = a->image;

	fake_master_crash(&master, 0);
	ck_assert_int_eq(log_lines_with("does not end by itself: it is killed"), 1);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	ck_assert(!service_probation_is_on(b));
	ck_assert_str_eq(b->image->source, "/nowhere/a.so");
	ck_assert(service_probation_is_on(a));
	ck_assert_ptr_eq(a->image, second);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_the_cell_had_not_seen_is_excused_with_it)
{
	struct fake_master master;
	struct master_service *a = open_on_probation(&master, "", "", 0, 0);
	struct probation_counts base;

	ck_assert_int_eq(kill(cell_pid(&master), SIGKILL), 0);
	UNTIL(&master, a->excused);
	base = a->probation.base;
	master_service_count_lost_call(a);
	ck_assert_uint_eq(a->probation.base.failed, base.failed + 1);
	ck_assert_uint_eq(a->probation.base.ended, base.ended + 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(an_end_that_nobody_explains_speaks_against_the_newest_code)
{
	struct fake_master master;
	struct master_service *a = open_both_on_probation(&master, "call=exit\ncall=exit\n");
	struct master_service *b = service_of(&master, "b");
	struct plugin_image *second = a->image;

	fake_master_crash(&master, -1);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY) && is_state(&master, "b", SERVICE_READY));
	ck_assert(!service_probation_is_on(b));
	ck_assert_str_eq(b->image->source, "/nowhere/a.so");
	ck_assert(service_probation_is_on(a));
	ck_assert_ptr_eq(a->image, second);
	ck_assert_int_eq(log_lines_with("is rolled back to"), 1);
	/* Once more: then it was not that, or not alone. */
	fake_master_crash(&master, -1);
	UNTIL(&master, patient_told.answers == 1);
	ck_assert_int_eq(patient_told.outcome, SWAP_ROLLED_BACK);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	fake_master_close(&master);
}
END_TEST

START_TEST(who_waits_is_told_of_a_rollback_by_hand)
{
	static const char *const orders[] = {"", "revert=late\n", "revert=silent\n"};

	for (int i = 0; i < 3; i++) {
		struct fake_master master;
		struct master_service *a = open_on_probation(&master, orders[i], "", 0, 0);

		service_swap_roll_back(a, &wish);
		UNTIL(&master, told.answers == 1);
		ck_assert_int_eq(told.outcome, i == 0 ? SWAP_SWAPPED : SWAP_STARTED);
		ck_assert_uint_eq(patient_told.answers, 1);
		ck_assert_int_eq(patient_told.outcome, SWAP_ROLLED_BACK);
		ck_assert_str_eq(patient_told.message, "it was rolled back by hand");
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		ck_assert_ptr_nonnull(a->former);
		ck_assert(!service_probation_is_on(a));
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(one_that_is_passed_is_told)
{
	struct fake_master master;
	struct master_service *a = open_on_probation(&master, "", "probation = 100ms", 0, 0);

	UNTIL(&master, patient_told.answers == 1);
	ck_assert_int_eq(patient_told.outcome, SWAP_SWAPPED);
	ck_assert(!service_probation_is_on(a));
	ck_assert_int_eq(log_lines_with("has passed its probation"), 1);
	ck_assert_ptr_nonnull(a->former);
	fake_master_close(&master);
}
END_TEST

START_TEST(one_may_be_passed_before_its_time)
{
	struct fake_master master;
	struct master_service *a = open_on_probation(&master, "", "", 0, 0);

	service_probation_pass(a);
	ck_assert_uint_eq(patient_told.answers, 1);
	ck_assert_int_eq(patient_told.outcome, SWAP_SWAPPED);
	ck_assert(!service_probation_is_on(a));
	/* From now on failures are not compared. */
	ck_assert(!event_pending(a->probation.timer, EV_TIMEOUT, NULL));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_ends_it_unjudged)
{
	struct fake_master master;
	struct master_service *a = open_on_probation(&master, "", "", 0, 0);

	service_control_stop(a, false, fake_master_on_done, &master);
	UNTIL(&master, master.answers == 1);
	ck_assert_uint_eq(patient_told.answers, 1);
	ck_assert_int_eq(patient_told.outcome, SWAP_FAILED);
	ck_assert_str_eq(patient_told.message, "it was stopped on its probation");
	ck_assert(!service_probation_is_on(a));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_probation",
	more_failures_than_before_roll_back,
	a_swap_that_fails_with_its_cell_does_not_end_the_probation_before,
	a_kill_from_outside_speaks_against_nobody,
	a_broken_connection_to_the_cell_speaks_against_the_newest_code,
	what_the_cell_had_not_seen_is_excused_with_it,
	an_end_that_nobody_explains_speaks_against_the_newest_code,
	who_waits_is_told_of_a_rollback_by_hand,
	one_that_is_passed_is_told,
	one_may_be_passed_before_its_time,
	a_stop_ends_it_unjudged)
