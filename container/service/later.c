/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/later.h"

#include <stdlib.h>

#include <bay/call.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "loop/timer.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/trace.h"

struct later {
	struct timer timer;
	struct bay_instance *instance;
	struct bay_service *service;
	struct bay_message *message;
	struct bay_request *ticket;  /* before the queue or on its way home, or NULL */
	struct bay_request *request; /* that it stands for; ours again once it was withdrawn */
	struct traceparent trace;
	uint32_t index;
};

/* A place in the table. An id is its serial number and the place. */
struct later_slot {
	struct later *later;         /* NULL: free */
	uint32_t serial;
	uint32_t next_free;          /* index + 1; 0: none */
};

struct later_table {
	struct later_slot *slots;
	uint32_t size;
	uint32_t count;
	uint32_t first_free;         /* index + 1; 0: none */
	uint32_t first_serial;       /* its own, so that the ids of other tables mean nothing here */
};

/* --- the table ----------------------------------------------------------------------- */

static struct later_table *
later_table(struct bay_instance *instance)
{
	if (instance->laters != NULL)
		return instance->laters;
	instance->laters = alloc_try_zeroed(1, sizeof *instance->laters);
	if (instance->laters != NULL)
		instance->laters->first_serial = (uint32_t)scheduler_random(instance->scheduler);
	return instance->laters;
}

static bool
later_table_grow(struct later_table *table)
{
	uint32_t i, size = table->size > 0 ? table->size * 2 : 16;
	struct later_slot *slots = alloc_try_again(table->slots, size * sizeof *slots);

	if (slots == NULL)
		return false;
	table->slots = slots;
	for (i = size; i-- > table->size;) {
		slots[i] = (struct later_slot){.serial = table->first_serial, .next_free = table->first_free};
		table->first_free = i + 1;
	}
	table->size = size;
	return true;
}

/* A place for it, and its id. BAY_FULL, BAY_NO_MEMORY. */
static int
later_table_add(struct later_table *table, struct later *later, uint64_t *id_r)
{
	struct later_slot *slot;

	if (table->count >= LATER_MAX)
		return BAY_FULL;
	if (table->first_free == 0 && !later_table_grow(table))
		return BAY_NO_MEMORY;
	later->index = table->first_free - 1;
	slot = &table->slots[later->index];
	table->first_free = slot->next_free;
	slot->later = later;
	slot->serial++;
	table->count++;
	if (id_r != NULL)
		*id_r = (uint64_t)slot->serial << 32 | (later->index + 1);
	return BAY_OK;
}

static struct later *
later_table_find(const struct later_table *table, uint64_t id)
{
	uint32_t place = (uint32_t)id;

	if (table == NULL || place == 0 || place > table->size ||
		table->slots[place - 1].serial != (uint32_t)(id >> 32))
		return NULL;
	return table->slots[place - 1].later;
}

/* It is through, one way or another. */
static void
later_free(struct later *later)
{
	struct bay_instance *instance = later->instance;
	struct later_table *table = instance->laters;
	struct later_slot *slot = &table->slots[later->index];

	slot->later = NULL;
	slot->next_free = table->first_free;
	table->first_free = later->index + 1;
	wheel_remove(&instance->scheduler->loop.wheel, &later->timer);
	message_unref(later->message);
	free(later);
	if (--table->count == 0 && instance->laters_ended && instance->quiet != NULL)
		waiter_wake(instance->quiet, BAY_OK);
}

/* --- sending --------------------------------------------------------------------------- */

/* Nobody is there to be told but the log. */
static void
later_lost(const struct later *later, const char *why)
{
	struct bay_service *sender = later->instance->service;
	char hidden[64];
	uint64_t count;

	if (log_rate_pass(&sender->unheard, &count))
		log_warn(sender->subject, "a message for service %s that was to be sent later is lost: %s%s",
			later->service->name, why != NULL ? why : "no memory",
			log_rate_text(count, hidden, sizeof hidden));
}

/* The message has its place in the queue, or never will. */
static void
later_on_ticket(struct bay_request *ticket)
{
	struct later *later = ticket->arrived_arg;

	if (ticket->status != BAY_OK)
		later_lost(later, ticket->error);
	request_free(ticket);
	later_free(later);
}

/* The queue is full, and lets senders wait. False: it could not wait. */
static bool
later_stand(struct later *later, struct bay_request *request)
{
	struct bay_request *ticket = request_create(later->service, NULL, &later->instance->scheduler->loop);

	if (ticket == NULL)
		return false;
	ticket->arrived = later_on_ticket;
	ticket->arrived_arg = later;
	later->ticket = ticket;
	later->request = request;
	request->ticket = ticket;
	if (service_queue_put(later->service, request) == BAY_OK)
		return true;
	later->ticket = NULL;
	request->ticket = NULL;
	request_free(ticket);
	return false;
}

