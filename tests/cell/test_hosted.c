/* SPDX-License-Identifier: BSD-2-Clause */
/* Generations of one service: swaps and what becomes of the old ones. */
#include "config.h"

#include "cell/hosted.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cell/executor.h"
#include "cell/hosts.h"
#include "runtime/task.h"
#include "service/registry.h"
#include "support/log_lines.h"
#include "support/temp_dir.h"

#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { SWAPS = 60 };
#else
enum { SWAPS = 400 };
#endif

#define V1 TEST_PLUGIN("swaps_1")
#define V2 TEST_PLUGIN("swaps_2")

static void
start_first(const char *image, int64_t instances)
{
	start_image = image;
	start_generation = 1;
	start("a", instances, NULL);
}

static void
swap(const char *image, int64_t generation)
{
	struct answer answer = wait_for(begin_swap("a", image, generation));

	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
}

static void
swap_in_vain(const char *image, int64_t generation, int status, const char *text)
{
	struct answer answer = wait_for(begin_swap("a", image, generation));

	ck_assert_msg(answer.status == status, "%s: %s", bay_status_name(answer.status), answer.message);
	ck_assert_msg(strstr(answer.message, text) != NULL, "'%s' lacks '%s'", answer.message, text);
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_READY);
}

static struct answer
revert(void)
{
	host_revert(host, "a", 0, on_done, ++last_id);
	return wait_for(last_id);
}

/* Handlers of a, of all its generations. */
static uint64_t
in_flight(void)
{
	struct status_service_view view;

	status_page_read_service(&page, registry_get("a")->slot, &view);
	return view.in_flight;
}

/* What ends by itself is waited for. */
#define UNTIL(condition) \
	while (!(condition)) { \
		loop_wait(&control, clock_monotonic_ns() + BAY_MS); \
		wheel_advance(&control.wheel, loop_now(&control)); \
		turn(); \
	}

/* Behind it calls are in flight until it is opened. */
struct gate {
	struct temp_dir dir;
	char order[320];
};

static void
gate_init(struct gate *gate)
{
	temp_dir_init(&gate->dir);
	snprintf(gate->order, sizeof gate->order, "until %s", temp_dir_path(&gate->dir, "open"));
}

static void
gate_open(struct gate *gate)
{
	temp_dir_write(&gate->dir, "open", "");
}

/* --- the swap ----------------------------------------------------------------------------- */

START_TEST(a_swap_puts_new_code_in_the_place_of_the_old_which_goes)
{
	begin(2);
	start_first(V1, 0);
	expect_order("a", "version", BAY_OK, "1");
	swap(V2, 2);
	expect_order("a", "version", BAY_OK, "2");
	ck_assert_str_eq(stages, "li");
	UNTIL(!is_loaded(V1));
	swap(V1, 3);
	expect_order("a", "version", BAY_OK, "1");
	UNTIL(!is_loaded(V2));
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert(!is_loaded(V1));
	ck_assert_int_eq(lingers.times + failed.times, 0);
	finish();
}
END_TEST

START_TEST(what_is_in_flight_ends_with_the_old_code_and_what_is_queued_gets_the_new)
{
	struct gate gate;
	struct call sleepers[2] = {{.order = gate.order}, {.order = gate.order}};
	struct call queued = {.order = "version"};

	gate_init(&gate);
	begin(1);
	start_drain_ns = 100 * BAY_SECOND;
	start_first(V1, 1);
	begin_call(&sleepers[0], 0, "a");
	begin_call(&sleepers[1], 0, "a");
	begin_call(&queued, 0, "a");
	UNTIL(registry_get("a")->queued == 1);
	swap(V2, 2);
	join_call(&queued);
	ck_assert_str_eq(queued.text, "2");
	ck_assert(is_loaded(V1));
	gate_open(&gate);
	for (int i = 0; i < 2; i++) {
		join_call(&sleepers[i]);
		ck_assert_str_eq(sleepers[i].text, "1");
	}
	UNTIL(!is_loaded(V1));
	finish();
	temp_dir_finish(&gate.dir);
}
END_TEST

