/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/request.h>: what a handler sees and how it answers. */
#include "config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/log.h>
#include <bay/request.h>

#include "base/log.h"
#include "base/status.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/request.h"
#include "service/service.h"

const struct bay_message *
bay_request_message(const struct bay_request *request)
{
	return request->message;
}

const void *
bay_request_data(const struct bay_request *request)
{
	return bay_message_data(request->message);
}

size_t
bay_request_size(const struct bay_request *request)
{
	return bay_message_size(request->message);
}

const char *
bay_request_text(const struct bay_request *request)
{
	return bay_message_text(request->message);
}

int
bay_request_int64(const struct bay_request *request, int64_t *number_r)
{
	return message_read_int64(request->message, number_r);
}

struct bay_instance *
bay_request_instance(const struct bay_request *request)
{
	return request->instance;
}

const void *
bay_settings(const struct bay_request *request)
{
	return request->settings != NULL ? request->settings : request->instance->settings;
}

void *
bay_state(const struct bay_request *request)
{
	return request->instance->state;
}

int64_t
bay_request_deadline(const struct bay_request *request)
{
	const struct scheduler *here = scheduler_here;

	if (request->task != NULL)
		return task_deadline(request->task, request->deadline);
	/* A leaf is run by its caller. */
	if (here != NULL && here->leaf == request)
		return task_deadline(here->current, request->deadline);
	return request->deadline;
}

bool
bay_request_wants_reply(const struct bay_request *request)
{
	return !request->one_way;
}

/* --- answering ------------------------------------------------------------------- */

/* Whether the running code works for this request: it is its handler, or a task of its handler. */
static inline bool
request_is_here(const struct bay_request *request)
{
	const struct scheduler *here = scheduler_here;

	return here != NULL && here->current != NULL &&
		(here->leaf == request || here->current->request == request);
}

/* What is wrong with an answer that is none of the running code's to give. The request may be gone:
 * nothing of it is looked at. */
static __attribute__((cold, noinline)) int
request_is_elsewhere(const char *function, const void *where)
{
	char caller[64];

	if (scheduler_here == NULL)
		log_error(await_elsewhere != NULL ? await_elsewhere->subject : NULL,
			"%s was called on a thread that is no loop, by %s: only the handler of a request, and "
			"tasks that it has started, answer it [misuse-thread]", function,
			await_caller(where, caller, sizeof caller));
	else
		bay_log_error("%s: that is not the request that is being served here: is its handler over? "
			"[misuse-freed]", function);
	return BAY_INVALID;
}

static __attribute__((cold, noinline)) int
reply_refused(struct bay_request *request, const char *function, const void *where)
{
	if (!request_is_here(request))
		return request_is_elsewhere(function, where);
	if (request->answered) {
		bay_log_error("%s: the handler has answered already: the first answer stays [misuse-reply]",
			function);
		return BAY_INVALID;
	}
	request_fail(request, BAY_TIMEOUT, "service %s replied after the deadline", request->service->name);
	return BAY_TIMEOUT;
}

/* Why an answer is not accepted, or BAY_OK. The time is the loop's: reading the clock takes
 * longer than all the rest of a reply. */
static inline __attribute__((always_inline)) int
reply_refusal(struct bay_request *request, const char *function)
{
	if (__builtin_expect(!request_is_here(request) || request->answered ||
		request->deadline <= scheduler_here->loop.now_ns, 0))
		return reply_refused(request, function, __builtin_return_address(0));
	return BAY_OK;
}

/* Takes message, NULL: there was no memory for it. */
static inline int
reply_with(struct bay_request *request, struct bay_message *message)
{
	if (message == NULL)
		return BAY_NO_MEMORY;
	request->answered = true;
	request->status = BAY_OK;
	request->reply = message;
	return BAY_OK;
}

int
bay_reply(struct bay_request *request, const void *data, size_t size)
{
	int status = reply_refusal(request, "bay_reply");

	return status != BAY_OK ? status : reply_with(request, bay_message(data, size));
}

int
bay_reply_text(struct bay_request *request, const char *text)
{
	int status = reply_refusal(request, "bay_reply_text");

	return status != BAY_OK ? status : reply_with(request, bay_message(text, strlen(text)));
}

int
bay_reply_printf(struct bay_request *request, const char *format, ...)
{
	int status = reply_refusal(request, "bay_reply_printf");
	struct bay_message *message;
	va_list args;

	if (status != BAY_OK)
		return status;
	va_start(args, format);
	message = message_vprintf(format, args);
	va_end(args);
	return reply_with(request, message);
}

int
bay_reply_int64(struct bay_request *request, int64_t number)
{
	int status = reply_refusal(request, "bay_reply_int64");

	return status != BAY_OK ? status : reply_with(request, message_int64(number));
}

int
bay_reply_message(struct bay_request *request, struct bay_message **message)
{
	int status = reply_refusal(request, "bay_reply_message");

	if (status != BAY_OK)
		return status;
	status = reply_with(request, *message);
	if (status == BAY_OK)
		*message = NULL;
	return status;
}

int
bay_fail(struct bay_request *request, int status, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (status == BAY_OK)
		status = BAY_FAILED;
	if (!request_is_here(request)) {
		(void)request_is_elsewhere("bay_fail", __builtin_return_address(0));
		return status;
	}
	if (request->answered) {
		bay_log_error("bay_fail: the handler has answered already: the first answer stays "
			"[misuse-reply]");
		return status;
	}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	request_fail(request, status, "%s", text != NULL ? text : "");
	request->by_handler = true;
	free(text);
	return status;
}

/* Whether a task that ended so says more about the cause than one that ended as best_status
 * (BAY_OK: there is none yet). A failure cancels its siblings: they are not the cause. */
static bool
fail_from_is_better(int status, int best_status)
{
	if (status == BAY_OK || status == BAY_BUSY)
		return false;
	return best_status == BAY_OK || (best_status == BAY_CANCELED && status != BAY_CANCELED);
}

int
bay_fail_from(struct bay_request *request, struct bay_task *const *tasks, size_t count)
{
	char room[STATUS_ROOM];
	int best_status = BAY_OK;
	const char *text = "";
	size_t i;

	for (i = 0; i < count; i++) {
		int status = bay_task_status(tasks[i]);

		if (!fail_from_is_better(status, best_status))
			continue;
		best_status = status;
		text = bay_task_error(tasks[i]);
	}
	if (best_status == BAY_OK)
		return bay_fail(request, BAY_FAILED, "none of the %zu tasks has failed", count);
	if (best_status == BAY_CANCELED && bay_cancel_reason() != NULL)
		return bay_fail(request, BAY_CANCELED, "cancelled: %s", bay_cancel_reason());
	return bay_fail(request, best_status, "%s", *text != '\0' ? text : status_text(best_status, room));
}
