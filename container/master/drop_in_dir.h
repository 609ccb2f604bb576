/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin files of a directory as they are now. Master only; never suspends. */
#ifndef BAY_MASTER_DROP_IN_DIR_H
#define BAY_MASTER_DROP_IN_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "master/drop_in_state.h"

struct drop_in_dir {
	struct drop_in_look *looks; /* their names are the struct's */
	size_t count;
};

/*
 * Reads the directory fd. For what state has not dealt with yet, and with may_lease, finds out
 * whether somebody writes to it. False: errno says why, and there is nothing to be finished.
 */
bool drop_in_dir_read(struct drop_in_dir *dir, int fd, const struct drop_in_state *state,
	bool may_lease)
	__attribute__((warn_unused_result));

void drop_in_dir_finish(struct drop_in_dir *dir);

#endif
