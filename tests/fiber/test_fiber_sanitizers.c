/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the sanitizers see through our stacks: faults are planted in fibers, in a child,
 * and the report is read.
 */
#include "config.h"

#include "fiber/fiber.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fiber/stack.h"
#include "support/check_main.h"

#if defined(BAY_ASAN) || defined(BAY_TSAN)

enum { STACK_BYTES = 256 << 10, REPORT_BYTES = 64 << 10 };

struct planted {
	struct fiber thread;
	struct fiber fiber;
	struct stack stack;
	void (*fault)(void *arg);
	void *arg;
};

/* The fault happens after the fiber was parked and resumed. */
static void
planted_run(void *arg)
{
	struct planted *planted = arg;

	fiber_switch(&planted->fiber, &planted->thread);
	planted->fault(planted->arg);
	fiber_exit_to(&planted->fiber, &planted->thread);
}

static void
run_on_stack_of(struct stack_pool *pool, void (*fault)(void *arg), void *arg)
{
	struct planted planted = {.fault = fault, .arg = arg};

	if (!stack_take(pool, &planted.stack))
		abort();
	fiber_init_thread(&planted.thread);
	fiber_init(&planted.fiber, planted.stack.low, planted.stack.top, planted_run, &planted);
	fiber_switch(&planted.thread, &planted.fiber);
	fiber_switch(&planted.thread, &planted.fiber);
	fiber_finish(&planted.fiber);
	stack_give(pool, planted.stack);
}

static void
run_in_fiber(void (*fault)(void *arg), void *arg)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);

	run_on_stack_of(pool, fault, arg);
	stack_pool_destroy(pool);
}

/* Runs it in a child and returns what that wrote to stderr; borrowed until the next call. */
static const char *
report_of(void (*scene)(void), int *status_r)
{
	static char report[REPORT_BYTES];
	size_t length = 0;
	ssize_t got;
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		scene();
		exit(0);
	}
	close(fds[1]);
	while ((got = read(fds[0], report + length, REPORT_BYTES - 1 - length)) > 0)
		length += (size_t)got;
	report[length] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, status_r, 0), pid);
	return report;
}

#endif

#if defined(BAY_ASAN)
static volatile size_t one_too_many = 16;

static __attribute__((noinline)) void
overflow_a_local_array(void *arg)
{
	char array[16];
	volatile char *at = array;

	(void)arg;
	/* Or UBSan, which knows what at points to, would be first. */
	__asm__("" : "+r"(at));
	for (size_t i = 0; i <= one_too_many; i++)
		at[i] = 1;
}

static void
overflow_scene(void)
{
	run_in_fiber(overflow_a_local_array, NULL);
}

START_TEST(asan_finds_an_overflow_on_the_stack_of_a_fiber)
{
	int status;
	const char *report = report_of(overflow_scene, &status);

	ck_assert_msg(strstr(report, "stack-buffer-overflow") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "overflow_a_local_array") != NULL, "%s", report);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

static uint8_t *left_behind;

/* Nothing but the fault may be reported: the pool is destroyed. */
static __attribute__((noinline)) void
use_a_stack_that_was_given_back(void)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);
	struct stack stack;

	if (!stack_take(pool, &stack))
		abort();
	left_behind = stack.top - 100;
	*left_behind = 1;
	stack_give(pool, stack);
	*(volatile uint8_t *)left_behind = 2;
	stack_pool_destroy(pool);
}

START_TEST(asan_finds_the_use_of_a_stack_that_was_given_back)
{
	int status;
	const char *report = report_of(use_a_stack_that_was_given_back, &status);

	ck_assert_msg(strstr(report, "use-after-poison") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "use_a_stack_that_was_given_back") != NULL, "%s", report);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

static __attribute__((noinline)) void
leave_a_large_frame(void *arg)
{
	volatile char array[8000];

	(void)arg;
	for (size_t i = 0; i < sizeof(array); i += 64)
		array[i] = 1;
}

/* One fiber after the other on a stack where the last one left poisoned frames. */
static void
reuse_scene(void)
{
	struct stack_pool *pool = stack_pool_create(STACK_BYTES, 1);

	for (int i = 0; i < 20; i++)
		run_on_stack_of(pool, leave_a_large_frame, NULL);
	stack_pool_destroy(pool);
}

struct parked {
	struct fiber thread;
	struct fiber fiber;
};

static void
parked_run(void *arg)
{
	struct parked *parked = arg;
	char *volatile held = malloc(100);

	held[0] = 1;
	fiber_switch(&parked->fiber, &parked->thread);
	abort();
}

/* What only a parked stack points to is not leaked. */
static void
parked_scene(void)
{
	static struct parked parked;
	static struct stack_pool *volatile pool;
	struct stack stack;

	pool = stack_pool_create(STACK_BYTES, 1);
	if (!stack_take(pool, &stack))
		abort();
	fiber_init_thread(&parked.thread);
	fiber_init(&parked.fiber, stack.low, stack.top, parked_run, &parked);
	fiber_switch(&parked.thread, &parked.fiber);
}

START_TEST(asan_and_lsan_raise_no_false_alarm)
{
	int status;
	const char *report = report_of(reuse_scene, &status);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", report);
	report = report_of(parked_scene, &status);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", report);
}
END_TEST
#else
START_TEST(asan_finds_an_overflow_on_the_stack_of_a_fiber)
{
	CHECK_SKIP("not built with AddressSanitizer");
}
END_TEST

START_TEST(asan_finds_the_use_of_a_stack_that_was_given_back)
{
	CHECK_SKIP("not built with AddressSanitizer");
}
END_TEST

START_TEST(asan_and_lsan_raise_no_false_alarm)
{
	CHECK_SKIP("not built with AddressSanitizer");
}
END_TEST
#endif

#if defined(BAY_TSAN)
struct race {
	pthread_mutex_t lock;
	bool locked;
	int shared;
};

static __attribute__((noinline)) void
count_shared(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < 1000; i++) {
		if (race->locked)
			pthread_mutex_lock(&race->lock);
		race->shared++;
		if (race->locked)
			pthread_mutex_unlock(&race->lock);
	}
}

static void *
race_thread(void *arg)
{
	run_in_fiber(count_shared, arg);
	return NULL;
}

static void
run_two_threads(bool locked)
{
	struct race race = {.lock = PTHREAD_MUTEX_INITIALIZER, .locked = locked};
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, race_thread, &race);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void
race_scene(void)
{
	run_two_threads(false);
}

static void
locked_scene(void)
{
	run_two_threads(true);
}

START_TEST(tsan_finds_a_race_between_fibers_of_two_threads)
{
	int status;
	const char *report = report_of(race_scene, &status);

	ck_assert_msg(strstr(report, "data race") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "count_shared") != NULL, "%s", report);
	report = report_of(locked_scene, &status);
	ck_assert_msg(strstr(report, "data race") == NULL, "%s", report);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST
#else
START_TEST(tsan_finds_a_race_between_fibers_of_two_threads)
{
	CHECK_SKIP("not built with ThreadSanitizer");
}
END_TEST
#endif

CHECK_MAIN("fiber/fiber under sanitizers",
	asan_finds_an_overflow_on_the_stack_of_a_fiber,
	asan_finds_the_use_of_a_stack_that_was_given_back,
	asan_and_lsan_raise_no_false_alarm,
	tsan_finds_a_race_between_fibers_of_two_threads)
