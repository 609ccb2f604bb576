/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	control thread                       loop of the first instance
 *	   arguments checked -----item------>   task with the verb's handler
 *	   answered         <----request-----   ended
 *
 * A stop of the service is posted to the same loop by the same thread, so it never comes
 * between an item and its instance: the code that a verb points to is there when it runs.
 */
#include "config.h"

#include "cell/verb_call.h"

#include <stdlib.h>

#include <bay/time.h>
#include <bay/verb.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "cell/control.h"
#include "cell/generation.h"
#include "cell/host.h"
#include "loop/loop.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "runtime/scheduler.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/plugin.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/trace.h"
#include "service/verb_table.h"

/* One on its way. Stays until its request is home, also when it has been answered before. */
struct verb_call {
	struct inbox_item item;      /* to the instance's loop */
	struct control *control;
	struct loop *loop;
	int64_t id;
	struct control_pending pending;
	struct bay_service *service;
	struct generation *generation; /* whose verb it is; pinned */
	struct scheduler *scheduler; /* of that instance */
	struct bay_request *request;
	struct settings *arguments;
	struct timer timer;
	bool answered;
};

/* --- the loop ------------------------------------------------------------------------ */

static void
verb_call_on_loop(struct inbox_item *item)
{
	struct verb_call *call = container_of(item, struct verb_call, item);
	struct bay_instance *instance = call->service->instances[call->scheduler->index];
	struct bay_request *request = call->request;
	/* The verb, and what it was given, are of that code and no other. */
	bool is_there = instance != NULL && instance->owner == call->generation;

	if (is_there && instance->takes_verbs && instance_run_verb(instance, request))
		return;
	if (instance != NULL && !is_there)
		request_fail(request, BAY_CLOSED, "service %s: its code has just been replaced: try again",
			call->service->name);
	else if (is_there && instance->takes_verbs)
		request_fail(request, BAY_NO_MEMORY, "service %s: no stack for the verb",
			call->service->name);
	else
		request_fail(request, BAY_CLOSED, "service %s is stopping", call->service->name);
	request_go_home(request);
}

/* --- answers ------------------------------------------------------------------------- */

static void
verb_call_answer_reply(struct verb_call *call, const struct bay_message *reply)
{
	json_t *parameters = json_object();
	int fd = -1;
	enum bay_status status = body_to_json(bay_message_data(reply), bay_message_size(reply),
		parameters, &fd);

	if (status == BAY_OK) {
		control_answer(call->control, call->id, parameters, fd);
		return;
	}
	json_decref(parameters);
	control_refuse(call->control, call->id, status, "the reply could not be passed on");
}

static void
verb_call_answer(struct verb_call *call, const struct bay_request *request)
{
	const char *error = request->error != NULL ? request->error : "";

	if (request->status == BAY_OK)
		verb_call_answer_reply(call, request->reply);
	else if (request->by_handler)
		control_handler_failed(call->control, call->id, request->status, error);
	else
		control_refuse(call->control, call->id, request->status, error);
}

static void
verb_call_on_arrived(struct bay_request *request)
{
	struct verb_call *call = request->arrived_arg;

	if (!call->answered)
		verb_call_answer(call, request);
	wheel_remove(&call->loop->wheel, &call->timer);
	control_pending_end(&call->pending);
	settings_unref(call->arguments);
	generation_unpin(call->generation);
	free(call);
	request->handle.detached = true;
	request_arrive(request);
}

/* Whoever asked is answered, whatever the handler does. */
static void
verb_call_abandon(struct verb_call *call, enum bay_status status, const char *text, const char *reason)
{
	wheel_remove(&call->loop->wheel, &call->timer);
	control_pending_end(&call->pending);
	control_refuse(call->control, call->id, status, text);
	call->answered = true;
	request_abandon(call->request, reason);
}

static void
verb_call_on_deadline(struct timer *timer)
{
	struct verb_call *call = container_of(timer, struct verb_call, timer);
	char *text = xasprintf("verb %s of service %s did not end before the deadline",
		call->request->verb->name, call->service->name);

	verb_call_abandon(call, BAY_TIMEOUT, text, "deadline");
	free(text);
}

