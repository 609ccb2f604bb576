/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_order.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/code.h"
#include "config/config_data.h"
#include "config/config_names.h"
#include "master/event_log.h"
#include "master/master_service.h"
#include "master/service_control.h"
#include "master/service_group.h"
#include "master/service_steps.h"
#include "master/supervisor.h"

struct service_order {
	struct supervisor *supervisor;
	struct event *turn;
};

/* The first part of a reason that goes into another one. */
enum { ORDER_REASON_MAX = 400 };

/* --- who follows whom --------------------------------------------------------------------- */

/* A walk through all that a service names. A zeroed struct begins it. */
struct order_walk {
	int relations; /* that have been begun */
	const char *list;
};

/* The next one that there is, and by which key; NULL: there are no more. */
static struct master_service *
order_next(const struct master_service *service, struct order_walk *walk,
	enum config_relation *relation_r)
{
	char name[CONFIG_NAME_MAX + 1];
	struct master_service *found;

	for (;;) {
		while (walk->list == NULL || !config_names_next(&walk->list, name)) {
			if (walk->relations == CONFIG_RELATIONS)
				return NULL;
			walk->list = config_relation_list(service->config, walk->relations++);
		}
		found = supervisor_find(service->supervisor, name);
		*relation_r = walk->relations - 1;
		if (found != NULL && found != service)
			return found;
	}
}

static bool
order_follows(const struct master_service *service, const struct master_service *other)
{
	return service != other && config_service_follows(service->config, other->config->name);
}

static bool
order_requires(const struct master_service *service, const struct master_service *other)
{
	return service != other && config_names_have(service->config->requires, other->config->name);
}

/* --- may it start ----------------------------------------------------------------------------- */

enum order_answer {
	ORDER_GO = 0,
	ORDER_WAIT,
	ORDER_NEVER /* as things are */
};

/* It runs, and is about not to. */
static bool
order_is_leaving(const struct master_service *service)
{
	return !service->wanted || service->leaving;
}

/* Whether one that follows this one may start. */
static enum order_answer
order_ask(const struct master_service *service, enum config_relation relation)
{
	enum order_answer without = relation == CONFIG_REQUIRES ? ORDER_NEVER : ORDER_GO;

	switch (service->state) {
	case SERVICE_READY:
		return order_is_leaving(service) ? ORDER_WAIT : ORDER_GO;
	case SERVICE_STARTING:
		return ORDER_WAIT;
	case SERVICE_STOPPING:
		return service_refuses_to_stop(service) && !service->wanted ? without : ORDER_WAIT;
	case SERVICE_STOPPED:
		return service->wanted ? ORDER_WAIT : without;
	case SERVICE_FAILED:
		return without;
	}
	return ORDER_GO;
}

/* What stands in its way; NULL: nothing. One that is hopeless comes before those that are late. */
static struct master_service *
order_obstacle(const struct master_service *service, enum order_answer *answer_r)
{
	struct master_service *found = NULL, *other;
	struct order_walk walk = {0};
	enum config_relation relation;

	*answer_r = ORDER_GO;
	while ((other = order_next(service, &walk, &relation)) != NULL) {
		enum order_answer answer = order_ask(other, relation);

		if (answer <= *answer_r)
			continue;
		*answer_r = answer;
		found = other;
	}
	return found;
}

/* The same of its group. */
static struct master_service *
order_group_obstacle(const struct master_service *service, enum group_answer *answer_r)
{
	struct master_service *found = NULL;

	*answer_r = GROUP_GO;
	for (size_t i = 0; *service->config->group != '\0' && i < supervisor_count(service->supervisor); i++) {
		struct master_service *other = supervisor_service(service->supervisor, i);
		enum group_answer answer = service_group_ask(service, other);

		if (answer <= *answer_r)
			continue;
		*answer_r = answer;
		found = other;
	}
	return found;
}

