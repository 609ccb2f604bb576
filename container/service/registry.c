/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One registry a process, in static storage: bay_service() has nothing but a name. A
 * record is found by name under a lock and by number without one, since records never
 * move and never go.
 */
#include "config.h"

#include "service/registry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "runtime/task.h"
#include "service/request.h"

static struct {
	pthread_mutex_t lock;
	struct map *by_name;
	struct bay_service *by_id[REGISTRY_MAX];
	_Atomic unsigned count;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

unsigned registry_max_depth;

void
registry_init(unsigned max_depth)
{
	registry.by_name = map_create();
	registry_max_depth = max_depth <= REQUEST_DEPTH_MAX ? max_depth : REQUEST_DEPTH_MAX;
}

void
registry_finish(void)
{
	unsigned i, count = registry_count();

	for (i = 0; i < count; i++) {
		service_finish(registry.by_id[i]);
		free(registry.by_id[i]);
	}
	atomic_store(&registry.count, 0);
	map_destroy(registry.by_name);
	registry.by_name = NULL;
}

bool
service_name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		bool word = isalnum((unsigned char)name[i]) || name[i] == '_';

		if (i == SERVICE_NAME_SIZE - 1 || (!word && (i == 0 || strchr(".-", name[i]) == NULL)))
			return false;
	}
	return i > 0;
}

/* Without a name by which it is found. */
static struct bay_service *
registry_add(const char *name)
{
	unsigned count = registry_count();
	struct bay_service *service;

	if (count == REGISTRY_MAX)
		return NULL;
	if (posix_memalign((void **)&service, 64, sizeof *service) != 0)
		return NULL;
	service_init(service, name, (uint16_t)count);
	registry.by_id[count] = service;
	atomic_store_explicit(&registry.count, count + 1, memory_order_release);
	return service;
}

struct bay_service *
registry_get(const char *name)
{
	struct bay_service *service;

	if (name == NULL || !service_name_is_valid(name))
		return NULL;
	pthread_mutex_lock(&registry.lock);
	service = map_get(registry.by_name, name);
	if (service == NULL) {
		service = registry_add(name);
		if (service != NULL)
			map_put(registry.by_name, name, service);
	}
	pthread_mutex_unlock(&registry.lock);
	return service;
}

struct bay_service *
registry_add_own(const char *name, const struct service_own *own)
{
	struct bay_service *service;

	pthread_mutex_lock(&registry.lock);
	service = registry_add(name);
	if (service != NULL) {
		service->own = own;
		map_put(registry.by_name, name, service);
	}
	pthread_mutex_unlock(&registry.lock);
	return service;
}

struct bay_service *
registry_add_way(const char *name)
{
	struct bay_service *service;

	pthread_mutex_lock(&registry.lock);
	service = registry_add(name);
	pthread_mutex_unlock(&registry.lock);
	return service;
}

struct bay_service *
registry_find(const char *name)
{
	struct bay_service *service;

	pthread_mutex_lock(&registry.lock);
	service = map_get(registry.by_name, name);
	pthread_mutex_unlock(&registry.lock);
	return service;
}

struct bay_service *
registry_at(uint16_t id)
{
	return registry.by_id[id];
}

unsigned
registry_count(void)
{
	return atomic_load_explicit(&registry.count, memory_order_acquire);
}

/* --- public ------------------------------------------------------------------- */

struct bay_service *
bay_service(const char *name)
{
	struct bay_service *service = registry_get(name);

	if (service == NULL)
		log_error(task_subject(task_current()),
			"bay_service: '%.64s' is no name of a service, or %d names are known already [misuse-argument]",
			name != NULL ? name : "(null)", REGISTRY_MAX);
	return service;
}

const char *
bay_service_name(const struct bay_service *service)
{
	return service != NULL ? service->name : "?";
}
