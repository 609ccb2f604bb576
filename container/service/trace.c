/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace context of requests, and the functions of <bay/trace.h>. */
#include "config.h"

#include "service/trace.h"

#include <string.h>
#include <sys/random.h>

#include <bay/trace.h>

#include "base/clock.h"
#include "runtime/await.h"

uint64_t
trace_random(void)
{
	uint64_t number = 0;

	/* Few of them are made on a thread that is no loop. */
	do {
		if (scheduler_here != NULL)
			number = scheduler_random(scheduler_here);
		else if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
			number = (uint64_t)clock_monotonic_ns() * UINT64_C(0x9E3779B97F4A7C15);
	} while (number == 0);
	return number;
}

void
trace_create(struct traceparent *trace_r)
{
	*trace_r = (struct traceparent){.id = {trace_random(), trace_random()}};
}

/* Of a leaf, whose caller runs it. */
static void
trace_find(struct bay_request *request)
{
	struct scheduler *here = scheduler_here;
	const struct task *self = here != NULL ? here->current : NULL;

	request->span = 0;
	request->recorded = 0;
	request->trace = (struct traceparent){.flags = 0};
	if (self != NULL && self->request != NULL && self->request != request)
		request_inherit_trace(request, self->request);
	if (!trace_id_is_none(&request->trace.id))
		return;
	if (here != NULL)
		trace_begin(request, here, self);
	else
		trace_create(&request->trace);
}

const struct traceparent *
trace_of(struct bay_request *request)
{
	if (trace_id_is_none(&request->trace.id))
		trace_find(request);
	return &request->trace;
}

uint64_t
trace_span(struct bay_request *request)
{
	(void)trace_of(request);
	if (request->span == 0)
		request->span = trace_random();
	return request->span;
}

void
trace_print(struct bay_request *request, char text[TRACEPARENT_SIZE])
{
	struct traceparent header = *trace_of(request);

	header.parent = trace_span(request);
	if (request->recorded != 0)
		header.flags |= TRACE_SAMPLED;
	traceparent_print(text, &header);
}

/* That of a leaf is its caller's, before somebody asks. */
static const struct bay_request *
trace_request_of(const struct scheduler *here)
{
	if (here->leaf != NULL && !trace_id_is_none(&here->leaf->trace.id))
		return here->leaf;
	return here->current != NULL ? here->current->request : NULL;
}

/* Nobody can look for a number that only we know, so it would say nothing. */
void
trace_for_log(struct trace_id *id_r)
{
	const struct scheduler *here = scheduler_here;
	const struct bay_request *request;
	const struct task_extra *extra;

	if (here == NULL) {
		if (await_elsewhere != NULL)
			*id_r = await_elsewhere->trace;
		return;
	}
	request = trace_request_of(here);
	extra = request == NULL && here->current != NULL ? here->current->extra : NULL;
	if (request != NULL && (request->trace.parent != 0 || request->span != 0))
		*id_r = request->trace.id;
	else if (extra != NULL && (extra->trace.parent != 0 || extra->has_span))
		*id_r = extra->trace.id;
}

/* --- <bay/trace.h> -------------------------------------------------------------------- */

_Static_assert(BAY_TRACEPARENT_SIZE == TRACEPARENT_SIZE && BAY_TRACE_ID_SIZE == TRACE_ID_SIZE,
	"plugins have the same room");

/* The request that the running code works for, or NULL. */
static struct bay_request *
trace_request(void)
{
	const struct scheduler *here = scheduler_here;

	return here->leaf != NULL ? here->leaf : here->current->request;
}

/* That of a task that works for no request, begun at first use. */
static struct task_extra *
trace_of_task(struct task *self)
{
	struct task_extra *extra = task_extra(self);

	if (trace_id_is_none(&extra->trace.id))
		trace_create(&extra->trace);
	return extra;
}

int
bay_trace_begin(const char *text)
{
	struct traceparent header;
	struct bay_request *request;
	int status = BAY_OK;

	if (task_current() == NULL)
		return BAY_INVALID;
	if (text == NULL || !traceparent_parse(text, strlen(text), &header)) {
		trace_create(&header);
		status = text == NULL ? BAY_OK : BAY_INVALID;
	}
	request = trace_request();
	if (request != NULL) {
		/* A leaf has one before it gets another. */
		(void)trace_of(request);
		request->trace = header;
	} else {
		struct task_extra *extra = task_extra(task_current());

		extra->trace = header;
		extra->has_span = false;
	}
	return status;
}

int
bay_traceparent(char *text, size_t size)
{
	struct bay_request *request;
	struct task_extra *extra;

	if (task_current() == NULL || size < TRACEPARENT_SIZE)
		return BAY_INVALID;
	request = trace_request();
	if (request != NULL) {
		trace_print(request, text);
		return BAY_OK;
	}
	extra = trace_of_task(task_current());
	if (!extra->has_span)
		extra->trace.parent = trace_random();
	extra->has_span = true;
	traceparent_print(text, &extra->trace);
	return BAY_OK;
}

int
bay_trace_id(char *text, size_t size)
{
	struct bay_request *request;

	if (task_current() == NULL || size < TRACE_ID_SIZE)
		return BAY_INVALID;
	request = trace_request();
	trace_id_print(text, request != NULL ? &trace_of(request)->id : &trace_of_task(task_current())->trace.id);
	return BAY_OK;
}
