/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/belonging.h"

#include <stdatomic.h>

#include "base/log.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

/* A figure of the process, as its descriptors are. */
static _Atomic size_t belongings;

static void
belonging_add_to(struct belonging *belonging, struct bay_instance *instance, const char *kind,
	belonging_end_fn *end)
{
	belonging->instance = instance;
	belonging->kind = kind;
	belonging->end = end;
	belonging->farewell = NULL;
	belonging->lasting = false;
	belonging->listen_no_more = NULL;
	belonging->listen_again = NULL;
	belonging->accepted = false;
	list_init(&belonging->link);
	list_push_front(&scheduler_here->belongings, &belonging->link);
	atomic_fetch_add_explicit(&belongings, 1, memory_order_relaxed);
}

static void
belonging_leave(struct belonging *belonging)
{
	list_remove(&belonging->link);
	atomic_fetch_sub_explicit(&belongings, 1, memory_order_relaxed);
}

size_t
belonging_count(void)
{
	return atomic_load_explicit(&belongings, memory_order_relaxed);
}

void
belonging_add(struct belonging *belonging, const char *kind, belonging_end_fn *end)
{
	const struct task *self = task_current();

	belonging_add_to(belonging, self != NULL ? self->instance : NULL, kind, end);
}

void
belonging_add_to_scheduler(struct belonging *belonging, const char *kind, belonging_end_fn *end)
{
	belonging_add_to(belonging, NULL, kind, end);
	belonging->lasting = true;
}

void
belonging_remove(struct belonging *belonging)
{
	if (belonging->link.next != NULL && !list_empty(&belonging->link))
		belonging_leave(belonging);
}

bool
belonging_listens(const struct scheduler *scheduler, const struct bay_instance *instance)
{
	list_for_each(pos, &scheduler->belongings) {
		const struct belonging *belonging = container_of(pos, struct belonging, link);

		if (belonging->instance == instance && belonging->listen_no_more != NULL)
			return true;
	}
	return false;
}

unsigned
belonging_accepted(const struct scheduler *scheduler, const struct bay_instance *instance)
{
	unsigned count = 0;

	list_for_each(pos, &scheduler->belongings) {
		const struct belonging *belonging = container_of(pos, struct belonging, link);

		count += belonging->instance == instance && belonging->accepted;
	}
	return count;
}

bool
belonging_has_accepted(const struct scheduler *scheduler, const struct bay_instance *instance)
{
	return belonging_accepted(scheduler, instance) > 0;
}

bool
belonging_is_held_back(const struct belonging *belonging)
{
	return belonging->instance != NULL && scheduler_here->held_back != NULL &&
		scheduler_here->held_back(belonging->instance);
}

void
belonging_listen_again(struct scheduler *scheduler)
{
	list_for_each(pos, &scheduler->belongings) {
		struct belonging *belonging = container_of(pos, struct belonging, link);

		if (belonging->listen_again != NULL)
			belonging->listen_again(belonging);
	}
}

void
belonging_listen_no_more(struct scheduler *scheduler, const struct bay_instance *instance)
{
	list_for_each(pos, &scheduler->belongings) {
		struct belonging *belonging = container_of(pos, struct belonging, link);

		if (belonging->instance == instance && belonging->listen_no_more != NULL)
			belonging->listen_no_more(belonging);
	}
}

/* The latest that belongs to the instance, or NULL. */
static struct belonging *
belonging_of(const struct scheduler *scheduler, const struct bay_instance *instance)
{
	list_for_each(pos, &scheduler->belongings) {
		struct belonging *belonging = container_of(pos, struct belonging, link);

		if (belonging->instance == instance)
			return belonging;
	}
	return NULL;
}

/* The latest of those that have still to be waited for, or NULL. */
static struct belonging *
belonging_to_part(const struct scheduler *scheduler, const struct bay_instance *instance)
{
	list_for_each(pos, &scheduler->belongings) {
		struct belonging *belonging = container_of(pos, struct belonging, link);

		if (belonging->instance == instance && belonging->farewell != NULL)
			return belonging;
	}
	return NULL;
}

void
belonging_part(struct scheduler *scheduler, const struct bay_instance *instance, int64_t last_ns)
{
	struct belonging *belonging;

	list_for_each(pos, &scheduler->belongings) {
		belonging = container_of(pos, struct belonging, link);
		if (belonging->instance == instance && belonging->farewell != NULL)
			belonging->farewell->ask(belonging);
	}
	/* From the start again each time: those of others come and go meanwhile. */
	while ((belonging = belonging_to_part(scheduler, instance)) != NULL) {
		const struct belonging_farewell *farewell = belonging->farewell;

		belonging->farewell = NULL;
		farewell->await(belonging, last_ns);
	}
}

static void
belonging_end(struct belonging *belonging)
{
	belonging_leave(belonging);
	belonging->end(belonging);
}

void
belonging_end_of_instance(struct scheduler *scheduler, struct bay_instance *instance)
{
	const char *kind = NULL;
	struct belonging *belonging;
	size_t count = 0;

	while ((belonging = belonging_of(scheduler, instance)) != NULL) {
		kind = kind == NULL || kind == belonging->kind ? belonging->kind : "object";
		count++;
		belonging_end(belonging);
	}
	if (count > 0)
		log_warn(scheduler->subject != NULL ? scheduler->subject(instance) : NULL,
			BELONGING_LEFT "%zu %s%s open: closed now", count, kind, count > 1 ? "s" : "");
}

void
belonging_end_all(struct scheduler *scheduler)
{
	struct list *first;

	while ((first = list_first(&scheduler->belongings)) != NULL)
		belonging_end(container_of(first, struct belonging, link));
}
