/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls from outside to services on loops of their own. The test's thread is the control
 * thread, and the master.
 */
#include "config.h"

#include "cell/outside_call.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/trace.h>

#include "base/clock.h"
#include "cell/control.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "protocol/varlink_stream.h"
#include "service/service_queue.h"
#include "support/cell_control.h"
#include "support/services.h"

/* --- handlers ---------------------------------------------------------------------------- */

static atomic_bool gate;
static atomic_int handled;

static int
echo(struct bay_request *request)
{
	atomic_fetch_add(&handled, 1);
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* Echoes when the gate is open, and minds nobody before. */
static int
hold(struct bay_request *request)
{
	atomic_fetch_add(&handled, 1);
	while (!atomic_load(&gate)) {
		(void)bay_sleep(BAY_MS);
		(void)bay_yield();
	}
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

static atomic_int told_why;

/* Waits until it is cancelled, and looks why. */
static int
wait_for_the_end(struct bay_request *request)
{
	int status;

	atomic_fetch_add(&handled, 1);
	status = bay_sleep(3600 * BAY_SECOND);
	atomic_fetch_add(&told_why, strcmp(bay_cancel_reason(), CELL_CALLER_GONE) == 0);
	return bay_fail(request, status, "cut short");
}

static int
complain(struct bay_request *request)
{
	return bay_fail(request, BAY_NOT_PERMITTED, "not %s", bay_request_text(request));
}

static int
tell_trace(struct bay_request *request)
{
	char text[BAY_TRACEPARENT_SIZE];

	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	return bay_reply_text(request, text);
}

static int
give_much(struct bay_request *request)
{
	struct bay_message *reply;
	char *much = malloc(100000);
	int status;

	memset(much, 'm', 100000);
	reply = bay_message(much, 100000);
	free(much);
	status = bay_reply_message(request, &reply);
	bay_message_free(reply);
	return status;
}

/* --- the control thread -------------------------------------------------------------------- */

static struct bay_service *service;

#define START(...) \
	service = services_start(&(struct service_options){.name = "s", __VA_ARGS__})

static void
begin(unsigned loops)
{
	atomic_store(&gate, false);
	atomic_store(&handled, 0);
	services_begin(loops);
	cell_control_begin();
}

static void
end(void)
{
	atomic_store(&gate, true);
	services_end();
	cell_control_end();
}

static void
ask_with_fds(int64_t id, const struct cell_call *asked, const char *member, json_t *value,
	struct varlink_fds *fds)
{
	json_t *parameters = cell_call_to_json(asked);
	struct varlink_call call = {.method = CELL_CALL, .parameters = parameters, .has_id = true, .id = id};

	ck_assert_ptr_nonnull(parameters);
	if (member != NULL)
		json_object_set_new(parameters, member, value);
	outside_call_begin(cell_control, &cell_control_loop, &call, fds);
	json_decref(parameters);
}

static void
ask(int64_t id, const struct cell_call *asked, const char *text)
{
	struct varlink_fds fds = {.count = 0};

	ask_with_fds(id, asked, text != NULL ? "text" : NULL, text != NULL ? json_string(text) : NULL, &fds);
}

static void
call(int64_t id, const char *text, int64_t timeout_ns)
{
	ask(id, &(struct cell_call){.service = "s", .timeout_ns = timeout_ns}, text);
}

static void
send_one_way(int64_t id, const char *text, int64_t timeout_ns)
{
	ask(id, &(struct cell_call){.service = "s", .timeout_ns = timeout_ns, .one_way = true}, text);
}

static void
expect(int64_t id, const char *status, const char *text)
{
	const struct cell_answer *answer = cell_control_answer(id);

	ck_assert_msg(strcmp(answer->status, status) == 0 && strstr(answer->text, text) != NULL,
		"call %d: %s: %s", (int)id, answer->status, answer->text);
}

/* Lets the loops work, but not the control thread. */
static void
until_handled(int times)
{
	while (atomic_load(&handled) < times)
		sched_yield();
}

static void
until_queued(uint64_t length, uint64_t waiting)
{
	struct status_service_view view;

	do {
		sched_yield();
		view = services_figures(service);
	} while (view.queue_length != length || view.waiting_senders != waiting);
}

static void
let_time_pass(int64_t span_ns)
{
	int64_t end_ns = clock_monotonic_ns() + span_ns;

	while (clock_monotonic_ns() < end_ns)
		sched_yield();
}

/* --- calls ----------------------------------------------------------------------------------- */

START_TEST(a_call_is_answered_with_its_reply)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = echo));
	call(1, "ping", BAY_SECOND);
	call(2, NULL, 0);
	expect(1, "ok", "ping");
	expect(2, "ok", "");
	ck_assert_uint_eq(cell_control_answer(2)->size, 0);
	end();
}
END_TEST

