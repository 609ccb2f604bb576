/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that die in all ways, and what they leave in the status page. */
#include "config.h"

#include "cell/crash.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/crash_area.h"
#include "base/status_page.h"
#include "runtime/task.h"
#include "support/check_main.h"
#include "support/run_tasks.h"

/* A sanitizer has handlers of its own, which report the signal and exit. */
#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static struct status_page page;
static struct status_crash_view crash;
static bool recorded;
static struct crash_trace_view trace; /* if traced */
static bool traced;
static uint32_t loading;

typedef void scene_fn(void);

/* Runs the scene in a process of its own. Returns how it ended. */
static int
die(scene_fn *scene)
{
	struct rlimit none = {0, 0};
	int status, quiet, fd = status_page_create(&page, "test", 4, 2);
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	close(fd);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		quiet = open("/dev/null", O_WRONLY);
		dup2(quiet, STDERR_FILENO);
		crash_install(&page);
		crash_use_thread();
		scene();
		_exit(42);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	recorded = status_page_read_crash(&page, &crash);
	loading = status_page_loading(&page);
	traced = crash_trace_read(&status_page_crash_area(&page)->crash, &trace);
	status_page_close(&page);
	return status;
}

/* What the master will say is all in the record; the signal takes its course. */
static void
expect(scene_fn *scene, int number, const char *text)
{
	int status = die(scene);

	ck_assert(recorded);
	ck_assert_int_eq(crash.signal, number);
	ck_assert_msg(strstr(crash.text, text) != NULL, "'%s' is not in: %s", text, crash.text);
	if (SANITIZED && WIFEXITED(status))
		ck_assert_int_ne(WEXITSTATUS(status), 42);
	else
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == number, "it ended with 0x%x", status);
}

/* --- outside of tasks --------------------------------------------------------------------- */

static volatile int *volatile nowhere;
static volatile int zero;

static __attribute__((no_sanitize("address", "undefined"))) void
write_there(void)
{
	*nowhere = 1;
}

static void
write_to_null(void)
{
	nowhere = (int *)16;
	write_there();
}

static void
write_where_nothing_is(void)
{
	nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	write_there();
}

static void
read_behind_the_end_of_a_file(void)
{
	int fd = memfd_create("short", 0);

	nowhere = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	write_there();
}

#if defined(__x86_64__)
static void
divide_by_zero(void)
{
	__asm__ volatile("idivl %0" : : "r"(zero), "a"(1), "d"(0));
}
#endif

static void
trap(void)
{
	__builtin_trap();
}

START_TEST(each_kind_of_fault_is_named)
{
	expect(write_to_null, SIGSEGV, "access through a null pointer");
	ck_assert_uint_eq(crash.address, 16);
	ck_assert_uint_eq(crash.loop, UINT32_MAX);
	ck_assert_uint_eq(crash.slot, STATUS_NO_SLOT);
	expect(write_where_nothing_is, SIGSEGV, "access to memory that is not there");
	ck_assert_uint_gt(crash.address, 65536);
	expect(read_behind_the_end_of_a_file, SIGBUS, "access behind the end of a mapped file");
	expect(trap, SIGILL, "an instruction that does not exist");
	expect(abort, SIGABRT, "abort() was called");
	ck_assert_uint_eq(crash.address, 0);
#if defined(__x86_64__)
	expect(divide_by_zero, SIGFPE, "an arithmetic fault");
#endif
}
END_TEST

static void
be_killed(void)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		kill(self, SIGBUS);
		_exit(0);
	}
	for (;;)
		pause();
}

/* --- while code is loaded --------------------------------------------------------------- */

static void
crash_while_loading(void)
{
	crash_set_loading(2);
	write_to_null();
}

static void *
crash_elsewhere(void *arg)
{
	write_to_null();
	return arg;
}

static void
crash_beside_loading(void)
{
	pthread_t thread;

	crash_set_loading(2);
	pthread_create(&thread, NULL, crash_elsewhere, NULL);
	pthread_join(thread, NULL);
}

