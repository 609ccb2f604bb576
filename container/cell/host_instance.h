/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instance of a generation, as the control thread handles it: each step is sent to the
 * instance's loop, done there, and answered on the control thread. One step at a time.
 */
#ifndef BAY_CELL_HOST_INSTANCE_H
#define BAY_CELL_HOST_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/inbox.h"
#include "loop/timer.h"

struct bay_instance;
struct bay_message;
struct bay_service;
struct generation;
struct host_instance;
struct loop;
struct scheduler;
struct task;

/* A step, given on the control thread. */
typedef void host_instance_fn(struct host_instance *instance);
/* The answer, called on the control thread. */
typedef void host_instance_done_fn(struct host_instance *instance);

struct host_instance {
	struct generation *owner;
	struct bay_service *service;
	struct scheduler *scheduler;
	struct loop *control;
	unsigned index;
	struct bay_instance *instance;   /* its loop's; NULL: there is none */
	struct inbox_item item;          /* to the loop and back */
	host_instance_done_fn *done;
	struct timer timer;              /* its loop's: a function of the plugin has had its time */
	struct task *busy;               /* its loop's: the task that runs that, or NULL */
	const char *busy_with;           /* "init" */
	int64_t start_timeout_ns;
	int64_t drain_ns;
	int64_t grace_ns;
	bool replaced;                   /* it is stopped because another cell takes its place */
	struct bay_message *state;       /* after export, before import; owned, or NULL */
	uint32_t state_version;
	unsigned share;                  /* percent, before try */
	char *unwell;                    /* what it told last of how it is, malloc'd, or NULL: it is well */
	bool could_be_kept;              /* after serve: who had the route acts no more by itself */

	/* the answer: message NULL, it worked. BAY_BUSY: it refuses to stop */
	int status;
	char *message;
};

void host_instance_init(struct host_instance *instance, struct bay_service *service,
	struct scheduler *scheduler, struct loop *control, unsigned index, struct generation *owner);

/* Nothing may be under way. */
void host_instance_finish(struct host_instance *instance);

/* Makes the instance and runs its init, which has start_timeout_ns; one that has not come
 * back grace_ns later is answered for, and refuses to stop until it has. */
void host_instance_start(struct host_instance *instance);

/* Gives it the route, for the first time, or again. */
void host_instance_serve(struct host_instance *instance);
void host_instance_resume(struct host_instance *instance);

/* Gives it its share of what comes, as a canary; takes that from it for good. */
void host_instance_try(struct host_instance *instance);
void host_instance_give_up(struct host_instance *instance);

/* Lets what comes stay in the queue, and what is in flight end within drain_ns. */
void host_instance_hold(struct host_instance *instance);

/* Lets the plugin write its state; lets it take it over. Both as init. */
void host_instance_export(struct host_instance *instance);
void host_instance_import(struct host_instance *instance);

/* Drains and ends it, if it is there. */
void host_instance_stop(struct host_instance *instance);

/* Of one that is being stopped or held: it drains for drain_ns more at most. Has no answer, but
 * its owner, who may not be destroyed until then, is told by generation_arrived(). */
void host_instance_hurry(struct host_instance *instance, int64_t drain_ns);

#endif
