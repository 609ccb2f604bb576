/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Also tests service_control, service_steps, service_waiters, service_table and
 * cell_process, which the supervisor is made of. Cells are support/fake_cell, which obeys
 * orders; what real cells do is tested by system/.
 */
#include "config.h"

#include "master/supervisor.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "config/config_load.h"
#include "loop/signals.h"
#include "master/plugin_examination.h"
#include "master/service_control.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

#define MS(n) ((n) * (int64_t)CLOCK_NS_PER_MS)

static const struct program fake_cell = {.path = TOP_BUILDDIR "/tests/support/fake_cell"};
static const int child_signal = SIGCHLD;

struct world {
	struct temp_dir dir;
	struct event_base *base;
	struct signals *signals;
	struct config *config;
	struct supervisor_limits limits;
	struct supervisor *supervisor;
	bool started;
	char why[160];
	bool stopped;
	/* of the last wish and the last call */
	unsigned answers;
	enum bay_status status;
	char message[160];
};

/* --- what the supervisor calls ------------------------------------------------------- */

static void
on_started(const char *why, void *arg)
{
	struct world *world = arg;

	ck_assert(!world->started);
	world->started = true;
	snprintf(world->why, sizeof(world->why), "%s", why != NULL ? why : "");
}

static void
on_stopped(void *arg)
{
	struct world *world = arg;

	ck_assert(!world->stopped);
	world->stopped = true;
}

static void
on_signal(int number, void *arg)
{
	struct world *world = arg;

	(void)number;
	supervisor_reap(world->supervisor);
}

static void
on_done(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct world *world = arg;

	(void)service;
	world->answers++;
	world->status = status;
	snprintf(world->message, sizeof(world->message), "%s", message);
}

static void
on_reply(const struct cell_reply *reply, void *arg)
{
	on_done(NULL, reply->status, reply->message, arg);
}

/* --- a supervisor with two services, a and b -------------------------------------------- */

static struct plugin_image *
make_image(void)
{
	struct plugin_image *image = xcalloc(1, sizeof(*image));

	image->_refs = 1;
	image->generation = 1;
	image->image.fd = -1;
	image->image._dirfd = -1;
	image->image.path = xstrdup("/nowhere/a.1.so");
	image->image._name = xstrdup("a.1.so");
	image->source = xstrdup("/nowhere/a.so");
	image->version = xstrdup("1.0");
	return image;
}

/* orders: one line for each cell. keys: of both services. */
static void
open_world(struct world *world, const char *orders, const char *keys)
{
	const struct supervisor_watcher watcher = {.started = on_started, .stopped = on_stopped,
		.arg = world};
	struct supervisor_options options = {
		.cell = {.name = "main", .mode = "run", .program = &fake_cell, .loops = 2}};
	struct config_report report = {0};
	char *text = xasprintf("[container]\n[service a]\n%s\n[service b]\n%s\n", keys, keys);

	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	temp_dir_write(&world->dir, "orders", orders);
	/* A sanitizer would make an exit of what should be a crash. */
	setenv("TSAN_OPTIONS", "handle_segv=0", 1);
	setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	setenv("FAKE_CELL", temp_dir_path(&world->dir, "orders"), 1);
	ck_assert(config_load_memory(temp_dir_path(&world->dir, "bay.ini"), text, strlen(text),
		&world->config, &report));
	config_report_finish(&report);
	world->limits = (struct supervisor_limits){.setup_ns = MS(10000), .broken_ns = MS(50),
		.grace_ns = MS(50), .stop_ns = MS(50), .stop_now_ns = MS(50),
		.backoff = {.at_once = true, .first_ns = MS(20), .max_ns = MS(20),
			.reset_ns = MS(100000)}};
	world->base = event_base_new();
	signals_block(&child_signal, 1);
	world->signals = signals_watch(world->base, &child_signal, 1, on_signal, world);
	options.base = world->base;
	options.config = world->config;
	options.limits = &world->limits;
	world->supervisor = supervisor_create(&options, &watcher);
	supervisor_set_image(world->supervisor, 0, make_image(), NULL);
	supervisor_set_image(world->supervisor, 1, make_image(), NULL);
	free(text);
}

static void
start(struct world *world)
{
	struct buffer error = {0};

	ck_assert_msg(supervisor_start(world->supervisor, &error), "%s", buffer_text(&error));
	buffer_finish(&error);
}

