/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a link, and what goes out by it. */
#include "config.h"

#include "service/peer_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/request.h"
#include "service/service.h"

enum {
	/* Requests to one service before the next has its turn. */
	PEER_TURN = 32,
	/* Records of one look, so that the tasks have their turn, too. */
	PEER_LOOK_RECORDS = 64,
	/* Flushes that are put off, at most, as long as other tasks are ready. */
	PEER_SOON = 16,
	/* Times that the lock is kept to write more, since there is room again. */
	PEER_ROUNDS = 16,
	/* The writer has its room back after so much, and when we sleep: it never waits for less, since
	 * there is more to be read when it does. */
	PEER_RELEASE_BYTES = LINK_RING_BYTES / 8
};

/* What is not read for so long makes us wake the other side again. */
#define PEER_WATCH_NS (250 * INT64_C(1000000))

_Static_assert(PEER_RELEASE_BYTES + 2 * LINK_RECORD_MAX < LINK_RING_BYTES, "what is kept is in nobody's way");

static void peer_link_on_watch(struct timer *timer);

struct peer_link *
peer_link_create(struct peer *peer, struct scheduler *home, uint64_t epoch)
{
	struct peer_link *link = xcalloc(1, sizeof *link);

	link->peer = peer;
	link->home = home;
	link->epoch = epoch;
	link->holds = 1;
	timer_init(&link->watch, peer_link_on_watch);
	list_init(&link->away);
	list_init(&link->cancels);
	list_init(&link->credits);
	list_init(&link->ends);
	list_init(&link->failed);
	list_init(&link->streams);
	list_init(&link->unused);
	return link;
}

static void
peer_link_destroy(struct peer_link *link)
{
	struct list *first;
	unsigned i;

	while ((first = list_pop_front(&link->unused)) != NULL)
		free(container_of(first, struct peer_served, in_ends));
	link_close(&link->link);
	for (i = 0; i < REGISTRY_MAX; i++)
		free(link->names[i]);
	free(link->sent);
	free(link->served);
	free(link);
}

void
peer_link_unhold(struct peer_link *link)
{
	if (--link->holds == 0)
		peer_link_destroy(link);
}

/* --- what goes out --------------------------------------------------------------------- */

/* Something is left for home to do. */
static void
peer_link_tell_home(struct peer_link *link)
{
	atomic_store_explicit(&link->work, true, memory_order_release);
	if (scheduler_here != link->home)
		loop_wake(&link->home->loop);
}

/* The words by which we know whether somebody sleeps are in memory that the other cell can write to: one
 * that clears them would wait for ever, as would we. So what it does not read is looked at, by home. */
static void
peer_link_watch(struct peer_link *link)
{
	if (scheduler_here != link->home) {
		peer_link_tell_home(link);
		return;
	}
	link->watched = true;
	link->watched_until = link->link.out._written;
	wheel_add(&link->home->loop.wheel, &link->watch, link->home->loop.now_ns + PEER_WATCH_NS);
}

static void
peer_link_on_watch(struct timer *timer)
{
	struct peer_link *link = container_of(timer, struct peer_link, watch);
	bool waits;

	pthread_mutex_lock(&peers_lock);
	link->watched = false;
	waits = link->full || !link_writer_is_read(&link->link.out);
	if (waits && link->why == NULL) {
		link_wake(&link->link);
		peer_link_flush(link);
	}
	if (waits || link->link.out._written != link->watched_until)
		peer_link_watch(link);
	pthread_mutex_unlock(&peers_lock);
}

/* Each of these writes what it can; false: the ring has no more room. */

static bool
flush_cancels(struct peer_link *link)
{
	struct list *first;

	while ((first = list_first(&link->cancels)) != NULL) {
		struct peer_cancel *cancel = container_of(first, struct peer_cancel, link);

		if (link_record_write(&link->link.out, &cancel->record, 0) == NULL)
			return false;
		list_remove(first);
		free(cancel);
	}
	return true;
}

static bool
flush_credits(struct peer_link *link)
{
	struct list *first;

	while ((first = list_first(&link->credits)) != NULL) {
		struct peer_named *named = container_of(first, struct peer_named, in_credits);
		struct link_record record = {.kind = LINK_CREDIT, .credit = {.service = named->number,
			.messages = named->owed, .bytes = named->owed_bytes}};

		if (link_record_write(&link->link.out, &record, 0) == NULL)
			return false;
		list_remove(first);
		named->messages -= named->owed;
		named->bytes -= named->owed_bytes;
		named->owed = 0;
		named->owed_bytes = 0;
	}
	return true;
}

