/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens at the other end of a link when a cell says there what it must not, or nothing. */
#include "config.h"

#include "service/peer_link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/bay.h>

#include "base/alloc.h"
#include "loop/loop.h"
#include "service/peer.h"
#include "support/services.h"
#include "support/two_cells.h"

/* A service whose plugin outlives the function that starts it. */
#define START(name_, handle_, ...)                                                        \
	({                                                                                    \
		static const struct bay_plugin plugin_ = {.size = sizeof plugin_,                  \
			.abi_major = BAY_ABI_MAJOR, .name = "test", .version = "1", .handle = handle_}; \
		services_start(&(struct service_options){.name = name_, .plugin = &plugin_, __VA_ARGS__}); \
	})

static struct bay_service *far;
static struct link hand;

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static int
echo_handle(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* --- by hand ------------------------------------------------------------------------------------ */

static void
say(const struct link_record *record, uint32_t part)
{
	void *room = link_record_write(&hand.out, record, part);

	ck_assert_ptr_nonnull(room);
	memset(room, 'x', part);
	if (link_writer_publish(&hand.out))
		link_wake(&hand);
}

/* The next record of cell a. */
static struct link_record
hear(void)
{
	struct link_record record;
	struct link_view view;
	const char *why;

	while (link_reader_look(&hand.in, &view) == LINK_NOTHING)
		;
	ck_assert_ptr_null(hand.in.broken);
	ck_assert_msg(link_record_read(&view, &record, &why), "%s", why);
	link_reader_pass(&hand.in);
	if (link_reader_release(&hand.in))
		link_wake(&hand);
	return record;
}

static struct link_record
hear_kind(enum link_kind kind)
{
	struct link_record record = hear();

	while (record.kind != kind)
		record = hear();
	return record;
}

static void
begin(void)
{
	two_cells_begin(1);
	two_cells_by_hand(1, &hand);
	far = two_cells_elsewhere("far", 0);
	START("echo", echo_handle);
}

static void
end(void)
{
	two_cells_check_nothing_left();
	two_cells_end();
	link_close(&hand);
}

static void
name_echo(void)
{
	struct link_record record = {.kind = LINK_NAME, .name = {.number = 5, .name = "echo"}};

	say(&record, 0);
}

/* --- what is in order ---------------------------------------------------------------------------- */

static int
call_far(void *arg)
{
	struct bay_message *message = bay_message("12345", 5), *reply;
	int status = bay_call(far, message, &reply, BAY_INHERIT);

	if (arg != NULL)
		ck_assert_str_eq(status == BAY_OK ? bay_message_text(reply) : bay_call_error(), arg);
	bay_message_free(message);
	bay_message_free(reply);
	return status;
}

START_TEST(a_call_is_a_name_a_request_and_an_end)
{
	struct link_record record, answer = {.kind = LINK_END, .end = {.size = 3}};
	struct services_job *job;

	begin();
	job = services_go(0, call_far, (void *)"xxx");
	record = hear();
	ck_assert_int_eq(record.kind, LINK_NAME);
	ck_assert_str_eq(record.name.name, "far");
	answer.end.id = hear_kind(LINK_REQUEST).request.id;
	say(&answer, 3);
	ck_assert_int_eq(services_join(job), BAY_OK);
	/* It has not to be named again. */
	job = services_go(0, call_far, (void *)"");
	record = hear();
	ck_assert_int_eq(record.kind, LINK_REQUEST);
	ck_assert_uint_eq(record.request.size, 5);
	answer.end = (struct link_outcome){.id = record.request.id};
	say(&answer, 0);
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

START_TEST(a_request_from_there_is_served_and_answered)
{
	struct link_record request = {.kind = LINK_REQUEST, .request = {.id = 1, .deadline = BAY_INHERIT, .size = 20000,
		.service = 5}};
	struct link_record more = {.kind = LINK_MORE, .more = {.id = 1}}, answer;

	begin();
	name_echo();
	say(&request, 10000);
	say(&more, 9999);
	say(&more, 1);
	answer = hear();
	ck_assert_int_eq(answer.kind, LINK_END);
	ck_assert_uint_eq(answer.end.size, 20000);
	ck_assert_uint_eq(answer.part_size, LINK_PART_MAX);
	ck_assert_int_eq(hear().kind, LINK_MORE_END);
	/* The same number is free again. */
	request.request.size = 3;
	say(&request, 3);
	ck_assert_int_eq(hear().kind, LINK_END);
	end();
}
END_TEST

START_TEST(credit_comes_before_it_has_to_be_waited_for)
{
	struct link_record request = {.kind = LINK_REQUEST, .request = {.deadline = BAY_INHERIT, .service = 5}}, answer;
	uint32_t credit = 0;

	begin();
	name_echo();
	for (uint32_t i = 1; i <= PEER_CREDIT_MESSAGES; i++) {
		request.request.id = i;
		say(&request, 0);
	}
	while (credit < PEER_CREDIT_MESSAGES) {
		answer = hear_kind(LINK_CREDIT);
		ck_assert_uint_eq(answer.credit.service, 5);
		credit += answer.credit.messages;
	}
	ck_assert_uint_eq(credit, PEER_CREDIT_MESSAGES);
	end();
}
END_TEST

enum { WAITERS = 5000 };

static int
call_many(void *arg)
{
	static struct bay_task *calls[WAITERS];
	char bytes[300] = "";
	struct bay_message *message = bay_message(bytes, sizeof bytes);

	(void)arg;
	for (int i = 0; i < WAITERS; i++)
		calls[i] = bay_call_start(far, message);
	bay_message_free(message);
	for (int i = 0; i < WAITERS; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* Neither more than there is credit for nor more than there is room for goes out, and nothing is lost. */
START_TEST(what_there_is_no_room_for_waits)
{
	struct link_record answer = {.kind = LINK_END}, credit = {.kind = LINK_CREDIT, .credit = {.messages = 1, .bytes = 300}};
	uint64_t ids[PEER_CREDIT_MESSAGES];
	struct services_job *job;
	int heard = 0;

	begin();
	job = services_go(0, call_many, NULL);
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	while (heard < WAITERS) {
		int count = WAITERS - heard < PEER_CREDIT_MESSAGES ? WAITERS - heard : PEER_CREDIT_MESSAGES;
		struct link_view view;

		for (int i = 0; i < count; i++) {
			struct link_record record = hear_kind(LINK_REQUEST);

			ids[i] = record.request.id;
			credit.credit.service = record.request.service;
		}
		heard += count;
		ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
		ck_assert_int_eq(link_reader_look(&hand.in, &view), LINK_NOTHING);
		for (int i = 0; i < count; i++) {
			answer.end.id = ids[i];
			say(&answer, 0);
		}
		credit.credit.messages = (uint32_t)count;
		credit.credit.bytes = (uint64_t)count * 300;
		say(&credit, 0);
	}
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

static int
call_large(void *arg)
{
	static const char bytes[1 << 20];
	struct bay_message *message = bay_message(bytes, sizeof bytes);

	(void)arg;
	ck_assert_int_eq(bay_call(far, message, NULL, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	bay_message_free(message);
	return BAY_OK;
}

/* Nobody reads: the ring fills up, the loop sleeps, and the caller still has his time. */
START_TEST(a_cell_that_does_not_read_holds_nobody_up)
{
	struct link_record record;

	begin();
	ck_assert_int_eq(services_run(call_large, NULL), BAY_OK);
	/* When it reads at last, it hears of the end. */
	do
		record = hear();
	while (record.kind != LINK_CANCEL);
	ck_assert_str_eq(record.cancel.reason, "deadline");
	end();
}
END_TEST

/* The word that we sleep is in memory that others can write to: who clears it is woken all the same, and
 * so are we. */
START_TEST(what_is_not_read_wakes_the_other_side_again)
{
	struct link_record answer = {.kind = LINK_END, .end = {.size = 3}};
	struct services_job *job;
	char wakes[64];

	begin();
	/* The hand does not say that it sleeps, so nothing wakes it at first. */
	job = services_go(0, call_far, (void *)"xxx");
	while (recv(hand._fd, wakes, sizeof wakes, MSG_DONTWAIT) <= 0)
		usleep(1000);
	answer.end.id = hear_kind(LINK_REQUEST).request.id;
	say(&answer, 3);
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

/* Two cells that both believe that it is in the other. */
START_TEST(a_request_from_there_is_never_sent_on)
{
	struct link_record request = {.kind = LINK_REQUEST, .request = {.id = 1, .deadline = BAY_INHERIT, .service = 6}},
		name = {.kind = LINK_NAME, .name = {.number = 6, .name = "far"}}, answer;

	begin();
	say(&name, 0);
	for (int one_way = 0; one_way <= 1; one_way++) {
		request.request.one_way = (uint8_t)one_way;
		say(&request, 0);
		answer = hear();
		ck_assert_int_eq(answer.kind, LINK_END);
		ck_assert_int_eq(answer.end.status, BAY_CLOSED);
	}
	end();
}
END_TEST

/* The rest of a reply needs memory: without, the caller hears that instead of nothing. */
START_TEST(a_reply_that_there_is_no_memory_to_send_ends_otherwise)
{
	struct link_record request = {.kind = LINK_REQUEST, .request = {.deadline = BAY_INHERIT, .size = 20000,
		.service = 5}};
	struct link_record more = {.kind = LINK_MORE}, answer;
	bool failed = true;
	int refused = 0;

	begin();
	name_echo();
	/* The first one is in order, and makes what is kept for all. */
	for (uint64_t nth = 0; failed; nth++) {
		alloc_fail_at(nth);
		request.request.id = more.more.id = nth + 1;
		say(&request, 10000);
		say(&more, 10000);
		answer = hear_kind(LINK_END);
		failed = alloc_has_failed();
		ck_assert_int_eq(answer.end.status, failed ? BAY_NO_MEMORY : BAY_OK);
		if (answer.end.status == BAY_OK)
			ck_assert_int_eq(hear_kind(LINK_MORE_END).kind, LINK_MORE_END);
		refused += failed;
		failed = failed || nth == 0;
	}
	alloc_fail_at(0);
	ck_assert_int_gt(refused, 1);
	end();
}
END_TEST

/* --- what is not ---------------------------------------------------------------------------------- */

static int
call_dies(void *arg)
{
	ck_assert_int_eq(call_far(arg), BAY_PEER_DIED);
	return BAY_OK;
}

/* Says these after an own call is on its way, and a request of the hand has been begun: the link is
 * closed for that reason, and the call is over. */
static void
check_breaks(const struct link_record *records, const uint32_t *parts, size_t count, const char *why)
{
	struct link_record record;
	struct services_job *job;
	uint64_t id;

	begin();
	job = services_go(0, call_dies, NULL);
	record = hear_kind(LINK_REQUEST);
	id = record.request.id;
	name_echo();
	for (size_t i = 0; i < count; i++) {
		struct link_record said = records[i];

		if ((said.kind == LINK_END || said.kind == LINK_MORE_END) && said.more.id == 0)
			said.more.id = id;
		if (said.kind == LINK_CREDIT && said.credit.service == 0)
			said.credit.service = record.request.service;
		say(&said, parts != NULL ? parts[i] : 0);
	}
	ck_assert_str_eq(two_cells_await_broken(1), why);
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
	atomic_store(&two_cells.broken, 0);
}

START_TEST(an_answer_to_what_was_not_asked_breaks_the_link)
{
	const struct link_record unknown[] = {{.kind = LINK_END, .end = {.id = 99}}},
		twice[] = {{.kind = LINK_END, .end = {.size = 20000}}, {.kind = LINK_END, .end = {.size = 20000}}},
		no_begin[] = {{.kind = LINK_MORE_END}},
		too_much[] = {{.kind = LINK_END, .end = {.size = 20000}}, {.kind = LINK_MORE_END}, {.kind = LINK_MORE_END}};
	const uint32_t parts[] = {10000, 9000, 1001};

	check_breaks(unknown, NULL, 1, "it answers what it was not asked");
	check_breaks(twice, parts, 2, "it answers what it was not asked");
	check_breaks(no_begin, parts, 1, "it sends a part of a reply that has no begin");
	check_breaks(too_much, parts, 3, "a reply has more than its body");
}
END_TEST

START_TEST(a_request_that_cannot_be_breaks_the_link)
{
	const struct link_record no_service[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = 6}}},
		no_number[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = REGISTRY_MAX}}},
		no_id[] = {{.kind = LINK_REQUEST, .request = {.id = 0, .service = 5}}},
		high_id[] = {{.kind = LINK_REQUEST, .request = {.id = PEER_SENT_MAX + 1, .service = 5}}},
		no_chain[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .depth = 1, .chain = {7}}}},
		too_deep[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .depth = LINK_CHAIN_MAX}}},
		same[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .size = 20000}},
			{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .size = 20000}}},
		too_much[] = {{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .size = 20000}},
			{.kind = LINK_MORE, .more = {.id = 1}}, {.kind = LINK_MORE, .more = {.id = 1}}};
	const uint32_t parts[] = {10000, 9000, 1001};

	check_breaks(no_service, NULL, 1, "a request is for no service, or has come too far");
	check_breaks(no_number, NULL, 1, "a request is for no service, or has come too far");
	check_breaks(no_id, NULL, 1, "the id of a request cannot be");
	check_breaks(high_id, NULL, 1, "the id of a request cannot be");
	check_breaks(no_chain, NULL, 1, "a request came by way of services without names");
	check_breaks(too_deep, NULL, 1, "a request is for no service, or has come too far");
	check_breaks(same, parts, 2, "the id of a request is in use");
	check_breaks(too_much, parts, 3, "a request has more than its body");
}
END_TEST

