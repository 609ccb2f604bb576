/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_group.h"

#include <stdlib.h>
#include <string.h>

#include "config/config_order.h"
#include "master/event_log.h"
#include "master/master_service.h"
#include "master/service_order.h"
#include "master/service_steps.h"
#include "master/supervisor.h"

/* --- who goes with whom ------------------------------------------------------------------ */

enum config_strategy
service_group_strategy(const struct master_service *service)
{
	const struct config_group *group = *service->config->group != '\0' ?
		config_find_group(supervisor_config(service->supervisor), service->config->group) : NULL;

	return group != NULL ? group->strategy : CONFIG_ONE_FOR_ONE;
}

static bool
group_has_both(const struct master_service *service, const struct master_service *other)
{
	const char *group = service->config->group;

	return service != other && *group != '\0' && !other->gone && strcmp(group, other->config->group) == 0;
}

static bool
group_comes_after(const struct master_service *service, const struct master_service *other)
{
	/* New ones have no rank before their configuration is in force. */
	return service->rank != other->rank ? service->rank > other->rank : service->slot > other->slot;
}

bool
service_group_follows(const struct master_service *service, const struct master_service *other)
{
	return group_has_both(service, other) && group_comes_after(service, other) &&
		service_group_strategy(service) != CONFIG_ONE_FOR_ONE;
}

/* Whether the failure of the other one is one of the service, too. */
static bool
group_goes_with(const struct master_service *service, const struct master_service *other)
{
	return service_group_follows(service, other) || (group_has_both(service, other) &&
		service_group_strategy(service) == CONFIG_ONE_FOR_ALL);
}

void
service_group_rank(struct supervisor *supervisor, const struct config *config)
{
	struct config_order *order = config_order_create(config, NULL);
	const size_t *sorted = config_order_sorted(order);

	for (size_t i = 0; i < config->service_count; i++) {
		struct master_service *service = supervisor_find(supervisor, config->services[sorted[i]].name);

		if (service != NULL)
			service->rank = i;
	}
	config_order_destroy(order);
}

/* --- failures ----------------------------------------------------------------------------- */

void
service_group_failed(struct master_service *service)
{
	service->group_due = true;
	service_order_touch(supervisor_order(service->supervisor));
}

/* All of them are leaving before the first one stops: they stop in their order. */
static void
group_leave(const struct master_service *failed)
{
	const struct supervisor *supervisor = failed->supervisor;

	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *other = supervisor_service(supervisor, i);

		if (!other->wanted || other->leaving || !group_goes_with(other, failed) ||
		    (other->state != SERVICE_READY && other->step != SERVICE_STEP_START))
			continue;
		other->leaving = true;
		other->again = true;
		other->restarts++;
		other->by = (struct event_by){0};
		master_service_note(other, EVENT_ASKED, "to restart it with %s of its group %s, which has failed",
			failed->config->name, failed->config->group);
	}
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *other = supervisor_service(supervisor, i);

		if (other->leaving && other->state == SERVICE_READY && group_goes_with(other, failed))
			service_settle(other);
	}
}

void
service_group_turn(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *service = supervisor_service(supervisor, i);

		if (!service->group_due)
			continue;
		service->group_due = false;
		group_leave(service);
	}
}

/* --- starts ------------------------------------------------------------------------------- */

enum group_answer
service_group_ask(const struct master_service *service, const struct master_service *other)
{
	bool before = service_group_follows(service, other);

	if (!group_goes_with(service, other))
		return GROUP_GO;
	switch (other->state) {
	case SERVICE_FAILED:
		if (other->next_try_ns != 0 || other->given_up)
			return GROUP_NEVER;
		/* That one waits for this one, or for a third. */
		return other->grouped && other->wanted && before ? GROUP_WAIT : GROUP_GO;
	case SERVICE_STARTING:
		return before ? GROUP_WAIT : GROUP_GO;
	case SERVICE_STOPPED:
		return other->wanted && before ? GROUP_WAIT : GROUP_GO;
	case SERVICE_STOPPING:
		return other->wanted ? GROUP_WAIT : GROUP_GO;
	case SERVICE_READY:
		return other->leaving ? GROUP_WAIT : GROUP_GO;
	}
	return GROUP_GO;
}

/* --- queries ------------------------------------------------------------------------------ */

bool
service_group_each(const struct master_service *service,
	bool (*fn)(const struct master_service *member, void *arg), void *arg)
{
	const struct supervisor *supervisor = service->supervisor;
	const struct master_service *last = NULL;

	for (;;) {
		const struct master_service *next = NULL;

		for (size_t i = 0; i < supervisor_count(supervisor); i++) {
			const struct master_service *other = supervisor_service(supervisor, i);

			if ((other != service && !group_has_both(service, other)) ||
			    (last != NULL && (other == last || !group_comes_after(other, last))) ||
			    (next != NULL && group_comes_after(other, next)))
				continue;
			next = other;
		}
		if (next == NULL)
			return true;
		if (!fn(next, arg))
			return false;
		last = next;
	}
}