/* The rest of a body goes over in parts. NULL: no memory. */
static struct peer_stream *
peer_stream_begin(struct peer_link *link, enum link_kind kind, uint64_t id, struct bay_message *message, size_t at)
{
	struct peer_stream *stream = alloc_try_zeroed(1, sizeof *stream);

	if (stream == NULL)
		return NULL;
	stream->record.kind = kind;
	stream->record.more.id = id;
	stream->message = message_ref(message);
	stream->at = at;
	list_push_back(&link->streams, &stream->link);
	link->stream_count++;
	return stream;
}

void
peer_stream_end(struct peer_link *link, struct peer_stream *stream)
{
	if (stream->route != NULL) {
		stream->route->streaming = false;
		/* What waits behind it may go by another link meanwhile. */
		if (stream->route->peer != NULL && stream->route->peer->link != NULL)
			peer_link_tell_home(stream->route->peer->link);
	}
	list_remove(&stream->link);
	link->stream_count--;
	message_unref(stream->message);
	free(stream);
}

/* The next part of a body. */
static bool
flush_part(struct peer_link *link, struct peer_stream *stream)
{
	size_t size = bay_message_size(stream->message) - stream->at;
	void *room;

	if (size > LINK_PART_MAX)
		size = LINK_PART_MAX;
	room = link_record_write(&link->link.out, &stream->record, (uint32_t)size);
	if (room == NULL)
		return false;
	memcpy(room, stream->message->data + stream->at, size);
	stream->at += size;
	return true;
}

/* The owner of a stream knows of it by its id only. */
static void
peer_stream_done(struct peer_link *link, struct peer_stream *stream)
{
	if (stream->record.kind == LINK_MORE)
		link->sent[(uint32_t)stream->record.more.id - 1].stream = NULL;
	peer_stream_end(link, stream);
}

/* One part of each. */
static bool
flush_parts(struct peer_link *link)
{
	unsigned turns = link->stream_count;

	while (turns-- > 0) {
		struct peer_stream *stream = container_of(list_first(&link->streams), struct peer_stream, link);

		if (!flush_part(link, stream))
			return false;
		list_remove(&stream->link);
		list_push_back(&link->streams, &stream->link);
		if (stream->at == bay_message_size(stream->message))
			peer_stream_done(link, stream);
	}
	return true;
}

/* There is no memory for more of a reply than its head: it has ended otherwise. */
static void
flush_no_reply(struct peer_served *served)
{
	static const char text[] = "no memory for the reply";

	message_unref(served->message);
	served->message = NULL;
	served->error = strdup(text);
	served->end = (struct link_outcome){.id = served->id, .status = BAY_NO_MEMORY,
		.size = served->error != NULL ? sizeof text - 1 : 0, .is_null = served->error == NULL};
}

/* How a request of theirs ended. 1: written; 0: no room; -1: its turn comes when there are fewer
 * bodies under way. */
static int
flush_end(struct peer_link *link, struct peer_served *served)
{
	struct link_record record = {.kind = LINK_END};
	struct peer_stream *stream = NULL;
	const void *bytes;
	uint32_t part;
	void *room;

	if (served->end.size > LINK_PART_MAX) {
		if (link->stream_count == PEER_STREAMS_MAX)
			return -1;
		stream = peer_stream_begin(link, LINK_MORE_END, served->id, served->message, LINK_PART_MAX);
		if (stream == NULL)
			flush_no_reply(served);
	}
	record.end = served->end;
	part = served->end.size < LINK_PART_MAX ? served->end.size : LINK_PART_MAX;
	bytes = served->end.status == BAY_OK ? bay_message_data(served->message) : served->error;
	room = link_record_write(&link->link.out, &record, part);
	if (room != NULL && part > 0)
		memcpy(room, bytes, part);
	if (room == NULL && stream != NULL)
		peer_stream_end(link, stream);
	return room != NULL;
}

