/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many patterns as one: what another cell wants of the topics. It does not change once it is made,
 * so any number of publishers look at it at once.
 */
#ifndef BAY_SERVICE_TOPIC_SET_H
#define BAY_SERVICE_TOPIC_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct feed;
struct map;

/* Members are private, but for the first two. */
struct topic_set {
	struct list link;          /* the registry's, see topic.h */
	struct feed *feed;         /* that gets what it has; borrowed */
	struct map *_exact;        /* those without wildcards; the values are of no matter */
	struct map *_wild;
};

/* Of valid patterns, which are copied. Any thread, as all of these. */
struct topic_set *topic_set_create(const char *const *patterns, size_t count)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void topic_set_destroy(struct topic_set *set);

/* Whether one of them stands for a valid topic. */
bool topic_set_has(const struct topic_set *set, const char *topic);

#endif
