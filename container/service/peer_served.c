/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of another cell that are served here. Each is a request like any other of this cell,
 * whose home is the loop of the link.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"

static void peer_served_on_deadline(struct timer *timer);

/* --- the table --------------------------------------------------------------------------- */

static const char *
peer_served_grow(struct peer_link *link, uint32_t place)
{
	uint32_t size = link->served_size > 0 ? link->served_size : 64;
	struct peer_served **served;

	if (place == 0 || place > PEER_SENT_MAX)
		return "the id of a request cannot be";
	while (size < place)
		size *= 2;
	served = alloc_try_again(link->served, size * sizeof *served);
	if (served == NULL)
		return "no memory for what it asks";
	memset(served + link->served_size, 0, (size - link->served_size) * sizeof *served);
	link->served = served;
	link->served_size = size;
	return NULL;
}

static struct peer_served *
peer_served_find(const struct peer_link *link, uint64_t id)
{
	uint32_t place = (uint32_t)id;

	if (place == 0 || place > link->served_size || link->served[place - 1] == NULL ||
		link->served[place - 1]->id != id)
		return NULL;
	return link->served[place - 1];
}

/* A zeroed one, perhaps used before. */
static struct peer_served *
peer_served_take(struct peer_link *link)
{
	struct list *first = list_pop_front(&link->unused);
	struct peer_served *served;

	if (first == NULL)
		return xcalloc(1, sizeof *served);
	link->unused_count--;
	served = container_of(first, struct peer_served, in_ends);
	memset(served, 0, sizeof *served);
	return served;
}

/* NULL: why_r says why the link breaks. */
static struct peer_served *
peer_served_create(struct peer_link *link, const struct link_request *head, struct peer_named *named,
	const char **why_r)
{
	uint32_t place = (uint32_t)head->id;
	struct peer_served *served;

	*why_r = NULL;
	if (place == 0 || place > link->served_size)
		*why_r = peer_served_grow(link, place);
	if (*why_r == NULL && link->served[place - 1] != NULL)
		*why_r = "the id of a request is in use";
	if (*why_r != NULL)
		return NULL;
	served = peer_served_take(link);
	served->link = link;
	served->named = named;
	served->id = head->id;
	served->size = head->size;
	list_init(&served->in_ends);
	timer_init(&served->timer, peer_served_on_deadline);
	link->served[place - 1] = served;
	link->holds++;
	return served;
}

/* Neither the service nor the link has anything of it any more. */
static void
peer_served_free_if_over(struct peer_served *served)
{
	struct peer_link *link = served->link;

	if (!served->ended || served->request != NULL || served->ticket != NULL || !list_empty(&served->in_ends))
		return;
	message_unref(served->message);
	free(served->head);
	free(served->error);
	if (link->unused_count < PEER_UNUSED_MAX) {
		list_push_front(&link->unused, &served->in_ends);
		link->unused_count++;
	} else {
		free(served);
	}
	peer_link_unhold(link);
}

void
peer_served_written(struct peer_served *served)
{
	peer_served_free_if_over(served);
}

/* --- credit --------------------------------------------------------------------------------- */

/* It is in the queue, or out of the way otherwise. */
static void
peer_served_owe(struct peer_served *served)
{
	struct peer_named *named = served->named;
	struct peer_link *link = served->link;

	if (served->owed)
		return;
	served->owed = true;
	named->owed++;
	named->owed_bytes += served->size;
	/* They hear of it before they could have to wait for it. */
	if ((named->owed >= PEER_OWED_MESSAGES || named->owed_bytes >= PEER_OWED_BYTES) &&
		list_empty(&named->in_credits)) {
		list_push_back(&link->credits, &named->in_credits);
		peer_link_flush_soon(link);
	}
}

/* --- the answer -------------------------------------------------------------------------------- */

/* Its END goes out, and its number may be used again. What it still has in the service comes home
 * for nobody. */
