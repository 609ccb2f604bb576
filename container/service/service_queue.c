/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/service_queue.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/scheduler.h"
#include "service/bounds.h"
#include "service/hop.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/ready_set.h"
#include "service/registry.h"

/* --- under the lock ------------------------------------------------------------- */

static void
queue_gauge(struct bay_service *service)
{
	struct list *first = list_first(&service->queue);

	if (service->gauges == NULL)
		return;
	status_set(&service->gauges->queued, service->queued);
	status_set(&service->gauges->queued_bytes, service->queued_bytes);
	status_set(&service->gauges->waiting_senders, service->waiting_count);
	status_set(&service->gauges->oldest_ns, first == NULL ? 0
		: (uint64_t)container_of(first, struct bay_request, link)->queued_ns);
}

/* The ticket of a message is on its way home from now on: nobody can withdraw it. */
static void
queue_release_ticket(const struct bay_request *request)
{
	if (request->ticket == NULL)
		return;
	request->ticket->ticket = NULL;
	request->ticket->place = PLACE_HOME;
}

/* Sends a released ticket home: its message got its place, or was ended. */
static void
queue_answer_ticket(struct bay_request *request)
{
	struct bay_request *ticket = request->ticket;

	if (ticket == NULL)
		return;
	request->ticket = NULL;
	loop_post(ticket->home, &ticket->home_item);
}

static void
queue_append(struct bay_service *service, struct bay_request *request, int64_t now_ns)
{
	request->place = PLACE_QUEUED;
	request->queued_ns = now_ns;
	list_push_back(&service->queue, &request->link);
	service->queued_bytes += bay_message_size(request->message);
	atomic_store_explicit(&service->queued, service->queued + 1, memory_order_release);
	service_count(service, SERVICE_EVENT_QUEUED);
	queue_release_ticket(request);
	queue_answer_ticket(request);
}

/* One more for which there was no room. */
static void
queue_count_refused(struct bay_service *service, enum service_event event)
{
	service_count(service, event);
	if (service->gauges == NULL)
		return;
	if (bounds_lacks_memory(service, 1))
		status_add_shared(&service->gauges->denied_memory, 1);
	else
		status_add(&service->gauges->refused, 1);
}

/* Takes a queued one out. */
static void
queue_detach(struct bay_service *service, struct bay_request *request)
{
	list_remove(&request->link);
	service->queued_bytes -= bay_message_size(request->message);
	atomic_store_explicit(&service->queued, service->queued - 1, memory_order_release);
}

static bool
queue_has_room(const struct bay_service *service, const struct bay_request *request)
{
	size_t size = bay_message_size(request->message);

	return service->queued < service->limits.queue && service->queued_bytes + size <= service->limits.queue_bytes &&
		bounds_let_in(service, size);
}

/* Waiting senders come in, in their order, while there is room. */
static void
queue_admit(struct bay_service *service)
{
	struct list *first = list_first(&service->waiting);
	int64_t now_ns = first != NULL ? clock_monotonic_ns() : 0;

	while ((first = list_first(&service->waiting)) != NULL) {
		struct bay_request *request = container_of(first, struct bay_request, link);

		if (!queue_has_room(service, request))
			break;
		list_remove(first);
		service->waiting_count--;
		queue_append(service, request, now_ns);
	}
}

/* Drops the oldest until there is room; the dropped go to a list of the caller's. */
static void
queue_drop_oldest(struct bay_service *service, const struct bay_request *request, struct list *dropped)
{
	while (!queue_has_room(service, request) && !list_empty(&service->queue)) {
		struct bay_request *oldest = container_of(list_first(&service->queue), struct bay_request, link);

		queue_detach(service, oldest);
		oldest->place = PLACE_HOME;
		list_push_back(dropped, &oldest->link);
		queue_count_refused(service, SERVICE_EVENT_DROPPED);
	}
}

