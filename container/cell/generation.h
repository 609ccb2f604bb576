/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One generation of a service: a version of its code that is loaded, from a plugin's image to
 * instances that serve, and back to nothing. Which of them has the route is for hosted.h.
 *
 *	control thread        loader thread         loops
 *	load ---------------> dlopen, settings
 *	      <-------------- done
 *	initialise --------------------------------> instance, init      (each loop)
 *	      <------------------------------------- done
 *	serve  ------------------------------------> takes the route     (each loop)
 *	      <------------------------------------- done
 *	serving
 *	end  --------------------------------------> drain, stop, fini   (each loop)
 *	      <------------------------------------- done
 *	      --------------> dlclose
 *	      <-------------- done
 *	gone, or stuck: something of it refuses to end
 *
 * One step at a time; a step that has begun is answered. Control thread only, unless it says
 * otherwise; nothing blocks.
 */
#ifndef BAY_CELL_GENERATION_H
#define BAY_CELL_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/threads.h"
#include "cell/host_code.h"
#include "loop/timer.h"

struct bay_instance;
struct bay_service;
struct cell_start;
struct generation;
struct host_instance;
struct hosted;
struct hosting;
struct scheduler;

enum generation_state {
	GENERATION_NEW = 0,  /* has never served */
	GENERATION_SERVING,
	GENERATION_KEPT,     /* another has the route, and it may get it back */
	GENERATION_ENDING,
	GENERATION_STUCK,
	GENERATION_GONE
};

/* A step has ended; message is NULL, or says what failed first. */
typedef void generation_done_fn(struct generation *generation);

struct generation {
	struct list link;                 /* in hosted->generations */
	struct hosted *owner;
	enum generation_state state;      /* its owner may say KEPT, and SERVING again */
	int64_t id;                       /* in this process */
	int64_t number;                   /* of its image: may come again */
	int64_t start_timeout_ns;
	int64_t drain_timeout_ns;
	struct host_code code;
	struct thread_ids threads;        /* that were not ours before it was loaded */
	bool starts_threads;              /* perhaps: it can */
	struct host_instance *instances;  /* of the loops in owner->mask, in their order */
	unsigned instance_count;          /* 0: none has been made */
	unsigned pending;                 /* instances that have not answered the step */
	unsigned travelling;              /* hurries that are on their way */
	unsigned pins;                    /* who uses its code from this thread */
	bool quiet;                       /* all but those and the code have ended */
	bool unloaded;
	generation_done_fn *done;
	generation_done_fn *on_quiet;
	int status;                       /* of the first failure ... */
	char *message;                    /* ... of a step, or of its own, or NULL */
	char *refusal;                    /* STUCK: why */
	bool lingers;                     /* has been told to be so */
	struct timer retry;               /* STUCK, and replaced: it is tried again */
	int64_t retry_ns;
};

/* Takes the descriptor image, or -1. */
struct generation *generation_create(struct hosted *owner, const struct cell_start *start, int image);

/* It must be GONE, with nothing travelling. */
void generation_destroy(struct generation *generation);

/* A failure of its own, to be seen by the next step: the first counts. Takes message. */
void generation_keep_failure(struct generation *generation, int status, char *message);

/* Loads its code; apart: see host_code_load(). Makes its instances and runs their init. */
void generation_load(struct generation *generation, bool apart, generation_done_fn *done);
void generation_initialise(struct generation *generation, generation_done_fn *done);

/* Gives its instances the route, for the first time; gives it back to them. SERVING, if that
 * worked. */
void generation_serve(struct generation *generation, generation_done_fn *done);
void generation_resume(struct generation *generation, generation_done_fn *done);

/* Gives its instances a share of what comes, as canaries; and takes that from them again. */
void generation_try(struct generation *generation, unsigned share, generation_done_fn *done);
void generation_give_up(struct generation *generation, generation_done_fn *done);

/* Its state goes over: see host_instance.h. import takes what the other has exported. */
void generation_hold(struct generation *generation, generation_done_fn *done);
void generation_export(struct generation *generation, generation_done_fn *done);
void generation_import(struct generation *generation, struct generation *from, generation_done_fn *done);

/* Ends it: what it has finishes within drain_ns, then is cancelled; its code is unloaded. One
 * that is STUCK is tried again. on_quiet, or NULL, is called when no instance takes anything any
 * more, whatever else becomes of it. It is GONE or STUCK then; message is not touched. */
void generation_end(struct generation *generation, int64_t drain_ns, generation_done_fn *on_quiet,
	generation_done_fn *done);

/* Of one that is ENDING or held: it drains for drain_ns more at most. */
void generation_hurry(struct generation *generation, int64_t drain_ns);

/* Who has pinned it uses its code no more. */
void generation_unpin(struct generation *generation);

/* Whether all its instances say that who had the route before could be kept. */
bool generation_could_be_kept(const struct generation *generation);

/* Whether its state can go over to the other. */
bool generation_hands_over(const struct generation *from, const struct generation *to);

/* --- for host_instance --------------------------------------------------------------- */

/* A hurry has come back. */
void generation_arrived(struct generation *generation);

/* On the instance's loop: makes it, or NULL. */
struct bay_instance *generation_make_instance(struct generation *generation, struct scheduler *scheduler,
	unsigned index);

#endif
