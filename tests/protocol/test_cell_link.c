/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/cell_link.h"

#include <string.h>

#include "base/status_page.h"
#include "support/check_main.h"

static char error[CELL_ERROR_SIZE];

static const struct cell_setup setup = {.version_major = CELL_VERSION_MAJOR,
	.version_minor = CELL_VERSION_MINOR, .cell = "main", .loops = 2, .max_depth = 64,
	.max_lingering = 32, .blocking_threads = 16, .resolv_conf = "/etc/resolv.conf", .log_level = "info"};

/* Both sides of one struct: written, read, written again must be the same. */
#define CHECK_ROUND_TRIP(name, ...) \
	do { \
		struct cell_##name from = __VA_ARGS__; \
		struct cell_##name to; \
		json_t *json = cell_##name##_to_json(&from); \
		json_t *again; \
		ck_assert_ptr_nonnull(json); \
		ck_assert_msg(cell_##name##_from_json(json, &to, error), "%s", error); \
		again = cell_##name##_to_json(&to); \
		ck_assert(json_equal(json, again)); \
		ck_assert_uint_gt(json_object_size(json), 0); \
		json_decref(json); \
		json_decref(again); \
	} while (0)

/* The same of those that have lists. */
#define CHECK_ROUND_TRIP_OF_LISTS(name, ...) \
	do { \
		const struct cell_##name from = __VA_ARGS__; \
		struct cell_##name to; \
		json_t *json = cell_##name##_to_json(&from), *again; \
\
		ck_assert_msg(cell_##name##_from_json(json, &to, error), "%s", error); \
		again = cell_##name##_to_json(&to); \
		ck_assert(json_equal(json, again)); \
		cell_##name##_finish(&to); \
		json_decref(json); \
		json_decref(again); \
	} while (0)

START_TEST(every_flat_struct_comes_back_as_it_was)
{
	struct cell_word words[] = {{"a.b"}, {"c.>"}};

	CHECK_ROUND_TRIP(setup, setup);
	CHECK_ROUND_TRIP(absent, {.service = "a", .state = CELL_ABSENCE_FAILED, .reason = "why"});
	CHECK_ROUND_TRIP(absent, {.service = "a", .state = CELL_ABSENCE_STARTING});
	CHECK_ROUND_TRIP(absent, {.service = "a", .state = CELL_ABSENCE_UNKNOWN});
	CHECK_ROUND_TRIP(absent, {.service = "a", .state = CELL_ABSENCE_ELSEWHERE, .cell = "b", .wait = true,
		.there = CELL_THERE_FAILED, .generation = 3, .reason = "why",
		.retry = 3});
	CHECK_ROUND_TRIP(linked, {.cell = "a", .epoch = 4, .side = 1});
	CHECK_ROUND_TRIP(peer, {.cell = "a", .ready = true});
	CHECK_ROUND_TRIP(connect, {.cell = "a"});
	CHECK_ROUND_TRIP_OF_LISTS(topics, {.wait = words, .wait_count = 2, .drop = words, .drop_count = 1});
	CHECK_ROUND_TRIP_OF_LISTS(interest, {.cell = "b", .drop = words, .drop_count = 2});
	CHECK_ROUND_TRIP(dead_letter, {.service = "a", .crashes = 2, .size = 3, .body = "AAEC"});
	CHECK_ROUND_TRIP(standstill, {.stands = true});
	CHECK_ROUND_TRIP(broken, {.cell = "a", .epoch = 4, .reason = "why"});
	CHECK_ROUND_TRIP(stop, {.service = "a", .drain_timeout_ns = 5});
	CHECK_ROUND_TRIP(stop, {.service = "a", .hold = true});
	CHECK_ROUND_TRIP(log_level, {.level = "debug"});
	CHECK_ROUND_TRIP(call, {.service = "a", .content_type = "text/plain", .timeout_ns = 1,
		.one_way = true});
	CHECK_ROUND_TRIP(cancel, {.call = 12});
	CHECK_ROUND_TRIP(tasks, {.service = "a"});
	CHECK_ROUND_TRIP(shutdown, {.drain_timeout_ns = 7});
	CHECK_ROUND_TRIP(task, {.id = 1, .service = "a", .name = "b", .loop = 63, .state = "ready",
		.waiting_on = "timer", .where = "a.c:5", .age_ns = 9, .parent = 3,
		.canceled = "deadline", .deadlock = "a -> b -> a", .stack_used = 4096});
	CHECK_ROUND_TRIP(queue, {.service = "a", .queued = 1, .bytes = 2, .limit = 3,
		.limit_bytes = 4, .oldest_ns = 5, .overflow = "wait", .waiting_senders = 6,
		.dropped = 7, .rejected = 8, .topic_waiting = 9, .topic_lost = 10});
	CHECK_ROUND_TRIP(loop, {.loop = 1, .passes = 2, .switches = 3, .tasks = 4, .stacks = 5,
		.wakes = 6, .polls = 7});
	CHECK_ROUND_TRIP(failed, {.service = "a", .generation = 2, .message = "why"});
	CHECK_ROUND_TRIP(listen, {.service = "a", .generation = 2, .address = "127.0.0.1:80",
		.backlog = 16});
}
END_TEST

START_TEST(a_listen_wants_all_of_its_members_and_each_in_its_range)
{
	static const struct {
		const char *member;
		int value;
		const char *why;
	} wrong[] = {
		{"generation", 0, "generation: 0 is not within 1..9223372036854775807"},
		{"backlog", -1, "backlog: -1 is not within 0..2147483647"},
		{"address", 7, "address: a string is wanted"},
	};
	struct cell_listen from = {.service = "s", .generation = 1, .address = "web"};
	struct cell_listen to;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		json_t *json = cell_listen_to_json(&from);

		ck_assert(cell_listen_from_json(json, &to, error));
		ck_assert_str_eq(to.address, "web");
		json_object_set_new(json, wrong[i].member, json_integer(wrong[i].value));
		ck_assert(!cell_listen_from_json(json, &to, error));
		ck_assert_str_eq(error, wrong[i].why);
		json_object_del(json, wrong[i].member);
		ck_assert(!cell_listen_from_json(json, &to, error));
		json_decref(json);
	}
	from.address = "\xff:80";
	ck_assert_ptr_null(cell_listen_to_json(&from));
}
END_TEST

START_TEST(a_start_carries_its_settings)
{
	struct cell_setting settings[] = {{"delay", "1s"}, {"text", "caf\xc3\xa9"}};
	struct cell_start from = {.service = "square", .plugin = "square", .image = "/run/x.1.so",
		.sha256 = "00", .generation = 1, .slot = 1023, .instances = 0, .concurrency = 256,
		.queue = 1024, .queue_bytes = 1 << 20, .overflow = CELL_OVERFLOW_DROP_NEWEST,
		.timeout_ns = 2, .stack_bytes = 65536, .blocking_threads = 8, .start_timeout_ns = 3, .drain_timeout_ns = 4,
		.health_interval_ns = 5, .health_timeout_ns = 6,
		.settings = settings, .setting_count = 2};
	struct cell_start to;
	json_t *json = cell_start_to_json(&from);

	ck_assert_ptr_nonnull(json);
	ck_assert_msg(cell_start_from_json(json, &to, error), "%s", error);
	ck_assert_str_eq(to.service, "square");
	ck_assert_str_eq(to.image, "/run/x.1.so");
	ck_assert_int_eq(to.slot, 1023);
	ck_assert_int_eq(to.overflow, CELL_OVERFLOW_DROP_NEWEST);
	ck_assert_int_eq(to.drain_timeout_ns, 4);
	ck_assert_int_eq(to.health_interval_ns, 5);
	ck_assert_int_eq(to.health_timeout_ns, 6);
	ck_assert_int_eq(to.blocking_threads, 8);
	ck_assert_uint_eq(to.setting_count, 2);
	ck_assert_str_eq(to.settings[1].key, "text");
	ck_assert_str_eq(to.settings[1].value, "caf\xc3\xa9");
	ck_assert_str_eq(cell_overflow_name(to.overflow), "drop-newest");
	cell_start_finish(&to);
	json_decref(json);
}
END_TEST

START_TEST(a_change_carries_bounds_and_settings)
{
	struct cell_setting settings[] = {{"delay", "1s"}};
	struct cell_change from = {.service = "square", .concurrency = 3, .queue = 4,
		.queue_bytes = 5, .overflow = CELL_OVERFLOW_WAIT, .timeout_ns = 6, .blocking_threads = 7,
		.has_settings = true, .settings = settings, .setting_count = 1};
	struct cell_change to;
	json_t *json = cell_change_to_json(&from);

	ck_assert_msg(cell_change_from_json(json, &to, error), "%s", error);
	ck_assert_int_eq(to.concurrency, 3);
	ck_assert_int_eq(to.overflow, CELL_OVERFLOW_WAIT);
	ck_assert_int_eq(to.timeout_ns, 6);
	ck_assert(to.has_settings);
	ck_assert_uint_eq(to.setting_count, 1);
	ck_assert_str_eq(to.settings[0].value, "1s");
	cell_change_finish(&to);
	ck_assert_int_eq(json_object_del(json, "concurrency"), 0);
	ck_assert(!cell_change_from_json(json, &to, error));
	ck_assert_str_eq(error, "concurrency: missing");
	json_decref(json);
}
END_TEST

/* A start that is right but for one member. */
static void
start_refused(const char *member, json_t *value, const char *why)
{
	struct cell_start from = {.service = "s", .plugin = "p", .image = "i", .sha256 = "h",
		.generation = 1, .concurrency = 1, .stack_bytes = 1};
	struct cell_start to;
	json_t *json = cell_start_to_json(&from);

	ck_assert(cell_start_from_json(json, &to, error));
	cell_start_finish(&to);
	json_object_set_new(json, member, value);
	ck_assert(!cell_start_from_json(json, &to, error));
	ck_assert_str_eq(error, why);
	json_decref(json);
}

START_TEST(a_start_out_of_range_is_refused_by_member)
{
	ck_assert_int_eq(STATUS_PAGE_SERVICES_MAX, 1024);
	start_refused("slot", json_integer(1024), "slot: 1024 is not within 0..1023");
	start_refused("slot", json_integer(-1), "slot: -1 is not within 0..1023");
	start_refused("generation", json_integer(0),
		"generation: 0 is not within 1..9223372036854775807");
	start_refused("concurrency", json_integer(0), "concurrency: 0 is not within 1..2147483647");
	start_refused("timeout_ns", json_integer(-1),
		"timeout_ns: -1 is not within 0..9223372036854775807");
	start_refused("overflow", json_string("explode"), "overflow: one of wait, ... is wanted");
	start_refused("settings", json_pack("[{s:s}]", "key", "k"), "settings[0].value: missing");
	start_refused("image", json_null(), "image: missing");
}
END_TEST

START_TEST(a_setup_of_another_major_is_refused_first)
{
	struct cell_setup to;
	json_t *json = json_pack("{s:i}", "version_major", CELL_VERSION_MAJOR + 1);

	ck_assert(!cell_setup_from_json(json, &to, error));
	ck_assert_ptr_nonnull(strstr(error, "same release"));
	json_object_set_new(json, "version_major", json_integer(CELL_VERSION_MAJOR));
	ck_assert(!cell_setup_from_json(json, &to, error));
	ck_assert_str_eq(error, "version_minor: missing");
	json_decref(json);
}
END_TEST

START_TEST(a_setup_of_a_newer_minor_is_accepted)
{
	struct cell_setup to;
	json_t *json = cell_setup_to_json(&setup);

	json_object_set_new(json, "version_minor", json_integer(CELL_VERSION_MINOR + 5));
	json_object_set_new(json, "a_new_member", json_true());
	ck_assert(cell_setup_from_json(json, &to, error));
	ck_assert_int_eq(to.version_minor, CELL_VERSION_MINOR + 5);
	json_object_set_new(json, "loops", json_integer(STATUS_PAGE_LOOPS_MAX + 1));
	ck_assert(!cell_setup_from_json(json, &to, error));
	json_decref(json);
}
END_TEST

START_TEST(an_examination_carries_the_settings_of_each_service)
{
	struct cell_setting settings[] = {{"delay", "1s"}};
	struct cell_examine_service services[] = {{"a", settings, 1}, {"b", NULL, 0}};
	struct cell_examine from = {.nonce = "n", .image = "i", .services = services,
		.service_count = 2};
	struct cell_examine to;
	json_t *json = cell_examine_to_json(&from);

	ck_assert_msg(cell_examine_from_json(json, &to, error), "%s", error);
	ck_assert_uint_eq(to.service_count, 2);
	ck_assert_str_eq(to.services[0].settings[0].value, "1s");
	ck_assert_str_eq(to.services[1].name, "b");
	ck_assert_uint_eq(to.services[1].setting_count, 0);
	cell_examine_finish(&to);
	json_decref(json);

	json = json_loads("{\"nonce\":\"n\",\"image\":\"i\",\"services\":[{\"name\":\"a\",\"settings\":"
		"[{\"key\":\"k\",\"value\":\"v\"}]},{\"name\":\"b\",\"settings\":[{\"key\":\"k\"}]}]}", 0, NULL);
	ck_assert(!cell_examine_from_json(json, &to, error));
	ck_assert_str_eq(error, "services[1].settings[0].value: missing");
	json_decref(json);
}
END_TEST

START_TEST(a_verdict_carries_what_was_found)
{
	struct cell_plugin_setting settings[] = {{"delay", "duration", "1s", "how long", NULL, true}};
	struct cell_complaint complaints[] = {{"a", -1, NULL, "delay is \xff"}};
	struct cell_verdict from = {.nonce = "n", .ok = true, .plugin = "sleeper",
		.version = "1.0", .abi = "1.0", .unloadable = true, .settings = settings,
		.setting_count = 1, .complaints = complaints, .complaint_count = 1};
	struct cell_verdict to;
	json_t *json = cell_verdict_to_json(&from);

	ck_assert_msg(cell_verdict_from_json(json, &to, error), "%s", error);
	ck_assert(to.ok);
	ck_assert(to.unloadable);
	ck_assert(!to.leaf);
	ck_assert_ptr_null(to.reason);
	ck_assert_str_eq(to.settings[0].default_value, "1s");
	ck_assert_int_eq(to.complaints[0].index, -1);
	ck_assert_str_eq(to.complaints[0].message, "delay is \\xff");
	cell_verdict_finish(&to);
	json_decref(json);
}
END_TEST

START_TEST(a_verdict_needs_its_nonce)
{
	struct cell_verdict to;
	json_t *json = json_pack("{s:b}", "ok", 1);

	ck_assert(!cell_verdict_from_json(json, &to, error));
	ck_assert_str_eq(error, "nonce: missing");
	json_decref(json);
}
END_TEST

CHECK_MAIN("protocol/cell_link",
	every_flat_struct_comes_back_as_it_was,
	a_change_carries_bounds_and_settings,
	a_listen_wants_all_of_its_members_and_each_in_its_range,
	a_start_carries_its_settings,
	a_start_out_of_range_is_refused_by_member,
	a_setup_of_another_major_is_refused_first,
	a_setup_of_a_newer_minor_is_accepted,
	an_examination_carries_the_settings_of_each_service,
	a_verdict_carries_what_was_found,
	a_verdict_needs_its_nonce)
