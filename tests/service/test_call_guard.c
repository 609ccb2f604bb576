/* SPDX-License-Identifier: BSD-2-Clause */
/* What is before calls, through calls that are made: what is counted, and what is refused. */
#include "config.h"

#include "service/call_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/task.h"
#include "support/services.h"

#define HOUR (3600 * BAY_SECOND)

/* So that no test depends on how long it takes: what is counted stays, and what is open too. */
static const struct call_guard_limits limits = {.breaker = {.percent = 50, .calls = 4, .window_ns = HOUR,
	.delay_ns = HOUR, .trials = 1}};
/* The same, but the next call is a trial. */
static const struct call_guard_limits brief = {.breaker = {.percent = 50, .calls = 4, .window_ns = HOUR,
	.delay_ns = 1, .trials = 1}};

/* Counts only. */
static const struct call_guard_limits patient = {.breaker = {.percent = 50, .calls = 100000, .window_ns = HOUR,
	.delay_ns = HOUR, .trials = 1}};

static atomic_int handled;
static char told[128];

static void
on_changed(struct bay_service *service, const struct breaker_view *view, const char *text)
{
	ck_assert_ptr_nonnull(service);
	ck_assert_str_ne(text, "");
	if (strlen(told) + 1 < sizeof told)
		strncat(told, &"COH"[view->state], 1);
}

/* "fail N": with that status, "wait", or anything else. */
static int
obey(struct bay_request *request)
{
	const char *text = bay_request_text(request);

	handled++;
	if (strncmp(text, "fail ", 5) == 0)
		return bay_fail(request, atoi(text + 5), "as told");
	if (strcmp(text, "return") == 0)
		return BAY_IO;
	if (strcmp(text, "wait") == 0)
		return bay_sleep(1000 * BAY_SECOND);
	return bay_reply_text(request, text);
}

static int
yield_and_obey(struct bay_request *request)
{
	int status = bay_yield();

	return status != BAY_OK ? status : obey(request);
}

/* The ways that calls go. */
static const struct bay_plugin *const leaf = PLUGIN(.handle = obey, .flags = BAY_LEAF);
static const struct bay_plugin *const eager = PLUGIN(.handle = obey);
static const struct bay_plugin *const parks = PLUGIN(.handle = yield_and_obey);

static void
guard(struct bay_service *service, const struct call_guard_limits *with)
{
	call_guard_set(service, with, services_page(), service->slot, on_changed);
	for (unsigned i = 0; i < SERVICE_LOOPS_MAX; i++) {
		if (service->instances[i] != NULL)
			instance_see_guard(service->instances[i]);
	}
}

static struct bay_service *
begin(const struct bay_plugin *plugin, const struct call_guard_limits *with)
{
	struct bay_service *service;

	services_begin(0);
	service = services_start(&(struct service_options){.name = "callee", .plugin = plugin});
	guard(service, with);
	return service;
}

/* What has been counted. */
static void
expect_counts(struct bay_service *service, uint64_t calls, uint64_t bad)
{
	struct breaker *breaker = service->guard->breaker;
	struct call_counts sum = {0};

	for (unsigned i = 0; i < breaker->column_count; i++)
		call_window_sum(&breaker->columns[i], &breaker->scale, bay_now(), &sum);
	ck_assert_uint_eq(sum.calls, calls);
	ck_assert_uint_eq(sum.bad, bad);
}

static int
fail_until_it_is_open(void *arg)
{
	services_expect_text(arg, "x", BAY_OK, "x");
	services_expect_text(arg, "y", BAY_OK, "y");
	services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	expect_counts(arg, 3, 1);
	ck_assert_str_eq(told, "");
	services_expect_text(arg, "return", BAY_IO, NULL);
	ck_assert_str_eq(told, "O");
	ck_assert_int_eq(handled, 4);
	services_expect_text(arg, "x", BAY_CLOSED, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "calls to service callee are refused, since 50% of 4 calls "
		"failed (breaker = 50%): next try in "));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "[breaker-open]"));
	return BAY_OK;
}

