/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces: which job a request belongs to, across services and beyond the container, as the W3C
 * Trace Context recommendation (https://www.w3.org/TR/trace-context/) has it in the header
 * traceparent.
 *
 *	GET /orders, traceparent: 00-4bf9..-00f0..-01     a plugin has read this
 *	   bay_trace_begin("00-4bf9..-00f0..-01");
 *	   bay_call(orders, ...) ──► its handler, and whatever that calls: trace 4bf9..
 *	                                bay_traceparent(text, sizeof text);
 *	                                "00-4bf9..-b7ad..-01", to be sent on in a header
 *
 * Every request belongs to a trace, and what is called and sent for it belongs to the same one. Who
 * gets none from outside begins a new one. What else comes with the header (tracestate) is the
 * plugin's to pass on.
 *
 * All functions: inside a task, or in a leaf handler; none suspends.
 */
#ifndef BAY_TRACE_H
#define BAY_TRACE_H

#include <stddef.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

/* Room for the texts below, with their NUL. */
#define BAY_TRACEPARENT_SIZE 56
#define BAY_TRACE_ID_SIZE 33

/* What the running code does from now on belongs to the trace of this header: in a handler, and in
 * the tasks that it has started, that is the request's; elsewhere it is that of the task and of what
 * it starts after this. NULL, or what is no such header: it belongs to a new trace, as the
 * recommendation wants it; then BAY_INVALID tells the latter from the former. BAY_INVALID also
 * outside a task, where nothing changes. Since 1.0. */
BAY_API int bay_trace_begin(const char *traceparent);

/* The header to send along with whatever the running code asks of others: the trace, and the span of
 * the request or task. Writes 55 characters. BAY_OK; BAY_INVALID with less than
 * BAY_TRACEPARENT_SIZE bytes of room, and outside a task. Since 1.0. */
BAY_API int bay_traceparent(char *text, size_t size);

/* The id of the trace that the running code works for, in 32 hexadecimal digits: to find what
 * belongs together, as in a log. BAY_OK; BAY_INVALID with less than BAY_TRACE_ID_SIZE bytes of
 * room, and outside a task. Since 1.0. */
BAY_API int bay_trace_id(char *text, size_t size);

BAY_END_DECLS

#endif
