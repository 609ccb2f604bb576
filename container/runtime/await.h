/* SPDX-License-Identifier: BSD-2-Clause */
/* How every public function begins that may suspend, or that only a task may call. */
#ifndef BAY_RUNTIME_AWAIT_H
#define BAY_RUNTIME_AWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/traceparent.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

struct bay_service;

/* What runs on a thread that has no tasks, on behalf of a service. */
struct await_elsewhere {
	const struct bay_service *service; /* or NULL; for the floor above */
	const char *subject;               /* for the log, or NULL */
	uint32_t slot;                     /* of the service in the status page, or STATUS_NO_SLOT */
	char name[32];
	struct trace_id trace;             /* that it works for, as log lines have it, or none */
	uint64_t hop_span;                 /* of the request that it works for, ... */
	uint16_t hop_place;                /* ... whose hop is there as long as it has that; 0: none */
};

/* That of this thread, or NULL. */
extern __thread const struct await_elsewhere *await_elsewhere __attribute__((tls_model("initial-exec")));

/* Whose code is at this address: "toolbox.1.so", a plugin's copy. Returns text, or a literal. */
const char *await_caller(const void *where, char *text, size_t size);

/* The slow part of await_begin(). */
bool await_refuse(const char *function, const void *where);

/* Whether the running code may suspend: it is a task and no leaf handler. */
static inline bool
await_may_begin(const struct scheduler *here)
{
	return __builtin_expect(here != NULL && here->current != NULL && here->leaf == NULL, 1);
}

/* Remembers for the task list what the task waits in, and where that was called. False when
 * the running code may not suspend (no task, a leaf handler): then the log says so with the
 * function's name, or the leaf's request fails with it; the function returns BAY_INVALID. */
static inline bool
await_begin(const char *function, const void *where)
{
	struct scheduler *here = scheduler_here;
	struct scheduler_await *last;

	if (!await_may_begin(here))
		return await_refuse(function, where);
	last = &here->awaits[here->await_count++ % SCHEDULER_AWAITS];
	*last = (struct scheduler_await){function, where, here->current->id};
	here->current->awaiting = function;
	here->current->where = where;
	return true;
}

/* Whether self is cancelled or past its own deadline: then no await goes on, not even one that
 * need not wait. A shorter deadline of the await is no matter where there is nothing to wait for. */
static inline bool
await_is_over(struct task *self)
{
	return self->canceled != NULL || task_deadline(self, BAY_INHERIT) <= self->scheduler->loop.now_ns;
}

/* The slow part of await_passed(): lets the others run when it is their turn. May suspend. */
void await_pay(struct task *self);

/* A look at the clock costs more than most awaits that do not wait: one for so many. */
#define AWAITS_PER_CLOCK 16

/* Ends an await of self that has not waited, with this status: it costs a unit of the slice, as a
 * call does. A loop of them would otherwise never let anybody else run. May suspend: the last that
 * a function does, since whatever it looked at may be gone afterwards. */
static inline int
await_passed(struct task *self, int status)
{
	int slice = --self->scheduler->slice;

	if (__builtin_expect(slice <= 0 || slice % AWAITS_PER_CLOCK == 0, 0))
		await_pay(self);
	return status;
}

/* The same for one that must not wait. */
int await_refused(struct task *self, int status);

/* The same when await_is_over(). */
int await_over(struct task *self);

#define AWAIT_BEGIN(function) await_begin(function, __builtin_return_address(0))

#endif
