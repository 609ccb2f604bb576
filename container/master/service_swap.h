/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swap of a service's code while it serves, and the way back.
 *
 *	reload    examine the file --> same as what runs: done
 *	                          \--> Swap: the cell has both; the new one serves
 *	                                \--> probation --> passed: Retire, the old one ends
 *	                                              \--> worse, or failed: back
 *	canary    as reload, but Swap gives the new one a share only (service_canary.h)
 *	          \--> promote: Promote, the new one serves; probation, as above
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

#include "master/swap_wish.h"

struct master_service;
struct plugin_image;

/* Swaps to the plugin file as it is now, or begins a canary with it; swaps to the generation that
 * ran before. */
void service_swap_reload(struct master_service *service, const struct swap_wish *wish);
void service_swap_roll_back(struct master_service *service, const struct swap_wish *wish);

/* Puts the canary in the place of what serves; ends it. */
void service_swap_promote(struct master_service *service, const struct swap_wish *wish);
void service_swap_abort(struct master_service *service, const struct swap_wish *wish);

/* Swaps to an image that has been examined already. It is ready, and nothing is under way. */
void service_swap_take(struct master_service *service, struct plugin_image *image,
	const struct swap_wish *wish);

/* --- for service_control, service_steps and service_probation ----------------------- */

void service_swap_init(struct master_service *service);

/* Answers who waits with this failure. */
void service_swap_finish(struct master_service *service, const char *message);

/* The service has come to rest: whoever waits for that is answered, and the next one begins. */
void service_swap_settled(struct master_service *service);

/* It did not run, and the file that it was to be started with was refused. */
void service_swap_was_refused(struct master_service *service, const char *reason);

/* A new image takes the place of image, which is kept as the former one unless it is the same.
 * Takes the reference. */
void service_swap_replace_image(struct master_service *service, struct plugin_image *image);

/* The former image becomes the present one; what that was is kept in its place, or was no good. */
void service_swap_go_back(struct master_service *service, bool keep);

/* On probation, what runs has proved to be no good, for this reason: the cell is told to go back to the
 * former code. */
void service_swap_give_up(struct master_service *service, const char *reason);

/* The cell says how far it has come. */
void service_swap_on_stage(struct master_service *service, int64_t generation, const char *stage);

/* Since when code of it is on trial, on the monotonic clock: it is being swapped to, is a canary or on
 * probation. 0: none is. */
int64_t service_swap_trial_ns(const struct master_service *service);

/*
 * What ran has failed, or its cell has ended, for this reason. True: it was on probation, or about
 * to be swapped; it is to be started again with the former code, which image is now.
 * blamed: it is, or it is the one to suspect (master_cell_suspect).
 */
bool service_swap_failed(struct master_service *service, bool blamed, const char *reason);

#endif