static void
close_world(struct world *world)
{
	supervisor_destroy(world->supervisor);
	signals_destroy(world->signals);
	event_base_free(world->base);
	config_destroy(world->config);
	temp_dir_finish(&world->dir);
}

/* Runs events until condition holds; the test's own time limit ends what never does. */
#define UNTIL(world, condition) \
	while (!(condition)) \
		event_base_loop((world)->base, EVLOOP_ONCE)

static struct master_service *
service(const struct world *world, const char *name)
{
	return supervisor_find(world->supervisor, name);
}

static bool
is(const struct world *world, const char *name, enum service_state state)
{
	return service(world, name)->state == state;
}

static void
start_and_wait(struct world *world)
{
	start(world);
	UNTIL(world, world->started);
	ck_assert_str_eq(world->why, "");
}

/* A Call that makes the cell crash in the service of this slot. */
static void
crash(struct world *world, int slot)
{
	world->answers = 0;
	cell_process_call(supervisor_process(world->supervisor), CELL_CALL,
		json_pack("{s:i}", "slot", slot), -1, 0, on_reply, world);
	UNTIL(world, world->answers > 0);
}

/* --- the start ---------------------------------------------------------------------------- */

START_TEST(services_are_ready_when_it_has_started)
{
	struct supervisor_cell_view cell;
	struct world world;

	open_world(&world, "", "");
	start_and_wait(&world);
	ck_assert(is(&world, "a", SERVICE_READY) && is(&world, "b", SERVICE_READY));
	supervisor_view_cell(world.supervisor, &cell);
	ck_assert_str_eq(cell.state, "ready");
	ck_assert_int_gt(cell.pid, 0);
	close_world(&world);
}
END_TEST

START_TEST(a_disabled_service_is_not_started)
{
	struct world world;

	open_world(&world, "", "enabled = no");
	start_and_wait(&world);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	close_world(&world);
}
END_TEST

START_TEST(a_service_without_image_has_failed_with_the_reason)
{
	struct world world;

	open_world(&world, "", "");
	plugin_image_unref(service(&world, "a")->image);
	supervisor_set_image(world.supervisor, 0, NULL, "it is no plugin");
	start_and_wait(&world);
	ck_assert(is(&world, "a", SERVICE_FAILED) && is(&world, "b", SERVICE_READY));
	ck_assert_str_eq(service(&world, "a")->reason, "it is no plugin");
	close_world(&world);
}
END_TEST

START_TEST(a_program_that_cannot_be_executed_is_no_start)
{
	struct program nowhere = {.path = "/nowhere/bay-cell"};
	struct supervisor_options options = {
		.cell = {.name = "main", .mode = "run", .program = &nowhere, .loops = 1}};
	const struct supervisor_watcher watcher = {.started = on_started, .stopped = on_stopped};
	struct buffer error = {0};
	struct supervisor *supervisor;
	struct world world;

	open_world(&world, "", "");
	options.base = world.base;
	options.config = world.config;
	options.limits = &world.limits;
	supervisor = supervisor_create(&options, &watcher);
	ck_assert(!supervisor_start(supervisor, &error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "/nowhere/bay-cell"));
	buffer_finish(&error);
	supervisor_destroy(supervisor);
	close_world(&world);
}
END_TEST

START_TEST(a_first_cell_that_dies_at_once_is_no_start)
{
	struct world world;

	open_world(&world, "die\n", "");
	start(&world);
	UNTIL(&world, world.started);
	ck_assert_str_eq(world.why, "cell main ended the process with exit code 9");
	close_world(&world);
}
END_TEST

START_TEST(a_first_cell_that_refuses_is_no_start)
{
	static const char *const orders[] = {"setup=refuse\n", "setup=rubbish\n", "setup=close\n"};

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct world world;

		open_world(&world, orders[i], "");
		start(&world);
		UNTIL(&world, world.started);
		ck_assert_str_eq(world.why, "cell main was killed by SIGKILL");
		close_world(&world);
	}
}
END_TEST

START_TEST(a_silent_first_cell_is_no_start)
{
	struct world world;

	open_world(&world, "setup=silent\n", "");
	world.limits.setup_ns = MS(50);
	start(&world);
	UNTIL(&world, world.started);
	ck_assert_str_eq(world.why, "cell main was killed by SIGKILL");
	close_world(&world);
}
END_TEST

/* --- deaths --------------------------------------------------------------------------------- */

