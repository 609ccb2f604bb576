/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of an instance: init, serving, its run task, and its end. */
#include "config.h"

#include "service/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "base/clock.h"
#include "runtime/task.h"
#include "service/request.h"
#include "support/log_lines.h"
#include "support/services.h"

#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { RESTARTS = 200 };
#else
enum { RESTARTS = 1000 };
#endif

static struct bay_service *service;

/* What was called, a letter each. */
static char course[64];

static void
note(const char *letter)
{
	strcat(course, letter);
}

static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* --- init ---------------------------------------------------------------------------- */

static int
init_well(struct bay_instance *instance)
{
	note("i");
	ck_assert_ptr_eq(bay_instance_current(), instance);
	ck_assert_str_eq(bay_instance_name(instance), "s");
	ck_assert_uint_eq(bay_instance_index(instance), 0);
	ck_assert_str_eq(bay_instance_settings(instance), "settings");
	ck_assert_ptr_null(bay_instance_state(instance));
	bay_instance_set_state(instance, malloc(10));
	/* It may wait. */
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

static void
stop(struct bay_instance *instance)
{
	note("s");
	ck_assert_ptr_eq(bay_instance_current(), instance);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

static void
fini(struct bay_instance *instance)
{
	note("f");
	ck_assert_ptr_eq(bay_instance_current(), instance);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	free(bay_instance_state(instance));
}

static int
handle_with_state(struct bay_request *request)
{
	note("h");
	ck_assert_ptr_nonnull(bay_state(request));
	ck_assert_str_eq(bay_settings(request), "settings");
	ck_assert_ptr_eq(bay_request_instance(request), bay_instance_current());
	return bay_reply_text(request, "ok");
}

static int
call_once(void *arg)
{
	(void)arg;
	services_expect_text(service, "x", BAY_OK, NULL);
	return BAY_OK;
}

START_TEST(one_life)
{
	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .settings = "settings",
		.plugin = PLUGIN(.init = init_well, .handle = handle_with_state, .stop = stop, .fini = fini)});
	ck_assert_int_eq(services_run(call_once, NULL), BAY_OK);
	ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "ihsf");
	services_end();
}
END_TEST

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(100 * BAY_SECOND);
}

static int
init_badly(struct bay_instance *instance)
{
	note("i");
	ck_assert_int_eq(bay_scope_go(bay_instance_scope(instance), "waits", sleep_long, NULL), BAY_OK);
	ck_assert_int_eq(bay_instance_fail(instance, BAY_OK, "never ok"), BAY_FAILED);
	return bay_instance_fail(instance, BAY_IO, "no connection to %s", "anywhere");
}

START_TEST(an_init_that_fails_says_why_and_nothing_of_it_stays)
{
	char *text;

	course[0] = '\0';
	services_begin(0);
	ck_assert_int_eq(services_try_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.init = init_badly, .handle = echo, .stop = stop, .fini = fini)}, &text), BAY_IO);
	ck_assert_str_eq(text, "no connection to anywhere");
	free(text);
	ck_assert_str_eq(course, "i");
	ck_assert_ptr_null(bay_service("s")->instances[0]);
	services_end();
}
END_TEST

/* --- run ------------------------------------------------------------------------------- */

static int
run_until_cancelled(struct bay_instance *instance)
{
	note("r");
	ck_assert_ptr_eq(bay_instance_current(), instance);
	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_CANCELED);
	ck_assert_str_eq(bay_cancel_reason(), "service s is stopping");
	note("c");
	return bay_instance_fail(instance, BAY_CANCELED, "as told");
}

START_TEST(run_lives_beside_the_handlers_and_is_cancelled_at_the_end)
{
	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.run = run_until_cancelled, .handle = echo, .stop = stop, .fini = fini)});
	ck_assert_int_eq(services_run(call_once, NULL), BAY_OK);
	ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
	/* Stop first: it may want to tell run. */
	ck_assert_str_eq(course, "rscf");
	ck_assert_int_eq(services_failed_times(), 0);
	services_end();
}
END_TEST

static int
end_well(struct bay_instance *instance)
{
	(void)instance;
	note("r");
	return BAY_OK;
}

static int
fail_with_text(struct bay_instance *instance)
{
	return bay_instance_fail(instance, BAY_IO, "the line is dead");
}

static int
fail_without_text(struct bay_instance *instance)
{
	(void)instance;
	return BAY_IO;
}