static void
peer_served_end(struct peer_served *served)
{
	struct peer_link *link = served->link;

	if (link->assembling > 0 && served->head != NULL)
		link->assembling--;
	wheel_remove(&link->home->loop.wheel, &served->timer);
	peer_served_owe(served);
	served->ended = true;
	served->end.id = served->id;
	link->served[(uint32_t)served->id - 1] = NULL;
	if (link->over) {
		peer_served_free_if_over(served);
		return;
	}
	list_push_back(&link->ends, &served->in_ends);
	peer_link_flush_soon(link);
}

static void
peer_served_answer(struct peer_served *served, int status, const char *error, bool by_handler)
{
	size_t size = error != NULL ? strlen(error) : 0;

	message_unref(served->message);
	served->message = NULL;
	served->error = size > 0 ? strndup(error, LINK_TEXT_MAX) : NULL;
	if (served->error != NULL && size > LINK_TEXT_MAX)
		size = LINK_TEXT_MAX;
	served->end = (struct link_outcome){.status = status, .by_handler = by_handler,
		.size = served->error != NULL ? (uint32_t)size : 0, .is_null = served->error == NULL};
	peer_served_end(served);
}

/* Takes the reply, NULL: there is none. */
static void
peer_served_reply(struct peer_served *served, struct bay_message *reply)
{
	message_unref(served->message);
	served->message = reply;
	served->end = (struct link_outcome){.status = BAY_OK, .size = (uint32_t)bay_message_size(reply),
		.is_null = reply == NULL};
	peer_served_end(served);
}

/* The request is home: with its reply, or the reason why there is none. */
static void
peer_served_on_arrived(struct bay_request *request)
{
	struct peer_served *served = request->arrived_arg;
	struct bay_message *reply = request->reply;

	served->request = NULL;
	request->reply = NULL;
	if (request->status != BAY_OK) {
		message_unref(reply);
		peer_served_answer(served, request->status, request->error, request->by_handler);
	} else if (bay_message_size(reply) > LINK_BODY_MAX) {
		message_unref(reply);
		peer_served_answer(served, BAY_TOO_BIG, "the reply is larger than what goes from cell to cell (64 MiB)",
			false);
	} else {
		peer_served_reply(served, reply);
	}
	request->handle.detached = true;
	request_arrive(request);
}

/* --- giving it to the service --------------------------------------------------------------- */

/* In the handler of a crash: nobody can be waited for any more, and what another thread takes out of our hands
 * meanwhile is blamed or not. */
__attribute__((no_sanitize("thread"))) void
peer_blame(const struct bay_request *request)
{
	const struct peer_served *served = request->arrived_arg;

	if (request->arrived == peer_served_on_arrived)
		link_blame(&served->link->link, served->id);
}

/* What stood before the queue has its place in it, or has been ended. */
static void
peer_served_on_ticket(struct bay_request *ticket)
{
	struct peer_served *served = ticket->arrived_arg;

	served->ticket = NULL;
	served->stands = NULL;
	peer_served_owe(served);
	/* Of one that somebody waits for, the outcome comes by itself. */
	if (!served->ended && served->request == NULL) {
		if (ticket->status == BAY_OK)
			peer_served_reply(served, NULL);
		else
			peer_served_answer(served, ticket->status, ticket->error, false);
	} else {
		peer_served_free_if_over(served);
	}
	request_free(ticket);
}

static int
peer_served_stand(struct peer_served *served, struct bay_service *service, struct bay_request *request)
{
	struct bay_request *ticket = request_create(service, NULL, &served->link->home->loop);
	int status = BAY_NO_MEMORY;

	if (ticket == NULL)
		return status;
	ticket->arrived = peer_served_on_ticket;
	ticket->arrived_arg = served;
	request->ticket = ticket;
	served->ticket = ticket;
	served->stands = request;
	status = service_queue_put(service, request);
	if (status == BAY_OK)
		return status;
	request->ticket = NULL;
	served->ticket = NULL;
	served->stands = NULL;
	request_free(ticket);
	return status;
}

