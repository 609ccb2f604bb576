/* SPDX-License-Identifier: BSD-2-Clause */
/* The tasks of loops that are threads; the test's own is the control thread. */
#include "config.h"

#include "cell/executor.h"
#include "cell/task_list.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/cell_link.h"
#include "support/cell_control.h"
#include "support/services.h"

static atomic_bool gate;
static atomic_int waiting;
static struct bay_service *service, *other;

#define START(name_, ...) services_start(&(struct service_options){.name = name_, __VA_ARGS__})

/* --- tasks --------------------------------------------------------------------------------- */

static int
wait_in_vain(struct bay_request *request)
{
	(void)request;
	atomic_fetch_add(&waiting, 1);
	return bay_sleep(1000 * BAY_SECOND);
}

static int
wait_as_a_child(void *arg)
{
	(void)arg;
	atomic_fetch_add(&waiting, 1);
	return bay_sleep(1000 * BAY_SECOND);
}

static int
wait_for_a_child(struct bay_request *request)
{
	return bay_join(bay_spawn(bay_request_text(request), wait_as_a_child, NULL), BAY_INHERIT);
}

/* Keeps its loop from everything else. */
static int
hold_the_loop(struct bay_request *request)
{
	(void)request;
	atomic_fetch_add(&waiting, 1);
	while (!atomic_load(&gate))
		sched_yield();
	return BAY_OK;
}

static int
refuse_to_end(struct bay_request *request)
{
	(void)request;
	atomic_fetch_add(&waiting, 1);
	while (!atomic_load(&gate)) {
		(void)bay_sleep(BAY_MS);
		(void)bay_yield();
	}
	return BAY_OK;
}

struct sent {
	struct bay_service *service;
	const char *text;
	int64_t deadline;
};

static int
send_main(void *arg)
{
	const struct sent *sent = arg;
	struct bay_message *message = bay_message(sent->text, strlen(sent->text));
	int status = sent->deadline != 0 ? bay_call(sent->service, message, NULL, bay_after(sent->deadline))
		: bay_send(sent->service, message, BAY_INHERIT);

	bay_message_free(message);
	return status;
}

/* Until its handler, or what that started, waits. */
static void
begin_task(unsigned loop, struct bay_service *callee, const char *text)
{
	int before = atomic_load(&waiting);

	ck_assert_int_eq(services_run_on(loop, send_main, &(struct sent){callee, text, 0}), BAY_OK);
	while (atomic_load(&waiting) == before)
		sched_yield();
}

/* --- lists ------------------------------------------------------------------------------------ */

static void
begin(unsigned loops)
{
	atomic_store(&gate, false);
	atomic_store(&waiting, 0);
	services_begin(loops);
	cell_control_begin();
}

static void
stop(struct bay_service *of)
{
	ck_assert(services_stop(of, 0, 5 * BAY_SECOND, NULL));
}

static void
end(void)
{
	atomic_store(&gate, true);
	if (other != NULL)
		stop(other);
	stop(service);
	other = NULL;
	services_end();
	cell_control_end();
}

/* As it is at this moment. */
static const json_t *
list_once(int64_t id, const char *of)
{
	const struct cell_answer *answer;

	task_list_begin(cell_control, &cell_control_loop, services_executor(), services_page(), id,
		&(struct cell_tasks){.service = of});
	answer = cell_control_answer(id);
	ck_assert_str_eq(answer->status, "ok");
	return answer->parameters;
}

static int
do_nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

/* When all loops answer: on a busy machine one may not do so in time. Each has answered late
 * before it is asked again. */
static const json_t *
list(int64_t id, const char *of)
{
	const json_t *listed = NULL;

	for (int i = 0; i < 30; i++) {
		listed = list_once(id + 100 * i, of);
		if (json_array_size(json_object_get(listed, "silent_loops")) == 0)
			break;
		for (unsigned loop = 0; loop < executor_count(services_executor()); loop++)
			ck_assert_int_eq(services_run_on(loop, do_nothing, NULL), BAY_OK);
	}
	return listed;
}

static size_t
count_of(const json_t *listed)
{
	size_t count = json_array_size(json_object_get(listed, "tasks"));

	ck_assert_int_eq(json_integer_value(json_object_get(listed, "total")), (json_int_t)count);
	return count;
}

static const json_t *
task_named(const json_t *listed, const char *name)
{
	const json_t *task;
	size_t i;

	json_array_foreach(json_object_get(listed, "tasks"), i, task) {
		if (strcmp(json_string_value(json_object_get(task, "name")), name) == 0)
			return task;
	}
	ck_abort_msg("there is no task %s", name);
	return NULL;
}

