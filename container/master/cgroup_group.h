/* SPDX-License-Identifier: BSD-2-Clause */
/* The group of one process of a cell; its functions are in cgroup.h. Only for the files of cgroup*. */
#ifndef BAY_MASTER_CGROUP_GROUP_H
#define BAY_MASTER_CGROUP_GROUP_H

#include "base/list.h"
#include "master/cgroup_files.h"

struct cgroup_tree;
struct event;

struct cgroup_group {
	struct list in_tree;
	struct cgroup_tree *tree;
	char *name;
	int dirfd;
	int procs_fd;
	struct cgroup_values values; /* that its files hold; 0: as at first, none */
	int watch_fd;        /* inotify, or -1 */
	struct event *event; /* or NULL */
	void (*on_event)(void *arg);
	void *on_event_arg;
};

#endif
