/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner and fake cells, which do as they are told. */
#include "config.h"

#include "master/service_canary.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/status_page.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_change.h"
#include "master/service_swap.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static struct told {
	unsigned answers;
	enum swap_outcome outcome;
	enum swap_outcome outcomes[8];
	char message[400];
} told;

static void
on_done(struct master_service *service, enum swap_outcome outcome, const char *message, void *arg)
{
	ck_assert_ptr_nonnull(service);
	ck_assert_ptr_eq(arg, &told);
	told.outcomes[told.answers % 8] = outcome;
	told.answers++;
	told.outcome = outcome;
	snprintf(told.message, sizeof(told.message), "%s", message);
}

static const struct swap_wish wish = {.by = {EVENT_BY_USER, 7, 8}, .done = on_done, .arg = &told};
static const struct swap_wish canary_wish = {.by = {EVENT_BY_USER, 7, 8}, .share = 10, .done = on_done, .arg = &told};

typedef void swap_fn(struct master_service *service, const struct swap_wish *wish);

static void
expect(struct fake_master *master, swap_fn *fn, const struct swap_wish *asked, enum swap_outcome outcome)
{
	unsigned before = told.answers;

	fn(service_of(master, "a"), asked);
	UNTIL(master, told.answers == before + 1);
	ck_assert_msg(told.outcome == outcome, "%d: %s", (int)told.outcome, told.message);
}

static struct master_service *
open_with_canary(struct fake_master *master, const char *orders, const char *keys)
{
	memset(&told, 0, sizeof(told));
	fake_master_open_with_plugins(master, orders, keys, &bay_cell);
	fake_master_plugin(master, "good", "a");
	fake_master_start(master);
	log_lines_keep();
	expect(master, service_swap_reload, &canary_wish, SWAP_CANARY);
	return service_of(master, "a");
}

START_TEST(a_canary_stands_beside_what_serves_and_nothing_else_is_begun)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "", "");

	ck_assert(service_canary_runs(a));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_str_eq(a->canary.image->source, temp_dir_path(&master.dir, "plugins/a.so"));
	ck_assert_int_eq(a->canary.share, 10);
	ck_assert_int_eq(a->probation.until_ns, 0);
	ck_assert_int_eq(log_lines_with("canary by user 7, process 8: generation "), 1);
	ck_assert_int_eq(log_lines_with("gets 10% of the messages of generation 1 (1.0)"), 1);
	expect(&master, service_swap_reload, &wish, SWAP_BUSY);
	ck_assert_ptr_nonnull(strstr(told.message, "bayctl promote a or bayctl abort a ends that [canary-runs]"));
	expect(&master, service_swap_reload, &canary_wish, SWAP_BUSY);
	expect(&master, service_swap_roll_back, &wish, SWAP_BUSY);
	fake_master_close(&master);
}
END_TEST

static void
on_changed(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	ck_assert_ptr_nonnull(service);
	ck_assert_msg(status == BAY_OK, "%s", message);
	*(bool *)arg = true;
}

/* A reload that is undone may find one that was begun meanwhile. */
START_TEST(another_generation_of_the_service_ends_a_canary)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "", "");
	const struct service_target target = {.source = a->source, .config = a->config, .image = a->image};
	bool done = false;

	service_change_generation(a, &target, on_changed, &done);
	UNTIL(&master, done && a->state == SERVICE_READY);
	ck_assert(!service_canary_runs(a));
	fake_master_close(&master);
}
END_TEST