START_TEST(large_bodies_go_by_descriptor_both_ways)
{
	struct varlink_fds fds = {.count = 1};
	const struct cell_answer *answer;
	char *much = malloc(90000);

	begin(1);
	START(.plugin = PLUGIN(.handle = give_much));
	call(1, "give", 0);
	answer = cell_control_answer(1);
	ck_assert_str_eq(answer->status, "ok");
	ck_assert_uint_eq(answer->size, 100000);
	ck_assert(answer->text[0] == 'm' && answer->text[99999] == 'm');
	ck_assert_ptr_nonnull(json_object_get(answer->parameters, "body_fd"));
	ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));

	START(.plugin = PLUGIN(.handle = echo));
	memset(much, 'x', 90000);
	fds.fd[0] = body_memfd_create(much, 90000);
	ask_with_fds(2, &(struct cell_call){.service = "s"}, "body_fd", json_integer(0), &fds);
	varlink_fds_close(&fds);
	answer = cell_control_answer(2);
	ck_assert_uint_eq(answer->size, 90000);
	ck_assert_int_eq(memcmp(answer->text, much, 90000), 0);
	end();
	free(much);
}
END_TEST

START_TEST(a_failure_is_answered_with_its_status_and_text)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = complain));
	call(1, "today", 0);
	expect(1, "not-permitted", "not today");
	ck_assert(cell_control_answer(1)->of_handler);
	ask(2, &(struct cell_call){.service = "nobody"}, "x");
	ck_assert(!cell_control_answer(2)->of_handler);
	end();
}
END_TEST

START_TEST(what_cannot_begin_is_refused_at_once)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = echo), .queue_bytes = 10);
	ask(1, &(struct cell_call){.service = "nobody"}, "x");
	ask(2, &(struct cell_call){.service = "no/name"}, "x");
	call(3, "far too much of it", 0);
	send_one_way(4, "far too much of it", 0);
	ask_with_fds(5, &(struct cell_call){.service = "s"}, "body_fd", json_integer(0), &(struct varlink_fds){.count = 0});
	ask_with_fds(6, &(struct cell_call){.service = "s"}, "timeout_ns", json_string("long"), &(struct varlink_fds){.count = 0});
	ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
	call(7, "x", 0);
	send_one_way(8, "x", 0);
	/* Nobody else had to do anything for it. */
	ck_assert(cell_control_is_answered(8));
	expect(1, "not-found", "there is no service 'nobody'");
	expect(2, "not-found", "there is no such service");
	expect(3, "too-big", "queue_bytes = 10");
	expect(4, "too-big", "queue_bytes = 10");
	expect(5, "invalid", "");
	expect(6, "invalid", "timeout_ns");
	expect(7, "closed", "service s is stopped");
	expect(8, "closed", "service s is stopped");
	end();
}
END_TEST

START_TEST(each_call_has_a_trace_of_its_own)
{
	char first[BAY_TRACEPARENT_SIZE];

	begin(1);
	START(.plugin = PLUGIN(.handle = tell_trace));
	call(1, NULL, 0);
	call(2, NULL, 0);
	snprintf(first, sizeof first, "%s", cell_control_answer(1)->text);
	ck_assert_uint_eq(strlen(first), BAY_TRACEPARENT_SIZE - 1);
	ck_assert_int_ne(strncmp(first, cell_control_answer(2)->text, 35), 0);
	end();
}
END_TEST