static bool
flush_ends(struct peer_link *link)
{
	list_for_each_safe(pos, &link->ends) {
		struct peer_served *served = container_of(pos, struct peer_served, in_ends);
		int done = flush_end(link, served);

		if (done == 0)
			return false;
		if (done < 0)
			continue;
		list_remove(pos);
		peer_served_written(served);
	}
	return true;
}

/* Gives a service its number on the other side. */
static bool
flush_name(struct peer_link *link, uint16_t number)
{
	struct link_record record = {.kind = LINK_NAME, .name = {.number = number}};

	if (link->ways[number].named)
		return true;
	snprintf(record.name.name, sizeof record.name.name, "%s", registry_at(number)->name);
	link->ways[number].named = link_record_write(&link->link.out, &record, 0) != NULL;
	return link->ways[number].named;
}

static bool
flush_names(struct peer_link *link, const struct bay_request *request)
{
	unsigned i;

	for (i = 0; i < request->depth; i++) {
		if (!flush_name(link, request->chain[i]))
			return false;
	}
	return flush_name(link, request->service->id);
}

/* Whether the first of a route may go now: the other side has room for it, and it does not overtake. */
static bool
peer_route_may_send(const struct peer_link *link, const struct peer_route *route)
{
	const struct peer_way *way = &link->ways[route->service->id];
	const struct bay_request *request = container_of(list_first(&route->out), struct bay_request, link);

	if (route->wait || route->streaming || way->messages >= PEER_CREDIT_MESSAGES ||
		way->bytes >= PEER_CREDIT_BYTES)
		return false;
	return bay_message_size(request->message) <= LINK_PART_MAX || link->stream_count < PEER_STREAMS_MAX;
}

static void
request_to_record(const struct bay_request *request, uint64_t id, struct link_record *record_r)
{
	struct link_request *head = &record_r->request;

	record_r->kind = LINK_REQUEST;
	head->id = id;
	head->deadline = request->deadline;
	head->trace = request->trace;
	head->recorded = request->recorded;
	head->size = (uint32_t)bay_message_size(request->message);
	head->service = request->service->id;
	head->depth = request->depth;
	head->waiting_from = request->waiting_from;
	head->one_way = request->one_way;
	head->is_null = request->message == NULL;
	memcpy(head->chain, request->chain, request->depth * sizeof head->chain[0]);
}

/* Writes the head of a request and the first part of its body. BAY_FULL: there is no room. */
static int
flush_request(struct peer_link *link, struct peer_route *route, struct bay_request *request, uint64_t id)
{
	struct peer_sent *sent = &link->sent[(uint32_t)id - 1];
	struct link_record record;
	uint32_t part;
	void *room;

	request_to_record(request, id, &record);
	part = record.request.size < LINK_PART_MAX ? record.request.size : LINK_PART_MAX;
	if (part < record.request.size) {
		sent->stream = peer_stream_begin(link, LINK_MORE, id, request->message, part);
		if (sent->stream == NULL)
			return BAY_NO_MEMORY;
	}
	room = link_record_write(&link->link.out, &record, part);
	if (room == NULL) {
		if (sent->stream != NULL)
			peer_stream_end(link, sent->stream);
		sent->stream = NULL;
		return BAY_FULL;
	}
	if (part > 0)
		memcpy(room, request->message->data, part);
	if (sent->stream != NULL) {
		sent->stream->route = route;
		route->streaming = true;
	}
	return BAY_OK;
}

/* Sends the first of a route, or ends it: waiting would bring no memory. */
static bool
flush_first(struct peer_link *link, struct peer_route *route)
{
	struct bay_request *request = container_of(list_first(&route->out), struct bay_request, link);
	struct peer_way *way = &link->ways[route->service->id];
	uint64_t id;
	int status;

	if (!flush_names(link, request))
		return false;
	status = peer_sent_add(link, request, &id);
	if (status == BAY_OK) {
		status = flush_request(link, route, request, id);
		if (status != BAY_OK)
			peer_sent_drop(link, (uint32_t)id - 1);
	}
	if (status == BAY_NO_MEMORY) {
		request_fail(request, status, "service %s: no memory to send it to cell %s", route->service->name,
			link->peer->name);
		peer_sent_detach(request, &link->failed);
		return true;
	}
	if (status != BAY_OK)
		return false;
	list_remove(&request->link);
	list_push_back(&link->away, &request->link);
	request->sent = link;
	request->sent_slot = (uint32_t)id - 1;
	way->messages++;
	way->bytes += bay_message_size(request->message);
	return true;
}

