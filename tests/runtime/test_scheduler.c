/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <bay/scope.h>
#include <bay/task.h>

#include "base/clock.h"
#include "runtime/task.h"
#include "support/run_tasks.h"

#if defined(BAY_ASAN)
#include <sanitizer/asan_interface.h>
#endif

START_TEST(one_thread_has_one_scheduler)
{
	ck_assert_ptr_null(scheduler_here);
	run_tasks_begin();
	ck_assert_ptr_eq(scheduler_here, &run_tasks_scheduler);
	ck_assert_ptr_null(task_current());
	run_tasks_end();
	ck_assert_ptr_null(scheduler_here);
}
END_TEST

static int
spin_and_yield(void *arg)
{
	bool *stop = arg;

	while (!*stop)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

static int
sleep_and_stop(void *arg)
{
	ck_assert_int_eq(bay_sleep(2 * BAY_MS), BAY_OK);
	*(bool *)arg = true;
	return BAY_OK;
}

TASK_TEST(timers_fire_while_tasks_are_ready_all_the_time)
{
	bool stop = false;

	ck_assert_int_eq(bay_go("spins", spin_and_yield, &stop), BAY_OK);
	ck_assert_int_eq(bay_go("spins", spin_and_yield, &stop), BAY_OK);
	return bay_join(bay_spawn("stops", sleep_and_stop, &stop), BAY_INHERIT);
}

/* The clock may stand still for as long as it likes: at least this long. */
static void
work_for(int64_t ns)
{
	int64_t end = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < end)
		;
}

struct work {
	bool sleep;
	bool stop;
	int turns;
};

static int
work_and_yield(void *arg)
{
	struct work *work = arg;

	while (!work->stop) {
		work_for(200 * BAY_US);
		(void)(work->sleep ? bay_sleep(1) : bay_yield());
		work->turns++;
	}
	return BAY_OK;
}

/* Far from what a whole budget of switches would be. */
static void
check_timer_waits_for_few(struct work *work)
{
	ck_assert_int_eq(bay_join(bay_spawn("stops", sleep_and_stop, &work->stop), BAY_INHERIT), BAY_OK);
	ck_assert_int_lt(work->turns, 64);
}

TASK_TEST(timers_wait_for_few_yields_of_tasks_that_work_for_long)
{
	struct work work = {.stop = false};

	ck_assert_int_eq(bay_go("works", work_and_yield, &work), BAY_OK);
	check_timer_waits_for_few(&work);
	work = (struct work){.stop = false};
	ck_assert_int_eq(bay_go("works", work_and_yield, &work), BAY_OK);
	ck_assert_int_eq(bay_go("works", work_and_yield, &work), BAY_OK);
	check_timer_waits_for_few(&work);
	return BAY_OK;
}

static int
check_cancelled_worker(bool sleep)
{
	struct work work = {.sleep = sleep};
	struct bay_task *works = bay_spawn("works", work_and_yield, &work);

	bay_task_cancel(works, "enough");
	check_timer_waits_for_few(&work);
	return bay_join(works, BAY_INHERIT);
}

TASK_TEST(timers_wait_for_few_yields_of_a_task_that_refuses_to_end)
{
	return check_cancelled_worker(false);
}

TASK_TEST(timers_wait_for_few_other_awaits_of_one_too)
{
	return check_cancelled_worker(true);
}

struct posted {
	struct inbox_item item;
	bool stop;
};

static void
posted_run(struct inbox_item *item)
{
	ck_assert_ptr_null(task_current());
	container_of(item, struct posted, item)->stop = true;
}

static void *
post(void *arg)
{
	struct posted *posted = arg;

	posted->item.run = posted_run;
	loop_post(&run_tasks_scheduler.loop, &posted->item);
	return NULL;
}

TASK_TEST(posts_are_heard_while_tasks_are_ready_all_the_time)
{
	struct posted posted = {.stop = false};
	struct bay_task *task = bay_spawn("spins", spin_and_yield, &posted.stop);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, post, &posted), 0);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	pthread_join(thread, NULL);
	return BAY_OK;
}

static int work_asked;

static bool
find_work(struct scheduler *scheduler, void *arg)
{
	(void)scheduler;
	work_asked++;
	if (work_asked == 3)
		*(bool *)arg = true;
	return false;
}

TASK_TEST(work_above_is_looked_for_while_tasks_are_ready_all_the_time)
{
	bool stop = false;
	int status;

	run_tasks_scheduler.find_work = find_work;
	run_tasks_scheduler.find_work_arg = &stop;
	status = bay_join(bay_spawn("spins", spin_and_yield, &stop), BAY_INHERIT);
	run_tasks_scheduler.find_work = NULL;
	return status;
}

