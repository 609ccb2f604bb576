/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of ours that another cell has, and how they end. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/status.h"
#include "loop/loop.h"
#include "service/call_guard.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/request.h"
#include "service/service.h"

/* --- the table -------------------------------------------------------------------------- */

static int
peer_sent_grow(struct peer_link *link)
{
	uint32_t i, size = link->sent_size > 0 ? link->sent_size * 2 : 64;
	struct peer_sent *sent;

	if (size > PEER_SENT_MAX)
		return BAY_FULL;
	sent = alloc_try_again(link->sent, size * sizeof *sent);
	if (sent == NULL)
		return BAY_NO_MEMORY;
	memset(sent + link->sent_size, 0, (size - link->sent_size) * sizeof *sent);
	for (i = size; i-- > link->sent_size;) {
		sent[i].next_free = link->first_free;
		link->first_free = i + 1;
	}
	link->sent = sent;
	link->sent_size = size;
	return BAY_OK;
}

int
peer_sent_add(struct peer_link *link, struct bay_request *request, uint64_t *id_r)
{
	int status = link->first_free == 0 ? peer_sent_grow(link) : BAY_OK;
	struct peer_sent *sent;
	uint32_t slot;

	if (status != BAY_OK)
		return status;
	slot = link->first_free - 1;
	sent = &link->sent[slot];
	link->first_free = sent->next_free;
	sent->request = request;
	sent->stream = NULL;
	sent->reply = NULL;
	sent->got = 0;
	sent->used = true;
	sent->ending = false;
	sent->no_memory = false;
	sent->serial++;
	*id_r = (uint64_t)sent->serial << 32 | (slot + 1);
	return BAY_OK;
}

void
peer_sent_drop(struct peer_link *link, uint32_t slot)
{
	struct peer_sent *sent = &link->sent[slot];

	if (sent->stream != NULL)
		peer_stream_end(link, sent->stream);
	message_unref(sent->reply);
	sent->stream = NULL;
	sent->reply = NULL;
	sent->request = NULL;
	sent->used = false;
	sent->next_free = link->first_free;
	link->first_free = slot + 1;
}

static struct peer_sent *
peer_sent_find(const struct peer_link *link, uint64_t id)
{
	uint32_t place = (uint32_t)id;

	if (place == 0 || place > link->sent_size || !link->sent[place - 1].used ||
		link->sent[place - 1].serial != (uint32_t)(id >> 32))
		return NULL;
	return &link->sent[place - 1];
}

/* --- the end of one ------------------------------------------------------------------------ */

/* It is not away any more: nobody else has it, and its ticket can not be withdrawn. */
void
peer_sent_detach(struct bay_request *request, struct list *over)
{
	request->is_away = false;
	if (request->ticket != NULL) {
		request->ticket->ticket = NULL;
		request->ticket->is_away = false;
	}
	request->sent = NULL;
	list_remove(&request->link);
	list_push_back(over, &request->link);
}

static void
peer_sent_finish(struct peer_link *link, struct peer_sent *sent, struct list *over)
{
	struct bay_request *request = sent->request;

	if (request != NULL) {
		if (sent->no_memory) {
			request_fail(request, BAY_NO_MEMORY, "service %s: no memory for its reply of %u bytes",
				request->service->name, sent->end.size);
		} else {
			request->status = sent->end.status;
			request->by_handler = sent->end.by_handler;
			request->reply = sent->reply;
			sent->reply = NULL;
		}
		peer_sent_detach(request, over);
	}
	peer_sent_drop(link, (uint32_t)(sent - link->sent));
}

/* The text of a failure is whole. */
static void
peer_sent_fail(struct peer_sent *sent, const struct link_view *view, const struct link_record *record)
{
	struct bay_request *request = sent->request;
	char *text;

	if (request == NULL || record->end.is_null)
		return;
	text = alloc_try(record->part_size + (size_t)1);
	if (text == NULL)
		return;
	link_view_copy(view, record->part_at, text, record->part_size);
	text[record->part_size] = '\0';
	request->error = text;
}

/* Copies a part of a reply to its place. */
static void
peer_sent_take_part(struct peer_sent *sent, const struct link_view *view, const struct link_record *record)
{
	if (sent->reply != NULL)
		link_view_copy(view, record->part_at, sent->reply->data + sent->got, record->part_size);
	sent->got += record->part_size;
}

const char *
peer_sent_on_end(struct peer_link *link, const struct link_view *view, const struct link_record *record,
	struct list *over)
{
	struct peer_sent *sent = peer_sent_find(link, record->end.id);