START_TEST(what_does_not_end_within_the_drain_is_cancelled_with_the_reason_swap)
{
	struct call sleeper = {.order = "sleep 1000000000000"};

	begin(1);
	start_first(V1, 1);
	begin_call(&sleeper, 0, "a");
	UNTIL(in_flight() == 1);
	swap(V2, 2);
	join_call(&sleeper);
	ck_assert_int_eq(sleeper.status, BAY_CANCELED);
	ck_assert_str_eq(sleeper.text, "woken: swap: the code of service a was replaced");
	finish();
}
END_TEST

START_TEST(messages_to_be_sent_later_are_sent_by_the_successor)
{
	begin(1);
	start_first(V1, 1);
	expect_order("a", "later a", BAY_OK, "1");
	swap(V2, 2);
	UNTIL(!is_loaded(V1));
	expect_order("a", "sleep 1500000000", BAY_OK, "2");
	/* The one that was sent, and this one. */
	expect_order("a", "count", BAY_OK, "2 2");
	finish();
}
END_TEST

START_TEST(static_memory_of_the_same_image_is_not_shared)
{
	begin(1);
	start_first(V1, 1);
	expect_order("a", "static", BAY_OK, "1 1");
	start_keeps = true;
	swap(V2, 2);
	/* The first one is still there. */
	ck_assert(is_loaded(V1));
	start_keeps = false;
	swap(V1, 1);
	expect_order("a", "static", BAY_OK, "1 1");
	finish();
}
END_TEST

START_TEST(services_of_one_image_do_not_linger_for_each_other)
{
	begin(1);
	start_image = V1;
	start("b", 1, NULL);
	start_first(V1, 1);
	swap(V2, 2);
	expect("b", BAY_OK, "1");
	ck_assert_int_eq(stop("b", 0).status, BAY_OK);
	UNTIL(!is_loaded(V1));
	ck_assert_int_eq(lingers.times, 0);
	finish();
}
END_TEST

START_TEST(swaps_leave_nothing_behind)
{
	struct call call = {.order = "count"};
	int i;

	begin(2);
	start_first(V1, 0);
	for (i = 2; i < SWAPS; i++) {
		begin_call(&call, (unsigned)i % 2, "a");
		start_keeps = i % 3 == 0;
		swap(i % 2 == 0 ? V2 : V1, i);
		join_call(&call);
		ck_assert_msg(call.status == BAY_OK, "%s", call.text);
		if (i % 6 == 0)
			ck_assert_int_eq(revert().status, BAY_OK);
		else
			host_retire(host, "a", 0);
	}
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert(!is_loaded(V1) && !is_loaded(V2));
	ck_assert_int_eq(lingers.times, 0);
	finish();
}
END_TEST

/* --- the state ----------------------------------------------------------------------------- */

START_TEST(the_state_goes_over_where_both_can)
{
	begin(2);
	start_first(TEST_PLUGIN("swaps_state_1"), 1);
	expect_order("a", "count", BAY_OK, "1 1");
	expect_order("a", "count", BAY_OK, "1 2");
	swap(TEST_PLUGIN("swaps_state_2"), 2);
	ck_assert_str_eq(stages, "liho");
	expect_order("a", "count", BAY_OK, "2 3");
	/* It does not know a later form. The old one goes on where it was. */
	swap_in_vain(TEST_PLUGIN("swaps_state_1"), 3, BAY_INVALID,
		"import_state failed: its state is of form 2, and this version knows 1");
	expect_order("a", "count", BAY_OK, "2 4");
	/* Without the functions it begins anew. */
	swap(V1, 4);
	expect_order("a", "count", BAY_OK, "1 1");
	finish();
}
END_TEST

