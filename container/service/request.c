/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/call_guard.h"
#include "service/hop.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/registry.h"
#include "service/service_queue.h"

__thread struct request_cache request_cache __attribute__((tls_model("initial-exec")));

static void request_on_home(struct inbox_item *item);
static void request_on_cancel_at_runner(struct inbox_item *item);
static void request_handle_cancel(struct bay_task *handle, const char *reason);
static void request_handle_release(struct bay_task *handle);
static struct bay_message *request_handle_take_reply(struct bay_task *handle);

static const struct handle_kind request_kind = {
	.cancel = request_handle_cancel,
	.release = request_handle_release,
	.take_reply = request_handle_take_reply,
	.shares_memory = false,
};

/* As request_free() leaves one. */
struct bay_request *
request_allocate(void)
{
	struct bay_request *request = alloc_try(sizeof *request);

	if (request == NULL)
		return NULL;
	memset(request, 0, offsetof(struct bay_request, cancel_reason));
	handle_init(&request->handle, &request_kind);
	request->arrived = request_arrive;
	request->home_item.run = request_on_home;
	request->cancel_item.run = request_on_cancel_at_runner;
	list_init(&request->link);
	return request;
}

void
request_free_slowly(struct bay_request *request)
{
	if (!request->borrowed)
		message_unref(request->message);
	message_unref(request->reply);
	free(request->error);
	if (request_cache.count >= REQUEST_CACHE_MAX) {
		free(request);
		return;
	}
	request->borrowed = true;
	request->reply = NULL;
	request->error = NULL;
	request->ticket = NULL;
	request->settings = NULL;
	request_free(request);
}

void
request_clear_cache(void)
{
	while (request_cache.first != NULL) {
		struct bay_request *request = request_cache.first;

		request_cache.first = request->arrived_arg;
		request_cache.count--;
		free(request);
	}
}

void
request_keep_message(struct bay_request *request)
{
	if (!request->borrowed)
		return;
	message_ref(request->message);
	request->borrowed = false;
}

unsigned
request_times_in_chain(const struct bay_request *request)
{
	unsigned i, times = 0;

	for (i = request->waiting_from; i < request->depth; i++)
		times += request->chain[i] == request->service->id;
	return times;
}

/* Of a long chain its first and last services are shown. */
#define CHAIN_HEAD 5
#define CHAIN_TAIL 3

static const char *
request_chain_name(const struct bay_request *request, unsigned i)
{
	return i < request->depth ? registry_at(request->chain[i])->name : request->service->name;
}

char *
request_chain_text(const struct bay_request *request)
{
	char *text = xstrdup(request_chain_name(request, 0));
	unsigned i;

	for (i = 1; i <= request->depth; i++) {
		bool skipped = i == CHAIN_HEAD && request->depth > CHAIN_HEAD + CHAIN_TAIL;
		char *longer;

		if (skipped)
			i = request->depth - CHAIN_TAIL;
		longer = xasprintf("%s -> %s%s", text, skipped ? "... -> " : "", request_chain_name(request, i));
		free(text);
		text = longer;
	}
	return text;
}

int64_t
request_deadline(const struct bay_request *request)
{
	return request->deadline;
}

/* --- the outcome ------------------------------------------------------------------ */

void
request_fail(struct bay_request *request, int status, const char *format, ...)
{
	va_list args;

	message_unref(request->reply);
	request->reply = NULL;
	free(request->error);
	request->error = NULL;
	request->answered = true;
	request->by_handler = false;
	request->status = status;
	va_start(args, format);
	if (format != NULL && vasprintf(&request->error, format, args) < 0)
		request->error = NULL;
	va_end(args);
	/* That of one which runs ends with its handler. */
	if (request->recorded != 0 && request->task == NULL)
		hop_end(request);
}

void
request_withdraw(struct bay_request *request)
{
	request_fail(request, BAY_CANCELED, NULL);
	request_free(request);
}

void
request_settle(struct bay_request *request, int status)
{
	char room[STATUS_ROOM];

	if (request->answered || (status == BAY_OK && request->one_way))
		return;
	if (status == BAY_OK)
		request_fail(request, BAY_FAILED, "service %s ended without a reply [misuse-no-reply]", request->service->name);
	else
		request_fail(request, status, "service %s: %s", request->service->name, status_text(status, room));
	request->by_handler = true;
}

/* Nobody looks at it any more, and all of it is at home. */
static void
request_free_if_over(struct bay_request *request)
{
	if (request->handle.detached && request->returned && !request->cancel_travels)
		request_free(request);
}

/* --- the way home ------------------------------------------------------------------ */

