/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of services on helper threads. */
#include "config.h"

#include "service/blocking.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "io/blocking_pool.h"
#include "runtime/task.h"
#include "service/instance_change.h"
#include "service/settings.h"
#include "support/log_lines.h"
#include "support/services.h"

enum { WAIT_S = 30 };

static struct bay_service *service;
static sem_t began, gate, freed;
static atomic_int runs, frees, at_fini;
static pthread_t loop_thread;

static void
begin(void)
{
	sem_init(&began, 0, 0);
	sem_init(&gate, 0, 0);
	sem_init(&freed, 0, 0);
	runs = frees = at_fini = 0;
	loop_thread = pthread_self();
	services_begin(0);
}

static void
end(void)
{
	/* As a cell does: a helper thread may still be waking the loop that has its result. */
	blocking_pool_finish();
	services_end();
	blocking_pool_finish();
}

/* Holds the loop, or the test, until then. */
static void
await_sem(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	ck_assert_int_eq(sem_timedwait(sem, &until), 0);
}

static int
count_run(void *arg)
{
	ck_assert(!pthread_equal(pthread_self(), loop_thread));
	*(int *)arg += 1;
	atomic_fetch_add(&runs, 1);
	return 7;
}

/* Says that it has begun and waits to be let go. */
static int
hold(void *arg)
{
	(void)arg;
	atomic_fetch_add(&runs, 1);
	sem_post(&began);
	sem_wait(&gate);
	return BAY_OK;
}

static void
count_free(void *arg)
{
	free(arg);
	atomic_fetch_add(&frees, 1);
	sem_post(&freed);
}

/* Waits, beside the loop, until a function has begun. */
static int
wait_begun(void)
{
	while (sem_trywait(&began) != 0)
		if (bay_sleep(BAY_MS) != BAY_OK)
			return BAY_CANCELED;
	return BAY_OK;
}

static int
call_and_be_cut_off(void *arg)
{
	ck_assert_int_eq(bay_blocking("hold", hold, arg, count_free, NULL, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

static void
fini_notes(struct bay_instance *instance)
{
	(void)instance;
	at_fini = frees;
}

static void
start(int (*handle)(struct bay_request *))
{
	static struct bay_plugin plugin;

	plugin = *PLUGIN(.handle = handle, .fini = fini_notes);
	service = services_start(&(struct service_options){.name = "s", .plugin = &plugin});
}

static int
start_and_run(int (*handle)(struct bay_request *), bay_task_fn *body, unsigned threads)
{
	start(handle);
	blocking_lane_set_limit(&service->blocking, threads);
	return services_run(body, NULL);
}

static int
call_it(void *arg)
{
	(void)arg;
	services_expect_text(service, "x", BAY_OK, "ok");
	return BAY_OK;
}

/* --- a function that comes to its end -------------------------------------------------- */

static int
handle_result(struct bay_request *request)
{
	int arg = 41, result = 0;

	ck_assert_int_eq(bay_blocking("count", count_run, &arg, count_free, &result, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(result, 7);
	ck_assert_int_eq(arg, 42);
	ck_assert_int_eq(bay_blocking(NULL, count_run, &arg, NULL, NULL, BAY_INHERIT), BAY_OK);
	return bay_reply_text(request, "ok");
}

START_TEST(the_result_comes_back_and_the_argument_too)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_result, call_it, 0), BAY_OK);
	ck_assert_int_eq(frees, 0);
	ck_assert_int_eq(runs, 2);
	end();
}
END_TEST

static int
run_hold(void *arg)
{
	(void)arg;
	return bay_blocking("hold", hold, NULL, NULL, NULL, BAY_INHERIT);
}

static int
handle_beside(struct bay_request *request)
{
	struct bay_task *task = bay_spawn("holds", run_hold, NULL);

	/* The loop goes on while the function is held. */
	ck_assert_int_eq(wait_begun(), BAY_OK);
	ck_assert_str_eq(task_of_handle(task)->awaiting, "blocking");
	ck_assert_str_eq(task_of_handle(task)->waiter->on, "hold");
	sem_post(&gate);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return bay_reply_text(request, "ok");
}

START_TEST(others_run_meanwhile)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_beside, call_it, 0), BAY_OK);
	end();
}
END_TEST