TASK_TEST(equal_sizes_share_a_class)
{
	struct scheduler *here = &run_tasks_scheduler;
	size_t bytes;
	unsigned i;

	ck_assert_ptr_eq(scheduler_stack_class(here, 256 << 10), task_current()->class);
	ck_assert_ptr_eq(scheduler_stack_class(here, (256 << 10) - 1), task_current()->class);
	for (i = 1; i < SCHEDULER_STACK_CLASSES; i++)
		ck_assert_ptr_nonnull(scheduler_stack_class(here, (512 + i * 64) << 10));
	ck_assert_ptr_null(scheduler_stack_class(here, 4 << 20));
	bytes = (512 + 64) << 10;
	ck_assert_uint_eq(scheduler_stack_class(here, bytes)->bytes, bytes);
	return BAY_OK;
}

/* --- warm stacks --- */

enum { BURST = GRAVEYARD_RESERVE + 200 };

static struct stack burst_stacks[BURST];

static int
remember_stack(void *arg)
{
	*(struct stack *)arg = task_current()->stack;
	return bay_yield();
}

/* As if all had ended at that time. */
static const struct graveyard *
set_end_of_burst(int64_t ended_ns)
{
	const struct graveyard *yard = &run_tasks_scheduler.classes[0].graves;

	for (struct grave *grave = yard->latest; grave != NULL; grave = grave->older)
		grave->ended_ns = ended_ns;
	return yard;
}

/* Tasks that are all there at once and leave their stacks at once, at the time that arg points
 * to. */
static int
burst(void *arg)
{
	struct bay_task *tasks[BURST];

	for (int i = 0; i < BURST; i++)
		tasks[i] = bay_spawn("one", remember_stack, &burst_stacks[i]);
	ck_assert_int_eq(bay_gather(tasks, BURST, BAY_INHERIT), BAY_OK);
	for (int i = 0; i < BURST; i++)
		bay_task_free(tasks[i]);
	set_end_of_burst(*(const int64_t *)arg);
	return BAY_OK;
}

static int
count_warm_stacks(void)
{
	int warm = 0;

	for (int i = 0; i < BURST; i++)
		warm += stack_used(&burst_stacks[i]) > 0;
	return warm;
}

START_TEST(stacks_of_a_burst_stay_warm_for_a_while)
{
	int64_t later_ns = clock_monotonic_ns() + 3600 * BAY_SECOND;

	run_tasks_begin();
	ck_assert_int_eq(run_tasks(burst, &later_ns), BAY_OK);
	scheduler_run_ready(&run_tasks_scheduler);
	ck_assert_uint_eq(run_tasks_scheduler.classes[0].graves.count, BURST + 1);
	ck_assert_int_eq(count_warm_stacks(), BURST);
	run_tasks_end();
}
END_TEST

START_TEST(memory_falls_after_a_burst_by_some_stacks_in_each_pass)
{
	int64_t later_ns = clock_monotonic_ns() + 3600 * BAY_SECOND;
	const struct graveyard *yard;

	run_tasks_begin();
	ck_assert_int_eq(run_tasks(burst, &later_ns), BAY_OK);
	yard = set_end_of_burst(later_ns - 3600 * BAY_SECOND - GRAVEYARD_WARM_NS);
	loop_now(&run_tasks_scheduler.loop);
	scheduler_run_ready(&run_tasks_scheduler);
	ck_assert_uint_eq(yard->count, BURST + 1 - 64);
	for (int pass = 0; pass < BURST / 64; pass++)
		scheduler_run_ready(&run_tasks_scheduler);
	ck_assert_uint_eq(yard->count, GRAVEYARD_RESERVE);
	ck_assert_int_le(count_warm_stacks(), GRAVEYARD_RESERVE);
	ck_assert_int_ge(count_warm_stacks(), GRAVEYARD_RESERVE - 1);
	ck_assert_uint_eq(stack_pool_taken(run_tasks_scheduler.classes[0].pool), GRAVEYARD_RESERVE);
	/* And they are as good as new. */
	ck_assert_int_eq(run_tasks(burst, &later_ns), BAY_OK);
	ck_assert_int_eq(count_warm_stacks(), BURST);
	run_tasks_end();
}
END_TEST

static struct task *sleeper;