START_TEST(names_and_credit_that_cannot_be_break_the_link)
{
	struct link_record names[PEER_INVENTED_MAX + 1] = {{.kind = LINK_NAME}};
	const struct link_record again[] = {{.kind = LINK_NAME, .name = {.number = 5, .name = "echo"}}},
		no_name[] = {{.kind = LINK_NAME, .name = {.number = 6, .name = "../x"}}},
		credit[] = {{.kind = LINK_CREDIT, .credit = {.messages = 2}}},
		bytes[] = {{.kind = LINK_CREDIT, .credit = {.messages = 1, .bytes = 6}}},
		nobody[] = {{.kind = LINK_CREDIT, .credit = {.service = UINT16_MAX}}};

	for (int i = 0; i <= PEER_INVENTED_MAX; i++) {
		names[i] = (struct link_record){.kind = LINK_NAME, .name = {.number = (uint16_t)(10 + i)}};
		snprintf(names[i].name.name, sizeof names[i].name.name, "invented-%d", i);
	}
	check_breaks(again, NULL, 1, "a number is given twice, or is none");
	check_breaks(no_name, NULL, 1, "it names services that nobody else knows");
	check_breaks(names, NULL, PEER_INVENTED_MAX + 1, "it names services that nobody else knows");
	check_breaks(credit, NULL, 1, "it gives more credit than was used");
	check_breaks(bytes, NULL, 1, "it gives more credit than was used");
	check_breaks(nobody, NULL, 1, "it gives credit for no service");
}
END_TEST