START_TEST(a_killed_cell_is_replaced_at_once_and_then_after_a_wait)
{
	struct supervisor_cell_view cell;
	struct world world;

	open_world(&world, "", "");
	start_and_wait(&world);
	for (uint64_t n = 1; n <= 3; n++) {
		cell_process_kill(supervisor_process(world.supervisor));
		UNTIL(&world, is(&world, "a", SERVICE_STARTING));
		supervisor_view_cell(world.supervisor, &cell);
		ck_assert_uint_eq(cell.restarts, n);
		ck_assert(n == 1 || cell.next_try_ns > clock_monotonic_ns());
		UNTIL(&world, is(&world, "a", SERVICE_READY) && is(&world, "b", SERVICE_READY));
	}
	ck_assert_uint_eq(service(&world, "a")->restarts, 3);
	close_world(&world);
}
END_TEST

START_TEST(a_later_cell_that_refuses_is_tried_again)
{
	struct world world;

	open_world(&world, "\nsetup=refuse\nsetup=close\nsetup=rubbish\ndie\n", "");
	start_and_wait(&world);
	cell_process_kill(supervisor_process(world.supervisor));
	UNTIL(&world, is(&world, "a", SERVICE_STARTING));
	UNTIL(&world, is(&world, "a", SERVICE_READY));
	ck_assert_uint_eq(service(&world, "a")->restarts, 1);
	close_world(&world);
}
END_TEST

START_TEST(the_culprit_waits_and_the_other_does_not)
{
	struct world world;

	open_world(&world, "call=crash\n", "restart_delay = 1h");
	start_and_wait(&world);
	crash(&world, 0);
	ck_assert_int_eq(world.status, BAY_PEER_DIED);
	ck_assert_ptr_nonnull(strstr(world.message, "crashed: SIGSEGV in service a"));
	ck_assert(is(&world, "a", SERVICE_FAILED));
	ck_assert_int_gt(service(&world, "a")->next_try_ns, 0);
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	ck_assert(is(&world, "a", SERVICE_FAILED));
	close_world(&world);
}
END_TEST

START_TEST(the_culprit_is_started_again_after_its_delay)
{
	struct world world;

	open_world(&world, "call=crash\n", "restart_delay = 1ms");
	start_and_wait(&world);
	crash(&world, 1);
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	ck_assert_uint_eq(service(&world, "b")->restarts, 1);
	close_world(&world);
}
END_TEST

