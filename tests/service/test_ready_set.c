/* SPDX-License-Identifier: BSD-2-Clause */
/* The sets by themselves: loops that do not run, instances that are only filled in. */
#include "config.h"

#include "service/ready_set.h"

#include <string.h>
#include <unistd.h>

#include "base/status_page.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "support/check_main.h"

enum { LOOPS = 4 };

static struct status_page page;
static struct scheduler loops[LOOPS];
static struct scheduler *schedulers[LOOPS];
static struct bay_instance instances[8][LOOPS];
static unsigned slots;

static void
begin(void)
{
	int fd = status_page_create(&page, "test", 8, LOOPS), i;

	ck_assert_int_ge(fd, 0);
	close(fd);
	registry_init(64);
	for (i = 0; i < LOOPS; i++) {
		memset(&loops[i], 0, sizeof loops[i]);
		ck_assert(loop_init(&loops[i].loop, "test"));
		loops[i].index = (unsigned)i;
		schedulers[i] = &loops[i];
	}
	ready_sets_init(schedulers, LOOPS);
	slots = 0;
}

static void
finish(void)
{
	int i;

	for (i = 0; i < LOOPS; i++)
		loop_finish(&loops[i].loop);
	ready_sets_finish();
	registry_finish();
	status_page_close(&page);
}

/* A service with an instance on each loop of mask that takes two at a time. */
static struct bay_service *
make(const char *name, uint64_t mask)
{
	struct bay_service *service = registry_get(name);
	int i;

	service_set_slot(service, &page, slots);
	service->limits.concurrency = 2;
	service->set = ready_set_for(mask);
	for (i = 0; i < LOOPS; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		instances[slots][i] = (struct bay_instance){.takes = true, .concurrency = 2};
		service->instances[i] = &instances[slots][i];
	}
	slots++;
	return service;
}

static void
set_in_flight(struct bay_service *service, int loop, unsigned n)
{
	service->instances[loop]->in_flight = n;
	status_set(&service->counters[loop].in_flight, n);
}

START_TEST(equal_masks_share_a_set)
{
	uint64_t mask;

	begin();
	ck_assert_ptr_eq(ready_set_for(3), ready_set_for(3));
	ck_assert_ptr_ne(ready_set_for(3), ready_set_for(1));
	for (mask = 1; mask <= 128; mask++)
		ck_assert_ptr_nonnull(ready_set_for(mask));
	ck_assert_ptr_null(ready_set_for(129));
	ck_assert_ptr_nonnull(ready_set_for(77));
	finish();
}
END_TEST

START_TEST(a_loop_gets_what_it_can_serve_in_its_order)
{
	struct bay_service *a, *b, *c;

	begin();
	a = make("a", 1 | 2);
	b = make("b", 1 | 2);
	c = make("c", 2);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	ready_set_push(a->set, a, false);
	ready_set_push(b->set, b, false);
	ready_set_push(c->set, c, false);
	ck_assert_ptr_null(ready_set_pop(&loops[2]));
	ck_assert_ptr_eq(ready_set_pop(&loops[0]), a);
	ck_assert_ptr_eq(ready_set_pop(&loops[0]), b);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	ck_assert_ptr_eq(ready_set_pop(&loops[1]), c);
	ck_assert_ptr_null(ready_set_pop(&loops[1]));
	finish();
}
END_TEST

/* Held, it may be started again on other loops than those whose set it stands in. */
START_TEST(one_that_moves_to_other_loops_leaves_the_set_of_the_former)
{
	struct bay_service *a;

	begin();
	a = make("a", 1);
	a->instances[1] = a->instances[0];
	a->queued = 1;
	service_queue_resettle(a);
	ck_assert(a->listed);
	service_set_route(a, NULL, NULL, 0);
	service_queue_resettle(a);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	service_set_route(a, NULL, ready_set_for(2), 1);
	service_queue_resettle(a);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	ck_assert_ptr_eq(ready_set_pop(&loops[1]), a);
	a->queued = 0;
	finish();
}
END_TEST

START_TEST(one_that_is_busy_with_it_leaves_it_to_others)
{
	struct bay_service *a, *b;

	begin();
	a = make("a", 1 | 2);
	b = make("b", 1 | 2);
	ready_set_push(a->set, a, false);
	ready_set_push(b->set, b, false);
	set_in_flight(a, 0, 2);
	ck_assert_ptr_eq(ready_set_pop(&loops[0]), b);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	a->instances[1]->takes = false;
	ck_assert_ptr_null(ready_set_pop(&loops[1]));
	a->instances[1]->takes = true;
	ck_assert_ptr_eq(ready_set_pop(&loops[1]), a);
	finish();
}
END_TEST

