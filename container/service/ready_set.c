/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/ready_set.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/service.h"

/* Different sets of loops that services of one cell may have. */
#define READY_SETS_MAX 128

/* Of the turns in a row, so many are for those who come anew. */
#define FRESH_TURNS 8

struct ready_set {
	uint64_t mask;
	pthread_mutex_t lock;
	_Atomic unsigned count;
	struct list services;   /* struct bay_service.in_set */
	struct list fresh;      /* likewise: before those, ... */
	unsigned fresh_turns;   /* ... but only so often */
};

static struct {
	pthread_mutex_t lock;
	_Atomic unsigned count;
	struct ready_set *set[READY_SETS_MAX];
	struct scheduler *const *schedulers;
	unsigned loops;
} sets = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
ready_sets_init(struct scheduler *const *schedulers, unsigned count)
{
	sets.schedulers = schedulers;
	sets.loops = count;
}

void
ready_sets_finish(void)
{
	unsigned i, count = atomic_load(&sets.count);

	for (i = 0; i < count; i++) {
		pthread_mutex_destroy(&sets.set[i]->lock);
		free(sets.set[i]);
	}
	atomic_store(&sets.count, 0);
}

static struct ready_set *
ready_set_add(uint64_t mask)
{
	unsigned count = atomic_load(&sets.count);
	struct ready_set *set;

	if (count == READY_SETS_MAX)
		return NULL;
	set = xcalloc(1, sizeof *set);
	set->mask = mask;
	pthread_mutex_init(&set->lock, NULL);
	list_init(&set->services);
	list_init(&set->fresh);
	sets.set[count] = set;
	atomic_store_explicit(&sets.count, count + 1, memory_order_release);
	return set;
}

struct ready_set *
ready_set_for(uint64_t mask)
{
	struct ready_set *set = NULL;
	unsigned i;

	pthread_mutex_lock(&sets.lock);
	for (i = 0; i < sets.count && set == NULL; i++) {
		if (sets.set[i]->mask == mask)
			set = sets.set[i];
	}
	if (set == NULL)
		set = ready_set_add(mask);
	pthread_mutex_unlock(&sets.lock);
	return set;
}

void
ready_set_push(struct ready_set *set, struct bay_service *service, bool fresh)
{
	pthread_mutex_lock(&set->lock);
	list_push_back(fresh ? &set->fresh : &set->services, &service->in_set);
	atomic_store_explicit(&set->count, set->count + 1, memory_order_seq_cst);
	pthread_mutex_unlock(&set->lock);
}

bool
ready_set_remove(struct ready_set *set, struct bay_service *service)
{
	bool listed;

	pthread_mutex_lock(&set->lock);
	listed = !list_empty(&service->in_set);
	if (listed) {
		list_remove(&service->in_set);
		atomic_store_explicit(&set->count, set->count - 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&set->lock);
	return listed;
}

static bool
ready_set_can_serve(const struct bay_service *service, unsigned loop)
{
	const struct bay_instance *instance = service->instances[loop];

	return instance != NULL && instance->takes && instance_room(instance) > 0;
}

static struct bay_service *
ready_set_first(const struct list *services, unsigned loop)
{
	list_for_each(pos, services) {
		struct bay_service *service = container_of(pos, struct bay_service, in_set);

		if (ready_set_can_serve(service, loop))
			return service;
	}
	return NULL;
}

/* Who comes anew goes first, so that it waits for no flood; but those who are flooded have their turn
 * too, however many come anew. */
static struct bay_service *
ready_set_choose(struct ready_set *set, unsigned loop)
{
	struct bay_service *found = NULL;

	if (set->fresh_turns < FRESH_TURNS)
		found = ready_set_first(&set->fresh, loop);
	if (found != NULL) {
		set->fresh_turns++;
		return found;
	}
	set->fresh_turns = 0;
	found = ready_set_first(&set->services, loop);
	return found != NULL ? found : ready_set_first(&set->fresh, loop);
}

static struct bay_service *
ready_set_take(struct ready_set *set, unsigned loop)
{
	struct bay_service *found;

	pthread_mutex_lock(&set->lock);
	found = ready_set_choose(set, loop);
	if (found != NULL) {
		list_remove(&found->in_set);
		atomic_store_explicit(&set->count, set->count - 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&set->lock);
	return found;
}

unsigned
ready_set_count(const struct scheduler *scheduler)
{
	unsigned i, listed = 0, count = atomic_load_explicit(&sets.count, memory_order_acquire);

	for (i = 0; i < count; i++) {
		if ((sets.set[i]->mask >> scheduler->index & 1) != 0)
			listed += atomic_load_explicit(&sets.set[i]->count, memory_order_relaxed);
	}
	return listed;
}

struct bay_service *
ready_set_pop(struct scheduler *scheduler)
{
	unsigned i, count = atomic_load_explicit(&sets.count, memory_order_acquire);
	/* Another set first each time: a flood in one must not hide the others. */
	unsigned turn = scheduler->find_work_turn++;

	for (i = 0; i < count; i++) {
		struct ready_set *set = sets.set[(turn + i) % count];
		struct bay_service *service;

		if ((set->mask >> scheduler->index & 1) == 0 ||
			atomic_load_explicit(&set->count, memory_order_seq_cst) == 0)
			continue;
		service = ready_set_take(set, scheduler->index);
		if (service != NULL)
			return service;
	}
	return NULL;
}

/* As seen from another thread; on its own loop see ready_set_can_serve. A loop that is awake
 * looks for itself before it sleeps, whatever it makes of its room until then. */
static bool
ready_set_sleeps_with_room(const struct bay_service *service, unsigned i, unsigned concurrency)
{
	const struct status_counters *canary;
	uint64_t busy;

	if (!loop_sleeping(&sets.schedulers[i]->loop))
		return false;
	canary = &service->counters[status_canary_column(service->columns, i)];
	busy = atomic_load_explicit(&service->counters[i].in_flight, memory_order_relaxed) +
		atomic_load_explicit(&canary->in_flight, memory_order_relaxed);
	return busy < concurrency;
}

void
ready_set_wake_other(struct ready_set *set, const struct bay_service *service, unsigned concurrency)
{
	const struct scheduler *here = scheduler_here;
	unsigned i;

	loop_fence();
	for (i = 0; i < sets.loops; i++) {
		if ((set->mask >> i & 1) != 0 && sets.schedulers[i] != here &&
			ready_set_sleeps_with_room(service, i, concurrency) && loop_wake(&sets.schedulers[i]->loop))
			return;
	}
}

/* Whether the loop will do nothing before it looks for work. A task that goes on may compute for
 * long; so may the one that ran it eagerly, when it parks. */
static bool
ready_set_is_next(const struct scheduler *here, bool parks)
{
	if (here->ready_head != NULL)
		return false;
	return here->current == NULL || (parks && here->current->caller == NULL);
}

void
ready_set_wake(struct ready_set *set, const struct bay_service *service, unsigned concurrency, bool parks)
{
	const struct scheduler *here = scheduler_here;

	if (here != NULL && (set->mask >> here->index & 1) != 0 && ready_set_is_next(here, parks) &&
		ready_set_can_serve(service, here->index))
		return;
	ready_set_wake_other(set, service, concurrency);
}