/* The queue has it, or says why not. */
static void
peer_served_put(struct peer_served *served, struct bay_request *request)
{
	struct bay_service *service = request->service;
	int64_t callers_deadline = request->deadline;
	bool one_way = request->one_way;
	int status;

	served->request = one_way ? NULL : request;
	status = service_queue_put(service, request);
	if (status == BAY_BUSY)
		status = peer_served_stand(served, service, request);
	if (status != BAY_OK) {
		served->request = NULL;
		peer_served_answer(served, status, request->error, false);
		request_free(request);
		return;
	}
	/* The service may have given it less time than the caller, who does not know. It comes home to
	 * this loop, so it is still there. */
	if (!one_way && request->deadline < callers_deadline)
		wheel_add(&served->link->home->loop.wheel, &served->timer, request->deadline);
	if (served->ticket != NULL)
		return;
	if (one_way)
		peer_served_reply(served, NULL);
	else
		peer_served_owe(served);
}

/* One for a service of the container's own. NULL, or why the link breaks: then it is the caller's. */
static const char *
peer_served_give(struct peer_served *served, struct bay_request *request)
{
	const char *why;

	served->request = request;
	why = request->service->own->receive(request);
	if (why != NULL)
		served->request = NULL;
	/* Otherwise it may have ended. */
	return why;
}

/* The services above it, by our numbers. False: one of them was not named. */
static bool
peer_served_set_chain(const struct peer_link *link, struct bay_request *request, const struct link_request *head)
{
	unsigned i;

	for (i = 0; i < head->depth; i++) {
		const struct peer_named *named = head->chain[i] < REGISTRY_MAX ? link->names[head->chain[i]] : NULL;

		if (named == NULL)
			return false;
		request->chain[i] = named->service->id;
	}
	request->depth = head->depth;
	request->waiting_from = head->waiting_from;
	return true;
}

/* It has come over whole. Takes message. NULL, or why the link breaks. */
static const char *
peer_served_launch(struct peer_served *served, const struct link_request *head, struct bay_message *message)
{
	struct bay_service *service = served->named->service;
	struct peer_link *link = served->link;
	struct bay_request *request;

	request = request_create(service, message, head->one_way ? NULL : &link->home->loop);
	if (request == NULL) {
		message_unref(message);
		peer_served_answer(served, BAY_NO_MEMORY, "no memory for the request", false);
		return NULL;
	}
	request->borrowed = false;
	request->one_way = head->one_way;
	request->came_over = true;
	/* Whatever it says: a time that was. */
	request->deadline = head->deadline > 0 ? head->deadline : 0;
	request->trace = head->trace;
	request->recorded = head->recorded;
	request->arrived = peer_served_on_arrived;
	request->arrived_arg = served;
	if (!peer_served_set_chain(link, request, head)) {
		request_free(request);
		return "a request came by way of services without names";
	}
	if (service->own != NULL) {
		const char *why = peer_served_give(served, request);

		if (why != NULL)
			request_free(request);
		return why;
	}
	peer_served_put(served, request);
	return NULL;
}

/* --- what comes in ------------------------------------------------------------------------------ */

/* The first part of one that comes in several. */
static const char *
peer_served_assemble(struct peer_served *served, const struct link_view *view, const struct link_record *record)
{
	struct peer_link *link = served->link;

	if (link->assembling == PEER_STREAMS_MAX)
		return "it sends more bodies at once than it may";
	link->assembling++;
	served->head = xcalloc(1, sizeof *served->head);
	*served->head = record->request;
	served->message = message_create(served->size);
	served->no_memory = served->message == NULL;
	if (!served->no_memory)
		link_view_copy(view, record->part_at, served->message->data, record->part_size);
	served->got = record->part_size;
	return NULL;
}