START_TEST(more_requests_than_there_is_credit_for_break_the_link)
{
	const struct link_record bytes[] = {
		{.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .size = PEER_CREDIT_BYTES}},
		{.kind = LINK_REQUEST, .request = {.id = 2, .service = 5, .size = 1}}};

	check_breaks(bytes, NULL, 2, "it sends more requests at once than it may");
}
END_TEST

START_TEST(too_many_bodies_at_once_break_the_link)
{
	struct link_record requests[PEER_STREAMS_MAX + 1];

	for (uint32_t i = 0; i <= PEER_STREAMS_MAX; i++)
		requests[i] = (struct link_record){.kind = LINK_REQUEST, .request = {.id = i + 1, .service = 5, .size = 20000}};
	check_breaks(requests, NULL, PEER_STREAMS_MAX + 1, "it sends more bodies at once than it may");
}
END_TEST

static int
call_some(void *arg)
{
	struct bay_task *calls[PEER_STREAMS_MAX + 1];

	(void)arg;
	for (int i = 0; i <= PEER_STREAMS_MAX; i++)
		calls[i] = bay_call_start(far, NULL);
	for (int i = 0; i <= PEER_STREAMS_MAX; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_PEER_DIED);
	return BAY_OK;
}

START_TEST(too_many_replies_at_once_break_the_link)
{
	struct link_record answer = {.kind = LINK_END, .end = {.size = 20000}};
	struct services_job *job;

	begin();
	job = services_go(0, call_some, NULL);
	for (int i = 0; i <= PEER_STREAMS_MAX; i++) {
		answer.end.id = hear_kind(LINK_REQUEST).request.id;
		say(&answer, 100);
	}
	ck_assert_str_eq(two_cells_await_broken(1), "it sends more bodies at once than it may");
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

/* What it has begun to send, and what it waits for, goes with it. */
START_TEST(a_cell_that_ends_leaves_nothing_behind)
{
	struct link_record request = {.kind = LINK_REQUEST, .request = {.id = 1, .service = 5, .size = 20000}};
	struct services_job *job;

	begin();
	name_echo();
	say(&request, 100);
	job = services_go(0, call_dies, (void *)"service far: cell b has ended, or the link to it (it has ended)");
	(void)hear_kind(LINK_REQUEST);
	link_close(&hand);
	ck_assert_int_eq(services_join(job), BAY_OK);
	two_cells_check_nothing_left();
	two_cells_end();
	ck_assert_int_eq(two_cells.broken, 0);
	ck_assert_int_eq(two_cells.closed, 1);
}
END_TEST

static atomic_bool may_go;

/* Keeps the loop of the link. */
static int
hold(void *arg)
{
	atomic_store((atomic_bool *)arg, true);
	while (!atomic_load(&may_go))
		;
	return BAY_OK;
}

static struct services_job *
hold_the_loop(void)
{
	static atomic_bool held;
	struct services_job *job;

	atomic_store(&held, false);
	atomic_store(&may_go, false);
	job = services_go(0, hold, &held);
	while (!atomic_load(&held))
		;
	return job;
}

/* The loop of the link has been told of the end, and has not seen to it yet. */
START_TEST(a_cell_that_is_ready_again_at_once_is_asked_for_a_link)
{
	struct link_record answer = {.kind = LINK_END, .end = {.size = 3}};
	struct services_job *held, *job;

	begin();
	held = hold_the_loop();
	peer_ended("b");
	peer_ready("b");
	atomic_store(&may_go, true);
	ck_assert_int_eq(services_join(held), BAY_OK);
	link_close(&hand);
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	job = services_go(0, call_far, (void *)"xxx");
	while (atomic_load(&two_cells.wanted) == 0)
		;
	two_cells_by_hand(2, &hand);
	answer.end.id = hear_kind(LINK_REQUEST).request.id;
	say(&answer, 3);
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

/* The next link is there before what was sent by the last one comes back. */
START_TEST(what_is_asked_again_goes_by_the_link_that_is_there)
{
	struct link_record answer = {.kind = LINK_END, .end = {.size = 3}};
	struct services_job *held, *job;
	struct link last;

	begin();
	peer_route_set(far, "b", false, 1);
	job = services_go(0, call_far, (void *)"xxx");
	(void)hear_kind(LINK_REQUEST);
	held = hold_the_loop();
	peer_ended("b");
	peer_ready("b");
	last = hand;
	two_cells_by_hand(2, &hand);
	atomic_store(&may_go, true);
	ck_assert_int_eq(services_join(held), BAY_OK);
	answer.end.id = hear_kind(LINK_REQUEST).request.id;
	say(&answer, 3);
	ck_assert_int_eq(services_join(job), BAY_OK);
	link_close(&last);
	end();
	/* The master has said so itself. */
	ck_assert_int_eq(two_cells.closed, 0);
}
END_TEST

/* A call that the other cell has when it ends, with that word about what it crashed over. */
static void
crash_over(const char *text, uint64_t off)
{
	struct services_job *job;

	begin();
	peer_route_set_poison(far, 1);
	job = services_go(0, call_dies, (void *)(uintptr_t)text);
	link_blame(&hand, hear_kind(LINK_REQUEST).request.id + off);
	link_close(&hand);
	ck_assert_int_eq(services_join(job), BAY_OK);
	services_check_nothing_left();
	two_cells_end();
}

START_TEST(a_request_that_a_cell_crashed_over_becomes_a_dead_letter)
{
	crash_over("service far: cell b has ended: it crashed over this message, which is a dead letter now, "
		"after 1 crash (bayctl dlq ls far)", 0);
}
END_TEST

/* What it says may be anything. */
START_TEST(a_request_that_a_cell_did_not_crash_over_is_none)
{
	crash_over("service far: cell b has ended, or the link to it (it has ended)", UINT64_C(1) << 32);
}
END_TEST

CHECK_MAIN("service/peer_link",
	a_request_that_a_cell_crashed_over_becomes_a_dead_letter,
	a_request_that_a_cell_did_not_crash_over_is_none,
	a_call_is_a_name_a_request_and_an_end,
	a_request_from_there_is_served_and_answered,
	credit_comes_before_it_has_to_be_waited_for,
	what_there_is_no_room_for_waits,
	a_cell_that_does_not_read_holds_nobody_up,
	what_is_not_read_wakes_the_other_side_again,
	a_request_from_there_is_never_sent_on,
	a_reply_that_there_is_no_memory_to_send_ends_otherwise,
	an_answer_to_what_was_not_asked_breaks_the_link,
	a_request_that_cannot_be_breaks_the_link,
	names_and_credit_that_cannot_be_break_the_link,
	more_requests_than_there_is_credit_for_break_the_link,
	too_many_bodies_at_once_break_the_link,
	too_many_replies_at_once_break_the_link,
	a_cell_that_ends_leaves_nothing_behind,
	a_cell_that_is_ready_again_at_once_is_asked_for_a_link,
	what_is_asked_again_goes_by_the_link_that_is_there)