static int
fails(void *arg)
{
	(void)arg;
	return BAY_IO;
}

static int
fail_by_a_child(struct bay_instance *instance)
{
	(void)instance;
	ck_assert_int_eq(bay_go("child", fails, NULL), BAY_OK);
	return bay_sleep(100 * BAY_SECOND);
}

static int
let_run(void *arg)
{
	(void)arg;
	return bay_sleep(2 * BAY_MS);
}

static void
run_fails(int (*run)(struct bay_instance *), int times, const char *text)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.run = run, .handle = echo)});
	ck_assert_int_eq(services_run(let_run, NULL), BAY_OK);
	ck_assert_int_eq(services_failed_times(), times);
	ck_assert_msg(strstr(services_failed_text(), text) != NULL, "'%s' lacks '%s'", services_failed_text(), text);
	/* It is the cell that stops it now. */
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	services_end();
}

START_TEST(a_run_that_ends_well_is_no_failure)
{
	course[0] = '\0';
	run_fails(end_well, 0, "");
	ck_assert_str_eq(course, "r");
}
END_TEST

START_TEST(a_run_that_fails_fails_the_service_with_its_text)
{
	run_fails(fail_with_text, 1, "the line is dead");
	run_fails(fail_without_text, 1, "task run failed: io");
}
END_TEST

START_TEST(a_run_that_ends_by_a_failure_of_its_own_task_fails_the_service)
{
	log_lines_keep();
	run_fails(fail_by_a_child, 1, "task child failed: io");
	ck_assert_int_eq(log_lines_with("service s: task child failed: io"), 1);
}
END_TEST

static int
go_into_the_scope(struct bay_request *request)
{
	ck_assert_int_eq(bay_scope_go(bay_instance_scope(bay_request_instance(request)), "outlives", fails, NULL),
		BAY_OK);
	return bay_reply_text(request, "gone");
}

START_TEST(a_task_of_the_instances_scope_outlives_its_request_and_fails_the_service)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = go_into_the_scope)});
	ck_assert_int_eq(services_run(call_once, NULL), BAY_OK);
	ck_assert_int_eq(services_run(let_run, NULL), BAY_OK);
	ck_assert_int_eq(services_failed_times(), 1);
	ck_assert_str_eq(services_failed_text(), "task outlives failed: io");
	services_end();
}
END_TEST

static int
remember_deadline(void *arg)
{
	*(int64_t *)arg = bay_deadline();
	return BAY_OK;
}

static int
hand_work_on(struct bay_request *request)
{
	ck_assert_int_lt(bay_deadline(), BAY_INHERIT);
	ck_assert_int_eq(bay_scope_go(bay_instance_scope(bay_request_instance(request)), "later", remember_deadline,
		services_request_pointer(request)), BAY_OK);
	return bay_reply_text(request, "later");
}

static int
call_for_later_work(void *arg)
{
	return services_call(service, arg, bay_after(10 * BAY_SECOND));
}

/* The time of a request is not that of what lives as long as the instance. */
START_TEST(a_task_of_the_instances_scope_has_no_deadline)
{
	int64_t deadline = 0;

	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = hand_work_on)});
	ck_assert_int_eq(services_run(call_for_later_work, &deadline), BAY_OK);
	ck_assert_int_eq(services_run(let_run, NULL), BAY_OK);
	ck_assert_int_eq(deadline, BAY_INHERIT);
	services_end();
}
END_TEST

static int
run_only_once(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_call(service, NULL, NULL, bay_after(5 * BAY_SECOND)), BAY_INVALID);
	ck_assert_str_eq(bay_call_error(), "service s takes no messages: its plugin has no handler");
	ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_INVALID);
	return BAY_OK;
}

START_TEST(one_that_only_runs_takes_no_messages)
{
	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.run = run_until_cancelled)});
	ck_assert_int_eq(services_run(run_only_once, NULL), BAY_OK);
	services_end();
	ck_assert_str_eq(course, "rc");
}
END_TEST

/* --- the end ------------------------------------------------------------------------------ */

static int
handle_slowly(struct bay_request *request)
{
	int64_t ms;

	ck_assert_int_eq(bay_request_int64(request, &ms), BAY_OK);
	note("(");
	if (bay_sleep(ms * BAY_MS) != BAY_OK) {
		note("!");
		return bay_fail(request, BAY_CANCELED, "%s", bay_cancel_reason());
	}
	note(")");
	return bay_reply_text(request, "done");
}

