/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/trace.h"

#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "support/services.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define HEADER "00-" ID "-" SPAN "-01"

static struct bay_service *teller, *leaf, *passer;

/* Its own traceparent. */
static int
tell(struct bay_request *request)
{
	char text[BAY_TRACEPARENT_SIZE], id[BAY_TRACE_ID_SIZE];

	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	ck_assert_int_eq(bay_trace_id(id, sizeof(id)), BAY_OK);
	ck_assert_int_eq(strncmp(text + 3, id, 32), 0);
	return bay_reply_text(request, text);
}

static const struct traceparent *
read_reply(struct bay_service *service, struct traceparent *header_r)
{
	struct bay_message *reply;

	ck_assert_int_eq(bay_call(service, NULL, &reply, BAY_INHERIT), BAY_OK);
	ck_assert(traceparent_parse(bay_message_text(reply), bay_message_size(reply), header_r));
	bay_message_free(reply);
	return header_r;
}

static int
have_both_tell(void *arg)
{
	struct traceparent header;
	const struct trace_id *id = arg;

	for (int i = 0; i < 2; i++) {
		(void)read_reply(i == 0 ? teller : leaf, &header);
		ck_assert(header.id.high == id->high && header.id.low == id->low);
	}
	return BAY_OK;
}

/* What it calls, and what a task of it calls, belongs to its trace. */
static int
pass(struct bay_request *request)
{
	struct trace_id id = trace_of(request)->id;
	struct bay_task *task = bay_spawn("child", have_both_tell, &id);

	ck_assert_int_eq(have_both_tell(&id), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return bay_reply_text(request, "passed");
}

static void
run(bay_task_fn *fn)
{
	services_begin(0);
	teller = services_start(&(struct service_options){.name = "teller", .plugin = PLUGIN(.handle = tell)});
	leaf = services_start(&(struct service_options){.name = "leaf", .plugin = PLUGIN(.handle = tell, .flags = BAY_LEAF)});
	passer = services_start(&(struct service_options){.name = "passer", .plugin = PLUGIN(.handle = pass)});
	ck_assert_int_eq(services_run(fn, NULL), BAY_OK);
	services_end();
}

#define IN_A_TASK(name) \
	static int name##_body(void *arg); \
	START_TEST(name) \
	{ \
		run(name##_body); \
	} \
	END_TEST \
	static int name##_body(void *arg __attribute__((unused)))

static void
assert_is_of_header(const struct traceparent *header)
{
	ck_assert_uint_eq(header->id.high, UINT64_C(0x4bf92f3577b34da6));
	ck_assert_uint_eq(header->id.low, UINT64_C(0xa3ce929d0e0e4736));
	ck_assert_uint_eq(header->flags, TRACE_SAMPLED);
	/* The span is another one. */
	ck_assert_uint_ne(header->parent, UINT64_C(0x00f067aa0ba902b7));
}

static bool
are_one_trace(const struct traceparent *a, const struct traceparent *b)
{
	return a->id.high == b->id.high && a->id.low == b->id.low;
}

IN_A_TASK(what_is_called_has_the_trace_of_its_caller)
{
	services_expect_text(passer, "", BAY_OK, "passed");
	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	services_expect_text(passer, "", BAY_OK, "passed");
	return BAY_OK;
}

IN_A_TASK(without_a_trace_from_outside_each_call_begins_one)
{
	struct traceparent first, second;

	(void)read_reply(teller, &first);
	(void)read_reply(teller, &second);
	ck_assert(!are_one_trace(&first, &second));
	ck_assert_uint_eq(first.flags + second.flags, 0);
	(void)read_reply(leaf, &first);
	(void)read_reply(leaf, &second);
	ck_assert(!are_one_trace(&first, &second));
	return BAY_OK;
}

static int
expect_header(void *arg)
{
	struct traceparent header;

	assert_is_of_header(read_reply(teller, &header));
	assert_is_of_header(read_reply(leaf, &header));
	(void)arg;
	return BAY_OK;
}

IN_A_TASK(a_task_works_for_the_trace_that_it_was_told)
{
	struct bay_task *task;
	char id[BAY_TRACE_ID_SIZE];

	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	ck_assert_int_eq(bay_trace_id(id, sizeof(id)), BAY_OK);
	ck_assert_str_eq(id, ID);
	ck_assert_int_eq(expect_header(NULL), BAY_OK);
	task = bay_spawn("child", expect_header, NULL);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return bay_shield("shielded", expect_header, NULL, bay_after(100 * BAY_SECOND));
}

IN_A_TASK(no_header_and_one_that_is_none_begin_a_new_trace)
{
	struct traceparent first, second;

	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	ck_assert_int_eq(bay_trace_begin("00-" ID "-0000000000000000-01"), BAY_INVALID);
	(void)read_reply(teller, &first);
	ck_assert_uint_ne(first.id.high, UINT64_C(0x4bf92f3577b34da6));
	/* All that is done from now on belongs together. */
	ck_assert(are_one_trace(&first, read_reply(leaf, &second)));
	ck_assert_int_eq(bay_trace_begin(NULL), BAY_OK);
	ck_assert(!are_one_trace(&first, read_reply(teller, &second)));
	ck_assert_uint_eq(first.flags + second.flags, 0);
	return BAY_OK;
}

IN_A_TASK(the_header_of_a_task_stays_as_it_is)
{
	char first[BAY_TRACEPARENT_SIZE], second[BAY_TRACEPARENT_SIZE];
	struct traceparent header, callee;

	ck_assert_int_eq(bay_traceparent(first, sizeof(first)), BAY_OK);
	ck_assert_int_eq(bay_traceparent(second, sizeof(second)), BAY_OK);
	ck_assert_str_eq(first, second);
	ck_assert(traceparent_parse(first, strlen(first), &header));
	ck_assert(are_one_trace(&header, read_reply(teller, &callee)));
	ck_assert_uint_ne(header.parent, callee.parent);
	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	ck_assert_int_eq(bay_traceparent(second, sizeof(second)), BAY_OK);
	ck_assert(traceparent_parse(second, strlen(second), &header));
	assert_is_of_header(&header);
	return BAY_OK;
}

IN_A_TASK(a_text_without_enough_room_is_not_written)
{
	char text[BAY_TRACEPARENT_SIZE] = "as it was";

	ck_assert_int_eq(bay_traceparent(text, BAY_TRACEPARENT_SIZE - 1), BAY_INVALID);
	ck_assert_int_eq(bay_trace_id(text, BAY_TRACE_ID_SIZE - 1), BAY_INVALID);
	ck_assert_str_eq(text, "as it was");
	return BAY_OK;
}

START_TEST(code_of_no_task_has_no_trace)
{
	char text[BAY_TRACEPARENT_SIZE];

	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_INVALID);
	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_INVALID);
	ck_assert_int_eq(bay_trace_id(text, sizeof(text)), BAY_INVALID);
}
END_TEST

