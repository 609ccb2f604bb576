/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests go from the queue to a loop unseen by others for a moment, neither queued nor running.
 * So a service is idle when nothing of it was seen before the loops were asked and after, and none
 * has ended between: what was on its way has been seen, or has ended, by then.
 */
#include "config.h"

#include "cell/host_gate.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/status_page.h"
#include "cell/executor.h"
#include "cell/hosted.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "runtime/belonging.h"
#include "runtime/scheduler.h"
#include "service/instance.h"
#include "service/service.h"
#include "service/service_queue.h"

struct host_gate;

/* To one loop and back. */
struct host_gate_step {
	struct inbox_item item;
	struct host_gate *gate;
	struct scheduler *scheduler;
	unsigned connections;
};

struct host_gate {
	struct bay_service *service;
	struct loop *control;
	const struct status_page *page;
	bool idle;                        /* nothing was seen when it began */
	uint64_t ended;                   /* requests, until then */
	unsigned loops;
	unsigned pending;                 /* steps that have not come back */
	host_gate_fn *done;
	void *arg;
	int64_t id;
	struct host_gate_step steps[];
};

static struct status_service_view
host_gate_look(const struct host_gate *gate)
{
	struct status_service_view view = {0};

	if (gate->service->slot != STATUS_NO_SLOT)
		status_page_read_service(gate->page, gate->service->slot, &view);
	return view;
}

static bool
host_gate_is_quiet(const struct host_gate *gate, const struct status_service_view *view)
{
	return view->in_flight == 0 && service_queue_is_empty(gate->service);
}

static void
host_gate_on_answer(struct inbox_item *item)
{
	struct host_gate *gate = container_of(item, struct host_gate_step, item)->gate;
	struct cell_gate_seen seen = {.idle = false};
	struct status_service_view view;
	unsigned i;

	if (--gate->pending > 0)
		return;
	view = host_gate_look(gate);
	for (i = 0; i < gate->loops; i++)
		seen.connections += gate->steps[i].connections;
	seen.running = (int64_t)view.in_flight;
	seen.queued = (int64_t)(view.queue_length + view.waiting_senders);
	seen.idle = gate->idle && host_gate_is_quiet(gate, &view) && view.served + view.failed == gate->ended &&
		seen.connections == 0;
	gate->done(&seen, gate->id, gate->arg);
	free(gate);
}

/* On the loop. */
static void
host_gate_on_loop(struct inbox_item *item)
{
	struct host_gate_step *step = container_of(item, struct host_gate_step, item);
	struct bay_instance *instance = step->gate->service->instances[step->scheduler->index];

	if (instance != NULL) {
		instance_see_gate(instance);
		step->connections = belonging_accepted(step->scheduler, instance);
		if (instance->canary != NULL)
			step->connections += belonging_accepted(step->scheduler, instance->canary);
	}
	/* Of one that is still to serve, too: those that may not find that out. */
	belonging_listen_again(step->scheduler);
	step->item.run = host_gate_on_answer;
	loop_post(step->gate->control, &step->item);
}

void
host_gate_begin(const struct hosting *hosting, const struct status_page *page, struct bay_service *service,
	const struct cell_gate *wanted, host_gate_fn *done, int64_t id)
{
	static const enum service_gate gates[] = {
		[CELL_GATE_OPEN] = SERVICE_GATE_OPEN,
		[CELL_GATE_PAUSED] = SERVICE_GATE_PAUSED,
		[CELL_GATE_CLOSED] = SERVICE_GATE_CLOSED,
	};
	unsigned i, loops = executor_count(hosting->executor);
	struct host_gate *gate = xcalloc(1, sizeof *gate + loops * sizeof gate->steps[0]);
	struct status_service_view view;

	if (wanted != NULL)
		service_queue_set_gate(service, gates[wanted->state], wanted->by);
	*gate = (struct host_gate){.service = service, .control = hosting->control, .page = page, .loops = loops,
		.pending = loops, .done = done, .arg = hosting->arg, .id = id};
	view = host_gate_look(gate);
	gate->idle = host_gate_is_quiet(gate, &view);
	gate->ended = view.served + view.failed;
	for (i = 0; i < loops; i++) {
		struct host_gate_step *step = &gate->steps[i];

		step->item.run = host_gate_on_loop;
		step->gate = gate;
		step->scheduler = executor_scheduler(hosting->executor, i);
		loop_post(&step->scheduler->loop, &step->item);
	}
}
