/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests, and what a handler sees and answers. */
#include "config.h"

#include "service/request.h"

#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/registry.h"
#include "service/trace.h"
#include "support/log_lines.h"
#include "support/services.h"

static struct bay_service *service, *other;

/* --- by itself --------------------------------------------------------------------------- */

START_TEST(one_from_the_cache_remembers_nothing)
{
	struct bay_service *s;
	struct bay_request *request, *again;

	registry_init(64);
	s = registry_get("s");
	request = request_create(s, NULL, NULL);
	request->runner = (struct scheduler *)1;
	request->task = NULL;
	request->depth = 5;
	request->waiting_from = 3;
	request->one_way = true;
	request->trace = (struct traceparent){.id = {7, 7}, .parent = 7, .flags = TRACE_SAMPLED};
	request->span = 7;
	request->deadline = 1;
	request->taken_ns = 5;
	request->queued_ns = 5;
	request_fail(request, BAY_IO, "text");
	request_free(request);
	again = request_create(s, NULL, NULL);
	ck_assert_ptr_eq(again, request);
	ck_assert_ptr_null(again->runner);
	ck_assert_ptr_null(again->error);
	ck_assert_ptr_null(again->ticket);
	ck_assert_uint_eq(again->depth, 0);
	ck_assert_uint_eq(again->waiting_from, 0);
	ck_assert(!again->one_way && !again->answered && !again->returned && again->borrowed);
	ck_assert(trace_id_is_none(&again->trace.id));
	ck_assert_uint_eq(again->trace.parent + again->trace.flags + again->span, 0);
	ck_assert_int_eq(again->deadline, BAY_INHERIT);
	ck_assert_int_eq(again->taken_ns, 0);
	ck_assert_int_eq(again->queued_ns, 0);
	ck_assert_int_eq(again->place, PLACE_HOME);
	request_free(again);
	request_clear_cache();
	registry_finish();
}
END_TEST

START_TEST(a_chain_is_told_from_above)
{
	struct bay_request *a, *b, *c, *d;
	char *text;

	registry_init(64);
	a = request_create(registry_get("a"), NULL, NULL);
	b = request_create(registry_get("b"), NULL, NULL);
	c = request_create(registry_get("a"), NULL, NULL);
	d = request_create(registry_get("a"), NULL, NULL);
	a->trace = (struct traceparent){.id = {9, 99}, .parent = 5, .flags = TRACE_SAMPLED};
	request_set_parent(a, NULL);
	request_set_parent(b, a);
	request_set_parent(c, b);
	text = request_chain_text(c);
	ck_assert_str_eq(text, "a -> b -> a");
	free(text);
	ck_assert_uint_eq(request_times_in_chain(a), 0);
	ck_assert_uint_eq(request_times_in_chain(b), 0);
	ck_assert_uint_eq(request_times_in_chain(c), 1);
	ck_assert_uint_eq(c->depth, 2);
	ck_assert(c->trace.id.high == 9 && c->trace.id.low == 99);
	ck_assert(c->trace.parent == 5 && c->trace.flags == TRACE_SAMPLED);
	/* One way: the hops count on, but nobody above waits. */
	c->one_way = true;
	request_set_parent(c, b);
	ck_assert_uint_eq(request_times_in_chain(c), 0);
	request_set_parent(d, c);
	ck_assert_uint_eq(d->depth, 3);
	ck_assert_uint_eq(request_times_in_chain(d), 1);
	request_free(a);
	request_free(b);
	request_free(c);
	request_free(d);
	request_clear_cache();
	registry_finish();
}
END_TEST

/* --- answers ---------------------------------------------------------------------------------- */