static const char *
text_of(const json_t *task, const char *member)
{
	const char *text = json_string_value(json_object_get(task, member));

	return text != NULL ? text : "(none)";
}

static json_int_t
number_of(const json_t *task, const char *member)
{
	ck_assert(json_is_integer(json_object_get(task, member)));
	return json_integer_value(json_object_get(task, member));
}

START_TEST(a_waiting_task_says_where_and_on_what)
{
	const json_t *task;

	begin(2);
	service = START("sleepy", .plugin = PLUGIN(.handle = wait_in_vain), .loops = 2);
	begin_task(0, service, "");
	task = task_named(list(1, NULL), "handle");
	ck_assert_str_eq(text_of(task, "service"), "sleepy");
	ck_assert_int_eq(number_of(task, "loop"), 1);
	ck_assert_str_eq(text_of(task, "state"), "waiting");
	ck_assert_str_eq(text_of(task, "waiting_on"), "bay_sleep");
	ck_assert_msg(strncmp(text_of(task, "where"), "test_task_list", 14) == 0, "%s", text_of(task, "where"));
	ck_assert_ptr_null(json_object_get(task, "address"));
	ck_assert_ptr_null(json_object_get(task, "canceled"));
	ck_assert_int_ge(number_of(task, "age_ns"), 0);
	ck_assert_int_lt(number_of(task, "age_ns"), 20 * BAY_SECOND);
	ck_assert_int_ge(number_of(task, "stack_used"), 1000);
	end();
}
END_TEST

START_TEST(a_child_names_its_parent)
{
	const json_t *listed;

	begin(1);
	service = START("family", .plugin = PLUGIN(.handle = wait_for_a_child));
	begin_task(0, service, "child");
	listed = list(1, NULL);
	ck_assert_uint_eq(count_of(listed), 2);
	ck_assert_int_eq(number_of(task_named(listed, "child"), "parent"), number_of(task_named(listed, "handle"), "id"));
	ck_assert_int_eq(number_of(task_named(listed, "handle"), "parent"), 0);
	ck_assert_str_eq(text_of(task_named(listed, "handle"), "waiting_on"), "bay_join");
	ck_assert_str_eq(text_of(task_named(listed, "child"), "service"), "family");
	end();
}
END_TEST

START_TEST(all_loops_are_in_one_list)
{
	const json_t *listed, *task;
	unsigned loops = 0;
	size_t i;

	begin(3);
	service = START("a", .plugin = PLUGIN(.handle = wait_in_vain), .loops = 1);
	other = START("b", .plugin = PLUGIN(.handle = wait_in_vain), .loops = 6, .concurrency = 1);
	begin_task(0, service, "");
	begin_task(0, other, "");
	begin_task(0, other, "");
	listed = list(1, NULL);
	ck_assert_uint_eq(count_of(listed), 3);
	json_array_foreach(json_object_get(listed, "tasks"), i, task)
		loops |= 1u << number_of(task, "loop");
	ck_assert_uint_eq(loops, 7);
	ck_assert_uint_eq(json_array_size(json_object_get(listed, "silent_loops")), 0);
	end();
}
END_TEST

START_TEST(it_may_be_that_of_one_service)
{
	begin(1);
	service = START("a", .plugin = PLUGIN(.handle = wait_in_vain));
	other = START("b", .plugin = PLUGIN(.handle = wait_in_vain));
	begin_task(0, service, "");
	begin_task(0, other, "");
	begin_task(0, other, "");
	ck_assert_uint_eq(count_of(list(1, "a")), 1);
	ck_assert_uint_eq(count_of(list(2, "b")), 2);
	ck_assert_uint_eq(count_of(list(3, NULL)), 3);
	/* One that does not exist has none, not all. */
	ck_assert_uint_eq(count_of(list(4, "c")), 0);
	ck_assert_uint_eq(count_of(list(5, "no/name")), 0);
	end();
}
END_TEST

START_TEST(a_cancelled_task_that_goes_on_says_why_and_where)
{
	struct services_job *job;
	const json_t *task;
	struct sent sent;

	begin(1);
	service = START("stubborn", .plugin = PLUGIN(.handle = refuse_to_end));
	sent = (struct sent){service, "", 5 * BAY_MS};
	job = services_go(0, send_main, &sent);
	ck_assert_int_eq(services_join(job), BAY_TIMEOUT);
	task = task_named(list(1, NULL), "handle");
	ck_assert_str_eq(text_of(task, "canceled"), "deadline");
	ck_assert_str_eq(text_of(task, "state"), "ready");
	ck_assert_msg(strncmp(text_of(task, "where"), "test_task_list", 14) == 0, "%s", text_of(task, "where"));
	end();
}
END_TEST

