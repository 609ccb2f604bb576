/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/instance_change.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "service/bounds.h"
#include "service/instance.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/settings.h"

struct instance_settings {
	struct instance_settings *older;
	struct settings *settings;        /* a reference */
	bool given;                       /* stays as long as the instance */
};

/* Those that run keep what they have seen, or may have. */
static void
instance_pin_requests(struct bay_instance *instance)
{
	list_for_each(pos, &instance->requests) {
		struct bay_request *request = container_of(pos, struct bay_request, link);

		if (request->settings == NULL)
			request->settings = instance->settings;
	}
}

static bool
instance_settings_in_use(const struct bay_instance *instance, const struct instance_settings *one)
{
	if (one->given)
		return true;
	list_for_each(pos, &instance->requests)
		if (container_of(pos, struct bay_request, link)->settings == settings_struct(one->settings))
			return true;
	return false;
}

/* The first is the present one. What a helper thread does not come back from may have them still,
 * though its request has ended: then they wait for the next change. */
static void
instance_drop_unused(struct bay_instance *instance)
{
	struct instance_settings **at = &instance->changed->older;

	if (!list_empty(&instance->blocking))
		return;
	while (*at != NULL) {
		struct instance_settings *one = *at;

		if (instance_settings_in_use(instance, one)) {
			at = &one->older;
			continue;
		}
		*at = one->older;
		settings_unref(one->settings);
		free(one);
	}
}

static void
instance_change_settings(struct bay_instance *instance, struct settings *settings)
{
	struct instance_settings *one = xcalloc(1, sizeof *one);

	instance_pin_requests(instance);
	/* Those that it began with stay with its code. */
	if (instance->changed != NULL)
		instance->changed->given |= instance->settings_given;
	instance->settings_given = false;
	one->settings = settings_ref(settings);
	one->older = instance->changed;
	instance->changed = one;
	instance->settings = settings_struct(settings);
	instance_drop_unused(instance);
}

void
instance_change(struct bay_instance *instance, struct settings *settings)
{
	struct bay_service *service = instance->service;

	pthread_mutex_lock(&service->lock);
	instance->concurrency = service->limits.concurrency;
	instance->timeout_ns = service->limits.timeout_ns;
	instance->weight = service->limits.weight != 0 ? service->limits.weight : SERVICE_WEIGHT;
	instance->bounded = bounds_are_set(&service->limits);
	pthread_mutex_unlock(&service->lock);
	instance->direct = instance_is_direct(instance);
	/* What a bound has stopped may go on by another one. */
	service_queue_look_again(service);
	if (settings != NULL)
		instance_change_settings(instance, settings);
}

void
instance_forget_changes(struct bay_instance *instance)
{
	struct instance_settings *one;

	while ((one = instance->changed) != NULL) {
		instance->changed = one->older;
		settings_unref(one->settings);
		free(one);
	}
}
