/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the first of several things, for others of this floor. Owning loop only. */
#ifndef BAY_IO_SELECT_H
#define BAY_IO_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include <bay/select.h>

struct waiter;

/* bay_select() of an await that has begun, with cases that have sense. */
int select_cases(struct bay_case *cases, size_t count, size_t *index_r, int64_t deadline);

/* The handles that a select waits for whose task the waiter parks, where the end of one of them is
 * all that can end it: the next from *place on, 0 at first; NULL behind the last, and for all other
 * waits. */
const struct bay_task *select_awaited_handle(const struct waiter *waiter, size_t *place);

#endif