const char *
peer_served_on_request(struct peer_link *link, const struct link_view *view, const struct link_record *record)
{
	const struct link_request *head = &record->request;
	struct bay_message *message = NULL;
	struct peer_served *served;
	struct peer_named *named;
	const char *why;

	if (head->service >= REGISTRY_MAX || link->names[head->service] == NULL || head->depth >= REQUEST_DEPTH_MAX)
		return "a request is for no service, or has come too far";
	named = link->names[head->service];
	if (named->messages >= PEER_CREDIT_MESSAGES || named->bytes >= PEER_CREDIT_BYTES)
		return "it sends more requests at once than it may";
	served = peer_served_create(link, head, named, &why);
	if (served == NULL)
		return why;
	named->messages++;
	named->bytes += head->size;
	if (record->part_size < head->size)
		return peer_served_assemble(served, view, record);
	if (!head->is_null) {
		message = message_create(head->size);
		if (message == NULL) {
			peer_served_answer(served, BAY_NO_MEMORY, "no memory for the message", false);
			return NULL;
		}
		link_view_copy(view, record->part_at, message->data, head->size);
	}
	return peer_served_launch(served, head, message);
}

const char *
peer_served_on_more(struct peer_link *link, const struct link_view *view, const struct link_record *record)
{
	struct peer_served *served = peer_served_find(link, record->more.id);
	struct bay_message *message;
	struct link_request *head;
	const char *why;

	/* One that was ended before it had come over whole: they had not heard of it yet. */
	if (served == NULL || served->head == NULL)
		return NULL;
	if (record->part_size > served->size - served->got)
		return "a request has more than its body";
	if (served->message != NULL)
		link_view_copy(view, record->part_at, served->message->data + served->got, record->part_size);
	served->got += record->part_size;
	if (served->got < served->size)
		return NULL;
	if (served->no_memory) {
		peer_served_answer(served, BAY_NO_MEMORY, "no memory for the message", false);
		return NULL;
	}
	message = served->message;
	head = served->head;
	served->message = NULL;
	served->head = NULL;
	link->assembling--;
	why = peer_served_launch(served, head, message);
	free(head);
	return why;
}

/* --- giving up ------------------------------------------------------------------------------------ */

/* Takes back what stands before its queue. False: it is in it. */
static bool
peer_served_withdraw(struct peer_served *served)
{
	if (served->ticket == NULL || !service_queue_withdraw(served->named->service, served->ticket))
		return false;
	request_free(served->ticket);
	request_withdraw(served->stands);
	served->ticket = NULL;
	served->stands = NULL;
	served->request = NULL;
	return true;
}

/* It comes home for nobody. */
static void
peer_served_abandon(struct peer_served *served, const char *reason)
{
	struct bay_request *request = served->request;

	if (peer_served_withdraw(served) || request == NULL)
		return;
	served->request = NULL;
	if (request->service->own != NULL) {
		request->service->own->forget(request);
		request_free(request);
		return;
	}
	request->arrived = request_arrive;
	request_abandon(request, reason);
}

/* The time that the service gives is over: the caller is answered, whatever the callee does. */
static void
peer_served_on_deadline(struct timer *timer)
{
	struct peer_served *served = container_of(timer, struct peer_served, timer);
	char *text = xasprintf("service %s did not answer before the deadline", served->named->service->name);

	peer_served_abandon(served, "deadline");
	peer_served_answer(served, BAY_TIMEOUT, text, false);
	free(text);
}

void
peer_served_on_cancel(struct peer_link *link, const struct link_record *record)
{
	struct peer_served *served = peer_served_find(link, record->cancel.id);
	bool somebody_waits;

	/* Its end is on the way. */
	if (served == NULL)
		return;
	somebody_waits = served->request != NULL;
	peer_served_abandon(served, record->cancel.reason);
	/* One that goes one way, and is in the queue: its ticket will say so. */
	if (somebody_waits || served->ticket == NULL)
		peer_served_answer(served, BAY_CANCELED, record->cancel.reason, false);
}

void
peer_served_end_all(struct peer_link *link)
{
	uint32_t i;

	for (i = 0; i < link->served_size; i++) {
		struct peer_served *served = link->served[i];

		if (served == NULL)
			continue;
		peer_served_abandon(served, "the cell that called has ended");
		peer_served_end(served);
	}
}
