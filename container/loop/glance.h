/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loop looks at whenever it looks for work: memory that another process writes to, of
 * which nobody tells while the loop is awake. Before it sleeps the other side is told that it
 * has to wake us by a descriptor.
 *
 * Owning thread only.
 */
#ifndef BAY_LOOP_GLANCE_H
#define BAY_LOOP_GLANCE_H

#include <stdbool.h>

#include "base/list.h"

struct glance;
struct loop;

/* Whether there was something, which has been taken care of. Costs next to nothing when there
 * was not: it is asked all the time. */
typedef bool glance_look_fn(struct glance *glance);

/* The loop is about to sleep and will look once more, after a loop_fence(); or has woken. */
typedef void glance_sleeps_fn(struct glance *glance, bool sleeps);

/* Part of the caller's struct (container_of). */
struct glance {
	struct list _link;      /* in the loop's */
	glance_look_fn *look;
	glance_sleeps_fn *sleeps;
};

/* From now on; until glance_end(). Neither from within look or sleeps. */
void glance_begin(struct glance *glance, struct loop *loop, glance_look_fn *look, glance_sleeps_fn *sleeps);
void glance_end(struct glance *glance);

#endif