/* It is needed, and nobody has started it with the one that needs it. */
static void
order_start_required(const struct master_service *service)
{
	struct order_walk walk = {0};
	enum config_relation relation;
	struct master_service *other;

	while ((other = order_next(service, &walk, &relation)) != NULL) {
		if (relation != CONFIG_REQUIRES || other->state != SERVICE_STOPPED || other->wanted)
			continue;
		other->by = service->by;
		master_service_note(other, EVENT_ASKED, "to start it, since %s requires it",
			service->config->name);
		service_order_start(other, NULL, NULL);
	}
}

/* Whether all that it requires may still come, as far as is known of them now. */
static bool
order_hopes(const struct master_service *service)
{
	struct order_walk walk = {0};
	enum config_relation relation;
	const struct master_service *other;

	while ((other = order_next(service, &walk, &relation)) != NULL) {
		if (relation == CONFIG_REQUIRES && other->state == SERVICE_FAILED &&
		    other->next_try_ns == 0 && !service_order_has_hope(other))
			return false;
	}
	for (size_t i = 0; service->grouped && i < supervisor_count(service->supervisor); i++) {
		other = supervisor_service(service->supervisor, i);
		if (other->given_up && service_group_ask(service, other) == GROUP_NEVER)
			return false;
	}
	return true;
}

bool
service_order_has_hope(const struct master_service *service)
{
	return service->blocked && service->hopes;
}

/* grouped: the obstacle is of its group. */
static void
order_fail(struct master_service *service, const struct master_service *obstacle, bool grouped)
{
	const struct code *code;
	const char *why = obstacle->reason != NULL ? obstacle->reason : service_state_name(obstacle->state);
	int length = (int)code_split(why, &code);
	char *reason;

	if (length > ORDER_REASON_MAX)
		length = ORDER_REASON_MAX;
	reason = grouped ? xasprintf("%s of its group %s has failed: %.*s [service-group]",
		obstacle->config->name, service->config->group, length, why) :
		xasprintf("it requires %s, which %s: %.*s [service-requires]", obstacle->config->name,
		obstacle->state == SERVICE_FAILED ? "has failed" : "does not run", length, why);
	master_service_note(service, EVENT_FAILED, "%s", reason);
	master_service_set_state(service, SERVICE_FAILED, "%s", reason);
	service->blocked = true;
	service->grouped = grouped;
	service->hopes = order_hopes(service);
	free(reason);
	service_settle(service);
}

bool
service_order_may_start(struct master_service *service)
{
	int64_t now_ns = clock_monotonic_ns();
	struct master_service *obstacle, *mate;
	enum order_answer answer;
	enum group_answer group;

	/* It ran a moment ago, and a reload only changes how. */
	if (service->undo != NULL)
		return true;
	order_start_required(service);
	obstacle = order_obstacle(service, &answer);
	mate = order_group_obstacle(service, &group);
	if (answer == ORDER_NEVER || group == GROUP_NEVER) {
		order_fail(service, answer == ORDER_NEVER ? obstacle : mate, answer != ORDER_NEVER);
		return false;
	}
	if (answer == ORDER_GO && group == GROUP_WAIT) {
		answer = ORDER_WAIT;
		obstacle = mate;
		/* That one may have waited for this one to be on its way. */
		if (!service->waits)
			service_order_touch(supervisor_order(service->supervisor));
	}
	if (!service->waits)
		service->wait_ns = now_ns;
	service->wait_took_ns = now_ns - service->wait_ns;
	if (answer == ORDER_WAIT)
		service->delayed_by = obstacle;
	else if (!service->waits)
		service->delayed_by = NULL;
	service->waits = answer == ORDER_WAIT;
	return !service->waits;
}

/* --- may it stop ---------------------------------------------------------------------------------- */

/* Whether the other one, which follows, is to stop and has not yet. */
static bool
order_is_in_the_way(const struct master_service *other)
{
	if (other->state == SERVICE_STOPPING)
		return true;
	return (other->state == SERVICE_READY || other->step == SERVICE_STEP_START) &&
		order_is_leaving(other);
}

static struct master_service *
order_straggler(const struct master_service *service)
{
	for (size_t i = 0; i < supervisor_count(service->supervisor); i++) {
		struct master_service *other = supervisor_service(service->supervisor, i);

		if (order_is_in_the_way(other) &&
		    (order_follows(other, service) || service_group_follows(other, service)))
			return other;
	}
	return NULL;
}