struct caller {
	int64_t ms;
	int status;
	char error[96];
	bool one_way;
};

/* Called outside of the service's scope: it lives on while the service ends. */
static int
call_slow(void *arg)
{
	struct caller *caller = arg;
	struct bay_message *message = bay_message_int64(caller->ms);

	if (caller->one_way)
		caller->status = bay_send(service, message, BAY_INHERIT);
	else
		caller->status = bay_call(service, message, NULL, BAY_INHERIT);
	snprintf(caller->error, sizeof caller->error, "%s", bay_call_error());
	bay_message_free(message);
	return BAY_OK;
}

/* On its loop: starts the callers, then goes away from them. */
static struct task *
begin_caller_with(bay_task_fn *fn, struct caller *caller)
{
	struct scheduler *scheduler = services_scheduler(0);
	struct task_spec spec = {
		.name = "caller",
		.fn = fn,
		.arg = caller,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.class = scheduler_stack_class(scheduler, 256 << 10),
	};
	struct task *task = task_create(scheduler, &spec);

	task->handle->detached = true;
	task_start(task);
	return task;
}

static struct task *
begin_caller(struct caller *caller)
{
	return begin_caller_with(call_slow, caller);
}

static int
yield(void *arg)
{
	(void)arg;
	return bay_yield();
}

START_TEST(what_is_in_flight_and_queued_finishes_within_the_drain)
{
	struct caller callers[3] = {{.ms = 5}, {.ms = 6}, {.ms = 1}};
	int i;

	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .concurrency = 1,
		.plugin = PLUGIN(.handle = handle_slowly, .stop = stop, .fini = fini)});
	for (i = 0; i < 3; i++)
		begin_caller(&callers[i]);
	ck_assert_int_eq(services_run(yield, NULL), BAY_OK);
	ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(callers[i].status, BAY_OK);
	ck_assert_str_eq(course, "()()()sf");
	services_end();
}
END_TEST

/* Holds the drain until somebody else on the loop has called in vain, directly. */
static bool called_in_vain;

static int
handle_until_called_in_vain(struct bay_request *request)
{
	note("(");
	while (!called_in_vain)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return bay_reply_text(request, "done");
}

static int
call_while_it_stops(void *arg)
{
	struct caller *caller = arg;

	while (service_state(service) != SERVICE_STOPPING)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	/* The drain has begun when the loop has turned. */
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	call_slow(caller);
	called_in_vain = true;
	return BAY_OK;
}

START_TEST(while_it_drains_nobody_on_its_loop_calls_it)
{
	struct caller callers[2] = {{.ms = 1}, {.ms = 1}};

	course[0] = '\0';
	called_in_vain = false;
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = handle_until_called_in_vain)});
	begin_caller(&callers[0]);
	begin_caller_with(call_while_it_stops, &callers[1]);
	ck_assert_int_eq(services_run(yield, NULL), BAY_OK);
	ck_assert(services_stop(service, 10 * BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_int_eq(callers[0].status, BAY_OK);
	ck_assert_int_eq(callers[1].status, BAY_CLOSED);
	ck_assert_str_eq(callers[1].error, "service s is stopping");
	ck_assert_str_eq(course, "(");
	services_end();
}
END_TEST

START_TEST(after_the_drain_it_is_cancelled_and_the_queue_is_answered)
{
	struct caller callers[3] = {{.ms = 100000}, {.ms = 1}, {.ms = 1}};
	int64_t before = bay_now();
	int i;

	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .concurrency = 1,
		.plugin = PLUGIN(.handle = handle_slowly, .stop = stop, .fini = fini)});
	for (i = 0; i < 3; i++)
		begin_caller(&callers[i]);
	ck_assert_int_eq(services_run(yield, NULL), BAY_OK);
	ck_assert(services_stop(service, 3 * BAY_MS, BAY_SECOND, NULL));
	ck_assert_int_ge(bay_now() - before, 3 * BAY_MS);
	services_check_nothing_left();
	ck_assert_int_eq(callers[0].status, BAY_CANCELED);
	ck_assert_str_eq(callers[0].error, "service s is stopping");
	for (i = 1; i < 3; i++) {
		ck_assert_int_eq(callers[i].status, BAY_CLOSED);
		ck_assert_str_eq(callers[i].error, "service s: it has stopped");
	}
	ck_assert_str_eq(course, "(!sf");
	services_end();
}
END_TEST

