/* SPDX-License-Identifier: BSD-2-Clause */
/* The Trace command with real connections and fake cells, in whose pages the test writes the hops. The
 * clock stands still unless the test moves it. */
#include "config.h"

#include "master/admin_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hop_ring.h"
#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/hop_store.h"
#include "protocol/cell_link.h"
#include "support/admin_world.h"
#include "support/check_main.h"
#include "support/log_lines.h"

static struct world world;
static struct varlink_client client;

static void
open_world(const char *orders, const char *keys)
{
	log_lines_keep();
	world_open(&world, orders, keys);
	world.master.admin_tracers = admin_tracers_create(world.master.base, &world.master);
	ck_assert_ptr_nonnull(world.master.admin_tracers);
	client = client_connect(&world);
	clock_stand_still(clock_monotonic_ns(), clock_wall_ns());
}

static void
later(int64_t ns)
{
	clock_move_to(clock_monotonic_ns() + ns);
}

static void
close_world(void)
{
	/* In the order of master.c. */
	world_close_services(&world);
	admin_tracers_destroy(world.master.admin_tracers);
	close(client.fd);
	world_close(&world);
}

/* --- hops ---------------------------------------------------------------------------------------- */

static struct hop_ring *
ring(void)
{
	return status_page_hops(master_cell_page(service_of(&world.fake, "a")->cell), 0);
}

/* A request of the service in this slot, which has ended. */
static void
write_hop(uint64_t span, uint64_t parent, uint32_t slot)
{
	int64_t now_ns = clock_monotonic_ns();

	hop_ring_add(ring(), &(struct hop){.id = {1, 2}, .span = span, .parent = parent, .slot = slot,
		.came_ns = now_ns - 10, .begun_ns = now_ns - 8, .ended_ns = now_ns - 5});
}

/* --- the client ------------------------------------------------------------------------------------ */

/* rest: more parameters, each behind its comma. */
static void
trace_by(const struct varlink_client *by, const char *rest)
{
	char frame[512];

	snprintf(frame, sizeof(frame), "{\"method\":\"io.bayd.Container.Trace\",\"more\":true,\"parameters\":"
		"{\"service\":\"a\"%s}}", rest);
	client_send(by, frame);
}

/* The parameters of the next reply, one of several or the last one; the caller's. */
static json_t *
next_of(const struct varlink_client *by, bool last)
{
	json_t *reply = client_receive(by), *parameters;

	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(json_object_get(reply, "error"));
	ck_assert(json_is_true(json_object_get(reply, "continues")) == !last);
	parameters = json_incref(json_object_get(reply, "parameters"));
	json_decref(reply);
	return parameters;
}

static void
expect_begun_by(const struct varlink_client *by, bool slow)
{
	json_t *begun = next_of(by, false);

	ck_assert_str_eq(json_string_value(json_object_get(begun, "begun")), "a");
	ck_assert(json_is_true(json_object_get(begun, "slow")) == slow);
	ck_assert_uint_eq(json_object_size(begun), slow ? 2 : 1);
	json_decref(begun);
}

static void
begin(const char *rest)
{
	trace_by(&client, rest);
	expect_begun_by(&client, false);
}

static json_int_t
integer(const json_t *of, const char *name)
{
	const json_t *value = json_object_get(of, name);

	ck_assert_msg(json_is_integer(value), "there is no %s", name);
	return json_integer_value(value);
}

/* The next one; the caller's. */
static json_t *
next_request(void)
{
	json_t *part = next_of(&client, false), *request = json_incref(json_object_get(part, "request"));

	ck_assert_ptr_nonnull(request);
	json_decref(part);
	return request;
}

/* The next request has these spans, in this order, each as "%016x" of its number; 0: no more. */
static void
expect_spans(const uint64_t *spans)
{
	json_t *request = next_request(), *hops = json_object_get(request, "hops");
	size_t i;

	ck_assert_ptr_null(json_object_get(request, "caller"));
	for (i = 0; spans[i] != 0; i++) {
		char span[32];

		snprintf(span, sizeof(span), "%016" PRIx64, spans[i]);
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(hops, i), "span")), span);
	}
	ck_assert_uint_eq(json_array_size(hops), i);
	json_decref(request);
}

