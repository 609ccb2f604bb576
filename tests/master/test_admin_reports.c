/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands as a client has them, with fake cells whose figures the test writes. */
#include "config.h"

#include "master/admin_reports.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/log_ring.h"
#include "master/plugin_examination.h"
#include "support/admin_world.h"
#include "support/check_main.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

static struct world world;
static struct varlink_client client;
static struct master_service *a, *b;

static void
open_world(const char *keys_of_a, const char *keys_of_b)
{
	world_open_pair(&world, "", keys_of_a, keys_of_b, NULL);
	world.master.ring = log_ring_create(64 * 1024);
	client = client_connect(&world);
	a = service_of(&world.fake, "a");
	b = service_of(&world.fake, "b");
}

static void
close_world(void)
{
	close(client.fd);
	world_close(&world);
	log_ring_destroy(world.master.ring);
}

static json_t *
answer_to(const char *method, const char *parameters)
{
	char request[200];

	snprintf(request, sizeof(request), "\"io.bayd.Container.%s\",\"parameters\":{%s", method, parameters);
	ask(&client, request);
	return answer(&client);
}

/* The report of this index of the array that a command answers with; the caller's. */
static json_t *
report_at(const char *method, const char *parameters, const char *array, size_t index)
{
	json_t *reply = answer_to(method, parameters);
	json_t *report = json_incref(json_array_get(json_object_get(reply, array), index));

	ck_assert_ptr_nonnull(report);
	json_decref(reply);
	return report;
}

/* All about service a. */
static json_t *
status_of_a(void)
{
	json_t *reply = answer_to("Status", "\"service\":\"a\"");
	json_t *report = json_incref(json_object_get(reply, "service"));

	json_decref(reply);
	return report;
}

/* A member as compact JSON; "": there is none. Borrowed until three more calls. */
static const char *
member(const json_t *report, const char *name)
{
	static char texts[4][400];
	static unsigned turn;
	char *text = texts[turn++ % 4], *dump;
	const json_t *value = json_object_get(report, name);

	if (value == NULL)
		return "";
	dump = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	ck_assert_int_lt(snprintf(text, sizeof(texts[0]), "%s", dump), (int)sizeof(texts[0]));
	free(dump);
	return text;
}

#define EXPECT(report, name, json) \
	ck_assert_msg(strcmp(member(report, name), json) == 0, "%s is %s, not %s", name, member(report, name), json)

/* As EXPECT, of service a now. */
static void
expect_status(const char *name, const char *json)
{
	json_t *report = status_of_a();

	EXPECT(report, name, json);
	json_decref(report);
}

static struct status_counters *
counters(uint32_t loop)
{
	return status_page_counters(master_cell_page(a->cell), a->slot, loop);
}

/* --- what the configuration says ------------------------------------------------------------------ */

START_TEST(each_service_is_listed_with_what_the_configuration_says)
{
	json_t *report;
	char place[300];

	open_world("queue = 7\nqueue_bytes = 8k\nconcurrency = 3\noverflow = drop-oldest\nplugin = p\nx = 1\ny = z",
		"cell = other\ninstances = 4\n[service c]\ninstances = per-loop\nenabled = no");
	report = report_at("List", "", "services", 0);
	EXPECT(report, "name", "\"a\"");
	EXPECT(report, "state", "\"ready\"");
	EXPECT(report, "cell", "\"main\"");
	EXPECT(report, "isolated", "false");
	EXPECT(report, "plugin", "\"p\"");
	EXPECT(report, "version", "\"1.0\"");
	EXPECT(report, "path", "\"/nowhere/a.so\"");
	EXPECT(report, "image", "\"/nowhere/a.1.so\"");
	EXPECT(report, "generation", "1");
	EXPECT(report, "instances", "\"one\"");
	EXPECT(report, "concurrency", "3");
	EXPECT(report, "overflow", "\"drop-oldest\"");
	EXPECT(report, "queue", "7");
	EXPECT(report, "queue_bytes", "8192");
	EXPECT(report, "line", "2");
	snprintf(place, sizeof(place), "\"%s\"", temp_dir_path(&world.fake.dir, "bay.ini"));
	EXPECT(report, "file", place);
	EXPECT(report, "settings", "{\"x\":\"1\",\"y\":\"z\"}");
	EXPECT(report, "listeners", "[]");
	EXPECT(report, "enabled", "true");
	EXPECT(report, "origin", "\"config\"");
	EXPECT(report, "file_gone", "false");
	json_decref(report);
	report = report_at("List", "", "services", 1);
	EXPECT(report, "name", "\"b\"");
	EXPECT(report, "cell", "\"other\"");
	EXPECT(report, "instances", "\"4\"");
	EXPECT(report, "settings", "{}");
	json_decref(report);
	report = report_at("List", "", "services", 2);
	EXPECT(report, "name", "\"c\"");
	EXPECT(report, "state", "\"stopped\"");
	EXPECT(report, "instances", "\"per-loop\"");
	EXPECT(report, "enabled", "false");
	json_decref(report);
	close_world();
}
END_TEST

