/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in the files of control groups (cgroup v2), and what is to stand in those of a cell. Pure
 * functions over texts and numbers. Any thread.
 */
#ifndef BAY_MASTER_CGROUP_FILES_H
#define BAY_MASTER_CGROUP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cgroup_controller {
	CGROUP_MEMORY = 1,
	CGROUP_PIDS = 2,
	CGROUP_CPU = 4
};

/*
 * The directory of the group that a process is in, given its /proc/PID/mountinfo and /proc/PID/cgroup:
 * malloc'd. NULL: there is no cgroup v2, or the group lies outside of what is mounted.
 */
char *cgroup_own_directory(const char *mountinfo, const char *cgroup)
	__attribute__((warn_unused_result));

/* Which of ours a list like that of cgroup.controllers has: CGROUP_... */
unsigned cgroup_controllers(const char *list);

/* "memory, pids, cpu" of these. Returns buf. */
char *cgroup_controllers_text(char *buf, size_t size, unsigned controllers);

/* The number behind a name, one a line, as in memory.stat and memory.events. False: it is not there. */
bool cgroup_field(const char *text, const char *name, uint64_t *value_r)
	__attribute__((warn_unused_result));

/*
 * What the kernel is told for the limits of a cell; 0: "max". Who has more than its limit is replaced, and
 * by a quarter more killed, both by bayd, which says so. So the kernel slows down only what has been grown
 * beyond that before bayd has looked; and ends, far above, what bayd should have.
 */
struct cgroup_values {
	uint64_t memory_high;
	uint64_t memory_max;
	uint64_t pids_max;
};

struct cgroup_values cgroup_values(uint64_t memory_max, uint32_t tasks_max);

#endif
