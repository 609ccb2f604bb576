/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fiber/fiber.h"

#include <execinfo.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fiber/stack.h"
#include "support/check_main.h"

enum {
	STACK_BYTES = 256 << 10,
#if defined(BAY_TSAN)
	MANY = 1000 /* it knows 8,128 at most */
#else
	MANY = 10000
#endif
};

/* A fiber that works for somebody who waits for it. */
struct worker {
	struct fiber fiber;
	struct fiber *caller;
	struct stack stack;
	void (*work)(struct worker *);
	int64_t n;
	int64_t result;
	bool done;
};

static void
worker_run(void *arg)
{
	struct worker *worker = arg;

	worker->work(worker);
	worker->done = true;
	fiber_exit_to(&worker->fiber, worker->caller);
}

static void
worker_init(struct worker *worker, struct stack_pool *pool, struct fiber *caller,
	void (*work)(struct worker *))
{
	memset(worker, 0, sizeof(*worker));
	worker->caller = caller;
	worker->work = work;
	ck_assert_msg(stack_take(pool, &worker->stack), "%s", stack_pool_error(pool));
	fiber_init(&worker->fiber, worker->stack.low, worker->stack.top, worker_run, worker);
}

static void
worker_finish(struct worker *worker, struct stack_pool *pool)
{
	fiber_finish(&worker->fiber);
	stack_give(pool, worker->stack);
}

static void
worker_go(struct worker *worker)
{
	fiber_switch(worker->caller, &worker->fiber);
}

static void
worker_yield(struct worker *worker)
{
	fiber_switch(&worker->fiber, worker->caller);
}

static void
count_three(struct worker *worker)
{
	int local = 1;

	worker->result = (int64_t)(intptr_t)&local;
	for (worker->n = 1; worker->n < 3; worker->n++)
		worker_yield(worker);
}

START_TEST(a_fiber_runs_on_its_own_stack_and_comes_back)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct fiber thread;
	struct worker worker;
	uint8_t *local;

	fiber_init_thread(&thread);
	worker_init(&worker, pool, &thread, count_three);
	worker_go(&worker);
	ck_assert_int_eq(worker.n, 1);
	local = (uint8_t *)(intptr_t)worker.result;
#if !defined(BAY_ASAN)
	ck_assert(local >= worker.stack.low && local < worker.stack.top);
#else
	(void)local; /* it may live in the fake stack */
#endif
	worker_go(&worker);
	ck_assert_int_eq(worker.n, 2);
	ck_assert(!worker.done);
	worker_go(&worker);
	ck_assert(worker.done);
	worker_finish(&worker, pool);
	stack_pool_destroy(pool);
}
END_TEST

/* More live values than there are registers, of both kinds. */
static void
keep_many_values(struct worker *worker)
{
	uint64_t n = (uint64_t)worker->n;
	uint64_t a = n + 1, b = n * 3, c = n ^ 5, d = n - 7, e = n * 11, f = n + 13;
	double u = (double)n / 2, v = (double)n * 3.5, w = 1.0 / (double)n, x = (double)n - 0.25;
	long double y = (long double)n / 7;
	uint64_t bits[4];

	for (int i = 0; i < 100; i++) {
		worker_yield(worker);
		a += b;
		b ^= c;
		c += d;
		d -= e;
		e += f * (unsigned)i;
		f ^= a;
		u += v;
		v -= w * i;
		w += x / 3;
		x -= u / 1000;
		y = y / 2 + i;
	}
	memcpy(bits, (double[]){u, v, w, x + (double)y}, sizeof(bits));
	worker->result = (int64_t)((a ^ b ^ c ^ d ^ e ^ f) ^ bits[0] ^ bits[1] ^ bits[2] ^ bits[3]);
}

START_TEST(values_survive_switches_whatever_the_others_compute)
{
	enum { WORKERS = 5 };
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, WORKERS);
	struct worker workers[WORKERS];
	int64_t alone[WORKERS];
	struct fiber thread;

	fiber_init_thread(&thread);
	for (int i = 0; i < WORKERS; i++) {
		worker_init(&workers[i], pool, &thread, keep_many_values);
		workers[i].n = i + 17;
		while (!workers[i].done)
			worker_go(&workers[i]);
		alone[i] = workers[i].result;
		worker_finish(&workers[i], pool);
	}
	for (int i = 0; i < WORKERS; i++) {
		worker_init(&workers[i], pool, &thread, keep_many_values);
		workers[i].n = i + 17;
	}
	while (!workers[0].done) {
		for (int i = 0; i < WORKERS; i++)
			worker_go(&workers[i]);
	}
	for (int i = 0; i < WORKERS; i++) {
		ck_assert(workers[i].done);
		ck_assert_int_eq(workers[i].result, alone[i]);
		worker_finish(&workers[i], pool);
	}
	stack_pool_destroy(pool);
}
END_TEST