START_TEST(one_that_was_never_examined_has_the_path_where_its_plugin_should_be)
{
	struct plugin_image *image;
	struct config_service changed;
	const struct config_service *former;
	char path[300];

	open_world("", "");
	image = a->image;
	former = a->config;
	changed = *former;
	a->image = NULL;
	snprintf(path, sizeof(path), "\"%s/a.so\"", world.fake.config->container.plugin_dir);
	expect_status("path", path);
	expect_status("version", "\"\"");
	expect_status("image", "\"\"");
	expect_status("sha256", "\"\"");
	expect_status("generation", "0");
	/* One that was loaded by hand. */
	changed.plugin_file = (char *)"/some/where.so";
	a->config = &changed;
	expect_status("path", "\"/some/where.so\"");
	expect_status("origin", "\"load\"");
	changed.plugin_file = NULL;
	/* One that was put into the plugin directory. */
	a->source->dropped_in = true;
	expect_status("origin", "\"autoload\"");
	a->source->dropped_in = false;
	a->config = former;
	a->image = image;
	close_world();
}
END_TEST

/* --- figures ---------------------------------------------------------------------------------------- */

START_TEST(figures_are_told_under_their_names_over_all_loops)
{
	static const struct {
		size_t figure;
		const char *of_status, *of_stats, *of_queue;
	} rows[] = {
		{offsetof(struct status_counters, in_flight), "in_flight", "in_flight", NULL},
		{offsetof(struct status_counters, served), "served", "served", NULL},
		{offsetof(struct status_counters, failed), "failed", "failed", NULL},
		{offsetof(struct status_counters, dropped), "dropped", "dropped", "dropped"},
		{offsetof(struct status_counters, rejected), "rejected", "rejected", "rejected"},
		{offsetof(struct status_counters, timeouts), "timeouts", "timeouts", NULL},
		{offsetof(struct status_counters, canceled), NULL, "canceled", NULL},
		{offsetof(struct status_counters, direct), NULL, "direct", NULL},
		{offsetof(struct status_counters, queued), NULL, "queued", NULL},
		{offsetof(struct status_counters, memory_bytes), NULL, "memory_bytes", NULL},
		{offsetof(struct status_counters, cpu_ns), NULL, "cpu_ns", NULL},
		{offsetof(struct status_counters, topic_waiting), NULL, NULL, "topic_waiting"},
		{offsetof(struct status_counters, topic_lost), NULL, NULL, "topic_lost"},
	};
	json_t *status, *stats, *queue;

	open_world("", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		status_set((_Atomic uint64_t *)(void *)((char *)counters(0) + rows[i].figure), 100 + i);
		status_set((_Atomic uint64_t *)(void *)((char *)counters(1) + rows[i].figure), 1000);
	}
	status = status_of_a();
	stats = report_at("Stats", "", "services", 0);
	queue = report_at("Queues", "", "queues", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char sum[24];

		snprintf(sum, sizeof(sum), "%zu", 1100 + i);
		if (rows[i].of_status != NULL)
			EXPECT(status, rows[i].of_status, sum);
		if (rows[i].of_stats != NULL)
			EXPECT(stats, rows[i].of_stats, sum);
		if (rows[i].of_queue != NULL)
			EXPECT(queue, rows[i].of_queue, sum);
	}
	/* direct, queued and rejected */
	EXPECT(stats, "calls", "3319");
	json_decref(status);
	json_decref(stats);
	json_decref(queue);
	close_world();
}
END_TEST