static void
expect_span(uint64_t span)
{
	expect_spans((const uint64_t[]){span, 0});
}

static void
expect_end_of(const struct varlink_client *by, int requests, int lost)
{
	json_t *last = next_of(by, true), *ended = json_object_get(last, "ended");

	ck_assert_int_eq(integer(ended, "requests"), requests);
	ck_assert_int_eq(integer(ended, "lost"), lost);
	json_decref(last);
}

static void
expect_end(int requests, int lost)
{
	expect_end_of(&client, requests, lost);
}

/* Several turns bring the client nothing. */
static void
expect_nothing(void)
{
	char byte;

	for (int i = 0; i < 10; i++)
		world_turn(&world);
	ck_assert_int_eq(recv(client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
}

/* What the cells have been told: to begin and to end, so often. */
static void
expect_told(int on, int off)
{
	while (log_lines_with("Trace {\"on\":true,\"service\":\"a\"}") < on ||
		log_lines_with("Trace {\"on\":false,\"service\":\"a\"}") < off)
		world_turn(&world);
	ck_assert_int_eq(log_lines_with("Trace {"), on + off);
}

/* --- requests ---------------------------------------------------------------------------------------- */

START_TEST(a_request_is_told_with_all_that_was_called_for_it)
{
	open_world("", "");
	begin("");
	write_hop(12, 11, 1);
	write_hop(11, 0, 0);
	expect_spans((const uint64_t[]){11, 12, 0});
	/* Of another service. */
	write_hop(13, 0, 1);
	write_hop(14, 0, 0);
	expect_span(14);
	close_world();
}
END_TEST

START_TEST(a_hop_says_what_is_known_of_it)
{
	static const struct {
		uint64_t flags, parent;
		int64_t came, begun, ended; /* 0: never */
		int32_t status;
		const char *way;
		bool one_way;
		int wait, run;
		const char *status_name;
	} rows[] = {
		{0, 0, 100, 110, 150, BAY_OK, "direct", false, 0, 40, "ok"},
		{HOP_QUEUED, 0, 100, 130, 150, BAY_OK, "queued", false, 30, 20, "ok"},
		{HOP_QUEUED, 0, 100, 0, 150, BAY_TIMEOUT, "queued", false, 50, 0, "timeout"},
		{HOP_QUEUED | HOP_ONE_WAY, 0, 100, 100, 150, BAY_OK, "queued", true, 0, 50, "ok"},
		{HOP_QUEUED | HOP_CAME_OVER, 0x77, 100, 140, 150, BAY_NOT_FOUND, "cell", false, 40, 10, "not-found"},
		{0, 0x77, 100, 110, 150, 9999, "direct", false, 0, 40, NULL},
	};

	open_world("", "");
	begin("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hop hop = {.id = {UINT64_C(0x4bf92f3577b34da6), UINT64_C(0xa3ce929d0e0e4736)}, .span = 0xabc,
			.parent = rows[i].parent, .came_ns = rows[i].came, .begun_ns = rows[i].begun, .ended_ns = rows[i].ended,
			.status = rows[i].status, .flags = rows[i].flags, .caller = "b"};
		json_t *request, *told;

		hop_ring_add(ring(), &hop);
		request = next_request();
		ck_assert_str_eq(json_string_value(json_object_get(request, "trace")), "4bf92f3577b34da6a3ce929d0e0e4736");
		ck_assert_str_eq(json_string_value(json_object_get(request, "caller")), "b");
		ck_assert(json_is_false(json_object_get(request, "continues")));
		ck_assert_ptr_null(json_object_get(request, "left_out"));
		ck_assert_int_gt(integer(request, "time_wall_ns"), 0);
		told = json_array_get(json_object_get(request, "hops"), 0);
		ck_assert_int_eq(integer(told, "level"), 0);
		ck_assert_str_eq(json_string_value(json_object_get(told, "service")), "a");
		ck_assert_str_eq(json_string_value(json_object_get(told, "cell")), "main");
		ck_assert_str_eq(json_string_value(json_object_get(told, "way")), rows[i].way);
		ck_assert(json_is_true(json_object_get(told, "one_way")) == rows[i].one_way);
		ck_assert_int_eq(integer(told, "start_ns"), 0);
		ck_assert_int_eq(integer(told, "wait_ns"), rows[i].wait);
		ck_assert_int_eq(integer(told, "run_ns"), rows[i].run);
		ck_assert_int_eq(integer(told, "total_ns"), 50);
		ck_assert_str_eq(json_string_value(json_object_get(told, "span")), "0000000000000abc");
		if (rows[i].status_name != NULL)
			ck_assert_str_eq(json_string_value(json_object_get(told, "status")), rows[i].status_name);
		if (rows[i].parent != 0)
			ck_assert_str_eq(json_string_value(json_object_get(told, "parent")), "0000000000000077");
		else
			ck_assert_ptr_null(json_object_get(told, "parent"));
		json_decref(request);
	}
	close_world();
}
END_TEST

START_TEST(what_ends_behind_its_request_is_told_as_its_continuation_and_is_not_counted)
{
	json_t *request;

	open_world("", "");
	begin(",\"limit\":2");
	write_hop(11, 0, 0);
	expect_span(11);
	write_hop(12, 11, 1);
	request = next_request();
	ck_assert(json_is_true(json_object_get(request, "continues")));
	json_decref(request);
	write_hop(13, 0, 0);
	expect_span(13);
	expect_end(2, 0);
	close_world();
}
END_TEST

START_TEST(of_a_large_tree_is_said_how_many_hops_are_left_out)
{
	json_t *request;

	open_world("", "");
	begin("");
	for (uint64_t i = 0; i < HOP_TREE_MAX + 9; i++)
		write_hop(100 + i, 11, 1);
	write_hop(11, 0, 0);
	request = next_request();
	ck_assert_uint_eq(json_array_size(json_object_get(request, "hops")), HOP_TREE_MAX);
	ck_assert_int_eq(integer(request, "left_out"), 10);
	json_decref(request);
	close_world();
}
END_TEST

START_TEST(a_page_that_holds_anything_is_told_as_text)
{
	struct hop hop;
	json_t *request;

	open_world("", "");
	begin("");
	memset(&hop, 0xff, sizeof(hop));
	hop.slot = 0;
	hop.flags = 0;
	hop_ring_add(ring(), &hop);
	request = next_request();
	ck_assert_ptr_nonnull(json_string_value(json_object_get(request, "caller")));
	json_decref(request);
	atomic_store(&ring()->written, UINT64_MAX);
	json_decref(next_of(&client, false)); /* so many are lost */
	close_world();
}
END_TEST

/* --- which, and how many ------------------------------------------------------------------------------- */

START_TEST(what_came_before_is_not_told)
{
	struct varlink_client second;

	open_world("", "");
	write_hop(11, 0, 0);
	begin("");
	write_hop(12, 0, 0);
	expect_span(12);
	/* Nor what another one was told already. */
	second = client_connect(&world);
	trace_by(&second, "");
	expect_begun_by(&second, false);
	write_hop(13, 0, 0);
	expect_span(13);
	close(client.fd);
	client = second;
	expect_span(13);
	close_world();
}
END_TEST

START_TEST(what_ended_while_it_was_read_is_told_the_next_time)
{
	open_world("", "");
	begin("");
	/* Hops of other rings may be missing yet. */
	hop_ring_add(ring(), &(struct hop){.span = 11, .ended_ns = clock_monotonic_ns()});
	write_hop(12, 0, 0);
	expect_span(12);
	expect_nothing();
	later(1);
	expect_span(11);
	expect_nothing();
	close_world();
}
END_TEST

START_TEST(a_limit_ends_it_behind_so_many_requests)
{
	open_world("tell=Trace\n", "");
	begin(",\"limit\":2");
	for (uint64_t i = 1; i <= 3; i++)
		write_hop(i, 0, 0);
	expect_span(1);
	expect_span(2);
	expect_end(2, 0);
	expect_told(1, 1);
	/* The connection can be used again. */
	begin(",\"limit\":1");
	write_hop(9, 0, 0);
	expect_span(9);
	expect_end(1, 0);
	expect_told(2, 2);
	close_world();
}
END_TEST

START_TEST(a_time_ends_it_whatever_came)
{
	open_world("", "");
	begin(",\"for_ns\":1000000");
	later(999999);
	write_hop(11, 0, 0);
	expect_span(11);
	later(1);
	expect_end(1, 0);
	begin(",\"for_ns\":1,\"limit\":5");
	later(1);
	expect_end(0, 0);
	/* Nobody lives to see that. */
	begin(",\"for_ns\":9223372036854775807");
	later(INT64_C(1000000000000));
	write_hop(12, 0, 0);
	expect_span(12);
	expect_nothing();
	close_world();
}
END_TEST

START_TEST(with_a_traceparent_only_its_trace_is_told)
{
	open_world("", "");
	begin(",\"traceparent\":\"00-00000000000000010000000000000002-00f067aa0ba902b7-01\"");
	hop_ring_add(ring(), &(struct hop){.id = {1, 3}, .span = 11, .ended_ns = 1});
	hop_ring_add(ring(), &(struct hop){.id = {2, 2}, .span = 12, .ended_ns = 1});
	hop_ring_add(ring(), &(struct hop){.id = {1, 2}, .span = 13, .ended_ns = 1});
	expect_span(13);
	close_world();
}
END_TEST

/* --- refusals -------------------------------------------------------------------------------------------- */

START_TEST(what_cannot_be_traced_is_refused_with_the_reason)
{
	static const struct {
		const char *parameters, *words;
	} rows[] = {
		{"{\"service\":\"nobody\"}", "nobody"},
		{"{}", "service"},
		{"{\"service\":7}", "service"},
		{"{\"service\":\"a\",\"traceparent\":\"\"}", "the traceparent is not valid"},
		{"{\"service\":\"a\",\"traceparent\":\"00-0-0-01\"}", "the traceparent is not valid"},
		{"{\"service\":\"a\",\"traceparent\":\"00-00000000000000000000000000000000-00f067aa0ba902b7-01\"}",
			"the traceparent is not valid"},
		{"{\"service\":\"a\",\"for_ns\":-1}", "for_ns"},
		{"{\"service\":\"a\",\"for_ns\":\"1s\"}", "for_ns"},
		{"{\"service\":\"a\",\"limit\":0}", "limit"},
		{"{\"service\":\"a\",\"limit\":1.5}", "limit"},
	};
	char frame[400];

	open_world("tell=Trace\n", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *reply, *parameters;
		char *text;

		snprintf(frame, sizeof(frame), "{\"method\":\"io.bayd.Container.Trace\",\"more\":true,\"parameters\":%s}",
			rows[i].parameters);
		client_send(&client, frame);
		reply = client_receive(&client);
		ck_assert_msg(json_object_get(reply, "error") != NULL, "row %zu is taken", i);
		parameters = json_object_get(reply, "parameters");
		text = json_dumps(parameters, 0);
		ck_assert_msg(strstr(text, rows[i].words) != NULL, "row %zu: %s", i, text);
		free(text);
		json_decref(reply);
	}
	world.master.state = MASTER_DRAINING;
	trace_by(&client, "");
	client_expect_error(&client, "io.bayd.Container.Closed", "stop");
	world.master.state = MASTER_READY;
	ck_assert_int_eq(log_lines_with("Trace {"), 0);
	close_world();
}
END_TEST

START_TEST(so_many_may_trace_and_no_more_until_one_of_them_ends)
{
	struct varlink_client others[HOP_READERS_MAX];

	open_world("tell=Trace\n", "");
	for (int i = 0; i < HOP_READERS_MAX; i++) {
		others[i] = client_connect(&world);
		trace_by(&others[i], ",\"limit\":1000");
		expect_begun_by(&others[i], false);
	}
	trace_by(&client, "");
	client_expect_error(&client, "io.bayd.Container.Full", "32 are tracing already: wait until one of them ends");
	/* The one in the middle. */
	close(others[17].fd);
	world_turn(&world);
	begin("");
	write_hop(11, 0, 0);
	expect_span(11);
	/* All of them are told all. */
	for (int i = 0; i < HOP_READERS_MAX; i++) {
		if (i == 17)
			continue;
		json_decref(next_of(&others[i], false));
		close(others[i].fd);
	}
	write_hop(12, 0, 0);
	expect_span(12);
	expect_told(1, 0);
	close_world();
}
END_TEST

/* --- cells -------------------------------------------------------------------------------------------------- */

START_TEST(a_cell_records_while_anybody_traces)
{
	struct varlink_client second;

	open_world("tell=Trace\n", "");
	second = client_connect(&world);
	begin("");
	trace_by(&second, "");
	expect_begun_by(&second, false);
	expect_told(1, 0);
	close(client.fd);
	write_hop(11, 0, 0);
	json_decref(next_of(&second, false));
	expect_told(1, 0);
	close(second.fd);
	expect_told(1, 1);
	client = client_connect(&world);
	begin("");
	expect_told(2, 1);
	close_world();
}
END_TEST

START_TEST(it_has_begun_when_the_cell_records_or_is_too_slow_in_saying_so)
{
	open_world("trace=silent tell=Trace\n", "");
	trace_by(&client, "");
	expect_told(1, 0);
	/* One of its loops may hang. */
	later(CLOCK_NS_PER_S - 1);
	expect_nothing();
	later(1);
	expect_begun_by(&client, true);
	write_hop(11, 0, 0);
	expect_span(11);
	close_world();
}
END_TEST

START_TEST(of_a_service_that_does_not_run_it_has_begun_at_once)
{
	open_world("trace=silent tell=Trace\n", "");
	service_control_stop(service_of(&world.fake, "a"), false, fake_master_on_done, &world.fake);
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_STOPPED));
	world.fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	UNTIL(&world.fake, master_cell_process(supervisor_cell(world.fake.supervisor, 0)) == NULL);
	begin("");
	ck_assert_int_eq(log_lines_with("Trace {"), 0);
	close_world();
}
END_TEST