static void
be_killed_while_loading(void)
{
	crash_set_loading(2);
	be_killed();
}

static void
exit_while_loading(void)
{
	crash_set_loading(2);
	exit(0);
}

static void *
exit_elsewhere(void *arg)
{
	(void)arg;
	exit(0);
}

static void
exit_beside_loading(void)
{
	pthread_t thread;

	crash_set_loading(2);
	pthread_create(&thread, NULL, exit_elsewhere, NULL);
	pthread_join(thread, NULL);
}

static void
crash_after_loading(void)
{
	crash_set_loading(2);
	crash_set_loading(STATUS_NO_SLOT);
	write_to_null();
}

/* The page says who is to blame, and to the end only if it was the thread that loads. */
START_TEST(a_crash_while_code_is_loaded_leaves_whose_it_was)
{
	expect(crash_while_loading, SIGSEGV, "access through a null pointer");
	ck_assert_uint_eq(loading, 2);
	expect(crash_beside_loading, SIGSEGV, "access through a null pointer");
	ck_assert_uint_eq(loading, STATUS_NO_SLOT);
	expect(be_killed_while_loading, SIGBUS, "the signal was sent");
	ck_assert_uint_eq(loading, STATUS_NO_SLOT);
	expect(crash_after_loading, SIGSEGV, "access through a null pointer");
	ck_assert_uint_eq(loading, STATUS_NO_SLOT);
}
END_TEST

static void
take_and_crash(void)
{
	if (crash_handle_again() != 0)
		_exit(1);
	signal(SIGILL, SIG_IGN);
	signal(SIGSEGV, SIG_IGN);
	if (crash_handle_again() != SIGSEGV || crash_handle_again() != 0)
		_exit(1);
	write_to_null();
}

START_TEST(handlers_that_were_taken_away_are_put_back)
{
	expect(take_and_crash, SIGSEGV, "access through a null pointer");
}
END_TEST

static void
end_well(void)
{
}

START_TEST(who_does_not_crash_leaves_no_record)
{
	int status = die(end_well);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	ck_assert(!recorded);
}
END_TEST

/* --- signals that were sent ------------------------------------------------------------------ */

static void
raise_segv(void)
{
	raise(SIGSEGV);
}

/* No fault comes again that would end the process. */
START_TEST(a_signal_that_was_sent_ends_the_process_too)
{
	expect(raise_segv, SIGSEGV, "the signal was sent");
	ck_assert_uint_eq(crash.address, 0);
	expect(be_killed, SIGBUS, "the signal was sent");
}
END_TEST

/* --- in tasks ------------------------------------------------------------------------------------ */

static int
run_as_task(bay_task_fn *fn)
{
	run_tasks_begin();
	run_tasks_scheduler.index = 1;
	run_tasks_scheduler.status = status_page_loop(&page, 1);
	status_loop_set_task(run_tasks_scheduler.status, 3, &(struct status_name){{0}});
	return run_tasks(fn, NULL);
}

static int
task_writes_to_null(void *arg)
{
	(void)arg;
	atomic_store(&run_tasks_scheduler.status->slot, 3);
	write_to_null();
	return BAY_OK;
}

static void
crash_in_a_task(void)
{
	run_as_task(task_writes_to_null);
}

START_TEST(a_fault_in_a_task_names_its_loop_service_and_task)
{
	expect(crash_in_a_task, SIGSEGV, "null pointer");
	ck_assert(traced);
	ck_assert_int_eq(trace.kind, CRASH_NULL_POINTER);
	ck_assert_uint_gt(trace.frame_count, 1);
	ck_assert_uint_gt(trace.tid, 0);
	ck_assert(!trace.has_message);
	ck_assert_uint_eq(crash.loop, 1);
	ck_assert_uint_eq(crash.slot, 3);
	ck_assert_str_eq(crash.task, "test");
}
END_TEST

static int
task_exits(void *arg)
{
	(void)arg;
	atomic_store(&run_tasks_scheduler.status->slot, 3);
	exit(7);
}