void
request_arrive(struct bay_request *request)
{
	request->returned = true;
	request->place = PLACE_HOME;
	if (__builtin_expect(request->watched, 0))
		call_guard_end(request, request->status, request->by_handler);
	if (!request->handle.done) {
		char *error = request->error;

		request->error = NULL;
		handle_end(&request->handle, request->status, error);
	}
	request_free_if_over(request);
}

static void
request_on_home(struct inbox_item *item)
{
	struct bay_request *request = container_of(item, struct bay_request, home_item);

	request->arrived(request);
}

void
request_go_home(struct bay_request *request)
{
	const struct scheduler *here = scheduler_here;

	if (request->one_way && request->home == NULL)
		request_free(request);
	else if (here != NULL && request->home == &here->loop)
		request->arrived(request);
	else
		loop_post(request->home, &request->home_item);
}

/* --- cancelling --------------------------------------------------------------------- */

/* Back at home: the last of the two that travelled may free. */
static void
request_on_cancel_at_home(struct inbox_item *item)
{
	struct bay_request *request = container_of(item, struct bay_request, cancel_item);

	item->run = request_on_cancel_at_runner;
	request->cancel_travels = false;
	request_free_if_over(request);
}

static void
request_on_cancel_at_runner(struct inbox_item *item)
{
	struct bay_request *request = container_of(item, struct bay_request, cancel_item);

	if (request->task != NULL)
		task_cancel(request->task, request->cancel_reason);
	item->run = request_on_cancel_at_home;
	loop_post(request->home, item);
}

/* Tells the runner. It may have ended the request already: then it finds no task. */
static void
request_cancel_at_runner(struct bay_request *request, const char *reason)
{
	if (request->runner == NULL)
		return;
	if (request->runner == scheduler_here) {
		if (request->task != NULL)
			task_cancel(request->task, reason);
		return;
	}
	if (request->cancel_travels)
		return;
	snprintf(request->cancel_reason, sizeof request->cancel_reason, "%s", reason);
	request->cancel_travels = true;
	loop_post(&request->runner->loop, &request->cancel_item);
}

/* It was in another cell, or on its way there, which hears of it: we have it back. */
static void
request_cancel_away(struct bay_request *request, const char *reason)
{
	request_fail(request, BAY_CANCELED, "the call to service %s was cancelled: %s", request->service->name,
		reason);
	request->arrived(request);
}

void
request_cancel(struct bay_request *request, const char *reason)
{
	if (request->returned)
		return;
	/* Whoever ends it this way knows how it ended. */
	request->handle.collected = true;
	if (request->watched)
		call_guard_end(request, request->deadline <= clock_monotonic_ns() ? BAY_TIMEOUT : BAY_CANCELED, false);
	/* Otherwise it is on its way home, or its service has come here. */
	if (request->away && peer_take_back(request, reason)) {
		request_cancel_away(request, reason);
		return;
	}
	if (service_queue_remove(request)) {
		request_fail(request, BAY_CANCELED, "service %s: cancelled before it was served: %s",
			request->service->name, reason);
		service_count(request->service, request->deadline <= clock_monotonic_ns() ?
			SERVICE_EVENT_TIMEOUT : SERVICE_EVENT_CANCELED);
		request->arrived(request);
		return;
	}
	request_cancel_at_runner(request, reason);
	if (!request->handle.done)
		handle_end(&request->handle, BAY_CANCELED, xasprintf("the call to service %s was cancelled: %s",
			request->service->name, reason));
}

void
request_abandon(struct bay_request *request, const char *reason)
{
	request->handle.waiter = NULL;
	if (request->returned) {
		request->handle.detached = true;
		request_free_if_over(request);
		return;
	}
	/* Only now may its coming home free it: a cancelled one in the queue comes at once. */
	request->handle.detached = true;
	request_cancel(request, reason);
}

static void
request_handle_cancel(struct bay_task *handle, const char *reason)
{
	request_cancel((struct bay_request *)handle, reason != NULL ? reason : "cancelled");
}

static void
request_handle_release(struct bay_task *handle)
{
	handle->detached = true;
	list_remove(&handle->in_scope);
	handle->scope = NULL;
	request_free_if_over((struct bay_request *)handle);
}

static struct bay_message *
request_handle_take_reply(struct bay_task *handle)
{
	struct bay_request *request = (struct bay_request *)handle;
	struct bay_message *reply;

	/* A cancelled one may still be with its runner. */
	if (!request->returned || handle->status != BAY_OK)
		return NULL;
	reply = request->reply;
	request->reply = NULL;
	return reply;
}
