/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of calls have in common: services of one test, and handlers that echo or say what they saw. */
#ifndef BAY_TESTS_SERVICE_CALLS_H
#define BAY_TESTS_SERVICE_CALLS_H

#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/trace.h"
#include "support/services.h"

/* A test whose body is a task of loop 0, beside services that are started before and stopped
 * after it. */
#define WITH_SERVICES(name, ...)                                    \
	static int name##_main(void *arg);                              \
	START_TEST(name)                                                \
	{                                                               \
		services_begin(0);                                          \
		__VA_ARGS__;                                                \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK);  \
		services_check_nothing_left();                              \
		services_end();                                             \
	}                                                               \
	END_TEST                                                        \
	static int name##_main(void *arg __attribute__((unused)))

#define START(name_, ...) services_start(&(struct service_options){.name = name_, .plugin = __VA_ARGS__})

static inline int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

/* Waits as many milliseconds as the request says, then echoes. */
static inline int
slow_echo(struct bay_request *request)
{
	int64_t ms;

	if (bay_request_int64(request, &ms) != BAY_OK)
		ms = 1;
	if (bay_sleep(ms * BAY_MS) != BAY_OK)
		return bay_fail(request, BAY_CANCELED, "woken: %s",
			bay_cancel_reason() != NULL ? bay_cancel_reason() : "too late");
	return echo(request);
}

struct seen {
	char *address;          /* of a local variable of the handler */
	struct task *task;
	struct bay_instance *instance;
	int64_t deadline;
	int64_t request_deadline;
	uint64_t trace;
	unsigned depth;
	int status;
	bool ended;
	bool canceled;
	char reason[64];
	const void *data;
	size_t stack_left;
	int64_t outer_deadline; /* of a handler that calls another, when it has called */
};

/* Says what it saw, in the struct that the request points to. */
static inline int
look(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);

	seen->address = __builtin_frame_address(0);
	seen->task = task_current();
	seen->instance = bay_instance_current();
	ck_assert_ptr_eq(seen->instance, bay_request_instance(request));
	seen->request_deadline = bay_request_deadline(request);
	seen->deadline = bay_deadline();
	seen->trace = trace_of(request)->id.low;
	seen->data = bay_request_data(request);
	seen->stack_left = task_stack_below(task_current(), __builtin_frame_address(0));
	return bay_reply_text(request, "seen");
}

/* Waits until it is told to stop, and 20 ms more, however often it is told. */
static inline int
refuse_to_stop(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);
	int64_t end = BAY_INHERIT;

	seen->task = task_current();
	while (bay_now() < end) {
		if (bay_sleep(BAY_MS) != BAY_OK) {
			if (end == BAY_INHERIT)
				end = bay_after(20 * BAY_MS);
			seen->canceled = bay_cancel_reason() != NULL;
			task_yield();
		}
	}
	if (bay_cancel_reason() != NULL)
		strcpy(seen->reason, bay_cancel_reason());
	seen->status = bay_reply_text(request, "late");
	seen->ended = true;
	return BAY_OK;
}

#endif
