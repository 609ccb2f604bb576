/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace context of requests: inherited from whoever calls, or of a task that works for somebody
 * outside, or begun. Nobody pays for what nobody asks for: the span of a request is made when it is
 * wanted, and a leaf, which calls nobody, has no context at all before that.
 *
 * Whoever has the request, unless told otherwise.
 */
#ifndef BAY_SERVICE_TRACE_H
#define BAY_SERVICE_TRACE_H

#include <stdint.h>

#include "base/traceparent.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"
#include "service/request.h"

/* Begins the trace of a request that nobody is above: that of its task, or a new one. */
static inline void
trace_begin(struct bay_request *request, struct scheduler *here, const struct task *self)
{
	const struct task_extra *extra = self != NULL ? self->extra : NULL;

	if (__builtin_expect(extra != NULL && !trace_id_is_none(&extra->trace.id), 0)) {
		request->trace = extra->trace;
		return;
	}
	request->trace.id.high = here->trace_high;
	request->trace.id.low = scheduler_random(here);
}

/* Any number but 0, and a new trace. Any thread. */
uint64_t trace_random(void);
void trace_create(struct traceparent *trace_r);

/* The context of the request. Inside a task, if it may be a leaf's. */
const struct traceparent *trace_of(struct bay_request *request);

/* The span of the request; likewise. */
uint64_t trace_span(struct bay_request *request);

/* The header for what is asked of others on its behalf; likewise. */
void trace_print(struct bay_request *request, char text[TRACEPARENT_SIZE]);

/* The trace that the calling code works for, if anybody else can know it: it came from outside, has been
 * passed on, or is recorded. Else *id_r is not touched. A log_trace_fn. Any thread. */
void trace_for_log(struct trace_id *id_r);

#endif