/* --- those that refuse to end -------------------------------------------------------------- */

static bool let_go;

static int
wait_and_refuse(struct bay_request *request)
{
	while (!let_go) {
		(void)bay_sleep(BAY_MS);
		task_yield();
	}
	return bay_reply_text(request, "at last");
}

START_TEST(a_handler_that_refuses_to_end_is_named_and_the_answer_comes_in_time)
{
	struct caller caller = {.ms = 1};
	int64_t before;
	char *refusal;

	let_go = false;
	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = wait_and_refuse, .stop = stop, .fini = fini)});
	begin_caller(&caller);
	ck_assert_int_eq(services_run(yield, NULL), BAY_OK);
	before = bay_now();
	ck_assert(!services_stop(service, BAY_MS, 10 * BAY_MS, &refusal));
	ck_assert_int_lt(bay_now() - before, 30 * BAY_SECOND);
	ck_assert_str_eq(refusal, "1 handler refuses to stop (bayctl tasks s)");
	free(refusal);
	ck_assert_str_eq(course, "");
	/* Once it has ended, a second try succeeds. */
	let_go = true;
	ck_assert(services_stop(service, BAY_MS, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "sf");
	services_end();
	ck_assert_int_eq(caller.status, BAY_OK);
}
END_TEST

static int
run_and_refuse(struct bay_instance *instance)
{
	(void)instance;
	while (!let_go) {
		(void)bay_sleep(BAY_MS);
		task_yield();
	}
	return BAY_OK;
}

START_TEST(a_run_that_refuses_to_end_is_named_and_stop_is_called_once)
{
	char *refusal;

	let_go = false;
	course[0] = '\0';
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.run = run_and_refuse, .handle = echo, .stop = stop, .fini = fini)});
	ck_assert(!services_stop(service, 0, 500 * BAY_MS, &refusal));
	ck_assert_str_eq(refusal, "1 task of its own refuses to stop (bayctl tasks s)");
	free(refusal);
	let_go = true;
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "sf");
	services_end();
}
END_TEST

static void
never_come_back(struct bay_instance *instance)
{
	(void)run_and_refuse(instance);
}

START_TEST(a_stop_or_fini_that_does_not_come_back_is_named)
{
	char *refusal;

	services_begin(0);
	let_go = false;
	course[0] = '\0';
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = echo, .stop = never_come_back, .fini = fini)});
	ck_assert(!services_stop(service, 0, 10 * BAY_MS, &refusal));
	ck_assert_str_eq(refusal, "its stop function does not come back (bayctl tasks s)");
	free(refusal);
	ck_assert(!services_stop(service, 0, 10 * BAY_MS, NULL));
	let_go = true;
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "f");

	let_go = false;
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = echo, .stop = stop, .fini = never_come_back)});
	ck_assert(!services_stop(service, 0, 10 * BAY_MS, &refusal));
	ck_assert_str_eq(refusal, "its fini function does not come back (bayctl tasks s)");
	free(refusal);
	let_go = true;
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "fs");
	services_end();
}
END_TEST

static void
wait_long(struct bay_instance *instance)
{
	(void)instance;
	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_TIMEOUT);
	note("t");
}

START_TEST(a_stop_and_a_fini_that_wait_are_cut_at_their_deadline)
{
	services_begin(0);
	course[0] = '\0';
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = echo, .stop = wait_long, .fini = wait_long)});
	/* Their deadlines are half of that, and the other half is theirs to end in. */
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "tt");
	services_end();
}
END_TEST

static int
note_end(void *arg)
{
	(void)arg;
	(void)bay_sleep(100 * BAY_SECOND);
	note("e");
	return BAY_OK;
}

static void
leave_a_task(struct bay_instance *instance)
{
	(void)instance;
	ck_assert_int_eq(bay_go("left", note_end, NULL), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	note("s");
}

START_TEST(what_stop_leaves_behind_has_ended_before_fini)
{
	services_begin(0);
	course[0] = '\0';
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = echo, .stop = leave_a_task, .fini = fini)});
	ck_assert(services_stop(service, 0, BAY_SECOND, NULL));
	ck_assert_str_eq(course, "sef");
	services_end();
}
END_TEST

/* --- again and again -------------------------------------------------------------------------- */

static int
init_state(struct bay_instance *instance)
{
	bay_instance_set_state(instance, malloc(10));
	return BAY_OK;
}

