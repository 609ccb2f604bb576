/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/blocking_pool.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include <bay/bay.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "support/check_main.h"
#include "support/log_lines.h"

enum { WAIT_S = 30, JOBS = 8 };

static struct loop loop;
static int home_count;
static sem_t began, gate;
static atomic_int running, most;
static pthread_t last_thread;
static char order[64];

struct job {
	struct blocking_job job;
	char letter;
	int refused;
};

static void
on_home(struct inbox_item *item)
{
	(void)item;
	home_count++;
}

static struct job *
job_init(struct job *job, char letter, void (*run)(struct blocking_job *))
{
	memset(job, 0, sizeof *job);
	job->job.home.run = on_home;
	job->job.loop = &loop;
	job->job.run = run;
	job->letter = letter;
	return job;
}

static void
note(struct blocking_job *job)
{
	size_t length = strlen(order);

	last_thread = pthread_self();
	order[length] = ((struct job *)job)->letter;
	order[length + 1] = '\0';
}

/* Says that it has begun, and waits to be let go. */
static void
hold(struct blocking_job *job)
{
	int now = atomic_fetch_add(&running, 1) + 1, before = atomic_load(&most);

	(void)job;
	while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
		;
	sem_post(&began);
	sem_wait(&gate);
	atomic_fetch_sub(&running, 1);
}

static void
open_gate(int count)
{
	while (count-- > 0)
		sem_post(&gate);
}

static void
wait_begun(int count)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	while (count-- > 0)
		ck_assert_int_eq(sem_timedwait(&began, &until), 0);
}

static bool
has_begun(void)
{
	return sem_trywait(&began) == 0;
}

static void
wait_home(int count)
{
	int64_t until_ns = clock_monotonic_ns() + (int64_t)WAIT_S * CLOCK_NS_PER_S;

	while (home_count < count) {
		ck_assert_int_lt(clock_monotonic_ns(), until_ns);
		if (!loop_drain_inbox(&loop))
			loop_wait(&loop, until_ns);
	}
}

static void
begin(unsigned threads, int64_t idle_ns)
{
	ck_assert(loop_init(&loop, "test"));
	sem_init(&began, 0, 0);
	sem_init(&gate, 0, 0);
	home_count = 0;
	running = most = 0;
	order[0] = '\0';
	blocking_pool_set_limits(threads, idle_ns);
	ck_assert_uint_eq(blocking_pool_threads(), 0);
}

static void
end(void)
{
	blocking_pool_finish();
	ck_assert_uint_eq(blocking_pool_threads(), 0);
	loop_drain_inbox(&loop);
	loop_finish(&loop);
}

static void
submit(struct blocking_lane *lane, struct job *job)
{
	ck_assert_int_eq(blocking_submit(lane, &job->job), BAY_OK);
}

START_TEST(a_job_runs_on_another_thread_and_comes_home)
{
	struct blocking_lane lane;
	struct job job;

	begin(16, 10 * BAY_SECOND);
	blocking_lane_init(&lane);
	submit(&lane, job_init(&job, 'a', note));
	wait_home(1);
	ck_assert_str_eq(order, "a");
	ck_assert(!pthread_equal(last_thread, pthread_self()));
	/* The thread stays for the next one. */
	submit(&lane, job_init(&job, 'b', note));
	wait_home(2);
	ck_assert_uint_eq(blocking_pool_threads(), 1);
	end();
}
END_TEST

START_TEST(jobs_of_a_lane_begin_in_the_order_of_coming)
{
	struct blocking_lane lane;
	struct job jobs[JOBS];

	begin(4, 10 * BAY_SECOND);
	blocking_lane_init(&lane);
	blocking_lane_set_limit(&lane, 1);
	submit(&lane, job_init(&jobs[0], 'a', hold));
	wait_begun(1);
	for (int i = 1; i < JOBS; i++)
		submit(&lane, job_init(&jobs[i], (char)('a' + i), note));
	open_gate(1);
	wait_home(JOBS);
	ck_assert_str_eq(order, "bcdefgh");
	end();
}
END_TEST

START_TEST(a_lane_keeps_to_its_limit_and_others_pass_it)
{
	struct blocking_lane greedy, other;
	struct job jobs[JOBS], quick;

	begin(16, 10 * BAY_SECOND);
	blocking_lane_init(&greedy);
	blocking_lane_init(&other);
	blocking_lane_set_limit(&greedy, 2);
	for (int i = 0; i < JOBS; i++)
		submit(&greedy, job_init(&jobs[i], 'x', hold));
	wait_begun(2);
	submit(&other, job_init(&quick, 'q', note));
	wait_home(1);
	ck_assert_str_eq(order, "q");
	ck_assert(!has_begun());
	open_gate(JOBS);
	wait_home(JOBS + 1);
	ck_assert_int_eq(most, 2);
	end();
}
END_TEST

