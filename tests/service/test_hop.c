/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/hop.h"

#include <string.h>

#include <bay/bay.h>

#include "base/hop_ring.h"
#include "base/hop_table.h"
#include "runtime/await.h"
#include "service/trace.h"
#include "support/services.h"

static struct bay_service *outer, *leaf, *task, *queued, *noting[2];
static uint64_t next, lost;
static struct hop hop;

/* --- services ---------------------------------------------------------------------- */

static int
answer(struct bay_request *request)
{
	if (strcmp(bay_request_text(request), "fail") == 0)
		return bay_fail(request, BAY_IO, "no disk");
	return bay_reply_text(request, "answered");
}

/* Its answer is that of the queue: there it has to wait. */
static int
answer_later(struct bay_request *request)
{
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return answer(request);
}

/* Asks all others, and itself once. */
static int
ask_all(struct bay_request *request)
{
	char text[BAY_TRACEPARENT_SIZE];

	if (strcmp(bay_request_text(request), "inner") == 0)
		return bay_reply_text(request, "inner");
	services_expect_text(leaf, "", BAY_OK, "answered");
	services_expect_text(task, "", BAY_OK, "answered");
	services_expect_text(queued, "", BAY_OK, "answered");
	services_expect_text(outer, "inner", BAY_OK, "inner");
	ck_assert_int_eq(bay_send(task, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	return bay_reply_text(request, text + 53);
}

static unsigned open_count;
static enum hop_place_state open_state; /* of the last one */

static void
look_at_open_ones(void)
{
	struct hop open;

	open_count = 0;
	for (uint16_t place = 1; place <= HOP_TABLE_SIZE; place++) {
		enum hop_place_state state = hop_table_read(status_page_hop_table(services_page()), place, &open);

		if (state == HOP_PLACE_FREE)
			continue;
		open_count++;
		open_state = state;
		hop = open;
	}
}

/* On a thread of the pool. */
static int
note_elsewhere(void *arg)
{
	(void)arg;
	hop_note_crash_elsewhere(await_elsewhere);
	return BAY_OK;
}

/* As the handler of a crash does it, in the code of a leaf and of a task. */
static int
note(struct bay_request *request)
{
	if (strcmp(bay_request_text(request), "crash") == 0)
		hop_note_crash(scheduler_here);
	else if (strcmp(bay_request_text(request), "crash elsewhere") == 0)
		ck_assert_int_eq(bay_blocking("note", note_elsewhere, NULL, NULL, NULL, BAY_INHERIT), BAY_OK);
	else
		hop_note_stall(scheduler_here);
	look_at_open_ones();
	return bay_reply_text(request, "noted");
}

/* What plugins are made of lives as long as this runs. */
static void
run(bay_task_fn *fn)
{
	services_begin(0);
	outer = services_start(&(struct service_options){.name = "outer", .plugin = PLUGIN(.handle = ask_all)});
	leaf = services_start(&(struct service_options){.name = "leaf", .plugin = PLUGIN(.handle = answer, .flags = BAY_LEAF)});
	task = services_start(&(struct service_options){.name = "task", .plugin = PLUGIN(.handle = answer)});
	queued = services_start(&(struct service_options){.name = "queued", .concurrency = 1, .queue = 1,
		.plugin = PLUGIN(.handle = answer_later)});
	for (int i = 0; i < 2; i++)
		noting[i] = services_start(&(struct service_options){.name = i == 0 ? "noting" : "noting-leaf",
			.plugin = PLUGIN(.handle = note, .flags = i == 0 ? 0 : BAY_LEAF)});
	next = lost = 0;
	ck_assert_int_eq(services_run(fn, NULL), BAY_OK);
	services_end();
}

/* As a cell does it, on its loop. */
static void
trace(struct bay_service *service, bool on)
{
	hop_set_traced(service, on);
	instance_see_gate(service->instances[0]);
}

static bool
read_hop(void)
{
	return hop_ring_read(status_page_hops(services_page(), 0), &next, &hop, &lost);
}

static void
expect_hop(const struct bay_service *service, int status, uint64_t flags)
{
	ck_assert(read_hop());
	ck_assert_uint_eq(hop.slot, service->slot);
	ck_assert_int_eq(hop.status, status);
	ck_assert_uint_eq(hop.flags, flags);
	ck_assert(!trace_id_is_none(&hop.id));
	ck_assert_uint_ne(hop.span, 0);
	ck_assert(hop.came_ns > 0 && hop.ended_ns >= hop.came_ns);
}

#define IN_A_TASK(name) \
	static int name##_body(void *arg); \
	START_TEST(name) \
	{ \
		run(name##_body); \
	} \
	END_TEST \
	static int name##_body(void *arg __attribute__((unused)))

/* --- tests ------------------------------------------------------------------------- */

IN_A_TASK(while_nobody_traces_nothing_is_recorded)
{
	services_expect_text(outer, "", BAY_OK, "00");
	services_expect_text(queued, "fail", BAY_IO, NULL);
	ck_assert(!read_hop());
	return BAY_OK;
}

IN_A_TASK(a_call_of_a_traced_service_is_recorded_and_goes_its_way)
{
	struct bay_service *const services[] = {leaf, task};

	for (int i = 0; i < 2; i++) {
		uint64_t direct = services_figures(services[i]).direct;

		trace(services[i], true);
		services_expect_text(services[i], "", BAY_OK, "answered");
		services_expect_text(services[i], "fail", BAY_IO, NULL);
		trace(services[i], false);
		services_expect_text(services[i], "", BAY_OK, "answered");
		ck_assert_uint_eq(services_figures(services[i]).direct, direct + 3);
		expect_hop(services[i], BAY_OK, 0);
		ck_assert(hop.begun_ns >= hop.came_ns && hop.begun_ns <= hop.ended_ns);
		ck_assert_uint_eq(hop.parent, 0);
		ck_assert_str_eq(hop.caller, "");
		expect_hop(services[i], BAY_IO, 0);
		ck_assert(!read_hop());
	}
	return BAY_OK;
}

IN_A_TASK(all_that_is_called_for_it_is_recorded_with_its_span)
{
	struct bay_message *message = bay_message_printf("keep it busy");
	struct bay_task *busy = bay_call_start(queued, message);
	uint64_t parents[5];
	int i;

	bay_message_free(message);
	trace(outer, true);
	/* Who is recorded says so to those outside. */
	services_expect_text(outer, "", BAY_OK, "01");
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 4; i++) {
		struct bay_service *const services[] = {leaf, task, queued, outer};
		static const uint64_t flags[] = {0, 0, HOP_QUEUED, HOP_AGAIN};

		expect_hop(services[i], BAY_OK, flags[i]);
		ck_assert_str_eq(hop.caller, "outer");
		parents[i] = hop.parent;
	}
	/* What is sent may be served before its sender has ended, or after. */
	ck_assert(read_hop());
	if (hop.slot == task->slot) {
		parents[4] = hop.parent;
		expect_hop(outer, BAY_OK, 0);
	} else {
		uint64_t span = hop.span;

		while (!read_hop())
			ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
		ck_assert_uint_eq(hop.flags, HOP_QUEUED | HOP_ONE_WAY);
		parents[4] = hop.parent;
		hop.span = span;
	}
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(parents[i], hop.span);
	/* What is not called for it is not. */
	services_expect_text(leaf, "", BAY_OK, "answered");
	services_expect_text(task, "", BAY_OK, "answered");
	ck_assert(!read_hop());
	return BAY_OK;
}

IN_A_TASK(what_is_never_begun_is_recorded_too)
{
	struct bay_message *message = bay_message_printf("keep it busy");
	struct bay_task *busy = bay_call_start(queued, message), *second = bay_call_start(queued, message);
	struct bay_task *canceled;

	trace(queued, true);
	/* Its queue has room for one. */
	services_expect_text(queued, "", BAY_FULL, NULL);
	expect_hop(queued, BAY_FULL, HOP_QUEUED);
	ck_assert_int_eq(hop.begun_ns, 0);
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_OK);
	busy = bay_call_start(queued, message);
	canceled = bay_call_start(queued, message);
	bay_task_cancel(canceled, "not needed");
	ck_assert_int_eq(bay_join(canceled, BAY_INHERIT), BAY_CANCELED);
	expect_hop(queued, BAY_CANCELED, HOP_QUEUED);
	ck_assert_int_eq(hop.begun_ns, 0);
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	expect_hop(queued, BAY_OK, 0);
	ck_assert(!read_hop());
	bay_message_free(message);
	return BAY_OK;
}

IN_A_TASK(a_call_that_waits_in_the_queue_is_recorded_with_that_time)
{
	struct bay_message *message = bay_message_printf("keep it busy");
	struct bay_task *busy = bay_call_start(queued, message);

	trace(queued, true);
	services_expect_text(queued, "", BAY_OK, "answered");
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	expect_hop(queued, BAY_OK, HOP_QUEUED);
	ck_assert(hop.begun_ns > hop.came_ns);
	ck_assert(hop.ended_ns - hop.begun_ns >= BAY_MS / 2);
	ck_assert(!read_hop());
	bay_message_free(message);
	return BAY_OK;
}

IN_A_TASK(hops_belong_to_the_trace_from_outside)
{
	ck_assert_int_eq(bay_trace_begin("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), BAY_OK);
	trace(leaf, true);
	services_expect_text(leaf, "", BAY_OK, "answered");
	expect_hop(leaf, BAY_OK, 0);
	ck_assert(hop.id.high == UINT64_C(0x4bf92f3577b34da6) && hop.id.low == UINT64_C(0xa3ce929d0e0e4736));
	ck_assert_uint_eq(hop.parent, UINT64_C(0x00f067aa0ba902b7));
	return BAY_OK;
}

/* --- what has not ended ---------------------------------------------------------------- */

IN_A_TASK(a_hop_stands_among_those_that_have_not_ended_until_it_has)
{
	struct bay_message *message = bay_message_printf("keep it busy");
	struct bay_task *busy;

	hop_set_page(services_page());
	trace(queued, true);
	busy = bay_call_start(queued, message);
	look_at_open_ones();
	ck_assert_uint_eq(open_count, 1);
	ck_assert_uint_eq(hop.slot, queued->slot);
	ck_assert_int_eq(open_state, HOP_PLACE_OPEN);
	ck_assert(hop.came_ns > 0 && hop.begun_ns >= hop.came_ns && hop.ended_ns == 0);
	ck_assert_uint_ne(hop.span, 0);
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	look_at_open_ones();
	ck_assert_uint_eq(open_count, 0);
	expect_hop(queued, BAY_OK, 0);
	bay_message_free(message);
	hop_set_page(NULL);
	return BAY_OK;
}

IN_A_TASK(what_waits_in_the_queue_has_come_and_not_begun)
{
	struct bay_message *message = bay_message_printf("keep it busy");
	struct bay_task *busy = bay_call_start(queued, message), *second;

	hop_set_page(services_page());
	trace(queued, true);
	second = bay_call_start(queued, message);
	look_at_open_ones();
	ck_assert_uint_eq(open_count, 1);
	ck_assert(hop.came_ns > 0 && hop.begun_ns == 0 && hop.flags == HOP_QUEUED);
	ck_assert_int_eq(bay_join(busy, BAY_INHERIT), BAY_OK);
	do {
		ck_assert_int_eq(bay_yield(), BAY_OK);
		look_at_open_ones();
	} while (open_count == 1 && hop.begun_ns == 0);
	ck_assert(open_count == 1 && hop.begun_ns > hop.came_ns && hop.flags == HOP_QUEUED);
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_OK);
	look_at_open_ones();
	ck_assert_uint_eq(open_count, 0);
	bay_message_free(message);
	hop_set_page(NULL);
	return BAY_OK;
}

IN_A_TASK(a_crash_and_a_stall_are_those_of_the_request_whose_code_runs)
{
	hop_set_page(services_page());
	for (int i = 0; i < 2; i++) {
		/* Of one that is not recorded, nothing. */
		services_expect_text(noting[i], "crash", BAY_OK, "noted");
		ck_assert_uint_eq(open_count, 0);
		trace(noting[i], true);
		services_expect_text(noting[i], "crash", BAY_OK, "noted");
		ck_assert_uint_eq(open_count, 1);
		ck_assert_int_eq(open_state, HOP_PLACE_CRASHED);
		ck_assert_uint_eq(hop.slot, noting[i]->slot);
		services_expect_text(noting[i], "stall", BAY_OK, "noted");
		ck_assert_uint_eq(open_count, 1);
		ck_assert_int_eq(open_state, HOP_PLACE_STALLED);
	}
	look_at_open_ones();
	ck_assert_uint_eq(open_count, 0);
	hop_set_page(NULL);
	return BAY_OK;
}

IN_A_TASK(a_crash_on_another_thread_is_that_of_the_request_that_it_works_for)
{
	hop_set_page(services_page());
	services_expect_text(noting[0], "crash elsewhere", BAY_OK, "noted");
	ck_assert_uint_eq(open_count, 0);
	trace(noting[0], true);
	services_expect_text(noting[0], "crash elsewhere", BAY_OK, "noted");
	ck_assert_uint_eq(open_count, 1);
	ck_assert_int_eq(open_state, HOP_PLACE_CRASHED);
	ck_assert_uint_eq(hop.slot, noting[0]->slot);
	hop_set_page(NULL);
	return BAY_OK;
}

CHECK_MAIN("service/hop",
	while_nobody_traces_nothing_is_recorded,
	a_call_of_a_traced_service_is_recorded_and_goes_its_way,
	all_that_is_called_for_it_is_recorded_with_its_span,
	what_is_never_begun_is_recorded_too,
	a_call_that_waits_in_the_queue_is_recorded_with_that_time,
	hops_belong_to_the_trace_from_outside,
	a_hop_stands_among_those_that_have_not_ended_until_it_has,
	what_waits_in_the_queue_has_come_and_not_begun,
	a_crash_and_a_stall_are_those_of_the_request_whose_code_runs,
	a_crash_on_another_thread_is_that_of_the_request_that_it_works_for)