static void
fini_state(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

static int
run_quietly(struct bay_instance *instance)
{
	(void)instance;
	return bay_sleep(100 * BAY_SECOND);
}

START_TEST(restarts_leave_nothing_behind)
{
	const struct service_options options = {.name = "s",
		.plugin = PLUGIN(.init = init_state, .run = run_quietly, .handle = echo, .fini = fini_state)};
	struct stack_class *class;
	size_t mapped = 0;
	int i;

	services_begin(0);
	class = scheduler_stack_class(services_scheduler(0), 256 << 10);
	for (i = 0; i < RESTARTS; i++) {
		service = services_start(&options);
		ck_assert_int_eq(services_run(call_once, NULL), BAY_OK);
		ck_assert(services_stop(service, BAY_SECOND, BAY_SECOND, NULL));
		if (i == 0)
			mapped = stack_pool_mapped(class->pool);
		ck_assert_uint_eq(stack_pool_mapped(class->pool), mapped);
		ck_assert_uint_eq(services_scheduler(0)->task_count, 0);
	}
	ck_assert_uint_eq(services_figures(service).served, RESTARTS);
	services_end();
}
END_TEST

static int
leave_a_failed_task(struct bay_request *request)
{
	ck_assert_ptr_nonnull(bay_spawn("stray", fails, NULL));
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return bay_reply_text(request, "");
}

START_TEST(a_background_task_that_failed_is_logged_under_its_service)
{
	log_lines_keep();
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = leave_a_failed_task)});
	(void)services_run(call_once, NULL);
	services_end();
	ck_assert_int_eq(log_lines_with("service s: task stray failed and nobody asked how it ended: io"), 1);
}
END_TEST

/* Has waited, then computes past its deadline by several ticks of the kernel, and replies. The
 * loop does not see the time pass. */
static int
compute_too_long(struct bay_request *request)
{
	(void)!bay_yield();
	while (clock_monotonic_ns() < bay_request_deadline(request) + 50 * BAY_MS)
		continue;
	return bay_reply_text(request, "late");
}

static int
call_with_little_time(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_call(service, NULL, NULL, bay_after(10 * BAY_MS)), BAY_TIMEOUT);
	return BAY_OK;
}

START_TEST(a_reply_after_a_computation_beyond_the_deadline_is_a_timeout)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = compute_too_long)});
	ck_assert_int_eq(services_run(call_with_little_time, NULL), BAY_OK);
	ck_assert_uint_eq(services_figures(service).served, 0);
	ck_assert_uint_eq(services_figures(service).timeouts, 1);
	services_end();
	services_begin(2);
	service = services_start(&(struct service_options){.name = "s", .loops = 2, .plugin = PLUGIN(.handle = compute_too_long)});
	ck_assert_int_eq(services_run_on(0, call_with_little_time, NULL), BAY_OK);
	ck_assert(services_stop(service, 10 * BAY_SECOND, BAY_SECOND, NULL));
	ck_assert_uint_eq(services_figures(service).served, 0);
	services_end();
}
END_TEST

CHECK_MAIN("service/instance",
	a_reply_after_a_computation_beyond_the_deadline_is_a_timeout,
	a_background_task_that_failed_is_logged_under_its_service,
	one_life,
	an_init_that_fails_says_why_and_nothing_of_it_stays,
	run_lives_beside_the_handlers_and_is_cancelled_at_the_end,
	a_run_that_ends_well_is_no_failure,
	a_run_that_fails_fails_the_service_with_its_text,
	a_run_that_ends_by_a_failure_of_its_own_task_fails_the_service,
	a_task_of_the_instances_scope_outlives_its_request_and_fails_the_service,
	a_task_of_the_instances_scope_has_no_deadline,
	one_that_only_runs_takes_no_messages,
	what_is_in_flight_and_queued_finishes_within_the_drain,
	while_it_drains_nobody_on_its_loop_calls_it,
	after_the_drain_it_is_cancelled_and_the_queue_is_answered,
	a_handler_that_refuses_to_end_is_named_and_the_answer_comes_in_time,
	a_run_that_refuses_to_end_is_named_and_stop_is_called_once,
	a_stop_or_fini_that_does_not_come_back_is_named,
	a_stop_and_a_fini_that_wait_are_cut_at_their_deadline,
	what_stop_leaves_behind_has_ended_before_fini,
	restarts_leave_nothing_behind)