START_TEST(the_culprit_is_given_up_at_its_limit)
{
	struct world world;

	open_world(&world, "call=crash\ncall=crash\n", "restart_delay = 1ms\nstart_limit = 2/1m");
	start_and_wait(&world);
	crash(&world, 0);
	UNTIL(&world, is(&world, "a", SERVICE_READY) && is(&world, "b", SERVICE_READY));
	crash(&world, 0);
	ck_assert(is(&world, "a", SERVICE_FAILED));
	ck_assert_int_eq(service(&world, "a")->next_try_ns, 0);
	ck_assert_ptr_nonnull(strstr(service(&world, "a")->reason,
		"given up after 2 failures within 1m (start_limit)"));
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(restart_no_keeps_the_culprit_down)
{
	struct world world;

	open_world(&world, "call=crash\n", "restart = no");
	start_and_wait(&world);
	crash(&world, 0);
	ck_assert(is(&world, "a", SERVICE_FAILED));
	ck_assert_int_eq(service(&world, "a")->next_try_ns, 0);
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_crash_in_init_fails_its_service_for_good)
{
	struct world world;

	open_world(&world, "start=crash\nstart=crash\n", "restart_delay = 1ms");
	start_and_wait(&world);
	ck_assert(is(&world, "a", SERVICE_FAILED) && is(&world, "b", SERVICE_FAILED));
	ck_assert_str_eq(service(&world, "a")->reason, "init crashed: SIGSEGV");
	ck_assert_int_eq(service(&world, "a")->next_try_ns, 0);
	close_world(&world);
}
END_TEST

START_TEST(an_init_that_hangs_is_found_among_all_that_wait_for_it)
{
	struct world world;

	/* b hangs, and a, which has the shorter time, is not to blame. */
	open_world(&world, "start=hang:b start=\n", "start_timeout = 20ms");
	start(&world);
	UNTIL(&world, world.started);
	ck_assert(is(&world, "b", SERVICE_FAILED));
	ck_assert_str_eq(service(&world, "b")->reason, "init hung for 20ms");
	ck_assert(is(&world, "a", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(an_init_that_is_refused_is_tried_again_until_the_limit)
{
	struct world world;

	open_world(&world, "start=refuse\n", "restart_delay = 1ms\nstart_limit = 3/1m");
	start_and_wait(&world);
	UNTIL(&world, service(&world, "a")->next_try_ns == 0 && is(&world, "a", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(service(&world, "a")->reason, "no such luck"));
	ck_assert_ptr_nonnull(strstr(service(&world, "a")->reason, "given up after 3"));
	ck_assert_uint_eq(service(&world, "a")->restarts, 2);
	close_world(&world);
}
END_TEST

START_TEST(a_service_that_gives_up_by_itself_is_started_again)
{
	struct world world;

	open_world(&world, "start=give-up\n", "restart_delay = 1ms\nstart_limit = 3/1m");
	start_and_wait(&world);
	UNTIL(&world, service(&world, "a")->next_try_ns == 0 && is(&world, "a", SERVICE_FAILED) &&
		service(&world, "a")->restarts == 2);
	ck_assert_ptr_nonnull(strstr(service(&world, "a")->reason, "it gave up"));
	close_world(&world);
}
END_TEST

/* --- stops ------------------------------------------------------------------------------------ */

START_TEST(a_stopped_service_stays_stopped_in_the_next_cell)
{
	struct world world;

	open_world(&world, "", "");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	cell_process_kill(supervisor_process(world.supervisor));
	UNTIL(&world, is(&world, "b", SERVICE_STARTING));
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	close_world(&world);
}
END_TEST

START_TEST(a_cell_that_dies_has_stopped_what_it_was_to_stop)
{
	struct world world;

	open_world(&world, "stop=silent\n", "drain_timeout = 1h");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	cell_process_kill(supervisor_process(world.supervisor));
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	close_world(&world);
}
END_TEST

START_TEST(a_stop_that_is_not_answered_is_told_and_goes_on)
{
	struct world world;

	open_world(&world, "stop=silent\n", "drain_timeout = 1ms");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_TIMEOUT);
	ck_assert(is(&world, "a", SERVICE_STOPPING));
	service_control_start(service(&world, "a"), on_done, &world);
	ck_assert_uint_eq(world.answers, 2);
	ck_assert_int_eq(world.status, BAY_BUSY);
	/* In a hurry it costs the cell, and the other service goes on. */
	service_control_stop(service(&world, "a"), true, on_done, &world);
	UNTIL(&world, world.answers == 3);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_stop_that_is_refused_is_told_and_now_costs_the_cell)
{
	struct world world;

	open_world(&world, "stop=refuse\n", "");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_BUSY);
	ck_assert_ptr_nonnull(strstr(world.message, "3 tasks go on"));
	ck_assert(is(&world, "a", SERVICE_STOPPING));
	service_control_stop(service(&world, "a"), true, on_done, &world);
	UNTIL(&world, world.answers == 2);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_stop_that_drains_can_be_hurried_and_costs_no_cell)
{
	struct world world;
	const struct cell_process *cell;

	open_world(&world, "stop=drain\n", "drain_timeout = 1h");
	start_and_wait(&world);
	cell = supervisor_process(world.supervisor);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	ck_assert_int_eq(world.answers, 0);
	service_control_stop(service(&world, "a"), true, on_done, &world);
	service_control_stop(service(&world, "a"), true, on_done, &world);
	UNTIL(&world, world.answers == 4);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	ck_assert_ptr_eq(supervisor_process(world.supervisor), cell);
	ck_assert(is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_stop_that_was_refused_may_be_asked_for_again)
{
	struct world world;

	open_world(&world, "stop=refuse-once\n", "");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_BUSY);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	UNTIL(&world, world.answers == 2);
	ck_assert_int_eq(world.status, BAY_OK);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	ck_assert(is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_stop_while_it_starts_ends_the_wish_to_start)
{
	struct world world;

	open_world(&world, "", "");
	start(&world);
	service_control_start(service(&world, "a"), on_done, &world);
	service_control_stop(service(&world, "a"), false, NULL, NULL);
	UNTIL(&world, world.answers == 1);
	ck_assert_int_eq(world.status, BAY_CANCELED);
	UNTIL(&world, is(&world, "a", SERVICE_STOPPED));
	UNTIL(&world, is(&world, "b", SERVICE_READY));
	close_world(&world);
}
END_TEST

START_TEST(a_failed_service_that_is_stopped_is_not_tried_again)
{
	struct world world;

	open_world(&world, "call=crash\n", "restart_delay = 20ms");
	start_and_wait(&world);
	crash(&world, 0);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	ck_assert_int_eq(service(&world, "a")->next_try_ns, 0);
	ck_assert(!event_pending(service(&world, "a")->timer, EV_TIMEOUT, NULL));
	close_world(&world);
}
END_TEST

/* --- the end ----------------------------------------------------------------------------------- */

START_TEST(the_cell_ends_when_it_is_told)
{
	struct world world;

	open_world(&world, "", "");
	start_and_wait(&world);
	supervisor_stop(world.supervisor, false);
	ck_assert(is(&world, "a", SERVICE_STOPPING));
	UNTIL(&world, world.stopped);
	ck_assert(is(&world, "a", SERVICE_STOPPED));
	ck_assert_ptr_null(supervisor_process(world.supervisor));
	close_world(&world);
}
END_TEST

START_TEST(a_cell_that_does_not_end_is_killed)
{
	struct world world;

	open_world(&world, "shutdown=silent\n", "");
	world.config->container.drain_timeout_ns = MS(10);
	start_and_wait(&world);
	supervisor_stop(world.supervisor, false);
	UNTIL(&world, world.stopped);
	close_world(&world);
}
END_TEST

START_TEST(a_stop_in_a_hurry_does_not_wait_for_the_drain)
{
	struct world world;

	open_world(&world, "shutdown=silent\n", "");
	world.config->container.drain_timeout_ns = MS(3600 * 1000);
	start_and_wait(&world);
	supervisor_stop(world.supervisor, false);
	supervisor_stop(world.supervisor, true);
	UNTIL(&world, world.stopped);
	close_world(&world);
}
END_TEST

START_TEST(it_stops_while_no_cell_runs)
{
	struct world world;

	open_world(&world, "", "");
	start_and_wait(&world);
	/* The second cell in a row is not started at once. */
	for (int n = 0; n < 2; n++) {
		UNTIL(&world, is(&world, "a", SERVICE_READY));
		cell_process_kill(supervisor_process(world.supervisor));
		UNTIL(&world, is(&world, "a", SERVICE_STARTING));
	}
	ck_assert_ptr_null(supervisor_process(world.supervisor));
	supervisor_stop(world.supervisor, false);
	ck_assert(world.stopped);
	close_world(&world);
}
END_TEST

START_TEST(who_still_waits_at_the_end_is_answered)
{
	struct world world;

	open_world(&world, "stop=silent\n", "drain_timeout = 1h");
	start_and_wait(&world);
	service_control_stop(service(&world, "a"), false, on_done, &world);
	close_world(&world);
	ck_assert_uint_eq(world.answers, 1);
	ck_assert_int_eq(world.status, BAY_CLOSED);
}
END_TEST

CHECK_MAIN("master/supervisor",
	services_are_ready_when_it_has_started,
	a_disabled_service_is_not_started,
	a_service_without_image_has_failed_with_the_reason,
	a_program_that_cannot_be_executed_is_no_start,
	a_first_cell_that_dies_at_once_is_no_start,
	a_first_cell_that_refuses_is_no_start,
	a_silent_first_cell_is_no_start,
	a_killed_cell_is_replaced_at_once_and_then_after_a_wait,
	a_later_cell_that_refuses_is_tried_again,
	the_culprit_waits_and_the_other_does_not,
	the_culprit_is_started_again_after_its_delay,
	the_culprit_is_given_up_at_its_limit,
	restart_no_keeps_the_culprit_down,
	a_crash_in_init_fails_its_service_for_good,
	an_init_that_hangs_is_found_among_all_that_wait_for_it,
	an_init_that_is_refused_is_tried_again_until_the_limit,
	a_service_that_gives_up_by_itself_is_started_again,
	a_stopped_service_stays_stopped_in_the_next_cell,
	a_cell_that_dies_has_stopped_what_it_was_to_stop,
	a_stop_that_is_not_answered_is_told_and_goes_on,
	a_stop_that_is_refused_is_told_and_now_costs_the_cell,
	a_stop_that_drains_can_be_hurried_and_costs_no_cell,
	a_stop_that_was_refused_may_be_asked_for_again,
	a_stop_while_it_starts_ends_the_wish_to_start,
	a_failed_service_that_is_stopped_is_not_tried_again,
	the_cell_ends_when_it_is_told,
	a_cell_that_does_not_end_is_killed,
	a_stop_in_a_hurry_does_not_wait_for_the_drain,
	it_stops_while_no_cell_runs,
	who_still_waits_at_the_end_is_answered)