#if defined(__x86_64__)
/* Puts a pattern into each register that a call must keep, and switches under them. */
static __attribute__((noinline)) int64_t
switch_under_patterns(struct worker *worker)
{
	int64_t wrong;

	__asm__ volatile(
		"subq $128, %%rsp\n\t" /* past the red zone */
		"pushq %%rbp\n\t"
		"movq %%rsp, %%rbp\n\t"
		"andq $-16, %%rsp\n\t"
		"pushq %%rbp\n\t"
		"pushq %%rbp\n\t"
		"movq $0x1111, %%rbx\n\t"
		"movq $0x2222, %%r12\n\t"
		"movq $0x3333, %%r13\n\t"
		"movq $0x4444, %%r14\n\t"
		"movq $0x5555, %%r15\n\t"
		"movq $0x6666, %%rbp\n\t"
		"callq *%%rax\n\t"
		"xorl %%eax, %%eax\n\t"
		"subq $0x1111, %%rbx\n\t"
		"orq %%rbx, %%rax\n\t"
		"subq $0x2222, %%r12\n\t"
		"orq %%r12, %%rax\n\t"
		"subq $0x3333, %%r13\n\t"
		"orq %%r13, %%rax\n\t"
		"subq $0x4444, %%r14\n\t"
		"orq %%r14, %%rax\n\t"
		"subq $0x5555, %%r15\n\t"
		"orq %%r15, %%rax\n\t"
		"subq $0x6666, %%rbp\n\t"
		"orq %%rbp, %%rax\n\t"
		"popq %%rbp\n\t"
		"movq %%rbp, %%rsp\n\t"
		"popq %%rbp\n\t"
		"addq $128, %%rsp"
		: "=a"(wrong), "+D"(worker)
		: "a"(worker_yield)
		: "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		"xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
	return wrong;
}

#elif defined(__aarch64__)
static __attribute__((noinline)) int64_t
switch_under_patterns(struct worker *worker)
{
	register int64_t first __asm__("x0") = (int64_t)worker;
	register int64_t second __asm__("x1") = (int64_t)worker_yield;

	__asm__ volatile(
		"mov x19, #0x1100\n\t"
		"mov x20, #0x1101\n\t"
		"mov x21, #0x1102\n\t"
		"mov x22, #0x1103\n\t"
		"mov x23, #0x1104\n\t"
		"mov x24, #0x1105\n\t"
		"mov x25, #0x1106\n\t"
		"mov x26, #0x1107\n\t"
		"mov x27, #0x1108\n\t"
		"mov x28, #0x1109\n\t"
		"fmov d8, x19\n\t"
		"fmov d9, x20\n\t"
		"fmov d10, x21\n\t"
		"fmov d11, x22\n\t"
		"fmov d12, x23\n\t"
		"fmov d13, x24\n\t"
		"fmov d14, x25\n\t"
		"fmov d15, x26\n\t"
		"blr x1\n\t"
		"mov x0, #0\n\t"
		"mov x1, #0x1100\n\teor x1, x1, x19\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1101\n\teor x1, x1, x20\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1102\n\teor x1, x1, x21\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1103\n\teor x1, x1, x22\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1104\n\teor x1, x1, x23\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1105\n\teor x1, x1, x24\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1106\n\teor x1, x1, x25\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1107\n\teor x1, x1, x26\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1108\n\teor x1, x1, x27\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1109\n\teor x1, x1, x28\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1100\n\tfmov x2, d8\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1101\n\tfmov x2, d9\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1102\n\tfmov x2, d10\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1103\n\tfmov x2, d11\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1104\n\tfmov x2, d12\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1105\n\tfmov x2, d13\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1106\n\tfmov x2, d14\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		"mov x1, #0x1107\n\tfmov x2, d15\n\teor x1, x1, x2\n\torr x0, x0, x1\n\t"
		: "+r"(first), "+r"(second)
		:
		: "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
		"x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
		"x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
		"v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
		"cc", "memory");
	return first;
}
#endif

#if defined(__x86_64__) || defined(__aarch64__)
static void
check_patterns(struct worker *worker)
{
	for (int i = 0; i < 10; i++)
		worker->result |= switch_under_patterns(worker);
}

/* Between two switches, leaves other values everywhere. */
static __attribute__((noinline)) void
spoil_registers(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"movq $-1, %%rbx\n\tmovq $-1, %%r12\n\tmovq $-1, %%r13\n\t"
		"movq $-1, %%r14\n\tmovq $-1, %%r15"
		:
		:
		: "rbx", "r12", "r13", "r14", "r15");
#else
	__asm__ volatile(
		"mov x19, #-1\n\tmov x20, #-1\n\tmov x21, #-1\n\tmov x22, #-1\n\tmov x23, #-1\n\t"
		"mov x24, #-1\n\tmov x25, #-1\n\tmov x26, #-1\n\tmov x27, #-1\n\tmov x28, #-1\n\t"
		"fmov d8, x19\n\tfmov d9, x19\n\tfmov d10, x19\n\tfmov d11, x19\n\t"
		"fmov d12, x19\n\tfmov d13, x19\n\tfmov d14, x19\n\tfmov d15, x19"
		:
		:
		: "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v8", "v9", "v10",
		"v11", "v12", "v13", "v14", "v15");
#endif
}