START_TEST(what_stands_in_the_queue_is_told_with_its_age)
{
	static const struct {
		int64_t oldest_ns;
		const char *age;
	} rows[] = {
		{SECONDS(990), "10000000000"}, {0, "0"}, {SECONDS(1000), "0"}, {SECONDS(1001), "0"},
		{SECONDS(1000) - 1, "1"}, {-1, "0"},
	};
	struct status_gauges *gauges;
	json_t *report;

	open_world("queue = 7\nqueue_bytes = 8k\noverflow = reject", "");
	clock_stand_still(SECONDS(1000), 0);
	gauges = status_page_gauges(master_cell_page(a->cell), a->slot);
	status_set(&gauges->queued, 3);
	status_set(&gauges->queued_bytes, 33);
	status_set(&gauges->waiting_senders, 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		status_set(&gauges->oldest_ns, (uint64_t)rows[i].oldest_ns);
		report = report_at("Queues", "", "queues", 0);
		EXPECT(report, "oldest_ns", rows[i].age);
		json_decref(report);
	}
	report = report_at("Queues", "", "queues", 0);
	EXPECT(report, "service", "\"a\"");
	EXPECT(report, "queued", "3");
	EXPECT(report, "bytes", "33");
	EXPECT(report, "limit", "7");
	EXPECT(report, "limit_bytes", "8192");
	EXPECT(report, "overflow", "\"reject\"");
	EXPECT(report, "waiting_senders", "4");
	json_decref(report);
	expect_status("queued", "3");
	expect_status("queued_bytes", "33");
	report = report_at("Stats", "", "services", 0);
	EXPECT(report, "queue", "3");
	EXPECT(report, "queue_bytes", "33");
	json_decref(report);
	report = report_at("Queues", "", "queues", 1);
	EXPECT(report, "service", "\"b\"");
	EXPECT(report, "queued", "0");
	json_decref(report);
	clock_go_on();
	close_world();
}
END_TEST

START_TEST(what_is_above_all_numbers_of_json_stops_at_the_top)
{
	const json_t *buckets;
	json_t *report;

	open_world("", "");
	status_set(&counters(0)->served, UINT64_MAX);
	status_set(&counters(0)->failed, INT64_MAX);
	status_set(&counters(0)->timeouts, (uint64_t)INT64_MAX + 1);
	expect_status("served", "9223372036854775807");
	expect_status("failed", "9223372036854775807");
	expect_status("timeouts", "9223372036854775807");
	/* What a page says, though nobody counts so far. */
	atomic_store(&counters(0)->wait.count[0], UINT64_MAX);
	atomic_store(&counters(0)->wait.count[1], 5);
	report = report_at("Stats", "", "services", 0);
	buckets = json_object_get(json_object_get(report, "wait"), "buckets");
	for (size_t i = 0; i < json_array_size(buckets); i++)
		ck_assert_int_eq(json_integer_value(json_array_get(buckets, i)), INT64_MAX);
	json_decref(report);
	close_world();
}
END_TEST