bool
service_order_may_stop(const struct master_service *service)
{
	/* Then stop_order sees to it. */
	return supervisor_is_stopping(service->supervisor) || order_straggler(service) == NULL;
}

/* It is to stop. When one that should stop before does not, nobody knows how long it serves on. */
static void
order_look_at_stop(struct master_service *service)
{
	const struct master_service *straggler = order_straggler(service);
	char *text;

	if (straggler == NULL) {
		service_settle(service);
		return;
	}
	if (!service_refuses_to_stop(straggler))
		return;
	text = xasprintf("it stops after %s, which does not end: %s", straggler->config->name,
		straggler->reason);
	service_waiters_fail(service, BAY_BUSY, text);
	free(text);
}

/* --- turns ------------------------------------------------------------------------------------------ */

/* It was told to others only now: they look at theirs again. */
static void
order_hope_again(struct master_service *service)
{
	bool before = service->hopes;

	service->hopes = order_hopes(service);
	if (service->hopes == before)
		return;
	service_close_listeners(service);
	service_order_touch(supervisor_order(service->supervisor));
}

/* All that it requires are ready again. */
static bool
order_is_free(const struct master_service *service)
{
	struct order_walk walk = {0};
	enum config_relation relation;
	const struct master_service *other;

	while ((other = order_next(service, &walk, &relation)) != NULL) {
		if (relation == CONFIG_REQUIRES &&
		    (other->state != SERVICE_READY || order_is_leaving(other)))
			return false;
	}
	for (size_t i = 0; service->grouped && i < supervisor_count(service->supervisor); i++)
		if (service_group_ask(service, supervisor_service(service->supervisor, i)) != GROUP_GO)
			return false;
	return true;
}

static void
order_look_at(struct master_service *service)
{
	if (service->step != SERVICE_STEP_NONE)
		return;
	if (service->state == SERVICE_STARTING && service->waits) {
		service_start_in_turn(service);
	} else if (service->state == SERVICE_FAILED && service->blocked && service->wanted) {
		if (order_is_free(service))
			service_begin_start(service);
		else
			order_hope_again(service);
	} else if (service->state == SERVICE_READY && order_is_leaving(service)) {
		order_look_at_stop(service);
	}
}

/* Some may come and go meanwhile: who comes to rest by that has it looked at again. */
static void
order_on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct service_order *order = arg;

	(void)fd;
	(void)what;
	if (supervisor_is_stopping(order->supervisor))
		return;
	service_group_turn(order->supervisor);
	for (size_t i = 0; i < supervisor_count(order->supervisor); i++)
		order_look_at(supervisor_service(order->supervisor, i));
}

void
service_order_touch(struct service_order *order)
{
	event_active(order->turn, EV_TIMEOUT, 0);
}

/* --- companions -------------------------------------------------------------------------------------- */

/* Whether this happens to the other one with the service, directly. */
static bool
order_goes_along(const struct master_service *service, const struct master_service *other,
	enum service_order_wish wish)
{
	switch (wish) {
	case SERVICE_ORDER_START:
		return service != other && (!other->wanted || other->state == SERVICE_FAILED) &&
			(order_requires(service, other) ||
			 config_names_have(service->config->wants, other->config->name));
	case SERVICE_ORDER_STOP:
		return (other->wanted || other->state == SERVICE_STOPPING) && order_requires(other, service);
	case SERVICE_ORDER_RESTART:
		return other->wanted && (other->state == SERVICE_READY || other->step == SERVICE_STEP_START) &&
			order_requires(other, service);
	}
	return false;
}

struct master_service **
service_order_companions(const struct master_service *service, enum service_order_wish wish)
{
	size_t all = supervisor_count(service->supervisor);
	struct master_service **list = xcalloc(all + 1, sizeof(*list));
	const struct master_service **open = xcalloc(all + 2, sizeof(*open));
	bool *marks = xcalloc(all + 1, sizeof(*marks));
	size_t opened = 1, count = 0;

	open[0] = service;
	for (size_t at = 0; at < opened; at++) {
		for (size_t i = 0; i < all; i++) {
			struct master_service *other = supervisor_service(service->supervisor, i);

			if (marks[i] || other == service || !order_goes_along(open[at], other, wish))
				continue;
			marks[i] = true;
			open[opened++] = other;
		}
	}
	for (size_t i = 0; i < all; i++)
		if (marks[i])
			list[count++] = supervisor_service(service->supervisor, i);
	free(marks);
	free(open);
	return list;
}