START_TEST(failures_open_it_whichever_way_the_calls_go)
{
	const struct bay_plugin *const plugins[] = {leaf, eager, parks};

	for (unsigned i = 0; i < 3; i++) {
		struct bay_service *service = begin(plugins[i], &limits);

		told[0] = '\0';
		handled = 0;
		ck_assert_int_eq(services_run(fail_until_it_is_open, service), BAY_OK);
		ck_assert_int_eq(handled, 4);
		ck_assert_uint_eq(services_figures(service).breaker_refused, 1);
		services_end();
	}
}
END_TEST

static int
make_mistakes(void *arg)
{
	static const int mistakes[] = {BAY_INVALID, BAY_NOT_FOUND, BAY_NOT_PERMITTED, BAY_TOO_BIG, BAY_LOOP, BAY_FULL,
		BAY_BUSY};
	char text[16];

	for (unsigned i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		snprintf(text, sizeof text, "fail %d", mistakes[i]);
		services_expect_text(arg, text, mistakes[i], NULL);
	}
	services_expect_text(arg, "fail 3", BAY_CANCELED, NULL);
	/* That one says nothing, and the others that the service is there. */
	expect_counts(arg, 7, 0);
	return BAY_OK;
}

START_TEST(a_mistake_of_the_caller_is_no_failure)
{
	const struct bay_plugin *const plugins[] = {leaf, eager};

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(services_run(make_mistakes, begin(plugins[i], &limits)), BAY_OK);
		services_end();
	}
}
END_TEST

START_TEST(what_the_container_says_is_a_failure_if_the_service_is_slow_or_dead)
{
	ck_assert_int_eq(call_guard_outcome(BAY_OK, false), BREAKER_WELL);
	ck_assert_int_eq(call_guard_outcome(BAY_TIMEOUT, false), BREAKER_FAILED);
	ck_assert_int_eq(call_guard_outcome(BAY_PEER_DIED, false), BREAKER_FAILED);
	ck_assert_int_eq(call_guard_outcome(BAY_NO_MEMORY, false), BREAKER_FAILED);
	ck_assert_int_eq(call_guard_outcome(BAY_CLOSED, false), BREAKER_IGNORED);
	ck_assert_int_eq(call_guard_outcome(BAY_FULL, false), BREAKER_IGNORED);
	ck_assert_int_eq(call_guard_outcome(BAY_LOOP, false), BREAKER_IGNORED);
	ck_assert_int_eq(call_guard_outcome(BAY_CLOSED, true), BREAKER_FAILED);
	ck_assert_int_eq(call_guard_outcome(1000, true), BREAKER_FAILED);
	ck_assert_int_eq(call_guard_outcome(-1, true), BREAKER_FAILED);
}
END_TEST

static struct bay_task *
start_call(struct bay_service *service, const char *text)
{
	struct bay_message *order = bay_message(text, strlen(text));
	struct bay_task *call = bay_call_start(service, order);

	ck_assert_ptr_nonnull(call);
	bay_message_free(order);
	return call;
}

