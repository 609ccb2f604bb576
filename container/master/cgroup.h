/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control groups (cgroup v2) of a bayd that has been given a part of the tree, as systemd does with
 * Delegate=. Processes may only be in leaves of it, so bayd goes into one itself:
 *
 *	DIRECTORY/master         bayd
 *	DIRECTORY/cell-main.3    the third process that bayd started for this cell, and all that it starts
 *
 * A tree that is not bayd's own is left alone. Master only; never suspends.
 */
#ifndef BAY_MASTER_CGROUP_H
#define BAY_MASTER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "master/cgroup_files.h"

struct cgroup_group;
struct cgroup_tree;
struct event_base;

/*
 * where is "auto", "no", or the directory of a group that bayd may have for itself. Removes what a bayd that
 * was killed has left there. NULL: there are none, and *why_r (the caller's) says why.
 */
struct cgroup_tree *cgroup_tree_open(const char *where, char **why_r)
	__attribute__((warn_unused_result));

/* Removes it all, and goes back to where we were. NULL is fine. */
void cgroup_tree_close(struct cgroup_tree *tree);

/* Borrowed; CGROUP_... that it has. NULL has none. */
const char *cgroup_tree_path(const struct cgroup_tree *tree);
unsigned cgroup_tree_controllers(const struct cgroup_tree *tree);

/* Which controllers cgroup_tree_open would find, without touching anything. */
unsigned cgroup_tree_probe(const char *where);

/* --- the group of one process of a cell ------------------------------------------------------- */

/* NULL: errno says why. */
struct cgroup_group *cgroup_group_create(struct cgroup_tree *tree, const char *cell)
	__attribute__((warn_unused_result));

/* Kills what is in it and removes it, now or with one of the next. NULL is fine. */
void cgroup_group_destroy(struct cgroup_group *group);

/* Its cgroup.procs, open for writing: who writes "0" there is in it. */
int cgroup_group_procs(const struct cgroup_group *group);

/* The limits of a cell; 0: none, and of the weight: it stays as it was. What has more memory already than a new
 * limit keeps the old one. False: errno says why not all of it could be set. */
bool cgroup_group_set(struct cgroup_group *group, uint64_t memory_max, uint32_t tasks_max, uint32_t cpu_weight)
	__attribute__((warn_unused_result));

/* fn is called when the kernel has slowed it down or refused it something, until it is destroyed. False:
 * nobody tells. */
bool cgroup_group_watch(struct cgroup_group *group, struct event_base *base, void (*fn)(void *arg), void *arg)
	__attribute__((warn_unused_result));

/* What all in it have: memory that is not only the contents of files, and tasks as the kernel counts them.
 * What there is no controller for stays as it was. */
void cgroup_group_read(const struct cgroup_group *group, uint64_t *memory_r, uint32_t *tasks_r);

/* How many of it the kernel has killed for the limits of this group, not of one above it or of the machine. */
uint64_t cgroup_group_killed(const struct cgroup_group *group);

#endif