/* What the handler has of a call that came with this header, if any. */
static const char *
trace_of_call(int64_t id, const char *traceparent)
{
	ask(id, &(struct cell_call){.service = "s", .traceparent = traceparent}, NULL);
	return cell_control_answer(id)->text;
}

START_TEST(a_call_belongs_to_the_trace_that_it_comes_with)
{
	static const char header[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	const char *text;

	begin(1);
	START(.plugin = PLUGIN(.handle = tell_trace));
	text = trace_of_call(1, header);
	ck_assert_int_eq(strncmp(text, header, 36), 0);
	/* The span is that of the request. */
	ck_assert_str_ne(text, header);
	ck_assert_str_eq(text + 53, "01");
	/* What is none is no reason to refuse the call. */
	text = trace_of_call(2, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01");
	ck_assert_uint_eq(strlen(text), BAY_TRACEPARENT_SIZE - 1);
	ck_assert_int_ne(strncmp(text, header, 35), 0);
	ck_assert_str_eq(text + 53, "00");
	end();
}
END_TEST

/* Calls until a handler has it: where it is slow, a deadline may come before. Returns how many
 * calls it took. */
static int64_t
call_until_handled(int64_t id, const char *text, int64_t timeout_ns)
{
	int before = atomic_load(&handled);
	int64_t calls = 1;

	for (;; calls++) {
		uint64_t late = services_figures(service).timeouts;

		call(id + calls - 1, text, timeout_ns);
		while (atomic_load(&handled) == before && services_figures(service).timeouts == late)
			sched_yield();
		if (atomic_load(&handled) > before)
			return calls;
		expect(id + calls - 1, "timeout", "deadline");
		timeout_ns *= 2;
	}
}

/* --- deadlines --------------------------------------------------------------------------------- */

START_TEST(a_call_is_given_up_at_its_deadline_whatever_the_callee_does)
{
	int64_t before_ns, calls;

	begin(1);
	START(.plugin = PLUGIN(.handle = hold));
	before_ns = clock_monotonic_ns();
	calls = call_until_handled(1, "late", 10 * BAY_MS);
	expect(calls, "timeout", "service s did not answer before the deadline");
	ck_assert_int_ge(clock_monotonic_ns() - before_ns, 10 * BAY_MS);
	ck_assert_uint_eq(services_figures(service).in_flight, 1);
	end();
}
END_TEST

/* The record of a call that was given up is likely to be that of the next one. */
START_TEST(a_reply_after_the_deadline_does_not_hit_the_next_call)
{
	int64_t id, late = 0;

	begin(1);
	START(.plugin = PLUGIN(.handle = hold));
	while (atomic_load(&handled) < 20)
		late += call_until_handled(late + 1, "late", 10 * BAY_MS);
	for (id = 1; id <= late; id++)
		expect(id, "timeout", "deadline");
	for (id = late + 1; id <= late + 20; id++)
		call(id, "next", 0);
	until_handled(40);
	ck_assert(!cell_control_is_answered(late + 1));
	atomic_store(&gate, true);
	for (id = late + 1; id <= late + 20; id++)
		expect(id, "ok", "next");
	end();
}
END_TEST

/* It lies in the inbox when the deadline comes. */
START_TEST(a_reply_on_its_way_at_the_deadline_is_too_late)
{
	int64_t id;

	begin(1);
	START(.plugin = PLUGIN(.handle = echo));
	id = call_until_handled(1, "here", 5 * BAY_MS);
	while (services_figures(service).in_flight > 0)
		sched_yield();
	let_time_pass(6 * BAY_MS * (INT64_C(1) << (id - 1)));
	loop_poll(&cell_control_loop);
	ck_assert(cell_control_is_answered(id));
	call(id + 1, "next", 0);
	expect(id, "timeout", "deadline");
	expect(id + 1, "ok", "next");
	end();
}
END_TEST

START_TEST(a_call_that_waits_in_the_queue_is_taken_out_at_its_deadline)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1, .queue = 1, .overflow = OVERFLOW_WAIT);
	call(1, "holds", 0);
	until_handled(1);
	call(2, "queued", 5 * BAY_MS);
	call(3, "before the queue", 5 * BAY_MS);
	until_queued(1, 1);
	expect(2, "timeout", "deadline");
	expect(3, "timeout", "deadline");
	until_queued(0, 0);
	atomic_store(&gate, true);
	expect(1, "ok", "holds");
	ck_assert_int_eq(atomic_load(&handled), 1);
	ck_assert_uint_eq(services_figures(service).timeouts, 2);
	end();
}
END_TEST