START_TEST(the_next_process_of_the_cell_is_told_to_record_as_well)
{
	pid_t pid;

	open_world("tell=Trace\ntell=Trace\n", "");
	begin("");
	pid = cell_process_pid(master_cell_process(service_of(&world.fake, "a")->cell));
	write_hop(11, 0, 0);
	expect_span(11);
	/* It is known by the time at which it was started. */
	later(1);
	cell_process_kill(master_cell_process(service_of(&world.fake, "a")->cell));
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_READY) &&
		cell_process_pid(master_cell_ready(service_of(&world.fake, "a")->cell)) != pid);
	expect_told(2, 0);
	write_hop(12, 0, 0);
	expect_span(12);
	close(client.fd);
	expect_told(2, 1);
	client = client_connect(&world);
	close_world();
}
END_TEST

START_TEST(a_service_that_moves_is_recorded_where_it_is)
{
	struct varlink_client second;
	struct master_service *a;

	open_world("tell=Trace\ntrace=silent tell=Trace\n", "");
	a = service_of(&world.fake, "a");
	begin("");
	expect_told(1, 0);
	later(1);
	/* To a cell of its own. */
	a->apart = true;
	supervisor_place(world.fake.supervisor, a);
	master_cell_need(a->cell);
	UNTIL(&world.fake, master_cell_ready(a->cell) != NULL);
	expect_told(2, 1);
	/* That has not said yet that it records. */
	second = client;
	client = client_connect(&world);
	trace_by(&client, "");
	expect_nothing();
	later(CLOCK_NS_PER_S);
	expect_begun_by(&client, true);
	close(second.fd);
	close_world();
}
END_TEST

