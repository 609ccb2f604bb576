/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/master_service.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "support/check_main.h"

static const int64_t second = CLOCK_NS_PER_S;

static struct config_service config = {.name = (char *)"a",
	.start_limit = {.count = 3, .period_ns = 60 * (int64_t)CLOCK_NS_PER_S}};

static struct master_service *
create(void)
{
	struct master_service *service = xcalloc(1, sizeof(*service));

	service->config = &config;
	service->failures = xcalloc((size_t)config.start_limit.count, sizeof(*service->failures));
	return service;
}

static void
destroy(struct master_service *service)
{
	free(service->failures);
	free(service->reason);
	free(service);
}

START_TEST(a_state_comes_with_its_reason_and_goes_with_it)
{
	struct master_service *service = create();

	master_service_set_state(service, SERVICE_FAILED, "it is %s", "broken");
	ck_assert_str_eq(service->reason, "it is broken");
	ck_assert_int_gt(service->since_ns, 0);
	/* The old reason may be part of the new one. */
	master_service_set_state(service, SERVICE_FAILED, "again: %s", service->reason);
	ck_assert_str_eq(service->reason, "again: it is broken");
	master_service_set_state(service, SERVICE_READY, NULL);
	ck_assert_ptr_null(service->reason);
	ck_assert_str_eq(service_state_name(service->state), "ready");
	destroy(service);
}
END_TEST

START_TEST(it_fails_too_often_with_the_limit_within_the_period)
{
	struct master_service *service = create();

	ck_assert(!master_service_fails_too_often(service, 1 * second));
	ck_assert(!master_service_fails_too_often(service, 2 * second));
	ck_assert(master_service_fails_too_often(service, 61 * second));
	destroy(service);
}
END_TEST

START_TEST(failures_further_apart_are_not_too_often)
{
	struct master_service *service = create();

	for (int i = 1; i < 20; i++)
		ck_assert(!master_service_fails_too_often(service, i * 31 * second));
	destroy(service);
}
END_TEST

START_TEST(forgiven_failures_do_not_count)
{
	struct master_service *service = create();

	ck_assert(!master_service_fails_too_often(service, 1));
	ck_assert(!master_service_fails_too_often(service, 2));
	master_service_forgive(service);
	ck_assert(!master_service_fails_too_often(service, 3));
	ck_assert(!master_service_fails_too_often(service, 4));
	ck_assert(master_service_fails_too_often(service, 5));
	destroy(service);
}
END_TEST

START_TEST(a_limit_of_one_is_reached_at_once)
{
	struct config_service strict = config;
	struct master_service *service = create();

	strict.start_limit.count = 1;
	service->config = &strict;
	ck_assert(master_service_fails_too_often(service, 5 * second));
	destroy(service);
}
END_TEST

START_TEST(counts_go_on_in_the_next_cell_and_gauges_do_not)
{
	struct service_totals *totals = xcalloc(1, sizeof(*totals));
	struct master_service *service = create();
	struct status_counters *counters;
	struct status_page page;
	int fd;

	fd = status_page_create(&page, "test", 1, 1);
	counters = status_page_counters(&page, 0, 0);
	status_add(&counters->served, 5);
	status_add(&counters->in_flight, 2);
	histogram_record(&counters->latency, 1000);
	master_service_fold(service, &page);
	status_page_close(&page);
	close(fd);

	master_service_totals(service, NULL, totals);
	ck_assert_uint_eq(totals->counts.served, 5);
	ck_assert_uint_eq(totals->counts.in_flight, 0);

	fd = status_page_create(&page, "test", 1, 1);
	counters = status_page_counters(&page, 0, 0);
	status_add(&counters->served, 3);
	status_add(&counters->in_flight, 1);
	histogram_record(&counters->latency, 1000);
	master_service_totals(service, &page, totals);
	ck_assert_uint_eq(totals->counts.served, 8);
	ck_assert_uint_eq(totals->counts.in_flight, 1);
	ck_assert_uint_eq(totals->histograms.latency.total, 2);
	status_page_close(&page);
	close(fd);
	free(totals);
	destroy(service);
}
END_TEST

START_TEST(counts_stop_at_the_top)
{
	struct service_totals *totals = xcalloc(1, sizeof(*totals));
	struct master_service *service = create();
	struct status_page page;
	int fd = status_page_create(&page, "test", 1, 1);

	status_add(&status_page_counters(&page, 0, 0)->served, UINT64_MAX - 1);
	master_service_fold(service, &page);
	master_service_totals(service, &page, totals);
	ck_assert_uint_eq(totals->counts.served, UINT64_MAX);
	status_page_close(&page);
	close(fd);
	free(totals);
	destroy(service);
}
END_TEST

START_TEST(what_a_cell_leaves_unanswered_has_failed_once)
{
	struct master_service *service = create();
	struct service_totals *totals = malloc(sizeof(*totals));
	struct status_counters *counters;
	struct status_page page;
	int fd = status_page_create(&page, "test", 1, 2);

	ck_assert_int_ge(fd, 0);
	counters = status_page_counters(&page, 0, 0);
	/* One served, one failed, one in work, two in the queue; one waits before it. */
	status_add(&counters->queued, 5);
	status_add(&counters->served, 1);
	status_add(&counters->failed, 1);
	status_add(&counters->in_flight, 1);
	status_set(&status_page_gauges(&page, 0)->queued, 2);
	status_set(&status_page_gauges(&page, 0)->waiting_senders, 1);
	master_service_fold(service, &page);
	status_page_close(&page);
	close(fd);
	/* Of the four that are lost the master has passed three, and one more is on its way. */
	for (int i = 0; i < 3; i++)
		master_service_count_lost_call(service);
	master_service_totals(service, NULL, totals);
	ck_assert_uint_eq(totals->counts.calls, 6);
	ck_assert_uint_eq(totals->counts.failed, 5);
	for (int i = 0; i < 2; i++)
		master_service_count_lost_call(service);
	master_service_totals(service, NULL, totals);
	ck_assert_uint_eq(totals->counts.calls, 7);
	ck_assert_uint_eq(totals->counts.failed, 6);
	ck_assert_uint_eq(totals->counts.served, 1);
	free(totals);
	destroy(service);
}
END_TEST

CHECK_MAIN("master/master_service",
	a_state_comes_with_its_reason_and_goes_with_it,
	it_fails_too_often_with_the_limit_within_the_period,
	failures_further_apart_are_not_too_often,
	forgiven_failures_do_not_count,
	a_limit_of_one_is_reached_at_once,
	counts_go_on_in_the_next_cell_and_gauges_do_not,
	counts_stop_at_the_top,
	what_a_cell_leaves_unanswered_has_failed_once)