START_TEST(no_request_is_in_flight_when_the_state_goes_over)
{
	struct gate gate;
	struct call sleeper = {.order = gate.order}, late = {.order = "count"};
	int64_t swapped;

	gate_init(&gate);
	begin(2);
	start_drain_ns = 100 * BAY_SECOND;
	start_first(TEST_PLUGIN("swaps_state_1"), 0);
	begin_call(&sleeper, 0, "a");
	UNTIL(in_flight() == 1);
	swapped = begin_swap("a", TEST_PLUGIN("swaps_state_2"), 2);
	UNTIL(strcmp(stages, "li") == 0);
	/* It waits for the new one, whatever loop it comes from. */
	begin_call(&late, 1, "a");
	gate_open(&gate);
	ck_assert_int_eq(wait_for(swapped).status, BAY_OK);
	join_call(&sleeper);
	ck_assert_str_eq(sleeper.text, "1");
	join_call(&late);
	ck_assert_str_eq(late.text, late.text[0] == '1' ? "1 1" : "2 1");
	finish();
	temp_dir_finish(&gate.dir);
}
END_TEST

START_TEST(a_request_that_does_not_end_keeps_the_state_and_the_old_code)
{
	struct call stuck = {.order = "stuck"};

	begin(1);
	start_drain_ns = 20 * BAY_MS;
	start_first(TEST_PLUGIN("swaps_state_1"), 1);
	begin_call(&stuck, 0, "a");
	UNTIL(in_flight() == 1);
	swap_in_vain(TEST_PLUGIN("swaps_state_2"), 2, BAY_BUSY,
		"its state cannot go over: 1 request does not end within drain_timeout = 20ms");
	expect_order("a", "unstick", BAY_OK, "1");
	join_call(&stuck);
	ck_assert_int_eq(stuck.status, BAY_OK);
	swap(TEST_PLUGIN("swaps_state_2"), 3);
	finish();
}
END_TEST

START_TEST(a_function_that_has_not_come_back_is_not_called_again)
{
	struct answer answer;

	begin(1);
	start_first(TEST_PLUGIN("swaps_state_1"), 1);
	expect_order("a", "clog", BAY_OK, "1");
	swap_in_vain(TEST_PLUGIN("swaps_state_2"), 2, BAY_TIMEOUT, "export_state did not end within start_timeout");
	swap_in_vain(TEST_PLUGIN("swaps_state_2"), 3, BAY_BUSY, "its function export_state has not come back");
	expect_order("a", "unstick", BAY_OK, "1");
	/* It ends a moment later. */
	do
		answer = wait_for(begin_swap("a", TEST_PLUGIN("swaps_state_2"), 4));
	while (answer.status == BAY_BUSY);
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	expect_order("a", "version", BAY_OK, "2");
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	finish();
}
END_TEST

/* --- swaps that fail --------------------------------------------------------------------- */

START_TEST(what_fails_leaves_the_old_code_as_it_was)
{
	begin(2);
	start_first(V1, 0);
	swap_in_vain("/nowhere/x.so", 2, BAY_INVALID, "cannot be opened");
	swap_in_vain(TEST_PLUGIN("swaps_init_fails"), 3, BAY_FAILED, "init failed: this version does not start");
	swap_in_vain(TEST_PLUGIN("swaps_no_handler"), 4, BAY_INVALID, "it has no handler");
	start_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	swap_in_vain(V2, 5, BAY_INVALID, "has changed since");
	ck_assert(!is_loaded(TEST_PLUGIN("swaps_init_fails")) && !is_loaded(V2));
	expect_order("a", "version", BAY_OK, "1");
	ck_assert_int_eq(failed.times, 0);
	finish();
}
END_TEST

/* The control thread hears of it before the new one says that it serves. */
static void
fail_when_initialised(char letter)
{
	struct bay_service *service = registry_get("a");

	if (letter == 'i')
		service->on_failed(service->instances[0], "its last task failed");
}

START_TEST(a_failure_of_the_old_code_while_the_new_takes_the_route_is_no_failure_of_the_service)
{
	begin(1);
	log_lines_keep();
	start_keeps = true;
	start_first(V1, 1);
	on_its_stage = fail_when_initialised;
	swap(V2, 2);
	expect_order("a", "version", BAY_OK, "2");
	UNTIL(!is_loaded(V1));
	ck_assert_int_eq(failed.times, 0);
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_READY);
	ck_assert_int_eq(log_lines_with("generation 1, which was replaced, failed: its last task failed"), 1);
	finish();
}
END_TEST

