/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/executor.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/task.h"
#include "service/ready_set.h"
#include "support/check_main.h"
#include "support/log_lines.h"

enum { LOOPS = 4 };

/* A loop that parts too early does so within this. */
#define TIME_TO_GO_TOO_FAR_NS (20 * INT64_C(1000000))

static struct status_page page;
static struct executor *executor;

/* --- threads that cannot be had -------------------------------------------------------------- */

static atomic_int threads_left = 1000;

/* In front of the real one. */
int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
	static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (atomic_fetch_sub(&threads_left, 1) <= 0)
		return EAGAIN;
	if (create == NULL)
		create = (__typeof__(create))dlsym(RTLD_NEXT, "pthread_create");
	return create(thread, attributes, fn, arg);
}

/* --- a wake that takes its time ----------------------------------------------------------------- */

static const struct loop *_Atomic woken;

/* In front of the real one. The loop runs already while its waker comes back slowly. */
ssize_t
write(int fd, const void *data, size_t size)
{
	const volatile struct loop *loop = atomic_exchange(&woken, NULL);
	ssize_t done = syscall(SYS_write, fd, data, size);
	int64_t until_ns = clock_monotonic_ns() + TIME_TO_GO_TOO_FAR_NS;

	if (loop == NULL)
		return done;
	while (clock_monotonic_ns() < until_ns) {
		ck_assert_int_eq(loop->_wake_fd, fd);
		sched_yield();
	}
	return done;
}

/* --- the executor ------------------------------------------------------------------------------- */

static void
begin(void)
{
	int fd = status_page_create(&page, "test", 4, LOOPS);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void
end(void)
{
	ready_sets_finish();
	status_page_close(&page);
}

static int
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* What a loop's thread says of itself. */
struct look {
	struct inbox_item item;
	struct scheduler *here;
	pthread_t thread;
	char name[16];
	bool has_crash_stack;
	atomic_bool done;
};

static void
look_around(struct inbox_item *item)
{
	struct look *look = container_of(item, struct look, item);
	stack_t stack;

	look->here = scheduler_here;
	look->thread = pthread_self();
	pthread_getname_np(pthread_self(), look->name, sizeof look->name);
	sigaltstack(NULL, &stack);
	look->has_crash_stack = (stack.ss_flags & SS_DISABLE) == 0;
	atomic_store(&look->done, true);
}

static void
wait_until(const atomic_bool *flag)
{
	while (!atomic_load(flag))
		sched_yield();
}

START_TEST(each_loop_has_a_thread_of_its_own)
{
	static const char *const names[LOOPS] = {"loop 0", "loop 1", "loop 2", "loop 3"};
	struct look looks[LOOPS];
	unsigned i, j;

	begin();
	executor = executor_create(LOOPS, &page);
	ck_assert_ptr_nonnull(executor);
	ck_assert_uint_eq(executor_count(executor), LOOPS);
	for (i = 0; i < LOOPS; i++) {
		looks[i].item.run = look_around;
		atomic_init(&looks[i].done, false);
		loop_post(&executor_scheduler(executor, i)->loop, &looks[i].item);
	}
	for (i = 0; i < LOOPS; i++) {
		wait_until(&looks[i].done);
		ck_assert_ptr_eq(looks[i].here, executor_scheduler(executor, i));
		ck_assert_uint_eq(looks[i].here->index, i);
		ck_assert_ptr_eq(looks[i].here->status, status_page_loop(&page, i));
		ck_assert_str_eq(looks[i].name, names[i]);
		ck_assert(looks[i].has_crash_stack);
		for (j = 0; j < i; j++)
			ck_assert(!pthread_equal(looks[i].thread, looks[j].thread));
	}
	executor_destroy(executor);
	end();
}
END_TEST

/* For the master, which reads the page: nobody's task runs there. */
START_TEST(an_idle_loop_runs_nobody)
{
	struct status_loop_view view;
	unsigned i;

	begin();
	/* Whatever the page said before. */
	for (i = 0; i < LOOPS; i++)
		atomic_store(&status_page_loop(&page, i)->slot, 3);
	executor = executor_create(LOOPS, &page);
	for (i = 0; i < LOOPS; i++) {
		status_page_read_loop(&page, i, &view);
		ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	}
	executor_destroy(executor);
	end();
}
END_TEST

START_TEST(it_comes_and_goes_without_a_trace)
{
	int i, fds = open_fds();

	begin();
	for (i = 0; i < 50; i++) {
		executor = executor_create(LOOPS, &page);
		ck_assert_ptr_nonnull(executor);
		executor_destroy(executor);
		ready_sets_finish();
	}
	executor_destroy(NULL);
	end();
	ck_assert_int_eq(open_fds(), fds);
}
END_TEST

/* --- starts that fail ------------------------------------------------------------------------------ */

START_TEST(without_all_threads_none_stays)
{
	int i, fds = open_fds();

	begin();
	for (i = 0; i < LOOPS; i++) {
		atomic_store(&threads_left, i);
		ck_assert_ptr_null(executor_create(LOOPS, &page));
		ck_assert_int_eq(open_fds(), fds);
	}
	atomic_store(&threads_left, 1000);
	executor = executor_create(LOOPS, &page);
	ck_assert_ptr_nonnull(executor);
	executor_destroy(executor);
	end();
}
END_TEST

START_TEST(without_descriptors_there_are_no_loops)
{
	int low = open("/dev/null", O_RDONLY), i, fds = open_fds();
	struct rlimit limit, few;

	begin();
	log_lines_keep();
	close(low);
	getrlimit(RLIMIT_NOFILE, &limit);
	/* With more of them libevent may be the one who finds none, and ends the process. */
	for (i = 0; i < 2; i++) {
		few = limit;
		few.rlim_cur = (rlim_t)(low + i);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		executor = executor_create(LOOPS, &page);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ck_assert_ptr_null(executor);
		ck_assert_int_eq(open_fds(), fds - 1);
	}
	ck_assert_int_ge(log_lines_with("start loop"), 2);
	end();
}
END_TEST

/* --- the end ---------------------------------------------------------------------------------------- */

struct last_post {
	struct inbox_item item;
	struct inbox_item second;
	atomic_bool begun;
	atomic_bool go;
};

static void
nothing(struct inbox_item *item)
{
	(void)item;
}

/* The other loop has long been told to stop; all that it owns must still be there. */
static void
post_at_the_end(struct inbox_item *item)
{
	struct last_post *last = container_of(item, struct last_post, item);
	struct loop *other = &executor_scheduler(executor, 0)->loop;
	int64_t until_ns;

	atomic_store(&last->begun, true);
	wait_until(&last->go);
	while (!atomic_load(&executor_scheduler(executor, 0)->stopping))
		sched_yield();
	until_ns = clock_monotonic_ns() + TIME_TO_GO_TOO_FAR_NS;
	while (clock_monotonic_ns() < until_ns) {
		ck_assert_ptr_nonnull(((volatile struct loop *)other)->base);
		sched_yield();
	}
	last->second.run = nothing;
	loop_post(other, &last->second);
}

START_TEST(loops_may_post_to_each_other_until_all_have_stopped)
{
	struct last_post last = {.item = {.run = post_at_the_end}};

	begin();
	executor = executor_create(2, &page);
	loop_post(&executor_scheduler(executor, 1)->loop, &last.item);
	wait_until(&last.begun);
	atomic_store(&last.go, true);
	executor_destroy(executor);
	end();
}
END_TEST

START_TEST(a_loop_stays_until_whoever_stops_it_has_woken_it)
{
	struct loop *loop;

	begin();
	executor = executor_create(1, &page);
	loop = &executor_scheduler(executor, 0)->loop;
	while (!atomic_load(&loop->_sleeping))
		sched_yield();
	atomic_store(&woken, loop);
	executor_destroy(executor);
	ck_assert_ptr_null(atomic_load(&woken));
	end();
}
END_TEST

/* --- without a thread -------------------------------------------------------------------------- */

static int
notes_its_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	return BAY_OK;
}