/* --- in handlers ---------------------------------------------------------------------- */

static struct traceparent got;
static bool has_got;

static int
take_note(struct bay_request *request)
{
	got = *trace_of(request);
	has_got = true;
	return BAY_OK;
}

/* Takes another trace over, and sends to "note" at once or later. */
static int
send_on(struct bay_request *request)
{
	const char *how = bay_request_text(request);
	struct bay_service *note = bay_service("note");
	char text[BAY_TRACEPARENT_SIZE];

	if (strstr(how, "begin") != NULL)
		ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	if (strstr(how, "later") != NULL)
		ck_assert_int_eq(bay_send_later(note, NULL, 0, NULL), BAY_OK);
	else if (strstr(how, "leaf") == NULL)
		ck_assert_int_eq(bay_send(note, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	return bay_reply_text(request, text);
}

static struct traceparent
send_by(struct bay_service *sender, const char *how)
{
	struct bay_message *message = bay_message_printf("%s", how), *reply;
	struct traceparent told;

	has_got = false;
	ck_assert_int_eq(bay_call(sender, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert(traceparent_parse(bay_message_text(reply), bay_message_size(reply), &told));
	bay_message_free(message);
	bay_message_free(reply);
	while (!has_got && strstr(how, "leaf") == NULL)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return told;
}

static int
send_in_all_ways(void *arg)
{
	struct bay_service *sender = bay_service("sender");
	struct traceparent told;

	(void)arg;
	told = send_by(sender, "send");
	ck_assert(are_one_trace(&told, &got));
	told = send_by(sender, "later");
	ck_assert(are_one_trace(&told, &got));
	told = send_by(sender, "begin and send");
	assert_is_of_header(&told);
	ck_assert(are_one_trace(&told, &got) && got.flags == TRACE_SAMPLED);
	told = send_by(sender, "begin and send later");
	ck_assert(are_one_trace(&told, &got) && got.flags == TRACE_SAMPLED);
	/* Nobody has been told of a span of the sender's, so what is known is where that came from. */
	ck_assert_uint_eq(got.parent, UINT64_C(0x00f067aa0ba902b7));
	told = send_by(bay_service("leaf-sender"), "begin later");
	assert_is_of_header(&told);
	ck_assert(are_one_trace(&told, &got));
	return BAY_OK;
}

START_TEST(what_is_sent_has_the_trace_that_the_sender_has_then)
{
	services_begin(0);
	services_start(&(struct service_options){.name = "note", .plugin = PLUGIN(.handle = take_note)});
	services_start(&(struct service_options){.name = "sender", .plugin = PLUGIN(.handle = send_on)});
	services_start(&(struct service_options){.name = "leaf-sender", .plugin = PLUGIN(.handle = send_on, .flags = BAY_LEAF)});
	ck_assert_int_eq(services_run(send_in_all_ways, NULL), BAY_OK);
	services_end();
}
END_TEST

/* Calls "note" before anybody has asked for its span, and after. */
static int
call_twice(struct bay_request *request)
{
	uint64_t above = trace_of(request)->parent;
	char text[BAY_TRACEPARENT_SIZE];
	struct traceparent own;

	ck_assert_int_eq(bay_call(bay_service("answer"), NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(got.parent, above);
	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	ck_assert(traceparent_parse(text, strlen(text), &own));
	ck_assert_int_eq(bay_call(bay_service("answer"), NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(got.parent, own.parent);
	return bay_reply_text(request, "");
}

static int
answer(struct bay_request *request)
{
	(void)take_note(request);
	return bay_reply_text(request, "");
}

static int
call_caller(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	services_expect_text(bay_service("caller"), "", BAY_OK, "");
	return BAY_OK;
}

START_TEST(a_span_that_somebody_knows_is_the_parent_of_what_is_called)
{
	services_begin(0);
	services_start(&(struct service_options){.name = "answer", .plugin = PLUGIN(.handle = answer)});
	services_start(&(struct service_options){.name = "caller", .plugin = PLUGIN(.handle = call_twice)});
	ck_assert_int_eq(services_run(call_caller, NULL), BAY_OK);
	services_end();
}
END_TEST

/* --- for the log ----------------------------------------------------------------------- */

/* Whether a line that is written here and now has the trace of the header; else it has none. */
static bool
log_has_it(void)
{
	struct trace_id id = {0, 0};

	trace_for_log(&id);
	ck_assert(trace_id_is_none(&id) ||
		(id.high == UINT64_C(0x4bf92f3577b34da6) && id.low == UINT64_C(0xa3ce929d0e0e4736)));
	return !trace_id_is_none(&id);
}

static int
see_log_there(void *arg)
{
	*(bool *)arg = log_has_it();
	return BAY_OK;
}

static int
see_log_of_child(void *arg)
{
	*(bool *)arg = log_has_it();
	return BAY_OK;
}

static bool leaf_has_it;

static int
see_log_of_leaf(struct bay_request *request)
{
	leaf_has_it = log_has_it();
	return bay_reply_text(request, "");
}

/* All of these have it, or none. */
static int
see_log(struct bay_request *request)
{
	bool here = log_has_it(), there = !here, child = !here;
	struct bay_task *task = bay_spawn("child", see_log_of_child, &child);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_blocking("there", see_log_there, &there, NULL, NULL, BAY_INHERIT), BAY_OK);
	services_expect_text(bay_service("see-leaf"), "", BAY_OK, "");
	ck_assert(there == here && child == here && leaf_has_it == here);
	return bay_reply_text(request, here ? "yes" : "no");
}

/* Passes its trace on, after which others know it. */
static int
see_log_when_passed_on(struct bay_request *request)
{
	char text[BAY_TRACEPARENT_SIZE];
	struct traceparent header;
	struct trace_id id = {0, 0};

	ck_assert(!log_has_it());
	ck_assert_int_eq(bay_traceparent(text, sizeof(text)), BAY_OK);
	ck_assert(traceparent_parse(text, strlen(text), &header));
	trace_for_log(&id);
	ck_assert(id.high == header.id.high && id.low == header.id.low);
	return bay_reply_text(request, "passed on");
}

static int
call_who_sees_the_log(void *arg)
{
	struct bay_service *see = bay_service("see");

	(void)arg;
	ck_assert(!log_has_it());
	services_expect_text(see, "", BAY_OK, "no");
	services_expect_text(bay_service("pass-on"), "", BAY_OK, "passed on");
	ck_assert_int_eq(bay_trace_begin(HEADER), BAY_OK);
	ck_assert(log_has_it());
	services_expect_text(bay_service("see-leaf"), "", BAY_OK, "");
	ck_assert(leaf_has_it);
	services_expect_text(see, "", BAY_OK, "yes");
	ck_assert_int_eq(bay_trace_begin(NULL), BAY_OK);
	ck_assert(!log_has_it());
	services_expect_text(see, "", BAY_OK, "no");
	return BAY_OK;
}

START_TEST(lines_of_the_log_have_the_trace_that_others_can_know)
{
	ck_assert(!log_has_it());
	services_begin(0);
	services_start(&(struct service_options){.name = "see", .plugin = PLUGIN(.handle = see_log)});
	services_start(&(struct service_options){.name = "see-leaf",
		.plugin = PLUGIN(.handle = see_log_of_leaf, .flags = BAY_LEAF)});
	services_start(&(struct service_options){.name = "pass-on", .plugin = PLUGIN(.handle = see_log_when_passed_on)});
	ck_assert_int_eq(services_run(call_who_sees_the_log, NULL), BAY_OK);
	services_end();
}
END_TEST

CHECK_MAIN("service/trace",
	what_is_called_has_the_trace_of_its_caller,
	without_a_trace_from_outside_each_call_begins_one,
	a_task_works_for_the_trace_that_it_was_told,
	no_header_and_one_that_is_none_begin_a_new_trace,
	the_header_of_a_task_stays_as_it_is,
	a_text_without_enough_room_is_not_written,
	code_of_no_task_has_no_trace,
	what_is_sent_has_the_trace_that_the_sender_has_then,
	a_span_that_somebody_knows_is_the_parent_of_what_is_called,
	lines_of_the_log_have_the_trace_that_others_can_know)