/* Whether the operator lets it in. What a request that runs waits for is a part of that. */
static int
queue_check_gate(struct bay_service *service, struct bay_request *request)
{
	if (service_gate(service) != SERVICE_GATE_CLOSED ||
		(!request->one_way && request_times_in_chain(request) > 0))
		return BAY_OK;
	service_count(service, SERVICE_EVENT_REJECTED);
	request_fail(request, BAY_CLOSED, "service %s takes no new requests: it was drained by %s [service-drained]",
		service->name, service->gate_by != NULL ? service->gate_by : "the operator");
	return BAY_CLOSED;
}

/* Whether the service is one that takes messages; fails the request if not. */
static int
queue_check_state(struct bay_service *service, struct bay_request *request)
{
	enum service_state state = service_state(service);

	if (service->held && state != SERVICE_READY)
		return queue_check_gate(service, request);
	if (state == SERVICE_READY && service->plugin->handle != NULL)
		return queue_check_gate(service, request);
	service_count(service, SERVICE_EVENT_REJECTED);
	switch (state) {
	case SERVICE_READY:
		request_fail(request, BAY_INVALID, "service %s takes no messages: its plugin has no handler",
			service->name);
		return BAY_INVALID;
	case SERVICE_UNKNOWN:
		request_fail(request, BAY_NOT_FOUND, "there is no service '%s'", service->name);
		return BAY_NOT_FOUND;
	case SERVICE_FAILED:
		request_fail(request, BAY_CLOSED, "service %s has failed: %s", service->name,
			service->reason != NULL ? service->reason : "see the log");
		return BAY_CLOSED;
	default:
		request_fail(request, BAY_CLOSED, "service %s is %s", service->name, service_state_name(state));
		return BAY_CLOSED;
	}
}

/* A call whose service is busy with nothing but the call's own callers would wait for
 * itself. */
static int
queue_check_circle(struct bay_service *service, struct bay_request *request)
{
	unsigned times = request->one_way ? 0 : request_times_in_chain(request);
	char *chain;

	/* While it is held nobody knows how many there will be. */
	if (times == 0 || service->held || times < service->instance_count * service->limits.concurrency)
		return BAY_OK;
	chain = request_chain_text(request);
	request_fail(request, BAY_LOOP, "the call could only be served after its own caller: %s "
		"(concurrency = %u)", chain, service->limits.concurrency);
	free(chain);
	return BAY_LOOP;
}

static int
queue_refuse(struct bay_service *service, struct bay_request *request)
{
	char *bound = bounds_reached(service, bay_message_size(request->message));

	queue_count_refused(service, SERVICE_EVENT_REJECTED);
	if (bound != NULL)
		request_fail(request, BAY_FULL, "service %s takes no more for now: %s", service->name, bound);
	else
		request_fail(request, BAY_FULL, "the queue of service %s is full (%zu %s, %zu %s)",
			service->name, service->queued, text_number(service->queued, "message", "messages"),
			service->queued_bytes, text_number(service->queued_bytes, "byte", "bytes"));
	free(bound);
	return BAY_FULL;
}

