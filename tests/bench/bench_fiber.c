/* SPDX-License-Identifier: BSD-2-Clause */
/* Fibers and their stacks: how long a switch, a start and a stack take. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "fiber/fiber.h"
#include "fiber/stack.h"

enum { STACK_BYTES = 256 << 10, MANY = 1000 };

/* As a task: a record at the top of its own stack. */
struct runner {
	struct fiber fiber;
	struct runner *next;
	struct stack stack;
	char record[160];
};

struct ring {
	struct fiber main;
	struct runner *runners[MANY];
	struct runner *current;
	int64_t left;
};

static struct ring ring;

static void
ring_yield(void)
{
	struct runner *from = ring.current;
	struct runner *to = from->next;

	from->record[0]++;
	ring.current = to;
	if (--ring.left > 0)
		fiber_switch(&from->fiber, &to->fiber);
	else
		fiber_switch(&from->fiber, &ring.main);
}

static __attribute__((noinline)) void
ring_work(void)
{
	ring_yield();
	__asm__ volatile("" ::: "memory");
}

static void
ring_run(void *arg)
{
	(void)arg;
	for (;;)
		ring_work();
}

static void
ring_turn(void *arg, int64_t count)
{
	(void)arg;
	ring.left = count;
	fiber_switch(&ring.main, &ring.current->fiber);
}

static void
ring_build(struct stack_pool *pool, int size)
{
	for (int i = 0; i < size; i++) {
		struct stack stack;
		struct runner *runner;

		if (!stack_take(pool, &stack))
			exit(1);
		runner = (struct runner *)(void *)(stack.top - sizeof(*runner));
		runner->stack = stack;
		fiber_init(&runner->fiber, stack.low, runner, ring_run, NULL);
		ring.runners[i] = runner;
	}
	for (int i = 0; i < size; i++)
		ring.runners[i]->next = ring.runners[(i + 1) % size];
	ring.current = ring.runners[0];
}

static void
bench_ring(const char *scenario, int size)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, MANY);

	ring_build(pool, size);
	bench_run(scenario, ring_turn, NULL, 5000000);
	for (int i = 0; i < size; i++) {
		fiber_finish(&ring.runners[i]->fiber);
		stack_give(pool, ring.runners[i]->stack);
	}
	stack_pool_destroy(pool);
}

static void
pair_run(void *arg)
{
	struct runner *runner = arg;

	for (;;)
		fiber_switch(&runner->fiber, &ring.main);
}

/* Two switches each: there and back. */
static void
pair_turn(void *arg, int64_t count)
{
	struct runner *runner = arg;

	for (int64_t i = 0; i < count; i += 2)
		fiber_switch(&ring.main, &runner->fiber);
}

static void
once_run(void *arg)
{
	struct runner *runner = arg;

	fiber_exit_to(&runner->fiber, &ring.main);
}

static void
start_and_end(void *arg, int64_t count)
{
	struct stack_pool *pool = arg;
	struct stack stack;

	for (int64_t i = 0; i < count; i++) {
		struct runner *runner;

		if (!stack_take(pool, &stack))
			exit(1);
		runner = (struct runner *)(void *)(stack.top - sizeof(*runner));
		fiber_init(&runner->fiber, stack.low, runner, once_run, runner);
		fiber_switch(&ring.main, &runner->fiber);
		fiber_finish(&runner->fiber);
		stack_give(pool, stack);
	}
}

static void
take_and_give(void *arg, int64_t count)
{
	struct stack_pool *pool = arg;
	struct stack stack;

	for (int64_t i = 0; i < count; i++) {
		if (!stack_take(pool, &stack))
			exit(1);
		stack_give(pool, stack);
	}
}

enum { FRESH = 10000 };

static double
since_ns(int64_t start_ns)
{
	return (double)(clock_monotonic_ns() - start_ns) / FRESH;
}

/* Fresh ones, each touched at its top, then all made cool and given back. */
static void
fresh_stacks(double *take_ns_r, double *give_ns_r)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, FRESH);
	struct stack *stacks = calloc(FRESH, sizeof(*stacks));
	int64_t start_ns = clock_monotonic_ns();

	for (int i = 0; i < FRESH; i++) {
		if (!stack_take(pool, &stacks[i]))
			exit(1);
		stacks[i].top[-1] = 1;
	}
	*take_ns_r = since_ns(start_ns);
	start_ns = clock_monotonic_ns();
	for (int i = 0; i < FRESH; i++) {
		stack_cool(pool, &stacks[i]);
		stack_give(pool, stacks[i]);
	}
	*give_ns_r = since_ns(start_ns);
	free(stacks);
	stack_pool_destroy(pool);
}

static void
bench_fresh_stacks(void)
{
	double take_ns[BENCH_RUNS_MAX], give_ns[BENCH_RUNS_MAX];

	if (!bench_wanted("stack_fresh"))
		return;
	for (int run = 0; run < bench_runs(); run++)
		fresh_stacks(&take_ns[run], &give_ns[run]);
	bench_print("stack_fresh", take_ns, bench_runs(), "ns");
	bench_print("stack_cool", give_ns, bench_runs(), "ns");
}

int
main(void)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 16);
	struct runner pair;
	struct stack stack;

	fiber_init_thread(&ring.main);
	if (!stack_take(pool, &stack))
		return 1;
	fiber_init(&pair.fiber, stack.low, stack.top, pair_run, &pair);
	bench_run("fiber_switch", pair_turn, &pair, 20000000);
	bench_ring("fiber_switch_ring_4", 4);
	bench_ring("fiber_switch_ring_100", 100);
	bench_ring("fiber_switch_ring_1000", 1000);
	bench_run("fiber_start_and_end", start_and_end, pool, 5000000);
	bench_run("stack_take_and_give", take_and_give, pool, 10000000);
	bench_fresh_stacks();
	stack_give(pool, stack);
	stack_pool_destroy(pool);
	return 0;
}