/* The routes take turns: who has had one stands last. */
static bool
flush_requests(struct peer_link *link)
{
	struct peer *peer = link->peer;
	struct list had = LIST_INIT(had);
	struct list *first;
	bool room = true;

	while (room && (first = list_first(&peer->routes)) != NULL) {
		struct peer_route *route = container_of(first, struct peer_route, in_peer);
		unsigned turn = PEER_TURN;

		while (room && turn-- > 0 && !list_empty(&route->out) && peer_route_may_send(link, route))
			room = flush_first(link, route);
		list_remove(first);
		if (!list_empty(&route->out))
			list_push_back(&had, first);
	}
	list_splice_back(&peer->routes, &had);
	return room;
}

/* Whether some route has still something that may go. */
static bool
peer_link_may_send(const struct peer_link *link)
{
	list_for_each(pos, &link->peer->routes) {
		if (peer_route_may_send(link, container_of(pos, struct peer_route, in_peer)))
			return true;
	}
	return false;
}

static bool
flush_all(struct peer_link *link, bool is_home)
{
	if (!flush_cancels(link))
		return false;
	if (is_home && (!flush_credits(link) || !flush_ends(link) || !flush_parts(link)))
		return false;
	return flush_requests(link);
}

/* Lets the other side see it. */
static void
peer_link_publish(struct peer_link *link)
{
	if (link_writer_publish(&link->link.out))
		link_wake(&link->link);
}

void
peer_link_flush(struct peer_link *link)
{
	bool is_home = scheduler_here == link->home;
	int rounds = PEER_ROUNDS;
	bool room;

	if (link->why != NULL || !link->begun)
		return;
	if (is_home)
		link->soon = 0;
	room = flush_all(link, is_home);
	peer_link_publish(link);
	/* Home says so before it sleeps; it may sleep already. */
	while (!room && !is_home && --rounds > 0 && link->link.out.broken == NULL &&
		!link_writer_await_room(&link->link.out)) {
		room = flush_all(link, is_home);
		peer_link_publish(link);
	}
	link->full = !room;
	if (!room || !list_empty(&link->streams) || !list_empty(&link->failed) || peer_link_may_send(link) ||
		link->link.out.broken != NULL)
		peer_link_tell_home(link);
	else if (is_home)
		atomic_store_explicit(&link->work, !list_empty(&link->ends), memory_order_relaxed);
	if (!link->watched && !link_writer_was_read(&link->link.out))
		peer_link_watch(link);
}

/* Tasks that are ready may have more for the link, and each publishing costs both sides: but none
 * waits for more than a few others. */
bool
peer_link_may_put_off(struct peer_link *link)
{
	if (scheduler_here != link->home || link->home->ready_head == NULL || ++link->soon >= PEER_SOON)
		return false;
	atomic_store_explicit(&link->work, true, memory_order_relaxed);
	return true;
}

void
peer_link_flush_soon(struct peer_link *link)
{
	if (peer_link_may_put_off(link))
		return;
	pthread_mutex_lock(&peers_lock);
	peer_link_flush(link);
	pthread_mutex_unlock(&peers_lock);
}

void
peer_link_forget(struct peer_link *link, struct bay_request *request, const char *reason)
{
	struct peer_sent *sent = &link->sent[request->sent_slot];
	struct peer_cancel *cancel = xcalloc(1, sizeof *cancel);

	cancel->record.kind = LINK_CANCEL;
	cancel->record.cancel.id = (uint64_t)sent->serial << 32 | (request->sent_slot + 1);
	snprintf(cancel->record.cancel.reason, sizeof cancel->record.cancel.reason, "%s", reason);
	list_push_back(&link->cancels, &cancel->link);
	if (sent->stream != NULL)
		peer_stream_end(link, sent->stream);
	sent->stream = NULL;
	sent->request = NULL;
	list_remove(&request->link);
	request->sent = NULL;
	peer_link_flush(link);
}

/* --- what comes in ---------------------------------------------------------------------- */