START_TEST(names_that_are_no_text_do_no_harm)
{
	const json_t *listed, *task;
	size_t i;

	begin(1);
	service = START("odd", .plugin = PLUGIN(.handle = wait_for_a_child));
	begin_task(0, service, "\xff\xfe odd");
	listed = list(1, NULL);
	ck_assert_uint_eq(count_of(listed), 2);
	json_array_foreach(json_object_get(listed, "tasks"), i, task)
		ck_assert_str_ne(text_of(task, "name"), "(none)");
	end();
}
END_TEST

/* --- loops that do not answer -------------------------------------------------------------------- */

START_TEST(a_loop_that_does_not_answer_is_named_with_who_runs_there)
{
	const json_t *listed, *silent;
	int64_t before_ns;

	begin(2);
	service = START("hog", .plugin = PLUGIN(.handle = hold_the_loop), .loops = 1);
	other = START("fine", .plugin = PLUGIN(.handle = wait_in_vain), .loops = 2);
	begin_task(1, service, "");
	begin_task(1, other, "");
	before_ns = clock_monotonic_ns();
	listed = list_once(1, NULL);
	ck_assert_int_ge(clock_monotonic_ns() - before_ns, 400 * BAY_MS);
	ck_assert_uint_eq(count_of(listed), 1);
	ck_assert_str_eq(text_of(task_named(listed, "handle"), "service"), "fine");
	ck_assert(json_is_true(json_object_get(listed, "partial")));
	listed = json_object_get(listed, "silent_loops");
	ck_assert_uint_eq(json_array_size(listed), 1);
	silent = json_array_get(listed, 0);
	ck_assert_int_eq(number_of(silent, "loop"), 0);
	ck_assert_str_eq(text_of(silent, "service"), "hog");
	ck_assert_str_eq(text_of(silent, "task"), "handle");
	/* Its late answer goes nowhere, and the next list is complete. */
	atomic_store(&gate, true);
	listed = list(2, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(listed, "silent_loops")), 0);
	ck_assert(json_is_false(json_object_get(listed, "partial")));
	ck_assert_int_gt(number_of(listed, "took_ns"), 0);
	end();
}
END_TEST

static int
hold_with_an_odd_name(struct bay_request *request)
{
	/* What stands in the page is cut at a number of bytes, maybe in the middle of a letter. */
	struct status_name name = {{0}};

	memset(&name, 0xc3, sizeof name - 1);
	status_loop_set_task(scheduler_here->status, scheduler_here->status->slot, &name);
	return hold_the_loop(request);
}

START_TEST(a_silent_loop_is_named_whatever_its_task_is_called)
{
	begin(1);
	service = START("odd", .plugin = PLUGIN(.handle = hold_with_an_odd_name));
	begin_task(0, service, "");
	ck_assert_uint_eq(json_array_size(json_object_get(list_once(1, NULL), "silent_loops")), 1);
	end();
}
END_TEST

/* --- many ---------------------------------------------------------------------------------------- */

/* Each loop has its part of the list: of many loops it is short, and told in time by a busy machine, too. */
enum { MANY_LOOPS = 8, PART = CELL_TASKS_MAX / MANY_LOOPS };

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(1000 * BAY_SECOND);
}

static int
start_many(struct bay_request *request)
{
	int i;

	for (i = 0; i < 2 * PART; i++)
		ck_assert_int_eq(bay_go("one of many", sleep_long, NULL), BAY_OK);
	atomic_fetch_add(&waiting, 1);
	(void)request;
	return bay_sleep(1000 * BAY_SECOND);
}

START_TEST(a_list_has_an_end_and_says_how_many_there_are)
{
	const json_t *listed;

	begin(MANY_LOOPS);
	service = START("many", .plugin = PLUGIN(.handle = start_many), .stack_bytes = 64 << 10);
	begin_task(0, service, "");
	listed = list(1, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(listed, "tasks")), PART);
	ck_assert_int_eq(number_of(listed, "total"), 2 * PART + 1);
	end();
}
END_TEST

CHECK_MAIN("cell/task_list",
	a_waiting_task_says_where_and_on_what,
	a_child_names_its_parent,
	all_loops_are_in_one_list,
	it_may_be_that_of_one_service,
	a_cancelled_task_that_goes_on_says_why_and_where,
	names_that_are_no_text_do_no_harm,
	a_loop_that_does_not_answer_is_named_with_who_runs_there,
	a_silent_loop_is_named_whatever_its_task_is_called,
	a_list_has_an_end_and_says_how_many_there_are)