START_TEST(the_services_timeout_is_the_longest)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1, .timeout_ns = 10 * BAY_MS);
	call(1, "its own", 0);
	call(2, "longer", 1000 * BAY_SECOND);
	call(3, "shorter", BAY_MS);
	expect(1, "timeout", "deadline");
	expect(2, "timeout", "deadline");
	expect(3, "timeout", "deadline");
	end();
}
END_TEST

START_TEST(a_timeout_beyond_all_time_is_no_end)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = echo));
	call(1, "there is time", INT64_MAX);
	expect(1, "ok", "there is time");
	end();
}
END_TEST

/* --- callers that go ------------------------------------------------------------------------- */

START_TEST(a_call_is_cancelled_when_its_caller_has_gone)
{
	begin(1);
	atomic_store(&told_why, 0);
	START(.plugin = PLUGIN(.handle = wait_for_the_end));
	call(1, "given up", 0);
	call(2, "stays", 0);
	until_handled(2);
	control_cancel(cell_control, 1);
	expect(1, "canceled", "the caller is gone");
	while (services_figures(service).in_flight > 1)
		sched_yield();
	ck_assert_int_eq(atomic_load(&told_why), 1);
	cell_control_turn();
	ck_assert(!cell_control_is_answered(2));
	control_cancel(cell_control, 2);
	expect(2, "canceled", "the caller is gone");
	while (services_figures(service).in_flight > 0)
		sched_yield();
	ck_assert_int_eq(atomic_load(&told_why), 2);
	end();
}
END_TEST

START_TEST(a_call_in_the_queue_is_taken_out_when_its_caller_has_gone)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1, .queue = 1, .overflow = OVERFLOW_WAIT);
	call(1, "holds", 0);
	until_handled(1);
	call(2, "queued", 0);
	call(3, "before the queue", 0);
	until_queued(1, 1);
	control_cancel(cell_control, 3);
	control_cancel(cell_control, 2);
	expect(2, "canceled", "the caller is gone");
	expect(3, "canceled", "the caller is gone");
	until_queued(0, 0);
	atomic_store(&gate, true);
	expect(1, "ok", "holds");
	ck_assert_int_eq(atomic_load(&handled), 1);
	end();
}
END_TEST

START_TEST(what_nobody_waits_for_is_not_cancelled_twice_nor_after_its_answer)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1);
	control_cancel(cell_control, 1);
	call(1, "waits", 0);
	until_handled(1);
	control_cancel(cell_control, 7);
	atomic_store(&gate, true);
	expect(1, "ok", "waits");
	control_cancel(cell_control, 1);
	atomic_store(&gate, false);
	call(2, "holds", 0);
	until_handled(2);
	control_cancel(cell_control, 2);
	control_cancel(cell_control, 2);
	expect(2, "canceled", "the caller is gone");
	end();
}
END_TEST

/* --- one way ------------------------------------------------------------------------------------- */

START_TEST(one_way_is_answered_when_the_queue_has_it)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1);
	send_one_way(1, "first", 0);
	send_one_way(2, "second", 0);
	ck_assert(cell_control_is_answered(1) && cell_control_is_answered(2));
	expect(1, "ok", "");
	expect(2, "ok", "");
	atomic_store(&gate, true);
	until_handled(2);
	end();
}
END_TEST