static const char *
peer_link_on_name(struct peer_link *link, const struct link_name *name)
{
	struct bay_service *service = registry_find(name->name);
	struct peer_named *named;

	if (name->number >= REGISTRY_MAX || link->names[name->number] != NULL)
		return "a number is given twice, or is none";
	if (service == NULL) {
		service = registry_get(name->name);
		if (service == NULL || ++link->peer->invented > PEER_INVENTED_MAX)
			return "it names services that nobody else knows";
	}
	named = xcalloc(1, sizeof *named);
	named->service = service;
	named->number = name->number;
	list_init(&named->in_credits);
	link->names[name->number] = named;
	return NULL;
}

/* Under the lock. */
static const char *
peer_link_on_credit(struct peer_link *link, const struct link_credit *credit)
{
	struct peer_way *way;

	if (credit->service >= REGISTRY_MAX)
		return "it gives credit for no service";
	way = &link->ways[credit->service];
	if (credit->messages > way->messages || credit->bytes > way->bytes)
		return "it gives more credit than was used";
	way->messages -= credit->messages;
	way->bytes -= credit->bytes;
	peer_link_flush(link);
	return NULL;
}

/* What has to do with what we sent. */
static const char *
peer_link_take_answer(struct peer_link *link, const struct link_view *view, const struct link_record *record)
{
	struct list over = LIST_INIT(over);
	const char *why;

	pthread_mutex_lock(&peers_lock);
	if (record->kind == LINK_END)
		why = peer_sent_on_end(link, view, record, &over);
	else if (record->kind == LINK_MORE_END)
		why = peer_sent_on_more(link, view, record, &over);
	else
		why = peer_link_on_credit(link, &record->credit);
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
	return why;
}

static const char *
peer_link_take(struct peer_link *link, const struct link_view *view)
{
	struct link_record record;
	const char *why;

	if (!link_record_read(view, &record, &why))
		return why;
	switch (record.kind) {
	case LINK_NAME:
		return peer_link_on_name(link, &record.name);
	case LINK_REQUEST:
		return peer_served_on_request(link, view, &record);
	case LINK_MORE:
		return peer_served_on_more(link, view, &record);
	case LINK_CANCEL:
		peer_served_on_cancel(link, &record);
		return NULL;
	default:
		return peer_link_take_answer(link, view, &record);
	}
}

static void
peer_link_release(struct peer_link *link)
{
	if (link_reader_release(&link->link.in))
		link_wake(&link->link);
}

/* Reads some. Returns whether there was any. */
static bool
peer_link_read(struct peer_link *link)
{
	struct link_reader *in = &link->link.in;
	struct link_view view;
	unsigned i;

	for (i = 0; i < PEER_LOOK_RECORDS && link_reader_look(in, &view) == LINK_RECORD; i++) {
		const char *why = peer_link_take(link, &view);

		if (why != NULL)
			in->broken = why;
		link_reader_pass(in);
		if (link_reader_kept(in) >= PEER_RELEASE_BYTES)
			peer_link_release(link);
	}
	return i > 0;
}

/* --- life ----------------------------------------------------------------------------------- */

static void
peer_link_on_close(struct inbox_item *item)
{
	struct peer_link *link = container_of(item, struct peer_link, item);

	link_end(&link->link);
	link_close(&link->link);
	peer_link_unhold(link);
}

static void
peer_link_free_out(struct peer_link *link)
{
	struct list *first;

	while ((first = list_pop_front(&link->cancels)) != NULL)
		free(container_of(first, struct peer_cancel, link));
	while ((first = list_first(&link->streams)) != NULL)
		peer_stream_end(link, container_of(first, struct peer_stream, link));
	while ((first = list_pop_front(&link->ends)) != NULL)
		peer_served_written(container_of(first, struct peer_served, in_ends));
}

/* It has ended, for whatever reason: what was sent goes back or ends, what is served for them is
 * cancelled. Closed a little later, when nobody looks at it. */