START_TEST(there_are_never_more_threads_than_allowed)
{
	struct blocking_lane lane;
	struct job jobs[JOBS];

	begin(3, 10 * BAY_SECOND);
	blocking_lane_init(&lane);
	for (int i = 0; i < JOBS; i++)
		submit(&lane, job_init(&jobs[i], 'x', hold));
	/* One thread a job, as long as there may be more. */
	wait_begun(3);
	ck_assert_uint_eq(blocking_pool_threads(), 3);
	open_gate(JOBS);
	wait_home(JOBS);
	ck_assert_int_eq(most, 3);
	end();
}
END_TEST

START_TEST(idle_threads_end)
{
	int64_t until_ns = clock_monotonic_ns() + (int64_t)WAIT_S * CLOCK_NS_PER_S;
	struct blocking_lane lane;
	struct job jobs[JOBS];

	begin(JOBS, 10 * BAY_MS);
	blocking_lane_init(&lane);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < JOBS; i++)
			submit(&lane, job_init(&jobs[i], 'x', hold));
		wait_begun(JOBS);
		ck_assert_uint_eq(blocking_pool_threads(), JOBS);
		open_gate(JOBS);
		wait_home((round + 1) * JOBS);
		while (blocking_pool_threads() > 0)
			ck_assert_int_lt(clock_monotonic_ns(), until_ns);
	}
	end();
}
END_TEST

START_TEST(a_full_lane_refuses)
{
	static struct job jobs[BLOCKING_LANE_QUEUE + 2];
	struct blocking_lane lane, other;
	struct job job;

	begin(16, 10 * BAY_SECOND);
	blocking_lane_init(&lane);
	blocking_lane_init(&other);
	blocking_lane_set_limit(&lane, 1);
	submit(&lane, job_init(&jobs[0], 'x', hold));
	wait_begun(1);
	for (int i = 1; i <= BLOCKING_LANE_QUEUE; i++)
		submit(&lane, job_init(&jobs[i], 'x', hold));
	job_init(&jobs[BLOCKING_LANE_QUEUE + 1], 'x', hold);
	ck_assert_int_eq(blocking_submit(&lane, &jobs[BLOCKING_LANE_QUEUE + 1].job), BAY_FULL);
	submit(&other, job_init(&job, 'o', note));
	wait_home(1);
	open_gate(BLOCKING_LANE_QUEUE + 1);
	wait_home(BLOCKING_LANE_QUEUE + 2);
	end();
}
END_TEST

START_TEST(a_job_is_taken_back_until_it_begins)
{
	struct blocking_lane lane;
	struct job jobs[3];

	begin(16, 10 * BAY_SECOND);
	blocking_lane_init(&lane);
	blocking_lane_set_limit(&lane, 1);
	submit(&lane, job_init(&jobs[0], 'a', hold));
	submit(&lane, job_init(&jobs[1], 'b', note));
	submit(&lane, job_init(&jobs[2], 'c', note));
	wait_begun(1);
	ck_assert(blocking_withdraw(&jobs[1].job));
	ck_assert(!blocking_withdraw(&jobs[1].job));
	ck_assert(!blocking_withdraw(&jobs[0].job));
	open_gate(1);
	wait_home(2);
	ck_assert_str_eq(order, "c");
	ck_assert(!blocking_withdraw(&jobs[2].job));
	end();
}
END_TEST

static void
try_to_wait(struct blocking_job *job)
{
	((struct job *)job)->refused = bay_sleep(BAY_MS);
}

START_TEST(a_wait_there_is_refused)
{
	struct blocking_lane lane;
	struct job job;

	begin(16, 10 * BAY_SECOND);
	log_lines_keep();
	blocking_lane_init(&lane);
	job_init(&job, 'a', try_to_wait);
	job.job.elsewhere = (struct await_elsewhere){.subject = "service s", .name = "crunch"};
	submit(&lane, &job);
	wait_home(1);
	ck_assert_int_eq(job.refused, BAY_INVALID);
	ck_assert_int_eq(log_lines_with("service s: bay_sleep was called by crunch, which runs on a helper thread"), 1);
	end();
}
END_TEST

CHECK_MAIN("io/blocking_pool",
	a_job_runs_on_another_thread_and_comes_home,
	jobs_of_a_lane_begin_in_the_order_of_coming,
	a_lane_keeps_to_its_limit_and_others_pass_it,
	there_are_never_more_threads_than_allowed,
	idle_threads_end,
	a_full_lane_refuses,
	a_job_is_taken_back_until_it_begins,
	a_wait_there_is_refused)