/* Its time has come. No task runs. */
static void
later_on_time(struct timer *timer)
{
	struct later *later = container_of(timer, struct later, timer);
	struct bay_request *request = request_create(later->service, later->message, NULL);
	int status = BAY_NO_MEMORY;

	if (request != NULL) {
		request->one_way = true;
		request->trace = later->trace;
		request_keep_message(request);
		status = service_queue_put(later->service, request);
		if (status == BAY_BUSY && later_stand(later, request))
			return;
	}
	if (status != BAY_OK) {
		later_lost(later, request != NULL ? request->error : NULL);
		if (request != NULL)
			request_free(request);
	}
	later_free(later);
}

/* Takes it back. False: it has its place already, which it hears of soon. */
static bool
later_drop(struct later *later)
{
	struct bay_request *ticket = later->ticket;

	if (ticket != NULL) {
		if (!service_queue_withdraw(later->service, ticket))
			return false;
		later->request->ticket = NULL;
		request_withdraw(later->request);
		request_free(ticket);
	}
	later_free(later);
	return true;
}

/* --- the end of an instance ---------------------------------------------------------------- */

bool
later_end(struct bay_instance *instance)
{
	const struct later_table *table = instance->laters;
	size_t dropped = 0;
	uint32_t i;

	instance->laters_ended = true;
	if (table == NULL)
		return true;
	for (i = 0; i < table->size; i++)
		dropped += table->slots[i].later != NULL && later_drop(table->slots[i].later);
	if (dropped > 0)
		log_warn(instance->service->subject, "%zu %s dropped: the service stops", dropped, text_number(dropped,
			"message that was to be sent later is", "messages that were to be sent later are"));
	return table->count == 0;
}

/* All of them, with their places. */
static void
later_move_table(struct bay_instance *from, struct bay_instance *to)
{
	uint32_t i;

	to->laters = from->laters;
	from->laters = NULL;
	for (i = 0; i < to->laters->size; i++) {
		if (to->laters->slots[i].later != NULL)
			to->laters->slots[i].later->instance = to;
	}
}

void
later_move(struct bay_instance *from, struct bay_instance *to)
{
	struct later_table *table = from->laters;
	uint32_t i;

	if (table == NULL || to->laters_ended)
		return;
	if (to->laters == NULL) {
		later_move_table(from, to);
		return;
	}
	for (i = 0; i < table->size; i++) {
		struct later *later = table->slots[i].later;

		if (later == NULL || later_table_add(to->laters, later, NULL) != BAY_OK)
			continue;
		later->instance = to;
		table->slots[i] = (struct later_slot){.serial = table->slots[i].serial, .next_free = table->first_free};
		table->first_free = i + 1;
		table->count--;
	}
}

size_t
later_count(const struct bay_instance *instance)
{
	return instance->laters != NULL ? instance->laters->count : 0;
}

void
later_finish(struct bay_instance *instance)
{
	if (instance->laters == NULL)
		return;
	free(instance->laters->slots);
	free(instance->laters);
	instance->laters = NULL;
}

/* --- <bay/call.h> ---------------------------------------------------------------------------- */

/* That of what runs here, if anything does. */
static void
later_set_trace(struct later *later, const struct scheduler *here)
{
	struct bay_request *above = here->leaf;

	if (above == NULL && here->current != NULL)
		above = here->current->request;
	if (above != NULL) {
		later->trace = *trace_of(above);
		if (above->span != 0)
			later->trace.parent = above->span;
	} else if (here->current != NULL && here->current->extra != NULL) {
		later->trace = here->current->extra->trace;
	}
	if (trace_id_is_none(&later->trace.id))
		trace_create(&later->trace);
}

static struct later *
later_create(struct bay_instance *instance, struct bay_service *service, const struct bay_message *message)
{
	const struct scheduler *here = instance->scheduler;
	struct later *later = alloc_try_zeroed(1, sizeof *later);

	if (later == NULL)
		return NULL;
	timer_init(&later->timer, later_on_time);
	later->instance = instance;
	later->service = service;
	later->message = message_ref(message);
	later_set_trace(later, here);
	return later;
}

int
bay_send_later(struct bay_service *service, const struct bay_message *message, int64_t when_ns, uint64_t *id_r)
{
	struct bay_instance *instance = bay_instance_current();
	struct later_table *table;
	struct later *later;
	int status;

	if (instance == NULL) {
		log_error(NULL, "bay_send_later was called by code that belongs to no service [misuse-task]");
		return BAY_INVALID;
	}
	if (service == NULL)
		return BAY_NOT_FOUND;
	if (instance->laters_ended)
		return BAY_CLOSED;
	table = later_table(instance);
	later = table != NULL ? later_create(instance, service, message) : NULL;
	if (later == NULL)
		return BAY_NO_MEMORY;
	status = later_table_add(table, later, id_r);
	if (status != BAY_OK) {
		message_unref(later->message);
		free(later);
		return status;
	}
	wheel_add(&instance->scheduler->loop.wheel, &later->timer, when_ns);
	return BAY_OK;
}

int
bay_send_cancel(uint64_t id)
{
	struct bay_instance *instance = bay_instance_current();
	struct later *later = instance != NULL ? later_table_find(instance->laters, id) : NULL;

	if (instance == NULL)
		return BAY_INVALID;
	return later != NULL && later_drop(later) ? BAY_OK : BAY_NOT_FOUND;
}
