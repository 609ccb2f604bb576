/* SPDX-License-Identifier: BSD-2-Clause */
/* Two instances on one loop that share what comes to it. */
#include "config.h"

#include "service/canary.h"

#include <string.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/services.h"

static struct bay_service *service;
static struct bay_instance *canary;
static char turns[200];
static int runs;
static bool let_go;

static int
say(struct bay_request *request, const char *who)
{
	strncat(turns, who, sizeof turns - strlen(turns) - 1);
	if (strcmp(bay_request_text(request), "wait") == 0)
		while (!let_go)
			ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	if (strcmp(bay_request_text(request), "fail") == 0)
		return bay_fail(request, BAY_FAILED, "as it was told");
	return bay_reply_text(request, who);
}

static int
say_old(struct bay_request *request)
{
	return say(request, "o");
}

static int
say_new(struct bay_request *request)
{
	return say(request, "n");
}

static int
count_run(struct bay_instance *instance)
{
	(void)instance;
	runs++;
	return BAY_OK;
}

static const struct bay_plugin *const old_plugin = PLUGIN(.handle = say_old);
static const struct bay_plugin *const new_plugin = PLUGIN(.handle = say_new, .run = count_run);
static const struct bay_plugin *const old_leaf = PLUGIN(.handle = say_old, .flags = BAY_LEAF);
static const struct bay_plugin *const new_leaf = PLUGIN(.handle = say_new, .flags = BAY_LEAF);

static struct bay_instance *
route(void)
{
	return service->instances[0];
}

/* Inside a task. */
static void
begin_canary(const struct bay_plugin *plugin, unsigned share)
{
	canary = instance_create(service, plugin, NULL, task_current()->scheduler, 0);
	ck_assert_ptr_nonnull(canary);
	ck_assert_int_eq(instance_init(canary), BAY_OK);
	ck_assert(canary_begin(canary, share));
}

static void
end_canary(struct bay_instance *instance)
{
	char *refusal = NULL;

	instance_drain_until(instance, bay_after(10 * BAY_SECOND));
	ck_assert_msg(instance_stop(instance, BAY_SECOND, &refusal), "%s", refusal);
	instance_destroy(instance);
}

static void
run(const struct bay_plugin *plugin, unsigned concurrency, bay_task_fn *fn)
{
	turns[0] = '\0';
	runs = 0;
	let_go = false;
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = plugin, .concurrency = concurrency});
	ck_assert_int_eq(services_run(fn, NULL), BAY_OK);
	services_end();
}

static struct status_service_view
figures_of_canary(void)
{
	struct status_service_view view;

	status_page_read_canary(services_page(), service->slot, &view);
	return view;
}

static void
call_times(int count)
{
	while (count-- > 0)
		ck_assert_int_eq(bay_call(service, NULL, NULL, BAY_INHERIT), BAY_OK);
}

/* --- the turn ------------------------------------------------------------------------------- */

static int
call_in_turn(void *arg)
{
	(void)arg;
	begin_canary(new_plugin, 10);
	ck_assert(!route()->direct);
	call_times(20);
	ck_assert_str_eq(turns, "ooooooooonooooooooon");
	ck_assert_uint_eq(figures_of_canary().served, 2);
	ck_assert_uint_eq(services_figures(service).served, 20);
	ck_assert_uint_eq(services_figures(service).direct, 20);
	ck_assert_uint_eq(services_figures(service).queued, 0);
	end_canary(canary);
	ck_assert(route()->direct);
	call_times(20);
	ck_assert_str_eq(turns + 20, "oooooooooooooooooooo");
	ck_assert_uint_eq(figures_of_canary().served, 2);
	return BAY_OK;
}

START_TEST(direct_calls_go_to_it_in_a_regular_turn)
{
	run(old_plugin, 0, call_in_turn);
}
END_TEST

static int
call_leaves(void *arg)
{
	(void)arg;
	begin_canary(new_leaf, 33);
	call_times(10);
	ck_assert_str_eq(turns, "ooonoonoon");
	end_canary(canary);
	return BAY_OK;
}

START_TEST(so_do_those_of_leaves)
{
	run(old_leaf, 0, call_leaves);
}
END_TEST

static int
send_in_turn(void *arg)
{
	int i;

	(void)arg;
	begin_canary(new_plugin, 25);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_OK);
	while (strlen(turns) < 100)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(turns[i], i % 4 == 3 ? 'n' : 'o');
	ck_assert_uint_eq(services_figures(service).queued, 100);
	ck_assert_uint_eq(figures_of_canary().served, 25);
	end_canary(canary);
	return BAY_OK;
}

START_TEST(what_is_taken_from_the_queue_goes_to_it_in_a_regular_turn)
{
	run(old_plugin, 0, send_in_turn);
}
END_TEST