/* --- what is lost, and the end ------------------------------------------------------------------------------- */

START_TEST(hops_that_nobody_has_read_in_time_are_told_as_lost)
{
	json_t *part;

	open_world("", "");
	begin(",\"limit\":1000");
	/* In one go, so that nobody can. */
	for (uint64_t i = 1; i <= HOP_RING_SIZE + 5; i++)
		write_hop(i, 0, 0);
	part = next_of(&client, false);
	ck_assert_int_eq(integer(part, "lost"), 5);
	json_decref(part);
	expect_span(6);
	for (uint64_t i = 7; i <= 1005; i++)
		expect_span(i);
	expect_end(1000, 5);
	close_world();
}
END_TEST

enum { UNREAD = 16000 };

/* So many that there is no room for all, while the client reads nothing. */
static void
write_unread(void)
{
	for (uint64_t i = 1; i <= UNREAD; i++) {
		write_hop(i, 0, 0);
		/* Long enough for a look at the ring. */
		for (int turns = 0; i % 1000 == 0 && turns < 8; turns++)
			world_turn(&world);
	}
}

START_TEST(a_client_that_does_not_read_gets_what_there_is_room_for_and_hears_what_it_missed)
{
	int64_t requests = 0, lost = 0;

	open_world("", "");
	begin(",\"for_ns\":3600000000000");
	write_unread();
	while (requests + lost < UNREAD) {
		json_t *part = next_of(&client, false);

		if (json_object_get(part, "lost") != NULL)
			lost += integer(part, "lost");
		else
			requests++;
		json_decref(part);
	}
	ck_assert_int_eq(requests + lost, UNREAD);
	ck_assert_int_gt(lost, 0);
	ck_assert_int_ge(requests, HOP_STORE_MAX);
	close_world();
}
END_TEST

