/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of a hosted service, as the control thread handles it: each step is sent
 * to the instance's loop, done there, and answered on the control thread.
 */
#ifndef BAY_CELL_HOST_INSTANCE_H
#define BAY_CELL_HOST_INSTANCE_H

#include <stdint.h>

#include "loop/inbox.h"
#include "loop/timer.h"

struct bay_instance;
struct bay_service;
struct host_instance;
struct hosted;
struct loop;
struct scheduler;
struct task;

/* A step, given on the control thread. */
typedef void host_instance_fn(struct host_instance *instance);
/* The answer, called on the control thread. */
typedef void host_instance_done_fn(struct host_instance *instance);

struct host_instance {
	struct hosted *owner;
	struct bay_service *service;
	struct scheduler *scheduler;
	struct loop *control;
	unsigned index;
	struct bay_instance *instance;   /* its loop's; NULL: there is none */
	struct inbox_item item;          /* to the loop and back */
	host_instance_done_fn *done;
	struct timer timer;              /* its loop's: init has had its time */
	struct task *init;               /* its loop's: the task that runs init, or NULL */
	int64_t start_timeout_ns;
	int64_t drain_ns;
	int64_t grace_ns;

	/* the answer: message NULL, it worked. BAY_BUSY: it refuses to stop */
	int status;
	char *message;
};

void host_instance_init(struct host_instance *instance, struct bay_service *service,
	struct scheduler *scheduler, struct loop *control, unsigned index, struct hosted *owner);

/* Makes the instance and runs its init, which has start_timeout_ns; one that has not come
 * back grace_ns later is answered for, and refuses to stop until it has. */
void host_instance_start(struct host_instance *instance);

/* Lets it serve. */
void host_instance_serve(struct host_instance *instance);

/* Drains and ends it, if it is there. */
void host_instance_stop(struct host_instance *instance);

/* Of one that is being stopped: it drains for drain_ns more at most. Has no answer. */
void host_instance_hurry(struct host_instance *instance, int64_t drain_ns);

#endif