START_TEST(what_guards_calls_is_counted_over_all_cells)
{
	struct status_guard *guard;
	json_t *report;

	open_world("", "cell = other");
	clock_stand_still(SECONDS(1000), 0);
	expect_status("breakers", "[]");
	guard = status_page_guard(master_cell_page(b->cell), a->slot);
	status_set(&guard->state, STATUS_BREAKER_OPEN);
	status_set(&guard->calls, 20);
	status_set(&guard->failed, 12);
	status_set(&guard->next_ns, (uint64_t)SECONDS(1003));
	status_set(&guard->refused, 5);
	status_set(&guard->opened, 6);
	status_set(&guard->retries, 7);
	status_set(&guard->retries_refused, 8);
	expect_status("breakers", "[{\"calls\":20,\"cell\":\"other\",\"failed\":12,\"next_try_ns\":3000000000,"
		"\"state\":\"open\"}]");
	status_set(&guard->next_ns, (uint64_t)SECONDS(1000));
	expect_status("breakers", "[{\"calls\":20,\"cell\":\"other\",\"failed\":12,\"next_try_ns\":0,\"state\":\"open\"}]");
	status_set(&guard->next_ns, (uint64_t)SECONDS(990));
	expect_status("breakers", "[{\"calls\":20,\"cell\":\"other\",\"failed\":12,\"next_try_ns\":0,\"state\":\"open\"}]");
	status_set(&guard->next_ns, UINT64_MAX);
	expect_status("breakers", "[{\"calls\":20,\"cell\":\"other\",\"failed\":12,\"next_try_ns\":0,\"state\":\"open\"}]");
	expect_status("breaker_refused", "5");
	expect_status("retries", "7");
	expect_status("retries_refused", "8");
	report = report_at("Stats", "", "services", 0);
	EXPECT(report, "breaker_refused", "5");
	EXPECT(report, "breaker_opened", "6");
	EXPECT(report, "retries", "7");
	EXPECT(report, "retries_refused", "8");
	json_decref(report);
	clock_go_on();
	close_world();
}
END_TEST

/* --- how it is ------------------------------------------------------------------------------------------- */

START_TEST(only_one_that_serves_has_been_up)
{
	open_world("", "");
	clock_stand_still(SECONDS(1000), 0);
	a->since_ns = SECONDS(990);
	a->since_wall_ns = 77;
	expect_status("uptime_ns", "10000000000");
	expect_status("since_wall_ns", "77");
	a->state = SERVICE_STOPPING;
	expect_status("state", "\"stopping\"");
	expect_status("uptime_ns", "0");
	a->state = SERVICE_READY;
	clock_go_on();
	close_world();
}
END_TEST

START_TEST(the_time_to_its_next_start_is_told_while_there_is_one)
{
	open_world("", "");
	clock_stand_still(SECONDS(1000), 0);
	expect_status("next_try_ns", "");
	a->state = SERVICE_FAILED;
	a->next_try_ns = SECONDS(1002);
	expect_status("next_try_ns", "2000000000");
	/* It is about to be. */
	a->next_try_ns = SECONDS(1000);
	expect_status("next_try_ns", "1");
	/* That of its cell counts, which runs. */
	a->state = SERVICE_STARTING;
	expect_status("next_try_ns", "");
	a->state = SERVICE_READY;
	a->next_try_ns = 0;
	clock_go_on();
	close_world();
}
END_TEST

START_TEST(a_reason_and_a_gate_are_told_while_there_are_any)
{
	open_world("", "");
	expect_status("reason", "");
	expect_status("gate", "");
	expect_status("gate_by", "");
	a->reason = xstrdup("3 tasks go on");
	expect_status("reason", "\"3 tasks go on\"");
	a->gate.by = (struct event_by){.source = EVENT_BY_USER, .uid = 7, .pid = 8};
	a->gate.state = CELL_GATE_PAUSED;
	expect_status("gate", "\"paused\"");
	expect_status("gate_by", "\"user 7, process 8\"");
	expect_status("state", "\"paused\"");
	a->gate.state = CELL_GATE_CLOSED;
	expect_status("gate", "\"drained\"");
	expect_status("state", "\"draining\"");
	a->gate.state = CELL_GATE_OPEN;
	close_world();
}
END_TEST

START_TEST(its_health_is_told_with_the_reason)
{
	open_world("", "");
	expect_status("health", "\"healthy\"");
	expect_status("health_reason", "");
	service_faults_note(a, CELL_FAULT_OVERFLOW, "a flood");
	expect_status("health", "\"degraded\"");
	expect_status("health_reason", "\"queue-overflow: a flood\"");
	close_world();
}
END_TEST