START_TEST(wishes_of_another_share_wait_and_are_refused_for_the_canary)
{
	struct fake_master master;
	struct master_service *a;

	memset(&told, 0, sizeof(told));
	fake_master_open_with_plugins(&master, "", "", &bay_cell);
	fake_master_plugin(&master, "good", "a");
	fake_master_start(&master);
	a = service_of(&master, "a");
	service_swap_reload(a, &wish);
	service_swap_reload(a, &canary_wish);
	service_swap_reload(a, &wish);
	service_swap_reload(a, &canary_wish);
	UNTIL(&master, told.answers == 1);
	ck_assert_int_eq(told.outcome, SWAP_SWAPPED);
	fake_master_plugin(&master, "late", "a");
	UNTIL(&master, told.answers >= 2);
	ck_assert_int_eq(told.outcomes[1], SWAP_CANARY);
	UNTIL(&master, told.answers == 4);
	ck_assert_int_eq(told.outcomes[2], SWAP_BUSY);
	ck_assert_int_eq(told.outcomes[3], SWAP_BUSY);
	ck_assert(service_canary_runs(a));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_promotion_is_a_swap_with_its_probation)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "", "");

	expect(&master, service_swap_promote, &wish, SWAP_SWAPPED);
	ck_assert(!service_canary_runs(a));
	ck_assert_str_eq(a->image->source, temp_dir_path(&master.dir, "plugins/a.so"));
	ck_assert_str_eq(a->former->source, "/nowhere/a.so");
	ck_assert_int_ne(a->probation.until_ns, 0);
	ck_assert_int_eq(log_lines_with("promoted by user 7, process 8: generation "), 1);
	expect(&master, service_swap_promote, &wish, SWAP_FAILED);
	ck_assert_ptr_nonnull(strstr(told.message, "it has no canary"));
	expect(&master, service_swap_abort, &wish, SWAP_FAILED);
	expect(&master, service_swap_roll_back, &wish, SWAP_SWAPPED);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_promotion_that_fails_is_the_end_of_the_canary)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "promote=refuse\n", "");

	expect(&master, service_swap_promote, &wish, SWAP_ROLLED_BACK);
	ck_assert_ptr_nonnull(strstr(told.message, "no such luck; generation 1 (1.0) serves on"));
	ck_assert(!service_canary_runs(a));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_int_eq(log_lines_with("aborted by user 7, process 8: generation "), 1);
	expect(&master, service_swap_reload, &canary_wish, SWAP_CANARY);
	fake_master_close(&master);
}
END_TEST

START_TEST(an_abort_ends_it_and_a_reload_is_possible_again)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "", "");

	expect(&master, service_swap_abort, &wish, SWAP_ABORTED);
	ck_assert(!service_canary_runs(a));
	ck_assert_str_eq(a->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(a->former);
	ck_assert_int_eq(a->step, SERVICE_STEP_NONE);
	ck_assert_int_eq(log_lines_with("aborted by user 7, process 8: generation "), 1);
	expect(&master, service_swap_reload, &wish, SWAP_SWAPPED);
	fake_master_close(&master);
}
END_TEST

START_TEST(one_that_fails_as_it_is_aborted_has_ended_all_the_same)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "abort=fails-first\n", "");

	expect(&master, service_swap_abort, &wish, SWAP_ABORTED);
	UNTIL(&master, a->step == SERVICE_STEP_NONE);
	ck_assert(!service_canary_runs(a));
	ck_assert(is_state(&master, "a", SERVICE_READY));
	ck_assert_int_eq(log_lines_with("goes on alone: it failed: it gave up"), 1);
	fake_master_close(&master);
}
END_TEST

START_TEST(an_abort_that_the_cell_refuses_leaves_it)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "abort=refuse\n", "");

	expect(&master, service_swap_abort, &wish, SWAP_FAILED);
	ck_assert(service_canary_runs(a));
	ck_assert_int_eq(a->step, SERVICE_STEP_NONE);
	fake_master_close(&master);
}
END_TEST

START_TEST(with_its_cell_it_ends_and_the_old_code_is_started)
{
	for (int slot = 0; slot < 2; slot++) {
		struct fake_master master;
		struct master_service *a = open_with_canary(&master, "call=crash\n", "restart_delay = 1ms");

		fake_master_crash(&master, slot);
		UNTIL(&master, is_state(&master, "a", SERVICE_READY));
		ck_assert(!service_canary_runs(a));
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		/* Of its own crash the canary may be guilty. */
		ck_assert_uint_eq(a->restarts, (unsigned)slot);
		ck_assert_int_eq(log_lines_with(slot == 0 ? "one of the two is to blame: it crashed" :
			"it was not to blame"), 1);
		fake_master_close(&master);
	}
}
END_TEST