/* As for those who send it inside: nobody waits, so its time begins with its handler. */
START_TEST(one_way_has_no_deadline_in_the_queue)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1);
	send_one_way(1, "holds", 0);
	until_handled(1);
	send_one_way(2, "waits", 2 * BAY_MS);
	expect(1, "ok", "");
	expect(2, "ok", "");
	let_time_pass(3 * BAY_MS);
	cell_control_turn();
	atomic_store(&gate, true);
	until_handled(2);
	while (services_figures(service).served < 2)
		sched_yield();
	ck_assert_uint_eq(services_figures(service).timeouts, 0);
	end();
}
END_TEST

static const struct bay_plugin *const holder = PLUGIN(.handle = hold);

static void
fill_the_queue(void)
{
	START(.plugin = holder, .concurrency = 1, .queue = 1, .overflow = OVERFLOW_WAIT);
	send_one_way(1, "holds", 0);
	until_handled(1);
	send_one_way(2, "fills", 0);
	expect(1, "ok", "");
	expect(2, "ok", "");
}

START_TEST(one_way_waits_for_room_in_the_queue)
{
	begin(1);
	fill_the_queue();
	send_one_way(3, "waits", 0);
	send_one_way(4, "waits longer", BAY_SECOND * 1000);
	until_queued(1, 2);
	cell_control_turn();
	ck_assert(!cell_control_is_answered(3) && !cell_control_is_answered(4));
	atomic_store(&gate, true);
	expect(3, "ok", "");
	expect(4, "ok", "");
	until_handled(4);
	end();
}
END_TEST

START_TEST(one_way_that_finds_no_room_in_time_has_not_been_sent)
{
	begin(1);
	fill_the_queue();
	send_one_way(3, "too late", 5 * BAY_MS);
	until_queued(1, 1);
	expect(3, "timeout", "the queue of service s had no room in time");
	until_queued(1, 0);
	atomic_store(&gate, true);
	until_handled(2);
	end();
	ck_assert_int_eq(atomic_load(&handled), 2);
}
END_TEST

START_TEST(one_way_whose_sender_has_gone_is_taken_back_from_before_the_queue_only)
{
	begin(1);
	START(.plugin = holder, .concurrency = 1, .queue = 1, .overflow = OVERFLOW_WAIT);
	send_one_way(1, "holds", 0);
	until_handled(1);
	send_one_way(2, "fills", 0);
	send_one_way(3, "waits", 0);
	until_queued(1, 1);
	control_cancel(cell_control, 1);
	control_cancel(cell_control, 2);
	control_cancel(cell_control, 3);
	until_queued(1, 0);
	expect(1, "ok", "");
	expect(2, "ok", "");
	expect(3, "canceled", "the caller is gone");
	atomic_store(&gate, true);
	until_handled(2);
	end();
	ck_assert_int_eq(atomic_load(&handled), 2);
}
END_TEST

/* The ticket lies in the inbox when the deadline comes: the message is in the queue, and its
 * sender must not be told otherwise. */
START_TEST(one_way_that_got_its_room_at_the_deadline_has_been_sent)
{
	begin(1);
	fill_the_queue();
	send_one_way(3, "just in time", 5 * BAY_MS);
	until_queued(1, 1);
	atomic_store(&gate, true);
	until_handled(3);
	let_time_pass(6 * BAY_MS);
	loop_poll(&cell_control_loop);
	ck_assert(!cell_control_is_answered(3));
	send_one_way(4, "next", 0);
	expect(3, "ok", "");
	expect(4, "ok", "");
	until_handled(4);
	end();
}
END_TEST

START_TEST(a_stop_answers_everybody)
{
	begin(1);
	fill_the_queue();
	call(3, "waits", 0);
	send_one_way(4, "waits too", 0);
	until_queued(1, 2);
	service_queue_flush(service, "it has stopped");
	expect(3, "closed", "service s: it has stopped");
	expect(4, "closed", "service s: it has stopped");
	end();
}
END_TEST

