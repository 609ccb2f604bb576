/* SPDX-License-Identifier: BSD-2-Clause */
/* Gates by the host: what loops do of it, and whether it is said rightly that nothing is left. */
#include "config.h"

#include "cell/host_gate.h"

#include <sched.h>

#include "cell/hosts.h"
#include "protocol/cell_link.h"
#include "service/instance.h"
#include "service/registry.h"

static struct cell_gate_seen seen;
static bool was_seen;

static void
on_seen(const struct cell_gate_seen *what, int64_t id, void *arg)
{
	(void)id;
	(void)arg;
	seen = *what;
	was_seen = true;
}

/* Sets it for service a and waits until all loops have seen it. */
static void
set_gate(enum cell_gate_state state)
{
	const struct cell_gate gate = {.service = "a", .state = state, .by = "user 7"};

	was_seen = false;
	ck_assert(host_gate(host, &gate, on_seen, 1));
	while (!was_seen)
		turn();
}

static bool
is_direct(unsigned loop)
{
	return registry_get("a")->instances[loop]->direct;
}

static void
wait_queued(size_t count)
{
	while (registry_get("a")->queued != count)
		sched_yield();
}

START_TEST(a_paused_service_is_called_by_way_of_its_queue_and_begins_nothing)
{
	struct call call = {0};

	begin(2);
	start("a", 0, NULL);
	ck_assert(is_direct(0) && is_direct(1));
	set_gate(CELL_GATE_PAUSED);
	ck_assert(!is_direct(0) && !is_direct(1));
	ck_assert(seen.idle);
	begin_call(&call, 0, "a");
	wait_queued(1);
	set_gate(CELL_GATE_PAUSED);
	ck_assert(!seen.idle);
	ck_assert_int_eq(seen.queued, 1);
	ck_assert_int_eq(seen.running, 0);
	set_gate(CELL_GATE_OPEN);
	join_call(&call);
	ck_assert_int_eq(call.status, BAY_OK);
	while (!is_direct(0) || !is_direct(1))
		set_gate(CELL_GATE_OPEN);
	finish();
}
END_TEST

START_TEST(new_code_of_a_paused_service_begins_nothing_either)
{
	struct call call = {0};
	int64_t id;

	begin(1);
	start("a", 1, NULL);
	set_gate(CELL_GATE_PAUSED);
	begin_call(&call, 0, "a");
	wait_queued(1);
	id = begin_swap("a", PROBE, 2);
	ck_assert_int_eq(wait_for(id).status, BAY_OK);
	ck_assert(!is_direct(0));
	ck_assert_uint_eq(registry_get("a")->queued, 1);
	set_gate(CELL_GATE_OPEN);
	join_call(&call);
	ck_assert_int_eq(call.status, BAY_OK);
	ck_assert(is_direct(0));
	finish();
}
END_TEST

START_TEST(a_gate_may_be_set_before_the_start)
{
	struct call call = {0};

	begin(1);
	set_gate(CELL_GATE_PAUSED);
	ck_assert(seen.idle);
	start("a", 1, NULL);
	ck_assert(!is_direct(0));
	begin_call(&call, 0, "a");
	wait_queued(1);
	set_gate(CELL_GATE_OPEN);
	join_call(&call);
	ck_assert_int_eq(call.status, BAY_OK);
	finish();
}
END_TEST

START_TEST(a_stop_refuses_what_a_paused_service_has_queued)
{
	struct call call = {0};

	begin(1);
	start("a", 1, NULL);
	set_gate(CELL_GATE_PAUSED);
	begin_call(&call, 0, "a");
	wait_queued(1);
	ck_assert_int_eq(stop("a", 1000 * BAY_SECOND).status, BAY_OK);
	join_call(&call);
	ck_assert_int_eq(call.status, BAY_CLOSED);
	finish();
}
END_TEST

START_TEST(one_that_is_drained_refuses_calls_from_everywhere_and_ends_what_it_has)
{
	struct call call = {0};

	begin(1);
	start("a", 1, "handle waits");
	begin_call(&call, 0, "a");
	do
		set_gate(CELL_GATE_OPEN);
	while (seen.running == 0);
	set_gate(CELL_GATE_CLOSED);
	ck_assert(!seen.idle);
	ck_assert_int_eq(seen.running, 1);
	expect("a", BAY_CLOSED, "service a takes no new requests: it was drained by user 7 [service-drained]");
	ck_assert(!call.done);
	ck_assert_int_eq(stop("a", 0).status, BAY_OK);
	join_call(&call);
	set_gate(CELL_GATE_CLOSED);
	set_gate(CELL_GATE_CLOSED);
	ck_assert(seen.idle);
	finish();
}
END_TEST

START_TEST(a_name_that_is_none_is_refused)
{
	const struct cell_gate gate = {.service = "a b", .state = CELL_GATE_PAUSED};

	begin(1);
	ck_assert(!host_gate(host, &gate, on_seen, 1));
	finish();
}
END_TEST

CHECK_MAIN("cell/host_gate",
	a_paused_service_is_called_by_way_of_its_queue_and_begins_nothing,
	new_code_of_a_paused_service_begins_nothing_either,
	a_gate_may_be_set_before_the_start,
	a_stop_refuses_what_a_paused_service_has_queued,
	one_that_is_drained_refuses_calls_from_everywhere_and_ends_what_it_has,
	a_name_that_is_none_is_refused)
