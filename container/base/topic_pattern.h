/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics and the patterns that stand for many: see <bay/topic.h>. Pure functions over texts. */
#ifndef BAY_BASE_TOPIC_PATTERN_H
#define BAY_BASE_TOPIC_PATTERN_H

#include <stdbool.h>

/* Whether it is a topic; whether it is a pattern, which every topic is, too. */
bool topic_is_valid(const char *topic);
bool topic_pattern_is_valid(const char *pattern);

/* Whether a valid pattern has wildcards. */
bool topic_pattern_is_wild(const char *pattern);

/* Whether a valid pattern stands for a valid topic. */
bool topic_pattern_matches(const char *pattern, const char *topic);

#endif
