/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/blocking.h>: what an instance has on helper threads.
 *
 * Owning loop only.
 */
#ifndef BAY_SERVICE_BLOCKING_H
#define BAY_SERVICE_BLOCKING_H

#include <bay/blocking.h>

struct list;

/* Why an instance with these calls cannot stop: which functions do not end. Malloc'd. The list is
 * not empty. */
char *blocking_refusal(const struct list *calls);

#endif
