/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_set.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/topic_pattern.h"

struct topic_set *
topic_set_create(const char *const *patterns, size_t count)
{
	struct topic_set *set = xcalloc(1, sizeof *set);
	size_t i;

	list_init(&set->link);
	set->_exact = map_create();
	set->_wild = map_create();
	for (i = 0; i < count; i++)
		map_put(topic_pattern_is_wild(patterns[i]) ? set->_wild : set->_exact, patterns[i], set);
	return set;
}

void
topic_set_destroy(struct topic_set *set)
{
	if (set == NULL)
		return;
	map_destroy(set->_exact);
	map_destroy(set->_wild);
	free(set);
}

bool
topic_set_has(const struct topic_set *set, const char *topic)
{
	const struct map_entry *entry;

	if (map_get(set->_exact, topic) != NULL)
		return true;
	map_for_each(entry, set->_wild) {
		if (topic_pattern_matches(entry->key, topic))
			return true;
	}
	return false;
}