/* --- a caller that leaves ---------------------------------------------------------------- */

/* Calls a function and runs out of time while it is held. */
static void
leave_held(void)
{
	int64_t wait_ns = 5 * BAY_MS;

	do {
		/* One that had not begun was freed at once. */
		while (sem_trywait(&freed) == 0)
			;
		frees = 0;
		ck_assert_int_eq(bay_blocking("crunch", hold, malloc(8), count_free, NULL, bay_after(wait_ns)),
			BAY_TIMEOUT);
		wait_ns *= 2;
	} while (frees != 0);
	await_sem(&began);
}

static int
handle_late(struct bay_request *request)
{
	leave_held();
	/* It is in use for as long as the function runs. */
	ck_assert_int_eq(frees, 0);
	sem_post(&gate);
	await_sem(&freed);
	return bay_reply_text(request, "ok");
}

START_TEST(out_of_time_the_argument_is_freed_when_the_function_is_through)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_late, call_it, 0), BAY_OK);
	end();
	ck_assert_int_eq(frees, 1);
}
END_TEST

static int
run_owned(void *arg)
{
	(void)arg;
	return bay_blocking("hold", hold, malloc(8), count_free, NULL, BAY_INHERIT);
}

static int
handle_canceled(struct bay_request *request)
{
	struct bay_task *first = bay_spawn("first", run_owned, NULL);
	struct bay_task *second = bay_spawn("second", run_owned, NULL);

	ck_assert_int_eq(wait_begun(), BAY_OK);
	/* It has not begun, and never will. */
	bay_task_cancel(second, "not any more");
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(frees, 1);
	bay_task_cancel(first, "not any more");
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(frees, 1);
	sem_post(&gate);
	await_sem(&freed);
	await_sem(&freed);
	return bay_reply_text(request, "ok");
}

START_TEST(a_canceled_caller_returns_at_once)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_canceled, call_it, 1), BAY_OK);
	end();
	ck_assert_int_eq(runs, 1);
	ck_assert_int_eq(frees, 2);
}
END_TEST

static int
run_kept(void *arg)
{
	void *kept = malloc(8);
	int status = bay_blocking("hold", hold, kept, count_free, NULL, BAY_INHERIT);

	(void)arg;
	if (status == BAY_OK)
		free(kept);
	return status;
}

static int
handle_through_kept(struct bay_request *request)
{
	struct bay_task *first = bay_spawn("first", run_kept, NULL);
	struct bay_task *second = bay_spawn("second", run_kept, NULL);

	ck_assert_int_eq(wait_begun(), BAY_OK);
	sem_post(&gate);
	/* One at a time: the first is through. But the loop has not heard of it yet. */
	await_sem(&began);
	bay_task_cancel(first, "too late");
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(frees, 1);
	sem_post(&gate);
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(frees, 1);
	return bay_reply_text(request, "ok");
}

START_TEST(a_caller_that_leaves_after_the_function_frees_the_argument)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_through_kept, call_it, 1), BAY_OK);
	end();
	ck_assert_int_eq(frees, 1);
}
END_TEST

static int
handle_too_late(struct bay_request *request)
{
	ck_assert_int_eq(bay_blocking("count", count_run, malloc(8), count_free, NULL, bay_now() - 1), BAY_TIMEOUT);
	ck_assert_int_eq(frees, 1);
	return bay_reply_text(request, "ok");
}