static int
sleep_for_long(void *arg)
{
	(void)arg;
	sleeper = task_current();
	/* One moment from now, while we sleep and nothing else happens. */
	set_end_of_burst(clock_monotonic_ns() - GRAVEYARD_WARM_NS + 5 * BAY_MS);
	return bay_sleep(15 * BAY_SECOND);
}

/* Asked in each pass. */
static bool
wake_when_cool(struct scheduler *scheduler, void *arg)
{
	(void)arg;
	if (sleeper != NULL && scheduler->classes[0].graves.count <= GRAVEYARD_RESERVE)
		task_cancel(sleeper, "all is cool");
	return false;
}

START_TEST(memory_falls_while_nothing_else_happens)
{
	int64_t later_ns = clock_monotonic_ns() + 3600 * BAY_SECOND;

	run_tasks_begin();
	ck_assert_int_eq(run_tasks(burst, &later_ns), BAY_OK);
	run_tasks_scheduler.find_work = wake_when_cool;
	ck_assert_int_eq(run_tasks(sleep_for_long, NULL), BAY_CANCELED);
	run_tasks_end();
}
END_TEST

#if defined(BAY_ASAN)
static int
leave_a_local(void *arg)
{
	volatile char deep[2048];

	deep[0] = 7;
	*(volatile char **)arg = deep;
	return deep[0] == 7 ? BAY_OK : BAY_FAILED;
}

TASK_TEST(the_stack_of_an_ended_task_is_poisoned_until_the_next_one)
{
	volatile char *first = NULL, *second = NULL;

	ck_assert_int_eq(bay_go("leaves", leave_a_local, &first), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(__asan_address_is_poisoned((const void *)first));
	ck_assert_int_eq(bay_join(bay_spawn("leaves", leave_a_local, &second), BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq((const void *)first, (const void *)second);
	ck_assert(__asan_address_is_poisoned((const void *)second));
	return BAY_OK;
}
#else
START_TEST(the_stack_of_an_ended_task_is_poisoned_until_the_next_one)
{
	CHECK_SKIP("not built with AddressSanitizer");
}
END_TEST
#endif

static int
check_errno(void *arg)
{
	/* One thread runs all tasks of a loop for life. */
	ck_assert(pthread_equal(pthread_self(), *(pthread_t *)arg));
	errno = ENOENT;
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert(pthread_equal(pthread_self(), *(pthread_t *)arg));
	return BAY_OK;
}

TASK_TEST(a_task_stays_on_its_thread)
{
	pthread_t here = pthread_self();

	return bay_join(bay_spawn("stays", check_errno, &here), BAY_INHERIT);
}

static void *
stop_scheduler(void *arg)
{
	(void)arg;
	scheduler_stop(&run_tasks_scheduler);
	return NULL;
}

START_TEST(another_thread_may_stop_it)
{
	pthread_t thread;
	int i;

	run_tasks_begin();
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, stop_scheduler, NULL), 0);
		scheduler_run(&run_tasks_scheduler);
		pthread_join(thread, NULL);
		atomic_store(&run_tasks_scheduler.stopping, false);
	}
	run_tasks_end();
}
END_TEST

static void
note_run(struct inbox_item *item)
{
	item->run = NULL;
}

/* A stop overtakes nothing. */
START_TEST(what_was_posted_before_the_stop_is_run)
{
	struct inbox_item item = {.run = note_run};

	run_tasks_begin();
	loop_post(&run_tasks_scheduler.loop, &item);
	scheduler_stop(&run_tasks_scheduler);
	scheduler_run(&run_tasks_scheduler);
	ck_assert(item.run == NULL);
	run_tasks_end();
}
END_TEST

struct idle_look {
	struct inbox_item item;
	uint32_t slot;
	uint32_t phase;
};

/* Between tasks. */
static void
look_at_status(struct inbox_item *item)
{
	struct idle_look *look = container_of(item, struct idle_look, item);

	look->slot = run_tasks_scheduler.status->slot;
	look->phase = run_tasks_scheduler.status->phase;
}