/* The queue is full: what the policy says. */
static int
queue_overflow(struct bay_service *service, struct bay_request *request, int64_t now_ns,
	struct list *dropped)
{
	switch (service->limits.overflow) {
	case OVERFLOW_WAIT:
		if ((request->one_way || request->came_over) && request->ticket == NULL)
			return BAY_BUSY;
		request->place = PLACE_WAITING;
		if (request->ticket != NULL) {
			request->ticket->place = PLACE_WAITING;
			request->ticket->ticket = request;
		}
		list_push_back(&service->waiting, &request->link);
		service->waiting_count++;
		return BAY_OK;
	case OVERFLOW_DROP_OLDEST:
		queue_drop_oldest(service, request, dropped);
		/* What is in handlers cannot be dropped. */
		if (!queue_has_room(service, request))
			return queue_refuse(service, request);
		queue_append(service, request, now_ns);
		return BAY_OK;
	case OVERFLOW_DROP_NEWEST:
		queue_count_refused(service, SERVICE_EVENT_DROPPED);
		if (request->one_way) {
			/* Where the policy is to lose the newest, losing it is no failure of the sender, who
			 * may have come to wait for its place before that was the policy. */
			queue_release_ticket(request);
			queue_answer_ticket(request);
			list_push_back(dropped, &request->link);
			return BAY_OK;
		}
		request_fail(request, BAY_FULL, "the queue of service %s is full (%zu %s, %zu %s): "
			"the newest is dropped", service->name, service->queued, text_number(service->queued, "message", "messages"),
			service->queued_bytes, text_number(service->queued_bytes, "byte", "bytes"));
		return BAY_FULL;
	default:
		return queue_refuse(service, request);
	}
}

static int
queue_put_locked(struct bay_service *service, struct bay_request *request, struct list *dropped)
{
	size_t size = bay_message_size(request->message);
	int status = queue_check_state(service, request);
	int64_t now_ns = clock_monotonic_ns();

	if (status != BAY_OK)
		return status;
	/* The time of what goes one way begins with its handler: nobody waits meanwhile. Who calls what
	 * was elsewhere waits already. */
	if (!request->one_way && !request->away && service->limits.timeout_ns != 0 &&
		service->limits.timeout_ns < request->deadline - now_ns)
		request->deadline = now_ns + service->limits.timeout_ns;
	if (size > service->limits.queue_bytes) {
		service_count(service, SERVICE_EVENT_REJECTED);
		request_fail(request, BAY_TOO_BIG, "a message of %zu bytes can never fit into the queue of "
			"service %s (queue_bytes = %zu)", size, service->name, service->limits.queue_bytes);
		return BAY_TOO_BIG;
	}
	status = queue_check_circle(service, request);
	if (status != BAY_OK)
		return status;
	if (list_empty(&service->waiting) && queue_has_room(service, request)) {
		queue_append(service, request, now_ns);
		return BAY_OK;
	}
	return queue_overflow(service, request, now_ns, dropped);
}

/* Which loops to wake when the lock is released. */
struct queue_wake {
	struct ready_set *set;   /* NULL: none */
	unsigned concurrency;
};

/* After any change: lets waiting senders in and makes the loops see what is there. */
static struct queue_wake
queue_settle(struct bay_service *service, bool fresh)
{
	struct queue_wake wake = {.set = NULL};

	queue_admit(service);
	queue_gauge(service);
	if (service->set == NULL || service->rests || service_gate(service) == SERVICE_GATE_PAUSED)
		return wake;
	/* Who waits for what a bound has let go of is looked after by a loop. */
	if (service->queued == 0 && (service->waiting_count == 0 || !bounds_are_set(&service->limits)))
		return wake;
	if (!service->listed) {
		service->listed = true;
		ready_set_push(service->set, service, fresh);
	}
	wake.set = service->set;
	wake.concurrency = service->limits.concurrency;
	return wake;
}

/* --- the interface -------------------------------------------------------------- */

static int
queue_put(struct bay_service *service, struct bay_request *request, bool parks)
{
	struct list dropped = LIST_INIT(dropped);
	struct queue_wake wake = {.set = NULL};
	struct list *link;
	int status;

	if (service_state(service) == SERVICE_ELSEWHERE) {
		hop_drop(request);
		if (peer_put(service, request, &status))
			return status;
	}
	hop_see(request);
	pthread_mutex_lock(&service->lock);
	status = queue_put_locked(service, request, &dropped);
	if (status == BAY_OK)
		wake = queue_settle(service, true);
	pthread_mutex_unlock(&service->lock);
	while ((link = list_pop_front(&dropped)) != NULL) {
		struct bay_request *oldest = container_of(link, struct bay_request, link);

		request_fail(oldest, BAY_FULL, "dropped from the full queue of service %s", service->name);
		request_go_home(oldest);
	}
	if (wake.set != NULL)
		ready_set_wake(wake.set, service, wake.concurrency, parks);
	return status;
}

