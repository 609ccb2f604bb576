/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree as its groups see it. Only for the files of cgroup*. */
#ifndef BAY_MASTER_CGROUP_TREE_H
#define BAY_MASTER_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct buffer;

struct cgroup_tree {
	char *path;
	char *home;           /* where we were before */
	int dirfd;
	unsigned controllers; /* that its groups have */
	uint64_t serial;      /* of the last group */
	struct list groups;   /* struct cgroup_group.in_tree */
	bool entered;         /* we are in its group "master" */
	bool litter;          /* a group could not be removed yet */
};

/* A small file. False: errno says why; what stands in it is ended by a NUL. */
bool cgroup_read(int dirfd, const char *file, struct buffer *text)
	__attribute__((warn_unused_result));
bool cgroup_write(int dirfd, const char *file, const char *text)
	__attribute__((warn_unused_result));

/* Ends what is in a group and below, and removes it. False: not yet. */
bool cgroup_remove(int parent, const char *name)
	__attribute__((warn_unused_result));

/* Removes all groups of cells that are not in use. */
void cgroup_sweep(struct cgroup_tree *tree);

#endif
