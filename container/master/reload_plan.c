/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_keys.h"
#include "config/config_order.h"
#include "master/master_service.h"
#include "master/supervisor.h"

/* It was there before, and something of it is different. */
static enum reload_action
reload_plan_change(const struct master_service *service, const struct config_service *wanted,
	enum config_effect effect, bool retry, bool needed)
{
	bool was_enabled = service->config->enabled;

	if (was_enabled && !wanted->enabled && !needed)
		return RELOAD_STOP;
	/* Who stopped it, or started what is disabled, meant it. */
	if (!service->wanted)
		return needed || (!was_enabled && wanted->enabled) ? RELOAD_START : RELOAD_CONFIGURE;
	/* What it fails by may have been corrected. */
	if (service->state == SERVICE_FAILED || service->state == SERVICE_STOPPED)
		return retry || needed ? RELOAD_START : RELOAD_CONFIGURE;
	return effect == CONFIG_EFFECT_LIVE ? RELOAD_LIVE : RELOAD_GENERATION;
}

enum reload_action
reload_plan(const struct master_service *service, const struct config_service *wanted,
	const struct config_diff *diff, bool retry, bool needed)
{
	enum config_effect effect;

	if (wanted == NULL)
		return RELOAD_REMOVE;
	if (service == NULL)
		return RELOAD_ADD;
	if (!config_diff_service(diff, wanted->name, &effect))
		return needed && (!service->wanted || service->state == SERVICE_FAILED) ? RELOAD_START :
			RELOAD_KEEP;
	/* What a file has become gets a section. */
	if (effect == CONFIG_EFFECT_START && service->source->dropped_in)
		return reload_plan_change(service, wanted, CONFIG_EFFECT_GENERATION, retry, needed);
	/* On its way out since an earlier reload. */
	if (effect == CONFIG_EFFECT_START)
		return RELOAD_ADD;
	return reload_plan_change(service, wanted, effect, retry, needed);
}

/* Whether it begins to run by this. */
static bool
reload_plan_starts(enum reload_action action, const struct config_service *wanted)
{
	return action == RELOAD_START || (action == RELOAD_ADD && wanted->enabled);
}

bool *
reload_plan_needed(const struct supervisor *supervisor, const struct config *to,
	const struct config_diff *diff, bool retry)
{
	struct config_order *order = config_order_create(to, NULL);
	bool *starts = xcalloc(to->service_count + 1, sizeof(*starts));
	bool *needed = xcalloc(to->service_count + 1, sizeof(*needed));

	for (size_t i = 0; i < to->service_count; i++)
		starts[i] = reload_plan_starts(reload_plan(supervisor_find(supervisor,
			to->services[i].name), &to->services[i], diff, retry, false), &to->services[i]);
	memcpy(needed, starts, to->service_count * sizeof(*needed));
	config_order_mark_needed(order, needed);
	for (size_t i = 0; i < to->service_count; i++)
		needed[i] = needed[i] && !starts[i];
	config_order_destroy(order);
	free(starts);
	return needed;
}

bool
reload_plan_examines(enum reload_action action, const struct config_service *wanted,
	const struct config_diff *diff)
{
	enum config_effect effect;

	switch (action) {
	case RELOAD_GENERATION:
		return true;
	case RELOAD_ADD:
	case RELOAD_START:
		return wanted->enabled;
	case RELOAD_CONFIGURE:
		/* It is not started, but what is wrong should be said now. */
		return wanted->enabled && config_diff_service(diff, wanted->name, &effect) &&
			(effect == CONFIG_EFFECT_GENERATION || reload_plan_has_settings(wanted, diff));
	default:
		return false;
	}
}

bool
reload_plan_has_settings(const struct config_service *wanted, const struct config_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++) {
		const struct config_change *change = &diff->changes[i];

		if (change->service != NULL && change->key != NULL &&
		    strcmp(change->service, wanted->name) == 0 &&
		    config_keys_find(&config_service_keys, change->key) == NULL)
			return true;
	}
	return false;
}