START_TEST(there_is_one_swap_at_a_time_and_none_of_what_is_not_there)
{
	int64_t first;

	begin(1);
	first = begin_swap("a", V2, 2);
	ck_assert_int_eq(wait_for(first).status, BAY_BUSY);
	start_first(V1, 1);
	first = begin_swap("a", V2, 2);
	swap_in_vain(V2, 3, BAY_BUSY, "its code is being swapped already");
	ck_assert_int_eq(wait_for(first).status, BAY_OK);
	ck_assert_int_eq(revert().status, BAY_NOT_FOUND);
	finish();
}
END_TEST

START_TEST(a_stop_ends_the_swap_and_then_all_of_it)
{
	int i;

	begin(2);
	for (i = 0; i < SWAPS / 4; i++) {
		int64_t swapped, stopped;

		start_first(V1, 0);
		swapped = begin_swap("a", i % 2 == 0 ? V2 : TEST_PLUGIN("swaps_init_fails"), 2);
		while (i % 4 > 1 && strlen(stages) < (size_t)(i % 4) - 1) {
			loop_wait(&control, clock_monotonic_ns() + BAY_MS);
			turn();
			if (answers[swapped].came)
				break;
		}
		stopped = begin_stop("a", 0);
		(void)wait_for(swapped);
		ck_assert_int_eq(wait_for(stopped).status, BAY_OK);
		ck_assert_int_eq(service_state(registry_get("a")), SERVICE_STOPPED);
		ck_assert(!is_loaded(V1) && !is_loaded(V2));
		stages[0] = '\0';
	}
	finish();
}
END_TEST

/* --- what is kept -------------------------------------------------------------------------- */

START_TEST(what_is_kept_gets_the_route_back_as_it_was)
{
	begin(2);
	start_keeps = true;
	start_first(V1, 0);
	expect_order("a", "count", BAY_OK, "1 1");
	swap(V2, 2);
	expect_order("a", "count", BAY_OK, "2 1");
	ck_assert(is_loaded(V1));
	ck_assert_int_eq(revert().status, BAY_OK);
	expect_order("a", "count", BAY_OK, "1 2");
	UNTIL(!is_loaded(V2));
	ck_assert_int_eq(revert().status, BAY_NOT_FOUND);
	swap(V2, 3);
	host_retire(host, "a", 0);
	UNTIL(!is_loaded(V1));
	ck_assert_int_eq(revert().status, BAY_NOT_FOUND);
	expect_order("a", "version", BAY_OK, "2");
	finish();
}
END_TEST

START_TEST(what_acts_by_itself_is_not_kept)
{
	static const char *const images[] = {TEST_PLUGIN("swaps_run"), TEST_PLUGIN("swaps_task")};

	begin(2);
	for (int i = 0; i < 2; i++) {
		start_keeps = true;
		start_first(images[i], 0);
		swap(V2, 2);
		UNTIL(!is_loaded(images[i]));
		ck_assert_int_eq(revert().status, BAY_NOT_FOUND);
		ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	}
	finish();
}
END_TEST

START_TEST(what_is_kept_ends_with_the_service)
{
	begin(1);
	start_keeps = true;
	start_first(V1, 1);
	swap(V2, 2);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	ck_assert(!is_loaded(V1) && !is_loaded(V2));
	finish();
}
END_TEST

/* --- what lingers ---------------------------------------------------------------------------- */

START_TEST(code_that_stays_is_told_of_with_its_reason)
{
	begin(1);
	start_first(TEST_PLUGIN("swaps_nodelete"), 1);
	swap(V2, 2);
	UNTIL(lingers.times == 1);
	ck_assert_int_eq(lingers.generation, 1);
	ck_assert_str_eq(lingers.reason, "it is linked with -z nodelete");
	finish();
}
END_TEST

