/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swap of a service's code while it serves, and the way back.
 *
 *	reload    examine the file --> same as what runs: done
 *	                          \--> Swap: the cell has both; the new one serves
 *	                                \--> probation --> passed: Retire, the old one ends
 *	                                              \--> worse, or failed: back
 *	back      Revert: the old one, which was kept, serves again
 *	          else Swap, to the image of the old one; or the next cell starts that
 *
 * One at a time; who asks while one is under way is answered by the next one, which sees the file
 * as it is then. The image that ran before is kept, for the way back. Master only; never
 * suspends.
 */
#ifndef BAY_MASTER_SERVICE_SWAP_H
#define BAY_MASTER_SERVICE_SWAP_H

#include <stdbool.h>
#include <stdint.h>

#include "master/event_log.h"

struct master_service;
struct plugin_image;

enum swap_outcome {
	SWAP_SWAPPED = 0,  /* the new generation serves */
	SWAP_SAME,         /* the file is what runs already */
	SWAP_STARTED,      /* it did not run, and was started */
	SWAP_REFUSED,      /* the file or its settings are; nothing was started */
	SWAP_FAILED,       /* it could not be done, and nothing was */
	SWAP_ROLLED_BACK   /* the new generation failed, and the old one serves */
};

/* "swapped", "same", "started"; "" for what is an error. */
const char *swap_outcome_name(enum swap_outcome outcome);

/* Who asks, and who is told. May be called before the asking function returns. */
struct swap_wish {
	struct event_by by;
	bool through_probation; /* done is called when that is over */
	/* A stage has been reached: "examined"; or NULL. */
	void (*stage)(struct master_service *service, const char *stage, void *arg);
	/* It has ended; message is "" or why. NULL: nobody waits. */
	void (*done)(struct master_service *service, enum swap_outcome outcome, const char *message,
		void *arg);
	void *arg;
};

/* Swaps to the plugin file as it is now; to the generation that ran before. */
void service_swap_reload(struct master_service *service, const struct swap_wish *wish);
void service_swap_roll_back(struct master_service *service, const struct swap_wish *wish);

/* Swaps to an image that has been examined already. It is ready, and nothing is under way. */
void service_swap_take(struct master_service *service, struct plugin_image *image,
	const struct swap_wish *wish);

/* --- for service_control and service_steps --------------------------------------- */

void service_swap_init(struct master_service *service);

/* Answers who waits with this failure. */
void service_swap_finish(struct master_service *service, const char *message);

/* The service has come to rest: whoever waits for that is answered, and the next one begins. */
void service_swap_settled(struct master_service *service);

/* It did not run, and the file that it was to be started with was refused. */
void service_swap_was_refused(struct master_service *service, const char *reason);

/* It is going to be stopped, or started with other code: its probation is over. */
void service_swap_leave(struct master_service *service);

/* It runs with code that has not run before: from now on its requests count for that. */
void service_swap_count_anew(struct master_service *service);

/* A new image takes the place of image, which is kept as the former one unless it is the same.
 * Takes the reference. */
void service_swap_replace_image(struct master_service *service, struct plugin_image *image);

/* The cell says how far it has come. */
void service_swap_on_stage(struct master_service *service, int64_t generation, const char *stage);

/*
 * What ran has failed, or its cell has ended, for this reason. True: it was on probation, or about
 * to be swapped; it is to be started again with the former code, which image is now.
 * blamed: it is, or nobody is.
 */
bool service_swap_failed(struct master_service *service, bool blamed, const char *reason);

#endif