START_TEST(a_loop_can_be_the_thread_that_makes_it)
{
	struct scheduler *scheduler;
	pthread_t thread;
	struct task *task;
	int fd = status_page_create(&page, "test", 1, 1);

	ck_assert_int_ge(fd, 0);
	close(fd);
	for (int i = 0; i < 2; i++) {
		struct task_spec spec = {.name = "here", .fn = notes_its_thread, .arg = &thread,
			.deadline = BAY_INHERIT, .slot = STATUS_NO_SLOT};

		executor = executor_create_here(&page);
		ck_assert_ptr_nonnull(executor);
		ck_assert_uint_eq(executor_count(executor), 1);
		scheduler = executor_scheduler(executor, 0);
		ck_assert_ptr_eq(scheduler_here, scheduler);
		spec.class = scheduler_stack_class(scheduler, 64 << 10);
		task = task_create(scheduler, &spec);
		ck_assert_ptr_nonnull(task);
		task->handle->detached = true;
		task_start(task);
		thread = (pthread_t)0;
		scheduler_run_ready(scheduler);
		ck_assert(pthread_equal(thread, pthread_self()));
		executor_destroy(executor);
		ready_sets_finish();
		ck_assert_ptr_null(scheduler_here);
	}
	status_page_close(&page);
}
END_TEST

CHECK_MAIN("cell/executor",
	each_loop_has_a_thread_of_its_own,
	an_idle_loop_runs_nobody,
	it_comes_and_goes_without_a_trace,
	without_all_threads_none_stays,
	without_descriptors_there_are_no_loops,
	loops_may_post_to_each_other_until_all_have_stopped,
	a_loop_stays_until_whoever_stops_it_has_woken_it,
	a_loop_can_be_the_thread_that_makes_it)