START_TEST(one_that_is_removed_is_not_there)
{
	struct bay_service *a, *b;

	begin();
	a = make("a", 1);
	b = make("b", 1);
	ready_set_push(a->set, a, false);
	ready_set_push(b->set, b, false);
	ready_set_remove(a->set, a);
	ready_set_remove(a->set, a);
	ck_assert_ptr_eq(ready_set_pop(&loops[0]), b);
	ck_assert_ptr_null(ready_set_pop(&loops[0]));
	finish();
}
END_TEST

/* A service that always has messages, in the first set, must not hide those of the next. */
START_TEST(sets_take_turns)
{
	struct bay_service *flooded, *quiet, *found;
	int i, tries = 0;

	begin();
	flooded = make("flooded", 1 | 2 | 4 | 8);
	quiet = make("quiet", 1);
	for (i = 0; i < 10; i++) {
		ready_set_push(flooded->set, flooded, false);
		ready_set_push(quiet->set, quiet, false);
		do {
			found = ready_set_pop(&loops[0]);
			if (found == flooded)
				ready_set_push(flooded->set, flooded, false);
			tries++;
		} while (found != quiet);
		ready_set_remove(flooded->set, flooded);
	}
	ck_assert_int_le(tries, 20);
	finish();
}
END_TEST

static void
send_to_sleep(unsigned mask)
{
	int i;

	for (i = 0; i < LOOPS; i++)
		atomic_store(&loops[i].loop._sleeping, (mask >> i & 1) != 0);
}

static unsigned
asleep(void)
{
	unsigned mask = 0;
	int i;

	for (i = 0; i < LOOPS; i++)
		mask |= loop_sleeping(&loops[i].loop) ? 1u << i : 0;
	return mask;
}

START_TEST(one_that_sleeps_and_has_room_is_woken)
{
	struct bay_service *a;

	begin();
	a = make("a", 1 | 2 | 4);
	send_to_sleep(15);
	ready_set_wake(a->set, a, 2, false);
	ck_assert_uint_eq(asleep(), 14);
	/* Those awake look for themselves; the next that sleeps is woken too. */
	ready_set_wake(a->set, a, 2, false);
	ck_assert_uint_eq(asleep(), 12);
	/* One that could not serve it is not woken in place of one that can. */
	send_to_sleep(15);
	set_in_flight(a, 0, 2);
	set_in_flight(a, 1, 2);
	ready_set_wake(a->set, a, 2, false);
	ck_assert_uint_eq(asleep(), 11);
	/* Nobody has room: nobody is woken. */
	set_in_flight(a, 2, 2);
	send_to_sleep(15);
	ready_set_wake(a->set, a, 2, false);
	ck_assert_uint_eq(asleep(), 15);
	finish();
}
END_TEST

/* Loop 0 puts something that loop 1 could serve as well, which sleeps. */
static bool
wakes_another(const struct bay_service *service, bool parks)
{
	send_to_sleep(2);
	ready_set_wake(service->set, service, 2, parks);
	return asleep() == 0;
}

START_TEST(one_that_looks_itself_next_wakes_nobody)
{
	struct task task = {.caller = NULL};
	struct bay_service *a;

	begin();
	a = make("a", 1 | 2);
	scheduler_here = &loops[0];
	ck_assert(!wakes_another(a, false));
	loops[0].current = &task;
	ck_assert(!wakes_another(a, true));
	scheduler_here = NULL;
	finish();
}
END_TEST

START_TEST(one_that_has_other_things_to_do_wakes_another)
{
	struct task task = {.caller = NULL}, caller = {.caller = NULL};
	struct bay_service *a;

	begin();
	a = make("a", 1 | 2);
	scheduler_here = &loops[0];
	/* No room. */
	set_in_flight(a, 0, 2);
	ck_assert(wakes_another(a, false));
	set_in_flight(a, 0, 0);
	/* A task that goes on. */
	loops[0].current = &task;
	ck_assert(wakes_another(a, false));
	/* Others that are ready. */
	loops[0].ready_head = &caller.ready;
	ck_assert(wakes_another(a, true));
	loops[0].ready_head = NULL;
	/* When it parks, the one that ran it goes on. */
	task.caller = &caller;
	ck_assert(wakes_another(a, true));
	/* It says so. */
	loops[0].current = NULL;
	send_to_sleep(2);
	ready_set_wake_other(a->set, a, 2);
	ck_assert_uint_eq(asleep(), 0);
	scheduler_here = NULL;
	finish();
}
END_TEST

CHECK_MAIN("service/ready_set",
	equal_masks_share_a_set,
	a_loop_gets_what_it_can_serve_in_its_order,
	one_that_moves_to_other_loops_leaves_the_set_of_the_former,
	one_that_is_busy_with_it_leaves_it_to_others,
	one_that_is_removed_is_not_there,
	sets_take_turns,
	one_that_sleeps_and_has_room_is_woken,
	one_that_looks_itself_next_wakes_nobody,
	one_that_has_other_things_to_do_wakes_another)