static int
answer(struct bay_request *request)
{
	const char *how = bay_request_text(request);
	struct bay_message *message;

	ck_assert_ptr_eq(bay_request_data(request), bay_message_data(bay_request_message(request)));
	ck_assert_uint_eq(bay_request_size(request), strlen(how));
	if (strcmp(how, "text") == 0)
		return bay_reply_text(request, "a text");
	if (strcmp(how, "printf") == 0)
		return bay_reply_printf(request, "%d %s", 5, "fine");
	if (strcmp(how, "int64") == 0)
		return bay_reply_int64(request, INT64_MIN);
	if (strcmp(how, "message") == 0) {
		message = bay_message("m", 1);
		ck_assert_int_eq(bay_reply_message(request, &message), BAY_OK);
		ck_assert_ptr_null(message);
		return BAY_OK;
	}
	if (strcmp(how, "no message") == 0) {
		message = NULL;
		return bay_reply_message(request, &message);
	}
	if (strcmp(how, "twice") == 0) {
		ck_assert_int_eq(bay_reply_text(request, "first"), BAY_OK);
		ck_assert_int_eq(bay_reply_text(request, "second"), BAY_INVALID);
		ck_assert_int_eq(bay_reply_printf(request, "%s", "third"), BAY_INVALID);
		ck_assert_int_eq(bay_reply_int64(request, 4), BAY_INVALID);
		message = bay_message("m", 1);
		ck_assert_int_eq(bay_reply_message(request, &message), BAY_INVALID);
		ck_assert_ptr_nonnull(message);
		bay_message_free(message);
		return BAY_OK;
	}
	if (strcmp(how, "reply, then fail") == 0) {
		ck_assert_int_eq(bay_reply_text(request, "first"), BAY_OK);
		return bay_fail(request, BAY_IO, "too late");
	}
	if (strcmp(how, "fail, then reply") == 0) {
		ck_assert_int_eq(bay_fail(request, BAY_IO, "disk %d", 7), BAY_IO);
		return bay_reply_text(request, "first");
	}
	if (strcmp(how, "fail with ok") == 0) {
		ck_assert_int_eq(bay_fail(request, BAY_OK, "never ok"), BAY_FAILED);
		return BAY_OK;
	}
	if (strcmp(how, "status") == 0)
		return BAY_BUSY;
	if (strcmp(how, "odd status") == 0)
		return 4711;
	ck_assert_str_eq(how, "nothing");
	return BAY_OK;
}

static int
ask_for_answers(void *arg)
{
	(void)arg;
	services_expect_text(service, "text", BAY_OK, "a text");
	services_expect_text(service, "printf", BAY_OK, "5 fine");
	services_expect_text(service, "int64", BAY_OK, "-9223372036854775808");
	services_expect_text(service, "message", BAY_OK, "m");
	services_expect_text(service, "no message", BAY_NO_MEMORY, NULL);

	log_lines_keep();
	services_expect_text(service, "twice", BAY_OK, "first");
	ck_assert_int_eq(log_lines_with(": the handler has answered already: the first answer stays [misuse-reply]"), 4);
	services_expect_text(service, "reply, then fail", BAY_OK, "first");
	ck_assert_int_eq(log_lines_with("service s: bay_fail: the handler has answered already"), 1);

	services_expect_text(service, "fail, then reply", BAY_IO, NULL);
	ck_assert_str_eq(bay_call_error(), "disk 7");
	services_expect_text(service, "fail with ok", BAY_FAILED, NULL);
	ck_assert_str_eq(bay_call_error(), "never ok");
	services_expect_text(service, "status", BAY_BUSY, NULL);
	ck_assert_str_eq(bay_call_error(), "service s: busy");
	services_expect_text(service, "odd status", 4711, NULL);
	ck_assert_str_eq(bay_call_error(), "service s: it returned 4711, which is no status of Bay");
	services_expect_text(service, "nothing", BAY_FAILED, NULL);
	ck_assert_str_eq(bay_call_error(), "service s ended without a reply [misuse-no-reply]");
	ck_assert_uint_eq(services_figures(service).served, 6);
	ck_assert_uint_eq(services_figures(service).failed, 6);
	return BAY_OK;
}