	if (sent == NULL || sent->ending)
		return "it answers what it was not asked";
	sent->end = record->end;
	sent->ending = true;
	/* One that ends before it has come over whole goes no further. */
	if (sent->stream != NULL)
		peer_stream_end(link, sent->stream);
	sent->stream = NULL;
	if (sent->end.status != BAY_OK) {
		peer_sent_fail(sent, view, record);
		peer_sent_finish(link, sent, over);
		return NULL;
	}
	if (record->part_size < sent->end.size && link->assembling_replies++ == PEER_STREAMS_MAX)
		return "it sends more bodies at once than it may";
	if (!sent->end.is_null && sent->request != NULL) {
		sent->reply = message_create(sent->end.size);
		sent->no_memory = sent->reply == NULL;
	}
	peer_sent_take_part(sent, view, record);
	if (sent->got == sent->end.size)
		peer_sent_finish(link, sent, over);
	return NULL;
}

const char *
peer_sent_on_more(struct peer_link *link, const struct link_view *view, const struct link_record *record,
	struct list *over)
{
	struct peer_sent *sent = peer_sent_find(link, record->more.id);

	if (sent == NULL || !sent->ending)
		return "it sends a part of a reply that has no begin";
	if (record->part_size > sent->end.size - sent->got)
		return "a reply has more than its body";
	peer_sent_take_part(sent, view, record);
	if (sent->got < sent->end.size)
		return NULL;
	link->assembling_replies--;
	peer_sent_finish(link, sent, over);
	return NULL;
}

/* --- going home ------------------------------------------------------------------------------ */

/* Nobody is there to be told but the log. */
static void
peer_sent_lost(struct bay_request *request)
{
	struct bay_service *service = request->service;
	char hidden[64], room[STATUS_ROOM];
	uint64_t count;

	if (request->status != BAY_OK && log_rate_pass(&service->unheard, &count))
		log_warn(service->subject, "a message that nobody waits for is lost: %s: %s%s [message-lost]",
			status_text(request->status, room), request->error != NULL ? request->error : "",
			log_rate_text(count, hidden, sizeof hidden));
}

static void
peer_sent_settle_ticket(struct bay_request *request)
{
	struct bay_request *ticket = request->ticket;

	request->ticket = NULL;
	if (request->status != BAY_OK)
		request_fail(ticket, request->status, "%s", request->error != NULL ? request->error : "");
	loop_post(ticket->home, &ticket->home_item);
}

void
peer_sent_settle(struct list *over)
{
	struct list *link;

	while ((link = list_pop_front(over)) != NULL) {
		struct bay_request *request = container_of(link, struct bay_request, link);

		request->answered = true;
		if (request->ticket != NULL)
			peer_sent_settle_ticket(request);
		else if (request->one_way)
			peer_sent_lost(request);
		request_go_home(request);
	}
}

/* Whether the other cell has crashed over this one, and once too often. */
static bool
peer_sent_is_poison(const struct peer_link *link, struct bay_request *request)
{
	const struct peer_route *route = request->service->route;
	uint64_t id = (uint64_t)link->sent[request->sent_slot].serial << 32 | (request->sent_slot + 1);

	if (link_blamed(&link->link) != id)
		return false;
	request->crashes++;
	return route->poison > 0 && request->crashes >= route->poison;
}

/* It is put away for whoever finds out why, and its sender hears that. */
static void
peer_sent_bury(const struct peer_link *link, struct bay_request *request)
{
	const char *name = request->service->name;

	if (peers_source.dead_letter != NULL)
		peers_source.dead_letter(name, request->message, request->crashes, peers_source.arg);
	request_fail(request, BAY_PEER_DIED, "service %s: cell %s has ended: it crashed over this message, "
		"which is a dead letter now, after %u %s (bayctl dlq ls %s)", name, link->peer->name,
		request->crashes, request->crashes == 1 ? "crash" : "crashes", name);
}

/* Whether it goes to the next cell instead; when that would be once too often for all of them
 * together, why is in *why_r, malloc'd. */
static bool
peer_sent_again(struct bay_request *request, char **why_r)
{
	struct peer_route *route = request->service->route;

	if (request->tries >= route->retry || route->peer == NULL || !call_guard_lets_again(request->service, why_r))
		return false;
	request->tries++;
	request->sent = NULL;
	list_remove(&request->link);
	list_push_front(&route->out, &request->link);
	if (list_empty(&route->in_peer))
		list_push_back(&route->peer->routes, &route->in_peer);
	return true;
}

void
peer_sent_all_back(struct peer_link *link, struct list *over)
{
	struct list *last;
	uint32_t i;

	/* From the last on, so that they stand before what was not sent, in their order. */
	while ((last = list_last(&link->away)) != NULL) {
		struct bay_request *request = container_of(last, struct bay_request, link);
		char *why = NULL;

		if (peer_sent_is_poison(link, request))
			peer_sent_bury(link, request);
		else if (peer_sent_again(request, &why))
			continue;
		else
			request_fail(request, BAY_PEER_DIED, "service %s: cell %s has ended, or the link to it (%s)%s%s",
				request->service->name, link->peer->name, link->why,
				why != NULL ? "; it is not sent again: " : "", why != NULL ? why : "");
		free(why);
		peer_sent_detach(request, over);
	}
	for (i = 0; i < link->sent_size; i++) {
		if (link->sent[i].used)
			peer_sent_drop(link, i);
	}
}