START_TEST(what_refuses_to_end_lingers_until_it_has)
{
	struct call stuck = {.order = "stay 1000000000"};

	begin(1);
	start_first(V1, 1);
	begin_call(&stuck, 0, "a");
	UNTIL(in_flight() == 1);
	swap(V2, 2);
	UNTIL(lingers.times == 1);
	ck_assert_str_eq(lingers.reason, "1 handler refuses to stop (bayctl tasks a)");
	expect_order("a", "version", BAY_OK, "2");
	join_call(&stuck);
	ck_assert_str_eq(stuck.text, "1");
	UNTIL(lingers.times == 2);
	ck_assert_int_eq(lingers.generation, 1);
	ck_assert_str_eq(lingers.reason, "");
	ck_assert(!is_loaded(V1));
	finish();
}
END_TEST

/* --- canaries ----------------------------------------------------------------------------- */

/* Half of what comes is its, the second first. */
static void
try_half(const char *image, int64_t generation)
{
	start_canary = 50;
	swap(image, generation);
	start_canary = 0;
}

static struct answer
promote(void)
{
	host_promote(host, &(struct cell_promote){.service = "a", .keep = start_keeps}, on_done, ++last_id);
	return wait_for(last_id);
}

static struct answer
give_up(int64_t drain_ns)
{
	host_abort(host, "a", drain_ns, on_done, ++last_id);
	return wait_for(last_id);
}

static void
expect_in_turn(const char *first, const char *second)
{
	for (int i = 0; i < 3; i++) {
		expect_order("a", "version", BAY_OK, first);
		expect_order("a", "version", BAY_OK, second);
	}
}

START_TEST(a_canary_has_its_share_until_it_is_promoted)
{
	begin(1);
	start_first(V1, 1);
	ck_assert_int_eq(promote().status, BAY_NOT_FOUND);
	ck_assert_int_eq(give_up(0).status, BAY_NOT_FOUND);
	try_half(V2, 2);
	ck_assert_str_eq(stages, "li");
	expect_in_turn("1", "2");
	ck_assert(host_has(host, "a", 1));
	ck_assert(host_has(host, "a", 2));
	swap_in_vain(V1, 3, BAY_BUSY, "a canary of it runs");
	ck_assert_int_eq(revert().status, BAY_BUSY);
	ck_assert_int_eq(promote().status, BAY_OK);
	expect_in_turn("2", "2");
	UNTIL(!is_loaded(V1));
	ck_assert(!host_has(host, "a", 1));
	swap(V1, 4);
	expect_order("a", "version", BAY_OK, "1");
	finish();
}
END_TEST

START_TEST(what_a_canary_replaces_is_kept_if_that_is_wanted)
{
	begin(2);
	start_first(V1, 0);
	try_half(V2, 2);
	start_keeps = true;
	ck_assert_int_eq(promote().status, BAY_OK);
	expect_in_turn("2", "2");
	ck_assert(is_loaded(V1));
	ck_assert_int_eq(revert().status, BAY_OK);
	expect_in_turn("1", "1");
	UNTIL(!is_loaded(V2));
	finish();
}
END_TEST

START_TEST(a_canary_that_is_given_up_finishes_what_it_has)
{
	struct gate gate;
	struct call sleeper = {.order = gate.order}, stayer = {.order = "sleep 50000000000"};

	gate_init(&gate);
	begin(1);
	start_first(V1, 1);
	try_half(V2, 2);
	expect_order("a", "version", BAY_OK, "1");
	begin_call(&sleeper, 0, "a");
	UNTIL(in_flight() == 1);
	host_abort(host, "a", 100 * BAY_SECOND, on_done, ++last_id);
	gate_open(&gate);
	ck_assert_int_eq(wait_for(last_id).status, BAY_OK);
	expect_in_turn("1", "1");
	join_call(&sleeper);
	ck_assert_str_eq(sleeper.text, "2");
	UNTIL(!is_loaded(V2));
	/* What does not is cancelled. */
	try_half(V2, 3);
	expect_order("a", "version", BAY_OK, "1");
	begin_call(&stayer, 0, "a");
	UNTIL(in_flight() == 1);
	ck_assert_int_eq(give_up(0).status, BAY_OK);
	join_call(&stayer);
	ck_assert_int_eq(stayer.status, BAY_CANCELED);
	ck_assert_msg(strstr(stayer.text, "canary: that of service a was given up") != NULL, "%s", stayer.text);
	UNTIL(!is_loaded(V2));
	ck_assert_int_eq(failed.times, 0);
	finish();
	temp_dir_finish(&gate.dir);
}
END_TEST