START_TEST(whatever_a_handler_does_its_caller_gets_one_answer)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = answer)});
	ck_assert_int_eq(services_run(ask_for_answers, NULL), BAY_OK);
	services_end();
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s",
		.plugin = PLUGIN(.handle = answer, .flags = BAY_LEAF)});
	ck_assert_int_eq(services_run(ask_for_answers, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
reply_late(struct bay_request *request)
{
	struct bay_message *message = bay_message("late", 4);

	/* As the loop sees it: its clock may lag a little. */
	while (loop_now(&scheduler_here->loop) < bay_request_deadline(request))
		;
	ck_assert_int_eq(bay_reply_message(request, &message), BAY_TIMEOUT);
	ck_assert_ptr_nonnull(message);
	bay_message_free(message);
	return BAY_OK;
}

static int
call_with_deadline(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_call(service, NULL, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_str_eq(bay_call_error(), "service s replied after the deadline");
	return BAY_OK;
}

START_TEST(a_reply_after_the_deadline_is_a_timeout)
{
	uint64_t flags;

	for (flags = 0; flags <= BAY_LEAF; flags++) {
		services_begin(0);
		service = services_start(&(struct service_options){.name = "s",
			.plugin = PLUGIN(.handle = reply_late, .flags = flags)});
		ck_assert_int_eq(services_run(call_with_deadline, NULL), BAY_OK);
		ck_assert_uint_eq(services_figures(service).timeouts, 1);
		services_end();
	}
}
END_TEST

/* --- one way ------------------------------------------------------------------------------------- */

static int one_way_answers;

static int
answer_one_way(struct bay_request *request)
{
	ck_assert(!bay_request_wants_reply(request));
	ck_assert_int_eq(bay_request_deadline(request), BAY_INHERIT);
	one_way_answers++;
	switch (bay_request_text(request)[0]) {
	case 'r':
		return bay_reply_text(request, "to nobody");
	case 'f':
		return bay_fail(request, BAY_IO, "no disk");
	default:
		return BAY_OK;
	}
}

static int
send_some(void *arg)
{
	const char *text = arg;
	int until = one_way_answers + (int)strlen(text);

	for (; *text != '\0'; text++) {
		struct bay_message *message = bay_message(text, 1);

		ck_assert_int_eq(bay_send(service, message, bay_after(BAY_SECOND)), BAY_OK);
		bay_message_free(message);
	}
	while (one_way_answers < until)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

START_TEST(what_goes_one_way_needs_no_answer_and_its_failures_are_said)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = answer_one_way)});
	log_lines_keep();
	ck_assert_int_eq(services_run(send_some, (void *)"-r-f"), BAY_OK);
	ck_assert_int_eq(one_way_answers, 4);
	ck_assert_uint_eq(services_figures(service).served, 3);
	ck_assert_uint_eq(services_figures(service).failed, 1);
	ck_assert_int_eq(log_lines_with("service s: a message that nobody waits for failed: io: no disk"), 1);
	/* Not without end. */
	ck_assert_int_eq(services_run(send_some, (void *)"ffffffffffffffffffffffffffffff"), BAY_OK);
	ck_assert_int_lt(log_lines_with("nobody waits for"), 10);
	services_end();
}
END_TEST

/* The time of a message that nobody waits for begins with its handler. */
static int
check_own_time(struct bay_request *request)
{
	int64_t left = bay_deadline() - bay_now();

	ck_assert_int_gt(left, 0);
	ck_assert_int_le(left, 20 * BAY_MS);
	one_way_answers++;
	if (bay_request_size(request) > 0)
		ck_assert_int_eq(bay_sleep(BAY_SECOND), BAY_TIMEOUT);
	return BAY_OK;
}

static int
send_three(void *arg)
{
	(void)arg;
	one_way_answers = 0;
	ck_assert_int_eq(send_some((void *)"xxx"), BAY_OK);
	while (one_way_answers < 3)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

START_TEST(a_timeout_of_what_goes_one_way_begins_with_its_handler)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .concurrency = 1, .timeout_ns = 20 * BAY_MS,
		.plugin = PLUGIN(.handle = check_own_time)});
	ck_assert_int_eq(services_run(send_three, NULL), BAY_OK);
	services_end();
}
END_TEST