int
service_queue_put(struct bay_service *service, struct bay_request *request)
{
	return queue_put(service, request, false);
}

int
service_queue_put_and_park(struct bay_service *service, struct bay_request *request)
{
	return queue_put(service, request, true);
}

int64_t
service_queue_take(struct bay_service *service, size_t count, int64_t now_ns, struct scheduler *runner,
	struct list *taken)
{
	struct queue_wake wake;
	int64_t again_ns = 0;
	size_t n = 0, share;
	bool bounded;

	pthread_mutex_lock(&service->lock);
	bounded = bounds_are_set(&service->limits);
	/* The others shall have theirs, even if they must be woken for it. */
	share = (service->queued + service->instance_count - 1) / service->instance_count;
	if (count > share)
		count = share;
	/* The loop may have found it before the pause. */
	if (service_gate(service) == SERVICE_GATE_PAUSED)
		count = 0;
	else if (bounded)
		count = bounds_let_begin(service, count, now_ns, &again_ns);
	while (n < count && !list_empty(&service->queue)) {
		struct bay_request *request = container_of(list_first(&service->queue), struct bay_request, link);

		queue_detach(service, request);
		request->counted = bounded;
		service->inflight += bounded;
		request->place = PLACE_RUNNING;
		request->runner = runner;
		list_push_back(taken, &request->link);
		n++;
	}
	service->listed = false;
	service->rests = again_ns != 0;
	wake = queue_settle(service, false);
	pthread_mutex_unlock(&service->lock);
	/* We shall be busy with what we took. */
	if (wake.set != NULL)
		ready_set_wake_other(wake.set, service, wake.concurrency);
	return again_ns;
}

void
service_queue_ended(struct bay_request *request)
{
	struct bay_service *service = request->service;

	pthread_mutex_lock(&service->lock);
	request->counted = false;
	service->inflight--;
	pthread_mutex_unlock(&service->lock);
	service_queue_look_again(service);
}

void
service_queue_look_again(struct bay_service *service)
{
	pthread_mutex_lock(&service->lock);
	service->rests = false;
	pthread_mutex_unlock(&service->lock);
	service_queue_resettle(service);
}

bool
service_queue_remove(struct bay_request *request)
{
	struct bay_service *service = request->service;
	struct queue_wake wake = {.set = NULL};
	bool removed = true;

	pthread_mutex_lock(&service->lock);
	if (request->place == PLACE_QUEUED) {
		queue_detach(service, request);
	} else if (request->place == PLACE_WAITING) {
		list_remove(&request->link);
		service->waiting_count--;
	} else {
		removed = false;
	}
	if (removed) {
		request->place = PLACE_HOME;
		wake = queue_settle(service, true);
	}
	pthread_mutex_unlock(&service->lock);
	if (wake.set != NULL)
		ready_set_wake(wake.set, service, wake.concurrency, false);
	return removed;
}

bool
service_queue_withdraw(struct bay_service *service, struct bay_request *ticket)
{
	struct queue_wake wake = {.set = NULL};
	bool waits;

	/* Otherwise it is on its way home, or its service has come here. */
	if (ticket->away && peer_withdraw(ticket))
		return true;
	pthread_mutex_lock(&service->lock);
	waits = ticket->place == PLACE_WAITING;
	if (waits) {
		struct bay_request *request = ticket->ticket;

		list_remove(&request->link);
		service->waiting_count--;
		request->ticket = NULL;
		request->place = PLACE_HOME;
		ticket->ticket = NULL;
		ticket->place = PLACE_HOME;
		/* It may have been too large for room that is enough for the next. */
		wake = queue_settle(service, true);
	}
	pthread_mutex_unlock(&service->lock);
	if (wake.set != NULL)
		ready_set_wake(wake.set, service, wake.concurrency, false);
	return waits;
}