START_TEST(those_that_it_follows_and_its_group_are_told)
{
	open_world("requires = b\nwants = c\nafter = b, d\ngroup = team",
		"[service c]\ngroup = team\n[service d]\n[group team]\nstrategy = rest-for-one");
	world.master.started_ns = 100;
	a->served_ns = 350;
	a->wait_took_ns = 12;
	a->delayed_by = b;
	expect_status("requires", "[\"b\"]");
	expect_status("wants", "[\"c\"]");
	expect_status("after", "[\"b\",\"d\"]");
	expect_status("waits_for", "[]");
	expect_status("wait_took_ns", "12");
	expect_status("delayed_by", "\"b\"");
	expect_status("served_after_ns", "250");
	expect_status("group", "{\"name\":\"team\",\"services\":[\"c\",\"a\"],\"strategy\":\"rest-for-one\"}");
	a->delayed_by = NULL;
	a->served_ns = 0;
	expect_status("delayed_by", "");
	expect_status("served_after_ns", "");
	close_world();
}
END_TEST

START_TEST(one_without_a_group_has_none)
{
	open_world("", "");
	expect_status("group", "");
	close_world();
}
END_TEST

START_TEST(one_that_waits_for_another_names_it)
{
	open_world("requires = b", "");
	b->state = SERVICE_STARTING;
	a->state = SERVICE_STARTING;
	a->waits = true;
	expect_status("waits_for", "[\"b\"]");
	a->waits = false;
	a->state = b->state = SERVICE_READY;
	close_world();
}
END_TEST

/* --- generations ------------------------------------------------------------------------------------------- */

START_TEST(earlier_code_and_what_is_tried_are_told_beside_what_runs)
{
	static const char of_b[] = "{\"generation\":1,\"sha256\":\"\",\"version\":\"2.0\"}";
	struct service_lingering lingering = {.cell = NULL, .generation = 5, .reason = (char *)"a thread"};

	open_world("", "");
	clock_stand_still(SECONDS(1000), 0);
	expect_status("former", "");
	expect_status("lingering", "[]");
	expect_status("probation_ns", "");
	free(b->image->version);
	b->image->version = xstrdup("2.0");
	a->former = b->image;
	a->lingering = &lingering;
	a->lingering_count = 1;
	a->generation_wall_ns = 9;
	expect_status("former", of_b);
	expect_status("lingering", "[{\"generation\":5,\"reason\":\"a thread\"}]");
	expect_status("generation_wall_ns", "9");
	a->probation.until_ns = SECONDS(1004);
	expect_status("probation_ns", "4000000000");
	/* About to end. */
	a->probation.until_ns = SECONDS(999);
	expect_status("probation_ns", "1");
	a->probation.until_ns = 0;
	a->former = NULL;
	a->lingering = NULL;
	a->lingering_count = 0;
	clock_go_on();
	close_world();
}
END_TEST

START_TEST(a_canary_is_told_with_what_it_and_the_others_have_done)
{
	struct status_counters *of_canary;

	open_world("", "");
	expect_status("canary", "");
	a->canary = (struct service_canary){.image = b->image, .share = 10, .since_wall_ns = 6};
	status_set(&counters(0)->served, 7);
	status_set(&counters(0)->failed, 3);
	of_canary = counters(status_canary_column(master_cell_page(a->cell)->loops, 0));
	status_set(&of_canary->served, 4);
	status_set(&of_canary->failed, 1);
	expect_status("canary", "{\"failed\":1,\"generation\":1,\"others_failed\":3,\"others_served\":7,\"served\":4,"
		"\"sha256\":\"\",\"share\":10,\"since_wall_ns\":6,\"version\":\"1.0\"}");
	a->canary.image = NULL;
	close_world();
}
END_TEST

/* --- statistics ---------------------------------------------------------------------------------------------- */