START_TEST(a_time_ends_it_also_for_a_client_that_does_not_read)
{
	const json_t *parameters;
	json_t *reply;
	int requests = 0;

	open_world("tell=Trace\n", "");
	begin(",\"for_ns\":1000000000");
	write_unread();
	expect_told(1, 0);
	later(1000000000);
	expect_told(1, 1);
	/* What there was room for before that, and then the end. */
	while (reply = client_receive(&client), json_is_true(json_object_get(reply, "continues"))) {
		requests += json_object_get(json_object_get(reply, "parameters"), "request") != NULL;
		json_decref(reply);
	}
	parameters = json_object_get(reply, "parameters");
	ck_assert_int_eq(integer(json_object_get(parameters, "ended"), "requests"), requests);
	ck_assert_int_lt(requests + integer(json_object_get(parameters, "ended"), "lost"), UNREAD);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(who_still_traces_is_answered_when_the_container_ends)
{
	open_world("tell=Trace\n", "");
	begin("");
	write_hop(11, 0, 0);
	expect_span(11);
	world_close_services(&world);
	admin_tracers_destroy(world.master.admin_tracers);
	expect_end(1, 0);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(nothing_is_a_set_of_tracers_that_can_be_destroyed)
{
	admin_tracers_destroy(NULL);
}
END_TEST

CHECK_MAIN("master/admin_trace",
	a_request_is_told_with_all_that_was_called_for_it,
	a_hop_says_what_is_known_of_it,
	what_ends_behind_its_request_is_told_as_its_continuation_and_is_not_counted,
	of_a_large_tree_is_said_how_many_hops_are_left_out,
	a_page_that_holds_anything_is_told_as_text,
	what_came_before_is_not_told,
	what_ended_while_it_was_read_is_told_the_next_time,
	a_limit_ends_it_behind_so_many_requests,
	a_time_ends_it_whatever_came,
	with_a_traceparent_only_its_trace_is_told,
	what_cannot_be_traced_is_refused_with_the_reason,
	so_many_may_trace_and_no_more_until_one_of_them_ends,
	a_cell_records_while_anybody_traces,
	it_has_begun_when_the_cell_records_or_is_too_slow_in_saying_so,
	of_a_service_that_does_not_run_it_has_begun_at_once,
	the_next_process_of_the_cell_is_told_to_record_as_well,
	a_service_that_moves_is_recorded_where_it_is,
	hops_that_nobody_has_read_in_time_are_told_as_lost,
	a_client_that_does_not_read_gets_what_there_is_room_for_and_hears_what_it_missed,
	a_time_ends_it_also_for_a_client_that_does_not_read,
	who_still_traces_is_answered_when_the_container_ends,
	nothing_is_a_set_of_tracers_that_can_be_destroyed)
