/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_gate.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/supervisor.h"

/* How often is asked what is left. */
static const struct timeval gate_period = {.tv_usec = 50 * 1000};

struct gate_asker {
	struct list link;
	void (*progress)(struct master_service *service, const struct cell_gate_seen *seen, void *arg);
	service_done_fn *done;
	void *arg;
	struct cell_gate_seen told; /* running -1: nothing yet */
};

static void gate_ask_cell(struct master_service *service);

const char *
service_gate_state_name(const struct master_service *service)
{
	const struct service_gate *gate = &service->gate;

	if (service->state != SERVICE_READY || gate->state == CELL_GATE_OPEN)
		return service_state_name(service->state);
	if (gate->state == CELL_GATE_PAUSED)
		return "paused";
	return gate->drained ? "drained" : "draining";
}

/* --- those who wait ---------------------------------------------------------------- */

static void
gate_add_asker(struct service_gate *gate, const struct gate_wish *wish)
{
	struct gate_asker *asker;

	if (wish->done == NULL)
		return;
	asker = xcalloc(1, sizeof(*asker));
	*asker = (struct gate_asker){.progress = wish->progress, .done = wish->done, .arg = wish->arg,
		.told = {.running = -1}};
	list_push_back(&gate->askers, &asker->link);
}

static void
gate_answer(struct master_service *service, enum bay_status status, const char *message)
{
	struct list askers = LIST_INIT(askers);
	struct list *link;

	list_splice_back(&askers, &service->gate.askers);
	while ((link = list_pop_front(&askers)) != NULL) {
		struct gate_asker *asker = container_of(link, struct gate_asker, link);
		service_done_fn *done = asker->done;
		void *arg = asker->arg;

		free(asker);
		done(service, status, message, arg);
	}
}

static bool
gate_is_news(const struct gate_asker *asker, const struct cell_gate_seen *seen)
{
	return asker->progress != NULL && (asker->told.running != seen->running ||
		asker->told.queued != seen->queued || asker->told.connections != seen->connections);
}

static void
gate_tell_progress(struct master_service *service)
{
	const struct cell_gate_seen *seen = &service->gate.seen;

	list_for_each(pos, &service->gate.askers) {
		struct gate_asker *asker = container_of(pos, struct gate_asker, link);

		if (gate_is_news(asker, seen)) {
			asker->told = *seen;
			asker->progress(service, seen, asker->arg);
		}
	}
}

/* --- draining ---------------------------------------------------------------------- */

static void
gate_note(struct master_service *service, enum event_kind kind, const char *why)
{
	const struct event_by by = service->by;

	/* Something else may be under way, which another one has asked for. */
	service->by = service->gate.by;
	master_service_note(service, kind, "%s", why);
	service->by = by;
}

static void
gate_on_drained(struct master_service *service)
{
	if (!service->gate.drained)
		gate_note(service, EVENT_DRAINED, "all that was queued or ran has ended; new requests are refused");
	service->gate.drained = true;
	gate_answer(service, BAY_OK, "");
}

/* It does not run, and will not by itself. */
static bool
gate_is_in_vain(const struct master_service *service)
{
	return service->gone || service->state == SERVICE_STOPPED ||
		(service->state == SERVICE_FAILED && service->next_try_ns == 0);
}

/* Whether that it has no cell that can be told now is no answer. */
static bool
gate_waits(const struct master_service *service)
{
	/* One that ends to be replaced goes on with what it has. */
	return service->gate.state == CELL_GATE_CLOSED || master_cell_is_drained(service->cell);
}

static void
gate_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master_service *service = arg;

	(void)fd;
	(void)what;
	if (gate_is_in_vain(service))
		gate_answer(service, service->state == SERVICE_FAILED ? BAY_FAILED : BAY_CANCELED,
			service->state == SERVICE_FAILED && service->reason != NULL ? service->reason :
			"it has stopped meanwhile");
	else if (service->state == SERVICE_READY && master_cell_ready(service->cell) != NULL)
		gate_ask_cell(service);
	else if (gate_waits(service))
		event_add(service->gate.timer, &gate_period);
	else
		gate_answer(service, BAY_OK, "");
}

static void
gate_on_left(struct master_service *service)
{
	if (service->gate.seen.idle) {
		gate_on_drained(service);
		return;
	}
	service->gate.drained = false;
	gate_tell_progress(service);
	event_add(service->gate.timer, &gate_period);
}

/* --- the cell ---------------------------------------------------------------------- */

