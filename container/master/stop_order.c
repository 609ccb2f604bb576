/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/stop_order.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "config/config_names.h"
#include "config/config_order.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/service_group.h"
#include "master/service_steps.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* A service that is in the cell. */
struct stop_item {
	struct stop_order *order;
	struct master_service *service;
	size_t followers; /* that have not stopped */
	bool follows;     /* another one that is in the cell */
	bool told;
};

struct stop_order {
	struct supervisor *supervisor;
	struct stop_item *items; /* by slot; service NULL: it is not in the cell */
	size_t left;             /* items that follow another and have not stopped */
	int64_t until_ns;
	struct event *timer;
	void (*done)(void *arg); /* NULL: it has not begun, or is over */
	void *arg;
};

static void stop_order_go_on(struct stop_order *order);

static void
stop_order_finish(struct stop_order *order)
{
	void (*done)(void *arg) = order->done;

	stop_order_give_up(order);
	if (done != NULL)
		done(order->arg);
}

void
stop_order_give_up(struct stop_order *order)
{
	order->done = NULL;
	event_del(order->timer);
}

/* --- who is in the cell ------------------------------------------------------------------ */

static bool
stop_order_is_in_cell(const struct master_service *service)
{
	return service->state == SERVICE_STOPPING || service->state == SERVICE_READY ||
		service->step == SERVICE_STEP_START;
}

/* Calls fn for each item that the service follows, once for each time that it is named, and once for
 * its group's sake. */
static void
stop_order_each_followed(struct stop_item *item, void (*fn)(struct stop_item *item, struct stop_item *followed))
{
	struct stop_order *order = item->order;
	char name[CONFIG_NAME_MAX + 1];

	for (int relation = 0; relation < CONFIG_RELATIONS; relation++) {
		const char *list = config_relation_list(item->service->config, relation);

		while (config_names_next(&list, name)) {
			const struct master_service *other = supervisor_find(order->supervisor, name);

			if (other != NULL && other != item->service &&
			    order->items[other->slot].service != NULL)
				fn(item, &order->items[other->slot]);
		}
	}
	for (size_t i = 0; *item->service->config->group != '\0' && i < supervisor_count(order->supervisor); i++) {
		const struct master_service *other = supervisor_service(order->supervisor, i);

		if (order->items[other->slot].service != NULL && service_group_follows(item->service, other))
			fn(item, &order->items[other->slot]);
	}
}

static void
stop_item_count(struct stop_item *item, struct stop_item *followed)
{
	item->follows = true;
	followed->followers++;
}

static void
stop_item_release(struct stop_item *item, struct stop_item *followed)
{
	(void)item;
	followed->followers--;
}

static void
stop_order_find_items(struct stop_order *order)
{
	size_t count = supervisor_count(order->supervisor);

	for (size_t i = 0; i < count; i++) {
		struct master_service *service = supervisor_service(order->supervisor, i);

		if (stop_order_is_in_cell(service))
			order->items[service->slot] = (struct stop_item){.order = order, .service = service};
	}
	for (size_t i = 0; i < STATUS_PAGE_SERVICES_MAX; i++) {
		if (order->items[i].service == NULL)
			continue;
		stop_order_each_followed(&order->items[i], stop_item_count);
		order->left += order->items[i].follows;
	}
}

/* --- one after the other ------------------------------------------------------------------- */

/* It holds nobody up any more. */
static void
stop_item_leave(struct stop_item *item)
{
	stop_order_each_followed(item, stop_item_release);
	item->order->left--;
}

/* One that does not end is ended with its cell; nobody waits for it here. */
static void
stop_order_on_stopped(const struct cell_reply *reply, void *arg)
{
	struct stop_item *item = arg;
	struct master_service *service = item->service;

	/* The end of a cell sees to those in it. */
	if ((reply->kind == CELL_REPLY_DONE || reply->status == BAY_NOT_FOUND) &&
	    service->state == SERVICE_STOPPING && service->step == SERVICE_STEP_NONE) {
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		service_settle(service);
	}
	stop_item_leave(item);
	stop_order_go_on(item->order);
}

static void
stop_item_tell(struct stop_item *item, struct cell_process *cell)
{
	int64_t drain_ns = item->order->until_ns - clock_monotonic_ns();
	const struct cell_stop stop = {.service = item->service->config->name,
		.drain_timeout_ns = drain_ns > 0 ? drain_ns : 0};

	cell_process_call(cell, CELL_STOP, cell_stop_to_json(&stop), -1, 0, stop_order_on_stopped, item);
}

/* Tells those whose turn has come. True: others may follow, since some had no cell any more. */
static bool
stop_order_tell(struct stop_order *order)
{
	bool left = false;

	for (size_t i = 0; i < STATUS_PAGE_SERVICES_MAX; i++) {
		struct stop_item *item = &order->items[i];
		struct cell_process *cell;

		if (!item->follows || item->followers > 0 || item->told)
			continue;
		item->told = true;
		cell = master_cell_ready(item->service->cell);
		if (cell != NULL) {
			stop_item_tell(item, cell);
			continue;
		}
		/* Whom it followed may have stood before it. */
		stop_item_leave(item);
		left = true;
	}
	return left;
}

static void
stop_order_go_on(struct stop_order *order)
{
	if (order->done == NULL)
		return;
	while (stop_order_tell(order))
		continue;
	if (order->left == 0)
		stop_order_finish(order);
}

static void
stop_order_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop_order_finish(arg);
}

void
stop_order_begin(struct stop_order *order, int64_t until_ns, void (*done)(void *arg), void *arg)
{
	int64_t left_ns = until_ns - clock_monotonic_ns();
	struct timeval delay = {0};

	if (left_ns > 0)
		delay = (struct timeval){.tv_sec = left_ns / CLOCK_NS_PER_S,
			.tv_usec = left_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};
	order->until_ns = until_ns;
	order->done = done;
	order->arg = arg;
	order->items = xcalloc(STATUS_PAGE_SERVICES_MAX, sizeof(*order->items));
	event_add(order->timer, &delay);
	stop_order_find_items(order);
	stop_order_go_on(order);
}

/* --- lifecycle ------------------------------------------------------------------------------ */

struct stop_order *
stop_order_create(struct supervisor *supervisor)
{
	struct stop_order *order = xcalloc(1, sizeof(*order));

	order->supervisor = supervisor;
	order->timer = evtimer_new(supervisor_base(supervisor), stop_order_on_timer, order);
	return order;
}

void
stop_order_destroy(struct stop_order *order)
{
	if (order == NULL)
		return;
	event_free(order->timer);
	free(order->items);
	free(order);
}