START_TEST(a_canary_that_fails_is_given_up_and_the_watcher_is_told)
{
	begin(1);
	start_first(V1, 1);
	try_half(V2, 2);
	expect_order("a", "version", BAY_OK, "1");
	expect_order("a", "die", BAY_OK, "2");
	UNTIL(failed.times == 1);
	ck_assert_int_eq(failed.generation, 2);
	ck_assert_ptr_nonnull(strstr(failed.message, "task dies failed"));
	expect_in_turn("1", "1");
	UNTIL(!is_loaded(V2));
	ck_assert_int_eq(service_state(registry_get("a")), SERVICE_READY);
	/* And again. */
	try_half(V2, 3);
	expect_in_turn("1", "2");
	finish();
}
END_TEST

/* Keeps a loop. */
struct keeper {
	struct inbox_item item;
	atomic_bool has_it;
	atomic_bool let_go;
};

static void
keep_loop(struct inbox_item *item)
{
	struct keeper *keeper = container_of(item, struct keeper, item);

	atomic_store(&keeper->has_it, true);
	while (!atomic_load(&keeper->let_go))
		sched_yield();
}

START_TEST(an_abort_that_comes_while_the_canary_fails_gets_what_it_wants)
{
	struct keeper keeper = {.item.run = keep_loop};
	struct call die = {.order = "die"};

	begin(1);
	start_first(V1, 1);
	try_half(V2, 2);
	expect_order("a", "version", BAY_OK, "1");
	begin_call(&die, 0, "a");
	while (!atomic_load(&die.done))
		sched_yield();
	/* Its failure is on the way to us; and then it cannot end before the keeper lets it. */
	loop_wait(&control, INT64_MAX);
	loop_post(&executor_scheduler(executor, 0)->loop, &keeper.item);
	while (!atomic_load(&keeper.has_it))
		sched_yield();
	turn();
	host_abort(host, "a", 0, on_done, ++last_id);
	ck_assert_msg(!answers[last_id].came, "%s", answers[last_id].message);
	atomic_store(&keeper.let_go, true);
	ck_assert_int_eq(wait_for(last_id).status, BAY_OK);
	ck_assert_int_eq(failed.times, 1);
	ck_assert_int_eq(give_up(0).status, BAY_NOT_FOUND);
	expect_in_turn("1", "1");
	finish();
}
END_TEST

START_TEST(a_failure_beside_a_canary_ends_both)
{
	begin(1);
	start_first(V1, 1);
	try_half(V2, 2);
	expect_order("a", "die", BAY_OK, "1");
	UNTIL(failed.times == 1);
	ck_assert_int_eq(failed.generation, 1);
	UNTIL(!is_loaded(V1) && !is_loaded(V2));
	finish();
}
END_TEST

START_TEST(the_state_goes_over_when_both_have_ended_their_requests)
{
	struct gate gate;
	struct call sleeper = {.order = gate.order};
	struct answer answer;

	gate_init(&gate);
	begin(1);
	start_drain_ns = 100 * BAY_SECOND;
	start_first(TEST_PLUGIN("swaps_state_1"), 1);
	try_half(TEST_PLUGIN("swaps_state_2"), 2);
	expect_order("a", "count", BAY_OK, "1 1");
	expect_order("a", "count", BAY_OK, "2 1");
	expect_order("a", "count", BAY_OK, "1 2");
	begin_call(&sleeper, 0, "a");
	UNTIL(in_flight() == 1);
	host_promote(host, &(struct cell_promote){.service = "a", .keep = start_keeps}, on_done, ++last_id);
	gate_open(&gate);
	ck_assert_int_eq(wait_for(last_id).status, BAY_OK);
	ck_assert(atomic_load(&sleeper.done));
	ck_assert_str_eq(sleeper.text, "2");
	ck_assert_str_eq(stages, "liho");
	expect_order("a", "count", BAY_OK, "2 3");
	/* Back it cannot go: the canary ends, and what served goes on. */
	try_half(TEST_PLUGIN("swaps_state_1"), 3);
	expect_order("a", "count", BAY_OK, "2 4");
	expect_order("a", "count", BAY_OK, "1 1");
	answer = promote();
	ck_assert_msg(answer.status != BAY_OK && strstr(answer.message, "import_state failed") != NULL, "%s",
		answer.message);
	expect_order("a", "count", BAY_OK, "2 5");
	expect_order("a", "count", BAY_OK, "2 6");
	UNTIL(!is_loaded(TEST_PLUGIN("swaps_state_1")));
	finish();
	temp_dir_finish(&gate.dir);
}
END_TEST