START_TEST(past_the_deadline_nothing_begins)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_too_late, call_it, 0), BAY_OK);
	end();
	ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(outside_a_task_the_argument_is_freed_too)
{
	begin();
	log_lines_keep();
	ck_assert_int_eq(bay_blocking("count", count_run, malloc(8), count_free, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(frees, 1);
	ck_assert_int_eq(log_lines_with("bay_blocking was called outside a task"), 1);
	end();
}
END_TEST

/* --- what it uses ---------------------------------------------------------------------------- */

struct options {
	const char *text;
};

static const struct bay_setting options[] = {
	BAY_STRING(struct options, text, "text", "usual", "what is compared"),
	BAY_END
};

static atomic_int texts_seen;

static int
hold_and_compare(void *arg)
{
	const struct options *seen = arg;

	(void)hold(NULL);
	atomic_fetch_add(&texts_seen, strcmp(seen->text, "what it began with") == 0);
	return BAY_OK;
}

static int
compare_and_be_cut_off(void *arg)
{
	ck_assert_int_eq(bay_blocking("compare", hold_and_compare, arg, NULL, NULL, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

static int
handle_settings(struct bay_request *request)
{
	struct bay_task *task = bay_spawn("cut off", compare_and_be_cut_off, (void *)bay_settings(request));

	ck_assert_int_eq(wait_begun(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return bay_reply_text(request, "ok");
}

static void
change_text(const char *text)
{
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(settings_create(options, &(struct setting_value){"text", text}, 1, &settings, &report));
	instance_change(service->instances[0], settings);
	settings_unref(settings);
	settings_report_finish(&report);
}

static int
change_behind_its_back(void *arg)
{
	const struct bay_instance *instance = service->instances[0];

	change_text("what it began with");
	(void)call_it(arg);
	change_text("something else");
	change_text("and again");
	sem_post(&gate);
	while (!list_empty(&instance->blocking))
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(texts_seen, 1);
	change_text("at last");
	return BAY_OK;
}

START_TEST(the_settings_stay_for_a_function_whose_request_has_ended)
{
	begin();
	texts_seen = 0;
	ck_assert_int_eq(start_and_run(handle_settings, change_behind_its_back, 0), BAY_OK);
	end();
}
END_TEST

/* --- bounds -------------------------------------------------------------------------------- */

static int
handle_three(struct bay_request *request)
{
	struct bay_task *tasks[3];

	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("holds", run_hold, NULL);
	ck_assert_int_eq(wait_begun(), BAY_OK);
	ck_assert_int_eq(wait_begun(), BAY_OK);
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	ck_assert_int_eq(runs, 2);
	for (int i = 0; i < 3; i++)
		sem_post(&gate);
	ck_assert_int_eq(bay_gather(tasks, 3, BAY_INHERIT), BAY_OK);
	for (int i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	return bay_reply_text(request, "ok");
}

START_TEST(a_service_has_no_more_threads_than_its_own_limit)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_three, call_it, 2), BAY_OK);
	ck_assert_int_eq(runs, 3);
	end();
}
END_TEST

/* --- what may be done there ----------------------------------------------------------------- */

static int
try_all(void *arg)
{
	struct bay_message *reply = NULL;
	int *refused = arg;

	*refused += bay_sleep(BAY_MS) == BAY_INVALID;
	*refused += bay_yield() == BAY_INVALID;
	*refused += bay_call(service, NULL, &reply, BAY_INHERIT) == BAY_INVALID;
	*refused += bay_wait_fd(0, BAY_READABLE, BAY_INHERIT) == BAY_INVALID;
	*refused += bay_blocking("again", count_run, refused, NULL, NULL, BAY_INHERIT) == BAY_INVALID;
	*refused += bay_instance_current() == NULL;
	bay_log_info("from the thread");
	bay_free(bay_alloc(10));
	return BAY_OK;
}

static int
handle_try(struct bay_request *request)
{
	int refused = 0;

	ck_assert_int_eq(bay_blocking("try", try_all, &refused, NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(refused, 6);
	return bay_reply_text(request, "ok");
}

START_TEST(waiting_there_is_refused_and_logging_is_the_services)
{
	begin();
	log_lines_keep();
	ck_assert_int_eq(start_and_run(handle_try, call_it, 0), BAY_OK);
	ck_assert_int_eq(log_lines_with("service s: bay_sleep was called by try, which runs on a helper thread"), 1);
	ck_assert_int_eq(log_lines_with("service s: bay_call was called by try, which runs on a helper thread"), 1);
	ck_assert_int_eq(log_lines_with("service s: from the thread"), 1);
	end();
}
END_TEST

static void *memory;

static int
allocate(void *arg)
{
	(void)arg;
	memory = bay_alloc(1000);
	return BAY_OK;
}

static int
handle_allocate(struct bay_request *request)
{
	ck_assert_int_eq(bay_blocking("allocate", allocate, NULL, NULL, NULL, BAY_INHERIT), BAY_OK);
	return bay_reply_text(request, "ok");
}

START_TEST(memory_there_is_counted_on_the_service)
{
	begin();
	ck_assert_int_eq(start_and_run(handle_allocate, call_it, 0), BAY_OK);
	ck_assert_uint_eq(services_figures(service).memory_bytes, 1000);
	bay_free(memory);
	ck_assert_uint_eq(services_figures(service).memory_bytes, 0);
	end();
}
END_TEST

/* --- the end of the service ------------------------------------------------------------------- */

static int
handle_leave(struct bay_request *request)
{
	leave_held();
	return bay_reply_text(request, "ok");
}

static void
start_leaving(void)
{
	start(handle_leave);
	ck_assert_int_eq(services_run(call_it, NULL), BAY_OK);
}

START_TEST(a_stop_is_refused_while_a_function_runs)
{
	char *text;

	begin();
	start_leaving();
	ck_assert(!services_stop(service, 0, 20 * BAY_MS, &text));
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strstr(text, "1 of its functions on helper threads does not come back: crunch has run for 0 s")
		!= NULL, "%s", text);
	free(text);
	ck_assert_int_eq(frees, 0);
	sem_post(&gate);
	ck_assert(services_stop(service, 0, (int64_t)WAIT_S * BAY_SECOND, NULL));
	/* Whatever it used was there until then. */
	ck_assert_int_eq(at_fini, 1);
	end();
}
END_TEST

static void *
let_go(void *arg)
{
	(void)arg;
	sem_post(&gate);
	return NULL;
}

START_TEST(a_stop_waits_for_a_function)
{
	pthread_t thread;

	begin();
	start_leaving();
	ck_assert_int_eq(pthread_create(&thread, NULL, let_go, NULL), 0);
	ck_assert(services_stop(service, 0, (int64_t)WAIT_S * BAY_SECOND, NULL));
	ck_assert_int_eq(at_fini, 1);
	pthread_join(thread, NULL);
	end();
}
END_TEST

static int
cut_off_when_it_is_back(void *arg)
{
	struct bay_task *task = bay_spawn("calls", call_and_be_cut_off, malloc(1));

	(void)arg;
	ck_assert_int_eq(wait_begun(), BAY_OK);
	sem_post(&gate);
	bay_task_cancel(task, "enough");
	/* It has not run since, when the result comes. */
	while (!loop_drain_inbox(&scheduler_here->loop))
		sched_yield();
	ck_assert(!bay_task_done(task));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(frees, 1);
	return BAY_OK;
}

/* What would be left is memory, which a sanitizer finds. */
START_TEST(a_result_that_comes_between_the_cut_and_the_callers_turn_leaves_nothing)
{
	begin();
	ck_assert_int_eq(services_run(cut_off_when_it_is_back, NULL), BAY_OK);
	end();
}
END_TEST

CHECK_MAIN("service/blocking",
	a_result_that_comes_between_the_cut_and_the_callers_turn_leaves_nothing,
	the_result_comes_back_and_the_argument_too,
	others_run_meanwhile,
	out_of_time_the_argument_is_freed_when_the_function_is_through,
	a_canceled_caller_returns_at_once,
	a_caller_that_leaves_after_the_function_frees_the_argument,
	past_the_deadline_nothing_begins,
	outside_a_task_the_argument_is_freed_too,
	the_settings_stay_for_a_function_whose_request_has_ended,
	a_service_has_no_more_threads_than_its_own_limit,
	waiting_there_is_refused_and_logging_is_the_services,
	memory_there_is_counted_on_the_service,
	a_stop_is_refused_while_a_function_runs,
	a_stop_waits_for_a_function)