static int
call_in_vain(void *arg)
{
	struct bay_message *order = bay_message("wait", 4);

	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(bay_call(arg, order, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
		expect_counts(arg, (uint64_t)i, (uint64_t)i);
	}
	bay_message_free(order);
	/* All of them come home some time, and are not counted again. */
	while (services_figures(arg).in_flight > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	expect_counts(arg, 3, 3);
	return BAY_OK;
}

START_TEST(a_call_that_takes_too_long_has_failed_once)
{
	const struct bay_plugin *const plugins[] = {eager, parks};

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(services_run(call_in_vain, begin(plugins[i], &limits)), BAY_OK);
		services_end();
	}
}
END_TEST

static int
cancel_calls(void *arg)
{
	for (int i = 0; i < 4; i++) {
		struct bay_task *call = start_call(arg, "wait");

		bay_task_cancel(call, "enough");
		ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	}
	while (services_figures(arg).in_flight > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	expect_counts(arg, 0, 0);
	return BAY_OK;
}

START_TEST(a_call_that_its_caller_gives_up_says_nothing)
{
	ck_assert_int_eq(services_run(cancel_calls, begin(eager, &limits)), BAY_OK);
	services_end();
}
END_TEST

static int
start_while_it_is_open(void *arg)
{
	struct bay_message *order = bay_message("x", 1);

	for (int i = 0; i < 4; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	handled = 0;
	ck_assert_int_eq(bay_join(start_call(arg, "x"), BAY_INHERIT), BAY_CLOSED);
	ck_assert_int_eq(handled, 0);
	/* Nobody waits for what goes one way. */
	ck_assert_int_eq(bay_send(arg, order, BAY_INHERIT), BAY_OK);
	bay_message_free(order);
	while (handled == 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	expect_counts(arg, 4, 4);
	return BAY_OK;
}

START_TEST(calls_that_are_started_are_refused_and_what_goes_one_way_is_not)
{
	ck_assert_int_eq(services_run(start_while_it_is_open, begin(eager, &limits)), BAY_OK);
	services_end();
}
END_TEST

static int
fail_and_try(void *arg)
{
	for (int i = 0; i < 4; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	ck_assert_str_eq(told, "O");
	services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	ck_assert_str_eq(told, "OHO");
	/* That was no failure of the service, but of who asked: all is well. */
	services_expect_text(arg, "fail 8", BAY_INVALID, NULL);
	ck_assert_str_eq(told, "OHOHC");
	services_expect_text(arg, "x", BAY_OK, "x");
	expect_counts(arg, 1, 0);
	return BAY_OK;
}

START_TEST(trials_are_calls_and_decide)
{
	const struct bay_plugin *const plugins[] = {leaf, eager, parks};

	for (unsigned i = 0; i < 3; i++) {
		struct bay_service *service = begin(plugins[i], &brief);

		told[0] = '\0';
		ck_assert_int_eq(services_run(fail_and_try, service), BAY_OK);
		ck_assert_uint_eq(services_figures(service).breaker_opened, 2);
		services_end();
	}
}
END_TEST

static int
fail_again_and_again(void *arg)
{
	for (int i = 0; i < 4 + 100; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	services_expect_text(arg, "x", BAY_OK, "x");
	return BAY_OK;
}

START_TEST(of_trials_that_fail_again_and_again_only_some_are_told)
{
	struct bay_service *service = begin(eager, &brief);

	told[0] = '\0';
	ck_assert_int_eq(services_run(fail_again_and_again, service), BAY_OK);
	ck_assert_uint_eq(services_figures(service).breaker_opened, 101);
	ck_assert_int_eq(told[0], 'O');
	ck_assert_int_eq(told[strlen(told) - 1], 'C');
	ck_assert_uint_le(strlen(told), 100);
	services_end();
}
END_TEST

static int
try_and_give_up(void *arg)
{
	struct bay_task *call;

	for (int i = 0; i < 4; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	call_guard_set(arg, &brief, services_page(), ((struct bay_service *)arg)->slot, on_changed);
	/* The delay in which it was opened still holds. */
	services_expect_text(arg, "x", BAY_CLOSED, NULL);
	call_guard_reset(arg);
	for (int i = 0; i < 4; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	call_guard_set(arg, &limits, services_page(), ((struct bay_service *)arg)->slot, on_changed);
	call = start_call(arg, "wait");
	services_expect_text(arg, "x", BAY_CLOSED, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "are refused while some others try it"));
	bay_task_cancel(call, "enough");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	services_expect_text(arg, "x", BAY_OK, "x");
	while (services_figures(arg).in_flight > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

START_TEST(a_trial_that_is_given_up_leaves_its_place_to_another)
{
	ck_assert_int_eq(services_run(try_and_give_up, begin(eager, &limits)), BAY_OK);
	ck_assert_str_eq(told, "OCOHC");
	services_end();
}
END_TEST

static int
call_without(void *arg)
{
	for (int i = 0; i < 10; i++)
		services_expect_text(arg, "fail 1", BAY_FAILED, NULL);
	expect_counts(arg, 0, 0);
	return BAY_OK;
}

START_TEST(without_a_breaker_a_leaf_is_called_as_ever)
{
	static const struct call_guard_limits none = {.breaker = {.calls = 1, .window_ns = 1, .delay_ns = 1, .trials = 1}};
	struct bay_service *service = begin(leaf, &none);

	ck_assert(service->instances[0]->leaf_direct);
	ck_assert(!service->instances[0]->watched);
	ck_assert_int_eq(services_run(call_without, service), BAY_OK);
	guard(service, &limits);
	ck_assert(!service->instances[0]->leaf_direct);
	ck_assert(service->instances[0]->watched);
	guard(service, &none);
	ck_assert(service->instances[0]->leaf_direct);
	services_end();
}
END_TEST

static int
call_500_times(void *arg)
{
	for (int i = 0; i < 500; i++)
		services_expect_text(arg, i % 4 == 0 ? "fail 1" : "x", i % 4 == 0 ? BAY_FAILED : BAY_OK, NULL);
	return BAY_OK;
}

/* With calls of other tasks of each loop. */
static int
call_and_be_called(void *arg)
{
	struct bay_service *service = arg;
	struct bay_task *calls[4];

	if (service->instances[scheduler_here->index] != NULL)
		instance_see_guard(service->instances[scheduler_here->index]);
	for (int i = 0; i < 4; i++)
		calls[i] = start_call(arg, "x");
	(void)call_500_times(arg);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

START_TEST(calls_from_several_loops_are_added_up)
{
	const struct bay_plugin *const plugins[] = {leaf, eager, parks};

	for (unsigned i = 0; i < 3; i++) {
		struct services_job *jobs[2];
		struct bay_service *service;

		services_begin(2);
		service = services_start(&(struct service_options){.name = "callee", .plugin = plugins[i],
			.loops = i == 2 ? 1 : (uint64_t)SERVICES_ALL_LOOPS});
		call_guard_set(service, &patient, services_page(), service->slot, on_changed);
		for (unsigned j = 0; j < 2; j++)
			jobs[j] = services_go(j, call_and_be_called, service);
		for (unsigned j = 0; j < 2; j++)
			ck_assert_int_eq(services_join(jobs[j]), BAY_OK);
		expect_counts(service, 1008, 250);
		services_end();
	}
}
END_TEST

static int
fail_until_it_is_refused(void *arg)
{
	struct bay_service *service = arg;
	struct bay_message *order = bay_message("fail 1", 6);
	int status = BAY_FAILED;

	if (service->instances[scheduler_here->index] != NULL)
		instance_see_guard(service->instances[scheduler_here->index]);
	while (status == BAY_FAILED)
		status = bay_call(service, order, NULL, BAY_INHERIT);
	bay_message_free(order);
	ck_assert_int_eq(status, BAY_CLOSED);
	return BAY_OK;
}

START_TEST(it_opens_once_for_all_loops)
{
	const struct bay_plugin *const plugins[] = {leaf, eager, parks};

	for (unsigned i = 0; i < 3; i++) {
		struct services_job *jobs[4];
		struct bay_service *service;

		services_begin(4);
		service = services_start(&(struct service_options){.name = "callee", .plugin = plugins[i],
			.loops = i == 2 ? 1 : (uint64_t)SERVICES_ALL_LOOPS});
		told[0] = '\0';
		call_guard_set(service, &limits, services_page(), service->slot, on_changed);
		for (unsigned j = 0; j < 4; j++)
			jobs[j] = services_go(j, fail_until_it_is_refused, service);
		for (unsigned j = 0; j < 4; j++)
			ck_assert_int_eq(services_join(jobs[j]), BAY_OK);
		ck_assert_str_eq(told, "O");
		ck_assert_uint_eq(services_figures(service).breaker_refused, 4);
		services_end();
	}
}
END_TEST

CHECK_MAIN("service/call_guard",
	failures_open_it_whichever_way_the_calls_go,
	a_mistake_of_the_caller_is_no_failure,
	what_the_container_says_is_a_failure_if_the_service_is_slow_or_dead,
	a_call_that_takes_too_long_has_failed_once,
	a_call_that_its_caller_gives_up_says_nothing,
	calls_that_are_started_are_refused_and_what_goes_one_way_is_not,
	trials_are_calls_and_decide,
	of_trials_that_fail_again_and_again_only_some_are_told,
	a_trial_that_is_given_up_leaves_its_place_to_another,
	without_a_breaker_a_leaf_is_called_as_ever,
	calls_from_several_loops_are_added_up,
	it_opens_once_for_all_loops)
