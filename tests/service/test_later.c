/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/later.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/services.h"

enum { FAR = 3600 };

static struct bay_service *sender, *receiver;
static struct bay_event *gate;          /* lets the handlers of "gated" go on */
static _Atomic(unsigned) received;
static char order[64];

/* The sender runs what it is given a pointer to. */
static int
run_pointer(struct bay_request *request)
{
	bay_task_fn *fn;
	void *pointer = services_request_pointer(request);

	memcpy(&fn, pointer, sizeof fn);
	return bay_reply_int64(request, fn(NULL));
}

static void
as_sender(bay_task_fn *fn)
{
	struct bay_message *message = services_pointer(&fn), *reply = NULL;
	int64_t result = -1;

	ck_assert_int_eq(bay_call(sender, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_message_read_int64(reply, &result), BAY_OK);
	ck_assert_int_eq(result, BAY_OK);
	bay_message_free(message);
	bay_message_free(reply);
}

static int
note(struct bay_request *request)
{
	ck_assert(!bay_request_wants_reply(request));
	strncat(order, bay_request_text(request), sizeof order - strlen(order) - 1);
	received++;
	return BAY_OK;
}

static int
note_behind_gate(struct bay_request *request)
{
	int status = bay_event_wait(gate, BAY_INHERIT);

	return status == BAY_OK ? note(request) : status;
}

static void
begin(const struct bay_plugin *plugin, enum overflow_policy overflow)
{
	static const struct bay_plugin sends = {.size = sizeof sends, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = run_pointer};

	services_begin(0);
	received = 0;
	order[0] = '\0';
	sender = services_start(&(struct service_options){.name = "sender", .plugin = &sends});
	receiver = services_start(&(struct service_options){.name = "receiver", .plugin = plugin,
		.concurrency = 1, .queue = 1, .overflow = overflow});
}

/* Begins, runs body as a task, ends. */
#define WITH_RECEIVER(test_, handle_, overflow_)                    \
	static int test_##_main(void *arg);                             \
	START_TEST(test_)                                               \
	{                                                              \
		static const struct bay_plugin plugin = {                  \
			.size = sizeof plugin, .abi_major = BAY_ABI_MAJOR,     \
			.name = "test", .version = "1", .handle = handle_};    \
		begin(&plugin, overflow_);                                 \
		ck_assert_int_eq(services_run(test_##_main, NULL), BAY_OK); \
		services_end();                                            \
	}                                                              \
	END_TEST                                                       \
	static int test_##_main(void *arg __attribute__((unused)))

static void
send_later(const char *text, int64_t when_ns, uint64_t *id_r)
{
	struct bay_message *message = bay_message_printf("%s", text);

	ck_assert_int_eq(bay_send_later(receiver, message, when_ns, id_r), BAY_OK);
	bay_message_free(message);
}

static void
await_received(unsigned count)
{
	while (received < count)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

static struct bay_instance *
sending(void)
{
	return sender->instances[0];
}

static void
await_sent(void)
{
	while (later_count(sending()) > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

/* --- in time -------------------------------------------------------------------------- */

static int64_t not_before;

static int
send_three(void *arg)
{
	(void)arg;
	not_before = bay_after(6 * BAY_MS);
	send_later("c", not_before, NULL);
	send_later("a", 0, NULL);
	send_later("b", bay_after(2 * BAY_MS), NULL);
	/* Not in the call, whatever the time. */
	ck_assert_uint_eq(received, 0);
	return BAY_OK;
}

WITH_RECEIVER(messages_go_when_their_time_has_come, note, OVERFLOW_WAIT)
{
	as_sender(send_three);
	await_received(3);
	ck_assert_int_ge(bay_now(), not_before);
	ck_assert_str_eq(order, "abc");
	ck_assert_uint_eq(later_count(sending()), 0);
	return BAY_OK;
}

static int
send_and_cancel(void *arg)
{
	uint64_t first, second, third;

	(void)arg;
	send_later("x", bay_after(FAR * BAY_SECOND), &first);
	send_later("y", bay_after(FAR * BAY_SECOND), &second);
	ck_assert_uint_ne(first, second);
	ck_assert_int_eq(bay_send_cancel(first), BAY_OK);
	ck_assert_int_eq(bay_send_cancel(first), BAY_NOT_FOUND);
	/* It has the place of the first and is not the first. */
	send_later("z", bay_after(FAR * BAY_SECOND), &third);
	ck_assert_int_eq(bay_send_cancel(first), BAY_NOT_FOUND);
	ck_assert_uint_eq(later_count(sending()), 2);
	ck_assert_int_eq(bay_send_cancel(third), BAY_OK);
	ck_assert_int_eq(bay_send_cancel(second), BAY_OK);
	ck_assert_int_eq(bay_send_cancel(0), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_send_cancel(UINT64_MAX), BAY_NOT_FOUND);
	return BAY_OK;
}

WITH_RECEIVER(one_that_is_taken_back_is_not_sent, note, OVERFLOW_WAIT)
{
	as_sender(send_and_cancel);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(received, 0);
	ck_assert_uint_eq(later_count(sending()), 0);
	return BAY_OK;
}

static int
send_too_many(void *arg)
{
	uint64_t id;
	unsigned i;

	(void)arg;
	for (i = 0; i < LATER_MAX; i++)
		ck_assert_int_eq(bay_send_later(receiver, NULL, bay_after(FAR * BAY_SECOND), &id), BAY_OK);
	ck_assert_int_eq(bay_send_later(receiver, NULL, 0, NULL), BAY_FULL);
	ck_assert_int_eq(bay_send_cancel(id), BAY_OK);
	ck_assert_int_eq(bay_send_later(receiver, NULL, bay_after(FAR * BAY_SECOND), NULL), BAY_OK);
	ck_assert_int_eq(bay_send_later(NULL, NULL, 0, NULL), BAY_NOT_FOUND);
	return BAY_OK;
}

WITH_RECEIVER(an_instance_has_no_more_than_so_many, note, OVERFLOW_WAIT)
{
	as_sender(send_too_many);
	log_lines_keep();
	return BAY_OK;
}

WITH_RECEIVER(code_of_no_service_is_refused, note, OVERFLOW_WAIT)
{
	log_lines_keep();
	ck_assert_int_eq(bay_send_later(receiver, NULL, 0, NULL), BAY_INVALID);
	ck_assert_int_eq(bay_send_cancel(1), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_send_later was called by code that belongs to no service"), 1);
	return BAY_OK;
}

/* --- a full queue --------------------------------------------------------------------------- */

/* One is in the handler, one in the queue, the others find it full. */
static int
send_many(void *arg)
{
	(void)arg;
	send_later("a", 0, NULL);
	while (receiver->instances[0]->in_flight == 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	send_later("b", 0, NULL);
	send_later("c", bay_after(BAY_MS), NULL);
	send_later("d", bay_after(2 * BAY_MS), NULL);
	return BAY_OK;
}

static void
send_to_the_gate(void)
{
	gate = bay_event_create(NULL);
	as_sender(send_many);
}

static void
open_gate(unsigned expected)
{
	bay_event_set(gate);
	await_received(expected);
	await_sent();
	bay_event_destroy(gate);
}

static void
await_waiting(unsigned count)
{
	while (services_figures(receiver).waiting_senders != count)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

WITH_RECEIVER(where_the_policy_is_to_wait_they_stand_in_line, note_behind_gate, OVERFLOW_WAIT)
{
	size_t tasks = scheduler_here->task_count;

	send_to_the_gate();
	await_waiting(2);
	/* Of us and the one in the handler. */
	ck_assert_uint_eq(scheduler_here->task_count, tasks + 1);
	open_gate(4);
	ck_assert_str_eq(order, "abcd");
	return BAY_OK;
}

WITH_RECEIVER(where_the_policy_is_to_refuse_they_are_lost_and_the_log_says_so, note_behind_gate, OVERFLOW_REJECT)
{
	log_lines_keep();
	send_to_the_gate();
	while (later_count(sending()) > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	open_gate(2);
	ck_assert_str_eq(order, "ab");
	ck_assert_int_eq(log_lines_with("service sender: a message for service receiver that was to be sent later is "
		"lost: the queue of service receiver is full"), 2);
	return BAY_OK;
}

WITH_RECEIVER(where_the_policy_is_to_drop_the_oldest_the_latest_come, note_behind_gate, OVERFLOW_DROP_OLDEST)
{
	send_to_the_gate();
	while (later_count(sending()) > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	open_gate(2);
	ck_assert_str_eq(order, "ad");
	return BAY_OK;
}

static int
send_far(void *arg)
{
	(void)arg;
	send_later("far", bay_after(FAR * BAY_SECOND), NULL);
	return BAY_OK;
}

static int
take_back_waiting(void *arg)
{
	uint64_t id;
	int status;

	(void)arg;
	send_later("x", 0, &id);
	await_waiting(3);
	status = bay_send_cancel(id);
	ck_assert_uint_eq(services_figures(receiver).waiting_senders, 2);
	return status;
}

WITH_RECEIVER(one_that_stands_in_line_can_be_taken_back, note_behind_gate, OVERFLOW_WAIT)
{
	send_to_the_gate();
	await_waiting(2);
	as_sender(take_back_waiting);
	open_gate(4);
	ck_assert_str_eq(order, "abcd");
	return BAY_OK;
}

/* --- ends ------------------------------------------------------------------------------------ */

/* What is done as a task, and then from outside. */
#define RUN(body) ck_assert_int_eq(services_run(body, NULL), BAY_OK)

static const struct bay_plugin gated = {.size = sizeof gated, .abi_major = BAY_ABI_MAJOR, .name = "test",
	.version = "1", .handle = note_behind_gate};

static int
leave_two_waiting(void *arg)
{
	(void)arg;
	send_to_the_gate();
	await_waiting(2);
	as_sender(send_far);
	log_lines_keep();
	return BAY_OK;
}

static int
let_two_through(void *arg)
{
	(void)arg;
	open_gate(2);
	return BAY_OK;
}

START_TEST(when_the_sender_stops_what_is_not_sent_is_dropped)
{
	begin(&gated, OVERFLOW_WAIT);
	RUN(leave_two_waiting);
	ck_assert(services_stop(sender, 0, BAY_SECOND, NULL));
	ck_assert_int_eq(log_lines_with("service sender: 3 messages that were to be sent later are dropped"), 1);
	ck_assert_uint_eq(services_figures(receiver).waiting_senders, 0);
	sender = receiver;
	RUN(let_two_through);
	services_end();
}
END_TEST

static int
send_to_nobody(void *arg)
{
	(void)arg;
	as_sender(send_three);
	/* The one of the far future stays. */
	while (later_count(sending()) > 1)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	bay_event_destroy(gate);
	return BAY_OK;
}

START_TEST(when_the_receiver_stops_they_are_lost)
{
	begin(&gated, OVERFLOW_WAIT);
	RUN(leave_two_waiting);
	ck_assert(services_stop(receiver, 0, BAY_SECOND, NULL));
	RUN(send_to_nobody);
	ck_assert_int_ge(log_lines_with("that was to be sent later is lost: service receiver"), 3);
	services_end();
}
END_TEST

static uint64_t former_id;

static int
send_far_with_id(void *arg)
{
	(void)arg;
	send_later("far", bay_after(FAR * BAY_SECOND), &former_id);
	return BAY_OK;
}

static int
send_before_the_restart(void *arg)
{
	(void)arg;
	as_sender(send_far_with_id);
	return BAY_OK;
}

static int
cancel_by_former_id(void *arg)
{
	uint64_t id;

	(void)arg;
	send_later("other", bay_after(FAR * BAY_SECOND), &id);
	ck_assert_int_eq(bay_send_cancel(former_id), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_send_cancel(id), BAY_OK);
	return BAY_OK;
}

static int
use_former_id(void *arg)
{
	(void)arg;
	as_sender(cancel_by_former_id);
	return BAY_OK;
}

START_TEST(the_number_of_a_former_instance_takes_nothing_back)
{
	static const struct bay_plugin sends = {.size = sizeof sends, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = run_pointer};
	static const struct bay_plugin notes = {.size = sizeof notes, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = note};

	begin(&notes, OVERFLOW_WAIT);
	RUN(send_before_the_restart);
	ck_assert(services_stop(sender, 0, BAY_SECOND, NULL));
	sender = services_start(&(struct service_options){.name = "sender", .plugin = &sends});
	RUN(use_former_id);
	services_end();
}
END_TEST

static int last_status;

static void
send_in_fini(struct bay_instance *instance)
{
	(void)instance;
	last_status = bay_send_later(receiver, NULL, 0, NULL);
}

START_TEST(an_instance_that_has_stopped_sends_no_more)
{
	static const struct bay_plugin plugin = {.size = sizeof plugin, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = note, .fini = send_in_fini};

	begin(&plugin, OVERFLOW_WAIT);
	last_status = -1;
	ck_assert(services_stop(receiver, 0, BAY_SECOND, NULL));
	ck_assert_int_eq(last_status, BAY_CLOSED);
	services_end();
}
END_TEST

/* --- loops that send to each other -------------------------------------------------------------- */

enum { LOOPS = 4, EACH = 2000 };

static int
count_only(struct bay_request *request)
{
	(void)request;
	received++;
	return BAY_OK;
}

/* Some are taken back while they go. */
static int
send_storm(struct bay_request *request)
{
	uint64_t ids[EACH];
	int64_t back = 0;
	unsigned i;

	for (i = 0; i < EACH; i++)
		ck_assert_int_eq(bay_send_later(receiver, NULL, bay_after(i % 7 * 100 * BAY_US), &ids[i]), BAY_OK);
	for (i = 0; i < EACH; i += 3) {
		back += bay_send_cancel(ids[i]) == BAY_OK;
		if (i % 30 == 0)
			ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	while (later_count(bay_request_instance(request)) > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return bay_reply_int64(request, back);
}

static int
call_storm(void *arg)
{
	struct bay_message *reply = NULL;
	int64_t back;

	ck_assert_int_eq(bay_call(sender, NULL, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_message_read_int64(reply, &back), BAY_OK);
	bay_message_free(reply);
	*(int64_t *)arg = back;
	return BAY_OK;
}

START_TEST(from_several_loops_each_is_sent_or_taken_back)
{
	struct services_job *jobs[LOOPS];
	int64_t back[LOOPS], sum = 0;
	unsigned i;

	services_begin(LOOPS);
	received = 0;
	sender = services_start(&(struct service_options){.name = "sender", .plugin = PLUGIN(.handle = send_storm),
		.loops = 15});
	receiver = services_start(&(struct service_options){.name = "receiver", .plugin = PLUGIN(.handle = count_only),
		.loops = 6, .queue = 3, .overflow = OVERFLOW_WAIT});
	for (i = 0; i < LOOPS; i++)
		jobs[i] = services_go(i, call_storm, &back[i]);
	for (i = 0; i < LOOPS; i++) {
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
		sum += back[i];
	}
	/* What has its place may not have been handled. */
	ck_assert(services_stop(receiver, 30 * BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_int_eq(received + sum, LOOPS * EACH);
	services_end();
}
END_TEST

CHECK_MAIN("service/later",
	messages_go_when_their_time_has_come,
	one_that_is_taken_back_is_not_sent,
	an_instance_has_no_more_than_so_many,
	code_of_no_service_is_refused,
	where_the_policy_is_to_wait_they_stand_in_line,
	where_the_policy_is_to_refuse_they_are_lost_and_the_log_says_so,
	where_the_policy_is_to_drop_the_oldest_the_latest_come,
	one_that_stands_in_line_can_be_taken_back,
	when_the_sender_stops_what_is_not_sent_is_dropped,
	when_the_receiver_stops_they_are_lost,
	the_number_of_a_former_instance_takes_nothing_back,
	an_instance_that_has_stopped_sends_no_more,
	from_several_loops_each_is_sent_or_taken_back)
