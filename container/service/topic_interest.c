/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_interest.h"

#include <pthread.h>
#include <stdint.h>

#include "base/map.h"

/* One a process, as the registry of topics is. */
static struct {
	pthread_mutex_t lock;
	struct map *patterns[TOPIC_CLASSES]; /* of how many have it, as a pointer; NULL: empty */
	topic_interest_fn *changed;
	void *arg;
} interest = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
interest_changed(void)
{
	if (interest.changed != NULL)
		interest.changed(interest.arg);
}

void
topic_interest_add(enum topic_class class, const char *pattern)
{
	uintptr_t count;

	pthread_mutex_lock(&interest.lock);
	if (interest.patterns[class] == NULL)
		interest.patterns[class] = map_create();
	count = (uintptr_t)map_get(interest.patterns[class], pattern);
	map_put(interest.patterns[class], pattern, (void *)(count + 1));
	if (count == 0)
		interest_changed();
	pthread_mutex_unlock(&interest.lock);
}

void
topic_interest_remove(enum topic_class class, const char *pattern)
{
	struct map *patterns;
	uintptr_t count;

	pthread_mutex_lock(&interest.lock);
	patterns = interest.patterns[class];
	count = (uintptr_t)map_get(patterns, pattern);
	if (count > 1)
		map_put(patterns, pattern, (void *)(count - 1));
	else
		map_remove(patterns, pattern);
	if (map_size(patterns) == 0) {
		map_destroy(patterns);
		interest.patterns[class] = NULL;
	}
	if (count == 1)
		interest_changed();
	pthread_mutex_unlock(&interest.lock);
}

void
topic_interest_watch(topic_interest_fn *changed, void *arg)
{
	pthread_mutex_lock(&interest.lock);
	interest.changed = changed;
	interest.arg = arg;
	pthread_mutex_unlock(&interest.lock);
}

void
topic_interest_each(enum topic_class class, topic_interest_each_fn *fn, void *arg)
{
	const struct map_entry *entry;

	pthread_mutex_lock(&interest.lock);
	if (interest.patterns[class] != NULL) {
		map_for_each(entry, interest.patterns[class])
			fn(entry->key, arg);
	}
	pthread_mutex_unlock(&interest.lock);
}