START_TEST(durations_are_told_by_buckets_that_count_all_below)
{
	static const struct {
		uint64_t ns;
		size_t from; /* the first bucket that has it; 28: none */
	} rows[] = {
		{0, 0}, {1023, 0}, {1024, 1}, {2047, 1}, {(UINT64_C(1) << 36) - 1, 26}, {UINT64_C(1) << 36, 27},
		{(UINT64_C(1) << 37) - 1, 27}, {UINT64_C(1) << 37, 28},
	};
	json_t *report;
	const json_t *latency, *buckets;
	uint64_t sum = 0;
	char text[24];

	open_world("", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		histogram_record(&counters(i % 2)->latency, rows[i].ns);
		sum += rows[i].ns;
	}
	histogram_record(&counters(0)->wait, 12);
	histogram_record(&counters(0)->total, 13);
	report = report_at("Stats", "\"service\":\"a\"", "services", 0);
	latency = json_object_get(report, "latency");
	buckets = json_object_get(latency, "buckets");
	ck_assert_uint_eq(json_array_size(buckets), 28);
	for (size_t bucket = 0; bucket < 28; bucket++) {
		json_int_t below = 0;

		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			below += rows[i].from <= bucket;
		ck_assert_msg(json_integer_value(json_array_get(buckets, bucket)) == below, "bucket %zu", bucket);
	}
	snprintf(text, sizeof(text), "%llu", (unsigned long long)sum);
	EXPECT(latency, "sum_ns", text);
	EXPECT(latency, "samples", "8");
	EXPECT(latency, "max_ns", "137438953472");
	EXPECT(json_object_get(report, "wait"), "max_ns", "12");
	EXPECT(json_object_get(report, "wait"), "samples", "1");
	EXPECT(json_object_get(report, "total"), "max_ns", "13");
	json_decref(report);
	close_world();
}
END_TEST

START_TEST(percentiles_are_those_of_all_samples)
{
	json_t *report;
	const json_t *total;

	open_world("", "");
	/* Each in a bucket of its own: 50, 40, 9 and 1 of a hundred. */
	for (int i = 0; i < 100; i++)
		histogram_record(&counters(0)->total, i < 50 ? 1 : i < 90 ? 2 : i < 99 ? 3 : 4);
	report = report_at("Stats", "", "services", 0);
	total = json_object_get(report, "total");
	EXPECT(total, "p50_ns", "1");
	EXPECT(total, "p90_ns", "2");
	EXPECT(total, "p99_ns", "3");
	EXPECT(total, "max_ns", "4");
	json_decref(report);
	close_world();
}
END_TEST

START_TEST(statistics_are_of_one_service_or_of_all_and_always_of_all_loops)
{
	struct status_loop *line;
	json_t *reply;
	const json_t *loop;

	open_world("stack = 128k", "cell = other");
	line = status_page_loop(master_cell_page(b->cell), 1);
	status_set(&line->passes, 11);
	status_set(&line->switches, 12);
	status_set(&line->tasks, 13);
	status_set(&line->stacks, 14);
	status_set(&line->wakes, 15);
	status_set(&line->polls, 16);
	status_set(&line->cpu_ns, 17);
	histogram_record(&line->lag, 5);
	reply = answer_to("Stats", "");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "services")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "loops")), 4);
	loop = json_array_get(json_object_get(reply, "loops"), 3);
	EXPECT(loop, "cell", "\"other\"");
	EXPECT(loop, "loop", "1");
	EXPECT(loop, "passes", "11");
	EXPECT(loop, "switches", "12");
	EXPECT(loop, "tasks", "13");
	EXPECT(loop, "stacks", "14");
	EXPECT(loop, "wakes", "15");
	EXPECT(loop, "polls", "16");
	EXPECT(loop, "cpu_ns", "17");
	EXPECT(json_object_get(loop, "lag"), "max_ns", "5");
	EXPECT(json_array_get(json_object_get(reply, "loops"), 0), "cell", "\"main\"");
	EXPECT(json_array_get(json_object_get(reply, "loops"), 2), "passes", "0");
	EXPECT(json_array_get(json_object_get(reply, "services"), 0), "stack_bytes", "131072");
	json_decref(reply);
	reply = answer_to("Stats", "\"service\":\"b\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "services")), 1);
	EXPECT(json_array_get(json_object_get(reply, "services"), 0), "service", "\"b\"");
	EXPECT(json_array_get(json_object_get(reply, "services"), 0), "cell", "\"other\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "loops")), 4);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(loops_of_a_cell_without_a_process_are_not_there)
{
	json_t *reply;

	open_world("", "cell = other");
	b->wanted = false;
	cell_process_kill(master_cell_process(b->cell));
	UNTIL(&world.fake, master_cell_process(b->cell) == NULL && !is_state(&world.fake, "b", SERVICE_READY));
	reply = answer_to("Stats", "");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "loops")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "services")), 2);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(counts_of_starts_and_what_they_took_are_told)
{
	json_t *report;

	open_world("", "");
	a->restarts = 3;
	a->examine_took_ns = 4;
	a->start_took_ns = 5;
	expect_status("restarts", "3");
	expect_status("examine_took_ns", "4");
	expect_status("start_took_ns", "5");
	report = report_at("Stats", "", "services", 0);
	EXPECT(report, "restarts", "3");
	json_decref(report);
	close_world();
}
END_TEST

