/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not stay behind when its owner ends: descriptors above all. Whoever makes a
 * thing that holds one lets it belong to the service whose task made it; if that forgets
 * to close it, the end of its instance does. What belongs to no service ends with the
 * scheduler, while the loop still stands.
 *
 *	struct bay_datagram { struct waitable waitable; struct belonging belonging; ... };
 *
 *	belonging_add(&socket->belonging, "socket", datagram_on_end);
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_BELONGING_H
#define BAY_RUNTIME_BELONGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct bay_instance;
struct belonging;
struct scheduler;

/* How the line in the log begins that says what an instance has left open. */
#define BELONGING_LEFT "it ended and left "

/* Ends the thing, which does not belong any more. */
typedef void belonging_end_fn(struct belonging *belonging);

/* Of what takes its time to end: who ends the instance lets it, within limits. */
struct belonging_farewell {
	/* Asks it to end; all of them, before one is waited for. Never suspends. */
	void (*ask)(struct belonging *belonging);
	/* Waits until it has, but not longer than last_ns. Inside a task; may suspend. */
	void (*await)(struct belonging *belonging, int64_t last_ns);
};

/* Part of the thing's struct (container_of). */
struct belonging {
	struct list link;              /* in scheduler->belongings; in none when it has ended */
	struct bay_instance *instance; /* or NULL: the scheduler */
	bool lasting;                  /* the scheduler's, whoever ran */
	const char *kind;              /* "socket" */
	belonging_end_fn *end;
	const struct belonging_farewell *farewell; /* NULL, unless it is set after the thing was added */
	/* Lets nobody in any more, and stays; NULL, unless set likewise: it is a listener. */
	void (*listen_no_more)(struct belonging *belonging);
	void (*listen_again)(struct belonging *belonging); /* it may let in who waits; set likewise */
	bool accepted; /* somebody came in by a listener; set likewise */
};

/* How many there are in this process. Any thread. */
size_t belonging_count(void);

/* To the instance whose code runs, or to the scheduler. kind is borrowed. */
void belonging_add(struct belonging *belonging, const char *kind, belonging_end_fn *end);

/* To the scheduler, whoever runs. */
void belonging_add_to_scheduler(struct belonging *belonging, const char *kind, belonging_end_fn *end);

/* It was ended by its owner. Does nothing to one that does not belong. */
void belonging_remove(struct belonging *belonging);

/* Whether the instance has listeners; whether somebody is there who came in by one. */
bool belonging_listens(const struct scheduler *scheduler, const struct bay_instance *instance);
bool belonging_has_accepted(const struct scheduler *scheduler, const struct bay_instance *instance);

/* How many came in and are there. */
unsigned belonging_accepted(const struct scheduler *scheduler, const struct bay_instance *instance);

/* Whether a listener may let nobody in for the time being; and that may be over for some. */
bool belonging_is_held_back(const struct belonging *belonging);
void belonging_listen_again(struct scheduler *scheduler);

/* Its listeners let nobody in any more. */
void belonging_listen_no_more(struct scheduler *scheduler, const struct bay_instance *instance);

/* Lets end by last_ns what belongs to the instance and takes its time. Inside a task;
 * suspends. */
void belonging_part(struct scheduler *scheduler, const struct bay_instance *instance, int64_t last_ns);

/* Ends all that belongs to the instance and says so in its log, the latest first. */
void belonging_end_of_instance(struct scheduler *scheduler, struct bay_instance *instance);

/* Ends all there is: scheduler_finish() calls it. */
void belonging_end_all(struct scheduler *scheduler);

#endif