static void
verb_call_on_cancel(struct control_pending *pending)
{
	struct verb_call *call = container_of(pending, struct verb_call, pending);

	verb_call_abandon(call, BAY_CANCELED, CELL_CALLER_GONE, CELL_CALLER_GONE);
}

/* --- the begin ----------------------------------------------------------------------- */

static void
verb_call_launch(struct verb_call *call, const struct bay_verb *verb, int64_t timeout_ns)
{
	struct bay_request *request = call->request;

	request->verb = verb;
	request->arguments = settings_struct(call->arguments);
	request->arrived = verb_call_on_arrived;
	request->arrived_arg = call;
	request->runner = call->scheduler;
	request->place = PLACE_RUNNING;
	trace_create(&request->trace);
	timer_init(&call->timer, verb_call_on_deadline);
	control_pending_begin(call->control, &call->pending, call->id, verb_call_on_cancel);
	if (timeout_ns > 0) {
		request->deadline = bay_after(timeout_ns);
		wheel_add(&call->loop->wheel, &call->timer, request->deadline);
	}
	call->item.run = verb_call_on_loop;
	loop_post(&call->scheduler->loop, &call->item);
}

/* The words of an operator as the verb wants them. False: it has been refused. */
static bool
verb_call_read(struct control *control, int64_t id, const struct bay_verb *verb,
	const struct cell_do *asked, struct settings **arguments_r)
{
	const char **words = xcalloc(asked->word_count + 1, sizeof *words);
	struct buffer error = {0};
	bool done;

	for (size_t i = 0; i < asked->word_count; i++)
		words[i] = asked->words[i].text;
	done = verb_read_arguments(verb, words, asked->word_count, arguments_r, &error);
	if (!done) {
		const char *text = buffer_text(&error);

		control_refuse(control, id, BAY_INVALID, text != NULL ? text : "no memory");
	}
	buffer_finish(&error);
	free(words);
	return done;
}

/* With arguments as the verb wants them. False: no memory. */
static bool
verb_call_create(struct control *control, struct loop *loop, struct host *host, int64_t id,
	const struct cell_do *asked, struct generation *generation, const struct bay_verb *verb,
	struct settings *arguments)
{
	struct bay_service *service = registry_get(asked->service);
	struct bay_request *request = request_create(service, NULL, loop);
	struct verb_call *call;

	if (request == NULL)
		return false;
	call = xcalloc(1, sizeof *call);
	call->control = control;
	call->loop = loop;
	call->id = id;
	call->service = service;
	call->generation = generation;
	call->scheduler = host_first_scheduler(host, service);
	call->arguments = arguments;
	call->request = request;
	verb_call_launch(call, verb, asked->timeout_ns != 0 ? asked->timeout_ns : service->limits.timeout_ns);
	return true;
}

/* False: it has been refused, and nothing uses the generation. */
static bool
verb_call_prepare(struct control *control, struct loop *loop, struct host *host, int64_t id,
	const struct cell_do *asked, struct generation *generation)
{
	const struct bay_verb *verb = verb_table_find(generation->code.plugin->descriptor.verbs, asked->verb);
	struct settings *arguments;

	if (verb == NULL) {
		control_refuse(control, id, BAY_NOT_FOUND, "the plugin has no such verb");
		return false;
	}
	if (!verb_call_read(control, id, verb, asked, &arguments))
		return false;
	if (verb_call_create(control, loop, host, id, asked, generation, verb, arguments))
		return true;
	control_refuse(control, id, BAY_NO_MEMORY, "no memory for the request");
	settings_unref(arguments);
	return false;
}

void
verb_call_begin(struct control *control, struct loop *loop, struct host *host,
	const struct varlink_call *call)
{
	struct generation *generation;
	struct cell_do asked;
	char error[CELL_ERROR_SIZE];

	if (!cell_do_from_json(call->parameters, &asked, error)) {
		control_refuse(control, call->id, BAY_INVALID, error);
		return;
	}
	generation = host_pin(host, asked.service);
	if (generation == NULL)
		control_refuse(control, call->id, BAY_CLOSED, "the service does not run here now");
	else if (!verb_call_prepare(control, loop, host, call->id, &asked, generation))
		generation_unpin(generation);
	cell_do_finish(&asked);
}