/* --- one service ------------------------------------------------------------------------------------------------ */

static void
log_of(const char *subject, int number)
{
	char text[32];
	const struct log_record record = {.level = LOG_LEVEL_INFO, .process = "cell main", .subject = subject,
		.text = text};

	snprintf(text, sizeof(text), "line %d.", number);
	log_ring_push(world.master.ring, &record);
}

START_TEST(a_status_has_the_last_lines_of_its_log)
{
	const json_t *lines;
	json_t *reply;

	open_world("", "");
	for (int i = 0; i < 12; i++) {
		log_of("service a", i);
		log_of("service b", i);
	}
	reply = answer_to("Status", "\"service\":\"a\"");
	lines = json_object_get(reply, "log");
	ck_assert_uint_eq(json_array_size(lines), 10);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(lines, 0)), "service a: line 2."));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(lines, 9)), "service a: line 11."));
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(a_status_has_the_loops_that_it_keeps)
{
	const struct status_name name = status_name_make("spin");
	struct status_loop *line;
	json_t *reply;

	open_world("", "");
	clock_stand_still(SECONDS(1000), 0);
	line = status_page_loop(master_cell_page(a->cell), 1);
	status_loop_set_task(line, a->slot, &name);
	status_loop_set_phase(line, STATUS_PHASE_RUN);
	status_set(&line->pass_ns, (uint64_t)SECONDS(990));
	reply = answer_to("Status", "\"service\":\"a\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "silent_loops")), 1);
	json_decref(reply);
	reply = answer_to("Status", "\"service\":\"b\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "silent_loops")), 0);
	json_decref(reply);
	clock_go_on();
	close_world();
}
END_TEST

START_TEST(a_service_that_is_not_there_is_told_so)
{
	open_world("", "");
	ask(&client, "\"io.bayd.Container.Status\",\"parameters\":{\"service\":\"nobody\"");
	client_expect_error(&client, "io.bayd.Container.NotFound", "there is no service nobody");
	ask(&client, "\"io.bayd.Container.Stats\",\"parameters\":{\"service\":\"nobody\"");
	client_expect_error(&client, "io.bayd.Container.NotFound", "there is no service nobody");
	close_world();
}
END_TEST

CHECK_MAIN("master/admin_reports",
	each_service_is_listed_with_what_the_configuration_says,
	one_that_was_never_examined_has_the_path_where_its_plugin_should_be,
	figures_are_told_under_their_names_over_all_loops,
	what_stands_in_the_queue_is_told_with_its_age,
	what_is_above_all_numbers_of_json_stops_at_the_top,
	what_guards_calls_is_counted_over_all_cells,
	only_one_that_serves_has_been_up,
	the_time_to_its_next_start_is_told_while_there_is_one,
	a_reason_and_a_gate_are_told_while_there_are_any,
	its_health_is_told_with_the_reason,
	those_that_it_follows_and_its_group_are_told,
	one_without_a_group_has_none,
	one_that_waits_for_another_names_it,
	earlier_code_and_what_is_tried_are_told_beside_what_runs,
	a_canary_is_told_with_what_it_and_the_others_have_done,
	durations_are_told_by_buckets_that_count_all_below,
	percentiles_are_those_of_all_samples,
	statistics_are_of_one_service_or_of_all_and_always_of_all_loops,
	loops_of_a_cell_without_a_process_are_not_there,
	counts_of_starts_and_what_they_took_are_told,
	a_status_has_the_last_lines_of_its_log,
	a_status_has_the_loops_that_it_keeps,
	a_service_that_is_not_there_is_told_so)