void
service_queue_resettle(struct bay_service *service)
{
	struct queue_wake wake;

	pthread_mutex_lock(&service->lock);
	wake = queue_settle(service, true);
	pthread_mutex_unlock(&service->lock);
	if (wake.set != NULL)
		ready_set_wake(wake.set, service, wake.concurrency, false);
}

void
service_queue_hold(struct bay_service *service)
{
	pthread_mutex_lock(&service->lock);
	/* Who takes no messages has no queue to be kept. */
	service->held = service->plugin != NULL && service->plugin->handle != NULL;
	pthread_mutex_unlock(&service->lock);
}

void
service_queue_hold_new(struct bay_service *service)
{
	pthread_mutex_lock(&service->lock);
	service->held = true;
	pthread_mutex_unlock(&service->lock);
}

void
service_queue_release(struct bay_service *service)
{
	bool takes;

	pthread_mutex_lock(&service->lock);
	service->held = false;
	takes = service->plugin != NULL && service->plugin->handle != NULL;
	pthread_mutex_unlock(&service->lock);
	if (takes)
		service_queue_resettle(service);
	else
		service_queue_flush(service, "its plugin has no handler");
}

void
service_queue_set_gate(struct bay_service *service, enum service_gate gate, const char *by)
{
	pthread_mutex_lock(&service->lock);
	atomic_store_explicit(&service->gate, (int)gate, memory_order_release);
	free(service->gate_by);
	service->gate_by = by != NULL ? xstrdup(by) : NULL;
	/* A loop that has just found it lists it no more, as long as it is paused. */
	if (gate == SERVICE_GATE_PAUSED && service->listed && ready_set_remove(service->set, service))
		service->listed = false;
	pthread_mutex_unlock(&service->lock);
	service_queue_resettle(service);
}

bool
service_queue_is_empty(struct bay_service *service)
{
	bool empty;

	pthread_mutex_lock(&service->lock);
	empty = service->queued == 0 && service->waiting_count == 0;
	pthread_mutex_unlock(&service->lock);
	return empty;
}

void
service_queue_flush(struct bay_service *service, const char *reason)
{
	struct list ended = LIST_INIT(ended);
	struct list *link;
	size_t lost = 0;

	pthread_mutex_lock(&service->lock);
	service->held = false;
	list_splice_back(&ended, &service->queue);
	list_splice_back(&ended, &service->waiting);
	service->queued_bytes = 0;
	service->waiting_count = 0;
	atomic_store_explicit(&service->queued, 0, memory_order_release);
	queue_gauge(service);
	list_for_each(pos, &ended) {
		struct bay_request *request = container_of(pos, struct bay_request, link);

		request->place = PLACE_HOME;
		queue_release_ticket(request);
	}
	pthread_mutex_unlock(&service->lock);
	while ((link = list_pop_front(&ended)) != NULL) {
		struct bay_request *request = container_of(link, struct bay_request, link);

		lost += request->one_way && request->ticket == NULL;
		request_fail(request, BAY_CLOSED, "service %s: %s", service->name, reason);
		if (request->ticket != NULL)
			request_fail(request->ticket, BAY_CLOSED, "service %s: %s", service->name, reason);
		queue_answer_ticket(request);
		request_go_home(request);
	}
	if (lost > 0)
		log_warn(service->subject, "%zu %s lost: %s", lost, text_number(lost,
			"message that nobody waits for is", "messages that nobody waits for are"), reason);
}

void
service_queue_unlist(struct bay_service *service)
{
	pthread_mutex_lock(&service->lock);
	if (service->listed) {
		(void)ready_set_remove(service->set, service);
		service->listed = false;
	}
	pthread_mutex_unlock(&service->lock);
}