START_TEST(an_abort_without_an_answer_ends_with_the_cell)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "abort=silent\n", "restart_delay = 1ms");

	master.limits.grace_ns = MS(10);
	expect(&master, service_swap_abort, &wish, SWAP_ABORTED);
	UNTIL(&master, is_state(&master, "a", SERVICE_READY));
	ck_assert(!service_canary_runs(a));
	ck_assert_int_eq(a->step, SERVICE_STEP_NONE);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_stop_ends_it)
{
	struct fake_master master;
	struct master_service *a = open_with_canary(&master, "", "");

	service_control_stop(a, false, NULL, NULL);
	UNTIL(&master, is_state(&master, "a", SERVICE_STOPPED));
	ck_assert(!service_canary_runs(a));
	ck_assert_int_eq(log_lines_with("goes on alone: the service is stopped"), 1);
	expect(&master, service_swap_reload, &canary_wish, SWAP_FAILED);
	fake_master_close(&master);
}
END_TEST

/* Writes into the page of the cell, as a loop of it. */
static void
count(struct fake_master *master, uint32_t column, uint64_t served, uint64_t failed)
{
	const struct status_page *page = master_cell_page(supervisor_cell(master->supervisor, 0));
	struct status_counters *counters = &status_page_counters(page, 0, 0)[column];

	status_add(&counters->served, served);
	status_add(&counters->failed, failed);
}

START_TEST(both_are_counted_from_its_begin_on_and_it_speaks_for_itself_only)
{
	struct fake_master master;
	struct master_service *a;
	const struct status_page *page;
	struct probation_counts own, others;
	uint32_t column;

	memset(&told, 0, sizeof(told));
	fake_master_open_with_plugins(&master, "", "", &bay_cell);
	fake_master_plugin(&master, "good", "a");
	fake_master_start(&master);
	a = service_of(&master, "a");
	page = master_cell_page(supervisor_cell(master.supervisor, 0));
	column = status_canary_column(page->loops, 0);
	count(&master, 0, 1000, 5);
	/* Of an earlier one. */
	count(&master, column, 7, 7);
	expect(&master, service_swap_reload, &canary_wish, SWAP_CANARY);
	count(&master, 0, 90, 1);
	count(&master, column, 6, 4);
	service_canary_count(a, page, &own, &others);
	ck_assert_uint_eq(own.ended, 10);
	ck_assert_uint_eq(own.failed, 4);
	ck_assert_uint_eq(others.ended, 91);
	ck_assert_uint_eq(others.failed, 1);
	expect(&master, service_swap_promote, &wish, SWAP_SWAPPED);
	/* What it has to be no worse than is without it. */
	ck_assert_uint_eq(a->probation.before.ended, 1000 + 5 + 14 + 91);
	ck_assert_uint_eq(a->probation.before.failed, 5 + 7 + 1);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/service_canary",
	another_generation_of_the_service_ends_a_canary,
	a_canary_stands_beside_what_serves_and_nothing_else_is_begun,
	wishes_of_another_share_wait_and_are_refused_for_the_canary,
	a_promotion_is_a_swap_with_its_probation,
	a_promotion_that_fails_is_the_end_of_the_canary,
	an_abort_ends_it_and_a_reload_is_possible_again,
	one_that_fails_as_it_is_aborted_has_ended_all_the_same,
	an_abort_that_the_cell_refuses_leaves_it,
	with_its_cell_it_ends_and_the_old_code_is_started,
	an_abort_without_an_answer_ends_with_the_cell,
	a_stop_ends_it,
	both_are_counted_from_its_begin_on_and_it_speaks_for_itself_only)