START_TEST(a_stop_ends_the_canary_too)
{
	struct call sleepers[2] = {{.order = "sleep 50000000000"}, {.order = "sleep 50000000000"}};

	begin(1);
	start_first(V1, 1);
	try_half(V2, 2);
	for (int i = 0; i < 2; i++)
		begin_call(&sleepers[i], 0, "a");
	UNTIL(in_flight() == 2);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	for (int i = 0; i < 2; i++) {
		join_call(&sleepers[i]);
		ck_assert_int_eq(sleepers[i].status, BAY_CANCELED);
	}
	ck_assert(!is_loaded(V1));
	ck_assert(!is_loaded(V2));
	finish();
}
END_TEST

START_TEST(a_canary_that_does_not_begin_leaves_what_serves)
{
	begin(1);
	start_first(V1, 1);
	start_canary = 50;
	swap_in_vain(TEST_PLUGIN("swaps_init_fails"), 2, BAY_FAILED, "this version does not start");
	swap_in_vain(TEST_PLUGIN("swaps_no_handler"), 3, BAY_INVALID, "it has no handler");
	expect_in_turn("1", "1");
	finish();
	begin(1);
	start_first(TEST_PLUGIN("swaps_no_handler"), 1);
	start_canary = 50;
	swap_in_vain(V2, 2, BAY_INVALID, "has no handler: reload without a canary");
	finish();
}
END_TEST

CHECK_MAIN("cell/hosted",
	a_swap_puts_new_code_in_the_place_of_the_old_which_goes,
	what_is_in_flight_ends_with_the_old_code_and_what_is_queued_gets_the_new,
	what_does_not_end_within_the_drain_is_cancelled_with_the_reason_swap,
	messages_to_be_sent_later_are_sent_by_the_successor,
	static_memory_of_the_same_image_is_not_shared,
	services_of_one_image_do_not_linger_for_each_other,
	swaps_leave_nothing_behind,
	the_state_goes_over_where_both_can,
	no_request_is_in_flight_when_the_state_goes_over,
	a_request_that_does_not_end_keeps_the_state_and_the_old_code,
	a_function_that_has_not_come_back_is_not_called_again,
	what_fails_leaves_the_old_code_as_it_was,
	a_failure_of_the_old_code_while_the_new_takes_the_route_is_no_failure_of_the_service,
	there_is_one_swap_at_a_time_and_none_of_what_is_not_there,
	a_stop_ends_the_swap_and_then_all_of_it,
	what_is_kept_gets_the_route_back_as_it_was,
	what_acts_by_itself_is_not_kept,
	what_is_kept_ends_with_the_service,
	code_that_stays_is_told_of_with_its_reason,
	what_refuses_to_end_lingers_until_it_has,
	a_canary_has_its_share_until_it_is_promoted,
	what_a_canary_replaces_is_kept_if_that_is_wanted,
	a_canary_that_is_given_up_finishes_what_it_has,
	a_canary_that_fails_is_given_up_and_the_watcher_is_told,
	an_abort_that_comes_while_the_canary_fails_gets_what_it_wants,
	a_failure_beside_a_canary_ends_both,
	the_state_goes_over_when_both_have_ended_their_requests,
	a_stop_ends_the_canary_too,
	a_canary_that_does_not_begin_leaves_what_serves)
