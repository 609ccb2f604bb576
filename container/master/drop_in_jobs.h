/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin files that have changed or gone, until their services are as they ask for. A few are
 * worked on at a time, the others wait for their turn. Part of drop_in.
 *
 *	changed --examined--> the services that run it get the new code, those that failed start;
 *	                      one that nobody names becomes a service, with autoload
 *	gone    ------------> the service that it had become is drained and removed; of others it
 *	                      is noted
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_DROP_IN_JOBS_H
#define BAY_MASTER_DROP_IN_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drop_in_jobs;
struct master;

/* The file of this plugin could not be dealt with now: it is to be told as changed once more,
 * again, in delay_ns. */
typedef void drop_in_again_fn(const char *plugin, int64_t delay_ns, void *arg);

/* What of master it uses is borrowed. NULL: no memory. */
struct drop_in_jobs *drop_in_jobs_create(struct master *master, drop_in_again_fn *again, void *arg)
	__attribute__((warn_unused_result));

/* Nothing more is begun. */
void drop_in_jobs_stop(struct drop_in_jobs *jobs);

/* After the services and the examination, which may still call it. NULL is fine. */
void drop_in_jobs_destroy(struct drop_in_jobs *jobs);

/* The file of this plugin (without .so) is new or another one, or it is to be tried once more, again;
 * or it is gone. */
void drop_in_jobs_changed(struct drop_in_jobs *jobs, const char *plugin, bool again);
void drop_in_jobs_gone(struct drop_in_jobs *jobs, const char *plugin);

#endif