START_TEST(a_switch_keeps_the_registers_that_a_call_keeps)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct fiber thread;
	struct worker worker;

	fiber_init_thread(&thread);
	worker_init(&worker, pool, &thread, check_patterns);
	while (!worker.done) {
		spoil_registers();
		worker_go(&worker);
	}
	ck_assert_int_eq(worker.result, 0);
	worker_finish(&worker, pool);
	stack_pool_destroy(pool);
}
END_TEST
#else
START_TEST(a_switch_keeps_the_registers_that_a_call_keeps)
{
	CHECK_SKIP("written for x86-64 and aarch64");
}
END_TEST
#endif

static int64_t
recurse(struct worker *worker, int64_t depth)
{
	char frame[32];
	int64_t sum;

	snprintf(frame, sizeof(frame), "%d", (int)depth);
	worker_yield(worker);
	sum = depth == 0 ? 0 : recurse(worker, depth - 1);
	worker_yield(worker);
	return sum + atoi(frame);
}

static void
recurse_deeply(struct worker *worker)
{
	worker->result = recurse(worker, 300);
}

START_TEST(deep_recursion_parks_at_every_depth)
{
	struct stack_pool *pool = stack_pool_create(1 << 20, 3);
	struct worker workers[3];
	struct fiber thread;

	fiber_init_thread(&thread);
	for (int i = 0; i < 3; i++)
		worker_init(&workers[i], pool, &thread, recurse_deeply);
	while (!workers[0].done) {
		for (int i = 0; i < 3; i++)
			worker_go(&workers[i]);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(workers[i].result, 300 * 301 / 2);
		worker_finish(&workers[i], pool);
	}
	stack_pool_destroy(pool);
}
END_TEST

static void
add_one_twice(struct worker *worker)
{
	worker->result++;
	worker_yield(worker);
	worker->result++;
}

START_TEST(ten_thousand_fibers_take_turns)
{
	struct stack_pool *pool = stack_pool_create(32 << 10, MANY);
	struct worker *workers = xcalloc(MANY, sizeof(*workers));
	struct fiber thread;

	fiber_init_thread(&thread);
	for (int i = 0; i < MANY; i++)
		worker_init(&workers[i], pool, &thread, add_one_twice);
	for (int i = 0; i < MANY; i++)
		worker_go(&workers[i]);
	for (int i = MANY - 1; i >= 0; i--)
		worker_go(&workers[i]);
	for (int i = 0; i < MANY; i++) {
		ck_assert(workers[i].done);
		ck_assert_int_eq(workers[i].result, 2);
		worker_finish(&workers[i], pool);
	}
	ck_assert_uint_eq(stack_pool_taken(pool), 0);
	free(workers);
	stack_pool_destroy(pool);
}
END_TEST