/* Who asked for the one asked for the other. */
static void
order_note_companion(struct master_service *other, const struct master_service *service,
	const char *wish)
{
	other->by = service->by;
	master_service_note(other, EVENT_ASKED, "to %s with %s", wish, service->config->name);
}

/* --- wishes -------------------------------------------------------------------------------------------- */

void
service_order_start(struct master_service *service, service_done_fn *done, void *arg)
{
	struct master_service **others = service_order_companions(service, SERVICE_ORDER_START);

	for (size_t i = 0; others[i] != NULL; i++) {
		order_note_companion(others[i], service, "start it");
		service_control_start(others[i], NULL, NULL);
	}
	free(others);
	service_control_start(service, done, arg);
}

void
service_order_stop(struct master_service *service, bool now, service_done_fn *done, void *arg)
{
	struct master_service **others = service_order_companions(service, SERVICE_ORDER_STOP);

	/* All of them first: each waits for those that are to stop. */
	for (size_t i = 0; others[i] != NULL; i++)
		others[i]->wanted = false;
	for (size_t i = 0; others[i] != NULL; i++) {
		order_note_companion(others[i], service, now ? "stop it now" : "stop it");
		service_control_stop(others[i], now, NULL, NULL);
	}
	free(others);
	service_control_stop(service, now, done, arg);
}

void
service_order_restart(struct master_service *service, service_done_fn *done, void *arg)
{
	if (service->state == SERVICE_READY && service->step == SERVICE_STEP_NONE)
		service_control_restart(service, done, arg);
	else
		service_order_start(service, done, arg);
}

void
service_order_leave(struct master_service *service)
{
	struct master_service **others = service_order_companions(service, SERVICE_ORDER_RESTART);

	service->leaving = true;
	for (size_t i = 0; others[i] != NULL; i++)
		others[i]->leaving = true;
	for (size_t i = 0; others[i] != NULL; i++) {
		others[i]->again = true;
		order_note_companion(others[i], service, "restart it");
		if (others[i]->state == SERVICE_READY)
			service_settle(others[i]);
	}
	free(others);
	service_settle(service);
}

/* --- queries ------------------------------------------------------------------------------------------- */

bool
service_order_each_awaited(const struct master_service *service,
	bool (*fn)(const struct master_service *awaited, void *arg), void *arg)
{
	struct order_walk walk = {0};
	enum config_relation relation;
	const struct master_service *other;
	bool starts = service->state == SERVICE_STARTING && service->waits;

	while ((starts || (service->state == SERVICE_FAILED && service->blocked)) &&
	       (other = order_next(service, &walk, &relation)) != NULL)
		if (order_ask(other, relation) != ORDER_GO && !fn(other, arg))
			return false;
	for (size_t i = 0; i < supervisor_count(service->supervisor); i++) {
		other = supervisor_service(service->supervisor, i);
		if ((starts || service->grouped) && service_group_ask(service, other) != GROUP_GO &&
		    !fn(other, arg))
			return false;
		if (service->state == SERVICE_READY && order_is_leaving(service) &&
		    order_is_in_the_way(other) && (order_follows(other, service) ||
		    service_group_follows(other, service)) && !fn(other, arg))
			return false;
	}
	return true;
}

/* --- lifecycle ----------------------------------------------------------------------------------------- */

struct service_order *
service_order_create(struct supervisor *supervisor)
{
	struct service_order *order = xcalloc(1, sizeof(*order));

	order->supervisor = supervisor;
	order->turn = evtimer_new(supervisor_base(supervisor), order_on_turn, order);
	return order;
}

void
service_order_destroy(struct service_order *order)
{
	if (order == NULL)
		return;
	event_free(order->turn);
	free(order);
}