/* --- failures of others ----------------------------------------------------------------------------- */

static int
give(void *arg)
{
	return (int)(intptr_t)arg;
}

static int
sleep_for_long(void *arg)
{
	(void)arg;
	return bay_sleep(100 * BAY_SECOND);
}

static int
answer_slowly(struct bay_request *request)
{
	int status = bay_sleep(100 * BAY_SECOND);

	return status != BAY_OK ? status : bay_reply_text(request, "");
}

static struct bay_task *
spawn_ended(int status)
{
	struct bay_task *task = bay_spawn("gives", give, (void *)(intptr_t)status);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static int
fail_from_others(struct bay_request *request)
{
	struct bay_task *tasks[3] = {NULL};
	int status = BAY_OK, i;

	switch (bay_request_text(request)[0]) {
	case 'a':
		tasks[0] = spawn_ended(BAY_OK);
		tasks[1] = bay_call_start(bay_service("nobody"), NULL);
		tasks[2] = spawn_ended(BAY_IO);
		status = bay_fail_from(request, tasks, 3);
		break;
	case 'b':
		tasks[0] = spawn_ended(BAY_CANCELED);
		tasks[1] = spawn_ended(BAY_IO);
		status = bay_fail_from(request, tasks, 2);
		break;
	case 'c':
		status = bay_fail_from(request, tasks, 1);
		break;
	case 'd':
		tasks[0] = spawn_ended(BAY_OK);
		status = bay_fail_from(request, tasks, 1);
		break;
	case 'e':
		tasks[0] = bay_spawn("sleeps", sleep_for_long, NULL);
		tasks[1] = bay_call_start(bay_service("slow"), NULL);
		ck_assert_int_eq(bay_gather(tasks, 2, bay_after(BAY_MS)), BAY_TIMEOUT);
		ck_assert_int_eq(bay_task_status(tasks[0]), BAY_TIMEOUT);
		ck_assert_int_eq(bay_task_status(tasks[1]), BAY_TIMEOUT);
		status = bay_fail_from(request, tasks, 2);
		break;
	}
	for (i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	return status;
}

static int
ask_for_failures(void *arg)
{
	(void)arg;
	services_expect_text(service, "a", BAY_NOT_FOUND, NULL);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	services_expect_text(service, "b", BAY_IO, NULL);
	ck_assert_str_eq(bay_call_error(), "io");
	services_expect_text(service, "c", BAY_NO_MEMORY, NULL);
	services_expect_text(service, "d", BAY_FAILED, NULL);
	services_expect_text(service, "e", BAY_TIMEOUT, NULL);
	return BAY_OK;
}

START_TEST(a_handler_may_fail_with_the_failure_of_its_tasks)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = fail_from_others)});
	services_start(&(struct service_options){.name = "slow", .plugin = PLUGIN(.handle = answer_slowly)});
	ck_assert_int_eq(services_run(ask_for_failures, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
fails(void *arg)
{
	(void)arg;
	return BAY_IO;
}

static int
fail_by_a_child(struct bay_request *request)
{
	ck_assert_int_eq(bay_go("child", fails, NULL), BAY_OK);
	if (bay_request_size(request) > 0)
		return bay_sleep(100 * BAY_SECOND);
	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_CANCELED);
	return bay_reply_text(request, "went on");
}

static int
call_one_with_a_failing_child(void *arg)
{
	(void)arg;
	services_expect_text(service, "x", BAY_IO, NULL);
	ck_assert_str_eq(bay_call_error(), "service s: task child failed: io");
	services_expect_text(service, "", BAY_OK, "went on");
	return BAY_OK;
}

START_TEST(a_handler_ended_by_its_own_task_names_its_failure)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = fail_by_a_child)});
	ck_assert_int_eq(services_run(call_one_with_a_failing_child, NULL), BAY_OK);
	services_end();
}
END_TEST

/* --- what belongs together ------------------------------------------------------------------------------ */