START_TEST(what_the_policy_drops_is_told)
{
	begin(1);
	START(.plugin = PLUGIN(.handle = hold), .concurrency = 1, .queue = 1, .overflow = OVERFLOW_DROP_OLDEST);
	call(1, "holds", 0);
	until_handled(1);
	call(2, "oldest", 0);
	call(3, "newest", 0);
	expect(2, "full", "dropped from the full queue of service s");
	atomic_store(&gate, true);
	expect(1, "ok", "holds");
	expect(3, "ok", "newest");
	end();
}
END_TEST

/* --- all at once ------------------------------------------------------------------------------------ */

/* Takes about as long as the calls have. */
static int
take_a_while(struct bay_request *request)
{
	int64_t n;

	ck_assert_int_eq(bay_request_int64(request, &n), BAY_OK);
	if (n % 3 != 0 && bay_sleep(n % 7 * (BAY_MS / 4)) != BAY_OK)
		return bay_fail(request, BAY_CANCELED, "cancelled");
	return bay_reply_int64(request, n);
}

START_TEST(each_call_is_answered_once_and_by_its_own_reply)
{
	enum { CALLS = 3000, AT_ONCE = 50 };
	char text[32];
	int64_t id;

	begin(2);
	START(.plugin = PLUGIN(.handle = take_a_while), .loops = 3, .concurrency = 8, .queue = 10,
		.overflow = OVERFLOW_WAIT);
	for (id = 1; id <= CALLS + AT_ONCE; id++) {
		snprintf(text, sizeof text, "%" PRId64, id);
		if (id <= CALLS && id % 5 == 0)
			send_one_way(id, text, id % 11 * (BAY_MS / 8));
		else if (id <= CALLS)
			call(id, text, id % 13 * (BAY_MS / 8));
		if (id > AT_ONCE) {
			const struct cell_answer *answer = cell_control_answer(id - AT_ONCE);

			snprintf(text, sizeof text, "%" PRId64, id - AT_ONCE);
			if (strcmp(answer->status, "ok") == 0)
				ck_assert_str_eq(answer->text, (id - AT_ONCE) % 5 == 0 ? "" : text);
			else
				ck_assert_msg(strcmp(answer->status, "timeout") == 0, "%s", answer->text);
		}
	}
	end();
}
END_TEST

CHECK_MAIN("cell/outside_call",
	a_call_is_answered_with_its_reply,
	large_bodies_go_by_descriptor_both_ways,
	a_failure_is_answered_with_its_status_and_text,
	what_cannot_begin_is_refused_at_once,
	each_call_has_a_trace_of_its_own,
	a_call_belongs_to_the_trace_that_it_comes_with,
	a_call_is_given_up_at_its_deadline_whatever_the_callee_does,
	a_reply_after_the_deadline_does_not_hit_the_next_call,
	a_reply_on_its_way_at_the_deadline_is_too_late,
	a_call_that_waits_in_the_queue_is_taken_out_at_its_deadline,
	the_services_timeout_is_the_longest,
	a_timeout_beyond_all_time_is_no_end,
	a_call_is_cancelled_when_its_caller_has_gone,
	a_call_in_the_queue_is_taken_out_when_its_caller_has_gone,
	what_nobody_waits_for_is_not_cancelled_twice_nor_after_its_answer,
	one_way_is_answered_when_the_queue_has_it,
	one_way_has_no_deadline_in_the_queue,
	one_way_waits_for_room_in_the_queue,
	one_way_that_finds_no_room_in_time_has_not_been_sent,
	one_way_whose_sender_has_gone_is_taken_back_from_before_the_queue_only,
	one_way_that_got_its_room_at_the_deadline_has_been_sent,
	a_stop_answers_everybody,
	what_the_policy_drops_is_told,
	each_call_is_answered_once_and_by_its_own_reply)
