/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a swap, whoever wished it (service_swap.h): examine the file, tell the cell, take its answer,
 * go back. Declared in service_swap.h is what others than that see of them.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SWAP_STEPS_H
#define BAY_MASTER_SWAP_STEPS_H

struct master_service;
struct plugin_image;

#define SWAP_CANARY_NEEDS_ANOTHER "it does not serve, and a canary needs what serves beside it [swap-refused]"

/* Examines the file as it is now, and swaps to it for those of swap.served. */
void swap_steps_examine(struct master_service *service);

/* Tells the cell to swap to an image (borrowed), or to go back to the former one. */
void swap_steps_forward(struct master_service *service, struct plugin_image *image);
void swap_steps_back(struct master_service *service);

/* Tells the cell to put the canary, which is swap.image, in the place of what serves. */
void swap_steps_promote(struct master_service *service);

/* Nothing is swapped to. */
void swap_steps_drop(struct master_service *service);

#endif