static uint64_t traces[3];

static int
note_trace(struct bay_request *request)
{
	traces[1] = trace_of(request)->id.low;
	return bay_reply_text(request, "noted");
}

static int
pass_on(struct bay_request *request)
{
	traces[0] = trace_of(request)->id.low;
	ck_assert(bay_request_wants_reply(request));
	services_expect_text(other, "x", BAY_OK, "noted");
	return bay_reply_text(request, "passed on");
}

static int
trace_twice(void *arg)
{
	(void)arg;
	services_expect_text(service, "x", BAY_OK, "passed on");
	ck_assert_uint_ne(traces[0], 0);
	ck_assert_uint_eq(traces[0], traces[1]);
	traces[2] = traces[0];
	services_expect_text(service, "x", BAY_OK, "passed on");
	ck_assert_uint_ne(traces[0], traces[2]);
	ck_assert_uint_eq(traces[0], traces[1]);
	return BAY_OK;
}

START_TEST(the_trace_is_the_jobs)
{
	uint64_t flags;

	for (flags = 0; flags <= BAY_LEAF; flags++) {
		services_begin(0);
		service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = pass_on)});
		other = services_start(&(struct service_options){.name = "o",
			.plugin = PLUGIN(.handle = note_trace, .flags = flags)});
		ck_assert_int_eq(services_run(trace_twice, NULL), BAY_OK);
		services_end();
	}
}
END_TEST

static int
look_in_shield(void *request)
{
	ck_assert_ptr_eq(task_current()->request, request);
	services_expect_text(other, "x", BAY_OK, "noted");
	return BAY_OK;
}

static int
shield_a_call(struct bay_request *request)
{
	traces[0] = trace_of(request)->id.low;
	ck_assert_int_eq(bay_shield("calls", look_in_shield, request, bay_after(20 * BAY_SECOND)), BAY_OK);
	return bay_reply_text(request, "shielded");
}

static int
trace_shielded(void *arg)
{
	(void)arg;
	traces[1] = 0;
	services_expect_text(service, "x", BAY_OK, "shielded");
	ck_assert_uint_eq(traces[0], traces[1]);
	return BAY_OK;
}

START_TEST(a_shield_works_for_the_request)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = shield_a_call)});
	other = services_start(&(struct service_options){.name = "o", .plugin = PLUGIN(.handle = note_trace)});
	ck_assert_int_eq(services_run(trace_shielded, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
read_number(struct bay_request *request)
{
	int64_t number = 5;

	if (bay_request_int64(request, &number) != BAY_OK)
		return bay_fail(request, BAY_INVALID, "no number, still %d", (int)number);
	return bay_reply_int64(request, number + 1);
}

static int
send_numbers(void *arg)
{
	(void)arg;
	services_expect_text(service, "41", BAY_OK, "42");
	services_expect_text(service, " -1 ", BAY_OK, "0");
	services_expect_text(service, "x", BAY_INVALID, NULL);
	ck_assert_str_eq(bay_call_error(), "no number, still 5");
	return BAY_OK;
}

START_TEST(a_request_may_be_a_number)
{
	services_begin(0);
	service = services_start(&(struct service_options){.name = "s", .plugin = PLUGIN(.handle = read_number)});
	ck_assert_int_eq(services_run(send_numbers, NULL), BAY_OK);
	services_end();
}
END_TEST

CHECK_MAIN("service/request",
	a_shield_works_for_the_request,
	one_from_the_cache_remembers_nothing,
	a_chain_is_told_from_above,
	whatever_a_handler_does_its_caller_gets_one_answer,
	a_reply_after_the_deadline_is_a_timeout,
	what_goes_one_way_needs_no_answer_and_its_failures_are_said,
	a_timeout_of_what_goes_one_way_begins_with_its_handler,
	a_handler_may_fail_with_the_failure_of_its_tasks,
	a_handler_ended_by_its_own_task_names_its_failure,
	the_trace_is_the_jobs,
	a_request_may_be_a_number)
