/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the first of several things, for others of this floor. Owning loop only. */
#ifndef BAY_IO_SELECT_H
#define BAY_IO_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include <bay/select.h>

/* bay_select() of an await that has begun, with cases that have sense. */
int select_cases(struct bay_case *cases, size_t count, size_t *index_r, int64_t deadline);

#endif
