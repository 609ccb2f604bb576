/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those who asked for a swap of a service's code, and what they are told.
 *
 * For service_swap and service_probation, which keep them in lists. Master only; never suspends.
 */
#ifndef BAY_MASTER_SWAP_WISH_H
#define BAY_MASTER_SWAP_WISH_H

#include <stdbool.h>

#include "base/list.h"
#include "master/event_log.h"

struct master_service;

enum swap_outcome {
	SWAP_SWAPPED = 0,  /* the new generation serves */
	SWAP_SAME,         /* the file is what runs already */
	SWAP_STARTED,      /* it did not run, and was started */
	SWAP_CANARY,       /* the new generation has its share beside the old one */
	SWAP_ABORTED,      /* it has that no more */
	SWAP_REFUSED,      /* the file or its settings are; nothing was started */
	SWAP_BUSY,         /* a canary runs, or something else is under way, and nothing was done */
	SWAP_FAILED,       /* it could not be done, and nothing was */
	SWAP_ROLLED_BACK   /* the new generation failed, and the old one serves */
};

/* "swapped", "same", "started", "canary", "aborted"; "" for what is an error. */
const char *swap_outcome_name(enum swap_outcome outcome);

/* Who asks, and who is told. May be called before the asking function returns. */
struct swap_wish {
	struct event_by by;
	bool through_probation; /* done is called when that is over */
	int64_t share; /* of a reload: the new code is to be a canary with so many percent; 0: to replace
	                * the old */
	/* A stage has been reached: "examined"; or NULL. */
	void (*stage)(struct master_service *service, const char *stage, void *arg);
	/* It has ended; message is "" or why. NULL: nobody waits. */
	void (*done)(struct master_service *service, enum swap_outcome outcome, const char *message,
		void *arg);
	void *arg;
};

/* The list takes a copy. */
void swap_wishes_add(struct list *list, const struct swap_wish *wish);

/* Who asked first; borrowed. There is one. */
const struct swap_wish *swap_wishes_first(const struct list *list);

/* Moves the first one, and those behind it who ask for the same share. */
void swap_wishes_move_alike(struct list *to, struct list *from);

/* Tells all how far it has come. */
void swap_wishes_tell_stage(struct list *list, struct master_service *service, const char *stage);

/* Moves those who wait for the end of the probation. */
void swap_wishes_move_patient(struct list *to, struct list *from);

/* Tells all how it has ended; the list is empty before the first one is told. message NULL is "". */
void swap_wishes_answer(struct list *list, struct master_service *service, enum swap_outcome outcome,
	const char *message);

#endif