static void
exit_in_a_task(void)
{
	crash_set_loading(2);
	crash_set_loading(STATUS_NO_SLOT);
	status_page_set_loading(&page, 2); /* another thread loads */
	run_as_task(task_exits);
}

/* Several may be at work; exit() is one's doing. */
START_TEST(who_calls_exit_is_told_from_those_beside_it)
{
	int status = die(exit_in_a_task);

	/* A sanitizer finds what the task held, and puts a status of its own. */
	ck_assert(WIFEXITED(status));
	ck_assert(SANITIZED || WEXITSTATUS(status) == 7);
	ck_assert(recorded);
	ck_assert_uint_eq(crash.slot, 3);
	ck_assert_str_eq(crash.task, "test");
	ck_assert_str_eq(crash.text, "exit() was called");
	ck_assert_uint_eq(loading, STATUS_NO_SLOT);
	(void)die(exit_while_loading);
	ck_assert(recorded);
	ck_assert_uint_eq(crash.slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(loading, 2);
	(void)die(exit_beside_loading);
	ck_assert(!recorded);
	ck_assert_uint_eq(loading, STATUS_NO_SLOT);
}
END_TEST

static int
task_is_killed(void *arg)
{
	(void)arg;
	be_killed();
	return BAY_OK;
}

static void
be_killed_in_a_task(void)
{
	run_as_task(task_is_killed);
}

static int
task_raises(void *arg)
{
	(void)arg;
	raise_segv();
	return BAY_OK;
}

static void
raise_in_a_task(void)
{
	run_as_task(task_raises);
}

START_TEST(who_was_running_is_blamed_for_what_came_from_here_only)
{
	expect(raise_in_a_task, SIGSEGV, "the signal was sent");
	ck_assert_str_eq(crash.task, "test");
	expect(be_killed_in_a_task, SIGBUS, "the signal was sent");
	ck_assert_uint_eq(crash.loop, UINT32_MAX);
	ck_assert_str_eq(crash.task, "");
}
END_TEST

/* --- stacks ---------------------------------------------------------------------------------------- */

static __attribute__((noinline, no_sanitize("address", "undefined"))) int
descend(int levels)
{
	volatile char frame[2000];

	frame[0] = (char)levels;
	frame[1999] = frame[0];
	if (levels == 0)
		return frame[0];
	return descend(levels - 1) + frame[1999];
}

static int
task_descends(void *arg)
{
	(void)arg;
	zero = descend(1000000);
	return BAY_OK;
}

static void
overflow(void)
{
	run_as_task(task_descends);
}

START_TEST(an_overflow_is_told_from_other_faults)
{
	expect(overflow, SIGSEGV, "stack overflow");
	ck_assert_str_eq(crash.task, "test");
}
END_TEST

static int
task_stays(void *arg)
{
	(void)arg;
	return bay_sleep(BAY_SECOND);
}

/* The guard of a stack that is not the running task's: a wild pointer. */
static int
task_writes_into_anothers_guard(void *arg)
{
	struct bay_task *other = bay_spawn("other", task_stays, NULL);
	const struct task *task;

	(void)arg;
	/* It has its stack once it has begun. */
	if (bay_yield() != BAY_OK || (task = task_of_handle(other)) == NULL)
		return BAY_FAILED;
	nowhere = (int *)(task->stack.low - 64);
	write_there();
	return BAY_OK;
}

static void
write_into_anothers_guard(void)
{
	run_as_task(task_writes_into_anothers_guard);
}

START_TEST(anothers_guard_is_no_overflow)
{
	expect(write_into_anothers_guard, SIGSEGV, "access to memory that is not there");
	ck_assert_str_eq(crash.task, "test");
}
END_TEST

/* --- threads ------------------------------------------------------------------------------------------ */

static void *
thread_main(void *arg)
{
	bool prepared = *(bool *)arg;
	stack_t stack;

	if (prepared) {
		crash_use_thread();
		sigaltstack(NULL, &stack);
		if ((stack.ss_flags & SS_DISABLE) != 0)
			_exit(43);
		crash_leave_thread();
	}
	sigaltstack(NULL, &stack);
	if (!SANITIZED && (stack.ss_flags & SS_DISABLE) == 0)
		_exit(44);
	return NULL;
}

static void
come_and_go(void)
{
	bool prepared[] = {true, false};
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		pthread_create(&thread, NULL, thread_main, &prepared[i]);
		pthread_join(thread, NULL);
	}
}