static void
gate_on_seen(const struct cell_reply *reply, void *arg)
{
	struct master_service *service = arg;
	struct service_gate *gate = &service->gate;
	struct cell_gate_seen seen = {0};
	char error[CELL_ERROR_SIZE];

	/* The wish may have changed since: the last answer counts. */
	if (--gate->asking > 0)
		return;
	if (reply->kind == CELL_REPLY_DONE && !cell_gate_seen_from_json(reply->parameters, &seen, error))
		seen = (struct cell_gate_seen){0};
	gate->seen = seen;
	if (reply->kind == CELL_REPLY_FAILED)
		gate_answer(service, reply->status, reply->message);
	else if (gate->state == CELL_GATE_CLOSED)
		gate_on_left(service);
	else
		gate_answer(service, BAY_OK, "");
}

/* Tells it, too. */
static void
gate_ask_cell(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct service_gate *gate = &service->gate;
	struct cell_gate told = {.service = service->config->name, .state = gate->state};
	char by[64];

	if (cell == NULL || (gate->asking > 0 && !gate->unknown && gate->told == gate->state))
		return;
	snprintf(by, sizeof(by), "user %u", (unsigned)gate->by.uid);
	told.by = by;
	gate->told = gate->state;
	gate->used = true;
	gate->unknown = false;
	gate->asking++;
	cell_process_call(cell, CELL_GATE, cell_gate_to_json(&told), -1, 0, gate_on_seen, service);
}

void
service_gate_tell(struct master_service *service)
{
	const struct service_gate *gate = &service->gate;

	/* Of one that drains it is asked what is left, whether or not it has been told. */
	if (gate->unknown || gate->state != gate->told || gate->state == CELL_GATE_CLOSED)
		gate_ask_cell(service);
}

char *
service_gate_move_refusal(const struct master_service *service, const struct config_service *config)
{
	const struct status_page *page = master_cell_page(service->cell);
	struct status_service_view view;
	uint64_t messages;

	if (service->gate.state != CELL_GATE_PAUSED || page == NULL || supervisor_is_in_place(service, config))
		return NULL;
	status_page_read_service(page, service->slot, &view);
	messages = view.queue_length + view.waiting_senders;
	if (messages == 0)
		return NULL;
	return xasprintf("it is paused, and its %" PRIu64 " %s cannot go along to another cell: bayctl resume %s has it "
		"handle them, bayctl stop %s refuses them [service-paused]", messages,
		text_number(messages, "message", "messages"), config->name, config->name);
}

void
service_gate_move(struct master_service *service)
{
	service->gate.unknown = service->gate.used;
}

void
service_gate_forget(struct master_service *service)
{
	service->gate.told = CELL_GATE_OPEN;
	service->gate.unknown = false;
	service->gate.drained = false;
}

/* --- wishes ------------------------------------------------------------------------ */

static void
gate_change(struct master_service *service, const struct gate_wish *wish)
{
	static const struct {
		enum event_kind kind;
		const char *why;
		const char *canceled;
	} rows[] = {
		[CELL_GATE_OPEN] = {EVENT_RESUMED, "what is queued is begun", "somebody resumed it meanwhile"},
		[CELL_GATE_PAUSED] = {EVENT_PAUSED, "what comes is queued, and nothing is begun",
			"somebody paused it meanwhile"},
		[CELL_GATE_CLOSED] = {EVENT_ASKED, "to drain it", "somebody drains it now"},
	};
	struct service_gate *gate = &service->gate;

	gate->state = wish->state;
	gate->by = wish->by;
	gate->drained = false;
	event_del(gate->timer);
	gate_note(service, rows[wish->state].kind, rows[wish->state].why);
	gate_answer(service, BAY_CANCELED, rows[wish->state].canceled);
}

void
service_gate_set(struct master_service *service, const struct gate_wish *wish)
{
	struct service_gate *gate = &service->gate;

	/* A wish that is left of a time when it ran can be taken back. */
	if ((gate_is_in_vain(service) || !service->wanted) &&
	    (wish->state != CELL_GATE_OPEN || gate->state == CELL_GATE_OPEN)) {
		if (wish->done != NULL)
			wish->done(service, BAY_CLOSED, "it does not run", wish->arg);
		return;
	}
	if (wish->state != gate->state)
		gate_change(service, wish);
	gate_add_asker(gate, wish);
	if (master_cell_ready(service->cell) != NULL)
		gate_ask_cell(service);
	else if (gate_waits(service))
		event_add(gate->timer, &gate_period);
	else
		gate_answer(service, BAY_OK, "");
}

void
service_gate_reset(struct master_service *service, const char *why)
{
	struct service_gate *gate = &service->gate;

	gate->state = CELL_GATE_OPEN;
	gate->drained = false;
	event_del(gate->timer);
	gate_answer(service, BAY_CANCELED, why);
}

void
service_gate_init(struct master_service *service)
{
	list_init(&service->gate.askers);
	service->gate.timer = evtimer_new(supervisor_base(service->supervisor), gate_on_timer, service);
}

void
service_gate_finish(struct master_service *service)
{
	gate_answer(service, BAY_CLOSED, "bayd stops");
	event_free(service->gate.timer);
}