static int
try_all_shares(void *arg)
{
	unsigned share;

	(void)arg;
	for (share = 1; share < 100; share++) {
		uint64_t before = figures_of_canary().served;

		begin_canary(new_plugin, share);
		call_times(150);
		ck_assert_uint_eq(figures_of_canary().served - before, 150 * share / 100);
		end_canary(canary);
	}
	return BAY_OK;
}

START_TEST(each_share_is_exact)
{
	run(old_plugin, 0, try_all_shares);
}
END_TEST

/* --- what it has in common with the other ------------------------------------------------------ */

static int
fill_both(void *arg)
{
	struct bay_message *order = bay_message("wait", 4);
	struct bay_task *calls[3];

	(void)arg;
	begin_canary(new_plugin, 50);
	for (int i = 0; i < 3; i++)
		calls[i] = bay_call_start(service, order);
	ck_assert_str_eq(turns, "on");
	ck_assert_uint_eq(route()->in_flight, 1);
	ck_assert_uint_eq(canary->in_flight, 1);
	ck_assert_uint_eq(figures_of_canary().in_flight, 1);
	ck_assert_uint_eq(services_figures(service).in_flight, 2);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_str_eq(turns, "on");
	ck_assert_uint_eq(service->queued, 1);
	let_go = true;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(turns, "ono");
	bay_message_free(order);
	end_canary(canary);
	return BAY_OK;
}

START_TEST(both_together_handle_no_more_than_one_may)
{
	run(old_plugin, 2, fill_both);
}
END_TEST

static int
fail_some(void *arg)
{
	struct bay_message *order = bay_message("fail", 4);

	(void)arg;
	begin_canary(new_plugin, 25);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(bay_call(service, order, NULL, BAY_INHERIT), BAY_FAILED);
	ck_assert_uint_eq(figures_of_canary().failed, 2);
	ck_assert_uint_eq(services_figures(service).failed, 8);
	ck_assert_uint_eq(services_figures(service).failed_replaced, 0);
	bay_message_free(order);
	end_canary(canary);
	return BAY_OK;
}

START_TEST(its_failures_are_counted_apart_and_for_the_service)
{
	run(old_plugin, 0, fail_some);
}
END_TEST

/* --- its end --------------------------------------------------------------------------------- */

static int
end_with_one_in_flight(void *arg)
{
	struct bay_message *order = bay_message("wait", 4);
	struct bay_task *call;

	(void)arg;
	begin_canary(new_plugin, 99);
	call_times(1);
	call = bay_call_start(service, order);
	ck_assert_str_eq(turns, "on");
	instance_hold(canary);
	ck_assert_ptr_null(route()->canary);
	call_times(5);
	ck_assert_str_eq(turns, "onooooo");
	ck_assert_uint_eq(figures_of_canary().in_flight, 0);
	ck_assert_uint_eq(services_figures(service).in_flight, 1);
	let_go = true;
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(figures_of_canary().served, 0);
	ck_assert_uint_eq(services_figures(service).served, 7);
	ck_assert_uint_eq(services_figures(service).in_flight, 0);
	bay_message_free(order);
	end_canary(canary);
	return BAY_OK;
}

START_TEST(what_it_has_in_flight_is_the_services_when_it_has_no_share)
{
	run(old_plugin, 0, end_with_one_in_flight);
}
END_TEST

static int
take_the_route(void *arg)
{
	struct bay_instance *old = route();

	(void)arg;
	begin_canary(new_plugin, 50);
	/* What was ready has had its turn then. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(runs, 1);
	call_times(3);
	ck_assert(instance_serve(canary));
	ck_assert_ptr_eq(route(), canary);
	ck_assert(route()->direct);
	ck_assert(old->replaced);
	call_times(3);
	ck_assert_str_eq(turns, "ononnn");
	/* What was ready has had its turn then. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(runs, 1);
	ck_assert_uint_eq(figures_of_canary().served, 1);
	end_canary(old);
	return BAY_OK;
}

START_TEST(it_may_take_the_route_and_has_run_already)
{
	run(old_plugin, 0, take_the_route);
}
END_TEST

static int
stop_the_other(void *arg)
{
	struct bay_instance *old = route();

	(void)arg;
	begin_canary(new_plugin, 50);
	end_canary(old);
	ck_assert(!canary->is_canary);
	ck_assert_ptr_null(route());
	end_canary(canary);
	return BAY_OK;
}

START_TEST(when_the_other_stops_it_is_none)
{
	run(old_plugin, 0, stop_the_other);
}
END_TEST

CHECK_MAIN("service/canary",
	direct_calls_go_to_it_in_a_regular_turn,
	so_do_those_of_leaves,
	what_is_taken_from_the_queue_goes_to_it_in_a_regular_turn,
	each_share_is_exact,
	both_together_handle_no_more_than_one_may,
	its_failures_are_counted_apart_and_for_the_service,
	what_it_has_in_flight_is_the_services_when_it_has_no_share,
	it_may_take_the_route_and_has_run_already,
	when_the_other_stops_it_is_none)
