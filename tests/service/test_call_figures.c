/* SPDX-License-Identifier: BSD-2-Clause */
/* What calls leave in the status page and in the caches of the thread, whichever way they go. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"
#include "runtime/task.h"
#include "service/message.h"
#include "support/services.h"

static struct bay_service *leaf, *eager, *queued;

/* The slot that the master would have seen while the handler ran. */
static uint32_t slot_seen;

static int
note_slot(struct bay_request *request)
{
	slot_seen = atomic_load(&scheduler_here->status->slot);
	return bay_reply_text(request, "noted");
}

static int
wait_until_cancelled(struct bay_request *request)
{
	(void)bay_sleep(1000 * BAY_SECOND);
	return bay_fail(request, BAY_CANCELED, "cancelled");
}

static const struct bay_plugin *const plugin = PLUGIN(.handle = note_slot);
static const struct bay_plugin *const leaf_plugin = PLUGIN(.handle = note_slot, .flags = BAY_LEAF);

static void
begin(void)
{
	services_begin(0);
	leaf = services_start(&(struct service_options){.name = "leaf", .plugin = leaf_plugin});
	eager = services_start(&(struct service_options){.name = "eager", .plugin = plugin});
	queued = services_start(&(struct service_options){.name = "queued", .plugin = plugin});
}

static uint64_t
samples(const struct bay_service *service, bool wait)
{
	struct status_histograms counts = {.latency = {.total = 0}};

	status_page_add_histograms(services_page(), service->slot, &counts);
	return wait ? counts.wait.total : counts.latency.total;
}

static int
call_200_times(void *arg)
{
	int i;

	for (i = 0; i < 200; i++)
		services_expect_text(arg, "x", BAY_OK, "noted");
	return BAY_OK;
}

/* Of direct calls one in 64 is measured, and all are counted. */
START_TEST(direct_calls_are_counted_all_and_measured_some)
{
	struct bay_service *services[2];
	int i;

	begin();
	services[0] = leaf;
	services[1] = eager;
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(services_run(call_200_times, services[i]), BAY_OK);
		ck_assert_uint_eq(services_figures(services[i]).direct, 200);
		ck_assert_uint_eq(services_figures(services[i]).served, 200);
		ck_assert_uint_eq(samples(services[i], false), (200 + INSTANCE_SAMPLE - 1) / INSTANCE_SAMPLE);
		ck_assert_uint_eq(samples(services[i], true), 0);
	}
	services_end();
}
END_TEST

static int
send_some(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 50; i++)
		ck_assert_int_eq(bay_send(queued, NULL, BAY_INHERIT), BAY_OK);
	while (services_figures(queued).served < 50)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

START_TEST(what_was_queued_is_counted_and_measured_all)
{
	begin();
	ck_assert_int_eq(services_run(send_some, NULL), BAY_OK);
	ck_assert_uint_eq(services_figures(queued).queued, 50);
	ck_assert_uint_eq(samples(queued, false), 50);
	ck_assert_uint_eq(samples(queued, true), 50);
	services_end();
}
END_TEST

static int
call_each(void *arg)
{
	struct bay_service *services[2] = {leaf, eager};
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		slot_seen = STATUS_NO_SLOT;
		services_expect_text(services[i], "x", BAY_OK, "noted");
		ck_assert_uint_eq(slot_seen, services[i]->slot);
		ck_assert_uint_eq(atomic_load(&scheduler_here->status->slot), task_current()->slot);
	}
	return BAY_OK;
}

START_TEST(who_runs_is_the_callee_and_then_the_caller_again)
{
	begin();
	ck_assert_uint_ne(leaf->slot, STATUS_NO_SLOT);
	ck_assert_int_eq(services_run(call_each, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
call_and_drop(void *arg)
{
	struct bay_service *services[2] = {leaf, eager};
	unsigned before;
	int i, j;

	(void)arg;
	for (i = 0; i < 2; i++) {
		/* The first may have to make one. */
		ck_assert_int_eq(bay_call(services[i], NULL, NULL, BAY_INHERIT), BAY_OK);
		before = message_cache.count;
		ck_assert_uint_ge(before, 1);
		for (j = 0; j < 3; j++)
			ck_assert_int_eq(bay_call(services[i], NULL, NULL, BAY_INHERIT), BAY_OK);
		ck_assert_uint_eq(message_cache.count, before);
	}
	return BAY_OK;
}

START_TEST(a_reply_that_nobody_wants_goes_back_to_the_cache)
{
	begin();
	ck_assert_int_eq(services_run(call_and_drop, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
cancel_a_call(void *arg)
{
	struct bay_task *call = bay_call_start(arg, NULL);

	ck_assert_ptr_nonnull(call);
	bay_task_cancel(call, "enough");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
	while (services_figures(arg).in_flight > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

START_TEST(what_was_cancelled_is_counted_as_such)
{
	struct bay_service *service;

	services_begin(0);
	service = services_start(&(struct service_options){.name = "waits",
		.plugin = PLUGIN(.handle = wait_until_cancelled)});
	ck_assert_int_eq(services_run(cancel_a_call, service), BAY_OK);
	ck_assert_uint_eq(services_figures(service).canceled, 1);
	ck_assert_uint_eq(services_figures(service).failed, 1);
	ck_assert_uint_eq(services_figures(service).timeouts, 0);
	services_end();
}
END_TEST

CHECK_MAIN("service/call: figures",
	direct_calls_are_counted_all_and_measured_some,
	what_was_queued_is_counted_and_measured_all,
	who_runs_is_the_callee_and_then_the_caller_again,
	a_reply_that_nobody_wants_goes_back_to_the_cache,
	what_was_cancelled_is_counted_as_such)
