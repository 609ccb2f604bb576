/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes down where a thread is, what it works on and what code is loaded, into the page that
 * outlives us (base/crash_area.h).
 */
#ifndef BAY_CELL_CRASH_TRACE_H
#define BAY_CELL_CRASH_TRACE_H

#include "base/crash_area.h"

/* The place where the calling thread was interrupted: frames, message, what its task waited in
 * before. Memory that is broken by now is read by the kernel, which says so. context is that of
 * the signal whose handler this is in, or NULL: in none. */
void crash_trace_fill(struct crash_trace *trace, enum crash_kind kind, const void *context);

/* Those whose requests the calling thread is working on, in other cells, learn from their links that
 * this one crashes over them. Looks at memory that may be broken: as the last deed. */
void crash_trace_blame(void);

/* What kind of an abort() it is, by what the C library has said before; that goes into the
 * trace, too. In the handler of a signal. */
enum crash_kind crash_trace_abort_kind(struct crash_trace *trace);

/* Looks for where the C library keeps that. Once, before there are other threads. */
void crash_trace_prepare(void);

/* Writes down what objects are loaded now. One thread at a time. */
void crash_trace_see_objects(struct crash_area *area);

#endif