static void
peer_link_lost(struct peer_link *link)
{
	struct list over = LIST_INIT(over);
	const char *broken = link->link.in.broken != NULL ? link->link.in.broken : link->link.out.broken;
	bool told;

	link->over = true;
	pthread_mutex_lock(&peers_lock);
	told = link->why != NULL && broken == NULL;
	wheel_remove(&link->home->loop.wheel, &link->watch);
	if (link->why == NULL)
		link->why = broken != NULL ? broken : "it has ended";
	if (link->peer->link == link) {
		link->peer->link = NULL;
		link->peer->rests = true;
	}
	if (link->peer->link == NULL)
		link->peer->left = link_has_left(&link->link);
	peer_sent_all_back(link, &over);
	list_splice_back(&over, &link->failed);
	peer_link_free_out(link);
	peers_go();
	if (!told && peers_source.broken != NULL)
		peers_source.broken(link->peer->name, link->epoch, broken, peers_source.arg);
	pthread_mutex_unlock(&peers_lock);
	if (broken != NULL)
		log_error("cell", "the link to cell %s is closed: %s", link->peer->name, broken);
	peer_sent_settle(&over);
	peer_served_end_all(link);
	link->item.run = peer_link_on_close;
	loop_post(&link->home->loop, &link->item);
}

/* Writes what had to wait. Whether there was any; and whether the link has to end. */
static bool
peer_link_write(struct peer_link *link, bool *ends_r)
{
	struct list over = LIST_INIT(over);
	uint64_t before;
	bool wrote;

	if (!atomic_load_explicit(&link->work, memory_order_acquire))
		return false;
	pthread_mutex_lock(&peers_lock);
	before = link->link.out._written;
	peer_link_flush(link);
	list_splice_back(&over, &link->failed);
	wrote = link->link.out._written != before || !list_empty(&over);
	*ends_r |= link->why != NULL || link->link.out.broken != NULL;
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
	return wrote;
}

static bool
peer_link_on_news(struct link *base)
{
	struct peer_link *link = container_of(base, struct peer_link, link);
	bool found = false, ends;

	if (link->over)
		return false;
	if (link_reader_sees(&base->in))
		found = peer_link_read(link);
	ends = base->gone || base->in.broken != NULL;
	found |= peer_link_write(link, &ends);
	if (!ends)
		return found;
	if (!link->ending) {
		link->ending = true;
		link->hears_until = base->in._read + LINK_RING_BYTES;
	}
	/* What it said last is heard, and no more than that: it may go on for ever. */
	if (found && base->in.broken == NULL && base->in._read < link->hears_until)
		return true;
	peer_link_lost(link);
	return true;
}

/* Whether it is worth a try to write more. */
static bool
peer_link_goes_on(struct peer_link *link, uint64_t before)
{
	if (link->why != NULL || link->link.out.broken != NULL)
		return false;
	/* Some more room need not be enough for what is next. */
	return link->full ? !link_writer_await_room(&link->link.out) : link->link.out._written != before;
}

/* Writes until there is nothing left, or no room, which the other side is told: a look that finds
 * none afterwards does not do that any more. Who reads as fast as we write does not keep the lock,
 * and the loop: that goes on with the next look, and does not sleep before. */
static void
peer_link_on_sleep(struct link *base)
{
	struct peer_link *link = container_of(base, struct peer_link, link);
	int rounds = PEER_ROUNDS;
	uint64_t before;
	bool goes_on;

	peer_link_release(link);
	if (!atomic_load_explicit(&link->work, memory_order_relaxed))
		return;
	pthread_mutex_lock(&peers_lock);
	do {
		before = base->out._written;
		peer_link_flush(link);
		goes_on = peer_link_goes_on(link, before);
	} while (goes_on && --rounds > 0);
	pthread_mutex_unlock(&peers_lock);
	if (goes_on)
		loop_wake(&link->home->loop);
}

static void
peer_link_on_begin(struct inbox_item *item)
{
	struct peer_link *link = container_of(item, struct peer_link, item);
	bool ok = link_begin(&link->link, &link->home->loop, peer_link_on_news, peer_link_on_sleep);

	pthread_mutex_lock(&peers_lock);
	link->begun = true;
	/* The master hears of it, and forgets it too. */
	if (!ok)
		link->link.in.broken = "no memory or descriptors to look at it";
	else
		peer_link_flush(link);
	pthread_mutex_unlock(&peers_lock);
	if (!ok)
		peer_link_lost(link);
}

void
peer_link_begin(struct peer_link *link)
{
	link->item.run = peer_link_on_begin;
	loop_post(&link->home->loop, &link->item);
}

void
peer_link_end(struct peer_link *link, const char *why)
{
	if (link->why == NULL)
		link->why = why;
	peer_link_tell_home(link);
}