TASK_TEST(the_status_page_says_when_nobody_runs)
{
	struct idle_look look = {.item = {.run = look_at_status}, .slot = 7, .phase = 7};

	task_current()->slot = 3;
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(run_tasks_scheduler.status->slot, 3);
	loop_post(&run_tasks_scheduler.loop, &look.item);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(look.slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(look.phase, STATUS_PHASE_IDLE);
	task_current()->slot = STATUS_NO_SLOT;
	return BAY_OK;
}

TASK_TEST(the_status_page_says_who_runs)
{
	struct status_loop *status = run_tasks_scheduler.status;
	struct task *self = task_current();
	int64_t end_ns;

	ck_assert_uint_eq(status->slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(status->phase, STATUS_PHASE_RUN);
	self->slot = 3;
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(status->slot, 3);
	ck_assert_uint_gt(status->passes, 0);
	ck_assert_uint_gt(status->switches, 0);
	ck_assert_uint_eq(status->tasks, 1);
	ck_assert_uint_gt(status->stacks, 0);
	/* In that sleep the loop has slept too; under load it asks libevent by time. */
	end_ns = bay_after(10 * BAY_SECOND);
	while ((status->polls == 0 || status->wakes == 0) && bay_now() < end_ns)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_gt(status->polls, 0);
	ck_assert_uint_gt(status->wakes, 0);
	self->slot = STATUS_NO_SLOT;
	return BAY_OK;
}

/* --- one task a pass ------------------------------------------------------------------------- */

enum { SHUFFLED = 5, ROUNDS = 40 };

static char course[SHUFFLED * ROUNDS + 1];
static size_t course_size;
static uint64_t looked;   /* times that work was looked for while tasks ran */

static int
goes_on(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		course[course_size++] = *(const char *)arg;
		ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	return BAY_OK;
}

static int
starts_them(void *arg)
{
	static char names[SHUFFLED] = {'a', 'b', 'c', 'd', 'e'};
	struct bay_task *tasks[SHUFFLED];
	int status;

	(void)arg;
	for (int i = 0; i < SHUFFLED; i++)
		tasks[i] = bay_spawn(NULL, goes_on, &names[i]);
	status = bay_gather(tasks, SHUFFLED, BAY_INHERIT);
	for (int i = 0; i < SHUFFLED; i++)
		bay_task_free(tasks[i]);
	return status;
}

static bool
count_looks(struct scheduler *scheduler, void *arg)
{
	(void)scheduler;
	(void)arg;
	looked++;
	return false;
}

static void
run_course(uint64_t seed)
{
	course_size = 0;
	run_tasks_begin();
	scheduler_run_singly(&run_tasks_scheduler, seed);
	run_tasks_scheduler.find_work = count_looks;
	looked = 0;
	ck_assert_int_eq(run_tasks(starts_them, NULL), BAY_OK);
	/* After each of them. */
	ck_assert_uint_ge(looked, run_tasks_scheduler.switches / 2);
	run_tasks_end();
	ck_assert_uint_eq(course_size, SHUFFLED * ROUNDS);
	course[course_size] = '\0';
}

/* Places of a round at which somebody else stands than in the one before. */
static unsigned
moves_in_course(void)
{
	unsigned moves = 0;

	for (size_t i = SHUFFLED; i < course_size; i++)
		moves += course[i] != course[i - SHUFFLED];
	return moves;
}

START_TEST(a_seed_draws_the_order_and_each_runs_once_a_round)
{
	char first[sizeof course];

	run_course(0);
	ck_assert_uint_eq(moves_in_course(), 0);
	run_course(1234);
	ck_assert_uint_gt(moves_in_course(), SHUFFLED * ROUNDS / 2);
	for (size_t i = 0; i < course_size; i++) {
		/* Whoever had his turn in this round waits for the others. */
		for (size_t j = i / SHUFFLED * SHUFFLED; j < i; j++)
			ck_assert_int_ne(course[i], course[j]);
	}
	memcpy(first, course, sizeof first);
	run_course(1234);
	ck_assert_str_eq(course, first);
	run_course(1235);
	ck_assert_str_ne(course, first);
}
END_TEST

CHECK_MAIN("runtime/scheduler",
	one_thread_has_one_scheduler,
	a_seed_draws_the_order_and_each_runs_once_a_round,
	timers_fire_while_tasks_are_ready_all_the_time,
	timers_wait_for_few_yields_of_tasks_that_work_for_long,
	timers_wait_for_few_yields_of_a_task_that_refuses_to_end,
	timers_wait_for_few_other_awaits_of_one_too,
	posts_are_heard_while_tasks_are_ready_all_the_time,
	work_above_is_looked_for_while_tasks_are_ready_all_the_time,
	equal_sizes_share_a_class,
	stacks_of_a_burst_stay_warm_for_a_while,
	memory_falls_after_a_burst_by_some_stacks_in_each_pass,
	memory_falls_while_nothing_else_happens,
	the_stack_of_an_ended_task_is_poisoned_until_the_next_one,
	a_task_stays_on_its_thread,
	another_thread_may_stop_it,
	what_was_posted_before_the_stop_is_run,
	the_status_page_says_who_runs,
	the_status_page_says_when_nobody_runs)