/* Formatting a double stores vector registers, which faults on a misaligned stack. */
static void
format_a_double(struct worker *worker)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", (double)worker->n);
	worker->result = strcmp(text, "42.00") == 0;
}

START_TEST(any_stack_top_will_do)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct fiber thread;

	fiber_init_thread(&thread);
	for (int offset = 0; offset < 33; offset++) {
		struct worker worker;

		worker_init(&worker, pool, &thread, format_a_double);
		fiber_finish(&worker.fiber);
		fiber_init(&worker.fiber, worker.stack.low, worker.stack.top - offset, worker_run,
			&worker);
		worker.n = 42;
		worker_go(&worker);
		ck_assert_int_eq(worker.result, 1);
		worker_finish(&worker, pool);
	}
	stack_pool_destroy(pool);
}
END_TEST

START_TEST(a_fiber_that_never_ran_is_finished_like_any_other)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct fiber thread;
	struct worker worker;

	fiber_init_thread(&thread);
	worker_init(&worker, pool, &thread, count_three);
	worker_finish(&worker, pool);
	fiber_finish(&thread);
	stack_pool_destroy(pool);
}
END_TEST

static void
start_another(struct worker *worker)
{
	struct stack_pool *pool = (struct stack_pool *)(intptr_t)worker->n;
	struct worker inner;

	worker_init(&inner, pool, &worker->fiber, add_one_twice);
	worker_go(&inner);
	worker_yield(worker);
	worker_go(&inner);
	worker->result = inner.done ? inner.result : -1;
	worker_finish(&inner, pool);
}

START_TEST(a_fiber_starts_and_ends_another)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 2);
	struct fiber thread;
	struct worker worker;

	fiber_init_thread(&thread);
	worker_init(&worker, pool, &thread, start_another);
	worker.n = (int64_t)(intptr_t)pool;
	worker_go(&worker);
	worker_go(&worker);
	ck_assert_int_eq(worker.result, 2);
	worker_finish(&worker, pool);
	stack_pool_destroy(pool);
}
END_TEST

/* A backtrace that went on past the first frame would read what lies above the stack. */
static __attribute__((noinline)) void
take_backtrace(struct worker *worker)
{
	void *frames[64];

	worker->result = backtrace(frames, 64);
	worker_yield(worker);
	worker->n = backtrace(frames, 64);
}

START_TEST(a_backtrace_ends_where_the_fiber_began)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct fiber thread;
	struct worker worker;

	fiber_init_thread(&thread);
	worker_init(&worker, pool, &thread, take_backtrace);
	worker_go(&worker);
	worker_go(&worker);
	/* take_backtrace, worker_run, where contexts start; sanitizers add one of theirs. */
	ck_assert_int_ge(worker.result, 2);
	ck_assert_int_le(worker.result, 6);
	ck_assert_int_eq(worker.n, worker.result);
	worker_finish(&worker, pool);
	stack_pool_destroy(pool);
}
END_TEST

static void *
thread_with_fibers(void *arg)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 2);
	struct worker workers[2];
	struct fiber thread;
	int64_t *sum = arg;

	fiber_init_thread(&thread);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 2; i++)
			worker_init(&workers[i], pool, &thread, add_one_twice);
		for (int i = 0; i < 4; i++)
			worker_go(&workers[i % 2]);
		for (int i = 0; i < 2; i++) {
			*sum += workers[i].result;
			worker_finish(&workers[i], pool);
		}
	}
	stack_pool_destroy(pool);
	return NULL;
}

START_TEST(each_thread_has_fibers_of_its_own)
{
	pthread_t threads[3];
	int64_t sums[3] = {0, 0, 0};

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_with_fibers, &sums[i]), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(sums[i], 200 * 2 * 2);
	}
}
END_TEST

CHECK_MAIN("fiber/fiber",
	a_fiber_runs_on_its_own_stack_and_comes_back,
	values_survive_switches_whatever_the_others_compute,
	a_switch_keeps_the_registers_that_a_call_keeps,
	deep_recursion_parks_at_every_depth,
	ten_thousand_fibers_take_turns,
	any_stack_top_will_do,
	a_fiber_that_never_ran_is_finished_like_any_other,
	a_fiber_starts_and_ends_another,
	a_backtrace_ends_where_the_fiber_began,
	each_thread_has_fibers_of_its_own)