START_TEST(a_thread_has_a_stack_for_it_until_it_leaves)
{
	int status = die(come_and_go);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 42, "it ended with 0x%x", status);
}
END_TEST

/* --- abort ------------------------------------------------------------------------------------------- */

static void
fail_an_assertion(void)
{
	__assert_fail("one == 2", "file.c", 3, "function");
}

START_TEST(the_last_words_of_the_c_library_are_kept)
{
	(void)die(fail_an_assertion);
	ck_assert(recorded && traced);
	ck_assert_int_eq(trace.kind, CRASH_ASSERTION);
	ck_assert_ptr_nonnull(strstr(trace.abort, "one == 2"));
	ck_assert_ptr_nonnull(strstr(crash.text, "one == 2"));
}
END_TEST

/* --- who hears of it ----------------------------------------------------------------------------------- */

static int told[2];

static void
end_well_though_asked(void)
{
	crash_tell(told[1]);
}

static void
tell_of_a_crash(void)
{
	crash_tell(told[1]);
	write_to_null();
}

START_TEST(who_is_to_hear_of_a_crash_does)
{
	char byte;

	ck_assert_int_eq(pipe2(told, O_CLOEXEC | O_NONBLOCK), 0);
	(void)die(end_well_though_asked);
	ck_assert_int_eq(read(told[0], &byte, 1), -1);
	(void)die(tell_of_a_crash);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	close(told[0]);
	close(told[1]);
}
END_TEST

/* --- where a loop is ----------------------------------------------------------------------------------- */

static int
be_asked(void *arg)
{
	(void)arg;
	crash_use_loop(1);
	raise(CRASH_STALL_SIGNAL);
	_exit(crash_trace_read(&status_page_crash_area(&page)->stalls[1], &trace) &&
		trace.kind == CRASH_STALLED && trace.frame_count > 1 ? 77 : 1);
}

static void
be_asked_in_a_task(void)
{
	run_as_task(be_asked);
}

START_TEST(a_loop_that_is_asked_says_where_it_is_and_goes_on)
{
	int status = die(be_asked_in_a_task);

	ck_assert(!recorded);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 77);
}
END_TEST

/* --- whoever handled it before ------------------------------------------------------------------------ */

static void
say_so(int number)
{
	_exit(100 + number);
}

static void
crash_with_a_former_handler(void)
{
	signal(SIGSEGV, say_so);
	crash_install(&page);
	write_to_null();
}

START_TEST(the_former_handler_has_the_last_word)
{
	int status = die(crash_with_a_former_handler);

	ck_assert(recorded);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 100 + SIGSEGV);
}
END_TEST

CHECK_MAIN("cell/crash",
	each_kind_of_fault_is_named,
	a_crash_while_code_is_loaded_leaves_whose_it_was,
	handlers_that_were_taken_away_are_put_back,
	who_does_not_crash_leaves_no_record,
	a_signal_that_was_sent_ends_the_process_too,
	a_fault_in_a_task_names_its_loop_service_and_task,
	who_calls_exit_is_told_from_those_beside_it,
	who_was_running_is_blamed_for_what_came_from_here_only,
	an_overflow_is_told_from_other_faults,
	anothers_guard_is_no_overflow,
	a_thread_has_a_stack_for_it_until_it_leaves,
	the_last_words_of_the_c_library_are_kept,
	who_is_to_hear_of_a_crash_does,
	a_loop_that_is_asked_says_where_it_is_and_goes_on,
	the_former_handler_has_the_last_word)
