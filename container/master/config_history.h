/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configurations that were in force, the last ten of them, each with a number that is
 * never given again while bayd runs. In memory only. Has one owner.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_CONFIG_HISTORY_H
#define BAY_MASTER_CONFIG_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct config;

enum { CONFIG_HISTORY_MAX = 10 };

struct config_history_entry {
	int64_t number;        /* from 1, in the order of time */
	int64_t since_wall_ns; /* when it came into force */
	char *why;             /* "start", "reload", "set square.timeout = 3s", ... and by whom */
	struct config *config; /* a reference */
};

/* The newest is the last. A zeroed struct is empty. */
struct config_history {
	struct config_history_entry entries[CONFIG_HISTORY_MAX];
	size_t count;
	int64_t last_number;
};

/* Adds one that comes into force, with a reference of its own; drops the oldest if need be. */
void config_history_add(struct config_history *history, struct config *config, const char *why);

/* The newest has been replaced by one that says the same. */
void config_history_renew(struct config_history *history, struct config *config);

/* NULL: there is none of this number, or no more. Borrowed. */
struct config *config_history_find(const struct config_history *history, int64_t number);

void config_history_finish(struct config_history *history);

#endif
